"""What becomes of a segment that gradient descent evolves, and what its fixed points show (Appendix A)."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from theory.numerics import Array

Vector = list[Fraction]


def net(w: Vector) -> Fraction:
    """F = (w1 w2 + w3 w4 - 1)^2: two linear units on x = y = 1."""
    return (w[0] * w[1] + w[2] * w[3] - 1) ** 2


def net_gradient(w: Vector) -> Vector:
    """Its gradient."""
    r = 2 * (w[0] * w[1] + w[2] * w[3] - 1)
    return [r * w[1], r * w[0], r * w[3], r * w[2]]


# H(x, y) = (x^2 - 1)^2 (y^2 - 4)^2 (y^2 + 1) / 16: the zero set is x = +-1 and y = +-2, four lines that cross
HILL = Fraction(2, 3)  # on x = 0, H rises from 1 at y = 0 to the tops at y^2 = 2/3


def hills(x: Any, y: Any) -> Any:
    """H at points; works for fractions and for arrays of floats."""
    return (x * x - 1) ** 2 * (y * y - 4) ** 2 * (y * y + 1) / 16


def hills_gradient(x: Any, y: Any) -> tuple[Any, Any]:
    """The gradient of H."""
    s = y * y
    return (
        x * (x * x - 1) * (s - 4) ** 2 * (s + 1) / 4,
        (x * x - 1) ** 2 * y * (s - 4) * (2 * (s + 1) + s - 4) / 8,
    )


def evolved(x: Array, y: Array, steps: int) -> tuple[Array, Array]:
    """The points of a string after `steps` of gradient descent, with a step below the reciprocal of the curvature."""
    for _ in range(steps):
        u, v = hills_gradient(x, y)
        x, y = x - 0.01 * u, y - 0.01 * v
    return x, y


def attack(setting: Setting, *, disconnected: bool = False) -> Outcome:
    """Segments that cross x = 0 between the tops stay caught at the pass, H = 1, their maximum; yet H = 0 joins their ends.

    disconnected: the planted fault, what stays high is taken for a barrier of every path.
    """
    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(4, 200))):
        y0, y1 = rng.uniform(-0.7, 0.7, 2)
        t = np.union1d(np.linspace(0, 1, 400), [0.5])
        x, y = evolved(2 * t - 1, y0 + (y1 - y0) * t, 2500)  # the point at 0.5 starts on x = 0, and stays there
        caught = hills(x, y)
        pass_ = float(caught[np.flatnonzero(t == 0.5)[0]])
        tally.add(1e-9 - abs(pass_ - 1), y0=y0, y1=y1, caught=pass_)
        tally.add(1e-9 - (float(np.max(caught)) - pass_), y0=y0, y1=y1, highest=float(np.max(caught)))
        corners = [(-1, y[0]), (-1, 2), (1, 2), (1, y[-1])]
        way = [hills(np.linspace(p[0], q[0], 50), np.linspace(p[1], q[1], 50)).max() for p, q in pairwise(corners)]
        ends = max(hills(np.array([x[0], x[-1]]), np.array([y[0], y[-1]])))
        bound = 0.5 if disconnected else 0.0
        tally.add(float(max(*way, ends)) - bound if disconnected else 1e-12 - float(max(*way, ends)), y0=y0, y1=y1)
    for k in range(1, 65):  # in fractions: x = 0 is invariant, and on it H rises from the pass to the tops
        height = Fraction(k, 80)
        u, v = hills_gradient(Fraction(0), height)
        rising = u == 0 and (v > 0 or height**2 >= HILL)
        tally.add(0.0 if rising and hills(Fraction(0), height) >= 1 else -1.0, y=height)
    return tally.outcome("strings of 401 points under gradient descent; the four lines of zero risk")


def witness() -> Witness:
    """F = (w1 w2 + w3 w4 - 1)^2 from (1, 1, 0, 0) to its negative: 0 is fixed at F = 1, and a circle at F = 0 joins the ends."""
    ends = [[Fraction(s), Fraction(s), Fraction(0), Fraction(0)] for s in (1, -1)]
    zero = [Fraction(0)] * 4
    fixed = net_gradient(zero) == zero and net(zero) == 1
    circle = []
    for k in range(-20, 21):  # (c, c, s, s) with rational points of the circle
        u = Fraction(k, 5)
        c, s = (1 - u * u) / (1 + u * u), 2 * u / (1 + u * u)
        circle.append(net([c, c, s, s]) == 0)
    return Witness(
        fixed and all(net(end) == 0 for end in ends) and all(circle),
        "the middle of the segment is a saddle, fixed at risk 1 under gradient descent, so the interpolated loss "
        "persists; and "
        "(cos, cos, sin, sin) joins the ends at risk 0",
        {"risk of the fixed point": net(zero), "risk on the circle": 0},
    )


CLAIM = Claim(
    id="app-a-fixed-points",
    headline="A segment under gradient descent ends in a basin, or fixed points at a higher loss show a disconnection.",
    instead="Fixed points at a higher loss show no disconnection: they may be saddles while a way round exists.",
    fault="what stays high is taken for a bound on every path",
    source="Appendix A, with the paragraph before it",
    statement="If the segment is evolved via gradient descent it will either evolve into a string contained in a "
    "basin, or some points will become fixed "
    "at a higher loss; their persistence is how a disconnection of the two models is indicated.",
    standing=Standing.REMARK,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, disconnected=True),
    refute=witness,
    repaired=(
        "Under gradient flow the maximum of the evolved segment tends to the largest of the limits of F at its "
        "points, and some point has it: "
        "either the string sinks below every level above L0, or a point stays above L0 for ever. The second says "
        "nothing about "
        "connectedness, not even for segments in general position."
    ),
    proof=(
        "F at a point falls with time. For a level c the points still at or above c form nested compact sets; if "
        "none is empty, a point is in all "
        "of them. In general position: H = (x^2-1)^2 (y^2-4)^2 (y^2+1)/16 has a pass at 0 of height 1 with one "
        "downward direction; x = 0 is "
        "invariant and flows to the pass from |y| < sqrt(2/3), so every segment near y = 0 is caught there; x = +-1 "
        "and y = +-2 are at 0 and meet."
    ),
)
