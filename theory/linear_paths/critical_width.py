"""One hidden linear layer of width exactly r = min(n_in, n_out): two components below an exact barrier.

Let n_in <= n_out (else transpose), so W_1 is r x r. Write C for the set of products M with risk (least risk, with
ridge) at most lambda; it is convex. If every M in C has rank r, then W_1 is invertible on the sublevel set, which is
homeomorphic to a bundle over C with fibre GL(r) (ridge: a level set in it that retracts to O(r)): exactly two
components, the signs of det W_1. If some M_0 in C has rank < r, everything is connected through it: there a hidden
direction is idle, and a reflection costs nothing. So the barrier between the two orientations of a minimiser is
min { risk(M) : rank M < r }.

In the functions problem is the `LinearProblem`, and a, b (P,) are ends.

Source: ours, with the authors' Proposition 2.2 for wider layers; proof in paper_notes.md, linear-square-barrier.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.linear_paths import balanced, curves, exact
from theory.linear_paths.canonical import arrange
from theory.linear_paths.nuclear_norm import operator_norm_squared
from theory.linear_paths.problem import LinearProblem, normalised
from theory.linear_paths.products import Product, best_of, best_singular_of, risk_above, singular_product
from theory.moves import Walk
from theory.networks import Network
from theory.numerics import Array, up
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk

Balanced = tuple[Array, Array]  # a product M (m, r) and an isometry Q (r, r), as `balanced.section` takes them


@dataclass(frozen=True, eq=False)
class SquareBarrier:
    """The barrier between the two orientations: lower <= barrier <= upper, in exact arithmetic.

    `path` joins a minimiser to its mirror image and its largest risk is `upper` (but for rounding, with ridge for the
    chords). `product` (n_out, n_in) is the singular matrix that it passes, to rounding; `minimum` the lowest risk,
    rounded up. `connected`: True: the best product is singular itself, so there is no barrier and every level set is
    connected; False: there is one; None: neither was decided (with ridge, or for
    data too large for rational arithmetic).
    """

    lower: float
    upper: float
    minimum: float
    product: Array
    path: Path
    connected: bool | None


def barrier(risk: Risk, *, rise: float = 1e-9) -> SquareBarrier:
    """The exact barrier at critical width: squared loss, kappa = 0 or ridge, one hidden linear layer of width r.

    Between lower and upper (equal but for rounding for kappa = 0, or second moment a multiple of the identity), the
    sublevel sets from `upper` up are connected through a singular product; below `lower` there are two components.
    rise: how far the chords of the path may exceed `upper`, relatively. ValueError for any other network, penalty or
    loss, and for data of a size that leaves no room to compute in.
    """
    problem, scale = normalised(risk)
    rise = check.number(rise, "rise", minimum=0.0, open_minimum=True)
    if not problem.critical:
        raise ValueError(
            "barrier needs one hidden layer of width min(n_in, n_out) without biases; "
            f"got widths {risk.network.widths}, bias={risk.network.bias}"
        )
    if risk.loss != "squared":
        raise ValueError(f"barrier needs the squared loss: for {risk.loss!r} no closed form is known")
    best = best_of(problem)
    crossing = best_singular_of(problem, best, np.random.default_rng(0))
    M = problem.turn(best.matrix)
    r = problem.rank
    mirror = np.diag([1.0] * (r - 1) + [-1.0])
    if risk.kappa > 0:
        path = _cross(problem, (M, np.eye(r)), (M, mirror), crossing, max(crossing.value, best.value) * (1 + rise))
    else:
        first, second = (_to_singular(problem, problem.vector(Q, M @ Q), crossing.matrix) for Q in (np.eye(r), mirror))
        path = curves.splice(first, second.reversed())
    found = crossing.outside(scale)
    return SquareBarrier(
        found.lower,
        found.value,
        scale.above(best.value),
        found.matrix,
        scale.outside(path),
        _connected(problem, best, crossing),
    )


def _connected(problem: LinearProblem, best: Product, crossing: Product) -> bool | None:
    """Whether a best product has rank below r; None where rationals do not decide it.

    With ridge, at a minimiser M* the singular values of G = E x (2 (y - M* x))^T are at most 2 kappa, and equal to it in
    as many directions as M* has rank; G moves by at most 2 |Sigma^{1/2}| d when M Sigma^{1/2} moves by d.
    """
    loss, kappa = problem.exact, problem.risk.kappa
    if not loss.small:
        return None
    if kappa == 0:
        return loss.last_singular_value(loss.least_squares[0]).singular
    if crossing.lower > best.value:
        return False
    S, C, _ = loss.moments
    G = 2 * (C - S * exact.rational(best.matrix).transpose())
    root = up(np.sqrt(exact.SquaredSingularValues(S).largest_above()))  # |Sigma^{1/2}|
    last = up(np.sqrt(operator_norm_squared(G).least()[1]))
    reach = exact.fraction(float(last)) + 2 * exact.fraction(float(root)) * exact.fraction(best.distance)
    return True if reach < 2 * exact.fraction(kappa) else None


def level_of(problem: LinearProblem, a: Array, b: Array) -> float:
    """The larger of the risks at a and b (P,), rounded up."""
    return max(risk_above(problem, *problem.risk.network.weights(end)) for end in (a, b))


def opposite(problem: LinearProblem, a: Array, b: Array) -> bool:
    """Whether det W_1 has opposite signs at a and b (P,); exact."""
    signs = [exact.orientation(problem.factors(end)[0]) for end in (a, b)]
    return signs[0] * signs[1] < 0


def connect_at_critical_width(problem: LinearProblem, a: Array, b: Array, rise: float) -> Path:
    """`linear_paths.connect` for width r: through a singular product when the level allows, else round the orbit.

    a, b (P,): the ends; rise as in `theory.linear_paths.connect`. ValueError when they lie in different components, or
    no connection was found.
    """
    risk = problem.risk
    level = problem.level(a, b)
    crossing = None
    if risk.loss == "squared":
        crossing = best_singular_of(problem, best_of(problem), np.random.default_rng(0))
    singular = _singular_below(problem, a, b, level, crossing)
    if singular is not None:
        first, second = _to_singular(problem, a, singular), _to_singular(problem, b, singular)
        return curves.splice(first, second.reversed())
    signs = [exact.orientation(problem.factors(end)[0]) for end in (a, b)]
    if signs[0] * signs[1] <= 0:
        raise ValueError(_different(problem, level_of(problem, a, b), crossing, signs[0] * signs[1] < 0))
    return _round_the_orbit(problem, a, b, level, rise)


def cross_over(problem: LinearProblem, a: Balanced, b: Balanced, ceiling: float, apart: bool) -> Path:
    """Ridge, between balanced factors of opposite orientation: through the best singular product, if it is low enough.

    a, b: products and isometries; ceiling: what no chord may exceed, not below the risks of the ends; apart: whether the
    determinants at the ends have opposite signs exactly. ValueError when no singular product is low enough.
    """
    if problem.risk.loss == "squared":
        crossing = best_singular_of(problem, best_of(problem), np.random.default_rng(0))
    else:
        products = [problem.turn(M) for M, _ in (a, b)]
        crossing = _lowest(problem, [np.zeros_like(products[0]), *products])
    if crossing.value > ceiling:
        raise ValueError(_different(problem, ceiling, crossing, apart))
    return _cross(problem, a, b, crossing, ceiling)


def _cross(problem: LinearProblem, a: Balanced, b: Balanced, crossing: Product, ceiling: float) -> Path:
    (M_a, Q_a), (M_b, Q_b) = a, b
    M_0 = problem.turn(crossing.matrix)
    k = min(np.linalg.matrix_rank(M_0, tol=1e-10 * max(float(np.linalg.norm(M_0)), 1e-300)), problem.rank - 1)
    U, S, Vt = np.linalg.svd(M_0, full_matrices=False)
    V = Vt[:k].T
    M_0 = (U[:, :k] * S[:k]) @ V.T  # singular exactly, not only to rounding
    O = curves.shortest_rotation(Q_a @ V, Q_b @ V)
    if O is None:
        raise ArithmeticError("the crossing product is not singular to working accuracy")
    return curves.splice(
        balanced.along_section(problem, M_a, M_0, Q_a, ceiling),
        balanced.rotate(problem, M_0, Q_a, O, ceiling),
        balanced.along_section(problem, M_0, M_b, Q_b, ceiling),
    )


def _singular_below(problem: LinearProblem, a: Array, b: Array, level: float, crossing: Product | None) -> Array | None:
    """A product of rank below r whose risk is at most `level`, if one is found (for squared loss: if there is one)."""
    if crossing is not None:
        candidates = [crossing.matrix]
    else:
        M = best_of(problem).matrix
        candidates = [M, np.zeros_like(M)]
    for end in (a, b):
        W1, W2 = problem.risk.network.weights(end)
        candidates.append(W2 @ W1)
    best = _lowest(problem, candidates)
    return best.matrix if best.value <= level * (1 + 1e-13) else None


def _lowest(problem: LinearProblem, candidates: list[Array]) -> Product:
    """The candidate of least risk, each cut to rank r - 1; nothing is known from below."""
    return min((singular_product(problem, M) for M in candidates), key=lambda found: found.value)


def _to_singular(problem: LinearProblem, theta: Array, M_0: Array) -> Path:
    """kappa = 0: from theta to W_1 = [V^T; 0], W_2 = [M_0 V, 0] with V the row space of M_0, one matrix at a time.

    Convex on the piece where the product goes straight to M_0, constant on all others.
    """
    of_factors = problem.network.pack(problem.factors(theta))
    return problem.path(_walk_to_singular(problem.network, of_factors, problem.turn(M_0)))


def _walk_to_singular(network: Network, theta: Array, M_0: Array) -> Path:
    r = network.widths[1]
    walk = Walk(network, theta)
    idle = walk.free_many(1)
    if idle.size:
        busy = np.setdiff1d(np.arange(r), idle)
        walk.place(1, idle, curves.complement(walk.incoming(1)[busy].T).T)
    W1 = walk.incoming(1)
    walk.refit(1, curves.divided(M_0, W1), "straight to a singular product")
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


def _round_the_orbit(problem: LinearProblem, a: Array, b: Array, level: float, rise: float) -> Path:
    """kappa = 0, same orientation, no singular product below: (G W_1, M W_1^{-1} G^{-1}) for the best product M.

    At least squares M a chord of the orbit costs the fourth power of its angle; the chords stay below
    level + rise * max(level, risk of the zero net).
    """
    risk = problem.risk
    ceiling = level + rise / 2 * max(level, risk(np.zeros(risk.network.size)))
    M = problem.turn(best_of(problem).matrix)
    polar = []
    firsts = []
    for end in (a, b):
        W1 = problem.factors(end)[0]
        U, s, Vt = np.linalg.svd(W1)
        polar.append((U @ Vt, (Vt.T * np.log(np.maximum(s, 1e-300))) @ Vt))
        firsts.append(Path(np.stack([end, problem.vector(W1, curves.divided(M, W1))]), ("refit",)))
    (O_a, log_a), (O_b, log_b) = polar
    turn = curves.rotation(O_b @ O_a.T)

    def curve(s: float) -> tuple[Array, Array]:
        e, E = np.linalg.eigh((1 - s) * log_a + s * log_b)
        O = turn(s) @ O_a
        return O @ (E * np.exp(e)) @ E.T, M @ (E * np.exp(-e)) @ E.T @ O.T

    orbit = curves.chords(problem, curve, ceiling, "round the orbit")
    return curves.splice(firsts[0], orbit, firsts[1].reversed())


def _different(problem: LinearProblem, level: float, crossing: Product | None, apart: bool) -> str:
    """level: not below the risks of the ends; apart: whether the signs differ, exactly."""
    if crossing is None or crossing.lower <= level or not apart:  # undecided
        return (
            "theta_a and theta_b have determinants of different sign, hidden layer 1 has width min(n_in, n_out), and no "
            f"singular product of risk <= {problem.shown(level)} was found. One more unit connects them"
        )
    return (
        "theta_a and theta_b lie in different components: hidden layer 1 has width min(n_in, n_out), their determinants have "
        f"opposite signs, and singular products have risk at least {problem.shown(crossing.lower)} (the best known "
        f"{problem.shown(crossing.value)}), above {problem.shown(level)}. One more unit connects them"
    )
