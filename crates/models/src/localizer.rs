//! A network that says what is on an image, and where.

use gyrus_nn::layers::{BatchNorm, Conv2d};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{DType, Rng, Tensor};

use crate::unbiased_conv::UnbiasedConv;
use crate::{ImageModel, ModelError, classification};

/// The channels before the edges.
const CHANNELS: usize = 128;

/// A model that classifies images, which also says where the one object is: on its coarsest map each edge of the box has
/// a probability for each place, and an offset from it; the edge is where it is expected.
///
/// # Shapes
/// See [`Localizer::localize`].
///
/// # Source
/// The expectation over places: Sun et al., Integral Human Pose Regression (2018), equation 3; the offsets are ours.
#[derive(Module)]
pub struct Localizer {
    backbone: Box<dyn ImageModel + Send>,
    conv: Conv2d,
    norm: BatchNorm,
    edges: Conv2d,
}

impl Localizer {
    /// On a model that classifies images, by its name, for images of a height and width in pixels.
    ///
    /// # Errors
    /// If there is no such model, or the images are too small for it.
    pub fn new(
        backbone: &str,
        in_channels: usize,
        num_classes: usize,
        image_size: [usize; 2],
        rng: &mut Rng,
    ) -> Result<Localizer, ModelError> {
        let backbone = classification(backbone, in_channels, num_classes, image_size, rng)?;
        // Shapes are known without computing anything.
        let images = Tensor::zeros([1, in_channels, image_size[0], image_size[1]], DType::F32);
        let maps = backbone.maps(&images, &mut Context::evaluate());
        let channels = maps.last().expect("a map").shape()[1];
        Ok(Localizer {
            backbone,
            conv: UnbiasedConv::new(channels, CHANNELS, 3).build(rng),
            norm: BatchNorm::new(CHANNELS),
            edges: Conv2d::new(CHANNELS, 8, 1, rng),
        })
    }

    /// The model below, by which images are classified.
    pub fn backbone(&self) -> &(dyn ImageModel + Send) {
        &*self.backbone
    }

    /// Logits `[N, num_classes]` and boxes `[N, 4]` of images `[N, in_channels, H, W]`: left, top, right and bottom in
    /// pixels of the images.
    ///
    /// # Panics
    /// If the images do not fit the model.
    pub fn localize(&self, images: &Tensor, context: &mut Context) -> (Tensor, Tensor) {
        let maps = self.backbone.maps(images, context);
        let last = maps.last().expect("a map");
        let logits = self.backbone.classify(last, context);
        let hidden = self.norm.forward(&self.conv.forward(last, context), context).relu();
        let [count, rows, columns] = [0, 2, 3].map(|axis| last.shape()[axis]);
        let edges = self.edges.forward(&hidden, context).reshape([count, 2, 4, rows * columns]);
        let [places, offsets] = [0, 1].map(|part| edges.narrow(1, part..part + 1).squeeze(1));
        let stride = [images.shape()[2] as f32 / rows as f32, images.shape()[3] as f32 / columns as f32];
        // Of left and right the middles of columns, of top and bottom those of rows.
        let middle = |edge: usize, place: usize| match edge % 2 {
            0 => ((place % columns) as f32 + 0.5) * stride[1],
            _ => ((place / columns) as f32 + 0.5) * stride[0],
        };
        let middles: Vec<f32> =
            (0..4).flat_map(|edge| (0..rows * columns).map(move |place| middle(edge, place))).collect();
        let middles = Tensor::from_slice([1, 4, rows * columns], &middles);
        let strides = Tensor::from_slice([1, 4, 1], &[stride[1], stride[0], stride[1], stride[0]]);
        let boxes = (places.softmax(-1) * (middles + offsets * strides)).sum(-1);
        (logits, boxes)
    }
}
