"""Proposition 2.1: when every sublevel set is connected, every strict local minimum is global."""

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_1.finite_landscapes import (
    FiniteLandscape,
    connected_at_every_level,
    explicit,
    random_landscape,
    sweep,
)


def attack(setting: Setting, *, strict: bool = True) -> Outcome:
    """Exact landscapes: a strict minimum v that is not global is a whole component of {F <= F(v)}, among others.

    With strict=False, minima that are not strict count too (the planted fault).
    """
    tally = Tally()
    count = setting.instances(400, 45_000)
    for landscape in setting.each(explicit() + [random_landscape(setting.rng) for _ in range(count)]):
        _examine(landscape, strict, tally)
    return tally.outcome("strict minima and connected landscapes, in integers")


def _examine(landscape: FiniteLandscape, strict: bool, tally: Tally) -> None:
    values = landscape.values
    poor = landscape.below(strictly=strict) & (values > values.min())
    for level, vertices, forest in sweep(landscape):
        for vertex in vertices[poor[vertices]].tolist():
            # {vertex} is open and closed in the sublevel set, which holds the global minimum besides.
            margin = min(1 - forest.size(vertex), forest.components - 2)
            tally.add(margin, landscape=landscape.name, vertex=vertex, level=level, values=values)
    if connected_at_every_level(landscape):
        tally.add(-int(poor.sum()), landscape=landscape.name, values=values)


CLAIM = Claim(
    id="prop-2.1",
    headline="Connected sublevel sets leave no strict local minimum that is not global.",
    fault="minima that are not strict are counted as well",
    source="Proposition 2.1, with the definition of a strict local minimum before it",
    statement="If {F <= lambda} is connected for all lambda then every (strict) local minimum of F is a global minimum.",
    standing=Standing.THEOREM,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.HOLDS,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, strict=False),
    proof=(
        "Let theta be a strict local minimum at level lambda and F(theta') < lambda. Some ball B meets {F <= lambda} in "
        "theta alone, so {theta} is open in {F <= lambda}; a point is closed; theta' is elsewhere in it: disconnected. "
        "No path is needed, and a connected set need not contain one."
    ),
)
