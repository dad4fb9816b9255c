"""What the panels of all figures have in common."""

from __future__ import annotations

from string import ascii_lowercase


def letter(*axes, first: str = "a") -> None:
    """(a), (b), ... on the left above the panels, before their titles, from the letter `first` on."""
    for mark, axis in zip(ascii_lowercase[ascii_lowercase.index(first) :], axes):
        title = axis.get_title("left") or axis.get_title()
        axis.set_title("")
        axis.set_title(f"({mark}) {title}".rstrip(), loc="left")


def plain_logarithms(axis, ticks) -> None:
    """A logarithmic x or y axis (`axes.xaxis`, `axes.yaxis`) with these ticks, written as plain numbers."""
    from matplotlib import ticker

    axis._set_axes_scale("log")
    axis.set_major_locator(ticker.FixedLocator(ticks))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter("")


def in_space(axis, points, risks, limits, shares, norm, beads) -> None:
    """A string in three principal components on a three-dimensional axis, with its shadows on the three walls.

    points (k, 3) along it and their risks (k,), which colour them by `norm`; beads (b, 3), the ends squares; limits
    (3, 2) of the axes; shares (3,): of the variance of the beads that each component explains.
    """
    from matplotlib import ticker

    wide = limits + 0.06 * (limits[:, 1:] - limits[:, :1]) * [-1, 1]
    for wall, side in ((0, 0), (1, 1), (2, 0)):  # the three walls that are seen from the usual point of view
        shadow = points.copy()
        shadow[:, wall] = wide[wall, side]
        axis.plot(*shadow.T, color="k", lw=0.7, ls="-", alpha=0.75, zorder=1)
    axis.plot(*points.T, color="0.6", lw=0.7, ls="-", zorder=3)
    axis.scatter(*points.T, c=risks, norm=norm, s=5, cmap="cividis", depthshade=False, zorder=4)
    axis.scatter(
        *beads[1:-1].T, marker="o", s=15, facecolor="w", edgecolor="k", linewidth=0.7, depthshade=False, zorder=5
    )
    axis.scatter(*beads[[0, -1]].T, marker="s", s=24, color="k", depthshade=False, zorder=5)
    for k, name in enumerate("xyz"):
        side = getattr(axis, f"{name}axis")
        getattr(axis, f"set_{name}lim")(*wide[k])
        side.set_major_locator(ticker.MaxNLocator(3))
        axis.tick_params(axis=name, labelsize=7, pad=-2 if name != "z" else 0)
        side.set_label_text(f"PC {k + 1} ({100 * shares[k]:.2g} %)", fontsize=8)
        side.labelpad = -3 if name != "z" else -2
    axis.computed_zorder = False  # the order of drawing is ours
    axis.patch.set_visible(False)  # which may lie over the labels of the panel beside it
    axis.set_box_aspect(None, zoom=0.8)


def risk_colours(least: float, most: float):
    """The colour scale of risks (logarithmic) between two numbers."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm

    return ScalarMappable(norm=LogNorm(least, most), cmap="cividis")


def plain_colourbar(figure, colours, label: str, **place) -> None:
    """A colour bar of `risk_colours` with plain numbers on it; place: as for `Figure.colorbar`."""
    low, high = colours.get_clim()
    bar = figure.colorbar(colours, label=label, **place)
    ticks = [m * 10.0**k for k in range(-12, 4) for m in (1, 2, 5)]
    bar.set_ticks([t for t in ticks if low <= t <= high], minor=False)
    bar.ax.yaxis.set_major_formatter("{x:g}")
    bar.ax.yaxis.set_minor_formatter("")
