"""A sample as a ReLU net without biases sees it: one point per ray from the origin, in exact rationals.

Floats are rationals, so orientation, rank and linear dependence are decided without any rounding (python-flint).

Used for section 2.3.1 and appendix E.1. A Vector is a list of rationals (flint.fmpq), rows a list of vectors: a matrix
(M, n); points are `Rays`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theory.numerics import Array, Rational, Vector, counterclockwise, matrix, null_space, rank
from theory.numerics import length as row_norms  # noqa: F401  (for theory.barriers)
from theory.risk import Sample


@dataclass(frozen=True, eq=False)
class Rays:
    """A sample as the net sees it, in rationals: one point per ray from the origin.

    Two points on a ray have proportional features, so their squared losses add up to one of the same kind: weights
    p = p_1 + c^2 p_2, target the weighted mean, and a constant that no net removes. A zero point gives a constant.
    X (N, n), Y (N, d), p (N,) as rows of rationals; `first` (N,): the index in the sample of the point kept of each ray.
    """

    X: list[Vector]
    Y: list[Vector]
    p: Vector
    constant: Rational
    first: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.p)

    def subset(self, chosen: tuple[int, ...]) -> Rays:
        """The rays `chosen` by index, without the constant."""
        pick = lambda rows: [rows[i] for i in chosen]  # noqa: E731
        return Rays(pick(self.X), pick(self.Y), pick(self.p), self.constant * 0, tuple(self.first[i] for i in chosen))

    def sample(self) -> Sample:
        """The rays as floats. The risk is that of the original sample over its total weight, without the constant."""
        return Sample(*self.arrays)

    @property
    def arrays(self) -> tuple[Array, Array, Array]:
        """X, Y, p rounded to floats."""
        return tuple(np.array(rows, dtype=object).astype(float) for rows in (self.X, self.Y, self.p))  # type: ignore[return-value]


def rays(sample: Sample, *, bias: bool = False) -> Rays:
    """The sample's rays in exact rationals; with bias, points are (x, 1)."""
    from flint import fmpq

    def exact(v: float) -> Rational:
        return fmpq(*float(v).as_integer_ratio())

    groups: dict[tuple[tuple[int, int], ...], int] = {}
    X: list[Vector] = []
    moments: list[list[Any]] = []  # p, p y, sum p |y|^2 of each ray, in units of its first point
    first: list[int] = []
    constant = fmpq(0)
    for i, (x, y, w) in enumerate(zip(sample.X.tolist(), sample.Y.tolist(), sample.weights.tolist())):
        p, xs, ys = exact(w), [exact(v) for v in x] + [fmpq(1)] * bias, [exact(v) for v in y]
        energy = p * sum((v * v for v in ys), fmpq(0))
        scale = next((abs(v) for v in xs if v != 0), None)
        if p == 0:
            continue
        if scale is None:
            constant += energy
            continue
        key = tuple((int((v / scale).p), int((v / scale).q)) for v in xs)
        if key not in groups:
            groups[key] = len(X)
            X.append(xs)
            moments.append([fmpq(0), [fmpq(0)] * len(ys), fmpq(0), scale])
            first.append(i)
        group = moments[groups[key]]
        c = scale / group[3]
        group[0] += p * c * c
        group[1] = [a + p * c * v for a, v in zip(group[1], ys)]
        group[2] += energy
    Y = [[v / group[0] for v in group[1]] for group in moments]
    for group in moments:
        constant += group[2] - sum((v * v for v in group[1]), fmpq(0)) / group[0]
    return Rays(X, Y, [group[0] for group in moments], constant, tuple(first))


def dependencies(points: Rays, *, bias: bool = False) -> list[Vector]:
    """A basis of {nu : rho(X w) . nu = 0 for every w} (with an output bias also sum nu = 0): what no net can see.

    rho(t) = (|t| + t)/2, and the functions |<w, x>| are independent over different lines. So nu vanishes at a point alone
    on its line, at two opposite points x and -c x it is (1, -1/c) times some t, and the t's solve sum t x = 0.
    """
    lines: dict[tuple[tuple[int, int], ...], list[int]] = {}
    sizes = []
    for i, x in enumerate(points.X):
        lead = next(v for v in x if v != 0)
        sizes.append(abs(lead))
        lines.setdefault(tuple((int((v / lead).p), int((v / lead).q)) for v in x), []).append(i)
    pairs = [line for line in lines.values() if len(line) == 2]
    if not pairs:
        return []
    equations = [[points.X[i][k] / sizes[i] for i, _ in pairs] for k in range(len(points.X[0]))]
    if bias:
        equations.append([1 / sizes[i] - 1 / sizes[j] for i, j in pairs])
    basis = []
    for solution in null_space(equations, len(pairs)):
        nu = [points.constant * 0] * len(points)
        for t, (i, j) in zip(solution, pairs):
            nu[i], nu[j] = t / sizes[i], -t / sizes[j]
        basis.append(nu)
    return basis


def unseen_risk(points: Rays, blind: list[Vector]) -> Rational:
    """The risk that no net of any width removes: the distance of Y from what features can span, with the constant.

    blind: what `dependencies` gives of the points.
    """
    from flint import fmpq_mat

    if not blind:
        return points.constant
    K = matrix(blind)
    weighted = matrix([[v / p for v, p in zip(nu, points.p)] for nu in blind])
    gram, seen = weighted * K.transpose(), K * matrix(points.Y)
    solved: fmpq_mat = gram.solve(seen)
    product = seen.transpose() * solved
    return points.constant + sum((product[k, k] for k in range(product.nrows())), points.constant * 0)


def sorted_directions(points: Rays) -> list[Vector]:
    """The directions w of the plane where some <w, x_i> changes sign, each once, counterclockwise; exact.

    `points` must be two-dimensional.
    """
    both = [[s * -x[1], s * x[0]] for x in points.X for s in (1, -1)]
    return [both[group[0]] for group in counterclockwise(both)]


def plane_coordinates(points: Rays) -> Rays | None:
    """The same features from points in the plane, when X has rank 2: two independent columns of X; None otherwise."""
    columns = [list(c) for c in zip(*points.X)]
    if rank(points.X) != 2:
        return None
    a, b = _independent(columns)
    return Rays([[x[b], x[a]] for x in points.X], points.Y, points.p, points.constant, points.first)


def embed(points: Rays, directions: list[Vector]) -> list[Vector]:
    """Plane directions as vectors of R^n with the same <w, x_i>: zero outside the two columns kept."""
    n = len(points.X[0])
    columns = [list(c) for c in zip(*points.X)]
    a, b = _independent(columns)
    zero = points.constant * 0
    return [[w[0] if k == b else w[1] if k == a else zero for k in range(n)] for w in directions]


def feature_rows(points: Rays, directions: list[Vector]) -> list[Vector]:
    """rho(X w), a matrix (M, N), for each w of `directions`."""
    zero = points.constant * 0
    return [[max(sum((a * b for a, b in zip(x, w)), zero), zero) for x in points.X] for w in directions]


def _independent(vectors: list[Vector]) -> tuple[int, int]:
    """Two of the vectors that are independent: the first such pair (i, j), i > j."""
    return next((i, j) for i in range(len(vectors)) for j in range(i) if rank([vectors[i], vectors[j]]) == 2)
