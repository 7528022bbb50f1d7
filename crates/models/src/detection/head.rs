//! What says of each place of a map which object is there.

use gyrus_nn::init::Init;
use gyrus_nn::layers::{Conv2d, Upsample};
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

use crate::csp_net::{Unit, unit};

/// Before anything is learnt, the probability of each class at each place.
const PRIOR: f64 = 0.01;

/// The head of one map: two convolutions 3x3 for the classes, two for the box, and two for the mask where masks are wanted,
/// each with a convolution 1x1 at the end.
///
/// # Source
/// Tian et al., FCOS (2019), and Ge et al., YOLOX (2021), section 2.1 (one branch for each question); the prior from Lin et
/// al., Focal Loss (2017), section 3.3; coefficients of masks from Bolya et al., YOLACT (2019), section 3.1.
#[derive(Module)]
pub(crate) struct Head {
    class: Branch,
    distance: Branch,
    coefficient: Option<Branch>,
}

/// What a head says: `[N, A, ..]` each, where `A` counts the places of the map row by row.
pub(crate) struct HeadOutputs {
    /// `[N, A, classes]`.
    pub logits: Tensor,
    /// `[N, A, 4]`: from the middle of the place to the left, up, to the right and down, in strides, positive.
    pub distances: Tensor,
    /// `[N, A, prototypes]`.
    pub coefficients: Option<Tensor>,
}

impl Head {
    pub fn new(width: usize, num_classes: usize, num_prototypes: usize, rng: &mut Rng) -> Head {
        let class = Branch::new(width, num_classes, -((1.0 - PRIOR) / PRIOR).ln(), rng);
        // Boxes begin at four strides a side.
        let distance = Branch::new(width, 4, (2f64.exp() - 1.0).ln(), rng);
        let coefficient = (num_prototypes > 0).then(|| Branch::new(width, num_prototypes, 0.0, rng));
        Head { class, distance, coefficient }
    }

    pub fn forward(&self, map: &Tensor, context: &mut Context) -> HeadOutputs {
        HeadOutputs {
            logits: places(&self.class.forward(map, context)),
            distances: places(&self.distance.forward(map, context)).softplus(),
            coefficients: self.coefficient.as_ref().map(|branch| places(&branch.forward(map, context))),
        }
    }
}

/// `[N, C, H, W]` to `[N, H W, C]`.
fn places(map: &Tensor) -> Tensor {
    map.flatten(2, 3).transpose(1, 2)
}

#[derive(Module)]
struct Branch {
    convs: (Unit, Unit),
    output: Conv2d,
}

impl Branch {
    fn new(width: usize, to: usize, bias: f64, rng: &mut Rng) -> Branch {
        let convs = (unit(width, width, 3, 1, rng), unit(width, width, 3, 1, rng));
        let init = Init::Normal { mean: 0.0, standard_deviation: 0.01 };
        let bias_init = Init::Constant(bias);
        Branch { convs, output: Conv2d::builder(width, to, 1).init(init).bias_init(bias_init).build(rng) }
    }
}

impl Layer for Branch {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        self.output.forward(&self.convs.forward(input, context), context)
    }
}

/// Masks that all objects of an image share: that of an object is a sum of them, weighed by its coefficients.
///
/// # Shapes
/// `[N, width, H, W]` to `[N, num_prototypes, 2 H, 2 W]`.
///
/// # Source
/// Bolya et al., YOLACT (2019), section 3.1.
#[derive(Module)]
pub(crate) struct Prototypes {
    before: Unit,
    after: Unit,
    output: Conv2d,
}

impl Prototypes {
    pub fn new(width: usize, num_prototypes: usize, rng: &mut Rng) -> Prototypes {
        Prototypes {
            before: unit(width, width, 3, 1, rng),
            after: unit(width, width, 3, 1, rng),
            output: Conv2d::new(width, num_prototypes, 1, rng),
        }
    }
}

impl Layer for Prototypes {
    fn forward(&self, input: &Tensor, context: &mut Context) -> Tensor {
        let x = Upsample::nearest(2).forward(&self.before.forward(input, context), context);
        self.output.forward(&self.after.forward(&x, context), context)
    }
}
