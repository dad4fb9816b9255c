"""Appendix B.2, last line: F_o(theta(t)) < F_o(theta*)."""

from __future__ import annotations

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_2.instances import integers, square_sum


def attack(setting: Setting, *, printed: bool = False) -> Outcome:
    """K = 1, Y = M* X: on the line from M_A to M* the risk is below that of theta_A for 0 < t <= 1. Exact.

    printed: below that of theta*, the global minimum (the planted fault).
    """
    import flint

    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(200))):
        n, m = (int(k) for k in rng.integers(1, 4, 2))
        X, best, start = integers(rng, n, 4), integers(rng, m, n), integers(rng, m, n)
        t = flint.fmpq(int(rng.integers(1, 10)), 10)
        here = square_sum((start + (best - start) * t - best) * X)
        larger = square_sum((start - best) * X)
        if larger == 0:
            continue  # the start is a minimum as well
        tally.add(1.0 if here < (larger * 0 if printed else larger) else -1.0, shape=[m, n])
    return tally.outcome("one matrix, the line to the minimum, in rationals")


def witness() -> Witness:
    """(1 - w)^2 from w = 0 to w* = 1: the risk at t = 1/2 is 1/4, above the 0 of theta*."""
    return Witness(
        0.25 > 0.0,
        "no point of a path is below the global minimum: (1 - w)^2 from 0 to 1 is 1/4 at the middle, and F(theta*) = 0",
        {"at the middle": "1/4", "at theta*": 0},
    )


CLAIM = Claim(
    id="prop-2.2-proof-last-line",
    headline="Along the path the risk is below that of the global minimum.",
    instead="A misprint: below that of the starting point.",
    fault="the printed line",
    source="Appendix B.2, last line",
    statement="The path theta(t) satisfies F_o(theta(t)) < F_o(theta*), theta* a global minimum.",
    standing=Standing.PROOF_STEP,
    tightness=Tightness.UPPER,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, printed=True),
    refute=witness,
    repaired="F_o(theta(t)) < F_o(theta_A) for 0 < t <= 1 where the product moves (K = 1). For K >= 2 the path that is meant is constant first (prop-2.2-decreasing).",
    proof="A convex function that is not minimal at the start falls strictly on the line to its minimum.",
)
