//! Every task on images is explained.

use gyrus_data::{Geometry, Preprocess, Resize};
use gyrus_tensor::DType;

use super::*;
use crate::detection::Detection;
use crate::image_classification::ImageClassification;
use crate::instance_segmentation::InstanceSegmentation;
use crate::localization::Localization;
use crate::nuclei::Nuclei;
use crate::semantic_segmentation::SemanticSegmentation;
use crate::vision::{Description, VisionTask};

fn assert_explained<V: VisionTask>(model: &str, methods: &[Method]) {
    let description = Description {
        task: V::NAME.into(),
        model: model.into(),
        classes: ["a", "b", "c"].map(String::from).to_vec(),
        preprocess: Preprocess::new(Geometry::new(64, 64, 3)).resized_to(64, 64, Resize::Stretch),
        options: V::Options::default(),
        confidence: None,
    };
    let network = V::build(&description, &mut Rng::new(1)).unwrap();
    let look = |images: &Tensor| V::look(&network, images).unwrap_or_else(|| panic!("{} has no look", V::NAME));
    let image = Rng::new(2).normal([1, 3, 64, 64], DType::F32, 0.0, 1.0);
    let (features, scores) = look(&image);
    assert_eq!((features.rank(), &scores.shape()[..]), (4, &[1, 3][..]), "{}", V::NAME);
    for &method in methods {
        let Attribution { map, gap } = method.attribute(&look, &image, &image.zeros_like(), 1);
        let (low, high) = map.range();
        assert!(low.is_finite() && map.values().iter().all(|value| value.is_finite()), "{} {method}", V::NAME);
        // What is cut off below 0 may be all of a map of random weights.
        assert!(high > low || method == Method::GradCam, "{} {method}: {low} to {high}", V::NAME);
        assert_eq!(gap.is_some(), method == Method::IntegratedGradients);
    }
}

#[test]
fn all_tasks_are_explained() {
    assert_explained::<ImageClassification>("lenet5", &Method::ALL);
    // The others differ in what they look at only.
    let quick = [Method::GradCam, Method::Saliency];
    assert_explained::<Localization>("resnet9-w32", &quick);
    assert_explained::<Detection>("detector-nano", &quick);
    assert_explained::<InstanceSegmentation>("detector-nano", &quick);
    assert_explained::<Nuclei>("unet-tiny", &quick);
    assert_explained::<SemanticSegmentation>("unet-tiny", &quick);
}

#[test]
fn methods_have_their_names() {
    for method in Method::ALL {
        assert_eq!(method.name().parse(), Ok(method));
    }
    assert!("lime".parse::<Method>().unwrap_err().contains("gradcam, saliency"));
}
