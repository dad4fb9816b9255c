"""The Taylor expansion in the remark after Proposition 2.3."""

from fractions import Fraction

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_3_2.exact_kernel import (
    Atoms,
    Directions,
    Terms,
    in_plane,
    integers,
    over,
    relative,
    terms,
    trials,
)


def attack(setting: Setting, *, coefficient: Fraction = Fraction(1, 4)) -> Outcome:
    """[w1,w2]_Z >= (1 - alpha^2/4) ||w_m||_Z^2 - coefficient ||Sigma|| alpha^2, no remainder; 1/5 is a planted fault.

    alpha is a ball around the angle of the rational pair, the rest is exact.
    """
    tally = Tally()
    for name, agrees in _expansions().items():
        tally.add(0.0 if agrees else -1.0, expansion=name)
    # close pairs on the walls, where the quarter is attained to leading order
    for k in range(3, 12):
        pair = in_plane(1, 4**k)
        tally.add(_margin(pair, terms(pair, _walls(pair)), coefficient), measure="on both walls", alpha=pair.alpha)
    for pair, atoms, t in trials(setting, setting.instances(120, 12_200)):
        tally.add(_margin(pair, t, coefficient), measure=atoms.name, alpha=pair.alpha)
    return tally.outcome("the remark's first inequality with alpha^2/4 for 5 alpha^2/4; the expansions by sympy")


def _margin(pair: Directions, t: Terms, coefficient: Fraction) -> float:
    """A lower bound of (kernel - right-hand side) / (alpha^2/4 ||Sigma||); at alpha = 0 the slack itself, exactly."""
    from flint import arb, ctx, fmpq

    if not pair.s2:
        return relative(t.kernel - t.main, t.sigma)
    bits, ctx.prec = ctx.prec, 256
    try:

        def ball(x: Fraction) -> arb:
            return arb(fmpq(x.numerator, x.denominator))

        quarter = arb.atan2(ball(pair.s2).sqrt(), ball(pair.c2).sqrt()) ** 2  # alpha^2/4
        norm = ball(over(t.main, pair.c2))
        slack = ball(t.kernel) - norm + quarter * (norm + 4 * ball(coefficient) * ball(t.sigma))
        scale = quarter * ball(t.sigma)
        return float((slack / scale if scale > 0 else slack).lower())
    finally:
        ctx.prec = bits


def _walls(pair: Directions) -> Atoms:
    """X = (tan(alpha/2), +-1), half each, for a pair of `in_plane`."""
    c, s = int(pair.k2[0]), int(pair.k2[1])
    return Atoms(integers([[s, c], [s, -c]]), integers([1, 1]), "on both walls")


def _expansions() -> dict[str, bool]:
    """The series that the remark speaks of, to the order alpha^3."""
    import sympy as sp

    a = sp.symbols("a", positive=True)

    def agree(f: sp.Expr, g: sp.Expr) -> bool:
        return sp.expand(sp.series(f, a, 0, 4).removeO() - g) == 0

    return {
        "(1 + cos alpha)/2 = 1 - alpha^2/4": agree((1 + sp.cos(a)) / 2, 1 - a**2 / 4),
        "sharp: sin^2(alpha/2) = alpha^2/4": agree(sp.sin(a / 2) ** 2, a**2 / 4),
        "(7): 2 ((1 - cos alpha)/2 + sin^2 alpha) = 5 alpha^2/2": agree(
            2 * ((1 - sp.cos(a)) / 2 + sp.sin(a) ** 2), sp.Rational(5, 2) * a**2
        ),
    }


def witness() -> Witness:
    """alpha = 0, where both remainders vanish, and X = +-1, half each: 2/3 <= 1/2 is false. Scaling X breaks it at will."""
    one = Directions(integers([1]), integers([1]), 1)
    t = terms(one, Atoms(integers([[1], [-1]]), integers([1, 1]), "X = +-1"))
    left, right = Fraction(2, 3) / t.sigma, t.main
    tenth = Fraction(1, 100)  # X/10: both ||Sigma|| and the kernel shrink a hundredfold
    return Witness(
        bool(left > right and Fraction(2, 3) / (t.sigma * tenth) > right * tenth),
        "alpha = 0, X = +-1: the remark's first inequality reads 2/(3 ||Sigma||) = 2/3 <= ||w||_Z^2 = 1/2. For X/10 it reads "
        "200/3 <= 1/200: the left side has the wrong units.",
        {"left": float(left), "right": float(right)},
    )


CLAIM = Claim(
    id="remark-2.3-taylor",
    headline="For small angles the kernel is at least a multiple of the cosine that depends on the second moment alone.",
    instead="No such multiple exists; 1 - alpha^2/4 times the bisector's norm, less alpha^2/4 times the second moment, does.",
    fault="a fifth in place of the optimal quarter",
    source="Remark after Proposition 2.3, first display",
    statement=(
        "2/(3 ||Sigma||) <w1,w2> = 2/(3 ||Sigma||) cos alpha <= (1 - alpha^2/4) ||w_m||_Z^2 - ||Sigma|| (alpha^2/4 + alpha^2) + "
        "O(alpha^4) <= [w1,w2]_Z + O(alpha^4)."
    ),
    standing=Standing.REMARK,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.REFUTED,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, coefficient=Fraction(1, 5)),
    refute=witness,
    repaired=(
        "[w1,w2]_Z >= (1 - alpha^2/4) ||w_m||_Z^2 - (alpha^2/4) ||Sigma|| at every angle, without remainder; 1/4 is optimal. No "
        "multiple of cos(alpha) that depends on ||Sigma|| alone is a lower bound. The second printed inequality is true, with "
        "5/4 for 1/4; (7) itself gives only 5/2."
    ),
    proof="c^2 = 1 - s^2 >= 1 - alpha^2/4 and s^2 <= alpha^2/4 in the sharp form. X in {<x,w> < 0} has [w,w]_Z = 0.",
)
