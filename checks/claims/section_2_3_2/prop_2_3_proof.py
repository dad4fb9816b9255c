"""The proof of Proposition 2.3 (appendix B.3), step by step."""

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_3_2.exact_kernel import (
    Atoms,
    Directions,
    Terms,
    in_plane,
    integers,
    relative,
    terms,
    trials,
)


def attack(setting: Setting, *, everywhere: bool = False) -> Outcome:
    """Each repaired step in integers, and the printed bounds of E1 up to 2 pi/3 and 3 pi/4; `everywhere`: at all angles."""
    tally = Tally()
    for pair, atoms, t in trials(setting, setting.instances(120, 12_200)):
        for step, slack in _steps(pair, t, everywhere).items():
            tally.add(relative(slack, pair.s2 * t.sigma), step=step, measure=atoms.name, alpha=pair.alpha)
    return tally.outcome("E1, E2, the wedges and r = cos(alpha/2) on discrete measures and real tables, in integers")


def _steps(pair: Directions, t: Terms, everywhere: bool) -> dict[str, Fraction]:
    c2, s2, sin2 = pair.c2, pair.s2, pair.sin2
    steps = {
        "(17) is an equality with r = cos(alpha/2)": -abs(t.kernel - (t.main - t.E1 - t.E2)),
        "0 <= E1": t.E1,
        "0 <= E2": t.E2,
        "E1 <= s^2 E[<X,d^>^2 1_B]": t.across_B - t.E1,
        "E1 <= r^2 s^2 E[|QX|^2 1_B]": c2 * s2 * t.energy_B - t.E1,
        "E2 = s^2 E[<X,d^>^2 1_A]": -abs(t.E2 - t.across_A),
        "(19), first": s2 * t.energy_A - t.E2,
        "(19), second, without its 2": s2 * t.sigma - t.E2,
        "E1 + E2 <= s^2 ||Sigma||": s2 * t.sigma - t.E1 - t.E2,
    }
    if not c2 or 4 * c2 >= 1 or everywhere:  # alpha <= 2 pi/3, or alpha = pi, where both sides vanish
        steps["(18), first, alpha <= 2 pi/3"] = c2 * sin2 * t.energy_B - t.E1
    if not c2 or 2 * c2 >= 1 or 2 * sin2 >= 1 or everywhere:  # alpha <= 3 pi/4, or pi
        steps["(18), second, alpha <= 3 pi/4"] = 2 * c2 * sin2 * t.sigma - t.E1
    return steps


def witnesses() -> Witness:
    """Four, in fractions: r; both steps of (18) at cos(alpha/2) = 7/25, alpha = 147.5 degrees; the centred covariance."""
    right = Directions(integers([1, 0]), integers([0, 1]), 1)
    r_squared, r_printed = right.c2, right.c2  # |w1 + w2|^2/4 = (1 + cos alpha)/2, which the proof calls r

    obtuse = in_plane(3, 4)  # c = 7/25, s = 24/25
    first = terms(obtuse, Atoms(integers([[10, 3]]), integers([1]), "X = (10, 3)"))
    claimed_first = obtuse.c2 * obtuse.sin2 * first.energy_B
    second = terms(obtuse, Atoms(integers([[1, 1], [1, -1]]), integers([1, 1]), "X = (1, +-1)"))
    claimed_second = 2 * obtuse.c2 * obtuse.sin2  # Sigma is the identity

    acute = in_plane(1, 3)  # c = 4/5, s = 3/5
    constant = terms(acute, Atoms(integers([[2, 1]]), integers([1]), "X = (2, 1)"))  # its covariance is zero
    values = {
        "r": float(np.sqrt(float(r_squared))),
        "r_printed": float(r_printed),
        "E1": float(first.E1),
        "(18) first": float(claimed_first),
        "E1 of (1, +-1)": float(second.E1),
        "(18) second": float(claimed_second),
        "kernel of a constant X": float(constant.kernel),
        "(7) with the covariance": float(constant.main),
    }
    refuted = (
        r_printed**2 != r_squared
        and first.E1 > claimed_first
        and second.E1 > claimed_second
        and constant.kernel < constant.main
    )
    explanation = (
        "r: at a right angle |w1 + w2|/2 = 0.7071, printed 1/2. (18): at cos(alpha/2) = 7/25 both bounds of E1 fail, the "
        "first for X = (10, 3), the second for X = (1, +-1). Covariance: X = (2, 1) a.s. has none, and (7) fails with it."
    )
    return Witness(refuted, explanation, values)


CLAIM = Claim(
    id="prop-2.3-proof",
    headline="The printed proof of Proposition 2.3 is right step by step.",
    instead="Its first step fails beyond 120 degrees, the second beyond 135; the radius and the covariance are misprinted.",
    fault="the printed first step at every angle",
    source="Appendix B.3, eqs (16)-(19)",
    statement=(
        "r = |w1 + w2|/2 = (1 + cos alpha)/2; 0 <= E1 <= r^2 sin^2(alpha) int_B |x|^2 dP <= r^2 sin^2(alpha) 2 ||Sigma||; "
        "0 <= E2 <= |d|^2 int_A |x|^2 dP <= (1 - cos alpha)/2 2 ||Sigma||; Sigma is called the covariance."
    ),
    standing=Standing.PROOF_STEP,
    tightness=Tightness.UPPER,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, everywhere=True),
    refute=witnesses,
    repaired=(
        "r = cos(alpha/2); E1 <= s^2 E[<X,d^>^2 1_B] and E1 <= r^2 s^2 int_B |x|^2 dP with s = sin(alpha/2) in place of "
        "sin(alpha); E2 = s^2 E[<X,d^>^2 1_A]; E1 + E2 <= s^2 ||Sigma||; Sigma = E X X^T, not centred. The printed (18) "
        "holds up to 2 pi/3 (first step) and 3 pi/4 (second), and at no larger angle below pi."
    ),
    proof="On B c<x,w_m> < s|<x,d^>|, so |<x,w_m>| < s|x| in the plane; on A and B together E1 + E2 <= s^2 E<X,d^>^2.",
)
