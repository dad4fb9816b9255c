"""Tables in files: text with separated columns, NPZ, Parquet. What was read, and what was taken for what, is said in a line."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import re
import zlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theory.numerics import Array, load_arrays
from theory.numerics import validation as check

Column = Sequence[str | float]

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".npz", ".parquet")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}
# What pandas calls the numbers of the rows, or leaves unnamed; saved and read again, or merged, it numbers the names.
INDEX = re.compile(r"|Unnamed: \d+(\.\d+)*(_[xy])?|__index_level_\d+__")
COUNTER = re.compile(r"index|level_\d+|id|row|row[ _]?(id|names?|numbers?)", re.IGNORECASE)  # where it counts in a row
MISSING = {"", "?", "#N/A", "#N/A N/A", "#NA", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN"}
MISSING |= {"None", "n/a", "nan", "null"}  # what pandas reads as no value
MOST_CLASSES = 20


class TableError(ValueError):
    """A file that cannot be used as a table; the message is one line that says what is wrong with it."""


@dataclass(frozen=True, eq=False)
class Table:
    """What a file holds: inputs X (N, n) and target y (N,) under their names, as numbers.

    labels: class labels in words, in the order of their codes 0, 1, ... in y; none where the target holds numbers.
    notes: what was left out, and what was taken for what.
    """

    file: str
    X: Array
    y: Array
    inputs: tuple[str, ...]
    target: str
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """What was read, in one line."""
        rows, n = len(self.X), len(self.inputs)
        few = ", ".join(map(_short, self.inputs[:5])) + (", ..." if n > 5 else "")
        first = f"{Path(self.file).name}: {rows} rows, {n} input{'' if n == 1 else 's'} ({few}), target {_short(self.target)!r}"
        return _line("; ".join([first + self._kind(), *self.notes]))

    def __repr__(self) -> str:
        return f"Table({self.line})"

    @property
    def given(self) -> NDArray[Any]:
        """The target as the file has it: labels in words, or numbers."""
        return np.array(self.labels)[self.y.astype(int)] if self.labels else self.y

    def _kind(self) -> str:
        values = np.unique(self.y)
        few = 2 <= len(values) <= MOST_CLASSES // 2 and len(values) <= len(self.y) / 5
        if self.labels:
            words = ", ".join(map(_short, self.labels[:6])) + (", ..." if len(self.labels) > 6 else "")
            return f" with {len(self.labels)} class labels ({words}), fitted as the numbers 0, 1, ..."
        if few and np.array_equal(values, values[0] + np.arange(len(values))):
            return f" with what look like {len(values)} class labels, fitted as the numbers {values[0]:g} to {values[-1]:g}"
        return ""


def load(file: str | PathLike[str], target: str | None = None) -> Table:
    """The table in `file`; TableError says in one line why there is none.

    Text (.csv, .tsv, gzipped or not): a line of column names, then numbers, separated by commas, semicolons, tabs, bars or
    spaces. Without that line the columns are numbered from 1; scikit-learn's own (rows, columns, class labels) is known.
    Row numbers, and what Parquet calls the index, are left out. .parquet needs pyarrow. .npz: arrays X (N, n), y (N,) or (N, 1). At least two
    rows; no NaN or infinity. target: the name of its column; default y, else the last. It may hold words: class labels.
    """
    try:
        path = Path(check.file_name(file))
    except ValueError as error:
        raise TableError(str(error)) from error
    suffix = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if path.name.lower().endswith(s)), "")
    if not suffix:
        raise TableError(f"{path}: the name must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    readers: dict[str, Callable[[Path, str | None], Table]] = {".npz": _npz, ".parquet": _parquet}
    try:
        if path.is_dir():
            raise TableError(f"{path}: is a directory, not a file")
        if path.stat().st_size == 0:
            raise TableError(f"{path}: the file is empty (0 bytes)")
        table = readers.get(suffix, _text)(path, target)
    except OSError as error:
        raise TableError(f"{path}: {error.strerror or _one_line(error)}") from error
    if len(table.X) < 2:
        raise TableError(f"{path}: needs at least two rows of data; it has {len(table.X)}")
    return table


# --- text -----------------------------------------------------------------------------------------------------------------


def _text(path: Path, target: str | None) -> Table:
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as stream:
            text = stream.read().decode("utf-8-sig")
        separator, rows = _separated(text, "\t" if ".tsv" in path.name.lower() else ",")
    except (UnicodeDecodeError, csv.Error, EOFError, zlib.error) as error:
        raise TableError(f"{path}: is not a text file of separated columns ({_one_line(error)})") from error
    if not rows:
        raise TableError(f"{path}: holds no lines but blank ones")
    notes = [] if separator == "," else [f"separated by {SEPARATORS[separator]}"]
    names, labels, rows = _header(rows, notes)
    if len(names) < 2:
        raise TableError(
            f"{path}: needs at least two columns, inputs and a target; the header has {len(names)} "
            f"(separators tried: {', '.join(SEPARATORS.values())})"
        )
    for line, row in rows:
        if len(row) != len(names):
            longer = {len(row) for _, row in rows} == {len(names) + 1}
            hint = " (row names that the header does not name? leave them out)" if longer else ""
            count = f"{len(row)} column{'s'[: len(row) != 1]}"
            raise TableError(f"{path}: line {line} has {count}, the header has {len(names)}{hint}")
    columns: list[Column] = [[row[j].strip() for _, row in rows] for j in range(len(names))]
    return _table(path, names, columns, [f"line {line}" for line, _ in rows], target, notes, labels)


def _separated(text: str, usual: str) -> tuple[str, list[tuple[int, list[str]]]]:
    """The separator, and the lines that are not blank with their numbers and cells.

    The usual one where it parts all lines alike; else another one that does; else one that parts the first line.
    """
    tried = [usual, *(s for s in SEPARATORS if s != usual)]
    head = text[:20_000].rpartition("\n")[0] if len(text) > 20_000 else text
    widths = {s: [len(cells) for _, cells in _split(head, s)] for s in tried}
    alike = [s for s in tried if len(set(widths[s])) == 1 and widths[s][0] > 1]
    parted = [s for s in tried if widths[s] and widths[s][0] > 1]
    separator = (alike or parted or [usual])[0]
    return separator, _split(text, separator)


def _split(text: str, separator: str) -> list[tuple[int, list[str]]]:
    if separator == " ":
        return [(k, line.split()) for k, line in enumerate(text.splitlines(), start=1) if line.strip()]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return [(lines.line_num, row) for row in lines if any(cell.strip() for cell in row)]


def _header(
    rows: list[tuple[int, list[str]]], notes: list[str]
) -> tuple[list[str], tuple[str, ...], list[tuple[int, list[str]]]]:
    """Names of the columns, class labels where scikit-learn's header has them, and the rows of data."""
    first = [cell.strip() for cell in rows[0][1]]
    size = [int(cell) if re.fullmatch(r"\d{1,9}", cell) else -1 for cell in first[:2]]
    if len(first) > 2 and min(size) > 0 and size[0] == len(rows) - 1 and {len(r) for _, r in rows[1:]} == {size[1] + 1}:
        notes.append("a header of scikit-learn")
        return [*(f"x{j}" for j in range(1, size[1] + 1)), "target"], tuple(first[2:]), rows[1:]
    if all(map(_is_number, first)):
        notes.append("no header: the columns are called by their numbers")
        return [str(j) for j in range(1, len(first) + 1)], (), rows
    return first, (), rows[1:]


# --- other files ------------------------------------------------------------------------------------------------------------


def _parquet(path: Path, target: str | None) -> Table:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise TableError(f"{path}: .parquet needs pyarrow: python -m pip install pyarrow") from error
    try:
        with pyarrow.parquet.ParquetFile(path) as stored:
            held = stored.read(use_threads=False)
        columns: list[Column] = [["" if v is None else str(v) for v in column.to_pylist()] for column in held.columns]
        names = [str(name) for name in held.column_names]
        index = (held.schema.pandas_metadata or {}).get("index_columns", [])
    except (pyarrow.ArrowException, ValueError, OverflowError) as error:
        raise TableError(f"{path}: is not a Parquet file that can be read ({_one_line(error)})") from error
    if len(names) < 2:
        raise TableError(f"{path}: needs at least two columns, inputs and a target; it has {len(names)}")
    places = [f"row {k}" for k in range(1, held.num_rows + 1)]
    return _table(path, names, columns, places, target, [], (), {name for name in index if isinstance(name, str)})


def _npz(path: Path, target: str | None) -> Table:
    if target is not None:
        raise TableError(
            f"{path}: an .npz has X and y, and no columns with names: leave out the target {_short(target)!r}"
        )
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
    return Table(str(path), X, y.ravel(), tuple(f"x{j}" for j in range(1, X.shape[1] + 1)), "y")


# --- columns ----------------------------------------------------------------------------------------------------------------


def _table(
    path: Path,
    names: list[str],
    columns: list[Column],
    places: Sequence[str],
    target: str | None,
    notes: list[str],
    labels: tuple[str, ...],
    index: Collection[str] = (),
) -> Table:
    """The table of columns of cells: the target chosen, row numbers and the index left out, the rest numbers."""
    kept = []
    for j, name in enumerate(names):
        numbers = (name or j == 0) and _numbers_rows(name, columns[j])
        if name != target and (numbers or name in index):
            what = repr(_short(name)) if name else "a first column without a name"
            notes.append(f"left out: {what}, {'row numbers' if numbers else 'the index'}")
        else:
            kept.append(j)
    if len(kept) < 2:  # they are all that there is
        kept, notes = list(range(len(names))), notes[: len(notes) + len(kept) - len(names)]
    names, columns = [names[j] for j in kept], [columns[j] for j in kept]
    if "" in names:
        raise TableError(f"{path}: column {names.index('') + 1} has no name in the header; name it, or leave it out")
    wanted = target if target is not None else "y" if "y" in names else names[-1]
    if wanted not in names:
        near = difflib.get_close_matches(wanted, names, n=2)
        near, some = [repr(_short(name)) for name in near], ", ".join(map(_short, names[:8]))
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {some}"
        raise TableError(_line(f"{path}: no column is called {_short(wanted)!r}; {hint}"))
    if (target is not None or "y" in names) and names.count(wanted) > 1:
        raise TableError(f"{path}: {names.count(wanted)} columns are named {_short(wanted)}; the target must be one")
    at = len(names) - 1 - names[::-1].index(wanted)
    if not labels:
        columns[at], labels = _codes(path, wanted, columns[at], places)
    elif set(columns[at]) - set(map(str, range(len(labels)))):
        labels = ()
    X = np.array([_floats(path, names[j], columns[j], places) for j in range(len(names)) if j != at]).T
    y = np.array(_floats(path, wanted, columns[at], places))
    inputs = tuple(name for j, name in enumerate(names) if j != at)
    return Table(str(path), X.reshape(len(places), len(inputs)), y, inputs, wanted, labels, tuple(notes))


def _numbers_rows(name: str, cells: Column) -> bool:
    """Whether a column numbers the rows: different integers under a name that is given to them, of some in a row only."""
    counter = COUNTER.fullmatch(name) is not None
    if not (counter or INDEX.fullmatch(name)) or not all(re.fullmatch(r"\d{1,15}", str(cell)) for cell in cells):
        return False
    numbers = {int(cell) for cell in cells}
    in_a_row = max(numbers, default=0) - min(numbers, default=0) < len(cells)
    return len(numbers) == len(cells) and (in_a_row or not counter)


def _codes(path: Path, name: str, cells: Column, places: Sequence[str]) -> tuple[Column, tuple[str, ...]]:
    """Cells in words, at most MOST_CLASSES different ones and each more than once on average, as codes; others as they are.

    TableError where some of the words mean that there is no value.
    """
    words = sorted(set(map(str, cells)) - MISSING)
    if not words or any(map(_is_number, words)) or len(words) > min(MOST_CLASSES, len(cells) / 2):
        return cells, ()
    for place, cell in zip(places, cells):
        if cell in MISSING:
            what = f"{cell!r} stands for no value: leave the row out, or rename the label" if cell else "is empty"
            raise TableError(f"{path}: {place}, column {_short(name)!r}: {what}")
    code = {word: float(k) for k, word in enumerate(words)}
    return [code[str(cell)] for cell in cells], tuple(words)


def _floats(path: Path, name: str, cells: Column, places: Sequence[str]) -> list[float]:
    numbers = []
    for place, cell in zip(places, cells, strict=True):
        if not _is_number(cell):
            what = f"{str(cell)[:40]!r} is not a number" if cell else "is empty"
            comma = re.fullmatch(r"[-+]?\d+(,\d+)+(\.\d*)?", str(cell))
            hint = " (a decimal comma? write a point; one between thousands? leave it out)" if comma else ""
            raise TableError(f"{path}: {place}, column {_short(name)!r}: {what}{hint}")
        numbers.append(float(cell))
        if not np.isfinite(numbers[-1]):
            raise TableError(f"{path}: {place}, column {_short(name)!r}: {str(cell)[:40]} is not finite")
    return numbers


def _is_number(cell: str | float) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in str(cell)  # float() takes 1_000, tables do not mean it


def _short(name: str, most: int = 30) -> str:
    return name if len(name) <= most else name[: most - 3] + "..."


def _line(text: str) -> str:
    return " ".join(text.split())


def _one_line(error: BaseException) -> str:
    return _line(str(error))[:120] or type(error).__name__
