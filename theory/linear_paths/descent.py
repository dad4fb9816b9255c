"""Paths on which the risk falls, from any parameter of a linear network to its lowest level (Proposition 2.2, end).

kappa = 0. If B = W_{K-1} ... W_1 has full column rank (n_in <= n_out, else transpose), W_K moves straight to a global
minimiser: convex, so strictly falling until the end. Otherwise one straight piece first that falls strictly and makes
B regular: against the gradient where there is one; at a critical point, for K = 2, an escape. With W_1 rank deficient,
w^T W_1 = 0, and a, b the top singular pair of G = L'(M), <a, G b> < 0,

    W_2 + tau s a w^T,   W_1 + tau t w b^T    change the risk by   -tau^2 (s t |G| - t^2 |W_2 w|^2 beta) + tau^4 s^2 t^2 beta,

beta = E <b, X>^2 (no first order: W_2^T G = 0 and G W_1^T = 0), and with t small against s this falls for tau in (0, 1].
For K >= 3, where no such piece is found, idle units are made first, at constant risk, then the last matrix falls.

Ridge: `theory.linear_paths.ridge_descent`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.linear_paths.canonical import canonical
from theory.linear_paths.falls import coefficients, falling
from theory.linear_paths.problem import LinearProblem, enter, normalised
from theory.linear_paths.products import Product, best_of
from theory.linear_paths.ridge_descent import descend_ridge
from theory.numerics import EPS, Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk

# B counts as regular when its singular values are within this factor; the first that a falling piece reaches is taken.
REGULAR = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10)
AT_ONCE = 1e-6  # so regular at the start, no first piece is needed


# Of so many falling first pieces the one with the smallest weights at the end is taken.
CHOICE = 16


def descend(risk: Risk, theta: ArrayLike, *, tolerance: float = 1e-9, rng: Any = 0) -> Path:
    """A polyline from theta (P,) to the lowest level, along which the risk never rises but for rounding.

    Squared loss, kappa = 0: K = 1, 2 (hidden width >= min(n_in, n_out)): it falls strictly on every piece. K >= 3: on
    every piece whose label does not say free, place or transfer; those keep it constant, and appear only when no
    strictly falling first piece was found (widths >= min(n_in, n_out) + 1 needed then). The last vertex is a global
    minimiser up to rounding (weights may be large there, where the first piece leaves B nearly singular). Absolute
    loss: idle units at constant risk, then one falling piece. Ridge, K <= 2: ends within `tolerance` (relative) of the
    minimum. rng: for generic directions.

    ValueError for other networks, penalties or widths. A theta that is at the lowest level already (up to rounding)
    gives a path without pieces.
    """
    problem, scale = normalised(risk)
    given, start = enter(problem, scale, theta)
    check.no_overflow(problem.risk(start), "theta")
    tolerance = check.number(tolerance, "tolerance", minimum=0.0, open_minimum=True)
    if risk.kappa > 0:
        path = descend_ridge(problem, start, tolerance)
    else:
        path = _descend(problem, start, check.generator(rng))
    return scale.outside(path, given)


def _descend(problem: LinearProblem, start: Array, rng: np.random.Generator) -> Path:
    """kappa = 0: strictly if that is found, else by idle units."""
    risk = problem.risk
    network = risk.network
    best = best_of(problem)
    rounding = 64 * max(*network.widths, 8) * EPS
    if risk(start) - best.value <= rounding * best.value + rounding**2 * risk.sample.energy:
        return Path(start[None])
    if network.depth == 1:
        end = _until_lowest(risk, start, network.pack([best.matrix]))
        return Path(np.stack([start, end]), ("straight to the minimum",))
    if risk.loss == "squared" and not network.bias and min(network.hidden) >= problem.rank:
        path = _strictly(problem, start, best, rng)
        if path is not None:
            return path
    try:
        problem.check_widths()
    except ValueError as error:
        raise ValueError(f"no strictly falling first piece was found, and to make idle units first: {error}") from None
    path = canonical(network, start)
    W = [M.copy() for M in problem.factors(path.points[-1])]
    M = problem.turn(best.matrix)
    n = problem.network.widths[0]
    W[-1][:, :n] = M[:, :n]
    W[-1][:, problem.network.widths[-2] :] = M[:, n:]
    end = _until_lowest(risk, path.points[-1], problem.vector(*W))
    return path + Path(np.stack([path.points[-1], end]), ("straight to the minimum",))


def _strictly(problem: LinearProblem, start: Array, best: Product, rng: np.random.Generator) -> Path | None:
    """At most two strictly falling pieces to a global minimiser, or None."""
    risk, M = problem.risk, problem.turn(best.matrix)
    whole = _finish(problem, start, M, AT_ONCE)
    if whole is not None:
        return Path(np.stack([start, _just_short(risk, start, whole)]), ("straight to the minimum",))
    directions = list(_directions(risk, start, rng))
    for regular in REGULAR:
        found: list[tuple[Array, Array]] = []
        for direction in directions:
            end = _finish(problem, start + direction, M, regular)
            if end is not None and falling(coefficients(risk, start, direction)):
                found.append((start + direction, end))
                if len(found) == CHOICE:
                    break
        if found:
            point, end = min(found, key=lambda pair: float(np.abs(pair[1]).max()))
            points = np.stack([start, point, _just_short(risk, point, end)])
            return Path(points, ("fall", "straight to the minimum"))
    return None


def _just_short(risk: Risk, start: Array, end: Array) -> Array:
    """`end`, or a point of the segment just before it, where rounding has not put it past the minimum."""
    for short in (0.0, 1e-14, 1e-12, 1e-10, 1e-8, 1e-6):
        point = end - short * (end - start)
        if falling(coefficients(risk, start, point - start)):
            return point
    return end


def _finish(problem: LinearProblem, theta: Array, M: Array, regular: float) -> Array | None:
    """theta with W_K such that the product of the factors is M, when B = W_{K-1} ... W_1 is regular."""
    W = problem.factors(theta)
    B = np.eye(problem.network.widths[0])
    for A in W[:-1]:
        B = A @ B
    if not np.isfinite(B).all():
        return None
    s = np.linalg.svd(B, compute_uv=False)
    if len(s) < problem.network.widths[0] or not s[-1] > regular * s[0]:
        return None
    last = W[-1] + (M - W[-1] @ B) @ np.linalg.pinv(B)
    return problem.vector(*W[:-1], last) if np.isfinite(last).all() else None


def _directions(risk: Risk, theta: Array, rng: np.random.Generator) -> Iterator[Array]:
    """Candidates for a strictly falling first piece: against the gradient, for K = 2 then escapes, generic parts added."""
    network = risk.network
    g = risk.gradient(theta)
    size = float(np.linalg.norm(theta)) + 1.0
    slope = float(np.linalg.norm(g))
    if slope > 1e-9 * (1.0 + risk(theta)):
        for k in range(40):
            noise = rng.standard_normal(network.size)
            noise -= (noise @ g) / slope**2 * g
            yield size * 0.5**k * (-g / slope + noise / (2 * np.linalg.norm(noise)))
    if network.depth != 2:
        return
    weights = network.weights(theta)
    sample = risk.sample
    G = 2 * ((sample.X @ (weights[1] @ weights[0]).T - sample.Y) * sample.weights[:, None]).T @ sample.X
    U, sizes, Vt = np.linalg.svd(G)
    yield from _two_layer_escapes(risk, weights, -U[:, 0], Vt[0], float(sizes[0]), rng)


def _two_layer_escapes(
    risk: Risk, weights: list[Array], a: Array, b: Array, steepness: float, rng: np.random.Generator
) -> Iterator[Array]:
    """The explicit escape of this module's docstring from either side, generic parts halved from one to the next."""
    W1, W2 = weights
    moment = risk.sample.second_moment
    beta = float(b @ moment @ b)
    for side in ("inner", "outer"):
        s, Vt = np.linalg.svd(W1.T if side == "inner" else W2)[1:]
        if int(np.sum(s > 1e-9 * max(float(s.max(initial=0.0)), 1e-300))) == W1.shape[0]:
            continue
        w = Vt[-1]
        if side == "inner":  # w^T W_1 = 0: W_2 takes the large step s, W_1 the small step t
            c = float(np.linalg.norm(W2 @ w))
            big = max(2 * c, np.sqrt(steepness / (2 * beta)))
            small = big * steepness / (beta * (c**2 + 2 * big**2))
        else:  # W_2 w = 0: the other way round; q_1, q_2 replace c^2 beta because Sigma is not the identity
            u = W1.T @ w
            q_1, q_2 = float(u @ moment @ u), abs(float(u @ moment @ b))
            big = max(2 * np.sqrt(q_1 / beta), np.sqrt(steepness / (2 * beta)))
            small = big * steepness / (q_1 + 3 * big * q_2 + 2 * big**2 * beta)
        t, s_ = (small, big) if side == "inner" else (big, small)
        E_1, E_2 = rng.standard_normal(W1.shape), rng.standard_normal(W2.shape)
        # a saddle in floats has a slope left: of a generic part and its opposite one does not rise along it
        for noise in (sign * small * 0.5**k for k in range(1, 18) for sign in (1, -1)):
            yield risk.network.pack(
                [
                    0.9 * t * np.outer(w, b) + noise * E_1 / np.linalg.norm(E_1),
                    0.9 * s_ * np.outer(a, w) + noise * E_2 / np.linalg.norm(E_2),
                ]
            )


def _until_lowest(risk: Risk, start: Array, end: Array) -> Array:
    """The first point of the segment where the (convex, falling) risk reaches its minimum: for piecewise linear risks."""
    if risk.loss == "squared":
        return end
    low, high, goal = 0.0, 1.0, risk(end)
    for _ in range(60):
        middle = 0.5 * (low + high)
        if risk((1 - middle) * start + middle * end) > goal * (1 + 4 * EPS):
            low = middle
        else:
            high = middle
    return (1 - high) * start + high * end if high < 1 else end
