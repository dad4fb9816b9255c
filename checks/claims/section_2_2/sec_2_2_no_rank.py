"""Section 2.2: no full rank of the second moment nor of the weights is needed."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_2.instances import parameters
from theory.linear_paths import connect, rounding_allowance
from theory.maxima import path_maximum
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample

KINDS = ("a zero layer", "all zero", "repeated columns", "a rank-one layer")


def attack(setting: Setting, *, straight: bool = False) -> Outcome:
    """Rank-deficient data and rank-deficient ends: the certified maximum of the path against the larger end.

    straight: the straight line between the ends (the planted fault).
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(40, 4000))):
        n_in, n_out, depth = (int(n) for n in rng.integers((2, 1, 2), (5, 5, 5)))
        net = Network((n_in, *[min(n_in, n_out) + 1] * (depth - 1), n_out), activation="identity")
        X = np.outer(rng.standard_normal(6), rng.standard_normal(n_in)) if k % 2 else np.zeros((3, n_in))
        risk = Risk(net, Sample(X, rng.standard_normal((len(X), n_out))))
        kinds = [KINDS[i] for i in rng.integers(len(KINDS), size=2)]
        a, b = (parameters(rng, net, kind) for kind in kinds)
        path = Path(np.stack([a, b])) if straight else connect(risk, a, b)
        level = max(path_maximum(risk, Path(end[None])).upper for end in (a, b))
        allowance = rounding_allowance(risk, path) + np.finfo(float).tiny
        tally.add((level + allowance - path_maximum(risk, path).upper) / allowance, ends=kinds, widths=net.widths)
    return tally.outcome("E X X^T of rank one or zero, layers of rank one or zero at both ends")


CLAIM = Claim(
    id="sec-2.2-no-rank",
    headline="Connectedness of linear nets needs no full rank, neither of the data nor of the weights.",
    fault="the straight line",
    source="Section 2.2, after Proposition 2.2",
    statement="We do not need full rank assumptions on Sigma_X nor the weights W_i.",
    standing=Standing.REMARK,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, straight=True),
    proof="Moves around an idle unit ask for no rank (prop-2.2). The printed proof does: at rank-deficient ends its path jumps (prop-2.2-proof-published).",
)
