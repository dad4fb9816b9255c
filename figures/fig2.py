"""Figure 2: the algorithm at work on the plane of a real run: beads drop into the level set until the string is inside."""

from __future__ import annotations

import numpy as np

from figures import _runs
from theory.networks import Network
from theory.risk import Risk, Sample

CAPTION = (
    "Rounds of Algorithm 1 on a network of one relu unit, whose two weights are the whole parameter space (y = x for "
    "x > 0: the valley is w1 w2 = 1). Shaded: risk above the level. See: the straight line crosses the forbidden region; "
    "each round trains the middle of every piece that still does, until every piece is certified inside. It would be "
    "refuted by a last string that touches the shaded region."
)

CLAIMS = ("alg-1-recursion", "alg-1-sound")
LEVEL = 0.04


def data(*, fast: bool = False) -> dict[str, np.ndarray]:
    """The landscape on a grid of the plane, and the strings of a run, nan-padded."""
    risk, ends = problem()
    result, strings = _runs.recorded(risk, ends, LEVEL, "greedy", alpha=0.8)
    block, counts = _runs.padded(strings)
    n = 61 if fast else 241
    u, v = np.linspace(0, 4, n), np.linspace(0, 4, n)
    plane = np.stack(np.meshgrid(u, v), axis=-1)
    return {
        "strings": block,
        "counts": counts,
        "u": u,
        "v": v,
        "landscape": risk.batch(plane),
        "level": np.array(LEVEL),
        "upper": np.array(result.maximum.upper),
    }


def problem():
    """A 1-1-1 relu network on y = x, x > 0; ends on the two arms of the valley w1 w2 = 1."""
    x = np.linspace(0.05, 1, 20)[:, None]
    return Risk(Network((1, 1, 1)), Sample(x, x)), np.array([[0.27, 3.6], [3.6, 0.27]])


def draw(arrays: dict[str, np.ndarray]):
    """Four rounds side by side."""
    from matplotlib.figure import Figure

    rounds = np.unique(np.linspace(0, len(arrays["counts"]) - 1, 4).round().astype(int))
    figure = Figure(figsize=(7.2, 2.5))
    axes = figure.subplots(1, len(rounds), sharex=True, sharey=True, squeeze=False)
    level = float(arrays["level"])
    for axis, k in zip(axes[0], rounds):
        axis.contourf(arrays["u"], arrays["v"], arrays["landscape"], levels=[level, 1e9], colors=["0.82"])
        axis.contour(arrays["u"], arrays["v"], arrays["landscape"], levels=[level], colors="0.3", linewidths=0.8)
        points = arrays["strings"][k, : arrays["counts"][k]]
        axis.plot(*points.T, "o-", ms=3.5)
        axis.plot(*points[[0, -1]].T, "s", color="k", ms=5, linestyle="none")
        axis.set_title(f"{len(points)} beads", loc="left")
        axis.set_aspect("equal")
        axis.set_xlabel("$w_1$")
    axes[0, 0].set_ylabel("$w_2$")
    return figure
