"""Our own runs of the deep rows of Figure 1, which are shipped, and what can be verified of them without JAX.

`figure1_deep.csv` is what `python -m figures fig1 --task digits --pairs 20` and its like write, one string a line;
`deep_small.csv` what `--small` makes of rows (3) to (5) on one core, one pair each and part of the test set;
`deep_intervals.csv` the same as the first for other intervals between two looks at a bead; `digits_pair.npz` two nets of the
digits row, whose errors are counted again with every rounding bounded (`theory.deep.certified_error`).

Rows (3) to (5) of the first were made side by side on one NVIDIA H200 in twelve minutes, whole test sets, seed 0:

    fig1 --task mnist --data mnist.npz --pairs 10 --levels 0.04 0.02 0.015 0.01 0.009 --together 16
    fig1 --task cifar --data cifar10_jpeg.npz --pairs 8 --levels 0.8 0.7 0.6 0.5 0.4 0.3 --together 16
    fig1 --task cifar --data cifar10_jpeg.npz --pairs 4 --levels 0.2 --together 4
    fig1 --task lstm --data wikitext2.txt.gz --interval 200 --pairs 8 --levels 700 300 250 200 150 135 --together 16 --steps 5000

wikitext2.txt is the validation text of WikiText-2 and its test text behind it. The clock stopped some: where it ended first a pair
has a row with the status "time" and no numbers, whatever steps its settings allowed, and whether it would have been connected,
and by how many beads, is not known. Of MNIST there are the six pairs whose ends met 0.9 % first, and of those two at 1.5 % and
none below; of LSTMs two of eight pairs are missing at 135. In none of four pairs of CIFAR10 nets did both have an error below
20 % within 20,000 steps (status "ends", which does not say whether one had).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.deep import certified_error, models
from theory.numerics import Array, load_archive

FOLDER = resources.files(__package__)
NUMBERS = (
    *("level", "length", "sampled_max", "certified_lower", "certified_upper"),
    *("straight_max", "void_max", "void_length"),
)
LOOSE = {"digits": 1.02, "mnist": 1.02, "cifar": 1.1, "lstm": 1.1}  # what the check accepts, over the level
RUNS, SMALL, INTERVALS, PAIR = "figure1_deep.csv", "deep_small.csv", "deep_intervals.csv", "digits_pair.npz"


@dataclass(frozen=True)
class String:
    """One string between two nets of a level, named as in the table; heights as shares or perplexities, nan: not known.

    sampled_max: met at the points of the check; certified_lower, certified_upper: bounds on the largest for every t; straight_max: met on the line between its ends; void_max, void_length:
    of the string after its first bead; interval: steps between two looks at a bead; accepted: by the authors' check.
    """

    task: str
    level: float
    pair: int
    beads: int
    length: float
    sampled_max: float
    certified_lower: float
    certified_upper: float
    straight_max: float
    void_max: float
    void_length: float
    interval: int
    accepted: bool


@cache
def strings(name: str = RUNS) -> tuple[String, ...]:
    """The strings of one of the files, those whose ends were reached in time."""
    found = []
    for row in csv.DictReader((FOLDER / name).read_text(encoding="utf-8").splitlines()):
        if row["beads"]:
            fields: dict[str, Any] = {key: float(row[key] or "nan") for key in NUMBERS}
            fields |= {key: int(row[key]) for key in ("pair", "beads", "interval")}
            accepted = row["status"] in ("accepted", "connected")
            found.append(String(task=row["task"], accepted=accepted, **fields))
    return tuple(found)


def of(task: str, name: str = RUNS) -> tuple[String, ...]:
    """Our accepted strings of a row, in one of the files."""
    return tuple(string for string in strings(name) if string.task == task and string.accepted)


def means(task: str) -> dict[float, tuple[int, float, float, float]]:
    """Of a row's accepted strings at each level, the highest first: how many, mean length, its standard error, mean beads."""
    found = {}
    for level in dict.fromkeys(string.level for string in of(task)):
        lengths = [string.length for string in of(task) if string.level == level]
        beads = [string.beads for string in of(task) if string.level == level]
        count = len(lengths)
        found[level] = count, float(np.mean(lengths)), float(np.std(lengths) / np.sqrt(count)), float(np.mean(beads))
    return found


def unseen() -> str:
    """In words, how many accepted strings of each row exceeded their level after their first bead."""
    counts = []
    for task in dict.fromkeys(string.task for string in strings()):
        held = [string for string in of(task) if not np.isnan(string.void_max)]
        counts.append(f"{sum(s.void_max > s.level for s in held)} of {len(held)} ({task})")
    return ", ".join(counts)


def verdicts(task: str) -> tuple[int, int, int, int]:
    """Of a row's accepted strings that are bounded for every t: all, those below their level, those above, those with a hidden top.

    A top is hidden when it lies between the points of the check, higher than all of them.
    """
    held = [string for string in of(task) if not np.isnan(string.certified_upper)]
    below = sum(string.certified_upper <= string.level for string in held)
    above = sum(string.certified_lower > string.level for string in held)
    hidden = sum(string.certified_lower > string.sampled_max * (1 + 1e-6) for string in held)
    return len(held), below, above, hidden


def pair() -> tuple[float, Array, Array]:
    """The level, and two nets of the digits row below it."""
    with resources.as_file(FOLDER / PAIR) as file:
        held = load_archive(file)
    ends = np.asarray(held["ends"], dtype=float)
    return float(np.asarray(held["level"])), ends[0], ends[1]


def errors(theta: Array) -> tuple[float, float]:
    """Bounds in exact arithmetic on the share of the 797 test digits that a net of the digits row, theta (3658,), gets wrong."""
    found = certified_error(models.digits(), theta, theta, *_test_set())
    return found.lower, found.upper


@cache
def _test_set() -> tuple[Array, NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    held = load_digits()
    order = np.random.default_rng(0).permutation(len(held.target))[1000:]
    return held.images[order, :, :, None] / 16, held.target[order]
