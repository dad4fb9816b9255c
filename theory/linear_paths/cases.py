"""Proposition 2.2: paths inside the level sets of linear networks, Phi(x; theta) = W_K ... W_1 x; which theorem applies.

kappa = 0, hidden widths >= r + 1 with r = min(n_in, n_out): moves around idle units (`theory.moves`) bring each end to
W_j = [I 0; 0 0], W_K = [M 0] at constant risk, whatever the ranks (`canonical` says why the widths suffice); between
the two one matrix moves, M in a straight line, and the risk is convex. So the vertices decide, and no vertex is above
the larger end but for rounding:

    |risk(vertex) - risk(its end)| <= rounding_allowance(risk, path).

Width exactly r, one hidden layer: two components below a barrier that is known exactly (`critical_width`). Ridge, one
hidden layer: the continuous balanced factorisation (`balanced`, `ridge`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.linear_paths.canonical import join
from theory.linear_paths.critical_width import connect_at_critical_width
from theory.linear_paths.problem import LinearProblem, enter, normalised
from theory.linear_paths.ridge import connect_ridge
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk


@dataclass(frozen=True)
class Case:
    """A theorem: when it applies, and the path (problem, a, b, rise) that proves it."""

    name: str
    applies: Callable[[LinearProblem], bool]
    path: Callable[[LinearProblem, Array, Array, float], Path]


def _straight(problem: LinearProblem, a: Array, b: Array, rise: float) -> Path:
    return Path(np.stack([a, b]), ("straight: the risk is convex",))


# The first that applies.
CASES = (
    Case("one layer: the risk is convex", lambda p: p.risk.network.depth == 1, _straight),
    Case("kappa = 0, wide: idle units", lambda p: p.risk.kappa == 0 and p.wide, lambda p, a, b, rise: join(p, a, b)),
    Case(
        "kappa = 0, width r: singular products", lambda p: p.risk.kappa == 0 and p.critical, connect_at_critical_width
    ),
    Case("ridge, wide: the balanced section", lambda p: p.risk.network.depth == 2 and p.wide, connect_ridge),
    Case("ridge, width r: the section, or a singular product", lambda p: p.critical, connect_ridge),
)


def which(problem: LinearProblem) -> Case:
    """The first case that applies to a problem; ValueError says why none does."""
    for case in CASES:
        if case.applies(problem):
            return case
    depth, kappa = problem.risk.network.depth, problem.risk.kappa
    if kappa > 0 and depth > 2:
        raise ValueError(
            f"kappa must be 0 for {depth} matrices; got {kappa}. With ridge and depth >= 3 the origin is always a strict "
            "local minimum and level sets are disconnected for small kappa: use kappa = 0 or one hidden layer"
        )
    problem.check_widths()
    raise ValueError(f"nothing is proved here for widths {problem.risk.network.widths} with kappa = {kappa}")


def connect(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, *, rise: float = 1e-9) -> Path:
    """A polyline from theta_a to theta_b, (P,) each, on which the risk stays at most max(F(theta_a), F(theta_b)).

    Linear networks only. Both ends are vertices, bit for bit; equal ends give a path without pieces.

    - kappa = 0, any depth, hidden widths >= r + 1, r = min(n_in, n_out) (with biases n_in + 1): every piece moves one
      matrix and the bound holds up to rounding, for squared and absolute loss.
    - ridge, one hidden layer of width >= r + 1: pieces of two curves are drawn as chords, as many as it takes to stay
      below the larger end times 1 + rise.
    - one hidden layer of width r: as above when the ends are in the same component of the level set.

    ValueError: nonlinear networks, a penalty or depth for which nothing is proved, widths that are not wide enough
    (naming the layer and the width needed), ends in different components (naming the barrier), bad ends, and data or
    weights of a size that leaves no room to compute in.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> net = Network((1, 2, 1), activation="identity")
    >>> F = Risk(net, Sample([[1.0], [2.0]], [[2.0], [4.0]]))
    >>> path = connect(F, [2, 0, 1, 0], [0, -1, 0, -2])  # two factorisations of x -> 2 x
    >>> bool(F.batch(path.points).max() < 1e-20)
    True
    """
    problem, scale = normalised(risk)
    (a, inner_a), (b, inner_b) = (
        enter(problem, scale, theta, name) for theta, name in ((theta_a, "theta_a"), (theta_b, "theta_b"))
    )
    rise = check.number(rise, "rise", minimum=0.0, open_minimum=True)
    if np.array_equal(a, b):
        return Path(a[None])
    path = which(problem).path(problem, inner_a, inner_b, rise)
    return scale.outside(path, a, b)
