"""The ledger for people, on a terminal: one row per claim, and what needs a look in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from checks import claims
from checks.claim import Claim, Standing, Status, Verdict
from checks.claims import section
from checks.examine import Result
from checks.programs import Console, Unpadded
from checks.report import words
from checks.report.symbols import typeset

COLOURS = {
    Status.AGREES: "green",
    Status.DIFFERS: "bold red",
    Status.VACUOUS: "bold yellow",
    Status.BROKEN: "bold yellow",
    Status.ERROR: "bold red",
}

OF_VERDICTS = {"holds": "green", "repaired": "yellow", "refuted": "red", "open": "magenta", "none": "bold red"}

IN_NUMBERS = {  # what one claim does, what several do
    Status.AGREES: ("agrees", "agree"),
    Status.DIFFERS: ("differs", "differ"),
    Status.VACUOUS: ("is vacuous", "are vacuous"),
    Status.BROKEN: ("is broken", "are broken"),
    Status.ERROR: ("ended in an error", "ended in errors"),
}

COLUMNS = {
    "claim": 27,
    "verdict": 8,
    "evidence": 14,
    "status": 7,
    "instances": 9,
    "margin": 8,
    "control": 7,
    "seconds": 7,
}


WORDS = ("claim", "verdict", "evidence", "status")


def ledger(results: Sequence[Result], width: int = 120) -> RenderableType:
    """One row per result, in the given order, under the headings of the paper's sections.

    Where `width` characters are too few the seconds are left out, then the evidence, the control and the numbers: a verdict
    is never cut.
    """
    columns = dict(COLUMNS)
    for name in ("seconds", "evidence", "control", "margin", "instances"):
        if sum(columns.values()) + 2 * len(columns) > width:
            del columns[name]
    parts: list[RenderableType] = []
    for heading, group in groupby(results, key=lambda result: section(result.id)):
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_header=not parts, show_edge=False)
        for name, size in columns.items():
            table.add_column(name, justify="left" if name in WORDS else "right", width=size, no_wrap=True)
        for result in group:
            cells = _cells(result)
            table.add_row(*(cells[name] for name in columns))
        parts += [Text(f"\n{heading}", style="bold"), table]
    return Group(*parts, Text())


def _cells(result: Result) -> dict[str, Text]:
    return {
        "claim": Text(result.id),
        "verdict": _verdict(result.verdict_word),
        "evidence": Text(result.evidence_word or "-"),
        "status": Text(result.status_word, style=COLOURS[result.status]),
        "instances": Text(f"{result.instances:,}"),
        "margin": Text(f"{result.margin:.2g}"),
        "control": _control(result),
        "seconds": Text(f"{result.seconds:.1f}"),
    }


def _verdict(word: str) -> Text:
    return Text(word, style=OF_VERDICTS[word])


def _control(result: Result) -> Text:
    return Text(result.control_word, style="" if result.control_caught else "bold red")


def measured(results: Iterable[Result]) -> RenderableType:
    """What was measured on real tables, one line per claim that used one, with the number of instances and the margin."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for result in results:
        if result.tables and result.note:
            size = f"{words.counted(result.instances, 'instance')}, margin {result.margin:.2g}"
            grid.add_row(Text("  " + result.id), Text(f"({', '.join(result.tables)}) {result.note}: {size}"))
    return Group(Text("On real tables", style="bold"), Padding(grid, (0, 0, 1, 0))) if grid.row_count else Group()


def troubles(results: Iterable[Result]) -> RenderableType:
    """For every result that does not agree: what to do, what was recorded and the instance that came closest."""
    lines = []
    for result in results:
        if result.status is not Status.AGREES:
            line = Text(f"{result.id}: {result.status.value}", style=COLOURS[result.status])
            lines.append(line)
            lines.append(Text(f"  recorded {result.recorded_word}, this run {result.verdict_word}"))
            for what, value in (("error", result.error), ("note", result.note), ("closest", result.closest)):
                if value:
                    lines.append(Text(f"  {what}: {_short(value)}"))
            if result.witness is not None and not result.witness.refuted:
                lines.append(Text(f"  the witness does not refute the printed statement: {result.witness.explanation}"))
    return Group(*lines)


def summary(results: Sequence[Result], asked: int, seed: int, budget: str, seconds: float) -> RenderableType:
    """The closing lines: how the run went, and how many of the paper's statements are false."""
    counts = {status: sum(r.status is status for r in results) for status in Status}
    went = ", ".join(f"{count} {IN_NUMBERS[status][count > 1]}" for status, count in counts.items() if count)
    missing = f" ({asked - len(results)} not run)" if len(results) < asked else ""
    good = counts[Status.AGREES] == asked
    line = f"{words.counted(asked, 'claim')}{missing}: {went or 'none run'}. Seed {seed}, budget {budget}, {seconds:.1f} s."
    false = words.how_many_are_false((claims.load(r.id), r) for r in results if r.recorded is not None)
    closing = [Text(line, style="bold green" if good else "bold red")]
    return Group(*closing, *([Text(false)] if false and len(results) > 1 else []))


def controls(results: Iterable[Result]) -> Table:
    """What was planted in each check, in words, and what it gave."""
    table = Table(title="Planted faults", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, title_justify="left")
    table.add_column("claim", no_wrap=True)
    table.add_column("what was planted", overflow="fold", ratio=2)
    table.add_column("control", no_wrap=True)
    for name in ("instances", "margin"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("where it was caught", overflow="fold", ratio=3)
    for result in results:
        control = result.control
        planted = Text(claims.load(result.id).fault if result.recorded is not None else "-")
        if control is None:
            table.add_row(Text(result.id), planted, "-", "-", "-", Text(result.error))
            continue
        where = "; ".join(part for part in (control.note, _short(control.closest) if control.closest else "") if part)
        table.add_row(
            Text(result.id), planted, _control(result), f"{control.instances:,}", f"{control.margin:.2g}", Text(where)
        )
    return table


def details(claim: Claim, result: Result, unicode: bool = False) -> RenderableType:
    """The claim in words: its verdict, what is true instead, its witness and the instance that came closest."""
    witness = result.witness
    false = claim.verdict in (Verdict.REPAIRED, Verdict.REFUTED)
    verdict = Text(words.verdict(claim), style=OF_VERDICTS[claim.verdict.value])
    if result.status is not Status.AGREES:
        verdict.append(f"; this run: {result.verdict_word}, {result.status.value}", style=COLOURS[result.status])
    printed = "read as" if claim.reading else "as stated" if claim.standing is Standing.OURS else "as printed"
    parts: list[tuple[str, str | Text | None]] = [
        ("in short", claim.headline),
        ("verdict", verdict),
        ("true is", claim.instead),
        ("evidence", f"{claim.evidence.value}: {words.EVIDENCE[claim.evidence]}"),
        (printed, claim.statement),
        ("true instead" if false else "restated", claim.repaired),
        ("standing", f"{words.standing(claim)} {claim.source}"),
        ("why", claim.proof),
        ("tried", result.note),
        ("planted", f"{claim.fault}: {result.control_word}" if result.control else claim.fault),
        ("closest", _short(result.closest) if result.closest else ""),
        ("witness", witness.explanation if witness else ""),
        ("values", _short(witness.values) if witness and witness.values else ""),
    ]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for name, text in parts:
        if text:
            if not isinstance(text, Text):
                text = Text(typeset(text) if unicode else text)
            grid.add_row(name, text)
    return Group(Text(claim.id, style="bold"), Padding(grid, (0, 0, 1, 2)))


def catalogue(shown: Sequence[Claim], width: int = 120, unicode: bool = False) -> RenderableType:
    """What is on record, without running anything: each claim in one sentence, under the headings of the paper's sections.

    In less than 100 characters of `width` the evidence is left out: a verdict is never cut.
    """
    parts: list[RenderableType] = []
    for heading, group in groupby(shown, key=lambda claim: section(claim.id)):
        table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=False)
        table.add_column("claim", width=COLUMNS["claim"], no_wrap=True)
        table.add_column("verdict", width=COLUMNS["verdict"], no_wrap=True)
        if width >= 100:
            table.add_column("evidence", width=COLUMNS["evidence"], no_wrap=True)
        table.add_column("in short", overflow="fold")
        for claim in group:
            cells = [Text(claim.id), _verdict(claim.verdict.value)]
            cells += [Text(claim.evidence.value)] if width >= 100 else []
            table.add_row(*cells, Text(typeset(claim.headline) if unicode else claim.headline))
        parts += [Text(f"{'' if not parts else chr(10)}{heading}", style="bold"), table]
    verdicts = [claim.verdict.value for claim in shown]
    counts = ", ".join(f"{verdicts.count(word)} {word}" for word in OF_VERDICTS if word in verdicts)
    return Group(
        *parts, Text(f"\n{words.counted(len(shown), 'claim')}: {counts}. With a name a claim is run and told.")
    )


def _short(value: Any, limit: int = 400) -> str:
    pairs = value.items() if isinstance(value, dict) else ()
    text = ", ".join(f"{key} = {_item(item)}" for key, item in pairs) or str(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _item(value: Any) -> str:
    if isinstance(value, list):
        shown = ", ".join(map(_item, value[:6]))
        return f"[{shown}, ... {len(value)} in all]" if len(value) > 6 else f"[{shown}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def console() -> Console:
    """Standard output; as wide as the tables are, and without padding, where it is not a terminal."""
    plain_output = Console()
    return plain_output if plain_output.is_terminal else Unpadded(width=120)


def shows_unicode(console: Console) -> bool:
    """Whether letters beyond the keyboard's are wanted: by people, on a terminal that has them."""
    return console.is_terminal and console.encoding.startswith("utf")
