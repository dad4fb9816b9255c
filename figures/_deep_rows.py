"""The deep rows of Figure 1: many pairs at many levels, each kept as it is finished (`checks.sweeps`).

Two nets are trained to every level; then, level by level, the authors' string is run between them. A row of the table is one
string, and what a check that looks at nothing would have reported: the same string after its first bead (void_*).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path as File
from typing import Any

import numpy as np

from checks import sweeps
from checks.programs import counter
from checks.sweeps import Cell
from figures import _deep_data
from figures import _experiments as experiments
from theory import string_sampling
from theory.deep import Deep, Together, certified_error, need
from theory.numerics import validation as check
from theory.paths import Path
from theory.string_sampling import Progress, StringResult

COLUMNS = (
    *(
        "task",
        "level",
        "pair",
        "seed",
        "beads",
        "length",
        "status",
        "sampled_max",
        "certified_lower",
        "certified_upper",
        "straight_max",
    ),
    *("void_beads", "void_length", "void_max", "n_test", "interval", "settings"),
)
DIGITS = 8  # of numbers in the table
RELU = ("mnist", "digits")  # rows whose nets are piecewise linear
FINE = 512  # windows of a piece, at most, on which images are certified
UNREACHED = "ends"  # status of a pair whose ends did not get below the level


@dataclass(frozen=True)
class Row:
    """A row of the figure: its levels, and after how many steps an end, after how many blocks a bead, is given up.

    small: levels, pairs and the size of the test set of `--small`; certify: whether strings are certified unless asked not to.
    """

    levels: tuple[float, ...]
    steps: int
    blocks: int
    small_levels: tuple[float, ...]
    small_pairs: int
    small_test: int | None
    certify: bool = False


ROWS = {
    "mnist": Row(
        (0.04, 0.02, 0.015, 0.01, 0.009, 0.0085, 0.008, 0.00775, 0.0075, 0.007), 20_000, 40, (0.04,), 1, 2_000
    ),
    "cifar": Row((0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2), 20_000, 200, (0.8, 0.7, 0.6), 1, 2_000),
    "lstm": Row((700.0, 300.0, 250.0, 200.0, 150.0, 135.0), 20_000, 100, (700.0, 300.0, 250.0, 200.0), 2, 8_000),
    "digits": Row((0.3, 0.2, 0.1, 0.07), 2_000, 200, (0.3, 0.1), 2, None, True),
}


def run(
    task: str,
    pairs: int | None = None,
    *,
    source: File | None = None,
    small: bool = False,
    levels: Sequence[float] | None = None,
    interval: int | None = None,
    seed: int = 0,
    certify: bool | None = None,
    out: File | None = None,
    jobs: int | None = 1,
    scheduler: str | None = None,
    together: int | None = None,
    steps: int | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> list[dict[str, Any]]:
    """One record per pair and level, with the keys of COLUMNS.

    source: the file with the data (`figures._deep_data`); levels: in place of those of the row (default: the paper's); interval: steps between two looks at a bead (default: the
    authors'); certify: whether the error of every string is bounded for every t (ReLU nets without normalisation;
    default: on digits, where it takes seconds). out: a folder for the table, the file of what is finished, and the ends. Workers of a cluster must see
    that folder and the data under the same names. together: so many pairs or strings side by side in this process, trained as one
    batch, in place of jobs and scheduler: for a GPU. steps: after how many an end is given up (default: the row's).
    tell: is told of levels that no pair reached.
    ValueError for data that are not what the task takes, and where the folder holds a run with other settings.
    """
    need("jax"), need("optax")  # before anything is begun
    row = ROWS[task]
    chosen = tuple(row.small_levels if small else row.levels) if levels is None else _levels(levels)
    count = check.positive_integer(pairs or (row.small_pairs if small else 20), "pairs")
    if interval is not None:
        check.positive_integer(interval, "interval")
    steps = row.steps if steps is None else check.positive_integer(steps, "steps")
    if together is not None and check.positive_integer(together, "together") and (scheduler or jobs != 1):
        raise ValueError(f"together is within one process; got jobs {jobs} and scheduler {scheduler} with it")
    if certify and task not in RELU:
        raise ValueError(
            f"certify is for convolutions, pools, rectifiers and dense layers: {', '.join(RELU)}; got {task!r}"
        )
    limit = row.small_test if small else None
    found = _deep_data.task(task, None if source is None else str(source.resolve()), limit, interval)
    own = {
        "task": task,
        "source": None if source is None else source.name,
        "bytes": None if source is None else source.stat().st_size,
        "test": limit,
        "interval": found.preset.block if interval is None else interval,
        "steps": steps,
        "blocks": row.blocks,
        "seed": seed,
    }
    side_by_side = None if together is None else ThreadPoolExecutor(together)
    with experiments.folder(out) as place, side_by_side or experiments.workers(jobs, scheduler) as executor:
        place.mkdir(parents=True, exist_ok=True)
        file = place / f"fig1-{task}.sqlite"
        _same_settings(own | {"levels": list(chosen)}, file)
        where = {"folder": str(place.resolve()), "source": None if source is None else str(source.resolve())}
        shared: dict[str, Any] = {} if together is None else {"together": Together()}
        _task(own, where["source"])  # read once: threads find it

        def sweep(function: Callable[..., Mapping[str, Any]], cells: list[Cell], what: str, **own: Any) -> list[Cell]:
            name = f"{__name__}.{function.__name__}"
            with counter(f"{task}: {what}") as progress:
                return sweeps.run(
                    partial(function, **where, **own), cells, file, name=name, executor=executor, progress=progress
                )

        cells = [own | {"pair": pair, "levels": list(chosen)} for pair in range(count)]
        ends = sweep(train_ends, cells, "ends", **shared)
        strings = [
            own | {"pair": pair, "level": level, "at": k, "ends": ends[pair]["file"]}
            for k, level in enumerate(chosen)
            for pair in range(count)
            if ends[pair]["reached"][k]
        ]
        records = sweep(connect, strings, "strings", **shared)
        if row.certify if certify is None else certify:
            accepted = [record for record in records if record["status"] == "accepted"]
            pieces = [
                {"task": task, "test": limit, "file": record["file"], "piece": piece}
                for record in accepted
                for piece in range(record["beads"] - 1)
            ]
            bounds = sweep(bound, pieces, "pieces")
            for record in accepted:
                found = [one for cell, one in zip(pieces, bounds) if cell["file"] == record["file"]]
                record["certified_lower"], record["certified_upper"] = (
                    max(one[side] for one in found) for side in ("lower", "upper")
                )
                if record["certified_upper"] <= record["level"]:
                    record["status"] = "connected"
    for k, level in enumerate(chosen):
        left = [pair for pair in range(count) if not ends[pair]["reached"][k]]
        if left:
            tell(f"{task}: level {level:g} was not reached within {steps:,} steps by {len(left)} of {count} pairs")
        for pair in left:
            records.append(_record(own | {"pair": pair, "level": level}, found.tested, status=UNREACHED))
    records.sort(key=lambda record: (chosen.index(record["level"]), record["pair"]))
    if out is not None:
        write(File(out) / f"fig1-{task}.csv", records)
    return records


def _levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Levels of one's own, the easiest first; ValueError unless they are positive and differ."""
    chosen = sorted((check.number(level, "levels", minimum=0.0, open_minimum=True) for level in levels), reverse=True)
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"levels must be at least one, and differ; got {list(levels)}")
    return tuple(chosen)


def _same_settings(settings: dict[str, Any], file: File) -> None:
    """The settings that the file of a sweep began with must be these; ValueError names the first that is not."""
    with ThreadPoolExecutor(1) as here:
        (held,) = sweeps.run(partial(_settings, settings), [{}], file, name=f"{__name__}.settings", executor=here)
    for key, value in settings.items():
        if held.get(key) != value:
            raise ValueError(f"{key} is {value!r} here and {held.get(key)!r} in {file}: give another folder by --out")


def _settings(settings: dict[str, Any], cell: Cell) -> dict[str, Any]:
    return settings


def _task(cell: Cell, source: str | None) -> Any:
    interval = cell["interval"] if cell["task"] == "lstm" else None
    return _deep_data.task(cell["task"], source, cell["test"], interval)


def train_ends(cell: Cell, *, folder: str, source: str | None, together: Together | None = None) -> Cell:
    """Both ends of a pair at every level, into a file of the folder: which were reached, after how many steps."""
    with nullcontext() if together is None else together.member():
        deep = Deep(_task(cell, source), rng=[cell["seed"], cell["pair"], 0], together=together)
        ends = deep.ends(cell["levels"], steps=cell["steps"])
    name = f"fig1-{cell['task']}-ends-{cell['seed']}-{cell['pair']}.npy"
    np.save(File(folder) / name, ends.points)
    return {"file": name, "reached": (ends.steps >= 0).all(axis=1).tolist(), "steps": ends.steps.tolist()}


def connect(cell: Cell, *, folder: str, source: str | None, together: Together | None = None) -> Cell:
    """The authors' string between the ends of a pair at one level, as a record."""
    task, place = _task(cell, source), _kept(folder, cell["ends"])
    a, b = np.load(place, mmap_mode="r")[cell["at"]]
    seed = [cell["seed"], cell["pair"], 1 + cell["at"]]
    deep = Deep(task, block=cell["interval"], blocks=cell["blocks"], rng=seed, together=together)
    rounds: list[Progress] = []  # the first and the last

    def keep(progress: Progress) -> None:
        rounds[1:] = [progress]

    preset = task.preset
    with nullcontext() if together is None else together.member():
        result = string_sampling.published(
            deep,
            a,
            b,
            cell["level"],
            alpha=preset.alpha,
            acceptance=preset.acceptance,
            points=preset.points,
            insert=preset.insert,
            callback=keep,
        )
    straight = float(deep.look(a[None], b[None]).top[0])
    name = f"fig1-{cell['task']}-string-{cell['seed']}-{cell['pair']}-{cell['level']!r}.npy"
    np.save(File(folder) / name, result.string.points.astype(np.float32))
    return _record(cell, task.tested, result, deep.weights, straight, rounds) | {"file": name}


def bound(cell: Cell, *, folder: str, source: str | None) -> Cell:
    """What is proved of one piece of a string: bounds on the largest error over t in [0, 1], at most on FINE windows."""
    task, beads = _task(cell, source), np.load(_kept(folder, cell["file"]), mmap_mode="r")
    ends = beads[cell["piece"]].astype(float), beads[cell["piece"] + 1].astype(float)
    found = certified_error(task.net, *ends, task.inputs, task.y_test, max_windows=FINE)
    return {key: getattr(found, key) for key in ("lower", "upper", "t", "undecided", "windows", "work")}


def _kept(folder: str, name: str) -> File:
    """A file of the folder of a run; ValueError where it is gone."""
    place = File(folder) / name
    if not place.is_file():
        raise ValueError(f"{place} is gone, which the finished part of this run needs; give another folder by --out")
    return place


def _record(
    cell: Cell,
    tested: int,
    result: StringResult | None = None,
    weights: Any = None,
    straight: float | None = None,
    rounds: Sequence[Progress] = (),
    status: str = "",
) -> dict[str, Any]:
    """One line of the table; None where there is nothing to say."""
    record: dict[str, Any] = dict.fromkeys(COLUMNS)
    record |= {key: cell[key] for key in ("task", "level", "pair", "seed", "interval")}
    kept = ("source", "bytes", "test", "steps", "blocks")
    record |= {"n_test": tested, "status": status, "settings": json.dumps({key: cell[key] for key in kept})}
    if result is None:
        return record
    record |= {
        "beads": result.beads,
        "length": _length(result.string, weights),
        "status": result.status.name.lower(),
        "sampled_max": rounds[-1].worst if rounds else result.maximum.value,
        "straight_max": straight,
    }
    for first in rounds[:1]:
        void = {"void_beads": first.beads, "void_length": _length(first.string, weights), "void_max": first.worst}
        record |= void
    return record


def _length(string: Path, weights: Any) -> float:
    """Normalised, over the weights: biases do not count, as in the paper."""
    return Path(string.points[:, weights]).normalised_length


def write(file: File, records: Sequence[Mapping[str, Any]]) -> None:
    """The table: one line per string, empty where there is nothing to say."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(map(in_words, records))


def in_words(record: Mapping[str, Any]) -> dict[str, str]:
    """A record as the table has it."""
    words = lambda v: "" if v is None else f"{v:.{DIGITS}g}" if isinstance(v, float) else str(v)  # noqa: E731
    return {key: words(record[key]) for key in COLUMNS}
