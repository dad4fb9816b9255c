"""What deep nets cost: `python benchmarks/deep.py` (extra `deep`; about a minute; --wide: the nets of Figure 1 too).

Beads trained as one batch against one at a time, on random images of the right sizes; processor seconds within one run, so that
only ratios mean anything between machines. Compilation is not counted.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from theory.deep import Deep, tasks

SIZES = {"digits": (8, 8), "mnist": (28, 28), "cifar": (32, 32, 3)}


def task(name: str, images: int):
    """A task on random images, as many for training as for testing."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (images, *SIZES[name])).astype(np.uint8), rng.integers(0, 10, images)
    return getattr(tasks, name)(X, y, X, y)


def seconds(function) -> float:
    """Processor seconds of one call, after one that compiles."""
    function()
    begun = time.process_time()
    function()
    return time.process_time() - begun


def beads(name: str, count: int, steps: int, images: int) -> None:
    """One block of `count` beads at once, and one after the other."""
    deep = Deep(task(name, images), block=steps, blocks=1, rng=0)
    starts = deep.task.draw(count, rng=0)
    together = seconds(lambda: deep.train(starts, 0.0))
    apart = seconds(lambda: [deep.train(start[None], 0.0) for start in starts])
    score = seconds(lambda: deep.batch(starts)) / count
    print(
        f"{name}: {count} beads together {1e3 * (together - count * score) / count / steps:.3g} ms a bead-step, one at a time "
        f"{apart / together:.2f} times the whole; a height on {images} images {1e3 * score:.3g} ms",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wide", action="store_true", help="the nets of rows (3) and (4) too")
    asked = parser.parse_args()
    beads("digits", 8, 50, 500)
    if asked.wide:
        beads("mnist", 4, 5, 500)
        beads("cifar", 4, 5, 500)
