"""The runs of Figure 1 that are shipped (`figures/data`): rows (1) and (2), and the deep ones where their file is there (`DEEP`).

A record is a dict of one string: pair, level, preset, accepted, status, beads, length, length_weights, value (the largest
risk met on it) and upper (a bound). Beside the strings of `polynomial_tasks.PRESETS` stands the straight line
("straight"); of deep nets there are strings checked at points ("checked"), those whose risk is certified ("certified"),
and what a check that looks at nothing accepts, the string of one bead ("void").
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path as File
from typing import Any

import numpy as np

from checks.claims.sections_3_4 import published
from theory import polynomial_tasks

FOLDER = File(__file__).with_name("data")
DEEP = File(published.__file__).with_name("figure1_deep.csv")  # beside the published numbers: claims read it too
WORDS, NUMBERS = (
    ("level", "pair", "preset", "accepted", "status", "beads"),
    ("length", "length_weights", "value", "upper"),
)
DIGITS = 8  # of numbers in a file; bounds are written in full
DEEP_TASKS = {"mnist": "mnist_cnn", "cifar": "cifar10_cnn", "lstm": "ptb_lstm", "digits": "digits"}
LATE = "time"  # status of a pair that was not done at a level when the time of its run ended
PERCENT = ("mnist", "cifar", "digits")  # levels are fractions in the file, percent in the paper
Record = dict[str, Any]


def file_of(task: str, alpha: float, folder: File = FOLDER) -> File:
    """Where the runs of a task are kept whose beads were trained to alpha * level."""
    return folder / f"figure1_{task}{'' if alpha == polynomial_tasks.ALPHA else f'_alpha{alpha:g}'}.csv"


def write(file: File, records: Sequence[Record], settings: dict[str, Any]) -> None:
    """Records as CSV, under a comment with the settings of the runs as JSON."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        stream.write(f"# {json.dumps(settings)}\n")
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(WORDS + NUMBERS)
        for record in records:
            words = {**record, "accepted": int(record["accepted"])}
            numbers = [f"{record[key]:.{DIGITS}g}" for key in NUMBERS[:-1]]
            table.writerow([words[key] for key in WORDS] + [*numbers, repr(float(record["upper"]))])


def read(file: File) -> tuple[list[Record], dict[str, Any]]:
    """The records and the settings of a file that `write` wrote."""
    with file.open(newline="", encoding="utf-8") as stream:
        settings = json.loads(stream.readline().removeprefix("#"))
        rows = list(csv.DictReader(stream))
    whole, real = ("pair", "beads", "accepted"), ("level", *NUMBERS)
    return [row | {k: int(row[k]) for k in whole} | {k: float(row[k]) for k in real} for row in rows], settings


def short(row: str) -> str:
    """What `--task` calls a row."""
    return next((task for task, name in DEEP_TASKS.items() if name == row), row)


def deep(file: File = DEEP) -> dict[str, list[Record]]:
    """The records of the deep rows by their published name; none where there is no such file.

    ValueError for a file without the columns that are read, or with a task that is none of DEEP_TASKS.
    """
    found: dict[str, list[Record]] = {}
    for line, row in enumerate(_rows(file), start=2):
        try:
            found.setdefault(DEEP_TASKS[row["task"]], []).extend(strings(row))
        except (KeyError, ValueError) as error:
            raise ValueError(f"{file.name}, row {line}: not a run of a deep net ({error!r})") from error
    return found


def late(file: File = DEEP) -> dict[str, int]:
    """Of the deep rows by their published name: how many pairs time ended before, counted at each level; none where all were done."""
    return dict(Counter(DEEP_TASKS[row["task"]] for row in _rows(file) if row["status"] == LATE))


def _rows(file: File) -> list[dict[str, str]]:
    """The rows of a deep file, comments left out; none where there is no such file."""
    if not file.exists():
        return []
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(line for line in stream if not line.startswith("#")))


def strings(row: dict[str, str]) -> list[Record]:
    """One row of the deep file as records, levels and risks in the paper's units; what is not known is left out."""
    unit = 100.0 if row["task"] in PERCENT else 1.0
    number = {
        key: float(row[key] or "nan")
        for key in ("level", "length", "beads", "sampled_max", "certified_upper", "straight_max")
        + ("void_beads", "void_length", "void_max")
    }
    connected = row["status"].lower() in ("accepted", "connected")
    certified = connected and number["certified_upper"] <= number["level"]
    ours = number["length"], number["beads"]
    kinds = {
        "checked": (connected, *ours, number["sampled_max"]),
        "certified": (certified, *ours, number["certified_upper"]),
        "void": (True, number["void_length"], number["void_beads"], number["void_max"]),
        "straight": (True, 1.0, 2, number["straight_max"]),
    }
    same = {
        "level": round(unit * number["level"], 9),
        "pair": int(row["pair"]),
        "upper": np.nan,
        "status": row["status"],
    }
    return [
        same | {"preset": preset, "accepted": accepted, "length_weights": length, "beads": beads, "value": unit * top}
        for preset, (accepted, length, beads, top) in kinds.items()
        if not np.isnan(top) or (preset == "checked" and accepted)
    ]


def summary(records: Sequence[Record], levels: Sequence[float], preset: str, field: str) -> np.ndarray:
    """(levels, 4): mean, standard error (population deviation / sqrt n, as the authors), n accepted, n tried.

    field: of the records, or "height", the highest risk over the level: the certified bound of certified strings where
    they have one, else the largest value met. Every pair at the level was tried, also where the preset has no record of it.
    """
    found = np.full((len(levels), 4), np.nan)
    for k, level in enumerate(levels):
        there = [r for r in records if r["level"] == level]
        values = [_field(r, field) for r in there if r["preset"] == preset and r["accepted"]]
        known = np.array([value for value in values if np.isfinite(value)], dtype=float)
        found[k, 2:] = known.size, len({r["pair"] for r in there})
        if known.size:
            found[k, :2] = known.mean(), known.std() / np.sqrt(known.size)
    return found


def _field(record: Record, field: str) -> float:
    if field != "height":
        return float(record[field])
    proved = record["preset"] in ("certified", "shortened") and np.isfinite(record["upper"])
    return float(record["upper" if proved else "value"]) / record["level"]


def tried(table: np.ndarray) -> str:
    """In words, how many pairs were tried at the levels of a table of `summary`."""
    few, many = int(table[:, 3].min()), int(table[:, 3].max())
    return f"{many}" if few == many else f"{few} to {many}"
