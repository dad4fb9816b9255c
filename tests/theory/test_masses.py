"""Ridge in the masses: balanced nets, lifted paths, tosses and pivots against their bounds; the wall of deep nets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory import masses
from theory.maxima import path_maximum, segment_maximum
from theory.networks import Network
from theory.paths import Path
from theory.penalties import lengths
from theory.risk import Risk, Sample
from theory.simplex import Lost

seeds = st.integers(0, 2**32 - 1)
LOSSES = ("squared", "logistic", "hinge", "absolute")


def problem(rng, *, loss="squared", m=None, N=None, q=None):
    """A ridge risk with degenerate ends: dead units, idle ones, zero rows, unbalanced and parallel ones."""
    N, m, q = N or int(rng.integers(1, 9)), m or int(rng.integers(2, 9)), q or int(rng.integers(1, 3))
    net = Network((2, m, q))
    Y = rng.standard_normal((N, q))
    sample = Sample(rng.standard_normal((N, 2)), np.where(Y > 0, 1.0, -1.0) if loss in ("logistic", "hinge") else Y)
    risk = Risk(net, sample, loss, kappa=float(10 ** rng.uniform(-3, -1)), penalty="ridge")
    ends = []
    for _ in range(2):
        W, V = rng.standard_normal((m, 2)), rng.standard_normal((q, m))
        factor = 10.0 ** rng.integers(-3, 4, m) if rng.uniform() < 0.3 else np.ones(m)
        W, V = W * factor[:, None], V / factor
        V[:, rng.uniform(size=m) < 0.2] = 0
        W[rng.uniform(size=m) < 0.1] = 0
        W[-1] = W[0]
        ends.append(net.pack([W, V]))
    return risk, *ends


@given(seeds)
@instances(15)
def test_balancing_keeps_the_function_and_never_raises_the_risk(seed):
    rng = np.random.default_rng(seed)
    risk, theta, _ = problem(rng)
    path = masses.balance(risk, theta)
    outputs = risk.network(path.points, risk.sample.X)
    assert np.allclose(outputs, outputs[0], rtol=0, atol=1e-12 * (1 + np.abs(outputs[0]).max()))
    values = risk.batch(path.points)
    assert (np.diff(values) <= 1e-12 * values[0]).all()
    W, V = risk.network.weights(path.points[-1])
    assert np.allclose(np.linalg.norm(W, axis=1), np.linalg.norm(V, axis=0), rtol=1e-9, atol=1e-300)
    assert path_maximum(risk, path, gap=1e-2).upper <= values[0] * 1.02 + 1e-9


@given(seeds)
@instances(15)
def test_the_risk_is_convex_along_a_lifted_leg(seed):
    rng = np.random.default_rng(seed)
    risk, theta, _ = problem(rng, loss=str(rng.choice(LOSSES)))
    W, V = risk.network.weights(theta)
    other = rng.standard_normal(V.shape) * (rng.uniform(size=V.shape[1]) < 0.7)
    twin = Path(np.stack([theta, risk.network.pack([W, other])]))
    lifted = masses.lift(risk, twin, chords=8)
    size = lengths(W)
    U = W / np.where(size > 0, size, 1)[:, None]
    line = [risk(masses._net(risk, U, ((1 - s) * V + s * other) * size)) for s in np.linspace(0, 1, 9)]
    assert (np.array(line[1:-1]) <= 0.5 * (np.array(line[:-2]) + np.array(line[2:])) + 1e-12 * max(line)).all()
    assert risk.batch(lifted.points).max() <= max(line[0], line[-1]) * (1 + 1e-12)
    assert np.array_equal(lifted.points[-1], masses._net(risk, U, other * size))


@given(seeds)
@instances(8)
def test_pivots_stay_below_the_larger_end(seed):
    rng = np.random.default_rng(seed)
    N, q = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    risk, a, b = problem(rng, loss=str(rng.choice(LOSSES)), m=N * q + 1, N=N, q=q)
    path = masses.connect(risk, a, b)
    level = max(risk(a), risk(b))
    assert np.array_equal(path.points[0], a)
    assert np.array_equal(path.points[-1], b)
    assert risk.batch(path.points).max() <= level * (1 + 1e-9)


@given(seeds)
@instances(8)
def test_tosses_stay_below_their_bound(seed):
    rng = np.random.default_rng(seed)
    risk, a, b = problem(rng, loss=str(rng.choice(LOSSES)), m=int(rng.integers(2, 13)), N=30, q=1)
    path = masses.connect(risk, a, b, rng=rng)
    assert np.array_equal(path.points[-1], b)
    assert risk.batch(path.points).max() <= masses.bound(risk, a, b) * (1 + 1e-9)


@given(seeds)
@instances(8)
def test_tosses_under_the_path_norm_stay_below_their_bound_at_every_point(seed):
    rng = np.random.default_rng(seed)
    ridge, a, b = problem(rng, loss=str(rng.choice(LOSSES)), m=int(rng.integers(2, 13)), N=30)
    risk = Risk(ridge.network, ridge.sample, ridge.loss, kappa=ridge.kappa, penalty="path")
    path = masses.tosses(risk, a, b, rng=rng)
    assert np.array_equal(path.points[-1], b)
    assert path_maximum(risk, path).upper <= masses.bound(risk, a, b) * (1 + 1e-9)


def test_the_excess_of_chords_falls_like_their_number_squared_and_one_chord_is_no_path():
    """The control: with one chord a leg, the excess is of the order of the risk."""
    net = Network((1, 3, 1))
    risk = Risk(net, Sample([[1.0], [-1.0]], [[1.0], [-1.0]]), kappa=0.1, penalty="ridge")
    r = 0.8**0.5
    a, b = np.array([r, -r, 0, r, -r, 0]), np.array([-r, r, 0, -r, r, 0])
    excess = [path_maximum(risk, masses.connect(risk, a, b, chords=J)).upper - risk(a) for J in (1, 4, 16, 64)]
    assert excess[0] > 0.05
    assert (np.divide(excess[:-1], excess[1:])[1:] > 12).all()
    assert excess[-1] < 1e-4


def test_a_unit_leaves_the_origin_in_even_steps_of_its_weights():
    """The square roots of the masses at neighbouring vertices differ by at most pi / 2J, so outputs by a quarter of its square."""
    risk = Risk(Network((1, 2, 1)), Sample([[1.0]], [[1.0]]), kappa=0.1, penalty="ridge")
    for J in (2, 8, 32):
        path = masses.lift(risk, Path([[1, 1, 0, 1], [1, 1, 1, 0]]), chords=J)
        W = risk.network.weights(path.points)[0][..., 0]
        assert np.abs(np.diff(W, axis=0)).max() <= np.pi / (2 * J) * (1 + 1e-12)
        outputs = risk.network(0.5 * (path.points[1:] + path.points[:-1]), [[1.0]])
        assert np.abs(outputs - 1).max() <= (np.pi / (2 * J)) ** 2 / 2


@given(seeds, st.integers(1, 5), st.integers(1, 3), st.sampled_from([1, 4, 9]))
@instances(25)
def test_a_leg_is_cut_once_where_masses_pass_through_the_origin_and_nowhere_else(seed, m, q, chords):
    rng = np.random.default_rng(seed)
    risk = Risk(Network((2, m + 1, q)), Sample(np.eye(2), np.ones((2, q))), kappa=0.1, penalty="ridge")
    W, V = rng.standard_normal((m + 1, 2)), rng.standard_normal((q, m + 1))
    at = rng.permutation(np.linspace(0.25, 0.75, m + 1))  # units 0 and those of `through` pass through 0 there
    through = rng.uniform(size=m + 1) < 0.5
    turn = np.linalg.qr(rng.standard_normal((q, q)))[0] * rng.choice([0.5, 2.0])
    other = np.where(through, -V * (1 - at) / at, turn @ V + (q == 1) * 3 * V)
    path = masses.lift(risk, Path(np.stack([risk.network.pack([W, V]), risk.network.pack([W, other])])), chords=chords)
    s = np.linspace(0, 1, 2001)[:, None, None]
    size = np.linalg.norm((1 - s) * V + s * other, axis=1) / np.maximum(*np.linalg.norm([V, other], axis=1))
    clear = size.min(axis=0) > 2e-3
    if (clear != through).all():
        assert len(path) == chords * (1 + np.count_nonzero(through))
        for t in at[through]:
            there = masses._net(risk, *masses._masses(risk, risk.network.pack([W, (1 - t) * V + t * other])))
            assert np.abs(path.points - there).max(axis=1).min() < 1e-7


@given(seeds)
@instances(15)
def test_tosses_go_on_until_one_is_not_above_the_mean_and_no_longer(seed):
    """The mean of F over the coins is at most F + (beta/2) V sum V_i E z(u_i)^2 / l; drawn here once more, one by one."""
    rng, net = np.random.default_rng(seed), Network((2, 12, 1))
    loss, beta = (("squared", 2.0), ("logistic", 0.25))[rng.integers(2)]
    X, Y = 10 ** rng.uniform(-1, 1) * rng.standard_normal((9, 2)), rng.standard_normal(9)
    risk = Risk(net, Sample(X, np.sign(Y) if loss == "logistic" else Y), loss, kappa=1e-4, penalty="path")
    W, V = rng.standard_normal((12, 2)), rng.standard_normal((1, 12)) * 0.3 / np.abs(X).max()
    W[0] = 0
    for k in range(8):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(masses, "DRAWS", 1 + k % 2)
            path = masses._sparse(risk, net.pack([W, V]), np.random.default_rng(k)).path
        assert risk(path.points[-1]) == pytest.approx(tossed(risk, path, beta, 1 + k % 2, k), rel=1e-12)


def tossed(risk, path, beta, draws, seed):
    """The risk after the tosses that follow the piece along the ray, one coin after the other."""
    W, V = risk.network.weights(path.points[path.labels.index("along the ray") + 1] if path.labels else path.points[0])
    size, q = lengths(W) * np.abs(V[0]), np.where(lengths(W) > 0, lengths(W), 1)
    if not size.any():  # the zero net is the best of its ray
        return risk.scale
    features = np.maximum(risk.sample.X @ (W / q[:, None]).T, 0)
    outputs, variance = features @ (size * np.sign(V[0])), size.sum() * np.mean(features**2 @ size) / 6
    loss = np.mean(risk.criterion.value(outputs[:, None], risk.sample.Y))
    enough = loss + risk.kappa * size.sum() + beta / 2 * variance
    coins, values = np.random.default_rng(seed), [risk.scale]
    for k in range(4096):
        new = np.sign(V[0]) / q * coins.multinomial(6, size / size.sum()) * size.sum() / 6
        values.append(risk(risk.network.pack([W, new[None]])))
        if k + 1 >= draws and min(values) <= enough:
            break
    return min(values)


def test_ridge_of_a_lifted_net_is_the_path_norm_at_twice_kappa():
    rng = np.random.default_rng(0)
    risk, a, b = problem(rng, m=3, N=1, q=1)
    twin = Risk(risk.network, risk.sample, kappa=2 * risk.kappa, penalty="path")
    assert risk(masses._net(risk, *masses._masses(risk, a))) == pytest.approx(twin(a))
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        real = masses.pivots.connect
        patch.setattr(masses.pivots, "connect", lambda F, *ends: seen.append(F) or real(F, *ends))
        masses.connect(risk, a, b)
    assert [(F.kappa, F.penalty) for F in seen] == [(2 * risk.kappa, "path")]


def test_tosses_keep_the_path_norm():
    rng = np.random.default_rng(4)
    net = Network((2, 8, 1))
    risk = Risk(net, Sample(rng.standard_normal((40, 2)), 3 * rng.standard_normal(40)), kappa=1e-3, penalty="path")
    path = masses.tosses(risk, *np.abs(rng.standard_normal((2, net.size))))
    R = risk.regulariser(path.points)
    tossed = [k for k, label in enumerate(path.labels) if label == "toss"]
    assert len(tossed) == 2
    for k in tossed:
        assert R[k + 1] == pytest.approx(R[k])


def test_the_promise_is_the_formula():
    m, s = 64, 0.9
    X = np.sqrt(m) * np.eye(m)[:8]
    net = Network((m, m, 1))
    a = net.pack([s * np.eye(m), (np.arange(m) < 8)[None] * 0.7 / (8 * s)])
    for loss, penalty, beta in (("squared", "path", 2), ("squared", "ridge", 2), ("logistic", "path", 0.25)):
        risk = Risk(net, Sample(X, np.ones(8)), loss, kappa=0.3, penalty=penalty)
        top = risk.scale / (2 if loss == "squared" else 1)
        V = min(risk(a), top) / (0.3 * (2 if penalty == "ridge" else 1))
        expected = min(risk(a) + beta / 2 * (m / 8) * V**2 / (m // 2), max(risk(a), risk.scale))
        assert masses.bound(risk, a, a) == pytest.approx(expected)
        assert penalty == "ridge" or expected > risk(a)


def test_tosses_promise_less_than_the_zero_net_for_many_units():
    rng = np.random.default_rng(5)
    m, N = 64, 40
    net, X = Network((3, m, 1)), rng.standard_normal((N, 3))
    risk = Risk(net, Sample(X, np.abs(X[:, 0])), kappa=0.1, penalty="ridge")
    ends = []
    for _ in range(2):
        theta = 0.3 * rng.standard_normal(net.size)
        for _ in range(300):
            theta = theta - 0.1 * risk.gradient(theta)
        ends.append(theta)
    allowed = masses.bound(risk, *ends)
    assert allowed < 0.9 * risk.scale
    path = masses.connect(risk, *ends, chords=8)
    assert path_maximum(risk, path, gap=1e-3).upper <= allowed
    assert segment_maximum(risk, *ends, gap=1e-2).value > 0


def test_the_wall_of_three_scalar_layers():
    sample = Sample([[1.0]], [[1.0]])
    for activation in ("identity", "relu"):
        risk = Risk(Network((1, 1, 1, 1), activation), sample, kappa=0.1, penalty="ridge")
        wall = masses.deep_wall(risk)
        assert 1.001 - 1e-12 < wall <= 1.001
        low = np.full(3, 0.95)
        assert risk(low) < 0.3
        assert segment_maximum(risk, np.zeros(3), low).value >= wall
    rng = np.random.default_rng(0)
    for widths in ((2, 1, 1, 1), (2, 3, 4, 2), (1, 2, 2, 2, 1)):
        X = rng.standard_normal((12, widths[0]))
        risk = Risk(
            Network(widths),
            Sample(X, np.repeat(np.maximum(X[:, :1], 0), widths[-1], axis=1)),
            kappa=0.02,
            penalty="ridge",
        )
        K, wall, F0 = len(widths) - 1, masses.deep_wall(risk), risk.scale
        theta = 0.4 * rng.standard_normal((20, risk.network.size))
        for _ in range(300):
            theta = theta - 0.05 * risk.gradient(theta)
        lower = theta[risk.batch(theta) < F0 * (1 - 1e-9)]
        assert wall > F0
        assert len(lower) or K > 3
        for end in lower[:3]:
            assert segment_maximum(risk, np.zeros_like(end), end, gap=1e-3).upper >= wall


def test_what_is_refused():
    sample = Sample([[1.0]], [[1.0]])
    net = Network((1, 1, 1))
    ridge = Risk(net, sample, kappa=0.1, penalty="ridge")
    with pytest.raises(ValueError, match="penalty 'ridge'"):
        masses.connect(Risk(net, sample), [1, 1], [1, 1])
    with pytest.raises(ValueError, match="one hidden relu layer"):
        masses.balance(Risk(Network((1, 1, 1), "tanh"), sample, kappa=0.1, penalty="ridge"), [1, 1])
    with pytest.raises(ValueError, match="penalty 'path'"):
        masses.tosses(ridge, [1, 1], [1, 1])
    with pytest.raises(ValueError, match="rows of units in use"):
        masses.lift(ridge, Path([[1, 1], [2, 1]]))
    with pytest.raises(ValueError, match="one unit"):
        masses.connect(ridge, [1, 1], [-1, 1])
    with pytest.raises(ValueError, match="three layers"):
        masses.deep_wall(ridge)
    with pytest.raises(ValueError, match="X = 0"):
        masses.deep_wall(Risk(Network((1, 1, 1, 1)), Sample([[0.0]], [[1.0]]), kappa=0.1, penalty="ridge"))
    assert len(masses.connect(ridge, [1, 1], [1, 1])) == 0


def test_features_that_cancel_are_said_to_lead_astray():
    F = Risk(Network((1, 3, 1)), Sample([[0], [-2.296e20]], [[0.16743], [-0.60278]]), "absolute", 1e-6, "ridge")
    with pytest.raises(Lost, match="roundings"):
        masses.connect(F, [-1, -1, 0, -1, 1, -1], [0, -1, -1, -1, -1, 1])
