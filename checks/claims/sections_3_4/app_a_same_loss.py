"""The average loss of paths between random models (Appendix A)."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness

Signs = tuple[int, ...]
Polynomial = list[Fraction]  # coefficients of 1, t, t^2, ...


def times(p: Polynomial, q: Polynomial) -> Polynomial:
    """The product."""
    out = [Fraction(0)] * (len(p) + len(q) - 1)
    for i, u in enumerate(p):
        for j, v in enumerate(q):
            out[i + j] += u * v
    return out


def mean_risk(a: Signs, b: Signs, width: int, y: Fraction) -> Fraction:
    """The integral of (sum_j prod_k w_kj - y)^2 over the segment from a to b, layers k of `width` weights one after the other.

    `width` times the mean risk at x = 1 of a linear net whose output is that sum over sqrt(width); its target is y / sqrt(width).
    """
    output: Polynomial = [-y]
    for j in range(width):
        unit: Polynomial = [Fraction(1)]
        for u, v in zip(a[j::width], b[j::width]):
            unit = times(unit, [Fraction(u), Fraction(v - u)])
        size = max(len(unit), len(output))
        output = [sum(pair, Fraction(0)) for pair in zip(_padded(unit, size), _padded(output, size))]
    return sum((c / (k + 1) for k, c in enumerate(times(output, output))), Fraction(0))


def _padded(p: Polynomial, size: int) -> Polynomial:
    return p + [Fraction(0)] * (size - len(p))


def straight(depth: int) -> Fraction:
    """The integral of (t^2 + (1 - t)^2)^depth over [0, 1]."""
    p: Polynomial = [Fraction(1)]
    for _ in range(depth):
        p = times(p, [Fraction(1), Fraction(-2), Fraction(2)])
    return sum((c / (k + 1) for k, c in enumerate(p)), Fraction(0))


def averages(depth: int, width: int, y: Fraction) -> tuple[Fraction, Fraction]:
    """Expected average risk over two independent models with weights +-1, of the segment and of the way through 0, by enumeration."""
    P, zero = depth * width, (0,) * (depth * width)
    models = list(product((-1, 1), repeat=P))
    line = sum((mean_risk(a, b, width, y) for a in models for b in models), Fraction(0)) / len(models) ** 2
    through = sum((mean_risk(a, zero, width, y) for a in models), Fraction(0)) / len(models)
    return line / width, through / width


def attack(setting: Setting, *, same: bool = False) -> Outcome:
    """Above y^2, over all signs: the integral of (t^2 + (1-t)^2)^K on segments, 1/(2K+1) through 0; random models have 1.

    same: the printed statement, the segment has the average of the risk of random models.
    """
    tally = Tally()
    sizes = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (1, 3), (4, 1), *([(3, 2), (2, 3)] if setting.full else [])]
    for depth, width in setting.each(sizes):
        y = Fraction(int(setting.rng.integers(0, 9)), 4)
        line, through = averages(depth, width, y)
        expected = y**2 / width + (1 if same else straight(depth))
        tally.add(-abs(float(line - expected)), depth=depth, width=width, y=y, line=line)
        tally.add(-abs(float(through - y**2 / width - Fraction(1, 2 * depth + 1))), depth=depth, width=width, y=y)
        tally.add(
            float(1 - straight(depth)) - 1 / 4, depth=depth, what="below the risk of random models at every width"
        )
    return tally.outcome("linear nets of depth 1 to 4 with weights +-1, every pair of models, integrals in fractions")


def witness() -> Witness:
    """K = 2: the segment between two random models averages 7/15 above y^2, the way through 0 averages 1/5, an arc of random models 1."""
    line, through = averages(2, 2, Fraction(0))
    outputs = [a[0] * a[2] + a[1] * a[3] for a in product((-1, 1), repeat=4)]
    random = Fraction(sum(f * f for f in outputs), 2 * len(outputs))
    return Witness(
        (line, through, random) == (Fraction(7, 15), Fraction(1, 5), Fraction(1)),
        "linear nets with two layers, any width, independent centred weights of variance one, output scaled by the "
        "root of the width: the "
        "expected average excess over E y^2 is 7/15 on the straight line, 1/5 on the way through 0, and 1 on the arc "
        "cos(t) a + sin(t) b, "
        "whose points all have the weights' second moments",
        {"straight line": line, "through 0": through, "random models": random},
    )


CLAIM = Claim(
    id="app-a-same-loss",
    headline="Almost every continuous path between two random models has on average the same, high loss.",
    instead="The average depends on the path at every width: the straight line lies below the arc, the way through 0 "
    "lower.",
    fault="the straight line is said to have the average loss of random models",
    source="Appendix A",
    statement="Almost every continuous path in the space of random models connecting two of them has, on average, "
    "the same (high) loss.",
    standing=Standing.REMARK,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.REFUTED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, same=True),
    refute=witness,
    repaired=(
        "For linear nets of depth K with independent centred weights of variance one the expected average excess "
        "over E y^2 is the integral of "
        "(t^2 + (1-t)^2)^K on the straight line, 1/(2K+1) on the way through 0 and 1 on the arc cos(t) a + sin(t) b, "
        "at every width. "
        "Polylines through further independent models share the value of the straight line, piece by piece."
    ),
    proof=(
        "The weights (1-t) a + t b are independent and centred with variance (1-t)^2 + t^2, so the output has mean 0 "
        "and variance "
        "((1-t)^2 + t^2)^K at every width; for the scaled weights s a it is s^(2K), on the arc 1. `Almost every` "
        "names no measure on paths; "
        "no measure that charges neighbourhoods of two of these can make them equal."
    ),
)
