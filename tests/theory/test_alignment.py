"""Matched units, and the bound on all permutations at once against brute force over them."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.alignment import _assignment_bound, _Pairs, align, gaussian_lower_bound, lower_bound, reorder
from theory.networks import Network
from theory.numerics import LIBM, gamma
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)


@given(seeds)
@instances(10)
def test_a_permuted_copy_is_matched_by_weights_and_by_activations(seed):
    rng = np.random.default_rng(seed)
    net = Network((4, *rng.integers(1, 6, int(rng.integers(1, 4))).tolist(), 2), bias=bool(rng.integers(2)))
    theta = rng.standard_normal(net.size)
    copy = reorder(net, theta, [rng.permutation(h) for h in net.hidden])
    sample = Sample(rng.standard_normal((60, 4)), np.zeros((60, 2)))
    if len(net.hidden) == 1:
        assert np.array_equal(reorder(net, copy, align(net, theta, copy)), theta)
    before = theta @ copy
    assert theta @ reorder(net, copy, align(net, theta, copy)) >= before - 1e-12 * abs(before)
    matched = reorder(net, copy, align(net, theta, copy, sample))
    assert np.allclose(net(matched, sample.X), net(theta, sample.X))


@given(seeds)
@instances(8)
def test_weight_matching_of_one_layer_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    net = Network((2, 4, 1))
    a, b = rng.integers(-3, 4, (2, net.size)).astype(float)
    best = max(a @ reorder(net, b, [order]) for order in permutations(range(4)))
    assert a @ reorder(net, b, align(net, a, b)) == best


@given(seeds)
@instances(12)
def test_the_bound_is_below_every_permutation(seed):
    rng = np.random.default_rng(seed)
    m, N, q, bias = int(rng.integers(1, 5)), int(rng.integers(1, 8)), int(rng.integers(1, 3)), bool(rng.integers(2))
    net = Network((2, m, q), str(rng.choice(["relu", "tanh", "sigmoid", "identity"])), bias=bias)
    penalty = rng.choice([None, "second_layer_l1", "path", "ridge"])
    sample = Sample(rng.standard_normal((N, 2)), rng.standard_normal((N, q)), rng.integers(1, 4, N))
    risk = Risk(net, sample, kappa=0.05 * (penalty is not None), penalty=penalty)
    a, b = rng.standard_normal((2, net.size)) * 10.0 ** rng.integers(-3, 4)
    t = float(rng.choice([0.0, 0.25, 0.5, 1.0]))
    found = lower_bound(risk, a, b, t=t)
    values = [risk((1 - t) * a + t * reorder(net, b, [order])) for order in permutations(range(m))]
    assert found.lower <= min(values) * (1 + 1e-12)
    assert min(values) <= found.attained * (1 + 1e-9) <= max(values) * (1 + 2e-9)
    if m == 1:  # one permutation: the residual is the best test function
        assert found.lower >= min(values) * (1 - 1e-6)


@given(seeds)
@instances(10)
def test_any_test_function_gives_a_bound(seed):
    rng = np.random.default_rng(seed)
    net = Network((2, 4, 1))
    risk = Risk(net, Sample(rng.standard_normal((5, 2)), rng.standard_normal(5)), kappa=0.1, penalty="path")
    a, b, h = *rng.standard_normal((2, net.size)), rng.standard_normal((5, 1))
    pairs = _Pairs(risk, a, b, 0.3)
    C = pairs.values(h)
    for order in permutations(range(4)):
        F = risk(0.7 * a + 0.3 * reorder(net, b, [order]))
        outputs, cost = pairs.outputs(np.array(order))
        assert F == pytest.approx(np.mean((risk.sample.Y - outputs) ** 2) + cost)
        assert F >= pairs.fit(h) - C[np.arange(4), order].sum() - 1e-9


@pytest.mark.parametrize(("penalty", "bias"), [(None, False), ("path", True), ("ridge", False)])
def test_what_roundings_may_take_away_is_allowed_for_and_hardly_more(penalty, bias):
    """Sizes bound the units of all pairs, and are these where no sign differs; the allowance is some roundings of them."""
    rng, t = np.random.default_rng(0), 0.3
    net = Network((2, 3, 2), bias=bias)
    risk = Risk(net, Sample(rng.random((5, 2)), rng.random((5, 2))), kappa=0.1 * (penalty is not None), penalty=penalty)
    h, every = rng.random((5, 2)), np.arange(3)
    for signs in (False, True):
        a, b = rng.standard_normal((2, net.size)) if signs else rng.random((2, net.size))
        pairs = _Pairs(risk, a, b, t)
        plain, above = pairs.values(h), pairs.values(h, above=True)
        for i in every:
            (W, V), (W_size, V_size) = pairs.units(np.full(3, i), every), pairs._sizes(int(i))
            assert (np.abs(W) <= W_size * (1 + 1e-15)).all()
            assert (np.abs(V) <= V_size * (1 + 1e-15)).all()
            if not signs:
                assert np.allclose(W, W_size, rtol=1e-15)
                assert np.allclose(V, V_size, rtol=1e-15)
                size = (
                    plain[i] + 2 * pairs._penalty(W, V) + 2 * (V * (pairs.weights * h).sum(axis=0)[:, None]).sum(axis=0)
                )
                assert (above[i] - plain[i] <= 6 * (gamma(5 + 2 + bias + 2 + 64) + 4 * LIBM) * size).all()
            assert (above[i] > plain[i]).all()


def trained(rng, risk, steps=300):
    """A net by gradient descent from a ridge fit of its second layer."""
    net, sample = risk.network, risk.sample
    W = rng.standard_normal((net.widths[1], net.widths[0]))
    Z = np.maximum(sample.X @ W.T, 0)
    theta = net.pack([W, np.linalg.solve(Z.T @ Z / len(Z) + 0.02 * np.eye(len(W)), Z.T @ sample.Y / len(Z)).T])
    for _ in range(steps):
        theta = theta - 0.05 * risk.gradient(theta)
    return theta


def test_more_than_one_t_and_trained_nets():
    rng = np.random.default_rng(0)
    net, X = Network((3, 5, 1)), rng.standard_normal((40, 3))
    risk = Risk(net, Sample(X, np.abs(X[:, 0]) - np.abs(X[:, 1])), kappa=0.01, penalty="path")
    for _ in range(2):
        a, b = trained(rng, risk), trained(rng, risk)
        found = lower_bound(risk, a, b, t=[0.25, 0.5, 0.75])
        assert found.lower == max(lower_bound(risk, a, b, t=t).lower for t in (0.25, 0.5, 0.75))
        lines = [
            [risk((1 - t) * a + t * reorder(net, b, [p])) for t in (0.25, 0.5, 0.75)] for p in permutations(range(5))
        ]
        assert found.lower <= min(map(max, lines))
        assert lower_bound(risk, a, b).lower >= 0.4 * min(line[1] for line in lines)
        assert found.ends == (risk(a), risk(b))


@given(seeds)
@instances(20)
def test_the_assignment_bound_is_above_every_assignment_in_fractions(seed):
    rng = np.random.default_rng(seed)
    m = int(rng.integers(1, 6))
    C = rng.standard_normal((m, m)) * 10.0 ** rng.integers(-6, 7, (m, m))
    C = np.round(C) if rng.uniform() < 0.3 else C
    exact = max(sum(Fraction(C[i, p[i]]) for i in range(m)) for p in permutations(range(m)))
    bound = _assignment_bound(C)
    assert Fraction(bound) >= exact
    assert bound <= float(exact) + 1e-12 * np.abs(C).max() * m + 1e-299


def gaussian_midpoint(A, B, mass, n):
    """E (|X| / sqrt(n) - f)^2 for the midpoint of A and B in this order, from closed forms."""
    W = (A + B) / 2
    r = np.linalg.norm(W, axis=1)
    U = W / np.where(r > 0, r, 1)[:, None]
    angle = np.arccos(np.clip(U @ U.T, -1, 1))
    kernel = (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi) * np.outer(r, r)
    from scipy.special import gammaln

    half = np.exp(gammaln(n / 2) - gammaln((n + 1) / 2)) / (2 * np.sqrt(np.pi))
    return 1 - 2 * mass / len(A) * np.sqrt(n) * half * r.sum() + (mass / len(A)) ** 2 * kernel.sum()


def mean_length(n):
    """E |X| / sqrt(n)."""
    from scipy.special import gammaln

    return float(np.sqrt(2 / n) * np.exp(gammaln((n + 1) / 2) - gammaln(n / 2)))


def test_the_gaussian_bound_is_below_every_permutation_and_needs_its_positive_part():
    rng = np.random.default_rng(1)
    for n, m in ((2, 4), (6, 5), (40, 5)):
        A, B = (W / np.linalg.norm(W, axis=1, keepdims=True) for W in rng.standard_normal((2, m, n)))
        mass = float(np.sqrt(2 * np.pi) * mean_length(n))
        bound = gaussian_lower_bound(A, B, mass, mean_length(n))
        assert bound <= min(gaussian_midpoint(A, B[list(p)], mass, n) for p in permutations(range(m)))
        assert bound > 0.02 if n == 40 else bound >= 0
    A = np.array([[1.0, 0.0], [-1.0, 0.0]])  # same rows in both nets: the swap has output 0 and risk 1
    assert gaussian_lower_bound(A, A, 5.0, mean_length(2)) == 0.0
    swap = gaussian_midpoint(A, A[::-1], 5.0, 2)
    assert (mean_length(2) - 5.0 / np.sqrt(2 * np.pi)) ** 2 > swap == 1.0  # without the positive part: no bound


def test_what_is_refused():
    net = Network((1, 2, 1))
    theta, sample = np.ones(4), Sample([[1.0]], [[1.0]])
    for risk in (
        Risk(net, sample, "absolute"),
        Risk(Network((1, 2, 2, 1)), sample),
        Risk(net, sample, kappa=0.1, penalty="schatten"),
    ):
        with pytest.raises(ValueError, match="one hidden layer"):
            lower_bound(risk, theta, theta)
    with pytest.raises(ValueError, match="t must"):
        lower_bound(Risk(net, sample), theta, theta, t=1.5)
    with pytest.raises(ValueError, match="t must name"):
        lower_bound(Risk(net, sample), theta, theta, t=[])
    with pytest.raises(ValueError, match="theta_b"):
        align(net, theta, np.ones(3))
    with pytest.raises(ValueError, match="one shape"):
        gaussian_lower_bound(np.ones((2, 2)), np.ones((3, 2)), 1.0, 1.0)


@pytest.mark.parametrize("weight", [3e-162, 1.6e-162])
def test_penalties_whose_squares_underflow_are_not_overestimated(weight):
    F = Risk(Network((1, 1, 1)), Sample([[1.0]], [[0.0]]), kappa=1e160, penalty="path")
    found = lower_bound(F, [1, weight], [1, weight])
    assert 0.99 * F([1, weight]) < found.lower <= F([1, weight])
    assert gaussian_lower_bound([[1e-170]], [[1e-170]], 1e170, 1.0) == pytest.approx((1 - 1 / (2 * np.pi) ** 0.5) ** 2)


def test_what_overflows_is_refused_or_bounded_by_nothing():
    F = Risk(Network((1, 1, 1)), Sample([[1.0]], [[1e200]]), kappa=0.1, penalty="path")
    with pytest.raises(ValueError, match="theta_a"):
        lower_bound(F, [1, 1], [1, 1])
    F = Risk(Network((1, 1, 1)), Sample([[1.0]], [[0.0]]), kappa=1e-150, penalty="path")
    assert lower_bound(F, [1e200, 1e-60], [1e200, 1e-60]).lower == 0


@pytest.mark.parametrize("k", [-300, -60, 60, 300])
@pytest.mark.parametrize("activation", ["relu", "identity"])
def test_the_bound_is_the_same_in_other_units(activation, k):
    """Of the inputs and of the first layer, against the second: with X small, features are small next to one."""
    rng = np.random.default_rng(0)
    net, X, Y = Network((2, 3, 1), activation), rng.standard_normal((5, 2)), rng.standard_normal((5, 1))
    risk = Risk(net, Sample(X, Y))
    a, b = rng.standard_normal((2, net.size))
    found = lower_bound(risk, a, b, steps=5).lower
    assert found > 0
    turned = [net.pack([np.ldexp(W, k), np.ldexp(V, -k)]) for W, V in map(net.weights, (a, b))]
    assert lower_bound(risk, *turned, steps=5).lower == pytest.approx(found, rel=1e-9)
    both = Risk(net, Sample(np.ldexp(X, k), np.ldexp(Y, k)))
    assert lower_bound(both, a, b, steps=5).lower == pytest.approx(np.ldexp(found, 2 * k), rel=1e-9)
