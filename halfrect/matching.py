"""Units of one net matched with units of the other by their weights: the renaming under which they are closest.

A local optimum of |theta_a - P theta_b| over permutations P, one layer at a time by the assignment problem, as in
Ainsworth, Hayase & Srinivasa 2023. The renamed net is the same function; a path to it is no path to net_b itself.
"""

from __future__ import annotations

import numpy as np

from theory.networks import Network
from theory.numerics import Array

SWEEPS = 20  # over all hidden layers; the distance falls in each, and mostly settles in three


def aligned(network: Network, theta_a: Array, theta_b: Array) -> Array:
    """theta_b (P,) with its hidden units renamed so that no layer's renaming brings it closer to theta_a (P,)."""
    for _ in range(SWEEPS):
        before = theta_b
        for layer in range(1, network.depth):
            theta_b = network.permute(theta_b, layer, _order(network, theta_a, theta_b, layer).tolist())
        if np.array_equal(before, theta_b):
            break
    return theta_b


def _order(network: Network, theta_a: Array, theta_b: Array, layer: int) -> Array:
    """Which unit of b stands best in each place of a layer: rows and outgoing columns agree most."""
    from scipy.optimize import linear_sum_assignment

    A, B = network.weights(theta_a), network.weights(theta_b)
    width = network.widths[layer]
    agreement = A[layer - 1] @ B[layer - 1].T + A[layer][:, :width].T @ B[layer][:, :width]
    best = linear_sum_assignment(agreement, maximize=True)[1]
    stay = np.arange(width)
    return best if agreement[stay, best].sum() > agreement[stay, stay].sum() else stay
