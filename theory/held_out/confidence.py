"""Upper confidence bounds on a mean, from N independent draws: above it with probability 1 - delta, for every N.

betting     draws in [0, M]: the largest mean at which a gambler who bets against it has not become 1 / delta times as
            rich (Ville's inequality; Waudby-Smith and Ramdas 2024). Bets look at the past only; capital grows with
            the mean that is bet against, factor by factor, so bisection finds it: 1 - lam (x - m) rises in m, and so
            does 1 - (x - m) / (2 (1 - m)), the capped one, as x <= 1.
bernstein   mean + sqrt(2 s^2 L / N) + 7 M L / (3 (N - 1)), L = ln(2 / delta), s^2 the sample variance (Maurer, Pontil
            2009).
hoeffding   mean + M sqrt(ln(1 / delta) / (2 N)).
binomial    k events of N: the largest p with P(Bin(N, p) <= k) >= delta (Clopper, Pearson 1934), checked in ball
            arithmetic.

The smallest of several bounds holds only if they share delta: so one of them is chosen before the data are seen.
Sources: arXiv 2010.09686; 0907.3740; Biometrika 26.
"""

from __future__ import annotations

import numpy as np

from theory.numerics import LIBM, Array, gamma, up
from theory.numerics import validation as check

STEPS = 60  # of bisection: to the last digits of a float
BITS = 256  # of balls


def betting(x: Array, delta: float) -> Array:
    """Upper bounds (...,) on the means of x (..., N) in [0, 1], 1 where none is better; each at level delta.

    Along the last axis are independent draws; every prefix of them is a game of its own (Ville). ValueError for delta
    outside (0, 1) and values outside [0, 1].
    """
    x = _unit(x)
    delta = error_probability(delta)
    bets = _bets(x, delta)
    low, high = np.zeros(x.shape[:-1]), np.ones(x.shape[:-1])
    for _ in range(STEPS):
        m = 0.5 * (low + high)
        rich = _log_capital(x, bets, m) >= -np.log(delta) * (1 + LIBM)
        low, high = np.where(rich, low, m), np.where(rich, m, high)
    return high


def bernstein(x: Array, delta: float) -> Array:
    """Upper bounds (...,) on the means of x (..., N) in [0, 1], rounded up; at most 1. ValueError as `betting`."""
    x = _unit(x)
    N, L = x.shape[-1], np.log(2 / error_probability(delta))
    if N < 2:
        return np.ones(x.shape[:-1])
    variance = x.var(axis=-1, ddof=1)
    bound = x.mean(axis=-1) + np.sqrt(2 * (variance + gamma(4 * N)) * L / N) + 7 * L / (3 * (N - 1))
    return np.minimum(bound * (1 + gamma(N + 64)), 1.0)


def hoeffding(x: Array, delta: float) -> Array:
    """Upper bounds (...,) on the means of x (..., N) in [0, 1], rounded up; at most 1. ValueError as `betting`."""
    x = _unit(x)
    N = x.shape[-1]
    bound = x.mean(axis=-1) + np.sqrt(-np.log(error_probability(delta)) / (2 * N))
    return np.minimum(bound * (1 + gamma(N + 64)), 1.0)


def binomial(events: int, trials: int, delta: float) -> float:
    """The upper Clopper-Pearson bound on a probability, from `events` of `trials`; 1 where every trial is one.

    ValueError unless 0 <= events <= trials, trials >= 1, and delta lies in (0, 1).

    >>> round(binomial(0, 100, 0.05), 4)  # 1 - 0.05 ** (1 / 100)
    0.0295
    """
    from flint import arb, ctx
    from scipy.stats import beta

    trials, delta = check.positive_integer(trials, "trials"), error_probability(delta)
    events = check.positive_integer(events, "events", minimum=0)
    if events > trials:
        raise ValueError(f"events must be at most trials; got {events} of {trials}")
    if events == trials:
        return 1.0
    p, step = float(beta.isf(delta, events + 1, trials - events)), 1e-15
    with ctx.workprec(BITS):
        while p < 1:  # P(Bin(N, p) <= k) = I_(1 - p)(N - k, k + 1): scipy proposes, a ball decides
            if (1 - arb(p)).beta_lower(trials - events, events + 1, True) <= arb(delta):
                return p
            p, step = p + step * (p + step), 4 * step
    return 1.0


def error_probability(delta: float) -> float:
    """delta as a float, ValueError unless it lies in (0, 1)."""
    delta = check.number(delta, "delta")
    if not 0 < delta < 1:
        raise ValueError(f"delta, the probability of error, must lie in (0, 1); got {delta}")
    return delta


def _bets(x: Array, delta: float) -> Array:
    """The bets (..., N), each from the draws before it only: (2 ln(1 / delta) / (N s^2))^(1/2) with their variance s^2."""
    N = x.shape[-1]
    count = np.arange(1, N + 1)
    mean = (0.5 + np.cumsum(x, axis=-1)) / (count + 1)
    spread = (0.25 + np.cumsum((x - mean) ** 2, axis=-1)) / (count + 1)
    before = np.concatenate([np.full((*x.shape[:-1], 1), 0.25), spread[..., :-1]], axis=-1)
    bets: Array = np.sqrt(-2 * np.log(delta) / (N * before))
    return bets


def _log_capital(x: Array, bets: Array, m: Array) -> Array:
    """The largest log-capital after any number of games against the mean m (...,), rounded down.

    log(1 - u) has a relative error of a few roundings of u, whose share of |log(1 - u)| is at most 2 for u <= 1/2.
    """
    with np.errstate(divide="ignore"):
        cap = 0.5 / (1 - m)[..., None]
    logs = np.log1p(-np.minimum(bets, cap) * (x - m[..., None]))
    blur = (gamma(x.shape[-1] + 32) + LIBM) * np.cumsum(np.abs(logs), axis=-1)
    return (np.cumsum(logs, axis=-1) - up(blur)).max(axis=-1)


def _unit(x: Array) -> Array:
    x = check.finite_array(x, "x")
    if x.ndim == 0 or x.shape[-1] == 0 or (x < 0).any() or (x > 1).any():
        raise ValueError(f"x must hold draws in [0, 1] along its last axis, one at least; got {check.describe(x)}")
    return x


UPPER = {"betting": betting, "bernstein": bernstein, "hoeffding": hoeffding}
