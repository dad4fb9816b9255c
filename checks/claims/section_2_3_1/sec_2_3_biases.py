"""Section 2.3: biases by a constant input, and one more row in each matrix."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict


def attack(setting: Setting, *, carried: int = 1) -> Outcome:
    """A net with biases and the net of [W b; 0 1] without, on (x, 1): the same outputs, in integers.

    carried: the entry that carries the constant on; 2 is a planted fault.
    """
    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(200))):
        widths = rng.integers(1, 5, int(rng.integers(3, 6))).tolist()
        layers = [rng.integers(-3, 4, (after, before + 1)) for before, after in pairwise(widths)]
        x = rng.integers(-4, 5, (widths[0], 6))
        plain, wide = x, np.vstack([x, np.ones((1, 6), int)])
        for k, W in enumerate(layers):
            last = k == len(layers) - 1
            plain = W[:, :-1] @ plain + W[:, -1:]
            extra = np.eye(1, W.shape[1], W.shape[1] - 1, dtype=int) * carried
            wide = (W if last else np.vstack([W, extra])) @ wide
            plain, wide = (plain, wide) if last else (np.maximum(plain, 0), np.maximum(wide, 0))
        tally.add(-int(np.abs(plain - wide).max()), widths=widths)
    return tally.outcome("outputs of both nets, in integers")


CLAIM = Claim(
    id="sec-2.3-biases",
    headline="Biases are a constant input and one more row in each matrix.",
    fault="the constant is doubled on the way",
    source="Section 2.3, after eq. (5)",
    statement="The biases can be implemented by replacing x by (x, 1) and each W_i by [W_i b_i; 0 1] (the last one by [W_K b_K]).",
    standing=Standing.REMARK,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.HOLDS,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, carried=2),
    proof="relu(1) = 1 carries the constant on. The matrices with that last row are an affine set, not a linear one, and a path in it must keep the "
    "row: homogeneity in the fixed row is lost, so results on nets without biases do not carry over word for word.",
)
