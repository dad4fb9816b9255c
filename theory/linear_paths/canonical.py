"""Proposition 2.2 by moves around idle units: every net to W_j = [I 0; 0 0], W_K = [M 0], at constant risk.

Why the widths suffice: all features of a linear layer live in n_in dimensions (after transposing), so of h > n_in units
one depends on the others, and `free` makes it idle at no loss. That is where the extra unit is used, and nothing else is.
With biases nothing is transposed, and the constant is one more feature and one more row: again h > n_in.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.linear_paths.problem import LinearProblem, normalised, transpose, turned
from theory.moves import Walk
from theory.networks import Network
from theory.numerics import Array, gamma
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk

# Labels of the pieces that keep the function, and how much of their size rounding may move outputs on them.
KEEPS = ("free", "place", "transfer")
ROUNDING = 2.0**-30


def canonical(network: Network, theta: ArrayLike) -> Path:
    """The path at constant function from theta to W_j = [I 0; 0 0], W_K = [M 0] (its transpose when n_in > n_out).

    Needs hidden widths >= min(n_in, n_out) + 1 (with biases n_in + 1). No assumption on ranks.
    """
    start = check.parameters(theta, network.size)
    if not turned(network):
        walk = Walk(network, start)
        for layer in range(1, network.depth):
            arrange(walk, layer, np.eye(network.widths[0], network.widths[layer - 1]))
        return walk.path
    mirrored, order = transpose(network)
    path = canonical(mirrored, start[order])
    return Path(path.points[:, np.argsort(order)], path.labels)


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
    """How far rounding has moved the risk of a vertex of a function-preserving path from that of its end; a bound.

    On the pieces that keep the function (free, place, transfer) next to either end the outputs of every vertex are
    compared with those of the end, rounding included: outputs off by d change the squared loss by at most
    (2 |residual| + d) d, the absolute loss by d. Whatever moves an output by more than ROUNDING of S = |W_K| ... |W_1| |x|
    is no rounding and gets no allowance. Last comes what `theory.maxima` adds to the risk of a vertex: its outputs are
    known to 8 gamma(n + 8) S for every layer with n inputs, which it counts twice, and then come sums.
    """
    problem, scale = normalised(risk)
    network, sample = problem.risk.network, problem.risk.sample
    thetas = scale.inside(path.points)
    outputs, sizes = network(thetas, sample.X), network(np.abs(thetas), np.abs(sample.X))
    owed = 16 * gamma(sum(network.widths) + 8 * network.depth)

    def moved(off: Array, residual: Array) -> float:
        change = (2 * np.abs(residual) + off) * off if risk.loss == "squared" else off
        return float(np.max(change.sum(axis=-1) @ sample.weights))

    keeps = [label.startswith(KEEPS) for label in path.labels]
    first = keeps.index(False) if False in keeps else len(keeps)
    last = keeps[::-1].index(False) if False in keeps else 0
    drifts = []
    for end, of_end in ((0, slice(0, first + 1)), (-1, slice(len(keeps) - last, None))):
        size = sizes[of_end] + sizes[end]
        drift = np.abs(outputs[of_end] - outputs[end]) + owed * size
        drift = np.where(drift <= ROUNDING * size, drift, 0.0)
        drifts.append(moved(drift, np.abs(outputs[end] - sample.Y) + owed * (sizes[end] + np.abs(sample.Y))))
    reach = sizes + np.abs(sample.Y)
    evaluation = moved(owed * reach, reach)
    sums = moved(reach, np.zeros_like(reach)) * 4 * gamma(sample.Y.size + network.size + 32)
    return scale.above((max(drifts) + evaluation + sums) * (1 + 2.0**-20))


def join(problem: LinearProblem, a: Array, b: Array) -> Path:
    """From a to b, (P,) each, kappa = 0, for a `problem` that is wide: through their canonical forms, the product straight between them."""
    network = problem.risk.network
    first, second = canonical(network, a), canonical(network, b)
    ends = np.stack([first.points[-1], second.points[-1]])
    middle = Path(ends, ("straight between the canonical forms",)) if not np.array_equal(*ends) else Path(ends[:1])
    return first + middle + second.reversed()
