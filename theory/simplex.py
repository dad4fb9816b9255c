"""Basic solutions of a linear program, walked edge by edge: min cost . c with A c = g, c >= 0, as g moves on a line.

A (r, P) has rank r; a *basis* is a list of r independent columns, its basic solution c = B^-1 g on them, 0 elsewhere.
Every walk yields the weights c (P,) that it reaches, each joined to the last by a straight line on which A c = g(t):

reduce    to independent columns at no larger cost (Caratheodory), one edge;
primal    to the least cost at fixed g: an edge changes r + 1 weights at most;
follow    least cost all along g(t) = (1 - t) g_0 + t g_1, a dual pivot at every breakpoint.

After a step of length zero both choices of a pivot take the smallest index (Bland), so that no walk cycles. Exact in
rationals (python-flint); in floats on columns of norm one, with tolerances: then what was reached is for the caller to
judge.

Source: Bland 1977 for the rule; used for the paths of paper_notes.md, pivots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import qr

from theory.numerics import Array

# Floats: columns of norm one count as dependent, and a pivot as none, up to RANK and PIVOT: to keep nearer ones lets
# weights grow as the inverse, and roundings with them. Reduced costs and ties count as zero up to ZERO.
RANK, PIVOT, ZERO = 1e-8, 1e-8, 1e-11

# So many pivots per column, and a float walk has lost its way.
PIVOTS = 200


class Lost(ValueError):
    """Roundings led a walk in floats astray."""


@dataclass(frozen=True, eq=False)
class Program:
    """min cost . c with columns c = g, c >= 0, for g = start and g = end; rows independent.

    columns (r, P), cost (P,), start and end (r,): object arrays of rationals (exact), or floats near one, with columns of
    norm one; scale (P,): the weights in the user's units are x / scale.
    """

    columns: Array
    cost: Array
    start: Array
    end: Array
    scale: Array
    exact: bool

    @property
    def rank(self) -> int:
        """r, the rank of the columns."""
        return len(self.columns)

    @property
    def zero(self) -> float:
        """What counts as zero beside numbers of size one."""
        return 0 if self.exact else ZERO

    @property
    def pivot(self) -> float:
        """Pivots that are not larger are none."""
        return 0 if self.exact else PIVOT

    def coordinates(self, basis: list[int], rhs: Array) -> Array:
        """B^-1 rhs for a basis (r columns) and rhs a vector (r,) or a matrix (r, k)."""
        return _solve(self.columns[:, basis], rhs, self.exact)

    def weights(self, basis: list[int], rhs: Array) -> Array:
        """The basic solution (P,) of a basis for a right-hand side rhs (r,)."""
        x = self.cost * 0
        found = self.coordinates(basis, rhs)
        x[basis] = found if self.exact else np.maximum(found, 0.0)
        return x

    def at(self, t: Any) -> Array:
        """The right-hand side (r,) at t in [0, 1]."""
        return self.start * (1 - t) + self.end * t

    def reduced(self, basis: list[int], cost: Array) -> Array:
        """What one more unit of each column costs beside the basis, at these costs (P,): zero on it, >= 0 at the optimum (P,)."""
        prices = _solve(self.columns[:, basis].T, cost[basis], self.exact)
        red = cost - prices @ self.columns
        red[basis] *= 0
        if not self.exact:
            red[np.abs(red) <= ZERO * (np.abs(cost) + np.abs(prices).sum())] = 0.0
        return red


def program(columns: Array, cost: Array, start: Array, end: Array) -> Program:
    """The program with independent rows: columns (R, P), none zero, cost (P,) >= 0, start and end (R,) in their span.

    Object arrays of rationals give an exact one.
    """
    if columns.dtype == object:
        kept = _pivots(columns.T)
        return Program(columns[kept], cost, start[kept], end[kept], cost * 0 + 1, True)
    largest = np.abs(columns).max(axis=0)
    scale = largest * np.linalg.norm(columns / largest, axis=0)
    unit, price = columns / scale, cost / scale
    size = max(np.abs(start).max(), np.abs(end).max()) or 1.0
    U, s, _ = np.linalg.svd(unit, full_matrices=False)
    rows = U[:, s > RANK * s[:1]].T
    return Program(
        rows @ unit,
        price / (price.max(initial=0.0) or 1.0),
        rows @ (start / size),
        rows @ (end / size),
        scale / size,
        False,
    )


def reduce(problem: Program, x: Array) -> Array:
    """Weights (P,) >= 0 of independent columns with the same A x and no larger cost, from x (P,); problem: columns A."""
    x = x.copy()
    while True:
        used = np.flatnonzero(x > 0)
        nu = _dependency(problem.columns[:, used], problem.exact)
        if nu is None:
            return x
        rising, falling = (nu < -problem.zero).any(), (nu > problem.zero).any()
        if not falling or (rising and nu @ problem.cost[used] < 0):
            nu = -nu
        hits = np.flatnonzero(nu > problem.zero)
        ratios = x[used[hits]] / nu[hits]
        hit = used[hits[int(np.argmin(ratios))]]
        x[used] = x[used] - ratios.min() * nu
        x[hit] *= 0
        if not problem.exact:
            x = np.maximum(x, 0.0)


def complete_basis(problem: Program, x: Array) -> list[int]:
    """A basis of the problem's columns that holds those with x > 0, x (P,), which are independent."""
    used = np.flatnonzero(x > 0)
    rest = np.setdiff1d(np.arange(len(x)), used)
    columns = problem.columns
    if problem.exact:
        ordered = np.append(used, rest)
        return [int(ordered[j]) for j in _pivots(columns[:, ordered])]
    Q = np.linalg.qr(columns[:, used])[0]
    outside = columns[:, rest] - Q @ (Q.T @ columns[:, rest])
    return [*used.tolist(), *rest[qr(outside, mode="r", pivoting=True)[1][: problem.rank - len(used)]].tolist()]


def primal_simplex(problem: Program, basis: list[int], rhs: Array, cost: Array, allowed: Array) -> Iterator[Array]:
    """The weights (P,) on the way from a feasible basis, which is changed in place, to least cost among `allowed` columns.

    problem, rhs (r,): A c = rhs; cost (P,), which need not be that of the problem; allowed (P,): a mask. ValueError
    (`Lost`) when roundings lead astray.
    """
    stuck = False
    for _ in range(PIVOTS * len(cost)):
        red = problem.reduced(basis, cost)
        entering = np.flatnonzero(allowed & (red < 0))
        if entering.size == 0:
            return
        e = int(entering[0 if stuck else np.argmin(red[entering])])
        x = problem.weights(basis, rhs)[basis]
        d = problem.coordinates(basis, problem.columns[:, e])
        falling = np.flatnonzero(d > problem.pivot)
        if falling.size == 0:
            raise Lost("no weight falls along an edge of falling cost")
        ratios = x[falling] / d[falling]
        stuck = bool(ratios.min() <= problem.zero)
        basis[_smallest(falling, ratios, basis, problem.zero)] = e
        yield problem.weights(basis, rhs)
    raise Lost("the simplex method does not end")


def parametric_simplex(problem: Program, basis: list[int]) -> Iterator[Array]:
    """The weights (P,) at the breakpoints of least cost along the problem's g(t), and at its end.

    basis: optimal at `start`, changed in place to one that is optimal at `end`. ValueError (`Lost`) as `primal_simplex`.
    """
    t = problem.cost[0] * 0
    for _ in range(PIVOTS * len(problem.cost)):
        x = problem.weights(basis, problem.at(t))[basis]
        speed = problem.coordinates(basis, problem.end - problem.start)
        last = problem.coordinates(basis, problem.end)
        if (last >= -problem.zero * np.abs(last).max()).all():
            yield problem.weights(basis, problem.end)
            return
        falling = np.flatnonzero(speed < -problem.zero * np.abs(speed).max())
        if falling.size == 0:
            raise Lost("weights fall below zero where none falls")
        ratios = x[falling] / -speed[falling]
        t = t + ratios.min()
        leaving = _smallest(falling, ratios, basis, problem.zero)
        unit = problem.start * 0
        unit[leaving] += 1
        row = _solve(problem.columns[:, basis].T, unit, problem.exact) @ problem.columns
        row[basis] *= 0
        entering = np.flatnonzero(row < -problem.pivot)
        if entering.size == 0:
            raise Lost("no column can enter where a weight vanishes")
        price = problem.reduced(basis, problem.cost)[entering]
        there = problem.weights(basis, problem.at(t))
        there[basis[leaving]] *= 0
        yield there
        basis[leaving] = int(entering[_smallest(range(len(entering)), price / -row[entering], entering, problem.zero)])
    raise Lost("the dual simplex method does not end")


def _smallest(positions: Any, ratios: Array, names: Any, zero: float) -> int:
    """The position of least ratio, among ties the one with the smallest name (Bland)."""
    ties = np.flatnonzero(ratios <= ratios.min() + zero * (1 + abs(ratios.min())))
    return int(min((positions[k] for k in ties), key=lambda i: names[i]))


def _dependency(columns: Array, exact: bool) -> Array | None:
    """nu with columns nu = 0, largest entry of modulus one; None when they are independent."""
    count = columns.shape[1]
    if count == 0:
        return None
    if not exact:
        _, s, vt = np.linalg.svd(columns, full_matrices=True)
        if int(np.sum(s > RANK * s[0])) == count:
            return None
        return vt[-1] / np.abs(vt[-1]).max()
    table, r = _matrix(columns).rref()
    if r == count:
        return None
    rows = table.tolist()[:r]
    pivots = [next(j for j, v in enumerate(row) if v != 0) for row in rows]
    free = next(j for j in range(count) if j not in pivots)
    nu = columns[0] * 0
    nu[free] += 1
    for row, j in zip(rows, pivots):
        nu[j] -= row[free]
    return nu


def _pivots(columns: Array) -> list[int]:
    """The first independent columns of a rational matrix."""
    table, r = _matrix(columns).rref()
    return [next(j for j, v in enumerate(row) if v != 0) for row in table.tolist()[:r]]


def _solve(B: Array, rhs: Array, exact: bool) -> Array:
    """B^-1 rhs."""
    if not exact:
        return np.linalg.solve(B, rhs)
    if len(B) == 0:
        return rhs.copy()
    solved = _matrix(B).solve(_matrix(rhs.reshape(len(B), -1)))
    return np.array(solved.tolist(), dtype=object).reshape(rhs.shape)


def _matrix(rows: Array) -> Any:
    """A rational matrix of python-flint."""
    from flint import fmpq_mat

    return fmpq_mat(rows.shape[0], rows.shape[1], list(rows.ravel()))
