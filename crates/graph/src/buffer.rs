//! Host memory that holds a computed value.

mod large;
mod slab;

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

use crate::{DType, bf16, f16};

/// A Rust type that is the element type of tensors.
pub trait Element: Copy + Send + Sync + fmt::Debug + PartialEq + PartialOrd + Default + 'static {
    /// The element type's run-time name.
    const DTYPE: DType;
    /// The element whose bytes are the low bytes of `bits`.
    fn from_le_bits(bits: u64) -> Self;
    /// The nearest element to a real number.
    fn from_f64(value: f64) -> Self;
    /// The nearest `f64`.
    fn to_f64(self) -> f64;
}

macro_rules! element {
    ($($type:ty, $dtype:ident, |$bits:ident| $from_bits:expr, |$real:ident| $from:expr, |$value:ident| $to:expr;)*) => {$(
        impl Element for $type {
            const DTYPE: DType = DType::$dtype;
            fn from_le_bits($bits: u64) -> Self { $from_bits }
            fn from_f64($real: f64) -> Self { $from }
            fn to_f64(self) -> f64 { let $value = self; $to }
        }
    )*};
}

element! {
    bool, Bool, |b| b != 0, |v| v != 0.0, |v| v as u8 as f64;
    u8, U8, |b| b as u8, |v| v as u8, |v| v as f64;
    i32, I32, |b| b as u32 as i32, |v| v as i32, |v| v as f64;
    i64, I64, |b| b as i64, |v| v as i64, |v| v as f64;
    f16, F16, |b| f16::from_bits(b as u16), |v| f16::from_f64(v), |v| v.to_f64();
    bf16, BF16, |b| bf16::from_bits(b as u16), |v| bf16::from_f64(v), |v| v.to_f64();
    f32, F32, |b| f32::from_bits(b as u32), |v| v as f32, |v| v as f64;
    f64, F64, |b| f64::from_bits(b), |v| v, |v| v;
}

/// Every buffer starts at a multiple of this: a cache line, and a vector of AVX-512.
pub(crate) const ALIGNMENT: usize = 64;

/// The size of the pages that large buffers ask for: the processor remembers few pages' addresses, and each page
/// that is touched first costs the system's attention.
const HUGE_PAGE: usize = 2 << 20;
/// From which size on buffers ask for huge pages of their own.
const LARGE: usize = 2 * HUGE_PAGE;
/// From which size on they share some.
const MEDIUM: usize = 64 << 10;

struct Memory {
    start: NonNull<u8>,
    len: usize,
    /// What it is a piece of, if it is large.
    large: Option<large::Piece>,
}

impl Memory {
    fn layout(len: usize) -> Layout {
        Layout::from_size_align(len.max(1), ALIGNMENT).expect("buffer: size overflows the address space")
    }

    /// Memory of so many bytes, and whether they are zero; else anything may be in it.
    fn new(len: usize) -> (Memory, bool) {
        let found = match len {
            // SAFETY: the layout's size is at least one.
            ..MEDIUM => NonNull::new(unsafe { alloc_zeroed(Memory::layout(len)) }).map(|start| (start, None, true)),
            MEDIUM..LARGE => slab::take(len).map(|start| (start, None, false)),
            _ => large::take(len).map(|(piece, is_zero)| (piece.start, Some(piece), is_zero)),
        };
        let (start, large, is_zero) = found.unwrap_or_else(|| handle_alloc_error(Memory::layout(len)));
        (Memory { start, len, large }, is_zero)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the memory was taken from there for so many bytes, and is given back once.
        unsafe {
            match (self.large, self.len) {
                (Some(piece), _) => large::give_back(piece),
                (None, MEDIUM..) => slab::give_back(self.start, self.len),
                (None, len) => dealloc(self.start.as_ptr(), Memory::layout(len)),
            }
        }
    }
}

// SAFETY: the memory is owned, and written only through exclusive access (`Buffer::bytes_mut`).
unsafe impl Send for Memory {}
// SAFETY: as above; shared access only reads.
unsafe impl Sync for Memory {}

/// A shared, aligned block of host memory. Cloning shares it; writing needs to be its only holder.
#[derive(Clone)]
pub struct Buffer(Arc<Memory>);

impl Buffer {
    /// `len` zero bytes.
    pub fn zeroed(len: usize) -> Self {
        let (memory, is_zero) = Memory::new(len);
        if !is_zero {
            // SAFETY: `len` bytes are there to be written.
            unsafe { memory.start.write_bytes(0, len) }
        }
        Buffer(Arc::new(memory))
    }

    /// `len` bytes, in which anything may be: for what is written as a whole before it is read.
    pub fn unset(len: usize) -> Self {
        Buffer(Arc::new(Memory::new(len).0))
    }

    /// A copy of `elements`.
    pub fn from_elements<T: Element>(elements: &[T]) -> Self {
        let mut buffer = Buffer::unset(size_of_val(elements));
        buffer.elements_mut::<T>().expect("a new buffer has one holder").copy_from_slice(elements);
        buffer
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// The first byte's address, for kernels.
    pub fn as_ptr(&self) -> *const u8 {
        self.0.start.as_ptr()
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `start` points to `len` initialised bytes that live as long as `self`.
        unsafe { std::slice::from_raw_parts(self.0.start.as_ptr(), self.0.len) }
    }

    /// The bytes, to write; `None` while another handle shares them.
    pub fn bytes_mut(&mut self) -> Option<&mut [u8]> {
        let memory = Arc::get_mut(&mut self.0)?;
        // SAFETY: as in `bytes`, and `Arc::get_mut` proves this handle is the only one.
        Some(unsafe { std::slice::from_raw_parts_mut(memory.start.as_ptr(), memory.len) })
    }

    /// The bytes as elements. The caller vouches that they were written as `T`.
    pub fn elements<T: Element>(&self) -> &[T] {
        // SAFETY: aligned to `ALIGNMENT` >= any element's; every element type but `bool` accepts any
        // bytes, and `bool` buffers are zeroed or written by kernels that store 0 or 1.
        unsafe { std::slice::from_raw_parts(self.as_ptr().cast(), self.len() / size_of::<T>()) }
    }

    /// The bytes as elements, to write; `None` while another handle shares them.
    pub fn elements_mut<T: Element>(&mut self) -> Option<&mut [T]> {
        let bytes = self.bytes_mut()?;
        let (start, len) = (bytes.as_mut_ptr().cast(), bytes.len() / size_of::<T>());
        // SAFETY: as in `elements`, with exclusive access.
        Some(unsafe { std::slice::from_raw_parts_mut(start, len) })
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.len())
    }
}
