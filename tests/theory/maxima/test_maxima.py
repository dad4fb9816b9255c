"""The maximum of a risk along a segment: against rational arithmetic, ball arithmetic, and by construction."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from exact_oracle import maximum as exact_maximum
from exact_oracle import risk_at
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.maxima import branch_and_bound, neighbourhoods, quartic, quartic_in_fractions, segments, taylor_models
from theory.maxima.neighbourhoods import Inputs
from theory.maxima.results import Method, Status
from theory.maxima.segments import path_maximum, segment_maxima, segment_maximum
from theory.networks import ACTIVATIONS, Network
from theory.numerics.rounding import LIBM, UNIT
from theory.paths import Path
from theory.risk import Risk, Sample

# ---------------------------------------------------------------- instances


def numbers(rng, kind, *shape):
    """Entries that are generic, small integers (coincident breakpoints), wildly scaled, heavy-tailed or sparse."""
    if kind == "generic":
        return rng.standard_normal(shape)
    if kind == "integers":
        return rng.integers(-2, 3, shape).astype(float)
    if kind == "scales":
        return rng.standard_normal(shape) * 10.0 ** rng.integers(-6, 4, shape)
    if kind == "heavy":
        return rng.standard_cauchy(shape)
    return rng.integers(-1, 2, shape) * rng.standard_normal(shape)


KINDS = ("generic", "integers", "scales", "heavy", "sparse")


def one_hidden_layer(seed, kind):
    """(risk, theta_0, theta_1) with one hidden layer under squared loss; every option appears."""
    rng = np.random.default_rng(seed)
    n, m, p, count = rng.integers(1, 4), rng.integers(1, 4), rng.integers(1, 3), rng.integers(1, 4)
    net = Network((n, m, p), "identity" if rng.random() < 0.15 else "relu", bias=bool(rng.integers(2)))
    penalty = (None, "ridge", "second_layer_l1")[rng.integers(3)]
    weights = None if rng.random() < 0.5 else rng.random(count) + 0.01
    sample = Sample(numbers(rng, kind, count, n), numbers(rng, kind, count, p), weights)
    risk = Risk(net, sample, kappa=0.0 if penalty is None else 0.1, penalty=penalty)
    return risk, numbers(rng, kind, net.size), numbers(rng, kind, net.size)


# ---------------------------------------------------------------- exact method


@pytest.mark.parametrize("kind", KINDS)
def test_upper_is_never_below_the_true_maximum_and_within_1e_9_of_the_value(kind):
    for seed in range(300):
        risk, a, b = one_hidden_layer(seed, kind)
        found = segment_maximum(risk, a, b)
        _, true = exact_maximum(risk, a, b)
        assert Fraction(found.upper) >= true, (seed, kind)
        assert found.upper - found.value <= 1e-9 * max(1.0, found.value), (seed, kind)
        assert abs(found.value - float(true)) <= 1e-9 * max(1.0, float(true)), (seed, kind)


@given(seed=st.integers(0, 2**32), kind=st.sampled_from(KINDS))
def test_the_bound_without_fractions_holds_too(seed, kind):
    risk, a, b = one_hidden_layer(seed, kind)
    affordable, quartic_in_fractions.affordable = quartic_in_fractions.affordable, lambda risk: False
    try:
        upper = quartic.maximum(risk, a, b).upper
    finally:
        quartic_in_fractions.affordable = affordable
    assert Fraction(upper) >= exact_maximum(risk, a, b)[1]


@given(seed=st.integers(0, 2**32), kind=st.sampled_from(KINDS))
def test_fractions_agree_with_the_oracle(seed, kind):
    risk, a, b = one_hidden_layer(seed, kind)
    upper, (_, true) = quartic_in_fractions.upper_bound(risk, a, b), exact_maximum(risk, a, b)
    assert true <= Fraction(upper) <= true * (1 + Fraction(1, 10**9)) + Fraction(1, 10**300)


def test_a_maximum_between_the_points_of_a_101_point_grid_is_found():
    # Three units make a hat of height 1 over (0.501, 0.509): a grid of 101 points sees zero everywhere.
    net = Network((1, 3, 1))
    risk = Risk(net, Sample(np.ones((1, 1)), np.zeros((1, 1))))
    kinks = np.array([[0.501], [0.505], [0.509]])
    a, b = (net.pack([t - kinks, [[250.0, -500.0, 250.0]]]) for t in (0.0, 1.0))
    t = np.linspace(0, 1, 101)[:, None]
    assert risk.batch((1 - t) * a + t * b).max() < 1e-20
    found = segment_maximum(risk, a, b)
    assert abs(found.value - 1) < 1e-9
    assert abs(found.t - 0.505) < 1e-9


@given(seed=st.integers(0, 2**32), kind=st.sampled_from(KINDS))
def test_one_slab_and_many_slabs_and_chunks_agree(seed, kind):
    risk, a, b = one_hidden_layer(seed, kind)
    once = quartic.maximum(risk, a, b)
    before, quartic.SWITCHES = quartic.SWITCHES, 3
    try:
        many = quartic.maximum(risk, a, b)
    finally:
        quartic.SWITCHES = before
    true = float(exact_maximum(risk, a, b)[1])
    for found in (once, many):
        assert true * (1 - 1e-12) <= found.upper
    assert abs(once.upper - many.upper) <= 1e-8 * max(1.0, true)


def test_a_larger_instance_bounds_every_point_of_a_fine_grid():
    rng = np.random.default_rng(5)
    net = Network((6, 40, 3), bias=True)
    risk = Risk(net, Sample(rng.standard_normal((300, 6)), rng.standard_normal((300, 3))), kappa=0.02, penalty="ridge")
    for _ in range(5):
        a, b = rng.standard_normal((2, net.size))
        found = segment_maximum(risk, a, b)
        grid = risk.batch(np.linspace(0, 1, 2001)[:, None] * (b - a) + a)
        assert found.method is Method.QUARTIC
        assert grid.max() <= found.upper
        assert found.value >= grid.max() * (1 - 1e-10)
        assert found.upper - found.value <= 1e-9 * found.value


# ---------------------------------------------------------------- branch and bound


def deep(seed, loss="squared"):
    """(risk, theta_0, theta_1) of any depth, activation and output."""
    rng = np.random.default_rng(seed)
    names = tuple(ACTIVATIONS)
    widths = tuple(int(n) for n in rng.integers(1, 4, size=rng.integers(3, 6)))
    net = Network(widths, names[rng.integers(4)], names[rng.integers(4)], bias=bool(rng.integers(2)))
    count = int(rng.integers(1, 5))
    sample = Sample(rng.standard_normal((count, widths[0])), rng.standard_normal((count, widths[-1])))
    penalty = "ridge" if rng.integers(2) else None
    risk = Risk(net, sample, loss=loss, kappa=0.1 if penalty else 0.0, penalty=penalty)
    scale = 10.0 ** rng.uniform(-1, 1)
    a, b = scale * rng.standard_normal((2, net.size))
    return risk, a, b


def ball_risk(risk, theta_0, theta_1, t):
    """F((1 - t) theta_0 + t theta_1) as a ball that contains it: an oracle in 200-bit ball arithmetic."""
    ctx.prec = 200
    net, t = risk.network, arb(t)
    theta = [(1 - t) * arb(float(a)) + t * arb(float(b)) for a, b in zip(theta_0, theta_1)]
    functions = {
        "identity": lambda z: z,
        "relu": lambda z: z.max(arb(0)),
        "tanh": lambda z: z.tanh(),
        "sigmoid": lambda z: 1 / (1 + (-z).exp()),
    }
    total = arb(0)
    for x, y, weight in zip(risk.sample.X.tolist(), risk.sample.Y.tolist(), risk.sample.weights.tolist()):
        h = [arb(v) for v in x]
        for k, ((rows, columns), start) in enumerate(zip(net.shapes, net.slices), start=1):
            h = [*h, arb(1)] if net.bias else h
            W = theta[start.start : start.stop]
            z = [sum((W[i * columns + j] * h[j] for j in range(columns)), arb(0)) for i in range(rows)]
            h = [functions[net.rho(k).name](v) for v in z]
        for v, target in zip(h, y):
            r = v - arb(target)
            total += arb(weight) * (r * r if risk.loss == "squared" else abs(r))
    if risk.penalty == "ridge":
        total += arb(risk.kappa) * sum((v * v for v in theta), arb(0))
    return total


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), loss=st.sampled_from(["squared", "absolute"]), data=st.data())
def test_enclosures_contain_the_risk_at_every_point_of_the_cell(seed, loss, data):
    risk, a, b = deep(seed, loss)
    lo = data.draw(st.floats(0, 1))
    hi = min(1.0, lo + data.draw(st.sampled_from([0.0, 1e-12, 1e-6, 1e-3, 0.1, 1.0])))
    upper = taylor_models.upper_bounds(risk, a[None], b[None], np.array([lo]), np.array([hi]))[0]
    for share in (0.0, 0.3, 0.5, 1.0):
        t = min(max(lo + share * (hi - lo), lo), hi)
        assert not ball_risk(risk, a, b, t) > arb(float(upper))
    if lo == hi:  # a point: only rounding is left
        assert upper <= float(ball_risk(risk, a, b, lo).mid()) * (1 + 1e-9) + 1e-9


@given(
    name=st.sampled_from(["tanh", "sigmoid"]),
    centre=st.floats(-30, 30) | st.floats(-2, 2),
    radius=st.floats(0, 1e-6) | st.floats(0, 1.1) | st.floats(0, 30),  # narrow, up to where intervals are wide, wide
)
def test_smooth_activations_stay_in_their_model(name, centre, radius):
    z = taylor_models.TaylorModel(np.array([centre]), [np.ones(1)], np.zeros(1))
    (centre_, (slope,), rest), _, _ = taylor_models._activate(name, z, [np.array([radius])])
    ctx.prec = 200
    c, s, e = (arb(float(part[0])) for part in (centre_, slope, rest))
    for d in radius * np.linspace(-1, 1, 9):
        z = arb(centre) + arb(float(d))
        true = z.tanh() if name == "tanh" else 1 / (1 + (-z).exp())
        assert not abs(true - c - s * arb(float(d))) > e
    assert float(e) <= 0.51 * taylor_models._CURVATURE[name][3] * radius**2 + 1e-13 * (1 + radius)


@settings(max_examples=100)
@given(
    seed=st.integers(0, 2**32),
    loss=st.sampled_from(["squared", "absolute"]),
    depth=st.integers(0, 3),
    spread=st.sampled_from([0.0, 1e-9, 1e-3, 0.1, 3.0]),
    width=st.sampled_from([0.0, 1e-6, 0.1, 1.0]),
)
def test_enclosures_of_grouped_inputs_contain_the_risk_too(seed, loss, depth, spread, width):
    risk, a, b = deep(seed, loss)
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((1, risk.sample.n_in)) + spread * rng.standard_normal((9, risk.sample.n_in))
    Y = rng.standard_normal((9, risk.sample.n_out))
    risk = replace(risk, sample=Sample(X, Y, rng.integers(0, 3, 9) + np.eye(9)[0]))
    lo = float(rng.uniform(0, 1 - width))
    cell = (a[None], b[None], np.array([lo]), np.array([lo + width]))
    upper, single = (taylor_models.upper_bounds(risk, *cell, inputs)[0] for inputs in (Inputs.grouped(X, depth), None))
    for t in lo + width * np.array([0.0, 0.4, 1.0]):
        assert not ball_risk(risk, a, b, float(t)) > arb(float(upper))
    if spread == 0 and loss == "absolute":  # equal inputs: grouping them costs nothing but rounding
        assert upper <= single * (1 + 1e-9) + 1e-12


@given(seed=st.integers(0, 2**32), depth=st.integers(0, 4), kind=st.sampled_from(KINDS), columns=st.integers(1, 3))
def test_every_input_is_within_the_radius_of_its_group_and_at_its_offset(seed, depth, kind, columns):
    X = numbers(np.random.default_rng(seed), kind, 17, columns)
    inputs = Inputs.grouped(X, depth)
    sizes = np.bincount(inputs.group, minlength=2**depth)
    assert sizes.max() - sizes.min() <= 1
    assert len(inputs.centre) == 2**depth
    for i, k in enumerate(inputs.group):
        for j in range(columns):
            delta = Fraction(X[i, j]) - Fraction(inputs.centre[k, j])
            assert abs(delta) <= Fraction(inputs.radius[j, k])
            assert abs(delta - Fraction(inputs.offset[j, i])) <= Fraction(UNIT) * abs(delta)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), loss=st.sampled_from(["squared", "absolute"]), columns=st.integers(1, 3))
def test_a_ceiling_is_decided_alike_with_inputs_grouped_and_one_by_one(seed, loss, columns):
    rng = np.random.default_rng(seed)
    net = Network((columns, 3, 1), "sigmoid", bias=True)
    X = rng.uniform(-1, 1, (600, columns))
    risk = Risk(net, Sample(X, np.cos(X.sum(axis=1, keepdims=True))), loss)
    a, b = rng.standard_normal((2, net.size))
    assert neighbourhoods.groups_of(risk.sample) is not None
    top = segment_maximum(risk, a, b, gap=1e-6).value
    for factor in (0.9, 0.999, 1.001, 1.1):
        found = segment_maxima(risk, a[None], b[None], ceiling=factor * top)
        assert (found.upper[0] <= factor * top) == (factor > 1)
        assert found.upper[0] >= top
        assert (found.value[0] > factor * top) == (factor < 1)


def test_a_wide_group_whose_slopes_underflow_is_still_bounded():
    X = np.array([[1e300], [-1e300], [0.5]])
    for act in ("identity", "relu"):
        risk = Risk(Network((1, 1, 1), act), Sample(X, np.zeros((3, 1))), "absolute")
        a = np.array([[1e-165, 1e-160]])  # their product is 0 in float64, the output 1e-25
        for hi in (0.0, 1.0):
            upper = taylor_models.upper_bounds(risk, a, a, np.zeros(1), np.array([hi]), Inputs.grouped(X, 0))[0]
            assert not ball_risk(risk, a[0], a[0], 0.0) > arb(float(upper))


@given(seed=st.integers(0, 2**32))
def test_split_cells_leave_no_gap(seed):
    rng = np.random.default_rng(seed)
    lo = np.sort(rng.random(6))
    cells = branch_and_bound.Cells(np.arange(5), lo[:-1], lo[1:])
    for _ in range(3):
        cells = cells.split(rng.integers(1, 9, len(cells.lo)))
        assert np.array_equal(cells.hi[:-1], cells.lo[1:])
        assert (cells.lo <= cells.hi).all()
    assert (cells.lo[0], cells.hi[-1]) == (lo[0], lo[-1])


def test_blocks_of_samples_and_cells_give_one_bound(monkeypatch):
    for seed in range(10):
        risk, a, b = deep(seed)
        lo, hi = np.array([0.0, 0.2, 0.7]), np.array([0.1, 0.9, 0.7])
        a, b = np.tile(a, (3, 1)), np.tile(b, (3, 1))
        once = taylor_models.upper_bounds(risk, a, b, lo, hi)
        for block in (1, 4, 7):
            monkeypatch.setattr(taylor_models, "BLOCK", block)
            assert np.allclose(taylor_models.upper_bounds(risk, a, b, lo, hi), once, rtol=1e-12, atol=0)
        monkeypatch.undo()


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), loss=st.sampled_from(["squared", "absolute"]))
def test_branch_and_bound_holds_in_ball_arithmetic_and_meets_its_gap(seed, loss):
    risk, a, b = deep(seed, loss)
    found = segment_maximum(risk, a, b, gap=1e-4)
    for t in np.linspace(0, 1, 17):
        assert not ball_risk(risk, a, b, float(t)) > arb(found.upper)
    if found.status is Status.CONVERGED:
        assert found.upper <= found.value * (1 + 1e-4) + 1e-12
    if found.method is Method.BRANCH_AND_BOUND:
        assert found.status is Status.CONVERGED or found.value < 1e-12


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(("generic", "integers", "sparse")))
def test_branch_and_bound_and_the_exact_method_agree(seed, kind):
    risk, a, b = one_hidden_layer(seed, kind)
    exact = float(exact_maximum(risk, a, b)[1])
    value, t = risk.batch(np.stack([a, b])).max(keepdims=True), np.zeros(1)
    found = branch_and_bound.search(
        branch_and_bound.of_sample(risk), a[None], b[None], value, t, branch_and_bound.Goal(1e-3), 4000
    )
    assert exact * (1 - 1e-12) <= found.upper[0] <= exact * (1 + 1.1e-3) + 1e-12


def test_a_spent_budget_says_so_and_the_bound_still_holds():
    for seed in range(20):
        risk, a, b = deep(seed)
        tight, loose = segment_maximum(risk, a, b, gap=1e-5), segment_maximum(risk, a, b, gap=1e-9, budget=4)
        assert loose.upper >= tight.value
        if loose.upper > loose.value * (1 + 1e-9) + 1e-15:
            assert loose.status is Status.BUDGET


def test_libm_is_as_accurate_as_the_rounding_model_assumes():
    rng = np.random.default_rng(0)
    ctx.prec = 120
    for x in np.concatenate([rng.uniform(-1, 1, 4000), rng.uniform(-30, 30, 4000), 10.0 ** rng.uniform(-12, 0, 2000)]):
        x = float(x)
        for computed, true in (
            (np.tanh(x), arb(x).tanh()),
            (ACTIVATIONS["sigmoid"].value(x), 1 / (1 + (-arb(x)).exp())),
        ):
            assert abs(arb(float(computed)) - true) < arb(LIBM / 2) * (1 if computed > 0.5 else max(abs(x), 1.0))


# ---------------------------------------------------------------- convex pieces


@given(seed=st.integers(0, 2**32))
def test_a_segment_that_moves_the_last_layer_only_is_decided_by_its_ends(seed):
    risk, a, b = deep(seed)
    net = Network(risk.network.widths, risk.network.activation, "identity", risk.network.bias)
    risk = Risk(net, risk.sample, loss="absolute")
    b = np.concatenate([a[: net.slices[-1].start], b[net.slices[-1]]])
    found = segment_maximum(risk, a, b)
    assert found.method is Method.CONVEX
    assert found.value == pytest.approx(max(risk(a), risk(b)), rel=1e-11)
    assert risk.batch(np.linspace(0, 1, 33)[:, None] * (b - a) + a).max() <= found.upper


def test_incoming_rows_of_idle_units_may_move_and_the_risk_is_still_convex():
    net = Network((2, 3, 1))
    rng = np.random.default_rng(0)
    risk = Risk(net, Sample(rng.standard_normal((5, 2)), rng.standard_normal((5, 1))))
    W, V = rng.standard_normal((3, 2)), np.array([[1.0, 0.0, 2.0]])
    moved = W.copy()
    moved[1] = [7.0, -3.0]
    assert segments.is_convex_along(risk, net.pack([W, V]), net.pack([moved, V]))
    moved[0] = [1.0, 1.0]
    assert not segments.is_convex_along(risk, net.pack([W, V]), net.pack([moved, V]))
    assert not segments.is_convex_along(risk, net.pack([W, V]), net.pack([moved, V + np.array([0.0, 1.0, 0.0])]))


def test_moving_one_inner_layer_of_a_linear_net_is_convex_and_of_a_relu_net_is_not():
    for activation, expected in (("identity", True), ("relu", False)):
        net = Network((2, 3, 3, 1), activation)
        rng = np.random.default_rng(1)
        risk = Risk(net, Sample(rng.standard_normal((4, 2)), rng.standard_normal((4, 1))))
        a = rng.standard_normal(net.size)
        b = a.copy()
        b[net.slices[1]] += 1.0
        assert segments.is_convex_along(risk, a, b) is expected


def test_equal_ends_are_a_point():
    for risk, a, _ in (one_hidden_layer(3, "generic"), deep(4)):
        found = segment_maximum(risk, a, a)
        assert found.value == pytest.approx(risk(a), rel=1e-11)
        assert found.value <= found.upper
        assert found.upper <= found.value * (1 + 1e-9) + 1e-12


# ---------------------------------------------------------------- paths, many segments, ceilings


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), shallow=st.booleans())
def test_the_maximum_of_a_path_is_the_largest_of_its_pieces(seed, shallow):
    risk, a, b = one_hidden_layer(seed, "generic") if shallow else deep(seed)
    rng = np.random.default_rng(seed)
    path = Path(np.stack([a, b, rng.standard_normal(a.size), a]))
    whole = path_maximum(risk, path, gap=1e-4)
    pieces = segment_maxima(risk, path.points[:-1], path.points[1:], gap=1e-4)
    assert whole.upper <= pieces.value.max() * (1 + 1e-3) + 1e-9
    assert whole.upper >= pieces.value.max()
    assert abs(risk(path.at(whole.t)) - whole.value) <= 1e-6 * max(1.0, whole.value)
    assert int(whole.t * len(path) - 1e-12) in (whole.piece, whole.piece - 1) or whole.t == 0


def test_a_ceiling_stops_early_on_both_sides():
    risk, a, b = deep(11)
    true = segment_maximum(risk, a, b, gap=1e-6)
    for ceiling in (0.5 * true.value, 2.0 * true.upper):
        m = segment_maxima(risk, a[None], b[None], gap=1e-9, ceiling=ceiling)
        assert (m.upper[0] <= ceiling) == (true.upper <= ceiling)
        assert m.upper[0] >= true.value


def test_a_path_of_one_point_and_an_empty_batch_are_ordinary():
    risk, a, _ = deep(2)
    assert path_maximum(risk, Path(a[None])).value == pytest.approx(risk(a), rel=1e-11)
    assert segment_maxima(risk, np.zeros((0, a.size)), np.zeros((0, a.size))).value.shape == (0,)


def test_inputs_are_not_changed():
    risk, a, b = deep(7)
    before = a.copy(), b.copy()
    segment_maximum(risk, a, b)
    assert np.array_equal(a, before[0])
    assert np.array_equal(b, before[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"theta_0": np.zeros(3)}, "theta_0"),
        ({"theta_1": np.full(9, np.nan)}, "theta_1"),
        ({"theta_1": np.full(9, np.inf)}, "theta_1"),
        ({"theta_0": np.zeros((2, 9))}, "theta_0"),
        ({"gap": 0.0}, "gap"),
        ({"gap": float("nan")}, "gap"),
        ({"budget": 0}, "budget"),
    ],
)
def test_bad_input_names_the_argument(change, message):
    net = Network((2, 3, 1))
    risk = Risk(net, Sample(np.ones((1, 2)), np.ones((1, 1))))
    with pytest.raises(ValueError, match=message):
        segment_maximum(risk, **({"theta_0": np.zeros(9), "theta_1": np.ones(9)} | change))


# ---------------------------------------------------------------- the ends of the range of floats

ONE = Sample(np.ones((1, 1)), np.zeros((1, 1)))
MANY = Sample(np.ones((3000, 1)), np.zeros((3000, 1)))  # too many for fractions


@pytest.mark.parametrize("sample", [ONE, MANY])
@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_a_hill_whose_coefficients_overflow_between_ends_at_zero_is_not_missed(sample, activation):
    risk = Risk(Network((1, 1, 1), activation), sample)
    found = segment_maximum(risk, np.array([0.0, 4.0]), np.array([1e154, 0.0]))  # 1e308 at t = 1/2
    assert found.upper >= 1e308
    assert found.status is Status.ROUNDING
    beyond = segment_maximum(risk, np.array([0.0, 4.0]), np.array([1e155, 0.0]))  # 1e310
    assert beyond.upper == np.inf
    assert np.isfinite(beyond.value)


def test_bounds_hold_where_squares_and_products_underflow():
    net = Network((1, 1, 1))
    for scale in (1e-150, 1e-160, 1e-165, 1e-300):
        a, b = np.array([scale, 1.0]), np.array([2 * scale, 1.3])
        found = segment_maximum(Risk(net, ONE), a, b)
        assert Fraction(found.upper) >= exact_maximum(Risk(net, ONE), a, b)[1] > 0
    faint = Risk(net, Sample(np.full((1, 1), 1e-170), np.zeros((1, 1))))  # the pre-activation underflows to 0
    a, b = np.array([1e-170, 1e200]), np.array([1.5e-170, 1.5e200])
    assert Fraction(segment_maximum(faint, a, b).upper) >= exact_maximum(faint, a, b)[1] > 0
    ridge = Risk(net, ONE, kappa=1e300, penalty="ridge")
    for a, b in [([1e-170, 0.0], [1e-171, 1e-170]), ([0.0, 1e-170], [0.0, 0.0])]:
        a, b = np.array(a), np.array(b)
        assert Fraction(segment_maximum(ridge, a, b).upper) >= exact_maximum(ridge, a, b)[1] > 0


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_penalty_of_no_weight_costs_nothing_even_where_its_square_overflows(activation):
    risk = Risk(Network((1, 1, 1), activation), Sample(np.ones((1, 1)), np.zeros((1, 1))), penalty="ridge")
    a, b = np.array([1e160, 1e-150]), np.array([2e160, 2e-150])
    assert np.isfinite(risk(a))
    lo = np.array([0.0, 0.5])
    upper = taylor_models.upper_bounds(risk, np.stack([a, a]), np.stack([b, b]), lo, lo)
    assert not any(ball_risk(risk, a, b, t) > arb(float(u)) for t, u in zip(lo, upper))
    assert segment_maximum(risk, a, b).upper >= max(risk(a), risk(b))


def test_cells_too_narrow_to_be_split_are_called_rounding_not_budget():
    risk, a, b = deep(3)
    found = segment_maximum(risk, a, b, gap=1e-16, budget=10**6)
    assert found.method is Method.BRANCH_AND_BOUND
    assert found.status is Status.ROUNDING


def test_an_outgoing_weight_that_changes_sign_counts_even_when_the_product_of_its_ends_underflows():
    risk = Risk(Network((1, 1, 1)), ONE, kappa=1e250, penalty="second_layer_l1")
    a, b = np.array([0.0, 1e-200]), np.array([1.0, -2e-200])
    assert Fraction(segment_maximum(risk, a, b).upper) >= exact_maximum(risk, a, b)[1]


def test_a_point_of_infinite_risk_is_an_error_that_names_it():
    risk = Risk(Network((1, 1, 1)), ONE)
    small, large = np.ones(2), np.full(2, 1e200)
    for ends, name in (((large, small), "theta_0"), ((small, large), "theta_1")):
        with pytest.raises(ValueError, match=name):
            segment_maximum(risk, *ends)
    with pytest.raises(ValueError, match=r"path\.points"):
        path_maximum(risk, Path(np.stack([small, large])))


def test_many_slabs_bound_a_segment_on_which_all_weights_cross_zero(monkeypatch):
    monkeypatch.setattr(quartic, "SWITCHES", 1)
    monkeypatch.setattr(quartic_in_fractions, "affordable", lambda risk: False)
    rng = np.random.default_rng(0)
    for _ in range(40):
        risk = Risk(Network((1, 4, 1)), Sample(rng.standard_normal((5, 1)), np.zeros((5, 1))))
        a = rng.standard_normal(8)
        b = -a * rng.uniform(0.9, 1.1)
        assert Fraction(quartic.maximum(risk, a, b).upper) >= exact_maximum(risk, a, b)[1]


def test_a_path_decided_by_one_piece_says_so_when_others_are_loose():
    rng = np.random.default_rng(0)
    net = Network((3, 5, 4, 1), "tanh")
    risk = Risk(net, Sample(rng.standard_normal((20, 3)), rng.standard_normal((20, 1))))
    for _ in range(10):
        path = Path(2 * rng.standard_normal((4, net.size)))
        ceiling = 0.5 * risk.batch(path.points).max()
        found = path_maximum(risk, path, ceiling=ceiling)
        assert found.value > ceiling
        assert found.status is Status.DECIDED or found.upper <= found.value * (1 + 1e-4)


# ---------------------------------------------------------------- planted faults


def test_a_bound_without_its_rounding_is_caught():
    """The oracle is sharp: float quartics without their rounding allowance fall below the truth somewhere."""
    below = 0
    for seed in range(200):
        risk, a, b = one_hidden_layer(seed, "generic")
        found = segment_maximum(risk, a, b)
        below += (
            Fraction(found.value) < risk_at(risk, a, b, Fraction(found.t))
            or Fraction(found.value) < exact_maximum(risk, a, b)[1]
        )
    assert below > 0


def test_an_enclosure_without_its_remainder_is_caught(monkeypatch):
    monkeypatch.setattr(taylor_models, "_activate", lambda name, z, rho: _naive(name, z))
    violated = 0
    for seed in range(60):
        risk, a, b = deep(seed)
        upper = taylor_models.upper_bounds(risk, a[None], b[None], np.zeros(1), np.ones(1))[0]
        violated += any(float(ball_risk(risk, a, b, t).mid()) > upper for t in (0.0, 0.25, 0.75, 1.0))
    assert violated > 0


def test_groups_of_a_thousandth_of_their_radius_are_caught():
    violated = 0
    for seed in range(60):
        risk, a, b = deep(seed)
        X = np.random.default_rng(seed).standard_normal((8, risk.sample.n_in))
        risk = replace(risk, sample=Sample(X, np.zeros((8, risk.sample.n_out))))
        blind = Inputs.grouped(X, 1)
        blind = blind._replace(radius=1e-3 * blind.radius)
        upper = taylor_models.upper_bounds(risk, a[None], b[None], np.zeros(1), np.zeros(1), blind)[0]
        violated += float(ball_risk(risk, a, b, 0.0).mid()) > upper
    assert violated > 0


def _naive(name, z):
    rho = ACTIVATIONS[name]
    factor, nothing = rho.slope(z.centre), np.zeros_like(z.centre)
    return taylor_models.TaylorModel(rho.value(z.centre), [factor * s for s in z.slopes], nothing), factor, nothing


def test_grouped_bounds_do_not_depend_on_how_many_cells_are_taken_at_once(monkeypatch):
    rng = np.random.default_rng(0)
    net = Network((1, 2, 3), "tanh")
    X = rng.uniform(-1, 1, (40, 1))
    risk, inputs = Risk(net, Sample(X, rng.standard_normal((40, 3)))), Inputs.grouped(X, 2)
    a, b = rng.standard_normal((2, 9, net.size))
    lo, hi = np.linspace(0, 0.8, 9), np.linspace(0.1, 0.9, 9)
    once = taylor_models.upper_bounds(risk, a, b, lo, hi, inputs)
    for slab in (1, 3 * 120):
        monkeypatch.setattr(taylor_models, "SLAB", slab)
        assert np.allclose(taylor_models.upper_bounds(risk, a, b, lo, hi, inputs), once, rtol=1e-12, atol=0)
