"""Certified barriers and sublevel trees: `python benchmarks/barriers.py [--triangles N] [--side S]`.

Prints the time of one certified barrier (bound, path and certificate), of many random triangles with all six target
permutations in turn, and of a four-parameter tree with the peak memory of its process.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np

from theory.barriers import all_permutations, permutation_barrier
from theory.risk import Sample
from theory.sublevel_trees import landscape, sublevel_tree


def triangles(count: int) -> list[Sample]:
    """Random triangles and targets."""
    rng = np.random.default_rng(0)
    points, targets = rng.standard_normal((count, 3, 2)), all_permutations(3)
    return [Sample(X, X[list(targets[k % 6])]) for k, X in enumerate(points)]


def barriers(count: int) -> None:
    samples = triangles(count)
    permutation_barrier(samples[0], 3)  # imports
    times, gaps = [], []
    for sample in samples:
        start = time.perf_counter()
        barrier = permutation_barrier(sample, 3)
        times.append(time.perf_counter() - start)
        gaps.append(barrier.gap / sample.energy)
    print(f"one triangle: median {1e3 * np.median(times):.1f} ms, slowest {1e3 * max(times):.1f} ms")
    print(f"{count} triangles: {sum(times):.1f} s; widest gap {max(gaps):.1e} of E|Y|^2")


def tree(side: int, noise: bool) -> None:
    """A four-parameter landscape: a sum of tilted double wells, or of those and white noise."""
    x = np.linspace(-1.5, 1.5, side)
    tilt = np.array([0.05, 0.1, 0.15, 0.2])
    start = time.perf_counter()
    values = landscape(lambda p: np.sum((p**2 - 1) ** 2 + tilt * p, axis=1), [x] * 4)
    if noise:
        values += np.random.default_rng(0).standard_normal(values.shape)
    made = time.perf_counter()
    found = sublevel_tree(values)
    print(
        f"tree, {side}^4 points{', with noise' if noise else ''}: {time.perf_counter() - made:.1f} s "
        f"(landscape {made - start:.1f} s), {len(found)} components, "
        f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--triangles", type=int, default=1000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--only", choices=("barriers", "tree", "noise"))
    given = parser.parse_args()
    if given.only == "barriers":
        barriers(given.triangles)
    elif given.only:
        tree(given.side, given.only == "noise")
    else:  # each in its own process, so that the peak memory is its own
        for part in ("barriers", "tree", "noise"):
            command = [
                sys.executable,
                __file__,
                "--only",
                part,
                "--triangles",
                str(given.triangles),
                "--side",
                str(given.side),
            ]
            subprocess.run(command, check=True)
