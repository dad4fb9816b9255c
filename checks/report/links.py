"""Claims that a text names, as links to their place on the page."""

from __future__ import annotations

import html
import re
from collections.abc import Collection

# Ids that are words of the language as well: a link only where they stand alone in brackets or in code.
WORDS = ("pivots", "held-out", "plus-one", "other-losses")
CLOSED = ("a", "math", "pre", "button", "script", "style", "svg", "summary")  # nothing in these becomes a link

_PART = re.compile(r"(<[^>]*>)")
_ANCHOR = re.compile(r'<a href="#([^"]*)">(.*?)</a>', re.DOTALL)


def linked(page: str, known: Collection[str], own: str = "") -> str:
    """HTML in which every claim of `known` that its words name, `own` apart, is a link; anchors of the notes lead there too.

    >>> linked("<p>See prop-2.1, prop-2.1-nonstrict and <code>eq-12</code>.</p>", ["prop-2.1", "eq-12"])
    '<p>See <a href="#prop-2.1">prop-2.1</a>, prop-2.1-nonstrict and <code><a href="#eq-12">eq-12</a></code>.</p>'
    """
    page = _anchors(page, known)
    names = sorted((name for name in known if name != own), key=len, reverse=True)
    if not names:
        return page
    plain, words = ([n for n in names if (n in WORDS) is kind] for kind in (False, True))
    choices = [rf"(?<![\w.+-])(?:{'|'.join(map(re.escape, plain))})(?![\w+-]|\.\w)"] if plain else []
    choices += [rf"(?<=\()(?:{'|'.join(map(re.escape, words))})(?=\))"] if words else []
    naming, parts, closed = re.compile("|".join(choices)), _PART.split(page), [""]
    for k, part in enumerate(parts):
        tag = re.match(r"</?([a-zA-Z0-9]+)", part) if k % 2 else None
        if tag and tag[1] in (*CLOSED, "code"):
            if part[1] != "/":
                closed.append(tag[1])
            elif closed[-1] == tag[1]:
                closed.pop()
        elif k % 2 == 0 and closed[-1] == "code":
            if html.unescape(part) in names:
                parts[k] = _link(part)
        elif k % 2 == 0 and not closed[-1]:
            parts[k] = naming.sub(lambda match: _link(match[0]), part)
    return "".join(parts)


def slug(claim_id: str) -> str:
    """The anchor that a heading with this id gets where Markdown is shown.

    >>> slug("sharper-N+1")
    'sharper-n1'
    """
    return re.sub(r"[^a-z0-9 -]", "", claim_id.lower()).replace(" ", "-")


def _anchors(page: str, known: Collection[str]) -> str:
    """Links of the notes to one of their headings lead to the claim; to one that is not on the page they are its words."""
    places = {slug(name): name for name in known} | {name: name for name in known}

    def place(match: re.Match[str]) -> str:
        name = places.get(html.unescape(match[1]))
        return match[2] if name is None else f'<a href="#{html.escape(name)}">{match[2]}</a>'

    return _ANCHOR.sub(place, page)


def _link(name: str) -> str:
    return f'<a href="#{name}">{name}</a>'
