"""Figure 1, row (3): MNIST is easy."""

from __future__ import annotations

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.sections_3_4 import published

LOW = 1.1  # a length below this is called very low


def attack(setting: Setting, *, task: str = "mnist_cnn") -> Outcome:
    """Every published mean length, two standard errors added, is below LOW. task: another row is the planted fault."""
    tally = Tally()
    for level, mean, error in setting.each(published.lengths(task)):
        tally.add(LOW - (mean + 2 * error), level=level, length=mean)
    return tally.outcome(f"published mean lengths of {task}, two standard errors added, against {LOW:g}")


CLAIM = Claim(
    id="fig-1-mnist",
    headline="On MNIST strings are hardly longer than the straight line, down to the lowest errors.",
    fault="the row of CIFAR10",
    source="Section 4.2, with Figure 1, row (3)",
    statement="The MNIST dataset exhibits very low normalised length, even for models nearly at the state of the art.",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ILLUSTRATED,
    confirm=attack,
    control=lambda setting: attack(setting, task="cifar10_cnn"),
    proof="None: the published means reach 1.071 at 0.7 % error. No string of this row was run here.",
)
