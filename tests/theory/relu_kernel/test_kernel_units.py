"""Every bound of section 2.3.2 in other units, at every magnitude, and against another kind of arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, arb_mat, ctx
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.relu_kernel import (
    Gaussian,
    arc_cosine,
    kernel,
    kernel_enclosure,
    printed_bounds,
    proof_terms,
    second_moment_norm,
    sharp_bounds,
    symmetric_bounds,
)
from theory.risk import Sample

pytestmark = pytest.mark.filterwarnings("error")

many = instances(300)

FIELDS = ("value", "lower", "upper", "main", "error", "half_space", "direction", "norm")
TERMS = ("kernel", "bisector_norm", "E1", "E2", "energy_A", "energy_B", "across_A", "across_B", "sigma", "rounding")
powers = st.integers(-300, 300)


def bounds(w1, w2, measure):
    """Every number that a bound states, by name."""
    found = {}
    for function in (kernel_enclosure, printed_bounds, sharp_bounds, symmetric_bounds):
        result = function(w1, w2, measure)
        found |= {(function.__name__, f): getattr(result, f) for f in FIELDS if hasattr(result, f)}
    if isinstance(measure, Sample):
        terms = proof_terms(w1, w2, measure)
        found |= {("terms", f): getattr(terms, f) for f in TERMS}
    return found


def attempt(function, *arguments):
    """The result, or None where the arguments are refused as too large; any other error is one."""
    try:
        return function(*arguments)
    except ValueError as error:
        message = str(error)
    assert "too large" in message
    return None


def problem(seed, gaussian):
    rng = np.random.default_rng(seed)
    n, N = int(rng.integers(1, 5)), int(rng.integers(1, 8))
    w1, w2 = rng.standard_normal((2, n))
    w2 = (w2, w1, -w1, w1 + 1e-9 * w2)[seed % 4]
    if gaussian:
        F = rng.standard_normal((n, rng.integers(1, n + 1)))
        return w1, w2, Gaussian(F @ F.T)
    return w1, w2, Sample(rng.standard_normal((N, n)), np.zeros((N, 1)), rng.random(N) + 0.1)


def rescaled(measure, k):
    if isinstance(measure, Gaussian):
        return Gaussian(np.ldexp(measure.second_moment, 2 * k))
    return Sample(np.ldexp(measure.X, k), measure.Y, measure.weights)


def same(ours, theirs, k):
    """Bit for bit where no number is subnormal."""
    normal = (np.abs(theirs) > 1e-290) & (np.abs(ours) > 1e-290)
    return np.array_equal(np.ldexp(ours, k)[normal], np.asarray(theirs)[normal])


@given(st.integers(0, 2**32), st.booleans(), powers, powers, powers)
def test_bounds_are_equivariant_under_powers_of_two_bit_for_bit(seed, gaussian, i, j, k):
    w1, w2, measure = problem(seed, gaussian)
    total = i + j + 2 * k
    if not -960 < total < 1000:
        return
    one, other = bounds(w1, w2, measure), bounds(np.ldexp(w1, i), np.ldexp(w2, j), rescaled(measure, k))
    for name, value in one.items():
        power = 2 * k if name[0] == "terms" else total  # the terms are those of the unit vectors
        if -960 < power < 1000:
            assert same(np.asarray(value), np.asarray(other[name]), power), name
    if abs(k) < 480:
        one, other = second_moment_norm(measure), second_moment_norm(rescaled(measure, k))
        for name in ("value", "lower", "upper"):
            assert same(getattr(one, name), getattr(other, name), 2 * k)


@given(st.integers(0, 2**32), st.booleans(), st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(-500, 500))
def test_outside_the_range_of_floats_value_errors_say_so_and_nothing_else_is_raised(seed, gaussian, i, j, k):
    w1, w2, measure = problem(seed, gaussian)
    a, b, measure = np.ldexp(w1, i), np.ldexp(w2, j), rescaled(measure, k)
    for function in (kernel, kernel_enclosure, printed_bounds, sharp_bounds, symmetric_bounds):
        found = attempt(function, a, b, measure)
        assert found is not None or i + j + 2 * k > 950
        assert not any(np.isnan(getattr(found, f)).any() for f in FIELDS if hasattr(found, f))
        assert not hasattr(found, "lower") or found.lower <= found.upper
    if gaussian:
        found = attempt(arc_cosine, a, b, measure.second_moment)
        assert np.isfinite(found) if found is not None else i + j + 2 * k > 950


entries = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1074, 1023).map(lambda k: 2.0**k)
few = st.integers(-3, 3).map(float) | st.sampled_from([1e-320, 1e-160, 1e160, 1 + 2**-52, -1e300, 5e-324])


def exact_kernel(w1, w2, sample):
    total = Fraction(0)
    for x, weight in zip(sample.X.tolist(), sample.weights.tolist()):
        f, g = (sum(Fraction(a) * Fraction(b) for a, b in zip(x, w.tolist())) for w in (w1, w2))
        total += Fraction(weight) * max(f, 0) * max(g, 0)
    return total


def draw(data, *shape):
    size = int(np.prod(shape))
    return np.reshape(data.draw(st.lists(entries | few, min_size=size, max_size=size)), shape)


@many
@given(st.data(), st.integers(1, 3), st.integers(1, 4))
def test_bounds_of_atoms_hold_in_fractions_whatever_the_size_of_entries(data, n, N):
    X, w1, w2 = draw(data, N, n), draw(data, n), draw(data, n)
    if data.draw(st.booleans()):
        w2 = data.draw(st.sampled_from([1.0, -1.0, 0.5])) * w1
    sample = Sample(X, np.zeros((N, 1)))
    exact = exact_kernel(w1, w2, sample)
    functions = (kernel_enclosure, printed_bounds, sharp_bounds) if w1.any() and w2.any() else (kernel_enclosure,)
    for function in functions:
        found = attempt(function, w1, w2, sample)
        if found is None:
            continue
        assert Fraction(float(found.lower)) <= exact <= Fraction(float(found.upper))
        for name in ("half_space", "direction", "norm"):
            assert Fraction(float(getattr(found, name, -1.0))) <= exact


small = st.integers(-3, 3)


@many
@given(
    small, small, st.sampled_from(range(8)), st.lists(st.lists(small, min_size=2, max_size=2), min_size=1, max_size=4)
)
def test_the_half_space_bound_of_vectors_of_one_length_is_the_exact_one_rounded_down(a, b, turn, points):
    """|w1| = |w2|: then |w1| |w2| times every term is rational; integers put many atoms on the wall <x, p> = 0."""
    if a == b == 0:
        return
    u, v = ((a, b), (b, a))[turn % 2]
    w1, w2 = (a, b), (u * (-1) ** (turn // 2), v * (-1) ** (turn // 4))
    sample = Sample(np.array(points, dtype=float), np.zeros((len(points), 1)))
    main = loss = whole = Fraction(0)
    for x, weight in zip(points, sample.weights.tolist()):
        f, h = (Fraction(sum(t * (q + s * p) for t, p, q in zip(x, w1, w2)), 2) for s in (1, -1))
        main += Fraction(weight) * max(f, 0) ** 2
        loss += Fraction(weight) * h**2 * (f >= 0)
        whole += Fraction(weight) * h**2
    found = sharp_bounds(np.array(w1, dtype=float), np.array(w2, dtype=float), sample)
    energy = sum(Fraction(weight) * sum(t * t for t in x) for x, weight in zip(points, sample.weights.tolist()))
    slack = Fraction(1e-13) * energy * (a * a + b * b) + Fraction(1e-300)
    assert main <= Fraction(float(found.upper)) <= main + slack
    assert main - loss - slack <= Fraction(float(found.half_space)) <= main - loss
    assert main - whole - slack <= Fraction(float(found.direction)) <= main - whole


def test_opposite_vectors_lose_all_of_a_gaussian():
    """Where p = 0 the half space is everything."""
    for w in ([1.0, 0.0], [0.3, -0.7]):
        found = sharp_bounds(w, -3 * np.array(w), Gaussian([[2.0, 0.3], [0.3, 1.0]]))
        assert found.half_space == pytest.approx(found.direction, rel=1e-13)
        assert found.direction < 0


def ball_kernel(w1, w2, S):
    """The arc-cosine kernel in 400-bit balls, by the angle's cosine: another way than the library's."""
    bits, ctx.prec = ctx.prec, 400
    try:
        a, b, M = arb_mat(1, len(S), w1.tolist()), arb_mat(1, len(S), w2.tolist()), arb_mat(S.tolist())
        qa, qb, qab = ((f * M * g.transpose())[0, 0] for f, g in ((a, a), (b, b), (a, b)))
        if not (qa > 0 and qb > 0):
            return None
        cosine = qab / (qa * qb).sqrt()
        root = (qa * qb - qab * qab).nonnegative_part().sqrt()
        if abs(cosine) < 1:
            return (root + (arb.pi() - cosine.acos()) * qab) / (2 * arb.pi())
        return None
    finally:
        ctx.prec = bits


@many
@given(st.integers(0, 2**32), st.integers(-250, 250), st.integers(-250, 250))
def test_bounds_of_gaussians_hold_in_400_bit_balls(seed, i, k):
    """Ill-conditioned and singular Sigma, angles near 0 and pi."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 4))
    F = rng.standard_normal((n, n)) * 10.0 ** rng.uniform(-8, 0, n)
    w1, w2 = np.ldexp(rng.standard_normal((2, n)), i)
    w2 = (1, 1, -1)[seed % 3] * w1 + 10.0 ** rng.uniform(-12, 0) * w2
    measure = Gaussian(np.ldexp(F @ F.T, k))
    true = ball_kernel(w1, w2, measure.second_moment)
    if true is None:
        return
    for function in (kernel_enclosure, printed_bounds, sharp_bounds, symmetric_bounds):
        found = function(w1, w2, measure)
        assert not arb(float(found.lower)) > true
        assert not arb(float(found.upper)) < true
        for name in ("half_space", "direction", "norm"):
            assert not arb(float(getattr(found, name, -np.inf))) > true


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        kernel_enclosure([bad, 1.0], [1.0, 0.0], Gaussian(np.eye(2)))
    with pytest.raises(ValueError, match="finite"):
        Gaussian([[bad]])


def test_nan_inside_is_the_unsafe_side(monkeypatch):
    """A NaN planted in the norm of Sigma, in the half space or in a form refuses the bound: none is stated."""
    from theory.numerics import Ball
    from theory.relu_kernel.measures import Law

    nothing = Ball(np.array(np.nan), np.array(0.0))
    sample = Sample(np.eye(2), np.zeros((2, 1)))
    for name in ("mean", "form"):
        with monkeypatch.context() as patched:
            patched.setattr(Law, name, lambda *_: nothing)
            with pytest.raises(ValueError, match="too large"):
                sharp_bounds([1.0, 0.0], [1.0, 1.0], sample)
