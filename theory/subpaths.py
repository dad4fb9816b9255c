"""Theorem 2.4: the printed path with its missing pieces, what it allows, and the best of it over l and alpha.

From theta_a, with l oracle units, `active` = m - l and an angle alpha:

(0)  rows to norm one (missing in print: delta_W of eq. (8) needs unit rows)
(1)  the best second layer on these rows, delta_A(m, 0)
(2)  to `active` units whose rows turned by at most alpha, delta_A(m - l, alpha): rows and weights move together
(3)  to the l units of an oracle net, e(l), through idle units
(4)  to the `active` units of theta_b's side; oracle units in the way are re-slotted (missing in print)
(5), (6), (0')  as (2), (1), (0), backwards, on the side of theta_b

Every piece but (2) and (5) moves one layer or is constant, so its maximum is at an end. On (2) and (5) the risk exceeds
its larger end by at most C1 alpha + C2 alpha^2 (`theory.relu_bounds`, where the printed constant is as well).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theory import oracle
from theory import relu_bounds as bounds
from theory import relu_moves as moves
from theory import validation as check
from theory.compression import delta
from theory.paths import Path
from theory.relu_moves import checked, labelled, line, vertex_bound
from theory.risk import Risk
from theory.rounding import gamma
from theory.row_norms import normalise

Array = NDArray[Any]

SUBPATHS = ("(0)", "(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(0')")

# Oracle nets are searched for below this many (sample, unit, input) triples; above, units of either side are used.
# The convex limit is a source of candidates where its pricing is cheap: in the plane, or for few numbers.
SEARCH, LIMIT = 20_000, 100
LIMIT_STEPS, LIMIT_CONES = 20, 50

# All rules of compression are tried below this many (sample, unit) pairs.
COMPRESS = 20_000

# Angles that `epsilon` and the route six_segment try, in radians.
ANGLES = (0.0, 0.02, 0.1, 0.3)


@dataclass(frozen=True)
class Subpath:
    """One subpath: a rigorous bound on its maximum, what its ends and the theorem allow, and what eq. (22) would.

    number: "(0)" to "(0')" as in the module. upper: bound on the maximum over its pieces. larger_end: bound on the
    larger end. allowed: larger_end, plus D + 2 N sqrt(D) + N^2 - D on (2) and (5) with the actual weights; theorem:
    larger_end + C1 alpha + C2 alpha^2; printed: with the main term of eq. (22) instead.
    """

    number: str
    upper: float
    larger_end: float
    allowed: float
    theorem: float
    printed: float


@dataclass(frozen=True, eq=False)
class SixSegments:
    """The path of Theorem 2.4 and its subpaths: the certified maximum of each next to what is allowed.

    active, angle: what `six_segment` was asked for.
    """

    path: Path
    active: int
    angle: float
    subpaths: tuple[Subpath, ...]

    @property
    def upper(self) -> float:
        """A rigorous bound on the maximum over the path."""
        return max(s.upper for s in self.subpaths)

    @property
    def theorem(self) -> float:
        """What the repaired theorem allows for the nets that were found."""
        return max(s.theorem for s in self.subpaths)


@dataclass(frozen=True, eq=False)
class Epsilon:
    """eps of eqs (10)-(11) on a grid: value = min over (l, alpha) of table, with its minimiser.

    table (len(units), len(angles)): max{e(l), delta_A(m,0), delta_A(m-l,alpha), delta_B(m,0), delta_B(m-l,alpha)} +
    C1 alpha + C2 alpha^2 with the corrected constants; every entry is an upper bound, from feasible nets.
    """

    value: float
    l: int
    angle: float
    units: tuple[int, ...]
    angles: tuple[float, ...]
    table: Array


def six_segment(
    risk: Risk,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    *,
    active: int,
    angle: float = 0.0,
    rng: np.random.Generator | int | None = None,
) -> Path:
    """The repaired path of Theorem 2.4 from theta_a to theta_b (P,), with l = m - active oracle units.

    active: 0..m, units kept on either side; angle: 0..pi radians, how far their rows may turn; labels begin with the
    number of the subpath. rng: for the searches of compressed and oracle nets. ValueError on bad input.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> net = Network((2, 2, 1))
    >>> F = Risk(net, Sample([[1.0, 0.0], [0.0, 1.0]], [[1.0], [1.0]]), kappa=0.1, penalty="second_layer_l1")
    >>> theta_a, theta_b = net.pack([np.eye(2), [[1, 1]]]), net.pack([-np.eye(2), [[0, 0]]])
    >>> path = six_segment(F, theta_a, theta_b, active=0)
    >>> bool(F.batch(path.points).max() <= max(F(theta_a), F(theta_b)))
    True
    """
    a, b = checked(risk, theta_a, theta_b)
    m = risk.network.widths[1]
    if check.positive_integer(active, "active", minimum=0) > m:
        raise ValueError(f"active must be in 0..{m}, the width; got {active}")
    angle = check.number(angle, "angle", minimum=0.0, maximum=math.pi)
    rng = check.generator(rng)
    starts = [_start(risk, theta) for theta in (a, b)]
    halves = [_turning(risk, s, _compressed(risk, s.points[-1], active, angle, rng)) for s in starts]
    (best,) = oracle_nets(risk, [m - active], [s.points[-1] for s in starts], rng)
    return _assembled(risk, halves, best)


def six_segment_report(
    risk: Risk,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    *,
    active: int,
    angle: float = 0.0,
    rng: np.random.Generator | int | None = None,
) -> SixSegments:
    """`six_segment` with the certified maximum of every subpath, next to what is allowed."""
    path = six_segment(risk, theta_a, theta_b, active=active, angle=angle, rng=rng)
    return SixSegments(path, active, float(angle), certify(risk, path, float(angle)))


def certify(risk: Risk, path: Path, angle: float) -> tuple[Subpath, ...]:
    """The subpaths of a path that `six_segment` made (those that have pieces), each with its certified maximum."""
    numbers = [label.split()[0] for label in path.labels]
    at = moves.vertex_bounds(risk, path)
    pieces = moves.piece_maxima(risk, path, at)
    S = bounds.spectral_norm(risk.sample)
    by_theorem = bounds.constants(risk.sample, risk.kappa).allowance(angle)
    printed = bounds.printed_allowance(risk.sample, risk.kappa, angle)
    out = []
    for number in (n for n in SUBPATHS if n in numbers):
        where = [k for k, n in enumerate(numbers) if n == number]
        larger = float(max(at[where[0]], at[where[-1] + 1]))
        noise = 0.0
        if number in ("(2)", "(5)"):
            for k in where:
                (W, b), (V, g) = (risk.network.weights(path.points[i]) for i in (k, k + 1))
                if (b != g).any():
                    noise = max(noise, bounds.perturbation(W, V, b[0], g[0], S))
        turned = number in ("(2)", "(5)")
        out.append(
            Subpath(
                number,
                float(pieces[where].max()),
                larger,
                bounds.joint_move_bound(larger, noise),
                larger + by_theorem if turned else larger,
                larger + printed if turned else larger,
            )
        )
    if not out:  # a path of one point
        value = float(pieces.max())
        out.append(Subpath("(0)", value, value, value, value, value))
    return tuple(out)


def epsilon(
    risk: Risk,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    *,
    units: ArrayLike | None = None,
    angles: ArrayLike = ANGLES,
    rng: np.random.Generator | int | None = None,
) -> Epsilon:
    """eps of Theorem 2.4 for the first layers of theta_a and theta_b, over l in `units`, alpha in `angles`.

    angles (A,) in radians; ValueError for a bad one, or units beyond the width. units: default 0, 1, 2, 4, ... and m;
    delta is that of the rows scaled to norm one. The minimiser is for `six_segment(active=m - l, angle=angle)`.
    """
    a, b = checked(risk, theta_a, theta_b)
    m = risk.network.widths[1]
    ls = tuple(_grid(m) if units is None else (check.positive_integer(l, "units", minimum=0) for l in units))  # type: ignore[union-attr]
    turns = tuple(check.number(t, "angles", minimum=0.0, maximum=math.pi) for t in np.atleast_1d(angles).tolist())
    if not ls or not turns or max(ls) > m:
        raise ValueError(f"units must be in 0..{m} and angles in [0, pi], at least one of each; got {ls}, {turns}")
    rng = check.generator(rng)
    fitted = [_start(risk, theta).points[-1] for theta in (a, b)]
    base = max(vertex_bound(risk, theta) for theta in fitted)
    rule = bounds.constants(risk.sample, risk.kappa)
    table = np.empty((len(ls), len(turns)))
    nets = oracle_nets(risk, ls, fitted, rng)
    for i, (l, net) in enumerate(zip(ls, nets)):
        reached = vertex_bound(risk, net)
        for j, angle in enumerate(turns):
            deltas = [vertex_bound(risk, _compressed(risk, theta, m - l, angle, rng)) for theta in fitted]
            table[i, j] = max(base, reached, *deltas) + rule.allowance(angle)
    i, j = divmod(int(np.argmin(table)), len(turns))
    return Epsilon(float(table[i, j]), ls[i], turns[j], ls, turns, table)


def oracle_nets(
    risk: Risk, ls: Sequence[int], nearby: Sequence[Array], rng: np.random.Generator, *, search: bool = True
) -> list[Array]:
    """For each l of ls a parameter vector with at most l used units and a low risk: e(l) from above.

    nearby: parameter vectors (P,) whose own units are candidates. With `search`, on small problems, that of
    `theory.oracle` joins in.
    """
    net, sample = risk.network, risk.sample
    m, n = net.widths[1], net.widths[0]
    rows = np.tile(np.eye(1, n), (m, 1))
    empty = net.pack([rows, np.zeros((1, m))])
    fitted = [moves.best_second_layer(risk, theta) for theta in nearby if max(ls, default=0) > 0]
    small = [l for l in ls if search and 0 < l and len(sample) * l * n <= SEARCH]
    start = oracle.OracleBound(math.inf, 0.0, np.zeros((0, n)), np.zeros(0), risk.kappa, "none")
    if small and risk.kappa > 0 and (n <= 2 or len(sample) * n <= LIMIT):
        start = oracle.limit(sample, risk.kappa, gap=1e-4, steps=LIMIT_STEPS, cones=LIMIT_CONES)
    out = []
    for l in ls:
        candidates = [empty, *(moves.toss(risk, theta, l) for theta in fitted if l > 0)]
        if l in small:
            found = oracle.finite(sample, l, risk.kappa, rng=rng, starts=1, bound=start)
            W, b = rows.copy(), np.zeros((1, m))
            W[: len(found.units)], b[0, : len(found.weights)] = found.units, found.weights
            candidates.append(net.pack([W, b]))
        out.append(min(candidates, key=risk))
    return out


class Candidates:
    """Subpaths (0) and (1) of both sides and the oracle nets of a pair, found once for every route that needs them."""

    def __init__(self, risk: Risk, theta_a: Array, theta_b: Array, rng: np.random.Generator) -> None:
        self.risk, self.rng = risk, rng
        self.starts = [_start(risk, theta) for theta in (theta_a, theta_b)]
        self.fitted = [start.points[-1] for start in self.starts]
        self.base = max(float(risk.batch(start.points).max()) for start in self.starts)
        self.ls = _grid(risk.network.widths[1])
        self._nets: dict[bool, list[Array]] = {}

    def best(self, angles: Sequence[float]) -> Path:
        """The lowest of the repaired paths over l = 0, 1, 2, 4, ..., m and the angles.

        First with tosses only; with the searches too unless a path stays at the larger end already.
        """
        lowest = min(self._ranked((0.0,), search=False), key=lambda candidate: candidate[0])
        if lowest[0] <= self.base * (1 + 1e-12):
            return _assembled(self.risk, self._halves(lowest[2]), lowest[1])
        best, upper = None, math.inf
        for floor, net, sparse in sorted(self._ranked(angles, search=True), key=lambda candidate: candidate[0]):
            if floor >= upper * (1 - 1e-12):  # no path is below its highest vertex
                break
            path = _assembled(self.risk, self._halves(sparse), net)
            reached = float(moves.piece_maxima(self.risk, path).max())
            if best is None or reached < upper:
                best, upper = path, reached
        assert best is not None
        return best

    def _ranked(self, angles: Sequence[float], *, search: bool) -> list[tuple[float, Array, list[Array]]]:
        """For every l and angle: the highest vertex, the oracle net and the two compressed nets."""
        risk, m = self.risk, self.risk.network.widths[1]
        if search not in self._nets:
            self._nets[search] = oracle_nets(risk, self.ls, self.fitted, self.rng, search=search)
        out = []
        for l, net in zip(self.ls, self._nets[search]):
            for angle in angles:
                sparse = [_compressed(risk, theta, m - l, angle, self.rng, search=search) for theta in self.fitted]
                out.append((max(self.base, *map(risk, (net, *sparse))), net, sparse))
        return out

    def _halves(self, sparse: Sequence[Array]) -> list[Path]:
        return [_turning(self.risk, start, to) for start, to in zip(self.starts, sparse)]


def _grid(m: int) -> list[int]:
    """0, 1, 2, 4, ..., m."""
    return sorted({0, m, *(2**k for k in range(m.bit_length()) if 2**k <= m)})


def _start(risk: Risk, theta: Array) -> Path:
    """Subpaths (0) and (1) from theta."""
    normal = normalise(risk, theta)
    fitted = moves.best_second_layer(risk, normal.points[-1])
    return labelled(normal, "(0)") + line(normal.points[-1], fitted, "(1) best second layer")


def _turning(risk: Risk, start: Path, sparse: Array) -> Path:
    """Subpaths (0), (1) and (2): rows of idle units turn first, for free; then rows and weights together."""
    net, fitted = risk.network, start.points[-1]
    (W, b), (V, _) = net.weights(fitted), net.weights(sparse)
    turned = net.pack([np.where((b[0] == 0)[:, None], V, W), b])
    return start + line(fitted, turned, "(2) turn idle rows") + line(turned, sparse, "(2) rows and weights together")


def _assembled(risk: Risk, halves: Sequence[Path], best: Array) -> Path:
    """Both halves (from theta_a and from theta_b) with subpaths (3) and (4) through the oracle net between them."""
    down, up = halves
    toward = moves.cross(risk.network, down.points[-1], best, risk.sample.X)
    back = moves.cross(risk.network, best, up.points[-1], risk.sample.X)
    names = {"(0)": "(0')", "(1)": "(6)", "(2)": "(5)"}
    tail = up.reversed()
    tail = Path(tail.points, tuple(names[label[:3]] + label[3:] for label in tail.labels))
    return down + labelled(toward, "(3)") + labelled(back, "(4)") + tail


def _compressed(
    risk: Risk, fitted: Array, active: int, angle: float, rng: np.random.Generator, *, search: bool = True
) -> Array:
    """At most `active` units of `fitted`, rows turned by at most `angle`: delta_W(active, angle; m) from above.

    Tosses give a bound; `theory.compression` joins in, on large problems for the units that `fitted` uses.
    """
    net, sample = risk.network, risk.sample
    W, b = net.weights(fitted)
    if active == 0:
        return net.pack([W, np.zeros_like(b)])
    tossed = moves.toss(risk, fitted, active)
    sizes = risk.row_norms(fitted)  # one, unless kappa = 0 and lengths are a gauge
    small = len(sample) * len(sizes) <= COMPRESS
    units = np.flatnonzero((sizes > 0) & (small | (b[0] != 0)))
    if not search or units.size == 0 or (angle == 0 and np.count_nonzero(b) <= active):
        return tossed
    best = delta(
        sample,
        W[units] / sizes[units, None],
        min(active, units.size),
        angle,
        risk.kappa,
        rules=("enumeration", "homotopy", "pursuit", "maurey", "merging") if small else ("maurey",),
        sweeps=40 if small else 4,
        rng=rng,
    )
    rows, weights = W.copy(), np.zeros_like(b)
    moved = (best.rows != W[units] / sizes[units, None]).any(axis=1)
    rows[units[moved]] = best.rows[moved] * (sizes[units[moved], None] * (1 - gamma(W.shape[1] + 8)))
    weights[0, units] = best.weights / sizes[units]
    found = net.pack([rows, weights])
    if risk.kappa > 0:
        found = moves.best_second_layer(risk, found, weights[0] != 0)
    return min(tossed, found, key=risk)
