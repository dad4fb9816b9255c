"""The tasks of sections 4.2 and 4.3: their losses and heights against plain NumPy, and what their data must be."""

import numpy as np
import pytest

from theory.deep import Lstm, tasks

jax = pytest.importorskip("jax")
pytest.importorskip("optax")

rng = np.random.default_rng(0)
X, Y = rng.uniform(0, 1, (30, 8, 8)), rng.integers(0, 10, 30)
DIGITS = tasks.digits(X[:20], Y[:20], X[20:], Y[20:])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def plain_lstm(net, theta, words):
    """Minus the log likelihood of every next word, one word at a time, from an empty state."""
    E, *rest = net.parts(theta)
    first, second, (out, last) = rest[:2], rest[2:4], rest[4:]
    n, losses = net.width, np.zeros((words.shape[1] - 1, len(words)))
    for s, line in enumerate(words):
        states = [[np.zeros(n), np.zeros(n)] for _ in range(2)]
        for k in range(len(line) - 1):
            x = E[line[k]]
            for (W, b), state in zip((first, second), states):
                i, j, f, o = np.split(np.concatenate([x, state[1]]) @ W + b, 4)
                state[0] = state[0] * sigmoid(f) + sigmoid(i) * np.tanh(j)
                x = state[1] = np.tanh(state[0]) * sigmoid(o)
            scores = x @ out + last
            losses[k, s] = np.log(np.exp(scores).sum()) - scores[line[k + 1]]
    return losses


def test_the_lstm_is_its_definition_and_has_the_published_size():
    assert (Lstm().size, Lstm().weights.sum()) == (4_651_600, 4_640_000)
    net, words = Lstm(7, 3), rng.integers(0, 7, (2, 6))
    theta = net.draw(1, rng=0)[0] * 9 + 0.05
    losses, _ = net(theta, net.rest(2), words)
    np.testing.assert_allclose(losses, plain_lstm(net, theta.astype(float), words), rtol=1e-4)
    half, state = net(theta, net.rest(2), words[:, :4])
    np.testing.assert_allclose(losses[3:], net(theta, state, words[:, 3:])[0], rtol=1e-5)
    np.testing.assert_allclose(losses[:3], half, rtol=1e-5)


def test_the_height_of_images_is_the_share_of_wrong_ones_whatever_fills_the_last_chunk(monkeypatch):
    theta = DIGITS.draw(1, rng=1)[0]
    scores = np.asarray(DIGITS.net(theta, np.float32(X[20:, ..., None])))
    wrong = (scores.argmax(1) != Y[20:]).mean()
    assert int(DIGITS.score(theta, DIGITS.data)) / DIGITS.whole == pytest.approx(wrong)
    monkeypatch.setattr(tasks, "CHUNK", 4)  # 10 images in chunks of 4, two of them filling
    again = tasks.digits(X[:20], Y[:20], X[20:], Y[20:])
    assert again.data[3].shape == (3, 4)
    assert int(again.score(theta, again.data)) / again.whole == pytest.approx(wrong)
    assert int(again.score(theta * np.nan, again.data)) == 10


def test_softmax_twice_is_the_cross_entropy_of_probabilities():
    scores = np.float32(rng.standard_normal((5, 4)))
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    q = np.exp(p) / np.exp(p).sum(1, keepdims=True)
    labels = np.array([0, 3, 1, 2, 2])
    np.testing.assert_allclose(
        tasks.cross_entropy(jax.nn.softmax(scores), labels), -np.log(q[np.arange(5), labels]), rtol=1e-5
    )


def test_ends_of_the_cifar_row_are_penalised_and_beads_are_not():
    images = rng.integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)
    task = tasks.cifar(images, np.arange(4), images, np.arange(4))
    theta, key = task.draw(1, rng=0)[0], jax.random.key(0)
    end, bead = (float(task.loss(theta, (), key, task.data, flag)[0]) for flag in (False, True))
    dense = [task.net.layers[k].parts(theta[task.net.slices[k]])[0] for k in task.decayed]
    assert [w.shape for w in dense] == [(2304, 384), (384, 192)]
    assert end - bead == pytest.approx(0.002 * sum((w.astype(float) ** 2).sum() for w in dense), rel=1e-3)
    np.testing.assert_allclose(task.data[2][0].mean((1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(task.data[2][0].std((1, 2, 3)), 1, atol=1e-5)
    assert task.data[2].shape == (1, 4, 24, 24, 3)


def test_the_rate_of_the_lstm_halves_after_the_fifth_epoch_and_gradients_are_clipped():
    task = tasks.text(rng.integers(0, 5, 20 * 41), rng.integers(0, 5, 20 * 21), vocabulary=5, width=2)
    assert task.data[0].shape == (2, 20, 21)
    assert task.preset.block == task.preset.end_block == 2
    assert tasks.text(task.train, task.test, vocabulary=5, width=2, interval=7).preset.block == 7
    optimiser, gradient = task.optimiser(), np.float32([30.0, 40.0])
    state, moves = optimiser.init(gradient), []
    for _ in range(12):
        move, state = optimiser.update(gradient, state)
        moves.append(float(move[1]))
    np.testing.assert_allclose(moves, [-4.0] * 10 + [-2.0] * 2, rtol=1e-6)


def test_the_chunks_of_a_text_follow_each_other_and_share_a_word():
    words = np.arange(20 * 43) % 1000
    task = tasks.text(words, words, vocabulary=1000, width=2)
    first, second = task.data[0]
    assert np.array_equal(first[:, -1], second[:, 0])
    assert np.array_equal(np.concatenate([first, second[:, 1:]], axis=1), words.reshape(20, 43)[:, :41])


PIXELS, LABELS = np.zeros((3, 28, 28), np.uint8), np.array([0, 1, 9])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: tasks.mnist(PIXELS[:, 1:], LABELS, PIXELS, LABELS), r"X must be images \(28, 28, 1\); got shape"),
        (
            lambda: tasks.mnist(255.0 * np.ones((3, 28, 28)), LABELS, PIXELS, LABELS),
            "bytes, or numbers between 0 and 1",
        ),
        (lambda: tasks.mnist(PIXELS, LABELS, PIXELS, LABELS + 1), "y_test must be labels 0 to 9; got 1 to 10"),
        (lambda: tasks.mnist(PIXELS, LABELS[:2], PIXELS, LABELS), "y must be one integer for each of 3 images"),
        (lambda: tasks.mnist(PIXELS, LABELS / 2, PIXELS, LABELS), "y must be one integer"),
        (lambda: tasks.mnist(PIXELS * np.nan, LABELS, PIXELS, LABELS), "X must"),
        (lambda: tasks.cifar(PIXELS, LABELS, PIXELS, LABELS), r"X must be images \(32, 32, 3\)"),
        (lambda: tasks.text(np.arange(10), np.arange(10)), "train must have at least 420 words"),
        (lambda: tasks.text(np.arange(500), np.arange(500), vocabulary=400), "train must hold word numbers 0 to 399"),
        (lambda: tasks.text(np.arange(500), np.arange(500), vocabulary=500, interval=0), "interval must be"),
        (lambda: Lstm(1), "vocabulary must be"),
    ],
)
def test_data_that_do_not_fit_are_said(make, says):
    with pytest.raises(ValueError, match=says):
        make()
