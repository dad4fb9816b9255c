"""Sweeps: many independent cells through any `concurrent.futures.Executor`, every finished one kept in SQLite.

A cell is a dict of plain numbers and strings; a function turns it into another one. A finished cell is written, once,
in one transaction by the process that called `run`; a sweep that was killed goes on where it stopped.
"""

from __future__ import annotations

import importlib
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing, contextmanager
from os import PathLike
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from checks.processes import cpus, one_thread, processes
from theory.numerics import validation as check

Cell = dict[str, Any]

# Not STRICT: SQLite before 3.37 (2021) does not know it, and many clusters have an older one. `_cell` checks what it reads.
_TABLE = "CREATE TABLE IF NOT EXISTS cells (key TEXT PRIMARY KEY, result TEXT NOT NULL, seconds REAL NOT NULL)"
PATIENCE = 60  # seconds that a run waits for another one that writes into the same file


class SweepError(ValueError):
    """A sweep that cannot go on: the file is not a sweep's, or a cell failed; the message says which."""


def run(
    function: Callable[[Cell], Mapping[str, Any]],
    cells: Sequence[Cell],
    file: str | PathLike[str],
    *,
    name: str | Callable[[Cell], str] | None = None,
    executor: Executor | None = None,
    ahead: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Cell]:
    """function(cell) for every cell, in the order of `cells`; those that `file` already holds are not computed again.

    function: picklable, deterministic, returns a mapping that JSON can hold. name: what a cell's key says of it
    (default: its module and name), or what gives
    that for each cell, so that all who give the same name share a file. executor: default one process per
    core that this process may use; any other (threads, `checks.clusters.cluster`) is used as it is and left running.
    ahead: how many cells are handed out at a time (default: two per worker that the executor has at the time, or per
    core where it does not tell). Cells are computed with one BLAS thread. progress(done, total) after every cell. When a cell raises, running ones
    are finished and kept, and SweepError names it, as it does a file that is not a sweep's. Equal cells are computed
    once; two runs on one file at the same time share what they finish, and at worst compute a cell twice.
    """
    function = _everywhere(function)
    name = name or f"{function.__module__}.{function.__qualname__}"
    keys = [key(name if isinstance(name, str) else name(cell), cell) for cell in cells]
    with closing(_open(file)) as store, _readable(file):
        held = _finished(store)
        missing = {k: cell for k, cell in zip(keys, cells) if k not in held}
        progress(len(set(keys)) - len(missing), len(set(keys)))
        if missing:
            with _executor(executor, len(missing)) as pool:
                tell = lambda left: progress(len(set(keys)) - left, len(set(keys)))  # noqa: E731
                many = lambda: max(1, ahead or 2 * (getattr(pool, "_max_workers", None) or cpus()))  # noqa: E731
                _compute(function, missing, store, pool, many, tell)
        found = _finished(store)
    return [_cell(file, found.get(k)) for k in keys]


def key(name: str, cell: Cell) -> str:
    """The name under which a cell is kept: that of the function and the cell's own numbers, in a fixed order."""
    try:
        return json.dumps([name, cell], sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SweepError(f"a cell must hold plain numbers and strings; got {cell!r}: {error}") from error


def _everywhere(function: Callable[[Cell], Mapping[str, Any]]) -> Callable[[Cell], Mapping[str, Any]]:
    """The function as everybody else finds it: out of a module that is run with `python -m`, that of the module's name."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if function.__module__ != "__main__" or spec is None or "." in function.__qualname__:
        return function
    return getattr(importlib.import_module(spec.name), function.__qualname__)


def _open(file: str | PathLike[str]) -> sqlite3.Connection:
    try:
        if not (name := check.file_name(file)):
            raise ValueError("it has no name")
        store = sqlite3.connect(os.path.abspath(name), timeout=PATIENCE)  # what has no folder may be kept nowhere
    except (sqlite3.Error, ValueError) as error:
        raise SweepError(f"{file}: cannot be opened as an SQLite file ({error}); give another name") from error
    try:
        with store:
            store.execute(_TABLE)
            kind = store.execute("SELECT type FROM sqlite_master WHERE name = 'cells'").fetchone()
            if kind != ("table",):  # a view may run for ever
                raise sqlite3.DatabaseError("cells is not a table")
            store.execute("SELECT key, result, seconds FROM cells LIMIT 1")
    except sqlite3.DatabaseError as error:
        store.close()
        raise SweepError(f"{file}: not the SQLite file of a sweep ({error}); give another name") from error
    return store


@contextmanager
def _readable(file: str | PathLike[str]) -> Iterator[None]:
    """A file that turns out to be damaged, locked or read-only later on is a SweepError too."""
    try:
        yield
    except sqlite3.Error as error:
        raise SweepError(f"{file}: cannot be read or written as the file of a sweep ({error})") from error


def _cell(file: str | PathLike[str], result: Any) -> Cell:
    """A finished cell out of the file."""
    try:
        cell = json.loads(result)
        if isinstance(cell, dict):
            return cell
    except (TypeError, ValueError, RecursionError):
        pass
    raise SweepError(f"{file}: holds a cell that no sweep wrote, {str(result)[:60]!r}; give another name")


def _finished(store: sqlite3.Connection) -> dict[str, str]:
    return dict(store.execute("SELECT key, result FROM cells"))


def _compute(
    function: Callable[[Cell], Mapping[str, Any]],
    missing: dict[str, Cell],
    store: sqlite3.Connection,
    pool: Executor,
    ahead: Callable[[], int],
    left: Callable[[int], None],
) -> None:
    """Hand out `ahead()` cells at a time and keep each as soon as it is finished."""
    waiting = iter(missing.items())
    running: dict[Future[tuple[str, float]], str] = {}
    finished: SimpleQueue[Future[tuple[str, float]]] = SimpleQueue()
    remaining, failure = len(missing), None
    while True:
        while failure is None and len(running) < ahead() and (pair := next(waiting, None)) is not None:
            if _holds(store, pair[0]):  # another run has finished it meanwhile
                remaining -= 1
                left(remaining)
                continue
            future = pool.submit(_timed, function, pair[1])
            running[future] = pair[0]
            future.add_done_callback(finished.put)
        if not running:
            break
        future = finished.get()
        name = running.pop(future)
        try:
            result, seconds = future.result()
        except Exception as error:
            failure = failure or SweepError(f"cell {name} failed: {type(error).__name__}: {error}")
            failure.__cause__ = failure.__cause__ or error
            continue
        with store:  # the results of equal cells are equal: whoever comes first
            store.execute("INSERT OR IGNORE INTO cells VALUES (?, ?, ?)", (name, result, seconds))
        remaining -= 1
        left(remaining)
    if failure is not None:
        raise failure


def _holds(store: sqlite3.Connection, key: str) -> bool:
    return store.execute("SELECT 1 FROM cells WHERE key = ?", (key,)).fetchone() is not None


def _timed(function: Callable[[Cell], Mapping[str, Any]], cell: Cell) -> tuple[str, float]:
    start = time.perf_counter()
    with one_thread():
        result = json.dumps(dict(function(cell)))
    return result, time.perf_counter() - start


@contextmanager
def _executor(given: Executor | None, cells: int) -> Iterator[Executor]:
    if given is not None:
        yield given
        return
    with processes(min(cells, cpus())) as pool:
        yield pool


def seconds(file: str | PathLike[str]) -> float:
    """Computing time of all cells in the file of a sweep, in seconds."""
    if not Path(check.file_name(file)).is_file():
        raise SweepError(f"{file}: there is no such file")
    with closing(_open(file)) as store, _readable(file):
        return float(store.execute("SELECT COALESCE(SUM(CAST(seconds AS REAL)), 0) FROM cells").fetchone()[0])
