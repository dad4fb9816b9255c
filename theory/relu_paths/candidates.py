"""The nets that a path of Theorem 2.4 goes through: oracle nets, compressed nets, and eps of eqs (10)-(11)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from theory import oracle
from theory.compression import delta
from theory.moves import Walk
from theory.numerics import Array, gamma
from theory.numerics import validation as check
from theory.relu_paths import constants, sparsify
from theory.relu_paths.pieces import vertex_bound
from theory.relu_paths.problem import checked, labelled, second_layer_of
from theory.relu_paths.unit_rows import to_unit_rows
from theory.risk import Risk

# Oracle nets are searched for below this many (sample, unit, input) triples; above, units of either side are used.
# The convex limit is a source of candidates where the best new unit is cheap to find: in the plane, or for few numbers.
SEARCH, LIMIT = 20_000, 100
LIMIT_STEPS, LIMIT_CONES = 20, 50

# All rules of compression are tried below this many (sample, unit) pairs.
COMPRESS = 20_000

# Angles that `epsilon` and the route six_segment try, in radians.
ANGLES = (0.0, 0.02, 0.1, 0.3)


@dataclass(frozen=True, eq=False)
class Epsilon:
    """eps of eqs (10)-(11) on a grid: value = min over (l, alpha) of table, with its minimiser l, angle.

    table (len(units), len(angles)): max{e(l), delta_A(m,0), delta_A(m-l,alpha), delta_B(m,0), delta_B(m-l,alpha)} +
    C1 alpha + C2 alpha^2 with the corrected constants; every entry is an upper bound, from feasible nets.
    """

    value: float
    l: int
    angle: float
    units: tuple[int, ...]
    angles: tuple[float, ...]
    table: Array


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
    given = grid(m) if units is None else check.entries(units, "units")
    ls = tuple(check.positive_integer(l, "units", minimum=0) for l in given)
    numbers = np.atleast_1d(check.finite_array(angles, "angles")).tolist()
    turns = tuple(check.number(t, "angles", minimum=0.0, maximum=math.pi) for t in numbers)
    if not ls or not turns or max(ls) > m:
        raise ValueError(f"units must be in 0..{m} and angles in [0, pi], at least one of each; got {ls}, {turns}")
    rng = check.generator(rng)
    fitted = [start(risk, theta).theta for theta in (a, b)]
    base = max(vertex_bound(risk, theta) for theta in fitted)
    rule = constants.theorem_constants(risk.sample, risk.kappa)
    table = np.empty((len(ls), len(turns)))
    nets = oracle_nets(risk, ls, fitted, rng)
    for i, (l, net) in enumerate(zip(ls, nets)):
        reached = vertex_bound(risk, net)
        for j, angle in enumerate(turns):
            deltas = [vertex_bound(risk, compressed(risk, theta, m - l, angle, rng)) for theta in fitted]
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
    fitted = [sparsify.best_second_layer(risk, theta) for theta in nearby if max(ls, default=0) > 0]
    small = [l for l in ls if search and 0 < l and len(sample) * l * n <= SEARCH]
    nearest = oracle.OracleBound(math.inf, 0.0, np.zeros((0, n)), np.zeros(0), risk.kappa, "none")
    if small and risk.kappa > 0 and (n <= 2 or len(sample) * n <= LIMIT):
        nearest = oracle.limit(sample, risk.kappa, gap=1e-4, steps=LIMIT_STEPS, cones=LIMIT_CONES)
    out = []
    for l in ls:
        candidates = [empty, *(sparsify.toss(risk, theta, l) for theta in fitted if l > 0)]
        if l in small:
            found = oracle.finite(sample, l, risk.kappa, rng=rng, starts=1, bound=nearest)
            W, b = rows.copy(), np.zeros((1, m))
            W[: len(found.units)], b[0, : len(found.weights)] = found.units, found.weights
            candidates.append(net.pack([W, b]))
        out.append(min(candidates, key=risk))
    return out


def grid(m: int) -> list[int]:
    """0, 1, 2, 4, ..., m."""
    return sorted({0, m, *(2**k for k in range(m.bit_length()) if 2**k <= m)})


def start(risk: Risk, theta: Array) -> Walk:
    """Subpaths (0) and (1) from theta (P,): rows to norm one, then the best second layer."""
    normal = to_unit_rows(risk, theta)
    walk = Walk.along(risk.network, labelled(normal, "(0)"), risk.sample.X)
    walk.refit(1, second_layer_of(risk, sparsify.best_second_layer(risk, walk.theta)), "(1) best second layer")
    return walk


class Candidates:
    """Two nets to be joined, theta_a and theta_b (P,), and the nets on the way that several routes need, found once."""

    def __init__(self, risk: Risk, theta_a: Array, theta_b: Array, rng: np.random.Generator) -> None:
        self.risk, self.ends, self.rng = risk, (theta_a, theta_b), rng
        self.ls = grid(risk.network.widths[1])
        self._nets: dict[bool, list[Array]] = {}

    @cached_property
    def starts(self) -> list[Walk]:
        """Subpaths (0) and (1) of both sides."""
        return [start(self.risk, theta) for theta in self.ends]

    @cached_property
    def fitted(self) -> list[Array]:
        """The best second layers on rows of norm one, (P,) each: where subpath (1) ends."""
        return [walk.theta for walk in self.starts]

    @cached_property
    def base(self) -> float:
        """The highest vertex of subpaths (0) and (1): no path through them is lower."""
        return max(float(self.risk.batch(walk.path.points).max()) for walk in self.starts)

    def oracle_nets(self, *, search: bool) -> list[Array]:
        """For each l of 0, 1, 2, 4, ..., m the best net found with l units; search: on small problems, wider."""
        if search not in self._nets:
            self._nets[search] = oracle_nets(self.risk, self.ls, self.fitted, self.rng, search=search)
        return self._nets[search]


def compressed(
    risk: Risk, fitted: Array, active: int, angle: float, rng: np.random.Generator, *, search: bool = True
) -> Array:
    """At most `active` units of `fitted` (P,), rows turned by at most `angle`: delta_W(active, angle; m) from above, (P,).

    Tosses give a bound; with `search` `theory.compression.layers` joins in, on large problems for the units that
    `fitted` uses.
    """
    net, sample = risk.network, risk.sample
    W, b = net.weights(fitted)
    if active == 0:
        return net.pack([W, np.zeros_like(b)])
    tossed = sparsify.toss(risk, fitted, active)
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
        found = sparsify.best_second_layer(risk, found, weights[0] != 0)
    return min(tossed, found, key=risk)
