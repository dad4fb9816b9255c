"""Files of others: NPZ archives, read without pickle, and texts. What is no such file is refused in one line."""

from __future__ import annotations

import os
import stat
import warnings
import zipfile
from os import PathLike
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from theory.numerics.validation import describe, file_name


def load_arrays(file: str | PathLike[str] | BinaryIO, *names: str) -> list[NDArray[Any]]:
    """The named arrays of an NPZ file, never unpickled, of whatever shapes (...) they have.

    OSError when the file cannot be opened; ValueError, in one line, when its content is not such an NPZ.
    """
    held = load_archive(file, names)
    missing = [name for name in names if name not in held]
    if missing:
        raise ValueError(
            f"needs arrays {' and '.join(names)}; {' and '.join(missing)} missing, it holds {describe(', '.join(held)) if held else 'nothing'}"
        )
    return [array for array in map(held.get, names) if array is not None]


def load_archive(
    file: str | PathLike[str] | BinaryIO, names: tuple[str, ...] | None = None
) -> dict[str, NDArray[Any] | None]:
    """All arrays (of whatever shapes, (...)) of an NPZ file by name, or those in `names` and None for the others.

    OSError and ValueError as `load_arrays`.
    """
    if not hasattr(file, "read"):
        with open(file_name(file), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):  # a device may have no end
                raise ValueError("is not a regular file")
            return load_archive(stream, names)
    if not zipfile.is_zipfile(file):
        raise ValueError("is not an NPZ archive")
    file.seek(0)  # type: ignore[union-attr]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # headers of another age are read, or refused
            with np.load(file, allow_pickle=False) as archive:
                arrays = {k: archive[k] if names is None or k in names else None for k in archive.files}
    except Exception as error:  # hostile bytes fail in many ways inside zipfile, zlib and numpy: all mean unreadable
        if "allow_pickle" in str(error):
            raise ValueError("holds pickled objects, which are never loaded; save plain arrays") from error
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ValueError(f"cannot be read as an NPZ archive ({reason})") from error
    for name, array in arrays.items():
        if array is not None and not isinstance(array, np.ndarray):
            raise ValueError(f"cannot be read as an NPZ archive ({describe(name)} is not an array)")
    return arrays


def load_text(file: str | PathLike[str]) -> str:
    """The text, in UTF-8, of a file or a pipe.

    OSError when it cannot be opened; ValueError for a device, which may have no end, and for what is not UTF-8.
    """
    with open(file_name(file), "rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise ValueError("is a device, not a file")
        return stream.read().decode("utf-8")
