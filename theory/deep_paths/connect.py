"""Theorem 2.4 at any depth: two nets joined through sparse ones, by silent pieces and refits (Lemma 1).

`compress` walks from a net to one that uses at most half of each hidden layer: refit W_K along its ray to the optimum;
then for low = K-1, ..., 1 a net that samples the layers >= low is placed into idle units, the lowest layer first, W_K moves
straight to it, and what is left behind is cleared, from the top. `theory.moves.Walk.cross` joins two such nets.

Every piece is silent (new rows for idle units, a column to an idle copy: the same function and penalty at every x) or a
refit (W_K moves: convex for every law and every convex loss), so the vertices decide, on the sample and off it.

Source: ours, paper_notes.md, multilayer-2.4 and dropout-reduction; halves assumed: Kuditipudi et al. 2019.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from theory.deep_paths import refits, trees
from theory.deep_paths.halves import Half, Masses, charged, masses, nothing, spread
from theory.maxima import Maximum, PathMaximum, path_maximum, segment_maxima
from theory.moves import Walk
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk

# Trees drawn where practice falls short of the larger end; and at most so many until one keeps the bound of the lemma.
TREES, PATIENCE = 8, 4000

# Cells for the maximum of the straight line: that it passes above the path is mostly seen with few.
CELLS = 64

TOOLS = ("both", "trees")


@dataclass(frozen=True, repr=False)
class DeepPath:
    """A path between two nets, and what is known of it.

    maximum: of the risk on it, certified; ends: the risks at A and B. promised: what Theorem 2.4 at depth K promises for
    nets at the larger end, and reason: how. halves: for A and for B, which tool made the net that samples the layers >=
    low, low = K - 1, ..., 1. straight: the maximum on the straight line, with a loose upper bound where it is long above.
    """

    path: Path
    maximum: PathMaximum
    ends: tuple[float, float]
    promised: float
    reason: str
    halves: tuple[tuple[str, ...], tuple[str, ...]]
    straight: Maximum

    @property
    def longer_way(self) -> bool:
        """Whether the straight line stays below this path: then there was no need for it."""
        return self.straight.upper < self.maximum.value

    def __repr__(self) -> str:
        line = "below" if self.longer_way else "not below"
        tools = " | ".join(", ".join(side) for side in self.halves)
        return (
            f"DeepPath({len(self.path)} pieces, max {self.maximum.value:.6g}, ends {self.ends[0]:.6g} and {self.ends[1]:.6g}, "
            f"promised {self.promised:.6g} ({self.reason}), halves {tools or 'none'}; the straight line is {line} it: "
            f"{self.straight.value:.6g})"
        )


@dataclass(frozen=True)
class Promise:
    """An upper bound on a path between two nets, and why: value; reason, in words."""

    value: float
    reason: str


def connect(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, *, rng: Any = None, tool: str = "both") -> DeepPath:
    """A path from theta_a to theta_b (P,) through sparse nets, with its certified maximum and what the theorem promises.

    risk: any depth K >= 2, outputs, biases, convex loss; penalty "path", "second_layer_l1" or none (kappa = 0). rng: as
    np.random.default_rng takes it. tool: "both", refits by practice and trees where these fall short, or "trees" alone.

    ValueError for networks whose hidden layers have fewer than two units, whose output is not the identity, and for other
    penalties. RuntimeError when no tree among `PATIENCE` keeps the bound that their mean keeps.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> F = Risk(Network((1, 2, 2, 1)), Sample([[1.0], [-1.0]], [[1.0], [0.0]]), kappa=0.1, penalty="path")
    >>> a = F.network.pack([[[1], [0]], [[1, 0], [0, 0]], [[0.9, 0]]])
    >>> connect(F, a, F.network.permute(a, 2, [1, 0])).maximum.value == F(a)
    True
    """
    ends = _checked(risk, theta_a, theta_b)
    check.choice(tool, "tool", TOOLS)
    rng = check.generator(rng)
    level = max(map(risk, ends))
    walks = [_Compression(risk, theta, level, tool, rng) for theta in ends]
    promised = bound(risk, level, *(walk.theta for walk in walks))
    if np.array_equal(*ends):
        path, halves = Path(ends[0][None]), ((), ())
    else:
        halves = tuple(walk.run() for walk in walks)  # type: ignore[assignment]
        walks[0].walk.cross(walks[1].walk.theta)
        path = walks[0].walk.path + walks[1].walk.path.reversed()
    maximum = path_maximum(risk, path)
    values = risk(ends[0]), risk(ends[1])
    return DeepPath(path, maximum, values, promised.value, promised.reason, halves, _straight(risk, ends, maximum))


def bound(risk: Risk, level: float, *thetas: ArrayLike) -> Promise:
    """What Theorem 2.4 at depth K promises for two nets below `level` in modulus of widths: an upper bound on the path.

    With a penalty V = level / kappa or F(0) / kappa bounds their path norms, half of the latter under squared loss. thetas
    (P,): nets of which the actual path norms are taken instead; without a penalty there is no other. Never above the
    larger of level and F(0), to which the path through the zero net keeps.
    """
    level = check.number(level, "level", minimum=0.0)
    network, zero = risk.network, max(level, risk.scale)
    nets = [check.vector(theta, network.size, "theta") for theta in thetas]
    V = math.inf
    if risk.R is not None:
        V = min(level, risk.scale / (2 if risk.loss == "squared" else 1)) / risk.kappa
    if nets:
        V = min(V, max(masses(risk, theta).R for theta in nets))
    size = trees.zeta(risk, *nets)
    if not math.isfinite(V) or not math.isfinite(size):
        what = "V is not bounded without a penalty" if math.isfinite(size) else "trees need relu or identity activation"
        return Promise(zero, f"through the zero net: {what}")
    best = trees.plan(risk, 1, level, V, size)
    if best.bound >= zero:
        return Promise(zero, "through the zero net: widths are too small for less")
    return Promise(best.bound, f"Theorem 2.4 at depth {network.depth} with {best}, V = {V:.6g}")


class _Compression:
    """The walk from one net to one on half of its units."""

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
        tools, slots = [], {}
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
        """A half on the layers >= low: by practice, where that reaches the larger end, else the best of all that are tried."""
        Z = self.risk.network.features(self.theta, self.risk.sample.X, low)[:, : self.risk.network.widths[low]]
        best, least = self._best(self._practised(low, Z)) if self.tool == "both" else (None, math.inf)
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
                f"no tree among {PATIENCE} kept the bound {required:.6g} that their mean keeps, best {value:.6g}; pass another rng"
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


def _checked(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike) -> list[Array]:
    network = check.instance(risk, "risk", Risk).network
    if network.depth < 2:
        raise ValueError(f"risk.network must have a hidden layer; it has widths {network.widths}")
    if network.output != "identity":
        raise ValueError(f"risk.network must have identity output, so that refits are convex; got {network.output!r}")
    if risk.R is not None and risk.penalty not in ("path", "second_layer_l1"):
        raise ValueError(
            f"risk.penalty must be 'path', 'second_layer_l1' or None (kappa = 0); got {risk.penalty!r} with kappa {risk.kappa}. "
            "Moving units raises it; for ridge and three layers or more the theorem is false"
        )
    for layer, width in enumerate(network.hidden, start=1):
        if width < 2:
            raise ValueError(
                f"hidden layer {layer} has {width} unit, and 2 are needed, 2 l s in general: with fewer, level sets can be "
                "disconnected. Add idle units (outgoing weights zero), or ask theory.barriers for a lower bound"
            )
    ends = [check.vector(theta_a, network.size, "theta_a"), check.vector(theta_b, network.size, "theta_b")]
    for name, theta in zip(("theta_a", "theta_b"), ends):
        if not np.isfinite(risk(theta)):
            raise ValueError(f"{name} must have a finite risk; it overflows. Scale the weights or the data down")
    return ends


def _ray_optimum(risk: Risk, theta: Array) -> float:
    """The c >= 0 with the least F(W_1, ..., W_{K-1}, c W_K)."""
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


def _straight(risk: Risk, ends: list[Array], maximum: PathMaximum) -> Maximum:
    """The maximum on the straight line, as closely as it takes to see on which side of the path's it is."""
    m = segment_maxima(risk, ends[0][None], ends[1][None], ceiling=maximum.value, budget=CELLS)
    return Maximum(float(m.value[0]), float(m.upper[0]), float(m.t[0]), m.method[0], m.status[0])
