"""The risk of a linear net along a line is a polynomial: its coefficients, and whether it falls strictly (Proposition 2.2)."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from theory.numerics import Array
from theory.risk import Risk

EPS = float(np.finfo(float).eps)


@np.errstate(over="ignore", invalid="ignore")
def coefficients(risk: Risk, theta: Array, direction: Array) -> Array:
    """The coefficients (2K + 1,), ascending, of the polynomial F(theta + tau direction) in tau, direction (P,).

    Squared loss, no biases, ridge or no penalty. Not finite where float64 overflows.
    """
    network, sample = risk.network, risk.sample
    product: list[Array] = [np.eye(network.widths[0])]
    for W, D in zip(network.weights(theta), network.weights(direction)):
        new = [W @ product[0]]
        new += [W @ high + D @ low for low, high in pairwise(product)]
        new.append(D @ product[-1])
        product = new
    outputs = [sample.X @ C.T for C in product]
    outputs[0] = outputs[0] - sample.Y
    c = np.zeros(2 * network.depth + 1)
    for i, P in enumerate(outputs):
        for j, Q in enumerate(outputs):
            c[i + j] += sample.weights @ np.sum(P * Q, axis=1)
    c[:3] += risk.kappa * np.array([theta @ theta, 2 * theta @ direction, direction @ direction])
    return c


def falling(c: Array, cells: int = 32) -> bool:
    """Whether a polynomial with coefficients c (d + 1,), ascending, is strictly decreasing on [0, 1].

    Not constant, slope nowhere positive. The slope is enclosed by its Bernstein coefficients on each of `cells` parts,
    so False may be a slope that touches zero inside. Coefficients of c at rounding level (64 EPS of the sum of all) count
    as zero, since a start that floats leave a little beside a saddle is not worth more: a statement up to rounding, no bound.
    """
    if not np.isfinite(c).all():
        return False
    noise = 64 * EPS * float(np.abs(c).sum())
    slope = np.where(np.abs(c) <= noise, 0.0, c)[1:] * np.arange(1, len(c))
    if not slope.any() or not np.polynomial.polynomial.polyval(1.0, np.append(0.0, c[1:])) < 0:
        return False
    degree = len(slope) - 1
    powers = np.arange(degree + 1)
    lo = np.arange(cells) / cells
    binomial = np.array([[math.comb(i, j) for j in powers] for i in powers], dtype=float)  # row i: (lo + h u)^i
    shifted = np.stack(
        [sum(slope[i] * binomial[i, j] * lo ** (i - j) for i in range(j, degree + 1)) / cells**j for j in powers],
        axis=1,
    )
    bernstein = shifted @ (binomial / binomial[degree]).T
    return bool(bernstein.max() <= len(c) * noise)
