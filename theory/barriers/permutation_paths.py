"""Paths from a net to its hidden permutation: down to one unit fewer, round the idle unit, and up again.

All pieces move one layer only (`theory.moves`), so the risk is constant or convex on each and vertices decide. The
start is chosen: its first units realise, as nearly as `spread` says, the best net with one unit fewer.

Ours: they are the upper ends of the barriers of section 2.3.1 and appendix E.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.linalg import qr

from theory.barriers.dependent_features import Geometry, LeastRisk
from theory.moves import Walk
from theory.networks import Network
from theory.numerics import Array
from theory.paths import Path
from theory.rays import row_norms
from theory.risk import Sample

# How far nu is pushed into the interior of its cone, in turn, when the infimum is not attained: two units then
# differ by about this angle, and their outgoing weights grow like its inverse.
SPREADS = (0.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)


@dataclass(frozen=True, eq=False)
class Start:
    """A net to start from: rows W_1 (m, n), one of which can be given up at little cost.

    outgoing, reduced (n_out, m): the optimal W_2 for all units, and without the last one; reduced_risk: the risk of the
    latter; gain: how far the last unit's features stand out from the span of the others, 0 to 1.
    """

    rows: Array
    outgoing: Array
    reduced: Array
    reduced_risk: float
    gain: float  # how far the last unit's features stand out from the span of the others, 0 to 1


def around(network: Network, sample: Sample, start: Start, order: Sequence[int]) -> Path:
    """The path from the start to its copy with the units reordered (new unit i is old unit order[i])."""
    theta = network.pack([start.rows, start.outgoing])
    end = network.permute(theta, 1, order)
    if list(order) == list(range(network.widths[1])):
        return Path(theta[None])
    walk = Walk(network, theta, sample.X)
    walk.refit(1, start.reduced, "refit without the last unit")
    walk.permute(1, order)
    walk.refit(1, network.weights(end)[1], "refit with every unit")
    return walk.path


def turning(network: Network, sample: Sample, least: LeastRisk, order: Sequence[int], beads: int) -> Path:
    """Three units on the closed feature curve of three points move to each other's places, W_2 refitted at every bead.

    `order` is a 3-cycle, least: `theory.barriers.least_risk` of the points. First each unit crosses one edge of the
    curve, from where one point alone is active to where the next one is (det Z stays away from zero), then it turns on
    with the same feature. Rows and features are both linear in each stage, so between beads the risk is of fourth order
    in their distance.
    """
    alone = np.argmax(least.features, axis=1)  # every corner of the curve of three points has one active point
    last = [k for k in range(len(alone)) if alone[k] != alone[(k + 1) % len(alone)]]  # counterclockwise, one per point
    leave = {int(alone[k]): least.directions[k] for k in last}
    follows = {int(alone[k]): int(alone[(k + 1) % len(alone)]) for k in last}
    arrive = {follows[int(alone[k])]: least.directions[(k + 1) % len(alone)] for k in last}
    # unit i must take the place of unit order[i], which stands at the next point counterclockwise
    stands = {0: 0, int(order[0]): follows[0], int(order[order[0]]): follows[follows[0]]}
    start, middle, end = (
        _unit(np.stack([table[stands[unit]] for unit in units]))
        for table, units in ((leave, range(3)), (arrive, order), (leave, order))
    )
    points: list[Array] = []
    for a, b in ((start, middle), (middle, end)):
        for s in np.linspace(0, 1, beads + 1)[int(len(points) > 0) :]:
            rows = (1 - s) * a + s * b
            points.append(network.pack([rows, fit(sample, row_features(network, sample, rows))[0]]))
    points[-1] = network.permute(points[0], 1, order)
    return Path(np.stack(points), ("turn",) * (2 * beads))


def starts(sample: Sample, least: LeastRisk) -> Iterator[Start]:
    """A start for each spread in turn: rows that realise a nu ever nearer to the optimal one.

    `sample` holds one point per ray, as many as units; plane, line or independent points. least: their
    `theory.barriers.least_risk`.
    """
    width = len(sample)
    if least.geometry is Geometry.INDEPENDENT:
        pool = _unit(np.linalg.pinv(sample.X).T)
    else:
        d = _unit(least.directions)
        pool = np.concatenate([d, _unit(d + np.roll(d, -1, axis=0))])
    for spread in SPREADS:
        rows = _realise(sample, least, spread)
        if rows is not None:
            start = complete(sample, _independent(sample, rows, width - 1), pool)
            if start.gain > 1e-9:
                yield start


def complete(sample: Sample, rows: Array, pool: Array, network: Network | None = None) -> Start:
    """A start whose first units are the given rows (m - 1, n): one more from the pool (M, n), the one that spans most.

    W_2 is optimal. network: of which the rows are all hidden units but one; default: without biases.
    """
    net = network or Network((sample.n_in, len(rows) + 1, sample.n_out))
    Z, candidates = row_features(net, sample, rows), row_features(net, sample, pool, ones=False)
    root = np.sqrt(sample.weights)
    basis = qr((Z * root).T, mode="economic")[0]
    left_over = candidates * root - (candidates * root) @ basis @ basis.T
    norms = row_norms(candidates * root)
    gain = np.where(norms > _faint(sample), row_norms(left_over) / np.where(norms > 0, norms, 1), 0)
    best = int(np.argmax(gain))
    full = np.concatenate([rows, pool[best : best + 1]])
    reduced, risk = fit(sample, Z)
    reduced = np.insert(reduced, len(rows), 0.0, axis=1)
    return Start(full, fit(sample, row_features(net, sample, full))[0], reduced, risk, float(gain[best]))


def directions_pool(sample: Sample, rng: Any, size: int, *, bias: bool = False, biased: bool = False) -> Array:
    """Directions (M, n) worth trying for a unit: towards and away from points, between sign changes, `size` at random.

    bias: with one more column, zero unless `biased`.
    """
    n, X = sample.n_in, sample.X
    pool = [X, -X, rng.standard_normal((size, n))]
    if n == 2:
        turned = _unit(X @ np.array([[0.0, 1.0], [-1.0, 0.0]]))
        a = np.sort(np.arctan2(*np.concatenate([turned, -turned]).T[::-1]))
        middle = (a + np.append(a[1:], a[:1] + 2 * np.pi)) / 2
        pool += [np.stack([np.cos(t), np.sin(t)], axis=1) for t in (a, middle)]
    if n >= len(sample):
        pool.append(np.linalg.pinv(X).T)
    directions = _unit(np.concatenate(pool))
    if not bias:
        return directions
    offsets = np.zeros((len(directions), 1))
    if biased:  # kinks through a point, or anywhere among the points
        offsets[:, 0] = -np.sum(directions * X[rng.integers(len(X), size=len(directions))], axis=1)
        offsets[1::2, 0] = rng.standard_normal(len(offsets[1::2])) * row_norms(X).max()
    return np.concatenate([directions, offsets], axis=1)


def spanning_rows(network: Network, sample: Sample, rng: Any, independent: int) -> Array:
    """W_1 (m, n) whose features span `independent` dimensions, as many as any net's, well conditioned.

    Hidden biases are one more column, zero if they may.
    """
    width = network.widths[1]
    for biased in (False, True)[: 1 + network.bias]:
        pool = directions_pool(sample, rng, 64 + 4 * width, bias=network.bias, biased=biased)
        rows = pool[pivots(network, sample, pool)[:width]]
        Z = row_features(network, sample, rows) * np.sqrt(sample.weights)
        if np.linalg.matrix_rank(Z, tol=1e-10 * np.abs(Z).max(initial=0)) >= independent:
            break
    return rows


def local_search(network: Network, sample: Sample, rng: Any, tries: int = 24) -> Array:
    """W_1 (m, n), one more column with biases, of the best net found.

    Local searches over W_1 from `tries` random starts, the outgoing weights refitted at every step.
    """
    from scipy.optimize import minimize

    shape = network.shapes[0]
    X = network.augment(sample.X)

    def value(flat: Array) -> tuple[float, Array]:
        W = flat.reshape(shape)
        Z = row_features(network, sample, W)
        V, risk = fit(sample, Z)
        residual = (V @ Z - sample.Y.T) * sample.weights
        return risk, (2 * ((V[:, : shape[0]].T @ residual) * (Z[: shape[0]] > 0)) @ X).ravel()

    best, found = np.inf, rng.standard_normal(shape)
    for _ in range(tries):
        start = X[rng.integers(len(sample), size=shape[0])] + 0.5 * rng.standard_normal(shape)
        result = minimize(value, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 200})
        if result.fun < best:
            best, found = float(result.fun), result.x.reshape(shape)
    norms = row_norms(found)[:, None]
    return found / np.where(norms > 0, norms, 1)


def fit(sample: Sample, Z: Array) -> tuple[Array, float]:
    """The W_2 of least norm among the optimal ones for features Z (h, N), and its risk."""
    root = np.sqrt(sample.weights)
    scale = row_norms(Z * root)
    scale[scale == 0] = 1.0
    A = (Z * root / scale[:, None]).T
    V = np.linalg.lstsq(A, sample.Y * root[:, None], rcond=1e-14)[0].T / scale
    return V, float(sample.weights @ np.sum((V @ Z - sample.Y.T) ** 2, axis=0))


def _realise(sample: Sample, least: LeastRisk, spread: float) -> Array | None:
    """Directions whose features are orthogonal to nu, pushed by `spread` into the cone; None when there are too few."""
    if not np.linalg.norm(least.normal) > 0:
        return None
    nu = least.normal / np.linalg.norm(least.normal)
    if least.geometry is Geometry.INDEPENDENT:
        V = np.eye(len(nu))
        rows = np.linalg.pinv(sample.X).T
    else:
        sizes = row_norms(least.features)[:, None]
        V, rows = least.features / sizes, _unit(least.directions) / (sizes / row_norms(least.directions)[:, None])
    if least.geometry is Geometry.LINE:
        return rows[np.abs(V @ nu) < 0.5]
    if spread > 0:
        nu = _pushed(nu, V, least, spread)
    g = V @ nu
    g[np.abs(g) <= 1e-9 * (spread == 0)] = 0
    found = [rows[k] for k in np.flatnonzero(g == 0)]
    if least.geometry is Geometry.INDEPENDENT:
        pairs = [(i, j) for i in range(len(g)) for j in range(len(g)) if g[i] > 0 > g[j]]
    else:
        last = len(g) if least.geometry is Geometry.SURROUNDING else len(g) - 1
        pairs = [(k, (k + 1) % len(g)) for k in range(last)]
        pairs = [(i, j) for i, j in pairs if g[i] * g[j] < 0]
    found += [abs(g[j]) * rows[i] + abs(g[i]) * rows[j] for i, j in pairs]
    return _unit(np.array(found)) if found else None


def _pushed(nu: Array, V: Array, least: LeastRisk, spread: float) -> Array:
    """nu moved towards the interior of the cone of signs that it belongs to (or touches)."""
    g = V[list(least.vertices)] @ nu
    choices = np.array(list(combinations(range(len(least.vertices)), least.need)))
    signs = np.where(np.arange(least.need) % 2 == 0, 1.0, -1.0)
    slack = np.concatenate([g[choices] * signs, -g[choices] * signs])
    allowed = slack.min(axis=1) >= -1e-9
    score = np.where(allowed, np.sort(slack, axis=1).sum(axis=1), -np.inf)
    best = int(np.argmax(score))
    chosen = V[[least.vertices[k] for k in choices[best % len(choices)]]]
    sigma = signs if best < len(choices) else -signs
    return nu + spread * (np.linalg.pinv(chosen) @ sigma)


def _independent(sample: Sample, pool: Array, count: int) -> Array:
    """`count` of the rows of the pool (repeated if it is smaller) with the best conditioned features."""
    network = Network((sample.n_in, max(count, 1), sample.n_out))
    chosen = pool[pivots(network, sample, pool)[:count]]
    return chosen if len(chosen) == count else np.concatenate([chosen, pool[[0] * (count - len(chosen))]])


def pivots(network: Network, sample: Sample, pool: Array) -> Array:
    """The order (M,) in which pivoting takes the features of a pool (M, n) (with biases: beside the constant one)."""
    Z = row_features(network, sample, pool, ones=False) * np.sqrt(sample.weights)
    norms = row_norms(Z)[:, None]
    Z = np.where(norms > _faint(sample), Z / np.where(norms > 0, norms, 1), 0)
    if network.bias:
        one = np.sqrt(sample.weights)
        Z = Z - np.outer(Z @ one, one) / (one @ one)
    return qr(Z.T, mode="r", pivoting=True)[1]


def row_features(network: Network, sample: Sample, rows: Array, *, ones: bool = True) -> Array:
    """rho(W_1 X^T) (h, N) of the rows (h, n) of W_1, with biases a last row of ones unless `ones` is False."""
    Z = np.maximum(rows @ network.augment(sample.X).T, 0)
    return np.concatenate([Z, np.ones((1, len(sample)))]) if network.bias and ones else Z


def _faint(sample: Sample) -> float:
    """Features of a unit row smaller than this are roundings of zero."""
    return 1e-12 * float(row_norms((sample.X * np.sqrt(sample.weights)[:, None]).ravel()))


def _unit(rows: Array) -> Array:
    """Rows scaled to norm one; zero rows are dropped."""
    norms = row_norms(rows)
    return rows[norms > 0] / norms[norms > 0][:, None]
