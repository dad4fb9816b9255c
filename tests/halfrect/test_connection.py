"""`connect`: a path between the very nets that were given, certified, and what each route says."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
from fitted_nets import fitted
from sklearn.datasets import load_diabetes, load_iris
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import scale

import halfrect
from checks import predicates
from checks.certificates import document, verify
from halfrect import routes
from theory.maxima import path_maximum
from theory.paths import Path

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
Y = np.maximum(X[:, 0], 0) - X[:, 1] ** 2


def same_curve(found):
    """What holds of every connection: its ends, its certificate, its level, its table."""
    assert np.array_equal(found.path.points[0], found.routes[0].path.points[0])
    assert predicates.connects(found.path, *found.routes[0].path.points[[0, -1]])
    assert predicates.stays_below(found.risk, found.path, found.maximum.upper)
    assert path_maximum(found.risk, found.path).value <= found.maximum.upper
    assert found.ends == pytest.approx((found.risk(found.path.points[0]), found.risk(found.path.points[-1])))
    assert max(found.ends) <= found.maximum.upper <= found.routes[0].maximum.upper
    assert found.route in [t.name for t in found.routes if t.path is not None]
    assert found.maximum.upper == min(t.upper for t in found.routes)
    return found


@pytest.fixture(scope="module")
def diabetes():
    inputs, y = load_diabetes(return_X_y=True)
    inputs, y = scale(inputs), scale(y)
    nets = [
        fitted(MLPRegressor(hidden_layer_sizes=(16,), max_iter=2000, random_state=seed), inputs, y) for seed in (0, 1)
    ]
    return nets, inputs, y, same_curve(halfrect.connect(*nets, inputs, y, rng=0))


def test_two_diabetes_nets_are_joined_at_the_larger_end(diabetes):
    nets, inputs, y, found = diabetes
    errors = [np.mean((net.predict(inputs) - y) ** 2) for net in nets]
    np.testing.assert_allclose(found.ends, errors, rtol=1e-10)
    assert found.straight.value > 1.8 * max(errors)  # the straight line is far above
    assert found.maximum.upper <= max(errors) * (1 + 1e-8)
    assert found.reached
    assert found.route == "strings"
    assert found.length < 2
    assert repr(found).count("\n") == 0


def test_the_same_seed_gives_the_same_path(diabetes):
    nets, inputs, y, found = diabetes
    again = halfrect.connect(*nets, inputs, y, rng=0)
    assert np.array_equal(again.path.points, found.path.points)


def test_a_notebook_shows_the_curve(diabetes):
    page = diabetes[3]._repr_html_()
    assert page.count("<polyline") == 2
    assert ElementTree.fromstring(page).tag == "div"  # well formed
    assert "certified" in page
    for name in ("strings", "straight", "exchange"):
        assert name in page


def test_a_connection_draws_itself(diabetes):
    from matplotlib import pyplot

    axes = diabetes[3].plot()
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert any(label.startswith("certified: never above 0.41") for label in labels)
    assert diabetes[3].plot(ax=axes) is axes
    pyplot.close("all")


def trained(hidden, activation="relu"):
    """Two nets far enough down that the straight line between them is a hill."""
    options = {"hidden_layer_sizes": hidden, "activation": activation, "solver": "lbfgs", "max_iter": 60}
    return [fitted(MLPRegressor(**options, random_state=seed), X, Y) for seed in (0, 1)]


@pytest.mark.parametrize("hidden", [(6,), (4, 4)])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_small_nets_of_any_depth_are_joined_below_the_straight_line(hidden, activation):
    found = same_curve(halfrect.connect(*trained(hidden, activation), X, Y, rng=0))
    assert found.maximum.upper < found.straight.value


def test_two_classifiers_are_joined_in_cross_entropy():
    inputs, y = load_iris(return_X_y=True)
    inputs = scale(inputs)[::3]
    nets = [
        fitted(MLPClassifier(hidden_layer_sizes=(5,), max_iter=300, random_state=s), inputs, y[::3]) for s in (0, 1)
    ]
    found = same_curve(halfrect.connect(*nets, inputs, y[::3], rng=0))
    assert found.risk.loss == "softmax"
    with pytest.raises(
        ValueError, match=r"no certificate can be written: .* is neither convex nor constant.* connection\.path\.save"
    ):
        found.save("nowhere.json")


def test_wide_nets_are_joined_by_exchange_at_the_larger_end():
    few = X[:5], Y[:5]
    nets = [([rng.normal(size=(9, 3)), rng.normal(size=(1, 9))], [rng.normal(size=9), [0.3]]) for _ in range(2)]
    found = same_curve(halfrect.connect(*nets, *few))
    assert found.route in ("exchange", "straight")
    assert found.reached


def leave_out(monkeypatch, name):
    """All routes but one, in their order (an item that is put back into a dict goes to its end)."""
    monkeypatch.setattr(routes, "ROUTES", {key: route for key, route in routes.ROUTES.items() if key != name})


def reordered(biased):
    """A net with two idle units, the same with its units in another order, and what it computes with a little noise."""
    draw = np.random.default_rng(3)
    W, V = draw.normal(size=(6, 3)), np.append(draw.normal(size=(1, 4)), [[0.0, 0.0]], axis=1)
    b, order = draw.normal(size=6), [1, 2, 3, 0, 5, 4]
    biases = ([b, [0.7]], [b[order], [0.7]]) if biased else (None, None)
    first, second = ([W, V], biases[0]), ([W[order], V[:, order]], biases[1])
    return first, second, halfrect.from_arrays(*first)(X)[:, 0] + 0.1 * draw.normal(size=len(X))


def test_idle_units_are_enough_for_pivots():
    first, second, y = reordered(biased=True)
    found = same_curve(halfrect.connect(first, second, X, y, rng=0))
    assert (found.route, found.reached) == ("pivots", True)


def test_the_theorem_for_one_relu_layer_is_used_where_there_are_no_biases(monkeypatch):
    leave_out(monkeypatch, "pivots")
    first, second, y = reordered(biased=False)
    found = same_curve(halfrect.connect(first, second, X, y, rng=0))
    assert found.route == "relu"
    assert found.reached


def test_with_biases_a_permutation_is_absorbed_and_put_back(monkeypatch):
    leave_out(monkeypatch, "pivots")
    first, second, y = reordered(biased=True)
    found = same_curve(halfrect.connect(first, second, X, y, rng=0))
    assert found.route == "relu"
    assert found.reached
    assert found.risk.network.bias
    assert "absorbed and put back" in next(t.reason for t in found.routes if t.name == "relu")


def test_a_level_ends_the_search_as_soon_as_it_is_reached():
    nets = [fitted(MLPRegressor(hidden_layer_sizes=(6,), max_iter=60, random_state=seed), X, Y) for seed in (0, 1)]
    high = halfrect.connect(*nets, X, Y, level=1e3, rng=0)
    assert high.route == "straight"
    assert high.reached
    assert high.level == 1e3
    least = halfrect.connect(*nets, X, Y, level=max(high.ends), rng=0)
    assert least.level == pytest.approx(max(high.ends), rel=1e-8)
    assert least.level > max(high.ends)
    with pytest.raises(ValueError, match="level must be at least the larger risk"):
        halfrect.connect(*nets, X, Y, level=1e-3)


def test_a_net_is_joined_with_itself():
    net = ([rng.normal(size=(2, 3)), rng.normal(size=(1, 2))], None)
    found = halfrect.connect(net, net, X, Y)
    assert found.length == 1.0
    assert found.reached
    assert "<polyline" in found._repr_html_()


def test_nets_of_risk_zero_are_joined_where_a_theorem_does_it():
    """The level is 0, where strings have nothing to aim at."""
    a, b = ([[[1.0], [-1.0], [0.0]], [[1.0, -1.0, 0.0]]], None), ([[[-1.0], [1.0], [0.0]], [[-1.0, 1.0, 0.0]]], None)
    found = halfrect.connect(a, b, [[1.0], [-1.0]], [1.0, -1.0], loss="squared")
    assert found.ends == (0.0, 0.0)
    assert found.maximum.upper < 1e-12
    assert found.route == "exchange"


def test_too_large_problems_for_strings_are_said(monkeypatch):
    monkeypatch.setattr(routes, "EFFORT", 1e4)
    found = same_curve(halfrect.connect(*trained((4, 4)), X, Y, rng=0))
    assert "strings would take minutes" in next(t.reason for t in found.routes if t.name == "strings")


def test_strings_that_miss_the_larger_end_are_sought_at_levels_above_it(monkeypatch):
    leave_out(monkeypatch, "deep")
    monkeypatch.setattr(routes, "EVALUATIONS", 160)
    found = same_curve(halfrect.connect(*trained((6,)), X, Y, rng=0))
    assert found.route == "strings"
    assert not found.reached
    assert max(found.ends) < found.maximum.upper < found.straight.value
    assert "not connected within the budget" in found.routes[-1].reason
    monkeypatch.setattr(routes, "EVALUATIONS", 5)
    found = same_curve(halfrect.connect(*trained((6,)), X, Y, rng=0))
    assert found.route == "straight"
    assert found.routes[-1].path is None


def test_a_certificate_is_verified_and_a_lowered_one_is_refused(tmp_path, capsys):
    nets = [([rng.integers(-3, 4, (2, 2)), rng.integers(-3, 4, (1, 2))], [[1, 0], [1]]) for _ in range(2)]
    found = halfrect.connect(*nets, [[1.0, 2.0], [0.0, 1.0], [2.0, 1.0]], [1.0, 0.0, 2.0], rng=0)
    file = tmp_path / "path.json"
    found.save(file)
    assert verify.main([str(file)]) == 0
    assert document.load(file).upper == found.maximum.upper
    false = json.loads(file.read_text())
    false["upper"] = max(found.ends) * 0.9
    false.pop("format"), false.pop("sha256")
    file.write_text(json.dumps({"format": document.FORMAT, "sha256": document.digest(false), **false}))
    assert verify.main([str(file)]) == 1
    capsys.readouterr()


def test_what_the_verifier_has_no_argument_for_is_said():
    nets = [fitted(MLPRegressor(hidden_layer_sizes=(3, 3), max_iter=40, random_state=seed), X, Y) for seed in (0, 1)]
    with pytest.raises(ValueError, match="on piece 0 the risk is neither convex nor constant"):
        halfrect.connect(*nets, X, Y, level=1e3).save("nowhere.json")
    smooth = [([rng.normal(size=(2, 3)), rng.normal(size=(1, 2))], None) for _ in range(2)]
    smooth = [halfrect.from_arrays(*net, activation="tanh") for net in smooth]
    with pytest.raises(ValueError, match="'tanh' units leave them"):
        halfrect.connect(*smooth, X, Y, level=1e3).save("nowhere.json")


@pytest.mark.parametrize(
    ("net", "says"),
    [
        (([np.ones((2, 3)), np.ones((1, 3))], None), "net_b: layer 2 must take the 2 outputs of layer 1"),
        (([np.ones((2, 3)), np.ones((2, 2))], None), "the outputs: 1 in net_a, 2 in net_b"),
        (([np.full((2, 3), np.nan), np.ones((1, 2))], None), "net_b: weights of layer 1 must be finite"),
        (
            [np.ones((2, 3))] * 3,
            r"net_b: lists of arrays come as a pair \(weights, biases\), each a list with one array per layer; got 3",
        ),
        (
            None,
            r"net_b: net must be a fitted MLPRegressor or MLPClassifier; got NoneType; or pass a pair \(weights, biases\)",
        ),
    ],
)
def test_a_net_that_does_not_fit_is_named(net, says):
    good = ([np.ones((2, 3)), np.ones((1, 2))], None)
    with pytest.raises(ValueError, match=says) as refusal:
        halfrect.connect(good, net, X, Y)
    assert "\n" not in str(refusal.value)


def test_plot_path_draws_what_it_is_given():
    from matplotlib import pyplot

    good = halfrect.from_arrays([np.ones((2, 3)), np.ones((1, 2))])
    risk = halfrect.connect(good, good, X, Y).risk
    path = Path(np.stack([good.theta, good.theta + 1, good.theta * 2]))
    axes = halfrect.plot_path(risk, path, level=3.0)
    drawn = [line.get_ydata() for line in axes.get_lines()]
    assert len(drawn) == 5  # straight line, path, vertices, bound, level
    assert max(drawn[1]) <= drawn[3][0]
    assert drawn[4][0] == 3.0
    assert len(halfrect.plot_path(risk, path, straight=False).get_lines()) == 3
    assert len(halfrect.plot_path(risk, path, level=drawn[3][0]).get_lines()) == 4  # the level is the bound
    with pytest.raises(ValueError, match=r"path\.points"):
        halfrect.plot_path(risk, Path(np.zeros((2, 3))))
    pyplot.close("all")
