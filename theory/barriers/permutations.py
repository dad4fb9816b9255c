"""The barrier between a net and its permuted copy, certified from below and by an explicit path from above.

All bounds from below are of one kind: something that changes along the path must pass a value at which the net is
poorer. For one hidden layer of m ReLU units without biases, squared loss, kappa = 0:

- det Z. On m of the sample points (with an output bias: m + 1) the features form a square matrix Z, and an odd
  permutation of the units turns the sign of det Z. Somewhere on the path the features are dependent; the risk there is
  at least `theory.barriers.least_risk` of these points, whatever the two ends are: for the task of appendix E.1 that
  is positive (three points on three rays, mapped cyclically).
- order. For points of a plane in a half-plane the feature rows form an arc, and m units with independent features
  stand on it in an order that cannot change; around the origin they form a closed curve, and it is the cyclic order.
- det W_1. For m = 2 units on data in a plane: where det W_1 = 0 the net sees one direction only.

With m units and features that can span less than R^m (fewer rays than units) a unit can always be freed at constant
risk, and every permutation is free. See paper_notes.md, app-e1-disconnected.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from theory.barriers import permutation_paths
from theory.barriers.dependent_features import MOST_RAYS, PLANE_RAYS, Geometry, LeastRisk, least_risk
from theory.barriers.free_paths import freely
from theory.barriers.invariants import checked_order, determinant_must_vanish, is_odd
from theory.barriers.lower_bounds import MOST_ARCS, SUBSET_RAYS, Barrier, Reason, subsets_of
from theory.barriers.one_direction import one_direction_risk
from theory.barriers.scaling import bounded_below, normalised, on_the_sphere
from theory.maxima import path_maximum
from theory.networks import Network
from theory.numerics import exact_rows, float_below
from theory.numerics import validation as check
from theory.paths import Path
from theory.rays import Rays, dependencies, plane_coordinates, rays, unseen_risk
from theory.risk import Risk, Sample

# A path is preferred to one of larger weights when its maximum is this close (relative to E|Y|^2) to the lower bound.
CLOSE = 5e-7


def permutation_barrier(
    sample: Sample,
    width: int,
    *,
    order: Sequence[int] | None = None,
    bias: bool = False,
    subsets: int = 64,
    rng: Any = None,
) -> Barrier:
    """The barrier between a net n-width-d (ReLU, squared loss, kappa = 0) and its copy with hidden units reordered.

    order: new unit i is old unit order[i]; default: the first two units swapped. bias: whether every layer has biases
    (the path keeps the hidden ones at zero if it can). subsets: how many subsets of the points are tried when there are
    more points than units: all if there are no more, else random ones. Points exactly on one ray count as one.

    `lower` holds for every net as a start, trained or not; it is not computed (NONE) for more than 12 units, and
    relaxed, still a bound, for more than 7 points of a plane. `path` starts at a net of least risk where there are no
    more points than units, else near the best net found; lower and upper meet for points in a plane and for linearly
    independent points. Raises ValueError when width < 2 (a single unit has no permutation but itself), when `order` is no
    permutation, and when the sizes of X and Y are beyond what floats hold (`theory.barriers.scaling`).

    >>> found = permutation_barrier(Sample([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]), width=2)
    >>> found.reason.name, round(found.lower, 9), round(found.upper, 9)
    ('DETERMINANT', 0.5, 0.5)
    >>> permutation_barrier(Sample([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]), width=3).upper < 1e-20
    True
    """
    check.instance(sample, "sample", Sample)
    width = check.positive_integer(width, "width")
    if width < 2:
        raise ValueError(f"width must be at least 2: a single hidden unit has no permutation but itself; got {width}")
    check.choice(bias, "bias", (False, True))
    check.positive_integer(subsets, "subsets")
    order = checked_order(order, width)
    rng = check.generator(rng)
    sample, _, scale = normalised(sample)
    risk = Risk(Network((sample.n_in, width, sample.n_out), bias=bias), sample)
    found = _barrier(risk, rays(sample, bias=bias), order, subsets, rng)
    path = scale.path(risk.network, found.path)  # type: ignore[arg-type]
    return Barrier(scale.below(found.lower), scale.above(found.upper), path, found.reason)


def _barrier(risk: Risk, points: Rays, order: tuple[int, ...], subsets: int, rng: np.random.Generator) -> Barrier:
    """`permutation_barrier` for data of size one."""
    width, bias = risk.network.widths[1], risk.network.bias
    points = points if bias else on_the_sphere(points)
    blind = dependencies(points, bias=bias)
    floor, independent = unseen_risk(points, blind), len(points) - len(blind)
    if width + bias > independent:
        lower, reason = float_below(floor), Reason.UNSOLVABLE if floor > 0 else Reason.FREE
        paths = freely(risk.network, risk.sample, points, independent, order, rng)
        path, upper = _lowest(risk, paths, lower + CLOSE * risk.sample.energy)
        return Barrier(lower, upper, path, reason)
    lower, reason, least = float_below(floor), Reason.IDENTITY, None
    if order != tuple(range(width)):
        lower, reason, least = _lower(points, lower, order, bias, subsets, rng)
    path, upper = _upper(risk, points, least, order, lower, rng)
    if reason is Reason.NONE and "turn" in path.labels:
        reason = Reason.ROTATION
    return Barrier(lower, upper, path, reason)


def _lower(
    points: Rays, floor: float, order: tuple[int, ...], bias: bool, subsets: int, rng: np.random.Generator
) -> tuple[float, Reason, LeastRisk | None]:
    """The best bound known, what forces it, and (when there are as many rays as columns of Z) how the rays lie."""
    best, reason, least = floor, Reason.NONE, None
    square = len(order) + bias
    if square <= MOST_RAYS:
        for chosen in subsets_of(len(points), square, subsets, rng):
            part = points.subset(chosen)
            if dependencies(part, bias=bias):
                continue
            found = least_risk(part, bias=bias, plane_rays=PLANE_RAYS if square == len(points) else SUBSET_RAYS)
            if square == len(points):
                least = found
            why = _why(order, found.geometry)
            if not found.lower > 0:
                continue
            value = bounded_below(points.constant + exact_rows([[found.lower]])[0][0])
            if why is not None and value > best:
                best, reason = value, why
    if len(order) == 2 and not bias and len(points) <= MOST_ARCS and plane_coordinates(points) is not None:
        value = one_direction_risk(points).lower
        if value > best:
            best, reason = value, Reason.DIRECTION
    return best, reason, least


def _why(order: tuple[int, ...], geometry: Geometry) -> Reason | None:
    """What makes det Z vanish on every path that reorders the units so, if anything does."""
    if not determinant_must_vanish(order, geometry):
        return None
    return Reason.DETERMINANT if is_odd(order) else Reason.ORDER


def _rotates(order: tuple[int, ...], geometry: Geometry) -> bool:
    """Whether three units on a closed curve can turn to each other's places: a 3-cycle."""
    moved = len(order) == 3 and order != (0, 1, 2)
    return moved and geometry is Geometry.SURROUNDING and not determinant_must_vanish(order, geometry)


def _lowest(risk: Risk, paths: Iterable[Path], close: float) -> tuple[Path, float]:
    """The path of least certified maximum, that of an undecided one (NaN) being infinite; the first below `close`."""
    best, least = None, np.inf
    for path in paths:
        upper = path_maximum(risk, path).upper
        if best is None or upper < least:
            best, least = path, upper if upper < np.inf else np.inf
        if least <= close:
            break
    assert best is not None
    return best, least


def _upper(
    risk: Risk,
    points: Rays,
    least: LeastRisk | None,
    order: tuple[int, ...],
    lower: float,
    rng: np.random.Generator,
) -> tuple[Path, float]:
    """The lowest path found and its certified maximum."""
    network, sample = risk.network, risk.sample
    close = lower + CLOSE * sample.energy
    reachable = least is not None and not network.bias and least.geometry is not Geometry.GENERAL
    if reachable and _rotates(order, least.geometry):  # type: ignore[union-attr]
        turns = (
            permutation_paths.turning(network, points.sample(), least, order, beads)  # type: ignore[arg-type]
            for beads in (80, 240)
        )
        return _lowest(risk, turns, close)
    paths: list[Path] = []
    if reachable:
        best: permutation_paths.Start | None = None
        total = float(sum(points.p))
        for start in permutation_paths.starts(points.sample(), least):  # type: ignore[arg-type]
            best = start if best is None or not best.reduced_risk <= start.reduced_risk else best
            if total * start.reduced_risk + float(points.constant) <= close:
                break
        if best is not None:
            paths.append(permutation_paths.around(network, sample, best, order))
    found = _lowest(risk, paths, close) if paths else None
    if found is None or not found[1] <= lower + 2 * (
        close - lower
    ):  # no construction, or too ill-conditioned in floats
        smaller = Network((network.widths[0], network.widths[1] - 1, network.widths[2]), bias=network.bias)
        pool = permutation_paths.directions_pool(sample, rng, 64, bias=network.bias, biased=network.bias)
        start = permutation_paths.complete(sample, permutation_paths.local_search(smaller, sample, rng), pool, network)
        paths.append(permutation_paths.around(network, sample, start, order))
        found = _lowest(risk, paths, -np.inf)
    return found
