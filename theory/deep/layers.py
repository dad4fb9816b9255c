"""Layers of the convolutional nets of section 4.2, as pure functions of their slice of the flat parameter vector.

Images are (N, H, W, C); a convolution's weights are (kernel, kernel, in, out), a dense layer's (in, out), each row-major,
and the bias comes last. Every layer has

    shapes                  of its weights and of its bias; () where it has no parameters
    output(shape)           the shape of one image behind it; ValueError where `shape` does not fit
    apply(theta, x, key)    the layer itself, on its slice theta (size,) and x (N, *shape); key: of JAX, while training

"SAME" pads as TensorFlow does: ceil(side / stride) windows, and of an odd amount of padding the larger part behind.
While training a convolution is patches and one matrix product: over many parameter vectors at once that is one batched
product, whose gradient costs a tenth of that of XLA's batched convolution on a processor. Scored it is XLA's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from theory.deep.backend import need
from theory.numerics import validation as check

PADDINGS = ("SAME", "VALID")
Shape = tuple[int, ...]


class Layer:
    """What all layers share; one without parameters needs nothing more than `apply`."""

    shapes: ClassVar[Any] = ()

    @property
    def size(self) -> int:
        """How many parameters the layer has."""
        return sum(math.prod(shape) for shape in self.shapes)

    def output(self, shape: Shape) -> Shape:
        """The shape of one image behind the layer, for images of `shape`."""
        return shape

    def apply(self, theta: Any, x: Any, key: Any = None) -> Any:
        """The layer on x (N, *shape), with its parameters theta (size,); key: randomness while training, or None."""
        raise NotImplementedError

    def parts(self, theta: Any) -> tuple[Any, Any]:
        """Weights and bias out of theta (..., size), as views."""
        weights, bias = self.shapes
        size = math.prod(weights)
        lead = theta.shape[:-1]
        return theta[..., :size].reshape(*lead, *weights), theta[..., size:].reshape(*lead, *bias)


def windows(side: int, size: int, stride: int, padding: str) -> tuple[int, int, int]:
    """How many windows of `size` a side has, and the padding before and behind it."""
    if padding == "VALID":
        return (side - size) // stride + 1, 0, 0
    count = -(-side // stride)
    total = max((count - 1) * stride + size - side, 0)
    return count, total // 2, total - total // 2


def shifts(x: Any, size: int, stride: int, padding: str, fill: float) -> list[Any]:
    """The size^2 entries of every window of x (N, H, W, C), each as an image of all windows, row by row.

    stride, padding: as in `windows`; fill: what the padding holds.
    """
    jnp = need("jax.numpy")
    (rows, top, bottom), (columns, left, right) = (windows(n, size, stride, padding) for n in x.shape[1:3])
    if top + bottom + left + right:
        x = jnp.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    tall, wide = (rows - 1) * stride + 1, (columns - 1) * stride + 1
    return [x[:, i : i + tall : stride, j : j + wide : stride] for i in range(size) for j in range(size)]


@dataclass(frozen=True)
class Conv(Layer):
    """A convolution with a square kernel, from width_in channels to width_out, and a bias.

    stride, padding: see `windows`.
    """

    width_in: int
    width_out: int
    kernel: int
    stride: int = 1
    padding: str = "SAME"

    def __post_init__(self) -> None:
        for name in ("width_in", "width_out", "kernel", "stride"):
            check.positive_integer(getattr(self, name), name)
        check.choice(self.padding, "padding", PADDINGS)

    @property
    def shapes(self) -> tuple[Shape, Shape]:
        """Of the weights and of the bias."""
        return (self.kernel, self.kernel, self.width_in, self.width_out), (self.width_out,)

    def output(self, shape: Shape) -> Shape:
        """(H, W, width_in) -> (H', W', width_out); ValueError for any other shape."""
        if len(shape) != 3 or shape[2] != self.width_in:
            raise ValueError(f"layers: {self} needs images (H, W, {self.width_in}); got {shape}")
        sides = [windows(side, self.kernel, self.stride, self.padding)[0] for side in shape[:2]]
        if min(sides) < 1:
            raise ValueError(f"layers: {self} is larger than its images {shape}")
        return (*sides, self.width_out)

    def apply(self, theta: Any, x: Any, key: Any = None) -> Any:
        """Sums over windows, plus the bias."""
        weights, bias = self.parts(theta)
        if key is None:
            order = ("NHWC", "HWIO", "NHWC")
            stride = (self.stride, self.stride)
            return (
                need("jax.lax").conv_general_dilated(x, weights, stride, self.padding, dimension_numbers=order) + bias
            )
        patches = need("jax.numpy").concatenate(shifts(x, self.kernel, self.stride, self.padding, 0.0), axis=-1)
        return patches @ weights.reshape(-1, self.width_out) + bias


@dataclass(frozen=True)
class Pool(Layer):
    """The largest value of every window, with padding that never wins."""

    window: int
    stride: int
    padding: str = "SAME"

    def __post_init__(self) -> None:
        check.positive_integer(self.window, "window")
        check.positive_integer(self.stride, "stride")
        check.choice(self.padding, "padding", PADDINGS)

    def output(self, shape: Shape) -> Shape:
        """(H, W, C) -> (H', W', C); ValueError for any other shape."""
        if len(shape) != 3:
            raise ValueError(f"layers: {self} needs images (H, W, C); got {shape}")
        sides = [windows(side, self.window, self.stride, self.padding)[0] for side in shape[:2]]
        if min(sides) < 1:
            raise ValueError(f"layers: {self} is larger than its images {shape}")
        return (*sides, shape[2])

    def apply(self, theta: Any, x: Any, key: Any = None) -> Any:
        """The maximum over the entries of every window."""
        jnp = need("jax.numpy")
        first, *others = shifts(x, self.window, self.stride, self.padding, -jnp.inf)
        for other in others:
            first = jnp.maximum(first, other)
        return first


@dataclass(frozen=True)
class Relu(Layer):
    """The positive part."""

    def apply(self, theta: Any, x: Any, key: Any = None) -> Any:
        """max(x, 0)."""
        return need("jax.numpy").maximum(x, 0)


@dataclass(frozen=True)
class Flatten(Layer):
    """Images as vectors, row-major."""

    def output(self, shape: Shape) -> Shape:
        """(H, W, C) -> (H W C,)."""
        return (math.prod(shape),)

    def apply(self, theta: Any, x: Any, key: Any = None) -> Any:
        """x (N, ...) -> (N, n)."""
        return x.reshape(len(x), -1)


@dataclass(frozen=True)
class Dense(Layer):
    """An affine map."""

    n_in: int
    n_out: int

    def __post_init__(self) -> None:
        check.positive_integer(self.n_in, "n_in")
        check.positive_integer(self.n_out, "n_out")

    @property
    def shapes(self) -> tuple[Shape, Shape]:
        """Of the weights and of the bias."""
        return (self.n_in, self.n_out), (self.n_out,)

    def output(self, shape: Shape) -> Shape:
        """(n_in,) -> (n_out,); ValueError for any other shape."""
        if shape != (self.n_in,):
            raise ValueError(f"layers: {self} needs vectors ({self.n_in},); got {shape}")
        return (self.n_out,)

    def apply(self, theta: Any, x: Any, key: Any = None) -> Any:
        """x W + b."""
        weights, bias = self.parts(theta)
        return x @ weights + bias


@dataclass(frozen=True)
class ResponseNorm(Layer):
    """Local response normalisation (Krizhevsky 2012): x (bias + alpha sum of x^2 over channels within radius)^-beta."""

    radius: int = 4
    bias: float = 1.0
    alpha: float = 0.001 / 9.0
    beta: float = 0.75

    def __post_init__(self) -> None:
        check.positive_integer(self.radius, "radius", minimum=0)
        check.number(self.bias, "bias", minimum=0.0, open_minimum=True)
        check.number(self.alpha, "alpha", minimum=0.0)
        check.number(self.beta, "beta")

    def apply(self, theta: Any, x: Any, key: Any = None) -> Any:
        """The sum over neighbours is one product with a band matrix."""
        jnp = need("jax.numpy")
        x, channel = jnp.asarray(x), jnp.arange(x.shape[-1])
        band = (abs(channel[:, None] - channel) <= self.radius).astype(x.dtype)
        return x * (self.bias + self.alpha * ((x * x) @ band)) ** -self.beta


@dataclass(frozen=True)
class Dropout(Layer):
    """While training, each entry is zero with probability `rate` and the others are scaled up; off when scored."""

    rate: float

    def __post_init__(self) -> None:
        check.number(self.rate, "rate", minimum=0.0, maximum=0.99)

    def apply(self, theta: Any, x: Any, key: Any = None) -> Any:
        """x itself without a key."""
        if key is None:
            return x
        kept = need("jax.random").bernoulli(key, 1 - self.rate, x.shape)
        return x * kept / (1 - self.rate)
