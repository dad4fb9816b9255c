"""The best next unit: the bound is above |f| everywhere on the ball, and close to a value that is attained."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.oracle.new_unit import SPLIT, _relaxed, best_unit, climb
from theory.oracle.scaling import inside


@st.composite
def sums(draw: st.DrawFn, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (N, n) and coefficients (N,): generic, or integers with opposite, parallel, repeated and zero rows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    N = draw(st.integers(1, 12))
    X, c = rng.standard_normal((N, n)), rng.standard_normal(N)
    if draw(st.booleans()):
        X, c = rng.integers(-2, 3, (N, n)).astype(float), rng.integers(-2, 3, N).astype(float)
    return X * 10.0 ** draw(st.integers(-3, 3)), c


def values(X, c, W):
    return np.abs(np.maximum(X @ W.T, 0).T @ c)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@given(data=st.data())
def test_the_bound_is_above_every_direction_and_near_one_of_them(n, data):
    X, c = data.draw(sums(n))
    found = best_unit(X, c, tolerance=1e-6, cones=10**6)
    rng = np.random.default_rng(0)
    W = np.concatenate([rng.standard_normal((500, n)), X, -X, np.eye(n), -np.eye(n)])
    if n == 2:  # every breakpoint, and just beside it
        turned = X @ np.array([[0.0, 1.0], [-1.0, 0.0]])
        W = np.concatenate([W, turned, -turned, turned + 1e-9 * X, turned - 1e-9 * X])
    scale = np.abs(c) @ np.linalg.norm(X, axis=1)
    assert values(X, c, inside(W)).max() <= found.upper
    best = found.values.max(initial=0.0)
    assert found.upper - best <= 2e-6 * best + 1e-12 * scale + 1e-290
    assert values(X, c, found.rows) == pytest.approx(found.values, abs=1e-12 * scale + 1e-290)
    assert (np.linalg.norm(found.rows, axis=1) <= 1).all()
    assert (np.diff(found.values) <= 0).all()


def test_one_relu_is_largest_in_its_own_direction():
    for n in (1, 2, 3, 4):
        x = np.arange(1.0, n + 1)
        assert best_unit(x[None], np.array([-2.0])).upper == pytest.approx(2 * np.linalg.norm(x), rel=1e-6)


def test_opposite_points_with_opposite_signs_are_a_linear_function():
    """c relu(t) - c relu(-t) = c t: the maximum is c |x|; for equal signs it is the same, on either side."""
    for sign in (1.0, -1.0):
        X = np.array([[3.0, 4.0], [-3.0, -4.0]])
        assert best_unit(X, np.array([1.0, sign])).upper == pytest.approx(5.0, rel=1e-12)


def test_a_budget_that_runs_out_leaves_a_bound_that_holds():
    rng = np.random.default_rng(3)
    X, c = rng.standard_normal((40, 3)), rng.standard_normal(40)
    loose, fine = best_unit(X, c, cones=8), best_unit(X, c)
    assert loose.upper >= fine.upper >= fine.values[0]


def test_climbing_does_not_descend():
    rng = np.random.default_rng(4)
    X, c, W = rng.standard_normal((30, 3)), rng.standard_normal(30), inside(rng.standard_normal((10, 3)))
    start = values(X, c, W)
    assert (values(X, c, climb(X, c, W)) >= np.sort(start[start != 0])[::-1] - 1e-12).all()


def test_rows_inside_are_inside_exactly():
    from fractions import Fraction

    rng = np.random.default_rng(5)
    for n in (1, 2, 7):
        for row in inside(rng.standard_normal((50, n)) * 10.0 ** rng.integers(-5, 5, (50, 1))):
            assert sum(Fraction(float(v)) ** 2 for v in row) <= 1
    assert not inside(np.zeros((1, 3))).any()


@given(data=st.data())
def test_beyond_eight_dimensions_the_relaxation_still_bounds(data):
    X, c = data.draw(sums(9))
    rng = np.random.default_rng(0)
    W = inside(np.concatenate([rng.standard_normal((200, 9)), X, -X]))
    assert values(X, c, W).max() <= best_unit(X, c).upper


@given(data=st.data())
def test_the_relaxation_is_above_the_exact_bound(data):
    X, c = data.draw(sums(2))
    if X.any() and c.any():
        assert _relaxed(X, c) >= best_unit(X, c).values.max(initial=0.0) * (1 - 1e-12)


@pytest.mark.parametrize("n", [3, 9, 12])
@pytest.mark.parametrize("signs", ["both", "plus", "minus"])
def test_the_relaxation_is_its_formula_rounded_up(n, signs):
    """The best of Cauchy-Schwarz for one sign, and half of it and half of the linear part, for the worse sign."""
    rng = np.random.default_rng(n)
    for N in (1, 2, 30):
        X, c = rng.standard_normal((N, n)) + 0.3, rng.standard_normal(N)
        c = {"both": c, "plus": np.abs(c), "minus": -np.abs(c)}[signs]
        roots = [np.sqrt(p.sum() * np.linalg.norm((X.T * p) @ X, 2)) for p in (np.maximum(c, 0), np.maximum(-c, 0))]
        formula = max(min(root, (np.linalg.norm(c @ X) + root) / 2) for root in roots if root > 0)
        assert formula * (1 - 1e-14) <= _relaxed(X, c) <= formula * (1 + 1e-9)
        if n > SPLIT:
            assert best_unit(X, c).upper == pytest.approx(formula, rel=1e-9)


def test_a_target_that_is_not_reached_needs_no_cones():
    """In three to eight dimensions the relaxation decides alone where it is below the target."""
    X, c = np.eye(3), np.ones(3)
    assert best_unit(X, c).upper == pytest.approx(np.sqrt(3), rel=1e-6)
    assert best_unit(X, c, target=10.0, cones=0).upper == pytest.approx(np.sqrt(3), rel=1e-9)
    assert best_unit(X, c, cones=0).upper >= np.sqrt(3)
