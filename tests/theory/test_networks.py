"""Networks: the forward map, packing, symmetries, and that every bad argument is named."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as hst
from hypothesis.extra.numpy import arrays
from rounding_bounds import forward_error

from checks import strategies as st
from theory.networks import ACTIVATIONS, Network
from theory.numerics import validation as check

small_integers = hst.integers(-4, 4).map(float)


@hst.composite
def nets_and_parameters(draw, **options):
    net = draw(st.networks(**options))
    return net, draw(st.parameter_vectors(net))


def inputs_of(net, rows=5):
    return np.random.default_rng(7).standard_normal((rows, net.widths[0]))


def by_hand(net, theta, x):
    """Phi(x) with loops over units, from the definition."""
    place, h = 0, [float(value) for value in x]
    for k in range(1, net.depth + 1):
        seen = [*h, 1.0] if net.bias else h
        z = []
        for _ in range(net.widths[k]):
            z.append(sum(theta[place + j] * seen[j] for j in range(len(seen))))
            place += len(seen)
        h = [float(net.rho(k).value(np.array(value))) for value in z]
    assert place == len(theta)
    return h


@given(hst.data())
def test_the_forward_map_is_the_definition(data):
    """On integers every sum is exact, so that the two must agree to the last bit."""
    net = data.draw(st.networks(activations=["relu", "identity"], output_activations=["relu", "identity"]))
    theta = data.draw(arrays(float, net.size, elements=small_integers))
    X = data.draw(arrays(float, (3, net.widths[0]), elements=small_integers))
    assert net(theta, X).tolist() == [by_hand(net, theta, x) for x in X]


@given(nets_and_parameters())
def test_the_forward_map_is_the_definition_for_every_activation(pair):
    net, theta = pair
    X = inputs_of(net)
    difference = np.abs(net(theta, X) - [by_hand(net, theta, x) for x in X])
    assert (difference <= 2 * forward_error(net, theta, X)).all()


@given(nets_and_parameters())
def test_packing_undoes_unpacking(pair):
    net, theta = pair
    assert np.array_equal(net.pack(net.weights(theta)), theta)
    batch = np.stack([theta, -theta, 2 * theta]).reshape(3, 1, net.size)
    assert np.array_equal(net.pack(net.weights(batch)), batch)


@given(st.networks())
def test_weights_are_views_row_by_row_with_the_bias_last(net):
    theta = np.arange(net.size, dtype=float)
    W = net.weights(theta)
    assert [M.shape for M in W] == [(b, a + net.bias) for a, b in zip(net.widths, net.widths[1:])]
    assert np.array_equal(np.concatenate([M.ravel() for M in W]), theta)
    W[-1][-1, -1] = -5
    assert theta[-1] == -5


def test_packing_broadcasts_leading_axes():
    net = Network((2, 3, 1))
    theta = net.pack([np.ones((3, 2)), np.zeros((5, 1, 3))])
    assert theta.shape == (5, 9)
    assert (theta[:, :6] == 1).all()


@given(nets_and_parameters(min_depth=2), hst.data())
def test_permuting_hidden_units_leaves_the_function_unchanged(pair, data):
    net, theta = pair
    layer = data.draw(hst.integers(1, net.depth - 1))
    order = data.draw(hst.permutations(range(net.hidden[layer - 1])))
    X, moved = inputs_of(net), net.permute(theta, layer, order)
    bound = forward_error(net, theta, X) + forward_error(net, moved, X)
    assert (np.abs(net(moved, X) - net(theta, X)) <= bound).all()
    assert np.array_equal(net.permute(moved, layer, np.argsort(order)), theta)
    assert np.array_equal(np.sort(moved), np.sort(theta))


@given(nets_and_parameters(min_depth=2, activations=["relu", "identity"]), hst.data())
def test_rescaling_hidden_units_leaves_the_function_unchanged(pair, data):
    net, theta = pair
    layer = data.draw(hst.integers(1, net.depth - 1))
    width = net.hidden[layer - 1]
    factors = data.draw(arrays(float, width, elements=hst.floats(1e-3, 1e3)))
    if net.activation == "identity":
        factors = factors * data.draw(arrays(float, width, elements=hst.sampled_from([-1.0, 1.0])))
    X, moved = inputs_of(net), net.rescale(theta, layer, factors)
    bound = forward_error(net, theta, X) + forward_error(net, moved, X)  # both allow for weights rounded once
    assert (np.abs(net(moved, X) - net(theta, X)) <= bound).all()
    powers = 2.0 ** np.round(np.log2(np.abs(factors)))
    theta = np.where(np.abs(theta) < 1e-290, 0, theta)  # below, a power of two can round
    assert np.array_equal(net.rescale(net.rescale(theta, layer, powers), layer, 1 / powers), theta)


@given(nets_and_parameters(min_depth=2))
def test_features_are_what_the_next_layer_sees(pair):
    net, theta = pair
    X, W = inputs_of(net), net.weights(theta)
    assert np.array_equal(net.features(theta, X, 0)[:, : net.widths[0]], X)
    for layer in range(1, net.depth):
        h = net.features(theta, X, layer)
        assert h.shape == (5, net.widths[layer] + net.bias)
        if net.bias:
            assert (h[:, -1] == 1).all()
    again = net.rho(net.depth).value(h @ W[-1].T)  # biases are added in another order
    assert (np.abs(again - net(theta, X)) <= 2 * forward_error(net, theta, X)).all()


@given(nets_and_parameters())
def test_a_batch_of_parameters_is_a_loop_over_them(pair):
    net, theta = pair
    X, thetas = inputs_of(net), np.stack([[theta, -theta], [0 * theta, theta / 2]])
    out = net(thetas, X)
    assert out.shape == (2, 2, 5, net.widths[-1])
    for index in np.ndindex(2, 2):
        bound = 2 * forward_error(net, thetas[index], X)
        assert (np.abs(out[index] - net(thetas[index], X)) <= bound).all()


@given(hst.sampled_from(sorted(ACTIVATIONS)), hst.floats(-20, 20))
def test_slopes_and_curvatures_are_derivatives(name, z):
    rho, h = ACTIVATIONS[name], 1e-3
    assume(name != "relu" or abs(z) > h)
    value, slope, curvature = (
        np.vectorize(lambda t, f=f: f(np.array(t))) for f in (rho.value, rho.slope, rho.curvature)
    )
    # central differences: the third derivatives of these functions are below 3, rounding below 1e-12
    assert slope(z) == pytest.approx((value(z + h) - value(z - h)) / (2 * h), abs=h**2)
    assert curvature(z) == pytest.approx((slope(z + h) - slope(z - h)) / (2 * h), abs=4 * h**2)
    assert slope(z) == pytest.approx(value(z + 1e-30j).imag / 1e-30, abs=1e-14)


@given(hst.floats(1e-3, 1e3), hst.floats(-10, 10), hst.sampled_from(sorted(ACTIVATIONS)))
def test_homogeneity_is_declared_truly(c, z, name):
    rho = ACTIVATIONS[name]
    if rho.homogeneous:
        assert rho.value(np.array(c * z)) == c * rho.value(np.array(z))
    else:
        assert rho.value(np.array(2.0)) != 2 * rho.value(np.array(1.0))


def test_no_input_is_mutated():
    net = Network((2, 3, 2, 1), bias=True)
    theta, X = np.random.default_rng(0).standard_normal(net.size), np.ones((4, 2))
    W = [M.copy() for M in net.weights(theta)]
    factors = np.array([1.0, 2.0, 3.0])
    for array in (theta, X, factors, *W):
        array.flags.writeable = False  # writing would raise
    net(theta, X)
    net.features(theta, X, 1)
    net.permute(theta, 1, [2, 1, 0])
    net.rescale(theta, 1, factors)
    net.pack(W)


NET = Network((2, 3, 1))
THETA = np.zeros(9)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: Network((2,)), "widths"),
        (lambda: Network(5), "widths"),
        (lambda: Network("23"), "widths"),
        (lambda: Network((2, 0, 1)), r"widths\[1\]"),
        (lambda: Network((2, 1.5)), r"widths\[1\]"),
        (lambda: Network((True, 1)), r"widths\[0\]"),
        (lambda: Network((2, 1), activation="softmax"), "activation"),
        (lambda: Network((2, 1), output="softmax"), "output"),
        (lambda: Network((2, 1), bias="yes"), "bias"),
        (lambda: NET.weights(np.zeros(8)), "theta"),
        (lambda: NET.weights(0.0), "theta"),
        (lambda: NET(np.zeros(8), np.zeros((1, 2))), "theta"),
        (lambda: NET(np.full(9, np.nan), np.zeros((1, 2))), "theta"),
        (lambda: NET(THETA, np.zeros((1, 3))), "X"),
        (lambda: NET(THETA, np.zeros(2)), "X"),
        (lambda: NET(THETA, [[1.0, np.inf]]), "X"),
        (lambda: NET(THETA, [["a", "b"]]), "X"),
        (lambda: NET.pack([np.zeros((3, 2))]), "weights"),
        (lambda: NET.pack([np.zeros((3, 2)), np.zeros((3, 1))]), r"weights\[1\]"),
        (lambda: NET.pack([np.full((3, 2), np.nan), np.zeros((1, 3))]), r"weights\[0\]"),
        (lambda: NET.features(THETA, np.zeros((1, 2)), 2), "layer"),
        (lambda: NET.permute(THETA, 0, [0]), "layer"),
        (lambda: NET.permute(THETA, 2, [0]), "layer"),
        (lambda: NET.permute(THETA, 1, [0, 1, 1]), "order"),
        (lambda: NET.permute(THETA, 1, [0, 1]), "order"),
        (lambda: NET.permute(THETA, 1, [0, 1, 1.5]), "order"),
        (lambda: NET.rescale(THETA, 1, [1.0, 1.0]), "factors"),
        (lambda: NET.rescale(THETA, 1, [1.0, 1.0, -1.0]), "factors"),
        (lambda: NET.rescale(THETA, 1, [1.0, 1.0, 0.0]), "factors"),
        (lambda: NET.rescale(THETA, 1, [1.0, 1.0, np.nan]), "factors"),
        (lambda: Network((2, 3, 1), activation="identity").rescale(THETA, 1, [1.0, 0.0, 1.0]), "factors"),
        (lambda: Network((2, 3, 1), activation="tanh").rescale(THETA, 1, np.ones(3)), "rescale needs a homogeneous"),
        (lambda: Network((2, 1)).permute(np.zeros(2), 1, [0]), "layer"),
    ],
)
def test_a_bad_argument_is_named(call, name):
    with pytest.raises(ValueError, match=f"^{name}"):
        call()


@pytest.mark.parametrize(
    "value", [["1", "2"], ["a", 1.0], np.array(["2020-01-01"], dtype="M8[D]"), [10**400], [None], [np.nan], [1j]]
)
def test_what_is_not_a_finite_real_number_is_refused_by_name(value):
    with pytest.raises(ValueError, match="X must be"):
        check.finite_array(value, "X")


@pytest.mark.parametrize("value", ["0.1", True, 1j, 10**400, float("nan"), None, np.array([0.1])])
def test_a_number_is_neither_text_nor_a_truth_value_nor_beyond_floats(value):
    with pytest.raises(ValueError, match="kappa must be"):
        check.number(value, "kappa")


def test_a_bias_flag_of_any_spelling_gives_integer_shapes():
    for flag in (True, 1, 1.0, np.True_):
        net = Network((2, 3, 1), bias=flag)
        assert net.bias is True
        assert all(type(n) is int for shape in net.shapes for n in shape)
    with pytest.raises(ValueError, match="bias"):
        Network((2, 3, 1), bias=np.array([True, False]))


@pytest.mark.parametrize("order", [None, ["a", 1, 2], [np.nan, 1, 2], [1.5, 0, 1], [0, 1], [0, 1, 1], "abc"])
def test_an_order_that_is_no_permutation_is_refused_by_name(order):
    net = Network((2, 3, 1))
    with pytest.raises(ValueError, match="order must"):
        net.permute(np.zeros(net.size), 1, order)


def test_complex_parameters_give_the_derivative_of_outputs_and_features():
    net = Network((1, 1, 1), activation="identity")
    theta, X = np.array([2.0 + 1e-150j, 3.0]), np.array([[5.0]])
    for value, expected in ((net(theta, X), 30), (net.features(theta, X, 1), 10)):
        assert value[0, 0].real == expected
        assert value[0, 0].imag * 1e150 == pytest.approx(expected / 2, rel=1e-15)


def test_a_batch_is_rescaled_and_permuted_vector_by_vector():
    net = Network((2, 3, 2, 1), bias=True)
    thetas = np.random.default_rng(0).standard_normal((2, 4, net.size))
    rescaled, permuted = net.rescale(thetas, 2, [2.0, 0.5]), net.permute(thetas, 1, [2, 0, 1])
    assert rescaled.shape == permuted.shape == thetas.shape
    for k in np.ndindex(2, 4):
        assert np.array_equal(rescaled[k], net.rescale(thetas[k], 2, [2.0, 0.5]))
        assert np.array_equal(permuted[k], net.permute(thetas[k], 1, [2, 0, 1]))
