"""Markdown and formulas: what becomes MathML, what stays text, and that nothing else gets into a page."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checks.report import mathml, notes


def tree(latex, display=False):
    return ElementTree.fromstring(mathml.mathml(latex, display))


@pytest.mark.parametrize(
    ("latex", "tokens"),
    [
        (r"\mathbb E\,z", ["𝔼", "z"]),
        (r"\mathcal N(0,1)", ["𝒩", "(", "0", ",", "1", ")"]),
        (r"\mathbf 1\{x>0\}", ["𝟏", "{", "x", ">", "0", "}"]),
        (r"\operatorname*{arg\,min}_x", ["arg\u00a0min", "x"]),
        (r"\lfloor m/2\rfloor", ["⌊", "m", "/", "2", "⌋"]),
        (r"W^\top", ["W", "T"]),
        (r"W_2'^\top", ["W", "2", "′", "T"]),
    ],
)
def test_a_formula_has_the_tokens_of_its_source(latex, tokens):
    assert [text for text in tree(latex).itertext() if text.strip()] == tokens


def test_a_sign_after_a_bracket_is_a_prefix_and_between_operands_is_not():
    minus = [e for e in tree("[-1,a-b]").iter("mo") if e.text == "−"]
    assert [e.get("form") for e in minus] == ["prefix", None]


def test_names_of_functions_stand_off_from_operands_and_not_from_brackets():
    spaces = [
        (e.text, e.get("lspace"), e.get("rspace")) for e in tree(r"2\sin x+\max_i(a_i)").iter("mo") if e.text.isalpha()
    ]
    assert spaces == [("sin", "0.17em", "0.17em"), ("max", "0", "0")]


def test_infinity_is_a_letter_and_a_definition_is_one_sign():
    assert [e.tag for e in tree(r"x<\infty").iter() if e.text == "∞"] == ["mi"]
    assert [(e.get("lspace"), e.get("rspace")) for e in tree("a:=b").iter("mo")] == [(None, "0"), ("0", None)]


def test_the_limits_of_a_sum_stand_below_it_in_a_display_only():
    assert tree(r"\sum_{i=1}^N x_i", display=True)[0].tag == "munderover"
    assert tree(r"\sum_{i=1}^N x_i")[0].tag == "msubsup"


@pytest.mark.parametrize(
    "latex",
    [r"\nosuchcommand x", r"\text{<script>alert(1)</script>}", r"\href{javascript:alert(1)}{x}", r"\frac{", "{"],
)
def test_what_is_no_formula_is_shown_as_its_source_or_as_plain_mathml(latex):
    page = mathml.mathml(latex)
    assert "<script" not in page
    assert "href=" not in page.replace(r"\href", "")
    assert page.startswith('<code class="tex">') or all(
        e.tag in mathml.TAGS for e in ElementTree.fromstring(page).iter()
    )


def test_formulas_in_code_and_prices_stay_as_they_are():
    assert mathml.inline("`$x$` costs $5 or $6") == "<code>$x$</code> costs $5 or $6"
    assert mathml.inline(r"\$x\$") == "$x$"


def test_raw_html_is_shown_pictures_are_not_loaded_and_links_do_not_run():
    page = mathml.to_html("<b onclick=x>hi</b> ![a](http://a.org/b.png) [k](javascript:x) [l](https://a.org)")
    assert "&lt;b onclick=x&gt;" in page
    assert "<img" not in page
    assert re.findall(r'href="([^"]*)"', page) == ["http://a.org/b.png", "https://a.org"]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=80))
@example("$$")
@example("$$$")
@example("$" * 7)
@example(r"$\$")
@example("$a<b$ `")
def test_any_text_becomes_a_page_without_a_tag_that_markdown_and_mathml_do_not_have(text):
    tags = set(re.findall(r"<([a-z]\w*)", mathml.to_html(text)))
    words = "p em strong code pre a ul ol li blockquote h1 h2 h3 h4 h5 h6 hr br table thead tbody tr th td"
    markdown = set(words.split())
    assert tags <= markdown | mathml.TAGS


@given(st.text(alphabet="\\{}^_&$ab12+-<>|frac sqrt left()begin", max_size=40))
def test_any_formula_becomes_well_formed(latex):
    ElementTree.fromstring(mathml.mathml(latex))


LEDGER = notes.read()
PARTS = [(entry.id, label) for entry in LEDGER.entries.values() for label in entry.parts]


@pytest.mark.parametrize(("name", "label"), PARTS, ids=[" ".join(pair) for pair in PARTS])
def test_every_formula_of_the_notes_is_typeset(name, label):
    page = mathml.to_html(LEDGER.entries[name].parts[label])
    assert re.findall(r'<code class="tex">(.*?)</code>', page) == []
    assert "$" not in re.sub(r'<code>.*?</code>|alttext="[^"]*"', "", page, flags=re.DOTALL), (
        "a formula without its end"
    )


@pytest.mark.parametrize(
    ("latex", "outline"),
    [
        (r"\theta'", "mrow(mi mo)"),
        (r"\theta_1'", "mrow(msub(mi mn) mo)"),
        (r"x'^2", "msup(mrow(mi mo) mrow(mn))"),
        (r"W_2'^\top", "msup(mrow(msub(mi mn) mo) mtext)"),
        (r"\hat d^\top", "msup(mpadded(mover(mi mo)) mtext)"),
        (r"\hat d_i^2", "msubsup(mpadded(mover(mi mo)) mi mn)"),
    ],
)
def test_scripts_stand_where_they_are_read(latex, outline):
    """Primes beside their letters, not raised twice; scripts of an accented letter no higher than of a bare one."""

    def written(element):
        inside = " ".join(map(written, element))
        return f"{element.tag}({inside})" if inside else element.tag

    assert " ".join(map(written, tree(latex + " + y")[:1])) == outline
