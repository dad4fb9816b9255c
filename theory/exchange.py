"""N + 1 units in every hidden layer: all level sets are connected, at any depth, by exchanging one unit at a time.

kappa = 0, any activation, depth, number of outputs and loss that is convex in the output. Let the features that layer k
can have on the sample span at most d_k dimensions (N, at most) and m_k >= d_k + 1; where layer k + 1 has biases the
constant counts among them and m_k >= d_k is enough. Then any two nets A, B are joined by pieces in one layer each:

1. *Reduce* B, bottom up: while the used features of a layer are dependent, one unit is freed. What is left is
   independent, at most d_k units, which read one another only.
2. *Exchange* into A, bottom up (Steinitz). Say b_1..b_p are in layer k already. Its m_k features are dependent, and no
   dependency lives on the b's alone, since they are B's own features: so some other unit can be freed, and the next unit
   of B is placed there, reading the copies of B's units below. The function is still A's.
3. *Refit* W_K to B's weights on the b's; clear the rest from the top; permute; B's reduction backwards.

The function on the sample is constant on every piece but the refit, where the risk is convex: the larger end is the
maximum, up to rounding, which `report` bounds. With as many units as dimensions it can fail: with X = +-1, Y = X and two
units the two nets of zero risk are separated by a barrier of 1/2 (`theory.barriers.permutation_barrier`).

Source: ours; paper_notes.md, plus-one and deep-exchange. N + 1 for one wide layer: Nguyen 2021; the threshold for
polynomial features: Venturi, Bandeira, Bruna 2018; permutations around an idle unit: Simsek et al. 2021.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from theory.crossing import reading
from theory.maxima import PathMaximum, path_maximum
from theory.moves import Units, Walk
from theory.networks import Network
from theory.numerics import EPS, Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk, Sample

# Features of B at a distance s from dependent ones: freeing a unit all the same costs s, keeping it lets weights grow as
# 1/s and costs EPS/s. B is reduced up to rounding, then more boldly (at last beyond sqrt(EPS), where units of A cannot be
# held fast) while the vertices exceed the larger end by more than ENOUGH, relatively; the best walk is kept.
LOOSE, ENOUGH = 1e-11, 1e-12

# A certified maximum need not be told closer from the larger end, and each piece may use so many cells.
RISE, CELLS = 1e-9, 2_000


@dataclass(frozen=True)
class Report:
    """What a path achieved: maximum, certified; ends, the risks at A and B; largest_weight on the path, in modulus.

    excess = maximum.upper - max(ends): by how much the path may exceed its larger end, rounding included.
    """

    maximum: PathMaximum
    ends: tuple[float, float]
    excess: float
    largest_weight: float


def connect(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike) -> Path:
    """A path from theta_a to theta_b (P,) on which the risk never exceeds that of the larger end, up to rounding.

    risk: kappa = 0 and identity output; any depth, activation, convex loss. Each piece moves one layer. ValueError when a
    hidden layer has fewer units than `units_needed`: which one, how many it needs, and that level sets can be
    disconnected there.

    >>> from theory.risk import Sample
    >>> F = Risk(Network((1, 3, 1)), Sample([[1.0], [-1.0]], [[1.0], [-1.0]]))
    >>> path = connect(F, [1, -1, 0, 1, -1, 0], [-1, 1, 0, -1, 1, 0])  # two nets of zero risk, units swapped
    >>> report(F, path).maximum.upper < 1e-15
    True
    """
    X, ends = _checked(risk, theta_a, theta_b)
    if np.array_equal(ends[0], ends[1]):
        return Path(ends[0][None])
    level, least, best, refusal = max(map(risk, ends)), np.inf, None, None
    for tolerance in (0.0, LOOSE, 2 * max(risk.network.widths) * EPS**0.5):
        try:
            path = _walked(risk, X, ends, tolerance)
        except ValueError as error:  # features of B that are nearly dependent hold A's units fast
            refusal = error
            continue
        excess = float(risk.batch(path.points).max()) - level
        if best is None or excess < least:
            least, best = excess, path
        if excess <= ENOUGH * (level + risk.sample.energy):
            break
    if best is None:
        raise ValueError(f"no walk was found: {refusal}") from refusal
    return best


def report(risk: Risk, path: Path, *, rise: float = RISE) -> Report:
    """The certified maximum of a path against its ends.

    rise: a bound that is above the larger end by at most this, relatively to it and to E|Y|^2, is not refined further;
    where it cannot be had the status of the maximum says so. ValueError as `theory.maxima.path_maximum`.
    """
    rise = check.number(rise, "rise", minimum=0.0)
    points = check.parameters(
        check.instance(path, "path", Path).points, check.instance(risk, "risk", Risk).network.size, "path"
    )
    ends = float(risk(points[0])), float(risk(points[-1]))
    ceiling = max(ends) + rise * (max(ends) + risk.sample.energy)
    maximum = path_maximum(risk, path, ceiling=ceiling if np.isfinite(ceiling) else None, budget=CELLS)
    return Report(maximum, ends, maximum.upper - max(ends), float(np.abs(points).max()))


def units_needed(network: Network, sample: Sample) -> int:
    """How many units are enough in every hidden layer: d + 1, or d where the next layer has biases.

    d: the number of samples that differ; of rays they lie on, for relu without biases, whose features are known on a ray
    when they are known at one point of it; for identity activation at most n_in, with biases n_in + 1.
    ValueError when network and sample do not go together.
    """
    return _needed(check.instance(network, "network", Network), check.instance(sample, "sample", Sample))[0]


def permute_path(network: Network, theta: ArrayLike, orders: Sequence[Units]) -> Path:
    """From theta (P,) to a permuted copy of it, the function constant at every x: one idle unit in a layer is enough.

    orders: one permutation for each hidden layer, as `Network.permute` takes them, applied from the bottom. The path
    ends exactly there. ValueError when a layer that is to be permuted has no idle unit: one must be freed first (or
    added: "plus one").

    >>> net = Network((1, 3, 1))
    >>> permute_path(net, [1, -1, 5, 2, 3, 0], [[1, 0, 2]]).points[-1].tolist()
    [-1.0, 1.0, 5.0, 3.0, 2.0, 0.0]
    """
    hidden = len(check.instance(network, "network", Network).hidden)
    if isinstance(orders, str) or not np.iterable(orders) or len(orders) != hidden:
        raise ValueError(f"orders must hold one permutation for each of the {hidden} hidden layers; got {orders!r}")
    for width, order in zip(network.hidden, orders):
        if sorted(np.ravel(np.asarray(order, dtype=object)).tolist(), key=repr) != sorted(range(width), key=repr):
            raise ValueError(
                f"orders must hold a permutation of 0..{width - 1} for its layer; got {check.describe(order)}"
            )
    walk = Walk(network, theta, np.zeros((1, network.widths[0])))
    for layer, order in enumerate(orders, start=1):
        walk.permute(layer, check.finite_array(order, f"orders[{layer - 1}]", ndim=1))
    return walk.path


def _checked(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike) -> tuple[Array | None, list[Array]]:
    """The sample points that decide (None: the function is kept everywhere) and both ends (P,)."""
    network = check.instance(risk, "risk", Risk).network
    if risk.kappa > 0:
        raise ValueError(f"risk must have kappa = 0; got {risk.kappa}. With one hidden layer theory.pivots connects")
    if network.output != "identity":
        raise ValueError(f"risk.network must have identity output, so that refits are convex; got {network.output!r}")
    ends = [check.vector(theta_a, network.size, "theta_a"), check.vector(theta_b, network.size, "theta_b")]
    needed, X = _needed(network, risk.sample, min(network.hidden, default=0))
    for layer, width in enumerate(network.hidden, start=1):
        if width < needed:
            raise ValueError(
                f"hidden layer {layer} has {width} units, and {needed} are needed: with fewer, level sets can be "
                "disconnected. Add idle units (outgoing weights zero), or ask theory.barriers for a lower bound"
            )
    return X, ends


def _needed(network: Network, sample: Sample, enough: int = 0) -> tuple[int, Array | None]:
    """Units needed in every layer, and the inputs (d, n_in) at which the features must be known: None for all of R^n.

    enough: a number of units below which it is not lowered further.
    """
    X = np.unique(sample.X[sample.weights > 0], axis=0)
    needed = len(X) + 1 - network.bias
    if network.activation == "identity" and network.widths[0] + 1 <= needed:
        return network.widths[0] + 1, None
    if network.activation == "relu" and not network.bias and needed > enough:
        X = _one_per_ray(X)
        needed = int(X.any(axis=1).sum()) + 1
    return needed, X


def _one_per_ray(X: Array) -> Array:
    """One of the rows of X (N, n) for each ray {c x: c > 0} that they lie on, decided exactly."""
    found: dict[tuple[Fraction, ...], Array] = {}
    for x in X:
        largest = Fraction(float(np.abs(x).max()))
        found.setdefault(tuple(Fraction(v) / (largest or 1) for v in x.tolist()), x)
    return np.stack(list(found.values()))


def _walked(risk: Risk, X: Array | None, ends: list[Array], tolerance: float) -> Path:
    """Reduce B, exchange, join; tolerance: up to which features of B count as dependent."""
    on_sample = X is not None and risk.network.activation == "identity"
    host = Walk(risk.network, ends[0], X, on_sample=on_sample)
    guest = Walk(risk.network, ends[1], X, on_sample=on_sample, tolerance=tolerance)
    _exchange(host, guest, _reduce(guest))
    return host.path + guest.path.reversed()


def _reduce(walk: Walk) -> list[Array]:
    """Free units until the used features of each layer are independent, rows of idle units zero; the used ones, per layer."""
    hidden = range(1, walk.network.depth)
    for layer in hidden:
        walk.free_many(layer)  # as many as one piece can, then one by one
        while True:
            busy = np.setdiff1d(np.arange(walk.network.widths[layer]), walk.idle(layer))
            if busy.size == 0 or walk.rank(layer, busy) == busy.size + walk.network.bias:
                break
            walk.free(layer, among=busy)
        _clear(walk, layer, walk.idle(layer))
    for layer in reversed(hidden):  # the last reader of a unit may have gone after it
        _clear(walk, layer, walk.idle(layer))
    return [np.setdiff1d(np.arange(walk.network.widths[layer]), walk.idle(layer)) for layer in hidden]


def _exchange(walk: Walk, guest: Walk, used: list[Array]) -> None:
    """Bring the used units of `guest` into the walk's net, one by one, and end where guest stands."""
    network, below, at = walk.network, np.arange(walk.network.widths[0]), np.arange(walk.network.widths[0])
    slots: list[Array] = []
    for layer, units in enumerate(used, start=1):
        walk.free_many(layer)
        rows, others = guest.incoming(layer), np.arange(network.widths[layer])
        mine: list[int] = []
        for i in units:
            slot = walk.free(layer, among=np.setdiff1d(others, mine))
            walk.place(layer, [slot], reading(rows[[i]], below, at, network.bias))
            mine.append(slot)
        below, at = units, np.array(mine, dtype=int)
        slots.append(at)
    last = network.depth - 1
    W_K = guest.network.weights(guest.theta)[last]
    walk.refit(last, reading(W_K, below, at, network.bias), "refit across")
    for layer in range(last, 0, -1):
        _clear(walk, layer, np.setdiff1d(np.arange(network.widths[layer]), slots[layer - 1]))
    for layer, (units, at) in enumerate(zip(used, slots), start=1):
        order = np.full(network.widths[layer], -1)
        order[units] = at
        order[order < 0] = np.setdiff1d(np.arange(network.widths[layer]), at)
        walk.permute(layer, order)


def _clear(walk: Walk, layer: int, units: Array) -> None:
    """Rows of idle units to zero."""
    if units.size:
        walk.place(layer, units, np.zeros((units.size, walk.incoming(layer).shape[1])))
