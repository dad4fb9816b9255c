"""When the geodesic inside a level set has normalised length 1 (section 3.1)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from theory import string_sampling
from theory.geodesics import Status, geodesic
from theory.networks import Network
from theory.numerics import gamma
from theory.paths import Path
from theory.risk import Risk, Sample

Point = tuple[Fraction, Fraction]


def model(c: Fraction) -> Risk:
    """One linear unit on x = 1, y = c: F = (w1 w2 - c)^2, whose level sets are not convex."""
    return Risk(Network((1, 1, 1), "identity"), Sample(np.ones((1, 1)), np.full((1, 1), float(c))))


def extremes(p: Point, q: Point) -> list[Fraction]:
    """w1 w2 at the ends of a segment, and at its vertex where that lies inside: its range is between the extremes."""
    d, e = q[0] - p[0], q[1] - p[1]
    ends = [p[0] * p[1], q[0] * q[1]]
    t = -(p[0] * e + p[1] * d) / (2 * d * e) if d * e else Fraction(-1)
    return [*ends, (p[0] + t * d) * (p[1] + t * e)] if 0 < t < 1 else ends


def inside(c: Fraction, level: Fraction, p: Point, q: Point) -> bool:
    """Whether the segment lies in the level set, exactly."""
    return max((value - c) ** 2 for value in extremes(p, q)) <= level


def least_length(c: Fraction, level: Fraction, p: Point, q: Point) -> float:
    """A lower bound on the normalised length of every path in the level set; 1 where the segment is inside.

    Where the middle of the segment is above the level, so are the points within r of it on the perpendicular, which every path
    crosses; by reflection a path that keeps r away from the middle has length at least sqrt(d^2 + 4 r^2).
    """
    if inside(c, level, p, q):
        return 1.0
    middle = ((p[0] + q[0]) / 2, (p[1] + q[1]) / 2)
    normal = (-(q[1] - p[1]), q[0] - p[0])  # of length d
    share = Fraction(2)
    for _ in range(40):  # r = share d
        share /= 2
        near, far = ((middle[0] + s * normal[0], middle[1] + s * normal[1]) for s in (-share, share))
        values = extremes(near, far)
        if (min(values) > c and (min(values) - c) ** 2 > level) or (max(values) < c and (max(values) - c) ** 2 > level):
            return float(np.sqrt(1 + 4 * float(share) ** 2)) * (1 - gamma(8))
    return 1.0


def attack(setting: Setting, *, printed: bool = False) -> Outcome:
    """On (w1 w2 - c)^2: the segment is inside exactly when the geodesic is straight; every other path found is longer than the bound.

    printed: the planted fault, a level set that is not convex asks for a length above 1.
    """
    tally, rng, seen = Tally(), setting.rng, [0, 0]
    for _ in setting.each(range(setting.instances(14, 400))):
        c = Fraction(int(rng.integers(1, 9)), 8)
        p1, q1 = (Fraction(int(k), 16) for k in rng.integers(4, 65, 2))
        p, q = (p1, c / p1), (q1, c / q1)
        if p1 == q1:
            continue
        level = c**2 * Fraction(int(rng.integers(1, 40)), 64)
        risk, straight = model(c), inside(c, level, p, q)
        a, b = (np.array([float(v) for v in point]) for point in (p, q))
        bound = least_length(c, level, p, q)
        found = string_sampling.greedy(risk, a, b, float(level), rng=rng)
        if found.path is None or (straight and max((v - c) ** 2 for v in extremes(p, q)) > level * Fraction(999, 1000)):
            continue  # within rounding of the level
        best = geodesic(risk, found.path, float(level), beads=8, sweeps=4)
        seen[straight] += 1
        tally.add(0.0 if (best.status is Status.STRAIGHT) == straight else -1.0, c=c, level=level, p=p, q=q)
        tally.add(best.after * (1 + gamma(100)) - bound, c=c, level=level, p=p, q=q, bound=bound)
        tally.add(0.0 if straight or bound > 1 else -1.0, c=c, level=level, p=p, q=q)
        if printed and straight:
            tally.add(-1.0, c=c, level=level, p=p, q=q, length=best.after)
    note = f"{seen[1]} segments inside the level set, of length 1, and {seen[0]} outside, longer by a proved amount"
    return (tally if all(seen) else Tally()).outcome(note)


def witness() -> Witness:
    """F = (w1 w2)^2, L0 = 1/4: (1, 0) and (2, 0) are joined by a straight line of risk 0 in a set that is not convex."""
    zero, level = Fraction(0), Fraction(1, 4)
    p, q, r = (Fraction(1), zero), (Fraction(2), zero), (zero, Fraction(2))
    middle = ((q[0] + r[0]) / 2, (q[1] + r[1]) / 2)
    not_convex = all(x[0] * x[1] == 0 for x in (q, r)) and (middle[0] * middle[1]) ** 2 > level
    path = Path(np.array([[float(v) for v in x] for x in (p, q)]))
    return Witness(
        inside(zero, level, p, q) and not_convex and path.normalised_length == 1,
        "(2, 0) and (0, 2) have risk 0 and their middle (1, 1) has risk 1: the level set is not convex, nor is F; "
        "yet the "
        "geodesic from (1, 0) to (2, 0) is straight",
        {"level": level, "risk of the middle": (middle[0] * middle[1]) ** 2, "length": path.normalised_length},
    )


CLAIM = Claim(
    id="sec-3.1-geodesic",
    headline="Convex models have a geodesic length of 1, more non-convex ones a strictly larger one.",
    instead="The length is 1 exactly when the segment lies in the level set, as many do in sets that are not convex.",
    fault="a set that is not convex is said to ask for a length above 1",
    source="Section 3.1",
    statement="Convex models have normalised geodesic length 1, while more non-convex models have lengths strictly "
    "larger than 1.",
    standing=Standing.REMARK,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, printed=True),
    refute=witness,
    repaired="For two points of a closed level set the infimum of the lengths of paths in it is |theta_A - theta_B| "
    "if and only if the "
    "segment lies in the set. For all pairs at once: a closed set in which all lengths are 1 is convex.",
    proof=(
        "A segment in the set has the least length of all. If a point of the segment is outside the closed set, so "
        "is a ball of some radius "
        "r around it; a path in the set crosses the perpendicular hyperplane there at a distance of at least r, and "
        "is longer by a fixed amount."
    ),
)
