"""The paper's figures and the ones it should have had: `python -m figures` lists them.

One module per figure, with

    data(*, fast=False, ...) -> dict of arrays     what is drawn; saved as NPZ beside the picture
    draw(data) -> matplotlib Figure
    CAPTION                                        what to see, and what would refute it
    CLAIMS                                         optional: ids of the claims that it illustrates
    arguments(parser)                              optional: options of its own for `data`
    extras(data, out) -> list of files             optional: further files, such as an animation
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Mapping, Sequence
from pathlib import Path as File
from types import ModuleType
from typing import Any

import numpy as np

STYLE = File(__file__).with_name("halfrect.mplstyle")
FORMATS = ("png", "pdf", "svg")
SPARE = ("caption", "claims", "settings", "versions")  # what an NPZ holds beside the arrays


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
    """Compute (or load), draw and save one figure in `out`; the files written, the picture first."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    module, out = load(name), File(out)
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}; got {format!r}")
    out.mkdir(parents=True, exist_ok=True)
    arrays = compute(module, fast=fast, out=out, **options) if data is None else read(data)
    picture, numbers = out / f"{name}.{format}", out / f"{name}.npz"
    with plt.style.context(str(STYLE)):
        figure = module.draw(arrays)
        figure.savefig(picture, metadata=_metadata(format))
        plt.close(figure)
        settings = {"fast": fast, **options}
        write(numbers, arrays, caption=module.CAPTION, claims=getattr(module, "CLAIMS", ()), settings=settings)
        further = module.extras(arrays, out) if hasattr(module, "extras") else []
    return [picture, numbers, *further]


def compute(module: ModuleType, *, out: File | None = None, **options: Any) -> dict[str, np.ndarray]:
    """The figure's data; `out` (where results may be kept and resumed) is passed to those that want it."""
    if "out" in inspect.signature(module.data).parameters:
        options["out"] = out
    return {key: np.asarray(value) for key, value in module.data(**options).items()}


def write(
    file: File,
    arrays: Mapping[str, np.ndarray],
    *,
    caption: str,
    settings: Mapping[str, Any],
    claims: Sequence[str] = (),
) -> None:
    """Save arrays as NPZ with the caption, the claims illustrated, the settings and the versions that made them."""
    import platform

    import scipy

    versions = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
    spare = {"caption": caption, "settings": json.dumps(dict(settings), default=str), "versions": json.dumps(versions)}
    fields = {"claims": np.array(list(claims), dtype=str)} | {key: np.array(value) for key, value in spare.items()}
    np.savez_compressed(file, **arrays, **fields)  # type: ignore[arg-type]


def read(file: File) -> dict[str, np.ndarray]:
    """The arrays of an NPZ that `write` made; ValueError when it is not one."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files if key not in SPARE}
    except (OSError, ValueError, EOFError, AttributeError, TypeError, KeyError) as error:
        raise ValueError(f"data must be an NPZ as `python -m figures` writes; {file}: {error}") from error


def _metadata(format: str) -> dict[str, Any]:
    """Nothing that changes from run to run."""
    return {"png": {"Software": None}, "pdf": {"CreationDate": None, "Producer": None}, "svg": {"Date": None}}[format]
