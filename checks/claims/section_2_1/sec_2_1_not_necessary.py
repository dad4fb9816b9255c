"""Section 2.1: connected level sets are sufficient, not necessary, for the absence of poor local minima."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory.numerics import null_space

Matrix = Any  # flint.fmpq_mat


def attack(setting: Setting, *, factor: int = 1) -> Outcome:
    """Linear nets at the critical width, F = |W_2 W_1 - M|^2 with W_1, W_2, M all r x r and det M != 0.

    Disconnected: solutions with either sign of det W_1 exist, and det W_1 = 0 costs a positive amount (times `factor`,
    where a fault is planted). No poor minima: at every critical point that is not global an explicit step falls.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(60))):
        r = 1 + k % 3
        M = _invertible(rng, r)
        wall = factor * _lowest_square(M)
        W1, W2 = _two_solutions(rng, M)
        between = W1[0].det() * W1[1].det()
        ends = max(_risk(M, a, b) for a, b in zip(W1, W2))
        tally.add(0 if between < 0 and ends < wall else -1, M=M.tolist(), W1=W1[0].tolist())
        for W in _singular(rng, M):
            best = _best_with_inner(M, W)
            tally.add(float(best - wall), M=M.tolist(), W1=W.tolist())
        tally.add(_fall_from_critical(rng, r) - 0.5, r=r)
        tally.add(_isolated_minima(Fraction(int(rng.integers(1, 20)), 20), factor), k=k)
    return tally.outcome(
        "linear nets at width r = 1, 2, 3 and ridge nets with two isolated minima, in rational arithmetic"
    )


def _integers(rng: np.random.Generator, r: int) -> Matrix:
    from flint import fmpq_mat

    return fmpq_mat(r, r, rng.integers(-4, 5, size=(r, r)).ravel().tolist())


def _invertible(rng: np.random.Generator, r: int) -> Matrix:
    while True:
        M = _integers(rng, r)
        if M.det() != 0:
            return M


def _two_solutions(rng: np.random.Generator, M: Matrix) -> tuple[list[Matrix], list[Matrix]]:
    """Two factorisations M = W_2 W_1 with opposite signs of det W_1."""
    A = _invertible(rng, M.nrows())
    B = _diagonal([-1] + [1] * (M.nrows() - 1)) * A
    return [A, B], [M * A.inv(), M * B.inv()]


def _lowest_square(M: Matrix) -> Any:
    """A positive lower bound of sigma_min(M)^2, the least |N - M|^2 over singular N.

    The other r - 1 eigenvalues of M^T M have a product of at most (trace / (r - 1))^(r - 1).
    """
    r = M.nrows()
    return M.det() ** 2 / (_square(M) / (r - 1)) ** (r - 1) if r > 1 else M.det() ** 2


def _singular(rng: np.random.Generator, M: Matrix) -> list[Matrix]:
    """Inner matrices of determinant zero: zero, random, and the one that kills a coordinate direction of M."""
    r = M.nrows()
    random = _integers(rng, r)
    for j in range(r):
        random[0, j] = random[r - 1, j] if r > 1 else 0
    kill, dead = [1] * r, int(rng.integers(r))
    kill[dead] = 0
    return [_diagonal([0] * r), random, _diagonal(kill)]


def _best_with_inner(M: Matrix, W1: Matrix) -> Any:
    """min over W_2 of |W_2 W_1 - M|^2: row by row, the distance to the row space of W_1, whose basis is B."""
    from flint import fmpq_mat

    reduced, rank = W1.rref()
    if rank == 0:
        return _square(M)
    B = fmpq_mat(rank, M.ncols(), [v for row in reduced.tolist()[:rank] for v in row])
    return _square(M - M * B.transpose() * (B * B.transpose()).inv() * B)


def _fall_from_critical(rng: np.random.Generator, r: int) -> int:
    """1 when the explicit step falls from a random critical point that is not global, else 0.

    M = diag(d); W_2 W_1 keeps the d_i of a proper subset, in a random basis of the hidden layer. With w^T W_1 = 0 and
    G = W_2 W_1 - M != 0, the step W_2 += s a w^T, W_1 += s^2 w b^T changes F by s^3 (2 a^T G b |w|^2) + O(s^4).
    """
    from flint import fmpq, fmpq_mat

    d = [int(n) for n in rng.integers(1, 6, size=r)]
    keep = rng.random(r) < 0.5
    keep[int(rng.integers(r))] = False
    basis = _invertible(rng, r)
    M, W1 = _diagonal(d), basis * _diagonal([int(kept) for kept in keep])
    W2 = _diagonal([n * int(kept) for n, kept in zip(d, keep)]) * basis.inv()
    G = W2 * W1 - M
    if _square(W2.transpose() * G) or _square(G * W1.transpose()):
        return 0  # not critical: the construction is wrong
    w = fmpq_mat(r, 1, null_space(W1.transpose().tolist(), r)[0])
    i, j = next((i, j) for i in range(r) for j in range(r) if G[i, j] != 0)
    a, b = (_diagonal([int(k == place) for k in range(r)]) for place in (i, j))
    a, b = a * fmpq_mat(r, 1, [1] * r), b * fmpq_mat(r, 1, [-1 if G[i, j] > 0 else 1] * r)
    start, s = _risk(M, W1, W2), fmpq(1)
    for _ in range(60):
        if _risk(M, W1 + w * b.transpose() * s**2, W2 + a * w.transpose() * s) < start:
            return 1
        s /= 2
    return 0


def _isolated_minima(q: Fraction, factor: int) -> float:
    """F = (1 - uv)^2 + (1 - q^2)(u^2 + v^2), 0 < q < 1: +-(q, q) are its only minima, and u = 0 is a wall between them.

    Critical points are 0 and +-(q, q): from (1 - uv) v = kappa u and (1 - uv) u = kappa v, (1 - uv)^2 = kappa^2 or
    u = v = 0, and 1 - uv = -kappa would give u = -v, uv <= 0. At 0, F(t, t) < F(0) for small t.
    """
    kappa = 1 - q * q

    def F(u: Fraction, v: Fraction) -> Fraction:
        return (1 - u * v) ** 2 + kappa * (u * u + v * v)

    critical = all((1 - u * u) * u == kappa * u for u in (q, -q))
    t = q / 2
    saddle = F(t, t) < F(Fraction(0), Fraction(0))
    level = F(q, q) * factor
    if not (critical and saddle and F(q, q) == F(-q, -q)):
        return -1.0
    return float(min(F(Fraction(0), Fraction(v)) for v in range(-3, 4)) - level)  # on u = 0: 1 + kappa v^2


def _risk(M: Matrix, W1: Matrix, W2: Matrix) -> Any:
    return _square(W2 * W1 - M)


def _square(A: Matrix) -> Any:
    """|A|^2, the sum of squares of the entries."""
    return sum(v * v for v in A.entries())


def _diagonal(d: list[int]) -> Matrix:
    from flint import fmpq_mat

    return fmpq_mat(len(d), len(d), [v if i == j else 0 for i, v in enumerate(d) for j in range(len(d))])


CLAIM = Claim(
    id="sec-2.1-not-necessary",
    headline="Without poor minima level sets can still be disconnected.",
    fault="steps a thousand times too long, which no longer fall",
    source="Section 2.1, last paragraph",
    statement="Connected level sets are sufficient, not necessary, for the absence of poor local minima.",
    standing=Standing.REMARK,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.HOLDS,
    evidence=Evidence.EXACT,
    confirm=attack,
    control=lambda setting: attack(setting, factor=1000),
    proof=(
        "F = |W_2 W_1 - M|^2 with r x r matrices and det M != 0: below sigma_min(M)^2 no point has det W_1 = 0, and "
        "(-1) on one hidden unit changes its sign, so the level set is disconnected; yet at every critical point that is "
        "not global a hidden direction is unused, and a step through it falls. (1 - uv)^2 + kappa (u^2 + v^2), kappa < 1, "
        "has two isolated minima at one level, as the paper says."
    ),
)
