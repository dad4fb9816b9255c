"""What cannot change along a path without the features becoming dependent, read off two nets in exact arithmetic.

Z (m, m): the features of m hidden units on m points (with an output bias the constant feature is one more unit).
While det Z != 0 its sign is kept. Swapping two units swaps two rows of Z and turns it, so every path from a net to that
copy meets det Z = 0. If the points lie in a plane and in a closed half-plane, the feature rows form an
arc, the units stand on it at different places, and their order along it is kept; if the points surround the origin the
arc is closed and the cyclic order is kept.

Appendix E.1 in the general case; rows (m, n) are those of W_1. Proofs: paper_notes.md, app-e1-disconnected.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

from theory.barriers.dependent_features import Geometry
from theory.numerics import Array, Vector, counterclockwise, exact_rows, matrix, rank
from theory.numerics import validation as check
from theory.rays import Rays, feature_rows, plane_coordinates, sorted_directions

ARCS = (Geometry.HALF_PLANE, Geometry.ANTIPODAL)


def is_odd(order: Sequence[int]) -> bool:
    """Whether a permutation has an odd number of inversions."""
    return sum(order[i] > order[j] for j in range(len(order)) for i in range(j)) % 2 == 1


def is_rotation(order: Sequence[int]) -> bool:
    """Whether some cyclic order of all places is kept: all cycles of the permutation have the same length."""
    lengths, seen = set(), set()
    for start in range(len(order)):
        if start not in seen:
            cycle = [start]
            while order[cycle[-1]] != start:
                cycle.append(order[cycle[-1]])
            seen.update(cycle)
            lengths.add(len(cycle))
    return len(lengths) == 1


def determinant_must_vanish(order: Sequence[int], geometry: Geometry) -> bool:
    """Whether every path, from anywhere, that ends with the units so reordered meets det Z = 0.

    order: new unit i is old unit order[i]; geometry: how the points lie (`theory.barriers.Geometry`).
    """
    if geometry in ARCS:
        return list(order) != list(range(len(order)))
    return is_odd(order) or (geometry is Geometry.SURROUNDING and not is_rotation(order))


def all_permutations(width: int) -> tuple[tuple[int, ...], ...]:
    """Every permutation of 0..width - 1; ValueError unless width >= 1."""
    return tuple(permutations(range(check.positive_integer(width, "width"))))


def checked_order(order: Sequence[int] | None, width: int) -> tuple[int, ...]:
    """`order` as a checked permutation of 0..width - 1; None: the first two swapped.

    ValueError when it is none.
    """
    if order is None:
        return (1, 0, *range(2, width))
    try:
        entries = [check.positive_integer(k, "order", minimum=0) for k in order]
    except (TypeError, ValueError):
        entries = []
    if sorted(entries) != list(range(width)):
        raise ValueError(f"order must be a permutation of the integers 0..{width - 1}; got {order!r}")
    return tuple(entries)


def determinant_sign(points: Rays, rows: Array, *, bias: bool = False) -> int:
    """The sign of det Z for W_1 = rows (m, n) on m points (m + 1 with an output bias), exactly."""
    features = feature_rows(points, exact_rows(rows))
    if bias:
        features.append([points.constant * 0 + 1] * len(points))
    det = matrix(features).det()
    return int(det > 0) - int(det < 0)


def line_up(points: Rays, rows: Array) -> list[int] | None:
    """The units in their order counterclockwise along the directions of the plane, from the first live one; exact.

    None when the points do not span a plane, or a unit's features are all zero.
    """
    plane = plane_coordinates(points)
    W = exact_rows(rows)
    if plane is None or not all(any(z) for z in feature_rows(points, W)):
        return None
    i, j = next((i, j) for j in range(len(plane)) for i in range(j) if rank([plane.X[i], plane.X[j]]) == 2)
    frame = matrix([plane.X[i], plane.X[j]]).inv()
    flat = []
    for w in W:
        seen = matrix([[sum((a * b for a, b in zip(points.X[k], w)), points.constant * 0)] for k in (i, j)])
        u = frame * seen
        flat.append([u[0, 0], u[1, 0]])
    return [k for group in counterclockwise(flat, _first_live(plane)) for k in group]


def in_different_order(points: Rays, geometry: Geometry, rows_a: Array, rows_b: Array) -> bool:
    """Whether the units of two nets stand in a different order (a different cyclic order around the origin).

    rows_a, rows_b (m, n); geometry: how the points lie. False if unknown.
    """
    if geometry not in (*ARCS, Geometry.SURROUNDING):
        return False
    a, b = line_up(points, rows_a), line_up(points, rows_b)
    if a is None or b is None:
        return False
    if geometry in ARCS:
        return a != b
    k = b.index(a[0])
    return a != b[k:] + b[:k]


def _first_live(plane: Rays) -> Vector:
    """A direction where no point is active, counterclockwise of which the live ones begin; any direction if none is dead."""
    directions = sorted_directions(plane)
    dead = [k for k, v in enumerate(feature_rows(plane, directions)) if not any(v)]
    k = next((k for k in dead if (k + 1) % len(directions) not in dead), 0)
    return directions[k]
