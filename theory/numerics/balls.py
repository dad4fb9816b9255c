"""Arrays that carry their own error: a `Ball` is a centre and a radius, and every operation encloses the exact result.

x is enclosed by the ball (c, r) when |x - c| <= r. Rounding is derived here, once, for float64 with rounding to nearest
and gradual underflow (IEEE 754); u = 2^-53 is the unit roundoff, `SUBNORMAL` = 2^-1074 the smallest positive number.

Centres. fl(a op b) = (a op b)(1 + delta) + eta with |delta| <= u and |eta| <= SUBNORMAL / 2, where eta = 0 unless a
product, a quotient or a fused product and sum is subnormal: sums and roots do not underflow. So a sum of n terms, in any
order, is within gamma(n) sum |terms| of the exact one, and a dot product of n terms, in any order, fused or not, within
gamma(n) sum |a_k b_k| + n SUBNORMAL (Higham, *Accuracy and Stability of Numerical Algorithms*, SIAM 2002, ch. 3).

Radii. With y = a + da, |da| <= ra and likewise for b:

    |(a + da) + (b + db) - (a + b)|  <=  ra + rb
    |(a + da)(b + db) - a b|         <=  |a| rb + ra (|b| + rb)
    |(a + da)^2 - a^2|               <=  ra (2 |a| + ra)
    |relu(a + da) - relu(a)|         <=  ra,    and the same for |.|
    |(a + da)^(1/2) - a^(1/2)|       <=  min(ra / a^(1/2), ra^(1/2))
    |(a + da) / (b + db) - a / b|    <=  (ra + |a / b| rb) / (|b| - rb)

and the rounding of the centre is added. Such a bound R >= 0 is itself computed in floats, as sums of products of
nonnegative numbers in which no product is multiplied again (but by factors at most 2). With n roundings and products on
the way, R <= (R^ + n SUBNORMAL / 2) / (1 - u)^n for the computed R^, and `_outward(R^, n)` is not below that:
fl(R^ f), f = 1 + gamma(n + 8), is at least R^ f (1 - u) where it is normal, which leaves room for (1 - u)^-n, for the
rounding of f and for that of the sum that follows; where it is subnormal, R^ u <= SUBNORMAL / 2, and (1 - u)^-n adds to R^ at
most n SUBNORMAL, which is added instead of multiplied. (That a product stands last matters: gamma(n) |b| may underflow and then
meet an |a| of 1e300, so it is gamma(n) (|a| |b|) that is computed.)

Overflow. What is not finite is not known: a centre that is no finite number becomes 0 with radius inf, a radius that is no
number >= 0 becomes inf. No operation raises or warns; no radius is NaN, and comparisons of bounds are safe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics.arrays import Array
from theory.numerics.rounding import UNIT, gamma

SUBNORMAL = 2.0**-1074

P = ParamSpec("P")
R = TypeVar("R")


def _quiet(function: Callable[P, R]) -> Callable[P, R]:
    """The function, with nothing said of overflow: it is in the result."""

    @wraps(function)
    def quiet(*args: P.args, **options: P.kwargs) -> R:
        with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
            return function(*args, **options)

    return quiet


@dataclass(frozen=True, eq=False)
class Ball:
    """All real arrays within radius of centre, entry by entry: both (...), of one shape.

    Operators take balls and exact float arrays, and broadcast as numpy does. ValueError when the shapes do not fit.

    >>> third = exact(1.0) / 3.0
    >>> bool(third.lower < third.upper), float(third.upper - third.lower) < 1e-15
    (True, True)
    """

    centre: Array
    radius: Array

    __array_ufunc__ = None  # numpy arrays leave the operators below to us

    def __post_init__(self) -> None:
        centre = np.asarray(self.centre, dtype=float)
        radius = np.asarray(self.radius, dtype=float)
        if radius.shape != centre.shape:
            radius = np.broadcast_to(radius, centre.shape)
        if not (np.isfinite(centre).all() and (radius >= 0).all()):
            known = np.isfinite(centre) & (radius >= 0)
            centre, radius = np.where(known, centre, 0.0), np.where(known, radius, np.inf)
        object.__setattr__(self, "centre", centre)
        object.__setattr__(self, "radius", radius)

    # --- what is known

    @property
    def upper(self) -> Array:
        """The least float found that no element is above, (...); the number itself where it is exact."""
        return self._above()

    @property
    def lower(self) -> Array:
        """The largest float found that no element is below, (...)."""
        return -(-self).upper

    @property
    def magnitude(self) -> Array:
        """A bound above all |elements|, (...)."""
        return abs(self).upper

    @property
    def positive(self) -> Array:
        """Where every element is above 0, (...); False is undecided."""
        return self.centre > self.radius

    @property
    def nonzero(self) -> Array:
        """Where no element is 0, (...); False is undecided."""
        return np.abs(self.centre) > self.radius

    @property
    def shape(self) -> tuple[int, ...]:
        """Of centre and radius."""
        return self.centre.shape

    @_quiet
    def _above(self) -> Array:
        return np.where(self.radius == 0, self.centre, np.nextafter(self.centre + self.radius, np.inf))

    # --- arithmetic

    def __neg__(self) -> Ball:
        return Ball(-self.centre, self.radius)

    def __abs__(self) -> Ball:
        return Ball(np.abs(self.centre), self.radius)

    @_quiet
    def __add__(self, other: Ball | ArrayLike) -> Ball:
        other = exact(other)
        centre = self.centre + other.centre
        return Ball(centre, _outward(self.radius + other.radius + UNIT * np.abs(centre), 4))

    def __sub__(self, other: Ball | ArrayLike) -> Ball:
        return self + -exact(other)

    @_quiet
    def __mul__(self, other: Ball | ArrayLike) -> Ball:
        other = exact(other)
        centre, size = self.centre * other.centre, np.abs(other.centre) + other.radius
        spread = np.abs(self.centre) * other.radius + self.radius * size
        return Ball(centre, _outward(spread + UNIT * np.abs(centre), 8))

    @_quiet
    def __truediv__(self, other: Ball | ArrayLike) -> Ball:
        other = exact(other)
        room = np.abs(other.centre) - other.radius
        centre = self.centre / np.where(room > 0, other.centre, np.nan)
        # what a / b loses when it underflows meets a ratio; what the ratio loses is less than u, which is added anyway
        spread = self.radius / room + (np.abs(centre) + SUBNORMAL) * (other.radius / room)
        return Ball(centre, _outward(spread + UNIT * np.abs(centre), 10))

    @_quiet
    def __matmul__(self, other: Ball | ArrayLike) -> Ball:
        other = exact(other)
        n = max(self.shape[-1], 1)
        centre = self.centre @ other.centre
        A, B, g = np.abs(self.centre), np.abs(other.centre), gamma(n)
        spread = (A @ (B + other.radius / g if other.radius.any() else B)) * g
        if self.radius.any():
            spread = spread + self.radius @ (B + other.radius)
        return Ball(centre, _outward(spread, 2 * n + 8))

    def __radd__(self, other: ArrayLike) -> Ball:
        return self + other

    def __rsub__(self, other: ArrayLike) -> Ball:
        return exact(other) + -self

    def __rmul__(self, other: ArrayLike) -> Ball:
        return self * other

    def __rtruediv__(self, other: ArrayLike) -> Ball:
        return exact(other) / self

    def __rmatmul__(self, other: ArrayLike) -> Ball:
        return exact(other) @ self

    # --- functions

    @_quiet
    def sum(self, axis: int = -1) -> Ball:
        """The sums along an axis, (...)."""
        n = max(self.shape[axis], 1)
        spread = self.radius.sum(axis=axis) + gamma(n) * np.abs(self.centre).sum(axis=axis)
        return Ball(self.centre.sum(axis=axis), _outward(spread, n + 4))

    @_quiet
    def square(self) -> Ball:
        """The squares, (...): tighter than x * x where x is not known to be far from 0."""
        centre, size = self.centre**2, np.abs(self.centre)
        return Ball(centre, _outward(self.radius * (2 * size + self.radius) + UNIT * centre, 8))

    @_quiet
    def sqrt(self) -> Ball:
        """The roots of nonnegative numbers, (...): elements below 0 are left out, as no true value is there."""
        inside = np.maximum(self.centre, 0.0)  # x >= 0 is nearer to it than to a negative centre
        centre = np.sqrt(inside)
        spread = np.fmin(self.radius / centre, np.sqrt(self.radius))
        return Ball(centre, _outward(np.where(self.radius > 0, spread, 0.0) + UNIT * centre, 6))

    def relu(self) -> Ball:
        """max(0, x), (...): exact, and no wider."""
        return Ball(np.maximum(self.centre, 0.0), np.where(self.centre <= -self.radius, 0.0, self.radius))

    @_quiet
    def ldexp(self, exponent: Array | int) -> Ball:
        """x 2^exponent, exponents (...): exact but for underflow."""
        exponent = np.broadcast_to(exponent, np.broadcast_shapes(self.shape, np.shape(exponent)))
        centre, radius = np.ldexp(self.centre, exponent), np.ldexp(self.radius, exponent)
        lost = (np.ldexp(centre, -exponent) != self.centre) | (np.ldexp(radius, -exponent) != self.radius)
        return Ball(centre, np.where(lost, _outward(radius, 4), radius))

    # --- shape

    def __getitem__(self, index: Any) -> Ball:
        return Ball(self.centre[index], self.radius[index])

    @property
    def T(self) -> Ball:
        """The last two axes swapped."""
        return Ball(np.swapaxes(self.centre, -1, -2), np.swapaxes(self.radius, -1, -2))


def exact(value: Ball | ArrayLike) -> Ball:
    """The ball of radius 0 about a float array, `value` (...); `value` itself where it is a ball."""
    if isinstance(value, Ball):
        return value
    centre = np.asarray(value, dtype=float)
    return Ball(centre, np.zeros(centre.shape))


def dot(a: Ball, b: Ball) -> Ball:
    """<a, b> along the last axis, (..., n) and (..., n) -> (...)."""
    return (a[..., None, :] @ b[..., :, None])[..., 0, 0]


@_quiet
def feature_rounding(X: Array, W: Array, beta: Array) -> Array:
    """What the features relu(X W^T), computed in floats, are off in sum_j |beta_j| |error_ij| at most, (N,).

    X (N, n), W (m, n), beta (m,). Entry ij is within gamma(n) <|x_i|, |w_j|> + n SUBNORMAL, and relu does not enlarge it. In
    this factored form it costs no more than reading X and W once. inf where it overflows.
    """
    m, n = W.shape
    size = np.abs(X) @ _outward(np.abs(W).T @ np.abs(beta), 2 * m)  # rounded up, as it is multiplied again
    bound = _outward(size * gamma(n) + np.abs(beta).sum() * (n * SUBNORMAL), 2 * (n + m) + 8)
    return np.where(np.isnan(bound), np.inf, bound)


def _outward(radius: Array, n: int) -> Array:
    """Not below what a radius would be exactly, n roundings and products having entered it (module docstring)."""
    return radius * (1 + gamma(n + 8)) + 2 * (n + 4) * SUBNORMAL
