"""Section 2.2, conjecture: deeper linear nets need another regulariser, perhaps a more general atomic norm."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory.linear_paths import connect
from theory.networks import Network
from theory.risk import Risk, Sample


def attack(setting: Setting, *, layers: bool = False) -> Outcome:
    """L(M) + kappa |M|_*, M the product, along the path of Proposition 2.2: at most the larger end, at vertices and in between.

    layers: kappa times the squared norms of the layers instead (the planted fault).
    """
    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(60, 5000))):
        n_in, n_out, depth = (int(n) for n in rng.integers((1, 1, 3), (4, 4, 6)))
        net = Network((n_in, *[min(n_in, n_out) + 1] * (depth - 1), n_out), activation="identity")
        sample = Sample(rng.standard_normal((5, n_in)), rng.standard_normal((5, n_out)))
        kappa = float(10.0 ** rng.uniform(-2, 1))

        def penalised(theta: np.ndarray, net: Network = net, sample: Sample = sample, kappa: float = kappa) -> float:
            product = np.eye(net.widths[0])
            for W in net.weights(theta):
                product = W @ product
            size = theta @ theta if layers else np.linalg.norm(product, "nuc")
            return Risk(net, sample)(theta) + kappa * float(size)

        a, b = rng.standard_normal((2, net.size))
        points = connect(Risk(net, sample), a, b).points
        points = np.concatenate([points, (points[1:] + points[:-1]) / 2])
        larger = max(penalised(a), penalised(b))
        tally.add(1e-9 - (max(map(penalised, points)) / larger - 1), widths=net.widths, kappa=kappa)
    return tally.outcome("K = 3 to 5; vertices and midpoints of all pieces, relative to the larger end")


CLAIM = Claim(
    id="sec-2.2-atomic",
    headline="Deeper linear nets stay connected under another regulariser, such as an atomic norm.",
    fault="ridge on the layers",
    source="Section 2.2, after Proposition 2.2 (conjecture)",
    statement=(
        "We conjecture that extending it to deeper models requires a different regularization, perhaps using more general atomic norms. "
        "Read as: for some penalty that is a norm of the product the level sets are connected at every depth."
    ),
    standing=Standing.CONJECTURE,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.HOLDS,
    evidence=Evidence.SAMPLED,
    confirm=attack,
    control=lambda setting: attack(setting, layers=True),
    proof=(
        "L(M) + kappa g(M) with any convex function g of the product, for instance the nuclear norm: on the path of prop-2.2 the product is constant "
        "but on one piece, where it moves straight and the sum is convex. Hidden widths >= min(n_in, n_out) + 1. Which penalties on the layers do as "
        "well is schatten-depth; ridge on three layers or more does not (prop-2.2-ridge-depth)."
    ),
)
