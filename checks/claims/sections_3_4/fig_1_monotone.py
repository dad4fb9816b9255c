"""Whether the published bead counts grow monotonically as the level falls."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.sections_3_4 import published

ERRORS = 2.0  # combined standard errors within which two means agree


def attack(setting: Setting, *, turned: bool = False) -> Outcome:
    """No published count exceeds a count at a lower level by more than ERRORS combined standard errors.

    turned: a planted fault, the counts of each task are listed upside down.
    """
    tally = Tally()
    for task in published.TASKS:
        for lower, upper, excess, spread in pairs(task, turned=turned):
            tally.add(ERRORS * spread - excess, task=task, lower=lower, upper=upper, excess=excess, error=spread)
    return tally.outcome(f"all pairs of levels of all five tasks, within {ERRORS:g} combined standard errors")


def pairs(task: str, *, turned: bool = False) -> list[tuple[float, float, float, float]]:
    """For each pair of levels: both, by how much the count at the higher one is larger, and the combined error."""
    table = published.beads(task)
    table[:, 1:] = table[::-1, 1:] if turned else table[:, 1:]
    return [
        (float(p[0]), float(q[0]), float(q[1] - p[1]), float(np.hypot(p[2], q[2])))
        for k, p in enumerate(table)
        for q in table[k + 1 :]
    ]


def witness() -> Witness:
    """The printed means: MNIST needs fewer beads at 0.775 % than at 0.85 %, CIFAR10 at 40 % than at 50 %."""
    mnist, cifar = dict(published.beads("mnist_cnn")[:, :2]), dict(published.beads("cifar10_cnn")[:, :2])
    return Witness(
        refuted=mnist[0.775] < mnist[0.85] and cifar[40.0] < cifar[50.0],
        explanation="the means printed in the figure are not monotone",
        values={
            "MNIST 0.775 %": mnist[0.775],
            "MNIST 0.85 %": mnist[0.85],
            "CIFAR10 40 %": cifar[40.0],
            "CIFAR10 50 %": cifar[50.0],
        },
    )


CLAIM = Claim(
    id="fig-1-monotone",
    headline="The number of beads grows monotonically as the level falls.",
    instead="The published means are not monotone; whether those of the models are, their errors leave undecided.",
    fault="the counts of each task upside down",
    source="Section 4: the monotonic increase in the number of required beads",
    statement="The number of beads increases monotonically as the level falls, on all tasks of Figure 1. Refuted for "
    "the printed means; "
    "undecided for the models.",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.REFUTED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, turned=True),
    refute=witness,
    repaired="Of the published means: not monotone. Of the models: undecided, since no violation exceeds two "
    "combined standard errors.",
    proof="A comparison of the published numbers; with errors that large, monotone growth is neither shown nor "
    "excluded for MNIST and CIFAR10.",
)
