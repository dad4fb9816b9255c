"""Paths between trained linear nets on the digits, with their certificates: `python benchmarks/linear_paths.py`.

Against sampling the same path at 101 points a piece, in one run; then the cost by width with the fitted exponent, and
the ridge path 64-80-10. Only ratios within one run count on a shared machine.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_digits

from theory.linear_paths import connect
from theory.maxima import path_maximum
from theory.networks import Network
from theory.risk import Risk, Sample


def timed(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def digits():
    X, digit = load_digits(return_X_y=True)
    return Sample(X / 16, np.eye(10)[digit])


def trained(risk, rng, steps):
    start = risk.network.pack([rng.standard_normal(s) / np.sqrt(s[1]) for s in risk.network.shapes])
    found = minimize(risk, start, jac=risk.gradient, method="L-BFGS-B", options={"maxiter": steps})
    return found.x


def sampled(risk, path, points=101):
    """The largest value on a grid of every piece: what one does without a certificate."""
    t = np.linspace(0, 1, points)[:, None]
    return max(risk.batch((1 - t) * p + t * q).max() for p, q in zip(path.points, path.points[1:]))


def report(name, risk, rng, steps, grid=True, **options):
    a, b = trained(risk, rng, steps), trained(risk, rng, steps)
    build, path = timed(lambda: connect(risk, a, b, **options))
    certify, top = timed(lambda: path_maximum(risk, path))
    level = max(risk(a), risk(b))
    line = (
        f"{name}: path {build:.2f} s, certificate {certify:.2f} s, {len(path)} pieces, "
        f"{path.normalised_length:.1f} x straight, largest weight {np.abs(path.points).max():.3g}, "
        f"(upper - level) / level {(top.upper - level) / level:.1e}"
    )
    if grid:
        cost, highest = timed(lambda: sampled(risk, path))
        line += f"; 101 points a piece {cost:.2f} s ({cost / (build + certify):.1f} x), sampled max {highest:.12g}"
    print(line, flush=True)
    return build + certify


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=30, help="quasi-Newton steps of training (default 30)")
    steps = parser.parse_args().steps
    sample, rng = digits(), np.random.default_rng(0)

    def linear(*widths, **options):
        return Risk(Network(widths, activation="identity"), sample, **options)

    report("64-80-80-80-80-10", linear(64, 80, 80, 80, 80, 10), rng, steps)
    widths = [16, 32, 64, 128, 256]
    costs = [report(f"64-{w}-{w}-{w}-{w}-10", linear(64, w, w, w, w, 10), rng, steps, grid=False) for w in widths]
    slope = np.polyfit(np.log(widths), np.log(costs), 1)[0]
    print(f"cost ~ width^{slope:.2f} over widths {widths}")
    report("ridge 64-80-10, kappa 1e-4", linear(64, 80, 10, kappa=1e-4, penalty="ridge"), rng, steps)
    report("64-11-11-10, the least width", linear(64, 11, 11, 10), rng, steps)


if __name__ == "__main__":
    main()
