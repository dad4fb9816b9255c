"""Contents and links of paper_notes.md: `python docs/notes.py` writes them anew; a test fails where they are stale.

Every claim that the text of an entry names, outside mathematics and code, links to its entry; the table of contents lists sections and
entries with their verdicts. Both are derived from the headings, so that nobody has to keep them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from checks.report.links import WORDS

sys.path.pop(0)

NOTES = Path(__file__).parents[1] / "paper_notes.md"
TITLE = "## Contents"

_ENTRY = re.compile(r"^### (\S+)$\n(?:^Verdict: \*\*([A-Z]+)\*\*)?", re.MULTILINE)
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_OWN_LINK = re.compile(r"\[([\w.+-]+)\]\(#[\w-]+\)")
_CLOSED = re.compile(  # where nothing becomes a link: fences, headings, verdicts, mathematics, code, links
    r"^```.*?^```|^(?:#+ |Verdict: )[^\n]*$|\$\$.*?\$\$|\$[^$]*\$|`[^`\n]*`|\[[^\]\n]*\]\([^)\n]*\)",
    re.MULTILINE | re.DOTALL,
)


def renewed(text: str) -> str:
    """The notes in `text` with contents and links that fit its headings; the same again for notes that have them."""
    text = _OWN_LINK.sub(r"\1", _without_contents(text))
    head, *sections = _cut(text, _SECTION)
    body = "".join(_linked(part, _ids(text)) for part in sections)
    return f"{head}{contents(text)}\n\n{body}"


def contents(text: str) -> str:
    """The table of contents of notes without one: a line for each section, and below it its entries with their verdicts."""
    lines = [TITLE, ""]
    for part in _cut(text, _SECTION)[1:]:
        title = part[3 : part.index("\n")]
        lines.append(f"- [{title}](#{slug(title)})")
        entries = [f"[{name}](#{slug(name)}) {verdict.lower()}".rstrip() for name, verdict in _ENTRY.findall(part)]
        lines += [f"  - {entry}" for entry in entries]
    return "\n".join(lines)


def slug(heading: str) -> str:
    """The anchor of a heading where Markdown is shown.

    >>> slug("Sections 3-4 Strings, appendices A and E"), slug("sharper-N+1")
    ('sections-3-4-strings-appendices-a-and-e', 'sharper-n1')
    """
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _ids(text: str) -> list[str]:
    return [name for name, _ in _ENTRY.findall(text)]


def _without_contents(text: str) -> str:
    return re.sub(rf"^{TITLE}\n.*?(?=^## )", "", text, flags=re.MULTILINE | re.DOTALL)


def _cut(text: str, heading: re.Pattern[str]) -> list[str]:
    """The text before the first match, and from each match to the next."""
    starts = [0, *(match.start() for match in heading.finditer(text)), len(text)]
    return [text[a:b] for a, b in pairwise(starts)]


def _linked(section: str, ids: list[str]) -> str:
    """A section in which each entry links the others that it names."""
    return "".join(
        _link(part, [name for name in ids if not part.startswith(f"### {name}\n")]) for part in _cut(section, _ENTRY)
    )


def _link(part: str, ids: list[str]) -> str:
    plain = "|".join(re.escape(name) for name in sorted(ids, key=len, reverse=True) if name not in WORDS)
    words = "|".join(re.escape(name) for name in ids if name in WORDS)
    naming = re.compile(rf"(?<![\w.+/-])(?:{plain})(?![\w+/-]|\.\w)" + (rf"|(?<=\()(?:{words})(?=\))" if words else ""))
    return "".join(
        piece if closed else naming.sub(lambda match: f"[{match[0]}](#{slug(match[0])})", piece)
        for piece, closed in _pieces(part)
    )


def _pieces(part: str) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it is closed to links."""
    at = 0
    for match in _CLOSED.finditer(part):
        yield part[at : match.start()], False
        yield match[0], True
        at = match.end()
    yield part[at:], False


if __name__ == "__main__":
    NOTES.write_text(renewed(NOTES.read_text(encoding="utf-8")), encoding="utf-8")
