"""Monte Carlo for the kernel of section 2.3.2, of a distribution given as a sampler, with a confidence interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import SLAB, gamma, length
from theory.numerics import validation as check
from theory.relu_kernel.measures import vectors


@dataclass(frozen=True)
class MonteCarlo:
    """A Monte Carlo estimate of the kernel, with its standard_error.

    ci_low, ci_high: the confidence interval, a statement about chance, no bound. largest_share: the part of the sum
    that comes from its largest term; near 1 the tails rule, and an interval that rests on the central limit theorem
    means little. finite_sample: whether the interval holds at this number of draws.
    """

    estimate: float
    standard_error: float
    ci_low: float
    ci_high: float
    confidence: float
    draws: int
    largest_share: float
    finite_sample: bool


def monte_carlo(
    w1: ArrayLike,
    w2: ArrayLike,
    sampler: Callable[[np.random.Generator, int], ArrayLike],
    *,
    draws: int = 100_000,
    confidence: float = 0.99,
    radius: float | None = None,
    rng: Any = None,
) -> MonteCarlo:
    """Estimate [w1, w2]_Z (w1, w2 of shape (n,)) from sampler(generator, size) -> (size, n), in chunks of bounded memory.

    Without `radius` the interval is Student's, asymptotic, and needs E|X|^4 finite. With |X| <= radius it is the
    empirical Bernstein interval of Maurer & Pontil (2009, Theorem 4, both sides), true at every number of draws;
    a draw outside the ball raises ValueError. draws >= 2, 0 < confidence < 1.
    """
    a, b = vectors(w1, w2)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"w1 and w2 must have shape (n,); got {a.shape} and {b.shape}")
    draws = check.positive_integer(draws, "draws", minimum=2)
    confidence = check.number(confidence, "confidence", minimum=0.0, open_minimum=True)
    if confidence >= 1:
        raise ValueError(f"confidence must be in (0, 1); got {confidence}")
    if radius is not None:
        radius = check.number(radius, "radius", minimum=0.0)
    generator = check.generator(rng)
    if not callable(sampler):
        raise ValueError(f"sampler must be a function of (generator, size); got {check.describe(sampler)}")
    step, done, mean, scatter, largest = max(1, SLAB // a.size), 0, 0.0, 0.0, 0.0
    while done < draws:
        size = min(step, draws - done)
        X = check.finite_array(sampler(generator, size), "sampler's draws", ndim=2)
        if X.shape != (size, a.size):
            raise ValueError(f"sampler must return an array of shape ({size}, {a.size}); got {X.shape}")
        if radius is not None and not length(X).max() <= radius * (1 + gamma(a.size + 4)):
            raise ValueError(f"sampler's draws must lie within radius {radius}; got {length(X).max()}")
        with np.errstate(over="ignore", invalid="ignore"):
            z = check.no_overflow(np.maximum(X @ a, 0) * np.maximum(X @ b, 0), "sampler's draws")
        with np.errstate(over="ignore", invalid="ignore"):
            shift = z.mean() - mean  # merge the chunk: Chan, Golub & LeVeque
            scatter += ((z - z.mean()) ** 2).sum() + shift**2 * done * size / (done + size)
        mean, done, largest = mean + shift * size / (done + size), done + size, max(largest, z.max())
    check.no_overflow(scatter, "sampler's draws")
    error = np.sqrt(scatter / (draws - 1) / draws)
    if radius is None:
        from scipy.special import stdtrit

        below = above = float(stdtrit(draws - 1, (1 + confidence) / 2)) * error
    else:
        with np.errstate(over="ignore"):
            top = check.no_overflow((radius * length(a)) * (radius * length(b)), "radius, w1 or w2")
        log = np.log(4 / (1 - confidence))
        below = above = error * np.sqrt(2 * log) + 7 * top * log / (3 * (draws - 1))
    share = largest / mean / draws if mean > 0 else 0.0
    return MonteCarlo(
        float(mean),
        float(error),
        float(mean - below),
        float(mean + above),
        confidence,
        draws,
        share,
        radius is not None,
    )
