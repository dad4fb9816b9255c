"""Paths in parameter space: polylines with labelled pieces, and their normalised length (sec. 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import Array, length, load_arrays
from theory.numerics import validation as check


@dataclass(frozen=True, eq=False, repr=False)
class Path:
    """A polyline through points (V, P), V >= 1; labels name its V - 1 pieces (default: empty strings).

    The path parameter gives every piece the same share of [0, 1], so that `piece` and position within it are exact also
    when pieces have length zero. ValueError unless there is a point, and one label per piece.

    >>> p = Path([[0.0, 0.0], [3.0, 4.0], [3.0, 0.0]])
    >>> p.length, p.normalised_length
    (9.0, 3.0)
    """

    points: Array
    labels: tuple[str, ...] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        points = np.array(check.finite_array(self.points, "points", ndim=2))
        if points.shape[0] == 0 or points.shape[1] == 0:
            raise ValueError(f"points must have shape (V, P) with V, P >= 1; got {points.shape}")
        points.flags.writeable = False
        pieces = points.shape[0] - 1
        if isinstance(self.labels, str) or not (self.labels is None or np.iterable(self.labels)):
            raise ValueError(f"labels must be a sequence of {pieces} strings, one per piece; got {self.labels!r}")
        labels = ("",) * pieces if self.labels is None else tuple(str(label) for label in self.labels)
        if len(labels) != pieces:
            raise ValueError(f"labels must hold {pieces} strings, one per piece; got {len(labels)}")
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "labels", labels)

    def __repr__(self) -> str:
        count, dimension = self.points.shape
        return f"Path({count} point{'s' * (count > 1)} in R^{dimension}, length {self.length:.3g})"

    def __len__(self) -> int:
        """The number of pieces."""
        return len(self.labels)

    def at(self, t: ArrayLike) -> Array:
        """The point at t in [0, 1], ValueError outside: shape (P,) for a number, (..., P) for an array."""
        t = check.finite_array(t, "t")
        if (t < 0).any() or (t > 1).any():
            raise ValueError(f"t must lie in [0, 1]; got {t.min()} to {t.max()}")
        if len(self) == 0:
            return np.broadcast_to(self.points[0], (*t.shape, self.points.shape[1])).copy()
        piece = np.minimum((t * len(self)).astype(int), len(self) - 1)
        s = (t * len(self) - piece)[..., None]
        return (1 - s) * self.points[piece] + s * self.points[piece + 1]

    @property
    def piece_lengths(self) -> Array:
        """Euclidean length of each piece, (V - 1,)."""
        return length(np.diff(self.points, axis=0))

    @property
    def length(self) -> float:
        """Euclidean length over all parameters, biases included."""
        return float(self.piece_lengths.sum())

    @property
    def normalised_length(self) -> float:
        """length / |theta_A - theta_B| (sec. 3.1): 1 for a straight line or a single point, inf for a loop."""
        straight = float(length(self.points[-1] - self.points[0]))
        if straight == 0:
            return 1.0 if self.length == 0 else float("inf")
        return self.length / straight

    def reversed(self) -> Path:
        """The same path from its end to its start."""
        return Path(self.points[::-1], self.labels[::-1])

    def __add__(self, other: Path) -> Path:
        """The path followed by `other`, which must start exactly where this one ends."""
        if not isinstance(other, Path):
            return NotImplemented
        if self.points.shape[1] != other.points.shape[1]:
            raise ValueError(
                f"paths must have the same number of parameters; got {self.points.shape[1]} and {other.points.shape[1]}"
            )
        if not np.array_equal(self.points[-1], other.points[0]):
            gap = float(np.linalg.norm(self.points[-1] - other.points[0]))
            raise ValueError(f"the second path must start exactly where the first one ends; they are {gap:.3g} apart")
        return Path(np.concatenate([self.points, other.points[1:]]), self.labels + other.labels)

    def save(self, file: str | PathLike[str] | BinaryIO) -> None:
        """Write points and labels to a file (a name, kept as it is, or an open binary file) as NPZ, without pickle.

        ValueError for what is neither.
        """
        if not hasattr(file, "write"):
            with open(check.file_name(file), "wb") as stream:  # numpy would add .npz to a name without it
                self.save(stream)
            return
        np.savez_compressed(file, points=self.points, labels=np.array(self.labels, dtype=str))

    @classmethod
    def load(cls, file: str | PathLike[str] | BinaryIO) -> Path:
        """Read a file that `save` wrote; ValueError when it is not such an NPZ, OSError when it cannot be opened."""
        try:
            points, labels = load_arrays(file, "points", "labels")
        except ValueError as error:
            raise ValueError(f"file must be an NPZ as Path.save writes; {file!s} {error}") from error
        if labels.ndim != 1 or (labels.dtype.kind not in "US" and labels.size):
            raise ValueError(f"labels in {file!s} must be a vector of strings; got {labels.dtype} {labels.shape}")
        return cls(points, tuple(str(label) for label in labels))
