"""Random nets of any depth for the claims on section 5, and paths judged by certified maxima."""

from __future__ import annotations

import numpy as np

from theory.maxima import path_maximum
from theory.networks import Network
from theory.numerics import Array
from theory.paths import Path
from theory.risk import LOSSES, Risk, Sample

# Certified maxima (theory.maxima) exceed the true ones by at most this, relative; so do sums of a few terms.
CERTIFIED = 1e-9


def targets(rng: np.random.Generator, loss: str, N: int, n_out: int) -> Array:
    """Targets in the domain of the loss."""
    if loss in ("logistic", "hinge"):
        return rng.choice([-1.0, 1.0], (N, n_out))
    return rng.dirichlet(np.ones(n_out), N) if loss == "softmax" else rng.standard_normal((N, n_out))


def sample(rng: np.random.Generator, loss: str, N: int, n_in: int, n_out: int) -> Sample:
    """N weighted samples, now and then a repeated or a zero one."""
    X = rng.standard_normal((N, n_in))
    if N > 1 and rng.uniform() < 0.2:
        X[-1] = X[0] * rng.integers(0, 2)
    return Sample(X, targets(rng, loss, N, n_out), rng.integers(1, 4, N).astype(float))


def problem(rng: np.random.Generator, hidden: list[int], *, N: int, kappa: float = 0.0, bias: bool = False) -> Risk:
    """A risk of some loss, with one to three inputs and one or two outputs, under the path norm."""
    loss = LOSSES[rng.integers(len(LOSSES))]
    n_in, n_out = int(rng.integers(1, 4)), int(rng.integers(1, 3)) + (loss == "softmax")
    network = Network((n_in, *hidden, n_out), bias=bias)
    return Risk(network, sample(rng, loss, N, n_in, n_out), loss=loss, kappa=kappa, penalty="path" if kappa else None)


def point(rng: np.random.Generator, network: Network) -> Array:
    """Parameters (P,), now and then with equal rows, dead units or a zero layer."""
    W = [rng.standard_normal(shape) / np.sqrt(shape[1]) for shape in network.shapes]
    kind = rng.integers(6)
    if kind == 0:
        W[0][-1] = W[0][0]
    elif kind == 1:
        W[0][: len(W[0]) // 2] = 0
    elif kind == 2:
        W[int(rng.integers(len(W)))][:] = 0
    return network.pack(W)


def excess(risk: Risk, path: Path, level: float | None = None) -> float:
    """How far the certified maximum is above `level` (default: the larger end), in units of it and of the zero net's risk."""
    level = max(risk(path.points[0]), risk(path.points[-1])) if level is None else level
    return (path_maximum(risk, path, budget=200).upper - level) / max(level, risk.scale)


def straight(a: Array, b: Array) -> Path:
    """The straight line: what there is without a theorem."""
    return Path(np.stack([a, b]))
