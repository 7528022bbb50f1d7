//! Features of the last map, by how much the class depends on each.

use gyrus_draw::HeatMap;
use gyrus_tensor::{Tensor, grad};

use super::{Look, heat_map};

/// Gradient-weighted class activation mapping.
///
/// ```text
/// w_k = mean_{i,j} dS/dA_kij,   map_ij = relu(sum_k w_k A_kij)
/// ```
///
/// # Shapes
/// `image` `[1, C, H, W]`; the map has the height and width of the map of features `A`.
///
/// # Panics
/// If there is no such class.
///
/// # Source
/// Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks (2017), equations 1 and 2.
#[track_caller]
pub fn gradcam(look: Look, image: &Tensor, class: usize) -> HeatMap {
    let (features, scores) = look(image);
    let gradient = grad(&scores.index_axis(1, class as isize).sum(..), &[&features]).remove(0);
    let weights = gradient.mean([2, 3]).unsqueeze(-1).unsqueeze(-1);
    heat_map(&(weights * features).sum(1).relu())
}
