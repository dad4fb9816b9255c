"""Section 2.3.2: more units, more pairs at a small angle."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict


def attack(setting: Setting, *, factor: float = 1.0) -> Outcome:
    """m unit rows in R^n: two of them are at a chord of at most 2 / (m^(1/n) - 1), in the plane at an angle of at most 2 pi / m.

    And among nested sets of rows the smallest angle never grows. factor: times the plane's bound, which regular polygons
    attain; 9/10 is a planted fault.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(150, 8000))):
        n, m = int(rng.integers(2, 5)), int(rng.integers(2, 40))
        rows = rng.integers(-50, 51, (m, n))
        rows = rows[rows.any(axis=1)]
        if n == 2:
            m = m if k % 2 else len(rows)
            turns = np.arange(m) / m if k % 2 else np.sort(np.arctan2(rows[:, 1], rows[:, 0]) / (2 * np.pi))
            gaps = np.diff(np.append(turns, turns[0] + 1))
            tally.add(factor / len(turns) - gaps.min() + 1e-14, n=2, m=m, regular=bool(k % 2))
        elif len(rows) > 2**n:
            unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
            near = np.sqrt(np.maximum(2 - 2 * (unit @ unit.T), 0))[np.triu_indices(len(rows), 1)].min()
            tally.add(2 / (len(rows) ** (1 / n) - 1) - near + 1e-14, n=n, m=len(rows))
        closest = [_largest_cosine(rows[:size]) for size in (2, len(rows) // 2 + 1, len(rows)) if size >= 2]
        tally.add(0.0 if all(a <= b for a, b in pairwise(closest)) else -1.0, n=n, m=m, nested=True)
    return tally.outcome("random and regular rows; nested sets compared in rationals")


def _largest_cosine(rows: np.ndarray) -> Fraction:
    """The largest cos |cos| of two rows, exact: it grows as the smallest angle falls."""
    squares = [int(v) for v in np.sum(rows**2, axis=1)]
    products = rows @ rows.T
    found = [
        Fraction(int(products[i, j]) * abs(int(products[i, j])), squares[i] * squares[j])
        for i in range(len(rows))
        for j in range(i)
    ]
    return max(found, default=Fraction(-1))


CLAIM = Claim(
    id="rem-small-angle",
    headline="A wider layer is likelier to have two units at a small angle.",
    fault="nine tenths of the bound that regular polygons attain",
    source="Section 2.3.2, before eq. (8)",
    statement="Increasing the hidden layer dimensionality m will increase the chances to encounter pairs of vectors with small angle.",
    standing=Standing.REMARK,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.SAMPLED,
    confirm=attack,
    control=lambda setting: attack(setting, factor=0.9),
    proof="For independent rows of one law m + 1 rows contain m of them: the smallest angle is no larger. For any rows: caps of radius r/2 around rows at chords "
    "above r are disjoint, so m <= (1 + 2/r)^n; in the plane m gaps sum to 2 pi. Nothing is said of trained rows at different widths.",
)
