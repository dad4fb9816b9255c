"""The routes that are sharper than the printed path of Theorem 2.4, each built of moves around idle units.

straight      one piece; no theorem
permutation   theta_b reorders the units of theta_a, m >= N + 1 (or dependent features): never above F(theta_a)
caratheodory  m >= 2N (or few enough independent features): never above the larger end, any kappa >= 0
maurey        kappa > 0, m >= 2: never above lambda + zeta^2 B^2 / floor(m/2), B = min(lambda, E Y^2/2) / kappa
drop          kappa > 0: never above max(F(net of l units), lambda + zeta^2 (l B / m)^2), for the best l

*Drop.* At the best second layer 2 E (Y - f) z_i = kappa sign(b_i) for the units in use, so dropping a set S of them
changes F by exactly E g^2, g = sum_S b_i z_i: the first order and the saved penalty cancel. The l units with the least
|b_i| have sum_S |b_i| <= l |b|_1 / m, so E g^2 <= zeta^2 (l B / m)^2. The net of l units goes into the idle slots.
At a fixed level above e(infinity) a fixed l does, and the excess is O(m^-2).

Each route takes `found`, the two nets with what several routes need, and raises `Impossible` when a hypothesis fails.

Section 2.3.3; paper_notes.md, sharper-maurey and sharper-drop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.crossing import cross
from theory.moves import Walk
from theory.numerics import Array
from theory.paths import Path
from theory.relu_paths import problem, sparsify
from theory.relu_paths.candidates import Candidates
from theory.relu_paths.problem import Impossible, checked, labelled, second_layer_of
from theory.risk import Risk

# Beyond this many (sample, unit) pairs the straight line is costlier than moves, and dependent features are looked for
# only where m >= 2N promises them.
LARGE = 2_000_000


def matching(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike) -> list[int] | None:
    """order with theta_b == network.permute(theta_a, 1, order), exactly; None when there is none."""
    theta_a, theta_b = checked(risk, theta_a, theta_b)
    units = [np.column_stack([W, V[0]]) for W, V in map(risk.network.weights, (theta_a, theta_b))]
    sorts = [np.lexsort(unit.T[::-1]) for unit in units]
    if not np.array_equal(units[0][sorts[0]], units[1][sorts[1]]):
        return None
    order = np.empty(len(units[0]), dtype=int)
    order[sorts[1]] = sorts[0]
    return [int(k) for k in order]


def straight(found: Candidates) -> Path:
    """One piece."""
    return problem.line(*found.ends, "straight")


def permutation(found: Candidates) -> Path:
    """Free as many units as the features allow, cross or go round an idle one, and free backwards."""
    risk, (a, b) = found.risk, found.ends
    net, order = risk.network, matching(risk, a, b)
    if order is None:
        raise Impossible("route 'permutation' needs theta_b to be a reordering of the hidden units of theta_a, exactly")
    walk = _lean(risk, a)
    down, used = walk.path, _in_use(risk, walk.theta)
    if used == net.widths[1]:
        raise Impossible(
            f"route 'permutation' needs m >= N + 1, an idle unit or linearly dependent features; got m = {net.widths[1]}, "
            f"N = {len(risk.sample)} and {used} independent features"
        )
    middle = Walk(net, walk.theta, risk.sample.X)
    if 2 * used <= net.widths[1]:
        cross(middle, net.permute(walk.theta, 1, order))
    else:
        middle.permute(1, order)
    up = Path(net.permute(down.points, 1, order), down.labels).reversed()
    return labelled(down, "A:") + middle.path + labelled(up, "B:")


def caratheodory(found: Candidates) -> Path:
    """The same functions on few units, side by side."""
    risk, m, N = found.risk, found.risk.network.widths[1], len(found.risk.sample)
    if N * m > LARGE and m < 2 * N:
        raise Impossible(f"route 'caratheodory' needs m >= 2N on a problem of this size; got m = {m}, N = {N}")
    halves = [_lean(risk, theta) for theta in found.ends]
    used = [_in_use(risk, half.theta) for half in halves]
    if sum(used) > m:
        raise Impossible(
            f"route 'caratheodory' needs m >= 2N, or independent features of both nets that fit together; got "
            f"m = {m}, N = {N}, independent features {used[0]} + {used[1]}"
        )
    return _joined(risk, *halves)


def maurey(found: Candidates) -> Path:
    """The best second layers, then at most floor(m/2) units of each by tosses, side by side."""
    risk, half = found.risk, found.risk.network.widths[1] // 2
    if risk.kappa == 0 or half == 0:
        raise Impossible(
            f"route 'maurey' needs kappa > 0 and m >= 2; got kappa = {risk.kappa}, m = {risk.network.widths[1]}"
        )
    halves = [_fitted(risk, theta) for theta in found.ends]
    for walk in halves:
        walk.refit(1, second_layer_of(risk, sparsify.toss(risk, walk.theta, half)), f"toss down to {half} units")
    return _joined(risk, *halves)


def drop(found: Candidates) -> Path:
    """The best second layers without their least units, and through a net of so many units."""
    risk, m = found.risk, found.risk.network.widths[1]
    if risk.kappa == 0:
        raise Impossible("route 'drop' needs kappa > 0: without a penalty nothing bounds the weights; got kappa = 0")
    paths = []
    for l, net in zip(found.ls, found.oracle_nets(search=True)):
        halves = [_fitted(risk, theta) for theta in found.ends]
        for walk in halves:
            dropped = second_layer_of(risk, walk.theta).copy()
            dropped[0, _least(risk, walk.theta, l + _in_use(risk, walk.theta) - m)] = 0.0
            walk.refit(1, dropped, f"drop down to {m - l} units")
        paths.append((max(risk(net), *(risk(walk.theta) for walk in halves)), net, halves))
    _, net, (down, up) = min(paths, key=lambda candidate: candidate[0])
    cross(down, net)
    return _joined(risk, down, up)


def _least(risk: Risk, theta: Array, count: int) -> Array:
    """The `count` units in use that add least to the function: least b_i^2 |z_i|^2."""
    b = second_layer_of(risk, theta)[0]
    size = np.abs(b) * np.sqrt(risk.sample.weights @ problem.features(risk, theta) ** 2)
    used = np.flatnonzero(b)
    return used[np.argsort(size[used], kind="stable")[: max(count, 0)]]


def _in_use(risk: Risk, theta: Array) -> int:
    return int(np.count_nonzero(second_layer_of(risk, theta)))


def _fitted(risk: Risk, theta: Array) -> Walk:
    """One piece to the best second layer on the rows of theta."""
    walk = Walk(risk.network, theta, risk.sample.X)
    walk.refit(1, second_layer_of(risk, sparsify.best_second_layer(risk, theta)), "best second layer")
    return walk


def _lean(risk: Risk, theta: Array) -> Walk:
    """One piece to the same function with independent features: its l1 norm and risk do not rise."""
    walk = Walk(risk.network, theta, risk.sample.X)
    lean = sparsify.eliminate(problem.features(risk, theta), second_layer_of(risk, theta)[0])
    walk.refit(1, lean[None], "free dependent units")
    return walk


def _joined(risk: Risk, down: Walk, up: Walk) -> Path:
    """down from A, a crossing, up to B."""
    middle = Walk(risk.network, down.theta, risk.sample.X)
    cross(middle, up.theta)
    return labelled(down.path, "A:") + middle.path + labelled(up.path.reversed(), "B:")
