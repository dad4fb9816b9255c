"""The LSTM row of Figure 1: three beads always, which is what a void check gives."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.sections_3_4 import instances, published
from theory import polynomial_tasks, string_sampling

LEVELS = (0.1, 0.05, 0.02)


def attack(setting: Setting, *, acceptance: float = np.inf) -> Outcome:
    """The row has three beads without spread; so has the authors' procedure with its path check made void, at any level.

    acceptance: finite plants a check that looks.
    """
    tally, table, highest = Tally(), published.beads("ptb_lstm"), 0.0
    tally.add_many(-np.abs(table[:, 1] - 3) - table[:, 2], perplexity=table[:, 0])
    risk = polynomial_tasks.task("quadratic", points=24)
    for level in setting.each(LEVELS):
        for _ in range(setting.instances(1, 20)):
            a, b = instances.ends(risk, level, setting.rng)
            found = polynomial_tasks.authors_string(risk, a, b, level, acceptance=acceptance, steps=2000, depth=2)
            if found.status is string_sampling.Status.BEAD:
                continue  # its one bead never reached the level: the check had nothing to accept
            tally.add(float(3 - found.beads), level=level, beads=found.beads, height=found.height / level)
            highest = max(highest, found.height / level)
    return tally.outcome(f"six published perplexities, and strings accepted unseen, the highest at {highest:.1f} L0")


def witness() -> Witness:
    """The length does not grow at lower and lower perplexity: it peaks at 200 and falls by many standard errors."""
    table = {row[0]: row[1:] for row in published.lengths("ptb_lstm")}
    (high, e), (low, f) = table[200.0], table[135.0]
    sigmas = float((high - low) / np.hypot(e, f))
    spread = float(published.beads("ptb_lstm")[:, 2].max())
    return Witness(
        refuted=sigmas > 5 and spread == 0,
        explanation="length 1.346 at perplexity 200 falls to 1.178 at 135; and the bead count has no spread at all",
        values={"length at 200": float(high), "length at 135": float(low), "standard errors apart": sigmas},
    )


CLAIM = Claim(
    id="fig-1-ptb",
    headline="The language model behaves like the other models.",
    instead="Its path check never looked: the published beads say nothing about connectedness.",
    fault="the check that the other models use",
    source="Figure 1, row (5), and section 4.3",
    statement="The LSTM behaves like the other models: easily connected, with a length that grows at lower and lower perplexity.",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.REFUTED,
    evidence=Evidence.ILLUSTRATED,
    confirm=attack,
    control=lambda setting: attack(setting, acceptance=polynomial_tasks.ACCEPTANCE),
    refute=witness,
    repaired="The row is consistent with a path check that never looked (exactly three beads at six perplexities); nothing about connectedness follows from it.",
    proof=(
        "In the published script the perplexity along the path is stored under one name and the error that is tested "
        "under another, which stays 0: every pair is accepted after one bead. That exactly this text made the figure "
        "is not certain; that the figure looks as it would is."
    ),
)
