"""The length of section 4.2: low until a threshold, then a power law, on "the previous models" and the CNNs."""

from __future__ import annotations

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.sections_3_4 import published

FIT = 0.7  # R^2 from which the excess of the length over 1 is called approximately a power law
BELOW = {"quadratic": 1.0, "cubic": 0.12, "mnist_cnn": 100.0, "cifar10_cnn": 100.0}  # the cubic spike begins above 0.12


def attack(setting: Setting, *, turned: bool = False) -> Outcome:
    """Below its threshold the published excess of each task is a power law of the level, and falls with it.

    turned: a planted fault, the lengths are listed upside down.
    """
    tally, notes = Tally(), []
    for task, top in setting.each(BELOW.items()):
        table = published.lengths(task)
        table = table[table[:, 0] <= top]
        table[:, 1] = table[::-1, 1] if turned else table[:, 1]
        table = table[table[:, 1] > 1]
        slope, fit = published.fit(table, above=1.0)
        tally.add(min(fit - FIT, -slope), task=task, slope=slope, fit=fit)
        notes.append(f"{task}: length - 1 ~ L0^{slope:.2f} (R^2 {fit:.2f})")
    return tally.outcome("; ".join(notes))


def witness() -> Witness:
    """The cubic task: the length is highest in the middle of the levels, and low again below."""
    table = published.lengths("cubic")
    _, fit = published.fit(table, above=1.0)
    peak = table[table[:, 1].argmax()]
    below = table[table[:, 0] == 0.12][0]
    spread = 2 * (peak[2] ** 2 + below[2] ** 2) ** 0.5
    return Witness(
        refuted=bool(table[0, 0] < below[0] < peak[0] and peak[1] - below[1] > spread and fit < FIT),
        explanation="cubic task: the published length falls from 2.54 at 0.158 to 1.38 at 0.12, many standard errors, before it "
        "grows again; over all levels a line explains a fifth of the excess",
        values={"R^2": fit, "length at 0.158": float(peak[1]), "length at 0.12": float(below[1])},
    )


CLAIM = Claim(
    id="sec-4.2-length",
    headline="On all tasks the length is low until a threshold, and then grows like a power law.",
    instead="Not on the cubic task, where it spikes first; below the spike, and on the other tasks, it does.",
    fault="the lengths upside down",
    source="Section 4.2: strong qualitative similarity with the previous models; section 4, first paragraphs",
    statement="Normalised length remains low until a threshold loss value, after which it grows approximately as a power law, "
    "on the CNNs as on the previous models.",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.ILLUSTRATED,
    confirm=attack,
    control=lambda setting: attack(setting, turned=True),
    refute=witness,
    repaired="The excess of the published length over 1 is approximately a power law of the level on the quadratic task, on MNIST "
    "and on CIFAR10, and on the cubic task for L0 <= 0.12, below its spike.",
    proof="None: fits in log-log coordinates (R^2 0.92, 0.89, 0.73, and 0.93 for the cubic task below 0.12).",
)
