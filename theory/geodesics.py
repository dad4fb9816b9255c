"""Shortening a path inside a level set (sec. 3.1: the normalised length of the geodesic between two models).

Three moves alternate; what is returned was certified as a whole to stay at or below the level:

    shortcut  the shortest chain among all straight pieces between vertices of the string (dynamic programming)
    relax     the string moves as an elastic band, all beads at once (`theory.landscapes.tightened`); where a landscape
              has no slopes, and where a band that settled is still long, every other bead is pulled towards the middle
              of its neighbours and brought back to the level
    repair    pieces that rise above the level are split, and their beads brought back to it by the shortest correction

The result is an upper bound on the length of the geodesic: no shorter path was found, not: none exists.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.landscapes import SCREEN, Exact, Landscape, landscape_of, tightened
from theory.maxima import Method, Named, PathMaximum
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk
from theory.string_sampling import String

MARGIN = 2e-3  # points are kept this far below the level, relatively, so that certificates come cheap
SPAN = 24  # shortcuts join vertices at most this far apart along the string
LOW = 0.05  # a band is held so far below the level at first, relatively, then nearer, down to GIVE times the tolerance
GIVE, STEPS = 5.0, 40  # the stiffness is GIVE over that; steps of a band in a sweep, and of a bead that is brought back
FAR = 1.25  # times the straight line: a band that settles at more is pulled bead by bead as well
PATIENCE = 4  # sweeps over which the length must fall, where beads are pulled one by one
MISSES, SPLITS = 3, 8  # sweeps in a row that may lead nowhere, and how often a piece is split to mend it
LOOKS = (np.array([0.5]), np.array([0.25, 0.75]), np.delete(SCREEN, 4))
PULLS = np.array([1.0, 0.5, 0.25])  # how far a bead is pulled towards the middle of its neighbours


class Status(Named):
    """Why the shortening ended; the value is advice."""

    STRAIGHT = "the straight line is inside the level set: the length is the least possible"
    SETTLED = "the length no longer falls: try more beads for a smoother path"
    SWEEPS = "still falling when the sweeps ran out: raise sweeps"


@dataclass(frozen=True, eq=False, repr=False)
class Geodesic:
    """The shortest path found inside the level set.

    before, after: normalised lengths of the given path and of `path`; lower: a lower bound on the normalised length of
    any path, 1, attained when status is STRAIGHT. maximum: certified, maximum.upper <= level. sweeps: how many were made.
    """

    path: Path
    before: float
    after: float
    lower: float
    maximum: PathMaximum
    status: Status
    sweeps: int

    def __repr__(self) -> str:
        lengths = f"from {self.before:.3g} to {self.after:.3g} x straight"
        return f"Geodesic({lengths}, risk <= {self.maximum.upper:.5g}, {self.status.name}, {self.sweeps} sweeps)"


def shorten(
    risk: Risk | Landscape, path: Path, level: float, *, beads: int = 16, sweeps: int = 20, tolerance: float = 3e-2
) -> Path:
    """The path of `geodesic` alone.

    beads, sweeps, tolerance as in `geodesic`.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> F = Risk(Network((1, 1, 1)), Sample([[1.0]], [[1.0]]))
    >>> path = Path([[0.5, 1.5], [0.5, 2.0], [1.0, 1.0], [2.0, 0.5]])
    >>> shorter = shorten(F, path, 0.25, sweeps=2)
    >>> bool(shorter.length < path.length)
    True
    """
    return geodesic(risk, path, level, beads=beads, sweeps=sweeps, tolerance=tolerance).path


def geodesic(
    risk: Risk | Landscape, path: Path, level: float, *, beads: int = 16, sweeps: int = 20, tolerance: float = 3e-2
) -> Geodesic:
    """Shorten a path (V, P) that stays below the level, keeping its ends and the certificate.

    beads >= 3: the resolution, about how many vertices the relaxed string may have (a path with more keeps them).
    sweeps >= 0; tolerance > 0: stop when a sweep shortens by less than this, relatively, or MISSES of them by nothing
    (PATIENCE sweeps in all, on a landscape without slopes).
    Raises ValueError when the given path cannot be certified to stay at or below the level, does not fit the network,
    or a setting is out of range.
    """
    if not isinstance(path, Path):
        raise ValueError(f"path must be a Path; got {type(path).__name__}")
    landscape = landscape_of(risk)
    exact = isinstance(landscape, Exact)
    points = check.parameters(path.points, landscape.size, "path.points")
    level = check.number(level, "level", minimum=0.0, open_minimum=True)
    beads = check.positive_integer(beads, "beads", minimum=3)
    sweeps = check.positive_integer(sweeps, "sweeps", minimum=0)
    tolerance = check.number(tolerance, "tolerance", minimum=0.0, open_minimum=True)
    string = String(landscape, points if len(points) > 1 else np.repeat(points, 2, axis=0))
    bad = _uncertified(string, level)
    if bad.size and (string.pieces.method[bad] == Method.SAMPLED).all():
        raise ValueError(
            "risk must be a Risk, or a landscape that bounds its pieces; this one is only looked at, so no path is certified"
        )
    if bad.size:
        height = float(np.maximum(string.top[bad], 0).max())
        raise ValueError(
            f"path must be certified to stay at or below the level {level:.6g}; piece {int(bad[0])} reaches {height:.6g}"
        )
    before = path.normalised_length
    straight = String(landscape, points[[0, -1]])
    if not _uncertified(straight, level).size:
        after = straight.path.normalised_length
        return Geodesic(straight.path, before, after, 1.0, straight.maximum(), Status.STRAIGHT, 0)
    held, status, made = string, Status.SWEEPS, 0
    shortcut = _shortcut(held, level * (1 - MARGIN))
    if sweeps and shortcut.path.length < held.path.length and not _uncertified(shortcut, level).size:
        held = shortcut
    beads = max(beads, len(string.beads))
    for relax, low, patience in [(_tightened, LOW, 1), (_pulled, MARGIN, PATIENCE)][0 if exact else 1 :]:
        if relax is _pulled and exact and _length(held) <= FAR * np.linalg.norm(points[-1] - points[0]):
            break  # what one bead alone may still find, a band does not: another side of a plateau
        lowest = min(max(GIVE * tolerance, MARGIN), low)
        lengths, status, misses = [_length(held)], Status.SWEEPS, 0
        while made < sweeps and status is Status.SWEEPS:
            made += 1
            mended = _mended(relax(held.copy(), level, beads, low, misses), level, low)  # both move beads in place
            if mended is not None and mended.path.length < held.path.length:
                held, misses = mended, 0
            else:  # it rises above the level, or is no shorter: again, more carefully
                misses += 1
            lengths.append(_length(held))
            settled = len(lengths) > patience and lengths[-1 - patience] - lengths[-1] < tolerance * lengths[-1]
            if misses == MISSES or (settled and not misses):
                low, status, misses = max(low / 4, lowest), Status.SETTLED if low == lowest else status, 0
    return Geodesic(held.path, before, held.path.normalised_length, 1.0, held.maximum(), status, made)


def _uncertified(string: String, level: float) -> Array:
    """Indices of the pieces that exceed the level, or of which nothing proves that they do not."""
    bad = string.outside(level)
    return bad if bad.size else np.flatnonzero(string.upper > level)


def _tightened(string: String, level: float, beads: int, low: float, misses: int) -> String:
    """The string as a band of so many beads, `low` below the level, after STEPS steps; fewer and stiffer after misses.

    Ends too near the level keep their first piece, which leads away from it.
    """
    landscape, inner = (
        check.instance(string.landscape, "risk", Exact),
        np.flatnonzero(string.values <= level * (1 - low / 4)),
    )
    if inner.size < 2:
        return string
    first, last = inner[[0, -1]]
    band = _spaced(string.beads[first : last + 1], beads)
    stiffness, steps = GIVE / low * 4**misses, STEPS // 2**misses
    band, evaluations = tightened(landscape.risk, band, level * (1 - low), stiffness=stiffness, iterations=steps)
    string.work.evaluations += evaluations
    return String(landscape, np.concatenate([string.beads[:first], band, string.beads[last + 1 :]]), string.work)


def _pulled(string: String, level: float, beads: int, low: float, misses: int) -> String:
    """The string with every other bead pulled towards the middle of its neighbours, then the others."""
    string = _subdivide(string, beads)
    for parity in (1, 2):
        _relax(string, parity, level * (1 - low * 4**misses))
    return string


def _mended(string: String, level: float, low: float) -> String | None:
    """The string with what rises above the level brought low / 2 below it, certified, and shortcut; None where that fails."""
    landscape, goal = string.landscape, level * (1 - low / 2)

    def brought_back(points: Array, sizes: Array) -> tuple[Array, Array, bool]:
        radius = 0.25 * sizes + 1e-9 * (1 + np.linalg.norm(points, axis=1))
        trained = landscape.train(points, goal, radius=radius, iterations=STEPS, fallback=False)
        string.work.evaluations += trained.evaluations
        return trained.points, trained.values, bool(trained.reached.all())

    rows = 1 + np.flatnonzero(string.values[1:-1] > level)
    if rows.size:
        sizes = np.linalg.norm(string.beads[rows + 1] - string.beads[rows - 1], axis=1)
        points, values, there = brought_back(string.beads[rows], sizes)
        if not there:
            return None
        string.move(rows, points, values)
    for _ in range(SPLITS):
        pieces = _uncertified(string, level)
        if pieces.size == 0:
            shorter = _shortcut(string, level * (1 - MARGIN))
            return string if _uncertified(shorter, level).size else shorter
        left, right = string.beads[pieces], string.beads[pieces + 1]
        points, values, there = brought_back((left + right) / 2, np.linalg.norm(right - left, axis=1))
        if not there:
            return None
        string.insert(pieces, points, values)
    return None


def _relax(string: String, first: int, goal: float) -> None:
    """Pull beads first, first + 2, ... towards the middle of their neighbours, in place, where that shortens."""
    landscape, rows = string.landscape, np.arange(first, len(string.beads) - 1, 2)
    if rows.size == 0:
        return
    left, here, right = string.beads[rows - 1], string.beads[rows], string.beads[rows + 1]
    before = np.linalg.norm(here - left, axis=1) + np.linalg.norm(right - here, axis=1)
    todo = np.ones(rows.size, dtype=bool)
    for pull in PULLS:
        k = np.flatnonzero(todo)
        if k.size == 0:
            return
        trial = here[k] + pull * ((left[k] + right[k]) / 2 - here[k])
        radius = 0.5 * np.linalg.norm(trial - here[k], axis=1) + 1e-9 * (1 + np.linalg.norm(here[k], axis=1))
        trained = landscape.train(trial, goal, radius=radius, iterations=20, fallback=False)
        string.work.evaluations += trained.evaluations
        new = trained.points
        after = np.linalg.norm(new - left[k], axis=1) + np.linalg.norm(right[k] - new, axis=1)
        good = trained.reached & (after < before[k])
        good[good] = _below(landscape, left[k[good]], new[good], goal)
        good[good] = _below(landscape, new[good], right[k[good]], goal)
        string.move(rows[k[good]], new[good], trained.values[good])
        todo[k[good]] = False


def _length(string: String) -> float:
    return float(np.linalg.norm(np.diff(string.beads, axis=0), axis=1).sum())


def _below(landscape: Landscape, starts: Array, ends: Array, goal: float) -> Array:
    """Which straight pieces (S, P) are not seen to exceed `goal`; the middle is looked at first."""
    open_ = np.ones(len(starts), dtype=bool)
    for t in LOOKS:
        k = np.flatnonzero(open_)
        points = starts[k, None] + t[:, None] * (ends[k] - starts[k])[:, None]
        open_[k] = landscape.batch(points).max(axis=1, initial=-np.inf) <= goal
    return open_


def _shortcut(string: String, goal: float) -> String:
    """The shortest chain of straight pieces between vertices of the string, among pieces not seen to exceed `goal`."""
    count = len(string.beads)
    i, j = np.triu_indices(count, 2)
    near = j - i <= SPAN
    i, j = i[near], j[near]
    below = _below(string.landscape, string.beads[i], string.beads[j], goal)
    cost = np.full((count, count), np.inf)
    i, j = np.append(i[below], np.arange(count - 1)), np.append(j[below], np.arange(1, count))
    cost[i, j] = np.linalg.norm(string.beads[i] - string.beads[j], axis=1)
    chain = _shortest_chain(cost)
    shorter = String(string.landscape, string.beads[chain], string.work)
    old = np.flatnonzero(np.diff(chain) == 1)  # what was known of these pieces stays known
    shorter.pieces.put(old, string.pieces.take(chain[old]))
    return shorter


def _shortest_chain(cost: Array) -> Array:
    """Indices of the cheapest increasing chain from the first vertex to the last; ties go to fewer vertices."""
    count = len(cost)
    best, back = np.full(count, np.inf), np.zeros(count, dtype=int)
    best[0] = 0.0
    for k in range(1, count):
        through = best[:k] + cost[:k, k]
        back[k] = int(np.argmin(through))
        best[k] = through[back[k]]
    chain = [count - 1]
    while chain[-1] > 0:
        chain.append(int(back[chain[-1]]))
    return np.array(chain[::-1])


def _spaced(points: Array, beads: int) -> Array:
    """So many points of a polyline, at equal distances along it, its ends among them."""
    along = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
    where = np.linspace(0.0, along[-1], max(beads, 3))
    between = np.stack([np.interp(where[1:-1], along, column) for column in points.T], axis=1)
    return np.concatenate([points[:1], between, points[-1:]])


def _subdivide(string: String, beads: int) -> String:
    """Split long pieces so that the string has about `beads` vertices, evenly spread.

    Nothing is inherited: a vertex put on a piece is rounded, and so is not exactly on it.
    """
    lengths = np.linalg.norm(np.diff(string.beads, axis=0), axis=1)
    spare = beads - len(string.beads)
    if spare <= 0 or lengths.sum() == 0:
        return string
    parts = 1 + np.floor(lengths / lengths.sum() * spare).astype(int)
    t = np.concatenate([np.arange(n) / n for n in parts])[:, None]
    piece = np.repeat(np.arange(len(parts)), parts)
    points = np.where(t == 0, string.beads[piece], (1 - t) * string.beads[piece] + t * string.beads[piece + 1])
    return String(string.landscape, np.concatenate([points, string.beads[-1:]]), string.work)
