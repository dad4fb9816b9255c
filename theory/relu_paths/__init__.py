"""Half-rectified networks (Theorem 2.4, Corollary 2.5): the six segments, sharper routes, and the best of them."""

from theory.relu_paths.best_route import ROUTES, Route, RouteStatus, RouteTable, connect, routes
from theory.relu_paths.candidates import Epsilon, epsilon
from theory.relu_paths.constants import (
    energy,
    largest_feature,
    maurey_excess,
    perturbation,
    printed_allowance,
    spectral_norm,
    theorem_constants,
)
from theory.relu_paths.crossing import cross
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
    "cross",
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
