"""Section 2.1: under a discrete symmetry there can be exponentially many isolated sets of minima."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict


def attack(setting: Setting, *, spared: int = 0) -> Outcome:
    """N alternating targets on a line need N - 2 kinks: the second differences of a net with m units change sign at most m - 1 times.

    The bound m is attained by zigzag nets. spared: the planted fault, a bound that is smaller by so much.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(300))):
        m, N = int(rng.integers(1, 8)), int(rng.integers(3, 12))
        points = np.sort(rng.choice(np.arange(-40, 41), size=N, replace=False))
        if k % 3 == 0 and N >= m + 2:  # a zigzag: one kink between each two of the first m + 1 gaps, weights alternate
            rows = [(1, -int(points[i + 1])) for i in range(m)]
            weights = [(-1) ** i * 10 ** (2 * i + 2) for i in range(m)]
        else:
            rows = [(int(a), int(c)) for a, c in rng.integers(-30, 31, (m, 2))]
            weights = rng.integers(-9, 10, m).tolist()
        tally.add(m - spared - _alternations(points.tolist(), rows, weights), m=m, points=points)
    return tally.outcome("second divided differences with alternating signs against the number of units, in rationals")


def _alternations(points: list[int], rows: list[tuple[int, int]], weights: list[int]) -> int:
    """The longest run of second divided differences of f(t) = sum b relu(a t + c) with alternating signs, as a subsequence."""
    f = [Fraction(sum(b * max(a * t + c, 0) for (a, c), b in zip(rows, weights))) for t in points]
    slopes = [(f[i + 1] - f[i]) / (points[i + 1] - points[i]) for i in range(len(points) - 1)]
    signs = [s for s in (np.sign(float(q - p)) for p, q in pairwise(slopes)) if s]
    return sum(1 for i, s in enumerate(signs) if i == 0 or s != signs[i - 1])


CLAIM = Claim(
    id="sec-2.1-many",
    headline="There can be exponentially many isolated sets of global minima.",
    fault="a bound on the kinks of a net that is too small by one",
    source="Section 2.1, last paragraph",
    statement=(
        "Systems with a discrete symmetry can have isolated global minima, exponentially many as the number of parameters grows. Read as: "
        "for every m there are data for which {F = 0} has at least (m - 1)! components, for a ReLU net with m units."
    ),
    standing=Standing.REMARK,
    tightness=Tightness.LOWER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, spared=1),
    proof=(
        "N points (t_i, 1) with targets 0, 1, 0, 1, ...: the N - 2 second divided differences alternate, and each change of sign needs a kink of its "
        "own, so e(m) > 0 for m < N - 2 (kappa = 0; on a sample the minimum is attained), while N units interpolate. Let m be the least width with "
        "e(m) = 0; every m occurs, since one more point needs at most one more unit. On {F = 0} no weight and no row vanishes and no two rows are positively parallel, else m - 1 units would do; so in the plane "
        "the cyclic order of the m rows is constant along paths (sharper-sign-invariance), and permuting the units gives (m - 1)! orders."
    ),
)
