"""Certified maxima against a grid of the same risk, in one run: `python benchmarks/maxima.py [--large]`.

Prints the time of each certified maximum over that of a vectorised grid (`Risk.batch`), and the peak memory.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
from scipy.optimize import minimize

from theory.maxima import segment_maximum
from theory.networks import Network
from theory.risk import Risk, Sample


def timed(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def grid(risk, a, b, points):
    t = np.linspace(0, 1, points)[:, None]
    return risk.batch((1 - t) * a + t * b).max()


def relu_problem(samples, width, inputs=10):
    """Two random unit-row ReLU nets on a smooth target, with the paper's l1 penalty."""
    rng = np.random.default_rng(0)
    net = Network((inputs, width, 1))
    X = rng.standard_normal((samples, inputs))
    risk = Risk(net, Sample(X, np.sin(X[:, :1])), kappa=0.01, penalty="second_layer_l1")

    def point():
        W = rng.standard_normal((width, inputs))
        V = rng.standard_normal((1, width)) / np.sqrt(width)
        return net.pack([W / np.linalg.norm(W, axis=1, keepdims=True), V])

    return risk, point(), point()


def sigmoid_problem(samples):
    """Two trained 1-4-4-1 sigmoid nets on the paper's quadratic task."""
    rng = np.random.default_rng(1)
    net = Network((1, 4, 4, 1), activation="sigmoid", output="sigmoid", bias=True)

    def risk(n):
        x = np.linspace(0, 1, n)[:, None]
        return Risk(net, Sample(x, 0.5 * x**2 + 0.25 * x + 0.1))

    small, ends = risk(200), []
    while len(ends) < 2:
        found = minimize(small, rng.uniform(-1, 1, net.size), jac=small.gradient, method="L-BFGS-B")
        if found.fun < 1e-3:
            ends.append(found.x)
    return risk(samples), *ends


def deep_problem(activation, hidden):
    """Two random nets with so many hidden layers of 16 units, on a smooth target of 4 inputs, N = 1,000."""
    rng = np.random.default_rng(0)
    net = Network((4, *[16] * hidden, 1), activation, bias=True)
    X = rng.standard_normal((1000, 4))
    scale = 2 if activation == "relu" else 1

    def point():
        return net.pack(
            [
                np.concatenate(
                    [rng.standard_normal((m, n)) * np.sqrt(scale / n), 0.1 * rng.standard_normal((m, 1))], axis=1
                )
                for n, m in zip(net.widths, net.widths[1:])
            ]
        )

    return Risk(net, Sample(X, np.sin(X[:, :1]))), point(), point()


def report(name, risk, a, b, points, gap=1e-4, against_grid=True):
    seconds, found = timed(lambda: segment_maximum(risk, a, b, gap=gap))
    line = f"{name}: {seconds:.2f} s, (upper - value)/value {(found.upper - found.value) / found.value:.1e}"
    if against_grid:
        by_grid, sampled_max = timed(lambda: grid(risk, a, b, points))
        line += (
            f", {seconds / by_grid:.2f} times a {points}-point grid, sampled_max/value {sampled_max / found.value:.6f}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{line}, peak {peak:.2f} GiB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="also N = 100,000 (a minute or two)")
    large = parser.parse_args().large
    for names in ("theory", "theory.maxima, theory.relu_kernel"):
        seconds = [
            timed(lambda code=code: subprocess.run([sys.executable, "-c", code], check=True))[0]
            for code in (f"import numpy, {names}", "import numpy") * 3
        ]
        print(f"import {names}: {min(seconds[::2]) - min(seconds[1::2]):.3f} s above numpy")
    report("branch and bound, 1-4-4-1 sigmoid, N = 10,000, gap 1e-3", *sigmoid_problem(10_000), 100, gap=1e-3)
    for activation in ("tanh", "relu"):
        for hidden in (2, 3, 4, 5):
            name = f"branch and bound, {activation}, {hidden} hidden layers of 16, N = 1,000, gap 1e-3"
            report(name, *deep_problem(activation, hidden), 100, gap=1e-3)
    report("exact, relu, N = 10,000, m = 512, n = 10", *relu_problem(10_000, 512), 101)
    if large:
        report("exact, relu, N = 100,000, m = 512, n = 10", *relu_problem(100_000, 512), 101, against_grid=False)


if __name__ == "__main__":
    main()
