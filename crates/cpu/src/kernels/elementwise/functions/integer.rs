//! The arithmetic of integers: everything wraps.

/// An integer type.
pub(super) trait Integer: Copy + Default + Ord + 'static {
    fn wrapping_add(self, other: Self) -> Self;
    fn wrapping_sub(self, other: Self) -> Self;
    fn wrapping_mul(self, other: Self) -> Self;
    /// Rounded towards zero; all bits set for a divisor of 0.
    fn div(self, other: Self) -> Self;
    /// With the dividend's sign; the dividend for a divisor of 0.
    fn rem(self, other: Self) -> Self;
    /// Negative exponents give the power rounded towards zero, and all bits set for 0.
    fn pow(self, exponent: Self) -> Self;
    fn wrapping_abs(self) -> Self;
    fn signum(self) -> Self;
    fn not(self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    /// 0 for the width or more.
    fn shift_left(self, bits: Self) -> Self;
    /// 0 for the width or more.
    fn shift_right_logical(self, bits: Self) -> Self;
    /// The sign everywhere for the width or more.
    fn shift_right_arithmetic(self, bits: Self) -> Self;
}

macro_rules! integer {
    ($type:ident, $unsigned:ident, abs $abs:expr, signum $signum:expr) => {
        impl Integer for $type {
            #[inline(always)]
            fn wrapping_add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn wrapping_sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            fn wrapping_mul(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                if other == 0 { !0 } else { self.wrapping_div(other) }
            }
            #[inline(always)]
            fn rem(self, other: Self) -> Self {
                if other == 0 { self } else { self.wrapping_rem(other) }
            }
            #[inline(always)]
            fn pow(self, exponent: Self) -> Self {
                #[allow(unused_comparisons, reason = "unsigned types are never negative")]
                if exponent < 0 {
                    let odd = (1 as Self).div(self);
                    return if self == 0 || exponent & 1 == 1 { odd } else { odd.wrapping_mul(odd) };
                }
                let (mut power, mut base, mut exponent) = (1 as Self, self, exponent);
                while exponent > 0 {
                    if exponent & 1 == 1 {
                        power = power.wrapping_mul(base);
                    }
                    base = base.wrapping_mul(base);
                    exponent >>= 1;
                }
                power
            }
            #[inline(always)]
            fn wrapping_abs(self) -> Self {
                ($abs)(self)
            }
            #[inline(always)]
            fn signum(self) -> Self {
                ($signum)(self)
            }
            #[inline(always)]
            fn not(self) -> Self {
                !self
            }
            #[inline(always)]
            fn and(self, other: Self) -> Self {
                self & other
            }
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }
            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
            #[inline(always)]
            fn shift_left(self, bits: Self) -> Self {
                let shifted = self.wrapping_shl(bits as u32);
                if (bits as $unsigned) < $unsigned::BITS as $unsigned { shifted } else { 0 }
            }
            #[inline(always)]
            fn shift_right_logical(self, bits: Self) -> Self {
                let shifted = (self as $unsigned).wrapping_shr(bits as u32) as Self;
                if (bits as $unsigned) < $unsigned::BITS as $unsigned { shifted } else { 0 }
            }
            #[inline(always)]
            fn shift_right_arithmetic(self, bits: Self) -> Self {
                let last = $unsigned::BITS as $unsigned - 1;
                // An unsigned number has no sign: zeros come in.
                if Self::MIN == 0 {
                    return self.shift_right_logical(bits);
                }
                self >> (bits as $unsigned).min(last)
            }
        }
    };
}

integer!(u8, u8, abs |x| x, signum |x: u8| x.min(1));
integer!(i32, u32, abs |x: i32| x.wrapping_abs(), signum |x: i32| x.signum());
integer!(i64, u64, abs |x: i64| x.wrapping_abs(), signum |x: i64| x.signum());
