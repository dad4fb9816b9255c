"""Proposition 2.2: paths inside the level sets of linear networks, Phi(x; theta) = W_K ... W_1 x.

kappa = 0, hidden widths >= r + 1 with r = min(n_in, n_out): moves around idle units (`theory.moves`) bring each end to
W_j = [I 0; 0 0], W_K = [M 0] at constant risk, whatever the ranks; between the two one matrix moves, M in a straight
line, and the risk is convex. So the vertices decide, and no vertex is above the larger end but for rounding:

    |risk(vertex) - risk(its end)| <= rounding_allowance(risk, path).

Ridge, one hidden layer: the continuous balanced factorisation of `theory.linear_paths`. Width exactly r, one hidden
layer: `theory.linear_paths.critical_width` (two components below a barrier that is known exactly). Strictly falling paths:
`theory.linear_paths`. This module says which of them applies, and why none does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from theory.linear_paths.canonical import _join
from theory.linear_paths.critical_width import connect_at_critical_width
from theory.linear_paths.problem import _ends, check_linear, check_widths, is_critical
from theory.linear_paths.ridge import connect_ridge
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk


def connect(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, *, rise: float = 1e-9) -> Path:
    """A polyline from theta_a to theta_b, (P,) each, on which the risk stays at most max(F(theta_a), F(theta_b)).

    Linear networks only. Both ends are vertices, bit for bit; equal ends give a path without pieces.

    - kappa = 0, any depth, hidden widths >= r + 1, r = min(n_in, n_out) (with biases n_in + 1): every piece moves one
      matrix and the bound holds up to rounding, for squared and absolute loss.
    - ridge, one hidden layer of width >= r + 1: pieces of two curves are drawn as chords, as many as it takes to stay
      below the larger end times 1 + rise.
    - one hidden layer of width r: as above when the ends are in the same component of the level set.

    ValueError: nonlinear networks, a penalty or depth for which nothing is proved, widths that are not wide enough
    (naming the layer and the width needed), ends in different components (naming the barrier), bad ends.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> net = Network((1, 2, 1), activation="identity")
    >>> F = Risk(net, Sample([[1.0], [2.0]], [[2.0], [4.0]]))
    >>> path = connect(F, [2, 0, 1, 0], [0, -1, 0, -2])  # two factorisations of x -> 2 x
    >>> bool(F.batch(path.points).max() < 1e-20)
    True
    """
    check_linear(risk)
    a, b = _ends(risk, theta_a, theta_b)
    rise = check.number(rise, "rise", minimum=0.0, open_minimum=True)
    if np.array_equal(a, b):
        return Path(a[None])
    depth, kappa = risk.network.depth, risk.kappa
    if depth == 1:
        return Path(np.stack([a, b]), ("straight: the risk is convex",))
    if kappa > 0 and depth > 2:
        raise ValueError(
            f"kappa must be 0 for {depth} matrices; got {kappa}. With ridge and depth >= 3 the origin is always a strict "
            "local minimum and level sets are disconnected for small kappa: use kappa = 0 or one hidden layer"
        )
    if depth == 2 and is_critical(risk) and kappa == 0:
        return connect_at_critical_width(risk, a, b, rise)
    if not (depth == 2 and is_critical(risk)):
        check_widths(risk)
    if kappa > 0:
        return connect_ridge(risk, a, b, rise)
    return _join(risk.network, a, b)
