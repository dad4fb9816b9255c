"""What a risk (eqs 1, 2) can be on a cell of a straight segment: its values at both ends, and how far it bends between them.

On a cell, theta(tau) = (1 - tau) theta(lo) + tau theta(hi), 0 <= tau <= 1, every intermediate quantity of the forward pass is kept
as h_0, h_1, b, e >= 0 and r >= 0 with

    | h(tau) - (1 - tau) h_0 - tau h_1 - tau (1 - tau) b | <= tau (1 - tau) e + r    in exact arithmetic:

h_0 and h_1 its values at the ends in floats, b its bend, e what is left of that, and r the rounding of the values. At the ends
nothing is left but r: where a risk is highest at an end of a cell and falls from there, the bound is that value, however wide
the cell. Arrays are (..., n, N), units before samples, so that every step runs along long rows.

A layer, z = W(tau) h, W(tau) = (1 - tau) W_0 + tau W_1 = V + (tau - 1/2) D. A product of two affine functions is the one between its
values at the ends less tau (1 - tau) D (h_1 - h_0), so that

    b -> V b - D (h_1 - h_0),    e -> (|V| + |D| / 2) e + |D| |b| / 2,    r -> (|V| + |D| / 2) r.

relu. Write z = c + tau (1 - tau) y, c the affine function between the ends, c_0 and c_1, and |y - b| <= e. Let h and n be the sums of
the positive and of the negative parts of c_0 and c_1. relu(z) less the affine function between its own ends is the larger of tau (1 - tau)
(y + min(c_0, 0) / tau + min(c_1, 0) / (1 - tau)) and -tau (1 - tau) (max(c_0, 0) / tau + max(c_1, 0) / (1 - tau)), so at most tau (1 - tau) times

    max(b + e + n, -h).

It is at least tau (1 - tau) (b - e) where n = 0, and at least 0 where h = 0. Elsewhere relu(c) is below that affine function by at most
tau (1 - tau) (h - n) (the tent with its top at the zero of c), and relu(z) below relu(c) by tau (1 - tau) max(e - b, 0): it is at least tau (1 - tau)
(min(b - e, 0) - h + n). The middle of this range is the new b, half its length the new e.

A smooth sigma. sigma(c) is below the affine function by tau (1 - tau) sigma''(xi) (c_1 - c_0)^2 / 2, and sigma(z) - sigma(c) = sigma'(xi')
tau (1 - tau) y. With d = |c_1 - c_0|, |y| <= |b| + e, and q = d / 2 + (|b| + e) / 4, which no xi' is farther from the nearer end than: with P, T >=
|sigma''|, |sigma'''| there, sigma'' is within T d / 2 of the mean p of its values at the ends, sigma' within P q of the mean f, so

    b -> f b - p d^2 / 2,    e -> f e + P q (|b| + e) + T d^3 / 4.

|sigma''| <= rate sigma' and sigma' grows by e^(rate q) <= 1 + x + x^2, x = rate q <= 1.75, at the most: so P = min(peak, rate max(sigma'_0, sigma'_1)
(1 + x + x^2)). Where x is larger sigma' <= tail e^(-rate |z|) <= tail (1 + rate |z| / 8)^-8 at the least |z| in reach takes the place of
sigma' e^(rate q). T <= third P, and d <= 2 q: e -> f e + P q (|b| + e + (third / 2) d^2).

The risk. The largest loss U(c, e) of an output within e of c is convex in both. So with s = 4 tau (1 - tau) the mean of U is at most
(1 - s) of that of U(c, r) and s of that of U(c + b / 4, r + e / 4), both convex in tau: with F_0, F_1 and H_0, H_1 their values at the ends

    F <= (1 - s)((1 - tau) F_0 + tau F_1) + s ((1 - tau) H_0 + tau H_1) - tau (1 - tau) strength E|c_1 - c_0|^2,

strength that of the loss's convexity (1 for squares). This cubic is bounded by its Bernstein coefficients on eighths of the cell.

Rounding. A >= |theta_0| + |theta_1| + TINY entry by entry, so |W_0|, |W_1|, |V|, |D| / 2 <= A, and their roundings are within 10 u A; M is the
largest |h_0|, |h_1| of a unit over the samples at hand; g = 4 gamma(2 n + 32). Sums at the ends are within gamma(n + 1) A M, and (10 u A) times what
is known of h of the true ones: g A (M + r) is added to r. D (h_1 - h_0) is off by gamma(2 n + 16) 4 A M at most, V b by gamma(2 n + 16) A |b|, the sums
that make the new e by gamma(2 n + 4) of themselves: 2 g A M, g A |b| and g A e are added to e. Half of the last two pays for the activation
below, whose own formulas round its e and b by at most 40 u of its e. (Those of relu round the ends of its range by 5 u (|b| + e) besides, b and e
those of z; at least g / 8 of that, 17 u, is left of what was added to the e of z, as |b| <= A |b| + 4 A M, its own on the right.)
sigma, sigma' and sigma'' are within LIBM, 2.1 and 6 LIBM: r -> max sigma' r + 2 LIBM, and P q is off by 24 LIBM, f b - p d^2 / 2 by 2.1 LIBM |b| + 3 LIBM
d^2, so that 32 LIBM is added to P q; where the tail is taken at a |z| that the sums at the ends cancel to, 32 LIBM times the reach is more than
8, which is as much as can be needed. TINY in A, r and e covers products that underflow. A sum that overflows on its way may end at -inf, which relu would hide:
where A M is beyond LARGEST nothing is known, and r is inf; below it no partial sum overflows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from theory.maxima import bends
from theory.networks import Network
from theory.numerics import LIBM, TINY, UNIT, Array, gamma
from theory.risk import Risk

BLOCK, ROWS, CELLS = 32_000, 64, 4  # numbers in one array; samples in it at least; cells at once where they fit
LARGEST = 1e306  # beyond it sums of products may overflow on the way
PARTS = 8  # of a cell, on which its cubic is bounded
NONNEGATIVE = ("relu", "sigmoid")
CURVED = {"tanh": (bends.TANH, 1.0), "sigmoid": (bends.SIGMOID, 0.25)}  # with a bound on sigma'


class Secant(NamedTuple):
    """A quantity on B cells: ends (Q, n, N), of which those of a cell are `left` and `right`; parts (B, 4 n + 1, N); blur r (B, n, 1).

    parts: b, h_1 - h_0, e, |b| and 1 below one another, as the next layer multiplies them.
    """

    ends: Array
    parts: Array
    blur: Array

    @property
    def bend(self) -> Array:
        """b, (B, n, N)."""
        return self.parts[:, : self.blur.shape[1]]

    @property
    def rest(self) -> Array:
        """e, (B, n, N)."""
        n = self.blur.shape[1]
        return self.parts[:, 2 * n : 3 * n]


class Cubics(NamedTuple):
    """Cubics in tau above F on cells: F at the ends and in the `middles` (F_0, F_1 and H_0, H_1), (2, ...) each; what is taken off, (...)."""

    ends: Array
    middles: Array
    square: Array

    def of(self, cells: Array) -> Cubics:
        """Those of some of the cells."""
        return Cubics(self.ends[:, cells], self.middles[:, cells], self.square[cells])


class Room:
    """Arrays that are used again: two for the parts of layers, in turn, and two for their ends."""

    def __init__(self, widths: tuple[int, ...], ends: int, cells: int, block: int) -> None:
        """For so many ends and cells at once, and blocks of so many samples."""
        width = max(widths[1:])
        self.arrays = np.empty((4, block * max(cells * (4 * width + 1), ends * (width + 1))))

    def take(self, which: int, *shape: int) -> Array:
        """The beginning of one of the four, in a shape."""
        return self.arrays[which, : math.prod(shape)].reshape(shape)


class MovingLayer(NamedTuple):
    """W at the ends (Q, m, n'), biases included; (V, -D) (B, m, 2 n); what e, |b| and 1 are multiplied by (B, m, 2 n + 1); g A (B, m, n')."""

    W: Array
    bent: Array
    kept: Array
    noise: Array


def upper_bounds(risk: Risk, theta_0: Array, theta_1: Array, lo: Array, hi: Array) -> Array:
    """Rigorous upper bounds on F over cells [lo, hi] of segments, one per cell.

    theta_0, theta_1 (B, P): the ends of the segment of each cell; lo <= hi (B,) in [0, 1]. Works in blocks of cells and
    samples; cells that follow one another share their ends. Never below the true maximum over the cell.
    """
    return highest(cubics(risk, theta_0, theta_1, lo, hi))


def cubics(risk: Risk, theta_0: Array, theta_1: Array, lo: Array, hi: Array) -> Cubics:
    """Cubics above F on cells; theta_0, theta_1 (B, P), lo and hi (B,) as for `upper_bounds`."""
    width = max(risk.network.widths[1:])
    block = min(len(risk.sample), max(ROWS, BLOCK // (width * min(CELLS, max(len(lo), 1)))))
    cells = max(1, BLOCK // (block * width))
    found = Cubics(np.zeros((2, len(lo))), np.zeros((2, len(lo))), np.zeros(len(lo)))
    with np.errstate(over="ignore", invalid="ignore"):
        for rows, joined in _runs(theta_0, theta_1, lo, hi, cells):
            here = _cubics(risk, theta_0[rows], theta_1[rows], lo[rows], hi[rows], joined, block)
            for whole, part in zip(found, here):
                whole[..., rows] = part
    return found


def _runs(theta_0: Array, theta_1: Array, lo: Array, hi: Array, cells: int) -> Iterator[tuple[slice, bool]]:
    """Parts of at most so many cells, and whether each cell begins where the one before it ends."""
    follows = np.zeros(len(lo), dtype=bool)
    follows[1:] = (
        (lo[1:] == hi[:-1]) & (theta_0[1:] == theta_0[:-1]).all(axis=1) & (theta_1[1:] == theta_1[:-1]).all(axis=1)
    )
    few = cells <= 2 * CELLS
    i = 0
    while i < len(lo):
        j = min(i + cells, len(lo))
        if few:
            breaks = np.flatnonzero(~follows[i + 1 : j])
            j = i + 1 + int(breaks[0]) if len(breaks) else j
        yield slice(i, j), bool(follows[i + 1 : j].all())
        i = j


def _cubics(risk: Risk, theta_0: Array, theta_1: Array, lo: Array, hi: Array, joined: bool, block: int) -> Cubics:
    network, sample = risk.network, risk.sample
    left, right = (slice(0, -1), slice(1, None)) if joined else (slice(0, len(lo)), slice(len(lo), None))
    t = np.append(lo, hi[-1:] if joined else hi)[:, None]
    if joined:
        points = (1 - t) * theta_0[:1] + t * theta_1[:1]
    else:
        points = (1 - t) * np.concatenate([theta_0, theta_0]) + t * np.concatenate([theta_1, theta_1])
    size = np.abs(theta_0) + np.abs(theta_1) + TINY
    layers = _layers(network, points, size, left, right)
    F, H, square = np.zeros((2, len(lo))), np.zeros((2, len(lo))), np.zeros(len(lo))
    strength = risk.criterion.strength
    engine = bends.engine(len(lo) * len(sample) * sum(network.widths[1:]))
    room = Room(network.widths, len(t), len(lo), min(block, len(sample)))
    for i in range(0, len(sample), block):
        rows = slice(i, i + block)
        Y, w = sample.Y[rows], sample.weights[rows]
        out = _propagate(network, layers, sample.X[rows], left, right, engine, room)
        ends, bend, rest, blur = (np.swapaxes(part, -1, -2) for part in (out.ends, out.bend, out.rest, out.blur))
        bend, rest = 0.25 * bend, 0.25 * (1 + 64 * UNIT) * rest
        blur = blur * (1 + 16 * UNIT) + TINY
        at_ends = risk.criterion.upper(ends, blur.max(axis=0) if joined else np.concatenate([blur, blur]), Y) @ w
        for e, side in enumerate((left, right)):
            F[e] += at_ends[side]
            centre = ends[side] + bend
            radius = blur + rest + 4 * UNIT * (np.abs(centre) + np.abs(bend))
            H[e] += risk.criterion.upper(centre, radius, Y) @ w
        if strength:
            square += ((ends[right] - ends[left]) ** 2).sum(axis=-1) @ w
    if risk.R is not None:
        penalty = risk.kappa * risk.R.upper(np.stack([points[left], points[right]]), 8 * UNIT * size)
        F, H = F + penalty, H + penalty
    slack = gamma(len(sample) + 16)
    F, H = F * (1 + slack) + TINY, H * (1 + slack) + TINY
    return Cubics(F, H, strength * square * (1 - slack - gamma(sample.n_out + 16)))


def highest(bounds: Cubics) -> Array:
    """A bound (...) on cubics over their cells."""
    F, H, square = bounds
    with np.errstate(over="ignore", invalid="ignore"):
        X = 4 * (H - F) - square
        coefficients = np.stack([3 * F[0], 2 * F[0] + F[1] + X[0], F[0] + 2 * F[1] + X[1], 3 * F[1]])
        top = np.tensordot(EIGHTHS, coefficients, 1).max(axis=0) / 3
        # F and H are not negative: the coefficients are sums of terms of that total size
        worst = top + 32 * UNIT * (F + H).sum(axis=0) + 32 * UNIT * square
    return np.where(np.isnan(worst), np.inf, worst)


def _eighths() -> Array:
    """The Bernstein coefficients of a cubic on each of `PARTS` parts of [0, 1] from those on the whole, (4 PARTS, 4): all in [0, 1]."""

    def blossom(points: tuple[float, float, float]) -> Array:
        polynomial = np.array([1.0])
        for x in points:
            polynomial = np.convolve(polynomial, [1 - x, x])
        return polynomial

    rows = []
    for k in range(PARTS):
        a, b = k / PARTS, (k + 1) / PARTS
        rows += [blossom((a, a, a)), blossom((a, a, b)), blossom((a, b, b)), blossom((b, b, b))]
    return np.array(rows)


EIGHTHS = _eighths()


def _layers(network: Network, points: Array, size: Array, left: slice, right: slice) -> list[MovingLayer]:
    layers = []
    for n, W, A in zip(network.widths, network.weights(points), network.weights(size)):
        before, after = W[left, :, :n], W[right, :, :n]
        noise = 4 * gamma(2 * n + 32) * A
        own = noise[..., :n]
        V, D = 0.5 * (before + after), after - before
        half = 0.5 * np.abs(D)
        kept = np.concatenate(
            [np.abs(V) + half + own, half + own, own[..., :1]], axis=-1
        )  # the last is that of a block
        layers.append(MovingLayer(W, np.concatenate([V, -D], axis=-1), kept, noise))
    return layers


def _propagate(
    network: Network, layers: list[MovingLayer], X: Array, left: slice, right: slice, engine: bends.Bending, room: Room
) -> Secant:
    """The outputs of samples X (N, n_in) on the cells."""
    h, last = _first(layers[0], network.augment(X).T, room), len(layers)
    for k, layer in enumerate(layers, start=1):
        z = h if k == 1 else _affine(layer, h, left, right, room, k % 2, network.activation not in NONNEGATIVE)
        Q, n, count = z.ends.shape
        ends = room.take(3, Q, n + (network.bias and k < last), count)
        ends[:, n:] = 1.0  # which biases multiply
        h = _activated(network, k, z, ends, left, right, engine)
    return h


def _first(layer: MovingLayer, x: Array, room: Room) -> Secant:
    """The first layer, of inputs x (n', N) that do not move."""
    cells, m, _ = layer.noise.shape
    blur = layer.noise @ np.abs(x).max(axis=-1, keepdims=True) + TINY
    parts = room.take(1, cells, 4 * m + 1, x.shape[-1])
    parts[:, :m] = 0.0
    parts[:, 2 * m : 3 * m] = 0.0
    ends = np.matmul(layer.W, x, out=room.take(2, len(layer.W), m, x.shape[-1]))
    return Secant(ends, parts, _known(layer, blur))


def _affine(layer: MovingLayer, h: Secant, left: slice, right: slice, room: Room, turn: int, signed: bool) -> Secant:
    """W(tau) h."""
    cells, m, _ = layer.noise.shape
    n, count = h.blur.shape[1], h.ends.shape[-1]
    sizes = h.ends.max(axis=-1)
    if signed:
        np.maximum(sizes, -h.ends.min(axis=-1), out=sizes)
    M = layer.noise @ np.maximum(sizes[left], sizes[right])[..., None]
    layer.kept[..., -1:] = 2 * M + TINY
    parts = room.take(turn, cells, 4 * m + 1, count)
    np.matmul(layer.bent, h.parts[:, : 2 * n], out=parts[:, :m])
    np.matmul(layer.kept, h.parts[:, 2 * n :], out=parts[:, 2 * m : 3 * m])
    ends = np.matmul(layer.W, h.ends, out=room.take(2, len(h.ends), m, count))
    return Secant(ends, parts, _known(layer, layer.kept[..., :n] @ h.blur + M + TINY))


def _known(layer: MovingLayer, blur: Array) -> Array:
    """The blur (B, m, 1), at least g A M; inf where A M is beyond LARGEST, or where nothing is known."""
    return np.where(blur < 4 * gamma(2 * layer.W.shape[-1] + 32) * LARGEST, blur, np.inf)


def _activated(
    network: Network, k: int, z: Secant, ends: Array, left: slice, right: slice, engine: bends.Bending
) -> Secant:
    """The features of layer k, their ends in an array, their parts in the place of those of the pre-activations z."""
    name, n, blur = network.rho(k).name, z.ends.shape[1], z.blur
    values = ends[:, :n]
    if name == "identity":
        values[...] = z.ends
        np.subtract(values[right], values[left], out=z.parts[:, n : 2 * n])
        np.abs(z.bend, out=z.parts[:, 3 * n : 4 * n])
    else:
        if name == "relu":
            np.maximum(
                z.ends, np.zeros(z.ends.shape[-1]), out=values
            )  # of an array and a number it is three times as slow
        else:
            network.rho(k).value(z.ends, values)
        both = values[left], values[right], z.ends[left], z.ends[right]
        if name == "relu":
            engine.relu(*both, z.parts)
        else:
            sigma, steepest = CURVED[name]
            engine.smooth(sigma, *both, z.parts)
            blur = steepest * blur + 2 * LIBM
    z.parts[:, 4 * n :] = 1.0
    return Secant(ends, z.parts, blur)
