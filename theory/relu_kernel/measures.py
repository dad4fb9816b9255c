"""Measures on the input space: atoms (`theory.risk.Sample`) and N(0, Sigma), with their second moments enclosed.

What section 2.3.2 needs of a measure: E X X^T and its norm, and expectations of functions of a few linear forms.
Vectors have shape (..., n), results the broadcast shape (...).

Rounding. Every bound is computed in balls (`theory.numerics.balls`), from the vectors and atoms as given: normalising,
linear forms, their products and means each carry their error with them. Before that, vectors and measure are scaled by
powers of two, which is exact (`Law`); a result is scaled back once, and ValueError is raised if it then overflows. So every
bound is equivariant under powers of two in X, Sigma, w1 and w2, bit for bit as long as nothing is subnormal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import SLAB, Array, Ball, binade, dot, exact
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
        S = np.where(S == S.T, S, S / 2 + S.T / 2)  # half of a subnormal may be none
        k = binade(S, None)
        least = float(np.linalg.eigvalsh(np.ldexp(S, -k))[0])
        if not least >= -GATE:
            raise ValueError(
                f"second_moment must be positive semidefinite; got an eigenvalue {np.ldexp(least, k):.3g}, "
                f"{least:.3g} of its largest entry's size"
            )
        S.flags.writeable = False
        object.__setattr__(self, "second_moment", S)

    @property
    def n_in(self) -> int:
        """Dimension n."""
        return self.second_moment.shape[0]

    def draw(self, rng: np.random.Generator, size: int) -> Array:
        """`size` independent draws, (size, n)."""
        half = binade(self.second_moment, None) // 2
        eigenvalues, V = np.linalg.eigh(np.ldexp(self.second_moment, -2 * half))
        draws = (rng.standard_normal((size, self.n_in)) * np.sqrt(np.maximum(eigenvalues, 0))) @ V.T
        return np.ldexp(draws, half)


Measure = Sample | Gaussian


@dataclass(frozen=True, eq=False)
class Enclosure:
    """A computed value with bounds that hold in exact arithmetic: lower <= exact <= upper.

    value, lower, upper: arrays of one shape (...).
    """

    value: Array
    lower: Array
    upper: Array


@dataclass(frozen=True, eq=False)
class Law:
    """A measure in units in which its largest number is in [1/2, 1): every second moment is 2^exponent times the one here.

    points (N, n), enclosed, and weights (N,) of its atoms; for a Gaussian points is None and sigma (n, n) its Sigma.
    """

    exponent: int
    points: Ball | None = None
    weights: Array | None = None
    sigma: Ball | None = None

    @classmethod
    def of(cls, measure: Measure) -> Law:
        """The measure, scaled; kept as long as the measure is. ValueError unless it is one."""
        if not isinstance(measure, (Sample, Gaussian)):
            raise ValueError(f"measure must be a Sample or a Gaussian; got {type(measure).__name__}")
        found = _LAWS.get(measure)
        if found is None:
            found = _LAWS[measure] = cls._scaled(measure)
        return found

    @classmethod
    def _scaled(cls, measure: Measure) -> Law:
        if isinstance(measure, Gaussian):
            k = int(binade(measure.second_moment, None))
            return cls(k, sigma=exact(measure.second_moment).ldexp(-k))
        k = int(binade(measure.X, None))
        return cls(2 * k, exact(measure.X).ldexp(-k), measure.weights)

    @cached_property
    def second_moment(self) -> Ball:
        """Sigma = E X X^T, (n, n)."""
        if self.sigma is not None:
            return self.sigma
        assert self.points is not None
        assert self.weights is not None
        return (self.points * self.weights[:, None]).T @ self.points

    @cached_property
    def norm(self) -> Enclosure:
        """||Sigma|| in the units of the law: see `second_moment_norm`."""
        S = self.second_moment
        V = exact(np.linalg.eigh((S.centre + S.centre.T) / 2)[1])
        D, G = V.T @ S @ V, V.T @ V - np.eye(S.shape[0])
        defect = exact(exact(G.magnitude).sum().upper.max())  # far below 1: LAPACK's bases are orthogonal to rounding
        upper = (exact(D.magnitude).sum() / (1 - defect)).upper.max()
        k = int(np.argmax(np.diag(D.centre)))
        lower = (D[k, k] / (1 + defect)).lower
        return Enclosure(np.maximum(D.centre[k, k], 0), np.maximum(lower, 0), upper)

    def form(self, a: Ball, b: Ball) -> Ball:
        """a^T Sigma b along the last axis, (...): a, b (..., n)."""
        return dot(a @ self.second_moment, b)

    def mean(self, directions: tuple[Ball, ...], integrand: Callable[..., Ball]) -> Ball:
        """E integrand(<X, v_1>, ..., <X, v_k>) over the atoms, for directions v_i (..., n), in slabs of bounded memory.

        ValueError for a Gaussian, which has none.
        """
        if self.points is None or self.weights is None:
            raise ValueError("a Gaussian has no atoms to take a mean over")
        lead, n = directions[0].shape[:-1], directions[0].shape[-1]
        flat = [Ball(v.centre.reshape(-1, n), v.radius.reshape(-1, n)) for v in directions]
        step = max(1, SLAB // len(self.weights))
        parts = [
            integrand(*(v[i : i + step] @ self.points.T for v in flat)) @ self.weights
            for i in range(0, len(flat[0].centre), step)
        ]
        centre, radius = (
            np.concatenate([getattr(p, name) for p in parts] or [np.zeros(0)]) for name in ("centre", "radius")
        )
        return Ball(centre.reshape(lead), radius.reshape(lead))


def second_moment_norm(measure: Measure) -> Enclosure:
    """||Sigma||, the largest eigenvalue of E X X^T, enclosed: an eigenbasis V in floating point, then balls.

    ||Sigma|| <= ||V^T Sigma V|| / (1 - ||V^T V - I||), row sums bounding both norms; from below the Rayleigh quotient.
    ValueError on overflow.
    """
    law = Law.of(measure)
    found = law.norm
    value, lower, upper = (exact(v).ldexp(law.exponent) for v in (found.value, found.lower, found.upper))
    return Enclosure(value.centre, np.maximum(lower.lower, 0), check.no_overflow(upper.upper, "X or the second moment"))


_LAWS: WeakKeyDictionary[Measure, Law] = WeakKeyDictionary()


def form(a: Array, b: Array, S: Array) -> Array:
    """a^T S b along the last axis, (...), in plain floats: a, b (..., n), S (n, n)."""
    return ((a @ S) * b).sum(axis=-1)


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


def bounded(value: Ball, exponent: Array | int) -> Ball:
    """`value` 2^exponent, (...), when it is finite; else ValueError that something is too large."""
    result = value.ldexp(exponent)
    for end in (result.lower, result.upper):
        check.no_overflow(end, "X, w1 or w2")
    return result


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
