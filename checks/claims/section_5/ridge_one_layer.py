"""Ridge with one hidden relu layer: N n_out + 1 units connect every sublevel set, by pivots in the masses."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_3_3.rem_2_4_regularisation import chorded
from theory import masses
from theory.maxima import path_maximum
from theory.networks import Network
from theory.risk import Risk, Sample

CHORDS = 12


def attack(setting: Setting, *, chords: int = CHORDS) -> Outcome:
    """m = N n_out + 1: the certified maximum of the path is the larger end, up to what CHORDS chords a leg may miss.

    chords: one chord a leg, held to the same allowance, is a planted fault. The first instance has one input and two global minima.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(6, 300))):
        if k == 0:
            risk = Risk(
                Network((1, 3, 1)),
                Sample(np.array([[1.0], [-1.0]]), np.array([[1.0], [-1.0]])),
                kappa=0.1,
                penalty="ridge",
            )
            r = 0.8**0.5
            a, b = np.array([r, -r, 0, r, -r, 0]), np.array([-r, r, 0, -r, r, 0])
        else:
            N, q = int(rng.integers(1, 4)), int(rng.integers(1, 3))
            sample = Sample(rng.standard_normal((N, 2)), rng.standard_normal((N, q)))
            risk = Risk(Network((2, N * q + 1, q)), sample, kappa=float(10 ** rng.uniform(-1.5, -0.5)), penalty="ridge")
            a, b = rng.standard_normal((2, risk.network.size))
        level = max(risk(a), risk(b))
        path = masses.connect(risk, a, b, chords=chords)
        allowed = chorded(risk, a, b, level, CHORDS)
        upper = path_maximum(risk, path, ceiling=allowed).upper
        vertices = level * (1 + 1e-9) - float(risk.batch(path.points).max())
        tally.add(min(allowed - upper, vertices) / level, instance=k, m=risk.network.widths[1], pieces=len(path))
    return tally.outcome(f"vertices at most the larger end; {CHORDS} chords a leg, certified, margins as shares of it")


CLAIM = Claim(
    id="ridge-one-layer",
    headline="With ridge and one hidden layer N + 1 units connect every level set.",
    fault="one chord a leg",
    source="Ours; sharper-N+1 for ridge. Optimal sets under weight decay: Kim, Mishkin, Pilanci 2025",
    statement=(
        "One hidden relu layer, F = E l + kappa (|W_1|^2 + |W_2|^2), l convex, kappa > 0, m >= N n_out + 1 (r + 1, r the rank of the features of both nets): every Omega(lambda) is "
        "connected. The curves are drawn by J chords a leg, which exceed the larger end by O(J^-2)."
    ),
    standing=Standing.OURS,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, chords=1),
    proof=(
        "|w|^2 r^(2t) + |b|^2 r^(-2t) is convex in t and least at balance. In the masses V_i of balanced units the problem is that of the path norm with 2 kappa (rem-2.4-regularisation), positive homogeneity "
        "being all that is used, and the pivots of sharper-N+1 are straight lines in V. A chord misses the line by s(1-s) sum (sqrt a' - sqrt a)^2 z(u)."
    ),
)
