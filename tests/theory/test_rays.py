"""A sample as one point per ray, held to the sample itself, and what no net sees, held to a list of features; in rationals.

Nothing is rounded on either side, so every comparison is for equality.
"""

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from theory.numerics import exact_rows, matrix, rank
from theory.rays import dependencies, embed, feature_rows, plane_coordinates, rays, sorted_directions, unseen_risk
from theory.risk import Sample


@st.composite
def samples(draw, dimensions=(1, 2, 3)):
    """Small integers: zeros, repeats, rays, opposite points and weights of zero are frequent; at least one ray."""
    n, N, d = draw(st.sampled_from(dimensions)), draw(st.integers(1, 7)), draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    X = rng.integers(-2, 3, (N, n)).astype(float)
    if draw(st.booleans()):  # pairs of opposite points, of other lengths
        X = np.concatenate([X, -X[: N // 2 + 1] * rng.integers(1, 4, (N // 2 + 1, 1))])
    X[0, 0] = X[0, 0] or 1.0
    Y, weights = rng.integers(-3, 4, (len(X), d)).astype(float), rng.integers(0, 4, len(X)).astype(float)
    weights[0] = 1.0
    return Sample(X, Y, weights)


def directions(X):
    """Vectors of every extreme ray of the cells that the points cut from weight space, and some more.

    A feature vector is linear on each cell: on these it attains all that features span.
    """
    n = X.shape[1]
    both = np.concatenate([X, np.eye(n)])
    if n == 1:
        found = np.ones((1, 1))
    elif n == 2:
        found = both @ [[0, 1], [-1, 0]]
    else:
        found = np.cross(both[:, None], both).reshape(-1, 3)
    return exact_rows(np.unique(np.concatenate([found, -found]), axis=0))


def least_squares(rows, Y, p):
    """min_a sum_i p_i |Y_i - sum_k a_k rows_ki|^2, by the normal equations of independent rows."""
    chosen = []
    for row in rows:
        if rank([*chosen, row]) > len(chosen):
            chosen.append(row)
    weighted = matrix([[w * v for w, v in zip(p, column)] for column in zip(*Y)])
    energy = sum((w * v * v for w, values in zip(p, Y) for v in values), fmpq(0))
    if not chosen:
        return energy
    F = matrix(chosen)
    PF = matrix([[w * v for w, v in zip(p, row)] for row in chosen])
    right = F * weighted.transpose()
    fitted = right.transpose() * (F * PF.transpose()).solve(right)
    return energy - sum((fitted[k, k] for k in range(fitted.nrows())), fmpq(0))


@given(samples(), st.booleans(), st.integers(0, 2**32))
def test_every_net_has_the_same_risk_on_the_rays_and_on_the_sample(sample, bias, seed):
    rng = np.random.default_rng(seed)
    X = np.column_stack([sample.X, np.ones(len(sample.X))]) if bias else sample.X
    W, B = rng.integers(-3, 4, (3, X.shape[1])), rng.integers(-3, 4, (3, sample.Y.shape[1]))
    points = rays(sample, bias=bias)

    def risk(X, Y, p):
        """Of the net with hidden rows W and outer weights B."""
        output = np.maximum(np.array(X, dtype=object) @ W.T, 0) @ B
        return sum(w * v * v for w, row in zip(p, np.array(Y, dtype=object) - output) for v in row)

    (p,) = exact_rows(sample.weights[None])
    assert risk(points.X, points.Y, points.p) + points.constant == risk(exact_rows(X), exact_rows(sample.Y), p)
    assert [exact_rows(X)[i] for i in points.first] == points.X
    apart = [x / np.abs(x).max() for x in points.arrays[0]]
    assert len(np.unique(apart, axis=0)) == len(points)
    assert (points.arrays[2] > 0).all()
    assert points.constant >= 0


@given(samples(), st.booleans())
def test_what_no_net_sees_is_what_is_orthogonal_to_every_feature(sample, bias):
    points = rays(sample)
    rows = feature_rows(points, directions(points.arrays[0])) + [[fmpq(1)] * len(points)] * bias
    blind = dependencies(points, bias=bias)
    assert all(sum((a * b for a, b in zip(nu, row)), fmpq(0)) == 0 for nu in blind for row in rows)
    assert rank(blind) == len(blind) == len(points) - rank(rows)


@given(samples())
def test_the_unseen_risk_is_what_every_feature_together_leaves(sample):
    points = rays(sample)
    left = least_squares(feature_rows(points, directions(points.arrays[0])), points.Y, points.p)
    assert unseen_risk(points, dependencies(points)) == points.constant + left


@given(samples(), st.data())
def test_a_subset_has_the_rows_that_were_chosen_and_no_constant(sample, data):
    points = rays(sample)
    chosen = tuple(data.draw(st.lists(st.integers(0, len(points) - 1), unique=True)))
    part = points.subset(chosen)
    assert (part.constant, part.first) == (0, tuple(points.first[i] for i in chosen))
    for all_of, some in ((points.X, part.X), (points.Y, part.Y), (points.p, part.p)):
        assert [all_of[i] for i in chosen] == some


@given(samples(dimensions=(2,)))
def test_directions_of_the_plane_are_all_there_each_once_and_in_order(sample):
    points = rays(sample)
    found = sorted_directions(points)
    angles = [np.arctan2(float(w[1]), float(w[0])) % (2 * np.pi) for w in found]
    assert angles == sorted(set(angles))
    turned = {round(float(np.arctan2(s * x[0], -s * x[1]) % (2 * np.pi)), 9) for x in points.arrays[0] for s in (1, -1)}
    assert {round(float(a), 9) for a in angles} == turned
    assert all(any(a * w[0] + b * w[1] == 0 for a, b in points.X) for w in found)


@given(st.integers(0, 2**32), st.integers(2, 5), st.integers(0, 2))
def test_points_of_rank_two_have_the_features_of_plane_points(seed, n, extra):
    rng = np.random.default_rng(seed)
    plane = np.concatenate([np.eye(2), rng.integers(-3, 4, (extra + 2, 2))])
    basis = rng.integers(-3, 4, (2, n))
    sample = Sample((plane @ basis).astype(float), rng.integers(-3, 4, (len(plane), 1)).astype(float))
    points = rays(sample)
    flat = plane_coordinates(points)
    if np.linalg.matrix_rank(basis) < 2:
        assert flat is None
        return
    assert flat is not None
    assert (flat.Y, flat.p, flat.constant, flat.first) == (points.Y, points.p, points.constant, points.first)
    W = exact_rows(rng.integers(-3, 4, (4, 2)))
    assert feature_rows(flat, W) == feature_rows(points, embed(points, W))
    assert rank(feature_rows(flat, sorted_directions(flat))) == len(flat) - len(dependencies(points))


def test_points_of_rank_one_or_three_have_no_plane():
    for X in (np.eye(3), np.array([[1.0, 2.0], [-2.0, -4.0]])):
        assert plane_coordinates(rays(Sample(X, np.ones((len(X), 1))))) is None


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e300])
def test_a_ray_is_decided_without_rounding(size):
    """Points that differ by one rounding are on two rays, and exact multiples on one, at any size."""
    X = np.array([[1.0, 3.0], [1.0, np.nextafter(3.0, 4.0)], [-1.0, -3.0], [2.0, 6.0]]) * [
        [1.0],
        [1.0],
        [1.0],
        [2.0**-600],
    ]
    X *= 2.0 ** np.floor(np.log2(size))
    assert rays(Sample(X[:3], np.ones((3, 1)))).first == (0, 1, 2)
    assert rays(Sample(X[[0, 3]], np.ones((2, 1)))).first == (0,)
