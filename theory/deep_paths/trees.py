"""Lemma 2: every net has a half that is nearly as good, drawn at random as a forest of few branches.

R the path norm, f the outputs, D = E l(f, Y). Draw l units i of layer K-1 with probability |v_i| q_i / R, outgoing weight
(R / l) v_i / (|v_i| q_i); each drawn unit of layer k, with coins of its own, draws s_k units j of layer k-1 with
probability |w_ij| q_j / q_i, incoming weight sign(w_ij) q_i / (s_k q_j); units of layer `low` keep their own rows. At most
l s_{K-1} ... s_{k+1} units of layer k are used, R does not grow, and with b = (zeta / 2) sum_{k > low} s_k^{-1/2} the mean
over the coins of E l is at most

    (sqrt(D) + sqrt(beta/2) R b)^2 + (beta/2) R^2 zeta^2 / l      l beta-smooth: squared 2, softmax 1/2, logistic 1/4
    D + L R (b + zeta / sqrt(l))                                  l Lipschitz with constant L

zeta^2 = sup_{|w|=1} E rho(<w, X>)^2 <= |Sigma|. A drawn unit has the q of its original, so its features are at most zeta q;
the inputs of a relu err by q zeta / sqrt(s) at most, which biases it by half of that (rho(t) = (t + |t|) / 2; for linear
nets by nothing); biases pass through later layers with the weights; the last draw has none. Biases of the network are kept
as they are and only the rest of a row is drawn: then X is (X, 1).

Source: ours, paper_notes.md, multilayer-2.4; sampling of deep nets: Barron and Klusowski 2018.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.deep_paths.halves import Half, Masses, charged, masses
from theory.losses import Loss
from theory.numerics import Array
from theory.numerics import validation as check
from theory.relu_kernel import second_moment_norm
from theory.risk import Risk, Sample

SAMPLED = ("relu", "identity")  # activations for which the lemma is proved

# Numbers of draws that are tried for each layer above the lowest: all of them, up to this many.
DRAWS = 32

# The bounds below round a few times after their inputs were rounded up.
_OUTWARD = 1 + 1e-12


@dataclass(frozen=True)
class Plan:
    """How many units are drawn: `top` (l), and s[k] by each unit of layer k; bound: on the mean loss, see `allowance`."""

    low: int
    top: int
    s: dict[int, int] = field(default_factory=dict)
    bound: float = math.inf

    def __str__(self) -> str:
        draws = "".join(f", s_{k} = {self.s[k]}" for k in sorted(self.s, reverse=True))
        return f"l = {self.top}{draws}"


@dataclass(frozen=True)
class Promise:
    """An upper bound on a path between two nets, and why: value; reason, in words."""

    value: float
    reason: str


def zeta(risk: Risk, *thetas: Array) -> float:
    """An upper bound on zeta; where rows do not cost, times the longest row of W_1 of thetas (P,), at least one.

    Infinite for activations that the lemma does not cover.
    """
    sample = risk.sample
    if risk.network.activation not in SAMPLED:
        return math.inf
    if risk.network.bias:
        sample = Sample(risk.network.augment(sample.X), sample.Y, sample.weights)
    size = math.sqrt(float(second_moment_norm(sample).upper)) * _OUTWARD
    if charged(risk):
        return size
    return size * max([1.0, *(float(risk.row_norms(theta).max(initial=0.0)) * _OUTWARD for theta in thetas)])


def allowance(loss: Loss, n_out: int, D: float, bias: float, variance: float) -> float:
    """The bound of the lemma on the mean of E l, rounded up; bias: R b; variance: R^2 zeta^2 / l, in n_out outputs."""
    lipschitz = loss.lipschitz(n_out)
    bounds = [math.inf]
    if math.isfinite(loss.smoothness):
        half = loss.smoothness / 2
        bounds.append((math.sqrt(D) + math.sqrt(half) * bias) ** 2 + half * variance)
    if math.isfinite(lipschitz):
        bounds.append(D + lipschitz * (bias + math.sqrt(variance)))
    return min(bounds) * _OUTWARD


def plan(risk: Risk, low: int, D: float, R: float, size: float) -> Plan:
    """The draws with the least bound that fit into half of each layer k >= low, for a net with loss D and path norm R.

    size: zeta.
    """
    network = risk.network
    rooms = [width // 2 for width in network.hidden[low - 1 :]][::-1]  # the top layer first
    share = 0.0 if network.activation == "identity" else 0.5
    best = Plan(low, 0)
    for draws in _draws(rooms):
        layers = range(network.depth - 1, low, -1)
        bias = R * size * share * sum(s**-0.5 for s in draws[1:])
        bound = allowance(risk.criterion, network.widths[-1], D, bias, (R * size) ** 2 / draws[0])
        if bound < best.bound:
            best = Plan(low, draws[0], dict(zip(layers, draws[1:])), bound)
    return best if best.top else Plan(low, 1, dict.fromkeys(range(network.depth - 1, low, -1), 1))


def _draws(rooms: list[int]) -> Any:
    """(l, s_{K-1}, ..., s_{low+1}) with products at most the rooms; the last is as large as it can be."""
    if len(rooms) == 1:
        return [(rooms[0],)]
    first = np.unique(np.geomspace(1, rooms[0], DRAWS).astype(int)).tolist()
    if rooms[0] <= DRAWS:
        first = list(range(1, rooms[0] + 1))
    lists = ([(d, *rest) for rest in _draws([r // d for r in rooms[1:]])] for d in first if d <= min(rooms))
    return itertools.chain.from_iterable(lists)


def bound(risk: Risk, level: float, *thetas: ArrayLike) -> Promise:
    """What Theorem 2.4 at depth K promises for two nets below `level`: an upper bound on a path between them.

    With a penalty V = level / kappa or F(0) / kappa bounds their path norms, half of the latter under squared loss. thetas
    (P,): nets of which the actual path norms are taken instead; without a penalty there is no other. Never above the
    larger of level and F(0), to which the path through the zero net keeps.
    """
    level = check.number(level, "level", minimum=0.0)
    network, zero = check.instance(risk, "risk", Risk).network, max(level, risk.scale)
    nets = [check.vector(theta, network.size, "theta") for theta in thetas]
    V = math.inf
    if risk.R is not None:
        V = min(level, risk.scale / (2 if risk.loss == "squared" else 1)) / risk.kappa
    if nets:
        V = min(V, max(masses(risk, theta).R for theta in nets))
    size = zeta(risk, *nets)
    if not math.isfinite(V) or not math.isfinite(size):
        what = "V is not bounded without a penalty" if math.isfinite(size) else "trees need relu or identity activation"
        return Promise(zero, f"through the zero net: {what}")
    best = plan(risk, 1, level, V, size)
    if best.bound >= zero:
        why = "it is below the larger end" if zero == level else "widths are too small for less"
        return Promise(zero, f"through the zero net: {why}")
    return Promise(best.bound, f"Theorem 2.4 at depth {network.depth} with {best}, V = {V:.6g}")


def tree(risk: Risk, theta: Array, weights: Masses, plan: Plan, rng: Any) -> Half:
    """One draw for theta (P,) by this plan; weights: its masses, R > 0; rng.choice(n, size, p=p) tosses the coins."""
    network = risk.network
    W, K = network.weights(theta), network.depth
    top = weights.top
    drawn = _tossed(top, plan.top, rng)
    head = W[-1][:, drawn] * (top.sum() / plan.top / top[drawn])
    head = np.concatenate([head, W[-1][:, network.hidden[-1] :]], axis=1)
    rows: list[Array] = []
    for k in range(K - 1, plan.low, -1):
        row, drawn = _children(W[k - 1][drawn], weights.q[k - 2], plan.s[k], rng)
        rows.insert(0, row)
    units, at = np.unique(drawn, return_inverse=True)
    if rows:
        rows[0] = _merged(rows[0], at, len(units))
    else:
        head = _merged(head, at, len(units))
    return Half(plan.low, units, tuple(rows), head, f"a tree with {plan}")


def _children(W: Array, q: Array, s: int, rng: Any) -> tuple[Array, Array]:
    """What drawn units with incoming rows W (u, h) read: rows (u, u s), and which units (u s,) of the layer below that is."""
    u, h = len(W), len(q)
    rows, drawn = np.zeros((u, u * s)), np.zeros(u * s, dtype=int)
    for i in range(u):
        p = np.abs(W[i, :h]) * q
        if p.any():
            below = _tossed(p, s, rng)
            drawn[i * s : (i + 1) * s] = below
            rows[i, i * s : (i + 1) * s] = np.sign(W[i, below]) * (p.sum() / s / q[below])
    read = rows.any(axis=0)
    return np.concatenate([rows[:, read], W[:, h:]], axis=1), drawn[read]


def _tossed(mass: Array, count: int, rng: Any) -> Array:
    """`count` indices of mass (h,), each drawn with probability proportional to it; none where all of it is zero."""
    if not mass.any():
        return np.zeros(0, dtype=int)
    p = mass / mass.max()  # sums of subnormal numbers are not sums
    drawn: Array = rng.choice(len(p), count, p=p / p.sum())
    return drawn


def _merged(rows: Array, at: Array, count: int) -> Array:
    """Rows (r, u) with the columns of equal units added up, (r, count); a last bias stays last."""
    merged = np.zeros((len(rows), count + rows.shape[1] - len(at)))
    np.add.at(merged.T, at, rows[:, : len(at)].T)
    merged[:, count:] = rows[:, len(at) :]
    return merged
