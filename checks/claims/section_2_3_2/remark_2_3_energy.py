"""The remark after Proposition 2.3: ||Sigma|| and the energy in the plane of w1 and w2."""

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_3_2.exact_kernel import Atoms, Directions, integers, over, relative, terms, trials


def attack(setting: Setting, *, across: bool = True) -> Outcome:
    """Integers: the energy in the plane in place of 2 ||Sigma||; across=False leaves out its part across the bisector."""
    tally = Tally()
    for pair, atoms, t in trials(setting, setting.instances(120)):
        along, beyond = over(t.along, pair.c2), over(t.across, pair.s2)
        energy = along + (beyond if across else 0)
        slacks = {
            "with the energy for 2 ||Sigma||": t.kernel - (t.main - energy * (pair.s2 + pair.sin2)),
            "s^2 energy is enough": t.kernel - (t.main - energy * pair.s2),
            "energy <= 2 ||Sigma||": 2 * t.sigma - energy,
        }
        for form, slack in slacks.items():
            tally.add(relative(slack, pair.s2 * t.sigma), form=form, measure=atoms.name, alpha=pair.alpha)
    return tally.outcome("the energy E|QX|^2 for 2 ||Sigma|| on discrete measures and real tables, in integers")


def witness() -> Witness:
    """X = +-e1, +-e2, each 1/4, at a right angle: the energy is 2 ||Sigma||, so the error term doubles."""
    pair = Directions(integers([1, 0]), integers([0, 1]), 1)
    atoms = Atoms(integers([[1, 0], [-1, 0], [0, 1], [0, -1]]), integers([1, 1, 1, 1]), "cross")
    t = terms(pair, atoms)
    sigma, energy = t.along / pair.c2, t.along / pair.c2 + t.across / pair.s2  # Sigma is half the identity
    printed = t.main - 2 * sigma * (pair.s2 + pair.sin2)
    replaced = t.main - 2 * energy * (pair.s2 + pair.sin2)
    return Witness(
        bool(energy == 2 * sigma and replaced < printed),
        "X uniform on {+-e1, +-e2}, w1 = e1, w2 = e2: the lower bound of (7) is -11/8, after the replacement -23/8: worse, "
        "where the remark promises a less pessimistic one.",
        {"norm": float(sigma), "energy": float(energy), "printed": float(printed), "replaced": float(replaced)},
    )


CLAIM = Claim(
    id="remark-2.3-energy",
    headline="The norm of the second moment may be replaced by the energy in the plane of the two units.",
    instead="The energy replaces twice the norm, not the norm.",
    fault="the energy of the directions outside the plane",
    source="Remark after Proposition 2.3",
    statement=(
        "||Sigma|| in (7) is overly pessimistic: replacing it by the energy of X in span(w1, w2), which is at most "
        "2 ||Sigma||, gives a better bound."
    ),
    standing=Standing.REMARK,
    tightness=Tightness.LOWER,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.PROVED,
    confirm=attack,
    control=lambda setting: attack(setting, across=False),
    refute=witness,
    repaired=(
        "The energy E|QX|^2 replaces 2 ||Sigma||: [w1,w2]_Z >= c^2 ||w_m||_Z^2 - E|QX|^2 (s^2 + sin^2 alpha), never worse than "
        "(7). Replacing ||Sigma|| itself gives a true inequality that is worse than (7) whenever E|QX|^2 > ||Sigma||. Best is "
        "s^2 d^' Sigma d^ for the whole error term."
    ),
    proof="E1 + E2 <= s^2 d^' Sigma d^ <= s^2 (w_m' Sigma w_m + d^' Sigma d^) = s^2 E|QX|^2 <= 2 s^2 ||Sigma||.",
)
