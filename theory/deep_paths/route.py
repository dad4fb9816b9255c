"""Theorem 2.4 at any depth: two nets joined through sparse ones, by silent pieces and refits (Lemma 1).

From each end to a net that uses at most half of each hidden layer (`compress`), and between two of these by
`theory.crossing`: the used units of both fit side by side.

Every piece is silent (new rows for idle units, a column to an idle copy: the same function and penalty at every x) or a
refit (W_K moves: convex for every law and every convex loss), so the vertices decide, on the sample and off it.

Source: ours, paper_notes.md, multilayer-2.4 and dropout-reduction; halves assumed: Kuditipudi et al. 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.crossing import cross
from theory.deep_paths import trees
from theory.deep_paths.compress import HalfWalk
from theory.maxima import Maximum, PathMaximum, path_maximum, segment_maxima
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk

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


def connect(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, *, rng: Any = None, tool: str = "both") -> DeepPath:
    """A path from theta_a to theta_b (P,) through sparse nets, with its certified maximum and what the theorem promises.

    risk: any depth K >= 2, outputs, biases, convex loss; penalty "path", "second_layer_l1" or none (kappa = 0). rng: as
    np.random.default_rng takes it. tool: "both", refits by practice and trees where these fall short, or "trees" alone.

    ValueError for networks whose hidden layers have fewer than two units, whose output is not the identity, and for other
    penalties. RuntimeError when no tree in thousands keeps the bound that their mean keeps.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> F = Risk(Network((1, 2, 2, 1)), Sample([[1.0], [-1.0]], [[1.0], [0.0]]), kappa=0.1, penalty="path")
    >>> a = F.network.pack([[[1], [0]], [[1, 0], [0, 0]], [[0.9, 0]]])
    >>> found = connect(F, a, F.network.permute(a, 2, [1, 0]))
    >>> abs(found.maximum.upper - F(a)) < 1e-12
    True
    """
    ends = _checked(risk, theta_a, theta_b)
    check.choice(tool, "tool", TOOLS)
    rng = check.generator(rng)
    level = max(map(risk, ends))
    walks = [HalfWalk(risk, theta, level, tool, rng) for theta in ends]
    promised = trees.bound(risk, level, *(walk.theta for walk in walks))
    if np.array_equal(ends[0], ends[1]):
        path, halves = Path(ends[0][None]), ((), ())
    else:
        halves = tuple(walk.run() for walk in walks)  # type: ignore[assignment]
        cross(walks[0].walk, walks[1].walk.theta)
        path = walks[0].walk.path + walks[1].walk.path.reversed()
    maximum = path_maximum(risk, path)
    values = risk(ends[0]), risk(ends[1])
    return DeepPath(path, maximum, values, promised.value, promised.reason, halves, _straight(risk, ends, maximum))


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


def _straight(risk: Risk, ends: list[Array], maximum: PathMaximum) -> Maximum:
    """The maximum on the straight line, as closely as it takes to see on which side of the path's it is."""
    m = segment_maxima(risk, ends[0][None], ends[1][None], ceiling=maximum.value, budget=CELLS)
    return Maximum(float(m.value[0]), float(m.upper[0]), float(m.t[0]), m.method[0], m.status[0])
