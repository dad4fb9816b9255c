"""Branch and bound along straight segments: cells of t with rigorous enclosures, split until their bounds decide.

For every risk that can bound a cell (`BoundedRisk`): any network and any loss on a sample (eqs 1, 2; `of_sample`), the
risk of a Gaussian population (`theory.population`). What a bound (`theory.maxima.secants`) is above the risk shrinks with
the square of a cell's width at least, so a cell whose bound is off its own middle by k^2 times what is allowed there is
split into k: cells far below the maximum may stay wide. Where samples are many a few of them tell how a segment is cut to
begin with (`partitions`). All segments advance together, in one batch of cells. Many samples
are first bounded in groups of near inputs (`taylor_models`), which costs a fraction; where that does not decide, one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from theory.maxima import neighbourhoods, partitions, secants, taylor_models
from theory.maxima.neighbourhoods import groups_of
from theory.numerics import Array
from theory.risk import Risk

TIE = 1e-9  # a maximum this close to a ceiling, relatively, need not be told from it
SMALL = 1e-9  # differences of risks below this share of the risk of the zero net are none
NARROW = 2.0**-40  # cells are not split further
CellBounds = Callable[[Array, Array, Array, Array], Array]

GROUPED = 16, 240  # cells of each segment that are tried with the inputs in groups: under a ceiling, and without one
PARTS = 4  # a cell is split into at most so many: what a wide cell is in excess says little about narrow ones
FIRST = 8  # and a whole segment into so many
SEEN = 250  # samples are enough for a rough value
PILOT = 32  # samples at least, and one of so many, tell where to cut; where they are more than twice that share, there is no telling
SHORT = 1 / 16  # what moves by less than this share of its size is tried in one piece
NOTHING = 0.01  # of a gap is not looked for
LOOK = 2.0**-5  # how far from the best point seen its neighbours are looked at; a parabola through the three is next


@dataclass(frozen=True)
class Goal:
    """When a bound is good enough.

    gap: within this of the best value seen, relatively, or within `SMALL` of the problem's own scale, the risk of the
    zero net (a gap below SMALL: within that of the scale); ceiling: as soon as it is known on which side of it the maximum
    is, whatever the gap; floor > -inf: only the largest maximum of all segments matters, and that is at least the floor.
    """

    gap: float
    ceiling: float | None = None
    floor: float = -np.inf
    scale: float = 0.0

    def best(self, value: Array) -> Array:
        """What the bounds of each segment are compared with, (S,), from the best value (S,) seen on it."""
        return value if self.floor == -np.inf else np.full(len(value), max(self.floor, float(value.max())))

    def bound(self, best: Array) -> Array:
        """A cell whose bound is at most this (S,) is done; best (S,) as `best` gives it."""
        if self.ceiling is not None:
            return np.maximum(best * (1 + TIE), self.ceiling)
        return best + np.maximum(self.gap * best, min(self.gap, SMALL) * self.scale)

    def exceeded(self, best: Array) -> Array:
        """Whether a value above the ceiling was met (S,); best (S,) as `best` gives it."""
        return np.zeros(len(best), bool) if self.ceiling is None else best > self.ceiling


class Cells(NamedTuple):
    """Parts [lo, hi] of the segments they belong to, each (C,)."""

    segment: Array
    lo: Array
    hi: Array

    def rows(self, index: Array | slice) -> Cells:
        """The cells at an index (K,)."""
        return Cells(self.segment[index], self.lo[index], self.hi[index])

    def split(self, parts: Any) -> Cells:
        """Each cell cut evenly into as many as `parts` (a number, or (C,)) says."""
        parts = np.broadcast_to(parts, self.lo.shape)
        index = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
        width, last = np.repeat((self.hi - self.lo) / parts, parts), np.repeat(parts, parts)
        left = np.repeat(self.lo, parts) + index * width
        right = np.where(index + 1 == last, np.repeat(self.hi, parts), np.roll(left, -1))  # no gap between them
        return Cells(np.repeat(self.segment, parts), left, right)


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found on S segments.

    value (S,) = F at t (S,) of each segment; upper (S,) >= the maxima; spent, narrow (S,): whether the budget, or cells
    too narrow to be split, ended the search.
    """

    value: Array
    t: Array
    upper: Array
    spent: Array
    narrow: Array


@dataclass(frozen=True)
class BoundedRisk:
    """A risk as a search along segments sees it.

    values(thetas): the risk, in floats, at thetas (B, P), (B,); cells(starts, ends, lo, hi): upper bounds (B,) over the
    cells [lo, hi] (B,) of the segments from starts to ends (B, P), each cell with its own segment; NaN and inf say
    nothing. coarse: the same, cheaper and looser, for a first attempt; rough: values that are cheaper and nearly right, by
    which cells are split. pilot: cubics above the risk on a few of its samples, by which segments are cut to begin with
    (`theory.maxima.partitions`). None where there is none.
    """

    values: Callable[[Array], Array]
    cells: CellBounds
    coarse: CellBounds | None = None
    rough: Callable[[Array], Array] | None = None
    pilot: partitions.Pilot | None = None


def of_sample(risk: Risk) -> BoundedRisk:
    """The risk on a sample, by secants; also with the inputs in groups, by Taylor models, where that is cheaper."""
    groups, part = groups_of(risk.sample), risk.on_part(SEEN)
    pilot = risk.on_part(min(max(len(risk.sample) // PILOT, PILOT), SEEN))
    return BoundedRisk(
        risk.batch,
        partial(secants.upper_bounds, risk),
        None if groups is None else _grouped(risk, groups),
        None if part is risk else part.batch,
        partial(secants.cubics, pilot) if PILOT * len(pilot.sample) <= 2 * len(risk.sample) else None,
    )


def _grouped(risk: Risk, groups: neighbourhoods.Inputs) -> CellBounds:
    return lambda starts, ends, lo, hi: taylor_models.upper_bounds(risk, starts, ends, lo, hi, groups)


def search(risk: BoundedRisk, starts: Array, ends: Array, value: Array, t: Array, goal: Goal, budget: int) -> Found:
    """Bounds on the maxima over segments, starts and ends (S, P), from a value (S,) that is attained at t (S,) on each.

    goal: when a bound is good enough; budget: cells of each segment. value and t are improved on, in copies.
    """
    whole = Cells(np.arange(len(starts)), np.zeros(len(starts)), np.ones(len(starts)))
    grouped = GROUPED[goal.ceiling is None]
    open_ = np.ones(len(starts), dtype=bool)
    found = Found(value.copy(), t.copy(), np.full(len(starts), np.inf), open_, open_.copy())
    if risk.coarse is not None:
        coarse = replace(risk, cells=risk.coarse)
        found = _refine(coarse, starts, ends, found.value, found.t, goal, grouped, whole)
    rows = np.flatnonzero(found.spent | found.narrow)
    if rows.size:
        goal = goal if goal.floor == -np.inf else replace(goal, floor=max(goal.floor, float(found.value.max())))
        cells = _planned(risk, starts[rows], ends[rows], found.value[rows], found.t[rows], goal, budget)
        here = _refine(risk, starts[rows], ends[rows], found.value[rows], found.t[rows], goal, budget, cells)
        for name in ("value", "t", "spent", "narrow"):
            getattr(found, name)[rows] = getattr(here, name)
        found.upper[rows] = np.minimum(found.upper[rows], here.upper)
    if goal.ceiling is None:  # a better point near the best costs little
        _climb(risk, starts, ends, found, goal.gap)
    return found


def _planned(risk: BoundedRisk, starts: Array, ends: Array, value: Array, t: Array, goal: Goal, budget: int) -> Cells:
    """The cells that a search begins with: whole segments, or, of long ones, what a few samples say."""
    cuts = [np.array([0.0, 1.0])] * len(starts)
    with np.errstate(over="ignore", invalid="ignore"):  # a segment beyond the floats counts as short
        size, move = (np.abs(part).sum(axis=1) for part in (np.abs(starts) + np.abs(ends), ends - starts))
        long = np.flatnonzero(move > SHORT * size)
    if risk.pilot is not None and budget >= partitions.MOST and long.size:

        def allowed(highest: Array) -> Array:
            best = value.copy()
            best[long] = highest
            return goal.bound(goal.best(best))[long]

        found = partitions.cuts(
            risk.pilot, starts[long], ends[long], value[long], t[long], allowed, goal.ceiling is not None
        )
        for k, part in zip(long, found):
            cuts[k] = part
    sides = (np.concatenate([part[side] for part in cuts]) for side in (slice(0, -1), slice(1, None)))
    return Cells(np.repeat(np.arange(len(cuts)), [len(part) - 1 for part in cuts]), *sides)


def _climb(risk: BoundedRisk, starts: Array, ends: Array, found: Found, gap: float) -> None:
    """Two looks beside the best point of each segment and one where the parabola through the three is highest; nearer by, for a small gap.

    Not where the bound is so near that there is nothing to gain.
    """
    rows = np.flatnonzero(found.upper - found.value > NOTHING * gap * found.value)
    for look in (LOOK, LOOK / 16) if gap < LOOK**2 else (LOOK,):
        t, value = found.t[rows], found.value[rows]
        sides = [np.clip(t + side, 0.0, 1.0) for side in (-look, look)]
        left, right = (_improve(risk, starts, ends, rows, at, found.value, found.t) for at in sides)
        with np.errstate(all="ignore"):
            a, b = (sides[0] - t), (sides[1] - t)
            p, q = (left - value) / a, (right - value) / b  # divided differences
            bend = (q - p) / (b - a)
            peak = t - 0.5 * (p - bend * a) / bend
        peak = np.where((bend < 0) & np.isfinite(peak), np.clip(peak, 0.0, 1.0), found.t[rows])
        _improve(risk, starts, ends, rows, peak, found.value, found.t)


def _refine(
    risk: BoundedRisk,
    starts: Array,
    ends: Array,
    value: Array,
    t: Array,
    goal: Goal,
    budget: int,
    cells: Cells,
) -> Found:
    """Split cells until every one's bound meets the goal or the budget is spent; value and t improve in place."""
    count = len(starts)
    upper, used = np.full(count, -np.inf), np.zeros(count, dtype=int)
    spent, narrow = np.zeros((2, count), dtype=bool)
    inherited = np.full(len(cells.lo), np.inf)
    while cells.lo.size:
        s = cells.segment
        bound = np.fmin(
            inherited, risk.cells(starts[s], ends[s], cells.lo, cells.hi)
        )  # where that is NaN, what was known
        used += np.bincount(s, minlength=count)
        best = goal.best(value)
        wanting = np.flatnonzero((bound > goal.bound(best)[s]) & ~goal.exceeded(best)[s])  # NaN wants
        middle = np.full(len(bound), np.nan)
        middle[wanting] = _looked(
            risk, starts, ends, s[wanting], 0.5 * (cells.lo + cells.hi)[wanting], bound[wanting], value, t
        )
        best = goal.best(value)
        allowed, exceeded = goal.bound(best), goal.exceeded(best)
        done = (bound <= allowed[s]) | exceeded[s]
        late = ~done & (used[s] >= budget)
        thin = ~done & ~late & (cells.hi - cells.lo < NARROW)
        spent[s[late]], narrow[s[thin]] = True, True
        stop = done | late | thin
        np.maximum.at(upper, s[stop], bound[stop])
        cells, bound, middle = cells.rows(~stop), bound[~stop], middle[~stop]
        s = cells.segment
        with np.errstate(over="ignore", invalid="ignore"):
            excess = np.maximum((bound - middle) / np.maximum(allowed[s] - middle, 1e-300), 0.0)
        most = np.where(cells.hi - cells.lo == 1.0, FIRST, PARTS)
        parts = np.clip(np.ceil(np.sqrt(np.nan_to_num(excess, nan=64.0, posinf=64.0))), 2, most).astype(int)
        cells, inherited = cells.split(parts), np.repeat(bound, parts)
    return Found(value, t, upper, spent, narrow)


def _looked(
    risk: BoundedRisk, starts: Array, ends: Array, s: Array, at: Array, bound: Array, value: Array, t: Array
) -> Array:
    """F at parameter `at` (K,) of segments s (K,), (K,), roughly where that is cheaper; the highest of each segment, and that of the highest bound (K,), as `_improve`."""
    if risk.rough is None:
        return _improve(risk, starts, ends, s, at, value, t)
    seen = _along(risk.rough, starts, ends, s, at)
    first = np.union1d(*(_highest(s, keys) for keys in (seen, bound)))
    seen[first] = _improve(risk, starts, ends, s[first], at[first], value, t)
    return seen


def _highest(s: Array, keys: Array) -> Array:
    """Where the key (K,) is highest, of each segment in s (K,)."""
    order = np.lexsort((-np.where(np.isfinite(keys), keys, -np.inf), s))
    return order[np.unique(s[order], return_index=True)[1]]


def _improve(risk: BoundedRisk, starts: Array, ends: Array, s: Array, at: Array, value: Array, t: Array) -> Array:
    """F at parameter `at` (K,) of segments s (K,), (K,), in floats; their value and t are updated in place."""
    seen = _along(risk.values, starts, ends, s, at)
    order = np.argsort(
        np.where(np.isfinite(seen), seen, -np.inf), kind="stable"
    )  # the highest of a segment is written last
    order = order[np.isfinite(seen[order]) & (seen[order] > value[s[order]])]
    value[s[order]], t[s[order]] = seen[order], at[order]
    return seen


def _along(values: Callable[[Array], Array], starts: Array, ends: Array, s: Array, at: Array) -> Array:
    """Values (K,) at parameter `at` (K,) of segments s (K,)."""
    if not len(s):
        return np.zeros(0)
    with np.errstate(over="ignore", invalid="ignore"):
        return values((1 - at)[:, None] * starts[s] + at[:, None] * ends[s])
