"""Samples and risks: definition, symmetries, gradients, batches, and that every bad argument is named."""

import importlib.util
import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as hst
from rounding_bounds import risk_error

from checks import strategies as st
from theory import networks
from theory.maxima.segments import path_maximum, segment_maximum
from theory.networks import Network
from theory.numerics.rounding import gamma
from theory.paths import Path
from theory.risk import LOSSES, PENALTIES, Risk, Sample

SMOOTH = ["identity", "tanh", "sigmoid"]


@hst.composite
def risks_and_parameters(draw, nets=None, kinds=st.PARAMETER_KINDS, samples=st.SAMPLE_KINDS, **options):
    risk = draw(st.risks(nets, kinds=samples, **options))
    return risk, draw(st.parameter_vectors(risk.network, kinds=kinds))


def by_hand(risk, theta):
    """F(theta) with a loop over samples, from eq. (1)."""
    total = 0.0
    for x, y, weight in zip(risk.sample.X, risk.sample.Y, risk.sample.weights):
        r = risk.network(theta, x[None])[0] - y
        total += weight * (float(r @ r) if risk.loss == "squared" else float(np.abs(r).sum()))
    W = risk.network.weights(theta)
    sizes = {None: 0.0, "ridge": float(theta @ theta), "second_layer_l1": float(np.abs(W[-1]).sum())}
    return total + risk.kappa * sizes[risk.penalty]


@given(risks_and_parameters())
def test_the_risk_is_its_definition(pair):
    risk, theta = pair
    assert abs(risk(theta) - by_hand(risk, theta)) <= 2 * risk_error(risk, theta)


@given(risks_and_parameters(st.networks(min_depth=2)), hst.data())
def test_permuting_hidden_units_leaves_the_risk_unchanged(pair, data):
    risk, theta = pair
    layer = data.draw(hst.integers(1, risk.network.depth - 1))
    moved = risk.network.permute(theta, layer, data.draw(hst.permutations(range(risk.network.hidden[layer - 1]))))
    assert abs(risk(moved) - risk(theta)) <= risk_error(risk, moved) + risk_error(risk, theta)


@given(risks_and_parameters(st.networks(min_depth=2, activations=["relu", "identity"]), penalties=[None]), hst.data())
def test_rescaling_hidden_units_leaves_the_risk_unchanged(pair, data):
    risk, theta = pair
    layer = data.draw(hst.integers(1, risk.network.depth - 1))
    width = risk.network.hidden[layer - 1]
    factors = data.draw(hst.lists(hst.floats(1e-3, 1e3), min_size=width, max_size=width))
    moved = risk.network.rescale(theta, layer, factors)
    assert abs(risk(moved) - risk(theta)) <= risk_error(risk, moved) + risk_error(risk, theta)


@given(risks_and_parameters(st.networks(min_depth=2, activations=["relu"]), kinds=["dead_unit"]))
def test_outgoing_weights_of_units_that_are_dead_on_the_sample_do_not_matter(pair):
    risk, theta = pair
    assume(risk.penalty is None)
    moved = theta.copy()
    for layer in range(1, risk.network.depth):
        h = risk.network.features(theta, risk.sample.X, layer)
        dead = (h == 0).all(axis=0)
        risk.network.weights(moved)[layer][:, dead] += 1.0
    assert abs(risk(moved) - risk(theta)) <= risk_error(risk, moved) + risk_error(risk, theta)


@given(risks_and_parameters())
def test_a_batch_is_a_loop(pair):
    risk, theta = pair
    thetas = np.stack([[theta, -theta, 0 * theta], [theta / 2, 2 * theta, theta]])
    values, gradients = risk.batch(thetas), risk.gradient(thetas)
    assert values.shape == (2, 3)
    assert gradients.shape == thetas.shape
    for index in np.ndindex(2, 3):
        assert abs(values[index] - risk(thetas[index])) <= 2 * risk_error(risk, thetas[index])
        alone = risk.gradient(thetas[index])
        assert np.abs(gradients[index] - alone).max() <= 1e-12 * np.abs(alone).max()


def test_batches_larger_than_a_slab_and_empty_ones(monkeypatch):
    rng = np.random.default_rng(0)
    risk = Risk(Network((2, 3, 1)), Sample(rng.standard_normal((5, 2)), rng.standard_normal((5, 1))))
    thetas = rng.standard_normal((7, 9))
    values, gradients = risk.batch(thetas), risk.gradient(thetas)
    monkeypatch.setattr("theory.risk.BLOCK", 30)  # two parameter vectors at a time
    assert np.allclose(risk.batch(thetas), values, rtol=1e-14, atol=0)
    assert np.allclose(risk.gradient(thetas), gradients, rtol=1e-13, atol=1e-15)
    assert risk.batch(np.zeros((0, 9))).shape == (0,)
    assert risk.gradient(np.zeros((2, 0, 9))).shape == (2, 0, 9)


@given(
    risks_and_parameters(),
    hst.integers(1, 40),
    hst.integers(1, 4),
    hst.integers(1, 4),
    hst.sampled_from([0, networks.SINGLE]),
)
def test_blocks_of_samples_and_units_change_nothing_but_the_rounding(pair, block, rows, units, single):
    risk, theta = pair
    thetas = np.stack([theta, -theta])
    value, gradients, outputs = risk.batch(thetas), risk.gradient(thetas), risk.network(thetas, risk.sample.X)
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("BLOCK", block), ("ROWS", rows), ("UNITS", units), ("SINGLE", single)):
            patch.setattr(networks, name, size)
        patch.setattr("theory.risk.BLOCK", block)
        assert np.allclose(risk.network(thetas, risk.sample.X), outputs, rtol=1e-12, atol=1e-13 * np.abs(outputs).max())
        for k, point in enumerate(thetas):
            assert abs(risk(point) - value[k]) <= 2 * risk_error(risk, point)
            assert np.abs(risk.gradient(point) - gradients[k]).max() <= 1e-11 * np.abs(gradients[k]).max()


@given(
    risks_and_parameters(
        st.networks(max_width=3, activations=["relu", "identity"], output_activations=["relu", "identity"]),
        losses=["squared"],
        penalties=[None, "ridge"],
        samples=["generic", "repeated_atoms", "rank_deficient", "single_atom"],
    )
)
def test_the_gradient_of_a_piecewise_polynomial_risk_is_its_complex_step(pair):
    """F(theta + i h e).imag / h is the derivative without cancellation; relu needs no pre-activation at its kink."""
    risk, theta = pair
    assume(away_from_kinks(risk, theta))
    # Every partial derivative is a sum of products of weights, data and residuals; `majorant` is the sum of their
    # absolute values (slopes are 0 or 1), and each product goes through at most `roundings` roundings.
    net, sample = risk.network, risk.sample
    linear = Network(net.widths, activation="identity", bias=net.bias)
    absolute = Sample(np.abs(sample.X), -np.abs(sample.Y), sample.weights)
    majorant = Risk(linear, absolute, kappa=risk.kappa, penalty=risk.penalty).gradient(np.abs(theta))
    roundings = 3 * (sum(net.widths) + net.depth) + len(sample) + 10
    difference = np.abs(risk.gradient(theta) - complex_step(risk, theta))
    underflow = 1e-140  # products with the step 1e-150 are lost below 1e-308
    assert (difference <= 4 * gamma(roundings) * majorant + underflow).all()


@given(
    risks_and_parameters(
        st.networks(max_width=3, activations=SMOOTH, output_activations=SMOOTH),
        losses=["squared"],
        penalties=[None, "ridge"],
        samples=["generic", "repeated_atoms", "rank_deficient", "single_atom"],
    )
)
def test_the_gradient_of_a_smooth_risk_is_its_complex_step(pair):
    risk, theta = pair
    gradient, step = risk.gradient(theta), complex_step(risk, theta)
    # Slopes are computed from pre-activations of size up to `reach`, whose rounding they pass on.
    reach = 1 + np.abs(theta).max(initial=0) * (1 + np.abs(risk.sample.X).max()) * max(risk.network.widths)
    size = (1 + np.abs(risk.residuals(theta)).max()) * reach**risk.network.depth
    assert np.abs(gradient - step).max() <= 1e-13 * size


@given(hst.integers(0, 10_000), st.networks(max_width=3), hst.sampled_from(["squared", "absolute"]), hst.data())
def test_the_gradient_is_the_limit_of_central_differences(seed, net, loss, data):
    rng = np.random.default_rng(seed)
    penalty = data.draw(hst.sampled_from([None, "ridge"] + ["second_layer_l1"] * (net.depth == 2)))
    sample = Sample(rng.standard_normal((4, net.widths[0])), rng.standard_normal((4, net.widths[-1])))
    risk = Risk(net, sample, loss=loss, kappa=0.0 if penalty is None else 0.3, penalty=penalty)
    theta = rng.uniform(0.1, 1.0, net.size) * rng.choice([-1, 1], net.size)
    h = 1e-5
    assume(away_from_kinks(risk, theta, 1e-3))
    steps = h * np.eye(net.size)
    differences = (risk.batch(theta + steps) - risk.batch(theta - steps)) / (2 * h)
    # error: h^2 / 6 times a third derivative (below 1e4 at this size) plus rounding over h (below 1e-9)
    assert np.abs(risk.gradient(theta) - differences).max() <= 1e-6


def away_from_kinks(risk, theta, distance=1e-290):
    """Whether no relu and no absolute residual is within `distance` of its kink."""
    net, sample = risk.network, risk.sample
    _, before = net.layers(theta, sample.X)
    relus = [np.abs(z).min() for k, z in enumerate(before, start=1) if net.rho(k).name == "relu"]
    if risk.loss == "absolute":
        relus.append(np.abs(risk.residuals(theta)).min())
    return min(relus, default=np.inf) > distance


def complex_step(risk, theta, h=1e-150):
    steps = 1j * h * np.eye(len(theta))
    return risk.batch(theta + steps).imag / h


@given(st.samples(2), hst.floats(1e-3, 1e3))
def test_weights_are_scaled_to_a_measure(sample, factor):
    assert sample.weights.sum() == pytest.approx(1, abs=gamma(2 * len(sample)))
    again = Sample(sample.X, sample.Y, sample.weights * factor)
    assert np.allclose(again.weights, sample.weights, rtol=1e-14)
    assert np.allclose(sample.second_moment, (sample.weights[:, None] * sample.X).T @ sample.X)
    assert sample.energy == pytest.approx(sum(w * y @ y for w, y in zip(sample.weights, sample.Y)), rel=1e-13)


def test_an_atom_of_weight_two_is_the_atom_twice():
    X, Y = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[1.0], [2.0]])
    net = Network((2, 3, 1))
    theta = np.random.default_rng(0).standard_normal(net.size)
    heavy = Risk(net, Sample(X, Y, [2.0, 1.0]))
    twice = Risk(net, Sample(X[[0, 0, 1]], Y[[0, 0, 1]]))
    assert heavy(theta) == pytest.approx(twice(theta), rel=1e-14)


def test_inputs_are_neither_mutated_nor_shared():
    X, Y, weights = np.ones((3, 2)), np.zeros((3, 1)), np.ones(3)
    sample = Sample(X, Y, weights)
    for array in (sample.X, sample.Y, sample.weights):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    X[0] = 7
    assert sample.X[0, 0] == 1
    risk = Risk(Network((2, 3, 1)), sample, kappa=0.1, penalty="second_layer_l1")
    theta = np.ones(9)
    theta.flags.writeable = False
    risk(theta), risk.batch(theta[None]), risk.gradient(theta), risk.residuals(theta), risk.row_norms(theta)


X, Y = np.ones((3, 2)), np.ones((3, 1))
SAMPLE, NET = Sample(X, Y), Network((2, 3, 1))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: Sample(np.zeros((0, 2)), np.zeros((0, 1))), "X"),
        (lambda: Sample(np.zeros((3, 0)), Y), "X"),
        (lambda: Sample(np.ones(3), Y), "X"),
        (lambda: Sample([["a", "b"]], [[1.0]]), "X"),
        (lambda: Sample(np.full((3, 2), np.nan), Y), "X"),
        (lambda: Sample(X * 1j, Y), "X"),
        (lambda: Sample(X, np.ones(2)), "Y"),
        (lambda: Sample(X, np.ones((3, 1, 1))), "Y"),
        (lambda: Sample(np.ma.masked_equal(X, 1.0), Y), "X"),
        (lambda: Sample(X, np.ma.masked_equal(Y, 1.0)), "Y"),
        (lambda: Sample(X, [np.ma.masked, 1.0, 1.0]), "Y"),
        (lambda: Sample(X, [np.ma.masked_equal([1.0], 1.0)] * 3), "Y"),
        (lambda: Sample(X, np.ones((2, 1))), "Y"),
        (lambda: Sample(X, np.ones((3, 0))), "Y"),
        (lambda: Sample(X, np.full((3, 1), np.inf)), "Y"),
        (lambda: Sample(X, Y, [1.0, 1.0]), "weights"),
        (lambda: Sample(X, Y, [1.0, -1.0, 1.0]), "weights"),
        (lambda: Sample(X, Y, [0.0, 0.0, 0.0]), "weights"),
        (lambda: Sample(X, Y, [np.nan, 1.0, 1.0]), "weights"),
        (lambda: Risk("net", SAMPLE), "network"),
        (lambda: Risk(NET, (X, Y)), "sample"),
        (lambda: Risk(NET, SAMPLE, loss="huber"), "loss"),
        (lambda: Risk(NET, SAMPLE, penalty="ridge", exponents=2), "exponents"),
        (lambda: Risk(NET, SAMPLE, exponents=2), "exponents"),
        (lambda: Risk(NET, SAMPLE, penalty="schatten", exponents=0.5), "exponents"),
        (lambda: Risk(NET, SAMPLE, penalty="schatten", exponents=(2, 2, 2)), "exponents"),
        (lambda: Risk(NET, SAMPLE, penalty="schatten", exponents="two"), "exponents"),
        (lambda: Risk(Network((2, 1)), SAMPLE, penalty="path"), "penalty"),
        (
            lambda: Risk(NET, Sample(X, np.zeros(3)), loss="hinge"),
            "Y must be -1 or .1 for the hinge loss; got 0.0.*2 . Y",
        ),
        (
            lambda: Risk(NET, Sample(X, [2, 1, 1]), loss="logistic"),
            "Y must be -1 or .1 for the logistic loss; got 2.0$",
        ),
        (lambda: Risk(NET, Sample(X, [2, 1, 1]), loss="softmax"), "Y must have nonnegative rows.*row 0 sums to 2"),
        (lambda: Risk(Network((2, 3, 2)), Sample(X, [2, 1, 1]), loss="softmax"), "Y must hold labels 0, ..., 1 or"),
        (lambda: Risk(Network((2, 3, 3)), Sample(X, [[1, 0]] * 3), loss="softmax"), "network"),
        (lambda: Risk(NET, SAMPLE).pair(np.zeros(9), np.zeros(8)), "theta_b"),
        (lambda: Risk(NET, SAMPLE).pair(np.zeros((1, 9)), np.zeros(9)), "theta_a must have shape .9,."),
        (lambda: Risk(NET, SAMPLE, penalty="lasso"), "penalty"),
        (lambda: Risk(NET, SAMPLE, kappa=-1.0, penalty="ridge"), "kappa"),
        (lambda: Risk(NET, SAMPLE, kappa=np.nan, penalty="ridge"), "kappa"),
        (lambda: Risk(NET, SAMPLE, kappa="much", penalty="ridge"), "kappa"),
        (lambda: Risk(NET, SAMPLE, kappa=0.1), "kappa"),
        (lambda: Risk(Network((2, 3, 3, 1)), SAMPLE, penalty="second_layer_l1"), "penalty"),
        (lambda: Risk(Network((3, 3, 1)), SAMPLE), "network"),
        (lambda: Risk(Network((2, 3, 2)), SAMPLE), "network"),
        (lambda: Risk(NET, SAMPLE)(np.zeros(8)), "theta"),
        (lambda: Risk(NET, SAMPLE)(np.zeros((1, 9))), "theta"),
        (lambda: Risk(NET, SAMPLE)(np.full(9, np.inf)), "theta"),
        (lambda: Risk(NET, SAMPLE).batch(np.zeros((2, 8))), "theta"),
        (lambda: Risk(NET, SAMPLE).gradient(np.full(9, np.nan)), "theta"),
    ],
)
def test_a_bad_argument_is_named(call, name):
    with pytest.raises(ValueError, match=f"^{name}"):
        call()


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed (extra: deep)")
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_the_gradient_is_that_of_automatic_differentiation(activation):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    rng = np.random.default_rng(0)
    net = Network((3, 5, 4, 2), activation=activation, bias=True)
    risk = Risk(net, Sample(rng.standard_normal((6, 3)), rng.standard_normal((6, 2))), kappa=0.1, penalty="ridge")
    rho = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sigmoid": jax.nn.sigmoid}[activation]

    def value(theta):
        h = risk.sample.X
        for k, (part, shape) in enumerate(zip(net.slices, net.shapes), start=1):
            z = jnp.concatenate([h, jnp.ones((len(h), 1))], axis=1) @ theta[part].reshape(shape).T
            h = z if k == net.depth else rho(z)
        return jnp.mean(jnp.sum((h - risk.sample.Y) ** 2, axis=1)) + 0.1 * jnp.sum(theta**2)

    theta = rng.standard_normal(net.size)
    assert float(value(theta)) == pytest.approx(risk(theta), rel=1e-13)
    assert np.allclose(jax.grad(value)(jnp.asarray(theta)), risk.gradient(theta), rtol=1e-11, atol=1e-12)


def test_sample_weights_of_any_size_are_scaled_to_sum_to_one():
    for size in (5e-324, 1e-310, 1.0, 1e308):
        assert np.array_equal(Sample(np.ones((2, 1)), np.ones((2, 1)), [size, size]).weights, [0.5, 0.5])


def test_the_risk_of_one_vector_is_a_float_and_of_a_complex_one_holds_the_derivative():
    net = Network((1, 1, 1), activation="identity")
    risk = Risk(net, Sample([[2.0]], [[1.0]]), kappa=0.5, penalty="ridge")
    assert type(risk(np.array([1.0, 3.0]))) is float
    along = risk(np.array([1.0 + 1e-150j, 3.0]))  # F = (2 w v - 1)^2 + (w^2 + v^2) / 2
    assert along.real == 30.0
    assert along.imag * 1e150 == pytest.approx(2 * 5 * 6 + 1, rel=1e-15)


def test_a_sample_of_a_thousand_atoms_has_its_weights_and_second_moment():
    X = np.arange(1000.0)[:, None]
    sample = Sample(X, X, np.full(1000, 1e-3))
    assert len(sample) == 1000
    assert (sample.weights == 1e-3).all()  # the sum is one up to rounding: kept as they are
    assert sample.second_moment[0, 0] == pytest.approx(999 * 1999 / 6, rel=1e-13)
    assert sample.energy == pytest.approx(999 * 1999 / 6, rel=1e-13)


@pytest.mark.parametrize("penalty", [None, "ridge", "second_layer_l1"])
def test_a_penalty_of_a_batch_has_one_value_for_each(penalty):
    risk = Risk(NET, SAMPLE, kappa=0.0 if penalty is None else 2.0, penalty=penalty)
    thetas = np.arange(2 * 4 * 9.0).reshape(2, 4, 9) - 30
    sizes = {None: lambda t: 0.0, "ridge": lambda t: t @ t, "second_layer_l1": lambda t: np.abs(t[6:]).sum()}
    expected = [[risk.kappa * sizes[penalty](t) for t in row] for row in thetas]
    assert np.array_equal(risk.regulariser(thetas), expected)
    assert risk.regulariser(thetas[0, 0]).shape == ()
    assert np.allclose(
        risk.row_norms(thetas)[1, 2], [np.hypot(*thetas[1, 2, k : k + 2]) for k in (0, 2, 4)], rtol=1e-15
    )


@pytest.mark.parametrize("activation", ["relu", "identity", "tanh"])
@pytest.mark.parametrize("size", [1e80, 1e160, 1e308])
def test_where_floats_overflow_the_risk_is_infinite_and_gradients_and_bounds_are_refused(activation, size):
    for loss, penalty in itertools.product(LOSSES, PENALTIES):
        risk = Risk(Network((2, 3, 1), activation), SAMPLE, loss, 0.1 if penalty else 0.0, penalty)
        for theta in (np.full(9, size), size * np.array([1, -1, 1, -1, 1, -1, 1, -1, 1.0])):
            value = risk(theta)
            assert not np.isnan(value)
            assert value == risk.batch(theta[None])[0]
            path = Path(np.stack([np.zeros(9), theta]))
            if np.isinf(value):
                with pytest.raises(ValueError, match=r"^path\.points "):
                    path_maximum(risk, path)
                with pytest.raises(ValueError, match=r"^theta_1 "):
                    segment_maximum(risk, np.zeros(9), theta)
            elif size < 1e150:
                assert path_maximum(risk, path, budget=200).upper >= value
                assert np.isfinite(risk.gradient(theta)).all()


def test_gradients_outputs_and_norms_that_overflow_are_refused_by_name():
    risk, theta = Risk(NET, SAMPLE), np.full(9, 1e308)
    for call in (risk.gradient, risk.residuals, lambda t: NET(t, X), lambda t: NET.features(t, X, 1)):
        with pytest.raises(ValueError, match=r"^theta is too large"):
            call(theta)
    assert risk.row_norms(np.full(9, 1e300)) == pytest.approx(np.sqrt(2) * 1e300)


# ---------------------------------------------------------------- what people have: tables, series, masked arrays


class Frame:
    """As little of a data frame as is used: columns with labels, and an array."""

    def __init__(self, **columns):
        self.columns, self._held = tuple(columns), columns

    def items(self):
        return self._held.items()

    def __array__(self, dtype=None, copy=None):
        return np.array([list(row) for row in zip(*self._held.values())], dtype=dtype)


def test_one_output_may_be_a_vector_of_targets():
    sample = Sample(X, [1.0, 2.0, 3.0])
    assert sample.Y.tolist() == [[1.0], [2.0], [3.0]]
    assert Risk(NET, sample)(np.zeros(9)) == Risk(NET, Sample(X, sample.Y))(np.zeros(9))


def test_tables_are_taken_by_their_values_and_a_column_of_words_is_named():
    sample = Sample(Frame(age=[1, 2, 3], height=[0.5, 0.25, 1.0]), Frame(y=[1.0, 0.0, 1.0]))
    assert sample.X.tolist() == [[1.0, 0.5], [2.0, 0.25], [3.0, 1.0]]
    for words in (["Paris", "Rome", "Oslo"], np.array(["2026-01-01"] * 3, "datetime64[D]")):
        with pytest.raises(ValueError, match=r"^X must be .* its column 'city'$"):
            Sample(Frame(age=[1, 2, 3], city=words), Y)


def test_pandas_frames_and_series():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [1.0, 2.0, 4.0], "smokes": [True, False, True], "y": [1, 0, 1]}, index=[7, 7, 2])
    sample = Sample(frame[["age", "smokes"]], frame["y"], frame["age"])
    assert sample.X.tolist() == [[1.0, 1.0], [2.0, 0.0], [4.0, 1.0]]
    assert sample.Y.tolist() == [[1.0], [0.0], [1.0]]
    assert np.allclose(sample.weights, [1 / 7, 2 / 7, 4 / 7])
    for column in (["a", "b", "a"], pandas.Categorical(["a", "b", "a"]), [1.0, pandas.NA, 2.0]):
        with pytest.raises(ValueError, match=r"^X must be .* its column 'city'$"):
            Sample(frame.assign(city=column), frame["y"])
    with pytest.raises(ValueError, match=r"^Y must be"):
        Sample(frame[["age"]], pandas.Series(["no", "yes", "no"]))
    with pytest.raises(ValueError, match=r"^X must be finite"):
        Sample(frame.assign(age=[1.0, np.nan, 2.0]), frame["y"])


def test_masked_arrays_without_masked_entries_are_arrays():
    sample = Sample(np.ma.masked_equal(X, 999.0), np.ma.array(Y, mask=False))
    assert np.array_equal(sample.X, X)
    with pytest.raises(ValueError, match=r"^theta must not have masked entries"):
        Risk(NET, SAMPLE)(np.ma.masked_less(np.arange(9.0), 3.0))


@pytest.mark.parametrize(
    ("given", "meant", "argument"),
    [
        ("MSE", "squared", "loss"),
        ("mae", "absolute", "loss"),
        ("log_loss", "logistic", "loss"),
        ("L2", "ridge", "penalty"),
    ],
)
def test_the_words_of_other_libraries_are_refused_with_ours(given, meant, argument):
    with pytest.raises(ValueError, match=f"^{argument} must be one of .*Did you mean '{meant}'"):
        Risk(NET, SAMPLE, **{argument: given})
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        Network((2, 1), activation="ReLU")


def test_representations_are_one_line_without_arrays():
    risk = Risk(NET, SAMPLE, "hinge", 0.125, "path")
    assert repr(SAMPLE) == "Sample(3 samples, 2 inputs, 1 output)"
    assert repr(risk) == "Risk(Network((2, 3, 1)), Sample(3 samples, 2 inputs, 1 output), hinge, 0.125 path)"
    assert repr(Network((2, 1), bias=True, activation="tanh")) == "Network((2, 1), activation='tanh', bias=True)"
    assert eval(repr(NET), {"Network": Network}) == NET
    path = Path(np.vstack([np.zeros(9), np.ones(9)]), ["up"])
    assert (repr(path), repr(Path(path.points[:1]))) == (
        "Path(2 points in R^9, length 3)",
        "Path(1 point in R^9, length 0)",
    )
    found = segment_maximum(risk, *path.points)
    assert repr(found).startswith("Maximum(")
    assert repr(path_maximum(risk, path)).startswith("PathMaximum(")
    assert repr((found.method, found.status)) == f"(Method.{found.method.name}, Status.{found.status.name})"
    for shown in (risk, found, path_maximum(risk, path)):
        assert "\n" not in repr(shown)
        assert len(repr(shown)) < 160


def test_two_parameter_vectors_are_checked_together():
    a, b = Risk(NET, SAMPLE).pair(list(range(9)), np.ones(9, dtype=int))
    assert a.dtype == b.dtype == np.float64
    assert a.tolist() == list(range(9))


def test_memory_does_not_grow_with_samples_times_units(monkeypatch):
    monkeypatch.setattr("theory.maxima.switches.COMPILED", 10**18)  # compilers need memory of their own
    rng = np.random.default_rng(0)
    net = Network((3, 2_000, 1))
    risk = Risk(net, Sample(rng.standard_normal((2_000, 3)), rng.standard_normal((2_000, 1))))
    a, b = rng.standard_normal((2, net.size))
    for step in (lambda: risk(a), lambda: risk.gradient(a), lambda: segment_maximum(risk, a, b, gap=1e-2)):
        tracemalloc.start()
        try:
            step()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 8 * 2_000 * 2_000 / 2  # half of one array of samples times units
