//! Tiles of a product, kept in registers while they are summed.

use std::marker::PhantomData;

use super::row_sums::{RowSums, SumRows};
use super::{Vector, ask_ahead, read_again, rows_read_twice};
use crate::kernels::cache_line::{LINE, prefetch_far};
use crate::kernels::gemm::ahead::Asked;
use crate::math::{MulAdd, Multiversion};

/// How many depths before they are packed in the place of tiles the left operand's are asked for once more: lines a power of two
/// apart push each other out of the cache.
const SUCCESSORS_AHEAD: usize = 32;

/// Some rows of a result, times one panel of the right operand.
#[derive(Clone, Copy)]
pub(crate) struct Panel<T> {
    /// Over how many places is summed.
    pub(crate) depth: usize,
    /// Packed tiles of the left operand, each `[depth, a_depth]`, of which the first rows are read.
    pub(crate) a: *const T,
    /// Distance between their depths.
    pub(crate) a_depth: usize,
    /// Distance between them.
    pub(crate) a_stride: usize,
    /// `depth` rows of the right operand.
    pub(crate) b: *const T,
    /// Distance between them.
    pub(crate) b_stride: usize,
    /// How many panels there are, of neighbouring columns: several are all whole.
    pub(crate) num_panels: usize,
    /// Distance between them.
    pub(crate) b_panel: usize,
    /// The result.
    pub(crate) c: *mut T,
    /// Distance between its rows.
    pub(crate) c_stride: isize,
    /// How many rows it has; those of the last tile may be fewer.
    pub(crate) rows: usize,
    /// How many columns of a panel, at most its width.
    pub(crate) cols: usize,
    /// What is added to the sums, in this order.
    pub(crate) added: [Addend<T>; 2],
    /// What will be read later, asked for one line after another.
    pub(crate) ahead: *mut Asked,
    /// What takes the tiles' place.
    pub(crate) successors: Successors<T>,
}

/// Rows of the left operand that are packed in the place of tiles while these are multiplied for the last time.
#[derive(Clone, Copy)]
pub(crate) struct Successors<T> {
    /// The first depth of the first row; rows are neighbours, and depths as many as those of the tiles.
    pub(crate) from: *const T,
    /// Distance between depths.
    pub(crate) stride: usize,
    /// How many there are, all of whole tiles; whole vectors can be read of the last one.
    pub(crate) rows: usize,
}

impl<T> Successors<T> {
    /// Nothing does.
    pub(crate) const NONE: Self = Successors { from: std::ptr::null(), stride: 0, rows: 0 };

    /// Those of the tiles after some rows.
    pub(crate) fn after(self, rows: usize) -> Self {
        Successors { from: self.from.wrapping_add(rows), rows: self.rows.saturating_sub(rows), ..self }
    }
}

/// A matrix that is added to a result, or nothing.
#[derive(Clone, Copy, Debug)]
pub struct Addend<T> {
    /// The element that is added to the first one; those of a row are neighbours.
    pub from: *const T,
    /// Distance between rows: 0 for one that is added to all.
    pub row_stride: isize,
}

impl<T: Copy> Addend<T> {
    /// Adds nothing.
    pub const NOTHING: Addend<T> = Addend { from: std::ptr::null(), row_stride: 0 };

    /// Of elements of another type.
    pub(crate) fn cast<U>(self) -> Addend<U> {
        Addend { from: self.from.cast(), row_stride: self.row_stride }
    }

    /// What is added from a place on.
    pub(crate) fn at(self, row: usize, column: usize) -> Addend<T> {
        let place = row as isize * self.row_stride + column as isize;
        if self.from.is_null() { self } else { Addend { from: self.from.wrapping_offset(place), ..self } }
    }
}

/// The loops over panels, for tiles of one height.
#[derive(Clone, Copy)]
pub(crate) struct MicroKernel<T> {
    /// Rows of a tile.
    pub(crate) height: usize,
    /// Columns of a panel: two vectors.
    pub(crate) width: usize,
    whole_tiles: OfHeight<T>,
    last_tile: OfHeight<T>,
    row_sums: unsafe fn(RowSums<T>),
}

/// The loops for whole panels, for those of fewer columns, and for those of at most a vector of them.
type OfHeight<T> = [unsafe fn(Panel<T>); 3];

impl<T: Copy> MicroKernel<T> {
    /// How many lines ahead a tile of a whole panel asks for; of others at least as many.
    pub(crate) fn most_ahead(&self, depth: usize) -> usize {
        depth.saturating_sub(2 * self.height)
    }

    /// How many rows are loaded to pack a tile's where they are neighbours: whole vectors.
    pub(crate) fn rows_loaded(&self) -> usize {
        self.height.next_multiple_of(self.width / 2)
    }

    /// Sums the rows of a packed tile.
    ///
    /// # Safety
    /// The pointers are valid for the sizes; the tile is followed by as many elements as a panel.
    pub(crate) unsafe fn sum_rows(&self, sums: RowSums<T>) {
        // SAFETY: as the caller vouches; the function is compiled for this processor.
        unsafe { (self.row_sums)(sums) }
    }

    /// Computes panels. Their rows end with a whole tile, or with the result's last row.
    ///
    /// # Safety
    /// The pointers are valid for the sizes, of `b` for the whole width.
    #[inline]
    pub(crate) unsafe fn run(&self, panel: Panel<T>) {
        let missing = usize::from(panel.cols < self.width) + usize::from(panel.cols * 2 <= self.width);
        let (tiles, last_rows) = (panel.rows / self.height, panel.rows % self.height);
        let rows = tiles * self.height;
        // SAFETY: as the caller vouches; the functions are compiled for this processor.
        unsafe {
            if tiles > 0 {
                self.whole_tiles[missing](Panel { rows, ..panel });
            }
            if last_rows > 0 {
                self.last_tile[missing](Panel {
                    a: panel.a.wrapping_add(tiles * panel.a_stride),
                    c: panel.c.wrapping_offset(rows as isize * panel.c_stride),
                    rows: last_rows,
                    added: panel.added.map(|added| added.at(rows, 0)),
                    successors: Successors::NONE,
                    ..panel
                });
            }
        }
    }
}

/// The one whose tiles divide `rows` rows most evenly. With 16 registers tiles are of up to 6 rows, with 32
/// (`HIGH`) of up to 14: as many as leave room for two vectors of `b` and one of `a`.
pub(super) fn microkernel<V: Vector, const HIGH: bool>(rows: usize) -> MicroKernel<V::Element> {
    let highest = if HIGH { 14 } else { 6 };
    let height = rows.div_ceil(rows.div_ceil(highest).max(1)).max(1);
    macro_rules! of_heights {
        ($($height:literal)*) => {
            |height| match height {
                $($height => of_height::<V, $height>(),)*
                other => unreachable!("no tile is of {other} rows"),
            }
        };
    }
    let of_height: fn(usize) -> OfHeight<V::Element> =
        if HIGH { of_heights!(1 2 3 4 5 6 7 8 9 10 11 12 13 14) } else { of_heights!(1 2 3 4 5 6) };
    let last = (rows % height).max(1);
    MicroKernel {
        height,
        width: 2 * V::LANES,
        whole_tiles: of_height(height),
        last_tile: of_height(last),
        row_sums: V::version::<SumRows<V>>(),
    }
}

fn of_height<V: Vector, const HEIGHT: usize>() -> OfHeight<V::Element> {
    [
        V::version::<Tiles<V, HEIGHT, 2, false>>(),
        V::version::<Tiles<V, HEIGHT, 2, true>>(),
        V::version::<Tiles<V, HEIGHT, 1, true>>(),
    ]
}

/// Whole tiles of `HEIGHT` rows and `VECTORS` vectors, the last vector perhaps not whole.
struct Tiles<V, const HEIGHT: usize, const VECTORS: usize, const PARTIAL: bool>(PhantomData<V>);

impl<V: Vector, const HEIGHT: usize, const VECTORS: usize, const PARTIAL: bool> Multiversion
    for Tiles<V, HEIGHT, VECTORS, PARTIAL>
{
    type Arguments = Panel<V::Element>;

    #[inline(always)]
    unsafe fn run<M: MulAdd>(mut panel: Panel<V::Element>) {
        let successors = panel.successors;
        for left in (0..panel.num_panels).rev() {
            panel.successors = if left == 0 { successors } else { Successors::NONE };
            // SAFETY: as the caller vouches.
            unsafe { Self::panel::<M>(&panel) }
            let width = VECTORS * V::LANES;
            panel.b = panel.b.wrapping_add(panel.b_panel);
            panel.c = panel.c.wrapping_add(width);
            panel.added = panel.added.map(|added| added.at(0, width));
        }
    }
}

impl<V: Vector, const HEIGHT: usize, const VECTORS: usize, const PARTIAL: bool> Tiles<V, HEIGHT, VECTORS, PARTIAL> {
    /// How many of a depth's rows are read twice.
    const READ_TWICE: usize = rows_read_twice::<V>(HEIGHT, VECTORS);

    /// # Safety
    /// As [`MicroKernel::run`]; called on a processor with the instruction set.
    #[inline(always)]
    unsafe fn panel<M: MulAdd>(panel: &Panel<V::Element>) {
        let (mut a, mut c, mut row) = (panel.a, panel.c, 0);
        while row < panel.rows {
            let next = c.wrapping_offset(panel.c_stride * HEIGHT as isize);
            // By the time that the tile is summed, the next one's part of the result is in the cache: that below, or
            // that of the next panel.
            let coming = if row + HEIGHT < panel.rows { next } else { panel.c.wrapping_add(VECTORS * V::LANES) };
            // SAFETY: as the caller vouches: the tile lies within the panel.
            unsafe { Self::tile::<M>(panel, row, a, c, coming) }
            a = a.wrapping_add(panel.a_stride);
            c = next;
            row += HEIGHT;
        }
    }

    /// # Safety
    /// As [`MicroKernel::run`]; called on a processor with the instruction set.
    #[inline(always)]
    unsafe fn tile<M: MulAdd>(
        panel: &Panel<V::Element>,
        row: usize,
        tile: *const V::Element,
        c: *mut V::Element,
        coming: *const V::Element,
    ) {
        let last = panel.cols.wrapping_sub((VECTORS - 1) * V::LANES);
        // SAFETY: as the caller vouches: vectors are whole, or only the first `last` lanes of the last one are
        // read from `c` and written.
        unsafe {
            let mut sums = [[V::splat(V::Element::default()); VECTORS]; HEIGHT];
            let (mut a, mut b) = (tile, panel.b);
            // No closure: one that is called in several places may not be inlined, and then is not compiled for the
            // instruction set.
            macro_rules! add_products {
                () => {
                    ask_ahead::<V, VECTORS>(b, panel.b_stride);
                    Self::add_products::<M>(&mut sums, a, b);
                    a = a.wrapping_add(panel.a_depth);
                    b = b.wrapping_add(panel.b_stride);
                };
            }
            // One line with each depth: behind more at once would wait what is read for the products.
            for line in 0..HEIGHT * VECTORS {
                let row = coming.wrapping_offset((line / VECTORS) as isize * panel.c_stride);
                prefetch_far(row.wrapping_add(line % VECTORS * V::LANES));
                if line < panel.depth {
                    add_products!();
                }
            }
            let mut left = panel.depth.saturating_sub(HEIGHT * VECTORS);
            if row < panel.successors.rows {
                // So far behind what is multiplied that the vectors, which are longer than a tile is high, write over
                // nothing that is still to come.
                let (mut from, mut to) = (panel.successors.from.add(row), tile.cast_mut());
                for depth in 0..panel.depth {
                    if depth < left {
                        add_products!();
                    }
                    let coming = from.wrapping_add(SUCCESSORS_AHEAD * panel.successors.stride);
                    [0, HEIGHT - 1].into_iter().for_each(|at| prefetch_far(coming.wrapping_add(at)));
                    for at in (0..HEIGHT).step_by(V::LANES) {
                        V::load(from.add(at)).store(to.add(at));
                    }
                    (from, to) = (from.wrapping_add(panel.successors.stride), to.add(HEIGHT));
                }
                left = 0;
            }
            loop {
                let (line, count) = (*panel.ahead).take(left);
                if count == 0 {
                    break;
                }
                for index in 0..count {
                    prefetch_far(line.wrapping_add(index * LINE));
                    add_products!();
                }
                left -= count;
            }
            for _ in 0..left {
                add_products!();
            }
            for added in panel.added.iter().filter(|added| !added.from.is_null()) {
                let from = added.at(row, 0).from;
                for (row, sums) in sums.iter_mut().enumerate() {
                    let from = from.offset(row as isize * added.row_stride);
                    for (index, sum) in sums.iter_mut().enumerate() {
                        let from = from.add(index * V::LANES);
                        let is_begun = PARTIAL && index == VECTORS - 1;
                        *sum = sum.add(if is_begun { V::load_first(from, last) } else { V::load(from) });
                    }
                }
            }
            for (row, sums) in sums.iter().enumerate() {
                let c = c.offset(row as isize * panel.c_stride);
                for (index, sum) in sums.iter().enumerate() {
                    let c = c.add(index * V::LANES);
                    if PARTIAL && index == VECTORS - 1 { sum.store_first(c, last) } else { sum.store(c) }
                }
            }
        }
    }

    /// Adds the products of one depth.
    ///
    /// # Safety
    /// As [`MicroKernel::run`]; called on a processor with the instruction set.
    #[inline(always)]
    unsafe fn add_products<M: MulAdd>(sums: &mut [[V; VECTORS]; HEIGHT], a: *const V::Element, b: *const V::Element) {
        // SAFETY: as the caller vouches.
        unsafe {
            let mut vectors = [V::splat(V::Element::default()); VECTORS];
            for (index, vector) in vectors.iter_mut().enumerate() {
                *vector = V::load(b.add(index * V::LANES));
            }
            let again = if Self::READ_TWICE > 0 { read_again(a) } else { a };
            for (row, sums) in sums.iter_mut().enumerate() {
                let is_read_twice = (row + 1) * Self::READ_TWICE % HEIGHT < Self::READ_TWICE;
                let a = [a, if is_read_twice { again } else { a }];
                for (index, (sum, vector)) in sums.iter_mut().zip(vectors).enumerate() {
                    *sum = V::splat(*a[index % 2].add(row)).mul_add::<M>(vector, *sum);
                }
            }
        }
    }
}
