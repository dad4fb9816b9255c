"""The ledger itself: every claim comes out as recorded with its planted fault caught, and paper_notes.md says the same."""

import os
import re
from pathlib import Path

import pytest

from checks import claims
from checks.claim import Status, Verdict
from checks.runner import results

NOTES = Path(__file__).parents[2] / "paper_notes.md"
IDS = claims.available()


@pytest.fixture(scope="module")
def ledger(request):
    """One run, in two processes, of the claims that the selected tests ask for."""
    parameters = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    wanted = {p["claim_id"] for p in parameters if "claim_id" in p}
    return {result.id: result for result in results([i for i in IDS if i in wanted], jobs=min(2, os.cpu_count() or 1))}


@pytest.mark.parametrize("claim_id", IDS)
def test_a_claim_comes_out_as_recorded_and_its_planted_fault_is_caught(ledger, claim_id):
    result = ledger[claim_id]
    assert result.status is Status.AGREES, (result.status.value, result.error, result.note, result.closest)
    assert result.instances > 0
    assert result.control_caught
    assert result.verdict is result.recorded


def test_there_are_claims_and_every_module_is_in_the_catalogue():
    modules = {file.stem for file in Path(claims.__file__).parent.glob("[a-z]*.py")}
    assert modules == {claim_id.replace("-", "_").replace(".", "_") for claim_id in IDS}
    assert IDS
    assert all(claims.load(claim_id).id == claim_id for claim_id in IDS)


def entries():
    """(section heading, id, text) of every entry of paper_notes.md."""
    heading, found = "", []
    for block in re.split(r"^(?=##)", NOTES.read_text(encoding="utf-8"), flags=re.MULTILINE):
        title, _, text = block.partition("\n")
        if title.startswith("## "):
            heading = title[3:].strip()
        elif title.startswith("### "):
            found.append((heading, title[4:].strip(), text.strip()))
    return found


def test_every_claim_has_one_entry_in_the_notes_and_every_entry_a_claim():
    named = [claim_id for _, claim_id, _ in entries()]
    assert len(named) == len(set(named))
    assert set(named) == set(IDS)


@pytest.mark.parametrize(("heading", "name", "text"), entries(), ids=[name for _, name, _ in entries()])
def test_an_entry_of_the_notes_says_what_the_ledger_says(heading, name, text):
    claim = claims.load(name)
    first = text.splitlines()[0]
    assert re.match(r"Verdict: \*\*[A-Z]+\*\* \([a-z-]+\)\. \S", first), first
    assert first.startswith(f"Verdict: **{claim.verdict.name}** ({claim.evidence.value}).")
    assert heading.endswith(claims.section(name))
    for part in ("**As printed.** ", "**Why.** ", f"**Check.** `python -m checks {name}`"):
        assert f"\n{part}" in text, part
    if claim.verdict is Verdict.REPAIRED:
        assert "\n**Repaired.** " in text
