"""Exercises of the notebooks: a learner's function is attacked with Hypothesis, the smallest failure comes back.

    >>> from checks import exercises
    >>> attempt = exercises.verify("ex-1", lambda w1, w2, X: 0.0, examples=20)
    >>> attempt.passed
    False

`exercises.EXERCISES` lists them; `exercises.show("ex-1")` states one. Hypothesis comes with the `test` extra.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from checks import strategies
from theory import validation as check
from theory.maxima import segment_maximum
from theory.networks import Network
from theory.paths import Path
from theory.relu_kernel import kernel, proof_terms, sharp_bounds
from theory.risk import Risk, Sample

Array = NDArray[Any]
Instance = dict[str, Any]
TOLERANCE = 1e-8  # relative to the size of the numbers of an instance; exercises are about formulas, not roundings


@dataclass(frozen=True)
class Exercise:
    """An exercise: its statement, and how it is judged.

    instances: what the function is called with, by name; judge: None when an answer is right, else what is wrong.
    """

    statement: str
    instances: st.SearchStrategy[Instance]
    judge: Callable[[Instance, Any], str | None]


@dataclass(frozen=True)
class Attempt:
    """What came of an attempt: on failure the smallest instance, the answer given there, and the reason.

    exercise: its id; tried: how many instances it met.
    """

    exercise: str
    passed: bool
    examples: int
    instance: Instance = field(default_factory=dict)
    answer: Any = None
    reason: str = ""

    def __str__(self) -> str:
        if self.passed:
            return f"{self.exercise}: passed on {self.examples} instances"
        given_ = ", ".join(f"{name} = {_short(value)}" for name, value in self.instance.items())
        return f"{self.exercise}: fails. Smallest instance: {given_}. Answer: {_short(self.answer)}. {self.reason}"


def show(exercise: str) -> str:
    """The statement of an exercise; ValueError for an unknown id."""
    return EXERCISES[check.choice(exercise, "exercise", tuple(EXERCISES))].statement


def verify(exercise: str, function: Callable[..., Any], *, examples: int = 200) -> Attempt:
    """Attack `function`, an answer to the exercise "ex-1" to "ex-11", with `examples` instances.

    It is called with keyword arguments, on copies.

    ValueError for an unknown exercise or what is no function; an exception that the function itself raises is a
    failure. The same function meets the same instances every time.
    """
    found = EXERCISES[check.choice(exercise, "exercise", tuple(EXERCISES))]
    examples = check.positive_integer(examples, "examples")
    if not callable(function):
        raise ValueError(f"function must be callable; got {function!r}")
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
    except AssertionError:
        return failure[0]
    return Attempt(exercise, True, tried)


def _answer(exercise: Exercise, function: Callable[..., Any], instance: Instance) -> tuple[Any, str | None]:
    arguments = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in instance.items()}
    try:
        answer = function(**arguments)
    except Exception as error:  # the learner's function may raise anything
        return None, f"it raised {type(error).__name__}: {error}"
    try:
        with np.errstate(all="ignore"):
            return answer, exercise.judge(instance, answer)
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        return answer, f"the answer has the wrong form: {error}"


def _short(value: Any) -> str:
    if isinstance(value, Risk):
        return f"Risk({value.network}, X = {_short(value.sample.X)}, Y = {_short(value.sample.Y)})"
    return (
        np.array2string(value, separator=", ", threshold=40).replace("\n", "")
        if isinstance(value, np.ndarray)
        else repr(value)
    )


def _close(answer: Any, wanted: Array | float, scale: float = 0.0) -> str | None:
    answer, wanted = np.asarray(answer, dtype=float), np.asarray(wanted, dtype=float)
    if answer.shape != wanted.shape:
        return f"The shape must be {wanted.shape}, it is {answer.shape}."
    size = max(scale, float(np.abs(wanted).max(initial=0.0)), 1e-12)
    right = bool((np.abs(answer - wanted) <= TOLERANCE * size).all())
    return None if right else f"It should be {_short(wanted) if wanted.ndim else float(wanted)}."


# ---------------------------------------------------------------- instances


def _seeded(build: Callable[[np.random.Generator], Instance]) -> st.SearchStrategy[Instance]:
    return st.integers(0, 2**31).map(lambda seed: build(np.random.default_rng(seed)))


@st.composite
def _pairs_on_samples(draw: st.DrawFn) -> Instance:
    n = draw(st.integers(1, 3))
    found, sample = draw(strategies.unit_pairs(n)), draw(strategies.samples(n))
    return {"w1": found.w1, "w2": found.w2, "X": np.array(sample.X)}


@st.composite
def _segments(draw: st.DrawFn) -> Instance:
    """A hat of three relu units somewhere on the segment, from wide to very narrow."""
    centre = draw(st.floats(0.1, 0.9, allow_subnormal=False))
    half = draw(st.sampled_from([0.08, 0.01, 1e-3, 1e-5]))
    net = Network((1, 3, 1))
    risk = Risk(net, Sample(np.ones((1, 1)), np.zeros((1, 1))))
    kinks = np.array([[centre - half], [centre], [centre + half]])
    a, b = (net.pack([t - kinks, [[1 / half, -2 / half, 1 / half]]]) for t in (0.0, 1.0))
    return {"risk": risk, "theta_a": a, "theta_b": b}


def _dependent_features(rng: np.random.Generator) -> Instance:
    N = int(rng.integers(1, 4))
    h = int(rng.integers(N + 1, N + 4))
    Z = np.maximum(rng.standard_normal((h, 2)) @ rng.standard_normal((2, N)), 0)
    return {"V": rng.integers(-3, 4, size=(int(rng.integers(1, 3)), h)).astype(float), "Z": Z}


def _holes(rng: np.random.Generator) -> Instance:
    h, n = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    W, v = rng.integers(-3, 4, size=(h, n)).astype(float), rng.integers(-3, 4, size=h).astype(float)
    hole, unit = (int(k) for k in rng.permutation(h)[:2])
    v[hole] = 0.0
    return {"W": W, "v": v, "hole": hole, "unit": unit}


def _many_units(rng: np.random.Generator) -> Instance:
    N = int(rng.integers(1, 4))
    m = int(rng.integers(N + 1, 3 * N + 3))
    return {"Z": np.abs(rng.standard_normal((m, N))), "v": rng.integers(-3, 4, size=m).astype(float)}


def _mixtures(rng: np.random.Generator) -> Instance:
    m, N = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    return {
        "Z": np.abs(rng.standard_normal((m, N))),
        "v": rng.integers(-3, 4, size=m).astype(float),
        "units": int(rng.integers(1, 6)),
    }


def _polylines(rng: np.random.Generator) -> Instance:
    return {"points": rng.integers(-4, 5, size=(int(rng.integers(2, 6)), int(rng.integers(1, 4)))).astype(float)}


def _triangles(rng: np.random.Generator) -> Instance:
    """Three points around the origin (it is inside the triangle), at different distances."""
    start = rng.uniform(0, 2 * np.pi)
    angles = start + np.cumsum([0.0, *(rng.uniform(0.35, 0.95, size=2) * np.pi)])
    if not np.pi < angles[2] - angles[0] < 2 * np.pi:
        angles = start + np.array([0.0, 2.0, 4.0])
    return {"X": rng.uniform(0.5, 2.0, size=(3, 1)) * np.stack([np.cos(angles), np.sin(angles)], axis=1)}


# ---------------------------------------------------------------- judges


def _kernel(instance: Instance, answer: Any) -> str | None:
    sample = Sample(instance["X"], np.zeros((len(instance["X"]), 1)))
    return _close(answer, kernel(instance["w1"], instance["w2"], sample), float(np.trace(sample.second_moment)))


def _upper(instance: Instance, answer: Any) -> str | None:
    true = segment_maximum(instance["risk"], instance["theta_a"], instance["theta_b"])
    if not np.isfinite(float(answer)):
        return "An infinite bound is of no use: give a finite one."
    if float(answer) < true.value * (1 - 1e-9):
        return f"The risk is {true.value:.6g} at t = {true.t:.6g}, above your bound."
    return (
        None
        if float(answer) <= 100 * max(true.upper, 1.0)
        else f"A bound, but useless: the maximum is {true.value:.6g}."
    )


def _sharp_lower(instance: Instance, answer: Any) -> str | None:
    sample = Sample(instance["X"], np.zeros((len(instance["X"]), 1)))
    w1, w2 = instance["w1"], instance["w2"]
    bounds, size = sharp_bounds(w1, w2, sample), TOLERANCE * max(float(np.trace(sample.second_moment)), 1e-12)
    if float(answer) > kernel(w1, w2, sample) + size:
        return f"Not a lower bound: the kernel is {kernel(w1, w2, sample):.6g}."
    wanted = float(np.maximum(bounds.norm, 0))
    return None if float(answer) >= wanted - size else f"A lower bound, but {wanted:.6g} is one as well."


def _broken_step(instance: Instance, answer: Any) -> str | None:
    X = np.asarray(answer, dtype=float)
    if X.ndim != 2 or X.shape[1] != 2 or not 1 <= len(X) <= 8 or not np.isfinite(X).all():
        return "Give one to eight atoms in the plane, an array of shape (N, 2)."
    c, s = np.cos(instance["alpha"] / 2), np.sin(instance["alpha"] / 2)
    terms = proof_terms([c, -s], [c, s], Sample(X, np.zeros((len(X), 1))))
    allowed = float(terms.e1_printed[0])
    if float(terms.E1) > allowed + 1e-9 * float(np.sum(X**2)):
        return None
    return f"E1 = {float(terms.E1):.6g} is not above r^2 sin^2(alpha) E[|x|^2 1_B] = {allowed:.6g}."


def _free(instance: Instance, answer: Any) -> str | None:
    V, Z, new = instance["V"], instance["Z"], np.asarray(answer, dtype=float)
    if new.shape != V.shape:
        return f"The shape must be that of V, {V.shape}; it is {new.shape}."
    if not (new == 0).all(axis=0).any():
        return "No column of the answer is exactly zero: no unit is idle."
    return _close(new @ Z, V @ Z, float((np.abs(V) @ np.abs(Z)).max() + np.abs(new).max() * np.abs(Z).max()))


def _fifteen(instance: Instance, answer: Any) -> str | None:
    W, v, hole, unit = (instance[name] for name in ("W", "v", "hole", "unit"))
    steps = [(np.asarray(w, float), np.asarray(u, float)) for w, u in answer]
    if not 1 <= len(steps) <= 8:
        return "Give one to eight steps (W, v)."
    rng, before = np.random.default_rng(0), (W, v)
    X = rng.standard_normal((W.shape[1], 32))
    for k, (w, u) in enumerate(steps):
        if w.shape != W.shape or u.shape != v.shape:
            return f"Step {k}: shapes must stay {W.shape} and {v.shape}."
        for t in (0.25, 0.5, 1.0):
            rows, out = before[0] + t * (w - before[0]), before[1] + t * (u - before[1])
            if not np.allclose(out @ np.maximum(rows @ X, 0), v @ np.maximum(W @ X, 0), atol=1e-8):
                return f"Step {k}: the function changes on the way (t = {t})."
        before = (w, u)
    rows, out = before
    moved = np.array_equal(rows[hole], W[unit]) and out[hole] == v[unit] and out[unit] == 0
    return None if moved else f"At the end unit {hole} should be old unit {unit}, and unit {unit} idle."


def _caratheodory(instance: Instance, answer: Any) -> str | None:
    Z, v, new = instance["Z"], instance["v"], np.asarray(answer, dtype=float)
    if new.shape != v.shape:
        return f"The shape must be {v.shape}; it is {new.shape}."
    if np.count_nonzero(new) > Z.shape[1]:
        return f"{np.count_nonzero(new)} units are active; {Z.shape[1]} samples need no more than {Z.shape[1]}."
    if np.abs(new).sum() > np.abs(v).sum() * (1 + TOLERANCE):
        return f"The l1 norm rose from {np.abs(v).sum():.6g} to {np.abs(new).sum():.6g}."
    return _close(new @ Z, v @ Z, float(np.abs(v) @ Z.max(axis=1)))


def _coin_toss(instance: Instance, answer: Any) -> str | None:
    """E over l draws of |f - f_l|^2 = (|v|_1 sum_j |v_j| |z_j|^2 - |f|^2) / l, means over the sample."""
    Z, v, units = instance["Z"], instance["v"], instance["units"]
    f, norm = v @ Z, np.abs(v).sum()
    variance = norm * (np.abs(v) @ (Z**2).mean(axis=1)) - (f**2).mean()
    return _close(answer, variance / units, float(norm**2 * (Z**2).max()))


def _length(instance: Instance, answer: Any) -> str | None:
    wanted = Path(instance["points"]).normalised_length
    if not np.isfinite(wanted):
        return None if np.isinf(float(answer)) else "A loop has infinite normalised length."
    return _close(answer, wanted)


def _orientation(instance: Instance, answer: Any) -> str | None:
    wanted = float(np.sign(np.linalg.det(np.maximum(instance["W"] @ instance["X"].T, 0))))
    return None if float(answer) == wanted else f"det Z has sign {wanted:+.0f}."


def _oriented(rng: np.random.Generator) -> Instance:
    while True:
        found = {
            "W": rng.integers(-3, 4, size=(3, 2)).astype(float),
            "X": rng.integers(-3, 4, size=(3, 2)).astype(float),
        }
        if abs(np.linalg.det(np.maximum(found["W"] @ found["X"].T, 0))) > 0.5:
            return found


def _barrier(instance: Instance, answer: Any) -> str | None:
    """Origin inside the triangle, cyclic target: e(2) = min over pairs of the smaller eigenvalue of the Gram matrix / 3."""
    X = instance["X"]
    pairs = [X[[0, 1]], X[[0, 2]], X[[1, 2]]]
    return _close(answer, min(np.linalg.eigvalsh(P @ P.T)[0] for P in pairs) / 3, float((X**2).sum()))


EXERCISES = {
    "ex-1": Exercise(
        "kernel(w1, w2, X): the kernel [w1, w2]_Z = mean over the rows x of X of max(0, <w1, x>) max(0, <w2, x>).",
        _pairs_on_samples(),
        _kernel,
    ),
    "ex-2": Exercise(
        "upper(risk, theta_a, theta_b): a number that the risk never exceeds on the segment, at most 100 times too "
        "large. A grid will not do.",
        _segments(),
        _upper,
    ),
    "ex-3": Exercise(
        "lower(w1, w2, X): a lower bound of the kernel of two unit vectors, no worse than "
        "cos^2(alpha/2) ||w_m||_Z^2 - sin^2(alpha/2) ||Sigma|| and than 0.",
        _pairs_on_samples(),
        _sharp_lower,
    ),
    "ex-4": Exercise(
        "atoms(alpha): for alpha in (2 pi/3, pi), atoms (N, 2) in the plane, N <= 8, on which the proof's step "
        "E1 <= r^2 sin^2(alpha) E[|x|^2 1_B] is false. Coordinates: the bisector first, then the normal.",
        st.floats(2 * np.pi / 3 + 0.02, np.pi - 0.02).map(lambda alpha: {"alpha": alpha}),
        _broken_step,
    ),
    "ex-5": Exercise(
        "free(V, Z): features Z (h, N) with h > N, outgoing weights V (p, h). Return V' with V' Z = V Z and a column "
        "that is exactly zero.",
        _seeded(_dependent_features),
        _free,
    ),
    "ex-6": Exercise(
        "slide(W, v, hole, unit): unit `hole` has v[hole] = 0. Return a list of steps [(W, v), ...], each joined to the "
        "one before by a straight segment on which v relu(W x) never changes, after which unit `hole` is old unit "
        "`unit`, and unit `unit` is idle.",
        _seeded(_holes),
        _fifteen,
    ),
    "ex-7": Exercise(
        "sparsify(Z, v): features Z (m, N), m > N. Return v' with v' Z = v Z, at most N nonzero entries and no larger "
        "l1 norm.",
        _seeded(_many_units),
        _caratheodory,
    ),
    "ex-8": Exercise(
        "coin_toss(Z, v, units): the expected mean squared error (over the N samples) of replacing f = v Z by the mean "
        "of `units` independent draws of |v|_1 sign(v_j) z_j, unit j drawn with probability |v_j| / |v|_1.",
        _seeded(_mixtures),
        _coin_toss,
    ),
    "ex-9": Exercise(
        "normalised_length(points): length of the polyline over the distance of its ends; 1 for a single place, "
        "infinity for a loop.",
        _seeded(_polylines),
        _length,
    ),
    "ex-10": Exercise(
        "side(W, X): which side of the wall a net with three units on three points is on: the sign of det relu(W X^T).",
        _seeded(_oriented),
        _orientation,
    ),
    "ex-11": Exercise(
        "barrier(X): three points in the plane with the origin inside their triangle, target x1 -> x2 -> x3 -> x1. The "
        "height e(2) of the barrier between a solution and its swap.",
        _seeded(_triangles),
        _barrier,
    ),
}

__all__ = ["EXERCISES", "Attempt", "Exercise", "show", "verify"]
