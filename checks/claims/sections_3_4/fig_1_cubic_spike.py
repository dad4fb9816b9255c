"""The spike of the cubic task is made by the bead target, on the plateau of constant predictors."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from theory import polynomial_tasks
from theory.geodesics import Status, geodesic
from theory.maxima import segment_maximum
from theory.paths import Path
from theory.risk import Risk

STRAIGHT = 1.01  # a normalised length up to this counts as no detour


def plateau(risk: Risk, rng: np.random.Generator) -> np.ndarray:
    """Two ends whose output is the best constant: random hidden layers, no outgoing weights, bias the median."""
    ends = polynomial_tasks.draw(risk.network, 2, rng=rng)
    weights = [W.copy() for W in risk.network.weights(ends)]
    weights[-1][...] = 0.0
    weights[-1][..., -1] = np.median(risk.sample.Y)
    return risk.network.pack(weights)


def attack(setting: Setting, *, mechanism: float = 1.0) -> Outcome:
    """Ends on the plateau, at risk c: beads trained to 0.95 L0 take a detour for c <= L0 < c / 0.95 and only then.

    mechanism: a planted fault, the predicted edges are c * mechanism and c * mechanism / 0.95.
    """
    tally, risk = Tally(), polynomial_tasks.task("cubic", points=48)
    c = polynomial_tasks.best_constant(risk)
    for _ in setting.each(range(setting.instances(2, 20))):
        a, b = plateau(risk, setting.rng)
        for level in (1.02 * c, 1.08 * c, 1.2 * c):
            for alpha in (0.95, 1.0):
                found = polynomial_tasks.authors_string(risk, a, b, level, alpha=alpha, steps=4000, depth=3).string
                detour = found.normalised_length > STRAIGHT
                predicted = alpha * level < c * mechanism
                tally.add(
                    0.0 if detour == predicted else -1.0, level=level, alpha=alpha, length=found.normalised_length
                )
            short = geodesic(risk, Path(np.stack([a, b])), level)
            tally.add(0.0 if short.status is Status.STRAIGHT else -1.0, level=level, shortest=short.after)
    return tally.outcome(
        f"two-end strings on the plateau c = {c:.5f}, alpha 0.95 and 1; the straight line is certified throughout"
    )


def witness() -> Witness:
    """At L0 = 0.162 two plateau nets are joined by a straight line of constant risk, yet the code reports a detour."""
    risk, level = polynomial_tasks.task("cubic"), 0.162
    a, b = plateau(risk, np.random.default_rng(0))
    straight = segment_maximum(risk, a, b)
    found = polynomial_tasks.authors_string(risk, a, b, level, steps=4000, depth=1).string
    return Witness(
        refuted=straight.upper <= level and found.normalised_length > STRAIGHT,
        explanation="the level set contains the straight line, of length 1: the reported length is the bead target's "
        "doing",
        values={"level": level, "straight line up to": straight.upper, "reported length": found.normalised_length},
    )


CLAIM = Claim(
    id="fig-1-cubic-spike",
    headline="The spike of the cubic task marks the onset of non-convexity.",
    instead="It is the plateau of the best constant predictor, which the beads are driven off.",
    fault="the edges of the spike moved by a tenth",
    source="Section 4.1: the spike at L0 = 0.15 seems to indicate the onset of non-convex behavior",
    statement="The spike of the length near L0 = 0.158 is the onset of non-convexity; above it the model is strongly "
    "convex.",
    standing=Standing.REMARK,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REFUTED,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, mechanism=1.1),
    refute=witness,
    repaired=(
        "Between c and c / 0.95 (c = 0.1582, the risk of the best constant) ends rest on the plateau of constant "
        "predictors and beads are driven off it; with beads trained to L0 itself the upper edge moves to c."
    ),
    proof=(
        "Nets with no outgoing weights and the median as output bias all have risk c, and so has the straight line "
        "between two of them: inside the level set for every L0 >= c. A bead on it has risk c > 0.95 L0 exactly when "
        "L0 < c / 0.95 = 0.1665, and is then trained away from the line."
    ),
)
