"""The staircase of Kim, Mishkin and Pilanci, decided exactly: how many components the optimal nets of each width have.

F = E (Y - f)^2 + kappa sum |b_i| |w_i|, kappa > 0, one hidden relu layer, one output, at its infimum over all widths e(inf).
The loss is strictly convex, so the optimal function f on the sample is one, and so is its residual r. On a cell of
directions w with a fixed sign pattern 2 E r relu(<w, x>) = <g, w> is linear, and its largest value on the unit vectors of
the closed cone, if positive, is at one place (the projection of g on the cone): so finitely many directions are *active*,
|<g, w>| = kappa |w|, and a net is optimal when its units are active, with the sign of <g, w>, and it has the function f.
In the weights c >= 0 of the signed atoms z_j / |w_j| the optimal nets are the polytope

    P = {c >= 0 : sum c_j z_j / |w_j| = f},       those of width m: the points with at most m nonzeros.

These are a union of faces. Two vertices v, v' whose supports together have at most m elements share a face of it; so its
components are those of the graph of vertices with such pairs as edges, up to the order of units: a vertex without idle
unit and without neighbour gives m! components, every other component has an idle unit somewhere and gives one. With m* the
least and M* the largest support of a vertex, min(m* + M*, N + 1) units leave one component.

Everything is rational when X, f, r and kappa are: |w| = <g, w> / kappa at an active direction. Directions are found for
one or two inputs, where the rays between cells are rational too.

Source: Kim, Mishkin, Pilanci 2025, for weight decay (the same problem in other variables); paper_notes.md, pivots.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb, factorial
from typing import Any

import numpy as np

from theory.numerics import counterclockwise
from theory.numerics import validation as check

Fractions = tuple[Fraction, ...]
Numbers = Sequence[Any]  # of integers, fractions, strings like "3/5", or floats for what they are

SUBSETS = 200_000  # of atoms looked at for vertices


@dataclass(frozen=True)
class Staircase:
    """The optimal nets of all widths.

    atoms: the active directions, each with the sign of its weight as last entry; vertices of the polytope: the weight of
    each atom; level: e(inf), the risk that they all have.
    """

    atoms: tuple[Fractions, ...]
    vertices: tuple[Fractions, ...]
    level: Fraction

    @property
    def supports(self) -> tuple[frozenset[int], ...]:
        """Which atoms each vertex uses."""
        return tuple(frozenset(j for j, c in enumerate(v) if c) for v in self.vertices)

    @property
    def least(self) -> int:
        """m*: the least width with an optimal net."""
        return min(map(len, self.supports))

    @property
    def largest(self) -> int:
        """M*: the largest support of a vertex."""
        return max(map(len, self.supports))

    def classes(self, width: int) -> list[list[int]]:
        """Components modulo permutations of units, as lists of vertices: none when no net of this width is optimal."""
        return support_components(self.supports, width)

    def components(self, width: int) -> int:
        """How many components the optimal nets of this width have, permuted copies told apart."""
        alone = [c for c in self.classes(width) if len(c) == 1 and len(self.supports[c[0]]) == width]
        return len(self.classes(width)) + len(alone) * (factorial(width) - 1)


def decide(X: Sequence[Numbers], Y: Numbers, fitted: Numbers, kappa: Any, weights: Numbers | None = None) -> Staircase:
    """The optimal nets of every width, given their function: fitted, its values on the sample, which is checked.

    X (N, n) with n = 1 or 2, Y (N,), fitted (N,), kappa > 0, weights (N,) of the samples (default: equal): all read as
    exact rationals. ValueError when they are not, when the inputs have more dimensions, when `fitted` is not the optimal
    function, and when there are too many vertices to look for.
    """
    points = _vectors(X, "X")
    n = len(points[0]) if points else 0
    if n not in (1, 2) or any(len(x) != n for x in points):
        raise ValueError(f"X must be N >= 1 points with one or two coordinates each; got {check.describe(X)}")
    targets, values = _vector(Y, "Y", len(points)), _vector(fitted, "fitted", len(points))
    (price,) = _vector([kappa], "kappa")
    p = _vector([1] * len(points) if weights is None else weights, "weights", len(points))
    if price <= 0 or min(p) < 0 or sum(p) == 0:
        raise ValueError(f"kappa must be positive, and weights nonnegative; got {price} and {check.describe(weights)}")
    p = tuple(q / sum(p) for q in p)
    pull = [2 * q * (y - f) for q, y, f in zip(p, targets, values)]
    atoms, columns = [], []
    for w, gain in _candidates(points, pull):
        size = sum(v * v for v in w)
        if gain * gain > price * price * size:
            raise ValueError(
                f"fitted is not the optimal function: a unit along {_shown(w)} would lower the risk. It must be rational "
                "and exact; theory.oracle.limit approximates it"
            )
        if gain * gain == price * price * size:
            length, sign = abs(gain) / price, 1 if gain > 0 else -1
            atoms.append((*w, Fraction(sign)))
            columns.append([sign * max(sum(a * b for a, b in zip(w, x)), Fraction(0)) / length for x in points])
    found = vertices(columns, values)
    if not found:
        raise ValueError("fitted is not the optimal function: its residual's active units do not combine to it")
    level = sum(q * (y - f) ** 2 for q, y, f in zip(p, targets, values)) + price * sum(found[0])
    return Staircase(tuple(atoms), found, level)


def vertices(columns: Sequence[Numbers], values: Numbers) -> tuple[Fractions, ...]:
    """The vertices of {c >= 0 : sum_j c_j columns_j = values}; columns (P, N), values (N,), c (P,), all rational.

    ValueError when more than SUBSETS sets of columns would have to be looked at.
    """
    from flint import fmpq, fmpq_mat

    wanted = _vector(values, "values")
    table = _vectors(columns, "columns", len(wanted))
    rows = [[fmpq(v.numerator, v.denominator) for v in row] for row in zip(*table, wanted)]
    count = len(table)
    if not any(row[-1] for row in rows):
        return ((Fraction(0),) * count,)
    rank = fmpq_mat([row[:-1] for row in rows]).rank() if count else 0
    if sum(comb(count, k) for k in range(1, rank + 1)) > SUBSETS:
        raise ValueError(
            f"columns must be fewer: {count} of rank {rank} have more than {SUBSETS} sets that may be supports"
        )
    found = []
    for size in range(1, rank + 1):
        for support in combinations(range(count), size):
            reduced, r = fmpq_mat([[row[j] for j in (*support, -1)] for row in rows]).rref()
            c = [reduced[i, size] for i in range(min(size, r))]
            if r == size and all(reduced[i, i] == 1 for i in range(size)) and all(v > 0 for v in c):
                vertex = [Fraction(0)] * count
                for j, v in zip(support, c):
                    vertex[j] = Fraction(int(v.p), int(v.q))
                found.append(tuple(vertex))
    return tuple(found)


def support_components(supports: Sequence[frozenset[int]], width: int) -> list[list[int]]:
    """Components of the graph on the supports of at most `width` elements, joined when both together have no more."""
    parent = {i: i for i, support in enumerate(supports) if len(support) <= width}

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    for i, j in combinations(parent, 2):
        if len(supports[i] | supports[j]) <= width:
            parent[root(i)] = root(j)
    found: dict[int, list[int]] = {}
    for i in parent:
        found.setdefault(root(i), []).append(i)
    return list(found.values())


def _candidates(points: list[Fractions], pull: list[Fraction]) -> Iterator[tuple[Fractions, Fraction]]:
    """(w, sum pull relu(<w, x>)) at every w where the modulus of the sum can be largest on the sphere; each direction once."""
    if len(points[0]) == 1:
        yield from (((s,), _gain((s,), points, pull)) for s in (Fraction(1), Fraction(-1)))
        return
    both = [_primitive(s * -x[1], s * x[0]) for x in points if x != (0, 0) for s in (1, -1)]
    rays = [both[group[0]] for group in counterclockwise(both)]
    seen = set(rays)
    yield from ((w, _gain(w, points, pull)) for w in rays)
    for a, b in zip(rays, rays[1:] + rays[:1]):
        middle = (a[0] + b[0], a[1] + b[1])
        if middle == (0, 0):  # a half turn
            middle = (-a[1], a[0])
        active = [i for i, x in enumerate(points) if x[0] * middle[0] + x[1] * middle[1] > 0]
        g = tuple(sum((pull[i] * points[i][d] for i in active), Fraction(0)) for d in (0, 1))
        for s in (1, -1):
            w = _primitive(s * g[0], s * g[1])
            if g != (0, 0) and w not in seen:  # also where the cone does not hold it: its own gain is looked at
                seen.add(w)
                yield w, _gain(w, points, pull)


def _gain(w: Fractions, points: list[Fractions], pull: list[Fraction]) -> Fraction:
    return sum((q * max(sum(a * b for a, b in zip(w, x)), Fraction(0)) for q, x in zip(pull, points)), Fraction(0))


def _primitive(a: Fraction, b: Fraction) -> Fractions:
    """The direction with entries whose moduli sum to one; the zero vector as it is."""
    size = abs(a) + abs(b)
    return (a / size, b / size) if size else (a, b)


def _vectors(rows: Sequence[Numbers], name: str, size: int | None = None) -> list[Fractions]:
    """Exact rationals, row by row; ValueError as `_vector`."""
    if isinstance(rows, (str, bytes)) or not np.iterable(rows):
        raise ValueError(f"{name} must be a sequence of points; got {check.describe(rows)}")
    return [_vector(row, name, size) for row in rows]


def _vector(values: Numbers, name: str, size: int | None = None) -> Fractions:
    """Exact rationals; ValueError when they are none, or not `size` many."""
    try:
        if isinstance(values, str):
            raise TypeError
        numbers = tuple(Fraction(v.item() if hasattr(v, "item") else v) for v in values)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise ValueError(
            f"{name} must hold exact numbers (integers, fractions, floats); got {check.describe(values)}"
        ) from error
    if size is not None and len(numbers) != size:
        raise ValueError(f"{name} must hold {size} numbers each; got {len(numbers)}")
    return numbers


def _shown(w: Fractions) -> str:
    return "(" + ", ".join(map(str, w)) + ")"
