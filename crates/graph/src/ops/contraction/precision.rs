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
    /// numbers, and a relative error of up to 2^-8 in each operand. A faster method may round what it multiplies instead,
    /// as Winograd's does for convolutions by three by three places: its results err by 1.1 %, of the root mean square of
    /// all, where those of rounded operands do by 0.24 %.
    Bf16,
}
