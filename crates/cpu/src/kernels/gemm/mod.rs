//! Matrix products.

pub(crate) mod ahead;
mod bf16_pairs;
mod block;
pub(crate) mod blocking;
mod few_rows;
mod integer;
mod matrix_vector;
pub(crate) mod microkernel;
pub(crate) mod number;
pub(crate) mod pack;
mod partial_sums;
pub(crate) mod product;
pub(crate) mod sequences;
mod small;
pub(crate) mod target;
mod task;
#[cfg(test)]
mod tests;

use gyrus_graph::{DType, bf16, f16};

use self::bf16_pairs::Bf16Product;
use self::blocking::{Blocking, Operands, Sizes};
use self::few_rows::FewRows;
use self::matrix_vector::MatrixVector;
pub use self::microkernel::Addend;
use self::microkernel::Packing;
use self::number::{Number, Stored};
use self::pack::Strided;
use self::small::Small;
use self::target::{Target, write_row};
use crate::isa::Isa;
use crate::kernel::RowsOf;
use crate::pool::{Pool, Scratch, ScratchSize};

/// What is done to each finished region of a contraction's result, while it is in cache.
pub trait Epilogue: Sync {
    /// Works on `rows` rows of `cols` elements each: row `r` begins at element `start + r * row_stride`
    /// of the result. Each element is given once; regions may come at the same time from different
    /// workers.
    fn region(&self, start: usize, rows: usize, row_stride: usize, cols: usize, worker: usize);

    /// The first element, and the size in bytes, of each array beside the result that a region reads or writes at the
    /// region's own places; `None` from their number on.
    fn array(&self, _index: usize) -> Option<(*const u8, usize)> {
        None
    }
}

/// How a matrix, or a batch of them, lies in memory: distances in elements between its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Between matrices of the batch.
    pub batch_stride: isize,
    /// Between rows.
    pub row_stride: isize,
    /// Between columns.
    pub col_stride: isize,
}

impl Operand {
    /// Contiguous matrices of `rows` rows and `cols` columns.
    pub fn contiguous(rows: usize, cols: usize) -> Operand {
        Operand { batch_stride: (rows * cols) as isize, row_stride: cols as isize, col_stride: 1 }
    }

    /// The matrices transposed.
    pub fn transposed(self) -> Operand {
        Operand { row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }
}

/// `c[batch, i, j] = sum over p of a[batch, i, p] * b[batch, p, j]`, or `c + ..` if `accumulate`.
///
/// `f16` and `bf16` are summed in `f32`, integers wrap. The bits of a result depend on the sizes, the strides and
/// the instruction set alone. Where the processor multiplies `bf16` itself, numbers below the smallest normal one count
/// as zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gemm {
    /// How many products.
    pub batch: usize,
    /// Rows of `a` and `c`.
    pub m: usize,
    /// Columns of `b` and `c`.
    pub n: usize,
    /// Columns of `a`, rows of `b`.
    pub k: usize,
    /// `[batch, m, k]`; strides may be 0 or negative.
    pub a: Operand,
    /// `[batch, k, n]`; strides may be 0 or negative.
    pub b: Operand,
    /// `[batch, m, n]`, no element twice.
    pub c: Operand,
    /// Whether to add to what `c` holds.
    pub accumulate: bool,
}

/// How large the rows of the right operand that are read at a time are at most if they are not packed: they stay in the
/// second-level cache, if they are not a multiple of a page apart.
const CACHED_BYTES: usize = 640 << 10;
const PAGE: usize = 4 << 10;

/// How long a column is computed as a row: a panel of one column would be empty but for that.
const LONG_COLUMN: usize = 16;

/// What a product is computed of: the first elements.
#[derive(Clone, Copy)]
pub struct Arguments {
    /// The left operand.
    pub a: *const u8,
    /// The right operand.
    pub b: *const u8,
    /// The right operand as [`CompiledGemm::pack`] has packed it, or null.
    pub packed: *const u8,
    /// What is added to the result before it leaves the registers, if the product [adds](CompiledGemm::adds): matrices of
    /// as many rows and columns as the result, which may be the result itself.
    pub added: [Addend<u8>; 2],
    /// Where the sums of the left operand's rows go, if the product [sums them](CompiledGemm::sums_rows), or null.
    pub row_sums: *mut u8,
    /// The result.
    pub c: *mut u8,
}

impl Arguments {
    /// Two operands and the result alone.
    pub fn new(a: *const u8, b: *const u8, c: *mut u8) -> Arguments {
        let (packed, row_sums) = (std::ptr::null(), std::ptr::null_mut());
        Arguments { a, b, packed, added: [Addend::NOTHING; 2], row_sums, c }
    }
}

/// The operands' first elements.
struct Pointers<T>(*const T, *const T, *mut T);

// SAFETY: tasks write to disjoint elements.
unsafe impl<T> Sync for Pointers<T> {}

impl<T> Pointers<T> {
    fn get(&self) -> (*const T, *const T, *mut T) {
        (self.0, self.1, self.2)
    }
}

/// A product made ready for an element type and an instruction set.
#[derive(Clone, Copy)]
pub struct CompiledGemm {
    gemm: Gemm,
    /// Whether `a` and `b` have changed places.
    is_swapped: bool,
    dtype: DType,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    F32(Blocked<f32>),
    F64(Blocked<f64>),
    Bf16(Bf16Product<bf16>),
    /// Of `f32` that are rounded to `bf16`.
    Rounded(Bf16Product<f32>),
    VectorF32(MatrixVector<f32>),
    VectorF64(MatrixVector<f64>),
    FewF32(FewRows<f32>),
    FewF64(FewRows<f64>),
    SmallF32(Small<f32>),
    SmallF64(Small<f64>),
    Integer,
}

#[derive(Clone, Copy)]
struct Blocked<T> {
    blocking: Blocking<T>,
    packing: Packing<T>,
    is_right_in_place: bool,
}

impl Gemm {
    /// Makes the product ready for elements of a type, on this processor.
    ///
    /// # Panics
    /// If the type is `bool`.
    pub fn compile(&self, dtype: DType) -> CompiledGemm {
        self.compile_for(Isa::get(), dtype)
    }

    /// Makes the product ready for an instruction set that this processor has.
    ///
    /// # Panics
    /// If the type is `bool`.
    pub fn compile_for(&self, isa: Isa, dtype: DType) -> CompiledGemm {
        let (gemm, is_swapped) = self.simplified();
        let special = match dtype {
            DType::F32 => (MatrixVector::new(&gemm, isa).map(Kind::VectorF32))
                .or_else(|| FewRows::new(&gemm, isa).map(Kind::FewF32))
                .or_else(|| Small::new(&gemm, isa).map(Kind::SmallF32)),
            DType::F64 => (MatrixVector::new(&gemm, isa).map(Kind::VectorF64))
                .or_else(|| FewRows::new(&gemm, isa).map(Kind::FewF64))
                .or_else(|| Small::new(&gemm, isa).map(Kind::SmallF64)),
            DType::BF16 => Bf16Product::new(&gemm, isa).map(Kind::Bf16),
            DType::U8 | DType::I32 | DType::I64 => Some(Kind::Integer),
            DType::F16 => None,
            other => panic!("gemm: elements of type {other}, which have no product; convert first"),
        };
        if let Some(kind) = special {
            return CompiledGemm { gemm, is_swapped, dtype, kind };
        }
        let is_long_column = gemm.n == 1 && gemm.m >= LONG_COLUMN && gemm.c.row_stride == 1;
        let (gemm, is_swapped) = if is_long_column { (gemm.swapped(), !is_swapped) } else { (gemm, is_swapped) };
        let kind = match dtype {
            DType::F64 => Kind::F64(gemm.blocked(isa, true)),
            other => Kind::F32(gemm.blocked(isa, other == DType::F32)),
        };
        CompiledGemm { gemm, is_swapped, dtype, kind }
    }

    /// Makes the product ready for elements of type `f32` that may be rounded to `bf16` before they are multiplied, which they
    /// are where this processor gains by that; the result is `f32`.
    pub fn compile_rounded(&self) -> CompiledGemm {
        let isa = Isa::get();
        let rounded = if isa.gains_by_bf16() { self.compile_rounded_for(isa) } else { None };
        rounded.unwrap_or_else(|| self.compile_for(isa, DType::F32))
    }

    /// Makes the product ready for elements that are rounded, if an instruction set of this processor has products of `bf16`.
    pub fn compile_rounded_for(&self, isa: Isa) -> Option<CompiledGemm> {
        let (gemm, is_swapped) = self.simplified();
        let product = Bf16Product::new(&gemm, isa)?;
        Some(CompiledGemm { gemm, is_swapped, dtype: DType::F32, kind: Kind::Rounded(product) })
    }

    /// The same product in the form that is computed best, and whether `a` and `b` have changed places.
    fn simplified(&self) -> (Gemm, bool) {
        let mut gemm = *self;
        let Gemm { batch, m, n, a, b, c, .. } = gemm;
        let is_one_left = a.batch_stride == m as isize * a.row_stride && c.batch_stride == m as isize * c.row_stride;
        if batch > 1 && b.batch_stride == 0 && is_one_left {
            (gemm.batch, gemm.m) = (1, batch * m);
        }
        let is_swapped = n != 1 && c.col_stride != 1 && c.row_stride == 1;
        if n == 1 {
            gemm.c.col_stride = 1;
        } else if is_swapped {
            gemm = gemm.swapped();
        }
        (gemm, is_swapped)
    }

    /// The product of the transposed operands in the other order, with the transposed result.
    fn swapped(self) -> Gemm {
        let Gemm { m, n, a, b, c, .. } = self;
        Gemm { m: n, n: m, a: b.transposed(), b: a.transposed(), c: c.transposed(), ..self }
    }

    /// What blocks are cut by.
    fn sizes(&self, is_computed_type: bool) -> Sizes {
        let Gemm { batch, m, n, k, a, b, c, .. } = *self;
        Sizes {
            batch,
            m,
            n,
            k,
            is_left_shared: batch > 1 && a.batch_stride == 0,
            is_left_transposed: a.row_stride == 1,
            is_right_transposed: b.col_stride != 1,
            is_direct: is_computed_type && c.col_stride == 1,
        }
    }

    fn blocked<T: Number>(&self, isa: Isa, is_computed_type: bool) -> Blocked<T> {
        let Gemm { m, n, k, b, .. } = *self;
        let blocking = Blocking::new(isa, self.sizes(is_computed_type));
        let row_bytes = (b.row_stride * size_of::<T>() as isize).unsigned_abs();
        // A panel that few rows use costs more to pack than it gains. Rows that are a multiple of a page apart evict each
        // other from the cache, if there are many.
        let few = if n * k >= 1 << 20 && row_bytes.is_multiple_of(1024) { 48 } else { 256 };
        let stays_in_cache = blocking.step * row_bytes <= CACHED_BYTES && !row_bytes.is_multiple_of(PAGE);
        let is_right_in_place = is_computed_type && (m <= few || stays_in_cache);
        Blocked { blocking, packing: T::packing(isa), is_right_in_place }
    }
}

impl CompiledGemm {
    /// The working memory it needs.
    pub fn scratch(&self) -> ScratchSize {
        match self.kind {
            Kind::F32(blocked) => blocked.blocking.scratch(),
            Kind::F64(blocked) => blocked.blocking.scratch(),
            Kind::Bf16(product) => product.scratch(),
            Kind::Rounded(product) => product.scratch(),
            Kind::FewF32(product) => product.scratch(),
            Kind::SmallF32(product) => product.scratch(),
            Kind::FewF64(product) => product.scratch(),
            Kind::SmallF64(product) => product.scratch(),
            _ => ScratchSize::default(),
        }
    }

    /// Whether it adds [`Arguments::added`] to the result.
    pub fn adds(&self) -> bool {
        match self.kind {
            Kind::F32(blocked) => self.dtype == DType::F32 && blocked.blocking.adds(),
            Kind::F64(blocked) => blocked.blocking.adds(),
            Kind::Rounded(product) => product.adds(),
            _ => false,
        }
    }

    /// Whether it writes [`Arguments::row_sums`].
    pub fn sums_rows(&self) -> bool {
        let is_plain = !self.is_swapped && !matches!(self.kind, Kind::Rounded(_));
        // Without columns nothing is packed.
        is_plain && self.gemm.n > 0 && self.adds()
    }

    /// Whether tasks are rows of the result, and all is done for each at once.
    fn is_by_rows(&self) -> bool {
        match self.kind {
            Kind::F32(blocked) => blocked.blocking.is_by_rows(),
            Kind::F64(blocked) => blocked.blocking.is_by_rows(),
            Kind::Bf16(product) => product.is_by_rows(),
            Kind::Rounded(product) => product.is_by_rows(),
            _ => false,
        }
    }

    /// Rows of `len` elements that are `stride` apart, if tasks have their own ones.
    fn rows(&self, stride: isize, len: usize) -> Option<RowsOf> {
        let size = self.dtype.size();
        let stride = usize::try_from(stride).ok().filter(|_| self.is_by_rows())?;
        Some(RowsOf { count: self.gemm.m, stride: stride * size, len: len * size })
    }

    /// The rows of operand `a` (0) or `b` (1), if each task reads its own ones.
    pub(crate) fn rows_read(&self, operand: usize) -> Option<RowsOf> {
        let Gemm { a, k, .. } = self.gemm;
        let is_left = operand == usize::from(self.is_swapped);
        if is_left && a.col_stride == 1 { self.rows(a.row_stride, k) } else { None }
    }

    /// The same for what is added.
    pub(crate) fn rows_beside(&self, row_stride: isize) -> Option<RowsOf> {
        self.rows(row_stride, self.gemm.n)
    }

    /// The same for the result.
    pub(crate) fn rows_written(&self) -> Option<RowsOf> {
        let Gemm { c, n, .. } = self.gemm;
        if c.col_stride == 1 { self.rows(c.row_stride, n) } else { None }
    }

    /// The same for the sums of the left operand's rows.
    pub(crate) fn rows_of_sums(&self) -> Option<RowsOf> {
        self.rows(1, 1)
    }

    /// How many bytes the packed right operand takes, if it can be packed once for many products, and the name of its form:
    /// products for which it is the same can share it.
    pub fn packed(&self) -> Option<(usize, String)> {
        let Gemm { b, n, k, .. } = self.gemm;
        let (bytes, form) = match self.kind {
            _ if self.is_swapped => return None,
            Kind::F32(blocked) if self.dtype == DType::F32 && blocked.packs(&self.gemm) => {
                (blocked.blocking.packed_bytes()?, blocked.blocking.packed_form("f32"))
            }
            Kind::F64(blocked) if blocked.packs(&self.gemm) => {
                (blocked.blocking.packed_bytes()?, blocked.blocking.packed_form("f64"))
            }
            Kind::Bf16(product) => product.packed("bf16")?,
            Kind::Rounded(product) => product.packed("f32 as bf16")?,
            _ => return None,
        };
        (bytes > 0).then(|| (bytes, format!("{form} of {n} {k} {b:?}")))
    }

    /// Packs the right operand for [`Arguments::packed`].
    ///
    /// # Safety
    /// `b` is as the [`Gemm`] states, and there is room for what [`CompiledGemm::packed`] says at `to`.
    pub unsafe fn pack(&self, b: *const u8, to: *mut u8, pool: &Pool) {
        let gemm = &self.gemm;
        // SAFETY: as the caller vouches.
        unsafe {
            match self.kind {
                Kind::F32(blocked) => blocked.blocking.pack_right(&blocked.right::<f32>(gemm, b), to.cast(), pool),
                Kind::F64(blocked) => blocked.blocking.pack_right(&blocked.right::<f64>(gemm, b), to.cast(), pool),
                Kind::Bf16(product) => product.pack(gemm, b, to, pool),
                Kind::Rounded(product) => product.pack(gemm, b, to, pool),
                _ => unreachable!("nothing is packed"),
            }
        }
    }

    /// Computes the product. Where `c` is contiguous, `epilogue` is called once for each finished element.
    ///
    /// # Safety
    /// The arguments are as the [`Gemm`] and [`Arguments`] state, `c` overlaps neither `a` nor `b`, and the scratch memory is
    /// of the size that [`CompiledGemm::scratch`] says.
    pub unsafe fn run(&self, arguments: &Arguments, scratch: &Scratch, pool: &Pool, epilogue: Option<&dyn Epilogue>) {
        let Arguments { a, b, c, added, row_sums, .. } = *arguments;
        debug_assert!(self.adds() || added.iter().all(|added| added.from.is_null()), "what would not be added");
        debug_assert!(self.sums_rows() || row_sums.is_null(), "what would not be summed");
        let gemm = &self.gemm;
        let Gemm { batch, m, n, .. } = *gemm;
        let (a, b) = if self.is_swapped { (b, a) } else { (a, b) };
        let arguments = &Arguments { a, b, ..*arguments };
        // A vector is a part of a row or of a column, which are neighbouring elements both.
        let finished = |batch: usize, first: usize, len: usize, worker: usize| {
            if let Some(epilogue) = epilogue {
                epilogue.region(batch * m * n + first, 1, len, len, worker);
            }
        };
        let region = |start: usize, rows: usize, row_stride: usize, cols: usize, worker: usize| {
            if let Some(epilogue) = epilogue {
                epilogue.region(start, rows, row_stride, cols, worker);
            }
        };
        // SAFETY: as the caller vouches; the elements are of the type.
        unsafe {
            match (self.kind, self.dtype) {
                (Kind::F32(blocked), DType::F16) => blocked.run::<f16, f16>(gemm, arguments, scratch, pool, epilogue),
                (Kind::F32(blocked), DType::BF16) => {
                    blocked.run::<bf16, bf16>(gemm, arguments, scratch, pool, epilogue)
                }
                (Kind::F32(blocked), _) => blocked.run::<f32, f32>(gemm, arguments, scratch, pool, epilogue),
                (Kind::F64(blocked), _) => blocked.run::<f64, f64>(gemm, arguments, scratch, pool, epilogue),
                (Kind::Bf16(product), _) => product.run(gemm, arguments, scratch, pool, epilogue),
                (Kind::Rounded(product), _) => product.run(gemm, arguments, scratch, pool, epilogue),
                (Kind::VectorF32(product), _) => product.run(a.cast(), b.cast(), c.cast(), pool, &finished),
                (Kind::VectorF64(product), _) => product.run(a.cast(), b.cast(), c.cast(), pool, &finished),
                (Kind::FewF32(product), _) => product.run(a.cast(), b.cast(), c.cast(), scratch, pool, &region),
                (Kind::SmallF32(product), _) => product.run(a.cast(), b.cast(), c.cast(), scratch, pool, &region),
                (Kind::FewF64(product), _) => product.run(a.cast(), b.cast(), c.cast(), scratch, pool, &region),
                (Kind::SmallF64(product), _) => product.run(a.cast(), b.cast(), c.cast(), scratch, pool, &region),
                (Kind::Integer, dtype) => {
                    match dtype {
                        DType::U8 => integer::run::<u8>(gemm, a, b, c, pool),
                        DType::I32 => integer::run::<i32>(gemm, a, b, c, pool),
                        _ => integer::run::<i64>(gemm, a, b, c, pool),
                    }
                    if let Some(epilogue) = epilogue {
                        pool.run(1, &|_, worker| epilogue.region(0, batch * m, n, n, worker));
                    }
                }
            }
        }
    }
}

impl<T: Number> Blocked<T> {
    fn right<S: Stored<T>>(&self, gemm: &Gemm, b: *const u8) -> Strided<S, T> {
        Strided::columns(b.cast(), gemm.b, self.packing, self.is_right_in_place)
    }

    /// Whether the right operand is packed at all.
    fn packs(&self, gemm: &Gemm) -> bool {
        !self.is_right_in_place || gemm.b.col_stride != 1
    }

    /// Of operands of type `S` and a result of type `R`.
    unsafe fn run<S: Stored<T>, R: Stored<T>>(
        &self,
        gemm: &Gemm,
        arguments: &Arguments,
        scratch: &Scratch,
        pool: &Pool,
        epilogue: Option<&dyn Epilogue>,
    ) {
        let Operand { batch_stride, row_stride, col_stride } = gemm.c;
        let (a, b) = (Strided::rows(arguments.a.cast::<S>(), gemm.a, self.packing), self.right::<S>(gemm, arguments.b));
        let target = Target {
            c: arguments.c,
            batch_stride,
            row_stride,
            col_stride,
            accumulate: gemm.accumulate,
            write: write_row::<R, T>,
            element_size: size_of::<R>(),
        };
        let (added, packed) = (arguments.added.map(Addend::cast), arguments.packed.cast());
        let row_sums = arguments.row_sums.cast();
        let operands = Operands { packed, added, row_sums, ..Operands::new(&a, &b, target, epilogue, 0) };
        let shared = scratch.shared(self.blocking.scratch().shared / size_of::<T>());
        // SAFETY: as the caller vouches.
        unsafe { self.blocking.run(&operands, shared, scratch, pool) }
    }
}
