"""Rows of W_1 to norm one at no risk: the piece that Theorem 2.4 leaves out before subpath (1) and after subpath (6).

F = E (Y - b Z(W))^2 + kappa |b|_1 with rows in the unit ball: a longer row w -> r w with b -> b / r is the same function
with a smaller penalty, but no straight line. Either the unit moves to an idle one that has the longer row already, or
rows and weights move together in pieces so short that the penalty falls faster than the fit can rise.
"""

from __future__ import annotations

import numpy as np

from theory.moves import Walk
from theory.numerics import Array, direction, gamma
from theory.numerics import validation as check
from theory.paths import Path
from theory.relu_paths.problem import features
from theory.relu_paths.sparsify import best_second_layer
from theory.risk import Risk

# Normalising along rays takes at most so many pieces, and so many numbers for all of them.
PIECES, NUMBERS = 2**16, 20_000_000


def to_unit_rows(risk: Risk, theta: Array) -> Path:
    """From theta to the same function with rows of norm one, in the unit ball; the risk stays below its start (but see NUMBERS).

    Only for kappa > 0 (without a penalty the length of a row is a gauge and nothing moves but zero rows). Zero rows
    lose their weight and become the first basis vector, then the second layer is refitted. With an idle unit every
    other one moves to a hole of norm one (place and transfer; units change places). Without one, pieces with
    rows w_i -> r_i w_i and b_i -> b_i / r_i are taken, on which

        F(t) = F(0) + t (2 (1-t) E (f - Y) g + t (1-t)^2 E g^2 - kappa sum |b_i| (1 - 1/r_i)),   g = sum b_i (r_i - 1)^2 / r_i z_i,

    so F(t) <= F(0) when 2 max(0, E (f - Y) g) + 4/27 E g^2 <= kappa sum |b_i| (1 - 1/r_i). From a second layer that is
    optimal for these rows E (f - Y) g <= 0, and few pieces do: their number grows like kappa^(-1/3). Where PIECES or
    NUMBERS would not do, the shortest pieces that they allow are taken, and the risk may rise by a little.
    """
    net, sample = check.instance(risk, "risk", Risk).network, risk.sample
    walk = Walk(net, theta, sample.X)
    check.no_overflow(risk(walk.theta), "theta")
    zero = np.flatnonzero(risk.row_norms(theta) == 0)
    if zero.size:
        V = walk.outgoing(1).copy()
        V[:, zero] = 0.0
        walk.refit(1, V, "drop units with zero rows")
        walk.place(1, zero, np.tile(np.eye(1, net.widths[0]), (zero.size, 1)))
    if risk.kappa == 0 or not _short(risk, walk.theta).any():
        return walk.path
    walk.refit(1, net.weights(best_second_layer(risk, walk.theta))[1], "refit before normalising")
    if walk.idle(1).size:
        _through_holes(risk, walk)
        return walk.path
    return _along_rays(risk, walk.path)


def _short(risk: Risk, theta: Array) -> Array:
    """Which rows do not have norm one, up to rounding (m,)."""
    return np.abs(risk.row_norms(theta) - 1) > gamma(risk.network.widths[0] + 8)


def _through_holes(risk: Risk, walk: Walk) -> None:
    """Every used unit with a short row moves to an idle one with the same row at norm one; idle rows end at norm one."""
    W = walk.incoming(1) / risk.row_norms(walk.theta)[:, None]
    holes = walk.idle(1)
    spare = W[holes]
    short = np.setdiff1d(np.flatnonzero(_short(risk, walk.theta)), holes)
    for k in range(0, short.size, holes.size):
        batch = short[k : k + holes.size]
        slots, rest = holes[: batch.size], holes[batch.size :]
        walk.place(1, slots, W[batch])
        walk.transfer(1, batch, slots)
        holes = np.append(batch, rest)
    walk.place(1, holes, spare)


def _along_rays(risk: Risk, path: Path) -> Path:
    net, at = risk.network, path.points[-1]
    short, W = _short(risk, at), net.weights(at)[0]
    log_ratio = np.where(short, -np.log(np.maximum(risk.row_norms(at), np.finfo(float).tiny)), 0.0)
    done, share = 0.0, 1.0
    shortest = max(1 / PIECES, at.size / NUMBERS)
    goal = np.where(short[:, None], direction(W), W)
    points = [*path.points]
    while done < 1:
        share = min(share, 1 - done)
        while not _stays_below(risk, at, np.exp(share * log_ratio)) and share > shortest:
            share /= 2
        W, V = net.weights(at)
        r = np.exp(share * log_ratio)
        at = net.pack([goal if done + share == 1 else W * r[:, None], V / r])
        points.append(at)
        done, share = done + share, 2 * share
    return Path(np.stack(points), path.labels + ("normalise rows",) * (len(points) - len(path.points)))


def _stays_below(risk: Risk, theta: Array, r: Array) -> bool:
    """The sufficient condition of `to_unit_rows` for one piece; what overflows is not known to stay."""
    p, V = risk.sample.weights, risk.network.weights(theta)[1][0]
    Z = features(risk, theta)
    with np.errstate(over="ignore", invalid="ignore"):
        error = Z @ V - risk.sample.Y[:, 0]
        g = Z @ (V * (r - 1) ** 2 / r)
        gain = risk.kappa * float(np.abs(V) @ (1 - 1 / r))
        rise = 2 * float(np.maximum(p @ (error * g), 0.0)) + 4 / 27 * float(p @ g**2)
    return rise <= gain < np.inf
