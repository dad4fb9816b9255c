"""Paths between two networks with one hidden relu layer: Theorem 2.4 and the routes that improve on it.

F = E (Y - b Z(W))^2 + kappa |b|_1, one output, rows of W_1 in the unit ball. Every route returns an explicit polyline;
its maximum is certified, and so is comparable with what the route's theorem allows:

straight      one piece; no theorem
permutation   theta_b reorders the units of theta_a, m >= N + 1 (or dependent features): never above F(theta_a)
caratheodory  m >= 2N (or few enough independent features): never above the larger end, any kappa >= 0
maurey        kappa > 0, m >= 2: never above lambda + zeta^2 min(lambda, E Y^2/2)^2 / (kappa^2 floor(m/2))
oracle        the printed path with angle 0 and repaired: through the best net with l units, l on a grid
six_segment   the printed path repaired, l and angle on a grid (`theory.relu_paths`)

lambda is the larger of F(theta_a) and F(theta_b), which no path can undercut.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from theory.moves import Walk
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.relu_paths import constants, crossing, problem, sparsify
from theory.relu_paths import pieces as moves
from theory.relu_paths.candidates import ANGLES
from theory.relu_paths.pieces import piece_maxima
from theory.relu_paths.problem import Impossible, checked
from theory.relu_paths.six_segments import Candidates, six_segment
from theory.risk import Risk

__all__ = ["ROUTES", "Route", "RouteStatus", "RouteTable", "connect", "routes", "six_segment"]


# Beyond this many (sample, unit) pairs the straight line is costlier than moves, and dependent features are looked for
# only where m >= 2N promises them.
LARGE = 2_000_000

ROUTES = ("straight", "permutation", "caratheodory", "maurey", "oracle", "six_segment")  # cheapest first

# A maximum within this of the larger end counts as equal to it (certified maxima are good to 5e-10), and so does a root
# of the risk within this of the larger one in units of (E Y^2)^(1/2), for nets that interpolate.
AT_THE_END = 1e-9


class RouteStatus(Enum):
    """What became of a route; the value is advice."""

    WON = "the lowest certified maximum"
    BEATEN = "certified, but another route is lower"
    IMPOSSIBLE = "a hypothesis fails: the reason says which inequality"
    SKIPPED = "a cheaper route already stays at the larger end; ask for this one by name or with exhaustive=True"


@dataclass(frozen=True, eq=False)
class Route:
    """One route: its path, `upper`, a rigorous bound on its maximum, and what its theorem allows.

    status, reason: what became of it and why. allowed is inf for straight, which promises nothing, and for oracle and
    six_segment, whose promise depends on the nets found: `theory.relu_paths.certify` gives it subpath by subpath. pieces
    (V - 1,): bounds on the maximum over each piece; seconds: to build and certify.
    """

    name: str
    status: RouteStatus
    path: Path | None = None
    upper: float = math.inf
    allowed: float = math.inf
    pieces: Array | None = None
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True, eq=False)
class RouteTable:
    """What every route gave. larger_end: a rigorous bound on max(F(theta_a), F(theta_b)), which no path undercuts."""

    routes: tuple[Route, ...]
    larger_end: float

    @property
    def best(self) -> Route:
        """The route that won."""
        return next(route for route in self.routes if route.status is RouteStatus.WON)

    def __getitem__(self, name: str) -> Route:
        names = tuple(route.name for route in self.routes)
        return self.routes[names.index(check.choice(name, "name", names))]


def connect(
    risk: Risk,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    *,
    route: str = "auto",
    rng: np.random.Generator | int | None = None,
) -> Path:
    """A path from theta_a to theta_b (P,) whose maximum is as low as the routes get it; see the module.

    route "auto" takes the best of them (`routes` says what each gave). Any other name is that route alone, and
    ValueError says which inequality fails when it cannot be taken. rng: for the searches inside oracle and six_segment.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> net = Network((2, 4, 1))
    >>> F = Risk(net, Sample([[1.0, 0.0], [0.0, 1.0]], [[1.0], [2.0]]))
    >>> theta_a = net.pack([[[1, 0], [0, 1], [0, 0], [0, 0]], [[1, 2, 0, 0]]])
    >>> path = connect(F, theta_a, net.permute(theta_a, 1, [1, 0, 2, 3]))
    >>> bool(F.batch(path.points).max() < 1e-20)
    True
    """
    check.choice(route, "route", ("auto", *ROUTES))
    if route == "auto":
        best = routes(risk, theta_a, theta_b, rng=rng).best.path
        assert best is not None
        return best
    theta_a, theta_b = checked(risk, theta_a, theta_b)
    return _Pair(risk, theta_a, theta_b, check.generator(rng)).path(route)


def routes(
    risk: Risk,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    *,
    names: Sequence[str] = ROUTES,
    exhaustive: bool = False,
    rng: np.random.Generator | int | None = None,
) -> RouteTable:
    """Build and certify the routes `names` in turn, cheapest first.

    Stops trying once one stays at the larger end, unless `exhaustive`. ValueError when none of `names` can be taken.
    """
    theta_a, theta_b = checked(risk, theta_a, theta_b)
    names = [check.choice(name, "names", ROUTES) for name in names]
    check.choice(exhaustive, "exhaustive", (False, True))
    pair = _Pair(risk, theta_a, theta_b, check.generator(rng))
    larger = max(moves.vertex_bound(risk, theta) for theta in (theta_a, theta_b))
    enough = larger + AT_THE_END * larger + AT_THE_END**2 * risk.sample.energy
    tried: list[Route] = []
    order = ROUTES if _pairs(risk) <= LARGE else (*ROUTES[1:4], ROUTES[0], *ROUTES[4:])
    for name in (name for name in order if name in names):
        if not exhaustive and any(r.upper <= enough for r in tried):
            tried.append(Route(name, RouteStatus.SKIPPED))
            continue
        began = time.perf_counter()
        try:
            path = pair.path(name)
        except Impossible as error:
            tried.append(Route(name, RouteStatus.IMPOSSIBLE, reason=str(error)))
            continue
        pieces = piece_maxima(risk, path)
        allowed = _allowed(risk, name, larger)
        seconds = time.perf_counter() - began
        tried.append(Route(name, RouteStatus.BEATEN, path, float(pieces.max()), allowed, pieces, seconds))
    if all(route.path is None for route in tried):
        reasons = "; ".join(f"{route.name}: {route.reason}" for route in tried)
        raise ValueError(f"names must include a route that can be taken; got {names} ({reasons})")
    winner = min(range(len(tried)), key=lambda k: tried[k].upper)
    tried[winner] = replace(tried[winner], status=RouteStatus.WON)
    return RouteTable(tuple(tried), larger)


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


class _Pair:
    """Two nets to be joined; what several routes need is found once."""

    def __init__(self, risk: Risk, theta_a: Array, theta_b: Array, rng: np.random.Generator) -> None:
        self.risk, self.a, self.b, self.rng = risk, theta_a, theta_b, rng

    @cached_property
    def candidates(self) -> Candidates:
        return Candidates(self.risk, self.a, self.b, self.rng)

    def path(self, name: str) -> Path:
        """The path of a route; Impossible when a hypothesis of it fails."""
        if name == "oracle":
            return self.candidates.best((0.0,))
        if name == "six_segment":
            return self.candidates.best(ANGLES)
        return _BUILDERS[name](self.risk, self.a, self.b)


def _straight(risk: Risk, a: Array, b: Array) -> Path:
    return problem.line(a, b, "straight")


def _permutation(risk: Risk, a: Array, b: Array) -> Path:
    """Free as many units as the features allow, cross or go round an idle one, and free backwards."""
    net, X = risk.network, risk.sample.X
    order = matching(risk, a, b)
    if order is None:
        raise Impossible("route 'permutation' needs theta_b to be a reordering of the hidden units of theta_a, exactly")
    down = _lean(risk, a)
    used = int(np.count_nonzero(net.weights(down.points[-1])[1]))
    if used == net.widths[1]:
        raise Impossible(
            f"route 'permutation' needs m >= N + 1, an idle unit or linearly dependent features; got m = {net.widths[1]}, "
            f"N = {len(risk.sample)} and {used} independent features"
        )
    start, end = down.points[-1], net.permute(down.points[-1], 1, order)
    if 2 * used <= net.widths[1]:
        middle = crossing.cross(net, start, end, X)
    else:
        walk = Walk(net, start, X)
        walk.permute(1, order)
        middle = walk.path
    up = Path(net.permute(down.points, 1, order), down.labels).reversed()
    return problem.labelled(down, "A:") + middle + problem.labelled(up, "B:")


def _caratheodory(risk: Risk, a: Array, b: Array) -> Path:
    """The same functions on few units, side by side."""
    if _pairs(risk) > LARGE and risk.network.widths[1] < 2 * len(risk.sample):
        raise Impossible(
            f"route 'caratheodory' needs m >= 2N on a problem of this size; got m = {risk.network.widths[1]}, "
            f"N = {len(risk.sample)}"
        )
    down, up = _lean(risk, a), _lean(risk, b)
    used = [int(np.count_nonzero(risk.network.weights(half.points[-1])[1])) for half in (down, up)]
    if sum(used) > risk.network.widths[1]:
        raise Impossible(
            f"route 'caratheodory' needs m >= 2N, or independent features of both nets that fit together; got "
            f"m = {risk.network.widths[1]}, N = {len(risk.sample)}, independent features {used[0]} + {used[1]}"
        )
    return _joined(risk, down, up)


def _maurey(risk: Risk, a: Array, b: Array) -> Path:
    """The best second layers, then at most floor(m/2) units of each by tosses, side by side."""
    half = risk.network.widths[1] // 2
    if risk.kappa == 0 or half == 0:
        raise Impossible(
            f"route 'maurey' needs kappa > 0 and m >= 2; got kappa = {risk.kappa}, m = {risk.network.widths[1]}"
        )
    halves = []
    for theta in (a, b):
        fitted = sparsify.best_second_layer(risk, theta)
        tossed = sparsify.toss(risk, fitted, half)
        halves.append(
            problem.line(theta, fitted, "best second layer")
            + problem.line(fitted, tossed, f"toss down to {half} units")
        )
    return _joined(risk, *halves)


def _pairs(risk: Risk) -> int:
    return len(risk.sample) * risk.network.widths[1]


def _lean(risk: Risk, theta: Array) -> Path:
    """One piece to the same function with independent features: its l1 norm and risk do not rise."""
    W, V = risk.network.weights(theta)
    lean = risk.network.pack([W, sparsify.eliminate(problem.features(risk, theta), V[0])[None]])
    return problem.line(theta, lean, "free dependent units")


def _joined(risk: Risk, down: Path, up: Path) -> Path:
    """down from A, a crossing, up to B."""
    middle = crossing.cross(risk.network, down.points[-1], up.points[-1], risk.sample.X)
    return problem.labelled(down, "A:") + middle + problem.labelled(up.reversed(), "B:")


def _allowed(risk: Risk, name: str, larger_end: float) -> float:
    """What the theorem of a route allows on problems where its hypothesis holds."""
    if name in ("permutation", "caratheodory"):
        return larger_end
    if name == "maurey":
        return larger_end + constants.maurey_excess(risk.sample, risk.kappa, larger_end, risk.network.widths[1])
    return math.inf


_BUILDERS = {
    "straight": _straight,
    "permutation": _permutation,
    "caratheodory": _caratheodory,
    "maurey": _maurey,
}
