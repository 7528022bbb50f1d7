//! Loads that gather, repeat or widen.

use gyrus_graph::{DType, bf16, f16};

use crate::isa::Isa;
use crate::math::{MulAdd, Multiversion, version_up_to_avx2};

/// Rows of elements to bring together at `dst`.
#[derive(Clone, Copy)]
pub(in super::super) struct Strided {
    pub(in super::super) dst: *mut u8,
    /// The start of the array; unused for counts.
    pub(in super::super) base: *const u8,
    /// The first element.
    pub(in super::super) offset: isize,
    pub(in super::super) rows: usize,
    pub(in super::super) row_stride: isize,
    pub(in super::super) columns: usize,
    pub(in super::super) stride: isize,
}

/// Where a load's elements come from.
trait Source: 'static {
    type Lane: Copy;
    /// # Safety
    /// `place` is within the array.
    unsafe fn at(base: *const u8, place: isize) -> Self::Lane;
}

macro_rules! sources {
    ($($name:ident $lane:ident |$base:ident, $place:ident| $element:expr;)*) => {$(
        struct $name;
        impl Source for $name {
            type Lane = $lane;
            #[inline(always)]
            unsafe fn at($base: *const u8, $place: isize) -> $lane {
                // SAFETY: the caller vouches for the place.
                #[allow(unused_unsafe, reason = "counts read no memory")]
                unsafe { $element }
            }
        }
    )*};
}

sources! {
    Bytes u8 |base, place| *base.offset(place);
    Words u32 |base, place| *base.cast::<u32>().offset(place);
    Longs u64 |base, place| *base.cast::<u64>().offset(place);
    Halves f32 |base, place| (*base.cast::<f16>().offset(place)).to_f32();
    Brains f32 |base, place| f32::from_bits((*base.cast::<u16>().offset(place) as u32) << 16);
    CountTruth u8 |_base, place| (place != 0) as u8;
    CountBytes u8 |_base, place| place as u8;
    CountWords i32 |_base, place| place as i32;
    CountLongs i64 |_base, place| place as i64;
    CountHalves f32 |_base, place| f16::from_f64(place as f64).to_f32();
    CountBrains f32 |_base, place| bf16::from_f64(place as f64).to_f32();
    CountSingles f32 |_base, place| place as f32;
    CountDoubles f64 |_base, place| place as f64;
}

struct Gather<S>(std::marker::PhantomData<S>);

impl<S: Source> Multiversion for Gather<S> {
    type Arguments = Strided;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(load: Strided) {
        let Strided { dst, base, offset, rows, row_stride, columns, stride } = load;
        let dst = dst.cast::<S::Lane>();
        // SAFETY: the caller vouches for the places read, and `dst` for `rows * columns` elements.
        unsafe {
            // Apart, because the compiler makes vectors of what it knows the lengths of.
            match (stride, columns) {
                (0, 2) => return repeat::<S, 2>(load),
                (0, 3) => return repeat::<S, 3>(load),
                (0, 4) => return repeat::<S, 4>(load),
                _ => {}
            }
            for row in 0..rows {
                let dst = dst.add(row * columns);
                let start = offset + row as isize * row_stride;
                match stride {
                    0 => {
                        let element = S::at(base, start);
                        for column in 0..columns {
                            *dst.add(column) = element;
                        }
                    }
                    1 => {
                        for column in 0..columns {
                            *dst.add(column) = S::at(base, start + column as isize);
                        }
                    }
                    // Apart, because the compiler then makes vectors and reverses them.
                    -1 => {
                        for column in 0..columns {
                            *dst.add(column) = S::at(base, start - column as isize);
                        }
                    }
                    _ => {
                        for column in 0..columns {
                            *dst.add(column) = S::at(base, start + column as isize * stride);
                        }
                    }
                }
            }
        }
    }
}

/// Repeats the element of each row.
///
/// # Safety
/// As [`Gather`].
#[inline(always)]
unsafe fn repeat<S: Source, const COLUMNS: usize>(load: Strided) {
    let Strided { dst, base, offset, rows, row_stride, .. } = load;
    let dst = dst.cast::<[S::Lane; COLUMNS]>();
    // SAFETY: as the caller vouches.
    unsafe {
        if row_stride == 1 {
            for row in 0..rows {
                *dst.add(row) = [S::at(base, offset + row as isize); COLUMNS];
            }
            return;
        }
        for row in 0..rows {
            *dst.add(row) = [S::at(base, offset + row as isize * row_stride); COLUMNS];
        }
    }
}

/// # Safety
/// As [`Gather`].
unsafe fn load_f16(load: Strided) {
    use half::slice::HalfFloatSliceExt;
    if load.stride != 1 {
        // SAFETY: as the caller vouches.
        return unsafe { Gather::<Halves>::run::<crate::math::version::Baseline>(load) };
    }
    for row in 0..load.rows {
        // SAFETY: the caller vouches for each row, and for as many elements at `dst`.
        unsafe {
            let start = load.base.cast::<f16>().offset(load.offset + row as isize * load.row_stride);
            let dst = load.dst.cast::<f32>().add(row * load.columns);
            let row = std::slice::from_raw_parts(start, load.columns);
            row.convert_to_f32_slice(std::slice::from_raw_parts_mut(dst, load.columns));
        }
    }
}

/// The loop that loads elements of `dtype`, or counts in that type, into registers.
///
/// # Safety
/// Calling the result is sound where all places are within the array, and `dst` is valid for as many
/// elements, and apart from it.
pub(in super::super) fn load(dtype: DType, is_count: bool, isa: Isa) -> unsafe fn(Strided) {
    match (dtype, is_count) {
        (DType::F16, false) => load_f16,
        (DType::BF16, false) => version_up_to_avx2::<Gather<Brains>>(isa),
        (_, false) => match dtype.size() {
            1 => version_up_to_avx2::<Gather<Bytes>>(isa),
            4 => version_up_to_avx2::<Gather<Words>>(isa),
            _ => version_up_to_avx2::<Gather<Longs>>(isa),
        },
        (DType::Bool, true) => version_up_to_avx2::<Gather<CountTruth>>(isa),
        (DType::U8, true) => version_up_to_avx2::<Gather<CountBytes>>(isa),
        (DType::I32, true) => version_up_to_avx2::<Gather<CountWords>>(isa),
        (DType::I64, true) => version_up_to_avx2::<Gather<CountLongs>>(isa),
        (DType::F16, true) => version_up_to_avx2::<Gather<CountHalves>>(isa),
        (DType::BF16, true) => version_up_to_avx2::<Gather<CountBrains>>(isa),
        (DType::F32, true) => version_up_to_avx2::<Gather<CountSingles>>(isa),
        (_, true) => version_up_to_avx2::<Gather<CountDoubles>>(isa),
    }
}
