"""The kernel of section 2.3.2 in integers: pairs of rational unit vectors, discrete measures, and every term of (7).

Unit vectors are k/q with integer entries and |k| = q (inverse stereographic projection), atoms and weights are integers;
a float table becomes integers by its common power of two. All inequalities checked here are homogeneous in the atoms
and in the weights, so nothing is lost, and nothing is rounded. ||Sigma|| alone is not rational: `Terms.sigma` is a
Rayleigh quotient, so at most ||Sigma||, which makes every bound checked with it the stronger one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from checks.claim import Setting
from theory.risk import Sample

Integers = NDArray[Any]  # dtype object: Python integers

# Largest table, in numbers, that is turned into integers whole.
ENTRIES = 500_000


@dataclass(frozen=True, eq=False)
class Directions:
    """Unit vectors k1/q and k2/q."""

    k1: Integers
    k2: Integers
    q: int

    @cached_property
    def c2(self) -> Fraction:
        """cos^2(alpha/2) = (1 + cos alpha)/2."""
        return Fraction(int(((self.k1 + self.k2) ** 2).sum()), 4 * self.q**2)

    @property
    def s2(self) -> Fraction:
        """sin^2(alpha/2) = (1 - cos alpha)/2."""
        return 1 - self.c2

    @property
    def sin2(self) -> Fraction:
        """sin^2(alpha)."""
        return 4 * self.c2 * self.s2

    @property
    def alpha(self) -> float:
        """The angle, rounded."""
        return 2 * float(np.arctan2(float(self.s2) ** 0.5, float(self.c2) ** 0.5))


@dataclass(frozen=True, eq=False)
class Atoms:
    """A discrete measure: atoms X (N, n) with weights (N,), integers; only ratios of either matter."""

    X: Integers
    weights: Integers
    name: str

    @property
    def mirrored(self) -> Atoms:
        """The law of -X."""
        return Atoms(-self.X, self.weights, self.name)

    @cached_property
    def mass(self) -> int:
        """The sum of the weights."""
        return int(self.weights.sum())

    @cached_property
    def peak(self) -> Fraction:
        """A Rayleigh quotient of Sigma next to its largest eigenvalue."""
        X, w = _leading(self.X), _leading(self.weights)
        top = np.linalg.eigh((X * w[:, None]).T @ X)[1][:, -1]
        v = integers(np.round(top * 2**20))
        return Fraction(int((self.weights * (self.X @ v) ** 2).sum()), self.mass * int((v**2).sum()))


@dataclass(frozen=True)
class Terms:
    """Every quantity of Proposition 2.3 and its proof for unit vectors; main is c^2 ||w_m||_Z^2.

    across, across_A, across_B, across_C: s^2 E[<X, d^>^2 1] over everything and the proof's sets; E1, E2 as in (17);
    energy_A, energy_B: E[|QX|^2 1]; along: c^2 w_m^T Sigma w_m; sigma <= ||Sigma||, at least both quotients in the plane.
    """

    kernel: Fraction
    main: Fraction
    E1: Fraction
    E2: Fraction
    across: Fraction
    across_A: Fraction
    across_B: Fraction
    across_C: Fraction
    energy_A: Fraction
    energy_B: Fraction
    along: Fraction
    sigma: Fraction


def terms(pair: Directions, atoms: Atoms) -> Terms:
    """The terms, exactly."""
    f, g = atoms.X @ pair.k1, atoms.X @ pair.k2
    u2, v2 = (f + g) ** 2, (g - f) ** 2  # 4 q^2 <x, p>^2 and 4 q^2 <x, d>^2
    A, C = (f >= 0) & (g >= 0), f + g >= 0
    B = C & ~A

    def expect(values: Integers, where: Any = None) -> Fraction:
        total = (atoms.weights * values if where is None else (atoms.weights * values)[where]).sum()
        return Fraction(int(total), 4 * pair.q**2 * atoms.mass)

    def energy(where: Any) -> Fraction:
        return over(expect(u2, where), pair.c2) + over(expect(v2, where), pair.s2)

    along, across = expect(u2), expect(v2)
    return Terms(
        kernel=expect(4 * f * g, A),
        main=expect(u2, C),
        E1=expect(u2, B),
        E2=expect(v2, A),
        across=across,
        across_A=expect(v2, A),
        across_B=expect(v2, B),
        across_C=expect(v2, C),
        energy_A=energy(A),
        energy_B=energy(B),
        along=along,
        sigma=max(atoms.peak, over(along, pair.c2), over(across, pair.s2)),
    )


def over(a: Fraction, b: Fraction) -> Fraction:
    """a / b, and 0 where b = 0: the convention for a bisector or a normal that is undefined."""
    return a / b if b else Fraction(0)


def relative(slack: Fraction, scale: Fraction) -> float:
    """slack / scale as a float of the right sign, whatever underflows; scale 0 counts as 1."""
    ratio = slack / scale if scale else slack
    value = float(ratio)
    return value if value or not ratio else (5e-324 if ratio > 0 else -5e-324)


def integers(values: Any) -> Integers:
    """An object array of Python integers."""
    array = np.asarray(values)
    return np.array([int(x) for x in array.ravel()], dtype=object).reshape(array.shape)


@lru_cache(maxsize=8)
def table(sample: Sample, name: str) -> Atoms:
    """A float sample as integers, exactly; of a large one evenly spaced rows, themselves a discrete measure."""
    rows = slice(None, None, -(-sample.X.size // ENTRIES))
    weights = sample.weights[rows] if sample.weights[rows].any() else np.ones(len(sample.weights[rows]))
    return Atoms(_scaled(sample.X[rows]), _scaled(weights), name)


def trials(setting: Setting, count: int) -> Iterator[tuple[Directions, Atoms, Terms]]:
    """`count` random pairs in dimensions 1 to 4, each with every kind of measure; then a few pairs on each real table."""
    rng, pairs_per_table = setting.rng, setting.instances(3)
    total = count + pairs_per_table * len(setting.tables)
    for k in range(count):
        pair = directions(rng, int(rng.integers(1, 5)))
        for atoms in (*measures(rng, pair), extremal(pair, int(rng.integers(1, 5)), int(rng.integers(1, 5)))):
            yield pair, atoms, terms(pair, atoms)
        setting.progress((k + 1) / total)
    for i, (name, sample) in enumerate(setting.tables.items()):
        atoms = table(sample, name)
        for k in range(pairs_per_table):
            pair = directions(rng, sample.n_in)
            yield pair, atoms, terms(pair, atoms)
            setting.progress((count + i * pairs_per_table + k + 1) / total)


def directions(rng: np.random.Generator, n: int) -> Directions:
    """A random pair in dimension n: generic, equal, opposite, or closer than that by 1e-8 or so (n = 1: 0 or pi)."""
    kind = rng.choice(["generic", "equal", "close", "wide"], p=[0.5, 0.05, 0.25, 0.2])
    if n == 1:
        k1, k2, q = integers([1]), integers([1]), 1
    else:
        bits = 30 if kind in ("close", "wide") else 10
        t = integers(np.round(rng.standard_normal(n - 1) * 2**bits))
        step = {"generic": bits, "equal": None, "close": rng.uniform(1, 30), "wide": rng.uniform(1, 30)}[kind]
        shift = 0 * t if step is None else integers(np.round(rng.standard_normal(n - 1) * 2**step))
        (k1, q1), (k2, q2) = _on_sphere(t, 2**bits), _on_sphere(t + shift, 2**bits)
        k1, k2, q = q2 * k1, q1 * k2, q1 * q2
        common = gcd(q, *(int(x) for x in k1), *(int(x) for x in k2))
        k1, k2, q = k1 // common, k2 // common, q // common
    opposite = kind == "wide" or (kind != "close" and rng.random() < 0.3)
    return Directions(k1, -k2 if opposite else k2, q)


def in_plane(numerator: int, denominator: int) -> Directions:
    """w1 = (c, -s), w2 = (c, s) with tan(alpha/4) = numerator/denominator in [0, 1]; the bisector is the first axis."""
    m, l = denominator, numerator
    c, s = m * m - l * l, 2 * m * l
    return Directions(integers([c, -s]), integers([c, s]), m * m + l * l)


def measures(rng: np.random.Generator, pair: Directions) -> Iterator[Atoms]:
    """Discrete measures for a pair: spread, heavy-tailed, lattice points with zeros, one atom, and atoms on the walls."""
    n = len(pair.k1)

    def weights(N: int) -> Integers:
        return integers(1 + np.floor(rng.pareto(0.5, N).clip(max=1e12)))

    N = int(rng.integers(2, 9))
    yield Atoms(integers(np.round(rng.standard_normal((N, n)) * 2**20)), weights(N), "gaussian")
    yield Atoms(integers(np.round(rng.standard_t(0.7, (N, n)).clip(-1e12, 1e12) * 2**10)), weights(N), "heavy-tailed")
    yield Atoms(integers(rng.integers(-1, 2, (N, n))), weights(N), "lattice")
    yield Atoms(integers(rng.integers(-5, 6, (1, n))), integers([1]), "one atom")
    u, v = _axes(pair)
    a = int(rng.integers(1, 4))
    yield Atoms(np.stack([a * u + a * v, a * u - a * v]), integers([1, 1]), "on both walls")
    signs = rng.integers(-3, 4, (N, 2))
    yield Atoms(np.stack([int(i) * u + int(j) * v for i, j in signs]), weights(N), "near the walls")
    yield Atoms(np.stack([4 * u + 5 * v, 4 * u - 5 * v]), integers([1, 1]), "beyond the walls")


def extremal(pair: Directions, i: int, j: int) -> Atoms:
    """X = (U, +-V) in the plane, half each, with V >= U: attains kernel = max(0, c^2 ||w_m||_Z^2 - s^2 ||Sigma||)."""
    P, D = pair.k1 + pair.k2, pair.k2 - pair.k1
    P2, D2 = int((P**2).sum()), int((D**2).sum())
    U, V = i * P, j * D
    while i * i * P2 > j * j * D2 > 0:  # lengthen V until it carries ||Sigma||
        j *= 2
        V = j * D
    return Atoms(np.stack([U + V, U - V]), integers([1, 1]), "extremal")


def _axes(pair: Directions) -> tuple[Integers, Integers]:
    """Multiples of w_m and d such that their sum and difference lie exactly on the walls of A."""
    P, D = pair.k1 + pair.k2, pair.k2 - pair.k1
    P2, D2 = int((P**2).sum()), int((D**2).sum())
    common = max(gcd(P2, D2), 1)
    return P * (D2 // common or 1), D * (P2 // common or 1)


def _on_sphere(t: Integers, scale: int) -> tuple[Integers, int]:
    square = int((t**2).sum())
    return np.append(2 * scale * t, square - scale**2), square + scale**2


def _leading(values: Integers) -> NDArray[Any]:
    """values / 2^k as floats of size at most 1: enough for an eigenvector."""
    excess = max(int(np.abs(values).max()).bit_length() - 62, 0)
    return (values >> excess).astype(float) / 2.0**62


def _scaled(values: NDArray[Any]) -> Integers:
    mantissa, exponent = np.frexp(values)
    exponent = np.where(values == 0, exponent.max(), exponent)
    whole, shift = integers(mantissa * 2.0**53), integers(exponent - exponent.min())
    result = whole * 2**shift
    common = gcd(*(int(x) for x in result.ravel()))
    return result // max(common, 1)
