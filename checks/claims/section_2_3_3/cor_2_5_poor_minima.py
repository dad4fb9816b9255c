"""Poor local minima at every width m >= 3, and not only permuted copies of good ones."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_3_3.cor_2_5_connected import circle
from theory.numerics import gamma

KAPPA = 1 / 20  # each circle has half the mass, so that alone it is the circle problem with twice this


def risk(rows: np.ndarray, weights: np.ndarray) -> float:
    """Two circles in orthogonal planes of R^4, half the mass each, Y = 1 on one and -1 on the other, in closed form.

    E z(w) = |w| / pi and E z(w) z(w') = |w| |w'| (sin phi + (pi - phi) cos phi) / (4 pi) on a circle. rows (m, 4),
    weights (m,).
    """
    total = KAPPA * np.abs(weights).sum()
    for plane, y in ((rows[:, :2], 1.0), (rows[:, 2:], -1.0)):
        size = np.linalg.norm(plane, axis=1)
        angle = np.arctan2(plane[:, 1], plane[:, 0])
        phi = np.abs((angle[:, None] - angle + np.pi) % (2 * np.pi) - np.pi)
        kernel = np.outer(size, size) * (np.sin(phi) + (np.pi - phi) * np.cos(phi)) / (4 * np.pi)
        total += (1 - 2 * y * (weights @ size) / np.pi + weights @ kernel @ weights) / 2
    return float(total)


def attack(setting: Setting, *, units: int = 2) -> Outcome:
    """On the wall, where nonnegative weights are about to leave their orthant, at most m - 1 = 2 units are left for m = 3.

    There F >= 1/2 + e_c(2)/2, e_c the circle's; at the minimum of the orthant F <= 1/2 + e_c(3)/2. units: 3 on the wall
    is the planted fault.
    """
    tally, rng = Tally(), setting.rng
    wall = 0.5 + circle()["e(2), from below"] / 2
    for k in setting.each(range(setting.instances(400, 20_000))):
        turn = float(rng.uniform(0, 2 * np.pi)) + 2 * np.pi * np.arange(units) / units
        plane = np.column_stack([np.cos(turn), np.sin(turn)])
        rows = np.column_stack([plane, np.zeros_like(plane)])
        weights = np.full(units, 4 / np.pi - 4 * KAPPA) * (1.0 if units == 2 else 0.8)
        if k % 4:
            rows = rows + rng.standard_normal(rows.shape) * 10 ** rng.uniform(-6, 0)
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)
            weights = weights * rng.uniform(0, 2, units)
        tally.add(risk(rows, weights) - wall + gamma(200), units=units, weights=weights, rows=rows)
    # two opposite positive units on the first circle, one negative unit on the second, each with its best weight
    rows = np.array([[1, 0, 0, 0], [-1, 0, 0, 0], [0, 0, 1.0, 0]])
    better = risk(rows, (4 / np.pi - 4 * KAPPA) * np.array([1.0, 1.0, -1.0]))
    tally.add(0.5682 - better, better=better)
    tally.add(0.5 + (np.pi / 10 - (np.pi / 20) ** 2) / 2 - 0.6446, poor=True)
    return tally.outcome("closed forms on two circles, m = 3; a net with weights of both signs is lower")


CLAIM = Claim(
    id="cor-2.5-poor-minima",
    headline="For some data there are poor local minima at every width from three units on.",
    fault="a third unit on the wall",
    source="Ours, to section 2.3.1 (there exist poor local minima) and Corollary 2.5",
    statement=(
        "X = (x, 0) or (0, x') with probability 1/2, x and x' uniform on circles, Y = 1 and -1, kappa = 1/20: for every m >= 3 there is a local minimum with "
        "F >= 1/2 + e_c(inf)/2 = 0.6447, while some net of three units is below 0.5682; the bottoms stay away from e(inf) = 0.2895."
    ),
    standing=Standing.OURS,
    tightness=Tightness.LOWER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.SAMPLED,
    confirm=attack,
    control=lambda setting: attack(setting, units=3),
    proof=(
        "On {b >= 0} the second circle costs at least 1/2, so the least risk is 1/2 + e+(m)/2, e+ the least risk of m nonnegative units on a circle with 2 kappa, "
        "attained. To leave {b > 0} a path passes b_i = 0, where F >= 1/2 + e+(m-1)/2, and e+ falls strictly: if e+(m) = e+(m-1), no positive unit helps the "
        "(m-1)-net, so it is optimal among positive measures, hence constant on the circle, which kinks of one sign forbid."
    ),
)
