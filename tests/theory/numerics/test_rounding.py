"""The constants of the rounding model against exact arithmetic."""

import math
from fractions import Fraction
from math import nextafter

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from theory.numerics.rounding import EPS, LIBM, TINY, UNIT, down, gamma, up

doubles = st.floats(-1e300, 1e300)


@given(doubles, doubles)
def test_the_unit_bounds_every_rounding_and_no_smaller_number_does(a, b):
    exact = Fraction(a) + Fraction(b)
    assert abs(Fraction(a + b) - exact) <= Fraction(UNIT) * abs(exact)
    assert Fraction(1 + UNIT) - 1 == 0  # 1 + u is rounded to 1: the relative error is u / (1 + u)
    assert Fraction(1 + nextafter(UNIT, 1)) - 1 == 2 * Fraction(UNIT)


@given(st.integers(0, 10**6) | st.integers(0, 2**52 - 1) | st.integers(0, 8))
def test_gamma_bounds_n_successive_roundings_from_above_and_from_below(n):
    ctx.prec = 400
    found, u = arb(gamma(n)), arb(UNIT)
    assert found == 0 if n == 0 else (1 + u) ** n - 1 < found
    assert 1 - (1 - u) ** n <= found
    if n:
        assert (1 - u) ** -n - 1 < found * (1 + 2 * n * u)
        # and by no more than its definition: the one division is rounded
        assert found < n * u / (1 - n * u) * (1 + 2 * u)


def test_gamma_is_defined_below_two_to_the_52_only():
    assert 0.99 < gamma(2**52 - 1) < 1.01
    for n in (2**52, 2**52 + 1, 2**53 + 2, 2**60):
        with pytest.raises(ValueError, match="n must be below"):
            gamma(n)


def test_the_units_are_those_of_float64_and_functions_may_miss_by_twice_four_of_them():
    assert math.ulp(1.0) == EPS == 2 * UNIT
    assert LIBM == 2 * 4 * EPS  # twice what numpy promises


def test_tiny_is_above_every_sum_of_underflows_and_below_every_number_of_interest():
    subnormal = Fraction(1, 2**1074)
    assert Fraction(TINY) >= 2**52 * subnormal
    assert 0 < TINY <= 1e-290
    assert 1 + 1 / TINY < np.inf


@given(doubles, doubles)
def test_up_and_down_enclose_the_exact_sum_and_are_the_next_floats(a, b):
    exact, s = Fraction(a) + Fraction(b), a + b
    assert Fraction(float(down(s))) <= exact <= Fraction(float(up(s)))
    assert down(s) < s < up(s)
    assert nextafter(float(down(s)), np.inf) == s == nextafter(float(up(s)), -np.inf)
