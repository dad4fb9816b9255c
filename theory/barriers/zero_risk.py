"""As many units as points: the components of the nets of zero risk, and how the infimum of the barrier is approached.

Appendix E.1; the bounds and paths are those of `theory.barriers`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.barriers import permutation_paths
from theory.barriers.dependent_features import Geometry, least_risk
from theory.barriers.invariants import all_permutations, checked_order, determinant_must_vanish
from theory.barriers.scaling import normalised, on_the_sphere
from theory.maxima import path_maximum
from theory.networks import Network
from theory.numerics import Array, rank
from theory.numerics import validation as check
from theory.rays import dependencies, rays, unseen_risk
from theory.risk import Risk, Sample


@dataclass(frozen=True)
class Components:
    """The nets of zero risk, as many units as points: `number` of connected components.

    free: the permutations (new unit i is old unit order[i]) that stay within one; barrier: certified, between
    components; geometry: how the points lie (`theory.barriers.Geometry`).
    """

    number: int
    free: tuple[tuple[int, ...], ...]
    geometry: Geometry
    barrier: float


def components(sample: Sample) -> Components:
    """How many components the zero-risk nets have, with as many units as points, and which permutations join them.

    For three points in the plane, or any linearly independent points. Raises ValueError for other samples, where the
    number is not known here; when no net has zero risk; or when nets with dependent features solve the task too.
    """
    sample, _, scale = normalised(check.instance(sample, "sample", Sample))
    points = on_the_sphere(rays(sample))
    N = len(points)
    if unseen_risk(points, dependencies(points)) > 0:
        raise ValueError(
            "sample has no net of zero risk: points on one ray from the origin, or opposite ones, ask for different things"
        )
    if N < 2 or dependencies(points) or not (rank(points.X) == N or (N == 3 and rank(points.X) == 2)):
        raise ValueError(
            f"sample must be 3 points on different rays of a plane, or linearly independent points; got {N} rays"
        )
    least = least_risk(points)
    if least.lower == 0:
        raise ValueError("sample is solved by nets with dependent features too (e(m - 1) = 0): not decided here")
    every = all_permutations(N)
    free = tuple(order for order in every if not determinant_must_vanish(order, least.geometry))
    return Components(len(every) // len(free), free, least.geometry, scale.below(least.lower))


def approach(sample: Sample, width: int) -> tuple[Array, Array]:
    """Largest weight and certified maximum, (S,) each, of S swapping paths ever closer to the infimum.

    Where the infimum is not attained two units merge and their outgoing weights run to infinity; with bounded weights
    the visible barrier is higher. As many units as rays (`width`), in a plane or linearly independent; ValueError
    otherwise.
    """
    sample, _, scale = normalised(check.instance(sample, "sample", Sample))
    points = on_the_sphere(rays(sample))
    width = check.positive_integer(width, "width", minimum=2)
    if width != len(points) or dependencies(points):
        raise ValueError(f"width must be the number of points on independent rays, {len(points)}; got {width}")
    least = least_risk(points)
    if least.geometry is Geometry.GENERAL:
        raise ValueError(
            f"sample must lie in a plane or be linearly independent; got {len(points)} points in R^{sample.n_in}"
        )
    order = checked_order(None, width)
    risk = Risk(Network((sample.n_in, width, sample.n_out)), sample)
    paths = [
        permutation_paths.around(risk.network, sample, start, order)
        for start in permutation_paths.starts(points.sample(), least)
    ]
    maxima = np.array([scale.above(path_maximum(risk, path).upper) for path in paths])
    return np.array([np.abs(scale.path(risk.network, path).points).max() for path in paths]), maxima
