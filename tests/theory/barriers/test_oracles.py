"""Every bound against values attained by nets, computed in fractions: random, degenerate and badly scaled samples.

The oracles share nothing with the bounds but the sample: a net is written down, its risk is a fraction, and no `lower`
may be above it. HYPOTHESIS_PROFILE=nightly runs ten thousand samples for each.
"""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances
from scipy.optimize import minimize_scalar

from theory.barriers.dependent_features import least_risk
from theory.barriers.lower_bounds import lower_bound
from theory.barriers.one_direction import one_direction_risk, one_unit_risk
from theory.barriers.permutations import permutation_barrier
from theory.maxima.segments import path_maximum
from theory.networks import Network
from theory.paths import Path
from theory.rays import dependencies, rays, unseen_risk
from theory.risk import Risk, Sample

KINDS = ("random", "near rays", "repeats", "nearly parallel", "integers", "condition", "sizes")


def points(rng, kind, N):
    """N points of the plane."""
    X = rng.standard_normal((N, 2))
    if kind == "near rays":
        X[1] = X[0] * rng.uniform(0.5, 2)
        X[1, 1] += 10.0 ** -rng.integers(8, 26)
        if rng.integers(2):
            X[:2, 0], X[0, 1], X[1, 1] = 1.0, 0.0, 10.0 ** -rng.integers(8, 26)
    if kind == "repeats":
        X[1] = X[0] + rng.integers(0, 2) * 2.0**-52 * rng.standard_normal(2)
    if kind == "nearly parallel":
        X = X[:1] * rng.choice([-1.0, 1.0], (N, 1)) + 10.0 ** -rng.integers(3, 16) * X
    if kind == "integers":
        X = rng.integers(-2, 3, (N, 2)).astype(float)
    if kind == "condition":
        turn = np.linalg.qr(X[:2].T)[0] if N > 1 else np.eye(2)
        X = X @ np.diag([1.0, 10.0 ** -rng.integers(0, 17)]) @ turn
    if kind == "sizes":
        X = np.ldexp(X, rng.integers(-300, 300))
    return X


@st.composite
def samples(draw, outputs=1, most=4):
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind, N = draw(st.sampled_from(KINDS)), draw(st.integers(2, most))
    X, Y = points(rng, kind, N), rng.standard_normal((N, outputs))
    if draw(st.booleans()):
        Y = rng.integers(-2, 3, (N, outputs)).astype(float)
    if kind == "sizes":
        Y = np.ldexp(Y, rng.integers(-200, 200))
    return Sample(X, Y, rng.uniform(0.1, 1, N))


def exact(array):
    return [[Fraction(v) for v in row] for row in np.asarray(array).tolist()]


def features(X, u):
    return [max(sum(a * b for a, b in zip(x, u)), Fraction(0)) for x in X]


def trial_directions(sample, rng, count=6):
    """Directions where something may happen: at, beside and between the kinks, the points, and at random; fractions."""
    X = exact(sample.X)
    kinks = [v for x in X if any(x) for v in ([-x[1], x[0]], [x[1], -x[0]])]
    size = lambda v: max(abs(v[0]), abs(v[1]))  # noqa: E731
    kinks = [[c / size(v) for c in v] for v in kinks]
    towards = [[c / size(x) for c in x] for x in X if any(x)]
    beside = [[a + b / 2 ** int(rng.integers(1, 200)) for a, b in zip(u, v)] for u in kinks for v in towards]
    between = [[a + b for a, b in zip(u, v)] for u, v in combinations(kinks + towards, 2)]
    free = exact(rng.standard_normal((count, 2)))
    both = [[s * c for c in u] for u in (*kinks, *towards, *beside, *between, *free) if any(u) for s in (1, -1)]
    return [u for u in both if any(u)]


def refitted(sample, rows):
    """The least risk of any W_2 on the features of the rows, a fraction: Gram-Schmidt on the weighted features."""
    X, Y, p = exact(sample.X), exact(sample.Y), [Fraction(w) for w in sample.weights.tolist()]
    inner = lambda a, b: sum(w * c * d for w, c, d in zip(p, a, b))  # noqa: E731
    basis = []
    for u in rows:
        z = features(X, u)
        for b, square in basis:
            share = inner(z, b) / square
            z = [c - share * d for c, d in zip(z, b)]
        if any(z):
            basis.append((z, inner(z, z)))
    columns = list(zip(*Y))
    return sum(inner(y, y) - sum(inner(y, b) ** 2 / square for b, square in basis) for y in columns)


def penalised(sample, u, kappa):
    """The risk of the unit u / r with its best weight, r >= |u| a fraction: attained, a fraction."""
    X, Y, p = exact(sample.X), exact(sample.Y), [Fraction(w) for w in sample.weights.tolist()]
    size = max(abs(c) for c in u)
    u = [c / size for c in u]
    r = Fraction(float(np.nextafter(np.nextafter(float(sum(c * c for c in u)) ** 0.5, 9), 9)))
    assert r * r >= sum(c * c for c in u)
    z = [v / r for v in features(X, u)]
    square, moment = sum(w * v * v for w, v in zip(p, z)), sum(w * v * y[0] for w, v, y in zip(p, z, Y))
    energy = sum(w * y[0] ** 2 for w, y in zip(p, Y))
    excess = max(abs(moment) - Fraction(kappa) / 2, Fraction(0))
    return energy - (excess**2 / square if square else 0)


@given(samples(), st.sampled_from([0.0, 1e-3, 0.1, 1.0]))
@instances(150)
def test_no_single_unit_gets_below_its_least_risk(sample, kappa):
    kappa = kappa * float(np.abs(sample.X).max() * np.abs(sample.Y).max())
    found = one_unit_risk(sample, kappa)
    rng = np.random.default_rng(0)
    trials = trial_directions(sample, rng)
    values = [penalised(sample, u, kappa) for u in trials]
    best = trials[values.index(min(values))]
    side = [-best[1], best[0]]

    def turned(t):
        return [c + Fraction(float(t)) * d for c, d in zip(best, side)]

    for width in (1.0, 1e-3):
        t = minimize_scalar(
            lambda t: float(penalised(sample, turned(t), kappa)),
            bounds=(-width, width),
            method="bounded",
            options={"maxiter": 15},
        ).x
        values.append(penalised(sample, turned(t), kappa))
    assert Fraction(found.lower) <= min(values)
    assert found.upper - found.lower <= 1e-12 * sample.energy


@given(samples(outputs=2))
@instances(150)
def test_no_net_that_sees_one_direction_gets_below_its_least_risk(sample):
    if np.linalg.matrix_rank(sample.X / (np.abs(sample.X).max() or 1.0)) < 2 or len(rays(sample)) < 2:
        return
    found = one_direction_risk(sample)
    values = [refitted(sample, [u, [-c for c in u]]) for u in trial_directions(sample, np.random.default_rng(0))]
    assert Fraction(found.lower) <= min(values)
    assert found.upper - found.lower <= 1e-12 * sample.energy


def test_the_oracle_catches_a_bound_that_loses_the_best_unit():
    sample = Sample([[1.0, 0.0], [1.0, 1e-25]], [[1.0], [1.0]])
    attained = min(penalised(sample, u, 0.1) for u in trial_directions(sample, np.random.default_rng(0)))
    assert one_unit_risk(sample, 0.1).lower <= attained < Fraction(11, 10) * Fraction(one_unit_risk(sample, 0.1).lower)
    dependent = Sample([[1.0, 0.0], [0.0, 1.0]], [[1.0], [-1.0]])
    found = least_risk(rays(dependent)).lower
    rows = trial_directions(dependent, np.random.default_rng(0))
    assert Fraction(found) <= min(refitted(dependent, [u]) for u in rows) < Fraction(11, 10) * Fraction(found)


@given(st.integers(0, 2**32), st.integers(2, 4), st.integers(1, 4))
@instances(40)
def test_for_independent_points_the_least_risk_is_an_eigenvalue_of_a_part(seed, N, d):
    rng = np.random.default_rng(seed)
    sample = Sample(rng.standard_normal((N, N)), rng.standard_normal((N, d)), rng.uniform(0.1, 1, N))
    root = np.sqrt(sample.weights)[:, None]
    G = (root * sample.Y) @ (root * sample.Y).T
    values, vectors = np.linalg.eigh(G)
    expected = values[0]
    if (vectors[:, 0] > 0).all() or (vectors[:, 0] < 0).all():  # then some entry of nu is zero at the least
        expected = min(np.linalg.eigvalsh(np.delete(np.delete(G, k, 0), k, 1))[0] for k in range(N))
    assert least_risk(rays(sample)).lower == pytest.approx(max(expected, 0), rel=1e-7, abs=1e-13)


@given(samples(outputs=2), st.integers(0, 2**32))
@instances(100)
def test_no_net_with_dependent_features_gets_below_the_least_risk(sample, seed):
    seen = rays(sample)
    if len(seen) < 2 or dependencies(seen):
        return
    constant = Fraction(str(seen.constant))
    found = least_risk(seen)
    rng = np.random.default_rng(seed)
    trials = trial_directions(sample, rng, count=3)
    chosen = [[trials[k] for k in rng.integers(len(trials), size=len(seen) - 1)] for _ in range(25)]
    values = [refitted(sample, rows) - constant for rows in chosen]
    assert Fraction(found.lower) <= min(values)


@given(samples(outputs=2, most=5), st.integers(2, 3), st.integers(0, 2**32))
@instances(60)
def test_no_path_between_two_nets_stays_below_their_bound(sample, width, seed):
    rng = np.random.default_rng(seed)
    x, y = (2.0 ** int(np.frexp(np.abs(a).max())[1]) if a.any() else 1.0 for a in (sample.X, sample.Y))
    network = Network((2, width, 2))
    risk = Risk(network, sample)
    trials = trial_directions(sample, rng, count=3)

    def net():
        rows = np.array([[float(c) for c in trials[k]] for k in rng.integers(len(trials), size=width)])
        rows /= np.abs(rows).max(axis=1, keepdims=True)
        Z = np.maximum(rows @ (sample.X / x).T, 0) * np.sqrt(sample.weights)
        V = np.linalg.lstsq(Z.T, sample.Y / y * np.sqrt(sample.weights)[:, None], rcond=1e-8)[0].T
        return network.pack([rows, V * (y / x)])

    a = net()
    order = [1, 0, *range(2, width)]
    b = network.permute(a, 1, order)
    bound = lower_bound(risk, a, b, rng=0).lower
    floor = Fraction(str(unseen_risk(rays(sample), dependencies(rays(sample)))))
    assert bound >= float(floor) * (1 - 1e-15)
    for beads in ([], [net()], [net(), net()]):
        assert path_maximum(risk, Path(np.stack([a, *beads, b]))).upper >= bound
    barrier = permutation_barrier(sample, width, rng=0)
    assert barrier.lower <= bound
    assert barrier.lower <= barrier.upper
