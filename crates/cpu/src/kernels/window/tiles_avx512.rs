//! Windows of two by two over `f32`, side by side, in vectors of 512 bits.

use std::arch::x86_64::*;

use super::tiles::Planes;

/// The elements of sixteen tiles: upper left, upper right, lower left, lower right.
type Tiles = [__m512; 4];

/// Reads the first `count` of sixteen tiles from their two rows.
///
/// # Safety
/// The processor has AVX-512 F, and the rows have `2 * count` elements.
#[target_feature(enable = "avx512f")]
unsafe fn load(upper: *const f32, lower: *const f32, count: usize) -> Tiles {
    let mask = mask(count);
    let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    let odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    // SAFETY: as the caller vouches; lanes beyond the elements are not read.
    let row = |row: *const f32| unsafe {
        let first = _mm512_maskz_loadu_ps(mask as u16, row);
        let second = _mm512_maskz_loadu_ps((mask >> 16) as u16, row.wrapping_add(16));
        [_mm512_permutex2var_ps(first, even, second), _mm512_permutex2var_ps(first, odd, second)]
    };
    let ([a, b], [c, d]) = (row(upper), row(lower));
    [a, b, c, d]
}

/// Of the elements of `count` tiles in a row.
fn mask(count: usize) -> u32 {
    if count >= 16 { u32::MAX } else { (1 << (2 * count)) - 1 }
}

/// The greater if `MAX`, else the lesser; NaN if one is.
#[target_feature(enable = "avx512f")]
fn first<const MAX: bool>(a: __m512, b: __m512) -> __m512 {
    // Of a NaN and a number the instructions give the second.
    let number = if MAX { _mm512_max_ps(a, b) } else { _mm512_min_ps(a, b) };
    _mm512_mask_mov_ps(number, _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a), a)
}

/// Calls `run(upper, lower, y, count)` for the tiles of all planes: where the elements of up to sixteen are in
/// planes of `x`'s size, and where they are in those of `y`'s.
#[inline(always)]
fn for_each(planes: &Planes<f32>, mut run: impl FnMut(usize, usize, usize, usize)) {
    let (rows, columns) = (planes.height / 2, planes.width / 2);
    for index in 0..planes.count * rows {
        let upper = (index / rows * planes.height + 2 * (index % rows)) * planes.width;
        for at in (0..columns).step_by(16) {
            run(upper + 2 * at, upper + planes.width + 2 * at, index * columns + at, 16.min(columns - at));
        }
    }
}

/// The extremum of each tile.
///
/// # Safety
/// The processor has AVX-512 F, and the planes have the stated sizes.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn extrema<const MAX: bool>(planes: Planes<f32>) {
    for_each(&planes, |upper, lower, y, count| {
        // SAFETY: as the caller vouches.
        unsafe {
            let [a, b, c, d] = load(planes.x.add(upper), planes.x.add(lower), count);
            let result = first::<MAX>(first::<MAX>(a, b), first::<MAX>(c, d));
            _mm512_mask_storeu_ps(planes.y.add(y), ((1u32 << count) - 1) as u16, result);
        }
    });
}

/// Gives each tile's cotangent to the first element that is its extremum, and 0 to the others.
///
/// # Safety
/// As [`extrema`].
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn extrema_grad<const MAX: bool>(planes: Planes<f32>) {
    let Planes { count, height, width, dx, .. } = planes;
    for plane in 0..if width % 2 == 1 || height % 2 == 1 { count } else { 0 } {
        // SAFETY: the plane lies within `dx`.
        let dx = unsafe { std::slice::from_raw_parts_mut(dx.add(plane * height * width), height * width) };
        dx[height / 2 * 2 * width..].fill(0.0);
        dx.chunks_exact_mut(width).for_each(|row| row[width / 2 * 2..].fill(0.0));
    }
    let first_half = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let second_half = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    for_each(&planes, |upper, lower, y, count| {
        // SAFETY: as the caller vouches; lanes beyond the elements are neither read nor written.
        unsafe {
            let tiles = load(planes.x.add(upper), planes.x.add(lower), count);
            let dy = _mm512_maskz_loadu_ps(((1u32 << count) - 1) as u16, planes.y.add(y));
            let [a, b, c, d] = tiles;
            let extremum = first::<MAX>(first::<MAX>(a, b), first::<MAX>(c, d));
            let mut left = u16::MAX;
            let given = tiles.map(|x| {
                // If there is a NaN, the first of them is meant, and no number equals it.
                let is_extremum =
                    _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(x, extremum) | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
                let is_first = is_extremum & left;
                left &= !is_extremum;
                _mm512_maskz_mov_ps(is_first, dy)
            });
            let mask = mask(count);
            for (row, [even, odd]) in [(upper, [given[0], given[1]]), (lower, [given[2], given[3]])] {
                let to = dx.add(row);
                _mm512_mask_storeu_ps(to, mask as u16, _mm512_permutex2var_ps(even, first_half, odd));
                let rest = _mm512_permutex2var_ps(even, second_half, odd);
                _mm512_mask_storeu_ps(to.wrapping_add(16), (mask >> 16) as u16, rest);
            }
        }
    });
}
