"""Figure 3: four snapshots of a string settling on the quadratic task, in three principal components."""

from __future__ import annotations

import numpy as np

from figures import _runs

CAPTION = (
    "A breadth-first run on the quadratic task (1-4-4-1 sigmoid): the string in the three leading principal components "
    "of its final beads, coloured by the logarithm of the risk along it. See: the straight line is high in its middle; as "
    "the level is lowered the string bends away until the whole of it is below the level (certified). It would be "
    "refuted by a last snapshot with a piece as bright as the first one's middle."
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
    centre, rows = _runs.axes_of(strings[-1].points, 3)
    fine = []
    for string in strings:
        fine.append(string.at(np.linspace(0, 1, FINE * len(string) + 1)))
    count = max(len(points) for points in fine)
    shape = (len(fine), count)
    coordinates, risks = np.full((*shape, 3), np.nan), np.full(shape, np.nan)
    for k, points in enumerate(fine):
        coordinates[k, : len(points)] = (points - centre) @ rows.T
        risks[k, : len(points)] = risk.batch(points)
    beads = np.array([len(s.points) for s in strings])
    return {
        "coordinates": coordinates,
        "risks": risks,
        "beads": beads,
        "level": np.array(level),
        "upper": np.array(result.maximum.upper),
    }


def scene(axis, arrays: dict[str, np.ndarray], k: int, norm) -> None:
    """Round k on a three-dimensional axis."""
    points, risks = arrays["coordinates"][k], arrays["risks"][k]
    there = ~np.isnan(risks)
    points, risks = points[there], risks[there]
    axis.plot(*points.T, color="0.7", lw=0.7)
    axis.scatter(*points.T, c=np.log10(risks), norm=norm, s=5, cmap="cividis", depthshade=False)
    beads = points[::FINE]
    axis.scatter(*beads[[0, -1]].T, marker="s", s=26, color="k", depthshade=False)
    limits = arrays["coordinates"]
    for k, (name, column) in enumerate(zip("xyz", np.moveaxis(limits, -1, 0)), start=1):
        getattr(axis, f"set_{name}label")(f"PC {k}", labelpad=-12)
        getattr(axis, f"set_{name}lim")(np.nanmin(column), np.nanmax(column))
        getattr(axis, f"set_{name}ticklabels")([])


def colours(arrays: dict[str, np.ndarray]):
    """One colour scale for all rounds."""
    import matplotlib as mpl

    return mpl.colors.Normalize(np.nanmin(np.log10(arrays["risks"])), np.nanmax(np.log10(arrays["risks"])))


def draw(arrays: dict[str, np.ndarray]):
    """Four snapshots: the straight line, two rounds on the way, the certified string."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    last = len(arrays["beads"]) - 1
    figure = Figure(figsize=(7.2, 6.0), layout="none")  # constrained layout collapses some axes in space
    figure.subplots_adjust(left=0.02, right=0.82, bottom=0.03, top=0.94, wspace=0.08, hspace=0.14)
    norm = colours(arrays)
    for place, k in enumerate(sorted({0, last // 3, 2 * last // 3, last}), start=1):
        axis = figure.add_subplot(2, 2, place, projection="3d")
        scene(axis, arrays, k, norm)
        top = np.nanmax(arrays["risks"][k])
        axis.set_title(f"round {k}: {arrays['beads'][k]} beads, risk up to {top:.2g}", loc="left")
    figure.colorbar(
        mpl.cm.ScalarMappable(norm=norm, cmap="cividis"),
        cax=figure.add_axes((0.88, 0.2, 0.022, 0.6)),
        label="$\\log_{10}$ risk along the string",
    )
    return figure
