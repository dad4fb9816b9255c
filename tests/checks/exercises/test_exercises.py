"""Each exercise accepts a right answer and returns the smallest failure of wrong ones."""

import functools
import gc
import inspect
import itertools
import subprocess
import sys

import numpy as np
import pytest

from checks.exercises import attempts, instances
from checks.exercises.__main__ import main
from checks.exercises.solutions import SOLUTIONS, coin_toss, free, kernel, lower, normalised_length, slide, sparsify
from theory.barriers import permutation_barrier
from theory.maxima import segment_maximum
from theory.moves import Walk
from theory.networks import Network
from theory.risk import Sample


def first_dropped(Z, v):
    """At most two of three units on two points, the first without a weight: right but for the l1 norm."""
    nu = np.linalg.svd(Z.T)[2][-1]
    return np.append(0.0, (v - v[0] / nu[0] * nu)[1:])


# By exercise, answers that are wrong: the first is tried in its notebook; each is caught, and soon.
WRONG = {
    "ex-1": [
        lambda w1, w2, X: np.mean(X @ w1 * (X @ w2)),
        lambda w1, w2, X: np.mean(np.maximum(X @ w1 * (X @ w2), 0)),
        lambda w1, w2, X: np.sum(np.maximum(X @ w1, 0) * np.maximum(X @ w2, 0)),
        lambda w1, w2, X: kernel(w1, w1, X),
    ],
    "ex-2": [
        lambda risk, theta_a, theta_b: max(risk(theta_a), risk(theta_b)),
        lambda risk, theta_a, theta_b: max(risk.batch(np.linspace(0, 1, 101)[:, None] * (theta_b - theta_a) + theta_a)),
        lambda risk, theta_a, theta_b: 1.0,
        lambda risk, theta_a, theta_b: 1e9,
        lambda risk, theta_a, theta_b: np.inf,
    ],
    "ex-3": [
        lambda alpha, square, norm: np.cos(alpha) * square,
        lambda alpha, square, norm: 0.0,
        lambda alpha, square, norm: np.cos(alpha / 2) ** 2 * square - np.sin(alpha / 2) ** 2 * norm,
        lambda alpha, square, norm: lower(alpha, square, 1.25 * norm),
        lambda alpha, square, norm: 1.01 * lower(alpha, square, norm),
    ],
    "ex-4": [lambda alpha: np.array([[1.0, 0.0]]), lambda alpha: [[1.0, 1 / np.tan(alpha / 2) - 1e-3]]],
    "ex-5": [
        lambda V, Z: np.zeros_like(V),
        lambda V, Z: np.where(np.arange(V.shape[1]) == 0, 0.0, V),
        lambda V, Z: V,
        lambda V, Z: free(V, Z) + 1e-12,
    ],
    "ex-6": [
        lambda W, v, hole, unit: [(W, v)],
        lambda W, v, hole, unit: slide(W, v, hole, unit)[1:],
        lambda W, v, hole, unit: slide(W, v, hole, unit)[:1],
    ],
    "ex-7": [
        lambda Z, v: v,
        lambda Z, v: np.linalg.lstsq(Z.T, Z.T @ v, rcond=None)[0],
        lambda Z, v: np.where(np.arange(len(v)) < Z.shape[1], v, 0.0),
        lambda Z, v: first_dropped(Z, v) if len(Z) == 3 and Z.shape[1] == 2 else sparsify(Z, v),
    ],
    "ex-8": [
        lambda Z, v, units: 0.0,
        lambda Z, v, units: np.abs(v).sum() ** 2 * (Z**2).mean() / units,
        lambda Z, v, units: coin_toss(Z, v, 1),
        lambda Z, v, units: len(Z.T) * coin_toss(Z, v, units),
    ],
    "ex-9": [
        lambda points: np.linalg.norm(np.diff(points, axis=0), axis=1).sum(),
        lambda points: 1.0,
        lambda points: np.linalg.norm(points[-1] - points[0]),
        lambda points: min(normalised_length(points), 1e9),
        lambda points: normalised_length(points) if np.ptp(points) else np.inf,
    ],
    "ex-10": [lambda W, X: 1.0, lambda W, X: np.sign(np.linalg.det(W[:2] @ X[:2].T))],
    "ex-11": [lambda X: 1 / 6, lambda X: np.linalg.eigvalsh(X[:2] @ X[:2].T)[0] / 3],
}
MISTAKES = [(exercise, k) for exercise, answers in WRONG.items() for k in range(len(answers))]


def test_every_exercise_has_a_solution_and_mistakes():
    assert list(attempts.EXERCISES) == list(SOLUTIONS) == list(WRONG)


@pytest.mark.parametrize("exercise", attempts.EXERCISES)
def test_the_teachers_solution_passes(exercise):
    attempt = attempts.verify(exercise, SOLUTIONS[exercise])
    assert attempt, str(attempt)
    assert repr(attempt) == f"{exercise}: passed on 100 instances"
    assert (
        attempts.EXERCISES[exercise].call
        == f"{SOLUTIONS[exercise].__name__}({', '.join(attempts.EXERCISES[exercise].arguments)})"
    )
    assert tuple(inspect.signature(SOLUTIONS[exercise]).parameters) == attempts.EXERCISES[exercise].arguments


@functools.cache
def failure(exercise, mistake):
    return attempts.verify(exercise, WRONG[exercise][mistake])


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_a_mistake_comes_back_with_its_smallest_failure(exercise, mistake):
    attempt = failure(exercise, mistake)
    assert not attempt
    assert attempt.reason
    assert attempt.examples <= 30  # the usual mistakes are met among the chosen instances
    assert "fails. Smallest instance found: " in str(attempt)
    assert "A right one: " in str(attempt)
    assert repr(attempt).count("\n") == 0


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_the_smallest_failure_can_be_followed_by_hand(exercise, mistake):
    arrays = [value for value in failure(exercise, mistake).instance.values() if isinstance(value, np.ndarray)]
    assert sum(value.size for value in arrays) <= 12
    if exercise != "ex-2":  # kinks of a hat, somewhere
        assert all((value == value.round(1)).all() for value in arrays)


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_what_is_shown_as_right_has_the_form_of_an_answer_and_is_right(exercise, mistake):
    attempt = failure(exercise, mistake)
    assert attempts.EXERCISES[exercise].judge(attempt.instance, attempt.expected) is None


def test_the_smallest_failure_of_a_forgotten_division_is_a_forgotten_division():
    attempt = failure("ex-9", 0)
    assert attempt.instance["points"].tolist() == [[0.0], [2.0]]
    assert (attempt.answer, attempt.expected) == (2.0, 1.0)


def test_the_kernel_is_no_answer_to_the_question_for_its_lower_bound():
    attempt = attempts.verify("ex-3", kernel)  # told the angle alone, it cannot be computed
    assert not attempt
    assert "It raised" in attempt.reason
    assert "Your answer" not in str(attempt)  # there is none
    assert attempts.EXERCISES["ex-3"].arguments == ("alpha", "square", "norm")


@pytest.mark.parametrize("exercise", attempts.EXERCISES)
def test_messages_are_for_people(exercise):
    for mistake in range(len(WRONG[exercise])):
        text = str(failure(exercise, mistake))
        assert "np.float64" not in text
        assert "1 samples" not in text
    assert "1.0" in str(attempts.verify("ex-5", lambda V, Z: [np.float64(1.0)]))
    assert "np.float64" not in str(attempts.verify("ex-5", lambda V, Z: [np.float64(1.0)]))
    assert repr(attempts.verify("ex-1", kernel, examples=1)) == "ex-1: passed on 1 instance"


# --- instances --------------------------------------------------------------------------------------------------------


def first(exercise, count=300):
    return list(itertools.islice(attempts.EXERCISES[exercise].instances(), count))


@pytest.mark.parametrize("exercise", attempts.EXERCISES)
def test_instances_are_the_same_every_time_and_finite(exercise):
    for one, two in zip(first(exercise), first(exercise), strict=True):
        assert list(one) == list(two)
        assert attempts.short(one) == attempts.short(two)
        assert set(attempts.EXERCISES[exercise].arguments) <= set(one)
        assert all(np.isfinite(value).all() for value in one.values() if isinstance(value, (np.ndarray, float)))


def test_units_have_norm_one_and_every_angle():
    found = first("ex-3")
    for one in found:
        assert np.allclose(np.linalg.norm([one["w1"], one["w2"]], axis=1), 1, atol=1e-12)
    angles = np.array([one["alpha"] for one in found])
    assert {0.0, np.pi} <= set(angles)
    assert ((0 < angles) & (angles < 1e-6)).any()
    assert ((angles > np.pi - 1e-6) & (angles < np.pi)).any()
    assert {one["X"].shape[1] for one in found} == {1, 2, 3}


def test_features_have_more_rows_than_columns_and_holes_are_idle():
    for one in first("ex-5") + first("ex-7"):
        assert one["Z"].shape[0] > one["Z"].shape[1]
        assert one["Z"].min() >= 0
    for one in first("ex-6"):
        assert one["v"][one["hole"]] == 0
        assert one["hole"] != one["unit"]


def test_polylines_turn_back_and_stay():
    found = [one["points"] for one in first("ex-9")]
    assert any((p[0] == p[-1]).all() and np.ptp(p) for p in found)
    assert any(not np.ptp(p, axis=0).any() for p in found)


def test_walls_have_two_sides_and_triangles_hold_the_origin():
    found = [np.linalg.det(np.maximum(one["W"] @ one["X"].T, 0)) for one in first("ex-10")]
    assert min(map(abs, found)) > 0.5
    assert {-1.0, 1.0} == set(np.sign(found))
    for one in first("ex-11"):
        weights = np.linalg.svd(one["X"].T)[2][-1]
        assert (weights > 1e-9).all() or (weights < -1e-9).all()


def test_the_height_of_the_wall_is_that_of_the_theory():
    for one in first("ex-11", 6):
        found = permutation_barrier(Sample(one["X"], one["X"][[1, 2, 0]]), 3)
        assert found.lower * (1 - 1e-6) <= SOLUTIONS["ex-11"](one["X"]) <= found.upper * (1 + 1e-6)


def test_hats_are_as_high_as_they_say():
    for one in first("ex-2", 8):
        found = segment_maximum(*one.values())
        assert found.value > 1e-5
        assert max(one["risk"](one["theta_a"]), one["risk"](one["theta_b"])) < found.value * 1e-4


def test_sizes_grow_and_stay():
    sizes = [size for _, size in itertools.islice(instances.growing(), 5 * instances.EVERY)]
    assert sizes == sorted(sizes)
    assert set(sizes) == {1, 2, 3}


# --- how a function is called -----------------------------------------------------------------------------------------


def test_arguments_come_by_name_or_in_their_order():
    for answer in (
        lambda a, b, c: kernel(a, b, c),
        lambda X, w2, w1: kernel(w1, w2, X),
        lambda *all_: kernel(*all_),
        lambda **named: kernel(**named),
        lambda w1, w2, X, slope=0.0: kernel(w1, w2, X),
        functools.partial(kernel),
    ):
        assert attempts.verify("ex-1", answer, examples=20)


@pytest.mark.parametrize("answer", [lambda: 0, lambda a: 0, lambda a, b, c, d: 0, lambda w1, w2, *, Y: 0])
def test_a_function_with_other_arguments_is_told_so(answer):
    attempt = attempts.verify("ex-1", answer)
    assert str(attempt) == "ex-1: fails. It must take (w1, w2, X), by these names or in this order."
    assert not attempt


def test_built_in_functions_take_them_in_order():
    assert not attempts.verify("ex-1", max)
    assert not attempts.verify("ex-9", dict)


def test_a_slow_function_is_told_how_far_it_is(monkeypatch, capsys):
    clock = itertools.count()
    monkeypatch.setattr(attempts.time, "monotonic", lambda: next(clock) / 4)
    assert attempts.verify("ex-9", normalised_length, examples=9)
    assert capsys.readouterr().err == ""  # neither a terminal nor a notebook
    monkeypatch.setitem(sys.modules, "ipykernel", None)
    assert attempts.verify("ex-9", normalised_length, examples=9)
    shown = capsys.readouterr().err
    assert "ex-9: right on 8 of 9, Ctrl-C to stop" in shown
    assert "right on 2 of" not in shown
    assert shown.endswith(" \r")
    assert not attempts.verify("ex-9", lambda points: normalised_length(points) if len(points) < 5 else 0.0)
    assert capsys.readouterr().err.endswith(" \r")
    monkeypatch.setattr(attempts.time, "monotonic", lambda: 0.0)
    assert attempts.verify("ex-9", normalised_length, examples=9)
    assert capsys.readouterr().err == ""


def test_ctrl_c_stops_an_attempt():
    def slow(points):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempts.verify("ex-9", slow)


def test_exercises_need_nothing_but_what_is_always_there():
    """The planted fault is the environment of `pip install .`, which has no Hypothesis."""
    code = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "from checks import exercises; print(bool(exercises.verify('ex-9', lambda points: 1.0)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")


# --- what is said about them ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", attempts.EXERCISES)
def test_each_has_a_level_and_a_hint(exercise):
    found = attempts.EXERCISES[exercise]
    assert found.level in (1, 2, 3)
    assert attempts.show(exercise) == f"{exercise} ({'*' * found.level}) {found.call}: {found.task}"
    assert attempts.hint(exercise) == found.help
    assert len(found.help) > 40


def test_the_list_of_exercises(capsys):
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:11]] == list(attempts.EXERCISES)
    assert all("*" in line and len(line) <= 100 for line in lines[:11])
    assert all(found.title in line for line, found in zip(lines, attempts.EXERCISES.values()))
    assert main(["ex-9", "--hint"]) == 0
    assert attempts.hint("ex-9") in capsys.readouterr().out
    assert main(["ex-9"]) == 0
    assert attempts.hint("ex-9") not in capsys.readouterr().out
    assert main(["--help"]) == 0
    assert "usage: python -m checks.exercises" in capsys.readouterr().out
    assert main(["ex9"]) == 2
    assert capsys.readouterr().err == "checks.exercises: no exercise is called 'ex9'; did you mean ex-9 or ex-8?\n"
    assert main(["nothing"]) == 2
    assert "there are ex-1" in capsys.readouterr().err


class Hostile:
    """An answer whose every method raises: the methods that conversions, comparisons and messages would call."""

    def fail(self, *_, **__):
        raise RuntimeError(self)

    __array__ = __float__ = __index__ = __bool__ = __repr__ = __str__ = __iter__ = __len__ = __eq__ = __lt__ = fail
    __getitem__ = __sub__ = __rsub__ = __matmul__ = __rmatmul__ = __abs__ = fail
    __hash__ = None


class HostileError(Exception):
    __str__ = __repr__ = Hostile.fail


def raises(error):
    def answer(**_):
        raise error

    return answer


class Ends:
    """An object whose every method ends the program."""

    def end(self, *_, **__):
        raise SystemExit(3)

    __array__ = __float__ = __len__ = __iter__ = __repr__ = end


ANSWERS = {
    "text": "text",
    "a number as text": "1.0",
    "beyond the floats": 10**400,
    "too long to print": 10**5000,
    "none": None,
    "complex": 1j,
    "complex zero": [0j],
    "masked": np.ma.masked_all((3, 2)),
    "a date": np.datetime64("2020-01-01"),
    "objects": np.array([None, 1.0], dtype=object),
    "ragged": [[1.0], [1.0, 2.0]],
    "a record": np.zeros(2, dtype=[("a", "f8")]),
    "a type": int,
    "a set": {1, 2},
    "a generator": (k for k in itertools.repeat((0, 0))),
    "nan": float("nan"),
    "nothing": np.zeros((0, 2)),
    "hostile": Hostile(),
    "hostile inside": [Hostile(), [(Hostile(), 0)]],
    "ends": Ends(),
    "endless": range(10**9),
    "longer than a length can be": range(10**30),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_no_answer_makes_verify_raise(what):
    for exercise in attempts.EXERCISES:
        attempt = attempts.verify(exercise, lambda what=what, **_: ANSWERS[what], examples=2)
        assert not attempt
        assert attempt.reason in str(attempt)
        assert attempt.reason in repr(attempt)
        assert len(str(attempt)) < 3000


ERRORS = [HostileError(), SystemExit(3), RecursionError(), ArithmeticError("of mine"), GeneratorExit(), BaseException()]


@pytest.mark.parametrize("error", [*ERRORS, ValueError("in\ntwo lines"), ValueError("x" * 10**6)])
def test_no_error_of_the_function_gets_out(error):
    attempt = attempts.verify("ex-1", raises(error), examples=2)
    assert not attempt
    assert f"It raised {type(error).__name__}" in attempt.reason
    assert "\n" not in repr(attempt)
    assert len(repr(attempt)) < 3000


def test_whoever_presses_ctrl_c_is_obeyed():
    with pytest.raises(KeyboardInterrupt):
        attempts.verify("ex-1", raises(KeyboardInterrupt()))


def test_a_coroutine_is_no_answer_and_no_warning():
    async def later(w1, w2, X):
        return kernel(w1, w2, X)

    assert "instead of async def" in attempts.verify("ex-1", later).reason
    gc.collect()


def test_what_the_function_sets_in_numpy_is_its_own():
    before = np.geterr()
    assert not attempts.verify("ex-9", lambda points: np.seterr(all="raise") and 7.0)
    assert np.geterr() == before


@pytest.mark.parametrize(
    "turned", [str, complex, lambda x: np.ma.array(x, mask=True)], ids=["str", "complex", "masked"]
)
@pytest.mark.parametrize("exercise", ["ex-1", "ex-2", "ex-3", "ex-8", "ex-9", "ex-10", "ex-11"])
def test_a_right_number_of_the_wrong_kind_is_not_right(exercise, turned):
    right = SOLUTIONS[exercise]
    assert attempts.verify(exercise, right, examples=20)
    assert not attempts.verify(exercise, lambda **given: turned(right(**given)), examples=20)


def test_an_attempt_is_true_when_it_passed():
    assert attempts.verify("ex-1", kernel, examples=5)


def test_bad_arguments_name_what_is_allowed():
    with pytest.raises(ValueError, match="ex-11"):
        attempts.verify("ex-99", kernel)
    with pytest.raises(ValueError, match="callable"):
        attempts.verify("ex-1", 3)
    with pytest.raises(ValueError, match="examples"):
        attempts.verify("ex-1", kernel, examples=0)


def test_the_learner_cannot_change_the_instance():
    def vandal(w1, w2, X):
        value = kernel(w1, w2, X)
        X[:] = 0
        return value

    assert attempts.verify("ex-1", vandal, examples=20).passed


def test_sliding_is_what_moves_do():
    net = Network((2, 3, 1))
    W, v = np.arange(6.0).reshape(3, 2), np.array([1.0, 0.0, 2.0])
    walk = Walk(net, net.pack([W, v[None]]), np.ones((1, 2)))
    walk.place(1, 1, W[2])
    walk.transfer(1, 2, 1)
    end = slide(W, v, 1, 2)[-1]
    assert np.array_equal(walk.theta, net.pack([end[0], end[1][None]]))
