"""Nets of scikit-learn and of arrays: the same function to rounding, and one line for what is not understood."""

from itertools import pairwise

import numpy as np
import pytest
from fitted_nets import fitted
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from halfrect import Net, from_arrays, from_sklearn
from halfrect.nets import same_architecture, with_common_biases

X = np.random.default_rng(0).normal(size=(30, 3))
Y = np.column_stack([X[:, 0] - X[:, 1], np.tanh(X[:, 2])])
LABELS = np.array(["a", "b", "c"])[np.argmax(X, axis=1)]


def regressor(hidden=(4,), activation="relu", target=Y, seed=0):
    return fitted(
        MLPRegressor(hidden_layer_sizes=hidden, activation=activation, max_iter=5, random_state=seed), X, target
    )


def classifier(target=LABELS, hidden=(4,), activation="relu"):
    return fitted(
        MLPClassifier(hidden_layer_sizes=hidden, activation=activation, max_iter=5, random_state=0), X, target
    )


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("hidden", [(4,), (3, 5), (2, 2, 2)])
def test_a_regressor_predicts_as_scikit_learn_does(activation, hidden):
    for target in (Y, Y[:, 0]):
        model = regressor(hidden, activation, target)
        net = from_sklearn(model)
        assert net.task == "regression"
        np.testing.assert_allclose(net(X), model.predict(X).reshape(len(X), -1), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
def test_a_classifier_gives_logits(activation):
    model = classifier(activation=activation)
    net = from_sklearn(model)
    np.testing.assert_allclose(softmax(net(X), axis=1), model.predict_proba(X), rtol=1e-10)
    assert net.classes.tolist() == ["a", "b", "c"]
    two = classifier(LABELS == "a", activation=activation)
    np.testing.assert_allclose(1 / (1 + np.exp(-from_sklearn(two)(X)[:, 0])), two.predict_proba(X)[:, 1], rtol=1e-10)


def test_single_precision_is_taken_as_it_is():
    model = fitted(MLPRegressor(hidden_layer_sizes=(4,), max_iter=5), X.astype(np.float32), Y.astype(np.float32))
    np.testing.assert_allclose(from_sklearn(model)(X), model.predict(X.astype(np.float32)), rtol=1e-4, atol=1e-5)


@given(st.lists(st.integers(1, 4), min_size=2, max_size=5), st.booleans(), st.integers(0, 99))
def test_arrays_compute_what_a_loop_computes(widths, biased, seed):
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(m, n)) for n, m in pairwise(widths)]
    biases = [rng.normal(size=m) if biased else None for m in widths[1:]]
    inputs = rng.normal(size=(5, widths[0]))
    h = inputs.T
    for k, (W, b) in enumerate(zip(weights, biases)):
        h = W @ h + (0 if b is None else b[:, None])
        h = np.maximum(h, 0) if k < len(weights) - 1 else h
    net = from_arrays(weights, biases)
    np.testing.assert_allclose(net(inputs), h.T, rtol=1e-12, atol=1e-12)
    assert net.network.bias == biased


@pytest.mark.parametrize(
    ("estimator", "says"),
    [
        (MLPRegressor(), "not fitted: call fit first"),
        (make_pipeline(StandardScaler(), MLPRegressor()), "pass its last step"),
        (RandomForestRegressor(), "must be a fitted MLPRegressor or MLPClassifier; got RandomForestRegressor"),
        (None, "got NoneType"),
    ],
)
def test_other_estimators_are_refused_in_one_line(estimator, says):
    with pytest.raises(ValueError, match=says) as refusal:
        from_sklearn(estimator)
    assert "\n" not in str(refusal.value)


def test_a_search_points_to_its_best_estimator():
    search = fitted(GridSearchCV(MLPRegressor(max_iter=2, hidden_layer_sizes=(2,)), {"alpha": [0.1]}, cv=2), X, Y)
    with pytest.raises(ValueError, match="best_estimator_"):
        from_sklearn(search)


def test_a_poisson_regressor_is_refused():
    if "loss" not in MLPRegressor().get_params():
        pytest.skip("scikit-learn before 1.7 has no other loss")
    model = fitted(MLPRegressor(hidden_layer_sizes=(2,), max_iter=2, loss="poisson"), X, np.exp(X[:, 0]))
    with pytest.raises(ValueError, match="must be identity; got 'exp'"):
        from_sklearn(model)


@pytest.mark.parametrize(
    ("weights", "biases", "says"),
    [
        ([np.ones((3, 2)), np.ones((1, 4))], None, r"layer 2 must take the 3 outputs of layer 1"),
        ([np.ones((2, 3)), np.ones((3, 1))], None, r"layer 2 must take .* The transposes would fit"),
        ([np.ones((2, 3)), np.ones((1, 2))], [np.ones(3), None], r"biases of layer 1 must have shape \(2,\)"),
        ([np.ones((2, 3)), np.ones((1, 2))], [np.ones(2)], "biases must hold one vector"),
        ([np.ones((2, 3, 3, 3))], None, r"layer 1 must be a matrix; got shape .* convolutions are not supported"),
        ([np.ones(3)], None, r"layer 1 must be a matrix"),
        ([np.full((2, 3), np.nan)], None, r"weights of layer 1 must be finite; entry \(0, 0\) is nan"),
        ([np.ones((1, 2))], [[np.inf]], "biases of layer 1 must be finite"),
        (np.ones((2, 3)), None, "must be a list with one array per layer"),
        ([], None, "at least one layer"),
        ([[["x"]]], None, "weights of layer 1 must be an array of real numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_by_layer(weights, biases, says):
    with pytest.raises(ValueError, match=says) as refusal:
        from_arrays(weights, biases)
    assert "\n" not in str(refusal.value)


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="activation must be one of"):
        from_arrays([[[1.0]]], activation="gelu")


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (regressor((5,)), "hidden layer 1: 4 in net_a, 5 in net_b"),
        (regressor((4, 4)), r"as many layers; net_a has 2, widths \(3, 4, 2\), net_b 3, widths"),
        (regressor(target=Y[:, 0]), "the outputs: 2 in net_a, 1 in net_b"),
        (regressor(activation="tanh"), "same activation; got 'relu' and 'tanh'"),
    ],
)
def test_other_architectures_are_refused_by_layer(other, says):
    with pytest.raises(ValueError, match=says):
        same_architecture(from_sklearn(regressor()), from_sklearn(other))


def test_classes_and_tasks_must_agree():
    one, other = from_sklearn(classifier()), from_sklearn(classifier(np.char.upper(LABELS)))
    with pytest.raises(ValueError, match="same classes"):
        same_architecture(one, other)
    with pytest.raises(ValueError, match="same task"):
        same_architecture(from_sklearn(classifier()), from_sklearn(regressor(target=np.column_stack([Y, Y[:, 0]]))))


def test_zero_biases_are_added_where_only_one_net_has_biases():
    plain, biased = (
        from_arrays([np.ones((2, 3)), np.ones((1, 2))]),
        from_arrays([np.ones((2, 3)), np.ones((1, 2))], [[1, 2], None]),
    )
    first, second = with_common_biases(plain, biased)
    assert first.network == second.network
    np.testing.assert_array_equal(first(X), plain(X))
    assert isinstance(first, Net)
    assert repr(first) == "Net(Network((3, 2, 1), bias=True), 11 parameters)"
