"""The risk along a path, drawn: for matplotlib and for notebooks. A curve is sampled, a maximum is certified."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

import figures
from theory.maxima import path_maximum
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk

if TYPE_CHECKING:
    from halfrect.connection import Connection

POINTS = 200  # of a curve


def curve(risk: Risk, path: Path, points: int = POINTS) -> tuple[Array, Array, Array]:
    """Shares of the length (n,), risks (n,) there, and the shares of the vertices (V,), which are among them.

    points: about how many in all, spread evenly over the length.
    """
    lengths = path.piece_lengths
    total = lengths.sum()
    if total == 0:
        return np.array([0.0, 1.0]), np.full(2, risk(path.points[0])), np.array([0.0, 1.0])
    vertices = np.concatenate([[0.0], np.cumsum(lengths) / total])
    share = np.union1d(np.linspace(0, 1, points), vertices)
    piece = np.clip(np.searchsorted(vertices, share, side="right") - 1, 0, len(path) - 1)
    width = np.maximum(vertices[piece + 1] - vertices[piece], 1e-300)
    t = np.clip((share - vertices[piece]) / width, 0, 1)[:, None]
    where = (1 - t) * path.points[piece] + t * path.points[piece + 1]
    return share, risk.batch(where), vertices


def plot_path(risk: Risk, path: Path, *, level: float | None = None, straight: bool = True, ax: Any = None) -> Any:
    """Draw the risk along a path on matplotlib axes, its certified maximum, and the straight line between its ends.

    level: also draw this level; straight: whether to draw the straight line; ax: axes to draw on (None: new ones).
    Returns the axes. ValueError when the path does not fit the network of the risk.
    """
    check.instance(path, "path", Path)
    check.parameters(path.points, check.instance(risk, "risk", Risk).network.size, "path.points")
    level = None if level is None else check.number(level, "level")
    return draw(risk, path, level=level, straight=straight, maximum=path_maximum(risk, path).upper, ax=ax)


def draw(risk: Risk, path: Path, *, level: float | None, straight: bool, maximum: float, ax: Any) -> Any:
    """`plot_path` with the bound `maximum` known; straight, level, ax and what is returned as for `plot_path`."""
    if ax is None:
        from matplotlib import pyplot

        with figures.style():
            ax = pyplot.subplots()[1]
    share, heights, vertices = curve(risk, path)
    if straight and len(path):
        line = curve(risk, Path(path.points[[0, -1]]))
        ax.plot(line[0], line[1], "--", color="#D55E00", label=f"straight line, up to {line[1].max():.4g} (sampled)")
    ax.plot(
        share,
        heights,
        "-",
        color="#0072B2",
        label=f"path of {len(path)} piece{'s'[: len(path) != 1]}, {path.normalised_length:.3g} x straight",
    )
    ax.plot(vertices, np.interp(vertices, share, heights), ".", color="#0072B2")
    if np.isfinite(maximum):
        ax.axhline(maximum, color="#009E73", linestyle=":", label=f"certified: never above {maximum:.5g}")
    if level is not None and f"{level:.5g}" != f"{maximum:.5g}":  # one line over another says nothing
        ax.axhline(level, color="#000000", linestyle="-.", label=f"level {level:.5g}")
    ax.set(xlabel="share of the way from net A to net B", ylabel=f"risk ({risk.loss} loss)", xlim=(0, 1))
    ax.legend(fontsize=8, frameon=False)
    return ax


def page(found: Connection) -> str:
    """HTML for a notebook of what was found: a sentence, the curve as an inline picture, and a table of the routes."""
    rows = "".join(
        f"<tr><td style='text-align:left'>{html.escape(t.name)}</td><td>{_number(t)}</td>"
        f"<td style='text-align:left'>{html.escape(t.reason)}</td></tr>"
        for t in found.routes
    )
    ends = " and ".join(f"{end:.5g}" for end in found.ends)
    return (
        f"<div><p>The risk never exceeds <b>{found.maximum.upper:.5g}</b> along this path (certified; {html.escape(found.route)}, "
        f"{found.pieces}, {found.length:.3g} times the straight line), against {found.straight.value:.5g} on the "
        f"straight line. Both nets: {ends}.</p>{_svg(found)}"
        f"<table><thead><tr><th>route</th><th>maximum ≤</th><th>remark</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _number(tried: Any) -> str:
    return "–" if tried.maximum is None else f"{tried.maximum.upper:.5g}"


def _svg(found: Connection, width: int = 460, height: int = 150) -> str:
    """Path and straight line as an inline picture that takes its ink from the page, dark or light."""
    path = curve(found.risk, found.path)
    line = curve(found.risk, Path(found.path.points[[0, -1]]))
    top = max(found.maximum.upper, float(line[1].max())) * 1.05 or 1.0
    bottom = min(0.9 * min(path[1].min(), line[1].min()), 0.95 * top)

    def points(share: Array, heights: Array) -> str:
        x, y = share * width, height * (top - heights) / (top - bottom)
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y))

    bound = height * (top - found.maximum.upper) / (top - bottom)
    return (
        f'<svg viewBox="-4 -4 {width + 8} {height + 8}" width="{width}" role="img" '
        f'aria-label="risk along the path and along the straight line" fill="none" stroke-width="1.6">'
        f'<line x1="0" x2="{width}" y1="{bound:.1f}" y2="{bound:.1f}" stroke="#009E73" stroke-dasharray="2 3"/>'
        f'<polyline points="{points(line[0], line[1])}" stroke="#D55E00" stroke-dasharray="6 4"/>'
        f'<polyline points="{points(path[0], path[1])}" stroke="#0072B2"/>'
        f'<text x="4" y="{max(bound - 4, 10):.1f}" fill="currentColor" stroke="none" font-size="11">certified bound</text></svg>'
    )
