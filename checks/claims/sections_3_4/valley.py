"""Exact strings along two valleys of one linear unit: |w1 w2 - 1|, curved everywhere, and |w1 w2|, which turns at one point.

Powers |.|^p have the same level sets, at the level L0^p. Everything here is in fractions.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import acosh, log, sqrt

Point = tuple[Fraction, Fraction]


def highest(p: Point, q: Point, c: Fraction) -> Fraction:
    """max |w1 w2 - c| on a segment: w1 w2 is a parabola in t, so at an end or at its vertex."""
    d, e = q[0] - p[0], q[1] - p[1]
    t = -(p[0] * e + p[1] * d) / (2 * d * e) if d * e else Fraction(-1)
    inner = [(p[0] + t * d) * (p[1] + t * e)] if 0 < t < 1 else []
    return max(abs(value - c) for value in (p[0] * p[1], q[0] * q[1], *inner))


def curved(scale: Fraction, depth: int, level: Fraction) -> list[int]:
    """New beads at each depth along w1 w2 = 1 from (a, 1/a) to (1/a, a), a = scale^(2^(depth - 1)), beads at halves of log w1.

    scale < 1: the ratio of neighbours after `depth` splits, where it ends. Both halves of a failing piece are visited; it ends
    sooner when every piece is at or below the level.
    """
    top = 2 ** (depth - 1)
    exponents = [top, -top]
    new: list[int] = []
    failing = [(top, -top)]
    while True:
        point = {k: (scale**k, 1 / scale**k) for k in exponents}
        failing = [(i, j) for i, j in failing if highest(point[i], point[j], Fraction(1)) > level]
        if not failing or len(new) == depth:
            return new
        new.append(len(failing))
        halves = [((i + j) // 2) for i, j in failing]
        exponents = sorted({*exponents, *halves})
        failing = [piece for (i, j), k in zip(failing, halves) for piece in ((i, k), (k, j))]


def doubling(depth: int) -> list[int]:
    """`curved` down to the ratio 2, with a level below its excess 1/8: every piece fails, at every depth."""
    return curved(Fraction(1, 2), depth, Fraction(1, 9))


def cornered(depth: int) -> tuple[list[int], bool]:
    """New beads at each depth along |w1 w2| from (0, 1) to (1, 0) at L0 = 4^-depth, depth > 1, and whether every piece is low in the end.

    The first bead is (s, s), s = 2^-depth, of risk L0, where gradient descent from the middle stops; every other one is the
    middle of the failing piece, put on the nearer axis.
    """
    s, zero = Fraction(1, 2**depth), Fraction(0)
    level, points = s * s, [(zero, Fraction(1)), (Fraction(1), zero)]
    new: list[int] = []
    while True:
        failing = [k for k, (p, q) in enumerate(pairwise(points)) if highest(p, q, zero) > level]
        if not failing or len(new) > 2 * depth + 2:
            return new, not failing
        new.append(len(failing))
        for k in reversed(failing):
            x, y = ((u + v) / 2 for u, v in zip(points[k], points[k + 1]))
            bead = (s, s) if x == y else (zero, y) if x < y else (x, zero)
            points.insert(k + 1, bead)


def fewest_pieces(a: float, level: float) -> float:
    """No string from (a, 1/a) to (1/a, a) in {|w1 w2 - 1| <= level}, level < 1, has fewer pieces, whoever trained it.

    If both ends of a piece have w1 w2 >= 1 - L and its middle has at most 1 + L, then cosh^2 of half the logarithm of the ratio of
    its w1 is at most (1 + L) / (1 - L). The ratios multiply to a^-2. Equality: beads with w1 w2 = 1 - L in equal ratios.
    """
    return -log(a) / acosh(sqrt((1 + level) / (1 - level)))
