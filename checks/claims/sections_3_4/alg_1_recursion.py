"""Algorithm 1 as printed leaves the second half of a split piece unvisited when the first half needs work."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.sections_3_4 import instances
from theory import string_sampling
from theory.maxima import segment_maxima
from theory.risk import Risk
from theory.string_sampling import train

ALPHA = 0.9


def recursion(risk: Risk, a: np.ndarray, b: np.ndarray, level: float, *, both: bool, depth: int = 12) -> np.ndarray:
    """FindConnection of Algorithm 1 with t* = 0.5: the bead list. both=False: its first `return` ends the call."""
    beads = [a, b]

    def find(left: int, depth: int) -> int:
        """Split the piece after bead `left`; how many beads were put there."""
        start, end = beads[left], beads[left + 1]
        radius = max(0.25 * float(np.linalg.norm(end - start)), 1e-9 * (1 + float(np.linalg.norm(start))))
        bead = train(risk, ((start + end) / 2)[None], ALPHA * level, radius=radius).points[0]
        beads.insert(left + 1, bead)
        high = segment_maxima(risk, np.stack([start, bead]), np.stack([bead, end]), ceiling=level).upper > level
        put = 1
        if high[0] and depth > 0:
            put += find(left, depth - 1)
            if not both:
                return put
        if high[1] and depth > 0:
            put += find(left + put, depth - 1)
        return put

    if segment_maxima(risk, a[None], b[None], ceiling=level).upper[0] > level:
        find(0, depth)
    return np.stack(beads)


def attack(setting: Setting, *, both: bool = True) -> Outcome:
    """The bead list of the recursion, certified; and that rounds over all failing pieces give the same beads."""
    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(6, 60))):
        _valley(tally, rng, both)
        risk = instances.problems(rng)[0][1]
        level = 0.03
        a, b = instances.ends(risk, level / 2, rng)
        _compare(tally, risk, a, b, level, both)
    return tally.outcome(
        "certified maxima of the recursion's string; the rounds of theory.string_sampling.algorithms agree with it"
    )


def _valley(tally: Tally, rng: np.random.Generator, both: bool) -> None:
    risk, _, level = instances.valley()
    p, q = rng.uniform(0.1, 0.4, 2)
    _compare(tally, risk, np.array([p, 1 / p]), np.array([1 / q, q]), level, both)


def _compare(tally: Tally, risk: Risk, a: np.ndarray, b: np.ndarray, level: float, both: bool) -> None:
    beads = recursion(risk, a, b, level, both=both)
    upper = segment_maxima(risk, beads[:-1], beads[1:], ceiling=level).upper.max()
    tally.add((level - upper) / level, widths=risk.network.widths, a=a, b=b, level=level, beads=len(beads))
    rounds = string_sampling.greedy(risk, a, b, level, alpha=ALPHA, depth=13, attempts=1)
    same = len(beads) == rounds.beads and np.allclose(beads, rounds.string.points, rtol=1e-6, atol=1e-9)
    tally.add(0.0 if same else -1.0, widths=risk.network.widths, a=a, b=b, level=level, beads=rounds.beads)


def witness() -> Witness:
    """F = (w1 w2 - 1)^2, L0 = 1/4, ends (1/4, 4), (4, 1/4), first bead (1, 1): the second half is never visited."""
    one = Fraction(1)

    def F(p: tuple[Fraction, Fraction]) -> Fraction:
        return (p[0] * p[1] - 1) ** 2

    def middle(p: tuple[Fraction, Fraction], q: tuple[Fraction, Fraction]) -> tuple[Fraction, Fraction]:
        return (p[0] + q[0]) / 2, (p[1] + q[1]) / 2

    def highest(p: tuple[Fraction, Fraction], q: tuple[Fraction, Fraction]) -> Fraction:
        """Along a segment with falling second and rising first weight w1 w2 is a concave parabola in t."""
        d, e = q[0] - p[0], q[1] - p[1]
        t = -(p[0] * e + p[1] * d) / (2 * d * e)
        inside = [F((p[0] + t * d, p[1] + t * e))] if 0 < t < 1 else []
        return max([F(p), F(q), *inside])

    level, a, b, bead = Fraction(1, 4), (one / 4, 4 * one), (4 * one, one / 4), (one, one)
    second = (one / 2, 2 * one)  # the bead of the first half; its own halves are low, so the recursion ends there
    done = max(highest(a, second), highest(second, bead))
    left, right = highest(a, bead), highest(bead, b)
    trained = all(F(p) <= level for p in (a, b, bead, second))
    return Witness(
        refuted=trained and left > level and done <= level and right > level and F(middle(bead, b)) > level,
        explanation=(
            "both halves of the split at (1, 1) exceed the level; the first `return` settles the left one and the "
            "right one stays above the level although the algorithm has converged"
        ),
        values={"level": level, "left": left, "left_after": done, "right": right},
    )


CLAIM = Claim(
    id="alg-1-recursion",
    headline="Algorithm 1 visits both halves of a piece that it splits.",
    instead="As printed its first return skips the second half.",
    fault="the printed recursion",
    source="Algorithm 1, lines 12 and 13",
    statement="FindConnection visits both halves of a split piece, so that a converged bead list is connected below L0.",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, both=False),
    refute=witness,
    repaired="With the two calls made one after the other (no return before the second), every piece that exceeds L0 is split.",
    proof=(
        "As printed line 12 returns when the first half exceeds L0, and line 13 is reached only when it does not. With "
        "both calls made, the algorithm ends with every piece at most L0 or at its depth limit; pieces of one depth do "
        "not depend on each other, so the order (depth first, or a round per depth) does not change the string."
    ),
)
