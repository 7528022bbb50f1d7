//! The innermost loops: one generic loop over vectors, and the vectors of each instruction set.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod batch_reduce;
#[cfg(target_arch = "x86_64")]
mod bf16_pairs;
mod dot_tiles;
mod group_reduce;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod round_pairs;
mod row_sums;
mod strip;
mod tile;

use std::arch::asm;
use std::array::from_fn;

pub(crate) use batch_reduce::{BatchReduce, BatchReduceKernel, Piece};
use gyrus_graph::bf16;

pub(crate) use dot_tiles::DotTiles;
pub(crate) use group_reduce::GROUP_DEPTHS;
pub(crate) use round_pairs::RoundArguments;
pub(crate) use row_sums::RowSums;
pub(crate) use strip::Strip;
pub use tile::Addend;
pub(crate) use tile::{MicroKernel, Panel, Successors};

use super::number::{Number, VectorLoop};
use super::pack::Pack;
pub(super) use super::pack::PackArguments;
use super::target::Row;
use crate::isa::Isa;
use crate::kernels::cache_line::{LINE, prefetch};
#[cfg(target_arch = "x86_64")]
use crate::math::version_with_bf16;
use crate::math::{MulAdd, Multiversion};

/// The most lanes of a vector.
pub(crate) const MAX_LANES: usize = 16;

/// How many depths before they are multiplied the right operand's are asked for. It comes from the second-level cache, which
/// not all processors read ahead of so few bytes at a time.
const DEPTHS_AHEAD: usize = 16;

/// Asks for vectors of the right operand that will be multiplied soon: of the depth so far after one.
#[inline(always)]
fn ask_ahead<V: Vector, const VECTORS: usize>(b: *const V::Element, b_stride: usize) {
    let coming = b.wrapping_add(DEPTHS_AHEAD * b_stride);
    for element in (0..VECTORS * V::LANES).step_by(LINE / size_of::<V::Element>()) {
        prefetch(coming.wrapping_add(element));
    }
}

/// The same address, which the compiler takes for another one: what is read through both is read twice.
#[inline(always)]
#[allow(clippy::pointers_in_nomem_asm_block, reason = "nothing is read through it")]
fn read_again<T>(address: *const T) -> *const T {
    let mut again = address;
    // SAFETY: no instruction.
    unsafe { asm!("/* {} */", inout(reg) again, options(pure, nomem, nostack, preserves_flags)) };
    again
}

/// How many rows of a depth are read again for the second of two vectors, where instructions multiply by what they read: two
/// instructions instead of three. Where a core's other thread is busy, there is hardly time to decode as many as are
/// multiplied. Processors read as many numbers at a time as they multiply vectors: there is time left for all rows but those
/// five, in place of which the two vectors are read and what comes next is asked for.
const fn rows_read_twice<V: Vector>(rows: usize, vectors: usize) -> usize {
    if V::MULTIPLIES_BY_MEMORY && vectors == 2 { rows.saturating_sub(5) } else { 0 }
}

/// Neighbouring numbers in one register. All functions must be called on processors that have the
/// instruction set only.
pub(crate) trait Vector: Copy + Send + Sync + 'static {
    /// Of what.
    type Element: Number;
    /// Of how many.
    const LANES: usize;
    /// Whether one instruction multiplies by the same number in all lanes, which it reads.
    const MULTIPLIES_BY_MEMORY: bool = false;

    /// The same number in all lanes.
    unsafe fn splat(value: Self::Element) -> Self;
    /// Reads all lanes.
    unsafe fn load(from: *const Self::Element) -> Self;
    /// Reads the first lanes; the others are 0.
    unsafe fn load_first(from: *const Self::Element, count: usize) -> Self;
    /// Writes all lanes.
    unsafe fn store(self, to: *mut Self::Element);
    /// Writes all lanes, which are an aligned line of the cache, around it, where the processor can.
    #[inline(always)]
    unsafe fn store_around(self, to: *mut Self::Element) {
        // SAFETY: as the caller vouches.
        unsafe { self.store(to) }
    }
    /// Writes the first lanes.
    unsafe fn store_first(self, to: *mut Self::Element, count: usize);
    /// `self * b + c`.
    unsafe fn mul_add<M: MulAdd>(self, b: Self, c: Self) -> Self;
    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;

    /// A loop over such vectors, compiled for the instruction set that has them.
    fn version<K: Multiversion>() -> unsafe fn(K::Arguments);

    /// In each lane the number that was in another one, of which `lanes` points to the index.
    #[inline(always)]
    unsafe fn permute(self, lanes: *const u32) -> Self {
        let mut numbers = [Self::Element::default(); MAX_LANES];
        // SAFETY: no vector has more lanes; as the caller vouches, there is an index for each.
        unsafe {
            self.store(numbers.as_mut_ptr());
            let permuted: [_; MAX_LANES] =
                from_fn(|lane| if lane < Self::LANES { numbers[*lanes.add(lane) as usize] } else { numbers[0] });
            Self::load(permuted.as_ptr())
        }
    }

    /// Two vectors as one of pairs of neighbours, first those of `self`, rounded to `bf16`. Only vectors of processors
    /// that multiply pairs have them.
    #[inline(always)]
    unsafe fn neighbours(self, _next: Self) -> Self {
        unreachable!("no pairs are multiplied with these vectors")
    }
    /// The same of pairs of one number of each.
    #[inline(always)]
    unsafe fn abreast(self, _other: Self) -> Self {
        unreachable!("no pairs are multiplied with these vectors")
    }

    /// Writes `rows` rows of `cols` elements, neither more than there are lanes, as columns: element `r` of
    /// row `c` of the result is element `c` of the row that begins at `from(r)`.
    #[inline(always)]
    unsafe fn transpose(
        from: impl Fn(usize) -> *const Self::Element,
        rows: usize,
        cols: usize,
        to: *mut Self::Element,
        to_stride: usize,
    ) {
        for row in 0..rows {
            let from = from(row);
            for col in 0..cols {
                // SAFETY: as the caller vouches, the element lies within both.
                unsafe { *to.add(col * to_stride + row) = *from.add(col) }
            }
        }
    }
}

/// The loops that pack operands of a type's own elements.
pub(crate) type Packing<T> = unsafe fn(PackArguments<T>);

/// The loops of products of `bf16` that are summed in `f32`: on pairs of neighbouring depths, each in the place of one
/// `f32`. Operands are of type `S`.
#[derive(Clone, Copy)]
pub(crate) struct PairLoops<S> {
    /// Multiplies packed pairs.
    pub(crate) kernel: MicroKernel<f32>,
    /// Packs pairs that lie as such in memory.
    pub(crate) packing: Packing<f32>,
    /// Packs lines of which neighbours lie together.
    pub(crate) interleaving: Packing<S>,
    /// Brings elements of a line together.
    pub(crate) gathering: unsafe fn(Gather<S>),
    /// Writes sums as elements, if there is a special loop.
    pub(crate) writing: Option<unsafe fn(Row<f32>)>,
}

/// Elements of a line that become neighbours, as `bf16`.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only instructions on pairs need them"))]
pub(crate) struct Gather<S> {
    /// The first one.
    pub(crate) from: *const S,
    /// Distance between them.
    pub(crate) along: isize,
    /// How many there are.
    pub(crate) count: usize,
    /// Where they go.
    pub(crate) to: *mut bf16,
}

/// A type of which pairs are multiplied as `bf16`.
pub(crate) trait PairOf: Copy + Send + Sync + 'static {
    /// Whether it is `bf16`.
    const IS_BF16: bool;
    /// The loops for a result of so many rows, on a processor that has such products.
    #[cfg(target_arch = "x86_64")]
    fn pair_loops(isa: Isa, rows: usize) -> PairLoops<Self>;
}

impl<S: PairOf> PairLoops<S> {
    /// Those for a result of so many rows, if this processor has such products.
    pub(crate) fn new(isa: Isa, rows: usize) -> Option<PairLoops<S>> {
        if !isa.has_bf16_products() {
            return None;
        }
        #[cfg(target_arch = "x86_64")]
        return Some(S::pair_loops(isa, rows));
        #[cfg(not(target_arch = "x86_64"))]
        unreachable!("no other architecture has them, {isa:?}, {rows} rows");
    }
}

impl PairOf for bf16 {
    const IS_BF16: bool = true;
    #[cfg(target_arch = "x86_64")]
    fn pair_loops(isa: Isa, rows: usize) -> PairLoops<bf16> {
        PairLoops {
            kernel: tile::microkernel::<bf16_pairs::PairsX16, true>(rows),
            packing: f32::packing(isa),
            interleaving: version_with_bf16::<bf16_pairs::Interleave>(),
            gathering: version_with_bf16::<bf16_pairs::GatherElements>(),
            writing: Some(version_with_bf16::<bf16_pairs::Round>()),
        }
    }
}

impl PairOf for f32 {
    const IS_BF16: bool = false;
    #[cfg(target_arch = "x86_64")]
    fn pair_loops(isa: Isa, rows: usize) -> PairLoops<f32> {
        PairLoops {
            kernel: tile::microkernel::<bf16_pairs::PairsX16, true>(rows),
            packing: f32::packing(isa),
            interleaving: version_with_bf16::<bf16_pairs::RoundAndInterleave>(),
            gathering: version_with_bf16::<bf16_pairs::RoundElements>(),
            writing: None,
        }
    }
}

/// The loops of sums over pieces of products of `bf16`: on pairs of neighbouring depths, each in the place of one `f32`.
#[derive(Clone, Copy)]
pub(crate) struct PairReduceLoops {
    /// Multiplies pairs.
    pub(crate) kernel: BatchReduceKernel<f32>,
    /// Makes them.
    pub(crate) pairing: unsafe fn(RoundArguments),
}

impl PairReduceLoops {
    /// Those of this processor, if it has such products.
    pub(crate) fn new(isa: Isa) -> Option<PairReduceLoops> {
        if !isa.has_bf16_products() {
            return None;
        }
        #[cfg(target_arch = "x86_64")]
        return Some(PairReduceLoops {
            kernel: batch_reduce::kernel::<bf16_pairs::PairsX16, true>(),
            pairing: version_with_bf16::<round_pairs::RoundPairs>(),
        });
        #[cfg(not(target_arch = "x86_64"))]
        unreachable!("no other architecture has them, {isa:?}");
    }

    /// A loop over vectors that become pairs.
    pub(crate) fn vectorised<L: VectorLoop<f32>>(self) -> unsafe fn(L::Arguments) {
        #[cfg(target_arch = "x86_64")]
        return version_with_bf16::<L::Of<avx512::F32x16>>();
        #[cfg(not(target_arch = "x86_64"))]
        unreachable!("no other architecture has them");
    }
}

macro_rules! dispatch {
    ($isa:expr, $avx512:ty, $avx2:ty, $neon:ty, $portable:ty, $V:ident, $HIGH:ident => $body:expr) => {
        match $isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                type $V = $avx512;
                const $HIGH: bool = true;
                $body
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                type $V = $avx2;
                const $HIGH: bool = false;
                $body
            }
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => {
                type $V = $neon;
                const $HIGH: bool = true;
                $body
            }
            _ => {
                type $V = $portable;
                const $HIGH: bool = false;
                $body
            }
        }
    };
}

/// Evaluates an expression with `$V` standing for the vectors of `f32` of an instruction set, and `$HIGH` for
/// whether it has 32 registers.
macro_rules! with_f32_vectors {
    ($isa:expr, $V:ident, $HIGH:ident => $body:expr) => {
        dispatch!($isa, avx512::F32x16, avx2::F32x8, neon::F32x4, portable::Lanes<f32, 4>, $V, $HIGH => $body)
    };
}

/// As [`with_f32_vectors`], of `f64`.
macro_rules! with_f64_vectors {
    ($isa:expr, $V:ident, $HIGH:ident => $body:expr) => {
        dispatch!($isa, avx512::F64x8, avx2::F64x4, neon::F64x2, portable::Lanes<f64, 2>, $V, $HIGH => $body)
    };
}

macro_rules! number {
    ($type:ty, $mul_add:ident, $with:ident) => {
        impl Number for $type {
            #[inline(always)]
            fn mul_add<M: MulAdd>(self, b: Self, c: Self) -> Self {
                M::$mul_add(self, b, c)
            }
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self + other
            }
            fn microkernel(isa: Isa, rows: usize) -> MicroKernel<Self> {
                $with!(isa, V, HIGH => tile::microkernel::<V, HIGH>(rows))
            }
            fn batch_reduce(isa: Isa) -> BatchReduceKernel<Self> {
                $with!(isa, V, HIGH => batch_reduce::kernel::<V, HIGH>())
            }
            fn group_reduce(isa: Isa) -> BatchReduceKernel<Self> {
                $with!(isa, V, HIGH => group_reduce::kernel::<V, HIGH>())
            }
            fn packing(isa: Isa) -> Packing<Self> {
                $with!(isa, V, _HIGH => V::version::<Pack<V>>())
            }
            fn strips(isa: Isa) -> [unsafe fn(Strip<Self>); 2] {
                $with!(isa, V, _HIGH => [V::version::<strip::Dots<V>>(), V::version::<strip::Sums<V>>()])
            }
            fn dot_tiles(isa: Isa) -> unsafe fn(DotTiles<Self>) {
                $with!(isa, V, HIGH => V::version::<dot_tiles::Dots<V, { if HIGH { 4 } else { 2 } }>>())
            }
            fn lanes(isa: Isa) -> usize {
                $with!(isa, V, _HIGH => V::LANES)
            }
            fn vectorised<L: VectorLoop<Self>>(isa: Isa) -> unsafe fn(L::Arguments) {
                $with!(isa, V, _HIGH => V::version::<L::Of<V>>())
            }
        }
    };
}

number!(f32, mul_add, with_f32_vectors);
number!(f64, mul_add_f64, with_f64_vectors);
