"""Permute, then go straight: hidden units of two nets matched, and what no permutation at all can reach.

`align` brings the units of B into the order of A's: the assignment of largest inner product of weights, layer by layer
until nothing changes, or of activations on a sample (Entezari et al. 2021; Ainsworth, Hayase, Srinivasa 2023).

`lower_bound` bounds the straight line for all m! permutations at once, one hidden layer and squared loss: at a fixed
t unit i of A and unit j of B make a unit with row w_ij and outgoing weights b_ij, and as |y - f|^2 >= 2 <h, y - f> -
|h|^2 for every h,

    min over pi of F((1 - t) A + t pi B)  >=  2 E <h, Y> - E |h|^2 - max over pi of sum_i C_{i pi(i)},
    C_ij = 2 E <h, b_ij z(w_ij)> - kappa R_ij.

The largest assignment is at most sum_i max_j (C_ij - v_j) + sum_j v_j for every v: so no solver is trusted, only
rounding counts. The best h is the residual of the relaxation to doubly stochastic matrices; Frank and Wolfe's method
finds it. The statement is on straight lines in theta: in rows of norm one the line is another one.

`gaussian_lower_bound` is the same with constant h for X ~ N(0, I) and equal positive weights, where E z(w) = |w| /
sqrt(2 pi).

Source: ours; paper_notes.md, straight-modulo.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.networks import Network
from theory.numerics import LIBM, SUBNORMAL, TINY, Array, gamma
from theory.numerics import validation as check
from theory.penalties import lengths
from theory.risk import Risk, Sample

SWEEPS = 100  # of weight matching over the layers: each raises the objective, and ties change nothing
STEPS = 60  # of Frank and Wolfe
BETTER = 1e-12  # what counts as better, relatively


@dataclass(frozen=True)
class AlignmentBound:
    """Every straight line from A to a permuted copy of B reaches risk `lower` at least, at t; ends: the risks of A and B.

    attained: the risk at t of the best permutation that was met (a permutation's line may be higher elsewhere).
    """

    lower: float
    t: float
    attained: float
    ends: tuple[float, float]


def align(net: Network, theta_a: ArrayLike, theta_b: ArrayLike, sample: Sample | None = None) -> list[Array]:
    """For each hidden layer the order (h,) in which B's units match A's: `reorder` applies them to theta_b.

    theta_a, theta_b (P,). Without a sample weights are matched, else activations on it. ValueError on wrong shapes.

    >>> net = Network((1, 2, 1))
    >>> [order.tolist() for order in align(net, [1, 2, 3, 4], [2, 1, 4, 3])]
    [[1, 0]]
    """
    check.instance(net, "net", Network)
    a, b = check.vector(theta_a, net.size, "theta_a"), check.vector(theta_b, net.size, "theta_b")
    orders = [np.arange(h) for h in net.hidden]
    if sample is not None:
        check.instance(sample, "sample", Sample)
        for layer in range(1, net.depth):
            Z_a, Z_b = (net.features(theta, sample.X, layer)[:, : net.widths[layer]] for theta in (a, b))
            orders[layer - 1] = _largest((Z_a * sample.weights[:, None]).T @ Z_b)
        return orders
    for _ in range(SWEEPS):
        changed = False
        for layer in range(1, net.depth):
            value = _inner_products(net, a, b, layer)
            order = _largest(value)
            gain = value[np.arange(len(order)), order].sum() - np.trace(value)
            if gain > BETTER * np.abs(value).sum():
                orders[layer - 1], b, changed = orders[layer - 1][order], net.permute(b, layer, order.tolist()), True
        if not changed:
            break
    return orders


def reorder(net: Network, theta: ArrayLike, orders: Iterable[ArrayLike]) -> Array:
    """theta (P,) with hidden units reordered by orders, one permutation (h,) a layer; ValueError as net.permute."""
    theta = check.vector(theta, check.instance(net, "net", Network).size)
    for layer, order in enumerate(check.entries(orders, "orders"), start=1):
        theta = net.permute(theta, layer, order)
    return theta


def lower_bound(
    risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, *, t: float | Iterable[float] = 0.5, steps: int = STEPS
) -> AlignmentBound:
    """A bound below the maximum of F on every straight line from theta_a to a permuted copy of theta_b, (P,) each.

    risk: one hidden layer, squared loss, identity output, any penalty that is a sum over units (not "schatten"). t:
    where on the line; of several the best is returned. steps: of Frank and Wolfe. It holds in exact arithmetic, and is 0
    where something overflows on the way. ValueError otherwise, and where the risk of an end overflows.

    >>> F = Risk(Network((1, 2, 1)), Sample([[1.0], [-1.0]], [[1.0], [-1.0]]))
    >>> lower_bound(F, [1, -1, 1, -1], [-1, 1, -1, 1]).lower  # swapped, the units are the same
    0.0
    """
    network = check.instance(risk, "risk", Risk).network
    if network.depth != 2 or network.output != "identity" or risk.loss != "squared" or risk.penalty == "schatten":
        raise ValueError(
            "risk must have one hidden layer, identity output, squared loss and a penalty that is a sum over units "
            f"(None, 'second_layer_l1', 'path', 'ridge'); got {risk}"
        )
    a, b = risk.pair(theta_a, theta_b)
    steps = check.positive_integer(steps, "steps")
    ends, found = (check.no_overflow(risk(a), "theta_a"), check.no_overflow(risk(b), "theta_b")), []
    for at in check.entries(t, "t") if np.iterable(t) else [t]:
        pairs = _Pairs(risk, a, b, check.number(at, "t", minimum=0.0, maximum=1.0))
        found.append((*_frank_wolfe(pairs, steps), pairs.t))
    if not found:
        raise ValueError("t must name one point of the line at least")
    lower, attained, best = max(found)
    return AlignmentBound(lower, best, attained, ends)


def gaussian_lower_bound(rows_a: ArrayLike, rows_b: ArrayLike, mass: float, mean: float) -> float:
    """X ~ N(0, I_n), E Y = mean, relu nets with all output weights mass / m: a bound for every permutation's midpoint.

    rows_a, rows_b (m, n). ((mean - (mass / m) max over pi of sum_i |a_i + b_pi(i)| / (2 sqrt(2 pi)))_+)^2, rounded
    down; positive part: where the bracket is negative nothing is known. ValueError for other shapes and mass < 0.
    """
    A, B = check.finite_array(rows_a, "rows_a", ndim=2), check.finite_array(rows_b, "rows_b", ndim=2)
    if A.shape != B.shape or A.size == 0:
        raise ValueError(f"rows_a and rows_b must have one shape (m, n); got {A.shape} and {B.shape}")
    mass, mean = check.number(mass, "mass", minimum=0.0), check.number(mean, "mean")
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.stack([lengths(row + B) for row in A]) * (1 + gamma(A.shape[1] + 16)) + SUBNORMAL
    if not np.isfinite(sums).all():
        return 0.0
    with np.errstate(over="ignore"):
        longest = _assignment_bound(sums)
        below = mean * (1 - 8 * LIBM) - mass / len(A) * longest / (2 * math.sqrt(2 * math.pi)) * (1 + 8 * LIBM)
    return min(below, 1e154) ** 2 * (1 - 4 * LIBM) if below > 0 else 0.0


class _Pairs:
    """Units made of unit i of A and unit j of B at t: rows w_ij, outgoing weights b_ij, and their part of the penalty."""

    def __init__(self, risk: Risk, a: Array, b: Array, t: float) -> None:
        self.risk, self.t, self.m = risk, t, risk.network.widths[1]
        self.ends = [risk.network.weights(theta) for theta in (a, b)]
        sample, q = risk.sample, risk.network.widths[2]
        self.X, self.Y, self.weights = risk.network.augment(sample.X), sample.Y, sample.weights[:, None]
        rest = [V[:, self.m :].sum(axis=1) if risk.network.bias else np.zeros(q) for _, V in self.ends]
        self.shift = (1 - t) * rest[0] + t * rest[1]
        self.shift_size = (1 - t) * np.abs(rest[0]) + t * np.abs(rest[1])
        # an output bias is a unit of row norm 1 to the path norm, and has no row to ridge
        row = np.full((1, 1), 1.0 if risk.penalty == "path" else 0.0)
        self.constant = float(self._penalty(row, self.shift[:, None])[0])
        # features are no larger than preactivations, but for activations that are not 0 at 0, and for what underflows
        self.at_zero = max(float(np.abs(risk.network.rho(1).value(np.zeros(1)))[0]) * 2, TINY)
        # squares, and the product of two lengths, may underflow
        self.underflow = risk.kappa * SUBNORMAL * (self.X.shape[1] + q + 2)

    def units(self, i: Array, j: Array) -> tuple[Array, Array]:
        """Rows (k, n) and outgoing weights (q, k) of the pairs i, j (k,)."""
        (W_a, V_a), (W_b, V_b) = self.ends
        return (1 - self.t) * W_a[i] + self.t * W_b[j], (1 - self.t) * V_a[:, i] + self.t * V_b[:, j]

    def features(self, W: Array) -> Array:
        """z (N, k) at the sample for rows W (k, n)."""
        return self.risk.network.rho(1).value(self.X @ W.T)

    def outputs(self, order: Array) -> tuple[Array, float]:
        """Outputs (N, q) at t when unit i of A goes with order[i] of B, and the penalty kappa R."""
        W, V = self.units(np.arange(self.m), order)
        return self.features(W) @ V.T + self.shift, float(self._penalty(W, V).sum()) + self.constant

    def values(self, h: Array, *, above: bool = False) -> Array:
        """C (m, m) for the test function h (N, q); above: with everything that roundings may have taken away."""
        C, every = np.zeros((self.m, self.m)), np.arange(self.m)
        g = gamma(len(self.X) + self.X.shape[1] + h.shape[1] + 64) + 4 * LIBM
        for i in range(self.m):
            W, V = self.units(np.full(self.m, i), every)
            pull = (self.weights * h).T @ self.features(W)
            C[i] = 2 * (V * pull).sum(axis=0) - self._penalty(W, V)
            if above:
                W_size, V_size = self._sizes(i)
                most = np.abs(self.X) @ W_size.T + self.at_zero
                size = 2 * (V_size * ((self.weights * np.abs(h)).T @ most)).sum(axis=0)
                C[i] += 4 * g * (size + self._penalty(W_size, V_size)) + TINY + self.underflow
        return C

    def fit(self, h: Array) -> float:
        """2 E <h, Y - shift> - E |h|^2 + the penalty of the output bias, rounded down."""
        y = self.Y - self.shift
        size = float((self.weights * np.abs(h) * (2 * (np.abs(self.Y) + self.shift_size) + np.abs(h))).sum())
        error = (gamma(h.size + 32) + 4 * LIBM) * (size + self.constant) + TINY + self.underflow
        return float((self.weights * h * (2 * y - h)).sum()) + self.constant - error

    def _sizes(self, i: int) -> tuple[Array, Array]:
        (W_a, V_a), (W_b, V_b) = self.ends
        W = (1 - self.t) * np.abs(W_a[i]) + self.t * np.abs(W_b)
        return W, (1 - self.t) * np.abs(V_a[:, [i]]) + self.t * np.abs(V_b[:, : self.m])

    def _penalty(self, W: Array, V: Array) -> Array:
        """kappa R (k,) of single units with rows W (k, n) and outgoing weights V (q, k)."""
        if self.risk.R is None:
            return np.zeros(V.shape[1])
        if self.risk.penalty == "ridge":
            cost = (W**2).sum(axis=1) + (V**2).sum(axis=0)
        elif self.risk.penalty == "path":
            cost = lengths(V.T) * lengths(W)
        else:
            cost = np.abs(V).sum(axis=0)
        return self.risk.kappa * cost


def _frank_wolfe(pairs: _Pairs, steps: int) -> tuple[float, float]:
    """The best certified bound over residuals h, and the lowest risk at t of a permutation that was met."""
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows ends the search, and a bound of it is 0
        best, attained = _residual(pairs, steps)
        C = pairs.values(best, above=True)
        lower = pairs.fit(best) - _assignment_bound(C) if np.isfinite(C).all() else 0.0
        lower -= gamma(8) * abs(lower)
    return (lower if 0 < lower < np.inf else 0.0), attained


def _residual(pairs: _Pairs, steps: int) -> tuple[Array, float]:
    """The residual h with the largest bound that Frank and Wolfe meet, and the lowest risk at t of a permutation."""
    outputs, cost = pairs.outputs(np.arange(pairs.m))
    h = best = pairs.Y - outputs
    attained, rough = np.inf, -np.inf
    for _ in range(steps):
        C = pairs.values(h)
        if not np.isfinite(C).all():
            break
        order = _largest(C)
        value = pairs.fit(h) - C[np.arange(pairs.m), order].sum()
        if value > rough:
            rough, best = value, h
        found, price = pairs.outputs(order)
        attained = min(attained, float((pairs.weights * (pairs.Y - found) ** 2).sum()) + price)
        step = found - (pairs.Y - h)
        bend = float((pairs.weights * step**2).sum())
        gain = float((pairs.weights * h * step).sum()) - 0.5 * (price - cost)
        if not bend > 0 or not gain > BETTER * (abs(rough) + bend):
            break
        share = min(gain / bend, 1.0)
        h, cost = h - share * step, cost + share * (price - cost)
    return best, attained


def _inner_products(net: Network, a: Array, b: Array, layer: int) -> Array:
    """(h, h): what matching unit i of A with unit j of B in one layer adds to <theta_a, theta_b>."""
    A, B, h = net.weights(a), net.weights(b), net.widths[layer]
    return A[layer - 1] @ B[layer - 1].T + A[layer][:, :h].T @ B[layer][:, :h]


def _largest(C: Array) -> Array:
    """The order (m,) with the largest sum of C[i, order[i]]."""
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment(C, maximize=True)[1]


def _assignment_bound(C: Array) -> float:
    """A number not below the largest assignment of C (m, m), from dual variables that are feasible by construction."""
    order, m = _largest(C), len(C)
    v, slack = np.zeros(m), C - C[np.arange(m), order][:, None]
    for _ in range(m):  # u_i + v_j >= C_ij, with equality where i is matched: longest paths
        higher = np.maximum(v, (v[order][:, None] + slack).max(axis=0))
        if (higher <= v).all():
            break
        v = higher
    u = (C - v).max(axis=1)
    size = float(np.abs(u).sum() + 2 * np.abs(v).sum())
    return float(u.sum() + v.sum()) + gamma(2 * m + 16) * size + TINY
