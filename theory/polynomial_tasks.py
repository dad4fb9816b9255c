"""The polynomial tasks of sec. 4.1 as the authors really ran them, and one row of their Figure 1.

Settings are those of the published scripts (danielfreeman11/convex-nets, 31 May 2017), which the paper's text leaves
out or contradicts: the loss is the mean absolute error; the quadratic net is sigmoid throughout and has no biases;
the cubic one has biases and a linear output, because its target leaves [0, 1]. Inputs are uniform on [0, 1]; here an
even grid takes the place of 10 000 random points, for training and test alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory import geodesics, maxima, string_sampling
from theory.landscapes import Adam, Exact, Objective, Trained
from theory.networks import Network
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk, Sample
from theory.string_sampling import Status, StringResult

LEVELS = {
    "quadratic": (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.075, 0.1, 0.125),
    "cubic": (
        *(0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12, 0.14, 0.15, 0.152, 0.154, 0.156, 0.158),
        *(0.16, 0.162, 0.164, 0.168, 0.17, 0.18, 0.2, 0.24, 0.32),
    ),
}
TASKS = tuple(LEVELS)
PRESETS = ("authors", "certified", "shortened")
ALPHA = 0.95  # the authors' bead target
ACCEPTANCE = 1.1  # and what they accept along a piece
GRID = np.arange(100) / 100  # where they look: t = 1 is left out
MAX_STEPS = 40_000  # Adam steps after which an end or a bead is given up (their loop has no limit)


def task(name: str, *, points: int = 512, loss: str = "absolute") -> Risk:
    """The risk of the "quadratic" (y = x^2/2 + x/4 + 1/10) or "cubic" (y = 8x^3 - 10x^2 + 3x) task, a 1-4-4-1 net."""
    check.choice(name, "name", TASKS)
    x = ((np.arange(check.positive_integer(points, "points")) + 0.5) / points)[:, None]
    if name == "quadratic":
        return Risk(Network((1, 4, 4, 1), "sigmoid", "sigmoid"), Sample(x, x**2 / 2 + x / 4 + 0.1), loss)
    return Risk(Network((1, 4, 4, 1), "sigmoid", bias=True), Sample(x, 8 * x**3 - 10 * x**2 + 3 * x), loss)


def draw(network: Network, count: int, *, rng: Any = None) -> Array:
    """The authors' initial weights (count, P): uniform on [-1, 1]; biases standard normal."""
    rng, count = check.generator(rng), check.positive_integer(count, "count")
    W = [rng.uniform(-1, 1, (count, *shape)) for shape in check.instance(network, "network", Network).shapes]
    if network.bias:
        for matrix in W:
            matrix[..., -1] = rng.standard_normal(matrix.shape[:-1])
    return network.pack(W)


def best_constant(risk: Risk) -> float:
    """The risk of the best constant predictor: the plateau on which a net rests before it learns anything.

    ValueError unless the loss is squared or absolute.
    """
    check.choice(check.instance(risk, "risk", Risk).loss, "risk.loss", ("squared", "absolute"))
    Y, weights = risk.sample.Y, risk.sample.weights
    total = 0.0
    for y in Y.T:
        order = np.argsort(y)
        middle = y[order][np.searchsorted(np.cumsum(weights[order]), 0.5)]
        best = middle if risk.loss == "absolute" else float(weights @ y)
        total += float(weights @ (np.abs(y - best) if risk.loss == "absolute" else (y - best) ** 2))
    return total


def trained_ends(
    risk: Risk, levels: Sequence[float], count: int, *, rng: Any = None, steps: int = MAX_STEPS, block: int = 5
) -> Array:
    """Ends as the authors train them, (len(levels), count, P); nan where none was found within `steps`.

    The first iterate of Adam, looked at every `block` steps, whose risk is below the level. One run from each initial
    draw serves all levels, so that ends of different levels are not independent.
    """
    levels_ = np.array([check.number(level, "levels", minimum=0.0, open_minimum=True) for level in levels])
    adam = Adam(Objective(risk), draw(risk.network, count, rng=rng))
    ends = np.full((len(levels_), count, risk.network.size), np.nan)
    for k in range(0, steps + 1, block):
        waiting = np.isnan(ends[:, :, 0])
        rows = np.flatnonzero(waiting.any(axis=0))
        if rows.size == 0:
            break
        below = (risk.batch(adam.points[rows])[None] < levels_[:, None]) & waiting[:, rows]
        for level, row in np.argwhere(below):
            ends[level, rows[row]] = adam.points[rows[row]]
        for _ in range(block if k < steps else 0):
            adam.step(rows)
    return ends


@dataclass(frozen=True, eq=False)
class AdamBlocks(Exact):
    """The landscape of a risk on which beads are trained as the authors do.

    risk, trainer, iterations: as in `Exact` (a trainer is not used). Full-batch Adam in blocks of `block` steps, at least one and at most `steps` steps, until the risk is below the target.
    """

    block: int = 15
    steps: int = MAX_STEPS

    def __post_init__(self) -> None:
        super().__post_init__()
        check.positive_integer(self.block, "block")
        check.positive_integer(self.steps, "steps")

    def train(self, starts: Array, target: float, **hints: Any) -> Trained:
        """Beads `starts` (B, P) down to below the target; hints: of other trainers, which Adam has no use for."""
        adam, waiting = Adam(Objective(self.risk), starts.copy()), np.arange(len(starts))
        for _ in range(max(1, self.steps // self.block)):
            for _ in range(self.block):
                adam.step(waiting)
            waiting = waiting[self.risk.batch(adam.points[waiting]) >= target]
            if waiting.size == 0:
                break
        reached = ~np.isin(np.arange(len(starts)), waiting)
        names = np.full(len(starts), "adam", dtype="<U10")
        return Trained(adam.points, self.risk.batch(adam.points), reached, names, adam.evaluations)


def authors_string(
    risk: Risk,
    theta_a: Array,
    theta_b: Array,
    level: float,
    *,
    alpha: float = ALPHA,
    acceptance: float = ACCEPTANCE,
    depth: int = 10,
    block: int = 15,
    steps: int = MAX_STEPS,
) -> StringResult:
    """`theory.string_sampling.published` with Adam on every bead, on these tasks: the risk at t = 0, 0.01, ..., 0.99.

    theta_a, theta_b (P,), level, alpha, acceptance, depth: as there; block, steps: as in `AdamBlocks`. maximum is certified
    whatever the status. ValueError as there.
    """
    landscape = AdamBlocks(risk, block=block, steps=steps)
    return string_sampling.published(
        landscape, theta_a, theta_b, level, alpha=alpha, acceptance=acceptance, points=len(GRID), depth=depth
    )


@dataclass(frozen=True)
class Row:
    """One pair of Figure 1: beads and normalised lengths (all parameters; weights without biases) under one preset.

    length, length_weights: the two lengths; status: how the run ended. accepted: whether the preset calls the pair
    connected; value: the largest risk met on the string; upper: a bound.
    """

    preset: str
    level: float
    accepted: bool
    beads: int
    length: float
    length_weights: float
    value: float
    upper: float
    status: str


def pair_rows(
    risk: Risk,
    theta_a: Array,
    theta_b: Array,
    level: float,
    *,
    alpha: float = ALPHA,
    steps: int = MAX_STEPS,
    rng: Any = None,
) -> list[Row]:
    """One pair under the three presets: the authors' code, the certified greedy string, and the shortest path found.

    The last is the shortest of what shortening makes of the certified string and of the authors' one, once certified.
    alpha: beads are trained to alpha times the level; steps: of the authors' trainer, at most.
    """
    theirs = authors_string(risk, theta_a, theta_b, level, alpha=alpha, steps=steps)
    ours = string_sampling.greedy(risk, theta_a, theta_b, level, alpha=alpha, attempts=8, rng=rng)
    rows = [
        _row(risk, "authors", level, theirs.string, theirs.status, theirs.maximum),
        _row(risk, "certified", level, ours.string, ours.status, ours.maximum),
    ]
    paths = [ours.path]
    if theirs.status is Status.ACCEPTED:  # their string, split further until it is certified, may be shorter
        paths.append(
            string_sampling.greedy(risk, theta_a, theta_b, level, alpha=alpha, start=theirs.string, rng=rng).path
        )
    found = [geodesics.geodesic(risk, path, level) for path in (*paths, theirs.path) if path is not None]
    if found:
        short = min(found, key=lambda geodesic: geodesic.after)
        rows.append(_row(risk, "shortened", level, short.path, Status.CONNECTED, short.maximum))
    return rows


def _row(risk: Risk, preset: str, level: float, path: Path, status: Status, maximum: maxima.PathMaximum) -> Row:
    whole, weights = (string_sampling.normalised_length(risk.network, path, biases=biases) for biases in (True, False))
    accepted = status in (Status.CONNECTED, Status.ACCEPTED)
    return Row(preset, level, accepted, len(path.points), whole, weights, maximum.value, maximum.upper, status.name)


def power_law(levels: ArrayLike, values: ArrayLike) -> tuple[float, float]:
    """Least squares fit log values = intercept + slope log levels: (slope, R^2).

    levels (k,), not all the same, and values (k,), k >= 2; ValueError unless they are positive.
    """
    levels, values = check.finite_array(levels, "levels", ndim=1), check.finite_array(values, "values", ndim=1)
    if levels.shape != values.shape or not (levels > 0).all() or not (values > 0).all() or not np.ptp(levels) > 0:
        raise ValueError(
            f"levels and values must be positive, as many of each, and levels must differ; got {check.describe(levels)}, "
            f"{check.describe(values)}"
        )
    x, y = np.log(levels), np.log(values)
    slope, intercept = np.polyfit(x, y, 1)
    left = y - slope * x - intercept
    return float(slope), float(1 - left @ left / max(np.sum((y - y.mean()) ** 2), 1e-300))
