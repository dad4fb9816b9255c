"""Progress bars on standard error, shown on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from checks.examine import Result
from checks.programs import Console


class Bar:
    """How far the claims are; the running ones are named."""

    def __init__(self, ids: Sequence[str]) -> None:
        columns = (TextColumn("{task.completed:.0f}/{task.total:.0f}"), BarColumn(), TimeElapsedColumn())
        self._progress = _progress(*columns, TextColumn("{task.description}"))
        self._task = self._progress.add_task("", total=len(ids))
        self._finished = 0
        self._parts: dict[str, float] = {}

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._progress.stop()

    def part(self, claim_id: str, fraction: float) -> None:
        """A claim reports how far it is."""
        self._parts[claim_id] = min(max(fraction, 0.0), 1.0)
        self._draw()

    def finish(self, result: Result) -> None:
        """A claim is done."""
        self._parts.pop(result.id, None)
        self._finished += 1
        self._draw()

    def _draw(self) -> None:
        running = ", ".join(f"{claim_id} {fraction:.0%}" for claim_id, fraction in self._parts.items())
        self._progress.update(
            self._task, completed=self._finished + sum(self._parts.values()), description=running or "running"
        )


@contextmanager
def counter(text: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with a text; what comes back is told (done, total), as `checks.sweeps.run` tells it."""
    with _progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _progress(*columns: Any) -> Progress:
    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
