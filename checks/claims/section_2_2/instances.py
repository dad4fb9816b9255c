"""Instances and exact matrices for the claims about linear networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from checks.claim import Outcome, Setting
from theory.networks import Network
from theory.numerics import Array
from theory.paths import Path
from theory.risk import Risk, Sample

KINDS = (
    "gaussian",
    "a zero layer",
    "all zero",
    "repeated columns",
    "a rank-one layer",
    "one layer 1e-7, one 1e+7",
    "rows from 1e-3 to 1e+3",
    "a reflected copy",
    "nearly dependent rows",
)


def parameters(rng: np.random.Generator, net: Network, kind: str, other: Array | None = None) -> Array:
    """A parameter vector of the given kind; "a reflected copy" is `other` with one unit of each hidden layer negated."""
    W = [rng.standard_normal(shape) for shape in net.shapes]
    j = int(rng.integers(net.depth))
    if kind == "a zero layer":
        W[j][:] = 0
    elif kind == "all zero":
        W = [0 * A for A in W]
    elif kind == "repeated columns":
        W[j][:, -1] = W[j][:, 0]
    elif kind == "a rank-one layer":
        W[j] = np.outer(W[j][:, 0], W[j][0])
    elif kind == "one layer 1e-7, one 1e+7":
        W[j] *= 1e-7
        W[(j + 1) % net.depth] *= 1e7
    elif kind == "rows from 1e-3 to 1e+3":
        W[j] *= 10.0 ** rng.uniform(-3, 3, (len(W[j]), 1))
    elif kind == "nearly dependent rows":
        W[0][-1] = W[0][0] * (1 + 1e-7 * rng.standard_normal(W[0].shape[1]))
    elif kind == "a reflected copy" and other is not None:
        theta = other
        for layer in range(1, net.depth):
            theta = net.rescale(theta, layer, [-1.0] + [1.0] * (net.widths[layer] - 1))
        return theta
    return net.pack(W)


def sample(rng: np.random.Generator, n_in: int, n_out: int) -> Sample:
    """A small sample: spread, rank-deficient, with repeated points, or with zero targets."""
    N = int(rng.integers(1, 9))
    X, Y = rng.standard_normal((N, n_in)), rng.standard_normal((N, n_out))
    kind = rng.integers(5)
    if kind == 0:
        X = np.outer(X[:, 0], rng.standard_normal(n_in))
    elif kind == 1:
        X[-1] = X[0]
    elif kind == 2:
        Y = X @ rng.standard_normal((n_in, n_out))
    elif kind == 3:
        X = X * 10.0 ** rng.uniform(-3, 3, n_in)
    return Sample(X, Y, rng.random(N) + 0.1) if rng.integers(2) else Sample(X, Y)


@dataclass(frozen=True)
class Trained:
    """What the ledger says of two trained nets and the path between them."""

    table: str
    depth: int
    path: Path
    largest: float

    def __str__(self) -> str:
        start = np.abs(self.path.points[[0, -1]]).max()
        return (
            f"{self.table} depth {self.depth}: {len(self.path)} pieces, {self.path.normalised_length:.3g} times the "
            f"straight line, largest weight {self.largest:.3g} (ends {start:.2g})"
        )


def trained_pairs(setting: Setting, depths: tuple[int, ...] = (2, 3, 5)) -> Iterator[tuple[str, Risk, Array, Array]]:
    """(table, risk, theta_a, theta_b): linear nets trained from two initialisations on each table.

    The digits are learned as ten classes (one-hot); hidden width min(n_in, n_out) + 6.
    """
    for name, table in setting.tables.items():
        X, Y = table.X, table.Y
        if name == "digits":
            from sklearn.datasets import load_digits

            Y = np.eye(10)[load_digits().target]
        for depth in depths:
            width = min(X.shape[1], Y.shape[1]) + 6
            net = Network((X.shape[1], *(width,) * (depth - 1), Y.shape[1]), activation="identity")
            risk = Risk(net, Sample(X, Y))
            yield name, risk, _train(risk, setting), _train(risk, setting)


def _train(risk: Risk, setting: Setting) -> Array:
    """A few quasi-Newton steps from a random start of unit gain."""
    from scipy.optimize import minimize

    start = risk.network.pack([setting.rng.standard_normal(shape) / np.sqrt(shape[1]) for shape in risk.network.shapes])

    def both(theta: Array) -> tuple[float, Array]:
        return risk(theta), risk.gradient(theta)

    steps = 200 if setting.full else 6
    return minimize(both, start, jac=True, method="L-BFGS-B", options={"maxiter": steps}).x


def all_caught(outcomes: list[Outcome]) -> Outcome:
    """Of several planted faults the one that was caught least: its margin is negative only when all were caught."""
    return max(outcomes, key=lambda outcome: outcome.margin)


def rational(matrix: Any) -> Any:
    """A two-dimensional list or array of integers or fractions as an exact matrix (`flint.fmpq_mat`)."""
    import flint

    rows = [
        [flint.fmpq(x.numerator, x.denominator) for x in map(_fraction, row)] for row in np.asarray(matrix).tolist()
    ]
    return flint.fmpq_mat(len(rows), len(rows[0]), [x for row in rows for x in row])


def _fraction(x: Any) -> Any:
    from fractions import Fraction

    return Fraction(x)


def identity(n: int) -> Any:
    """The exact identity matrix."""
    return rational(np.eye(n, dtype=int))


def integers(rng: np.random.Generator, rows: int, columns: int, size: int = 5) -> Any:
    """A random exact matrix with integer entries in [-size, size]."""
    return rational(rng.integers(-size, size + 1, (rows, columns)))


def square_sum(A: Any) -> Any:
    """|A|_F^2, exact."""
    return sum((x * x for x in A.entries()), start=_zero())


def right_inverse(W: Any) -> Any:
    """W^T (W W^T)^{-1}: W times it is the identity (full row rank)."""
    return W.transpose() * (W * W.transpose()).inv()


def left_inverse(W: Any) -> Any:
    """(W^T W)^{-1} W^T: it times W is the identity (full column rank)."""
    return (W.transpose() * W).inv() * W.transpose()


def full_rank(rng: np.random.Generator, rows: int, columns: int) -> Any:
    """A random integer matrix of rank min(rows, columns)."""
    while (found := integers(rng, rows, columns)).rank() < min(rows, columns):
        pass
    return found


def oriented(rng: np.random.Generator, n: int) -> Any:
    """A random integer (n, n) matrix with positive determinant."""
    while (found := integers(rng, n, n)).det() <= 0:
        pass
    return found


def _zero() -> Any:
    import flint

    return flint.fmpq(0)
