"""The proof of Proposition 2.3 (appendix B.3), term by term."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from theory.numerics import Array, Ball, exact, gamma
from theory.relu_kernel.bounds import _half_energy
from theory.relu_kernel.measures import as_sample, bounded
from theory.relu_kernel.pairs import Pair, pose
from theory.risk import Sample


@dataclass(frozen=True, eq=False)
class ProofTerms:
    """Every quantity of appendix B.3, arrays (...), for the unit vectors in `geometry`.

    Each is within `rounding` of the exact one: of the vectors in `geometry` as they are, and, but for those that need w_m or d^,
    of the unit vectors along the given ones.
    (17): kernel = r^2 bisector_norm - E1 - E2, with E1 = r^2 E[<X, w_m>^2 1_B], E2 = E[<X, d>^2 1_A].
    bisector_norm (...): ||w_m||_Z^2; energy_A, energy_B (...): E[|QX|^2 1], Q the projection onto span(w1, w2);
    across_A, across_B (...): E[<X, d^>^2 1]. sigma: ||Sigma||. An atom within rounding of a wall of A may be counted on
    either side of it; E1 + E2 does not mind.
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
    problem = pose(w1, w2, as_sample(sample))
    g, law = problem.geometry, problem.law
    bisector, normal = exact(g.bisector), exact(g.normal)
    a, b = _about(g.w1, problem.w1), _about(g.w2, problem.w2)
    p, d = _about(g.p, problem.p), _about(g.d, problem.d)

    def over(along: tuple[Ball, ...], wedge: str, integrand: Callable[..., Ball]) -> Ball:
        def cut(f1: Ball, f2: Ball, fp: Ball, *rest: Ball) -> Ball:
            return integrand(*rest) * _wedges(f1.centre, f2.centre, fp.centre)[wedge]

        return law.mean((a, b, p, *along), cut)

    def square(f: Ball) -> Ball:
        return f.square()

    def energy(f: Ball, h: Ball) -> Ball:
        return f.square() + h.square()

    plane = (bisector, normal)
    terms = {
        "kernel": law.mean((a, b), lambda f, g: f.relu() * g.relu()),
        "bisector_norm": _half_energy(bisector, law),
        "E1": over((p,), "B", square),
        "E2": over((d,), "A", square),
        "energy_A": over(plane, "A", energy),
        "energy_B": over(plane, "B", energy),
        "across_A": over((normal,), "A", square),
        "across_B": over((normal,), "B", square),
    }
    sigma, short = law.norm, 2 * gamma(sample.n_in + 5)
    terms["sigma"] = Ball(sigma.value, short**2 * sigma.upper)  # what p and d have when they are taken for 0
    terms = {name: bounded(term, law.exponent) for name, term in terms.items()}
    rounding = float(sum(term.radius.max(initial=0.0) for term in terms.values()))
    values: dict[str, Any] = {name: term.centre for name, term in terms.items()}
    return ProofTerms(g, **values | {"sigma": float(values["sigma"])}, rounding=rounding)


def _about(vector: Array, ball: Ball) -> Ball:
    """A ball about a float vector (..., n) that holds all of `ball`."""
    return Ball(vector, (exact(vector) - ball).magnitude)


def _wedges(f1: Array, f2: Array, fp: Array) -> dict[str, Array]:
    """Which points are in the sets of the proof: A, both units active; B, the rest of C(w_m)."""
    A = (f1 >= 0) & (f2 >= 0)
    return {"A": A, "B": (fp >= 0) & ~A}
