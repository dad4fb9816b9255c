"""Corollary 2.5: nets on the sphere, clusters of close rows, the removal step, and the rates that follow.

The printed argument covers the unit sphere of R^n with balls of radius eps_m = m^((eta-1)/n); by the pigeonhole one of
them holds about m^eta of the m rows of W, and removing these one by one is said to cost eps_m each. What is kept here
is what is true of it: how many cells there are, what merging rows costs once the weights are counted, and the exponents
that balancing the terms really gives. Coin tosses (Maurey, `theory.relu_paths`) do better than any of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import Array, above, below, exponent, gamma, times
from theory.numerics import validation as check


@dataclass(frozen=True, eq=False)
class Partition:
    """A partition of rows (m, n) into cells: row i is within `radius` of row centres[label[i]].

    centres (P,): indices of rows, at least `radius` apart from each other (up to rounding); label (m,): which, 0..P-1.
    """

    centres: Array
    label: Array
    radius: float

    def __len__(self) -> int:
        return len(self.centres)

    @property
    def sizes(self) -> Array:
        """How many rows each cell holds, (P,)."""
        return np.bincount(self.label, minlength=len(self.centres))

    def largest(self) -> Array:
        """Indices of the rows of the fullest cell: at least m / P of them, by the pigeonhole."""
        return np.flatnonzero(self.label == int(np.argmax(self.sizes)))

    def merge(self, weights: ArrayLike) -> Array:
        """All cells merged at once: each centre gets the sum of the weights (m,) of its cell, all others zero.

        |.|_1 does not grow. ValueError unless there is one weight per row.
        """
        b = check.finite_array(weights, "weights", ndim=1)
        if b.shape != self.label.shape:
            raise ValueError(f"weights must have shape {self.label.shape}, one per row; got {b.shape}")
        merged = np.zeros_like(b)
        merged[self.centres] = np.bincount(self.label, weights=b, minlength=len(self.centres))
        return check.no_overflow(merged, "weights")


def cells(rows: ArrayLike, radius: float, *, order: ArrayLike | None = None) -> Partition:
    """A greedy net among the rows (m, n): each row joins the nearest centre within `radius`, else it becomes one.

    rows: any vectors, finite; radius >= 0, a Euclidean distance (for unit rows 2 sin(angle/2)); order (m,): the
    sequence in which rows may become centres (default as given). ValueError unless it is a permutation. Distances are
    rounded up before they are compared.
    """
    W = check.finite_array(rows, "rows", ndim=2)
    radius = check.number(radius, "radius", minimum=0.0)
    sequence = np.arange(len(W)) if order is None else check.finite_array(order, "order", ndim=1)
    if not np.array_equal(np.sort(sequence), np.arange(len(W))):
        raise ValueError(f"order must be a permutation of 0..{len(W) - 1}; got {check.describe(sequence.tolist())}")
    nearest, label = np.full(len(W), np.inf), np.full(len(W), -1)
    centres: list[int] = []
    down = 16 if exponent(W) > 1000 else 0  # room for the distances of the largest floats
    scaled, reach = times(W, -down), below(radius, -down)
    for k in sequence.astype(int):
        if nearest[k] <= reach:
            continue
        distance = _distances(scaled, int(k))
        closer = distance < nearest
        nearest[closer], label[closer] = distance[closer], len(centres)
        centres.append(int(k))
    return Partition(np.array(centres, dtype=int), label, radius)


def _distances(rows: Array, k: int) -> Array:
    """The distances (m,) of row k from all of them (m, n), rounded up; 0 for equal rows."""
    n = rows.shape[1]
    distance = np.hypot.reduce(np.abs(rows - rows[k]), axis=1)
    return np.where(distance > 0, distance * (1 + gamma(4 * n + 8)) + n * 2.0**-1074, 0.0)


def merging_bound(fit: float, norm: float, radius: float, spectral: float, kappa: float) -> float:
    """(sqrt(R) + r |Sigma|^(1/2) |b|_1)^2 + kappa |b|_1: the risk after merging cells of radius r, all at once.

    fit: R = E (Y - b Z)^2; norm: |b|_1; spectral: |Sigma|. rho is 1-Lipschitz, so moving unit i by at most r changes the
    function by at most |b_i| r |Sigma|^(1/2) in L2; the weights are counted once each, not the number of units.
    """
    for name, value in (("fit", fit), ("norm", norm), ("radius", radius), ("spectral", spectral), ("kappa", kappa)):
        check.number(value, name, minimum=0.0)
    root, (shift, e), (paid, f) = math.sqrt(fit), _product(radius, math.sqrt(spectral), norm), _product(kappa, norm)
    unit = max(exponent(root), e, f // 2 + 1)
    value = (times(root, -unit) + times(shift, e - unit)) ** 2 + times(paid, f - 2 * unit)
    return _bounded(value, 2 * unit, "fit, norm, radius, spectral or kappa")


def removal_bound(fit: float, weight: float, shift: float) -> float:
    """2 |b_k| |n| sqrt(R) + b_k^2 |n|^2: what giving unit k's weight to a neighbour costs, |n| = |z(w_k) - z(w_j)|.

    The printed step leaves out |b_k|. fit: R before; weight: b_k; shift: |n| in L2, at most |w_k - w_j| |Sigma|^(1/2).
    """
    weight, shift = check.number(weight, "weight"), check.number(shift, "shift", minimum=0.0)
    root = math.sqrt(check.number(fit, "fit", minimum=0.0))
    move, e = _product(weight, shift)
    unit = max(exponent(root) + 1, e)
    moved, f = _product(move, 2 * times(root, -unit) + times(move, e - unit))
    return _bounded(moved, e + unit + f, "fit, weight or shift")


def _product(*factors: float) -> tuple[float, int]:
    """|product| of floats as m 2^e with m in [1/2, 1) or 0: no overflow, no underflow."""
    mantissa, e = 1.0, 0
    for factor in factors:
        m, k = math.frexp(abs(factor))
        mantissa, shift = math.frexp(mantissa * m)
        e += k + shift
    return (mantissa, e) if mantissa else (0.0, -5000)


def _bounded(value: float, e: int, names: str) -> float:
    """value 2^e, less than eight roundings off, rounded up; ValueError beyond float64."""
    return float(check.no_overflow(above(float(value) * (1 + gamma(16)), e), names))


# --- exponents: the gap is O(m^-exponent) when e(l) - e(inf) = O(l^-s) ------------------------------------------------


def printed_exponent(n: int, s: Fraction | int, eta: Fraction | int) -> Fraction:
    """What the printed argument gives with clusters of m^eta rows: min(eta s, (1 - (n + 1) eta) / n).

    The oracle with l = m^eta units costs m^(-eta s); removing m^eta rows at eps_m = m^((eta-1)/n) each the rest.
    ValueError unless s > 0 and 0 <= eta <= 1.
    """
    n, s, eta = check.positive_integer(n, "n"), _rational(s, "s"), _rational(eta, "eta")
    if s <= 0 or not 0 <= eta <= 1:
        raise ValueError(
            f"s must be positive and eta in [0, 1]; got s = {check.describe(s)}, eta = {check.describe(eta)}"
        )
    return min(eta * s, (1 - (n + 1) * eta) / n)


def printed_best(n: int, s: Fraction | int) -> tuple[Fraction, Fraction]:
    """The best exponent of the printed argument and its eta: s / (n (s + 1) + 1) at eta = 1 / (n (s + 1) + 1).

    Below 1/n for every finite s: the printed rate m^(-1/n) does not follow. ValueError unless n >= 1 and s > 0.
    """
    n, s = check.positive_integer(n, "n"), _rational(s, "s")
    if s <= 0:
        raise ValueError(f"s must be positive; got {check.describe(s)}")
    eta = 1 / (n * (s + 1) + 1)
    return printed_exponent(n, s, eta), eta


def weighted_exponent(n: int, s: Fraction | int) -> Fraction:
    """s / (n s + 1): one cluster, removed at once with its weights counted. ValueError unless n >= 1 and s > 0."""
    n, s = check.positive_integer(n, "n"), _rational(s, "s")
    if s <= 0:
        raise ValueError(f"s must be positive; got {check.describe(s)}")
    return s / (n * s + 1)


def _rational(value: Fraction | int, name: str) -> Fraction:
    return Fraction(value) if isinstance(value, Fraction) else Fraction(check.number(value, name))


def cells_exponent(n: int) -> Fraction:
    """1 / (n - 1) for n >= 2: all cells merged at once; the sphere of R^n has dimension n - 1."""
    return Fraction(1, check.positive_integer(n, "n", minimum=2) - 1)
