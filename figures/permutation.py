"""The permutation task: its components as orders of the units on the circle of directions; its barrier against the triangle.

In (a) and (b) squares are the points and rings the directions of the units 1, 2, 3 of one net of zero risk for each
component. In (c) the third point turns; the line is a certified bound for every path, circles are certified maxima of paths.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from figures._panels import letter
from theory.barriers import Geometry, all_permutations, components, fit, least_risk, permutation_barrier
from theory.rays import rays
from theory.risk import Sample

CAPTION = (
    "Three points and a 2-3-2 net, a ring for each component of zero risk: around the origin units cannot pass each "
    "other (a), beside it none can cross the dead directions (b); the certified barrier between a net and its swap, "
    "met by explicit paths, jumps where the origin enters the triangle of 0, 120 and phi degrees (c). It would be "
    "refuted by a circle below the line in (c)."
)
CLAIMS = ("app-e1-disconnected", "app-e1-threshold")
TRIANGLES = {
    "around": ((0, 120, 240), (0, 120, 240)),
    "beside": ((0, 60, 120), (-60, 60, 180)),
}  # points, units: degrees
JUMPS = (180.0, 300.0)  # where two of the points 0, 120, phi are opposite


def data(*, fast: bool = False) -> dict[str, np.ndarray]:
    """Two triangles and the barrier over the angle.

    For both triangles NAME: `points_NAME`, `units_NAME` (3,) degrees, `orders_NAME` (components, 3), and `risk_NAME`,
    of the net shown. Barrier: `phi` (k,) degrees, `lower` (k,), `count` (k,) components; `path_phi`, `path_upper`:
    certified maxima of paths.
    """
    arrays: dict[str, np.ndarray] = {}
    for name, (points, units) in TRIANGLES.items():
        sample = _sample(*points)
        Z = np.maximum(_circle(np.radians(units)) @ sample.X.T, 0)
        arrays |= {
            f"points_{name}": np.array(points),
            f"units_{name}": np.array(units),
            f"orders_{name}": _representatives(components(sample).free),
            f"risk_{name}": np.array(fit(sample, Z)[1]),
        }
    edges = [0.0, 120.0, *JUMPS, 360.0]
    step = 7.5 if fast else 2.0
    inside = [np.linspace(a + 0.5, b - 0.5, int((b - a) / step)) for a, b in pairwise(edges)]
    phi = np.sort(np.concatenate([*inside, JUMPS]))
    least = [least_risk(rays(_sample(0, 120, p))) for p in phi]
    paths = phi[:: 4 if fast else 6]
    return arrays | {
        "phi": phi,
        "lower": np.array([x.lower for x in least]),
        "count": np.array([2 if x.geometry is Geometry.SURROUNDING else 6 for x in least]),
        "path_phi": paths,
        "path_upper": np.array([permutation_barrier(_sample(0, 120, p), 3, rng=0).upper for p in paths]),
    }


def _circle(angle: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _sample(*degrees: float) -> Sample:
    """Points of the unit circle, mapped cyclically; opposite points are opposite exactly."""
    X = _circle(np.radians(np.mod(degrees, 180.0))) * np.where(np.mod(degrees, 360.0) < 180, 1.0, -1.0)[:, None]
    return Sample(X, X[[1, 2, 0]])


def _representatives(free: tuple[tuple[int, ...], ...]) -> np.ndarray:
    """One order of the units for each component: permutations up to those that are free."""
    left, found = list(all_permutations(3)), []
    while left:
        found.append(left[0])
        same = {tuple(left[0][k] for k in order) for order in free}
        left = [order for order in left if order not in same]
    return np.array(found)


def draw(arrays: dict[str, np.ndarray]):
    """Two circles of directions and the barrier."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.3))
    (around, beside, right) = figure.subplots(1, 3, width_ratios=[1, 1, 1.25])
    for axis, name, where in ((around, "around", "inside"), (beside, "beside", "outside")):
        title = f"origin {where}: {len(arrays[f'orders_{name}'])} components"
        _rings(axis, title, *(arrays[f"{key}_{name}"] for key in ("points", "units", "orders")))
    phi, lower, count = arrays["phi"], arrays["lower"], arrays["count"]
    top = 1.12 * lower.max()
    right.axvspan(*JUMPS, color="0.9", lw=0)
    for a, b in ((0, 120), (120, 180), (180, 300), (300, 360)):
        there = (phi > a) & (phi < b)
        right.plot(phi[there], lower[there], color="C0", ls="-", label="every path, at least" if a == 0 else None)
        text = f"{count[there][0]}" + ("")
        right.text((a + b) / 2, top * 0.98, text, ha="center", va="top", fontsize=8)
    right.plot(
        arrays["path_phi"], arrays["path_upper"], "o", color="C1", mfc="w", ms=3.5, ls="none", label="a path, at most"
    )
    at = np.isin(phi, JUMPS)
    right.plot(phi[at], lower[at], "D", color="k", ms=4, ls="none", label="two points opposite")
    right.set(
        xlim=(0, 360), ylim=(0, top), xlabel=r"third point $\varphi$ (degrees)", ylabel="barrier of the swap (risk)"
    )
    right.set_xticks([0, 120, 180, 300, 360])
    right.set_title("barrier, number of components")
    for axis in (around, beside):
        axis.set_anchor("N")
    letter(around, beside, right)
    around.plot([], [], "s", color="k", ms=5, ls="none", label="data point")
    around.plot([], [], "o", mfc="w", mec="k", ms=7, ls="none", label="unit of a net (its number)")
    figure.legend(loc="outside lower center", ncols=5, handlelength=1.2, columnspacing=1.2)
    return figure


def _rings(axis, title: str, points: np.ndarray, units: np.ndarray, orders: np.ndarray) -> None:
    """The points inside, one ring of numbered units per component around them; dead directions grey."""
    from matplotlib.patches import Wedge

    first, step = (1.0, 0.42) if len(orders) > 2 else (1.5, 0.9)
    outer = 1.0 + 0.42 * 5 + 0.3  # of the six rings; all panels have one size
    live = np.array([np.cos(np.radians(np.arange(360) - p)) > 0 for p in points]).any(axis=0)
    if not live.all():
        dead = np.flatnonzero(~live)
        axis.add_patch(Wedge((0, 0), outer, dead[0], dead[-1], color="0.88", lw=0))
        middle = np.radians(dead.mean())
        axis.text(0.75 * outer * np.cos(middle), 0.75 * outer * np.sin(middle), "dead", ha="center", fontsize=8)
    for angle in np.radians(points):
        axis.plot([0, 0.6 * np.cos(angle)], [0, 0.6 * np.sin(angle)], color="k", lw=0.8, ls="-")
        axis.plot(0.6 * np.cos(angle), 0.6 * np.sin(angle), "s", color="k", ms=5, ls="none")
    turn = np.linspace(0, 2 * np.pi, 200)
    for k, order in enumerate(orders):
        radius = first + step * k
        axis.plot(radius * np.cos(turn), radius * np.sin(turn), color="0.7", lw=0.6, ls="-", zorder=1)
        for unit, angle in zip(order, np.radians(units)):
            colour = f"C{unit}"
            at = radius * np.cos(angle), radius * np.sin(angle)
            axis.plot(*at, "o", ms=7, mfc="w", mec=colour, ls="none", zorder=2)
            axis.annotate(str(unit + 1), at, ha="center", va="center_baseline", fontsize=6, zorder=3)
    axis.set(aspect="equal", xlim=(-outer, outer), ylim=(-outer, outer), title=title)
    axis.axis("off")
