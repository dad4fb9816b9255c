"""Corollary 2.5: nets on the sphere, clusters of close rows, the removal step, and the rates that follow.

The printed argument covers the unit sphere of R^n with balls of radius eps_m = m^((eta-1)/n); by the pigeonhole one of
them holds about m^eta of the m rows of W, and removing these one by one is said to cost eps_m each. What is kept here
is what is true of it: how many cells there are, what merging rows costs once the weights are counted, and the exponents
that balancing the terms really gives. Coin tosses (Maurey, `theory.relu_paths.best_route`) do better than any of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import Array, gamma
from theory.numerics import validation as check


def covering_bound(n: int, radius: float) -> float:
    """(1 + 2/radius)^n: the number of balls as printed (Vershynin 2010, Lemma 5.2); inf beyond float64."""
    n, radius = check.positive_integer(n, "n"), check.number(radius, "radius", minimum=0.0, open_minimum=True)
    with np.errstate(over="ignore"):
        return float(np.power(1 + 2 / radius, float(min(n, 2**1000))))


def packing_bound(n: int, radius: float) -> float:
    """(1 + 2/radius)^n - (2/radius - 1)^n <= 2 n (1 + 2/radius)^(n-1), for 0 < radius <= 2; inf beyond float64.

    At most so many points of the unit sphere of R^n are `radius` apart from each other: balls of half that radius
    around them are disjoint and lie in the shell between 1 - radius/2 and 1 + radius/2. One power of 1/radius fewer
    than the printed bound, because the sphere has dimension n - 1.
    """
    n = check.positive_integer(n, "n")
    radius = check.number(radius, "radius", minimum=0.0, maximum=2.0, open_minimum=True)
    with np.errstate(over="ignore", invalid="ignore"):
        bound = float(np.power(1 + 2 / radius, float(n)) - np.power(2 / radius - 1, float(n)))
    return bound * (1 + gamma(64 + 4 * n)) if np.isfinite(bound) else float("inf")


@dataclass(frozen=True, eq=False)
class Cells:
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
        return merged


def cells(rows: ArrayLike, radius: float, *, order: ArrayLike | None = None) -> Cells:
    """A greedy net among the rows (m, n): each row joins the nearest centre within `radius`, else it becomes one.

    rows: any vectors, finite; radius >= 0, a Euclidean distance (for unit rows 2 sin(angle/2)); order (m,): the
    sequence in which rows may become centres (default as given). ValueError unless it is a permutation. Distances are
    rounded up before they are compared.
    """
    W = check.finite_array(rows, "rows", ndim=2)
    radius = check.number(radius, "radius", minimum=0.0)
    sequence = np.arange(len(W)) if order is None else np.asarray(order)
    if sorted(sequence.tolist()) != list(range(len(W))):
        raise ValueError(f"order must be a permutation of 0..{len(W) - 1}; got {sequence.tolist()}")
    nearest, label = np.full(len(W), np.inf), np.full(len(W), -1)
    centres: list[int] = []
    slip = gamma(W.shape[1] + 4)
    for k in sequence:
        if nearest[k] <= radius:
            continue
        with np.errstate(over="ignore"):  # a distance that overflows is no smaller for it
            distance = np.linalg.norm(W - W[k], axis=1) * (1 + slip)
        closer = distance < nearest
        nearest[closer], label[closer] = distance[closer], len(centres)
        centres.append(int(k))
    return Cells(np.array(centres, dtype=int), label, radius)


def merging_bound(fit: float, norm: float, radius: float, spectral: float, kappa: float) -> float:
    """(sqrt(R) + r |Sigma|^(1/2) |b|_1)^2 + kappa |b|_1: the risk after merging cells of radius r, all at once.

    fit: R = E (Y - b Z)^2; norm: |b|_1; spectral: |Sigma|. rho is 1-Lipschitz, so moving unit i by at most r changes the
    function by at most |b_i| r |Sigma|^(1/2) in L2; the weights are counted once each, not the number of units.
    """
    for name, value in (("fit", fit), ("norm", norm), ("radius", radius), ("spectral", spectral), ("kappa", kappa)):
        check.number(value, name, minimum=0.0)
    return ((fit**0.5 + radius * spectral**0.5 * norm) ** 2 + kappa * norm) * (1 + gamma(16))


def removal_bound(fit: float, weight: float, shift: float) -> float:
    """2 |b_k| |n| sqrt(R) + b_k^2 |n|^2: what giving unit k's weight to a neighbour costs, |n| = |z(w_k) - z(w_j)|.

    The printed step leaves out |b_k|. fit: R before; weight: b_k; shift: |n| in L2, at most |w_k - w_j| |Sigma|^(1/2).
    """
    move = abs(check.number(weight, "weight")) * check.number(shift, "shift", minimum=0.0)
    return (2 * move * check.number(fit, "fit", minimum=0.0) ** 0.5 + move**2) * (1 + gamma(16))


# --- exponents: the gap is O(m^-exponent) when e(l) - e(inf) = O(l^-s) ------------------------------------------------


def printed_exponent(n: int, s: Fraction | int, eta: Fraction | int) -> Fraction:
    """What the printed argument gives with clusters of m^eta rows: min(eta s, (1 - (n + 1) eta) / n).

    The oracle with l = m^eta units costs m^(-eta s); removing m^eta rows at eps_m = m^((eta-1)/n) each the rest.
    ValueError unless s > 0 and 0 <= eta <= 1.
    """
    n, s, eta = check.positive_integer(n, "n"), Fraction(s), Fraction(eta)
    if s <= 0 or not 0 <= eta <= 1:
        raise ValueError(f"s must be positive and eta in [0, 1]; got s = {s}, eta = {eta}")
    return min(eta * s, (1 - (n + 1) * eta) / n)


def printed_best(n: int, s: Fraction | int) -> tuple[Fraction, Fraction]:
    """The best exponent of the printed argument and its eta: s / (n (s + 1) + 1) at eta = 1 / (n (s + 1) + 1).

    Below 1/n for every finite s: the printed rate m^(-1/n) does not follow.
    """
    n, s = check.positive_integer(n, "n"), Fraction(s)
    eta = 1 / (n * (s + 1) + 1)
    return printed_exponent(n, s, eta), eta


def weighted_exponent(n: int, s: Fraction | int) -> Fraction:
    """s / (n s + 1): one cluster, removed at once with its weights counted."""
    n, s = check.positive_integer(n, "n"), Fraction(s)
    return s / (n * s + 1)


def cells_exponent(n: int) -> Fraction:
    """1 / (n - 1) for n >= 2: all cells merged at once; the sphere of R^n has dimension n - 1."""
    return Fraction(1, check.positive_integer(n, "n", minimum=2) - 1)


MAUREY_EXPONENT = Fraction(1)  # any n: a coin toss does not see the dimension


def guaranteed_cluster(n: int, m: int, eta: float) -> float:
    """m / (1 + 2/eps_m)^n with eps_m = m^((eta-1)/n): rows that the printed pigeonhole puts in one ball.

    The text writes ~ m^eta; there is a factor 2^n in front, and less than one row below m = 2^(n/eta).
    """
    n, m = check.positive_integer(n, "n"), check.positive_integer(m, "m")
    eta = check.number(eta, "eta", minimum=0.0, maximum=1.0, open_minimum=True)
    return m / covering_bound(n, m ** ((eta - 1) / n))


def log2_width_needed(n: int, eta: float) -> float:
    """log2 of the width below which the printed pigeonhole promises less than one row: n / eta > n (n + 1)."""
    return check.positive_integer(n, "n") / check.number(eta, "eta", minimum=0.0, maximum=1.0, open_minimum=True)
