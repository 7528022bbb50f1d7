//! Random numbers that are functions of a key: no state, the same for any number of threads.

pub mod random_bits;

mod normal;
mod uniform;

pub use random_bits::RandomBits;

use super::{Operation, Vjp};
