"""Taylor models piece by piece, and the bound where rounding is all there is to bound."""

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rounded_sums import rounded_sums
from test_maxima import ball_risk

from theory.maxima import taylor_models
from theory.maxima.taylor_models import TaylorModel
from theory.networks import Network
from theory.numerics.rounding import LIBM, TINY, UNIT
from theory.risk import Risk, Sample

modest = st.floats(-4, 4)
sizes = st.sampled_from([0.0, 1e-9, 1e-3]) | st.floats(0, 2)


def one(centre, slope, rest):
    """The model of a single quantity in t alone."""
    return TaylorModel(np.array([centre]), [np.array([slope])], np.array([rest]))


def activated(name, centre, slope, rest, rho):
    """The features of a quantity over |d| <= rho."""
    model, factor, made = taylor_models._activate(name, one(centre, slope, rest), [np.array([rho])])
    assert model.rest[0] == factor[0] * rest + made[0]  # what the backward bound relies on
    return model


def parts(model):
    """Its centre, slope and remainder as floats."""
    return float(model.centre[0]), float(model.slopes[0][0]), float(model.rest[0])


def radius_of(slope, rest, rho):
    return (rho * abs(slope) + rest) * (1 + 8 * UNIT)


tiny_or_not = sizes | st.floats(0, 1e-290) | st.sampled_from([5e-324, 1e-310])


@example(0.0, 2.5, TINY, 2.2250738585e-313)
@given(
    modest | st.floats(-1e-290, 1e-290),
    modest | st.floats(-1e-300, 1e-300),
    tiny_or_not.map(lambda r: r + TINY),
    tiny_or_not,
)
def test_relu_stays_in_its_model_and_the_model_is_the_best_chord(centre, slope, rest, rho):
    """Exactly, at the corners of |d| <= rho, |z - c - s d| <= e >= TINY and at the kink."""
    radius = radius_of(slope, rest, rho)
    c, s, e = map(Fraction, parts(activated("relu", centre, slope, rest, rho)))
    corners = [(d, err) for d in (-rho, 0.0, rho / 3, rho) for err in (-rest, 0.0, rest)]
    if slope:
        corners += [(d, 0.0) for d in (-centre / slope,) if abs(d) <= rho]
    for d, err in corners:
        z = Fraction(centre) + Fraction(slope) * Fraction(d) + Fraction(err)
        assert abs(max(z, Fraction(0)) - c - s * Fraction(d)) <= e
    if rest < 1e-280:  # what follows is computed in floats
        return
    low, high = centre - radius, centre + radius
    gap = 0.0 if low >= 0 or high <= 0 else -low * (high / (high - low))  # between relu and its chord, at the kink
    share = float(np.clip(high / (high - low), 0, 1)) if low < high else float(centre >= 0)
    assert float(e) <= (share * rest + gap / 2) * (1 + 40 * UNIT) + 20 * UNIT * (abs(centre) + radius)


@given(st.sampled_from(["tanh", "sigmoid"]), modest | st.floats(-40, 40), modest, sizes, sizes)
def test_smooth_activations_stay_in_their_model_whatever_slope_and_rest_come_in(name, centre, slope, rest, rho):
    radius = radius_of(slope, rest, rho)
    found = activated(name, centre, slope, rest, rho)
    ctx.prec = 200
    c, s, e = map(arb, parts(found))
    for d in (-rho, -rho / 2, 0.0, rho / 2, rho):
        for err in (-rest, 0.0, rest):
            z = arb(centre) + arb(slope) * arb(d) + arb(err)
            true = z.tanh() if name == "tanh" else 1 / (1 + (-z).exp())
            assert not abs(true - c - s * arb(d)) > e
    peak, steepest = taylor_models._CURVATURE[name][3], 1.0 if name == "tanh" else 0.25
    assert float(e) <= steepest * rest + 0.51 * peak * radius**2 + 1e-13 * (1 + radius)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_the_curvature_of_an_activation_is_the_cubic_and_its_constants_bound_it(name):
    sigma, cubic, stationary, peak, rate = taylor_models._CURVATURE[name]
    ctx.prec = 200
    for z in np.linspace(-6, 6, 121):
        x = arb(float(z))
        v = x.tanh() if name == "tanh" else 1 / (1 + (-x).exp())
        slope = 1 - v * v if name == "tanh" else v * (1 - v)
        bend = -2 * v * slope if name == "tanh" else slope * (1 - 2 * v)
        assert abs(float(v.mid()) - sigma(z)) <= LIBM
        assert abs(float(bend.mid()) - cubic(sigma(z))) <= 8 * LIBM
        assert abs(bend) < peak
        assert abs(bend) <= rate * slope
    largest = max(abs(cubic(v)) for v in stationary)
    assert largest < peak < 1.001 * largest
    for v in stationary:
        assert cubic(v - 1e-4) - cubic(v) == pytest.approx(cubic(v + 1e-4) - cubic(v), abs=1e-10)


@given(st.sampled_from(["tanh", "sigmoid"]), st.floats(-1, 1), st.floats(0, 2))
def test_the_range_of_the_cubic_is_its_range(name, left, width):
    _, cubic, stationary, _, _ = taylor_models._CURVATURE[name]
    right = left + width
    low, high = (float(v[0]) for v in taylor_models._range(cubic, np.array([left]), np.array([right]), stationary))
    inside = [cubic(v) for v in [*np.linspace(left, right, 50), *(v for v in stationary if left <= v <= right)]]
    assert low <= min(inside) <= low + 1e-3 * width**2 + 20 * LIBM
    assert high - 1e-3 * width**2 - 20 * LIBM <= max(inside) <= high


# ---------------------------------------------------------------- points at which everything cancels


def at_a_point(risk, a, b, t):
    return arb(float(taylor_models.upper_bounds(risk, a[None], b[None], np.array([t]), np.array([t]))[0]))


def cancelling(rng, net, X):
    """Weights whose pre-activations on X[0] are rounding errors, layer by layer, where a layer has two inputs or more."""
    theta = rng.standard_normal(net.size)
    h = X[0]
    for k, W in enumerate(net.weights(theta), start=1):
        h = np.append(h, 1.0) if net.bias else h
        if k == net.depth or rng.random() < 0.5:
            used = int(np.argmax(np.abs(h)))
            others = np.arange(len(h)) != used
            if h[used]:
                W[:, used] = -(W[:, others] @ h[others]) / h[used]
        h = net.rho(k).value(W @ h)
    return theta


@pytest.mark.parametrize("activation", ["relu", "identity", "tanh", "sigmoid"])
@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_the_bound_at_a_point_holds_where_all_terms_cancel(activation, loss):
    rng = np.random.default_rng(0)
    missed = 0
    for _ in range(80):
        widths = (int(rng.integers(2, 5)), *rng.integers(2, 5, rng.integers(1, 3)).tolist(), 1)
        net = Network(widths, activation, bias=bool(rng.integers(2)))
        X = rng.uniform(0.5, 2, (1, widths[0]))
        risk = Risk(net, Sample(X, np.zeros((1, 1))), loss=loss)
        a = cancelling(rng, net, X)
        # as it stands, and as the point of a segment whose ends are large and opposite
        for start, end, t in ((a, a, 0.0), (a + 1e3 * (far := rng.standard_normal(net.size)), a - 1e3 * far, 0.5)):
            true = ball_risk(risk, start, end, t)
            assert not true > at_a_point(risk, start, end, t)
            missed += true > arb(risk((1 - t) * start + t * end))
    assert missed > 10


@pytest.mark.parametrize("many", ["units", "inputs"])
@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_the_bound_at_a_point_holds_where_a_sum_of_many_terms_misses_its_target(many, loss):
    for net, theta, X, target, missed in rounded_sums(many):
        upper = taylor_models.upper_bounds(
            Risk(net, Sample(X, target), loss=loss), theta[None], theta[None], *np.zeros((2, 1))
        )
        assert Fraction(float(upper[0])) >= (missed**2 if loss == "squared" else missed)


@pytest.mark.parametrize("penalty", ["ridge", "second_layer_l1"])
def test_the_penalty_at_a_point_holds_where_weights_cancel(penalty):
    rng = np.random.default_rng(1)
    net = Network((1, 2, 1))
    risk = Risk(net, Sample(np.zeros((1, 1)), np.zeros((1, 1))), kappa=0.7, penalty=penalty)
    for _ in range(100):
        a, t = rng.standard_normal(net.size), float(rng.uniform(0.1, 0.9))
        b = -a * (1 - t) / t  # theta(t) is a rounding error
        theta = [(1 - Fraction(t)) * Fraction(u) + Fraction(t) * Fraction(v) for u, v in zip(a.tolist(), b.tolist())]
        size = sum(v * v for v in theta) if penalty == "ridge" else sum(abs(v) for v in theta[2:])
        upper = taylor_models.upper_bounds(risk, a[None], b[None], np.array([t]), np.array([t]))[0]
        assert Fraction(float(upper)) >= Fraction(risk.kappa) * size > 0


@given(st.integers(0, 2**32), st.integers(1, 3), st.sampled_from([1.0, 1e-8, 1e6]))
def test_a_bound_at_a_point_is_the_risk_up_to_rounding(seed, samples, scale):
    rng = np.random.default_rng(seed)
    net = Network((2, 3, 3, 2), ("relu", "tanh", "sigmoid", "identity")[seed % 4], bias=bool(seed % 3))
    sample = Sample(
        scale * rng.standard_normal((samples, 2)), scale * rng.standard_normal((samples, 2)), rng.random(samples) + 0.1
    )
    risk = Risk(net, sample, kappa=0.1, penalty="ridge")
    a, b = rng.standard_normal((2, net.size))
    lo = np.linspace(0, 1, 5)
    found = taylor_models.upper_bounds(risk, np.tile(a, (5, 1)), np.tile(b, (5, 1)), lo, lo)
    values = risk.batch((1 - lo)[:, None] * a + lo[:, None] * b)
    assert (found >= values).all()
    assert (found <= values * (1 + 1e-11) + 1e-11 * scale**2).all()


@given(st.integers(0, 2**32), st.sampled_from([1e-3, 1e-4]))
def test_the_excess_over_a_cell_is_of_second_order_for_smooth_nets(seed, width):
    """Bound minus the larger end: halving the cell divides it by about four (what is left is rounding)."""
    rng = np.random.default_rng(seed)
    net = Network((2, 3, 2), ("tanh", "sigmoid")[seed % 2])
    risk = Risk(net, Sample(rng.standard_normal((3, 2)), rng.standard_normal((3, 2))))
    a, b = rng.standard_normal((2, net.size))
    excess = []
    for h in (width, width / 4):
        lo, hi = np.array([0.4]), np.array([0.4 + h])
        ends = risk.batch(np.stack([a + s * (b - a) for s in (lo[0], hi[0])]))
        excess.append(float(taylor_models.upper_bounds(risk, a[None], b[None], lo, hi)[0]) - ends.max())
    assert excess[1] <= excess[0] / 8 + 1e-11 * (1 + ends.max())


def test_no_cells_have_no_bounds():
    risk = Risk(Network((1, 2, 1)), Sample(np.ones((1, 1)), np.ones((1, 1))))
    assert taylor_models.upper_bounds(risk, np.zeros((0, 4)), np.zeros((0, 4)), np.zeros(0), np.zeros(0)).shape == (0,)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_the_rounding_of_an_activation_is_allowed_for_where_its_curvature_leaves_no_room(name):
    """At d = 0 the model's centre is off by half the range of the curvature: what is left is the rounding of sigma."""
    rng = np.random.default_rng(0)
    centre, radius = rng.uniform(-3, 3, 3000), 10.0 ** rng.uniform(-2, -0.5, 3000)
    found, _, _ = taylor_models._activate(name, TaylorModel(centre, [np.ones(3000)], np.zeros(3000)), [radius])
    ctx.prec, closest = 120, np.inf
    for z, c, e in zip(centre.tolist(), found.centre.tolist(), found.rest.tolist()):
        true = arb(z).tanh() if name == "tanh" else 1 / (1 + (-arb(z)).exp())
        slack = arb(e) - abs(true - arb(c))
        assert slack > 0
        closest = min(closest, float(slack.mid()))
    assert closest < 8 * LIBM  # there was no room but for rounding


# ---------------------------------------------------------------- every magnitude, in exact arithmetic


def exact_risk(risk, theta_0, theta_1, t):
    """F at theta(t) in fractions: relu or identity, squared loss, ridge."""
    t = Fraction(t)
    at = [(1 - t) * Fraction(u) + t * Fraction(v) for u, v in zip(theta_0.tolist(), theta_1.tolist())]
    total = Fraction(risk.kappa) * sum(v * v for v in at)
    for x, y, w in zip(risk.sample.X.tolist(), risk.sample.Y.tolist(), risk.sample.weights.tolist()):
        h, rest = [Fraction(v) for v in x], at
        for k, (rows, columns) in enumerate(risk.network.shapes, start=1):
            W, rest = rest[: rows * columns], rest[rows * columns :]
            h = [sum((a * b for a, b in zip(W[i * columns :], h)), Fraction(0)) for i in range(rows)]
            h = [max(v, Fraction(0)) for v in h] if risk.network.rho(k).name == "relu" else h
        total += Fraction(w) * sum((a - Fraction(b)) ** 2 for a, b in zip(h, y))
    return total


exponents = st.integers(-1070, 400) | st.sampled_from([-1074, -1022, -600, -300, 0, 300])


def holds_at_every_magnitude(upper_bounds, data, seed, activation, hidden):
    """Layers, inputs and targets of sizes from 2^-1074 to 2^400, which meet again in products; cells of any width."""
    rng = np.random.default_rng(seed)
    net = Network((2, *[2] * hidden, 1), activation)
    powers = [data.draw(exponents) for _ in range(hidden + 4)]
    layers = [[np.ldexp(rng.standard_normal(s), p) for s, p in zip(net.shapes, powers)] for _ in "ab"]
    X, Y = np.ldexp(rng.standard_normal((2, 2)), powers[-3]), np.ldexp(rng.standard_normal((2, 1)), powers[-2])
    risk = Risk(net, Sample(X, Y), kappa=float(np.ldexp(1.0, powers[-1])), penalty="ridge")
    a, b = (net.pack(part) for part in layers)
    lo, width = float(rng.random() * rng.integers(2)), 2.0 ** data.draw(st.integers(-1070, 0))
    hi = min(1.0, lo + width)
    upper = float(upper_bounds(risk, a[None], b[None], np.array([lo]), np.array([hi]))[0])
    if upper < np.inf:
        for t in (lo, hi, (lo + hi) / 2, lo + (hi - lo) * float(rng.random())):
            assert exact_risk(risk, a, b, t) <= Fraction(upper)


@settings(max_examples=max(300, 2 * settings().max_examples))
@given(st.data(), st.integers(0, 2**32), st.sampled_from(["relu", "identity"]), st.integers(1, 2))
def test_a_bound_over_a_cell_holds_at_every_magnitude(data, seed, activation, hidden):
    holds_at_every_magnitude(taylor_models.upper_bounds, data, seed, activation, hidden)


def test_overflow_leaves_no_bound_and_never_nan():
    net = Network((1, 1, 1))
    risk = Risk(net, Sample([[1e200]], [[1.0]]))
    for theta in (np.array([1e200, 1e200]), np.array([1e200, -1e200]), np.array([1e200, 0.0])):
        assert taylor_models.upper_bounds(risk, theta[None], -theta[None], np.zeros(1), np.ones(1))[0] == np.inf


def test_the_largest_weights_that_floats_hold_give_bounds_without_a_warning():
    net, most = Network((1, 1, 1)), np.finfo(float).max
    risk = Risk(net, Sample([[0.0]], [[1.0]]))
    theta, zero = np.full((1, net.size), most), np.zeros(1)
    low, high = taylor_models.point_bounds(risk, theta, -theta, zero)
    assert low <= 1 <= high
    assert taylor_models.upper_bounds(risk, theta, -theta, zero, zero + 1) >= 1
