"""Ridge for one hidden relu layer is the path norm in the masses of balanced units: what is proved there holds here.

F = E l + kappa (|W_1|^2 + |W_2|^2), l convex. A unit (w, b) is *balanced* when |w| = |b|; w r, b / r with r^2 = |b| /
|w| is, the function is the same, and |w|^2 r^(2t) + |b|^2 r^(-2t) is convex in t and least at t = 1. A balanced unit
has a direction u = w / |w| and a *mass* V = |w| b in R^q: w = |V|^(1/2) u, b = V / |V|^(1/2). The output is sum V_i
z(u_i) and the penalty 2 kappa sum |V_i|, so that

- a straight line in the masses is a curve of nets on which F is convex: every path of refits and silent pieces under
  the path norm at 2 kappa becomes a path under ridge (`lift`);
- a unit of mass 0 is the origin and has no row: idle rows cost nothing, although ridge charges for rows.

`connect` balances both ends and lifts pivots where there are N n_out + 1 units, or rank + 1 (`theory.pivots`: then F
stays below the larger end), else tosses of floor(m/2) units (then it stays below `bound`). A leg of J chords through
a = sin^2(pi j / 2J) misses its curve by O(J^-2).

With three layers or more ridge has a wall round the origin that no width removes (`deep_wall`).

Source: ours; paper_notes.md, ridge-one-layer and ridge-deep. The origin under weight decay: Ziyin, Li, Meng 2022.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory import pivots
from theory.crossing import cross
from theory.moves import Walk
from theory.numerics import LIBM, Array, gamma
from theory.numerics import validation as check
from theory.paths import Path
from theory.penalties import lengths
from theory.relu_paths import largest_feature, spectral_norm
from theory.risk import Risk
from theory.simplex import Lost

CHORDS = 16  # on each leg
LOST = 1e-9  # of the risks, relative: vertices that exceed what is proved by more were led astray by roundings
DRAWS, MOST = 16, 4096  # of tosses: at least, and at most until one is not above the mean's bound


def connect(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, *, chords: int = CHORDS, rng: Any = 0) -> Path:
    """A path from theta_a to theta_b (P,) under ridge, by pivots or by tosses in the masses; chords: on each leg.

    risk: one hidden relu layer without biases, identity output, penalty "ridge", kappa > 0, any convex loss. rng: of
    the tosses, as np.random.default_rng takes it. How high the path is: `theory.maxima.path_maximum`; the curves that
    it follows stay below `bound`, or below the larger end. ValueError for other risks, for a single unit where pivots
    need more, and `theory.simplex.Lost` where roundings leave no such path.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> F = Risk(Network((1, 3, 1)), Sample([[1.0], [-1.0]], [[1.0], [-1.0]]), kappa=0.1, penalty="ridge")
    >>> r = 0.8**0.5  # two balanced minima, units exchanged
    >>> path = connect(F, [r, -r, 0, r, -r, 0], [-r, r, 0, -r, r, 0])
    >>> float(F.batch(path.points).max()) < F(path.points[0]) + 1e-12
    True
    """
    a, b = _checked(risk, theta_a, theta_b)
    chords = check.positive_integer(chords, "chords")
    if np.array_equal(a, b):
        return Path(a[None])
    twin = replace(risk, kappa=2 * risk.kappa, penalty="path")
    starts = [risk.network.pack(list(_masses(risk, theta))) for theta in (a, b)]
    front, back = (balance(risk, theta, chords=chords) for theta in (a, b))
    level = max(risk(a), risk(b))
    for limit, middle in _middles(twin, level, starts, rng):
        way = lift(risk, middle, chords=chords)
        points = np.concatenate([front.points, way.points, back.points[::-1]])
        if risk.batch(points).max() <= limit + LOST * (limit + risk.scale):
            labels = (*front.labels, "last digits", *way.labels, "last digits", *back.labels[::-1])
            return Path(points, labels)
    raise Lost(
        f"roundings leave no path near the larger end {level:.6g}: features of very different sizes cancel; rescale the inputs"
    )


def _middles(twin: Risk, level: float, starts: list[Array], rng: Any) -> Iterator[tuple[float, Path]]:
    """Paths in the masses from one start to the other, best first, each with the level that its vertices must keep."""
    m = twin.network.widths[1]
    try:
        if m > twin.sample.Y.size or m >= pivots.units_needed(twin, *starts):
            yield level, pivots.connect(twin, *starts)
    except Lost:  # features that are nearly dependent
        pass
    yield max(level, bound(twin, *starts)), tosses(twin, *starts, rng=rng)


def tosses(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, *, rng: Any = 0) -> Path:
    """A path from theta_a to theta_b (P,) below `bound`: both ends go to floor(m / 2) units, by tossing coins.

    Refits and silent pieces. risk: one hidden relu layer without biases, penalty "path", any convex loss: along the
    ray to the optimum; l = floor(m / 2) units drawn with probability |b_i| |w_i| / R, at weights of equal mass;
    across; backwards. Under ridge `connect` does the same in the masses. ValueError otherwise.
    """
    a, b = _checked(risk, theta_a, theta_b, penalty="path")
    if np.array_equal(a, b):
        return Path(a[None])
    sides = [_sparse(risk, theta, check.generator(rng)) for theta in (a, b)]
    cross(sides[0], sides[1].theta)
    return sides[0].path + sides[1].path.reversed()


def bound(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike) -> float:
    """What tosses promise from theta_a to theta_b (P,): lambda + (beta / 2) zeta^2 V^2 / floor(m / 2), smooth losses.

    V = min(lambda, E l(0, Y)) / kappa, half of E|Y|^2 for squared loss; 2 kappa under ridge, for the curve that
    `connect` draws. A loss of Lipschitz constant L: lambda + L V zeta / floor(m / 2)^(1/2). zeta^2: the largest E
    z(u)^2 of the units' directions. Never above max(lambda, E l(0, Y)), by way of the zero net. ValueError for
    penalties other than "path" and "ridge", and as `connect`.
    """
    check.instance(risk, "risk", Risk)
    a, b = _checked(risk, theta_a, theta_b, penalty="path" if risk.penalty == "path" else "ridge")
    level, half = max(risk(a), risk(b)), risk.network.widths[1] // 2
    if half == 0:
        return max(level, risk.scale)
    rows = np.concatenate([_masses(risk, theta)[0] for theta in (a, b)])
    kappa = risk.kappa * (2 if risk.penalty == "ridge" else 1)
    mass = min(level, risk.scale / (2 if risk.loss == "squared" else 1)) / kappa
    over = _toss_cost(risk, largest_feature(risk.sample, rows) * mass**2 / half)
    return min(level + over, max(level, risk.scale)) * (1 + gamma(len(risk.sample) + 64))


def balance(risk: Risk, theta: ArrayLike, *, chords: int = CHORDS) -> Path:
    """From theta (P,) to the balanced net of the same function, F falling; units that do nothing go to the origin.

    chords: per factor e^4 of the most unbalanced unit. ValueError as `connect`.
    """
    (theta,), chords = _checked(risk, theta), check.positive_integer(chords, "chords")
    W, V = risk.network.weights(theta)
    w, v = lengths(W), lengths(V.T)
    live = (w > 0) & (v > 0)
    log_r = np.where(live, 0.5 * (np.log(np.where(live, v, 1)) - np.log(np.where(live, w, 1))), 0.0)
    steps = chords * max(1, int(np.ceil(np.abs(log_r).max(initial=0.0) / 2)))
    points = [theta]
    for t in np.arange(1, steps + 1) / steps:
        r = np.where(live, np.exp(t * log_r), 1 - t)
        with np.errstate(divide="ignore"):
            out = np.where(live, 1 / np.where(r > 0, r, 1), 1 - t)
        points.append(risk.network.pack([W * r[:, None], V * out]))
    return Path(np.stack(points), ("balance",) * steps)


def lift(risk: Risk, path: Path, *, chords: int = CHORDS) -> Path:
    """A path of refits and silent pieces for the path norm at 2 kappa, as one of balanced nets for ridge.

    path: points (V, P). Rows of idle units may move: in the masses nothing happens. A leg is cut where a mass passes
    through 0, where |V|^(1/2) has a kink. chords: on each part of a leg. ValueError when a piece moves rows of units
    in use.
    """
    _checked(risk, check.instance(path, "path", Path).points[0])
    chords = check.positive_integer(chords, "chords")
    points, labels = [_net(risk, *_masses(risk, path.points[0]))], []
    for k, (p, q) in enumerate(pairwise(path.points)):
        (W, V), (W_1, V_1) = risk.network.weights(p), risk.network.weights(q)
        used = (V != 0).any(axis=0) | (V_1 != 0).any(axis=0)
        if (W[used] != W_1[used]).any():
            raise ValueError(
                f"piece {k} of the path moves rows of units in use; only refits and silent pieces can be lifted"
            )
        if np.array_equal(V, V_1):
            continue
        size = lengths(W)
        U = W / np.where(size > 0, size, 1.0)[:, None]
        for s in _stations(V * size, V_1 * size, chords):
            points.append(_net(risk, U, (1 - s) * V * size + s * V_1 * size))
            labels.append(path.labels[k] or "straight in the masses")
    return Path(np.stack(points), tuple(labels))


def deep_wall(risk: Risk) -> float:
    """Ridge, K >= 3 layers: every path from the zero net to a lower one reaches this level at least, at every width.

    E|Y|^2 + kappa (K - 2) (kappa / c)^(2 / (K - 2)), c = (E|Y|^2)^(1/2) |Sigma|^(1/2); rounded down. risk: squared
    loss, penalty "ridge", kappa > 0, no biases, identity output, units with |rho(t)| <= |t| (relu, identity, tanh).
    ValueError otherwise, and for c = 0, where no net is lower.
    """
    network = check.instance(risk, "risk", Risk).network
    if (
        (risk.loss, risk.penalty, network.output, network.bias) != ("squared", "ridge", "identity", False)
        or risk.kappa == 0
        or network.activation == "sigmoid"
        or network.depth < 3
    ):
        raise ValueError(
            "risk must have squared loss, penalty 'ridge' with kappa > 0, three layers or more without biases, identity "
            f"output and relu, identity or tanh units; got {risk}"
        )
    K, sample = network.depth, risk.sample
    c = float(np.sqrt(sample.energy * spectral_norm(sample))) * (1 + gamma(2 * len(sample) + 64))
    if sample.energy == 0 or not sample.second_moment.any():
        raise ValueError("risk has X = 0 or Y = 0 on the sample, and no net is below the zero net")
    low = 1 - gamma(2 * len(sample) + sample.n_out + 64) - 128 * LIBM
    return (sample.energy + risk.kappa * (K - 2) * (risk.kappa / c) ** (2 / (K - 2))) * low


def _checked(risk: Risk, *thetas: ArrayLike, penalty: str = "ridge") -> list[Array]:
    network = check.instance(risk, "risk", Risk).network
    if (network.depth, network.activation, network.output, network.bias) != (2, "relu", "identity", False):
        raise ValueError(f"risk.network must have one hidden relu layer, identity output and no biases; got {network}")
    if risk.penalty != penalty or risk.kappa == 0:
        raise ValueError(
            f"risk must have penalty {penalty!r} with kappa > 0; got {risk.penalty!r}, kappa = {risk.kappa}"
        )
    names = ("theta_a", "theta_b") if len(thetas) == 2 else ("theta",)
    found = [check.vector(theta, network.size, name) for theta, name in zip(thetas, names)]
    for theta, name in zip(found, names):
        check.no_overflow(risk(theta), name)
    return found


def _masses(risk: Risk, theta: Array) -> tuple[Array, Array]:
    """Directions (m, n), zero for a zero row, and masses (q, m)."""
    W, V = risk.network.weights(theta)
    size = lengths(W)
    return W / np.where(size > 0, size, 1.0)[:, None], V * size


def _net(risk: Risk, U: Array, V: Array) -> Array:
    """The balanced net (P,) with directions U (m, n) and masses V (q, m)."""
    root = np.sqrt(lengths(V.T))
    return risk.network.pack([root[:, None] * U, V / np.where(root > 0, root, 1.0)])


def _stations(V: Array, V_1: Array, chords: int) -> Array:
    """The s in (0, 1] of a leg's vertices: sin^2 between its ends and the zeros of the masses V + s (V_1 - V), (q, m)."""
    step = V_1 - V
    bend = (step**2).sum(axis=0)
    s = np.divide(-(V * step).sum(axis=0), bend, out=np.zeros_like(bend), where=bend > 0)
    near = lengths(((1 - s) * V + s * V_1).T) <= 1e-3 * np.maximum(lengths(V.T), lengths(V_1.T))
    cuts = np.unique(np.concatenate([[0.0], s[near & (s > 0) & (s < 1)], [1.0]]))
    inner = np.sin(0.5 * np.pi * np.arange(1, chords + 1) / chords) ** 2
    inner[-1] = 1.0
    return np.concatenate([lo * (1 - inner) + hi * inner for lo, hi in pairwise(cuts)])


def _toss_cost(risk: Risk, variance: float) -> float:
    """By how much the mean loss over the coins exceeds that of the mean output, at most, for outputs of this variance."""
    loss = risk.criterion
    if np.isfinite(loss.smoothness):
        return loss.smoothness / 2 * variance
    return loss.lipschitz(risk.network.widths[2]) * float(np.sqrt(variance))


def _sparse(risk: Risk, theta: Array, rng: np.random.Generator) -> Walk:
    """The walk from theta to a net with at most floor(m / 2) units in use, under the path norm."""
    walk, half = Walk(risk.network, theta, risk.sample.X), risk.network.widths[1] // 2
    W, V = risk.network.weights(theta)
    walk.refit(1, V * _ray(risk, theta), "along the ray")
    V, q = walk.outgoing(1), lengths(W)
    size = lengths(V.T) * q
    if np.count_nonzero(V.any(axis=0)) <= half:
        return walk
    if half == 0:
        raise ValueError(
            f"the hidden layer has one unit, and {risk.sample.Y.size + 1} are needed where none can be dropped"
        )
    mass = size.sum()
    squares = risk.sample.weights @ np.maximum(risk.sample.X @ (W / np.where(q > 0, q, 1)[:, None]).T, 0) ** 2
    enough = risk(walk.theta) + _toss_cost(risk, mass * float(size @ squares) / half)
    best, least = V * 0, risk(risk.network.pack([W, V * 0]))
    for k in range(MOST if mass > 0 else 0):
        counts = rng.multinomial(half, size / mass)
        new = V * np.divide(counts * mass / half, size, out=np.zeros_like(size), where=size > 0)
        value = risk(risk.network.pack([W, new]))
        if value < least:
            best, least = new, value
        if k + 1 >= DRAWS and least <= enough * (1 + 1e-9):
            break
    walk.refit(1, best, "toss")
    return walk


def _ray(risk: Risk, theta: Array) -> float:
    """The c >= 0 with the least F when the outputs are scaled by c; exact for squared loss."""
    from scipy.optimize import minimize_scalar

    W, V = risk.network.weights(theta)
    f, sample = risk.network(theta, risk.sample.X), risk.sample
    if risk.loss == "squared":
        square = float(sample.weights @ (f**2).sum(axis=1))
        cost = float(lengths(W) @ lengths(V.T)) * risk.kappa / 2
        return 0.0 if square == 0 else max(0.0, float(sample.weights @ (f * sample.Y).sum(axis=1)) - cost) / square

    def value(c: float) -> float:
        return risk(risk.network.pack([W, c * V]))

    found = float(minimize_scalar(value, bounds=(0.0, 4.0), method="bounded").x)
    return min((0.0, 1.0, found), key=value)
