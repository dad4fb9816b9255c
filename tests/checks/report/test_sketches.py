"""The small drawings of surprises show the numbers of their claims."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest

from checks import claims
from checks.claims.section_2_2.prop_2_2_decreasing import poor_minimum
from checks.claims.section_5 import sec_5_symmetry
from checks.claims.sections_3_4 import published
from checks.report import sketches
from theory.counterexamples import gaussian_barrier


def curves(monkeypatch, sketch):
    """The curves that a sketch draws, as data."""
    caught = []
    chart = sketches._chart
    monkeypatch.setattr(
        sketches, "_chart", lambda found, *rest, **options: caught.append(found) or chart(found, *rest, **options)
    )
    sketch()
    return caught[0]


def test_components_are_factorials_above_the_paper_s_one(monkeypatch):
    paper, true = curves(monkeypatch, sketches.components)
    assert {(m, y) for m, y in true.points} == {(float(m), float(math.factorial(m - 1))) for m in range(3, 9)}
    assert set(paper.points[:, 1]) == {1.0}


def test_the_wall_at_two_samples_is_that_of_the_witness(monkeypatch):
    values = claims.load("cor-2.5-connected").refute().values
    high, none = curves(monkeypatch, sketches.one_unit_more)
    wall = Fraction(values["barrier"]) - Fraction(values["level"])
    assert high.points.tolist() == [[2.0, pytest.approx(float(wall), abs=1e-15)]]
    assert not none.points[:, 1].any()


def test_nets_of_one_kind_are_apart_by_e_2(monkeypatch):
    low, way = curves(monkeypatch, sketches.walls)
    rows, weights = sec_5_symmetry._net((0, 1, 2))
    assert low.points[0, 1] == pytest.approx(float(sec_5_symmetry.risk(rows, weights)), abs=1e-12)
    assert way.points[:, 1].max() == pytest.approx(
        float(1 - 2 * (Fraction(1, 2) - sec_5_symmetry.KAPPA) ** 2), abs=1e-12
    )


def test_the_poor_minimum_is_the_claim_s_and_no_lower_one_is_beside_it(monkeypatch):
    profile, here, there = curves(monkeypatch, sketches.poor_minimum)
    high, low, _, _ = poor_minimum()
    assert here.points[0, 1] == float(high)
    assert there.points[0, 1] == float(low)
    assert profile.points[-1, 1] == pytest.approx(float(high), abs=1e-5)
    assert profile.points[0, 1] <= float(low) + 1e-5  # of that direction, the least
    assert profile.points[:, 1].max() > float(high)


def test_the_bound_of_two_gaussians_is_the_library_s(monkeypatch):
    paper, true = curves(monkeypatch, sketches.separation)
    assert set(paper.points[:, 1]) == {0.5}
    assert all(bound == gaussian_barrier(R) for R, bound in true.points)


def test_the_power_law_is_nearer_to_the_published_lengths(monkeypatch):
    exponential, power, dots = curves(monkeypatch, sketches.power_law)
    table = published.lengths("quadratic")
    assert {tuple(point) for point in dots.points} == {(x, y - 1) for x, y, _ in table if y > 1}

    def misfit(curve):
        points = curve.points[::-1]
        return np.sum(
            (
                np.interp(np.log(dots.points[:, 0]), np.log(points[:, 0]), np.log(points[:, 1]))
                - np.log(dots.points[:, 1])
            )
            ** 2
        )

    assert misfit(power) < misfit(exponential)


@pytest.mark.parametrize("name", ["components", "one_unit_more", "walls", "poor_minimum", "separation", "power_law"])
def test_everything_is_drawn_inside_the_frame(name):
    svg = getattr(sketches, name)()
    for x, y in re.findall(r'(?:c?x)="([-\d.]+)" (?:c?y)="([-\d.]+)"', svg) + re.findall(r"([-\d.]+),([-\d.]+)", svg):
        assert 0 <= float(x) <= sketches.WIDTH
        assert 0 <= float(y) <= sketches.HEIGHT
    assert "nan" not in svg
