"""Two nets side by side: from one to another whose used units fit into its idle slots, by moves and one refit.

A unit is *used* when the output reads it. B's used units are placed in idle slots of A, the lowest layer first, at home where
home is idle; W_K moves straight from A's units to B's; now A's are idle, the lodgers go home and every row becomes that of
B. The function is constant but for the refit, where it goes straight from A's to B's, so the larger end decides: these are
subpaths (3) and (4) of Theorem 2.4, at every depth.

Source: ours, written out in paper_notes.md, thm-2.4 and multilayer-2.4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.moves import Walk
from theory.networks import Network
from theory.numerics import Array
from theory.numerics import validation as check


def cross(walk: Walk, theta_b: ArrayLike, label: str = "refit across") -> None:
    """From where `walk` stands on to theta_b (P,), whose used units fit beside those in use here; label: of the refit.

    ValueError when in some layer (units used here) + (units used by B) exceed the width.
    """
    net, target = walk.network, check.vector(theta_b, walk.network.size, "theta_b")
    if np.array_equal(target, walk.theta):
        return
    B, wanted = net.weights(target), [np.flatnonzero(used) for used in used_units(net, target)]
    for layer in range(net.depth - 1, 1, -1):
        _clear(walk, layer, np.flatnonzero(used_units(net, walk.theta)[layer - 1]))
    wanted.insert(0, np.arange(net.widths[0]))
    slots = [wanted[0]]
    for layer in range(1, net.depth):
        slots.append(_lodge(walk, layer, wanted[layer]))
        rows = reading(B[layer - 1][wanted[layer]], wanted[layer - 1], slots[layer - 1], net.bias)
        walk.place(layer, slots[layer], rows)
    walk.refit(net.depth - 1, reading(B[-1], wanted[-1], slots[-1], net.bias), label)
    for layer in range(net.depth - 1, 1, -1):
        _clear(walk, layer, slots[layer])
    for layer in range(1, net.depth):
        _bring_home(walk, layer, slots[layer], wanted[layer], B[layer - 1])


def used_units(network: Network, theta: ArrayLike) -> list[Array]:
    """For each hidden layer 1..K-1 a mask (h,): the units that the output reads through nonzero weights of theta (P,)."""
    check.instance(network, "network", Network)
    masks: list[Array] = []
    reader = np.ones(network.widths[-1], dtype=bool)
    for W in reversed(network.weights(theta)[1:]):
        reader = np.any(W[reader][:, : W.shape[1] - network.bias] != 0, axis=0)
        masks.insert(0, reader)
    return masks


def reading(rows: Array, units: Array, slots: Array, bias: bool) -> Array:
    """The rows (r, h) with their entries at units (u,) moved to slots (u,), a bias kept, and nothing read elsewhere."""
    moved = np.zeros_like(rows)
    moved[:, slots] = rows[:, units]
    if bias:
        moved[:, -1] = rows[:, -1]
    return moved


def _lodge(walk: Walk, layer: int, wanted: Array) -> Array:
    """Idle slots for the units `wanted` of another net: home where that is idle."""
    idle, width = walk.idle(layer), walk.network.widths[layer]
    rooms, displaced = np.setdiff1d(idle, wanted), ~np.isin(wanted, idle)
    if displaced.sum() > len(rooms):
        raise ValueError(
            f"crossing needs (units used here) + (units used by theta_b) <= {width} in layer {layer}; "
            f"got {width - len(idle)} + {len(wanted)}"
        )
    slots = wanted.copy()
    slots[displaced] = rooms[: displaced.sum()]
    return slots


def _clear(walk: Walk, layer: int, keep: Array) -> None:
    """Rows of all units but `keep`, which are idle, to zero: what they read becomes idle below."""
    rest = np.setdiff1d(np.arange(walk.network.widths[layer]), keep)
    if rest.size:
        walk.place(layer, rest, np.zeros((rest.size, walk.network.shapes[layer - 1][1])))


def _bring_home(walk: Walk, layer: int, slots: Array, home: Array, rows: Array) -> None:
    """Units in `slots` to `home`; then the other units, idle ones, get their `rows` (h, n_{layer-1})."""
    away = slots != home
    if away.any():
        walk.place(layer, home[away], walk.incoming(layer)[slots[away]])
        walk.transfer(layer, slots[away], home[away])
    rest = np.setdiff1d(np.arange(len(rows)), home)
    if rest.size:
        walk.place(layer, rest, rows[rest])
