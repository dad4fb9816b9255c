"""The true maximum of a risk (eqs 1, 2) along a segment or a path, with an upper bound that holds in exact arithmetic.

Three methods, the cheapest that applies:

- CONVEX: the network is affine in t (one layer moves, and everything above it is linear; incoming rows of idle units
  may move as well, they change nothing). The risk is convex along the segment, so the larger end decides.
- QUARTIC: one hidden layer of relu or identity units under squared loss; exact (`theory.quartic`).
- BRANCH_AND_BOUND: everything else; cells of t with rigorous enclosures (`theory.enclosures`), split until the bound
  is within the requested relative gap of a value that is attained.

`value` is the risk evaluated at the point `t`; `upper` is never below the true maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory import branch_and_bound, enclosures, quartic, rational
from theory import validation as check
from theory.paths import Path
from theory.risk import Risk

Array = NDArray[Any]

GAP = 1e-4
CELLS = 20_000


class Named(Enum):
    """An enumeration whose members print as their names; their values are advice in words."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


class Method(Named):
    """How a maximum was found."""

    CONVEX = "the risk is convex along the segment: its ends decide"
    QUARTIC = "piecewise quartic with known breakpoints: exact"
    BRANCH_AND_BOUND = "cells of t with interval enclosures"


class Status(Named):
    """Whether the requested accuracy was met; the value is advice."""

    CONVERGED = "upper is within the requested gap of value"
    DECIDED = "stopped at the ceiling: it is known whether the maximum exceeds it"
    BUDGET = "the budget of cells ran out: upper holds but is loose; raise budget or gap"
    ROUNDING = "rounding or overflow keeps upper away from value: upper holds but is loose; scale the problem"


@dataclass(frozen=True, repr=False)
class Maximum:
    """max F on a segment: `value` = F at parameter `t` of it, `upper` >= the true maximum.

    method: how the bound was found; status: whether it is as close as was asked.
    """

    value: float
    upper: float
    t: float
    method: Method
    status: Status

    def __repr__(self) -> str:
        return f"Maximum({_words(self.value, self.upper)} at t = {self.t:.6g}, {self.method.name}, {self.status.name})"


@dataclass(frozen=True, repr=False)
class PathMaximum:
    """max F on a path: `value` = F at path parameter `t`, on `piece`; `upper` >= the true maximum.

    method, status: of the piece that rules, as in `Maximum`.
    """

    value: float
    upper: float
    t: float
    piece: int
    method: Method
    status: Status

    def __repr__(self) -> str:
        where = f"at t = {self.t:.6g} on piece {self.piece}"
        return f"PathMaximum({_words(self.value, self.upper)} {where}, {self.method.name}, {self.status.name})"


@dataclass(frozen=True, eq=False, repr=False)
class Maxima:
    """Maxima of S segments, as in `Maximum`: value (S,), upper (S,), t (S,); method and status are tuples."""

    value: Array
    upper: Array
    t: Array
    method: tuple[Method, ...]
    status: tuple[Status, ...]

    def __repr__(self) -> str:
        if not self.method:
            return "Maxima(no segments)"
        count = len(self.method)
        top = _words(float(np.max(self.value)), float(np.max(self.upper)))
        return f"Maxima({count} segment{'s' * (count > 1)}, the largest {top})"


def segment_maximum(
    risk: Risk, theta_0: ArrayLike, theta_1: ArrayLike, *, gap: float = GAP, budget: int = CELLS
) -> Maximum:
    """max over t in [0, 1] of F((1 - t) theta_0 + t theta_1), ends included; theta_0, theta_1 of shape (P,).

    gap: relative gap at which branch and bound stops (the other methods do better by themselves); budget: how many
    cells it may use. Raises ValueError on wrong shapes, NaN or infinity.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> F = Risk(Network((1, 2, 1)), Sample([[1.0]], [[1.0]]))
    >>> found = segment_maximum(F, [1, 0, 1, 0], [0, 1, 0, 1])  # two exact fits, with other units
    >>> found.value, found.t, found.method.name, found.value <= found.upper < 0.25 + 1e-9
    (0.25, 0.5, 'QUARTIC', True)
    """
    check.instance(risk, "risk", Risk)
    theta_0 = check.parameters(theta_0, risk.network.size, "theta_0")
    theta_1 = check.parameters(theta_1, risk.network.size, "theta_1")
    for name, theta in (("theta_0", theta_0), ("theta_1", theta_1)):
        if theta.ndim != 1:
            raise ValueError(f"{name} must have shape ({risk.network.size},); got {theta.shape}")
    m = segment_maxima(risk, theta_0[None], theta_1[None], gap=gap, budget=budget)
    return Maximum(float(m.value[0]), float(m.upper[0]), float(m.t[0]), m.method[0], m.status[0])


def path_maximum(
    risk: Risk, path: Path, *, gap: float = GAP, ceiling: float | None = None, budget: int = CELLS
) -> PathMaximum:
    """The maximum of F over a polyline, as `segment_maximum`; pieces below the highest are not refined.

    ceiling: stop as soon as it is known whether the maximum is <= ceiling, whatever the gap; one within
    `branch_and_bound.TIE` of it, relatively, may stay undecided. budget: cells per piece.
    ValueError when the path is none, or does not fit the network.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> F = Risk(Network((1, 2, 1)), Sample([[1.0]], [[1.0]]))
    >>> found = path_maximum(F, Path([[1, 0, 1, 0], [1, 1, 1, 0], [1, 1, 0, 1]]))  # one layer at a time
    >>> found.value, found.upper < 1e-9
    (0.0, True)
    """
    if not isinstance(path, Path):
        raise ValueError(f"path must be a Path; got {type(path).__name__}")
    points = check.parameters(path.points, check.instance(risk, "risk", Risk).network.size, "path.points")
    starts, ends = (points[:-1], points[1:]) if len(path) else (points, points)
    m = _maxima(risk, starts, ends, gap, ceiling, budget, joint=True)
    piece, top = int(np.argmax(m.value)), int(np.argmax(m.upper))
    t = (piece + m.t[piece]) / max(len(path), 1)
    return PathMaximum(float(m.value[piece]), float(m.upper[top]), float(t), piece, m.method[top], m.status[top])


def segment_maxima(
    risk: Risk,
    starts: ArrayLike,
    ends: ArrayLike,
    *,
    gap: float = GAP,
    ceiling: float | None = None,
    budget: int = CELLS,
) -> Maxima:
    """The maxima over many segments, starts and ends (S, P); see `segment_maximum`.

    ceiling: a segment stops as soon as it is known whether its maximum is <= ceiling, whatever the gap (see
    `path_maximum`). budget: cells per segment. ValueError unless starts and ends have one shape.
    """
    check.instance(risk, "risk", Risk)
    starts = check.parameters(starts, risk.network.size, "starts")
    ends = check.parameters(ends, risk.network.size, "ends")
    if starts.ndim != 2 or starts.shape != ends.shape:
        raise ValueError(
            f"starts and ends must both have shape (S, {risk.network.size}); got {starts.shape}, {ends.shape}"
        )
    return _maxima(risk, starts, ends, gap, ceiling, budget, joint=False)


def is_convex_along(risk: Risk, theta_0: Array, theta_1: Array) -> bool:
    """Whether the network is affine in t along the segment because one layer moves and all above it are linear.

    Rows into units whose outgoing weights vanish at both ends do not count as moving. True proves convexity of the
    risk (both losses and all penalties are convex); False proves nothing.
    """
    net = risk.network
    before, after = net.weights(theta_0), net.weights(theta_1)
    if net.output != "identity":
        return False
    moving = []
    for k in range(net.depth, 0, -1):
        rows = (before[k - 1] != after[k - 1]).any(axis=1)
        if k < net.depth:
            columns = slice(0, net.widths[k])
            rows &= (before[k][:, columns] != 0).any(axis=0) | (after[k][:, columns] != 0).any(axis=0)
        if rows.any():
            moving.append(k)
    if len(moving) > 1:
        return False
    return not moving or moving[0] == net.depth or net.activation == "identity"


def _words(value: float, upper: float) -> str:
    """As many digits as tell both ends apart, and six at least: '0.41388 <= max <= 0.41390'."""
    apart = abs(upper - value) / abs(value) if value and np.isfinite(upper) else 1.0
    digits = 6 if not 0 < apart < 1e-4 else min(17, int(np.ceil(-np.log10(apart))) + 2)
    return f"{value:.{digits}g} <= max <= {upper:.{digits}g}"


def _maxima(
    risk: Risk, starts: Array, ends: Array, gap: float, ceiling: float | None, budget: int, joint: bool
) -> Maxima:
    """`joint`: only the largest of all maxima matters, so that each segment may stop below the best value seen."""
    gap = check.number(gap, "gap", minimum=0.0, open_minimum=True)
    budget = check.positive_integer(budget, "budget")
    if ceiling is not None:
        ceiling = check.number(ceiling, "ceiling")
    count = len(starts)
    if count == 0:
        return Maxima(np.zeros(0), np.zeros(0), np.zeros(0), (), ())
    with np.errstate(over="ignore", invalid="ignore"):
        if count > 1 and np.array_equal(starts[1:], ends[:-1]):  # a polyline: shared vertices are evaluated once
            along = risk.batch(np.concatenate([starts, ends[-1:]]))
            at_ends = np.stack([along[:-1], along[1:]])
        else:
            at_ends = np.stack([risk.batch(starts), risk.batch(ends)])
    if not np.isfinite(at_ends).all():
        side, k = np.argwhere(~np.isfinite(at_ends))[0]
        names = "path.points" if joint else ("theta_0 (starts)", "theta_1 (ends)")[side]
        raise ValueError(
            f"{names} must have a finite risk; it overflows at the {('start', 'end')[side]} of segment {k}. "
            "Scale the weights or the data down"
        )
    value, t, upper = at_ends.max(axis=0), at_ends.argmax(axis=0).astype(float), np.full(count, np.inf)
    convex = np.array([is_convex_along(risk, a, b) for a, b in zip(starts, ends)])
    status = np.full(count, Status.CONVERGED, dtype=object)
    otherwise = Method.QUARTIC if quartic.applies(risk) else Method.BRANCH_AND_BOUND
    method = tuple(Method.CONVEX if c else otherwise for c in convex)
    if convex.any():
        upper[convex] = _at_ends(risk, starts[convex], ends[convex])
        if quartic.applies(risk) and rational.affordable(risk):
            for k in np.flatnonzero(convex & (upper - value > quartic.ACCURACY * np.maximum(1.0, value))):
                upper[k] = min(upper[k], rational.upper_bound(risk, starts[k], ends[k]))
    rest = np.flatnonzero(~convex)
    if rest.size and quartic.applies(risk):
        for k in rest:
            piece = quartic.maximum(risk, starts[k], ends[k])
            with np.errstate(over="ignore", invalid="ignore"):
                inside = risk((1 - piece.t) * starts[k] + piece.t * ends[k])
            if value[k] < inside < np.inf:
                value[k], t[k] = inside, piece.t
            upper[k] = piece.upper
    elif rest.size:
        goal = branch_and_bound.Goal(gap, ceiling, float(value.max()) if joint else -np.inf)
        found = branch_and_bound.search(risk, starts[rest], ends[rest], value[rest], t[rest], goal, budget)
        value[rest], t[rest], upper[rest] = found.value, found.t, found.upper
        best = goal.best(found.value)
        far = found.upper > best * (1 + gap)
        status[rest[far & found.narrow]] = Status.ROUNDING
        status[rest[far & found.spent]] = Status.BUDGET
        if ceiling is not None:
            decided = goal.exceeded(best) | (found.upper <= ceiling)
            status[rest[far & decided]] = Status.DECIDED
    direct = convex | quartic.applies(risk)
    loose = upper - value > np.maximum(gap * value, 1e-9 * np.maximum(1.0, value))
    status[direct & loose] = Status.ROUNDING
    if ceiling is not None:
        status[direct & loose & ((value > ceiling) | (upper <= ceiling))] = Status.DECIDED
    return Maxima(value, np.maximum(upper, value), t, method, tuple(status))


def _at_ends(risk: Risk, starts: Array, ends: Array) -> Array:
    """Rigorous bound on the larger end of each segment; shared vertices of a polyline are evaluated once."""
    zero = np.zeros(len(starts))
    first = enclosures.upper_bounds(risk, starts, starts, zero, zero)
    if len(starts) > 1 and np.array_equal(starts[1:], ends[:-1]):
        last = enclosures.upper_bounds(risk, ends[-1:], ends[-1:], zero[:1], zero[:1])
        second = np.concatenate([first[1:], last])
    else:
        second = enclosures.upper_bounds(risk, ends, ends, zero, zero)
    return np.maximum(first, second)
