"""Nets that see one direction of the plane, minimised over the direction, in exact arithmetic.

Between two neighbouring directions at which some <u, x_i> changes sign, everything is a rational function of
u = (1 - t) a + t b: its stationary points are the roots of one polynomial with rational coefficients, which
python-flint encloses in balls (`arb`), and the function is evaluated on the balls. What comes out encloses the minimum.

- `one_direction_risk`: det W_1 = 0, features rho(<u, x>) and rho(-<u, x>), orthogonal to each other:
  E|Y|^2 - |E z_+ Y|^2 / E z_+^2 - |E z_- Y|^2 / E z_-^2.
- `one_unit_risk`: one unit with |u| <= 1 and the penalty kappa |beta|, one output:
  E Y^2 - (|E z_+ Y| - kappa/2)_+^2 / E z_+^2.

Used for appendix E.1 (two units) and eq. (6) with m = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.numerics import Vector, rank
from theory.numerics import validation as check
from theory.rays import Rays, plane_coordinates, rays, sorted_directions
from theory.risk import Sample

# Bits of the balls.
PRECISION = 128


@dataclass(frozen=True)
class Enclosure:
    """lower <= the minimum <= upper in exact arithmetic; `direction` u (unit, in the plane or R^n) is where it was found."""

    lower: float
    upper: float
    direction: tuple[float, ...]


def one_direction_risk(sample: Sample | Rays) -> Enclosure:
    """The infimum of the risk over nets (any W_2, no biases) whose units all see one direction of the plane.

    kappa = 0, squared loss. The points must span a plane; ValueError otherwise.
    """
    from flint import ctx

    plane, energy = _plane(sample)
    terms = []
    with ctx.workprec(PRECISION):
        for a, b, plus, minus in _arcs(plane, half=True):
            quotients = [q for q in (_quotient(plane, s, a, b) for s in (plus, minus)) if q is not None]
            stationary = sum((_cross(q, quotients) for q in quotients), _poly([0]))
            values = [(t, sum(_at(P, t) / _at(S, t) for P, S in quotients)) for t in _candidates(stationary)]
            terms += [(value, a, b, t) for t, value in values]
        return _least(energy, terms)


def one_unit_risk(sample: Sample, kappa: float) -> Enclosure:
    """e(1) of eq. (6): the least E|Y - beta rho(<u, X>)|^2 + kappa |beta| over |u| <= 1 and beta, one output.

    Two inputs, or points on a line through the origin; ValueError otherwise, or for several outputs.
    """
    from flint import ctx, fmpq

    if sample.n_out != 1:
        raise ValueError(f"sample must have one output, as in eq. (6); got {sample.n_out}")
    k = fmpq(*check.number(kappa, "kappa", minimum=0.0).as_integer_ratio()) / 2
    points = rays(sample)
    with ctx.workprec(PRECISION):
        if len(points) < 2 or rank(points.X) < 2:
            return _one_unit_on_a_line(points, sample.n_in, _energy(points), k)
        if sample.n_in != 2:
            raise ValueError(
                f"sample must have two inputs, or lie on a line through the origin; got {sample.n_in} inputs"
            )
        return _one_unit_in_the_plane(points, k)


def _plane(sample: Sample | Rays) -> tuple[Rays, Any]:
    """Plane coordinates of the points, and E|Y|^2 with what merging points on a ray leaves."""
    points = sample if isinstance(sample, Rays) else rays(sample)
    plane = plane_coordinates(points)
    if plane is None:
        raise ValueError(
            f"the points must span a plane through the origin; got X of shape {len(points), len(points.X[0])}"
        )
    return plane, _energy(plane)


def _energy(points: Rays) -> Any:
    """E|Y|^2, exactly."""
    zero = points.constant * 0
    return points.constant + sum((p * sum((v * v for v in y), zero) for p, y in zip(points.p, points.Y)), zero)


def _arcs(plane: Rays, *, half: bool) -> Any:
    """(a, b, active, opposite): neighbouring directions and the indices of the points on either side between them."""
    directions = sorted_directions(plane)
    count = len(directions) // 2 if half else len(directions)  # the list is symmetric under u -> -u
    for k in range(count):
        a, b = directions[k], directions[(k + 1) % len(directions)]
        products = [x[0] * (a[0] + b[0]) + x[1] * (a[1] + b[1]) for x in plane.X]
        yield a, b, [i for i, v in enumerate(products) if v > 0], [i for i, v in enumerate(products) if v < 0]


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
    P, S = sum((beta * beta for beta in pair[0]), _poly([0])), pair[1]
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


def _candidates(stationary: Any) -> list[Any]:
    """0, 1/2 and 1 (enough where the function is constant) and every ball that may hold a real root in [0, 1]."""
    from flint import arb

    found = [arb(0), arb(0.5), arb(1)]
    if stationary.degree() < 1:
        return found
    inside = arb(0.5, 0.5)
    for root, _ in stationary.complex_roots():
        if root.imag.overlaps(arb(0)) and root.real.overlaps(inside):
            found.append(root.real)
    return found


def _least(energy: Any, terms: list[tuple[Any, Vector, Vector, Any]]) -> Enclosure:
    """energy minus the largest term, rounded outwards."""
    from flint import arb

    lower, upper = np.inf, np.inf
    direction: tuple[float, ...] = (1.0, 0.0)
    for value, a, b, t in terms:
        risk = arb(energy) - value
        if (top := _up(risk)) < upper:
            s = float(t.mid())
            upper, direction = top, tuple(float((1 - s) * float(u) + s * float(v)) for u, v in zip(a, b))
        lower = min(lower, _down(risk))
    norm = float(np.linalg.norm(direction))
    return Enclosure(max(lower, 0.0), max(upper, 0.0), tuple(u / norm for u in direction))


def _one_unit_in_the_plane(points: Rays, k: Any) -> Enclosure:
    """The largest (|beta| - k |u|)_+^2 / s on every arc: its stationary points are roots of a polynomial of degree four."""
    from flint import arb

    plane, energy = _plane(points)
    terms = []
    for a, b, active, _ in _arcs(plane, half=False):
        pair = _moments(plane, active, a, b)
        if pair is None:
            continue
        (beta,), s = pair
        q = sum(_linear(u, v) * _linear(u, v) for u, v in zip(a, b))
        left = beta.derivative() * s * 2 - beta * s.derivative()
        right = q * s.derivative() - q.derivative() * s
        for t in _candidates(left * left * q - right * right * (k * k)):
            excess = abs(_at(beta, t)) - arb(k) * _at(q, t).sqrt()
            value = excess.max(arb(0)) ** 2 / _at(s, t) if _at(s, t) > 0 else arb(0)
            terms.append((value, a, b, t))
    return _least(energy, terms)


def _one_unit_on_a_line(points: Rays, n: int, energy: Any, k: Any) -> Enclosure:
    """Points on a line through the origin: the unit is active on one half of it, or on nothing."""
    from flint import arb

    first = [float(k == 0) for k in range(n)]
    terms = [(arb(0), first, first, arb(0))]
    for x, y, p in zip(points.X, points.Y, points.p):
        length = arb(sum((v * v for v in x), points.constant * 0)).sqrt()
        excess = (arb(p) * length * abs(arb(y[0])) - arb(k)).max(arb(0))
        terms.append((excess**2 / (arb(p) * length**2), x, x, arb(0)))
    return _least(energy, terms)


def _at(p: Any, t: Any) -> Any:
    """A rational polynomial on a ball."""
    from flint import arb

    value = arb(0)
    for c in reversed(p.coeffs()):
        value = value * t + arb(c)
    return value


def _poly(coefficients: Any) -> Any:
    from flint import fmpq_poly

    return fmpq_poly(coefficients)


def _linear(a: Any, b: Any) -> Any:
    """a + t (b - a)."""
    return _poly([a, b - a])


def _down(ball: Any) -> float:
    """A float not above a ball."""
    return float(np.nextafter(float(ball.lower()), -np.inf))


def _up(ball: Any) -> float:
    """A float not below a ball."""
    return float(np.nextafter(float(ball.upper()), np.inf))
