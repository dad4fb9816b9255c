"""Biases absorbed and put back: the same function, an exact inverse, and no counterpart where the constant moves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks import strategies
from theory import relu_paths
from theory.maxima import path_maximum
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample

BIASED = strategies.networks(activations=("relu", "identity"), biases=(True,), max_depth=4)


@given(st.data(), BIASED)
def test_the_network_without_biases_computes_the_same_function(data, network):
    theta = data.draw(strategies.parameter_vectors(network))
    X = data.draw(strategies.samples(network.widths[0])).X
    plain, absorbed = network.without_biases(theta)
    assert not plain.bias
    ones = np.column_stack([X, np.ones(len(X))])
    size = 1 + np.abs(ones).max() * np.prod([1 + np.abs(W).sum() for W in network.weights(theta)])
    np.testing.assert_allclose(plain(absorbed, ones), network(theta, X), rtol=0, atol=1e-13 * size)


@given(st.data(), BIASED)
def test_what_is_put_back_is_what_was_absorbed_bit_for_bit(data, network):
    thetas = np.stack([data.draw(strategies.parameter_vectors(network)) for _ in range(3)])
    plain, absorbed = network.without_biases(thetas)
    again, back = plain.with_biases(absorbed)
    assert again == network
    assert np.array_equal(back, thetas)
    assert np.array_equal(network.without_biases(thetas[0])[1], absorbed[0])


@given(st.data(), BIASED)
def test_a_moved_constant_stands_for_no_net_with_biases(data, network):
    """The planted fault: one entry of one constant's row, at one vertex."""
    plain, thetas = network.without_biases(np.zeros((3, network.size)))
    if network.depth == 1:
        assert plain.with_biases(thetas + 1.0)[0] == network  # there is no constant to keep
        return
    layer = data.draw(st.integers(0, network.depth - 2))
    vertex = data.draw(st.integers(0, 2))
    column = data.draw(st.integers(0, plain.shapes[layer][1] - 1))
    plain.weights(thetas)[layer][vertex, -1, column] += data.draw(st.sampled_from([1.0, -1.0, 1e-9]))
    with pytest.raises(ValueError, match=f"last unit of hidden layer {layer + 1}, .* at vertex {vertex}"):
        plain.with_biases(thetas)


def test_a_path_found_without_biases_is_certified_with_them():
    rng = np.random.default_rng(0)
    net = Network((2, 4, 1), bias=True)
    F = Risk(net, Sample(rng.normal(size=(30, 2)), rng.normal(size=30)))
    a = net.pack([rng.normal(size=(4, 3)) * [[1], [1], [1], [0]], rng.normal(size=(1, 5)) * [[1, 1, 1, 0, 1]]])
    b = net.permute(a, 1, [1, 2, 0, 3])
    G, plain_a = F.without_biases(a)
    plain_b = net.without_biases(b)[1]
    assert G(plain_a) == pytest.approx(F(a), rel=1e-14)
    path = relu_paths.connect(G, plain_a, plain_b, route="permutation")
    back = Path(G.network.with_biases(path.points)[1], path.labels)
    assert np.array_equal(back.points[0], a)
    assert np.array_equal(back.points[-1], b)
    assert path_maximum(F, back).upper == pytest.approx(F(a), rel=1e-12)


def test_weights_of_the_sample_are_kept():
    net = Network((1, 1, 1), bias=True)
    F = Risk(net, Sample([[1.0], [2.0]], [1.0, 5.0], weights=[3, 1]))
    G, theta = F.without_biases([1.0, 2.0, 3.0, 4.0])
    assert G(theta) == F([1.0, 2.0, 3.0, 4.0])
    assert G.sample.weights.tolist() == [0.75, 0.25]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Network((1, 2, 1)).without_biases(np.zeros(4)), "must have bias=True"),
        (
            lambda: Network((1, 2, 1), "tanh", bias=True).without_biases(np.zeros(7)),
            "absorbed by relu and identity units",
        ),
        (lambda: Network((1, 2, 1), bias=True).without_biases(np.zeros(3)), r"theta must have shape \(\.\.\., 7\)"),
        (lambda: Network((1, 2, 1), bias=True).with_biases(np.zeros(7)), "must have bias=False"),
        (lambda: Network((2, 1, 1)).with_biases(np.zeros(3)), "a place for the constant, widths >= 2"),
        (lambda: Network((2, 2, 1), "sigmoid").with_biases(np.zeros(6)), "absorbed by relu and identity units"),
        (
            lambda: Network((2, 2, 1)).with_biases(np.zeros(6)),
            r"theta must keep the last unit of hidden layer 1, row \(0, \.\.\., 0, 1\).*; it is another unit,",
        ),
    ],
)
def test_what_has_no_biases_to_move_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_penalty_is_not_charged_for_biases():
    net = Network((1, 1, 1), bias=True)
    F = Risk(net, Sample([[1.0]], [1.0]), kappa=0.1, penalty="ridge")
    with pytest.raises(ValueError, match=r"must have kappa = 0 to absorb biases; got 0\.1 ridge"):
        F.without_biases(np.zeros(4))


def test_smooth_units_are_no_hindrance_without_hidden_layers():
    net = Network((2, 1), "tanh", bias=True)
    assert net.without_biases([1.0, 2.0, 3.0])[0] == Network((3, 1), "tanh")
