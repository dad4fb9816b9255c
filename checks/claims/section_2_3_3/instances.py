"""Random and degenerate problems for the claims on Theorem 2.4 and its relatives."""

from __future__ import annotations

import numpy as np

from theory import relu_paths
from theory.networks import Network
from theory.numerics import Array
from theory.risk import Risk, Sample

# Certified maxima (theory.maxima) exceed the true ones by at most this, relative; so do sums of a few terms.
CERTIFIED = 1e-9


def problem(rng: np.random.Generator, *, samples: int, width: int, inputs: int, kappa: float | None = None) -> Risk:
    """A risk of some scale: weighted samples, repeated and zero inputs, outliers, constant targets."""
    X, Y = rng.standard_normal((samples, inputs)), rng.standard_normal((samples, 1))
    kind = rng.integers(6)
    if kind == 0 and samples > 1:
        X[1] = X[0]
    elif kind == 1:
        X[0] = 0
    elif kind == 2:
        X[0] *= 30
    elif kind == 3:
        Y[:] = 1
    X *= 10.0 ** rng.integers(-2, 3)
    weights = rng.dirichlet(np.ones(samples)) if rng.uniform() < 0.5 else np.ones(samples)
    sample = Sample(X, Y, weights)
    if kappa is None:
        kappa = float(10 ** rng.uniform(-3, 0)) * float(np.sqrt(np.mean(X**2) * np.mean(Y**2))) + 1e-3
    return Risk(Network((inputs, width, 1)), sample, kappa=kappa, penalty="second_layer_l1")


def point(rng: np.random.Generator, risk: Risk, *, fitted: bool = False) -> Array:
    """A parameter vector with rows in the unit ball: unit rows, short rows, zero rows, parallel rows, idle units."""
    net = risk.network
    n, m = net.widths[:2]
    W = rng.standard_normal((m, n))
    W /= np.linalg.norm(W, axis=1, keepdims=True)
    if m > 1 and rng.uniform() < 0.3:
        W[1] = W[0]
    W *= rng.choice([0.0, 1e-3, 0.5, 1.0], p=[0.05, 0.05, 0.2, 0.7], size=(m, 1))
    scale = np.sqrt(risk.sample.energy / max(float(np.trace(risk.sample.second_moment)), 1e-12) / m)
    b = scale * rng.standard_normal((1, m)) * (rng.uniform(size=m) < 0.8)
    theta = relu_paths.into_ball(net, net.pack([W, b]))
    return relu_paths.best_second_layer(risk, theta) if fitted else theta


def pair(rng: np.random.Generator, risk: Risk) -> tuple[Array, Array]:
    """Two points: optimal second layers half of the time, now and then equal or permuted."""
    fitted = bool(rng.uniform() < 0.5)
    a, b = point(rng, risk, fitted=fitted), point(rng, risk, fitted=fitted)
    chance = rng.uniform()
    if chance < 0.05:
        b = a.copy()
    elif chance < 0.1:
        b = risk.network.permute(a, 1, rng.permutation(risk.network.widths[1]).tolist())
    return a, b


def two_minima(width: int, kappa: float, penalty: str = "second_layer_l1") -> tuple[Risk, Array, Array]:
    """X = +-1, Y = X: the best net of two units and its swap, other units idle."""
    ends = np.array([[1.0], [-1.0]])
    risk = Risk(Network((1, width, 1)), Sample(ends, ends), kappa=kappa, penalty=penalty if kappa else None)
    rest = [0.0] * (width - 2)
    theta = risk.network.pack([np.array([[1.0, -1.0, *rest]]).T, np.array([[1 - kappa, kappa - 1, *rest]])])
    return risk, theta, risk.network.permute(theta, 1, [1, 0, *range(2, width)])
