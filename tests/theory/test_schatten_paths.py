"""Schatten penalties on deep linear nets: paths that stay below the larger end, two sides at width r, and the wall for p < 1."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory import schatten_paths
from theory.linear_paths import section
from theory.maxima import path_maximum, segment_maximum
from theory.networks import Network
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)
POWERS = ((2, 2), (3, 3, 3), (4, 4, 4, 4), (2, 4, 4), (6, 6, 6), (1, 1e9), (4, 1.5))
KINDS = ("plain", "zero layer", "zero column", "rank one", "zero", "badly scaled")


def problem(rng, powers, *, spare=1, loss="squared"):
    """A risk of r + spare hidden units at least, and a way to draw ends."""
    n, q = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    r = min(n, q)
    net = Network((n, *(r + spare + int(h) for h in rng.integers(0, 2, len(powers) - 1)), q), "identity")
    sample = Sample(rng.standard_normal((5, n)), rng.standard_normal((5, q)))
    return Risk(net, sample, loss, kappa=0.05, penalty="schatten", exponents=powers)


def end(rng, net, kind):
    W = [rng.standard_normal(shape) for shape in net.shapes]
    if kind == "zero layer":
        W[-1][:] = 0
    elif kind == "zero column":
        W[0][:, 0] = 0
    elif kind == "rank one":
        W[0] = np.outer(np.ones(len(W[0])), W[0][0])
    elif kind == "zero":
        W = [0 * w for w in W]
    elif kind == "badly scaled":
        W[0], W[-1] = 1e3 * W[0], 1e-3 * W[-1]
    return net.pack(W)


def product(net, theta):
    M = np.eye(net.widths[0])
    for W in net.weights(theta):
        M = W @ M
    return M


@given(seeds)
@instances(25)
def test_every_vertex_is_below_the_larger_end(seed):
    rng = np.random.default_rng(seed)
    p = [x for x in POWERS if 1 / sum(1 / y for y in x) >= 1 - 1e-12 and x != (1, 1e9)]
    risk = problem(rng, p[rng.integers(len(p))], loss=str(rng.choice(["squared", "absolute"])))
    a, b = (end(rng, risk.network, str(rng.choice(KINDS))) for _ in range(2))
    path = schatten_paths.connect(risk, a, b)
    assert np.array_equal(path.points[0], a)
    assert np.array_equal(path.points[-1], b)
    level = max(risk(a), risk(b))
    assert risk.batch(path.points).max() <= level * (1 + 1e-9)
    middles = 0.5 * (path.points[1:] + path.points[:-1])
    assert risk.batch(middles).max(initial=0.0) <= level * (1 + 2e-7)


@given(seeds)
@instances(15)
def test_cut_and_balance_keep_the_product_and_reach_its_least_penalty(seed):
    rng = np.random.default_rng(seed)
    risk = problem(rng, POWERS[rng.integers(5)])
    theta = end(rng, risk.network, str(rng.choice(KINDS[:5])))
    drawer = schatten_paths._Drawer(risk, schatten_paths._checked(risk), np.inf, 16)
    way, M, _ = schatten_paths._to_balanced(drawer, drawer.layers(theta))
    size = max(np.linalg.norm(risk.network.weights(theta)[k]) for k in range(risk.network.depth))
    pieces = [i for i, label in enumerate(way.labels) if label != "balance"]
    for theta_1 in [way.points[0], *way.points[np.array(pieces) + 1]]:
        assert np.allclose(
            product(risk.network, theta_1), product(risk.network, theta), atol=1e-10 * size**risk.network.depth
        )
    penalties = risk.regulariser(way.points)
    assert (np.diff(penalties) <= 1e-10 * penalties[0]).all()
    p = 1 / sum(1 / x for x in risk.exponents)
    assert penalties[-1] == pytest.approx(risk.kappa / p * (M.S**p).sum(), rel=1e-9, abs=1e-12)


def test_the_section_is_convex_for_p_at_least_one_and_not_below():
    """The control: with exponents (2, 2, 2), p = 2/3, the least penalty is not convex in the product."""
    rng = np.random.default_rng(0)
    M, N = rng.standard_normal((2, 3, 2))
    Q = [np.linalg.qr(rng.standard_normal((4, 2)))[0] for _ in range(2)]
    defect = {}
    for powers in ((3, 3, 3), (6, 6, 6), (2, 2, 2)):
        ts = np.linspace(0, 1, 21)
        layers = [section((1 - t) * M + t * N, *Q, powers=powers) for t in ts]
        for t, (W_1, W_2, W_3) in zip(ts, layers):
            assert np.allclose(W_3 @ W_2 @ W_1, (1 - t) * M + t * N)
        values = [sum((np.linalg.svd(W, compute_uv=False) ** p).sum() / p for W, p in zip(Ws, powers)) for Ws in layers]
        defect[powers] = max(b - 0.5 * (a + c) for a, b, c in zip(values, values[1:], values[2:]))
    assert max(defect[3, 3, 3], defect[6, 6, 6]) < 1e-12 < 1e-3 < defect[2, 2, 2]


def test_certified_and_with_minima_permuted_and_reflected():
    risk = Risk(Network((1, 2, 2, 1), "identity"), Sample([[1.0]], [[1.0]]), kappa=0.1, penalty="schatten")
    s, e = 0.98, np.diag([1.0, 0.0])
    for signs in ((1, 1, 1), (-1, -1, 1), (1, -1, -1), (-1, 1, -1)):
        a = risk.network.pack([s * e[:, :1], s * e, s * e[:1]])
        b = risk.network.pack([signs[0] * s * e[:, :1], signs[1] * s * e, signs[2] * s * e[:1]])
        path = schatten_paths.connect(risk, a, b, chords=16)
        found = path_maximum(risk, path, gap=1e-3, ceiling=risk(a) * (1 + 2e-3), budget=400)
        assert found.upper <= risk(a) * 1.01


def test_width_r_has_two_sides_a_layer():
    risk = Risk(Network((1, 1, 1, 1), "identity"), Sample([[1.0]], [[1.0]]), kappa=0.1, penalty="schatten")
    sides = {}
    for signs in ((1, 1, 1), (1, -1, -1), (-1, -1, 1), (-1, 1, -1)):
        sides[schatten_paths.component(risk, 0.9 * np.array(signs))] = signs
    assert set(sides) == {(1, 1), (1, -1), (-1, 1), (-1, -1)}
    with pytest.raises(ValueError, match="two sides in hidden layer 2"):
        schatten_paths.connect(risk, [0.9, 0.9, 0.9], [0.9, -0.9, -0.9])
    for a, b in pairwise([[0.9, 0.8, 0.7], [0.5, 0.5, 0.5], [0, 1, 1], [0, 0, 0], [-1.0, 0.3, 0.0]]):
        if np.prod(a) and np.prod(b):
            path = schatten_paths.connect(risk, a, b)
            assert {schatten_paths.component(risk, p) for p in path.points} == {(1, 1)}
    path = schatten_paths.connect(risk, [0.9, 0.9, 0.9], [0.0, 0.0, 0.0])  # of rank 0: on every side
    assert risk.batch(path.points).max() <= 1 + 1e-12
    assert schatten_paths.component(risk, [0.0, 1.0, 1.0]) == (0, 0)


def test_at_width_r_a_net_of_lower_rank_is_on_every_side():
    rng = np.random.default_rng(0)
    risk = Risk(Network((2, 2, 2, 2), "identity"), Sample(np.eye(2), 3 * np.eye(2)), kappa=0.05, penalty="schatten")
    low = end(rng, risk.network, "rank one")
    sides = set()
    for _ in range(12):
        full = end(rng, risk.network, "plain")
        sides.add(schatten_paths.component(risk, full))
        for a, b in ((full, low), (low, full)):
            path = schatten_paths.connect(risk, a, b)
            assert risk.batch(path.points).max() <= max(risk(a), risk(b)) * (1 + 1e-9)
    assert len(sides) == 4


def test_the_wall_below_p_one():
    sample = Sample([[1.0]], [[1.0]])
    ridge = Risk(Network((1, 1, 1, 1), "identity"), sample, kappa=0.1, penalty="ridge")
    halves = Risk(Network((1, 1, 1, 1), "identity"), sample, kappa=0.2, penalty="schatten", exponents=2)
    for risk in (ridge, halves):
        wall = schatten_paths.wall(risk)
        assert 1.001 - 1e-9 < wall <= 1.001
        low = np.full(3, 0.95)
        assert risk(low) < 0.3
        assert segment_maximum(risk, np.zeros(3), low).value >= wall
    rng = np.random.default_rng(0)
    for powers in ((2, 2, 2), (1, 1), (1, 3, 2), (2, 2, 2, 2)):
        net = Network((2, *rng.integers(1, 4, len(powers) - 1).tolist(), 2), "identity")
        risk = Risk(net, Sample(np.eye(2), 4 * np.eye(2)), kappa=0.02, penalty="schatten", exponents=powers)
        wall, theta = schatten_paths.wall(risk), 0.5 * rng.standard_normal((10, net.size))
        for _ in range(400):
            theta = theta - 0.01 * risk.gradient(theta)
        below = theta[risk.batch(theta) < risk.scale]
        assert wall > risk.scale
        assert len(below)
        for b in below[:3]:
            assert max(risk(t * b) for t in np.linspace(0, 1, 2001) ** 2) >= wall


def test_what_is_refused():
    sample = Sample([[1.0, 2.0]], [[1.0, 0.0]])
    net = Network((2, 3, 2), "identity")
    with pytest.raises(ValueError, match="penalty 'schatten'"):
        schatten_paths.connect(Risk(net, sample), *np.zeros((2, 12)))
    with pytest.raises(ValueError, match="linear"):
        schatten_paths.connect(Risk(Network((2, 3, 2)), sample, kappa=0.1, penalty="schatten"), *np.zeros((2, 12)))
    with pytest.raises(ValueError, match=r"p = 0\.5"):
        schatten_paths.connect(Risk(net, sample, kappa=0.1, penalty="schatten", exponents=1), *np.zeros((2, 12)))
    narrow = Risk(Network((2, 1, 2), "identity"), sample, kappa=0.1, penalty="schatten")
    with pytest.raises(ValueError, match="hidden layer 1 has 1 units; 3 are needed"):
        schatten_paths.connect(narrow, *np.zeros((2, 4)))
    with pytest.raises(ValueError, match="no wall"):
        schatten_paths.wall(Risk(net, sample, kappa=0.1, penalty="schatten"))
    none = Sample([[0.0, 0.0]], [[1.0, 0.0]])
    with pytest.raises(ValueError, match="E Y X"):
        schatten_paths.wall(Risk(net, none, kappa=0.1, penalty="schatten", exponents=1))
    with pytest.raises(ValueError, match="squared"):
        schatten_paths.wall(Risk(net, sample, "absolute", kappa=0.1, penalty="schatten", exponents=1))
    risk = Risk(net, sample, kappa=0.1, penalty="schatten")
    assert len(schatten_paths.connect(risk, np.ones(12), np.ones(12))) == 0


def test_chords_are_looked_at_near_their_ends():
    """An unbalanced end, from which the first chord rises steeply before it falls."""
    F = Risk(Network((1, 2, 1), "identity"), Sample([[1.0]], [[1.0]]), kappa=0.01, penalty="schatten")
    a, b = F.network.pack([[[3000], [0]], [[-0.2, 0]]]), F.network.pack([[[1], [0]], [[0, 0]]])
    assert path_maximum(F, schatten_paths.connect(F, a, b), gap=1e-8).upper <= max(F(a), F(b)) * (1 + 2e-7)
