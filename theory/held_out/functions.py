"""The finitely many functions that stand for a path of silent pieces, refits and moves of one inner layer.

Source: ours; paper_notes.md, held-out, and `theory.held_out.certificates`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from theory.maxima import is_constant_along, is_convex_along
from theory.networks import Network
from theory.numerics import LIBM, TINY, UNIT, Array, gamma, up
from theory.penalties import PathNorm, lengths, operator_norms
from theory.risk import Risk

GRID = 64  # J, midpoints on an inner piece
TOUCH = {"relu": 0.0, "identity": 0.0, "tanh": 4 * LIBM}  # |rho(t)| <= |t|, 1-Lipschitz: and the error of their values


class Function(NamedTuple):
    """One function on the path: (1 - s) start + s end (P,), at t; its norm and kappa R, from above; Lam / (2 J) or 0.

    norm: |f(x)| <= norm |x| at every x, the smaller of the path norm and the product of operator norms; with biases x
    carries a 1. The ends are rows of the path: only the function that is looked at is in memory.
    """

    start: Array
    end: Array
    s: float
    t: float
    norm: float
    penalty: float
    drift: float = 0.0

    @property
    def theta(self) -> Array:
        """The parameters in floats, (P,)."""
        return (1 - self.s) * self.start + self.s * self.end if self.s else self.start

    @property
    def radius(self) -> Array:
        """How far `theta` may be from the parameters that are meant, (P,): 0 at a vertex."""
        if not self.s:
            return np.zeros_like(self.start)
        return 8 * UNIT * (np.abs(self.start) + np.abs(self.end)) + TINY


PieceFunctions = list[list[Function]]  # for each refit its two ends, for each inner piece its midpoints


def functions_of(risk: Risk, points: Array) -> tuple[list[Function], PieceFunctions]:
    """The different functions at the vertices points (V, P), in order, and the pieces that are not silent."""
    network = risk.network
    bounds, (_, costs) = _norms(network, points), penalty(risk, points)
    norms, span = bounds.min(axis=1).tolist(), max(len(points) - 1, 1)
    vertices, pieces = [Function(points[0], points[0], 0.0, 0.0, norms[0], costs[0])], []
    for k, (a, b) in enumerate(pairwise(points)):
        if is_constant_along(risk, a, b):
            f = vertices[-1]
            vertices[-1] = f._replace(norm=min(f.norm, norms[k + 1]), penalty=max(f.penalty, costs[k + 1]))
            continue
        g = Function(b, b, 0.0, (k + 1) / span, norms[k + 1], costs[k + 1])
        if is_convex_along(risk, a, b):
            pieces.append([vertices[-1], g])
        else:
            norm = float(bounds[k : k + 2].max(axis=0).min())  # each of the two is convex in one layer
            pieces.append(_midpoints(network, a, b, k, span, norm, max(costs[k : k + 2])))
        vertices.append(g)
    return vertices, pieces


def _midpoints(
    network: Network, a: Array, b: Array, piece: int, span: int, norm: float, penalty: float
) -> list[Function]:
    """The J midpoints of a piece that moves one inner layer; ValueError for any other piece."""
    moving = [k for k, (V, W) in enumerate(zip(network.weights(a), network.weights(b)), start=1) if (V != W).any()]
    if len(moving) != 1:
        raise ValueError(
            f"piece {piece} of the path moves layers {moving} at once; the bounds are for silent pieces, refits of the "
            "last layer, and moves of one inner layer. Ask theory.maxima for the risk on a sample"
        )
    drift = _lam(network, a, b, moving[0]) / (2 * GRID) * (1 + gamma(8))
    middles = [(j + 0.5) / GRID for j in range(GRID)]
    return [Function(a, b, s, (piece + s) / span, norm, penalty, drift) for s in middles]


def _lam(network: Network, a: Array, b: Array, layer: int) -> float:
    """Lam, from above: the norm of a with D = b - a for W_layer; biases above do not move."""
    W = [np.abs(matrix) for matrix in network.weights(a)]
    D = np.abs(network.weights(b)[layer - 1] - network.weights(a)[layer - 1]) * (1 + 4 * UNIT)
    q = np.ones(network.widths[0])  # |W_1(i, :)| takes its place in the first layer
    for k in range(1, network.depth):
        matrix = D if k == layer else W[k - 1]
        if k > layer:
            matrix = matrix[:, : network.widths[k - 1]]
        seen = q if k > layer else network.augment(q)
        q = (lengths(matrix) if k == 1 else matrix @ seen) + TINY  # products that underflow
    leaving = lengths(W[-1].T)[: network.widths[-2]] + TINY
    path = float(leaving @ q) * (1 + 8 * gamma(sum(network.widths) + 16 * network.depth)) + TINY
    product = float(lengths(D.reshape(-1))) * (1 + gamma(D.size + 16)) + TINY  # D is rounded: its Frobenius norm
    for k, matrix in enumerate(network.weights(a), start=1):
        if k != layer:
            seen = matrix[:, : network.widths[k - 1]] if k > layer else _carried(network, matrix, k)
            product = float(up(product * float(operator_norms(seen)))) * (1 + 4 * UNIT)  # never down to zero
    return min(path, product + TINY)


def _norms(network: Network, points: Array) -> Array:
    """Path norms and products of operator norms (V, 2) of points (V, P), from above."""
    with np.errstate(over="ignore", invalid="ignore"):
        path = PathNorm(network).upper(np.stack([points, points]), np.zeros_like(points))[0]
        product = np.ones(len(points))
        for k, W in enumerate(network.weights(points), start=1):
            product = up(product * operator_norms(_carried(network, W, k))) * (1 + 4 * UNIT)  # never down to zero
    return np.stack([path, product + TINY], axis=1)


def _carried(network: Network, W: Array, layer: int) -> Array:
    """W_layer (..., h, n), with biases and below the output one row more, which hands on the 1."""
    if not network.bias or layer == network.depth:
        return W
    last = np.zeros((*W.shape[:-2], 1, W.shape[-1]))
    last[..., -1] = 1
    return np.concatenate([W, last], axis=-2)


def penalty(risk: Risk, points: Array) -> tuple[list[float], list[float]]:
    """kappa R at points (V, P), from below and above."""
    if risk.R is None:
        return [0.0] * len(points), [0.0] * len(points)
    still = np.zeros_like(points)
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = risk.R.lower(points, still), risk.R.upper(np.stack([points, points]), still)[0]
    return (risk.kappa * low * (1 - 4 * UNIT)).tolist(), (risk.kappa * high * (1 + 4 * UNIT)).tolist()


def outputs(network: Network, f: Function, X: Array) -> tuple[Array, Array]:
    """Outputs (N, n_out) at inputs X, and by how much the true ones may differ, roundings and f.radius included."""
    h, e = X, np.zeros_like(X)
    for k, (W, dW) in enumerate(zip(network.weights(f.theta), network.weights(f.radius)), start=1):
        h = network.augment(h)
        e = np.concatenate([e, np.zeros((len(e), h.shape[1] - e.shape[1]))], axis=1)
        g = gamma(W.shape[1] + 16)
        e = (e @ np.abs(W).T + (np.abs(h) + e) @ dW.T + g * (np.abs(h) @ np.abs(W).T)) * (1 + 4 * g) + TINY
        rho = network.rho(k)
        h = rho.value(h @ W.T)
        e = e + TOUCH[rho.name] * np.abs(h)
    return h, e
