//! What a user of NumPy or PyTorch expects: types, numbers beside tensors, special values, text.

use gyrus_graph::{Spec, Value};
use gyrus_tensor::{ConvolutionWindow, DType, NewAxis, Rng, Shape, Tensor, compile, f16};

#[test]
fn types_promote() {
    let one = |dtype| Tensor::ones([1], dtype);
    for a in DType::ALL {
        for b in DType::ALL {
            if a.max(b) != DType::Bool {
                assert_eq!((one(a) + one(b)).dtype(), a.promote(b), "{a} + {b}");
            }
            assert_eq!(one(a).le(one(b)).dtype(), DType::Bool);
            assert_eq!(Tensor::cat(&[one(a), one(b)], 0).dtype(), a.promote(b));
        }
    }
}

#[test]
fn numbers_adopt_the_type_of_the_tensor() {
    for dtype in DType::ALL {
        let x = Tensor::ones([1], dtype);
        let is_float = dtype.is_float();
        assert_eq!((&x * 0.5).dtype(), if is_float { dtype } else { DType::F32 }, "{dtype} * 0.5");
        assert_eq!((2.0 - &x).dtype(), if is_float { dtype } else { DType::F32 }, "2.0 - {dtype}");
        assert_eq!((&x * 2).dtype(), if dtype == DType::Bool { DType::I64 } else { dtype }, "{dtype} * 2");
        assert_eq!((2 - &x).dtype(), if dtype == DType::Bool { DType::I64 } else { dtype }, "2 - {dtype}");
        assert_eq!(x.exp().dtype(), if is_float { dtype } else { DType::F32 });
        assert_eq!(x.mean(..).dtype(), if is_float { dtype } else { DType::F32 });
        assert_eq!(x.sum(..).dtype(), if is_float { dtype } else { DType::I64 });
        assert_eq!(x.floor().dtype(), dtype);
        assert_eq!(x.max(0).dtype(), dtype);
    }
    assert_eq!(Tensor::from([true, false]).select(1.5, 2).to_vec::<f32>(), [1.5, 2.0]);
    assert_eq!(Tensor::from([i64::MAX - 1]).lt(i64::MAX).to_vec::<bool>(), [true]);
}

#[test]
fn operators_take_owned_borrowed_and_numbers() {
    let (a, b) = (Tensor::from([6.0, 8.0]), Tensor::from([4.0, 3.0]));
    let vec = |x: Tensor| x.to_vec::<f64>();
    assert_eq!(vec(&a + &b), [10.0, 11.0]);
    assert_eq!(vec(a.clone() - &b), [2.0, 5.0]);
    assert_eq!(vec(&a * b.clone()), [24.0, 24.0]);
    assert_eq!(vec(a.clone() / b.clone()), [1.5, 8.0 / 3.0]);
    assert_eq!(vec(&a % 5), [1.0, 3.0]);
    assert_eq!(vec((1.0 - &a).abs()), [5.0, 7.0]);
    assert_eq!(vec(2 / (&a - 4.0f32)), [1.0, 0.5]);
    assert_eq!(vec(-&a + 3usize), [-3.0, -5.0]);
    let mut x = a.clone();
    x += 1;
    x *= &b;
    x -= 0.5;
    x /= Tensor::scalar(0.5);
    x %= 10i64;
    assert_eq!(vec(x), [5.0, 3.0]);
    assert_eq!(vec(a), [6.0, 8.0]);
}

#[test]
fn logic() {
    let (a, b) = (Tensor::from([true, true, false, false]), Tensor::from([true, false, true, false]));
    let vec = |x: Tensor| x.to_vec::<bool>();
    assert_eq!(vec(&a & &b), [true, false, false, false]);
    assert_eq!(vec(&a | &b), [true, true, true, false]);
    assert_eq!(vec(&a ^ &b), [false, true, true, false]);
    assert_eq!(vec(!&a), [false, false, true, true]);
    assert_eq!(vec(Tensor::from([2, 0]).logical_and(true)), [true, false]);
    assert_eq!(vec(Tensor::from([2.0, 0.0]).logical_or(0)), [true, false]);
    assert_eq!(vec(Tensor::from([2.0, 0.0]).logical_xor(Tensor::from([1, 1]))), [false, true]);
    assert_eq!(vec(Tensor::from([2.0, 0.0]).logical_not()), [false, true]);
    assert_eq!((Tensor::from([6, 3]) & 5).to_vec::<i32>(), [4, 1]);
    assert_eq!((!Tensor::from([6, 3])).to_vec::<i32>(), [-7, -4]);
}

#[test]
fn comparisons() {
    let x = Tensor::from([1.0, 2.0, f64::NAN]);
    assert_eq!(x.eq(2.0).to_vec::<bool>(), [false, true, false]);
    assert_eq!(x.ne(2.0).to_vec::<bool>(), [true, false, true]);
    assert_eq!(x.lt(2).to_vec::<bool>(), [true, false, false]);
    assert_eq!(x.le(2).to_vec::<bool>(), [true, true, false]);
    assert_eq!(x.gt(1).to_vec::<bool>(), [false, true, false]);
    assert_eq!(x.ge(&x).to_vec::<bool>(), [true, true, false]);
    assert_eq!(x.is_nan().to_vec::<bool>(), [false, false, true]);
    assert_eq!((&x / 0.0).is_finite().to_vec::<bool>(), [false; 3]);
}

#[test]
fn what_is_not_a_number_stays_so() {
    let nan = Tensor::from([f64::NAN]);
    for result in [
        nan.relu(),
        nan.leaky_relu(0.1),
        nan.elu(1.0),
        nan.clamp(0.0, 1.0),
        nan.maximum(0.0),
        nan.softplus(),
        nan.max(0),
        nan.norm(0),
        nan.sign(),
        nan.hard_sigmoid(),
    ] {
        assert!(result.item().is_nan());
    }
}

#[test]
fn half_precision_is_averaged_in_single() {
    let x = Tensor::full([4096, 32], 3.0, DType::F16);
    assert_eq!(x.mean(..).to_vec::<f16>(), [f16::from_f64(3.0)]);
    assert_eq!((&x * 100.0).variance(.., 0).item(), 0.0);
}

#[test]
fn means_of_nothing_are_not_numbers() {
    let nothing = Tensor::zeros([0, 2], DType::F32);
    assert!(nothing.mean(0).to_vec::<f32>().iter().all(|mean| mean.is_nan()));
    assert!(Tensor::ones([1], DType::F32).variance(0, 1).item().is_nan());
    assert_eq!(nothing.sum(0).to_vec::<f32>(), [0.0, 0.0]);
    assert_eq!(nothing.product(0).to_vec::<f32>(), [1.0, 1.0]);
}

#[test]
fn creation() {
    assert_eq!(Tensor::arange(4, DType::U8).to_vec::<u8>(), [0, 1, 2, 3]);
    assert_eq!(Tensor::range(5.0, 0.0, -2.0, DType::I32).to_vec::<i32>(), [5, 3, 1]);
    assert_eq!(Tensor::range(1.0, 1.0, 1.0, DType::I32).shape()[..], [0]);
    assert_eq!(Tensor::range(0.0, 1.0, 0.1, DType::F64).num_elements(), 10);
    assert_eq!(Tensor::linspace(-0.1, 0.3, 7, DType::F64).get(-1).item(), 0.3);
    assert_eq!(Tensor::linspace(2.0, 3.0, 1, DType::F32).to_vec::<f32>(), [2.0]);
    assert_eq!(Tensor::linspace(2.0, 3.0, 0, DType::F32).shape()[..], [0]);
    assert_eq!(Tensor::eye(2, DType::I64).to_vec::<i64>(), [1, 0, 0, 1]);
    assert_eq!(Tensor::full([2], 2.5, DType::F32).to_vec::<f32>(), [2.5, 2.5]);
    assert_eq!(Tensor::from([[1, 2], [3, 4]]).full_like(7.0).to_vec::<i32>(), [7; 4]);
    assert_eq!(
        Tensor::from([-1, 0, 3]).one_hot(3, DType::Bool).to_vec::<bool>(),
        [false, false, false, true, false, false, false, false, false]
    );
    assert_eq!(Tensor::from([[[1u8], [2]]]).shape()[..], [1, 2, 1]);
    assert_eq!(Tensor::from(vec![1.5f32, 2.5]).sum(..).item(), 4.0);
}

#[test]
fn shapes_of_scalars() {
    let x = Tensor::from(2.0);
    assert_eq!(x.rank(), 0);
    assert_eq!(x.flatten(0, -1).shape()[..], [1]);
    assert_eq!(x.get(NewAxis).shape()[..], [1]);
    assert_eq!(x.sum(..).item(), 2.0);
    assert_eq!(x.reshape([1, -1]).shape()[..], [1, 1]);
    assert_eq!(x.reshape(Shape::scalar()).item(), 2.0);
    assert_eq!(x.reshape([1, 1]).squeeze(..).rank(), 0);
}

#[test]
fn text() {
    let show = |x: Tensor| (x.to_string(), format!("{x:?}")).0;
    assert_eq!(show(Tensor::from(3.0f32)), "3.0 f32[]");
    assert_eq!(show(Tensor::from([1.5, -20.25])), "[  1.5000, -20.2500] f64[2]");
    assert_eq!(show(Tensor::from([[1, 20], [-3, 4]])), "[[ 1, 20],\n [-3,  4]]\ni32[2, 2]");
    assert_eq!(show(Tensor::from([true, false])), "[ true, false] bool[2]");
    assert_eq!(show(Tensor::from([1e-9, f64::NAN, -3e12])), "[ 1.0000e-9,        NaN, -3.0000e12] f64[3]");
    assert_eq!(show(Tensor::from([[[1], [2]], [[3], [4]]])), "[[[1],\n  [2]],\n\n [[3],\n  [4]]]\ni32[2, 2, 1]");
    assert_eq!(show(Tensor::zeros([3, 0], DType::F32)), "[] f32[3, 0]");
    assert_eq!(show(Tensor::arange(1001, DType::I64)), "[   0,    1,    2, …,  998,  999, 1000] i64[1001]");
    let matrix = show(Tensor::arange(1200, DType::I64).reshape([400, 3]));
    assert!(
        matrix.starts_with("[[   0,    1,    2],\n [   3,    4,    5],\n [   6,    7,    8],\n …,\n [1191,"),
        "{matrix}"
    );
    let long = show(Tensor::arange(40, DType::I64));
    assert!(long.lines().count() == 3 && long.lines().all(|line| line.len() <= 100), "{long}");
}

#[test]
fn text_of_what_is_not_known_yet() {
    let given_later = Tensor::from(Value::placeholder(Spec::new([2, 3], DType::F32)));
    assert_eq!((given_later + 1.0).to_string(), "f32[2, 3] not known yet");
}

/// Weights are packed once for many calls and shapes of inputs, and again when they change.
#[test]
fn packed_weights_follow_the_state() {
    let mut rng = Rng::new(3);
    let window = || ConvolutionWindow { padding: vec![(1, 1); 2], ..ConvolutionWindow::new(2) };
    let convolution = |weight: &Tensor, x: &Tensor| x.conv(weight, window());
    let product = |weight: &Tensor, x: &Tensor| x.matmul(&weight.flatten(1, -1).permute([1, 0]));
    let images = |batch: usize, width: usize| [batch, 32, 9, width].to_vec();
    type Function<'a> = &'a dyn Fn(&Tensor, &Tensor) -> Tensor;
    let cases: [(usize, Function, [Vec<usize>; 3]); 3] = [
        (3, &convolution, [images(2, 10), images(30, 40), images(1, 7)]),
        (1, &convolution, [images(2, 10), images(30, 40), images(1, 7)]),
        (1, &product, [vec![400, 32], vec![60, 32], vec![3, 32]]),
    ];
    for (size, function, shapes) in cases {
        let mut draw = |shape: Vec<usize>| rng.normal(shape, DType::F32, 0.0, 1.0).detach();
        let (mut weight, other) = (draw(vec![48, 32, size, size]), draw(vec![48, 32, size, size]));
        let inputs = shapes.map(draw);
        let mut compiled = compile(|weight: &mut Tensor, x: Tensor| function(weight, &x));
        let mut check = |weight: &mut Tensor| {
            for _ in 0..2 {
                for x in &inputs {
                    let found = compiled.call(weight, x.clone()).to_vec::<f32>();
                    assert_eq!(found, function(weight, x).to_vec::<f32>());
                }
            }
        };
        check(&mut weight);
        weight.assign(&other.to_vec::<f32>());
        check(&mut weight);
        weight = &other + 1.0;
        check(&mut weight);
    }
}

#[test]
fn plans_for_shapes_that_were_not_used_for_long_are_dropped() {
    let mut sum = compile(|state: &mut Tensor, x: Tensor| {
        *state = &*state + 1.0;
        x.sum(..) + &*state
    });
    let mut state = Tensor::zeros([1], DType::F32);
    let mut call = |len: usize| sum.call(&mut state, Tensor::ones([len], DType::F32)).item();
    for len in 1..=300 {
        assert_eq!(call(len), 2.0 * len as f64);
    }
    assert_eq!(call(1), 302.0);
    assert_eq!(call(300), 602.0);
    assert_eq!(sum.num_plans(), 256);
}
