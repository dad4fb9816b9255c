"""What is allowed: linear networks, with no penalty or ridge, wide enough (Proposition 2.2, repaired)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.networks import Network
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk


def transpose(network: Network) -> tuple[Network, Array]:
    """The network of transposes, W_1^T last, and the order such that theta[order] are its parameters, (P,)."""
    index = network.weights(np.arange(network.size))
    order = np.concatenate([W.T.ravel() for W in reversed(index)]).astype(int)
    return Network(network.widths[::-1], activation="identity"), order


def _reorder(path: Path, order: Array) -> Path:
    return Path(path.points[:, order], path.labels)


def _transposed(network: Network) -> bool:
    return network.widths[0] > network.widths[-1] and not network.bias


def pair(risk: Risk, theta: Array) -> tuple[Array, Array]:
    """(W_1, W_2), or (W_2^T, W_1^T) when n_in > n_out: (h, n) and (m, h) with n <= m."""
    W1, W2 = risk.network.weights(theta)
    return (W2.T, W1.T) if flipped(risk) else (W1, W2)


def pack(risk: Risk, W1: Array, W2: Array) -> Array:
    """The parameter vector (P,) of what `pair` returned, W1 (h, n) and W2 (m, h)."""
    return risk.network.pack([W2.T, W1.T] if flipped(risk) else [W1, W2])


def flipped(risk: Risk) -> bool:
    """Whether n_in > n_out: then the theorems are applied to the transposes."""
    return risk.network.widths[0] > risk.network.widths[-1]


def is_critical(risk: Risk) -> bool:
    """One hidden layer, width exactly r, no biases."""
    n_in, h, n_out = risk.network.widths
    return h == min(n_in, n_out) and not risk.network.bias


def check_linear(risk: Risk) -> None:
    """ValueError unless the risk is that of a linear network with no penalty or ridge."""
    if not isinstance(risk, Risk):
        raise ValueError(f"risk must be a Risk; got {type(risk).__name__}")
    network = risk.network
    if network.activation != "identity" or network.output != "identity":
        raise ValueError(
            "risk must be that of a linear network (activation and output 'identity'); "
            f"got activation {network.activation!r}, output {network.output!r}"
        )
    if risk.kappa > 0 and risk.penalty != "ridge":
        raise ValueError(f"penalty must be 'ridge' when kappa > 0: nothing is proved here for {risk.penalty!r}")
    if risk.kappa > 0 and network.bias and network.depth > 1:
        raise ValueError("bias must be False with ridge: the balanced factorisation has no constant unit to shrink")


def _ends(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike) -> tuple[Array, Array]:
    ends = []
    for name, theta in (("theta_a", theta_a), ("theta_b", theta_b)):
        end = np.array(check.parameters(theta, risk.network.size, name))
        if end.ndim != 1:
            raise ValueError(f"{name} must have shape ({risk.network.size},); got {end.shape}")
        ends.append(end)
    return ends[0], ends[1]


def check_widths(risk: Risk) -> None:
    """ValueError naming the first hidden layer that is not wide enough for moves around an idle unit."""
    network = risk.network
    rank = network.widths[0] if network.bias else min(network.widths[0], network.widths[-1])
    for layer, width in enumerate(network.hidden, start=1):
        if width > rank:
            continue
        if network.bias and width > min(network.widths[0], network.widths[-1]):
            raise ValueError(
                f"hidden layer {layer} has width {width}; nets with biases need at least n_in + 1 = {rank + 1}. "
                "Append a column of ones to X and drop the biases to get by with min(n_in + 1, n_out) + 1"
            )
        raise ValueError(
            f"hidden layer {layer} has width {width} and needs at least min(n_in, n_out) + 1 = {rank + 1}: at width "
            f"{rank} and below level sets can be disconnected (the sign of a determinant cannot change)"
        )
