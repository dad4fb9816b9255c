"""Figure 4: a string that cannot connect a net to its swap: three snapshots, and the certified barrier above its level.

The task: three points, a 2-3-2 net; (a) to (c) are the string after the first split, half way and at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from figures import _panels, _runs
from theory.barriers import lower_bound, permutation_barrier
from theory.counterexamples import Problem, permutation_task
from theory.paths import Path
from theory.string_sampling import Progress, greedy

CAPTION = (
    "Algorithm 1 between a net and its copy with two units swapped (appendix E.1): one piece of the string stays high "
    "however many beads are trained (a-c), since no path comes below the certified barrier e(2), while with a fourth "
    "unit or an output bias the same algorithm reaches its level (d). It would be refuted by a point of the "
    "three-unit run below the dotted line."
)
CLAIMS = ("app-e1-disconnected", "app-e1-threshold", "persistence-is-not-proof")
ANGLES, RADII = (10.0, 75.0, 130.0), np.array([1.0, 1.2, 0.8])
UNITS = (-10.0, 70.0, 150.0, 40.0)  # directions of the rows of W_1 at the first end, in degrees
LEVEL, DEPTH, FINE = 0.05, 8, 24  # FINE: points per piece
RUNS = {"three units": (3, False), "four units": (4, False), "output bias": (3, True)}


def problem(width: int = 3, bias: bool = False) -> Problem:
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
            arrays |= _runs.in_components(task.risk, strings, FINE)
            arrays["upper"] = np.array(permutation_barrier(task.risk.sample, 3).upper)
    return arrays


def strings_of(strings: list[Path]) -> Callable[[Progress], None]:
    """A callback that keeps the string of every round."""
    return lambda progress: strings.append(progress.string)


def draw(arrays: dict[str, np.ndarray]):
    """Three snapshots above, heights by round below."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7.2, 5.4))
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.05, 1])
    last = len(arrays["beads"]) - 1
    colours = _panels.risk_colours(1e-3, np.nanmax(arrays["risks"]))
    points = arrays["coordinates"]
    limits = np.stack([np.nanmin(points, axis=(0, 1)), np.nanmax(points, axis=(0, 1))], axis=1)
    panels = []
    for place, k in enumerate((min(1, last), (1 + last) // 2, last), start=1):
        axis = top.add_subplot(1, 3, place, projection="3d")
        there = ~np.isnan(arrays["risks"][k])
        here, risks = points[k, there], arrays["risks"][k, there]
        _panels.in_space(axis, here, np.maximum(risks, 1e-3), limits, arrays["explained"], colours.norm, here[::FINE])
        axis.set_title(f"{arrays['beads'][k]} beads, risk up to {risks.max():.2f}")
        panels.append(axis)
    for axis in panels:
        axis.set_box_aspect(None, zoom=0.72)
    _panels.plain_colourbar(top, colours, "risk", ax=panels, shrink=0.7, extend="min")
    axis = bottom.add_subplot()
    for k, (name, marker) in enumerate(zip(RUNS, "os^")):
        heights = arrays[f"heights_{k}"]
        axis.plot(
            heights, marker=marker, label=f"{name}: {'connected' if arrays[f'connected_{k}'] else 'not connected'}"
        )
    axis.axhline(float(arrays["barrier_0"]), color="k", ls=":", lw=1)
    axis.axhline(float(arrays["level"]), color="0.6", ls="-", lw=0.8)
    right = axis.get_xlim()[1]
    axis.text(right, float(arrays["barrier_0"]), f" barrier e(2)\n = {float(arrays['barrier_0']):.4f}", va="center")
    axis.text(right, float(arrays["level"]), " level", va="center", color="0.4")
    axis.set_yscale("log")
    axis.set_ylim(top=0.9)
    _panels.plain_logarithms(axis.yaxis, [0.05, 0.1, 0.2, 0.5])
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("round")
    axis.set_ylabel("risk")
    axis.legend(loc="upper right", ncols=3)
    axis.set_title("highest risk on the string, round by round")
    _panels.letter(*panels, axis)
    return figure
