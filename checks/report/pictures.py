"""Pictures for the page, from a folder that `python -m figures --out` filled.

NAME.png (or .svg) beside NAME.npz, whose caption is shown and whose `claims` say under which claims.
"""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from pathlib import Path

from checks.report import mathml
from theory.numerics import load_archive

PICTURES = {".png": "image/png", ".svg": "image/svg+xml"}


class PictureError(ValueError):
    """A folder of pictures that cannot be used; the message is one line."""


@dataclass(frozen=True)
class Picture:
    """One figure: its file as a data URI, its name, its caption in Markdown, the ids of the claims it belongs to."""

    uri: str
    name: str
    caption: str
    claims: tuple[str, ...]


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
        content = base64.b64encode(file.read_bytes()).decode()
    except OSError as error:
        raise PictureError(f"--pictures {file}: {error.strerror or error}") from error
    except (ValueError, KeyError) as error:
        raise PictureError(f"--pictures {numbers}: not an NPZ that `python -m figures` wrote ({error})") from error
    return Picture(f"data:{PICTURES[file.suffix]};base64,{content}", file.stem, caption, ids)


def shown(figure: Picture) -> str:
    """The figure with its caption."""
    caption = f"<figcaption>{mathml.to_html(figure.caption)}</figcaption>"
    return f'<figure><img src="{figure.uri}" alt="figure {html.escape(figure.name)}">{caption}</figure>'
