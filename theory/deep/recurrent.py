"""The two-layer LSTM of section 4.3 over one flat parameter vector."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from theory.deep.backend import need
from theory.numerics import Array
from theory.numerics import validation as check


@dataclass(frozen=True)
class Lstm:
    """An embedding, two LSTM layers and a softmax over `vocabulary` words; all widths are `width`.

    The flat vector holds the embedding (vocabulary, width); of each layer the matrix (2 width, 4 width) for input and
    state and the bias (4 width,), with gates in the order input, candidate, forget, output; the last map (width,
    vocabulary) and its bias. ValueError unless both numbers are positive.
    """

    vocabulary: int = 10_000
    width: int = 200

    def __post_init__(self) -> None:
        check.positive_integer(self.vocabulary, "vocabulary", minimum=2)
        check.positive_integer(self.width, "width")

    @cached_property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of every part of the flat vector, in order."""
        V, n = self.vocabulary, self.width
        return (V, n), (2 * n, 4 * n), (4 * n,), (2 * n, 4 * n), (4 * n,), (n, V), (V,)

    @cached_property
    def size(self) -> int:
        """How many parameters there are."""
        return sum(math.prod(shape) for shape in self.shapes)

    @cached_property
    def weights(self) -> Array:
        """(size,): True for weights, False for biases."""
        return np.concatenate([np.full(math.prod(shape), len(shape) == 2) for shape in self.shapes])

    def parts(self, theta: Any) -> list[Any]:
        """The parts of theta (size,) as arrays of `shapes`."""
        ends = [0, *itertools.accumulate(math.prod(shape) for shape in self.shapes)]
        return [theta[a:b].reshape(shape) for (a, b), shape in zip(itertools.pairwise(ends), self.shapes)]

    def draw(self, count: int, *, rng: Any = None) -> Array:
        """Initial parameters (count, size), float32: uniform on [-0.1, 0.1], biases of the cells 0."""
        rng = check.generator(rng)
        theta = rng.uniform(-0.1, 0.1, (check.positive_integer(count, "count"), self.size)).astype(np.float32)
        for row in theta:
            for part in (2, 4):
                self.parts(row)[part][:] = 0
        return theta

    def rest(self, streams: int) -> Any:
        """The state before the first word: (c, h) of each layer, (streams, width) zeros."""
        zero = need("jax.numpy").zeros((streams, self.width))
        return ((zero, zero), (zero, zero))

    def __call__(self, theta: Any, state: Any, words: Any) -> tuple[Any, Any]:
        """Minus the log likelihood (steps, streams) of each next word, and the state behind.

        theta (size,); words (streams, steps + 1), integers: each is predicted from those before it.
        """
        jax = need("jax")
        E, W1, b1, W2, b2, out, last = self.parts(theta)
        x = E[words[:, :-1].T]
        x, first = _layer(x, W1, b1, state[0])
        x, second = _layer(x, W2, b2, state[1])
        likely = jax.nn.log_softmax(x @ out + last)
        return -jax.numpy.take_along_axis(likely, words[:, 1:].T[..., None], -1)[..., 0], (first, second)


def _layer(x: Any, W: Any, b: Any, state: Any) -> tuple[Any, Any]:
    """One LSTM layer over x (steps, streams, n) from state (c, h); inputs enter as one product, before the loop."""
    jax = need("jax")
    n = x.shape[-1]

    def cell(state: Any, into: Any) -> tuple[Any, Any]:
        c, h = state
        i, j, f, o = jax.numpy.split(into + h @ W[n:], 4, -1)
        c = c * jax.nn.sigmoid(f) + jax.nn.sigmoid(i) * jax.numpy.tanh(j)
        h = jax.numpy.tanh(c) * jax.nn.sigmoid(o)
        return (c, h), h

    state, out = jax.lax.scan(cell, state, x @ W[:n] + b, unroll=5)
    return out, state
