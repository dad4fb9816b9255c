"""Where a segment is cut before its risk (eqs 1, 2) is bounded on the whole sample: as few cells as a small part of the sample asks for.

A bound on a cell costs the same however wide the cell is, so a maximum costs as much as its cells are many. How wide they may be
differs along the segment by what the bound there is allowed to be above the risk. A few samples tell: on each cell of a partition the
cubic above their risk (`theory.maxima.secants`) says by which factor the cell may grow, or has to shrink, and the next
partition spends the same share of that on each of its cells. Nothing here is a bound: what a partition misses is split later.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from theory.maxima import secants
from theory.numerics import Array

Pilot = Callable[[Array, Array, Array, Array], secants.Cubics]
Allowed = Callable[[Array], Array]

ROUNDS, FIRST = 2, 8
POWERS = (
    3.5,
    5.0,
)  # what a bound is in excess falls and rises with these powers of a cell's width; with the square at least
MARGIN = 1.3  # on what it is in excess: a few samples are not all
FACTORS = 2.0 ** np.arange(-3, 3.01, 0.125)  # by which a cell may grow, or shrink, in a round
CLOSE = 0.1  # cuts that move by less than this share of the narrowest cell stay
MOST = 64  # cells of a segment


def cuts(
    pilot: Pilot, starts: Array, ends: Array, value: Array, t: Array, allowed: Allowed, whole: bool = False
) -> list[Array]:
    """Cuts 0 = t_0 < ... < t_K = 1 of each segment, starts and ends (S, P), from a value (S,) that is attained at t (S,) on each.

    pilot: `secants.cubics` on a few samples; allowed: what cells of each segment are to be below (S,), given the best values (S,);
    whole: whether one cell may well do, so that it is tried first.
    """
    found = [np.linspace(0.0, 1.0, 2 if whole else FIRST + 1) for _ in value]
    open_ = list(range(len(value)))
    highest, ratio = value.copy(), np.ones(len(value))
    for _ in range(ROUNDS + whole):
        counts = [len(found[s]) - 1 for s in open_]
        of = np.repeat(open_, counts)
        lo, hi = (np.concatenate([found[s][side] for s in open_]) for side in (slice(0, -1), slice(1, None)))
        bounds = pilot(starts[of], ends[of], lo, hi)
        parts = np.split(np.arange(len(of)), np.cumsum(counts)[:-1])
        with np.errstate(all="ignore"):
            for s, cells in zip(open_, parts):
                nodes = np.append(bounds.ends[0, cells], bounds.ends[1, cells[-1]])
                ratio[s] = np.interp(t[s], found[s], nodes) / value[s]
                highest[s] = np.fmax(value[s], nodes.max() / ratio[s])
            enough = allowed(highest) * ratio
            going = []
            for s, cells in zip(open_, parts):
                next_ = _cuts(found[s], _narrower(bounds.of(cells), enough[s]))
                if next_ is not None:
                    found[s] = next_
                    going.append(s)
        open_ = going
        if not open_:
            break
    return found


def _narrower(bounds: secants.Cubics, enough: float) -> Array:
    """The factors (C,) by which cells are wider than one that would do: the risk changes evenly there, and is highest at an end."""
    F = np.sort(bounds.ends, axis=0)[::-1]
    bend = MARGIN * (4 * (bounds.middles - bounds.ends) - bounds.square)
    bend = np.where(bounds.ends[1] > bounds.ends[0], bend[::-1], bend)
    s = FACTORS[:, None]
    ends = np.stack(np.broadcast_arrays(F[0], F[0] - s * (F[0] - F[1])))
    bends = 0.25 * np.minimum(s ** POWERS[0], 1) * np.maximum(s ** POWERS[1], 1) * bend[:, None]
    tried = secants.highest(secants.Cubics(ends, ends + bends, np.zeros(F.shape[1])))
    does = np.logical_and.accumulate(tried <= enough, axis=0)
    return 1 / FACTORS[np.maximum(does.sum(axis=0) - 1, 0)]


def _cuts(before: Array, narrower: Array) -> Array | None:
    """The next cuts; None where those before may stay."""
    total = np.append(0.0, np.cumsum(narrower))
    count = min(max(int(np.ceil(total[-1] - 1e-9)), 1), MOST)
    after = np.interp(np.linspace(0.0, total[-1], count + 1), total, before)
    after[0], after[-1] = 0.0, 1.0
    same = len(after) == len(before) and np.abs(after - before).max() <= CLOSE * np.diff(before).min()
    return None if same or (count >= len(narrower) and (narrower <= 1).all()) else after
