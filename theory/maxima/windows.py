"""Certified maxima of one-hidden-layer relu risks (eq. 1) along segments, window by window: `buckets`, then the exact pieces of `quartic`.

All segments advance together. Every round bounds the buckets of all windows, evaluates the risk where each window's bound is
largest, drops the buckets that cannot hold more than the best value, up to the gap, and makes windows of the runs that are left,
with as many buckets as the gap asks for. As the error of a bucket is of second order in its width, two or three rounds do.

Ours; for the maxima over the segments of section 3.2.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from theory.maxima import buckets, quartic
from theory.maxima.branch_and_bound import Goal
from theory.maxima.buckets import Bounds, Threads
from theory.numerics import TINY, UNIT, Array
from theory.risk import Risk

SMALL = 8_000  # so few pairs are gone through as quickly by the exact pieces
FEWEST, FIRST, MOST = 8, 256, 1_024  # buckets of a window: at least; at most in the first round; at most
FINER = 64  # buckets of later rounds, on the way to the exact pieces; and at most, where units are few
ROUNDS = 12
THIN = 1 / 32  # the exact pieces take over where fewer than this share of all pairs switches, and one slab holds them


class Window(NamedTuple):
    """The part [lo, hi] of a segment, a bound on the risk there, how many pairs switch, and the buckets it is to be cut into."""

    segment: int
    lo: float
    hi: float
    bound: float
    switches: int
    K: int


def worthwhile(risk: Risk) -> bool:
    """Where the exact pieces apply, the units are relu, and there are so many that buckets are quicker."""
    return quartic.applies(risk) and risk.network.activation == "relu" and _pairs(risk) > SMALL


def maxima(
    risk: Risk, starts: Array, ends: Array, value: Array, t: Array, goal: Goal, *, exactly: bool, jobs: int = 1
) -> tuple[Array, Array, Array]:
    """Bounds on the maxima over segments, starts and ends (S, P): value (S,) and t (S,), improved, and upper (S,).

    value at t: the best floats seen so far; goal: what a bucket's bound is compared with. exactly: windows in which few
    units switch go to the exact pieces, whatever the gap; otherwise only those in which rounding hides the gap do. jobs:
    threads over blocks of samples, which change nothing in the result. `applies(risk)` must hold.
    """
    value, t, upper = value.copy(), t.copy(), np.full(len(starts), -np.inf)
    size = np.maximum(np.abs(starts), np.abs(ends)) + TINY
    noises = np.array([buckets.noise(risk, row) for row in size])
    m = risk.network.widths[1]
    first, most = _power(m / 4, FIRST), _power(max(m / 2, FINER), MOST)  # more buckets than units do not pay
    few = min(THIN * _pairs(risk), quartic.SWITCHES)
    windows = [Window(s, 0.0, 1.0, np.inf, _pairs(risk), first) for s in range(len(starts))]
    last = [window for window in windows if noises[window.segment] == np.inf]
    windows = [window for window in windows if noises[window.segment] < np.inf]
    with threads(jobs) as walk:
        for _ in range(ROUNDS):
            if not windows:
                break
            found = [
                pair
                for part in _batches(risk, windows)
                for pair in _bounded(risk, starts, ends, size, noises, part, walk)
            ]
            _improve(risk, starts, ends, [(w.segment, _at(w, b.node)) for w, b in found], value, t)
            best = goal.best(value)
            allowed, exceeded, windows = goal.bound(best), goal.exceeded(best), []
            for window, b in found:
                s = window.segment
                bound = np.fmin(b.upper, window.bound)
                open_ = ~((bound <= allowed[s]) | exceeded[s])
                upper[s] = max(upper[s], bound[~open_].max(initial=-np.inf))
                for i, j in _runs(open_):
                    room = allowed[s] - best[s] - b.rounding[i:j].max()
                    finer = FINER if exactly else (j - i) * np.sqrt(4 * b.error[i:j].max() / room) if room > 0 else 0.0
                    lo, hi = _around(window, i, j)
                    part = Window(s, lo, hi, float(bound[i:j].max()), int(b.count[i:j].sum()), _power(finer, most))
                    stuck = j - i == window.K >= part.K  # nothing was left out, and nothing will be
                    decided = part.switches <= few if exactly else room <= 0
                    (last if stuck or decided else windows).append(part)
    for window in sorted([*last, *windows], key=lambda window: -window.bound):
        s, above = window.segment, window.bound
        if above > goal.bound(goal.best(value))[s]:
            piece = quartic.on_window(risk, starts[s], ends[s], window.lo, window.hi, window.switches)
            _improve(risk, starts, ends, [(s, piece.t)], value, t)
            above = float(np.fmin(piece.upper, above))  # NaN bounds nothing
        upper[s] = max(upper[s], above)
    return value, t, upper


def _pairs(risk: Risk) -> int:
    return len(risk.sample) * risk.network.widths[1]


def _power(number: float, most: int) -> int:
    """The power of two from FEWEST to `most` that is not below the number, where there is one."""
    return int(min(most, max(FEWEST, 2 ** int(np.ceil(np.log2(max(min(number, most), 1.0)))))))


def _at(window: Window, share: float) -> float:
    return window.lo + (window.hi - window.lo) * share


def _around(window: Window, i: int, j: int) -> tuple[float, float]:
    """The part of a window that its buckets i, ..., j - 1 lie in, in exact arithmetic: ends are off by at most 3/2 u."""
    lo, hi = _at(window, i / window.K) - 4 * UNIT, _at(window, j / window.K) + 4 * UNIT
    return max(window.lo, lo), min(window.hi, hi)


def _runs(keep: Array) -> list[tuple[int, int]]:
    """The maximal runs [i, j) of a mask (K,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], keep.astype(int), [0]])))
    return [(int(i), int(j)) for i, j in edges.reshape(-1, 2)]


def _batches(risk: Risk, windows: list[Window]) -> Iterator[list[Window]]:
    """Windows of the same number of buckets, as many together as fill a block of pairs."""
    step = max(1, buckets.PAIRS // _pairs(risk))
    for K in sorted({window.K for window in windows}):
        alike = [window for window in windows if window.K == K]
        yield from (alike[i : i + step] for i in range(0, len(alike), step))


def _bounded(
    risk: Risk, starts: Array, ends: Array, size: Array, noises: Array, windows: list[Window], walk: Threads
) -> list[tuple[Window, Bounds]]:
    """The buckets of windows that are alike."""
    s = np.array([window.segment for window in windows])
    lo, hi = (np.array([getattr(window, side) for window in windows])[:, None] for side in ("lo", "hi"))
    a, b = ((1 - t) * starts[s] + t * ends[s] for t in (lo, hi))
    return list(zip(windows, buckets.bounds(risk, a, b, size[s], noises[s], windows[0].K, walk)))


def _improve(risk: Risk, starts: Array, ends: Array, points: list[tuple[int, float]], value: Array, t: Array) -> None:
    """Evaluate the risk at (segment, t); value and t improve in place."""
    at = np.array([point for _, point in points])[:, None]
    s = np.array([segment for segment, _ in points])
    for k, seen in enumerate(risk.batch((1 - at) * starts[s] + at * ends[s])):
        if value[s[k]] < seen < np.inf:
            value[s[k]], t[s[k]] = seen, at[k, 0]


@contextmanager
def threads(jobs: int) -> Iterator[Callable[..., Any]]:
    """A `map` in order: the built-in one, or that of `jobs` threads, each with one thread of BLAS."""
    if jobs == 1:
        yield map
        return
    try:
        one = importlib.import_module("threadpoolctl").threadpool_limits(1)
    except ImportError:  # it comes with scikit-learn; without it only time is lost
        one = nullcontext()
    with one, ThreadPoolExecutor(jobs) as pool:
        yield pool.map
