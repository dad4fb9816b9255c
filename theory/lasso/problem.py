"""The lasso in its own units: every column and the targets scaled to a size near one by powers of two, which is exact.

    min_b E (y - Z b)^2 + kappa |b|_1,      z_j = 2^sizes_j z'_j,  y = 2^level y',  b_j = 2^(level - sizes_j) b'_j

(the lasso, Tibshirani 1996) is 4^level times min |a - A b'|^2 + sum_j k_j |b'_j|, rows weighted: A = w^(1/2) Z',
a = w^(1/2) y', k_j = kappa 2^(-level - sizes_j). So no square overflows or underflows, and what counts as dependent does
not depend on the units of a column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import Array, exponent, gamma, times
from theory.numerics import validation as check

# Penalties beyond this are never paid: with |y'| and |z'_j| near one, a unit is idle from k_j = 2 |E z'_j y'| on.
LARGEST_PENALTY = 2.0**500

# Numbers handled at once, which stay in the cache: a product and a bound of its rounding read the features once.
SLAB = 2**16


@dataclass(frozen=True, eq=False)
class Problem:
    """A (N, m) with columns and a (N,) with entries below 1 and some of them at least 1/2 (or zero), penalties k (m,).

    Samples of weight zero are left out; every entry is within three roundings of the exact one. sizes (m,), level:
    exponents of the units, as above; largest: that of the largest column, which zero columns share. k is rounded down
    where it is no float, and cut at 2^500: what is feasible for it is feasible for the penalties themselves.
    """

    A: Array
    a: Array
    k: Array
    sizes: Array
    level: int
    largest: int

    @property
    def shares(self) -> Array:
        """Sizes of the columns as shares of the largest, (m,): features as the user gave them, up to one factor."""
        return times(np.ones(len(self.sizes)), self.sizes - self.largest)

    def inward(self, beta: Array) -> Array:
        """b' (m,) of the user's weights beta (m,): exact, but for what is below 2^-1074 or beyond float64 (inf)."""
        return times(beta, self.sizes - self.level)

    def outward(self, b: Array) -> Array:
        """The user's weights (m,) of b', rounded where they are below 2^-1022, inf beyond float64."""
        return times(b, self.level - self.sizes)


def normalised(Z: Array, y: Array, w: Array, kappa: float) -> Problem:
    """The problem of checked Z (N, m), y (N,), w (N,), kappa >= 0 in its own units."""
    if not w.all():
        Z, y, w = Z[w > 0], y[w > 0], w[w > 0]
    root = np.sqrt(w)
    a = y * root
    level = exponent(a)
    try:
        A, sizes, largest = _columns(Z, root)
    except FloatingPointError:
        A, sizes, largest = _tiny_columns(Z, root)
    k = times(kappa, -level - sizes)
    k = np.where(k > 2.0**-1000, np.minimum(k, LARGEST_PENALTY), 0.0)
    return Problem(A, times(a, -level), k, sizes, level, largest)


def _columns(Z: Array, root: Array) -> tuple[Array, Array, int]:
    """A (N, m), sizes (m,) and largest of Z with rows times root (N,); FloatingPointError where a product underflows."""
    A, extent = np.empty(Z.shape), np.zeros(Z.shape[1])
    for rows in slabs(Z):
        with np.errstate(under="raise"):
            block = np.multiply(Z[rows], root[rows, None], out=A[rows])
        np.maximum(extent, np.maximum(block.max(axis=0), -block.min(axis=0)), out=extent)
    largest = exponent(extent)
    sizes = np.where(extent > 0, np.frexp(extent)[1], largest)
    if np.abs(sizes).max(initial=0) > 1000:
        return times(A, -sizes), sizes, largest
    A *= np.ldexp(1.0, -sizes)  # in place: A may be large
    return A, sizes, largest


def _tiny_columns(Z: Array, root: Array) -> tuple[Array, Array, int]:
    """`_columns`, with mantissas and exponents apart: a product that underflows would lose what scaling cannot bring back."""
    (mantissa, e), (share, f) = np.frexp(Z), np.frexp(root)
    product, shift = np.frexp(mantissa * share[:, None])
    e = e + f[:, None] + shift
    none = -(2**20)  # below every exponent
    sizes = np.where(product != 0, e, none).max(axis=0)
    largest = int(sizes.max())
    sizes = np.where(sizes > none, sizes, largest)
    return times(product, e - sizes), sizes, largest


def slabs(Z: Array) -> Iterator[slice]:
    """Rows of Z (N, m), as many at a time as stay in the cache."""
    step = max(1, SLAB // max(Z.shape[1], 1))
    return (slice(i, min(i + step, len(Z))) for i in range(0, len(Z), step))


def check_features(Z: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> tuple[Array, Array, Array]:
    """Z (N, m), y (N,) and weights (N,), checked: N >= 1, everything finite, one output.

    weights are nonnegative and are scaled to sum to one, unless they already do up to rounding; None means 1/N each.
    ValueError otherwise.
    """
    Z = check.finite_array(Z, "Z", ndim=2)
    y = check.finite_array(y, "y")
    if Z.shape[0] == 0:
        raise ValueError(f"Z must have at least one row (sample); got shape {Z.shape}")
    if y.ndim == 2 and y.shape[1] != 1:
        raise ValueError(f"y must have one output, shape ({Z.shape[0]},) or ({Z.shape[0]}, 1); got {y.shape}")
    if y.ndim not in (1, 2) or y.shape[0] != Z.shape[0]:
        raise ValueError(f"y must have shape ({Z.shape[0]},), one entry per row of Z; got {y.shape}")
    if weights is None:
        return Z, y.reshape(-1), np.full(Z.shape[0], 1 / Z.shape[0])
    w = check.finite_array(weights, "weights", ndim=1)
    if w.shape != Z.shape[:1]:
        raise ValueError(f"weights must have shape ({Z.shape[0]},), one per sample; got {w.shape}")
    if (w < 0).any() or not w.any():
        raise ValueError(f"weights must be nonnegative with a positive sum; got minimum {w.min()}")
    w = times(w, -exponent(w)) if not abs(w.max()) <= 1 else w  # so that the sum is a float
    return Z, y.reshape(-1), w if abs(w.sum() - 1) <= 2 * gamma(len(w)) else w / w.sum()
