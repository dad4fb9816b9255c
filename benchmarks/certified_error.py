"""Certified test error along a string against grids of the same nets and images, in one run: `python benchmarks/certified_error.py`.

Prints, for each piece, the processor time of the certificate over that of the published 20-point grid and of a 513-point
grid (the same layers in float64, without bounds), and what each of them says. The string is the one that ships with the
claim fig-1-certified, on scikit-learn's digits; --string FILE and --data FILE take the beads (B, 3274634) of another one of
the MNIST net ("points" in an npz file) and its test images ("x_test", bytes, and "y_test"); Ctrl-C ends a piece and keeps
what is known by then.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time

import numpy as np

from checks.claims.sections_3_4 import fig_1_certified
from theory.deep import CertifiedError, error_bounds, models, scores

GRIDS = (20, 513)


def timed(function):
    """Processor seconds, and the result."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


def certified(net, a, b, X, labels, windows) -> CertifiedError:
    """The last bounds, or those at Ctrl-C."""
    last = None

    def progress(done, of):
        if sys.stderr.isatty():
            print(f"\r  {last or ''} {done} of {of} images on windows ", end="", file=sys.stderr, flush=True)

    try:
        for found in error_bounds(net, a, b, X, labels, max_windows=windows, progress=progress):
            last = found
    except KeyboardInterrupt:
        if last is None:
            raise
    return last


def grid(net, a, b, X, labels, points):
    """The largest number of images that are wrong at t = 0, 1/points, ..., 1 - 1/points, in floats."""
    return max(
        int((scores(net, (1 - t) * a + t * b, X).argmax(axis=1) != labels).sum()) for t in np.arange(points) / points
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--string", help="npz file with the beads of a string of the MNIST net (default: digits)")
    parser.add_argument("--data", help="npz file with its test images")
    parser.add_argument("--images", type=int, default=1000, help="how many of them (default 1000)")
    parser.add_argument("--windows", type=int, default=1024, help="the narrowest: 1 / WINDOWS (default 1024)")
    parser.add_argument("--no-grids", action="store_true", help="the certificate alone")
    options = parser.parse_args()
    if bool(options.string) is not bool(options.data):
        parser.error("--string and --data belong together")
    if options.string:
        with np.load(options.string) as file, np.load(options.data) as data:
            net, beads = models.mnist(), file["points"].astype(float)
            X = data["x_test"][: options.images, ..., None] / np.float32(255)
            X, labels = X.astype(float), data["y_test"][: options.images].astype(int)
    else:
        net, beads, (X, labels) = models.digits(), fig_1_certified.string(), fig_1_certified.images()
    total, upper = np.zeros(1 + len(GRIDS)), 0.0
    for k, (a, b) in enumerate(itertools.pairwise(beads)):
        seconds, found = timed(lambda a=a, b=b: certified(net, a, b, X, labels, options.windows))
        line, spent = f"piece {k}: {seconds:.2f} s, {found.work / len(X):.1f} windows an image, {found}", [seconds]
        for points in () if options.no_grids else GRIDS:
            by_grid, seen = timed(lambda a=a, b=b, points=points: grid(net, a, b, X, labels, points))
            line += f"; {seconds / by_grid:.2f} times a {points}-point grid, which sees {seen}"
            spent.append(by_grid)
        total[: len(spent)] += spent
        upper = max(upper, found.upper)
        print(line, flush=True)
    ratios = ", ".join(f"{total[0] / s:.2f} times the {points}-point grid" for s, points in zip(total[1:], GRIDS) if s)
    print(f"the string: at most {round(upper * len(X))} of {len(X)} wrong for every t; {total[0]:.1f} s, {ratios}")


if __name__ == "__main__":
    main()
