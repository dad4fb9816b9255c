"""The power law of Figure 1, row (2)."""

from __future__ import annotations

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tightness, Verdict, Witness
from checks.claims.sections_3_4 import published
from checks.claims.sections_3_4.fig_1_quadratic import FIT, attack
from theory import polynomial_tasks

BELOW = 0.12  # the spike of the length begins above this level
LEVELS = (0.12, 0.06, 0.03)


def confirm(setting: Setting, *, turned: bool = False) -> Outcome:
    """As for the quadratic task, at levels below the spike."""
    return attack(setting, task="cubic", levels=LEVELS, top=BELOW, turned=turned)


def witness() -> Witness:
    """The length over all published levels: no power law, and a spike in the middle."""
    table = published.lengths("cubic")
    slope, fit = polynomial_tasks.power_law(table[:, 0], table[:, 1])
    peak = table[table[:, 1].argmax()]
    return Witness(
        refuted=fit < FIT and table[0, 0] < peak[0] < table[-1, 0],
        explanation="over all published levels the log-log fit of the length explains next to nothing: it peaks inside",
        values={"slope": slope, "R^2": fit, "peak at": float(peak[0]), "length there": float(peak[1])},
    )


CLAIM = Claim(
    id="fig-1-cubic",
    headline="Cubic task: lengths and beads grow like a power law as the level falls.",
    instead="The beads do; the length does only below the spike.",
    fault="the levels in reverse order",
    source="Figure 1, row (2), and section 4.1",
    statement="Cubic task: normalised length and number of beads grow approximately as a power law as L0 falls.",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.ILLUSTRATED,
    confirm=confirm,
    control=lambda setting: confirm(setting, turned=True),
    refute=witness,
    repaired="The beads do; the length does only below the spike, L0 <= 0.12.",
    proof="None: fits of the published means (beads R^2 0.95 overall, length 0.06 overall and 0.90 below 0.12) and of certified strings.",
)
