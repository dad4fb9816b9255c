"""Figure 4: a string that cannot connect a net to its swap: three snapshots, and the certified barrier above its level."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from figures import _runs
from theory.barriers import lower_bound, permutation_barrier
from theory.counterexamples import Counterexample, permutation_task
from theory.paths import Path
from theory.string_sampling import Progress, greedy

CAPTION = (
    "The permutation task of appendix E.1 (three points, 2-3-2): Algorithm 1 between a net and its copy with two units "
    "swapped. Above: the string in the principal components of its last beads after the first split, half way and at the "
    "end, coloured by the logarithm of the risk: bead after bead is trained, and one piece stays high. Below: the highest "
    "risk on the string, round by round. With three units it comes down to the certified barrier e(2), dotted, and never "
    "below; with a fourth unit, or an output bias, the same algorithm reaches the level. It would be refuted by a point "
    "of the three-unit run below the dotted line."
)
CLAIMS = ("app-e1-disconnected", "app-e1-threshold", "persistence-is-not-proof")
ANGLES, RADII = (10.0, 75.0, 130.0), np.array([1.0, 1.2, 0.8])
UNITS = (-10.0, 70.0, 150.0, 40.0)  # directions of the rows of W_1 at the first end, in degrees
LEVEL, DEPTH, FINE = 0.05, 8, 24  # FINE: points per piece
RUNS = {"three units": (3, False), "four units": (4, False), "output bias": (3, True)}


def problem(width: int = 3, bias: bool = False) -> Counterexample:
    """The task on the figure's triangle, from the figure's rows to the first two swapped."""
    points = RADII[:, None] * _directions(ANGLES)
    return permutation_task(points, width=width, bias=bias, rows=_directions(UNITS[:width]))


def _directions(degrees: Sequence[float]) -> np.ndarray:
    t = np.radians(degrees)
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def data(*, fast: bool = False) -> dict[str, np.ndarray]:
    """Strings of the three-unit run, densely sampled (rounds, points, 3), their risks; heights by round of all runs."""
    arrays: dict[str, np.ndarray] = {"level": np.array(LEVEL)}
    for k, (width, bias) in enumerate(RUNS.values()):
        task = problem(width, bias)
        strings: list[Path] = []
        result = greedy(
            task.risk,
            task.theta_a,
            task.theta_b,
            LEVEL,
            rng=0,
            depth=4 if fast else DEPTH,
            attempts=1,
            callback=strings_of(strings),
        )
        strings.append(result.string)
        heights = [task.risk.batch(s.at(np.linspace(0, 1, FINE * len(s) + 1))).max() for s in strings]
        arrays[f"heights_{k}"] = np.array(heights)
        arrays[f"barrier_{k}"] = np.array(lower_bound(task.risk, task.theta_a, task.theta_b).lower)
        arrays[f"connected_{k}"] = np.array(result.connected)
        if k == 0:
            arrays |= _sampled(task, strings)
            arrays["upper"] = np.array(permutation_barrier(task.risk.sample, 3).upper)
    return arrays


def strings_of(strings: list[Path]) -> Callable[[Progress], None]:
    """A callback that keeps the string of every round."""
    return lambda progress: strings.append(progress.string)


def _sampled(task: Counterexample, strings: list[Path]) -> dict[str, np.ndarray]:
    """Every round of a run, from its straight line to its last string."""
    centre, rows = _runs.axes_of(strings[-1].points, 3)
    fine = [s.at(np.linspace(0, 1, FINE * len(s) + 1)) for s in strings]
    shape = (len(fine), max(len(points) for points in fine))
    coordinates, risks = np.full((*shape, 3), np.nan), np.full(shape, np.nan)
    for k, points in enumerate(fine):
        coordinates[k, : len(points)] = (points - centre) @ rows.T
        risks[k, : len(points)] = task.risk.batch(points)
    return {"coordinates": coordinates, "risks": risks, "beads": np.array([len(s.points) for s in strings])}


def draw(arrays: dict[str, np.ndarray]):
    """Three snapshots above, heights by round below."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 5.0))
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1])
    last = len(arrays["beads"]) - 1
    norm = mpl.colors.Normalize(-3, np.log10(np.nanmax(arrays["risks"])))
    panels = []
    for place, k in enumerate((min(1, last), (1 + last) // 2, last), start=1):
        axis = top.add_subplot(1, 3, place, projection="3d")
        points, risks = arrays["coordinates"][k], arrays["risks"][k]
        there = ~np.isnan(risks)
        axis.plot(*points[there].T, color="0.7", lw=0.7)
        colour = np.log10(np.maximum(risks[there], 1e-3))
        axis.scatter(*points[there].T, c=colour, norm=norm, s=4, cmap="cividis", depthshade=False)
        beads = points[there][::FINE]
        axis.scatter(*beads[1:-1].T, marker="o", s=16, facecolor="w", edgecolor="k", linewidth=0.7, depthshade=False)
        axis.scatter(*beads[[0, -1]].T, marker="s", s=22, color="k", depthshade=False)
        axis.set_title(f"{len(beads)} beads, risk up to {np.nanmax(risks):.2f}", loc="center")
        for j, name in enumerate("xyz"):
            getattr(axis, f"set_{name}lim")(
                np.nanmin(arrays["coordinates"][..., j]), np.nanmax(arrays["coordinates"][..., j])
            )
            getattr(axis, f"set_{name}ticklabels")([])
            getattr(axis, f"set_{name}label")(f"PC {j + 1}", labelpad=-12)
        axis.set_box_aspect(None, zoom=0.92)
        panels.append(axis)
    mappable = mpl.cm.ScalarMappable(norm=norm, cmap="cividis")
    top.colorbar(mappable, ax=panels, shrink=0.7, label="$\\log_{10}$ risk", extend="min")
    axis = bottom.add_subplot()
    for k, (name, marker) in enumerate(zip(RUNS, "os^")):
        heights = arrays[f"heights_{k}"]
        axis.plot(
            heights, marker=marker, label=f"{name}: {'connected' if arrays[f'connected_{k}'] else 'not connected'}"
        )
    axis.axhline(float(arrays["barrier_0"]), color="k", ls=":", lw=1)
    axis.axhline(float(arrays["level"]), color="0.6", ls="-", lw=0.8)
    right = axis.get_xlim()[1]
    axis.text(right, float(arrays["barrier_0"]), f" e(2) = {float(arrays['barrier_0']):.4f}", va="center")
    axis.text(right, float(arrays["level"]), " level", va="center", color="0.4")
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter("")
    axis.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    axis.set_xlabel("round")
    axis.set_ylabel("highest risk on the string")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return figure
