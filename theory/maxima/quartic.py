"""The risk (eq. 1) of a one-hidden-layer net along a segment, exactly: piecewise quartic with known breakpoints.

With theta(t) = (1 - t) theta_0 + t theta_1, a pre-activation p_ij(t) is affine in t, so a relu unit j switches on
sample i at most once, at t_ij = p_ij(0) / (p_ij(0) - p_ij(1)). Between switches the residual of each sample is a
quadratic in t and the squared risk a quartic; a switch changes one sample's quadratic by +-v_j(t) p_ij(t), which
vanishes at t_ij. Sorting all switches and accumulating the changes gives every piece; the maximum over a piece comes
from its Bernstein coefficients, refined by de Casteljau's algorithm where they do not decide.

Rounding. Work is done in slabs of t, each treated as a segment of its own (t runs over [0, 1] on it). On a slab let
V_j bound |v_j|, A_ij = sum_k |x_ik| max|W_jk| and p_ij = max(|p_ij(0)|, |p_ij(1)|), sums over the units that are not
dead throughout. The float quadratics differ from the true residual, uniformly in t, by at most

    eps_i = 8 gamma(n + 8) sum_j V_j A_ij + 28 gamma(2 m + 12) (|y_i| + sum_j V_j p_ij):

slab ends and pre-activations 4 gamma(n + 6), relu on the wrong side of a rounded breakpoint one more, outgoing weights
8u; then at most 2m additions of terms of total size 27 (|y_i| + ...). In the first sum V_j and A_ij are taken over the
whole segment, as the rounding of a slab's ends is relative to that; TINY wherever products may underflow; and where
numbers exceed LARGEST, coefficients may overflow and the bound is infinite. By the triangle inequality in L2 the true
risk is at most (sqrt(R) + sqrt(E eps^2))^2, R that of the float quadratics; the rounding of R's own coefficients is
bounded from the absolute values actually met. Where cancellation makes all this loose and the problem is small, the
bound is computed again in fractions (`theory.maxima.quartic_in_fractions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from theory.maxima import quartic_in_fractions
from theory.numerics import TINY, UNIT, Array, gamma
from theory.risk import Risk

ACCURACY = 5e-10  # relative accuracy beyond which small problems are not computed again in fractions
LARGEST = 1e300  # sums of squares beyond this may overflow on the way, in the coefficients of a piece or of a bucket
BATCH = 20_000  # (sample, unit) pairs of the segments that are taken together: about what the cache holds
SWITCHES = 2_000_000  # (sample, unit) pairs per slab of t, and numbers per chunk of samples: memory stays bounded


@dataclass(frozen=True)
class PieceMaximum:
    """Where the float quartics are largest, t in [0, 1], and `upper`, a bound on the true risk (inf on overflow)."""

    t: float
    upper: float


def applies(risk: Risk) -> bool:
    """One hidden layer of relu or identity units, linear output, squared loss, biases or not; R quadratic or |W_2|_1."""
    net = risk.network
    return (
        net.depth == 2
        and net.activation in ("relu", "identity")
        and net.output == "identity"
        and risk.loss == "squared"
        and (risk.R is None or risk.penalty in ("ridge", "second_layer_l1"))
    )


def maximum(risk: Risk, theta_0: Array, theta_1: Array) -> PieceMaximum:
    """The maximum of the risk over one segment, as `maxima`."""
    t, upper = maxima(risk, theta_0[None], theta_1[None])
    return PieceMaximum(float(t[0]), float(upper[0]))


def maxima(risk: Risk, starts: Array, ends: Array) -> tuple[Array, Array]:
    """The maxima of the risk over segments, starts and ends (S, P): where the float quartics are largest, and bounds, (S,) each.

    All breakpoints, all pieces; as many segments at once as BATCH pairs allow. Memory is bounded by SWITCHES; time is that of
    sorting N m breakpoints a segment, and of one look at all (sample, unit) pairs for each slab of SWITCHES of them: large
    problems are narrowed down by `theory.maxima.windows` first. `applies(risk)` must hold.
    """
    pairs = len(risk.sample) * risk.network.widths[1]
    step = max(1, BATCH // pairs)
    parts = [
        _on_window(risk, starts[i : i + step], ends[i : i + step], 0.0, 1.0, pairs) for i in range(0, len(starts), step)
    ]
    t, upper, value = (np.concatenate([part[k] for part in parts]) for k in range(3))
    if quartic_in_fractions.affordable(risk):
        for s in np.flatnonzero(upper - value > ACCURACY * np.maximum(risk.scale, value)):
            upper[s] = min(upper[s], quartic_in_fractions.upper_bound(risk, starts[s], ends[s]))
    return t, upper


def on_window(risk: Risk, theta_0: Array, theta_1: Array, lo: float, hi: float, switches: int) -> PieceMaximum:
    """The maximum over the part [lo, hi] of the segment, in floats, where about so many switches are; `applies(risk)` must hold."""
    t, upper, _ = _on_window(risk, theta_0[None], theta_1[None], lo, hi, switches)
    return PieceMaximum(float(t[0]), float(upper[0]))


def _on_window(
    risk: Risk, starts: Array, ends: Array, lo: float, hi: float, switches: int
) -> tuple[Array, Array, Array]:
    """The maxima over [lo, hi] of segments (S, P): where, bounds, and the values in floats."""
    slabs = max(1, -(-switches // SWITCHES)) if risk.network.activation == "relu" else 1
    t, value, upper = (np.full(len(starts), start) for start in (lo, -np.inf, 0.0))
    size = np.maximum(np.abs(starts), np.abs(ends))
    for left, right in pairwise(np.linspace(lo, hi, slabs + 1)):
        with np.errstate(over="ignore", invalid="ignore"):
            a, b = ((1 - t) * starts + t * ends for t in (left, right))
            where, top, bound = _slab(risk, a, b, size)
        upper, better = np.maximum(upper, bound), top > value
        t, value = np.where(better, left + where * (right - left), t), np.where(better, top, value)
    return np.minimum(t, 1.0), upper, value


def _slab(risk: Risk, starts: Array, ends: Array, size: Array) -> tuple[Array, Array, Array]:
    """(where, value, rigorous bound) of the maxima over the slabs starts -> ends; `size` (S, P) bounds their segments' |theta|."""
    net, sample = risk.network, risk.sample
    (W0, V0), (W1, V1), sizes_of = net.weights(starts), net.weights(ends), net.weights(size + TINY)
    base, start_size, square_size, noise = (np.zeros((*shape, len(starts))) for shape in ((5,), (), (), ()))
    times, jumps = [], []
    chunks = _chunks(len(sample), net.widths[1])
    for rows in chunks:
        start, at, jump, sizes = _chunk(net, sample, rows, W0, V0, W1, V1, sizes_of)
        base, noise = base + start, noise + sizes[2]
        start_size, square_size = start_size + sizes[0], square_size + sizes[1]
        times.append(at)
        jumps.append(jump)
    start, at, jump, penalty_size = _penalty(risk, starts, ends, size)
    base = base + start
    t, changes = np.concatenate([*times, at], axis=1), np.concatenate([*jumps, jump], axis=2)
    del times, jumps
    order = np.argsort(t, axis=1, kind="stable")
    edge, row = np.zeros((len(starts), 1)), np.arange(len(starts))[:, None]
    t, changes = t[row, order], changes[:, row, order]
    t = np.concatenate([edge, t, edge + 1.0], axis=1)
    change_size = np.abs(changes).sum(axis=(0, 2))
    fits = start_size + square_size + noise + change_size + penalty_size <= LARGEST
    # Squares and their differences; dot products over samples and parameters; running sums in three levels (at most
    # 3 k^(1/3) roundings); at most 64 halvings of four roundings each; Horner and Bernstein form.
    rounding: Array = gamma(2 * sample.n_out + 32) * square_size
    rounding += gamma(len(sample) + net.size + len(chunks) + 64) * (start_size + penalty_size)
    rounding += gamma(3 * (int(t.shape[1] ** (1 / 3)) + 1) + 512) * (change_size + start_size + penalty_size)
    pieces = np.concatenate([base[:, :, None], base[:, :, None] + _running_sums(changes)], axis=2)
    del changes
    where, value, bound = _largest(np.where(fits[:, None], pieces, 0.0), t)
    fit = np.maximum(bound, 0.0) + rounding * (1 + 1e-6)  # the sizes above are float sums of positive terms
    upper = (np.sqrt(fit) + np.sqrt(noise) * (1 + 1e-6)) ** 2 * (1 + 16 * UNIT) + TINY
    return np.where(fits, where, 0.0), np.where(fits, value, -np.inf), np.where(fits, upper, np.inf)


def _chunk(
    net: Any, sample: Any, rows: slice, W0: Array, V0: Array, W1: Array, V1: Array, sizes_of: list[Array]
) -> tuple[Array, Array, Array, tuple[Array, Array, Array]]:
    """One chunk of C samples: quartics (5, S) at t = 0, switch times (S, E), changes of the quartics (5, S, E) there.

    A segment with fewer than E switches is filled up with changes by zero at t = 1. Last, what bounds the rounding, (S,) each:
    sums of absolute values of the squares at t = 0, of all squares formed, E eps^2.
    """
    X, Y, weights = net.augment(sample.X[rows]), sample.Y[rows], sample.weights[rows]
    S, m = len(W0), net.widths[1]
    p0, p1 = X @ W0.swapaxes(1, 2), X @ W1.swapaxes(1, 2)
    dp = p1 - p0
    v0, dv = V0[..., :m], V1[..., :m] - V0[..., :m]
    on = np.ones_like(p0) if net.activation == "identity" else ((p0 > 0) | ((p0 == 0) & (p1 > 0))).astype(float)
    a, b = p0 * on, dp * on
    v, dvt = v0.swapaxes(1, 2), dv.swapaxes(1, 2)
    q = np.stack([a @ v - Y, b @ v + a @ dvt, b @ dvt])  # (3, S, C, n_out)
    if net.bias:
        q[0] += V0[:, None, :, -1]
        q[1] += (V1[..., -1] - V0[..., -1])[:, None]
    base = _square(q).sum(axis=-1) @ weights
    start_size = (np.abs(q).sum(axis=0) ** 2).sum(axis=-1) @ weights
    noise = (_noise(net, X, Y, p0, p1, *sizes_of) ** 2).sum(axis=-1) @ weights
    if net.activation == "identity":
        return base, np.zeros((S, 0)), np.zeros((5, S, 0)), (start_size, start_size, noise)
    # A row is a sample of a segment. Pad its switches to a rectangle (R, k), in order of time: prefix sums run along rows.
    p0, dp = p0.reshape(-1, m), dp.reshape(-1, m)
    p1 = p1.reshape(-1, m)
    i, j = np.nonzero(((p0 < 0) & (p1 > 0)) | ((p0 > 0) & (p1 < 0)))
    p, d = p0[i, j], dp[i, j]
    t = np.clip(-p / d, 0.0, 1.0)
    R = len(p0)
    counts = np.bincount(i, minlength=R)
    k = int(counts.max(initial=0))
    place = np.arange(i.size) - np.repeat(np.cumsum(counts) - counts, counts)
    grid = np.full((R, k), np.inf)
    grid[i, place] = t
    source = np.zeros((R, k), dtype=np.intp)
    source[i, place] = np.arange(i.size)
    ranks = np.argsort(grid, axis=1, kind="stable")
    valid = np.arange(k) < counts[:, None]
    event = np.take_along_axis(source, ranks, axis=1)[valid]  # switches in (segment, sample, time) order
    p, d, unit, t, segment = p[event], d[event], j[event], t[event], i // len(X)
    turn = np.sign(d)
    each = weights[i % len(X)]
    jump = np.zeros((5, event.size))
    square_size = start_size
    for o in range(sample.n_out):
        v, w = turn * v0[segment, o, unit], turn * dv[segment, o, unit]
        state = np.zeros((3, R, k + 1))
        state[:, :, 0] = q[..., o].reshape(3, R)
        state[:, :, 1:][:, valid] = np.stack([v * p, v * d + w * p, w * d])
        np.cumsum(state, axis=2, out=state)
        after, before = state[:, :, 1:][:, valid], state[:, :, :-1][:, valid]
        jump += _square(after) - _square(before)
        formed = each * (np.abs(after).sum(axis=0) + np.abs(before).sum(axis=0)) ** 2
        square_size = square_size + np.bincount(segment, formed, S)
    jump *= each
    if S == 1:
        return base, t[None], jump[:, None], (start_size, square_size, noise)
    count = np.bincount(segment, minlength=S)
    filled = np.arange(count.max(initial=0)) < count[:, None]
    times, jumps = np.ones(filled.shape), np.zeros((5, *filled.shape))
    times[filled], jumps[:, filled] = t, jump
    return base, times, jumps, (start_size, square_size, noise)


def _noise(net: Any, X: Array, Y: Array, p0: Array, p1: Array, W: Array, V: Array) -> Array:
    """eps (S, C, n_out) of the module's docstring; W, V bound the weights on the whole segments."""
    n, m = net.widths[0], net.widths[1]
    A = np.abs(X) @ W.swapaxes(1, 2) + TINY
    p = np.maximum(np.abs(p0), np.abs(p1))
    if net.activation == "relu":
        live = np.maximum(p0, p1) > -4 * gamma(n + 8) * A
        A, p = A * live, p * live
    bias = V[:, None, :, m:].sum(axis=-1)
    outgoing = V[..., :m].swapaxes(1, 2)
    rest = 28 * gamma(2 * m + 12) * (np.abs(Y) + p @ outgoing + bias)
    return 8 * gamma(n + 8) * (A @ outgoing + bias) + rest + TINY


def _square(q: Array) -> Array:
    """Coefficients (5, ...) of the square of quadratics (3, ...)."""
    a, b, c = q
    return np.stack([a * a, 2 * (a * b), 2 * (a * c) + b * b, 2 * (b * c), c * c])


def _penalty(risk: Risk, starts: Array, ends: Array, size: Array) -> tuple[Array, Array, Array, Array]:
    """kappa R along slabs: quartics (5, S) at t = 0, switch times (S, E) of |.|, changes (5, S, E), sums of absolute values (S,)."""
    S = len(starts)
    base, none = np.zeros((5, S)), (np.zeros((S, 0)), np.zeros((5, S, 0)))
    if risk.penalty is None or risk.kappa == 0:
        return base, *none, np.zeros(S)
    if risk.penalty == "ridge":
        d = ends - starts
        base[:3] = risk.kappa * np.stack([(x * y).sum(axis=1) for x, y in ((starts, starts), (2 * starts, d), (d, d))])
        return base, *none, risk.kappa * (((size + np.abs(d)) ** 2).sum(axis=1) + TINY)
    v0, v1 = (thetas[:, risk.network.slices[1]] for thetas in (starts, ends))
    d = v1 - v0
    total = risk.kappa * 3 * (size[:, risk.network.slices[1]] + np.abs(d)).sum(axis=1)
    sign = np.where(v0 != 0, np.sign(v0), np.sign(v1))
    base[0], base[1] = risk.kappa * (sign * v0).sum(axis=1), risk.kappa * (sign * d).sum(axis=1)
    turns = np.sign(v0) * np.sign(v1) < 0
    jump = np.zeros((5, *v0.shape))
    jump[0], jump[1] = 2 * risk.kappa * np.sign(d) * v0 * turns, 2 * risk.kappa * np.abs(d) * turns
    return base, np.where(turns, np.clip(-v0 / np.where(turns, d, 1.0), 0.0, 1.0), 1.0), jump, total


def _running_sums(changes: Array) -> Array:
    """Cumulative sums along the last axis in three levels, so that k terms meet about 3 k^(1/3) roundings, not k."""
    k = changes.shape[-1]
    side = int(np.ceil(max(k, 1) ** (1 / 3)))
    flat = np.zeros((*changes.shape[:-1], side**3))
    flat[..., :k] = changes
    cube: Array = flat.reshape(-1, side, side, side)
    np.cumsum(cube, axis=-1, out=cube)
    rows = np.cumsum(cube[..., -1], axis=-1)
    planes = np.cumsum(rows[..., -1], axis=-1)
    cube[..., 1:, :] += rows[..., :-1, None]
    cube[:, 1:] += planes[:, :-1, None, None]
    return cube.reshape(flat.shape)[..., :k]


def _largest(pieces: Array, t: Array) -> tuple[Array, Array, Array]:
    """The maxima of quartics (5, S, k) over [t_k, t_{k+1}], t (S, k + 1): where, values there, and bounds from Bernstein form."""
    S = len(t)
    values = _horner(pieces, t[:, :-1])
    first, last = values.argmax(axis=1), _horner(pieces[..., -1], t[:, -1])
    inside = values[np.arange(S), first]
    where, value = np.where(inside >= last, t[np.arange(S), first], 1.0), np.maximum(inside, last)
    b = _bernstein(pieces, t[:, :-1], np.diff(t, axis=1)).reshape(5, -1)
    lo, hi, of = t[:, :-1].ravel(), t[:, 1:].ravel(), np.repeat(np.arange(S), t.shape[1] - 1)
    decided = value.copy()
    for _ in range(64):
        top, scale = b.max(axis=0), np.zeros(S)
        np.maximum.at(scale, of, np.abs(b).max(axis=0))
        keep = top > (value + 32 * UNIT * scale)[of]
        np.maximum.at(decided, of[~keep], top[~keep])
        if not keep.any():
            return where, value, decided
        b, lo, hi, of = b[:, keep], lo[keep], hi[keep], of[keep]
        left, right = _halve(b)
        middle = 0.5 * (lo + hi)
        best = value.copy()
        np.maximum.at(best, of, right[0])
        up = np.flatnonzero((right[0] == best[of]) & (right[0] > value[of]))[
            ::-1
        ]  # the first of equals is written last
        where[of[up]], value[of[up]] = middle[up], right[0, up]
        b = np.concatenate([left, right], axis=1)
        lo, hi, of = np.concatenate([lo, middle]), np.concatenate([middle, hi]), np.concatenate([of, of])
    np.maximum.at(decided, of, b.max(axis=0))
    return where, value, decided


def _horner(c: Array, t: Any) -> Any:
    return (((c[4] * t + c[3]) * t + c[2]) * t + c[1]) * t + c[0]


def _bernstein(c: Array, t: Array, h: Array) -> Array:
    """Bernstein coefficients (5, k) of quartics over [t, t + h]: all of them bound the quartic from above by their max."""
    d0 = _horner(c, t)
    d1 = h * (((4 * c[4] * t + 3 * c[3]) * t + 2 * c[2]) * t + c[1])
    d2 = h**2 * ((6 * c[4] * t + 3 * c[3]) * t + c[2])
    d3 = h**3 * (4 * c[4] * t + c[3])
    d4 = h**4 * c[4]
    return np.stack(
        [
            d0,
            d0 + d1 / 4,
            d0 + d1 / 2 + d2 / 6,
            d0 + 3 * d1 / 4 + d2 / 2 + d3 / 4,
            d0 + d1 + d2 + d3 + d4,
        ]
    )


def _halve(b: Array) -> tuple[Array, Array]:
    """De Casteljau: Bernstein coefficients on the left and right half."""
    left, right = [b[0]], [b[-1]]
    while len(b) > 1:
        b = 0.5 * (b[:-1] + b[1:])
        left.append(b[0])
        right.append(b[-1])
    return np.stack(left), np.stack(right[::-1])


def _chunks(samples: int, width: int) -> list[slice]:
    step = max(1, SWITCHES // (4 * (width + 1)))
    return [slice(i, min(i + step, samples)) for i in range(0, samples, step)]
