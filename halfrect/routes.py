"""What can be tried between two nets, cheapest first, and what each gave: theorems where they apply, then strings.

Every path is certified (`theory.maxima`). Trying ends when a path stays at the larger end, which none can undercut, or
at the level that was asked for.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from halfrect.matching import aligned
from theory import deep_paths, exchange, geodesics, linear_paths, pivots, relu_paths, string_sampling
from theory.maxima import Maximum, PathMaximum, path_maximum, point_bounds, segment_maximum
from theory.numerics import Array
from theory.paths import Path
from theory.risk import Risk

# A maximum within a HAIR of the larger end counts as equal to it; so does a root of the risk within a HAIR of the larger
# one in units of the root of the risk of the zero net, for nets that interpolate.
HAIR = 1e-9
GAP, CELLS = 1e-3, 2_000  # how closely a maximum that needs branch and bound is enclosed
HALVINGS = 4  # of the gap between the larger end and what is certified, when strings fail at the larger end
# Effort: operations (about a minute's) for each string and for the shortening, which take many Gauss-Newton steps; below
# so many steps nothing is tried. A setting of patience: whatever it is, what is found is certified.
EFFORT, EVALUATIONS, FEWEST = 2e12, 2_000, 100
BEADS, SWEEPS = 16, 4  # of the shortening


class NotTried(ValueError):
    """A route does not apply; the message says why."""


@dataclass(frozen=True, eq=False, repr=False)
class Tried:
    """What one route gave: a certified path to net_b, or the reason why there is none.

    name: one of ROUTES; maximum: of the path, certified. Of a line to a renamed net_b there is a maximum and no path.
    reason: why there is no path, or a remark; seconds: to build and certify.
    """

    name: str
    path: Path | None = None
    maximum: PathMaximum | Maximum | None = None
    reason: str = ""
    seconds: float = 0.0

    @property
    def upper(self) -> float:
        """The bound on the maximum over a path to net_b; inf where there is none."""
        return math.inf if self.path is None or self.maximum is None else self.maximum.upper

    def __repr__(self) -> str:
        what = "no path" if self.maximum is None else f"maximum <= {self.maximum.upper:.6g}"
        length = "" if self.path is None else f", length {self.path.normalised_length:.3g}"
        return f"Tried({self.name}: {what}{length}{f'; {self.reason}' if self.reason else ''})"


@dataclass(frozen=True, eq=False)
class Task:
    """Two nets to be joined: theta_a, theta_b (P,), the target that ends the search, a random generator for strings."""

    risk: Risk
    theta_a: Array
    theta_b: Array
    target: float
    rng: np.random.Generator


def larger_end(risk: Risk, theta_a: Array, theta_b: Array) -> float:
    """A bound on the larger of both risks, and a HAIR more: the level that a path cannot undercut by more."""
    ends = np.stack([theta_a, theta_b])
    upper = float(np.max(point_bounds(risk, ends, ends, np.zeros(2))[1]))
    return upper * (1 + HAIR) + HAIR**2 * risk.scale


def tried(task: Task) -> tuple[Tried, ...]:
    """What all routes give for a task, in turn until one reaches its target; then the best path is shortened in place."""
    found: list[Tried] = []
    for name, route in ROUTES.items():
        began = time.perf_counter()
        try:
            results = list(route(task, min((t.upper for t in found), default=math.inf)))
        except (NotTried, ValueError, RuntimeError) as error:
            results = [Tried(name, reason=" ".join(str(error).split()))]
        seconds = (time.perf_counter() - began) / len(results)
        found += [Tried(name, t.path, t.maximum, t.reason, seconds) for t in results]
        if any(t.upper <= task.target for t in found):
            break
    best = found.index(best_of(found))
    found[best] = _shortened(task, found[best])
    return tuple(found)


def best_of(found: list[Tried] | tuple[Tried, ...]) -> Tried:
    """The path with the lowest bound of those found; of those a HAIR apart the shortest."""
    least = min(t.upper for t in found)
    return min(
        (t for t in found if t.upper <= least * (1 + 2 * HAIR)), key=lambda t: t.path.length if t.path else math.inf
    )


def _straight(task: Task, best: float) -> Iterator[Tried]:
    line = relu_paths.line(task.theta_a, task.theta_b, "straight line")
    yield Tried("straight", line, _along(task.risk, line))


def _aligned(task: Task, best: float) -> Iterator[Tried]:
    network = task.risk.network
    if network.depth == 1:
        raise NotTried("there are no hidden units to rename")
    renamed = aligned(network, task.theta_a, task.theta_b)
    if np.array_equal(renamed, task.theta_b):
        raise NotTried("the units of both nets match as they are")
    found = segment_maximum(task.risk, task.theta_a, renamed, gap=GAP, budget=CELLS)
    yield Tried("aligned", None, found, "it ends at net_b with its units renamed: the same function, another point")


def _exchange(task: Task, best: float) -> Iterator[Tried]:
    path = exchange.connect(task.risk, task.theta_a, task.theta_b)
    yield Tried("exchange", path, exchange.report(task.risk, path).maximum)


def _pivots(task: Task, best: float) -> Iterator[Tried]:
    path = pivots.connect(task.risk, task.theta_a, task.theta_b)
    yield Tried("pivots", path, _along(task.risk, path))


def _linear(task: Task, best: float) -> Iterator[Tried]:
    if task.risk.network.activation != "identity":
        raise NotTried(f"the activation is {task.risk.network.activation}, not identity")
    if task.risk.network.bias:
        raise NotTried(
            "linear paths move the constant unit that would carry the biases: a net without biases is needed"
        )
    path = linear_paths.connect(task.risk, task.theta_a, task.theta_b)
    yield Tried("linear", path, _along(task.risk, path))


def _relu(task: Task, best: float) -> Iterator[Tried]:
    """Without biases all routes; with biases those that leave the constant unit where it is."""
    risk, a, b = task.risk, task.theta_a, task.theta_b
    net = risk.network
    if net.depth != 2 or net.activation != "relu" or net.widths[-1] != 1 or risk.loss != "squared":
        raise NotTried("it is for one hidden ReLU layer, one output and squared loss")
    if not net.bias:
        table = relu_paths.routes(risk, a, b, names=relu_paths.ROUTES[1:], rng=task.rng)
        path = table.best.path
        assert path is not None
        yield Tried("relu", path, _along(risk, path), f"route {table.best.name}")
        return
    plain, plain_a = risk.without_biases(a)
    plain_b = net.without_biases(b)[1]
    try:
        path = relu_paths.routes(plain, plain_a, plain_b, names=KEEPING, rng=task.rng).best.path
        assert path is not None
        back = Path(plain.network.with_biases(path.points)[1], path.labels)
    except ValueError as error:
        raise NotTried(
            "no route of relu_paths that applies keeps the unit that stands for the biases, so none can be put back; "
            "routes 'deep' and 'strings' take biases as they are"
        ) from error
    yield Tried("relu", back, _along(risk, back), "biases absorbed and put back")


KEEPING = ("permutation", "caratheodory")


def _deep(task: Task, best: float) -> Iterator[Tried]:
    found = deep_paths.connect(task.risk, task.theta_a, task.theta_b, rng=task.rng)
    yield Tried("deep", found.path, found.maximum, f"the theorem promises {found.promised:.6g}")


def _strings(task: Task, best: float) -> Iterator[Tried]:
    """Greedy strings at the target; where they fail, at levels between it and the best that is certified."""
    steps = _steps(task.risk)
    if steps < FEWEST:
        raise NotTried(
            f"{task.risk.network.size} parameters on {len(task.risk.sample)} samples: strings would take minutes. Ask "
            "theory.string_sampling.greedy(..., trainer='adam') for one"
        )
    if task.target <= HAIR * task.risk.scale:
        raise NotTried("both risks are zero up to rounding: there is no level above them to pull a string to")
    low, high, level, reason = task.target, best, task.target, ""
    kept: string_sampling.StringResult | None = None
    for _ in range(1 + HALVINGS):
        found = string_sampling.greedy(
            task.risk,
            task.theta_a,
            task.theta_b,
            level,
            rng=task.rng,
            max_evaluations=min(steps, EVALUATIONS),
            attempts=2,
        )
        if found.connected:
            kept, high = found, found.maximum.upper
        else:
            low, reason = level, reason or f"at the level {level:.6g}: {found.status.value}"
        if high <= task.target or not math.isfinite(high):
            break
        level = (low + high) / 2
    if kept is None:
        raise NotTried(reason)
    assert kept.path is not None
    yield Tried("strings", kept.path, kept.maximum, reason)


ROUTES: dict[str, Callable[[Task, float], Iterator[Tried]]] = {
    "straight": _straight,  # the straight line
    "aligned": _aligned,  # the straight line after renaming the units of net_b
    "exchange": _exchange,  # N + 1 units in every hidden layer: exchange one by one (theory.exchange)
    "pivots": _pivots,  # one hidden layer wide enough: the simplex method (theory.pivots)
    "linear": _linear,  # Proposition 2.2: linear networks (theory.linear_paths)
    "relu": _relu,  # Theorem 2.4: one hidden ReLU layer (theory.relu_paths)
    "deep": _deep,  # Theorem 2.4 at any depth (theory.deep_paths)
    "strings": _strings,  # Dynamic String Sampling, Algorithm 1 (theory.string_sampling)
}


def _steps(risk: Risk) -> int:
    """How many Gauss-Newton steps EFFORT pays for: the matrix J J^T of each, and its eigenvalues."""
    parameters, outputs = risk.network.size, len(risk.sample) * risk.network.widths[-1]
    return int(EFFORT / (parameters**2 * (outputs + 10.0 * parameters)))


def _along(risk: Risk, path: Path) -> PathMaximum:
    return path_maximum(risk, path, gap=GAP, budget=CELLS)


def _shortened(task: Task, best: Tried) -> Tried:
    """The same route with a shorter path at no higher level, where one is found."""
    assert best.maximum is not None
    assert best.path is not None
    level = max(best.maximum.upper, task.target)
    if len(best.path) < 2 or level <= 0 or _steps(task.risk) < 5 * FEWEST:
        return best
    began = time.perf_counter()
    try:
        shorter = geodesics.geodesic(task.risk, best.path, level, beads=BEADS, sweeps=SWEEPS)
    except ValueError:  # at this level the pieces are not certified once more
        return best
    if not shorter.path.length < best.path.length:
        return best
    remark = f"shortened from {shorter.before:.3g} to {shorter.after:.3g} times the straight line"
    reason = "; ".join(filter(None, [best.reason, remark]))
    return Tried(best.name, shorter.path, shorter.maximum, reason, best.seconds + time.perf_counter() - began)
