"""The limit e(inf) of the oracle risk of eq. (6), e(m) = min E|Phi - Y|^2 + kappa ||W_2||_1 over rows of W_1 in the unit ball.

It is the convex problem over signed measures on the ball (Bach 2017),

    e(inf) = min_mu E|Y - int z(w) dmu(w)|^2 + kappa |mu|_TV,

with N atoms at most for N samples. From above: a feasible net. From below: D(r) = E(2 Y r - r^2) for any r with
|2 E r z(w)| <= kappa on the whole ball, which `theory.oracle.new_unit` decides. Both bounds hold in exact arithmetic,
whatever search proposed the units. e is non-increasing, so e(inf) also bounds every e(m) from below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from theory import lasso
from theory.lasso import active_set, second_layer
from theory.numerics import Array, float_below, gamma, up
from theory.numerics import validation as check
from theory.oracle import activation_patterns, new_unit
from theory.oracle.scaling import TOO_SMALL, Normalised, inside, normalised, relu_features, risk_above
from theory.rays import dependencies, rays, unseen_risk
from theory.relu_kernel import second_moment_norm
from theory.risk import Sample

METHODS = ("auto", "columns", "patterns")

# In the plane the next unit is exact; after so many of them without progress what is left of the gap is rounding. Above it the bound
# on the next unit is what the cones allow: where that decides, more units of the same kind bring the bounds no nearer.
IDLE, STUCK = 8, 2

# For kappa = 0, the largest number of rays for which units that reach the infimum are listed.
RAYS_LISTED = 400


@dataclass(frozen=True, eq=False)
class OracleBound:
    """lower <= e <= upper in exact arithmetic.

    units (k, n): rows in the unit ball, and weights (k,): their outgoing weights; this net has the risk `upper` (for
    kappa = 0, up to rounding, and only for at most 400 distinct rays). method: how the upper bound was found.
    """

    upper: float
    lower: float
    units: Array
    weights: Array
    kappa: float
    method: str

    @property
    def gap(self) -> float:
        """upper - lower, rounded up."""
        return float(up(self.upper - self.lower))


def limit(
    sample: Sample,
    kappa: float,
    *,
    method: str = "auto",
    gap: float | None = None,
    steps: int = 200,
    cones: int = 20_000,
) -> OracleBound:
    """e(infinity) of a sample with one output, enclosed.

    method "columns": column generation, whose next unit is exact for n <= 2 inputs and branch and bound on cones for n
    >= 3 (at most `cones` of them a round); until upper - lower <= gap * upper (None: 1e-8, 1e-6 for n >= 3, 1e-4 for n
    > 8), `steps` rounds, or bounds that come no nearer. "patterns": the convex reformulation over the activation patterns of the hyperplane
    arrangement (Pilanci & Ergen 2020) in cvxpy, for small N; its answer is then bounded the same way. "auto": columns,
    or rational linear algebra for kappa = 0, where the distance of Y from all that features can span is exact. A
    constant column of X is a bias. For n >= 3 the lower bound is as good as the search for the next unit got: read it,
    not the method. ValueError for vector outputs, kappa < 0, too many patterns, or results beyond float64.

    >>> sample = Sample([[1.0, 0.0], [0.0, 1.0]], [[1.0], [1.0]])
    >>> found = limit(sample, kappa=0.1)  # one unit, on the diagonal
    >>> round(found.lower, 6), round(found.upper, 6), len(found.units)
    (0.136421, 0.136421, 1)
    """
    kappa = check.number(kappa, "kappa", minimum=0.0)
    check.choice(method, "method", METHODS)
    steps, cones = check.positive_integer(steps, "steps"), check.positive_integer(cones, "cones")
    p = normalised(sample, kappa)
    n = p.X.shape[1]
    default = 1e-8 if n <= 2 else 1e-6 if n <= new_unit.SPLIT else 1e-4
    gap = default if gap is None else check.number(gap, "gap", minimum=0.0)
    if kappa == 0:
        if method != "auto":
            raise ValueError(f"method must be 'auto' for kappa = 0, which is linear algebra; got {method!r}")
        return _unpenalised(sample, p)
    W = np.zeros((0, n))
    if method == "patterns":
        W = activation_patterns.pattern_units(p.X, p.y, p.w, p.kappa, activation_patterns.patterns(p.X))
        return user(p, generate(p, W, gap, 1, cones, "patterns"), kappa)
    return user(p, generate(p, W, gap, steps, cones, "columns"), kappa)


def smoothness_bound(sample: Sample, kappa: float) -> float:
    """kappa y / S - kappa^2 / (4 S^2) <= e(m) for every m (y^2 when kappa >= 2 y S), y^2 = E Y^2 and S^2 = ||Sigma||.

    From |2 E s Y z(w)| <= 2 s y S with the residual s Y; S may be any upper bound on sup_w ||w||_Z. Rounded down.
    """
    p = normalised(sample, kappa)
    scaled = p.sample
    spread = float(second_moment_norm(scaled).upper)
    top = math.sqrt(spread) * math.sqrt(scaled.energy) * (1 + gamma(len(p.y) + 32))
    return p.lower(lasso.scaled_dual(p.y, p.w, p.kappa, p.y, 2 * top))


# --- nets in units of size one ---------------------------------------------------------------------------------------


def user(p: Normalised, found: OracleBound, kappa: float) -> OracleBound:
    """`found`, in the units of p, in the user's, with the user's kappa."""
    upper, weights = p.net(found.units, found.weights, found.upper)
    return OracleBound(upper, p.lower(found.lower), found.units, weights, kappa, found.method)


def net_bound(p: Normalised, W: Array, method: str) -> OracleBound:
    """The best second layer on rows W (k, n), with its risk rounded up, in the units of p; method: to report.

    ValueError where its weights overflow.
    """
    W = inside(W)
    try:
        b = second_layer(relu_features(p.X, W, sure=p.kappa == 0), p.y, p.kappa, weights=p.w).beta
    except ValueError:
        raise ValueError(TOO_SMALL) from None
    W, b = W[b != 0], b[b != 0]
    return OracleBound(risk_above(p, W, b), 0.0, W, b, p.kappa, method)


def _merge(X: Array, W: Array, b: Array) -> tuple[Array, Array]:
    """Units with the same activation pattern and sign become one: the same outputs, and no larger weights in all."""
    keys: dict[bytes, list[int]] = {}
    for k, pattern in enumerate(((X @ W.T) > 0).T):
        keys.setdefault(np.packbits(pattern).tobytes() + bytes([int(b[k] > 0)]), []).append(k)
    sums = np.array([np.abs(b[group]) @ W[group] for group in keys.values()]).reshape(-1, W.shape[1])
    signs = np.array([np.sign(b[group[0]]) for group in keys.values()])
    return inside(sums), signs * np.linalg.norm(sums, axis=1)


# --- column generation -----------------------------------------------------------------------------------------------


def generate(p: Normalised, W: Array, gap: float, steps: int, cones: int, method: str) -> OracleBound:
    """Column generation from rows W (k, n): solve on the units so far, merge, ask for units that violate the dual, repeat.

    gap, steps, cones, method as in `limit`; in the units of p.
    """
    X, w, kappa = p.X, p.w, p.kappa
    lower, best, b, idle = 0.0, net_bound(p, W, method), np.zeros(len(W)), 0
    for step in range(steps):
        W, b = _restricted(p, W, b)
        r = p.y - relu_features(X, W) @ b
        new, worst = W, kappa
        if X.shape[1] > 2 and step < steps - 1:
            new = new_unit.climb(X, w * r, _directions(X, W))
            worst = 2 * float(np.abs(relu_features(X, new).T @ (w * r)).max(initial=0.0))
        if worst <= kappa * (1 + gap):  # nothing easy is left to find: bound what is
            asked = new_unit.best_unit(X, w * r, target=kappa / 2, tolerance=max(gap, 1e-9) / 4, cones=cones)
            before = best.upper - lower
            lower = max(lower, lasso.scaled_dual(p.y, w, kappa, r, 2 * asked.upper))
            current = net_bound(p, W, method)
            best = current if current.upper < best.upper else best
            nearer = before - (best.upper - lower)
            idle = idle + 1 if nearer <= (0.25 * gap * best.upper if X.shape[1] > 2 else 0.0) else 0
            if best.upper - lower <= gap * best.upper or idle >= (STUCK if X.shape[1] > 2 else IDLE):
                break
            new = asked.rows
        values = np.abs(relu_features(X, new).T @ (w * r))
        good = np.flatnonzero(values > kappa / 2)
        good = good[np.argsort(-values[good], kind="stable")][: 2 * X.shape[1] + 8]
        if len(good) == 0:
            break
        W, b = np.concatenate([W, new[good]]), np.append(b, np.zeros(len(good)))
        if X.shape[1] > 2 and worst < 1.1 * kappa:
            W = _refined(p, W, method)
            b = np.zeros(len(W))
    return replace(best, lower=lower)


def _restricted(p: Normalised, W: Array, b: Array) -> tuple[Array, Array]:
    """The lasso on the rows W, started at b, without its idle units and with units of one pattern merged."""
    Z = relu_features(p.X, W)
    A = Z * np.sqrt(p.w)[:, None]
    b = active_set(A.T @ A, Z.T @ (p.w * p.y), p.kappa, b)
    return _merge(p.X, W[b != 0], b[b != 0])


def _refined(p: Normalised, W: Array, method: str) -> Array:
    """Rows near the optimum: the convex program on the patterns of W where it is small, else both layers descend."""
    if len(W) * p.X.size <= activation_patterns.ENTRIES:
        patterns = activation_patterns.patterns_of(p.X, W)
        return activation_patterns.pattern_units(p.X, p.y, p.w, p.kappa, patterns)
    return np.concatenate([W, local_minimum(p, W, method).units])


def _directions(X: Array, W: Array) -> Array | None:
    """Where to climb from: None, the fixed scatter, before there are units; then these as well."""
    return np.concatenate([W, new_unit.starting_rows(X)]) if len(W) else None


def _unpenalised(sample: Sample, p: Normalised) -> OracleBound:
    """kappa = 0: the distance of Y from the span of all features, in rationals.

    Features are linear on rays, and see everything on the rays but for sum_k a_k (t_k - t_-k) with sum_k a_k u_k = 0
    over pairs of opposite rays (`theory.rays`). So only opposite rays take part in the linear algebra.
    """
    points = rays(sample)
    lines: dict[tuple[Any, ...], list[int]] = {}
    for k, x in enumerate(points.X):
        lead = next(v for v in x if v != 0)
        lines.setdefault(tuple((int((v / lead).p), int((v / lead).q)) for v in x), []).append(k)
    paired = points.subset(tuple(k for line in lines.values() if len(line) == 2 for k in line))
    minimum = points.constant
    if len(paired):
        minimum += unseen_risk(paired, dependencies(paired))
    if minimum.p > minimum.q * int(np.finfo(float).max):
        p.upper(math.inf)
    lower = float_below(minimum)
    upper = lower if minimum == 0 else float(np.nextafter(lower, np.inf))
    W = np.zeros((0, p.X.shape[1]))
    if 0 < len(points) <= RAYS_LISTED:
        W = activation_patterns.spanning_units(p.X[p.X.any(axis=1)])
    units = net_bound(p, W, "rational")
    return OracleBound(upper, lower, units.units, p.net(units.units, units.weights, 0.0)[1], 0.0, "rational")


def local_minimum(p: Normalised, W: Array, method: str) -> OracleBound:
    """A local minimum over both layers in the units of p, from rows W (k, n): L-BFGS, with the second layer solved before and after.

    kappa |b| |w| is the minimum of kappa (b^2 + |w|^2)/2 over rescalings, which is smooth. method: to report.
    """
    from scipy.optimize import minimize

    best = net_bound(p, W, method)
    n = p.X.shape[1]
    for _ in range(3):
        size, k = np.sqrt(np.abs(best.weights)), len(best.units)
        if k == 0:
            return best
        start = np.concatenate([(best.units * size[:, None]).ravel(), np.sign(best.weights) * size])
        v = minimize(_balanced, start, (p, k), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
        V, b = v[: k * n].reshape(k, n), v[k * n :]
        alive = (np.abs(b) > 0) & V.any(axis=1)
        found = net_bound(p, V[alive], method)
        improved = found.upper < best.upper * (1 - 1e-9)
        best = found if found.upper < best.upper else best
        if not improved:
            break
    return best


def _balanced(v: Array, p: Normalised, k: int) -> tuple[float, Array]:
    """E (y - b relu(V X))^2 + kappa |v|^2 / 2 and its gradient at v = (V, b), k rows."""
    n = p.X.shape[1]
    V, b = v[: k * n].reshape(k, n), v[k * n :]
    T = p.X @ V.T
    r = np.maximum(T, 0) @ b - p.y
    c = 2 * p.w * r
    gradient = np.concatenate([(((T > 0) * b * c[:, None]).T @ p.X).ravel(), np.maximum(T, 0).T @ c])
    return float(p.w @ r**2 + p.kappa / 2 * v @ v), gradient + p.kappa * v
