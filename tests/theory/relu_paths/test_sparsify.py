"""Sparsifying, normalising and crossing between nets with one hidden relu layer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.crossing import cross
from theory.lasso import second_layer
from theory.maxima.segments import path_maximum
from theory.moves import Walk
from theory.networks import Network
from theory.relu_paths import pieces, problem, sparsify
from theory.relu_paths.unit_rows import to_unit_rows
from theory.risk import Risk, Sample

SEEDS = st.integers(0, 2**32 - 1)
KAPPAS = st.sampled_from([0.0, 1e-4, 1e-2, 0.3])
ROUNDING = 1e-9  # theory.maxima bounds quartics to 5e-10


def instance(seed, kappa=0.1, *, m=None, N=None):
    """A weighted sample and a net whose rows are unit, short, tiny, zero or repeated, some units idle."""
    rng = np.random.default_rng(seed)
    n, N, m = int(rng.integers(1, 4)), N or int(rng.integers(1, 10)), m or int(rng.integers(1, 12))
    X = rng.standard_normal((N, n)) * 10.0 ** rng.integers(-2, 3)
    sample = Sample(X, rng.standard_normal((N, 1)), rng.dirichlet(np.ones(N)))
    risk = Risk(Network((n, m, 1)), sample, kappa=kappa, penalty="second_layer_l1")
    return risk, point(rng, risk), rng


def point(rng, risk, used=None):
    n, m = risk.network.widths[:2]
    W = rng.standard_normal((m, n))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    W *= rng.choice([0.0, 1e-3, 0.5, 1.0], size=(m, 1), p=[0.1, 0.1, 0.3, 0.5])
    if m > 2:
        W[1] = W[0]
    b = rng.standard_normal((1, m)) * (rng.uniform(size=m) < 0.8)
    if used is not None:
        b = rng.standard_normal((1, m)) * np.isin(np.arange(m), rng.choice(m, size=used, replace=False))
    return problem.into_ball(risk.network, risk.network.pack([W, b]))


@given(SEEDS, KAPPAS)
def test_elimination_keeps_the_function_lowers_the_norm_and_leaves_at_most_rank_units(seed, kappa):
    risk, theta, _ = instance(seed, kappa)
    Z, b = problem.features(risk, theta), risk.network.weights(theta)[1][0]
    before = b.copy()
    lean = sparsify.eliminate(Z, b)
    assert np.array_equal(b, before)
    assert np.abs(Z @ lean - Z @ b).max() <= 1e-11 * (np.abs(Z) @ np.abs(b)).max()
    assert np.abs(lean).sum() <= np.abs(b).sum() * (1 + 1e-12)
    assert np.count_nonzero(lean) <= np.linalg.matrix_rank(Z)
    assert np.count_nonzero(sparsify.eliminate(Z, b, steps=1)) >= np.count_nonzero(lean)


@given(SEEDS, KAPPAS, st.integers(1, 12))
def test_tosses_keep_the_bound_that_the_mean_promises(seed, kappa, l):
    risk, theta, _ = instance(seed, kappa)
    tossed = sparsify.toss(risk, theta, l)
    Z, b, p = problem.features(risk, theta), risk.network.weights(theta)[1][0], risk.sample.weights
    assert np.count_nonzero(risk.network.weights(tossed)[1]) <= l
    spread = (np.abs(b) @ np.sqrt(p @ Z**2)) ** 2 - p @ (Z @ b) ** 2
    assert risk(tossed) <= risk(theta) + spread / l + 1e-10 * (risk(theta) + spread)


@given(SEEDS, st.sampled_from([1e-4, 1e-2, 0.3]))
def test_normalising_reaches_unit_rows_and_never_rises(seed, kappa):
    risk, theta, _ = instance(seed, kappa)
    path = to_unit_rows(risk, theta)
    assert np.array_equal(path.points[0], theta)
    assert np.allclose(risk.row_norms(path.points[-1]), 1, rtol=0, atol=1e-14)
    assert risk.row_norms(path.points).max() <= 1 + 1e-14
    assert pieces.piece_maxima(risk, path).max() <= risk(theta) * (1 + ROUNDING)


@given(SEEDS)
def test_without_a_penalty_only_zero_rows_need_normalising(seed):
    risk, theta, _ = instance(seed, 0.0)
    path = to_unit_rows(risk, theta)
    assert len(path) <= 2
    assert np.ptp(risk.batch(path.points)) <= 1e-12 * risk(theta)
    assert (risk.row_norms(path.points[-1]) > 0).all()


def crossed(risk, a, b):
    walk = Walk(risk.network, a, risk.sample.X)
    cross(walk, b)
    return walk.path


@given(SEEDS, st.data())
def test_crossing_ends_exactly_at_the_other_net_and_stays_below_the_larger_end(seed, data):
    risk, _, rng = instance(seed)
    m = risk.network.widths[1]
    l = data.draw(st.integers(0, m))
    a, b = point(rng, risk, l), point(rng, risk, m - l)
    path = crossed(risk, a, b)
    assert np.array_equal(path.points[0], a)
    assert np.array_equal(path.points[-1], b)
    assert len(path) <= 5
    assert pieces.piece_maxima(risk, path).max() <= max(risk(a), risk(b)) * (1 + 1e-12)


def test_crossing_needs_room():
    risk, _, rng = instance(0, m=4)
    with pytest.raises(ValueError, match=r"<= 4 in layer 1; got 3 \+ 2"):
        crossed(risk, point(rng, risk, 3), point(rng, risk, 2))


@given(SEEDS, KAPPAS)
@instances(20)
def test_piece_maxima_agree_with_the_maximum_of_the_whole_path(seed, kappa):
    risk, theta, rng = instance(seed, kappa)
    path = to_unit_rows(risk, theta) + problem.line(to_unit_rows(risk, theta).points[-1], point(rng, risk), "straight")
    whole = path_maximum(risk, path)
    upper = pieces.piece_maxima(risk, path).max()
    assert upper >= whole.value * (1 - 1e-15)
    assert upper == pytest.approx(whole.upper, rel=1e-8, abs=1e-300)


@given(SEEDS, st.sampled_from([1e-3, 0.3]))
def test_the_best_second_layer_is_never_worse_and_its_norm_is_at_most_half_the_energy(seed, kappa):
    risk, theta, _ = instance(seed, kappa)
    best = sparsify.best_second_layer(risk, theta)
    assert risk(best) <= risk(theta)
    if not np.array_equal(best, theta):
        assert kappa * np.abs(risk.network.weights(best)[1]).sum() <= risk.sample.energy / 2 * (1 + 1e-9)


@pytest.mark.parametrize(
    ("network", "risk_options", "message"),
    [
        (Network((2, 3, 3, 1)), {}, "one hidden relu layer"),
        (Network((2, 3, 1), activation="tanh"), {}, "one hidden relu layer"),
        (Network((2, 3, 1), bias=True), {}, "without_biases"),
        (Network((2, 3, 2)), {}, r"one output; got 2\. theory\.deep_paths and string_sampling\.greedy take several"),
        (Network((2, 3, 1)), {"loss": "absolute"}, "squared loss"),
        (Network((2, 3, 1)), {"penalty": "ridge", "kappa": 0.1}, "second_layer_l1"),
    ],
)
def test_problems_of_another_kind_are_refused(network, risk_options, message):
    risk = Risk(network, Sample(np.ones((2, 2)), np.ones((2, network.widths[-1]))), **risk_options)
    with pytest.raises(ValueError, match=message):
        problem.checked(risk, np.zeros(network.size))


def test_rows_outside_the_ball_are_refused_and_the_error_offers_the_same_net_inside():
    risk, _, _ = instance(3, m=4)
    theta = np.full(risk.network.size, 2.0)
    with pytest.raises(ValueError, match="into_ball"):
        problem.checked(risk, theta)
    inside = problem.into_ball(risk.network, theta)
    problem.checked(risk, inside)
    X = risk.sample.X
    assert np.allclose(risk.network(inside, X), risk.network(theta, X), rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_a_working_set_ends_where_all_units_do(monkeypatch, seed):
    """On few of many units at a time, weighted samples: the value is that of the whole problem."""
    rng = np.random.default_rng(seed)
    Z, y, p = np.maximum(rng.standard_normal((12, 40)), 0), rng.standard_normal(12), rng.dirichlet(np.ones(12))
    kappa = 0.05 * 2 * np.abs(Z.T @ (p * y)).max()
    monkeypatch.setattr(sparsify, "WORKING", 8)
    values = [
        p @ (y - Z @ b) ** 2 + kappa * np.abs(b).sum()
        for b in (sparsify._solved(Z, y, p, kappa), second_layer(Z, y, kappa, weights=p).beta)
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-7)
