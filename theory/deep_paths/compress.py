"""From a net to one that uses at most half of each hidden layer: the walk of Lemma 1.

Refit W_K along its ray to the optimum; then for low = K-1, ..., 1 a net that samples the layers >= low is placed into idle
units, the lowest layer first, W_K moves straight to it, and what is left behind is cleared, from the top. Its units of
layer `low` are there already; above, the half that the net before did not use is idle.

Source: ours, paper_notes.md, dropout-reduction; halves assumed: Kuditipudi et al. 2019.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from theory.deep_paths import refits, trees
from theory.deep_paths.halves import Half, Masses, masses, nothing, spread
from theory.moves import Walk
from theory.numerics import Array
from theory.risk import Risk

# Trees drawn where practice falls short of the larger end; and at most so many until one keeps the bound of the lemma.
TREES, PATIENCE = 8, 4000


class HalfWalk:
    """The walk from a net theta (P,) to one on half of its units.

    level: what a half need not be better than; tool: "both" or "trees" alone. RuntimeError when no tree among `PATIENCE`
    keeps the bound that their mean keeps.
    """

    def __init__(self, risk: Risk, theta: Array, level: float, tool: str, rng: np.random.Generator) -> None:
        self.risk, self.level, self.tool, self.rng = risk, level, tool, rng
        self.walk = Walk(risk.network, theta, risk.sample.X)
        self._ray()
        self.theta = self.walk.theta  # of which all halves are halves
        self.masses: Masses = masses(risk, self.theta)
        self.size = trees.zeta(risk, self.theta)
        self._practice: Half | None = None

    def run(self) -> tuple[str, ...]:
        """Walk; which tools made the halves."""
        last, network = self.risk.network.depth - 1, self.risk.network
        if self.masses.R == 0:  # nothing is computed; weights may be there
            self._refit(np.zeros(network.shapes[-1]), "refit W_K to zero")
            for k in range(last, 0, -1):
                self._clear(k, np.zeros(0, dtype=int))
            return ("nothing",) * last
        tools: list[str] = []
        slots: dict[int, Array] = {}
        for low in range(last, 0, -1):
            half = self.half(low)
            at = half.units
            new = {low: at}
            for k, rows in enumerate(half.rows, start=low + 1):
                idle = np.setdiff1d(np.arange(network.widths[k]), slots[k])
                new[k] = idle[: len(rows)]
                if len(rows):
                    self.walk.place(k, new[k], spread(rows, at, network.shapes[k - 1][1], network.bias))
                at = new[k]
            slots = new
            self._refit(
                spread(half.head, at, network.shapes[-1][1], network.bias), f"refit, layers {low} and up by half"
            )
            for k in range(last, low, -1):
                self._clear(k, slots[k])
            tools.append(half.tool)
        self._clear(1, slots[1])
        return tuple(tools)

    def half(self, low: int) -> Half:
        """A half on the layers >= low: by practice, where that reaches the larger end, else the best of all tried."""
        Z = self.risk.network.features(self.theta, self.risk.sample.X, low)[:, : self.risk.network.widths[low]]
        best, least = self._best(self._practised(low, Z)) if self.tool == "both" else (None, math.inf)
        if best is not None and least > self.level and best.rows:
            further = self._valued(refits.descended(self.risk, self.theta, best))
            least, best = min((least, best), further, key=lambda pair: pair[0])
        self._practice = best
        if best is not None and least <= self.level:
            return best
        plan = self._plan(low)
        required = min(plan.bound + self.risk.kappa * self.masses.R * (1 + 1e-12), self.risk.scale)
        found = [
            (least, best),
            self._best(self._drawn(plan, Z, TREES))[::-1],
            self._valued(nothing(self.risk.network, low)),
        ]
        for tree in self._drawn(plan, Z, PATIENCE) if plan.bound < math.inf else ():
            if min(value for value, _half in found) <= required:
                break
            found.append(self._valued(tree))
        value, half = min(found, key=lambda pair: pair[0])
        if half is None or not value <= required * (1 + 1e-12):
            raise RuntimeError(
                f"no tree among {PATIENCE} kept the bound {required:.6g} that their mean keeps, best {value:.6g}; "
                "pass another rng"
            )
        return half

    def _practised(self, low: int, Z: Array) -> Iterator[Half]:
        if low == self.risk.network.depth - 1:
            return refits.top_halves(self.risk, self.theta, self.masses, Z)
        if self._practice is None:
            return iter(())
        return refits.lower_halves(self.risk, self.theta, self.masses, self._practice, Z)

    def _drawn(self, plan: trees.Plan, Z: Array, count: int) -> Iterator[Half]:
        """Trees as they are drawn; with `both` tools each one again with the best head."""
        if self.risk.network.activation not in trees.SAMPLED or not np.isfinite(self.masses.R):
            return
        for _ in range(count):
            tree = trees.tree(self.risk, self.theta, self.masses, plan, self.rng)
            yield tree
            if self.tool == "both" and count == TREES:
                yield refits.with_best_head(self.risk, tree, Z, self.masses.q[plan.low - 1])

    def _plan(self, low: int) -> trees.Plan:
        fit = self.risk(self.theta) - self.risk.kappa * self.masses.R * (self.risk.R is not None)
        return trees.plan(self.risk, low, max(fit, 0.0), float(self.masses.top.sum()), self.size)

    def _best(self, halves: Iterator[Half]) -> tuple[Half | None, float]:
        """The best half, or the first that reaches the larger end, with its risk."""
        best, least = None, math.inf
        for half in halves:
            value = self._valued(half)[0]
            if value < least:
                best, least = half, value
            if least <= self.level:
                break
        return best, least

    def _valued(self, half: Half) -> tuple[float, Half]:
        with np.errstate(over="ignore", invalid="ignore"):
            theta = half.embedded(self.risk.network, self.theta)
        return (self.risk(theta) if np.isfinite(theta).all() else math.inf), half

    def _ray(self) -> None:
        """Refit W_K along its ray, where that gains: then kappa R <= F(0), and half of that under squared loss."""
        V = self.walk.network.weights(self.walk.theta)[-1]
        factor = _ray_optimum(self.risk, self.walk.theta)
        best = self.walk.theta
        best[self.walk.network.slices[-1]] = (factor * V).ravel()
        if np.isfinite(best).all() and self.risk(best) < self.risk(self.walk.theta):
            self._refit(factor * V, "refit W_K along its ray")

    def _refit(self, V: Array, label: str) -> None:
        self.walk.refit(self.walk.network.depth - 1, V, label)

    def _clear(self, layer: int, keep: Array) -> None:
        """Rows of all units of a layer but `keep` to zero."""
        rest = np.setdiff1d(np.arange(self.walk.network.widths[layer]), keep)
        if rest.size:
            self.walk.place(layer, rest, np.zeros((rest.size, self.walk.network.shapes[layer - 1][1])))


def _ray_optimum(risk: Risk, theta: Array) -> float:
    """The c >= 0 with the least F(W_1, ..., W_{K-1}, c W_K)."""
    from scipy.optimize import minimize_scalar

    p, Y, f = risk.sample.weights, risk.sample.Y, risk.network(theta, risk.sample.X)
    cost = risk.kappa * masses(risk, theta).R if risk.R is not None else 0.0
    size = float(p @ np.sum(f**2, axis=1))
    if size == 0 or not np.isfinite(size):
        return 0.0 if cost > 0 and size == 0 else 1.0
    if risk.loss == "squared":
        return max(0.0, (float(p @ np.sum(Y * f, axis=1)) - cost / 2) / size)

    def along(c: float) -> float:
        return float(p @ risk.criterion.value(c * f, Y)) + c * cost

    top = 1.0
    while top < 2.0**20 and along(2 * top) < along(top):
        top *= 2
    return float(minimize_scalar(along, bounds=(0.0, 2 * top), method="bounded", options={"xatol": 1e-9}).x)
