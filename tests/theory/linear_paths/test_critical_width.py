"""Hidden width exactly min(n_in, n_out): two orientations, the barrier between them, and what connect does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.linear_paths.cases import connect
from theory.linear_paths.critical_width import barrier
from theory.linear_paths.products import best_product, best_singular_product, value_of
from theory.maxima.segments import path_maximum
from theory.networks import Network
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)


def problem(rng, ridge=False, samples=9):
    n_in, n_out = (int(n) for n in rng.integers(1, 5, 2))
    net = Network((n_in, min(n_in, n_out), n_out), activation="identity")
    X = rng.standard_normal((samples, n_in))
    data = Sample(X, 2 * X @ rng.standard_normal((n_in, n_out)) + rng.standard_normal((samples, n_out)))
    return Risk(net, data, kappa=0.01, penalty="ridge") if ridge else Risk(net, data)


def mirror(risk, theta):
    return risk.network.rescale(theta, 1, [-1.0] + [1.0] * (risk.network.hidden[0] - 1))


def near_minimum(risk):
    M = best_product(risk).matrix
    r = min(M.shape)
    outer, inner = (np.eye(len(M)), M) if len(M) == r else (M, np.eye(r))
    return risk.network.pack([inner, outer])


def test_the_smallest_barrier_is_one():
    risk = Risk(Network((1, 1, 1), activation="identity"), Sample(np.ones((1, 1)), np.ones((1, 1))))
    found = barrier(risk)
    assert found.lower <= 1 <= found.upper * (1 + 1e-12)
    np.testing.assert_allclose([found.lower, found.upper], 1.0, rtol=1e-12)
    assert not found.connected


def test_the_barrier_of_a_diagonal_target_is_its_smallest_singular_value_squared():
    data = Sample(np.sqrt(2) * np.eye(2), np.sqrt(2) * np.diag([2.0, 1.0]))  # second moment 1
    found = barrier(Risk(Network((2, 2, 2), activation="identity"), data))
    np.testing.assert_allclose([found.lower, found.upper], 1.0, rtol=1e-12)
    ridge = barrier(Risk(Network((2, 2, 2), activation="identity"), data, kappa=0.25, penalty="ridge"))
    # Soft thresholding: (s - kappa)^2 above the minimum 2 kappa (2 + 1) - 2 kappa^2.
    np.testing.assert_allclose(ridge.upper, 6 * 0.25 - 2 * 0.25**2 + 0.75**2, rtol=1e-9)
    assert ridge.lower <= ridge.upper <= ridge.lower * (1 + 1e-5)


@instances(12)
@given(seed=seeds, ridge=st.booleans())
def test_the_barrier_path_attains_the_barrier(seed, ridge):
    risk = problem(np.random.default_rng(seed), ridge)
    found = barrier(risk)
    assert found.minimum <= found.lower * (1 + 1e-9) + 1e-12
    assert found.lower <= found.upper
    assert path_maximum(risk, found.path).upper <= found.upper * (1 + 1e-9)
    assert path_maximum(risk, found.path).value >= found.upper * (1 - 1e-9)


@instances(40)
@given(seed=seeds, ridge=st.booleans())
def test_no_singular_product_is_below_the_barrier(seed, ridge):
    rng = np.random.default_rng(seed)
    risk = problem(rng, ridge)
    best = best_product(risk)
    r = min(best.matrix.shape)
    lower = best_singular_product(risk).lower
    for size in (0.0, 0.1, 1.0):
        U, s, Vt = np.linalg.svd(best.matrix + size * rng.standard_normal(best.matrix.shape), full_matrices=False)
        assert value_of(risk, (U[:, : r - 1] * s[: r - 1]) @ Vt[: r - 1]) >= lower


@instances(15)
@given(seed=seeds, ridge=st.booleans())
def test_mirror_images_are_joined_above_the_barrier_and_refused_below(seed, ridge):
    rng = np.random.default_rng(seed)
    risk = problem(rng, ridge)
    low = near_minimum(risk)
    found = barrier(risk)
    high = low * (3 + 3 * found.upper)
    if risk(low) < found.lower:
        with pytest.raises(ValueError, match="different components"):
            connect(risk, low, mirror(risk, low))
    for a, b in ((high, mirror(risk, high)), (low, mirror(risk, high))):
        level = max(risk(a), risk(b))
        if level >= found.upper:
            path = connect(risk, a, b)
            assert np.array_equal(path.points[[0, -1]], np.stack([a, b]))
            assert path_maximum(risk, path).upper <= level * (1 + 1e-9)


@instances(20)
@given(seed=seeds, ridge=st.booleans())
def test_ends_of_the_same_orientation_are_joined_at_the_minimum_itself(seed, ridge):
    rng = np.random.default_rng(seed)
    risk = problem(rng, ridge)
    a = near_minimum(risk)
    r = risk.network.hidden[0]
    F = np.eye(r) + 0.2 * rng.standard_normal((r, r))
    F[0] *= np.sign(np.linalg.det(F))
    W1, W2 = risk.network.weights(a)
    b = risk.network.pack([F @ W1, W2 @ np.linalg.inv(F)])
    path = connect(risk, a, b)
    level = max(risk(a), risk(b))
    scale = 0.0 if ridge else risk(np.zeros_like(a))
    assert path_maximum(risk, path).upper <= level + 1e-9 * max(level, scale)


def test_a_singular_end_belongs_to_both_orientations():
    risk = problem(np.random.default_rng(3))
    a = np.zeros(risk.network.size)
    b = near_minimum(risk)
    for end in (b, mirror(risk, b)):
        assert path_maximum(risk, connect(risk, a, end)).upper <= risk(a) * (1 + 1e-12)


def test_absolute_loss_is_joined_through_a_singular_product_that_is_low_enough():
    rng = np.random.default_rng(1)
    risk = Risk(
        Network((2, 2, 3), activation="identity"),
        Sample(rng.standard_normal((5, 2)), rng.standard_normal((5, 3))),
        loss="absolute",
    )
    a = 3 * rng.standard_normal(risk.network.size)
    path = connect(risk, a, mirror(risk, a))
    assert risk.batch(path.points).max() <= risk(a) * (1 + 1e-12)


def test_data_that_do_not_see_a_direction_leave_no_barrier():
    risk = Risk(Network((2, 2, 2), activation="identity"), Sample(np.array([[1.0, 1.0]]), np.ones((1, 2))))
    found = barrier(risk)
    assert found.connected
    assert found.upper <= 1e-20


@pytest.mark.parametrize(
    ("risk", "message"),
    [
        (Risk(Network((2, 3, 2), "identity"), Sample(np.eye(2), np.eye(2))), "width min"),
        (Risk(Network((2, 2, 2, 2), "identity"), Sample(np.eye(2), np.eye(2))), "one hidden layer"),
        (Risk(Network((2, 2, 2), "identity", bias=True), Sample(np.eye(2), np.eye(2))), "without biases"),
        (Risk(Network((2, 2, 2), "identity"), Sample(np.eye(2), np.eye(2)), loss="absolute"), "squared loss"),
    ],
)
def test_barrier_names_what_it_needs(risk, message):
    with pytest.raises(ValueError, match=message):
        barrier(risk)
