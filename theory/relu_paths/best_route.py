"""Paths between two networks with one hidden relu layer: Theorem 2.4 and the routes that improve on it.

F = E (Y - b Z(W))^2 + kappa |b|_1, one output, rows of W_1 in the unit ball. Every route returns an explicit polyline;
its maximum is certified, and so is comparable with what the route's theorem allows:

straight, permutation, caratheodory, maurey, drop   of moves around idle units: `theory.relu_paths.sharper_routes`
oracle        the printed path with angle 0 and repaired: through the best net with l units, l on a grid
six_segment   the printed path repaired, l and angle on a grid: `theory.relu_paths.six_segments`

lambda is the larger of F(theta_a) and F(theta_b), which no path can undercut.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from theory.maxima import Named
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.relu_paths import constants, sharper_routes
from theory.relu_paths.candidates import ANGLES, Candidates
from theory.relu_paths.pieces import piece_maxima, vertex_bound
from theory.relu_paths.problem import Impossible, checked
from theory.relu_paths.sharper_routes import LARGE
from theory.relu_paths.six_segments import best_six_segments
from theory.risk import Risk

ROUTES = ("straight", "permutation", "caratheodory", "maurey", "drop", "oracle", "six_segment")  # cheapest first

# A maximum within this of the larger end counts as equal to it (certified maxima are good to 5e-10), and so does a root
# of the risk within this of the larger one in units of (E Y^2)^(1/2), for nets that interpolate.
AT_THE_END = 1e-9


class RouteStatus(Named):
    """What became of a route; the value is advice."""

    WON = "the lowest certified maximum"
    BEATEN = "certified, but another route is lower"
    IMPOSSIBLE = "a hypothesis fails: the reason says which inequality"
    SKIPPED = "a cheaper route already stays at the larger end; ask for this one by name or with exhaustive=True"


@dataclass(frozen=True, eq=False, repr=False)
class Route:
    """One route: its path, `upper`, a rigorous bound on its maximum, and what its theorem allows.

    status, reason: what became of it and why. allowed is inf for straight, which promises nothing, and for oracle and
    six_segment, whose promise depends on the nets found: `certify` gives it subpath by subpath. pieces
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

    def __repr__(self) -> str:
        what = self.reason if self.path is None else f"risk <= {self.upper:.5g}, {len(self.path)} pieces"
        return f"Route({self.name}, {self.status.name}{f', {what}' if what else ''})"


@dataclass(frozen=True, eq=False, repr=False)
class RouteTable:
    """What every route gave. larger_end: a rigorous bound on max(F(theta_a), F(theta_b)), which no path undercuts."""

    routes: tuple[Route, ...]
    larger_end: float

    def __repr__(self) -> str:
        found = [f"{route.name} {route.upper:.5g}" for route in self.routes if route.path is not None]
        left = len(self.routes) - len(found)
        return f"RouteTable({', '.join(found)}, {left} not taken, larger end {self.larger_end:.5g})"

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
    return _build(Candidates(risk, theta_a, theta_b, check.generator(rng)), route)


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
    names = [check.choice(name, "names", ROUTES) for name in check.entries(names, "names")]
    check.choice(exhaustive, "exhaustive", (False, True))
    found = Candidates(risk, theta_a, theta_b, check.generator(rng))
    larger = max(vertex_bound(risk, theta) for theta in (theta_a, theta_b))
    enough = larger + AT_THE_END * larger + AT_THE_END**2 * risk.sample.energy
    tried: list[Route] = []
    order = ROUTES if len(risk.sample) * risk.network.widths[1] <= LARGE else (*ROUTES[1:5], ROUTES[0], *ROUTES[5:])
    for name in (name for name in order if name in names):
        if not exhaustive and any(r.upper <= enough for r in tried):
            tried.append(Route(name, RouteStatus.SKIPPED))
            continue
        began = time.perf_counter()
        try:
            path = _build(found, name)
        except Impossible as error:
            tried.append(Route(name, RouteStatus.IMPOSSIBLE, reason=str(error)))
            continue
        upper = piece_maxima(risk, path)
        allowed = _allowed(found, name, larger)
        seconds = time.perf_counter() - began
        tried.append(Route(name, RouteStatus.BEATEN, path, float(upper.max()), allowed, upper, seconds))
    if all(route.path is None for route in tried):
        reasons = "; ".join(f"{route.name}: {route.reason}" for route in tried)
        raise ValueError(f"names must include a route that can be taken; got {names} ({reasons})")
    winner = min(range(len(tried)), key=lambda k: tried[k].upper)
    tried[winner] = replace(tried[winner], status=RouteStatus.WON)
    return RouteTable(tuple(tried), larger)


def _build(found: Candidates, name: str) -> Path:
    """The path of a route; Impossible when a hypothesis of it fails."""
    if name in ("oracle", "six_segment"):
        return best_six_segments(found, (0.0,) if name == "oracle" else ANGLES)
    return getattr(sharper_routes, name)(found)


def _allowed(found: Candidates, name: str, larger_end: float) -> float:
    """What the theorem of a route allows on problems where its hypothesis holds."""
    risk, m = found.risk, found.risk.network.widths[1]
    if name in ("permutation", "caratheodory"):
        return larger_end
    if name == "maurey":
        return larger_end + constants.maurey_excess(risk.sample, risk.kappa, larger_end, m)
    if name == "drop":
        excess = [constants.drop_excess(risk.sample, risk.kappa, larger_end, m, l) for l in found.ls]
        nets = [vertex_bound(risk, net) for net in found.oracle_nets(search=True)]
        return min(max(net, larger_end + extra) for net, extra in zip(nets, excess))
    return math.inf
