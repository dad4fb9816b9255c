"""The API reference as a static site: `python docs/build.py [DIR]` (extra `docs`; default: docs/api, which git ignores).

A page for each chapter of the four packages, from the docstrings of what it shows, with a search; it needs no network to be
read. Exit status 1 where a module has no page, or a page loads anything from elsewhere.
"""

from __future__ import annotations

import pkgutil
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

PACKAGES = ("halfrect", "theory", "checks", "figures")
ROOT = Path(__file__).parents[1]

_FROM_ELSEWHERE = re.compile(
    r"""<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=["']?(?:https?:)?//|@import|url\(["']?https?:"""
)


def build(folder: Path) -> list[str]:
    """Write the site into `folder`; returns what is wrong with it, in lines."""
    try:
        import pdoc
    except ImportError:
        return ['docs/build.py needs pdoc: python -m pip install ".[docs]"']
    warnings.filterwarnings("ignore", "Error parsing type annotation", UserWarning)  # of what NamedTuple generates
    pdoc.render.configure(show_source=False, include_undocumented=False, footer_text="halfrect")
    pdoc.pdoc(*PACKAGES, output_directory=folder)
    return faults(folder, modules())


def modules(names: Iterable[str] = PACKAGES) -> Iterator[str]:
    """These modules and what they show: of a package that says so in `__all__` these submodules, else all public ones."""
    for name in names:
        yield name
        package = import_module(name)
        inside = [found.name for found in pkgutil.iter_modules(getattr(package, "__path__", []))]
        shown = getattr(package, "__all__", [word for word in inside if not word.startswith("_")])
        yield from modules(f"{name}.{word}" for word in inside if word in shown)


def faults(folder: Path, names: Iterable[str]) -> list[str]:
    """The modules without a page in `folder`, and the pages there that load something from elsewhere."""
    absent = [name for name in names if not (folder / (name.replace(".", "/") + ".html")).is_file()]
    pages = sorted(folder.rglob("*.html"))
    loading = [page for page in pages if _FROM_ELSEWHERE.search(page.read_text(encoding="utf-8"))]
    return [f"{name} has no page" for name in absent] + [f"{page} loads something from elsewhere" for page in loading]


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "api"
    wrong = build(where)
    print("\n".join(wrong) or f"{where / 'index.html'}: open it in a browser")
    sys.exit(bool(wrong))
