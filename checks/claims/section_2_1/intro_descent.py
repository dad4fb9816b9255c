"""Introduction: connected level sets imply that one can always find a descent direction at each energy level."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_1.finite_landscapes import (
    FiniteLandscape,
    connected_at_every_level,
    explicit,
    plateaus,
    random_landscape,
)
from checks.claims.section_2_1.prop_2_1_nonstrict import Point, connect, path_maximum, risk


def attack(setting: Setting, *, everywhere: bool = False) -> Outcome:
    """Exact landscapes with connected sublevel sets: at each level, on each plateau, some point has a lower neighbour.

    everywhere: the printed statement, every point has one (the planted fault).
    """
    tally = Tally()
    count = setting.instances(400, 45_000)
    for landscape in setting.each(explicit() + [random_landscape(setting.rng) for _ in range(count)]):
        if connected_at_every_level(landscape):
            _examine(landscape, everywhere, tally)
    return tally.outcome("landscapes whose sublevel sets are all connected, in integers")


def _examine(landscape: FiniteLandscape, everywhere: bool, tally: Tally) -> None:
    values, stuck = landscape.values, landscape.below(strictly=False)
    for vertices in plateaus(landscape):
        level = int(values[vertices[0]])
        if level > values.min():
            fails = stuck[vertices].any() if everywhere else stuck[vertices].all()
            tally.add(-1 if fails else 1, landscape=landscape.name, level=level, vertices=vertices, values=values)


def witness() -> Witness:
    """(1 - v relu(w))^2 at (-1, -1): every sublevel set is connected, and F is constant nearby."""
    steps = [Fraction(k, 7) for k in range(-3, 4)]
    near = {risk(((-1 + s,), (-1 + t,))) for s, t in product(steps, steps)}
    grid = [Fraction(k, 2) for k in range(-4, 5)]
    points: list[Point] = [((w,), (v,)) for w in grid for v in grid]
    joined = all(path_maximum(connect(a, b)) <= max(risk(a), risk(b)) for a, b in combinations(points, 2))
    return Witness(
        near == {1} and risk(((Fraction(1),), (Fraction(1),))) == 0 and joined,
        "one sample x = y = 1, one unit: any two points are joined below the larger of their risks, and at (-1, -1) the risk is 1 "
        "in a whole neighbourhood while 0 is attained: no direction descends",
        {"F near (-1, -1)": 1, "lowest": 0},
    )


CLAIM = Claim(
    id="intro-descent",
    headline="With connected level sets one can always find a descent direction at each level.",
    instead="Some point of each level has one, not every point: dead units make plateaus without any.",
    fault="a lower neighbour is asked of every point",
    source="Section 1, fifth paragraph",
    statement="Connected level sets imply that one can always find a descent direction at each energy level.",
    standing=Standing.REMARK,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, everywhere=True),
    refute=witness,
    repaired="Above the lowest level every component of the level set {F = lambda} has a point that is a limit of points with F < lambda.",
    proof="sec-2.1-saddle. Read as 'at every point of the level' it is false by prop-2.1-nonstrict.",
)
