//! Denormal numbers count as zero in kernels.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use std::arch::asm;

/// Lets the thread's arithmetic read and write denormal numbers (of `f32`, those below 1.2e-38) as zero, until dropped.
///
/// Many processors compute with them by microcode, a hundred times more slowly. Training meets them wherever something fades
/// away: the moments of Adam for a weight that gets no gradient any more, the probabilities of what is never chosen.
/// TensorFlow and XLA flush them as well; PyTorch does on request.
///
/// The compiler takes it that nobody changes how arithmetic works: what it computes beforehand keeps its denormal numbers. Both
/// are right, to within the least normal number.
pub(super) struct Flushing {
    before: Control,
}

/// What the control register of floating-point arithmetic holds.
#[cfg(target_arch = "x86_64")]
type Control = u32;
#[cfg(not(target_arch = "x86_64"))]
type Control = u64;

/// The bits that ask for it: results and operands (FTZ and DAZ of MXCSR); both (FZ of FPCR).
#[cfg(target_arch = "x86_64")]
const FLUSH: Control = 1 << 15 | 1 << 6;
#[cfg(not(target_arch = "x86_64"))]
const FLUSH: Control = 1 << 24;

impl Flushing {
    pub(super) fn new() -> Flushing {
        let before = control();
        set_control(before | FLUSH);
        Flushing { before }
    }
}

impl Drop for Flushing {
    fn drop(&mut self) {
        set_control(self.before);
    }
}

#[cfg(target_arch = "x86_64")]
fn control() -> Control {
    let mut control = 0;
    // SAFETY: MXCSR is written to the variable.
    unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut control, options(nostack, preserves_flags)) };
    control
}

#[cfg(target_arch = "x86_64")]
fn set_control(control: Control) {
    // SAFETY: the control bits that were there, but for those of denormal numbers.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const control, options(nostack, readonly)) };
}

#[cfg(target_arch = "aarch64")]
fn control() -> Control {
    let control;
    // SAFETY: programs may read FPCR.
    unsafe { asm!("mrs {}, fpcr", out(reg) control, options(nomem, nostack, preserves_flags)) };
    control
}

#[cfg(target_arch = "aarch64")]
fn set_control(control: Control) {
    // SAFETY: the control bits that were there, but for that of denormal numbers.
    unsafe { asm!("msr fpcr, {}", in(reg) control, options(nostack, preserves_flags)) };
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn control() -> Control {
    0
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn set_control(_control: Control) {}
