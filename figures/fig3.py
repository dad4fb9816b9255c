"""Figure 3: four snapshots of a string settling on the quadratic task, in three principal components."""

from __future__ import annotations

import numpy as np

from figures import _panels, _runs

CAPTION = (
    "A breadth-first run on the quadratic task, in principal components of its last beads, shadows on the walls: the "
    "straight line is high in its middle (a), and as the level is lowered the string bends away (b, c) until all of "
    "it is certified below the level (d). It would be refuted by a last string with a point as bright as the middle "
    "of the first."
)

CLAIMS = ("app-a-breadth-first",)
LEVEL = 2.5e-4
FINE = 12  # points per piece


def data(*, fast: bool = False) -> dict[str, np.ndarray]:
    """Strings of all rounds, densely sampled: coordinates (rounds, points, 3), risks (rounds, points), nan-padded."""
    risk = _runs.quadratic(32 if fast else 128)
    level = 2.5e-3 if fast else LEVEL
    ends = _runs.pair(risk, level, seed=3)
    result, strings = _runs.recorded(risk, ends, level, "breadth_first")
    return _runs.in_components(risk, strings, FINE) | {
        "level": np.array(level),
        "upper": np.array(result.maximum.upper),
    }


def scene(axis, arrays: dict[str, np.ndarray], k: int) -> None:
    """Round k on a three-dimensional axis."""
    points, there = arrays["coordinates"], ~np.isnan(arrays["risks"][k])
    limits = np.stack([np.nanmin(points, axis=(0, 1)), np.nanmax(points, axis=(0, 1))], axis=1)
    here, norm = points[k, there], colours(arrays).norm
    _panels.in_space(axis, here, arrays["risks"][k, there], limits, arrays["explained"], norm, here[::FINE])
    axis.set_box_aspect(None, zoom=0.94)


def colours(arrays: dict[str, np.ndarray]):
    """One colour scale for all rounds."""
    return _panels.risk_colours(np.nanmin(arrays["risks"]), np.nanmax(arrays["risks"]))


def draw(arrays: dict[str, np.ndarray]):
    """Four snapshots: the straight line, two rounds on the way, the certified string."""
    from matplotlib.figure import Figure

    last = len(arrays["beads"]) - 1
    figure = Figure(figsize=(7.2, 6.0), layout="none")  # constrained layout collapses some axes in space
    figure.subplots_adjust(left=0.01, right=0.83, bottom=0.05, top=0.94, wspace=0.06, hspace=0.16)
    axes = []
    for place, k in enumerate(sorted({0, last // 3, 2 * last // 3, last}), start=1):
        axis = figure.add_subplot(2, 2, place, projection="3d")
        scene(axis, arrays, k)
        top = (
            f"certified \u2264 {float(arrays['upper']):.2g}"
            if k == last
            else f"risk up to {np.nanmax(arrays['risks'][k]):.2g}"
        )
        axis.set_title(f"round {k}, {arrays['beads'][k]} beads, {top}")
        axes.append(axis)
    _panels.letter(*axes)
    _panels.plain_colourbar(
        figure, colours(arrays), "risk along the string", cax=figure.add_axes((0.88, 0.2, 0.022, 0.6))
    )
    return figure
