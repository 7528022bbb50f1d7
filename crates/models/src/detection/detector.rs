//! A detector: a network that says of many places of an image which object is there.

use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{DType, Rng, Tensor};

use super::head::{Head, HeadOutputs, Prototypes};
use super::neck::Neck;
use crate::image_model::ImageModel;

/// A one-stage detector without anchor boxes: a model of images gives maps of features, a pyramid joins them, and a head
/// for each map says of each of its places the classes and the box of the object whose middle is near.
///
/// # Shapes
/// Images `[N, in_channels, H, W]`, of a height and width that are multiples of the coarsest stride, to
/// [`DetectorOutputs`].
///
/// # Source
/// Tian et al., FCOS (2019); Ge et al., YOLOX (2021); masks as in Bolya et al., YOLACT (2019).
#[derive(Module)]
pub struct Detector {
    backbone: Box<dyn ImageModel + Send>,
    neck: Neck,
    heads: Vec<Head>,
    prototypes: Option<Prototypes>,
    #[module(skip)]
    strides: Vec<usize>,
}

/// What a [`Detector`] says of images. `A` counts places: those of the finest map row by row, then those of the next.
pub struct DetectorOutputs {
    /// `[N, C, H / s, W / s]`: the coarsest map of the backbone, of stride `s`, which all heads see.
    pub features: Tensor,
    /// `[N, A, 4]`: left, top, right and bottom of boxes, in pixels of the images.
    pub boxes: Tensor,
    /// `[N, A, classes]`: a logit for each class, which exclude each other not.
    pub logits: Tensor,
    /// `[N, A, prototypes]` where there are masks: the weights of the prototypes in the mask of the object.
    pub coefficients: Option<Tensor>,
    /// `[N, prototypes, H / s, W / s]` where there are masks, with half of the finest stride as `s`: logits of a pixel are
    /// sums of these, weighed by coefficients.
    pub prototypes: Option<Tensor>,
}

/// The places of which a [`Detector`] speaks.
pub struct Places {
    /// The middles of the places, x and y in pixels, `A` of each.
    pub centers: Vec<[f32; 2]>,
    /// How far each is from its neighbours, in pixels.
    pub strides: Vec<f32>,
}

impl Detector {
    /// On the maps of these strides of a backbone; each stride twice the one before.
    ///
    /// # Panics
    /// If the backbone lacks such a map.
    #[track_caller]
    pub(super) fn new(
        backbone: Box<dyn ImageModel + Send>,
        [in_channels, num_classes, num_prototypes]: [usize; 3],
        [width, depth]: [usize; 2],
        strides: Vec<usize>,
        rng: &mut Rng,
    ) -> Detector {
        // Shapes are known before anything is computed.
        let side = 2 * strides.last().expect("a stride");
        let image = Tensor::zeros([1, in_channels, side, side], DType::F32);
        let channels: Vec<usize> = of_strides(&*backbone, &image, &strides, &mut Context::evaluate())
            .iter()
            .map(|map| map.shape()[1])
            .collect();
        Detector {
            backbone,
            neck: Neck::new(&channels, width, depth, rng),
            heads: strides.iter().map(|_| Head::new(width, num_classes, num_prototypes, rng)).collect(),
            prototypes: (num_prototypes > 0).then(|| Prototypes::new(width, num_prototypes, rng)),
            strides,
        }
    }

    /// What the detector says of images.
    pub fn detect(&self, images: &Tensor, context: &mut Context) -> DetectorOutputs {
        let below = of_strides(&*self.backbone, images, &self.strides, context);
        let maps = self.neck.forward(&below, context);
        let outputs: Vec<HeadOutputs> =
            self.heads.iter().zip(&maps).map(|(head, map)| head.forward(map, context)).collect();
        let joined = |part: fn(&HeadOutputs) -> Option<&Tensor>| {
            let parts: Option<Vec<&Tensor>> = outputs.iter().map(part).collect();
            parts.map(|parts| Tensor::cat(&parts, 1))
        };
        let distances = joined(|output| Some(&output.distances)).expect("each has distances");
        DetectorOutputs {
            features: below.last().expect("a map").clone(),
            boxes: self.boxes(&distances, [images.shape()[2], images.shape()[3]]),
            logits: joined(|output| Some(&output.logits)).expect("each has logits"),
            coefficients: joined(|output| output.coefficients.as_ref()),
            prototypes: self.prototypes.as_ref().map(|layer| layer.forward(&maps[0], context)),
        }
    }

    /// The places in images of this height and width.
    pub fn places(&self, [height, width]: [usize; 2]) -> Places {
        let mut places = Places { centers: vec![], strides: vec![] };
        for &stride in &self.strides {
            let middle = |index: usize| (index as f32 + 0.5) * stride as f32;
            let rows = 0..height / stride;
            places.centers.extend(rows.flat_map(|y| (0..width / stride).map(move |x| [middle(x), middle(y)])));
            places.strides.resize(places.centers.len(), stride as f32);
        }
        places
    }

    /// Boxes around the places, by their distances in strides.
    fn boxes(&self, distances: &Tensor, image_size: [usize; 2]) -> Tensor {
        let Places { centers, strides } = self.places(image_size);
        let count = centers.len();
        let corners: Vec<f32> = centers.iter().flat_map(|&[x, y]| [x, y, x, y]).collect();
        let steps: Vec<f32> = strides.iter().flat_map(|&stride| [-stride, -stride, stride, stride]).collect();
        let [corners, steps] = [corners, steps].map(|values| Tensor::from_slice([1, count, 4], &values));
        distances * steps + corners
    }
}

/// The maps of these strides.
#[track_caller]
fn of_strides(backbone: &dyn ImageModel, images: &Tensor, strides: &[usize], context: &mut Context) -> Vec<Tensor> {
    let maps = backbone.maps(images, context);
    let height = images.shape()[2];
    let of = |stride: &usize| maps.iter().rfind(|map| map.shape()[2] * stride == height).cloned();
    let found: Option<Vec<Tensor>> = strides.iter().map(of).collect();
    found.unwrap_or_else(|| {
        panic!("detector: images {}: height and width must be multiples of the strides {strides:?}", images.spec())
    })
}
