"""Our own runs of the deep rows of Figure 1, which are shipped, and what can be verified of them without JAX.

`figure1_deep.csv` is what `python -m figures fig1 --task digits --pairs 20` and its like write, one string a line;
`deep_intervals.csv` the same for other intervals between two looks at a bead; `digits_pair.npz` two nets of the digits row,
whose errors are counted here in float64 with every rounding bounded.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from theory.numerics import load_archive

Array = NDArray[np.float64]

FOLDER = resources.files(__package__)
RUNS, INTERVALS, PAIR = "figure1_deep.csv", "deep_intervals.csv", "digits_pair.npz"
LAYERS = ((3, 3, 1, 8), (3, 3, 8, 16), (64, 32), (32, 10))  # of the digits row, weights; a bias behind each
UNIT = 2.0**-53
TERMS = 300  # more than the additions and products along any way from an input to a score


@dataclass(frozen=True)
class String:
    """One string between two nets of a level; heights as shares or perplexities.

    highest: met on the string; straight: on the line between its ends; first, first_length: of the string after its first
    bead, nan where that never reached the level; interval: steps between two looks at a bead; accepted: by the check.
    """

    task: str
    level: float
    pair: int
    beads: int
    length: float
    highest: float
    straight: float
    first: float
    first_length: float
    interval: int
    accepted: bool


@cache
def strings(name: str = RUNS) -> tuple[String, ...]:
    """The strings of one of the two files, those whose ends were reached."""
    found = []
    for row in csv.DictReader((FOLDER / name).read_text(encoding="utf-8").splitlines()):
        if row["beads"]:
            heights = [float(row[key] or "nan") for key in ("sampled_max", "straight_max", "void_max", "void_length")]
            words = (row["task"], float(row["level"]), int(row["pair"]), int(row["beads"]), float(row["length"]))
            found.append(String(*words, *heights, int(row["interval"]), row["status"] in ("accepted", "connected")))
    return tuple(found)


def of(task: str) -> tuple[String, ...]:
    """Our accepted strings of a row."""
    return tuple(string for string in strings() if string.task == task and string.accepted)


def pair() -> tuple[float, Array, Array]:
    """The level, and two nets of the digits row below it."""
    with (FOLDER / PAIR).open("rb") as stream:
        held = load_archive(stream)
    ends = np.asarray(held["ends"], dtype=float)
    return float(np.asarray(held["level"])), ends[0], ends[1]


def errors(theta: Array) -> tuple[float, float]:
    """Bounds on the share of the 797 test digits that a net of the digits row gets wrong, theta (3658,).

    In exact arithmetic: an image counts as decided where its scores lie farther apart than their rounding. By the standard
    model the error of a score is at most TERMS units of the score that absolute weights and inputs give.
    """
    X, y = _test_set()
    scores, room = _scores(theta, X), TERMS * UNIT / (1 - TERMS * UNIT) * _scores(np.abs(theta), np.abs(X))
    own = np.arange(len(y)), y
    low, high = scores - room, scores + room
    others = np.ones(scores.shape, dtype=bool)
    others[own] = False
    right = np.where(others, high, -np.inf).max(axis=1) < low[own]
    wrong = np.where(others, low, -np.inf).max(axis=1) > high[own]
    return float(wrong.mean()), float(1 - right.mean())


@cache
def _test_set() -> tuple[Array, NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    held = load_digits()
    order = np.random.default_rng(0).permutation(len(held.target))[1000:]
    return held.images[order, :, :, None] / 16, held.target[order]


def _scores(theta: Array, x: Array) -> Array:
    """The scores (N, 10) of images (N, 8, 8, 1): 3 x 3 convolution, pool 2, rectifier, twice; dense, rectifier, dense."""
    at = 0
    for k, shape in enumerate(LAYERS):
        size = int(np.prod(shape))
        weights, bias = theta[at : at + size].reshape(-1, shape[-1]), theta[at + size : at + size + shape[-1]]
        at += size + shape[-1]
        if len(shape) == 4:
            side = x.shape[1]
            padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
            x = np.concatenate([padded[:, i : i + side, j : j + side] for i in range(3) for j in range(3)], axis=-1)
            x = (x @ weights + bias).reshape(len(x), side // 2, 2, side // 2, 2, -1).max(axis=(2, 4))
        else:
            x = x.reshape(len(x), -1) @ weights + bias
        x = np.maximum(x, 0) if k < len(LAYERS) - 1 else x
    return x
