"""Section 2.1, after Proposition 2.1: connected level sets put a lower point next to every flat set of minima.

As printed, the flat set may be any manifold U_theta on which F is constant, in particular the orbit of theta under
rescaling of units. It has to be a component of the level set.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_1.finite_landscapes import (
    FiniteLandscape,
    connected_at_every_level,
    explicit,
    plateaus,
    random_landscape,
    sweep,
)
from checks.claims.section_2_1.prop_2_1_nonstrict import Point, connect, path_maximum, risk


def attack(setting: Setting, *, whole: bool = True) -> Outcome:
    """Exact landscapes: a component of a level set, all local minima and not global, is alone in a disconnected set.

    With whole=False single points of the component stand for it (the planted fault, and the printed statement).
    """
    tally = Tally()
    count = setting.instances(400, 45_000)
    for landscape in setting.each(explicit() + [random_landscape(setting.rng) for _ in range(count)]):
        _examine(landscape, whole, tally)
    return tally.outcome("flat sets of minima, and saddles beside them, in integers")


def _examine(landscape: FiniteLandscape, whole: bool, tally: Tally) -> None:
    values, minimum = landscape.values, landscape.below(strictly=False)
    flat = plateaus(landscape) if whole else [[vertex] for vertex in range(len(values))]
    components = {level: forest.components for level, _, forest in sweep(landscape)}
    connected = connected_at_every_level(landscape)
    for vertices in flat:
        level = int(values[vertices[0]])
        if level == values.min():
            continue
        if minimum[vertices].all():
            tally.add(components[level] - 2, landscape=landscape.name, level=level, vertices=vertices, values=values)
        elif connected and minimum[vertices].any():
            # The plateau is connected, so that a minimum on it has a neighbour on it that is none: the saddle.
            beside = any(
                minimum[a] != minimum[b] and values[a] == values[b]
                for a, b in landscape.edges.tolist()
                if a in vertices and b in vertices
            )
            tally.add(0 if beside else -1, landscape=landscape.name, level=level, vertices=vertices, values=values)


def witness() -> Witness:
    """F(w, v) = (1 - v relu(w))^2 at theta = (-1, -1): the orbit (-a, -1/a), a > 0, is far from all lower points."""
    scales = [Fraction(p, q) for p in range(1, 30) for q in range(1, 30)]
    orbit: list[Point] = [((-a,), (-1 / a,)) for a in scales]
    constant = all(risk(point) == 1 for point in orbit)
    # F < 1 needs w > 0 and v > 0, so the squared distance to (-a, -1/a) exceeds a^2 + 1/a^2 = 2 + (a - 1/a)^2.
    squares = [point[0][0] ** 2 + point[1][0] ** 2 for point in orbit]
    far = all(s == 2 + (a - 1 / a) ** 2 for s, a in zip(squares, scales)) and min(squares) == 2
    grid = [Fraction(k, 2) for k in range(-4, 5)]
    points: list[Point] = [((w,), (v,)) for w in grid for v in grid]
    needs_both = all(point[0][0] > 0 and point[1][0] > 0 for point in points if risk(point) < 1)
    joined = all(path_maximum(connect(a, b)) <= max(risk(a), risk(b)) for a, b in combinations(points, 2))
    return Witness(
        refuted=constant and far and needs_both and joined,
        explanation=(
            "every sublevel set of F(w, v) = (1 - v relu(w))^2 is connected and F = 1 on the orbit of (-1, -1) under "
            "rescaling, (-a, -1/a); F < 1 needs w, v > 0, at a distance above sqrt(2): no lower point within epsilon = 1"
        ),
        values={"theta": [-1, -1], "F(theta)": 1, "least squared distance": min(squares), "epsilon": 1},
    )


CLAIM = Claim(
    id="sec-2.1-saddle",
    headline="On the set of equivalent nets some point sees a lower level, and a boundary point is a saddle.",
    instead="True of a component of the level set; the orbit of a net under its symmetries is too small.",
    fault="single points stand for the whole component of the level set, as printed",
    source="Section 2.1, after Proposition 2.1",
    statement=(
        "If all {F <= lambda} are connected and F is constant on a manifold U through theta (such as its orbit under the "
        "symmetries of the net) at a level that is not the lowest, then for every eps > 0 there is theta' with "
        "dist(theta', U) <= eps and F(theta') < F(theta); some element at the boundary of U is a saddle."
    ),
    standing=Standing.REMARK,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, whole=False),
    refute=witness,
    repaired=(
        "Let all {F <= lambda} be connected, F continuous on R^d, lambda not the lowest level. Every component "
        "C of {F = lambda} has a point that is a limit of points with F < lambda. If C has a local minimum, then it has a "
        "point that is a limit of local minima and yet none itself; where F is differentiable it is critical."
    ),
    proof=(
        "{F < lambda} is connected, as an increasing union of connected sets. A component D of its complement has a connected boundary, since R^d is "
        "unicoherent, and that boundary lies in {F = lambda}; every component of {F = lambda} contains the boundary of one D, which consists of "
        "limits of points below lambda. The local minima in C are open in C; if there are any, they are not closed, C being connected and not all minima."
    ),
)
