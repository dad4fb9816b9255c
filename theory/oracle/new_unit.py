"""The unit that a residual asks for: the largest |sum_i c_i relu(<w, x_i>)| over the unit ball, bounded exactly.

It is what decides whether a new hidden unit w can lower a convex problem over all units (`theory.oracle`, eq. 6 for m
without limit). The function f(w) = sum_i c_i relu(<w, x_i>) is positively homogeneous and piecewise linear, so its
maximum over the ball is 0 or on the sphere: on a line two rows decide; on the circle it is <g, w> on each arc between
breakpoints, and the arcs are searched exactly; on higher spheres cones are bounded and split, and above eight
dimensions a relaxation is all there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from theory.numerics import TINY, UNIT, Array, above, exponent, gamma, times
from theory.oracle.scaling import inside
from theory.relu_kernel import second_moment_norm
from theory.risk import Sample

# A bound on the error of an angle computed with numpy's arctan2 and reduced to [0, 2 pi), and of its sine or cosine.
ANGLE = 64 * UNIT

# Cones are split in at most this many dimensions (there are 2^n to begin with); beyond, a relaxation bounds f.
SPLIT = 8

# Numbers held at once while cones are bounded.
SLAB = 4_000_000


@dataclass(frozen=True, eq=False)
class BestUnit:
    """max |f| over the unit ball is at most `upper`; rows (k, n), |rows| <= 1, are good units, `values` (k,) their |f|.

    Sorted, best first.
    """

    upper: float
    rows: Array
    values: Array


def best_unit(X: Array, c: Array, *, target: float = 0.0, tolerance: float = 1e-7, cones: int = 20_000) -> BestUnit:
    """Bound max |f| for inputs X (N, n) and coefficients c (N,): exact for n <= 2, by branch and bound for n >= 3.

    For n >= 3 cones are split until the bound is within `tolerance` (relative) of the larger of `target` and the best
    value found, or until `cones` of them have been bounded; what is left open is in the bound. For n > 8 the bound is
    that of a relaxation, which holds but is loose. Coefficients that are not finite have no bound (inf).
    """
    n = X.shape[1]
    if not np.isfinite(c).all():
        return BestUnit(np.inf, np.zeros((0, n)), np.zeros(0))
    if not (X.any() and c.any()):
        return BestUnit(TINY, np.zeros((0, n)), np.zeros(0))
    size, weight = exponent(X), exponent(c)
    X, c, back = times(X, -size), times(c, -weight), size + weight
    if n <= 2:
        found = _line(X, c) if n == 1 else _circle(X, c)
    else:
        found = _sphere(X, c, float(times(target, -back)), tolerance, cones)
    upper = above(found.upper + TINY, back) if found.upper >= 0 else np.inf  # NaN is no bound
    return BestUnit(upper, found.rows, times(found.values, back))


def _mass(X: Array, c: Array) -> float:
    """An upper bound on sum |c_i| |x_i|, the Lipschitz constant of f."""
    return float(np.abs(c) @ np.hypot.reduce(np.abs(X), axis=1)) * (1 + gamma(len(c) + 4 * X.shape[1] + 8)) + TINY


def _line(X: Array, c: Array) -> BestUnit:
    rows = np.array([[1.0], [-1.0]])
    values = np.abs(np.maximum(X @ rows.T, 0).T @ c)
    order = np.argsort(-values)
    return BestUnit(_largest(values) + gamma(len(c) + 4) * _mass(X, c), rows[order], values[order])


def _circle(X: Array, c: Array) -> BestUnit:
    """Each sample is active on a half circle; between the ends of these f is <g, w>, and g changes by +- c_i x_i."""
    N, turn = len(c), 2 * np.pi
    middle = np.arctan2(X[:, 1], X[:, 0])
    enter, leave = np.mod(middle - np.pi / 2, turn), np.mod(middle + np.pi / 2, turn)
    pieces = c[:, None] * X
    start = pieces[enter > leave].sum(axis=0)
    ends = np.concatenate([enter, leave])
    order = np.argsort(ends, kind="stable")
    g = start + np.concatenate([np.zeros((1, 2)), np.cumsum(np.concatenate([pieces, -pieces])[order], axis=0)])
    left, right = np.append(0.0, ends[order]), np.append(ends[order], turn)

    size = np.linalg.norm(g, axis=1)
    angles, values = [], []
    for sign in (0.0, np.pi):
        best = np.mod(np.arctan2(g[:, 1], g[:, 0]) + sign, turn)
        interior = ((best >= left - ANGLE) & (best <= right + ANGLE)) | (best + ANGLE >= left + turn)
        interior |= best - turn + ANGLE >= left
        at = [np.cos(a) * g[:, 0] + np.sin(a) * g[:, 1] for a in (left, right)]
        at = [-v if sign else v for v in at]
        ending = np.where(at[0] >= at[1], left, right)
        angles.append(np.where(interior, best, ending))
        values.append(np.where(interior, size, np.maximum(*at)))
    # Wrong order among angles that are equal up to rounding changes f by at most ANGLE times its Lipschitz constant.
    error = _mass(X, c) * (5 * gamma(3 * N + 16) + 6 * ANGLE)
    rows, found = [], []
    for a, v in zip(angles, values):
        peak = (v >= np.roll(v, 1)) & (v >= np.roll(v, -1)) & (v > 0)
        rows.append(np.stack([np.cos(a[peak]), np.sin(a[peak])], axis=1))
        found.append(v[peak])
    best_rows, best_values = np.concatenate(rows), np.concatenate(found)
    order = np.argsort(-best_values, kind="stable")
    upper = _largest(np.concatenate(values)) + error
    return BestUnit(upper, inside(best_rows[order]), best_values[order])


# --- branch and bound over cones ---------------------------------------------------------------------------------


def _sphere(X: Array, c: Array, target: float, tolerance: float, budget: int) -> BestUnit:
    n = X.shape[1]
    used = (c != 0) & X.any(axis=1)
    X, c = X[used], c[used]
    if len(c) == 0:
        return BestUnit(0.0, np.zeros((0, n)), np.zeros(0))
    rounding = gamma(len(c) + 2 * n + 16) * _mass(X, c)
    rows = climb(X, c)
    values = np.abs(np.maximum(X @ rows.T, 0).T @ c)
    order = np.argsort(-values, kind="stable")
    relaxed = _relaxed(X, c)
    if n > SPLIT or relaxed <= target:
        return BestUnit(relaxed, inside(rows[order]), values[order])
    goal = max(target, float(values.max(initial=0.0))) * (1 + tolerance) + 4 * n * rounding
    orthants = np.array([np.diag(s) for s in product((1.0, -1.0), repeat=n)])
    open_cones = [(orthants, 1.0), (orthants, -1.0)]
    closed, bounded, rounds = 0.0, 0, 0  # closed: bounds of what is done with
    while open_cones:
        V, sign = open_cones.pop(0)
        if bounded + len(V) > budget:
            open_cones.insert(0, (V, sign))
            break
        rounds += 1
        bounds, vertex = _bound_cones(X, sign * c, V, rounding)
        bounded += len(V)
        if vertex[1] > goal:
            better = climb(X, c, vertex[0][None])
            rows = np.concatenate([rows, better])
            values = np.append(values, np.abs(np.maximum(X @ better.T, 0).T @ c))
            goal = max(goal, float(values.max()) * (1 + tolerance) + 4 * n * rounding)
        closed = max(closed, _largest(bounds[bounds <= goal]))
        if (bounds > goal).any():
            open_cones.append((_split(V[bounds > goal]), sign))
    for V, sign in open_cones:
        for part in np.array_split(V, max(1, len(V) // 2000)):
            closed = max(closed, _largest(_bound_cones(X, sign * c, part, rounding)[0]))
    order = np.argsort(-values, kind="stable")
    # A cone is split at a rounded vector, just off its face: every split may lose a sliver a few roundings wide.
    slivers = 16 * n * UNIT * rounds * _mass(X, c)
    return BestUnit(min(closed + slivers, relaxed), inside(rows[order]), values[order])


def _largest(values: Array) -> float:
    """The largest of some upper bounds (k,) on a number >= 0; inf when one is undecided (NaN)."""
    return float(np.max(np.where(np.isnan(values), np.inf, values), initial=0.0))


def _relaxed(X: Array, c: Array) -> float:
    """An upper bound on |f| by the Cauchy-Schwarz inequality, in any dimension.

    With p = the positive part of c (or of -c): f <= sum p relu <= (sum p . |sum p x x^T|)^(1/2), and since relu is
    (t + |t|)/2, f <= |sum c x| / 2 + (that) / 2.
    """
    N, n = X.shape
    mean = float(np.linalg.norm(c @ X))
    bounds = []
    for part in (np.maximum(c, 0), np.maximum(-c, 0)):
        if part.any():
            spread = float(second_moment_norm(Sample(X, np.zeros((N, 1)), part)).upper)
            root = float(part.sum()) * spread**0.5
            bounds.append(min(root, (mean + root) / 2))
    return _largest(np.array(bounds)) * (1 + gamma(2 * N + 64)) + gamma(N + 2 * n + 16) * _mass(X, c)


def starting_rows(X: Array, count: int = 64) -> Array:
    """Unit vectors (M, n) to climb from: the axes, data directions, and a fixed scatter, about `count` each."""
    n = X.shape[1]
    scatter = np.random.default_rng(0).standard_normal((count, n))
    pick = X[np.linspace(0, len(X) - 1, min(len(X), count)).astype(int)]
    return inside(np.concatenate([np.eye(n), -np.eye(n), pick, -pick, scatter]))


def climb(X: Array, c: Array, rows: Array | None = None, *, steps: int = 60) -> Array:
    """Climb |f| on the sphere from the given rows (M, n) (None: a fixed scatter) by projected subgradient steps.

    X (N, n), c (N,): the data of f. A step is kept when it helps; rows with f = 0 are left out, and for large samples
    all but the best 48.
    """
    rows = starting_rows(X) if rows is None else rows
    value = np.maximum(X @ rows.T, 0).T @ c
    rows = rows[np.argsort(-np.abs(value), kind="stable")[: max(48, SLAB // X.size)]]
    value = np.maximum(X @ rows.T, 0).T @ c
    rows, sign, value = rows[value != 0], np.sign(value[value != 0]), np.abs(value[value != 0])
    step = np.ones(len(rows))
    for _ in range(steps):
        gradient = sign[:, None] * (((X @ rows.T) > 0).T * c @ X)
        size = np.linalg.norm(gradient, axis=1, keepdims=True)
        trial = inside((1 - step[:, None]) * rows + step[:, None] * gradient / np.where(size > 0, size, 1.0))
        new = sign * (np.maximum(X @ trial.T, 0).T @ c)
        better = new > value
        rows, value = np.where(better[:, None], trial, rows), np.where(better, new, value)
        step = np.where(better, np.minimum(1.0, 1.5 * step), 0.5 * step)
    return rows


def _split(V: Array) -> Array:
    """Each simplicial cone (K, n, n) halved across its longest edge."""
    n, cones = V.shape[1], np.arange(len(V))
    pairs = list(combinations(range(n), 2))
    cosines = np.stack([np.sum(V[:, i] * V[:, j], axis=1) for i, j in pairs])
    longest = np.array(pairs)[np.argmin(cosines, axis=0)]
    middle = V[cones, longest[:, 0]] + V[cones, longest[:, 1]]
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    left, right = V.copy(), V.copy()
    left[cones, longest[:, 0]] = middle
    right[cones, longest[:, 1]] = middle
    return np.concatenate([left, right])


def _bound_cones(X: Array, c: Array, V: Array, rounding: float) -> tuple[Array, tuple[Array, float]]:
    """Upper bounds (K,) of f on the cones spanned by the rows of V (K, n, n), and the best generator with its value."""
    step = max(1, SLAB // (V.shape[1] * len(c)))
    bounds, best = [], (V[0, 0], -np.inf)
    for i in range(0, len(V), step):
        part, T = V[i : i + step], V[i : i + step] @ X.T
        values = np.maximum(T, 0) @ c
        k, j = np.unravel_index(int(np.argmax(values)), values.shape)
        if values[k, j] > best[1]:
            best = (part[k, j], float(values[k, j]))
        slab = _bound_slab(X, c, part, T, rounding)
        bounds.append(np.where(np.isnan(slab), np.inf, slab))
    return np.concatenate(bounds), best


def _bound_slab(X: Array, c: Array, V: Array, T: Array, rounding: float) -> Array:
    """Upper bounds on f over cones.

    With w = sum_j t_j v_j, t >= 0: relu is convex, so where c_i > 0 it is at most sum_j t_j relu(<v_j, x_i>); where
    c_i < 0 it is at least mu_i <w, x_i> for any mu_i in [0, 1]. So f(w) <= sum_j t_j h_j <= <p, w> <= |p| for every p
    with <v_j, p> >= h_j; a shortfall costs at most shortfall * sum_j t_j.
    """
    active, dead = (T >= 0).all(axis=1), (T <= 0).all(axis=1)
    mu = active.astype(float)
    bent = ~active & ~dead & (c < 0)
    convex = np.where(c > 0, np.maximum(T, 0), 0.0) @ c
    mu = _slopes(X, c, V, convex, mu, bent)
    h = convex + np.einsum("kjn,kn->kj", T, np.where(c < 0, c * mu, 0.0)) + rounding
    centre = V.mean(axis=1)
    centre /= np.linalg.norm(centre, axis=1, keepdims=True)
    spread = 1 / np.einsum("kjn,kn->kj", V, centre).min(axis=1) * (1 + 32 * UNIT)  # sum_j t_j for |w| <= 1
    n = V.shape[1]
    bounds = np.maximum(h.max(axis=1), 0.0) * spread  # p = 0 and the shortfall alone
    for k in range(1, n + 1) if n <= 5 else (1, 2, n - 1, n):
        for face in combinations(range(n), k):
            G = V[:, face] @ np.swapaxes(V[:, face], 1, 2)
            G = G + 1e-15 * np.eye(k)
            try:
                solved = np.linalg.solve(G, h[:, face, None])[..., 0]
            except np.linalg.LinAlgError:  # a cone too thin to tell: the other faces bound f as well
                continue
            p = np.einsum("kj,kjn->kn", solved, V[:, face])
            size = np.linalg.norm(p, axis=1)
            shortfall = (h - np.einsum("kjn,kn->kj", V, p)).max(axis=1) + gamma(2 * n + 8) * size
            bounds = np.fmin(bounds, size + np.maximum(shortfall, 0.0) * spread)  # no bound where a cone is too thin
    return bounds * (1 + 64 * UNIT)


def _slopes(X: Array, c: Array, V: Array, convex: Array, mu: Array, bent: Array, sweeps: int = 6) -> Array:
    """Slopes mu (K, N) in [0, 1] that keep |p| small: coordinate descent, all cones at once. Any mu is valid."""
    count = int(bent.sum(axis=1).max(initial=0))
    if count == 0:
        return mu
    slots = np.argsort(~bent, axis=1, kind="stable")[:, :count]
    real = np.take_along_axis(bent, slots, axis=1)
    pieces = np.where(real[..., None], c[slots][..., None] * X[slots], 0.0)  # (K, count, n)
    squares = np.maximum(np.sum(pieces**2, axis=2), TINY)
    fixed = np.where((c < 0) & ~bent, c * mu, 0.0) @ X
    try:
        p = np.linalg.solve(V, convex[..., None])[..., 0] + fixed
    except np.linalg.LinAlgError:  # a cone too thin to tell: any slopes will do
        p = fixed
    slope = np.zeros(slots.shape)
    for _ in range(sweeps):
        for k in range(count):
            new = np.clip(slope[:, k] - np.sum(pieces[:, k] * p, axis=1) / squares[:, k], 0.0, 1.0)
            p += (new - slope[:, k])[:, None] * pieces[:, k]
            slope[:, k] = new
    mu = mu.copy()
    np.put_along_axis(mu, slots, np.where(real, slope, np.take_along_axis(mu, slots, axis=1)), axis=1)
    return mu
