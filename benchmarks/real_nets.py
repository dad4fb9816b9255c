"""Nets trained on real data, joined by every route that applies: `python benchmarks/real_nets.py [--small] [--only NAME]`.

For each of scikit-learn's diabetes, digits, wine and breast cancer, and for two and three hidden layers, two relu nets are
trained from two seeds on one half of the data. Routes, each where its hypotheses are met: the straight line; the straight
line to B with its units matched to A's by weights or by features on the training half (it ends at a permuted copy of B);
`deep_paths`; `exchange` (kappa = 0 and N + 1 units a layer, so on wine); strings (nets with at most STRINGS parameters,
SECONDS each, at LEVEL times the larger end). About five minutes and 2 GiB; --small: half a minute. Ctrl-C keeps the rows.

Columns. *Attained* values, rounded down: the larger end, the risk at a point of the path; *sampled*: on the held-out half
the largest risk and error among points of the path. *Bounds*, rounded up: the maximum of the training risk (certified,
rounding included); and, with probability 1 - DELTA over the held-out half, one for risk and one for error, the population's
at all points of the path at once. "not covered": a hypothesis is not met, and there is no number; the reason stands below
the table. "ends alone" bounds both ends and nothing in between: what a path costs is seen against it.

A bound on the population risk needs a range M for the loss at *every* point of the law, known before the held-out half is
looked at: M comes from the path norm and from |x| <= B_x, |y| <= B_y, which no file of data says. So the law is that of the
data as the nets see them: scaled by means and deviations of the training half (pixels by their largest value, 16), inputs
then projected to the ball that holds that half, targets clipped to its range; both bounds hold by construction. Errors need
no range. Rows of a file are taken for independent draws. Each bound holds with its probability by itself: the table as a
whole does not. Risks are with their penalty; seconds are those of the path and its certified maximum.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context
from functools import partial

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table
from scipy.optimize import minimize
from sklearn import datasets

from theory import deep_paths, exchange
from theory.alignment import align, reorder
from theory.held_out import certify, certify_error
from theory.maxima import path_maximum
from theory.networks import Network
from theory.numerics import Array
from theory.paths import Path
from theory.risk import Risk, Sample
from theory.string_sampling import breadth_first, greedy

DELTA, CELLS, SAMPLED = 0.05, 1000, 200
STRINGS, SECONDS, LEVEL = 600, 15.0, 1.1
SAFE = 1 + 1e-9  # a point that was projected to a ball may lie outside by a rounding
COLUMNS = "pieces|larger end (attained)|maximum (attained)|maximum (bound)|held-out risk (sampled)"
COLUMNS += "|population risk (bound)|largest range M|held-out error (sampled)|population error (bound)|seconds"


@dataclass(frozen=True)
class Case:
    """One data set and one net: hidden widths (0 for one unit more than training points), weight of the path norm."""

    name: str
    hidden: tuple[int, ...]
    kappa: float

    def halves(self) -> tuple[Risk, Sample, tuple[float, float]]:
        """The risk on the training half, the other half, and (B_x, B_y)."""
        X, y = getattr(datasets, f"load_{self.name}")(return_X_y=True)
        rows = np.random.default_rng(0).permutation(len(X))
        train, held = rows[: len(X) // 2], rows[len(X) // 2 :]
        X = X / 16 if self.name == "digits" else (X - X[train].mean(axis=0)) / X[train].std(axis=0)
        sizes = np.linalg.norm(X, axis=1)
        B_x, B_y = sizes[train].max(), 0.0
        X = X * np.minimum(1.0, B_x / np.maximum(sizes, 1e-300))[:, None]
        loss, outputs = "softmax", len(np.unique(y))
        if self.name == "diabetes":
            y = (y - y[train].mean()) / y[train].std()
            y, loss, outputs = np.clip(y, y[train].min(), y[train].max()), "squared", 1
            B_y = np.abs(y[train]).max()
        elif outputs == 2:
            y, loss, outputs = 2.0 * y - 1, "logistic", 1
        widths = [h or len(train) + 1 for h in self.hidden]
        network = Network((X.shape[1], *widths, outputs), bias=True)
        sample, penalty = Sample(X[train], y[train]), "path" if self.kappa else None
        risk = Risk(network, sample, loss, kappa=self.kappa, penalty=penalty)
        return risk, Sample(X[held], y[held]), (B_x * SAFE, B_y * SAFE)


SMALL = [Case(name, (8, 8), 0.01) for name in ("diabetes", "digits", "wine", "breast_cancer")]
FULL = [
    *(Case("diabetes", (h,) * depth, 0.01) for h in (12, 64) for depth in (2, 3)),
    *(Case("wine", (h,) * depth, 0.003) for h in (12, 64) for depth in (2, 3)),
    *(Case("wine", (0,) * depth, 0.0) for depth in (2, 3)),
    *(Case("breast_cancer", (h,) * depth, 0.003) for h in (10, 64) for depth in (2, 3)),
    *(Case("digits", (64,) * depth, 0.001) for depth in (2, 3)),
]


def trained(risk: Risk, seed: int, steps: int = 300) -> Array:
    """A net trained by L-BFGS from Gaussian weights of variance 1 / fan-in."""
    rng = np.random.default_rng(seed)
    start = risk.network.pack([rng.standard_normal(shape) / np.sqrt(shape[1]) for shape in risk.network.shapes])
    options = {"maxiter": steps, "maxfun": 2 * steps}
    return minimize(risk, start, jac=risk.gradient, method="L-BFGS-B", options=options).x


def routes(risk: Risk, a: Array, b: Array) -> Iterator[tuple[str, Callable[[], tuple]]]:
    """The names of the routes that apply, and what makes each: the path and its certified maximum."""
    network = risk.network

    def line(end):
        path = Path(np.stack([a, end]))
        return path, path_maximum(risk, path, budget=CELLS)

    def exchanged():
        path = exchange.connect(risk, a, b)
        return path, exchange.report(risk, path).maximum

    def deep():
        found = deep_paths.connect(risk, a, b, rng=0)
        return found.path, found.maximum

    def string(algorithm):
        level = LEVEL * max(risk(a), risk(b))
        found = algorithm(risk, a, b, level, alpha=0.95, attempts=1, seconds=SECONDS, rng=0)
        if found.connected:
            return found.string, found.maximum
        return found.string, path_maximum(risk, found.string, budget=CELLS), f" ({found.status.name})"

    yield "straight line", lambda: line(b)
    yield "aligned line, weights", lambda: line(reorder(network, b, align(network, a, b)))
    yield "aligned line, features", lambda: line(reorder(network, b, align(network, a, b, risk.sample)))
    yield "deep path", deep
    if risk.R is None and min(network.hidden) > len(risk.sample):
        yield "exchange", exchanged
    if network.size <= STRINGS:
        for algorithm in (greedy, breadth_first):
            yield f"string, {algorithm.__name__}", partial(string, algorithm)


def unseen(risk: Risk, path: Path, held: Sample, within, notes: list[str], delta: float = DELTA) -> list[float | None]:
    """Held-out risk sampled, its bound, M, held-out error sampled, its bound; None where there is none, and why in the notes."""
    classes = risk.loss != "squared"
    there = replace(risk, sample=held)
    points = np.concatenate([path.points[:: len(path) // SAMPLED + 1], path.at(np.linspace(0, 1, SAMPLED + 1))])
    row: list[float | None] = [float(there.batch(points).max()), None, None, None, None]
    if classes:
        outputs = np.stack([risk.network(theta, held.X) for theta in points])
        Y = there.sample.Y
        right = (outputs.argmax(axis=2) == Y.argmax(axis=1)) if Y.shape[1] > 1 else (outputs * Y > 0).all(axis=2)
        row[3] = float(1 - right.mean(axis=1).min())
    try:
        found = certify(risk, path, held, delta=delta, within=within[0] if classes else within)
        row[1:3] = found.upper, float(found.ranges.max())
    except ValueError as refusal:
        notes.append(str(refusal))
    try:
        row[4] = certify_error(risk, path, held, delta=delta) if classes else None
    except ValueError as refusal:
        notes.append(str(refusal))
    return row


def exceeded(sampled: float | None, bound: float | None) -> bool:
    """Whether a value that was met is above its bound by more than its rounding."""
    return sampled is not None and bound is not None and not sampled <= bound * (1 + 1e-12)


def words(value: float | None, rounding: str = ROUND_HALF_EVEN) -> str:
    """Four digits, bounds rounded up and attained values down."""
    return "not covered" if value is None else f"{Context(prec=4, rounding=rounding).create_decimal(value):g}"


def measure(case: Case, table: Table, notes: list[str], progress: Progress) -> None:
    """The rows of one case: the ends, then every route."""
    risk, held, within = case.halves()
    task = progress.add_task(f"{case.name} {case.hidden}: training", total=None)
    a, b = (trained(risk, seed) for seed in (1, 2))
    larger, classes = max(risk(a), risk(b)), risk.loss != "squared"

    def add(route, row, pieces="", value="", upper="", seconds=""):
        cells = [words(x, ROUND_CEILING if k in (1, 2, 4) else ROUND_HALF_EVEN) for k, x in enumerate(row)]
        cells[3:] = cells[3:] if classes else ["-", "-"]
        table.add_row(route, pieces, words(larger, ROUND_FLOOR), value, upper, *cells, seconds)

    net = f"{case.name} {'-'.join(map(str, risk.network.widths))}"
    table.add_row(f"[bold]{net}\n[/bold]kappa {case.kappa}, P = {risk.network.size}, N = {len(risk.sample)}")
    ends = [unseen(risk, Path(end[None]), held, within, notes, DELTA / 2) for end in (a, b)]
    add("ends alone", [max(pair) if None not in pair else None for pair in zip(*ends)])
    for name, make in routes(risk, a, b):
        progress.update(task, description=f"{net}: {name}")
        start = time.perf_counter()
        try:
            path, maximum, *said = make()
        except (ValueError, RuntimeError) as refusal:
            table.add_row(name, *["refused"] * 10)
            notes.append(f"{name}: {refusal}")
            continue
        seconds = time.perf_counter() - start
        row = unseen(risk, path, held, within, notes)
        seen = float(risk.batch(path.at(np.linspace(0, 1, SAMPLED + 1))).max())
        if exceeded(seen, maximum.upper) or exceeded(row[0], row[1]) or exceeded(row[3], row[4]):
            said.append(" [red]BOUND EXCEEDED[/red]")
        attained, bound = words(maximum.value, ROUND_FLOOR), words(maximum.upper, ROUND_CEILING)
        add(name + "".join(said), row, str(len(path)), attained, bound, f"{seconds:.1f}")
    table.add_section()
    progress.remove_task(task)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="a small pair for each data set")
    parser.add_argument("--only", metavar="NAME", choices=sorted({case.name for case in FULL}), help="one data set")
    asked = parser.parse_args()
    cases = [case for case in (SMALL if asked.small else FULL) if asked.only in (None, case.name)]
    table, console = Table(Column("route", no_wrap=True), *COLUMNS.split("|")), Console()
    notes: list[str] = []
    console.width = console.width if console.is_terminal else 170
    try:
        with Progress(console=Console(stderr=True)) as progress:
            for case in progress.track(cases, description="pairs of nets"):
                measure(case, table, notes, progress)
    except KeyboardInterrupt:
        table.caption = "interrupted: the rows so far"
    console.print(table)
    for note in dict.fromkeys(notes):
        console.print("not covered or refused:", note, markup=False)


if __name__ == "__main__":
    main()
