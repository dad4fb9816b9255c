"""Two nets of one hidden layer as combinations of atoms: what one unit hands to the outputs on the sample, and its cost.

For R = ||W_2||_1, entrywise, an atom is one entry of W_2, v_oj z_j e_o at cost |v_oj|; for the path norm
R = sum |W_2 e_j|_2 |w_j| it is one unit, z_j v_j^T at cost |v_j||w_j|; output biases are one more unit, which is 1 and
costs |v|. Each net has weight 1 on its own atoms. Costs are
not divided by |w_j|: an activation with rho(0) != 0 has atoms of cost zero at rows of norm zero.

Source: ours; paper_notes.md, pivots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.numerics import Array
from theory.numerics import validation as check
from theory.risk import Risk

BIAS = -1  # the row of the output bias: always in its place


@dataclass(frozen=True, eq=False)
class Atoms:
    """The atoms of A, then those of B: P of them, none zero on the sample; rationals (python-flint) or floats.

    columns (N n_out, P): on the sample; cost (P,); outgoing (n_out, P): their column of W_2; row (P,): whose unit it is,
    i for unit i of A, m + i for unit i of B, BIAS for the output bias; owner (P,): 0 for A's, 1 for B's; rows (2*m, n_in):
    incoming rows, floats, with biases one longer.
    """

    columns: Array
    cost: Array
    outgoing: Array
    row: Array
    owner: Array
    rows: Array

    def weights(self, owner: int) -> Array:
        """The weights (P,) of the net of this owner: 0 for A, 1 for B."""
        return self.cost * 0 + (self.owner == owner).astype(int)

    @property
    def functions(self) -> tuple[Array, Array]:
        """What A and B do on the sample, (N n_out,) each."""
        return self.columns @ self.weights(0), self.columns @ self.weights(1)


def atoms(risk: Risk, theta_a: Array, theta_b: Array, *, exact: bool) -> Atoms:
    """The atoms of theta_a and theta_b (P,), at samples of positive weight.

    exact: in rationals. relu and identity features are exact then; others are taken as floats give them, and so are
    Euclidean norms. risk: one hidden layer. ValueError where features overflow.
    """
    network, sample = risk.network, risk.sample
    m, by_unit = network.widths[1], risk.kappa > 0 and risk.penalty == "path"
    rows = np.concatenate([network.weights(theta)[0] for theta in (theta_a, theta_b)])
    Z = _features(risk, rows, sample.X[sample.weights > 0], exact)
    lengths = [*map(_length, rows), *[1.0] * network.bias] if by_unit else []
    parts = []
    for owner, theta in enumerate((theta_a, theta_b)):
        V = numbers(network.weights(theta)[1], exact)
        for i in range(V.shape[1]):
            row = owner * m + i if i < m else BIAS
            for v in [V[:, i]] if by_unit else np.where(np.eye(len(V)) > 0, V[:, i], V[:, i] * 0):
                price = _cost(v, lengths[row], exact) if by_unit else np.abs(v).sum()
                with np.errstate(over="ignore"):
                    column = np.outer(Z[:, row], v).ravel()
                parts.append((column if exact else check.no_overflow(column, "theta"), price, v, row, owner))
    live = [part for part in parts if (part[0] != 0).any()]
    if not live:
        none = np.zeros(0, dtype=object if exact else float)
        return Atoms(none[None], none, none[None], none.astype(int), none.astype(int), rows)
    columns, cost, outgoing, row_of, owner_of = zip(*live)
    return Atoms(
        np.stack(columns, axis=1),
        np.array(cost),
        np.stack(outgoing, axis=1),
        np.array(row_of),
        np.array(owner_of),
        rows,
    )


def numbers(values: Any, exact: bool) -> Any:
    """Floats, values of any shape (...); where exact, as an object array (...) of the rationals that they are."""
    if not exact:
        return np.asarray(values)
    from flint import fmpq

    values = np.asarray(values, dtype=float)
    found = np.empty(values.shape, dtype=object)
    found.ravel()[:] = [fmpq(*v.as_integer_ratio()) for v in values.ravel().tolist()]
    return found[()] if found.ndim == 0 else found


def nearest_floats(values: Array) -> Array:
    """The floats nearest to values (...), which are rationals or floats already; inf beyond the largest."""

    def nearest(v: Any) -> float:
        try:
            return v if isinstance(v, float) else int(v.p) / int(v.q)
        except OverflowError:
            return np.inf if v.p > 0 else -np.inf

    return np.array([nearest(v) for v in values.ravel()]).reshape(values.shape)


def _cost(v: Array, length: float, exact: bool) -> Any:
    """|v| times a length, ValueError when it overflows."""
    return numbers(check.no_overflow(_length(nearest_floats(v)) * length, "theta"), exact)


def _length(v: Array) -> float:
    """The Euclidean norm of a vector, without underflow on the way; ValueError when it overflows."""
    largest = float(np.abs(v).max(initial=0.0)) or 1.0
    with np.errstate(over="ignore"):
        return check.no_overflow(largest * float(np.linalg.norm(v / largest)), "theta")


def _features(risk: Risk, rows: Array, X: Array, exact: bool) -> Array:
    """Features (N, 2 m) of these rows, a last column of ones with biases."""
    network = risk.network
    inputs = network.augment(X)
    if exact and network.activation in ("relu", "identity"):
        Z = numbers(inputs, True) @ numbers(rows.T, True)
        Z = Z if network.activation == "identity" else np.where(Z > 0, Z, Z * 0)
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            Z = numbers(check.no_overflow(network.rho(1).value(inputs @ rows.T), "theta"), exact)
    return np.concatenate([Z, numbers(np.ones((len(X), 1)), exact)], axis=1) if network.bias else Z
