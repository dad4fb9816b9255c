"""Nets that see one direction of the plane, minimised over the direction, in exact arithmetic.

Between two neighbouring directions at which some <u, x_i> changes sign, everything is a rational function of
u = (1 - t) a + t b: its stationary points are the roots of one polynomial with rational coefficients, isolated exactly
and enclosed in balls (python-flint's `arb`), and the function is evaluated on the balls. What comes out encloses the
minimum; what the balls do not decide asks for more bits, and to the last counts as the most that Cauchy and Schwarz allow.

- `one_direction_risk`: det W_1 = 0, features rho(<u, x>) and rho(-<u, x>), orthogonal to each other:
  E|Y|^2 - |E z_+ Y|^2 / E z_+^2 - |E z_- Y|^2 / E z_-^2.
- `one_unit_risk`: one unit with |u| <= 1 and the penalty kappa |beta|, one output:
  E Y^2 - (|E z_+ Y| - kappa/2)_+^2 / E z_+^2.

Used for appendix E.1 (two units) and eq. (6) with m = 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from theory.barriers.real_roots import candidates, evaluate, polynomial
from theory.barriers.scaling import bounded_below, near_one
from theory.numerics import Vector, rank
from theory.numerics import validation as check
from theory.rays import Rays, plane_coordinates, rays, sorted_directions
from theory.risk import Sample

# Bits of the balls, in turn, until the minimum is known to WIDTH of E|Y|^2. Undecided to the last, a term is replaced
# by its largest value: the risk of its points, all of it removed.
PRECISIONS = (128, 512, 4096)
WIDTH = 2.0**-50


@dataclass(frozen=True)
class DirectionRisk:
    """lower <= the minimum <= upper in exact arithmetic; `direction` u (unit, in the plane or R^n) is where it was found."""

    lower: float
    upper: float
    direction: tuple[float, ...]


@dataclass(frozen=True)
class _Term:
    """What a direction u = (1 - t) a + t b takes off E|Y|^2: a ball, and the most that it can be."""

    value: Any
    most: Any
    a: Vector
    b: Vector
    t: Any


def one_direction_risk(sample: Sample | Rays) -> DirectionRisk:
    """The infimum of the risk over nets (any W_2, no biases) whose units all see one direction of the plane.

    kappa = 0, squared loss. The points must span a plane; ValueError otherwise.
    """
    plane, energy = _plane(sample)
    return _refined(energy, lambda: _terms_of_one_direction(plane))


def one_unit_risk(sample: Sample, kappa: float) -> DirectionRisk:
    """e(1) of eq. (6): the least E|Y - beta rho(<u, X>)|^2 + kappa |beta| over |u| <= 1 and beta, one output.

    Two inputs, or points on a line through the origin; ValueError otherwise, and for several outputs.
    """
    from flint import fmpq

    if check.instance(sample, "sample", Sample).n_out != 1:
        raise ValueError(f"sample must have one output, as in eq. (6); got {sample.n_out}")
    k = fmpq(*check.number(kappa, "kappa", minimum=0.0).as_integer_ratio()) / 2
    points = rays(sample)
    if len(points) < 2 or rank(points.X) < 2:
        return _refined(_energy(points), lambda: _terms_on_a_line(points, sample.n_in, k))
    if sample.n_in != 2:
        raise ValueError(f"sample must have two inputs, or lie on a line through the origin; got {sample.n_in} inputs")
    plane, energy = _plane(points)
    return _refined(energy, lambda: _terms_of_one_unit(plane, k))


def _plane(sample: Sample | Rays) -> tuple[Rays, Any]:
    """Plane coordinates of the points, and E|Y|^2 with what merging points on a ray leaves."""
    points = sample if isinstance(sample, Rays) else rays(sample)
    plane = plane_coordinates(points)
    if plane is None:
        raise ValueError(
            f"the points must span a plane through the origin; got rank {rank(points.X)} of {len(points)} rays"
        )
    return plane, _energy(plane)


def _energy(points: Rays) -> Any:
    """E|Y|^2, exactly."""
    zero = points.constant * 0
    return points.constant + sum((p * sum((v * v for v in y), zero) for p, y in zip(points.p, points.Y)), zero)


def _arcs(plane: Rays, *, half: bool) -> Iterator[tuple[Vector, Vector, list[int], list[int]]]:
    """(a, b, active, opposite): neighbouring directions and the indices of the points on either side between them.

    a and b have sizes near one and are at most a right angle apart, so that no u = (1 - t) a + t b is small: wider arcs
    are cut in two.
    """
    directions = [near_one(w) for w in sorted_directions(plane)]
    count = len(directions) // 2 if half else len(directions)  # the list is symmetric under u -> -u
    for k in range(count):
        a, b = directions[k], directions[(k + 1) % len(directions)]
        products = [x[0] * (a[0] + b[0]) + x[1] * (a[1] + b[1]) for x in plane.X]
        active, opposite = [i for i, v in enumerate(products) if v > 0], [i for i, v in enumerate(products) if v < 0]
        ends = [a, b] if a[0] * b[0] + a[1] * b[1] >= 0 else [a, [-a[1], a[0]], b]
        for start, end in pairwise(ends):
            yield start, end, active, opposite


def _moments(plane: Rays, active: list[int], a: Vector, b: Vector) -> tuple[list[Any], Any] | None:
    """E z Y (each output, linear in t) and E z^2 (quadratic) over the active points, z = <u(t), x>; None without any."""
    if not active:
        return None
    zero = plane.constant * 0
    S = [[sum((plane.p[i] * plane.X[i][r] * plane.X[i][c] for i in active), zero) for c in (0, 1)] for r in (0, 1)]
    B = [
        [sum((plane.p[i] * plane.X[i][r] * plane.Y[i][k] for i in active), zero) for r in (0, 1)]
        for k in range(len(plane.Y[0]))
    ]
    u = [_linear(a[0], b[0]), _linear(a[1], b[1])]
    s = u[0] * u[0] * S[0][0] + u[0] * u[1] * (2 * S[0][1]) + u[1] * u[1] * S[1][1]
    return [u[0] * row[0] + u[1] * row[1] for row in B], s


def _quotient(plane: Rays, active: list[int], a: Vector, b: Vector) -> tuple[Any, Any] | None:
    """|E z Y|^2 and E z^2 as polynomials without common factors; None when there are no active points."""
    pair = _moments(plane, active, a, b)
    if pair is None:
        return None
    P, S = sum((beta * beta for beta in pair[0]), polynomial([0])), pair[1]
    common = P.gcd(S)
    return P / common if common.degree() == 0 else P // common, S / common if common.degree() == 0 else S // common


def _cross(quotient: tuple[Any, Any], others: list[tuple[Any, Any]]) -> Any:
    """The numerator of the derivative of P/S over the common denominator."""
    P, S = quotient
    result = P.derivative() * S - P * S.derivative()
    for other in others:
        if other is not quotient:
            result = result * other[1] * other[1]
    return result


def _terms_of_one_direction(plane: Rays) -> Iterator[_Term]:
    """The gains of both features on every arc of half the circle, at the ends and where they may be stationary."""
    from flint import arb

    most = arb(_taken(plane, range(len(plane))))
    for a, b, plus, minus in _arcs(plane, half=True):
        quotients = [q for q in (_quotient(plane, s, a, b) for s in (plus, minus)) if q is not None]
        stationary = sum((_cross(q, quotients) for q in quotients), polynomial([0]))
        for t in candidates(stationary):
            yield _Term(sum((evaluate(P, t) / evaluate(S, t) for P, S in quotients), arb(0)), most, a, b, t)


def _terms_of_one_unit(plane: Rays, k: Any) -> Iterator[_Term]:
    """(|beta| - k |u|)_+^2 / s on every arc: its stationary points are roots of a polynomial of degree four.

    s = 0 in an arc only at an end, with one active point, whose gain is largest elsewhere: those roots are left out.
    """
    from flint import arb

    for a, b, active, _ in _arcs(plane, half=False):
        pair = _moments(plane, active, a, b)
        if pair is None:
            continue
        (beta,), s = pair
        q = sum(_linear(u, v) * _linear(u, v) for u, v in zip(a, b))
        left = beta.derivative() * s * 2 - beta * s.derivative()
        right = q * s.derivative() - q.derivative() * s
        stationary, most = left * left * q - right * right * (k * k), arb(_taken(plane, active))
        while stationary.degree() > 0 and (common := stationary.gcd(s)).degree() > 0:
            stationary = stationary // common
        for t in candidates(stationary):
            square = evaluate(s, t)
            if square.is_zero():
                continue
            excess = abs(evaluate(beta, t)) - arb(k) * evaluate(q, t).sqrt()
            yield _Term(excess.max(arb(0)) ** 2 / square, most, a, b, t)


def _terms_on_a_line(points: Rays, n: int, k: Any) -> Iterator[_Term]:
    """Points on a line through the origin: the unit is active on one half of it, or on nothing."""
    from flint import arb

    zero = points.constant * 0
    first = [zero + int(i == 0) for i in range(n)]
    yield _Term(arb(0), arb(0), first, first, arb(0))
    for i, (x, y, p) in enumerate(zip(points.X, points.Y, points.p)):
        length = arb(sum((v * v for v in x), zero)).sqrt()
        excess = (arb(p) * length * abs(arb(y[0])) - arb(k)).max(arb(0))
        yield _Term(excess**2 / (arb(p) * length**2), arb(_taken(points, [i])), near_one(x), near_one(x), arb(0))


def _refined(energy: Any, terms: Callable[[], Iterable[_Term]]) -> DirectionRisk:
    """energy minus the largest term, with as many bits as it takes."""
    from flint import ctx

    wide = max(WIDTH * bounded_below(energy), 1e-323)  # two of the smallest floats
    for bits in PRECISIONS:
        with ctx.workprec(bits):
            found = _least(energy, terms())
        if found.upper - found.lower <= wide:
            break
    return found


def _least(energy: Any, terms: Iterable[_Term]) -> DirectionRisk:
    """energy minus the largest term, rounded outwards; where a term is undecided, minus the most that it can be."""
    from flint import arb

    lower, upper, best = np.inf, np.inf, None
    for term in terms:
        if (top := _up(arb(energy) - term.value)) < upper:
            upper, best = top, term
        low = max(_down(arb(energy) - term.value), _down(arb(energy) - term.most))  # each of them holds
        lower = min(lower, low)
    return DirectionRisk(max(lower, 0.0), max(upper, 0.0), _direction(best))


def _direction(term: _Term | None) -> tuple[float, ...]:
    """u of a term in floats, of length one; the first axis where there is none."""
    from flint import fmpq

    if term is None:
        return (1.0, 0.0)
    mantissa, e = term.t.mid().man_exp()
    t = fmpq(int(mantissa)) * fmpq(2) ** int(e)
    u = np.array([float(v) for v in near_one([(1 - t) * x + t * y for x, y in zip(term.a, term.b)])])
    return tuple((u / np.linalg.norm(u)).tolist())


def _taken(points: Rays, active: Iterable[int]) -> Any:
    """sum p |y|^2 over the active points: the most that features which vanish elsewhere can take off (Cauchy-Schwarz)."""
    return sum((points.p[i] * v * v for i in active for v in points.Y[i]), points.constant * 0)


def _linear(a: Any, b: Any) -> Any:
    """a + t (b - a)."""
    return polynomial([a, b - a])


def _down(ball: Any) -> float:
    """A float not above a ball; -inf where that is undecided."""
    from flint import arb

    below = float(ball.lower())
    below = below if arb(below) <= ball.lower() else float(np.nextafter(below, -np.inf))
    return -np.inf if np.isnan(below) else below


def _up(ball: Any) -> float:
    """A float not below a ball; inf where that is undecided."""
    from flint import arb

    above = float(ball.upper())
    above = above if arb(above) >= ball.upper() else float(np.nextafter(above, np.inf))
    return np.inf if np.isnan(above) else above
