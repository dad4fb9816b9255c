"""Barriers with the penalty of eq. (6): what is constant on components when no unit can be spared.

F = E|Phi - Y|^2 + kappa ||W_2||_1, kappa > 0, one output, rows of W_1 in the unit ball, m units. Where F < e(m - 1)
every outgoing weight and every row is nonzero and no two rows are positively parallel: otherwise a unit could be left
out, or two merged into the longer row, at no larger norm. So along a path that stays below e(m - 1)

- the sign of every outgoing weight is constant;
- for n = 2 the cyclic order of the labelled directions is constant, and for n = 1 the sign of every row.

A path that changes one of them climbs to e(m - 1), which is enclosed exactly for m = 1 (no unit: E Y^2) and m = 2
(`theory.barriers.one_direction.one_unit_risk`); beyond, e(infinity) bounds it from below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.barriers.lower_bounds import Barrier, Reason
from theory.barriers.one_direction import one_unit_risk
from theory.barriers.scaling import normalised
from theory.lasso import second_layer
from theory.maxima import path_maximum
from theory.moves import Walk
from theory.networks import Network
from theory.numerics import Array, counterclockwise, exact_rows, float_below, rank
from theory.numerics import validation as check
from theory.oracle import limit
from theory.rays import rays
from theory.risk import Risk, Sample

DIRECTIONS = 96  # directions tried for the second unit of a start


def spared_unit_risk(sample: Sample, kappa: float, width: int) -> float:
    """A lower bound of e(width - 1), in exact arithmetic: tight for width 1, and for width 2 with n <= 2.

    For larger widths, and width 2 with more inputs, e(infinity) from below. One output; kappa > 0; ValueError
    otherwise, and where the sizes of X, Y and kappa are beyond what floats hold.
    """
    width = check.positive_integer(width, "width")
    kappa = check.number(kappa, "kappa", minimum=0.0, open_minimum=True)
    if check.instance(sample, "sample", Sample).n_out != 1:
        raise ValueError(f"sample must have one output, as in eq. (6); got {sample.n_out}")
    sample, kappa, scale = normalised(sample, kappa)
    return scale.below(_spared(sample, kappa, width))


def _spared(sample: Sample, kappa: float, width: int) -> float:
    """`spared_unit_risk` for data of size one."""
    points = rays(sample)
    if width == 1:
        energy = sum((p * y[0] * y[0] for p, y in zip(points.p, points.Y)), points.constant)
        return float_below(energy)
    if width == 2 and (sample.n_in == 2 or len(points) < 2 or rank(points.X) < 2):
        return one_unit_risk(sample, kappa).lower
    return limit(sample, kappa).lower


def penalised_lower_bound(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike) -> Barrier:
    """A certified lower bound on max F over every path from theta_a to theta_b with rows of W_1 in the unit ball.

    One hidden ReLU layer without biases, one output, squared loss, penalty "second_layer_l1" with kappa > 0. What
    separates the ends (Reason.SIGNS, Reason.CYCLE) is read off exactly; with nothing found (Reason.NONE) the bound is
    e(infinity) from below. No path is built. Ends with rows longer than one by rounding (at most 1e-12) are taken, and the
    ball then is as large as their longest row. ValueError for other risks, for longer rows, and where the sizes of X, Y
    and kappa are beyond what floats hold.
    """
    network = check.instance(risk, "risk", Risk).network
    if network.depth != 2 or network.activation != "relu" or network.output != "identity" or network.bias:
        raise ValueError(f"risk must be of one hidden relu layer without biases, identity output; got {network}")
    if risk.loss != "squared" or risk.penalty != "second_layer_l1" or not risk.kappa > 0 or risk.sample.n_out != 1:
        raise ValueError(
            "risk must have squared loss, penalty 'second_layer_l1', kappa > 0 and one output; got "
            f"{risk.loss}, {risk.penalty}, {risk.kappa}, {risk.sample.n_out}"
        )
    ends = []
    for name, theta in zip(("theta_a", "theta_b"), risk.pair(theta_a, theta_b)):
        if not risk.row_norms(theta).max() <= 1 + 1e-12:
            raise ValueError(f"{name} must have rows of W_1 in the unit ball; got norm {risk.row_norms(theta).max()}")
        ends.append(network.weights(theta))
    sample, kappa, scale = normalised(risk.sample, risk.kappa)
    reason = _separation(*ends)
    kappa = _in_the_unit_ball(kappa, np.concatenate([ends[0][0], ends[1][0]]))
    least = limit(sample, kappa).lower if reason is Reason.NONE else _spared(sample, kappa, network.widths[1])
    return Barrier(scale.below(least), np.inf, None, reason)


def _separation(a: list[Array], b: list[Array]) -> Reason:
    """What every path from W_1, V = a to b must change, read off exactly."""
    (W_a, V_a), (W_b, V_b) = a, b
    if (np.sign(V_a) * np.sign(V_b) <= 0).any() or (W_a.shape[1] == 1 and (np.sign(W_a) * np.sign(W_b) <= 0).any()):
        return Reason.SIGNS
    if W_a.shape[1] == 2 and cyclic_order(W_a) != cyclic_order(W_b):
        return Reason.CYCLE
    return Reason.NONE


def _in_the_unit_ball(kappa: float, rows: Array) -> float:
    """The penalty, or less, for which nets with rows in the unit ball are those of `kappa` with rows as long as these.

    Rows w of length at most r with weights v compute the same as w / r with r v, whose penalty is kappa / r of theirs.
    """
    square = max(sum(v * v for v in w) for w in exact_rows(rows))
    return kappa if square <= 1 else float_below(exact_rows([[kappa]])[0][0] / square)


def two_unit_barrier(sample: Sample, kappa: float) -> Barrier:
    """Two units, one output: from a net near the best single unit to the same with its units swapped.

    The path starts at the best unit u* (exactly e(1) with it alone) joined by a second one with refitted weights, gives
    the second one up, swaps round it and takes it up again: its maximum is e(1). `lower` is e(1) as well where the swap
    changes signs; else nothing is known to separate the ends. One or two inputs; ValueError otherwise, and where the
    sizes of X, Y and kappa are beyond what floats hold.
    """
    kappa = check.number(kappa, "kappa", minimum=0.0, open_minimum=True)
    if check.instance(sample, "sample", Sample).n_in > 2:
        raise ValueError(f"sample must have one or two inputs; got {sample.n_in}")
    sample, kappa, scale = normalised(sample, kappa)
    best = one_unit_risk(sample, kappa)
    network = Network((sample.n_in, 2, 1))
    risk = Risk(network, sample, kappa=kappa, penalty="second_layer_l1")
    star = np.array(best.direction)
    fits = [(row, _refit(sample, np.stack([star, row]), kappa)) for row in directions(sample.n_in)]
    opposite = [item for item in fits if sample.n_in == 1 or item[1][0] * item[1][1] < 0]
    row, beta = min(opposite or fits, key=lambda item: risk(network.pack([np.stack([star, item[0]]), item[1][None]])))
    theta = network.pack([np.stack([star, row]), beta[None]])
    walk = Walk(network, theta, sample.X)
    goal = network.permute(theta, 1, [1, 0])
    alone = _refit(sample, star[None], kappa)
    walk.refit(1, np.array([[alone[0], 0.0]]), "give the second unit up")
    walk.permute(1, [1, 0])
    walk.refit(1, network.weights(goal)[1], "take it up again")
    below = penalised_lower_bound(risk, theta, goal)
    upper = scale.above(path_maximum(risk, walk.path).upper)
    return Barrier(scale.below(below.lower), upper, scale.path(network, walk.path), below.reason)


def cyclic_order(rows: Array) -> tuple[int, ...]:
    """The units counterclockwise by the direction of their rows (m, 2), from unit 0 on; exact, none of them zero."""
    order = [k for group in counterclockwise(exact_rows(rows)) for k in group]
    start = order.index(0)
    return tuple(order[start:] + order[:start])


def directions(n: int) -> Array:
    """Unit rows (M, n) to try: both signs for n = 1, a fan of directions for n = 2."""
    if n == 1:
        return np.array([[1.0], [-1.0]])
    t = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def _refit(sample: Sample, rows: Array, kappa: float) -> Array:
    Z = np.maximum(sample.X @ rows.T, 0)
    return second_layer(Z, sample.Y[:, 0], kappa, weights=sample.weights).beta
