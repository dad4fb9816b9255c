"""The worst case of Algorithm 1: how many calls there are at each depth (section 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.sections_3_4.valley import doubling

Fails = Callable[
    [str], bool
]  # whether a piece, named by its way down from the root, "l" or "r" at each split, exceeds L0


def models(fails: Fails, depth: int, *, both: bool) -> int:
    """How many models Algorithm 1 trains when calls end at `depth`; both=False: its first `return` ends the call."""

    def find(piece: str) -> int:
        trained = 1
        for half in (piece + "l", piece + "r"):
            if len(half) < depth and fails(half):
                trained += find(half)
                if not both:
                    return trained
        return trained

    return find("")


def worst(depth: int, *, both: bool) -> int:
    """The largest number of models over all patterns of failing pieces, by brute force."""
    pieces = ["".join(way) for k in range(1, depth) for way in product("lr", repeat=k)]
    return max(
        models(dict(zip(pieces, pattern)).__getitem__, depth, both=both)
        for pattern in product((False, True), repeat=len(pieces))
    )


def attack(setting: Setting, *, printed: bool = False) -> Outcome:
    """With both calls at most 2^Depth - 1 models, attained where every piece fails, and on a valley; as printed at most Depth.

    printed: the planted fault, 2^Depth - 1 models are asked of the printed recursion.
    """
    tally = Tally()
    for depth in range(1, 5):
        tally.add(0.0 if worst(depth, both=not printed) == 2**depth - 1 else -1.0, depth=depth, what="all patterns")
        tally.add(0.0 if worst(depth, both=False) == depth else -1.0, depth=depth, what="all patterns, as printed")
    for _ in setting.each(range(setting.instances(60, 400))):
        depth = int(setting.rng.integers(1, 12))
        share, seed = float(setting.rng.uniform(0.3, 1)), int(setting.rng.integers(2**30))

        def fails(piece: str, share: float = share, seed: int = seed) -> bool:
            return bool(
                np.random.default_rng([seed, int("1" + piece.replace("l", "0").replace("r", "1"), 2)]).random() < share
            )

        tally.add(2**depth - 1 - models(fails, depth, both=True), depth=depth, share=share)
        tally.add(depth - models(fails, depth, both=False), depth=depth, share=share)
    for depth in range(1, 8):  # every piece of a curved valley fails until the depth is spent: exact
        new = doubling(depth)
        tally.add(0.0 if new == [2**k for k in range(depth)] else -1.0, depth=depth, new=new)
    return tally.outcome("all patterns up to depth 4, random ones up to 11, and a valley on which every piece fails")


def witness() -> Witness:
    """Every piece exceeds L0, down to depth 12: the printed recursion trains 12 models, not 4095."""
    seen = {both: models(lambda piece: True, 12, both=both) for both in (False, True)}
    return Witness(
        refuted=seen[False] == 12 and seen[True] == 2**12 - 1,
        explanation="where every new branch exceeds L0, a call as printed returns after its first recursive call: "
        "one model at each depth",
        values={"as printed": seen[False], "with both calls": seen[True]},
    )


CLAIM = Claim(
    id="sec-3.2-worst-case",
    headline="In the worst case Algorithm 1 takes time exponential in its depth.",
    instead="As printed it takes at most one model at each depth; with both halves visited 2^Depth - 1, attained.",
    fault="the printed recursion",
    source="Section 3.2",
    statement="If the MaxError exceeds L0 for every new recursive branch, the worst case runtime scales as "
    "O(exp(Depth)).",
    standing=Standing.REMARK,
    tightness=Tightness.UPPER,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, printed=True),
    refute=witness,
    repaired="With both calls made, at most 2^Depth - 1 models are trained, and a curved valley at a low level "
    "attains it.",
    proof=(
        "A call trains one model. As printed line 12 or line 13 makes at most one further call, of the next depth: "
        "Depth models. With both made, "
        "2^k calls at depth k. Attained: see alg-1-runtime, where every piece fails until the string is done."
    ),
)
