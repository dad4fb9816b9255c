"""The convex second layer: bounds that hold in exact arithmetic, two solvers that agree, reductions in closed form."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.lasso import solvers
from theory.lasso.duality import correlation, scaled_dual
from theory.lasso.solve import certify, homotopy, kappa_max, second_layer
from theory.lasso.solvers import active_set

# What the certificate itself may lose, relative to E y^2: roundings of sums of a few dozen terms, times |Z||b| / |y|.
TIGHT = 1e-8


@st.composite
def problems(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ReLU features with dead, repeated and parallel units, N from 1 and m on either side of N; small integers or not."""
    N, m, n = draw(st.integers(1, 10)), draw(st.integers(1, 12)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    X, W, y = rng.standard_normal((N, n)), rng.standard_normal((m, n)), rng.standard_normal(N)
    if draw(st.booleans()):
        X, W, y = np.round(2 * X), np.round(2 * W), np.round(2 * y)
    if m > 1 and draw(st.booleans()):
        W[-1] = W[0]
    Z = np.maximum(X @ W.T, 0) * 10.0 ** draw(st.integers(-3, 3))
    w = rng.dirichlet(np.ones(N)) if draw(st.booleans()) else np.full(N, 1 / N)
    return Z, y * 10.0 ** draw(st.integers(-3, 3)), w


def exact_risk(Z, y, w, kappa, b) -> Fraction:
    Z, y, w, b = (np.vectorize(Fraction, otypes=[object])(v) for v in (Z, y, w, b))
    return w @ (y - Z @ b) ** 2 + Fraction(kappa) * sum(abs(v) for v in b)


@given(problems(), st.sampled_from([0.0, 1e-15, 1e-9, 1e-6, 1e-3, 0.1, 0.5, 0.999]))
def test_the_dual_is_below_and_the_primal_above_the_exact_risk_with_a_small_gap(problem, share):
    Z, y, w = problem
    kappa = share * kappa_max(Z, y, weights=w)
    s = second_layer(Z, y, kappa, weights=w)
    risk = exact_risk(Z, y, w, kappa, s.beta)
    assert Fraction(s.dual) <= risk <= Fraction(s.primal)
    assert s.dual <= s.primal
    assert s.gap >= s.primal - s.dual
    if (
        s.radius == np.inf and share != 1e-15
    ):  # next to kappa = 0, features that are singular leave a gap, said honestly
        assert s.gap <= TIGHT * (w @ y**2) + 1e-290


@given(problems(), st.floats(1e-3, 1.0), st.integers(0, 2**32))
def test_no_second_layer_is_below_the_dual(problem, share, seed):
    Z, y, w = problem
    kappa = share * kappa_max(Z, y, weights=w)
    s = second_layer(Z, y, kappa, weights=w)
    rng = np.random.default_rng(seed)
    for scale in (0.0, 1e-6, 1.0):
        b = s.beta + scale * rng.standard_normal(len(s.beta))
        other = certify(Z, y, kappa, b, weights=w)
        assert exact_risk(Z, y, w, kappa, b) >= Fraction(s.dual)
        assert other.dual <= s.primal


@given(problems(), st.integers(0, 2**32))
def test_least_squares_bounds_hold_for_every_layer_within_their_radius(problem, seed):
    Z, y, w = problem
    s = second_layer(Z, y, 0.0, weights=w)
    rng = np.random.default_rng(seed)
    root = np.sqrt(w)
    others = [s.beta, np.zeros(len(s.beta)), np.linalg.lstsq(Z * root[:, None], y * root, rcond=None)[0]]
    others.append(s.beta + 1e-3 * np.abs(s.beta).max(initial=1.0) * rng.standard_normal(len(s.beta)))
    for b in others:
        if np.abs(b).sum() <= s.radius:
            assert exact_risk(Z, y, w, 0.0, b) >= Fraction(s.dual)
    assert s.radius >= 2 * s.norm or s.radius == np.inf
    assert s.gap <= 1e-6 * (w @ y**2) + 1e-290


@settings(max_examples=15)
@given(problems(), st.sampled_from([0.0, 0.01, 0.3]))
def test_both_solvers_agree(problem, share):
    Z, y, w = problem
    kappa = share * kappa_max(Z, y, weights=w)
    lars, reference = (second_layer(Z, y, kappa, weights=w, solver=solver) for solver in ("lars", "cvxpy"))
    scale = w @ y**2 + 1e-290
    if share > 0:  # least squares with nearly dependent features is beyond an interior point
        assert abs(lars.primal - reference.primal) <= 1e-6 * scale
    assert max(lars.dual, reference.dual) <= min(lars.primal, reference.primal) or lars.radius < np.inf


@given(problems())
def test_zero_is_optimal_exactly_from_kappa_max_on(problem):
    Z, y, w = problem
    top = kappa_max(Z, y, weights=w)
    assert not second_layer(Z, y, top * (1 + 1e-12) + 1e-290, weights=w).beta.any()
    if top > 1e-9 * np.sqrt(w @ y**2 * (w @ Z**2).max()):
        s = second_layer(Z, y, 0.99 * top, weights=w)
        assert s.beta.any()
        assert s.primal < w @ y**2


@given(problems(), st.sampled_from([0.0, 1e-3, 0.3, 2.0]))
def test_the_homotopy_says_whether_it_reached_an_optimal_end(problem, share):
    Z, y, w = problem
    kappa_min = share * kappa_max(Z, y, weights=w)
    path = homotopy(Z, y, weights=w, kappa_min=kappa_min)
    assert (np.diff(path.knots) < 0).all()
    assert path.knots[0] <= max(kappa_max(Z, y, weights=w), kappa_min) * (1 + 1e-12)
    assert len(path.knots) == len(path.betas) == len(path.active)
    if share > 1:
        assert path.reached
    if path.reached:
        best = second_layer(Z, y, kappa_min, weights=w)
        end = certify(Z, y, kappa_min, path.betas[-1], weights=w)
        assert end.primal <= best.primal + 1e-6 * (w @ y**2)


def test_a_path_that_lost_a_small_feature_says_so():
    """scikit-learn drops features below 1e-7 of the others; the second layer does not."""
    Z, y = np.array([[1.0, 0.0], [0.0, 2.0**-30]]), np.ones(2)
    assert not homotopy(Z, y).reached
    assert homotopy(Z, y, kappa_min=0.1).reached
    assert second_layer(Z, y, 2.0**-40).active.tolist() == [0, 1]


@given(problems(), st.floats(1e-4, 1.0))
def test_the_active_set_method_needs_no_homotopy(problem, share):
    Z, y, w = problem
    kappa = share * kappa_max(Z, y, weights=w)
    A = Z * np.sqrt(w)[:, None]
    beta = active_set(A.T @ A, Z.T @ (w * y), kappa, np.zeros(Z.shape[1]))
    s = certify(Z, y, kappa, beta, weights=w)
    assert s.gap <= 1e-6 * (w @ y**2) + 1e-290


def test_one_feature_has_the_soft_threshold_solution():
    z, y, kappa = np.array([1.0, 2.0, 0.0]), np.array([3.0, 1.0, 5.0]), 0.7
    s = second_layer(z[:, None], y, kappa)
    assert s.beta[0] == pytest.approx((np.mean(z * y) - kappa / 2) / np.mean(z**2), rel=1e-14)


def test_orthogonal_features_are_thresholded_one_by_one():
    Z, y = np.eye(4), np.array([3.0, -2.0, 0.1, 0.0])
    s = second_layer(Z, y, 0.5)  # E z_i y = y_i / 4
    assert s.beta == pytest.approx([2.0, -1.0, 0.0, 0.0], abs=1e-14)


def test_kappa_max_is_twice_the_largest_correlation():
    Z, y = np.array([[1.0, 0.0], [1.0, 2.0]]), np.array([1.0, -3.0])
    assert kappa_max(Z, y) == 6.0
    assert kappa_max(Z, y, weights=[1.0, 0.0]) == 2.0
    assert kappa_max(np.zeros((2, 3)), y) == 0.0
    assert kappa_max(np.zeros((2, 0)), y) == 0.0


@pytest.mark.parametrize("solver", ["lars", "cvxpy"])
@pytest.mark.parametrize("kappa", [0.0, 0.1])
def test_degenerate_features_are_ordinary(solver, kappa):
    y = np.array([1.0, 2.0, -1.0])
    for Z in (np.zeros((3, 2)), np.zeros((3, 0)), np.ones((3, 5)), np.eye(3)[:, [0, 0, 1]]):
        s = second_layer(Z, y, kappa, solver=solver)
        assert s.gap <= 1e-7
        assert s.beta.shape == (Z.shape[1],)
    one = second_layer(np.array([[2.0]]), np.array([3.0]), kappa, solver=solver)
    assert one.primal == pytest.approx(3 * kappa / 2 - kappa**2 / 16, abs=1e-9)
    constant = second_layer(np.ones((4, 1)), np.full(4, 7.0), kappa, solver=solver)
    assert constant.beta[0] == pytest.approx(7 - kappa / 2, abs=1e-7)
    assert second_layer(np.ones((2, 2)), np.zeros(2), kappa, solver=solver).primal <= 1e-290


def test_a_rank_deficient_product_says_for_which_weights_its_least_squares_bound_holds():
    rng = np.random.default_rng(0)
    Z, y = rng.standard_normal((30, 3)) @ rng.standard_normal((3, 8)), rng.standard_normal(30)
    s = second_layer(Z, y, 0.0)
    assert np.isfinite(s.radius)
    assert s.gap <= 1e-8
    assert second_layer(Z[:, [0, 1, 2, 0, 1]], y, 0.0).radius == np.inf  # repeated columns are no obstacle


def test_a_solver_that_fails_is_neither_trusted_nor_fatal():
    s = certify(np.eye(2), np.array([1.0, 1.0]), 0.1, np.array([5.0, -5.0]))
    assert s.dual <= second_layer(np.eye(2), np.array([1.0, 1.0]), 0.1).primal < s.primal
    assert s.gap > 1


def test_a_dual_value_that_ignored_feasibility_would_be_caught():
    """The planted fault: the residual unscaled is not feasible, and its value is above the optimum."""
    rng = np.random.default_rng(1)
    Z, y, w = rng.standard_normal((20, 5)), rng.standard_normal(20), np.full(20, 1 / 20)
    best = second_layer(Z, y, 0.3)
    assert scaled_dual(y, w, 0.3, y, 2 * correlation(Z, w, y)) <= best.primal
    assert scaled_dual(y, w, 0.3, y, 0.0) > best.primal  # y itself: feasible only for kappa >= kappa_max


def test_inputs_are_not_changed():
    rng = np.random.default_rng(2)
    Z, y, w = rng.standard_normal((9, 4)), rng.standard_normal(9), rng.dirichlet(np.ones(9))
    kept = [v.copy() for v in (Z, y, w)]
    for kappa in (0.0, 0.1):
        second_layer(Z, y, kappa, weights=w)
    homotopy(Z, y, weights=w)
    for before, after in zip(kept, (Z, y, w)):
        assert np.array_equal(before, after)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.eye(2), np.ones(2), -0.1), "kappa must be a finite number in"),
        ((np.eye(2), np.ones(2), np.nan), "kappa"),
        ((np.ones((0, 2)), np.ones(0), 0.1), "Z must have at least one row"),
        ((np.eye(2), np.ones((2, 2)), 0.1), "y must have one output"),
        ((np.eye(2), np.ones(3), 0.1), "y must have shape"),
        ((np.array([[np.inf]]), np.ones(1), 0.1), "Z must be finite"),
        ((np.array([[1e-200]]), np.array([1e150]), 0.0), "Z must not be so small next to y"),
        ((np.ones((1, 1)), np.array([1e200]), 1e300), "must keep the risk within float64"),
        ((np.ones(2), np.ones(2), 0.1), "Z must have 2 axes"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        second_layer(*arguments)


def test_bad_options_are_named():
    Z, y = np.eye(2), np.ones(2)
    with pytest.raises(ValueError, match="solver must be one of"):
        second_layer(Z, y, 0.1, solver="sgd")
    with pytest.raises(ValueError, match="weights must be nonnegative"):
        second_layer(Z, y, 0.1, weights=[1.0, -1.0])
    with pytest.raises(ValueError, match="weights must have shape"):
        second_layer(Z, y, 0.1, weights=[1.0])
    with pytest.raises(ValueError, match="beta must have shape"):
        certify(Z, y, 0.1, np.zeros(3))
    with pytest.raises(ValueError, match="kappa_min must be a finite number"):
        homotopy(Z, y, kappa_min=-0.5)


@given(problems(), st.sampled_from([1e-9, 1e-3, 0.1, 0.5, 0.999]), st.integers(-40, 40))
def test_a_working_set_gives_the_same_bounds(problem, share, e):
    """From one column on, whatever the sizes of the columns; and it is cut off nowhere."""
    Z, y, w = problem
    Z = Z * np.ldexp(1.0, e * (np.arange(Z.shape[1]) % 2))
    kappa = share * kappa_max(Z, y, weights=w)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("MANY", 1), ("FIRST", 1), ("FEW", 1)):
            patch.setattr(solvers, name, value)
        s = second_layer(Z, y, kappa, weights=w)
    whole = second_layer(Z, y, kappa, weights=w)
    assert Fraction(s.dual) <= exact_risk(Z, y, w, kappa, s.beta) <= Fraction(s.primal)
    assert max(s.dual, whole.dual) <= min(s.primal, whole.primal)
    assert s.gap <= max(TIGHT * (w @ y**2) + 1e-290, 2 * whole.gap)


def many_features(m=1100, N=300):
    rng = np.random.default_rng(3)
    X, W = rng.standard_normal((N, 6)), rng.standard_normal((m, 6))
    return np.maximum(X @ W.T, 0), np.sin(2 * X[:, 0]) + X[:, 1]


def test_the_whole_gram_matrix_is_not_formed_where_few_units_are_used(monkeypatch):
    Z, y = many_features()
    sizes, plain = [], solvers.active_set
    monkeypatch.setattr(solvers, "active_set", lambda G, *rest: sizes.append(len(G)) or plain(G, *rest))
    found = second_layer(Z, y, 0.1 * kappa_max(Z, y))
    assert found.gap <= 1e-9 * found.primal
    assert max(sizes) <= len(Z.T) // 3
    few = second_layer(Z, y, 1e-4 * kappa_max(Z, y))
    assert few.gap <= 1e-7 * few.primal
    assert max(sizes) == len(Z.T)


def test_a_violated_unit_that_is_left_out_shows_in_the_gap(monkeypatch):
    """The planted fault: the working set never grows."""
    Z, y = many_features()
    answers = iter([solvers._largest(np.abs(Z.T @ y), solvers.FIRST), np.zeros(0, dtype=int)])
    monkeypatch.setattr(solvers, "_largest", lambda values, count: next(answers))
    found = second_layer(Z, y, 0.01 * kappa_max(Z, y))
    assert found.gap > 1e-6 * found.primal


def test_a_homotopy_that_scikit_learn_loses_is_made_up_for(monkeypatch):
    from sklearn import linear_model

    def lost(*arguments, **options):
        raise ValueError("operands could not be broadcast together with shapes (21,) (20,)")

    monkeypatch.setattr(linear_model, "lars_path_gram", lost)
    Z, y = many_features(12)
    kappa = 0.01 * kappa_max(Z, y)
    found, path = second_layer(Z, y, kappa), homotopy(Z, y, kappa_min=kappa)
    assert found.gap <= 1e-9 * found.primal
    assert not path.reached
    assert path.betas.shape == (1, 12)
