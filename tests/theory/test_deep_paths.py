"""Theorem 2.4 at any depth: pieces that are silent or refits, the bound of Lemma 2 by exact means, and what must fail."""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory import deep_paths
from theory.crossing import used_units
from theory.deep_paths import allowance, best_head, bound, connect, masses, plan, refits, tree
from theory.deep_paths.halves import Half, nothing
from theory.maxima import Method, segment_maxima
from theory.moves import Walk
from theory.networks import Network
from theory.risk import LOSSES, Risk, Sample

seeds = st.integers(0, 2**32 - 1)
KINDS = ("plain", "zero layer", "equal rows", "dead units", "tiny and huge", "integers", "fitted")
DIRECT = {Method.CONVEX, Method.CONSTANT}


def targets(rng, loss, N, n_out):
    if loss in ("logistic", "hinge"):
        return rng.choice([-1.0, 1.0], (N, n_out))
    if loss == "softmax":
        return rng.dirichlet(np.ones(n_out), N)
    return rng.standard_normal((N, n_out))


def degenerate(rng, risk, kind):
    """A parameter vector with the degeneracy asked for."""
    net = risk.network
    W = [rng.standard_normal(shape) / np.sqrt(shape[1]) for shape in net.shapes]
    j = int(rng.integers(0, net.depth))
    if kind == "zero layer":
        W[j][:] = 0
    elif kind == "equal rows":
        W[0][1] = W[0][0]
        W[-1][:, 1] = -W[-1][:, 0]
    elif kind == "dead units":
        W[0][: 1 + net.hidden[0] // 2] = 0
        W[-1][:, 0] = 0
    elif kind == "tiny and huge":
        W[j] *= 1e-5
        W[(j + 1) % net.depth] *= 1e5
    elif kind == "integers":
        W = [rng.integers(-1, 2, w.shape).astype(float) for w in W]
    elif kind == "fitted":
        theta = net.pack(W)
        Z = net.augment(net.features(theta, risk.sample.X, len(net.hidden))[:, : net.hidden[-1]])
        q = net.augment(masses(risk, theta).q[-1])
        W[-1] = best_head(risk, Z, q, W[-1])
    return net.pack(W)


def problem(rng, *, loss=None, depth=None, kinds=None, activation="relu", bias=None, n_out=None):
    depth, loss = depth or int(rng.integers(2, 5)), loss or LOSSES[rng.integers(len(LOSSES))]
    n_in, N = (int(rng.integers(1, 4)) for _ in range(2))
    N, n_out = 4 * N, n_out or int(rng.integers(1, 4))
    hidden = rng.integers(2, 9, depth - 1).tolist()
    bias = bool(rng.integers(2)) if bias is None else bias
    penalty = ("path", None, "second_layer_l1")[rng.integers(2 + (depth == 2))]
    kappa = 0.0 if penalty is None else float(10 ** rng.uniform(-3, 0))
    sample = Sample(rng.standard_normal((N, n_in)), targets(rng, loss, N, n_out), rng.integers(1, 4, N).astype(float))
    risk = Risk(Network((n_in, *hidden, n_out), activation, bias=bias), sample, loss=loss, kappa=kappa, penalty=penalty)
    kinds = kinds or [KINDS[k] for k in rng.integers(0, len(KINDS), 2)]
    return risk, *(degenerate(rng, risk, kind) for kind in kinds)


def sizes(net, theta, X):
    """(n_out,) at most of sums of moduli in the forward pass: what roundings of the outputs are relative to."""
    h = np.abs(net.augment(X))
    for k, W in enumerate(net.weights(theta), start=1):
        h = h @ np.abs(W).T + (k < net.depth)
        h = net.augment(h) if k < net.depth else h
    return float(h.max(initial=0.0))


def check_pieces(risk, found, a, b, rng):
    """One layer a piece; refits move W_K; everything else keeps function and penalty, also off the sample; the vertices decide."""
    net, points = risk.network, found.path.points
    assert np.array_equal(points[0], a)
    assert np.array_equal(points[-1], b)
    elsewhere = 3 * rng.standard_normal((7, net.widths[0]))
    for p, q, label in zip(points[:-1], points[1:], found.path.labels):
        moved = [k for k, s in enumerate(net.slices, start=1) if not np.array_equal(p[s], q[s])]
        assert len(moved) == 1, label
        if label.startswith("refit"):
            assert moved == [net.depth]
            continue
        size = max(sizes(net, theta, elsewhere) for theta in (p, q))
        for theta in (0.5 * (p + q), q):
            assert np.abs(net(theta, elsewhere) - net(p, elsewhere)).max() <= 1e-13 * size, label
            assert abs(masses(risk, theta).R - masses(risk, p).R) <= 1e-12 * masses(risk, p).R, label
    if len(found.path):
        assert set(segment_maxima(risk, points[:-1], points[1:]).method) <= DIRECT
    largest = max(risk(p) for p in points)
    slack = 1e-12 * (1 + max(sizes(net, p, risk.sample.X) for p in points)) ** 2 + 1e-12 * largest
    assert abs(found.maximum.value - largest) <= slack
    assert largest - slack <= found.maximum.upper <= largest + slack
    assert found.promised >= max(found.ends)
    assert found.maximum.value <= found.promised + slack
    assert found.promised <= max(*found.ends, risk.scale)


@instances(60)
@given(seed=seeds)
def test_every_piece_is_silent_or_a_refit(seed):
    rng = np.random.default_rng(seed)
    risk, a, b = problem(rng)
    found = connect(risk, a, b, rng=seed, tool=("both", "trees")[seed % 2])
    check_pieces(risk, found, a, b, rng)


@instances(15)
@given(seed=seeds, activation=st.sampled_from(("identity", "tanh", "sigmoid")))
def test_other_activations_keep_to_the_zero_net(seed, activation):
    rng = np.random.default_rng(seed)
    risk, a, b = problem(rng, activation=activation)
    found = connect(risk, a, b, rng=seed)
    check_pieces(risk, found, a, b, rng)
    if activation != "identity":
        assert found.promised == max(*found.ends, risk.scale)
        assert "zero net" in found.reason


@pytest.mark.parametrize("zero", [1, 2, 3])
@pytest.mark.parametrize("penalty", ["path", None])
def test_nets_that_compute_nothing(zero, penalty):
    """W_k = 0 leaves weights in other layers: they are cleared before B moves in."""
    rng = np.random.default_rng(zero)
    net = Network((2, 8, 4, 1))
    sample = Sample(rng.standard_normal((9, 2)), rng.standard_normal(9))
    risk = Risk(net, sample, kappa=0.1 if penalty else 0.0, penalty=penalty)
    W = [rng.standard_normal(shape) / 4 for shape in net.shapes]
    W[zero - 1][:] = 0
    a, b = net.pack(W), rng.standard_normal(net.size) / 4
    for ends in ((a, b), (b, a), (a, a), (a, np.zeros(net.size)), (a, net.permute(a, 1, list(range(8))[::-1]))):
        found = connect(risk, *ends, rng=0)
        check_pieces(risk, found, *ends, rng)


def test_equal_ends_stay():
    risk, a, _b = problem(np.random.default_rng(0))
    found = connect(risk, a, a)
    assert len(found.path) == 0
    assert found.maximum.value == pytest.approx(risk(a))
    assert found.halves == ((), ())


# -- the bound -----------------------------------------------------------------------------------------------------------


def wide(rng, widths=(2, 96, 24, 1)):
    """The instance on which the bound says something: kappa 1/2, zeta 1, E Y^2 = 1, and nets below 1/2."""
    net = Network(widths)
    X = np.c_[np.ones(8), 1e-3 * rng.standard_normal((8, 2 - 1))]
    X /= np.sqrt(np.linalg.eigvalsh(X.T @ X / 8)[-1] * (1 + 1e-12))
    Y = X[:, 0] / np.sqrt(np.mean(X[:, 0] ** 2))
    risk = Risk(net, Sample(X, Y), kappa=0.5, penalty="path")

    def point():
        W = [np.abs(rng.standard_normal(shape)) for shape in net.shapes]
        W[0] = np.c_[W[0][:, 0], 1e-2 * rng.standard_normal(widths[1])]
        for layer in W[1:]:  # a little cancels
            layer *= np.where(rng.uniform(size=layer.shape) < 0.01, -1, 1)
        W[-1] *= 0.75 / float(np.mean(net(net.pack(W), X)))
        return net.pack(W)

    return risk, point(), point()


@pytest.mark.parametrize("seed", range(3))
def test_the_theorem_where_it_says_something(seed):
    risk, a, b = wide(np.random.default_rng(seed))
    assert max(risk(a), risk(b)) <= 0.5
    promised = bound(risk, 0.5)
    given = 0.5 + 2 * 0.5**0.5 * 0.25 + 1 / 16 + 1 / 12  # l = 12, s_2 = 4: .9994
    by_hand = allowance(risk.criterion, 1, 0.5, 0.25, 1 / 12)
    assert by_hand == pytest.approx(0.9994, abs=1e-4)
    assert by_hand == pytest.approx(given, rel=1e-9)
    assert promised.value <= by_hand * (1 + 1e-9)
    assert promised.value < 1 <= risk.scale * (1 + 1e-9)
    assert "Theorem 2.4 at depth 3 with l = 6, s_2 = 8" in promised.reason
    for tool in ("trees", "both"):
        found = connect(risk, a, b, rng=seed, tool=tool)
        assert max(found.ends) <= found.maximum.upper <= found.promised <= promised.value
        if tool == "trees":
            assert all("tree" in half for side in found.halves for half in side)
            used = used_units(risk.network, found.path.points[len(found.path) // 2])
            assert found.promised < 1
            assert len(used) == 2


class Coins:
    """Scripted coins: `choice` takes the next digits, and the probability of the outcome is kept; all outcomes in turn."""

    def __init__(self):
        self.script, self.done = [], False

    def outcomes(self):
        while not self.done:
            self.at, self.probability, self.options = 0, 1.0, []
            yield self
            self._next()

    def choice(self, n, size, p):
        drawn = []
        for _ in range(size):
            able = np.flatnonzero(p)
            if self.at == len(self.script):
                self.script.append(0)
            self.options.append(len(able))
            k = able[self.script[self.at]]
            self.at, self.probability = self.at + 1, self.probability * p[k]
            drawn.append(k)
        return np.array(drawn, dtype=int)

    def _next(self):
        self.script = self.script[: self.at]
        while self.script and self.script[-1] == self.options[len(self.script) - 1] - 1:
            self.script.pop()
        if not self.script:
            self.done = True
        else:
            self.script[-1] += 1


def mean_over_coins(risk, theta, low, top, s):
    """Mean of E l over all outcomes, the largest path norm, and the bound of Lemma 2 for these draws."""
    weights, total, mean, largest = masses(risk, theta), 0.0, 0.0, 0.0
    chosen = deep_paths.Plan(low, top, s)
    features = risk.network.features(theta, risk.sample.X, low)[:, : risk.network.widths[low]]
    for coins in Coins().outcomes():
        half = tree(risk, theta, weights, chosen, coins)
        outputs = half.features(risk.network, features) @ half.head.T
        R = half.reach(risk.network, weights.q[low - 1], True) @ np.linalg.norm(half.head, axis=0)
        total, largest = total + coins.probability, max(largest, R)
        mean += coins.probability * (risk.sample.weights @ risk.criterion.value(outputs, risk.sample.Y))
    assert total == pytest.approx(1, abs=1e-12)
    return mean, largest, weights


def lemma(risk, theta, low, top, s, part=1.0):
    weights, size = masses(risk, theta), deep_paths.zeta(risk, theta)
    R = float(weights.top.sum())
    share = 0.0 if risk.network.activation == "identity" else part / 2
    off = R * size * share * sum(n**-0.5 for k, n in s.items() if k > low)
    D = risk(theta) - risk.kappa * weights.R
    return allowance(risk.criterion, risk.network.widths[-1], D, off, (R * size) ** 2 / top)


@instances(25)
@given(seed=seeds, loss=st.sampled_from(LOSSES), bias=st.booleans(), activation=st.sampled_from(("relu", "identity")))
def test_the_mean_over_all_coins_keeps_the_bound(seed, loss, bias, activation):
    rng = np.random.default_rng(seed)
    depth, n_out = int(rng.integers(2, 5)), int(rng.integers(1, 3))
    hidden = rng.integers(1, 3 if depth == 4 else 4, depth - 1).tolist()
    net = Network((2, *hidden, n_out), activation, bias=bias)
    risk = Risk(
        net, Sample(rng.standard_normal((2, 2)), targets(rng, loss, 2, n_out)), loss=loss, kappa=0.1, penalty="path"
    )
    theta = rng.standard_normal(net.size)
    low, top = int(rng.integers(1, depth)), int(rng.integers(1, 3))
    s = {k: int(rng.integers(1, 3)) if depth < 4 else 1 for k in range(low + 1, depth)}
    mean, largest, weights = mean_over_coins(risk, theta, low, top, s)
    assert mean <= lemma(risk, theta, low, top, s) * (1 + 1e-12)
    assert largest <= weights.R * (1 + 1e-12)


def cancelling(m=2):
    """x = 1, y = -1, rows (1, -1)/2 that cancel, nothing computed: where the b of the lemma is attained."""
    net = Network((1, m, m, 1))
    row = np.where(np.arange(m) % 2, -1.0, 1.0) / m
    theta = net.pack([np.ones((m, 1)), np.tile(row, (m, 1)), np.full((1, m), 1 / m)])
    return Risk(net, Sample([[1.0]], [[-1.0]])), theta


@pytest.mark.parametrize("top", [1, 2, 3])
def test_the_bias_is_sharp_and_half_of_it_is_refuted(top):
    risk, theta = cancelling()
    mean, _largest, _weights = mean_over_coins(risk, theta, 1, top, {2: 1})
    exact = Fraction(9, 4) + Fraction(1, 4 * top)
    assert mean == pytest.approx(float(exact), abs=1e-12)
    assert lemma(risk, theta, 1, top, {2: 1}) == pytest.approx(9 / 4 + 1 / top, rel=1e-9)
    halved = Fraction(25, 16) + Fraction(1, top)
    assert lemma(risk, theta, 1, top, {2: 1}, part=0.5) == pytest.approx(float(halved), rel=1e-9)
    assert (exact > halved) == (top >= 2)


def test_units_dropped_without_new_weights_break_the_bound():
    """The planted fault: keep some units, but not their share of the weight of the others."""
    risk, a, _b = wide(np.random.default_rng(0))
    weights = masses(risk, a)
    chosen = plan(risk, 2, risk(a) - 0.5 * weights.R, weights.R, deep_paths.zeta(risk))
    fair = tree(risk, a, weights, chosen, np.random.default_rng(0))
    head = risk.network.weights(a)[-1][:, fair.units]
    unfair = Half(2, fair.units, (), head, "dropped")
    limit = chosen.bound + 0.5 * weights.R
    values = [
        risk(half.embedded(risk.network, a)) - 0.5 * masses(risk, half.embedded(risk.network, a)).R
        for half in (fair, unfair)
    ]
    assert values[0] + 0.5 * weights.R <= limit
    # the loss of the unfair net, however much it saves in R, is above the bound on the mean of E l
    assert values[1] > chosen.bound


def test_plans_fit_into_half_of_each_layer():
    net = Network((2, 40, 17, 9, 1))
    risk = Risk(net, Sample([[1.0, 0.0]], [[1.0]]), kappa=0.1, penalty="path")
    for low in (1, 2, 3):
        found = plan(risk, low, 0.5, 1.0, 1.0)
        count = found.top
        for k in range(3, low - 1, -1):
            assert 1 <= count <= net.hidden[k - 1] // 2
            count *= found.s.get(k, 1)
    assert plan(risk, 1, 0.5, 1.0, 1.0).bound >= plan(risk, 2, 0.5, 1.0, 1.0).bound


@instances(30)
@given(D=st.floats(0, 10), bias=st.floats(0, 3), variance=st.floats(0, 3), loss=st.sampled_from(LOSSES))
def test_the_allowance_grows_with_everything(D, bias, variance, loss):
    criterion = Risk(
        Network((1, 2, 2)), Sample([[1.0]], [[1.0, 1.0 if loss != "softmax" else 0.0]]), loss=loss
    ).criterion
    value = allowance(criterion, 2, D, bias, variance)
    assert value >= D
    assert allowance(criterion, 2, D, 2 * bias, variance) >= value
    assert allowance(criterion, 2, D, bias, 2 * variance) >= value


def test_promises_without_a_penalty_or_with_narrow_layers():
    net = Network((1, 4, 4, 1))
    risk = Risk(net, Sample([[1.0], [2.0]], [[1.0], [0.0]]))
    assert bound(risk, 0.1).value == risk.scale
    assert "penalty" in bound(risk, 0.1).reason
    assert bound(risk, 0.7).value == 0.7
    assert bound(risk, 0.1, np.zeros(net.size)).value == pytest.approx(0.1)  # a net without path norm
    assert "too small" in bound(Risk(net, risk.sample, kappa=0.01, penalty="path"), 0.1).reason


# -- practice ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kappa", [0.05, 0.0])
def test_the_head_is_nearly_optimal(loss, kappa):
    cvxpy = pytest.importorskip("cvxpy")
    rng = np.random.default_rng(3)
    N, u, n_out = 30, 6, 3 if loss == "softmax" else 2
    Z, q = np.maximum(rng.standard_normal((N, u)), 0), rng.uniform(0.5, 2, u)
    Y = targets(rng, loss, N, n_out)
    risk = Risk(
        Network((2, u, n_out)), Sample(np.ones((N, 2)), Y), loss=loss, kappa=kappa, penalty="path" if kappa else None
    )
    head = best_head(risk, Z, q, np.zeros((n_out, u)))
    value = np.mean(risk.criterion.value(Z @ head.T, Y)) + kappa * q @ np.linalg.norm(head, axis=0)
    V = cvxpy.Variable((u, n_out))
    f = Z @ V
    fit = {
        "squared": lambda: cvxpy.sum_squares(f - Y),
        "absolute": lambda: cvxpy.sum(cvxpy.abs(f - Y)),
        "logistic": lambda: cvxpy.sum(cvxpy.logistic(cvxpy.multiply(-Y, f))),
        "hinge": lambda: cvxpy.sum(cvxpy.pos(1 - cvxpy.multiply(Y, f))),
        "softmax": lambda: cvxpy.sum(cvxpy.log_sum_exp(f, axis=1)) - cvxpy.sum(cvxpy.multiply(Y, f)),
    }[loss]() / N
    best = cvxpy.Problem(cvxpy.Minimize(fit + kappa * (q @ cvxpy.norm(V, axis=1)))).solve()
    assert best - 1e-6 <= value <= best * (1 + 2e-3) + 1e-6


@pytest.mark.parametrize("n_out", [1, 2])
def test_wide_trained_nets_stay_at_the_larger_end(n_out):
    """Twice as many units as needed, the rest duplicates: practice finds halves that cost nothing."""
    rng = np.random.default_rng(n_out)
    small = Network((3, 4, 4, n_out), bias=True)
    net = Network((3, 8, 8, n_out), bias=True)
    risk = Risk(net, Sample(rng.standard_normal((20, 3)), rng.standard_normal((20, n_out))), kappa=1e-3, penalty="path")

    def doubled():
        W1, W2, W3 = small.weights(rng.standard_normal(small.size))
        copies = np.arange(8) % 4
        both = np.append(copies, 4)
        return net.pack(
            [
                W1[copies],
                W2[copies][:, both] * np.append(np.full(8, 0.5), 1),
                W3[:, both] * np.append(np.full(8, 0.5), 1),
            ]
        )

    a, b = doubled(), doubled()
    found = connect(risk, a, b, rng=0)
    assert found.maximum.upper <= max(found.ends) * (1 + 1e-9)


@instances(20)
@given(seed=seeds)
def test_descent_keeps_the_layers_below_and_does_not_climb(seed):
    rng = np.random.default_rng(seed)
    risk, a, _b = problem(rng, depth=3)
    weights = masses(risk, a)
    if not weights.top.any():
        return
    chosen = plan(risk, 1, risk(a), weights.R, 1.0)
    half = tree(risk, a, weights, chosen, rng)
    further = refits.descended(risk, a, half)
    assert np.array_equal(further.units, half.units)
    before, after = (h.embedded(risk.network, a) for h in (half, further))
    assert risk(after) <= risk(before) * (1 + 1e-12)
    assert not after[before == 0].any()
    lower = risk.network.slices[0]
    assert np.array_equal(after[lower], a[lower])


def test_the_straight_line_is_told():
    risk = Risk(Network((1, 2, 1)), Sample([[1.0], [-1.0]], [[1.0], [-1.0]]))
    found = connect(risk, [1.0, -1, 1, -1], [1.0, -1.001, 1, -1], rng=0)  # half of the units cannot do it
    assert found.maximum.value > 0.4 > found.straight.upper
    assert found.longer_way
    assert "straight line is below" in repr(found)
    assert "\n" not in repr(found)
    risk, a, _b = wide(np.random.default_rng(0))
    found = connect(risk, a, risk.network.permute(a, 2, list(range(24))[::-1]), rng=0)
    assert not found.longer_way
    assert "not below" in repr(found)


# -- what must fail ------------------------------------------------------------------------------------------------------


def test_placing_before_clearing_is_refused():
    """The order of Lemma 1: a unit is idle when it is placed, or the move refuses."""
    rng = np.random.default_rng(0)
    net = Network((2, 4, 4, 1))
    walk = Walk(net, rng.standard_normal(net.size), np.eye(2))
    with pytest.raises(ValueError, match="idle"):
        walk.place(2, [2, 3], np.ones((2, 4)))  # before W_3 has left these units
    half = net.weights(walk.theta)[-1].copy()
    half[:, 2:] = 0
    walk.refit(2, half)
    walk.place(2, [2, 3], np.ones((2, 4)))
    with pytest.raises(ValueError, match="idle"):
        walk.place(1, [2, 3], np.ones((2, 2)))  # before layer 2 is cleared


@pytest.mark.parametrize("widths", [(2, 1, 4, 1), (2, 4, 1, 1), (2, 1, 1)])
def test_narrow_layers_are_named(widths):
    net = Network(widths)
    risk = Risk(net, Sample([[1.0, 0.0]], [[1.0]]))
    layer = 1 + net.hidden.index(1)
    with pytest.raises(ValueError, match=f"hidden layer {layer} has 1 unit, and 2 are needed.*disconnected"):
        connect(risk, np.zeros(net.size), np.ones(net.size))


def test_bad_input_is_refused():
    net, sample = Network((1, 2, 2, 1)), Sample([[1.0]], [[1.0]])
    zero = np.zeros(net.size)
    for penalty in ("ridge", "schatten"):
        with pytest.raises(ValueError, match=r"penalty must be 'path'.*false"):
            connect(Risk(net, sample, kappa=0.1, penalty=penalty), zero, zero + 1)
        assert len(connect(Risk(net, sample, penalty=penalty), zero, zero + 1).path)  # kappa = 0
    with pytest.raises(ValueError, match="hidden layer"):
        connect(Risk(Network((1, 1)), sample), [1.0], [2.0])
    with pytest.raises(ValueError, match="identity output"):
        connect(Risk(Network((1, 2, 2, 1), output="relu"), sample), zero, zero + 1)
    risk = Risk(net, sample)
    for bad in (zero[:-1], np.full(net.size, np.nan), "ab"):
        with pytest.raises(ValueError, match="theta_b"):
            connect(risk, zero, bad)
    with pytest.raises(ValueError, match=r"theta_a.*overflows"):
        connect(risk, np.full(net.size, 1e200), zero)
    with pytest.raises(ValueError, match="tool"):
        connect(risk, zero, zero + 1, tool="ridge")
    with pytest.raises(ValueError, match="rng"):
        connect(risk, zero, zero + 1, rng="a")


def test_the_zero_half_computes_nothing():
    net = Network((2, 3, 3, 2), bias=True)
    theta = nothing(net, 1).embedded(net, np.ones(net.size))
    assert not net(theta, np.ones((4, 2))).any()
    assert math.isclose(sum(net.weights(theta)[0].ravel()), 9)
    assert [p <= q for p, q in pairwise(plan_sizes())] == [True, True]


def plan_sizes():
    """Bounds fall as layers get wider."""
    sample = Sample([[1.0]], [[1.0]])
    risks = [Risk(Network((1, m, m, 1)), sample, kappa=0.1, penalty="path") for m in (256, 64, 16)]
    return [plan(risk, 1, 0.5, 1.0, 1.0).bound for risk in risks]
