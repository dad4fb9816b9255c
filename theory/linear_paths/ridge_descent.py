"""Ridge risks of linear nets: strictly falling polylines to the lowest level (Proposition 2.2, end, kappa > 0).

One hidden layer, width >= min(n_in, n_out). The global minimisers are the balanced factors of the product M* that
minimises L(M) + 2 kappa |M|_*. Each round tries, and keeps only a piece whose quartic falls:

- straight to the minimiser that lies closest after a turn of the hidden space (the end, once it is taken);
- along the balanced section from M towards M*, halved until it falls: the risk of the section is convex there;
- towards balance at constant product, where only the norm changes;
- a ridge refit of one layer; a quasi-Newton step, halved until it falls;
- an escape: at a critical point W_2^T W_2 = W_1 W_1^T, so that at rank below h some hidden direction w is idle from both
  sides, and W_2 + tau s a w^T, W_1 + tau s w b^T, a and b the top singular pair of G = L'(M), change the risk by
  tau^2 s^2 (2 kappa - |G|) + tau^4 s^4 E <b, X>^2. |G| <= 2 kappa is the optimality condition of the nuclear-norm problem.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from theory.linear_paths.balanced import balancing, isometry, refit_inner, refit_outer, section
from theory.linear_paths.falls import coefficients, falls
from theory.linear_paths.problem import pack, pair
from theory.linear_paths.products import best_product
from theory.networks import Network
from theory.numerics import Array
from theory.paths import Path
from theory.risk import Risk, Sample

ROUNDS = 2000
MEMORY = 20


def descend_ridge(risk: Risk, start: Array, tolerance: float) -> Path:
    """A strictly falling polyline from start (P,) to within `tolerance` (relative) of the least ridge risk, K <= 2.

    ValueError for deeper nets, the absolute loss, widths below min(n_in, n_out), or a tolerance that is not reached in
    ROUNDS pieces: data with singular values 1e4 apart and small kappa make the level sets bend too sharply for that.
    """
    network = risk.network
    if network.depth > 2:
        raise ValueError(
            f"kappa must be 0 for {network.depth} matrices; got {risk.kappa}: with ridge and depth >= 3 the origin is a "
            "strict local minimum, so that no falling path leaves it"
        )
    if risk.loss != "squared":
        raise ValueError(f"loss must be 'squared' for descent with ridge; got {risk.loss!r}")
    if network.depth == 1:
        end = network.pack([_ridge_regression(risk)])
        if np.array_equal(start, end) or not risk(end) < risk(start):
            return Path(start[None])
        return Path(np.stack([start, end]), ("straight to the minimum",))
    least = min(network.widths[0], network.widths[-1])
    if network.hidden[0] < least:
        raise ValueError(
            f"hidden layer 1 has width {network.hidden[0]} and needs at least min(n_in, n_out) = {least} for descent with ridge"
        )
    best = best_product(risk, gap=tolerance / 100)
    points, labels = [start], []

    def take(point: Array, label: str) -> bool:
        if not risk(point) < risk(points[-1]) or not falls(coefficients(risk, points[-1], point - points[-1])):
            return False
        points.append(point)
        labels.append(label)
        return True

    for k in range(ROUNDS):
        here = points[-1]
        if risk(here) <= best.value * (1 + tolerance):
            break
        if take(_aligned(risk, here, best.matrix), "straight to the minimum"):
            break
        refits, sections = _refits(risk, here), _sections(risk, here, best.matrix)
        newton = _quasi_newton(risk, np.stack(points[-MEMORY - 1 :]))
        candidates = [sections, _balances(risk, here), newton, _escapes(risk, here), refits]
        if k < 6:
            candidates = [refits, *candidates[:-1]]
        elif k % 10 == 9:
            candidates = [*candidates[2:], *candidates[:2]]
        if not any(take(point, label) for candidate in candidates for point, label in candidate):
            break
    if not risk(points[-1]) <= best.value * (1 + tolerance):
        raise ValueError(
            f"tolerance must be larger: the path ends at {risk(points[-1]):.12g}, the minimum is {best.value:.12g}"
        )
    return Path(np.stack(points), tuple(labels))


def _refits(risk: Risk, theta: Array) -> Iterator[tuple[Array, str]]:
    W1, W2 = risk.network.weights(theta)
    points = [risk.network.pack([W1, refit_outer(risk, W1)]), risk.network.pack([refit_inner(risk, W2), W2])]
    for point in sorted(points, key=risk):
        yield point, "ridge refit"


def _sections(risk: Risk, theta: Array, M: Array) -> Iterator[tuple[Array, str]]:
    target = M.T if risk.network.widths[0] > risk.network.widths[-1] else M
    factors = balancing(risk, theta)[2]
    Q = isometry(factors)
    for halving in range(12):
        part = 0.5**halving
        yield pack(risk, *section((1 - part) * factors.product + part * target, Q)), "along the balanced section"


def _balances(risk: Risk, theta: Array) -> Iterator[tuple[Array, str]]:
    curve = balancing(risk, theta)[1]
    for part in (1.0, 0.5, 0.2, 0.05, 0.01, 0.002):
        yield pack(risk, *curve(part)), "balance"


def _quasi_newton(risk: Risk, points: Array) -> Iterator[tuple[Array, str]]:
    """Limited-memory BFGS at the last of `points` (Nocedal and Wright, algorithm 7.4), then against the gradient."""
    gradients = risk.gradient(points)
    steps, changes = np.diff(points, axis=0), np.diff(gradients, axis=0)
    curvature = np.sum(steps * changes, axis=1)
    keep = curvature > 1e-10 * np.linalg.norm(steps, axis=1) * np.linalg.norm(changes, axis=1)
    pairs = list(zip(steps[keep], changes[keep], curvature[keep]))
    q = gradients[-1].copy()
    weights = []
    for s, y, c in reversed(pairs):
        weights.append((s @ q) / c)
        q -= weights[-1] * y
    if pairs:
        q *= pairs[-1][2] / (pairs[-1][1] @ pairs[-1][1])
    for (s, y, c), weight in zip(pairs, reversed(weights)):
        q += (weight - (y @ q) / c) * s
    reach = 1.0 + float(np.linalg.norm(points[-1]))
    for direction, halvings in ((q, 12), (gradients[-1], 60)):
        direction = direction * min(1.0, reach / max(float(np.linalg.norm(direction)), 1e-300))
        for k in range(halvings):
            yield points[-1] - direction * 0.5**k, "quasi-Newton step"


def _aligned(risk: Risk, theta: Array, M: Array) -> Array:
    """Balanced factors of M, turned in the hidden space to lie as close to theta as they can (Procrustes)."""
    W1, W2 = pair(risk, theta)
    M = M.T if risk.network.widths[0] > risk.network.widths[-1] else M
    U, S, Vt = np.linalg.svd(M, full_matrices=False)
    half = np.sqrt(S)
    A, _, Bt = np.linalg.svd((W1 @ Vt.T + W2.T @ U) * half, full_matrices=False)
    R = A @ Bt
    return pack(risk, (R * half) @ Vt, (U * half) @ R.T)


def _escapes(risk: Risk, theta: Array) -> Iterator[tuple[Array, str]]:
    """Falling directions at a critical point: a, b the top pair of G with |G| > 2 kappa, w idle from both sides."""
    W1, W2 = risk.network.weights(theta)
    sample = risk.sample
    G = 2 * ((sample.X @ (W2 @ W1).T - sample.Y) * sample.weights[:, None]).T @ sample.X
    U, s, Vt = np.linalg.svd(G)
    if s[0] <= 2 * risk.kappa:
        return
    w = np.linalg.svd(np.vstack([W1.T, W2]))[2][-1]
    beta = float(Vt[0] @ sample.second_moment @ Vt[0])
    length = np.sqrt((s[0] - 2 * risk.kappa) / (2 * beta))
    for k in range(20):
        step = length * 0.5**k
        yield theta + risk.network.pack([step * np.outer(w, Vt[0]), -step * np.outer(U[:, 0], w)]), "escape"


def _ridge_regression(risk: Risk) -> Array:
    """K = 1: argmin E|Y - W X|^2 + kappa |W|^2, biases penalised as they are in the risk."""
    X = risk.network.augment(risk.sample.X)
    identity = Network((X.shape[1], X.shape[1], risk.sample.n_out), activation="identity")
    stand_in = Risk(identity, Sample(X, risk.sample.Y, risk.sample.weights), kappa=risk.kappa, penalty="ridge")
    return refit_outer(stand_in, np.eye(X.shape[1]))
