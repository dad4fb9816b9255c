"""Proposition 2.1 read for minima that are not strict: refuted by dead units, at every width.

The smallest witness is F(w, v) = (1 - v relu(w))^2, one sample x = y = 1. Everything here is in rational arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness

Vector = tuple[Fraction, ...]
Point = tuple[Vector, Vector]  # incoming weights w and outgoing weights v of m units


def risk(point: Point) -> Fraction:
    """F = (1 - sum_j v_j relu(w_j))^2: a net with m hidden units on the one sample x = y = 1."""
    return (1 - output(point)) ** 2


def output(point: Point) -> Fraction:
    """sum_j v_j relu(w_j)."""
    return sum((b * max(a, Fraction(0)) for a, b in zip(*point)), Fraction(0))


def connect(a: Point, b: Point) -> list[Point]:
    """Points of a path from a to b on which F <= max(F(a), F(b)); `piece_maximum` knows the pieces."""
    if max(risk(a), risk(b)) >= 1:  # by way of v = 0, where F = 1
        zero = (Fraction(0),) * len(a[0])
        return [a, (a[0], zero), (b[0], zero), b]
    k, l = _active(a), _active(b)
    if len(a[0]) == 1:  # along the hyperbola of constant output, then in v alone
        return [a, (b[0], (output(a) / b[0][0],)), b]
    path = [a, _all_output(a[0], k, output(a))]
    if k == l:  # carry the output on another unit while row k moves
        k = 1 - k if k < 2 else 0
        rows = _with(path[-1][0], k, b[0][l])
        path += [(rows, path[-1][1]), _all_output(rows, k, output(a))]
    rows = tuple(w if j == k else target for j, (w, target) in enumerate(zip(path[-1][0], b[0])))
    path += [(rows, path[-1][1]), _all_output(rows, l, output(b))]
    return [*path, (b[0], path[-1][1]), b]


def piece_maximum(p: Point, q: Point) -> Fraction:
    """The maximum of F between neighbours on a path of `connect`: at an end, by the kind of the piece.

    Only v moves: F is convex. Rows move where their v is zero: F is constant. One unit moves at constant positive
    product w v: the piece is that branch of the hyperbola, and F is constant. Anything else is a ValueError.
    """
    moved = [j for j in range(len(p[0])) if p[0][j] != q[0][j]]
    idle = p[1] == q[1] and all(p[1][j] == 0 for j in moved)
    one = len(moved) == 1 and all(p[1][j] == q[1][j] for j in range(len(p[0])) if j not in moved)
    hyperbola = one and output(p) == output(q) and min(p[0][moved[0]], q[0][moved[0]]) > 0
    if moved and not idle and not hyperbola:
        raise ValueError(f"no rule gives the maximum between {p} and {q}")
    return max(risk(p), risk(q))


def path_maximum(path: list[Point]) -> Fraction:
    """The exact maximum of F on a path of `connect`."""
    return max(piece_maximum(p, q) for p, q in pairwise(path))


def attack(setting: Setting, *, straight: bool = False) -> Outcome:
    """Every two points of a level set are joined inside it, at every width; dead units are minima and not global.

    With straight=True the path is the straight line (the planted fault).
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(100))):
        a, b = (random_point(rng, 1 + k % 5) for _ in range(2))
        level = max(risk(a), risk(b))
        top = risk(_middle(a, b)) if straight else path_maximum(connect(a, b))
        tally.add(_sign(level - top), a=a, b=b)
        _dead_plateau(rng, tally)
    return tally.outcome("pairs of points of one level set, and plateaus of dead units, in rational arithmetic")


def witness() -> Witness:
    """F(w, v) = (1 - v relu(w))^2 at (-1, 0): a local minimum, not global, though every sublevel set is connected."""
    place: Point = ((Fraction(-1),), (Fraction(0),))
    steps = [Fraction(k, 4) for k in range(-3, 4)]
    near = [risk(((place[0][0] + s,), (place[1][0] + t,))) for s in steps for t in steps]
    best = risk(((Fraction(1),), (Fraction(1),)))
    grid = [Fraction(k, 2) for k in range(-4, 5)]
    points: list[Point] = [((w,), (v,)) for w in grid for v in grid]
    joined = all(path_maximum(connect(a, b)) <= max(risk(a), risk(b)) for a, b in combinations(points, 2))
    return Witness(
        refuted=all(value == risk(place) for value in near) and best < risk(place) and joined,
        explanation=(
            "F(w, v) = (1 - v relu(w))^2 is 1 on the half-plane w < 0, each point of which is a local minimum, and 0 at "
            "(1, 1); any two points are joined below the higher one: by v -> 0 when that is at 1 or above, else along w v = const"
        ),
        values={
            "w": -1,
            "v": 0,
            "F": risk(place),
            "F(1, 1)": best,
            "pairs joined": len(points) * (len(points) - 1) // 2,
        },
    )


def random_point(rng: np.random.Generator, width: int) -> Point:
    """Small rationals; half of the points are near the solution set, so that all levels occur."""
    w, v = (tuple(Fraction(int(n), 4) for n in rng.integers(-8, 9, size=width)) for _ in range(2))
    if rng.random() < 0.5 and output((w, v)) != 0:
        v = tuple(b * Fraction(int(rng.integers(1, 8)), 4) / output((w, v)) for b in v)
    return w, v


def _dead_plateau(rng: np.random.Generator, tally: Tally) -> None:
    """m units, dead on all N samples: the risk is constant in a ball, and one live unit does better."""
    N, n, m = int(rng.integers(1, 5)), int(rng.integers(1, 4)), int(rng.integers(1, 6))
    X = [[int(x) for x in rng.integers(-5, 6, size=n)] + [1] for _ in range(N)]  # the last input carries the bias
    y = [int(value) for value in rng.integers(-5, 6, size=N)]
    y[0] += sum(y) == 0
    W = []
    for _ in range(m):
        row = [Fraction(int(a), 2) for a in rng.integers(-5, 6, size=n)]
        W.append([*row, -1 - max(_dot(row, x) for x in X)])
    v = [Fraction(int(b)) for b in rng.integers(-5, 6, size=m)]
    dead = Fraction(sum(value * value for value in y), N)
    room = min(-_dot(row, x) / sum(map(abs, x)) for row in W for x in X)
    moved = [[a + room * Fraction(int(k), 10) for a, k in zip(row, rng.integers(-9, 10, size=n + 1))] for row in W]
    v = [b + Fraction(int(k), 10) for b, k in zip(v, rng.integers(-9, 10, size=m))]
    tally.add(-abs(_sign(_net_risk(moved, v, X, y) - dead)), rows=moved, X=X, y=y)
    constant = Fraction(sum(y), N)  # one unit that is 1 on every sample
    better = _net_risk([[Fraction(0)] * n + [Fraction(1)], *W[1:]], [constant] + [Fraction(0)] * (m - 1), X, y)
    tally.add(_sign(dead - better) - 0.5, rows=W, X=X, y=y)  # strictly better


def _net_risk(W: list[list[Fraction]], v: list[Fraction], X: list[list[int]], y: list[int]) -> Fraction:
    total = Fraction(0)
    for x, target in zip(X, y):
        total += (_dot([max(_dot(row, x), Fraction(0)) for row in W], v) - target) ** 2
    return total / len(y)


def _dot(row: Sequence[Fraction], x: Sequence[Fraction | int]) -> Fraction:
    return sum((a * b for a, b in zip(row, x)), Fraction(0))


def _active(point: Point) -> int:
    """A unit that contributes to a positive output."""
    return next(j for j, (w, v) in enumerate(zip(*point)) if w > 0 and v > 0)


def _all_output(rows: Vector, unit: int, amount: Fraction) -> Point:
    """The same rows with the whole output on one unit."""
    return rows, tuple(amount / w if j == unit else Fraction(0) for j, w in enumerate(rows))


def _with(values: Vector, index: int, value: Fraction) -> Vector:
    return (*values[:index], value, *values[index + 1 :])


def _middle(a: Point, b: Point) -> Point:
    w, v = (tuple((s + t) / 2 for s, t in zip(x, z)) for x, z in zip(a, b))
    return w, v


def _sign(value: Fraction) -> int:
    return (value > 0) - (value < 0)


CLAIM = Claim(
    id="prop-2.1-nonstrict",
    headline="Connected sublevel sets leave no local minimum at all that is not global.",
    instead="Dead ReLU units make open sets of poor local minima at every width, although every sublevel set is connected.",
    fault="the straight line in place of the path along the hyperbola",
    source="Proposition 2.1, read for every local minimum",
    statement="If {F <= lambda} is connected for all lambda then every local minimum of F, strict or not, is a global minimum.",
    reading=True,
    standing=Standing.THEOREM,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REFUTED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, straight=True),
    refute=witness,
    repaired=(
        "For one sample x = y = 1 every sublevel set is connected at every width m >= 1; yet, on data in a half-space or with biases, units that are "
        "dead on all samples fill an open set of local minima, global only if no output does better than zero."
    ),
    proof=(
        "Above level 1 shrink v to 0 (convex in v), move the rows, grow v. Below it some unit has w, v > 0: put the whole "
        "output on it, which keeps the output, and move the others. Around dead units the output is zero whatever v is."
    ),
)
