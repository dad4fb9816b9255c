"""The power law of the beads for the cubic task: Figure 1, row (2), column b."""

from __future__ import annotations

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tightness, Verdict
from checks.claims.sections_3_4.fig_1_quadratic import attack

LEVELS = (0.12, 0.06, 0.03)


def confirm(setting: Setting, *, turned: bool = False) -> Outcome:
    """As for the quadratic task; strings at levels below the spike."""
    return attack(setting, task="cubic", levels=LEVELS, turned=turned)


CLAIM = Claim(
    id="fig-1-cubic",
    headline="Cubic task: the number of beads grows like a power law as the level falls.",
    fault="the levels in reverse order",
    source="Section 4.1, with Figure 1, row (2), column b",
    statement="Cubic task: the number of required beads grows approximately as a power law as L0 falls.",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ILLUSTRATED,
    confirm=confirm,
    control=lambda setting: confirm(setting, turned=True),
    proof="None: fits of the published means (R^2 0.95 over all levels) and of certified strings. The length is another matter: "
    "see sec-4.2-length.",
)
