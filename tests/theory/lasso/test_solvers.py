"""The steps of the active-set method, each against what it promises, and the method against every sign pattern."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.lasso import solvers

SEEDS = st.integers(0, 2**32 - 1)


def value(G, q, kappa, b):
    return b @ G @ b - 2 * q @ b + kappa @ np.abs(b)


def features(rng, m, N, copies):
    """Columns of size near one, some of them combinations of few others."""
    A = rng.standard_normal((N, m))
    for j in rng.permutation(m)[:copies]:
        A[:, j] = A[:, (j + 1) % m] * rng.choice([-1.0, 1.0, 0.5]) + A[:, (j + 2) % m] * rng.choice([0.0, 1.0])
    return A / np.maximum(np.sqrt(np.sum(A**2, axis=0)), 1e-3)


@given(SEEDS, st.integers(1, 5), st.integers(0, 3), st.sampled_from([1e-3, 0.1, 1.0]))
def test_the_active_set_ends_below_every_sign_pattern(seed, m, copies, share):
    """On each pattern the minimum is a linear solve; that of the right one is the minimum, whatever the rank."""
    rng = np.random.default_rng(seed)
    A = features(rng, m, int(rng.integers(1, 7)), copies)
    a = rng.standard_normal(len(A))
    G, q = A.T @ A, A.T @ a
    kappa = share * 2 * np.abs(q).max() * rng.uniform(0.2, 1, m) + 1e-9
    found = solvers.active_set(G, q, kappa, rng.standard_normal(m) * rng.integers(0, 2, m))
    least = 0.0
    for signs in product((-1, 0, 1), repeat=m):
        s = np.array(signs)
        used = s != 0
        b = np.zeros(m)
        b[used] = np.linalg.lstsq(G[np.ix_(used, used)], (q - kappa / 2 * s)[used], rcond=1e-12)[0]
        least = min(least, value(G, q, kappa, b))
    assert value(G, q, kappa, found) <= least + 1e-9 * (1 + abs(least))


@given(SEEDS, st.integers(1, 5), st.sampled_from([1e-3, 0.1]))
def test_without_cholesky_the_steps_are_the_same(seed, m, share):
    """Planted: Gram matrices that are said to be singular and have no kernel, as when rounding is in between."""
    rng = np.random.default_rng(seed)
    A, a = features(rng, m, m + 3, 0), rng.standard_normal(m + 3)
    G, q = A.T @ A, A.T @ a
    kappa, start = np.full(m, share * 2 * np.abs(q).max()), rng.standard_normal(m)
    plain = solvers.active_set(G, q, kappa, start)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solvers, "_solve", lambda G, q: None)
        patch.setattr(solvers, "_kernel", lambda G: np.zeros((len(G), 0)))
        assert solvers.active_set(G, q, kappa, start) == pytest.approx(plain, abs=1e-7)


@given(SEEDS, st.integers(2, 6), st.booleans(), st.integers(0, 2))
def test_weights_slide_along_the_kernel_until_one_vanishes_and_the_penalty_does_not_rise(seed, k, constant, zeros):
    rng = np.random.default_rng(seed)
    d, s, kappa = rng.standard_normal(k), rng.choice([-1.0, 1.0], k), rng.uniform(0.5, 2, k)
    if constant:  # the penalty does not change along d: signs on both sides, in balance
        s[:2] = np.sign(d[:2]) * [1, -1]
        up = d * s > 0
        kappa[up] *= -(kappa * d * s)[~up].sum() / (kappa * d * s)[up].sum()
    d /= np.linalg.norm(d)
    b = s * rng.uniform(0.1, 1, k)
    b[rng.permutation(k)[:zeros]] = 0.0
    after, gone = solvers._slide(d[:, None], kappa, s, b)
    along = (after - b) @ d
    assert after[gone] == 0
    assert (after * s >= -1e-15).all()
    assert np.delete(after - b - along * d, gone) == pytest.approx(np.zeros(k - 1), abs=1e-12)
    assert kappa @ np.abs(after) <= kappa @ np.abs(b) * (1 + 1e-12)
    falls = [v for v in (d, -d) if kappa @ (v * s) <= 1e-9]
    free = [v for v in falls if (v * s < 0).any() and (b[v * s < 0] != 0).all()]
    if free:  # then a weight in use vanishes: the method cannot go round in a circle
        assert b[gone] != 0


@given(SEEDS, st.integers(1, 5))
def test_a_step_ends_at_the_target_or_at_the_best_change_of_sign_before_it(seed, m):
    rng = np.random.default_rng(seed)
    A, a = features(rng, m, m + 3, 0), rng.standard_normal(m + 3)
    G, q, kappa = A.T @ A, A.T @ a, rng.uniform(0, 1, m)
    b = rng.standard_normal(m) * rng.integers(0, 2, m)
    s = np.where(b != 0, np.sign(b), rng.choice([-1.0, 1.0], m))
    target = np.linalg.solve(G, q - kappa / 2 * s)
    found = solvers._line_search(G, q, kappa, s, b, target)
    crossed = target * s < 0
    at = np.append(b[crossed] / (b - target)[crossed], 1.0)
    assert value(G, q, kappa, found) == pytest.approx(
        min(value(G, q, kappa, b + t * (target - b)) for t in at), rel=1e-9, abs=1e-12
    )
    if value(G, q, kappa, found) < value(G, q, kappa, target) - 1e-9:
        assert (found[crossed] == 0).any()  # not only to rounding
