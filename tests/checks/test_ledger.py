"""The ledger itself: every claim comes out as recorded with its planted fault caught, and paper_notes.md says the same."""

import os
from pathlib import Path

import pytest

from checks import claims
from checks.claim import Standing, Status, Verdict
from checks.report import notes
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
    files = Path(claims.__file__).parent.glob("section*/[a-z]*.py")
    modules = {file.stem for file in files if "CLAIM = Claim(" in file.read_text()}
    assert modules == {claims.module_name(claim_id) for claim_id in IDS}
    assert IDS
    assert all(claims.load(claim_id).id == claim_id for claim_id in IDS)


ENTRIES = notes.read(NOTES).entries


def test_every_claim_has_one_entry_in_the_notes_and_every_entry_a_claim():
    assert set(ENTRIES) == set(IDS)  # reading refuses two entries with one name


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_of_the_notes_says_what_the_ledger_says(name):
    claim, entry = claims.load(name), ENTRIES[name]
    assert (entry.verdict, entry.evidence) == (claim.verdict.name, claim.evidence.value)
    assert entry.source
    label = "Read as" if claim.reading else "Statement" if claim.standing is Standing.OURS else "As printed"
    assert label in entry.parts
    assert "Why" in entry.parts
    assert entry.parts["Check"].startswith(f"`python -m checks {name}`")
    if claim.verdict is Verdict.REPAIRED:
        assert "Repaired" in entry.parts


def test_every_entry_stands_in_its_section():
    heading = ""
    for line in NOTES.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line
        elif line.startswith("### "):
            assert heading.endswith(claims.section(line[4:].strip())), line


@pytest.mark.parametrize("claim_id", IDS)
def test_a_claim_says_in_plain_words_what_it_is_what_is_true_instead_and_what_was_planted(claim_id):
    claim = claims.load(claim_id)
    for sentence in (claim.headline, claim.instead):
        assert not sentence or (sentence[0].isupper() and sentence.endswith(".") and len(sentence) <= 125), sentence
    assert claim.headline
    assert claim.fault
    assert not claim.fault.endswith(".")
