"""The risks that section 2.3 speaks of, and nets in its normalisation: rows of W_1 in the unit ball (eq. 6)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.networks import Network
from theory.numerics import Array, gamma, length
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk


class Impossible(ValueError):
    """A hypothesis of a route or move fails; the message says which inequality."""


def checked(risk: Risk, *thetas: ArrayLike) -> list[Array]:
    """The parameter vectors thetas (P,), when risk and rows are of the kind section 2.3 speaks of.

    ValueError says what is not. One hidden relu layer without biases, one output, squared loss, penalty
    "second_layer_l1" (rows of W_1 in the unit ball) or none. With biases: `Risk.without_biases`.
    """
    if not isinstance(risk, Risk):
        raise ValueError(f"risk must be a Risk on a sample; got {type(risk).__name__}")
    net = risk.network
    if net.depth != 2 or net.activation != "relu" or net.output != "identity":
        raise ValueError(
            f"risk.network must have one hidden relu layer and identity output; got {net}. theory.deep_paths and string_sampling.greedy take any depth"
        )
    if net.bias:
        raise ValueError("risk.network must have bias=False; risk.without_biases(theta) is the same net on (x, 1)")
    if net.widths[2] != 1:
        raise ValueError(
            f"risk.network must have one output; got {net.widths[2]}. theory.deep_paths and string_sampling.greedy take several"
        )
    if risk.loss != "squared" or risk.penalty not in (None, "second_layer_l1"):
        raise ValueError(
            f"risk must have squared loss and penalty 'second_layer_l1' or None; got {risk.loss!r}, {risk.penalty!r}"
        )
    out = []
    for name, theta in zip(("theta_a", "theta_b"), thetas):
        theta = check.vector(theta, net.size, name)
        norms = risk.row_norms(theta)
        if risk.penalty is not None and (norms > 1 + gamma(net.widths[0] + 8)).any():
            raise ValueError(
                f"{name} must have rows of W_1 in the unit ball (eq. 6); row {int(norms.argmax())} has norm "
                f"{norms.max():.6g}. theory.relu_paths.into_ball(network, theta) is the same function inside it"
            )
        out.append(theta)
    return out


def into_ball(network: Network, theta: ArrayLike) -> Array:
    """The same function (P,) with rows of W_1 of norm at most one: longer rows are shortened, outgoing weights grow."""
    theta = check.vector(theta, check.instance(network, "network", Network).size)
    norms = check.no_overflow(length(network.weights(theta)[0]), "theta")
    return network.rescale(theta, 1, 1 / np.maximum(norms * (1 + gamma(network.widths[0] + 8)), 1.0))


def features(risk: Risk, theta: Array) -> Array:
    """Z (N, m) = relu(X W_1^T)."""
    return np.maximum(risk.sample.X @ risk.network.weights(theta)[0].T, 0)


def second_layer_of(risk: Risk, theta: Array) -> Array:
    """W_2 (1, m) of theta."""
    return risk.network.weights(theta)[1]


def labelled(path: Path, number: str) -> Path:
    """The path with a prefix on every label: the number of the subpath in the paper."""
    return Path(path.points, tuple(f"{number} {label}".strip() for label in path.labels))


def line(theta_0: Array, theta_1: Array, label: str) -> Path:
    """One straight piece with this label; no piece at all when the ends agree."""
    return Path(theta_0[None]) if np.array_equal(theta_0, theta_1) else Path(np.stack([theta_0, theta_1]), (label,))
