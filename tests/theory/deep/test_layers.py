"""Layers against plain loops, models against the published counts of parameters."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.deep import Conv, Dense, Dropout, Flatten, Model, Pool, Relu, ResponseNorm, models

jax = pytest.importorskip("jax")


def windows_of(x, size, stride, padding, fill):
    """Every window of one image (H, W, C), by the definition: (rows, columns, size, size, C)."""
    sides = []
    for side in x.shape[:2]:
        count = -(-side // stride) if padding == "SAME" else (side - size) // stride + 1
        total = max((count - 1) * stride + size - side, 0) if padding == "SAME" else 0
        sides.append((count, total // 2))
    (rows, top), (columns, left) = sides
    out = np.full((rows, columns, size, size, x.shape[2]), fill, dtype=x.dtype)
    for r, c, i, j in itertools.product(range(rows), range(columns), range(size), range(size)):
        p, q = r * stride + i - top, c * stride + j - left
        if 0 <= p < x.shape[0] and 0 <= q < x.shape[1]:
            out[r, c, i, j] = x[p, q]
    return out


shapes = st.tuples(st.integers(3, 6), st.integers(3, 6), st.integers(1, 3))
kernels = st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from(["SAME", "VALID"]))


@settings(max_examples=6, deadline=None)
@given(shapes, kernels, st.integers(0, 99))
def test_a_convolution_and_a_pool_are_their_definitions(shape, kernel, seed):
    rng, (size, stride, padding) = np.random.default_rng(seed), kernel
    x, conv, pool = (
        rng.standard_normal((2, *shape), dtype=np.float32),
        Conv(shape[2], 2, size, stride, padding),
        Pool(*kernel),
    )
    theta = rng.standard_normal(conv.size)
    W, b = conv.parts(theta)
    for image, y, top in zip(x, np.asarray(conv.apply(theta, x)), np.asarray(pool.apply(theta[:0], x))):
        expected = np.einsum("rcijk,ijkm->rcm", windows_of(image, *kernel, 0.0), W) + b
        assert y.shape == expected.shape == conv.output(shape)
        np.testing.assert_allclose(y, expected, atol=1e-5)
        np.testing.assert_array_equal(top, windows_of(image, *kernel, -np.inf).max((2, 3)))
        assert top.shape == pool.output(shape)


def test_response_norm_is_its_definition():
    x = np.random.default_rng(0).standard_normal((2, 3, 3, 7)) * 9
    layer = ResponseNorm(2, 1.5, 0.1, 0.6)
    y = np.empty_like(x)
    for c in range(7):
        y[..., c] = x[..., c] / (1.5 + 0.1 * (x[..., max(0, c - 2) : c + 3] ** 2).sum(-1)) ** 0.6
    np.testing.assert_allclose(layer.apply(None, x), y, rtol=1e-5)


def test_dropout_keeps_the_mean_while_training_and_is_off_when_scored():
    x = np.ones((1, 200_000))
    assert Dropout(0.3).apply(None, x) is x
    y = np.asarray(Dropout(0.3).apply(None, x, jax.random.key(0)))
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs(y.mean() - 1) < 5 * np.sqrt(0.3 / 0.7 / x.size)


def test_the_architectures_have_the_published_counts():
    for model, weights, biases in ((models.mnist(), 3_273_504, 1_130), (models.cifar(), 1_067_584, 714)):
        assert (model.weights.sum(), (~model.weights).sum(), model.size) == (weights, biases, weights + biases)
    assert models.digits().size == 3_658


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 99))
def test_a_pool_before_a_rectifier_is_one_behind_it(seed):
    x = np.random.default_rng(seed).standard_normal((1, 6, 6, 2)).astype(np.float32)
    pool, relu = Pool(3, 2), Relu()
    np.testing.assert_array_equal(pool.apply(None, relu.apply(None, x)), relu.apply(None, pool.apply(None, x)))


def test_a_model_runs_through_its_layers_with_slices_in_order():
    model = Model((Flatten(), Dense(4, 3), Relu(), Dense(3, 2)), (2, 2, 1))
    theta = np.random.default_rng(0).standard_normal(model.size)
    W, b, V, c = theta[:12].reshape(4, 3), theta[12:15], theta[15:21].reshape(3, 2), theta[21:]
    x = np.random.default_rng(1).standard_normal((5, 2, 2, 1))
    np.testing.assert_allclose(model(theta, x), np.maximum(x.reshape(5, 4) @ W + b, 0) @ V + c, atol=1e-5)
    drawn = model.draw(50, ((0.1, 0.5), (2.0, -1.0)), rng=0)
    assert np.abs(drawn[:, :12]).max() <= 0.2
    assert (drawn[:, 12:15] == 0.5).all()
    assert (drawn[:, 21:] == -1).all()
    assert 0.1 * 0.8 < drawn[:, :12].std() < 0.1


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Conv(0, 1, 3), "width_in must be"),
        (lambda: Conv(1, 1, 3, padding="same"), "padding must be"),
        (lambda: Pool(2, 0), "stride must be"),
        (lambda: Dropout(1.0), "rate must be"),
        (lambda: ResponseNorm(beta=np.nan), "beta must be"),
        (lambda: Model((Conv(2, 1, 3), Flatten()), (4, 4, 1)), r"layers: .* needs images \(H, W, 2\); got \(4, 4, 1\)"),
        (lambda: Model((Flatten(), Dense(3, 2)), (2, 2, 1)), r"layers: .* needs vectors \(3,\); got \(4,\)"),
        (lambda: Model((Conv(1, 1, 5, padding="VALID"), Flatten()), (4, 4, 1)), "larger than its images"),
        (lambda: Model((Relu(),), (4, 4, 1)), "layers must end in a vector"),
        (lambda: Model((np.tanh,), (4, 4, 1)), "layers must be"),
        (lambda: models.digits().draw(1, ((0.1, 0.0),)), "start must have one pair for each of the 4 layers"),
    ],
)
def test_what_does_not_fit_is_said(make, says):
    with pytest.raises(ValueError, match=says):
        make()
