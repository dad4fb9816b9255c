"""The breadth-first evolution of Appendix A on problems that are disconnected, where the barrier is known."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory import string_sampling
from theory.networks import Network
from theory.risk import Risk, Sample


def attack(setting: Setting, *, beads_only: bool = False) -> Outcome:
    """Two arms of w1 w2 = c, c > 0: every path between them passes w1 w2 = 0, so its maximum is at least F = c^2.

    beads_only: a planted fault, the string's height is read off its beads.
    """
    tally, work = Tally(), []
    for _ in setting.each(range(setting.instances(3, 40))):
        c = float(setting.rng.uniform(0.5, 2))
        p, q = setting.rng.uniform(0.5, 2, 2)
        risk = Risk(Network((1, 1, 1), "identity"), Sample(np.ones((1, 1)), np.full((1, 1), c)))
        a, b, barrier = np.array([p, c / p]), np.array([-q, -c / q]), c**2
        level = barrier * float(setting.rng.uniform(0.05, 0.6))
        evolved = string_sampling.breadth_first(risk, a, b, level, rng=setting.rng, attempts=1, depth=6)
        grown = string_sampling.greedy(risk, a, b, level, rng=setting.rng, attempts=1, depth=6)
        for name, result in (("breadth_first", evolved), ("greedy", grown)):
            height = float(risk.batch(result.string.points).max()) if beads_only else result.height
            # A string seen at ten points a piece can pass a little above what was seen.
            tally.add((height - 0.95 * barrier) / barrier, algorithm=name, height=height, barrier=barrier)
            tally.add(-1.0 if result.connected else 0.0, algorithm=name, status=result.status.name)
        work.append((evolved.evaluations, grown.evaluations))
    mean = np.mean(work, axis=0)
    return tally.outcome(f"evaluations until giving up: breadth-first {mean[0]:.0f}, greedy {mean[1]:.0f}")


CLAIM = Claim(
    id="app-a-breadth-first",
    headline="Evolving the whole string shows a disconnection sooner.",
    fault="the height of a string is read off its beads alone",
    source="Appendix A: the breadth-first approach indicates a disconnection sooner",
    statement="On a disconnected level set the persistence of a high piece shows sooner in the breadth-first evolution.",
    standing=Standing.CONJECTURE,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.OPEN,
    evidence=Evidence.ILLUSTRATED,
    confirm=attack,
    control=lambda setting: attack(setting, beads_only=True),
    proof=(
        "On a true disconnection neither algorithm connects, and the height at which the breadth-first string is caught "
        "stays above the barrier. In the runs here greedy gives up first, after about a quarter of the work; but that "
        "depends on the depth limits of both and on the step of the level: no order "
        "between their costs holds in general. Persistence proves nothing by itself (persistence-is-not-proof)."
    ),
)
