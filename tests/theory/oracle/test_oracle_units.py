"""The oracle risk in any units and on bad instances: exact oracles, equivariance, range, and what is undecided."""

from __future__ import annotations

import warnings
from fractions import Fraction

import numpy as np
import pytest
from exact_lasso import exact_minimum
from hypothesis import example, given
from hypothesis import strategies as st
from nightly import instances

from checks.claims.section_2_3_2.exact_risk import features, fractions, risk
from theory.oracle import new_unit
from theory.oracle.finite_width import curve, finite
from theory.oracle.infinite_width import limit, smoothness_bound
from theory.oracle.new_unit import best_unit
from theory.oracle.scaling import inside, normalised, risk_above
from theory.risk import Sample

SEEDS = st.integers(0, 2**32 - 1)
MANY = instances(200)


def bad_points(rng: np.random.Generator, N: int, n: int, kind: str) -> np.ndarray:
    """Inputs (N, n): generic, small integers, on one ray but for 1e-25, nearly repeated, nearly opposite, ill-conditioned."""
    X = rng.standard_normal((N, n))
    if kind == "integers":
        X = rng.integers(-2, 3, (N, n)).astype(float)
    elif kind == "rays":
        X = np.outer(rng.choice([-1.0, 1.0], N) * 2.0 ** rng.integers(-3, 4, N), np.eye(1, n)[0])
        X[:, -1] += rng.integers(-1, 2, N) * 10.0 ** -rng.integers(1, 30)
    elif kind == "repeats":
        X = X[rng.integers(0, max(1, N // 2), N)] * (1 + 2.0 ** -rng.integers(1, 53) * rng.integers(-1, 2, (N, n)))
    elif kind == "conditions":
        X = X * 10.0 ** -rng.integers(0, 17, n) @ np.linalg.qr(rng.standard_normal((n, n)))[0]
    return X * 2.0 ** rng.integers(-20, 21)


KINDS = st.sampled_from(["generic", "integers", "rays", "repeats", "conditions"])


@st.composite
def bad_samples(draw: st.DrawFn, max_n: int = 3) -> Sample:
    rng = np.random.default_rng(draw(SEEDS))
    N, n = draw(st.integers(1, 6)), draw(st.integers(1, max_n))
    X = bad_points(rng, N, n, draw(KINDS))
    y = rng.choice([1.0, -1.0, 0.0, 2.0], N) if draw(st.booleans()) else rng.standard_normal(N)
    w = rng.dirichlet(np.ones(N)) if draw(st.booleans()) else None
    return Sample(X, (y * 2.0 ** draw(st.integers(-20, 20)))[:, None], w)


def exact_risk(sample: Sample, W, b, kappa: float) -> Fraction:
    X, y, p = (fractions(v) for v in (sample.X, sample.Y[:, 0], sample.weights))
    return risk(X, y, p, fractions(W), fractions(b), Fraction(kappa))


def typical(sample: Sample) -> float:
    return float(np.sqrt(sample.energy * np.trace(sample.second_moment)))


# --- the best unit -----------------------------------------------------------------------------------------------


def exact_square_on_the_circle(X, c) -> Fraction:
    """max f^2 over the unit circle: on the arcs between breakpoints f(u) = <g, u>; at their ends, and at g where inside."""
    X, c = fractions(X), fractions(c)
    turned = [np.array([-x[1], x[0]], dtype=object) for x in X if any(x)]
    rays = [*turned, *(-t for t in turned)]

    def f(u) -> Fraction:
        return Fraction(sum((v * max(x @ u, 0 * v) for v, x in zip(c, X)), Fraction(0)))

    best = max((f(u) ** 2 / (u @ u) for u in rays), default=Fraction(0))
    for u in rays:
        for side in (1, -1):  # just beside u: what is active there
            active = [x @ u > 0 or (x @ u == 0 and side * (u[0] * x[1] - u[1] * x[0]) > 0) for x in X]
            g = sum((v * x for v, x, on in zip(c, X, active) if on), 0 * X[0])
            for sign in (1, -1):
                if any(g) and all((x @ (sign * g) > 0) == on or x @ g == 0 for x, on in zip(X, active)):
                    best = max(best, Fraction(g @ g))
    return best


@MANY
@given(SEEDS, st.integers(1, 7), KINDS)
def test_on_the_circle_the_bound_is_above_the_exact_maximum_and_close_to_it(seed, N, kind):
    rng = np.random.default_rng(seed)
    X, c = bad_points(rng, N, 2, kind), rng.standard_normal(N)
    found, exact = best_unit(X, c), exact_square_on_the_circle(X, c)
    assert Fraction(found.upper) ** 2 >= exact
    scale = float(np.abs(c) @ np.linalg.norm(X, axis=1))
    assert found.upper <= float(exact) ** 0.5 + 1e-12 * scale + 1e-250


@given(SEEDS, st.integers(1, 7), st.sampled_from([1, 3, 4, 9]), KINDS)
def test_in_any_dimension_no_unit_is_above_the_bound_in_exact_arithmetic(seed, N, n, kind):
    rng = np.random.default_rng(seed)
    X, c = bad_points(rng, N, n, kind), rng.standard_normal(N)
    found = best_unit(X, c, cones=2000)
    W = np.concatenate([X, -X, new_unit.climb(X, c), found.rows])[:40]
    Xf, cf = fractions(X), fractions(c)
    for w in fractions(W[W.any(axis=1)]):
        value = features(Xf, w[None])[:, 0] @ cf
        assert value**2 <= Fraction(found.upper) ** 2 * (w @ w)


@given(SEEDS, st.integers(1, 4), st.integers(-300, 300), st.integers(-300, 300))
def test_the_best_unit_is_equivariant_bit_for_bit(seed, n, i, j):
    rng = np.random.default_rng(seed)
    X, c = rng.standard_normal((5, n)), rng.standard_normal(5)
    plain, found = best_unit(X, c), best_unit(np.ldexp(X, i), np.ldexp(c, j))
    assert found.upper == np.ldexp(plain.upper, i + j)
    assert np.array_equal(found.rows, plain.rows)
    assert np.array_equal(found.values, np.ldexp(plain.values, i + j))


# --- e(inf) ------------------------------------------------------------------------------------------------------


@MANY
@given(bad_samples(max_n=1), st.sampled_from([1e-12, 1e-6, 0.01, 0.3]))
def test_in_one_dimension_the_limit_encloses_the_exact_lasso_on_two_features(sample, share):
    kappa = share * typical(sample) + 1e-30
    found = limit(sample, kappa)
    Z = features(fractions(sample.X), fractions([[1.0], [-1.0]]))
    exact = exact_minimum(Z, sample.Y[:, 0], sample.weights, kappa)
    assert Fraction(found.lower) <= exact <= Fraction(found.upper)
    if share > 1e-9:  # a penalty next to rounding leaves a gap, said honestly
        assert found.upper - found.lower <= 1e-7 * sample.energy + 1e-290


@given(bad_samples(), st.sampled_from([0.0, 1e-9, 1e-3, 0.3]), SEEDS)
def test_no_net_is_below_the_limit_and_its_own_net_is_not_above(sample, share, seed):
    kappa = share * typical(sample)
    found = limit(sample, kappa, cones=500, steps=10)
    if kappa > 0:
        assert exact_risk(sample, found.units, found.weights, kappa) <= Fraction(found.upper)
    assert found.lower <= found.upper
    rng = np.random.default_rng(seed)
    W = inside(np.concatenate([sample.X, -sample.X, rng.standard_normal((4, sample.n_in))]))
    p = normalised(sample, kappa)
    Z = np.maximum(p.X @ W.T, 0)
    b = np.linalg.lstsq(Z * np.sqrt(p.w)[:, None], p.y * np.sqrt(p.w), rcond=1e-12)[0]
    for weights in (b, b * rng.uniform(0, 1, len(b))):
        at = np.ldexp(weights, p.level - p.size)
        assert exact_risk(sample, W, at, kappa) >= Fraction(found.lower)
        assert exact_risk(sample, W, at, kappa) <= Fraction(p.upper(risk_above(p, W, weights)))
    net = finite(sample, 1, kappa, rng=rng, starts=1, bound=found)
    assert len(net.units) <= 1
    if kappa > 0:
        assert exact_risk(sample, net.units, net.weights, kappa) <= Fraction(net.upper)
        assert smoothness_bound(sample, kappa) <= net.upper


def test_two_points_on_one_ray_up_to_rounding():
    sample = Sample([[1.0, 0.0], [1.0, 1e-25]], [[1.0], [1.0]])
    found = limit(sample, 0.1)
    assert found.lower <= 0.0975 <= found.upper <= 0.0975 * (1 + 1e-8)
    assert finite(sample, 1, 0.1, rng=0).upper <= 0.0975 * (1 + 1e-8)


@instances(15)
@given(SEEDS, st.integers(1, 3), st.integers(-300, 300), st.integers(-250, 250), st.sampled_from([0.0, 0.03]))
def test_every_bound_of_the_oracle_is_equivariant_bit_for_bit(seed, n, i, j, kappa):
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((5, n)), rng.standard_normal((5, 1))
    plain, other = Sample(X, Y), Sample(np.ldexp(X, i), np.ldexp(Y, j))
    scaled = float(np.ldexp(kappa, i + j))
    assert smoothness_bound(other, scaled) == np.ldexp(smoothness_bound(plain, kappa), 2 * j)
    pairs = [(limit(plain, kappa), limit(other, scaled))]
    pairs += zip(curve(plain, [0, 1, 2], kappa, rng=0, starts=1), curve(other, [0, 1, 2], scaled, rng=0, starts=1))
    for found, moved in pairs:
        assert moved.upper == np.ldexp(found.upper, 2 * j)
        assert moved.lower == np.ldexp(found.lower, 2 * j)
        assert np.array_equal(moved.units, found.units)
        assert np.array_equal(moved.weights, np.ldexp(found.weights, j - i))
        assert moved.method == found.method


EXPONENTS = st.integers(-1074, 1023)


@example(0, 1, -999, 0, None, 1000)  # the sample is of size one, its features are not
@given(SEEDS, st.integers(1, 3), EXPONENTS, EXPONENTS, st.one_of(st.none(), EXPONENTS), st.sampled_from([0, 100, 1000]))
def test_any_finite_sample_gives_bounds_or_one_sentence(seed, n, i, j, k, span):
    rng = np.random.default_rng(seed)
    clip = lambda e: np.clip(e, -1074, 1023)  # noqa: E731
    X = np.ldexp(rng.uniform(-1, 1, (3, n)), clip(i - rng.integers(0, span + 1, (3, n))))
    Y = np.ldexp(rng.uniform(-1, 1, (3, 1)), clip(j - rng.integers(0, span + 1, (3, 1))))
    sample = Sample(X, Y, np.ldexp(rng.uniform(0.1, 1, 3), -rng.integers(0, span + 1, 3)))
    kappa = 0.0 if k is None else float(np.ldexp(rng.uniform(0.5, 1), k))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = limit(sample, kappa, steps=4, cones=100)
            net = finite(sample, 1, kappa, rng=0, starts=1, bound=found)
            smooth = smoothness_bound(sample, kappa)
        except ValueError as error:
            found, message = None, str(error)
    if found is None:
        assert any(name in message for name in ("sample", "kappa"))
        assert "\n" not in message
        return
    zero = exact_risk(sample, np.zeros((0, n)), np.zeros(0), kappa)
    assert Fraction(found.lower) <= Fraction(found.upper)
    assert max(Fraction(found.lower), Fraction(smooth)) <= zero
    if kappa > 0:
        for bound in (found, net):
            reached = exact_risk(sample, bound.units, bound.weights, kappa)
            assert Fraction(found.lower) <= reached <= Fraction(bound.upper)


# --- what is undecided -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_a_coefficient_that_is_no_number_has_no_bound(n):
    X = np.random.default_rng(0).standard_normal((4, n))
    for bad in (np.nan, np.inf):
        assert best_unit(X, np.array([1.0, bad, -1.0, 2.0])).upper == np.inf


def test_a_cone_without_a_bound_is_not_closed(monkeypatch):
    rng = np.random.default_rng(1)
    X, c = rng.standard_normal((5, 3)), rng.standard_normal(5)
    honest = best_unit(X, c).upper
    monkeypatch.setattr(new_unit, "_slopes", lambda X, c, V, convex, mu, bent: mu * np.nan)
    assert best_unit(X, c, cones=100).upper >= honest
    monkeypatch.setattr(new_unit, "_relaxed", lambda X, c: np.nan)
    assert best_unit(X, c, cones=100).upper == np.inf


def test_a_search_without_a_bound_leaves_the_lower_bound_at_zero(monkeypatch):
    sample = Sample([[1.0, 0.0], [0.0, 1.0]], [[1.0], [1.0]])
    honest = new_unit.best_unit

    def undecided(X, c, **options):
        found = honest(X, c, **options)
        return new_unit.BestUnit(np.nan, found.rows, found.values)

    monkeypatch.setattr(new_unit, "best_unit", undecided)
    found = limit(sample, 0.1, steps=5)
    assert found.lower == 0.0
    assert found.upper >= 0.136


def test_a_risk_that_is_undecided_is_refused():
    p = normalised(Sample([[1.0]], [[1.0]]), 0.1)
    assert risk_above(p, np.array([[np.nan]]), np.ones(1)) == np.inf
    assert p.lower(np.nan) == 0.0
    with pytest.raises(ValueError, match="sample must keep the risk within float64"):
        p.upper(np.nan)


def test_kappa_next_to_nothing_is_refused_by_name():
    with pytest.raises(ValueError, match="kappa must be 0, or not below"):
        limit(Sample([[1e150]], [[1e100]]), 1e-100)


def test_weights_beyond_the_floats_are_refused_by_name():
    with pytest.raises(ValueError, match="sample must not have inputs so small next to Y"):
        limit(Sample([[1e-300]], [[1e100]]), 0.0)
