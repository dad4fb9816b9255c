"""The ledger for people, paper_notes.md, read back: one entry per claim, cut into its labelled parts.

An entry looks like this; every part begins a line with its bold label:

    ### prop-2.3
    Verdict: **HOLDS** (enclosed). Proposition 2.3, eq. (7).

    **As printed.** ...
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

NAME = "paper_notes.md"

_HEADING = re.compile(r"^(#{2,3}) +(.+)$")
_VERDICT = re.compile(r"^Verdict: \*\*([A-Z]+)\*\* \(([^)]*)\)\. *(.*)$")
_LINK = re.compile(r"\[([\w.+-]+)\]\(#[\w-]+\)")  # to another entry
_LABEL = re.compile(r"^\*\*([^*\n]+?)\.\*\*[ \n]*", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """One claim in the notes.

    verdict and evidence: the words on its first line ("" where that line is missing); source: the rest of that line.
    parts: Markdown by label ("As printed", "Why", "Repaired", "Check", ...), in the order of the text; text before
    the first label is under "".
    """

    id: str
    verdict: str = ""
    evidence: str = ""
    source: str = ""
    parts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Notes:
    """parts: of the text before the first section ("Notation", "Verdicts"); entries: by claim id, in order."""

    parts: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)


def find() -> Path | None:
    """paper_notes.md: beside the packages in a source tree, else where the installation put it; None if nowhere."""
    beside = Path(__file__).resolve().parents[2] / NAME
    if beside.is_file():
        return beside
    try:
        installed = metadata.files("halfrect") or []
    except metadata.PackageNotFoundError:
        return None
    for file in installed:
        if file.name == NAME and (path := Path(str(file.locate()))).is_file():
            return path
    return None


def read(path: Path | None = None) -> Notes:
    """The notes at `path` (default: those of this installation; without any, no entries)."""
    path = find() if path is None else path
    return Notes() if path is None else parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> Notes:
    r"""The notes in `text`, in which another entry is its name, not a link. ValueError when two entries have the same id.

    >>> notes = parse("### a\nVerdict: **OPEN** (sampled). Section 1.\n\n**As printed.** $x$\n\n**Why.** By [b](#b).\n")
    >>> notes.entries["a"].parts
    {'As printed': '$x$', 'Why': 'By b.'}
    """
    preamble: list[str] = []
    blocks: dict[str, list[str]] = {}
    current: list[str] | None = preamble
    fenced = False
    for line in _LINK.sub(r"\1", text).splitlines():
        fenced ^= line.startswith("```")
        heading = None if fenced else _HEADING.match(line.rstrip(" "))
        if heading is None:
            if current is not None:
                current.append(line)
        elif heading[1] == "##":
            current = None  # prose between a section's heading and its first entry belongs to no claim
        elif heading[2] in blocks:
            raise ValueError(f"{NAME} has two entries called {heading[2]!r}")
        else:
            current = blocks[heading[2]] = []
    return Notes(_parts("\n".join(preamble)), {name: _entry(name, lines) for name, lines in blocks.items()})


def _entry(name: str, lines: list[str]) -> Entry:
    text = "\n".join(lines).strip()
    first, _, rest = text.partition("\n")
    verdict = _VERDICT.match(first)
    if verdict is None:
        return Entry(name, parts=_parts(text))
    return Entry(name, verdict[1], verdict[2], verdict[3], _parts(rest))


def _parts(text: str) -> dict[str, str]:
    """Markdown by label; two parts with one label are joined."""
    marks = list(_LABEL.finditer(text))
    pieces = [("", text[: marks[0].start()] if marks else text)]
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    pieces += [(mark[1], text[mark.end() : end]) for mark, end in zip(marks, ends)]
    parts: dict[str, str] = {}
    for label, piece in pieces:
        if piece.strip():
            parts[label] = f"{parts[label]}\n\n{piece.strip()}" if label in parts else piece.strip()
    return parts
