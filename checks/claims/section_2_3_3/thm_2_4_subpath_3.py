"""Theorem 2.4, subpaths (3) and (4): from a compressed net to the oracle net and on."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_3_3.cor_2_5_connected import KAPPA, one_unit, two_units
from checks.claims.section_2_3_3.instances import CERTIFIED, point, problem
from theory import relu_paths
from theory.crossing import cross
from theory.moves import Walk
from theory.paths import Path
from theory.risk import Risk


def printed(risk: Risk, a: np.ndarray, b: np.ndarray) -> Path:
    """The fault, which is the printed text: rows of idle units are replaced in place, and nothing is re-slotted.

    Where both nets use a slot its row has to move while it is in use.
    """
    net = risk.network
    (Wa, Va), (Wb, Vb) = net.weights(a), net.weights(b)
    mixed = np.where((Va[0] == 0)[:, None], Wb, Wa)
    return Path(np.stack([a, net.pack([mixed, Va]), net.pack([mixed, Vb]), b]))


def crossed(risk: Risk, a: np.ndarray, b: np.ndarray) -> Path:
    """The repaired text: what stands in the way lodges in an idle slot first."""
    walk = Walk(risk.network, a, risk.sample.X)
    cross(walk, b)
    return walk.path


def attack(setting: Setting, *, build=crossed) -> Outcome:
    """Between nets that use l and m - l units in any slots, overlapping or not, the maximum is the larger end."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(150, 8000))):
        m = int(rng.integers(1, 10))
        risk = problem(rng, samples=int(rng.integers(1, 9)), width=m, inputs=int(rng.integers(1, 4)))
        l, nets = int(rng.integers(m + 1)), []
        for used in (l, m - l):
            theta = point(rng, risk)
            keep = np.isin(np.arange(m), rng.choice(m, size=used, replace=False))
            W, V = risk.network.weights(theta)
            nets.append(risk.network.pack([W, np.where(keep, V, 0.0)]))
        path = build(risk, *nets)
        larger = max(relu_paths.vertex_bound(risk, theta) for theta in nets)
        upper = float(relu_paths.piece_maxima(risk, path).max())
        tally.add((larger - upper) / max(larger, risk.sample.energy) + CERTIFIED, instance=k, m=m, l=l)
    return tally.outcome("l and m - l used units in random slots; margins in units of max(larger end, E Y^2)")


def witness() -> Witness:
    """X = +-1, Y = X, kappa = 1/10, m = 3, l = 1: the path goes up from delta_A(2, 0; 3) = 19/100 to e(1) = 119/200."""
    start, end = two_units(KAPPA), one_unit(KAPPA)
    return Witness(
        start == Fraction(19, 100) and end == Fraction(119, 200) and end > start,
        "X = +-1, Y = X, kappa = 1/10, m = 3, l = 1: subpath (3) leads from 19/100, both samples served by m - l = 2 units, "
        "to e(1) = 119/200: convexity gives the larger end, not a descent. And with units of A in slots {0, 1} and of "
        "B in {1, 2} the oracle unit sits in slot 2 after (3) and must leave it before (4): the printed path has no such piece",
        {"start": str(start), "end": str(end)},
    )


CLAIM = Claim(
    id="thm-2.4-subpath-3",
    headline="The oracle net goes into the idle units without a rise.",
    instead="The loss stays below the larger end, and units in the way must lodge elsewhere first.",
    fault="the printed text: rows are replaced in place and nothing is moved out of the way",
    source="Appendix B.4, subpaths (3) and (4)",
    statement="Idle rows are replaced at constant loss, then a linear path in the second layer leads to the oracle net; it is "
    "non-increasing by convexity, and (4) is built analogously",
    standing=Standing.PROOF_STEP,
    tightness=Tightness.UPPER,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, build=printed),
    refute=witness,
    repaired="F stays below the larger end; between (3) and (4) oracle units in slots that B needs lodge in idle slots first "
    "(place and transfer, at no loss)",
    proof="l + (m - l) <= m: the slots outside both nets are at least as many as those in both, so displaced units can lodge "
    "there; place and transfer do not change the function, and the one refit is convex.",
)
