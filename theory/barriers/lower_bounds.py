"""Barriers that every path between two given nets must climb, and why (section 2.3.1, appendix E.1)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.barriers.dependent_features import MOST_RAYS, PLANE_RAYS, least_risk
from theory.barriers.invariants import (
    determinant_sign,
    in_different_order,
)
from theory.barriers.one_direction import one_direction_risk
from theory.barriers.scaling import bounded_below
from theory.maxima import Named
from theory.numerics import Array, exact_rows, matrix, rank
from theory.numerics import validation as check
from theory.paths import Path
from theory.rays import Rays, dependencies, plane_coordinates, rays, unseen_risk
from theory.risk import Risk

# Rays of a plane up to which a subset's feature curve is used, when there are many subsets.
SUBSET_RAYS = 5


# Rays up to which the bound over one direction is computed: its cost grows with their square.
MOST_ARCS = 200


class Reason(Named):
    """What forces the barrier, or lets the path through; the value says so."""

    DETERMINANT = "an odd permutation turns the sign of det Z: on the way the features are dependent"
    ORDER = "units stand in an order along the curve of feature rows: on the way two of them meet"
    DIRECTION = "the sign of det W_1 turns: on the way the net sees one direction of the data only"
    SIGNS = "with a penalty, the sign of a weight turns: on the way a unit is spared"
    CYCLE = "with a penalty, the cyclic order of the units' directions changes: on the way two units merge"
    FREE = "more units than independent features: one can be freed, and permutations cost nothing"
    UNSOLVABLE = (
        "points on one ray from the origin (or opposite ones) ask for what no net can give; "
        "that is the bound, a unit can be freed, and permutations cost nothing more"
    )
    ROTATION = "the units turn round the closed curve of feature rows to each other's places"
    IDENTITY = "the identity permutation moves nothing"
    NONE = "no invariant known here separates the ends: the bound is what no net can beat"


@dataclass(frozen=True, eq=False, repr=False)
class Barrier:
    """The least height of a path between a net and its hidden permutation, or between two given nets.

    lower: every path between such nets, wherever they are, climbs at least so high; a bound in exact arithmetic.
    upper: the certified maximum of `path`, which joins its first point to its last (inf without a path).
    reason: what forces `lower`, or lets the path through.
    """

    lower: float
    upper: float
    path: Path | None
    reason: Reason

    def __repr__(self) -> str:
        return f"Barrier({self.lower:.6g} <= height <= {self.upper:.6g}, {self.reason.name})"

    @property
    def gap(self) -> float:
        """upper - lower: what is not known."""
        return self.upper - self.lower

    @property
    def largest_weight(self) -> float:
        """The largest |weight| on the path (nan without one); it grows without bound where the infimum is not attained."""
        return float(np.abs(self.path.points).max()) if self.path is not None else float("nan")


def lower_bound(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, *, subsets: int = 64, rng: Any = None) -> Barrier:
    """A certified lower bound on max F over every path from theta_a to theta_b, two given nets; no path is built.

    One hidden ReLU layer, identity output, squared loss, any kappa (a penalty only adds). What separates the nets is
    read off them exactly: signs of det Z on subsets of the points, orders along the feature curve, the sign of
    det W_1. With nothing found the bound is what no net can beat, and proves nothing (Reason.NONE). Raises ValueError
    for other networks or losses, for parameter vectors that do not fit, and where E|Y|^2 overflows.
    """
    network, sample = check.instance(risk, "risk", Risk).network, risk.sample
    check.positive_integer(subsets, "subsets")
    if network.depth != 2 or network.activation != "relu" or network.output != "identity" or risk.loss != "squared":
        raise ValueError(
            "risk must be of one hidden relu layer with identity output and squared loss; got widths "
            f"{network.widths}, {network.activation}, {network.output}, {risk.loss}"
        )
    rows = [network.weights(theta)[0] for theta in risk.pair(theta_a, theta_b)]
    bias, width = network.bias, network.widths[1]
    points = rays(sample, bias=bias)
    best, reason = bounded_below(unseen_risk(points, dependencies(points, bias=bias))), Reason.NONE
    if 1 <= width and 2 <= width + bias <= MOST_RAYS:
        for chosen in subsets_of(len(points), width + bias, subsets, check.generator(rng)):
            part = points.subset(chosen)
            if dependencies(part, bias=bias):
                continue
            sign_a, sign_b = (determinant_sign(part, W, bias=bias) for W in rows)
            turns = sign_a * sign_b <= 0
            if not turns and (bias or plane_coordinates(part) is None):
                continue
            found = least_risk(part, bias=bias, plane_rays=PLANE_RAYS if len(part) == len(points) else SUBSET_RAYS)
            if not found.lower > 0:
                continue
            value = bounded_below(points.constant + exact_rows([[found.lower]])[0][0])
            if value > best and (turns or in_different_order(part, found.geometry, *rows)):
                best, reason = value, Reason.DETERMINANT if turns else Reason.ORDER
    if width == 2 and not bias and len(points) <= MOST_ARCS and plane_coordinates(points) is not None:
        value = one_direction_risk(points).lower
        if value > best and _turns(points, *rows):
            best, reason = value, Reason.DIRECTION
    return Barrier(best, float("inf"), None, reason)


def _turns(points: Rays, rows_a: Array, rows_b: Array) -> bool:
    """Whether det W_1, on the plane of the points, has opposite signs or a zero at the two ends."""
    signs = []
    for rows in (rows_a, rows_b):
        seen = matrix(exact_rows(rows)) * matrix(points.X).transpose()
        columns = [list(c) for c in zip(*seen.tolist())]
        i, j = next((i, j) for j in range(len(points)) for i in range(j) if rank([points.X[i], points.X[j]]) == 2)
        signs.append(columns[i][0] * columns[j][1] - columns[i][1] * columns[j][0])
    return signs[0] * signs[1] <= 0


def subsets_of(N: int, size: int, count: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Subsets of 0..N-1 of a size: all of them if there are at most `count`, else so many random ones by `rng`."""
    if comb(N, size) <= count:
        return list(combinations(range(N), size))
    return [tuple(sorted(rng.choice(N, size=size, replace=False).tolist())) for _ in range(count)]
