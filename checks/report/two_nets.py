"""Small networks whose paths can be watched: two inputs, six relu units, five samples, every number printed here.

The samples and the two nets are typed in, so that nothing depends on training; both nets are near local minima of
F = E (Y - b Z(W))^2 + kappa |b|_1 with rows of W_1 in the unit ball. Every maximum is certified by `theory.maxima`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from theory.maxima import PathMaximum, path_maximum
from theory.networks import Network
from theory.numerics import Array
from theory.paths import Path
from theory.relu_paths import connect, six_segment
from theory.risk import Risk, Sample
from theory.string_sampling import greedy

KAPPA = 0.02

X = np.array([[0.98, 0.20], [0.11, 0.99], [-0.91, 0.42], [-0.68, -0.74], [0.49, -0.87]])
Y = np.array([[1.02], [-0.48], [0.86], [-0.45], [-0.95]])

A_ROWS = [[0.38, 0.92], [0.13, -0.99], [0.99, -0.08], [-0.99, 0.11], [0.77, 0.63], [0.03, 0.99]]
A_OUT = [[0.0, -1.62, 1.08, 1.02, 0.0, -0.42]]

B_ROWS = [[0.19, -0.98], [-0.19, -0.98], [0.27, 0.96], [-0.99, 0.11], [0.52, -0.85], [0.99, -0.11]]
B_OUT = [[-1.67, 0.0, -0.38, 0.91, 0.0, 1.17]]

# What Dynamic String Sampling is asked for: this much above the larger end.
STRING_LEVEL = 1.02


@dataclass(frozen=True, eq=False)
class Way:
    """One way between the ends: its polyline and the certified maximum of the risk along it."""

    name: str
    about: str
    path: Path
    maximum: PathMaximum


@dataclass(frozen=True, eq=False)
class Scene:
    """Two ends, the risk, and several routes between them; larger_end = max(F(A), F(B)), which no path undercuts."""

    title: str
    about: str
    risk: Risk
    routes: tuple[Way, ...]
    larger_end: float


@functools.cache
def scenes() -> tuple[Scene, ...]:
    """Two trained nets, and a net beside its own permutation; the same numbers at every call."""
    risk = Risk(Network((2, 6, 1)), Sample(X, Y), kappa=KAPPA, penalty="second_layer_l1")
    a, b = (risk.network.pack([W, V]) for W, V in ((A_ROWS, A_OUT), (B_ROWS, B_OUT)))
    swapped = risk.network.permute(a, 1, [1, 2, 3, 4, 5, 0])
    straight = (
        "straight",
        "Weights interpolated linearly.",
        connect(risk, a, b, route="straight"),
    )
    six = (
        "six segments",
        "Theorem 2.4, repaired: through the best net that three units allow (l = 3).",
        six_segment(risk, a, b, active=3, rng=0),
    )
    maurey = (
        "Maurey",
        "Each net is thinned to three units by coin tosses, and the two thin nets change places side by side.",
        connect(risk, a, b, route="maurey", rng=0),
    )
    around = (
        "idle unit",
        "Two of the six units are idle. The others move around one of them like tiles in a fifteen puzzle.",
        connect(risk, a, swapped, route="permutation"),
    )
    return (
        _scene(
            "From one trained net to another",
            "Both ends are near local minima, with four units in use and two idle.",
            risk,
            [straight, six, maurey, _string(risk, a, b)],
        ),
        _scene(
            "From a net to itself, its units relabelled",
            "Both ends compute the same function. The straight line does not know that.",
            risk,
            [
                (straight[0], straight[1], connect(risk, a, swapped, route="straight")),
                around,
                _string(risk, a, swapped),
            ],
        ),
    )


def _string(risk: Risk, a: Array, b: Array) -> tuple[str, str, Path]:
    level = STRING_LEVEL * max(risk(a), risk(b))
    found = greedy(risk, a, b, level, rng=0)
    beads = f"{found.beads} beads"
    about = f"Dynamic String Sampling, asked to stay below {STRING_LEVEL} times the larger end: {beads}, "
    return "string", about + ("connected." if found.connected else "not connected."), found.string


def _scene(title: str, about: str, risk: Risk, parts: list[tuple[str, str, Path]]) -> Scene:
    routes = tuple(Way(name, text, path, path_maximum(risk, path)) for name, text, path in parts)
    ends = routes[0].path.points[[0, -1]]
    return Scene(title, about, risk, routes, float(risk.batch(ends).max()))
