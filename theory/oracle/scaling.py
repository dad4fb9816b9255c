"""A sample with one output and a penalty in units of size one, and the risk of a net on it, rounded up.

F(W, b) = E (Y - b relu(W X))^2 + kappa |b|_1 of eq. (6). With X = 2^size X', Y = 2^level Y', b = 2^(level - size) b' it is
4^level times the same with kappa' = kappa 2^(-size - level): rows W stay in the unit ball, no square overflows or
underflows, and results go back to the user's units exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import lasso
from theory.numerics import Array, above, below, exponent, gamma, times
from theory.numerics import validation as check
from theory.risk import Sample

# The smallest penalty that bounds are computed with, in units of size one.
SMALLEST = 2.0**-900

TOO_SMALL = "sample must not have inputs so small next to Y that weights overflow; scale X up or Y down"


@dataclass(frozen=True, eq=False)
class Normalised:
    """X (N, n), y (N,) with E x_k^2 and E y^2 near one at most, w (N,) > 0, kappa, all of size one; size, level: exponents."""

    X: Array
    y: Array
    w: Array
    kappa: float
    size: int
    level: int

    @property
    def sample(self) -> Sample:
        """The sample in units of size one."""
        return Sample(self.X, self.y[:, None], self.w)

    def lower(self, value: float) -> float:
        """A lower bound `value` on a risk, back in the user's units, rounded down; an undecided one (NaN) is none: 0."""
        return below(value, 2 * self.level) if value > 0 else 0.0

    def upper(self, value: float) -> float:
        """An upper bound `value` on a risk, back in the user's units; ValueError beyond float64 (and where undecided)."""
        bound = above(value, 2 * self.level) if value >= 0 else np.inf
        if not bound < np.inf:
            raise ValueError(f"sample must keep the risk within float64; got targets near 2^{self.level}: scale Y down")
        return bound

    def net(self, W: Array, b: Array, value: float) -> tuple[float, Array]:
        """Risk (from above; `value` in units of size one) and weights (k,) of rows W (k, n), weights b (k,), for the user.

        Where weights underflow the risk is that of what is left. ValueError where they overflow.
        """
        weights = times(b, self.level - self.size)
        if not np.isfinite(weights).all():
            raise ValueError(TOO_SMALL)
        left = times(weights, self.size - self.level)
        if not np.array_equal(left, b):
            value = risk_above(self, W, left)
        return self.upper(value), weights

    def weights(self, b: Array) -> Array:
        """The user's weights b (k,) in units of size one."""
        return times(b, self.size - self.level)


def normalised(sample: Sample, kappa: float, equation: str = "eq. (6)") -> Normalised:
    """A sample with one output and kappa >= 0 in units of size one; `equation` names the problem in errors.

    ValueError for several outputs, and for a positive kappa below 2^-900 in these units. Samples without weight go.
    """
    check.instance(sample, "sample", Sample)
    if sample.n_out != 1:
        raise ValueError(f"sample must have one output for {equation}; got {sample.n_out}")
    kappa = check.number(kappa, "kappa", minimum=0.0)
    seen = sample.weights > 0
    X, y, w = sample.X[seen], sample.Y[seen, 0], sample.weights[seen]
    root = np.sqrt(w)
    size, level = exponent(root[:, None] * X), exponent(root * y)
    scaled = float(times(kappa, -size - level))
    if not (X.any() and y.any()):
        scaled = max(scaled, float(kappa > 0))  # no weight is worth anything, whatever it costs
    if kappa > 0 and scaled < SMALLEST:
        raise ValueError(f"kappa must be 0, or not below 2^-900 next to X times Y; got {kappa:g}")
    return Normalised(times(X, -size), times(y, -level), w, min(scaled, lasso.LARGEST_PENALTY), size, level)


def relu_features(X: Array, W: Array, *, sure: bool = False) -> Array:
    """The features <w_j, x_i>_+ (N, k) of rows W (k, n) on inputs X (N, n).

    sure: what may be a rounding error is set to zero. Without a penalty a unit that sees nothing else would be given a
    weight of 1e16.
    """
    T = X @ W.T
    if sure:
        T = np.where(T > gamma(X.shape[1] + 2) * (np.abs(X) @ np.abs(W).T), T, 0.0)
    return np.maximum(T, 0)


def inside(W: Array) -> Array:
    """Rows W (M, n) scaled to norm 1, less a few roundings: they are in the unit ball exactly; zero rows stay."""
    size = np.linalg.norm(W, axis=1, keepdims=True)
    return W / np.where(size > 0, size, 1.0) * (1 - (W.shape[1] + 8) * 2.0**-53)


def risk_above(p: Normalised, W: Array, b: Array) -> float:
    """An upper bound on the risk of rows W (k, n) with weights b (k,), roundings of the features included, in p's units."""
    X = p.X
    size = np.abs(X) @ (np.abs(W).T @ np.abs(b))
    blur = gamma(X.shape[1] + 2) * size * (1 + gamma(len(b) + X.shape[1] + 8))
    blur = blur + (X.shape[1] + 2) * 2.0**-1074 * np.abs(b).sum()  # inputs and products that underflow
    return lasso.primal(relu_features(X, W), p.y, p.w, p.kappa, b, blur)
