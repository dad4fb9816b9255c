"""Exercises of the notebooks: a learner's function is attacked with Hypothesis, the smallest failure comes back.

    >>> from checks import exercises
    >>> attempt = exercises.verify("ex-1", lambda w1, w2, X: 0.0, examples=20)
    >>> attempt.passed
    False

`exercises.EXERCISES` lists them; `exercises.show("ex-1")` states one. Hypothesis comes with the `test` extra.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.exercises import instances as instances
from checks.exercises import judges
from checks.exercises.judges import Instance, short
from theory.numerics import validation as check


@dataclass(frozen=True)
class Exercise:
    """An exercise: its statement, and how it is judged.

    instances: what the function is called with, by name; judge: None when an answer is right, else what is wrong.
    """

    statement: str
    instances: st.SearchStrategy[Instance]
    judge: Callable[[Instance, Any], str | None]


@dataclass(frozen=True, eq=False, repr=False)
class Attempt:
    """What came of an attempt, false when it failed: then the smallest instance, the answer there, and the reason.

    exercise: its id; examples: how many instances it met.
    """

    exercise: str
    passed: bool
    examples: int
    instance: Instance = field(default_factory=dict)
    answer: Any = None
    reason: str = ""

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        if self.passed:
            return f"{self.exercise}: passed on {self.examples} instances"
        given_ = ", ".join(f"{name} = {short(value)}" for name, value in self.instance.items())
        return f"{self.exercise}: fails. Smallest instance: {given_}. Answer: {short(self.answer)}. {self.reason}"


def show(exercise: str) -> str:
    """The statement of an exercise; ValueError for an unknown id."""
    return EXERCISES[check.choice(exercise, "exercise", tuple(EXERCISES))].statement


def verify(exercise: str, function: Callable[..., Any], *, examples: int = 200) -> Attempt:
    """Attack `function`, an answer to the exercise "ex-1" to "ex-11", with `examples` instances.

    It is called with keyword arguments, on copies.

    ValueError for an unknown exercise or what is no function, and no other error: one that the function raises is a
    failure, and so is any answer, of whatever type, that is not right. The same function meets the same instances
    every time.
    """
    found = EXERCISES[check.choice(exercise, "exercise", tuple(EXERCISES))]
    examples = check.positive_integer(examples, "examples")
    if not callable(function):
        raise ValueError(f"function must be callable; got {check.describe(function)}")
    tried, failure = 0, [Attempt(exercise, True, 0)]

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(found.instances)
    def attack(instance: Instance) -> None:
        nonlocal tried
        tried += 1
        answer, reason = _answer(found, function, instance)
        if reason is not None:
            failure[0] = Attempt(exercise, False, tried, instance, answer, reason)
            raise AssertionError(reason)  # Hypothesis shrinks; the last failure it reports is the smallest

    try:
        attack()
    except Exception:  # also where a function answers differently the second time
        if failure[0]:
            raise
        return failure[0]
    return Attempt(exercise, True, tried)


def _answer(exercise: Exercise, function: Callable[..., Any], instance: Instance) -> tuple[Any, str | None]:
    arguments = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in instance.items()}
    try:
        answer = function(**arguments)
    except (Exception, SystemExit) as error:  # the learner's function may raise anything
        return None, f"it raised {said(error)}"
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return answer, exercise.judge(instance, answer)
    except Exception as error:  # and its answer may be an object of any kind, whose methods raise anything
        return answer, f"the answer has the wrong form: {said(error)}"


def said(error: BaseException) -> str:
    """An error by its name and what it says, if it says anything."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # its __str__ is somebody else's
        return type(error).__name__


EXERCISES = {
    "ex-1": Exercise(
        "kernel(w1, w2, X): the kernel [w1, w2]_Z = mean over the rows x of X of max(0, <w1, x>) max(0, <w2, x>).",
        instances.pairs_on_samples(),
        judges.kernel_value,
    ),
    "ex-2": Exercise(
        "upper(risk, theta_a, theta_b): a number that the risk never exceeds on the segment, at most 100 times too "
        "large. A grid will not do.",
        instances.segments(),
        judges.upper_bound,
    ),
    "ex-3": Exercise(
        "lower(w1, w2, X): a lower bound of the kernel of two unit vectors, no worse than "
        "cos^2(alpha/2) ||w_m||_Z^2 - sin^2(alpha/2) ||Sigma|| and than 0.",
        instances.pairs_on_samples(),
        judges.sharp_lower_bound,
    ),
    "ex-4": Exercise(
        "atoms(alpha): for alpha in (2 pi/3, pi), atoms (N, 2) in the plane, N <= 8, on which the proof's step "
        "E1 <= r^2 sin^2(alpha) E[|x|^2 1_B] is false. Coordinates: the bisector first, then the normal.",
        instances.wide_angles(),
        judges.broken_step,
    ),
    "ex-5": Exercise(
        "free(V, Z): features Z (h, N) with h > N, outgoing weights V (p, h). Return V' with V' Z = V Z and a column "
        "that is exactly zero.",
        instances.dependent_features(),
        judges.freed_unit,
    ),
    "ex-6": Exercise(
        "slide(W, v, hole, unit): unit `hole` has v[hole] = 0. Return a list of steps [(W, v), ...], each joined to the "
        "one before by a straight segment on which v relu(W x) never changes, after which unit `hole` is old unit "
        "`unit`, and unit `unit` is idle.",
        instances.holes(),
        judges.fifteen_puzzle,
    ),
    "ex-7": Exercise(
        "sparsify(Z, v): features Z (m, N), m > N. Return v' with v' Z = v Z, at most N nonzero entries and no larger "
        "l1 norm.",
        instances.many_units(),
        judges.sparse_weights,
    ),
    "ex-8": Exercise(
        "coin_toss(Z, v, units): the expected mean squared error (over the N samples) of replacing f = v Z by the mean "
        "of `units` independent draws of |v|_1 sign(v_j) z_j, unit j drawn with probability |v_j| / |v|_1.",
        instances.mixtures(),
        judges.coin_toss,
    ),
    "ex-9": Exercise(
        "normalised_length(points): length of the polyline over the distance of its ends; 1 for a single place, "
        "infinity for a loop.",
        instances.polylines(),
        judges.normalised_length,
    ),
    "ex-10": Exercise(
        "side(W, X): which side of the wall a net with three units on three points is on: the sign of det relu(W X^T).",
        instances.oriented(),
        judges.orientation,
    ),
    "ex-11": Exercise(
        "barrier(X): three points in the plane with the origin inside their triangle, target x1 -> x2 -> x3 -> x1. The "
        "height e(2) of the barrier between a solution and its swap.",
        instances.triangles(),
        judges.barrier,
    ),
}

__all__ = ["EXERCISES", "Attempt", "Exercise", "show", "verify"]
