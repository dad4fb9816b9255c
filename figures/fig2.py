"""Figure 2: the algorithm at work on the plane of a real run: a bead at the top of the risk falls into the level set."""

from __future__ import annotations

import numpy as np

from figures import _runs
from theory.maxima import segment_maximum
from theory.networks import Network
from theory.risk import Risk, Sample

CAPTION = (
    "Algorithm 1 in the plane of a net's two weights (white: risk at most L0): between two nets (a) the risk is "
    "highest at t* (b), a bead is put there and trained into the valley (c, d), and so on where it is still too high "
    "(e-g), until the string is certified (h). It would be refuted by a last curve that rises above L0."
)

CLAIMS = ("alg-1-recursion", "alg-1-sound")
LEVEL = 0.04
FINE = 60  # points per piece


def data(*, fast: bool = False) -> dict[str, np.ndarray]:
    """The landscape on a grid of the plane, and the strings of a run, nan-padded; `where` (rounds, most pieces): t*.

    `risks` (rounds, points): along each string, FINE points to a piece; `top` (rounds, most pieces): risk at t*, the
    computed maximum of the piece.
    """
    risk, ends = problem()
    result, strings = _runs.recorded(risk, ends, LEVEL, "greedy", alpha=0.8, split="maximum")
    block, counts = _runs.padded(strings)
    n = 61 if fast else 241
    u, v = np.linspace(0, 4, n), np.linspace(0, 4, n)
    plane = np.stack(np.meshgrid(u, v), axis=-1)
    risks = np.full((len(strings), FINE * (counts.max() - 1) + 1), np.nan)
    where, top = np.full((2, len(strings), counts.max() - 1), np.nan)
    for k, string in enumerate(strings):
        fine = string.at(np.linspace(0, 1, FINE * len(string) + 1))
        risks[k, : len(fine)] = risk.batch(fine)
        for j, (a, b) in enumerate(zip(string.points[:-1], string.points[1:])):
            found = segment_maximum(risk, a, b)
            where[k, j], top[k, j] = found.t, found.value
    return {
        "strings": block,
        "counts": counts,
        "risks": risks,
        "where": where,
        "top": top,
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
    """The plane above, the risk along the string below: the straight line, two rounds, and the last string."""
    from matplotlib.figure import Figure

    last = len(arrays["counts"]) - 1
    rounds = [0, 1, 2, last]
    figure = Figure(figsize=(7.2, 4.1))
    planes, curves = figure.subplots(2, 4, sharex="row", sharey="row", height_ratios=[1.25, 1])
    for axis, below, k in zip(planes, curves, rounds):
        _plane(axis, arrays, k)
        _curve(below, arrays, k)
    planes[0].set_ylabel("$w_2$")
    curves[0].set_ylabel("risk along the string")
    words = ("two ends", "bead at $t^*$, trained", "again where too high", f"{arrays['counts'][last]} beads: inside")
    for axis, mark, text in zip(planes, ("(a)", "(c, d)", "(f, g)", "(h)"), words):
        axis.set_title(f"{mark} {text}", loc="left", fontsize=8)
    words = ("highest at $t^*$", "two new curves", "four curves", "all below $L_0$")
    for axis, mark, text in zip(curves, ("(b)", "(e)", "", ""), words):
        axis.set_title(f"{mark} {text}".strip(), loc="left", fontsize=8)
    return figure


def _plane(axis, arrays: dict[str, np.ndarray], k: int) -> None:
    """The string of round k; beads that are new in it with the way from where they were put."""
    level = float(arrays["level"])
    plane = arrays["u"], arrays["v"], arrays["landscape"]
    axis.contourf(*plane, levels=[level, 1e9], colors=["0.82"])
    axis.contour(*plane, levels=[level], colors="0.3", linewidths=0.8)
    points = arrays["strings"][k, : arrays["counts"][k]]
    axis.plot(*points.T, "o-", color="C0", ms=3.5, zorder=3)
    axis.plot(*points[[0, -1]].T, "s", color="k", ms=5, ls="none", zorder=4)
    if k == 0:
        axis.text(3.9, 3.7, "risk above $L_0$", ha="right", va="center", fontsize=8)
        axis.annotate(r"$\theta_1$", points[0], xytext=(6, 0), textcoords="offset points", fontsize=8)
        axis.annotate(r"$\theta_2$", points[1], xytext=(0, 6), textcoords="offset points", fontsize=8)
    for start, end in _put(arrays, k - 1, points):
        axis.plot(*start, "*", color="C1", ms=7, mec="k", mew=0.4, ls="none", zorder=5)
        arrow = {"arrowstyle": "-|>", "color": "C1", "lw": 1, "shrinkA": 2, "shrinkB": 2}
        if np.linalg.norm(end - start) > 0.5:  # else its head alone would fill it
            axis.annotate("", end, start, arrowprops=arrow, zorder=5)
    axis.set(aspect="equal", xlabel="$w_1$", xticks=range(5), yticks=range(5))


def _put(arrays: dict[str, np.ndarray], k: int, points: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Where the beads that are in `points` and not in round k were put on its pieces, and where they went."""
    if k < 0 or len(points) == arrays["counts"][k]:
        return []
    before = arrays["strings"][k, : arrays["counts"][k]]
    new = [j for j, point in enumerate(points) if not (point == before).all(axis=1).any()]
    pieces = [int(np.flatnonzero((points[j - 1] == before).all(axis=1))[0]) for j in new]
    t = arrays["where"][k, pieces][:, None]
    return list(zip((1 - t) * before[pieces] + t * before[np.add(pieces, 1)], points[new]))


def _curve(axis, arrays: dict[str, np.ndarray], k: int) -> None:
    """The risk along the string of round k, piece by piece, with t* of those above the level."""
    level, pieces = float(arrays["level"]), int(arrays["counts"][k]) - 1
    risk = arrays["risks"][k, : FINE * pieces + 1]
    axis.plot(np.linspace(0, 1, len(risk)), risk, color="C1", ls="-")
    axis.axhline(level, color="k", lw=0.9, ls=":")
    for j in np.flatnonzero(arrays["top"][k, :pieces] > level):
        at = (j + arrays["where"][k, j]) / pieces, arrays["top"][k, j]
        axis.plot(*at, "*", color="C1", ms=8, mec="k", mew=0.4, ls="none", zorder=5, clip_on=False)
        if k == 0:
            axis.annotate("$t^*$", at, xytext=(6, -3), textcoords="offset points")
    ends = risk[::FINE]
    axis.plot(np.linspace(0, 1, pieces + 1)[1:-1], ends[1:-1], "o", color="C0", ms=3.5, ls="none", zorder=4)
    axis.plot([0, 1], ends[[0, -1]], "s", color="k", ms=5, ls="none", zorder=4)
    axis.set(
        yscale="log", ylim=(0.4 * ends.min(), None), xlabel="along the string", xticks=[0, 0.5, 1], xlim=(-0.06, 1.06)
    )
    axis.set_xticklabels(["0", "½", "1"])
    if k == 0:
        axis.text(0.5, level, "$L_0$", va="bottom", ha="center", fontsize=8)
