"""The page as a file: every claim with all that belongs to it, well nested, escaped, and nothing fetched from anywhere."""

import base64
import dataclasses
import json
import math
import re
import struct
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_results import HOSTILE, ledger, result

from checks import claims
from checks.__main__ import main
from checks.certificates import shipped as headlines
from checks.claim import Outcome, Standing, Status, Verdict
from checks.report import entry as story
from checks.report import links, notes, page, pictures, slider, surprises
from checks.report.symbols import typeset

VOID = {"meta", "link", "br", "hr", "img", "input", "rect", "image"}
PIXEL = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 320) + b"\x08\x02\x00\x00\x00"


class Reader(HTMLParser):
    """Tags with their attributes, text, and whether the tags are nested as they should be."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.words, self.wrong = [], [], [], []
        self.feed(text)
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if not {"script", "style"}.intersection(self.open):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def text():
    return page.render_page(ledger(), seed=3)


@pytest.fixture(scope="module")
def reader(text):
    return Reader(text)


def bodies(text):
    """The part of the page of every claim, by id."""
    parts = re.findall(r'<tbody class="claim" id="([^"]+)".*?</tbody>(?=<tbody|</table>\n)', text, flags=re.DOTALL)
    starts = [text.index(f'<tbody class="claim" id="{name}"') for name in parts]
    return {name: text[a:b] for name, a, b in zip(parts, starts, [*starts[1:], text.index("<footer>")])}


def test_certificates_stand_under_their_claims_and_can_be_taken_along():
    shipped = headlines.Shipped("prop-2.2", "Two <nets>", 0.1 + 0.2, 7, '{"format": 1}\n')
    parts = bodies(page.render_page(ledger(), certificates=[shipped]))
    assert [name for name, part in parts.items() if "A certificate to take along" in part] == ["prop-2.2"]
    part = parts["prop-2.2"]
    link = re.search(r'<a download="prop-2.2.json" href="data:application/json;base64,([^"]+)"', part)
    assert base64.b64decode(link[1]).decode() == shipped.text
    for words in ("Two &lt;nets&gt;", "0.30000000000000004", "7 pieces", "python -m checks verify prop-2.2.json"):
        assert words in part


def test_every_claim_is_there_once_in_the_order_of_the_paper(reader):
    shown = [a["id"] for tag, a in reader.tags if tag == "tbody" and a.get("class") == "claim"]
    assert shown == list(claims.available())


@pytest.mark.parametrize("claim_id", claims.available())
def test_a_claim_shows_its_verdict_texts_witness_margins_and_command(text, claim_id):
    part = bodies(text)[claim_id]
    words, claim, entry = Reader(part).text, claims.load(claim_id), notes.read().entries.get(claim_id)
    assert f'class="chip {claim.verdict.name.lower()}"' in part
    assert claim.evidence.value in words
    assert any(label in words for label in ("As printed", "Read as", "Statement"))
    assert "<details><summary>" in part
    assert f"python -m checks {claim_id} --seed 3" in words
    assert ("What is true instead" in words) or not (claim.repaired or (entry and "Repaired" in entry.parts))
    assert ("Witness" in words) == (claim.refute is not None)
    assert "caught, margin -0.5 over 10 instances" in words
    assert typeset(claim.fault) in words
    assert words.index(typeset(claim.headline)) < words.index("Evidence here")
    assert not claim.instead or words.count(typeset(claim.instead)) == 1
    assert f"{100 + len(claim_id)}" in words
    assert repr(1 / (3 + len(claim_id))) in words
    assert "0.30000000000000004" in words


def test_texts_come_from_the_notes_with_formulas_and_from_the_claims_without_them():
    one = [result("prop-2.3")]
    with_notes, without = page.render_page(one), page.render_page(one, ledger=notes.Notes())
    assert "<math" in bodies(with_notes)["prop-2.3"]
    assert "<math" not in bodies(without)["prop-2.3"]
    words = Reader(without).text
    for field in (claims.load("prop-2.3").statement, claims.load("prop-2.3").proof):
        assert " ".join(typeset(field).split()) in words


def test_tags_are_nested_ids_are_unique_and_every_link_inside_the_page_leads_somewhere(reader):
    assert reader.wrong == []
    ids = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(ids) == len(set(ids))
    inside = {a["href"][1:] for tag, a in reader.tags if tag == "a" and a["href"].startswith("#")}
    inside |= {a[name] for _, a in reader.tags for name in ("aria-labelledby", "for", "data-copies") if name in a}
    assert inside <= set(ids)


def test_nothing_is_fetched_and_nothing_runs_but_the_scripts_that_the_page_was_made_with(text, reader):
    for tag, attributes in reader.tags:
        assert tag not in ("iframe", "object", "embed", "base", "form") or attributes.get("id") == "filters"
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcset", "action")]
        for name in ("src", "data", "xlink:href"):
            assert attributes.get(name, "data:").startswith("data:")
        if tag == "link":
            assert attributes["href"] == "data:,"
        if tag == "meta" and attributes.get("http-equiv"):
            assert attributes["content"].startswith("default-src 'none'; img-src data:;")
    assert "url(" not in text
    assert "@import" not in text
    assert text.count("<script") == 3


def test_the_policy_allows_exactly_the_style_and_the_two_scripts_by_their_hashes(text):
    policy = re.search(r'Security-Policy" content="([^"]*)"', text)[1]
    inline = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", text, flags=re.DOTALL)
    assert sorted(re.findall(r"sha256-[\w+/=]+", policy)) == sorted(page._hash(part) for part in inline)
    assert "unsafe" not in policy


def test_hostile_words_are_shown_and_not_obeyed(monkeypatch, tmp_path):
    claim = dataclasses.replace(
        claims.load("prop-2.1-nonstrict"), statement=HOSTILE, repaired=HOSTILE, proof=HOSTILE, source=HOSTILE
    )
    monkeypatch.setattr(claims, "load", lambda claim_id: claim)
    bad = result(
        "prop-2.1-nonstrict", note=HOSTILE, error=HOSTILE, closest={HOSTILE: [[HOSTILE], [1]]}, tables=(HOSTILE,)
    )
    bad = dataclasses.replace(
        bad, witness=dataclasses.replace(bad.witness, explanation=HOSTILE, values={HOSTILE: HOSTILE})
    )
    entry = notes.Entry(claim.id, "OPEN", "exact", HOSTILE, {HOSTILE: HOSTILE, "": HOSTILE})
    picture = pictures.Picture("data:image/png;base64,", HOSTILE, HOSTILE, (claim.id,), (2, 1))
    for ledger_ in (notes.Notes(), notes.Notes({"Notation": HOSTILE}, {claim.id: entry})):
        reader = Reader(page.render_page([bad], data=HOSTILE, ledger=ledger_, figures=[picture]))
        assert [tag for tag, _ in reader.tags].count("script") == 3
        assert reader.wrong == []
        assert not [a for _, a in reader.tags if any(name.startswith("on") for name in a)]
        assert "alert('x')" in reader.text or "alert(’x’)" in reader.text


def test_the_numbers_of_a_witness_read_back_exactly(text):
    values = {"t": 0.1 + 0.2, "n": 3, "W": [[1, 2.5], [math.pi, -1e-300]], "q": "1/3", "rows": [[[1, 2], [3]], [[4]]]}
    assert json.loads(story.numerals(values)) == values
    assert json.loads(story.numerals({})) == {}
    shown = re.search(r'<pre id="text-prop-2.1-nonstrict-witness"[^>]*>(.*?)</pre>', text, flags=re.DOTALL)[1]
    assert json.loads(shown.replace("&quot;", '"')) == {"theta": [1, "1/3"], "F": 2.5}


def test_an_outcome_that_differs_is_named_at_the_top():
    odd = [
        result("prop-2.1", status=Status.ERROR, verdict=None, recorded=None, evidence=None, control=None, error="loading: x",
               instances=0, margin=math.nan, closest={}),
        result("prop-2.1-nonstrict"),
    ]  # fmt: skip
    reader = Reader(page.render_page(odd))
    others = f"{len(claims.available()) - 2} other claims of the ledger were not run."
    assert "1 of 2 outcomes needs a look: prop-2.1 error" in reader.text
    assert others in reader.text
    assert "this run supports no verdict" in reader.text
    assert "loading: x" in reader.text


def test_a_run_that_was_stopped_before_its_first_claim_still_gives_a_page():
    assert "No claim was run." in Reader(page.render_page([])).text


def test_the_seconds_apart_the_page_depends_on_the_results_only():
    results = ledger()[:3]
    assert page.render_page(results) == page.render_page(results)


def test_the_walk_holds_its_numbers_twice_and_they_agree(text):
    data = json.loads(re.search(r'id="walk-data">(.*?)</script>', text, flags=re.DOTALL)[1])
    from checks.report.two_nets import scenes

    for scene, numbers in zip(scenes(), data["scenes"], strict=True):
        assert numbers["top"] == slider.ceiling(scene) > max(route.maximum.upper for route in scene.routes)
        for route, drawn in zip(scene.routes, numbers["routes"], strict=True):
            assert np.array_equal(route.path.points, drawn["points"])
            assert (
                drawn["upper"] == route.maximum.upper >= scene.risk.batch(route.path.at(np.linspace(0, 1, 3001))).max()
            )
            assert route.maximum.upper <= route.maximum.value * (1 + 1e-8)
            assert np.array_equal(scene.risk.batch(route.path.points[[0, -1]]).max(), scene.larger_end)
            assert f"{route.maximum.upper:.6f}" in text


def test_the_walk_shows_what_it_says():
    from checks.report.two_nets import scenes

    trained, relabelled = scenes()
    upper = {(k, r.name): r.maximum.upper for k, scene in enumerate((trained, relabelled)) for r in scene.routes}
    same = relabelled.larger_end * (1 + 1e-9)
    assert upper[1, "idle unit"] <= same < upper[1, "straight"] / 5
    assert upper[0, "straight"] > 3 * trained.larger_end
    assert max(upper[0, "six segments"], upper[0, "Maurey"]) < upper[0, "straight"] / 2
    assert max(upper[0, "string"] / trained.larger_end, upper[1, "string"] / relabelled.larger_end) <= 1.02
    outputs = [relabelled.risk.network(p, relabelled.risk.sample.X) for p in relabelled.routes[0].path.points]
    np.testing.assert_allclose(outputs[0], outputs[-1], atol=1e-14)


def figure(folder, name, **fields):
    (folder / f"{name}.png").write_bytes(PIXEL)
    np.savez(folder / f"{name}.npz", x=np.zeros(3), **{key: np.array(value) for key, value in fields.items()})


def test_a_picture_stands_by_its_claim_and_one_without_a_claim_at_the_end(tmp_path):
    figure(tmp_path, "kernel", caption="Between $a$ and $b$.", claims=["prop-2.3"])
    figure(tmp_path, "loose", caption="Loose.")
    np.savez(tmp_path / "numbers.npz", x=np.zeros(3))  # no picture beside it
    text = page.render_page([result("prop-2.1"), result("prop-2.3")], figures=pictures.read(tmp_path))
    parts = bodies(text)
    key = pictures.read(tmp_path)[0].key
    assert f'<use href="#{key}"/>' in parts["prop-2.3"]
    assert f'<symbol id="{key}" viewBox="0 0 640 320"><image href="data:image/png;base64,iVBORw0KGgo' in text
    assert "Between <math" in parts["prop-2.3"]
    assert "<use" not in parts["prop-2.1"]
    assert "Loose." in text[text.index('<section id="figures">') :]
    assert "Loose." not in text[: text.index('<section id="figures">')]


def no_caption(folder):
    figure(folder, "a", claims=["prop-2.3"])


def no_picture(folder):
    figure(folder, "a", caption="C")
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")


def no_npz(folder):
    figure(folder, "a")
    (folder / "a.npz").write_bytes(b"PK\x03\x04 cut")


def pickled(folder):
    figure(folder, "a", caption=np.array([{}], dtype=object))


@pytest.mark.parametrize("fill", [lambda folder: None, no_caption, no_picture, no_npz, pickled])
def test_a_folder_of_pictures_that_cannot_be_used_is_a_usage_error(tmp_path, capsys, fill):
    fill(tmp_path)
    assert main(["prop-2.1", "--html", str(tmp_path / "r.html"), "--pictures", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("checks: --pictures ")
    assert error.count("\n") == 1


def test_the_command_writes_the_page_and_says_in_one_line_when_it_cannot(tmp_path, capsys):
    file = tmp_path / "report.html"
    assert main(["prop-2.1", "--html", str(file), "--jobs", "1"]) == 0
    assert "python -m checks prop-2.1" in file.read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(["prop-2.1", "--html", str(tmp_path / "no" / "report.html")]) == 2
    assert main(["prop-2.1", "--pictures", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_the_claims_that_figures_name_are_in_the_catalogue():
    import figures

    known = {claim_id for ids in claims.CATALOGUE.values() for claim_id in ids}
    named = {claim_id for name in figures.names() for claim_id in getattr(figures.load(name), "CLAIMS", ())}
    assert named
    assert named <= known


def test_a_page_of_some_claims_says_how_many_were_not_run():
    some, rest = ledger()[:3], len(claims.available()) - 3
    words = Reader(page.render_page(some)).text
    assert "All outcomes are the recorded verdicts" in words
    assert f"{rest} other claims of the ledger were not run." in words
    assert "of the ledger were not run" not in Reader(page.render_page(ledger())).text


# --- what is false, the surprises, pictures once, links ------------------------------------------------------------------


def test_the_page_says_at_once_how_many_statements_are_false_and_which(text, reader):
    every = [claims.load(name) for name in claims.available()]
    own = [claim for claim in every if claim.standing is not Standing.OURS]
    printed = [claim for claim in own if not claim.reading]
    false = [claim for claim in printed if claim.verdict is Verdict.REFUTED]
    assert f"Of {len(printed)} statements of the paper, {len(false)} are false" in reader.text
    listed = text[text.index('<section id="false"') : text.index('<section id="surprises"')]
    refuted = [claim for claim in own if claim.verdict is Verdict.REFUTED]
    assert re.findall(r'href="#([^"]+)"', listed) == [claim.id for claim in refuted]
    for claim in refuted:
        assert typeset(claim.instead) in Reader(listed).text


def test_surprises_are_cards_with_a_picture_each_and_lead_to_their_claims(text, tmp_path):
    known = set(claims.available())
    assert {name for one in surprises.SURPRISES for name in one.claims} <= known
    drawn = {one.picture for one in surprises.SURPRISES if isinstance(one.picture, str)}
    import figures

    assert drawn <= set(figures.names())
    shown = [pictures.Picture(f"data:,{name}", name, "What to see.", (), (2, 1)) for name in sorted(drawn)]
    cards = surprises.cards(known, shown).split("</article>")[:-1]
    assert len(cards) == len(surprises.SURPRISES)
    for card, one in zip(cards, surprises.SURPRISES):
        assert re.findall(r'<a href="#([^"]+)"', card) == list(one.claims)
        assert card.count('role="img"') == 1
        assert Reader(card + "</article>").wrong == []
    assert surprises.cards({"prop-2.2"}, []).count("<article") == 1
    assert 'id="surprises"' not in page.render_page([result("prop-2.1")])


def test_the_readme_prints_the_same_surprises():
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (\[.+?\]\(paper_notes.md.+?) \|$", readme, flags=re.MULTILINE)
    printed = [(paper, true, tuple(re.findall(r"\[([^\]]+)\]\(", where))) for paper, true, where in rows]
    assert printed == [(one.paper, one.true, one.claims) for one in surprises.SURPRISES]


def test_no_picture_is_on_the_page_twice(tmp_path):
    figure(tmp_path, "kernel", caption="Seen twice.", claims=["prop-2.3", "prop-2.3-sharp"])
    figure(tmp_path, "again", caption="The same bytes.", claims=["prop-2.3"])
    text = page.render_page([result("prop-2.3"), result("prop-2.3-sharp")], figures=pictures.read(tmp_path))
    assert text.count("data:image/png;base64,") == 1
    assert text.count("<use ") == 3
    assert Reader(text).wrong == []


def test_columns_that_say_the_same_of_every_claim_are_a_sentence(text):
    assert "every check caught the fault that was planted in it" in Reader(text).text
    assert 'class="fault' not in text
    assert 'td class="status' not in text
    missed = dataclasses.replace(result("prop-2.1"), control=Outcome(10, 0.5, {}, ""), status=Status.BROKEN)
    odd = page.render_page([missed, result("prop-2.3")])
    assert '<td class="fault missed">missed</td>' in odd
    assert '<td class="fault caught">caught</td>' in odd
    assert '<td class="status broken">broken</td>' in odd


def test_claims_that_a_text_names_are_links(text):
    part = bodies(text)["intro-descent"]
    assert '<a href="#prop-2.1-nonstrict">prop-2.1-nonstrict</a>' in part
    assert part.count('href="#intro-descent"') == 1  # its own name leads nowhere else
    assert "prop-2.1-nonstrict" in bodies(page.render_page([result("intro-descent")]))["intro-descent"]
    assert 'href="#prop-2.1-nonstrict"' not in page.render_page([result("intro-descent")])  # it is not on that page


KNOWN = ["prop-2.1", "prop-2.1-nonstrict", "sharper-N+1", "sharper-2N", "pivots", "held-out"]
PIECES = [
    "prop-2.1",
    "-nonstrict",
    "sharper-N+1",
    "pivots",
    "(pivots)",
    "held-out",
    " ",
    ".",
    ",",
    "x",
    "<b>",
    "</b>",
    "&amp;",
]
PIECES += ['<a href="https://x">', "</a>", "<code>", "</code>", "<math>", "</math>", "-", "+1"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_links_change_no_word(page):
    found = links.linked(page, KNOWN, "sharper-2N")
    assert re.sub(r'<a href="#[^"]*">([^<]*)</a>', r"\1", found) == page
    assert set(re.findall(r'<a href="#([^"]*)">', found)) <= set(KNOWN) - {"sharper-2N"}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("see prop-2.1.", ["prop-2.1"]),
        ("prop-2.1-nonstrict, sharper-N+1", ["prop-2.1-nonstrict", "sharper-N+1"]),
        ("prop-2.1-other and prop-2.1.5 and sharper-N+12", []),
        ("held-out points, pivots of it (pivots)", ["pivots"]),
        ("<code>prop-2.1</code> <code>run prop-2.1</code>", ["prop-2.1"]),
        ("<pre>prop-2.1</pre><a href='x'>prop-2.1</a>", []),
        ('<a href="#sharper-n1">above</a> <a href="#nowhere">there</a>', ["sharper-N+1"]),
    ],
)
def test_what_becomes_a_link(words, named):
    assert re.findall(r'<a href="#([^"]+)"', links.linked(words, KNOWN)) == named


@given(st.lists(st.floats(-180, 180), min_size=1, max_size=12))
def test_numbers_of_units_do_not_overprint(angles):
    placed = slider.spread(np.array(angles))
    gaps = np.diff(np.sort(placed % 360), append=np.sort(placed % 360)[0] + 360)
    assert len(angles) == 1 or gaps.min() >= slider.APART - 1e-9
    apart = np.diff(np.sort(np.array(angles) % 360), append=np.sort(np.array(angles) % 360)[0] + 360)
    if apart.min() > slider.APART + 1e-9:  # there was room
        assert np.allclose(np.cos(np.radians(placed - angles)), 1)


def test_no_row_is_cut_at_the_frame(text):
    for tips in re.findall(r"<svg viewBox=\"-128 -128 256 256\".*?</svg>", text, flags=re.DOTALL):
        for x, y in re.findall(r'<line x2="([-\d.]+)" y2="([-\d.]+)"', tips):
            assert np.hypot(float(x), float(y)) <= 100.1


def test_an_alternative_text_says_what_the_picture_shows():
    one = pictures.Picture("data:,", "kernel", "The kernel of $w_1$, e.g. alpha <= 1. More. ", (), (2, 1))
    assert pictures.alternative(one) == "Figure kernel. The kernel of w₁, e.g. α ≤ 1."


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (PIXEL, (640, 320)),
        (PIXEL[:20], None),
        (b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 0, 320), None),
        (b"GIF89a", None),
    ],
)
def test_the_size_of_a_png(content, size):
    assert pictures._size_of_png(content) == size


@given(st.binary(max_size=60))
def test_any_bytes_have_a_size_or_none(content):
    for of in (pictures._size_of_png, pictures._size_of_svg):
        found = of(content)
        assert found is None or min(found) > 0
    assert pictures._size_of_svg(b'<svg width="1" viewBox="0 0 460.8 345.6" ' + content) == (460.8, 345.6)
