//! Fused element-wise passes: a program of element-wise operations, interpreted over blocks that stay in
//! the first-level cache.
//!
//! [`Program::compile`] merges axes ([`layout`]), makes one step of neighbours where there is a loop for them
//! ([`join`]), chooses a loop for each step ([`lower`], [`functions`]) and gives the blocks between them their
//! places in scratch memory ([`memory`]); [`CompiledProgram`] runs them ([`run`]).

mod epilogue;
mod functions;
mod join;
mod layout;
mod lower;
mod memory;
mod program;
#[cfg(test)]
pub(crate) mod reference;
mod run;
#[cfg(test)]
mod tests;

pub use epilogue::BoundProgram;
pub use program::{Instruction, Operand, Program, Register};
pub use run::{CompiledProgram, Places};
