"""Lemma 1: stable under dropping half of the units, layer by layer, gives a path whose vertices decide."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_5.instances import CERTIFIED, excess, point, problem
from theory.crossing import used_units
from theory.deep_paths import connect
from theory.paths import Path
from theory.risk import Risk


def reversed_order(path: Path) -> Path:
    """The fault: each refit is made before the units that it leads to are placed (the moves change different layers)."""
    steps, labels = np.diff(path.points, axis=0), list(path.labels)
    for i in range(1, len(labels)):
        if labels[i].startswith("refit") and labels[i - 1].startswith("place"):
            steps[[i - 1, i]], labels[i - 1], labels[i] = steps[[i, i - 1]], labels[i], labels[i - 1]
    return Path(np.concatenate([path.points[:1], path.points[0] + np.cumsum(steps, axis=0)]), tuple(labels))


def halves(risk: Risk, path: Path) -> float:
    """max {F(A), F(B), F of all nets that a refit leads to}: the sparse ones of the lemma."""
    at = [i + 1 for i, label in enumerate(path.labels) if label.startswith("refit")]
    starts = [i for i, label in enumerate(path.labels) if label.startswith("refit")]
    return float(risk.batch(path.points[[0, *starts, *at, -1]]).max())


def attack(setting: Setting, *, order=lambda path: path) -> Outcome:
    """The certified maximum over the whole path is that over the sparse nets and the ends, and half of each layer is enough."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(12, 400))):
        hidden = rng.integers(2, 8, int(rng.integers(1, 4))).tolist()
        kappa = float(rng.choice([0.0, 0.01, 0.1]))
        risk = problem(rng, hidden, N=int(rng.integers(2, 9)), kappa=kappa, bias=bool(rng.integers(2)))
        a, b = point(rng, risk.network), point(rng, risk.network)
        path = connect(risk, a, b, rng=rng, tool=("both", "trees")[k % 2]).path
        level = halves(risk, path)
        path = order(path)
        tally.add(
            CERTIFIED - excess(risk, path, level), instance=k, widths=risk.network.widths, loss=risk.loss, kappa=kappa
        )
        used = np.array([[mask.sum() for mask in used_units(risk.network, p)] for p in path.points])
        spare = (np.array(hidden) // 2 - used).min(axis=1).max()  # at the sparsest vertex
        tally.add(float(spare), what="half of each layer", widths=risk.network.widths)
    return tally.outcome(
        "one to three hidden layers, every loss, with and without biases; margins in units of max(level, F(0))"
    )


CLAIM = Claim(
    id="dropout-reduction",
    headline="If few units do in every layer, nets of any depth are joined, and only the sparse nets on the way cost anything.",
    fault="each refit before the units that it leads to are placed",
    source="ours; with the halves assumed ('dropout stable'): Kuditipudi et al. 2019, Theorem 1",
    statement="Let A^(j), j = 1..K-1, use at most half of the units of each layer k >= K-j, with A's own units in layer K-j and below. Then A is joined to A^(K-1) below "
    "max {F(A), F(A^(j))}, and two nets that use half of each layer below the larger of the two; every piece keeps the function at every input, or moves the last layer only",
    standing=Standing.OURS,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, order=reversed_order),
    proof="From A^(j) to A^(j+1): the layers above K-j-1 have an idle half. Place there the units of A^(j+1), the lowest layer first, move the last layer straight to them (the risk is convex), "
    "and clear what is left behind from the top: each unit is idle when its row changes. Two sparse nets fit side by side in the same way.",
)
