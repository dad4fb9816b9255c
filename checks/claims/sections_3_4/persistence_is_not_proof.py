"""Appendix E.1: what a persistent high piece of a string means."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.sections_3_4.app_e1_threshold import rise
from theory import string_sampling
from theory.barriers import lower_bound
from theory.counterexamples import Counterexample, permutation_task
from theory.string_sampling import StringResult

LEVEL = 0.05
ANGLES, RADII = np.radians([10.0, 75.0, 130.0]), np.array([1.0, 1.2, 0.8])
POINTS = RADII[:, None] * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)

# Rows of W_1 at the first end, in degrees: three units against four, and how deep the first run may split.
PAIRS = (
    ((-10.0, 70.0, 150.0), (150.0, -20.0, 70.0, 110.0), 2),  # a piece stays above the level
    ((-50.0, 190.0, 70.0), (-50.0, 190.0, 70.0, 120.0), 4),  # a bead does not reach the level
)


def task(degrees: tuple[float, ...]) -> Counterexample:
    """The permutation task from a net with these rows to the first two swapped."""
    t = np.radians(degrees)
    return permutation_task(POINTS, width=len(t), rows=np.stack([np.cos(t), np.sin(t)], axis=1))


def run(problem: Counterexample, depth: int, attempts: int) -> StringResult:
    """Algorithm 1, told nothing of barriers; the first attempt is without randomness."""
    return string_sampling.greedy(
        problem.risk,
        problem.theta_a,
        problem.theta_b,
        LEVEL,
        rng=0,
        depth=depth,
        attempts=attempts,
        max_evaluations=20_000,
    )


def attack(setting: Setting, *, trust_persistence: bool = False) -> Outcome:
    """The permutation task with three units (disconnected, certified) and with four (connected, by an explicit path).

    The same run fails on both, for the same reason and at a similar height; what tells them apart is the certificate.
    Given more depth and attempts the four units connect, and the three never get below e(2). trust_persistence: take
    the height at which a string stays for a bound.
    """
    tally = Tally()
    for k, (rows_3, rows_4, depth) in enumerate(setting.each(PAIRS if setting.full else PAIRS[:1])):
        three, four = task(rows_3), task(rows_4)
        bound = lower_bound(three.risk, three.theta_a, three.theta_b).lower
        tally.add(bound - LEVEL, what="three units: disconnected at the level", bound=bound)
        stuck, slow = run(three, depth, 1), run(four, depth, 1)
        alike = stuck.status is slow.status and not slow.connected and slow.height < 2 * stuck.height < 4 * slow.height
        tally.add(0.0 if alike else -1.0, what="both fail, and look alike", heights=[stuck.height, slow.height])
        walked = four.level + rise(four.risk, four.theta_a, np.array([1, 0, 2, 3]))  # certified maximum of a path
        claimed = slow.height if trust_persistence else 0.0
        tally.add(walked - claimed, what="four units: a path exists", pair=k, height=slow.height)
        tally.add(LEVEL - walked, what="four units: connected at the level", maximum=walked)
        tally.add(0.0 if run(four, 10, 8).connected else -1.0, what="four units connect in the end", pair=k)
        longest = run(three, 10, 2)
        tally.add(longest.height - bound, what="no string below the certified bound", height=longest.height)
    return tally.outcome(f"strings at level {LEVEL}: three units (certified disconnected), four (barrier zero)")


CLAIM = Claim(
    id="persistence-is-not-proof",
    headline="A bead that stays high suggests a disconnection and proves none.",
    fault="persistence is taken for a proof",
    source="Appendix E.1",
    statement="A persistent high interpolated loss between neighbouring beads can come from a slowly converging, "
    "connected "
    "pair of models or from a truly disconnected pair; failures to converge suggest a disconnection, they do not "
    "prove it",
    standing=Standing.EMPIRICAL,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, trust_persistence=True),
    proof="Three units: det Z must vanish, so the barrier is e(2), whatever the string does. Four units: the barrier "
    "is zero, "
    "and yet the same algorithm, same seed, same budget stays at a height that looks the same. 'Proving a "
    "disconnection "
    "is intractable in general' does not bind here: e(2) is a finite computation.",
)
