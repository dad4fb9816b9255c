"""Figure 1: normalised length, beads and the highest risk on the string against the level, ours over the published points.

Rows (1) and (2) under three presets: the authors' code as published (a grid, 10 % above the level accepted), the
certified string, and the shortest certified path found. Rows (3) to (6): deep nets, checked at points as published. The
runs are shipped and drawn at once; with a number of pairs, or `--small`, they are made again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import Any

import numpy as np

from checks import clusters
from checks.claims.sections_3_4 import published
from figures import _deep_data, _deep_rows, _figure1
from figures import _experiments as experiments
from figures._panels import letter, plain_logarithms
from theory import polynomial_tasks

CAPTION = (
    "Rows of Figure 1, ours (mean, standard error) over published points: length (a), beads (b), highest risk over "
    "L0 (c) of strings checked at points, which mostly exceed it in rows (1), (2), (6), and of certified ones, which "
    "never do, need more beads and, shortened, have no spike. It would be refuted by a square above 1 in (c), or by over "
    "one in ten points of rows (1), (2) beyond two combined errors."
)

CLAIMS = (
    *("fig-1-quadratic", "fig-1-cubic", "fig-1-monotone", "fig-1-mnist", "fig-1-cifar", "fig-1-ptb"),
    "sec-4-nearly-convex",
)


@dataclass(frozen=True)
class _Row:
    """How a row is drawn: its title, label and scale of the level, ticks."""

    title: str
    label: str
    ticks: tuple[float, ...]
    logarithmic: bool = True


ERROR = "$L_0$ (mean absolute error)"
ROWS = {
    "quadratic": _Row("(1) quadratic", ERROR, (0.001, 0.01, 0.1)),
    "cubic": _Row("(2) cubic", ERROR, (0.01, 0.03, 0.1, 0.3)),
    "mnist_cnn": _Row("(3) MNIST", "$L_0$ (test error, %)", (0.7, 1, 2, 4)),
    "cifar10_cnn": _Row("(4) CIFAR10", "$L_0$ (test error, %)", (20, 40, 60, 80), False),
    "ptb_lstm": _Row("(5) PTB", "$L_0$ (test perplexity)", (150, 300, 600)),
    "digits": _Row("(6) digits, new", "$L_0$ (test error, %)", (1, 2, 5, 10, 20, 50)),
}
PUBLISHED = ("quadratic", "cubic", "mnist_cnn", "cifar10_cnn", "ptb_lstm")
QUANTITIES = {"length_weights": published.lengths, "beads": published.beads}
COLUMNS = {"length_weights": "normalised length", "beads": "beads", "height": "highest risk / $L_0$"}
STYLES = {
    "straight": ({"fmt": "_:", "color": "0.3", "ms": 7}, "straight line"),
    "void": ({"fmt": "x:", "color": "C3"}, "ours, never checked"),
    "authors": ({"fmt": "o-", "color": "C0"}, "ours, checked at points"),
    "checked": ({"fmt": "o-", "color": "C0"}, "ours, checked at points"),
    "certified": ({"fmt": "s--", "color": "C1"}, "ours, certified"),
    "shortened": ({"fmt": "^-.", "color": "C2"}, "certified, shortest found"),
}
TASKS = (*polynomial_tasks.TASKS, *_deep_data.TASKS)
SPIKE = (0.145, 0.1725)  # levels of the inset of row (2)
SIZE = {"points": 256, "steps": 20_000, "alpha": polynomial_tasks.ALPHA, "seed": 0}


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--task", choices=(*TASKS, "all"), default="all", help="one row, or all")
    parser.add_argument("--pairs", type=int, help="run so many pairs at each level (default: draw the runs shipped)")
    parser.add_argument(
        "--certify", action="store_true", help="deep rows: bound the error for every t (digits always; slow on mnist)"
    )
    parser.add_argument(
        "--small", action="store_true", help="deep rows: few pairs, the easy levels, part of the test set"
    )
    parser.add_argument(
        "--interval", type=int, help="deep rows: steps between two looks at a bead (default: as published)"
    )
    parser.add_argument(
        "--levels",
        type=float,
        nargs="+",
        metavar="L0",
        help="deep rows: these levels, shares of the test set or perplexities (default: the paper's)",
    )
    parser.add_argument("--points", type=int, default=SIZE["points"], help="points of the input grid (default 256)")
    parser.add_argument(
        "--steps", type=int, default=SIZE["steps"], help="steps before an end is given up (default 20000; digits: 2000)"
    )
    parser.add_argument("--alpha", type=float, default=SIZE["alpha"], help="beads are trained to alpha * level")
    parser.add_argument("--seed", type=int, default=SIZE["seed"])
    parser.add_argument("--jobs", type=int, help="processes (default: one per core)")
    parser.add_argument(
        "--together", type=int, metavar="N", help="deep rows: N pairs side by side, trained as one batch: for a GPU"
    )
    parser.add_argument("--scheduler", metavar="ADDRESS|FILE", help=clusters.HELP)


def data(
    *,
    fast: bool = False,
    task: str = "all",
    pairs: int | None = None,
    points: int = SIZE["points"],
    steps: int = SIZE["steps"],
    alpha: float = SIZE["alpha"],
    seed: int = SIZE["seed"],
    jobs: int | None = None,
    scheduler: str | None = None,
    small: bool = False,
    certify: bool = False,
    interval: int | None = None,
    levels: Sequence[float] | None = None,
    together: int | None = None,
    source: File | None = None,
    out: File | None = None,
) -> dict[str, np.ndarray]:
    """The runs behind the figure, summarised; those shipped, unless a number of pairs is given.

    For each row and preset `row/preset/field` (levels, 4): mean, standard error, accepted, tried; fields: COLUMNS. The share
    of accepted strings that truly exceed the level, `row/exceeding` (levels, 2): exceeding, accepted. source: the file with
    the data of a deep row (`figures._deep_data`).
    """
    own = {"points": points, "steps": steps, "alpha": alpha, "seed": seed}
    if min(1 if pairs is None else pairs, steps, jobs or 1) < 1 or points < 2 or seed < 0 or not 0 < alpha <= 1:
        raise ValueError(
            f"pairs, steps and jobs must be positive, points at least 2, seed >= 0 and alpha in (0, 1]; "
            f"got {pairs}, {steps}, {jobs}, {points}, {seed}, {alpha}"
        )
    if task in _deep_data.TASKS:
        if (points, alpha) != (SIZE["points"], SIZE["alpha"]):
            raise ValueError(
                f"points and alpha are of rows (1) and (2); {task} takes pairs, small, interval, levels, steps, seed, together"
            )
        own_row = {"seed": seed, "certify": certify or None, "levels": levels, "source": source, "together": together}
        own_row["steps"] = None if steps == SIZE["steps"] else steps
        return _deep(task, pairs, small, interval, jobs=jobs, scheduler=scheduler, out=out, **own_row)
    if small or certify or any(value is not None for value in (interval, levels, together)):
        rows = ", ".join(_deep_data.TASKS)
        raise ValueError(
            f"small, certify, interval, levels and together are of the deep rows ({rows}); got task {task!r}"
        )
    if pairs is None and own != SIZE:
        raise ValueError(f"the runs shipped have {SIZE}; give a number of pairs to make others with {own}")
    if pairs is not None and fast:
        pairs, jobs, own = min(pairs, 2), 1, own | {"points": 32, "steps": 4000}
    arrays: dict[str, Any] = {"published": np.array(task == "all"), "shipped": np.array(pairs is None)}
    for name in polynomial_tasks.TASKS if task == "all" else (task,):
        heights = polynomial_tasks.LEVELS[name]
        heights = heights[3::4] if fast and pairs is not None else heights
        if pairs is None:
            records = _figure1.read(_figure1.file_of(name, alpha))[0]
        else:
            records = experiments.run(name, heights, pairs, out=out, jobs=jobs, scheduler=scheduler, **own)
        arrays |= _arrays(name, records, heights, (*polynomial_tasks.PRESETS, "straight"))
        theirs = [
            [r for r in records if r["preset"] == "authors" and r["accepted"] and r["level"] == x] for x in heights
        ]
        arrays[f"{name}/exceeding"] = np.array([[sum(r["value"] > r["level"] for r in rs), len(rs)] for rs in theirs])
    if task == "all":
        for name, records in _figure1.deep().items():
            heights = tuple(sorted({r["level"] for r in records}))
            arrays |= _arrays(name, records, heights, ("checked", "certified", "void", "straight"))
        arrays |= _late()
    return arrays


def reads(*, task: str = "all", pairs: int | None = None, small: bool = False, **other: Any) -> bool:
    """Whether --data is what a run of this row reads."""
    return task in _deep_data.TASKS and (pairs is not None or small)


def _deep(task: str, pairs: int | None, small: bool, interval: int | None, **settings: Any) -> dict[str, Any]:
    """One deep row: the runs shipped, or with a number of pairs, or small, new ones."""
    name = _figure1.DEEP_TASKS[task]
    if pairs is None and not small:
        records = _figure1.deep().get(name)
        if (
            records is None
            or interval is not None
            or any(settings[key] for key in ("seed", "levels", "steps", "together"))
        ):
            raise ValueError(f"{task}: no such runs are shipped; give a number of pairs, or --small, to make them")
    else:
        settings["jobs"] = settings["jobs"] or 1  # JAX takes the cores that it finds
        tell = lambda text: print(text, file=sys.stderr)  # noqa: E731
        made = _deep_rows.run(task, pairs, small=small, interval=interval, tell=tell, **settings)
        records = [record for row in made for record in _figure1.strings(_deep_rows.in_words(row))]
        if not records:
            raise ValueError(f"{task}: no pair reached any of the levels, so there is nothing to draw")
    levels = tuple(sorted({r["level"] for r in records}))
    arrays = _arrays(name, records, levels, ("checked", "certified", "void", "straight"))
    shipped = pairs is None and not small
    return arrays | {"published": np.array(False), "shipped": np.array(shipped)} | (_late() if shipped else {})


def _late() -> dict[str, Any]:
    """Of the shipped deep rows, the pairs that time ended before."""
    return {f"{name}/late": np.array(count) for name, count in _figure1.late().items()}


def _arrays(name: str, records: list[dict], levels: tuple[float, ...], presets: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {f"{name}/levels": np.array(levels)}
    for preset in presets:
        for field in COLUMNS:
            found[f"{name}/{preset}/{field}"] = _figure1.summary(records, levels, preset, field)
    return found


def note(arrays: dict[str, np.ndarray]) -> str:
    """How many pairs there are at each level, which were not done in time, which rows are published only, and how to make the runs again."""
    ours = [name for name in ROWS if f"{name}/levels" in arrays]
    counts = [f"{ROWS[name].title} {_figure1.tried(arrays[f'{name}/straight/height'])}" for name in ours]
    text = f"Pairs at each level: {'; '.join(counts)}."
    if "ptb_lstm" in ours:
        text += " Our text is WikiText-2, a look every 200 steps."
    late = [f"{int(arrays[f'{name}/late'])} of {ROWS[name].title}" for name in ours if f"{name}/late" in arrays]
    if late:
        text += f" Time ended before pairs were done, counted at each level: {', '.join(late)}."
    left = [ROWS[name].title[:3] for name in PUBLISHED if name not in ours]
    if arrays["published"] and left:
        text += f" As published only: {', '.join(left)}."
    if arrays["shipped"]:
        task = "" if arrays["published"] or len(ours) > 1 else f" --task {_figure1.short(ours[0])}"
        text += f" The runs are shipped; `python -m figures fig1{task} --pairs 20` makes them again."
    return text


def comparison(arrays: dict[str, np.ndarray], task: str, field: str = "length_weights") -> np.ndarray:
    """Ours beside theirs, (k, 7): level, mean and error under the authors' preset, theirs, whether the two agree, pairs.

    They agree when they differ by at most two combined standard errors; levels at which we accepted fewer than two pairs
    are left out.
    """
    theirs = {row[0]: row[1:] for row in QUANTITIES[field](task)}
    rows = []
    for level, (mean, error, accepted, _) in zip(arrays[f"{task}/levels"], arrays[f"{task}/authors/{field}"]):
        if accepted >= 2:
            there, spread = theirs[float(level)]
            rows.append([level, mean, error, there, spread, abs(mean - there) <= 2 * np.hypot(error, spread), accepted])
    return np.array(rows).reshape(-1, 7)


def draw(arrays: dict[str, np.ndarray]):
    """One row per task: lengths, beads, and the highest risk over the level."""
    from matplotlib.figure import Figure

    ours = [name for name in ROWS if f"{name}/levels" in arrays]
    rows = [name for name in ROWS if name in ours or (arrays["published"] and name in PUBLISHED)]
    figure = Figure(figsize=(7.2, 1.65 * len(rows) + 0.75))
    axes = figure.subplots(len(rows), 3, squeeze=False, sharex="row", width_ratios=[1.15, 1, 1])
    handles: dict[str, Any] = {}
    for name, line in zip(rows, axes):
        for axis, field in zip(line, COLUMNS):
            handles |= _panel(axis, arrays, name, field)
            _scales(axis, ROWS[name], field)
        line[0].set_ylabel(ROWS[name].title, fontweight="bold")
        line[1].set_xlabel(ROWS[name].label)
    for axis, text in zip(axes[0], COLUMNS.values()):
        axis.set_title(text)
    letter(*axes[0])
    if "cubic" in ours and (arrays["cubic/authors/length_weights"][:, 2] > 0).sum() > 4:
        _inset(axes[rows.index("cubic"), 0], arrays)
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=3)
    return figure


def _panel(axis, arrays: dict[str, np.ndarray], name: str, field: str) -> dict[str, Any]:
    """One quantity of one row; the handles of what was drawn, by their words."""
    handles: dict[str, Any] = {}
    for preset, (look, words) in STYLES.items():
        key = f"{name}/{preset}/{field}"
        if key not in arrays or (field == "beads" and preset == "shortened"):
            continue
        if field != "height" and preset == "straight":
            continue
        mean, error, count = arrays[key][:, :3].T
        there = count > 0
        if there.any():
            drawn = axis.errorbar(arrays[f"{name}/levels"][there], mean[there], error[there], mfc="w", zorder=3, **look)
            if preset in ("authors", "checked"):
                drawn[0].set_markerfacecolor(look["color"])
            handles.setdefault(words, drawn)
    if field in QUANTITIES and name in PUBLISHED:
        x, y, e = QUANTITIES[field](name).T
        look = {"fmt": "D-", "color": "0.55", "mfc": "white", "lw": 0.9, "zorder": 2}
        handles["published"] = axis.errorbar(x, y, e, **look)
    if field == "height":
        axis.axhline(1, color="k", lw=0.8, ls=":")
        if not handles:
            axis.text(0.5, 0.5, "not published", ha="center", va="center", transform=axis.transAxes, color="0.4")
    return handles


def _scales(axis, row: _Row, field: str) -> None:
    """Plain numbers at a few ticks; beads and heights are logarithmic where they span much."""
    from matplotlib import ticker

    low, high = axis.dataLim.intervaly
    if row.logarithmic:
        plain_logarithms(axis.xaxis, row.ticks)
    else:
        axis.set_xticks(row.ticks)
    if field == "beads" and high <= 20:
        axis.set_ylim(2, max(6.0, 1.08 * high))
        axis.yaxis.set_major_locator(ticker.MaxNLocator(4, integer=True))
    elif field == "beads":
        plain_logarithms(axis.yaxis, [m * 10.0**k for k in range(-1, 4) for m in (1, 2, 5)])
        axis.set_ylim(low / 1.3, high * 1.3)
    elif field == "height":
        axis.set_yscale("function", functions=(_near_one, _back))
        axis.yaxis.set_major_locator(ticker.FixedLocator([0.5, 0.9, 1, 1.1, 1.5, 5, 20, 100, 1000]))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.set_ylim(min(0.95, low - 0.05), max(1.2, 1.5 * high))
    else:
        axis.yaxis.set_major_locator(ticker.MaxNLocator(4))


def _near_one(height: np.ndarray) -> np.ndarray:
    """A scale that is even within a few hundredths of 1 and logarithmic beyond: what is just above the level is seen."""
    return np.arcsinh((np.asarray(height) - 1) / 0.03)


def _back(mark: np.ndarray) -> np.ndarray:
    return 1 + 0.03 * np.sinh(np.clip(mark, -50, 50))


def _inset(axis, arrays: dict[str, np.ndarray]) -> None:
    """The spike of the cubic row on a scale of its own."""
    axis.set_ylim(top=1 + 2.2 * (axis.get_ylim()[1] - 1))
    drawn = {"published": published.lengths("cubic")[:, :2]}
    for preset in polynomial_tasks.PRESETS:
        mean = arrays[f"cubic/{preset}/length_weights"][:, 0]
        drawn[preset] = np.stack([arrays["cubic/levels"], mean], axis=1)
    near = np.concatenate([xy[(xy[:, 0] > SPIKE[0]) & (xy[:, 0] < SPIKE[1]), 1] for xy in drawn.values()])
    small = axis.inset_axes((0.1, 0.5, 0.62, 0.5))
    _panel(small, arrays, "cubic", "length_weights")
    small.set(xlim=SPIKE, ylim=(0.9, 1.12 * np.nanmax(near)), xticks=[0.15, 0.16, 0.17], yticks=[1, 2])
    small.tick_params(labelsize=7)
    for line in axis.indicate_inset_zoom(small, edgecolor="0.4").connectors:
        line.set_visible(False)


def extras(arrays: dict[str, np.ndarray], out: File) -> list[File]:
    """A text file with the comparison at every level."""
    file = out / "fig1_levels.txt"
    lines = [note(arrays)]
    for task in (name for name in polynomial_tasks.TASKS if f"{name}/levels" in arrays):
        for field in ("length_weights", "beads"):
            table = comparison(arrays, task, field)
            lines.append(
                f"{task}, {field}: {int(table[:, 5].sum())} of {len(table)} levels within two combined standard errors"
            )
            lines += [
                f"  {a:<8g} ours {b:8.3f} +- {c:6.3f} (n = {n:.0f})   published {d:8.3f} +- {e:6.3f}   {'yes' if f else 'no'}"
                for a, b, c, d, e, f, n in table
            ]
        over, accepted = arrays[f"{task}/exceeding"].sum(axis=0)
        lines.append(f"{task}: {over} of {accepted} strings that the authors' check accepts truly exceed the level")
        for preset in ("certified", "shortened"):
            n = arrays[f"{task}/{preset}/beads"][:, 2:]
            lines.append(f"{task}: {preset}, {int(n[:, 0].sum())} of {int(n[:, 1].sum())} pairs connected")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [file]
