"""What is found out about a maximum: its value, a bound above it, where it is, and how good the bound is (section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from theory.numerics import Array

GAP = 1e-4


CELLS = 20_000


class Method(Enum):
    """How a maximum was found."""

    CONVEX = "the risk is convex along the segment: its ends decide"
    QUARTIC = "piecewise quartic with known breakpoints: exact"
    BRANCH_AND_BOUND = "cells of t with interval enclosures"


class Status(Enum):
    """Whether the requested accuracy was met; the value is advice."""

    CONVERGED = "upper is within the requested gap of value"
    DECIDED = "stopped at the ceiling: it is known whether the maximum exceeds it"
    BUDGET = "the budget of cells ran out: upper holds but is loose; raise budget or gap"
    ROUNDING = "rounding or overflow keeps upper away from value: upper holds but is loose; scale the problem"


@dataclass(frozen=True)
class Maximum:
    """max F on a segment: `value` = F at parameter `t` of it, `upper` >= the true maximum.

    method: how the bound was found; status: whether it is as close as was asked.
    """

    value: float
    upper: float
    t: float
    method: Method
    status: Status


@dataclass(frozen=True)
class PathMaximum:
    """max F on a path: `value` = F at path parameter `t`, on `piece`; `upper` >= the true maximum.

    method, status: of the piece that rules, as in `Maximum`.
    """

    value: float
    upper: float
    t: float
    piece: int
    method: Method
    status: Status


@dataclass(frozen=True, eq=False)
class Maxima:
    """Maxima of S segments, as in `Maximum`: value (S,), upper (S,), t (S,); method and status are tuples."""

    value: Array
    upper: Array
    t: Array
    method: tuple[Method, ...]
    status: tuple[Status, ...]
