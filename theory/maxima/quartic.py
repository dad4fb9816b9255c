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
BATCH = (
    9_000  # (sample, unit) pairs of the segments that are taken together: their arrays stay in the cache, and in use
)
ROW = 64  # running sums are formed in rows of so many
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
    t, upper, value = parts[0] if len(parts) == 1 else (np.concatenate([part[k] for part in parts]) for k in range(3))
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
    size = np.maximum(np.abs(starts), np.abs(ends))
    if slabs == 1 and (lo, hi) == (0.0, 1.0):
        with np.errstate(over="ignore", invalid="ignore"):
            where, value, upper = _slab(risk, starts, ends, size)
        return where, upper, value
    t, value, upper = (np.full(len(starts), start) for start in (lo, -np.inf, 0.0))
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
    edge = np.zeros((len(starts), 1))
    order += np.arange(len(starts))[:, None] * order.shape[1]
    t = t.ravel()[order]
    pieces = np.empty((5, len(starts), order.shape[1] + 1))
    pieces[..., 0] = base
    for sorted_, coefficients in zip(pieces, changes):
        sorted_[:, 1:] = coefficients.ravel()[order]
    t = np.concatenate([edge, t, edge + 1.0], axis=1)
    change_size = np.abs(changes).sum(axis=(0, 2))
    fits = start_size + square_size + noise + change_size + penalty_size <= LARGEST
    # Squares and their differences; dot products over samples and parameters; running sums; at most 64 halvings of four
    # roundings each; Horner and Bernstein form.
    rounding: Array = gamma(2 * sample.n_out + 32) * square_size
    rounding += gamma(len(sample) + net.size + len(chunks) + 64) * (start_size + penalty_size)
    rounding += gamma(_roundings(t.shape[1]) + 512) * (change_size + start_size + penalty_size)
    del changes
    pieces = _running_sums(pieces)
    where, value, bound = _largest(pieces if fits.all() else np.where(fits[:, None], pieces, 0.0), t)
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
    q = np.empty((3, S, len(X), sample.n_out))
    q[0], q[1], q[2] = a @ v - Y, b @ v + a @ dvt, b @ dvt
    if net.bias:
        q[0] += V0[:, None, :, -1]
        q[1] += (V1[..., -1] - V0[..., -1])[:, None]
    base = _product(q, q).sum(axis=-1) @ weights
    start_size = (np.abs(q).sum(axis=0) ** 2).sum(axis=-1) @ weights
    noise = (_noise(net, X, Y, p0, p1, *sizes_of) ** 2).sum(axis=-1) @ weights
    if net.activation == "identity":
        return base, np.zeros((S, 0)), np.zeros((5, S, 0)), (start_size, start_size, noise)
    # A row is a sample of a segment. Pad its switches to a rectangle (R, k), in order of time: prefix sums run along rows.
    p0, p1, dp, R = p0.ravel(), p1.ravel(), dp.ravel(), S * len(X)
    pair = np.flatnonzero(((p0 < 0) & (p1 > 0)) | ((p0 > 0) & (p1 < 0)))
    row = pair // m
    t = np.fmin(-p0[pair] / dp[pair], 1.0)  # NaN where they overflow, and nothing is known
    counts = np.bincount(row, minlength=R)
    first, k = np.cumsum(counts) - counts, int(counts.max(initial=0))
    place = np.arange(pair.size) + (np.arange(R) * k - first)[row]  # in the rectangle
    grid = np.full(R * k, np.inf)
    grid[place] = t
    ranks = np.argsort(grid.reshape(R, k), axis=1, kind="stable").ravel()
    event = first[row] + ranks[place]  # switches in (segment, sample, time) order
    pair, t, segment = pair[event], t[event], row // len(X)
    p, d, unit = p0[pair], dp[pair], segment * m + pair % m
    turn, each, place = np.sign(d), weights[row % len(X)], place + row  # rows begin with the quadratic at t = 0
    after = place + 1
    jump = np.zeros((5, pair.size))
    square_size = start_size
    change, both = np.empty((2, 3, pair.size))
    for o in range(sample.n_out):
        v, w = turn * v0[:, o].ravel()[unit], turn * dv[:, o].ravel()[unit]
        change[0], change[1], change[2] = v * p, v * d + w * p, w * d
        state = np.zeros((3, R, k + 1))
        state[..., 0] = q[..., o].reshape(3, R)
        flat = state.reshape(3, -1)
        for coefficients, changes in zip(flat, change):
            coefficients[after] = changes
        np.cumsum(state, axis=2, out=state)
        for r, coefficients in enumerate(flat):
            both[r] = coefficients[place] + coefficients[after]
        # a^2 - b^2 = (a - b)(a + b), and a - b is `change` up to one rounding of a: far within what is allowed for `formed`
        jump += _product(change, both)
        size = np.abs(flat).sum(axis=0)
        formed = each * (size[place] + size[after]) ** 2
        square_size = square_size + np.bincount(segment, formed, S)
    jump *= each
    if S == 1:
        return base, t[None], jump[:, None], (start_size, square_size, noise)
    count = np.bincount(segment, minlength=S)
    E = int(count.max(initial=0))
    place = np.arange(pair.size) + (np.arange(S) * E - np.cumsum(count) + count)[segment]
    times, jumps = np.ones(S * E), np.zeros((5, S * E))
    times[place] = t
    for coefficients, changes in zip(jumps, jump):
        coefficients[place] = changes
    return base, times.reshape(S, E), jumps.reshape(5, S, E), (start_size, square_size, noise)


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


def _product(q: Array, r: Array) -> Array:
    """Coefficients (5, ...) of the product of quadratics (3, ...)."""
    (a, b, c), (d, e, f) = q, r
    out = np.empty((5, *a.shape))
    out[0], out[1], out[2], out[3], out[4] = a * d, a * e + b * d, a * f + b * e + c * d, b * f + c * e, c * f
    return out


def _penalty(risk: Risk, starts: Array, ends: Array, size: Array) -> tuple[Array, Array, Array, Array]:
    """kappa R along slabs: quartics (5, S) at t = 0, switch times (S, E) of |.|, changes (5, S, E), sums of absolute values (S,)."""
    S = len(starts)
    base, none = np.zeros((5, S)), (np.zeros((S, 0)), np.zeros((5, S, 0)))
    if risk.penalty is None or risk.kappa == 0:
        return base, *none, np.zeros(S)
    if risk.penalty == "ridge":
        d = ends - starts
        for k, (x, y) in enumerate(((starts, starts), (2 * starts, d), (d, d))):
            base[k] = risk.kappa * (x * y).sum(axis=1)
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
    """Cumulative sums along the last axis, in rows of ROW, so that a sum meets `_roundings` of them, not k."""
    k = changes.shape[-1]
    if k <= 2 * ROW:
        return np.cumsum(changes, axis=-1)
    rows = -(-k // ROW)
    flat = np.zeros((*changes.shape[:-1], rows * ROW))
    flat[..., :k] = changes
    table = flat.reshape(*changes.shape[:-1], rows, ROW)
    np.cumsum(table, axis=-1, out=table)
    table[..., 1:, :] += _running_sums(table[..., :-1, -1])[..., None]
    return flat[..., :k]


def _roundings(k: int) -> int:
    """How many roundings a term of k running sums meets at most."""
    return k if k <= 2 * ROW else ROW + 1 + _roundings(-(-k // ROW))


def _largest(pieces: Array, t: Array) -> tuple[Array, Array, Array]:
    """The maxima of quartics (5, S, k) over [t_k, t_{k+1}], t (S, k + 1): where, values there, and bounds.

    A piece q that stays below the best value is left out at once, as max q <= max of its ends + h^2 max |q''| / 8; the others are bounded
    by their Bernstein form, and halved while that does not decide.
    """
    row, left, right = np.arange(len(t)), t[:, :-1], t[:, 1:]
    values, ends = _horner(pieces, left), _horner(pieces, right)
    first, last = values.argmax(axis=1), ends[:, -1]
    inside, h = values[row, first], right - left
    where, value = np.where(inside >= last, t[row, first], 1.0), np.maximum(inside, last)
    bend = 0.25 * np.abs(pieces[2]) + 0.75 * np.abs(pieces[3]) + 1.5 * np.abs(pieces[4])  # t <= 1
    of, k = np.nonzero(np.maximum(values, ends) + h * h * bend > value[:, None])
    lo, hi, decided = left[of, k], right[of, k], value.copy()
    b = _bernstein(pieces[:, of, k], lo, h[of, k])
    for _ in range(64):
        top, scale = b.max(axis=0), np.zeros(len(t))
        np.maximum.at(scale, of, np.abs(b).max(axis=0))
        keep = top > (value + 32 * UNIT * scale)[of]
        drop = ~keep
        np.maximum.at(decided, of[drop], top[drop])
        if not keep.any():
            return where, value, decided
        b, lo, hi, of = b[:, keep], lo[keep], hi[keep], of[keep]
        halves = _halve(b)
        middle, seen = 0.5 * (lo + hi), halves[0, 1]
        best = value.copy()
        np.maximum.at(best, of, seen)
        up = np.flatnonzero((seen == best[of]) & (seen > value[of]))[::-1]  # the first of equals is written last
        where[of[up]], value[of[up]] = middle[up], seen[up]
        b = halves.reshape(5, -1)
        lo, hi, of = np.concatenate([lo, middle]), np.concatenate([middle, hi]), np.concatenate([of, of])
    np.maximum.at(decided, of, b.max(axis=0))
    return where, value, decided


def _horner(c: Array, t: Any) -> Any:
    value = c[4] * t
    for k in (3, 2, 1):
        value += c[k]
        value *= t
    value += c[0]
    return value


def _bernstein(c: Array, t: Array, h: Array) -> Array:
    """Bernstein coefficients (5, k) of quartics over [t, t + h]: all of them bound the quartic from above by their max.

    Taylor coefficients at t by Horner's scheme, times h^i / C(4, i), are the forward differences of those of Bernstein.
    """
    x = c[4] * t
    f3 = c[3] + x
    f2 = c[2] + f3 * t
    f1 = c[1] + f2 * t
    f0 = c[0] + f1 * t
    f3 = f3 + x
    f2 = f2 + f3 * t
    f1 = f1 + f2 * t
    f3 = f3 + x
    f2 = f2 + f3 * t
    h2 = h * h
    step = np.array([f0, f1 * h / 4, f2 * h2 / 6, (f3 + x) * (h2 * h) / 4, c[4] * (h2 * h2)])
    b = step.copy()
    for k in range(1, 5):
        step = step[:-1] + step[1:]
        b[k] = step[0]
    return b


def _halve(b: Array) -> Array:
    """De Casteljau: Bernstein coefficients (5, 2, k) on the left and right halves, from (5, k)."""
    halves = np.empty((5, 2, b.shape[1]))
    for k in range(5):
        halves[k, 0], halves[4 - k, 1] = b[0], b[-1]
        b = 0.5 * (b[:-1] + b[1:])
    return halves


def _chunks(samples: int, width: int) -> list[slice]:
    step = max(1, SWITCHES // (4 * (width + 1)))
    return [slice(i, min(i + step, samples)) for i in range(0, samples, step)]
