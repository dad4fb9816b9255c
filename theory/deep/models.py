"""Nets of convolutional and dense layers over one flat parameter vector, and the architectures of section 4.2.

The settings are those of the authors' scripts (danielfreeman11/convex-nets, 31 May 2017). Where a rectifier and a pool
follow each other the pool comes first: the function is the same, with a quarter of the kinks.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from theory.deep.backend import need
from theory.deep.layers import Conv, Dense, Dropout, Flatten, Layer, Pool, Relu, ResponseNorm, Shape
from theory.numerics import Array
from theory.numerics import validation as check


@dataclass(frozen=True)
class Model:
    """Layers, one after the other, on images of `input_shape` (H, W, C) or vectors (n,).

    ValueError where a layer does not fit on what comes before it, or the last one does not give a vector of scores.
    """

    layers: tuple[Layer, ...]
    input_shape: Shape

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(check.instance(layer, "layers", Layer) for layer in self.layers))
        object.__setattr__(
            self, "input_shape", tuple(check.positive_integer(n, "input_shape") for n in self.input_shape)
        )
        if len(self.layer_shapes[-1]) != 1:
            raise ValueError(f"layers must end in a vector of scores; got images {self.layer_shapes[-1]}")

    def __repr__(self) -> str:
        return f"Model({len(self.layers)} layers, {self.input_shape} -> {self.classes} classes, {self.size} parameters)"

    @cached_property
    def layer_shapes(self) -> tuple[Shape, ...]:
        """The shape of one image before the first layer, and behind each."""
        shapes = [self.input_shape]
        for layer in self.layers:
            shapes.append(layer.output(shapes[-1]))
        return tuple(shapes)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where each layer's parameters stand in the flat vector; empty for a layer without any."""
        ends = [0, *itertools.accumulate(layer.size for layer in self.layers)]
        return tuple(slice(a, b) for a, b in itertools.pairwise(ends))

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return self.slices[-1].stop

    @property
    def classes(self) -> int:
        """How many scores come out."""
        return self.layer_shapes[-1][0]

    @cached_property
    def weights(self) -> Array:
        """(size,): True for weights, False for biases."""
        kinds = [np.full(int(np.prod(s)), k == 0) for layer in self.layers for k, s in enumerate(layer.shapes)]
        return np.concatenate([np.zeros(0, dtype=bool), *kinds])

    def __call__(self, theta: Any, X: Any, key: Any = None) -> Any:
        """The scores (N, classes) of X (N, *input_shape) under theta (size,), in JAX and in the precision of both.

        key: of JAX, while training; without one nothing is random.
        """
        theta, X = need("jax.numpy").asarray(theta), need("jax.numpy").asarray(X)
        for k, (layer, part) in enumerate(zip(self.layers, self.slices)):
            own = None if key is None else need("jax.random").fold_in(key, k)
            X = layer.apply(theta[part], X, own)
        return X

    def draw(self, count: int, start: Sequence[tuple[float, float]], *, rng: Any = None) -> Array:
        """Initial parameters (count, size), float32: normal, cut at two deviations, and constant biases.

        start: (deviation, bias) of each layer that has parameters, in order; ValueError where it does not fit.
        """
        rng, count = check.generator(rng), check.positive_integer(count, "count")
        layers = [(layer, part) for layer, part in zip(self.layers, self.slices) if layer.size]
        if len(start) != len(layers):
            raise ValueError(f"start must have one pair for each of the {len(layers)} layers; got {len(start)}")
        theta = np.empty((count, self.size), dtype=np.float32)
        for (layer, part), (deviation, bias) in zip(layers, start):
            weights = part.start + int(np.prod(layer.shapes[0]))
            theta[:, part.start : weights] = deviation * _cut_normal(rng, (count, weights - part.start))
            theta[:, weights : part.stop] = bias
        return theta


def _cut_normal(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Standard normal numbers, drawn again where they leave [-2, 2]."""
    drawn = rng.standard_normal(shape, dtype=np.float32)
    while (far := np.abs(drawn) > 2).any():
        drawn[far] = rng.standard_normal(int(far.sum()), dtype=np.float32)
    return drawn


def mnist() -> Model:
    """5x5x32, pool 2, 5x5x64, pool 2, dense 1024 with dropout one half, ten scores: 3,274,634 parameters."""
    first = (Conv(1, 32, 5), Pool(2, 2), Relu(), Conv(32, 64, 5), Pool(2, 2), Relu(), Flatten())
    return Model((*first, Dense(3136, 1024), Relu(), Dropout(0.5), Dense(1024, 10)), (28, 28, 1))


def cifar() -> Model:
    """5x5x64, pool 3/2, normalised, 5x5x64, normalised, pool 3/2, dense 384 and 192, ten scores: 1,068,298 parameters."""
    first = (Conv(3, 64, 5), Pool(3, 2), Relu(), ResponseNorm())
    second = (Conv(64, 64, 5), Relu(), ResponseNorm(), Pool(3, 2), Flatten())
    return Model((*first, *second, Dense(2304, 384), Relu(), Dense(384, 192), Relu(), Dense(192, 10)), (24, 24, 3))


def digits() -> Model:
    """3x3x8, pool 2, 3x3x16, pool 2, dense 32, ten scores, on scikit-learn's 8x8 digits: 3,658 parameters."""
    first = (Conv(1, 8, 3), Pool(2, 2), Relu(), Conv(8, 16, 3), Pool(2, 2), Relu(), Flatten())
    return Model((*first, Dense(64, 32), Relu(), Dense(32, 10)), (8, 8, 1))
