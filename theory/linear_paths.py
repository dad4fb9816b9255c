"""Proposition 2.2: paths inside the level sets of linear networks, Phi(x; theta) = W_K ... W_1 x.

kappa = 0, hidden widths >= r + 1 with r = min(n_in, n_out): moves around idle units (`theory.moves`) bring each end to
W_j = [I 0; 0 0], W_K = [M 0] at constant risk, whatever the ranks; between the two one matrix moves, M in a straight
line, and the risk is convex. So the vertices decide, and no vertex is above the larger end but for rounding:

    |risk(vertex) - risk(its end)| <= rounding_allowance(risk, path).

Ridge, one hidden layer: the continuous balanced factorisation of `theory.balanced`. Width exactly r, one hidden
layer: `theory.critical_width` (two components below a barrier that is known exactly). Strictly falling paths:
`theory.linear_descent`. This module says which of them applies, and why none does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory import validation as check
from theory.moves import EPS, Walk
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk

Array = NDArray[Any]


def connect(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, *, rise: float = 1e-9) -> Path:
    """A polyline from theta_a to theta_b, (P,) each, on which the risk stays at most max(F(theta_a), F(theta_b)).

    Linear networks only. Both ends are vertices, bit for bit; equal ends give a path without pieces.

    - kappa = 0, any depth, hidden widths >= r + 1, r = min(n_in, n_out) (with biases n_in + 1): every piece moves one
      matrix and the bound holds up to rounding, for squared and absolute loss.
    - ridge, one hidden layer of width >= r + 1: pieces of two curves are drawn as chords, as many as it takes to stay
      below the larger end times 1 + rise.
    - one hidden layer of width r: as above when the ends are in the same component of the level set.

    ValueError: nonlinear networks, a penalty or depth for which nothing is proved, widths that are not wide enough
    (naming the layer and the width needed), ends in different components (naming the barrier), bad ends.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> net = Network((1, 2, 1), activation="identity")
    >>> F = Risk(net, Sample([[1.0], [2.0]], [[2.0], [4.0]]))
    >>> path = connect(F, [2, 0, 1, 0], [0, -1, 0, -2])  # two factorisations of x -> 2 x
    >>> bool(F.batch(path.points).max() < 1e-20)
    True
    """
    check_linear(risk)
    a, b = _ends(risk, theta_a, theta_b)
    rise = check.number(rise, "rise", minimum=0.0, open_minimum=True)
    if np.array_equal(a, b):
        return Path(a[None])
    depth, kappa = risk.network.depth, risk.kappa
    if depth == 1:
        return Path(np.stack([a, b]), ("straight: the risk is convex",))
    if kappa > 0 and depth > 2:
        raise ValueError(
            f"kappa must be 0 for {depth} matrices; got {kappa}. With ridge and depth >= 3 the origin is always a strict "
            "local minimum and level sets are disconnected for small kappa: use kappa = 0 or one hidden layer"
        )
    if depth == 2 and is_critical(risk):
        from theory.critical_width import connect_at_critical_width

        return connect_at_critical_width(risk, a, b, rise)
    check_widths(risk)
    if kappa > 0:
        from theory.balanced import connect_ridge

        return connect_ridge(risk, a, b, rise)
    return _join(risk.network, a, b)


def descend(risk: Risk, theta: ArrayLike) -> Path:
    """A path from theta (P,) to the lowest level on which the risk never rises; see `theory.linear_descent`."""
    from theory.linear_descent import descend as falling

    return falling(risk, theta)


def barrier(risk: Risk):
    """The exact barrier between the two orientations at critical width; see `theory.critical_width.barrier`."""
    from theory.critical_width import barrier as exact

    return exact(risk)


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


def transpose(network: Network) -> tuple[Network, Array]:
    """The network of transposes, W_1^T last, and the order such that theta[order] are its parameters."""
    index = network.weights(np.arange(network.size))
    order = np.concatenate([W.T.ravel() for W in reversed(index)]).astype(int)
    return Network(network.widths[::-1], activation="identity"), order


def _join(network: Network, a: Array, b: Array) -> Path:
    first, second = canonical(network, a), canonical(network, b)
    ends = np.stack([first.points[-1], second.points[-1]])
    middle = Path(ends, ("straight between the canonical forms",)) if not np.array_equal(*ends) else Path(ends[:1])
    return first + middle + second.reversed()


def _reorder(path: Path, order: Array) -> Path:
    return Path(path.points[:, order], path.labels)


def _transposed(network: Network) -> bool:
    return network.widths[0] > network.widths[-1] and not network.bias


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
