"""Section 5: what the empirical risk along a path says of the oracle risk."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory.networks import Network
from theory.paths import Path
from theory.population import TeacherRisk, compare

SIZES = (50, 800)
SLACK = 4.0  # by how much the root mean square of a few draws may miss its law


def attack(setting: Setting, *, power: float = 0.5) -> Outcome:
    """A path fixed before the draw: certified maxima under samples and under the population differ like N^(-power).

    power: 1 is a planted fault.
    """
    tally, rng = Tally(), setting.rng
    draws = setting.instances(12, 200)
    for k in setting.each(range(setting.instances(4, 40))):
        n, m = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        network = Network((n, m, 1))
        a, b, teacher = rng.standard_normal((3, network.size))
        risk = TeacherRisk(network, np.eye(n), teacher, noise=0.1)
        path, spread = Path(np.stack([a, b])), []
        for size in SIZES:
            found = compare(risk, path, [size] * draws, rng=rng, gap=1e-3)
            spread.append(np.sqrt(np.mean([(c.empirical.value - c.population.value) ** 2 for c in found])))
        ratio = spread[1] / spread[0] * (SIZES[1] / SIZES[0]) ** power
        tally.add(
            min(SLACK - ratio, ratio * SLACK - 1), instance=k, ratio=float(ratio), spread=list(map(float, spread))
        )
    return tally.outcome(
        f"Gaussian inputs, a teacher, straight paths; N = {SIZES[0]} and {SIZES[1]}, {draws} draws each"
    )


CLAIM = Claim(
    id="sec-5-empirical",
    headline="Along a fixed path empirical and oracle risk have maxima that differ by the root of the sample size.",
    fault="the difference falls like 1/N",
    source="Ours, to section 5, second open question",
    statement=(
        "The paper leaves open what the empirical risk says of the oracle risk. For a path that does not depend on the sample the certified maxima of both differ by O(N^(-1/2)) in "
        "root mean square; for paths that do, see held-out and multilayer-2.4: nets of path norm at most V differ uniformly by 2^K L V (E|X|^2 / N)^(1/2) and a deviation."
    ),
    standing=Standing.OURS,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.HOLDS,
    evidence=Evidence.SAMPLED,
    confirm=attack,
    control=lambda setting: attack(setting, power=1.0),
    proof="|max F_N - max F| is at most sup_t |F_N - F| along the path; on a segment F_N - F is a mean of N independent continuous functions of t of finite second moment, each Lipschitz "
    "with a square-integrable constant, so the supremum is O(N^(-1/2)) in mean square.",
)
