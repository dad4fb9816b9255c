"""Theorem 3: one hidden layer and a penalty; r + 1 units connect every level set, by the parametric simplex method."""

from __future__ import annotations

from fractions import Fraction

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_3_3.instances import two_minima
from checks.claims.section_5.instances import CERTIFIED, excess, point, sample, straight
from theory.barriers import two_unit_barrier
from theory.networks import Network
from theory.pivots import connect, units_needed
from theory.risk import LOSSES, Risk
from theory.staircase import decide


def attack(setting: Setting, *, spare: int = 1) -> Outcome:
    """With `spare` = 1 unit above the rank the certified maximum is the larger end; the staircase of four points, exactly."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(16, 600))):
        loss, N = LOSSES[k % len(LOSSES)], int(rng.integers(1, 4))
        n_out = int(rng.integers(1, 3)) + (loss == "softmax")
        network = Network((int(rng.integers(1, 4)), N * n_out + spare, n_out))
        kappa = float(rng.choice([0.0, 0.01, 0.3]))
        risk = Risk(network, sample(rng, loss, N, network.widths[0], n_out), loss=loss, kappa=kappa, penalty="path")
        a, b = point(rng, network), point(rng, network)
        enough = spare > 0 or network.widths[1] >= units_needed(risk, a, b)
        path = connect(risk, a, b) if enough else straight(a, b)
        tally.add(CERTIFIED - excess(risk, path), instance=k, N=N, widths=network.widths, loss=loss, kappa=kappa)
    risk, a, b = two_minima(2 + spare, 0.1, "path")
    tally.add(
        CERTIFIED - excess(risk, connect(risk, a, b) if spare else straight(a, b)), what="two minima", width=2 + spare
    )
    wall = two_unit_barrier(risk.sample, 0.1)
    tally.add(1e-9 - abs(wall.lower - 119 / 200), what="two units: the wall at 119/200", lower=wall.lower)
    tally.add(0.0 if staircase() == (4, 2, 1) else -1.0, what="staircase", found=staircase())
    return tally.outcome(
        "path norm, every loss, one and two outputs, N n_out + 1 units; margins in units of max(larger end, F(0))"
    )


def staircase() -> tuple[int, ...]:
    """Components of the optimal nets of 2, 3 and 4 units on +-e_1, +-e_2 with Y = 1, turned and scaled to (+-1, +-1)."""
    kappa = Fraction(1, 10)  # unit rows +-e_1, +-e_2 see two points each; f = 1 - kappa
    found = decide([(1, 1), (-1, -1), (1, -1), (-1, 1)], [1] * 4, [1 - kappa] * 4, kappa)
    return tuple(found.components(width) for width in (2, 3, 4))


CLAIM = Claim(
    id="pivots",
    headline="With a penalty too, one unit more than samples connects every level set, and fewer may not.",
    fault="no unit to spare",
    source="ours; N + 1 units for the optimal nets under weight decay: Kim, Mishkin and Pilanci 2025",
    statement="One hidden layer, any activation, convex loss, kappa >= 0, R = sum |W_2 e_i| |w_i|: m >= r + 1 units, r <= N n_out the rank of the features of both nets, connect every level set. Sharp: "
    "X = +-1, Y = X, kappa = 1/10, m = 2 has a wall at 119/200. At the level of the optimum itself: on X = +-e_1, +-e_2, Y = 1 the optimal nets of 2, 3, 4 units have 4, 2, 1 components",
    standing=Standing.OURS,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, spare=0),
    proof="Least cost of a function f is a linear program in the units of both nets. Primal pivots at f_A lower the cost at constant function; then f runs straight to f_B, a dual pivot wherever a weight vanishes: the "
    "cost is the value of the program, convex in t and below both ends; pivots on the optimal face, and B's own pivots backwards. A basis has r units, an edge r + 1.",
)
