"""The string settling, as an animation (GIF always, MP4 where ffmpeg is present)."""

from __future__ import annotations

from pathlib import Path as File

import numpy as np

from figures import fig3

CAPTION = (
    "The run of Figure 3, round by round; right, the risk along the string against the level. See: the highest point "
    "comes down until the whole curve is below the line. It would be refuted by a last curve that crosses the line."
)

CLAIMS = ("app-a-breadth-first",)


def data(*, fast: bool = False) -> dict[str, np.ndarray]:
    """As Figure 3."""
    return fig3.data(fast=fast)


def draw(arrays: dict[str, np.ndarray]):
    """The last frame."""
    return _frame(arrays, len(arrays["beads"]) - 1)


def _frame(arrays: dict[str, np.ndarray], k: int, figure=None):
    from matplotlib.figure import Figure

    if figure is None:
        figure = Figure(figsize=(7.2, 3.4))
    figure.clear()
    figure.set_layout_engine("none")
    left, right = figure.add_axes((0.0, 0.02, 0.48, 0.9), projection="3d"), figure.add_axes((0.58, 0.16, 0.4, 0.72))
    fig3.scene(left, arrays, k, fig3.colours(arrays))
    risks = arrays["risks"][k][~np.isnan(arrays["risks"][k])]
    right.semilogy(np.linspace(0, 1, len(risks)), risks)
    right.axhline(float(arrays["level"]), color="k", lw=0.8, linestyle=":", label="level")
    right.set_ylim(0.3 * float(arrays["level"]), 1.5 * np.nanmax(arrays["risks"]))
    right.set_xlabel("along the string")
    right.set_title(f"round {k}: {arrays['beads'][k]} beads", loc="left")
    right.legend(loc="upper right")
    return figure


def extras(arrays: dict[str, np.ndarray], out: File) -> list[File]:
    """The animation."""
    from matplotlib import animation

    frames = [0, 0, *range(len(arrays["beads"])), *[len(arrays["beads"]) - 1] * 6]
    figure = _frame(arrays, 0)
    film = animation.FuncAnimation(figure, lambda k: _frame(arrays, k, figure).axes, frames=frames, blit=False)
    files = [out / "movie.gif"]
    film.save(files[0], writer=animation.PillowWriter(fps=5), dpi=90)
    if animation.FFMpegWriter.isAvailable():
        files.append(out / "movie.mp4")
        film.save(files[1], writer=animation.FFMpegWriter(fps=5, metadata={"date": ""}), dpi=120)
    return files
