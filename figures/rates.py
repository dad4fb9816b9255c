"""Theorem 2.4 at depth: how far above the ends a path must go, promised and measured, against the width.

Eight inputs, target |x|_1, kappa = 1/20, path norm; nets random but for the best last layer. Lines: what the theorem promises
any two nets at the median level of these, above that level. Marks: certified maxima of paths between pairs above the larger
end, by drawing trees as the proof does and by refits.
"""

from __future__ import annotations

import numpy as np

from figures._panels import letter
from theory.deep_paths import best_head, connect, masses, plan, zeta
from theory.networks import Network
from theory.risk import Risk, Sample

CAPTION = (
    "Promised to relu nets with 1, 2 and 3 hidden layers (a-c): a path at most so far above their level, which falls like "
    "1/m, m^(-1/3) and m^(-1/5); certified paths between random pairs need far less (median and range; triangles: nothing), "
    "so that whether these exponents are the true ones is open. It would be refuted by a pair above its own promise."
)
CLAIMS = ("sharper-maurey", "multilayer-2.4")
INPUTS, KAPPA, FLOOR = 8, 0.05, 3e-5
LAYERS = (1, 2, 3)
TOOLS = {
    "trees": ("C1", "s", "measured: trees, as in the proof"),
    "both": ("C0", "o", "measured: refits, as in practice"),
}
FAR = 2.0 ** np.arange(3, 28)


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=5, help="pairs of nets at each width (default 5)")


def data(*, fast: bool = False, seed: int = 0, pairs: int = 5) -> dict[str, np.ndarray]:
    """`widths` (k,), `far` (f,); for each number of hidden layers H, over E Y^2: `TOOL/H` and `promised/H` (k, pairs).

    TOOL, trees or both: certified maxima less the larger end; `promised/H` less it too. `bound/H` (f,): the promise at any
    width, less the level, which is the median of the pairs', beyond the widths that were measured that of the last; `zero/H` (f,): F(0) less it.
    """
    if seed < 0 or pairs < 1:
        raise ValueError(f"seed must be >= 0 and pairs positive; got {seed}, {pairs}")
    widths = (8, 16, 32, 64) if fast else (8, 16, 32, 64, 128, 256)
    pairs = min(pairs, 2) if fast else pairs
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((200, INPUTS))
    X /= np.linalg.norm(X, 2) / np.sqrt(len(X))  # |Sigma| = 1
    y = np.abs(X).sum(axis=1)
    sample = Sample(X, (y / np.sqrt(np.mean(y**2)))[:, None])
    arrays = {"widths": np.array(widths), "far": FAR}
    for layers in LAYERS:
        risks = [_risk(sample, layers, m) for m in widths]
        cells = np.array([[_pair(risk, rng) for _ in range(pairs)] for risk in risks])  # (k, pairs, 4)
        for column, key in enumerate((*TOOLS, "promised")):
            arrays[f"{key}/{layers}"] = cells[..., column]
        levels = np.interp(FAR, widths, np.median(cells[..., 3], axis=1))
        bounds = [_bound(_risk(sample, layers, int(m)), level) for m, level in zip(FAR, levels)]
        arrays |= {f"bound/{layers}": np.array(bounds) - levels, f"zero/{layers}": sample.energy - levels}
    return arrays


def _risk(sample: Sample, layers: int, width: int) -> Risk:
    return Risk(Network((INPUTS, *[width] * layers, 1)), sample, kappa=KAPPA, penalty="path")


def _pair(risk: Risk, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """The excess of both paths between two nets, what is promised for them, and their level."""
    a, b = _net(risk, rng), _net(risk, rng)
    level = max(risk(a), risk(b))
    found = [connect(risk, a, b, rng=rng, tool=tool) for tool in TOOLS]
    trees, both = (path.maximum.upper - level for path in found)
    return trees, both, found[0].promised - level, level


def _net(risk: Risk, rng: np.random.Generator) -> np.ndarray:
    """Rows of norm 1 (l1 above the first layer, one weight in five negative), and the best last layer for them."""
    network = risk.network
    first, *inner, last = (rng.standard_normal(shape) for shape in network.shapes)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    for W in inner:
        W[...] = W**2 * np.where(rng.uniform(size=W.shape) < 0.2, -1, 1)
        W /= np.abs(W).sum(axis=1, keepdims=True)
    theta = network.pack([first, *inner, last])
    Z, q = network.features(theta, risk.sample.X, network.depth - 1), masses(risk, theta).q[-1]
    return network.pack([first, *inner, best_head(risk, Z, q, np.zeros_like(last))])


def _bound(risk: Risk, level: float) -> float:
    """What the theorem promises for any two nets below the level, before the way through the zero net is thought of."""
    V = min(level, risk.sample.energy / 2) / risk.kappa
    return plan(risk, 1, level, V, zeta(risk)).bound


def draw(arrays: dict[str, np.ndarray]):
    """A panel for each number of hidden layers: the promise as a line with its slope, what paths need as marks."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.6))
    panels = figure.subplots(1, len(LAYERS), sharex=True, sharey=True)
    for axis, layers in zip(panels, LAYERS):
        _panel(axis, arrays, layers)
        axis.set_title(f"{layers} hidden layer" + "s" * (layers > 1), loc="left")
        axis.set_xlabel("width $m$")
    letter(*panels)
    panels[0].set_ylabel("above the level  /  $\\mathbf{E}\\,Y^2$")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _panel(axis, arrays: dict[str, np.ndarray], layers: int) -> None:
    far, bound, zero = arrays["far"], arrays[f"bound/{layers}"], arrays[f"zero/{layers}"]
    axis.fill_between(far, zero, 1e3, color="0.9", lw=0)
    axis.plot(far, bound, color="k", ls="--", lw=1.0)
    axis.plot(
        far, np.where(bound < zero, bound, np.nan), color="k", ls="-", lw=2, label="bound: promised by the theorem"
    )
    exponent = 2 * layers - 1
    slope = "slope \u22121" if exponent == 1 else f"slope \u2192 \u22121/{exponent}"
    place = {"textcoords": "offset points", "fontsize": 8}
    axis.annotate(slope, (far[13], bound[13]), xytext=(5, 4), **place)
    if layers == LAYERS[0]:
        axis.annotate(
            "the way through the zero net\nis lower than the promise",
            (far[-1], 30),
            xytext=(-3, -26),
            ha="right",
            **place,
        )
    for name, (colour, marker, text) in TOOLS.items():
        excess = arrays[f"{name}/{layers}"]
        middle, low, high = (np.maximum(f(excess, axis=1), FLOOR) for f in (np.median, np.min, np.max))
        look = {"color": colour, "mfc": "w" if name == "both" else colour}
        at = arrays["widths"] * (1.15 if name == "both" else 0.9)
        bars = [middle - low, high - middle]
        axis.errorbar(at, middle, bars, fmt="none", color=colour, elinewidth=0.7, capsize=0)
        none = middle <= FLOOR
        axis.plot(at[~none], middle[~none], marker=marker, ls="none", label=text, **look)
        axis.plot(at[none], middle[none], marker="v", ms=6, ls="none", zorder=4, **look)
    axis.set(xscale="log", yscale="log", ylim=(FLOOR / 1.5, 30))
