"""Pictures for the page, from a folder that `python -m figures --out` filled.

NAME.png (or .svg) beside NAME.npz, whose caption is shown and whose `claims` say under which claims. The page holds each
picture once and shows it wherever it belongs.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from checks.report import mathml
from checks.report.symbols import typeset, typeset_markdown
from theory.numerics import load_archive

PICTURES = {".png": "image/png", ".svg": "image/svg+xml"}


class PictureError(ValueError):
    """A folder of pictures that cannot be used; the message is one line."""


@dataclass(frozen=True)
class Picture:
    """One figure: its file as a data URI, name, caption in Markdown, ids of its claims, width and height in pixels."""

    uri: str
    name: str
    caption: str
    claims: tuple[str, ...]
    size: tuple[float, float]

    def __repr__(self) -> str:
        return f"Picture({self.name}, {self.size[0]:g} x {self.size[1]:g}, of {', '.join(self.claims) or 'no claim'})"

    @property
    def key(self) -> str:
        """What its place on the page is called."""
        return "picture-" + hashlib.sha256(self.uri.encode()).hexdigest()[:12]


def read(folder: str | Path) -> tuple[Picture, ...]:
    """The figures in `folder`, by name; PictureError when it has none or one cannot be read."""
    found = []
    try:
        every = sorted(Path(folder).glob("*.npz"))
    except OSError as error:
        raise PictureError(f"--pictures {folder}: {error.strerror or error}") from error
    for numbers in every:
        file = next((f for f in map(numbers.with_suffix, PICTURES) if f.is_file()), None)
        if file is not None:
            found.append(_picture(file, numbers))
    if not found:
        kinds = " or ".join(PICTURES)
        raise PictureError(
            f"--pictures {folder}: no figure of `python -m figures --out {folder}` is there, {kinds} beside .npz"
        )
    return tuple(found)


def _picture(file: Path, numbers: Path) -> Picture:
    try:
        held = load_archive(numbers, ("caption", "claims"))
        claimed = held.get("claims")
        caption, ids = str(held["caption"]), () if claimed is None else tuple(map(str, claimed.ravel()))
        content = file.read_bytes()
    except OSError as error:
        raise PictureError(f"--pictures {file}: {error.strerror or error}") from error
    except (ValueError, KeyError) as error:
        raise PictureError(f"--pictures {numbers}: not an NPZ that `python -m figures` wrote ({error})") from error
    size = _size_of_svg(content) if file.suffix == ".svg" else _size_of_png(content)
    if size is None:
        raise PictureError(f"--pictures {file}: not a picture that `python -m figures` wrote: no size in it")
    uri = f"data:{PICTURES[file.suffix]};base64,{base64.b64encode(content).decode()}"
    return Picture(uri, file.stem, caption, ids, size)


def _size_of_png(content: bytes) -> tuple[float, float] | None:
    """Width and height as the first chunk of a PNG has them; None for what is no PNG."""
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR" or len(content) < 24:
        return None
    width, height = struct.unpack(">II", content[16:24])
    return (width, height) if width and height else None


def _size_of_svg(content: bytes) -> tuple[float, float] | None:
    """Width and height of the box that an SVG is drawn in; None where it says none."""
    box = re.search(rb'<svg\b[^>]*\bviewBox="[-\d.]+ [-\d.]+ ([\d.]{1,12}) ([\d.]{1,12})"', content)
    try:
        width, height = map(float, box.groups()) if box else (0.0, 0.0)
    except ValueError:
        return None
    return (width, height) if width > 0 and height > 0 else None


def once(figures: Iterable[Picture]) -> str:
    """The pictures themselves, each once, in a part of the page that is not seen; `drawn` refers to them."""
    symbols = {
        figure.key: f'<symbol id="{figure.key}" viewBox="{_box(figure)}">'
        f'<image href="{html.escape(figure.uri)}" width="{figure.size[0]:g}" height="{figure.size[1]:g}"/></symbol>'
        for figure in figures
    }
    return f'<svg class="store" aria-hidden="true">{"".join(symbols.values())}</svg>' if symbols else ""


def drawn(figure: Picture) -> str:
    """The picture at one of its places, with a button that shows it in full size where scripts run."""
    return (
        f'<div class="picture"><svg viewBox="{_box(figure)}" role="img" aria-label="{html.escape(alternative(figure))}">'
        f'<use href="#{figure.key}"/></svg>'
        f'<button type="button" class="enlarge" data-enlarges="{figure.key}" hidden>Enlarge</button></div>'
    )


def shown(figure: Picture) -> str:
    """The figure with its caption."""
    return (
        f"<figure>{drawn(figure)}<figcaption>{mathml.to_html(typeset_markdown(figure.caption))}</figcaption></figure>"
    )


def alternative(figure: Picture) -> str:
    """What the picture shows, for who does not see it: the caption up to the end of its first sentence."""
    words = " ".join(figure.caption.replace("$", "").split())
    first = re.match(r".*?[.:](?= [A-Z]|$)", words)
    return f"Figure {figure.name}. {typeset(first[0] if first else words)}".strip()


def _box(figure: Picture) -> str:
    return f"0 0 {figure.size[0]:g} {figure.size[1]:g}"
