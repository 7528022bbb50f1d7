//! `#[derive(Module)]`.

extern crate gyrus_nn as gyrus;

use gyrus_nn::layers::Linear;
use gyrus_nn::{Buffer, Kind, Module, Path, Tensor};
use gyrus_tensor::{DType, Rng};

fn one() -> Tensor {
    Tensor::ones([1], DType::F32)
}

/// The paths of a walk; that of `walk_mut` must be the same.
fn paths(module: &mut impl Module) -> Vec<String> {
    let names: Vec<String> = module.named_tensors().into_iter().map(|(path, _, _)| path).collect();
    let mut names_mut = vec![];
    module.walk_mut(&mut Path::default(), &mut |path, _, tensor| {
        *tensor = tensor.zeros_like();
        names_mut.push(path.to_string());
    });
    assert_eq!(names, names_mut);
    module.walk(&mut Path::default(), &mut |path, _, tensor| {
        assert!(tensor.to_vec::<f32>().iter().all(|&x| x == 0.0), "{path}: was replaced");
    });
    names
}

#[derive(Module)]
struct Encoder<L, const N: usize> {
    layers: [L; N],
    scale: Tensor,
    running: Buffer,
    r#type: Option<Tensor>,
    eps: f64,
    #[module(skip)]
    _activation: fn(f64) -> f64,
}

#[derive(Module)]
struct Newtype(Vec<Tensor>);

struct NotAModule;

#[derive(Module)]
struct Pair(Tensor, #[module(skip)] NotAModule, Newtype);

#[derive(Module)]
struct Unit;

#[derive(Module)]
enum Either<A, B> {
    Neither,
    Left { value: A },
    Right(B),
    Both(A, B),
}

#[derive(Module)]
#[module(crate = "gyrus_tensor")]
struct OfAnotherCrate {
    weight: Tensor,
}

/// `T` occurs in a skipped field only, and need not be a module.
#[derive(Module)]
struct Tagged<T> {
    weight: Tensor,
    #[module(skip)]
    _tag: T,
}

#[test]
fn structs() {
    let mut rng = Rng::new(0);
    let mut encoder = Encoder {
        layers: [Linear::new(1, 1, &mut rng), Linear::builder(1, 1).bias(false).build(&mut rng)],
        scale: one(),
        running: Buffer::new(one()),
        r#type: Some(one()),
        eps: 0.5,
        _activation: f64::exp,
    };
    let names = ["layers.0.weight", "layers.0.bias", "layers.1.weight", "scale", "running", "type"];
    assert_eq!(paths(&mut encoder), names);
    assert_eq!((encoder.num_parameters(), encoder.eps), (5, 0.5));
    let kinds: Vec<Kind> = encoder.named_tensors().into_iter().map(|(_, kind, _)| kind).collect();
    assert_eq!(kinds.iter().position(|&kind| kind == Kind::Buffer), Some(4));
    assert_eq!(paths(&mut Newtype(vec![one(), one()])), ["0", "1"]);
    assert_eq!(paths(&mut Pair(one(), NotAModule, Newtype(vec![one()]))), ["0", "2.0"]);
    assert!(paths(&mut Unit).is_empty());
    assert_eq!(paths(&mut OfAnotherCrate { weight: one() }), ["weight"]);
    assert_eq!(paths(&mut Tagged { weight: one(), _tag: std::time::Duration::ZERO }), ["weight"]);
}

#[test]
fn enums() {
    type Either1 = Either<Tensor, Pair>;
    let pair = || Pair(one(), NotAModule, Newtype(vec![]));
    assert!(paths(&mut Either1::Neither).is_empty());
    assert_eq!(paths(&mut Either1::Left { value: one() }), ["value"]);
    assert_eq!(paths(&mut Either1::Right(pair())), ["0"]);
    assert_eq!(paths(&mut Either1::Both(one(), pair())), ["0", "1.0"]);
}
