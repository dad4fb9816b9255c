"""N + 1 units in every hidden layer: every level set is connected, at any depth, by exchanging units one at a time."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_5.instances import CERTIFIED, excess, point, problem, straight
from theory.exchange import connect, units_needed
from theory.networks import Network
from theory.risk import Risk, Sample

X = ((Fraction(1),), (Fraction(-1),))


def in_fractions(W: list[np.ndarray]) -> Fraction:
    """The risk on X = +-1, Y = X of a net with integer weights."""
    total = Fraction(0)
    for x in X:
        h = list(x)
        for k, matrix in enumerate(W, start=1):
            h = [sum((int(w) * v for w, v in zip(row, h)), Fraction(0)) for row in matrix.tolist()]
            h = [max(v, Fraction(0)) for v in h] if k < len(W) else h
        total += (h[0] - x[0]) ** 2 / 2
    return total


def wall(rng: np.random.Generator, layer: int, wide: int) -> list[np.ndarray]:
    """A net on the wall of two units in layer 1 or 2: rows not of opposite sign, or parallel features."""
    widths = (1, 2, wide, 1) if layer == 1 else (1, wide, 2, 1)
    W = [rng.integers(-3, 4, (m, n)) for n, m in itertools.pairwise(widths)]
    if layer == 1:
        W[0][1] = abs(W[0][1]) * (1 if W[0][0] > 0 else -1) * rng.integers(0, 2)
    else:
        W[1][1] = W[1][0] * rng.integers(0, 3)
    return W


def sharp(tally: Tally, rng: np.random.Generator, spare: int) -> None:
    """At N = 2 two units in either layer split the nets below 1/2: the wall is at 1/2, in fractions; three do not."""
    for layer in (1, 2):
        least = min(in_fractions(wall(rng, layer, int(rng.integers(2, 5)))) for _ in range(5))
        tally.add(float(least - Fraction(1, 2)), what="wall of two units", layer=layer)
    m = 2 + spare
    risk = Risk(Network((1, m, 4, 1)), Sample(np.array([[1.0], [-1.0]]), np.array([[1.0], [-1.0]])))
    W = [np.zeros(shape) for shape in risk.network.shapes]
    W[0][:2, 0] = W[2][0, :2] = 1, -1
    W[1][:2, :2] = np.eye(2)
    theta = risk.network.pack(W)
    swapped = risk.network.permute(theta, 1, [1, 0, *range(2, m)])
    path = connect(risk, theta, swapped) if spare else straight(theta, swapped)
    tally.add(CERTIFIED - excess(risk, path, 0.0), what="the swap", width=m)


def attack(setting: Setting, *, spare: int = 1) -> Outcome:
    """The certified maximum of the exchange path is the larger end; without a spare unit the straight line is all there is."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(16, 600))):
        N, bias = int(rng.integers(1, 5)), bool(k % 3 == 0)
        layers = int(rng.integers(1, 4))
        width = max(N + spare - bias, 1)
        risk = problem(rng, [width] * layers, N=N, bias=bias)
        a, b = point(rng, risk.network), point(rng, risk.network)
        enough = width >= units_needed(risk.network, risk.sample)
        path = connect(risk, a, b) if enough else straight(a, b)
        tally.add(
            CERTIFIED - excess(risk, path), instance=k, N=N, widths=risk.network.widths, loss=risk.loss, bias=bias
        )
        sharp(tally, rng, spare)
    return tally.outcome(
        "one to three hidden layers of N + 1 units (N with biases), every loss; walls of two units in fractions"
    )


CLAIM = Claim(
    id="deep-exchange",
    headline="One unit more than samples in every hidden layer, and all level sets of a deep net are connected.",
    fault="as many units as samples",
    source="ours; N + 1 in one wide layer above a pyramid: Nguyen 2019, 2021",
    statement="kappa = 0, any activation, depth, number of outputs and convex loss: if every hidden layer has at least N + 1 units (N where the next layer has "
    "biases; d_k + 1 where the features of layer k span at most d_k dimensions), all level sets are connected. Sharp at N = 2 in each layer: X = +-1, "
    "Y = X, widths (2, any >= 2) and (any >= 2, 2) have two components at [0, 1/2)",
    standing=Standing.OURS,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, spare=0),
    proof="Reduce B to independent features, layer by layer. In A's layer k the N + 1 features are dependent, and not through B's independent ones alone: so "
    "another unit can be freed, and B's next unit takes its slot (Steinitz). The function on the sample stays A's until all of B is there; one refit of the last layer, where the "
    "risk is convex, goes over to B; the rest is cleared.",
)
