//! One generic loop, compiled for each instruction set.

#[cfg(target_arch = "x86_64")]
use std::arch::asm;
#[cfg(target_arch = "x86_64")]
use std::mem::MaybeUninit;

use super::reals::{One, Reals};
use crate::isa::Isa;

/// How `a * b + c` is computed.
pub(crate) trait MulAdd: Sized + 'static {
    /// What loops that know their vectors compute on.
    type Reals: Reals;

    /// `a * b + c`.
    fn mul_add(a: f32, b: f32, c: f32) -> f32;
    /// `a * b + c`, of which no bit of the product is lost.
    fn fused(a: f32, b: f32, c: f32) -> f32;
    /// `a * b + c`.
    fn mul_add_f64(a: f64, b: f64, c: f64) -> f64;
}

/// Rounded once, by one instruction.
pub(crate) struct Fused;

/// Rounded twice: where there is no such instruction, a single rounding would be a slow call.
pub(crate) struct Separate;

/// As [`Fused`], with the vectors of AVX-512.
#[cfg(target_arch = "x86_64")]
pub(crate) struct FusedAvx512;

macro_rules! fused {
    ($type:ty, $reals:ty) => {
        impl MulAdd for $type {
            type Reals = $reals;

            #[inline(always)]
            fn mul_add(a: f32, b: f32, c: f32) -> f32 {
                a.mul_add(b, c)
            }
            #[inline(always)]
            fn fused(a: f32, b: f32, c: f32) -> f32 {
                a.mul_add(b, c)
            }
            #[inline(always)]
            fn mul_add_f64(a: f64, b: f64, c: f64) -> f64 {
                a.mul_add(b, c)
            }
        }
    };
}

fused!(Fused, One<Fused>);
#[cfg(target_arch = "x86_64")]
fused!(FusedAvx512, super::avx512::Sixteen);

impl MulAdd for Separate {
    type Reals = One<Self>;

    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }
    #[inline(always)]
    fn fused(a: f32, b: f32, c: f32) -> f32 {
        (a as f64 * b as f64 + c as f64) as f32
    }
    #[inline(always)]
    fn mul_add_f64(a: f64, b: f64, c: f64) -> f64 {
        a * b + c
    }
}

/// What every processor of the architecture has.
#[cfg(target_arch = "aarch64")]
pub(crate) type Baseline = Fused;
/// What every processor of the architecture has.
#[cfg(not(target_arch = "aarch64"))]
pub(crate) type Baseline = Separate;

/// A loop to compile for each instruction set. Implementations mark `run`, and what it calls,
/// `#[inline(always)]`: only what is inlined is compiled for the instruction set.
pub(crate) trait Multiversion {
    /// What it works on.
    type Arguments;

    /// Runs it.
    ///
    /// # Safety
    /// As the implementation states of its arguments.
    unsafe fn run<M: MulAdd>(arguments: Self::Arguments);
}

/// The loop `K` compiled for an instruction set.
///
/// # Safety
/// Calling the result is sound where the processor has the instruction set, and the arguments are as
/// `K` states.
pub(crate) fn version<K: Multiversion>(isa: Isa) -> unsafe fn(K::Arguments) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => avx512::<K>,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => avx2::<K>,
        _ => baseline::<K>,
    }
}

/// The loop `K` compiled for what every processor of the architecture has.
///
/// # Safety
/// As [`version`].
pub(crate) fn version_of_baseline<K: Multiversion>() -> unsafe fn(K::Arguments) {
    baseline::<K>
}

/// As [`version_of_baseline`], for AVX2.
#[cfg(target_arch = "x86_64")]
pub(crate) fn version_with_avx2<K: Multiversion>() -> unsafe fn(K::Arguments) {
    avx2::<K>
}

/// As [`version_of_baseline`], for AVX-512.
#[cfg(target_arch = "x86_64")]
pub(crate) fn version_with_avx512<K: Multiversion>() -> unsafe fn(K::Arguments) {
    avx512::<K>
}

/// As [`version`], for loops that gain little from AVX-512: less code to compile.
pub(crate) fn version_up_to_avx2<K: Multiversion>(isa: Isa) -> unsafe fn(K::Arguments) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx2 => avx2::<K>,
        _ => baseline::<K>,
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")]
unsafe fn avx512<K: Multiversion>(arguments: K::Arguments) {
    align_stack();
    // SAFETY: as the caller vouches.
    unsafe { K::run::<FusedAvx512>(arguments) }
}

/// The loop `K` compiled for AVX-512 with its products of `bf16`.
///
/// # Safety
/// As [`version`].
#[cfg(target_arch = "x86_64")]
pub(crate) fn version_with_bf16<K: Multiversion>() -> unsafe fn(K::Arguments) {
    avx512_bf16::<K>
}

#[cfg(target_arch = "x86_64")]
#[target_feature(
    enable = "avx512bf16,avx512f,avx512bw,avx512dq,avx512vl,avx512cd,avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt"
)]
unsafe fn avx512_bf16<K: Multiversion>(arguments: K::Arguments) {
    align_stack();
    // SAFETY: as the caller vouches.
    unsafe { K::run::<Fused>(arguments) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c,bmi1,bmi2,lzcnt,popcnt")]
unsafe fn avx2<K: Multiversion>(arguments: K::Arguments) {
    align_stack();
    // SAFETY: as the caller vouches.
    unsafe { K::run::<Fused>(arguments) }
}

/// Makes the function that it is inlined into align its stack to lines of the cache.
///
/// The compiler does that for variables, but not for vectors that it has no register for: it would put them where they
/// lie across two lines, and such a one, read again, waits for all that was written before it. So here is a variable.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn align_stack() {
    #[repr(align(64))]
    struct Line(MaybeUninit<[u8; 64]>);
    let line = Line(MaybeUninit::uninit());
    // SAFETY: nothing is done; that the line might be read keeps it.
    unsafe { asm!("/* {} */", in(reg) line.0.as_ptr(), options(readonly, nostack, preserves_flags)) }
}

unsafe fn baseline<K: Multiversion>(arguments: K::Arguments) {
    // SAFETY: as the caller vouches.
    unsafe { K::run::<Baseline>(arguments) }
}
