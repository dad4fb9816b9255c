"""Scaling by powers of two: exact where floats are, outward where they are not, silent at the ends of their range."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from theory.numerics import above, below, exponent, times

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
EXPONENTS = st.integers(-2200, 2200)


@given(FLOATS, EXPONENTS, st.none() | st.integers(-1080, -1015) | st.integers(1020, 1028))
def test_bounds_are_outside_and_the_value_itself_where_it_is_a_float(x, e, size):
    """size: of the result; near both ends of the range of floats digits are lost."""
    x = abs(x)
    e = e if size is None else size - math.frexp(x)[1]
    exact = Fraction(x) * Fraction(2) ** e
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        high, low, middle = above(x, e), below(x, e), float(times(x, e))
    if high < np.inf:
        assert Fraction(low) <= exact <= Fraction(high)
        assert high <= math.nextafter(low, math.inf)
        assert middle in (low, high)
        if exact == Fraction(middle):
            assert low == high
    else:
        assert exact >= Fraction(2) ** 1024


@given(st.lists(FLOATS, max_size=5))
def test_the_exponent_brings_the_largest_entry_into_one_half_to_one(values):
    x = np.array(values)
    largest = np.abs(times(x, -exponent(x))).max(initial=0.0)
    assert largest == 0 == exponent(x) if not x.any() else 0.5 <= largest < 1


def test_exponents_may_differ_from_entry_to_entry():
    assert times([1.0, 2.0, 0.0], np.array([1100, -1, 5000])).tolist() == [np.inf, 1.0, 0.0]
    assert times(3.0, np.array([0, 1])).tolist() == [3.0, 6.0]
