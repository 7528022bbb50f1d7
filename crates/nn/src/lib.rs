//! Neural networks: layers, their initial weights, losses.
//!
//! A [`Layer`] is a [`Module`], a tree of named tensors, with a [`forward`](Layer::forward) pass. Models are
//! structs of layers that derive [`Module`], or [`Sequential`](layers::Sequential).
//!
//! ```
//! use gyrus_nn::layers::{Activation, Linear, Sequential};
//! use gyrus_nn::{Context, Layer, Module};
//! use gyrus_tensor::{Rng, Tensor};
//!
//! let mut rng = Rng::new(0);
//! let model = Sequential::new()
//!     .push(Linear::new(4, 8, &mut rng))
//!     .push(Activation::Relu)
//!     .push(Linear::new(8, 3, &mut rng));
//! let logits = model.forward(&Tensor::from_slice([1, 4], &[0.1f32, 0.2, 0.3, 0.4]), &mut Context::evaluate());
//! assert_eq!(logits.shape()[..], [1, 3]);
//! assert_eq!(model.num_parameters(), 4 * 8 + 8 + 8 * 3 + 3);
//! ```

extern crate self as gyrus;

mod context;
pub mod init;
mod layer;
pub mod layers;
pub mod losses;
mod stop_gradient;

pub use context::Context;
pub use gyrus_nn_derive::Module;
pub use gyrus_tensor::{Buffer, Kind, Module, Path, Tensor};
pub use layer::Layer;
pub use stop_gradient::stop_gradient;
