"""Exercises of the notebooks: a learner's function is tried on instances in order of size, the smallest failure comes back.

    >>> from checks import exercises
    >>> attempt = exercises.verify("ex-1", lambda w1, w2, X: 0.0)
    >>> bool(attempt)
    False
    >>> print(attempt)
    ex-1: fails. Smallest instance found: w1 = [1.], w2 = [1.], X = [[1.]]
      Your answer: 0.0
      A right one: 1.0
      The numbers differ. More: exercises.hint("ex-1")

`exercises.EXERCISES` lists them; `exercises.show("ex-1")` states one, `exercises.hint("ex-1")` helps.
"""

from __future__ import annotations

import inspect
import itertools
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from checks.exercises import instances, judges
from checks.exercises.instances import Instance
from checks.exercises.judges import short
from checks.exercises.solutions import SOLUTIONS
from theory.numerics import validation as check

PATIENCE = 1.0  # seconds after which an attempt says how far it is
RAISED = "It raised"  # how the reason begins where the function gave no answer


@dataclass(frozen=True)
class Exercise:
    """An exercise: what is to be written, and how it is judged.

    title: its subject; notebook: the number of the one that leads to it; call: the function and its arguments, as they are
    passed; task: what it must return; level: 1 (a line) to 3 (an idea and ten lines); help: the first step. instances: what it is tried on, by name, in order of size; judge: None when an
    answer is right, else what is wrong.
    """

    title: str
    notebook: int
    call: str
    task: str
    level: int
    help: str
    instances: Callable[[], Iterator[Instance]]
    judge: Callable[[Instance, Any], str | None]

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the function is called with, in this order; an instance may hold more, which the judge alone knows."""
        return tuple(self.call[self.call.index("(") + 1 : -1].split(", "))

    @property
    def statement(self) -> str:
        """The exercise in words."""
        return f"{self.call}: {self.task}"

    @property
    def stars(self) -> str:
        """The level, to be seen: one to three stars."""
        return "*" * self.level + " " * (3 - self.level)


@dataclass(frozen=True, eq=False, repr=False)
class Attempt:
    """What came of an attempt, true where it passed.

    exercise: its id; examples: how many instances it met. Where it failed: the smallest instance, the answer there, the
    expected one (one that is right), and the reason.
    """

    exercise: str
    passed: bool
    examples: int
    instance: Instance = field(default_factory=dict)
    answer: Any = None
    expected: Any = None
    reason: str = ""

    def __bool__(self) -> bool:
        return self.passed

    def _parts(self) -> list[str]:
        if self.passed:
            return [f"{self.exercise}: passed on {self.examples} instance{'s' * (self.examples != 1)}"]
        if not self.instance:
            return [f"{self.exercise}: fails. {self.reason}"]
        given = ", ".join(f"{name} = {short(value)}" for name, value in self.instance.items())
        answer = [] if self.reason.startswith(RAISED) else [f"Your answer: {short(self.answer)}"]
        return [
            f"{self.exercise}: fails. Smallest instance found: {given}",
            *answer,
            f"A right one: {short(self.expected)}",
            f'{self.reason} More: exercises.hint("{self.exercise}")',
        ]

    def __repr__(self) -> str:
        return ". ".join(self._parts())

    def __str__(self) -> str:
        return "\n  ".join(self._parts())


def show(exercise: str) -> str:
    """The statement of an exercise, with its level; ValueError for an unknown id."""
    found = _find(exercise)
    return f"{exercise} ({found.stars.strip()}) {found.statement}"


def hint(exercise: str) -> str:
    """The first step towards an answer to an exercise; ValueError for an unknown id."""
    return _find(exercise).help


def listing() -> str:
    """All exercises, a line each: id, level of one to three stars, title, what is to be written, and the notebook."""
    return "\n".join(
        f"{name:5} {found.stars}  {found.title:34}{found.call:30} notebook {found.notebook}"
        for name, found in EXERCISES.items()
    )


def verify(exercise: str, function: Callable[..., Any], *, examples: int = 100) -> Attempt:
    """Try `function`, an answer to the exercise "ex-1" to "ex-11", on `examples` instances, the smallest first.

    It is called on copies, with its arguments by name where it has parameters of these names, in their order otherwise.
    The same function meets the same instances every time; the first that it fails on ends the attempt. A slow one is told
    how far it is.

    ValueError for an unknown exercise or what is no function, and no other error: one that the function raises is a
    failure, and so is any answer, of whatever type, that is not right.
    """
    found = _find(exercise)
    examples = check.positive_integer(examples, "examples")
    if not callable(function):
        raise ValueError(f"function must be callable; got {check.describe(function)}")
    try:
        call = _caller(function, found.arguments)
    except TypeError as error:
        return Attempt(exercise, False, 0, reason=str(error))
    for tried, instance in enumerate(_watched(exercise, found.instances(), examples), start=1):
        told = {name: instance[name] for name in found.arguments}
        answer, reason = _judged(found, call, told, instance)
        if reason is not None:
            expected = SOLUTIONS[exercise](**_copied(told))
            return Attempt(exercise, False, tried, instance, answer, expected, reason)
    return Attempt(exercise, True, examples)


def _find(exercise: str) -> Exercise:
    return EXERCISES[check.choice(exercise, "exercise", tuple(EXERCISES))]


def _copied(instance: Instance) -> Instance:
    return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in instance.items()}


def _caller(function: Any, names: tuple[str, ...]) -> Callable[[Instance], Any]:
    """How the function takes its arguments: by name, or in their order; TypeError where it takes them in neither way."""
    try:
        signature = inspect.signature(function)
    except Exception:  # a built-in function has none, and what is callable may be anybody's
        return lambda told: function(*told.values())
    if _fits(signature, **dict.fromkeys(names)):
        return lambda told: function(**told)
    if _fits(signature, *names):
        return lambda told: function(*told.values())
    raise TypeError(f"It must take ({', '.join(names)}), by these names or in this order.")


def _fits(signature: inspect.Signature, *values: Any, **named: Any) -> bool:
    try:
        signature.bind(*values, **named)
    except TypeError:
        return False
    return True


def _judged(exercise: Exercise, call: Callable[[Instance], Any], told: Instance, instance: Instance) -> tuple[Any, Any]:
    """The answer to an instance, and what is wrong with it (None: nothing)."""
    try:
        with np.errstate():  # what it sets is its own
            answer = call(_copied(told))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the learner's function may raise anything
        return None, f"{RAISED} {_said(error)}."
    if inspect.iscoroutine(answer):
        answer.close()
        return answer, "The answer is a coroutine: write def instead of async def."
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return answer, exercise.judge(instance, answer)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # and its answer may be an object of any kind, whose methods raise anything
        return answer, f"The answer has the wrong form: {_said(error)}."


def _said(error: BaseException) -> str:
    """An error by its name and what it says, if it says anything, in one line that is not endless."""
    try:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return text if len(text) <= judges.LONG else f"{text[: judges.LONG]}..."
    except Exception:  # its __str__ is somebody else's
        return type(error).__name__


def _watched(exercise: str, found: Iterator[Instance], examples: int) -> Iterator[Instance]:
    """The first instances; after a second of work a line on a terminal or in a notebook says how far it is, until the end."""
    began, seen = time.monotonic(), sys.stderr.isatty() or "ipykernel" in sys.modules
    shown = ""
    try:
        for k, instance in enumerate(itertools.islice(found, examples)):
            if seen and time.monotonic() - began > PATIENCE:
                shown = f"{exercise}: right on {k} of {examples}, Ctrl-C to stop"
                print(f"\r{shown}", end="", file=sys.stderr, flush=True)
            yield instance
    finally:
        if shown:
            print(f"\r{' ' * len(shown)}\r", end="", file=sys.stderr, flush=True)


EXERCISES = {
    "ex-1": Exercise(
        "The kernel of two units",
        1,
        "kernel(w1, w2, X)",
        "the kernel [w1, w2]_Z = mean over the rows x of X of max(0, <w1, x>) max(0, <w2, x>).",
        1,
        "X @ w1 holds <w1, x> for all rows x. Clip each factor at zero before you multiply.",
        instances.pairs_on_samples,
        judges.kernel_value,
    ),
    "ex-2": Exercise(
        "A bound that no grid gives",
        1,
        "upper(risk, theta_a, theta_b)",
        "a number that the risk never exceeds on the segment, at most 100 times too large. The net has one hidden layer of "
        "relu units and one input; all that moves are the kinks of its units. A grid will not do.",
        2,
        "Between two kinks the net is linear in t, and a squared error convex: where can its maximum be? Unit j turns where "
        "its preactivation, linear in t, is zero; risk.network.weights(theta) and risk.sample.X give it.",
        instances.segments,
        judges.upper_bound,
    ),
    "ex-3": Exercise(
        "The lower bound of Prop. 2.3",
        2,
        "lower(alpha, square, norm)",
        "the best lower bound of the kernel of two unit vectors for one who is told their angle alpha, "
        "square = ||w_m||_Z^2 of their bisector, and norm = ||Sigma||, and nothing else.",
        2,
        "Write <x, w1><x, w2> = <x, p>^2 - <x, d>^2 with p = cos(alpha/2) w_m and |d| = sin(alpha/2). What is the least that "
        "the first square can give, the most that the second can take? And a kernel is never below a certain number.",
        instances.measured_pairs,
        judges.sharp_lower_bound,
    ),
    "ex-4": Exercise(
        "Where the printed proof breaks",
        2,
        "atoms(alpha)",
        "for alpha in (2 pi/3, pi), atoms (N, 2) in the plane, N <= 8, on which the proof's step "
        "E1 <= r^2 sin^2(alpha) E[|x|^2 1_B] is false. Coordinates: the bisector first, then the normal.",
        3,
        "One atom is enough. B begins beyond the edge where one of the units falls silent, the direction (1, cot(alpha/2)): "
        "on which side of it, and how far, is <x, w_m>^2 largest against |x|^2?",
        instances.wide_angles,
        judges.broken_step,
    ),
    "ex-5": Exercise(
        "Free a unit",
        3,
        "free(V, Z)",
        "features Z (h, N) with h > N, outgoing weights V (p, h). Return V' with V' Z = V Z and a column that is exactly zero.",
        2,
        "The h rows of Z lie in N dimensions: nu Z = 0 for some nu that is not zero (the last row of np.linalg.svd(Z.T)[2]). "
        "V - c nu^T does the same as V, for every column c. Choose c, and k with nu_k far from zero; then write the zero.",
        instances.dependent_features,
        judges.freed_unit,
    ),
    "ex-6": Exercise(
        "Slide a unit into the hole",
        3,
        "slide(W, v, hole, unit)",
        "unit `hole` has v[hole] = 0. Return a list of steps [(W, v), ...], each joined to the "
        "one before by a straight segment on which v relu(W x) never changes, after which unit `hole` is old unit "
        "`unit`, and unit `unit` is idle.",
        2,
        "Nothing sees W[hole] while v[hole] is zero: copy a row there. Two units with equal rows may share their outgoing "
        "weights as they like.",
        instances.holes,
        judges.fifteen_puzzle,
    ),
    "ex-7": Exercise(
        "Caratheodory: as few units",
        4,
        "sparsify(Z, v)",
        "features Z (m, N), m > N. Return v' with v' Z = v Z, at most N nonzero entries and no larger l1 norm.",
        3,
        "While more than N units are active, their features are dependent: nu Z = 0. Along v - s nu the l1 norm is linear until "
        "a weight vanishes. Which sign of nu makes it fall, and where does the first weight vanish?",
        instances.many_units,
        judges.sparse_weights,
    ),
    "ex-8": Exercise(
        "The variance of the coin toss",
        4,
        "coin_toss(Z, v, units)",
        "the expected mean squared error (over the N samples) of replacing f = v Z by the mean "
        "of `units` independent draws of |v|_1 sign(v_j) z_j, unit j drawn with probability |v_j| / |v|_1.",
        2,
        "A draw has mean f. The variance of a mean of independent draws is that of one, divided; E|g|^2 - |f|^2 for one.",
        instances.mixtures,
        judges.coin_toss,
    ),
    "ex-9": Exercise(
        "Normalised length",
        5,
        "normalised_length(points)",
        "length of the polyline over the distance of its ends; 1 for a single place, infinity for a loop.",
        1,
        "np.diff(points, axis=0) holds the pieces. Do not divide zero by zero.",
        instances.polylines,
        judges.normalised_length,
    ),
    "ex-10": Exercise(
        "Which side of the wall",
        6,
        "side(W, X)",
        "which side of the wall a net with three units on three points is on: the sign of det relu(W X^T).",
        1,
        "W @ X.T holds what each unit sees of each point; clip it at zero first.",
        instances.oriented,
        judges.orientation,
    ),
    "ex-11": Exercise(
        "The height of the wall",
        6,
        "barrier(X)",
        "three points in the plane with the origin inside their triangle, target x1 -> x2 -> x3 -> x1. The "
        "height e(2) of the barrier between a solution and its swap.",
        3,
        "Two units fit two of the three points exactly, or a mixture: for each pair P (2, 2) of points the least squares error "
        "is the smaller eigenvalue of its Gram matrix P P^T. Take the best pair, and the mean over three points.",
        instances.triangles,
        judges.barrier,
    ),
}

__all__ = ["EXERCISES", "Attempt", "Exercise", "hint", "listing", "show", "verify"]
