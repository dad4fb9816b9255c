"""What the activations of eqs (4), (5) do to the bends of `theory.maxima.secants`: in NumPy, or compiled by numba (extra `fast`) to the same bits.

Both take the ends a, b of z (B, n, N), its bend and what is left of that, and leave those of the activation in their place. The
formulas and their proof stand at the head of `secants`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from theory.maxima import switches
from theory.numerics import LIBM, UNIT, Array

QUARTER = 0.25 * (1 + 8 * UNIT)  # tau (1 - tau) is at most a quarter; the product is rounded
TILE = 4_096  # numbers in a temporary of NumPy's
WIDE = 1.75  # e^x <= 1 + x + x^2 up to here


class Curved(NamedTuple):
    """A smooth sigma: bounds on |sigma''|, on |sigma''| / sigma', half of one on |sigma'''| over that on |sigma''|, and on sigma' e^(rate |z|)."""

    tanh: bool
    peak: float
    rate: float
    third: float
    tail: float


TANH, SIGMOID = Curved(True, 0.7699, 2.0, 1.3, 4.0 + 1e-9), Curved(False, 0.09623, 1.0, 0.65, 1.0 + 1e-9)


class Bending(NamedTuple):
    """relu(a, b, bend, rest) and smooth(sigma, s, u, a, b, bend, rest), as `numpy_relu` and `numpy_smooth` say."""

    relu: Callable[..., None]
    smooth: Callable[..., None]


def engine(numbers: int) -> Bending:
    """The quickest for so many (cell, sample, unit) triples: `compiled`, where numba is installed and they are many, else NumPy."""
    return (compiled() or NUMPY) if numbers >= switches.COMPILED else NUMPY


def numpy_relu(*arrays: Array) -> None:
    """relu of z between its ends a and b, in place of its bend and rest: arrays a, b, bend, rest (B, n, N)."""
    for tile in _tiles(arrays[0]):
        _numpy_relu(*(part[tile] for part in arrays))


def numpy_smooth(sigma: Curved, *arrays: Array) -> None:
    """sigma of z between its ends a and b, where it is s and u, in place of its bend and rest: arrays s, u, a, b, bend, rest (B, n, N)."""
    for tile in _tiles(arrays[0]):
        _numpy_smooth(sigma, *(part[tile] for part in arrays))


def _tiles(part: Array) -> list[slice]:
    """Cells of (B, n, N) whose temporaries stay in the cache."""
    step = max(1, TILE // max(part[0].size, 1))
    return [slice(i, i + step) for i in range(0, len(part), step)]


def _numpy_relu(a: Array, b: Array, bend: Array, rest: Array) -> None:
    high, low = np.maximum(a, b), np.minimum(a, b)
    size = np.abs(bend)
    reach = size + rest
    reach *= QUARTER
    active = low >= reach
    np.negative(reach, out=reach)
    alive = (high > reach).astype(float)
    factor = alive + active
    factor *= 0.5
    kink = high - low
    kink *= 0.5
    kink[(high <= 0) | (low >= 0)] = 0.0
    bend *= factor
    bend -= kink
    rest *= alive
    alive -= factor
    alive *= size
    rest += alive
    rest += kink


def _numpy_smooth(sigma: Curved, s: Array, u: Array, a: Array, b: Array, bend: Array, rest: Array) -> None:
    if sigma.tanh:
        f0, f1 = 1.0 - s * s, 1.0 - u * u
        p = -2.0 * s * f0
        p += -2.0 * u * f1
    else:
        f0, f1 = s * (1.0 - s), u * (1.0 - u)
        p = f0 * (1.0 - 2.0 * s)
        p += f1 * (1.0 - 2.0 * u)
    d = b - a
    reach = np.abs(bend)
    reach += rest
    q = np.abs(d)
    q *= 0.5
    q += 0.25 * reach
    d *= d
    x = sigma.rate * q
    P = x + 1.0
    P *= x
    P += 1.0
    P *= np.maximum(f0, f1)
    P *= sigma.rate
    wide = ~(x <= WIDE)
    if wide.any():
        P[wide] = sigma.rate * sigma.tail / _grown(sigma.rate, a[wide], b[wide], reach[wide])
    np.minimum(P, sigma.peak, out=P)
    P *= q
    P += 32 * LIBM
    P *= reach + sigma.third * d
    f0 += f1
    f0 *= 0.5
    rest *= f0
    rest += P
    bend *= f0
    p *= d
    p *= 0.25
    bend -= p


def _grown(rate: float, a: Array, b: Array, reach: Array) -> Array:
    """(1 + rate |z| / 8)^8 <= e^(rate |z|) at the least |z| between a and b, and reach / 4 beyond."""
    nearest = np.maximum(np.maximum(np.minimum(a, b), -np.maximum(a, b)) - 0.25 * reach, 0.0)
    y = nearest * (0.125 * rate) + 1.0
    y *= y
    y *= y
    y *= y
    return y


NUMPY = Bending(numpy_relu, numpy_smooth)


@cache
def compiled() -> Bending | None:
    """NUMPY, compiled: the same bits without the temporaries, and free of the interpreter's lock. None without numba."""
    if (loops := switches.jitted(_relu, _smooth)) is None:
        return None
    relu, smooth = loops
    return Bending(relu, lambda sigma, *arrays: smooth(*sigma, *arrays))


def _relu(a, b, bend, rest):
    for k in range(bend.shape[0]):
        for i in range(bend.shape[1]):
            x, y, c, e = a[k, i], b[k, i], bend[k, i], rest[k, i]
            for j in range(bend.shape[2]):
                high, low = max(x[j], y[j]), min(x[j], y[j])
                size = abs(c[j])
                reach = (size + e[j]) * QUARTER
                alive = 1.0 if high > -reach else 0.0
                factor = (alive + (1.0 if low >= reach else 0.0)) * 0.5
                kink = (high - low) * 0.5 if (high > 0.0 and low < 0.0) else 0.0
                c[j] = c[j] * factor - kink
                e[j] = (e[j] * alive + (alive - factor) * size) + kink


def _smooth(tanh, peak, rate, third, tail, s, u, a, b, bend, rest):
    for k in range(bend.shape[0]):
        for i in range(bend.shape[1]):
            s0, s1, x0, x1, c, e = s[k, i], u[k, i], a[k, i], b[k, i], bend[k, i], rest[k, i]
            for j in range(bend.shape[2]):
                if tanh:
                    f0, f1 = 1.0 - s0[j] * s0[j], 1.0 - s1[j] * s1[j]
                    p = -2.0 * s0[j] * f0 + -2.0 * s1[j] * f1
                else:
                    f0, f1 = s0[j] * (1.0 - s0[j]), s1[j] * (1.0 - s1[j])
                    p = f0 * (1.0 - 2.0 * s0[j]) + f1 * (1.0 - 2.0 * s1[j])
                d = x1[j] - x0[j]
                reach = abs(c[j]) + e[j]
                q = abs(d) * 0.5 + 0.25 * reach
                d = d * d
                x = rate * q
                nearest = max(max(min(x0[j], x1[j]), -max(x0[j], x1[j])) - 0.25 * reach, 0.0)
                y = nearest * (0.125 * rate) + 1.0
                y = y * y
                y = y * y
                y = y * y
                P = ((x + 1.0) * x + 1.0) * max(f0, f1) * rate if x <= WIDE else rate * tail / y
                P = (min(P, peak) * q + 32 * LIBM) * (reach + third * d)
                f = (f0 + f1) * 0.5
                e[j] = e[j] * f + P
                c[j] = c[j] * f - p * d * 0.25
