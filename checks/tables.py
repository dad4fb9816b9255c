"""Real tables: the ones that ship with scikit-learn, and the user's own (`--data FILE`, read by `checks.table_files`).

Every table becomes a `Sample`: the columns of X and the one column of Y are centred and scaled to unit variance
(a column that is constant up to the last digits of its numbers becomes zero). Nothing is ever unpickled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from checks.table_files import SUFFIXES, Table, TableError, load
from theory.numerics import Array
from theory.numerics import validation as check
from theory.risk import Sample

__all__ = [
    "SUFFIXES",
    "Table",
    "TableError",
    "Tables",
    "from_file",
    "load",
    "read",
    "shipped",
    "standardised",
    "standardised_table",
]


LAST_DIGITS = 4  # a column whose entries differ by no more than this many units of rounding of the largest is constant


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


def from_file(file: str | PathLike[str], target: str | None = None) -> Tables:
    """The user's table under the file's stem, read at once; TableError says what is wrong with the file."""
    sample = read(file, target)
    return Tables({Path(file).name.partition(".")[0]: lambda: sample})


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


def standardised_table(table: Table) -> Sample:
    """The sample of a table; TableError unless its target and some input vary."""
    sample = standardised(table.X, table.y)
    if not sample.Y.any():
        raise TableError(f"{table.file}: the target is constant (up to its last digits), so there is nothing to fit")
    if not sample.X.any():
        raise TableError(f"{table.file}: every input column is constant (up to its last digits)")
    return sample


def read(file: str | PathLike[str], target: str | None = None) -> Sample:
    """The table in `file`, standardised; its target (see `load`) and some input column must vary."""
    return standardised_table(load(file, target))


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
