"""Corollary 2.5: how far two nets of a level set are from being joined inside it, against the width, with both slopes."""

from __future__ import annotations

import numpy as np

from theory import compression, relu_paths
from theory.networks import Network
from theory.relu_paths import connect
from theory.risk import Risk, Sample

CAPTION = (
    "The energy gap: the certified maximum of the coin-toss (Maurey) path between two nets with random first and best "
    "second layers, less the larger end, over E Y^2, against the width m; median and range over pairs, n = 8 inputs. "
    "Thin lines: what tossing coins allows, |W_2|_1^2 zeta^2 / floor(m/2), with the l1 norm of the ends and the zeta of "
    "their rows, at most the bound of sharper-maurey. Guides: slope -1, and the printed -1/n. See: gaps fall like 1/m and "
    "faster, away from the printed slope; where the nets hardly fit yet there is little to lose, and the gap rises first. "
    "It would be refuted by a marker above its thin line. Triangles at the bottom: no gap at all in the median."
)
CLAIMS = ("cor-2.5-rate", "sharper-maurey")
INPUTS, KAPPA = 8, 0.01
TARGETS = {
    "|x|_1": lambda X: np.abs(X).sum(axis=1),
    "|x|_2": lambda X: np.linalg.norm(X, axis=1),
    "sine": lambda X: np.sin(2 * X.sum(axis=1) / np.sqrt(X.shape[1])) + 0.3 * np.cos(2 * X[:, 0]),
}
STYLES = {
    "|x|_1": ("C0", "-", "o", r"$\|x\|_1$, 16 units"),
    "|x|_2": ("C1", "--", "s", r"$\|x\|_2$, no finite net"),
    "sine": ("C2", "-.", "D", "a sine, hard to fit"),
    "table": ("C3", ":", "^", "your table"),
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
    widths = (4, 8, 16, 32) if fast else (4, 8, 16, 32, 64, 128)
    pairs = min(pairs, 2) if fast else pairs
    rng = np.random.default_rng(seed)
    if sample is None:
        X = rng.standard_normal((60 if fast else 300, INPUTS))
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
    """Gaps with their ranges, what is allowed, and the two slopes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4, 3.7))
    axis = figure.subplots()
    m, n = arrays["widths"], int(arrays["inputs"])
    for name, (colour, style, marker, text) in STYLES.items():
        if f"gap/{name}" not in arrays:
            continue
        gap = arrays[f"gap/{name}"]
        middle, low, high = np.median(gap, axis=1), gap.min(axis=1), gap.max(axis=1)
        shown = np.maximum(middle, FLOOR)
        bars = [shown - np.maximum(low, FLOOR), np.maximum(high, FLOOR) - shown]
        axis.errorbar(m, shown, bars, color=colour, ls=style, marker=marker, mfc="w", label=text)
        none = middle <= FLOOR
        axis.plot(m[none], shown[none], marker="v", color=colour, ls="none", ms=8, zorder=4)
        axis.plot(
            m,
            np.median(arrays[f"allowed/{name}"], axis=1),
            color=colour,
            ls=style,
            lw=0.8,
        )
    start = 0.09
    for slope, text in ((1.0, "slope $-1$"), (float(compression.printed_best(n, 10**6)[0]), "")):
        line = start * (m / m[0]) ** -slope
        text = text or rf"slope $-1/n$, $n = {n}$"
        axis.plot(m, line, color="k", lw=2.5, alpha=0.35, ls="-", zorder=0)
        axis.annotate(text, (m[-1], line[-1]), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    axis.set_xscale("log", base=2)
    axis.set_yscale("log")
    axis.set_xticks(m, [str(k) for k in m])
    axis.set(xlabel="width $m$ (hidden units)", ylabel=r"energy gap  /  $\mathbf{E}\,Y^2$")
    axis.plot([], [], color="0.4", lw=0.8, ls="-", label="allowed, same style")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure
