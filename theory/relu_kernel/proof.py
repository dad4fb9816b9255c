"""The proof of Proposition 2.3 (appendix B.3), term by term."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import Array
from theory.numerics import validation as check
from theory.relu_kernel.bounds import _half_energy, kernel
from theory.relu_kernel.measures import (
    as_sample,
    expectation,
    rounding,
    second_moment_norm,
    vectors,
)
from theory.relu_kernel.pairs import Pair, _geometry, pair
from theory.risk import Sample


@dataclass(frozen=True, eq=False)
class Wedges:
    """Which points are in the sets of the proof, boolean: A (..., N) both units active, B (..., N) the rest of C(w_m)."""

    A: Array
    B: Array


def wedges(w1: ArrayLike, w2: ArrayLike, X: ArrayLike) -> Wedges:
    """A = {<x, w1> >= 0, <x, w2> >= 0} and B = C(w_m) minus A for points X (N, n), up to the rounding of the forms."""
    points = check.finite_array(X, "X", ndim=2)
    a, b = vectors(w1, w2, points.shape[1])
    g = pair(a, b)
    return _wedges(g.w1 @ points.T, g.w2 @ points.T, g.p @ points.T)


@dataclass(frozen=True, eq=False)
class ProofTerms:
    """Every quantity of appendix B.3, arrays (...), for the unit vectors in `geometry` as they are.

    Each is within `rounding` of the exact one.
    (17): kernel = r^2 bisector_norm - E1 - E2, with E1 = r^2 E[<X, w_m>^2 1_B], E2 = E[<X, d>^2 1_A].
    bisector_norm (...): ||w_m||_Z^2; energy_A, energy_B (...): E[|QX|^2 1], Q the projection onto span(w1, w2);
    across_A,
    across_B (...): E[<X, d^>^2 1]. sigma: ||Sigma||. An atom within rounding of a wall of A may be counted on either
    side of it;
    E1 + E2 does not mind.
    """

    geometry: Pair
    kernel: Array
    bisector_norm: Array
    E1: Array
    E2: Array
    energy_A: Array
    energy_B: Array
    across_A: Array
    across_B: Array
    sigma: float
    rounding: float

    @property
    def e1_printed(self) -> tuple[Array, Array]:
        """(18) with r^2 = cos^2(alpha/2): r^2 sin^2(alpha) E[|QX|^2 1_B], and the same with 2 ||Sigma||."""
        g = self.geometry
        return g.r**2 * g.sin_squared * self.energy_B, g.r**2 * g.sin_squared * 2 * self.sigma

    @property
    def e2_printed(self) -> tuple[Array, Array]:
        """(19): |d|^2 E[|QX|^2 1_A], and the same with 2 ||Sigma||."""
        return self.geometry.s**2 * self.energy_A, self.geometry.s**2 * 2 * self.sigma

    @property
    def e1_repaired(self) -> tuple[Array, Array]:
        """True bounds of E1 at every angle: s^2 E[<X, d^>^2 1_B], and r^2 s^2 E[|QX|^2 1_B]."""
        g = self.geometry
        return g.s**2 * self.across_B, g.r**2 * g.s**2 * self.energy_B


def proof_terms(w1: ArrayLike, w2: ArrayLike, sample: Sample) -> ProofTerms:
    """r, the wedges' energies, E1 and E2 of the proof of Proposition 2.3. ValueError for a zero vector."""
    g, _ = _geometry(w1, w2, as_sample(sample))

    def over(along: tuple[Array, ...], wedge: str, integrand: Callable[..., Array]) -> Array:
        def cut(f1: Array, f2: Array, fp: Array, *rest: Array) -> Array:
            return integrand(*rest) * getattr(_wedges(f1, f2, fp), wedge)

        return expectation(sample, (g.w1, g.w2, g.p, *along), cut)

    def square(f: Array) -> Array:
        return f**2

    def energy(f: Array, h: Array) -> Array:
        return f**2 + h**2

    plane = (g.bisector, g.normal)
    return ProofTerms(
        geometry=g,
        kernel=np.asarray(kernel(g.w1, g.w2, sample)),
        bisector_norm=_half_energy(g.bisector, sample),
        E1=over((g.p,), "B", square),
        E2=over((g.d,), "A", square),
        energy_A=over(plane, "A", energy),
        energy_B=over(plane, "B", energy),
        across_A=over((g.normal,), "A", square),
        across_B=over((g.normal,), "B", square),
        sigma=float(second_moment_norm(sample).value),
        rounding=rounding(sample),
    )


def _wedges(f1: Array, f2: Array, fp: Array) -> Wedges:
    A = (f1 >= 0) & (f2 >= 0)
    return Wedges(A, (fp >= 0) & ~A)
