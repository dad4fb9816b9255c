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
from numpy.typing import ArrayLike, NDArray

from theory import validation as check
from theory.paths import Path
from theory.risk import Risk
from theory.strings import (
    UNKNOWN,
    Options,
    Progress,
    Run,
    Status,
    String,
    StringResult,
    Work,
    ends_of,
    normalised_length,
)
from theory.trainers import Objective, Trained, train

Array = NDArray[Any]
Callback = Callable[[Progress], Any]
Barrier = Callable[[Risk, Array, Array], float]

__all__ = [
    "Options",
    "Path",
    "Progress",
    "Status",
    "StringResult",
    "breadth_first",
    "greedy",
    "hyperplane",
    "normalised_length",
]


def greedy(
    risk: Risk,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    level: float,
    *,
    trainer: str = "lm",
    start: Path | None = None,
    callback: Callback | None = None,
    barrier: Barrier | None = None,
    rng: Any = None,
    **settings: Any,
) -> StringResult:
    """Algorithm 1, repaired: both halves of a split piece are visited (the printed first `return` skips the second).

    The pieces of one depth do not depend on each other, so all of them are split in one round and their beads
    trained as one batch; the string is the same as the recursion's.

    theta_a, theta_b (P,): ends with F <= level. start: a string to resume (its ends must be theta_a and theta_b).
    callback: called after every round with `Progress`; a true answer stops the run. barrier(risk, theta_a, theta_b):
    a certified lower bound on the maximum of every path, asked only when no connection was found. settings:
    the fields of `Options`. Terminates always: rounds, beads and iterations are bounded.
    Raises ValueError on ends above the level, wrong shapes, NaN, level <= 0, a setting out of range.
    """

    def beads(string: String, pieces: Array, starts: Array, run: Run, target: float) -> Trained:
        radius = 0.25 * np.linalg.norm(string.beads[pieces + 1] - string.beads[pieces], axis=1)
        return _train(run, risk, starts, target, radius, None)

    return _dynamic(risk, theta_a, theta_b, level, beads, trainer, start, callback, barrier, rng, settings)


def hyperplane(
    risk: Risk,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    level: float,
    *,
    trainer: str = "lm",
    zeta: float = 0.1,
    kappa: float = np.inf,
    start: Path | None = None,
    callback: Callback | None = None,
    barrier: Barrier | None = None,
    rng: Any = None,
    **settings: Any,
) -> StringResult:
    """Algorithm 1 with beads confined near the hyperplane equidistant from their neighbours (Appendix A).

    zeta >= 0: spring, in units of level / |theta_a - theta_b| so that it is a number without dimension; kappa >= 0:
    penalty for leaving the hyperplane, in units of the level; inf confines exactly. Springs that keep a bead from its
    level are slackened by 4 until it arrives, and let go after three times. See `Objective` for the formula and
    its slip of sign; other arguments as in `greedy`.
    """
    zeta = check.number(zeta, "zeta", minimum=0.0)
    if kappa != np.inf:
        kappa = check.number(kappa, "kappa", minimum=0.0)

    def beads(string: String, pieces: Array, starts: Array, run: Run, target: float) -> Trained:
        left, right = string.beads[pieces], string.beads[pieces + 1]
        radius = 0.25 * np.linalg.norm(right - left, axis=1)
        scale = level / max(float(np.linalg.norm(string.beads[-1] - string.beads[0])), 1e-300)
        starts = Objective(risk, left, right, kappa=kappa).confine(starts)
        best: Trained | None = None
        for slack in (zeta, zeta / 4, zeta / 16, 0.0):
            objective = Objective(risk, left, right, slack * scale, kappa * level if kappa < np.inf else kappa)
            trained = _train(run, risk, starts, target, radius, objective)
            best = trained if best is None else _better(best, trained)
            if best.reached.all():
                break
        assert best is not None
        return best

    return _dynamic(risk, theta_a, theta_b, level, beads, trainer, start, callback, barrier, rng, settings)


def breadth_first(
    risk: Risk,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    level: float,
    *,
    trainer: str = "lm",
    factor: float = 0.7,
    start: Path | None = None,
    callback: Callback | None = None,
    barrier: Barrier | None = None,
    rng: Any = None,
    **settings: Any,
) -> StringResult:
    """All beads evolve together while the level is lowered from that of the straight line (Appendix A).

    At each level: beads above alpha times it are trained down to that in one batch, pieces that exceed it are split
    (at most `depth` times), and beads that are no longer needed are removed. factor in (0, 1): the ratio of successive
    levels; where a level cannot be held the step is halved, three times in all, and then the string is said to be
    caught at `height`, the last level it did hold. attempts > 1: caught strings are shaken (rng) and tried again.
    Other arguments as in `greedy`.
    """
    factor = check.number(factor, "factor", minimum=0.0, maximum=1.0, open_minimum=True)
    if factor == 1:
        raise ValueError("factor must be below 1, or the level is never lowered; got 1.0")
    run, string, done = _begin(risk, theta_a, theta_b, level, trainer, start, callback, rng, settings)
    inner, height = string, string.worst[0]
    for attempt in range(run.options.attempts if done is None else 0):
        if done not in (None, *RETRY):
            break
        tried = inner.copy()
        done, reached, tried = _lower(run, tried, factor, 0.1 * attempt)
        if done is Status.CONNECTED or attempt == 0 or reached < height:
            string, height = tried, reached
    return _finish(run, string, done, barrier, height)


RETRY = (Status.BEAD, Status.DEPTH, Status.LEVEL, Status.UNDECIDED)  # what another attempt may mend


def _begin(
    risk: Risk,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    level: float,
    trainer: str,
    start: Path | None,
    callback: Callback | None,
    rng: Any,
    settings: dict[str, Any],
) -> tuple[Run, String, Status | None]:
    """Check the arguments, and try the straight line; ends that sit near the level step inward first."""
    if not isinstance(risk, Risk):
        raise ValueError(f"risk must be a Risk; got {type(risk).__name__}")
    a, b, level = ends_of(risk, theta_a, theta_b, level)
    run = Run(Options(trainer=trainer, **settings), level, check.generator(rng), callback)
    if start is not None:
        _check_start(risk, start, a, b)
    string = String(risk, np.stack([a, b]) if start is None else start.points, run.work)
    if not string.outside(run.ceiling).size:
        return run, string, Status.CONNECTED
    for end, value in ((a, string.values[0]), (b, string.values[-1])):
        if value > (1 - 1e-9) * run.ceiling and String(risk, np.stack([end, end]), run.work).outside(run.ceiling).size:
            return run, string, Status.UNDECIDED  # rounding alone leaves it open whether the end is below
    if start is None:
        string = _step_inward(run, string)
    else:
        _pull_down(run, string, run.ceiling, run.options.alpha * run.level, 0.0)
    return run, string, None


def _check_start(risk: Risk, start: Path, a: Array, b: Array) -> None:
    if not isinstance(start, Path):
        raise ValueError(f"start must be a Path; got {type(start).__name__}")
    points = check.parameters(start.points, risk.network.size, "start.points")
    if len(points) < 2 or not (np.array_equal(points[0], a) and np.array_equal(points[-1], b)):
        raise ValueError("start must lead from theta_a to theta_b, both exactly; its ends differ from them")


def _step_inward(run: Run, string: String) -> String:
    """From each end too near the level, a certified descent to a quarter of the way to alpha * level, where one is found.

    One straight step, or, where that leaves the level set, a chain of 2, 4, ..., 32 shorter ones.
    """
    risk, options = string.risk, run.options
    goal = (0.75 + 0.25 * options.alpha) * run.level
    descents = []
    for end, value in zip(string.beads, string.values):
        chain = String(risk, end[None], run.work)
        for steps in (1, 2, 4, 8, 16, 32) if value > goal else ():
            points = [end]
            for target in np.geomspace(value, goal, steps + 1)[1:]:
                radius = np.array([0.05 * (1 + np.linalg.norm(end)) / steps])
                trained = _train(run, risk, points[-1][None], float(target), radius, None, fallback=False)
                if not trained.reached[0]:
                    break
                points.append(trained.points[0])
            trial = String(risk, np.stack(points), run.work)
            if len(points) == steps + 1 and not trial.outside(run.ceiling).size:
                chain = trial
                break
        descents.append(chain)
    return _joined(risk, descents[0], descents[1], run.work)


def _joined(risk: Risk, first: String, second: String, work: Work) -> String:
    """The first string, a straight piece, and the second string backwards; what is known of their pieces stays known."""
    string = String(risk, np.concatenate([first.beads, second.beads[::-1]]), work)
    for name in UNKNOWN:
        column = getattr(string, name)
        column[: len(first.top)] = getattr(first, name)
        column[len(first.beads) :] = getattr(second, name)[::-1]
    string.where[len(first.beads) :] = 1 - string.where[len(first.beads) :]
    return string


def _dynamic(
    risk: Risk,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    level: float,
    beads: Callable[[String, Array, Array, Run, float], Trained],
    trainer: str,
    start: Path | None,
    callback: Callback | None,
    barrier: Barrier | None,
    rng: Any,
    settings: dict[str, Any],
) -> StringResult:
    """Split, train and insert until every piece is certified; begin again with displaced beads where that fails."""
    run, string, done = _begin(risk, theta_a, theta_b, level, trainer, start, callback, rng, settings)
    for attempt in range(run.options.attempts if done is None else 0):
        if done not in (None, *RETRY):
            break
        if attempt:
            string = _reopen(string, run.ceiling, 2**attempt)
        done = _split(run, string, beads, 0.0 if attempt == 0 else 0.5)
    return _finish(run, string, done, barrier, string.worst[0])


Beads = Callable[[String, Array, Array, Run, float], Trained]


def _split(run: Run, string: String, beads: Beads, jitter: float) -> Status | None:
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
        starts = _starts(run, string, pieces, jitter if depth == 0 else 0.0)
        trained = beads(string, pieces, starts, run, options.alpha * run.level)
        there = trained.values <= ceiling
        string.insert(pieces[there], trained.points[there], trained.values[there])
        if not trained.reached.all():
            return Status.BEAD
    raise AssertionError("the loop returns")


def _reopen(string: String, ceiling: float, reach: int) -> String:
    """The string without the interior beads within `reach` of a piece that still exceeds the ceiling."""
    string.screen()
    bad = (
        np.flatnonzero(string.upper > ceiling)
        if not (string.top > ceiling).any()
        else np.flatnonzero(string.top > ceiling)
    )
    string = string.copy()
    drop = {int(bead) for piece in bad for bead in range(piece + 1 - reach, piece + 1 + reach)}
    for bead in sorted(drop & set(range(1, len(string.beads) - 1)), reverse=True):
        string.remove(bead)
    return string


def _starts(run: Run, string: String, pieces: Array, jitter: float) -> Array:
    """Where new beads begin: the middle or the highest point of each piece, displaced at random by jitter * length."""
    t = string.where[pieces] if run.options.split == "maximum" else np.full(pieces.size, 0.5)
    t = np.where((t <= 0) | (t >= 1), 0.5, t)[:, None]
    a, b = string.beads[pieces], string.beads[pieces + 1]
    starts = (1 - t) * a + t * b
    if jitter > 0:
        noise = run.rng.standard_normal(starts.shape)
        noise *= np.linalg.norm(b - a, axis=1, keepdims=True) / np.linalg.norm(noise, axis=1, keepdims=True)
        starts = starts + jitter * noise
    return starts


def _train(
    run: Run,
    risk: Risk,
    starts: Array,
    target: float,
    radius: Array,
    objective: Objective | None,
    *,
    fallback: bool = True,
) -> Trained:
    options = run.options
    radius = np.maximum(radius, 1e-9 * (1 + np.linalg.norm(starts, axis=1)))
    return run.train(
        lambda: train(
            risk,
            starts,
            target,
            trainer=options.trainer,
            radius=radius,
            iterations=options.iterations,
            fallback=fallback,
            objective=objective,
        )
    )


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
    held, height, halvings = string.copy(), max(string.worst[0], run.ceiling * (1 + 1e-9)), 0
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
                return Status.LEVEL, height, held
            string = held.copy()


def _hold(run: Run, string: String, goal: float, jitter: float) -> Status | None:
    """Bring the string under `goal`, in place; None when it is there (certified when the goal is the ceiling)."""
    options = run.options
    target = options.alpha * (goal if goal > run.ceiling else run.level)
    for depth in range(options.depth + 1):
        if not _pull_down(run, string, target, target, jitter):
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
        starts = _starts(run, string, pieces, jitter)
        radius = 0.25 * np.linalg.norm(string.beads[pieces + 1] - string.beads[pieces], axis=1)
        trained = _train(run, string.risk, starts, target, radius, None)
        there = trained.values <= goal
        string.insert(pieces[there], trained.points[there], trained.values[there])
        if not trained.reached.all():
            return Status.BEAD
    raise AssertionError("the loop returns")


def _pull_down(run: Run, string: String, limit: float, target: float, jitter: float) -> bool:
    """Train the interior beads above `limit` down to `target`, in place; whether all arrived."""
    rows = 1 + np.flatnonzero(string.values[1:-1] > limit)
    if rows.size == 0:
        return True
    steps = np.linalg.norm(np.diff(string.beads, axis=0), axis=1)
    radius = 0.25 * (steps[rows - 1] + steps[rows])
    starts = string.beads[rows]
    if jitter > 0:
        starts = starts + jitter * radius[:, None] * run.rng.standard_normal(starts.shape) / np.sqrt(starts.shape[1])
    trained = _train(run, string.risk, starts, target, radius, None)
    lower = trained.values < string.values[rows]
    string.move(rows[lower], trained.points[lower], trained.values[lower])
    return bool(trained.reached.all())


def _thin(string: String, target: float) -> None:
    """Remove, in place, interior beads whose neighbours see each other below the target (no two in a row)."""
    if len(string.beads) < 3:
        return
    shortcut = String(
        string.risk,
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


def _finish(run: Run, string: String, done: Status | None, barrier: Barrier | None, height: float) -> StringResult:
    """The report; a failure is called disconnection only by the barrier's certificate."""
    assert done is not None
    bound = None
    if done is not Status.CONNECTED and barrier is not None:
        bound = float(barrier(string.risk, string.beads[0].copy(), string.beads[-1].copy()))
        done = Status.DISCONNECTED if bound > run.ceiling else done
    maximum, work = string.maximum(), run.work
    connected = done is Status.CONNECTED
    if connected and not maximum.upper <= run.ceiling:
        raise AssertionError(f"a connection must be certified: bound {maximum.upper}, ceiling {run.ceiling}")
    return StringResult(
        path=string.path if connected else None,
        status=done,
        maximum=maximum,
        string=string.path,
        level=run.level,
        rounds=run.rounds,
        evaluations=work.evaluations,
        height=height,
        training_seconds=work.training_seconds,
        certifying_seconds=work.certifying_seconds,
        barrier=bound,
    )
