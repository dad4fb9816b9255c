"""Every loss and every penalty: values, slopes, constants, domains, bounds in ball arithmetic, certified maxima."""

import itertools
import math

import loss_oracle as oracle
import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import assume, given
from hypothesis import strategies as hst
from nightly import instances

from checks.certificates import document
from theory import losses, polynomial_tasks
from theory.landscapes.trainers import train
from theory.linear_paths import products
from theory.losses import LOSSES
from theory.maxima import evaluations, quartic, segments, taylor_models
from theory.maxima.results import Method, Status
from theory.maxima.segments import path_maximum, segment_maximum
from theory.networks import Network
from theory.paths import Path
from theory.penalties import PENALTIES
from theory.relu_paths import problem as relu_problem
from theory.risk import Risk, Sample
from theory.string_sampling import greedy

NAMES = tuple(LOSSES)
KINDS = (None, *PENALTIES)
each_loss = pytest.mark.parametrize("name", NAMES)
sizes = hst.sampled_from([1e-300, 1e-12, 1e-3, 1.0, 1.0, 10.0, 300.0, 1e4, 1e12])


def targets(rng, name, shape):
    """Targets in the domain of the loss; of softmax one-hot rows and probabilities, some of them zero."""
    if name in ("logistic", "hinge"):
        return rng.choice([-1.0, 1.0], shape)
    if name == "softmax":
        Y = np.eye(shape[1])[rng.integers(shape[1], size=shape[0])]
        soft = rng.random(shape) * (rng.random(shape) < 0.7) + 1e-9
        return np.where(rng.random((shape[0], 1)) < 0.5, Y, soft / soft.sum(axis=1, keepdims=True))
    return rng.standard_normal(shape)


def outputs(rng, size, shape):
    """Outputs of a size, some equal, some at the kink of a margin."""
    f = size * rng.standard_normal(shape)
    return np.where(rng.random(shape) < 0.2, rng.choice([0.0, 1.0, -1.0, f.flat[0]], shape), f)


@hst.composite
def cases(draw, names=NAMES):
    """(loss, f, Y, rng): a loss with outputs (N, n_out) and targets."""
    name, rng = draw(hst.sampled_from(names)), np.random.default_rng(draw(hst.integers(0, 2**32)))
    shape = draw(hst.integers(1, 5)), draw(hst.integers(1, 5))
    return LOSSES[name], outputs(rng, draw(sizes), shape), targets(rng, name, shape), rng


def balls(loss, f, Y):
    ctx.prec = oracle.BITS
    return [oracle.loss(loss.name, row, y) for row, y in zip(f.tolist(), Y.tolist())]


# ---------------------------------------------------------------- losses by themselves


@given(cases())
def test_values_are_those_of_ball_arithmetic(case):
    loss, f, Y, _ = case
    for value, true in zip(loss.value(f, Y).tolist(), balls(loss, f, Y)):
        assert abs(arb(value) - true) <= arb(2e-13) * true + arb(1e-300)  # exponents down to -745


@instances(300)
@given(cases(), hst.sampled_from([0.0, 1e-15, 1e-6, 0.1, 1.0, 100.0]))
def test_bounds_over_a_box_hold_at_its_corners_and_inside_and_at_a_point_are_the_value(case, share):
    loss, f, Y, rng = case
    radius = share * np.abs(outputs(rng, 1.0, f.shape)) * (1 + np.abs(f).max())
    low, high = loss.lower(f, radius, Y), loss.upper(f, radius, Y)
    sides = [np.full(f.shape, s) for s in (-1.0, 0.0, 1.0)] + [
        -np.sign(Y),
        np.sign(Y - 0.5),
        *rng.uniform(-1, 1, (3, *f.shape)),
    ]
    for side in sides:
        moved = [
            [arb(c) + arb(s) * arb(r) for c, s, r in zip(*rows)]
            for rows in zip(f.tolist(), side.tolist(), radius.tolist())
        ]
        ctx.prec = oracle.BITS
        for a, b, row, y in zip(low.tolist(), high.tolist(), moved, Y.tolist()):
            true = oracle.loss(loss.name, row, y)
            assert not true < arb(a)
            assert not true > arb(b)
    if share == 0:
        assert (low <= high).all()
        assert (high <= low * (1 + 1e-12) + 1e-15 * Y.shape[1] + 3e-300).all() or loss.name == "softmax"
        assert (high <= low + 1e-12 * (1 + high + np.abs(f).max())).all() or loss.name != "softmax"


@given(cases())
def test_slopes_are_subgradients(case):
    """l(g) >= l(f) + <slope, g - f> for every g: convexity and slope in one."""
    loss, f, Y, rng = case
    slope = loss.slope(f, Y)
    for step in (1e-3, 1.0, 1e3):
        g = f + step * rng.standard_normal(f.shape)
        change = (slope * (g - f)).sum(axis=1)
        size = 1 + np.abs(loss.value(f, Y)) + np.abs(loss.value(g, Y)) + (np.abs(slope) * np.abs(g - f)).sum(axis=1)
        assert (loss.value(g, Y) >= loss.value(f, Y) + change - 1e-12 * size).all()


@given(cases(), hst.sampled_from([1e-2, 1.0, 30.0]))
def test_constants_of_smoothness_and_lipschitz_constants_hold(case, step):
    loss, f, Y, rng = case
    assume(np.abs(f).max() < 1e5)
    g = f + step * rng.standard_normal(f.shape)
    distance = np.linalg.norm(g - f, axis=1)
    rise = loss.value(g, Y) - loss.value(f, Y)
    size = 1e-12 * (1 + np.abs(loss.value(g, Y)) + np.abs(loss.value(f, Y)))
    if math.isfinite(loss.smoothness):
        first = (loss.slope(f, Y) * (g - f)).sum(axis=1)
        assert (rise <= first + loss.smoothness / 2 * distance**2 + size + 1e-12 * np.abs(first)).all()
    L = loss.lipschitz(f.shape[1])
    assert (np.abs(rise) <= (L * distance if math.isfinite(L) else np.inf) + size).all()


@pytest.mark.parametrize(
    ("name", "f", "g", "y"),
    [
        ("squared", [0.0], [1.0], [0.0]),
        ("logistic", [0.0], [1e-3], [1.0]),
        ("softmax", [0.0, 0.0], [1e-3, -1e-3], [1.0, 0.0]),
    ],
)
def test_a_smaller_constant_of_smoothness_is_refuted(name, f, g, y):
    loss, f, g, Y = LOSSES[name], np.array([f]), np.array([g]), np.array([y])
    second = loss.value(g, Y) - loss.value(f, Y) - (loss.slope(f, Y) * (g - f)).sum(axis=1)
    assert second[0] > 0.99 * loss.smoothness / 2 * ((g - f) ** 2).sum()


@pytest.mark.parametrize(("name", "far"), [("absolute", 3.0), ("logistic", -50.0), ("hinge", -3.0)])
def test_a_smaller_lipschitz_constant_is_refuted(name, far):
    loss, Y = LOSSES[name], np.ones((1, 4))
    f, g = np.full((1, 4), far), np.full((1, 4), far + math.copysign(1.0, far))
    assert abs(loss.value(g, Y) - loss.value(f, Y))[0] > 0.99 * loss.lipschitz(4) * 2
    s, Y = LOSSES["softmax"], np.array([[1.0, 0.0]])
    f, g = np.array([[-50.0, 50.0]]), np.array([[-51.0, 51.0]])
    assert abs(s.value(g, Y) - s.value(f, Y))[0] > 0.99 * s.lipschitz(2) * math.sqrt(2)
    assert s.lipschitz(1) == 0


def test_values_are_those_of_scipy_and_scikit_learn():
    special = pytest.importorskip("scipy.special")
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    f, labels = 3 * rng.standard_normal((40, 4)), np.append(np.arange(4), rng.integers(0, 4, 36))
    Y = np.eye(4)[labels]
    soft = LOSSES["softmax"].value(f, Y)
    assert np.allclose(soft, -special.log_softmax(f, axis=1)[np.arange(40), labels], rtol=1e-13)
    assert soft.mean() == pytest.approx(metrics.log_loss(labels, special.softmax(f, axis=1)), rel=1e-13)
    assert np.allclose(LOSSES["softmax"].slope(f, Y), special.softmax(f, axis=1) - Y, atol=1e-15)
    sign = rng.choice([-1.0, 1.0], (40, 1))
    logistic = LOSSES["logistic"].value(f[:, :1], sign).mean()
    assert logistic == pytest.approx(metrics.log_loss(sign[:, 0], special.expit(f[:, 0])), rel=1e-13)
    assert LOSSES["hinge"].value(f[:, :1], sign).mean() == pytest.approx(metrics.hinge_loss(sign[:, 0], f[:, 0]))
    assert LOSSES["squared"].value(f, Y).mean() == pytest.approx(4 * metrics.mean_squared_error(Y, f))
    assert LOSSES["absolute"].value(f, Y).mean() == pytest.approx(4 * metrics.mean_absolute_error(Y, f))


def test_exp_log1p_and_powers_are_as_accurate_as_the_rounding_model_assumes():
    rng, worst = np.random.default_rng(0), 0.0
    ctx.prec = 160
    x = np.concatenate([-(10.0 ** rng.uniform(-16, 2.84, 6000)), rng.uniform(-40, 0, 6000)])
    for computed, function in ((np.exp(x), "exp"), (np.log1p(np.exp(x)), "log1p")):
        for value, at in zip(computed.tolist(), (x if function == "exp" else np.exp(x)).tolist()):
            true = getattr(arb(at), function)()
            worst = max(worst, float((abs(arb(value) - true) / true).mid()))
    for p in (1.5, 2.0, 3.0, 7.3):  # powers of singular values
        s = 10.0 ** rng.uniform(-9, 9, 2000)
        for value, at in zip((s**p).tolist(), s.tolist()):
            true = arb(at) ** arb(p)
            worst = max(worst, float((abs(arb(value) - true) / true).mid()))
    assert worst < losses.LIBM / 2


@each_loss
def test_a_bound_from_logs_rounded_down_is_caught(name):
    """The planted fault: the value as computed, taken for a bound. Half of the points are above it."""
    loss, rng = LOSSES[name], np.random.default_rng(1)
    f, Y = outputs(rng, 3.0, (60, 3)), targets(rng, name, (60, 3))
    above = [true > arb(value) for true, value in zip(balls(loss, f, Y), loss.value(f, Y).tolist())]
    honest = [true > arb(value) for true, value in zip(balls(loss, f, Y), loss.upper(f, 0 * f, Y).tolist())]
    assert sum(above) > 5
    assert not any(honest)


@each_loss
def test_where_floats_overflow_a_loss_is_infinite_and_a_bound_is_none(name):
    loss, Y = LOSSES[name], np.array([[1.0, 0.0]]) if name == "softmax" else np.array([[1.0, -1.0]])
    for f in ([[np.inf, 0.0]], [[-np.inf, 0.0]], [[np.nan, 0.0]], [[np.inf, np.inf]]):
        with np.errstate(all="ignore"):
            assert not np.isfinite(loss.value(np.array(f), Y)).any()
            assert not np.isfinite(loss.upper(np.array(f), np.full((1, 2), np.inf), Y)).any()
    for f in ([[800.0, -800.0]], [[-800.0, 800.0]], [[1e300, -1e300]]):
        with np.errstate(over="ignore"):
            assert np.isfinite(loss.value(np.array(f), Y)).all() or name == "squared"


def test_labels_in_one_column_are_classes_where_the_network_has_several_outputs():
    X, net = np.ones((4, 2)), Network((2, 3, 3))
    labelled, one_hot = (Risk(net, Sample(X, Y), "softmax") for Y in ([0, 2, 1, 1], np.eye(3)[[0, 2, 1, 1]]))
    assert np.array_equal(labelled.sample.Y, one_hot.sample.Y)
    theta = np.arange(15.0) / 10
    assert labelled(theta) == one_hot(theta)
    for bad in ([0, 1, 3, 1], [0, 0.5, 1, 1], [0, -1, 1, 1]):
        with pytest.raises(ValueError, match=r"^Y must hold labels 0, ..., 2"):
            Risk(net, Sample(X, bad), "softmax")


def test_probabilities_from_single_precision_are_scaled_and_exact_ones_are_kept_to_the_bit():
    Y = np.random.default_rng(0).dirichlet(np.ones(3), 5).astype(np.float32)
    risk = Risk(Network((1, 3)), Sample(np.ones((5, 1)), Y), "softmax")
    assert np.allclose(risk.sample.Y.sum(axis=1), 1, rtol=0, atol=1e-15)
    kept = np.array([[0.25, 0.75, 0.0], [1.0, 0.0, 0.0]])
    assert np.array_equal(Risk(Network((1, 3)), Sample(np.ones((2, 1)), kept), "softmax").sample.Y, kept)


# ---------------------------------------------------------------- risks: every loss with every penalty


def problem(seed, name, kind, *, deep=True, output=None, exponents=None):
    """(risk, theta_0, theta_1) with hidden widths at most 2, so that singular values have closed forms."""
    rng = np.random.default_rng(seed)
    hidden = rng.integers(1, 3, size=rng.integers(2, 4) if deep else 1).tolist()
    hidden = hidden[:1] if kind == "second_layer_l1" else hidden
    n_out = int(rng.integers(2, 4) if name == "softmax" else rng.integers(1, 3))
    activations = ("relu", "identity", "tanh", "sigmoid")
    net = Network(
        (int(rng.integers(1, 4)), *hidden, n_out),
        activations[rng.integers(4)],
        output or activations[rng.integers(4) if rng.random() < 0.3 else 1],
        bias=bool(rng.integers(2)) and kind != "schatten",
    )
    count = int(rng.integers(1, 5))
    sample = Sample(
        rng.standard_normal((count, net.widths[0])), targets(rng, name, (count, n_out)), rng.random(count) + 0.1
    )
    if kind == "schatten" and exponents is None:
        exponents = (None, 1.0, 2.0, 3.5)[rng.integers(4)]
    risk = Risk(net, sample, name, 0.3 if kind else 0.0, kind, exponents)
    a, b = 10.0 ** rng.uniform(-1, 0.7) * rng.standard_normal((2, net.size))
    if rng.random() < 0.3:  # dead and idle units, zero rows
        a[rng.random(net.size) < 0.4] = 0.0
    return risk, a, b


pairs = pytest.mark.parametrize(("name", "kind"), list(itertools.product(NAMES, KINDS)))


@pairs
def test_the_risk_is_its_definition_and_a_batch_is_its_calls(name, kind):
    for seed in range(12):
        risk, a, b = problem(seed, name, kind)
        values = risk.batch(np.stack([a, b]))
        for theta, value in zip((a, b), values.tolist()):
            true = oracle.risk_at(risk, theta, theta, 0)
            assert abs(arb(value) - true) <= arb(1e-11) * (1 + true)
            assert value == pytest.approx(risk(theta), rel=1e-12)
            assert risk.regulariser(theta) == pytest.approx(risk.regulariser(np.stack([theta, b]))[0], rel=1e-13)


@pairs
def test_the_gradient_is_the_directional_derivative(name, kind):
    tried = 0
    for seed in range(25):
        risk, a, _ = problem(seed, name, kind)
        rng = np.random.default_rng(seed)
        u = rng.standard_normal(a.size)
        slopes = []
        for h in (1e-5, 2e-5):  # away from kinks both agree
            slopes.append((risk(a + h * u) - risk(a - h * u)) / (2 * h))
        sided = [(risk(a + s * 1e-5 * u) - risk(a)) / (s * 1e-5) for s in (1, -1)]
        size = 1 + np.abs(risk.gradient(a)) @ np.abs(u)
        if abs(slopes[0] - slopes[1]) > 1e-6 * size or abs(sided[0] - sided[1]) > 1e-3 * size:
            continue
        tried += 1
        assert risk.gradient(a) @ u == pytest.approx(slopes[0], abs=2e-5 * size)
    assert tried >= 8


@pairs
def test_a_certified_maximum_holds_in_ball_arithmetic_and_its_value_is_attained(name, kind):
    for seed in range(6):
        risk, a, b = problem(seed, name, kind)
        found = segment_maximum(risk, a, b, gap=1e-3, budget=4000)
        for t in np.linspace(0, 1, 21):
            assert not oracle.risk_at(risk, a, b, t) > arb(found.upper), (seed, t)
        assert not oracle.risk_at(risk, a, b, found.t) < arb(found.value)
        assert risk.batch(a + found.t * (b - a)) == pytest.approx(found.value, rel=1e-8, abs=1e-9 * risk.scale)
        if found.status is Status.CONVERGED:
            assert found.upper <= found.value * (1 + 1.001e-3) + 2e-9 * risk.scale
        assert found.status in (Status.CONVERGED, Status.BUDGET)


@pairs
def test_enclosures_hold_over_cells_and_at_points(name, kind):
    for seed in range(8):
        risk, a, b = problem(seed, name, kind)
        rng = np.random.default_rng(seed)
        for width in (0.0, 1e-9, 1e-3, 0.1, 1.0):
            lo = float(rng.uniform(0, 1 - width))
            cell = np.array([lo]), np.array([min(lo + width, 1.0)])
            upper = float(taylor_models.upper_bounds(risk, a[None], b[None], *cell)[0])
            for t in np.linspace(cell[0][0], cell[1][0], 4):
                assert not oracle.risk_at(risk, a, b, t) > arb(upper)
        low, high = (float(v[0]) for v in taylor_models.point_bounds(risk, a[None], b[None], np.array([lo])))
        true = oracle.risk_at(risk, a, b, lo)
        assert not true < arb(low)
        assert not true > arb(high)
        within = 1e-11 * (1 + high) * (1 + np.abs(a).max() + np.abs(b).max()) ** risk.network.depth
        assert high - low <= within
        fits = risk.unpenalised(((1 - lo) * a + lo * b)[None])
        low, high = (float(v[0]) for v in evaluations.enclosures(risk, a[None], b[None], np.array([lo]), fits))
        assert not true < arb(low)
        assert not true > arb(high)
        assert high - low <= 10 * within


@pairs
def test_a_segment_of_the_last_layer_is_convex_and_its_ends_decide(name, kind):
    for seed in range(10):
        risk, a, b = problem(seed, name, kind, output="identity")
        last = risk.network.slices[-1]
        b = np.concatenate([a[: last.start], b[last]])
        found = segment_maximum(risk, a, b)
        assert found.method is Method.CONVEX
        assert found.t in (0.0, 1.0)
        assert found.status is Status.CONVERGED
        top = max(float(oracle.risk_at(risk, a, b, t).mid()) for t in (0, 1))
        assert top * (1 - 1e-9) - 1e-9 <= found.value <= found.upper <= top * (1 + 1e-9) + 1e-9
        for t in np.linspace(0, 1, 9):
            assert not oracle.risk_at(risk, a, b, t) > arb(found.upper)


@pairs
def test_a_bound_without_the_penalty_and_one_with_half_the_loss_are_caught(name, kind, monkeypatch):
    """Planted faults in the enclosure: both bounds fall below the risk in balls."""
    risk, _, a = problem(3, name, kind)
    true = oracle.risk_at(risk, a, a, 0)
    at = (a[None], a[None], np.zeros(1), np.zeros(1))
    assert not true > arb(float(taylor_models.upper_bounds(risk, *at)[0]))
    if kind is not None:
        bare = Risk(risk.network, risk.sample, name)
        assert true > arb(float(taylor_models.upper_bounds(bare, *at)[0]))
    upper = LOSSES[name].upper
    monkeypatch.setattr(LOSSES[name], "upper", lambda *given: 0.5 * upper(*given), raising=False)
    assert true > arb(float(taylor_models.upper_bounds(risk, *at)[0]))


# ---------------------------------------------------------------- penalties by themselves


def penalty_of(net, kind, exponents=None):
    return PENALTIES[kind](net, exponents)


@given(hst.integers(0, 2**32), hst.booleans())
def test_the_path_norm_sees_neither_rescaling_nor_idle_units_and_is_convex_in_each_layer(seed, bias):
    rng = np.random.default_rng(seed)
    net = Network((2, 3, 4, 2), bias=bias)
    R = penalty_of(net, "path")
    theta = rng.standard_normal(net.size)
    layer = int(rng.integers(1, 3))
    moved = net.rescale(theta, layer, rng.uniform(0.1, 10, net.widths[layer]))
    assert R.value(moved) == pytest.approx(R.value(theta), rel=1e-12)
    W = net.weights(theta)
    W[layer][:, 0] = 0.0  # unit 0 of the layer is idle; a view, so theta changes
    before = R.value(theta)
    W[layer - 1][0] = rng.standard_normal(W[layer - 1].shape[1])
    assert R.value(theta) == before
    other = theta.copy()
    k = int(rng.integers(3))
    other[net.slices[k]] = rng.standard_normal(net.slices[k].stop - net.slices[k].start)
    t = rng.random()
    assert R.value((1 - t) * theta + t * other) <= ((1 - t) * R.value(theta) + t * R.value(other)) * (1 + 1e-12)


def test_the_path_norm_of_one_hidden_layer_is_the_papers_penalty_on_unit_rows_and_a_transfer_may_change_it():
    rng = np.random.default_rng(0)
    net = Network((3, 4, 1))
    W = rng.standard_normal((4, 3))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    theta = net.pack([W, rng.standard_normal((1, 4))])
    values = [penalty_of(net, kind).value(theta) for kind in ("path", "second_layer_l1")]
    assert values[0] == pytest.approx(values[1], rel=1e-13)
    pair = Network((1, 2, 1))
    R = penalty_of(pair, "path")
    assert R.value(np.array([1.0, 1.0, 1.0, -1.0])) == 2
    assert R.value(np.array([1.0, 1.0, 0.0, 0.0])) == 0


def test_the_path_norm_with_biases_is_that_of_the_net_that_carries_a_one():
    rng = np.random.default_rng(2)
    net, wide = Network((2, 3, 2, 2), bias=True), Network((3, 4, 3, 2))
    theta = rng.standard_normal(net.size)
    carry = np.zeros(net.size)
    blocks = []
    for k, W in enumerate(net.weights(theta)):
        blocks.append(W if k == 2 else np.vstack([W, np.eye(W.shape[1])[-1:]]))
    carry = wide.pack(blocks)
    assert penalty_of(net, "path").value(theta) == pytest.approx(penalty_of(wide, "path").value(carry), rel=1e-14)
    X = rng.standard_normal((5, 2))
    assert np.allclose(net(theta, X), wide(carry, np.column_stack([X, np.ones(5)])))


def test_schatten_norms_are_traces_of_powers_and_at_two_half_the_ridge():
    rng = np.random.default_rng(0)
    net = Network((3, 4, 2))
    theta = rng.standard_normal(net.size)
    W = net.weights(theta)
    assert penalty_of(net, "schatten").value(theta) == pytest.approx(theta @ theta / 2, rel=1e-14)
    traces = [np.trace(np.linalg.matrix_power(M.T @ M, 2)) / 4 for M in W]
    assert penalty_of(net, "schatten", 4).value(theta) == pytest.approx(sum(traces), rel=1e-13)
    nuclear = sum(np.linalg.norm(M, "nuc") for M in W)
    assert penalty_of(net, "schatten", [1, 1]).value(theta) == pytest.approx(nuclear, rel=1e-13)
    assert penalty_of(net, "schatten", (1, 2)).exponents == (1.0, 2.0)
    zero = np.zeros(net.size)
    assert not penalty_of(net, "schatten", 1).slope(zero).any()


@pytest.mark.parametrize("size", [1e-160, 1e-8, 1.0, 1e70])
@pytest.mark.parametrize("kind", ["path", "schatten", "ridge", "second_layer_l1"])
def test_penalties_of_points_of_any_size_are_enclosed_and_tightly(kind, size):
    rng = np.random.default_rng(0)
    for _ in range(30):
        net = Network((3, 2, 2) if kind == "second_layer_l1" or rng.random() < 0.5 else (2, 2, 2, 3))
        risk = Risk(net, Sample(np.zeros((1, net.widths[0])), np.zeros((1, net.widths[-1]))), kappa=1.0, penalty=kind)
        theta = size * rng.standard_normal(net.size)
        ctx.prec = oracle.BITS
        true = oracle.penalty(risk, [arb(v) for v in theta.tolist()])
        still = np.zeros((1, net.size))
        low, high = risk.R.lower(theta[None], still)[0], risk.R.upper(np.stack([theta[None]] * 2), still)[0, 0]
        assert not true < arb(float(low))
        assert not true > arb(float(high))
        assert high - low <= 1e-12 * high + 1e-290


@instances(80)
@given(hst.integers(0, 2**32), hst.sampled_from([1e-3, 1e-2, 0.2, 1.0]))
def test_the_path_norm_over_a_cell_is_below_its_chord_and_the_excess_is_of_second_order(seed, width):
    rng = np.random.default_rng(seed)
    net = Network((2, 3, 3, 2), bias=bool(seed % 2))
    R = penalty_of(net, "path")
    a, b = rng.standard_normal((2, net.size))
    ends = np.stack([a, a + width * (b - a)])
    chord = R.upper(ends[:, None], np.zeros((1, net.size)))[:, 0]
    t = np.linspace(0, 1, 33)
    inside = R.value((1 - t)[:, None] * ends[0] + t[:, None] * ends[1])
    assert (inside <= ((1 - t) * chord[0] + t * chord[1]) * (1 + 1e-13)).all()
    kinks = (np.sign(ends[0]) != np.sign(ends[1])).any()
    if not kinks:
        assert chord.max() - R.value(ends).max() <= 200 * width**2 * (1 + np.abs(a).max() + np.abs(b).max()) ** 4


def test_without_the_bend_of_its_products_the_path_norm_is_not_bounded_over_a_cell(monkeypatch):
    """The planted fault: u v at the ends only. With u rising and v falling the product is larger inside."""
    net = Network((1, 1, 1))
    R = penalty_of(net, "path")
    ends = np.array([[[0.0, 1.0]], [[1.0, 0.0]]])
    assert R.upper(ends, np.zeros((1, 2))).max() >= 0.25
    monkeypatch.setattr("theory.penalties._bend", lambda W, q: np.zeros((1, 1, 1)))
    assert R.upper(ends, np.zeros((1, 2))).max() < 0.25


def test_singular_values_off_by_rounding_are_caught(monkeypatch):
    """The planted fault: LAPACK's singular values as they come."""
    rng, missed, low = np.random.default_rng(0), 0, 0
    net = Network((2, 2, 2))
    risk = Risk(net, Sample(np.zeros((1, 2)), np.zeros((1, 2))), kappa=1.0, penalty="schatten", exponents=3.0)
    for _ in range(60):
        theta = rng.standard_normal(net.size)
        ctx.prec = oracle.BITS
        true = oracle.penalty(risk, [arb(v) for v in theta.tolist()])
        missed += true > arb(float(risk.R.value(theta)))
        low += true > arb(float(risk.R.upper(np.stack([theta[None]] * 2), np.zeros((1, net.size)))[0, 0]))
    assert missed > 10
    assert low == 0


def cancelling(rng, name, activation):
    """(risk, theta): features that cancel in the output down to rounding, beside targets 0 or of size one."""
    net = Network((2, 3, 4, 1 + (name == "softmax")), activation, bias=bool(rng.integers(2)))
    W = net.weights(np.zeros(net.size))
    W[0][:] = 10.0 ** rng.uniform(-6, 2) * rng.standard_normal(W[0].shape)
    W[1][:] = 10.0 ** rng.uniform(0, 6) * rng.standard_normal(W[1].shape)
    W[1][:, 0] = -W[1][:, 1:3].sum(axis=1)  # features that are nearly equal cancel
    W[2][:] = rng.standard_normal(W[2].shape)
    X = rng.standard_normal((3, 2))
    theta = net.pack(W)
    Y = np.zeros((3, 1)) if name in ("squared", "absolute") else targets(rng, name, (3, net.widths[-1]))
    return Risk(net, Sample(X, Y), name), theta


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "identity"])
@each_loss
def test_values_in_floats_are_enclosed_where_features_cancel(name, activation):
    rng, above, below = np.random.default_rng(0), 0, 0
    for _ in range(40):
        risk, theta = cancelling(rng, name, activation)
        true, value = oracle.risk_at(risk, theta, theta, 0), risk(theta)
        above, below = above + (arb(value) > true), below + (arb(value) < true)
        zero = np.zeros(1)
        for low, high in (
            evaluations.enclosures(risk, theta[None], theta[None], zero, np.array([value])),
            taylor_models.point_bounds(risk, theta[None], theta[None], zero),
        ):
            assert not arb(float(low[0])) > true
            assert not true > arb(float(high[0]))
    assert min(above, below) > 2  # the value as computed is no bound


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_values_without_the_rounding_of_features_are_caught(activation, monkeypatch):
    """The planted fault: matrix products count as exact."""
    monkeypatch.setattr(evaluations, "gamma", lambda n: 0.0)
    monkeypatch.setattr(evaluations, "UNIT", 0.0)
    monkeypatch.setattr(evaluations, "LIBM", 0.0)
    rng, caught = np.random.default_rng(0), [0, 0]
    for _ in range(40):
        risk, theta = cancelling(rng, "squared", activation)
        value, true = np.array([risk(theta)]), oracle.risk_at(risk, theta, theta, 0)
        low, high = evaluations.enclosures(risk, theta[None], theta[None], np.zeros(1), value)
        caught[0] += arb(float(low[0])) > true
        caught[1] += arb(float(high[0])) < true
    assert min(caught) > 2


# ---------------------------------------------------------------- constant pieces


def transfer(rng, name, kind, *, between_copies=True):
    """A deep net, the outgoing weights of unit 0 of layer 1 moving to unit 1; the rows of both are equal, or not."""
    n_out = 3 if name == "softmax" else 2
    net = Network((2, 3, 3, n_out), "relu", bias=bool(rng.integers(2)))
    W = net.weights(rng.standard_normal(net.size))
    if between_copies:
        W[0][1] = W[0][0]
    W[1][:, 1] = 0.0
    moved = W[1].copy()
    moved[:, [0, 1]] = moved[:, [1, 0]]
    sample = Sample(rng.standard_normal((6, 2)), targets(rng, name, (6, n_out)))
    risk = Risk(net, sample, name, 0.3 if kind else 0.0, kind)
    return risk, net.pack(W), net.pack([W[0], moved, W[2]])


@pytest.mark.parametrize(("name", "kind"), list(itertools.product(NAMES, (None, "ridge", "path", "schatten"))))
def test_a_transfer_between_copies_is_constant_and_its_ends_decide(name, kind):
    rng = np.random.default_rng(0)
    for _ in range(5):
        risk, a, b = transfer(rng, name, kind)
        found = segment_maximum(risk, a, b)
        assert found.method is Method.CONSTANT
        assert found.status is Status.CONVERGED
        X = 10 * rng.standard_normal((7, 2))
        middle = 0.5 * a + 0.5 * b
        assert np.allclose(risk.network(a, X), risk.network(middle, X), rtol=1e-12, atol=1e-12)
        for t in np.linspace(0, 1, 7):
            true = oracle.risk_at(risk, a, b, t)
            assert not true > arb(found.upper)
        if kind is None or kind == "path":  # the target was idle: R stays as well
            assert found.value == pytest.approx(float(true.mid()), rel=1e-10)


def test_what_is_not_constant_is_not_called_so():
    rng = np.random.default_rng(1)
    risk, a, b = transfer(rng, "squared", "ridge", between_copies=False)
    assert not segments.is_constant_along(risk, a, b)
    risk, a, b = transfer(rng, "squared", "ridge")
    net = risk.network
    assert segments.is_constant_along(risk, a, b)
    assert segments.is_constant_along(risk, a, a)
    for change in (
        lambda W: W[1].__setitem__((0, 1), W[1][0, 1] * (1 + 2.0**-50)),  # the sum of the changes is not exactly zero
        lambda W: W[0].__setitem__((1, 0), np.nextafter(W[0][1, 0], 9.0)),  # the rows are not equal at one end
        lambda W: W[2].__setitem__((0, 0), W[2][0, 0] + 1.0),  # another layer moves too
        lambda W: W[1].__setitem__((0, 2), W[1][0, 2] + 1.0),  # a unit that is no copy gains
    ):
        W = [M.copy() for M in net.weights(b)]
        change(W)
        assert not segments.is_constant_along(risk, a, net.pack(W))
    biased = Network((2, 3, 3, 1), bias=True)
    W = [M.copy() for M in biased.weights(rng.standard_normal(biased.size))]
    W[0][1] = W[0][0]
    W[0][1, -1] += 1.0  # equal weights, another bias
    a = biased.pack(W)
    W[1][:, 1] += W[1][:, 0]
    W[1][:, 0] = 0.0
    risk = Risk(biased, Sample(np.ones((1, 2)), np.ones((1, 1))))
    assert not segments.is_constant_along(risk, a, biased.pack(W))


def test_a_transfer_to_a_busy_copy_keeps_the_function_and_the_larger_end_bounds_the_path_norm():
    """Errata of the mechanism: R is convex, not constant; from (1, -1) on equal rows it falls from 2 to 0."""
    net = Network((1, 2, 2, 1))
    rows, last = [[1.0], [1.0]], [[1.0, 1.0]]
    a, b = net.pack([rows, [[1.0, -1.0], [0.5, 0.5]], last]), net.pack([rows, [[0.0, 0.0], [0.5, 0.5]], last])
    risk = Risk(net, Sample([[1.0]], [1.0]), kappa=1.0, penalty="path")
    for start, end in ((a, b), (b, a)):
        found = segment_maximum(risk, start, end)
        assert found.method is Method.CONSTANT
        assert found.value == pytest.approx(3.0, rel=1e-12)
        assert found.t == (0.0 if start is a else 1.0)
        assert found.upper == pytest.approx(3.0, rel=1e-12)


def test_a_wrong_rule_for_constant_pieces_is_caught(monkeypatch):
    """The planted fault: any exchange of outgoing weights counts as silent. Then the bound falls below the risk."""
    rng, caught = np.random.default_rng(2), 0
    monkeypatch.setattr(segments, "_constant", lambda *given: True)
    for _ in range(30):
        risk, a, b = transfer(rng, "logistic", None, between_copies=False)
        found = segment_maximum(risk, a, b)
        assert found.method is Method.CONSTANT
        caught += any(oracle.risk_at(risk, a, b, t) > arb(found.upper) for t in np.linspace(0, 1, 21))
    assert caught > 2


# ---------------------------------------------------------------- units


@instances(80)
@given(
    hst.integers(0, 2**32),
    hst.integers(-300, 300),
    hst.integers(-300, 300),
    hst.sampled_from(NAMES),
    hst.sampled_from([None, "path", "second_layer_l1"]),
)
def test_values_gradients_and_certified_maxima_are_equivariant_under_powers_of_two(seed, x, y, name, kind):
    """X -> 2^x X and W_1 -> 2^-x W_1 is the same function; with Y -> 2^y Y, W_K -> 2^y W_K all risks scale alike.

    Squared: by 2^(2y), absolute: by 2^y; the others know no unit of Y. The penalties scale with the layers they see.
    """
    rng = np.random.default_rng(seed)
    y = y if name in ("squared", "absolute") else 0
    shallow = bool(seed % 2) or kind == "second_layer_l1"
    net = Network((2, 3, 2) if shallow else (2, 2, 3, 2), ("relu", "tanh")[seed % 3 == 0])
    X, Y = rng.standard_normal((5, 2)), targets(rng, name, (5, 2))
    a, b = rng.standard_normal((2, net.size))
    factors = net.pack([np.full(s, 2.0 ** {0: -x, net.depth - 1: y}.get(k, 0)) for k, s in enumerate(net.shapes)])
    unit = 2 * y if name == "squared" else y
    kappa = unit - y + (x if kind == "path" else 0)
    assume(abs(kappa) < 500)
    one = Risk(net, Sample(X, Y), name, 0.25 if kind else 0.0, kind)
    other = Risk(net, Sample(2.0**x * X, 2.0**y * Y), name, one.kappa * 2.0**kappa, kind)
    assert other(factors * a) == 2.0**unit * one(a)
    assert np.allclose(other.gradient(factors * a), 2.0**unit * one.gradient(a) / factors, rtol=1e-13, atol=0)
    here, there = segment_maximum(one, a, b, budget=300), segment_maximum(other, factors * a, factors * b, budget=300)
    assert (there.method, there.status) == (here.method, here.status)
    assert there.value == pytest.approx(2.0**unit * here.value, rel=1e-9, abs=0)
    assert there.upper == pytest.approx(2.0**unit * here.upper, rel=1e-9, abs=0)


def test_a_scale_of_one_whatever_the_units_is_caught(monkeypatch):
    """The planted fault: closeness measured against 1. With targets of 2^-60 every first bound would do."""
    rng = np.random.default_rng(0)
    net = Network((1, 3, 2, 1), "tanh")
    risk = Risk(net, Sample(rng.standard_normal((4, 1)), 2.0**-60 * rng.standard_normal((4, 1))))
    a, b = rng.standard_normal((2, net.size))
    a[net.slices[-1]] *= 2.0**-60
    b[net.slices[-1]] *= 2.0**-60
    found = segment_maximum(risk, a, b, gap=1e-3)
    assert found.upper <= found.value * (1 + 1.001e-3)
    monkeypatch.setattr(segments, "_scale", lambda risk: 1.0)
    found = segment_maximum(risk, a, b, gap=1e-3)
    assert found.upper > found.value * (1 + 2e-3)


def test_a_risk_that_vanishes_altogether_is_converged():
    """Y = 0 and the zero net: its scale is 0 too, and what is left is the smallest number that is told from it."""
    for widths in ((1, 2, 1), (1, 2, 2, 1)):
        risk = Risk(Network(widths), Sample([[1.0]], [0.0]))
        found = segment_maximum(risk, np.zeros(risk.network.size), np.zeros(risk.network.size))
        assert (found.value, found.status) == (0.0, Status.CONVERGED)
        assert 0 <= found.upper < 1e-290
        moved = np.zeros(risk.network.size)
        moved[0] = 1.0
        moved[-1] = 1.0
        found = segment_maximum(risk, np.zeros(risk.network.size), moved)
        assert found.status is Status.CONVERGED


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", list(PENALTIES))
def test_kappa_counts_in_its_own_unit(name, kind):
    """F is linear in kappa, and a penalty of degree one in a layer takes the unit of that layer."""
    risk, a, _ = problem(5, name, kind)
    bare, R = Risk(risk.network, risk.sample, name), risk.regulariser(a) / risk.kappa
    for exponent in (-200, -3, 0, 9):
        kappa = 2.0**exponent
        scaled = Risk(risk.network, risk.sample, name, kappa, kind, risk.exponents)
        assert scaled(a) == pytest.approx(bare(a) + kappa * R, rel=1e-13)
        found = path_maximum(scaled, Path(a[None]))
        true = oracle.risk_at(scaled, a, a, 0)
        assert not true > arb(found.upper)
        assert not true < arb(found.value)


# ---------------------------------------------------------------- what others do with them


@given(cases(), hst.sampled_from([1e-2, 1.0, 10.0]))
def test_the_quadratic_of_a_trainer_is_above_the_loss_and_touches_it(case, step):
    """Without smoothing (floor 0), away from the kink itself."""
    loss, f, Y, rng = case
    assume(np.abs(f).max() < 1e5)
    kink = np.abs(f - Y) if loss.name == "absolute" else np.abs(1 - Y * f)
    assume(loss.name not in ("absolute", "hinge") or kink.min() > 1e-6)
    slope, bend = loss.majorant(f, Y, 0.0)
    d = step * rng.standard_normal(f.shape)
    model = loss.value(f, Y) + (slope * d).sum(axis=1) + 0.5 * (bend * d**2).sum(axis=1)
    true = loss.value(f + d, Y)
    assert (true <= model + 1e-9 * (1 + np.abs(true) + (np.abs(slope * d) + bend * d**2).sum(axis=1))).all()
    assert np.allclose(slope, loss.slope(f, Y), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", [None, "path", "schatten"])
@each_loss
def test_a_string_connects_two_trained_nets_under_every_loss_and_penalty(name, kind):
    rng = np.random.default_rng(3)
    X = rng.standard_normal((30, 2))
    label = (X[:, 0] * X[:, 1] > 0).astype(int)
    Y = np.eye(2)[label] if name == "softmax" else 2.0 * label[:, None] - 1
    risk = Risk(Network((2, 6, 4, Y.shape[1]), "tanh", bias=True), Sample(X, Y), name, 1e-3 if kind else 0.0, kind)
    level = 0.8 * risk.scale
    ends = train(risk, rng.uniform(-1, 1, (2, risk.network.size)), 0.9 * level)
    assert ends.reached.all()
    found = greedy(risk, *ends.points, level, rng=0)
    assert found.status.name == "CONNECTED"
    certified = path_maximum(risk, found.path, ceiling=level)
    assert certified.upper <= level
    assert risk.batch(found.path.at(np.linspace(0, 1, 200))).max() <= level


def test_those_who_know_squared_and_absolute_only_refuse_the_others(tmp_path):
    X, Y = np.ones((2, 1)), np.array([[1.0], [-1.0]])
    linear = Risk(Network((1, 2, 1), "identity"), Sample(X, Y), "logistic")
    relu = Risk(Network((1, 2, 1)), Sample(X, Y), "squared", 0.1, "path")
    calls = [
        lambda: products.best_product(linear),
        lambda: polynomial_tasks.best_constant(linear),
        lambda: relu_problem.checked(relu, np.zeros(4)),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"^risk"):
            call()
    with pytest.raises(ValueError, match=r"^the verifier knows the penalties .* got 'path'"):
        document.text(relu, Path(np.zeros((2, 4))), 1.0)
    assert not quartic.applies(relu)
    assert quartic.applies(Risk(relu.network, relu.sample, "squared", 0.0, "path"))
