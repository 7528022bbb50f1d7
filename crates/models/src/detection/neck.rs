//! What brings maps of features of several strides together.

use gyrus_nn::layers::Upsample;
use gyrus_nn::{Context, Layer, Module};
use gyrus_tensor::{Rng, Tensor};

use crate::csp_net::{CspBlock, Unit, unit};

/// A pyramid of features in two ways: from coarse to fine, so that fine maps know what is around, and back, so that coarse
/// ones know where exactly it is. All maps get the same number of channels.
///
/// # Shapes
/// Maps `[N, C_i, H / s_i, W / s_i]`, each stride `s_i` twice that of the one before, to as many maps
/// `[N, width, H / s_i, W / s_i]`.
///
/// # Source
/// Lin et al., Feature Pyramid Networks (2017); Liu et al., Path Aggregation Network (2018). Maps are joined by
/// concatenation and a block, as in Ge et al., YOLOX (2021).
#[derive(Module)]
pub(crate) struct Neck {
    lateral: Vec<Unit>,
    finer: Vec<CspBlock>,
    down: Vec<Unit>,
    coarser: Vec<CspBlock>,
}

impl Neck {
    /// For maps of these numbers of channels, fine ones first, with so many blocks at each place.
    pub fn new(channels: &[usize], width: usize, depth: usize, rng: &mut Rng) -> Neck {
        let num_joins = channels.len() - 1;
        let join = |rng: &mut Rng| CspBlock::new(2 * width, width, depth, false, rng);
        Neck {
            lateral: channels.iter().map(|&from| unit(from, width, 1, 1, rng)).collect(),
            finer: (0..num_joins).map(|_| join(rng)).collect(),
            down: (0..num_joins).map(|_| unit(width, width, 3, 2, rng)).collect(),
            coarser: (0..num_joins).map(|_| join(rng)).collect(),
        }
    }

    /// The maps of the same strides.
    pub fn forward(&self, maps: &[Tensor], context: &mut Context) -> Vec<Tensor> {
        let mut maps: Vec<Tensor> =
            self.lateral.iter().zip(maps).map(|(lateral, map)| lateral.forward(map, context)).collect();
        let double = Upsample::nearest(2);
        for (index, block) in self.finer.iter().enumerate().rev() {
            let above = double.forward(&maps[index + 1], context);
            maps[index] = block.forward(&Tensor::cat(&[&above, &maps[index]], 1), context);
        }
        for (index, (down, block)) in self.down.iter().zip(&self.coarser).enumerate() {
            let below = down.forward(&maps[index], context);
            maps[index + 1] = block.forward(&Tensor::cat(&[&below, &maps[index + 1]], 1), context);
        }
        maps
    }
}
