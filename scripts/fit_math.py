#!/usr/bin/env python3
"""Derives the polynomials of crates/cpu/src/math by weighted minimax fits (numpy 2, mpmath 1.3).

Each fit minimises the largest weighted error: least squares in the Chebyshev basis at many nodes,
the weights multiplied by the error until it is level (Lawson 1961). The arithmetic has 60 digits.
Prints coefficients from the constant term upwards, and the largest weighted error as a power of 2.
"""
import mpmath as mp
import numpy as np

mp.mp.dps = 60


def fit(name, function, low, high, degree, weight=lambda x: 1, single=True, rounds=60, nodes=600):
    low, high = mp.mpf(low), mp.mpf(high)
    t = [mp.cos(mp.pi * (2 * i + 1) / (2 * nodes)) for i in range(nodes)]
    x = [low + (high - low) * (s + 1) / 2 for s in t]
    y = [function(v) for v in x]
    w = [mp.mpf(weight(v)) for v in x]
    # The residual of a first fit is fitted again, so that doubles carry the digits that matter.
    basis = np.polynomial.chebyshev.chebvander([float(s) for s in t], degree)
    total = [mp.mpf(0)] * (degree + 1)
    residual = list(y)
    lawson = np.ones(nodes)
    exact = [[mp.chebyt(k, s) for k in range(degree + 1)] for s in t]
    for step in range(rounds):
        scale = np.sqrt(lawson) * np.array([float(v) for v in w])
        biggest = max(abs(r) for r in residual) or mp.mpf(1)
        target = np.array([float(r / biggest) for r in residual]) * scale
        change = np.linalg.lstsq(basis * scale[:, None], target, rcond=None)[0]
        total = [a + mp.mpf(float(c)) * biggest for a, c in zip(total, change)]
        residual = [v - mp.fdot(total, row) for v, row in zip(y, exact)]
        errors = np.array([float(abs(r) * v) for r, v in zip(residual, w)])
        if step > 3:
            lawson = lawson * (errors / errors.max() + 1e-6)
            lawson /= lawson.sum()
    # From Chebyshev in t to powers of x.
    powers = [mp.mpf(0)] * (degree + 1)
    a, b = 2 / (high - low), -(high + low) / (high - low)
    before, this = [mp.mpf(1)], [b, a]
    for k in range(degree + 1):
        current = before if k == 0 else this
        if k >= 2:
            shifted = [mp.mpf(0)] + [2 * a * c for c in this]
            same = [2 * b * c for c in this] + [mp.mpf(0)]
            minus = before + [mp.mpf(0)] * (len(shifted) - len(before))
            before, this = this, [p + q - r for p, q, r in zip(shifted, same, minus)]
            current = this
        for i, c in enumerate(current):
            powers[i] += total[k] * c
    digits = 9 if single else 17
    largest = float(mp.log(max(errors), 2))
    print(f"{name}: degree {degree} on [{mp.nstr(low, 5)}, {mp.nstr(high, 5)}], largest error 2^{largest:.1f}")
    print("   ", ", ".join(mp.nstr(c, digits, min_fixed=-4, max_fixed=6) for c in powers))


def near_zero(series, direct, x):
    return series if abs(x) < mp.mpf(10) ** -25 else direct(x)


half_ln2 = mp.log(2) / 2
fit("EXP: (e^r - 1 - r) / r^2", lambda r: near_zero(mp.mpf(1) / 2, lambda r: (mp.expm1(r) - r) / r**2, r),
    -half_ln2, half_ln2, 4, lambda r: r**2 / mp.exp(r))
fit("EXPM1: (e^r - 1 - r) / r^2", lambda r: near_zero(mp.mpf(1) / 2, lambda r: (mp.expm1(r) - r) / r**2, r),
    -half_ln2, half_ln2, 5, lambda r: abs(r**2 / mp.expm1(r)) if r else 0)
fit("EXP2: (2^r - 1) / r", lambda r: near_zero(mp.log(2), lambda r: (mp.mpf(2) ** r - 1) / r, r),
    "-0.5", "0.5", 5, lambda r: abs(r) / 2**r)
fit("LOG: (log(1 + f) - f + f^2 / 2) / f^3",
    lambda f: near_zero(mp.mpf(1) / 3, lambda f: (mp.log1p(f) - f + f**2 / 2) / f**3, f),
    mp.sqrt(0.5) - 1, mp.sqrt(2) - 1, 8, lambda f: abs(f**3 / mp.log1p(f)) if f else 0)
fit("TANH: (tanh(x) / x - 1) / x^2 in x^2",
    lambda s: near_zero(-mp.mpf(1) / 3, lambda s: (mp.tanh(mp.sqrt(s)) / mp.sqrt(s) - 1) / s, s),
    0, mp.mpf("0.6") ** 2, 4, lambda s: s)
ln2 = mp.log(2)
fit("LOG2_ERFC: log2(erfc(x)) / x",
    lambda x: near_zero(-2 / mp.sqrt(mp.pi) / ln2, lambda x: mp.log(mp.erfc(x), 2) / x, x),
    0, 4, 8, lambda x: ln2 * x * mp.erfc(x) / mp.erf(x))
fit("EXP2M1: (2^r - 1 - r ln 2) / r^2",
    lambda r: near_zero(ln2**2 / 2, lambda r: (mp.mpf(2)**r - 1 - r * ln2) / r**2, r),
    "-0.5", "0.5", 4, lambda r: abs(r**2 / (mp.mpf(2)**r - 1)) if r else 0)
# Quarters of a turn are found by rounded numbers: a large one's rest may exceed pi / 4.
fit("SIN: (sin(r) / r - 1) / r^2 in r^2",
    lambda s: near_zero(-mp.mpf(1) / 6, lambda s: (mp.sin(mp.sqrt(s)) / mp.sqrt(s) - 1) / s, s),
    0, mp.mpf("0.86") ** 2, 3, lambda s: s)
fit("COS: (cos(r) - 1 + r^2 / 2) / r^4 in r^2",
    lambda s: near_zero(mp.mpf(1) / 24, lambda s: (mp.cos(mp.sqrt(s)) - 1 + s / 2) / s**2, s),
    0, mp.mpf("0.86") ** 2, 2, lambda s: s**2)

# In double precision, for functions of f32 that need more than f32 on the way.
fit("SIN_F64: (sin(r) / r - 1) / r^2 in r^2",
    lambda s: near_zero(-mp.mpf(1) / 6, lambda s: (mp.sin(mp.sqrt(s)) / mp.sqrt(s) - 1) / s, s),
    0, (mp.pi / 4) ** 2, 3, lambda s: s, single=False)
fit("COS_F64: (cos(r) - 1 + r^2 / 2) / r^4 in r^2",
    lambda s: near_zero(mp.mpf(1) / 24, lambda s: (mp.cos(mp.sqrt(s)) - 1 + s / 2) / s**2, s),
    0, (mp.pi / 4) ** 2, 3, lambda s: s**2, single=False)
fit("ATAN: (atan(z) / z - 1) / z^2 in z^2",
    lambda s: near_zero(-mp.mpf(1) / 3, lambda s: (mp.atan(mp.sqrt(s)) / mp.sqrt(s) - 1) / s, s),
    0, 1, 13, lambda s: s, single=False)
fit("LOG2: atanh(s) / s * 2 / ln 2 in s^2",
    lambda z: near_zero(2 / mp.log(2), lambda z: 2 * mp.atanh(mp.sqrt(z)) / mp.sqrt(z) / mp.log(2), z),
    0, ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2, 6, single=False)
fit("EXP2 in double: 2^r", lambda r: mp.mpf(2) ** r, "-0.5", "0.5", 8, single=False)
fit("CBRT: m^(1/3)", lambda m: mp.cbrt(m), 1, 2, 4, single=False)

# erf in double precision.
fit("ERF in double: erf(x) / x in x^2",
    lambda s: near_zero(2 / mp.sqrt(mp.pi), lambda s: mp.erf(mp.sqrt(s)) / mp.sqrt(s), s), 0, 1, 12, single=False)
fit("ERFC in double: erfc(x) e^(x^2) in u = (x - 2) / (x + 2)",
    lambda u: mp.erfc(2 * (1 + u) / (1 - u)) * mp.exp((2 * (1 + u) / (1 - u)) ** 2),
    mp.mpf(-1) / 3, mp.mpf(1) / 2, 16, single=False)
