"""A string as an elastic band: all its beads move at once, pulled straight by springs and pushed below a level.

    E(x_1, ..., x_K) = (K + 1) sum_k |x_{k+1} - x_k|^2 / |x_{K+1} - x_0|^2 + stiffness mean_k max(sqrt(F(x_k) / level) - 1, 0)^2

The first sum is the square of the normalised length when the beads are evenly spaced, so that springs also space them. The
root makes the second one quadratic far above the level too, as the distance from it is, for losses that are squares. It is
the string method (Jonsson, Mills, Jacobsen 1998; E, Ren, Vanden-Eijnden 2002) with a level in place of a lowest path.
"""

from __future__ import annotations

import numpy as np

from theory.landscapes.objectives import Objective
from theory.numerics import Array
from theory.risk import Risk

MEMORY = 20  # corrections that L-BFGS remembers


def tightened(risk: Risk, points: Array, level: float, *, stiffness: float, iterations: int) -> tuple[Array, int]:
    """The band `points` (K + 2, P), at least three of them, after L-BFGS on E with the level of the risk; its ends stay.

    level > 0; stiffness: of the level against the springs; iterations: of L-BFGS, at most. The unknowns are the beads in the coordinates in which the
    springs are the sum of squares: the inverse root of the second difference, which smooths forces along the band, so
    that long waves need no more steps than short ones. Nothing is promised of the result: its risks may exceed the level.
    Returns the points and the evaluations, one for each gradient of a bead.
    """
    from scipy import optimize

    objective, K = Objective(risk), len(points) - 2
    span = float(np.linalg.norm(points[-1] - points[0])) or float(np.ptp(points, axis=0).max()) or 1.0
    k = np.arange(1, K + 1)
    waves = np.sqrt(2 / (K + 1)) * np.sin(np.pi * np.outer(k, k) / (K + 1))
    roots = np.sqrt((K + 1) * (2 - 2 * np.cos(np.pi * k / (K + 1))))
    smooth, line = (waves / roots) @ waves, _line(points)
    evaluations = 0

    def energy(z: Array) -> tuple[float, Array]:
        nonlocal evaluations
        evaluations += K
        z = z.reshape(K, -1)
        F, _, slopes, _ = objective.derivatives(line + span * (smooth @ z))
        high = np.sqrt(np.maximum(F / level, 1.0))
        push = stiffness / K * np.where(high > 1, (1 - 1 / high) / level, 0.0)
        total = float(np.vdot(z, z) + stiffness * np.mean((high - 1) ** 2))
        slope = 2 * z + smooth @ (span * push[:, None] * slopes)
        return (total, slope.ravel()) if np.isfinite(slope).all() else (np.inf, np.zeros(z.size))

    start = (waves * roots) @ waves @ ((points[1:-1] - line) / span)
    with np.errstate(over="ignore", invalid="ignore"):
        found = optimize.minimize(
            energy,
            start.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": iterations, "maxcor": MEMORY, "ftol": 1e-6},
        )
    moved = line + span * (smooth @ found.x.reshape(K, -1))
    return np.concatenate([points[:1], moved, points[-1:]]), evaluations


def _line(points: Array) -> Array:
    """Evenly spaced points of the straight line between the ends, as many as there are beads between them."""
    t = np.linspace(0, 1, len(points))[1:-1, None]
    return (1 - t) * points[0] + t * points[-1]
