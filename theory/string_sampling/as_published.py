"""Dynamic String Sampling as the authors' scripts run it (sec. 3.1, 4), on any landscape: a grid for a check.

One algorithm for all five rows of Figure 1. It certifies nothing; what its strings truly reach is said beside it.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.landscapes import Landscape, landscape_of
from theory.maxima import Method
from theory.numerics import validation as check
from theory.risk import Risk
from theory.string_sampling.runs import Callback, Options, Run, Status, StringResult, ends_of
from theory.string_sampling.strings import Pieces, String

INSERT = ("middle", "highest")


def published(
    risk: Risk | Landscape,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    level: float,
    *,
    alpha: float = 0.95,
    acceptance: float = 1.1,
    points: int = 100,
    insert: str = "middle",
    depth: int = 10,
    callback: Callback | None = None,
) -> StringResult:
    """Rounds over all failing pieces: a bead on each, trained to alpha * level, and a grid for a check.

    The string of theta_a, theta_b (P,) begins with the trained middle (the straight line is never tried). A piece passes
    when the heights at t = 0, 1/points, ..., 1 - 1/points are below acceptance * level; on one that fails the new bead
    starts where `insert` says, in the "middle" or at the "highest" point of that grid (t = 0: a copy of the left bead); at most `depth`
    rounds. acceptance = inf makes the check void, as it is in their LSTM script.
    callback: told of every round, as in `greedy`; a true answer stops the run.

    Status CONNECTED when the landscape proves the result to stay at or below the level itself, ACCEPTED when only the
    grid was passed. maximum: what is proved of the string, or, where the landscape proves nothing, what was seen.
    ValueError on ends above the level, wrong shapes, NaN, or a setting out of range.
    """
    landscape = landscape_of(risk)
    a, b, level = ends_of(landscape, theta_a, theta_b, level)
    alpha = check.number(alpha, "alpha")
    acceptance = check.number(acceptance, "acceptance", minimum=0.0, open_minimum=True, infinite=True)
    depth, grid = check.positive_integer(depth, "depth"), np.arange(check.positive_integer(points, "points")) / points
    check.choice(insert, "insert", INSERT)
    run = Run(landscape, Options(alpha=alpha, depth=depth), level, np.random.default_rng(0), callback)
    string = String(landscape, np.stack([a, b]), run.work)
    fresh, where, status = np.array([0]), np.array([0.5]), Status.DEPTH
    for _ in range(depth):
        left, right = string.beads[fresh], string.beads[fresh + 1]
        trained = run.train(left + where[:, None] * (right - left), alpha * level, np.zeros(len(fresh)))
        string.insert(fresh, trained.points, trained.values)
        if not trained.reached.all():
            run.rounds, status = run.rounds + 1, Status.BEAD
            break
        _look(string, grid)
        if run.pause(string, level) is Status.INTERRUPTED:
            status = Status.INTERRUPTED
            break
        fresh = np.flatnonzero(~(string.top < acceptance * level))
        where = string.where[fresh] if insert == "highest" else np.full(fresh.size, 0.5)
        if fresh.size == 0:
            status = Status.ACCEPTED
            break
    begun = time.perf_counter()
    proved = landscape.maximum(string.path)
    run.work.certifying_seconds += time.perf_counter() - begun
    maximum = string.maximum() if proved is None else proved
    if status is Status.ACCEPTED and maximum.upper <= level:
        status = Status.CONNECTED
    return StringResult(
        path=string.path if status is Status.CONNECTED else None,
        status=status,
        maximum=maximum,
        string=string.path,
        level=level,
        rounds=run.rounds,
        evaluations=run.work.evaluations,
        height=maximum.value,
        training_seconds=run.work.training_seconds,
        certifying_seconds=run.work.certifying_seconds,
    )


def _look(string: String, grid: Any) -> None:
    """Look at the pieces not looked at yet, at the points of the grid (k,)."""
    rows = np.flatnonzero(np.isnan(string.top))
    begun = time.perf_counter()
    with np.errstate(over="ignore", invalid="ignore"):
        seen = string.landscape.look(string.beads[rows], string.beads[rows + 1], grid)
    string.work.evaluations += seen.evaluations
    string.work.certifying_seconds += time.perf_counter() - begun
    known = Pieces.unknown(len(rows))
    known.top[:], known.where[:], known.method[:] = seen.top, seen.t, Method.SAMPLED
    string.pieces.put(rows, known)
