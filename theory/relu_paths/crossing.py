"""From a net with few units to another one, when both together fit into the width: the middle of every route (Theorem 2.4)."""

from __future__ import annotations

import numpy as np

from theory.moves import Walk
from theory.networks import Network
from theory.numerics import Array
from theory.paths import Path
from theory.relu_paths.problem import Impossible


def cross(network: Network, theta_a: Array, theta_b: Array, X: Array) -> Path:
    """From one net to another whose used units fit into the first one's idle ones: at most five pieces.

    The risk is constant except on one refit between the two second layers, so its maximum is at an end. Units of B
    whose place A occupies lodge elsewhere first. ValueError unless (used by A) + (used by B) <= m.
    """
    walk = Walk(network, theta_a, X)
    W, V = network.weights(theta_b)
    here, there = walk.outgoing(1)[0] != 0, V[0] != 0
    if here.sum() + there.sum() > network.widths[1]:
        raise Impossible(
            f"crossing needs (units used by A) + (units used by B) <= m; got {here.sum()} + {there.sum()} > {network.widths[1]}"
        )
    home, displaced = np.flatnonzero(there & ~here), np.flatnonzero(there & here)
    lodging = np.flatnonzero(~here & ~there)[: displaced.size]
    slots, source = np.append(home, lodging), np.append(home, displaced)
    if slots.size:
        walk.place(1, slots, W[source])
    middle = np.zeros_like(V)
    middle[:, slots] = V[:, source]
    walk.refit(1, middle, "refit across")
    rest = np.setdiff1d(np.arange(network.widths[1]), slots)
    if rest.size:
        walk.place(1, rest, W[rest])
    if displaced.size:
        walk.transfer(1, lodging, displaced)
        walk.place(1, lodging, W[lodging])
    return walk.path
