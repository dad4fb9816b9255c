"""A run of Dynamic String Sampling (sec. 3.1): its options, what it reports, and what its algorithms share.

It begins with the straight line, its ends stepped inward where they sit on the level; it ends with a certificate or
with what stood in the way. Throughout string is the `String` under construction, jitter >= 0 the random displacement of
beads, in units of the length of their piece; settings are what `theory.string_sampling.greedy` was called with.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory import maxima
from theory.landscapes import TRAINERS, Exact, Landscape, Objective, Trained, landscape_of
from theory.maxima import Named
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk
from theory.string_sampling.strings import String, Work, joined

LowerBound = Callable[[Any, Array, Array], Any]  # a number, or what has a field `lower`
LARGEST_ENTRY = 1e120  # squares of lengths stay far from overflow


class Status(Named):
    """How a run ended; the value says what is known and what to try next."""

    CONNECTED = "connected: every piece is certified to stay at or below acceptance * level"
    ACCEPTED = "accepted on a grid of points, which certifies nothing: see maximum.upper for the truth"
    BEAD = "not connected within the budget: a bead did not reach alpha * level; raise attempts or alpha, or the level"
    DEPTH = "not connected within the budget: a piece still exceeds the level; raise depth or attempts, or try breadth_first"
    LEVEL = "not connected within the budget: the string stays caught above the level; see height, try another rng or greedy"
    UNDECIDED = "not certified: no point above the level was found, but a bound stays above it; raise level by a hair"
    EVALUATIONS = "not connected within the budget of evaluations: raise it, and resume with start=result.string"
    TIME = "not connected within the time allowed: resume with start=result.string"
    BEADS = "not connected within the allowed number of beads: raise max_beads, and resume with start=result.string"
    INTERRUPTED = "stopped by the caller: resume with start=result.string"
    DISCONNECTED = "disconnected: the certified lower bound on every path's maximum exceeds the level"


@dataclass(frozen=True)
class Options:
    """Settings shared by the algorithms; each can be given to them by keyword.

    trainer: one of `theory.string_sampling.TRAINERS`, tried first (of a risk; a landscape brings its own). alpha in (0, 1]: beads are trained to alpha * level.
    depth >= 0: how many times a piece may be split. split: where a new bead starts on a piece, "middle" (t* = 0.5)
    or "maximum" (the computed maximum). acceptance >= 1: a connection must stay below acceptance * level.
    attempts >= 1: a failed string is begun again with randomly displaced beads. max_evaluations, max_beads: bounds
    on the work (each risk, gradient or Jacobian of one parameter vector counts one). seconds: bound on the time (the
    only setting that makes a run depend on the machine). All three are checked between rounds, so that the last round,
    at most the trainers' iterations for each of its beads, may exceed them. iterations: of each trainer.
    """

    trainer: str = "lm"
    alpha: float = 0.9
    depth: int = 10
    split: str = "middle"
    acceptance: float = 1.0
    attempts: int = 4
    max_evaluations: int = 1_000_000
    max_beads: int = 2_000
    seconds: float | None = None
    iterations: int | None = None

    def __post_init__(self) -> None:
        check.choice(self.trainer, "trainer", TRAINERS)
        check.number(self.alpha, "alpha", minimum=0.0, maximum=1.0, open_minimum=True)
        check.positive_integer(self.depth, "depth", minimum=0)
        check.choice(self.split, "split", ("middle", "maximum"))
        check.number(self.acceptance, "acceptance", minimum=1.0)
        check.positive_integer(self.attempts, "attempts")
        check.positive_integer(self.max_evaluations, "max_evaluations")
        check.positive_integer(self.max_beads, "max_beads", minimum=2)
        if self.seconds is not None:
            check.number(self.seconds, "seconds", minimum=0.0, open_minimum=True)
        if self.iterations is not None:
            check.positive_integer(self.iterations, "iterations")


@dataclass(frozen=True, eq=False)
class Progress:
    """What a callback sees after each round: the round, how many beads, and the worst piece.

    worst: the height of that piece; level: the one aimed at just now; string: a Path that can be saved and resumed.
    """

    round: int
    beads: int
    worst: float
    piece: int
    level: float
    string: Path


Callback = Callable[[Progress], Any]


@dataclass(frozen=True, eq=False, repr=False)
class StringResult:
    """The outcome of a run.

    path: the connection, or None; it is certified, maximum.upper <= acceptance * level. string: the polyline as far as
    it got (the same when connected). maximum: of the string; where not connected its value is the largest risk met on a
    worst piece and upper may be inf. height: lowest level under which the whole string was seen to lie. status: how it
    ended, and what to try. evaluations, rounds; training_seconds and certifying_seconds: where the time went. barrier:
    the certified lower bound on every path's maximum, where one was supplied and needed.
    """

    path: Path | None
    status: Status
    maximum: maxima.PathMaximum
    string: Path
    level: float
    rounds: int
    evaluations: int
    height: float
    training_seconds: float
    certifying_seconds: float
    barrier: float | None = None

    def __repr__(self) -> str:
        if self.connected:
            height = f"risk <= {self.maximum.upper:.5g} certified"
        else:
            height = f"level {self.level:.5g} {'on a grid only' if self.status is Status.ACCEPTED else 'not reached'}"
        length = f"{self.string.normalised_length:.3g} x straight"
        return f"StringResult({self.status.name}, {self.beads} beads, {height}, {length})"

    @property
    def connected(self) -> bool:
        """Whether `path` is a certified connection."""
        return self.status is Status.CONNECTED

    @property
    def beads(self) -> int:
        """How many beads the string has, both ends included."""
        return len(self.string.points)


@dataclass
class Run:
    """One run, made once and carried: what it works on, its options, the work done so far and when to stop.

    landscape; callback: called by `pause`; barrier: asked by `finish`; begun: when, in seconds; rounds: so far.
    """

    landscape: Landscape
    options: Options
    level: float
    rng: np.random.Generator
    callback: Callback | None = None
    barrier: LowerBound | None = None
    work: Work = field(default_factory=Work)
    begun: float = field(default_factory=time.perf_counter)
    rounds: int = 0

    @classmethod
    def begin(
        cls,
        risk: Risk | Landscape,
        theta_a: ArrayLike,
        theta_b: ArrayLike,
        level: float,
        *,
        start: Path | None = None,
        callback: Callback | None = None,
        barrier: LowerBound | None = None,
        rng: Any = None,
        **options: Any,
    ) -> tuple[Run, String, Status | None]:
        """Check the arguments (theta_a, theta_b (P,)), try the straight line, step inward from ends near the level.

        options: the fields of `Options`. Returns the run, the string and, where that is all, how it ended. ValueError for
        a risk, ends, a level, a start or options that are not possible.
        """
        landscape = landscape_of(risk)
        a, b, level = ends_of(landscape, theta_a, theta_b, level)
        chosen = Options(**options)
        check.no_overflow(chosen.acceptance * level, "acceptance * level")  # nothing is above an infinite ceiling
        landscape = landscape_of(risk, trainer=chosen.trainer, iterations=chosen.iterations)
        run = cls(landscape, chosen, level, check.generator(rng), callback, barrier)
        if start is not None:
            _check_start(landscape, start, a, b)
        string = String(landscape, np.stack([a, b]) if start is None else start.points, run.work)
        if not string.outside(run.ceiling).size:
            return run, string, Status.CONNECTED
        for end, value in ((a, string.values[0]), (b, string.values[-1])):
            near = value > (1 - 1e-9) * run.ceiling
            if near and String(landscape, np.stack([end, end]), run.work).outside(run.ceiling).size:
                return run, string, Status.UNDECIDED  # rounding alone leaves it open whether the end is below
        return run, string if start is not None else _step_inward(run, string), None

    @property
    def ceiling(self) -> float:
        """What a connection must stay below."""
        return self.options.acceptance * self.level

    @property
    def spent(self) -> bool:
        """Whether the budget of evaluations is."""
        return self.work.evaluations >= self.options.max_evaluations

    def pause(self, string: String, level: float) -> Status | None:
        """After a round: tell the callback, and say whether a budget is spent."""
        self.rounds += 1
        if self.callback is not None:
            height, piece = string.worst
            if self.callback(Progress(self.rounds, len(string.beads), height, piece, level, string.path)):
                return Status.INTERRUPTED
        options = self.options
        if self.spent:
            return Status.EVALUATIONS
        if len(string.beads) >= options.max_beads:
            return Status.BEADS
        if options.seconds is not None and time.perf_counter() - self.begun >= options.seconds:
            return Status.TIME
        return None

    def train(
        self, starts: Array, target: float, radius: Array, objective: Objective | None = None, *, fallback: bool = True
    ) -> Trained:
        """Train beads with the run's trainer, and count the work and the time.

        starts (B, P), target, radius (B,), objective (springs, which only an exact landscape knows) and fallback as in
        `theory.string_sampling.train`.
        """
        begun = time.perf_counter()
        springs: dict[str, Any] = {} if objective is None else {"objective": objective}
        trained = self.landscape.train(
            starts,
            target,
            radius=np.maximum(radius, 1e-9 * (1 + np.linalg.norm(starts, axis=1))),
            fallback=fallback and not self.spent,
            **springs,
        )
        self.work.training_seconds += time.perf_counter() - begun
        self.work.evaluations += trained.evaluations
        return trained

    def starts_on(self, string: String, pieces: Array, jitter: float) -> Array:
        """Where new beads (K, P) begin on `pieces` (K,): the middle or the highest point of each, displaced at random."""
        t = string.where[pieces] if self.options.split == "maximum" else np.full(pieces.size, 0.5)
        t = np.where((t <= 0) | (t >= 1), 0.5, t)[:, None]
        a, b = string.beads[pieces], string.beads[pieces + 1]
        starts = (1 - t) * a + t * b
        if jitter > 0:
            noise = self.rng.standard_normal(starts.shape)
            noise *= np.linalg.norm(b - a, axis=1, keepdims=True) / np.linalg.norm(noise, axis=1, keepdims=True)
            starts = starts + jitter * noise
        return starts

    def pull_down(self, string: String, limit: float, target: float, jitter: float) -> bool:
        """Train the interior beads above `limit` down to `target`, in place; whether all arrived."""
        rows = 1 + np.flatnonzero(string.values[1:-1] > limit)
        if rows.size == 0:
            return True
        steps = np.linalg.norm(np.diff(string.beads, axis=0), axis=1)
        radius = 0.25 * (steps[rows - 1] + steps[rows])
        starts = string.beads[rows]
        if jitter > 0:
            noise = self.rng.standard_normal(starts.shape) / np.sqrt(starts.shape[1])
            starts = starts + jitter * radius[:, None] * noise
        trained = self.train(starts, target, radius)
        lower = trained.values < string.values[rows]
        string.move(rows[lower], trained.points[lower], trained.values[lower])
        return bool(trained.reached.all())

    def finish(self, string: String, done: Status | None, height: float) -> StringResult:
        """The report; a failure is called disconnection only by the barrier's certificate.

        done: why the run ended; height: the lowest level under which the whole string was seen to lie.
        """
        assert done is not None
        bound = None
        if done is not Status.CONNECTED and self.barrier is not None:
            found = self.barrier(
                self.landscape.risk if isinstance(self.landscape, Exact) else self.landscape,
                string.beads[0].copy(),
                string.beads[-1].copy(),
            )
            bound = float(found.lower if hasattr(found, "lower") else found)
            done = Status.DISCONNECTED if bound > self.ceiling else done
        maximum, work = string.maximum(), self.work
        if done is Status.CONNECTED and maximum.method is maxima.Method.SAMPLED:
            done = Status.ACCEPTED
        connected = done is Status.CONNECTED
        if connected and not maximum.upper <= self.ceiling:
            raise ArithmeticError(f"a connection must be certified: bound {maximum.upper}, ceiling {self.ceiling}")
        return StringResult(
            path=string.path if connected else None,
            status=done,
            maximum=maximum,
            string=string.path,
            level=self.level,
            rounds=self.rounds,
            evaluations=work.evaluations,
            height=height,
            training_seconds=work.training_seconds,
            certifying_seconds=work.certifying_seconds,
            barrier=bound,
        )


def ends_of(risk: Risk | Landscape, theta_a: ArrayLike, theta_b: ArrayLike, level: float) -> tuple[Array, Array, float]:
    """Both ends as vectors (P,) and the level, checked: finite, of the network's size, neither above the level.

    ValueError otherwise; an end above the level by no more than rounding is let through.
    """
    level = check.number(level, "level", minimum=0.0, open_minimum=True)
    landscape, ends = landscape_of(risk), []
    for name, theta in (("theta_a", theta_a), ("theta_b", theta_b)):
        ends.append(check.vector(theta, landscape.size, name))
        if np.abs(ends[-1]).max() > LARGEST_ENTRY:
            raise ValueError(
                f"{name} must have entries of at most {LARGEST_ENTRY:g}, or lengths overflow; got {np.abs(ends[-1]).max():g}. "
                "Scale the problem"
            )
    heights = landscape.batch(np.stack(ends)).tolist()
    for name, height in zip(("theta_a", "theta_b"), heights):
        if height == np.inf:
            raise ValueError(f"{name} must have a finite risk; it overflows. Scale the weights or the data down")
    if max(heights) > level and (np.array(heights) - landscape.rounding(np.stack(ends)) > level).any():
        raise ValueError(
            f"level must be at least the risk of both ends, {heights[0]:.6g} (theta_a) and {heights[1]:.6g} (theta_b); got {level:.6g}"
        )
    return ends[0], ends[1], level


def _check_start(landscape: Landscape, start: Path, a: Array, b: Array) -> None:
    check.instance(start, "start", Path)
    points = check.parameters(start.points, landscape.size, "start.points")
    if len(points) < 2:
        raise ValueError("start must have at least two vertices, theta_a and theta_b; got a single point")
    if not (np.array_equal(points[0], a) and np.array_equal(points[-1], b)):
        raise ValueError("start must lead from theta_a to theta_b, both exactly; its ends differ from them")


def _step_inward(run: Run, string: String) -> String:
    """From each end too near the level, a certified descent to a quarter of the way to alpha * level, where one is found.

    One straight step, or, where that leaves the level set, a chain of 2, 4, ..., 32 shorter ones.
    """
    landscape, options = string.landscape, run.options
    goal = (0.75 + 0.25 * options.alpha) * run.level
    descents = []
    for end, value in zip(string.beads, string.values):
        chain = String(landscape, end[None], run.work)
        for steps in (1, 2, 4, 8, 16, 32) if value > goal else ():
            if run.spent:
                break
            points = [end]
            for target in np.geomspace(value, goal, steps + 1)[1:]:
                radius = np.array([0.05 * (1 + np.linalg.norm(end)) / steps])
                trained = run.train(points[-1][None], float(target), radius, fallback=False)
                if not trained.reached[0]:
                    break
                points.append(trained.points[0])
            trial = String(landscape, np.stack(points), run.work)
            if len(points) == steps + 1 and not trial.outside(run.ceiling).size:
                chain = trial
                break
        descents.append(chain)
    return joined(descents[0], descents[1])
