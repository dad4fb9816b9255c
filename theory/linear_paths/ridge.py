"""Proposition 2.2 with ridge, one hidden layer: balance, go straight in the product, turn the hidden space."""

from __future__ import annotations

import numpy as np

from theory.linear_paths.balanced import along_section, buy_slack, isometry, rotate, to_section
from theory.linear_paths.critical_width import cross_over, level_of, opposite
from theory.linear_paths.curves import shortest_rotation, splice
from theory.linear_paths.problem import LinearProblem
from theory.numerics import Array
from theory.paths import Path


def connect_ridge(problem: LinearProblem, a: Array, b: Array, rise: float) -> Path:
    """The path of `theory.linear_paths.balanced`; width >= min(n_in, n_out), ends of one component when it is equal.

    problem: with one hidden layer; a, b (P,): the ends; rise: how far, relative to the larger of them, chords may exceed it.
    """
    risk = problem.risk
    ceiling = problem.level(a, b) * (1 + rise / 2)
    apart = problem.critical and opposite(problem, a, b)
    if apart:  # a refusal compares the ceiling with a bound
        ceiling = max(ceiling, level_of(problem, a, b))
    slack_a, slack_b = buy_slack(risk, a), buy_slack(risk, b)
    if risk(slack_a.points[-1]) < risk(slack_b.points[-1]):  # rotate where there is more slack: at the second end
        return _connect(problem, slack_b, slack_a, ceiling, apart).reversed()
    return _connect(problem, slack_a, slack_b, ceiling, apart)


def _connect(problem: LinearProblem, first: Path, second: Path, ceiling: float, apart: bool) -> Path:
    """From first.points[0] to second.points[0]; the hidden space turns at the second; no chord exceeds `ceiling`.

    apart: whether the determinants at the ends have opposite signs, decided exactly.
    """
    path_a, A = to_section(problem, first.points[-1], ceiling)
    path_b, B = to_section(problem, second.points[-1], ceiling)
    h, n = A.R.shape[0], A.V.shape[0]
    full = h == n and len(B.S) == n
    sign = float(np.sign(np.linalg.det(isometry(B)))) if full else None
    Q = isometry(A, sign)
    start, finish = first + path_a, (second + path_b).reversed()
    O = shortest_rotation(Q @ B.V, B.R)
    if O is None:
        ends = (A.product, Q), (B.product, isometry(B))
        return splice(start, cross_over(problem, *ends, ceiling, apart), finish)
    middle = along_section(problem, A.product, B.product, Q, ceiling)
    return splice(start, middle, rotate(problem, B.product, Q, O, ceiling), finish)
