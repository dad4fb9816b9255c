"""The bound in fractions: the true maximum, rounded up once."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from exact_oracle import maximum as exact_maximum
from exact_oracle import risk_at, switches
from hypothesis import given
from hypothesis import strategies as st
from test_maxima import KINDS, one_hidden_layer

from theory.maxima import quartic_in_fractions
from theory.networks import Network
from theory.risk import Risk, Sample

ONE = Sample(np.ones((1, 1)), np.zeros((1, 1)))


@given(st.integers(0, 2**32), st.sampled_from(KINDS))
def test_the_bound_is_the_true_maximum_within_1e_12(seed, kind):
    risk, a, b = one_hidden_layer(seed, kind)
    upper, (_, true) = Fraction(quartic_in_fractions.upper_bound(risk, a, b)), exact_maximum(risk, a, b)
    assert true <= upper <= true * (1 + Fraction(1, 10**12) + Fraction(1, 2**52)) + Fraction(1, 2**1074)


@given(st.integers(0, 2**32), st.sampled_from(KINDS))
def test_the_bound_at_a_point_is_the_smallest_float_that_is_not_below(seed, kind):
    risk, a, _ = one_hidden_layer(seed, kind)
    true, upper = exact_maximum(risk, a, a)[1], quartic_in_fractions.upper_bound(risk, a, a)
    assert Fraction(float(np.nextafter(upper, -np.inf))) < true <= Fraction(upper)


@given(st.integers(0, 2**32), st.sampled_from(KINDS))
def test_the_pieces_are_the_risk_between_switches(seed, kind):
    """The quartic at t = 0 and the changes at each switch: at any t, their sum is the risk itself, exactly."""
    risk, a, b = one_hidden_layer(seed, kind)
    quartic, changes = quartic_in_fractions._pieces(risk, a, b)
    times = switches(risk, a, b)
    assert sorted({t for t, _ in changes}) == [t for t in times if 0 < t < 1]
    assert [t for t, _ in changes] == sorted(t for t, _ in changes)
    for t in [*times, *((u + v) / 2 for u, v in pairwise(times))]:
        value = sum(quartic_in_fractions._at(p, t) for p in [quartic, *(change for s, change in changes if s < t)])
        assert value == risk_at(risk, a, b, t)


def test_a_maximum_between_the_ends_of_a_piece_is_found():
    # (x w - y) v = t (1 - t) * 4: one interior maximum of 1 at t = 1/2
    assert (
        quartic_in_fractions.upper_bound(Risk(Network((1, 1, 1)), ONE), np.array([0.0, 4.0]), np.array([1.0, 0.0]))
        == 1.0
    )


@pytest.mark.parametrize(("size", "expected"), [(1e154, 1e308), (1e155, np.inf)])
def test_beyond_the_range_of_floats_the_bound_is_infinite(size, expected):
    found = quartic_in_fractions.upper_bound(Risk(Network((1, 1, 1)), ONE), np.array([0.0, 4.0]), np.array([size, 0.0]))
    assert found == pytest.approx(expected, rel=1e-11)


def test_what_is_affordable_is_counted_in_samples_units_inputs_and_outputs():
    def affordable(samples, inputs, units, outputs):
        sample = Sample(np.zeros((samples, inputs)), np.zeros((samples, outputs)))
        return quartic_in_fractions.affordable(Risk(Network((inputs, units, outputs)), sample))

    assert quartic_in_fractions.OPERATIONS == 4_000  # each takes about 10 microseconds, twice that with events
    assert affordable(10, 30, 10, 10)
    assert not affordable(10, 31, 10, 10)
    assert not affordable(10, 30, 10, 11)
    assert not affordable(11, 30, 10, 10)
    assert not affordable(10, 30, 11, 10)


@given(st.lists(st.fractions(-3, 3, max_denominator=9), min_size=1, max_size=5), st.fractions(-2, 2, max_denominator=9))
def test_polynomials_add_multiply_and_are_evaluated(p, t):
    q = p[::-1][:3]
    at = quartic_in_fractions._at
    assert at(quartic_in_fractions._add(p, q), t) == at(quartic_in_fractions._add(q, p), t) == at(p, t) + at(q, t)
    assert at(quartic_in_fractions._times(p, q), t) == at(p, t) * at(q, t)
    assert at(quartic_in_fractions._sum([p, q, p]), t) == 2 * at(p, t) + at(q, t)


@given(st.integers(0, 2**32), st.sampled_from(KINDS), st.floats(0, 1))
def test_the_value_at_a_point_is_the_largest_float_that_is_not_above(seed, kind, t):
    risk, a, b = one_hidden_layer(seed, kind)
    true, low = risk_at(risk, a, b, Fraction(t)), quartic_in_fractions.risk_below(risk, a, b, t)
    assert Fraction(low) <= true < Fraction(float(np.nextafter(low, np.inf)))


def test_beyond_the_range_of_floats_the_value_is_the_largest_float():
    risk = Risk(Network((1, 1, 1)), ONE)
    assert (
        quartic_in_fractions.risk_below(risk, np.array([1e155, 4.0]), np.array([0.0, 4.0]), 0.0) == np.finfo(float).max
    )
