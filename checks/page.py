"""The ledger as one page that carries everything it needs: no request leaves it, and without scripts it reads the same.

`page` takes the results of a run; texts come from paper_notes.md where it is found, else from the claims themselves.
Pictures are embedded from a folder that `python -m figures --out` filled: NAME.png (or .svg) beside NAME.npz, whose
caption is shown and whose `claims` say under which claims; a figure that names no claim of the page stands at its end.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from checks import claims, notes, prose, report
from checks.claim import Claim, Evidence, Standing, Status, Verdict
from checks.runner import Result, plain
from theory.validation import load_archive

TITLE = "The ledger: half-rectified networks, checked"

EARLY = 'document.documentElement.classList.add("js")'  # before anything is drawn

SIGNS = {"holds": "✓", "repaired": "≈", "refuted": "✗", "open": "?", "none": "!"}

VERDICTS = {
    "holds": "true as printed",
    "repaired": "false or incomplete as printed, true as restated",
    "refuted": "false",
    "open": "neither proved nor refuted here",
    "none": "this run supports no verdict",
}

EVIDENCE = {
    "exact": "rational or symbolic arithmetic",
    "enclosed": "floating point with every rounding bounded",
    "dual-certified": "feasible primal and dual points",
    "sampled": "random and adversarial instances, none proved",
    "illustrated": "experiments that show, without deciding",
}

PICTURES = {".png": "image/png", ".svg": "image/svg+xml"}


class PictureError(ValueError):
    """A folder of pictures that cannot be used; the message is one line."""


@dataclass(frozen=True)
class Picture:
    """One figure: its file as a data URI, its name, its caption in Markdown, the ids of the claims it belongs to."""

    uri: str
    name: str
    caption: str
    claims: tuple[str, ...]


def pictures(folder: str | Path) -> tuple[Picture, ...]:
    """The figures in `folder`, by name; PictureError when it has none or one cannot be read."""
    found = []
    try:
        every = sorted(Path(folder).glob("*.npz"))
    except OSError as error:
        raise PictureError(f"--pictures {folder}: {error.strerror or error}") from error
    for numbers in every:
        file = next((f for f in map(numbers.with_suffix, PICTURES) if f.is_file()), None)
        if file is not None:
            found.append(_picture(file, numbers))
    if not found:
        kinds = " or ".join(PICTURES)
        raise PictureError(
            f"--pictures {folder}: no figure of `python -m figures --out {folder}` is there, {kinds} beside .npz"
        )
    return tuple(found)


def _picture(file: Path, numbers: Path) -> Picture:
    try:
        held = load_archive(numbers, ("caption", "claims"))
        claimed = held.get("claims")
        caption, ids = str(held["caption"]), () if claimed is None else tuple(map(str, claimed.ravel()))
        content = base64.b64encode(file.read_bytes()).decode()
    except OSError as error:
        raise PictureError(f"--pictures {file}: {error.strerror or error}") from error
    except (ValueError, KeyError) as error:
        raise PictureError(f"--pictures {numbers}: not an NPZ that `python -m figures` wrote ({error})") from error
    return Picture(f"data:{PICTURES[file.suffix]};base64,{content}", file.stem, caption, ids)


def page(
    results: Sequence[Result],
    *,
    seed: int = 0,
    budget: str = "quick",
    data: str | None = None,
    ledger: notes.Notes | None = None,
    figures: Iterable[Picture] = (),
) -> str:
    """The whole page as text. ledger: the notes (default: those of this installation)."""
    from checks import walk  # it builds paths, and so loads half of theory

    ledger = notes.read() if ledger is None else ledger
    figures = tuple(figures)
    run = _Run(seed, budget, data)
    shown = {result.id for result in results}
    rest = [figure for figure in figures if not shown.intersection(figure.claims)]
    scenes, walk_data = walk.section()
    style, script = _resource("page.css"), _resource("page.js")
    return Template(_resource("page.html")).substitute(
        title=TITLE,
        style=style,
        script=script,
        early=EARLY,
        early_hash=_hash(EARLY),
        style_hash=_hash(style),
        script_hash=_hash(script),
        summary=_summary(results),
        notice=_notice(results),
        walk=scenes,
        walk_data=walk_data,
        key=_key(ledger),
        filters=_filters(results),
        table=_table(results, run, ledger, figures),
        gallery=_gallery(rest),
        figures_link='<a href="#figures">Figures</a>' if rest else "",
        colophon=_colophon(run),
    )


@dataclass(frozen=True)
class _Run:
    """The options that decide a run's numbers."""

    seed: int
    budget: str
    data: str | None

    def command(self, claim_id: str = "") -> str:
        """The command that reproduces a claim, or the whole ledger."""
        words = ["python", "-m", "checks"] + ([claim_id] if claim_id else [])
        words += ["--seed", str(self.seed)] if self.seed else []
        words += ["--budget", self.budget] if self.budget != "quick" else []
        words += ["--data", self.data] if self.data else []
        return shlex.join(words)


def _resource(name: str) -> str:
    return resources.files("checks").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _verdict(result: Result) -> str:
    return result.verdict.name.lower() if result.verdict else "none"


def _chip(verdict: str) -> str:
    return (
        f'<span class="chip {verdict}" title="{VERDICTS[verdict]}">'
        f'<span class="sign" aria-hidden="true">{SIGNS[verdict]}</span>{verdict}</span>'
    )


def _counts(results: Iterable[Result]) -> dict[str, int]:
    names = [_verdict(result) for result in results]
    return {name: names.count(name) for name in SIGNS if name in names}


def _summary(results: Sequence[Result]) -> str:
    counts = _counts(results)
    left, bars = 0.0, []
    for name, count in counts.items():
        width = 100 * count / len(results)
        bars.append(f'<rect class="{name}" x="{left:.3f}" width="{max(width - 0.3, 0.1):.3f}" height="4"/>')
        left += width
    legend = "".join(
        f"<li>{_chip(name)} <b>{count}</b> <span>{VERDICTS[name]}</span></li>" for name, count in counts.items()
    )
    return (
        f'<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">{"".join(bars)}</svg>'
        f'<ul class="counts">{legend}</ul>'
    )


def _notice(results: Sequence[Result]) -> str:
    bad = [result for result in results if result.status is not Status.AGREES]
    if not results:
        return '<p class="notice bad">No claim was run.</p>'
    if not bad:
        total = sum(result.instances for result in results)
        return (
            f'<p class="notice">All {len(results)} outcomes are the recorded verdicts, over {total:,} instances; '
            "every planted fault was caught.</p>"
        )
    items = "".join(
        f'<li><a href="#{html.escape(r.id)}">{html.escape(r.id)}</a> {r.status.name.lower()}: {html.escape(r.status.value)}</li>'
        for r in bad
    )
    return f'<div class="notice bad"><p>{len(bad)} of {len(results)} outcomes need a look:</p><ul>{items}</ul></div>'


def _key(ledger: notes.Notes) -> str:
    rows = [f"<dt>{_chip(name)}</dt><dd>{text}</dd>" for name, text in VERDICTS.items() if name != "none"]
    rows += [f'<dt class="evidence">{name}</dt><dd>{text}</dd>' for name, text in EVIDENCE.items()]
    notation = prose.to_html(ledger.parts["Notation"]) if "Notation" in ledger.parts else ""
    return (
        '<details class="key"><summary>How to read it: notation, verdicts, evidence, margins</summary>'
        f"{notation}<dl>{''.join(rows)}</dl>"
        "<p>A <b>margin</b> is the worst slack met by the check of the true statement, rounding already allowed for: "
        "negative would mean a violation. The <b>fault</b> column says whether the same check notices a mistake planted "
        "on purpose. Proofs are in the text of each claim; evidence is what the machine adds.</p></details>"
    )


def _filters(results: Sequence[Result]) -> str:
    evidence = [e.value for e in Evidence if any(r.evidence is e for r in results)]
    sections = [title for title, ids in claims.CATALOGUE.items() if any(r.id in ids for r in results)]

    def boxes(group: str, names: Iterable[str], label: Any) -> str:
        return "".join(
            f'<label><input type="checkbox" name="{group}" value="{html.escape(name)}" checked> {label(name)}</label>'
            for name in names
        )

    options = "".join(f"<option>{html.escape(title)}</option>" for title in sections)
    return (
        '<form class="filters" id="filters" hidden>'
        f"<fieldset><legend>Verdict</legend>{boxes('verdict', _counts(results), _chip)}</fieldset>"
        f"<fieldset><legend>Evidence</legend>{boxes('evidence', evidence, lambda name: name)}</fieldset>"
        f'<label class="wide">Section <select name="section"><option value="">all sections</option>{options}</select></label>'
        '<label class="wide">Search <input type="search" name="text" placeholder="a word, an id" autocomplete="off"></label>'
        '<div class="actions"><output id="shown" aria-live="polite"></output>'
        '<button type="button" id="open-all">Open all</button><button type="reset">Reset</button></div></form>'
    )


COLUMNS = (
    ("claim", "Claim"),
    ("verdict", "Verdict"),
    ("evidence", "Evidence"),
    ("instances", "Instances"),
    ("margin", "Margin"),
    ("fault", "Fault"),
    ("status", "Outcome"),
)


def _table(results: Sequence[Result], run: _Run, ledger: notes.Notes, figures: Sequence[Picture]) -> str:
    head = "".join(f'<th scope="col" class="{key}" data-key="{key}">{label}</th>' for key, label in COLUMNS)
    bodies, section = [], None
    for order, result in enumerate(results):
        if claims.section(result.id) != section:
            section = claims.section(result.id)
            bodies.append(
                f'<tbody class="heading"><tr><th scope="rowgroup" colspan="{len(COLUMNS)}">{html.escape(section)}</th></tr></tbody>'
            )
        entry = ledger.entries.get(result.id, notes.Entry(result.id))
        own = [figure for figure in figures if result.id in figure.claims]
        bodies.append(_claim(order, result, _load(result.id), entry, run, own))
    return f'<table id="claims"><thead><tr>{head}</tr></thead>{"".join(bodies)}</table>'


def _load(claim_id: str) -> Claim | None:
    try:
        return claims.load(claim_id)
    except Exception:  # its module does not load: the result's error says so
        return None


def _claim(
    order: int, result: Result, claim: Claim | None, entry: notes.Entry, run: _Run, figures: Sequence[Picture]
) -> str:
    name, verdict = html.escape(result.id), _verdict(result)
    evidence = result.evidence.value if result.evidence else ""
    rank = list(Evidence).index(result.evidence) if result.evidence else len(Evidence)
    fault = "caught" if result.control_caught else "missed"
    keys = {
        "claim": order,
        "verdict": list(SIGNS).index(verdict),
        "evidence": rank,
        "instances": result.instances,
        "margin": "" if math.isnan(result.margin) else repr(float(result.margin)),
        "fault": int(result.control_caught),
        "status": list(Status).index(result.status),
    }
    attributes = "".join(f' data-{key}="{value}"' for key, value in keys.items())
    cells = (
        f'<th scope="row" class="claim"><a href="#{name}">{name}</a></th>'
        f'<td class="verdict">{_chip(verdict)}</td><td class="evidence">{evidence or "-"}</td>'
        f'<td class="instances">{result.instances:,}</td><td class="margin">{_number(result.margin)}</td>'
        f'<td class="fault {fault}">{fault}</td>'
        f'<td class="status {result.status.name.lower()}">{result.status.name.lower()}</td>'
    )
    source = entry.source or (claim.source if claim else "")
    return (
        f'<tbody class="claim" id="{name}" data-name="{verdict}" data-kind="{evidence}" '
        f'data-section="{html.escape(claims.section(result.id))}"{attributes}><tr>{cells}</tr>'
        f'<tr class="more"><td colspan="{len(COLUMNS)}"><details><summary>{prose.inline(source) or name}</summary>'
        f"{_story(result, claim, entry, run, figures)}</details></td></tr></tbody>"
    )


def _story(result: Result, claim: Claim | None, entry: notes.Entry, run: _Run, figures: Sequence[Picture]) -> str:
    """What opens under a claim."""
    blocks = []
    if claim is not None:
        tight = f"{claim.standing.value}, {claim.tightness.value}"
        evidence = f"{claim.evidence.value}: {EVIDENCE[claim.evidence.value]}"
        blocks.append(f'<p class="standing">In the paper: {tight}. Evidence here: {evidence}.</p>')
    parts = {label: prose.to_html(text) for label, text in entry.parts.items() if label and label != "Check"}
    stated = "Statement" if "Statement" in parts or (claim and claim.standing is Standing.OURS) else "As printed"
    if claim is not None:
        own = ((stated, claim.statement), ("Repaired", claim.repaired), ("Why", claim.proof))
        for label, text in own:
            if text and label not in parts:
                parts[label] = f'<p class="plain">{html.escape(text)}</p>'
    first = [label for label in ("As printed", "Statement", "Repaired") if label in parts]
    for label in first + [label for label in parts if label not in first]:
        kind = "repaired" if label == "Repaired" else "printed" if label in first else "prose"
        blocks.append(f'<section class="{kind}"><h3>{_heading(label, result)}</h3>{parts[label]}</section>')
    if "" in entry.parts:
        blocks.append(f'<section class="prose">{prose.to_html(entry.parts[""])}</section>')
    blocks += [_figure(figure) for figure in figures]
    blocks += [_witness(result), _examined(result), _reproduce(result, run)]
    return f'<div class="story">{"".join(blocks)}</div>'


def _heading(label: str, result: Result) -> str:
    if label == "Repaired":
        return "What is true instead" if result.recorded in (Verdict.REFUTED, Verdict.REPAIRED) else "Restated"
    return prose.inline(label)


def _witness(result: Result) -> str:
    witness = result.witness
    if witness is None:
        return ""
    state = "re-verified in this run" if witness.refuted else "does NOT refute the printed statement in this run"
    text = f'<p class="plain">{html.escape(witness.explanation)}</p>'
    numbers = _copyable(f"{result.id}-witness", numerals(witness.values)) if witness.values else ""
    return f'<section class="witness"><h3>Witness <small>{state}</small></h3>{text}{numbers}</section>'


def _examined(result: Result) -> str:
    control = result.control
    recorded = result.recorded.name.lower() if result.recorded else "unknown"
    rows = [
        ("Outcome", f"{result.status.name.lower()}: {result.status.value}"),
        ("Verdict", f"{_verdict(result)} in this run, {recorded} on record"),
        ("Instances", f"{result.instances:,}"),
        ("Worst margin", repr(result.margin) if result.instances else "-"),
        ("Tried", result.note),
        ("Real tables", ", ".join(result.tables)),
        ("Error", result.error),
        ("Time", f"{result.seconds:.1f} s"),
    ]
    if control is not None:
        fault = f"{'caught' if result.control_caught else 'missed'}, margin {_number(control.margin)} over {control.instances:,} instances"
        rows.insert(4, ("Planted fault", f"{fault}. {control.note}".strip()))
    listing = "".join(f"<dt>{name}</dt><dd>{html.escape(text)}</dd>" for name, text in rows if text)
    closest = ""
    if result.closest:
        closest = (
            f"<h4>The instance that came closest</h4>{_copyable(f'{result.id}-closest', numerals(result.closest))}"
        )
    return f'<section class="examined"><h3>What was examined</h3><dl>{listing}</dl>{closest}</section>'


def _reproduce(result: Result, run: _Run) -> str:
    command = _copyable(f"{result.id}-command", run.command(result.id))
    return f'<section class="reproduce"><h3>Reproduce</h3>{command}</section>'


def _copyable(name: str, text: str) -> str:
    name = "text-" + html.escape(name)
    long = " long" if text.count("\n") > 14 or len(text) > 1500 else ""
    return (
        f'<div class="copyable{long}"><pre id="{name}" tabindex="0">{html.escape(text)}</pre>'
        f'<button type="button" data-copies="{name}" hidden>Copy</button></div>'
    )


def _figure(figure: Picture) -> str:
    caption = f"<figcaption>{prose.to_html(figure.caption)}</figcaption>"
    return f'<figure><img src="{figure.uri}" alt="figure {html.escape(figure.name)}">{caption}</figure>'


def _gallery(figures: Sequence[Picture]) -> str:
    if not figures:
        return ""
    return f'<section id="figures"><h2>More figures</h2>{"".join(map(_figure, figures))}</section>'


def _colophon(run: _Run) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report.versions().items() if version)
    return (
        f"<p>The whole ledger again, at this seed ({run.seed}) and budget ({run.budget}):</p>"
        f"{_copyable('whole-ledger', run.command() + ' --html report.html')}"
        f"<p>Made with {html.escape(versions)}. This page asks the network for nothing.</p>"
    )


def _number(value: float) -> str:
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
