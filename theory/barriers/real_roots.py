"""Real roots of rational polynomials, isolated exactly and narrowed in balls (Collins & Akritas 1976).

Ours for the barriers of section 2.3.1. python-flint's `complex_roots` is not used: where roots lie 2^-1000 apart it may not come back.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any


def candidates(stationary: Any) -> list[Any]:
    """0, 1/2 and 1 (enough where the function is constant) and balls that cover the roots in (0, 1).

    stationary: a flint.fmpq_poly. Descartes' rule of signs and bisection isolate the roots exactly, Newton's method in
    balls narrows them. Roots closer together than the balls are precise stay in one ball.
    """
    from flint import arb, ctx, fmpq

    found = [arb(0), arb(0.5), arb(1)]
    if stationary.degree() < 1:
        return found
    p = stationary // stationary.gcd(stationary.derivative())
    slope, narrowest = p.derivative(), fmpq(1) / fmpq(2) ** ctx.prec
    whole = [int(c) for c in p.numer().coeffs()]
    stack = [(whole, fmpq(0), fmpq(1))]  # p on [a, a + width], up to a factor, as an integer polynomial on [0, 1]
    while stack:
        q, a, width = stack.pop()
        changes = _sign_changes(q)
        if changes == 0:
            continue
        ball = arb(a).union(arb(a + width))
        steep = evaluate(slope, ball)
        converges = changes == 1 and steep.rad() < 0.25 * abs(steep.mid())
        if converges or width <= narrowest:
            found.append(_newton(p, slope, ball))
            continue
        left = [c << (len(q) - k) for k, c in enumerate(q)]
        right = _shifted(left)
        if right[0] == 0:
            found.append(arb(a + width / 2))
        stack += [(left, a, width / 2), (right, a + width / 2, width / 2)]
    return found


def _sign_changes(q: list[int]) -> int:
    """Descartes' bound of the number of roots in (0, 1): exact when it is 0 or 1."""
    signs = [c > 0 for c in _shifted(q[::-1]) if c != 0]
    return sum(s != t for s, t in pairwise(signs))


def _shifted(q: list[int]) -> list[int]:
    """q(x + 1), by Horner's rule."""
    shifted = list(q)
    for k in range(len(q) - 1):
        for i in range(len(q) - 2, k - 1, -1):
            shifted[i] += shifted[i + 1]
    return shifted


def _newton(p: Any, slope: Any, ball: Any) -> Any:
    """The ball, narrowed around its roots while that helps."""
    while not (steep := evaluate(slope, ball)).contains(0):
        middle = ball.mid()
        narrowed = ball.intersection(middle - evaluate(p, middle) / steep)
        if not narrowed.rad() < 0.9 * ball.rad():
            return narrowed
        ball = narrowed
    return ball


def evaluate(p: Any, t: Any) -> Any:
    """A rational polynomial p (flint.fmpq_poly) on a ball t (flint.arb)."""
    from flint import arb

    value = arb(0)
    for c in reversed(p.coeffs()):
        value = value * t + arb(c)
    return value


def polynomial(coefficients: Any) -> Any:
    """A flint.fmpq_poly from its coefficients, constant term first."""
    from flint import fmpq_poly

    return fmpq_poly(coefficients)
