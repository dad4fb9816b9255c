"""Proposition 2.2, kappa = 0: connected level sets by moves, at any depth and rank; which inputs are refused and why."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nightly import instances

from theory.linear_paths import barrier, connect, descend
from theory.linear_paths.canonical import arrange, canonical, rounding_allowance
from theory.linear_paths.problem import transpose
from theory.maxima.segments import is_convex_along, path_maximum
from theory.moves import Walk
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)
KINDS = ("gaussian", "zero layer", "all zero", "repeated column", "rank one", "tiny and huge", "rows of all sizes")


def end(rng, net, kind):
    W = [rng.standard_normal(shape) for shape in net.shapes]
    j = int(rng.integers(net.depth))
    if kind == "zero layer":
        W[j][:] = 0
    elif kind == "all zero":
        W = [0 * A for A in W]
    elif kind == "repeated column":
        W[j][:, -1] = W[j][:, 0]
    elif kind == "rank one":
        W[j] = np.outer(W[j][:, 0], W[j][0])
    elif kind == "tiny and huge":
        W[j] *= 1e-7
        W[(j + 1) % net.depth] *= 1e7
    elif kind == "rows of all sizes":
        W[j] *= 10.0 ** rng.uniform(-7, 7, (len(W[j]), 1))
    return net.pack(W)


def problem(rng, *, bias=False, loss="squared", depth=None, rank_deficient=False):
    depth = depth or int(rng.integers(1, 6))
    n_in, n_out = (int(n) for n in rng.integers(1, 5, 2))
    least = (n_in if bias else min(n_in, n_out)) + 1
    hidden = (least + rng.integers(0, 3, depth - 1) * rng.integers(0, 2, depth - 1)).tolist()
    net = Network((n_in, *hidden, n_out), activation="identity", bias=bias)
    N = int(rng.integers(1, 8))
    X = rng.standard_normal((N, n_in))
    X = np.outer(X[:, 0], rng.standard_normal(n_in)) if rank_deficient else X
    return Risk(net, Sample(X, rng.standard_normal((N, n_out))), loss=loss)


@instances(120)
@given(
    seed=seeds,
    kinds=st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    loss=st.sampled_from(["squared", "absolute"]),
    bias=st.booleans(),
    rank_deficient=st.booleans(),
)
def test_any_two_points_are_joined_below_the_larger_end(seed, kinds, loss, bias, rank_deficient):
    rng = np.random.default_rng(seed)
    risk = problem(rng, bias=bias, loss=loss, rank_deficient=rank_deficient)
    a, b = (end(rng, risk.network, kind) for kind in kinds)
    before = a.copy(), b.copy()
    path = connect(risk, a, b)
    assert np.array_equal(path.points[0], a)
    assert np.array_equal(path.points[-1], b)
    assert np.array_equal(a, before[0])
    assert np.array_equal(b, before[1])
    assert all(is_convex_along(risk, p, q) for p, q in pairwise(path.points))
    level = max(path_maximum(risk, Path(x[None])).upper for x in (a, b))
    assert path_maximum(risk, path).upper <= level + rounding_allowance(risk, path)


@instances(60)
@given(seed=seeds, bits=st.integers(-40, 40), digits=st.integers(24, 40), loss=st.sampled_from(["squared", "absolute"]))
def test_what_rounding_may_have_moved_is_allowed_for_and_what_it_cannot_have_moved_is_not(seed, bits, digits, loss):
    """W_K times 1 + 2^-digits on a piece that should keep the function; 2^-30 of both ends' size divides the two."""
    rng = np.random.default_rng(seed)
    net = Network((1, 3, 1), activation="identity")
    W1, W2 = rng.uniform(0.5, 1, (3, 1)), rng.uniform(0.5, 1, (1, 3))
    a, b = (net.pack([np.ldexp(W1, bits), np.ldexp(W2 * (1 + e), -bits // 2)]) for e in (0.0, 2.0**-digits))
    f = net(a, [[1.0]])
    risk = Risk(net, Sample([[1.0]], -f), loss=loss)
    for label in ("free", "place", "transfer"):
        allowed = rounding_allowance(risk, Path(np.stack([a, b]), (label,)))
        moved = abs(risk(b) - risk(a))
        if digits >= 30:
            assert allowed >= moved
        elif digits <= 28:
            assert allowed < 1e-3 * moved
    assert rounding_allowance(risk, Path(np.stack([a, b]), ("straight",))) < 1e-12 * risk(a)


@instances(25)
@given(seed=seeds, loss=st.sampled_from(["squared", "absolute"]))
def test_the_allowance_covers_what_the_certificate_adds_to_a_vertex_at_any_width(seed, loss):
    rng = np.random.default_rng(seed)
    widths = tuple(int(v) for v in rng.choice([1, 2, 5, 40], int(rng.integers(2, 5))))
    net, N = Network(widths, activation="identity"), int(rng.integers(1, 4))
    risk = Risk(net, Sample(rng.standard_normal((N, widths[0])), rng.standard_normal((N, widths[-1]))), loss=loss)
    theta = rng.standard_normal(net.size)
    outputs = np.array([[Fraction(v) for v in row] for row in risk.sample.X.T.tolist()])
    for W in net.weights(theta):
        outputs = np.array([[Fraction(v) for v in row] for row in W.tolist()]) @ outputs
    off = outputs.T - np.array([[Fraction(v) for v in row] for row in risk.sample.Y.tolist()])
    each = (off**2 if loss == "squared" else abs(off)).sum(axis=1)
    exact = sum(Fraction(w) * v for w, v in zip(risk.sample.weights.tolist(), each))
    point = Path(theta[None])
    assert 0 <= Fraction(path_maximum(risk, point).upper) - exact <= Fraction(rounding_allowance(risk, point))


@instances(60)
@given(seed=seeds, kind=st.sampled_from(KINDS[:6]))
def test_the_product_stays_to_rounding_on_the_way_to_the_canonical_form(seed, kind):
    rng = np.random.default_rng(seed)
    net = problem(rng, depth=int(rng.integers(2, 6))).network
    path = canonical(net, end(rng, net, kind))
    products = np.stack([np.linalg.multi_dot(net.weights(p)[::-1]) for p in path.points])
    sizes = np.stack([np.linalg.multi_dot([np.abs(W) for W in net.weights(p)[::-1]]) for p in path.points])
    drift = np.abs(products - products[0]).max(axis=(1, 2))
    assert (drift <= 1e-13 * np.maximum.accumulate(sizes.max(axis=(1, 2)))).all()


@instances(40)
@given(seed=seeds, kind=st.sampled_from(KINDS), bias=st.booleans())
def test_the_canonical_form_is_the_identity_padded_with_zeros(seed, kind, bias):
    rng = np.random.default_rng(seed)
    net = problem(rng, bias=bias).network
    W = [A.copy() for A in net.weights(canonical(net, end(rng, net, kind)).points[-1])]
    if net.widths[0] > net.widths[-1] and not bias:
        W = [A.T for A in reversed(W)]
    for A in W[:-1]:
        assert np.array_equal(A, np.eye(*A.shape) * (np.arange(len(A)) < W[0].shape[1] - bias)[:, None])
    if len(W) > 1:
        assert not W[-1][:, W[0].shape[1] - bias : W[-1].shape[1] - bias].any()


def test_transposing_twice_changes_nothing():
    net = Network((3, 4, 5, 2), activation="identity")
    theta = np.arange(float(net.size))
    flipped, order = transpose(net)
    back, again = transpose(flipped)
    assert np.array_equal(theta[order][again], theta)
    assert back.widths == net.widths
    M = np.linalg.multi_dot(net.weights(theta)[::-1])
    assert np.array_equal(np.linalg.multi_dot(flipped.weights(theta[order])[::-1]), M.T)


def test_equal_ends_give_a_path_without_pieces():
    net = Network((2, 3, 2), activation="identity")
    risk = Risk(net, Sample(np.eye(2), np.eye(2)))
    theta = np.ones(net.size)
    path = connect(risk, theta, theta)
    assert len(path) == 0
    assert path.length == 0
    assert np.array_equal(path.points[0], theta)


def test_one_layer_is_joined_straight_with_any_penalty_on_it():
    risk = Risk(Network((2, 2), activation="identity"), Sample(np.eye(2), np.eye(2)), kappa=0.1, penalty="ridge")
    assert len(connect(risk, np.zeros(4), np.ones(4))) == 1


@example(hidden=(1, 2), layer=1)
@example(hidden=(2, 1), layer=2)
@given(hidden=st.tuples(st.integers(1, 2), st.integers(1, 2)).filter(lambda h: min(h) == 1), layer=st.none())
def test_a_narrow_layer_is_named_with_the_width_it_needs(hidden, layer):
    net = Network((1, *hidden, 3), activation="identity")
    risk = Risk(net, Sample(np.ones((1, 1)), np.ones((1, 3))))
    rng = np.random.default_rng(0)
    layer = layer or (1 if hidden[0] == 1 else 2)
    with pytest.raises(ValueError, match=rf"hidden layer {layer} has width 1 and needs at least .* = 2"):
        connect(risk, *rng.standard_normal((2, net.size)))


@pytest.mark.parametrize("kappa", [0.0, 0.1])
@pytest.mark.parametrize("widths", [(3, 2, 3), (3, 1, 4), (4, 2, 3)])
def test_two_layers_too_narrow_are_told_the_width_with_and_without_ridge(widths, kappa):
    risk = linear(widths, kappa=kappa, penalty="ridge" if kappa else None)
    with pytest.raises(ValueError, match=rf"hidden layer 1 has width {widths[1]} and needs at least .* = 4"):
        connect(risk, np.zeros(risk.network.size), np.ones(risk.network.size))


@pytest.mark.parametrize("bits", [-30, 0, 30])
def test_a_refused_kappa_is_shown_as_it_was_given_in_any_units(bits):
    net = Network((2, 3, 3, 2), activation="identity")
    risk = Risk(net, Sample(np.ldexp(np.eye(2), bits), np.ldexp(np.eye(2), -bits)), kappa=0.125, penalty="ridge")
    for call in (connect, lambda risk, a, b: descend(risk, a)):
        with pytest.raises(ValueError, match=r"kappa must be 0 for 3 matrices; got 0\.125\b"):
            call(risk, np.zeros(net.size), np.ones(net.size))


def test_a_biased_net_between_the_two_widths_is_told_what_would_help():
    net = Network((4, 3, 2), activation="identity", bias=True)
    risk = Risk(net, Sample(np.eye(4), np.ones((4, 2))))
    with pytest.raises(ValueError, match="column of ones"):
        connect(risk, np.zeros(net.size), np.ones(net.size))


def linear(widths=(2, 3, 2), **options):
    net = Network(widths, activation="identity")
    return Risk(net, Sample(np.eye(widths[0]), np.ones((widths[0], widths[-1]))), **options)


@pytest.mark.parametrize(
    ("risk", "message"),
    [
        (Risk(Network((2, 3, 2)), Sample(np.eye(2), np.eye(2))), "linear network"),
        (Risk(Network((2, 3, 2), "identity", "tanh"), Sample(np.eye(2), np.eye(2))), "linear network"),
        (linear(kappa=0.1, penalty="second_layer_l1"), "penalty must be 'ridge'"),
        (linear((2, 3, 3, 2), kappa=0.1, penalty="ridge"), "kappa must be 0 for 3 matrices"),
        (linear((2, 1, 3, 2), kappa=0.1, penalty="ridge"), "kappa must be 0 for 3 matrices"),
        ("no risk", "risk must be a Risk"),
    ],
)
@pytest.mark.parametrize("call", [connect, lambda risk, a, b: descend(risk, a)])
def test_what_is_not_proved_is_refused(risk, message, call):
    size = risk.network.size if isinstance(risk, Risk) else 3
    with pytest.raises(ValueError, match=message):
        call(risk, np.zeros(size), np.ones(size))


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.zeros(5), np.zeros(12), "theta_a"),
        (np.zeros(12), np.zeros((2, 12)), "theta_b must have shape"),
        (np.zeros(12), np.full(12, np.nan), "theta_b must be finite"),
        (np.full(12, np.inf), np.zeros(12), "theta_a must be finite"),
    ],
)
def test_bad_ends_are_named(a, b, message):
    with pytest.raises(ValueError, match=message):
        connect(linear(), a, b)


def test_rise_must_be_positive():
    with pytest.raises(ValueError, match="rise"):
        connect(linear(kappa=1.0, penalty="ridge"), np.zeros(12), np.ones(12), rise=0.0)


def test_arrange_refuses_features_that_do_not_fit_the_basis():
    net = Network((2, 3, 1), activation="identity")
    walk = Walk(net, np.random.default_rng(0).standard_normal(net.size))
    with pytest.raises(ArithmeticError, match="exceed"):
        arrange(walk, 1, np.eye(1, 2))


def test_overflowing_weights_are_refused_rather_than_turned_into_nan():
    with pytest.raises(ValueError, match="overflow"):
        connect(linear((2, 3, 3, 2)), np.full(21, 1e160), np.zeros(21))


def test_barrier_wants_critical_width():
    with pytest.raises(ValueError, match="width min"):
        barrier(linear())
