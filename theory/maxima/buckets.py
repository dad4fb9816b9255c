"""Certified maxima of one-hidden-layer relu risks (eq. 1, squared loss) along segments in linear time: no breakpoint is sorted.

A window [lo, hi] of a segment runs over t in [0, 1] and is cut into K = 2^k buckets of width w = 1/K. Pre-activations are
p(t) = (1 - t) p_0 + t p_1, outgoing weights v(t) = (1 - t) v_0 + t v_1; samples and targets are multiplied by the roots of
their weights, so that the risk is the sum of |residual|^2. In the Bernstein basis of degree 2, v p has the coefficients
b = (v_0 p_0, (v_0 p_1 + v_1 p_0) / 2, v_1 p_1).

Bound. A unit that is on at both ends of the window adds b exactly, one that is off at both adds nothing. A unit that
switches does so once, at tau = K p_0 / (p_0 - p_1), in bucket k = floor(tau). For every a in [0, 1], relu(p) - a p =
(1 - a) max(p, 0) + a max(-p, 0) is >= 0 and convex in p, so at most its larger value at the ends of the bucket. With
f = tau - k, D = |p_1 - p_0| and a = 1 - f (switching on) or f (off), both are h = D w f (1 - f), and

    relu(p) = a p + h/2 +- h/2    in bucket k,

0 or p in the others. So in bucket k the residual of a sample is q(t) +- e with q a known quadratic and e the sum of
(h/2) |v| over its switches there (|v| <= |v(middle)| + |v_1 - v_0| w/2). The fit is at most Q(t) + X, Q = sum q^2 a quartic
and X = sum e (2 |q| + e). As |q| is convex up to the chord of q, |q(t)| is at most the chord of |q| between the ends of
the bucket plus |q''| w^2/8 = |b_0 - 2 b_1 + b_2| w^2/4; summed against e and maximised over both ends this bounds X, of
order w^2 where switches are spread. Q is bounded by its Bernstein coefficients on the bucket (by blossoms). Ridge and |W_2|_1
are convex along the segment, so at most their chord on a bucket, whose coefficients are added. A bucket whose bound
is at most the best value seen, up to the gap, is done; runs of the others are windows of the next round (`theory.maxima.windows`).

Rounding (u = 2^-53, gamma(n) = n u / (1 - n u), any order of summation). Let A_ij = sum_k |x_ik| max|W_jk| and V_j = max|v_j|
over the whole segment and L_i = |y_i| + sum_j V_j A_ij, with biases as further terms. (i) Roots and products of samples, ends of the
window (both ends of [lo, hi] are floats, rounded outwards, so that nothing is left out) and dot products of n terms: p_0, p_1 are off by at most gamma(n + 6) A, v by 4 u V, so the
residual by at most gamma(n + 12) L. (ii) The floats p_0, p_1, v_0, v_1 being given: p_0 and p_1 have different signs, so |p_0| <=
fl|p_0 - p_1|, tau lies in [0, K] and is off by at most 3 u K; f = tau - k is exact. With tau* the true one, p is D w (tau* - k)
and D w (k + 1 - tau*) at the ends of bucket k, up to signs, and both values of the lemma are at most h + 3 u D, whether tau* lies in bucket k
or in its neighbour; elsewhere the unit is wrong only within 3 u D of zero. As D <= 2 max(|p_0|, |p_1|) that is at most 6 u V A. (iii) q is a sum of
at most m terms of total size V A for units that stay, 3 for each switch of total size 7/2 V A (h <= D w/4), and 2 K partial sums, each term with at
most 10 roundings: off by at most 5 gamma(4 m + 2 K + 48) L. Together |residual - q| <= e + eps_i with

    eps_i = (4 gamma(n + 16) + 8 gamma(4 m + 2 K + 48)) L_i,

which also pays for the rounding of L_i itself. By the triangle inequality in L2 the fit is at most (sqrt(Q + X) + sqrt(E))^2, E = sum
eps_i^2. (iv) The coefficients of Q are sums over samples, C terms in each of B blocks, and over d outputs; a product b_r b_s is at most
(b_r^2 + b_s^2) / 2, so each is off by gamma(C + B + d + 16) Z, Z = sum (b_0^2 + b_1^2 + b_2^2); blossoms are convex combinations by exact
weights, 12 more. (v) X is a sum of nonnegative terms, off by a factor 1 + 4 gamma(m + C + B + d + 64); evaluating q costs 8 u max|b|, and
2 e 8 u max|b| <= 8 u (e^2 + Z). TINY is added wherever
products may underflow, and where numbers exceed LARGEST nothing is said: the caller's exact pieces decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np

from theory.maxima import switches
from theory.maxima.quartic import LARGEST
from theory.maxima.switches import Engine
from theory.numerics import TINY, UNIT, Array, gamma
from theory.risk import Risk

PAIRS = 32_768  # (sample, unit) pairs of a block
SAMPLES, UNITS = 32, 1_024  # samples of a block at least, units at most
POINTS = 1_000_000  # numbers of parameter vectors at which the penalty is asked for at once
Threads = Callable[[Callable[[slice], "Sums"], Iterable[slice]], Iterable["Sums"]]


@dataclass(frozen=True, eq=False)
class Sums:
    """What is summed over samples, for the K buckets of S windows.

    moments (6, S, K): of b_r b_s, (r, s) = 00, 01, 02, 11, 12, 22; errors (4, S, K): of e |q| at both ends of the bucket,
    of e |b_0 - 2 b_1 + b_2|, and of e^2; count (K,): switches, of all windows together.
    """

    moments: Array
    errors: Array
    count: Array

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.moments + other.moments, self.errors + other.errors, self.count + other.count)


@dataclass(frozen=True, eq=False)
class Bounds:
    """Of the K buckets of one window: `upper` (K,) on the risk there, in exact arithmetic, and what it is made of.

    error (K,): the part X that finer buckets take away; rounding (K,): the part that stays; node: where in the window,
    t in [0, 1], the risk may be largest; count (K,): switches, those of windows bounded together included.
    """

    upper: Array
    error: Array
    rounding: Array
    node: float
    count: Array


def noise(risk: Risk, size: Array) -> float:
    """The sum of L_i^2 of the module's docstring, weighted, for a segment with |theta| <= size (P,); inf: numbers are too large."""
    net, sample = risk.network, risk.sample
    W, V = net.weights(size)
    m, total, reach = net.widths[1], 0.0, 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        G, rest = W.T @ V[:, :m].T, TINY * V.sum() + TINY
        for i in range(0, len(sample), PAIRS):
            x, y, root = _scaled(risk, slice(i, i + PAIRS))
            x = np.abs(x) + TINY
            L = np.abs(y) + x @ G + rest
            if net.bias:
                L += root * V[:, m]
            total += float((L * L).sum())
            reach = max(reach, float(x.sum(axis=1).max()) * float(W.max()) * max(1.0, float(V.max())))
    return total if total <= LARGEST and reach <= LARGEST else np.inf


def bounds(risk: Risk, a: Array, b: Array, size: Array, noises: Array, K: int, walk: Threads = map) -> list[Bounds]:
    """The K buckets, a power of two, of the windows from a to b (S, P) of segments with |theta| <= size (S, P).

    noises (S,): `noise` of each, finite; walk: how the blocks of samples are gone through, in order (`map`, or that of a pool).
    """
    net, sample = risk.network, risk.sample
    N, n, m = len(sample), net.widths[0], net.widths[1]
    rows = min(N, max(SAMPLES, PAIRS // (len(a) * max(min(m, UNITS), net.widths[2] * K // 64))))
    blocks = [slice(i, min(i + rows, N)) for i in range(0, N, rows)]
    nets = [*net.weights(a), *net.weights(b)]
    sums = reduce(Sums.__add__, walk(partial(_block, risk, nets, K, switches.engine(N * m)), blocks))
    A, B, C, D, E, F = sums.moments
    at_start, at_end, bend, square = sums.errors
    fit = _on_buckets(np.stack([A, B, (C + 2 * D) / 3, E, F]))
    Z = A + D + F
    terms = rows + len(blocks) + sample.n_out
    error = (2 * np.maximum(at_start, at_end) + bend * (0.5 / K**2) + square) * (1 + 4 * gamma(m + terms + 64))
    summed = gamma(2 * terms + 128) * (Z + error)
    total = fit + _penalty(risk, a, b, size, K)
    top = total.max(axis=0)
    off = 4 * gamma(n + 16) + 8 * gamma(4 * m + 2 * K + 48)
    E_ = off * np.sqrt(noises * (1 + 1e-6) + TINY)[:, None]
    root = np.sqrt(np.maximum(fit.max(axis=0), 0.0) + error + summed)
    rounding = summed + E_ * (2 * root + E_) + 16 * UNIT * (np.abs(top) + error) + TINY
    upper = (top + error + rounding) * (1 + 8 * UNIT)
    upper = np.where(np.isfinite(upper), upper, np.inf)
    place = total.transpose(1, 2, 0).reshape(len(a), -1).argmax(axis=1)  # bucket, then coefficient
    node = (place // 5 + (place % 5) / 4) / K
    return [Bounds(*row, sums.count) for row in zip(upper, error, rounding, node.tolist())]


def _scaled(risk: Risk, rows: slice) -> tuple[Array, Array, Array]:
    """Inputs (C, n), with ones for the biases, and targets (C, d) times the roots (C, 1) of their weights."""
    root = np.sqrt(risk.sample.weights[rows, None])
    return root * risk.network.augment(risk.sample.X[rows]), root * risk.sample.Y[rows], root


def _block(risk: Risk, nets: list[Array], K: int, engine: Engine, rows: slice) -> Sums:
    """The sums over one block of samples; nets: W and V at the start, then at the end, of each window."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):  # each thread has its own
        return _sums(risk, nets, K, engine, rows)


def _sums(risk: Risk, nets: list[Array], K: int, engine: Engine, rows: slice) -> Sums:
    W0, V0, W1, V1 = nets
    x, y, root = _scaled(risk, rows)
    S, d, C, m = len(W0), V0.shape[1], len(x), risk.network.widths[1]
    base, count = np.zeros((3, S, C, d)), np.zeros(K, dtype=np.int64)
    parts, error = np.zeros((d, 3, S * C, K)), np.zeros((d, S * C, K))
    for j in range(0, m, UNITS):
        units = slice(j, min(j + UNITS, m))
        p, q = (x @ np.swapaxes(W[:, units], 1, 2) for W in (W0, W1))
        v, w = (np.ascontiguousarray(V[:, :, units]) for V in (V0, V1))
        engine.add(p.reshape(S * C, -1), q.reshape(S * C, -1), v, w, parts, error, count)
        v, w = np.swapaxes(v, 1, 2), np.swapaxes(w, 1, 2)
        base[0] += p @ v
        base[1] += 0.5 * (p @ w + q @ v)
        base[2] += q @ w
    base -= y
    if risk.network.bias:
        first, last = (root * V[:, None, :, m] for V in (V0, V1))
        base += np.stack([first, 0.5 * (first + last), last])
    parts[..., 0] += np.moveaxis(base, -1, 0).reshape(d, 3, S * C)
    sums = engine.sums(parts, error, S).sum(axis=1)
    return Sums(sums[:6], sums[6:], count)


def _on_buckets(c: Array) -> Array:
    """Bernstein coefficients (5, S, K) on the buckets [k / K, (k + 1) / K] from those (5, S, K) on [0, 1]: blossoms."""
    K = c.shape[-1]
    ends = np.arange(K) / K, np.arange(1, K + 1) / K
    out = []
    for r in range(5):
        b = c
        for step in range(4):
            t = ends[step < r]
            b = (1 - t) * b[:-1] + t * b[1:]
        out.append(b[0])
    return np.stack(out)


def _penalty(risk: Risk, a: Array, b: Array, size: Array, K: int) -> Array:
    """Bernstein coefficients (5, S, K) of the chords of kappa R over the buckets, rounded up; R is convex along a segment."""
    if risk.R is None:
        return np.zeros((5, len(a), K))
    t, step, radius = np.arange(K + 1) / K, max(1, POINTS // a.size), 8 * UNIT * size[:, None]
    edges = [
        risk.R.upper((1 - s)[:, None] * a[:, None] + s[:, None] * b[:, None], radius)
        for s in (t[i : i + step] for i in range(0, K + 1, step))
    ]
    at = risk.kappa * np.concatenate(edges, axis=1) * (1 + 16 * UNIT)
    rise = np.arange(5)[:, None, None] / 4
    return (1 - rise) * at[:, :-1] + rise * at[:, 1:]
