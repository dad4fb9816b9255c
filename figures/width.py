"""Corollary 2.5: how far two nets of a level set are from being joined inside it, against the width, with both slopes.

The gap is the certified maximum of the coin-toss (Maurey) path less the larger end, over E Y^2. Dashed: what tossing coins
allows, |W_2|_1^2 zeta^2 / floor(m/2), with the l1 norm of the ends and the zeta of their rows.
"""

from __future__ import annotations

import numpy as np

from figures._panels import letter
from theory import compression, relu_paths
from theory.networks import Network
from theory.relu_paths import connect
from theory.risk import Risk, Sample

CAPTION = (
    "The energy gap between nets with random first and best second layers (median and range; triangles: none) falls "
    "like 1/m or faster, not like the printed m^(-1/n), for two targets that the nets fit (a, b), and for a third as "
    "soon as they fit it (c). It would be refuted by a mark above the dashed line of its panel."
)
CLAIMS = ("cor-2.5-rate", "sharper-maurey")
INPUTS, KAPPA = 8, 0.01
TARGETS = {
    "|x|_1": lambda X: np.abs(X).sum(axis=1),
    "|x|_2": lambda X: np.linalg.norm(X, axis=1),
    "sine": lambda X: np.sin(2 * X.sum(axis=1) / np.sqrt(X.shape[1])) + 0.3 * np.cos(2 * X[:, 0]),
}
TITLES = {
    "|x|_1": r"$\|x\|_1$, 16 units",
    "|x|_2": r"$\|x\|_2$, no finite net",
    "sine": "a sine, hard to fit",
    "table": "your table",
}
FLOOR = 2e-5


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=5, help="pairs of nets at each width (default 5)")


def data(*, fast: bool = False, seed: int = 0, pairs: int = 5, sample: Sample | None = None) -> dict[str, np.ndarray]:
    """`widths` (k,), `inputs`, and for each target: `gap/NAME` (k, pairs) over E Y^2 and `allowed/NAME` likewise."""
    if seed < 0 or pairs < 1:
        raise ValueError(f"seed must be >= 0 and pairs positive; got {seed}, {pairs}")
    widths = (4, 8, 16, 32, 64, 128)
    pairs = min(pairs, 2) if fast else pairs
    rng = np.random.default_rng(seed)
    if sample is None:
        X = rng.standard_normal((100 if fast else 300, INPUTS))
        samples = {name: Sample(X, _scaled(target(X))) for name, target in TARGETS.items()}
    else:
        samples = {"table": sample}
    arrays = {"widths": np.array(widths), "inputs": np.array(next(iter(samples.values())).n_in)}
    for name, sample in samples.items():
        cells = np.array([[_gap(sample, m, rng) for _ in range(pairs)] for m in widths])
        arrays |= {f"gap/{name}": cells[..., 0], f"allowed/{name}": cells[..., 1]}
    return arrays


def _scaled(y: np.ndarray) -> np.ndarray:
    """(N, 1), E Y^2 = 1."""
    return (y / np.sqrt(np.mean(y**2)))[:, None]


def _gap(sample: Sample, width: int, rng: np.random.Generator) -> tuple[float, float]:
    """The gap of one pair and what the theorem allows, both over E Y^2."""
    network = Network((sample.n_in, width, 1))
    risk = Risk(network, sample, kappa=KAPPA * sample.energy**0.5, penalty="second_layer_l1")
    ends = []
    for _ in range(2):
        W = rng.standard_normal((width, sample.n_in))
        W /= np.linalg.norm(W, axis=1, keepdims=True) * (1 + 1e-15)
        ends.append(relu_paths.best_second_layer(risk, network.pack([W, np.full((1, width), 1 / width)])))
    level = max(relu_paths.vertex_bound(risk, theta) for theta in ends)
    upper = float(relu_paths.piece_maxima(risk, connect(risk, *ends, route="maurey")).max())
    zeta2 = relu_paths.largest_feature(sample, np.concatenate([network.weights(theta)[0] for theta in ends]))
    norm = max(float(np.abs(network.weights(theta)[1]).sum()) for theta in ends)
    allowed = norm**2 * zeta2 / (width // 2)
    return (upper - level) / sample.energy, allowed / sample.energy


def draw(arrays: dict[str, np.ndarray]):
    """A panel for each target: the gaps with their ranges, what is allowed, and both slopes."""
    from matplotlib.figure import Figure

    shown = [name for name in TITLES if f"gap/{name}" in arrays]
    figure = Figure(figsize=(7.2, 3.2) if len(shown) > 1 else (4.6, 3.6))
    panels = figure.subplots(1, len(shown), sharex=True, sharey=True, squeeze=False)[0]
    for axis, name in zip(panels, shown):
        _panel(axis, arrays, name)
        axis.set_title(TITLES[name])
    letter(*panels)
    panels[0].set_ylabel(r"energy gap  /  $\mathbf{E}\,Y^2$")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def _panel(axis, arrays: dict[str, np.ndarray], name: str) -> None:
    m, n, gap = arrays["widths"], int(arrays["inputs"]), np.maximum(arrays[f"gap/{name}"], FLOOR)
    middle = np.median(gap, axis=1)
    bars = [middle - gap.min(axis=1), gap.max(axis=1) - middle]
    axis.plot(m, np.median(arrays[f"allowed/{name}"], axis=1), color="k", ls="--", label="allowed by tossing coins")
    axis.errorbar(m, middle, bars, color="C0", ls="-", marker="o", mfc="w", label="energy gap")
    none = middle <= FLOOR
    axis.plot(m[none], middle[none], marker="v", color="C0", ls="none", ms=8, zorder=4)
    printed = -float(compression.printed_best(n, 10**6)[0])
    for exponent, style, text in ((-1.0, "-", "slope $-1$"), (printed, ":", f"printed slope $-1/n$, n = {n}")):
        line = 0.09 * (m / m[0]) ** exponent
        axis.plot(m, line, color="C1", lw=2.5, alpha=0.6, ls=style, zorder=0, label=text)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xticks(m, [str(k) for k in m])
    axis.set(xlabel="width $m$ (hidden units)", ylim=(FLOOR / 1.6, None))
