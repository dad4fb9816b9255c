"""Why ridge stops at two layers: for K >= 3 and kappa > 0 the origin is a strict local minimum, whatever the widths."""

from fractions import Fraction
from itertools import pairwise
from math import isqrt

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_2.instances import integers, square_sum


def attack(setting: Setting, *, least_depth: int = 3) -> Outcome:
    """Exact: F(theta) > F(0) inside an explicit ball, in directions chosen against it, and below F(0) further out.

    least_depth=2 (the planted fault): two layers, where the same ball is no barrier for small kappa.
    """
    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(200))):
        depth = least_depth + int(rng.integers(0, 3)) if least_depth > 2 else 2
        widths = rng.integers(1, 4, depth + 1)
        X, Y = integers(rng, int(widths[0]), 3), integers(rng, int(widths[-1]), 3)
        kappa = Fraction(1, int(rng.integers(1, 200)))
        # L(M) >= L(0) - 2 <Y X^T, M> and |M| <= |theta|^K, so |theta|^(K - 2) < kappa / (2 |Y X^T|) is enough.
        size = 2 * (1 + _ceil_root(square_sum(Y * X.transpose())))
        radius = min(Fraction(1), kappa / size)
        W = _along_gradient(rng, widths, X, Y)
        squares = sum(square_sum(A) for A in W)
        if squares == 0:
            continue
        norm = _ceil_root(squares)
        scale = radius / norm * Fraction(int(rng.integers(1, 101)), 100)
        rise = _risk(W, X, Y, kappa, scale) - _risk(W, X, Y, kappa, Fraction(0))
        slope = float(rise / (kappa * scale**2 * Fraction(int(squares.p), int(squares.q))))
        tally.add(slope if rise > 0 else -1.0, depth=depth, widths=widths, kappa=kappa, scale=scale)
    # Not global: (1 - w_K ... w_1)^2 + kappa |w|^2 is K kappa at (1, ..., 1) and 1 at the origin.
    one, kappa = integers_of_ones(), Fraction(1, 100)
    for depth in range(least_depth, 9):
        W = [one] * depth
        tally.add(float(_risk(W, one, one, kappa, Fraction(0)) - _risk(W, one, one, kappa, Fraction(1))), depth=depth)
    return tally.outcome("the ball |theta|^(K-2) < kappa / (2 |E Y X^T|) around the origin")


def integers_of_ones():
    """The 1 x 1 matrix (1)."""
    import flint

    return flint.fmpq_mat([[1]])


def _along_gradient(rng: np.random.Generator, widths: np.ndarray, X, Y) -> list:
    """Integer matrices whose product correlates with Y X^T when it can: a chain of single units, or random ones."""
    W = [integers(rng, int(after), int(before)) for before, after in pairwise(widths)]
    if rng.integers(2):
        cross = Y * X.transpose()
        entries = [
            (abs(float(cross[i, j].p) / float(cross[i, j].q)), i, j)
            for i in range(cross.nrows())
            for j in range(cross.ncols())
        ]
        _, i, j = max(entries)
        units = [j, *([0] * (len(W) - 1)), i]
        for k, A in enumerate(W):
            W[k] = A * 0
            W[k][units[k + 1], units[k]] = 1 if k or cross[i, j] > 0 else -1
    return W


def _risk(W: list, X, Y, kappa: Fraction, scale: Fraction) -> Fraction:
    """|W_K ... W_1 X - Y|^2 + kappa sum |W_k|^2 at scale * W, exact."""
    import flint

    s = flint.fmpq(scale.numerator, scale.denominator)
    out = X
    for A in W:
        out = (A * s) * out
    total = square_sum(out - Y) + flint.fmpq(kappa.numerator, kappa.denominator) * s * s * sum(
        (square_sum(A) for A in W), start=flint.fmpq(0)
    )
    return Fraction(int(total.p), int(total.q))


def _ceil_root(value) -> int:
    """An integer not below the square root of a nonnegative fraction."""
    number = Fraction(int(value.p), int(value.q))
    return isqrt(-(-number.numerator // number.denominator)) + 1


CLAIM = Claim(
    id="prop-2.2-ridge-depth",
    headline="With ridge the restriction to two layers is essential.",
    fault="two layers, where the same ball around the origin is no barrier",
    source="Section 2.2, after Proposition 2.2: 'we are able to show connectedness only in the two-layer case with ridge'",
    statement=(
        "The restriction to K = 2 is essential: for K >= 3 and kappa > 0 the ridge risk of a linear net has a strict local "
        "minimum at the origin for all widths and data, which is not global for small kappa (if E Y X^T != 0)."
    ),
    standing=Standing.REMARK,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.HOLDS,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, least_depth=2),
    proof=(
        "L(M) >= L(0) - 2 <E Y X^T, M> and |W_K ... W_1| <= |theta|^K, so F(theta) - F(0) >= |theta|^2 (kappa - 2 |E Y X^T| "
        "|theta|^(K-2)) > 0 near 0 when K >= 3. By Proposition 2.1 level sets just above F(0) are disconnected as soon as "
        "the origin is not global. (1 - w3 w2 w1)^2 + |w|^2 / 100: 1 at the origin, 3/100 at (1, 1, 1)."
    ),
)
