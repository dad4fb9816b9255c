"""The sharp form of Proposition 2.3, which also says what the constant is."""

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_3_2.exact_kernel import relative, terms, trials


def attack(setting: Setting, *, constant: tuple[int, int] = (1, 1)) -> Outcome:
    """Integers only: the chain of lower bounds, the upper bound, E1 + E2 and the symmetric form; and where they are attained.

    `constant` multiplies s^2 ||Sigma||; (9, 10) is a planted fault, as 1 is optimal.
    """
    tally = Tally()
    up, down = constant
    for pair, atoms, t in trials(setting, setting.instances(100, 10_100)):
        s2, c2, scale = pair.s2, pair.c2, pair.s2 * t.sigma
        slacks = {
            "kernel <= c^2 ||w_m||^2": t.main - t.kernel,
            "half-space form": t.kernel - (t.main - t.across_C),
            "half-space <= direction": t.across - t.across_C,
            "norm form": t.kernel - (t.main - s2 * t.sigma * up / down),
            "E1 + E2 <= min(s^2, c^2) ||Sigma||": min(s2, c2) * t.sigma - (t.main - t.kernel),
        }
        for form, slack in slacks.items():
            tally.add(relative(slack, scale), form=form, measure=atoms.name, alpha=pair.alpha)
        twin = terms(pair, atoms.mirrored)  # the symmetrised law is half of each
        excess = (t.kernel + twin.kernel) / 2 - (t.along - t.across) / 2
        for form, slack in {"symmetric, lower": excess, "symmetric, upper": t.across / 2 - excess}.items():
            tally.add(relative(slack, scale), form=form, measure=atoms.name, alpha=pair.alpha)
        if atoms.name == "extremal" and len(pair.k1) > 1:
            least = max(0 * t.main, t.main - s2 * t.sigma)
            tally.add(-abs(relative(t.kernel - least, scale)), form="attained", measure=atoms.name, alpha=pair.alpha)
    return tally.outcome(
        "rational pairs (0, pi, and 1e-8 from either) on discrete measures and real tables, in integers"
    )


CLAIM = Claim(
    id="prop-2.3-sharp",
    headline="The error term of Proposition 2.3 can be sin^2(alpha/2) times the second moment, and no less.",
    fault="nine tenths of the constant",
    source="after Proposition 2.3, eq. (7)",
    statement=(
        "For every P with E|X|^2 finite and every angle, with c = cos(alpha/2), s = sin(alpha/2), d^ the unit normal: "
        "max(0, c^2 ||w_m||_Z^2 - s^2 E[<X,d^>^2 1{<X,w_m> >= 0}]) <= [w1,w2]_Z <= c^2 ||w_m||_Z^2; hence >= c^2 ||w_m||_Z^2 "
        "- s^2 d^' Sigma d^ >= c^2 ||w_m||_Z^2 - s^2 ||Sigma||. Given alpha, ||w_m||_Z^2 and ||Sigma||, "
        "[max(0, c^2 ||w_m||_Z^2 - s^2 ||Sigma||), c^2 ||w_m||_Z^2] is the exact range when n >= 2. "
        "For symmetric X: 0 <= [w1,w2]_Z - <w1,w2>_X/2 <= s^2 d^' Sigma d^/2."
    ),
    standing=Standing.OURS,
    tightness=Tightness.LOWER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.PROVED,
    confirm=attack,
    control=lambda setting: attack(setting, constant=(9, 10)),
    proof=(
        "relu(a) relu(b) <= relu((a+b)/2)^2 gives the upper bound; a b 1{a+b >= 0} <= relu(a) relu(b) with "
        "a b = c^2 <x,w_m>^2 - s^2 <x,d^>^2 the lower one. X = U w_m +- V d^ with V^2 = ||Sigma|| >= U^2 attains it."
    ),
)
