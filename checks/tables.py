"""Real tables: the ones that ship with scikit-learn, and the user's own (`--data FILE`).

Every table becomes a `Sample`: the columns of X and the one column of Y are centred and scaled to unit variance
(a column that is constant up to the last digits of its numbers becomes zero). Nothing is ever unpickled.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory.numerics import load_arrays
from theory.numerics import validation as check
from theory.risk import Sample

Array = NDArray[np.float64]

LAST_DIGITS = 4  # a column whose entries differ by no more than this many units of rounding of the largest is constant


class TableError(ValueError):
    """A file that cannot be used as a table; the message is one line that says what is wrong with it."""


class Tables(Mapping[str, Sample]):
    """Named tables, each loaded when first asked for; `used` remembers which were.

    >>> list(shipped())
    ['diabetes', 'digits']
    """

    def __init__(self, loaders: Mapping[str, Callable[[], Sample]]) -> None:
        self._loaders = dict(loaders)
        self._used: set[str] = set()

    @property
    def used(self) -> tuple[str, ...]:
        """Names of the tables that were asked for, sorted."""
        return tuple(sorted(self._used))

    def afresh(self) -> Tables:
        """The same tables, none asked for yet."""
        return Tables(self._loaders)

    def __getitem__(self, name: str) -> Sample:
        sample = self._loaders[name]()
        self._used.add(name)
        return sample

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaders)

    def __len__(self) -> int:
        return len(self._loaders)


def shipped() -> Tables:
    """The tables inside scikit-learn: diabetes (442, 10) and digits (1797, 64; Y is the parity of the digit)."""
    return Tables({"diabetes": _diabetes, "digits": _digits})


def from_file(file: str | PathLike[str]) -> Tables:
    """The user's table under the file's stem, read at once; TableError says what is wrong with the file."""
    sample = read(file)
    return Tables({Path(file).stem: lambda: sample})


@cache
def _diabetes() -> Sample:
    from sklearn.datasets import load_diabetes

    return standardised(*load_diabetes(return_X_y=True))


@cache
def _digits() -> Sample:
    from sklearn.datasets import load_digits

    X, digit = load_digits(return_X_y=True)
    return standardised(X, 2.0 * (digit % 2) - 1)


def standardised(X: ArrayLike, y: ArrayLike) -> Sample:
    """Sample of X (N, n) and y (N,) with every column centred and scaled to unit variance, constant ones zero.

    ValueError unless both are finite real numbers, N, n >= 1.
    """
    X, y = check.finite_array(X, "X", ndim=2), check.finite_array(y, "y").reshape(-1, 1)
    if 0 in X.shape or len(y) != len(X):
        raise ValueError(f"X must have shape (N, n) and y (N,), N, n >= 1; got {X.shape} and {len(y)} entries")
    return Sample(_standard(X), _standard(y))


def read(file: str | PathLike[str]) -> Sample:
    """The table in `file`, standardised; y and some input column must vary. See `raw`."""
    sample = standardised(*raw(file))
    if not sample.Y.any():
        raise TableError(f"{file}: the target is constant (up to its last digits), so there is nothing to fit")
    if not sample.X.any():
        raise TableError(f"{file}: every input column is constant")
    return sample


def raw(file: str | PathLike[str]) -> tuple[Array, Array]:
    """X (N, n) and y (N,) of the table in `file`, as they stand there.

    .csv: a header line, then numbers; the target is the column named y or, without one, the last. .npz: arrays
    X (N, n) and y (N,) or (N, 1). At least two rows; no NaN or infinity.
    """
    path = Path(file)
    readers = {".csv": _read_csv, ".npz": _read_npz}
    if path.suffix.lower() not in readers:
        raise TableError(f"{path}: the name must end in .csv or .npz")
    try:
        if path.is_dir():
            raise TableError(f"{path}: is a directory, not a file")
        if path.stat().st_size == 0:
            raise TableError(f"{path}: the file is empty (0 bytes)")
        X, y = readers[path.suffix.lower()](path)
    except OSError as error:
        raise TableError(f"{path}: {error.strerror or error}") from error
    if len(X) < 2:
        raise TableError(f"{path}: needs at least two rows of data; it has {len(X)}")
    return X, y


def _read_csv(path: Path) -> tuple[Array, Array]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            lines = csv.reader(stream)
            rows = [(lines.line_num, row) for row in lines if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path}: is not a comma-separated text file ({_one_line(error)})") from error
    if not rows:
        raise TableError(f"{path}: holds no lines but blank ones")
    header = [cell.strip() for cell in rows[0][1]]
    if all(_is_number(cell) for cell in header):
        raise TableError(f"{path}: the first line must be a header of column names; it holds numbers")
    if len(header) < 2:
        raise TableError(f"{path}: needs at least two columns, inputs and a target; the header has {len(header)}")
    if "" in header:
        raise TableError(
            f"{path}: column {header.index('') + 1} has no name in the header; name it, or leave it out "
            "(pandas writes the row numbers so: to_csv(..., index=False))"
        )
    if header.count("y") > 1:
        raise TableError(f"{path}: {header.count('y')} columns are named y; the target must be one")
    table = np.empty((len(rows) - 1, len(header)))
    for k, (line, row) in enumerate(rows[1:]):
        if len(row) != len(header):
            raise TableError(f"{path}: line {line} has {len(row)} columns, the header has {len(header)}")
        for j, cell in enumerate(row):
            if not _is_number(cell):
                what = f"{cell.strip()[:40]!r} is not a number" if cell.strip() else "is empty"
                raise TableError(f"{path}: line {line}, column {header[j]!r}: {what}")
            table[k, j] = float(cell)
            if not np.isfinite(table[k, j]):
                raise TableError(f"{path}: line {line}, column {header[j]!r}: {cell.strip()} is not finite")
    target = header.index("y") if "y" in header else len(header) - 1
    return np.delete(table, target, axis=1), table[:, target]


def _read_npz(path: Path) -> tuple[Array, Array]:
    try:
        X, y = load_arrays(path, "X", "y")
    except ValueError as error:
        raise TableError(f"{path}: {error}") from error
    for name, array in (("X", X), ("y", y)):
        if array.dtype.kind not in "fiub":
            raise TableError(f"{path}: {name} must hold real numbers; got {array.dtype}")
    with np.errstate(over="ignore"):  # a long double beyond float64 is refused below
        X, y = X.astype(float), y.astype(float)
    if X.ndim != 2 or X.shape[1] == 0:
        raise TableError(f"{path}: X must have shape (N, n) with n >= 1; got {X.shape}")
    if y.shape not in ((len(X),), (len(X), 1)):
        raise TableError(f"{path}: y must have shape ({len(X)},), one target per row of X; got {y.shape}")
    for name, array in (("X", X), ("y", y)):
        if not np.isfinite(array).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise TableError(f"{path}: {name} must be finite; entry {where} is {array[where]}")
    return X, y.ravel()


def _standard(columns: Array) -> Array:
    """Columns with mean 0 and variance 1; those that vary in their last digits only become 0.

    Scaled by a power of two, so that no square overflows, and taken from the first entry before anything is averaged:
    both are exact where a column varies little, however many rows there are.
    """
    size = np.abs(columns).max(axis=0, initial=0.0)
    columns = np.ldexp(columns, -np.frexp(size)[1])
    constant = np.ptp(columns, axis=0) <= LAST_DIGITS * np.finfo(float).eps
    columns = columns - columns[0]
    columns = columns - columns.mean(axis=0)
    return np.where(constant, 0.0, columns / np.where(constant, 1, columns.std(axis=0)))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # float() takes 1_000, tables do not mean it


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
