"""Certified bounds piece by piece, on the units that a piece uses (Theorem 2.4)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from theory import lasso
from theory.maxima import is_convex_along, segment_maximum
from theory.networks import Network
from theory.numerics import Array, feature_rounding
from theory.paths import Path
from theory.relu_paths.problem import features
from theory.risk import Risk

# --- certified maxima -------------------------------------------------------------------------------------------


def piece_maxima(risk: Risk, path: Path, vertices: Array | None = None) -> Array:
    """A rigorous upper bound on the risk over each piece of a path (V - 1,); (1,) for a path of one point.

    As `theory.maxima`, after units that are idle at both ends of a piece have been left out: they change nothing.
    vertices (V,): bounds at the vertices, where they are known.
    """
    at = vertex_bounds(risk, path) if vertices is None else vertices
    if len(path) == 0:
        return at
    upper = np.maximum(at[:-1], at[1:])
    for k, (start, end) in enumerate(pairwise(path.points)):
        if not is_convex_along(risk, start, end):
            reduced, ends = without_idle(risk, start, end)
            upper[k] = max(upper[k], segment_maximum(reduced, *ends).upper)
    return upper


def vertex_bounds(risk: Risk, path: Path) -> Array:
    """Rigorous upper bounds on F at the vertices of a path, (V,)."""
    return np.array([vertex_bound(risk, theta) for theta in path.points])


def vertex_bound(risk: Risk, theta: Array) -> float:
    """A rigorous upper bound on F(theta), larger by roundings only."""
    reduced, (at,) = without_idle(risk, theta)
    W, b = reduced.network.weights(at)
    blur = feature_rounding(risk.sample.X, W, b[0])
    return lasso.primal(features(reduced, at), risk.sample.Y[:, 0], risk.sample.weights, risk.kappa, b[0], blur)


def without_idle(risk: Risk, *thetas: Array) -> tuple[Risk, list[Array]]:
    """The same risk on the units that some of thetas (P,) uses (at least one unit is kept)."""
    net = risk.network
    pairs = [net.weights(theta) for theta in thetas]
    used = np.any([V[0] != 0 for _, V in pairs], axis=0)
    used[0] |= not used.any()
    small = Network((net.widths[0], int(used.sum()), 1))
    reduced = Risk(small, risk.sample, kappa=risk.kappa, penalty=risk.penalty)
    return reduced, [small.pack([W[used], V[:, used]]) for W, V in pairs]
