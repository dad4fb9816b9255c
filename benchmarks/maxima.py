"""Certified maxima against grids of the same risk, in one run: `python benchmarks/maxima.py [--nets] [--large] [--million] [--wide]`.

Prints the processor time of each certified maximum over that of a grid of 101 (or 100) points, and the peak memory. The grid of a
relu net is evaluated in whole arrays (samples times units) and in blocks that fit the cache (`Risk.batch`). BLAS has one thread
where OPENBLAS_NUM_THREADS=1 says so; the first line says what it has.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from itertools import product

import numpy as np
from scipy.optimize import minimize

from theory.maxima import segment_maxima, segment_maximum, switches
from theory.networks import Network
from theory.risk import Risk, Sample


def timed(function, clock=time.process_time):
    start = clock()
    result = function()
    return clock() - start, result


def quickest(function, times=3):
    """The least of a few times, and the last result."""
    found = [timed(function) for _ in range(times)]
    return min(seconds for seconds, _ in found), found[-1][1]


def grid(risk, a, b, points):
    t = np.linspace(0, 1, points)[:, None]
    return risk.batch((1 - t) * a + t * b).max()


def in_whole_arrays(risk, theta):
    """The risk as it is written: (N, m) arrays."""
    W, V = risk.network.weights(theta)
    residual = np.maximum(risk.sample.X @ W.T, 0) @ V.T - risk.sample.Y
    return (residual**2).sum(axis=1) @ risk.sample.weights + risk.regulariser(theta)


def peak():
    return f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB"


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


def fitted_problem(samples, width):
    """The same with second layers that are fitted: the risk is low at both ends, and its maximum inside."""
    risk, a, b = relu_problem(samples, width)
    for theta in (a, b):
        W, V = risk.network.weights(theta)
        Z = np.maximum(risk.sample.X @ W.T, 0)
        V[:] = np.linalg.solve(Z.T @ Z + 1e-3 * samples * np.eye(width), Z.T @ risk.sample.Y).T
    return risk, a, b


ENGINES = {"NumPy": 10**18, "numba": 0}  # pairs from which numba is used


def of_engine(name):
    switches.COMPILED = ENGINES[name] if switches.compiled() else 10**18


def grids(samples, width):
    """Certified maxima over both grids: at an end and inside, at three gaps, with both engines."""
    for place, problem in (("at an end", relu_problem), ("inside", fitted_problem)):
        risk, a, b = problem(samples, width)
        whole = 101 * quickest(lambda: in_whole_arrays(risk, a), 5)[0]  # noqa: B023
        blocks, sampled = quickest(lambda: grid(risk, a, b, 101), 1)  # noqa: B023
        print(
            f"relu, N = {samples:,}, m = {width}, maximum {place}: 101 points in whole arrays {whole:.2f} s, in blocks {blocks:.2f} s"
        )
        for engine, gap in product(ENGINES, (1e-4, 1e-8, None)):
            of_engine(engine)
            segment_maximum(risk, a, b, gap=0.5)  # compiles
            seconds, m = quickest(lambda: segment_maximum(risk, a, b, gap=gap), 2)  # noqa: B023
            print(
                f"  {engine}, gap {gap}: {seconds:.3f} s, {seconds / whole:.2f} of the grid in whole arrays, {seconds / blocks:.2f} of "
                f"that in blocks; t {m.t:.4f}, (upper - value)/value {m.upper / m.value - 1:.1e}, sampled/value {sampled / m.value:.6f}",
                flush=True,
            )
    print(peak())


def forwards():
    """The forward pass in whole arrays over that in blocks."""
    for samples, width in ((10_000, 64), (10_000, 512)):
        risk, a, _ = relu_problem(samples, width)
        whole, blocks = (quickest(f, 15)[0] for f in (lambda: in_whole_arrays(risk, a), lambda: risk(a)))  # noqa: B023
        slope = quickest(lambda: risk.gradient(a), 5)[0]  # noqa: B023
        print(
            f"forward pass, N = {samples:,}, m = {width}: {1e3 * blocks:.2f} ms in blocks, in whole arrays {whole / blocks:.1f} times as long; gradient {slope / blocks:.1f} forward passes"
        )


def linearity(samples, width):
    """What a pair costs in a large problem over what it costs in a small one, gap 1e-4."""
    costs = []
    for N, m in ((10_000, 512), (samples, width)):
        risk, a, b = relu_problem(N, m)
        for engine in ENGINES:
            of_engine(engine)
            segment_maximum(risk, a, b, gap=0.5) if N == 10_000 else None
            seconds, found = quickest(lambda: segment_maximum(risk, a, b, gap=1e-4), 3 if N == 10_000 else 1)  # noqa: B023
            costs.append(1e9 * seconds / (N * m))
            print(
                f"  {engine}, N = {N:,}, m = {m}: {seconds:.2f} s, {costs[-1]:.1f} ns a pair, gap {found.upper / found.value - 1:.1e}",
                flush=True,
            )
    print(f"cost over linear: NumPy {costs[2] / costs[0]:.2f}, numba {costs[3] / costs[1]:.2f}; {peak()}")


def calls(risk, theta, times=300):
    """Seconds of risk(theta), and of the same in plain NumPy, without a check."""
    X, Y, weights = risk.sample.X, risk.sample.Y, risk.sample.weights
    cut, (m, n) = risk.network.slices[0].stop, risk.network.shapes[0]

    def plain():
        hidden = np.maximum(X @ theta[:cut].reshape(m, n).T, 0)
        return float(((hidden @ theta[cut:].reshape(1, m).T - Y) ** 2).sum(axis=1) @ weights)

    return [timed(lambda f=f: [f() for _ in range(times)])[0] / times for f in (lambda: risk(theta), plain)]


def small_ones(segments=400):
    """Many small segments in one call, over one call each, and over grids of 100 points; and one risk over plain NumPy."""
    rng = np.random.default_rng(0)
    for widths, samples in (((2, 4, 1), 16), ((2, 16, 1), 64)):
        X = rng.standard_normal((samples, widths[0]))
        risk = Risk(Network(widths), Sample(X, np.sin(X[:, :1])))
        a, b = rng.standard_normal((2, segments, risk.network.size))
        t = np.linspace(0, 1, 100)[:, None, None]
        together = quickest(lambda: segment_maxima(risk, a, b))[0]  # noqa: B023
        alone = quickest(lambda: [segment_maximum(risk, *ends) for ends in zip(a, b)])[0]  # noqa: B023
        sampled = quickest(lambda: risk.batch((1 - t) * a + t * b))[0]  # noqa: B023
        ours, numpys = np.min([calls(risk, a[0]) for _ in range(25)], axis=0)
        print(
            f"{widths}, N = {samples}, {segments} segments: {1e6 * together / segments:.0f} us each in one call, {alone / together:.1f} times that "
            f"in one call each, {together / sampled:.2f} of grids of 100 points; risk(theta) {1e6 * ours:.1f} us, {ours / numpys:.2f} times plain NumPy",
            flush=True,
        )


def in_parallel(samples=20_000, width=512, count=4):
    """Wall time of several segments with one thread and with two."""
    risk, a, b = relu_problem(samples, width)
    rng = np.random.default_rng(1)
    starts, ends = (x + 0.1 * rng.standard_normal((count, x.size)) for x in (a, b))

    def wall(segments, jobs):
        def run():
            return segment_maxima(risk, starts[:segments], ends[:segments], gap=1e-4, jobs=jobs)

        return min(timed(run, time.perf_counter)[0] for _ in range(3))

    for engine in ENGINES:
        of_engine(engine)
        print(
            f"{engine}, {count} segments, N = {samples:,}, m = {width}: two threads {wall(count, 1) / wall(count, 2):.2f} times as fast as "
            f"one; one segment {wall(1, 1) / wall(1, 2):.2f} times (wall time, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)",
            flush=True,
        )


def memory(samples, width, gradient):
    """Value, gradient and certified segment of a problem whose (N, m) array would not fit, with the peak memory."""
    risk, a, b = relu_problem(samples, width)
    print(
        f"N = {samples:,}, m = {width:,}: one (N, m) array would take {8 * samples * width / 2**30:,.0f} GiB; data {peak()}",
        flush=True,
    )
    for name, step in (
        ("value", lambda: risk(a)),
        ("gradient", lambda: risk.gradient(a) if gradient else None),
        ("certified segment, gap 1e-4", lambda: segment_maximum(risk, a, b, gap=1e-4)),
    ):
        seconds, found = timed(step)
        if found is not None:
            words = f"{found}" if not isinstance(found, np.ndarray) else f"|.| = {np.linalg.norm(found):.3g}"
            print(f"  {name}: {seconds:.1f} s of processor time, {peak()}, {words}", flush=True)


def nets():
    """Branch and bound over grids of 100 points in blocks, gap 1e-3, with both engines."""
    problems = {"1-4-4-1 sigmoid, N = 10,000": sigmoid_problem(10_000)}
    for activation, hidden in product(("tanh", "relu"), (2, 3, 4, 5)):
        problems[f"{activation}, {hidden} hidden layers of 16, N = 1,000"] = deep_problem(activation, hidden)
    for name, (risk, a, b) in problems.items():
        ratios = []
        for engine in ENGINES:
            of_engine(engine)
            segment_maximum(risk, a, b, gap=1e-3)  # compiles, and finds the groups of the sample
            by_grid, sampled = quickest(lambda: grid(risk, a, b, 100))  # noqa: B023
            seconds, m = quickest(lambda: segment_maximum(risk, a, b, gap=1e-3))  # noqa: B023
            ratios.append(f"{engine} {seconds / by_grid:.2f}")
        print(
            f"branch and bound, {name}, gap 1e-3, times a 100-point grid of {by_grid:.3f} s: {', '.join(ratios)}; "
            f"(upper - value)/value {m.upper / m.value - 1:.1e}, sampled/value {sampled / m.value:.6f}",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nets", action="store_true", help="only branch and bound, on smooth and deep nets")
    parser.add_argument(
        "--large", action="store_true", help="also N = 100,000, m = 4096: what a pair costs there (a minute or two)"
    )
    parser.add_argument(
        "--million", action="store_true", help="only N = 1,000,000, m = 1000: value, gradient, segment, peak memory"
    )
    parser.add_argument(
        "--wide", action="store_true", help="only N = 100,000, m = 100,000: value, segment, peak memory (minutes)"
    )
    given = parser.parse_args()
    print(
        f"BLAS threads: {os.environ.get('OPENBLAS_NUM_THREADS', 'as many as it likes')}; numba: {'no' if switches.compiled() is None else 'yes'}"
    )
    if given.million or given.wide:
        memory(*((1_000_000, 1_000, True) if given.million else (100_000, 100_000, False)))
        return
    if given.nets:
        nets()
        return
    for names in ("theory", "theory.maxima, theory.relu_kernel"):
        seconds = [
            timed(lambda code=code: subprocess.run([sys.executable, "-c", code], check=True), time.perf_counter)[0]
            for code in (f"import numpy, {names}", "import numpy") * 3
        ]
        print(f"import {names}: {min(seconds[::2]) - min(seconds[1::2]):.3f} s above numpy")
    nets()
    small_ones()
    forwards()
    grids(10_000, 512)
    in_parallel()
    if given.large:
        linearity(100_000, 4096)


if __name__ == "__main__":
    main()
