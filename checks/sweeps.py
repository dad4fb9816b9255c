"""Sweeps: many independent cells through any `concurrent.futures.Executor`, every finished one kept in SQLite.

A cell is a dict of plain numbers and strings; a function turns it into another one. A finished cell is written, once,
in one transaction by the process that called `run`; a sweep that was killed goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import closing, contextmanager
from multiprocessing import get_context
from os import PathLike
from pathlib import Path
from typing import Any

Cell = dict[str, Any]

_TABLE = "CREATE TABLE IF NOT EXISTS cells (key TEXT PRIMARY KEY, result TEXT NOT NULL, seconds REAL NOT NULL) STRICT"


class SweepError(ValueError):
    """A sweep that cannot go on: the file is not a sweep's, or a cell failed; the message says which."""


def run(
    function: Callable[[Cell], Mapping[str, Any]],
    cells: Sequence[Cell],
    file: str | PathLike[str],
    *,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Cell]:
    """function(cell) for every cell, in the order of `cells`; those that `file` already holds are not computed again.

    function: picklable, deterministic, returns a mapping that JSON can hold; its module and name are part of a cell's
    key. executor: default one process per core; any other (threads, dask's client executor) is used as it is and left
    running. progress(done, total) after every cell. When a cell raises, running ones are finished and kept, and
    SweepError names it, as it does a file that is not a sweep's. Equal cells are computed once.
    """
    keys = [key(function, cell) for cell in cells]
    with closing(_open(file)) as store, _readable(file):
        held = _finished(store)
        missing = {k: cell for k, cell in zip(keys, cells) if k not in held}
        progress(len(set(keys)) - len(missing), len(set(keys)))
        if missing:
            with _executor(executor, len(missing)) as pool:
                _compute(function, missing, store, pool, lambda left: progress(len(set(keys)) - left, len(set(keys))))
        found = _finished(store)
    return [_cell(file, found[k]) for k in keys]


def key(function: Callable[[Cell], Mapping[str, Any]], cell: Cell) -> str:
    """The name under which a cell is kept: the function and the cell's own numbers, in a fixed order."""
    try:
        return json.dumps([f"{function.__module__}.{function.__qualname__}", cell], sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SweepError(f"a cell must hold plain numbers and strings; got {cell!r}: {error}") from error


def _open(file: str | PathLike[str]) -> sqlite3.Connection:
    try:
        store = sqlite3.connect(file, timeout=60)
    except sqlite3.Error as error:
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
    left: Callable[[int], None],
) -> None:
    """Hand out a few cells per worker at a time and keep each as soon as it is finished."""
    waiting = iter(missing.items())
    running: dict[Future[tuple[str, float]], str] = {}
    remaining, failure = len(missing), None
    ahead = 2 * (getattr(pool, "_max_workers", None) or os.cpu_count() or 1)
    while True:
        while failure is None and len(running) < ahead and (pair := next(waiting, None)) is not None:
            running[pool.submit(_timed, function, pair[1])] = pair[0]
        if not running:
            break
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            name = running.pop(future)
            try:
                result, seconds = future.result()
            except Exception as error:
                failure = failure or SweepError(f"cell {name} failed: {type(error).__name__}: {error}")
                failure.__cause__ = failure.__cause__ or error
                continue
            with store:
                store.execute("INSERT INTO cells VALUES (?, ?, ?)", (name, result, seconds))
            remaining -= 1
            left(remaining)
    if failure is not None:
        raise failure


def _timed(function: Callable[[Cell], Mapping[str, Any]], cell: Cell) -> tuple[str, float]:
    start = time.perf_counter()
    result = json.dumps(dict(function(cell)))
    return result, time.perf_counter() - start


@contextmanager
def _executor(given: Executor | None, cells: int) -> Iterator[Executor]:
    if given is not None:
        yield given
        return
    with processes(min(cells, os.cpu_count() or 1)) as pool:
        yield pool


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """An executor of `workers` processes that end with this one, whatever ends it."""
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_end_with_parent, initargs=(os.getpid(),)
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent(parent: int) -> None:
    """A worker whose parent was killed ends by itself within a second."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def seconds(file: str | PathLike[str]) -> float:
    """Computing time of all cells in the file of a sweep, in seconds."""
    if not Path(file).is_file():
        raise SweepError(f"{file}: there is no such file")
    with closing(_open(file)) as store, _readable(file):
        return float(store.execute("SELECT COALESCE(SUM(CAST(seconds AS REAL)), 0) FROM cells").fetchone()[0])
