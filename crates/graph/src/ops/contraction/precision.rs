//! How exactly products are computed.

/// What happens to the operands of a sum of products, if they are of type `f32`; results and sums are `f32` in any
/// case, other types are not affected. Gradients of a product are computed as it is.
///
/// # Source
/// StableHLO's precisions; in PyTorch `set_float32_matmul_precision("highest" | "high")` and automatic mixed precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    /// They stay what they are.
    #[default]
    Full,
    /// They may lose all but 10 bits of their fractions, a relative error of up to 2^-11 in each, on a device that has units
    /// for such products: NVIDIA's GPUs, some ten times as fast as `Full` there. Others compute as exactly or more so; the
    /// CPU as `Full`.
    Tf32,
    /// They are rounded to `bf16`, the nearest, ties to even, on a device that multiplies such numbers faster, in half the
    /// time or less; others compute as exactly or more so. A relative error of up to 2^-8 in each operand. A faster method may
    /// round what it multiplies instead, as Winograd's does for convolutions by three by three places: its results err by
    /// 1.1 %, of the root mean square of all, where those of rounded operands do by 0.24 %. Accelerators round results of
    /// convolutions and their gradients to `bf16` as well.
    Bf16,
}

impl Precision {
    /// All, from the most exact one on.
    pub const ALL: [Precision; 3] = [Precision::Full, Precision::Tf32, Precision::Bf16];

    /// `full`, `tf32` or `bf16`.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Full => "full",
            Precision::Tf32 => "tf32",
            Precision::Bf16 => "bf16",
        }
    }

    /// The precision of a name.
    pub fn named(name: &str) -> Option<Precision> {
        Precision::ALL.into_iter().find(|precision| precision.name() == name)
    }
}
