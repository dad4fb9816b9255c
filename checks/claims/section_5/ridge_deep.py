"""Theorem 2.4 for three layers and more with ridge: no, a wall of fixed height stands round the zero net at every width."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from theory.masses import deep_wall
from theory.networks import Network
from theory.risk import Risk, Sample

Matrix = list[list[Fraction]]


def attack(setting: Setting, *, penalty: str = "ridge") -> Outcome:
    """F - F(0) >= kappa |theta|^2 - 2 c (|theta|^2 / K)^(K/2) for relu nets of any widths, in fractions; so on the sphere the wall.

    penalty: "path" is a planted fault, R then is the path norm, exact with one input and one output.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(150))):
        K = int(rng.integers(3, 6))
        widths = [1, *rng.integers(1, 4, K - 1).tolist(), 1]
        if k % 3 == 0:  # the direction in which the wall is lowest
            W = [[[Fraction(int(i == j == 0)) for j in range(n)] for i in range(m)] for n, m in pairwise(widths)]
        else:
            W = [[[Fraction(int(v)) for v in row] for row in rng.integers(-2, 3, (m, n))] for n, m in pairwise(widths)]
        X, Y = ([Fraction(int(v)) for v in rng.integers(1, 4, 3)] for _ in range(2))
        kappa, scale = Fraction(1, int(rng.integers(2, 40))), Fraction(int(rng.integers(1, 60)), 40)
        W = [[[scale * v for v in row] for row in matrix] for matrix in W]
        squares = sum(v * v for matrix in W for row in matrix for v in row)
        cost = kappa * (squares if penalty == "ridge" else _path_norm(W))
        rise = sum((y - _output(W, x)) ** 2 - y * y for x, y in zip(X, Y)) / len(X) + cost
        lacking = kappa * squares - rise
        c2 = sum(y * y for y in Y) * sum(x * x for x in X) / Fraction(len(X) ** 2)
        margin = 1 if lacking <= 0 else 4 * c2 * (squares / K) ** K - lacking**2
        tally.add(float(margin), depth=K, widths=widths, kappa=str(kappa), squares=str(squares))
    return tally.outcome("relu nets in fractions, widths 1 to 3, depths 3 to 5; c from E Y^2 and E X^2")


def _output(W: list[Matrix], x: Fraction) -> Fraction:
    h = [x]
    for k, matrix in enumerate(W):
        h = [sum((w * v for w, v in zip(row, h)), Fraction(0)) for row in matrix]
        h = h if k == len(W) - 1 else [max(v, Fraction(0)) for v in h]
    return h[0]


def _path_norm(W: list[Matrix]) -> Fraction:
    q = [abs(row[0]) for row in W[0]]
    for matrix in W[1:]:
        q = [sum((abs(w) * v for w, v in zip(row, q)), Fraction(0)) for row in matrix]
    return q[0]


def witness() -> Witness:
    """(1 - w_3 w_2 w_1)^2 + |w|^2 / 10, padded with idle units to widths 8 and 64: the same wall, the same lower net."""
    kappa, end = Fraction(1, 10), Fraction(19, 20)
    low = (1 - end**3) ** 2 + 3 * kappa * end**2
    # on |w|^2 = 3/100: 3/1000 - 2 |w_1 w_2 w_3| with |w_1 w_2 w_3| <= (1/100)^(3/2) = 1/1000
    wall = 1 + kappa * Fraction(3, 100) - 2 * Fraction(1, 1000)
    computed = []
    for width in (1, 8, 64):
        network = Network((1, width, width, 1))
        risk = Risk(network, Sample(np.ones((1, 1)), np.ones((1, 1))), kappa=0.1, penalty="ridge")
        W = [np.zeros(shape) for shape in network.shapes]
        for matrix in W:
            matrix[0, 0] = 0.95
        computed.append(abs(risk(network.pack(W)) - float(low)) < 1e-12 and abs(deep_wall(risk) - float(wall)) < 1e-9)
    return Witness(
        refuted=bool(low < 1 < wall and all(computed)),
        explanation="widths 1, 8 and 64, one sample: the zero net has risk 1, a net with one unit a layer 0.291, and every path between them passes "
        "1.001: at level 1 the gap is 0.001 at every width",
        values={"risk at 19/20 (1, 1, 1)": str(low), "wall": str(wall)},
    )


CLAIM = Claim(
    id="ridge-deep",
    headline="With ridge on all layers deep nets become connected with the width, as with one hidden layer.",
    instead="Three layers or more: a wall round the zero net keeps its height at every width; the path norm has none.",
    fault="the path norm in place of ridge",
    source="Section 2.3.3, after Theorem 2.4: 'more general regularizations', with section 5, more layers",
    statement="Theorem 2.4 with ridge on all layers, K >= 3: the energy gap tends to 0 with the widths.",
    standing=Standing.CONJECTURE,
    reading=True,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.REFUTED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, penalty="path"),
    refute=witness,
    proof=(
        "|rho(t)| <= |t| gives |f| <= prod |W_k| |X|, so F - F(0) >= kappa s - 2 c (s/K)^(K/2), s = |theta|^2, c = (E|Y|^2)^(1/2) |Sigma|^(1/2) > 0, by Cauchy-Schwarz and the "
        "inequality of means. The maximum over s, kappa (K-2) (kappa/c)^(2/(K-2)), is passed on the way to any net with F < E|Y|^2; no biases. If one net is below, so it is "
        "padded with zeros at every width."
    ),
)
