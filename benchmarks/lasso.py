"""The convex second layer: homotopy against cvxpy, to the same gap: `python benchmarks/lasso.py [--small] [--width M]`.

Prints seconds, gap relative to the primal value (both computed by theory.lasso.solve, whoever solved), active units, and the
ratio of times. The rows "cvxpy, triangular" give cvxpy the problem already reduced to m rows by a QR factorisation.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from theory.lasso import SecondLayer, certify, homotopy, kappa_max, second_layer


def problem(samples: int, width: int, inputs: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """ReLU features of random unit rows, and a noisy smooth target."""
    rng = np.random.default_rng(0)
    X, W = rng.standard_normal((samples, inputs)), rng.standard_normal((width, inputs))
    Z = np.maximum(X @ (W / np.linalg.norm(W, axis=1, keepdims=True)).T, 0)
    return Z, np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * rng.standard_normal(samples)


def timed(function: Callable[[], SecondLayer]) -> tuple[float, SecondLayer]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def triangular(Z: np.ndarray, y: np.ndarray, kappa: float) -> SecondLayer:
    """cvxpy on the m rows of R: |y - Z b|^2 = |Q^T y - R b|^2 + constant."""
    Q, R = np.linalg.qr(Z)
    N, m = Z.shape
    small = second_layer(R * np.sqrt(m / N), Q.T @ y * np.sqrt(m / N), kappa, solver="cvxpy")
    return certify(Z, y, kappa, small.beta, solver="cvxpy, triangular")


def compare(samples: int, width: int, shares: tuple[float, ...] = (1e-1, 1e-2, 1e-3), repeats: int = 3) -> list[dict]:
    """One record per share of kappa_max: seconds and relative gap of each solver. Homotopy: best of `repeats`."""
    Z, y = problem(samples, width)
    second_layer(Z[:64, :8], y[:64], 0.01)  # imports
    second_layer(Z[:64, :8], y[:64], 0.01, solver="cvxpy")
    records = []
    for share in shares:
        kappa = share * kappa_max(Z, y)
        runs = [timed(lambda kappa=kappa: second_layer(Z, y, kappa)) for _ in range(repeats)]
        solved = {
            "homotopy": min(runs, key=lambda run: run[0]),
            "cvxpy": timed(lambda kappa=kappa: second_layer(Z, y, kappa, solver="cvxpy")),
            "cvxpy, triangular": timed(lambda kappa=kappa: triangular(Z, y, kappa)),
        }
        for name, (seconds, result) in solved.items():
            gap, active = result.gap / result.primal, int((np.abs(result.beta) > 1e-9).sum())
            ratio = seconds / solved["homotopy"][0]
            records.append(
                {"kappa": share, "solver": name, "seconds": seconds, "gap": gap, "active": active, "ratio": ratio}
            )
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="N = 1,000 and m = 64")
    parser.add_argument("--width", type=int, help="number of units (default 512)")
    options = parser.parse_args()
    samples, width = (1000, 64) if options.small else (10_000, 512)
    width = options.width or width
    print(f"N = {samples}, m = {width}; kappa as a share of kappa_max; ratio = seconds / seconds of the homotopy")
    print(f"{'kappa':>8} {'solver':<18} {'seconds':>9} {'gap':>9} {'active':>7} {'ratio':>7}")
    for r in compare(samples, width):
        print(
            f"{r['kappa']:8.0e} {r['solver']:<18} {r['seconds']:9.3f} {r['gap']:9.1e} {r['active']:7d} {r['ratio']:7.1f}"
        )
    Z, y = problem(samples, width)
    start = time.perf_counter()
    path = homotopy(Z, y)
    print(f"the whole homotopy path: {len(path.knots)} knots in {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
