"""The two loops of `theory.maxima.buckets` (risks of eq. 1) over a block of samples, in NumPy, or compiled by numba (extra `fast`) to the same bits.

A block holds R = S C rows (C samples of each of S windows). `add` puts what the units that switch do into the buckets of their
rows, `sums` adds up squares over the samples. Both engines add the same numbers in the same order.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from theory.numerics import Array

COMPILED = 1_000_000  # from so many (sample, unit) pairs on it pays to start the compiler


class Engine(NamedTuple):
    """add(P0, P1, V0, V1, parts, error, count) and sums(parts, error, S), as `numpy_add` and `numpy_sums` say."""

    add: Callable[..., None]
    sums: Callable[..., Array]


def engine(pairs: int) -> Engine:
    """The quickest for so many pairs: `compiled`, where numba is installed and they are many, else NumPy."""
    return (compiled() or NUMPY) if pairs >= COMPILED else NUMPY


def numpy_add(P0: Array, P1: Array, V0: Array, V1: Array, parts: Array, error: Array, count: Array) -> None:
    """Add the switches of U units with pre-activations P0, P1 (R, U) at both ends, outgoing weights V0, V1 (S, d, U).

    parts (d, 3, R, K): changes of the quadratics from one bucket to the next; error (d, R, K): half the width of the band
    around them; count (K,): how many units switch. P0 and P1 become those of the units that are on at the start, 0 for the others.
    """
    (S, d, U), (R, K) = V0.shape, error.shape[1:]
    event = np.flatnonzero((P0 > 0) != (P1 > 0))
    p, q = P0.ravel()[event], P1.ravel()[event]
    np.maximum(P0, 0.0, out=P0)
    np.maximum(P1, 0.0, out=P1)
    P1.ravel()[event] = np.minimum(q, 0.0)  # q of those that switch off, 0 of those that switch on
    row = event // U
    unit = event - row * U
    if S > 1:
        unit += (row // (R // S)) * (d * U)
    fall = p - q
    tau = K * p / fall
    k = np.minimum(tau.astype(np.int64), K - 1)
    f = tau - k
    sign = np.copysign(1.0, q - p)
    g = 1.0 - f
    half = np.abs(fall) * f * g * (0.5 / K)
    x, middle = sign * g, (k + 0.5) / K
    cell = row * K + k

    def collected(terms: Array) -> Array:
        return np.bincount(cell, terms, R * K).reshape(R, K)

    for o in range(d):
        v, w = V0.ravel()[unit + o * U], V1.ravel()[unit + o * U]
        rise = w - v
        error[o] += collected(half * (np.abs(v + rise * middle) + np.abs(rise) * (0.5 / K)))
        for r, (b, weight) in enumerate(((v * p, v), (0.5 * (v * q + w * p), 0.5 * (v + w)), (w * q, w))):
            here = x * b + half * weight
            parts[o, r] += collected(here)
            parts[o, r, :, 1:] += collected(sign * b - here)[:, :-1]
    count += np.bincount(k, minlength=K)


def numpy_sums(parts: Array, error: Array, S: int) -> Array:
    """The `moments` and `errors` (10, d, S, K) of `buckets.Sums` from parts (d, 3, R, K), which are summed up, and error (d, R, K)."""
    d, _, R, K = parts.shape
    np.cumsum(parts, axis=-1, out=parts)
    b, c, e = parts[:, 0], parts[:, 1], parts[:, 2]
    (s0, m0, e0), (s1, m1, e1) = _weights(K)
    at_start = np.abs(s0 * b + m0 * c + e0 * e)
    at_end = np.abs(s1 * b + m1 * c + e1 * e)
    bend = np.abs(b - 2 * c + e)
    pairs: list[tuple[Array, Array]] = [(b, b), (b, c), (b, e), (c, c), (c, e), (e, e)]
    pairs += [(error, at_start), (error, at_end), (error, bend), (error, error)]
    return np.stack([(f * g).reshape(d, S, R // S, K).sum(axis=2) for f, g in pairs])


def _weights(K: int) -> tuple[Array, Array]:
    """(1 - t)^2, 2 t (1 - t), t^2 at the starts and at the ends of the buckets, (3, K) each."""
    t = np.arange(K + 1) / K
    s = 1 - t
    both = np.stack([s * s, 2 * s * t, t * t])
    return both[:, :-1], both[:, 1:]


NUMPY = Engine(numpy_add, numpy_sums)


def jitted(*loops: Callable[..., None]) -> tuple[Any, ...] | None:
    """Loops compiled by numba, kept on disk where there is a place for it; None without numba."""
    try:
        numba: Any = importlib.import_module("numba")
    except ImportError:
        return None
    how = {"nogil": True, "error_model": "numpy"}
    try:
        return tuple(numba.njit(loop, cache=True, **how) for loop in loops)
    except RuntimeError:  # nowhere to keep what was compiled
        return tuple(numba.njit(loop, **how) for loop in loops)


@cache
def compiled() -> Engine | None:
    """NUMPY, compiled: the same bits without the temporaries, and free of the interpreter's lock. None without numba."""
    if (loops := jitted(_add, _sums)) is None:
        return None
    add, sums = loops

    def summed(parts: Array, error: Array, S: int) -> Array:
        out = np.zeros((10, len(parts), S, parts.shape[-1]))
        sums(parts, error, *_weights(parts.shape[-1]), out)
        return out

    return Engine(add, summed)


def _add(P0, P1, V0, V1, parts, error, count):
    S, d, U = V0.shape
    R, K = error.shape[1:]
    C = R // S
    units = np.empty(U + 1, np.int64)
    start, stop = np.empty(U + 1), np.empty(U + 1)
    here, after, band = np.empty((d, 3, K)), np.empty((d, 3, K)), np.empty((d, K))
    for i in range(R):
        s = i // C
        n = 0
        for j in range(U):
            p, q = P0[i, j], P1[i, j]
            on = p > 0.0
            units[n] = j
            start[n] = p
            stop[n] = q
            n += on != (q > 0.0)
            P0[i, j] = p if on else 0.0
            P1[i, j] = q if on else 0.0
        if n == 0:
            continue
        here[:], after[:], band[:] = 0.0, 0.0, 0.0
        for e in range(n):
            j, p, q = units[e], start[e], stop[e]
            fall = p - q
            tau = K * p / fall
            k = min(int(tau), K - 1)
            count[k] += 1
            f = tau - k
            sign = -1.0 if p > 0.0 else 1.0
            g = 1.0 - f
            half = abs(fall) * f * g * (0.5 / K)
            x, middle = sign * g, (k + 0.5) / K
            for o in range(d):
                v, w = V0[s, o, j], V1[s, o, j]
                rise = w - v
                band[o, k] += half * (abs(v + rise * middle) + abs(rise) * (0.5 / K))
                for r in range(3):
                    if r == 0:
                        b, weight = v * p, v
                    elif r == 1:
                        b, weight = 0.5 * (v * q + w * p), 0.5 * (v + w)
                    else:
                        b, weight = w * q, w
                    part = x * b + half * weight
                    here[o, r, k] += part
                    after[o, r, k] += sign * b - part
        for o in range(d):
            for k in range(K):
                error[o, i, k] += band[o, k]
            for r in range(3):
                parts[o, r, i, 0] += here[o, r, 0]
                for k in range(1, K):
                    parts[o, r, i, k] = (parts[o, r, i, k] + here[o, r, k]) + after[o, r, k - 1]


def _sums(parts, error, first, last, out):
    d, _, R, K = parts.shape
    C = R // out.shape[2]
    for o in range(d):
        for i in range(R):
            s = i // C
            for r in range(3):
                for k in range(1, K):
                    parts[o, r, i, k] += parts[o, r, i, k - 1]
            for k in range(K):
                b, c, e, w = parts[o, 0, i, k], parts[o, 1, i, k], parts[o, 2, i, k], error[o, i, k]
                out[0, o, s, k] += b * b
                out[1, o, s, k] += b * c
                out[2, o, s, k] += b * e
                out[3, o, s, k] += c * c
                out[4, o, s, k] += c * e
                out[5, o, s, k] += e * e
                out[6, o, s, k] += w * abs(first[0, k] * b + first[1, k] * c + first[2, k] * e)
                out[7, o, s, k] += w * abs(last[0, k] * b + last[1, k] * c + last[2, k] * e)
                out[8, o, s, k] += w * abs(b - 2 * c + e)
                out[9, o, s, k] += w * w
