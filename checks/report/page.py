"""The ledger as one page that carries everything it needs: no request leaves it, and without scripts it reads the same.

`render_page` takes the results of a run; texts come from paper_notes.md where it is found, else from the claims themselves.
A picture that names no claim of the page stands at its end. A column that says the same of every claim is a sentence.
"""

from __future__ import annotations

import base64
import hashlib
import html
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any

from checks import claims
from checks.claim import Claim, Evidence, Status, Verdict
from checks.examine import Result
from checks.report import document, mathml, notes, pictures, slider, surprises, words
from checks.report.entry import Settings, copyable, number, story
from checks.report.pictures import Picture
from checks.report.symbols import typeset
from checks.report.words import VERDICTS

if TYPE_CHECKING:
    from checks.certificates import Shipped

TITLE = "The ledger: half-rectified networks, checked"
EARLY = 'document.documentElement.classList.add("js")'  # before anything is drawn

SIGNS = {"holds": "✓", "repaired": "≈", "refuted": "✗", "open": "?", "none": "!"}


def render_page(
    results: Sequence[Result],
    *,
    seed: int = 0,
    budget: str = "quick",
    data: str | None = None,
    target: str | None = None,
    ledger: notes.Notes | None = None,
    figures: Iterable[Picture] = (),
    certificates: Iterable[Shipped] = (),
) -> str:
    """The whole page as text; certificates are offered under their claims. ledger: the notes (default: those installed)."""
    ledger = notes.read() if ledger is None else ledger
    figures, by_claim = tuple(figures), {shipped.claim: shipped for shipped in certificates}
    run = Settings(seed, budget, data, target)
    shown = {result.id for result in results}
    rest = [figure for figure in figures if not shown.intersection(figure.claims)]
    cards, false = surprises.cards(shown, figures), _false(results)
    scenes, walk_data = slider.section()
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
        surprises=_surprises(cards),
        surprises_link='<a href="#surprises">Surprises</a>' if cards else "",
        false=false,
        false_link='<a href="#false">What is false</a>' if false else "",
        pictures=pictures.once(figures),
        walk=scenes,
        walk_data=walk_data,
        key=_key(ledger),
        filters=_filters(results),
        table=_table(results, run, ledger, figures, by_claim),
        gallery=_gallery(rest),
        figures_link='<a href="#figures">Figures</a>' if rest else "",
        colophon=_colophon(run),
    )


def _resource(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _chip(verdict: str) -> str:
    return (
        f'<span class="chip {verdict}" title="{VERDICTS[verdict]}">'
        f'<span class="sign" aria-hidden="true">{SIGNS[verdict]}</span>{verdict}</span>'
    )


def _counts(results: Iterable[Result]) -> dict[str, int]:
    names = [result.verdict_word for result in results]
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
    false = words.how_many_are_false((claim, r) for r in results if (claim := _load(r.id)) is not None)
    sentence = f'<p class="sentence">{false}</p>' if false else ""
    left = len(claims.available()) - len({result.id for result in results})
    were = "was" if left == 1 else "were"
    missing = f"<p>{words.counted(left, 'other claim')} of the ledger {were} not run.</p>" if left else ""
    if not bad:
        total = words.counted(sum(result.instances for result in results), "instance")
        outcome = (
            "The outcome is the recorded verdict" if len(results) == 1 else "All outcomes are the recorded verdicts"
        )
        return (
            f'{sentence}<div class="notice"><p>{outcome}, over {total}, and every check caught the fault '
            f"that was planted in it.</p>{missing}</div>"
        )
    items = "".join(
        f'<li><a href="#{html.escape(r.id)}">{html.escape(r.id)}</a> {r.status_word}: {html.escape(r.status.value)}</li>'
        for r in bad
    )
    need = "needs" if len(bad) == 1 else "need"
    return (
        f'{sentence}<div class="notice bad"><p>{len(bad)} of {words.counted(len(results), "outcome")} {need} a look:</p>'
        f"<ul>{items}</ul>{missing}</div>"
    )


def _surprises(cards: str) -> str:
    if not cards:
        return ""
    return (
        '<section id="surprises" aria-labelledby="surprises-title"><h2 id="surprises-title">Surprises</h2>'
        f'<p>What a careful reading found, open questions included.</p><div class="cards">{cards}</div></section>'
    )


def _false(results: Sequence[Result]) -> str:
    """The statements that are refuted, a line each, with what is true instead."""
    found = [(r, c) for r in results if r.verdict is Verdict.REFUTED and (c := _load(r.id)) is not None and c.instead]
    if not found:
        return ""
    items = "".join(
        f'<li><a href="#{html.escape(r.id)}">{html.escape(typeset(c.headline))}</a> '
        f'<span class="instead">{html.escape(typeset(c.instead))}</span>{" <small>(a reading)</small>" if c.reading else ""}</li>'
        for r, c in found
    )
    return (
        '<section id="false" aria-labelledby="false-title"><h2 id="false-title">What is false</h2>'
        f'<p>Refuted statements, with what is true instead; each leads to its proof.</p><ul class="false">{items}</ul></section>'
    )


def _key(ledger: notes.Notes) -> str:
    rows = [f"<dt>{_chip(name)}</dt><dd>{text}</dd>" for name, text in VERDICTS.items() if name != "none"]
    rows += [f'<dt class="evidence">{kind.value}</dt><dd>{text}</dd>' for kind, text in words.EVIDENCE.items()]
    notation = mathml.to_html(ledger.parts["Notation"]) if "Notation" in ledger.parts else ""
    return (
        '<details class="key"><summary>How to read it: notation, verdicts, evidence, margins</summary>'
        f"{notation}<dl>{''.join(rows)}</dl>"
        "<p>A <b>margin</b> is the worst slack met by the check of the true statement, rounding already allowed for: "
        "negative would mean a violation. In every check a mistake is planted on purpose, which it must notice: what it was "
        "stands under the claim. Proofs are in the text of each claim; evidence is what the machine adds: where the printed statement is "
        "refuted, for the refutation. Instances and margin always belong to what is true instead.</p></details>"
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
        '<button type="button" id="open-all">Open all</button><button type="reset">Reset</button>'
        '<button type="button" data-prints="short" title="verdicts and surprises, about four pages, and what is open">Print</button>'
        '<button type="button" data-prints="whole" title="with every proof and witness">Print all</button></div></form>'
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


def _columns(results: Sequence[Result]) -> list[tuple[str, str]]:
    """The columns of the table: that of faults, and that of outcomes, only where not all are caught, or not all agree."""
    constant = {
        "fault": all(result.control_caught for result in results),
        "status": all(result.status is Status.AGREES for result in results),
    }
    return [(key, label) for key, label in COLUMNS if not constant.get(key, False)]


def _table(
    results: Sequence[Result],
    run: Settings,
    ledger: notes.Notes,
    figures: Sequence[Picture],
    certificates: Mapping[str, Shipped],
) -> str:
    columns, shown = _columns(results), [result.id for result in results]
    head = "".join(f'<th scope="col" class="{key}" data-key="{key}">{label}</th>' for key, label in columns)
    bodies, section = [], None
    for order, result in enumerate(results):
        if claims.section(result.id) != section:
            section = claims.section(result.id)
            bodies.append(
                f'<tbody class="heading"><tr><th scope="rowgroup" colspan="{len(columns)}">{html.escape(section)}</th></tr></tbody>'
            )
        claim, entry = _load(result.id), ledger.entries.get(result.id, notes.Entry(result.id))
        own = [figure for figure in figures if result.id in figure.claims]
        opened = story(result, claim, entry, run, own, certificates.get(result.id), shown)
        bodies.append(_claim(order, result, claim, entry.source, opened, [key for key, _ in columns]))
    return f'<table id="claims"><thead><tr>{head}</tr></thead>{"".join(bodies)}</table>'


def _load(claim_id: str) -> Claim | None:
    try:
        return claims.load(claim_id)
    except Exception:  # its module does not load: the result's error says so
        return None


def _claim(order: int, result: Result, claim: Claim | None, source: str, opened: str, columns: Sequence[str]) -> str:
    name, word = html.escape(result.id), result.verdict_word
    evidence, fault = result.evidence_word, result.control_word
    rank = list(Evidence).index(result.evidence) if result.evidence else len(Evidence)
    keys = {
        "claim": order,
        "verdict": list(SIGNS).index(word),
        "evidence": rank,
        "instances": result.instances,
        "margin": "" if math.isnan(result.margin) else repr(float(result.margin)),
        "fault": int(result.control_caught),
        "status": list(Status).index(result.status),
    }
    attributes = "".join(f' data-{key}="{keys[key]}"' for key in columns)
    cells = {
        "claim": f'<th scope="row" class="claim"><a href="#{name}">{name}</a></th>',
        "verdict": f'<td class="verdict">{_chip(word)}</td>',
        "evidence": f'<td class="evidence">{evidence or "-"}</td>',
        "instances": f'<td class="instances">{result.instances:,}</td>',
        "margin": f'<td class="margin">{number(result.margin)}</td>',
        "fault": f'<td class="fault {fault}">{fault}</td>',
        "status": f'<td class="status {result.status_word}">{result.status_word}</td>',
    }
    place = source or (claim.source if claim else "")
    return (
        f'<tbody class="claim" id="{name}" data-name="{word}" data-kind="{evidence}" '
        f'data-section="{html.escape(claims.section(result.id))}"{attributes}><tr>{"".join(cells[key] for key in columns)}</tr>'
        f'<tr class="more"><td colspan="{len(columns)}"><details><summary>{_closed_row(claim, place) or name}</summary>'
        f"{opened}</details></td></tr></tbody>"
    )


def _closed_row(claim: Claim | None, source: str) -> str:
    """The closed row: what is claimed in one plain sentence, what is true instead where it is false, and where it stands."""
    place = mathml.inline(source)
    if claim is None:
        return place
    instead = f' <span class="instead">{html.escape(typeset(claim.instead))}</span>' if claim.instead else ""
    return f'<span class="headline">{html.escape(typeset(claim.headline))}</span>{instead} <small class="place">{place}</small>'


def _gallery(figures: Sequence[Picture]) -> str:
    if not figures:
        return ""
    return f'<section id="figures"><h2>More figures</h2>{"".join(map(pictures.shown, figures))}</section>'


def _colophon(run: Settings) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in document.versions().items() if version)
    return (
        f"<p>The whole ledger again, at this seed ({run.seed}) and budget ({run.budget}):</p>"
        f"{copyable('whole-ledger', run.command() + ' --report report')}"
        f"<p>Made with {html.escape(versions)}. This page asks the network for nothing.</p>"
    )
