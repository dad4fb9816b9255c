"""The seam: what strings ask is answered by a risk exactly, and by anything else with the same few methods."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import geodesics, maxima, string_sampling
from theory.landscapes import Exact, Seen, Trained, landscape_of
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample
from theory.string_sampling import Status

X = np.linspace(0, 1, 12)[:, None]
RISK = Risk(Network((1, 3, 1), bias=True), Sample(X, X**2))


class Ring:
    """(|theta| - 1)^2 in the plane, of which nothing is proved; `lie` hides the maximum from those who look."""

    size, weights = 2, np.array([True, True])

    def __init__(self, certified=False, lie=1.0):
        self.certified, self.lie = certified, lie

    def batch(self, thetas):
        return (np.linalg.norm(thetas, axis=-1) - 1) ** 2

    def rounding(self, thetas):
        return np.zeros(len(thetas))

    def look(self, a, b, t=None):
        t = np.arange(20) / 20 if t is None else t
        heights = self.lie * self.batch(a[:, None] + t[:, None] * (b - a)[:, None])
        best = heights.argmax(axis=1)
        return Seen(t[best], heights.max(axis=1), heights.size)

    def _proved(self, a, b):
        """The exact maximum over a chord: at an end, or where it is nearest the origin."""
        t = np.clip(-np.sum(a * (b - a), 1) / np.maximum(np.sum((b - a) ** 2, 1), 1e-300), 0, 1)
        return np.max([self.batch(a), self.batch(b), self.batch(a + t[:, None] * (b - a))], axis=0) * (1 + 1e-12)

    def bound(self, a, b, ceiling):
        top = self._proved(a, b) if self.certified else np.full(len(a), np.inf)
        method = maxima.Method.BRANCH_AND_BOUND if self.certified else maxima.Method.SAMPLED
        seen = self.look(a, b)
        return maxima.Maxima(seen.top, top, seen.t, (method,) * len(a), (maxima.Status.DECIDED,) * len(a))

    def maximum(self, path):
        if not self.certified:
            return None
        top = self._proved(path.points[:-1], path.points[1:]).max()
        return maxima.PathMaximum(top, top, 0.0, 0, maxima.Method.BRANCH_AND_BOUND, maxima.Status.DECIDED)

    def train(self, starts, target, *, radius, iterations=None, fallback=True):
        points = starts / np.maximum(np.linalg.norm(starts, axis=1, keepdims=True), 1e-9)
        heights = self.batch(points)
        return Trained(points, heights, heights <= target, np.full(len(points), "own"), len(points))


A, B = np.array([1.0, 0.0]), np.array([-0.6, 0.8])
ALGORITHMS = [string_sampling.greedy, string_sampling.breadth_first, string_sampling.published]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_landscape_without_a_bound_is_accepted_and_never_connected(algorithm):
    found = algorithm(Ring(), A, B, 0.05)
    assert found.status is Status.ACCEPTED
    assert found.path is None
    assert found.maximum.upper == np.inf
    assert found.maximum.method is maxima.Method.SAMPLED
    assert found.maximum.value <= 0.05 * 1.1
    assert "on a grid only" in repr(found)


@pytest.mark.parametrize("algorithm", ALGORITHMS[:2])
def test_a_ceiling_beyond_float64_is_refused_as_everything_is_below_it(algorithm):
    with pytest.raises(ValueError, match=r"acceptance \* level is too large"):
        algorithm(Ring(), A, B, 1e308, acceptance=1e10)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_landscape_with_a_bound_is_connected(algorithm):
    found = algorithm(
        Ring(certified=True), A, B, 0.05, **({"acceptance": 0.9} if "published" in repr(algorithm) else {})
    )
    assert found.status is Status.CONNECTED
    assert found.maximum.upper <= 0.05


def test_looks_that_lie_are_believed_by_the_grid_and_caught_by_a_bound():
    """The planted fault: a look that sees a thousandth of the heights."""
    blind = string_sampling.greedy(Ring(lie=1e-3), A, -A + [0, 1e-3], 0.05)
    assert blind.status is Status.ACCEPTED
    assert len(blind.string.points) == 2
    held = string_sampling.greedy(Ring(certified=True, lie=1e-3), A, -A + [0, 1e-3], 0.05)
    assert held.status is Status.CONNECTED
    assert held.beads > 2


def test_a_sampled_piece_above_the_level_is_not_accepted():
    class Stuck(Ring):
        def train(self, starts, target, *, radius, iterations=None, fallback=True):
            heights = self.batch(starts)
            return Trained(starts, heights, heights <= target, np.full(len(starts), "own"), 0)

    shaken = [string_sampling.breadth_first(Stuck(), A, -A, 0.05, rng=seed) for seed in range(20)]
    for found in [
        string_sampling.greedy(Stuck(), A, -A, 0.05, rng=0),
        string_sampling.published(Stuck(), A, -A, 0.05),
        *shaken,
    ]:
        assert found.path is None
        assert (found.status is Status.ACCEPTED) == (found.maximum.value <= 0.05), found
        assert found.status in (Status.BEAD, Status.LEVEL, Status.ACCEPTED)
    assert Status.LEVEL in {found.status for found in shaken}, "shaking alone must not always arrive"


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.integers(1, 4))
def test_an_exact_landscape_says_what_the_risk_says(seed, count):
    a, b = np.random.default_rng(seed).standard_normal((2, count, RISK.network.size))
    landscape = Exact(RISK)
    assert np.array_equal(landscape.batch(a), RISK.batch(a))
    grid = np.arange(7) / 7
    seen = landscape.look(a, b, grid)
    along = RISK.batch(a[:, None] + grid[:, None] * (b - a)[:, None])
    assert np.array_equal(seen.top, along.max(axis=1))
    np.testing.assert_allclose(seen.top, RISK.batch(a + seen.t[:, None] * (b - a)), rtol=1e-12)
    assert (landscape.bound(a, b, along.max() * 2).upper >= along.max(axis=1)).all()
    path = Path(np.concatenate([a, b]))
    assert landscape.maximum(path).upper >= RISK.batch(path.points).max()
    weights = string_sampling.normalised_length(RISK.network, path, biases=False)
    assert np.isclose(Path(path.points[:, landscape.weights]).normalised_length, weights)


def test_greedy_is_the_same_on_a_risk_and_on_its_landscape():
    rng = np.random.default_rng(3)
    trained = string_sampling.train(RISK, rng.standard_normal((12, RISK.network.size)), 0.002)
    found = trained.points[trained.reached][:2]
    plain = string_sampling.greedy(RISK, *found, 0.003, trainer="projection", rng=0)
    seam = string_sampling.greedy(Exact(RISK, "projection"), *found, 0.003, rng=0)
    assert np.array_equal(plain.string.points, seam.string.points)
    assert plain.evaluations == seam.evaluations


def test_published_can_insert_at_the_highest_point_and_be_stopped():
    # seen from A, the chord to a far bead is highest where it passes nearest to the origin
    found = string_sampling.published(Ring(), A, [0.02, -1.0], 0.01, insert="highest", points=10)
    assert found.status is Status.ACCEPTED
    seen = []
    stopped = string_sampling.published(Ring(), A, B, 1e-4, callback=lambda p: seen.append(p) or True)
    assert stopped.status is Status.INTERRUPTED
    assert [p.beads for p in seen] == [3]


def test_a_void_check_accepts_three_beads_whatever_they_reach():
    found = string_sampling.published(Ring(), A, B, 1e-4, acceptance=np.inf)
    assert (found.status, found.beads) == (Status.ACCEPTED, 3)
    assert found.maximum.value > 1e-4


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: landscape_of(3), "risk must be a Risk"),
        (lambda: string_sampling.greedy(Ring(), A, B, 0.05, trainer="adam"), "trainer is for a Risk"),
        (lambda: string_sampling.greedy(Ring(), A, B, 0.05, iterations=3), "iterations is for a Risk"),
        (lambda: string_sampling.greedy(Ring(), A * 3, B, 0.05), "level must be at least the risk of both ends"),
        (lambda: string_sampling.greedy(Ring(), A[:1], B, 0.05), "theta_a must"),
        (lambda: string_sampling.hyperplane(Ring(), A, B, 1e-3), "risk must be"),
        (lambda: string_sampling.published(RISK, A, B, 0.05, insert="argmax"), "theta_a must|insert must"),
        (lambda: string_sampling.published(Ring(), A, B, 0.05, insert="argmax"), "insert must be"),
        (lambda: string_sampling.published(Ring(), A, B, 0.05, points=0), "points must be"),
        (lambda: string_sampling.published(Ring(), A, B, 0.05, acceptance=np.nan), "acceptance must be"),
        (lambda: geodesics.geodesic(Ring(), Path([A, B]), 0.5), "risk must be a Risk, or a landscape that bounds"),
        (lambda: Exact(RISK, "sgd"), "trainer must be"),
        (lambda: Exact(Ring()), "risk must be a Risk"),
    ],
)
def test_what_cannot_be_asked_is_said(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_a_path_is_shortened_on_any_landscape_that_proves():
    turns = np.linspace(0, 2, 9)
    path = Path(np.stack([np.cos(turns), np.sin(turns)], axis=1))
    found = geodesics.geodesic(Ring(certified=True), path, 0.1, sweeps=4)
    assert found.after < found.before
    assert found.maximum.upper <= 0.1
