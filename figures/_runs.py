"""Recorded runs of Dynamic String Sampling, for the figures that show the algorithm at work."""

from __future__ import annotations

import numpy as np

from theory import string_sampling
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample
from theory.string_sampling import StringResult, train


def quadratic(points: int = 128) -> Risk:
    """The quadratic task of sec. 4.1 under squared loss, 1-4-4-1 sigmoid."""
    x = ((np.arange(points) + 0.5) / points)[:, None]
    return Risk(Network((1, 4, 4, 1), "sigmoid", "sigmoid"), Sample(x, x**2 / 2 + x / 4 + 0.1))


def pair(risk: Risk, level: float, *, seed: int = 0) -> np.ndarray:
    """Two trained ends just below the level, (2, P)."""
    rng = np.random.default_rng(seed)
    while True:
        found = train(risk, rng.uniform(-1, 1, (4, risk.network.size)), 0.98 * level, fallback=False)
        ends = found.points[found.reached]
        if len(ends) >= 2:
            return ends[:2]


def recorded(risk: Risk, ends: np.ndarray, level: float, algorithm: str, **settings) -> tuple[StringResult, list[Path]]:
    """A run and the string after each of its rounds, the last one included."""
    strings: list[Path] = []
    result = getattr(string_sampling, algorithm)(
        risk, *ends, level, callback=lambda p: strings.append(p.string), rng=0, **settings
    )
    return result, [*strings, result.string]


def padded(strings: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Strings of different lengths as one array (rounds, longest, P), nan-padded, and their lengths."""
    counts = np.array([len(s.points) for s in strings])
    block = np.full((len(strings), counts.max(), strings[0].points.shape[1]), np.nan)
    for k, string in enumerate(strings):
        block[k, : counts[k]] = string.points
    return block, counts


def axes_of(points: np.ndarray, dimensions: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and leading principal directions (dimensions, P) of a cloud (V, P), signs fixed, and their shares of its variance."""
    centre = points.mean(axis=0)
    _, values, rows = np.linalg.svd(points - centre, full_matrices=False)
    rows = rows[:dimensions]
    signs = np.sign(rows[np.arange(len(rows)), np.abs(rows).argmax(axis=1)])[:, None]
    return centre, rows * signs, values[:dimensions] ** 2 / np.sum(values**2)


def in_components(risk: Risk, strings: list[Path], pieces: int) -> dict[str, np.ndarray]:
    """Strings in the three principal components of the last one's beads, `pieces` points to a piece, nan-padded.

    `coordinates` (strings, points, 3), `risks` (strings, points), `beads` (strings,), and `explained` (3,): the
    components' shares of the variance of those beads.
    """
    centre, rows, explained = axes_of(strings[-1].points, 3)
    fine = [string.at(np.linspace(0, 1, pieces * len(string) + 1)) for string in strings]
    shape = (len(fine), max(len(points) for points in fine))
    coordinates, risks = np.full((*shape, 3), np.nan), np.full(shape, np.nan)
    for k, points in enumerate(fine):
        coordinates[k, : len(points)] = (points - centre) @ rows.T
        risks[k, : len(points)] = risk.batch(points)
    beads = np.array([len(string.points) for string in strings])
    return {"coordinates": coordinates, "risks": risks, "beads": beads, "explained": explained}
