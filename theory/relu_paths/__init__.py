"""Half-rectified networks (section 2.3.3): paths between two nets with one hidden ReLU layer, and what they cost.

Theorem 2.4 joins two nets below a level through an oracle net with few units: first each second layer is made the best
one on its rows, then few units take over, the oracle net goes into the idle ones, and the same backwards. `six_segments`
is that path with its missing pieces, through the nets of `candidates`, with rows brought to the ball by `unit_rows`; what
it may cost the paper says in `constants`, what each piece does cost, `pieces`. What it needs of the units is only that
few do as well as many, and that is cheaper than the paper has it (`sparsify`): along dependencies for nothing
(Caratheodory), by tossing coins at O(1/m) (Maurey), or by dropping the least of them at O(1/m^2). `sharper_routes` go
this way; `best_route` takes the one with the lowest certified maximum. `problem` is the door.
"""

from theory.relu_paths.best_route import ROUTES, Route, RouteStatus, RouteTable, connect, routes
from theory.relu_paths.candidates import Epsilon, epsilon
from theory.relu_paths.constants import (
    drop_excess,
    energy,
    largest_feature,
    maurey_excess,
    perturbation,
    printed_allowance,
    spectral_norm,
    theorem_constants,
)
from theory.relu_paths.pieces import piece_maxima, vertex_bound
from theory.relu_paths.problem import Impossible, into_ball, line
from theory.relu_paths.six_segments import SixSegments, Subpath, certify, six_segment, six_segment_report
from theory.relu_paths.sparsify import best_second_layer, toss

__all__ = [
    "ROUTES",
    "Epsilon",
    "Impossible",
    "Route",
    "RouteStatus",
    "RouteTable",
    "SixSegments",
    "Subpath",
    "best_second_layer",
    "certify",
    "connect",
    "drop_excess",
    "energy",
    "epsilon",
    "into_ball",
    "largest_feature",
    "line",
    "maurey_excess",
    "perturbation",
    "piece_maxima",
    "printed_allowance",
    "routes",
    "six_segment",
    "six_segment_report",
    "spectral_norm",
    "theorem_constants",
    "toss",
    "vertex_bound",
]
