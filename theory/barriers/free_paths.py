"""Paths to the hidden permutation where a unit can be spared at no cost: more units than independent features.

What is decided in rationals is built in rationals: the start has exactly as many busy units as independent features, the
other units are idle, and the units go round one of them. Ours; upper ends of the barriers of appendix E.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from theory.barriers.permutation_paths import directions_pool, fit, pivots, row_features
from theory.moves import Walk
from theory.networks import Network
from theory.numerics import Array, exact_rows, floats, matrix, rank
from theory.paths import Path
from theory.rays import Rays, feature_rows, row_norms
from theory.risk import Sample

# Points up to which such a net is built in rationals.
EXACT = 24


def freely(
    network: Network, sample: Sample, points: Rays, independent: int, order: Sequence[int], rng: Any
) -> Iterator[Path]:
    """Paths to the copy with the units reordered, at constant risk.

    From nets with more units than independent features, which leave one idle.

    points: the rays of the sample, which span `independent` dimensions of features. Rows and W_2 are found in rationals
    up to EXACT points, so that what is decided in rationals is also built so; then in floats, which do better where
    exact interpolation asks for weights beyond their precision.
    """
    width, bias = network.widths[1], network.bias
    seen = points.sample() if len(points) and not bias else sample
    pool = np.concatenate(
        [directions_pool(sample, rng, 64 + 4 * width, bias=bias, biased=biased) for biased in (False, True)[: 1 + bias]]
    )
    # first those whose units are clearly on or off at every point: rounding decides nothing there
    product = np.abs(pool @ network.augment(seen.X).T)
    clear = (product > 1e-6 * row_norms(pool)[:, None] * row_norms(network.augment(seen.X))).all(axis=1)
    pool = np.concatenate([part[pivots(network, seen, part)] for part in (pool[clear], pool[~clear]) if len(part)])
    small = len(points) <= EXACT
    rows = _spanning_exactly(points, pool, independent, bias) if small else pool[: independent - bias]
    busy = len(rows)
    rows = np.concatenate([rows, np.tile(pool[:1], (width - busy, 1))])
    keep = [*range(busy), *range(width, width + bias)]  # with biases W_2 has one more column
    fits = [fit(sample, row_features(network, sample, rows)[keep])[0]]
    if small and (exact := _fit_exactly(points, rows[:busy], bias)) is not None:
        fits.insert(0, exact)
    for V in fits:
        outgoing = np.zeros(network.shapes[1])
        outgoing[:, keep] = V
        theta = network.pack([rows, outgoing])
        if list(order) == list(range(width)):
            yield Path(theta[None])
            continue
        walk = Walk(network, theta, sample.X)
        walk.permute(1, order)
        yield walk.path


def _spanning_exactly(points: Rays, pool: Array, independent: int, bias: bool) -> Array:
    """The first rows of the pool whose features (with the constant one) are independent, in rationals."""
    seen = feature_rows(points, exact_rows(pool))
    constant = [[points.constant * 0 + 1] * len(points)] if bias else []
    count = independent - bias
    if rank(constant + seen[:count]) == independent:
        return pool[:count]
    chosen: list[int] = []
    for k in range(len(pool)):
        if len(chosen) < count and rank(constant + [seen[i] for i in (*chosen, k)]) == len(chosen) + 1 + bias:
            chosen.append(k)
    return pool[chosen]


def _fit_exactly(points: Rays, rows: Array, bias: bool) -> Array | None:
    """The optimal W_2 (n_out, h) for independent features, solved in rationals; None where it is beyond the floats."""
    zero = points.constant * 0
    Z = feature_rows(points, exact_rows(rows)) + ([[zero + 1] * len(points)] if bias else [])
    if not Z:
        return np.zeros((len(points.Y[0]) if len(points) else 0, 0)) if len(points) else None
    weighted = matrix([[p * v for p, v in zip(points.p, z)] for z in Z])
    V = (weighted * matrix(Z).transpose()).solve(weighted * matrix(points.Y)).transpose()
    try:
        return floats(V.tolist())
    except OverflowError:
        return None
