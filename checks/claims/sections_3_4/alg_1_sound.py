"""A converged run certifies a connection, when the maximum along each piece is the true one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.sections_3_4 import alg_1_recursion, instances
from theory import polynomial_tasks, string_sampling
from theory.numerics import gamma
from theory.paths import Path
from theory.risk import Risk

ALGORITHMS = ("greedy", "breadth_first", "hyperplane")
LOOK = 257  # points at which each piece of a reported connection is looked at again


def attack(setting: Setting, *, accept: float | None = None) -> Outcome:
    """Every reported connection, looked at again: ends kept, bound below the level, no point above the bound.

    accept: a planted fault: report what the authors' code accepts, with this factor and their grid.
    """
    tally, rng = Tally(), setting.rng
    connected = dict.fromkeys(ALGORITHMS if accept is None else ("authors",), 0)
    rounds = setting.instances(1, 20)
    for name, risk, level in setting.each(instances.problems(rng) * rounds):
        a, b = instances.ends(risk, level, rng)
        for algorithm in connected:
            if accept is None:
                result = getattr(string_sampling, algorithm)(risk, a, b, level, rng=rng, attempts=2)
                path, upper = result.path, result.maximum.upper
            else:
                result = polynomial_tasks.authors_string(risk, a, b, level, acceptance=accept, steps=600)
                path = result.string if result.status.name in ("ACCEPTED", "CONNECTED") else None
                upper = result.maximum.upper
            if path is None:
                continue
            connected[algorithm] += 1
            seen = highest(risk, path)
            ends_kept = np.array_equal(path.points[0], a) and np.array_equal(path.points[-1], b)
            margin = min((level - upper) / level, (upper - seen) / level + gamma(10_000), 0.0 if ends_kept else -1.0)
            tally.add(margin, problem=name, algorithm=algorithm, level=level, upper=upper, seen=seen)
    counts = ", ".join(f"{name} {count}" for name, count in connected.items())
    note = f"reported connections examined again at {LOOK} points of every piece: {counts}"
    return (tally if all(connected.values()) else Tally()).outcome(note)  # nothing is shown of one that never connects


def highest(risk: Risk, path: Path) -> float:
    """The largest risk at LOOK points of every piece: a lower bound on the maximum."""
    t = np.linspace(0, 1, LOOK)[:, None]
    return max(float(risk.batch((1 - t) * p + t * q).max()) for p, q in zip(path.points[:-1], path.points[1:]))


def witness() -> Witness:
    """As printed: a run that ends with a piece unseen (alg-1-recursion). As coded: a piece of (w1 w2 - 1)^2 that a grid accepts."""
    unseen = alg_1_recursion.witness()
    level, worst, at = Fraction(1, 70), Fraction(0), Fraction(0)
    grid = [F(Fraction(k, 100)) for k in range(100)]
    for k in range(101):
        if F(Fraction(k, 100)) > worst:
            worst, at = F(Fraction(k, 100)), Fraction(k, 100)
    ends_low = F(Fraction(0)) <= level and F(Fraction(1)) <= level
    accepted = max(grid) < Fraction(11, 10) * level
    return Witness(
        refuted=unseen.refuted and ends_low and accepted and worst > level,
        explanation="Algorithm 1 as printed ends with its right half above the level and unseen; and in the "
        "published code a piece with both "
        "ends at risk 0 passes max < 1.1 L0 on t = 0, 0.01, ..., 0.99 and rises above L0",
        values={
            "unseen piece": unseen.values["right"],
            "its level": unseen.values["level"],
            "grid: level": level,
            "risk": worst,
            "t": at,
        },
    )


def F(t: Fraction) -> Fraction:
    """(w1 w2 - 1)^2 at (1 - t) (1/2, 2) + t (1, 1)."""
    return ((1 + t) / 2 * (2 - t) - 1) ** 2


CLAIM = Claim(
    id="alg-1-sound",
    headline="A run of Algorithm 1 that converges certifies a connection.",
    instead="It does when both halves are visited, and the true maximum of each piece is held against the level "
    "itself.",
    fault="the authors' own acceptance: their grid, and 1.1 times the level",
    source="Section 3.2: the algorithm will faithfully certify that two models are connected if it converges",
    statement="A converged run certifies that the two models are connected below L0.",
    standing=Standing.REMARK,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, accept=polynomial_tasks.ACCEPTANCE),
    refute=witness,
    repaired="With both recursive calls made and each piece's maximum, as printed, the true one (bounded from above, "
    "not sampled) compared with "
    "L0 itself, it does.",
    proof=(
        "The string is a continuous polyline; if an upper bound on the risk of every piece is at most L0, the whole "
        "of "
        "it lies in the sublevel set. As printed the second half of a split piece may stay unseen (alg-1-recursion); "
        "and where the paper "
        "prints a maximum over t the published code takes a grid, a lower bound, leaves out t = 1, and accepts 1.1 "
        "L0."
    ),
)
