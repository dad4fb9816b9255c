"""The abstract's word for the growth of Figure 1."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.sections_3_4 import published

TASKS = {"quadratic": 1.0, "cubic": 0.12, "mnist_cnn": 100.0, "cifar10_cnn": 100.0, "ptb_lstm": 1e4}


def attack(setting: Setting, *, swapped: bool = False) -> Outcome:
    """The power law of section 4 explains more of the published lengths than an exponential of the level does.

    swapped: a planted fault, the two laws are exchanged.
    """
    tally, notes = Tally(), []
    for task, top in setting.each(TASKS.items()):
        table = published.lengths(task)
        table = table[table[:, 0] <= top]
        power, exponential = published.fit(table)[1], published.fit(table, exponential=True)[1]
        tally.add(
            (exponential - power) if swapped else (power - exponential), task=task, power=power, exponential=exponential
        )
        notes.append(f"{task}: R^2 {power:.2f} against {exponential:.2f}")
    return tally.outcome("power law against exponential; " + "; ".join(notes))


def witness() -> Witness:
    """Cubic task below its spike: the rate d log(length) / d(-L0), constant under an exponential law, is not."""
    level, length, error = published.lengths("cubic").T
    at = [int(np.flatnonzero(level == value)[0]) for value in (0.01, 0.05, 0.12)]
    rates, spread = [], []
    for i, j in pairwise(at):
        rates.append(np.log(length[i] / length[j]) / (level[j] - level[i]))
        spread.append(np.hypot(error[i] / length[i], error[j] / length[j]) / (level[j] - level[i]))
    return Witness(
        refuted=bool(rates[0] - 2 * spread[0] > rates[1] + 2 * spread[1]),
        explanation="cubic task: per unit of the level the logarithm of the published length grows by 6.8 between 0.05 and 0.01 and by "
        "0.5 between 0.12 and 0.05, further apart than two standard errors of each; an exponential law has one rate",
        values={"rate below 0.05": float(rates[0]), "rate above": float(rates[1])},
    )


CLAIM = Claim(
    id="abstract-exponential",
    headline="Level sets become exponentially more curvy as the level falls.",
    instead="By the paper's own numbers, and in its own words in section 4, they do so like a power law.",
    fault="the two laws exchanged",
    source="Abstract",
    statement="The level sets become exponentially more curvy as the energy level decays.",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.REFUTED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, swapped=True),
    refute=witness,
    repaired="Approximately like a power of the level, as sections 4.1 and 4.2 say (cubic task: below its spike).",
    proof="A comparison of published means: a line in log-log coordinates explains more of them than one in semi-logarithmic ones; within the errors it fits the two polynomial tasks only.",
)
