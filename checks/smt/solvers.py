"""A solver in a process of its own, with a time limit that holds whatever the solver does."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

WORKER = Path(__file__).with_name("worker.py")
PACKAGES = {"z3": "z3-solver", "cvc5": "cvc5"}
NONSENSE = "answered nonsense"
GRACE = 2.0  # seconds after its own time limit before a solver is stopped


@dataclass(frozen=True)
class Answer:
    """What a solver said of a query. word: "unsat", "sat" or "unknown"; reason: of "unknown"; model: claimed, not verified."""

    word: str
    reason: str = ""
    model: dict[str, Fraction] = field(default_factory=dict)


class Solver(Protocol):
    """Anything that answers queries: a `Session`, or in tests one that is wrong on purpose."""

    name: str

    def ask(self, script: str, variables: tuple[str, ...], seconds: float, tactic: str = "") -> Answer:
        """The answer to an SMT-LIB script of declarations and assertions, within about `seconds`."""


def available(name: str) -> bool:
    """Whether the solver is installed."""
    return importlib.util.find_spec(name) is not None


class Session:
    """One solver process, started when first asked, started again after it was stopped or died.

    with Session("z3") as z3:
        z3.ask("(declare-const x Real)(assert (< (* x x) 0.0))", ("x",), 1.0).word   # "unsat"

    Every failure is an answer "unknown" with its reason: not installed, out of time, crashed, nonsense on its output.
    """

    def __init__(self, name: str) -> None:
        if name not in PACKAGES:
            raise ValueError(f"name must be one of {', '.join(PACKAGES)}; got {name!r}")
        self.name = name
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader: threading.Thread | None = None
        self._number = 0

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, script: str, variables: tuple[str, ...], seconds: float, tactic: str = "") -> Answer:
        """The answer within `seconds` (and GRACE); tactic: one of z3's, "" for its own choice."""
        if not available(self.name):
            return Answer("unknown", f"not installed: pip install {PACKAGES[self.name]}")
        self._number += 1
        request = {
            "number": self._number,
            "script": script,
            "variables": variables,
            "seconds": seconds,
            "tactic": tactic,
        }
        try:
            process = self._started()
        except OSError as error:
            return Answer("unknown", f"could not be run: {error}")
        # a process that hangs may not even read
        threading.Thread(target=_write, args=(process.stdin, json.dumps(request) + "\n"), daemon=True).start()
        try:
            line = self._lines.get(timeout=seconds + GRACE)
            answer = _understood(line, self._number, seconds) if line else Answer("unknown", "crashed")
        except queue.Empty:
            line, answer = "", Answer("unknown", f"no answer within {seconds:g} s")
        if not line or answer.reason == NONSENSE:
            self.close()  # what it says later must not be taken for another answer
        return answer

    def close(self) -> None:
        """Stop the process, if there is one."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        assert self._reader is not None
        self._reader.join()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):  # what it had not read yet
                stream.close()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            command = [sys.executable, "-P", str(WORKER), self.name]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
            self._lines = queue.Queue()
            self._reader = threading.Thread(target=_read, args=(self._process.stdout, self._lines), daemon=True)
            self._reader.start()
        return self._process


def _read(stream: Any, lines: queue.Queue[str]) -> None:
    """Hand on lines; the empty one says that the process has ended."""
    with contextlib.suppress(ValueError):  # closed while reading
        for line in stream:
            lines.put(line)
    lines.put("")


def _write(stream: Any, text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # it has ended, which its output tells
        stream.write(text)
        stream.flush()


def _understood(line: str, number: int, seconds: float) -> Answer:
    try:
        reply = json.loads(line)
        model = {str(k): Fraction(int(p), int(q)) for k, (p, q) in reply["model"].items()}
        word, reason = reply["answer"], str(reply["reason"])
        if reply["number"] != number:
            raise ValueError("an answer to another question")
    except (ValueError, TypeError, KeyError, AttributeError, ZeroDivisionError):
        return Answer("unknown", NONSENSE)
    if word not in ("unsat", "sat"):
        late = reason in ("timeout", "canceled") or "TIMEOUT" in reason.upper()
        return Answer("unknown", f"no answer within {seconds:g} s" if late else reason or "no reason given")
    return Answer(word, "", model)
