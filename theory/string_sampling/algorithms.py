"""Dynamic String Sampling (sec. 3.1, Algorithm 1) and its two variants that the paper proposes and never ran (App. A).

    greedy         Algorithm 1: train the middle of every piece that exceeds the level, until none does
    breadth_first  the whole string evolves while the level is lowered from that of the straight line
    hyperplane     Algorithm 1 with each bead confined to the hyperplane equidistant from its neighbours

A connection is reported only with a certificate: the bound on the risk along the whole polyline, rounding included,
is at most acceptance * level. Failure proves nothing, and is never called disconnection unless a certified lower
bound on every path's maximum (`theory.barriers`) is supplied and exceeds the level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.landscapes import Exact, Landscape, Objective, Trained
from theory.numerics import Array
from theory.numerics import validation as check
from theory.risk import Risk
from theory.string_sampling.runs import Run, Status, StringResult
from theory.string_sampling.strings import String

SLOWEST = 0.99  # a level lowered by less each time is hardly lowered, and the rounds are hardly bounded
RETRY = (Status.BEAD, Status.DEPTH, Status.LEVEL, Status.UNDECIDED)  # what another attempt may mend
# how new beads of a round are trained: (run, string, pieces, where they start)
Training = Callable[[Run, String, Array, Array], Trained]


def greedy(
    risk: Risk | Landscape,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    level: float,
    *,
    trainer: str = "lm",
    rng: Any = None,
    **settings: Any,
) -> StringResult:
    """Algorithm 1, repaired: both halves of a split piece are visited (the printed first `return` skips the second).

    The pieces of one depth do not depend on each other, so all of them are split in one round and their beads
    trained as one batch; the string is the same as the recursion's.

    trainer: one of `theory.string_sampling.TRAINERS`. theta_a, theta_b (P,): ends with F <= level. settings: the fields of
    `Options`, and start: a string to resume (its ends must be theta_a and theta_b); callback: called after every round
    with `Progress`; a true answer stops the run; barrier(risk, theta_a, theta_b): a certified lower bound on the
    maximum of every path, a number or with a field lower (`theory.barriers.lower_bound`), asked only when no connection
    was found. Terminates always: rounds, beads and iterations are
    bounded. Raises ValueError on ends above the level, wrong shapes, NaN, level <= 0, a setting out of range.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> F = Risk(Network((1, 1, 1)), Sample([[1.0]], [[1.0]]))  # a curved valley, w1 w2 = 1
    >>> found = greedy(F, [0.25, 4.0], [4.0, 0.25], level=0.25, rng=0)
    >>> found.status.name, found.maximum.upper <= 0.25, found.beads > 2
    ('CONNECTED', True, True)
    """
    return _dynamic(_trained, risk, theta_a, theta_b, level, trainer=trainer, rng=rng, **settings)


def hyperplane(
    risk: Risk | Landscape,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    level: float,
    *,
    trainer: str = "lm",
    zeta: float = 0.1,
    kappa: float = np.inf,
    rng: Any = None,
    **settings: Any,
) -> StringResult:
    """Algorithm 1 with beads confined near the hyperplane equidistant from their neighbours (Appendix A).

    zeta >= 0: spring, in units of level / |theta_a - theta_b| so that it is a number without dimension (for a string
    that returns to where it began, the distance to its farthest bead instead); kappa >= 0: penalty for leaving the
    hyperplane, in units of the level; inf confines exactly. Springs that keep a bead from its level are slackened by 4
    until it arrives, and let go after three times. See `Objective` for the formula and its slip of sign; other
    arguments, and what raises ValueError, as in `greedy`.
    """
    zeta = check.number(zeta, "zeta", minimum=0.0)
    kappa = check.number(kappa, "kappa", minimum=0.0, infinite=True)

    def training(run: Run, string: String, pieces: Array, starts: Array) -> Trained:
        left, right = string.beads[pieces], string.beads[pieces + 1]
        radius = 0.25 * np.linalg.norm(right - left, axis=1)
        span = np.linalg.norm(string.beads - string.beads[0], axis=1)
        scale = run.level / float(span[-1] if span[-1] > 1e-9 * span.max() else span.max())
        risk = check.instance(run.landscape, "risk", Exact).risk
        starts = Objective(risk, left, right, kappa=kappa).confine(starts)
        best: Trained | None = None
        for slack in (zeta, zeta / 4, zeta / 16, 0.0):
            objective = Objective(risk, left, right, slack * scale, kappa * run.level if kappa < np.inf else kappa)
            trained = run.train(starts, run.options.alpha * run.level, radius, objective)
            best = trained if best is None else _better(best, trained)
            if best.reached.all() or run.spent:
                break
        assert best is not None
        return best

    return _dynamic(training, risk, theta_a, theta_b, level, trainer=trainer, rng=rng, **settings)


def breadth_first(
    risk: Risk | Landscape,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    level: float,
    *,
    trainer: str = "lm",
    factor: float = 0.7,
    rng: Any = None,
    **settings: Any,
) -> StringResult:
    """All beads evolve together while the level is lowered from that of the straight line (Appendix A).

    At each level: beads above alpha times it are trained down to that in one batch, pieces that exceed it are split
    (at most `depth` times), and beads that are no longer needed are removed. factor in (0, 0.99]: the ratio of successive
    levels; where a level cannot be held the step is halved, three times in all, and then the string is said to be
    caught at `height`, the last level it did hold. attempts > 1: caught strings are shaken (rng) and tried again.
    Other arguments, and what else raises ValueError, as in `greedy`; factor must lie in (0, 0.99].
    """
    factor = check.number(factor, "factor", minimum=0.0, maximum=SLOWEST, open_minimum=True)
    run, string, done = Run.begin(risk, theta_a, theta_b, level, trainer=trainer, rng=rng, **settings)
    inner, height = string, string.worst[0]
    for attempt in range(run.options.attempts if done is None else 0):
        if done not in (None, *RETRY):
            break
        tried = inner.copy()
        done, reached, tried = _lower(run, tried, factor, 0.1 * attempt)
        if done is Status.CONNECTED or attempt == 0 or reached < height:
            string, height = tried, reached
    return run.finish(string, done, height)


def _dynamic(
    training: Training, risk: Risk | Landscape, theta_a: ArrayLike, theta_b: ArrayLike, level: float, **settings: Any
) -> StringResult:
    """Split, train and insert until every piece is certified; begin again with displaced beads where that fails."""
    run, string, done = Run.begin(risk, theta_a, theta_b, level, **settings)
    if done is None and settings.get("start") is not None:
        run.pull_down(string, run.ceiling, run.options.alpha * run.level, 0.0)
    for attempt in range(run.options.attempts if done is None else 0):
        if done not in (None, *RETRY):
            break
        if attempt:
            string = _reopen(string, run.ceiling, 2**attempt)
        done = _split(run, string, training, 0.0 if attempt == 0 else 0.5)
    return run.finish(string, done, string.worst[0])


def _trained(run: Run, string: String, pieces: Array, starts: Array) -> Trained:
    """New beads go down to alpha * level, on the shortest way."""
    radius = 0.25 * np.linalg.norm(string.beads[pieces + 1] - string.beads[pieces], axis=1)
    return run.train(starts, run.options.alpha * run.level, radius)


def _split(run: Run, string: String, training: Training, jitter: float) -> Status | None:
    """Rounds of Algorithm 1 on the string, in place; CONNECTED when every piece is certified below the ceiling.

    jitter > 0: the first beads are displaced at random by that share of their piece.
    """
    options, ceiling = run.options, run.ceiling
    for depth in range(options.depth + 1):
        pieces = string.outside(ceiling)
        if not pieces.size:
            return Status.CONNECTED
        stop = run.pause(string, ceiling)
        if stop is not None:
            return stop
        if depth == options.depth:
            return Status.DEPTH if (string.top > ceiling).any() else Status.UNDECIDED
        starts = run.starts_on(string, pieces, jitter if depth == 0 else 0.0)
        trained = training(run, string, pieces, starts)
        there = trained.values <= ceiling
        string.insert(pieces[there], trained.points[there], trained.values[there])
        if not trained.reached.all():
            return Status.BEAD
    raise AssertionError("the loop returns")


def _reopen(string: String, ceiling: float, reach: int) -> String:
    """The string without the interior beads within `reach` of a piece that still exceeds the ceiling."""
    string.screen()
    seen = string.top > ceiling
    bad = np.flatnonzero(seen if seen.any() else string.upper > ceiling)
    string = string.copy()
    drop = {int(bead) for piece in bad for bead in range(piece + 1 - reach, piece + 1 + reach)}
    for bead in sorted(drop & set(range(1, len(string.beads) - 1)), reverse=True):
        string.remove(bead)
    return string


def _better(first: Trained, second: Trained) -> Trained:
    """Bead by bead, the first result where it arrived, otherwise the second."""
    keep = first.reached
    return replace(
        second,
        points=np.where(keep[:, None], first.points, second.points),
        values=np.where(keep, first.values, second.values),
        reached=keep | second.reached,
        trainer=np.where(keep, first.trainer, second.trainer),
    )


def _lower(run: Run, string: String, factor: float, jitter: float) -> tuple[Status | None, float, String]:
    """Lower the level of the whole string to the ceiling; the status, the last level held, and the string there."""
    string.screen()
    height = min(max(string.worst[0], run.ceiling * (1 + 1e-9)), np.finfo(float).max)  # a string may overflow inside
    held, halvings = string.copy(), 0
    while True:
        goal = max(run.ceiling, height * factor)
        status = _hold(run, string, goal, jitter)
        if status is None:
            held, height = string.copy(), goal
            if goal == run.ceiling:
                return Status.CONNECTED, height, string
        elif status not in RETRY:
            return status, height, string
        else:
            factor, halvings = np.sqrt(factor), halvings + 1
            if halvings > 3:
                return Status.LEVEL, max(height, held.worst[0]), held
            string = held.copy()


def _hold(run: Run, string: String, goal: float, jitter: float) -> Status | None:
    """Bring the string under `goal`, in place; None when it is there (certified when the goal is the ceiling)."""
    options = run.options
    target = options.alpha * (goal if goal > run.ceiling else run.level)
    for depth in range(options.depth + 1):
        if not run.pull_down(string, target, target, jitter):
            return Status.BEAD
        string.screen()
        pieces = string.outside(goal) if goal == run.ceiling else np.flatnonzero(string.top > goal)
        if pieces.size == 0 and goal > run.ceiling:
            _thin(string, target)
        stop = run.pause(string, goal)
        if stop is not None:
            return stop
        if pieces.size == 0:
            return None
        if depth == options.depth:
            return Status.DEPTH
        radius = 0.25 * np.linalg.norm(string.beads[pieces + 1] - string.beads[pieces], axis=1)
        trained = run.train(run.starts_on(string, pieces, jitter), target, radius)
        there = trained.values <= goal
        string.insert(pieces[there], trained.points[there], trained.values[there])
        if not trained.reached.all():
            return Status.BEAD
    raise AssertionError("the loop returns")


def _thin(string: String, target: float) -> None:
    """Remove, in place, interior beads whose neighbours see each other below the target (no two in a row)."""
    if len(string.beads) < 3:
        return
    shortcut = String(
        string.landscape,
        np.stack([string.beads[:-2], string.beads[2:]], axis=1).reshape(-1, string.beads.shape[1]),
        string.work,
    )
    shortcut.screen()
    removable, last = [], -1
    for bead, top in enumerate(shortcut.top[::2], start=1):
        if top <= target and bead - 1 != last:
            removable.append(bead)
            last = bead
    for bead in removable[::-1]:
        string.remove(bead)
