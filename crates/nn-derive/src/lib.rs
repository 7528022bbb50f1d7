//! `#[derive(Module)]`: walks through the tensors of a struct or enum.
//!
//! The generated code names the trait as `::gyrus::Module`, which every user of `gyrus` has. A crate that
//! knows it by another name says so, `#[module(crate = "engine")]`, or gives it that one at its root:
//! `extern crate engine as gyrus;`.

mod attributes;
mod expand;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `Module` for a struct or enum: a walk visits the fields in their order, each under its name.
///
/// * The fields of a tuple struct are named by their index; one that is the only field has no name, so that
///   a newtype looks like what it holds.
/// * Of an enum, the fields of the active variant are visited, as if it were a struct.
/// * A field marked `#[module(skip)]` is left out.
/// * Each type parameter of which a visited field is made must be a `Module` itself.
///
/// ```ignore
/// use gyrus::prelude::*;
///
/// #[derive(Module)]
/// struct Classifier {
///     hidden: Linear,
///     output: Linear,
///     #[module(skip)]
///     activation: fn(&Tensor) -> Tensor,
/// }
/// ```
#[proc_macro_derive(Module, attributes(module))]
pub fn derive_module(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::module(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
