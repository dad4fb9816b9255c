"""Moves for one hidden relu layer: sparsify the second layer, cross from one sparse net to another, bound the risk.

F = E (Y - b Z(W))^2 + kappa |b|_1 with one output. What Theorem 2.4 needs besides subpaths (2) and (5) is here:

eliminate   Caratheodory: the same function on the sample with at most rank Z units and no larger |b|_1;
toss        Maurey, each draw the best one: at most l units, F grows by at most ((sum |b_i| |z_i|)^2 - |f|^2) / l;
cross       from a net with few units to another one, when both together fit into the width.

Their pieces move one layer each (`theory.moves`). `theory.row_norms` normalises the rows; `piece_maxima` certifies.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory import duality
from theory import validation as check
from theory.lasso import second_layer
from theory.maxima import is_convex_along, segment_maximum
from theory.moves import Walk
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk
from theory.rounding import UNIT, gamma

Array = NDArray[Any]

# A null vector counts when it is orthogonal to the features up to this many units of rounding per unit.
NULL = 64 * UNIT

# Lassos with more units than this are solved on working sets, in at most so many rounds.
WORKING, ROUNDS = 1024, 40


class Impossible(ValueError):
    """A hypothesis of a route or move fails; the message says which inequality."""


def checked(risk: Risk, *thetas: ArrayLike) -> list[Array]:
    """The parameter vectors thetas (P,), when risk and rows are of the kind section 2.3 speaks of.

    ValueError says what is not. One hidden relu layer without biases, one output, squared loss, penalty
    "second_layer_l1" (rows of W_1 in the unit ball) or none. Inputs with a bias: append a column of ones to X.
    """
    if not isinstance(risk, Risk):
        raise ValueError(f"risk must be a Risk on a sample; got {type(risk).__name__}")
    net = risk.network
    if net.depth != 2 or net.activation != "relu" or net.output != "identity":
        raise ValueError(f"risk.network must have one hidden relu layer and identity output; got {net}")
    if net.bias:
        raise ValueError("risk.network must have bias=False; append a column of ones to X instead of biases")
    if net.widths[2] != 1:
        raise ValueError(f"risk.network must have one output; got {net.widths[2]}")
    if risk.loss != "squared" or risk.penalty not in (None, "second_layer_l1"):
        raise ValueError(
            f"risk must have squared loss and penalty 'second_layer_l1' or None; got {risk.loss!r}, {risk.penalty!r}"
        )
    out = []
    for name, theta in zip(("theta_a", "theta_b"), thetas):
        theta = check.parameters(theta, net.size, name)
        if theta.ndim != 1:
            raise ValueError(f"{name} must have shape ({net.size},); got {theta.shape}")
        norms = risk.row_norms(theta)
        if risk.penalty is not None and (norms > 1 + gamma(net.widths[0] + 8)).any():
            raise ValueError(
                f"{name} must have rows of W_1 in the unit ball (eq. 6); row {int(norms.argmax())} has norm "
                f"{norms.max():.6g}. theory.relu_moves.into_ball(network, theta) is the same function inside it"
            )
        out.append(theta)
    return out


def into_ball(network: Network, theta: ArrayLike) -> Array:
    """The same function (P,) with rows of W_1 of norm at most one: longer rows are shortened, outgoing weights grow."""
    theta = check.parameters(theta, network.size)
    norms = np.linalg.norm(network.weights(theta)[0], axis=-1)
    return network.rescale(theta, 1, 1 / np.maximum(norms * (1 + gamma(network.widths[0] + 8)), 1.0))


def features(risk: Risk, theta: Array) -> Array:
    """Z (N, m) = relu(X W_1^T)."""
    return np.maximum(risk.sample.X @ risk.network.weights(theta)[0].T, 0)


def best_second_layer(risk: Risk, theta: Array, allowed: Array | None = None) -> Array:
    """theta with the best second layer on its rows (on the units `allowed` (m,) only): subpath (1); never worse.

    The weights are scaled to be optimal along their ray, so that kappa |b|_1 = 2 E (Y - f) f <= E Y^2 / 2.
    ValueError when theta is none of the risk's network, or its features overflow.
    """
    net, sample = check.instance(risk, "risk", Risk).network, risk.sample
    theta = check.parameters(theta, net.size)
    if theta.ndim != 1:
        raise ValueError(f"theta must have shape ({net.size},); got {theta.shape}")
    W, _V = net.weights(theta)
    units = np.arange(net.widths[1]) if allowed is None else np.flatnonzero(allowed)
    with np.errstate(over="ignore", invalid="ignore"):
        Z, y = check.no_overflow(np.maximum(sample.X @ W[units].T, 0), "theta"), sample.Y[:, 0]
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


# --- paths ---------------------------------------------------------------------------------------------------------


def labelled(path: Path, number: str) -> Path:
    """The path with a prefix on every label: the number of the subpath in the paper."""
    return Path(path.points, tuple(f"{number} {label}".strip() for label in path.labels))


def line(theta_0: Array, theta_1: Array, label: str) -> Path:
    """One straight piece with this label; no piece at all when the ends agree."""
    return Path(theta_0[None]) if np.array_equal(theta_0, theta_1) else Path(np.stack([theta_0, theta_1]), (label,))


def cross(network: Network, theta_a: Array, theta_b: Array, X: Array) -> Path:
    """From one net to another whose used units fit into the first one's idle ones: at most five pieces.

    The risk is constant except on one refit between the two second layers, so its maximum is at an end. Units of B
    whose place A occupies lodge elsewhere first. ValueError unless (used by A) + (used by B) <= m.
    """
    walk = Walk(network, theta_a, X)
    W, V = network.weights(theta_b)
    here, there = walk.outgoing(1)[0] != 0, V[0] != 0
    if here.sum() + there.sum() > network.widths[1]:
        raise Impossible(
            f"crossing needs (units used by A) + (units used by B) <= m; got {here.sum()} + {there.sum()} > {network.widths[1]}"
        )
    home, displaced = np.flatnonzero(there & ~here), np.flatnonzero(there & here)
    lodging = np.flatnonzero(~here & ~there)[: displaced.size]
    slots, source = np.append(home, lodging), np.append(home, displaced)
    if slots.size:
        walk.place(1, slots, W[source])
    middle = np.zeros_like(V)
    middle[:, slots] = V[:, source]
    walk.refit(1, middle, "refit across")
    rest = np.setdiff1d(np.arange(network.widths[1]), slots)
    if rest.size:
        walk.place(1, rest, W[rest])
    if displaced.size:
        walk.transfer(1, lodging, displaced)
        walk.place(1, lodging, W[lodging])
    return walk.path


# --- certified maxima -------------------------------------------------------------------------------------------


def piece_maxima(risk: Risk, path: Path, vertices: Array | None = None) -> Array:
    """A rigorous upper bound on the risk over each piece of a path (V - 1,); (1,) for a path of one point.

    As `theory.maxima`, after units that are idle at both ends of a piece have been left out: they change nothing.
    vertices (V,): bounds at the vertices, where they are known.
    """
    at = vertex_bounds(risk, path) if vertices is None else vertices
    if len(path) == 0:
        return at
    upper = np.maximum(at[:-1], at[1:])
    for k, (start, end) in enumerate(pairwise(path.points)):
        if not is_convex_along(risk, start, end):
            reduced, ends = without_idle(risk, start, end)
            upper[k] = max(upper[k], segment_maximum(reduced, *ends).upper)
    return upper


def vertex_bounds(risk: Risk, path: Path) -> Array:
    """Rigorous upper bounds on F at the vertices of a path, (V,)."""
    return np.array([vertex_bound(risk, theta) for theta in path.points])


def vertex_bound(risk: Risk, theta: Array) -> float:
    """A rigorous upper bound on F(theta), larger by roundings only."""
    reduced, (at,) = without_idle(risk, theta)
    X, (W, b) = risk.sample.X, reduced.network.weights(at)
    size = np.abs(X) @ (np.abs(W).T @ np.abs(b[0]))
    blur = gamma(X.shape[1] + 2) * size * (1 + gamma(b.size + X.shape[1] + 8))  # rounding of the features
    return duality.primal(features(reduced, at), risk.sample.Y[:, 0], risk.sample.weights, risk.kappa, b[0], blur)


def without_idle(risk: Risk, *thetas: Array) -> tuple[Risk, list[Array]]:
    """The same risk on the units that some of thetas (P,) uses (at least one unit is kept)."""
    net = risk.network
    pairs = [net.weights(theta) for theta in thetas]
    used = np.any([V[0] != 0 for _, V in pairs], axis=0)
    used[0] |= not used.any()
    small = Network((net.widths[0], int(used.sum()), 1))
    reduced = Risk(small, risk.sample, kappa=risk.kappa, penalty=risk.penalty)
    return reduced, [small.pack([W[used], V[:, used]]) for W, V in pairs]
