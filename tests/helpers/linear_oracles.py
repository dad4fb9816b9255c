"""Least values of the convex problems in the product, by other means than the package: Gram-Schmidt and enumeration."""

from fractions import Fraction
from itertools import combinations

import numpy as np

from theory.networks import Network
from theory.risk import Risk, Sample


def linear(sample, **options):
    """The risk of a linear net with one hidden layer that bounds no rank."""
    widths = (sample.n_in, max(sample.n_in, sample.n_out), sample.n_out)
    return Risk(Network(widths, activation="identity"), sample, **options)


def instance(seed, least=1):
    """A sample with up to 3 inputs: generic, near-rank-deficient (condition 1 to 1e16), degenerate, or of odd sizes."""
    rng = np.random.default_rng(seed)
    n, p, N = (int(rng.integers(low, high)) for low, high in ((1, 4), (1, 3), (least, 7)))
    X, Y = rng.standard_normal((N, n)), rng.standard_normal((N, p))
    kind = int(rng.integers(6))
    if kind < 3:  # one direction is hardly seen
        basis = np.linalg.qr(rng.standard_normal((n, n)))[0]
        X = X @ (basis * np.logspace(0, -rng.uniform(0, 16), n))
        X = X if kind else X @ basis.T
    elif kind == 3:  # repeats, zeros, small integers
        X, Y = np.rint(X), np.rint(Y)
        X[:, rng.integers(n)] = X[:, rng.integers(n)]
    elif kind == 4:  # columns of different size
        X = X * 2.0 ** rng.integers(-60, 60, n)
    if rng.integers(2):  # the inputs explain the targets
        Y = X @ rng.standard_normal((n, p)) + 10.0 ** -rng.uniform(0, 16) * Y
    weights = None if rng.integers(2) else rng.random(N) + 0.01
    return Sample(X, Y, weights)


def fractions(A):
    return [[Fraction(v) for v in row] for row in np.asarray(A).tolist()]


def _dot(u, v, w):
    return sum((a * b * c for a, b, c in zip(u, v, w)), Fraction(0))


def squared_minimum(sample):
    """min_M E|M x - y|^2: what Gram-Schmidt on the columns of X leaves of the columns of Y."""
    w = [Fraction(v) for v in sample.weights.tolist()]
    basis = []

    def rest(column):
        for q, size in basis:
            part = _dot(q, column, w) / size
            column = [a - part * b for a, b in zip(column, q)]
        return column

    for column in zip(*fractions(sample.X)):
        left = rest(list(column))
        if size := _dot(left, left, w):
            basis.append((left, size))
    residuals = [rest(list(column)) for column in zip(*fractions(sample.Y))]
    return sum((_dot(r, r, w) for r in residuals), Fraction(0))


def squared_at(sample, M):
    """E|M x - y|^2."""
    total = Fraction(0)
    for x, y, w in zip(fractions(sample.X), fractions(sample.Y), sample.weights.tolist()):
        total += Fraction(w) * sum((sum(a * b for a, b in zip(row, x)) - t) ** 2 for row, t in zip(fractions(M), y))
    return total


def absolute_minimum(sample):
    """min_M E|M x - y|_1: some minimiser fits as many points as X has rank; all choices are tried."""
    X, w = fractions(sample.X), [Fraction(v) for v in sample.weights.tolist()]
    fits = []
    for size in range(len(X[0]) + 1):
        for columns in combinations(range(len(X[0])), size):
            for rows in combinations(range(len(X)), size):
                inverse = _inverse([[X[i][j] for j in columns] for i in rows])
                if inverse is not None:
                    fits.append((columns, rows, inverse))
    total = Fraction(0)
    for y in zip(*fractions(sample.Y)):
        values = []
        for columns, rows, inverse in fits:
            m = [sum((a * y[i] for a, i in zip(row, rows)), Fraction(0)) for row in inverse]
            values.append(
                sum(c * abs(t - sum((a * x[j] for a, j in zip(m, columns)), Fraction(0))) for x, t, c in zip(X, y, w))
            )
        total += min(values)
    return total


def _inverse(A):
    """By Gauss and Jordan; None when A is singular."""
    k = len(A)
    table = [[*row, *(Fraction(int(i == j)) for j in range(k))] for i, row in enumerate(A)]
    for j in range(k):
        pivot = next((i for i in range(j, k) if table[i][j]), None)
        if pivot is None:
            return None
        table[j], table[pivot] = table[pivot], table[j]
        table[j] = [v / table[j][j] for v in table[j]]
        for i in range(k):
            if i != j and table[i][j]:
                table[i] = [a - table[i][j] * b for a, b in zip(table[i], table[j])]
    return [row[k:] for row in table]
