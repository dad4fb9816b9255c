"""The exact maximum of the risk along a segment, piecewise quartic between known breakpoints, against what grids see."""

from __future__ import annotations

import numpy as np

from checks.claims.sections_3_4.sampling_misses import spike, train
from figures._panels import letter
from theory.maxima import segment_maximum
from theory.networks import Network
from theory.risk import Risk, Sample

CAPTION = (
    "The risk along a segment of relu nets is quartic between breakpoints, so that its maximum (star) is computed and "
    "certified, while a grid of 11 points is too low between two trained nets (a; b: grey part) and blind to a hat "
    "between its points (c). It would be refuted by a curve above the star or by a kink without a tick."
)
CLAIMS = ("sampling-misses",)
UNITS, GRID = 6, 11


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--seed", type=int, default=27)


def data(*, fast: bool = False, seed: int = 27, sample: Sample | None = None) -> dict[str, np.ndarray]:
    """Risks on segments: of trained nets, and of the spike between grid points.

    For each panel `t`, `risk` on a fine grid that holds all breakpoints, `grid` (11,), `breaks`, and `maximum` (3,):
    where, value, certified upper bound; prefix `nets/` for the trained nets, `hat/` for the spike.
    """
    if seed < 0:
        raise ValueError(f"seed must be >= 0; got {seed}")
    rng = np.random.default_rng(seed)
    if sample is None:
        X = rng.uniform(-1, 1, (10, 2))
        sample = Sample(X, np.sign(X[:, :1] * X[:, 1:]))
    risk = Risk(Network((sample.n_in, UNITS, 1), bias=True), sample)
    arrays = _segment("nets", risk, train(risk, rng), train(risk, rng), 4 if fast else 20)
    return arrays | _segment("hat", *spike(GRID, 6, 20), 4 if fast else 20)


def _segment(name: str, risk: Risk, a: np.ndarray, b: np.ndarray, between: int) -> dict[str, np.ndarray]:
    """One panel's arrays: `between` points between breakpoints."""
    breaks = breakpoints(risk, a, b)
    knots = np.unique(np.concatenate([[0.0], breaks, [1.0], np.linspace(0, 1, 101)]))
    t = np.unique(np.linspace(knots[:-1], knots[1:], between + 1))
    top = segment_maximum(risk, a, b)
    grid = np.linspace(0, 1, GRID)
    return {
        f"{name}/t": t,
        f"{name}/risk": _along(risk, a, b, t),
        f"{name}/grid": _along(risk, a, b, grid),
        f"{name}/breaks": breaks,
        f"{name}/maximum": np.array([top.t, top.value, top.upper]),
    }


def _along(risk: Risk, a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    return np.concatenate([risk.batch((1 - s) * a + s * b) for s in np.array_split(t[:, None], len(t) // 200 + 1)])


def breakpoints(risk: Risk, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """All t in (0, 1) at which a unit of the hidden layer switches at a sample, sorted; only those of positive weight."""
    X = risk.network.augment(risk.sample.X[risk.sample.weights > 0])
    p0, p1 = (X @ risk.network.weights(theta)[0].T for theta in (a, b))
    turns = p0 * p1 < 0
    return np.sort(p0[turns] / (p0[turns] - p1[turns]))


def draw(arrays: dict[str, np.ndarray]):
    """The whole segment, its top, and the spike."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.1))
    axes = figure.subplots(1, 3, width_ratios=[1.5, 1.1, 1])
    for axis, name in zip(axes, ("nets", "nets", "hat")):
        _panel(axis, arrays, name)
    where, value, _ = arrays["nets/maximum"]
    seen = arrays["nets/grid"].max()
    half = 0.75 / (GRID - 1)
    t, risk = arrays["nets/t"], arrays["nets/risk"]
    near = np.abs(t - where) <= half
    low, high = min(risk[near].min(), seen), value
    axes[1].set(xlim=(where - half, where + half), ylim=(low - 0.15 * (high - low), high + 0.15 * (high - low)))
    axes[0].axvspan(where - half, where + half, color="0.9", lw=0, zorder=0)
    axes[0].set(ylabel="risk $F$", title="two trained nets")
    axes[1].set(title=f"the grid is {1 - seen / value:.0%} too low")
    axes[2].set(title=f"a hat: {1 - arrays['hat/grid'].max() / arrays['hat/maximum'][1]:.0%} too low")
    letter(*axes)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def _panel(axis, arrays: dict[str, np.ndarray], name: str) -> None:
    """The curve, its breakpoints as ticks at the foot, the grid's points and maximum, the exact maximum."""
    where, value, _ = arrays[f"{name}/maximum"]
    grid, breaks = arrays[f"{name}/grid"], arrays[f"{name}/breaks"]
    axis.plot(arrays[f"{name}/t"], arrays[f"{name}/risk"], color="C0", ls="-", zorder=1)
    at = np.interp(breaks, arrays[f"{name}/t"], arrays[f"{name}/risk"])
    if len(breaks) < 200:
        axis.plot(breaks, at, "|", color="k", ms=7, ls="none", label="breakpoints")
    axis.plot(
        np.linspace(0, 1, len(grid)), grid, "o", color="C1", mfc="w", ls="none", label=f"grid of {len(grid)} points"
    )
    axis.axhline(grid.max(), color="C1", lw=1, ls=":", label="what the grid reports")
    axis.plot(where, value, "*", mfc="w", mec="k", ms=11, ls="none", label="exact maximum", zorder=4)
    axis.set_xlabel("$t$ along the segment")
