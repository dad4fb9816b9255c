"""Training that several threads ask for, done as one batch: what keeps a GPU busy.

A string of section 4.2 is laid a few beads at a time, which leaves most of a GPU idle: one LSTM takes a third of the time of
sixteen. So many strings are laid side by side, each in a thread of its own; when all of them wait for a block of training, it is
one block.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import Any

import numpy as np

from theory.deep.backend import need

Block = Callable[[Any, Any, Any], tuple[Any, Any]]  # (thetas, carried, keys) to thetas and carried after it


@dataclass(eq=False)
class _Asked:
    """A block that one thread waits for, on its own rows: trees of arrays (B, ...)."""

    kind: Hashable
    block: Block
    rows: Any
    count: int
    answer: tuple[Any, Any] | None = None
    error: BaseException | None = None


class Together:
    """Threads that train side by side, as `theory.deep.Deep(task, together=...)` takes them.

    Who takes part says so (`member`), because a block begins when every member waits for one. Each vector draws its batches by a
    key of its own: the results are those of one thread after the other, up to how floats are rounded in larger products.
    """

    def __init__(self) -> None:
        self._turn = Condition()
        self._waiting: list[_Asked] = []
        self.members = 0

    def __repr__(self) -> str:
        return f"Together({self.members} members)"

    @contextmanager
    def member(self) -> Iterator[None]:
        """The calling thread takes part inside."""
        with self._turn:
            self.members += 1
        try:
            yield
        finally:
            with self._turn:
                self.members -= 1
                self._serve()  # the others may have waited for this one only

    def train(self, kind: Hashable, block: Block, thetas: Any, carried: Any, keys: Any) -> tuple[Any, Any]:
        """block(thetas, carried, keys) of these rows (B, ...), run with those of all members that ask for the same kind.

        kind: what a block does, the same for blocks that do the same. Whatever it raises, every one of these members is told; what
        is no Exception (Ctrl-C) is raised in the thread that ran it, too, whichever it was.
        """
        rows = need("jax").tree.map(np.asarray, (thetas, carried, keys))
        asked = _Asked(kind, block, rows, len(rows[0]))
        with self._turn:
            self._waiting.append(asked)
            self._serve()
            self._turn.wait_for(lambda: asked.answer is not None or asked.error is not None)
        if asked.error is not None:
            raise asked.error
        assert asked.answer is not None
        return asked.answer

    def _serve(self) -> None:
        """Run what is asked for, where every member asks; by whoever comes last, who holds the others."""
        if not self._waiting or len(self._waiting) < self.members:
            return
        waiting, self._waiting = self._waiting, []
        stop: BaseException | None = None
        for kind in dict.fromkeys(asked.kind for asked in waiting):
            same = [asked for asked in waiting if asked.kind == kind]
            try:
                _run(same)
            except BaseException as error:
                for asked in same:
                    asked.error = error
                stop = stop if isinstance(error, Exception) else error
        self._turn.notify_all()
        if stop is not None:
            raise stop  # meant for this thread, which may be none of those that waited


def _run(same: list[_Asked]) -> None:
    """One block on the rows of all, and to each its own."""
    tree = need("jax").tree
    rows = tree.map(lambda *parts: np.concatenate(parts), *(asked.rows for asked in same))
    found = tree.map(np.asarray, same[0].block(*rows))
    at = 0
    for asked in same:
        own = slice(at, at + asked.count)
        asked.answer, at = tree.map(lambda part, own=own: part[own], found), own.stop
