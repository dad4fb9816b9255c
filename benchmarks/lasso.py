"""The convex second layer: homotopy against cvxpy, to the same gap: `python benchmarks/lasso.py [--small] [--width M]`.

Prints seconds, gap relative to the primal value (both computed by theory.lasso.solve, whoever solved), active units, and the
ratio of times. The rows "cvxpy, triangular" give cvxpy the problem already reduced to m rows by a QR factorisation.

`--race 512,2048` races scikit-learn's coordinate descent on the Gram matrix, celer and skglm (those that are installed)
to a certified relative gap of 1e-8 instead: seconds of processor time without and with the certificate, at the loosest
tolerance that gets there; a run of more than `--patience` seconds is the solver's last for that number of units.
"""

from __future__ import annotations

import argparse
import importlib
import time
import warnings
from collections.abc import Callable, Iterator

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


def coordinate_descent(Z: np.ndarray, y: np.ndarray, kappa: float, tol: float) -> np.ndarray:
    """scikit-learn's coordinate descent on the Gram matrix."""
    from sklearn.linear_model import Lasso

    options = {"fit_intercept": False, "max_iter": 20_000, "copy_X": False}
    return Lasso(alpha=kappa / 2, tol=tol, precompute=Z.T @ Z, **options).fit(np.asfortranarray(Z), y).coef_


def peer(module: str) -> Callable[..., np.ndarray]:
    """The Lasso of celer or skglm: working sets and coordinate descent on the features."""

    def solve(Z: np.ndarray, y: np.ndarray, kappa: float, tol: float) -> np.ndarray:
        Lasso = importlib.import_module(module).Lasso
        return Lasso(alpha=kappa / 2, tol=tol, fit_intercept=False, max_iter=100).fit(np.asfortranarray(Z), y).coef_

    return solve


PEERS = {"coordinate descent": coordinate_descent, "celer": peer("celer"), "skglm": peer("skglm")}


def race(
    Z: np.ndarray, y: np.ndarray, kappa: float, patience: float, out: set[str], target: float = 1e-8
) -> Iterator[tuple]:
    """(solver, seconds, seconds with the certificate, relative gap) of ours and of every peer that is still in the race.

    out: names of those that are not, which takes up those that lose patience here.
    """
    spent = []
    for _ in range(3):
        start = time.process_time()
        own = second_layer(Z, y, kappa)
        spent.append(time.process_time() - start)
    start = time.process_time()
    certify(Z, y, kappa, own.beta)
    yield "ours", min(spent) - (time.process_time() - start), min(spent), own.gap / own.primal
    for name, solve in PEERS.items():
        if name in out:
            continue
        try:
            solve(Z[:64, :8], y[:64], kappa, 1e-4)  # imports, compiles
        except ImportError:
            out.add(name)
            continue
        for tol in (1e-4, 1e-6, 1e-8, 1e-10, 1e-12):
            start = time.process_time()
            beta = solve(Z, y, kappa, tol)
            alone = time.process_time() - start
            found = certify(Z, y, kappa, beta)
            gap = found.gap / found.primal
            if gap <= target or alone > patience:
                break
        if alone > patience:
            out.add(name)
        yield name, alone, time.process_time() - start, gap


def races(samples: int, widths: list[int], patience: float, shares: tuple[float, ...] = (1e-1, 1e-2, 1e-3)) -> None:
    warnings.simplefilter("ignore")  # of solvers that say that they have not converged: the gap says it too
    print(
        f"N = {samples}; processor time; kappa as a share of kappa_max; ratios to ours, without and with the certificate"
    )
    print(f"{'m':>5} {'kappa':>6} {'solver':<18} {'seconds':>8} {'with':>8} {'gap':>8} {'ratio':>7} {'with':>7}")
    for width in widths:
        Z, y = problem(samples, width)
        out: set[str] = set()
        for share in shares:
            own = None
            for name, alone, whole, gap in race(Z, y, share * kappa_max(Z, y), patience, out):
                own = own or (alone, whole)
                numbers = f"{alone:8.3f} {whole:8.3f} {gap:8.1e} {alone / own[0]:7.2f} {whole / own[1]:7.2f}"
                print(f"{width:5d} {share:6.0e} {name:<18} {numbers}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="N = 1,000 and m = 64")
    parser.add_argument("--width", type=int, help="number of units (default 512)")
    parser.add_argument("--race", metavar="M,M,...", help="race coordinate descents at these numbers of units instead")
    parser.add_argument("--samples", type=int, default=10_000, help="N of the race (default 10000)")
    parser.add_argument("--patience", type=float, default=30.0, help="seconds (default 30)")
    options = parser.parse_args()
    if options.race:
        races(options.samples, [int(m) for m in options.race.split(",")], options.patience)
        return
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
