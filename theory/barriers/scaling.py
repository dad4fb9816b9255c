"""One rule for size, at the door of the chapter: X and Y are brought near one by powers of two, which is exact.

F = E|W_2 rho(W_1 X) - Y|^2 + kappa |W_2|_1 with X = 2^x X', Y = 2^y Y', kappa = 2^(x + y) kappa' and
W_2 = 2^(y - x) W_2' is 4^y F'. So bounds, paths and reasons are those of the scaled problem, and go back exactly; what
would not go there and back exactly is refused by ValueError.

Ours; for the bounds of section 2.3.1 and appendix E.1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from theory.networks import Network
from theory.numerics import Array, Vector, above, below, exponent, float_below, times
from theory.paths import Path
from theory.rays import Rays
from theory.risk import Sample

# |Y| at or above two to this power: E|Y|^2 may overflow.
MOST_BITS = 500


@dataclass(frozen=True)
class DataScale:
    """X = 2^x X', Y = 2^y Y'."""

    x: int
    y: int

    def below(self, value: float) -> float:
        """4^y value, a lower bound of a risk, rounded down; 0 for an undecided one (NaN)."""
        return below(value, 2 * self.y) if value > 0 else 0.0

    def above(self, value: float) -> float:
        """4^y value, rounded up; an undecided one (NaN) is infinite."""
        return above(value, 2 * self.y) if value < np.inf else np.inf

    def path(self, network: Network, path: Path) -> Path:
        """A path for the scaled data as one for the data themselves; ValueError where a weight leaves the floats."""
        exponents = np.zeros(network.size, dtype=int)
        W_1, W_2 = network.weights(np.arange(network.size))
        exponents[W_2.astype(int)] = self.y - self.x
        if network.bias:
            exponents[W_1[:, -1].astype(int)] = self.x
            exponents[W_2[:, -1].astype(int)] = self.y
        points = times(path.points, exponents)
        if not np.array_equal(times(points, -exponents), path.points):
            raise ValueError(
                f"sample must have X and Y of sizes whose ratio float64 holds; got sizes 2^{self.x} and 2^{self.y}. "
                "Scale them to sizes near one"
            )
        return Path(points, path.labels)


def normalised(sample: Sample, kappa: float = 0.0) -> tuple[Sample, float, DataScale]:
    """(X', Y'), kappa' and the scale, with the largest entries of X' and of Y' in [1/2, 1); exact.

    ValueError where |Y| reaches 2^MOST_BITS, or where X, Y or kappa span more than the floats hold.
    """
    scale = DataScale(exponent(sample.X), exponent(sample.Y))
    if scale.y > MOST_BITS:
        raise ValueError(f"Y must be smaller than 2^{MOST_BITS}: its squares overflow float64; scale it down")
    X, Y = _exactly(sample.X, -scale.x, "X"), _exactly(sample.Y, -scale.y, "Y")
    return Sample(X, Y, sample.weights), float(_exactly(np.array(kappa), -scale.x - scale.y, "kappa")), scale


def points_near_one(points: Rays) -> tuple[Rays, list[int], int]:
    """The same points with every weight in [1/2, 4), X and Y near one; the exponent of each point, and that of Y.

    Point i is moved along its ray by a power of two h_i, its target with it: p |V rho(W x) - y|^2 stays as it is.
    """
    h = [bits(p) // 2 for p in points.p]
    two = points.constant * 0 + 2
    X = [[v * two**k for v in x] for x, k in zip(points.X, h)]
    Y = [[v * two**k for v in y] for y, k in zip(points.Y, h)]
    p = [v / two ** (2 * k) for v, k in zip(points.p, h)]
    x, y = (max((bits(v) for row in rows for v in row if v != 0), default=0) for rows in (X, Y))
    X, Y = [[v / two**x for v in row] for row in X], [[v / two**y for v in row] for row in Y]
    return replace(points, X=X, Y=Y, p=p), [k - x for k in h], y


def near_one(row: Vector) -> Vector:
    """A nonzero row of rationals times the power of two that brings its largest entry into (1/2, 2)."""
    e = max(bits(v) for v in row if v != 0)
    return [v / ((v * 0 + 2) ** e) for v in row]


def on_the_sphere(points: Rays) -> Rays:
    """The same points, without biases, moved along their rays to sizes near one.

    ValueError where a target then overflows: points so near the origin, beside the others, that no weights reach it.
    """
    X, Y, p = [], [], []
    for x, y, w in zip(points.X, points.Y, points.p):
        c = (w * 0 + 2) ** max(bits(v) for v in x if v != 0)
        X.append([v / c for v in x])
        Y.append([v / c for v in y])
        p.append(w * c * c)
        if any(v != 0 and bits(v) > 1000 for v in Y[-1]):
            raise ValueError("X must not have points so near the origin, beside the others, that no weights reach them")
    return replace(points, X=X, Y=Y, p=p)


def bounded_below(value: Any) -> float:
    """`float_below` of a rational value, a risk; ValueError where it is beyond the floats."""
    try:
        return float_below(value)
    except OverflowError:
        raise ValueError("Y is too large: E|Y|^2 overflows float64; scale it down") from None


def bits(value: Any) -> int:
    """e with 2^(e - 1) < |value| < 2^(e + 1), of a nonzero rational."""
    return int(abs(value.p)).bit_length() - int(value.q).bit_length()


def _exactly(array: Array, bits: int, name: str) -> Array:
    """2^bits array, where that loses nothing."""
    moved = times(array, bits)
    if not np.array_equal(times(moved, -bits), array):
        raise ValueError(f"{name} spans more than float64 holds beside the rest of the data; scale the data")
    return moved
