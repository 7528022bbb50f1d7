//! How exactly products are computed.

/// What happens to the operands of a sum of products, if they are of type `f32`; results and sums are `f32` in any
/// case, other types are not affected. Gradients of a product are computed as it is.
///
/// # Source
/// StableHLO's dot algorithms; the same as PyTorch's `set_float32_matmul_precision("medium")` and JAX's
/// `default_matmul_precision("bfloat16")`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// They stay what they are.
    #[default]
    Full,
    /// They are rounded to `bf16`, the nearest, ties to even: half the time on processors that multiply such
    /// numbers, and a relative error of up to 2^-8 in each operand. Where a method that does not round is faster still,
    /// it may take its place: results are at least as exact as those of rounded operands.
    Bf16,
}
