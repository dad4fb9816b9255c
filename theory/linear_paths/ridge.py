"""Proposition 2.2 with ridge, one hidden layer: balance, go straight in the product, turn the hidden space."""

from __future__ import annotations

import numpy as np

from theory.linear_paths.balanced import along_section, buy_slack, isometry, rotate, to_section
from theory.linear_paths.critical_width import cross_over
from theory.linear_paths.curves import shortest_rotation, splice
from theory.numerics import Array
from theory.paths import Path
from theory.risk import Risk


def connect_ridge(risk: Risk, a: Array, b: Array, rise: float) -> Path:
    """The path of this module's docstring; width >= min(n_in, n_out), ends of one component when it is equal.

    a, b (P,): the ends; rise: how far, relative to the larger of them, chords may exceed it.
    """
    level = max(risk(a), risk(b))
    ceiling = level * (1 + rise / 2)
    slack_a, slack_b = buy_slack(risk, a), buy_slack(risk, b)
    if risk(slack_a.points[-1]) < risk(slack_b.points[-1]):  # rotate where there is more slack: at the second end
        return connect_ridge_from(risk, slack_b, slack_a, ceiling).reversed()
    return connect_ridge_from(risk, slack_a, slack_b, ceiling)


def connect_ridge_from(risk: Risk, first: Path, second: Path, ceiling: float) -> Path:
    """From first.points[0] to second.points[0]; the hidden space turns at the second.

    ceiling: what no chord may exceed.
    """
    path_a, A = to_section(risk, first.points[-1], ceiling)
    path_b, B = to_section(risk, second.points[-1], ceiling)
    h, n = A.R.shape[0], A.V.shape[0]
    full = h == n and len(B.S) == n
    sign = float(np.sign(np.linalg.det(isometry(B)))) if full else None
    Q = isometry(A, sign)
    start, finish = first + path_a, (second + path_b).reversed()
    O = shortest_rotation(Q @ B.V, B.R)
    if O is None:
        return splice(start, cross_over(risk, A.product, Q, B.product, isometry(B), ceiling), finish)
    middle = along_section(risk, A.product, B.product, Q, ceiling)
    return splice(start, middle, rotate(risk, B.product, Q, O, ceiling), finish)
