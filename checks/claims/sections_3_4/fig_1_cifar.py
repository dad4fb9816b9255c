"""Figure 1, row (4): CIFAR10 is not."""

from __future__ import annotations

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.sections_3_4 import published

LARGE = 1.5  # a length above this is called large non-convexity
ERROR = 20.0  # "test accuracy of 80%"


def attack(setting: Setting, *, task: str = "cifar10_cnn") -> Outcome:
    """At the lowest published level the mean length, two standard errors off, is above LARGE.

    task: another row is the planted fault.
    """
    tally = Tally()
    level, mean, error = published.lengths(task)[0]
    tally.add(mean - 2 * error - LARGE, level=level, length=mean, error=error)
    return tally.outcome(f"{task} at {level:g}: published mean length {mean:.3f}, standard error {error:.3f}")


CLAIM = Claim(
    id="fig-1-cifar",
    headline="On CIFAR10 strings are long already at 80 % accuracy.",
    fault="the row of MNIST",
    source="Section 4.2, with Figure 1, row (4)",
    statement="The CIFAR10 dataset exhibits large non-convexity, even at the modest test accuracy of 80%.",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.LOWER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ILLUSTRATED,
    confirm=attack,
    control=lambda setting: attack(setting, task="mnist_cnn"),
    proof="None: the published mean at 20 % error is 1.845. A long string shows that none was found straighter, not that there is none. "
    "Run here, on all 10,000 test images: eight pairs of nets (seed 0) at each level from 80 to 30 % error. All 48 strings pass the check, with three "
    "beads (four in 6 of them); mean lengths are 1.0018, 1.0022, 1.0046, 1.0152, 1.0468 and 1.2129 (published: 1.0005, 1.0000, 1.0029, 1.0052, 1.0116 "
    "and 1.1588), the longest 1.3301. Those at 20 % error, of which the sentence speaks, could not be run: in none of four pairs did both nets get there "
    "within 20,000 steps. A mean below 1.5 at 20 % would decide otherwise.",
)
