"""What the lengths of Figure 1 depend on besides the level: how often a bead is looked at while it trains."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.sections_3_4 import deep_runs

SIGMAS = 3.0  # combined standard errors by which mean lengths differ (the pairs are the same: paired, the difference is sharper)


def attack(setting: Setting, *, same: bool = False) -> Outcome:
    """At one level of the digits row, between the same nets, the longest interval gives longer strings than the shortest.

    Pair by pair, and by SIGMAS in the mean. same: a planted fault, two strings of the shortest interval are compared.
    """
    tally, groups = Tally(), _by_interval()
    if not groups:
        return tally.outcome("no strings")
    shortest, longest = groups[0], groups[-1]
    if same:
        longest = shortest[1:] + shortest[:1]
    for low, high in setting.each(list(zip(shortest, longest))):
        tally.add(high.length - low.length, pair=low.pair, intervals=[low.interval, high.interval])
    (low_mean, low_error), (high_mean, high_error) = _mean(shortest), _mean(longest)
    sigmas = (high_mean - low_mean) / float(np.hypot(low_error, high_error))
    tally.add(sigmas - SIGMAS, sigmas=sigmas)
    means = ", ".join(f"{_mean(group)[0]:.3f} every {group[0].interval}" for group in groups)
    return tally.outcome(
        f"{len(shortest)} pairs at {shortest[0].level:.0%}; mean length {means} steps; {sigmas:.1f} standard errors"
    )


def _by_interval() -> list[list[deep_runs.String]]:
    """The accepted strings of each interval, the shortest first, of pairs that have one at every interval."""
    held = [string for string in deep_runs.strings(deep_runs.INTERVALS) if string.accepted]
    intervals = sorted({string.interval for string in held})
    everywhere = [
        pair
        for pair in sorted({string.pair for string in held})
        if sum(string.pair == pair for string in held) == len(intervals)
    ]
    return [[s for pair in everywhere for s in held if (s.interval, s.pair) == (k, pair)] for k in intervals]


def _mean(strings: list[deep_runs.String]) -> tuple[float, float]:
    """Mean length and its standard error, population deviation over the root of n, as the authors."""
    lengths = np.array([string.length for string in strings])
    return float(lengths.mean()), float(lengths.std() / np.sqrt(len(lengths)))


CLAIM = Claim(
    id="fig-1-bead-blocks",
    headline="The lengths of Figure 1 depend on how often beads are looked at, which the text does not say.",
    fault="strings of other pairs at the same interval taken for those of a longer one",
    source="Figure 1, rows (3) to (5), and the published scripts",
    statement="At one level, between the same nets, with the same algorithm, strings are longer where 80 steps lie between two looks at a "
    "bead that trains than where 2 do: a bead goes on for the rest of its block, away from the straight line.",
    standing=Standing.OURS,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ILLUSTRATED,
    confirm=attack,
    control=lambda setting: attack(setting, same=True),
    proof="None: runs of the digits row. The published scripts look every 15 steps (polynomials), 550 (MNIST), 100 (CIFAR10) and once an "
    "epoch, about 2,300 steps (LSTM), so that lengths of different rows are not of one kind.",
)
