"""Theorem 1: Theorem 2.4 at any depth, with constants."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_5.instances import CERTIFIED
from theory.deep_paths import allowance, bound, connect
from theory.networks import Network
from theory.risk import Risk, Sample


def wide(rng: np.random.Generator, hidden: tuple[int, ...], loss: str) -> tuple[Risk, np.ndarray, np.ndarray]:
    """zeta = 1, E |Y|^2 = 1 and two nets with few cancellations, so that the bound is below the risk of the zero net."""
    N, network = 8, Network((2, *hidden, 1))
    X = np.c_[np.ones(N), 1e-2 * rng.standard_normal(N)]
    X /= np.sqrt(np.linalg.eigvalsh(X.T @ X / N)[-1])
    Y = np.ones(N) if loss == "hinge" else X[:, 0] / np.sqrt(np.mean(X[:, 0] ** 2))
    risk = Risk(network, Sample(X, Y), loss=loss, kappa=0.5 if loss == "squared" else 0.2, penalty="path")

    def net() -> np.ndarray:
        W = [np.abs(rng.standard_normal(shape)) for shape in network.shapes]
        W[0][:, 1] *= rng.choice([-0.1, 0.1], hidden[0])
        for matrix in W[1:]:
            matrix *= np.where(rng.uniform(size=matrix.shape) < 0.01, -1, 1)
        W[-1] *= (0.75 if loss == "squared" else 1.0) / float(np.mean(network(network.pack(W), X)))
        return network.pack(W)

    return risk, net(), net()


def mean_at_the_tight_net(draws: int) -> Fraction:
    """The mean over all coins of (y - f)^2 for x = 1, y = -1, rows (1, -1)/2 that cancel, s_2 = 1: unit features are 1 or 0."""
    values = [(1 + Fraction(sum(coins), draws)) ** 2 for coins in product((0, 1), repeat=draws)]
    return sum(values, Fraction(0)) / len(values)


def attack(setting: Setting, *, part: float = 1.0) -> Outcome:
    """Paths by trees stay below the promise where that is below the zero net; the mean of Lemma 2 exactly. part: of b."""
    tally, rng = Tally(), setting.rng
    shapes = (((96, 24), "squared"), ((60,), "squared"), ((200,), "hinge"), ((128, 32), "squared"))
    for k in setting.each(range(setting.instances(4, 60))):
        hidden, loss = shapes[k % len(shapes)]
        for _ in range(50):  # until the promise says something
            risk, a, b = wide(rng, hidden, loss)
            promised = bound(risk, max(risk(a), risk(b)))
            if promised.value < risk.scale * (1 - CERTIFIED):
                break
        found = connect(risk, a, b, rng=rng, tool="trees")
        tally.add((promised.value - found.maximum.upper) / risk.scale + CERTIFIED, instance=k, hidden=hidden, loss=loss)
        tally.add(risk.scale - promised.value, what="the promise says something", hidden=hidden, loss=loss)
    criterion = Risk(Network((1, 1, 1)), Sample(np.array([[1.0]]), np.array([[-1.0]]))).criterion
    for draws in range(1, 9):
        mean = mean_at_the_tight_net(draws)  # 9/4 + 1/(4 l); R = zeta = D = 1, b = 1/2
        limit = allowance(criterion, 1, 1.0, 0.5 * part, 1 / draws)
        tally.add(
            limit - float(mean) if mean == Fraction(9, 4) + Fraction(1, 4 * draws) else -1.0, what="mean", draws=draws
        )
    return tally.outcome(
        "one and two hidden layers, promises below F(0), paths by trees alone; the mean at the tight net in fractions"
    )


CLAIM = Claim(
    id="multilayer-2.4",
    headline="Theorem 2.4 holds at every depth: wide nets below a level are joined a little above it.",
    fault="half of the bias b of inner draws",
    source="ours; answers the first open question of Section 5",
    statement="kappa > 0, path norm, relu, convex loss, m_k >= 2 l s_{K-1} ... s_{k+1}: any two nets with F <= lambda are joined below lambda + sqrt(2 beta lambda) V b + (beta/2) V^2 (b^2 + zeta^2 / l) "
    "for beta-smooth losses, lambda + L V (b + zeta / sqrt(l)) for L-Lipschitz ones, and never above max(lambda, E l(0, Y)); b = (zeta/2) sum s_k^(-1/2), V = min(lambda, E l(0, Y)) / kappa (squared loss: "
    "min(lambda, E |Y|^2 / 2) / kappa)",
    standing=Standing.OURS,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, part=0.5),
    proof="Draw l units of the last hidden layer in proportion to |v_i| q_i, for each of them s_k units below, and so on: R stays, a unit's input errs by q zeta / sqrt(s), which biases rho by half of that, "
    "and the last draw is unbiased with variance V^2 zeta^2 / l. Some outcome is no worse than the mean; dropout-reduction joins the nets through it.",
)
