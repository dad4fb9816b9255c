"""One idle unit in each hidden layer joins all permuted copies of a net, at any depth, the function constant everywhere."""

from __future__ import annotations

import itertools

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory.exchange import permute_path
from theory.moves import Walk
from theory.networks import Network
from theory.paths import Path


def in_integers(network: Network, theta: np.ndarray, X: list[list[int]]) -> list[list[int]]:
    """Outputs of a net with integer parameters at integer inputs, in integers of any size."""
    outputs = []
    for x in X:
        h = x
        for k, W in enumerate(network.weights(theta), start=1):
            h = [sum(int(w) * v for w, v in zip(row, h)) for row in W.tolist()]
            h = [max(v, 0) for v in h] if k < network.depth else h
        outputs.append(h)
    return outputs


def dropped(network: Network, theta: np.ndarray, orders: list[list[int]]) -> Path:
    """The fault: where no unit is idle, the last one of each layer is dropped to make room."""
    walk = Walk(network, theta, np.zeros((1, network.widths[0])))
    for layer, order in enumerate(orders, start=1):
        walk._step(
            layer + 1, walk.outgoing(layer) * (np.arange(network.widths[layer]) < network.widths[layer] - 1), "drop"
        )
        walk.permute(layer, order)
    return walk.path


def attack(setting: Setting, *, idle: bool = True) -> Outcome:
    """Vertices and middles of all pieces have the function of theta, in integers, on points in general position."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(24, 1000))):
        hidden = rng.integers(2, 6, int(rng.integers(1, 4))).tolist()
        network = Network((int(rng.integers(1, 4)), *hidden, int(rng.integers(1, 3))))
        W = [2.0 * rng.integers(-3, 4, shape) for shape in network.shapes]
        for matrix in W[1:]:
            matrix[:, -1] = 0 if idle else 2
        theta = network.pack(W)
        orders = [rng.permutation(m).tolist() for m in hidden]
        path = (permute_path if idle else dropped)(network, theta, orders)
        points, X = path.points, rng.integers(-9, 10, (4, network.widths[0])).tolist()
        wanted = in_integers(network, theta, X)
        same = all(in_integers(network, p, X) == wanted for p in points)
        # even weights, so that middles are integers as well
        same &= all(in_integers(network, (p + q) / 2, X) == wanted for p, q in itertools.pairwise(points))
        goal = theta
        for layer, order in enumerate(orders, start=1):
            goal = network.permute(goal, layer, order)
        same &= not idle or np.array_equal(points[-1], goal)
        tally.add(0.0 if same else -1.0, instance=k, widths=network.widths)
    return tally.outcome("integer nets of one to three hidden layers, any permutations; function compared in integers")


CLAIM = Claim(
    id="plus-one",
    headline="One idle unit in each hidden layer joins all permuted copies of a deep net, at no cost anywhere.",
    fault="no unit is idle, and one is dropped to make room",
    source="ours; Appendix E.1 at any depth. For layers of a minimal net plus one: Simsek et al. 2021, Brea et al. 2019",
    statement="A net of any depth with an idle unit (outgoing weights zero) in each hidden layer is joined to each of its prod m_k! "
    "permuted copies by pieces that move one layer, and the function is the same at every input all along",
    standing=Standing.OURS,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.HOLDS,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, idle=False),
    proof="Copy a unit's row into the hole, move its outgoing weights there: the old place is the new hole. Nobody reads an idle unit, and two "
    "units with equal rows have equal features at every input. Every permutation is a product of such moves, like a fifteen puzzle.",
)
