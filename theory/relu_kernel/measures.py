"""Measures on the input space: atoms (`theory.risk.Sample`) and N(0, Sigma), with their second moments enclosed.

What section 2.3.2 needs of a measure: E X X^T and its norm, expectations of functions of a few linear forms, and an
a-priori bound on what rounding does to them. Vectors have shape (..., n), results the broadcast shape (...).

Rounding. Every quantity of section 2.3.2 is an expectation of a product of two linear forms of unit vectors, times a
coefficient of at most 5. A normalised vector carries gamma(n + 4) per entry; a half sum or half difference of two one
rounding more; its form gamma(2n + 6) |x|; a product of two forms gamma(4n + 13) |x|^2; their weighted sum
gamma(4n + N + 15) E|X|^2; the worst coefficient, 2 (s^2 + 4 c^2 s^2) with s^2 and c^2 squared lengths, adds
gamma(54n + 240) E|X|^2. `rounding` is gamma(64n + 4N + 512) E|X|^2, which leaves room for the error of the computed
E|X|^2 and for a final scaling. Forms a^T Sigma b obey the same bounds, as sum |a_i Sigma_ij b_j| <= |a| |b| tr Sigma.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import SLAB, TINY, Array, gamma
from theory.numerics import validation as check
from theory.risk import Sample

# A second moment less symmetric, or less nonnegative, than this relative to its largest entry is taken for a mistake.
GATE = 1e-10


@dataclass(frozen=True, eq=False)
class Gaussian:
    """The centred Gaussian with this second_moment, N(0, Sigma).

    Sigma (n, n), symmetric positive semidefinite, possibly singular; ValueError otherwise. The kernel and the bounds
    are the same for every elliptical X = R Sigma^(1/2) U (U uniform on the sphere) with this second moment, heavy tails
    included: they are quadratic in R, and only E R^2 enters.
    """

    second_moment: Array

    def __post_init__(self) -> None:
        S = check.finite_array(self.second_moment, "second_moment", ndim=2)
        if S.shape[0] != S.shape[1] or S.shape[0] == 0:
            raise ValueError(f"second_moment must be square, (n, n) with n >= 1; got shape {S.shape}")
        scale, skew = np.abs(S).max(), np.abs(S / 2 - S.T / 2).max()
        if skew > GATE * scale:
            raise ValueError(f"second_moment must be symmetric; got mirrored entries {2 * skew:.3g} apart")
        S = S / 2 + S.T / 2
        least = float(np.linalg.eigvalsh(S)[0])
        if least < -GATE * scale:
            raise ValueError(f"second_moment must be positive semidefinite; got an eigenvalue {least:.3g}")
        S.flags.writeable = False
        object.__setattr__(self, "second_moment", S)

    @property
    def n_in(self) -> int:
        """Dimension n."""
        return self.second_moment.shape[0]

    def draw(self, rng: np.random.Generator, size: int) -> Array:
        """`size` independent draws, (size, n)."""
        eigenvalues, V = np.linalg.eigh(self.second_moment)
        return (rng.standard_normal((size, self.n_in)) * np.sqrt(np.maximum(eigenvalues, 0))) @ V.T


Measure = Sample | Gaussian


@dataclass(frozen=True, eq=False)
class Enclosure:
    """A computed value with bounds that hold in exact arithmetic: lower <= exact <= upper.

    value, lower, upper: arrays of one shape (...).
    """

    value: Array
    lower: Array
    upper: Array


def rounding(measure: Measure) -> float:
    """The most that rounding adds to any quantity here for unit vectors (module docstring). ValueError on overflow."""
    with np.errstate(over="ignore"):
        if isinstance(measure, Gaussian):
            N, energy = 0, float(np.trace(measure.second_moment))
        else:
            N, energy = len(measure), float(measure.weights @ np.sum(measure.X**2, axis=1))
    finite(energy, "X")
    return gamma(64 * measure.n_in + 4 * N + 512) * energy + TINY


def second_moment_norm(measure: Measure) -> Enclosure:
    """||Sigma||, the largest eigenvalue of E X X^T, enclosed: an eigenbasis V in floating point, then error bounds.

    ||Sigma|| <= ||V^T Sigma V|| / (1 - ||V^T V - I||), row sums bounding both norms; from below the Rayleigh quotient.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        S = finite((measure.second_moment + measure.second_moment.T) / 2, "X")
    n = len(S)
    V = np.linalg.eigh(S)[1]
    D, G = V.T @ S @ V, V.T @ V - np.eye(n)
    absolute = np.abs(V.T) @ np.abs(S) @ np.abs(V)
    E = gamma(4 * n + 8) * absolute + TINY
    slack = gamma(4 * n + 8) * (np.abs(V.T) @ np.abs(V))
    defect = float((np.abs(G) + slack).sum(axis=1).max())  # far below 1: LAPACK's bases are orthogonal to rounding
    # what the float Sigma misses of the exact one is at most gamma(N + 3) E|X|^2 in norm: part of rounding(measure)
    entry = 0.0 if isinstance(measure, Gaussian) else rounding(measure)
    upper = (np.abs(D) + E).sum(axis=1).max() / (1 - defect) * (1 + gamma(2 * n + 8)) + entry
    k = int(np.argmax(np.diag(D)))
    lower = (D[k, k] - E[k, k]) / (1 + defect) * (1 - gamma(8)) - entry
    return Enclosure(np.maximum(D[k, k], 0), np.maximum(lower, 0), upper)


def expectation(sample: Sample, directions: tuple[Array, ...], integrand: Callable[..., Array]) -> Array:
    """E integrand(<X, v_1>, ..., <X, v_k>) for directions v_i (..., n), in slabs of bounded memory."""
    directions = tuple(np.broadcast_arrays(*directions))
    lead = directions[0].shape[:-1]
    flat = [v.reshape(-1, sample.n_in) for v in directions]
    step = max(1, SLAB // len(sample))
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [
            integrand(*(v[i : i + step] @ sample.X.T for v in flat)) @ sample.weights
            for i in range(0, len(flat[0]), step)
        ]
    return finite(np.concatenate(parts) if parts else np.zeros(0), "X, w1 or w2").reshape(lead)


def form(a: Array, b: Array, S: Array) -> Array:
    """a^T S b along the last axis, (...): a, b (..., n), S (n, n). ValueError on overflow."""
    with np.errstate(over="ignore", invalid="ignore"):
        return finite(((a @ S) * b).sum(axis=-1), "w1, w2 or the second moment")


def vectors(w1: ArrayLike, w2: ArrayLike, n: int | None = None) -> tuple[Array, Array]:
    """w1 and w2 as checked arrays (..., n) that broadcast; n, where given, is the dimension of the measure.

    ValueError when they do not fit.
    """
    a, b = check.finite_array(w1, "w1"), check.finite_array(w2, "w2")
    for w, name in ((a, "w1"), (b, "w2")):
        if w.ndim == 0 or w.shape[-1] == 0 or (n is not None and w.shape[-1] != n):
            raise ValueError(f"{name} must have shape (..., {n or 'n'}), one entry per input; got {w.shape}")
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(f"w1 and w2 must have shapes that broadcast; got {a.shape} and {b.shape}") from None
    if a.shape[-1] != b.shape[-1]:
        raise ValueError(f"w2 must have as many entries as w1, {a.shape[-1]}; got {b.shape[-1]}")
    return a, b


def length(w: Array) -> Array:
    """|w| along the last axis, (..., n) -> (...), without overflow or underflow on the way."""
    return np.ldexp(*_scaled_length(w))


def _scaled_length(w: Array) -> tuple[Array, Array]:
    """(f, i) with |w| = f 2^i, f in [1/2, sqrt(n)) or 0: of full relative accuracy for subnormal w as well."""
    exponent = np.frexp(np.abs(w).max(axis=-1))[1]
    return np.linalg.norm(np.ldexp(w, -exponent[..., None]), axis=-1), exponent


def times_lengths(value: Array, a: Array, b: Array) -> Array:
    """value |a| |b|, rounded once to the range of floats: no intermediate product underflows.

    value (...), a and b (..., n).
    """
    (f, i), (g, j) = _scaled_length(a), _scaled_length(b)
    with np.errstate(over="ignore", under="ignore"):
        return finite(np.ldexp(f * g * value, i + j), "X, w1 or w2")


def direction(w: Array) -> Array:
    """w / |w|, and 0 where w = 0."""
    largest = np.abs(w).max(axis=-1, keepdims=True)
    w = w / np.where(largest > 0, largest, 1)
    size = np.linalg.norm(w, axis=-1, keepdims=True)
    return w / np.where(size > 0, size, 1)


def finite(value: Any, name: str) -> Any:
    """`value`, when finite; else ValueError that `name` is too large."""
    if not np.isfinite(value).all():
        raise ValueError(f"{name} is too large: a product of squares overflows. Scale it down")
    return value


def plain(value: Array) -> Any:
    """A float for a `value` of shape (), the array itself otherwise."""
    return float(value) if np.ndim(value) == 0 else value


def as_sample(measure: Any, name: str = "sample") -> Sample:
    """`measure`, when it is a Sample; ValueError, naming `name`, otherwise."""
    if not isinstance(measure, Sample):
        raise ValueError(f"{name} must be a Sample(X, Y); got {type(measure).__name__}")
    return measure


def as_measure(measure: Any) -> Measure:
    """`measure`, when it is a Sample or a Gaussian; ValueError otherwise."""
    if not isinstance(measure, (Sample, Gaussian)):
        raise ValueError(f"measure must be a Sample(X, Y) or a Gaussian(second_moment); got {type(measure).__name__}")
    return measure
