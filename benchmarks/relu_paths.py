"""Certified paths of Theorem 2.4 and its relatives: `python benchmarks/relu_paths.py [--small] [--real] [--widths M,M]`.

The cost against the width m on one synthetic problem (N = 10,000, n = 10): seconds to build and certify the
six-segment path (m/2 active units, angle 0.05) and the `maurey` route, with fitted exponents. With --real instead, two nets
trained from different seeds on diabetes and digits, connected by every route: certified maxima, lengths, seconds.
The solver race of the second layer is in benchmarks/lasso.py.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from scipy.optimize import minimize

from theory import relu_paths
from theory.networks import Network
from theory.relu_paths import RouteStatus, routes, six_segment_report
from theory.risk import Risk, Sample

WIDTHS = (64, 128, 256, 512, 1024, 2048, 4096)


def problem(samples: int, width: int, inputs: int = 10) -> tuple[Risk, np.ndarray, np.ndarray]:
    """A smooth noisy target and two random nets with unit rows."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((samples, inputs))
    Y = np.sin(2 * X[:, :1]) + X[:, 1:2] * X[:, 2:3] + 0.3 * rng.standard_normal((samples, 1))
    net = Network((inputs, width, 1))
    risk = Risk(net, Sample(X, Y), kappa=0.002, penalty="second_layer_l1")

    def point() -> np.ndarray:
        W = rng.standard_normal((width, inputs))
        return net.pack([W / np.linalg.norm(W, axis=1, keepdims=True), rng.standard_normal((1, width)) / width])

    return risk, point(), point()


def against_width(samples: int, widths: list[int]) -> None:
    print(f"N = {samples}, n = 10, kappa = 0.002; seconds (of which CPU) to build and certify")
    print(
        f"{'m':>6} {'six segments':>16} {'maurey':>16} {'units':>6} {'max, six':>10} {'max, maurey':>12} {'theorem':>10}"
    )
    times = []
    for m in widths:
        risk, a, b = problem(samples, m)
        start = np.array([time.perf_counter(), time.process_time()])
        six = six_segment_report(risk, a, b, active=m // 2, angle=0.05, rng=0)
        middle = np.array([time.perf_counter(), time.process_time()])
        maurey = routes(risk, a, b, names=["maurey"]).best
        end = np.array([time.perf_counter(), time.process_time()])
        times.append((middle[1] - start[1], end[1] - middle[1]))
        used = int(np.count_nonzero(risk.network.weights(maurey.path.points[2])[1]))
        print(
            f"{m:6d} {_both(middle - start):>16} {_both(end - middle):>16} {used:6d} {six.upper:10.4f} {maurey.upper:12.4f} "
            f"{maurey.allowed:10.2e}",
            flush=True,
        )
    if len(widths) > 2:  # of CPU time, which a busy machine disturbs less
        slopes = np.polyfit(np.log(widths), np.log(times), 1)[0]
        print(f"fitted exponents in m: six segments {slopes[0]:.2f}, maurey {slopes[1]:.2f}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")


def _both(seconds: np.ndarray) -> str:
    return f"{seconds[0]:.2f} ({seconds[1]:.2f})"


def trained(risk: Risk, seed: int) -> np.ndarray:
    """A local minimum: L-BFGS on kappa/2 (|b|^2 + |W|^2), the same minima, then rows of norm one."""
    net, rng = risk.network, np.random.default_rng(seed)
    smooth = Risk(net, risk.sample, kappa=risk.kappa / 2, penalty="ridge")
    start = rng.standard_normal(net.size) / np.sqrt(net.widths[0])
    start[net.slices[1]] /= np.sqrt(net.widths[1])
    found = minimize(smooth, start, jac=smooth.gradient, method="L-BFGS-B", options={"maxiter": 300}).x
    norms = risk.row_norms(found)
    return net.rescale(found, 1, 1 / np.where(norms > 0, norms * (1 + 1e-15), 1.0))


def real(widths: list[int]) -> None:
    from checks.tables import shipped

    for name, table in shipped().items():
        scale = np.sqrt(relu_paths.energy(table) * relu_paths.spectral_norm(table))
        for m in widths:
            risk = Risk(Network((table.n_in, m, 1)), table, kappa=0.01 * scale, penalty="second_layer_l1")
            a, b = trained(risk, 1), trained(risk, 2)
            found = routes(risk, a, b, exhaustive=True, rng=0)
            print(f"{name}, N = {len(table)}, n = {table.n_in}, m = {m}: F = {risk(a):.6f}, {risk(b):.6f}", flush=True)
            for r in found.routes:
                if r.path is None:
                    print(f"    {r.name:<13} {r.reason}")
                    continue
                won = " <- lowest" if r.status is RouteStatus.WON else ""
                print(
                    f"    {r.name:<13} maximum {r.upper:.6f}, pieces {len(r.path):3d}, length {r.path.length:8.2f} "
                    f"({r.path.normalised_length:5.2f} straight), {r.seconds:6.2f} s{won}",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="N = 1,000 and m up to 256; real nets with m = 16")
    parser.add_argument("--real", action="store_true", help="instead connect nets trained on diabetes and digits")
    parser.add_argument("--widths", help="comma-separated widths m instead of 64, ..., 4096")
    options = parser.parse_args()
    widths = [m for m in WIDTHS if not options.small or m <= 256]
    if options.widths:
        widths = [int(m) for m in options.widths.split(",")]
    if options.real:
        real([int(m) for m in options.widths.split(",")] if options.widths else [16] if options.small else [64, 512])
    else:
        against_width(1000 if options.small else 10_000, widths)


if __name__ == "__main__":
    main()
