"""Section 2.1: strictly decreasing paths from everywhere make every boundary point of a flat set a saddle."""

from __future__ import annotations

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_1.finite_landscapes import FiniteLandscape, explicit, random_landscape


def attack(setting: Setting, *, strictly: bool = True) -> Outcome:
    """Exact landscapes: where every vertex has a falling path to the lowest level no other vertex is a local minimum.

    strictly=False (the planted fault): paths that do not rise are enough.
    """
    tally = Tally()
    count = setting.instances(400, 45_000)
    for landscape in setting.each(explicit() + [random_landscape(setting.rng) for _ in range(count)]):
        if _falls_everywhere(landscape, strictly):
            poor = landscape.below(strictly=False) & (landscape.values > landscape.values.min())
            tally.add(-int(poor.sum()), landscape=landscape.name, values=landscape.values)
    return tally.outcome("landscapes with a falling path from every vertex, in integers")


def _falls_everywhere(landscape: FiniteLandscape, strictly: bool) -> bool:
    """Whether every vertex reaches the lowest level along edges on which F falls (or does not rise)."""
    values = landscape.values
    reached = values == values.min()
    while True:
        more = reached.copy()
        a, b = landscape.edges.T
        for one, other in ((a, b), (b, a)):
            down = values[one] > values[other] if strictly else values[one] >= values[other]
            more[one[down & reached[other]]] = True
        if more.sum() == reached.sum():
            return bool(reached.all())
        reached = more


CLAIM = Claim(
    id="sec-2.1-strict-path",
    headline="If the risk can fall strictly from everywhere, every boundary point of a flat set is a saddle.",
    fault="paths that merely do not rise",
    source="Section 2.1, after Proposition 2.1: the stronger property",
    statement=(
        "If any theta is connected to the lowest energy level by a path along which F is strictly decreasing, all elements at "
        "the boundary of U_theta (above the lowest level) are saddles: critical where F is differentiable, and no local minimum."
    ),
    standing=Standing.REMARK,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.HOLDS,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, strictly=False),
    proof="A strictly decreasing path from a point has lower points as near to it as one likes: it is no local minimum. A point of a set "
    "on which F is constant and stationary stays critical at the boundary, gradients being continuous where they exist.",
)
