"""The exact minimum of the lasso in rationals, by enumeration of sign patterns: an oracle for a handful of features."""

from fractions import Fraction
from itertools import product

import numpy as np

from checks.claims.section_2_3_2.exact_risk import _solve, fractions


def exact_minimum(Z, y, w, kappa) -> Fraction:
    """min P in rationals: on the signs of a minimiser with the fewest units the weights solve a linear system."""
    Z, y, w = (fractions(v) for v in (Z, y, w))
    G, q, half = Z.T @ (w[:, None] * Z), Z.T @ (w * y), Fraction(kappa) / 2
    best = Fraction(w @ y**2)
    for signs in product((0, 1, -1), repeat=Z.shape[1]):
        used = [j for j, s in enumerate(signs) if s]
        if not used:
            continue
        s = np.array([Fraction(signs[j]) for j in used], dtype=object)
        b = _solve(G[np.ix_(used, used)], q[used] - half * s)
        if b is not None and all(v * t >= 0 for v, t in zip(b, s)):
            best = min(best, Fraction(w @ (y - Z[:, used] @ b) ** 2) + 2 * half * sum(abs(v) for v in b))
    return best
