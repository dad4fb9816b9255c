"""What Theorem 2.4 and its relatives allow: the printed constant of eq. (22), the corrected ones, and Maurey's bound.

One hidden relu layer, one output, squared loss, kappa |W_2|_1, rows of W_1 in the unit ball. Write S = |Sigma| for the
largest eigenvalue of Sigma = E X X^T, y^2 = E Y^2, R for the squared part of the risk, zeta^2 = sup_{|w|=1} E z(w)^2 <= S.

Subpath (2) moves rows w_i -> w~_i and weights b_i -> g_i together. Against the convex path of the augmented regression
each unit errs by n_i = (1-t) b_i z(w_i) + t g_i z(w~_i) - ((1-t) b_i + t g_i) z((1-t) w_i + t w~_i), and because rho is
1-Lipschitz, |n_i| <= t (1-t) (|b_i| + |g_i|) |w_i - w~_i| S^(1/2), with |w_i - w~_i| = 2 sin(alpha_i/2) for unit rows. So

    F(t) <= (sqrt(R_t) + N)^2 + kappa |.|_1 <= D + 2 N sqrt(D) + N^2,  N = max_t sum_i |n_i|,  D the larger end,

and where both ends are optimal along their rays, kappa |b|_1 <= y^2 / 2: C1 = (8/27) S^(1/2) y^3 / kappa, C2 = S y^4 /
(16 kappa^2).

Every function returns an upper bound: roundings are allowed for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import TINY, direction, gamma, length
from theory.numerics import validation as check
from theory.relu_kernel import second_moment_norm
from theory.risk import Sample

# Each function below rounds at most this many times after its inputs were rounded up.
_OUTWARD = 1 + gamma(64)


def spectral_norm(sample: Sample) -> float:
    """An upper bound on S = |Sigma|, tight to about n N units of rounding."""
    return float(second_moment_norm(check.instance(sample, "sample", Sample)).upper)


def energy(sample: Sample) -> float:
    """An upper bound on y^2 = E |Y|^2."""
    return check.instance(sample, "sample", Sample).energy * (1 + gamma(len(sample) + 8)) + TINY


def largest_feature(sample: Sample, rows: ArrayLike) -> float:
    """An upper bound on max_i E z(w_i)^2 over unit multiples of the rows (m, n): at most zeta^2 <= S; 0 without rows.

    ValueError unless the rows fit the sample.
    """
    W = check.finite_array(rows, "rows", ndim=2)
    if W.shape[1] != check.instance(sample, "sample", Sample).n_in:
        raise ValueError(f"rows must have shape (m, {sample.n_in}); got {W.shape}")
    W = direction(W[W.any(axis=1)])
    best = 0.0
    for block in np.array_split(W, max(1, len(W) * len(sample) // 4_000_000)):
        z = np.maximum(sample.X @ block.T, 0)
        best = max(best, float((sample.weights @ z**2).max(initial=0.0)))
    slip = gamma(sample.n_in + 8) * float(sample.weights @ np.sum(sample.X**2, axis=1)) ** 0.5
    return (best**0.5 * (1 + gamma(len(sample) + 16)) + slip * (1 + 1e-6)) ** 2 + TINY


@dataclass(frozen=True)
class Constants:
    """The corrected constants of Theorem 2.4: gap <= C1 alpha + C2 alpha^2, and in sharper form `allowance(alpha)`."""

    C1: float
    C2: float

    def allowance(self, alpha: float) -> float:
        """C1 (2 sin(alpha/2)) + C2 (2 sin(alpha/2))^2, alpha in [0, pi]; 0 at alpha = 0 also when C1 = inf (kappa = 0)."""
        chord = 2 * math.sin(0.5 * check.number(alpha, "alpha", minimum=0.0, maximum=math.pi))
        return 0.0 if chord == 0 else (self.C1 * chord + self.C2 * chord**2) * _OUTWARD


def theorem_constants(sample: Sample, kappa: float) -> Constants:
    """C1 = (8/27) S^(1/2) y^3 / kappa and C2 = S y^4 / (16 kappa^2); infinite for kappa = 0.

    At ray-optimal ends y^2 = R + kappa |b|_1 + |f|^2 and |f| >= y - R^(1/2), so kappa |b|_1 <= 2 p (1-p) y^2 with p =
    R^(1/2) / y, and likewise with q at the other end. By Minkowski R_t^(1/2) <= ((1-t) p + t q) y, so the term 2 N_t
    R_t^(1/2) is at most 2 sin(alpha/2) S^(1/2) y^3 / kappa times 4 t (1-t) (p (1-p) + q (1-q)) ((1-t) p + t q), whose
    maximum on the cube is 8/27, at t = 1/2, p = q = 2/3. And |b|_1, |g|_1 <= y^2 / (2 kappa) give N <= S^(1/2) y^2 / (4
    kappa) 2 sin(alpha/2). Both scale as they must: X -> s X, Y -> c Y, kappa -> c s kappa multiplies them by c^2, as it
    does every risk.
    """
    kappa = check.number(kappa, "kappa", minimum=0.0)
    S, y2 = spectral_norm(sample), energy(sample)
    if kappa == 0:
        return Constants(math.inf, math.inf)
    root = S**0.5 * y2 / kappa
    return Constants(8 / 27 * root * y2**0.5 * _OUTWARD, root**2 / 16 * _OUTWARD)


def printed_allowance(sample: Sample, kappa: float, alpha: float, *, last_line: bool = False) -> float:
    """Eq. (22) without its o(alpha^2): 4 alpha max(y^2, y) S (kappa^(-1/2) + alpha y / kappa). False; see the ledger.

    last_line: as the proof ends instead, with kappa^(-1) and kappa^(-2). inf for kappa = 0 and alpha > 0.
    """
    kappa = check.number(kappa, "kappa", minimum=0.0)
    alpha = check.number(alpha, "alpha", minimum=0.0, maximum=math.pi)
    S, y2 = spectral_norm(sample), energy(sample)
    if alpha == 0:
        return 0.0
    if kappa == 0:
        return math.inf
    y, power = y2**0.5, 2.0 if last_line else 1.0
    with np.errstate(over="ignore"):
        root = np.float64(kappa) ** (-power / 2)
        return float(4 * alpha * max(y2, y) * S * (root + alpha * y * root * root) * _OUTWARD)


def perturbation(
    rows: ArrayLike, moved: ArrayLike, weights: ArrayLike, moved_weights: ArrayLike, spectral: float
) -> float:
    """N = max over t of sum_i |n_i|: at most S^(1/2) / 4 * sum_i (|b_i| + |g_i|) |w_i - w~_i|.

    rows, moved (m, n): w_i and w~_i; weights, moved_weights (m,): b_i and g_i; spectral: S. ValueError unless their
    shapes agree.
    """
    W, V = check.finite_array(rows, "rows", ndim=2), check.finite_array(moved, "moved", ndim=2)
    b, g = check.finite_array(weights, "weights", ndim=1), check.finite_array(moved_weights, "moved_weights", ndim=1)
    if not W.shape == V.shape or not b.shape == g.shape == W.shape[:1]:
        raise ValueError(
            f"rows and moved must share a shape (m, n), weights (m,); got {W.shape}, {V.shape}, {b.shape}, {g.shape}"
        )
    spectral = check.number(spectral, "spectral", minimum=0.0)
    with np.errstate(over="ignore"):
        total = (np.abs(b) + np.abs(g)) * length(W - V) + np.where((W != V).any(axis=1), TINY, 0.0)
        found = 0.25 * spectral**0.5 * math.fsum(check.no_overflow(total, "weights")) * (1 + gamma(W.shape[1] + 32))
    return check.no_overflow(found, "weights")


def joint_move_bound(larger_end: float, noise: float) -> float:
    """D + 2 N sqrt(D) + N^2, D the larger_end, N the noise: what the risk reaches at most on subpaths (2) and (5)."""
    D, N = check.number(larger_end, "larger_end", minimum=0.0), check.number(noise, "noise", minimum=0.0)
    return (D + 2 * N * D**0.5 + N**2) * _OUTWARD


def maurey_excess(
    sample: Sample, kappa: float, level: float, width: int, *, zeta_squared: float | None = None
) -> float:
    """zeta^2 min(lambda, y^2/2)^2 / (kappa^2 floor(m/2)): how far above lambda two points of {F <= lambda} can be joined.

    width: m >= 2; kappa > 0; zeta_squared: default its upper bound S.
    """
    kappa = check.number(kappa, "kappa", minimum=0.0, open_minimum=True)
    half = check.positive_integer(width, "width", minimum=2) // 2
    zeta2 = spectral_norm(sample) if zeta_squared is None else check.number(zeta_squared, "zeta_squared", minimum=0.0)
    norm = min(check.number(level, "level", minimum=0.0), energy(sample) / 2) / kappa
    return zeta2 * norm**2 / min(half, 2**1000) * _OUTWARD


def drop_excess(sample: Sample, kappa: float, level: float, width: int, units: int) -> float:
    """zeta^2 (l B / m)^2, B = min(lambda, y^2/2) / kappa: how far above max(lambda, e(l)) points of {F <= lambda} are joined.

    units: l, dropped from the best second layers of width m; kappa > 0; zeta^2 by its upper bound S. ValueError unless
    0 <= l <= m.
    """
    kappa = check.number(kappa, "kappa", minimum=0.0, open_minimum=True)
    m, l = check.positive_integer(width, "width"), check.positive_integer(units, "units", minimum=0)
    if l > m:
        raise ValueError(f"units must be in 0..{m}, the width; got {l}")
    norm = min(check.number(level, "level", minimum=0.0), energy(sample) / 2) / kappa
    return spectral_norm(sample) * (l / m * norm) ** 2 * _OUTWARD
