//! What is frozen is no parameter, and else as it was.

use gyrus_nn::layers::{BatchNorm, Frozen, Linear, Sequential};
use gyrus_nn::{Context, Kind, Layer, Module};
use gyrus_tensor::{DType, Rng};

fn layers() -> Sequential {
    let rng = &mut Rng::new(3);
    (0..11).fold(Sequential::new(), |layers, _| layers.push(Linear::new(2, 2, rng)))
}

#[test]
fn frozen_parts_are_buffers_under_the_same_names() {
    let parts = vec!["1".to_owned(), "2.bias".to_owned()];
    // Wherever the layer stands in another one.
    let outer = vec![Frozen::new(layers(), parts)];
    let names = |tensors: Vec<(String, Kind, gyrus_nn::Tensor)>| -> Vec<String> {
        tensors.into_iter().map(|(name, _, _)| name).collect()
    };
    assert_eq!(names(outer.named_tensors()), names(vec![layers()].named_tensors()));
    let frozen = outer.named_tensors().into_iter().filter(|(_, kind, _)| *kind == Kind::Buffer).collect();
    assert_eq!(names(frozen), ["0.1.weight", "0.1.bias", "0.2.bias"]);
}

#[test]
fn it_computes_the_same_and_learns_the_rest() {
    let x = Rng::new(5).normal([3, 2], DType::F32, 0.0, 1.0);
    let (whole, frozen) = (layers(), Frozen::new(layers(), vec!["0".into()]));
    let [a, b] = [whole.forward(&x, &mut Context::evaluate()), frozen.forward(&x, &mut Context::evaluate())];
    assert_eq!(a.to_vec::<f32>(), b.to_vec::<f32>());
    let values = |gradients: gyrus_tensor::Gradients| -> Vec<Vec<f32>> {
        gradients.iter().map(gyrus_nn::Tensor::to_vec).collect()
    };
    let (all, rest) = (values(a.sum(..).grad(&whole)), values(b.sum(..).grad(&frozen)));
    assert_eq!(rest, all[2..]);
}

#[test]
fn frozen_normalisations_use_their_running_statistics_and_keep_them() {
    let x = Rng::new(5).normal([8, 2], DType::F32, 3.0, 2.0);
    let layers = || Sequential::new().push(BatchNorm::new(2)).push(BatchNorm::new(2));
    let frozen = Frozen::new(layers(), vec!["0".into()]);
    let rng = &mut Rng::new(1);
    let y = frozen.forward(&x, &mut Context::train(rng));
    // The first changes nothing but by eps, the second normalises.
    let means: Vec<f32> = y.mean(0).to_vec();
    assert!(means.iter().all(|mean| mean.abs() < 1e-4), "{means:?}");
    let running = |index: usize| frozen.named_tensors()[5 * index + 2].2.to_vec::<f32>();
    assert_eq!(running(0), [0.0, 0.0]);
    assert!(running(1).iter().all(|mean| *mean > 0.1));
}
