r"""Markdown with LaTeX formulas to HTML with MathML.

Raw HTML in the text is shown, not obeyed; pictures are not loaded. A formula that the converter does not know, or
that would put anything but MathML into the page, is shown as its source in <code class="tex">.

MathML Core, which browsers implement, leaves out some of what converters write; `_core` says the same in Core:
letters of \mathbb, \mathcal, \mathfrak and \mathbf become the Unicode letters, operators become <mo>, accents accents.
"""

from __future__ import annotations

import functools
import html
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

_TAGS = """math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd
mstyle mpadded mphantom"""
_ATTRIBUTES = """accent accentunder columnalign columnspacing display displaystyle depth fence form height linethickness lspace
mathvariant maxsize minsize movablelimits rowspacing rspace scriptlevel separator stretchy voffset width"""
TAGS = frozenset(_TAGS.split())
ATTRIBUTES = frozenset(_ATTRIBUTES.split())

# Where the styled letters stand in Unicode: capital A, small a, digit 0 (None: the style has none).
STYLES: dict[str, tuple[int, int, int | None]] = {
    "double-struck": (0x1D538, 0x1D552, 0x1D7D8),
    "script": (0x1D49C, 0x1D4B6, None),
    "fraktur": (0x1D504, 0x1D51E, None),
    "bold": (0x1D400, 0x1D41A, 0x1D7CE),
    "sans-serif": (0x1D5A0, 0x1D5BA, 0x1D7E2),
    "monospace": (0x1D670, 0x1D68A, 0x1D7F6),
}
# Letters that had a place before their alphabets were filled in.
OLDER = {
    "double-struck": dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ")),
    "script": dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ")),
    "fraktur": dict(zip("CHIRZ", "ℭℌℑℜℨ")),
}
SIGNS = ("−", "+", "±", "∓")
ROWS = frozenset(("math", "mrow", "mtd", "msqrt", "mstyle", "mpadded", "mphantom"))
BELOW = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}  # where a display puts limits
WITH_LIMITS = frozenset(("∑", "∏", "⋃", "⋂", "max", "min", "sup", "inf", "lim", "limsup", "liminf"))
SYMBOLS_AS_LETTERS = frozenset("∞∂∇∅∀∃ℓℏ℘")
PRIMES = frozenset("′″‴")
ACCENTS = frozenset("~^ˆ˜¯‾―ˉ˙¨→⃗∼")


def to_html(markdown: str) -> str:
    """Blocks of Markdown (paragraphs, lists, tables, code, quotes) with $...$ and $$...$$ as MathML."""
    return _unbroken(_parser().render(markdown))


def inline(markdown: str) -> str:
    """One line of Markdown, without the paragraph."""
    return _unbroken(_parser().renderInline(markdown))


def _unbroken(page: str) -> str:
    """No line breaks between a formula in a line and the punctuation around it."""
    formula = r"[(\['‘]*<math alttext=(?:(?!</math>).)*</math>(?:[,.;:!?)\]'’-]+(?!\w))?"
    return re.sub(formula, lambda found: _kept_together(found[0]), page, flags=re.DOTALL).strip()


def _kept_together(text: str) -> str:
    return text if text.startswith("<math") and text.endswith("</math>") else f'<span class="unbroken">{text}</span>'


@functools.cache
def mathml(latex: str, display: bool = False) -> str:
    """A formula as <math>; as <code class="tex"> where it cannot be one.

    >>> mathml("x^2")
    '<math alttext="x^2"><msup><mi>x</mi><mn>2</mn></msup></math>'
    """
    from latex2mathml.converter import convert

    plain = f'<code class="tex">{html.escape(latex)}</code>'
    try:
        root = ElementTree.fromstring(
            convert(_prepared(latex)).replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
        )
    except Exception:  # the converter raises many kinds, and what it writes need not be well-formed
        return plain
    if not all(_allowed(element) for element in root.iter()):
        return plain
    _core(root, display)
    attributes = ' display="block"' if display else ""
    inside = list(root)
    if len(inside) == 1 and inside[0].tag == "mrow":
        inside = list(inside[0])
    content = "".join(ElementTree.tostring(element, encoding="unicode") for element in inside)
    return f'<math{attributes} alttext="{html.escape(latex)}">{content}</math>'


def _prepared(latex: str) -> str:
    """The few spellings that the converter gets wrong."""
    latex = re.sub(
        r"\\operatorname\*?\s*(\{[^{}]*\})", lambda match: r"\operatorname" + match[1].replace(r"\,", "\u00a0"), latex
    )
    latex = re.sub(r"\\(?:mathrm|textrm)\b", r"\\text", latex)
    return re.sub(r"\\(?:boldsymbol|bm)\b", r"\\mathbf", latex)


def _allowed(element: ElementTree.Element) -> bool:
    text = element.text or ""
    return element.tag in TAGS and "\\" not in text and (ATTRIBUTES | {"display"}).issuperset(element.attrib)


def _core(root: ElementTree.Element, display: bool) -> None:
    _scripts(root)
    for element in root.iter():
        variant = element.attrib.get("mathvariant")
        if variant in STYLES:
            del element.attrib["mathvariant"]
            element.text = "".join(_styled(letter, variant) for letter in element.text or "")
        text = element.text or ""
        if element.tag == "mi" and _is_operator(text):
            element.tag = "mo"
            if unicodedata.category(text[0]) in ("Ps", "Pe"):
                element.set("stretchy", "false")
        elif element.tag == "mo" and text in SYMBOLS_AS_LETTERS:
            element.tag = "mi"
        if display and element.tag in BELOW and (element[0].text or "") in WITH_LIMITS:
            element.tag = BELOW[element.tag]
        if element.tag in ("mover", "munder") and len(element) == 2 and (element[1].text or "") in ACCENTS:
            element.set("accent" if element.tag == "mover" else "accentunder", "true")
    for element in root.iter():
        if element.tag in ROWS:
            _space(list(element))
        elif element.tag not in BELOW.values():
            for alone in list(element)[1:]:  # x', W^+: nothing beside it to be kept away from
                if alone.tag == "mo":
                    alone.attrib.update(lspace="0", rspace="0")


def _scripts(element: ElementTree.Element) -> None:
    """Scripts at the height where they are read, whatever the font.

    A prime is a sign beside its letter: glyphs of primes are raised already. The sign of a transpose is an upright T. A
    script beside an accent stands as high as beside the bare letter.
    """
    for child in element:
        _scripts(child)
    if element.tag not in ("msup", "msubsup"):
        return
    base, script = element[0], element[-1]
    if script.text == "⊤":
        script.tag, script.text = "mtext", "T"
    primes = list(script)[:1] if script.tag == "mrow" else [script]
    if primes and primes[0].text in PRIMES:
        row = ElementTree.Element("mrow")
        row.append(_made("msub", base, element[1]) if element.tag == "msubsup" else base)
        row.append(primes[0])
        rest = list(script)[1:]
        element[:] = [row, _made("mrow", *rest)] if rest else list(row)
        element.tag = "msup" if rest else "mrow"
    elif base.tag == "mover":
        element[0] = _made("mpadded", base)
        element[0].set("height", "0.75em")


def _made(tag: str, *children: ElementTree.Element) -> ElementTree.Element:
    made = ElementTree.Element(tag)
    made.extend(children)
    return made


def _is_operator(text: str) -> bool:
    if len(text) == 1:
        return text not in SYMBOLS_AS_LETTERS and unicodedata.category(text) in ("Sm", "Ps", "Pe", "Pd", "Po")
    return len(text) > 1 and text.isascii() and text.isalpha()  # sin, rank


def _space(row: list[ElementTree.Element]) -> None:
    """What TeX's spacing says and a flat row of tokens cannot: signs, names of functions, slashes and bars."""
    cores = [_core_of(element) for element in row]
    for k, core in enumerate(cores):
        if core is None:
            continue
        text = core.text or ""
        before = "open" if k == 0 else _side(cores[k - 1], after=True)
        following = "close" if k + 1 == len(row) else _side(cores[k + 1], after=False)
        if text in ("|", "‖", "/"):
            core.attrib.update(lspace="0", rspace="0")
        elif text == "=" and k and cores[k - 1] is not None and row[k - 1].text == ":":
            row[k - 1].set("rspace", "0")
            core.set("lspace", "0")
        elif text in SIGNS and before != "operand":
            core.attrib.update(form="prefix", lspace="0", rspace="0")
        elif unicodedata.category(text[0]) in ("Ps", "Pe"):
            core.set("form", "prefix" if unicodedata.category(text[0]) == "Ps" else "postfix")
        elif text.isalpha():
            core.set("lspace", "0.17em" if before == "operand" else "0")
            core.set("rspace", "0.17em" if following == "operand" else "0")


def _core_of(element: ElementTree.Element) -> ElementTree.Element | None:
    """The <mo> at the heart of an operator with or without scripts; None for anything else."""
    if element.tag == "mo":
        return element if element.text else None
    return _core_of(element[0]) if element.tag in BELOW or element.tag in BELOW.values() else None


def _side(core: ElementTree.Element | None, *, after: bool) -> str:
    """What an operator's neighbour is: an operand, an opening or a closing."""
    text = "" if core is None else core.text or ""
    kind = unicodedata.category(text[0]) if text else ""
    if core is None or kind == ("Pe" if after else "Ps"):
        return "operand" if core is None or after else "open"
    if text in SIGNS and not after:
        return "operand"
    if text in ("|", "‖", "!"):
        return "operand" if after else "close"
    return "operand" if text.isalpha() and not after else "open" if after else "close"


def _styled(letter: str, style: str) -> str:
    capital, small, digit = STYLES[style]
    if letter in OLDER.get(style, {}):
        return OLDER[style][letter]
    for first, start in (("A", capital), ("a", small)):
        if 0 <= ord(letter) - ord(first) < 26:
            return chr(start + ord(letter) - ord(first))
    if digit is not None and letter in "0123456789":
        return chr(digit + int(letter))
    return letter


@functools.cache
def _parser() -> Any:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    parser.inline.ruler.before("escape", "math", _math_rule)
    parser.add_render_rule("math", _render_math)
    return parser


def _math_rule(state: Any, silent: bool) -> bool:
    r"""$...$ on one line or several, $$...$$ as a display; \$ is a dollar sign."""
    found = next(_formulas(state.src, state.pos, state.posMax), None)
    if found is None:
        return False
    marker, content, end = found
    if not silent:
        token = state.push("math", "math", 0)
        token.content, token.markup = content, marker
    state.pos = end
    return True


def _formulas(text: str, start: int, stop: int) -> Iterator[tuple[str, str, int]]:
    marker = "$$" if text.startswith("$$", start) else "$" if text.startswith("$", start) else ""
    if marker:
        end = text.find(marker, start + len(marker), stop)
        while end > 0 and text[end - 1] == "\\":
            end = text.find(marker, end + 1, stop)
        content = text[start + len(marker) : end] if end > 0 else ""
        price = marker == "$" and (content != content.strip() or text[end + 1 : end + 2].isdigit())  # "$5 and $6"
        if content.strip() and not price:
            yield marker, content.strip(), end + len(marker)


def _render_math(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    return mathml(" ".join(tokens[index].content.split()), tokens[index].markup == "$$")
