"""One hidden linear layer of width exactly r = min(n_in, n_out): two components below an exact barrier.

Let n_in <= n_out (else transpose), so W_1 is r x r. Write C for the set of products M with risk (least risk, with
ridge) at most lambda; it is convex. If every M in C has rank r, then W_1 is invertible on the sublevel set, which is
homeomorphic to a bundle over C with fibre GL(r) (ridge: a level set in it that retracts to O(r)): exactly two
components, the signs of det W_1. If some M_0 in C has rank < r, everything is connected through it: there a hidden
direction is idle, and a reflection costs nothing. So the barrier between the two orientations of a minimiser is
min { risk(M) : rank M < r }.

Source: ours, with the authors' Proposition 2.2 for wider layers; proof in paper_notes.md, linear-square-barrier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.linear_paths import balanced, curves, problem
from theory.linear_paths.canonical import arrange
from theory.linear_paths.problem import flipped, transpose
from theory.linear_paths.products import Product, best_product, best_singular_product, value_of
from theory.moves import Walk
from theory.networks import Network
from theory.numerics import Array
from theory.paths import Path
from theory.risk import Risk


@dataclass(frozen=True, eq=False)
class SquareBarrier:
    """The barrier between the two orientations: lower <= barrier <= upper.

    `path` joins a minimiser to its mirror image and its largest risk is `upper` (but for rounding, with ridge for the
    chords). `product` (n_out, n_in) is the singular matrix that it passes, `minimum` the lowest risk. `connected`: the
    best product is singular itself, so there is no barrier and every level set is connected.
    """

    lower: float
    upper: float
    minimum: float
    product: Array
    path: Path
    connected: bool


def barrier(risk: Risk, *, rise: float = 1e-9) -> SquareBarrier:
    """The exact barrier at critical width: squared loss, kappa = 0 or ridge, one hidden linear layer of width r.

    Between lower and upper (equal but for rounding for kappa = 0, or second moment a multiple of the identity), the
    sublevel sets from `lower` up are connected through a singular product; below `lower` there are two components.
    rise: how far the chords of the path may exceed `upper`, relatively. ValueError for any other network, penalty or
    loss.
    """
    from theory.linear_paths.problem import check_linear, is_critical

    check_linear(risk)
    if risk.network.depth != 2 or not is_critical(risk):
        raise ValueError(
            "barrier needs one hidden layer of width min(n_in, n_out) without biases; "
            f"got widths {risk.network.widths}, bias={risk.network.bias}"
        )
    if risk.loss != "squared":
        raise ValueError(f"barrier needs the squared loss: for {risk.loss!r} no closed form is known")
    best = best_product(risk)
    crossing = best_singular_product(risk, best)
    connected = crossing.value <= best.value * (1 + 1e-12)
    if connected:
        crossing = Product(crossing.matrix, crossing.value, best.lower)
    M = best.matrix.T if flipped(risk) else best.matrix
    r = M.shape[1]
    mirror = np.diag([1.0] * (r - 1) + [-1.0])
    ceiling = max(crossing.value, best.value) * (1 + rise)
    if risk.kappa > 0:
        path = _cross(risk, M, np.eye(r), M, mirror, crossing, ceiling)
    else:
        ends = [problem.pack(risk, Q, M @ Q) for Q in (np.eye(r), mirror)]
        first, second = (_to_singular(risk, end, crossing.matrix) for end in ends)
        path = curves.splice(first, second.reversed())
    return SquareBarrier(crossing.lower, crossing.value, best.value, crossing.matrix, path, connected)


def connect_at_critical_width(risk: Risk, a: Array, b: Array, rise: float) -> Path:
    """`linear_paths.connect` for width r: through a singular product when the level allows, else round the orbit.

    a, b (P,): the ends; rise as in `theory.linear_paths.connect`. ValueError when they lie in different components, or
    no connection was found.
    """
    level = max(risk(a), risk(b))
    singular = _singular_below(risk, a, b, level)
    if singular is not None:
        first, second = _to_singular(risk, a, singular), _to_singular(risk, b, singular)
        return curves.splice(first, second.reversed())
    if _orientation(risk, a) != _orientation(risk, b):
        raise ValueError(_different(level, best_singular_product(risk) if risk.loss == "squared" else None))
    return _round_the_orbit(risk, a, b, level, rise)


def cross_over(risk: Risk, M_a: Array, Q_a: Array, M_b: Array, Q_b: Array, ceiling: float) -> Path:
    """Ridge, between balanced factors of opposite orientation: through the best singular product, if it is low enough.

    M_a, M_b (m, r) and Q_a, Q_b (r, r): products and isometries as `theory.linear_paths.balanced.section` takes them (transposed
    when n_in > n_out); ceiling: what no chord may exceed. ValueError when no singular product is low enough.
    """
    if risk.loss == "squared":
        crossing = best_singular_product(risk)
    else:
        ends = [M.T if flipped(risk) else M for M in (M_a, M_b)]
        crossing = _lowest(risk, [np.zeros_like(ends[0]), *map(_truncate, ends)])
    if crossing.value > ceiling:
        raise ValueError(_different(ceiling, crossing if risk.loss == "squared" else None))
    return _cross(risk, M_a, Q_a, M_b, Q_b, crossing, ceiling)


def _cross(risk: Risk, M_a: Array, Q_a: Array, M_b: Array, Q_b: Array, crossing: Product, ceiling: float) -> Path:
    M_0 = crossing.matrix.T if flipped(risk) else crossing.matrix
    k = np.linalg.matrix_rank(M_0, tol=1e-10 * max(float(np.linalg.norm(M_0)), 1e-300))
    U, S, Vt = np.linalg.svd(M_0, full_matrices=False)
    V = Vt[:k].T
    M_0 = (U[:, :k] * S[:k]) @ V.T  # singular exactly, not only to rounding
    O = curves.shortest_rotation(Q_a @ V, Q_b @ V)
    if O is None:
        raise ArithmeticError("the crossing product is not singular to working accuracy")
    return curves.splice(
        balanced.along_section(risk, M_a, M_0, Q_a, ceiling),
        balanced.rotate(risk, M_0, Q_a, O, ceiling),
        balanced.along_section(risk, M_0, M_b, Q_b, ceiling),
    )


def _singular_below(risk: Risk, a: Array, b: Array, level: float) -> Array | None:
    """A product of rank below r whose risk is at most `level`, if one is found (for squared loss: if there is one)."""
    candidates = []
    if risk.loss == "squared":
        candidates.append(best_singular_product(risk).matrix)
    else:
        M = best_product(risk).matrix
        candidates += [_truncate(M), np.zeros_like(M)]
    for end in (a, b):
        W1, W2 = risk.network.weights(end)
        scale = float(np.linalg.norm(W2) * np.linalg.norm(W1))
        M = W2 @ W1
        if np.linalg.svd(M, compute_uv=False)[-1] <= 64 * max(risk.network.widths) * np.finfo(float).eps * scale:
            candidates.append(_truncate(M))
    best = _lowest(risk, candidates)
    return best.matrix if best.value <= level * (1 + 1e-13) else None


def _lowest(risk: Risk, candidates: list[Array]) -> Product:
    """The candidate of least risk; nothing is known from below."""
    values = [value_of(risk, M) for M in candidates]
    best = int(np.argmin(values))
    return Product(candidates[best], values[best], 0.0)


def _truncate(M: Array) -> Array:
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    return (U[:, :-1] * s[:-1]) @ Vt[:-1]


def _to_singular(risk: Risk, theta: Array, M_0: Array) -> Path:
    """kappa = 0: from theta to W_1 = [V^T; 0], W_2 = [M_0 V, 0] with V the row space of M_0, one matrix at a time.

    Convex on the piece where the product goes straight to M_0, constant on all others.
    """
    network = risk.network
    if flipped(risk):
        mirrored, order = transpose(network)
        path = _walk_to_singular(mirrored, theta[order], M_0.T)
        return Path(path.points[:, np.argsort(order)], path.labels)
    return _walk_to_singular(network, theta, M_0)


def _walk_to_singular(network: Network, theta: Array, M_0: Array) -> Path:
    r = network.widths[1]
    walk = Walk(network, theta)
    idle = walk.free_many(1)
    if idle.size:
        busy = np.setdiff1d(np.arange(r), idle)
        walk.place(1, idle, curves.complement(walk.incoming(1)[busy].T).T)
    W1 = walk.incoming(1)
    walk.refit(1, np.linalg.solve(W1.T, M_0.T).T, "straight to a singular product")
    s, Vt = np.linalg.svd(M_0, full_matrices=False)[1:]
    q = min(int(np.sum(s > 1e-12 * max(float(s[0]), 1e-300))), r - 1)
    V = Vt[:q].T
    walk.refit(0, W1 @ V @ V.T, "drop the inputs that the product ignores")
    if q == 0:
        walk.refit(1, np.zeros_like(walk.outgoing(1)), "drop what nothing feeds")
        return walk.path
    inner = Network((q, r, network.widths[2]), activation="identity")
    room = Walk(inner, inner.pack([W1 @ V, walk.outgoing(1)]))
    arrange(room, 1, np.eye(q))
    room.refit(1, np.hstack([M_0 @ V, np.zeros((len(M_0), r - q))]))
    lifted = [network.pack([A @ V.T, B]) for A, B in map(inner.weights, room.path.points)]
    lifted[0] = walk.theta
    return walk.path + Path(np.stack(lifted), room.path.labels)


def _round_the_orbit(risk: Risk, a: Array, b: Array, level: float, rise: float) -> Path:
    """kappa = 0, same orientation, no singular product below: (G W_1, M W_1^{-1} G^{-1}) for the best product M.

    At least squares M a chord of the orbit costs the fourth power of its angle; the chords stay below
    level + rise * max(level, risk of the zero net).
    """
    ceiling = level + rise / 2 * max(level, risk(np.zeros(risk.network.size)))
    M = best_product(risk).matrix
    M = M.T if flipped(risk) else M
    polar = []
    firsts = []
    for end in (a, b):
        W1 = problem.pair(risk, end)[0]
        U, s, Vt = np.linalg.svd(W1)
        polar.append((U @ Vt, (Vt.T * np.log(s)) @ Vt))
        firsts.append(Path(np.stack([end, problem.pack(risk, W1, np.linalg.solve(W1.T, M.T).T)]), ("refit",)))
    (O_a, log_a), (O_b, log_b) = polar
    turn = curves.rotation(O_b @ O_a.T)

    def curve(s: float) -> tuple[Array, Array]:
        e, E = np.linalg.eigh((1 - s) * log_a + s * log_b)
        O = turn(s) @ O_a
        return O @ (E * np.exp(e)) @ E.T, M @ (E * np.exp(-e)) @ E.T @ O.T

    orbit = curves.chords(risk, curve, ceiling, "round the orbit")
    return curves.splice(firsts[0], orbit, firsts[1].reversed())


def _orientation(risk: Risk, theta: Array) -> float:
    return float(np.sign(np.linalg.slogdet(problem.pair(risk, theta)[0])[0]))


def _different(level: float, crossing: Product | None) -> str:
    if crossing is None or crossing.lower <= level:  # undecided
        return (
            "theta_a and theta_b have determinants of opposite sign, hidden layer 1 has width min(n_in, n_out), and no "
            f"singular product of risk <= {level:.9g} was found. One more unit connects them"
        )
    return (
        "theta_a and theta_b lie in different components: hidden layer 1 has width min(n_in, n_out), their determinants have "
        f"opposite signs, and singular products have risk at least {crossing.lower:.9g} (the best known "
        f"{crossing.value:.9g}), above {level:.9g}. One more unit connects them"
    )
