"""Lengths and directions against exact rationals, at every size that floats have."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.numerics.balls import SUBNORMAL
from theory.numerics.norms import binade, direction, direction_ball, length, length_ball, scaled
from theory.numerics.rounding import UNIT

entries = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1074, 1023).map(lambda k: 2.0**k)
vectors = st.lists(entries, min_size=1, max_size=6).map(np.array)


@given(vectors)
def test_a_length_is_accurate_and_its_ball_encloses_the_exact_one(w):
    squared = sum(Fraction(v) ** 2 for v in w.tolist())
    f, k = length_ball(w)
    unit = Fraction(2) ** int(k)
    low, high = max(Fraction(float(f.lower)), Fraction(0)) * unit, Fraction(float(f.upper)) * unit
    assert low**2 <= squared <= high**2
    assert f.radius <= (len(w) + 4) * UNIT * f.centre
    found = float(length(w))
    if found < np.inf:
        slack = Fraction(len(w) + 4) * Fraction(UNIT) * high + Fraction(SUBNORMAL)
        assert low - slack <= Fraction(found) <= high + slack
    else:
        assert squared > Fraction(1.79e308) ** 2


@given(vectors)
def test_a_direction_is_enclosed_and_a_unit_vector(w):
    ball, found = direction_ball(w), direction(w)
    if not w.any():
        assert not found.any()
        assert not ball.magnitude.any()
        return
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-15 * (len(w) + 2))
    squared = sum(Fraction(v) ** 2 for v in w.tolist())
    for v, c, r, computed in zip(w.tolist(), ball.centre.tolist(), ball.radius.tolist(), found.tolist()):
        # v / |w| in [c - r, c + r], by squares and signs
        for end, above in ((Fraction(c) + Fraction(r), True), (Fraction(c) - Fraction(r), False)):
            sign = (end > 0) - (end < 0)
            gap = sign * end**2 * squared - ((v > 0) - (v < 0)) * Fraction(v) ** 2
            assert gap >= 0 if above else gap <= 0
        assert abs(computed - c) <= 2 * (len(w) + 4) * UNIT
    assert (ball.radius <= (len(w) + 6) * UNIT).all()


@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(-1000, 1000))
def test_lengths_and_directions_in_other_units_are_the_same_bit_for_bit(seed, n, k):
    w = np.random.default_rng(seed).standard_normal((3, n))
    w[0] = 0
    assert np.array_equal(length(np.ldexp(w, k)), np.ldexp(length(w), k))
    assert np.array_equal(direction(np.ldexp(w, k)), direction(w))
    assert np.array_equal(direction_ball(np.ldexp(w, k)).radius, direction_ball(w).radius)


@given(vectors, st.integers(-1100, 1100))
def test_scaling_is_exact_or_says_what_it_lost(w, k):
    small = scaled(w, np.array(k))
    for v, c, r in zip(w.tolist(), small.centre.tolist(), small.radius.tolist()):
        true = Fraction(v) / Fraction(2) ** k
        assert r == np.inf or abs(Fraction(c) - true) <= Fraction(r)
    assert not scaled(w, binade(w)).radius[np.abs(w) > 1e-10 * np.abs(w).max()].any() or np.abs(w).max() < 1e-300


def test_no_entries_have_no_length():
    assert length(np.zeros((2, 0))).tolist() == [0, 0]
    assert direction(np.zeros((2, 0))).shape == (2, 0)


def test_directions_are_taken_row_by_row():
    w = np.array([[3.0, 4.0], [0.0, -2.0], [0.0, 0.0]])
    assert np.array_equal(direction(w), [[0.6, 0.8], [0.0, -1.0], [0.0, 0.0]])
    assert np.array_equal(length(w), [5.0, 2.0, 0.0])
