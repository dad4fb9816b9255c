"""Sublevel trees against brute force and known landscapes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nightly import instances

from theory import sublevel_trees
from theory.counterexamples import poor_minimum, scalar, teacher_student, teacher_student_landscape
from theory.sublevel_trees import landscape, sublevel_tree


def one_point_at_a_time(values, periodic, sides):
    """(birth, death) pairs by adding grid points in order of value to a union-find."""
    n = values.size
    order = np.lexsort((np.arange(n), values.ravel()))
    place, leader, pairs = np.empty(n, int), -np.ones(n, int), []
    place[order] = np.arange(n)

    def find(k):
        while leader[k] != k:
            k = leader[k]
        return k

    for k in order:
        if not np.isfinite(values.ravel()[k]):
            continue
        leader[k] = k
        index = np.unravel_index(k, values.shape)
        for axis in range(values.ndim):
            for step in (-1, 1):
                other = list(index)
                other[axis] += step
                if periodic:
                    other[axis] %= values.shape[axis]
                elif not 0 <= other[axis] < values.shape[axis]:
                    continue
                m = np.ravel_multi_index(other, values.shape)
                if leader[m] < 0 or (sides is not None and sides[tuple(other)] != sides[index]):
                    continue
                a, b = sorted((find(k), find(m)), key=lambda r: place[r])
                if a != b:
                    leader[b] = a
                    if values.ravel()[k] > values.ravel()[b]:
                        pairs.append((values.ravel()[b], values.ravel()[k]))
    return sorted(pairs + [(values.ravel()[k], np.inf) for k in range(n) if leader[k] == k])


@given(st.integers(0, 2**32), st.integers(1, 4), st.booleans(), st.booleans(), st.booleans(), st.booleans())
@instances(80)
def test_the_tree_is_that_of_adding_points_one_by_one(seed, axes, periodic, ties, holes, walls):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 6, axes))
    values = rng.integers(0, 5, shape).astype(float) if ties else rng.standard_normal(shape)
    if holes:
        values[rng.random(shape) < 0.2] = np.inf
        values.flat[0] = 0.0
    sides = rng.integers(0, 2, shape) if walls else None
    before = values.copy()
    tree = sublevel_tree(values, periodic=periodic, sides=sides)
    assert sorted(zip(tree.birth, tree.death)) == one_point_at_a_time(values, periodic, sides)
    assert np.array_equal(values, before)
    assert (np.diff(tree.birth) >= 0).all()
    for k, parent in enumerate(tree.parent):
        assert values[tuple(tree.minimum[k])] == tree.birth[k]
        assert (parent < 0) == np.isinf(tree.death[k])
        if parent >= 0:
            assert tree.birth[parent] <= tree.birth[k]
            assert values[tuple(tree.merge[k])] == tree.death[k]


def test_separable_double_wells_have_all_their_minima_and_merge_at_one():
    x = np.linspace(-1.5, 1.5, 25)
    for d in range(1, 5):
        tree = sublevel_tree(landscape(lambda p: np.sum((p**2 - 1) ** 2, axis=1), [x] * d), min_persistence=1e-12)
        assert len(tree) == 2**d
        assert np.allclose(tree.birth, 0)
        assert np.allclose(tree.death[1:], 1)
        assert tree.count([-0.1, 0.5, 1.5]).tolist() == [0, 2**d, 1]


def test_the_poor_minimum_and_the_scalar_net_merge_at_their_exact_barriers():
    problem, line = poor_minimum(), scalar()
    axes = [np.linspace(-1, 1, 81), np.linspace(-1, 1, 81)]
    poor = sublevel_tree(landscape(problem.risk.batch, axes), min_persistence=0.02)
    assert poor.birth.tolist() == pytest.approx([0.03125, 0.28125])
    assert poor.death[1] == problem.barrier == 0.3125
    square = sublevel_tree(landscape(line.risk.batch, [np.linspace(-2, 2, 81)] * 2), min_persistence=0.02)
    assert len(square) == 2
    assert square.death[1] == line.barrier


def test_a_net_and_its_swap_merge_at_the_bound_of_one_direction():
    angles = 2 * np.pi * np.arange(360) / 360
    tree = sublevel_tree(landscape(teacher_student_landscape(), [angles, angles]), periodic=True, min_persistence=0.01)
    assert len(tree) == 2
    assert tree.death[1] == pytest.approx(teacher_student().barrier, abs=1e-6)


def test_only_persistent_components_are_kept_on_request():
    values = np.array([0.0, 1.0, 0.95, 2.0, 0.5])
    assert len(sublevel_tree(values)) == 3
    kept = sublevel_tree(values, min_persistence=0.1)
    assert kept.birth.tolist() == [0.0, 0.5]
    assert kept.parent.tolist() == [-1, 0]


@pytest.mark.parametrize(
    ("values", "settings_", "what"),
    [
        (np.zeros((2,) * 5), {}, "1 to 4 axes"),
        (np.zeros(0), {}, "1 to 4 axes"),
        (np.array([0.0, np.nan]), {}, "nan"),
        (np.array([np.inf]), {}, "finite somewhere"),
        (np.zeros(3), {"periodic": (True, False)}, "periodic"),
        (np.zeros(3), {"sides": np.zeros(2)}, "sides"),
        (np.zeros(3), {"min_persistence": -1}, "min_persistence"),
    ],
)
def test_bad_grids_are_named(values, settings_, what):
    with pytest.raises(ValueError, match=what):
        sublevel_tree(values, **settings_)
    with pytest.raises(ValueError, match="axes"):
        landscape(lambda p: p[:, 0], [])


def test_components_are_known_by_their_numbers():
    tree = sublevel_tree([0.0, 5.0, 1.0, 6.0, 2.0])
    assert [tree.merge_level(k, k) for k in range(3)] == [0.0, 1.0, 2.0]
    assert (tree.merge_level(0, 1), tree.merge_level(2, 1), tree.merge_level(0, np.int64(2))) == (5.0, 6.0, 6.0)
    apart = sublevel_tree([0.0, np.inf, 1.0])
    assert apart.merge_level(0, 1) == np.inf
    assert apart.merge_level(1, 1) == 1.0
    for a, b in ((-1, 2), (3, 0), (0.7, 1.9), (True, 1), (0, "1"), (0, None), (0, 10**400)):
        with pytest.raises(ValueError, match=r"[ab] must be"):
            tree.merge_level(a, b)


@pytest.mark.parametrize("component", [10**30, 10**5000, np.uint64(2**64 - 1), True, 1.0], ids="abcde")
def test_what_is_no_component_is_named_however_long_it_is(component):
    with pytest.raises(ValueError, match=r"^b must be") as caught:
        sublevel_tree([0.0, 5.0, 1.0]).merge_level(0, component)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("function", "settings", "says"),
    [
        (lambda points: points[:1, 0], {}, r"function must return real numbers of shape \(3,\)"),
        (lambda points: points, {}, r"function must return real numbers of shape \(3,\)"),
        (lambda points: points[:, 0] * 1j, {}, "function must return real numbers"),
        (lambda points: ["a"] * len(points), {}, "function must return real numbers"),
        (lambda points: points[:, 0], {"slab": -1}, "slab must be"),
        (None, {}, "function must be callable"),
    ],
)
def test_a_landscape_is_of_one_number_for_each_point(function, settings, says):
    with pytest.raises(ValueError, match=says):
        landscape(function, [[0.0, 1.0, 2.0]], **settings)
    with pytest.raises(ValueError, match="axes must be a sequence"):
        landscape(lambda points: points[:, 0], 3)


def merged_one_by_one(count, x, y):
    """Union-find: who dies, who survives, for edges in order; the number of a component is its least."""
    leader, found = list(range(count)), []
    for u, v in zip(x.tolist(), y.tolist()):
        ends = []
        for k in (u, v):
            while leader[k] != k:
                k = leader[k]
            ends.append(k)
        leader[max(ends)] = min(ends)
        found.append((max(ends), min(ends)))
    return found


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 60),
    st.sampled_from(["random", "path", "star", "caterpillar", "binary"]),
    st.sampled_from(["shuffled", "forwards", "backwards"]),
    st.booleans(),
    st.sampled_from([0.0, 0.3]),
    st.integers(0, 10**6),
)
def test_merges_in_rounds_are_those_one_by_one(count, shape, order, renamed, cut, seed):
    rng, k = np.random.default_rng(seed), np.arange(1, count)
    below = {
        "random": (rng.random(count - 1) * k).astype(int),
        "path": k - 1,
        "star": 0 * k,
        "caterpillar": np.maximum(k - rng.integers(1, 4, count - 1), 0),
        "binary": k // 2,
    }[shape]
    name = rng.permutation(count) if renamed else np.arange(count)
    edges = {"shuffled": rng.permutation(count - 1), "forwards": k - 1, "backwards": (k - 1)[::-1]}[order]
    edges = edges[rng.random(count - 1) >= cut]
    x, y = name[below[edges]], name[k[edges]]
    dead, heir, at = sublevel_trees._merges(count, x, y)
    found = [pair for _, *pair in sorted(zip(at.tolist(), dead.tolist(), heir.tolist()))]
    assert [tuple(pair) for pair in found] == merged_one_by_one(count, x, y)
    assert sorted(at.tolist()) == list(range(len(x)))
