"""The page's one moving picture: a slider over paths between small networks, drawn still as well.

Everything that the slider shows is in the page twice: as curves, tables and frames that need no script, and as the
vertices of every path, from which the script computes the risk by a forward pass of its own.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from checks.report.two_nets import Scene, Way, scenes
from theory.numerics import Array

# The plot's frame inside its view box, in its own units: the script uses the same numbers from the page's data.
PLOT = {"width": 560, "height": 300, "left": 40, "right": 14, "top": 20, "bottom": 40}
FRAME, RIM, APART = 128, 117, 13.0  # of a plane: half its width, where the units' numbers stand, degrees between two
DRAWN = 400  # points of each curve, vertices besides; the maxima are not read off them
FRAMES = 6
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def section() -> tuple[str, str]:
    """The section's HTML and the JSON that its script reads."""
    shown = scenes()
    return _html(shown), _json(shown)


def _html(shown: Sequence[Scene]) -> str:
    sample = shown[0].risk.sample
    pictures = "".join(_scene(k, scene) for k, scene in enumerate(shown))
    frames = "".join(_frames(scene) for scene in shown)
    return f"""<h2 id="walk-title">Walk a path</h2>
<p>A network with two inputs and six half-rectified units fits {NUMBERS[len(sample)]} samples. Between two good networks the
straight line climbs; other paths do not have to. Pick a path and move along it. The curve is the risk, under the maximum that is
certified for the whole path; the arrows are the units, rows of <var>W</var><sub>1</sub> as wide as their outgoing weight,
dashed where it is negative, hollow where it is zero.</p>
<div class="bench">{_table(shown)}
<div class="stage">{pictures}
<div class="controls" id="controls" hidden>
<input type="range" id="position" min="0" max="1000" value="0" step="1" aria-label="Position along the path">
<p class="readout"><output id="piece" for="position"></output><output id="risk" for="position"></output></p>
</div></div></div>
<details class="stills"><summary>Still pictures of the units along each path</summary>{frames}</details>"""


def _table(shown: Sequence[Scene]) -> str:
    head = (
        '<thead><tr><th scope="col">Path</th><th scope="col" class="number">Certified maximum</th>'
        '<th scope="col" class="number">Above the ends</th></tr></thead>'
    )
    bodies = []
    for s, scene in enumerate(shown):
        rows = "".join(_row(s, r, scene, route) for r, route in enumerate(scene.routes))
        title = f'<tr><th scope="rowgroup" colspan="3">{html.escape(scene.title)}<span class="about">{html.escape(scene.about)}</span></th></tr>'
        bodies.append(f"<tbody>{title}{rows}</tbody>")
    return f'<table id="routes">{head}{"".join(bodies)}</table>'


def _row(s: int, r: int, scene: Scene, route: Way) -> str:
    above = route.maximum.upper - scene.larger_end
    excess = f"{100 * above / scene.larger_end:.3g} %" if above > 1e-6 * scene.larger_end else "0"
    checked = " checked" if s == r == 0 else ""
    pieces = (
        "One piece"
        if len(route.path) == 1
        else f"{len(route.path)} pieces, {route.path.normalised_length:.2f} times as long as the straight line"
    )
    return (
        f'<tr><td><label><input type="radio" name="route" value="{s}-{r}"{checked} hidden> {_swatch(r)} '
        f'{html.escape(route.name)}</label><span class="about">{html.escape(route.about)} {pieces}.</span></td>'
        f'<td class="number">{route.maximum.upper:.6f}</td><td class="number">{excess}</td></tr>'
    )


def _swatch(r: int) -> str:
    return f'<svg class="swatch" viewBox="0 0 26 8" aria-hidden="true"><path class="curve r{r}" d="M1 4H25"/></svg>'


def ceiling(scene: Scene) -> float:
    """The top of a scene's plot: one scale for all its paths."""
    return 1.08 * max(route.maximum.upper for route in scene.routes)


def _scene(s: int, scene: Scene) -> str:
    names = ", ".join(f"{route.name} {route.maximum.upper:.3f}" for route in scene.routes)
    return (
        f'<div class="scene" data-scene="{s}"><figure class="plot"><figcaption>{html.escape(scene.title)}: risk along each path</figcaption>'
        f'<svg viewBox="0 0 {PLOT["width"]} {PLOT["height"]}" role="img" aria-label="Risk along the paths; certified maxima: {html.escape(names)}">'
        f"{_axes(scene)}{''.join(_curve(r, scene, route) for r, route in enumerate(scene.routes))}"
        '<g class="cursor" hidden><path class="now" d=""/><circle r="5"/></g></svg></figure>'
        f'<figure class="plane"><figcaption>The six units in the input plane</figcaption>{_plane(scene, scene.routes[0], 0.0)}</figure></div>'
    )


def _x(t: float) -> float:
    return PLOT["left"] + t * (PLOT["width"] - PLOT["left"] - PLOT["right"])


def _y(value: float, top: float) -> float:
    return PLOT["height"] - PLOT["bottom"] - value / top * (PLOT["height"] - PLOT["top"] - PLOT["bottom"])


def _axes(scene: Scene) -> str:
    top = ceiling(scene)
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0) if top / s <= 6)
    parts = []
    for k in range(int(top / step) + 1):
        y = _y(k * step, top)
        parts.append(
            f'<path class="grid" d="M{_x(0):.1f} {y:.1f}H{_x(1):.1f}"/><text x="{_x(0) - 8:.1f}" y="{y + 4:.1f}" class="left">{k * step:.2g}</text>'
        )
    for k in range(5):
        parts.append(
            f'<text x="{_x(k / 4):.1f}" y="{PLOT["height"] - PLOT["bottom"] + 18}" class="middle">{k / 4:g}</text>'
        )
    parts.append(
        f'<text x="{(_x(0) + _x(1)) / 2:.1f}" y="{PLOT["height"] - 5}" class="middle name">path parameter, every piece the same share</text>'
    )
    y = _y(scene.larger_end, top)
    parts.append(f'<path class="ends" d="M{_x(0):.1f} {y:.1f}H{_x(1):.1f}"/>')
    return "".join(parts)


def _curve(r: int, scene: Scene, route: Way) -> str:
    """The risk along one route, its vertices as ticks, and the certified maximum where it is attained."""
    top, pieces = ceiling(scene), len(route.path)
    vertices = np.arange(pieces + 1) / pieces
    t = np.union1d(np.linspace(0, 1, DRAWN + 1), vertices)
    values = scene.risk.batch(route.path.at(t))
    points = " ".join(f"{_x(a):.1f},{_y(b, top):.1f}" for a, b in zip(t, values))
    base = PLOT["height"] - PLOT["bottom"]
    ticks = "".join(f"M{_x(v):.1f} {base}v5" for v in vertices)
    x, y = _x(route.maximum.t), _y(route.maximum.upper, top)
    over = f'<text class="limit" x="{_x(1):.1f}" y="{y - 6:.1f}" text-anchor="end">never above {route.maximum.upper:.4f}</text>'
    return (
        f'<g class="route" data-route="{r}"><path class="ticks" d="{ticks}"/><path class="top" d="M{_x(0):.1f} {y:.1f}H{_x(1):.1f}"/>'
        f'<polyline class="curve r{r}" points="{points}"/><circle class="peak r{r}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>{over}</g>'
    )


def reach(scene: Scene, route: Way) -> float:
    """How far a plane must show: the unit ball, and every row on the path."""
    rows = scene.risk.network.weights(route.path.points)[0]
    return max(1.0, float(np.linalg.norm(rows, axis=-1).max()))


def _plane(scene: Scene, route: Way, t: float, *, numbers: bool = True) -> str:
    """The rows of W_1 at one point of a path, as arrows from the origin; idle units are hollow."""
    W, V = scene.risk.network.weights(route.path.at(t))
    scale = 100 / reach(scene, route)
    samples = "".join(
        f'<circle class="sample" cx="{scale * x:.1f}" cy="{-scale * y:.1f}" r="2.5"/>' for x, y in scene.risk.sample.X
    )
    angles = spread(np.degrees(np.arctan2(W[:, 1], W[:, 0])))
    units = "".join(
        _unit(k, scale * row, float(v), a if numbers else None) for k, (row, v, a) in enumerate(zip(W, V[0], angles))
    )
    label = f"Rows of the first layer at path parameter {t:g}"
    return (
        f'<svg viewBox="{-FRAME} {-FRAME} {2 * FRAME} {2 * FRAME}" role="img" aria-label="{label}"><circle class="ball" r="{scale:.1f}"/>'
        f'<path class="grid" d="M{-FRAME} 0H{FRAME}M0 {-FRAME}V{FRAME}"/>{samples}{units}</svg>'
    )


def spread(angles: Array) -> Array:
    """Angles (m,) in degrees, m APART < 360, moved as little as it takes until neighbours on the circle are APART degrees apart.

    Groups of crowded angles are spaced evenly about their mean; groups that then touch are joined.
    """
    order = np.argsort(angles, kind="stable")
    cut = int(np.argmax(np.diff(angles[order], append=angles[order[0]] + 360))) + 1  # begin behind the widest gap
    order = np.roll(order, -cut)
    turned = angles[order] + 360 * (np.arange(len(angles)) >= len(angles) - cut) if len(angles) else angles
    groups: list[list[float]] = []  # sum of the places that a group wants to begin at, its size
    for k, angle in enumerate(turned):
        groups.append([angle - APART * k, 1])
        while len(groups) > 1 and groups[-1][0] / groups[-1][1] < groups[-2][0] / groups[-2][1]:
            total, size = groups.pop()
            groups[-1] = [groups[-1][0] + total, groups[-1][1] + size]
    begin = np.repeat([total / size for total, size in groups], [int(size) for _, size in groups])
    placed = np.empty(len(angles))
    placed[order] = begin + APART * np.arange(len(angles))
    return placed


def unit_class(v: float) -> str:
    """idle, positive or negative, by the outgoing weight."""
    return "idle" if v == 0 else "positive" if v > 0 else "negative"


def unit_width(v: float) -> float:
    """The width of a unit's arrow."""
    return 1.2 + 3.0 * min(abs(v), 2.0)


def _unit(k: int, row: Array, v: float, angle: float | None) -> str:
    x, y = float(row[0]), -float(row[1])
    label = ""
    if angle is not None:
        a = np.radians(angle)
        label = f'<text x="{RIM * np.cos(a):.1f}" y="{4 - RIM * np.sin(a):.1f}">{k}</text>'
    return (
        f'<g class="unit {unit_class(v)}"><line x2="{x:.1f}" y2="{y:.1f}" stroke-width="{unit_width(v):.2f}"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>{label}</g>'
    )


def _frames(scene: Scene) -> str:
    strips = []
    for route in scene.routes:
        shots = []
        for t in np.linspace(0, 1, FRAMES):
            value = scene.risk(route.path.at(float(t)))
            caption = f"<figcaption>{t:.1f}: {value:.3f}</figcaption>"
            shots.append(f"<figure>{_plane(scene, route, float(t), numbers=False)}{caption}</figure>")
        strips.append(f'<h3>{html.escape(route.name)}</h3><div class="strip">{"".join(shots)}</div>')
    return f'<div class="frames"><p>{html.escape(scene.title)}: path parameter and risk under each frame.</p>{"".join(strips)}</div>'


def _json(shown: Sequence[Scene]) -> str:
    """Numbers in full, so that the script's forward pass agrees with Python's to rounding."""
    document = {"plot": PLOT, "plane": {"rim": RIM, "apart": APART}, "scenes": [_numbers(scene) for scene in shown]}
    return json.dumps(document, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _numbers(scene: Scene) -> dict[str, Any]:
    risk = scene.risk
    return {
        "X": risk.sample.X.tolist(),
        "Y": risk.sample.Y[:, 0].tolist(),
        "weights": risk.sample.weights.tolist(),
        "kappa": risk.kappa,
        "units": risk.network.widths[1],
        "top": ceiling(scene),
        "end": scene.larger_end,
        "routes": [
            {
                "name": route.name,
                "upper": route.maximum.upper,
                "reach": reach(scene, route),
                "points": route.path.points.tolist(),
                "labels": list(route.path.labels),
            }
            for route in scene.routes
        ],
    }
