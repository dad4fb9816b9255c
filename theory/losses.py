"""The losses of eqs (1) and (2) in one place: values, slopes, what targets they allow, and bounds that hold with rounding.

All of them are convex in the output f and summed over outputs:

    squared  |f - y|^2        absolute  |f - y|_1
    logistic sum_o log(1 + exp(-y_o f_o))     hinge  sum_o max(0, 1 - y_o f_o)      y_o in {-1, +1}
    softmax  sum_k y_k (log sum_m exp(f_m) - f_k)                                   y >= 0, sum y = 1

so a loss of affine outputs is convex along a segment, and the supremum over a box |f - c| <= r is convex in c: bounds over
a cell are those at its ends. Every bound below holds in exact arithmetic. exp and log1p of numpy are taken to be within
`LIBM`, as exp and tanh are elsewhere (the tests compare them with python-flint's balls); log1p is never worse conditioned
than 1 on [0, inf), so errors of its argument pass on relatively. The soft maximum is formed from differences of outputs,
all terms positive, so that a small loss keeps its digits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theory.numerics import LIBM, TINY, UNIT, Array, down, gamma, up

SUMS = 1e-6  # rows of probabilities may sum to one up to this (they may come from float32), and are scaled


class Loss:
    """A convex loss l(f, y) >= 0 of outputs f (..., N, n_out) and targets y (N, n_out).

    name: as `Risk` takes it; smoothness: beta, the Lipschitz constant of its gradient in f (inf: none); strength: the
    largest a for which l - a |f|^2 is convex in f; roundings: how many a term of `value` meets at most, sums apart (exponents down to
    -745 are off by half a unit).
    """

    name: str
    smoothness: float = math.inf
    strength: float = 0.0
    roundings: int = 2000

    def lipschitz(self, n_out: int) -> float:
        """L, the Lipschitz constant of the loss in f, Euclidean norms; inf where there is none."""
        raise NotImplementedError

    def fall(self, value: Array, distance: Array, n_out: int) -> Array:
        """By how much a mean loss `value` (B,) falls at most when the outputs move by `distance` (B,) in the mean square."""
        return self.lipschitz(n_out) * distance

    def rise(self, value: Array, distance: Array, n_out: int) -> Array:
        """By how much a mean loss `value` (B,) rises at most when the outputs move by `distance` (B,) in the mean square."""
        return self.lipschitz(n_out) * distance

    def targets(self, Y: Array, n_out: int) -> Array:
        """Y (N, n_out) as the loss sees it, for a network of n_out outputs; ValueError outside the domain of the loss."""
        return Y

    def value(self, f: Array, Y: Array) -> Array:
        """l(f, y) at each sample, (..., N); inf or NaN where float64 overflows."""
        raise NotImplementedError

    def slope(self, f: Array, Y: Array) -> Array:
        """dl/df (..., N, n_out); at a kink the subgradient 0 of |.| and of max(0, .)."""
        raise NotImplementedError

    def majorant(self, f: Array, Y: Array, floor: float) -> tuple[Array, Any]:
        """Slope (..., N, n_out) and curvature of a quadratic in each output that is above the loss and touches it at f.

        |r| <= r^2 / (2 s) + s / 2 where it has kinks, s = |r| at f, but at least `floor` times its mean over samples, so
        that the quadratic is not stiff.
        """
        return self.slope(f, Y), self.smoothness

    def upper(self, centre: Array, radius: Array, Y: Array) -> Array:
        """A bound (..., N) from above on l(f, y) over |f - centre| <= radius, both (..., N, n_out); NaN: none is known."""
        raise NotImplementedError

    def lower(self, centre: Array, radius: Array, Y: Array) -> Array:
        """A bound (..., N) from below on l(f, y) over |f - centre| <= radius, both (..., N, n_out), at least 0."""
        raise NotImplementedError


class Squared(Loss):
    """|f - y|^2, eq. (1); beta = 2."""

    name, smoothness, strength, roundings = "squared", 2.0, 1.0, 16

    def lipschitz(self, n_out: int) -> float:
        """No constant, whatever n_out."""
        return math.inf

    def fall(self, value: Array, distance: Array, n_out: int) -> Array:
        """2 sqrt(value) distance, (B,) each, for any n_out: (a - d)^2 >= a^2 - 2 a d."""
        return 2 * np.sqrt(value) * distance

    def rise(self, value: Array, distance: Array, n_out: int) -> Array:
        """2 sqrt(value) distance + distance^2, (B,) each, for any n_out."""
        return (2 * np.sqrt(value) + distance) * distance

    def value(self, f: Array, Y: Array) -> Array:
        """As for `Loss`: f, Y to (..., N)."""
        r = f - Y
        r *= r
        return r[..., 0] if r.shape[-1] == 1 else r.sum(axis=-1)

    def slope(self, f: Array, Y: Array) -> Array:
        """2 (f - Y), (..., N, n_out)."""
        return 2 * (f - Y)

    def upper(self, centre: Array, radius: Array, Y: Array) -> Array:
        """(|centre - Y| + radius)^2 rounded up, (..., N)."""
        r = np.abs(centre - Y) + radius
        return (r * r).sum(axis=-1) * (1 + gamma(Y.shape[1] + 16)) + TINY

    def lower(self, centre: Array, radius: Array, Y: Array) -> Array:
        """(|centre - Y| - radius)^2 rounded down, (..., N)."""
        r = np.maximum(np.abs(centre - Y) * (1 - 4 * UNIT) - radius, 0.0)
        return _floor((r * r).sum(axis=-1), Y.shape[1])


class Absolute(Loss):
    """|f - y|_1."""

    name, roundings = "absolute", 16

    def lipschitz(self, n_out: int) -> float:
        """sqrt(n_out): |f|_1 <= sqrt(n_out) |f|."""
        return math.sqrt(n_out)

    def value(self, f: Array, Y: Array) -> Array:
        """As for `Loss`: f, Y to (..., N)."""
        return np.abs(f - Y).sum(axis=-1)

    def slope(self, f: Array, Y: Array) -> Array:
        """The sign of f - Y, (..., N, n_out)."""
        return np.sign(f - Y)

    def majorant(self, f: Array, Y: Array, floor: float) -> tuple[Array, Any]:
        """As for `Loss`, f and Y to (..., N, n_out) each; floor: of |f - Y|."""
        size = _smoothed(f - Y, floor)
        return (f - Y) / size, 1 / size

    def upper(self, centre: Array, radius: Array, Y: Array) -> Array:
        """|centre - Y| + radius rounded up, (..., N)."""
        return (np.abs(centre - Y) + radius).sum(axis=-1) * (1 + gamma(Y.shape[1] + 8)) + TINY

    def lower(self, centre: Array, radius: Array, Y: Array) -> Array:
        """|centre - Y| - radius, at least 0, rounded down, (..., N)."""
        return _floor(np.maximum(np.abs(centre - Y) * (1 - 4 * UNIT) - radius, 0.0).sum(axis=-1), Y.shape[1])


class _Margin(Loss):
    """Losses phi(-y f), phi increasing and convex, of targets -1 and +1."""

    def lipschitz(self, n_out: int) -> float:
        """sqrt(n_out): phi is 1-Lipschitz."""
        return math.sqrt(n_out)

    def targets(self, Y: Array, n_out: int) -> Array:
        """Y (N, n_out), -1 and +1 only."""
        bad = np.abs(Y) != 1
        if bad.any():
            hint = " Of labels 0 and 1 pass 2 * Y - 1" if np.isin(Y, (0, 1)).all() else ""
            raise ValueError(
                f"Y must be -1 or +1 for the {self.name} loss; got {float(Y[bad][0])!r}.{hint}".rstrip(".")
            )
        return Y

    def value(self, f: Array, Y: Array) -> Array:
        """As for `Loss`: f, Y to (..., N)."""
        z = -Y * f
        return self._phi(np.where(np.isfinite(z), z, np.inf)).sum(axis=-1)

    def upper(self, centre: Array, radius: Array, Y: Array) -> Array:
        """phi(radius - Y centre) rounded up, (..., N)."""
        high = self._phi(up(radius - Y * centre))
        return high.sum(axis=-1) * (1 + gamma(Y.shape[1] + 8) + 4 * LIBM) + TINY

    def lower(self, centre: Array, radius: Array, Y: Array) -> Array:
        """phi(-Y centre - radius) rounded down, (..., N)."""
        return _floor(self._phi(down(-Y * centre - radius)).sum(axis=-1) * (1 - 4 * LIBM), Y.shape[1])

    def _phi(self, z: Array) -> Array:
        raise NotImplementedError


class Logistic(_Margin):
    """log(1 + exp(-y f)), y = -1 or +1, summed over outputs; beta = 1/4."""

    name, smoothness = "logistic", 0.25

    def slope(self, f: Array, Y: Array) -> Array:
        """-Y / (1 + exp(Y f)), (..., N, n_out)."""
        z = Y * f
        e = np.exp(-np.abs(z))
        return -Y * np.where(z > 0, e, 1.0) / (1 + e)

    def _phi(self, z: Array) -> Array:
        size = np.where(z.real > 0, z, -z)
        return np.where(z.real > 0, z, 0.0) + np.log1p(np.exp(-size))


class Hinge(_Margin):
    """max(0, 1 - y f), y = -1 or +1, summed over outputs."""

    name, roundings = "hinge", 16

    def slope(self, f: Array, Y: Array) -> Array:
        """-Y where Y f < 1, else 0, (..., N, n_out)."""
        return np.where(Y * f < 1, -Y, 0.0)

    def majorant(self, f: Array, Y: Array, floor: float) -> tuple[Array, Any]:
        """As for `Loss`, f and Y to (..., N, n_out) each, from max(0, u) = (u + |u|) / 2; floor: of |u| = |1 - Y f|."""
        u = 1 - Y * f
        size = _smoothed(u, floor)
        return -0.5 * Y * (1 + u / size), 0.5 / size

    def _phi(self, z: Array) -> Array:
        return np.maximum(1 + z, 0.0)


class Softmax(Loss):
    """Cross-entropy on logits, sum_k y_k (log sum_m exp(f_m) - f_k): rows of Y one-hot or probabilities; beta = 1/2."""

    name, smoothness = "softmax", 0.5

    def lipschitz(self, n_out: int) -> float:
        """sqrt(2): the gradient is a difference of two probability vectors (0 for n_out = 1)."""
        return math.sqrt(2.0) if n_out > 1 else 0.0

    def targets(self, Y: Array, n_out: int) -> Array:
        """Y (N, n_out) with rows that sum to one, scaled where they do only up to `SUMS`.

        Labels 0, ..., n_out - 1 in one column (N, 1) become one-hot rows; ValueError for anything else.
        """
        if Y.shape[1] == 1 and n_out > 1:
            labels = Y[:, 0]
            if not np.isin(labels, np.arange(n_out)).all():
                bad = labels[~np.isin(labels, np.arange(n_out))][0]
                raise ValueError(f"Y must hold labels 0, ..., {n_out - 1} or one column per class; got {float(bad)!r}")
            return np.eye(n_out)[labels.astype(int)]
        sums = Y.sum(axis=1, keepdims=True)
        bad = (Y < 0).any(axis=1) | (np.abs(sums[:, 0] - 1) > SUMS)
        if bad.any():
            row = int(bad.argmax())
            raise ValueError(
                "Y must have nonnegative rows that sum to one for the softmax loss, or one column of labels 0, 1, ...; "
                f"row {row} sums to {sums[row, 0]:.9g} and its least entry is {Y[row].min():.9g}"
            )
        off = np.abs(sums - 1) > gamma(Y.shape[1] + 8)  # rows that sum to one are kept to the bit
        return np.where(off, Y / sums, Y) if off.any() else Y

    def value(self, f: Array, Y: Array) -> Array:
        """As for `Loss`: f, Y to (..., N)."""
        top = f.real.argmax(axis=-1)[..., None]
        below = np.take_along_axis(f, top, axis=-1) - f  # >= 0, and 0 at the top
        return Y.sum(axis=-1) * _log_sum(-below, top) + (Y * below).sum(axis=-1)

    def slope(self, f: Array, Y: Array) -> Array:
        """softmax(f) - Y, (..., N, n_out); rows of Y that sum to s: s softmax(f) - Y."""
        e = np.exp(f - f.max(axis=-1, keepdims=True))
        return Y.sum(axis=-1)[:, None] * (e / e.sum(axis=-1, keepdims=True)) - Y

    def upper(self, centre: Array, radius: Array, Y: Array) -> Array:
        """As for `Loss`, centre, radius, Y to (..., N): s log sum exp(E) with E_k the largest f_k - <p, f> over the box."""
        middle, reach, blur = self._exponents(centre, radius, Y)
        E = middle + reach + blur
        top = E.argmax(axis=-1)[..., None]
        most = np.take_along_axis(E, top, axis=-1)
        high = np.maximum(most[..., 0], 0.0) + _log_sum(np.minimum(up(E - most), 0.0), top)
        return high * Y.sum(axis=-1) * (1 + gamma(2 * Y.shape[1] + 32) + 4 * LIBM) + TINY

    def lower(self, centre: Array, radius: Array, Y: Array) -> Array:
        """As for `Loss`, centre, radius, Y to (..., N): s log sum exp(E) with E_k at most f_k - <p, f> over the box."""
        middle, reach, blur = self._exponents(centre, radius, Y)
        E = middle - reach - blur
        top = E.argmax(axis=-1)[..., None]
        most = np.take_along_axis(E, top, axis=-1)
        rest = _log_sum(down(E - most), top) * (1 - 4 * LIBM - gamma(2 * Y.shape[1] + 32))
        return _floor(Y.sum(axis=-1) * np.maximum(down(most[..., 0] + rest), 0.0), 2 * Y.shape[1])

    def _exponents(self, centre: Array, radius: Array, Y: Array) -> tuple[Array, Array, Array]:
        """m, r and blur with |f_k - <p, f> - m_k| <= r_k + blur_k on the box, p = Y / sum Y: all (..., N, n_out).

        From differences a_k to the heaviest class j of p: f_k - <p, f> moves by at most (1 - p_k) r_k + sum_{m != k} p_m
        r_m. For a one-hot row class j gives exactly 0 and 0. blur: n_out + 4 roundings of terms of that total size.
        """
        p = Y / Y.sum(axis=-1, keepdims=True)
        heaviest = np.broadcast_to(p.argmax(axis=-1)[:, None], (*centre.shape[:-1], 1))
        a = centre - np.take_along_axis(centre, heaviest, axis=-1)
        spread = (p * radius).sum(axis=-1, keepdims=True)
        reach = radius - 2 * p * radius + spread
        size = np.abs(a) + (p * np.abs(a)).sum(axis=-1, keepdims=True) + radius + spread
        return a - (p * a).sum(axis=-1, keepdims=True), reach, 4 * gamma(Y.shape[1] + 8) * size


def _smoothed(r: Array, floor: float) -> Array:
    return np.maximum(np.abs(r), floor * np.abs(r).mean(axis=(-1, -2), keepdims=True) + 1e-300)


def _log_sum(d: Array, top: Array) -> Array:
    """log(1 + sum of exp(d) over all k but `top`) along the last axis."""
    e = np.exp(d)
    np.put_along_axis(e, top, 0.0, axis=-1)
    return np.log1p(e.sum(axis=-1))


def _floor(x: Array, n: int) -> Array:
    """x >= 0, a sum of n rounded terms, rounded down."""
    return np.maximum(x * (1 - gamma(n + 16)) - TINY, 0.0)


LOSSES: dict[str, Loss] = {loss.name: loss for loss in (Squared(), Absolute(), Logistic(), Hinge(), Softmax())}

# What other libraries call them: error messages suggest our names.
ALIASES = {
    "mse": "squared",
    "l2": "squared",
    "squared_error": "squared",
    "mae": "absolute",
    "l1": "absolute",
    "absolute_error": "absolute",
    "log_loss": "logistic",
    "bce": "logistic",
    "binary_crossentropy": "logistic",
    "cross_entropy": "softmax",
    "crossentropy": "softmax",
    "cross-entropy": "softmax",
    "categorical_crossentropy": "softmax",
    "svm": "hinge",
}
