"""Appendix E.1: "this map requires at least 12 parameters in general"."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from theory.barriers import fit, least_risk, permutation_barrier, spanning_rows
from theory.maxima import path_maximum
from theory.networks import Network
from theory.numerics import exact_rows, matrix
from theory.paths import Path
from theory.rays import rays
from theory.risk import Risk, Sample

SMALL = Network((2, 2, 2), bias=True)  # 12 entries, of which the two hidden biases stay zero: 10 parameters


def affine_map(X: np.ndarray, Y: np.ndarray) -> list[list[object]] | None:
    """The affine map x_i -> y_i as a 2 x 3 rational matrix, exactly; None for points on a line."""
    corners = matrix([[*row, row[0] * 0 + 1] for row in exact_rows(X)])
    if corners.det() == 0:
        return None
    return (corners.inv() * matrix(exact_rows(Y))).transpose().tolist()


def attack(setting: Setting, *, flat: bool = False) -> Outcome:
    """What is true of random triangles: 6 parameters suffice for an affine map, 10 for a 2-2-2 net with an output bias.

    Without biases two units do not suffice: e(2) > 0, certified. flat: put the corners on a line, where a fault shows.
    """
    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(60, 2000))):
        while True:
            X = np.round(rng.standard_normal((3, 2)) * 64) / 64
            if flat:
                X[2] = 2 * X[1] - X[0]
            if flat or affine_map(X, X) is not None:
                break
        Y = X[[1, 2, 0]]
        A = affine_map(X, Y)
        exact = A is not None and all(
            A[r][0] * x[0] + A[r][1] * x[1] + A[r][2] == y[r]
            for x, y in zip(exact_rows(X), exact_rows(Y))
            for r in (0, 1)
        )
        tally.add(0.0 if exact else -1.0, what="affine, 6 parameters", X=X)
        sample = Sample(X, Y)
        if flat or len(rays(sample)) < 3:
            continue
        tally.add(least_risk(rays(sample)).lower or -1.0, what="two units without biases fail", X=X)
        rows = spanning_rows(SMALL, sample, rng, 3)
        Z = SMALL.features(SMALL.pack([rows, np.zeros((2, 3))]), X, 1).T
        V, _ = fit(sample, Z)
        top = path_maximum(Risk(SMALL, sample), Path(SMALL.pack([rows, V])[None])).upper
        condition = np.linalg.cond(Z)
        tally.add(1e-24 * condition**2 * (1 + sample.energy) - top, what="2-2-2 with output bias", X=X, risk=top)
        tally.add(-float(np.abs(rows[:, 2]).max()), what="hidden biases unused", X=X)
    return tally.outcome("triangles with corners on a grid of 1/64: affine maps in rational arithmetic")


def witness() -> Witness:
    """Corners (1, 0), (0, 1), (-1, -1): even a linear map does it, with 4 parameters, all of them integers."""
    X = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    Y = X[[1, 2, 0]]
    A = affine_map(X, Y)
    if A is None:
        raise ArithmeticError("an affine map must take the corners to their targets")
    linear = all(row[2] == 0 for row in A)
    values = [[int(v) for v in row[:2]] for row in A]  # type: ignore[call-overload]
    fits = bool(np.array_equal(X @ np.array(values, dtype=float).T, Y))
    three = permutation_barrier(Sample(X, Y), 3).lower
    return Witness(
        linear and fits,
        "the linear map [[0, -1], [1, -1]] permutes (1, 0), (0, 1), (-1, -1) cyclically: 4 parameters. Any three "
        "corners "
        "of a triangle are permuted by an affine map (6 parameters: 6 equations, one solution)",
        {"A": values, "barrier of the 2-3-2 net": three},
    )


CLAIM = Claim(
    id="app-e1-parameters",
    headline="Mapping three points cyclically needs twelve parameters.",
    instead="Ten are enough with an output bias, and six for an affine map.",
    fault="three corners on a line",
    source="Appendix E.1",
    statement="The map {x_1, x_2, x_3} -> {x_2, x_3, x_1} of three points of the plane requires at least 12 "
    "parameters "
    "in general, for the three linear maps that take x_i to x_j",
    standing=Standing.REMARK,
    tightness=Tightness.LOWER,
    verdict=Verdict.REFUTED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, flat=True),
    refute=witness,
    repaired="Twelve are enough, three linear maps of four each if one reads it so; it is `requires` that is false. "
    "An affine map does it with 6 parameters, and a 2-2-2 ReLU net with an output bias with 10. What is true: "
    "a ReLU net without biases needs three hidden units, since e(2) > 0; of its 12 parameters 3 are scalings of "
    "units, 9 count",
    proof="Three points off a line are affinely independent: the 6 equations have one solution. e(2) > 0: "
    "app-e1-disconnected.",
)
