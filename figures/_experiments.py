"""The runs behind Figure 1: many pairs at many levels, one JSON line each, resumed where they stopped."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path as File

import numpy as np

from theory import polynomials
from theory.validation import load_arrays

PAPER = File(__file__).with_name("paper_figure1.csv")
CHUNK = 10  # pairs whose ends are trained as one batch


def paper(task: str, quantity: str) -> np.ndarray:
    """The published points, (levels, 3): level, mean, standard error; quantity "norm_length" or "num_beads"."""
    with PAPER.open(newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["task"] == task and r["quantity"] == quantity]
    return np.array([[float(r["x"]), float(r["y"]), float(r["y_err_high"])] for r in rows])


def run(
    task: str,
    levels: Sequence[float],
    pairs: int,
    *,
    points: int = 512,
    seed: int = 0,
    alpha: float = polynomials.ALPHA,
    steps: int = polynomials.MAX_STEPS,
    out: File | None = None,
) -> list[dict]:
    """One record per pair, level and preset (fields of `polynomials.Row`, and the pair's number).

    With `out`, records are appended to a file there as they come, and what it holds already is not computed again.
    """
    risk = polynomials.task(task, points=points)
    stem = f"fig1-{task}-points{points}-seed{seed}-alpha{alpha:g}-steps{steps}"
    file = None if out is None else out / f"{stem}.jsonl"
    records = [] if file is None else _read(file)
    if file is not None and file.exists() and not file.read_bytes().endswith(b"\n"):
        with file.open("a") as stream:  # an interruption cut the last line short
            stream.write("\n")
    done = {(r["level"], r["pair"]) for r in records if r["preset"] == "done"}
    for first in range(0, pairs, CHUNK):
        todo = [(x, k) for x in levels for k in range(first, min(first + CHUNK, pairs)) if (x, k) not in done]
        if not todo:
            continue
        ends = _ends(risk, task, first, points, seed, steps, pairs if out is None else CHUNK + first, out)
        for level, pair in sorted(todo, key=lambda job: (job[1], -job[0])):
            row = polynomials.LEVELS[task].index(level)
            a, b = ends[row, 2 * (pair - first)], ends[row, 2 * (pair - first) + 1]
            fresh: list[dict] = []
            if np.isfinite(a).all() and np.isfinite(b).all():
                rows = polynomials.connect(risk, a, b, level, alpha=alpha, steps=steps, rng=[seed, pair])
                fresh = [{**asdict(r), "pair": pair} for r in rows]
            fresh.append({"preset": "done", "level": level, "pair": pair})
            records += fresh
            if file is not None:
                with file.open("a") as stream:
                    stream.writelines(json.dumps(r) + "\n" for r in fresh)
    wanted = set(levels)
    return [r for r in records if r["preset"] != "done" and r["level"] in wanted and r["pair"] < pairs]


def _read(file: File) -> list[dict]:
    """Records of complete jobs; a damaged line, or a job that an interruption cut short, is forgotten."""
    records: list[dict] = []
    job: list[dict] = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else ():
        record = _record(line)
        if record is None:
            job = []
            continue
        job = [r for r in job if (r["level"], r["pair"]) == (record["level"], record["pair"])] + [record]
        if record["preset"] == "done":
            records, job = records + job, []
    return records


def _record(line: str) -> dict | None:
    """What `run` wrote as a line: the fields of a row, or that a job is done; None for anything else."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    kinds = {"str": (str,), "bool": (bool,), "int": (int,), "float": (float, int)}
    wanted = {f.name: kinds[str(f.type)] for f in fields(polynomials.Row)} | {"pair": (int,)}
    if isinstance(record, dict) and record.get("preset") == "done":
        wanted = {"level": (float, int), "pair": (int,)}
    fits = isinstance(record, dict) and all(type(record.get(name)) in kind for name, kind in wanted.items())
    fits = fits and all(abs(record[name]) <= 2**53 for name in wanted if type(record[name]) is int)
    return record if fits and record["preset"] in (*polynomials.PRESETS, "done") else None


def _ends(risk, task, first, points, seed, steps, last, out) -> np.ndarray:
    """Trained ends of one chunk of pairs, for all levels of the task; kept in `out`."""
    file = None if out is None else out / f"fig1-{task}-ends-points{points}-seed{seed}-steps{steps}-from{first}.npz"
    if file is not None and file.exists():
        try:
            (ends,) = load_arrays(file, "ends")
        except ValueError as error:
            raise ValueError(f"{file} {error}; remove it, and its ends are trained again") from error
        shape = (len(polynomials.LEVELS[task]), 2 * CHUNK, risk.network.size)
        if ends.shape != shape or ends.dtype != float:
            raise ValueError(
                f"{file} must hold ends {shape}; got {ends.dtype} {ends.shape}. Remove it to train them again"
            )
        return ends
    count = 2 * min(CHUNK, last - first)
    ends = polynomials.trained_ends(risk, polynomials.LEVELS[task], count, rng=[seed, first], steps=steps)
    if file is not None:
        np.savez_compressed(file, ends=ends)
    return ends


def summary(records: list[dict], levels: Sequence[float], preset: str, field: str) -> np.ndarray:
    """(levels, 4): mean, standard error (population deviation / sqrt n, as the authors), n accepted, n tried."""
    table = np.full((len(levels), 4), np.nan)
    for k, level in enumerate(levels):
        rows = [r for r in records if r["preset"] == preset and r["level"] == level]
        values = np.array([r[field] for r in rows if r["accepted"]], dtype=float)
        table[k, 2:] = values.size, len(rows)
        if values.size:
            table[k, :2] = values.mean(), values.std() / np.sqrt(values.size)
    return table
