"""The runs behind Figure 1: many pairs at many levels, each kept as it is finished (`checks.sweeps`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from checks import clusters, sweeps
from checks.processes import cpus, processes
from checks.programs import counter
from checks.sweeps import Cell
from figures import _figure1
from theory import maxima, polynomial_tasks
from theory.risk import Risk

CHUNK = 5  # pairs whose ends are trained as one batch


def run(
    task: str,
    levels: Sequence[float],
    pairs: int,
    *,
    points: int = 512,
    seed: int = 0,
    alpha: float = polynomial_tasks.ALPHA,
    steps: int = polynomial_tasks.MAX_STEPS,
    out: File | None = None,
    jobs: int | None = 1,
    scheduler: str | None = None,
) -> list[dict]:
    """One record per pair, level and preset: fields of `polynomial_tasks.Row`, and the number of the pair.

    The last preset is the straight line between the ends. Pairs whose ends did not reach a level within `steps` have no
    record there. out: a folder for the records (`_figure1.write`), and for a file in which everything finished is kept, so
    that a run that was stopped goes on; jobs: processes (None: one per core); scheduler: that of the cluster whose workers
    compute instead, see `checks.clusters`.
    """
    own = {"task": task, "points": points, "seed": seed, "steps": steps}
    with folder(out) as place, workers(jobs, scheduler) as executor:
        file = place / f"fig1-{task}.sqlite"

        def sweep(function: Callable[[Cell], Mapping[str, Any]], cells: list[Cell], what: str) -> list[Cell]:
            with counter(f"{task}: {what}") as progress:
                return sweeps.run(function, cells, file, executor=executor, progress=progress)

        chunks = [{**own, "first": first} for first in range(0, pairs, CHUNK)]
        trained = [chunk["ends"] for chunk in sweep(train_ends, chunks, "ends")]
        cells = []
        for pair in range(pairs):
            ends = trained[pair // CHUNK][pair % CHUNK]
            for level in sorted(levels, reverse=True):
                a, b = ends[polynomial_tasks.LEVELS[task].index(level)]
                if a is not None and b is not None:
                    cells.append({**own, "alpha": alpha, "level": level, "pair": pair, "a": a, "b": b})
        found = sweep(connect, cells, "pairs")
    risk = polynomial_tasks.task(task, points=points)
    records = [
        {**row, "pair": cell["pair"]}
        for cell, rows in zip(cells, found)
        for row in (*rows["rows"], _straight(risk, cell))
    ]
    if out is not None:
        _figure1.write(_figure1.file_of(task, alpha, out), records, {**own, "alpha": alpha, "pairs": pairs})
    return records


def train_ends(cell: Cell) -> Cell:
    """The ends of CHUNK pairs from number `first` on: ends[pair][level] = (a, b), None where one was not reached."""
    risk, levels = polynomial_tasks.task(cell["task"], points=cell["points"]), polynomial_tasks.LEVELS[cell["task"]]
    rng = [cell["seed"], cell["first"]]
    ends = polynomial_tasks.trained_ends(risk, levels, 2 * CHUNK, rng=rng, steps=cell["steps"])
    ends = ends.reshape(len(levels), CHUNK, 2, -1).swapaxes(0, 1)
    return {"ends": [[[_listed(end) for end in pair] for pair in row] for row in ends]}


def _listed(end: np.ndarray) -> list[float] | None:
    return end.tolist() if np.isfinite(end).all() else None


def connect(cell: Cell) -> Cell:
    """One pair at one level, under every preset."""
    risk = polynomial_tasks.task(cell["task"], points=cell["points"])
    a, b, rng = np.array(cell["a"]), np.array(cell["b"]), [cell["seed"], cell["pair"]]
    rows = polynomial_tasks.pair_rows(risk, a, b, cell["level"], alpha=cell["alpha"], steps=cell["steps"], rng=rng)
    return {"rows": [asdict(row) for row in rows]}


def _straight(risk: Risk, cell: Cell) -> dict[str, Any]:
    """The straight line between the ends of a cell, whether or not it stays below the level."""
    top = maxima.segment_maximum(risk, np.array(cell["a"]), np.array(cell["b"]), gap=1e-3)
    line = {"preset": "straight", "level": cell["level"], "accepted": True, "beads": 2, "status": "STRAIGHT"}
    return line | {"length": 1.0, "length_weights": 1.0, "value": top.value, "upper": top.upper}


@contextmanager
def folder(out: File | None) -> Iterator[File]:
    """The folder `out`, or one that is gone afterwards."""
    if out is not None:
        yield out
        return
    with TemporaryDirectory() as name:
        yield File(name)


def workers(jobs: int | None, scheduler: str | None) -> AbstractContextManager[Executor | None]:
    """One worker is a thread of this process; for more, `sweeps` starts processes, or a cluster has them."""
    if scheduler is not None:
        return clusters.workers(scheduler)
    if jobs == 1 or (jobs is None and cpus() == 1):
        return ThreadPoolExecutor(1)
    return nullcontext() if jobs is None else processes(jobs)
