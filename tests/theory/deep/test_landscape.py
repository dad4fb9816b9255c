"""A deep net as a landscape: heights, looks, training in blocks, ends, and what may be called connected."""

import subprocess
import sys

import numpy as np
import pytest

from theory import string_sampling
from theory.deep import CertifiedError, Deep, Dense, Model, Relu, tasks
from theory.deep.tasks import Images, Preset
from theory.paths import Path
from theory.string_sampling import Status

pytest.importorskip("jax")
optax = pytest.importorskip("optax")

rng = np.random.default_rng(0)
CENTRES = 2 * rng.standard_normal((3, 4))
Y = rng.integers(0, 3, 400)
X = np.float32(CENTRES[Y] + rng.standard_normal((400, 4)))
NET = Model((Dense(4, 8), Relu(), Dense(8, 3)), (4,))
PRESET = Preset(0.98, 1.0, 10, "highest", 5, 5)
START = ((1.0, 0.0), (1.0, 0.0))
TASK = Images(NET, X[:300], Y[:300], X[300:], Y[300:], PRESET, START, lambda: optax.adam(0.02), batch=20)


def ends(level, seed=0):
    found = Deep(TASK, rng=seed).ends([level], steps=400)
    assert (found.steps >= 0).all()
    return found.points[0]


def bounds(upper):
    return CertifiedError(0.0, upper, 0.0, 0, 1, 100, 100)


def height(theta):
    W, b, V, c = theta[:32].reshape(4, 8), theta[32:40], theta[40:64].reshape(8, 3), theta[64:]
    return ((np.maximum(X[300:] @ W + b, 0) @ V + c).argmax(1) != Y[300:]).mean()


def test_heights_and_looks_are_shares_of_wrong_images():
    deep, thetas = Deep(TASK), TASK.draw(5, rng=2)
    np.testing.assert_allclose(deep.batch(thetas), [height(theta) for theta in thetas], rtol=0)
    grid = np.arange(4) / 4
    seen = deep.look(thetas[:2], thetas[2:4], grid)
    along = np.array([[height(a + t * (b - a)) for t in grid] for a, b in zip(thetas, thetas[2:4])])
    np.testing.assert_allclose(seen.top, along.max(1), rtol=0)
    assert np.array_equal(seen.t, grid[along.argmax(1)])
    assert deep.batch(thetas * np.nan).tolist() == [1.0] * 5
    assert deep.weights.sum() == 56


def test_beads_are_trained_for_at_least_one_block_and_leave_when_they_are_there():
    deep = Deep(TASK, rng=0, blocks=60)
    a, _ = ends(0.1)
    starts = np.stack([a, *TASK.draw(1, rng=5)])
    trained = deep.train(starts, 0.12)
    assert trained.reached.all()
    assert (trained.points != starts).any(1).all()  # those that were there before move too, as published
    np.testing.assert_allclose(trained.values, deep.batch(trained.points))
    assert len(starts) < trained.evaluations < 60 * len(starts)
    stuck = deep.train(starts, 1e-9, iterations=2)
    assert not stuck.reached.any()
    assert stuck.evaluations == 2 * len(starts)


def test_one_bead_is_trained_as_in_a_batch_of_equals():
    """The batch changes nothing but rounding: the same start, batches and moments give the same bead."""
    a = ends(0.1)[:1]
    alone = Deep(TASK, rng=3).train(a, 1e-9, iterations=1).points
    np.testing.assert_array_equal(Deep(TASK, rng=3).train(a, 1e-9, iterations=1).points, alone)
    assert not np.array_equal(Deep(TASK, rng=4).train(a, 1e-9, iterations=1).points, alone)


def test_ends_are_first_below_their_levels():
    found = Deep(TASK, rng=1).ends([0.4, 0.2, 0.1], count=3, steps=400)
    assert (found.heights < np.array([[0.4], [0.2], [0.1]])).all()
    assert (np.diff(found.steps, axis=0) >= 0).all()
    assert (found.steps % PRESET.end_block == 0).all()
    np.testing.assert_allclose(found.heights[1], Deep(TASK).batch(found.points[1]))
    none = Deep(TASK, rng=1).ends([1e-9], steps=10)
    assert (none.steps == -1).all()
    assert np.isnan(none.points).all()
    assert repr(none) == "Ends(0 of 2 levels reached, at most -1 steps)"


def test_a_string_is_accepted_on_a_grid_and_connected_only_with_a_certificate():
    a, b = ends(0.15)
    setting = {"alpha": 0.98, "acceptance": 1.0, "points": 10, "insert": "highest"}
    found = string_sampling.published(Deep(TASK, rng=7, blocks=100), a, b, 0.15, **setting)
    assert found.status is Status.ACCEPTED
    assert found.path is None
    assert found.maximum.upper == np.inf
    assert found.maximum.value < 0.15
    fine = np.max([height(theta) for theta in Path(found.string.points).at(np.linspace(0, 1, 201))])
    proved = Deep(TASK, rng=7, blocks=100, certificate=lambda a, b: bounds(0.15))  # believed
    assert string_sampling.published(proved, a, b, 0.15, **setting).status is Status.CONNECTED
    loose = Deep(TASK, rng=7, blocks=100, certificate=lambda a, b: bounds(max(fine, 0.1501)))
    assert string_sampling.published(loose, a, b, 0.15, **setting).status is Status.ACCEPTED


def test_the_greedy_string_runs_on_a_deep_net_too():
    a, b = ends(0.2)
    found = string_sampling.greedy(Deep(TASK, rng=0, blocks=100), a, b, 0.2, alpha=0.98, attempts=1)
    assert found.status in (Status.ACCEPTED, Status.DEPTH, Status.BEAD)
    assert (found.maximum.value <= 0.2) == (found.status is Status.ACCEPTED)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Deep(TASK, block=0), "block must be"),
        (lambda: Deep(TASK, blocks=0), "blocks must be"),
        (lambda: Deep(TASK).ends([0.0], steps=5), "levels must be"),
        (lambda: Deep(TASK).ends([0.1], steps=0), "steps must be"),
        (lambda: Deep(TASK).ends([0.1], steps=5, count=0), "count must be"),
        (lambda: string_sampling.published(Deep(TASK), *TASK.draw(2), 1e-3), "level must be at least"),
    ],
)
def test_what_cannot_be_asked_is_said(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_without_jax_one_line_names_the_extra():
    code = (
        "import sys; sys.modules['jax'] = None; import numpy as np; from theory.deep import models\n"
        "try: models.digits()(np.zeros(3658), np.zeros((1, 8, 8, 1)))\nexcept ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == 'theory.deep needs jax: python -m pip install "halfrect[deep]"\n'


def test_the_tasks_name_themselves():
    assert repr(TASK) == "Images(Model(3 layers, (4,) -> 3 classes, 67 parameters), 300 for training, 100 for testing)"
    assert repr(Deep(TASK)) == f"Deep({TASK!r}, beads looked at every 5 steps)"
    words = np.arange(420) % 5
    assert repr(tasks.text(words, words, vocabulary=5)).endswith("420 words for training, 420 for testing)")
