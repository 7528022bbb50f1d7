//! Loops that combine a block's elements into sums ("sum" stands for the result of any reduction).

use std::marker::PhantomData;

use gyrus_graph::ops::reduction::Reduction;
use gyrus_graph::{DType, bf16, f16};

use crate::isa::Isa;
use crate::math::{MulAdd, Multiversion, version, version_up_to_avx2};

/// Elements are combined in so many lanes.
const LANES: usize = 32;

/// Rows of a few lanes are combined in so many.
const FEW_LANES: usize = 8;

/// Rows of elements, and where their sums are: one wide sum for each row, or one of the elements' own
/// type for each column.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub(super) rows: usize,
    pub(super) len: usize,
    pub(super) src: *const u8,
    pub(super) sums: *mut u8,
}

/// The loops of one reduction of one element type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Combiner {
    /// Bytes per element of a block.
    pub(super) size: usize,
    /// The sum of nothing.
    pub(super) identity: u64,
    pub(super) rows: unsafe fn(Piece),
    pub(super) columns: unsafe fn(Piece),
    /// Begins as many sums of columns with those of nothing.
    pub(super) begin: unsafe fn(*mut u8, usize),
    /// Combines the sums that `columns` made into wide ones.
    pub(super) flush: unsafe fn(Piece),
    join: fn(u64, u64) -> u64,
    /// Whether sums are `f64`; otherwise they are `i64`.
    is_real: bool,
}

/// A type of a block's elements.
trait Lane: Copy + PartialOrd + 'static {
    /// The type of sums.
    type Sum: Lane;
    const ZERO: Self;
    const ONE: Self;
    const LOWEST: Self;
    const HIGHEST: Self;
    fn add(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn is_nan(self) -> bool;
    fn widen(self) -> Self::Sum;
    fn to_bits(self) -> u64;
    fn from_bits(bits: u64) -> Self;
}

macro_rules! lane {
    ($type:ident, $sum:ident, $low:expr, $high:expr, |$a:ident, $b:ident| $add:expr, $mul:expr, nan $nan:expr,
     $to:expr, $from:expr) => {
        impl Lane for $type {
            type Sum = $sum;
            const ZERO: Self = 0 as $type;
            const ONE: Self = 1 as $type;
            const LOWEST: Self = $low;
            const HIGHEST: Self = $high;
            #[inline(always)]
            fn add(self, $b: Self) -> Self {
                let $a = self;
                $add
            }
            #[inline(always)]
            fn mul(self, $b: Self) -> Self {
                let $a = self;
                $mul
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $nan(self)
            }
            #[inline(always)]
            fn widen(self) -> $sum {
                self as $sum
            }
            #[inline(always)]
            fn to_bits(self) -> u64 {
                $to(self)
            }
            #[inline(always)]
            fn from_bits(bits: u64) -> Self {
                $from(bits)
            }
        }
    };
}

const INFINITY: f64 = f64::INFINITY;
lane!(f64, f64, -INFINITY, INFINITY, |a, b| a + b, a * b, nan f64::is_nan, f64::to_bits, f64::from_bits);
lane!(f32, f64, -f32::INFINITY, f32::INFINITY, |a, b| a + b, a * b, nan f32::is_nan, |x| f64::to_bits(x as f64), |x| {
    f64::from_bits(x) as f32
});
lane!(u8, i64, 0, u8::MAX, |a, b| a.wrapping_add(b), a.wrapping_mul(b), nan | _ | false, |x| x as u64, |x| x as u8);
lane!(
    i32,
    i64,
    i32::MIN,
    i32::MAX,
    |a, b| a.wrapping_add(b),
    a.wrapping_mul(b),
    nan | _ | false,
    |x| x as i64 as u64,
    |x| { x as i32 }
);
lane!(i64, i64, i64::MIN, i64::MAX, |a, b| a.wrapping_add(b), a.wrapping_mul(b), nan | _ | false, |x| x as u64, |x| {
    x as i64
});

/// A way to combine.
trait Rule: 'static {
    fn identity<T: Lane>() -> T;
    fn combine<T: Lane>(a: T, b: T) -> T;
}

macro_rules! rules {
    ($($name:ident $identity:ident |$a:ident, $b:ident| $body:expr;)*) => {$(
        struct $name;
        impl Rule for $name {
            #[inline(always)]
            fn identity<T: Lane>() -> T { T::$identity }
            #[inline(always)]
            fn combine<T: Lane>($a: T, $b: T) -> T { $body }
        }
    )*};
}

rules! {
    Sum ZERO |a, b| a.add(b);
    Product ONE |a, b| a.mul(b);
    Max LOWEST |a, b| if a > b || a.is_nan() { a } else { b };
    Min HIGHEST |a, b| if a < b || a.is_nan() { a } else { b };
}

/// One sum for each row.
struct Rows<T, R>(PhantomData<(T, R)>);

impl<T: Lane, R: Rule> Multiversion for Rows<T, R> {
    type Arguments = Piece;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(piece: Piece) {
        let Piece { rows, len, src, sums } = piece;
        for row in 0..rows {
            // SAFETY: the caller vouches for `rows * len` elements and `rows` sums.
            unsafe {
                let elements = std::slice::from_raw_parts(src.cast::<T>().add(row * len), len);
                let sum = sums.cast::<T::Sum>().add(row);
                *sum = R::combine(*sum, row_sum::<T, R>(elements).widen());
            }
        }
    }
}

/// The sum of a row: many lanes, joined in halves.
#[inline(always)]
fn row_sum<T: Lane, R: Rule>(elements: &[T]) -> T {
    if elements.len() < FEW_LANES {
        return elements.iter().fold(R::identity::<T>(), |sum, &x| R::combine(sum, x));
    }
    let mut chunks = elements.chunks_exact(LANES);
    let mut few = [R::identity::<T>(); FEW_LANES];
    if elements.len() >= LANES {
        let mut lanes = [R::identity::<T>(); LANES];
        for chunk in &mut chunks {
            for lane in 0..LANES {
                lanes[lane] = R::combine(lanes[lane], chunk[lane]);
            }
        }
        for lane in 0..FEW_LANES {
            let (ab, cd) = (
                R::combine(lanes[lane], lanes[lane + FEW_LANES]),
                R::combine(lanes[lane + 2 * FEW_LANES], lanes[lane + 3 * FEW_LANES]),
            );
            few[lane] = R::combine(ab, cd);
        }
    }
    let mut chunks = chunks.remainder().chunks_exact(FEW_LANES);
    for chunk in &mut chunks {
        for lane in 0..FEW_LANES {
            few[lane] = R::combine(few[lane], chunk[lane]);
        }
    }
    let rest = chunks.remainder().iter().fold(R::identity::<T>(), |sum, &x| R::combine(sum, x));
    let pair = |lane: usize| R::combine(few[lane], few[lane + 4]);
    R::combine(R::combine(R::combine(pair(0), pair(2)), R::combine(pair(1), pair(3))), rest)
}

/// One sum for each column.
struct Columns<T, R>(PhantomData<(T, R)>);

impl<T: Lane, R: Rule> Multiversion for Columns<T, R> {
    type Arguments = Piece;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(piece: Piece) {
        let Piece { rows, len, src, sums } = piece;
        let (src, sums) = (src.cast::<T>(), sums.cast::<T>());
        // SAFETY: the caller vouches for `rows * len` elements and `len` sums.
        unsafe {
            if rows == 1 {
                for column in 0..len {
                    *sums.add(column) = R::combine(*sums.add(column), *src.add(column));
                }
                return;
            }
            for column in (0..len).step_by(LANES) {
                let (src, sums) = (src.add(column), sums.add(column));
                if len - column >= LANES {
                    columns::<T, R>(rows, len, src, LANES, sums);
                } else {
                    columns::<T, R>(rows, len, src, len - column, sums);
                }
            }
        }
    }
}

/// Combines `width` columns, at most [`LANES`], of `rows` rows that are `stride` apart.
///
/// # Safety
/// The elements and `width` sums are there.
#[inline(always)]
unsafe fn columns<T: Lane, R: Rule>(rows: usize, stride: usize, src: *const T, width: usize, sums: *mut T) {
    let mut lanes = [R::identity::<T>(); LANES];
    // SAFETY: as the caller vouches.
    unsafe {
        for row in 0..rows {
            let src = src.add(row * stride);
            for (lane, sum) in lanes[..width].iter_mut().enumerate() {
                *sum = R::combine(*sum, *src.add(lane));
            }
        }
        for (lane, &sum) in lanes[..width].iter().enumerate() {
            let to = sums.add(lane);
            *to = R::combine(*to, sum);
        }
    }
}

/// Combines as many sums of the elements' own type at `src` as `len` says into wide ones, and begins them
/// anew.
struct Flush<T, R>(PhantomData<(T, R)>);

impl<T: Lane, R: Rule> Multiversion for Flush<T, R> {
    type Arguments = Piece;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(piece: Piece) {
        let (narrow, wide) = (piece.src.cast_mut().cast::<T>(), piece.sums.cast::<T::Sum>());
        for index in 0..piece.len {
            // SAFETY: the caller vouches for `len` sums at both places.
            unsafe {
                *wide.add(index) = R::combine(*wide.add(index), (*narrow.add(index)).widen());
                *narrow.add(index) = R::identity();
            }
        }
    }
}

impl Combiner {
    /// The loops for registers of an element type.
    pub(super) fn new(reduction: Reduction, dtype: DType, isa: Isa) -> Combiner {
        match reduction {
            Reduction::Sum => Combiner::of::<Sum>(dtype, isa),
            Reduction::Product => Combiner::of::<Product>(dtype, isa),
            Reduction::Max | Reduction::Or => Combiner::of::<Max>(dtype, isa),
            Reduction::Min | Reduction::And => Combiner::of::<Min>(dtype, isa),
        }
    }

    fn of<R: Rule>(dtype: DType, isa: Isa) -> Combiner {
        fn join<S: Lane, R: Rule>(a: u64, b: u64) -> u64 {
            R::combine(S::from_bits(a), S::from_bits(b)).to_bits()
        }
        /// # Safety
        /// There is room for `count` sums.
        unsafe fn begin<T: Lane, R: Rule>(sums: *mut u8, count: usize) {
            for index in 0..count {
                // SAFETY: as the caller vouches.
                unsafe { sums.cast::<T>().add(index).write(R::identity()) }
            }
        }
        fn lane<T: Lane, R: Rule>(isa: Isa, is_real: bool) -> Combiner {
            Combiner {
                size: size_of::<T>(),
                identity: R::identity::<T::Sum>().to_bits(),
                rows: version_up_to_avx2::<Rows<T, R>>(isa),
                columns: version_up_to_avx2::<Columns<T, R>>(isa),
                flush: version_up_to_avx2::<Flush<T, R>>(isa),
                begin: begin::<T, R>,
                join: join::<T::Sum, R>,
                is_real,
            }
        }
        match dtype {
            DType::Bool | DType::U8 => lane::<u8, R>(isa, false),
            DType::I32 => lane::<i32, R>(isa, false),
            DType::I64 => lane::<i64, R>(isa, false),
            DType::F64 => lane::<f64, R>(isa, true),
            _ => Combiner {
                rows: version::<Rows<f32, R>>(isa),
                columns: version::<Columns<f32, R>>(isa),
                flush: version::<Flush<f32, R>>(isa),
                ..lane::<f32, R>(isa, true)
            },
        }
    }

    /// Combines `count` sums at `other` into those at `sums`.
    ///
    /// # Safety
    /// There are as many at both places.
    pub(super) unsafe fn join(&self, sums: *mut u64, other: *const u64, count: usize) {
        for index in 0..count {
            // SAFETY: as the caller vouches.
            unsafe { *sums.add(index) = (self.join)(*sums.add(index), *other.add(index)) }
        }
    }

    /// Writes `count` sums as elements of `dtype`.
    ///
    /// # Safety
    /// There are as many sums, and there is room for as many elements.
    pub(super) unsafe fn write(&self, sums: *const u64, count: usize, dst: *mut u8, dtype: DType) {
        macro_rules! write {
            ($($variant:ident $type:ty, |$real:ident| $of_real:expr, |$whole:ident| $of_whole:expr;)*) => {
                match dtype {
                    $(DType::$variant => for index in 0..count {
                        // SAFETY: as the caller vouches.
                        unsafe {
                            let sum = *sums.add(index);
                            let element: $type = if self.is_real {
                                let $real = f64::from_bits(sum);
                                $of_real
                            } else {
                                let $whole = sum as i64;
                                $of_whole
                            };
                            *dst.cast::<$type>().add(index) = element;
                        }
                    },)*
                    other => unreachable!("{other}: not an element type of the CPU"),
                }
            };
        }
        write! {
            Bool u8, |x| (x != 0.0) as u8, |x| (x != 0) as u8;
            U8 u8, |x| x as u8, |x| x as u8;
            I32 i32, |x| x as i32, |x| x as i32;
            I64 i64, |x| x as i64, |x| x;
            F16 f16, |x| f16::from_f64(x), |x| f16::from_f64(x as f64);
            BF16 bf16, |x| bf16::from_f64(x), |x| bf16::from_f64(x as f64);
            F32 f32, |x| x as f32, |x| x as f32;
            F64 f64, |x| x, |x| x as f64;
        }
    }
}
