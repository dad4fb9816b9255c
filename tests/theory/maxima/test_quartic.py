"""The parts of the exact method, in exact arithmetic: quartics in Bernstein form, prefix sums, and cancellation."""

from fractions import Fraction

import numpy as np
import pytest
from exact_oracle import maximum as exact_maximum
from exact_oracle import risk_at
from hypothesis import given
from hypothesis import strategies as st
from rounded_sums import rounded_sums
from test_maxima import KINDS, numbers, one_hidden_layer

from theory.maxima import quartic, quartic_in_fractions, segment_maxima, segment_maximum
from theory.networks import Network
from theory.numerics.rounding import UNIT
from theory.risk import Risk, Sample

small = st.integers(-9, 9)
quartics = st.lists(small, min_size=5, max_size=5)


def value(coefficients, t):
    return sum(Fraction(c) * t**k for k, c in enumerate(coefficients))


def bernstein_value(b, s):
    """sum_k b_k C(4, k) s^k (1 - s)^(4 - k)."""
    return sum(Fraction(c) * n * s**k * (1 - s) ** (4 - k) for k, (c, n) in enumerate(zip(b, (1, 4, 6, 4, 1))))


@given(quartics, st.fractions(-2, 2), st.fractions(0, 2))
def test_the_bernstein_form_is_the_quartic(c, t, h):
    b = quartic._bernstein(np.array([Fraction(v) for v in c], dtype=object)[:, None], np.array([t]), np.array([h]))
    for s in (Fraction(k, 4) for k in range(5)):
        assert bernstein_value(b[:, 0].tolist(), s) == value(c, t + s * h)
    assert quartic_in_fractions._bernstein([Fraction(v) for v in c], t, t + h) == b[:, 0].tolist()


@given(quartics)
def test_de_casteljau_gives_the_halves(b):
    left, right = quartic._halve(np.array(b, dtype=float)[:, None]).swapaxes(0, 1)  # small integers over 16: exact
    for s in (Fraction(k, 4) for k in range(5)):
        assert bernstein_value(left[:, 0].tolist(), s) == bernstein_value(b, s / 2)
        assert bernstein_value(right[:, 0].tolist(), s) == bernstein_value(b, (1 + s) / 2)


@given(st.lists(small, min_size=3, max_size=3), st.lists(small, min_size=3, max_size=3), small)
def test_the_product_of_two_quadratics_is_their_product(q, r, t):
    product = quartic._product(np.array(q, dtype=float), np.array(r, dtype=float))
    assert value(product.tolist(), Fraction(t)) == value(q, Fraction(t)) * value(r, Fraction(t))


@pytest.mark.parametrize("k", [0, 1, 2, 3, 63, 64, 65, 127, 128, 129, 192, 193, 1000, 20_000])
def test_running_sums_in_rows_are_running_sums(k):
    changes = np.random.default_rng(k).integers(-9, 10, (5, k)).astype(float)
    assert np.array_equal(quartic._running_sums(changes), np.cumsum(changes, axis=1))


@given(st.lists(quartics, min_size=1, max_size=4), st.integers(0, 2**32))
def test_the_largest_value_of_a_piecewise_quartic_is_enclosed(pieces, seed):
    """The value is attained up to rounding, the bound holds up to rounding, and they agree to 1e-12 of the coefficients."""
    inner = np.sort(np.random.default_rng(seed).integers(1, 64, len(pieces) - 1)) / 64
    t = np.concatenate([[0.0], inner, [1.0]])
    where, attained, bound = (x[0] for x in quartic._largest(np.array(pieces, dtype=float).T[:, None], t[None]))
    slack = 1e-12 * max(1, np.abs(pieces).max())
    on = [c for c, lo, hi in zip(pieces, t, t[1:]) if lo <= where <= hi]
    assert min(abs(float(value(c, Fraction(where))) - attained) for c in on) <= slack
    grid = max(float(value(c, Fraction(s))) for c, lo, hi in zip(pieces, t, t[1:]) for s in np.linspace(lo, hi, 33))
    assert grid - slack <= bound <= attained + slack


# ---------------------------------------------------------------- where the allowance for rounding is all there is


def bound(risk, a, b, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(quartic_in_fractions, "affordable", lambda risk: False)
        return Fraction(quartic.maximum(risk, a, b).upper)


@pytest.mark.parametrize("bias", [0, 1])
def test_the_bound_holds_where_pre_activations_cancel(monkeypatch, bias):
    """x w is a few roundings of |x| |w|, so the computed risk may be zero and the true one is not."""
    rng = np.random.default_rng(0)
    missed = 0
    for _ in range(100):
        n, m = int(rng.choice([2, 3, 4, 8, 16])), int(rng.integers(1, 4))
        net = Network((n, m, 1), bias=bool(bias))
        X = rng.uniform(0.5, 2, (1, n))
        rows = []
        for _ in range(2 * m):
            w = rng.standard_normal(n + bias)
            h = np.append(X[0], np.ones(bias))
            w[-1] = -(h[:-1] @ w[:-1]) / h[-1]
            rows.append(w)
        V = np.concatenate([rng.standard_normal((1, m)), np.zeros((1, bias))], axis=1)
        a, b = (net.pack([np.array(W), V]) for W in (rows[:m], rows[m:]))
        risk = Risk(net, Sample(X, np.zeros((1, 1))))
        true = exact_maximum(risk, a, b)[1]
        assert bound(risk, a, b, monkeypatch) >= true
        missed += max(risk(a), risk(b)) < true
    assert missed > 10


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_bound_holds_where_residuals_cancel(monkeypatch, outputs):
    """The target is what the net computes all along: the true residual is the rounding of the computed one."""
    rng = np.random.default_rng(1)
    for _ in range(60):
        m = int(rng.integers(1, 30))
        net = Network((1, m, outputs))
        W, V = rng.uniform(0.1, 1, (m, 1)), rng.standard_normal((outputs, m)) * 10.0 ** rng.integers(0, 6)
        X = rng.uniform(0.5, 2, (1, 1))
        a = net.pack([W, V])
        risk = Risk(net, Sample(X, net(a, X)))
        direction = net.pack([rng.standard_normal((m, 1)) * 2.0**-40, np.zeros((outputs, m))])
        for b in (a, a + direction):
            true = exact_maximum(risk, a, b)[1] if m < 4 else max(risk_at(risk, a, b, Fraction(k, 2)) for k in range(3))
            assert bound(risk, a, b, monkeypatch) >= true


def test_the_bound_holds_where_thousands_of_switches_drift_the_same_way(monkeypatch):
    """m equal units switch on at t = 1/2; m additions of 0.173 lose 4737 u in relative terms, and the end decides."""
    m, v = 20_000, 0.173
    drifted = np.cumsum(np.full(m, v))[-1]
    assert Fraction(drifted) < m * Fraction(v) * (1 - 4000 * Fraction(UNIT))
    net = Network((1, m, 1))
    a, b = (net.pack([np.full((m, 1), w), np.full((1, m), v)]) for w in (-1.0, 1.0))
    risk = Risk(net, Sample(np.ones((1, 1)), np.zeros((1, 1))))
    assert bound(risk, a, b, monkeypatch) >= (m * Fraction(v)) ** 2


@pytest.mark.parametrize("many", ["units", "inputs"])
def test_the_bound_holds_where_a_dot_product_of_many_terms_misses_its_target(monkeypatch, many):
    for net, theta, X, target, missed in rounded_sums(many):
        assert bound(Risk(net, Sample(X, target)), theta, theta, monkeypatch) >= missed**2


def test_the_bound_is_homogeneous_in_the_outputs(monkeypatch):
    """Outgoing weights and targets times 2^-60: all that is computed is 2^-120 times what it was, the allowances too."""
    for seed in range(60):
        risk, a, b = one_hidden_layer(seed, "generic")
        if risk.penalty is None:
            small = np.ones(a.size)
            small[risk.network.slices[1]] = 2.0**-60
            sample = Sample(risk.sample.X, risk.sample.Y * 2.0**-60, risk.sample.weights)
            faint = bound(Risk(risk.network, sample), small * a, small * b, monkeypatch)
            assert abs(faint * 2**120 - bound(risk, a, b, monkeypatch)) <= Fraction(1, 10**100)


def test_a_piece_that_overflows_is_computed_in_fractions_where_they_are_affordable():
    risk = Risk(Network((1, 1, 1)), Sample(np.ones((1, 1)), np.zeros((1, 1))))
    found = quartic.maximum(risk, np.array([0.0, 4.0]), np.array([1e154, 0.0]))  # (4 t (1 - t) 1e154)^2
    assert Fraction(1e154) ** 2 <= Fraction(found.upper) <= Fraction(1e154) ** 2 * (1 + Fraction(1, 10**11))
    assert 0 <= found.t <= 1


def test_fractions_are_used_only_where_floats_are_loose(monkeypatch):
    """Without cancellation the float bound is within ACCURACY already; with it, what fractions say is returned."""
    calls = []
    exact = quartic_in_fractions.upper_bound
    monkeypatch.setattr(quartic_in_fractions, "upper_bound", lambda *given: calls.append(1) or exact(*given))
    net = Network((1, 1, 1))
    risk = Risk(net, Sample(np.ones((1, 1)), np.zeros((1, 1))))
    a, b = np.array([1.0, 2.0]), np.array([-1.0, 2.0])
    assert quartic.maximum(risk, a, b).upper == pytest.approx(4.0, rel=1e-11)
    assert not calls
    far = Risk(Network((1, 2, 1)), Sample(np.array([[1.0]]), np.array([[1.0]])))
    a = b = np.array([1e9 + 1, 1e9, 1.0, -1.0])
    assert quartic.maximum(far, a, b).upper <= 1e-9
    assert calls


# ---------------------------------------------------------------- many segments at once


@pytest.mark.parametrize("kind", KINDS)
def test_many_segments_at_once_are_bounded_above_rationals_and_as_one_by_one(monkeypatch, kind):
    """Segments of one risk that have many switches, none, weights that overflow, or no length, in batches of several sizes."""
    monkeypatch.setattr(quartic_in_fractions, "affordable", lambda risk: False)
    mixed = False
    for seed in range(3):
        risk, a, b = one_hidden_layer(seed, kind)
        rng = np.random.default_rng(seed)
        starts, ends = numbers(rng, kind, 2, 12, risk.network.size)
        starts[0], ends[0], ends[1], ends[2] = a, b, starts[1], 2 * starts[2]
        ends[3] = 1e200
        t, upper = quartic.maxima(risk, starts, ends)
        for k in range(12):
            alone = quartic.maximum(risk, starts[k], ends[k])
            slack = {"rel": 1e-9, "abs": 1e-9 * max(1.0, risk.scale)}
            assert alone.upper == pytest.approx(upper[k], **slack)
            if k != 3:
                there, here = risk.batch([(1 - s) * starts[k] + s * ends[k] for s in (alone.t, t[k])])
                assert there == pytest.approx(here, **slack)
            if k in (0, 1, 2, 5):
                true = exact_maximum(risk, starts[k], ends[k])[1]
                assert Fraction(upper[k]) >= true, (seed, k)
                mixed |= upper[k - 1] < true  # the planted fault: the bound of the segment before
        assert upper[3] == np.inf
        monkeypatch.setattr(quartic, "BATCH", 5 * len(risk.sample) * risk.network.widths[1])
        _, again = quartic.maxima(risk, starts, ends)
        monkeypatch.undo()
        monkeypatch.setattr(quartic_in_fractions, "affordable", lambda risk: False)
        np.testing.assert_allclose(again, upper, rtol=1e-9, atol=1e-9 * max(1.0, risk.scale))
    assert mixed


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_switch_that_overflows_is_at_the_end_and_moves_no_other(place):
    """-inf before relu, of which the risk at the ends shows nothing: -inf / inf is no time (planted: np.minimum keeps it)."""
    risk = Risk(Network((2, 2, 1)), Sample([[0.0, 1.0], [1e200, 0.0]], [[0.0], [0.0]]))
    calm = np.array([[0.0, 1.0, 0.0, -1.0, 1.0, 1.0], [0.0, -1.0, 0.0, 1.0, 2.0, 1.0]])
    wild = np.array([[-1e200, -1.0, 0.0, -1.0, 1e-200, 1e-200], [1e-200, 1.0, 0.0, 1.0, 1e-200, 1e-200]])
    pairs = np.stack([wild if k == place else calm for k in range(3)])
    found = segment_maxima(risk, pairs[:, 0], pairs[:, 1])
    assert found.upper[place] == np.inf
    alone = segment_maximum(risk, *calm)
    for k in {0, 1, 2} - {place}:
        assert found[k].t == alone.t
        assert found.upper[k] == pytest.approx(alone.upper, abs=1e-11)
