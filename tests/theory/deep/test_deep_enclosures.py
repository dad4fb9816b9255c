"""The bound of every layer against exact rationals, and its planted faults; scores and verdicts of tiny nets."""

from fractions import Fraction

import numpy as np
import pytest
from exact_layers import between, exact_layer, exact_scores, exact_wrong, fractions
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.deep import Conv, Dense, Dropout, Flatten, Model, Pool, Relu, ResponseNorm, enclosures
from theory.deep.enclosures import Form, Segment, enclose, scores, verdicts

LAYERS = [
    (Conv(2, 3, 2), (3, 4, 2)),
    (Conv(1, 2, 3), (4, 3, 1)),
    (Conv(2, 2, 2, stride=2, padding="VALID"), (5, 4, 2)),
    (Conv(1, 2, 3, stride=2), (5, 4, 1)),
    (Dense(7, 3), (7,)),
    (Pool(2, 2), (4, 5, 2)),
    (Pool(3, 2), (5, 4, 1)),
    (Pool(3, 1, "VALID"), (4, 4, 1)),
    (Relu(), (3, 2, 2)),
    (Flatten(), (2, 2, 2)),
]
NAMES = [repr(layer) for layer, _ in LAYERS]


def draw(rng, shape, kind):
    """Generic numbers, integers (which tie), or numbers of many sizes."""
    if kind == "integers":
        return rng.integers(-2, 3, shape).astype(float)
    if kind == "sizes":
        return rng.standard_normal(shape) * 2.0 ** rng.integers(-30, 30, shape)
    return rng.standard_normal(shape)


def form_of(rng, shape, kind):
    """One image's units below a layer; remainders of 0 as well."""
    c, d, r = (draw(rng, (1, *shape), kind) for _ in range(3))
    return Form(c, d * rng.integers(0, 2), np.abs(r) * rng.integers(0, 2))


def worst(layer, shape, rng, kind, form=None, change=None):
    """By how much the layer's exact output leaves what its rule says, over samples of s and of the remainders below.

    The rule is: output(s) - centre - s slope - A rho within `made`, without A rho within the remainder, and that is |A| r + made
    up to rounding, A as the transposed layer has it. change: of `made`, given the form below and the window, plants a fault.
    """
    model = Model((layer,) if len(layer.output(shape)) == 1 else (layer, Flatten()), shape)
    theta = draw(rng, (2, model.size), kind)
    middle, half = (0.5, 0.5) if rng.integers(2) else (0.3125, 0.0625)
    below = form_of(rng, shape, kind) if form is None else form
    if layer.size:
        own = Segment(model, *theta).window(middle, half)[0]
        above, step = enclosures.linear(layer, own, below, below.centre)
    else:
        own = None
        above, step = enclosures.RULES[type(layer)](layer, below)
    made = np.broadcast_to(step.made, above.centre.shape)[0]
    if change is not None:
        made = change(made, layer, own, below)
    outs = made.size
    transposed = step.back(np.eye(outs).reshape(outs, *made.shape), np.zeros(outs, dtype=int)).reshape(outs, -1)
    A, allowed = fractions(transposed), fractions(made).ravel()
    c, d, r = (fractions(part[0]) for part in below)
    C, D, R = (fractions(part[0]).ravel() for part in above)
    assert change or max(np.abs(A) @ r.ravel() + allowed - R * (1 + Fraction(1, 10**12))) <= 0
    excess = Fraction(-1)
    kinks = [-c.ravel()[k] / d.ravel()[k] for k in range(c.size) if abs(d.ravel()[k]) > abs(c.ravel()[k])][:3]
    for s in [Fraction(-1), Fraction(0), Fraction(1), Fraction(int(rng.integers(-64, 65)), 64), *kinks]:
        rho = r * rng.choice([-1, 0, 1], r.shape) if rng.integers(2) else r * int(rng.choice([-1, 1]))
        at = between(*theta, Fraction(middle) + Fraction(half) * s)
        true = exact_layer(layer, at, c + s * d + rho).ravel()
        off = true - C - s * D
        excess = max(excess, max(abs(off - A @ rho.ravel()) - allowed), -1 if change else max(abs(off) - R))
    return excess


@settings(max_examples=30 if settings().max_examples <= 50 else settings().max_examples)
@given(st.integers(0, 2**32), st.sampled_from(["generic", "integers", "sizes"]))
@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=NAMES)
def test_every_layer_does_what_its_rule_says(layer, shape, seed, kind):
    assert worst(layer, shape, np.random.default_rng(seed), kind) <= 0


def bent(own, layer, below):
    """|D d| / 2, what s^2 leaves."""
    out = len(own.row)
    lead = layer.output(below.slope.shape[1:])
    return 0.5 * np.abs(enclosures.patches(layer, below.slope) @ own.matrix[:, out:]).reshape(lead)


def turned(own, layer, below):
    """|D| r."""
    out = len(own.row)
    lead = layer.output(below.rest.shape[1:])
    return (enclosures.patches(layer, below.rest) @ np.abs(own.matrix[:, out:])).reshape(lead)


FAULTS = {
    "the kink's height a tenth lower": ([8], lambda made, *_: made / 1.1),
    "the pool's remainder dropped": ([5, 6, 7], lambda made, *_: 0 * made),
    "the pool's remainder a tenth lower": ([5, 6, 7], lambda made, *_: made / 1.1),
    "the s^2 term dropped": ([0, 1, 2, 3, 4], lambda made, layer, own, below: made - bent(own, layer, below)),
    "the s^2 term a tenth lower": (
        [0, 1, 2, 3, 4],
        lambda made, layer, own, below: made - bent(own, layer, below) / 11,
    ),
    "|D| r dropped": ([0, 1, 2, 3, 4], lambda made, layer, own, below: made - turned(own, layer, below)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_rule_is_caught_in_every_layer(fault):
    which, change = FAULTS[fault]
    for layer, shape in (LAYERS[k] for k in which):
        assert any(worst(layer, shape, np.random.default_rng(k), "generic", change=change) > 0 for k in range(60))


@pytest.mark.parametrize(("layer", "shape"), LAYERS[:5], ids=NAMES[:5])
def test_the_rounding_of_products_that_is_dropped_is_caught(layer, shape, monkeypatch):
    """With no slope and no remainder, rounding is all that a layer makes."""
    rng = np.random.default_rng(0)
    still = [Form(rng.standard_normal((1, *shape)), np.zeros((1, *shape)), np.zeros((1, *shape))) for _ in range(10)]
    assert all(worst(layer, shape, rng, "generic", form) <= 0 for form in still)
    monkeypatch.setattr(enclosures, "gamma", lambda n: 0.0)
    assert any(worst(layer, shape, rng, "generic", form) > 0 for form in still)


@pytest.mark.parametrize("k", [5, 6, 8])
def test_the_rounding_of_kinks_and_pools_that_is_dropped_is_caught(k, monkeypatch):
    layer, shape = LAYERS[k]

    def count():
        return sum(worst(layer, shape, np.random.default_rng(seed), "generic") > 0 for seed in range(40))

    assert count() == 0
    monkeypatch.setattr(enclosures, "UNIT", 0.0)
    assert count() > 0


@pytest.mark.parametrize("terms", [16, 400])
def test_sums_that_all_round_the_same_way_are_allowed_for(terms):
    """1 + u-ish terms: every addition loses the same way."""
    layer = Dense(terms, 1)
    model = Model((layer,), (terms,))
    x = np.full((1, terms), 1.0)
    theta = np.concatenate([[1.0], np.full(terms - 1, 2.0**-53 * 0.999), [0.0]])
    own = Segment(model, theta, theta).window(0.25, 0.0)[0]
    form, _ = enclosures.linear(layer, own, None, x)
    true = sum(fractions(theta))
    assert abs(true - Fraction(float(form.centre[0, 0]))) <= Fraction(float(form.rest[0, 0]))


# ---------------------------------------------------------------- whole nets

NETS = [
    Model((Conv(1, 2, 2), Pool(2, 2), Relu(), Flatten(), Dense(8, 3), Relu(), Dropout(0.5), Dense(3, 3)), (4, 4, 1)),
    Model((Dense(3, 4), Relu(), Dense(4, 4), Relu(), Dense(4, 2)), (3,)),
    Model((Pool(2, 1), Relu(), Conv(1, 2, 2, padding="VALID"), Relu(), Pool(3, 2), Flatten(), Dense(2, 2)), (3, 3, 1)),
]


def instance(seed, kind, net):
    rng = np.random.default_rng(seed)
    theta = draw(rng, (2, net.size), kind)
    X = draw(rng, (4, *net.input_shape), "integers" if kind == "integers" else "generic")
    return theta, X, rng.integers(0, net.classes, 4), rng


@settings(max_examples=max(40, settings().max_examples))
@given(st.integers(0, 2**32), st.sampled_from(["generic", "integers"]), st.sampled_from(NETS))
def test_verdicts_hold_exactly_at_every_sampled_point_of_the_window(seed, kind, net):
    (a, b), X, labels, rng = instance(seed, kind, net)
    half = 2.0 ** -int(rng.integers(1, 12))
    middle = half * (1 + 2 * int(rng.integers(0, int(0.5 / half))))
    verdict = verdicts(enclose(net, Segment(net, a, b).window(middle, half), X), labels)
    for s in (-1.0, 1.0, float(rng.uniform(-1, 1))):
        wrong = exact_wrong(net, a, b, Fraction(middle) + Fraction(half) * Fraction(s), X, labels)
        assert not (wrong & (verdict > 0)).any()
        assert not (~wrong & (verdict < 0)).any()


@given(st.integers(0, 2**32), st.sampled_from(NETS))
def test_margins_stay_in_both_their_bounds_and_the_backward_one_is_never_the_wider(seed, net):
    (a, b), X, _, rng = instance(seed, "generic", net)
    half = 2.0 ** -int(rng.integers(1, 9))
    found = enclose(net, Segment(net, a, b).window(0.5, half), X)
    g = np.zeros((4, net.classes))
    g[np.arange(4), 0], g[np.arange(4), 1] = 1.0, -1.0
    c, d = (part[:, 0] - part[:, 1] for part in found.scores[:2])
    back, forward = enclosures.carried(found, np.arange(4), g), found.scores.rest[:, :2].sum(axis=1)
    assert (back <= forward * (1 + 1e-9)).all()
    for s in (-1.0, 0.25, 1.0):
        theta = between(a, b, Fraction(1, 2) + Fraction(half) * Fraction(s))
        for i, x in enumerate(X):
            true = exact_scores(net, theta, fractions(x))
            off = abs(float(true[0] - true[1]) - c[i] - s * d[i])
            assert off <= back[i] * (1 + 1e-9) + 1e-11 * (abs(c[i]) + abs(d[i]) + forward[i])


def test_a_tie_is_wrong_and_nothing_certain_is_said_of_a_near_tie():
    net = Model((Dense(1, 2),), (1,))
    tie = np.array([1.0, 1.0, 0.0, 0.0])
    X, labels = np.array([[1.0]]), np.array([0])
    assert verdicts(enclose(net, Segment(net, tie, tie).window(0.5, 0.0), X), labels)[0] == 0  # as rounding sees it
    lost = np.array([1.0, 1.0 + 1e-9, 0.0, 0.0])
    assert verdicts(enclose(net, Segment(net, lost, lost).window(0.5, 0.0), X), labels)[0] == -1


@pytest.mark.parametrize("power", [-60, 60])
def test_verdicts_are_the_same_in_other_units(power):
    net = NETS[0]
    (a, b), X, labels, _ = instance(3, "generic", net)
    scale = np.full(net.size, 2.0**power)
    biases = [own.start + int(np.prod(layer.shapes[0])) for layer, own in zip(net.layers, net.slices) if layer.size]
    others = [own for layer, own in zip(net.layers, net.slices) if layer.size][1:]
    for own, bias in zip(others, biases[1:]):  # units of the first layer are what all others are measured in
        scale[own.start : bias] = 1.0
    for half in (0.25, 2.0**-7):
        plain, scaled = (
            verdicts(enclose(net, Segment(net, a * f, b * f).window(0.5, half), X), labels) for f in (1.0, scale)
        )
        assert (plain == scaled).all()


def test_what_overflows_is_undecided():
    net = NETS[1]
    (a, b), X, labels, _ = instance(0, "generic", net)
    with np.errstate(over="ignore", invalid="ignore"):
        for size in (1e170, 1e300):
            verdict = verdicts(enclose(net, Segment(net, size * a, size * b).window(0.5, 0.25), X), labels)
            assert (verdict == 0).all()


@pytest.mark.parametrize("net", NETS)
def test_scores_are_those_of_exact_arithmetic_up_to_rounding(net):
    (a, _), X, _, _ = instance(1, "generic", net)
    true = [[float(v) for v in exact_scores(net, fractions(a), fractions(x))] for x in X]
    assert np.allclose(scores(net, a, X), true, rtol=1e-12, atol=1e-12)
    assert scores(net, a, X[:0]).shape == (0, net.classes)


def test_scores_are_those_of_jax():
    pytest.importorskip("jax")
    for net in NETS:
        (a, _), X, _, _ = instance(2, "generic", net)
        theirs = net(a.astype(np.float32), X.astype(np.float32))
        assert np.allclose(scores(net, a, X), theirs, rtol=1e-4, atol=1e-4)


def test_layers_without_a_rule_are_refused_in_one_line():
    net = Model((Conv(1, 1, 2), ResponseNorm(), Flatten(), Dense(4, 2)), (2, 2, 1))
    with pytest.raises(ValueError, match=r"^model must be made of Conv, .*; got ResponseNorm$"):
        Segment(net, np.zeros(net.size), np.zeros(net.size))
    with pytest.raises(ValueError, match="model must have parameters"):
        Segment(Model((Flatten(),), (2, 2, 1)), np.zeros(0), np.zeros(0))
