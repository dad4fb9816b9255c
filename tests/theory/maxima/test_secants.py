"""Secants: units, outputs and risks against exact arithmetic; every rule's planted fault; compiled and not, the same bits."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from rounded_sums import rounded_sums
from test_backward_bound import outputs
from test_maxima import ball_risk, deep
from test_taylor_models import exact_risk, holds_at_every_magnitude

from theory.maxima import bends, neighbourhoods, secants, segment_maximum, switches, taylor_models
from theory.maxima.neighbourhoods import Inputs
from theory.networks import Network
from theory.numerics.rounding import UNIT, gamma
from theory.risk import Risk, Sample

ENGINES = [bends.NUMPY] + ([bends.compiled()] if bends.compiled() else [])
SHARES = (0.0, 0.01, 0.25, 0.5, 0.8, 1.0)


def bound(risk, a, b, lo, hi):
    return float(secants.upper_bounds(risk, a[None], b[None], np.array([lo]), np.array([hi]))[0])


def cell(rng):
    width = 2.0 ** -rng.integers(0, 12)
    lo = float(rng.random() * (1 - width))
    return lo, min(lo + width, 1.0)


# ---------------------------------------------------------------- one unit

modest = st.floats(-3, 3)
sizes = st.sampled_from([0.0, 1e-9, 1e-3]) | st.floats(0, 2)


def activated(engine, name, a, b, bend, rest):
    """The bend and what is left of it after an activation of z between a and b."""
    y, e = applied(engine, name, *(np.full((1, 1, 1), x) for x in (a, b, bend, rest)))
    return float(y[0, 0, 0]), float(e[0, 0, 0]) * (1 + 64 * UNIT)


def applied(engine, name, a, b, bend, rest):
    """The same for arrays (B, n, N)."""
    n = a.shape[1]
    s, u = (Network((1, 1, 1), name).rho(1).value(z) for z in (a, b))
    parts = np.concatenate(
        [bend, np.full_like(bend, np.nan), rest, np.full_like(bend, np.nan), np.ones_like(bend[:, :1])], axis=1
    )
    if name == "relu":
        engine.relu(s, u, a, b, parts)
    else:
        engine.smooth(secants.CURVED[name][0], s, u, a, b, parts)
    bend, move, rest, size = (parts[:, k * n : (k + 1) * n] for k in range(4))
    assert np.array_equal(move, u - s)
    assert np.array_equal(size, np.abs(bend))
    return bend, rest


@pytest.mark.parametrize("engine", ENGINES)
@given(modest, modest, modest, sizes)
def test_relu_of_a_bent_quantity_stays_within_what_is_left(engine, a, b, bend, rest):
    """Exactly, at the ends and middle of |y - bend| <= rest, and at the kink."""
    after, left = activated(engine, "relu", a, b, bend, rest)
    shares = [Fraction(x) for x in SHARES]
    if a * b < 0:
        shares.append(Fraction(a) / (Fraction(a) - Fraction(b)))
    for tau, y in product(shares, (bend - rest, bend, bend + rest)):
        z = (1 - tau) * Fraction(a) + tau * Fraction(b) + tau * (1 - tau) * Fraction(y)
        chord = (1 - tau) * max(Fraction(a), 0) + tau * max(Fraction(b), 0)
        room = Fraction(left) + 4 * Fraction(UNIT) * Fraction(abs(y))  # y is rounded here
        assert abs(max(z, Fraction(0)) - chord - tau * (1 - tau) * Fraction(after)) <= tau * (1 - tau) * room


@pytest.mark.parametrize("engine", ENGINES)
@given(st.sampled_from(["tanh", "sigmoid"]), modest | st.floats(-30, 30), sizes, st.booleans(), modest, sizes)
def test_smooth_activations_of_a_bent_quantity_stay_within_what_is_left(engine, name, a, step, down, bend, rest):
    b = a - step if down else a + step
    after, left = activated(engine, name, a, b, bend, rest)
    ctx.prec = 200

    def sigma(z):
        return z.tanh() if name == "tanh" else 1 / (1 + (-z).exp())

    for tau, y in product(map(arb, SHARES), (bend - rest, bend, bend + rest)):
        share = tau * (1 - tau)
        true = sigma((1 - tau) * arb(a) + tau * arb(b) + share * arb(y))
        chord = (1 - tau) * sigma(arb(a)) + tau * sigma(arb(b))
        assert (
            not abs(true - chord - share * arb(after)) > share * (arb(left) + 4 * UNIT * abs(arb(y))) + arb(2) ** -190
        )


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_what_is_left_by_a_smooth_activation_is_of_third_order(name):
    for z in np.linspace(-4, 4, 33):
        left = [activated(bends.NUMPY, name, z, z + d, 0.0, 0.0)[1] for d in (0.08, 0.04, 0.02)]
        assert left[1] <= left[0] / 7
        assert left[2] <= left[1] / 7


def test_the_constants_of_the_smooth_activations_bound_their_derivatives():
    for name, (sigma, steepest) in secants.CURVED.items():
        z = np.linspace(-8, 8, 4001)
        s = Network((1, 1, 1), name).rho(1).value(z)
        f = 1 - s * s if name == "tanh" else s * (1 - s)
        second = -2 * s * f if name == "tanh" else f * (1 - 2 * s)
        third = f * (4 - 6 * f) if name == "tanh" else f * (1 - 6 * f)
        assert f.max() <= steepest
        assert np.abs(second).max() <= sigma.peak
        assert (np.abs(second) <= sigma.rate * f * (1 + 1e-12)).all()
        assert np.abs(third).max() <= 2 * sigma.third * sigma.peak  # where P is its peak
        assert (np.abs(third) <= 2 * sigma.third * sigma.rate * f).all()  # where it is not
        assert (f <= sigma.tail * np.exp(-sigma.rate * np.abs(z)) + 1e-15).all()
        x = np.linspace(0, bends.WIDE, 1001)
        assert (np.exp(x) <= 1 + x + x * x + 1e-15).all()


@given(st.integers(0, 2**32), st.sampled_from([0.0, 1.0, 30.0]))
def test_the_compiled_engine_gives_the_same_bits(seed, size):
    if bends.compiled() is None:
        pytest.skip("numba is not installed")
    rng = np.random.default_rng(seed)
    a, b, bend, rest = rng.standard_normal((4, 2, 3, 5))
    a, b = (1 + size) * np.stack([a, b])
    bend, rest = size * bend * rng.integers(0, 2, bend.shape), size * np.abs(rest) * rng.integers(0, 2, rest.shape)
    for name in ("relu", "tanh", "sigmoid"):
        found = [applied(engine, name, a, b, bend, rest) for engine in ENGINES]
        assert np.array_equal(found[0], found[1])


def test_saturated_units_that_move_far_are_bounded_too():
    """sigma' is 0 in floats at both ends, and the interval is wider than the growth of sigma' is known for."""
    for engine in ENGINES:
        bend, left = activated(engine, "tanh", -50.0, 50.0, 0.0, 0.0)
        assert np.isfinite([bend, left]).all()
        assert left >= 100 - 2  # chord against step
        bend, left = activated(engine, "tanh", 500.0, 700.0, 10.0, 10.0)  # on one side nothing happens
        assert abs(bend) + left < 1e-6


def test_many_numbers_are_left_to_the_compiler_and_few_are_not(monkeypatch):
    assert bends.engine(switches.COMPILED - 1) is bends.NUMPY
    monkeypatch.setattr(bends, "compiled", lambda: None)
    assert bends.engine(10**12) is bends.NUMPY


# ---------------------------------------------------------------- outputs

WIDTHS = st.lists(st.integers(1, 3), min_size=1, max_size=3)


def excess(net, a, b, lo, hi, X, kind):
    """By how much outputs leave their secants at the most, over what is left to them."""
    points = (1 - np.array([[lo], [hi]])) * a + np.array([[lo], [hi]]) * b
    size = (np.abs(a) + np.abs(b) + secants.TINY)[None]
    left, right = slice(0, -1), slice(1, None)
    layers = secants._layers(net, points, size, left, right)
    room = secants.Room(net.widths, 2, 1, len(X))
    found = secants._propagate(net, layers, X, left, right, bends.NUMPY, room)
    relu = {Fraction: lambda v: max(v, Fraction(0)), arb: lambda v: v.tanh()}[kind]
    ctx.prec = 200
    worst = -np.inf
    for share in SHARES:
        t = (1 - Fraction(share)) * Fraction(lo) + Fraction(share) * Fraction(hi)
        t = t if kind is Fraction else arb(t.numerator) / arb(t.denominator)
        tau = kind(share)
        for i, row in enumerate(outputs(net, a, b, t, X, kind, relu)):
            for o, true in enumerate(row):
                h0, h1 = (kind(float(found.ends[q, o, i])) for q in (0, 1))
                y, e, r = (
                    kind(float(part)) for part in (found.bend[0, o, i], found.rest[0, o, i], found.blur[0, o, 0])
                )
                room = tau * (1 - tau) * e * kind(1 + 64 * UNIT) + r
                off = abs(true - (1 - tau) * h0 - tau * h1 - tau * (1 - tau) * y) - room
                worst = max(worst, float(off if kind is Fraction else off.lower()))
    return worst


def net_and_ends(seed, hidden, activation="relu", integers=False):
    rng = np.random.default_rng(seed)
    net = Network((2, *hidden, int(rng.integers(1, 3))), activation, bias=bool(rng.integers(2)))
    a, b, X = (rng.standard_normal(shape) for shape in (net.size, net.size, (3, 2)))
    return net, *(np.round(3 * part) if integers else part for part in (a, b, X)), *cell(rng)


@settings(max_examples=max(150, settings().max_examples))
@given(st.integers(0, 2**32), WIDTHS, st.booleans())
def test_outputs_of_relu_nets_stay_by_their_secants_exactly(seed, hidden, integers):
    net, a, b, X, lo, hi = net_and_ends(seed, hidden, integers=integers)
    assert excess(net, a, b, lo, hi, X, Fraction) <= 0


@settings(max_examples=max(40, settings().max_examples // 2))
@given(st.integers(0, 2**32), WIDTHS)
def test_outputs_of_tanh_nets_stay_by_their_secants_in_balls(seed, hidden):
    net, a, b, X, lo, hi = net_and_ends(seed, hidden, "tanh")
    assert excess(net, a, b, lo, hi, X, arb) <= 0


# ---------------------------------------------------------------- risks


@settings(max_examples=100)
@given(seed=st.integers(0, 2**32), loss=st.sampled_from(["squared", "absolute"]), data=st.data())
def test_bounds_hold_at_every_point_of_the_cell(seed, loss, data):
    risk, a, b = deep(seed, loss)
    lo = data.draw(st.floats(0, 1))
    hi = min(1.0, lo + data.draw(st.sampled_from([0.0, 1e-12, 1e-6, 1e-3, 0.1, 0.5, 1.0])))
    upper = bound(risk, a, b, lo, hi)
    for share in SHARES:
        t = min(max(lo + share * (hi - lo), lo), hi)
        assert not ball_risk(risk, a, b, t) > arb(upper)
    if lo == hi:  # a point: only rounding is left
        assert upper <= float(ball_risk(risk, a, b, lo).mid()) * (1 + 1e-9) + 1e-9


@settings(max_examples=max(150, settings().max_examples))
@given(st.data(), st.integers(0, 2**32), st.sampled_from(["relu", "identity"]), st.integers(1, 2))
def test_bounds_hold_at_every_magnitude(data, seed, activation, hidden):
    holds_at_every_magnitude(secants.upper_bounds, data, seed, activation, hidden)


@pytest.mark.parametrize("many", ["units", "inputs"])
@pytest.mark.parametrize("loss", ["squared", "absolute"])
def test_bounds_hold_where_a_sum_of_many_terms_misses_its_target(many, loss):
    for net, theta, X, target, missed in rounded_sums(many):
        upper = bound(Risk(net, Sample(X, target), loss=loss), theta, theta, 0.0, 0.0)
        assert Fraction(upper) >= (missed**2 if loss == "squared" else missed)


@given(st.integers(0, 2**32))
def test_the_bound_is_the_higher_end_wherever_the_risk_falls_from_there(seed):
    """Not only in the limit of narrow cells: what bends is nothing at the ends."""
    rng = np.random.default_rng(seed)
    net = Network((2, 3, 3, 1), ("tanh", "relu")[seed % 2])
    risk = Risk(net, Sample(rng.standard_normal((5, 2)), rng.standard_normal((5, 1))))
    a, b = rng.standard_normal((2, net.size))
    lo = float(rng.uniform(0, 0.9))
    ends = risk.batch(np.stack([(1 - t) * a + t * b for t in (lo, lo + 1e-4)]))
    if abs(ends[1] - ends[0]) > 1e-5:
        assert bound(risk, a, b, lo, lo + 1e-4) <= ends.max() * (1 + 1e-11) + 1e-11


def test_blocks_of_samples_and_cells_joined_or_not_give_one_bound(monkeypatch):
    for seed in range(10):
        risk, a, b = deep(seed)
        cuts = np.linspace(0, 1, 8)
        order = np.random.default_rng(seed).permutation(7)
        ends = [np.tile(x, (7, 1)) for x in (a, b)]
        once = secants.upper_bounds(risk, *ends, cuts[:-1], cuts[1:])
        assert np.allclose(
            secants.upper_bounds(risk, *ends, cuts[order], cuts[order + 1]), once[order], rtol=1e-10, atol=0
        )
        for block, rows in product((1, 7, 60), (1, 64)):
            monkeypatch.setattr(secants, "BLOCK", block)
            monkeypatch.setattr(secants, "ROWS", rows)
            assert np.allclose(secants.upper_bounds(risk, *ends, cuts[:-1], cuts[1:]), once, rtol=1e-10, atol=0)
        monkeypatch.undo()


def test_overflow_leaves_no_bound_and_never_nan():
    risk = Risk(Network((1, 1, 1)), Sample([[1e200]], [[1.0]]))
    for theta in (np.array([1e200, 1e200]), np.array([1e200, -1e200]), np.array([1e200, 0.0])):
        assert bound(risk, theta, -theta, 0.0, 1.0) == np.inf
    assert secants.upper_bounds(risk, *np.zeros((2, 0, 2)), *np.zeros((2, 0))).shape == (0,)


def test_the_pieces_of_a_cubic_hold_it():
    """Rows of the matrix are convex combinations, and the bound is the maximum within what eighths leave."""
    assert (secants.EIGHTHS >= 0).all()
    assert np.array_equal(secants.EIGHTHS.sum(axis=1), np.ones(len(secants.EIGHTHS)))
    rng = np.random.default_rng(0)
    F, H, S = rng.random((2, 300)), rng.random((2, 300)) + 0.5, 4 * rng.random(300)
    t = np.linspace(0, 1, 1001)[:, None]
    s = 4 * t * (1 - t)
    cubic = (1 - s) * ((1 - t) * F[0] + t * F[1]) + s * ((1 - t) * H[0] + t * H[1]) - t * (1 - t) * S
    found = secants.highest(secants.Cubics(F, H, S))
    assert (found >= cubic.max(axis=0)).all()
    assert (found <= cubic.max(axis=0) + 0.02).all()


# ---------------------------------------------------------------- planted faults


def violations(count=60):
    """Chains of one unit a layer with a kink inside the cell, where what is left is attained."""
    found = 0
    for seed in range(count):
        rng = np.random.default_rng(seed)
        net = Network((1, 1, 1, 1), bias=True)
        a, b = rng.integers(-4, 5, (2, net.size)).astype(float)
        lo = float(rng.integers(0, 4)) / 4
        found += excess(net, a, b, lo, lo + 0.25, np.array([[float(rng.integers(1, 4))], [1.0]]), Fraction) > 0
    return found


def test_no_chain_leaves_its_secant():
    assert violations() == 0


def faulty(change):
    """The NumPy engine with a fault in what it leaves of relu."""

    def relu(s, u, a, b, parts):
        n = a.shape[1]
        bend, rest, size = parts[:, :n], parts[:, 2 * n : 3 * n], parts[:, 3 * n : 4 * n]
        before = bend.copy(), rest.copy()
        bends.numpy_relu(s, u, a, b, parts)
        change(a, b, *before, bend, rest)
        np.abs(bend, out=size)

    return bends.NUMPY._replace(relu=relu)


def lower(a, b, y, e, bend, rest):
    rest *= 0.9


def uncentred(a, b, y, e, bend, rest):
    bend += 0.5 * np.abs(b - a) * (a * b < 0)


def closed(a, b, y, e, bend, rest):
    """An undecided relu is taken for what its ends say."""
    bend[...] = y * ((a > 0) | (b > 0))
    rest[...] = e


def without_kink(a, b, y, e, bend, rest):
    """The lower end of the range is that of units that do not switch."""
    top, switch = bend + rest, a * b < 0
    bottom = np.where(switch, np.minimum(y - e, 0), bend - rest)
    bend[...], rest[...] = 0.5 * (top + bottom), 0.5 * np.abs(top - bottom)


def without_floor(a, b, y, e, bend, rest):
    """The upper end is that of z, which may be below what relu cuts it to."""
    bottom = bend - rest
    top = np.maximum(y + e + np.minimum(a, 0) + np.minimum(b, 0), bottom)
    bend[...], rest[...] = 0.5 * (top + bottom), 0.5 * (top - bottom)


@pytest.mark.parametrize("fault", [lower, uncentred, closed, without_kink, without_floor])
def test_a_relu_that_leaves_too_little_is_caught(monkeypatch, fault):
    monkeypatch.setattr(bends, "NUMPY", faulty(fault))
    assert violations() > 0


def without(part):
    def layers(*arguments):
        changed = []
        for layer in secants_layers(*arguments):
            bent, kept = layer.bent.copy(), layer.kept.copy()
            n = bent.shape[-1] // 2
            if part == "D (h_1 - h_0)":
                bent[..., n:] = 0
            elif part == "D |b| / 2":
                kept[..., n : 2 * n] = 0
            else:
                kept[..., :n] = 0
            changed.append(layer._replace(bent=bent, kept=kept))
        return changed

    return layers


secants_layers = secants._layers


@pytest.mark.parametrize("part", ["D (h_1 - h_0)", "D |b| / 2", "e"])
def test_a_part_of_a_layer_that_is_left_out_is_caught(monkeypatch, part):
    monkeypatch.setattr(secants, "_layers", without(part))
    assert violations() > 0


def test_the_rounding_of_layers_that_is_left_out_is_caught(monkeypatch):
    """At a point rounding is all there is: ends of huge weights that cancel."""
    net, X = Network((1, 1, 1, 1), "identity"), np.array([[1.0]])
    cancel = [(np.array([1.0, 3.0, 1 / 3 + s]), np.array([0.1, 7.0, 5 / 7 - s])) for s in np.linspace(0, 1, 40)]

    def count():
        return sum(excess(net, a, b, 0.3, 0.3 + 2.0**-40, X, Fraction) > 0 for a, b in cancel)

    assert count() == 0
    monkeypatch.setattr(secants, "gamma", lambda n: 1e-6 * gamma(n))
    assert count() > 0


def test_a_strength_that_the_loss_does_not_have_is_caught(monkeypatch):
    """w v = tau (5 - 4 tau): an interior maximum, at which the bound is nearly attained."""
    risk = Risk(Network((1, 1, 1), "identity"), Sample([[1.0]], [[0.0]]))
    a, b = np.array([0.0, 2.5]), np.array([2.0, 0.5])
    true = (25 / 16) ** 2
    assert true <= bound(risk, a, b, 0.0, 1.0) <= 1.05 * true
    monkeypatch.setattr(type(risk.criterion), "strength", 1.5)
    assert bound(risk, a, b, 0.0, 1.0) < true


# ---------------------------------------------------------------- groups under the squared loss


def in_groups(seed):
    """A risk whose inputs are in groups, and a bound on it over a cell; weights of all kinds, one of them zero."""
    rng = np.random.default_rng(seed)
    risk, a, b = deep(seed)
    X = rng.standard_normal((1, risk.sample.n_in)) + 0.3 * rng.standard_normal((12, risk.sample.n_in))
    weights = rng.random(12) * (np.arange(12) > 0)
    risk = Risk(risk.network, Sample(X, rng.standard_normal((12, risk.sample.n_out)), weights))
    lo, hi = np.sort(rng.random(2))

    def upper():
        cells = (a[None], b[None], np.array([lo]), np.array([hi]), Inputs.grouped(X, int(seed % 3)))
        return float(taylor_models.upper_bounds(risk, *cells)[0])

    return risk, a, b, (lo, 0.5 * (lo + hi), hi), upper


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_the_moments_of_a_group_bound_all_of_its_samples(seed):
    risk, a, b, points, upper = in_groups(seed)
    found = arb(upper())
    assert not any(ball_risk(risk, a, b, float(t)) > found for t in points)


def test_moments_that_leave_something_out_are_caught(monkeypatch):
    for name, fault in {
        "targets all alike": lambda m: m._replace(
            gram=m.gram * (np.arange(len(m.gram)) < len(m.gram) - 1)[:, None, None, None]
        ),
        "a tenth of the weight of what is left": lambda m: m._replace(weight=0.1 * m.weight, gram=0.99 * m.gram),
    }.items():
        with monkeypatch.context() as patch:
            of = neighbourhoods.Moments.of
            patch.setattr(neighbourhoods.Moments, "of", lambda *parts, of=of, fault=fault: fault(of(*parts)))
            below = 0
            for seed in range(60):
                risk, a, b, points, upper = in_groups(seed)
                below += any(ball_risk(risk, a, b, float(t)) > arb(upper()) for t in points)
        assert below > 0, name


@pytest.mark.parametrize("pairs", [2, 3])
@given(st.integers(0, 2**32))
def test_a_unit_that_overflows_on_its_way_is_not_taken_for_dead(pairs, seed):
    """Floats add up what is negative first and reach -inf, which relu hides; the true sum is positive."""
    rng = np.random.default_rng(seed)
    x = np.repeat([1.0, 1.5], pairs) * rng.uniform(0.9, 1.0) * 1e308
    net = Network((2 * pairs, 1, 1, 1), "relu")
    risk = Risk(net, Sample(x[None], [[0.0]]))
    rows = np.repeat([-1.0, 1.0], pairs)[None]
    a, b = (net.pack([rows, [[v * 1e-308]], [[v]]]) for v in rng.uniform(0.5, 1.5, 2))
    true = max(exact_risk(risk, a, b, Fraction(k, 4)) for k in range(5))
    assert true > Fraction(1, 100)
    assert bound(risk, a, b, 0.0, 1.0) >= true
    found = segment_maximum(risk, a, b, budget=20)
    assert found.value <= true <= found.upper


def test_a_value_is_not_attained_where_sums_overflow():
    net = Network((4, 1), "relu", "relu")
    risk = Risk(net, Sample(np.array([[1.0, 1.0, 1.5, 1.5]]) * 1e308, [[1e308]]), "absolute")
    a = np.array([-1.0, -1.0, 1.0, 1.0])
    found = segment_maximum(risk, a, a + [0, 0, 0, 2.0**-52], budget=20)
    assert found.value <= 1e293  # the output is 1e308 at the start, as the target
