"""The order of exact vectors in the plane against their angles."""

import math
import sys
from fractions import Fraction
from itertools import combinations, pairwise, permutations, product

import numpy as np
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from theory.numerics import counterclockwise, float_below
from theory.numerics.rationals import exact_rows, floats, null_space, rank

entries = st.integers(-4, 4).map(Fraction)
directions = st.tuples(entries, entries).filter(any).map(list)


@given(st.lists(directions, max_size=12), st.none() | directions)
def test_counterclockwise_is_the_order_of_the_angles_and_groups_directions(vectors, start):
    groups = counterclockwise(vectors, start)
    assert sorted(k for group in groups for k in group) == list(range(len(vectors)))
    zero = 0.0 if start is None else np.arctan2(float(start[1]), float(start[0]))
    angles = []
    for group in groups:
        assert group == sorted(group)
        turned = [np.arctan2(*(float(v) for v in vectors[k][::-1])) - zero for k in group]
        turned = [0.0 if abs(t % (2 * np.pi) - 2 * np.pi) < 1e-12 else t % (2 * np.pi) for t in turned]
        assert max(turned) - min(turned) < 1e-12
        angles.append(turned[0])
    assert all(a < b - 1e-6 for a, b in pairwise(angles))  # 1/32 at least between small integers


def test_of_one_direction_the_order_is_that_given():
    vectors = [[0, 1], [2, 0], [0, 2], [1, 0], [0, -1], [-1, 0]]
    assert counterclockwise(vectors) == [[1, 3], [0, 2], [5], [4]]
    assert counterclockwise(vectors, [0, 1]) == [[0, 2], [5], [4], [1, 3]]
    assert counterclockwise([]) == []


@given(st.integers(-(2**80), 2**80), st.integers(1, 2**80), st.integers(-1200, 1200))
def test_the_float_below_a_rational_is_the_next_one_at_every_magnitude(p, q, k):
    value = fmpq(p, q) * fmpq(2) ** k
    below, exact = float_below(value), Fraction(p, q) * Fraction(2) ** k
    if below == -np.inf:
        assert exact < -Fraction(sys.float_info.max)
        return
    assert Fraction(below) <= exact
    above = math.nextafter(below, math.inf)
    assert above == np.inf or Fraction(above) > exact


def test_below_every_float_there_is_none():
    largest = fmpq(*sys.float_info.max.as_integer_ratio())
    assert float_below(-largest) == -sys.float_info.max
    assert float_below(-largest - 1) == -math.inf
    assert float_below(-(fmpq(2) ** 1025)) == -math.inf
    assert float_below(largest + 1) == sys.float_info.max


small = st.integers(-2, 2) | st.sampled_from([0, 0, 2**70])


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(small, min_size=n, max_size=n), max_size=4)))
def test_rank_and_null_space_by_minors(rows):
    columns = len(rows[0]) if rows else 3
    exact = [[fmpq(v) for v in row] for row in rows]
    largest = 0
    for r in range(1, min(len(rows), columns) + 1):  # the largest minor that is not zero, by Leibniz
        for below, right in product(combinations(range(len(rows)), r), combinations(range(columns), r)):
            minor = sum(
                sign(p) * math.prod(rows[i][right[j]] for i, j in zip(below, p)) for p in permutations(range(r))
            )
            largest = r if minor else largest
    assert rank(exact) == largest
    kernel = null_space(exact, columns)
    assert len(kernel) == columns - largest
    assert rank(kernel) == len(kernel)
    for v in kernel:
        assert len(v) == columns
        assert all(sum(a * b for a, b in zip(row, v)) == 0 for row in exact)


def sign(p):
    return (-1) ** sum(p[i] > p[j] for i, j in combinations(range(len(p)), 2))


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2), max_size=3))
def test_floats_are_rationals_and_back(rows):
    assert floats(exact_rows(rows)).tolist() == rows
    assert [[Fraction(int(v.p), int(v.q)) for v in row] for row in exact_rows(rows)] == [
        [Fraction(v) for v in row] for row in rows
    ]


def test_a_rational_between_floats_is_rounded_to_the_nearest():
    assert floats([[fmpq(1, 3), fmpq(2**53 + 1, 2**53)]]).tolist() == [[1 / 3, 1.0]]
    assert floats([]).shape == (0, 0)
