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
import hashlib
import math
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np

from checks import claims
from checks.claim import Claim, Evidence, Outcome, Setting, Status, Verdict, Witness
from checks.tables import Tables, from_file, shipped

Progress = Callable[[str, float], None]

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Result:
    """What one run says of one claim.

    verdict: the verdict that this run supports, None when it supports none; recorded: the one on record.
    instances, margin, closest, note: of confirm. witness: of refute, None for claims without one.
    control: the outcome against the planted fault. tables: names of the real tables that the check asked for.
    error: one line, when the check raised an exception.
    """

    id: str
    status: Status
    verdict: Verdict | None = None
    recorded: Verdict | None = None
    evidence: Evidence | None = None
    instances: int = 0
    margin: float = math.nan
    closest: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    witness: Witness | None = None
    control: Outcome | None = None
    tables: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str = ""

    @property
    def control_caught(self) -> bool:
        """Whether the planted fault was examined and found."""
        return self.control is not None and self.control.instances > 0 and self.control.margin < 0


def generator(seed: int, claim_id: str, part: str) -> np.random.Generator:
    """The generator of one part of one claim: it depends on nothing else, so order, selection and jobs do not matter."""
    digest = hashlib.sha256(f"{claim_id}/{part}".encode()).digest()
    words = tuple(int(word) for word in np.frombuffer(digest, dtype="<u4"))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=words))


def observed(claim: Claim, outcome: Outcome, witness: Witness | None) -> Verdict | None:
    """The verdict that an outcome and a witness support; None when they support none."""
    if outcome.instances == 0:
        return None
    if claim.verdict is Verdict.HOLDS:
        return Verdict.HOLDS if outcome.holds else Verdict.REFUTED if outcome.margin < 0 else None
    if claim.verdict is Verdict.OPEN:
        return Verdict.OPEN if outcome.holds else None
    return claim.verdict if outcome.holds and witness is not None and witness.refuted else None


def run_claim(
    claim_id: str,
    *,
    seed: int = 0,
    budget: str = "quick",
    tables: Tables | None = None,
    progress: Progress = lambda claim_id, fraction: None,
) -> Result:
    """Run confirm, refute and control of one claim; whatever an exception says ends up in the result."""
    start = time.perf_counter()
    tables = (shipped() if tables is None else tables).afresh()
    result = _examine(claim_id, seed, budget, tables, progress)
    return replace(result, tables=tables.used, seconds=time.perf_counter() - start)


def _examine(claim_id: str, seed: int, budget: str, tables: Tables, progress: Progress) -> Result:
    part, result = "loading", Result(claim_id, Status.ERROR)
    try:
        claim = claims.load(claim_id)
        result = replace(result, recorded=claim.verdict, evidence=claim.evidence)

        def setting(part: str, budget: str) -> Setting:
            return Setting(generator(seed, claim_id, part), budget, tables, lambda done: progress(claim_id, done))

        with one_thread():
            part = "confirm"
            outcome = claim.confirm(setting(part, budget))
            result = replace(
                result,
                instances=int(outcome.instances),
                margin=float(outcome.margin) + 0.0,  # no -0
                closest=plain(outcome.closest),
                note=outcome.note,
            )
            part = "refute"
            witness = claim.refute() if claim.refute is not None else None
            if witness is not None:
                witness = replace(witness, refuted=bool(witness.refuted), values=plain(witness.values))
            result = replace(result, witness=witness, verdict=observed(claim, outcome, witness))
            part = "control"
            fault = claim.control(setting(part, "quick"))
            control = Outcome(int(fault.instances), float(fault.margin), plain(fault.closest), fault.note)
        return replace(result, control=control, status=_status(replace(result, control=control)))
    except Exception as error:  # any failure of a check is a result, not the end of the run
        text = " ".join(str(error).split())
        return replace(result, status=Status.ERROR, error=f"{part}: {type(error).__name__}: {text}"[:300])


def _status(result: Result) -> Status:
    if result.instances == 0:
        return Status.VACUOUS
    if not result.control_caught:
        return Status.BROKEN
    return Status.AGREES if result.verdict is result.recorded else Status.DIFFERS


def results(
    ids: Sequence[str],
    *,
    seed: int = 0,
    budget: str = "quick",
    jobs: int = 1,
    data: str | None = None,
    progress: Progress = lambda claim_id, fraction: None,
) -> Iterator[Result]:
    """Run claims in `jobs` processes and yield each result when it is there (in any order).

    data: a table of the user's instead of the shipped ones. Closing the iterator, or Ctrl-C, ends the processes.
    """
    jobs = min(jobs, len(ids))
    if jobs <= 1:
        tables = from_file(data) if data else shipped()
        for claim_id in ids:
            yield run_claim(claim_id, seed=seed, budget=budget, tables=tables, progress=progress)
        return

    context = multiprocessing.get_context("spawn")  # forking a process that has threads can hang
    queue = context.SimpleQueue()
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker, initargs=(queue, data))
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


@contextlib.contextmanager
def _children_without_interrupt() -> Iterator[None]:
    """Processes started in here leave Ctrl-C to the parent, which ends them in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    environment = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        for name, value in environment.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """One BLAS thread: the sums, hence the margins, are the same whatever the number of jobs."""
    import scipy.linalg  # noqa: F401  its BLAS must be loaded to be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


# The state of a worker process: where to report progress, and the tables of this run.
_worker: dict[str, Any] = {}


def _start_worker(queue: Any, data: str | None) -> None:
    _worker.update(queue=queue, tables=from_file(data) if data else shipped(), reported=0.0)


def _work(claim_id: str, seed: int, budget: str) -> Result:
    return run_claim(claim_id, seed=seed, budget=budget, tables=_worker["tables"], progress=_report)


def _report(claim_id: str, fraction: float) -> None:
    now = time.monotonic()
    if now - _worker["reported"] > 0.2:
        _worker["reported"] = now
        _worker["queue"].put((claim_id, float(fraction)))


def plain(value: Any) -> Any:
    """`value` in plain Python: numbers, strings, lists, dicts; fractions and symbols as text, no NaN or infinity.

    A float that is not finite becomes None; an integer beyond 2^53 becomes text, so that every reader agrees on it.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if abs(value) <= 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, complex):
        return [plain(value.real), plain(value.imag)]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, (list, tuple, range)):
        return [plain(item) for item in value]
    return str(value)
