"""Paths under the population risk of eq. (2): their maxima, enclosed, and how far those of a sample are from them.

`theory.maxima` does this for samples. Here the risk is a `TeacherRisk` (Gaussian inputs, ReLU teacher), and a cell of
t is bounded by what its two ends know. With b, w moving from (b_0, w_0) to (b_1, w_1) along the cell, the unit b z(w)
differs from the chord between its ends, in L2(P) and anywhere on the cell, by at most

    |b_1 - b_0| D / 4 + max(|b_0|, |b_1|) sqrt(2 k(w_0, -w_1)),      D = |Sigma^(1/2) (w_1 - w_0)|.

The first term is the bilinear part, t (1 - t) (b_1 - b_0) (z_1 - z_0). The second is the kink: where u_0 = <w_0, X> and
u_1 = <w_1, X> differ in sign, the chord of z is above z by at most u_0 |u_1| / (u_0 + |u_1|) <= (|u_0| |u_1|)^(1/2),
and E |u_0| |u_1| over both wedges is 2 k(w_0, -w_1) = |x_0| |x_1| (sin phi - phi cos phi) / pi. That is at most
|x_0| |x_1| phi^3 / (3 pi), and at most D^2 / 4. So a cell of width h costs O(h^(3/2)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory import maxima
from theory.maxima import Maximum, Method, PathMaximum, Status
from theory.numerics import TINY, UNIT, Array, gamma
from theory.numerics import validation as check
from theory.paths import Path
from theory.population.risk import TeacherRisk

GAP = 1e-4
CELLS = 20_000


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
    a, b = (check.parameters(v, _network(risk).size, name) for v, name in ((theta_0, "theta_0"), (theta_1, "theta_1")))
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"theta_0 and theta_1 must have shape ({risk.network.size},); got {a.shape} and {b.shape}")
    gap = check.number(gap, "gap", minimum=0.0, open_minimum=True)
    return _maximum(risk, a, b, gap, check.positive_integer(budget, "budget"), -np.inf)


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
    floor, found = float(risk.batch(points).max()), []
    for a, b in zip(starts, ends):
        found.append(_maximum(risk, a, b, gap, budget, floor))
        floor = max(floor, found[-1].value)
    piece, top = int(np.argmax([m.value for m in found])), int(np.argmax([m.upper for m in found]))
    t = (piece + found[piece].t) / max(len(path), 1)
    upper = found[top].upper
    status = Status.CONVERGED if upper <= floor * (1 + gap) else Status.BUDGET
    return PathMaximum(found[piece].value, upper, t, piece, found[top].method, status)


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


def _maximum(risk: TeacherRisk, a: Array, b: Array, gap: float, budget: int, floor: float) -> Maximum:
    """Best-first in generations: cells whose bound is above what has been reached (or `floor`) are halved."""
    ends = np.stack([a, b])
    values = risk.batch(ends)
    best, t = float(values.max()), float(np.argmax(values))
    if maxima.is_convex_along(risk, a, b):  # type: ignore[arg-type]
        fit, error = risk.fit(ends)
        penalty = _penalty(risk, np.concatenate([ends, ends]), a, b)
        upper = float(np.max((fit + error + risk.noise + penalty) * (1 + gamma(len(a) + 8))))
        return Maximum(_attained(risk, a, b, t), upper, t, Method.CONVEX, Status.CONVERGED)
    lo, hi = np.arange(8) / 8, np.arange(1, 9) / 8
    closed, used = 0.0, 0
    while True:
        bounds = _cell_bounds(risk, a, b, lo, hi)
        used += len(lo)
        middle = (lo + hi) / 2
        values = risk.batch((1 - middle)[:, None] * a + middle[:, None] * b)
        k = int(np.argmax(values))
        if values[k] > best:
            best, t = float(values[k]), float(middle[k])
        open_ = bounds > max(best, floor) * (1 + gap)
        closed = max(closed, float(bounds[~open_].max(initial=0.0)))
        if not open_.any():
            return Maximum(_attained(risk, a, b, t), closed, t, Method.BRANCH_AND_BOUND, Status.CONVERGED)
        if used + 2 * open_.sum() > budget:
            upper = max(closed, float(bounds.max()))
            return Maximum(_attained(risk, a, b, t), upper, t, Method.BRANCH_AND_BOUND, Status.BUDGET)
        lo, middle, hi = lo[open_], middle[open_], hi[open_]
        lo, hi = np.concatenate([lo, middle]), np.concatenate([middle, hi])


def _cell_bounds(risk: TeacherRisk, a: Array, b: Array, lo: Array, hi: Array) -> Array:
    """Upper bounds on the population risk over cells [lo, hi] (B,) of the segment from a to b; see the module."""
    net = risk.network
    points = np.concatenate([(1 - s)[:, None] * a + s[:, None] * b for s in (lo, hi)])
    fit, error = risk.fit(points)
    root = np.sqrt(fit + error).reshape(2, -1).max(axis=0)
    (W_a, c_a), (W_b, c_b) = net.weights(a), net.weights(b)
    c_a, c_b = c_a.T, c_b.T  # (m, d)
    width, e = (hi - lo)[:, None], risk.form_error
    step = _length(risk, W_b - W_a, e) * width
    turn = width * np.linalg.norm(c_b - c_a, axis=1)
    W, c = net.weights(points)
    out = np.linalg.norm(c, axis=1).reshape(2, len(lo), -1).max(axis=0)
    # below |x|^2 at both ends, also for what the computed ends are off
    reach = np.sum((np.abs(W_a) + np.abs(W_b)) ** 2, axis=1)
    square = (
        np.sum((W @ risk.second_moment) * W, axis=-1) - (e + 64 * UNIT * np.linalg.norm(risk.second_moment)) * reach
    )
    product = np.sqrt(np.maximum(square, 0.0)).reshape(2, len(lo), -1).prod(axis=0) * (1 - 16 * UNIT)
    sine = np.divide(step, 2 * np.sqrt(product), out=np.ones_like(product), where=product > step**2 / 4)
    angle = 2 * np.arcsin(np.minimum(sine * (1 + 16 * UNIT), 1.0)) * (1 + 16 * UNIT)
    kink = np.where(sine < 1, np.minimum(product * angle**3 / (3 * np.pi), step**2 / 4), step**2 / 4)
    rest = np.sum(turn * step / 4 + out * np.sqrt(kink), axis=1) * (1 + gamma(len(a) + 64))
    total = (root + rest + _blur(risk, a, b)) * (1 + 8 * UNIT)
    return (total**2 + risk.noise + _penalty(risk, points, a, b)) * (1 + 16 * UNIT) + TINY


def _blur(risk: TeacherRisk, a: Array, b: Array) -> float:
    """How far a net of the segment is in L2(P) from that of its rounded point: off by 4 u of |a| + |b| in each coordinate."""
    W, c = risk.network.weights(np.abs(a) + np.abs(b))
    size = np.linalg.norm(W, axis=1) * np.linalg.norm(c, axis=0)
    return 32 * UNIT * float(size.sum()) * float(np.sqrt(np.linalg.norm(risk.second_moment))) * (1 + gamma(len(a) + 64))


def _attained(risk: TeacherRisk, a: Array, b: Array, t: float) -> float:
    """The risk at t, rounded down."""
    point, slack = ((1 - t) * a + t * b)[None], gamma(len(a) + 16)
    fit, error = risk.fit(point)
    root = np.sqrt(max(float(fit[0] - error[0]) * (1 - slack), 0.0)) * (1 - slack) - _blur(risk, a, b)
    low = max(root, 0.0) ** 2 + risk.noise
    if risk.R is not None:
        low += risk.kappa * float(risk.R.lower(point, 8 * UNIT * (np.abs(a) + np.abs(b))[None])[0])
    return max(float(low * (1 - slack)) - TINY, 0.0)


def _penalty(risk: TeacherRisk, points: Array, a: Array, b: Array) -> Array:
    """A bound (B,) on kappa R over cells of the segment from a to b, points (2 B, P) their ends."""
    if risk.R is None:
        return np.zeros(len(points) // 2)
    radius = np.broadcast_to(8 * UNIT * (np.abs(a) + np.abs(b)), (len(points) // 2, len(a)))
    return risk.kappa * risk.R.upper(points.reshape(2, -1, len(a)), radius).max(axis=0)


def _length(risk: TeacherRisk, W: Array, e: float) -> Array:
    """Upper bounds on |Sigma^(1/2) w| for the rows of W."""
    square = np.sum((W @ risk.second_moment) * W, axis=-1) + e * np.sum(W**2, axis=-1)
    return np.sqrt(np.maximum(square, 0.0)) * (1 + 16 * UNIT)
