"""What strings, runs and shortening ask of a landscape (section 3.1), and the landscape of a risk, where every answer is exact.

A landscape without a bound (a deep net whose heights are only sampled) gives strings that are accepted, never connected.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from theory import maxima
from theory.landscapes.objectives import Objective
from theory.landscapes.trainers import TRAINERS, Trained, train
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk

GAP, CELLS = 1e-11, 2_000  # a certificate may fail by this much, relatively, and ask for this many cells per piece
COARSE = 1e-3  # the maximum of a path that need not stay below anything is known to this, relatively
SCREEN = np.arange(1, 10) / 10  # where a piece is looked at before it is worth certifying
PART = 100  # about so many of a large sample say which of these points is the highest


@dataclass(frozen=True, eq=False)
class Seen:
    """The highest point looked at on each of S pieces: at t (S,) of its piece, of height top (S,).

    evaluations: passes over the sample.
    """

    t: Array
    top: Array
    evaluations: int


class Landscape(Protocol):
    """A height over vectors (size,), and what else is asked of it.

    weights (size,): True where a parameter counts in the normalised length of section 4 (no biases).
    """

    @property
    def size(self) -> int:
        """How many parameters there are."""

    @property
    def weights(self) -> Array:
        """(size,): True for weights, False for biases."""

    def batch(self, thetas: Array) -> Array:
        """The heights (B,) of thetas (B, size); inf where they overflow."""

    def rounding(self, thetas: Array) -> Array:
        """How far rounding may put the height of each of thetas (B, size) off, (B,); 0 where the float is what is meant."""

    def look(self, a: Array, b: Array, t: Array | None = None) -> Seen:
        """The highest point of each piece a -> b (S, size) among the parameters t (k,) (default: the landscape's own)."""

    def bound(self, a: Array, b: Array, ceiling: float) -> maxima.Maxima:
        """The maxima over pieces a -> b (S, size), as far as they decide on the ceiling.

        Where nothing is proved, value is what was seen, upper is inf and the method SAMPLED.
        """

    def maximum(self, path: Path) -> maxima.PathMaximum | None:
        """What is proved of the maximum over a path; None where the landscape proves nothing."""

    def train(
        self, starts: Array, target: float, *, radius: Array, iterations: int | None = None, fallback: bool = True
    ) -> Trained:
        """Move beads `starts` (B, size) down to the target.

        radius (B,): how far they should go at first; iterations: at most so many; fallback: whether other trainers may
        be tried as well. All three guide a landscape that has a trust region, a budget or several trainers.
        """


@dataclass(frozen=True, eq=False)
class Exact:
    """The landscape of a risk: bounds in exact arithmetic, and trainers that land on a level.

    trainer, iterations: as in `theory.landscapes.train`.
    """

    risk: Risk
    trainer: str = "lm"
    iterations: int | None = None

    def __post_init__(self) -> None:
        check.instance(self.risk, "risk", Risk)
        check.choice(self.trainer, "trainer", TRAINERS)
        if self.iterations is not None:
            check.positive_integer(self.iterations, "iterations")

    def __repr__(self) -> str:
        return f"Exact({self.risk!r}, trainer={self.trainer!r})"

    @property
    def size(self) -> int:
        """How many parameters the network has."""
        return self.risk.network.size

    @cached_property
    def weights(self) -> Array:
        """(size,): True for weights, False for biases."""
        network = self.risk.network
        kinds = [np.ones(shape) for shape in network.shapes]
        if network.bias:
            for kind in kinds:
                kind[:, -1] = 0
        return network.pack(kinds) > 0

    def batch(self, thetas: Array) -> Array:
        """The risks (B,) of thetas (B, size)."""
        return self.risk.batch(thetas)

    def rounding(self, thetas: Array) -> Array:
        """How far rounding may put each risk off, (B,), for thetas (B, size)."""
        zero = np.zeros(len(thetas))
        return np.abs(maxima.upper_bounds(self.risk, thetas, thetas, zero, zero) - self.risk.batch(thetas))

    def look(self, a: Array, b: Array, t: Array | None = None) -> Seen:
        """The highest of the points t (k,) looked at on each piece a -> b (S, size).

        Without t it is SCREEN that is looked at, and a part of a large sample chooses the point.
        """
        risk, grid = self.risk, SCREEN if t is None else t
        part = risk.on_part(PART) if t is None else risk
        inside = part.batch(a[:, None] + grid[:, None] * (b - a)[:, None])
        best, rows = inside.argmax(axis=1), np.arange(len(a))
        where, top = grid[best], inside[rows, best]
        evaluations = int(np.ceil(inside.size * len(part.sample) / len(risk.sample)))
        if part is not risk:
            top = risk.batch(a + where[:, None] * (b - a))
            evaluations += len(a)
        return Seen(where, top, evaluations)

    def bound(self, a: Array, b: Array, ceiling: float) -> maxima.Maxima:
        """The maxima over pieces a -> b (S, size), as far as they decide on the ceiling (`theory.maxima`)."""
        return maxima.segment_maxima(self.risk, a, b, ceiling=ceiling, gap=GAP, budget=CELLS)

    def maximum(self, path: Path) -> maxima.PathMaximum:
        """The maximum over a path, up to COARSE."""
        return maxima.path_maximum(self.risk, path, gap=COARSE)

    def train(
        self,
        starts: Array,
        target: float,
        *,
        radius: Array,
        iterations: int | None = None,
        fallback: bool = True,
        objective: Objective | None = None,
    ) -> Trained:
        """`theory.landscapes.train` with this landscape's trainer.

        starts (B, size), target, radius (B,), fallback, objective: as there; iterations: in place of the landscape's own.
        """
        return train(
            self.risk,
            starts,
            target,
            trainer=self.trainer,
            radius=radius,
            iterations=self.iterations if iterations is None else iterations,
            fallback=fallback,
            objective=objective,
        )


ASKED = ("size", "weights", "batch", "rounding", "look", "bound", "maximum", "train")  # of a landscape


def landscape_of(risk: Any, *, trainer: str = "lm", iterations: int | None = None) -> Any:
    """The landscape itself, or the exact one of a risk, with a trainer and iterations for it.

    ValueError for anything else, and where a landscape that brings its own training is given a trainer or iterations.
    """
    if isinstance(risk, Risk) or not all(hasattr(risk, name) for name in ASKED):
        return Exact(check.instance(risk, "risk", Risk), trainer, iterations)
    for name, value, default in (("trainer", trainer, "lm"), ("iterations", iterations, None)):
        if value != default:
            raise ValueError(
                f"{name} is for a Risk; a landscape brings its own training, so leave it out; got {value!r}"
            )
    return risk
