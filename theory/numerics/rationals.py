"""Exact linear algebra: matrices of rational numbers, their rank and null space, and the way to floats and back."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from functools import cmp_to_key
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics.arrays import Array

Rational = Any  # flint.fmpq


Vector = list[Rational]


def rank(rows: list[Vector]) -> int:
    """The rank of a rational matrix, rows (M, n)."""
    return matrix(rows).rank() if rows and rows[0] else 0


def null_space(rows: list[Vector], columns: int) -> list[Vector]:
    """A basis of {v : rows v = 0}, rational, of length `columns`; free coordinates carry the identity."""
    from flint import fmpq

    if not rows:
        return [[fmpq(int(i == j)) for j in range(columns)] for i in range(columns)]
    reduced, r = matrix(rows).rref()
    table = reduced.tolist()
    pivots = [next(j for j in range(columns) if table[i][j] != 0) for i in range(r)]
    basis = []
    for free in (j for j in range(columns) if j not in pivots):
        v = [fmpq(0)] * columns
        v[free] = fmpq(1)
        for i, pivot in enumerate(pivots):
            v[pivot] = -table[i][free]
        basis.append(v)
    return basis


def matrix(rows: list[Vector]) -> Any:
    """The rows as a flint.fmpq_mat."""
    from flint import fmpq_mat

    return fmpq_mat(len(rows), len(rows[0]), [v for row in rows for v in row])


def exact_rows(array: ArrayLike) -> list[Vector]:
    """A float array (M, n) as rows of rationals."""
    from flint import fmpq

    return [[fmpq(*float(v).as_integer_ratio()) for v in row] for row in np.asarray(array).tolist()]


def floats(rows: list[Vector]) -> Array:
    """The rows rounded to a float array (M, n)."""
    return np.array([[float(v) for v in row] for row in rows]) if rows else np.zeros((0, 0))


def float_below(value: Rational) -> float:
    """The largest float that is not above a rational value; -inf where there is none."""
    from flint import fmpq

    largest = sys.float_info.max
    if value >= fmpq(*largest.as_integer_ratio()):
        return largest
    if value < -fmpq(*largest.as_integer_ratio()):
        return -math.inf
    below = int(value.p) / int(value.q)  # correctly rounded, also where p and q overflow
    return below if fmpq(*below.as_integer_ratio()) <= value else math.nextafter(below, -math.inf)


def counterclockwise(vectors: Sequence[Sequence[Rational]], start: Vector | None = None) -> list[list[int]]:
    """Nonzero vectors of the plane by their angle from `start` (default (1, 0)), which is 0, up to 2 pi; exact.

    Their indices, those of one direction together and in the order given. Entries are of any exact ordered type.
    """
    first = (1, 0) if start is None else start

    def half(v: Sequence[Rational]) -> int:
        cross = _cross(first, v)
        return 0 if cross > 0 or (cross == 0 and first[0] * v[0] + first[1] * v[1] > 0) else 1

    def compare(i: int, j: int) -> int:
        if halves[i] != halves[j]:
            return halves[i] - halves[j]
        cross = _cross(vectors[i], vectors[j])
        return -1 if cross > 0 else int(cross < 0)

    halves = [half(v) for v in vectors]
    groups: list[list[int]] = []
    for k in sorted(range(len(vectors)), key=cmp_to_key(compare)):
        if groups and compare(groups[-1][-1], k) == 0:
            groups[-1].append(k)
        else:
            groups.append([k])
    return groups


def _cross(u: Sequence[Rational], v: Sequence[Rational]) -> Rational:
    return u[0] * v[1] - u[1] * v[0]
