"""Proposition 2.2, 'and therefore there are no poor local minima': does Proposition 2.1 give that?"""

from fractions import Fraction
from itertools import pairwise

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_2.instances import integers, square_sum
from checks.claims.section_2_2.prop_2_2_decreasing import poor_minimum


def attack(setting: Setting, *, kappa: int = 0) -> Outcome:
    """Exact: every theta has other points at any distance, however small, with the same risk; no minimum is strict.

    kappa=1 (the planted fault): with ridge the rescaled point has another risk.
    """
    import flint

    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(200))):
        depth = int(rng.integers(2, 5))
        widths = [int(n) for n in rng.integers(1, 4, depth + 1)]
        W = [integers(rng, after, before) for before, after in pairwise(widths)]
        if rng.integers(3) == 0:
            W[int(rng.integers(depth))] *= 0
        X, Y = integers(rng, widths[0], 4), integers(rng, widths[-1], 4)
        near = flint.fmpq(1, 10 ** int(rng.integers(1, 30)))
        moved = _neighbour(W, near)
        distance = sum((square_sum(A - B) for A, B in zip(W, moved)), start=flint.fmpq(0))
        size = 1 + sum((square_sum(A) for A in W), start=flint.fmpq(0))
        same = _risk(W, X, Y, kappa) == _risk(moved, X, Y, kappa)
        tally.add(1.0 if same and 0 < distance <= 2 * size * near * near else -1.0, widths=widths, near=near)
    return tally.outcome("a neighbour of equal risk at distances down to 1e-29")


def _neighbour(W: list, near) -> list:
    """Another point with the same product: (1 + near) W_1 and W_2 / (1 + near), or any change of a matrix next to zero."""
    moved = list(W)
    if W[0].rank() == 0 and W[1].rank() == 0:
        moved[0] = W[0] * 1
        moved[0][0, 0] = near  # W_2 = 0 hides it
        return moved
    moved[0], moved[1] = W[0] * (1 + near), W[1] / (1 + near)
    return moved


def _risk(W: list, X, Y, kappa: int):
    out = X
    for A in W:
        out = A * out
    return square_sum(out - Y) + kappa * sum((square_sum(A) for A in W), start=Y[0, 0] * 0)


def witness() -> Witness:
    """As printed there are poor minima (one hidden unit, ridge); and where there are none, none is strict either."""
    value, lower, gradient, minors = poor_minimum()
    same = {(1 - (1 + Fraction(1, n)) * (1 / (1 + Fraction(1, n)))) ** 2 for n in range(1, 50)}
    return Witness(
        not any(gradient) and all(minor > 0 for minor in minors) and lower < value and same == {0},
        "the printed widths allow one hidden unit: with ridge, E X X^T = diag(1/4, 1), Y = diag(3, 1) X, kappa = 7/16 the point "
        "W_1 = (0, 3/4), W_2 = W_1^T is a strict local minimum, 751/256, above 46849/16384 elsewhere. And (1 - w2 w1)^2 has no "
        "strict minimum for Proposition 2.1 to speak of: (1 + 1/n, 1/(1 + 1/n)) is as low as (1, 1)",
        {"F": str(value), "lower": str(lower)},
    )


CLAIM = Claim(
    id="prop-2.2-no-strict-minima",
    headline="Connected level sets prove that wide linear nets have no poor local minima.",
    instead="There are none from width min(n_in, n_out) on, but no minimum is strict, so connectedness proves nothing.",
    fault="with ridge, where the rescaled point has another risk",
    source="Proposition 2.2, 'and therefore there are no poor local minima in these cases'",
    statement="n_j > min(n_1, n_K) for j = 2..K-1: the level sets are connected, and therefore there are no poor local minima.",
    repaired=(
        "There are none for kappa = 0, convex differentiable losses and hidden widths >= min(n_in, n_out), nor with ridge for "
        "K = 2, but for kappa = 0 not therefore: for K >= 2 no local minimum is strict, so Proposition 2.1 says nothing."
    ),
    standing=Standing.THEOREM,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, kappa=1),
    refute=witness,
    proof=(
        "((1 + e) W_1, W_2 / (1 + e), W_3, ...) has the same product; where W_1 and W_2 vanish, W_1 may be anything. "
        "That minima are global: Laurent and von Brecht (2018); squared loss, K = 2, and ridge: prop-2.2-decreasing."
    ),
)
