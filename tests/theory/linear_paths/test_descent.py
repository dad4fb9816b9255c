"""Falling paths to the lowest level, from anywhere; and the convex problems in the product that they end at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances
from scipy.linalg import expm

from theory.linear_paths import descent, ridge_descent
from theory.linear_paths.descent import descend
from theory.linear_paths.falls import coefficients, falling
from theory.linear_paths.problem import LinearProblem
from theory.linear_paths.products import best_product, value_of
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)
KINDS = st.sampled_from(["gaussian", "zero layer", "all zero", "rank one", "saddle"])


def problem(rng, depth=2, spare=0, ridge=False):
    n_in, n_out = (int(n) for n in rng.integers(1, 5, 2))
    hidden = (min(n_in, n_out) + spare + rng.integers(0, 2, depth - 1)).tolist()
    net = Network((n_in, *hidden, n_out), activation="identity")
    N = int(rng.integers(1, 9))
    data = Sample(rng.standard_normal((N, n_in)), rng.standard_normal((N, n_out)))
    return Risk(net, data, kappa=float(10.0 ** rng.uniform(-4, 0)), penalty="ridge") if ridge else Risk(net, data)


def start(rng, risk, kind):
    net = risk.network
    W = [rng.standard_normal(shape) for shape in net.shapes]
    j = int(rng.integers(net.depth))
    if kind == "zero layer":
        W[j][:] = 0
    elif kind == "all zero":
        W = [0 * A for A in W]
    elif kind == "rank one":
        W[j] = np.outer(W[j][:, 0], W[j][0])
    elif kind == "saddle" and net.depth == 2 and risk.kappa == 0:
        M = best_product(risk).matrix
        U = np.linalg.svd(M @ risk.sample.X.T)[0]
        q = int(rng.integers(0, min(M.shape)))
        W = [0 * A for A in W]
        W[0][:q], W[1][:, :q] = U[:, :q].T @ M, U[:, :q]
    return net.pack(W)


def pieces_fall(risk, path):
    return [falling(coefficients(risk, p, q - p)) for p, q in zip(path.points[:-1], path.points[1:])]


@instances(30)
@given(seed=seeds, kind=KINDS, ridge=st.booleans())
def test_with_one_hidden_layer_the_risk_falls_strictly_to_the_minimum(seed, kind, ridge):
    rng = np.random.default_rng(seed)
    risk = problem(rng, ridge=ridge)
    theta = start(rng, risk, kind)
    path = descend(risk, theta)
    assert np.array_equal(path.points[0], theta)
    assert all(pieces_fall(risk, path))
    scale = risk.sample.energy + risk(theta)
    assert risk(path.points[-1]) <= best_product(risk).value + 1e-8 * scale


@instances(15)
@given(seed=seeds, depth=st.integers(3, 4), kind=KINDS)
def test_deeper_the_risk_never_rises_and_falls_on_every_piece_that_frees_nothing(seed, depth, kind):
    rng = np.random.default_rng(seed)
    risk = problem(rng, depth=depth, spare=1)
    path = descend(risk, start(rng, risk, kind))
    values = risk.batch(path.points)
    assert (np.diff(values) <= 1e-9 * (values[0] + risk.sample.energy)).all()
    for label, steady in zip(path.labels, pieces_fall(risk, path)):
        assert steady or label.startswith(("free", "place", "transfer"))
    assert values[-1] <= best_product(risk).value + 1e-8 * (values[0] + risk.sample.energy)


def test_the_scalar_saddle_is_left_along_a_falling_segment():
    risk = Risk(Network((1, 1, 1), activation="identity"), Sample(np.ones((1, 1)), np.ones((1, 1))))
    path = descend(risk, np.zeros(2))
    assert all(pieces_fall(risk, path))
    assert risk(path.points[-1]) <= 1e-20


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
@pytest.mark.parametrize(("times", "kept"), [(0.9, True), (1.1, False), (100.0, False)])
def test_a_ridge_path_that_stops_too_high_is_refused(monkeypatch, tolerance, times, kept):
    """Planted: a descent that goes nowhere, from this many tolerances above the minimum."""
    risk = Risk(Network((1, 1, 1), "identity"), Sample(np.ones((1, 1)), np.ones((1, 1))), kappa=0.1, penalty="ridge")
    monkeypatch.setattr(ridge_descent, "_by_the_section", lambda way: None)
    monkeypatch.setattr(ridge_descent._Descent, "arrive", lambda self: False)
    goal, low, high = best_product(risk).value * (1 + times * tolerance), np.sqrt(0.9), 2.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if risk([middle, middle]) < goal else (low, middle)
    if kept:
        assert len(descend(risk, [low, low], tolerance=tolerance)) == 0
        return
    with pytest.raises(ValueError, match="tolerance must be larger"):
        descend(risk, [low, low], tolerance=tolerance)


@pytest.mark.parametrize("pieces", [1, 2, 5, 9])
def test_no_more_pieces_are_made_than_are_allowed(monkeypatch, pieces):
    """Planted: a minimum that is never reached, and sections that never fall, so that it is balanced for ever."""
    rng = np.random.default_rng(0)
    sample = Sample(rng.standard_normal((9, 3)), 1e3 * rng.standard_normal((9, 3)))
    risk = Risk(Network((3, 4, 3), "identity"), sample, kappa=1e-9, penalty="ridge")
    W = [rng.standard_normal(shape) for shape in risk.network.shapes]
    theta = risk.network.pack([1e-5 * W[0], 1e5 * W[1]])
    way = ridge_descent._Descent(LinearProblem(risk), theta, np.zeros((3, 3)))
    monkeypatch.setattr(ridge_descent, "PIECES", pieces)
    monkeypatch.setattr(ridge_descent, "buy_slack", lambda risk, theta: Path(theta[None]))
    monkeypatch.setattr(ridge_descent._Descent, "arrive", lambda self: False)
    monkeypatch.setattr(ridge_descent._Descent, "follow", lambda self, *rest: False)
    ridge_descent._by_the_section(way)
    assert len(way.labels) == max(pieces, len([label for label in way.labels if label.startswith("cut")]))


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_a_section_that_fell_is_followed_again_until_the_minimum_is_reached(monkeypatch, rounds):
    """Planted: curves of which only the first 0.3 is gone along, and a minimum that is not reached before."""
    rng = np.random.default_rng(0)
    sample = Sample(rng.standard_normal((9, 3)), rng.standard_normal((9, 3)))
    risk = Risk(Network((3, 3, 3), "identity"), sample, kappa=0.01, penalty="ridge")
    target = best_product(risk).matrix
    way = ridge_descent._Descent(LinearProblem(risk), rng.standard_normal(risk.network.size), target)
    followed = []

    def part(self, curve, label, halvings):
        fell = self.take(self.problem.vector(*curve(0.3)), label)
        followed.extend([len(self.labels)] * fell)
        return fell

    monkeypatch.setattr(ridge_descent._Descent, "follow", part)
    monkeypatch.setattr(ridge_descent._Descent, "arrive", lambda self: len(followed) == rounds)
    ridge_descent._by_the_section(way)
    assert len(followed) == rounds == way.labels.count("along the balanced section")
    products = [W2 @ W1 for W1, W2 in map(risk.network.weights, way.points)]
    left = [np.linalg.norm(M - target) for M in products[followed[0] :]]
    assert (np.diff(left) <= 1e-12).all()


@instances(40)
@given(seed=seeds, spare=st.integers(0, 2))
def test_the_factors_of_a_minimiser_lie_as_close_as_a_turn_of_the_hidden_space_brings_them(seed, spare):
    rng = np.random.default_rng(seed)
    m, n = sorted((int(v) for v in rng.integers(1, 5, 2)), reverse=True)
    risk = Risk(Network((n, n + spare, m), "identity"), Sample(np.eye(n), np.ones((n, m))), kappa=0.1, penalty="ridge")
    theta, M = 3 * rng.standard_normal(risk.network.size), rng.standard_normal((m, n)) @ np.diag(rng.random(n) < 0.8)
    found = ridge_descent._aligned(LinearProblem(risk), theta, M)
    W1, W2 = risk.network.weights(found)
    assert W2 @ W1 == pytest.approx(M, abs=1e-12)
    assert found @ found == pytest.approx(2 * np.linalg.norm(M, "nuc"), rel=1e-12)
    h = n + spare
    turns = [np.linalg.qr(rng.standard_normal((h, h)))[0] for _ in range(20)]
    skew = rng.standard_normal((h, h))
    turns += [expm(size * (skew - skew.T)) for size in (1e-1, 1e-3, -1e-3, -1e-1)]
    others = [risk.network.pack([O @ W1, W2 @ O.T]) for O in turns]
    assert np.linalg.norm(found - theta) <= min(np.linalg.norm(other - theta) for other in others) + 1e-12


@instances(40)
@given(seed=seeds, digits=st.sampled_from([0, 1, 2]), size=st.sampled_from([1e-3, 1.0, 1e3]))
def test_escapes_are_as_long_as_they_can_fall_and_fall_as_far_as_rank_one_can(seed, digits, size):
    """The docstring's quartic: at tau = 1 its slope is 0, or below where a mixed term of Sigma helps; steps equal if free.

    |G|^2 / 4 beta is the largest fall of a rank-one change of the product; with |W_2 w| in the way, 16 / 81 of 4 times it.
    """
    rng = np.random.default_rng(seed)
    risk = problem(rng, spare=1)
    n = risk.sample.n_in
    X = risk.sample.X @ np.linalg.qr(rng.standard_normal((n, n)))[0] * np.logspace(0, -digits, n)
    risk = Risk(risk.network, Sample(X, size * risk.sample.Y))
    theta = start(rng, risk, "saddle")
    W1, W2 = risk.network.weights(theta)
    G = 2 * ((risk.sample.X @ (W2 @ W1).T - risk.sample.Y) * risk.sample.weights[:, None]).T @ risk.sample.X
    U, s, Vt = np.linalg.svd(G)
    b, beta = Vt[0], float(Vt[0] @ risk.sample.second_moment @ Vt[0])
    if s[0] <= 1e-6 * (1 + size):
        return
    found = np.array(list(descent._two_layer_escapes(risk, [W1, W2], -U[:, 0], b, float(s[0]), rng)))
    for side, pairs in zip(("inner", "outer"), found.reshape(-1, 17, 2, risk.network.size)):
        D = pairs.mean(axis=1) / 0.9
        assert np.abs(D - D[0]).max() <= 1e-12 * np.abs(pairs).max()
        noise = np.linalg.norm(pairs[:, 0] - 0.9 * D, axis=1)
        assert noise[1:] == pytest.approx(noise[:-1] / 2, rel=1e-6)
        D1, D2 = risk.network.weights(D[0])
        t, s_ = np.linalg.norm(D1), np.linalg.norm(D2)
        w = D1 @ b / t
        steep = 1e-6 * s[0] * s_ * t
        c = coefficients(risk, theta, D[0])
        slope = c[1:] @ np.arange(1, 5)
        mixed = float(w @ W1 @ risk.sample.second_moment @ b) if side == "outer" else 0.0
        assert slope <= steep
        if mixed * s_**2 * t <= steep:
            assert slope >= -steep - 12 * abs(mixed) * s_**2 * t
        assert falling(coefficients(risk, theta, 0.9 * D[0]))
        held = np.linalg.norm(W2 @ w) if side == "inner" else np.linalg.norm(w @ W1)
        if side == "inner":
            assert -c[1:].sum() >= (16 / 81 - 1e-6) * s[0] ** 2 / beta
        if held <= 1e-9 * np.sqrt(s[0] / beta):
            assert s_ == pytest.approx(t, rel=1e-6)
            assert -c[1:].sum() == pytest.approx(s[0] ** 2 / (4 * beta), rel=1e-6)


@pytest.mark.parametrize("widths", [(1, 1), (1, 2, 1), (1, 2, 2, 1)])
@pytest.mark.parametrize("start_at", [-20.0, 20.0])
def test_a_path_ends_where_the_lowest_level_begins(widths, start_at):
    """The mean of |y - m| over four points is least between two medians: the nearer one is the first that is met."""
    Y = np.array([[-3.0], [1.0], [5.0], [6.0]])
    risk = Risk(Network(widths, activation="identity"), Sample(np.ones((4, 1)), Y), loss="absolute")
    W = [np.full(shape, 1.0) for shape in risk.network.shapes]
    W[-1] *= start_at / np.linalg.multi_dot([np.eye(1), *W[::-1]]).item() if len(W) > 1 else start_at
    path = descend(risk, risk.network.pack(W))
    end = risk.network(path.points[-1], [[1.0]]).item()
    assert end == pytest.approx(1.0 if start_at < 0 else 5.0, abs=1e-9)
    before = path.points[-1] - 1e-6 * (path.points[-1] - path.points[-2])
    assert risk(before) > risk(path.points[-1])


def test_at_the_lowest_level_there_is_nothing_to_do():
    risk = Risk(Network((1, 1, 1), activation="identity"), Sample(np.ones((1, 1)), np.ones((1, 1))))
    assert len(descend(risk, np.ones(2))) == 0


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("loss", ["squared", "absolute"])
@pytest.mark.parametrize("widths", [(2, 1), (2, 3, 2), (1, 2, 2, 3)])
def test_biases_and_absolute_loss_go_by_idle_units(bias, loss, widths):
    rng = np.random.default_rng(0)
    risk = Risk(
        Network(widths, activation="identity", bias=bias),
        Sample(rng.standard_normal((7, widths[0])), rng.standard_normal((7, widths[-1]))),
        loss=loss,
    )
    path = descend(risk, rng.standard_normal(risk.network.size))
    values = risk.batch(path.points)
    assert (np.diff(values) <= 1e-12).all()
    np.testing.assert_allclose(values[-1], best_product(risk).value, rtol=1e-9)


@pytest.mark.parametrize(
    ("c", "expected"),
    [
        ([1.0, -1.0], True),
        ([1.0, -2.0, 1.0], True),  # slope zero at the end only
        ([1.0, 0.0, -1.0], True),
        ([1.0, 0.0, 0.0], False),
        ([1.0, 1.0], False),
        ([1.0, -1.0, 0.8], False),  # turns before the end
        ([0.0, -1.0, 1.5, -1.0], True),  # slope -(1 - 3 t + 3 t^2), nowhere zero
    ],
)
def test_falls_is_strict_monotonicity(c, expected):
    t = np.linspace(0, 1, 1001)
    values = np.polynomial.polynomial.polyval(t, c)
    assert falling(np.array(c)) == expected == bool((np.diff(values) < 0).all())


@instances(30)
@given(seed=seeds, depth=st.integers(1, 4))
def test_coefficients_are_those_of_the_risk_along_the_segment(seed, depth):
    rng = np.random.default_rng(seed)
    risk = problem(rng, depth=depth, ridge=bool(rng.integers(2)))
    theta, direction = rng.standard_normal((2, risk.network.size))
    t = np.linspace(-1, 1, 7)
    expected = risk.batch(theta + t[:, None] * direction)
    c = coefficients(risk, theta, direction)
    np.testing.assert_allclose(np.polynomial.polynomial.polyval(t, c), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("options", "widths", "message"),
    [
        ({"kappa": 0.1, "penalty": "ridge", "loss": "absolute"}, (2, 3, 2), "loss must be 'squared'"),
        ({"kappa": 0.1, "penalty": "ridge"}, (3, 1, 2), "needs at least"),
        ({}, (3, 3, 1, 2), "hidden layer 2"),
    ],
)
def test_what_has_no_falling_path_here_is_refused(options, widths, message):
    risk = Risk(Network(widths, activation="identity"), Sample(np.eye(widths[0]), np.ones((widths[0], 2))), **options)
    with pytest.raises(ValueError, match=message):
        descend(risk, np.ones(risk.network.size))


def test_tolerance_and_shape_are_checked():
    risk = Risk(Network((1, 1, 1), activation="identity"), Sample(np.ones((1, 1)), np.ones((1, 1))))
    with pytest.raises(ValueError, match="tolerance"):
        descend(risk, np.zeros(2), tolerance=0.0)
    with pytest.raises(ValueError, match="theta"):
        descend(risk, np.zeros((2, 2)))


@instances(40)
@given(seed=seeds, loss=st.sampled_from(["squared", "absolute"]), ridge=st.booleans(), bias=st.booleans())
def test_no_product_beats_the_best_product(seed, loss, ridge, bias):
    rng = np.random.default_rng(seed)
    n_in, n_out, N = (int(n) for n in rng.integers(1, 6, 3))
    ridge = ridge and loss == "squared" and not bias
    risk = Risk(
        Network((n_in, 7, n_out), activation="identity", bias=bias),
        Sample(rng.standard_normal((N, n_in)), rng.standard_normal((N, n_out)), rng.random(N)),
        loss=loss,
        kappa=0.1 if ridge else 0.0,
        penalty="ridge" if ridge else None,
    )
    best = best_product(risk)
    assert best.lower <= best.value
    assert best.gap <= 1e-8 * (best.value + float(np.abs(risk.sample.Y).sum()))
    for size in (1e-8, 1e-4, 1.0):
        assert value_of(risk, best.matrix + size * rng.standard_normal(best.matrix.shape)) >= best.lower


@instances(30)
@given(seed=seeds, depth=st.integers(2, 4))
def test_data_of_rank_one_but_for_rounding_are_descended_to_what_floats_can_reach(seed, depth):
    rng = np.random.default_rng(seed)
    risk = problem(rng, depth, spare=1)
    X = np.outer(rng.standard_normal(len(risk.sample)), rng.standard_normal(risk.sample.n_in))
    risk = Risk(risk.network, Sample(X, risk.sample.Y))
    path = descend(risk, rng.standard_normal(risk.network.size))
    values = risk.batch(path.points)
    scale = risk.sample.energy + values[0]
    assert (np.diff(values) <= 1e-9 * scale).all()
    assert values[-1] <= best_product(risk).value + 1e-8 * scale


@instances(30)
@given(seed=seeds, digits=st.floats(0, 5))
def test_saddles_are_left_strictly_whatever_the_condition_of_the_data(seed, digits):
    rng = np.random.default_rng(seed)
    risk = problem(rng, spare=1)
    n = risk.sample.n_in
    X = risk.sample.X @ np.linalg.qr(rng.standard_normal((n, n)))[0] * np.logspace(0, -digits, n)
    risk = Risk(risk.network, Sample(X, risk.sample.Y))
    path = descend(risk, start(rng, risk, "saddle"))
    assert all(pieces_fall(risk, path))
