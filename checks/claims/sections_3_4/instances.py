"""Small problems and pairs of trained ends on which the claims about strings are tried."""

from __future__ import annotations

import numpy as np

from theory import polynomial_tasks
from theory.networks import Network
from theory.numerics import Array
from theory.risk import Risk, Sample
from theory.string_sampling import train


def problems(rng: np.random.Generator) -> list[tuple[str, Risk, float]]:
    """A name, a risk and a level each: every activation, both losses, one and two hidden layers, biases, a penalty."""
    x = np.linspace(0, 1, 24)[:, None]
    y = x**2 / 2 + x / 4 + 0.1
    X = rng.uniform(-1, 1, (40, 2))
    Y = np.abs(X[:, :1]) - 0.5 * X[:, 1:] ** 2
    return [
        ("relu 2-8-1", Risk(Network((2, 8, 1), bias=True), Sample(X, Y)), 0.02),
        ("relu 2-6-1, l1", Risk(Network((2, 6, 1)), Sample(X, Y), "squared", 0.01, "second_layer_l1"), 0.12),
        ("relu 2-6-6-1, absolute", Risk(Network((2, 6, 6, 1), bias=True), Sample(X, Y), "absolute"), 0.15),
        ("sigmoid 1-4-4-1", Risk(Network((1, 4, 4, 1), "sigmoid", "sigmoid"), Sample(x, y)), 2e-3),
        (
            "tanh 1-4-4-1, ridge",
            Risk(Network((1, 4, 4, 1), "tanh", bias=True), Sample(x, y), "squared", 1e-4, "ridge"),
            8e-3,
        ),
        (
            "sigmoid 1-4-4-1, absolute",
            Risk(Network((1, 4, 4, 1), "sigmoid", "sigmoid"), Sample(x, y), "absolute"),
            0.03,
        ),
    ]


def ends(risk: Risk, level: float, rng: np.random.Generator, *, count: int = 2) -> Array:
    """`count` trained points with risk just below the level (count, P), from random starts; bounded work."""
    found = np.zeros((0, risk.network.size))
    for _ in range(50):
        starts = polynomial_tasks.draw(risk.network, count, rng=rng)
        trained = train(risk, starts, 0.98 * level, fallback=False)
        found = np.concatenate([found, trained.points[trained.reached]])
        if len(found) >= count:
            return found[:count]
    raise RuntimeError(f"no {count} points below {level} found in 50 attempts")


def valley() -> tuple[Risk, Array, float]:
    """One relu unit on x = y = 1: F = (w1 w2 - 1)^2 for w1 > 0. Two ends in the valley and a level, all exact."""
    risk = Risk(Network((1, 1, 1)), Sample(np.ones((1, 1)), np.ones((1, 1))))
    return risk, np.array([[0.25, 4.0], [4.0, 0.25]]), 0.25
