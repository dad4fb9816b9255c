"""What a string of beads is: its pieces, what is known of each, and what a run reports.

A string is a polyline whose vertices are called beads; both ends count as beads, as in the paper's Figure 1.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory import enclosures, maxima
from theory import validation as check
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample
from theory.trainers import TRAINERS, Trained

Array = NDArray[Any]

GAP, CELLS = 1e-11, 2_000  # a certificate may fail by this much, relatively, and ask for this many cells per piece
# What a piece starts with: the largest risk seen, where, a bound, and the method that gave the bound.
UNKNOWN = {"top": np.nan, "where": 0.5, "upper": np.inf, "method": maxima.Method.BRANCH_AND_BOUND}
SCREEN = np.arange(1, 10) / 10  # where a piece is looked at before it is worth certifying
FEW = 100  # of twice as many samples or more, about so many say which of these points is the highest


class Status(Enum):
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

    trainer: one of `theory.trainers.TRAINERS`, tried first. alpha in (0, 1]: beads are trained to alpha * level.
    depth >= 0: how many times a piece may be split. split: where a new bead starts on a piece, "middle" (t* = 0.5)
    or "maximum" (the computed maximum). acceptance >= 1: a connection must stay below acceptance * level.
    attempts >= 1: a failed string is begun again with randomly displaced beads. max_evaluations, max_beads: bounds
    on the work (each risk, gradient or Jacobian of one parameter vector counts one). seconds: bound on the time,
    checked between rounds (the only setting that makes a run depend on the machine). iterations: of each trainer.
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
    """What a callback sees after each round: the round, how many beads, the height of the worst piece and which
    piece it is, the level aimed at just now, and the string so far (a Path that can be saved and resumed)."""

    round: int
    beads: int
    worst: float
    piece: int
    level: float
    string: Path


@dataclass(frozen=True, eq=False)
class StringResult:
    """The outcome of a run.

    path: the connection, or None; it is certified, maximum.upper <= acceptance * level. string: the polyline as far
    as it got (the same when connected). maximum: of the string; where not connected its value is the largest risk
    met on a worst piece and upper may be inf. height: lowest level under which the whole string was seen to lie.
    evaluations, rounds; training_seconds and certifying_seconds: where the time went. barrier: the certified lower
    bound on every path's maximum, where one was supplied and needed.
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

    @property
    def connected(self) -> bool:
        """Whether `path` is a certified connection."""
        return self.status is Status.CONNECTED

    @property
    def beads(self) -> int:
        """How many beads the string has, both ends included."""
        return len(self.string.points)


def normalised_length(network: Network, path: Path, *, biases: bool = True) -> float:
    """|path| / |theta_A - theta_B| (sec. 3.1) over all parameters, or without the biases as the authors computed it.

    1 for a single point or a straight line, inf for a path that returns to where it began.
    """
    if biases or not network.bias:
        return path.normalised_length
    blocks = [W[..., :-1].reshape(len(path.points), -1) for W in network.weights(path.points)]
    return Path(np.concatenate(blocks, axis=-1)).normalised_length


def ends_of(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, level: float) -> tuple[Array, Array, float]:
    """Both ends as vectors (P,) and the level, checked: finite, of the network's size, neither above the level."""
    level = check.number(level, "level", minimum=0.0, open_minimum=True)
    ends = []
    for name, theta in (("theta_a", theta_a), ("theta_b", theta_b)):
        ends.append(check.parameters(theta, risk.network.size, name))
        if ends[-1].ndim != 1:
            raise ValueError(f"{name} must have shape ({risk.network.size},); got {ends[-1].shape}")
    heights = [risk(end) for end in ends]
    for name, height in zip(("theta_a", "theta_b"), heights):
        if height == np.inf:
            raise ValueError(f"{name} must have a finite risk; it overflows. Scale the weights or the data down")
    # An end whose risk exceeds the level by no more than rounding is not refused; it will be left undecided.
    blur = enclosures.upper_bounds(risk, np.stack(ends), np.stack(ends), np.zeros(2), np.zeros(2)) - heights
    if (heights - np.abs(blur) > level).any():
        raise ValueError(
            f"level must be at least the risk of both ends, {heights[0]:.6g} (theta_a) and {heights[1]:.6g} (theta_b); got {level:.6g}"
        )
    return ends[0], ends[1], level


@dataclass
class Work:
    """What a run has cost so far; shared by all copies of its string."""

    evaluations: int = 0
    training_seconds: float = 0.0
    certifying_seconds: float = 0.0


class String:
    """A string under construction: beads (V, P), their risks, and what is known of each of the V - 1 pieces.

    top, where: the largest risk seen on a piece and its parameter (nan: not looked at); upper: a rigorous bound
    (inf: none yet), and the method that gave it. What is known of a piece stays known until one of its beads moves.
    """

    top: Array
    where: Array
    upper: Array
    method: Array

    def __init__(self, risk: Risk, beads: Array, work: Work | None = None) -> None:
        self.risk, self.work = risk, Work() if work is None else work
        self.beads = np.array(beads)
        self.values = risk.batch(self.beads)
        self.work.evaluations += len(self.beads)
        pieces = len(self.beads) - 1
        for name, blank in UNKNOWN.items():
            setattr(self, name, np.full(pieces, blank))

    def copy(self) -> String:
        """An independent copy."""
        other = String.__new__(String)
        other.__dict__ = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in self.__dict__.items()}
        return other

    @property
    def path(self) -> Path:
        """The polyline."""
        return Path(self.beads)

    def screen(self) -> None:
        """Look at the pieces not looked at yet, at a few points each."""
        rows = np.flatnonzero(np.isnan(self.top))
        if rows.size == 0:
            return
        begun = time.perf_counter()
        best, top = self._highest(self.beads[rows], self.beads[rows + 1])
        heights = np.column_stack([self.values[rows], top, self.values[rows + 1]])
        higher = heights.argmax(axis=1)
        self.top[rows] = heights[np.arange(rows.size), higher]
        self.where[rows] = np.choose(higher, [np.zeros(rows.size), best, np.ones(rows.size)])
        self.work.certifying_seconds += time.perf_counter() - begun

    def _highest(self, a: Array, b: Array) -> tuple[Array, Array]:
        """The highest of the inner points looked at on each piece, and its risk; a part of a large sample chooses it."""
        sample = self.risk.sample
        every, risk = len(sample) // FEW, self.risk
        if every > 1 and sample.weights[::every].any():
            few = Sample(sample.X[::every], sample.Y[::every], sample.weights[::every])
            risk = replace(risk, sample=few)
        inside = risk.batch(a[:, None] + SCREEN[:, None] * (b - a)[:, None])
        best, rows = inside.argmax(axis=1), np.arange(len(a))
        t, top = SCREEN[best], inside[rows, best]
        self.work.evaluations += int(np.ceil(inside.size * len(risk.sample) / len(sample)))
        if risk is not self.risk:
            top = self.risk.batch(a + t[:, None] * (b - a))
            self.work.evaluations += len(a)
        return t, top

    def certify(self, ceiling: float, rows: Array | None = None) -> None:
        """Bound the pieces (all, or `rows`) that no bound puts under the ceiling yet and no point puts above it."""
        rows = np.arange(len(self.top)) if rows is None else rows
        rows = rows[(self.upper[rows] > ceiling) & ~(self.top[rows] > ceiling)]
        if rows.size == 0:
            return
        begun = time.perf_counter()
        found = maxima.segment_maxima(
            self.risk, self.beads[rows], self.beads[rows + 1], ceiling=ceiling, gap=GAP, budget=CELLS
        )
        self.work.certifying_seconds += time.perf_counter() - begun
        higher = ~(found.value <= self.top[rows])
        self.top[rows[higher]], self.where[rows[higher]] = found.value[higher], found.t[higher]
        self.upper[rows], self.method[rows] = np.minimum(self.upper[rows], found.upper), found.method

    def outside(self, ceiling: float) -> Array:
        """Indices of the pieces that exceed the ceiling or could not be certified to stay below it.

        Certifies only when no piece is seen to exceed it, since a piece that will be split needs no bound.
        """
        self.screen()
        rows = np.flatnonzero(self.top > ceiling)
        if rows.size:
            return rows
        self.certify(ceiling)
        return np.flatnonzero(self.upper > ceiling)

    def insert(self, pieces: Array, points: Array, values: Array) -> None:
        """A new bead on each of `pieces` (increasing indices)."""
        keep = np.setdiff1d(np.arange(len(self.top)), pieces)
        order = np.argsort(np.concatenate([keep, pieces, pieces + 0.5]), kind="stable")
        fresh = 2 * len(pieces)
        for name, blank in UNKNOWN.items():
            setattr(self, name, np.concatenate([getattr(self, name)[keep], np.full(fresh, blank)])[order])
        self.beads = np.insert(self.beads, pieces + 1, points, axis=0)
        self.values = np.insert(self.values, pieces + 1, values)

    def move(self, rows: Array, points: Array, values: Array) -> None:
        """Beads `rows` move; the pieces at both sides become unknown."""
        self.beads[rows], self.values[rows] = points, values
        touched = np.unique(np.concatenate([rows - 1, rows]))
        touched = touched[(touched >= 0) & (touched < len(self.top))]
        for name, blank in UNKNOWN.items():
            getattr(self, name)[touched] = blank

    def remove(self, bead: int) -> None:
        """An interior bead goes; the two pieces that met there become one, unknown."""
        self.beads, self.values = np.delete(self.beads, bead, axis=0), np.delete(self.values, bead)
        for name, blank in UNKNOWN.items():
            setattr(self, name, np.delete(getattr(self, name), bead))
            getattr(self, name)[bead - 1] = blank

    @property
    def worst(self) -> tuple[float, int]:
        """The largest risk seen and the piece it is on."""
        heights = np.where(np.isnan(self.top), np.maximum(self.values[:-1], self.values[1:]), self.top)
        return float(heights.max()), int(heights.argmax())

    def maximum(self) -> maxima.PathMaximum:
        """What is known of the maximum: value is attained; upper is the largest bound of any piece (inf: unknown)."""
        self.screen()
        value, piece = self.worst
        t = (piece + self.where[piece]) / len(self.top)
        top, method = float(max(self.upper.max(), value)), self.method[int(self.upper.argmax())]
        return maxima.PathMaximum(value, top, float(t), piece, method, maxima.Status.DECIDED)


@dataclass
class Run:
    """The bookkeeping of one run: its options, the work done so far and when to stop."""

    options: Options
    level: float
    rng: np.random.Generator
    callback: Callable[[Progress], Any] | None = None
    work: Work = field(default_factory=Work)
    begun: float = field(default_factory=time.perf_counter)
    rounds: int = 0

    @property
    def ceiling(self) -> float:
        """What a connection must stay below."""
        return self.options.acceptance * self.level

    def train(self, job: Callable[[], Trained]) -> Trained:
        """Run a trainer, counting its work and time."""
        begun = time.perf_counter()
        trained = job()
        self.work.training_seconds += time.perf_counter() - begun
        self.work.evaluations += trained.evaluations
        return trained

    def pause(self, string: String, level: float) -> Status | None:
        """After a round: tell the callback, and say whether a budget is spent."""
        self.rounds += 1
        if self.callback is not None:
            height, piece = string.worst
            if self.callback(Progress(self.rounds, len(string.beads), height, piece, level, string.path)):
                return Status.INTERRUPTED
        options = self.options
        if self.work.evaluations >= options.max_evaluations:
            return Status.EVALUATIONS
        if len(string.beads) >= options.max_beads:
            return Status.BEADS
        if options.seconds is not None and time.perf_counter() - self.begun >= options.seconds:
            return Status.TIME
        return None
