"""How far a run of the ledger is: a bar on standard error, shown on a terminal only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

from checks.examine import Result
from checks.programs import bar


class Bar:
    """How far the claims are; the running ones are named."""

    def __init__(self, ids: Sequence[str]) -> None:
        columns = (TextColumn("{task.completed:.0f}/{task.total:.0f}"), BarColumn(), TimeElapsedColumn())
        self._progress = bar(*columns, TextColumn("{task.description}"))
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
