"""Figure 1: normalised length and number of beads against the level, ours over the published points.

Rows (1) and (2) are run here, under three presets: the authors' code as published (a grid, 10 % above the level
accepted), the certified string, and the shortest certified path found. Rows (3) to (5) are the published numbers.
"""

from __future__ import annotations

from pathlib import Path as File
from typing import Any

import numpy as np

from checks import clusters
from checks.claims.sections_3_4 import published
from figures import _experiments as experiments
from theory import polynomial_tasks

CAPTION = (
    "Average normalised length (left) and number of beads, both ends included (right), against the level, with standard "
    "errors; grey: as published. See: the authors' preset follows their points; the certified strings, which truly stay "
    "below the level, need more beads; the shortest path found has no spike. A power law is a straight line here. It "
    "would be refuted by certified strings whose beads do not grow as the level falls."
)

CLAIMS = ("fig-1-quadratic", "fig-1-cubic", "fig-1-monotone")
TITLES = {
    "quadratic": "(1) quadratic",
    "cubic": "(2) cubic",
    "mnist_cnn": "(3) MNIST, published",
    "cifar10_cnn": "(4) CIFAR10, published",
    "ptb_lstm": "(5) PTB, published",
}
QUANTITIES = {"length_weights": published.lengths, "beads": published.beads}
AXES = {"mnist_cnn": "test error (%)", "cifar10_cnn": "test error (%)", "ptb_lstm": "test perplexity"}
STYLES = {
    "authors": ("o-", "authors' preset"),
    "certified": ("s--", "certified"),
    "shortened": ("^-.", "certified, shortest found"),
}


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--task", choices=(*polynomial_tasks.TASKS, "all"), default="all", help="one row, or all five")
    parser.add_argument("--pairs", type=int, default=20, help="pairs of ends at each level (default 20)")
    parser.add_argument("--points", type=int, default=256, help="points of the input grid (default 256)")
    parser.add_argument(
        "--steps", type=int, default=20_000, help="Adam steps before an end is given up (default 20000)"
    )
    parser.add_argument(
        "--alpha", type=float, default=polynomial_tasks.ALPHA, help="beads are trained to alpha * level"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, help="processes (default: one per core)")
    parser.add_argument("--scheduler", metavar="ADDRESS|FILE", help=clusters.HELP)


def data(
    *,
    fast: bool = False,
    task: str = "all",
    pairs: int = 20,
    points: int = 256,
    steps: int = 20_000,
    alpha: float = polynomial_tasks.ALPHA,
    seed: int = 0,
    jobs: int | None = None,
    scheduler: str | None = None,
    out: File | None = None,
) -> dict[str, np.ndarray]:
    """The runs behind the figure, summarised.

    For each task and preset `task/preset/field` (levels, 4): mean, standard error, accepted, tried; and the share of
    accepted strings that truly exceed the level, `task/exceeding` (levels, 2): exceeding, accepted.
    """
    if pairs < 1 or points < 2 or steps < 1 or seed < 0 or (jobs or 1) < 1 or not 0 < alpha <= 1:
        raise ValueError(
            f"pairs, steps and jobs must be positive, points at least 2, seed >= 0 and alpha in (0, 1]; "
            f"got {pairs}, {steps}, {jobs}, {points}, {seed}, {alpha}"
        )
    arrays: dict[str, Any] = {}
    for name in polynomial_tasks.TASKS if task == "all" else (task,):
        levels = polynomial_tasks.LEVELS[name][3::4] if fast else polynomial_tasks.LEVELS[name]
        size = {"points": 32, "steps": 4000, "jobs": 1} if fast else {"points": points, "steps": steps, "jobs": jobs}
        records = experiments.run(
            name, levels, min(pairs, 2) if fast else pairs, seed=seed, alpha=alpha, out=out, scheduler=scheduler, **size
        )
        arrays[f"{name}/levels"] = np.array(levels)
        for preset in polynomial_tasks.PRESETS:
            for field in ("length_weights", "length", "beads"):
                arrays[f"{name}/{preset}/{field}"] = experiments.summary(records, levels, preset, field)
        theirs = [
            [r for r in records if r["preset"] == "authors" and r["accepted"] and r["level"] == x] for x in levels
        ]
        arrays[f"{name}/exceeding"] = np.array([[sum(r["value"] > r["level"] for r in rs), len(rs)] for rs in theirs])
    arrays["published"] = np.array(task == "all")
    return arrays


def comparison(arrays: dict[str, np.ndarray], task: str, field: str = "length_weights") -> np.ndarray:
    """Ours beside theirs, (k, 6): level, mean and error under the authors' preset, theirs, and whether the two agree.

    They agree when they differ by at most two combined standard errors; levels at which we accepted fewer than two pairs
    are left out.
    """
    theirs = {row[0]: row[1:] for row in QUANTITIES[field](task)}
    rows = []
    for level, (mean, error, accepted, _) in zip(arrays[f"{task}/levels"], arrays[f"{task}/authors/{field}"]):
        if accepted >= 2:
            there, spread = theirs[float(level)]
            rows.append([level, mean, error, there, spread, abs(mean - there) <= 2 * np.hypot(error, spread)])
    return np.array(rows).reshape(-1, 6)


def draw(arrays: dict[str, np.ndarray]):
    """One row per task: lengths on the left, beads on the right."""
    from matplotlib.figure import Figure

    ours = [name for name in polynomial_tasks.TASKS if f"{name}/levels" in arrays]
    rows = list(TITLES) if arrays["published"] else ours
    figure = Figure(figsize=(6.8, 2.1 * len(rows) + 0.5))
    axes = figure.subplots(len(rows), 2, squeeze=False)
    for name, (left, right) in zip(rows, axes):
        for axis, field, label in ((left, "length_weights", "normalised length"), (right, "beads", "beads")):
            if name in ours:
                levels = arrays[f"{name}/levels"]
                for preset, (style, text) in STYLES.items():
                    mean, error = arrays[f"{name}/{preset}/{field}"][:, :2].T
                    axis.errorbar(levels, mean, error, fmt=style, label=text, zorder=3)
            x, y, e = QUANTITIES[field](name).T
            axis.errorbar(x, y, e, fmt="D-", color="0.45", mfc="white", lw=0.9, label="published", zorder=2)
            _logarithmic(axis, x)
            axis.set_title(f"{TITLES[name]}: {label}", loc="left")
            axis.set_xlabel(AXES.get(name, "level $L_0$ (mean absolute error)"))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure


def _logarithmic(axis, x: np.ndarray) -> None:
    """Both axes logarithmic, with a few plain numbers on them."""
    from matplotlib import ticker

    axis.set_xscale("log")
    axis.set_yscale("log")
    low, high = axis.get_ylim()
    if high < 1.01 * low:
        axis.set_ylim(low / 1.5, high * 1.5)
    low, high = axis.get_ylim()
    for side, span in ((axis.xaxis, x.max() / x.min()), (axis.yaxis, high / low)):
        subs = (1,) if span > 30 else (1, 2, 5) if span > 5 else np.arange(1, 10)
        side.set_major_locator(ticker.LogLocator(subs=subs) if span > 3 else ticker.MaxNLocator(5))
        side.set_major_formatter("{x:g}")
        side.set_minor_formatter("")


def extras(arrays: dict[str, np.ndarray], out: File) -> list[File]:
    """A text file with the comparison at every level."""
    file = out / "fig1.txt"
    lines = []
    for task in (name for name in polynomial_tasks.TASKS if f"{name}/levels" in arrays):
        for field in ("length_weights", "beads"):
            table = comparison(arrays, task, field)
            lines.append(
                f"{task}, {field}: {int(table[:, 5].sum())} of {len(table)} levels within two combined standard errors"
            )
            lines += [
                f"  {a:<8g} ours {b:8.3f} +- {c:6.3f}   published {d:8.3f} +- {e:6.3f}   {'yes' if f else 'no'}"
                for a, b, c, d, e, f in table
            ]
        over, accepted = arrays[f"{task}/exceeding"].sum(axis=0)
        lines.append(f"{task}: {over} of {accepted} strings that the authors' check accepts truly exceed the level")
        for preset in ("certified", "shortened"):
            n = arrays[f"{task}/{preset}/beads"][:, 2:]
            lines.append(f"{task}: {preset}, {int(n[:, 0].sum())} of {int(n[:, 1].sum())} pairs connected")
    file.write_text("\n".join(lines) + "\n")
    return [file]
