"""The page in a real browser: `python -m pytest tests/checks/report/test_page_browser.py`.

Needs Chromium (on the search path) and the extra `browser`; skipped, with the reason, where one is missing.
"""

import json
import os
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from sample_results import ledger

from checks import claims
from checks.certificates import shipped
from checks.report import page, pictures, slider
from checks.report.two_nets import scenes

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
if CHROMIUM is None:
    pytest.skip("no Chromium on the search path", allow_module_level=True)
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the extra `browser`)")

expect = playwright.expect

FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]
if hasattr(os, "geteuid") and os.geteuid() == 0:
    FLAGS.append("--no-sandbox")  # Chromium's sandbox refuses to run as root

LEDGER = ledger()
IDS = [result.id for result in LEDGER]
SHIPPED = shipped.Shipped("prop-2.2", "Two nets", 1.5, 3, '{"format": "a certificate"}\n')


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "report.html"
    picture = pictures.Picture(
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>",
        "a-figure",
        "What to see.",
        ("prop-2.1", "prop-2.3"),
        (3, 2),
    )
    results = [replace(r, note="only-here") if r.id == "prop-2.3" else r for r in LEDGER]
    file.write_text(page.render_page(results, figures=[picture], certificates=[SHIPPED]), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, file):
    """Opens the page; in the end no error was met and nothing but the page itself was asked for."""
    contexts, troubles, requests = [], [], []

    def opened(fragment="", **options):
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = browser.new_context(**options)
        contexts.append(context)
        tab = context.new_page()
        tab.set_default_timeout(10_000)
        tab.on("console", lambda message: troubles.append((message.type, message.text)))
        tab.on("pageerror", lambda error: troubles.append(("error", str(error))))
        tab.on("request", lambda request: requests.append(request.url))
        tab.goto(file.as_uri() + fragment)
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []
    assert contexts
    assert {url.split("#")[0] for url in requests if not url.startswith("data:")} == {file.as_uri()}


def seen(tab, selector):
    """How many of the elements are drawn."""
    return tab.locator(selector).evaluate_all("elements => elements.filter(e => e.checkVisibility()).length")


def visible(tab):
    """Ids of the claims that can be seen, in the order in which they stand."""
    return tab.locator("tbody.claim").evaluate_all(
        "bodies => bodies.filter(body => body.getClientRects().length).map(body => body.id)"
    )


def test_every_claim_is_seen_closed_and_opens_by_mouse_and_by_keyboard(opened):
    tab = opened()
    assert visible(tab) == IDS
    assert tab.locator("#shown").inner_text() == f"{len(IDS)} claims"
    first, second = (tab.locator("tbody.claim").nth(k) for k in (0, 1))
    assert not first.locator(".story").is_visible()
    first.locator("summary").click()
    assert first.locator(".story .reproduce pre").inner_text() == f"python -m checks {IDS[0]}"
    second.locator("td.instances").click()
    assert second.locator(".story").is_visible()
    second.locator("summary").focus()
    tab.keyboard.press("Enter")
    assert not second.locator(".story").is_visible()
    tab.keyboard.press("Space")
    assert second.locator(".story").is_visible()
    assert first.locator("figure .picture svg").is_visible()


def test_the_items_of_numbered_lists_show_their_numbers(opened):
    tab = opened()
    items = tab.locator(".story ol > li").evaluate_all(
        "items => items.map(e => [getComputedStyle(e).overflowX, getComputedStyle(e).listStyleType])"
    )
    assert items
    assert {tuple(item) for item in items} == {("visible", "decimal")}  # what scrolls cuts off the marker beside it


def test_everything_that_acts_is_reached_with_the_tab_key(opened):
    tab = opened()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    seen = set()
    for _ in range(140):  # past what is false, the surprises and their pictures
        tab.keyboard.press("Tab")
        seen.add(
            tab.evaluate("(e => e.id || e.name || e.tagName + ' ' + e.parentNode.className)(document.activeElement)")
        )
    assert {
        "route",
        "position",
        "verdict",
        "evidence",
        "section",
        "text",
        "open-all",
        "BUTTON claim",
        "A claim",
    } <= seen


def test_filters_by_verdict_evidence_section_and_words_and_reset(opened):
    tab = opened()
    wanted = [i for i in IDS if claims.load(i).verdict.name == "REFUTED"]
    for name in ("holds", "repaired", "open"):
        box = tab.locator(f"input[name=verdict][value={name}]")
        if box.count():
            box.uncheck()
    assert visible(tab) == wanted
    assert tab.locator("#shown").inner_text() == f"{len(wanted)} of {len(IDS)} claims"
    tab.locator("button[type=reset]").click()
    expect(tab.locator("tbody.claim[hidden]")).to_have_count(0)

    kept = claims.load(IDS[0]).evidence.value
    for box in tab.locator("input[name=evidence]").all():
        if box.get_attribute("value") != kept:
            box.uncheck()
    assert visible(tab) == [i for i in IDS if claims.load(i).evidence.value == kept]
    tab.locator("button[type=reset]").click()
    expect(tab.locator("tbody.claim[hidden]")).to_have_count(0)

    section = claims.section("prop-2.3")
    tab.locator("select[name=section]").select_option(section)
    assert visible(tab) == [i for i in IDS if claims.section(i) == section]
    assert [h.text_content() for h in tab.locator("tbody.heading").all() if h.is_visible()] == [section]
    tab.locator("input[name=text]").fill("Instances only-here")
    assert visible(tab) == ["prop-2.3"]
    tab.locator("input[name=text]").fill("nosuchword")
    assert visible(tab) == []
    assert tab.locator("#shown").inner_text() == f"0 of {len(IDS)} claims"


def test_columns_sort_both_ways_and_the_paper_s_order_returns(opened):
    tab = opened()
    numbers = {r.id: r.instances for r in LEDGER}
    header = tab.locator("th.instances")
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    up = visible(tab)
    assert [numbers[i] for i in up] == sorted(numbers.values())
    assert not tab.locator("tbody.heading").first.is_visible()
    header.locator("button").press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    assert [numbers[i] for i in visible(tab)] == sorted(numbers.values(), reverse=True)
    for column in ("verdict", "evidence", "margin"):
        tab.locator(f"th.{column} button").click()
        assert sorted(visible(tab)) == sorted(IDS)
    tab.locator("th.claim button").first.click()
    assert visible(tab) == IDS
    assert tab.locator("tbody.heading").first.is_visible()


def test_open_all_opens_what_is_filtered_and_closes_it_again(opened):
    tab = opened()
    tab.locator("input[name=text]").fill("prop-2.1")
    shown = len(visible(tab))
    tab.locator("#open-all").click()
    assert tab.locator("tbody.claim details[open]").count() == shown > 0
    expect(tab.locator("#open-all")).to_have_text("Close all")
    tab.locator("#open-all").click()
    assert tab.locator("tbody.claim details[open]").count() == 0


def test_a_link_to_a_claim_opens_it(opened):
    tab = opened("#prop-2.3")
    assert tab.locator("[id='prop-2.3'] .story").is_visible()
    tab.locator("[id='prop-2.1'] th a").click()
    tab.wait_for_selector("[id='prop-2.1'] .story")


def test_a_certificate_is_taken_along_with_and_without_scripts(opened, tmp_path):
    for scripts in (True, False):
        tab = opened("#prop-2.2", java_script_enabled=scripts)
        if not scripts:
            tab.locator("[id='prop-2.2'] summary").click()
        with tab.expect_download() as download:
            tab.locator("[id='prop-2.2'] .certificate a").click()
        assert download.value.suggested_filename == "prop-2.2.json"
        download.value.save_as(tmp_path / "c.json")
        assert (tmp_path / "c.json").read_text() == SHIPPED.text


def test_a_witness_is_copied_as_numbers_that_read_back(opened):
    tab = opened("#prop-2.1-nonstrict", permissions=["clipboard-read", "clipboard-write"])
    tab.locator("[data-copies='text-prop-2.1-nonstrict-witness']").click()
    tab.wait_for_selector("button:text('Copied')")
    assert json.loads(tab.evaluate("navigator.clipboard.readText()")) == {"theta": [1, "1/3"], "F": 2.5}


@pytest.mark.parametrize("s", range(len(scenes())))
def test_the_slider_walks_every_path_and_shows_the_risk_that_the_library_computes(opened, s):
    tab, scene = opened(), scenes()[s]
    for r, route in enumerate(scene.routes):
        tab.locator(f"input[name=route][value='{s}-{r}']").check()
        assert [k for k, view in enumerate(tab.locator(".scene").all()) if view.is_visible()] == [s]
        for k in (0, 137, 500, 811, 1000):
            tab.locator("#position").evaluate("(e, k) => { e.value = k; e.dispatchEvent(new Event('input')); }", k)
            words = tab.locator("#risk").inner_text()
            assert (
                words
                == f"risk {scene.risk(route.path.at(k / 1000)):.6f}, certified never above {route.maximum.upper:.6f}"
            )
            rows = scene.risk.network.weights(route.path.at(k / 1000))[0]
            tips = (
                tab.locator(".scene")
                .nth(s)
                .locator(".unit circle")
                .evaluate_all("tips => tips.map(tip => [tip.getAttribute('cx') / 100, -tip.getAttribute('cy') / 100])")
            )
            np.testing.assert_allclose(tips, rows / slider.reach(scene, route), atol=1e-12)
        pieces = len(route.path)
        assert tab.locator("#piece").inner_text().startswith(f"Piece {pieces} of {pieces}")


def test_the_slider_answers_to_the_keyboard_and_to_a_press_on_the_plot(opened):
    tab = opened()
    position = tab.locator("#position")
    position.focus()
    before = tab.locator("#risk").inner_text()
    tab.keyboard.press("End")
    assert position.input_value() == "1000"
    tab.keyboard.press("ArrowLeft")
    assert position.input_value() == "999"
    assert tab.locator("#risk").inner_text() != before
    assert "risk" in position.get_attribute("aria-valuetext")
    box = tab.locator(".plot svg").first.bounding_box()
    tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert 400 < int(position.input_value()) < 600


@pytest.mark.parametrize("width", [320, 390, 700, 1000, 1600])
def test_no_width_of_the_window_makes_the_page_scroll_sideways(opened, width):
    tab = opened(viewport={"width": width, "height": 800})
    tab.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    for part in ("#routes", "#position", "#claims .verdict .chip", ".card .sketch"):
        assert tab.locator(part).first.is_visible()


def printed(tab, which):
    """What the print dialog would show, by the button that asks for it; the dialog itself is left out."""
    tab.emulate_media(media="print")
    tab.evaluate("window.print = () => window.dispatchEvent(new Event('beforeprint'))")
    tab.evaluate(f"document.querySelector('[data-prints={which}]').click()")


def test_print_is_a_hand_out_of_verdicts_and_surprises_with_what_is_open(opened):
    tab = opened("#prop-2.3")
    printed(tab, "short")
    assert [story.is_visible() for story in tab.locator(".story").all()] == [name == "prop-2.3" for name in IDS]
    assert seen(tab, "tbody.claim .headline") == len(IDS)
    assert seen(tab, "tbody.claim .chip") == len(IDS)
    assert seen(tab, ".card") == tab.locator(".card").count() > 10
    assert seen(tab, "#filters, #controls, main button, .scene, td.margin") == 0
    tab.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert tab.locator("details[open]").count() == 1


def test_print_all_shows_every_story_and_no_controls(opened):
    tab = opened()
    printed(tab, "whole")
    assert all(story.is_visible() for story in tab.locator(".story").all())
    assert all(view.is_visible() for view in tab.locator(".scene").all())
    assert seen(tab, "#filters, #controls, main button:not(th button)") == 0
    tab.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert tab.locator("details[open]").count() == 0
    assert tab.evaluate("location.hash") == ""
    assert tab.pdf().startswith(b"%PDF")


def test_search_filters_and_the_opened_claim_are_in_the_address(opened):
    tab = opened()
    tab.locator("input[name=text]").fill("path & 100% #1")
    tab.locator("input[name=text]").fill("path")
    tab.locator("input[name=verdict][value=holds]").uncheck()
    tab.locator("select[name=section]").select_option(claims.section("prop-2.2"))
    shown = visible(tab)
    tab.locator(f"[id='{shown[0]}'] summary").first.click()
    tab.wait_for_url(re.compile(rf"#{re.escape(shown[0])}\?"))
    address = tab.evaluate("location.hash")
    assert address.startswith(f"#{shown[0]}?text=path&")
    again = opened(address)
    assert visible(again) == shown
    assert again.locator(f"[id='{shown[0]}'] .story").is_visible()
    assert not again.locator("input[name=verdict][value=holds]").is_checked()
    again.locator("button[type=reset]").click()
    again.wait_for_url(re.compile(r"^[^?]*$"))
    assert visible(again) == IDS


@pytest.mark.parametrize(
    "fragment", ["#%E0%A4%A?text=%zz", "#?verdict=", "#nowhere", "#prop-2.1?section=none&evidence=x"]
)
def test_a_strange_address_does_no_harm(opened, fragment):
    tab = opened(fragment)
    assert tab.locator("#shown").inner_text().endswith("claims")
    tab.locator("button[type=reset]").click()
    expect(tab.locator("tbody.claim[hidden]")).to_have_count(0)


def test_what_is_false_leads_to_the_claim(opened):
    tab = opened()
    refuted = [i for i in IDS if claims.load(i).verdict.name == "REFUTED"]
    assert tab.locator("#false li").count() == len(refuted)
    tab.locator("#false a").first.click()
    assert tab.locator(f"[id='{refuted[0]}'] .story").is_visible()
    top = tab.evaluate("id => document.getElementById(id).getBoundingClientRect().top", refuted[0])
    head = tab.evaluate("document.querySelector('#claims thead th').getBoundingClientRect().bottom")
    assert head - 1 <= top <= head + 4  # no half of another row between them


def test_a_picture_is_shown_in_full_size_and_closed_again(opened):
    tab = opened("#prop-2.1")
    tab.locator("[id='prop-2.1'] .picture svg").click()
    assert tab.locator("#large").is_visible()
    assert tab.locator("#large img").get_attribute("src").startswith("data:image/svg+xml,")
    assert tab.locator("#large img").get_attribute("alt") == "Figure a-figure. What to see."
    tab.keyboard.press("Escape")
    assert not tab.locator("#large").is_visible()
    tab.locator("[id='prop-2.1'] .enlarge").focus()
    tab.keyboard.press("Enter")
    tab.locator("#large button").click()
    assert not tab.locator("#large").is_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_thumb_is_under_the_cursor(opened, width):
    tab = opened(viewport={"width": width, "height": 900})
    for k in (0, 250, 613, 1000):
        tab.locator("#position").evaluate("(e, k) => { e.value = k; e.dispatchEvent(new Event('input')); }", k)
        thumb, cursor = tab.evaluate(
            """() => {
              const slider = document.getElementById('position').getBoundingClientRect();
              const plot = document.querySelector('.plot svg').getBoundingClientRect();
              const x = Number(document.querySelector('.cursor circle').getAttribute('cx'));
              const share = document.getElementById('position').value / 1000;
              return [slider.left + 8 + share * (slider.width - 16), plot.left + x * plot.width / 560];
            }"""
        )
        assert abs(thumb - cursor) < 1
    plot, thumb, plane = (tab.locator(part).first.bounding_box() for part in (".plot", "#position", ".plane"))
    assert thumb["y"] >= plot["y"] + plot["height"] - 1
    assert width > 700 or thumb["y"] < plane["y"]  # between plot and plane


def test_numbers_of_units_do_not_overprint_on_any_path(opened):
    tab = opened()
    for s, scene in enumerate(scenes()):
        for r in range(len(scene.routes)):
            tab.locator(f"input[name=route][value='{s}-{r}']").check()
            for k in range(0, 1001, 50):
                tab.locator("#position").evaluate("(e, k) => { e.value = k; e.dispatchEvent(new Event('input')); }", k)
                places = np.array(
                    tab.locator(".scene")
                    .nth(s)
                    .locator(".unit text")
                    .evaluate_all("texts => texts.map(e => [Number(e.getAttribute('x')), Number(e.getAttribute('y'))])")
                )
                apart = np.linalg.norm(places[:, None] - places[None], axis=-1) + 1e3 * np.eye(len(places))
                assert apart.min() > 2 * slider.RIM * np.sin(np.radians(slider.APART / 2)) - 1e-6


def test_dark_mode_has_light_words_on_a_dark_page(opened):
    tones = {}
    for scheme in ("light", "dark"):
        tab = opened(color_scheme=scheme)
        colours = tab.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
        tones[scheme] = [np.mean([int(part) for part in c[c.index("(") + 1 : -1].split(",")[:3]]) for c in colours]
    assert tones["light"][0] < 80 < 200 < tones["light"][1]
    assert tones["dark"][1] < 80 < 200 < tones["dark"][0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(opened, scheme):
    """WCAG AA: a contrast of 4.5 at least, for the verdicts, the quiet words and the links."""
    tab = opened(color_scheme=scheme)
    ratios = tab.evaluate(
        """() => {
          const parse = (c) => c.match(/[\\d.]+/g).map(Number);
          const light = (c) => parse(c).slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
            .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
          const ground = (e) => { while (e) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return `rgb(${c})`; e = e.parentElement; } };
          return [...document.querySelectorAll('.chip, .evidence, summary, .lede, nav a, .about, .instead, .card dt, .card .proof')].map((e) => {
            const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
            return [(a + 0.05) / (b + 0.05), e.className];
          });
        }"""
    )
    assert len(ratios) > 20
    assert min(ratios)[0] >= 4.5, min(ratios)


def test_without_scripts_everything_is_there_to_read(opened):
    tab = opened(java_script_enabled=False)
    assert tab.locator("tbody.claim").count() == len(IDS)
    assert tab.locator("tbody.claim").first.is_visible()
    assert tab.locator("tbody.claim summary").last.is_visible()
    tab.locator("tbody.claim summary").first.click()
    assert tab.locator("tbody.claim .story").first.is_visible()
    assert seen(tab, ".scene, .scene .peak") == (len(scenes()) + sum(len(scene.routes) for scene in scenes()))
    tab.locator(".stills summary").click()
    assert tab.locator(".strip svg").count() == 6 * sum(len(scene.routes) for scene in scenes())
    assert seen(tab, "button, #filters, #controls, input") == 0
