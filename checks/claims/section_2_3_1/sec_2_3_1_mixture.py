"""Section 2.3.1: the mixture of two nets, theta and theta' conjectured to be local minima."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from theory.counterexamples import mixture, poor_minimum
from theory.maxima import path_maximum
from theory.networks import Network
from theory.numerics import gamma
from theory.paths import Path
from theory.risk import Risk, Sample


def gradients(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float, float]:
    """At theta: the gradient of the mixture's risk, (1 - share) times that of E|Phi - Phi(theta')|^2, a scale, and Euler's sum.

    theta . gradient over W_2 is 2 (1 - share) E <Phi(theta) - Phi(theta'), Phi(theta)>.
    """
    n, m, d = (int(rng.integers(1, 4)) for _ in range(3))
    net = Network((n, m, d))
    theta, other = rng.standard_normal((2, net.size))
    X = rng.standard_normal((int(rng.integers(3, 20)), n))
    share = float(rng.choice([0.5, 0.9, 0.99, rng.uniform(0.01, 0.99)]))
    risk = mixture(net, theta, other, share, X).risk
    towards = Risk(net, Sample(X, net(other, X))).gradient(theta)
    slope = risk.gradient(theta)
    outputs = net(theta, X)
    euler = 2 * (1 - share) * float(np.mean(np.sum((outputs - net(other, X)) * outputs, axis=1)))
    found = float(slope[net.slices[1]] @ theta[net.slices[1]])
    size = (1 + np.abs(theta).max()) ** 4 * (1 + np.abs(other).max()) ** 2 * (1 + np.abs(X).max()) ** 4
    return slope, (1 - share) * towards, gamma(8 * len(X) * n * m) * size * n * m * d, abs(found - euler)


def exact_risk(u: Fraction, v: Fraction, share: Fraction) -> Fraction:
    """F of the one-unit problem: x = +-1, Y = share at 1 and 1 - share at -1."""
    plus, minus = max(u, Fraction(0)) * v, max(-u, Fraction(0)) * v
    return ((plus - share) ** 2 + (minus - (1 - share)) ** 2) / 2


def attack(setting: Setting, *, power: int = 1, wall: Fraction = Fraction(0)) -> Outcome:
    """The gradient at theta is (1 - share)^power times that of E|Phi - Phi(theta')|^2, and poor minima do exist.

    v rho(u x) has minima (1 - share)^2/2 (u > 0) and share^2/2 (u < 0), and u = `wall` = 0 costs (share^2 +
    (1-share)^2)/2.
    """
    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(60, 6000))):
        slope, expected, rounding, euler = gradients(rng)
        if power != 1:
            expected = expected / 2
        tally.add(rounding - float(np.abs(slope - expected).max()), what="gradient")
        tally.add(rounding - euler, what="Euler's identity")
        share, u, v = (
            Fraction(int(rng.integers(1, 100)), 100),
            *(Fraction(int(k), 20) for k in rng.integers(-60, 61, 2)),
        )
        floor = ((1 - share) ** 2 if u > 0 else share**2 if u < 0 else share**2 + (1 - share) ** 2) / 2
        tally.add(float(exact_risk(u, v, share) - floor), what="each half has its minimum", u=str(u), v=str(v))
        barrier = (share**2 + (1 - share) ** 2) / 2
        tally.add(float(exact_risk(wall, v, share) - barrier), what="wall", v=str(v))
        problem = poor_minimum(float(share))
        through = np.stack([problem.theta_a, [1.0, 0.0], [-1.0, 0.0], problem.theta_b])
        top = path_maximum(problem.risk, Path(through)).upper
        tally.add(1e-12 - abs(top - float(barrier)), what="barrier attained", share=str(share))
    return tally.outcome("random nets and mixtures, and the exact one-dimensional example in rational arithmetic")


def witness() -> Witness:
    """x = +-1, Phi(theta) = rho(x), Phi(theta') = rho(-x): at theta dF/dv = 1 - share > 0, so theta is not critical."""
    share, step = Fraction(3, 4), Fraction(1, 1000)
    at, below = exact_risk(Fraction(1), Fraction(1), share), exact_risk(Fraction(1), 1 - step, share)
    poor = exact_risk(Fraction(-1), 1 - share, share), exact_risk(Fraction(1), share, share)
    return Witness(
        below < at and poor[0] > poor[1],
        "n = 1, one unit, share 3/4: theta (u = v = 1) has risk 1/16 and lowering v lowers it; the true minima are "
        "u v = 3/4 (risk 1/32) and |u| v = 1/4 (risk 9/32, poor), with barrier exactly 5/16 at u = 0",
        {"F(theta)": str(at), "F nearby": str(below), "poor minimum": str(poor[0]), "global minimum": str(poor[1])},
    )


CLAIM = Claim(
    id="sec-2.3.1-mixture",
    headline="When the targets mix two nets, both stay local minima.",
    instead="Neither is even a critical point in general; poor minima do exist, by an exact example.",
    fault="the barrier of another power of the mixture",
    source="Section 2.3.1",
    statement="For Y = z Phi(X; theta) + (1 - z) Phi(X; theta'), z Bernoulli(pi), theta and theta' stay local minima",
    standing=Standing.CONJECTURE,
    reading=True,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REFUTED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, power=2, wall=Fraction(1, 4)),
    refute=witness,
    repaired="theta is critical only if it is critical for E|Phi - Phi(theta')|^2, in particular only if "
    "E<Phi(theta) - Phi(theta'), Phi(theta)> = 0. Poor local minima do exist: for x = +-1 and one unit the minima are "
    "(1 - pi)^2/2 and pi^2/2 with barrier exactly (pi^2 + (1 - pi)^2)/2",
    proof="E[Y|X] = pi Phi(theta) + (1 - pi) Phi(theta'), so the gradient at theta is (1 - pi) times that of "
    "E|Phi - Phi(theta')|^2; scaling W_2 gives Euler's identity. The example is two half-planes glued along u = 0.",
)
