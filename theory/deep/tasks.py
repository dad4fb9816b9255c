"""The tasks of sections 4.2 and 4.3: a net, its data, the authors' training, and the height that a level bounds.

Settings are those of the published scripts (danielfreeman11/convex-nets, 31 May 2017), where the text is silent: the level
is of the error on the test set (images) or of the test perplexity (text); the loss that is trained is another one. Batches
are drawn with replacement. All functions are pure; the data are arguments of theirs, because what a function closes over
is compiled into it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from theory.deep import models
from theory.deep.backend import need
from theory.deep.models import Model
from theory.deep.recurrent import Lstm
from theory.numerics import Array
from theory.numerics import validation as check

CHUNK = 250  # images scored at a time
CROP = 24  # CIFAR-10 is cut to this


@dataclass(frozen=True)
class Preset:
    """How the authors' string is run on a task.

    alpha: beads are trained to alpha * level; acceptance, points, insert: the check (`theory.string_sampling.published`);
    block, end_block: steps of training between two looks at the height, of a bead and of an end.
    """

    alpha: float
    acceptance: float
    points: int
    insert: str
    block: int
    end_block: int


class Task(Protocol):
    """What `theory.deep.Deep` asks of a task."""

    preset: Preset

    def __hash__(self) -> int:
        """By identity: what is compiled for a task is kept with it."""

    @property
    def net(self) -> Model | Lstm:
        """With size and weights."""

    @property
    def data(self) -> tuple[Array, ...]:
        """What `loss` and `score` are called with, arrays (N, ...)."""

    @property
    def tested(self) -> int:
        """How many images or words the height is taken over."""

    def draw(self, count: int, *, rng: Any = None) -> Array:
        """Initial parameters (count, size)."""

    def optimiser(self) -> Any:
        """Of optax."""

    def state(self) -> Any:
        """What training carries beside the parameters, before its first step."""

    def loss(self, theta: Any, state: Any, key: Any, data: Any, bead: bool) -> tuple[Any, Any]:
        """The loss of one batch of data under theta (size,), and the state behind it; key: of JAX; bead: or else an end."""

    @property
    def whole(self) -> int:
        """What a score is divided by to give a height."""

    def score(self, theta: Any, data: Any) -> Any:
        """The height of theta (size,), times `whole`."""


def cross_entropy(scores: Any, labels: Any) -> Any:
    """Minus the log of the softmax of scores (N, classes) at labels (N,), (N,)."""
    jax = need("jax")
    return -jax.numpy.take_along_axis(jax.nn.log_softmax(scores), labels[:, None], -1)[:, 0]


@dataclass(frozen=True, eq=False)
class Images:
    """Classification of images: the height is the share of the test set that is wrong (a score that is not finite is).

    X (N, H, W, C), y (N,): for training; X_test (N, H, W, C), y_test (N,): the test set. preset: the authors' string; start:
    initial deviation and bias of each layer, as `theory.deep.Model` draws them; train: the optimiser of optax; batch: images in a batch. twice: softmax is applied twice, as the authors do on MNIST.
    prepare: of a batch while training, from the stored numbers (key, X); settle: of the test set, once. decay: of the L2
    penalty on the weights of the layers `decayed`, on ends only.
    """

    net: Model
    X: Array
    y: Array
    X_test: Array
    y_test: Array
    preset: Preset
    start: tuple[tuple[float, float], ...]
    train: Callable[[], Any]
    batch: int = 100
    twice: bool = False
    prepare: Callable[[Any, Any], Any] | None = None
    settle: Callable[[Any], Any] | None = None
    decay: float = 0.0
    decayed: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return f"Images({self.net!r}, {len(self.y)} for training, {len(self.y_test)} for testing)"

    @cached_property
    def inputs(self) -> Array:
        """The test images as the net takes them, (N, *net.input_shape), float32."""
        return np.asarray(self.X_test if self.settle is None else self.settle(self.X_test), dtype=np.float32)

    @cached_property
    def data(self) -> tuple[Array, ...]:
        """(X, y, X_test, y_test); the test set in chunks (k, CHUNK, ...), filled up with label -1."""
        X = self.inputs
        size = min(CHUNK, len(X))
        spare = -len(X) % size
        X = np.concatenate([X, np.zeros((spare, *X.shape[1:]), X.dtype)])
        y = np.concatenate([self.y_test, np.full(spare, -1)]).astype(np.int32)
        return self.X, self.y.astype(np.int32), X.reshape(-1, size, *X.shape[1:]), y.reshape(-1, size)

    @property
    def tested(self) -> int:
        """How many images the height is taken over."""
        return len(self.y_test)

    def draw(self, count: int, *, rng: Any = None) -> Array:
        """Initial parameters (count, size), float32."""
        return self.net.draw(count, self.start, rng=rng)

    def optimiser(self) -> Any:
        """Of optax."""
        return self.train()

    def state(self) -> Any:
        """Nothing is carried."""
        return ()

    def loss(self, theta: Any, state: Any, key: Any, data: Any, bead: bool) -> tuple[Any, Any]:
        """The mean cross-entropy of one batch of data under theta (size,), with dropout; state: ().

        key: of JAX; bead: beads have no L2 penalty.
        """
        jax = need("jax")
        choose, change, drop = jax.random.split(key, 3)
        X, y = data[:2]
        rows = jax.random.randint(choose, (self.batch,), 0, len(X))
        images = X[rows] if self.prepare is None else self.prepare(change, X[rows])
        scores = self.net(theta, images, drop)
        value = cross_entropy(jax.nn.softmax(scores) if self.twice else scores, y[rows]).mean()
        for k in () if bead else self.decayed:
            value += self.decay * (self.net.layers[k].parts(theta[self.net.slices[k]])[0] ** 2).sum()
        return value, state

    @property
    def whole(self) -> int:
        """A height is a share of the test set: counts are exact in any precision."""
        return len(self.y_test)

    def score(self, theta: Any, data: Any) -> Any:
        """How many images of the test set in data theta (size,) gets wrong."""
        jax = need("jax")
        X, y = data[2:]

        def chunk(wrong: Any, part: Any) -> tuple[Any, None]:
            scores, labels = self.net(theta, part[0]), part[1]
            bad = (scores.argmax(-1) != labels) | ~jax.numpy.isfinite(scores).all(-1)
            return wrong + (bad & (labels >= 0)).sum(), None

        return jax.lax.scan(chunk, 0, (X, y))[0]


@dataclass(frozen=True, eq=False)
class Text:
    """Prediction of the next word: the height is the perplexity of the test text.

    train (n,), test (n,): word numbers; preset: the authors' string; streams: how many pieces of the text are read side by side; steps: over how many words
    gradients go back. Training begins every chunk with an empty state, as the published script does (it means to carry
    it, and overwrites the handle); the test carries it. The rate halves with every epoch after the fifth.
    ValueError where a text is too short for one chunk, or a number is not one of the vocabulary's.
    """

    net: Lstm
    train: Array
    test: Array
    preset: Preset
    streams: int = 20
    steps: int = 20

    def __post_init__(self) -> None:
        check.positive_integer(self.streams, "streams")
        check.positive_integer(self.steps, "steps")
        for name in ("train", "test"):
            words = check.stored_array(getattr(self, name), name)
            least = self.streams * (self.steps + 1)
            if words.ndim != 1 or len(words) < least:
                raise ValueError(
                    f"{name} must have at least {least} words, one after the other; got shape {words.shape}"
                )
            if words.dtype.kind not in "iu":
                raise ValueError(f"{name} must hold word numbers, integers; got {words.dtype}")
            if words.min() < 0 or words.max() >= self.net.vocabulary:
                raise ValueError(
                    f"{name} must hold word numbers 0 to {self.net.vocabulary - 1}; got {words.min()} to {words.max()}"
                )

    def __repr__(self) -> str:
        return f"Text({self.net!r}, {len(self.train)} words for training, {len(self.test)} for testing)"

    @cached_property
    def data(self) -> tuple[Array, ...]:
        """Chunks (k, streams, steps + 1) of both texts; neighbours share one word."""
        return self._chunks(self.train), self._chunks(self.test)

    def _chunks(self, words: Array) -> Array:
        columns = len(words) // self.streams
        rows = np.asarray(words, dtype=np.int32)[: columns * self.streams].reshape(self.streams, columns)
        starts = range(0, columns - self.steps, self.steps)
        return np.stack([rows[:, k : k + self.steps + 1] for k in starts])

    @property
    def tested(self) -> int:
        """How many words the height is taken over."""
        return self.data[1][..., 1:].size

    def draw(self, count: int, *, rng: Any = None) -> Array:
        """Initial parameters (count, size), float32."""
        return self.net.draw(count, rng=rng)

    def optimiser(self) -> Any:
        """SGD with rate 1, halved each epoch after the fifth; gradients clipped at norm 5."""
        optax, epoch = need("optax"), len(self.data[0])
        rate = lambda step: 0.5 ** need("jax.numpy").maximum(step // epoch - 4, 0)  # noqa: E731
        return optax.chain(optax.clip_by_global_norm(5.0), optax.sgd(rate))

    def state(self) -> Any:
        """The number of the next chunk."""
        return need("jax.numpy").zeros((), "int32")

    def loss(self, theta: Any, state: Any, key: Any, data: Any, bead: bool) -> tuple[Any, Any]:
        """Minus the log likelihood of the next chunk of data under theta (size,), summed over steps.

        state: its number. key and bead do not matter here.
        """
        words = data[0][state % len(data[0])]
        return self.net(theta, self.net.rest(self.streams), words)[0].sum(0).mean(), state + 1

    @property
    def whole(self) -> int:
        """Perplexity is no share."""
        return 1

    def score(self, theta: Any, data: Any) -> Any:
        """The perplexity of the test text in data under theta (size,)."""
        jax = need("jax")

        def chunk(state: Any, words: Any) -> tuple[Any, Any]:
            losses, state = self.net(theta, state, words)
            return state, losses.mean()

        return jax.numpy.exp(jax.lax.scan(chunk, self.net.rest(self.streams), data[1])[1].mean())


def _images(name: str, X: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Images of this shape, as they are stored (bytes) or between 0 and 1."""
    X = check.stored_array(X, name)
    if X.ndim == len(shape) and shape[-1] == 1:
        X = X[..., None]
    if X.shape[1:] != shape or not len(X):
        raise ValueError(f"{name} must be images {shape}; got shape {X.shape}")
    if X.dtype != np.uint8:
        X = check.finite_array(X, name)
        if X.min() < 0 or X.max() > 1:
            raise ValueError(f"{name} must be bytes, or numbers between 0 and 1; got {X.min():g} to {X.max():g}")
        X = X.astype(np.float32)
    return X


def _labels(name: str, y: ArrayLike, count: int, classes: int = 10) -> Array:
    """A label from 0 to classes - 1 for each image."""
    y = check.stored_array(y, name)
    if y.shape != (count,) or y.dtype.kind not in "iu":
        raise ValueError(f"{name} must be one integer for each of {count} images; got {y.dtype} of shape {y.shape}")
    if y.min() < 0 or y.max() >= classes:
        raise ValueError(f"{name} must be labels 0 to {classes - 1}; got {y.min()} to {y.max()}")
    return y


def unit(X: Any) -> Any:
    """Bytes as numbers between 0 and 1; others as they are."""
    return X.astype("float32") / 255 if X.dtype == np.uint8 else X


def whiten(X: Any) -> Any:
    """Each image (N, H, W, C) with mean 0 and deviation 1, which is not let below that of one grey level."""
    X = X.astype("float32")
    deviation = X.std((1, 2, 3), keepdims=True)
    least = np.float32(1 / np.sqrt(np.prod(X.shape[1:])))
    return (X - X.mean((1, 2, 3), keepdims=True)) / deviation.clip(least)


def _distort(key: Any, X: Any) -> Any:
    """Random crops, half of them mirrored, contrast between 0.2 and 1.8, whitened (brightness would be undone by that)."""
    jax = need("jax")
    where, mirror, contrast = jax.random.split(key, 3)
    N, room = len(X), X.shape[1] - CROP + 1
    corner, along = jax.random.randint(where, (N, 2), 0, room), np.arange(CROP)
    rows, columns = corner[:, :1] + along, corner[:, 1:] + along
    columns = jax.numpy.where(jax.random.bernoulli(mirror, 0.5, (N, 1)), columns[:, ::-1], columns)
    X = X[np.arange(N)[:, None, None], rows[:, :, None], columns[:, None, :]].astype("float32")
    mean = X.mean((1, 2), keepdims=True)
    return whiten((X - mean) * jax.random.uniform(contrast, (N, 1, 1, 1), minval=0.2, maxval=1.8) + mean)


def mnist(X: ArrayLike, y: ArrayLike, X_test: ArrayLike, y_test: ArrayLike) -> Images:
    """Row (3): X (N, 28, 28) bytes or in [0, 1], y (N,) labels; X_test (N, 28, 28), y_test (N,) alike. Adam 1e-4, softmax twice, dropout.

    ValueError for images of another size and labels out of range.
    """
    X, X_test = (_images(name, value, (28, 28, 1)) for name, value in (("X", X), ("X_test", X_test)))
    y, y_test = _labels("y", y, len(X)), _labels("y_test", y_test, len(X_test))
    preset = Preset(0.98, 1.02, 20, "highest", 550, 100)
    train = lambda: need("optax").adam(1e-4)  # noqa: E731
    prepare = lambda key, images: unit(images)  # noqa: E731
    start = ((0.1, 0.1),) * 4
    return Images(models.mnist(), X, y, X_test, y_test, preset, start, train, 100, True, prepare, unit)


def cifar(X: ArrayLike, y: ArrayLike, X_test: ArrayLike, y_test: ArrayLike) -> Images:
    """Row (4): X (N, 32, 32, 3) bytes, y (N,) labels; X_test (N, 32, 32, 3), y_test (N,) alike. SGD 0.1, a tenth of it every 350 epochs.

    Training images are distorted; test images are the middle 24 x 24, whitened. The L2 penalty is on the first two dense
    layers of ends. ValueError for images of another size and labels out of range.
    """
    X, X_test = (_images(name, value, (32, 32, 3)) for name, value in (("X", X), ("X_test", X_test)))
    y, y_test = _labels("y", y, len(X)), _labels("y_test", y_test, len(X_test))
    preset, batch = Preset(0.98, 1.1, 20, "highest", 100, 100), 128
    train = lambda: need("optax").sgd(need("optax").exponential_decay(0.1, 350 * 50_000 // batch, 0.1, staircase=True))  # noqa: E731
    start = ((0.05, 0.0), (0.05, 0.1), (0.04, 0.1), (0.04, 0.1), (1 / 192, 0.0))
    edge = (32 - CROP) // 2
    middle = lambda images: whiten(images[:, edge : edge + CROP, edge : edge + CROP])  # noqa: E731
    net = models.cifar()
    return Images(net, X, y, X_test, y_test, preset, start, train, batch, False, _distort, middle, 0.002, (9, 11))


def digits(X: ArrayLike, y: ArrayLike, X_test: ArrayLike, y_test: ArrayLike) -> Images:
    """Row (3) in miniature: X (N, 8, 8) in [0, 1], y (N,) labels; X_test (N, 8, 8), y_test (N,) alike. Adam 2e-3.

    ValueError for images of another size and labels out of range.
    """
    X, X_test = (_images(name, value, (8, 8, 1)) for name, value in (("X", X), ("X_test", X_test)))
    y, y_test = _labels("y", y, len(X)), _labels("y_test", y_test, len(X_test))
    preset = Preset(0.98, 1.02, 20, "highest", 10, 10)
    train = lambda: need("optax").adam(2e-3)  # noqa: E731
    prepare = lambda key, images: unit(images)  # noqa: E731
    start = ((0.1, 0.1),) * 4
    return Images(models.digits(), X, y, X_test, y_test, preset, start, train, prepare=prepare, settle=unit)


def text(
    train: ArrayLike, test: ArrayLike, *, vocabulary: int = 10_000, width: int = 200, interval: int | None = None
) -> Text:
    """Row (5): train and test are word numbers (n,) below `vocabulary`; the LSTM of this width. SGD, clipped.

    interval: steps between two looks at a height, of beads and of ends (default: an epoch).

    ValueError where a text is too short, or a number is not one of the vocabulary's.
    """
    train, test = check.stored_array(train, "train"), check.stored_array(test, "test")
    task = Text(Lstm(vocabulary, width), train, test, Preset(0.98, 1.1, 20, "middle", 1, 1))
    block = len(task.data[0]) if interval is None else check.positive_integer(interval, "interval")
    return replace(task, preset=replace(task.preset, block=block, end_block=block))
