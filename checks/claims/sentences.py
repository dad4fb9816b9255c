"""The sentences of the paper that assert something, each with the claims that answer it, or why it has no truth value."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Sentence:
    """One assertion: its number, its place in the paper, its words (shortened), and claim ids or a reason for none."""

    number: int
    place: str
    words: str
    claims: tuple[str, ...]
    reason: str


def sentences() -> tuple[Sentence, ...]:
    """All of them, in the order of the paper."""
    text = (resources.files(__package__) / "sentences.csv").read_text(encoding="utf-8")
    return tuple(
        Sentence(int(row["number"]), row["place"], row["words"], tuple(row["claims"].split()), row["reason"])
        for row in csv.DictReader(text.splitlines())
    )
