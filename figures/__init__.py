"""The paper's figures and the ones it should have had: `python -m figures` lists them.

One module per figure, with

    data(*, fast=False, ...) -> dict of arrays     what is drawn; saved as NPZ beside the picture
    draw(data) -> matplotlib Figure
    CAPTION                                        two sentences: what to see, and what would refute it
    note(data) -> str                              optional: what the caption adds of these data (default: of --fast)
    CLAIMS                                         optional: ids of the claims that it illustrates
    arguments(parser)                              optional: options of its own for `data`
    data(*, sample=None, ...)                      optional: the figure can be drawn of a user's table
    reads(**options) -> bool                       optional: whether with these options --data is what `data` calls source
    extras(data, out) -> list of files             optional: further files, such as an animation

Each picture NAME.png lies beside NAME.npz, the data drawn, and NAME.txt, its caption.
"""

from __future__ import annotations

import os  # it and sys are loaded already: nothing else is imported yet
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
from checks import own_path as own_path  # first: `python -m figures` runs nothing that lies in the current folder

sys.path.pop(0)

import functools
import hashlib
import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path as File
from types import ModuleType
from typing import Any

import numpy as np

from checks import tables
from theory.numerics import load_archive

STYLE = File(__file__).with_name("halfrect.mplstyle")
FORMATS = ("png", "pdf", "svg")
SPARE = ("figure", "caption", "claims", "settings", "versions", "code")  # what an NPZ holds beside the arrays


def names() -> tuple[str, ...]:
    """The names of all figures: every public module of this package that has a CAPTION."""
    found = sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))
    return tuple(name for name in found if hasattr(load(name), "CAPTION"))


def load(name: str) -> ModuleType:
    """The module of a figure."""
    return importlib.import_module(f"figures.{name}")


def make(
    name: str, out: File, *, fast: bool = False, format: str = "png", data: File | None = None, **options: Any
) -> list[File]:
    """Compute, draw and save one figure in `out`; the files written: picture (of this format), NPZ, caption, and more.

    data: an NPZ that a figure wrote, which is drawn again as it is; or a table as `python -m checks --data` takes it
    (.csv, or .npz with X and y), for the figures whose `data` takes a sample; or what the runs of a figure are made on.
    ValueError when it is none of these.
    """
    module, out = load(name), File(out)
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}; got {format!r}")
    if data is not None and hasattr(module, "reads") and module.reads(**options):
        options["source"], data = File(data), None
    record = {"figure": name, "settings": json.dumps(_settings(module, fast=fast, data=data, **options), default=str)}
    if data is not None and not is_table(data):
        arrays = read(data)
        changed = [
            key
            for key, value in _settings(module, data=None).items()
            if {"fast": fast, **options}.get(key, value) != value
        ]
        if changed:
            raise ValueError(f"data of a figure is drawn as it is: {', '.join(changed)} cannot change it")
        record |= _record(data, name)
    else:
        if data is not None:
            options["sample"] = _sample(module, name, data)
        out.mkdir(parents=True, exist_ok=True)  # long runs are kept there as they finish
        arrays = compute(module, fast=fast, out=out, **options)
    out.mkdir(parents=True, exist_ok=True)
    picture, numbers, words = (out / f"{name}.{kind}" for kind in (format, "npz", "txt"))
    with style():
        try:
            figure = module.draw(arrays)
            figure.savefig(picture, metadata=_metadata(format))
            caption = _caption(module, name, record["settings"], arrays)
            write(numbers, arrays, caption=caption, claims=getattr(module, "CLAIMS", ()), **record)
            words.write_text(f"{caption}\n", encoding="utf-8")
            further = module.extras(arrays, out) if hasattr(module, "extras") else []
        except Exception as error:  # another one's arrays fail in many ways inside a figure and matplotlib
            if data is None:
                raise
            reason = " ".join(repr(error).split())
            raise ValueError(f"data must hold the arrays that {name} draws; {data}: {reason:.200}") from error
    return [picture, numbers, words, *further]


@contextmanager
def style() -> Iterator[None]:
    """Our style over matplotlib's own defaults: in here a figure looks the same whatever the user has chosen.

    Neither their matplotlibrc nor their style sheets count, and figures are made without a backend.
    """
    import matplotlib.style

    with matplotlib.style.context(["default", str(STYLE)]):
        yield


def compute(module: ModuleType, *, out: File | None = None, **options: Any) -> dict[str, np.ndarray]:
    """The figure's data; `out` (where results may be kept and resumed) is passed to those that want it."""
    if "out" in inspect.signature(module.data).parameters:
        options["out"] = out
    return {key: np.asarray(value) for key, value in module.data(**options).items()}


def drawn(name: str, out: File, *, fast: bool = False, format: str = "png", **options: Any) -> bool:
    """Whether `out` holds this figure, in this format, as it would be drawn now: same code, same versions, same settings."""
    picture, numbers = File(out) / f"{name}.{format}", File(out) / f"{name}.npz"
    if not picture.is_file():
        return False
    try:
        held = load_archive(numbers, ("figure", "settings", "versions", "code"))
    except (OSError, ValueError):
        return False
    settings = json.dumps(_settings(load(name), fast=fast, data=None, **options), default=str)
    wanted = {"figure": name, "settings": settings, "versions": _versions(), "code": code()}
    return {key: str(text) for key, text in held.items() if text is not None} == wanted


@functools.cache
def code() -> str:
    """A digest of all that decides what is drawn: every file of theory and figures, and of checks but its reports."""
    digest, top = hashlib.sha256(), File(__file__).resolve().parents[1]
    for package in ("theory", "checks", "figures"):
        for file in sorted((top / package).rglob("*")):
            if file.is_file() and not {"__pycache__", "report"}.intersection(file.parts):
                digest.update(f"{file.relative_to(top).as_posix()}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _versions() -> str:
    """The versions that decide numbers and pictures, as JSON."""
    import platform
    from importlib import metadata

    packages = {name: metadata.version(name) for name in ("numpy", "scipy", "matplotlib")}
    return json.dumps({"python": platform.python_version()} | packages)


def takes_table(name: str) -> bool:
    """Whether a figure can be drawn of a user's table."""
    return "sample" in inspect.signature(load(name).data).parameters


def is_table(file: File) -> bool:
    """Whether a file is meant as a table (text, Parquet, an NPZ with X and y that no figure wrote), not as a figure's data."""
    if any(File(file).name.lower().endswith(suffix) for suffix in tables.SUFFIXES if suffix != ".npz"):
        return True
    try:
        held = load_archive(file, ())
    except (OSError, ValueError):
        return False
    return {"X", "y"} <= set(held) and "caption" not in held


def write(
    file: File,
    arrays: Mapping[str, np.ndarray],
    *,
    figure: str,
    caption: str,
    settings: str = "{}",
    versions: str | None = None,
    claims: Sequence[str] = (),
) -> None:
    """Save arrays as NPZ with the figure's name and caption and the claims that it illustrates.

    file: where to; settings (the seed among them) and versions (default: those in use): what made the arrays, as JSON.
    """
    texts = {"figure": figure, "caption": caption, "settings": settings, "versions": versions or _versions()}
    texts |= {"code": code()} if versions is None else {}
    fields = {"claims": np.array(list(claims), dtype=str)} | {key: np.array(text) for key, text in texts.items()}
    np.savez_compressed(file, **arrays, **fields)  # type: ignore[arg-type]


def read(file: File) -> dict[str, np.ndarray]:
    """The arrays of an NPZ file that `write` made; ValueError when it is not one."""
    try:
        held = load_archive(file)
    except (OSError, ValueError) as error:
        raise ValueError(f"data must be an NPZ as `python -m figures` writes; {file}: {error}") from error
    return {key: array for key, array in held.items() if key not in SPARE and array is not None}


def _record(file: File, name: str) -> dict[str, str]:
    """Settings and versions that an NPZ holds, where it does; ValueError when it is another figure's."""
    held = load_archive(file, ("figure", "settings", "versions"))
    found = {key: str(text) for key, text in held.items() if text is not None}
    if found.get("figure", name) != name:
        raise ValueError(f"data must be of {name}; {file} was written by {found['figure']:.40}")
    return found


def _caption(module: ModuleType, name: str, settings: str, arrays: Mapping[str, np.ndarray]) -> str:
    """The figure's caption, with what its module notes of these arrays, or else that they are of smaller runs."""
    small = json.loads(settings).get("fast") is True
    usual = f"Smaller runs (`--fast`); `python -m figures {name}` has them in full." if small else ""
    note = module.note(arrays) if hasattr(module, "note") else usual
    return f"{module.CAPTION} {note}".rstrip()


def _sample(module: ModuleType, name: str, file: File):
    """The user's table, for a figure that takes one."""
    if not takes_table(name):
        able = ", ".join(other for other in names() if takes_table(other))
        raise ValueError(f"data must be an NPZ as `python -m figures` writes: {name} takes no table (these do: {able})")
    return tables.read(file)


def _settings(module: ModuleType, *, data: File | None, **options: Any) -> dict[str, Any]:
    """Everything that the arrays depend on: all options of `data`, those left at their defaults too."""
    defaults = {key: p.default for key, p in inspect.signature(module.data).parameters.items()}
    settings = {key: value for key, value in (defaults | options).items() if key not in ("out", "sample")}
    return settings if data is None else settings | {"table": File(data).name}


def _metadata(format: str) -> dict[str, Any]:
    """Nothing that changes from run to run."""
    return {"png": {"Software": None}, "pdf": {"CreationDate": None, "Producer": None}, "svg": {"Date": None}}[format]
