"""Every unit of a piecewise linear net on a window of a segment, enclosed: affine in t, and a remainder bounded backward.

On the window t = m + h s, |s| <= 1, of theta(t) = (1 - t) theta_0 + t theta_1 every unit is, in exact arithmetic and for the
real numbers that the parameters and images are,

    x(s) = c + s d + rho(s),    |rho(s)| <= r.

What a layer does to that (sizes S = max(|theta_0|, |theta_1|) of its n weights into a unit, S_b of its bias):

- `Conv`, `Dense`: with W(s) = W + s D, the centre becomes W c + b + D d / 2, the slope W d + D c + b', since
  s^2 D d = D d / 2 +- |D d| / 2; the remainder W rho, and besides at most |D| r + |D d| / 2.
- `Pool`: the candidate i of the largest centre, plus [0, delta], delta the largest max(0, c_j - c_i + |d_j - d_i| + r_j + r_i).
- `Relu`: of an interval [l, u] across 0, a x + [0, max((1 - a) u, -a l)] for any a in [0, 1] (`theory.maxima.taylor_models`).

Below, model is the net, own the weights of one layer (None where it has no parameters), form what stands in front of a layer,
x (N, ...) images there, and found what `enclose` says of the scores.

So rho obeys rho -> A rho + e, A linear and |e| <= `made`, layer by layer. Forward, r -> |A| r + made. Backward, the
remainder of a difference of two scores g . x is at most sum |g_k| made_k, g_k = A_{k+1}^T ... A_K^T g: one product with
transposed layers, and no absolute values of sums. Forward remainders decide the kinks, backward ones the answer.

Rounding (float64 to nearest, u = 2^-53, gamma_n = n u / (1 - n u); dot products of n terms in any order, fused or not, are
within gamma_n of their absolute value: Higham, *Accuracy and Stability of Numerical Algorithms*, SIAM 2002, ch. 3).

1. Weights. m is dyadic and 1 - m exact; h is a power of two or 0. W^ = fl((1 - m) theta_0 + m theta_1) is within 3 u S of W, and
   D^ = fl(h fl(theta_1 - theta_0)) within 2 u S of D; |W|, |D| <= S, as 2 h <= 1. (2^-1074 of underflow is within u S: TINY is
   added to S.) W^ and D^ are the matrices of A above: W - W^ counts as made.
2. With X = |c| + |d| + r, every one of these is at most so many gamma_{n+8} (S X + S_b): the centre 1 (on |c|, |d| / 2, S_b),
   the slope 1 (on |c|, |d|, S_b), |D d| / 2 against its float 1/2 (on |d|), (W - W^) rho and s (D - D^) rho and the sum |D^| r
   1 (on r), the forward |W^| r and the two sums of remainders 2 (on r, and on what stands before). On |c|: 2 + 2 u, on |d| and r
   at most 3 together with the sums, on S_b 2. So made contains 4 gamma_{n+16} (peak sum S + S_b), peak the largest X of the
   image, sum S over the weights of the unit; the quarter that is not needed covers, many times over, the relative errors
   gamma_{n+4} of that number itself. TINY in it covers what products lose to underflow, 3 n 2^-1074.
3. Pool: c_j - c_i + ... has four sums of numbers <= 4 peak, so is within 20 u peak; delta is taken 64 u peak larger, which where
   delta > 0 leaves as much for the rounding of c_i + delta / 2 and r_i + made, with 8 u peak in made. Where the float of
   c_j - c_i + ... + 64 u peak <= 0 for all j, x_i is the maximum, and is copied.
4. Relu: the radius |d| + r is enlarged by 4 u of it and by TINY; the rounding of a c + height, a d and a r + made is at most
   8 u radius where the kink is inside, as |c| <= radius there, and 16 are added. Outside nothing is rounded, a is 0 or 1.
5. Backward. g^_k, computed with at most N roundings from the scores down to layer k (N: for each layer the number of terms of a
   product with its transpose), is within gamma_N |g|_k of g_k, |g|_k the same product of absolute values; and sum |g|_k made_k is
   at most 1 + gamma_N times the forward remainder r_i + r_j of the two scores. So sum |g_k| made_k <= (1 + gamma_{T+4}) fl(sum |g^_k| made_k)
   + 2 gamma_N (r_i + r_j), T the number of units. A product in g^ that underflows loses 2^-1075, which in the end is multiplied by
   a forward remainder; those are below 2^500, or the layer gives up (made = inf), and 2^-500 is added for all of them.
6. Margins x_i - x_j, +- |slope| +- remainder: six numbers and five sums, so within 16 u (X_i + X_j), which is added.

What overflows is inf or NaN, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from theory.deep.layers import Conv, Dense, Dropout, Flatten, Layer, Pool, Relu, Shape, windows
from theory.deep.models import Model
from theory.numerics import TINY, UNIT, Array, gamma

LARGEST_UNIT = 2.0**500  # units beyond it, and margins below its inverse, are left undecided
NUMBERS = 2**22  # in the largest matrix of patches


class Form(NamedTuple):
    """Units of N images: centre, slope, remainder, each (N, *shape)."""

    centre: Array
    slope: Array
    rest: Array

    @property
    def peak(self) -> Array:
        """The largest |centre| + |slope| + remainder of each image, (N,)."""
        return _most(np.abs(self.centre) + np.abs(self.slope) + self.rest)


class Weights(NamedTuple):
    """A layer on a window: its middle beside its change, as one matrix (n, 2 out), as is the bias (2 out,); sizes (out,).

    absolute: of the matrix; row: the sum of the sizes of a unit's weights; edge: the size of its bias.
    """

    matrix: Array
    absolute: Array
    bias: Array
    row: Array
    edge: Array


class Step(NamedTuple):
    """What a layer made of the remainder, (N, *shape), and its transpose: of g (K, *shape) at images (K,)."""

    made: Array
    back: Callable[[Array, Array], Array]


Rule = Callable[[Any, Form], tuple[Form, Step]]  # of a layer without parameters, from the units below it


class Enclosed(NamedTuple):
    """The scores of N images on a window, and how they came about, from below; terms: N of the derivation."""

    scores: Form
    steps: tuple[Step, ...]
    terms: int


@dataclass(frozen=True, eq=False)
class Segment:
    """A net, `model`, between two parameter vectors theta_0, theta_1 (size,), float64; ValueError where a layer has no rule."""

    model: Model
    theta_0: Array
    theta_1: Array

    def __post_init__(self) -> None:
        for layer in self.model.layers:
            if not isinstance(layer, (Conv, Dense, Pool, Relu, Flatten, Dropout)):
                raise ValueError(
                    f"model must be made of Conv, Dense, Pool, Relu, Flatten and Dropout, which are piecewise linear, to "
                    f"be bounded; got {type(layer).__name__}"
                )
        if not self.model.size:
            raise ValueError("model must have parameters; got none")

    @cached_property
    def _sizes(self) -> list[tuple[Array, Array] | None]:
        """Of every layer with parameters: the sums over the sizes of each unit's weights, and those of the biases; (out,)."""
        size = np.maximum(np.abs(self.theta_0), np.abs(self.theta_1)) + TINY
        parts = [layer.parts(size[own]) if layer.size else None for layer, own in self._layers]
        with np.errstate(over="ignore"):  # inf is a size, too
            return [part and (part[0].reshape(-1, part[0].shape[-1]).sum(axis=0), part[1]) for part in parts]

    @property
    def _layers(self) -> list[tuple[Layer, slice]]:
        return list(zip(self.model.layers, self.model.slices))

    def window(self, middle: float, half: float) -> list[Weights | None]:
        """The layers' parameters over |t - middle| <= half: dyadic numbers, half 0 or a power of two."""
        theta = (1 - middle) * self.theta_0 + middle * self.theta_1
        change = half * (self.theta_1 - self.theta_0)
        found: list[Weights | None] = []
        for (layer, own), sizes in zip(self._layers, self._sizes):
            if sizes is None:
                found.append(None)
                continue
            (W, b), (D, drift) = layer.parts(theta[own]), layer.parts(change[own])
            matrix = np.concatenate([W.reshape(-1, W.shape[-1]), D.reshape(-1, W.shape[-1])], axis=1)
            found.append(Weights(matrix, np.abs(matrix), np.concatenate([b, drift]), *sizes))
        return found


def follow(
    model: Model, weights: list[Weights | None], X: Array, rules: Mapping[type, Rule] | None = None
) -> Iterator[tuple[Layer, Form, Step]]:
    """The layers of a model, from the first with parameters on: the layer, its units, and what it made of the remainder.

    weights: of a window, as `Segment.window` gives them; X (N, *input_shape): images, which are exact, and so is what is
    done to them before parameters come in. rules: in place of `RULES`.
    """
    form: Form | None = None
    for layer, own in zip(model.layers, weights):
        if own is not None:
            form, step = linear(layer, own, form, X)
        elif form is None:
            X = apply_layer(layer, None, X)
            continue
        else:
            form, step = (RULES if rules is None else rules)[type(layer)](layer, form)
        yield layer, form, step


def enclose(model: Model, weights: list[Weights | None], X: Array) -> Enclosed:
    """The scores of a model for images X (N, *input_shape) on a window, weights as `Segment.window` gives them."""
    layers, forms, steps = zip(*follow(model, weights, X))
    return Enclosed(forms[-1], steps, sum(map(_terms, layers)))


def linear(layer: Layer, own: Weights, form: Form | None, X: Array) -> tuple[Form, Step]:
    """Rule of a layer `Conv` or `Dense` with its own weights; X (N, *shape): the units below where form is None: exact ones."""
    n, out = len(own.matrix), len(own.row)
    shape = X.shape[1:] if form is None else form.centre.shape[1:]
    count = len(X)
    lead = (count, *layer.output(shape)[:-1])

    def times(x: Array, matrix: Array) -> tuple[Array, Array]:
        both = (patches(layer, x) @ matrix).reshape(*lead, 2 * out)
        return both[..., :out], both[..., out:]

    centre, slope = times(X if form is None else form.centre, own.matrix)
    peak = _most(np.abs(X)) if form is None else form.peak
    made = 4 * gamma(n + 16) * (peak[:, None] * own.row + own.edge) + TINY
    made = np.where(made < LARGEST_UNIT * UNIT, made, np.inf).reshape(count, *[1] * (len(lead) - 1), out)
    rest = made
    if form is not None:
        along, bend = times(form.slope, own.matrix)
        carried, turned = times(form.rest, own.absolute)
        made = turned + 0.5 * np.abs(bend) + made
        rest = carried + made
        centre, slope = centre + 0.5 * bend, slope + along
    centre, slope = centre + own.bias[:out], slope + own.bias[out:]
    made = np.broadcast_to(made, centre.shape)
    step = Step(made, lambda g, images: unpatched(layer, g.reshape(-1, out) @ own.matrix[:, :out].T, (len(g), *shape)))
    return Form(centre, slope, np.broadcast_to(rest, centre.shape)), step


def pool(layer: Pool, form: Form) -> tuple[Form, Step]:
    """Rule of a layer `Pool`, on a form: the candidate of the largest centre plus [0, delta]."""
    shape, peak = form.centre.shape[1:], form.peak
    c, d, r = (
        np.stack(_shifts(x, layer.window, layer.stride, layer.padding, fill))
        for x, fill in zip(form, (-np.inf, 0.0, 0.0))
    )
    first = c.argmax(axis=0)[None]
    top, lean, rest = (np.take_along_axis(x, first, axis=0) for x in (c, d, r))
    over = c - top + np.abs(d - lean) + r + rest
    np.put_along_axis(over, first, -np.inf, axis=0)
    unit = (UNIT * peak).reshape(-1, *[1] * len(shape))
    delta = over.max(axis=0) + 64 * unit
    delta = np.where(delta <= 0, 0.0, delta)  # NaN stays
    made = np.where(delta == 0, 0.0, 0.5 * delta + 8 * unit + TINY)
    first = first[0]

    def back(g: Array, images: Array) -> Array:
        chosen = first[images]
        parts = [np.where(chosen == j, g, 0.0) for j in range(layer.window**2)]
        return _unshifted(parts, layer.window, layer.stride, layer.padding, (len(g), *shape))

    return Form(top[0] + 0.5 * delta, lean[0], rest[0] + made), Step(made, back)


def relu(layer: Relu, form: Form) -> tuple[Form, Step]:
    """Rule of a layer `Relu`, on a form: the chord, raised by half the height of the kink."""
    radius = (np.abs(form.slope) + form.rest) * (1 + 4 * UNIT) + TINY
    above, below = radius + form.centre, radius - form.centre
    with np.errstate(over="ignore", invalid="ignore"):
        a = np.clip(above / (2 * radius), 0.0, 1.0)  # 1 where below <= 0, 0 where above <= 0
    height = 0.5 * np.maximum((1 - a) * above, a * below) * (1 + 8 * UNIT)
    made = height + 16 * UNIT * radius * ((above > 0) & (below > 0))
    centre = a * form.centre + height
    return Form(centre, a * form.slope, a * form.rest + made), Step(made, lambda g, images: g * a[images])


def flatten(layer: Flatten, form: Form) -> tuple[Form, Step]:
    """Rule of a layer `Flatten`, on a form."""
    shape, N = form.centre.shape[1:], len(form.centre)
    flat = Form(*(x.reshape(N, -1) for x in form))
    return flat, Step(np.zeros((N, 1)), lambda g, images: g.reshape(len(g), *shape))


def dropout(layer: Dropout, form: Form) -> tuple[Form, Step]:
    """Rule of a layer `Dropout`, on a form: it is off."""
    return form, Step(np.zeros((len(form.centre), 1)), lambda g, images: g)


RULES: dict[type, Rule] = {Pool: pool, Relu: relu, Flatten: flatten, Dropout: dropout}


def verdicts(found: Enclosed, labels: Array) -> Array:
    """Whether images, found with labels (N,), are right on the whole window: 1; wrong, ties included: -1; undecided: 0; (N,).

    The closest class comes first: backward bounds are worked out only for margins that the forward bound leaves open, and
    only until one of an image stays open.
    """
    c, d, r = found.scores
    every = np.arange(len(labels))
    size = np.abs(c) + np.abs(d) + r
    middle = c[every, labels][:, None] - c
    swing = np.abs(d[every, labels][:, None] - d)
    forward = r[every, labels][:, None] + r
    blur = 16 * UNIT * (size[every, labels][:, None] + size)
    low, high = middle - swing - forward - blur, middle + swing + forward + blur
    low[every, labels] = high[every, labels] = np.inf
    nearness = np.where(low > 0, np.inf, middle - swing)
    right, wrong = (low > 0).all(axis=1), (high <= 0).any(axis=1)
    units = sum(int(np.prod(step.made.shape[1:])) for step in found.steps)
    alive = np.flatnonzero(~(right | wrong))
    while alive.size:
        other = nearness[alive].argmin(axis=1)  # NaN is nearest
        at = alive, other
        g = np.zeros((alive.size, c.shape[1]))
        g[np.arange(alive.size), labels[alive]] = 1.0
        g[np.arange(alive.size), other] -= 1.0
        sharp = (
            carried(found, alive, g) * (1 + gamma(units + 4)) + 2 * gamma(found.terms) * forward[at] + 1 / LARGEST_UNIT
        )
        low[at] = np.fmax(low[at], middle[at] - swing[at] - sharp - blur[at])
        high[at] = np.fmin(high[at], middle[at] + swing[at] + sharp + blur[at])
        nearness[at] = np.inf
        wrong[alive] |= high[at] <= 0
        right[alive] = (low[alive] > 0).all(axis=1)
        alive = alive[(low[at] > 0) & ~right[alive] & ~wrong[alive]]
    return right.astype(np.int8) - wrong.astype(np.int8)


def carried(found: Enclosed, images: Array, g: Array) -> Array:
    """sum_k |g_k| made_k (K,), in floats, of the functionals g (K, classes) of the scores found of images (K,)."""
    total = np.zeros(len(images))
    for step in reversed(found.steps):
        total += (np.abs(g) * step.made[images]).reshape(len(images), -1).sum(axis=1)
        if step is not found.steps[0]:
            g = step.back(g, images)
    return total


def scores(model: Model, theta: Array, X: Array) -> Array:
    """The scores (N, classes) of a model for images X (N, *input_shape) under theta (size,), in float64, without JAX."""
    segment = Segment(model, theta, theta)
    weights = segment.window(0.0, 0.0)
    parts = []
    for i in range(0, len(X), at_once(model)):
        x = X[i : i + at_once(model)]
        for layer, own in zip(model.layers, weights):
            x = apply_layer(layer, own, x)
        parts.append(x)
    return np.concatenate(parts) if parts else np.zeros((0, model.classes))


def apply_layer(layer: Layer, own: Weights | None, X: Array) -> Array:
    """The layer itself, with its own weights, on X (N, ...): (N, ...)."""
    if own is not None:
        out = len(own.row)
        y = patches(layer, X) @ own.matrix[:, :out] + own.bias[:out]
        return y.reshape(len(X), *layer.output(X.shape[1:]))
    if isinstance(layer, Pool):
        return np.maximum.reduce(_shifts(X, layer.window, layer.stride, layer.padding, -np.inf))
    if isinstance(layer, Relu):
        return np.maximum(X, 0.0)
    return X.reshape(len(X), -1) if isinstance(layer, Flatten) else X


def at_once(model: Model) -> int:
    """How many images go through the layers of a model together."""
    largest = max(
        int(np.prod(after[:-1])) * int(np.prod(layer.shapes[0][:-1]))
        for layer, after in zip(model.layers, model.layer_shapes[1:])
        if layer.size
    )
    return max(1, NUMBERS // largest)


# ---------------------------------------------------------------- patches and their transposes


def patches(layer: Layer, x: Array) -> Array:
    """Rows (M, n) that the layer's matrix multiplies: x (N, n) itself, or every window of images (N, H, W, C)."""
    if not isinstance(layer, Conv):
        return x
    k, stride = layer.kernel, layer.stride
    x = _padded(x, k, stride, layer.padding, 0.0)
    seen = sliding_window_view(x, (k, k), axis=(1, 2))[:, ::stride, ::stride]
    return np.moveaxis(seen, 3, -1).reshape(-1, k * k * x.shape[-1])


def unpatched(layer: Layer, rows: Array, shape: Shape) -> Array:
    """The transpose of `patches`: rows (M, n) to x of `shape` (K, ...)."""
    if not isinstance(layer, Conv):
        return rows
    tall, wide, _ = layer.output(shape[1:])
    parts = rows.reshape(shape[0], tall, wide, layer.kernel**2, shape[-1])
    return _unshifted(np.moveaxis(parts, 3, 0), layer.kernel, layer.stride, layer.padding, shape)


def _terms(layer: Layer) -> int:
    """How many roundings a number meets at most on its way through the transposed layer."""
    if isinstance(layer, Conv):
        return layer.kernel**2 + layer.width_out + 4
    return layer.shapes[0][-1] + 4 if layer.size else layer.window**2 + 4 if isinstance(layer, Pool) else 4


def _padded(x: Array, size: int, stride: int, padding: str, fill: float) -> Array:
    (_, top, bottom), (_, left, right) = (windows(n, size, stride, padding) for n in x.shape[1:3])
    if not top + bottom + left + right:
        return x
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)


def _places(shape: Shape, size: int, stride: int, padding: str) -> list[tuple[slice, slice]]:
    """Where in the padded images of `shape` (N, H, W, C) the windows' entries stand, row by row."""
    rows, columns = (windows(n, size, stride, padding)[0] for n in shape[1:3])
    tall, wide = (rows - 1) * stride + 1, (columns - 1) * stride + 1
    return [(slice(i, i + tall, stride), slice(j, j + wide, stride)) for i in range(size) for j in range(size)]


def _shifts(x: Array, size: int, stride: int, padding: str, fill: float) -> list[Array]:
    """The size^2 entries of every window of x (N, H, W, C), each as an image of all windows."""
    padded = _padded(x, size, stride, padding, fill)
    return [padded[:, rows, columns] for rows, columns in _places(x.shape, size, stride, padding)]


def _unshifted(parts: Array | list[Array], size: int, stride: int, padding: str, shape: Shape) -> Array:
    """The transpose of `_shifts`: images of `shape` to which every part (N, H', W', C) is added where it was taken."""
    (_, top, bottom), (_, left, right) = (windows(n, size, stride, padding) for n in shape[1:3])
    sum_ = np.zeros((shape[0], top + shape[1] + bottom, left + shape[2] + right, shape[3]))
    for part, (rows, columns) in zip(parts, _places(shape, size, stride, padding)):
        sum_[:, rows, columns] += part
    return sum_[:, top : top + shape[1], left : left + shape[2]]


def _most(x: Array) -> Array:
    """The largest entry of each image, (N,)."""
    return x.reshape(len(x), -1).max(axis=1)
