"""What the activations of eqs (4), (5) do to the bends of `theory.maxima.secants`: in NumPy, or compiled by numba (extra `fast`) to the same bits.

Both take the values s, u of sigma at the ends a, b of z, all (B, n, N), and the parts (B, 4 n + 1, N) of z, whose b and e they turn into
those of sigma(z); they add what the next layer multiplies besides, u - s and |b|. The formulas and their proof stand at the head of `secants`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from theory.maxima import switches
from theory.numerics import LIBM, Array

TILE = 8_192  # numbers in a temporary of NumPy's
WIDE = 1.75  # e^x <= 1 + x + x^2 up to here


class Curved(NamedTuple):
    """A smooth sigma with sigma'' = tilt sigma' - 2 sigma sigma', and bounds.

    On |sigma''|, on |sigma''| / sigma', half of one on |sigma'''| over that on |sigma''|, and on sigma' e^(rate |z|).
    """

    tilt: float
    peak: float
    rate: float
    third: float
    tail: float


TANH, SIGMOID = Curved(0.0, 0.7699, 2.0, 1.3, 4.0 + 1e-9), Curved(1.0, 0.09623, 1.0, 0.65, 1.0 + 1e-9)


class Bending(NamedTuple):
    """relu(s, u, a, b, parts) and smooth(sigma, s, u, a, b, parts), as `numpy_relu` and `numpy_smooth` say."""

    relu: Callable[..., None]
    smooth: Callable[..., None]


def engine(numbers: int) -> Bending:
    """The quickest for so many (cell, sample, unit) triples: `compiled`, where numba is installed and they are many, else NumPy."""
    return (compiled() or NUMPY) if numbers >= switches.COMPILED else NUMPY


def numpy_relu(*arrays: Array) -> None:
    """relu of z: arrays s, u, a, b (B, n, N), parts (B, 4 n + 1, N)."""
    _by_tiles(_numpy_relu, arrays)


def numpy_smooth(sigma: Curved, *arrays: Array) -> None:
    """sigma of z: arrays s, u, a, b (B, n, N), parts (B, 4 n + 1, N)."""
    _by_tiles(lambda *tile: _numpy_smooth(sigma, *tile), arrays)


def _by_tiles(step: Callable[..., None], arrays: tuple[Array, ...]) -> None:
    """Cells, or units of one, whose temporaries stay in the cache: step(s, u, a, b, bend, move, rest, size)."""
    *ends, parts = arrays
    n, count = ends[0].shape[1:]
    cells, units = max(1, TILE // max(n * count, 1)), max(1, TILE // max(count, 1))
    for k in range(0, len(parts), cells):
        for i in range(0, n, units):
            here, j = slice(k, k + cells), min(i + units, n)
            step(*(part[here, i:j] for part in ends), *(parts[here, m * n + i : m * n + j] for m in range(4)))


def _numpy_relu(s: Array, u: Array, a: Array, b: Array, bend: Array, move: Array, rest: Array, size: Array) -> None:
    np.subtract(u, s, out=move)
    h = s + u
    n = a - s
    n += b - u
    low = bend - rest
    w = np.maximum(low, np.zeros_like(low))  # of an array and a number it is three times as slow
    w += h
    w -= n
    w *= n < 0
    low -= w
    low *= h > 0
    up = bend + rest
    up += n
    np.negative(h, out=h)
    np.maximum(up, h, out=up)
    np.subtract(up, low, out=rest)
    rest *= 0.5
    np.subtract(up, rest, out=bend)
    np.abs(bend, out=size)


def _numpy_smooth(
    sigma: Curved, s: Array, u: Array, a: Array, b: Array, bend: Array, move: Array, rest: Array, size: Array
) -> None:
    np.subtract(u, s, out=move)
    if sigma.tilt:
        f0, f1 = 1.0 - s, 1.0 - u
        f0 *= s
        f1 *= u
    else:
        f0, f1 = s * s, u * u
        np.subtract(1.0, f0, out=f0)
        np.subtract(1.0, f1, out=f1)
    p = s * f0
    p += u * f1
    steepest = np.maximum(f0, f1)
    f0 += f1
    p *= -2.0
    if sigma.tilt:
        p += f0
    f0 *= 0.5
    d = b - a
    np.abs(bend, out=size)
    size += rest
    x = 0.5 * size
    x += np.abs(d)
    x *= 0.5 * sigma.rate
    P = x + 1.0
    P *= x
    P += 1.0
    P *= steepest
    near = x <= WIDE
    if not near.all():
        wide = ~near
        P[wide] = sigma.tail / _grown(sigma.rate, a[wide], b[wide], size[wide])
    np.minimum(P, np.full_like(P, sigma.peak / sigma.rate), out=P)
    P *= x
    P += 32 * LIBM
    d *= d
    p *= d
    p *= 0.25
    d *= sigma.third
    size += d
    P *= size
    rest *= f0
    rest += P
    bend *= f0
    bend -= p
    np.abs(bend, out=size)


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


def _relu(s, u, a, b, parts):
    m = a.shape[1]
    for k in range(a.shape[0]):
        for i in range(m):
            s0, s1, x0, x1 = s[k, i], u[k, i], a[k, i], b[k, i]
            c, move, e, size = parts[k, i], parts[k, m + i], parts[k, 2 * m + i], parts[k, 3 * m + i]
            for j in range(a.shape[2]):
                h = s0[j] + s1[j]
                n = (x0[j] - s0[j]) + (x1[j] - s1[j])
                low = c[j] - e[j]
                w = ((max(low, 0.0) + h) - n) * (1.0 if n < 0.0 else 0.0)
                low = (low - w) * (1.0 if h > 0.0 else 0.0)
                up = max(c[j] + e[j] + n, -h)
                move[j] = s1[j] - s0[j]
                e[j] = (up - low) * 0.5
                c[j] = up - e[j]
                size[j] = abs(c[j])


def _smooth(tilt, peak, rate, third, tail, s, u, a, b, parts):
    m = a.shape[1]
    for k in range(a.shape[0]):
        for i in range(m):
            s0, s1, x0, x1 = s[k, i], u[k, i], a[k, i], b[k, i]
            c, move, e, size = parts[k, i], parts[k, m + i], parts[k, 2 * m + i], parts[k, 3 * m + i]
            for j in range(a.shape[2]):
                v, w = s0[j], s1[j]
                if tilt:
                    f0, f1 = (1.0 - v) * v, (1.0 - w) * w
                    f = f0 + f1
                    p = (v * f0 + w * f1) * -2.0 + f
                else:
                    f0, f1 = 1.0 - v * v, 1.0 - w * w
                    f = f0 + f1
                    p = (v * f0 + w * f1) * -2.0
                f = f * 0.5
                d = x1[j] - x0[j]
                reach = abs(c[j]) + e[j]
                x = (0.5 * reach + abs(d)) * (0.5 * rate)
                nearest = max(max(min(x0[j], x1[j]), -max(x0[j], x1[j])) - 0.25 * reach, 0.0)
                y = nearest * (0.125 * rate) + 1.0
                y = y * y
                y = y * y
                y = y * y
                P = ((x + 1.0) * x + 1.0) * max(f0, f1) if x <= WIDE else tail / y
                d = d * d
                P = (min(P, peak / rate) * x + 32 * LIBM) * (reach + d * third)
                move[j] = w - v
                e[j] = e[j] * f + P
                c[j] = c[j] * f - p * d * 0.25
                size[j] = abs(c[j])
