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

from checks.claim import Claim, Standing, Status
from checks.claims import section
from checks.examine import Result
from checks.programs import Console

COLOURS = {
    Status.AGREES: "green",
    Status.DIFFERS: "bold red",
    Status.VACUOUS: "bold yellow",
    Status.BROKEN: "bold yellow",
    Status.ERROR: "bold red",
}


COLUMNS = {
    "claim": 25,
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

    Where `width` characters are too few the seconds are left out, then the evidence.
    """
    columns = dict(COLUMNS)
    for name in ("seconds", "evidence"):
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
        "verdict": Text(result.verdict_word),
        "evidence": Text(result.evidence_word or "-"),
        "status": Text(result.status_word, style=COLOURS[result.status]),
        "instances": Text(f"{result.instances:,}"),
        "margin": Text(f"{result.margin:.2g}"),
        "control": _control(result),
        "seconds": Text(f"{result.seconds:.1f}"),
    }


def _control(result: Result) -> Text:
    return Text(result.control_word, style="" if result.control_caught else "bold red")


def measured(results: Iterable[Result]) -> RenderableType:
    """What was measured on real tables, one line per claim that used one."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for result in results:
        if result.tables and result.note:
            grid.add_row(Text("  " + result.id), Text(f"({', '.join(result.tables)}) {result.note}"))
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


def summary(results: Sequence[Result], asked: int, seed: int, budget: str, seconds: float) -> Text:
    """The closing line."""
    counts = {status: sum(r.status is status for r in results) for status in Status}
    parts = ", ".join(f"{count} {status.name.lower()}" for status, count in counts.items() if count) or "none run"
    missing = f" ({asked - len(results)} not run)" if len(results) < asked else ""
    good = counts[Status.AGREES] == asked
    text = f"{asked} claims{missing}: {parts}. Seed {seed}, budget {budget}, {seconds:.1f} s."
    return Text(text, style="bold green" if good else "bold red")


def controls(results: Iterable[Result]) -> Table:
    """What each planted fault gave."""
    table = Table(title="Planted faults", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, title_justify="left")
    table.add_column("claim", no_wrap=True)
    for name in ("instances", "margin"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("control", no_wrap=True)
    table.add_column("where it was caught", overflow="fold")
    for result in results:
        control = result.control
        if control is None:
            table.add_row(Text(result.id), "-", "-", "-", Text(result.error))
            continue
        where = "; ".join(part for part in (control.note, _short(control.closest) if control.closest else "") if part)
        table.add_row(
            Text(result.id),
            f"{control.instances:,}",
            f"{control.margin:.2g}",
            _control(result),
            Text(where),
        )
    return table


def details(claim: Claim, result: Result) -> RenderableType:
    """The claim in words, with its witness and the instance that came closest."""
    witness = result.witness
    parts = [
        ("as stated" if claim.standing is Standing.OURS else "as printed", claim.statement),
        ("standing", f"{claim.standing.value}, {claim.tightness.value}; {claim.source}"),
        ("repaired", claim.repaired),
        ("why", claim.proof),
        ("tried", result.note),
        ("closest", _short(result.closest) if result.closest else ""),
        ("witness", witness.explanation if witness else ""),
        ("values", _short(witness.values) if witness and witness.values else ""),
    ]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for name, text in parts:
        if text:
            grid.add_row(name, Text(text))
    return Group(Text(claim.id, style="bold"), Padding(grid, (0, 0, 1, 2)))


def catalogue(claims: Sequence[Claim]) -> Table:
    """What is on record, without running anything."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("claim", no_wrap=True)
    for name in ("verdict", "evidence", "standing"):
        table.add_column(name, no_wrap=True)
    table.add_column("source", overflow="fold")
    heading = None
    for claim in claims:
        if section(claim.id) != heading:
            heading = section(claim.id)
            table.add_section()
            table.add_row(Text(heading, style="bold"))
        words = (claim.verdict.name.lower(), claim.evidence.value, claim.standing.value, claim.source)
        table.add_row(Text("  " + claim.id), *map(Text, words))
    return table


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
    """Standard output; wide enough for the table when it is not a terminal."""
    plain_output = Console()
    return plain_output if plain_output.is_terminal else Console(width=120)
