"""Balls against exact rationals, from subnormal to overflowing, and by how much they are too wide."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.numerics import balls
from theory.numerics.balls import SUBNORMAL, Ball, dot, exact, feature_rounding
from theory.numerics.rounding import UNIT

many = instances(300)

# every binade, its edges, cancellation, and what products of subnormals need: one huge factor beside them
magnitudes = (
    st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-1074, 1023).map(lambda k: 2.0**k)
    | st.sampled_from([0.0, 1.0, 1 + 2**-52, 1e-320, 5e-324, 2.2250738585072014e-308, 1e-300, 1e-160, 1e160, 1e300])
)
numbers = st.builds(lambda x, s: s * x, magnitudes, st.sampled_from([-1.0, 1.0]))
radii = st.sampled_from([0.0]) | magnitudes.map(abs) | st.sampled_from([5e-324, 1e-16, np.inf])


def rational(x):
    return Fraction(float(x))


def corners(ball, count=3):
    """Exact members of each entry of a flat ball: both ends and the centre; of an unbounded one, far numbers."""
    far = Fraction(10) ** 400
    return [
        [rational(c) + s * (rational(r) if np.isfinite(r) else far) for s in range(-1, count - 1)]
        for c, r in zip(ball.centre.ravel(), ball.radius.ravel())
    ]


def holds(ball, true):
    """Whether a ball of shape () encloses a rational, by its two bounds."""
    low, high = float(ball.lower), float(ball.upper)
    assert not np.isnan(low)
    assert not np.isnan(high)
    assert float(ball.radius) >= 0
    assert low == -np.inf or rational(low) <= true
    assert high == np.inf or true <= rational(high)
    if np.isfinite(ball.radius):
        assert abs(true - rational(ball.centre)) <= rational(ball.radius)


def balls_of(x, r):
    return Ball(np.array(x, dtype=float), np.array(r, dtype=float))


OPERATIONS = {
    "+": (lambda a, b: a + b, lambda a, b: a + b),
    "-": (lambda a, b: a - b, lambda a, b: a - b),
    "*": (lambda a, b: a * b, lambda a, b: a * b),
    "/": (lambda a, b: a / b, lambda a, b: a / b),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", OPERATIONS)
@many
@given(numbers, radii, numbers, radii)
def test_an_operation_on_two_balls_encloses_that_on_their_members(name, a, ra, b, rb):
    ours, theirs = OPERATIONS[name]
    x, y = balls_of(a, ra), balls_of(b, rb)
    found = ours(x, y)
    for p, q in product(corners(x)[0], corners(y)[0]):
        if name == "/" and q == 0:
            assert np.isinf(found.radius)
            continue
        holds(found, theirs(p, q))


@pytest.mark.filterwarnings("error")
@many
@given(numbers, radii, st.integers(-2200, 2200), st.none() | st.integers(-1080, -1015))
def test_a_function_of_a_ball_encloses_that_of_its_members(a, r, k, size):
    """size: of the centre times 2^k, where it loses digits."""
    x = balls_of(a, r)
    k = k if size is None else size - int(np.frexp(a)[1])
    for p in corners(x)[0]:
        holds(abs(x), abs(p))
        holds(-x, -p)
        holds(x.square(), p * p)
        holds(x.relu(), max(p, Fraction(0)))
        holds(x.ldexp(k), p * Fraction(2) ** k)
        assert rational(x.magnitude) >= abs(p) if np.isfinite(x.magnitude) else True
        assert p > 0 or not x.positive
        assert p != 0 or not x.nonzero
        if p >= 0:
            root = x.sqrt()
            assert float(root.upper) == np.inf or rational(root.upper) ** 2 >= p
            assert root.lower <= 0 or rational(root.lower) ** 2 <= p


@pytest.mark.filterwarnings("error")
@many
@given(st.data(), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_sums_and_products_of_matrices_are_enclosed(data, n, rows, columns):
    """With members at random corners, exactly; the entries may cancel, underflow or overflow."""

    def draw(*shape):
        flat = int(np.prod(shape))
        values = data.draw(st.lists(numbers, min_size=flat, max_size=flat))
        spread = data.draw(st.lists(radii, min_size=flat, max_size=flat) | st.just([0.0] * flat))
        ball = balls_of(np.reshape(values, shape), np.reshape(spread, shape))
        signs = data.draw(st.lists(st.sampled_from([0, 1, 2]), min_size=flat, max_size=flat))
        return ball, np.reshape(np.array([c[s] for c, s in zip(corners(ball), signs)], dtype=object), shape)

    (A, a), (B, b) = draw(rows, n), draw(n, columns)
    found, true = A @ B, a @ b
    for i, j in product(range(rows), range(columns)):
        holds(found[i, j], true[i, j])
    for axis in (0, 1):
        total, sums = A.sum(axis=axis), a.sum(axis=axis)
        for i in range(len(sums)):
            holds(total[i], Fraction(sums[i]))
    both, value = dot(A[0], B[:, 0]), (a[0] * b[:, 0]).sum()
    holds(both, value)
    holds(A.T[0, 0], a[0, 0])


def test_a_product_of_subnormals_does_not_escape_through_a_huge_factor():
    """gamma(n) |b| is nothing for b = 1e-310; times 1e300 its share is not."""
    A, B = np.array([[1e300, -1e300, 1e300]]), np.array([[1e-310], [1e-310], [3e-311]])
    found = exact(A) @ exact(B)
    holds(found[0, 0], sum(rational(a) * rational(b) for a, b in zip(A[0], B[:, 0])))
    assert found.radius[0, 0] >= 2 * UNIT * 1e-10
    low = exact(1e-170) * exact(1e-170)  # 1e-340 is no float
    assert low.centre == 0 < low.radius
    assert low.radius <= 32 * SUBNORMAL
    holds(low, rational(1e-170) ** 2)


@given(st.integers(0, 2**32), st.integers(1, 400))
def test_long_sums_that_cancel_are_enclosed_and_no_wider_than_the_rounding_of_their_size(seed, n):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, n)) * 10.0 ** rng.uniform(-3, 3, (2, n))
    a[n // 2 :] = -a[: n - n // 2] * (1 + UNIT * 4)
    b[n // 2 :] = b[: n - n // 2]
    true = sum(rational(x) * rational(y) for x, y in zip(a, b))
    found, size = exact(a) @ b, float(np.abs(a) @ np.abs(b))
    holds(found, true)
    assert found.radius <= (n + 1) * UNIT * size * (1 + 1e-9) + 4 * (n + 20) * SUBNORMAL
    holds(exact(a).sum(), sum(map(rational, a)))


@given(st.integers(0, 2**32), st.integers(-900, 900), st.integers(-900, 900))
def test_products_in_other_units_are_the_same_bit_for_bit(seed, i, j):
    rng = np.random.default_rng(seed)
    A, B = (Ball(rng.standard_normal((3, 3)), UNIT * rng.random((3, 3))) for _ in "AB")
    one, other = A @ B, A.ldexp(i) @ B.ldexp(j)
    if abs(i + j) < 900:
        for ours, scaled in ((one.centre, other.centre), (one.radius, other.radius)):
            assert np.array_equal(np.ldexp(ours, i + j), scaled)


@given(magnitudes.map(abs).filter(lambda r: r < 1e300), st.integers(0, 10**6))
def test_a_radius_is_rounded_outwards_as_derived_and_hardly_more(radius, n):
    """Not below (R + n SUBNORMAL / 2) / (1 - u)^n; the powers from their first two terms, which bound them."""
    u, found = Fraction(1, 2**53), rational(balls._outward(np.array(radius), n))
    exact_radius, least = Fraction(radius), Fraction(1, 2**1074)
    assert found * (1 - n * u) >= exact_radius + n * least / 2 * (1 - n * u)
    assert found <= exact_radius * (1 + (n + 12) * u / (1 - (n + 12) * u)) + 2 * (n + 5) * least


def test_what_is_not_finite_is_not_known():
    for centre, radius in ((np.nan, 0.0), (np.inf, 0.0), (1.0, np.nan), (1.0, -1.0)):
        ball = Ball(np.array([centre]), np.array([radius]))
        assert np.isinf(ball.radius).all()
        assert not ball.centre.any()
        assert (ball.lower, ball.upper) == (-np.inf, np.inf)
        assert not ball.positive.any()
        assert not ball.nonzero.any()
    huge = exact(np.array([1e300, 1.0]))
    for found in (
        huge * 1e300,
        huge.square(),
        huge @ np.array([1e300, 1e300]),
        huge / np.zeros(2),
        0.0 * (huge * 1e300),
    ):
        assert np.isinf(found.upper).any()
        assert not np.isnan(found.upper).any()


@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 30))
def test_the_rounding_of_features_is_bounded_tightly(seed, n, m):
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.integers(-200, 150)
    X, W, beta = scale * rng.standard_normal((3, n)), rng.standard_normal((m, n)), rng.standard_normal(m)
    Z = np.maximum(X @ W.T, 0)
    bound = feature_rounding(X, W, beta)
    for i in range(3):
        off = Fraction(0)
        for j in range(m):
            z = max(sum(rational(a) * rational(b) for a, b in zip(X[i], W[j])), Fraction(0))
            off += abs(rational(beta[j])) * abs(rational(Z[i, j]) - z)
        assert off <= rational(bound[i])
    size = np.abs(X) @ (np.abs(W).T @ np.abs(beta))
    assert (bound <= (n + 2) * UNIT * size * (1 + 1e-9)).all()


def test_the_planted_fault_is_caught(monkeypatch):
    """Without the allowance for underflow the same property fails."""
    monkeypatch.setattr(balls, "_outward", lambda radius, n: radius * (1 + n * UNIT))
    with pytest.raises(AssertionError):
        holds(exact(1e-170) * exact(1e-170), rational(1e-170) ** 2)
