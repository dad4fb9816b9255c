"""Proposition 2.2 by moves around idle units: every net to W_j = [I 0; 0 0], W_K = [M 0], at constant risk."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.linear_paths.problem import _reorder, _transposed, transpose
from theory.moves import EPS, Walk
from theory.networks import Network
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk


def canonical(network: Network, theta: ArrayLike) -> Path:
    """The path at constant function from theta to W_j = [I 0; 0 0], W_K = [M 0] (its transpose when n_in > n_out).

    Needs hidden widths >= min(n_in, n_out) + 1 (with biases n_in + 1). No assumption on ranks.
    """
    start = check.parameters(theta, network.size)
    if not _transposed(network):
        walk = Walk(network, start)
        for layer in range(1, network.depth):
            arrange(walk, layer, np.eye(network.widths[0], network.widths[layer - 1]))
        return walk.path
    flipped, order = transpose(network)
    return _reorder(canonical(flipped, start[order]), np.argsort(order))


def arrange(walk: Walk, layer: int, basis: Array) -> None:
    """Bring the units of a layer to rows `basis` (q, n), then zero rows, at constant function; `walk` is moved on.

    Every unit must compute a combination of the q independent features that the rows of `basis` give (plus, with
    biases, a constant), and the layer must have more than q units. Each round frees as many of the units 0..q-1 as one
    piece can and places their rows; when all of those are needed, the missing rows are first placed in spare units.
    """
    width, columns = walk.network.widths[layer], walk.incoming(layer).shape[1]
    rows = np.zeros((width, columns))
    rows[: len(basis), : basis.shape[1]] = basis
    missing = np.arange(len(basis))
    spare = np.arange(len(basis), width)
    lodgers: dict[int, int] = {}  # basis row -> spare unit that holds a copy of it
    while missing.size:
        freed = walk.free_many(layer, among=missing)
        if freed.size:
            walk.place(layer, freed, rows[freed])
            leaving = [i for i in freed.tolist() if i in lodgers]
            if leaving:
                walk.transfer(layer, [lodgers[i] for i in leaving], leaving)
                lodgers = {i: s for i, s in lodgers.items() if i not in leaving}
            missing = np.setdiff1d(missing, freed)
            continue
        empty = np.setdiff1d(spare, list(lodgers.values()))
        rooms = walk.free_many(layer, among=empty)
        guests = [i for i in missing.tolist() if i not in lodgers][: len(rooms)]
        if not guests:
            raise ArithmeticError(f"layer {layer}: no unit can be freed; the features exceed the {len(basis)} given")
        walk.place(layer, rooms[: len(guests)], rows[guests])
        lodgers.update(zip(guests, rooms[: len(guests)].tolist()))
    while not np.isin(spare, idle := walk.idle(layer)).all():
        freed = walk.free_many(layer, among=spare)
        if len(freed) <= np.isin(spare, idle).sum():
            raise ArithmeticError(f"layer {layer}: the features exceed the {len(basis)} given")
        walk.place(layer, freed, rows[freed])
    walk.place(layer, spare, rows[spare])


def rounding_allowance(risk: Risk, path: Path) -> float:
    """How far rounding may move the risk of a vertex of a function-preserving path from that of its end.

    A free or transfer changes an entry of V Z by at most a few h EPS of (|V| |Z|) (h units are summed over, in the null
    vector and in the product), so after `pieces` of them the outputs are off by at most 8 pieces h EPS times
    S = |W_K| ... |W_1| |x|. Squared loss doubles that times |Y| + S, absolute loss passes it on; evaluating the risk
    adds its own (N + 4 K h) EPS.
    """
    network = Network(risk.network.widths, activation="identity", bias=risk.network.bias)
    size = network(np.abs(path.points), np.abs(risk.sample.X)) + np.abs(risk.sample.Y)
    reach = 2 * size**2 if risk.loss == "squared" else size
    total = float(np.max(reach.sum(axis=-1) @ risk.sample.weights))
    width = max(network.widths)
    return (8 * len(path) * width + len(risk.sample) + 4 * network.depth * width) * EPS * total


def _join(network: Network, a: Array, b: Array) -> Path:
    first, second = canonical(network, a), canonical(network, b)
    ends = np.stack([first.points[-1], second.points[-1]])
    middle = Path(ends, ("straight between the canonical forms",)) if not np.array_equal(*ends) else Path(ends[:1])
    return first + middle + second.reversed()
