"""The spike of the cubic task near L0 = 0.158, explained: the plateau of the best constant predictor."""

from __future__ import annotations

from pathlib import Path as File

import numpy as np

from checks import clusters
from checks.claims.sections_3_4 import published
from figures import _experiments as experiments
from theory import polynomial_tasks

CAPTION = (
    "Normalised length of the cubic task near the spike, the authors' preset with beads trained to 0.95 L0 and to L0. "
    "Vertical lines: the risk c of the best constant predictor, and c / 0.95. See: the spike's upper edge moves from "
    "c / 0.95 to c when beads are trained to L0 itself, so it marks the plateau of the constants and no onset of "
    "non-convexity. It would be refuted by a spike that stays in place."
)

CLAIMS = ("fig-1-cubic-spike",)
ALPHAS = (0.95, 1.0)


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--pairs", type=int, default=20, help="pairs of ends at each level (default 20)")
    parser.add_argument("--points", type=int, default=256, help="points of the input grid (default 256)")
    parser.add_argument(
        "--steps", type=int, default=20_000, help="Adam steps before an end is given up (default 20000)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, help="processes (default: one per core)")
    parser.add_argument("--scheduler", metavar="ADDRESS|FILE", help=clusters.HELP)


def data(
    *,
    fast: bool = False,
    pairs: int = 20,
    points: int = 256,
    steps: int = 20_000,
    seed: int = 0,
    jobs: int | None = None,
    scheduler: str | None = None,
    out: File | None = None,
) -> dict[str, np.ndarray]:
    """levels, constant, and for each alpha the lengths (levels, 4) of the authors' preset."""
    if min(pairs, points, steps, jobs or 1) < 1 or seed < 0:
        raise ValueError(
            f"pairs, points, steps and jobs must be positive and seed >= 0; got {pairs}, {points}, {steps}, {jobs}, {seed}"
        )
    levels = [x for x in polynomial_tasks.LEVELS["cubic"] if 0.13 < x < 0.19]
    levels = levels[1::3] if fast else levels
    size = {"points": 32, "steps": 4000, "jobs": 1} if fast else {"points": points, "steps": steps, "jobs": jobs}
    arrays = {
        "levels": np.array(levels),
        "constant": np.array(polynomial_tasks.best_constant(polynomial_tasks.task("cubic"))),
    }
    for alpha in ALPHAS:
        records = experiments.run(
            "cubic",
            levels,
            min(pairs, 2) if fast else pairs,
            seed=seed,
            alpha=alpha,
            out=out,
            scheduler=scheduler,
            **size,
        )
        arrays[f"alpha {alpha:g}"] = experiments.summary(records, levels, "authors", "length_weights")
    return arrays


def draw(arrays: dict[str, np.ndarray]):
    """Both curves, the published one, and the two predicted edges."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.2))
    axis = figure.subplots()
    for alpha, style in zip(ALPHAS, ("o-", "s--")):
        mean, error = arrays[f"alpha {alpha:g}"][:, :2].T
        axis.errorbar(arrays["levels"], mean, error, fmt=style, label=rf"beads to {alpha:g} $L_0$")
    x, y, e = published.lengths("cubic").T
    near = (x > 0.13) & (x < 0.19)
    axis.errorbar(x[near], y[near], e[near], fmt="D-", color="0.45", mfc="white", lw=0.9, label="published")
    constant = float(arrays["constant"])
    for edge, style, text in ((constant, ":", "$c$"), (constant / 0.95, "-.", "$c/0.95$")):
        axis.axvline(edge, color="0.3", linestyle=style, lw=1)
        axis.text(edge, axis.get_ylim()[1], text, ha="center", va="bottom")
    axis.set_xlabel("level $L_0$ (mean absolute error)")
    axis.set_ylabel("normalised length")
    axis.legend(loc="upper right")
    return figure
