//! Running out of memory is an ending like any other: a line that says so, and an exit code.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{self, Write};
use std::process;

/// The system's allocator, but for what happens when there is no more.
pub struct ExitWhenFull;

#[global_allocator]
static MEMORY: ExitWhenFull = ExitWhenFull;

// SAFETY: every call is the system allocator's own, with the same arguments.
unsafe impl GlobalAlloc for ExitWhenFull {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        some(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        some(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promises.
        some(unsafe { System.realloc(start, layout, size) }, size)
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(start, layout) }
    }
}

fn some(start: *mut u8, size: usize) -> *mut u8 {
    if start.is_null() {
        exit(size);
    }
    start
}

#[cold]
fn exit(size: usize) -> ! {
    // Standard error has no buffer of its own, and numbers are formatted on the stack.
    let remedy = "use a smaller --batch, or a machine with more memory";
    let _ = writeln!(io::stderr(), "error: out of memory: {size} more bytes are not to be had; {remedy}");
    process::exit(5)
}
