"""Workers on other machines: the scheduler of dask.distributed as a `concurrent.futures.Executor` (the extra `dask`).

The scheduler hands tasks out, and hands those of a worker that died to another one; what is ours is that a worker that
holds other versions computes nothing, and that as many tasks are asked for as there are threads at the time.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from theory.numerics import load_text

PATIENCE = 10.0  # seconds that a scheduler has to answer
HELP = "compute on the workers of a scheduler of dask.distributed: its address, or the file that it wrote"
GLANCE = 1.0  # seconds between two counts of the threads


class ClusterError(ValueError):
    """A cluster that cannot be used; the message is one line that says why."""


@contextmanager
def workers(scheduler: str | None) -> Iterator[Executor | None]:
    """What `--scheduler` asks for: those of the cluster, or None for processes of this machine.

    Standard error says where none has joined yet: a queue may take hours, and a worker that is not started for ever.
    """
    if scheduler is None:
        yield None
        return
    with cluster(scheduler) as executor:
        if not executor._max_workers:  # type: ignore[attr-defined]
            print(f"scheduler {scheduler}: no worker has joined yet; waiting for one", file=sys.stderr)
        yield executor


@contextmanager
def cluster(scheduler: str) -> Iterator[Executor]:
    """The workers of a scheduler that runs: its address (tcp://host:8786) or the file that it wrote.

    They may come and go meanwhile; there need not be one yet. Tasks that are not finished at the end are given up.
    ClusterError without dask, where no scheduler answers, and where a worker has other versions than this process.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ClusterError("a scheduler needs dask: pip install 'halfrect[dask]'") from error
    address = scheduler if re.search(r"^(tcp|tls)://|:\d+$", scheduler) else _written(scheduler)
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(f"scheduler {scheduler}: does not answer ({_line(error)})") from error
    with client:
        _compared(client)
        yield _Workers(client)


@cache
def versions() -> dict[str, str]:
    """What the digits of a result may depend on, as it is here: Python, packages, our own sources (a digest of them)."""
    digest = hashlib.sha256()
    for top in ("theory", "checks", "figures"):
        for file in sorted((Path(__file__).parents[1] / top).rglob("*.py")):
            digest.update(file.read_bytes())
    found = {name: version(name) for name in ("numpy", "scipy")}
    return {"python": "{}.{}".format(*sys.version_info), **found, "halfrect": digest.hexdigest()[:8]}


def alike(wanted: dict[str, str], function: Callable[[], Any]) -> Any:
    """function(), where the versions are those wanted; ClusterError where they are not."""
    other = {name: (here, wanted[name]) for name, here in versions().items() if here != wanted[name]}
    if other:
        raise ClusterError("; ".join(f"{name} {there}, and {mine} is wanted" for name, (there, mine) in other.items()))
    return function()


def _written(file: str) -> str:
    """The address in the file that a scheduler wrote."""
    try:
        address = json.loads(load_text(file))["address"]
    except OSError as error:
        why = f"cannot be read ({error.strerror}), and an address looks like tcp://host:8786"
        raise ClusterError(f"scheduler {file}: {why}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ClusterError(f"scheduler {file}: not the file that a scheduler wrote ({_line(error)})") from error
    if not isinstance(address, str):
        raise ClusterError(f"scheduler {file}: not the file that a scheduler wrote (its address is {address!r})")
    return address


def _compared(client: Any) -> None:
    """ClusterError that names who has other versions: the scheduler, which unpacks the tasks, or a worker."""
    try:
        who = "the scheduler"
        client.run_on_scheduler(alike, versions(), int)
        for worker, found in sorted(client.run(alike, versions(), int, on_error="return").items()):
            who = f"worker {worker}"
            if isinstance(found, BaseException):
                raise found
    except Exception as error:  # whatever unpacking or running there raised
        raise ClusterError(f"{who}: {_line(error)}; install there what is installed here") from error


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


class _Workers(Executor):
    """A client of a scheduler; every task compares versions first, because workers may join at any time."""

    def __init__(self, client: Any) -> None:
        self._client, self._pool, self._wanted = client, client.get_executor(pure=False), versions()
        self._threads, self._counted = 0, -GLANCE

    @property
    def _max_workers(self) -> int:
        """Threads of the cluster a moment ago."""
        if time.monotonic() - self._counted > GLANCE:
            try:
                self._threads = sum(self._client.nthreads().values())
            except OSError as error:
                raise ClusterError(f"the scheduler is gone ({_line(error)})") from error
            self._counted = time.monotonic()
        return self._threads

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        """A task for the scheduler."""
        return self._pool.submit(alike, self._wanted, partial(function, *arguments, **named))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the workers to their scheduler."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
