//! Which instruction set the kernels use.

use std::sync::OnceLock;

/// An instruction set that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// What every processor of the architecture has.
    Portable,
    /// AArch64's vectors of 128 bits.
    Neon,
    /// AVX2 with FMA and F16C: vectors of 256 bits.
    Avx2,
    /// AVX-512 F, BW, CD, DQ and VL: vectors of 512 bits.
    Avx512,
}

impl Isa {
    /// The best one of this processor, or a lower one if the environment variable `GYRUS_ISA` names it
    /// (`portable`, `neon`, `avx2`, `avx512`). Found once.
    #[inline]
    pub fn get() -> Isa {
        static ISA: OnceLock<Isa> = OnceLock::new();
        *ISA.get_or_init(|| {
            let wanted = match std::env::var("GYRUS_ISA").as_deref() {
                Ok("portable") => Isa::Portable,
                Ok("avx2") => Isa::Avx2,
                _ => return Isa::detect(),
            };
            if wanted.is_available() { wanted } else { Isa::detect() }
        })
    }

    /// The best one of this processor.
    pub fn detect() -> Isa {
        *Isa::available().last().expect("the portable one is always there")
    }

    /// Whether this processor has it.
    pub fn is_available(self) -> bool {
        Isa::available().contains(&self)
    }

    /// Whether this processor also has the instruction set's products of `bf16` (AVX512-BF16).
    pub fn has_bf16_products(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self == Isa::Avx512 && std::is_x86_feature_detected!("avx512bf16");
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    /// Whether they are faster than products of `f32`. Intel's processors begin one every two cycles, and are twice as slow with
    /// them as without (measured on Emerald Rapids; theirs that are fast are of whole tiles, AMX).
    pub fn gains_by_bf16(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        return self.has_bf16_products() && !is_of_intel();
        #[cfg(not(target_arch = "x86_64"))]
        false
    }

    /// All that this processor has, the best one last.
    pub fn available() -> &'static [Isa] {
        static AVAILABLE: OnceLock<Vec<Isa>> = OnceLock::new();
        AVAILABLE.get_or_init(|| {
            #[allow(unused_mut, reason = "where the architecture has no others")]
            let mut available = vec![Isa::Portable];
            #[cfg(target_arch = "aarch64")]
            available.push(Isa::Neon);
            #[cfg(target_arch = "x86_64")]
            {
                use std::is_x86_feature_detected as has;
                let avx2 = has!("avx2") && has!("fma") && has!("f16c") && has!("bmi1") && has!("bmi2");
                if avx2 && has!("lzcnt") && has!("popcnt") {
                    available.push(Isa::Avx2);
                    let avx512 = has!("avx512f") && has!("avx512bw") && has!("avx512cd");
                    if avx512 && has!("avx512dq") && has!("avx512vl") {
                        available.push(Isa::Avx512);
                    }
                }
            }
            available
        })
    }
}

/// Whether the processor says that it is one of Intel's.
#[cfg(target_arch = "x86_64")]
fn is_of_intel() -> bool {
    let vendor = std::arch::x86_64::__cpuid(0);
    [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes).as_flattened() == b"GenuineIntel"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_is_available() {
        assert!(Isa::detect().is_available());
        assert!(Isa::get() <= Isa::detect());
        assert!(Isa::available().iter().all(|isa| isa.has_bf16_products() || !isa.gains_by_bf16()));
    }
}
