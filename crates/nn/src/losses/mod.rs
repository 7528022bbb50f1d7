//! Losses: what training makes small.

mod box_iou;
mod cross_entropy;
mod dice;
mod focal;
mod mse_loss;

pub use box_iou::{box_iou, complete_box_iou_loss, distance_box_iou_loss, generalised_box_iou_loss};
pub use cross_entropy::{CrossEntropy, cross_entropy};
pub use dice::Dice;
pub use focal::{quality_focal_loss, sigmoid_focal_loss, varifocal_loss};
pub use mse_loss::mse_loss;
