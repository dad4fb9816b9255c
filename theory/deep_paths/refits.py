"""Halves by practice: keep the units that weigh most, and fit anew what read the others.

The last layer: keep the half with the largest |v_i| q_i and solve the convex problem for the head (`best_head`). A
layer below: keep the half that counts most in the outputs, fit the rows of the layer above to their old inputs by ridge
regression on the kept features (or keep the old rows restricted), and solve for the head again; where that falls short
of the larger end, go down the risk in all of them (`descended`). None of this is trusted: each net is judged by the
risk itself, and the better one is kept.

The head: the lasso of `theory.lasso` for one output under squared loss; else majorants, quadratics above the loss and
above the penalty that touch them where the head stands, one linear system for each step down.

Source: ours, paper_notes.md, multilayer-2.4; majorants of absolute values: Hunter and Lange 2004.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve

from theory.deep_paths.halves import Half, Masses, charged, own
from theory.lasso import second_layer
from theory.numerics import Array
from theory.penalties import lengths
from theory.risk import Risk

# Ridge strengths for the rows of inner layers, relatively to the mean square of the kept features.
RIDGE = (1e-6, 1e-3, 1e-1)

# Steps of L-BFGS where that is not enough.
DESCENT = 100

# Steps of `best_head`; floors under what is divided by, relatively to its mean, fall from the first to the last; it stops
# when a step with the last floor gains less than ENOUGH, relatively.
STEPS, FLOORS, ENOUGH = 120, (0.3, 1e-7), 1e-7


def top_halves(risk: Risk, theta: Array, weights: Masses, Z: Array) -> Iterator[Half]:
    """Halves of theta (P,) in the last hidden layer: own weights, then the best head.

    weights: the masses of theta; Z (N, n_{K-1}): its features in that layer.
    """
    network = risk.network
    units = _heaviest(weights.top, network.hidden[-1] // 2)
    plain = own(network, theta, units)
    yield plain
    yield with_best_head(risk, plain, Z, weights.q[-1])


def lower_halves(risk: Risk, theta: Array, weights: Masses, above: Half, Z: Array) -> Iterator[Half]:
    """Halves of theta (P,) from layer low on, out of one (`above`) from layer low + 1 on.

    weights: the masses of theta; Z (N, n_low): its features in layer low.
    """
    network, low = risk.network, above.low - 1
    W = network.weights(theta)[low][above.units]
    width, q = network.hidden[low - 1], weights.q[low - 1]
    old = replace(above, low=low, rows=(W, *above.rows))  # reads all units of layer low; not a half yet
    load = old.load() @ np.abs(W[:, :width]) * q
    units = _heaviest(load, width // 2)
    columns = np.append(units, np.arange(width, W.shape[1]))
    plain = Half(low, units, (W[:, columns], *above.rows), above.head, above.tool)
    yield plain
    if not (load[np.setdiff1d(np.arange(width), units)] > 0).any():
        return
    yield with_best_head(risk, plain, Z, q)
    for row in _ridge(network.augment(Z), W, columns, risk.sample.weights):
        fitted = replace(plain, rows=(row, *above.rows), tool="ridge")
        yield with_best_head(risk, fitted, Z, q)


def with_best_head(risk: Risk, half: Half, Z: Array, q: Array) -> Half:
    """The half with the best head on its features; Z (N, n_low) and q (n_low,): features and masses of layer low."""
    features = half.features(risk.network, Z)
    reach = half.reach(risk.network, q, charged(risk))
    head = best_head(risk, features, reach, half.head)
    return replace(half, head=head, tool=half.tool.replace("own weights", "lasso"))


def descended(risk: Risk, theta: Array, half: Half) -> Half:
    """The half after some steps of L-BFGS down the risk in its rows and head; below, it is theta (P,), which stays."""
    from scipy.optimize import minimize

    network, blocks = risk.network, (*half.rows, half.head)
    point = half.embedded(network, theta)
    free = (
        half.embedded(network, np.zeros(network.size)) != 0
    )  # zeros stay: at the kinks of a penalty L-BFGS gets stuck

    def along(x: Array) -> tuple[float, Array]:
        point[free] = x
        return risk(point), risk.gradient(point)[free]

    try:
        x = minimize(along, point[free], jac=True, method="L-BFGS-B", options={"maxiter": DESCENT}).x
    except ValueError:  # overflow on the way
        return half
    parts = np.split(x, np.cumsum([np.count_nonzero(block) for block in blocks])[:-1])
    *rows, head = (np.zeros_like(block) for block in blocks)
    for block, old, part in zip((*rows, head), blocks, parts):
        block[old != 0] = part
    return replace(half, rows=tuple(rows), head=head, tool=f"{half.tool} and descent")


def best_head(risk: Risk, Z: Array, q: Array, start: Array) -> Array:
    """A head (n_out, u) with small E l(Z head^T, Y) + kappa sum_j q_j |column j|, from `start`; Z (N, u), q (u,)."""
    alive = Z.any(axis=0) & (q > 0) & np.isfinite(q)
    kappa = risk.kappa if risk.R is not None else 0.0
    scale = q[alive] if kappa else lengths(Z[:, alive].T) / len(Z) ** 0.5
    head = np.zeros_like(start)
    if not alive.any() or not np.isfinite(Z).all():
        return head
    unit_cost, sample = Z[:, alive] / scale, risk.sample
    if risk.loss == "squared" and len(start) == 1:
        head[:, alive] = second_layer(unit_cost, sample.Y[:, 0], kappa, weights=sample.weights).beta / scale
    else:
        head[:, alive] = _descended(risk, unit_cost, (start[:, alive] * scale).T, kappa).T / scale
    return head


def _heaviest(mass: Array, count: int) -> Array:
    """The `count` largest of mass (h,) that are not zero, in order of their indices."""
    order = np.argsort(-mass, kind="stable")[:count]
    return np.sort(order[mass[order] > 0])


def _ridge(Z: Array, W: Array, columns: Array, weights: Array) -> Iterator[Array]:
    """Rows on the kept columns of Z (N, h) that come close to Z W^T in the mean square, for each strength."""
    kept, p = Z[:, columns], weights[:, None]
    G, C = kept.T @ (p * kept), kept.T @ (p * (Z @ W.T))
    size = float(np.trace(G)) / max(len(G), 1)
    if not 0 < size < np.inf:
        return
    for strength in RIDGE:
        try:
            yield cho_solve(cho_factor(G + strength * size * np.eye(len(G))), C).T
        except LinAlgError:
            continue


def _descended(risk: Risk, Z: Array, U: Array, kappa: float) -> Array:
    """Steps down from U (u, n_out) for E l(Z U, Y) + kappa |U|, in the norm of the penalty; the best one seen."""
    best, least, floor = U, np.inf, FLOORS[0]
    gram = _Gram(Z, risk.sample.weights)
    for _ in range(STEPS):
        f = Z @ U
        value = float(risk.sample.weights @ risk.criterion.value(f, risk.sample.Y))
        size = np.abs(U) if not charged(risk) else np.broadcast_to(lengths(U)[:, None], U.shape)
        value += kappa * float(size.sum() if not charged(risk) else size[:, 0].sum())
        if not np.isfinite(value):
            break
        gain, best = least - value, U if value < least else best
        least = min(value, least)
        if floor <= FLOORS[1] and gain <= ENOUGH * abs(least):
            break
        slope, bend = risk.criterion.majorant(f, risk.sample.Y, max(floor, 1e-4))
        pull = 1 / np.maximum(size, max(floor * size.mean(), 1e-150)) if size.any() else 0 * U  # from zero: no penalty
        U = gram.step(bend, bend * f - slope, kappa * pull)
        floor = max(floor / 2, FLOORS[1])
    return best


class _Gram:
    """Least squares E (bend / 2) f^2 - E g f + (1/2) pull U^2 in f = Z U, with features Z (N, u) and weights p (N,)."""

    def __init__(self, Z: Array, p: Array) -> None:
        self.Z, self.p = Z, p
        self.plain = Z.T @ (p[:, None] * Z)

    def step(self, bend: Array | float, g: Array, pull: Array) -> Array:
        """The minimiser U (u, n_out); bend: a number or (N, n_out); g (N, n_out); pull (u, n_out)."""
        C = self.Z.T @ (self.p[:, None] * g)
        if np.ndim(bend) == 0 and (pull == pull[:, :1]).all():
            return _solved(bend * self.plain, pull[:, 0], C)
        bends = np.broadcast_to(bend, g.shape)
        columns = [
            _solved(self.Z.T @ ((self.p * bends[:, o])[:, None] * self.Z), pull[:, o], C[:, o])
            for o in range(g.shape[1])
        ]
        return np.stack(columns, axis=1)


def _solved(G: Array, pull: Array, C: Array) -> Array:
    """(G + diag(pull)) U = C, scaled so that a large pull does no harm."""
    d = 1 / np.sqrt(np.maximum(pull, 1e-10 * np.trace(G) / len(G) + 1e-300))
    A = d[:, None] * G * d + np.eye(len(G))
    return (d * solve(A, (d * C.T).T, assume_a="pos").T).T
