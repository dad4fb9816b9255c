"""Each exercise accepts a right answer and returns the smallest failure of wrong ones."""

import functools
import itertools

import numpy as np
import pytest

from checks.exercises import attempts
from theory.maxima.segments import segment_maximum
from theory.moves import Walk
from theory.networks import Network


def kernel(w1, w2, X):
    return np.mean(np.maximum(X @ w1, 0) * np.maximum(X @ w2, 0))


def lower(w1, w2, X):
    p, d = (w1 + w2) / 2, (w2 - w1) / 2
    sigma = np.linalg.norm(X.T @ X / len(X), 2)
    return max(0.0, np.mean(np.maximum(X @ p, 0) ** 2) - d @ d * sigma)


def free(V, Z):
    nu = np.linalg.svd(Z.T)[2][-1]
    k = np.argmax(np.abs(nu))
    new = V - np.outer(V[:, k], nu / nu[k])
    new[:, k] = 0
    return new


def slide(W, v, hole, unit):
    copied, moved = W.copy(), v.copy()
    copied[hole] = W[unit]
    moved[hole], moved[unit] = v[unit], 0.0
    return [(copied, v), (copied, moved)]


def sparsify(Z, v):
    v = v.copy()
    while np.count_nonzero(v) > Z.shape[1]:
        active = np.flatnonzero(v)
        nu = np.linalg.svd(Z[active].T)[2][-1]
        nu = nu if nu @ np.sign(v[active]) >= 0 else -nu
        ratio = np.where(nu * v[active] > 0, v[active] / np.where(nu == 0, 1, nu), np.inf)
        k = np.argmin(ratio)
        v[active] -= ratio[k] * nu
        v[active[k]] = 0
    return v


def coin_toss(Z, v, units):
    norm = np.abs(v).sum()
    return (norm * np.abs(v) @ (Z**2).mean(1) - ((v @ Z) ** 2).mean()) / units


def normalised_length(points):
    length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    straight = np.linalg.norm(points[-1] - points[0])
    return length / straight if straight else (np.inf if length else 1.0)


def barrier(X):
    return min(np.linalg.eigvalsh(X[p] @ X[p].T)[0] for p in ([0, 1], [0, 2], [1, 2])) / 3


RIGHT = {
    "ex-1": kernel,
    "ex-2": lambda risk, theta_a, theta_b: segment_maximum(risk, theta_a, theta_b).upper,
    "ex-3": lower,
    "ex-4": lambda alpha: np.array([[1.0, 1e-3 + 1 / np.tan(alpha / 2)]]),
    "ex-5": free,
    "ex-6": slide,
    "ex-7": sparsify,
    "ex-8": coin_toss,
    "ex-9": normalised_length,
    "ex-10": lambda W, X: np.sign(np.linalg.det(np.maximum(W @ X.T, 0))),
    "ex-11": barrier,
}

WRONG = {
    "ex-1": lambda w1, w2, X: np.mean(X @ w1 * (X @ w2)),
    "ex-2": lambda risk, theta_a, theta_b: max(
        risk.batch(np.linspace(0, 1, 101)[:, None] * (theta_b - theta_a) + theta_a)
    ),
    "ex-3": lambda w1, w2, X: lower(w1, w2, X) + 0.1 * np.mean(X**2),
    "ex-4": lambda alpha: np.array([[1.0, 0.0]]),
    "ex-5": lambda V, Z: np.where(np.arange(V.shape[1]) == 0, 0.0, V),
    "ex-6": lambda W, v, hole, unit: slide(W, v, hole, unit)[1:],
    "ex-7": lambda Z, v: np.linalg.lstsq(Z.T, Z.T @ v, rcond=None)[0],
    "ex-8": lambda Z, v, units: np.abs(v).sum() ** 2 * (Z**2).mean() / units,
    "ex-9": lambda points: np.linalg.norm(np.diff(points, axis=0), axis=1).sum(),
    "ex-10": lambda W, X: np.sign(np.linalg.det(W[:2] @ X[:2].T)),
    "ex-11": lambda X: 1 / 6,
}


@pytest.mark.parametrize("exercise", attempts.EXERCISES)
def test_a_right_answer_passes(exercise):
    attempt = attempts.verify(exercise, RIGHT[exercise], examples=25)
    assert attempt.passed, str(attempt)
    assert attempt.examples >= 10
    assert "passed" in str(attempt)


@functools.cache
def failure(exercise):
    return attempts.verify(exercise, WRONG[exercise], examples=25)


@pytest.mark.parametrize("exercise", attempts.EXERCISES)
def test_a_wrong_answer_comes_back_with_its_smallest_failure(exercise):
    attempt = failure(exercise)
    assert not attempt.passed
    assert attempt.reason
    assert "Smallest instance" in str(attempt)


@pytest.mark.parametrize("exercise", attempts.EXERCISES)
def test_the_smallest_failure_can_be_followed_by_hand(exercise):
    arrays = [value for value in failure(exercise).instance.values() if isinstance(value, np.ndarray)]
    assert sum(value.size for value in arrays) <= 12
    if exercise != "ex-2":  # kinks of a hat, somewhere
        assert all((value == value.round(1)).all() for value in arrays)


@pytest.mark.parametrize("exercise", attempts.EXERCISES)
def test_the_statement_names_the_arguments(exercise):
    statement = attempts.show(exercise)
    arguments = statement[statement.index("(") + 1 : statement.index(")")].split(", ")
    assert list(failure(exercise).instance) == arguments


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
}


@pytest.mark.parametrize("what", ANSWERS)
def test_no_answer_makes_verify_raise(what):
    for exercise in attempts.EXERCISES:
        attempt = attempts.verify(exercise, lambda what=what, **_: ANSWERS[what], examples=2)
        assert not attempt
        assert attempt.reason in str(attempt) == repr(attempt)
        assert len(str(attempt)) < 3000


@pytest.mark.parametrize("error", [HostileError(), SystemExit(3), RecursionError(), ArithmeticError("of mine")])
def test_no_error_of_the_function_gets_out(error):
    attempt = attempts.verify("ex-1", raises(error), examples=2)
    assert not attempt
    assert f"it raised {type(error).__name__}" in attempt.reason


def test_a_function_that_takes_no_arguments_fails():
    assert not attempts.verify("ex-1", lambda: 0, examples=1)


def test_a_function_that_answers_differently_the_second_time_fails():
    calls = itertools.count()
    attempt = attempts.verify("ex-1", lambda **given: kernel(**given) + (next(calls) == 3), examples=20)
    assert not attempt
    assert attempt.reason


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
