"""Eq. (6): the oracle risk e(m) does not rise with m, and for kappa > 0 it falls until it reaches its limit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_3_2.exact_risk import ZERO, features, fractions, risk, small_sample
from theory.numerics import UNIT
from theory.oracle import curve, limit
from theory.risk import Sample


def attack(setting: Setting, *, gain: Fraction = Fraction(1)) -> Outcome:
    """One more unit is worth exactly ((|q| - kappa/2)_+)^2 / E z^2, q = E r z, times `gain` (2 is a planted fault).

    Also searched nets of growing width, with the limit from below.
    """
    tally = Tally()
    for k in range(setting.instances(120, 6_000)):
        _one_more(setting.rng, tally, k, gain)
    for k in setting.each(range(setting.instances(4, 120))):
        _searched(setting.rng, tally, k)
    return tally.outcome(
        "one more unit in fractions (never a rise, a known fall when it pays); searched e(0), e(1), ... against e(inf)"
    )


def _one_more(rng: np.random.Generator, tally: Tally, k: int, gain: Fraction) -> None:
    """The best weight of a new unit on top of any net, dead and repeated units and kappa = 0 included; exact."""
    n, m = int(rng.integers(1, 4)), int(rng.integers(0, 4))
    sample = small_sample(rng, int(rng.integers(1, 7)), n)
    X, y, p = (fractions(v) for v in (sample.X, sample.Y[:, 0], sample.weights))
    W = fractions(rng.integers(-4, 5, size=(m, n))) / 8  # inside the unit ball for n <= 3
    b = fractions(rng.integers(-3, 4, size=m))
    kappa = Fraction(int(rng.integers(0, 5)), 4)
    w = fractions(rng.integers(-4, 5, size=(1, n))) / 8
    z = features(X, w)[:, 0]
    r = y - (features(X, W) @ b if m else ZERO)
    q, size = Fraction(p @ (r * z)), Fraction(p @ z**2)
    pull = max(abs(q) - kappa / 2, ZERO)
    weight = pull / size * (1 if q > 0 else -1) if size else ZERO
    before = risk(X, y, p, W, b, kappa)
    after = risk(X, y, p, np.concatenate([W, w]), np.append(b, fractions(weight)), kappa)
    promised = gain * (pull**2 / size if size else ZERO)
    padded = risk(X, y, p, np.concatenate([W, w]), np.append(b, fractions(0)), kappa)
    where = {"instance": k, "n": n, "m": m, "kappa": float(kappa)}
    tally.add(float(before - promised - after), kind="gain", **where)
    tally.add(-abs(float(before - padded)), kind="padding", **where)


def _searched(rng: np.random.Generator, tally: Tally, k: int) -> None:
    """Nets found for m = 0, 1, 2, ...: each is above e(inf) and, until it reaches it, above the next one."""
    n, N = int(rng.integers(1, 4)), int(rng.integers(2, 12))
    sample = Sample(rng.standard_normal((N, n)), rng.standard_normal((N, 1)))
    kappa = float(10 ** rng.uniform(-2.5, -0.5))
    end = limit(sample, kappa, gap=1e-6)
    nets = curve(sample, range(min(len(end.units) + 2, 6)), kappa, rng=rng, starts=1, bound=end)
    scale = sample.energy
    for m, (wide, narrow) in enumerate(zip(nets[1:], nets)):
        tally.add((wide.upper - end.lower) / scale, instance=k, kind="limit", m=m, kappa=kappa)
        fall = narrow.upper - wide.upper
        if narrow.upper - end.upper > 1e-5 * scale:  # above the limit, so another unit must help
            fall = fall if fall > 8 * UNIT * scale else -1e-6 * scale
        tally.add(fall / scale, instance=k, kind="fall", m=m, kappa=kappa)


CLAIM = Claim(
    id="eq-6-monotone",
    headline="One more unit never raises the least risk e(m).",
    fault="one unit is said to be worth twice what it is",
    source="Appendix B.5, on eq. (6)",
    statement="e(m) is a decreasing sequence",
    standing=Standing.PROOF_STEP,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.DUAL,
    confirm=attack,
    control=lambda setting: attack(setting, gain=Fraction(2)),
    proof="A zero unit changes nothing, so e(m + 1) <= e(m). For kappa > 0 and e(m) > e(inf), an optimal m-net is not "
    "optimal among measures, so some unit w has 2 |E r z(w)| > kappa, and adding it with its best weight gains "
    "(|E r z| - kappa/2)^2 / E z^2.",
)
