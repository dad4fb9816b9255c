"""The published numbers of Figure 1 (level, mean, standard error), read from the plots' own data by their authors."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

import numpy as np

from theory.numerics import Array

TASKS = ("quadratic", "cubic", "mnist_cnn", "cifar10_cnn", "ptb_lstm")
FILE = resources.files(__package__) / "paper_figure1.csv"


def lengths(task: str) -> Array:
    """(k, 3): level, mean normalised length, standard error."""
    return _table(task, "norm_length").copy()


def beads(task: str) -> Array:
    """(k, 3): level, mean number of beads (both ends included), standard error."""
    return _table(task, "num_beads").copy()


def fit(table: Array, *, exponential: bool = False, above: float = 0.0) -> tuple[float, float]:
    """Slope and R^2 of log(mean - above) against log(level), or against the level itself for an exponential law.

    table (k, 3) as `lengths` gives it; above: 1 for the excess of a length.
    """
    x, y = table[:, 0] if exponential else np.log(table[:, 0]), np.log(table[:, 1] - above)
    slope, shift = np.polyfit(x, y, 1)
    return float(slope), float(1 - np.sum((y - slope * x - shift) ** 2) / np.sum((y - y.mean()) ** 2))


@cache
def _table(task: str, quantity: str) -> Array:
    rows = csv.DictReader(FILE.read_text(encoding="utf-8").splitlines())
    chosen = [row for row in rows if row["task"] == task and row["quantity"] == quantity]
    if not chosen:
        raise ValueError(f"task must be one of {', '.join(TASKS)}; got {task!r}")
    return np.array([[float(row[name]) for name in ("x", "y", "y_err_high")] for row in chosen])
