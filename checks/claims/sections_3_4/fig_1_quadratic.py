"""The power law of the beads: Figure 1, rows (1) and (2), column b, and section 4.1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.sections_3_4 import instances, published
from theory import polynomial_tasks, string_sampling

LEVELS = (0.1, 0.05, 0.025, 0.0125)
FIT = 0.8  # R^2 from which a fit in log-log coordinates is called approximately a power law
FIT_FEW = 0.5  # and from which the few strings of a run are


def attack(
    setting: Setting, *, task: str = "quadratic", levels: Sequence[float] = LEVELS, turned: bool = False
) -> Outcome:
    """Log-log fits of the published mean numbers of beads, and of the beads of certified strings.

    turned: a planted fault, the levels are listed upside down.
    """
    tally = Tally()
    slope, fit = published.fit(published.beads(task))
    tally.add(min(fit - FIT, -slope), source="published", slope=slope, fit=fit)
    notes = [f"published beads ~ L0^{slope:.3f} (R^2 {fit:.3f})"]
    risk, means = polynomial_tasks.task(task, points=32), []
    for level in setting.each(levels):
        counts = []
        for _ in range(setting.instances(3, 30)):
            a, b = instances.ends(risk, level, setting.rng)
            result = string_sampling.greedy(risk, a, b, level, rng=setting.rng, alpha=0.9)
            counts += [result.beads] if result.connected else []
        means.append(np.mean(counts) if counts else np.nan)
    known = ~np.isnan(np.array(means))
    if known.sum() < 3:  # through two points there is always a power law
        return tally.outcome("; ".join([*notes, f"strings connected at {known.sum()} levels, too few for a fit"]))
    beads = np.array(means[::-1] if turned else means)[known[::-1] if turned else known]
    slope, fit = polynomial_tasks.power_law(np.array(levels)[known], beads)
    tally.add(min(fit - FIT_FEW, -slope - 0.1), source="certified strings", slope=slope, fit=fit, beads=means)
    notes.append(f"certified beads ~ L0^{slope:.2f} (R^2 {fit:.3f}) down to {levels[-1]:g}")
    return tally.outcome("; ".join(notes))


CLAIM = Claim(
    id="fig-1-quadratic",
    headline="Quadratic task: the number of beads grows like a power law as the level falls.",
    fault="the levels in reverse order",
    source="Section 4.1, with Figure 1, row (1), column b",
    statement="Quadratic task: the number of required beads grows approximately as a power law as L0 falls.",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ILLUSTRATED,
    confirm=attack,
    control=lambda setting: attack(setting, turned=True),
    proof="None: a fit in log-log coordinates of the published means (R^2 0.99) and of certified strings.",
)
