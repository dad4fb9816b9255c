"""The landscape of a deep net (section 4): heights on a test set, looked at on a grid; stochastic training.

Nothing is proved here unless a certificate is given: strings are accepted, never called connected. Parameters come and go as
NumPy arrays; inside they are float32, many vectors at a time, padded so that few sizes are compiled. Heights
are computed in float32 on every device: JAX's own products on a GPU have ten bits of each factor, which is left to training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from threading import Lock
from typing import Any

import numpy as np

from theory import maxima
from theory.deep.backend import need
from theory.deep.certificates import CertifiedError
from theory.deep.tasks import Task
from theory.deep.together import Together
from theory.landscapes import Seen, Trained
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path

_ALONE = Lock()
Certificate = Callable[[Array, Array], CertifiedError]  # bounds on the largest height along one piece a -> b


@dataclass(frozen=True, eq=False)
class Ends:
    """Nets trained for strings: the first ones met below each of L levels, of `count` runs.

    points (L, count, P), nan where a level was not reached; heights (L, count); steps (L, count), -1 where not reached.
    """

    points: Array
    heights: Array
    steps: Array

    def __repr__(self) -> str:
        reached = int((self.steps >= 0).sum())
        return f"Ends({reached} of {self.steps.size} levels reached, at most {self.steps.max()} steps)"


class _Engine:
    """The compiled functions of a task, and its data where they run."""

    def __init__(self, task: Task) -> None:
        jax, self.data = need("jax"), tuple(need("jax.numpy").asarray(part) for part in task.data)
        optimiser, slope = task.optimiser(), jax.grad(task.loss, has_aux=True)

        def one(theta: Any, carried: Any, key: Any, data: Any, bead: bool, steps: int) -> Any:
            def step(now: Any, key: Any) -> tuple[Any, None]:
                theta, (moments, state) = now
                gradient, state = slope(theta, state, key, data, bead)
                move, moments = optimiser.update(gradient, moments, theta)
                return (theta + move, (moments, state)), None

            return jax.lax.scan(step, (theta, carried), jax.random.split(jax.random.wrap_key_data(key), steps))[0]

        @partial(jax.jit, static_argnames=("bead", "steps"))
        def block(thetas: Any, carried: Any, keys: Any, data: Any, bead: bool, steps: int) -> Any:
            run = partial(one, bead=bead, steps=steps)
            return jax.vmap(run, (0, 0, 0, None))(thetas, carried, keys, data)

        def score(theta: Any, data: Any) -> Any:
            with jax.default_matmul_precision("float32"):
                return task.score(theta, data)

        over = jax.lax.map
        self.block = block
        self.fresh = jax.jit(jax.vmap(lambda theta: (optimiser.init(theta), task.state())))
        self.score = jax.jit(lambda thetas, data: over(lambda theta: score(theta, data), thetas))
        self.along = jax.jit(lambda a, b, t, data: over(lambda s: score(a + s * (b - a), data), t))


@lru_cache(maxsize=2)
def _made(task: Task) -> _Engine:
    return _Engine(task)


def _engine(task: Task) -> _Engine:
    """Compiled once for all landscapes of a task."""
    with _ALONE:
        return _made(task)


def _called(function: Any, *arguments: Any) -> Any:
    """What a compiled function gives; threads compile it once, not each for itself."""
    with _ALONE:
        return function(*arguments)


class Deep:
    """A task as a landscape.

    task: of `theory.deep.tasks`. block: steps between two looks at a bead's height (default: the task's preset); blocks: how
    many of them before a bead is given up (the authors have no limit on MNIST). rng: of the batches; the same seed and the
    same calls give the same result. certificate(a, b): bounds on the height along a piece, where there are any, such as
    `theory.deep.certified_error`. together: with whom blocks are shared.
    ValueError for numbers out of range.
    """

    def __init__(
        self,
        task: Task,
        *,
        block: int | None = None,
        blocks: int = 40,
        rng: Any = None,
        certificate: Certificate | None = None,
        together: Together | None = None,
    ) -> None:
        self.task, self.certificate, self.together = task, certificate, together
        self.block = check.positive_integer(task.preset.block if block is None else block, "block")
        self.blocks = check.positive_integer(blocks, "blocks")
        self._rng = check.generator(rng)

    def __repr__(self) -> str:
        return f"Deep({self.task!r}, beads looked at every {self.block} steps)"

    @property
    def size(self) -> int:
        """How many parameters the net has."""
        return self.task.net.size

    @property
    def weights(self) -> Array:
        """(size,): True for weights, False for biases."""
        return self.task.net.weights

    def batch(self, thetas: Array) -> Array:
        """The heights (B,) of thetas (B, size); inf where they are not finite."""
        engine, padded = _engine(self.task), _padded(np.asarray(thetas, dtype=np.float32))
        return _heights(_called(engine.score, padded, engine.data), self.task)[: len(thetas)]

    def rounding(self, thetas: Array) -> Array:
        """(B,) zeros for thetas (B, size): the height that is meant is the one that is computed."""
        return np.zeros(len(thetas))

    def look(self, a: Array, b: Array, t: Array | None = None) -> Seen:
        """The highest point of each piece a -> b (S, size) at the parameters t (k,) (default: those of the preset)."""
        grid = np.arange(self.task.preset.points) / self.task.preset.points if t is None else t
        low, high = (np.asarray(ends, dtype=np.float32) for ends in (a, b))
        engine, t = _engine(self.task), np.asarray(grid, dtype=np.float32)
        tops = (_called(engine.along, x, y, t, engine.data) for x, y in zip(low, high))
        heights = np.array([_heights(found, self.task) for found in tops])
        best = heights.reshape(len(a), len(grid)).argmax(axis=1)
        return Seen(grid[best], heights.reshape(len(a), len(grid))[np.arange(len(a)), best], heights.size)

    def bound(self, a: Array, b: Array, ceiling: float) -> maxima.Maxima:
        """The certificate's bounds on the pieces a -> b (S, size), else what is seen of them (ceiling: not used)."""
        if self.certificate is None:
            seen, none = self.look(a, b), np.full(len(a), np.inf)
            method, status = maxima.Method.SAMPLED, maxima.Status.SAMPLED
            return maxima.Maxima(seen.top, none, seen.t, (method,) * len(a), (status,) * len(a))
        found = [self.certificate(x, y) for x, y in zip(a, b)]
        value, upper, t = (np.array([getattr(one, key) for one in found]) for key in ("lower", "upper", "t"))
        method, status = maxima.Method.BRANCH_AND_BOUND, maxima.Status.DECIDED
        return maxima.Maxima(value, upper, t, (method,) * len(a), (status,) * len(a))

    def maximum(self, path: Path) -> maxima.PathMaximum | None:
        """What the certificate proves of a path; None without one."""
        if self.certificate is None:
            return None
        found = self.bound(path.points[:-1], path.points[1:], np.inf)
        piece, top = int(found.value.argmax()), int(found.upper.argmax())
        t = (piece + found.t[piece]) / len(path)
        return maxima.PathMaximum(
            float(found.value[piece]), float(found.upper[top]), float(t), piece, found.method[top], found.status[top]
        )

    def train(
        self,
        starts: Array,
        target: float,
        *,
        radius: Array | None = None,
        iterations: int | None = None,
        fallback: bool = True,
    ) -> Trained:
        """Beads `starts` (B, size), each for at least one block and until its height is below the target.

        radius (B,), fallback: of trainers that have a trust region, or others to fall back on; this one has not. iterations: blocks,
        in place of the landscape's own number.
        """
        thetas = np.array(starts, dtype=np.float32)
        heights, waiting, count = np.full(len(thetas), np.inf), np.arange(len(thetas)), 0
        carried = _called(_engine(self.task).fresh, _padded(thetas)) if len(thetas) else None
        for _ in range(self.blocks if iterations is None else iterations):
            thetas[waiting], carried = self._advance(thetas[waiting], carried, True, self.block)
            heights[waiting] = self.batch(thetas[waiting])
            count += len(waiting)
            kept = np.flatnonzero(~(heights[waiting] < target))
            if kept.size == 0:
                break
            if kept.size < len(waiting):
                carried = _rows(carried, _padded(kept))
            waiting = waiting[kept]
        names = np.full(len(thetas), "stochastic", dtype="<U10")
        return Trained(thetas.astype(float), heights, heights < target, names, count)

    def _advance(self, thetas: Array, carried: Any, bead: bool, steps: int) -> tuple[Array, Any]:
        """Vectors (B, size) after so many steps, and what training carries of them and of the padding."""
        random, engine, padded = need("jax.random"), _engine(self.task), _padded(thetas)
        keys = random.key_data(random.split(random.key(int(self._rng.integers(2**31))), len(padded)))

        def block(*rows: Any) -> tuple[Any, Any]:
            return engine.block(*need("jax").tree.map(_padded, rows), engine.data, bead=bead, steps=steps)

        if self.together is None:
            moved, carried = block(padded, carried, keys)
        else:
            moved, carried = self.together.train((engine, bead, steps), block, padded, carried, keys)
        return np.asarray(moved)[: len(thetas)], carried

    def ends(self, levels: Sequence[float], *, count: int = 2, steps: int) -> Ends:
        """Train `count` nets from their initial draw, and keep each as it first falls below each of the levels (L,).

        Looked at every `end_block` steps of the preset, for at most `steps`. One run serves all levels, so that ends of
        different levels are not independent (the authors train new ones for every level).
        ValueError for levels that are not positive and numbers out of range.
        """
        goals = np.array([check.number(level, "levels", minimum=0.0, open_minimum=True) for level in levels])
        count, steps = check.positive_integer(count, "count"), check.positive_integer(steps, "steps")
        block, thetas = self.task.preset.end_block, self.task.draw(count, rng=self._rng)
        found = Ends(
            np.full((len(goals), count, self.size), np.nan, dtype=np.float32),
            np.full((len(goals), count), np.nan),
            np.full((len(goals), count), -1),
        )
        carried = _called(_engine(self.task).fresh, _padded(thetas))
        for step in range(block, steps + 1, block):
            thetas, carried = self._advance(thetas, carried, False, block)
            heights = self.batch(thetas)
            for level, row in np.argwhere((heights < goals[:, None]) & (found.steps < 0)):
                found.points[level, row], found.heights[level, row] = thetas[row], heights[row]
                found.steps[level, row] = step
            if (found.steps >= 0).all():
                break
        return found


def _heights(found: Any, task: Task) -> Array:
    """Scores of a task as heights in float64, inf where one is not finite."""
    heights = np.asarray(found, dtype=float) / task.whole
    return np.where(np.isfinite(heights), heights, np.inf)


def _padded(rows: Array) -> Array:
    """Rows (B, ...) up to a power of two, from 8 on to a multiple of 8, the first one repeated."""
    spare = -len(rows) % 8 if len(rows) > 8 else (1 << max(len(rows) - 1, 0).bit_length()) - len(rows)
    return np.concatenate([rows, np.repeat(rows[:1], spare, axis=0)]) if spare and len(rows) else rows


def _rows(tree: Any, rows: Array) -> Any:
    """The rows (K,) of every array of a tree."""
    return need("jax").tree.map(lambda part: part[rows], tree)
