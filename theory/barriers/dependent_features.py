"""The least risk of a net whose hidden features are linearly dependent on the sample, in exact arithmetic.

One hidden layer of ReLU units without biases, squared loss: F = sum_i p_i |W_2 z_i - y_i|^2 with z_i = rho(W_1 x_i).
Write C for the set of feature rows rho(X w), w in R^n: a cone in the nonnegative orthant of R^N. When the m = N rows
of Z are dependent, some nu != 0 has Z nu = 0, and then

    F >= |Y^T nu|^2 / sum_i nu_i^2 / p_i,

whatever W_2 is. Which nu can occur? One that is orthogonal to N - 1 independent rows of C. For points in the plane C is
a polygonal curve (scaled): its vertices v_1, v_2, ... are the features at the directions where some <w, x_i> changes
sign, and nu is possible exactly when the signs of <nu, v_k> along the curve can be read as changing N - 1 times (a zero
may be read either way). For linearly independent points C is the whole orthant, and nu must have entries of both signs
or a zero. So the least risk is the minimum of a Rayleigh quotient over finitely many polyhedral cones, and it is found
by going through their faces.

`least_risk` finds the minimum in floating point and then proves it: floats are rationals, the vertices are rational,
and for a float `lower` just below the minimum every face is decided by the sign of rational determinants. The proof
for one face L: if Q = Y Y^T - lower diag(1/p) is positive definite on L nothing of L is below. Otherwise
{Q <= 0} in L is connected up to sign, and by induction it does not meet the boundary of any cone; so one rational
point of it, outside every cone, shows that all of it is outside.

Proof: paper_notes.md, app-e1-disconnected (appendix E.1).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.barriers.scaling import bits, bounded_below, near_one, points_near_one
from theory.maxima import Named
from theory.numerics import Array, Vector, exact_rows, floats, matrix, null_space, rank
from theory.rays import Rays, embed, feature_rows, plane_coordinates, row_norms, sorted_directions

# Rays up to which every face is looked at; beyond, the number of faces and the size of the fractions explode.
MOST_RAYS = 12

# Rays of a plane up to which its feature curve is used (seconds at 7); beyond, and for many subsets earlier, the
# feature rows are relaxed to all nonnegative ones.
PLANE_RAYS = 7

# Relative distances below the floating point minimum at which a proof is tried, in turn.
STEPS = (2.0**-40, 2.0**-32, 2.0**-24, 2.0**-16, 2.0**-8, 0.5)


class Geometry(Named):
    """How the points lie, which decides the set of feature rows; the value says what is known there."""

    INDEPENDENT = "linearly independent points: every nonnegative feature row is realised, the bound is exact"
    SURROUNDING = "points of a plane in no half-plane: the feature rows form a closed curve, the bound is exact"
    HALF_PLANE = "points of a plane in an open half-plane: the feature rows form an arc, the bound is exact"
    ANTIPODAL = "points of a plane in a closed half-plane, two of them opposite: an arc, the bound is exact"
    LINE = "points on one line through the origin: at most two different features"
    GENERAL = (
        "more points than dimensions, beyond the plane or many of them: feature rows relaxed to all nonnegative rows"
    )


@dataclass(frozen=True, eq=False)
class LeastRisk:
    """The infimum of the risk over nets with dependent features (rank Z < N).

    lower: a bound in exact arithmetic. normal (N,): the nu that attains it, in floats. geometry: how the points lie.
    directions (M, n), features (M, N): where along the circle of w the features have corners, and what they are,
    in floats, for building nets near the infimum (empty beyond the plane); vertices: which of them are different
    rays, and `need`: how many of these must alternate in the sign of <nu, .>.
    """

    lower: float
    normal: Array
    geometry: Geometry
    directions: Array
    features: Array
    vertices: tuple[int, ...]
    need: int


def least_risk(points: Rays, *, bias: bool = False, plane_rays: int = PLANE_RAYS) -> LeastRisk:
    """The least risk of a net with N = len(points) hidden units (N - 1 with an output bias) whose features are dependent.

    The features must be able to span R^N (`dependencies` empty). Without the constant of `points`. plane_rays: how many
    points of a plane are treated exactly. ValueError beyond MOST_RAYS points, and where the bound overflows.
    """
    if not 2 <= len(points) <= MOST_RAYS:
        raise ValueError(f"points must lie on 2 to {MOST_RAYS} different rays for an exact bound; got {len(points)}")
    if not bias and rank(points.X) == 1:
        return _on_a_line(points)
    geometry, corners, directions, distinct, need = _curve(points, bias, plane_rays)
    even, moved, size = points_near_one(points)
    two = points.constant * 0 + 2
    vertices = [near_one([v * two**k for v, k in zip(corners[c], moved)]) for c in distinct]
    fixed = [[two**k for k in moved]] if bias else []
    candidate, nu = _search(even, vertices, need, fixed)
    lower = 0.0
    if 0 < candidate < np.inf:  # not where the search is undecided
        for step in STEPS:
            trial = candidate * (1 - step)
            below = _prove(even, vertices, need, fixed, trial)
            if below is None:
                lower = trial
                break
            candidate = min(candidate, below)
    lower = bounded_below(exact_rows([[lower]])[0][0] * two ** (2 * size))
    normal = floats([near_one([v * two**k for v, k in zip(exact_rows([nu])[0], moved)])])[0] if nu.any() else nu
    sizes = [max(bits(v) for v in w) for w in ([v for v in w if v != 0] for w in directions)]
    features = [[v / two**e for v in z] for z, e in zip(corners, sizes)]
    return LeastRisk(
        lower, normal, geometry, floats([near_one(w) for w in directions]), floats(features), distinct, need
    )


def alternations(signs: Any) -> int:
    """The longest subsequence of alternating signs, a zero counting as either: 1 + the number of sign changes.

    >>> alternations([1, 1, -1, 0, 1]), alternations([1, 0, -1]), alternations([0, 0])
    (3, 2, 2)
    """
    ends_up = ends_down = 0
    for s in signs:
        up, down = ends_up, ends_down
        if s >= 0:
            ends_up = max(up, down + 1)
        if s <= 0:
            ends_down = max(down, up + 1)
    return max(ends_up, ends_down)


def _on_a_line(points: Rays) -> LeastRisk:
    """Two opposite points: the feature rows are e_1 and e_2, one of which a net of rank one leaves out."""
    if len(points) != 2:
        raise ValueError(f"points on a line through the origin span at most two features; got {len(points)} of them")
    zero, one = points.constant * 0, points.constant * 0 + 1
    costs = [p * sum((v * v for v in y), zero) for p, y in zip(points.p, points.Y)]
    k = int(costs[1] < costs[0])
    corners = [[one, zero], [zero, one]]
    towards = floats([near_one(x) for x in points.X])
    return LeastRisk(bounded_below(costs[k]), np.eye(2)[k], Geometry.LINE, towards, floats(corners), (0, 1), 2)


def _curve(
    points: Rays, bias: bool, plane_rays: int
) -> tuple[Geometry, list[Vector], list[Vector], tuple[int, ...], int]:
    """Geometry, corners of the set of feature rows, their directions, which are vertices, alternations nu needs."""
    N, zero, one = len(points), points.constant * 0, points.constant * 0 + 1
    orthant = [[one if i == j else zero for j in range(N)] for i in range(N)]
    everything = tuple(range(N))
    if rank(points.X) == N:
        return Geometry.INDEPENDENT, orthant, [], everything, 2
    plane = plane_coordinates(points)
    if plane is None or bias or N > plane_rays:
        return Geometry.GENERAL, orthant, [], everything, 2
    directions = sorted_directions(plane)
    features = feature_rows(plane, directions)
    dead = [k for k, v in enumerate(features) if not any(v)]
    if dead:  # the dead directions are neighbours: start after the last of them
        start = next(k for k in dead if (k + 1) % len(directions) not in dead) + 1
        order = [(start + k) % len(directions) for k in range(len(directions) - len(dead))]
    else:
        order = list(range(len(directions)))
    directions, features = [directions[k] for k in order], [features[k] for k in order]
    distinct = [k for k, v in enumerate(features) if k == 0 or not _parallel(features[k - 1], v)]
    lifted = embed(points, directions)
    if dead:
        geometry = Geometry.ANTIPODAL if len(dead) == 1 else Geometry.HALF_PLANE
        return geometry, features, lifted, tuple(distinct), N
    if _parallel(features[distinct[-1]], features[0]):
        distinct = distinct[1:]
    return Geometry.SURROUNDING, features, lifted, tuple(distinct), N - N % 2


def _parallel(u: Vector, v: Vector) -> bool:
    """Whether two nonzero nonnegative vectors lie on one ray."""
    k = next(i for i, a in enumerate(u) if a != 0)
    return all(a * v[k] == b * u[k] for a, b in zip(u, v))


def _search(points: Rays, vertices: list[Vector], need: int, fixed: list[Vector]) -> tuple[float, Array]:
    """The minimum over faces in floating point, and its nu: breadth first, leaving out what cannot improve."""
    _, Y, p = points.arrays
    D = np.sqrt(p)
    G = (D[:, None] * Y) @ (D[:, None] * Y).T
    V = floats(vertices)
    V /= row_norms(V)[:, None]
    held = floats(fixed).reshape(-1, len(p))
    best, normal = np.inf, np.zeros(len(p))
    queue: deque[tuple[int, ...]] = deque([()])
    seen: set[tuple[int, ...]] = {()}
    while queue:
        face = queue.popleft()
        rows = np.concatenate([held, V[list(face)]]) * D
        _, s, Vt = np.linalg.svd(rows, full_matrices=True) if len(rows) else (None, np.zeros(0), np.eye(len(p)))
        basis = Vt[int((s > 1e-12 * s.max(initial=0)).sum()) :].T
        if basis.shape[1] == 0:
            continue
        values, U = np.linalg.eigh(basis.T @ G @ basis)
        if values[0] >= best:
            continue
        nu = D * (basis @ U[:, 0])
        products = V @ nu
        products[np.abs(products) <= 1e-12 * np.linalg.norm(nu)] = 0
        if alternations(products) >= need:
            best, normal = float(values[0]), nu
            continue
        for k in range(len(V)):
            child = tuple(sorted({*face, k}))
            if child not in seen and len(child) < len(p):
                seen.add(child)
                queue.append(child)
    return max(best, 0.0), normal


def _prove(points: Rays, vertices: list[Vector], need: int, fixed: list[Vector], lower: float) -> float | None:
    """None when no possible nu has a quotient at or below `lower`, in exact arithmetic; else a smaller candidate."""
    from flint import fmpq

    N, level = len(points), fmpq(*lower.as_integer_ratio())
    Y = matrix(points.Y)
    Q = (Y * Y.transpose()).tolist()
    for i in range(N):
        Q[i][i] -= level / points.p[i]
    Q = matrix(Q)
    queue: deque[tuple[int, ...]] = deque([()])
    seen: set[tuple[int, ...]] = {()}
    while queue:
        face = queue.popleft()
        basis = [near_one(v) for v in null_space(fixed + [vertices[k] for k in face], N)]
        if not basis:
            continue
        B = matrix(basis)
        restricted = B * Q * B.transpose()
        if _positive_definite(restricted):
            continue
        _, U = np.linalg.eigh(floats(restricted.tolist()))
        nu = matrix([[fmpq(*float(c).as_integer_ratio()) for c in U[:, 0]]]) * B
        value = (nu * Q * nu.transpose())[0, 0]
        row = nu.tolist()[0]
        if value >= 0:  # too close to call
            return lower
        if alternations([sum((a * b for a, b in zip(v, row)), fmpq(0)) for v in vertices]) >= need:
            return float(level + value / sum((a * a / p for a, p in zip(row, points.p)), fmpq(0)))
        for k in range(len(vertices)):
            child = tuple(sorted({*face, k}))
            if child not in seen and len(child) < N:
                seen.add(child)
                queue.append(child)
    return None


def _positive_definite(M: Any) -> bool:
    """Whether a symmetric rational matrix is positive definite: all pivots of its elimination are positive."""
    A = M.tolist()
    for k in range(len(A)):
        if A[k][k] <= 0:
            return False
        for i in range(k + 1, len(A)):
            factor = A[i][k] / A[k][k]
            A[i] = [a - factor * b for a, b in zip(A[i], A[k])]
    return True
