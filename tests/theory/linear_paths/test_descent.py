"""Falling paths to the lowest level, from anywhere; and the convex problems in the product that they end at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.linear_paths.descent import descend
from theory.linear_paths.falls import coefficients, falling
from theory.linear_paths.products import best_product, value_of
from theory.networks import Network
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
