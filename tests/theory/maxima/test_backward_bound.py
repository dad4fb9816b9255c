"""The remainder of deep nets, carried backward: against exact outputs, unit by unit, with every rule's planted fault."""

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.maxima import taylor_models
from theory.maxima.neighbourhoods import Inputs
from theory.networks import Network


@pytest.fixture(autouse=True, scope="module")
def always():
    """The backward bound also on nets where it does not pay."""
    held, taylor_models.PAYS = taylor_models.PAYS, 0
    yield
    taylor_models.PAYS = held


WIDTHS = st.lists(st.integers(1, 3), min_size=2, max_size=4)


def enclosed(net, a, b, lo, hi, X):
    """Middle, half width, and the model of the outputs over the cell [lo, hi]."""
    t = 0.5 * (lo + hi)
    rho = max(hi - t, t - lo) * (1 + 4 * taylor_models.UNIT)
    centre, slope = ((1 - t) * a + t * b)[None], (b - a)[None]
    size = taylor_models._size(a, b)[None]
    return t, taylor_models._propagate(net, centre, slope, size, np.array([rho]), Inputs.single(X))


def outputs(net, a, b, t, X, number, relu):
    """The outputs at t in the arithmetic of `number`."""
    theta = [(1 - number(t)) * number(u) + number(t) * number(v) for u, v in zip(a.tolist(), b.tolist())]
    found = []
    for x in X.tolist():
        h, rest = [number(v) for v in x], theta
        for k, (rows, columns) in enumerate(net.shapes, start=1):
            h = [*h, number(1)] if net.bias else h
            W, rest = rest[: rows * columns], rest[rows * columns :]
            h = [sum((u * v for u, v in zip(W[i * columns : (i + 1) * columns], h)), number(0)) for i in range(rows)]
            h = [relu(v) for v in h] if k < net.depth else h
        found.append(h)
    return found


def excess(net, a, b, lo, hi, X, points, kind=Fraction):
    """By how much outputs leave their model at the most, over what the model allows; exactly for relu nets."""
    middle, found = enclosed(net, a, b, lo, hi, X)
    ctx.prec = 160
    relu = {Fraction: lambda v: max(v, Fraction(0)), arb: lambda v: v.tanh()}[kind]
    worst = -np.inf
    for t in points:
        for i, row in enumerate(outputs(net, a, b, t, X, kind, relu)):
            for o, true in enumerate(row):
                c, s, e = (kind(float(part[0, i, o])) for part in (found.centre, found.slopes[0], found.rest))
                off = abs(true - c - s * (kind(t) - kind(middle))) - e
                worst = max(worst, float(off if kind is Fraction else off.lower()))
    return worst


def net_and_ends(seed, hidden, activation="relu", integers=False, n_in=2):
    rng = np.random.default_rng(seed)
    net = Network((n_in, *hidden, int(rng.integers(1, 3))), activation, bias=bool(rng.integers(2)))
    a, b, X = (rng.standard_normal(shape) for shape in (net.size, net.size, (3, n_in)))
    return net, *(np.round(3 * part) if integers else part for part in (a, b, X)), rng


def cells(rng):
    width = 2.0 ** -rng.integers(0, 12)
    lo = float(rng.random() * (1 - width))
    hi = min(lo + width, 1.0)
    return lo, hi, [lo, hi, *(lo + (hi - lo) * rng.random(3)).tolist()]


@settings(max_examples=max(300, 2 * settings().max_examples))
@given(st.integers(0, 2**32), WIDTHS, st.booleans())
def test_outputs_of_deep_relu_nets_stay_in_their_model_exactly(seed, hidden, integers):
    net, a, b, X, rng = net_and_ends(seed, hidden, integers=integers)
    lo, hi, points = cells(rng)
    assert excess(net, a, b, lo, hi, X, points) <= 0


@settings(max_examples=max(60, settings().max_examples // 2))
@given(st.integers(0, 2**32), WIDTHS)
def test_outputs_of_deep_tanh_nets_stay_in_their_model_in_balls(seed, hidden):
    net, a, b, X, rng = net_and_ends(seed, hidden, "tanh")
    lo, hi, points = cells(rng)
    assert excess(net, a, b, lo, hi, X, points, arb) <= 0


def chains(count=120):
    """Nets of one unit a layer with a kink inside the cell: there the remainder is attained."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        net = Network((1, 1, 1, 1), bias=True)
        a, b = rng.integers(-4, 5, (2, net.size)).astype(float)
        lo = float(rng.integers(0, 4)) / 4
        yield net, a, b, lo, lo + 0.25, np.array([[float(rng.integers(1, 4))]]), np.linspace(lo, lo + 0.25, 33).tolist()


def violations():
    return sum(excess(*chain) > 0 for chain in chains())


def test_no_chain_leaves_its_model():
    assert violations() == 0


CHANGES = {  # of what step k made
    "all a tenth lower": lambda k, made: 0.9 * made,
    "the lowest step left out": lambda k, made: made * (k > 0),
    "the middle step left out": lambda k, made: made * (k != 1),
    "the last step left out": lambda k, made: made * (k < 2),  # s^2 terms, and |D| times the remainder below
}


@pytest.mark.parametrize("fault", CHANGES)
def test_a_step_that_is_left_out_is_caught(monkeypatch, fault):
    backward, changed = taylor_models._backward, CHANGES[fault]
    monkeypatch.setattr(
        taylor_models,
        "_backward",
        lambda steps, forward: backward(
            [step._replace(made=changed(k, step.made)) for k, step in enumerate(steps)], forward
        ),
    )
    assert violations() > 0


def test_a_kink_that_is_a_tenth_too_low_is_caught(monkeypatch):
    relu = taylor_models._relu

    def low(z, radius):
        centre, factor, made = relu(z, radius)
        return centre, factor, made / 1.1

    monkeypatch.setattr(taylor_models, "_relu", low)
    assert violations() > 0


def test_the_rounding_of_a_layer_that_is_left_out_is_caught(monkeypatch):
    """At a point rounding is all there is: ends of huge weights that cancel."""
    net, X = Network((1, 1, 1, 1), "identity"), np.array([[1.0]])
    cancel = [(np.array([1.0, 3.0, 1 / 3 + s]), np.array([0.1, 7.0, 5 / 7 - s])) for s in np.linspace(0, 1, 40)]

    def count():
        return sum(excess(net, a, b, 0.3, 0.3 + 2.0**-40, X, [0.3], Fraction) > 0 for a, b in cancel)

    assert count() == 0
    monkeypatch.setattr(taylor_models, "gamma", lambda n: 0.0)
    assert count() > 0


def test_the_remainder_of_deep_nets_is_smaller_than_pushed_forward(monkeypatch):
    rng = np.random.default_rng(0)
    net = Network((4, 16, 16, 16, 16, 1), bias=True)
    a, b = rng.standard_normal((2, net.size)) / 3
    X = rng.standard_normal((50, 4))
    _, sharp = enclosed(net, a, b, 0.5, 0.52, X)
    monkeypatch.setattr(taylor_models, "_backward", lambda steps, forward: forward)
    _, pushed = enclosed(net, a, b, 0.5, 0.52, X)
    assert np.median(pushed.rest / sharp.rest) > 1.5
