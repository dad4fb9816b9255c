"""How the number of beads grows with depth and as the level falls."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.sections_3_4 import instances, published
from theory import polynomial_tasks, string_sampling

FIT = 0.5  # R^2 from which the few strings of a run are close to a power law
LEVELS = {"quadratic": (1e-2, 2e-3, 5e-4, 1e-4), "cubic": (1e-2, 2e-3, 4e-4)}


def attack(setting: Setting, *, halve_all: bool = False) -> Outcome:
    """Fewer beads than the worst case 2^depth - 1 of splitting every piece; log beads is close to linear in log L0.

    halve_all: a planted fault, every piece is split at every depth.
    """
    tally, notes, falling = Tally(), [], []
    for task, levels in LEVELS.items():
        risk = polynomial_tasks.task(task, points=32, loss="squared")
        mean = []
        for level in setting.each(levels):
            totals = []
            for _ in range(setting.instances(2, 20)):
                a, b = instances.ends(risk, level, setting.rng)
                new, beads, connected = batches(risk, a, b, level)
                if not connected:
                    continue
                new = [2**k for k in range(len(new))] if halve_all else new
                totals.append(beads)
                if len(new) >= 4:  # short runs show no saturation
                    tally.add(2.0 ** len(new) - 1 - sum(new) - 1, task=task, level=level, new=new)
                    falling.append(max(new) > new[-1])
            mean.append(np.mean(totals) if totals else np.nan)
        known = ~np.isnan(np.array(mean))
        if known.sum() >= 3:  # through two points there is always a power law
            slope, fit = polynomial_tasks.power_law(np.array(levels)[known], np.array(mean)[known])
            tally.add(fit - FIT, task=task, slope=slope, fit=fit)
            notes.append(f"{task} beads ~ L0^{slope:.2f} (R^2 {fit:.3f})")
        else:
            notes.append(f"{task}: strings connected at {known.sum()} levels, too few for a fit")
        slope, fit = polynomial_tasks.power_law(*published.beads(task)[:, :2].T)
        notes.append(f"published {slope:.2f} ({fit:.3f}) in absolute error")
    notes.append(f"the last batch was smaller than the largest in {sum(falling)} of {len(falling)} longer runs")
    return tally.outcome("; ".join(notes))


def batches(risk, a: np.ndarray, b: np.ndarray, level: float) -> tuple[list[int], int, bool]:
    """New beads at each depth of a greedy run, how many in all, and whether it connected."""
    seen: list[int] = []
    result = string_sampling.greedy(risk, a, b, level, attempts=1, callback=lambda p: seen.append(p.beads))
    counts = [*seen, result.beads]
    return [y - x for x, y in pairwise(counts) if y > x], result.beads, result.connected


CLAIM = Claim(
    id="alg-1-runtime",
    headline="The number of new beads grows, saturates and falls with depth.",
    fault="every piece is split at every depth",
    source="Section 3.2: the number of new models at each depth grows, saturates and falls; O(poly(depth)) in practice",
    statement="New beads per depth grow, saturate and fall; the runtime is closer to O(poly(depth)) than to O(exp(depth)).",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.OPEN,
    evidence=Evidence.ILLUSTRATED,
    confirm=attack,
    control=lambda setting: attack(setting, halve_all=True),
    proof=(
        "Runs on the quadratic and cubic tasks. What decides the work is the number of beads, close to a power law in L0; "
        "strings that need evenly spaced beads have a depth of about the logarithm of their number, so that beads double "
        "with each depth until nearly the last one. Ten depths cannot tell a polynomial from an exponential."
    ),
)
