"""The least risk with dependent features, and the rays that it is computed on."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.barriers.dependent_features import Geometry, alternations, least_risk
from theory.numerics.rationals import float_below
from theory.rays import dependencies, rays, unseen_risk
from theory.risk import Sample

CYCLE = [1, 2, 0]


def corners(*degrees):
    t = np.radians(degrees)
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def task(X, target=CYCLE):
    X = np.asarray(X, dtype=float)
    return Sample(X, X[target])


def refitted(sample, W):
    """The least risk over W_2 at W_1 = W (..., m, n)."""
    root = np.sqrt(sample.weights)
    Z = np.maximum(W @ sample.X.T, 0) * root
    Y = sample.Y * root[:, None]
    seen = np.linalg.pinv(Z, rcond=1e-9) @ Z
    return np.sum((Y - seen @ Y) ** 2, axis=(-1, -2))


@pytest.mark.parametrize(
    ("X", "exact", "geometry"),
    [
        (corners(0, 120, 240), 1 / 6, Geometry.SURROUNDING),
        (corners(0, 60, 120), 1 / 6, Geometry.HALF_PLANE),
        ([[1, 0], [0, 1], [1, 1]], (3 - 5**0.5) / 6, Geometry.HALF_PLANE),
        ([[1, 0], [-1, 0], [0, 1]], 1 / 3, Geometry.ANTIPODAL),
    ],
)
def test_known_triangles_have_their_closed_forms(X, exact, geometry):
    found = least_risk(rays(task(X)))
    assert found.geometry is geometry
    assert exact * (1 - 1e-11) <= found.lower <= exact * (1 + 1e-15)


def test_around_the_origin_the_bound_is_the_least_eigenvalue_of_a_pair():
    X = np.array([[1.0, 0.25], [-0.75, 1.5], [-0.5, -1.0]])
    pairs = [np.linalg.eigvalsh(X[list(pair)] @ X[list(pair)].T)[0] for pair in combinations(range(3), 2)]
    assert least_risk(rays(task(X))).lower == pytest.approx(min(pairs) / 3, rel=1e-11)


def test_the_bound_jumps_where_two_points_become_opposite():
    near = least_risk(rays(task([[1, 0], [-1, -(2.0**-20)], [0, 1]]))).lower
    at = least_risk(rays(task([[1, 0], [-1, 0], [0, 1]]))).lower
    assert near < 1e-12
    assert at == pytest.approx(1 / 3)


@given(
    st.integers(0, 2**32), st.sampled_from([(3, 2), (4, 2), (5, 2), (3, 3), (4, 3), (2, 2), (2, 3)]), st.integers(1, 5)
)
@instances(40)
def test_no_net_with_one_unit_fewer_gets_below_the_bound(seed, size, outputs):
    rng = np.random.default_rng(seed)
    N, n = size
    sample = Sample(rng.standard_normal((N, n)), rng.standard_normal((N, outputs)), rng.uniform(0.1, 1, N))
    found = least_risk(rays(sample))
    W = rng.standard_normal((300, N - 1, n))
    near = sample.X[rng.integers(N, size=(300, N - 1))] + 0.3 * W
    risks = refitted(sample, np.concatenate([W, near, -near]))
    assert found.lower <= risks.min() * (1 + 1e-9) + 1e-12 * sample.energy


@given(st.integers(0, 2**32))
@instances(25)
def test_turning_scaling_and_relabelling_the_points_moves_the_bound_as_they_should(seed):
    rng = np.random.default_rng(seed)
    X, Y, w = rng.standard_normal((3, 2)), rng.standard_normal((3, 2)), rng.uniform(0.2, 1, 3)
    base = least_risk(rays(Sample(X, Y, w))).lower
    turn, order = np.linalg.qr(rng.standard_normal((2, 2)))[0], rng.permutation(3)
    c = np.exp(rng.uniform(-2, 2, 3))  # a point further out counts for more
    stretched, targets, weights = c[:, None] * X @ turn, 3 * c[:, None] * Y @ turn, w / c**2
    moved = least_risk(rays(Sample(stretched[order], targets[order], weights[order]))).lower
    assert moved == pytest.approx(9 * base * w.sum() / weights.sum(), rel=1e-6, abs=1e-10)


def test_points_on_one_ray_count_as_one_and_leave_what_no_net_removes():
    sample = Sample(np.array([[1.0, 0.0], [3.0, 0.0], [0.0, 0.0], [0.0, 2.0]]), np.array([[1.0], [1.0], [2.0], [5.0]]))
    points = rays(sample)
    assert len(points) == 2
    # |b - 1|^2 + |3 b - 1|^2 is least at b = 4/10: 36/100 + 4/100; the zero point costs 4
    assert Fraction(str(unseen_risk(points, dependencies(points)))) == (Fraction(4, 10) + 4) / 4


@pytest.mark.parametrize("k", [-40, 0, 40])
def test_what_no_net_removes_is_no_part_of_the_least_risk(k):
    """A target at the origin adds to the risk of every net; its point halves the weights of the others."""
    X = corners(0, 100, 230)
    Y = np.ldexp(X[CYCLE], k)
    base = least_risk(rays(Sample(X, Y, [1.0, 1.0, 2.0]))).lower
    more = Sample(np.vstack([X, [[0, 0]]]), np.vstack([Y, np.ldexp([[3.0, 1.0]], k)]), [1.0, 1.0, 2.0, 4.0])
    assert rays(more).constant > 0
    assert base > 0
    assert least_risk(rays(more)).lower == pytest.approx(base / 2, rel=1e-11, abs=0)


def test_points_without_weight_are_not_seen():
    sample = Sample(np.eye(2)[[0, 1, 0]], np.ones((3, 1)), np.array([1.0, 1.0, 0.0]))
    assert len(rays(sample)) == 2
    zero = Sample(np.zeros((2, 2)), np.ones((2, 1)))
    assert len(rays(zero)) == 0
    assert float(unseen_risk(rays(zero), [])) == 1.0


def test_three_opposite_pairs_in_the_plane_are_dependent():
    X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    points = rays(Sample(np.concatenate([X, -X]), np.ones((6, 1))))
    (nu,) = dependencies(points)
    W = np.random.default_rng(0).standard_normal((50, 2))
    assert np.allclose(np.maximum(W @ np.concatenate([X, -X]).T, 0) @ np.array([float(v) for v in nu]), 0)


@pytest.mark.parametrize(("signs", "longest"), [((), 0), ((0,), 1), ((1, 0, 1), 3), ((1, 0, -1), 2), ((0, 0, 0), 3)])
def test_zeros_count_as_either_sign(signs, longest):
    assert alternations(signs) == longest


def test_rounding_down_is_the_nearest_float_below():
    from flint import fmpq

    for value in (fmpq(1, 3), fmpq(1, 10), fmpq(1), fmpq(0), fmpq(10**40 + 1, 7)):
        below = float_below(value)
        assert Fraction(below) <= Fraction(str(value)) < Fraction(float(np.nextafter(below, np.inf)))


def test_too_many_rays_are_refused():
    with pytest.raises(ValueError, match="2 to 12 different rays"):
        least_risk(rays(Sample(np.random.default_rng(0).standard_normal((13, 2)), np.ones((13, 1)))))
