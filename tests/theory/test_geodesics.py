"""Shortening: never longer, never above the level, ends kept."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory import geodesics
from theory.landscapes import Exact, train
from theory.maxima.segments import path_maximum
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample
from theory.string_sampling import greedy

VALLEY = Risk(Network((1, 1, 1)), Sample(np.ones((1, 1)), np.ones((1, 1))))  # F = (w1 w2 - 1)^2 for w1 > 0
LEVEL = 0.04  # 0.8 <= w1 w2 <= 1.2


def hyperbola(p, q, beads=40):
    w = np.geomspace(p, q, beads)
    return Path(np.column_stack([w, 1 / w]))


@instances(6)
@given(st.floats(0.25, 0.7), st.floats(1.5, 4), st.integers(12, 40))
def test_a_path_is_shortened_inside_the_level_set_with_its_ends(p, q, beads):
    path = hyperbola(p, q)
    found = geodesics.geodesic(VALLEY, path, LEVEL, beads=beads)
    assert found.lower == 1 <= found.after <= found.before * (1 + 1e-12)
    assert np.array_equal(found.path.points[[0, -1]], path.points[[0, -1]])
    assert found.maximum.upper <= LEVEL
    assert path_maximum(VALLEY, found.path, ceiling=LEVEL).upper <= LEVEL
    assert found.path.normalised_length == found.after


def test_the_geodesic_of_the_valley_is_two_tangents_and_an_arc_of_its_edge():
    path = hyperbola(1 / 3, 3)
    found = geodesics.geodesic(VALLEY, path, LEVEL, beads=60, tolerance=1e-4)
    w = np.geomspace(1 / 3, 3, 20_001)
    inside = Path(np.column_stack([w, 1 / w])).normalised_length
    assert found.after < inside
    # tangent lines from the ends to the convex edge w1 w2 = 1.2, and the arc between
    x = (1.2 + np.sqrt(1.2**2 - 1.2)) / 3
    arc = np.geomspace(x, 1.2 / x, 4001)
    best = Path(np.vstack([[[1 / 3, 3]], np.column_stack([arc, 1.2 / arc]), [[3, 1 / 3]]])).normalised_length
    assert (
        best * (1 - 1e-6) <= found.after <= best * 1.0005
    )  # shortcuts alone stay 8e-4 above, relaxing alone takes longer


def test_a_straight_line_inside_is_found_and_is_the_least():
    path = Path([[1.0, 1.0], [1.05, 0.9], [1.1, 1.0]])
    found = geodesics.geodesic(VALLEY, path, LEVEL)
    assert found.status is geodesics.Status.STRAIGHT
    assert found.after == found.lower == 1
    assert found.sweeps == 0
    assert len(geodesics.shorten(VALLEY, path, LEVEL).points) == 2


def test_no_sweeps_return_the_path_and_say_so():
    path = hyperbola(0.3, 3)
    found = geodesics.geodesic(VALLEY, path, LEVEL, sweeps=0)
    assert np.array_equal(found.path.points, path.points)
    assert found.status is geodesics.Status.SWEEPS
    assert found.sweeps == 0


def test_three_beads_are_enough_to_go_on_and_one_sweep_is_one():
    found = geodesics.geodesic(VALLEY, hyperbola(0.5, 2), LEVEL, beads=3, sweeps=1)
    assert found.sweeps == 1
    assert found.after <= found.before
    assert found.maximum.upper <= LEVEL


def test_a_single_point_and_a_loop():
    assert geodesics.geodesic(VALLEY, Path([[1.0, 1.0]]), LEVEL).after == 1
    loop = Path([[1.0, 1.0], [1.1, 1.0], [1.0, 1.0]])
    assert geodesics.shorten(VALLEY, loop, LEVEL).length == 0


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"level": 1e-3}, "path"),
        ({"level": -1.0}, "level"),
        ({"beads": 2}, "beads"),
        ({"sweeps": -1}, "sweeps"),
        ({"tolerance": 0.0}, "tolerance"),
    ],
)
def test_bad_arguments_are_named(options, named):
    path = Path([[1.0, 1.0], [1.1, 1.0]])
    with pytest.raises(ValueError, match=named):
        geodesics.geodesic(VALLEY, path, **{"level": LEVEL, **options})


def test_a_path_whose_ends_are_on_the_level_keeps_the_pieces_that_lead_away_from_it():
    w = np.geomspace(0.3, 3, 30)
    inside = np.column_stack([w, 1 / w])
    ends = [[0.3, 1.2 / 0.3], [3.0, 1.2 / 3]]
    path = Path(np.vstack([ends[:1], inside, ends[1:]]))
    level = float(VALLEY.batch(np.array(ends)).max()) * (1 + 1e-9)
    found = geodesics.geodesic(VALLEY, path, level)
    assert found.after < 0.99 * found.before
    assert found.maximum.upper <= level


def test_the_band_is_shorter_than_beads_pulled_one_by_one():
    """The same risk as a landscape that shows no slopes: its beads are pulled one by one, and get stuck earlier."""

    class WithoutSlopes:
        def __init__(self, risk):
            self.exact = Exact(risk)

        def __getattr__(self, name):
            return getattr(self.exact, name)

    rng = np.random.default_rng(5)
    X = rng.uniform(-1, 1, (64, 2))
    risk = Risk(Network((2, 8, 1), bias=True), Sample(X, np.sin(3 * X[:, :1]) * X[:, 1:]))
    level = 0.02
    trained = train(risk, rng.uniform(-1, 1, (12, risk.network.size)), 0.98 * level, fallback=False)
    a, b = trained.points[trained.reached][:2]
    path = greedy(risk, a, b, level, rng=0).path
    band, beads = (geodesics.geodesic(landscape, path, level) for landscape in (risk, WithoutSlopes(risk)))
    assert band.after < 0.99 * beads.after < beads.after < beads.before
    for found in (band, beads):
        assert path_maximum(risk, found.path, ceiling=level).upper <= level


class Bounded(Exact):
    """A risk whose bounds are lost after so many calls, or are NaN."""

    def __init__(self, risk, calls=10**9, lost=np.inf):
        super().__init__(risk)
        self.calls, self.lost = calls, lost

    def bound(self, a, b, ceiling):
        self.calls -= 1
        found = super().bound(a, b, ceiling)
        return found if self.calls >= 0 else replace(found, upper=np.full(len(a), self.lost))


class Looked:
    """The same, not as an exact landscape: beads are moved one by one."""

    def __init__(self, landscape):
        self.landscape = landscape

    def __getattr__(self, name):
        return getattr(self.landscape, name)


@pytest.mark.parametrize(("apart", "size"), [(0.0, 1.0), (1e-3, 1.0), (0.5, 1.0), (0.0, 1e6)])
def test_what_rises_is_brought_back_within_a_quarter_of_its_neighbours_distance_and_never_nowhere(
    monkeypatch, apart, size
):
    """Planted: a bead above the level whose neighbours are this far from one another."""
    radii, real = [], Exact.train
    monkeypatch.setattr(
        Exact, "train", lambda self, *args, **options: radii.append(options["radius"]) or real(self, *args, **options)
    )
    risk = Risk(Network((1, 1, 1)), Sample([[1.0]], [[size**2]]))
    beads = size * np.array([[0.98, 1.0], [2.0, 2.0], [0.98, 1.0 + apart]])
    geodesics._mended(geodesics.String(Exact(risk), beads), 0.5 * size**4, 0.1)
    assert radii[0] == pytest.approx(0.25 * size * apart + 1e-9 * (1 + np.linalg.norm(beads[1])))


@pytest.mark.parametrize("calls", range(6))
def test_what_is_returned_is_certified_also_where_bounds_are_lost_on_the_way(calls):
    risk, s = Risk(Network((1, 1, 1), "identity"), Sample([[1.0]], [[1.0]])), np.linspace(-1.2, 1.2, 41)
    points = np.sqrt(1.05) * np.stack([np.exp(s), np.exp(-s)], axis=1) * (1 - 1e-4)
    points[1::2] *= 1 - 2e-3
    for wrap in (lambda landscape: landscape, Looked):
        if calls < 1:
            with pytest.raises(ValueError, match="must be certified"):
                geodesics.geodesic(wrap(Bounded(risk, calls)), Path(points), 0.01, sweeps=1)
            continue
        found = geodesics.geodesic(wrap(Bounded(risk, calls)), Path(points), 0.01, sweeps=1)
        assert found.maximum.upper <= 0.01
        assert path_maximum(risk, found.path).upper <= 0.01 * (1 + 1e-9)


def test_nan_bounds_nothing():
    risk = Risk(Network((1, 1, 1), "identity"), Sample([[1.0]], [[1.0]]))
    with pytest.raises(ValueError, match="must be certified"):
        geodesics.geodesic(Looked(Bounded(risk, 0, np.nan)), Path([[1, 1], [1.01, 1], [1.02, 1.0]]), 0.01)
