"""What is found out about a maximum: its value, a bound above it, where it is, and how good the bound is (section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from theory.numerics import Array

GAP = 1e-4
CELLS = 20_000


class Named(Enum):
    """An enumeration whose members print as their names; their values are advice in words."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


class Method(Named):
    """How a maximum was found."""

    CONVEX = "the risk is convex along the segment: its ends decide"
    CONSTANT = "the network does not change along the segment, only the penalty, which is convex: its ends decide"
    QUARTIC = "piecewise quartic with known breakpoints: exact, or enclosed by buckets of them up to the gap"
    BRANCH_AND_BOUND = "cells of t, each enclosed by a Taylor model"
    SAMPLED = "looked at on a grid of points, which bounds nothing"


class Status(Named):
    """Whether the requested accuracy was met; the value is advice."""

    CONVERGED = "upper is within the requested gap of value, up to 1e-9 of the risk of the zero net"
    DECIDED = "stopped at the ceiling: it is known whether the maximum exceeds it"
    BUDGET = "the budget of cells ran out: upper holds but is loose; raise budget or gap"
    ROUNDING = "rounding or overflow keeps upper away from value: upper holds but is loose; scale the problem"
    SAMPLED = "only looked at: value was met, and upper is inf; nothing is proved"


@dataclass(frozen=True, repr=False)
class Maximum:
    """max F on a segment: `value` <= F at parameter `t` of it, by rounding only, and `upper` >= the true maximum.

    method: how the bound was found; status: whether it is as close as was asked.
    """

    value: float
    upper: float
    t: float
    method: Method
    status: Status

    def __repr__(self) -> str:
        return f"Maximum({_words(self.value, self.upper)} at t = {self.t:.6g}, {self.method.name}, {self.status.name})"


@dataclass(frozen=True, repr=False)
class PathMaximum:
    """max F on a path: `value` <= F at path parameter `t`, on `piece`, by rounding only; `upper` >= the true maximum.

    method, status: of the piece that rules, as in `Maximum`.
    """

    value: float
    upper: float
    t: float
    piece: int
    method: Method
    status: Status

    def __repr__(self) -> str:
        where = f"at t = {self.t:.6g} on piece {self.piece}"
        return f"PathMaximum({_words(self.value, self.upper)} {where}, {self.method.name}, {self.status.name})"


@dataclass(frozen=True, eq=False, repr=False)
class Maxima:
    """Maxima of S segments, as in `Maximum`: value (S,), upper (S,), t (S,); method and status are tuples."""

    value: Array
    upper: Array
    t: Array
    method: tuple[Method, ...]
    status: tuple[Status, ...]

    def __repr__(self) -> str:
        if not self.method:
            return "Maxima(no segments)"
        count = len(self.method)
        top = _words(float(np.max(self.value)), float(np.max(self.upper)))
        return f"Maxima({count} segment{'s' * (count > 1)}, the largest {top})"

    def __getitem__(self, s: int) -> Maximum:
        """That of segment s."""
        return Maximum(float(self.value[s]), float(self.upper[s]), float(self.t[s]), self.method[s], self.status[s])

    @property
    def highest(self) -> PathMaximum:
        """That of the path whose pieces the segments are."""
        piece, top = int(np.argmax(self.value)), int(np.argmax(self.upper))
        t = float((piece + self.t[piece]) / len(self.value))
        value, upper = float(self.value[piece]), float(self.upper[top])
        return PathMaximum(value, upper, t, piece, self.method[top], self.status[top])


def _words(value: float, upper: float) -> str:
    """As many digits as tell both ends apart, and six at least: '0.41388 <= max <= 0.41390'."""
    apart = abs(upper - value) / abs(value) if value and np.isfinite(upper) else 1.0
    digits = 6 if not 0 < apart < 1e-4 else min(17, int(np.ceil(-np.log10(apart))) + 2)
    return f"{value:.{digits}g} <= max <= {upper:.{digits}g}"
