"""Fewer units in the second layer of a net with one hidden relu layer (section 2.3.3).

F = E (Y - b Z(W))^2 + kappa |b|_1 with one output, and two ways to the few units that fit beside those of another net:

eliminate   Caratheodory: the same function on the sample with at most rank Z units and no larger |b|_1;
toss        Maurey, each draw the best one: at most l units, F grows by at most ((sum |b_i| |z_i|)^2 - |f|^2) / l.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.lasso import second_layer
from theory.numerics import UNIT, Array
from theory.numerics import validation as check
from theory.oracle import relu_features
from theory.risk import Risk

# A null vector counts when it is orthogonal to the features up to this many units of rounding per unit.
NULL = 64 * UNIT


# Lassos with more units than this are solved on working sets, in at most so many rounds.
WORKING, ROUNDS = 1024, 40


def best_second_layer(risk: Risk, theta: Array, allowed: Array | None = None) -> Array:
    """theta with the best second layer on its rows (on the units `allowed` (m,) only): subpath (1); never worse.

    The weights are scaled to be optimal along their ray, so that kappa |b|_1 = 2 E (Y - f) f <= E Y^2 / 2.
    ValueError when theta is none of the risk's network, or its features overflow.
    """
    net, sample = check.instance(risk, "risk", Risk).network, risk.sample
    theta = check.vector(theta, net.size)
    W, _V = net.weights(theta)
    units = np.arange(net.widths[1]) if allowed is None else np.flatnonzero(allowed)
    with np.errstate(over="ignore", invalid="ignore"):
        Z, y = check.no_overflow(relu_features(sample.X, W[units], sure=risk.kappa == 0), "theta"), sample.Y[:, 0]
    b = np.zeros(net.widths[1])
    b[units] = _solved(Z, y, sample.weights, risk.kappa)
    b[units] *= _ray(Z @ b[units], y, sample.weights, risk.kappa, float(np.abs(b).sum()))
    best = net.pack([W, b[None]])
    return best if allowed is not None or risk(best) < risk(theta) else theta


def _solved(Z: Array, y: Array, p: Array, kappa: float) -> Array:
    """The best second layer; with many units on a growing set of them, until no other violates its condition."""
    m = Z.shape[1]
    if kappa == 0 or m <= WORKING:
        return second_layer(Z, y, kappa, weights=p).beta
    b, size = np.zeros(m), WORKING // 4
    for _ in range(ROUNDS):
        pull = 2 * np.abs(Z.T @ (p * (y - Z @ b)))
        used = b != 0
        if (pull[~used] <= kappa * (1 + 1e-9)).all():
            break
        pull[used] = np.inf
        working = np.argsort(-pull, kind="stable")[: np.count_nonzero(used) + size]
        b[:] = 0.0
        b[working] = second_layer(Z[:, working], y, kappa, weights=p).beta
    return b


def _ray(f: Array, y: Array, p: Array, kappa: float, norm: float) -> float:
    """The c >= 0 that minimises E (y - c f)^2 + kappa c |b|_1."""
    square = float(p @ f**2)
    return 1.0 if square == 0 else max(0.0, float(p @ (y * f)) - kappa * norm / 2) / square


# --- fewer units -----------------------------------------------------------------------------------------------------


def eliminate(Z: ArrayLike, b: ArrayLike, *, steps: int | None = None) -> Array:
    """Weights (m,) with Z b unchanged, |.|_1 no larger and linearly independent features in use: at most rank Z <= N.

    Z (N, m), b (m,). Caratheodory: while the used features are dependent, slide along the dependency that lowers
    |b|_1 fastest until a weight vanishes. steps: stop after so many weights have vanished.
    """
    Z, b = check.finite_array(Z, "Z", ndim=2), np.array(check.finite_array(b, "b", ndim=1))
    used = np.flatnonzero(b)
    scale = np.linalg.norm(Z[:, used], axis=0)
    b[used[scale == 0]] = 0.0  # a unit that is dead on the sample: its weight costs and does nothing
    used, scale = used[scale > 0], scale[scale > 0]
    if used.size == 0:
        return b
    # In the gauge of features of norm one, x_i = b_i |z_i| and |b|_1 = sum |x_i| / |z_i|.
    unit = Z[:, used] / scale
    if len(unit) > len(used):
        unit = np.linalg.qr(unit, mode="r")
    _, s, vt = np.linalg.svd(unit, full_matrices=True)
    rank = int(np.sum(s > NULL * len(used) * s[0]))
    null, x, cost = vt[rank:].T.copy(), b[used] * scale, 1 / scale
    alive = np.ones(len(used), bool)
    budget = null.shape[1] if steps is None else min(steps, null.shape[1])
    for _ in range(budget):
        slope = null.T @ (cost * np.sign(x) * alive)
        nu = null @ slope if np.linalg.norm(slope) > 1e-8 * np.linalg.norm(cost) else null[:, 0]
        nu = nu if (cost * np.sign(x)) @ nu >= 0 else -nu
        falling = alive & (x * nu > 0) & (np.abs(nu) > 1e-12 * np.abs(nu).max())
        if not falling.any():
            break
        ratios = np.where(falling, x / np.where(falling, nu, 1.0), np.inf)
        hit = int(np.argmin(ratios))
        x = np.where(alive, x - ratios[hit] * nu, 0.0)
        x[hit], alive[hit] = 0.0, False
        # Rotate the null space so that only its first vector has an entry at `hit`, and drop that one.
        row = null[hit].copy()
        row[0] += np.copysign(np.linalg.norm(row), row[0])
        if row @ row > 0:
            null -= np.outer(null @ row, row) * (2 / (row @ row))
        null = null[:, 1:]
        null[hit] = 0.0
    b[used] = x / scale
    return b


def toss(risk: Risk, theta: Array, units: int) -> Array:
    """theta (P,) with at most `units` >= 1 used units of its own: Maurey's argument, the best outcome at every toss.

    Draw unit i with probability proportional to |b_i| |z_i| and give it b_i / (units * probability): the mean of
    `units` draws is unbiased for the function and for |b|_1, so on average F grows by
    ((sum |b_i| |z_i|)^2 - |f|^2) / units. Taking at each draw the unit with the least conditional expectation gives
    a second layer at most that bad, without randomness. Then the second layer is solved on the units drawn.
    """
    units = check.positive_integer(units, "units")
    net, sample = risk.network, risk.sample
    W, V = net.weights(theta)
    b = V[0]
    used = np.flatnonzero(b)
    if used.size <= units:
        return theta
    Z = np.maximum(sample.X @ W[used].T, 0) * np.sqrt(sample.weights)[:, None]
    y = sample.Y[:, 0] * np.sqrt(sample.weights)
    sizes = np.linalg.norm(Z, axis=0)
    live = sizes > 0
    used, Z, sizes = used[live], Z[:, live], sizes[live]
    drawn = np.zeros(net.widths[1])
    if used.size:
        # One draw of unit i contributes weight share_i / units; its mean over the draw is b.
        share = np.sign(b[used]) * float(np.abs(b[used]) @ sizes) / sizes
        gram = Z.T @ Z
        target = Z.T @ y
        mean = gram @ b[used]
        counts, fitted = np.zeros(used.size), np.zeros(used.size)  # fitted = Z^T (sum of draws)
        price = risk.kappa * np.abs(share) / units + (share / units) ** 2 * np.diag(gram)
        for k in range(units):
            ahead = (units - k - 1) / units
            residual = target - fitted - ahead * mean
            pick = int(np.argmin(price - 2 * share / units * residual))
            counts[pick] += 1
            fitted += gram[:, pick] * (share[pick] / units)
        drawn[used] = counts * share / units
    tossed = net.pack([W, drawn[None]])
    polished = best_second_layer(risk, theta, drawn != 0)
    return polished if risk(polished) <= risk(tossed) else tossed
