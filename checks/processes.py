"""How many processes may be started, and how: the same for the ledger and for sweeps."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from multiprocessing import get_context

WINDOWS = 61  # handles that Windows can wait for at once: no pool there has more processes
# A new process looks for its modules where this one does, and not in the current folder before it is told so.
SAFE = {"PYTHONSAFEPATH": "1"}


def cpus() -> int:
    """The cores that this process may use: those that a batch system or taskset gave it, not all of the machine's."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13 and later
        return os.process_cpu_count() or 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def allowed(workers: int) -> int:
    """As many processes as were asked for, or as many as a pool may have here."""
    return min(workers, WINDOWS) if sys.platform == "win32" else workers


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Processes started in here find these variables in their environment."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Limit:
    """The BLAS of this process at one thread while anybody asks for it, whichever thread it was who asked first."""

    def __init__(self) -> None:
        self._lock, self._inside, self._limits = threading.Lock(), 0, ExitStack()

    def __enter__(self) -> None:
        import scipy.linalg  # noqa: F401  its BLAS must be loaded to be limited
        from threadpoolctl import threadpool_limits

        with self._lock:
            if self._inside == 0:
                self._limits.enter_context(threadpool_limits(1))
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limits.close()


_limit = _Limit()


def one_thread() -> AbstractContextManager[None]:
    """One BLAS thread: the sums, hence the results, are the same whatever the number of jobs."""
    return _limit


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """An executor of at most `workers` processes that end with this one, whatever ends it."""
    workers, context = allowed(workers), get_context("spawn")
    with environment(SAFE):
        pool = ProcessPoolExecutor(workers, context, initializer=_end_with_parent, initargs=(os.getpid(),))
        for _ in range(workers):  # each starts one, while the environment is set
            pool.submit(os.getpid)
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
