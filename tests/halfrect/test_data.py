"""The user's table as a risk: frames, series, labels; which loss; what does not fit."""

import numpy as np
import pytest
from fitted_nets import fitted
from scipy.sparse import csr_array
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor

from halfrect import from_arrays, from_sklearn
from halfrect.data import risk_of

rng = np.random.default_rng(1)
X = rng.normal(size=(20, 3))
WORDS = np.array(["no", "perhaps", "yes"])[np.argmax(X, axis=1)]


def mlp(outputs, activation="relu"):
    return from_arrays(
        [rng.normal(size=(4, 3)), rng.normal(size=(outputs, 4))], [rng.normal(size=4), None], activation=activation
    )


def regressor(y):
    return fitted(MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0), X, y)


def classifier(y):
    return fitted(MLPClassifier(hidden_layer_sizes=(4,), max_iter=3, random_state=0), X, y)


def test_a_regressor_has_the_mean_squared_error_whatever_its_targets():
    for y in (X[:, 0], np.arange(20) % 2, X[:, 0] > 0, X[:, 0].astype(object), np.column_stack([X[:, 0], X[:, 1]])):
        model = regressor(y)
        net = from_sklearn(model)
        risk = risk_of(net, net, X, y)
        residual = (model.predict(X) - y.astype(float)).reshape(20, -1)
        assert risk(net.theta) == pytest.approx((residual**2).sum(axis=1).mean(), rel=1e-12)


@pytest.mark.parametrize("y", [WORDS, WORDS == "yes", np.argmax(X, axis=1) + 7, np.where(X[:, 0] > 0, 1, -1)])
def test_a_classifier_has_the_cross_entropy_that_scikit_learn_computes(y):
    model = classifier(y)
    net = from_sklearn(model)
    risk = risk_of(net, net, X, y)
    assert risk.loss == ("softmax" if len(np.unique(y)) > 2 else "logistic")
    assert risk(net.theta) == pytest.approx(log_loss(y, model.predict_proba(X)), rel=1e-9)


def test_one_target_is_too_few_for_a_regressor_of_two():
    net = from_sklearn(regressor(X[:, :2]))
    with pytest.raises(ValueError, match="y must have 2 columns, the outputs of the nets; got 1"):
        risk_of(net, net, X, np.argmax(X[:, :2], axis=1))


def test_several_labels_at_once_are_several_logits():
    y = np.stack([X[:, 0] > 0, X[:, 1] > 0], axis=1).astype(int)
    model = classifier(y)
    net = from_sklearn(model)
    risk = risk_of(net, net, X, y)
    p = model.predict_proba(X)
    assert risk(net.theta) == pytest.approx(-np.where(y, np.log(p), np.log(1 - p)).sum(axis=1).mean(), rel=1e-9)


def test_frames_series_and_sparse_matrices_are_taken():
    pandas = pytest.importorskip("pandas")
    frame, net = pandas.DataFrame(X, columns=["a", "b", "c"]), mlp(1)
    expected = risk_of(net, net, X, X[:, 0])(net.theta)
    series = pandas.Series(X[:, 0], index=np.arange(20) + 5)
    for inputs, y in (
        (frame, series),
        (frame, series.to_frame()),
        (csr_array(X), X[:, :1]),
        (X.tolist(), list(X[:, 0])),
    ):
        assert risk_of(net, net, inputs, y)(net.theta) == expected
    three = mlp(3)
    labels = pandas.Series(WORDS, dtype="category")
    assert risk_of(three, three, frame, labels)(three.theta) == risk_of(three, three, X, np.argmax(X, axis=1))(
        three.theta
    )


def test_columns_in_another_order_are_refused():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    net = from_sklearn(fitted(MLPRegressor(hidden_layer_sizes=(2,), max_iter=2), frame, X[:, 0]))
    risk_of(net, net, frame, X[:, 0])
    risk_of(net, net, X, X[:, 0])  # without names there is nothing to compare
    with pytest.raises(ValueError, match="must have the columns that the nets were fitted on, a, b, c; got c, b, a"):
        risk_of(net, net, frame[["c", "b", "a"]], X[:, 0])


@pytest.mark.parametrize(
    ("outputs", "y", "loss"),
    [
        (1, X[:, 0], "squared"),
        (2, X[:, :2], "squared"),
        (3, np.argmax(X, axis=1), "softmax"),
        (3, WORDS, "softmax"),
        (1, WORDS == "yes", "logistic"),
        (1, np.where(X[:, 0] > 0, "y", "n"), "logistic"),
    ],
)
def test_the_targets_say_the_loss_where_the_nets_do_not(outputs, y, loss):
    net = mlp(outputs)
    assert risk_of(net, net, X, y).loss == loss


def test_data_without_a_row_are_said_to_have_none():
    with pytest.raises(ValueError, match=r"X must have at least one row and one column; got shape \(0, 3\)"):
        risk_of(mlp(1), mlp(1), X[:0], X[:0, 0])


@pytest.mark.parametrize(
    ("outputs", "y", "says"),
    [
        (1, (X[:, 0] > 0).astype(int), "loss must be said: y holds two labels"),
        (1, np.sign(X[:, 0]), "loss must be said: y holds two labels"),
        (3, np.eye(3)[np.argmax(X, axis=1)], "loss must be said: rows of y hold only"),
        (1, WORDS, "y has 3 labels .* tell 2 apart"),
        (2, WORDS, "y has 3 labels .* and the nets tell 2 apart"),
        (3, np.argmax(X, axis=1) + 1, "labels of y must be those of the nets, 0, 1, 2; got"),
        (2, X, "y must have 2 columns, the outputs of the nets; got 3"),
        (1, X[:-1, 0], "one entry .* for each of the 20 rows of X"),
        (1, np.full(20, np.nan), "y must be finite"),
        (1, np.zeros((20, 1, 1)), "y must have one entry"),
        (1, X, "y must have 1 column, the outputs of the nets; got 3"),
    ],
)
def test_open_questions_and_misfits_are_said_in_one_line(outputs, y, says):
    net = mlp(outputs)
    with pytest.raises(ValueError, match=says) as refusal:
        risk_of(net, net, X, y)
    assert "\n" not in str(refusal.value)


def test_a_loss_can_be_chosen():
    one, three = mlp(1), mlp(3)
    signs, codes = np.where(X[:, 0] > 0, 1.0, -1.0), np.argmax(X, axis=1)
    for loss in ("logistic", "hinge", "squared"):
        assert np.array_equal(risk_of(one, one, X, signs, loss).sample.Y[:, 0], signs)
    assert np.array_equal(risk_of(one, one, X, (signs + 1) / 2, "logistic").sample.Y[:, 0], signs)
    for loss in ("softmax", "squared"):
        assert np.array_equal(risk_of(three, three, X, codes, loss).sample.Y, np.eye(3)[codes])
    assert np.array_equal(risk_of(three, three, X, np.eye(3)[codes], "softmax").sample.Y, np.eye(3)[codes])
    assert risk_of(one, one, X, X[:, 0], "mse").loss == "squared"
    with pytest.raises(ValueError, match="loss must be one of"):
        risk_of(one, one, X, X[:, 0], "huber")
    with pytest.raises(ValueError, match="needs one output per class"):
        risk_of(one, one, X, (signs + 1) / 2, "softmax")


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        (X[:, :2], r"X must have 3 columns, the inputs of the nets; got shape \(20, 2\)"),
        (X[:, 0], r"X must have one row per sample.* X\[:, None\]"),
        (np.where(X > 9, X, np.nan), "X must be finite"),
        (np.full((20, 3), "a"), "X must be an array of real numbers"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs, says):
    net = mlp(1)
    with pytest.raises(ValueError, match=says):
        risk_of(net, net, inputs, X[:, 0])


def test_unseen_labels_are_named():
    net = from_sklearn(classifier(WORDS))
    with pytest.raises(ValueError, match=r"labels of y must be those of the nets, no, perhaps, yes; got 'never'$"):
        risk_of(net, net, X, np.where(WORDS == "no", "never", WORDS))
