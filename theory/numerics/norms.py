"""Euclidean lengths and directions of vectors, whatever their size: entries are scaled by powers of two, which is exact.

Squares of entries beyond 1e154 overflow and those below 1e-162 vanish. So a vector is first multiplied by the power of two
that brings its largest entry into [1/2, 1); what underflows then is below 2^-1074 of it. Every function is equivariant
under powers of two, bit for bit, as long as the entries are normal numbers.
"""

from __future__ import annotations

import numpy as np

from theory.numerics.arrays import Array
from theory.numerics.balls import Ball, dot, exact


def binade(w: Array, axis: int | tuple[int, ...] | None = -1) -> Array:
    """The integers k with 2^(k-1) <= max |w| < 2^k along `axis`, and 0 where w = 0 or has no entries; w finite (..., n)."""
    return np.frexp(np.abs(w).max(axis=axis, initial=0.0))[1]


def scaled(w: Array, k: Array | int) -> Ball:
    """w 2^-k, w finite (..., n) and k (...) or one integer: exact, but for entries that underflow."""
    k = np.asarray(k)
    return exact(w).ldexp(-(k[..., None] if k.ndim else k))


def length(w: Array) -> Array:
    """|w| along the last axis, (..., n) -> (...), w finite: inf only where the length itself overflows."""
    w = np.asarray(w, dtype=float)
    k = binade(w)
    with np.errstate(over="ignore"):
        return np.ldexp(np.linalg.norm(np.ldexp(w, -k[..., None]), axis=-1), k)


def length_ball(w: Array) -> tuple[Ball, Array]:
    """(f, k) with |w| = f 2^k along the last axis, w finite (..., n): f (...) in a ball within [1/2, n^(1/2)], or 0."""
    k = binade(w)
    inside = scaled(w, k)
    f = dot(inside, inside).sqrt()
    zero = ~w.any(axis=-1)
    return Ball(np.where(zero, 0.0, f.centre), np.where(zero, 0.0, f.radius)), k


def direction(w: Array) -> Array:
    """w / |w| along the last axis, and 0 where w = 0; w finite (..., n)."""
    w = np.asarray(w, dtype=float)
    w = np.ldexp(w, -binade(w)[..., None])
    size = np.linalg.norm(w, axis=-1, keepdims=True)
    return w / np.where(size > 0, size, 1)


def direction_ball(w: Array) -> Ball:
    """w / |w| along the last axis, enclosed, and 0 where w = 0; w finite (..., n)."""
    f, k = length_ball(w)
    zero = f.centre == 0
    unit = scaled(w, k) / Ball(np.where(zero, 1.0, f.centre), f.radius)[..., None]
    return Ball(unit.centre, np.where(zero[..., None], 0.0, unit.radius))
