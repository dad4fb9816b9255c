"""A risk in floats against the risk itself in rational arithmetic, and the ends that decide convex segments."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from exact_oracle import risk_at
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances
from test_maxima import KINDS, one_hidden_layer

from theory import networks
from theory.maxima import evaluations, quartic_in_fractions, segments, taylor_models
from theory.maxima.results import Method
from theory.maxima.segments import path_maximum, segment_maxima
from theory.networks import Network
from theory.numerics import gamma
from theory.paths import Path
from theory.risk import Risk, Sample


def enclosed(risk, a, b, t):
    """The bounds at (1 - t) a + t b."""
    fits = risk.unpenalised(((1 - t) * a + t * b)[None])
    return [float(v[0]) for v in evaluations.enclosures(risk, a[None], b[None], np.array([t]), fits)]


@instances(300)
@given(st.integers(0, 2**32), st.sampled_from(KINDS), st.floats(0, 1), st.integers(-160, 160))
def test_the_risk_is_enclosed_at_every_magnitude(seed, kind, t, exponent):
    risk, a, b = one_hidden_layer(seed, kind)
    factor = 2.0 ** (exponent if seed % 2 else 0)
    a, b = factor * a, factor * b
    low, high = enclosed(risk, a, b, t)
    true = risk_at(risk, a, b, Fraction(t))
    assert Fraction(low) <= true
    assert high == np.inf or true <= Fraction(high)
    if high < np.inf:
        assert high - low <= 1e-10 * (high + risk.scale + 1) or kind in ("scales", "heavy") or factor > 1


@given(st.integers(0, 2**32), st.sampled_from(["ridge", "second_layer_l1"]), st.integers(-1074, -980), st.booleans())
def test_a_penalty_of_every_magnitude_is_enclosed(seed, penalty, exponent, quiet):
    """A product with kappa may be subnormal, where no relative error covers its rounding; quiet: the fit is exactly 0."""
    rng = np.random.default_rng(seed)
    target = [[0.0]] if quiet else rng.standard_normal((1, 1))
    risk = Risk(Network((1, 2, 1)), Sample([[1.0]], target), kappa=2.0**exponent, penalty=penalty)
    a, b = np.concatenate([-rng.random((2, 2)), rng.uniform(-2, 2, (2, 2))], axis=1)
    low, high = enclosed(risk, a, b, 0.0)
    assert Fraction(low) <= risk_at(risk, a, b, Fraction(0)) <= Fraction(high)
    for end in (b, np.r_[a[:2], b[2:]]):  # dead units: only the penalty moves, and is convex
        found = segment_maxima(risk, a[None], end[None])[0]
        true = max(risk_at(risk, a, end, Fraction(t)) for t in (0, 1))
        assert Fraction(found.value) <= true <= Fraction(found.upper)


def test_a_penalty_among_the_subnormals_needs_its_own_allowance(monkeypatch):
    """1.75 times the least positive float is 2 of them; the planted fault: nothing is allowed for that."""
    kappa = 2.0**-1074
    risk = Risk(Network((1, 1, 1)), Sample([[1.0]], [[0.0]]), kappa=kappa, penalty="second_layer_l1")
    a, b = np.array([0.0, 1.75]), np.array([0.0, 1.0])
    true = Fraction(7, 4) * Fraction(kappa)
    assert Fraction(enclosed(risk, a, b, 0.0)[0]) <= true
    assert segment_maxima(risk, a[None], b[None])[0].value <= true
    monkeypatch.setattr(evaluations, "TINY", 0.0)
    assert Fraction(enclosed(risk, a, b, 0.0)[0]) > true


def test_a_sample_that_hardly_weighs_may_overflow_and_nothing_is_known(monkeypatch):
    """A sum that passes -2^1024 on its way to a positive number is 0 after relu; the mean squares of the inputs do not tell.

    The planted fault: the least weight counts as one.
    """
    monkeypatch.setattr(networks, "UNITS", 1)  # units are added up one by one
    risk = Risk(Network((1, 4, 1, 1)), Sample([[2.0**1000], [0.0]], [0.0, 0.0], weights=[2.0**-1000, 1.0]))
    theta = np.array([1, 1, 1, 1, *(2.0**23 * np.array([-1.5, -1.5, 1.75, 1.75])), 2.0**-600])
    true = Fraction(2) ** -1000 * (Fraction(2) ** (1022 - 600)) ** 2
    assert risk(theta) == 0 < true
    assert enclosed(risk, theta, theta, 0.0) == [0.0, np.inf]
    risk.sample.__dict__["least_weight"] = 1.0
    assert Fraction(enclosed(risk, theta, theta, 0.0)[1]) < true


def test_of_a_value_beyond_the_floats_nothing_is_known():
    risk = Risk(Network((1, 3)), Sample([[1.0]], [[0.0] * 3]), loss="absolute")
    theta = np.full(3, 8e307)
    assert risk(theta) == np.inf
    assert enclosed(risk, theta, theta, 0.0) == [0.0, np.inf]


def test_a_sum_over_many_units_meets_as_many_roundings_as_it_says(monkeypatch):
    monkeypatch.setattr(networks, "UNITS", 8)
    rng = np.random.default_rng(0)
    for m in (5, 8, 9, 40, 41):
        net = Network((m, m, 1), "identity")
        assert net.roundings(1) == m + 2
        assert net.roundings(2) == (m if m <= 8 else 8 + -(-m // 8)) + 2
        for _ in range(20):
            v, X = rng.standard_normal((2, m)) * 10.0 ** rng.integers(-3, 3, (2, m))
            found = float(net.outputs(net.pack([np.eye(m), v[None]]), X[None])[0, 0])
            terms = [Fraction(p) * Fraction(q) for p, q in zip(v.tolist(), X.tolist())]
            assert abs(Fraction(found) - sum(terms)) <= Fraction(gamma(net.roundings(2))) * sum(map(abs, terms))


# ---------------------------------------------------------------- the ends of convex segments


def fan(rng, count=6):
    """A risk, and vertices of a polyline on which only the last layer moves: some far lower than others, some alike."""
    net = Network((2, 3, 1), bias=bool(rng.integers(2)))
    risk = Risk(net, Sample(rng.standard_normal((5, 2)), rng.standard_normal((5, 1))), kappa=0.1, penalty="ridge")
    points = np.repeat(rng.standard_normal((1, net.size)), count, axis=0)
    points[:, net.slices[1]] += 10.0 ** rng.integers(-3, 2, (count, 1)) * rng.standard_normal(
        (count, net.size - net.slices[1].start)
    )
    points[2] = points[1]
    return risk, points


def holds(risk, points, found, joint):
    """Whether value and upper enclose the larger end of each segment, or the largest of all."""
    true = [risk_at(risk, p, p, Fraction(0)) for p in points]
    tops = [max(pair) for pair in pairwise(true)]
    if joint:
        return Fraction(found.value) <= max(tops) <= Fraction(found.upper)
    return all(Fraction(v) <= top <= Fraction(u) for v, top, u in zip(found.value, tops, found.upper))


@pytest.mark.parametrize("loose", [False, True])
def test_the_larger_ends_of_convex_segments_are_enclosed(monkeypatch, loose):
    """With loose bounds from floats the ends that may be the larger ones are bounded with care, and no others."""
    careful, asked = taylor_models.point_bounds, []

    def watched(risk, theta_0, theta_1, t):
        asked.append(len(t))
        return careful(risk, theta_0, theta_1, t)

    monkeypatch.setattr(taylor_models, "point_bounds", watched)
    if loose:
        cheap = evaluations.enclosures
        monkeypatch.setattr(
            evaluations, "enclosures", lambda *given: (lambda low, high: (0.9 * low, 1.1 * high))(*cheap(*given))
        )
    each, largest = 0, 0
    for seed in range(30):
        risk, points = fan(np.random.default_rng(seed))
        asked.clear()
        found = segment_maxima(risk, points[:-1], points[1:])
        assert set(found.method) == {Method.CONVEX}
        assert holds(risk, points, found, joint=False)
        assert (found.upper <= found.value * (1 + 1e-12)).all()
        assert sum(asked) <= len(points) if loose else not asked
        each += sum(asked)
        asked.clear()
        found = path_maximum(risk, Path(points))
        assert holds(risk, points, found, joint=True)
        assert found.upper <= found.value * (1 + 1e-12)
        largest += sum(asked)
    assert largest < 0.7 * each if loose else largest == 0


def test_a_ceiling_just_above_an_end_is_decided_however_loose_the_gap(monkeypatch):
    """Bounds from floats that are off by a thousandth do not do there, and do without a ceiling."""
    monkeypatch.setattr(quartic_in_fractions, "affordable", lambda risk: False)
    cheap = evaluations.enclosures
    monkeypatch.setattr(
        evaluations, "enclosures", lambda *given: (lambda low, high: (0.999 * low, 1.001 * high))(*cheap(*given))
    )
    for seed in range(10):
        risk, points = fan(np.random.default_rng(seed))
        top = float(max(risk_at(risk, p, p, Fraction(0)) for p in points))
        assert path_maximum(risk, Path(points), gap=0.1).upper > top * (1 + 1e-4)
        assert path_maximum(risk, Path(points), gap=0.1, ceiling=top * (1 + 1e-6)).upper <= top * (1 + 1e-6)


@pytest.mark.parametrize("fault", ["the smaller ends", "floats"])
def test_ends_bounded_wrongly_are_caught(monkeypatch, fault):
    """Planted faults: an end is bounded by its neighbour's bound; by its value in floats."""
    if fault == "floats":
        monkeypatch.setattr(evaluations, "enclosures", lambda risk, a, b, t, fits: (risk.batch(a), risk.batch(a)))
    else:
        ends = segments._vertices
        monkeypatch.setattr(
            segments, "_vertices", lambda a, b: (lambda p, of: (p, of[::-1] * 0 + of.min(0)))(*ends(a, b))
        )
    caught = 0
    for seed in range(30):
        risk, points = fan(np.random.default_rng(seed))
        caught += not holds(risk, points, segment_maxima(risk, points[:-1], points[1:]), joint=False)
    assert caught > 5
