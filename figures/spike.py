"""The spike of the cubic task near L0 = 0.158, explained: the plateau of the best constant predictor."""

from __future__ import annotations

from pathlib import Path as File

import numpy as np

from checks import clusters
from checks.claims.sections_3_4 import published
from figures import _experiments as experiments
from figures import _figure1, fig1
from theory import polynomial_tasks

CAPTION = (
    "Normalised length of the cubic task near its spike: when beads are trained to L0 itself instead of 0.95 L0, "
    "lengths exceed 1.01 only below c, the risk of the best constant, instead of below c / 0.95, and no spike is left, "
    "so that it marks the plateau of the constants and no onset of non-convexity. It would be refuted by orange "
    "squares above 1.01 to the right of c."
)

CLAIMS = ("fig-1-cubic-spike",)
ALPHAS = (0.95, 1.0)


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--pairs", type=int, help="run so many pairs at each level (default: draw the runs shipped)")
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
    pairs: int | None = None,
    points: int = 256,
    steps: int = 20_000,
    seed: int = 0,
    jobs: int | None = None,
    scheduler: str | None = None,
    out: File | None = None,
) -> dict[str, np.ndarray]:
    """levels, constant, and for each alpha the lengths (levels, 4) of the authors' preset; the runs shipped, without pairs."""
    own = {"points": points, "steps": steps, "seed": seed}
    if min(1 if pairs is None else pairs, points, steps, jobs or 1) < 1 or seed < 0:
        raise ValueError(
            f"pairs, points, steps and jobs must be positive and seed >= 0; got {pairs}, {points}, {steps}, {jobs}, {seed}"
        )
    if pairs is None and any(fig1.SIZE[key] != value for key, value in own.items()):
        raise ValueError(f"the runs shipped have {fig1.SIZE}; give a number of pairs to make others with {own}")
    levels = [x for x in polynomial_tasks.LEVELS["cubic"] if 0.13 < x < 0.19]
    if pairs is not None and fast:
        levels, pairs, jobs, own = levels[1::3], min(pairs, 2), 1, {"points": 32, "steps": 4000, "seed": seed}
    arrays = {"constant": np.array(polynomial_tasks.best_constant(polynomial_tasks.task("cubic")))}
    for alpha in ALPHAS:
        if pairs is None:
            records = _figure1.read(_figure1.file_of("cubic", alpha))[0]
        else:
            records = experiments.run(
                "cubic", levels, pairs, alpha=alpha, out=out, jobs=jobs, scheduler=scheduler, **own
            )
        arrays[f"alpha {alpha:g}"] = _figure1.summary(records, levels, "authors", "length_weights")
    return arrays | {"levels": np.array(levels), "shipped": np.array(pairs is None)}


def note(arrays: dict[str, np.ndarray]) -> str:
    """How many pairs there are at each level, and how to make the runs again."""
    counts = [f"{_figure1.tried(arrays[f'alpha {alpha:g}'])} (beads to {alpha:g} L0)" for alpha in ALPHAS]
    again = " The runs are shipped; `python -m figures spike --pairs 20` makes them again."
    return f"Pairs at each level: {', '.join(counts)}.{again if arrays['shipped'] else ''}"


def draw(arrays: dict[str, np.ndarray]):
    """Both curves, the published one, and the two predicted edges."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.4))
    axis = figure.subplots()
    for alpha, style in zip(ALPHAS, ("o-", "s--")):
        mean, error = arrays[f"alpha {alpha:g}"][:, :2].T
        axis.errorbar(arrays["levels"], mean, error, fmt=style, label=rf"ours, beads to {alpha:g} $L_0$")
    x, y, e = published.lengths("cubic").T
    near = (x > 0.13) & (x < 0.19)
    axis.errorbar(x[near], y[near], e[near], fmt="D-", color="0.45", mfc="white", lw=0.9, label="published")
    constant = float(arrays["constant"])
    for edge, style, text in ((constant, ":", "$c$, best constant"), (constant / 0.95, "-.", "$c\\,/\\,0.95$")):
        axis.axvline(edge, color="0.3", linestyle=style, lw=1)
        axis.text(edge, 1.0, f" {text}", ha="left", va="top", transform=axis.get_xaxis_transform())
    axis.set_xlabel("level $L_0$ (mean absolute error)")
    axis.set_ylabel("normalised length")
    axis.legend(loc="upper left")
    return figure
