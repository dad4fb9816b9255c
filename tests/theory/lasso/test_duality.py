"""What the bounds of the second layer are made of, each against rationals: never below, and above by roundings only."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st

from theory.lasso import duality
from theory.lasso.problem import normalised
from theory.lasso.solve import kappa_max, second_layer

SEEDS = st.integers(0, 2**32 - 1)
NEAR = 1 + Fraction(1, 10**13)


def exactly(array):
    return [Fraction(float(v)) for v in np.ravel(array)]


def above(found, true, *, square=False, room=NEAR, rest=Fraction(1, 10**290)):
    """found >= true (or its root), and hardly."""
    found = Fraction(found)
    assert found**2 >= true if square else found >= true
    excess = found - rest if found > rest else Fraction(0)
    assert excess**2 <= true * room**2 if square else excess <= true * room


@given(SEEDS, st.integers(1, 9), st.sampled_from([0, 40, 400]))
def test_lengths_means_and_costs_are_rounded_up_and_hardly(seed, n, span):
    rng = np.random.default_rng(seed)
    a, b, w = rng.standard_normal((3, n)) * 2.0 ** rng.integers(-span, span // 8 + 1, (3, n))
    w = np.abs(w)
    A, B, W = exactly(a), exactly(b), exactly(w)
    above(duality._length(w, a), sum(k * v * v for k, v in zip(W, A)), square=True, rest=Fraction(2) ** -400)
    above(duality._mean(w, a, b), sum(k * abs(u * v) for k, u, v in zip(W, A, B)))
    above(duality._frobenius(a[None]), sum(v * v for v in A), square=True)
    above(float(duality._norms(a[:, None])[0]), sum(v * v for v in A), square=True, rest=Fraction(1, 10**149))
    for kappa, shift in ((0.0, 0), (0.3, 0), (1e-200, 5), (7.0, -3)):
        true = Fraction(kappa) * sum(map(abs, B)) * Fraction(2) ** shift
        above(duality.cost(kappa, b, shift), true)
    rho, slip = duality.residual(a[:, None], b, np.array([0.7]))
    for u, v, r, e in zip(A, B, exactly(rho), exactly(slip)):
        assert abs(v - u * Fraction(0.7) - r) <= e <= 32 * Fraction(1, 2**53) * (abs(u) + abs(v)) + Fraction(1, 2**1060)
    value, bound = duality._correlations(a[:, None], w, b)
    true = sum(k * u * v for k, u, v in zip(W, A, B))
    size = sum(k * abs(u * v) for k, u, v in zip(W, A, B))
    assert (
        abs(true)
        <= Fraction(float(bound[0]))
        <= abs(Fraction(float(value[0]))) + Fraction(n + 8, 2**51) * size + Fraction(1, 10**290)
    )


@given(SEEDS, st.integers(1, 4), st.integers(0, 3), st.sampled_from([0, 20, 39]))
def test_what_correlations_leave_of_a_vector_is_bounded_by_the_farthest_corner(seed, m, more, bits):
    """max |d|, d = A x, |A^T d| <= miss entry by entry, is at a corner: 2^m of them, in rationals."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m + more, m))
    A[:, 1:] = A[:, :1] + 2.0**-bits * A[:, 1:] if bits else A[:, 1:]
    miss = rng.uniform(0, 1, m) * 2.0 ** rng.integers(-9, 9, m)
    found = duality._shift(A, miss)
    exact = fmpq_mat(m + more, m, [fmpq(*v.as_integer_ratio()) for v in A.ravel().tolist()])
    gram = (exact.transpose() * exact).inv()
    farthest = fmpq(0)
    for signs in product((-1, 1), repeat=m):
        d = fmpq_mat(m, 1, [s * fmpq(*v.as_integer_ratio()) for s, v in zip(signs, miss.tolist())])
        farthest = max(farthest, (d.transpose() * gram * d)[0, 0])
    true = math.sqrt(Fraction(int(farthest.p), int(farthest.q)))
    assert found >= true * (1 - 1e-15)
    assert found <= true * (1 + 1e-6 * 2.0 ** max(0, bits - 20)) * math.sqrt(m) * 2 ** (m - 1)
    if m == 1:
        assert found <= true * (1 + 1e-12)


@given(SEEDS, st.integers(1, 8), st.sampled_from([0.0, 0.2, 5.0]))
def test_the_best_multiple_of_a_residual_is_found_and_not_more(seed, n, kappa):
    rng = np.random.default_rng(seed)
    y, r = rng.standard_normal((2, n))
    w, top = rng.dirichlet(np.ones(n)), float(rng.choice([0.0, 0.5, 3.0]))
    Y, R, W = exactly(y), exactly(r), exactly(w)
    square, both = sum(k * v * v for k, v in zip(W, R)), sum(k * u * v for k, u, v in zip(W, Y, R))
    s = both / square
    if abs(s) * Fraction(top) > Fraction(kappa):
        s = math.copysign(1, s) * Fraction(kappa) / Fraction(top)
        s = Fraction(s)
    best = 2 * s * both - s * s * square
    found = Fraction(duality.scaled_dual(y, w, kappa, r, top))
    assert found <= best
    scale = 2 * abs(s) * sum(k * abs(u * v) for k, u, v in zip(W, Y, R)) + s * s * square
    assert found >= best - scale / 10**14 - Fraction(1, 10**290)


@given(SEEDS, st.integers(1, 4), st.integers(-18, -2), st.integers(-3, 9))
def test_for_singular_features_the_bound_is_what_its_radius_leaves_rounded_down(seed, m, digits, weight):
    """2 <a, r> - |r|^2 - 2 max_j |<A_j, r>| radius in rationals, at r that are orthogonal to so many digits."""
    rng = np.random.default_rng(seed)
    Z, y, w = rng.standard_normal((m + 2, m)), rng.standard_normal(m + 2), rng.dirichlet(np.ones(m + 2))
    Z[:, -1] *= 2.0 ** -rng.integers(0, 9)
    p = normalised(Z, y, w, 0.0)
    b = np.linalg.lstsq(p.A, p.a, rcond=None)[0]
    r = p.a - p.A @ b + 10.0**digits * rng.standard_normal(len(p.a))
    found = duality._within_a_radius(p, 10.0**weight * b, r)
    a, R = exactly(p.a), exactly(r)
    columns = [exactly(column) for column in p.A.T]
    top = max(abs(sum(u * v for u, v in zip(c, R))) * Fraction(k) for c, k in zip(columns, p.shares.tolist()))
    if found.value > 0:
        assert found.radius >= 2 * np.sum(np.abs(10.0**weight * b) / p.shares) * (1 - 1e-12)
        assert found.radius >= 0.99e-9 * np.sum(p.a**2) / (2 * float(top) + 1e-13)
        true = 2 * sum(u * v for u, v in zip(a, R)) - sum(v * v for v in R) - 2 * top * Fraction(found.radius)
        assert 0 < Fraction(found.value) <= true
        assert found.value >= float(true) * (1 - 1e-12) - 1e-13 * (np.sum(p.a**2) + found.radius)
        return
    assert found.radius == np.inf


@given(SEEDS, st.integers(1, 3), st.sampled_from([0.0, 0.05, 0.5]))
def test_from_weights_near_the_best_the_dual_is_near_the_minimum(seed, m, share):
    """What weights are off by enters to the second order."""
    rng = np.random.default_rng(seed)
    Z, y, w = rng.standard_normal((m + 2, m)), rng.standard_normal(m + 2), rng.dirichlet(np.ones(m + 2))
    kappa = share * kappa_max(Z, y, weights=w)
    p = normalised(Z, y, w, kappa)
    beta = second_layer(Z, y, kappa, weights=w).beta
    off = p.inward(beta * (1 + 1e-4 * rng.standard_normal(m)))
    rho, _ = duality.residual(p.A, p.a, off)
    found = duality.dual(p, off, rho, float(np.sum(rho * rho) + np.sum(p.k * np.abs(off))))
    at = duality.dual(p, p.inward(beta), duality.residual(p.A, p.a, p.inward(beta))[0], 1.0)
    condition = float(np.linalg.cond(p.A)) ** 2
    assert found.value <= at.value * (1 + 1e-12) + 1e-12
    assert found.value >= at.value - 1e-6 * condition * float(np.sum(p.a**2))


def test_a_worst_of_nothing_is_zero_and_of_nan_infinite():
    assert duality._worst(np.zeros(0)) == 0.0
    assert duality._worst(np.array([1.0, np.nan])) == math.inf
    assert duality._shift(np.zeros((3, 0)), np.zeros(0)) == 0.0
    assert duality._shift(np.ones((3, 2)), np.ones(2)) == math.inf
    assert duality._shift(np.ones((1, 2)), np.ones(2)) == math.inf


@pytest.mark.parametrize("value", [-1.0, 0.0, math.nan])
def test_a_lower_bound_below_zero_is_zero(value):
    assert duality._positive(value) == 0.0
    assert 0 < duality._positive(1.0) < 1
