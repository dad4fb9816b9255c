"""What is written for people beside the README: contents and links of the notes, the API reference, changelog, contributing."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import halfrect
from checks import claims

ROOT = Path(__file__).parents[1]
NOTES, README, CHANGELOG, CONTRIBUTING = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in ("paper_notes.md", "README.md", "CHANGELOG.md", "CONTRIBUTING.md")
)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def script(name):
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


notes, build = script("notes"), script("build")


def anchors(text):
    return {notes.slug(heading) for heading in re.findall(r"^#+ +(.+)$", text, re.MULTILINE)}


def test_contents_and_links_of_the_notes_are_those_of_their_headings():
    assert notes.renewed(NOTES) == NOTES, "paper_notes.md is stale: python docs/notes.py"


def test_the_contents_list_every_claim_with_its_verdict():
    listed = dict(re.findall(r"^  - \[(.+)\]\(#.*\) (\w+)$", NOTES, re.MULTILINE))
    assert listed == {name: claims.load(name).verdict.value for name in claims.available()}


@pytest.mark.parametrize(
    "text", [NOTES, README, CHANGELOG, CONTRIBUTING], ids=["notes", "readme", "changelog", "contributing"]
)
def test_links_lead_to_files_and_headings_that_are_there(text):
    for target in LINK.findall(text):
        file, _, anchor = target.partition("#")
        if "://" in target:
            continue
        assert not file or (ROOT / file).exists(), target
        if anchor:
            assert anchor in anchors((ROOT / file).read_text(encoding="utf-8") if file else text), target


ENTRIES = """# Title

Preamble names prop-1.

## Section 1

### prop-1
Verdict: **HOLDS** (exact). As in prop-1-sharp.

**Why.** By prop-1-sharp, prop-1.2 and prop-1; `prop-1-sharp`, $prop-1-sharp$, $$
prop-1-sharp$$, the pivots (pivots), not-prop-1-sharp.

```
prop-1-sharp
```

### prop-1-sharp
**Why.** prop-1.

### pivots
Nothing.
"""


def test_an_entry_links_the_others_that_it_names_outside_mathematics_and_code():
    made = notes.renewed(ENTRIES)
    assert (
        "By [prop-1-sharp](#prop-1-sharp), prop-1.2 and prop-1; `prop-1-sharp`, $prop-1-sharp$, $$\nprop-1-sharp$$"
        in made
    )
    assert "the pivots ([pivots](#pivots)), not-prop-1-sharp." in made
    assert "```\nprop-1-sharp\n```" in made
    assert "### prop-1-sharp\n**Why.** [prop-1](#prop-1).\n" in made
    assert "Preamble names prop-1.\n\n## Contents\n\n- [Section 1](#section-1)\n  - [prop-1](#prop-1) holds\n" in made


@given(gone=st.sampled_from(["prop-1", "prop-1-sharp", "pivots"]), again=st.booleans())
def test_a_second_time_changes_nothing_and_a_new_name_does(gone, again):
    made = notes.renewed(ENTRIES)
    assert notes.renewed(made) == made
    renamed = made.replace(f"### {gone}\n", "### other-name\n")
    assert f"  - [{gone}]" not in notes.renewed(renamed)
    assert "  - [other-name](#other-name)" in notes.renewed(renamed)


def test_a_missing_page_and_one_that_loads_from_elsewhere_are_faults(tmp_path):
    (tmp_path / "theory.html").write_text('<a href="https://example.org">elsewhere</a><link href="search.js">')
    assert build.faults(tmp_path, ["theory"]) == []
    assert build.faults(tmp_path, ["theory", "theory.maxima"]) == ["theory.maxima has no page"]
    for line in (
        '<script src="https://cdn.example/x.js">',
        "<img alt='' src=//x/y.png>",
        "@import url(https://x/y.css)",
    ):
        (tmp_path / "theory.html").write_text(line)
        assert len(build.faults(tmp_path, ["theory"])) == 1


def test_the_reference_shows_the_faces_of_chapters_and_what_has_none():
    shown = list(build.modules())
    assert {"halfrect", "theory.maxima", "theory.paths", "checks.strategies", "figures"} <= set(shown)
    assert "theory.maxima.quartic" not in shown
    assert len(shown) == len(set(shown))


def test_every_extra_is_explained():
    with open(ROOT / "pyproject.toml", "rb") as stream:
        extras = tomllib.load(stream)["project"]["optional-dependencies"]
    table = README.split("| extra | for |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([\w-]+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:]))) == set(extras)


def test_the_changelog_has_this_version_and_what_is_to_come():
    assert re.findall(r"^## \[(.+?)\]", CHANGELOG, re.MULTILINE)[:2] == ["Unreleased", halfrect.__version__]


def test_files_and_commands_that_contributors_are_sent_to_are_there():
    for name in re.findall(r"`((?:[\w.]+/)+[\w.]*)`", CONTRIBUTING):
        assert (ROOT / name).exists(), name
