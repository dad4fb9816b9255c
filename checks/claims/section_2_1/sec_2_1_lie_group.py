"""Section 2.1: U_theta has a Lie group structure."""

from __future__ import annotations

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness


def attack(setting: Setting, *, deficient: bool = False) -> Outcome:
    """Where W_1 has full row rank only F = I keeps it: the group acts freely, and the orbit is a copy of the group.

    deficient: W_1 of lower rank (the planted fault), which other F keep too. Exact: {F : F W_1 = W_1} is the affine
    space I + {D : D W_1 = 0}, of dimension h (h - rank W_1). Positive diagonal matrices: a_i w_i = w_i gives a_i = 1.
    """
    import flint

    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(200))):
        h = int(rng.integers(1, 5))
        n = h + int(rng.integers(0, 3))
        W = flint.fmpz_mat(h, n, rng.integers(-3, 4, h * n).tolist())
        if W.rank() < h:
            continue
        if deficient:
            for j in range(n):
                W[h - 1, j] = 0
        kept = h * (h - W.rank())  # dimension of the stabiliser in GL(h)
        dead = sum(all(W[i, j] == 0 for j in range(n)) for i in range(h))  # and in the positive diagonal group
        tally.add(-kept - dead, h=h, n=n)
    return tally.outcome("dimension of the stabiliser of W_1, in integers")


def witness() -> Witness:
    """Widths (1, 3, 1), W_1 = e_1, W_2 = 0: the orbit is R^3 without the origin, which no Lie group is."""
    import flint

    vectors = [(1, 0, 0), (-1, 0, 0), (0, 0, 2), (-3, 5, 7), (0, -1, 0)]
    reached = all(_carries((1, 0, 0), v) for v in vectors)
    return Witness(
        reached and flint.fmpz_mat(3, 1, [0, 0, 0]).rank() == 0,
        "one input, three hidden units, W_1 = e_1, W_2 = 0: (F W_1, W_2 F^-1) runs through all nonzero vectors, so U_theta = R^3 minus "
        "the origin, which is homotopic to the sphere S^2; but the second homotopy group of every Lie group is 0 (Cartan), that of S^2 is Z",
        {"vectors reached from e_1": [list(v) for v in vectors]},
    )


def _carries(u: tuple[int, int, int], v: tuple[int, int, int]) -> bool:
    """Whether some F with det F > 0 has F u = v: complete both to bases, and turn the sign of the last vector."""
    import flint

    def basis(x: tuple[int, int, int]) -> flint.fmpq_mat:
        k = next(i for i in range(3) if x[i])
        columns = [x, *([int(i == j) for i in range(3)] for j in range(3) if j != k)]
        return flint.fmpq_mat(3, 3, [columns[j][i] for i in range(3) for j in range(3)])

    A, B = basis(u), basis(v)
    if A.det() * B.det() < 0:
        for i in range(3):
            B[i, 2] = -B[i, 2]
    F = B * A.inv()
    image = F * flint.fmpq_mat(3, 1, list(u))
    return F.det() > 0 and all(image[i, 0] == v[i] for i in range(3))


CLAIM = Claim(
    id="sec-2.1-lie-group",
    headline="The set of nets equivalent to one is a Lie group.",
    instead="It is an orbit, G modulo a stabiliser: a group when W_1 has full row rank, and for ReLU nets always.",
    fault="a first layer of deficient rank, which other matrices keep too",
    source="Section 2.1, after the definition of U_theta",
    statement="U_theta has a Lie Group structure (linear nets: matrices of positive determinant; ReLU nets: positive diagonal matrices).",
    standing=Standing.REMARK,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, deficient=True),
    refute=witness,
    repaired="U_theta = G / Stab(theta) is a homogeneous space; it is a copy of G where the action is free, for instance where every hidden "
    "matrix has full row rank; for positive diagonal matrices it is a group always, G being abelian.",
    proof="If F W_1 = W_1 with W_1 of full row rank then F = I, and so on up the layers. In an abelian group every stabiliser is normal. "
    "The smallest orbit that is no group: R^3 minus the origin.",
)
