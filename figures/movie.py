"""The string settling, as an animation (GIF always, MP4 where ffmpeg is present)."""

from __future__ import annotations

from pathlib import Path as File

import numpy as np

from figures import _panels, fig3

CAPTION = (
    "The run of Figure 3, last frame (`movie.gif` has all): the string in principal components (a), and the risk "
    "along it, which has come down from that of round 0 until all of it is below the level (b). It would be refuted "
    "by a last curve that crosses the dotted line."
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
    left, right = figure.add_axes((0.0, 0.04, 0.5, 0.84), projection="3d"), figure.add_axes((0.6, 0.16, 0.38, 0.72))
    fig3.scene(left, arrays, k)
    for round, look in ((0, {"color": "0.65", "ls": "--", "label": "round 0"}), (k, {"label": f"round {k}"})):
        risks = arrays["risks"][round][~np.isnan(arrays["risks"][round])]
        right.plot(np.linspace(0, 1, len(risks)), risks, **look)
    right.axhline(float(arrays["level"]), color="k", lw=0.8, linestyle=":", label="level")
    limits = 0.3 * float(arrays["level"]), 1.5 * np.nanmax(arrays["risks"])
    decades = 10.0 ** np.arange(-12, 4)
    _panels.plain_logarithms(right.yaxis, np.outer(decades, [1, 2, 5]).ravel())
    right.set(xlabel="along the string", ylabel="risk", ylim=limits)
    left.set_title(f"round {k}, {arrays['beads'][k]} beads")
    right.set_title("risk along the string")
    _panels.letter(left, right)
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
