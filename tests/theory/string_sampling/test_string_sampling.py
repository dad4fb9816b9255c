"""Dynamic String Sampling: certified or not reported; bounded; resumable."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.landscapes.trainers import train
from theory.maxima.segments import path_maximum
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample
from theory.string_sampling import algorithms, runs, strings
from theory.string_sampling.strings import String

ALGORITHMS = (algorithms.greedy, algorithms.breadth_first, algorithms.hyperplane)
RELU = Risk(
    Network((2, 6, 1), bias=True),
    Sample(np.random.default_rng(0).uniform(-1, 1, (20, 2)), np.random.default_rng(1).uniform(0, 1, (20, 1))),
)
X = np.linspace(0, 1, 16)[:, None]
SIGMOID = Risk(Network((1, 4, 4, 1), "sigmoid"), Sample(X, X**2 / 2 + X / 4))
ABSOLUTE = Risk(Network((1, 4, 4, 1), "tanh", bias=True), Sample(X, X**2), "absolute")
VALLEY = Risk(Network((1, 1, 1)), Sample(np.ones((1, 1)), np.ones((1, 1))))
ARMS = Risk(Network((1, 1, 1), "identity"), Sample(np.ones((1, 1)), np.ones((1, 1))))


def ends(risk, level, seed):
    rng = np.random.default_rng(seed)
    for _ in range(40):
        found = train(risk, rng.uniform(-1, 1, (6, risk.network.size)), 0.99 * level, fallback=False)
        if found.reached.sum() >= 2:
            return found.points[found.reached][:2]
    raise AssertionError("no ends")


@settings(max_examples=10, deadline=None)
@given(
    st.sampled_from([(RELU, 0.05), (SIGMOID, 5e-3), (ABSOLUTE, 0.05)]),
    st.sampled_from(ALGORITHMS),
    st.integers(0, 1000),
    st.sampled_from(["lm", "projection", "lbfgs"]),
    st.sampled_from(["middle", "maximum"]),
)
def test_what_is_reported_connected_is_certified(problem, algorithm, seed, trainer, split):
    risk, level = problem
    a, b = ends(risk, level, seed)
    found = algorithm(risk, a, b, level, trainer=trainer, split=split, attempts=2, rng=0)
    assert found.connected == (found.path is not None)
    assert np.array_equal(found.string.points[0], a)
    assert np.array_equal(found.string.points[-1], b)
    if found.path is not None:
        assert found.maximum.upper <= level
        assert path_maximum(risk, found.path, ceiling=level).upper <= level
        assert risk.batch(found.path.at(np.linspace(0, 1, 1001))).max() <= level
        assert found.maximum.value <= found.maximum.upper


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_ends_on_the_level_itself_are_ordinary(algorithm):
    level = 5e-3
    a, b = ends(SIGMOID, level, 4)
    tight = max(SIGMOID(a), SIGMOID(b)) * (1 + 1e-9)
    found = algorithm(SIGMOID, a, b, tight, rng=0)
    assert found.connected
    assert found.path.normalised_length >= 1


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_equal_ends_and_convex_level_sets_need_no_bead(algorithm):
    a, b = ends(SIGMOID, 5e-3, 1)
    assert algorithm(SIGMOID, a, a, 5e-3).beads == 2
    assert algorithm(SIGMOID, a, b, 100.0).beads == 2


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_disconnected_is_not_connected_and_named_so_only_by_a_certificate(algorithm):
    a, b = np.array([1.0, 1.0]), np.array([-1.0, -1.0])  # every path passes w1 w2 = 0, where F = 1
    plain = algorithm(ARMS, a, b, 0.5, depth=4, attempts=2, iterations=40, rng=0)
    assert plain.path is None
    assert plain.status is not runs.Status.DISCONNECTED
    told = algorithm(ARMS, a, b, 0.5, depth=2, attempts=1, barrier=lambda risk, p, q: 1.0)
    assert told.status is runs.Status.DISCONNECTED
    assert told.barrier == 1.0
    bound = SimpleNamespace(lower=1.0)  # what `theory.barriers.lower_bound` gives has a field lower
    assert algorithm(ARMS, a, b, 0.5, depth=2, attempts=1, barrier=lambda risk, p, q: bound).barrier == 1.0
    weak = algorithm(ARMS, a, b, 0.5, depth=2, attempts=1, barrier=lambda risk, p, q: 0.4)
    assert weak.status is not runs.Status.DISCONNECTED


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_stopped_run_can_be_saved_and_resumed(algorithm, tmp_path):
    a, b = ends(RELU, 0.05, 7)
    seen = []

    def stop(progress):
        progress.string.save(tmp_path / "string.npz")
        seen.append(progress.beads)
        return len(seen) == 2

    stopped = algorithm(RELU, a, b, 0.05, callback=stop, rng=0)
    assert stopped.status is runs.Status.INTERRUPTED
    resumed = algorithm(RELU, a, b, 0.05, start=Path.load(tmp_path / "string.npz"), rng=0)
    assert resumed.connected
    assert resumed.maximum.upper <= 0.05


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_seed_gives_the_same_string(algorithm):
    a, b = ends(RELU, 0.05, 8)
    first, second = (algorithm(RELU, a, b, 0.05, rng=5).string.points for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("setting", "status"),
    [
        ({"max_evaluations": 1}, runs.Status.EVALUATIONS),
        ({"max_beads": 2}, runs.Status.BEADS),
        ({"seconds": 1e-9}, runs.Status.TIME),
        ({"depth": 0, "attempts": 1}, runs.Status.DEPTH),
    ],
)
def test_each_budget_ends_a_run_and_is_named(setting, status):
    a, b = np.array([0.25, 4.0]), np.array([4.0, 0.25])
    assert algorithms.greedy(VALLEY, a, b, 0.25, **setting).status is status


def test_ends_at_the_level_to_the_last_bit_are_undecided_not_connected():
    a, b = np.array([0.5, 1.0]), np.array([1.0, 0.5])  # F = 1/4 exactly at both ends
    found = algorithms.greedy(VALLEY, a, b, 0.25)
    assert found.status in (runs.Status.UNDECIDED, runs.Status.CONNECTED)
    assert found.path is None or found.maximum.upper <= 0.25


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_end_above_the_level_by_rounding_alone_is_undecided_and_by_more_is_refused(algorithm):
    a, b = ends(SIGMOID, 5e-3, 4)
    top = max(SIGMOID(a), SIGMOID(b))
    found = algorithm(SIGMOID, a, b, np.nextafter(top, 0.0), depth=2, attempts=1)
    assert found.status is runs.Status.UNDECIDED
    assert found.path is None
    with pytest.raises(ValueError, match="level must be at least"):
        algorithm(SIGMOID, a, b, top * (1 - 1e-9))


def test_samples_that_a_look_leaves_out_still_count():
    X = np.zeros((400, 1))
    X[1::2] = 1.0  # a look at every fourth sample sees a risk of 0 everywhere
    risk = Risk(Network((1, 1, 1)), Sample(X, np.zeros((400, 1))))
    string = String(risk, np.array([[0.0, 4.0], [1.0, 0.0]]))  # F = 8 t^2 (1 - t)^2
    string.screen()
    assert string.top[0] == pytest.approx(8 * 0.09**2)
    assert string.outside(0.1).tolist() == [0]
    assert string.top[0] > 0.1
    assert not String(risk, string.beads).outside(0.51).size


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_spike_between_the_points_looked_at_is_found_by_the_certificate(algorithm):
    net = Network((1, 2, 1), "tanh", bias=True)
    risk = Risk(net, Sample(np.zeros((1, 1)), np.zeros((1, 1))))
    a, b = (net.pack([[[0, 400 * (t - 0.53)], [0, 400 * (t - 0.57)]], [[1, -1, 0]]]) for t in (0.0, 1.0))
    assert risk.batch((1 - np.arange(11)[:, None] / 10) * a + np.arange(11)[:, None] / 10 * b).max() < 1e-6
    found = algorithm(risk, a, b, 2.0, depth=6, attempts=2, rng=0)
    assert found.path is None or found.beads > 2
    assert found.path is None or risk.batch(found.path.at(np.linspace(0, 1, 20_001))).max() <= 2.0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_start_with_repeated_or_backward_vertices_is_ordinary(algorithm):
    a, b = ends(SIGMOID, 5e-3, 4)
    for inner in ([a, a], [b, a, b]):
        found = algorithm(SIGMOID, a, b, 5e-3, start=Path([a, *inner, b]), rng=0)
        assert found.connected
        assert path_maximum(SIGMOID, found.path, ceiling=5e-3).upper <= 5e-3


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_bad_arguments_are_named(algorithm):
    a, b = np.array([1.0, 1.0]), np.array([2.0, 0.5])
    cases = [
        ((a, np.array([5.0, 5.0]), 0.1), {}, "level must be at least the risk of both ends, 0 .* and 576"),
        ((a, np.ones(3), 0.1), {}, "theta_b"),
        ((a, np.array([np.nan, 1.0]), 0.1), {}, "theta_b"),
        ((a, b, 0.0), {}, "level"),
        ((a, b, -1.0), {}, "level"),
        ((a, b, np.nan), {}, "level"),
        ((a, b, 0.1), {"alpha": 0.0}, "alpha"),
        ((a, b, 0.1), {"alpha": 1.5}, "alpha"),
        ((a, b, 0.1), {"max_evaluations": 0}, "max_evaluations"),
        ((a, b, 0.1), {"seconds": 0.0}, "seconds"),
        ((a, b, 0.1), {"acceptance": 0.9}, "acceptance"),
        ((a, b, 0.1), {"trainer": "sgd"}, "trainer"),
        ((a, b, 0.1), {"split": "end"}, "split"),
        ((a, b, 0.1), {"start": Path([a, a])}, "start"),
    ]
    for arguments, options, named in cases:
        with pytest.raises(ValueError, match=named):
            algorithm(VALLEY, *arguments, **options)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_straight_line_that_overflows_between_ends_of_risk_zero_ends_in_bounded_time(algorithm, activation):
    risk = Risk(Network((1, 1, 1), activation), Sample(np.ones((1, 1)), np.zeros((1, 1))))
    a, b = np.array([0.0, 1e80]), np.array([1e119, 0.0])
    result = algorithm(risk, a, b, 1.0, depth=3, attempts=1, iterations=20)
    assert not result.connected
    assert result.height > 1e150
    for far in (1e160 * b / 1e119, np.full(2, 1e200)):
        with pytest.raises(ValueError, match="theta_b"):
            algorithm(risk, a, far, 1.0)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_loop_that_leaves_the_level_set_is_brought_back(algorithm):
    a = np.array([1.0, 1.0])
    loop = Path([a, [2.0, 2.0], [2.0, 0.5], a])
    result = algorithm(VALLEY, a, a, 0.1, start=loop)
    assert result.connected
    with pytest.raises(ValueError, match="at least two vertices"):
        algorithm(VALLEY, a, a, 1e-40, start=Path([a]))


def test_breadth_first_resumes_at_the_height_where_it_stopped():
    a, b = np.array([0.25, 4.0]), np.array([4.0, 0.25])
    seen = []
    stopped = algorithms.breadth_first(VALLEY, a, b, 1e-3, callback=lambda p: p.round == 3)
    resumed = algorithms.breadth_first(
        VALLEY, a, b, 1e-3, start=stopped.string, callback=lambda p: seen.append((p.level, p.worst))
    )
    assert resumed.connected
    assert stopped.status is runs.Status.INTERRUPTED
    assert 1e-3 < seen[0][0] < stopped.height


def test_options_of_the_variants_are_checked():
    a, b = np.array([1.0, 1.0]), np.array([2.0, 0.5])
    for options, named in (({"zeta": -1.0}, "zeta"), ({"kappa": -1.0}, "kappa")):
        with pytest.raises(ValueError, match=named):
            algorithms.hyperplane(VALLEY, a, b, 0.1, **options)
    for factor in (0.0, 1.0, 1 - 1e-9):
        with pytest.raises(ValueError, match="factor"):
            algorithms.breadth_first(VALLEY, a, b, 0.1, factor=factor)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_known_of_a_piece_survives_changes_elsewhere_and_only_those(seed):
    rng = np.random.default_rng(seed)
    string = String(RELU, rng.uniform(-1, 1, (5, RELU.network.size)))
    for _ in range(6):
        string.screen()
        string.certify(1e9)
        kind, pieces = rng.integers(3), len(string.top)
        if kind == 0:
            chosen = np.flatnonzero(rng.random(pieces) < 0.5)
            points = rng.uniform(-1, 1, (chosen.size, RELU.network.size))
            string.insert(chosen, points, RELU.batch(points))
        elif kind == 1 and pieces > 1:
            row = np.array([rng.integers(1, pieces)])
            points = rng.uniform(-1, 1, (1, RELU.network.size))
            string.move(row, points, RELU.batch(points))
        elif pieces > 1:
            string.remove(int(rng.integers(1, pieces)))
        assert (
            len(string.top) == len(string.upper) == len(string.where) == len(string.beads) - 1 == len(string.values) - 1
        )
        fresh = String(RELU, string.beads)
        fresh.screen()
        known = ~np.isnan(string.top)
        assert np.allclose(string.values, fresh.values, rtol=1e-12)
        assert (string.top[known] >= fresh.top[known] * (1 - 1e-12)).all()
        assert (string.upper >= fresh.top * (1 - 1e-12)).all()


def test_the_length_without_biases_leaves_them_out():
    net = Network((1, 1, 1), bias=True)
    path = Path([[0.0, 0, 0, 0], [1, 5, 0, 0], [2, 0, 0, 7]])
    assert strings.normalised_length(net, path, biases=False) == 1
    assert strings.normalised_length(net, path) > 1
