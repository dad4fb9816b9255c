"""Components of the optimal nets by width: closed cases, brute force over faces and over slots, and what must be refused."""

from fractions import Fraction
from itertools import combinations, pairwise, permutations

import numpy as np
import pytest
from exact_oracle import risk_at
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances
from scipy.optimize import linprog

from theory import exchange, pivots, staircase
from theory.networks import Network
from theory.oracle import limit
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)
DIAMOND = [(1, 0), (-1, 0), (0, 1), (0, -1)]
FOUR_POINTS = (DIAMOND, ["3/5", "3/5", "4/5", "4/5"], ["3/10", "3/10", "2/5", "2/5"], "1/4")


def circle_points(rng, k):
    """k rational points of the unit circle, counterclockwise within a half turn."""
    while True:
        slopes = {Fraction(int(a), int(b)) for a, b in zip(rng.integers(-9, 10, k), rng.integers(1, 10, k))}
        t = sorted(slopes)
        corners = [((1 - s * s) / (1 + s * s), 2 * s / (1 + s * s)) for s in t]
        if len(t) == k and corners[0][0] * corners[-1][1] - corners[0][1] * corners[-1][0] > 0:
            return corners


def inscribed(corners, weights):
    """(X, Y, fitted, kappa) of a sample in the plane whose optimal nets are known.

    corners: k >= 2 rational points v_1..v_k of the unit circle, counterclockwise within a half turn. With -v_1..-v_k they
    are a polygon; its sides are the inputs, x_l = v_{l+1} - v_l (v_{k+1} = -v_1) and -x_l, each with residual k/2. Between
    two rays orthogonal to inputs the gradient g is then the vertex v_l, and the ray bisects its neighbours: so the active
    directions are the 2 k vertices, with kappa the radius 1. weights (2 k,) of the units along v_1..v_k, -v_1..-v_k.
    """
    k, polygon = len(corners), [*corners, *((-a, -b) for a, b in corners)]
    sides = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(polygon[: k + 1])]
    X = [*sides, *((-a, -b) for a, b in sides)]
    fitted = [sum(c * max(v[0] * x[0] + v[1] * x[1], Fraction(0)) for c, v in zip(weights, polygon)) for x in X]
    return X, [f + Fraction(k, 2) for f in fitted], fitted, 1


def find(parent, i):
    while parent[i] != i:
        i = parent[i]
    return i


def count_roots(nodes, edges):
    parent = {v: v for v in nodes}
    for u, v in edges:
        parent[find(parent, u)] = find(parent, v)
    return len({find(parent, v) for v in nodes})


def faces_by_linear_programs(columns, values, width):
    """Components of {c >= 0, sum c_j columns_j = values, at most `width` nonzeros}: faces, joined where they meet."""
    A, b, count = np.array(columns, dtype=float).T, np.array(values, dtype=float), len(columns)

    def meets(support):
        if not support:
            return not b.any()
        return linprog(np.zeros(len(support)), A_eq=A[:, list(support)], b_eq=b, bounds=(0, None)).status == 0

    faces = [frozenset(S) for S in combinations(range(count), min(width, count)) if meets(sorted(S))]
    edges = [(S, T) for S, T in combinations(faces, 2) if meets(sorted(S & T))]
    return count_roots(faces, edges)


@instances(20)
@given(seed=seeds)
def test_the_graph_of_vertices_has_the_components_of_the_union_of_faces(seed):
    rng = np.random.default_rng(seed)
    P, N = int(rng.integers(2, 7)), int(rng.integers(1, 4))
    columns = rng.integers(0, 3, (P, N))
    values = columns.T @ rng.integers(0, 3, P)
    supports = [
        frozenset(j for j, c in enumerate(v) if c) for v in staircase.vertices(columns.tolist(), values.tolist())
    ]
    if any(not column.any() for column in columns):
        return  # not a polytope; active atoms never vanish on the sample
    for width in range(P + 1):
        found = staircase.support_components(supports, width)
        assert len(found) == faces_by_linear_programs(columns, values, width)


def slots_by_brute_force(supports, width):
    """Components told apart by slots: vertices with their atoms in places, joined on a common face or round an idle unit."""
    nodes = [
        (i, frozenset(zip(sorted(support), places)))
        for i, support in enumerate(supports)
        if len(support) <= width
        for places in permutations(range(width), len(support))
    ]
    edges = []
    for (i, p), (j, q) in combinations(nodes, 2):
        union = p | q
        if (i != j and len({a for a, _ in union}) == len(union) == len({s for _, s in union})) or (
            i == j and len(p - q) == 1 and len({s for _, s in union}) == len(p) + 1
        ):
            edges.append(((i, p), (j, q)))
    return count_roots(nodes, edges)


@instances(25)
@given(seed=seeds)
def test_slots_count_as_many_components_as_brute_force_finds(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 4))
    weights = rng.integers(0, 3, 2 * k).tolist()
    found = staircase.decide(*inscribed(circle_points(rng, k), weights))
    for width in range(4):
        assert found.components(width) == slots_by_brute_force(found.supports, width)


def test_four_points_of_the_plane_have_a_staircase_of_four_two_one():
    found = staircase.decide(*FOUR_POINTS)
    assert found.level == Fraction(3, 8)
    assert (found.least, found.largest, len(found.vertices)) == (2, 2, 2)
    assert [found.components(m) for m in range(7)] == [0, 0, 4, 2, 1, 1, 1]
    assert [len(found.classes(m)) for m in range(5)] == [
        0,
        0,
        2,
        2,
        1,
    ]  # two even modulo permutations, with one to spare
    assert {frozenset(w[:2] for w, c in zip(found.atoms, v) if c) for v in found.vertices} == {
        frozenset({(Fraction(3, 7), Fraction(4, 7)), (Fraction(-3, 7), Fraction(-4, 7))}),
        frozenset({(Fraction(-3, 7), Fraction(4, 7)), (Fraction(3, 7), Fraction(-4, 7))}),
    }


def test_more_units_can_mean_more_components():
    """Eight points: two sparse optima, eight more alone with one unit more, all joined by the sixth."""
    found = staircase.decide(
        *inscribed([(Fraction(a, 65), Fraction(b, 65)) for a, b in ((63, 16), (33, 56), (-16, 63), (-56, 33))], [1] * 8)
    )
    assert [(m, len(found.classes(m)), found.components(m)) for m in (3, 4, 5, 6)] == [
        (3, 0, 0),
        (4, 2, 2 * 24),
        (5, 10, 2 + 8 * 120),
        (6, 1, 1),
    ]


def net_of(found, vertex, width):
    """The network and parameters (P,) of a vertex, in floats: rows of norm one."""
    rows = [np.array(w, dtype=float)[:-1] for w, c in zip(found.atoms, vertex) if c]
    signs = [float(w[-1] * c) for w, c in zip(found.atoms, vertex) if c]
    net = Network((len(found.atoms[0]) - 1, width, 1))
    W, b = np.zeros((width, net.widths[0])), np.zeros((1, width))
    for i, (w, c) in enumerate(zip(rows, signs)):
        W[i], b[0, i] = w / np.linalg.norm(w), c
    return net, net.pack([W, b])


@instances(25)
@given(seed=seeds)
def test_inscribed_polygons_are_decided_and_agree_with_the_oracle(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 5))
    weights = rng.integers(0, 3, 2 * k)
    X, Y, fitted, kappa = inscribed(circle_points(rng, k), weights.tolist())
    found = staircase.decide(X, Y, fitted, kappa)
    assert len(found.atoms) == 2 * k
    assert all(w[-1] == 1 for w in found.atoms)
    assert sum(found.vertices[0]) == weights.sum()
    assert all(sum(v) == weights.sum() for v in found.vertices)  # one cost on the whole face
    sample = Sample(np.array(X, dtype=float), np.array(Y, dtype=float)[:, None])
    bound = limit(sample, float(kappa))
    assert bound.lower <= float(found.level) * (1 + 1e-9)
    assert bound.upper >= float(found.level) * (1 - 1e-9)
    for v in found.vertices[:3]:
        net, theta = net_of(found, v, max(found.largest, 1))
        risk = Risk(net, sample, kappa=float(kappa), penalty="second_layer_l1")
        assert abs(float(risk_at(risk, theta, theta, Fraction(0))) - float(found.level)) <= 1e-12 * float(found.level)


@instances(25)
@given(seed=seeds)
def test_one_component_at_least_plus_largest_or_one_more_than_samples(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 5))
    found = staircase.decide(*inscribed(circle_points(rng, k), rng.integers(0, 3, 2 * k).tolist()))
    assert len(found.classes(min(found.least + found.largest, 2 * k + 1))) == 1
    assert found.classes(found.least - 1) == []
    assert found.components(found.least) >= 1


def test_what_the_staircase_keeps_apart_the_simplex_method_joins_with_a_unit_for_each_dimension():
    found = staircase.decide(*FOUR_POINTS)
    sample = Sample(np.array(DIAMOND, dtype=float), np.array([[0.6], [0.6], [0.8], [0.8]]))
    for width, joined in ((3, False), (4, True)):
        (net, a), (_, b) = (net_of(found, v, width) for v in found.vertices)
        risk = Risk(net, sample, kappa=0.25, penalty="second_layer_l1")
        if joined:
            report = exchange.report(risk, pivots.connect(risk, a, b, exact=False))
            assert abs(report.maximum.value - 0.375) <= 1e-12
        else:
            with pytest.raises(ValueError, match="4 are needed"):
                pivots.connect(risk, a, b, exact=False)


def test_nothing_is_optimal_where_the_penalty_is_large():
    found = staircase.decide([(1,), (-1,)], [1, -1], [0, 0], 2)
    assert found.vertices == ((),)
    assert found.level == 1
    assert (found.least, found.components(1), found.components(3)) == (0, 1, 1)


def test_one_input_and_both_signs():
    """X = +-1, Y = X, kappa = 1/10: one unit each way, weights 9/10, as in closed form; two units, two orders."""
    found = staircase.decide([(1,), (-1,)], [1, -1], ["9/10", "-9/10"], "1/10")
    assert found.vertices == ((Fraction(9, 10), Fraction(9, 10)),)
    assert found.level == Fraction(1, 100) + Fraction(9, 50)
    assert [found.components(m) for m in range(4)] == [0, 0, 2, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fitted": ["3/10", "3/10", "2/5", "1/5"]}, "not the optimal function"),
        ({"kappa": "1/5"}, "would lower the risk"),
        ({"kappa": "1/3"}, "do not combine to it"),
        ({"kappa": 0}, "kappa must be positive"),
        ({"X": [(1, 0, 0)] * 4}, "one or two coordinates"),
        ({"Y": [1, 2]}, "Y must hold 4 numbers"),
        ({"Y": [1, 2, 3, float("nan")]}, "Y must hold exact numbers"),
        ({"weights": [1, 1, 1, -1]}, "nonnegative"),
    ],
)
def test_what_is_not_optimal_or_not_exact_is_refused(change, message):
    given_ = dict(zip(("X", "Y", "fitted", "kappa"), FOUR_POINTS)) | change
    with pytest.raises(ValueError, match=message):
        staircase.decide(**given_)


def test_control_an_edge_too_far_joins_what_is_apart():
    """Two supports of two atoms each, four together: with three units they are apart, and a rule off by one joins them."""
    supports = staircase.decide(*FOUR_POINTS).supports
    assert len(staircase.support_components(supports, 3)) == 2
    assert len(staircase.support_components([s - {max(s)} for s in supports], 3)) == 1


def test_many_atoms_are_refused_in_words():
    columns = [[1, i, i * i, i**3, i**4, i**5, i**6, i**7, i**8, i**9] for i in range(30)]
    with pytest.raises(ValueError, match="columns must be fewer"):
        staircase.vertices(columns, [sum(c) for c in zip(*columns)])
