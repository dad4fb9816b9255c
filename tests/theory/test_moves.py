"""Moves around an idle unit: the function on the sample stays, one matrix moves, hypotheses are named when they fail."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.moves import Walk
from theory.networks import Network
from theory.numerics import EPS

seeds = st.integers(0, 2**32 - 1)
KINDS = ("plain", "zero layer", "repeated unit", "dead units", "tiny and huge")


def instance(seed, kind, activation="relu", *, depth=None, bias=False, spare=1):
    """A net whose last hidden layer is wider than the sample, with the degeneracy asked for."""
    rng = np.random.default_rng(seed)
    depth = depth or int(rng.integers(2, 5))
    n_in, N = int(rng.integers(1, 4)), int(rng.integers(1, 6))
    dimension = n_in if activation == "identity" else N
    hidden = [dimension + spare + int(rng.integers(0, 3)) for _ in range(depth - 1)]
    net = Network((n_in, *hidden, int(rng.integers(1, 4))), activation=activation, bias=bias)
    W = [rng.standard_normal(shape) for shape in net.shapes]
    j = int(rng.integers(0, depth))
    if kind == "zero layer":
        W[j][:] = 0
    elif kind == "repeated unit":
        W[0][-1] = W[0][0]
    elif kind == "dead units":
        W[0][:2] = 0
    elif kind == "tiny and huge":
        W[j] *= 1e-7
        W[(j + 1) % depth] *= 1e7
    return net, net.pack(W), rng.standard_normal((N, n_in)), rng


def change(net, theta_0, theta_1, X, layer):
    """|change of V Z| over sum |V| |Z|: in units of rounding."""
    Z = Walk(net, theta_0, X).features(layer)
    V, U = net.weights(theta_0)[layer], net.weights(theta_1)[layer]
    scale = np.maximum(np.abs(V), np.abs(U)) @ np.abs(Z)
    return float(np.max(np.abs(V @ Z - U @ Z) / np.where(scale > 0, scale.max(), 1.0), initial=0.0))


def only_moved(net, p, q):
    """Which matrices differ between two parameter vectors."""
    return [k for k, s in enumerate(net.slices, start=1) if not np.array_equal(p[s], q[s])]


@instances(60)
@given(
    seed=seeds,
    kind=st.sampled_from(KINDS),
    activation=st.sampled_from(["relu", "identity", "tanh"]),
    bias=st.booleans(),
)
def test_freeing_a_unit_keeps_what_the_next_layer_sees(seed, kind, activation, bias):
    net, theta, X, rng = instance(seed, kind, activation, bias=bias)
    layer = int(rng.integers(1, net.depth))
    walk = Walk(net, theta, X)
    k = walk.free(layer)
    assert k in walk.idle(layer)
    assert only_moved(net, theta, walk.theta) in ([], [layer + 1])
    assert change(net, theta, walk.theta, X, layer) <= 200 * net.widths[layer] * EPS


@instances(40)
@given(seed=seeds, kind=st.sampled_from(KINDS), bias=st.booleans())
def test_freeing_many_units_in_one_piece_keeps_what_the_next_layer_sees(seed, kind, bias):
    net, theta, X, rng = instance(seed, kind, "identity", bias=bias, spare=3)
    layer = int(rng.integers(1, net.depth))
    walk = Walk(net, theta)
    freed = walk.free_many(layer)
    assert len(freed) >= net.widths[layer] - net.widths[0]
    assert set(freed) <= set(walk.idle(layer))
    assert len(walk.path) <= 1
    assert change(net, theta, walk.theta, X, layer) <= 200 * net.widths[layer] * EPS


@instances(40)
@given(seed=seeds, activation=st.sampled_from(["relu", "identity", "tanh"]), bias=st.booleans())
def test_one_idle_unit_reaches_every_permutation_at_constant_function(seed, activation, bias):
    net, theta, X, rng = instance(seed, "plain", activation, depth=2, bias=bias)
    walk = Walk(net, theta, X)
    walk.free(1)
    start, order = walk.theta, rng.permutation(net.widths[1])
    walk.permute(1, order)
    assert np.array_equal(walk.theta, net.permute(start, 1, order))
    outputs = net(walk.path.points, X)
    np.testing.assert_allclose(
        outputs, np.broadcast_to(outputs[0], outputs.shape), atol=1e-9 * (1 + walk.largest_weight)
    )
    assert all(len(only_moved(net, p, q)) == 1 for p, q in zip(walk.path.points, walk.path.points[1:]))
    assert walk.largest_weight == np.abs(walk.path.points).max()


@instances(30)
@given(seed=seeds, bias=st.booleans(), factor=st.floats(0.01, 100))
def test_transfer_between_positively_parallel_rows_scales_the_weights(seed, bias, factor):
    net, theta, X, _ = instance(seed, "plain", "relu", depth=2, bias=bias)
    W = net.weights(theta.copy())
    W[0][1] = factor * W[0][0]
    theta = net.pack(W)
    walk = Walk(net, theta, X)
    walk.transfer(1, 1, 0)
    assert 1 in walk.idle(1)
    np.testing.assert_allclose(net(walk.theta, X), net(theta, X), rtol=1e-10, atol=1e-10)


def test_a_linear_net_absorbs_signs_and_bias_offsets_in_a_transfer():
    net = Network((2, 3, 1), activation="identity", bias=True)
    rng = np.random.default_rng(1)
    W = [rng.standard_normal(shape) for shape in net.shapes]
    W[0][1] = -2 * W[0][0]
    W[0][1, -1] = 7.0
    walk = Walk(net, net.pack(W))
    X = rng.standard_normal((5, 2))
    walk.transfer(1, 1, 0)
    np.testing.assert_allclose(net(walk.theta, X), net(net.pack(W), X), rtol=1e-12, atol=1e-12)


def test_freeing_a_named_unit_leaves_other_idle_units_idle():
    net, theta, X, _ = instance(3, "plain", "relu", depth=2, spare=3)
    walk = Walk(net, theta, X)
    first = walk.free(1)
    second = walk.free(1, among=[k for k in range(net.widths[1]) if k != first])
    assert {first, second} <= set(walk.idle(1))


def test_the_output_bias_counts_as_one_more_feature():
    X = np.eye(3)[:, :2]
    rng = np.random.default_rng(0)
    plain = Network((2, 3, 3))
    W = [np.array([[1.0, 0.2], [0.1, 1.0], [1.0, 1.0]]), rng.standard_normal((3, 3))]
    with pytest.raises(ValueError, match="linearly independent"):
        Walk(plain, plain.pack(W), np.array([[1.0, 0], [0, 1], [-1, 2]])).free(1)
    biased = Network((2, 3, 3), bias=True)
    theta = biased.pack([np.hstack([W[0], np.zeros((3, 1))]), np.hstack([W[1], np.ones((3, 1))])])
    Walk(biased, theta, X).free(1)


def test_refit_moves_one_matrix_and_still_pieces_are_kept_on_request():
    net = Network((2, 3, 1))
    theta = np.arange(9.0)
    walk = Walk(net, theta, np.eye(2), keep_still=True)
    walk.refit(1, np.ones((1, 3)))
    walk.refit(1, np.ones((1, 3)), "nothing")
    assert walk.path.labels == ("refit W_2", "nothing")
    still = Walk(net, theta, np.eye(2))
    still.refit(1, net.weights(theta)[1])
    assert len(still.path) == 0


def test_the_rank_counts_used_features_and_the_constant():
    X = np.array([[1.0, 0], [0, 1], [-1, 2]])
    net = Network((2, 4, 1))
    walk = Walk(net, net.pack([np.array([[1.0, 0], [0, 1], [2, 0], [0, 0]]), np.ones((1, 4))]), X)
    assert walk.rank(1) == 2
    assert walk.rank(1, [0, 2]) == 1
    assert walk.rank(1, [0, 1]) == 2
    assert walk.rank(1, [3]) == 0
    biased = Network((2, 2, 1), bias=True)
    assert Walk(biased, biased.pack([np.eye(2, 3), np.ones((1, 3))]), X).rank(1, [0]) == 2


def test_a_linear_walk_may_keep_the_function_on_the_sample_alone():
    net, X = Network((3, 2, 1), "identity"), np.array([[1.0, 0, 0]])
    theta = net.pack([np.array([[1.0, 0, 1], [1, 1, 0]]), np.ones((1, 2))])
    with pytest.raises(ValueError, match="linearly independent"):
        Walk(net, theta, X).free(1)
    walk = Walk(net, theta, X, on_sample=True)
    walk.free(1)
    np.testing.assert_allclose(net(walk.theta, X), net(theta, X), rtol=1e-14)
    with pytest.raises(ValueError, match="X must be given"):
        Walk(net, theta, on_sample=True)


def test_nearly_dependent_features_count_as_dependent_up_to_the_tolerance():
    net, X = Network((2, 2, 1)), np.eye(2)
    theta = net.pack([np.array([[1.0, 1.0], [1.0, 1.0 + 1e-9]]), np.ones((1, 2))])
    with pytest.raises(ValueError, match="linearly independent"):
        Walk(net, theta, X).free(1)
    walk = Walk(net, theta, X, tolerance=1e-8)
    walk.free(1)
    assert 0 < np.abs(net(walk.theta, X) - net(theta, X)).max() <= 1e-8


def test_inputs_are_not_mutated():
    net, theta, X, _ = instance(5, "plain", "relu", depth=2)
    before = theta.copy(), X.copy()
    walk = Walk(net, theta, X)
    walk.free(1)
    assert np.array_equal(theta, before[0])
    assert np.array_equal(X, before[1])


@pytest.mark.parametrize(
    ("move", "message"),
    [
        (lambda w: w.place(1, 0, np.zeros(2)), "must be idle"),
        (lambda w: w.permute(1, [1, 0, 2]), "needs an idle unit"),
        (lambda w: w.transfer(1, 0, 1), "positively parallel"),
        (lambda w: w.transfer(1, 0, 0), "different units"),
        (lambda w: w.free(1), "linearly independent"),
        (lambda w: w.free(2), "hidden layer"),
        (lambda w: w.free(1, unit=9), "unit must name"),
        (lambda w: w.free(1, unit=0, among=[1]), "not both"),
        (lambda w: w.refit(0, np.ones((3, 2))), "affine in W_1"),
        (lambda w: w.refit(1, np.ones((3, 2))), "shape of W_2|that of W_2"),
        (lambda w: w.refit(1, np.full((1, 3), np.nan)), "finite"),
    ],
)
def test_a_failing_hypothesis_is_named(move, message):
    net = Network((2, 3, 1))
    theta = net.pack([np.array([[1.0, 0], [0, 1], [1, 1]]), np.ones((1, 3))])
    walk = Walk(net, theta, np.array([[1.0, 0], [0, 1], [-1, 2]]))
    with pytest.raises(ValueError, match=message):
        move(walk)


def test_opposite_rows_are_not_parallel_for_relu():
    net = Network((1, 2, 1))
    with pytest.raises(ValueError, match="positively parallel"):
        Walk(net, np.array([1.0, -1.0, 1.0, 1.0]), np.ones((1, 1))).transfer(1, 1, 0)


def test_a_nonlinear_walk_needs_sample_points():
    with pytest.raises(ValueError, match="X must be given"):
        Walk(Network((1, 2, 1)), np.ones(4))


@pytest.mark.parametrize("size", [1e-200, 1e-300, 1.0, 1e200])
def test_features_of_any_size_are_dependent_or_not_as_they_are_at_size_one(size):
    """Squares of 1e-200 underflow; units that small are not dead, and independent ones cannot be freed."""
    net, X = Network((2, 2, 1)), np.eye(2)
    independent, parallel = (net.pack([size * np.array(W), [[1.0, 1.0]]]) for W in ([[1, 2], [3, 1]], [[1, 2], [2, 4]]))
    with pytest.raises(ValueError, match="independent"):
        Walk(net, independent, X).free(1)
    walk = Walk(net, parallel, X)
    walk.free(1)
    np.testing.assert_allclose(net(walk.theta, X), net(parallel, X), rtol=1e-14)
