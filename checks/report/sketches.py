"""Small drawings for surprises that no figure shows: computed here from the claims' own numbers, as SVG in the page's colours."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from checks.claims.sections_3_4 import published
from theory.counterexamples import gaussian_barrier
from theory.numerics import Array

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 230, 50, 14, 26, 42


@dataclass(frozen=True)
class Curve:
    """Points (k, 2) to be joined or marked; kind: "paper" or "true" (the colours), words beside one of them."""

    points: Array
    kind: str
    words: str = ""
    marks: bool = False
    beside: float = 1.0  # where along the points the words stand, above them or below
    below: bool = False

    def __repr__(self) -> str:
        return f"Curve({self.kind}, {len(self.points)} points, {self.words!r})"


def components() -> str:
    """How many components level sets have at least, on two circles, against the width: (m - 1)!."""
    widths = np.arange(3.0, 9.0)
    true = np.column_stack([widths, [float(math.factorial(int(m) - 1)) for m in widths]])
    paper = np.column_stack([widths, np.ones(len(widths))])
    return _chart(
        [Curve(paper, "paper", "the paper: 1"), Curve(true, "true", "(m − 1)!", marks=True)],
        "width m",
        "components, at least",
        log_y=True,
        ticks_x=list(widths),
    )


def one_unit_more() -> str:
    """X = +-1, Y = X, kappa = 1/10: the wall between the best net of m units and its swap, e(1) - e(2) at m = N = 2, then none."""
    wall = 119 / 200 - 19 / 100
    return _chart(
        [
            Curve(np.array([[2.0, wall]]), "paper", "m = N", marks=True),
            Curve(np.array([[m, 0.0] for m in range(3, 8)]), "true", "from m = N + 1 on: none", marks=True),
        ],
        "width m, for N = 2 samples",
        "wall above the level of the best net",
        ticks_x=list(range(2, 8)),
        range_y=(0.0, 0.45),
    )


def walls() -> str:
    """Four points, kappa = 1/10: e(m) = 1 - m (1/2 - kappa)^2; two nets at e(3), every way between them passes e(2)."""
    low, wall = (1 - m * 0.4**2 for m in (3, 2))
    t = np.linspace(0, 1, 61)
    way = np.column_stack([t, low + (wall - low) * np.sin(np.pi * t) ** 2])
    return _chart(
        [
            Curve(np.array([[0, low], [1, low]]), "paper", "hoped for: no rise, up to permutations", below=True),
            Curve(way, "true", "every way: e(2) at least", beside=0.5),
        ],
        "from one net to the other, its units in any order",
        "risk",
        ticks_x={0: "A", 1: "B"},
        range_y=(0.48, 0.7),
    )


def poor_minimum() -> str:
    """The ridge net with one unit of prop-2.2-decreasing: the least risk for each direction of the weights."""
    angle, r = np.linspace(0, np.pi / 2, 121), np.linspace(0, 2, 801)[:, None]
    c, s = np.cos(angle), np.sin(angle)
    p, q, x = r**2 * c * c, r**2 * s * s, r**2 * c * s
    risk = (3 - p) ** 2 / 4 + x**2 + x**2 / 4 + (1 - q) ** 2 + 7 / 8 * r**2
    least = np.column_stack([np.degrees(angle), risk.min(axis=0)])
    return _chart(
        [
            Curve(least, "true"),
            Curve(np.array([[90, 751 / 256]]), "paper", "a strict poor minimum", marks=True, below=True),
            Curve(np.array([[0, 46849 / 16384]]), "true", "lower", marks=True, below=True),
        ],
        "direction of the weights (degrees)",
        "least risk",
        ticks_x=[0, 30, 60, 90],
        range_y=(2.835, 2.96),
    )


def separation() -> str:
    """What two Gaussians cost: the paper's 1/2, and the bound that grows with the square of the separation."""
    R = np.linspace(0.25, 5, 39)
    true = np.column_stack([R, [gaussian_barrier(r) for r in R]])
    return _chart(
        [
            Curve(np.array([[0, 0.5], [5, 0.5]]), "paper", "the paper: 1/2"),
            Curve(true, "true", "at least, repaired", beside=0.75),
        ],
        "separation R",
        "risk on every way",
        ticks_x=[1, 2, 3, 4, 5],
    )


def power_law() -> str:
    """The published excess lengths of the quadratic task, with the power law and the exponential that fit best."""
    level, length, _ = published.lengths("quadratic").T
    kept = length > 1
    table = np.column_stack([level, length, length])[kept]
    x = np.geomspace(table[:, 0].min(), table[:, 0].max(), 60)
    curves = []
    for exponential, kind, words, beside in (
        (True, "paper", "exponential", 0.17),
        (False, "true", "power law", 0.97),
    ):
        slope, _ = published.fit(table, exponential=exponential, above=1.0)
        u, v = (table[:, 0], x) if exponential else (np.log(table[:, 0]), np.log(x))
        shift = float(np.mean(np.log(table[:, 1] - 1) - slope * u))
        curves.append(Curve(np.column_stack([x, np.exp(slope * v + shift)])[::-1], kind, words, beside=beside))
    dots = Curve(np.column_stack([table[:, 0], table[:, 1] - 1]), "dots", marks=True)
    return _chart([*curves, dots], "level (published, quadratic task)", "length − 1", log_x=True, log_y=True)


def _chart(
    curves: Sequence[Curve],
    name_x: str,
    name_y: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    ticks_x: Sequence[float] | dict[float, str] = (),
    ticks_y: dict[float, str] | None = None,
    range_y: tuple[float, float] | None = None,
) -> str:
    every = np.concatenate([curve.points for curve in curves])
    x = _Axis(every[:, 0], LEFT + 8, WIDTH - RIGHT - 8, log_x)
    low, high = range_y or (float(every[:, 1].min()), float(every[:, 1].max()))
    y = _Axis(np.array([low, high]), HEIGHT - BOTTOM - 6, TOP, log_y)
    labels_x = ticks_x if isinstance(ticks_x, dict) else {t: f"{t:g}" for t in ticks_x or x.ticks()}
    labels_y = ticks_y if ticks_y is not None else {t: f"{t:g}" for t in y.ticks()}
    parts = [f'<path class="grid" d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>']
    parts += [_text(x.at(t), HEIGHT - BOTTOM + 16, words, "middle") for t, words in labels_x.items()]
    for t, words in labels_y.items():
        parts.append(f'<path class="grid" d="M{LEFT} {y.at(t):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(_text(LEFT - 6, y.at(t) + 4, words, "left"))
    parts += [_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, name_x, "middle"), _text(4, 13, name_y, "start")]
    for curve in curves:
        places = [(x.at(a), y.at(b)) for a, b in curve.points]
        if curve.marks:
            parts += [f'<circle class="dot {curve.kind}" cx="{a:.1f}" cy="{b:.1f}" r="4"/>' for a, b in places]
        else:
            line = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
            parts.append(f'<polyline class="line {curve.kind}" points="{line}"/>')
        if curve.words:
            a, b = places[round(curve.beside * (len(places) - 1))]
            place = (a - LEFT) / (WIDTH - LEFT - RIGHT)
            side, aside = ("start", 8) if place < 0.4 else ("middle", 0) if place < 0.6 else ("left", -8)
            parts.append(_text(a + aside, b + (18 if curve.below else -9), curve.words, f"{side} {curve.kind}"))
    return f'<svg class="sketch" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(name_y)} against {html.escape(name_x)}">{"".join(parts)}</svg>'


class _Axis:
    """Where numbers stand on an axis from `start` to `end`."""

    def __init__(self, numbers: Array, start: float, end: float, log: bool) -> None:
        self.low, self.high, self.log = float(numbers.min()), float(numbers.max()), log
        self.start, self.end = start, end

    def at(self, number: float) -> float:
        a, b, c = (math.log(v) for v in (self.low, self.high, number)) if self.log else (self.low, self.high, number)
        return self.start + (c - a) / (b - a) * (self.end - self.start)

    def ticks(self) -> list[float]:
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            every = [f * 10.0**p for p in powers for f in (1, 2, 5)]
            inside = [t for t in every if self.low <= t <= self.high]
            decades = [t for t in inside if math.log10(t) % 1 == 0]
            return decades if len(decades) > 2 else inside
        step = next(f * 10.0**p for p in range(-6, 9) for f in (1, 2, 5) if (self.high - self.low) / (f * 10.0**p) <= 5)
        return [k * step for k in range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)]


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{html.escape(words)}</text>'
