"""A string of beads, and what is known of each of its pieces.

A string is a polyline whose vertices are called beads; both ends count as beads, as in the paper's Figure 1.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from theory import maxima
from theory.landscapes import Landscape, landscape_of
from theory.networks import Network
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk


def normalised_length(network: Network, path: Path, *, biases: bool = True) -> float:
    """|path| / |theta_A - theta_B| (sec. 3.1) over all parameters, or without the biases as the authors computed it.

    1 for a single point or a straight line, inf for a path that returns to where it began. ValueError for what is no
    network or path.
    """
    check.instance(network, "network", Network)
    check.instance(path, "path", Path)
    if check.choice(biases, "biases", (True, False)) or not network.bias:
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


@dataclass(frozen=True, eq=False)
class Pieces:
    """What is known of K pieces: the largest risk seen on each, where, a bound, and the method that gave it.

    top (K,), nan where nobody looked yet, at the parameter where (K,); upper (K,), inf where nothing is proved;
    method (K,).
    """

    top: Array
    where: Array
    upper: Array
    method: Array

    @classmethod
    def unknown(cls, count: int) -> Pieces:
        """`count` pieces of which nothing is known."""
        method = np.full(count, maxima.Method.BRANCH_AND_BOUND)
        return cls(np.full(count, np.nan), np.full(count, 0.5), np.full(count, np.inf), method)

    def __len__(self) -> int:
        return len(self.top)

    def take(self, rows: Array) -> Pieces:
        """The pieces `rows` (K,), copied."""
        return Pieces(self.top[rows], self.where[rows], self.upper[rows], self.method[rows])

    def put(self, rows: Array, other: Pieces) -> None:
        """Pieces `rows` (K,) become those of `other`."""
        self.top[rows], self.where[rows] = other.top, other.where
        self.upper[rows], self.method[rows] = other.upper, other.method

    def then(self, *others: Pieces) -> Pieces:
        """These pieces and those of `others` after them."""
        records = [(p.top, p.where, p.upper, p.method) for p in (self, *others)]
        return Pieces(*map(np.concatenate, zip(*records)))

    def backwards(self) -> Pieces:
        """The same pieces run through from the other end."""
        return Pieces(self.top[::-1], 1 - self.where[::-1], self.upper[::-1], self.method[::-1])


class String:
    """A string under construction: beads (V, P), their risks, and what is known of each of its V - 1 `pieces`.

    What is known of a piece stays known until one of its beads moves.
    """

    def __init__(
        self, risk: Risk | Landscape, beads: Array, work: Work | None = None, pieces: Pieces | None = None
    ) -> None:
        self.landscape: Landscape = landscape_of(risk)
        self.work = Work() if work is None else work
        self.beads = np.array(beads)
        self.values = self.landscape.batch(self.beads)
        self.work.evaluations += len(self.beads)
        self.pieces = Pieces.unknown(len(self.beads) - 1) if pieces is None else pieces

    def copy(self) -> String:
        """An independent copy."""
        other = String.__new__(String)
        other.landscape, other.work = self.landscape, self.work
        other.beads, other.values = self.beads.copy(), self.values.copy()
        other.pieces = self.pieces.take(np.arange(len(self.pieces)))
        return other

    @property
    def top(self) -> Array:
        """The largest risk seen on each piece, (V - 1,); nan: not looked at."""
        return self.pieces.top

    @property
    def where(self) -> Array:
        """Where on its piece that was, t in [0, 1], (V - 1,)."""
        return self.pieces.where

    @property
    def upper(self) -> Array:
        """A rigorous bound on each piece, (V - 1,); inf: none yet."""
        return self.pieces.upper

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
            seen = self.landscape.look(self.beads[rows], self.beads[rows + 1])
        self.work.evaluations += seen.evaluations
        heights = np.column_stack([self.values[rows], seen.top, self.values[rows + 1]])
        higher = heights.argmax(axis=1)
        self.top[rows] = heights[np.arange(rows.size), higher]
        self.where[rows] = np.choose(higher, [np.zeros(rows.size), seen.t, np.ones(rows.size)])
        self.work.certifying_seconds += time.perf_counter() - begun

    def certify(self, ceiling: float, rows: Array | None = None) -> None:
        """Bound the pieces (all, or `rows`) that no bound puts under the ceiling yet and no point puts above it."""
        rows = np.arange(len(self.top)) if rows is None else rows
        rows = rows[(self.upper[rows] > ceiling) & ~(self.top[rows] > ceiling)]
        if rows.size == 0:
            return
        begun = time.perf_counter()
        found = self.landscape.bound(self.beads[rows], self.beads[rows + 1], ceiling)
        self.work.certifying_seconds += time.perf_counter() - begun
        higher = ~(found.value <= self.top[rows])
        self.top[rows[higher]], self.where[rows[higher]] = found.value[higher], found.t[higher]
        self.upper[rows], self.pieces.method[rows] = (
            np.fmin(self.upper[rows], found.upper),
            found.method,
        )  # NaN bounds nothing

    def outside(self, ceiling: float) -> Array:
        """Indices of the pieces that exceed the ceiling or could not be certified to stay below it.

        Certifies only when no piece is seen to exceed it, since a piece that will be split needs no bound. A piece that
        its landscape can only look at is not outside, and not certified either.
        """
        self.screen()
        rows = np.flatnonzero(self.top > ceiling)
        if rows.size:
            return rows
        self.certify(ceiling)
        sampled = np.array([method is maxima.Method.SAMPLED for method in self.pieces.method])
        return np.flatnonzero((self.upper > ceiling) & ~(sampled & (self.top <= ceiling)))

    def insert(self, pieces: Array, points: Array, values: Array) -> None:
        """A new bead on each of `pieces` (K,), increasing indices: points (K, P) with the risks values (K,)."""
        keep = np.setdiff1d(np.arange(len(self.top)), pieces)
        order = np.argsort(np.concatenate([keep, pieces, pieces + 0.5]), kind="stable")
        self.pieces = self.pieces.take(keep).then(Pieces.unknown(2 * len(pieces))).take(order)
        self.beads = np.insert(self.beads, pieces + 1, points, axis=0)
        self.values = np.insert(self.values, pieces + 1, values)

    def move(self, rows: Array, points: Array, values: Array) -> None:
        """Beads `rows` (K,) move to points (K, P) with risks values (K,); the pieces at both sides become unknown."""
        self.beads[rows], self.values[rows] = points, values
        touched = np.unique(np.concatenate([rows - 1, rows]))
        touched = touched[(touched >= 0) & (touched < len(self.top))]
        self.pieces.put(touched, Pieces.unknown(len(touched)))

    def remove(self, bead: int) -> None:
        """An interior bead goes; the two pieces that met there become one, unknown."""
        self.beads, self.values = np.delete(self.beads, bead, axis=0), np.delete(self.values, bead)
        self.pieces = self.pieces.take(np.delete(np.arange(len(self.pieces)), bead))
        self.pieces.put(np.array([bead - 1]), Pieces.unknown(1))

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
        top, method = float(max(self.upper.max(), value)), self.pieces.method[int(self.upper.argmax())]
        status = maxima.Status.DECIDED if top < np.inf else maxima.Status.BUDGET
        if method is maxima.Method.SAMPLED:
            status = maxima.Status.SAMPLED
        return maxima.PathMaximum(value, top, float(t), piece, method, status)


def joined(first: String, second: String) -> String:
    """The first string, a straight piece, and the second string backwards; what is known of their pieces stays known."""
    known = first.pieces.then(Pieces.unknown(1), second.pieces.backwards())
    return String(first.landscape, np.concatenate([first.beads, second.beads[::-1]]), first.work, known)
