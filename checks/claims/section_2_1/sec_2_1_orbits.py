"""Section 2.1: the group orbits on which the risk is constant without regularisation."""

from itertools import pairwise

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_2.instances import identity, integers, oriented, rational, square_sum


def attack(setting: Setting, *, relu_group: str = "positive") -> Outcome:
    """Exact: (F_1 W_1, F_2 W_2 F_1^{-1}, ..., W_K F_{K-1}^{-1}) has the risk of W, for linear and for ReLU nets.

    Linear: F_k any integer matrix with positive determinant. ReLU: positive diagonal times a permutation.
    relu_group="signed" (the planted fault): diagonal matrices with a negative entry for ReLU.
    """
    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(100))):
        for activation in ("identity", "relu"):
            depth = int(rng.integers(1, 5))
            widths = [int(n) for n in rng.integers(1, 4, depth + 1)]
            W = [integers(rng, after, before) for before, after in pairwise(widths)]
            if activation == "identity":
                F = [oriented(rng, n) for n in widths[1:-1]]
            else:
                F = [_rescaling(rng, n, relu_group) for n in widths[1:-1]]
            X, Y = integers(rng, widths[0], 6), integers(rng, widths[-1], 6)
            ends = [identity(widths[0]), *F, identity(widths[-1])]
            moved = [after * A * before.inv() for A, before, after in zip(W, ends[:-1], ends[1:])]
            same = _risk(W, X, Y, activation) == _risk(moved, X, Y, activation)
            tally.add(1.0 if same else -1.0, widths=widths, activation=activation)
    return tally.outcome("depth 1 to 4, rational arithmetic")


def _rescaling(rng: np.random.Generator, n: int, group: str):
    """A permutation times a diagonal matrix of positive integers (one of them negated for "signed")."""
    scale = rng.integers(1, 6, n)
    if group == "signed":
        scale[0] *= -1
    return rational(np.eye(n, dtype=int)[rng.permutation(n)] * scale)


def _risk(W, X, Y, activation: str):
    out = X
    for k, A in enumerate(W, start=1):
        out = A * out
        if activation == "relu" and k < len(W):
            out = _relu(out)
    return square_sum(out - Y)


def _relu(A):
    import flint

    return flint.fmpq_mat(A.nrows(), A.ncols(), [max(x, flint.fmpq(0)) for x in A.entries()])


CLAIM = Claim(
    id="sec-2.1-orbits",
    headline="Inserting invertible maps between linear layers, or positive scalings between ReLU layers, keeps the risk.",
    fault="diagonal matrices with a negative entry are inserted into ReLU nets",
    source="Section 2.1, after Proposition 2.1: the sets U_theta",
    statement=(
        "For linear nets without regularisation F is constant on {(F_1 W_1, F_2 W_2 F_1^{-1}, ..., W_K F_{K-1}^{-1}) : "
        "det F_k > 0}; for half-rectified nets on F_k = diag(a_1, ..., a_n), a_i > 0."
    ),
    standing=Standing.REMARK,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.HOLDS,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, relu_group="signed"),
    proof=(
        "The F_k cancel in the product; rho(a z) = a rho(z) for a > 0, and rho commutes with permutations. det F_k < 0 "
        "gives equal risk too; the sign only makes the orbit connected."
    ),
)
