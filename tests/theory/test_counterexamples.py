"""The paper's problems as data."""

from math import erf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nightly import instances

from theory import counterexamples as ce
from theory.barriers.permutations import permutation_barrier
from theory.networks import Network

TRIANGLE = np.array([[1.0, 0.0], [0.25, 1.0], [-0.5, 0.75]])


@given(st.integers(0, 2**32), st.permutations(range(3)), st.integers(2, 5), st.booleans())
@instances(25)
def test_the_permutation_task_has_zero_risk_at_both_ends(seed, target, width, bias):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((3, int(rng.integers(2, 4))))
    width = max(width, 3 - bias)
    problem = ce.permutation_task(X, target, width, bias=bias, rng=seed)
    assert problem.level <= 1e-18 * (1 + np.abs(problem.theta_a).max()) ** 4
    assert np.array_equal(problem.theta_b, problem.risk.network.permute(problem.theta_a, 1, [1, 0, *range(2, width)]))
    assert np.array_equal(problem.risk.sample.Y, X[list(target)])
    if width + bias > 3:
        assert problem.lower == problem.barrier == 0


def test_its_lower_bound_is_that_of_the_barrier():
    problem = ce.permutation_task(TRIANGLE)
    assert problem.lower == permutation_barrier(problem.risk.sample, 3).lower == problem.barrier
    assert ce.permutation_task(TRIANGLE, order=(0, 1, 2)).barrier == 0


@pytest.mark.parametrize(
    ("settings_", "what"),
    [
        ({"points": [[0, 0], [1, 1], [2, 2]]}, "lie on a line"),
        ({"points": [[1, 0], [1, 1], [1, 2]]}, "lie on a line"),
        ({"points": [[1, 0], [2, 0], [0, 1]]}, "no solution"),
        ({"points": [[0, 0], [2, 0], [0, 1]]}, "no solution"),
        ({"points": np.eye(2)}, "shape"),
        ({"points": 1e160 * TRIANGLE}, "smaller than"),
        ({"points": [[1, 0], [np.nan, 0], [0, 1]]}, "finite"),
        ({"target": (0, 0, 1)}, "bijection"),
        ({"target": (0.0, 1.0, 2.0)}, "bijection"),
        ({"target": (1, 2)}, "bijection"),
        ({"width": 2}, "three independent features"),
        ({"width": 1, "bias": True}, "three independent features"),
        ({"order": (1, 0)}, "bijection"),
        ({"rows": np.eye(2)}, "rows must have shape"),
        ({"rows": np.ones((3, 2))}, "three independent features"),
    ],
)
def test_bad_tasks_say_what_and_why(settings_, what):
    with pytest.raises(ValueError, match=what):
        ce.permutation_task(**{"points": TRIANGLE, **settings_})


@given(st.integers(-500, 490), st.booleans())
@instances(15)
def test_the_permutation_task_does_not_see_units(exponent, bias):
    base, found = (ce.permutation_task(np.ldexp(TRIANGLE, e), bias=bias, rng=0) for e in (0, exponent))
    assert found.lower == np.ldexp(base.lower, 2 * exponent)
    assert found.level <= np.ldexp(1e-18 * (1 + np.abs(base.theta_a).max()) ** 4, 2 * exponent) + 1e-300


def test_the_first_end_can_have_given_rows():
    rows = np.array([[1.0, 0.0], [-0.25, 1.0], [-1.0, 0.5]])
    problem = ce.permutation_task(TRIANGLE, rows=rows, bias=True)
    assert np.array_equal(problem.risk.network.weights(problem.theta_a)[0], np.c_[rows, np.zeros(3)])
    assert problem.level < 1e-24


def test_two_points_on_one_ray_are_solved_with_an_output_bias():
    problem = ce.permutation_task([[1, 0], [2, 0], [0, 1]], bias=True)
    assert problem.level < 1e-24


def test_the_gaussian_ends_have_their_closed_form():
    assert ce.gaussian_end_risk(3.0) == pytest.approx(4.0716e-4, rel=1e-4)
    assert ce.gaussian_end_risk(2.0) == pytest.approx(1.1682e-2, rel=1e-4)


@given(st.integers(0, 2**32), st.floats(0.3, 6))
@settings(deadline=None)
def test_no_net_with_its_first_row_across_the_means_gets_below_the_gaussian_barrier(seed, separation):
    from checks.claims.section_2_3_1.sec_2_3_1_gaussians import gaussian_risk

    rng = np.random.default_rng(seed)
    t = np.pi / 4 + rng.choice([0, np.pi]) if seed % 3 == 0 else rng.uniform(0, 2 * np.pi)
    W = np.array([np.sign(rng.standard_normal()) * np.ones(2) / np.sqrt(2), [np.cos(t), np.sin(t)]])
    corners = [np.array(V, dtype=float) for V in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1))]
    c, plus, minus, up, down, both = (gaussian_risk(W, V, separation) for V in corners)
    H = np.array([[plus + minus - 2 * c, both - plus - up + c], [both - plus - up + c, up + down - 2 * c]])
    V = -np.linalg.pinv(H, rcond=1e-9) @ np.array([plus - minus, up - down]) / 2
    growth = (1 - 2 / np.pi) * (1 + erf(separation)) * separation**2 / 8
    assert growth <= gaussian_risk(W, V, separation) + 1e-8 * (1 + separation**2)
    assert ce.gaussian_barrier(separation) == pytest.approx(max(growth, 0.5), rel=1e-14)


def test_the_gaussian_barrier_grows_with_the_square_of_the_separation():
    # the least risk over w_2, by quadrature: 2.9969 at R = 3, 12.146 at R = 6
    assert 0.25 * (1 - 2 / np.pi) * 9 == pytest.approx(ce.gaussian_barrier(3.0), rel=1e-4)
    assert ce.gaussian_barrier(3.0) < 2.9969
    assert ce.gaussian_barrier(6.0) < 12.146
    assert ce.gaussian_barrier(0.0) == ce.gaussian_barrier(2.0) == 0.5
    assert ce.gaussian_barrier(2.4) > 0.5
    assert ce.gaussian_barrier(1e150) == pytest.approx((0.25 - 0.5 / np.pi) * 1e300)
    with pytest.raises(ValueError, match="separation"):
        ce.gaussian_barrier(1e151)


def test_an_irreducible_net_is_separated_from_its_swap_and_a_reducible_one_is_not():
    rows = np.array([[1.0, 0.0], [0.3, 1.0]])
    X = np.random.default_rng(0).standard_normal((40, 2))
    assert ce.tessellation(rows, np.ones((1, 2)), X).lower > 0
    assert ce.tessellation(rows, np.array([[1.0, 0.0]]), X).lower == 0
    with pytest.raises(ValueError, match="must fit"):
        ce.tessellation(rows, np.ones((1, 3)), X)


def test_the_mixture_has_both_labels():
    network = Network((2, 2, 1))
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, network.size))
    X = rng.standard_normal((5, 2))
    problem = ce.mixture(network, a, b, 0.3, X)
    gap = np.mean((network(a, X) - network(b, X)) ** 2)
    assert problem.risk(a) == pytest.approx(0.7 * gap)
    assert problem.risk(b) == pytest.approx(0.3 * gap)


def test_the_poor_minimum_is_poor_by_exact_numbers():
    problem = ce.poor_minimum(0.75)
    assert (problem.risk(problem.theta_a), problem.risk(problem.theta_b)) == (0.03125, 0.28125)
    assert problem.lower == problem.barrier == 0.3125


@pytest.mark.parametrize(("angle", "bound"), [(np.pi / 3, 0.05679), (np.pi / 2, 0.172358)])
def test_student_and_teacher_are_separated_by_the_bound_of_one_direction(angle, bound):
    assert ce.teacher_student(angle, points=180).lower == pytest.approx(bound, rel=2e-3)
    if angle == np.pi / 2:
        assert ce.teacher_student(angle).barrier == pytest.approx(bound, rel=1e-5)


@pytest.mark.parametrize("outputs", [1, 2])
def test_the_landscape_is_the_refitted_risk(outputs):
    problem = ce.teacher_student(1.0, outputs, points=720)
    sample, angles = problem.risk.sample, np.array([[0.0, 1.0], [1.0, 0.0], [0.3, 2.5], [4.0, 5.0], [2.0, 2.0]])
    W = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    Z = np.maximum(W @ sample.X.T, 0)
    fitted = (sample.Y.T @ np.linalg.pinv(Z, rcond=1e-9)) @ Z
    risks = np.mean(np.sum((fitted - sample.Y.T) ** 2, axis=1), axis=1)
    assert ce.teacher_student_landscape(1.0, outputs)(angles) == pytest.approx(risks, abs=1e-4)


def test_the_scalar_net_is_as_its_formula():
    problem = ce.scalar()
    assert problem.risk(np.array([0.5, 3.0])) == pytest.approx(0.25)
    assert problem.level == 0
