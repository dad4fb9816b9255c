"""Running claims: each alone with its own generator, in this process or in several, to a frozen `Result`.

What a run concludes:
- HOLDS when nothing violated the statement; REPAIRED and REFUTED when the witness against the printed form was
  re-verified and nothing violated what is true instead; OPEN when nothing contradicted what is known.
- A check that examined nothing is VACUOUS, one whose planted fault went unnoticed is BROKEN, an exception is ERROR,
  and any other outcome than the recorded verdict DIFFERS.

The control runs in the quick budget always: a planted fault that takes a hundred times the effort is no control.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from checks.claim import Status
from checks.examine import THREAD_VARIABLES, Progress, Result, run_claim
from checks.processes import SAFE, allowed, environment
from checks.tables import from_file, shipped


def results(
    ids: Sequence[str],
    *,
    seed: int = 0,
    budget: str = "quick",
    jobs: int = 1,
    data: str | None = None,
    target: str | None = None,
    executor: Executor | None = None,
    progress: Progress = lambda claim_id, fraction: None,
) -> Iterator[Result]:
    """Run claims in `jobs` processes and yield each result when it is there (in any order).

    data: a table of the user's instead of the shipped ones, target its column to be fitted. executor: that of
    `checks.clusters.cluster`, whose workers run the claims instead; it is left running. Closing the iterator, or Ctrl-C,
    ends the processes.
    """
    if executor is not None:
        tables = from_file(data, target) if data else None
        handed = {executor.submit(run_claim, i, seed=seed, budget=budget, tables=tables): i for i in ids}
        for future in as_completed(handed):
            yield _collect(future, handed[future])
        return
    jobs = allowed(min(jobs, len(ids)))
    if jobs <= 1:
        tables = from_file(data, target) if data else shipped()
        for claim_id in ids:
            yield run_claim(claim_id, seed=seed, budget=budget, tables=tables, progress=progress)
        return

    context = multiprocessing.get_context("spawn")  # forking a process that has threads can hang
    others = set(multiprocessing.active_children())
    with environment(SAFE):  # a process that keeps track of semaphores is started here
        queue = context.SimpleQueue()
        executor = ProcessPoolExecutor(
            jobs, mp_context=context, initializer=_start_worker, initargs=(queue, data, target)
        )
    finished = False
    try:
        with _children_without_interrupt():
            pending: dict[Future[Result], str] = {executor.submit(_work, i, seed, budget): i for i in ids}
        while pending:
            done, _ = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
            while not queue.empty():
                progress(*queue.get())
            for future in done:
                yield _collect(future, pending.pop(future))
        finished = True
    finally:
        executor.shutdown(wait=finished, cancel_futures=True)
        if not finished:
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()


def _collect(future: Future[Result], claim_id: str) -> Result:
    try:
        return future.result()
    except BrokenProcessPool:
        return Result(claim_id, Status.ERROR, error="its process was killed (out of memory?), and the others with it")
    except Exception as error:  # of the cluster: workers that died, or that hold other versions
        text = " ".join(str(error).split())
        return Result(claim_id, Status.ERROR, error=f"not run: {type(error).__name__}: {text}"[:300])


@contextlib.contextmanager
def _children_without_interrupt() -> Iterator[None]:
    """Processes started in here leave Ctrl-C to the parent, which ends them in order."""
    with environment(SAFE | dict.fromkeys(THREAD_VARIABLES, "1")):
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)


# The state of a worker process: where to report progress, and the tables of this run.
_worker: dict[str, Any] = {}


def _start_worker(queue: Any, data: str | None, target: str | None) -> None:
    _worker.update(queue=queue, tables=from_file(data, target) if data else shipped(), reported=0.0)


def _work(claim_id: str, seed: int, budget: str) -> Result:
    return run_claim(claim_id, seed=seed, budget=budget, tables=_worker["tables"], progress=_report)


def _report(claim_id: str, fraction: float) -> None:
    now = time.monotonic()
    if now - _worker["reported"] > 0.2:
        _worker["reported"] = now
        _worker["queue"].put((claim_id, float(fraction)))
