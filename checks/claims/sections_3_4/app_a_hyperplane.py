"""The hyperplane-constrained string of Appendix A, with the midpoint's sign mended."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.sections_3_4 import instances
from theory import string_sampling
from theory.numerics import gamma
from theory.string_sampling import Objective, train


class AsPrinted(Objective):
    """The hyperplane through the printed midpoint (left - right) / 2 in place of (left + right) / 2."""

    def confine(self, thetas: np.ndarray) -> np.ndarray:
        """theta - (left - right) / 2 is theta + right - (left + right) / 2."""
        assert self.right is not None
        return super().confine(thetas + self.right) - self.right


def attack(setting: Setting, *, kind: type[Objective] = Objective) -> Outcome:
    """Beads confined by the off-plane term are as far from one neighbour as from the other; strings are certified.

    kind: AsPrinted plants the printed midpoint.
    """
    tally, notes, rng = Tally(), [], setting.rng
    for name, risk, level in setting.each(instances.problems(rng) * setting.instances(1, 20)):
        a, b = instances.ends(risk, level, rng)
        objective = kind(risk, a[None], b[None], zeta=0.1 * level / float(np.linalg.norm(a - b)), kappa=np.inf)
        start = objective.confine((a + b)[None] / 2)
        bead = train(risk, start, 0.9 * level, objective=objective, iterations=60).points[0]
        near, far = sorted(float(np.linalg.norm(bead - end)) for end in (a, b))
        # Each of up to 60 steps leaves the plane by rounding only, relative to the points' size.
        size = float(np.linalg.norm(a) + np.linalg.norm(b) + np.linalg.norm(bead))
        tally.add(gamma(60 * len(a) ** 2) * size - (far - near), problem=name, near=near, far=far)
        constrained = string_sampling.hyperplane(risk, a, b, level, rng=rng, attempts=1)
        free = string_sampling.greedy(risk, a, b, level, rng=rng, attempts=1)
        if constrained.connected:
            tally.add((level - constrained.maximum.upper) / level, problem=name, upper=constrained.maximum.upper)
        notes.append(
            f"{name}: {_told(constrained)} against {_told(free)}" if not setting.full else _told(constrained)[:1]
        )
    return tally.outcome("beads and length, constrained against greedy: " + "; ".join(notes[:6]))


def _told(result) -> str:
    return f"{result.beads}, {result.path.normalised_length:.2f}" if result.path is not None else "not connected"


CLAIM = Claim(
    id="app-a-hyperplane",
    headline="Keeping beads equidistant from their neighbours gives more control.",
    fault="the midpoint with the printed sign",
    source="Appendix A, constrained Dynamic String Sampling (proposed, never run there)",
    statement="Beads kept near the hyperplane equidistant from their neighbours give more control over the string.",
    standing=Standing.CONJECTURE,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.OPEN,
    evidence=Evidence.ILLUSTRATED,
    confirm=attack,
    control=lambda setting: attack(setting, kind=AsPrinted),
    proof=(
        "What can be checked: with the midpoint (left + right) / 2 the off-plane term vanishes exactly on the equidistant "
        "hyperplane; with the printed (left - right) / 2 it does not. More control is a matter of comparison; on these "
        "tasks the constrained string is neither shorter nor surer than the greedy one by a margin worth a verdict."
    ),
)
