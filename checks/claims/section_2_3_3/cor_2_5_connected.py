"""Corollary 2.5: "the level sets become connected at all energy levels"."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from theory.maxima import path_maximum
from theory.moves import Walk
from theory.networks import Network
from theory.numerics import gamma
from theory.paths import Path
from theory.risk import Risk, Sample

KAPPA = Fraction(1, 10)
X = np.array([[1.0], [-1.0]])  # Y = X: one unit serves one sample, two units both


def one_unit(kappa: Fraction) -> Fraction:
    """e(1) on X = +-1, Y = X: ((1 - b)^2 + 1) / 2 + kappa b at b = 1 - kappa, the unit on either side."""
    b = 1 - kappa
    return ((1 - b) ** 2 + 1) / 2 + kappa * b


def two_units(kappa: Fraction) -> Fraction:
    """e(2): both samples served, (1 - b)^2 + 2 kappa b at b = 1 - kappa."""
    b = 1 - kappa
    return (1 - b) ** 2 + 2 * kappa * b


def swap(width: int, rng: np.random.Generator, noise: float) -> tuple[Risk, Path]:
    """A path from the best two-unit net to the same net with its units exchanged; idle units beyond the first two.

    Without an idle unit one of the two is given up on the way, at e(1). Inner vertices are shaken by `noise`.
    """
    network = Network((1, width, 1))
    risk = Risk(network, Sample(X, X), kappa=float(KAPPA), penalty="second_layer_l1")
    W, b = np.ones((width, 1)), np.zeros((1, width))
    W[1], b[0, :2] = -1.0, np.array([1, -1]) * float(1 - KAPPA)
    walk = Walk(network, network.pack([W, b]), X)
    order = [1, 0, *range(2, width)]
    goal = network.permute(walk.theta, 1, order)
    if width == 2:
        kept = int(rng.integers(2))
        walk.refit(1, b * (np.arange(2) == kept))
    walk.permute(1, order)
    walk.refit(1, network.weights(goal)[1])
    points = walk.path.points.copy()
    points[1:-1] += noise * rng.standard_normal(points[1:-1].shape)
    rows = points[:, :width]
    points[:, :width] = np.clip(rows, -1, 1)  # the unit ball of R
    return risk, Path(points)


def attack(setting: Setting, *, width: int = 2) -> Outcome:
    """Every path from the net to its exchanged copy climbs to e(1), on random paths around the cheapest one."""
    tally, rng = Tally(), setting.rng
    barrier = float(one_unit(KAPPA))
    for k in setting.each(range(setting.instances(60, 2000))):
        noise = 0.0 if k % 10 == 0 else float(10 ** rng.uniform(-6, 0))
        risk, path = swap(width, rng, noise)
        top = path_maximum(risk, path)
        tally.add((top.upper - barrier) / barrier + gamma(64), instance=k, noise=noise, maximum=top.upper)
    return tally.outcome("n = 1, m = 2, X = +-1, Y = X, kappa = 0.1: margins relative to e(1) = 0.595")


# pi enclosed in rationals (Archimedes, Zu Chongzhi)
PI = (Fraction(3141592653589793, 10**15), Fraction(3141592653589794, 10**15))


def circle() -> dict[str, float]:
    """X uniform on the unit circle, Y = 1, kappa = 1/10: e(2) from below and e(3) from above, in rationals.

    E z(w) = 1/pi and E z(w) z(w') = (sin phi + (pi - phi) cos phi) / (4 pi), so e(2) = 1 - 2 (2/pi - kappa)^2 (opposite
    units), and three units at 120 degrees with equal weights give the bound on e(3).
    """
    gain = (2 / PI[1] - KAPPA, 2 / PI[0] - KAPPA)
    below = 1 - 2 * gain[1] ** 2
    root3 = Fraction(17320508075688773, 10**16)  # above sqrt(3)
    overlap = root3 / (8 * PI[0]) - Fraction(1, 24)  # the kernel at 120 degrees, from above
    above = 1 - (3 * gain[0]) ** 2 / (3 + 24 * overlap)
    return {"e(2), from below": float(below), "e(3), from above": float(above)}


def witness() -> Witness:
    """The exact barrier of the smallest example, a path that attains it, and two components on the circle."""
    barrier, level = one_unit(KAPPA), two_units(KAPPA)
    risk, path = swap(2, np.random.default_rng(0), 0.0)
    attained = path_maximum(risk, path).upper
    at_circle = circle()
    refuted = (
        level < barrier
        and abs(attained - float(barrier)) < 1e-12
        and at_circle["e(3), from above"] < at_circle["e(2), from below"]
    )
    return Witness(
        refuted,
        "n = 1, m = 2: exchanging the two units of the best net is impossible below e(1) = 119/200, from level "
        "19/100: on {F < e(1)} no weight and no row can vanish. On the circle with m = 3 and lambda in [e(3), e(2)) the "
        "cyclic order of the three directions cannot change either: at least (m-1)! = 2 components, as for every m >= 3",
        {"level": str(level), "barrier": str(barrier), "attained": attained, **at_circle},
    )


CLAIM = Claim(
    id="cor-2.5-connected",
    headline="As the width grows level sets become connected at all levels.",
    instead="Never exactly, for data on the circle and three units or more; only the gap vanishes.",
    fault="a third unit, which lets the two exchange places",
    source="Corollary 2.5",
    statement="As m increases the level sets become connected at all energy levels",
    standing=Standing.THEOREM,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REFUTED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, width=3),
    refute=witness,
    repaired="{F <= lambda} is connected inside {F <= lambda + O(1/m)} (sharper-maurey); for kappa > 0 and lambda in "
    "[e(m), e(m-1)) it is not connected, with barrier at least e(m-1) - lambda, in examples for every m >= 3"
    "; on N samples every level set is connected from m = N + 1 on (sharper-N+1)",
    proof="On {F < e(m-1)} every weight is nonzero and no two rows are positively parallel, so signs (and in the plane "
    "the cyclic order of the directions) are constant along paths; permuting units changes them.",
)
