"""Theorem 2.4 and the routes that improve on it: paths join what they should, below what their theorems allow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.maxima.segments import path_maximum
from theory.networks import Network
from theory.population.maxima import compare
from theory.population.risk import TeacherRisk
from theory.relu_paths import candidates, constants, pieces, six_segments, sparsify
from theory.relu_paths import problem as problem_module
from theory.relu_paths.best_route import ROUTES, RouteStatus, connect, routes
from theory.relu_paths.six_segments import six_segment
from theory.risk import Risk, Sample

SEEDS = st.integers(0, 2**32 - 1)
ROUNDING = 1e-9


def problem(rng, n, N, m, kappa):
    sample = Sample(rng.standard_normal((N, n)), rng.standard_normal((N, 1)), rng.dirichlet(np.ones(N)))
    return Risk(Network((n, m, 1)), sample, kappa=kappa, penalty="second_layer_l1")


def point(rng, risk):
    n, m = risk.network.widths[:2]
    W = rng.standard_normal((m, n))
    W *= rng.choice([0.0, 1e-2, 0.5, 1.0], size=(m, 1), p=[0.1, 0.1, 0.2, 0.6]) / np.linalg.norm(
        W, axis=1, keepdims=True
    )
    b = rng.standard_normal((1, m)) * (rng.uniform(size=m) < 0.8)
    return problem_module.into_ball(risk.network, risk.network.pack([W, b]))


def no_rise(risk, upper, *thetas):
    """upper is the largest risk of thetas, up to what certified maxima and (for nets that interpolate) roundings add."""
    larger = max(risk(theta) for theta in thetas)
    size = max(float(np.abs(theta).max()) for theta in thetas) ** 2 * (1 + risk.sample.energy)
    return upper <= larger * (1 + ROUNDING) + 1e-24 * size * risk.network.size**2


def draw(seed, kappa, *, m=None, N=None):
    rng = np.random.default_rng(seed)
    risk = problem(rng, int(rng.integers(1, 4)), N or int(rng.integers(1, 7)), m or int(rng.integers(1, 8)), kappa)
    a, b = point(rng, risk), point(rng, risk)
    if rng.uniform() < 0.5:
        a, b = (sparsify.best_second_layer(risk, theta) for theta in (a, b))
    return risk, a, b, rng


@instances(12)
@given(SEEDS, st.sampled_from([0.0, 0.01, 0.3]), st.sampled_from(["any", "equal", "permuted"]))
def test_every_route_joins_the_ends_in_the_ball_below_what_it_promises(seed, kappa, kind):
    risk, a, b, rng = draw(seed, kappa)
    if kind == "equal":
        b = a.copy()
    elif kind == "permuted":
        b = risk.network.permute(a, 1, rng.permutation(risk.network.widths[1]).tolist())
    table = routes(risk, a, b, exhaustive=True, rng=1)
    assert [r.name for r in table.routes] == list(ROUTES)
    for route in table.routes:
        if route.path is None:
            assert route.status is RouteStatus.IMPOSSIBLE
            assert route.reason
            continue
        assert np.array_equal(route.path.points[0], a)
        assert np.array_equal(route.path.points[-1], b)
        assert risk.row_norms(route.path.points).max() <= 1 + 1e-14
        assert route.allowed >= table.larger_end
        assert no_rise(risk, route.upper, a, b) or route.upper <= route.allowed * (1 + ROUNDING)
        assert route.upper >= table.best.upper
        assert route.upper >= path_maximum(risk, route.path).value * (1 - 1e-14)
    assert table.best.upper >= max(risk(a), risk(b)) * (1 - 1e-14)


@instances(20)
@given(SEEDS, st.sampled_from([0.0, 0.05]), st.integers(1, 5))
def test_with_two_units_per_sample_no_path_needs_to_rise(seed, kappa, N):
    risk, a, b, _ = draw(seed, kappa, N=N, m=2 * N)
    upper = pieces.piece_maxima(risk, connect(risk, a, b, route="caratheodory")).max()
    assert no_rise(risk, upper, a, b)


@instances(20)
@given(SEEDS, st.sampled_from([0.0, 0.05]), st.integers(1, 6))
def test_with_one_unit_more_than_samples_permutations_are_free(seed, kappa, N):
    risk, a, _, rng = draw(seed, kappa, N=N, m=N + 1)
    b = risk.network.permute(a, 1, rng.permutation(N + 1).tolist())
    path = connect(risk, a, b, route="permutation")
    assert no_rise(risk, pieces.piece_maxima(risk, path).max(), a)
    if kappa == 0:
        assert no_rise(risk, risk.batch(path.points).max(), a)
        assert np.ptp(risk.batch(path.points)) <= ROUNDING * max(risk(a), 1e-9 * risk.sample.energy)


@instances(12)
@given(SEEDS, st.sampled_from([0.0, 0.05, 0.5]), st.sampled_from([0.0, 0.1, np.pi]), st.data())
def test_every_subpath_of_the_theorem_stays_below_what_it_allows(seed, kappa, angle, data):
    risk, a, b, _ = draw(seed, kappa)
    m = risk.network.widths[1]
    report = six_segments.six_segment_report(risk, a, b, active=data.draw(st.sampled_from([0, m // 2, m])), angle=angle)
    numbers = [s.number for s in report.subpaths]
    assert numbers == [n for n in six_segments.SUBPATHS if n in numbers]
    assert np.array_equal(report.path.points[0], a)
    assert np.array_equal(report.path.points[-1], b)
    assert risk.row_norms(report.path.points).max() <= 1 + 1e-14
    floor = 1e-24 * risk.sample.energy  # where nets interpolate both sides are roundings of the same sums
    for s in report.subpaths:
        assert s.upper <= min(s.allowed, s.theorem) * (1 + ROUNDING) + floor
    assert report.upper >= path_maximum(risk, report.path).value * (1 - 1e-14)


def test_rows_turn_by_at_most_the_angle():
    risk, a, b, _ = draw(5, 0.05, m=6, N=6)
    start = candidates.start(risk, a).theta
    W = risk.network.weights(start)[0]
    for angle in (0.0, 0.1, 1.0):
        path = six_segment(risk, a, b, active=3, angle=angle, rng=0)
        last = max(k for k, label in enumerate(path.labels) if label.startswith("(2)"))
        V, g = risk.network.weights(path.points[last + 1])
        used = g[0] != 0
        assert used.sum() <= 3
        cosine = np.sum(W * V, axis=1) / np.linalg.norm(W, axis=1) / np.linalg.norm(V, axis=1)
        assert np.arccos(np.clip(cosine[used], -1, 1)).max(initial=0.0) <= angle + 1e-6


def test_epsilon_is_the_smallest_entry_of_its_table_and_bounds_the_path_at_its_minimiser():
    risk, a, b, _ = draw(7, 0.05, m=6, N=6)
    eps = candidates.epsilon(risk, a, b, angles=(0.0, 0.05), rng=0)
    assert eps.value == eps.table.min()
    assert eps.table.shape == (len(eps.units), 2)
    path = six_segment(risk, a, b, active=6 - eps.l, angle=eps.angle, rng=0)
    ends = max(risk(a), risk(b))
    assert pieces.piece_maxima(risk, path).max() <= max(ends, eps.value) * (1 + 1e-6)


def test_auto_stops_at_the_larger_end_and_says_what_it_skipped():
    risk, a, b, _ = draw(11, 0.05, N=3, m=8)
    table = routes(risk, a, b)
    assert table.best.upper <= table.larger_end * (1 + ROUNDING)
    assert any(r.status is RouteStatus.SKIPPED for r in table.routes)
    assert np.array_equal(connect(risk, a, b).points, table.best.path.points)
    assert table["straight"].name == "straight"


def test_the_same_seed_gives_the_same_path():
    risk, a, b, _ = draw(13, 0.05, N=6, m=5)
    first, second = (six_segment(risk, a, b, active=2, angle=0.1, rng=4) for _ in range(2))
    assert np.array_equal(first.points, second.points)


def test_inputs_are_not_mutated():
    risk, a, b, _ = draw(17, 0.05)
    before = a.copy(), b.copy()
    routes(risk, a, b, exhaustive=True, rng=0)
    assert np.array_equal(a, before[0])
    assert np.array_equal(b, before[1])


def test_the_smallest_disconnected_pair_climbs_to_e1_by_every_route():
    net = Network((1, 2, 1))
    X = np.array([[1.0], [-1.0]])
    risk = Risk(net, Sample(X, X), kappa=0.1, penalty="second_layer_l1")
    a = net.pack([[[1.0], [-1.0]], [[0.9, -0.9]]])
    table = routes(risk, a, net.permute(a, 1, [1, 0]), exhaustive=True, rng=0)
    assert table.best.upper == pytest.approx(0.595, rel=1e-9)
    assert all(r.upper >= 0.595 * (1 - 1e-12) for r in table.routes)
    assert table["permutation"].status is RouteStatus.IMPOSSIBLE
    assert "m >= N + 1" in table["permutation"].reason


@pytest.mark.parametrize("kind", ["constant target", "zero target", "zero inputs", "one sample"])
def test_degenerate_data_are_ordinary(kind):
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((4, 2)), rng.standard_normal((4, 1))
    if kind == "constant target":
        Y[:] = 1
    elif kind == "zero target":
        Y[:] = 0
    elif kind == "zero inputs":
        X[:] = 0
    else:
        X, Y = X[:1], Y[:1]
    risk = Risk(Network((2, 3, 1)), Sample(X, Y), kappa=0.1, penalty="second_layer_l1")
    a, b = point(rng, risk), point(rng, risk)
    table = routes(risk, a, b, exhaustive=True, rng=0)
    assert table.best.upper <= table.larger_end * (1 + ROUNDING) + 1e-15


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r, a, b: connect(r, a, b, route="shortest"), "^route must be one of"),
        (lambda r, a, b: connect(r, a, b, route="permutation"), "reordering of the hidden units"),
        (lambda r, a, b: connect(r, a, b, route="caratheodory"), "m >= 2N"),
        (lambda r, a, b: six_segment(r, a, b, active=4), r"active must be in 0\.\.3"),
        (lambda r, a, b: six_segment(r, a, b, active=-1), "^active"),
        (lambda r, a, b: six_segment(r, a, b, active=1, angle=4.0), "^angle"),
        (lambda r, a, b: six_segment(r, a, b, active=1, angle=np.nan), "^angle"),
        (lambda r, a, b: connect(r, a[:-1], b), "^theta_a"),
        (lambda r, a, b: connect(r, a, np.full_like(b, np.nan)), "^theta_b"),
        (lambda r, a, b: routes(r, a, b, names=["permutation"]), "permutation: "),
        (lambda r, a, b: routes(r, a, b, names=["nowhere"]), "^names"),
        (lambda r, a, b: candidates.epsilon(r, a, b, units=[9]), "^units"),
        (lambda r, a, b: candidates.epsilon(r, a, b, angles=[]), "^units"),
    ],
)
def test_bad_input_is_named(call, message):
    rng = np.random.default_rng(3)
    risk = problem(rng, 3, 9, 3, 0.05)
    with pytest.raises(ValueError, match=message):
        call(risk, point(rng, risk), point(rng, risk))


def test_a_path_found_on_a_sample_is_measured_under_the_population_it_was_drawn_from():
    rng = np.random.default_rng(5)
    net, teacher = Network((2, 8, 1)), Network((2, 2, 1))
    truth = teacher.pack([[[1.0, 0.0], [0.0, 1.0]], [[1.0, -1.0]]])
    population = TeacherRisk(net, np.eye(2), truth, teacher, kappa=0.05, penalty="second_layer_l1")
    risk = population.empirical(population.draw(60, rng))
    a, b = (sparsify.best_second_layer(risk, point(rng, risk)) for _ in range(2))
    path = connect(risk, a, b, route="maurey")
    small, large = compare(population, path, (60, 20_000), rng=rng)
    assert large.population.upper >= population.batch(path.points).max() * (1 - 1e-12)
    assert large.difference[1] < small.population.upper
    assert large.difference[0] <= large.difference[1] <= 0.1 * large.population.upper


def test_a_population_risk_is_refused_where_a_sample_is_needed():
    net = Network((2, 3, 1))
    population = TeacherRisk(net, np.eye(2), np.ones(net.size))
    with pytest.raises(ValueError, match="Risk on a sample"):
        connect(population, np.zeros(net.size), np.zeros(net.size))


def test_maurey_needs_a_penalty_and_two_units():
    rng = np.random.default_rng(3)
    for m, kappa in ((1, 0.1), (4, 0.0)):
        risk = problem(rng, 2, 5, m, kappa)
        with pytest.raises(problem_module.Impossible, match="kappa > 0 and m >= 2"):
            connect(risk, point(rng, risk), point(rng, risk), route="maurey")


@instances(20)
@given(SEEDS, st.sampled_from([0.01, 0.1, 0.5]))
def test_dropping_the_least_units_costs_the_square_of_their_share(seed, kappa):
    """max(F(net of l units), lambda + zeta^2 (l B / m)^2), whichever l is best."""
    risk, a, b, rng = draw(seed, kappa, m=int(np.random.default_rng(seed).integers(2, 16)))
    table = routes(risk, a, b, names=("drop",), rng=rng)
    assert table["drop"].upper <= table["drop"].allowed * (1 + ROUNDING)


def test_a_unit_dropped_at_the_best_second_layer_costs_exactly_the_energy_of_what_it_gave():
    rng = np.random.default_rng(3)
    for _ in range(20):
        risk = problem(rng, 3, 12, 6, 0.05)
        theta = sparsify.best_second_layer(risk, point(rng, risk))
        W, V = risk.network.weights(theta)
        for i in np.flatnonzero(V[0]):
            without = risk.network.pack([W, np.where(np.arange(6) == i, 0.0, V)])
            given = V[0, i] ** 2 * float(risk.sample.weights @ np.maximum(risk.sample.X @ W[i], 0) ** 2)
            assert risk(without) - risk(theta) == pytest.approx(given, rel=1e-4, abs=1e-9 * risk.sample.energy)


def test_the_excess_of_dropping_falls_with_the_square_of_the_width():
    sample = Sample([[1.0, 0.0], [0.0, 1.0]], [[1.0], [2.0]])
    found = [constants.drop_excess(sample, 0.1, 0.4, m, 2) for m in (10, 20, 40)]
    assert found[0] == pytest.approx(4 * found[1])
    assert found[1] == pytest.approx(4 * found[2])
    with pytest.raises(ValueError, match=r"units must be in 0\.\.3"):
        constants.drop_excess(sample, 0.1, 0.4, 3, 4)
