"""What paths of factors are laid with, each piece against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.linear_paths import curves
from theory.linear_paths.problem import LinearProblem
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)


def frame(rng, h, k):
    return np.linalg.qr(rng.standard_normal((h, k)))[0]


@instances(60)
@given(seed=seeds, h=st.integers(1, 5), k=st.integers(0, 5))
def test_the_shortest_rotation_turns_one_frame_to_the_other_and_no_other_is_nearer_to_the_identity(seed, h, k):
    rng, k = np.random.default_rng(seed), min(h, k)
    R, target = frame(rng, h, k), frame(rng, h, k)
    if rng.integers(2):  # close by
        target = np.linalg.qr(R + 1e-3 * rng.standard_normal((h, k)))[0]
        target *= np.sign(np.sum(target * R, axis=0))
    O = curves.shortest_rotation(R, target)
    if O is None:
        assert k == h
        assert np.linalg.det(target @ R.T) == pytest.approx(-1)
        return
    assert O @ R == pytest.approx(target, abs=1e-12)
    assert O @ O.T == pytest.approx(np.eye(h), abs=1e-12)
    assert np.linalg.det(O) == pytest.approx(1)
    free = np.linalg.svd(R.T, full_matrices=True)[2][k:].T if k else np.eye(h)
    for _ in range(20):  # turns that leave R where it is
        P = frame(rng, h - k, h - k) if h > k else np.zeros((0, 0))
        if h > k and np.linalg.det(P) < 0:
            P[:, 0] *= -1
        assert np.trace(O @ (R @ R.T + free @ P @ free.T)) <= np.trace(O) + 1e-9


@given(seed=seeds, h=st.integers(1, 6), k=st.integers(0, 6))
def test_a_complement_completes_a_frame(seed, h, k):
    R = frame(np.random.default_rng(seed), h, min(h, k))
    whole = np.hstack([R, curves.complement(R)])
    assert whole.T @ whole == pytest.approx(np.eye(h), abs=1e-13)


@given(seed=seeds, m=st.integers(1, 4), r=st.integers(1, 4), rank=st.integers(0, 4))
def test_a_quotient_is_the_nearest_there_is(seed, m, r, rank):
    rng = np.random.default_rng(seed)
    W, M = rng.standard_normal((r, r)), rng.standard_normal((m, r))
    if rank < r:
        W[rank:] = 0.0
    D = curves.divided(M, W)
    least = np.linalg.lstsq(W.T, M.T, rcond=None)[0].T
    assert np.linalg.norm(D @ W - M) <= np.linalg.norm(least @ W - M) + 1e-9 * (1 + np.linalg.norm(least))
    if rank >= r:
        assert D @ W == pytest.approx(M, abs=1e-9 * np.linalg.cond(W))


def test_paths_laid_end_to_end_say_where_rounding_joined_them():
    a, b, c = (
        Path([[0.0], [1.0]], ("one",)),
        Path([[1.0], [2.0]], ("two",)),
        Path([[2.0 + 1e-16 * 8], [3.0]], ("three",)),
    )
    whole = curves.splice(a, b, c)
    assert whole.labels == ("one", "two", "rounding", "three")
    assert whole.points[:, 0].tolist() == [0.0, 1.0, 2.0, 2.0 + 1e-16 * 8, 3.0]
    assert curves.splice(a) is a


@given(st.lists(st.floats(-9, 9), min_size=5, max_size=5))
def test_five_values_give_the_quartic_everywhere(c):
    t = np.linspace(-0.5, 1.5, 41)
    values = np.polynomial.polynomial.polyval(np.linspace(0, 1, 5), c)
    assert curves._lagrange(t) @ values == pytest.approx(np.polynomial.polynomial.polyval(t, c), abs=1e-9)


@instances(30)
@given(seed=seeds, first=st.sampled_from([1, 3, 8]), loss=st.sampled_from(["squared", "absolute"]))
def test_chords_of_a_curve_keep_below_the_ceiling_and_are_halved_nowhere_else(seed, first, loss):
    rng = np.random.default_rng(seed)
    net = Network((2, 2, 2), "identity")
    risk = Risk(net, Sample(rng.standard_normal((5, 2)), rng.standard_normal((5, 2))), loss=loss)
    W1, W2, turn = *net.weights(rng.standard_normal(net.size)), 2 * np.pi * rng.random()

    def curve(s):
        c, d = np.cos(s * turn), np.sin(s * turn)
        O = np.array([[c, -d], [d, c]])
        return O @ W1, W2 @ O.T

    level = risk(net.pack([W1, W2]))
    ceiling = level + 10.0 ** rng.uniform(-4, 0)
    path = curves.chords(LinearProblem(risk), curve, ceiling, "turn", first=first)
    t = np.linspace(0, 1, 65)[:, None, None]
    inside = risk.batch(path.points[:-1] + t * np.diff(path.points, axis=0)).max(axis=0)
    assert (inside <= (ceiling if loss == "squared" else level + 1.5 * (ceiling - level)) + 1e-12).all()
    assert path.labels == ("turn",) * len(path)
    assert path.points[[0, -1]] == pytest.approx(np.stack([net.pack(list(curve(s))) for s in (0.0, 1.0)]))
    s = np.array([np.arctan2(*(net.weights(p)[0] @ np.linalg.inv(W1))[[1, 0], 0]) for p in path.points]) % (2 * np.pi)
    steps = np.log2(turn / first / (np.diff(np.unwrap(s)) % (2 * np.pi)))
    assert steps == pytest.approx(np.round(steps), abs=1e-6)  # only halves of halves
    for k in np.flatnonzero(np.round(steps) > 0):  # each was too high before it was halved
        at, width = (np.unwrap(s)[k] - s[0]) / turn, 2.0 ** -np.round(steps[k]) / first
        low = np.floor(at / (2 * width) + 1e-6) * 2 * width
        chord = net.pack(list(curve(low))) + t[:, 0] * (
            net.pack(list(curve(low + 2 * width))) - net.pack(list(curve(low)))
        )
        assert risk.batch(chord).max() >= ceiling - 1e-9
