"""Corollary 2.5: the rate at which the energy gap closes."""

from __future__ import annotations

from fractions import Fraction

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.gap import gap_cell
from theory import compression


def attack(setting: Setting, *, printed: bool = False) -> Outcome:
    """No split of the units makes the printed argument better than s / (n (s + 1) + 1); eta = 1 / (n (s + 1) + 1) attains it."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(400))):
        n = int(rng.integers(1, 30))
        s = Fraction(int(rng.integers(1, 60)), int(rng.integers(1, 20)))
        best, eta = compression.printed_best(n, s)
        claimed = Fraction(1, n) if printed else s / (n * (s + 1) + 1)
        other = Fraction(int(rng.integers(0, 1001)), 1000) * (eta if k % 2 else 1)
        tally.add(float(best - claimed), n=n, s=str(s), eta=str(eta), what="attained")
        tally.add(float(best - compression.printed_exponent(n, s, other)), n=n, s=str(s), eta=str(other), what="best")
        tally.add(float(Fraction(1, n) - best), n=n, s=str(s), what="below 1/n")
        tally.add(float(compression.weighted_exponent(n, s) - best), n=n, s=str(s), what="weights counted once")
        if n > 1:
            gained = compression.cells_exponent(n) - compression.weighted_exponent(n, s)
            tally.add(float(gained), n=n, s=str(s), what="all cells at once")
    if not printed:
        measured(setting, tally)
    return tally.outcome(
        "exponents in rational arithmetic, 0 is equality; measured gaps are within the bound by tosses"
    )


def measured(setting: Setting, tally: Tally) -> None:
    """Certified gaps between random first layers of growing width, against what a coin toss promises (`checks.gap`)."""
    names = ("smooth", "teacher", "diabetes") if setting.full else ("smooth",)
    widths, seeds, samples = ((8, 16, 32, 64, 128, 256), 3, 400) if setting.full else ((8, 16), 1, 60)
    shared = {"samples": samples, "kappa": 0.01, "data": None}
    cells = [{"target": t, "width": m, "seed": s, **shared} for t in names for m in widths for s in range(seeds)]
    for cell in setting.each(cells):
        found = gap_cell(cell)
        tally.add((found["allowed"] - found["upper"]) / found["energy"], **cell, gap=found["upper"] - found["level"])


def witness() -> Witness:
    """X = Y = 1, kappa = 1/10: every network of every width has F >= kappa - kappa^2/4 > 0, so epsilon does not vanish."""
    kappa = Fraction(1, 10)
    floor = kappa - kappa**2 / 4  # min over f of (1 - f)^2 + kappa |f|, and |f| <= |b|_1
    best = 1 - kappa / 2
    attained = (1 - best) ** 2 + kappa * best
    return Witness(
        floor == attained and floor > 0,
        "X = Y = 1, kappa = 1/10: epsilon >= e(l) = 39/400 for every l and m, so epsilon is not O(m^(-1/n)); and the "
        "argument, with e(l) - e(inf) of order l^-s, balances at exponent s / (n (s + 1) + 1) < 1/n",
        {"e(m), every m": str(attained), "exponent for n = 10, s = 1": str(compression.printed_best(10, 1)[0])},
    )


CLAIM = Claim(
    id="cor-2.5-rate",
    headline="The energy gap falls like m^(-1/n).",
    instead="The printed argument does not give it, and a coin toss gives 1/m in every dimension.",
    fault="the printed rate",
    source="Corollary 2.5",
    statement="The energy gap satisfies epsilon = O(m^(-1/n))",
    standing=Standing.THEOREM,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, printed=True),
    refute=witness,
    repaired="for kappa > 0 and m >= 2 the gap epsilon - max(lambda, e(inf)) is at most zeta^2 (E Y^2 / (2 kappa))^2 / floor(m / 2), whatever n (sharper-maurey); the printed argument gives "
    "s / (n (s + 1) + 1) when e(l) - e(inf) = O(l^-s)",
    proof="epsilon >= e(inf) > 0. The terms m^(-eta s) and m^(((n+1) eta - 1)/n) balance at eta = 1 / (n (s+1) + 1).",
)
