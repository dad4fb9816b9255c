"""Reading paper_notes.md back."""

import re
from importlib import metadata
from pathlib import Path

import pytest

from checks import claims
from checks.report import notes

TEXT = """# Title

**Notation.** $F$ is the risk.

**Verdicts.** HOLDS: true.

## Section 1

Prose of the section.

### a
Verdict: **REFUTED** (dual-certified). Section 1, eq. (2).

**As printed.** Words
on two lines.

**Why.** First.

Second, with **bold.** inside.

```
### not a heading
```

**Repaired.** Better.

### b
No verdict here.
"""


def test_an_entry_is_cut_into_its_parts():
    entry = notes.parse(TEXT).entries["a"]
    assert (entry.verdict, entry.evidence, entry.source) == ("REFUTED", "dual-certified", "Section 1, eq. (2).")
    assert list(entry.parts) == ["As printed", "Why", "Repaired"]
    assert entry.parts["As printed"] == "Words\non two lines."
    assert entry.parts["Why"].endswith("```\n### not a heading\n```")


def test_text_before_the_first_section_belongs_to_no_claim_and_prose_of_a_section_to_nothing():
    ledger = notes.parse(TEXT)
    assert ledger.parts["Notation"] == "$F$ is the risk."
    assert "Prose of the section" not in str(ledger)


def test_an_entry_without_a_verdict_keeps_its_text():
    entry = notes.parse(TEXT).entries["b"]
    assert (entry.verdict, entry.parts) == ("", {"": "No verdict here."})


def test_two_entries_with_one_name_are_refused():
    with pytest.raises(ValueError, match="two entries called 'b'"):
        notes.parse(TEXT + "\n### b\n")


def test_the_notes_of_this_installation_are_found_and_name_claims_with_their_verdicts():
    entries = notes.read().entries
    assert entries
    for name in entries.keys() & set(claims.available()):
        claim = claims.load(name)
        assert (entries[name].verdict, entries[name].evidence) == (claim.verdict.name, claim.evidence.value)
        assert entries[name].source


def test_the_notes_are_found_where_an_installation_put_them(monkeypatch, tmp_path):
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / notes.NAME).write_text(TEXT)

    class Installed:
        name = notes.NAME

        def locate(self):
            return tmp_path / "share" / notes.NAME

    monkeypatch.setattr(notes, "__file__", str(tmp_path / "lib" / "checks" / "report" / "notes.py"))
    monkeypatch.setattr(metadata, "files", lambda name: [Path("other"), Installed()])
    assert notes.find() == tmp_path / "share" / notes.NAME
    monkeypatch.setattr(metadata, "files", lambda name: None)
    assert notes.find() is None
    assert notes.read() == notes.Notes()


def test_entries_that_the_sources_name_exist():
    root = Path(__file__).parents[3]
    headings = set(re.findall(r"^### (\S+)", (root / "paper_notes.md").read_text(encoding="utf-8"), re.MULTILINE))
    texts = [file.read_text(encoding="utf-8") for top in ("theory", "halfrect") for file in (root / top).rglob("*.py")]
    named = [name for text in texts for name in re.findall(r"paper_notes\.md, ((?:[\w.+-]+(?: and )?)+)", text)]
    named = [word.rstrip(".") for name in named for word in name.split(" and ") if "-" in word]
    assert len(named) > 15
    assert set(named) <= headings
