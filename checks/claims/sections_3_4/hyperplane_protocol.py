"""The comparison that decides "more control" (Appendix A), fixed before it was run.

    python -m checks.claims.sections_3_4.hyperplane_protocol      # runs it, and writes hyperplane_protocol.csv

Three tasks, PAIRS pairs of ends on each. `greedy` and `hyperplane` get the same ends and the same allowance of
evaluations; each begins again with displaced beads as often as that allows. A string succeeds when it is certified
below the level within the allowance. Two two-sided sign tests a task: on success (pairs of which one algorithm
alone connects) and on length (pairs that both connect). A test favours an algorithm when its exact p-value is below
SIGNIFICANCE, 0.05 shared between the six tests.

    HOLDS     on every task a test favours the hyperplane, and no test favours greedy
    REFUTED   some test favours greedy, and none favours the hyperplane
    OPEN      anything else

Levels and allowance were chosen from eight strings a task of `greedy` alone, with another seed, so that most connect
and some do not. Nothing was chosen from a string of `hyperplane`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib import resources
from math import comb
from pathlib import Path
from typing import Any

import numpy as np

from checks.claim import Verdict
from checks.claims.sections_3_4 import instances
from theory import polynomial_tasks, string_sampling
from theory.networks import Network
from theory.risk import Risk, Sample

SEED = 20170424
PAIRS = 200
ALLOWANCE = 5000  # evaluations
SIGNIFICANCE = 0.05 / 6
LEVELS = {"quadratic": 0.004, "cubic": 0.015, "relu": 0.003}
ALGORITHMS = ("greedy", "hyperplane")
FILE = resources.files(__package__) / "hyperplane_protocol.csv"


@dataclass(frozen=True)
class Pair:
    """One pair of ends: which algorithm connected it within the allowance, and how long its string is (nan otherwise)."""

    task: str
    pair: int
    greedy: bool
    hyperplane: bool
    greedy_length: float
    hyperplane_length: float
    greedy_evaluations: int
    hyperplane_evaluations: int


@cache
def risk(task: str) -> Risk:
    """The risk of a task: the polynomial ones of section 4.1, and a 2-6-1 ReLU net on 32 points with the squared loss."""
    if task != "relu":
        return polynomial_tasks.task(task, points=24)
    X = np.random.default_rng(SEED).uniform(-1, 1, (32, 2))
    return Risk(Network((2, 6, 1), bias=True), Sample(X, np.abs(X[:, :1]) - 0.5 * X[:, 1:] ** 2))


def run(task: str, pair: int) -> Pair:
    """Both algorithms on one pair of ends, which its number alone determines."""
    F, level, seed = risk(task), LEVELS[task], [SEED, list(LEVELS).index(task), pair]
    a, b = instances.ends(F, level, np.random.default_rng(seed))
    seen: dict[str, object] = {}
    for name in ALGORITHMS:
        found = getattr(string_sampling, name)(
            F, a, b, level, rng=np.random.default_rng(seed), attempts=20, max_evaluations=ALLOWANCE
        )
        done = found.connected and found.evaluations <= ALLOWANCE
        seen |= {
            name: done,
            f"{name}_length": found.path.normalised_length if done else float("nan"),
            f"{name}_evaluations": found.evaluations,
        }
    return Pair(task=task, pair=pair, **seen)  # type: ignore[arg-type]


def sign_test(first: int, second: int) -> float:
    """Two-sided exact p-value of `first` against `second` wins under a fair coin; 1 without any."""
    n, k = first + second, max(first, second)
    return min(1.0, 2 * sum(comb(n, j) for j in range(k, n + 1)) / 2**n)


@dataclass(frozen=True)
class Test:
    """A sign test: how often the hyperplane won, how often greedy did, and the p-value."""

    task: str
    on: str
    hyperplane: int
    greedy: int

    @property
    def favours(self) -> str:
        """The algorithm that it favours, or nothing."""
        if sign_test(self.hyperplane, self.greedy) >= SIGNIFICANCE:
            return ""
        return "hyperplane" if self.hyperplane > self.greedy else "greedy"


def tests(table: list[Pair]) -> list[Test]:
    """The two sign tests of each task."""
    found = []
    for task in LEVELS:
        rows = [row for row in table if row.task == task]
        both = [row for row in rows if row.greedy and row.hyperplane]
        found += [
            Test(
                task,
                "success",
                sum(r.hyperplane and not r.greedy for r in rows),
                sum(r.greedy and not r.hyperplane for r in rows),
            ),
            Test(
                task,
                "length",
                sum(r.hyperplane_length < r.greedy_length for r in both),
                sum(r.greedy_length < r.hyperplane_length for r in both),
            ),
        ]
    return found


def rule(table: list[Pair]) -> Verdict:
    """What the comparison says of "more control", by the rule above."""
    favoured = {task: {test.favours for test in tests(table) if test.task == task} - {""} for task in LEVELS}
    everywhere = set().union(*favoured.values())
    if "greedy" in everywhere:
        return Verdict.OPEN if "hyperplane" in everywhere else Verdict.REFUTED
    return Verdict.HOLDS if all(favoured.values()) else Verdict.OPEN


def shipped() -> list[Pair]:
    """The table that a run of the protocol left."""
    rows = csv.DictReader(FILE.read_text(encoding="utf-8").splitlines())
    kinds: dict[str, Callable[[str], Any]] = {
        "str": str,
        "int": int,
        "float": float,
        "bool": lambda text: text == "True",
    }
    return [Pair(**{field.name: kinds[str(field.type)](row[field.name]) for field in fields(Pair)}) for row in rows]


def main() -> None:
    """Run the protocol, write its table, print its tests and the verdict."""
    table = [run(task, pair) for task in LEVELS for pair in range(PAIRS)]
    with Path(str(FILE)).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Pair)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in table)
    for test in tests(table):
        print(
            f"{test.task}, {test.on}: hyperplane {test.hyperplane}, greedy {test.greedy}, {test.favours or 'neither'}"
        )
    print(rule(table).name)


if __name__ == "__main__":
    main()
