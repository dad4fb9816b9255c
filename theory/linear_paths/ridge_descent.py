"""Ridge risks of linear nets: strictly falling polylines to the lowest level (Proposition 2.2, end, kappa > 0).

One hidden layer, width >= min(n_in, n_out). The global minimisers are the balanced factors of the product M* that
minimises L(M) + 2 kappa |M|_*. The way is that of the proof, and needs no escape from saddles:

1. ridge refits of one layer at a time, convex pieces (not needed for the proof; they spare many chords);
2. cut off what the product does not use, then balance: the product stays and the norm falls;
3. along the balanced section from M to M*, where the risk is convex in t and falls until t = 1.

Balance is left as soon as a chord from there to the section falls. Curves are drawn as chords, halved until each falls.
As soon as the straight piece to the minimiser falls (the one that lies closest after a turn of the hidden space), it is
taken instead.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory.linear_paths.balanced import Factors, balancing, buy_slack, isometry, refit_outer, section
from theory.linear_paths.falls import coefficients, falling
from theory.linear_paths.problem import LinearProblem
from theory.linear_paths.products import best_of
from theory.networks import Network
from theory.numerics import Array
from theory.paths import Path
from theory.risk import Risk, Sample

Curve = Callable[[float], tuple[Array, ...]]

# A path of more pieces is given up.
PIECES = 2000


class _Descent:
    """The path so far; `take` adds a piece only if the risk falls strictly on it."""

    def __init__(self, problem: LinearProblem, start: Array, target: Array) -> None:
        self.problem, self.target = problem, target
        self.points: list[Array] = [start]
        self.labels: list[str] = []
        self.arrived = False

    def take(self, point: Array, label: str) -> bool:
        risk, here = self.problem.risk, self.points[-1]
        if not risk(point) < risk(here) or not falling(coefficients(risk, here, point - here)):
            return False
        self.points.append(point)
        self.labels.append(label)
        return True

    def arrive(self) -> bool:
        self.arrived = self.arrived or self.take(
            _aligned(self.problem, self.points[-1], self.target), "straight to the minimum"
        )
        return self.arrived

    def follow(self, curve: Curve, label: str, halvings: int) -> bool:
        """Along the curve from s = 0 to 1 while chords fall, or until the minimum is reached; whether a chord fell."""
        s, step, before = 0.0, 1.0, len(self.labels)
        while s < 1 and not self.arrived and len(self.labels) < PIECES:
            step = min(2 * step, 1 - s)
            shortest = step * 0.5**halvings
            while not self.take(self.problem.vector(*curve(s + step)), label):
                step /= 2
                if step < shortest:
                    return len(self.labels) > before
            s += step
            self.arrive()
        return len(self.labels) > before


def descend_ridge(problem: LinearProblem, start: Array, tolerance: float) -> Path:
    """A strictly falling polyline from start (P,) to within `tolerance` (relative) of the least ridge risk, K <= 2.

    problem: any; ValueError for deeper nets, the absolute loss, widths below min(n_in, n_out), or a tolerance that
    chords do not reach.
    """
    risk, network = problem.risk, problem.risk.network
    if network.depth > 2:
        raise ValueError(
            f"kappa must be 0 for {network.depth} matrices; got {risk.kappa}: with ridge and depth >= 3 the origin is a "
            "strict local minimum, so that no falling path leaves it"
        )
    if risk.loss != "squared":
        raise ValueError(f"loss must be 'squared' for descent with ridge; got {risk.loss!r}")
    if network.depth == 1:
        end = network.pack([_ridge_regression(risk)])
        if np.array_equal(start, end) or not risk(end) < risk(start):
            return Path(start[None])
        return Path(np.stack([start, end]), ("straight to the minimum",))
    if network.hidden[0] < problem.rank:
        raise ValueError(
            f"hidden layer 1 has width {network.hidden[0]} and needs at least min(n_in, n_out) = {problem.rank} for descent "
            "with ridge"
        )
    best = best_of(problem, gap=tolerance / 100)
    way = _Descent(problem, start, problem.turn(best.matrix))
    if risk(start) > best.value * (1 + tolerance) and not way.arrive():
        _by_the_section(way)
    reached = risk(way.points[-1])
    if not reached <= best.value * (1 + tolerance):
        raise ValueError(
            f"tolerance must be larger: the path ends at {problem.shown(reached)}, the minimum is {problem.shown(best.value)}"
        )
    return Path(np.stack(way.points), tuple(way.labels))


def _by_the_section(way: _Descent) -> None:
    """Refit, cut, balance until a chord to the section falls, then straight in the product."""
    refits = buy_slack(way.problem.risk, way.points[0])
    for point, label in zip(refits.points[1:], refits.labels):
        if way.take(point, label) and way.arrive():
            return
    cut = balancing(way.problem, way.points[-1])[0]
    for point, label in zip(cut.points[1:], cut.labels):
        way.take(point, label)
    while not way.arrive() and len(way.labels) < PIECES:
        balance, factors = balancing(way.problem, way.points[-1])[1:]
        if way.follow(_to_target(factors, way.target), "along the balanced section", 12):
            continue
        if not any(way.take(way.problem.vector(*balance(0.5**k)), "balance") for k in range(12)):
            return


def _to_target(factors: Factors, target: Array) -> Curve:
    M, Q = factors.product, isometry(factors)
    return lambda t: section((1 - t) * M + t * target, Q)


def _aligned(problem: LinearProblem, theta: Array, M: Array) -> Array:
    """Balanced factors of M, turned in the hidden space to lie as close to theta as they can (Procrustes)."""
    W1, W2 = problem.factors(theta)
    U, S, Vt = np.linalg.svd(M, full_matrices=False)
    half = np.sqrt(S)
    A, _, Bt = np.linalg.svd((W1 @ Vt.T + W2.T @ U) * half, full_matrices=False)
    R = A @ Bt
    return problem.vector((R * half) @ Vt, (U * half) @ R.T)


def _ridge_regression(risk: Risk) -> Array:
    """K = 1: argmin E|Y - W X|^2 + kappa |W|^2, biases penalised as they are in the risk."""
    X = risk.network.augment(risk.sample.X)
    identity = Network((X.shape[1], X.shape[1], risk.sample.n_out), activation="identity")
    stand_in = Risk(identity, Sample(X, risk.sample.Y, risk.sample.weights), kappa=risk.kappa, penalty="ridge")
    return refit_outer(stand_in, np.eye(X.shape[1]))
