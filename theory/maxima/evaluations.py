"""What a risk computed in floats (eqs 1, 2) says about the risk itself, from its parameters alone: no sample is looked at again.

Of a feature h_j and the float of it let H_j bound both and e_j their difference, in the mean square over the sample. By Minkowski's
inequality these obey, layer by layer, what absolute values do at one input,

    e -> |W| e + (gamma |W| + dW) H,    H -> |W| H + e,

gamma that of the dot products (`Network.roundings`), dW by how much the weights are off: activations have slope at most one and
are 0 at 0, but for the sigmoid, which like tanh is at most 1. They begin with H_k = sqrt(E x_k^2), e = 0. A loss moves by at most
`Loss.fall` or `Loss.rise` when the outputs move by |e| in the mean square, and as a sum of nonnegative terms it has a small
relative error itself. That is one pass of a single input for each point; in `taylor_models.point_bounds` every sample has its own H and e, for ten times
the price of the risk. A sum overflows on its way, and may come back as a relu of -inf, only at a sample of positive weight w where the
sum of the absolute values of its terms, at most H / sqrt(w), overflows.

Ours.
"""

from __future__ import annotations

import math

import numpy as np

from theory.numerics import LIBM, TINY, UNIT, Array, gamma
from theory.risk import Risk

LARGEST = 1e300  # sums beyond this may overflow on the way
NUMBERS = 1_000_000  # of parameters that are gone through at once


def enclosures(risk: Risk, theta_0: Array, theta_1: Array, t: Array, values: Array) -> tuple[Array, Array]:
    """Bounds on F at (1 - t) theta_0 + t theta_1, the lower (B,) first, from its fits there in floats, values (B,).

    theta_0, theta_1 (B, P), t (B,) in [0, 1]; values: as `Risk.unpenalised` gives them. 0 and inf where nothing is known.
    """
    step = max(1, NUMBERS // risk.network.size)
    if len(t) <= step:
        return _enclosures(risk, theta_0, theta_1, t[:, None], values)
    rows = [slice(i, i + step) for i in range(0, len(t), step)]
    parts = [_enclosures(risk, theta_0[r], theta_1[r], t[r, None], values[r]) for r in rows]
    low, high = (np.concatenate(sides) for sides in zip(*parts))
    return low, high


def _enclosures(risk: Risk, theta_0: Array, theta_1: Array, t: Array, values: Array) -> tuple[Array, Array]:
    network, sample = risk.network, risk.sample
    N, n_out, ones = len(sample), sample.n_out, 1 + gamma(len(sample) + 16)  # weights sum to one only nearly
    with np.errstate(over="ignore", invalid="ignore"):
        points = (1 - t) * theta_0 + t * theta_1
        inner = (0 < t) & (t < 1)  # an end is exact
        radius = 8 * UNIT * inner * (np.abs(theta_0) + np.abs(theta_1) + TINY)
        largest = LARGEST * math.sqrt(sample.least_weight)
        H, known = (sample.lengths * ones + TINY)[None, :, None], values < np.inf  # H and e are (B, n, 1)
        e = np.zeros(H.shape)
        for k, (W, dW) in enumerate(zip(network.weights(np.abs(points) + radius), network.weights(radius)), start=1):
            slack = 1 + gamma(W.shape[-1] + 64)
            if network.bias:
                one = np.full((len(H), 1, 1), ones)
                H, e = np.concatenate([H, one], axis=1), np.concatenate([e, 0.0 * one], axis=1)
            e = ((gamma(network.roundings(k)) * W + dW) @ H + W @ e) * slack + TINY
            H = (W @ H + e) * slack
            known &= (largest >= H).all(axis=(1, 2))
            if network.rho(k).name in ("tanh", "sigmoid"):
                H, e = np.full(H.shape, ones + 8 * LIBM), e + 4 * LIBM
        slack = gamma(N + 2 * n_out + risk.criterion.roundings)
        distance = e.max(axis=(1, 2)) * (math.sqrt(n_out) * (1 + 8 * UNIT))
        low = values * (1 - slack) - risk.criterion.fall(values, distance, n_out) * (1 + 2 * slack) - TINY
        high = (values + risk.criterion.rise(values, distance, n_out)) * (1 + 2 * slack) + TINY
        if risk.R is not None:
            low = np.maximum(low, 0.0) + risk.kappa * risk.R.lower(points, radius)
            high = high + risk.kappa * risk.R.upper(np.stack([points, points]), radius)[0]
        low, high = low * (1 - gamma(16)) - TINY, high * (1 + gamma(16))  # the penalty may be subnormal
    return np.where(known & (low > 0), low, 0.0), np.where(known & (high < np.inf), high, np.inf)
