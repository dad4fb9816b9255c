"""Two deep nets trained on handwritten digits, joined by four routes: straight, aligned, a string, and idle units.

Two hidden layers of 64 relu units and biases, trained on 600 of scikit-learn's digits (cross-entropy, kappa = 1/1000, path norm),
by share of length. Aligned: to B with its units in A's order, the same function; the string was asked to stay within 5 % of
the larger end. The bound in (c) takes the digits that were held out as independent draws.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from theory.alignment import align, reorder
from theory.deep_paths import connect
from theory.held_out import certify_error
from theory.maxima import path_maximum
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample
from theory.string_sampling import greedy

CAPTION = (
    "Two nets trained on digits: the straight line leaves the level set by far, alignment leaves a hump, the string pays a little, idle units nothing (a; b: near the larger end), and theirs "
    "alone has a bound on its error on fresh digits (c). It would be refuted by a curve above its diamond, or by an "
    "error of the idle-unit path above the line in (c) in more than one draw in twenty."
)
CLAIMS = ("multilayer-2.4", "dropout-reduction", "held-out")
KAPPA, SLACK, DELTA = 1e-3, 1.05, 0.05
ROUTES = {
    "straight": ("C1", "--", "straight line"),
    "aligned": ("C3", ":", "aligned, then straight"),
    "string": ("C2", "-.", "string"),
    "idle": ("C0", "-", "idle units"),
}


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--seed", type=int, default=1, help="A starts from it, B from the next one (default 1)")


def data(*, fast: bool = False, seed: int = 1) -> dict[str, np.ndarray]:
    """For each route NAME: `at/NAME` (points,) in [0, 1] by length, `risk/NAME`, `error/NAME` likewise, `vertices/NAME`.

    `top/NAME` (3,): where the certified maximum is met, a value that is attained, and the bound above it; `length/NAME` over |A - B|.
    `ends` (2,): risks of A and B; `error_bound`: for the idle-unit path, at 1 - delta; `hidden`, `rows` (trained, held out).
    """
    if seed < 0:
        raise ValueError(f"seed must be >= 0; got {seed}")
    hidden, rows = ((16, 16), 300) if fast else ((64, 64), 600)
    risk, held = _problem(hidden, rows)
    a, b = (_trained(risk, s) for s in (seed, seed + 1))
    ends = np.array([risk(a), risk(b)])
    idle = connect(risk, a, b, rng=0).path
    level = SLACK * float(ends.max())
    string = greedy(risk, a, b, level, trainer="lbfgs", alpha=0.97, rng=0, max_evaluations=5000).string
    matched = reorder(risk.network, b, align(risk.network, a, b))
    paths = {
        "straight": Path(np.stack([a, b])),
        "aligned": Path(np.stack([a, matched])),
        "string": string,
        "idle": idle,
    }
    arrays = {"ends": ends, "hidden": np.array(hidden), "rows": np.array([rows, len(held)])}
    for name, path in paths.items():
        route = _route(risk, held, path, 25 if fast else 49, float(np.linalg.norm(a - b)))
        arrays |= {f"{key}/{name}": value for key, value in route.items()}
    return arrays | {"error_bound": np.array(certify_error(risk, idle, held, delta=DELTA))}


def _problem(hidden: tuple[int, ...], rows: int) -> tuple[Risk, Sample]:
    """The risk on the first rows of the digits, and the digits that are held out."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    network = Network((64, *hidden, 10), bias=True)
    risk = Risk(network, Sample(X[:rows] / 16, y[:rows]), loss="softmax", kappa=KAPPA, penalty="path")
    return risk, Sample(X[rows:] / 16, y[rows:])


def _trained(risk: Risk, seed: int) -> np.ndarray:
    """A net trained by L-BFGS, 150 steps from random weights of variance 1 / inputs."""
    rng = np.random.default_rng(seed)
    start = risk.network.pack([rng.standard_normal(shape) / np.sqrt(shape[1]) for shape in risk.network.shapes])
    return minimize(risk, start, jac=risk.gradient, method="L-BFGS-B", options={"maxiter": 150, "maxfun": 300}).x


def _route(risk: Risk, held: Sample, path: Path, points: int, unit: float) -> dict[str, Any]:
    """Risk and held-out error at points of a path, 8 on a piece at least, its certified maximum, and its length in a unit."""
    pieces = len(path)
    each = max(points // pieces, 8)
    t = np.linspace(0, 1, each * pieces + 1)
    before = np.concatenate([[0.0], np.cumsum(path.piece_lengths)])
    before /= before[-1]
    nets = path.at(t)
    label = held.Y[:, 0].astype(int)
    outputs = (risk.network(theta, held.X) for theta in nets)
    top = path_maximum(risk, path, gap=1e-4, budget=20000)
    shares = np.arange(pieces + 1) / pieces
    return {
        "at": np.interp(t, shares, before),
        "vertices": before,
        "risk": risk.batch(nets),
        "error": np.array([np.mean(out.argmax(axis=1) != label) for out in outputs]),
        "top": np.array([np.interp(top.t, shares, before), top.value, top.upper]),
        "length": np.array(path.length / unit),
    }


def draw(arrays: dict[str, np.ndarray]):
    """Risk, the same near the larger end, and error along the four routes; names on the right, in the order of their maxima."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 6.0))
    whole, near, error = figure.subplots(3, 1, sharex=True, height_ratios=[1.3, 0.8, 1])
    larger = float(arrays["ends"].max())
    for name, (colour, style, _) in ROUTES.items():
        look = {"color": colour, "ls": style, "lw": 2.2 if name == "idle" else 1.5}
        at, _, top = arrays[f"top/{name}"]
        for axis, unit in ((whole, 1.0), (near, 100 / larger)):
            shift = 100 if axis is near else 0
            axis.plot(arrays[f"at/{name}"], arrays[f"risk/{name}"] * unit - shift, **look)
            axis.plot(at, top * unit - shift, "D", color=colour, ms=6, mec="k", mew=0.7, ls="none", zorder=4)
        error.plot(arrays[f"at/{name}"], 100 * arrays[f"error/{name}"], **look)
    whole.axhline(larger, color="k", lw=0.9, ls=(0, (1, 2)), zorder=0)
    near.axhline(0, color="k", lw=0.9, ls=(0, (1, 2)), zorder=0)
    whole.set(yscale="log", ylabel="training risk", xlim=(-0.02, 1.02))
    whole.set_yticks(ticks := _ticks(arrays), [f"{v:g}" for v in ticks])
    whole.minorticks_off()
    whole.set_title("(a) training risk; diamonds: certified maxima", loc="left")
    near.set(ylim=(min(-4.0, 100 * float(arrays["ends"].min()) / larger - 102), 7), ylabel="excess  [%]")
    near.set_title("(b) training risk, by how much above the larger end", loc="left")
    error.set(ylim=(0, None), ylabel="error  [%]", xlabel="share of the route's length, from A to B")
    error.set_title(f"(c) error on {int(arrays['rows'][1])} digits that were held out", loc="left")
    _names(whole, near, arrays)
    bound = 100 * float(arrays["error_bound"])
    error.axhline(bound, color="C0", lw=1.0, ls="-")
    text = f"idle units, certified:\n\u2264 {bound:.1f} % at all points\nat once, with prob. 95 %"
    error.text(1.02, bound, text, color="C0", fontsize=8, transform=error.get_yaxis_transform(), va="center")
    return figure


def _ticks(arrays: dict[str, np.ndarray]) -> list[float]:
    """Round numbers within the drawn risks."""
    every = np.concatenate([arrays[f"risk/{name}"] for name in ROUTES])
    return [v for v in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if 0.9 * every.min() <= v <= 1.1 * every.max()]


def _names(whole, near, arrays: dict[str, np.ndarray]) -> None:
    """Each route's name, certified maximum and length to the right of the axes, by height."""
    for k, (name, (colour, style, text)) in enumerate(ROUTES.items()):
        beads = f", {len(arrays['vertices/string']) - 2} beads" if name == "string" else ""
        top, length = float(arrays[f"top/{name}"][2]), float(arrays[f"length/{name}"])
        y = 0.92 - 0.26 * k
        whole.plot([1.02, 1.08], [y, y], color=colour, ls=style, lw=2, transform=whole.transAxes, clip_on=False)
        words = f"{text}{beads}\nmax {top:.4g}, length {length:.2g}"
        whole.text(1.1, y, words, fontsize=8, transform=whole.transAxes, va="center")
    whole.text(1.02, -0.1, "length: in units of |A - B|", fontsize=8, transform=whole.transAxes)
    text = f"larger end, {float(arrays['ends'].max()):.4g}"
    near.text(1.02, 0, text, fontsize=8, transform=near.get_yaxis_transform(), va="center")
