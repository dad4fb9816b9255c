"""Which power of which norm on each layer keeps deep linear nets connected: Schatten penalties, layer by layer.

F = L(W_K ... W_1) + kappa sum_k (1/p_k) ||W_k||^(p_k) in Schatten norms, L convex, 1/p = sum 1/p_k, r = min(n_in,
n_out). The least penalty of a product M is (kappa / p) sum sigma_i(M)^p, on *balanced* factors: matching singular
vectors and sigma_i(W_k)^(p_k) = sigma_i(M)^p.

p >= 1 and hidden widths >= r + 1: all level sets are connected. `connect` goes from each end, the product constant
and the penalty falling,

cut      W_1 to the rows of M, then each layer to what comes up from below: straight, singular values fall;
balance  P_k^s W_k P_(k-1)^(-s): sum sigma^p is convex in s (three lines theorem) and least at s = 1;
turn     the frames of the hidden spaces, by rotations: there is a free direction in each;

and from M_A to M_B on the section W_k = Q_k V S^(p/p_k) V^T Q_(k-1)^T, continuous in M = U S V^T, where F = L +
(kappa/p) ||M||_p^p is convex. With a hidden layer of width r exactly, det (W_k ... W_1) keeps its sign: q such
layers, 2^q components while the level has no product of lower rank. Curves are drawn as chords, halved until what
they exceed is small; `theory.maxima` certifies it.

p < 1 (ridge with three layers: p = 2/3): the origin is a strict local minimum behind a wall that no width removes
(`wall`).

Source: ours; paper_notes.md, schatten-depth; p = 1: Shang, Liu, Cheng 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from theory.linear_paths import complement, rotation, section, shortest_rotation, splice
from theory.numerics import LIBM, Array, gamma
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk

Layers = Sequence[Array]

CUT = 1e-13  # singular values of the product below this share of the product of norms are rounding
RISE = 1e-7  # by how much of the larger end a chord may exceed it
HALVINGS = 12  # of a chord, at most
NEAR = tuple(2.0**-k for k in (20, 14, 10, 6, 4, 2))
LOOKS = (*NEAR, 0.5, *(1 - u for u in NEAR))  # of a chord: the risk may rise steeply at its ends


def connect(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, *, chords: int = 8, rise: float = RISE) -> Path:
    """A path from theta_a to theta_b (P,) that exceeds the larger end by rise times it, as far as chords are looked at.

    That is at LOOKS, and no chord is halved more than HALVINGS times: what the path reaches truly says
    `theory.maxima.path_maximum`.

    risk: a linear net without biases, penalty "schatten", kappa > 0, p >= 1, any convex loss; every hidden width at
    least r + 1, or r where both ends are of one component. chords: to begin with, on each curve. ValueError
    otherwise.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> F = Risk(Network((1, 2, 2, 1), "identity"), Sample([[1.0]], [[1.0]]), kappa=0.1, penalty="schatten")
    >>> e = np.diag([0.9, 0.0])
    >>> a, b = (F.network.pack([s * e[:, :1], s * e, e[:1]]) for s in (1, -1))
    >>> bool(F.batch(connect(F, a, b).points).max() < F(a) + 1e-6)
    True
    """
    flip = _checked(risk)
    a, b = risk.pair(theta_a, theta_b)
    for theta, name in ((a, "theta_a"), (b, "theta_b")):
        check.no_overflow(risk(theta), name)
    chords, rise = check.positive_integer(chords, "chords"), check.number(rise, "rise", minimum=0.0)
    if np.array_equal(a, b):
        return Path(a[None])
    drawer = _Drawer(risk, flip, max(risk(a), risk(b)) * (1 + rise), chords)
    (way_a, M_a, R_a), (way_b, M_b, R_b) = (_to_balanced(drawer, drawer.layers(theta)) for theta in (a, b))
    Q, turns = _frames((M_a, R_a), (M_b, R_b))
    spins = [rotation(O) for O in turns]
    start = section(M_a.dense, *(R @ M_a.V.T for R in R_a), powers=drawer.powers)

    def turned(s: float) -> Layers:
        O = [np.eye(len(start[0].T)), *(spin(s) for spin in spins), np.eye(len(start[-1]))]
        return [O[k + 1] @ W @ O[k].T for k, W in enumerate(start)]

    turn = drawer.draw(turned, "turn the hidden spaces")
    across = drawer.draw(
        lambda s: section((1 - s) * M_a.dense + s * M_b.dense, *Q, powers=drawer.powers),
        "straight in the product, balanced",
    )
    return splice(way_a, turn, across, way_b.reversed())


def component(risk: Risk, theta: ArrayLike) -> tuple[int, ...]:
    """The signs of det(W_k ... W_1) for the hidden layers of width r (from the top if n_in > n_out): 0 below rank r.

    theta (P,). Constant along every path on which the product keeps rank r: 2^q components. ValueError as `connect`.
    """
    flip = _checked(risk)
    layers, found = _Drawer(risk, flip, np.inf, 1).layers(check.vector(theta, risk.network.size, "theta")), []
    M = np.eye(layers[0].shape[1])
    for W in layers[:-1]:
        M = W @ M
        if len(M) == M.shape[1]:
            found.append(int(np.sign(np.linalg.det(M))))
    return tuple(found)


def wall(risk: Risk) -> float:
    """p < 1, squared loss: every path from the zero net to a lower one reaches this level at least.

    E|Y|^2 + kappa (1/p - 1) (kappa / 2c)^(p / (1 - p)), c = |E Y X^T| (operator norm); ridge is kappa -> 2 kappa, p =
    2 / K. Whatever the widths; rounded down. risk: a linear net without biases. ValueError otherwise, for p >= 1,
    where there is none, and for c = 0.
    """
    _linear(risk, ("schatten", "ridge"))
    if risk.loss != "squared":
        raise ValueError(f"risk must have squared loss; got {risk.loss!r}")
    K, sample = risk.network.depth, risk.sample
    powers = risk.exponents if risk.penalty == "schatten" else (2.0,) * K
    kappa, p = risk.kappa * (2 if risk.penalty == "ridge" else 1), 1 / sum(1 / x for x in powers)
    if p >= 1 - 1e-9:
        raise ValueError(f"there is no wall for p = {p:.6g} >= 1: level sets are connected (hidden widths >= r + 1)")
    cross = (sample.Y * sample.weights[:, None]).T @ sample.X
    size = float(np.linalg.norm((np.abs(sample.Y) * sample.weights[:, None]).T @ np.abs(sample.X)))
    if size == 0:
        raise ValueError(
            "risk has E Y X^T = 0: no net is below the zero net to first order, and the wall is not needed"
        )
    slack = gamma(len(sample) + 64 * max(cross.shape) + 64)
    c = float(np.linalg.norm(cross, 2)) + slack * size
    low = 1 - gamma(len(sample) + sample.n_out + 64) - 16 * LIBM
    power = p / (1 - p)
    return (sample.energy + kappa * (1 / p - 1) * (kappa / (2 * c)) ** power * (1 - 64 * LIBM * (1 + power) ** 2)) * low


class _Product:
    """M = U S V^T, (n_out, n_in) of rank k: U (n_out, k), S (k,), V (n_in, k)."""

    def __init__(self, layers: Layers) -> None:
        M, size = layers[0], float(np.linalg.norm(layers[0]))
        for W in layers[1:]:
            M, size = W @ M, size * float(np.linalg.norm(W))
        U, S, Vt = np.linalg.svd(M, full_matrices=False)
        k = int(np.sum(S > CUT * max(size, 1e-300)))
        self.U, self.S, self.V = U[:, :k], S[:k], Vt[:k].T
        self.dense = (self.U * self.S) @ self.V.T


class _Drawer:
    """Layers with n_in <= n_out, those of a net or of its transpose, and curves of them drawn below a ceiling."""

    def __init__(self, risk: Risk, flip: bool, ceiling: float, chords: int) -> None:
        self.risk, self.flip, self.ceiling, self.chords = risk, flip, ceiling, chords
        powers = tuple(risk.exponents or ())
        self.powers = powers[::-1] if flip else powers

    def layers(self, theta: Array) -> Layers:
        """The matrices of theta (P,), from the input up."""
        W = self.risk.network.weights(theta)
        return [M.T for M in W[::-1]] if self.flip else W

    def point(self, layers: Layers) -> Array:
        """The parameters (P,) of layers."""
        return self.risk.network.pack([M.T for M in layers[::-1]] if self.flip else layers)

    def draw(self, curve: Callable[[float], Layers], label: str) -> Path:
        """The polyline through curve(s), s in [0, 1], halved where a chord is seen above the ceiling."""
        s = np.linspace(0.0, 1.0, self.chords + 1)
        points = np.stack([self.point(curve(x)) for x in s])
        for _ in range(HALVINGS):
            inside = [(1 - u) * points[:-1] + u * points[1:] for u in LOOKS]
            high = np.flatnonzero(self.risk.batch(np.stack(inside)).max(axis=0) > self.ceiling)
            if high.size == 0:
                break
            middle = 0.5 * (s[high] + s[high + 1])
            s = np.insert(s, high + 1, middle)
            points = np.insert(points, high + 1, [self.point(curve(x)) for x in middle], axis=0)
        return Path(points, (label,) * (len(points) - 1))


def _to_balanced(drawer: _Drawer, layers: Layers) -> tuple[Path, _Product, Layers]:
    """Cut and balance: the path, the product, and the frames R_k with W_k = R_k S^(p/p_k) R_(k-1)^T at its end."""
    M, K = _Product(layers), len(layers)
    points, frames = [drawer.point(layers)], [M.V]
    for j in range(K):
        layers = [*layers[:j], layers[j] @ frames[j] @ frames[j].T, *layers[j + 1 :]]
        points.append(drawer.point(layers))
        frames.append(np.linalg.qr(layers[j] @ frames[j])[0] if j < K - 1 else M.U)
    cut = Path(np.stack(points), tuple(f"cut W_{j + 1}" for j in range(K)))
    inner = [frames[j + 1].T @ layers[j] @ frames[j] for j in range(K)]
    polar = _polars(inner, M.S, drawer.powers)

    def curve(s: float) -> Layers:
        up = [np.eye(len(M.S)), *((E * d**s) @ E.T for d, E, _ in polar), np.eye(len(M.S))]
        down = [np.eye(len(M.S)), *((E * d**-s) @ E.T for d, E, _ in polar)]
        return [frames[j + 1] @ up[j + 1] @ inner[j] @ down[j] @ frames[j].T for j in range(K)]

    R = [M.V, *(frame @ O.T for frame, (_, _, O) in zip(frames[1:], polar)), M.U]
    p = 1 / sum(1 / x for x in drawer.powers)
    end = [(R[j + 1] * M.S ** (p / drawer.powers[j])) @ R[j].T for j in range(K)]
    way = splice(cut, drawer.draw(curve, "balance"), Path(drawer.point(end)[None]))
    return way, M, R[1:-1]


def _polars(inner: Layers, S: Array, powers: tuple[float, ...]) -> list[tuple[Array, Array, Array]]:
    """For each hidden layer j, G = O P, P = E diag(d) E^T, as (d, E, O): G T_j ... T_1 = S^(p (1/p_1 + ... + 1/p_j)).

    From the product below or from the one above, whichever is better conditioned.
    """
    p, found = 1 / sum(1 / x for x in powers), []
    for j in range(1, len(inner)):
        share = p * sum(1 / x for x in powers[:j])
        below, above = inner[0], inner[j]
        for T in inner[1:j]:
            below = T @ below
        for T in inner[j + 1 :]:
            above = T @ above
        if len(S) and np.linalg.cond(below) < np.linalg.cond(above):
            G = (S**share)[:, None] * np.linalg.inv(below)
        else:
            G = above / (S ** (1 - share))[:, None]
        left, d, Et = np.linalg.svd(G)
        found.append((d, Et.T, left @ Et))
    return found


def _frames(A: tuple[_Product, Layers], B: tuple[_Product, Layers]) -> tuple[Layers, Layers]:
    """Isometries Q_k (h_k, n_in) that extend B's frames, and rotations O_k that take A's frames to Q_k V_A.

    ValueError where a layer of width r exactly would have to be reflected.
    """
    (M_a, R_a), (M_b, R_b) = A, B
    Q: list[Array] = []
    turns: list[Array] = []
    for k, (R, target) in enumerate(zip(R_a, R_b)):
        r = len(M_b.V)
        free = complement(target)[:, : r - len(M_b.S)]
        for sign in (1.0, -1.0)[: 1 + bool(free.size)]:
            free[:, -1:] *= sign
            extended = target @ M_b.V.T + free @ complement(M_b.V).T
            O = shortest_rotation(R, extended @ M_a.V)
            if O is not None:
                break
        else:
            raise ValueError(
                f"the ends lie on two sides in hidden layer {k + 1} (from the smaller of input and output), of width r = "
                f"{r} exactly: det(W_k ... W_1) has two signs (schatten_paths.component). One unit more in that layer "
                "connects them, or a level with products of lower rank"
            )
        Q.append(extended)
        turns.append(O)
    return Q, turns


def _linear(risk: Risk, penalties: tuple[str, ...]) -> None:
    network = check.instance(risk, "risk", Risk).network
    if (network.activation, network.output, network.bias) != ("identity", "identity", False) or network.depth < 2:
        raise ValueError(f"risk.network must be linear, of two layers at least, without biases; got {network}")
    if risk.kappa == 0 or risk.penalty not in penalties:
        names = " or ".join(map(repr, penalties))
        raise ValueError(f"risk must have penalty {names} with kappa > 0; got {risk.penalty!r}, kappa = {risk.kappa}")


def _checked(risk: Risk) -> bool:
    """Whether to transpose, n_in > n_out; ValueError for risks without the theorem."""
    _linear(risk, ("schatten",))
    p = 1 / sum(1 / x for x in risk.exponents)
    if p < 1 - 1e-12:
        raise ValueError(
            f"exponents must have p = 1 / sum(1 / p_k) >= 1; got {risk.exponents}, p = {p:.6g}: the zero net is a minimum "
            "behind a wall (schatten_paths.wall). Exponents equal to the depth give p = 1"
        )
    widths = risk.network.widths
    r = min(widths[0], widths[-1])
    if min(risk.network.hidden) < r:
        layer = 1 + int(np.argmin(risk.network.hidden))
        raise ValueError(
            f"hidden layer {layer} has {min(risk.network.hidden)} units; {r + 1} are needed, min(n_in, n_out) + 1"
        )
    return widths[0] > widths[-1]
