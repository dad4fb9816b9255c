"""Proposition 2.2: is the condition on n_2, ..., n_{K-1}, for matrices W_1, ..., W_K of sizes n_k x n_{k+1}, enough?"""

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness


def attack(setting: Setting, *, units: int = 1) -> Outcome:
    """Nets whose last hidden layer has one unit, of any depth, in rational arithmetic.

    A product p of hidden weights changes sign between the ends (y, 1) and (-y, -1) of (y - v p)^2 + kappa (v^2 + p^2)
    (K = 2), so every path meets p = 0, whatever v and the other layers do. units=2 (the planted fault): the last hidden
    layer has another unit, which fits the target where the first is at zero.
    """
    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(300))):
        y = Fraction(int(rng.integers(1, 50)), int(rng.integers(1, 50)))
        kappa = y * Fraction(int(rng.integers(0, 10)), 10) * int(rng.integers(2))
        # Ends: v = p gives (y - p^2)^2 + 2 kappa p^2, lowest at p^2 = y - kappa (a root of it rounded to 1/1000).
        p = Fraction(round(1000 * float(y - kappa) ** 0.5), 1000)
        if p == 0:
            continue
        level = max(_risk(y, kappa, v, [w]) for v, w in ((p, p), (-p, -p)))
        v = Fraction(int(rng.integers(-50, 51)), int(rng.integers(1, 50)))
        other = [y / v if v else Fraction(0)] if units == 2 else []
        wall = _risk(y, kappa, v, [Fraction(0), *other])
        tally.add(float((wall - level) / y**2), y=y, kappa=kappa, v=v, end=p)
    return tally.outcome("the wall p = 0 lies above both ends")


def _risk(y: Fraction, kappa: Fraction, v: Fraction, units: list[Fraction]) -> Fraction:
    """(y - v sum units)^2 + kappa (v^2 + sum units^2), every unit with outgoing weight v."""
    return (y - v * sum(units)) ** 2 + kappa * (v * v * len(units) + sum(w * w for w in units))


def witness() -> Witness:
    """The three smallest: (1, 1, 1); (1, 2, 1, 1), where n_2 = 2 > 1 is all that is asked; (1, 1, 1) with ridge."""
    shallow = [(1 - w2 * w1) ** 2 for w1, w2 in ((1, 1), (-1, -1), (0, 7))]
    W1, W2 = np.array([[1], [0]]), np.array([[1, 0]])
    deep = [int(((1 - w3 * sign * (W2 @ W1)) ** 2)[0, 0]) for w3, sign in ((1, 1), (-1, -1), (0, 7))]
    kappa = Fraction(3, 4)
    ridge = [_risk(Fraction(1), kappa, w, [w]) for w in (Fraction(1, 2), Fraction(-1, 2), Fraction(0))]
    refuted = all(max(a, b) < wall for a, b, wall in (shallow, deep, ridge))
    return Witness(
        refuted,
        "(1 - w2 w1)^2, K = 2: 0 at (1, 1) and (-1, -1), 1 wherever w1 = 0. Widths (1, 2, 1, 1), K = 3: n_2 = 2 > 1 holds "
        "as printed, 0 at w3 = 1 and w3 = -1, 1 wherever w3 = 0. (1 - w1 w2)^2 + 3/4 (w1^2 + w2^2): 15/16 at "
        "+-(1/2, 1/2), at least 1 wherever w1 = 0",
        {"shallow": shallow, "deep": deep, "ridge": ridge},
    )


CLAIM = Claim(
    id="prop-2.2-width",
    headline="The printed condition on the widths, n_j > min(n_1, n_K) for j = 2..K-1, is enough.",
    instead="It leaves out one hidden layer: widths (1, 2, 1, 1) satisfy it and are disconnected.",
    fault="the last hidden layer gets a second unit, which opens the wall",
    source="Proposition 2.2, the condition n_j > min(n_1, n_K) for j = 2, ..., K - 1",
    statement=(
        "With matrices W_k of sizes n_k x n_{k+1}, k <= K, it suffices for connected level sets that n_j > min(n_1, n_K) "
        "for j = 2, ..., K - 1."
    ),
    standing=Standing.THEOREM,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REFUTED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, units=2),
    refute=witness,
    proof=(
        "K matrices have widths n_1, ..., n_{K+1}: the last hidden width n_K is not restricted, and for K = 2 none is. "
        "With one unit there, its outgoing (or incoming) weight changes sign between two ends of equal risk and every "
        "path passes the zero net. Needed: all K - 1 hidden widths above min(n_in, n_out)."
    ),
)
