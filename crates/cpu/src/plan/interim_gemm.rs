//! (to be replaced)
use gyrus_graph::{DType, Element};
use crate::kernels::gemm::Epilogue;
use crate::pool::{Pool, Scratch, ScratchSize};
pub(super) struct Operand { pub batch_stride: isize, pub row_stride: isize, pub col_stride: isize }
pub(super) struct Gemm { pub batch: usize, pub m: usize, pub n: usize, pub k: usize, pub a: Operand, pub b: Operand, pub c: Operand, pub accumulate: bool }
pub(super) struct CompiledGemm { g: Gemm, dtype: DType }
impl Gemm { pub(super) fn compile(self, dtype: DType) -> CompiledGemm { CompiledGemm { g: self, dtype } } }
impl CompiledGemm {
    pub(super) fn scratch(&self) -> ScratchSize { ScratchSize::default() }
    pub(super) unsafe fn run(&self, a: *const u8, b: *const u8, c: *mut u8, _: &Scratch, _: &Pool, e: Option<&dyn Epilogue>) {
        // SAFETY: interim
        unsafe { match self.dtype {
            DType::F64 => self.go::<f64>(a, b, c), DType::F32 => self.go::<f32>(a, b, c),
            DType::BF16 => self.go::<gyrus_graph::bf16>(a, b, c), DType::F16 => self.go::<gyrus_graph::f16>(a, b, c),
            DType::I64 => self.go::<i64>(a, b, c), DType::I32 => self.go::<i32>(a, b, c), _ => self.go::<u8>(a, b, c) } }
        if let Some(e) = e { e.region(0, 1, self.g.batch * self.g.m * self.g.n, self.g.batch * self.g.m * self.g.n, 0) }
    }
    unsafe fn go<T: Element>(&self, a: *const u8, b: *const u8, c: *mut u8) {
        let (a, b, c, g) = (a.cast::<T>(), b.cast::<T>(), c.cast::<T>(), &self.g);
        for t in 0..g.batch as isize { for i in 0..g.m as isize { for j in 0..g.n as isize {
            let mut s = 0.0;
            // SAFETY: interim
            unsafe {
            for p in 0..g.k as isize { s += (*a.offset(t*g.a.batch_stride + i*g.a.row_stride + p*g.a.col_stride)).to_f64() * (*b.offset(t*g.b.batch_stride + p*g.b.row_stride + j*g.b.col_stride)).to_f64(); }
            *c.offset(t*g.c.batch_stride + i*g.c.row_stride + j) = T::from_f64(s); }
        }}}
    }
}
