"""What a risk (eqs 1, 2) can be on a cell of a straight segment: first-order Taylor models with a rigorous remainder.

On the cell t = t_c + d, |d| <= rho, of the segment theta(t) = (1 - t) theta_0 + t theta_1, every intermediate
quantity of the forward pass is kept as a triple (c, s, e) with

    | h(t) - c - s d | <= e    for all |d| <= rho, in exact arithmetic:

c its centre, s its slope, e >= 0 what is left: curvature, kinks of relu, and every rounding (a priori, `rounding`).
A product W(t) h(t) adds d^2 (W' s) to the remainder, a smooth activation the range of its second derivative, a relu
whose sign is undecided the height of its kink. So e = O(rho^2) (for relu: as rho times the number of kinks inside),
and the largest loss of an output within e of c + s d is convex in d, for every loss that is convex in the output
(`theory.losses`): the bound on the risk is attained at the cell's ends. With rho = 0 the same pass bounds the rounding of
a point evaluation, from both sides.

Backward. The remainder obeys err -> factor (W(t_c) err) + made, step by step, |made| known: so of K >= 3 layers that of the
outputs is sum_k |J_k| made_k, J_k the product of the factors and matrices above step k, which is never above what the forward
pass finds, sum_k M_k made_k with M_k that product of absolute values. J_k in floats is within gamma(n) M_k of J_k, n the
sum of all widths; so gamma(n) times the forward remainder covers the rounding of every J_k at once, and that of the sum.
(A product in J_k that underflows is off by SUBNORMAL / 2, and by no more than that times the forward remainder behind step k
in the end: TINY times the sum of those covers it.) In between, the forward remainder still decides which relus are open.

Underflow. A product loses at most SUBNORMAL / 2, in a centre and, times rho <= 1 or the radius r_j of a group, in a
slope. TINY (1 + sum_j r_j) in every remainder before an activation covers that, and what the activation loses: its own
allowance of 4 u times the interval's radius is at least 4 u TINY (1 + sum_j r_j), some 10^7 (1 + sum_j r_j) SUBNORMAL.
TINY in `size` does the same for weights: 4 gamma(n + 8) (|theta_0| + |theta_1| + TINY) is far above SUBNORMAL, so that
neither the rounding of W and D nor that of rho |D| escapes through a huge h. (Where rho^2 underflows, rho < u, and
rho^2 |W' s| is less than the 36 u |W'| |rho s| that rounding is allowed anyway; likewise rho r_j.)

Inputs in groups (`theory.maxima.neighbourhoods`), x = x_c + delta, are as many more variables beside d: one slope for
each delta_j, and d delta_j in the remainder of a product. A group costs what one input costs; its samples read off its
output at their delta.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from theory.maxima import neighbourhoods
from theory.maxima.neighbourhoods import Inputs, Moments
from theory.networks import Network
from theory.numerics import LIBM, SLAB, TINY, UNIT, Array, gamma
from theory.risk import Risk

# sigma; sigma'' as a cubic of v = sigma(z); the v where that is stationary; a bound on |sigma''|;
# and one on |sigma''| / sigma'.
_CURVATURE: dict[str, tuple[Any, Any, tuple[float, float], float, float]] = {
    "tanh": (
        np.tanh,
        lambda v: -2 * v * (1 - v * v),
        (-1 / np.sqrt(3.0), 1 / np.sqrt(3.0)),
        0.7699,  # above 4 / (3 sqrt 3)
        2.0,
    ),
    "sigmoid": (
        lambda z: 0.5 + 0.5 * np.tanh(0.5 * z),
        lambda v: v * (1 - v) * (1 - 2 * v),
        (0.5 - np.sqrt(3.0) / 6, 0.5 + np.sqrt(3.0) / 6),
        0.09623,  # above sqrt(3) / 18
        1.0,
    ),
}
PAYS = 32  # the backward bound pays from so many (hidden units times layers above them) for each output: measured
BLOCK = 8_000  # numbers in one array: cells times samples times units; small enough for the cache


class TaylorModel(NamedTuple):
    """A quantity on a batch of cells: centre and remainder (B, N, n), and one slope (B, N, n) for d and each delta_j."""

    centre: Array
    slopes: list[Array]
    rest: Array


class RemainderStep(NamedTuple):
    """A layer as a remainder sees it: W^T err times the factor, what is added, and what that is at most in the end.

    W (B, n_below, n), the others (B, N, n).
    """

    W: Array
    factor: Array
    made: Array
    rest: Array


def upper_bounds(
    risk: Risk, theta_0: Array, theta_1: Array, lo: Array, hi: Array, inputs: Inputs | None = None
) -> Array:
    """Rigorous upper bounds on F over cells [lo, hi] of segments, one per cell.

    theta_0, theta_1 (B, P): the ends of the segment of each cell; lo <= hi (B,) in [0, 1]. With lo = hi the bound is
    on F at that point. inputs: those of the sample, in groups: cheaper, and looser by the network's curvature in x.
    Works in blocks of cells and samples. Never below the true maximum over the cell.
    """
    width, count = max(risk.network.widths), len(risk.sample) if inputs is None else len(inputs.centre)
    block = min(count, max(1, BLOCK // width)) if inputs is None else count
    cells = max(1, BLOCK // (block * width))
    if inputs is not None and risk.criterion.name != "squared":  # outputs are read off sample by sample
        cells = max(1, min(cells, SLAB // risk.sample.Y.size))
    parts = [
        _upper_bounds(
            risk, theta_0[i : i + cells], theta_1[i : i + cells], lo[i : i + cells], hi[i : i + cells], block, inputs
        )
        for i in range(0, len(lo), cells)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def point_bounds(risk: Risk, theta_0: Array, theta_1: Array, t: Array) -> tuple[Array, Array]:
    """Rigorous bounds on F at (1 - t) theta_0 + t theta_1, the lower (B,) first; theta_0, theta_1 (B, P), t (B,) in [0, 1].

    Works in blocks of points and samples. Where float64 overflows they are 0 and inf.
    """
    width = max(risk.network.widths)
    block = min(len(risk.sample), max(1, 8 * BLOCK // width))  # matrices are read anew for each block
    points = max(1, BLOCK // (block * width))
    parts = [
        _point_bounds(risk, theta_0[i : i + points], theta_1[i : i + points], t[i : i + points], block)
        for i in range(0, len(t), points)
    ]
    low, high = np.concatenate(parts, axis=1) if parts else np.zeros((2, 0))
    return low, high


def _upper_bounds(
    risk: Risk, theta_0: Array, theta_1: Array, lo: Array, hi: Array, block: int, inputs: Inputs | None
) -> Array:
    sample = risk.sample
    t = 0.5 * (lo + hi)
    rho = np.maximum(hi - t, t - lo) * (1 + 4 * UNIT)
    centre = (1 - t)[:, None] * theta_0 + t[:, None] * theta_1
    size = _size(theta_0, theta_1)
    signs = (-1.0, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        slope = theta_1 - theta_0
        fits = np.zeros((2, len(t)))
        if inputs is not None and risk.criterion.name == "squared":
            out = _propagate(risk.network, centre, slope, size, rho, inputs)
            fits += _squares(out, rho, inputs, neighbourhoods.moments_of(sample, inputs))
        else:
            for rows, fitted, step, rest in _fitted(risk, centre, slope, size, rho, block, inputs):
                for fit, sign in zip(fits, signs):
                    high = risk.criterion.upper(fitted + sign * step, rest, sample.Y[rows])
                    fit += high @ sample.weights[rows]
        if risk.R is not None:
            ends = np.stack([centre + (sign * rho)[:, None] * slope for sign in signs])
            fits += risk.kappa * risk.R.upper(ends, 8 * UNIT * size)
        worst = fits.max(axis=0) * (1 + gamma(len(sample) + 16)) + TINY
    return np.where(np.isnan(worst), np.inf, worst)  # overflow: inf - inf somewhere, nothing is known


def _point_bounds(risk: Risk, theta_0: Array, theta_1: Array, t: Array, block: int) -> Array:
    sample = risk.sample
    centre = (1 - t)[:, None] * theta_0 + t[:, None] * theta_1
    size, still = _size(theta_0, theta_1), np.zeros(len(t))
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = np.zeros((2, len(t)))
        for rows, fitted, _, rest in _fitted(risk, centre, np.zeros_like(centre), size, still, block, None):
            low += risk.criterion.lower(fitted, rest, sample.Y[rows]) @ sample.weights[rows]
            high += risk.criterion.upper(fitted, rest, sample.Y[rows]) @ sample.weights[rows]
        if risk.R is not None:
            low += risk.kappa * risk.R.lower(centre, 8 * UNIT * size)
            high += risk.kappa * risk.R.upper(np.stack([centre, centre]), 8 * UNIT * size)[0]
        slack = gamma(len(sample) + 16)
        low, high = low * (1 - slack) - TINY, high * (1 + slack) + TINY
    known = np.isfinite(low) & np.isfinite(high)
    return np.stack([np.where(known, np.maximum(low, 0.0), 0.0), np.where(known, high, np.inf)])


def _size(theta_0: Array, theta_1: Array) -> Array:
    """Bounds |theta(t)|, |slope| and, times 4 u, the rounding of both; inf, which bounds them as well, beyond the floats."""
    with np.errstate(over="ignore"):
        return np.abs(theta_0) + np.abs(theta_1) + TINY


def _fitted(
    risk: Risk, centre: Array, slope: Array, size: Array, rho: Array, block: int, inputs: Inputs | None
) -> Iterator[tuple[slice, Array, Array, Array]]:
    """Block by block of samples: which, and the outputs there as centre, rho times slope and remainder."""
    for i in range(0, len(risk.sample), block) if inputs is None else (0,):
        rows = slice(i, i + block) if inputs is None else slice(None)
        own = Inputs.single(risk.sample.X[rows]) if inputs is None else inputs
        fitted, step, rest = _outputs(_propagate(risk.network, centre, slope, size, rho, own), rho, own)
        yield rows, fitted, step, rest + 4 * UNIT * (np.abs(fitted) + np.abs(step)) + TINY


def _squares(out: TaylorModel, rho: Array, inputs: Inputs, moments: Moments) -> Array:
    """Bounds (2, B) on the mean square over all samples at both ends of each cell, from the moments of the groups.

    In a group the residuals are r_i = v . a_i, a_i = (1, delta_ij / r_j, y - Y_i) and v = (c +- rho s - y, r_j s_j, 1), up to e. So sum
    w_i (|r_i| + e)^2 <= (sqrt(v^T G v) + e sqrt(W))^2, G = sum w_i a_i a_i^T (Minkowski). Entries of G are within gamma(most + 4) sqrt(G_aa G_bb)
    of their floats, so v^T G v within gamma of (sum |v_a| sqrt(G_aa))^2; what underflows in G, or in that, is below
    1e-310 (1 + sum |v_a|)^2. Roundings of v and a are added to e.
    """
    first, *others = out.slopes
    step = rho[:, None, None] * first
    slopes = [np.broadcast_to(r[:, None] * s, out.centre.shape) for r, s in zip(inputs.radius, others)]
    reach = np.abs(out.centre) + np.abs(step) + np.abs(moments.target) + moments.spread + sum(map(np.abs, slopes))
    rest = out.rest * (1 + 8 * UNIT) + 4 * (len(slopes) + 4) * UNIT * reach + TINY
    size = len(slopes) + 2
    slack = gamma(moments.most + 2 * size * size + 32)
    lengths = np.sqrt(moments.gram[range(size), range(size)] * (1 + slack))
    weight = np.sqrt(moments.weight * (1 + slack))[:, None]
    found = []
    for sign in (-1.0, 1.0):
        v = [out.centre + sign * step - moments.target, *slopes, np.ones_like(out.centre)]
        square, norm, total = (np.zeros_like(out.centre) for _ in range(3))
        for a, left in enumerate(v):
            norm += np.abs(left) * lengths[a]
            total += np.abs(left)
            for b, right in enumerate(v):
                square += left * right * moments.gram[a, b]
        square = np.maximum(square, 0.0) + 2 * slack * norm**2 + 1e-310 * (1 + total) ** 2
        group = np.sqrt(square) * (1 + 4 * UNIT) + rest * weight * (1 + 4 * UNIT)
        found.append((group**2).sum(axis=(1, 2)) * (1 + gamma(group[0].size + 16)))
    return np.stack(found)


def _outputs(out: TaylorModel, rho: Array, inputs: Inputs) -> tuple[Array, Array, Array]:
    """Centre, rho times slope and remainder of the outputs at each sample, from those at the groups."""
    first, *others = out.slopes
    centre, rest = out.centre, out.rest * (1 + 8 * UNIT)
    step = rho[:, None, None] * first
    if others:
        reach = np.abs(centre) + sum(r[:, None] * np.abs(s) for r, s in zip(inputs.radius, others))
        rest = rest + 4 * (len(others) + 2) * UNIT * reach  # of the sum that follows, and of the offsets
        centre, step, rest = (part[:, inputs.group] for part in (centre, step, rest))
        others = [np.broadcast_to(s, out.centre.shape)[:, inputs.group] for s in others]  # constant in linear nets
        centre = centre + sum(d[:, None] * s for d, s in zip(inputs.offset, others))
    return centre, step, rest


def _propagate(network: Network, centre: Array, slope: Array, size: Array, rho: Array, inputs: Inputs) -> TaylorModel:
    """The forward pass on (c, s, e); everything is (B, N, n) and rho (B,)."""
    rho = rho[:, None, None]
    radii = [rho, *(r[None, :, None] for r in inputs.radius)]
    x = network.augment(inputs.centre)[None]
    blank = np.zeros((1, 1, x.shape[-1]))
    axes = np.eye(len(radii) - 1, x.shape[-1])[:, None, None]
    h = TaylorModel(x, [blank, *axes], blank)
    tiny = TINY * (1 + sum(radii[1:]))  # slopes that underflow count as much as the inputs are wide
    point = not rho.any() and len(radii) == 1  # nothing moves: only rounding is left
    backward = not point and PAYS * network.widths[-1] <= min(network.widths[1:-1], default=0) * (network.depth - 2)
    matrices = zip(network.weights(centre), network.weights(slope), network.weights(size))
    steps = []
    for k, (W, D, size_k) in enumerate(matrices, start=1):
        W, D, A = (np.swapaxes(M, -1, -2) for M in (W, D, size_k))
        # (W + d D)(c + s d + err): every product and sum of n terms is within gamma_n of its absolute value;
        # 4 gamma_{n+8} covers the three products, the shift, the rounding of W and D and of what is added to the remainder.
        g = 4 * gamma(W.shape[-2] + 8)
        name = network.rho(k).name
        if point:
            rest = (h.rest @ np.abs(W)) * (1 + 2 * g) + (np.abs(h.centre) + h.rest) @ (g * A) + tiny
            z = TaylorModel(h.centre @ W, [np.zeros((1, 1, W.shape[-1]))], rest)
            h = _seen(network, k, _activate(name, z, radii)[0])
            continue
        first, *others = h.slopes
        bend = 0.5 * rho**2 * (first @ D)
        slopes = [h.centre @ D + first @ W, *(s @ W for s in others)]
        reach = np.abs(h.centre) + h.rest + rho * np.abs(first)
        made = np.abs(bend) + tiny
        for r, s in zip(radii[1:], others):
            reach, made = reach + r * np.abs(s), made + (rho * r) * np.abs(s @ D)
        made = made + reach @ (g * A)
        kept, bent = (1 + 2 * g) * np.abs(W), (1 + 2 * g) * rho * np.abs(D)
        if backward:
            made = made + h.rest @ bent
            rest = h.rest @ kept + made
        else:
            rest = h.rest @ (kept + bent) + made
        h, factor, lost = _activate(name, TaylorModel(h.centre @ W + bend, slopes, rest), radii)
        steps.append(RemainderStep(W, factor, lost + factor * made, h.rest))
        h = _seen(network, k, h)
    return h._replace(rest=np.minimum(h.rest, _backward(steps, h.rest))) if backward else h


def _backward(steps: list[RemainderStep], forward: Array) -> Array:
    """The remainder of the outputs (B, N, n_out), what every step made carried to them by the product of the steps above.

    forward: the same with every matrix replaced by its absolute values.
    """
    count = sum(step.W.shape[-2] + 4 for step in steps)
    *below, last = steps
    rests = []
    for o in range(last.W.shape[-1]):
        total = last.made[..., o]
        carrier = last.factor[..., o, None] * last.W[..., None, :, o]
        for step in reversed(below):
            carrier = carrier[..., : step.made.shape[-1]]  # a bias below has no remainder
            total = total + (np.abs(carrier) * step.made).sum(axis=-1) + TINY * step.rest.sum(axis=-1)
            if step is not below[0]:
                carrier = (carrier * step.factor) @ np.swapaxes(step.W, -1, -2)
        rests.append(total)
    return np.stack(rests, axis=-1) * (1 + gamma(count)) + 2 * gamma(count) * forward


def _seen(network: Network, k: int, h: TaylorModel) -> TaylorModel:
    """The features of layer k as the next matrix sees them."""
    if network.bias and k < network.depth:
        return TaylorModel(network.augment(h.centre), [_pad(s) for s in h.slopes], _pad(h.rest))
    return h


def _pad(part: Array) -> Array:
    return np.concatenate([part, np.zeros_like(part[..., :1])], axis=-1)


def _activate(name: str, z: TaylorModel, radii: list[Array]) -> tuple[TaylorModel, Array, Array]:
    """The features of z; by what its remainder was multiplied, and what was added to that."""
    if name == "identity":
        return z, np.ones_like(z.rest), np.zeros_like(z.rest)
    radius = z.rest
    for r, s in zip(radii, z.slopes):
        radius = radius + r * np.abs(s)
    radius = radius * (1 + 4 * (len(radii) + 2) * UNIT)
    centre, factor, made = _relu(z, radius) if name == "relu" else _smooth(name, z, radius)
    rest = factor * z.rest + made
    return TaylorModel(centre, [factor * s for s in z.slopes], rest), factor, made


def _relu(z: TaylorModel, radius: Array) -> tuple[Array, Array, Array]:
    """Active, dead, or on [l, u] with l < 0 < u: 0 <= relu(z) - a z <= max((1 - a) u, -a l) for any a in [0, 1].

    Centre, a, and what is added to a z.rest. z.rest >= TINY (1 + sum of the radii of groups), as `_propagate` leaves it, or
    the model's own underflow is not covered.
    """
    above, below = radius + z.centre, radius - z.centre
    a = np.clip(above / (2 * radius), 0.0, 1.0)  # 1 where below <= 0, 0 where above <= 0
    height = 0.5 * np.maximum((1 - a) * above, a * below) * (1 + 8 * UNIT)
    blur = (
        16 * UNIT * radius * ((above > 0) & (below > 0))
    )  # rounding of a z, |z.centre| <= radius, and of what is added
    return a * z.centre + height, a, height + blur


def _smooth(name: str, z: TaylorModel, radius: Array) -> tuple[Array, Array, Array]:
    """sigma(z) = sigma(z_c) + sigma'(z_c)(z - z_c) + sigma''/2 (z - z_c)^2, sigma'' in [low, high] on the interval.

    Centre, sigma'(z_c), and what is added to sigma' z.rest. sigma'' is a cubic p of v = sigma(z), and |v - s| <= reach
    with s = sigma(z_c): so p is expanded about s, which is known. Only where the interval is wide is sigma evaluated at its
    two ends.
    """
    sigma, p, stationary, peak, rate = _CURVATURE[name]
    s = sigma(z.centre)
    # p at s, the size of its first and second Taylor coefficients there; the third is 2 for both
    if name == "tanh":
        first = 1 - s * s
        centre, tilt, bend = -2 * s * first, np.abs(4 - 6 * first), 6 * np.abs(s)
    else:
        first, u = s * (1 - s), 1 - 2 * s
        centre, tilt, bend = first * u, np.abs(1 - 6 * first), 3 * np.abs(u)
    # sigma' grows at most by `peak` and, relatively, by `rate` per unit of z; the latter tells where units are saturated.
    grown = rate * radius
    mean = np.minimum(first + 0.5 * peak * radius, (first + 4 * LIBM) * (1 + grown * (0.5 + 0.25 * grown)))
    reach = radius * mean + 8 * LIBM
    spread = ((2 * reach + bend) * reach + tilt) * reach + 16 * LIBM
    # 0 belongs to the range because the square ranges over [0, radius^2]
    low, high = centre - spread, centre + spread
    np.minimum(np.maximum(low, -peak, out=low), 0.0, out=low)
    np.maximum(np.minimum(high, peak, out=high), 0.0, out=high)
    wide = grown > 1
    if wide.any():
        middle, half = z.centre[wide], radius[wide]
        ends = _range(p, sigma(middle - half) - LIBM, sigma(middle + half) + LIBM, stationary)
        low[wide], high[wide] = np.minimum(ends[0], 0.0), np.maximum(ends[1], 0.0)
    quarter = 0.25 * radius * radius
    made = quarter * (high - low) * (1 + 16 * UNIT) + 2 * LIBM * (1 + 2 * radius)
    return s + quarter * (high + low), first, made


def _range(function: Any, left: Array, right: Array, stationary: tuple[float, float]) -> tuple[Array, Array]:
    """Lower and upper bounds of a cubic with the two given stationary points over [left, right]; 8 LIBM for rounding."""
    at_left, at_right = function(left), function(right)
    low, high = np.minimum(at_left, at_right), np.maximum(at_left, at_right)
    for v in stationary:
        inside = (left <= v) & (v <= right)
        low = np.where(inside, np.minimum(low, function(v)), low)
        high = np.where(inside, np.maximum(high, function(v)), high)
    return low - 8 * LIBM, high + 8 * LIBM
