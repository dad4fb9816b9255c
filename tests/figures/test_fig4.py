"""Figure 4 and the sublevel trees: what their data must say."""

import numpy as np
import pytest

from figures import fig4, trees
from theory.counterexamples import teacher_student


@pytest.fixture(scope="module")
def runs():
    return fig4.data(fast=True)


def test_no_string_with_three_units_is_below_the_certified_barrier(runs):
    assert runs["barrier_0"] > runs["level"]
    assert (runs["heights_0"] >= runs["barrier_0"]).all()
    assert runs["upper"] == pytest.approx(runs["barrier_0"], abs=1e-6)


def test_with_a_fourth_unit_nothing_is_claimed_to_stand_in_the_way(runs):
    assert runs["barrier_1"] == runs["barrier_2"] == 0
    assert runs["connected_1"]
    assert runs["heights_1"][-1] <= runs["level"]


def test_the_snapshots_start_and_end_at_zero_risk(runs):
    for risks, points in zip(runs["risks"], runs["coordinates"]):
        there = ~np.isnan(risks)
        assert risks[there][[0, -1]].max() < 1e-20
        assert np.isfinite(points[there]).all()


def test_the_trees_have_two_deep_components_and_end_at_their_walls():
    arrays = trees.data(fast=True)
    assert [len(arrays[f"{name}_birth"]) for name in ("one", "two", "blind", "walls")] == [2, 2, 1, 2]
    assert arrays["one_death"][1] == pytest.approx(0.3125, abs=1e-9)
    assert 0 <= arrays["two_death"][1] - teacher_student(points=3).barrier < 2e-3  # the pass lies between grid lines
