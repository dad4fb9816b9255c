"""The paper's constructed problems, as printed and repaired, as data that any path finder can take.

Each is a `Counterexample`: a risk, two ends, and a lower bound on the maximum of every path between them that is certified
or follows from a closed form. Sections 2.3.1 and E.1; paper_notes.md tells what is true of each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import erfc, exp, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.barriers import determinant_must_vanish, fit, least_risk, lower_bound, spanning_rows
from theory.networks import Network
from theory.numerics import Array, exact_rows, rank
from theory.numerics import validation as check
from theory.rays import dependencies, rays, row_norms
from theory.risk import Risk, Sample


@dataclass(frozen=True, eq=False)
class Counterexample:
    """Two nets to be joined: `risk`, `theta_a` and `theta_b` (P,).

    lower: every path between them climbs at least so high (0: nothing is known to stop it). barrier: the exact height
    where it is known in closed form, else nan. story: what it is, in a line.
    """

    name: str
    risk: Risk
    theta_a: Array
    theta_b: Array
    lower: float
    barrier: float
    story: str

    @property
    def level(self) -> float:
        """max(F(theta_a), F(theta_b))."""
        return max(self.risk(self.theta_a), self.risk(self.theta_b))


def permutation_task(
    points: ArrayLike,
    target: Sequence[int] = (1, 2, 0),
    width: int = 3,
    *,
    order: Sequence[int] | None = None,
    bias: bool = False,
    rows: ArrayLike | None = None,
    rng: Any = None,
) -> Counterexample:
    """Appendix E.1: map three points to each other, x_i to x_target[i], by a net 2-width-2; join it to a permuted copy.

    points (3, n): not on one line, and (without biases) on different rays from the origin. target: a bijection of
    0, 1, 2. order: of the hidden units at the far end; default: the first two swapped. rows (width, n): the rows of W_1
    (hidden biases zero) at theta_a; default: chosen so that the features are well conditioned. The ends have zero risk.
    ValueError on points on a line or beyond 2^500, a target that is no bijection, width + bias < 3, or a task without a solution.
    """
    X = check.finite_array(points, "points", ndim=2)
    if X.shape[0] != 3 or X.shape[1] < 2:
        raise ValueError(f"points must have shape (3, n), three points with n >= 2; got {X.shape}")
    if np.abs(X).max() >= 2.0**500:
        raise ValueError(f"points must be smaller than 2^500, so that squares do not overflow; got {np.abs(X).max():g}")
    x = exact_rows(X)
    if rank([[a - b for a, b in zip(x[k], x[0])] for k in (1, 2)]) < 2:
        raise ValueError(f"points must be the corners of a triangle; these three lie on a line: {X.tolist()}")
    image = _bijection(target, 3, "target")
    width = check.positive_integer(width, "width")
    check.choice(bias, "bias", (False, True))
    if width + bias < 3:
        raise ValueError(
            f"width must be at least {3 - bias} ({'with' if bias else 'without'} biases): "
            f"three points need three independent features; got {width}"
        )
    sample = Sample(X, X[list(image)])
    dependent = dependencies(rays(sample)) or len(rays(sample)) < 3
    if dependent and not bias:
        raise ValueError(
            f"points must lie on three different rays from the origin: a net without biases sees one ray as one point, "
            f"so the task has no solution; got {X.tolist()}"
        )
    network = Network((X.shape[1], width, X.shape[1]), bias=bias)
    risk = Risk(network, sample)
    if rows is None:
        first = spanning_rows(network, sample, check.generator(rng), 3)
    else:
        first = check.finite_array(rows, "rows", ndim=2)
        if first.shape != (width, X.shape[1]):
            raise ValueError(f"rows must have shape ({width}, {X.shape[1]}), one row per unit; got {first.shape}")
        first = np.concatenate([first, np.zeros((width, 1))], axis=1) if bias else first
    features = network.features(network.pack([first, np.zeros(network.shapes[1])]), X, 1).T
    sizes = row_norms(features)[:, None]  # the scale of a unit is a gauge
    if np.linalg.matrix_rank(features / np.where(sizes > 0, sizes, 1)) < 3:
        raise ValueError(f"rows must give three independent features on the points; got {np.asarray(rows).tolist()}")
    theta = network.pack([first, fit(sample, features)[0]])
    swap = (1, 0, *range(2, width)) if order is None else _bijection(order, width, "order")
    end = network.permute(theta, 1, swap)
    lower = lower_bound(risk, theta, end).lower
    exact = _exact_height(sample, swap) if width == 3 and not bias else 0.0 if width + bias > 3 else float("nan")
    return Counterexample(
        "permutation task",
        risk,
        theta,
        end,
        lower,
        exact,
        f"three points, x_i to x_{list(image)}, units as {list(swap)}",
    )


def gaussian_end_risk(separation: float) -> float:
    """The risk of the ends of the repaired two-Gaussian problem of section 2.3.1 for sigma = 1: 2 q + 2 e^2.

    X ~ N(mu_Z, I) in the plane, Y = <X, e_Z>, mu = R (1, -1) and R (-1, 1), each with half the mass; two hidden units
    without biases, W_1 = I, W_2 = (1, 1), against the same with its rows swapped. separation: R, the distance of the
    means from the wall; e and q: E of relu(N(-R, 1)) and of its square.
    """
    R = min(check.number(separation, "separation", minimum=0.0), 1e3)  # no more than float64 tells apart from infinity
    density, tail = exp(-R * R / 2) / sqrt(2 * pi), erfc(R / sqrt(2)) / 2
    q, e = (1 + R * R) * tail - R * density, density - R * tail
    return 2 * q + 2 * e * e


def gaussian_barrier(separation: float) -> float:
    """A lower bound, rounding included, on the maximum of every path between the ends of that problem: grows like R^2.

    max(1/2, (1 - 2/pi) Phi(sqrt(2) R) R^2 / 4), separation: R, at most 1e150; ValueError otherwise. 1/2: det W_1 turns.
    The other: <w_1, mu_1> turns, so w_1 is orthogonal to the means somewhere. There unit 1 sees g v, v = (1, 1)/sqrt(2),
    X = g v + h u + mu_Z, u = (1, -1)/sqrt(2). Let unit 2 have the row a v + b u, say b >= 0 (else exchange the
    components). Where Z = 2, h <= sqrt(2) R and a g <= 0, which has probability Phi(sqrt(2) R) / 4, it is off and the
    output a multiple of |g|, while E(Y given g) >= R + g / sqrt(2); and E(R - c |g|)^2 >= (1 - 2/pi) R^2 for every c.
    """
    from flint import arb, ctx

    R = check.number(separation, "separation", minimum=0.0, maximum=1e150)
    with ctx.workprec(128):
        ball = (1 - 2 / arb.pi()) * (1 + arb(R).erf()) * arb(R) ** 2 / 8  # Phi(sqrt(2) R) = (1 + erf R) / 2
        return max(0.5, float(np.nextafter(float(ball.lower()), -np.inf)))


def tessellation(rows: ArrayLike, outgoing: ArrayLike, X: ArrayLike) -> Counterexample:
    """Section 2.3.1: Y = Phi(X; theta), a net on its own outputs, against its copy with the first two units swapped.

    rows (m, n), outgoing (d, m), X (N, n): the sample's inputs. Repaired, theta is irreducible: every outgoing column is
    nonzero and no two rows are parallel. A reducible theta is accepted: there the swap costs nothing. ValueError for
    fewer than two units, or matrices that do not fit.
    """
    W, V = check.finite_array(rows, "rows", ndim=2), check.finite_array(outgoing, "outgoing", ndim=2)
    if W.shape[0] < 2 or V.shape[1] != W.shape[0]:
        raise ValueError(f"rows (m, n) and outgoing (d, m) must fit, with m >= 2; got {W.shape} and {V.shape}")
    X = check.finite_array(X, "X", ndim=2)
    network = Network((W.shape[1], W.shape[0], V.shape[0]))
    theta = network.pack([W, V])
    risk = Risk(network, Sample(X, network(theta, X)))
    end = network.permute(theta, 1, [1, 0, *range(2, len(W))])
    lower = lower_bound(risk, theta, end, rng=0).lower
    return Counterexample(
        "tessellation", risk, theta, end, lower, float("nan"), "a net on its own outputs, two units swapped"
    )


def mixture(network: Network, theta: ArrayLike, other: ArrayLike, share: float, X: ArrayLike) -> Counterexample:
    """Section 2.3.1: Y = z Phi(X; theta) + (1 - z) Phi(X; theta'), z Bernoulli(share), on given inputs X (N, n).

    Both labels of every x are atoms of the sample. The ends are theta and `other`, theta' (P,), conjectured to be local
    minima.
    """
    size = check.instance(network, "network", Network).size
    a, b = check.vector(theta, size, "theta"), check.vector(other, size, "other")
    share = check.number(share, "share", minimum=0.0, maximum=1.0)
    X = network.inputs(X)
    Y = np.concatenate([network(a, X), network(b, X)])
    weights = np.repeat([share, 1 - share], len(X)) / len(X)
    sample = Sample(np.concatenate([X, X]), Y, weights)
    return Counterexample(
        "mixture", Risk(network, sample), a, b, 0.0, float("nan"), f"labels of theta with probability {share:g}"
    )


def poor_minimum(share: float = 0.75) -> Counterexample:
    """The smallest exact poor local minimum: one unit v rho(u x), x = +-1, Y = E[label] = share at 1, 1 - share at -1.

    For u > 0: F = ((u v - share)^2 + (1 - share)^2) / 2, for u < 0 with the roles exchanged; minima (1 - share)^2 / 2
    and share^2 / 2, barrier exactly (share^2 + (1 - share)^2) / 2 at u = 0. It is the risk, up to the constant
    share (1 - share), of the mixture of rho(x) and rho(-x) for any symmetric X with E X^2 = 1, such as N(0, 1).
    """
    p = check.number(share, "share", minimum=0.0, maximum=1.0)
    risk = Risk(Network((1, 1, 1)), Sample(np.array([[1.0], [-1.0]]), np.array([[p], [1 - p]])))
    barrier = (p * p + (1 - p) ** 2) / 2
    ends = np.array([1.0, p]), np.array([-1.0, 1 - p])
    return Counterexample(
        "poor minimum", risk, *ends, barrier, barrier, "two minima of different depth, u = 0 between them"
    )


def teacher_student(angle: float = pi / 2, outputs: int = 1, *, points: int = 90) -> Counterexample:
    """A 2-2-1 (or 2-2-2) student of a teacher with units at 0 and `angle`: the teacher against its swap.

    outputs 1: Y = z_1 + z_2; 2: Y = (z_1, z_2). X: `points` directions evenly spaced on the circle of radius sqrt 2,
    which stand for N(0, I) (a net without biases sees only the direction and E|X|^2). `barrier`: for Gaussian X, angle
    90 degrees and one output, 1 + 1/pi - 8 (k(pi/4)^2 + k(3 pi/4)^2), k(t) = (sin t + (pi - t) cos t)/(2 pi).
    """
    angle = check.number(angle, "angle", minimum=0.0, maximum=pi)
    check.choice(check.positive_integer(outputs, "outputs"), "outputs", (1, 2))
    t = 2 * pi * (np.arange(check.positive_integer(points, "points", minimum=3)) + 0.5) / points
    X = sqrt(2) * np.stack([np.cos(t), np.sin(t)], axis=1)
    network = Network((2, 2, outputs))
    W = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    theta = network.pack([W, np.eye(2) if outputs == 2 else np.ones((1, 2))])
    risk = Risk(network, Sample(X, network(theta, X)))
    end = network.permute(theta, 1, [1, 0])
    exact = 1 + 1 / pi - 8 * (float(_k(np.array(pi / 4))) ** 2 + float(_k(np.array(3 * pi / 4))) ** 2)
    closed = exact if outputs == 1 and angle == pi / 2 else float("nan")
    lower = lower_bound(risk, theta, end).lower
    return Counterexample(
        "teacher and student", risk, theta, end, lower, closed, f"teacher units {np.degrees(angle):g} degrees apart"
    )


def teacher_student_landscape(angle: float = pi / 2, outputs: int = 1) -> Callable[[Array], Array]:
    """min over W_2 of the risk of `teacher_student` for Gaussian X, as a function of the two angles (S, 2) -> (S,).

    angle (radians) and outputs as in `teacher_student`.
    """
    angle = check.number(angle, "angle", minimum=0.0, maximum=pi)
    check.choice(outputs, "outputs", (1, 2))
    teacher, V = np.array([0.0, angle]), np.eye(2) if outputs == 2 else np.ones((1, 2))
    energy = float(np.sum(V.T @ V * _k(_between(teacher[:, None], teacher[None, :]))))

    def value(angles: Array) -> Array:
        angles = np.asarray(angles, dtype=float)
        c = _k(_between(angles[:, :, None], teacher)) @ V.T  # (S, 2 units, outputs)
        off, half = _k(_between(angles[:, 0], angles[:, 1])), 0.5
        mean, gap = (c[:, 0] + c[:, 1]) / sqrt(2), (c[:, 0] - c[:, 1]) / sqrt(2)
        apart = half - off  # the Gram matrix has eigenvalues half +- off
        merged = apart < 1e-14
        gain = np.sum(mean**2, axis=1) / (half + off)
        gain += np.where(merged, 0, np.sum(gap**2, axis=1) / np.where(merged, 1, apart))
        return np.maximum(energy - gain, 0)

    return value


def scalar() -> Counterexample:
    """The smallest linear net, F = (1 - w_2 w_1)^2: two components below 1, the barrier is exactly 1 (w_1 = 0)."""
    risk = Risk(Network((1, 1, 1), activation="identity"), Sample(np.ones((1, 1)), np.ones((1, 1))))
    return Counterexample(
        "scalar", risk, np.array([1.0, 1.0]), np.array([-1.0, -1.0]), 1.0, 1.0, "the sign of w_1 must change"
    )


def _k(t: Array) -> Array:
    """E z(w1) z(w2) for unit rows at the angle t and X ~ N(0, I)."""
    return (np.sin(t) + (pi - t) * np.cos(t)) / (2 * pi)


def _between(a: Array, b: Array) -> Array:
    """The angle in [0, pi] between two directions."""
    d = np.mod(a - b, 2 * pi)
    return np.minimum(d, 2 * pi - d)


def _exact_height(sample: Sample, order: Sequence[int]) -> float:
    """The barrier of the permutation task at three units: e(2), or 0 for a permutation that is free."""
    least = least_risk(rays(sample))
    return least.lower if determinant_must_vanish(order, least.geometry) else 0.0


def _bijection(value: Sequence[int], n: int, name: str) -> tuple[int, ...]:
    try:
        entries = [check.positive_integer(k, name, minimum=0) for k in value]
    except (TypeError, ValueError):
        entries = []
    if sorted(entries) != list(range(n)):
        raise ValueError(f"{name} must be a bijection of the integers 0..{n - 1}; got {value!r}")
    return tuple(entries)
