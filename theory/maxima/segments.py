"""The true maximum of a risk (eqs 1, 2) along a segment or a path, with an upper bound that holds in exact arithmetic.

Four methods, the cheapest that applies:

- CONVEX: the network is affine in t (one layer moves, and everything above it is linear; incoming rows of idle units
  may move as well, they change nothing). Every loss and penalty is convex there, so the larger end decides
  (bounded there by `evaluations`, by `taylor_models.point_bounds` where that shows).
- CONSTANT: the network is the same function all along: outgoing weights move between units that are copies of each
  other. Only the penalty moves, and it is convex in one layer, so again the larger end decides. (It need not be constant:
  from rows (1, 1) and weights (1, -1) a transfer takes the path norm from 2 to 0.)
- QUARTIC: one hidden layer of relu or identity units under squared loss; exact (`theory.maxima.quartic`), after what
  is lower has been left out in linear time where there are many (sample, unit) pairs (`theory.maxima.windows`).
- BRANCH_AND_BOUND: everything else; cells of t with rigorous bounds (`theory.maxima.secants`), split until the bound
  is within the requested relative gap of a value that is attained.

`value` is the risk at the point `t`, rounded down, so never above the true maximum; `upper` is never below it. Both in
exact arithmetic. What counts as close is measured against the problem's own scale, the risk of the zero net.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike

from theory.maxima import branch_and_bound, evaluations, quartic, quartic_in_fractions, taylor_models, windows
from theory.maxima.branch_and_bound import Goal, of_sample
from theory.maxima.results import CELLS, GAP, Maxima, Maximum, Method, PathMaximum, Status
from theory.networks import Network
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk

DIRECT = (Method.CONVEX, Method.CONSTANT)  # decided at the ends
BLUR = 1e-3  # the share of a gap that is left to the rounding of values that branch and bound found
LEAST = 1e-280  # risks of this size have no digits left below them in float64


def segment_maximum(
    risk: Risk, theta_0: ArrayLike, theta_1: ArrayLike, *, gap: float | None = None, budget: int = CELLS
) -> Maximum:
    """max over t in [0, 1] of F((1 - t) theta_0 + t theta_1), ends included; theta_0, theta_1 of shape (P,).

    gap: relative gap at which the search for a better bound stops; None: GAP for branch and bound, as near as rounding
    allows for the other methods. budget: how many cells branch and bound may use. Raises ValueError on wrong shapes, NaN
    or infinity.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> F = Risk(Network((1, 2, 1)), Sample([[1.0]], [[1.0]]))
    >>> found = segment_maximum(F, [1, 0, 1, 0], [0, 1, 0, 1])  # two exact fits, with other units
    >>> found.t, found.method.name, 0.25 - 1e-9 < found.value <= 0.25 <= found.upper < 0.25 + 1e-9
    (0.5, 'QUARTIC', True)
    """
    check.instance(risk, "risk", Risk)
    theta_0 = check.vector(theta_0, risk.network.size, "theta_0")
    theta_1 = check.vector(theta_1, risk.network.size, "theta_1")
    return segment_maxima(risk, theta_0[None], theta_1[None], gap=gap, budget=budget)[0]


def path_maximum(
    risk: Risk, path: Path, *, gap: float | None = None, ceiling: float | None = None, budget: int = CELLS
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
    return _maxima(risk, starts, ends, gap, ceiling, budget, joint=True).highest


def segment_maxima(
    risk: Risk,
    starts: ArrayLike,
    ends: ArrayLike,
    *,
    gap: float | None = None,
    ceiling: float | None = None,
    budget: int = CELLS,
    jobs: int = 1,
) -> Maxima:
    """The maxima over many segments, starts and ends (S, P); see `segment_maximum`.

    ceiling: a segment stops as soon as it is known whether its maximum is <= ceiling, whatever the gap (see
    `path_maximum`). budget: cells per segment. jobs: threads, each with one thread of BLAS: over the segments, or over
    the samples where there are fewer segments than threads and the method is QUARTIC. ValueError unless starts and ends have one shape.
    """
    check.instance(risk, "risk", Risk)
    starts = check.parameters(starts, risk.network.size, "starts")
    ends = check.parameters(ends, risk.network.size, "ends")
    if starts.ndim != 2 or starts.shape != ends.shape:
        raise ValueError(
            f"starts and ends must both have shape (S, {risk.network.size}); got {starts.shape}, {ends.shape}"
        )
    if check.positive_integer(jobs, "jobs") == 1 or len(starts) < jobs:
        return _maxima(risk, starts, ends, gap, ceiling, budget, joint=False, jobs=jobs)
    with windows.threads(jobs) as walk:
        shares = np.array_split(np.arange(len(starts)), jobs)
        parts = list(
            walk(lambda rows: _maxima(risk, starts[rows], ends[rows], gap, ceiling, budget, joint=False), shares)
        )
    value, upper, t = (np.concatenate([getattr(part, name) for part in parts]) for name in ("value", "upper", "t"))
    method, status = (tuple(chain(*(getattr(part, name) for part in parts))) for name in ("method", "status"))
    return Maxima(value, upper, t, method, status)


def is_convex_along(risk: Risk, theta_0: Array, theta_1: Array) -> bool:
    """Whether the network is affine in t along the segment because one layer moves and all above it are linear.

    theta_0, theta_1 (P,). Rows into units whose outgoing weights vanish at both ends do not count as moving. True proves
    convexity of the risk (all losses are convex, all penalties in each layer); False proves nothing.
    """
    return _convex(risk.network, _moving(risk.network, theta_0, theta_1))


def is_constant_along(risk: Risk, theta_0: Array, theta_1: Array) -> bool:
    """Whether the network is one and the same function, at every input, at every point of the segment.

    theta_0, theta_1 (P,). One layer moves, k > 1, and in each of its rows the changes sum to exactly zero over the units
    below that have equal incoming rows (with equal biases), which stay. So features of layer k, and all above, stay as
    well. The penalty may change; it is convex in one layer. False proves nothing.
    """
    return _constant(risk.network, theta_0, theta_1, _moving(risk.network, theta_0, theta_1))


def _convex(net: Network, moving: dict[int, Array]) -> bool:
    if net.output != "identity" or len(moving) > 1:
        return False
    return not moving or net.depth in moving or net.activation == "identity"


def _constant(net: Network, theta_0: Array, theta_1: Array, moving: dict[int, Array]) -> bool:
    if len(moving) != 1 or 1 in moving:
        return not moving
    (k,) = moving
    (below, before), (under, after) = (net.weights(theta)[k - 2 : k] for theta in (theta_0, theta_1))
    before, after = before[moving[k]], after[moving[k]]
    columns = np.flatnonzero((before != after).any(axis=0))
    if columns[-1] >= net.widths[k - 1] or (below[columns] != under[columns]).any():
        return False
    _, copies = np.unique(below[columns] + 0.0, axis=0, return_inverse=True)  # + 0.0: no -0.0
    changes = np.concatenate([after[:, columns], -before[:, columns]], axis=1)
    of = np.concatenate([copies.ravel(), copies.ravel()])
    try:
        return all(math.fsum(row[of == group]) == 0 for row in changes for group in range(of.max() + 1))
    except OverflowError:
        return False


def _moving(net: Network, theta_0: Array, theta_1: Array) -> dict[int, Array]:
    """The layers k that move, each with its moving rows (n_k,); rows into units that are idle at both ends are left out."""
    return {k: rows for k, rows in enumerate(_moving_rows(net, theta_0, theta_1), start=1) if rows.any()}


def _moving_rows(net: Network, starts: Array, ends: Array) -> list[Array]:
    """Which rows of W_1, ..., W_K move along segments, starts and ends (..., P): (..., n_k) each."""
    before, after = net.weights(starts), net.weights(ends)
    moving = [(a != b).any(axis=-1) for a, b in zip(before, after)]
    for k in range(1, net.depth):
        moving[k - 1] &= ((before[k] != 0) | (after[k] != 0)).any(axis=-2)[..., : net.widths[k]]
    return moving


def _maxima(
    risk: Risk,
    starts: Array,
    ends: Array,
    gap: float | None,
    ceiling: float | None,
    budget: int,
    joint: bool,
    jobs: int = 1,
) -> Maxima:
    """`joint`: only the largest of all maxima matters, so that each segment may stop below the best value seen."""
    exactly = gap is None and ceiling is None
    gap = GAP if gap is None else check.number(gap, "gap", minimum=0.0, open_minimum=True)
    budget = check.positive_integer(budget, "budget")
    if ceiling is not None:
        ceiling = check.number(ceiling, "ceiling")
    count = len(starts)
    if count == 0:
        return Maxima(np.zeros(0), np.zeros(0), np.zeros(0), (), ())
    points, of = _vertices(starts, ends)
    fits, values = _values(risk, points)
    _finite(values, of, joint)
    method = _methods(risk, starts, ends)
    direct, searched = (np.array([m in kinds for m in method]) for kinds in (DIRECT, (Method.BRANCH_AND_BOUND,)))
    first, last = values[of]
    value, t, upper = np.maximum(first, last), (first < last).astype(float), np.full(count, np.inf)
    fit = np.where(first < last, fits[of[1]], fits[of[0]])
    status = np.full(count, Status.CONVERGED, dtype=object)
    share = 0.0 if exactly else 0.05 * gap  # of the value, that rounding may take of it
    if direct.any():
        sharp = share if ceiling is None else 0.0  # on which side of a ceiling an end is may hang on rounding
        value[direct], upper[direct] = _ends(risk, points, fits, values, of[:, direct], sharp, joint)
    goal = Goal(gap, ceiling, float(value.max()) if joint else -np.inf, _scale(risk))
    narrowed = ~direct & ~searched & windows.worthwhile(risk)
    if narrowed.any():
        near = replace(goal, gap=0.0 if exactly else 0.9 * gap)  # a share is left to the rounding of values
        value[narrowed], t[narrowed], upper[narrowed] = windows.maxima(
            risk, starts[narrowed], ends[narrowed], value[narrowed], t[narrowed], near, exactly=exactly, jobs=jobs
        )
        goal = replace(goal, floor=max(goal.floor, float(value.max()))) if joint else goal
    exact = np.flatnonzero(~direct & ~searched & ~narrowed)
    if exact.size:
        inside, upper[exact] = quartic.maxima(risk, starts[exact], ends[exact])
        seen = _values(risk, _along(starts[exact], ends[exact], inside))
        higher = (value[exact] < seen[1]) & (seen[1] < np.inf)
        better = exact[higher]
        t[better], fit[better], value[better] = inside[higher], seen[0][higher], seen[1][higher]
    rest = np.flatnonzero(searched)
    if rest.size:
        landscape = of_sample(risk)
        sought = replace(goal, gap=gap if exactly or ceiling is not None else (1 - 2 * BLUR) * gap)
        found = branch_and_bound.search(landscape, starts[rest], ends[rest], value[rest], t[rest], sought, budget)
        value[rest], t[rest], upper[rest] = found.value, found.t, found.upper
        status[rest[found.narrow]], status[rest[found.spent]] = Status.ROUNDING, Status.BUDGET
    inner = np.flatnonzero(~direct)
    if inner.size:
        blur = np.where(narrowed, share, 0.0)
        if not exactly and ceiling is None:
            blur[searched] = BLUR * min(gap, 1.0)
        moved = np.flatnonzero(narrowed | searched)
        if moved.size:
            at = _along(starts[moved], ends[moved], t[moved])
            fit[moved] = value[moved] if risk.R is None else risk.unpenalised(at)
        value[inner] = _rounded_down(
            risk, starts[inner], ends[inner], t[inner], fit[inner], value[inner], goal.scale, blur[inner]
        )
    if quartic.applies(risk) and quartic_in_fractions.affordable(risk):
        for k in np.flatnonzero(upper - value > quartic.ACCURACY * np.maximum(goal.scale, value)):
            if direct[k]:  # the others were bounded in fractions already
                upper[k] = min(upper[k], quartic_in_fractions.upper_bound(risk, starts[k], ends[k]))
            value[k] = max(value[k], quartic_in_fractions.risk_below(risk, starts[k], ends[k], float(t[k])))
    best = np.where(searched | narrowed, goal.best(value), value) if joint else value
    small = np.where(searched, min(gap, branch_and_bound.SMALL), branch_and_bound.SMALL)
    far = upper > best + gap * best + small * np.maximum(goal.scale, best)
    if rest.size or far.any():
        status[~far], status[far & (status == Status.CONVERGED)] = Status.CONVERGED, Status.ROUNDING
    if ceiling is not None:
        status[far & ((best > ceiling) | (upper <= ceiling))] = Status.DECIDED
    return Maxima(value, upper, t, method, tuple(status))


def _vertices(starts: Array, ends: Array) -> tuple[Array, Array]:
    """The points (V, P) that the segments begin and end at, and which of them, (2, S); those of a polyline are shared."""
    if len(starts) > 1 and np.array_equal(starts[1:], ends[:-1]):
        return np.concatenate([starts, ends[-1:]]), np.arange(len(starts)) + np.array([[0], [1]])
    return np.concatenate([starts, ends]), np.arange(2 * len(starts)).reshape(2, -1)


def _values(risk: Risk, points: Array) -> tuple[Array, Array]:
    """The fit and the risk in floats at points (B, P), (B,) each; inf or NaN where they overflow."""
    fits = risk.unpenalised(points)
    with np.errstate(over="ignore", invalid="ignore"):
        return fits, fits if risk.R is None else fits + risk.regulariser(points)


def _finite(values: Array, of: Array, joint: bool) -> None:
    """ValueError where the risk at a vertex, of (2, S) them the ends of segments, overflows."""
    if not np.isfinite(values).all():
        side, k = np.argwhere(~np.isfinite(values[of]))[0]
        names = "path.points" if joint else ("theta_0 (starts)", "theta_1 (ends)")[side]
        raise ValueError(
            f"{names} must have a finite risk; it overflows at the {('start', 'end')[side]} of segment {k}. "
            "Scale the weights or the data down"
        )


def _methods(risk: Risk, starts: Array, ends: Array) -> tuple[Method, ...]:
    """The cheapest method that applies to each segment."""
    net = risk.network
    several = np.add.reduce([rows.any(axis=-1) for rows in _moving_rows(net, starts, ends)], dtype=int) > 1
    general = Method.QUARTIC if quartic.applies(risk) else Method.BRANCH_AND_BOUND

    def of(k: int) -> Method:
        if several[k]:
            return general
        moving = _moving(net, starts[k], ends[k])
        if _convex(net, moving):
            return Method.CONVEX
        return Method.CONSTANT if _constant(net, starts[k], ends[k], moving) else general

    return tuple(map(of, range(len(starts))))


def _scale(risk: Risk) -> float:
    """The risk of the zero net, which tells a small difference from a large one; LEAST where it vanishes or overflows."""
    return max(risk.scale, LEAST) if np.isfinite(risk.scale) else LEAST


def _along(starts: Array, ends: Array, t: Array) -> Array:
    """The points at t (S,) of segments (S, P)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return (1 - t)[:, None] * starts + t[:, None] * ends


def _rounded_down(
    risk: Risk, starts: Array, ends: Array, t: Array, fit: Array, value: Array, scale: float, share: Array
) -> Array:
    """The risk at t, of which fit and value are in floats, rounded down; with more care where that would show: beyond share (S,), relatively."""
    low = evaluations.enclosures(risk, starts, ends, t, fit)[0]
    loose = np.flatnonzero(value - low > _shows(value, scale, share))
    if loose.size:
        low[loose] = np.maximum(low[loose], taylor_models.point_bounds(risk, starts[loose], ends[loose], t[loose])[0])
    return low


def _ends(
    risk: Risk, points: Array, fits: Array, values: Array, of: Array, share: float, joint: bool
) -> tuple[Array, Array]:
    """The larger end of each convex segment, from below and from above, (S,) each; of (2, S): its ends among the points (V, P).

    fits, values (V,): the fit and the risk there in floats. An end that may be the larger one, for `joint` of all segments, is
    bounded with more care where that would show: beyond the share of it.
    """
    used, of = np.unique(of, return_inverse=True)
    of = of.reshape(2, -1)
    at, value, zero = points[used], values[used], np.zeros(len(used))
    low, high = evaluations.enclosures(risk, at, at, zero, fits[used])
    top = low[of].max() if joint else low[of].max(axis=0)
    rivals = np.zeros(len(used), dtype=bool)
    rivals[of[high[of] > top]] = True
    loose = np.flatnonzero(rivals & (high - low > _shows(value, _scale(risk), share)))
    if loose.size:
        below, above = taylor_models.point_bounds(risk, at[loose], at[loose], zero[loose])
        low[loose], high[loose] = np.maximum(low[loose], below), np.minimum(high[loose], above)
    larger = np.where(value[of[1]] > value[of[0]], of[1], of[0])
    return low[larger], high[of].max(axis=0)


def _shows(value: Array, scale: float, share: Array | float) -> Array:
    """How far from the value (S,) a bound of it may be before it is worth more care."""
    return np.maximum(0.1 * branch_and_bound.SMALL * np.maximum(scale, value), share * value)
