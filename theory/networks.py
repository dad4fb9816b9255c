"""Multilayer networks on flat parameter vectors: Phi(x; theta) = W_K rho ... rho W_1 x, eqs (4) and (5).

A parameter vector packs W_1, ..., W_K in order, each row-major; with biases each W_k has one more column, the
bias, last (the paper's "rebranding" of x as (x, 1)). A batch of parameter vectors has shape (..., P).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import Array
from theory.numerics import validation as check

# A forward pass goes block by block: so many numbers in one layer of a block, samples in it at least, units of a wide layer.
BLOCK, ROWS, UNITS = 65_536, 32, 1_024
SINGLE = 16_384  # so few numbers need no buffers


@dataclass(frozen=True)
class Activation:
    """rho with its first two derivatives; at a kink of relu the derivative is taken to be 0.

    value, slope, curvature: rho, rho', rho'' on arrays of any shape, value(z, z) in place; pull(delta, rho(z)): delta rho'(z),
    in place; homogeneous: rho(c z) = c rho(z) for c > 0.
    """

    name: str
    value: Callable[..., Array]
    slope: Callable[[Array], Array]
    curvature: Callable[[Array], Array]
    pull: Callable[[Array, Array], Array]
    homogeneous: bool  # rho(c z) = c rho(z) for c > 0


SMALLEST = 512  # numbers, from which it pays
ZEROS = np.zeros(2**17)  # against an array numpy compares four times faster than against a number
ZEROS.flags.writeable = False


def _relu(z: Array, out: Array | None = None) -> Array:
    worthwhile = SMALLEST <= z.size <= ZEROS.size and z.dtype == ZEROS.dtype
    return np.maximum(z, ZEROS[: z.size].reshape(z.shape) if worthwhile else 0, out=out)


def _identity(z: Array, out: Array | None = None) -> Array:
    return z


def _tanh(z: Array, out: Array | None = None) -> Array:
    return np.tanh(z, out=out)


def _sigmoid(z: Array, out: Array | None = None) -> Array:
    s = np.tanh(np.multiply(0.5, z, out=out), out=out)
    return np.add(0.5, np.multiply(0.5, s, out=out), out=out)


def _sigmoid_slope(z: Array) -> Array:
    s = _sigmoid(z)
    return s * (1 - s)


def _sigmoid_curvature(z: Array) -> Array:
    s = _sigmoid(z)
    return s * (1 - s) * (1 - 2 * s)


def _tanh_curvature(z: Array) -> Array:
    t = np.tanh(z)
    return -2 * t * (1 - t * t)


def _pull_relu(delta: Array, h: Array) -> Array:
    return np.multiply(delta, h > 0, out=delta)


def _pull_tanh(delta: Array, h: Array) -> Array:
    return np.multiply(delta, 1 - h * h, out=delta)


def _pull_sigmoid(delta: Array, h: Array) -> Array:
    return np.multiply(delta, h * (1 - h), out=delta)


ACTIVATIONS = {
    "relu": Activation("relu", _relu, lambda z: (z > 0).astype(z.dtype), np.zeros_like, _pull_relu, True),
    "identity": Activation("identity", _identity, np.ones_like, np.zeros_like, lambda delta, h: delta, True),
    "tanh": Activation("tanh", _tanh, lambda z: 1 - np.tanh(z) ** 2, _tanh_curvature, _pull_tanh, False),
    "sigmoid": Activation("sigmoid", _sigmoid, _sigmoid_slope, _sigmoid_curvature, _pull_sigmoid, False),
}

# What other libraries call them: error messages suggest our names.
ALIASES = {"linear": "identity", "none": "identity", "logistic": "sigmoid", "rectifier": "relu"}


@dataclass(frozen=True, repr=False)
class Network:
    """A fully connected network.

    widths: (n_0, n_1, ..., n_K): inputs, hidden widths, outputs; at least one matrix (K >= 1). activation: rho on the
    hidden layers; output: the function applied to the last layer ("relu", "identity", "tanh" or "sigmoid" each). bias:
    whether each W_k carries a bias as its last column. It and its methods raise ValueError for shapes, layers and
    factors that do not fit.

    >>> net = Network((2, 3, 1))
    >>> net.size, net.depth, net.hidden
    (9, 2, (3,))
    >>> theta = net.pack([[[1, 0], [0, 1], [1, 1]], [[1, 1, -1]]])
    >>> net(theta, [[2, 3], [-1, 1]])
    array([[0.],
           [1.]])
    >>> swapped = net.permute(theta, 1, [1, 0, 2])
    >>> net.weights(swapped)[0].tolist()
    [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """

    widths: tuple[int, ...]
    activation: str = "relu"
    output: str = "identity"
    bias: bool = False
    shapes: tuple[tuple[int, int], ...] = field(init=False, repr=False, compare=False)
    slices: tuple[slice, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.widths, (str, bytes)) or not isinstance(self.widths, (Sequence, np.ndarray)):
            raise ValueError(f"widths must be a sequence (inputs, hidden..., outputs); got {self.widths!r}")
        if getattr(self.widths, "ndim", 1) == 0 or len(self.widths) < 2:
            raise ValueError(f"widths must name at least inputs and outputs, as in (2, 3, 1); got {self.widths!r}")
        widths = tuple(check.positive_integer(n, f"widths[{k}]") for k, n in enumerate(self.widths))
        for name in ("activation", "output"):
            check.choice(getattr(self, name), name, tuple(ACTIVATIONS), ALIASES)
        check.choice(self.bias, "bias", (False, True))
        shapes = tuple((after, before + bool(self.bias)) for before, after in pairwise(widths))
        ends = accumulate((rows * columns for rows, columns in shapes), initial=0)
        object.__setattr__(self, "widths", widths)
        object.__setattr__(self, "bias", bool(self.bias))
        object.__setattr__(self, "shapes", shapes)
        object.__setattr__(self, "slices", tuple(slice(a, b) for a, b in pairwise(ends)))

    def __repr__(self) -> str:
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name, usual in (("activation", "relu"), ("output", "identity"), ("bias", False))
            if getattr(self, name) != usual
        ]
        return f"Network({', '.join([str(self.widths), *changed])})"

    @property
    def size(self) -> int:
        """P, the number of parameters."""
        return self.slices[-1].stop

    @property
    def depth(self) -> int:
        """K, the number of weight matrices."""
        return len(self.shapes)

    @property
    def hidden(self) -> tuple[int, ...]:
        """The hidden widths (n_1, ..., n_{K-1})."""
        return self.widths[1:-1]

    def rho(self, layer: int) -> Activation:
        """The function applied after W_layer, layer = 1..K."""
        return ACTIVATIONS[self.output if layer == self.depth else self.activation]

    def weights(self, theta: ArrayLike) -> list[Array]:
        """Views W_1, ..., W_K of theta (..., P), each of shape (..., n_k, n_{k-1}), one more column with biases."""
        if type(theta) is not np.ndarray or theta.dtype != np.float64:
            theta = check.stored_array(theta, "theta")
        if theta.dtype.kind not in "biufcO":
            raise ValueError(f"theta must be an array of numbers; got {check.describe(theta)}")
        if theta.ndim == 0 or theta.shape[-1] != self.size:
            raise ValueError(f"theta must have shape (..., {self.size}); got {theta.shape}")
        return self._matrices(theta)

    def pack(self, weights: Sequence[ArrayLike]) -> Array:
        """The parameter vector (..., P) of weights W_1, ..., W_K, (..., n_k, n_{k-1}) each; leading axes broadcast."""
        if (
            not isinstance(weights, (Sequence, np.ndarray))
            or getattr(weights, "ndim", 1) == 0
            or len(weights) != self.depth
        ):
            raise ValueError(
                f"weights must hold {self.depth} matrices of shapes {self.shapes}; got {check.describe(weights)}"
            )
        matrices = [check.finite_array(W, f"weights[{k}]") for k, W in enumerate(weights)]
        for k, (W, shape) in enumerate(zip(matrices, self.shapes)):
            if W.shape[-2:] != shape:
                raise ValueError(f"weights[{k}] must have shape (..., {shape[0]}, {shape[1]}); got {W.shape}")
        lead = np.broadcast_shapes(*(W.shape[:-2] for W in matrices))
        flat = [np.broadcast_to(W, lead + W.shape[-2:]).reshape(*lead, -1) for W in matrices]
        return np.concatenate(flat, axis=-1)

    def inputs(self, X: ArrayLike) -> Array:
        """X as a checked array of shape (N, n_0)."""
        X = check.finite_array(X, "X", ndim=2, allow_complex=True)
        if X.shape[1] != self.widths[0]:
            raise ValueError(f"X must have shape (N, {self.widths[0]}), one row per sample; got {X.shape}")
        return X

    def augment(self, h: Array) -> Array:
        """Features h (..., N, n) as the next matrix sees them: with a last column of ones when there are biases."""
        return np.concatenate([h, np.ones_like(h[..., :1])], axis=-1) if self.bias else h

    def layers(self, theta: Array, X: Array) -> tuple[list[Array], list[Array]]:
        """The forward pass, unchecked: inputs h_{k-1} (augmented) and pre-activations z_k = h_{k-1} W_k^T, k = 1..K."""
        h, seen, before = X, [], []
        for k, W in enumerate(self.weights(theta), start=1):
            seen.append(self.augment(h))
            before.append(seen[-1] @ np.swapaxes(W, -1, -2))
            h = self.rho(k).value(before[-1])
        return seen, before

    def outputs(self, theta: Array, X: Array) -> Array:
        """Phi(X; theta) (..., N, n_K), unchecked: block by block in buffers that are reused, so memory does not grow with N n_k.

        Blocks are of samples, and of units where the first hidden layer is wider than UNITS.
        """
        W, wide = self._matrices(theta), self._wide()
        if theta.ndim == 1 and len(X) * max(self.widths) <= SINGLE and not wide:
            return self._at_once(W, X)
        lead = theta.shape[:-1]
        share = math.prod(lead) * max(UNITS if wide else 0, *self.widths[1 + wide :])
        if len(X) * share <= SINGLE and not wide:
            return self._pass(W, X, (None, None))
        rows = min(len(X), max(ROWS, BLOCK // max(share, 1)))
        kind = np.result_type(theta, X, float)
        out, buffers = np.empty((*lead, len(X), self.widths[-1]), kind), np.empty((2, share * rows), kind)
        for i in range(0, len(X), max(rows, 1)):
            out[..., i : i + rows, :] = self._pass(W, X[i : i + rows], buffers, wide)
        return out

    def roundings(self, layer: int) -> int:
        """An entry of W_layer h in `outputs` is off by at most gamma of this times the sum of the absolute values of its terms."""
        terms = self.widths[layer - 1]
        if layer == 2 and self._wide():
            terms = UNITS + -(-terms // UNITS)
        return terms + 2

    def _wide(self) -> bool:
        return len(self.widths) > 2 and self.widths[1] > UNITS

    def _at_once(self, W: list[Array], h: Array) -> Array:
        """The outputs of one tiny net at the samples h (C, n), where every look at a name shows."""
        for k, matrix in enumerate(W, start=1):
            z = h.dot(matrix[:, :-1].T if self.bias else matrix.T)
            if self.bias:
                z += matrix[:, -1]
            h = self.rho(k).value(z, z)
        return h

    def _pass(self, W: list[Array], h: Array, buffers: Any, wide: bool = False) -> Array:
        """The outputs at the samples h (C, n), in one of two buffers (None: wherever there is room)."""
        first = 1
        if wide:
            total: Any = 0.0
            for j in range(0, self.widths[1], UNITS):
                units = slice(j, min(j + UNITS, self.widths[1]))
                z = self._affine(W[0][..., units, :], h, buffers[0])
                total = total + self.rho(1).value(z, z) @ np.swapaxes(W[1][..., units], -1, -2)
            h = total + W[1][..., None, :, self.widths[1]] if self.bias else total
            h, first = self.rho(2).value(h, h), 3
        for k in range(first, self.depth + 1):
            z = self._affine(W[k - 1], h, buffers[k % 2])
            h = self.rho(k).value(z, z)
        return h

    def gradients(self, theta: Array, X: Array, slope: Callable[[Array, slice], Array]) -> Array:
        """Gradients (..., P) of a sum over samples of functions of the outputs, unchecked, block by block as `outputs`.

        slope(f, rows): the derivatives (..., C, n_K) by the outputs f (..., C, n_K) of the samples in the slice rows.
        """
        W, count = self._matrices(theta), max(math.prod(theta.shape[:-1]), 1)
        block = max(BLOCK, count * self.size)  # matrices are read and added up once a block
        rows = min(len(X), max(ROWS, block // (count * max(self.widths))))
        total, part = np.zeros(theta.shape), np.empty(theta.shape)
        parts = self._matrices(part)
        seen = [np.empty(count * rows * n) for n in self.widths[1:]]
        back = np.empty((2, count * rows * max(self.widths)))
        for i in range(0, len(X), max(rows, 1)):
            here = slice(i, min(i + rows, len(X)))
            h = [X[here]]
            for k in range(1, self.depth + 1):
                z = self._affine(W[k - 1], h[-1], seen[k - 1])
                h.append(self.rho(k).value(z, z))
            delta = self.rho(self.depth).pull(slope(h[-1], here), h[-1])
            for k in range(self.depth, 0, -1):
                n = self.widths[k - 1]
                entry = parts[k - 1]
                np.matmul(np.swapaxes(delta, -1, -2), h[k - 1], out=entry[..., :n])
                if self.bias:
                    entry[..., n] = delta.sum(axis=-2)
                if k > 1:
                    shape = (*delta.shape[:-1], n)
                    below = back[k % 2, : math.prod(shape)].reshape(shape)
                    delta = self.rho(k - 1).pull(np.matmul(delta, W[k - 1][..., :n], out=below), h[k - 1])
            total += part
        return total

    def _affine(self, W: Array, h: Array, buffer: Array | None) -> Array:
        """h W^T, biases added, at the beginning of a flat buffer."""
        n = h.shape[-1]
        part = (W[..., :n] if self.bias else W).swapaxes(-1, -2)
        if buffer is None:
            z = h @ part
        else:
            shape = (*W.shape[:-2], h.shape[-2], W.shape[-2])
            z = np.matmul(h, part, out=buffer[: math.prod(shape)].reshape(shape))
        if self.bias:
            z += W[..., None, :, n]
        return z

    def _matrices(self, theta: Array) -> list[Array]:
        """`weights`, unchecked."""
        if theta.ndim == 1:  # twice as fast, which shows on tiny nets
            return [theta[s].reshape(shape) for s, shape in zip(self.slices, self.shapes)]
        lead = theta.shape[:-1]
        return [theta[..., s].reshape(lead + shape) for s, shape in zip(self.slices, self.shapes)]

    def backpropagate(self, theta: Array, seen: list[Array], before: list[Array], delta: Array) -> Array:
        """Gradients (..., P) of a sum over samples from its derivative delta (..., N, n_K) by z_K.

        seen and before: the arrays (..., N, n_k) that `layers` gave for this theta; unchecked.
        """
        matrices, blocks = self.weights(theta), []
        for k in range(self.depth, 0, -1):
            blocks.append((np.swapaxes(delta, -1, -2) @ seen[k - 1]).reshape(*theta.shape[:-1], -1))
            if k > 1:
                delta = delta @ matrices[k - 1][..., : self.widths[k - 1]]
                delta *= self.rho(k - 1).slope(before[k - 2])
        return np.concatenate(blocks[::-1], axis=-1)

    def features(self, theta: ArrayLike, X: ArrayLike, layer: int) -> Array:
        """What W_{layer+1} sees, (..., N, n_layer), one more column (ones) with biases; layer 0 is the input."""
        if not 0 <= check.positive_integer(layer, "layer", minimum=0) < self.depth:
            raise ValueError(f"layer must be in 0..{self.depth - 1}; got {layer}")
        theta, X = check.parameters(theta, self.size, allow_complex=True), self.inputs(X)
        with np.errstate(over="ignore", invalid="ignore"):
            return check.no_overflow(self.layers(theta, X)[0][layer], "theta")

    def __call__(self, theta: ArrayLike, X: ArrayLike) -> Array:
        """Phi(X; theta): outputs (..., N, n_K) at inputs X (N, n_0) for parameters theta (..., P).

        ValueError on wrong shapes, NaN or infinity, and where float64 overflows.
        """
        theta, X = check.parameters(theta, self.size, allow_complex=True), self.inputs(X)
        with np.errstate(over="ignore", invalid="ignore"):
            return check.no_overflow(self.outputs(theta, X), "theta")

    def permute(self, theta: ArrayLike, layer: int, order: ArrayLike) -> Array:
        """theta with the units of a hidden layer (1..K-1) reordered: new unit i is old unit order[i]. Same function."""
        theta = check.parameters(theta, self.size)
        width = self._hidden_width(layer)
        wanted = check.finite_array(order, "order", ndim=1)
        if not np.array_equal(np.sort(wanted), np.arange(width)):
            raise ValueError(f"order must be a permutation of 0..{width - 1}; got {wanted.tolist()}")
        rows = wanted.astype(int)
        columns = np.append(rows, width) if self.bias else rows
        W = self.weights(theta)
        W[layer - 1], W[layer] = W[layer - 1][..., rows, :], W[layer][..., columns]
        return self.pack(W)

    def rescale(self, theta: ArrayLike, layer: int, factors: ArrayLike) -> Array:
        """Unit i of a hidden layer: incoming row times factors[i], (h,), outgoing column divided by it. Same function.

        For relu the factors must be positive, for identity nonzero; tanh and sigmoid have no such symmetry.
        """
        theta = check.parameters(theta, self.size)
        width = self._hidden_width(layer)
        c = check.finite_array(factors, "factors", ndim=1)
        if not ACTIVATIONS[self.activation].homogeneous:
            raise ValueError(
                f"rescale needs a homogeneous activation (relu or identity); the network has {self.activation!r}"
            )
        if c.shape != (width,):
            raise ValueError(f"factors must have shape ({width},), one per unit of layer {layer}; got {c.shape}")
        if (c == 0).any() or (self.activation == "relu" and (c < 0).any()):
            allowed = "positive" if self.activation == "relu" else "nonzero"
            raise ValueError(f"factors must be {allowed} for {self.activation} units; got {c.tolist()}")
        W = self.weights(theta)
        with np.errstate(over="ignore"):
            W[layer - 1] = W[layer - 1] * c[:, None]
            W[layer] = W[layer] / (np.append(c, 1.0) if self.bias else c)
        return check.no_overflow(np.concatenate([w.reshape(*theta.shape[:-1], -1) for w in W], axis=-1), "theta")

    def without_biases(self, theta: ArrayLike) -> tuple[Network, Array]:
        """The same function of (x, 1) by a network without biases, and its parameters (..., P').

        Each hidden layer gets one more unit, its last, with the row (0, ..., 0, 1): it hands the constant on, so that the
        biases of the next layer, the output's too, are its outgoing weights. `with_biases` is the inverse.
        ValueError without biases, and for tanh and sigmoid, which do not hand on a one.

        >>> net = Network((1, 1, 1), bias=True)
        >>> plain, theta = net.without_biases([2.0, -1.0, 3.0, 0.5])  # 3 relu(2 x - 1) + 0.5
        >>> plain, theta.tolist()
        (Network((2, 2, 1)), [2.0, -1.0, 0.0, 1.0, 3.0, 0.5])
        >>> net(plain.with_biases(theta)[1], [[2.0]]) == plain(theta, [[2.0, 1.0]])
        array([[ True]])
        """
        if not self.bias:
            raise ValueError(f"the network must have bias=True; {self} has no biases to absorb")
        self._passes_one_on()
        theta = check.parameters(theta, self.size)
        plain = Network((*(n + 1 for n in self.widths[:-1]), self.widths[-1]), self.activation, self.output)
        one = [np.eye(1, columns, columns - 1) for _, columns in self.shapes[:-1]]
        rows = [np.broadcast_to(row, (*theta.shape[:-1], *row.shape)) for row in one]
        weights = [np.concatenate([W, row], axis=-2) for W, row in zip(self.weights(theta), rows)]
        return plain, plain.pack([*weights, self.weights(theta)[-1]])

    def with_biases(self, theta: ArrayLike) -> tuple[Network, Array]:
        """The inverse of `without_biases`: the network of x with biases, and its parameters (..., P').

        self has no biases and takes (x, 1); the last unit of each hidden layer must hand the constant on at every theta
        (..., P), its row being (0, ..., 0, 1). Where a path moves that row it has no counterpart, and ValueError says so.
        """
        if self.bias:
            raise ValueError(f"the network must have bias=False; {self} has biases already")
        self._passes_one_on()
        if min(self.widths[:-1]) < 2:
            raise ValueError(
                f"inputs and hidden layers must have a place for the constant, widths >= 2; got {self.widths}"
            )
        weights = self.weights(check.parameters(theta, self.size))
        for layer, (W, (_, columns)) in enumerate(zip(weights[:-1], self.shapes), start=1):
            moved = (W[..., -1, :] != np.eye(1, columns, columns - 1)[0]).any(axis=-1)
            if moved.any():
                where = f" at vertex {int(np.argwhere(moved)[0, -1])}" if moved.ndim else ""
                raise ValueError(
                    f"theta must keep the last unit of hidden layer {layer}, row (0, ..., 0, 1), which hands the constant on; it is another "
                    f"unit{where}, and stands for no net with biases"
                )
        full = Network((*(n - 1 for n in self.widths[:-1]), self.widths[-1]), self.activation, self.output, bias=True)
        return full, full.pack([*(W[..., :-1, :] for W in weights[:-1]), weights[-1]])

    def _passes_one_on(self) -> None:
        if self.depth > 1 and not ACTIVATIONS[self.activation].homogeneous:
            raise ValueError(
                f"biases are absorbed by relu and identity units, which hand on a one; the network has {self.activation!r}. "
                "theory.exchange, theory.deep_paths and theory.string_sampling take biases as they are"
            )

    def _hidden_width(self, layer: int) -> int:
        if self.depth < 2 or not 1 <= check.positive_integer(layer, "layer", minimum=0) < self.depth:
            raise ValueError(f"layer must name a hidden layer, 1..{self.depth - 1}; got {layer}")
        return self.widths[layer]
