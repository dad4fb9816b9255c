"""Exact arithmetic for small problems: the risk (eq. 1) of a one-hidden-layer net along a segment, in fractions.

Floats are rationals, so the pieces of `theory.maxima.quartic` can be computed without any rounding. That costs about a
thousand times more, and is used where cancellation makes the float bound loose and the problem is small. Only the
final bound is rounded, upwards.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from itertools import pairwise

import numpy as np

from theory.numerics import Array
from theory.risk import Risk

Polynomial = list[Fraction]  # coefficients, constant first

OPERATIONS = 4_000  # largest N (n + n_out) m for which fractions are used
RELATIVE = Fraction(1, 10**12)


def affordable(risk: Risk) -> bool:
    """Whether the problem is small enough for fractions to take at most a second or so."""
    net = risk.network
    return len(risk.sample) * net.widths[1] * (net.widths[0] + net.widths[2]) <= OPERATIONS


def upper_bound(risk: Risk, theta_0: Array, theta_1: Array) -> float:
    """The maximum of the risk over the segment, rounded up: within 1e-12 relative of it, inf beyond the range of floats.

    One hidden layer of relu or identity units, linear output, squared loss; no penalty, ridge or second_layer_l1.
    """
    quartic, switches = _pieces(risk, theta_0, theta_1)
    best, lo = _at(quartic, Fraction(0)), 0.0
    bound = best
    for t, change in [*switches, (Fraction(1), [Fraction(0)])]:
        hi = min(1.0, float(np.nextafter(float(t), 2.0)))
        best, top = _maximum(quartic, Fraction(lo), Fraction(hi), best)
        bound = max(bound, top)
        quartic = _add(quartic, change)
        lo = max(0.0, float(np.nextafter(float(t), -1.0)))
    try:
        nearest = float(bound)
    except OverflowError:
        return float("inf")
    return nearest if Fraction(nearest) >= bound else float(np.nextafter(nearest, np.inf))


def risk_below(risk: Risk, theta_0: Array, theta_1: Array, t: float) -> float:
    """The risk at (1 - t) theta_0 + t theta_1, rounded down, theta_0, theta_1 (P,); for the same networks."""
    net, sample, s = risk.network, risk.sample, Fraction(t)
    theta = [(1 - s) * Fraction(a) + s * Fraction(b) for a, b in zip(theta_0.tolist(), theta_1.tolist())]
    W, V = (
        [theta[start : start + columns] for start in range(part.start, part.stop, columns)]
        for part, (_, columns) in zip(net.slices, net.shapes)
    )
    one = [Fraction(1)] if net.bias else []
    total = Fraction(0)
    for x, y, weight in zip(sample.X.tolist(), sample.Y.tolist(), map(Fraction, sample.weights.tolist())):
        x = [*map(Fraction, x), *one]
        h = [sum((w * v for w, v in zip(row, x)), Fraction(0)) for row in W]
        h = [*(h if net.activation == "identity" else (max(p, Fraction(0)) for p in h)), *one]
        for row, target in zip(V, y):
            total += weight * (sum((v * p for v, p in zip(row, h)), Fraction(0)) - Fraction(target)) ** 2
    if risk.kappa and risk.penalty == "ridge":
        total += Fraction(risk.kappa) * sum(v * v for v in theta)
    elif risk.kappa and risk.penalty == "second_layer_l1":
        total += Fraction(risk.kappa) * sum(abs(v) for v in theta[net.slices[1]])
    try:
        nearest = float(total)
    except OverflowError:
        return sys.float_info.max
    return nearest if Fraction(nearest) <= total else float(np.nextafter(nearest, -np.inf))


def _pieces(risk: Risk, theta_0: Array, theta_1: Array) -> tuple[Polynomial, list[tuple[Fraction, Polynomial]]]:
    """The quartic at t = 0 and every switch in (0, 1) with the change of the quartic there, in order."""
    net, sample = risk.network, risk.sample
    (W, V), (W1, V1) = net.weights(theta_0), net.weights(theta_1)
    rows, outgoing = _affine(W, W1), _affine(V, V1)
    total: Polynomial = [Fraction(0)] * 5
    changes: list[tuple[Fraction, Polynomial]] = []
    for x, y, weight in zip(net.augment(sample.X).tolist(), sample.Y.tolist(), map(Fraction, sample.weights.tolist())):
        x = [Fraction(v) for v in x]
        units = [_sum([[c * v for c in p] for p, v in zip(row, x)]) for row in rows]
        residuals: list[Polynomial] = [[Fraction(-target), Fraction(0), Fraction(0)] for target in y]
        if net.bias:
            residuals = [_add(r, row[-1]) for r, row in zip(residuals, outgoing)]
        events = []
        for j, p in enumerate(units):
            end = p[0] + p[1]
            contribution = [_times(row[j], p) for row in outgoing]
            if net.activation == "identity" or p[0] > 0 or (p[0] == 0 and end > 0):
                residuals = [_add(r, c) for r, c in zip(residuals, contribution)]
            if net.activation == "relu" and p[0] * end < 0:
                sign = 1 if end > 0 else -1
                events.append((p[0] / (p[0] - end), [[sign * c for c in part] for part in contribution]))
        total = _add(total, _weighted_squares(residuals, weight))
        for t, change in sorted(events, key=lambda event: event[0]):
            after = [_add(r, c) for r, c in zip(residuals, change)]
            difference = [b - a for a, b in zip(*(_weighted_squares(r, weight) for r in (residuals, after)))]
            changes.append((t, difference))
            residuals = after
    kappa = Fraction(risk.kappa)
    if risk.penalty == "ridge":
        for p in (p for matrix in (rows, outgoing) for row in matrix for p in row):
            total = _add(total, [kappa * c for c in _times(p, p)])
    elif risk.penalty == "second_layer_l1":
        for p in (p for row in outgoing for p in row):
            end = p[0] + p[1]
            sign = 1 if p[0] > 0 or (p[0] == 0 and end > 0) else -1
            total = _add(total, [sign * kappa * c for c in p])
            if p[0] * end < 0:
                changes.append((p[0] / (p[0] - end), [-2 * sign * kappa * c for c in p]))
    return total, sorted(changes, key=lambda change: change[0])


def _maximum(quartic: Polynomial, lo: Fraction, hi: Fraction, best: Fraction) -> tuple[Fraction, Fraction]:
    """(best value attained so far, bound over [lo, hi]); the bound is within RELATIVE of the best value."""
    bound = best
    cells = [_bernstein(quartic, lo, hi)]
    while cells:
        b = cells.pop()
        best = max(best, b[0], b[-1])
        top = max(b)
        if top <= best + RELATIVE * abs(best):
            bound = max(bound, top)
        else:
            left, right = [b[0]], [b[-1]]
            while len(b) > 1:
                b = [(u + v) / 2 for u, v in pairwise(b)]
                left.append(b[0])
                right.append(b[-1])
            cells += [left, right[::-1]]
    return best, bound


def _bernstein(p: Polynomial, lo: Fraction, hi: Fraction) -> Polynomial:
    """Bernstein coefficients of a quartic over [lo, hi]."""
    h, shifted = hi - lo, list(p) + [Fraction(0)] * (5 - len(p))
    for k in range(5):  # repeated synthetic division: Taylor coefficients at lo
        for i in range(3, k - 1, -1):
            shifted[i] += lo * shifted[i + 1]
    a, b, c, d, e = (v * h**k for k, v in enumerate(shifted))
    return [a, a + b / 4, a + b / 2 + c / 6, a + 3 * b / 4 + c / 2 + d / 4, a + b + c + d + e]


def _affine(start: Array, end: Array) -> list[list[Polynomial]]:
    """(1 - t) start + t end as first-degree polynomials, entry by entry."""
    return [
        [[Fraction(a), Fraction(b) - Fraction(a)] for a, b in zip(*rows)] for rows in zip(start.tolist(), end.tolist())
    ]


def _weighted_squares(residuals: list[Polynomial], weight: Fraction) -> Polynomial:
    return _sum([[weight * c for c in _times(r, r)] for r in residuals])


def _add(p: Polynomial, q: Polynomial) -> Polynomial:
    if len(p) < len(q):
        p, q = q, p
    return [a + b for a, b in zip(p, q)] + p[len(q) :]


def _sum(polynomials: list[Polynomial]) -> Polynomial:
    total = polynomials[0]
    for p in polynomials[1:]:
        total = _add(total, p)
    return total


def _times(p: Polynomial, q: Polynomial) -> Polynomial:
    product = [Fraction(0)] * (len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            product[i + j] += a * b
    return product


def _at(p: Polynomial, t: Fraction) -> Fraction:
    value = Fraction(0)
    for c in reversed(p):
        value = value * t + c
    return value
