"""What the lengths of Figure 1 depend on besides the level: how often a bead is looked at while it trains."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.sections_3_4 import deep_runs

SIGMAS = 3.0  # combined standard errors between mean lengths that differ


def attack(setting: Setting, *, same: bool = False) -> Outcome:
    """At one level of the digits row, between the same nets, a longer interval gives a longer string.

    same: a planted fault, the strings of one interval in two halves are taken for those of two.
    """
    tally, notes = Tally(), []
    for low, high in setting.each(_neighbours()):
        if same:
            low, high = low[::2], low[1::2]
        means, spreads = zip(*((np.mean(x), np.std(x) / np.sqrt(len(x))) for x in (_lengths(low), _lengths(high))))
        sigmas = float((means[1] - means[0]) / np.hypot(*spreads))
        tally.add(sigmas - SIGMAS, intervals=[low[0].interval, high[0].interval], sigmas=sigmas)
        steps = f"every {low[0].interval} and {high[0].interval} steps"
        notes.append(f"{steps}: {means[0]:.3f} and {means[1]:.3f}, n = {len(low)} and {len(high)}")
    return tally.outcome("; ".join(notes))


def _neighbours() -> list[tuple[list[deep_runs.String], list[deep_runs.String]]]:
    """The strings of one interval and of the next longer one."""
    held = [string for string in deep_runs.strings(deep_runs.INTERVALS) if string.accepted]
    groups = [[string for string in held if string.interval == k] for k in sorted({s.interval for s in held})]
    return list(pairwise(groups))


def _lengths(strings: list[deep_runs.String]) -> list[float]:
    return [string.length for string in strings]


CLAIM = Claim(
    id="fig-1-bead-blocks",
    headline="The lengths of Figure 1 depend on how often beads are looked at, which the text does not say.",
    fault="two halves of the strings of one interval taken for those of two",
    source="Figure 1, rows (3) to (5), and the published scripts",
    statement="At one level, between the same nets, with the same algorithm, the normalised length grows with the number of steps between "
    "two looks at a bead that trains: a bead goes on for the rest of its block, away from the straight line.",
    standing=Standing.OURS,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ILLUSTRATED,
    confirm=attack,
    control=lambda setting: attack(setting, same=True),
    proof="None: runs of the digits row. The published scripts look every 15 steps (polynomials), 550 (MNIST), 100 (CIFAR10) and once an "
    "epoch, about 2,300 steps (LSTM), so that lengths of different rows are not of one kind.",
)
