//! What moves a window over an operand: pooling.

pub(crate) mod channels_last;
mod element;
mod phases;
mod places;
pub mod reduce_window;
pub mod reduce_window_select;
pub mod reduce_window_select_grad;
pub mod reduce_window_sum_grad;
mod selection;
#[cfg(test)]
mod tests;
mod tiles;
#[cfg(target_arch = "x86_64")]
mod tiles_avx512;
