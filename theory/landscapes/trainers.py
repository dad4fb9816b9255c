"""Bead trainers: move many parameter vectors at once onto a level of the risk (step 8 of Algorithm 1).

A bead starts above a target value and stops on it: the last step, which crosses the target, is bisected back, so
that a bead moves no farther than it must (the shorter the move, the shorter the string). Four trainers:

    lm          damped Gauss-Newton in a trust region; each step is the shortest one whose quadratic model meets the
                target (`theory.landscapes.objectives`).
    projection  Newton steps for F = target along the gradient: the minimum-norm correction to first order
    lbfgs       scipy's L-BFGS-B, bead by bead
    adam        full-batch Adam, as in the paper

Beads can be confined to a hyperplane and held by springs (Appendix A): see `Objective`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from theory.landscapes.objectives import Objective
from theory.numerics import Array
from theory.numerics import validation as check
from theory.risk import Risk

LANDING = 0.01  # a bead may stop this far below its target, relatively
ACCEPT = 1e-4  # a step is taken when the objective falls by at least this share of what the model predicts
STUCK = 1e-12  # a trust radius this small relative to the weights, or a predicted gain this small, ends the attempt


@dataclass(frozen=True, eq=False)
class Trained:
    """What a trainer did with B beads.

    points (B, P); values (B,) their risks; reached (B,): value <= target; trainer (B,): who moved each bead last;
    evaluations: passes over the sample, one for each risk, gradient or Jacobian of one parameter vector.
    """

    points: Array
    values: Array
    reached: Array
    trainer: Array
    evaluations: int


def land(risk: Risk, above: Array, below: Array, target: Array, *, rounds: int = 30) -> tuple[Array, Array, int]:
    """Points of the segments above -> below (B, P) with risk in [(1 - LANDING) target, target] by bisection.

    target (B,); rounds: of bisection, at most. F(below) <= target < F(above) is assumed; the returned risk is at most
    the target always. Returns points, risks and the number of evaluations.
    """
    points, values, count = below.copy(), risk.batch(below), len(below)
    low, high = np.zeros(len(below)), np.ones(len(below))
    for _ in range(rounds):
        rows = np.flatnonzero((values < (1 - LANDING) * target) & (high - low > 1e-12))
        if rows.size == 0:
            break
        middle = (low[rows] + high[rows]) / 2
        trial = above[rows] + middle[:, None] * (below[rows] - above[rows])
        F = risk.batch(trial)
        count += rows.size
        inside = target[rows] >= F
        high[rows[inside]], low[rows[~inside]] = middle[inside], middle[~inside]
        points[rows[inside]], values[rows[inside]] = trial[inside], F[inside]
    return points, values, count


@dataclass
class _Batch:
    """Beads in training: current points, their risks, which still move, and the work done."""

    objective: Objective
    points: Array
    values: Array
    target: Array
    active: Array
    evaluations: int

    @classmethod
    def begin(cls, objective: Objective, starts: Array, target: Array) -> _Batch:
        values = objective.risk.batch(starts)
        active = (values > target) & np.isfinite(values)
        return cls(objective, starts.copy(), values, target, active, len(starts))

    def attempt(self, rows: Array, trial: Array, total: Array, stale: Array, predicted: Array) -> Array:
        """Evaluate steps to `trial`: land those that cross the target, accept those that descend; actual / predicted.

        A bead whose model overflows has no step to take, and stops.
        """
        trial = self.objective.rows(rows).confine(trial)
        lost = np.asarray(~np.isfinite(trial).all(axis=1))
        trial = np.where(lost[:, None], self.points[rows], trial)
        self.active[rows[lost]] = False
        F, whole = self.objective.rows(rows).values(trial)
        self.evaluations += rows.size
        ratio = (total[rows] - whole) / np.maximum(predicted, 1e-300)
        landed = self.target[rows] >= F
        self.cross(rows[landed], trial[landed])
        better = ~landed & (ratio > ACCEPT)
        moved = rows[better]
        self.points[moved], self.values[moved], total[moved], stale[moved] = (
            trial[better],
            F[better],
            whole[better],
            True,
        )
        return ratio

    def cross(self, rows: Array, trial: Array) -> None:
        """Beads whose step to `trial` ends at or below the target: bisect back and stop."""
        self.points[rows], self.values[rows], n = land(self.objective.risk, self.points[rows], trial, self.target[rows])
        self.active[rows] = False
        self.evaluations += n


def _lm(batch: _Batch, radius: Array, iterations: int) -> None:
    """Gauss-Newton with a trust radius; each step is the shortest one whose model meets the target."""
    B, P = batch.points.shape
    radius, total = radius.copy(), batch.objective.values(batch.points)[1]
    pull, bend, axes = np.zeros((B, P)), np.zeros((B, P)), np.zeros((B, P, P))
    stale = np.ones(B, dtype=bool)  # beads that moved since their model was made
    for _ in range(iterations):
        rows = np.flatnonzero(batch.active)
        if rows.size == 0:
            break
        fresh = rows[stale[rows]]
        if fresh.size:
            _, _, g, H = batch.objective.rows(fresh).derivatives(batch.points[fresh], curvature=True)
            assert H is not None
            bend[fresh], axes[fresh] = np.linalg.eigh(np.where(np.isfinite(H), H, 0.0))
            pull[fresh] = (g[:, None] @ axes[fresh])[:, 0]
            stale[fresh] = False
            batch.evaluations += fresh.size
        gain = batch.values[rows] - (1 - LANDING / 2) * batch.target[rows]
        curve, slope = np.maximum(bend[rows], 0), pull[rows]
        scaled = slope / (curve + _damping(curve, slope, gain, radius[rows])[:, None])
        step = -(axes[rows] @ scaled[..., None])[..., 0]
        predicted = np.sum(scaled * slope - 0.5 * curve * scaled**2, axis=1)
        ratio = batch.attempt(rows, batch.points[rows] + step, total, stale, predicted)
        size = np.linalg.norm(step, axis=1)
        grown = np.where(ratio > 0.75, np.maximum(radius[rows], 2 * size), radius[rows])
        radius[rows] = np.where(ratio < 0.25, np.where(ratio > ACCEPT, 0.5, 0.25) * size, grown)
        stuck = (radius[rows] < STUCK * (1 + np.linalg.norm(batch.points[rows], axis=1))) | (
            predicted <= STUCK * total[rows]
        )
        batch.active[rows[stuck]] = False


def _damping(bend: Array, pull: Array, gain: Array, radius: Array) -> Array:
    """Per bead the mu at which the model's decrease is `gain`, or that of a step of length `radius` if larger.

    bend (B, P) >= 0: eigenvalues of the model; pull (B, P): gradient in their basis. Decrease and length of the step
    pull / (bend + mu) both fall as mu grows: bisection on log mu.
    """
    size = np.linalg.norm(pull, axis=1)
    high = np.maximum(bend.max(axis=1), np.maximum(size / radius, size**2 / gain)) + 1e-290
    low, high = np.log(1e-14 * high), np.log(2 * high)
    for _ in range(40):
        middle = (low + high) / 2
        scaled = pull / (bend + np.exp(middle)[:, None])
        decrease = np.sum(scaled * pull - 0.5 * bend * scaled**2, axis=1)
        small = (np.linalg.norm(scaled, axis=1) > radius) | (decrease > gain)
        low, high = np.where(small, middle, low), np.where(small, high, middle)
    return np.exp(high)


def _projection(batch: _Batch, radius: Array, iterations: int) -> None:
    """Newton steps for F(theta) = target along the gradient, of length at most the radius."""
    B, P = batch.points.shape
    radius, total = radius.copy(), batch.objective.values(batch.points)[1]
    gradient, stale = np.zeros((B, P)), np.ones(B, dtype=bool)
    for _ in range(iterations):
        rows = np.flatnonzero(batch.active)
        if rows.size == 0:
            break
        fresh = rows[stale[rows]]
        if fresh.size:
            gradient[fresh] = batch.objective.rows(fresh).derivatives(batch.points[fresh])[2]
            stale[fresh] = False
            batch.evaluations += fresh.size
        slope = np.linalg.norm(gradient[rows], axis=1) + 1e-300
        gain = batch.values[rows] - (1 - LANDING / 2) * batch.target[rows]
        size = np.minimum(gain / slope, radius[rows])
        step = -gradient[rows] * (size / slope)[:, None]
        ratio = batch.attempt(rows, batch.points[rows] + step, total, stale, size * slope)
        grown = np.where(ratio > 0.5, np.maximum(radius[rows], 2 * size), radius[rows])
        radius[rows] = np.where(ratio < 0.1, size / 4, grown)
        stuck = radius[rows] < STUCK * (1 + np.linalg.norm(batch.points[rows], axis=1))
        batch.active[rows[stuck]] = False


def _lbfgs(batch: _Batch, radius: Array, iterations: int) -> None:
    """scipy's L-BFGS-B on each bead, stopped at the first iterate that meets the target."""
    for row in np.flatnonzero(batch.active):
        _lbfgs_bead(batch, np.array([row]), iterations)


def _lbfgs_bead(batch: _Batch, row: Array, iterations: int) -> None:
    from scipy import optimize

    objective, minimize = batch.objective.rows(row), cast(Any, optimize.minimize)

    def fun(theta: Array) -> Any:
        batch.evaluations += 1
        _, total, g, _ = objective.derivatives(theta[None])
        return float(total[0]), g[0]

    def callback(theta: Array) -> None:
        batch.evaluations += 1
        theta = objective.confine(theta[None])[0]
        if not np.isfinite(theta).all():
            raise StopIteration
        value = batch.objective.risk(theta)
        if value <= batch.target[row[0]]:
            batch.cross(row, theta[None].copy())
            raise StopIteration
        batch.points[row], batch.values[row] = theta, value

    start, options = batch.points[row[0]].copy(), {"maxiter": iterations}
    minimize(fun, start, jac=True, method="L-BFGS-B", callback=callback, options=options)
    batch.active[row] = False


class Adam:
    """Adam with rate 1e-3, betas 0.9 and 0.999, full batch, on parameter vectors (B, P), in place."""

    def __init__(self, objective: Objective, points: Array) -> None:
        self.objective, self.points, self.evaluations = objective, points, 0
        self.first, self.second, self.k = np.zeros_like(points), np.zeros_like(points), np.zeros(len(points), dtype=int)

    def step(self, rows: Array, gradient: Array | None = None) -> None:
        """One step of the given rows (K,) (gradient (K, P): theirs, where it is known already)."""
        if gradient is None:
            gradient = self.objective.rows(rows).derivatives(self.points[rows])[2]
            self.evaluations += rows.size
        self.k[rows] += 1
        self.first[rows] = 0.9 * self.first[rows] + 0.1 * gradient
        self.second[rows] = 0.999 * self.second[rows] + 0.001 * gradient**2
        k = self.k[rows, None]
        rate = 1e-3 * np.sqrt(1 - 0.999**k) / (1 - 0.9**k)
        moved = self.points[rows] - rate * self.first[rows] / (np.sqrt(self.second[rows]) + 1e-8)
        self.points[rows] = self.objective.rows(rows).confine(moved)


def _adam(batch: _Batch, radius: Array, iterations: int) -> None:
    """Full-batch Adam, checked at every step."""
    adam, previous = Adam(batch.objective, batch.points), batch.points.copy()
    for k in range(iterations + 1):
        rows = np.flatnonzero(batch.active)
        if rows.size == 0:
            break
        F, _, g, _ = batch.objective.rows(rows).derivatives(batch.points[rows])
        batch.evaluations += rows.size
        landed = batch.target[rows] >= F
        if landed.any():
            done, trial = rows[landed], batch.points[rows[landed]]
            batch.points[done] = previous[done]
            batch.cross(done, trial)
            rows, F, g = rows[~landed], F[~landed], g[~landed]
        batch.values[rows], previous[rows] = F, batch.points[rows]
        if k < iterations:
            adam.step(rows, g)
    batch.active[:] = False


_METHODS: dict[str, Callable[[_Batch, Array, int], None]] = {
    "lm": _lm,
    "lbfgs": _lbfgs,
    "projection": _projection,
    "adam": _adam,
}
TRAINERS = tuple(_METHODS)
ITERATIONS = {"lm": 100, "lbfgs": 500, "projection": 300, "adam": 20_000}
LARGE, SMALL = 4000, 1000  # samples from which beads are first trained on some of them, and on about how many
SECOND = 10  # a trainer called to the rescue gets this many times fewer iterations


def _head_start(
    objective: Objective, starts: Array, goal: Array, trainer: str, radius: Array, limit: int | None
) -> tuple[Array, Array, int]:
    """Train on part of the sample first; what is kept is judged, and landed, on the whole sample.

    Returns points whose risk is at most that of their start, the risks, and the work in passes over the whole sample.
    """
    risk = objective.risk
    part, values = risk.on_part(SMALL), risk.batch(starts)
    if part is risk:
        return starts.copy(), values, len(starts)
    rough = _Batch.begin(replace(objective, risk=part), starts, goal)
    _METHODS[trainer](rough, radius, limit or ITERATIONS[trainer])
    trial, points = rough.points, starts.copy()
    there = risk.batch(trial)
    better, landed = there < values, there <= goal
    points[better], values[better] = trial[better], there[better]
    points[landed], values[landed], count = land(risk, starts[landed], trial[landed], goal[landed])
    share = len(part.sample) / len(risk.sample)
    return points, values, 2 * len(starts) + count + int(np.ceil(share * rough.evaluations))


def train(
    risk: Risk,
    starts: ArrayLike,
    target: float,
    *,
    trainer: str = "lm",
    radius: ArrayLike | None = None,
    iterations: int | None = None,
    fallback: bool = True,
    objective: Objective | None = None,
) -> Trained:
    """Move beads `starts` (B, P) onto the level: each stops with a risk in [(1 - LANDING) target, target].

    A bead that starts at or below the target stays, and one whose risk overflows. trainer: one of TRAINERS; with
    `fallback` the others are tried in turn on beads that the first one leaves above the target, each from where the bead
    started, and a bead that none brings there keeps its lowest point. radius (scalar or (B,)): first trust radius of lm
    and projection in weight space (default a tenth of 1 + |theta|). iterations: of the trainer (default ITERATIONS; the
    others get a tenth of theirs). objective: F with the springs of Appendix A (default F alone). On LARGE samples the
    first trainer begins on a part of the sample; lbfgs works bead by bead. Terminates always: every trainer has a fixed
    number of iterations. ValueError for wrong shapes, NaN, an unknown trainer, or numbers out of range.
    """
    starts = check.parameters(starts, check.instance(risk, "risk", Risk).network.size, "starts")
    if starts.ndim != 2:
        raise ValueError(f"starts must have shape (B, {risk.network.size}), one row per bead; got {starts.shape}")
    with np.errstate(over="ignore"):
        sizes = check.no_overflow(np.linalg.norm(starts, axis=1), "starts")
    goal = np.full(len(starts), check.number(target, "target", minimum=0.0))
    check.choice(trainer, "trainer", TRAINERS)
    limit = None if iterations is None else check.positive_integer(iterations, "iterations")
    size = 0.1 * (1 + sizes) if radius is None else check.finite_array(radius, "radius")
    size = np.broadcast_to(size, (len(starts),)).astype(float)
    if (size <= 0).any():
        raise ValueError(f"radius must be positive; got {size.min()}")
    objective = Objective(risk) if objective is None else objective
    with np.errstate(over="ignore", invalid="ignore"):
        return _train(objective, starts, goal, trainer, size, limit, fallback)


def _train(
    objective: Objective, starts: Array, goal: Array, trainer: str, size: Array, limit: int | None, fallback: bool
) -> Trained:
    """`train`, its arguments checked: goal and size (first trust radius) are one number for each bead."""
    risk = objective.risk
    points, values = starts.copy(), risk.batch(starts)
    used, evaluations = np.full(len(starts), "none", dtype="<U10"), len(starts)
    if len(risk.sample) >= LARGE and (values > goal).any():
        rows = np.flatnonzero(values > goal)
        points[rows], values[rows], count = _head_start(
            objective.rows(rows), starts[rows], goal[rows], trainer, size[rows], limit
        )
        used[rows[(points[rows] != starts[rows]).any(axis=1)]] = trainer
        evaluations += count
    for name in (trainer, *(n for n in TRAINERS if n != trainer and fallback)):
        rows = np.flatnonzero(values > goal)
        if rows.size == 0:
            break
        batch = _Batch.begin(objective.rows(rows), (points if name == trainer else starts)[rows], goal[rows])
        rounds = (limit or ITERATIONS[name]) if name == trainer else max(1, (limit or ITERATIONS[name]) // SECOND)
        _METHODS[name](batch, size[rows], rounds)
        better = batch.values < values[rows]
        moved = rows[better]
        points[moved], values[moved], used[moved] = batch.points[better], batch.values[better], name
        evaluations += batch.evaluations
    return Trained(points, values, values <= goal, used, evaluations)
