"""What the page shows when a claim is opened.

Statement, verdict, what is true instead, proof, pictures, witness, certificate, what was examined, how to run it again.
"""

from __future__ import annotations

import base64
import html
import json
import math
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from checks import smt
from checks.claim import Claim, Standing, Verdict
from checks.examine import Result, plain
from checks.report import links, mathml, notes, pictures, words
from checks.report.pictures import Picture
from checks.report.symbols import typeset

if TYPE_CHECKING:
    from checks.certificates import Shipped


@dataclass(frozen=True)
class Settings:
    """The options that decide a run's numbers."""

    seed: int
    budget: str
    data: str | None
    target: str | None = None

    def command(self, claim_id: str = "") -> str:
        """The command that reproduces a claim, or the whole ledger."""
        line = ["python", "-m", "checks"] + ([claim_id] if claim_id else [])
        line += ["--seed", str(self.seed)] if self.seed else []
        line += ["--budget", self.budget] if self.budget != "quick" else []
        line += ["--data", self.data] if self.data else []
        line += ["--target", self.target] if self.target else []
        return shlex.join(line)


def story(
    result: Result,
    claim: Claim | None,
    entry: notes.Entry,
    run: Settings,
    figures: Sequence[Picture],
    certificate: Shipped | None = None,
    known: Collection[str] = (),
) -> str:
    """What opens under a claim, with links to those of the `known` claims that it names."""
    blocks = []
    if claim is not None:
        evidence = f"{claim.evidence.value}: {words.EVIDENCE[claim.evidence]}"
        blocks.append(
            f'<p class="standing">{words.standing(claim)} The verdict <b>{words.verdict(claim)}</b>. Evidence here: {evidence}.</p>'
        )
    parts = {label: mathml.to_html(text) for label, text in entry.parts.items() if label and label != "Check"}
    stated = "Statement" if "Statement" in parts or (claim and claim.standing is Standing.OURS) else "As printed"
    stated = "Read as" if claim and claim.reading else stated
    if claim is not None:
        own = ((stated, claim.statement), ("Repaired", claim.repaired), ("Why", claim.proof))
        for label, text in own:
            if text and label not in parts:
                parts[label] = plain_words(text)
    first = [label for label in ("As printed", "Read as", "Statement", "Repaired") if label in parts]
    for label in first + [label for label in parts if label not in first]:
        kind = "repaired" if label == "Repaired" else "printed" if label in first else "prose"
        blocks.append(f'<section class="{kind}"><h3>{_heading(label, result)}</h3>{parts[label]}</section>')
    if "" in entry.parts:
        blocks.append(f'<section class="prose">{mathml.to_html(entry.parts[""])}</section>')
    blocks += [pictures.shown(figure) for figure in figures]
    blocks += [_witness(result), _certificate(certificate), _proved(result.id), _examined(result, claim)]
    text = links.linked("".join(blocks), known, result.id)
    return f'<div class="story">{text}{_reproduce(result, run)}</div>'


def plain_words(text: str) -> str:
    """A paragraph of plain text, its mathematics in Unicode."""
    return f'<p class="plain">{html.escape(typeset(text))}</p>'


def _heading(label: str, result: Result) -> str:
    if label == "Repaired":
        return "What is true instead" if result.recorded in (Verdict.REFUTED, Verdict.REPAIRED) else "Restated"
    return mathml.inline(label)


def _witness(result: Result) -> str:
    witness = result.witness
    if witness is None:
        return ""
    state = "re-verified in this run" if witness.refuted else "does NOT refute the printed statement in this run"
    text = plain_words(witness.explanation)
    numbers = copyable(f"{result.id}-witness", numerals(witness.values)) if witness.values else ""
    return f'<section class="witness"><h3>Witness <small>{state}</small></h3>{text}{numbers}</section>'


def _certificate(certificate: Shipped | None) -> str:
    """A path whose bound anybody can verify; the file itself is in the link."""
    if certificate is None:
        return ""
    file, content = html.escape(f"{certificate.claim}.json"), base64.b64encode(certificate.text.encode()).decode()
    command = copyable(f"{certificate.claim}-verify", f"python -m checks verify {certificate.claim}.json")
    return (
        '<section class="certificate"><h3>A certificate to take along</h3>'
        f'<p class="plain">{html.escape(certificate.title)}: the risk is at most <b>{certificate.upper!r}</b> on all '
        f"{certificate.pieces} pieces of a path. The file "
        f'<a download="{file}" href="data:application/json;base64,{content}">{file}</a> holds network, data, path and bound; '
        f"this re-derives the bound in exact arithmetic, with the standard library alone:</p>{command}</section>"
    )


def _proved(claim_id: str) -> str:
    """The steps that a solver proves, and what is tested because it is not of that kind."""
    lemmas, rest = smt.PROVED.get(claim_id, ()), smt.REST.get(claim_id, "")
    if not lemmas:
        return ""
    steps = "".join(f"<li>{html.escape(typeset(lemma.words))}</li>" for lemma in lemmas)
    return (
        '<section class="proved"><h3>Proved by a solver <small>the negation is unsatisfiable over the reals</small></h3>'
        f"<ul>{steps}</ul>{plain_words('Not of that kind: ' + rest)}</section>"
    )


def _examined(result: Result, claim: Claim | None) -> str:
    control = result.control
    rows = [
        ("Outcome", f"{result.status_word}: {result.status.value}"),
        ("Verdict", f"{result.verdict_word} in this run, {result.recorded_word} on record"),
        ("Instances", f"{result.instances:,}"),
        ("Worst margin", repr(result.margin) if result.instances else "-"),
        ("Tried", result.note),
        ("Planted fault", claim.fault if claim else ""),
        ("Real tables", ", ".join(result.tables)),
        ("Error", result.error),
        ("Time", f"{result.seconds:.1f} s"),
    ]
    if control is not None:
        over = f"margin {number(control.margin)} over {words.counted(control.instances, 'instance')}"
        note = "" if control.note == result.note else control.note
        rows.insert(6, ("It was", f"{result.control_word}, {over}. {note}".strip()))
    listing = "".join(f"<dt>{name}</dt><dd>{html.escape(typeset(text))}</dd>" for name, text in rows if text)
    closest = ""
    if result.closest:
        closest = f"<h4>The instance that came closest</h4>{copyable(f'{result.id}-closest', numerals(result.closest))}"
    return f'<section class="examined"><h3>What was examined</h3><dl>{listing}</dl>{closest}</section>'


def _reproduce(result: Result, run: Settings) -> str:
    command = copyable(f"{result.id}-command", run.command(result.id))
    return f'<section class="reproduce"><h3>Reproduce</h3>{command}</section>'


def copyable(name: str, text: str) -> str:
    """Text as it is, with a button that copies it where scripts run."""
    name = "text-" + html.escape(name)
    long = " long" if text.count("\n") > 14 or len(text) > 1500 else ""
    return (
        f'<div class="copyable{long}"><pre id="{name}" tabindex="0">{html.escape(text)}</pre>'
        f'<button type="button" data-copies="{name}" hidden>Copy</button></div>'
    )


def number(value: float) -> str:
    """Two digits; a dash for nan."""
    return "-" if math.isnan(value) else f"{value:.2g}"


def numerals(values: Mapping[str, Any]) -> str:
    """Plain values as JSON that reads back exactly: one name per line, a matrix with one row per line.

    >>> print(numerals({"t": 0.5, "W": [[1, 2], [3, 4]]}))
    {
      "t": 0.5,
      "W": [[1, 2],
            [3, 4]]
    }
    """
    lines = []
    for name, value in plain(values).items():
        key = json.dumps(name, ensure_ascii=False)
        if isinstance(value, list) and len(value) > 1 and all(isinstance(row, list) for row in value):
            rows = (",\n" + " " * (len(key) + 5)).join(json.dumps(row, ensure_ascii=False) for row in value)
            lines.append(f"  {key}: [{rows}]")
        else:
            lines.append(f"  {key}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}"
