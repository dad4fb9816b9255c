"""What every command of ours owes the terminal: nothing that it cannot show, and no word when nobody reads on."""

from __future__ import annotations

import difflib
import errno
import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import rich.console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

CLOSED = 141  # what a shell reports of a program that wrote into a closed pipe


class Console(rich.console.Console):
    """A console that leaves a closed pipe to `run`."""

    def on_broken_pipe(self) -> None:
        """Pass the error on; rich itself would end with status 1, which here means that a claim differs."""
        raise


class Unpadded(Console):
    """A console for pipes and files: no line ends in spaces."""

    def print(self, *objects: Any, **options: Any) -> None:
        """As rich prints, less the spaces that fill up its tables."""
        with self.capture() as captured:
            super().print(*objects, **options)
        print("\n".join(line.rstrip() for line in captured.get().split("\n")), end="", file=self.file)


def show_anything() -> None:
    """What a stream cannot show (a name in Greek on an ASCII terminal) is replaced: no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def run(main: Callable[[], int], name: str) -> int:
    """The exit status of a command; a standard output that takes no more is one line and status 2.

    A closed pipe (`| head -1`) is the reader's choice: not a word, and status 141.
    """
    if sys.stderr is None:  # closed: print() would turn to standard output
        sys.stderr = io.StringIO()
    show_anything()
    try:
        status = _status(main)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EPIPE):
            raise
        _discard()
        if error.errno == errno.EPIPE:
            return CLOSED
        print(f"{name}: standard output: {error.strerror or error}", file=sys.stderr)
        return 2
    return status


def suggesting(message: str, known: Iterable[str]) -> str:
    """A message about the command line, with the known word nearest to an option that is unknown."""
    for word in re.findall(r"(?<![\w-])--[\w-]+", message) if message.startswith("unrecognized") else ():
        near = difflib.get_close_matches(word, list(known), n=1)
        if near:
            return f"{message}; did you mean {near[0]}?"
    return message


def _status(main: Callable[[], int]) -> int:
    try:
        return main()
    except SystemExit as stop:  # of argparse
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)


def _discard() -> None:
    """Streams that take no more lead nowhere from now on: the interpreter flushes them once more at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def counter(text: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with a text; what comes back is told (done, total), as `checks.sweeps.run` tells it."""
    with bar(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()) as shown:
        task = shown.add_task(text, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def bar(*columns: ProgressColumn) -> Progress:
    """A bar on standard error, shown on a terminal only."""
    console = Console(stderr=True)
    return _Quiet(*columns, console=console, transient=True, disable=not console.is_terminal)


class _Quiet(Progress):
    """A bar that is not shown leaves no empty line behind, as that of rich 13.0 does."""

    def stop(self) -> None:
        if not self.disable:
            super().stop()
