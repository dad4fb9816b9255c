"""The off-plane term of Appendix A: the printed midpoint has the wrong sign."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from theory.string_sampling import Objective

Vector = list[Fraction]


def dot(u: Vector, v: Vector) -> Fraction:
    """The inner product."""
    return sum((x * y for x, y in zip(u, v)), Fraction(0))


def off_plane(left: Vector, right: Vector, theta: Vector, *, sign: int = 1) -> tuple[Fraction, Fraction]:
    """<d, theta - m> with d = left - right, m = (left + sign right) / 2, and |theta - m|^2: the term is their quotient over |d|."""
    away = [t - (x + sign * y) / 2 for t, x, y in zip(theta, left, right)]
    return dot([x - y for x, y in zip(left, right)], away), dot(away, away)


def excess(left: Vector, right: Vector, theta: Vector) -> Fraction:
    """|theta - left|^2 - |theta - right|^2: zero exactly on the equidistant hyperplane."""
    return sum(((t - x) ** 2 - (t - y) ** 2 for t, x, y in zip(theta, left, right)), Fraction(0))


def attack(setting: Setting, *, sign: int = 1) -> Outcome:
    """With the mended midpoint -2 <d, theta - m> is the excess, and translations change nothing; the confinement agrees.

    sign: -1 plants the printed midpoint.
    """
    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(300))):
        n = int(rng.integers(1, 6))
        left, right, theta, shift = ([Fraction(int(v), 8) for v in row] for row in rng.integers(-40, 41, (4, n)))
        inner, _ = off_plane(left, right, theta, sign=sign)
        tally.add(-abs(float(-2 * inner - excess(left, right, theta))), left=left, right=right, theta=theta)
        moved = ([v + s for v, s in zip(point, shift)] for point in (left, right, theta))
        tally.add(
            -abs(float(off_plane(*moved, sign=sign)[0] - inner)), left=left, right=right, theta=theta, shift=shift
        )
        if left != right:  # the code's confinement, at points with few bits: a move along d by the share inner / |d|^2
            a, b, start = (np.array([[float(v) for v in point]]) for point in (left, right, theta))
            there = Objective(risk=None, left=a, right=b, kappa=np.inf).confine(start)[0]  # type: ignore[arg-type]
            near, far = (float(np.linalg.norm(there - end[0])) for end in (a, b))
            tally.add(1e-13 * (1 + near + far) - abs(near - far), left=left, right=right, theta=theta)
    return tally.outcome("neighbours and beads with coordinates in eighths, in one to five dimensions")


def witness() -> Witness:
    """Neighbours (3, 0) and (1, 0): the bead (2, 5) is as far from both, and the printed term does not vanish there."""
    left, right, far = ([Fraction(v) for v in row] for row in ((3, 0), (1, 0), (10, 0)))
    equal, unequal = [Fraction(2), Fraction(5)], [Fraction(1), Fraction(5)]
    printed = off_plane(left, right, equal, sign=-1)[0]
    zero = off_plane(left, right, unequal, sign=-1)[0]
    moved = off_plane(*([v + s for v, s in zip(p, far)] for p in (left, right, equal)), sign=-1)[0]
    undefined = [Fraction(1), Fraction(0)]  # (left - right) / 2
    return Witness(
        excess(left, right, equal) == 0 != printed
        and zero == 0 != excess(left, right, unequal)
        and moved != printed
        and off_plane(left, right, undefined, sign=-1)[1] == 0,
        "the printed term is positive at (2, 5), equidistant from both neighbours, and 0 at (1, 5), which is not; it "
        "changes when everything is "
        "moved by (10, 0), and is 0/0 at (1, 0)",
        {
            "printed <d, .> at (2, 5)": printed,
            "the same moved": moved,
            "excess at (1, 5)": excess(left, right, unequal),
        },
    )


CLAIM = Claim(
    id="app-a-hyperplane-formula",
    headline="The printed term measures how far a bead is off the hyperplane equidistant from its neighbours.",
    instead="With the midpoint (left + right) / 2 in place of (left - right) / 2 it vanishes there, and only there.",
    fault="the midpoint as printed",
    source="Appendix A, the formula",
    statement="The regulariser kappa |<(l - r)/2 / |.|, (theta - (l - r)/2) / |.|>| controls how far off the "
    "hyperplane equidistant from the "
    "neighbours l, r a new model theta can deviate.",
    standing=Standing.REMARK,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, sign=-1),
    refute=witness,
    repaired=(
        "With m = (l + r)/2 and d = l - r: |theta - l|^2 - |theta - r|^2 = -2 <d, theta - m>, so |<d, theta - m>| / "
        "|d| is the distance to "
        "the hyperplane. Divided by |theta - m| as well, as printed, it is a cosine: it sees the direction only, and "
        "is 0/0 at m, "
        "where a string starts."
    ),
    proof="Expand both squares. The printed midpoint (l - r)/2 changes by nothing when all points are translated, so "
    "the term is not translation invariant.",
)
