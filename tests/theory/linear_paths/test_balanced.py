"""Ridge in two layers: the balanced factorisation, its norms, and certified paths within 1e-9 of the larger end."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.linear_paths import balanced, curves
from theory.linear_paths.cases import connect
from theory.linear_paths.problem import LinearProblem
from theory.maxima.segments import path_maximum
from theory.networks import Network
from theory.numerics import exact_rows, rank
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)


def problem(rng, spare=1, kappa=None, loss="squared"):
    n_in, n_out = (int(n) for n in rng.integers(1, 5, 2))
    net = Network((n_in, min(n_in, n_out) + spare + int(rng.integers(2)), n_out), activation="identity")
    N = int(rng.integers(1, 8))
    kappa = kappa or float(10.0 ** rng.uniform(-4, 0.5))
    data = Sample(rng.standard_normal((N, n_in)), rng.standard_normal((N, n_out)))
    return Risk(net, data, loss=loss, kappa=kappa, penalty="ridge")


def end(rng, risk, kind):
    W = [rng.standard_normal(shape) for shape in risk.network.shapes]
    if kind == "zero layer":
        W[int(rng.integers(2))][:] = 0
    elif kind == "rank one":
        W[0] = np.outer(W[0][:, 0], W[0][0])
    elif kind == "unbalanced":
        W = [1e-7 * W[0], 1e7 * W[1]]
    theta = risk.network.pack(W)
    return balanced.buy_slack(risk, theta, 60).points[-1] if kind == "refitted" else theta


KINDS = st.sampled_from(["gaussian", "zero layer", "rank one", "unbalanced", "refitted"])


@instances(25)
@given(seed=seeds, kinds=st.tuples(KINDS, KINDS))
def test_ridge_ends_are_joined_within_a_billionth_of_the_larger_end(seed, kinds):
    rng = np.random.default_rng(seed)
    risk = problem(rng)
    a, b = (end(rng, risk, kind) for kind in kinds)
    path = connect(risk, a, b)
    assert np.array_equal(path.points[[0, -1]], np.stack([a, b]))
    assert path_maximum(risk, path).upper <= max(risk(a), risk(b)) * (1 + 1e-9)


@instances(25)
@given(seed=seeds, n=st.integers(2, 4), spare=st.integers(0, 1), mirrored=st.booleans(), swapped=st.booleans())
def test_from_a_singular_product_it_is_straight_to_either_orientation_of_the_other_end(
    seed, n, spare, mirrored, swapped
):
    """Also at width n: a net that leaves a direction idle has both signs of det W_1, and crosses nothing on its way."""
    rng = np.random.default_rng(seed)
    net = Network((n, n + spare, n), "identity")
    data = Sample(rng.standard_normal((2 * n, n)), rng.standard_normal((2 * n, n)))
    risk = Risk(net, data, kappa=1e-3, penalty="ridge")
    W = [rng.standard_normal(shape) for shape in net.shapes]
    W[0][-1 - spare :] = 0
    W[1][:, -1 - spare :] = 0
    V = [rng.standard_normal(shape) for shape in net.shapes]
    if mirrored:
        V[0][0], V[1][:, 0] = -V[0][0], -V[1][:, 0]
    a, b = net.pack(W), net.pack(V)
    path = connect(risk, *((b, a) if swapped else (a, b)))
    sections = [k for k, label in enumerate(path.labels) if label.startswith("straight in the product")]
    assert sections == list(range(sections[0], sections[-1] + 1))
    M = np.array([W2 @ W1 for W1, W2 in map(net.weights, path.points[sections[0] : sections[-1] + 2])])
    s = np.linalg.svd((M - M[0]).reshape(len(M), -1), compute_uv=False)
    assert s[1] <= 1e-9 * s[0]


def test_the_absolute_loss_is_joined_as_well_by_more_chords():
    rng = np.random.default_rng(5)
    risk = problem(rng, loss="absolute", kappa=0.1)
    a, b = rng.standard_normal((2, risk.network.size))
    path = connect(risk, a, b, rise=1e-4)
    assert risk.batch(path.points).max() <= max(risk(a), risk(b)) * (1 + 1e-4)


@instances(50)
@given(seed=seeds)
def test_balanced_factors_have_twice_the_nuclear_norm(seed):
    rng = np.random.default_rng(seed)
    m, n, h = 4, int(rng.integers(1, 5)), 5
    M = rng.standard_normal((m, n)) * (rng.random(n) > 0.3)
    W1, W2 = balanced.section(M, np.linalg.qr(rng.standard_normal((h, n)))[0])
    np.testing.assert_allclose(W2 @ W1, M, atol=1e-12)
    np.testing.assert_allclose(np.sum(W1**2) + np.sum(W2**2), 2 * np.linalg.norm(M, "nuc"), rtol=1e-12)


@instances(30)
@given(seed=seeds)
def test_the_section_is_continuous_where_singular_values_cross_or_vanish(seed):
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(2))
    for target in (np.diag([2.0, 1.0, 1.0]), np.diag([1.0, 0.0, 0.0]), np.zeros((3, 3))):
        M, step = U @ target @ V.T, 1e-10 * rng.standard_normal((3, 3))
        near, at = (np.concatenate([W.ravel() for W in balanced.section(A, np.eye(3))]) for A in (M + step, M))
        assert np.linalg.norm(near - at) <= 10 * np.sqrt(np.linalg.norm(step))  # Hoelder 1/2 at worst


@instances(40)
@given(seed=seeds)
def test_balancing_keeps_the_product_and_lowers_the_norm(seed):
    rng = np.random.default_rng(seed)
    risk = problem(rng)
    theta = rng.standard_normal(risk.network.size)
    oriented = LinearProblem(risk)
    cut, curve, factors = balanced.balancing(oriented, theta)
    points = [*cut.points, *(oriented.vector(*curve(s)) for s in np.linspace(0, 1, 9))]
    products = [np.linalg.multi_dot(risk.network.weights(p)[::-1]) for p in points]
    norms = [float(p @ p) for p in points]
    np.testing.assert_allclose(products, np.broadcast_to(products[0], np.shape(products)), atol=1e-9)
    assert (np.diff(norms) <= 1e-9 * norms[0]).all()
    np.testing.assert_allclose(norms[-1], 2 * factors.S.sum(), rtol=1e-8)


@instances(50)
@given(seed=seeds, sizes=st.tuples(st.integers(-60, 60), st.integers(-60, 60)))
def test_balancing_cuts_the_product_to_its_rank_in_any_units(seed, sizes):
    """Integer factors of low rank: what is left beside their rank is rounding, whatever power of two they are given in."""
    rng = np.random.default_rng(seed)
    n, h, m, k = (int(v) for v in rng.integers(1, 5, 4))
    n, m = min(n, m), max(n, m)
    risk = Risk(Network((n, h, m), "identity"), Sample(np.eye(n), np.ones((n, m))), kappa=0.1, penalty="ridge")
    W1 = (rng.integers(-2, 3, (h, k)) @ rng.integers(-2, 3, (k, n))).astype(float)
    W2 = (rng.integers(-2, 3, (m, k)) @ rng.integers(-2, 3, (k, h))).astype(float)
    oriented = LinearProblem(risk)
    _, curve, factors = balanced.balancing(oriented, oriented.vector(np.ldexp(W1, sizes[0]), np.ldexp(W2, sizes[1])))
    product = W2 @ W1
    assert len(factors.S) == rank(exact_rows(product))
    assert np.ldexp(factors.product, -sum(sizes)) == pytest.approx(product, abs=1e-11)
    first, second = curve(1.0)
    assert np.ldexp(second @ first, -sum(sizes)) == pytest.approx(product, abs=1e-9)
    assert np.ldexp(first @ first.T - second.T @ second, -sum(sizes)) == pytest.approx(np.zeros((h, h)), abs=1e-9)
    assert factors.R.T @ factors.R == pytest.approx(np.eye(len(factors.S)), abs=1e-13)


@instances(30)
@given(seed=seeds, rounds=st.integers(1, 4))
def test_slack_is_bought_one_layer_after_the_other(seed, rounds):
    """Each piece leads to the minimum in its own layer, the other layer staying; none is skipped while something falls."""
    rng = np.random.default_rng(seed)
    risk = problem(rng)
    theta = rng.standard_normal(risk.network.size)
    path, at, layer = balanced.buy_slack(risk, theta, rounds), theta, 1
    reached = iter(path.points[1:])
    for k in range(2 * rounds):
        W, layer = list(risk.network.weights(at)), 1 - k % 2
        slope = risk.gradient(at)[risk.network.slices[layer]]
        if np.abs(slope).max() <= 1e-6 * (1 + risk(at)):
            return  # from here on what is left to gain is rounding
        after = next(reached)
        new = risk.network.weights(after)
        assert np.array_equal(new[1 - layer], W[1 - layer])
        assert np.abs(risk.gradient(after)[risk.network.slices[layer]]).max() <= 1e-9 * (1 + np.abs(after).max())
        assert path.labels[k] == f"ridge refit of W_{layer + 1}"
        at = after
    assert next(reached, None) is None


@instances(40)
@given(seed=seeds, h=st.integers(1, 6))
def test_every_rotation_is_reached_from_the_identity_by_rotations(seed, h):
    rng = np.random.default_rng(seed)
    O = np.linalg.qr(rng.standard_normal((h, h)))[0]
    O[:, 0] *= np.sign(np.linalg.det(O))
    for target in (O, np.eye(h), np.diag([-1.0] * (h - h % 2) + [1.0] * (h % 2))):
        turn = curves.rotation(target)
        np.testing.assert_allclose(turn(0.0), np.eye(h), atol=1e-12)
        np.testing.assert_allclose(turn(1.0), target, atol=1e-10)
        for s in (0.3, 0.7):
            np.testing.assert_allclose(turn(s) @ turn(s).T, np.eye(h), atol=1e-12)
            assert np.linalg.det(turn(s)) > 0


def test_a_reflection_is_not_reached():
    with pytest.raises(ValueError, match="determinant 1"):
        curves.rotation(np.diag([1.0, -1.0]))


@instances(30)
@given(seed=seeds)
def test_refits_are_minima_of_one_layer(seed):
    rng = np.random.default_rng(seed)
    risk = problem(rng)
    W1, W2 = risk.network.weights(rng.standard_normal(risk.network.size))
    for theta, part in (
        (risk.network.pack([W1, balanced.refit_outer(risk, W1)]), risk.network.slices[1]),
        (risk.network.pack([balanced.refit_inner(risk, W2), W2]), risk.network.slices[0]),
    ):
        assert np.abs(risk.gradient(theta)[part]).max() <= 1e-9 * (1 + np.abs(theta).max())


def test_chords_that_cannot_be_kept_low_are_refused_not_looped_over():
    risk = Risk(Network((2, 3, 2), "identity"), Sample(np.eye(2), np.eye(2)), kappa=0.1, penalty="ridge")
    shape_1, shape_2 = risk.network.shapes

    def jump(s):
        return np.full(shape_1, 1.0 if s < 0.3 else -1.0), np.full(shape_2, 1.0 if s < 0.3 else -1.0)

    W = jump(0.0)
    with pytest.raises(ValueError, match="rise must be larger"):
        curves.chords(LinearProblem(risk), jump, risk(risk.network.pack(list(W))) * 0.5, "jump")
