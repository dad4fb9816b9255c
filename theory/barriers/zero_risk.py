"""As many units as points: the components of the nets of zero risk.

Appendix E.1; the bounds and paths are those of `theory.barriers`.
"""

from __future__ import annotations

from dataclasses import dataclass

from theory.barriers.dependent_features import Geometry, least_risk
from theory.barriers.invariants import all_permutations, determinant_must_vanish
from theory.barriers.scaling import normalised, on_the_sphere
from theory.numerics import rank
from theory.numerics import validation as check
from theory.rays import dependencies, rays, unseen_risk
from theory.risk import Sample


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
