"""Ridge on all layers: a wall round the zero net from three layers on, of one height at every width; the path norm has none.

One point x = y = 1 (c = 1), kappa = 1/10, all units in use; the wall's height is kappa (K - 2) (kappa / c)^(2 / (K - 2)), and the
marks in (c) are certified maxima of the paths of (a) at three widths, less F(0).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from theory.masses import deep_wall
from theory.maxima import path_maximum
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample

CAPTION = (
    "From the zero net of K layers straight to a net below it: under ridge, from K = 3 on, over a wall (a), under the "
    "path norm down from the start (b); the wall's height, a lower bound for every path at every width, is nearly met "
    "by these paths (c). It would be refuted by a mark below the line in (c), or by a curve of (b) above 1."
)
CLAIMS = ("ridge-deep", "multilayer-2.4")
KAPPA = 0.1
DEPTHS = (2, 3, 4, 5, 6, 7, 8)
FLOOR = 3e-4


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--seed", type=int, default=0, help="of the weights of wide nets")


def data(*, fast: bool = False, seed: int = 0) -> dict[str, np.ndarray]:
    """`depths` (k,), `widths` (w,), `height` (k,): of the wall, 0 for two layers; `at` (points,) in [0, 1].

    `ridge`, `path` (k, points): risks along the rays at the largest width, under each penalty; `over_ridge`, `over_path`
    (k, w): certified maxima less F(0); `product` (k,): of the layers at the end of a ray.
    """
    if seed < 0:
        raise ValueError(f"seed must be >= 0; got {seed}")
    widths, at = (1, 8, 16 if fast else 64), np.linspace(0, 1, 201 if fast else 801)
    products = [_best_product(depth) for depth in DEPTHS]
    arrays = {"depths": np.array(DEPTHS), "widths": np.array(widths), "at": at, "product": np.array(products)}
    for penalty in ("ridge", "path"):
        rng = np.random.default_rng(seed)
        rays = [[_ray(depth, width, a, penalty, rng) for width in widths] for depth, a in zip(DEPTHS, products)]
        arrays[penalty] = np.array([row[-1][0].batch(row[-1][1].at(at)) for row in rays])
        arrays[f"over_{penalty}"] = np.array(
            [[path_maximum(F, ray, gap=1e-6).upper - F.scale for F, ray in row] for row in rays]
        )
        if penalty == "ridge":
            arrays["height"] = np.array([_height(row[-1][0]) for row in rays])
    return arrays


def _ray(depth: int, width: int, product: float, penalty: str, rng: np.random.Generator) -> tuple[Risk, Path]:
    """The risk of nets of one shape on the point, and the way from the zero net straight to one of rank one in each layer.

    All weights are positive and the layers' Frobenius norms equal: the least ridge penalty for this product of the layers.
    """
    network = Network((1, *[width] * (depth - 1), 1))
    risk = Risk(network, Sample(np.ones((1, 1)), np.ones((1, 1))), kappa=KAPPA, penalty=penalty)
    units = [rng.uniform(0.2, 1, n) for n in network.widths]
    units = [u / np.linalg.norm(u) for u in units]
    theta = network.pack([product ** (1 / depth) * np.outer(v, u) for u, v in pairwise(units)])
    return risk, Path(np.stack([0 * theta, theta]))


def _height(risk: Risk) -> float:
    """Of the wall above F(0), rounded down."""
    return deep_wall(risk) - risk.scale if risk.network.depth > 2 else 0.0


def _best_product(depth: int) -> float:
    """The product a of the layers with the least (1 - a)^2 + kappa K a^(2/K), which is the least ridge risk of nets with it."""
    a = np.linspace(0.5, 1, 5001)
    return float(a[np.argmin((1 - a) ** 2 + KAPPA * depth * a ** (2 / depth))])


def draw(arrays: dict[str, np.ndarray]):
    """Rays under both penalties on the left, heights against depth on the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.4))
    grid = figure.add_gridspec(1, 2, width_ratios=[1, 1.1])
    rays, heights = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    top, bottom = rays.subplots(2, 1, sharex=True, sharey=True)
    depths = arrays["depths"]
    shades = np.linspace(0.35, 1, len(depths))
    for axis, penalty, colour in ((top, "ridge", "C1"), (bottom, "path", "C0")):
        for curve, shade in zip(arrays[penalty], shades):
            axis.plot(arrays["at"], curve, color=colour, alpha=shade, ls="-", lw=1.4)
        axis.axhline(1, color="k", lw=0.9, ls=":")
        axis.set(ylabel="risk", xlim=(0, 1), ylim=(0, 1.4))
        axis.annotate("F(0)", (0, 1), xytext=(4, -11), textcoords="offset points", fontsize=8)
    for k, curve in zip(depths, arrays["ridge"]):
        text = f"K = {k}" if k in (depths[0], depths[-1]) else f"{k}"
        top.annotate(text, (1, curve[-1]), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    for row, side, align in ((0, -4, "right"), (-1, 5, "left")):
        at = np.interp(-0.45, -arrays["path"][row], arrays["at"])
        place = {"xytext": (side, 0), "textcoords": "offset points", "ha": align, "va": "center"}
        bottom.annotate(f"K = {depths[row]}", (at, 0.45), fontsize=8, **place)
    top.set_title("(a) ridge: over a wall, higher with K", loc="left")
    bottom.set_title("(b) path norm: down from the start", loc="left")
    bottom.set_xlabel("share of the straight way from the zero net")
    _heights(heights.add_subplot(), arrays)
    return figure


def _heights(axis, arrays: dict[str, np.ndarray]) -> None:
    """The wall and what the paths reach, on a logarithmic scale; at its foot those that need not rise at all."""
    depths, height, walled = arrays["depths"], arrays["height"], arrays["height"] > 0
    axis.fill_between(depths[walled], FLOOR, height[walled], color="0.9", lw=0)
    axis.plot(depths[walled], height[walled], color="k", ls="-", lw=1.5)
    for column, (marker, size) in enumerate((("o", 11), ("s", 7), ("^", 3.5))):
        look = {"ls": "none", "marker": marker, "ms": size, "mfc": "none", "mew": 1.2}
        width = int(arrays["widths"][column])
        axis.plot(depths[walled], arrays["over_ridge"][walled, column], color="C1", **look, label=f"width {width}")
    zero = {"ls": "none", "marker": "v", "ms": 7, "clip_on": False, "zorder": 4}
    axis.plot(depths, np.full(len(depths), FLOOR), color="C0", mfc="w", **zero)
    axis.plot(depths[~walled], np.full((~walled).sum(), FLOOR), color="C1", **{**zero, "ms": 4})
    axis.text(8, 1.25 * FLOOR, "path norm: 0 at every depth", ha="right", color="C0", fontsize=8)
    axis.text(1.9, 1.25 * FLOOR, "ridge:\n0", color="C1", fontsize=8)
    axis.text(6.4, 0.022, "under ridge every path\nmust reach the line", ha="center", va="center")
    over = float((arrays["over_ridge"][walled] / height[walled, None]).max()) - 1
    words = f"the wall\n$\\kappa\\,(K-2)\\,(\\kappa/c)^{{2/(K-2)}}$\nmet within {100 * over:.1f} %"
    axis.text(2.0, 0.16, words, va="center")
    axis.set(yscale="log", ylim=(FLOOR, 0.6), xlim=(1.8, 8.2), xlabel="layers K", ylabel="height above F(0)")
    axis.set_xticks(depths)
    axis.set_title("(c) lower bound (line), paths of (a) (marks)", loc="left")
    axis.legend(loc="center right", bbox_to_anchor=(1.0, 0.38), title="certified maximum", title_fontsize=8)
