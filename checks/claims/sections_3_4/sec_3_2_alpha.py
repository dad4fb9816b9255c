"""What training beads to alpha L0, alpha < 1, does to the reported lengths (section 3.2)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.sections_3_4 import published
from checks.claims.sections_3_4.fig_1_cubic_spike import STRAIGHT, plateau
from theory import polynomial_tasks

ALPHA = Fraction(19, 20)  # the published code's
UNITS = 4  # of the last hidden layer of the polynomial tasks


def plateau_risk(y: list[Fraction]) -> tuple[Fraction, Fraction]:
    """A median of an even number of targets, between the two middle ones, and the mean absolute error c of that constant."""
    below, above = sorted(y)[len(y) // 2 - 1 : len(y) // 2 + 1]
    middle = (below + above) / 2
    return middle, sum((abs(v - middle) for v in y), Fraction(0)) / len(y)


def fall(y: list[Fraction], features: list[list[Fraction]], v: list[Fraction], shift: Fraction) -> Fraction:
    """By how much the mean absolute error of a net is below c: last hidden layer `features` (m, N), outgoing v, bias median + shift."""
    middle, c = plateau_risk(y)
    outputs = [sum((w * h for w, h in zip(v, column)), shift) for column in zip(*features)]
    return c - sum((abs(t - middle - o) for t, o in zip(y, outputs)), Fraction(0)) / len(y)


def attack(setting: Setting, *, factor: Fraction = Fraction(1)) -> Outcome:
    """Features in [0, 1], m units: F falls below c by at most sqrt(m)/2 times the distance to the plateau; and two runs of the code.

    factor: of that constant.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(300))):
        m, half = int(rng.integers(1, 6)), int(rng.integers(1, 6))
        y = [Fraction(int(v), 8) for v in rng.choice(np.arange(-40, 41), 2 * half, replace=False)]
        above = [t > plateau_risk(y)[0] for t in y]
        shift = Fraction(int(rng.integers(-8, 9)), 64)
        v = [Fraction(int(w), 64) for w in rng.integers(-16, 17, m)]
        features = [[Fraction(int(h), 16) for h in rng.integers(0, 17, 2 * half)] for _ in range(m)]
        if k % 3 == 0:  # steep units that see the sign of the residual: equality
            gap = min(abs(t - plateau_risk(y)[0]) for t in y)
            v, shift = [gap / m * (-1) ** i for i in range(m)], Fraction(0)
            features = [[Fraction(int(up == (w > 0))) for up in above] for w in v]
        drop = max(Fraction(0), fall(y, features, v, shift))
        distance2 = sum((w * w for w in v), shift**2)
        tally.add(float(factor**2 * m * distance2 / 4 - drop**2), m=m, y=y, v=v, shift=shift)
    a, b = plateau(risk := polynomial_tasks.task("cubic", points=48), rng)
    level, told = 1.02 * polynomial_tasks.best_constant(risk), []
    for alpha in (float(ALPHA), 1.0):
        found = polynomial_tasks.authors_string(risk, a, b, level, alpha=alpha, steps=4000, depth=1).string
        told.append(found.normalised_length)
    tally.add(0.0 if told[0] > STRAIGHT > told[1] else -1.0, lengths=told)
    return tally.outcome(
        f"falls below the plateau, in fractions; one pair of the cubic task, length {told[0]:.2f} against {told[1]:.4f}"
    )


def witness() -> Witness:
    """The cubic task on 48 points, L0 = c: two plateau nets at half the distance that a bead must keep from the plateau."""
    x = [Fraction(2 * i + 1, 96) for i in range(48)]
    _, c = plateau_risk([8 * t**3 - 10 * t**2 + 3 * t for t in x])
    level = c
    away = 2 * (c - ALPHA * level) / 2  # 2 (c - alpha L0) / sqrt(m), m = 4
    apart = away / 2
    squared = 1 + 4 * away**2 / apart**2
    table = {row[0]: row[1:] for row in published.lengths("cubic")}
    below, above = table[0.164], table[0.168]
    sigmas = float((below[0] - above[0]) / np.hypot(below[1], above[1]))
    return Witness(
        refuted=c <= level and away > 0 and squared > 4**2 and 0.164 < c / ALPHA < 0.168 and sigmas > 5,
        explanation="every point of the segment between the two ends has risk c = L0, so with alpha = 1 its middle "
        "is a bead and the "
        "length exactly 1; with alpha = 0.95 every bead, however it is trained, lies so far off that the length "
        "exceeds 4",
        values={
            "c": float(c),
            "distance of beads from the plateau": float(away),
            "length, at least": float(squared) ** 0.5,
        },
    )


CLAIM = Claim(
    id="sec-3.2-alpha",
    headline="Training beads to alpha times the level, alpha < 1, does not noticeably change the numerics.",
    instead="It makes the spike of the cubic task; two ends can lie so that it multiplies the length by any factor.",
    fault="the distance that beads keep from the plateau made a ninth larger",
    source="Section 3.2, last paragraph",
    statement="Training beads to alpha L0 for alpha < 1 tends to aid convergence without noticeably impacting our "
    "numerics.",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REFUTED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, factor=Fraction(9, 10)),
    refute=witness,
    repaired=(
        "For c <= L0 < c / alpha, c the risk of the best constant, two nets with no outgoing weights and that "
        "constant as bias are joined by "
        "a segment of risk c, of length 1; a string with a bead of risk at most alpha L0 has length at least sqrt(1 "
        "+ 4 r^2 / d^2), "
        "r = 2 (c - alpha L0) / sqrt(m), d the distance of the ends, m the units of the last hidden layer."
    ),
    proof=(
        "Outgoing weights v, bias median + s, features h in [0, 1]. Half the residuals are positive, half negative, "
        "so s cancels to first order: "
        "c - F <= sum_i v_i (E[h_i; +] - E[h_i; -]) <= |v|_1 / 2 <= sqrt(m) |v| / 2, and |v| is at most the distance "
        "to the plateau. "
        "Equality for steep units that see the sign of the residual. Then reflection: a path that touches distance r "
        "from the segment's line."
    ),
)
