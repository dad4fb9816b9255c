"""Nets that use part of their units: what Lemma 1 goes through on its way, and what their weights weigh.

A *half* A^(j) of a net A (j = K - low) has few units in each layer k >= low; its units of layer `low`, and everything
below, are A's own. Its layers above are rows of its own, and so is its last matrix, the *head*.

Masses: q^k_i, the path norm up to unit i of layer k, so that |z^k_i(x)| <= q^k_i |x|; R = sum_i |W_K e_i| q^{K-1}_i. Under
the penalty ||W_2||_1 of one hidden layer, which does not charge for rows, q = 1 and |.| is the l1 norm. With biases the
constant is one more unit, with q = 1; it never moves, and every half keeps it.

Source: ours, paper_notes.md, multilayer-2.4; the lemma with halves assumed: Kuditipudi et al. 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.crossing import reading
from theory.networks import Network
from theory.numerics import Array
from theory.penalties import lengths
from theory.risk import Risk


@dataclass(frozen=True, eq=False)
class Half:
    """A net on few units: `units` (u,) of layer `low`, the net's own; rows of the layers above; the head; tool: what made it.

    rows: (u_k, u_{k-1}) for k = low + 1 .. K - 1; head (n_out, u_{K-1}); one more column each with biases.
    """

    low: int
    units: Array
    rows: tuple[Array, ...]
    head: Array
    tool: str

    def embedded(self, network: Network, theta: Array) -> Array:
        """Parameters (P,) of a net with this function and path norm: theta (P,) up to layer low, above it the first slots."""
        W = [matrix.copy() for matrix in network.weights(theta)]
        slots = self.units
        for k, rows in enumerate((*self.rows, self.head), start=self.low):
            last = k == self.low + len(self.rows)
            at = np.arange(len(rows))
            full = np.zeros_like(W[-1 if last else k])
            full[at] = spread(rows, slots, full.shape[1], network.bias)
            W[-1 if last else k], slots = full, at
        return network.pack(W)

    def load(self) -> Array:
        """By how much the units of layer low + 1 count in the outputs, (u_{low+1},): |head| through the rows above them."""
        load = np.abs(self.head).sum(axis=0)
        for rows in reversed(self.rows[1:]):
            load = load[: len(rows)] @ np.abs(rows)
        return load[: len(self.rows[0])] if self.rows else load

    def features(self, network: Network, Z: Array) -> Array:
        """What the head reads, (N, u_{K-1}), with biases a last column of ones; Z (N, n_low): features of layer low."""
        Z = network.augment(Z[:, self.units])
        for k, rows in enumerate(self.rows, start=self.low + 1):
            Z = network.augment(network.rho(k).value(Z @ rows.T))
        return Z

    def reach(self, network: Network, q: Array, charged: bool) -> Array:
        """The masses of what the head reads, (u_{K-1},), with biases a last 1; q (n_low,): those of layer low.

        charged: whether rows cost (else all masses are one).
        """
        q = network.augment(q[self.units])
        for rows in self.rows:
            q = network.augment(np.abs(rows) @ q if charged else np.ones(len(rows)))
        return q


@dataclass(frozen=True, eq=False)
class Masses:
    """q^k of every hidden layer, tuple of (n_k,); columns (n_{K-1},): |W_K e_i|; bias: what the last bias costs; R."""

    q: tuple[Array, ...]
    columns: Array
    bias: float
    R: float

    @property
    def top(self) -> Array:
        """|W_K e_i| q_i of the last hidden layer, (n_{K-1},)."""
        return self.columns * self.q[-1]


def charged(risk: Risk) -> bool:
    """Whether rows cost: all penalties here but that of eq. (6)."""
    return risk.R is None or risk.penalty != "second_layer_l1"


def masses(risk: Risk, theta: Array) -> Masses:
    """The masses of a net theta (P,); infinite where float64 overflows."""
    network, W = risk.network, risk.network.weights(theta)
    with np.errstate(over="ignore", invalid="ignore"):
        q = [lengths(W[0]) if charged(risk) else np.ones(len(W[0]))]
        for matrix in W[1:-1]:
            q.append(np.abs(matrix) @ network.augment(q[-1]))
        columns = lengths(W[-1].T) if charged(risk) else np.abs(W[-1]).sum(axis=0)
        width = network.hidden[-1]
        top, bias = columns[:width] * q[-1], float(columns[width:].sum())
        return Masses(tuple(q), columns[:width], bias, float(top.sum()) + bias)


def spread(rows: Array, slots: Array, width: int, bias: bool) -> Array:
    """Rows (r, u) that read u units, as rows (r, width) that read them in their slots (u,); a last bias stays last."""
    full = np.zeros((len(rows), width))
    full[:, slots] = rows[:, : len(slots)]
    if bias:
        full[:, -1] = rows[:, -1]
    return full


def nothing(network: Network, low: int) -> Half:
    """The zero net as a half: no units, and a head of zeros."""
    none, bias = np.zeros(0, dtype=int), int(network.bias)
    rows = tuple(np.zeros((0, bias)) for _ in range(low + 1, network.depth))
    return Half(low, none, rows, np.zeros((network.widths[-1], bias)), "nothing")


def own(network: Network, theta: Array, units: Array) -> Half:
    """The half of theta (P,) that has these units (u,) of the last hidden layer, weights unchanged."""
    head = network.weights(theta)[-1]
    narrow = reading(head, units, np.arange(len(units)), network.bias)
    keep = np.append(np.arange(len(units)), [head.shape[1] - 1] if network.bias else []).astype(int)
    return Half(network.depth - 1, units, (), narrow[:, keep], "own weights")
