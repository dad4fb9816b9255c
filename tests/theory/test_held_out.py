"""Held-out bounds: coverage where the population is known exactly, exact miss rates, what must be refused."""

import math
import statistics
from fractions import Fraction
from itertools import pairwise, product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory import exchange, held_out
from theory.held_out import bernstein, betting, binomial, certify, certify_error, functions, hoeffding
from theory.held_out.certificates import _losses, _range, _steepness, _wrong
from theory.held_out.confidence import _bets
from theory.held_out.functions import _lam, _midpoints, functions_of, outputs
from theory.maxima import path_maximum
from theory.moves import Walk
from theory.networks import Network
from theory.paths import Path
from theory.penalties import PathNorm, operator_norms
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)
LOSSES = ("squared", "absolute", "logistic", "hinge", "softmax")


def population(rng, N, *, n_in=3, loss="squared", n_out=1):
    """N points of a law with |x| <= 1 and |y| <= 2, or labels."""
    X = rng.standard_normal((N, n_in))
    X /= np.linalg.norm(X, axis=1, keepdims=True) * rng.uniform(1, 2, (N, 1))
    if loss == "softmax":
        return Sample(X, np.eye(n_out)[rng.integers(0, n_out, N)])
    signal = np.maximum(X, 0).sum(axis=1, keepdims=True) + 0.3 * rng.uniform(-1, 1, (N, 1))
    Y = np.repeat(signal, n_out, axis=1)
    return Sample(X, np.clip(Y, -1, 1) if loss in ("squared", "absolute") else np.where(Y > 0.5, 1.0, -1.0))


def overfitted(rng, loss="squared", *, m=12, N=14, depth=2, bias=False, n_out=1, penalty=None):
    """A training risk and a path of refits and silent pieces between two nets that fit their few points too well."""
    train = population(rng, N, loss=loss, n_out=n_out)
    net = Network((3, *[m] * (depth - 1), n_out), bias=bias)
    kappa = 0.0 if penalty is None else 1e-3
    risk = Risk(net, train, loss=loss, kappa=kappa, penalty=penalty)
    a, b = 0.7 * rng.standard_normal((2, net.size))
    walk = Walk(net, a, train.X)
    V = rng.standard_normal(net.shapes[-1])
    V[:, 0] = 0
    walk.refit(depth - 1, V)
    walk.place(depth - 1, 0, walk.incoming(depth - 1)[1])
    walk.transfer(depth - 1, 1, 0)
    walk.refit(depth - 1, net.weights(b)[-1])
    return risk, walk.path


@pytest.mark.parametrize("delta", [0.5, 0.05, 1e-6])
def test_the_bounds_of_hoeffding_and_bernstein_are_their_formulas_rounded_up(delta):
    """Maurer & Pontil 2009, Theorem 4, for the second: mean + sqrt(2 V log(2 / delta) / N) + 7 log(2 / delta) / (3 (N - 1))."""
    x = np.repeat([0.0, 0.125, 0.25, 0.5], [4000, 300, 200, 100])
    N, mean = len(x), statistics.fmean(x)
    by_hoeffding = mean + math.sqrt(math.log(1 / delta) / (2 * N))
    L = math.log(2 / delta)
    by_bernstein = mean + math.sqrt(2 * statistics.variance(x.tolist()) * L / N) + 7 * L / (3 * (N - 1))
    assert by_hoeffding < 1
    assert by_bernstein < 1
    assert by_hoeffding * (1 - 1e-15) <= hoeffding(x, delta) <= by_hoeffding * (1 + 1e-9)
    assert by_bernstein * (1 - 1e-15) <= bernstein(x, delta) <= by_bernstein * (1 + 1e-9)


@pytest.mark.parametrize("bound", [betting, hoeffding, bernstein])
@pytest.mark.parametrize("delta", [0.05, 0.3])
def test_miss_rates_over_all_bernoulli_sequences_are_at_most_delta(bound, delta):
    for N in (1, 2, 5, 9):
        x = np.array(list(product([0.0, 1.0], repeat=N)))
        upper, ones = bound(x, delta), x.sum(axis=1).astype(int)
        for p in (Fraction(k, 40) for k in range(41)):
            weights = [p**k * (1 - p) ** (N - k) for k in range(N + 1)]
            missed = sum(weights[k] for k, u in zip(ones, upper) if Fraction(float(u)) < p)
            assert missed <= Fraction(delta)


def test_bets_are_the_predictable_plug_in_of_the_literature():
    """Waudby-Smith & Ramdas 2024, eq. (15): lambda_t = (2 ln(1 / delta) / (N s_(t-1)^2))^(1/2), one prior draw of 1/2."""
    x, delta = np.random.default_rng(3).uniform(size=20), 0.01
    total, squares, variance = 0.5, 0.25, 0.25
    for t, (value, bet) in enumerate(zip(x, _bets(x, delta)), start=1):
        assert bet == pytest.approx(math.sqrt(2 * math.log(1 / delta) / (20 * variance)), rel=1e-12)
        total += value
        squares += (value - total / (t + 1)) ** 2
        variance = squares / (t + 1)


@pytest.mark.parametrize("k", range(12))
def test_bets_look_at_the_past_only(k):
    rng = np.random.default_rng(k)
    x = rng.uniform(size=12)
    other = x.copy()
    other[k:] = rng.uniform(size=12 - k)
    bets, others = _bets(x, 0.05), _bets(other, 0.05)
    assert np.array_equal(bets[: k + 1], others[: k + 1])
    assert k == 11 or (bets[k + 1 :] != others[k + 1 :]).all()


def test_a_bound_at_a_larger_level_misses_too_often():
    """The planted fault: the bound at a larger level than asked for."""
    x = np.array(list(product([0.0, 1.0], repeat=5)))
    upper, p = betting(x, 0.9), Fraction(3, 4)
    missed = sum(p ** int(row.sum()) * (1 - p) ** int(5 - row.sum()) for row, u in zip(x, upper) if u < p)
    assert missed > Fraction(1, 20)


@pytest.mark.parametrize(("N", "delta"), [(1, 0.05), (4, 0.3), (20, 1e-3)])
def test_the_binomial_bound_is_where_the_exact_tail_is_delta(N, delta):
    for k in range(N):
        p = Fraction(binomial(k, N, delta))
        at, below = (sum(comb(N, j) * q**j * (1 - q) ** (N - j) for j in range(k + 1)) for q in (p, p - p / 10**9))
        assert at <= Fraction(delta) <= below
    assert binomial(N, N, delta) == 1.0


@given(seeds)
@instances(10)
def test_bounds_are_ordered_and_above_the_mean(seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=(3, 50)) * rng.uniform(size=(3, 1))
    for bound in (betting, bernstein, hoeffding):
        assert (bound(x, 0.05) >= x.mean(axis=1)).all()
        assert (bound(x, 0.01) >= bound(x, 0.05)).all()
        assert np.allclose(bound(x, 0.05)[1], bound(x[1], 0.05), rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("depth", [2, 3])
def test_coverage_where_the_population_is_known(loss, depth):
    rng, delta, missed, n_out = np.random.default_rng(7), 0.2, 0, 3 if loss == "softmax" else 1
    within, trials = 1.0 if loss not in ("squared", "absolute") else (1.0, 2.0), 12
    for k in range(trials):
        people = population(rng, 300, loss=loss, n_out=n_out)
        risk, path = overfitted(rng, loss, depth=depth, bias=k % 2 == 0, n_out=n_out, penalty=("path", None)[k % 2])
        oracle = Risk(risk.network, people, loss=loss, kappa=risk.kappa, penalty=risk.penalty)
        draw = rng.integers(0, 300, 400)
        found = certify(risk, path, Sample(people.X[draw], people.Y[draw]), delta=delta, within=within)
        true = path_maximum(oracle, path).upper
        ends = max(oracle(path.points[0]), oracle(path.points[-1]))
        missed += found.upper < true or found.rise < true - ends - 1e-9
        assert len(found.function_upper) == 3
        if loss in ("logistic", "hinge"):
            margins = [oracle.network(path.at(t), people.X) * people.Y for t in np.linspace(0, 1, 41)]
            missed += found.error_upper < max(np.mean(m <= 0) for m in margins)
    assert missed <= 2  # 3 statements at level 0.2 each, and conservative ones


def test_the_training_maximum_is_no_bound():
    """The control: nets that fit their training points have a larger risk elsewhere."""
    rng, fooled = np.random.default_rng(3), 0
    for _ in range(20):
        people, train = population(rng, 300), population(rng, 14)
        net = Network((3, 16, 1))
        risk = Risk(net, train, kappa=1e-5, penalty="second_layer_l1")
        ends = []
        for _ in range(2):
            W = rng.standard_normal((16, 3))
            ends.append(net.pack([W, _least_squares(risk, W)]))
        walk = Walk(net, ends[0], train.X)
        walk.refit(1, np.zeros((1, 16)))
        path = Path(np.stack([ends[0], walk.theta]))
        oracle = Risk(net, people, kappa=1e-5, penalty="second_layer_l1")
        fooled += risk(ends[0]) < oracle(ends[0])
        assert path_maximum(oracle, path).upper >= risk(ends[0])
    assert fooled >= 14


def _least_squares(risk, W):
    Z = np.maximum(risk.sample.X @ W.T, 0)
    return np.linalg.lstsq(Z, risk.sample.Y, rcond=None)[0].T


@pytest.mark.parametrize(
    "sizes",
    [(1e-170, 1e170, 1.0), (1e-170, 1.0, 1e170), (1e-200, 1e-200, 1e300), (1e-300, 1e-20, 1e200), (1e-200,) * 3],
)
def test_what_underflows_below_is_not_lost_above(sizes):
    """One unit a layer: the function is x times the product, and so is the drift from zero."""
    net, (d, v, w) = Network((1, 1, 1, 1)), sizes
    exact = Fraction(d) * Fraction(v) * Fraction(w)
    assert Fraction(_lam(net, np.array([0.0, v, w]), np.array([d, v, w]), 1)) >= exact
    assert Fraction(functions._norms(net, np.array([[d, v, w]])).min()) >= exact


@pytest.mark.parametrize("bias", [False, True])
def test_norms_of_a_vertex_are_its_path_norm_and_the_product_of_its_operator_norms(bias):
    """With biases the layers below the last hand on the 1, the last does not."""
    net, rng = Network((2, 3, 4, 2), bias=bias), np.random.default_rng(1)
    theta = rng.standard_normal((2, net.size))
    found = functions._norms(net, theta)
    for point, (path, spectral) in zip(theta, found):
        *inner, last = net.weights(point)
        handed = [np.vstack([W, np.eye(W.shape[1])[-1:]]) if bias else W for W in inner]
        exact = math.prod(np.linalg.norm(W, 2) for W in [*handed, last])
        assert exact * (1 - 1e-14) <= spectral <= exact * (1 + 1e-12)
        assert path == pytest.approx(float(PathNorm(net).value(point[None])[0]), rel=1e-12)


def test_a_midpoint_is_where_it_is_said_to_be_up_to_its_radius():
    net, rng = Network((2, 3, 3, 1)), np.random.default_rng(0)
    a, b = _inner_piece(rng, net)
    for f in _midpoints(net, a, b, 0, 1, 1.0, 0.0):
        for p, q, found, radius in zip(a, b, f.theta, f.radius):
            exact = (1 - Fraction(f.s)) * Fraction(p) + Fraction(f.s) * Fraction(q)
            assert abs(Fraction(float(found)) - exact) <= Fraction(float(radius))
            assert radius <= 2**-49 * (abs(p) + abs(q)) + 1e-299
    start = functions_of(Risk(net, Sample([[1.0, 0.0]], [[0.0]])), a[None])[0][0]
    assert (start.theta == a).all()
    assert not start.radius.any()


@given(seeds)
@instances(10)
def test_a_piece_of_an_inner_layer_drifts_by_at_most_lam(seed):
    rng = np.random.default_rng(seed)
    K, bias = int(rng.integers(2, 5)), bool(rng.integers(2))
    net = Network((2, *rng.integers(1, 5, K - 1).tolist(), 2), str(rng.choice(["relu", "tanh"])), bias=bias)
    a = rng.standard_normal(net.size)
    layer, b = int(rng.integers(1, K)), a.copy()
    b[net.slices[layer - 1]] = rng.standard_normal(b[net.slices[layer - 1]].shape)
    lam, X, (s, t) = _lam(net, a, b, layer), rng.standard_normal((40, 2)), rng.uniform(size=2)
    moved = np.linalg.norm(net((1 - s) * a + s * b, X) - net((1 - t) * a + t * b, X), axis=1)
    assert (moved <= abs(s - t) * lam * np.sqrt((X**2).sum(axis=1) + bias) + 1e-12).all()


@given(seeds)
@instances(10)
def test_outputs_and_losses_are_enclosed_and_have_their_range(seed):
    rng = np.random.default_rng(seed)
    loss, bias = str(rng.choice(LOSSES)), bool(rng.integers(2))
    n_out = 3 if loss == "softmax" else int(rng.integers(1, 3))
    net = Network((3, 4, 3, n_out), str(rng.choice(["relu", "tanh", "identity"])), bias=bias)
    people = population(rng, 30, loss=loss, n_out=n_out)
    risk, theta = Risk(net, people, loss=loss), 3 * rng.standard_normal(net.size)
    (f,), _ = functions_of(risk, theta[None])
    centre, radius = outputs(net, f, people.X)
    h = people.X.astype(np.longdouble)
    for k, W in enumerate(net.weights(theta.astype(np.longdouble)), start=1):
        h = net.rho(k).value(net.augment(h) @ W.T)
    assert (np.abs(h - centre) <= radius).all()
    assert (radius <= 1e-10 * (1 + np.abs(centre).max())).all()
    assert (np.linalg.norm(centre, axis=1) <= f.norm * np.hypot(1.0, bias)).all()
    low, high = _losses(risk, people, f)
    most = _range(risk, f.norm, float(np.hypot(1.0, bias)), float(np.sqrt(n_out)))
    assert (low <= high).all()
    assert (high <= most * (1 + 1e-9)).all()
    assert people.weights @ low <= risk(theta) * (1 + 1e-12)
    assert risk(theta) <= people.weights @ high * (1 + 1e-12)


def test_what_is_right_at_both_ends_is_right_in_between_and_inner_pieces_are_covered():
    rng = np.random.default_rng(1)
    people = population(rng, 500, loss="hinge")
    train = population(rng, 3, loss="hinge")
    net = Network((3, 5, 5, 1))
    risk = Risk(net, train, loss="hinge")
    path = exchange.connect(risk, *rng.standard_normal((2, net.size)))
    found = certify(risk, path, people, within=1.0)
    margins = np.stack([net(path.at(t), people.X)[:, 0] * people.Y[:, 0] for t in np.linspace(0, 1, 301)])
    assert found.error_upper > (margins <= 0).mean(axis=1).max()
    assert found.upper > np.maximum(1 - margins, 0).mean(axis=1).max()
    assert found.error_upper == certify_error(risk, path, people)
    inner = [k for k, label in enumerate(path.labels) if "free" in label]
    assert inner  # the functions off the sample change on these
    midpoints = _midpoints(net, *_inner_piece(rng, net), 0, 1, 1.0, 0.0)
    assert [f.t for f in midpoints[:2]] == [1 / 128, 3 / 128]


@given(seeds)
@instances(10)
def test_operator_norms_are_above_and_close(seed):
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((3, *rng.integers(1, 5, 2))) * 10.0 ** rng.integers(-5, 6)
    W[0] = 0
    exact = np.linalg.norm(W, 2, axis=(-2, -1))
    assert (operator_norms(W) >= exact).all()
    assert (operator_norms(W) <= exact * (1 + 1e-12) + 1e-299).all()
    x = rng.standard_normal((50, W.shape[-1]))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    assert (np.linalg.norm(x @ W[1].T, axis=1) <= operator_norms(W)[1] * (1 + 1e-14)).all()


@given(seeds)
@instances(10)
def test_midpoints_and_drift_stand_for_a_whole_inner_piece(seed):
    """With few midpoints, so that what the drift adds matters: without it the bounds fail (see below)."""
    rng = np.random.default_rng(seed)
    loss = str(rng.choice(LOSSES))
    n_out, bias = 3 if loss == "softmax" else 1, bool(rng.integers(2))
    net = Network((3, 4, 4, n_out), bias=bias)
    people = population(rng, 40, loss=loss, n_out=n_out)
    risk = Risk(net, population(rng, 3, loss=loss, n_out=n_out), loss)
    a, b = _inner_piece(rng, net)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functions, "GRID", int(rng.integers(1, 4)))
        _, (piece,) = functions_of(risk, np.stack([a, b]))
    reach, size = float(np.hypot(1.0, bias)), 1.0 if loss not in ("squared", "absolute") else 2.0
    most = [_losses(risk, people, f)[1].mean() + _steepness(risk, f.norm, reach, size) * f.drift for f in piece]
    wrong = np.any([_wrong(net, people, f, "argmax" if n_out > 1 else "sign") for f in piece], axis=0)
    for t in np.linspace(0, 1, 41):
        f = net((1 - t) * a + t * b, people.X)
        assert risk.criterion.value(f, people.Y).mean() <= max(most)
        right = f.argmax(axis=1) == people.Y.argmax(axis=1) if n_out > 1 else f[:, 0] * people.Y[:, 0] > 0
        assert (right | wrong).all()


def test_without_the_drift_a_midpoint_does_not_stand_for_its_piece():
    """The control: |f_t| is 0 in the middle and 1 at the ends."""
    net = Network((1, 1, 1, 1))
    risk = Risk(net, Sample([[0.3]], [[0.0]]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functions, "GRID", 1)
        _, ([f],) = functions_of(risk, np.array([[1.0, -1.0, 1.0], [1.0, 1.0, 1.0]]))
    held = Sample([[1.0]], [[0.0]])
    assert _losses(risk, held, f)[1][0] < 1e-9 < risk.network([1, 1, 1], [[1.0]]) ** 2
    assert f.drift == pytest.approx(1.0)
    assert _steepness(risk, f.norm, 1.0, 0.0) * f.drift >= 1  # the loss at the end


def test_the_drift_between_two_outputs_is_longer_by_the_root_of_two():
    """f_1 - f_2 = 2^(1/2) h - 3/10 with h from 0 to 1: right in the middle, by less than the drift, and wrong at the start."""
    net = Network((1, 1, 2, 2))
    r = 0.5**0.5
    a, b = (net.pack([[[1.0]], [[h], [1.0]], [[r, -0.15], [-r, 0.15]]]) for h in (0.0, 1.0))
    held = Sample([[1.0]], [[1.0, 0.0]])
    risk = Risk(net, Sample([[0.3]], [[1.0, 0.0]]), "softmax")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functions, "GRID", 1)
        (start, _), ([middle],) = functions_of(risk, np.stack([a, b]))
    assert _wrong(net, held, start, "argmax").all()
    assert not _wrong(net, held, middle._replace(drift=0.0), "argmax").any()
    assert _wrong(net, held, middle, "argmax").all()


def test_the_rise_and_the_midpoints_are_what_they_are_said_to_be():
    rng = np.random.default_rng(2)
    risk, path = overfitted(rng, "hinge", penalty="path")
    people = population(rng, 100, loss="hinge")
    found, net = certify(risk, path, people, delta=0.06, within=1.0), risk.network
    loss = [np.maximum(1 - (net(path.points[k], people.X) * people.Y)[:, 0], 0) for k in (0, 1, -1)]
    cost = [float(risk.regulariser(path.points[0])), max(map(float, risk.regulariser(path.points[1:-1])))]
    cost.append(float(risk.regulariser(path.points[-1])))
    M, over = found.ranges, []
    for e in (0, 2):
        share = (loss[1] - loss[e] + M[e]) / (M[1] + M[e])
        over.append((M[1] + M[e]) * betting(share, 0.03) - M[e] + cost[1] - cost[e])
    assert found.rise == pytest.approx(max(0.0, min(over)), rel=1e-6)
    deep = Risk(Network((1, 1, 1, 1)), Sample([[0.3]], [[0.0]]))
    held = Sample(np.full((9, 1), 0.5), np.zeros((9, 1)))
    for s in (1.0, 2.0**-10):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(functions, "GRID", 1)
            inner = certify(deep, Path([[1.0, -s, 1.0], [1.0, s, 1.0]]), held, within=(1.0, 0.0))
        assert inner.functions_at.tolist() == [0.0, 1.0, 0.5]
        share = inner.ranges[2] * betting(np.zeros(9), 0.05 / 3)
        assert inner.function_upper[2] == pytest.approx(share + 2 * s * s, rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES)
def test_ranges_and_slopes_of_losses_are_their_formulas_and_reached(loss):
    for q, r, size in product((1, 2, 5), (0.0, 0.3, 40.0), (0.0, 1.7)):
        if loss == "softmax" and q == 1:
            continue
        labels = np.full((1, q), 1.0) if loss != "softmax" else np.eye(q)[:1]
        risk = Risk(Network((1, 1, q)), Sample([[1.0]], labels), loss=loss)
        root, away = math.sqrt(q), np.full((1, q), -1 / math.sqrt(q))
        if loss == "softmax":
            away = np.eye(q)[1:2] / math.sqrt(2) - labels / math.sqrt(2)
        y = labels if loss not in ("squared", "absolute") else -size * away
        formula = {
            "squared": (r + size) ** 2,
            "absolute": root * (r + size),
            "hinge": q + root * r,
            "logistic": q * math.log(2) + root * r,
            "softmax": math.log(q) + math.sqrt(2) * r,
        }[loss]
        worst = float(risk.criterion.value(r * away, y)[0])
        most = _range(risk, r / 3, 3.0, size)
        assert worst <= most
        assert most == pytest.approx(formula, rel=1e-9, abs=1e-290)
        assert loss == "softmax" or worst >= most - q * math.log(2) - 1e-9 * most
        slope = {"squared": 2 * (r + size), "softmax": math.sqrt(2)}.get(loss, root)
        assert _steepness(risk, r / 3, 3.0, size) == pytest.approx(3 * slope, rel=1e-9)
        near = float(risk.criterion.value((1 - 1e-6) * r * away, y)[0])
        assert worst - near <= _steepness(risk, r / 3, 3.0, size) / 3 * 1e-6 * r * (1 + 1e-6) + 1e-12


def test_each_bound_has_its_share_of_delta():
    rng = np.random.default_rng(2)
    risk, path = overfitted(rng, "hinge", penalty="path")
    people = population(rng, 100, loss="hinge")
    found = certify(risk, path, people, delta=0.06, within=1.0)
    net, n = risk.network, 3
    for k, theta in enumerate((path.points[0], path.points[1], path.points[-1])):
        margins = (net(theta, people.X) * people.Y)[:, 0]
        share = np.maximum(1 - margins, 0) / found.ranges[k]
        penalty = float(risk.regulariser(theta)) if k != 1 else max(map(float, risk.regulariser(path.points[1:-1])))
        assert found.function_upper[k] == pytest.approx(found.ranges[k] * betting(share, 0.06 / n) + penalty, rel=1e-9)
        assert found.ranges[k] == pytest.approx(1 + min(_path_norms(net, path, k)), rel=1e-9)
    wrong = [(net(theta, people.X) * people.Y)[:, 0] <= 0 for theta in path.points[[0, 1, -1]]]
    either = [int((u | v).sum()) for u, v in pairwise(wrong)]
    assert found.error_upper == max(binomial(k, 100, 0.03) for k in either)


def _path_norms(net, path, k):
    """Path norms and products of operator norms at the vertices of the k-th function."""
    points = {0: path.points[:1], 1: path.points[1:-1], 2: path.points[-1:]}[k]
    products = np.prod([np.linalg.norm(W, 2, axis=(-2, -1)) for W in net.weights(points)], axis=0)
    return np.append(PathNorm(net).value(points), products)


def test_a_midpoint_takes_the_larger_end_of_each_norm():
    """Small in the path norm at one end, in operator norms at the other: in the middle in neither."""
    net, n = Network((4, 4, 1)), 4
    a = net.pack([np.eye(n), np.ones((1, n))])  # path norm 4, product 2
    risk = Risk(net, Sample(np.ones((1, n)), [0.0]))
    b = net.pack([np.ones((n, n)) / 2, np.ones((1, n))])  # path norm 4, product 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functions, "GRID", 1)
        (first, last), ([middle],) = functions_of(risk, np.stack([a, b]))
    assert (first.norm, last.norm, middle.norm) == pytest.approx((2, 4, 4))


def _inner_piece(rng, net):
    a = rng.standard_normal(net.size)
    b = a.copy()
    b[net.slices[1]] += 1
    return a, b


def test_a_silent_path_is_one_function_and_its_penalty_the_largest():
    net = Network((1, 2, 1))
    risk = Risk(net, Sample([[0.5]], [[0.5]]), kappa=0.1, penalty="path")
    path = Path([[1, 1, 2, -1], [1, 1, 1, 0]])  # a transfer to a copy: the path norm falls from 3 to 1
    x = np.linspace(0.6, 1, 200)[:, None]
    found = certify(risk, path, Sample(x, x), within=(1.0, 1.0))
    assert len(found.function_upper) == 1
    assert found.ranges[0] == pytest.approx(4.0)
    assert found.upper > 0.3
    assert found.rise < 1e-12
    assert certify_error(risk, path, Sample(x, x), decision="sign") == binomial(0, 200, 0.05)
    up = path.reversed() + path  # the penalty is largest in the middle
    assert certify(risk, up, Sample(x, x), within=(1.0, 1.0)).rise == pytest.approx(0.2)
    back = certify(risk, path.reversed(), Sample(x, x), within=(1.0, 1.0))
    assert back.upper == found.upper


def test_ties_are_wrong():
    net = Network((1, 1, 2))
    risk = Risk(net, Sample([[0.5]], [[1.0, 0.0]]), loss="softmax")
    x = np.linspace(0.6, 1, 20)[:, None]
    held = Sample(x, np.tile([1.0, 0.0], (20, 1)))
    assert certify_error(risk, Path([[1, 1, 1]]), held) == 1.0
    assert certify_error(risk, Path([[1, 1, 0]]), held) == binomial(0, 20, 0.05)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"delta": 0.0}, "delta"),
        ({"delta": 1.0}, "delta"),
        ({"delta": 1.5}, "delta"),
        ({"within": None}, "no range without"),
        ({"within": 1.0}, r"within must be \(B_x, B_y\)"),
        ({"within": (0.1, 2.0)}, r"within says \|x\|"),
        ({"within": (1.0, 0.1)}, r"within says \|y\|"),
        ({"bound": "best"}, "bound must be one of"),
    ],
)
def test_what_must_be_known_is_asked_for(change, says):
    rng = np.random.default_rng(0)
    risk, path = overfitted(rng)
    with pytest.raises(ValueError, match=says):
        certify(risk, path, population(rng, 50), **({"within": (1.0, 2.0)} | change))


def test_held_out_means_not_trained_on_and_pieces_are_of_the_three_kinds():
    rng = np.random.default_rng(0)
    risk, path = overfitted(rng)
    people = population(rng, 20)
    mixed = Sample(np.vstack([people.X, risk.sample.X[:2]]), np.vstack([people.Y, risk.sample.Y[:2]]))
    with pytest.raises(ValueError, match=r"row 20 \(and 1 more\)"):
        certify(risk, path, mixed, within=(1.0, 2.0))
    with pytest.raises(ValueError, match="equal weights"):
        certify(risk, path, Sample(people.X, people.Y, np.arange(20.0)), within=(1.0, 2.0))
    line = path + Path(np.stack([path.points[-1], path.points[-1] + 1]))
    with pytest.raises(ValueError, match=r"piece 4 of the path moves layers \[1, 2\]"):
        certify(risk, line, people, within=(1.0, 2.0))
    with pytest.raises(ValueError, match="decision must be"):
        certify_error(risk, path, people)
    with pytest.raises(ValueError, match="hidden layer"):
        certify(Risk(Network((3, 2, 1), "sigmoid"), people), Path(np.zeros((1, 8))), people)
    with pytest.raises(ValueError, match="inputs"):
        certify(risk, path, Sample(people.X[:, :2], people.Y), within=(1.0, 2.0))


def test_overflowing_ranges_are_refused():
    risk = Risk(Network((1, 1, 1)), Sample([[0.5]], [[1.0]]))
    with pytest.raises(ValueError, match="range"):
        certify(risk, Path([[1e200, 1e200]]), Sample([[0.6]], [[1.0]]), within=(1.0, 1.0))


def test_the_face_names_what_is_there():
    assert set(held_out.__all__) == {
        "HeldOut", "bernstein", "betting", "binomial", "certify", "certify_error", "hoeffding"
    }  # fmt: skip


def test_binomial_bounds_of_tiny_delta_are_not_vacuous():
    assert held_out.binomial(0, 1000, 1e-13) == pytest.approx(1 - 1e-13**0.001)
    assert held_out.binomial(500, 10**6, 1e-10) == pytest.approx(6.567e-4, rel=1e-3)
    assert held_out.binomial(0, 1000, 1e-300) < 0.5
