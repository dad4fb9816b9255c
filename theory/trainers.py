"""Bead trainers: move many parameter vectors at once onto a level of the risk (step 8 of Algorithm 1).

A bead starts above a target value and stops on it: the last step, which crosses the target, is bisected back, so
that a bead moves no farther than it must (the shorter the move, the shorter the string). Four trainers:

    lm          damped Gauss-Newton in a trust region; each step is the shortest one whose quadratic model meets the
                target. Absolute values (the absolute loss, the l1 penalty) enter by their quadratic majorant.
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
from numpy.typing import ArrayLike, NDArray

from theory import validation as check
from theory.risk import SLAB, Risk, Sample

Array = NDArray[Any]

LANDING = 0.01  # a bead may stop this far below its target, relatively
FLOOR = 0.3  # |r| is smoothed below this fraction of its mean in the quadratic model: stiffer, and beads stray farther
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


@dataclass(frozen=True, eq=False)
class Objective:
    """F plus the two regularisers of Appendix A, for beads between neighbours left and right (B, P).

        F(theta) + zeta (|left - theta| + |right - theta|) + kappa |cos(left - right, theta - (left + right) / 2)|

    The printed formula has the midpoint as (left - right) / 2, a slip of sign: the point equidistant from both
    neighbours is (left + right) / 2. kappa = inf confines the bead to the hyperplane exactly.
    """

    risk: Risk
    left: Array | None = None
    right: Array | None = None
    zeta: float = 0.0
    kappa: float = 0.0

    def rows(self, index: Array) -> Objective:
        """The objective of some of the beads."""
        if self.left is None or self.right is None:
            return self
        return replace(self, left=self.left[index], right=self.right[index])

    def confine(self, thetas: Array) -> Array:
        """The nearest points of the hyperplanes when kappa is inf; otherwise thetas as they are."""
        if self.left is None or self.right is None or not np.isinf(self.kappa):
            return thetas
        u = _unit(self.left - self.right)
        return thetas - u * np.sum(u * (thetas - (self.left + self.right) / 2), axis=1, keepdims=True)

    def values(self, thetas: Array) -> tuple[Array, Array]:
        """F (B,) and the whole objective (B,)."""
        F = self.risk.batch(thetas)
        return F, F + self._springs(thetas, False)[0] if self.left is not None else F

    def derivatives(self, thetas: Array, *, curvature: bool = False) -> tuple[Array, Array, Array, Array | None]:
        """F, the objective, its gradient (B, P), and a positive semidefinite quadratic model's matrix (B, P, P)."""
        risk, P = self.risk, thetas.shape[-1]
        share = len(risk.sample) * (max(P, *risk.network.widths) if curvature else max(risk.network.widths)) + P * P
        step = max(1, SLAB // share)
        slabs = [_sweep(risk, thetas[i : i + step], curvature) for i in range(0, len(thetas), step)]
        F, g = (np.concatenate([slab[k] for slab in slabs]) for k in (0, 1))
        H = np.concatenate([slab[2] for slab in slabs]) if curvature else None
        if self.left is None or self.right is None:
            return F, F, g, H
        extra, slope, bend = self._springs(thetas, curvature)
        g = g + slope
        H = H + bend if H is not None else None
        if np.isinf(self.kappa):
            u = _unit(self.left - self.right)
            g = g - u * np.sum(u * g, axis=1, keepdims=True)
            if H is not None:
                H = H - u[:, :, None] * (u[:, None, :] @ H)
                H = H - (H @ u[:, :, None]) * u[:, None, :]
        return F, F + extra, g, H

    def _springs(self, thetas: Array, curvature: bool) -> tuple[Array, Array, Array | float]:
        """Value, gradient and model matrix of the two regularisers (without the exact confinement)."""
        left, right = self.left, self.right
        assert left is not None
        assert right is not None
        value, slope = np.zeros(len(thetas)), np.zeros_like(thetas)
        bend: Array | float = np.zeros((len(thetas), thetas.shape[1], thetas.shape[1])) if curvature else 0.0
        for end in (left, right) if self.zeta > 0 else ():
            away = thetas - end
            distance = np.maximum(np.linalg.norm(away, axis=1), 1e-12)
            value = value + self.zeta * distance
            slope = slope + self.zeta * away / distance[:, None]
            bend = bend + (self.zeta / distance)[:, None, None] * np.eye(thetas.shape[1]) if curvature else 0.0
        if 0 < self.kappa < np.inf:
            u, v = _unit(left - right), thetas - (left + right) / 2
            size = np.maximum(np.linalg.norm(v, axis=1), 1e-9 * (1 + np.linalg.norm(left - right, axis=1)))
            off = np.sum(u * v, axis=1)
            cosine = off / size
            value = value + self.kappa * np.abs(cosine)
            sign = np.sign(cosine)[:, None]
            slope = slope + self.kappa * sign * (u - cosine[:, None] * v / size[:, None]) / size[:, None]
            if curvature:
                stiffness = self.kappa / (size * np.maximum(np.abs(off), FLOOR * size))
                bend = bend + stiffness[:, None, None] * u[:, :, None] * u[:, None, :]
        return value, slope, bend


def _unit(v: Array) -> Array:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-300)


def _sweep(risk: Risk, thetas: Array, curvature: bool) -> tuple[Array, Array, Array | None]:
    """Risk, gradient and (if asked) the majorising Gauss-Newton matrix of a slab of parameter vectors, in one pass."""
    network, sample = risk.network, risk.sample
    seen, before = network.layers(thetas, sample.X)
    last = network.rho(network.depth)
    r = last.value(before[-1]) - sample.Y
    weights = sample.weights[:, None]
    if risk.loss == "squared":
        F, pull, stiffness = (r**2).sum(-1) @ sample.weights, 2 * r * weights, 2 * weights
    else:
        F = np.abs(r).sum(-1) @ sample.weights
        size = np.maximum(np.abs(r), FLOOR * np.abs(r).mean(axis=(-1, -2), keepdims=True) + 1e-300)
        pull, stiffness = weights * r / size, weights / size
    F = F + risk.regulariser(thetas)
    slope = last.slope(before[-1])
    if curvature:
        J = _jacobian(risk, thetas, seen, before, slope).reshape(*thetas.shape, -1)
        g = (J @ pull.swapaxes(-1, -2).reshape(len(thetas), -1, 1))[..., 0]
        J *= np.sqrt(np.broadcast_to(stiffness, r.shape)).swapaxes(-1, -2).reshape(len(thetas), 1, -1)
        H = J @ J.swapaxes(-1, -2)
    else:
        g, H = np.concatenate(_backward(risk, thetas, seen, before, pull * slope), axis=-1), None
    return F, *_penalised(risk, thetas, g, H)


def _penalised(risk: Risk, thetas: Array, g: Array, H: Array | None) -> tuple[Array, Array | None]:
    """Add the penalty's gradient and quadratic majorant."""
    if risk.kappa == 0 or risk.penalty is None:
        return g, H
    slope, bend = np.zeros_like(thetas), np.zeros_like(thetas)
    if risk.penalty == "ridge":
        slope, bend = 2 * risk.kappa * thetas, bend + 2 * risk.kappa
    else:
        layer = risk.network.slices[1]
        w = thetas[:, layer]
        size = np.maximum(np.abs(w), FLOOR * np.abs(w).mean(axis=1, keepdims=True) + 1e-300)
        slope[:, layer], bend[:, layer] = risk.kappa * w / size, risk.kappa / size
    if H is not None:
        diagonal = np.arange(H.shape[-1])
        H[:, diagonal, diagonal] += bend
    return g + slope, H


def _backward(risk: Risk, thetas: Array, seen: list[Array], before: list[Array], delta: Array) -> list[Array]:
    """Backpropagation of delta (B, N, n_K) at the last pre-activation: one flat gradient block per layer."""
    network, matrices = risk.network, risk.network.weights(thetas)
    blocks: list[Array] = []
    for k in range(network.depth, 0, -1):
        blocks.append((delta.swapaxes(-1, -2) @ seen[k - 1]).reshape(len(thetas), -1))
        if k > 1:
            delta = delta @ matrices[k - 1][..., : network.widths[k - 1]]
            delta = delta * network.rho(k - 1).slope(before[k - 2])
    return blocks[::-1]


def _jacobian(risk: Risk, thetas: Array, seen: list[Array], before: list[Array], slope: Array) -> Array:
    """d Phi_o(x_i) / d theta_p, shape (B, P, n_out, N)."""
    network, matrices = risk.network, risk.network.weights(thetas)
    B, N, outputs = slope.shape
    J = np.empty((B, network.size, outputs, N))
    for o in range(outputs):
        delta = np.zeros_like(slope)
        delta[..., o] = slope[..., o]
        for k in range(network.depth, 0, -1):
            rows, columns = network.shapes[k - 1]
            block = J[:, network.slices[k - 1], o].reshape(B, rows, columns, N)
            left, right = delta.swapaxes(-1, -2), seen[k - 1].swapaxes(-1, -2)
            np.multiply(left[:, :, None], right[..., None, :, :], out=block)
            if not np.shares_memory(block, J):
                J[:, network.slices[k - 1], o] = block.reshape(B, rows * columns, N)
            if k > 1:
                delta = delta @ matrices[k - 1][..., : network.widths[k - 1]]
                delta = delta * network.rho(k - 1).slope(before[k - 2])
    return J


def land(risk: Risk, above: Array, below: Array, target: Array, *, rounds: int = 30) -> tuple[Array, Array, int]:
    """Points of the segments above -> below (B, P) with risk in [(1 - LANDING) target, target] by bisection.

    F(below) <= target < F(above) is assumed; the returned risk is at most the target always. Returns points,
    risks and the number of evaluations.
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
        return cls(objective, starts.copy(), values, target, values > target, len(starts))

    def attempt(self, rows: Array, trial: Array, total: Array, stale: Array, predicted: Array) -> Array:
        """Evaluate steps to `trial`: land those that cross the target, accept those that descend; actual / predicted."""
        trial = self.objective.rows(rows).confine(trial)
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
            bend[fresh], axes[fresh] = np.linalg.eigh(H)
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
        value = batch.objective.risk(theta)
        if value <= batch.target[row[0]]:
            batch.cross(row, theta[None].copy())
            raise StopIteration
        batch.points[row], batch.values[row] = theta, value

    start, options = batch.points[row[0]].copy(), {"maxiter": iterations}
    minimize(fun, start, jac=True, method="L-BFGS-B", callback=callback, options=options)
    batch.active[row] = False


def _adam(batch: _Batch, radius: Array, iterations: int, *, rate: float = 1e-3) -> None:
    """Full-batch Adam, rate 1e-3, betas 0.9 and 0.999, checked at every step."""
    first, second = np.zeros_like(batch.points), np.zeros_like(batch.points)
    previous = batch.points.copy()
    for k in range(1, iterations + 2):
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
        if k > iterations:
            break
        first[rows] = 0.9 * first[rows] + 0.1 * g
        second[rows] = 0.999 * second[rows] + 0.001 * g**2
        batch.points[rows] -= rate * (first[rows] / (1 - 0.9**k)) / (np.sqrt(second[rows] / (1 - 0.999**k)) + 1e-8)
        batch.points[rows] = batch.objective.rows(rows).confine(batch.points[rows])
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
    """Train on every k-th sample first; what is kept is judged, and landed, on the whole sample.

    Returns points whose risk is at most that of their start, the risks, and the work in passes over the whole sample.
    """
    risk, sample = objective.risk, objective.risk.sample
    every = slice(None, None, len(sample) // SMALL)
    weights = sample.weights[every]
    values = risk.batch(starts)
    if not weights.sum() > 0:
        return starts.copy(), values, len(starts)
    few = replace(risk, sample=Sample(sample.X[every], sample.Y[every], weights))
    rough = _Batch.begin(replace(objective, risk=few), starts, goal)
    _METHODS[trainer](rough, radius, limit or ITERATIONS[trainer])
    trial, points = rough.points, starts.copy()
    there = risk.batch(trial)
    better, landed = there < values, there <= goal
    points[better], values[better] = trial[better], there[better]
    points[landed], values[landed], count = land(risk, starts[landed], trial[landed], goal[landed])
    share = len(few.sample) / len(sample)
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

    A bead that starts at or below the target stays. trainer: one of TRAINERS; with `fallback` the others are tried
    in turn on beads that the first one leaves above the target, each from where the bead started, and a bead that none
    brings there keeps its lowest point. radius (scalar or (B,)): first trust radius of lm and projection in weight
    space (default a tenth of 1 + |theta|). iterations: of the trainer
    (default ITERATIONS; the others get a tenth of theirs). objective: F with the
    springs of Appendix A (default F alone). On LARGE samples the first trainer begins on a part of the sample. Terminates always: every trainer has a fixed number of iterations.
    """
    starts = check.parameters(starts, check.instance(risk, "risk", Risk).network.size, "starts")
    if starts.ndim != 2:
        raise ValueError(f"starts must have shape (B, {risk.network.size}), one row per bead; got {starts.shape}")
    with np.errstate(over="ignore"):
        check.no_overflow(np.linalg.norm(starts, axis=1) + risk.batch(starts), "starts")
    goal = np.full(len(starts), check.number(target, "target", minimum=0.0))
    check.choice(trainer, "trainer", TRAINERS)
    limit = None if iterations is None else check.positive_integer(iterations, "iterations")
    size = 0.1 * (1 + np.linalg.norm(starts, axis=1)) if radius is None else check.finite_array(radius, "radius")
    size = np.broadcast_to(size, (len(starts),)).astype(float)
    if (size <= 0).any():
        raise ValueError(f"radius must be positive; got {size.min()}")
    objective = Objective(risk) if objective is None else objective
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
