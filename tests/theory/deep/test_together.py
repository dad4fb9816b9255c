"""Threads that train as one batch: the same results as alone, one block for all, and nobody waits for ever."""

import threading
import time

import numpy as np
import pytest

from theory.deep import Deep, Together
from theory.deep import landscape as landscapes

pytest.importorskip("jax")
pytest.importorskip("optax")
from tests.theory.deep.test_landscape import PRESET, TASK

WAIT = 60  # seconds until a thread that hangs is a failure


def side_by_side(work, count):
    """work(k, together) in `count` threads that take part; what each gave."""
    together, all_here, found = Together(), threading.Barrier(count), {}

    def one(k):
        with together.member():
            all_here.wait(WAIT)
            found[k] = work(k, together)

    threads = [threading.Thread(target=one, args=(k,), daemon=True) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    found = [found[k] for k in range(count)]
    assert repr(together) == "Together(0 members)"
    return found


def test_beads_trained_side_by_side_are_those_trained_alone():
    starts = TASK.draw(5, rng=2)
    rows = [slice(0, 1), slice(1, 3), slice(3, 5)]

    def train(k, together=None):
        return Deep(TASK, rng=k, blocks=4 + 3 * k, together=together).train(starts[rows[k]], 0.2)

    for k, found in enumerate(side_by_side(train, 3)):
        alone = train(k)
        np.testing.assert_allclose(found.points, alone.points, rtol=0, atol=1e-4)
        assert found.reached.tolist() == alone.reached.tolist()
        assert found.evaluations == alone.evaluations


def test_ends_trained_side_by_side_are_those_trained_alone():
    ends = lambda k, together=None: Deep(TASK, rng=k, together=together).ends([0.4, 0.2], steps=200)  # noqa: E731
    for k, found in enumerate(side_by_side(ends, 2)):
        alone = ends(k)
        assert (alone.steps >= 0).all()
        assert np.array_equal(found.steps, alone.steps)
        np.testing.assert_allclose(found.points, alone.points, rtol=0, atol=1e-4)


def test_blocks_of_one_kind_are_one_block_and_others_are_not():
    sizes = []

    def block(thetas, carried, keys):
        sizes.append(len(thetas))
        return thetas + 1, carried

    def ask(k, together):
        rows = np.full((k + 1, 2), float(k))
        return together.train("ab"[k == 3], block, rows, (np.arange(k + 1),), np.zeros((k + 1, 2)))

    for k, (thetas, carried) in enumerate(side_by_side(ask, 4)):
        assert thetas.tolist() == [[k + 1.0] * 2] * (k + 1)
        assert carried[0].tolist() == list(range(k + 1))
    assert sorted(sizes) == [4, 6]  # three threads with 1 + 2 + 3 rows, and one with 4


def test_whoever_leaves_or_fails_does_not_hold_the_others():
    def work(k, together):
        if k == 0:
            began = time.monotonic()
            while len(together._waiting) < 2 and time.monotonic() < began + WAIT:
                time.sleep(0.001)
            return "left"  # for whom the others wait
        return together.train("a", lambda *rows: rows[:2], np.ones((1, 1)), (), np.ones((1, 2)))[0].tolist()

    assert side_by_side(work, 3) == ["left", [[1.0]], [[1.0]]]

    def broken(thetas, carried, keys):
        raise MemoryError("no room")

    def fails(k, together):
        with pytest.raises(MemoryError, match="no room"):
            together.train("a", broken, np.ones((1, 1)), (), np.ones((1, 2)))
        return together.train("b", lambda *rows: rows[:2], np.ones((1, 1)), (), np.ones((1, 2)))[0].tolist()

    assert side_by_side(fails, 2) == [[[1.0]]] * 2


@pytest.mark.parametrize("leaves", [True, False])
def test_an_interrupt_reaches_the_thread_that_it_was_meant_for_and_those_who_wait(leaves):
    together, told, here = Together(), [], threading.Event()

    def stopped(thetas, carried, keys):
        raise KeyboardInterrupt

    def wait():
        with together.member():
            here.set()
            try:
                together.train("a", stopped, np.ones((1, 1)), (), np.ones((1, 2)))
            except KeyboardInterrupt as error:
                told.append(error)

    thread = threading.Thread(target=wait, daemon=True)

    def last():
        with together.member():
            thread.start()
            assert here.wait(WAIT)
            began = time.monotonic()
            while len(together._waiting) < 1 and time.monotonic() < began + WAIT:
                time.sleep(0.001)
            if not leaves:  # asks for a block of another kind, which is run after the one that fails
                together.train("b", lambda *rows: rows[:2], np.ones((1, 1)), (), np.ones((1, 2)))

    with pytest.raises(KeyboardInterrupt):
        last()
    thread.join(WAIT)
    assert not thread.is_alive()
    assert len(told) == 1
    assert repr(together) == "Together(0 members)"


def test_heights_ask_for_float32_whatever_the_device_prefers():
    """On a processor nothing changes; on a GPU products of training may have fewer bits than those of heights."""
    jax, engine = pytest.importorskip("jax"), landscapes._engine(TASK)
    theta, data, t = TASK.draw(2, rng=0), engine.data, np.zeros(1, np.float32)
    keys = np.zeros((2, 2), np.uint32)
    heights = [jax.make_jaxpr(engine.score)(theta, data), jax.make_jaxpr(engine.along)(*theta, t, data)]
    block = lambda theta: engine.block(theta, engine.fresh(theta), keys, data, bead=True, steps=PRESET.block)  # noqa: E731
    for program, share in (*((program, 1.0) for program in heights), (jax.make_jaxpr(block)(theta), 0.0)):
        products = str(program).count("dot_general[")
        assert products >= 2
        assert str(program).count("Precision.HIGHEST, Precision.HIGHEST") == share * products


@pytest.mark.parametrize(("count", "padded"), [(1, 1), (3, 4), (8, 8), (9, 16), (17, 24), (20, 24)])
def test_batches_have_few_sizes(count, padded):
    rows = np.arange(count)
    assert landscapes._padded(rows).tolist() == [*rows, *[0] * (padded - count)]
