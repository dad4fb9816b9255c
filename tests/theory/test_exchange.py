"""N + 1 units a layer: every pair is joined, one layer a piece, the function constant but for one refit; N may be too few."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory import exchange
from theory.barriers import permutation_barrier
from theory.moves import Walk
from theory.networks import Network
from theory.numerics import EPS
from theory.paths import Path
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)
ACTIVATIONS = ("relu", "identity", "tanh", "sigmoid")
KINDS = ("plain", "zero layer", "equal rows", "dead units", "tiny and huge", "repeated samples", "integers")


def degenerate(rng, net, kind):
    """A parameter vector with the degeneracy asked for."""
    W = [rng.standard_normal(shape) for shape in net.shapes]
    j = int(rng.integers(0, net.depth))
    if kind == "zero layer":
        W[j][:] = 0
    elif kind == "equal rows" and net.hidden:
        W[0][-1] = W[0][0]
        W[-1][:, -1] = -W[-1][:, 0]
    elif kind == "dead units" and net.hidden:
        W[0][: 1 + net.hidden[0] // 2] = 0
    elif kind == "tiny and huge":
        W[j] *= 1e-5
        W[(j + 1) % net.depth] *= 1e5
    elif kind == "integers":
        W = [rng.integers(-1, 2, w.shape).astype(float) for w in W]
    return net.pack(W)


def problem(rng, activation, kinds, *, bias=False, depth=None, spare=0, n_in=None):
    """A risk with just enough units in every hidden layer, and two ends."""
    depth, N = depth or int(rng.integers(1, 5)), int(rng.integers(1, 5))
    n_in, n_out = n_in or int(rng.integers(1, 4)), int(rng.integers(1, 3))
    X = rng.integers(-2, 3, (N, n_in)).astype(float) if "integers" in kinds else rng.standard_normal((N, n_in))
    if "repeated samples" in kinds:
        X[-1] = X[0]
    sample = Sample(X, rng.standard_normal((N, n_out)), rng.integers(1, 4, N).astype(float))
    needed = exchange.units_needed(Network((n_in, *[1] * (depth - 1), n_out), activation, bias=bias), sample)
    net = Network((n_in, *[needed + spare] * (depth - 1), n_out), activation, bias=bias)
    risk = Risk(net, sample, loss=("squared", "absolute")[int(rng.integers(2))])
    return risk, *(degenerate(rng, net, kind) for kind in kinds)


def sensitivity(net, theta, X):
    """(n_out,) at most: how far the outputs move when every product in the forward pass is wrong by one part in 1."""
    h, worst = np.abs(net.augment(X)), 0.0
    for k, W in enumerate(net.weights(theta), start=1):
        size = h @ np.abs(W).T
        if k < net.depth:  # |rho(z)| <= |z| + 1 for every activation here
            worst = max(
                worst, float(size.max(initial=0.0)) * np.prod([np.abs(V).sum() for V in net.weights(theta)[k:]])
            )
            h = net.augment(size + 1)
    return worst + float(size.max(initial=0.0))


def allowance(risk, path):
    """What roundings may add to the larger end: each of the V vertices moves the outputs by O(width) roundings."""
    net = risk.network
    moved = 8 * EPS * max(net.widths) * len(path) * max(sensitivity(net, p, risk.sample.X) for p in path.points)
    level = max(risk(path.points[0]), risk(path.points[-1]))
    evaluated = 8 * EPS * risk.sample.Y.size * level
    if risk.loss == "absolute":
        return moved * net.widths[-1] + evaluated
    return 2 * np.sqrt(level * net.widths[-1]) * moved + net.widths[-1] * moved**2 + evaluated


def moved_layers(net, p, q):
    return [k for k, s in enumerate(net.slices, start=1) if not np.array_equal(p[s], q[s])]


def assert_joined(risk, path, a, b):
    assert np.array_equal(path.points[0], a)
    assert np.array_equal(path.points[-1], b)
    assert all(len(moved_layers(risk.network, p, q)) == 1 for p, q in zip(path.points, path.points[1:]))
    inside = np.concatenate([path.points, *((1 - t) * path.points[:-1] + t * path.points[1:] for t in (0.3, 0.7))])
    assert risk.batch(inside).max() <= max(risk(a), risk(b)) + allowance(risk, path)
    largest = max(1.0, np.abs(a).max(), np.abs(b).max())
    assert np.abs(path.points).max() <= 1e8 * largest  # what cancels to a rounding is no direction to lean on


@instances(100)
@given(
    seed=seeds,
    activation=st.sampled_from(ACTIVATIONS),
    kinds=st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    bias=st.booleans(),
    spare=st.integers(0, 1),
)
def test_any_two_nets_with_one_unit_more_than_samples_are_joined_below_the_larger(seed, activation, kinds, bias, spare):
    risk, a, b = problem(np.random.default_rng(seed), activation, kinds, bias=bias, spare=spare)
    assert_joined(risk, exchange.connect(risk, a, b), a, b)


def interpolants(rng, activation, kinds, *, bias):
    """A risk that is zero at a, and at b too (up to rounding): its last layer is fitted to the same outputs, or b is a permuted."""
    risk, a, b = problem(rng, activation, kinds, bias=bias, depth=int(rng.integers(2, 4)))
    net, X = risk.network, risk.sample.X
    Y = net(a, X)
    W = net.weights(b)
    W[-1] = np.linalg.lstsq(net.features(b, X, net.depth - 1), Y, rcond=1e-6)[0].T
    b = net.pack(W)
    fitted = Risk(net, Sample(X, Y))
    if fitted(b) > 1e-20 * fitted.sample.energy:
        b = a
        for layer in range(1, net.depth):
            b = net.permute(b, layer, rng.permutation(net.widths[layer]))
    return fitted, a, b


@instances(60)
@given(
    seed=seeds,
    activation=st.sampled_from(ACTIVATIONS),
    kinds=st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS)),
    bias=st.booleans(),
)
def test_nets_of_zero_risk_are_joined_at_zero_risk(seed, activation, kinds, bias):
    """No room below: the excess is nothing but rounding."""
    risk, a, b = interpolants(np.random.default_rng(seed), activation, kinds, bias=bias)
    path = exchange.connect(risk, a, b)
    assert_joined(risk, path, a, b)
    assert risk.batch(path.points).max() <= 1e-12 * (risk.sample.energy + 1e-9)
    if "tiny and huge" not in kinds:
        assert exchange.report(risk, path).excess <= 1e-9 * (risk.sample.energy + 1e-9)


@instances(40)
@given(seed=seeds, activation=st.sampled_from(ACTIVATIONS), bias=st.booleans(), depth=st.sampled_from([2, 3, 4]))
def test_the_certified_maximum_is_that_of_the_larger_end(seed, activation, bias, depth):
    risk, a, b = problem(np.random.default_rng(seed), activation, ("plain", "equal rows"), bias=bias, depth=depth)
    path = exchange.connect(risk, a, b)
    found = exchange.report(risk, path)
    assert found.ends == (risk(a), risk(b))
    assert found.maximum.upper >= max(found.ends)
    assert found.excess == found.maximum.upper - max(found.ends)
    assert found.excess <= 1e-8 * (max(found.ends) + risk.sample.energy)
    assert found.largest_weight == np.abs(path.points).max()


def test_a_path_that_climbs_is_reported_to_climb():
    risk = Risk(Network((1, 2, 1)), Sample([[1.0], [-1.0]], [[1.0], [-1.0]]))
    straight = Path([[1.0, -1.0, 1.0, -1.0], [-1.0, 1.0, -1.0, 1.0]])
    found = exchange.report(risk, straight)
    assert found.ends == (0.0, 0.0)
    assert 1.0 <= found.excess <= 1.0 + 1e-9  # through the zero net
    with pytest.raises(ValueError, match="rise must be"):
        exchange.report(risk, straight, rise=-1.0)


@pytest.mark.parametrize("shift", [-60, 40])
def test_units_of_measurement_do_not_matter(shift):
    rng = np.random.default_rng(2)
    net = Network((2, 5, 5, 1))
    X, Y, (a, b) = rng.standard_normal((4, 2)), rng.standard_normal((4, 1)), rng.standard_normal((2, net.size))
    one = exchange.connect(Risk(net, Sample(X, Y)), a, b)
    other = exchange.connect(Risk(net, Sample(X * 2.0**shift, Y * 2.0**shift)), a, b)
    assert np.array_equal(one.points, other.points)


def exact_outputs(net, theta, X):
    """Phi(X; theta) of a relu or identity net in fractions."""
    parts = [[[Fraction(v) for v in row] for row in W.tolist()] for W in net.weights(theta)]
    outputs = []
    for x in X.tolist():
        h = [Fraction(v) for v in x]
        for k, W in enumerate(parts, start=1):
            h = [sum(w * v for w, v in zip(row, [*h, Fraction(1)])) for row in W]
            h = [max(v, Fraction(0)) for v in h] if k < len(parts) and net.activation == "relu" else h
        outputs.append(h)
    return outputs


@instances(30)
@given(seed=seeds, bias=st.booleans(), kinds=st.tuples(st.sampled_from(KINDS[:-3]), st.sampled_from(KINDS[:-3])))
def test_in_exact_arithmetic_the_outputs_take_two_values_only(seed, bias, kinds):
    """At the float vertices, evaluated in fractions: the outputs are those of A or those of B, up to stored roundings."""
    rng = np.random.default_rng(seed)
    risk, a, b = problem(rng, "relu", kinds, bias=bias, depth=int(rng.integers(2, 4)))
    path, net, X = exchange.connect(risk, a, b), risk.network, risk.sample.X
    ends = [exact_outputs(net, theta, X) for theta in (a, b)]
    moved = 8 * EPS * max(net.widths) * len(path) * max(sensitivity(net, p, X) for p in path.points)
    across = False
    for p in path.points:
        here = exact_outputs(net, p, X)
        apart = [max(abs(u - v) for g, h in zip(here, end) for u, v in zip(g, h)) for end in ends]
        across |= apart[0] > moved
        assert apart[across] <= moved


@pytest.mark.parametrize(
    ("activation", "bias", "n_in"), [("relu", False, 1), ("identity", False, 2), ("identity", True, 2)]
)
def test_few_dimensions_need_few_units_whatever_the_number_of_samples(activation, bias, n_in):
    """Two rays: relu features of one input span two dimensions. Identity: as many as inputs."""
    rng = np.random.default_rng(4)
    net = Network((n_in, 3, 3, 2), activation, bias=bias)
    risk = Risk(net, Sample(rng.standard_normal((9, n_in)), rng.standard_normal((9, 2))))
    for _ in range(20):
        a, b = rng.standard_normal((2, net.size))
        assert_joined(risk, exchange.connect(risk, a, b), a, b)


def test_linear_nets_with_fewer_samples_than_inputs_use_the_sample():
    rng = np.random.default_rng(0)
    for bias in (False, True):
        net = Network((6, 3, 3, 2), "identity", bias=bias)
        risk = Risk(net, Sample(rng.standard_normal((2 + bias, 6)), rng.standard_normal((2 + bias, 2))))
        for _ in range(20):
            a, b = rng.standard_normal((2, net.size))
            assert_joined(risk, exchange.connect(risk, a, b), a, b)


def test_no_hidden_layer_is_one_straight_piece():
    risk = Risk(Network((2, 2)), Sample(np.eye(2), np.eye(2)))
    path = exchange.connect(risk, np.ones(4), np.zeros(4))
    assert len(path) == 1


def test_units_needed_counts_what_the_features_can_see():
    X, Y = np.array([[1.0], [2.0], [-1.0], [1.0], [0.0]]), np.zeros((5, 1))

    def needed(*, net=None, weights=None, **settings):
        return exchange.units_needed(net or Network((1, 2, 1), **settings), Sample(X, Y, weights))

    assert needed() == 3  # two rays; the zero input gives zero features
    assert needed(activation="tanh") == 5  # four different samples
    assert needed(activation="tanh", bias=True) == 4
    assert needed(bias=True) == 4
    assert needed(activation="identity") == needed(activation="identity", bias=True) == 2
    assert needed(activation="tanh", weights=[1, 1, 0, 1, 0]) == 3
    assert exchange.units_needed(Network((1, 2, 1)), Sample(np.zeros((1, 1)), np.zeros((1, 1)))) == 1


def test_rays_are_told_apart_exactly():
    X = np.array([[1.0, 3.0], [3.0, 9.0], [1.0, 3.0 + 2.0**-50], [-1.0, -3.0]])
    assert exchange.units_needed(Network((2, 2, 1)), Sample(X, np.zeros((4, 1)))) == 4


@pytest.mark.parametrize(
    ("widths", "layer"),
    [((1, 2, 1), 1), ((1, 2, 5, 1), 1), ((1, 5, 2, 1), 2), ((1, 1, 5, 1), 1), ((1, 5, 1, 1), 2), ((1, 3, 3, 2, 1), 3)],
)
def test_a_narrow_layer_is_refused_by_name(widths, layer):
    """X = +-1: with two units, exchanging them costs 1/2 (Y = X); with one, its sign cannot change."""
    risk = Risk(Network(widths), Sample([[1.0], [-1.0]], [[1.0], [-1.0]]))
    with pytest.raises(
        ValueError, match=rf"hidden layer {layer} has {widths[layer]} units, and 3 are needed.*disconnected"
    ):
        exchange.connect(risk, np.zeros(risk.network.size), np.ones(risk.network.size))


def test_the_refusal_at_width_N_is_right_there_is_a_barrier_of_one_half():
    barrier = permutation_barrier(Sample([[1.0], [-1.0]], [[1.0], [-1.0]]), 2)
    assert barrier.lower >= 0.5 - 1e-12
    assert barrier.upper <= 0.5 + 1e-12


def determinant(M):
    return M[0][0] * M[1][1] - M[0][1] * M[1][0]


@instances(60)
@given(seed=seeds, wide=st.integers(2, 4), narrow=st.sampled_from(["first", "second"]))
def test_two_units_in_either_layer_split_the_nets_below_one_half(seed, wide, narrow):
    """X = +-1, Y = X: below 1/2 the two rows of layer 1 have opposite signs, resp. det Z_2 != 0; exchanging them changes it.

    Nets on the wall have risk at least 1/2, in fractions: so the refusal at two units is right in every layer.
    """
    rng = np.random.default_rng(seed)
    X = np.array([[1.0], [-1.0]])
    net = Network((1, 2, wide, 1) if narrow == "first" else (1, wide, 2, 1))
    W = [rng.integers(-3, 4, shape).astype(float) for shape in net.shapes]
    if narrow == "first":
        W[0][1] = abs(W[0][1]) * (1 if W[0][0] > 0 else -1) * rng.integers(0, 2)  # not opposite: the wall and its side
    else:
        W[1][1] = W[1][0] * rng.integers(0, 3)  # parallel features of layer 2
    theta = net.pack(W)
    f = [out[0] for out in exact_outputs(net, theta, X)]
    assert ((f[0] - 1) ** 2 + (f[1] + 1) ** 2) / 2 >= Fraction(1, 2)
    good = [np.zeros(shape) for shape in net.shapes]
    good[0][:2, 0] = 1, -1
    good[1][:2, :2] = np.eye(2)
    good[2][0, :2] = 1, -1
    best = net.pack(good)
    assert Risk(net, Sample(X, X))(best) == 0
    layer = 1 if narrow == "first" else 2
    swapped = net.permute(best, layer, [1, 0])
    if narrow == "first":
        assert [float(net.weights(t)[0][0, 0]) for t in (best, swapped)] == [1, -1]
    else:
        assert determinant(net.features(best, X, 2)) * determinant(net.features(swapped, X, 2)) < 0


def test_a_unit_that_is_not_free_is_never_forced():
    """Below the hypothesis the walk itself refuses: two independent features on two samples."""
    walk = Walk(Network((1, 2, 1)), np.array([1.0, -1.0, 1.0, -1.0]), np.array([[1.0], [-1.0]]))
    with pytest.raises(ValueError, match="linearly independent"):
        walk.free(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kappa": 0.1, "penalty": "ridge"}, "kappa = 0"),
        ({"network": Network((1, 3, 1), output="tanh")}, "identity output"),
    ],
)
def test_what_is_not_proved_is_refused(change, message):
    settings_ = {"network": Network((1, 3, 1)), "sample": Sample([[1.0]], [[1.0]])} | change
    with pytest.raises(ValueError, match=message):
        exchange.connect(Risk(**settings_), np.zeros(6), np.ones(6))


def test_ends_of_the_wrong_shape_are_refused_and_none_is_changed():
    risk = Risk(Network((1, 3, 1)), Sample([[1.0], [-1.0]], [[1.0], [2.0]]))
    with pytest.raises(ValueError, match="theta_b must have shape"):
        exchange.connect(risk, np.zeros(6), np.zeros((2, 6)))
    a, b = np.arange(6.0), np.ones(6)
    exchange.connect(risk, a, b)
    assert np.array_equal(a, np.arange(6.0))
    assert np.array_equal(b, np.ones(6))
    assert len(exchange.connect(risk, a, a)) == 0


def test_saturated_units_that_are_nearly_dependent_are_reduced_more_boldly():
    """tanh at 1e5: features of B differ by a rounding. Kept, they hold A's units fast; freed, nothing is lost."""
    risk, a, b = problem(np.random.default_rng(132), "tanh", ("plain", "tiny and huge"), bias=True, depth=2)
    X, ends = exchange._checked(risk, a, b)
    with pytest.raises(ValueError, match="takes part in a linear dependency"):
        exchange._walked(risk, X, ends, 0.0)
    assert_joined(risk, exchange.connect(risk, a, b), a, b)


def test_what_cancels_is_no_direction_to_lean_on():
    """A feature that is zero but for a rounding, after a free below: weights on it would be as large as 1/EPS."""
    rng = np.random.default_rng(0)
    net = Network((2, 5, 5, 5, 1))
    X = rng.integers(-2, 3, (4, 2)).astype(float)
    risk = Risk(net, Sample(X, rng.standard_normal((4, 1))))
    for _ in range(150):
        a, b = (net.pack([rng.integers(-1, 2, s).astype(float) for s in net.shapes]) for _ in range(2))
        path = exchange.connect(risk, a, b)
        assert np.abs(path.points).max() <= 1e3


# --- controls -------------------------------------------------------------------------------------------------------


def interpolating(seed=3, depth=3):
    rng = np.random.default_rng(seed)
    net = Network((2, *[5] * (depth - 1), 1))
    X, (a, b) = rng.standard_normal((4, 2)), rng.standard_normal((2, net.size))
    return Risk(net, Sample(X, net(a, X))), a, b


def test_control_a_dependency_that_is_none_is_seen_in_the_certified_maximum(monkeypatch):
    risk, a, _ = interpolating()
    b = risk.network.permute(risk.network.permute(a, 1, [1, 2, 3, 4, 0]), 2, [4, 3, 2, 1, 0])
    honest = exchange.report(risk, exchange.connect(risk, a, b))
    assert honest.excess <= 1e-12
    release = Walk._release
    monkeypatch.setattr(Walk, "_release", lambda self, k, u, nu, *rest: release(self, k, u, nu * 1.001, *rest))
    assert exchange.report(risk, exchange.connect(risk, a, b)).excess > 1e-8


def test_control_freeing_a_unit_that_was_brought_in_does_not_end_at_b(monkeypatch):
    """The dependency must be left with a unit that is not B's: else a copy of B's is lost on the way."""
    risk, a, b = interpolating()
    free = Walk.free

    def careless(self, layer, among=None):
        brought = np.setdiff1d(np.arange(self.network.widths[layer]), [*among, *self.idle(layer)])
        return free(
            self, layer, among=brought if brought.size and not np.isin(self.idle(layer), among).any() else among
        )

    monkeypatch.setattr(Walk, "free", careless)
    with pytest.raises(ValueError):  # noqa: PT011 - any refusal: of a permutation, or of halves that do not meet
        exchange.connect(risk, a, b)


def test_control_without_reducing_b_there_is_no_unit_left_to_free(monkeypatch):
    risk, a, b = interpolating()
    everything = [np.arange(m) for m in risk.network.hidden]
    monkeypatch.setattr(exchange, "_reduce", lambda walk: everything)
    with pytest.raises(ValueError, match=r"needs an idle unit|takes part|independent|among"):
        exchange.connect(risk, a, b)


# --- one idle unit joins all permuted copies ---------------------------------------------------------------------------


@instances(40)
@given(seed=seeds, activation=st.sampled_from(ACTIVATIONS), bias=st.booleans(), depth=st.integers(2, 4))
def test_one_idle_unit_a_layer_joins_all_permuted_copies_at_every_x(seed, activation, bias, depth):
    rng = np.random.default_rng(seed)
    net = Network((2, *rng.integers(1, 5, depth - 1).tolist(), 2), activation, bias=bias)
    W = net.weights(rng.standard_normal(net.size))
    for k, m in enumerate(net.hidden, start=1):
        W[k][:, int(rng.integers(m))] = 0.0
    theta, orders = net.pack(W), [rng.permutation(m) for m in net.hidden]
    goal = theta
    for layer, order in enumerate(orders, start=1):
        goal = net.permute(goal, layer, order)
    path = exchange.permute_path(net, theta, orders)
    assert np.array_equal(path.points[0], theta)
    assert np.array_equal(path.points[-1], goal)
    anywhere = 3 * rng.standard_normal((20, 2))
    inside = np.concatenate([path.points, (path.points[1:] + path.points[:-1]) / 2])
    size = max(sensitivity(net, p, anywhere) for p in inside)
    assert np.abs(net(inside, anywhere) - net(theta, anywhere)).max() <= 64 * EPS * size


def test_control_no_idle_unit_no_permutation():
    net = Network((1, 2, 2, 1))
    with pytest.raises(ValueError, match="layer 2 needs an idle unit"):
        exchange.permute_path(net, np.arange(1.0, net.size + 1), [[0, 1], [1, 0]])
    with pytest.raises(ValueError, match="one permutation for each of the 2"):
        exchange.permute_path(net, np.ones(net.size), [[0, 1]])
