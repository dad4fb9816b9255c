"""The population risk of a Gaussian teacher: closed form, gradient, and enclosed maxima along paths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.maxima.results import Method, Status
from theory.networks import Network
from theory.paths import Path
from theory.population import maxima
from theory.population.risk import TeacherRisk
from theory.risk import PENALTIES, PenalisedRisk, Risk


@st.composite
def teachers(draw: st.DrawFn) -> tuple[TeacherRisk, np.random.Generator]:
    """Student and teacher of any small width, Sigma of any rank, one or two outputs, any penalty."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, d = draw(st.integers(1, 4)), draw(st.integers(1, 2))
    net, other = (Network((n, draw(st.integers(1, 4)), d)) for _ in range(2))
    A = rng.standard_normal((n, draw(st.integers(1, n))))
    penalty = draw(st.sampled_from(PENALTIES))
    kappa = 0.0 if penalty is None else 0.1
    noise = draw(st.sampled_from([0.0, 0.5]))
    teacher = rng.standard_normal(other.size)
    return TeacherRisk(net, A @ A.T, teacher, other, noise=noise, kappa=kappa, penalty=penalty), rng


@instances(15)
@given(teachers())
def test_the_closed_form_is_the_mean_over_many_draws(problem):
    F, rng = problem
    theta = rng.standard_normal(F.network.size)
    sample = F.draw(40_000, rng)
    out = F.network(theta, sample.X) - sample.Y
    losses = np.sum(out**2, axis=1) + F.regulariser(theta)
    # 8 standard errors, and a floor for risks that vanish
    assert abs(losses.mean() - F(theta)) <= 8 * losses.std() / np.sqrt(len(losses)) + 1e-12


@given(teachers())
def test_the_gradient_is_the_derivative(problem):
    F, rng = problem
    theta, direction, h = rng.standard_normal(F.network.size), rng.standard_normal(F.network.size), 1e-5
    slope = (F(theta + h * direction) - F(theta - h * direction)) / (2 * h)
    size = np.abs(F.gradient(theta)) @ np.abs(direction) + F(theta)
    assert F.gradient(theta) @ direction == pytest.approx(slope, abs=1e-5 * (1 + size))


@given(teachers())
def test_values_of_a_batch_are_values_one_by_one(problem):
    F, rng = problem
    thetas = rng.standard_normal((2, 3, F.network.size))
    assert F.batch(thetas) == pytest.approx(np.array([[F(t) for t in row] for row in thetas]), rel=1e-12)
    assert F.gradient(thetas)[1, 2] == pytest.approx(F.gradient(thetas[1, 2]), rel=1e-12)


def test_the_teacher_itself_and_its_symmetric_copies_have_no_risk_but_the_noise():
    rng = np.random.default_rng(0)
    net = Network((3, 4, 2))
    theta = rng.standard_normal(net.size)
    F = TeacherRisk(net, np.eye(3), theta, noise=0.25)
    assert F(theta) == pytest.approx(0.25, abs=1e-14)
    assert F(net.rescale(net.permute(theta, 1, [2, 0, 3, 1]), 1, [2.0, 0.5, 1.0, 3.0])) == pytest.approx(
        0.25, abs=1e-13
    )
    assert np.abs(F.gradient(theta)).max() <= 1e-13


def test_one_unit_against_one_unit_is_the_arc_cosine_kernel():
    net, w, v = Network((2, 1, 1)), np.array([1.0, 0.0]), np.array([0.0, 1.0])
    F = TeacherRisk(net, np.eye(2), net.pack([v[None], [[1.0]]]))
    assert F(net.pack([w[None], [[1.0]]])) == pytest.approx(0.5 + 0.5 - 2 / (2 * np.pi), rel=1e-14)


def test_fits_are_as_close_to_exact_as_they_say():
    from flint import arb, ctx

    from theory.relu_kernel.gaussian import arc_cosine_ball

    rng = np.random.default_rng(1)
    for _ in range(20):
        n = int(rng.integers(1, 4))
        net = Network((n, 2, 1))
        A = rng.standard_normal((n, n)) * 10.0 ** rng.integers(-2, 3, n)
        teacher, theta = rng.standard_normal((2, net.size)) * 10.0 ** rng.uniform(-2, 2)
        theta = teacher + 10.0 ** rng.uniform(-9, 0) * theta
        F = TeacherRisk(net, A @ A.T, teacher)
        V, C = F.units(theta[None])
        bits, ctx.prec = ctx.prec, 200
        total = arb(0)
        for v, c in zip(V[0], C[0, :, 0]):
            for w, d in zip(V[0], C[0, :, 0]):
                low, high = arc_cosine_ball(v, w, F.second_moment)
                total += arb(low).union(arb(high)) * arb(float(c)) * arb(float(d))
        ctx.prec = bits
        value, error = F.fit(theta[None])
        assert float(total.lower()) <= value[0] + error[0]
        assert value[0] - error[0] <= float(total.upper())


@instances(25)
@given(teachers(), st.sampled_from([1e-2, 1e-4]))
def test_the_maximum_on_a_segment_is_enclosed(problem, gap):
    F, rng = problem
    a, b = rng.standard_normal((2, F.network.size))
    top = maxima.segment_maximum(F, a, b, gap=gap)
    t = np.linspace(0, 1, 401)[:, None]
    assert F.batch((1 - t) * a + t * b).max() <= top.upper
    assert top.value <= top.upper
    assert F((1 - top.t) * a + top.t * b) == pytest.approx(top.value, rel=1e-9)
    if top.status is Status.CONVERGED and top.method is Method.BRANCH_AND_BOUND:
        assert top.upper <= top.value * (1 + gap) + 1e-9 * F(np.zeros(F.network.size))


def test_moving_the_second_layer_only_is_decided_at_the_ends():
    rng = np.random.default_rng(2)
    net = Network((2, 3, 1))
    F = TeacherRisk(net, np.eye(2), rng.standard_normal(net.size), kappa=0.1, penalty="second_layer_l1")
    a = rng.standard_normal(net.size)
    b = a.copy()
    b[net.slices[1]] = rng.standard_normal(3)
    top = maxima.segment_maximum(F, a, b)
    assert top.method is Method.CONVEX
    assert max(F(a), F(b)) * (1 - 1e-10) <= top.value <= top.upper <= top.value * (1 + 1e-10)


def test_swapping_two_units_of_the_teacher_passes_a_barrier():
    """Both ends have risk 0; on the way both units are the same one, with half the weight difference."""
    net = Network((2, 2, 1))
    a, b = net.pack([np.eye(2), [[1.0, -1.0]]]), net.pack([np.eye(2)[::-1], [[-1.0, 1.0]]])
    F = TeacherRisk(net, np.eye(2), a)
    top = maxima.segment_maximum(F, a, b, gap=1e-6)
    middle = F((a + b) / 2)
    assert middle == pytest.approx(1 - 2 / (2 * np.pi), rel=1e-12)  # E (z(e1) - z(e2))^2
    assert middle <= top.upper <= middle * (1 + 2e-6)


def test_a_path_is_the_largest_of_its_pieces():
    rng = np.random.default_rng(3)
    net = Network((2, 3, 1))
    F = TeacherRisk(net, np.eye(2), rng.standard_normal(net.size))
    path = Path(rng.standard_normal((4, net.size)))
    whole = maxima.path_maximum(F, path)
    pieces = [maxima.segment_maximum(F, *path.points[k : k + 2]) for k in range(3)]
    assert whole.value == pytest.approx(max(p.value for p in pieces), rel=1e-4)
    assert whole.upper >= whole.value
    assert F(path.at(whole.t)) == pytest.approx(whole.value, rel=1e-9)
    point = maxima.path_maximum(F, Path(path.points[:1]))
    assert F(path.points[0]) * (1 - 1e-10) <= point.value <= point.upper


def test_the_empirical_maximum_approaches_that_of_the_population():
    rng = np.random.default_rng(4)
    net = Network((2, 3, 1))
    F = TeacherRisk(net, np.eye(2), rng.standard_normal(net.size), noise=0.1)
    path = Path(rng.standard_normal((3, net.size)))
    results = maxima.compare(F, path, [30, 20_000], rng=0)
    assert [r.size for r in results] == [30, 20_000]
    for r in results:
        low, high = r.difference
        assert 0 <= low <= abs(r.empirical.value - r.population.value) + 1e-3 * r.population.upper
        assert abs(r.empirical.value - r.population.value) <= high * (1 + 1e-9)
    assert results[1].difference[1] < 0.1 * results[1].population.upper


def test_a_spent_budget_is_said_and_the_bound_holds():
    rng = np.random.default_rng(5)
    net = Network((2, 3, 1))
    F = TeacherRisk(net, np.eye(2), rng.standard_normal(net.size))
    a, b = rng.standard_normal((2, net.size))
    rough, fine = (maxima.segment_maximum(F, a, b, gap=1e-5, budget=c) for c in (16, 20_000))
    assert rough.upper >= fine.value
    if rough.upper > rough.value * (1 + 1e-5):
        assert rough.status is Status.BUDGET


def test_both_risks_have_one_base():
    assert issubclass(TeacherRisk, PenalisedRisk)
    assert issubclass(Risk, PenalisedRisk)
    F = TeacherRisk(Network((2, 3, 1)), np.eye(2), np.ones(9), noise=0.5, kappa=0.1, penalty="path")
    assert repr(F) == "TeacherRisk(Network((2, 3, 1)), teacher Network((2, 3, 1)), noise 0.5, 0.1 path)"


def test_the_same_risk_on_a_sample():
    rng = np.random.default_rng(6)
    net = Network((2, 3, 1))
    F = TeacherRisk(net, np.eye(2), rng.standard_normal(net.size), kappa=0.2, penalty="ridge")
    E = F.empirical(F.draw(10, rng=0))
    assert isinstance(E, Risk)
    assert (E.kappa, E.penalty) == (0.2, "ridge")
    theta = rng.standard_normal(net.size)
    assert np.array_equal(F.row_norms(theta), E.row_norms(theta))
    assert F.regulariser(theta) == E.regulariser(theta)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": Network((2, 3, 1), bias=True)}, "network must have one hidden relu layer"),
        ({"network": Network((2, 3, 1), activation="tanh")}, "network must have one hidden relu layer"),
        ({"network": Network((2, 3, 3, 1))}, "network must have one hidden relu layer"),
        ({"network": "net"}, "network must be a Network"),
        ({"teacher_network": Network((3, 1, 1)), "teacher": np.ones(4)}, "teacher_network must map"),
        ({"second_moment": np.eye(3)}, "second_moment must have shape"),
        ({"second_moment": -np.eye(2)}, "second_moment must be positive semidefinite"),
        ({"teacher": np.ones(3)}, "teacher must have shape"),
        ({"teacher": np.full(9, np.nan)}, "teacher must be finite"),
        ({"kappa": 0.1}, "kappa must be 0 without a penalty"),
        ({"kappa": -0.1, "penalty": "ridge"}, "kappa must be a finite number"),
        ({"noise": -1.0}, "noise must be a finite number"),
        ({"penalty": "l0"}, "penalty must be one of"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {"network": Network((2, 3, 1)), "second_moment": np.eye(2), "teacher": np.ones(9)}
    with pytest.raises(ValueError, match=message):
        TeacherRisk(**(good | change))


def test_a_sample_risk_is_sent_to_theory_maxima():
    F = TeacherRisk(Network((2, 3, 1)), np.eye(2), np.ones(9))
    with pytest.raises(ValueError, match=r"For samples use theory\.maxima"):
        maxima.segment_maximum(F.empirical(F.draw(3, rng=0)), np.ones(9), np.zeros(9))
    with pytest.raises(ValueError, match="path must be a Path"):
        maxima.path_maximum(F, np.ones((2, 9)))
    with pytest.raises(ValueError, match="theta_0 must have shape"):
        maxima.segment_maximum(F, np.ones(8), np.ones(9))
    with pytest.raises(ValueError, match="theta must have shape"):
        F(np.ones((2, 9)))
