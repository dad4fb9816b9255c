"""The upper bound in the remark after Proposition 2.3."""

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_3_2.exact_kernel import Atoms, in_plane, integers, relative, terms, trials


def attack(setting: Setting, *, half_angle: bool = True) -> Outcome:
    """Integers: [w1,w2]_Z <= c^2 ||w_m||_Z^2 <= c^2 ||Sigma||; half_angle=False puts cos(alpha) for c^2, as printed."""
    tally = Tally()
    for pair, atoms, t in trials(setting, setting.instances(120)):
        c2 = pair.c2 if half_angle else pair.c2 - pair.s2
        main = t.main if half_angle or not pair.c2 else t.main * c2 / pair.c2
        for form, slack in {"first": main - t.kernel, "second": c2 * t.sigma - main}.items():
            tally.add(relative(slack, t.sigma), form=form, measure=atoms.name, alpha=pair.alpha)
    return tally.outcome("discrete measures and real tables, in integers")


def witness() -> Witness:
    """X = w_m almost surely, cos(alpha) = 7/25: the kernel is 16/25, above cos(alpha) ||w_m||_Z^2 = cos(alpha) ||Sigma||."""
    pair = in_plane(1, 3)  # c = 4/5, s = 3/5
    t = terms(pair, Atoms(integers([[1, 0]]), integers([1]), "X = w_m"))
    cosine, norm = pair.c2 - pair.s2, t.main / pair.c2
    wide = in_plane(1, 2)  # c = 3/5: cos(alpha) < 0, where the second inequality turns
    spread = terms(wide, Atoms(integers([[1, 0], [-1, 0]]), integers([1, 1]), "X = +-w_m"))
    second = (wide.c2 - wide.s2) * spread.main / wide.c2, (wide.c2 - wide.s2) * 1
    return Witness(
        bool(t.kernel > cosine * norm and t.kernel > cosine * t.sigma and second[0] > second[1]),
        "X = w_m a.s. at cos(alpha) = 7/25: [w1,w2]_Z = 16/25 > 7/25 = <w1,w2> ||w_m||_Z^2 = ||Sigma|| <w1,w2>. For obtuse "
        "angles the second inequality fails too: X = +-w_m, ||w_m||_Z^2 = ||Sigma||/2, cos(alpha) = -7/25.",
        {"kernel": float(t.kernel), "claimed": float(cosine * norm), "obtuse": tuple(map(float, second))},
    )


CLAIM = Claim(
    id="remark-2.3-upper",
    headline="The kernel is at most the inner product of the units times a norm.",
    instead="The cosine of half the angle, squared, is right; the cosine of the angle is too small.",
    fault="the cosine of the angle, as printed",
    source="Remark after Proposition 2.3, last display",
    statement="[w1,w2]_Z <= <w1,w2> ||w_m||_Z^2 <= ||Sigma|| <w1,w2>.",
    standing=Standing.REMARK,
    tightness=Tightness.UPPER,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.PROVED,
    confirm=attack,
    control=lambda setting: attack(setting, half_angle=False),
    refute=witness,
    repaired="[w1,w2]_Z <= cos^2(alpha/2) ||w_m||_Z^2 <= ||Sigma|| cos^2(alpha/2) = ||Sigma|| (1 - alpha^2/4 + O(alpha^4)).",
    proof="(7), and E max(0, <w_m, X>)^2 <= w_m' Sigma w_m <= ||Sigma||. cos(alpha) < cos^2(alpha/2) for 0 < alpha <= pi.",
)
