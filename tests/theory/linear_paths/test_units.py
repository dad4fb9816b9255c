"""Powers of two in X, Y and kappa change the units of paths, bounds and barriers and nothing else, bit for bit."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.linear_paths import barrier, best_product, connect, descend, rounding_allowance
from theory.linear_paths.products import best_singular_product
from theory.networks import Network
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)
powers = st.integers(-300, 300)


def problem(seed, widths=None, loss="squared", kappa=0.0):
    rng = np.random.default_rng(seed)
    n_in, n_out = (int(n) for n in rng.integers(1, 4, 2))
    widths = widths or (n_in, min(n_in, n_out) + 1 + int(rng.integers(2)), n_out)
    net = Network(widths, activation="identity")
    N = int(rng.integers(2, 7))
    data = Sample(rng.standard_normal((N, widths[0])), rng.standard_normal((N, widths[-1])), rng.random(N) + 0.1)
    return Risk(net, data, loss=loss, kappa=kappa, penalty="ridge" if kappa else None), rng


def in_units(risk, x, y):
    """The same problem with X times 2^x and Y times 2^y, and the powers of two of the layers; ridge: x + y even."""
    depth, kappa = risk.network.depth, risk.kappa
    layers = [0] * depth
    layers[0] -= x
    layers[-1] += y
    if kappa:
        layers = [(y - x) // 2] * 2
        kappa = np.ldexp(kappa, x + y)
    data = Sample(np.ldexp(risk.sample.X, x), np.ldexp(risk.sample.Y, y), risk.sample.weights)
    exponents = [np.full(shape, e) for shape, e in zip(risk.network.shapes, layers)]
    exponents = risk.network.pack(exponents).astype(int)
    return Risk(risk.network, data, risk.loss, kappa, risk.penalty), exponents


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@instances(30)
@given(seeds, powers, powers, st.sampled_from(["squared", "absolute", "ridge"]))
def test_best_products_keep_their_bits(seed, x, y, kind):
    kappa, loss = (0.1, "squared") if kind == "ridge" else (0.0, kind)
    x -= (x + y) % 2
    risk, _ = problem(seed, loss=loss, kappa=kappa)
    other, _ = in_units(risk, x, y)
    value = 2 * y if loss == "squared" else y
    pairs = [(best_product(risk), best_product(other))]
    if loss == "squared":
        pairs.append((best_singular_product(risk), best_singular_product(other)))
    for here, there in pairs:
        assert np.array_equal(np.ldexp(here.matrix, y - x), there.matrix)
        assert (there.value, there.lower) == (np.ldexp(here.value, value), np.ldexp(here.lower, value))
        assert there.distance == np.ldexp(here.distance, y) or np.isinf(here.distance)


@instances(25)
@given(seeds, powers, powers, st.sampled_from(["wide", "deep", "critical", "absolute", "ridge"]))
def test_paths_keep_their_bits(seed, x, y, kind):
    x -= (x + y) % 2
    widths = {"deep": (2, 3, 4, 3), "critical": (2, 2, 3)}.get(kind)
    kappa, loss = 0.1 if kind == "ridge" else 0.0, "absolute" if kind == "absolute" else "squared"
    risk, rng = problem(seed, widths, loss, kappa)
    a, b = rng.standard_normal((2, risk.network.size))
    other, exponents = in_units(risk, x, y)
    for route in (lambda risk, a, b: connect(risk, a, b), lambda risk, a, b: descend(risk, a, rng=0)):
        try:
            here = route(risk, a, b)
        except ValueError as error:
            with pytest.raises(ValueError, match=str(error).split()[0]):
                route(other, np.ldexp(a, exponents), np.ldexp(b, exponents))
            continue
        there = route(other, np.ldexp(a, exponents), np.ldexp(b, exponents))
        assert np.array_equal(np.ldexp(here.points, exponents), there.points)
        assert here.labels == there.labels


@instances(15)
@given(seeds, powers, powers, st.booleans())
def test_barriers_keep_their_bits(seed, x, y, ridge):
    x -= (x + y) % 2
    risk, _ = problem(seed, (2, 2, 3), kappa=0.1 if ridge else 0.0)
    other, exponents = in_units(risk, x, y)
    here, there = barrier(risk), barrier(other)
    assert np.array_equal(np.ldexp(here.path.points, exponents), there.path.points)
    for name in ("lower", "upper", "minimum"):
        assert getattr(there, name) == np.ldexp(getattr(here, name), 2 * y)
    assert here.connected == there.connected


@given(seeds, powers, powers)
def test_the_allowance_for_rounding_keeps_its_bits(seed, x, y):
    risk, rng = problem(seed)
    other, exponents = in_units(risk, x, y)
    a, b = rng.standard_normal((2, risk.network.size))
    path = connect(risk, a, b)
    moved = type(path)(np.ldexp(path.points, exponents), path.labels)
    assert rounding_allowance(other, moved) == np.ldexp(rounding_allowance(risk, path), 2 * y)


@pytest.mark.parametrize(
    ("X", "Y", "kappa", "name"),
    [(2.0**500, 1.0, 0.0, "X"), (1.0, 2.0**-500, 0.0, "Y"), (1.0, 2.0**-390, 1e10, "kappa"), (1e-320, 1.0, 0.0, "X")],
)
def test_what_leaves_no_room_is_refused_in_one_sentence(X, Y, kappa, name):
    net = Network((2, 2, 2), activation="identity")
    risk = Risk(net, Sample(X * np.eye(2), Y * np.eye(2)), kappa=kappa, penalty="ridge" if kappa else None)
    theta = np.ones(net.size)
    for call in (
        lambda: connect(risk, theta, 0 * theta),
        lambda: descend(risk, theta),
        lambda: barrier(risk),
        lambda: best_product(risk),
    ):
        with pytest.raises(ValueError, match=f"^{name} must"):
            call()


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e-20, 1e20, 1e100, 1e150, 1e300])
@pytest.mark.parametrize("kappa", [0.0, 0.1])
def test_ends_of_any_size_are_joined_or_refused(size, kappa):
    for widths in ((2, 3, 2), (2, 2, 2)):
        net = Network(widths, activation="identity")
        data = Sample(np.eye(2), np.array([[1.0, 2.0], [-1.0, 0.5]]))
        risk = Risk(net, data, kappa=kappa, penalty="ridge" if kappa else None)
        a = size * np.random.default_rng(0).standard_normal(net.size)
        for route in (lambda risk, a: connect(risk, a, 0 * a), descend):
            try:
                path = route(risk, a)
            except ValueError:
                assert size >= 1e20
                continue
            assert np.array_equal(path.points[0], a)
            assert np.isfinite(path.points).all()
