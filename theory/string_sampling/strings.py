"""A string of beads, and what is known of each of its pieces.

A string is a polyline whose vertices are called beads; both ends count as beads, as in the paper's Figure 1.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from theory import maxima
from theory.networks import Network
from theory.numerics import Array
from theory.paths import Path
from theory.risk import Risk

GAP, CELLS = 1e-11, 2_000  # a certificate may fail by this much, relatively, and ask for this many cells per piece
# What a piece starts with: the largest risk seen, where, a bound, and the method that gave the bound.
UNKNOWN = {"top": np.nan, "where": 0.5, "upper": np.inf, "method": maxima.Method.BRANCH_AND_BOUND}
SCREEN = np.arange(1, 10) / 10  # where a piece is looked at before it is worth certifying
PART = 100  # about so many of a large sample say which of these points is the highest


def normalised_length(network: Network, path: Path, *, biases: bool = True) -> float:
    """|path| / |theta_A - theta_B| (sec. 3.1) over all parameters, or without the biases as the authors computed it.

    1 for a single point or a straight line, inf for a path that returns to where it began.
    """
    if biases or not network.bias:
        return path.normalised_length
    blocks = [W[..., :-1].reshape(len(path.points), -1) for W in network.weights(path.points)]
    return Path(np.concatenate(blocks, axis=-1)).normalised_length


@dataclass
class Work:
    """What a run has cost so far; shared by all copies of its string.

    evaluations of the risk; training_seconds and certifying_seconds: where the time went.
    """

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
        with np.errstate(over="ignore", invalid="ignore"):
            best, top = self._highest(self.beads[rows], self.beads[rows + 1])
        heights = np.column_stack([self.values[rows], top, self.values[rows + 1]])
        higher = heights.argmax(axis=1)
        self.top[rows] = heights[np.arange(rows.size), higher]
        self.where[rows] = np.choose(higher, [np.zeros(rows.size), best, np.ones(rows.size)])
        self.work.certifying_seconds += time.perf_counter() - begun

    def _highest(self, a: Array, b: Array) -> tuple[Array, Array]:
        """The highest of the inner points looked at on each piece, and its risk; a part of a large sample chooses it."""
        risk, part = self.risk, self.risk.on_part(PART)
        inside = part.batch(a[:, None] + SCREEN[:, None] * (b - a)[:, None])
        best, rows = inside.argmax(axis=1), np.arange(len(a))
        t, top = SCREEN[best], inside[rows, best]
        self.work.evaluations += int(np.ceil(inside.size * len(part.sample) / len(risk.sample)))
        if part is not risk:
            top = risk.batch(a + t[:, None] * (b - a))
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
        """A new bead on each of `pieces` (K,), increasing indices: points (K, P) with the risks values (K,)."""
        keep = np.setdiff1d(np.arange(len(self.top)), pieces)
        order = np.argsort(np.concatenate([keep, pieces, pieces + 0.5]), kind="stable")
        fresh = 2 * len(pieces)
        for name, blank in UNKNOWN.items():
            setattr(self, name, np.concatenate([getattr(self, name)[keep], np.full(fresh, blank)])[order])
        self.beads = np.insert(self.beads, pieces + 1, points, axis=0)
        self.values = np.insert(self.values, pieces + 1, values)

    def move(self, rows: Array, points: Array, values: Array) -> None:
        """Beads `rows` (K,) move to points (K, P) with risks values (K,); the pieces at both sides become unknown."""
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
        status = maxima.Status.DECIDED if top < np.inf else maxima.Status.BUDGET
        return maxima.PathMaximum(value, top, float(t), piece, method, status)


def joined(first: String, second: String) -> String:
    """The first string, a straight piece, and the second string backwards; what is known of their pieces stays known."""
    string = String(first.risk, np.concatenate([first.beads, second.beads[::-1]]), first.work)
    for name in UNKNOWN:
        column = getattr(string, name)
        column[: len(first.top)] = getattr(first, name)
        column[len(first.beads) :] = getattr(second, name)[::-1]
    string.where[len(first.beads) :] = 1 - string.where[len(first.beads) :]
    return string
