//! What models of images have in common.

use gyrus_nn::layers::Frozen;
use gyrus_nn::{Context, Layer};
use gyrus_tensor::Tensor;

/// A model that classifies images by maps of features, which others may read too: detectors, segmentation networks,
/// explanations. As a [`Layer`] it gives `classify(last of maps(images))`.
pub trait ImageModel: Layer {
    /// Maps of features from fine to coarse, `[N, C, H / stride, W / stride]`: of each height and width the last that
    /// there is. A model without maps of features gives the images themselves.
    ///
    /// # Panics
    /// If the images do not fit the model.
    fn maps(&self, images: &Tensor, context: &mut Context) -> Vec<Tensor>;

    /// Logits `[N, num_classes]` of the last map.
    fn classify(&self, last: &Tensor, context: &mut Context) -> Tensor;
}

impl<M: ImageModel + ?Sized> ImageModel for Box<M> {
    fn maps(&self, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        (**self).maps(images, context)
    }

    fn classify(&self, last: &Tensor, context: &mut Context) -> Tensor {
        (**self).classify(last, context)
    }
}

impl<M: ImageModel> ImageModel for Frozen<M> {
    fn maps(&self, images: &Tensor, context: &mut Context) -> Vec<Tensor> {
        (**self).maps(images, context)
    }

    fn classify(&self, last: &Tensor, context: &mut Context) -> Tensor {
        (**self).classify(last, context)
    }
}

/// The logits of images: what [`Layer::forward`] of a model is.
pub(crate) fn logits(model: &impl ImageModel, images: &Tensor, context: &mut Context) -> Tensor {
    let maps = model.maps(images, context);
    model.classify(maps.last().expect("at least one map"), context)
}

/// Puts a map behind those before it, in the place of the last if that has the same height and width.
pub(crate) fn push_map(maps: &mut Vec<Tensor>, map: Tensor) {
    match maps.last_mut() {
        Some(last) if last.shape()[2..] == map.shape()[2..] => *last = map,
        _ => maps.push(map),
    }
}
