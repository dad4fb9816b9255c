"""Paths under the population risk of eq. (2): their maxima, enclosed, and how far those of a sample are from them.

`theory.maxima` does this for samples. Here the risk is a `TeacherRisk` (Gaussian inputs, ReLU teacher); the search is
the same, and a cell of t is bounded by what its two ends know (`theory.population.enclosures`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory import maxima
from theory.maxima import CELLS, GAP, BoundedRisk, Goal, Maxima, Maximum, Method, PathMaximum, Status
from theory.numerics import SLAB, UNIT, Array, exact
from theory.numerics import validation as check
from theory.paths import Path
from theory.population import enclosures
from theory.population.enclosures import Segments
from theory.population.risk import TeacherRisk


@dataclass(frozen=True)
class Comparison:
    """One path under a sample of size N and under the population: both maxima are enclosed.

    difference: |empirical - population| is between the two numbers, lower first.
    """

    size: int
    empirical: PathMaximum
    population: PathMaximum

    @property
    def difference(self) -> tuple[float, float]:
        """Bounds on |max of the empirical risk - max of the population risk| over the path."""
        high = self.empirical.upper - self.population.value
        low = self.empirical.value - self.population.upper
        return max(0.0, low, -high), max(abs(high), abs(low))


def segment_maximum(
    risk: TeacherRisk, theta_0: ArrayLike, theta_1: ArrayLike, *, gap: float = GAP, budget: int = CELLS
) -> Maximum:
    """The maximum of the population risk on a segment: `value` is attained, rounded down, and `upper` is a bound.

    Cells of t are split until upper <= value (1 + gap), or until `budget` of them have been bounded (Status.BUDGET).
    Where only one layer moves the risk is convex and the ends decide. ValueError on bad input.
    """
    size = _network(risk).size
    a, b = check.vector(theta_0, size, "theta_0"), check.vector(theta_1, size, "theta_1")
    gap = check.number(gap, "gap", minimum=0.0, open_minimum=True)
    return _maxima(risk, a[None], b[None], gap, check.positive_integer(budget, "budget"), joint=False)[0]


def path_maximum(risk: TeacherRisk, path: Path, *, gap: float = GAP, budget: int = CELLS) -> PathMaximum:
    """The maximum of the population risk over a polyline; `budget` cells per piece, lower pieces are not refined.

    gap: relative, as in `theory.maxima.path_maximum`. ValueError when risk or path is of another kind.
    """
    if not isinstance(path, Path):
        raise ValueError(f"path must be a Path; got {type(path).__name__}")
    points = check.parameters(path.points, _network(risk).size, "path.points")
    gap = check.number(gap, "gap", minimum=0.0, open_minimum=True)
    budget = check.positive_integer(budget, "budget")
    starts, ends = (points[:-1], points[1:]) if len(path) else (points, points)
    return _maxima(risk, starts, ends, gap, budget, joint=True).highest


def compare(
    risk: TeacherRisk,
    path: Path,
    sizes: Sequence[int] | Array,
    *,
    gap: float = GAP,
    rng: np.random.Generator | int | None = None,
) -> tuple[Comparison, ...]:
    """The same path under fresh samples of the given sizes and under the population.

    sizes (S,): numbers of draws; gap: relative, of each maximum. ValueError unless the sizes are integers >= 1.
    """
    rng = check.generator(rng)
    population = path_maximum(risk, path, gap=gap)
    result = []
    if not np.iterable(sizes) or isinstance(sizes, (str, bytes)):
        raise ValueError(f"sizes must be a sequence of sample sizes; got {check.describe(sizes)}")
    for size in [check.positive_integer(size, f"sizes[{k}]") for k, size in enumerate(sizes)]:
        sample = risk.draw(size, rng)
        result.append(Comparison(size, maxima.path_maximum(risk.empirical(sample), path, gap=gap), population))
    return tuple(result)


def _network(risk: TeacherRisk) -> Any:
    if not isinstance(risk, TeacherRisk):
        raise ValueError(f"risk must be a TeacherRisk; got {type(risk).__name__}. For samples use theory.maxima")
    return risk.network


def _maxima(risk: TeacherRisk, starts: Array, ends: Array, gap: float, budget: int, joint: bool) -> Maxima:
    """`joint`: only the largest of all maxima matters, so that each segment may stop below the best value seen."""
    at_ends = np.stack([risk.batch(starts), risk.batch(ends)])
    if not np.isfinite(at_ends).all():
        k = int(np.argwhere(~np.isfinite(at_ends))[0][1])
        raise ValueError(f"the risk overflows at an end of segment {k}. Scale the weights or the second moment down")
    value, t, upper = at_ends.max(axis=0), at_ends.argmax(axis=0).astype(float), np.full(len(starts), np.inf)
    status = np.full(len(starts), Status.CONVERGED, dtype=object)
    convex = np.array([maxima.is_convex_along(risk, a, b) for a, b in zip(starts, ends)])  # type: ignore[arg-type]
    if convex.any():
        points = (np.full(int(convex.sum()), s) for s in (0.0, 1.0))
        upper[convex] = np.maximum(*(_over_cells(risk, starts[convex], ends[convex], s, s) for s in points))
    rest = np.flatnonzero(~convex)
    goal = Goal(gap, None, float(value.max()) if joint else -np.inf, risk(np.zeros(risk.network.size)))
    if rest.size:
        landscape = BoundedRisk(risk.batch, lambda *cells: _over_cells(risk, *cells))
        found = maxima.search(landscape, starts[rest], ends[rest], value[rest], t[rest], goal, budget)
        value[rest], t[rest], upper[rest] = found.value, found.t, found.upper
        far = ~(found.upper <= goal.bound(goal.best(found.value)))
        status[rest[far & found.narrow]], status[rest[far & found.spent]] = Status.ROUNDING, Status.BUDGET
    if not np.isfinite(upper).all():
        raise ValueError("a bound on the risk overflows. Scale the weights or the second moment down")
    method = tuple(Method.CONVEX if c else Method.BRANCH_AND_BOUND for c in convex)
    return Maxima(np.minimum(_attained(risk, starts, ends, t), upper), upper, t, method, tuple(status))


def _over_cells(risk: TeacherRisk, starts: Array, ends: Array, lo: Array, hi: Array) -> Array:
    """Upper bounds (B,) on the risk over cells [lo, hi] (B,) of segments, starts and ends (B, P), each its own; inf: none."""
    step, parts = max(1, SLAB // (4 * risk.footprint)), []
    for i in range(0, len(lo), step):
        a, b, left, right = (array[i : i + step] for array in (starts, ends, lo, hi))
        segments = Segments.between(risk.units(a), risk.units(b), risk.law)
        total = exact(enclosures.over_cells(segments, left, right, risk.law)) + risk.noise
        if risk.R is not None:
            points = np.stack([(1 - s)[:, None] * a + s[:, None] * b for s in (left, right)])
            with np.errstate(over="ignore", invalid="ignore"):
                penalty = risk.R.upper(points, _rounding(a, b)).max(axis=0)
            total = total + exact(penalty) * risk.kappa
        parts.append(total.upper)
    return np.concatenate(parts) if parts else np.zeros(0)


def _attained(risk: TeacherRisk, starts: Array, ends: Array, t: Array) -> Array:
    """The risk at t (B,) of each segment, rounded down."""
    nets = Segments.between(risk.units(starts), risk.units(ends), risk.law).at(t)
    fit = enclosures.squared_norm(nets, risk.law)[0].ldexp(nets.exponent)
    low = exact(np.maximum(fit.lower, 0.0)) + risk.noise
    if risk.R is not None:
        points = (1 - t)[:, None] * starts + t[:, None] * ends
        with np.errstate(over="ignore", invalid="ignore"):
            penalty = exact(risk.R.lower(points, _rounding(starts, ends))) * risk.kappa
        low = low + np.maximum(penalty.lower, 0.0)
    return np.maximum(low.lower, 0.0)


def _rounding(starts: Array, ends: Array) -> Array:
    """What the coordinates of a computed point of each segment are off at most, (B, P)."""
    return 8 * UNIT * (np.abs(starts) + np.abs(ends))
