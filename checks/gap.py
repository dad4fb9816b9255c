"""Corollary 2.5 measured: the gap eps(m) - max(lambda, e(inf)) against the width, for coin tosses and as printed.

    python -m checks.gap --file gap.sqlite --widths 8,16,32,64,128,256,512,1024,2048,4096 --seeds 5

Two random first layers of m unit rows get their best second layers, theta_A and theta_B; lambda is the larger risk.
Each cell records, in units of E Y^2 and with e(inf) enclosed,

gap       certified maximum of the path by tosses, minus max(lambda, e(inf) from below): what the theorem is about
excess    the same maximum minus e(inf) from above: how far m random rows are from the best measure found
printed   the printed argument on the same pair: nu_m rows of one ball are merged into one, the nu_m - 1 freed units
          hold an oracle net; the highest vertex minus max(lambda, e(inf) from below)
cluster   nu_m, the fullest ball of radius eps_m found among the rows;  active  units used by the best second layer

Slopes of log(value) on log(m) are fitted over the positive medians, against -1 (tosses), -1/n (as printed) and
-s/(n(s+1)+1) with s = 1 (what the printed argument gives).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from checks import clusters, programs, sweeps
from checks.sweeps import Cell
from checks.tables import shipped, standardised
from theory import compression, oracle, relu_paths
from theory.networks import Network
from theory.numerics import load_arrays
from theory.relu_paths import connect
from theory.risk import Risk, Sample

TARGETS = ("smooth", "teacher", "diabetes", "mnist")
WIDTHS = tuple(2**k for k in range(3, 13))
NAMES = ("checks.gap.limit_cell", "checks.gap.gap_cell")  # finished cells are kept under these, whoever computes them
DATA = "HALFRECT_DATA"  # a folder that holds mnist.npz (x_train, y_train)


@cache
def target(name: str, samples: int, data: str | None) -> Sample:
    """The problem of a cell: a fixed sample with E Y^2 of order one. ValueError for "mnist" without its file."""
    rng = np.random.default_rng(20170424)
    if name == "smooth":
        X = rng.standard_normal((samples, 3))
        return Sample(X, np.sin(2 * X[:, :1]) * np.exp(-(X[:, 1:2] ** 2) / 2) + 0.3 * X[:, 2:3])
    if name == "teacher":
        X = rng.standard_normal((samples, 5))
        W = rng.standard_normal((4, 5))
        return Sample(X, np.maximum(X @ (W / np.linalg.norm(W, axis=1, keepdims=True)).T, 0) @ [[1], [-1], [1], [-1]])
    if name == "diabetes":
        table = shipped()["diabetes"]
        return Sample(table.X[:samples] / np.sqrt(table.n_in), table.Y[:samples])
    if name != "mnist":
        raise ValueError(f"target must be one of {', '.join(TARGETS)}; got {name!r}")
    file = Path(data or os.environ.get(DATA, "")) / "mnist.npz"
    if not file.is_file():
        raise ValueError(f"target mnist needs {file}: give --data or set {DATA} to the folder that holds mnist.npz")
    try:
        images, digits = (array[:samples] for array in load_arrays(file, "x_train", "y_train"))
    except ValueError as error:
        raise ValueError(f"target mnist: {file} {error}") from error
    flat = images.reshape(len(images), -1) / 255.0
    flat = flat - flat.mean(axis=0)
    components = np.linalg.svd(flat, full_matrices=False)[2][:10]
    return standardised(flat @ components.T / np.sqrt(10), np.where(digits % 2, 1.0, -1.0))


def limit_cell(cell: Cell) -> Cell:
    """e(inf) of a target, enclosed."""
    sample = target(cell["target"], cell["samples"], cell.get("data"))
    found = oracle.limit(sample, _kappa(sample, cell), gap=1e-3, steps=60, cones=2000)
    return {"upper": found.upper, "lower": found.lower, "units": len(found.units)}


def _kappa(sample: Sample, cell: Cell) -> float:
    return float(cell["kappa"]) * float(np.sqrt(relu_paths.energy(sample) * relu_paths.spectral_norm(sample)))


def gap_cell(cell: Cell) -> Cell:
    """One pair of random first layers of a width; see the module."""
    sample = target(cell["target"], cell["samples"], cell.get("data"))
    m, n, kappa = int(cell["width"]), sample.n_in, _kappa(sample, cell)
    rng = np.random.default_rng([int(cell["seed"]), m])
    risk = Risk(Network((n, m, 1)), sample, kappa=kappa, penalty="second_layer_l1")
    rows = rng.standard_normal((2, m, n))
    rows *= (1 - 1e-15) / np.linalg.norm(rows, axis=-1, keepdims=True)
    ends = [relu_paths.best_second_layer(risk, risk.network.pack([W, np.zeros((1, m))])) for W in rows]
    level = max(map(risk, ends))
    upper = float(relu_paths.piece_maxima(risk, connect(risk, *ends, route="maurey")).max())
    clusters, highest = [], level
    for theta in ends:
        W, b = risk.network.weights(theta)
        _, eta = compression.printed_best(n, 1)
        cells = compression.cells(W, min(2.0, m ** ((float(eta) - 1) / n)))
        ball = cells.largest()
        merged = b[0].copy()
        merged[ball[0]], merged[ball[1:]] = b[0][ball].sum(), 0.0
        clusters.append(len(ball))
        highest = max(highest, risk(risk.network.pack([W, merged[None]])))
    freed = min(clusters) - 1
    oracle_net = sample.energy if freed == 0 else min(risk(relu_paths.toss(risk, theta, freed)) for theta in ends)
    return {
        "n": n,
        "level": level,
        "upper": upper,
        "printed": max(highest, oracle_net),
        "cluster": min(clusters),
        "active": max(int(np.count_nonzero(risk.network.weights(theta)[1])) for theta in ends),
        "allowed": level + relu_paths.maurey_excess(sample, kappa, level, m),
        "energy": sample.energy,
    }


def either_cell(cell: Cell) -> Cell:
    """`gap_cell` of a cell that has a width, `limit_cell` of one that has none: so the dear limits run beside the others."""
    return gap_cell(cell) if "width" in cell else limit_cell(cell)


def _name(cell: Cell) -> str:
    return NAMES["width" in cell]


def rows(cells: Sequence[Cell], found: Sequence[Cell], limits: dict[str, Cell]) -> list[Cell]:
    """One line per target and width: medians over seeds (units of E Y^2), spread, and whether tosses kept their bound."""
    table = []
    for name in dict.fromkeys(cell["target"] for cell in cells):
        for m in sorted({cell["width"] for cell in cells}):
            part = [r for c, r in zip(cells, found) if c["target"] == name and c["width"] == m]
            floor, y2 = limits[name]["lower"], part[0]["energy"]
            gap = np.array([r["upper"] - max(r["level"], floor) for r in part]) / y2
            excess = np.array([r["upper"] - limits[name]["upper"] for r in part]) / y2
            printed = np.array([r["printed"] - max(r["level"], floor) for r in part]) / y2
            line = {"target": name, "n": part[0]["n"], "m": m, "seeds": len(part)}
            line["limit"] = [floor / y2, limits[name]["upper"] / y2]
            for what, values in (("gap", gap), ("excess", excess), ("printed", printed)):
                line[what] = float(np.median(np.where(values < 1e-12, 0.0, values)))
                line[f"{what}_spread"] = float(np.ptp(values))
            line["active"] = float(np.median([r["active"] for r in part]))
            line["cluster"] = float(np.median([r["cluster"] for r in part]))
            line["kept"] = all(r["upper"] <= r["allowed"] * (1 + 1e-9) for r in part)
            table.append(line)
    return table


def slope(table: Sequence[Cell], name: str, what: str) -> float:
    """Least-squares slope of log(what) on log(m) for one target over positive medians; nan with fewer than three."""
    points = np.log([(r["m"], r[what]) for r in table if r["target"] == name and r[what] > 0])
    return float(np.polyfit(points[:, 0], points[:, 1], 1)[0]) if len(points) >= 3 else float("nan")


def sweep(
    file: str,
    *,
    targets: Sequence[str],
    widths: Sequence[int],
    seeds: int,
    samples: int,
    kappa: float,
    data: str | None = None,
    executor: Any = None,
    ahead: int | None = None,
    progress: Any = lambda done, total: None,
) -> list[Cell]:
    """Compute (or take from `file`) every cell and summarise; `rows` says what the lines hold.

    executor, ahead: as in `checks.sweeps.run`.
    """
    shared: Cell = {"samples": samples, "kappa": kappa, "data": data}
    firsts = [{"target": name, **shared} for name in targets]
    cells = [{**first, "width": int(m), "seed": s} for first in firsts for m in widths for s in range(seeds)]
    found = sweeps.run(either_cell, firsts + cells, file, name=_name, executor=executor, ahead=ahead, progress=progress)
    limits, found = found[: len(firsts)], found[len(firsts) :]
    return rows(cells, found, dict(zip(targets, limits)))


def main(words: Sequence[str] | None = None) -> int:
    """Run the command with these words (default: those of the command line); its exit status."""
    parser = argparse.ArgumentParser(prog="python -m checks.gap", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--file", default="gap.sqlite", help="where finished cells are kept (default gap.sqlite)")
    parser.add_argument("--targets", default=",".join(TARGETS), help=f"from {','.join(TARGETS)}")
    parser.add_argument("--widths", default=",".join(map(str, WIDTHS)), help="comma-separated (default 8,...,4096)")
    parser.add_argument("--seeds", type=int, default=5, help="pairs per target and width (default 5)")
    parser.add_argument("--samples", type=int, default=1000, help="sample size N (default 1000)")
    parser.add_argument("--kappa", type=float, default=0.01, help="in units of (E Y^2 |Sigma|)^(1/2) (default 0.01)")
    parser.add_argument("--data", help=f"folder with mnist.npz (default: the environment variable {DATA})")
    parser.add_argument("--scheduler", metavar="ADDRESS|FILE", help=clusters.HELP)
    options = parser.parse_args(words)
    console = programs.Console()
    try:
        widths = [int(m) for m in options.widths.split(",")]
        names = options.targets.split(",")
        if min(widths) < 2 or options.seeds < 1 or options.samples < 1 or not 0 < options.kappa < np.inf:
            raise ValueError("widths must be at least 2, seeds and samples positive, kappa > 0 and finite")
        for name in tuple(names):
            try:
                target(name, options.samples, options.data)
            except ValueError as error:
                if name != "mnist":
                    raise
                console.print(f"skipped: {error}")
                names.remove(name)
        with clusters.workers(options.scheduler) as executor, programs.counter("cells") as progress:
            table = sweep(
                options.file,
                targets=names,
                widths=widths,
                seeds=options.seeds,
                samples=options.samples,
                kappa=options.kappa,
                data=options.data,
                executor=executor,
                progress=progress,
            )
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    _show(console, table)
    return 0


def _show(console: Any, table: Sequence[Cell]) -> None:
    from rich.table import Table

    view = Table(title="median over seeds (max - min), units of E Y^2")
    for heading in ("target", "n", "m", "active", "gap, tosses", "excess over e(inf)", "gap, as printed", "nu_m"):
        view.add_column(heading, justify="right")
    for r in table:
        cells = [f"{r[w]:.2e} ({r[w + '_spread']:.0e})" for w in ("gap", "excess", "printed")]
        view.add_row(r["target"], str(r["n"]), str(r["m"]), f"{r['active']:g}", *cells, f"{r['cluster']:g}")
    console.print(view)
    for name in dict.fromkeys(r["target"] for r in table):
        n = next(r["n"] for r in table if r["target"] == name)
        argument = float(compression.printed_best(n, 1)[0])
        low, high = next(r["limit"] for r in table if r["target"] == name)
        slopes = ", ".join(f"{w} {slope(table, name, w):+.2f}" for w in ("gap", "excess", "printed"))
        console.print(
            f"{name}: e(inf) in [{low:.4f}, {high:.4f}]; slopes {slopes}; tosses -1, as printed {-1 / n:+.2f}, its argument {-argument:+.2f}"
        )
    console.print("tosses kept their bound in every cell" if all(r["kept"] for r in table) else "BOUND EXCEEDED")


if __name__ == "__main__":
    sys.exit(programs.run(main, "gap"))
