"""The kernel of section 2.3.2 against exact rational arithmetic, quadrature and ball arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances
from scipy.integrate import quad

from theory.numerics.rounding import gamma
from theory.relu_kernel import sampling
from theory.relu_kernel.bounds import (
    kernel,
    kernel_enclosure,
    printed_bounds,
    sharp_bounds,
    symmetric_bounds,
)
from theory.relu_kernel.gaussian import arc_cosine
from theory.relu_kernel.measures import Gaussian, second_moment_norm
from theory.relu_kernel.pairs import pair
from theory.relu_kernel.proof import proof_terms
from theory.relu_kernel.sampling import monte_carlo
from theory.risk import Sample


def rounding(measure):
    """What all roundings together may cost: some hundreds of units of E|X|^2, and a few for every atom and input."""
    if isinstance(measure, Gaussian):
        return gamma(64 * measure.n_in + 512) * float(np.trace(measure.second_moment)) + 1e-300
    energy = float(measure.weights @ np.sum(measure.X**2, axis=1))
    return gamma(64 * measure.n_in + 4 * len(measure) + 512) * energy + 1e-300


numbers = st.one_of(
    st.integers(-3, 3).map(float),
    st.floats(-10, 10, allow_subnormal=False),
    st.floats(-1e40, 1e40, allow_subnormal=False),
    st.sampled_from([1e-160, -1e-8, 1e40]),
)


def measure(X, weights=None):
    return Sample(X, np.zeros((len(X), 1)), weights)


@st.composite
def samples(draw, *, max_n=4):
    """Weighted atoms: a single one, zeros and heavy tails included."""
    n, N = draw(st.integers(1, max_n)), draw(st.integers(1, 6))
    X = draw(st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=N, max_size=N))
    weights = draw(st.lists(st.sampled_from([1.0, 0.0, 1e-9, 3.0, 1e9]), min_size=N, max_size=N))
    return measure(np.array(X), np.array(weights) if any(weights) else None)


@st.composite
def vectors(draw, n, *, zero=True):
    w = np.array(draw(st.lists(numbers, min_size=n, max_size=n)))
    return w if zero or w.any() else np.ones(n)


def exact_kernel(w1, w2, sample):
    """[w1, w2]_Z in fractions, the floats taken as they are."""
    total = Fraction(0)
    for x, weight in zip(sample.X.tolist(), sample.weights.tolist()):
        f, g = (sum(Fraction(a) * Fraction(b) for a, b in zip(x, w.tolist())) for w in (w1, w2))
        total += Fraction(weight) * max(f, 0) * max(g, 0)
    return total


@instances(300)
@given(st.data())
def test_every_enclosure_and_bound_holds_in_exact_arithmetic(data):
    sample = data.draw(samples())
    w1, w2 = data.draw(vectors(sample.n_in)), data.draw(vectors(sample.n_in))
    if data.draw(st.booleans()):
        w2 = data.draw(st.sampled_from([1.0, 2.0, -1.0, -3.0, 1 + 1e-9])) * w1
    exact = exact_kernel(w1, w2, sample)
    k = kernel_enclosure(w1, w2, sample)
    assert Fraction(float(k.lower)) <= exact <= Fraction(float(k.upper))
    if w1.any() and w2.any():
        for bounds in (printed_bounds(w1, w2, sample), sharp_bounds(w1, w2, sample)):
            assert Fraction(float(bounds.lower)) <= exact <= Fraction(float(bounds.upper))
        sharp = sharp_bounds(w1, w2, sample)
        assert all(Fraction(float(low)) <= exact for low in (sharp.half_space, sharp.direction, sharp.norm))


@instances(100)
@given(st.data())
def test_a_symmetric_law_is_within_its_own_bounds(data):
    sample = data.draw(samples())
    both = measure(np.concatenate([sample.X, -sample.X]), np.tile(sample.weights, 2))
    w1, w2 = (data.draw(vectors(sample.n_in, zero=False)) for _ in range(2))
    exact, bounds = exact_kernel(w1, w2, both), symmetric_bounds(w1, w2, both)
    assert Fraction(float(bounds.lower)) <= exact <= Fraction(float(bounds.upper))


def test_the_symmetric_bounds_are_attained():
    w1, w2 = np.array([0.8, -0.6]), np.array([0.8, 0.6])
    across = measure(np.array([[0.0, 1.0], [0.0, -1.0]]))
    along = measure(np.array([[1.0, 0.0], [-1.0, 0.0]]))
    assert kernel(w1, w2, across) == pytest.approx(symmetric_bounds(w1, w2, across).upper, abs=1e-12)
    assert kernel(w1, w2, along) == pytest.approx(symmetric_bounds(w1, w2, along).value, abs=1e-12)


@instances(60)
@given(st.lists(st.lists(st.integers(-50, 50), min_size=3, max_size=3), min_size=1, max_size=6))
def test_the_norm_of_the_second_moment_is_enclosed(rows):
    """t is at least the largest eigenvalue of an integer matrix iff t I - M is positive semidefinite."""
    import sympy

    X = np.array(rows, dtype=float)
    sigma = second_moment_norm(measure(X, np.ones(len(X))))
    M = sympy.Matrix(X.astype(int).tolist()).T * sympy.Matrix(X.astype(int).tolist())
    # weights are floats 1/N: sigma belongs to a measure of mass N fl(1/N), within 2^-53 of 1
    low, high = (sympy.Rational(Fraction(float(v)) * len(X)) for v in (sigma.lower, sigma.upper))
    mass = 1 + sympy.Rational(1, 2**50)
    assert (high * mass * sympy.eye(3) - M).is_positive_semidefinite
    assert low == 0 or not (low / mass * sympy.eye(3) - M).is_positive_definite
    assert sigma.upper - sigma.lower <= 1e-11 * (X**2).sum() + 1e-290


@instances(150)
@given(st.data())
def test_equation_17_holds_and_the_wedges_tile_the_half_space(data):
    sample = data.draw(samples())
    w1, w2 = (data.draw(vectors(sample.n_in, zero=False)) for _ in range(2))
    t, g = proof_terms(w1, w2, sample), pair(w1, w2)
    assert abs(t.kernel - (g.r**2 * t.bisector_norm - t.E1 - t.E2)) <= 4 * t.rounding
    assert 0 <= t.E1 <= min(t.e1_repaired) + t.rounding
    assert 0 <= t.E2 <= t.e2_printed[0] + t.rounding <= t.e2_printed[1] + 3 * t.rounding
    assert abs(t.E2 - g.s**2 * t.across_A) <= t.rounding


def test_the_printed_bounds_of_E1_fail_beyond_two_thirds_and_three_quarters_of_pi():
    def terms(degrees, x):
        half = np.radians(degrees) / 2
        w1, w2 = np.array([np.cos(half), -np.sin(half)]), np.array([np.cos(half), np.sin(half)])
        return proof_terms(w1, w2, measure(np.array(x, dtype=float)))

    wide = terms(150, [[1, 0.3]])
    assert wide.E1 == pytest.approx(0.0670, abs=1e-4)
    assert wide.e1_printed[0] == pytest.approx(0.0183, abs=1e-4)
    twin = terms(150, [[1, 1], [1, -1]])
    assert twin.E1 > 1.9 * twin.e1_printed[1]
    r, sine = np.cos(np.radians(75)), np.sin(np.radians(150))
    assert twin.e1_printed[1] == pytest.approx(2 * r**2 * sine**2 * twin.sigma, rel=1e-12)
    assert pair([1, 0], [0, 1]).r == pytest.approx(np.sqrt(0.5))
    assert pair([1, 0], [0, 1]).r_printed == pytest.approx(0.5)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_equal_and_opposite_directions_are_ordinary(n):
    rng = np.random.default_rng(n)
    sample = measure(rng.standard_normal((7, n)))
    w = rng.standard_normal(n)
    same, opposite = pair(w, 3 * w), pair(w, -0.1 * w)
    assert (same.alpha, same.r, same.s) == (0, pytest.approx(1), 0)
    assert (opposite.alpha, opposite.r, opposite.s) == (np.pi, 0, pytest.approx(1))
    assert not opposite.bisector.any()
    assert not same.normal.any()
    for m in (sample, Gaussian(np.eye(n)), Gaussian(np.zeros((n, n)))):
        tight = sharp_bounds(w, 3 * w, m)
        assert tight.upper - tight.lower <= 10 * 3 * (w @ w) * rounding(m)
        nil = sharp_bounds(w, -0.1 * w, m)
        assert nil.lower == 0 <= nil.upper <= 10 * (w @ w) * rounding(m)
        assert kernel(w, -0.1 * w, m) == pytest.approx(0, abs=1e-30)
    t = proof_terms(w, -w, sample)
    assert t.E1 == 0
    assert t.E2 <= t.rounding
    assert proof_terms(w, w, sample).E1 == proof_terms(w, w, sample).E2 == 0


def test_angles_are_accurate_when_tiny_and_near_pi():
    a = np.geomspace(1e-13, 1, 40)
    u = np.array([1.0, 0.0])
    v = np.stack([np.cos(a), np.sin(a)], axis=1)
    np.testing.assert_allclose(pair(u, v).alpha, a, rtol=1e-12)
    np.testing.assert_allclose(np.pi - pair(u, -v).alpha, a, atol=1e-15)
    np.testing.assert_allclose(2 * pair(u, -v).r, 2 * np.sin(a / 2), rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.01, 1.0, 2.0, 3.0])
def test_the_terms_of_the_printed_and_the_sharp_bounds_are_their_formulas(alpha):
    c, s, S = np.cos(alpha / 2), np.sin(alpha / 2), np.array([[2.0, 0.5], [0.5, 5.0]])
    largest = np.linalg.eigvalsh(S)[-1]
    w1, w2 = np.array([c, -s]), 3 * np.array([c, s])  # bisector (1, 0), normal (0, 1)
    gaussian = Gaussian(S)
    main = c**2 * S[0, 0] / 2
    printed, sharp = printed_bounds(w1, w2, gaussian), sharp_bounds(w1, w2, gaussian)
    error = 2 * largest * ((1 - np.cos(alpha)) / 2 + np.sin(alpha) ** 2)
    close = {"rel": 1e-12, "abs": 4 * 3 * rounding(gaussian)}
    assert printed.main == pytest.approx(3 * main, **close)
    assert printed.error == pytest.approx(3 * error, **close)
    assert printed.lower == pytest.approx(3 * (main - error), **close)
    assert printed.upper == sharp.upper == pytest.approx(3 * main, **close)
    assert sharp.half_space == pytest.approx(3 * (main - s**2 * S[1, 1] / 2), **close)
    assert sharp.direction == pytest.approx(3 * (main - s**2 * S[1, 1]), **close)
    assert sharp.norm == pytest.approx(3 * (main - s**2 * largest), **close)
    assert printed.alpha == sharp.alpha == pytest.approx(alpha, rel=1e-14)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 2.0, 3.0])
def test_the_repaired_bounds_of_E1_are_attained_at_the_wall_of_A(alpha):
    """An atom in B, 1e-9 beyond the wall <x, w1> = 0 of A: there <x, p> = |<x, d>|."""
    w1, w2 = (np.array([np.cos(alpha / 2), k * np.sin(alpha / 2)]) for k in (-1, 1))
    x = np.array([np.sin(alpha / 2), np.cos(alpha / 2)]) - 1e-9 * w1
    terms = proof_terms(w1, w2, measure(2 * x[None]))
    assert terms.E1 > 0
    for attained in terms.e1_repaired:
        assert terms.E1 <= attained + terms.rounding
        assert terms.E1 == pytest.approx(attained, rel=1e-6)


def test_a_zero_vector_has_a_kernel_but_no_angle():
    sample = measure(np.ones((2, 2)))
    assert kernel([0, 0], [1, 0], sample) == arc_cosine([0, 0], [1, 0], np.eye(2)) == 0
    k = kernel_enclosure([0, 0], [1, 0], sample)
    assert k.lower == 0 <= k.upper <= 1e-299
    for function in BOUNDS[2:]:
        with pytest.raises(ValueError, match="w1 must be nonzero"):
            function([0, 0], [1, 0], sample)


def polar(phi):
    """The kernel of N(0, I_2) at the angle phi by quadrature: E rho^2 = 2 times the mean over the circle."""

    def integrand(t):
        return max(np.cos(t), 0) * max(np.cos(t - phi), 0)

    kinks = sorted({np.pi / 2, *(k for k in (phi - np.pi / 2, phi + np.pi / 2) if -np.pi < k < np.pi)})
    return 2 / (2 * np.pi) * quad(integrand, -np.pi, np.pi, points=[-np.pi / 2, *kinks], epsabs=1e-13)[0]


@pytest.mark.parametrize("phi", [0.0, 1e-3, 0.5, np.pi / 2, 2.0, 3.0, np.pi])
def test_the_arc_cosine_form_agrees_with_quadrature(phi):
    w1, w2 = np.array([1.0, 0.0]), np.array([np.cos(phi), np.sin(phi)])
    assert arc_cosine(w1, w2, np.eye(2)) == pytest.approx(polar(phi), abs=1e-11)
    F = np.array([[2.0, 0.3], [0.0, 0.7]])  # Sigma = F F^T sees w as F^T w
    assert arc_cosine(np.linalg.solve(F.T, w1), np.linalg.solve(F.T, w2), F @ F.T) == pytest.approx(
        polar(phi), abs=1e-11
    )


def test_the_gaussian_error_is_alpha_cubed_over_six_pi():
    for alpha in (1e-8, 1e-4, 0.1):
        w1, w2 = [np.cos(alpha / 2), -np.sin(alpha / 2)], [np.cos(alpha / 2), np.sin(alpha / 2)]
        error = (alpha**3 / 6 - alpha**5 / 60 + alpha**7 / 1680) / np.pi
        assert arc_cosine(w1, w2, np.eye(2)) == pytest.approx(np.dot(w1, w2) / 2 + error, rel=1e-15)


@instances(80)
@given(st.data())
def test_the_gaussian_kernel_is_enclosed_in_balls_also_when_sigma_is_singular(data):
    n = data.draw(st.integers(1, 4))
    F = np.array(data.draw(st.lists(st.integers(-4, 4), min_size=n * n, max_size=n * n)), dtype=float).reshape(n, n)
    F[:, data.draw(st.integers(0, n)) :] = 0
    gaussian = Gaussian(F @ F.T)
    w1, w2 = (np.array(data.draw(st.lists(st.integers(-9, 9), min_size=n, max_size=n)), dtype=float) for _ in "12")
    k = kernel_enclosure(w1, w2, gaussian)
    scale = np.trace(gaussian.second_moment) * np.linalg.norm(w1) * np.linalg.norm(w2)
    assert k.upper - k.lower <= 1e-15 * scale + 1e-300
    assert k.lower - gamma(200) * scale <= k.value <= k.upper + gamma(200) * scale
    if w1.any() and w2.any():
        for bounds in (printed_bounds(w1, w2, gaussian), sharp_bounds(w1, w2, gaussian)):
            assert bounds.lower <= k.upper
            assert k.lower <= bounds.upper
        symmetric = symmetric_bounds(w1, w2, gaussian)
        assert symmetric.lower <= k.upper
        assert k.lower <= symmetric.upper


def test_a_direction_that_a_singular_sigma_does_not_see_has_kernel_zero():
    assert arc_cosine([0, 1], [1, 1], np.diag([1.0, 0.0])) == 0
    u = np.array([0.6, 0.8])
    assert arc_cosine([-0.8, 0.6], [1, 1], np.outer(u, u)) == 0
    assert arc_cosine([0, 1], [0, 1], np.diag([1.0, 1e-20])) == pytest.approx(0.5e-20)
    # two close directions may be opposite to Sigma: the linearisation error is then the worst possible
    w1, w2 = np.array([1.0, -1e-6]), np.array([1.0, 1e-6])
    assert arc_cosine(w1, w2, np.diag([0.0, 1.0])) == 0
    assert symmetric_bounds(w1, w2, Gaussian(np.diag([0.0, 1.0]))).value == pytest.approx(-0.5e-12)


@instances(60)
@given(st.data())
def test_the_kernel_is_symmetric_homogeneous_and_positive_semidefinite(data):
    sample = measure(
        np.array(data.draw(st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=1, max_size=6)))
    )
    W = np.array(data.draw(st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=2, max_size=5)))
    for m in (sample, Gaussian(sample.second_moment)):
        G = kernel(W[:, None], W[None], m)
        slack = 1e-12 * (1 + np.trace(sample.second_moment) * (W**2).sum())
        np.testing.assert_allclose(G, G.T, atol=slack)
        assert np.linalg.eigvalsh((G + G.T) / 2)[0] >= -slack
        np.testing.assert_allclose(kernel(3 * W[0], 2 * W[1], m), 6 * G[0, 1], atol=6 * slack)
        assert kernel(W[0], W[1], m) == pytest.approx(G[0, 1], abs=slack)


def test_batches_agree_with_single_pairs_and_inputs_stay_as_they_are():
    rng = np.random.default_rng(5)
    sample, w1, w2 = measure(rng.standard_normal((9, 3))), rng.standard_normal((4, 1, 3)), rng.standard_normal((5, 3))
    before = w1.copy(), w2.copy()
    many, terms = sharp_bounds(w1, w2, sample), proof_terms(w1, w2, sample)
    assert many.lower.shape == terms.E1.shape == kernel(w1, w2, sample).shape == (4, 5)
    for i in range(4):
        for j in range(5):
            one = sharp_bounds(w1[i, 0], w2[j], sample)
            assert one.lower == pytest.approx(many.lower[i, j], abs=1e-12)
            assert proof_terms(w1[i, 0], w2[j], sample).E2 == pytest.approx(terms.E2[i, j], abs=1e-12)
    assert np.array_equal(before[0], w1)
    assert np.array_equal(before[1], w2)
    assert kernel(np.zeros((0, 3)), w2[0], sample).shape == (0,)
    assert kernel_enclosure(np.zeros((0, 3)), w2[0], Gaussian(np.eye(3))).lower.shape == (0,)


def test_a_gaussian_has_the_bounds_of_its_large_samples():
    rng = np.random.default_rng(11)
    F = rng.standard_normal((3, 3))
    gaussian = Gaussian(F @ F.T)
    sample = measure(gaussian.draw(rng, 200_000))
    w1, w2 = rng.standard_normal((2, 3))
    for field in ("lower", "upper", "half_space", "direction", "norm"):
        a, b = (getattr(sharp_bounds(w1, w2, m), field) for m in (gaussian, sample))
        assert a == pytest.approx(
            b, abs=0.05 * second_moment_norm(gaussian).value * np.linalg.norm(w1) * np.linalg.norm(w2)
        )


def test_monte_carlo_covers_the_closed_form_and_is_reproducible():
    gaussian = Gaussian(np.array([[2.0, 0.5], [0.5, 1.0]]))
    exact = arc_cosine([1, 0], [0, 1], gaussian.second_moment)
    first, again = (monte_carlo([1, 0], [0, 1], gaussian.draw, draws=20_000, confidence=1 - 1e-6, rng=3) for _ in "12")
    assert first == again
    assert first.ci_low < exact < first.ci_high
    assert not first.finite_sample
    assert 0 < first.largest_share < 0.1


def test_at_99_percent_about_one_interval_in_a_hundred_misses():
    gaussian, exact = Gaussian(np.eye(2)), arc_cosine([1, 0], [0.6, 0.8], np.eye(2))
    rng = np.random.default_rng(17)
    runs = [monte_carlo([1, 0], [0.6, 0.8], gaussian.draw, draws=2_000, rng=rng) for _ in range(400)]
    misses = sum(not run.ci_low <= exact <= run.ci_high for run in runs)
    assert 0 < misses < 20


def test_chunks_merge_to_the_same_mean_and_variance(monkeypatch):
    atoms = np.random.default_rng(0).standard_normal((1_000, 2)) ** 3

    def sampler():
        taken = iter(np.split(atoms, np.arange(1, 1000)))
        return lambda generator, size: np.concatenate([next(taken) for _ in range(size)])

    whole = monte_carlo([1, 0], [1, 1], sampler(), draws=1000)
    monkeypatch.setattr(sampling, "SLAB", 14)
    parts = monte_carlo([1, 0], [1, 1], sampler(), draws=1000)
    z = np.maximum(atoms @ [1, 0], 0) * np.maximum(atoms @ [1, 1], 0)
    for run in (whole, parts):
        assert run.estimate == pytest.approx(z.mean(), rel=1e-12)
        assert run.standard_error == pytest.approx(z.std(ddof=1) / np.sqrt(1000), rel=1e-12)
        assert run.largest_share == pytest.approx(z.max() / z.sum(), rel=1e-12)


def test_a_bounded_sampler_gets_a_finite_sample_interval_of_the_published_width():
    def coin(generator, size):
        return generator.integers(0, 2, (size, 1)).astype(float)

    run = monte_carlo([1.0], [1.0], coin, draws=500, confidence=0.9, radius=1.0, rng=0)
    p, n, log = run.estimate, 500, np.log(4 / 0.1)
    width = np.sqrt(2 * p * (1 - p) * n / (n - 1) * log / n) + 7 * log / (3 * (n - 1))
    assert run.finite_sample
    assert run.ci_high - p == pytest.approx(width, rel=1e-12)
    assert run.ci_low <= 0.5 <= run.ci_high
    with pytest.raises(ValueError, match="within radius"):
        monte_carlo([1.0], [1.0], coin, draws=500, radius=0.5, rng=0)


BOUNDS = (kernel, kernel_enclosure, printed_bounds, sharp_bounds, symmetric_bounds, proof_terms)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: kernel([1, 2, 3], [1, 2], s), "w1 must have shape"),
        (lambda s: kernel([1, np.nan], [1, 2], s), "w1 must be finite"),
        (lambda s: kernel(1.0, [1, 2], s), "w1 must have shape"),
        (lambda s: kernel(np.ones((2, 2)), np.ones((3, 2)), s), "broadcast"),
        (lambda s: kernel([1, 2], [1, 2], np.eye(2)), "Sample"),
        (lambda s: sharp_bounds([1, 2], [1, 2], np.eye(2)), "measure must be"),
        (lambda s: proof_terms([1, 2], [1, 2], Gaussian(np.eye(2))), "sample must be"),
        (lambda s: arc_cosine([1, 2], [1, 2], [[1, 2], [0, 1]]), "symmetric"),
        (lambda s: arc_cosine([1, 2], [1, 2], [[1, 2], [2, 1]]), "semidefinite"),
        (lambda s: arc_cosine([1, 2], [1, 2], np.ones((2, 3))), "square"),
        (lambda s: Gaussian(np.zeros((0, 0))), "square"),
        (lambda s: arc_cosine([1], [1, 2], np.eye(2)), "w1 must have shape"),
        (lambda s: pair([1, 2], [1, 2, 3]), "broadcast"),
        (lambda s: pair([1], [1, 2, 3]), "as many entries"),
        *((lambda s, f=f: f([1, 0], [0, 1], measure(np.full((2, 2), 1e200))), "too large") for f in BOUNDS),
        (lambda s: kernel([1e200, 0], [1e200, 0], s), "too large"),
        (lambda s: arc_cosine([1e200, 0], [1e200, 0], np.eye(2)), "too large"),
        (lambda s: monte_carlo([1, 2], [1, 2], lambda g, k: np.ones((k, 3))), "sampler must return"),
        (lambda s: monte_carlo([1, 2], [1, 2], lambda g, k: np.full((k, 2), np.inf)), "must be finite"),
        (lambda s: monte_carlo([1, 2], [1, 2], lambda g, k: np.full((k, 2), 1e200)), "too large"),
        (lambda s: monte_carlo([1, 2], [1, 2], lambda g, k: np.ones((k, 2)), draws=1), "draws must be"),
        (lambda s: monte_carlo([1, 2], [1, 2], lambda g, k: np.ones((k, 2)), confidence=1), "confidence"),
        (lambda s: monte_carlo([1, 2], [1, 2], lambda g, k: np.ones((k, 2)), confidence=0), "confidence"),
        (lambda s: monte_carlo([1, 2], [1, 2], lambda g, k: np.ones((k, 2)), radius=-1), "radius"),
        (lambda s: monte_carlo([1, 2], [1, 2], lambda g, k: np.ones((k, 2)), radius=1e200), "too large"),
        (lambda s: monte_carlo([1, 2], [1, 2], lambda g, k: np.full((k, 2), 1e200), radius=1.0), "within radius"),
        (lambda s: monte_carlo([[1, 2]], [1, 2], lambda g, k: np.ones((k, 2))), r"shape \(n,\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(measure(np.ones((2, 2))))


@pytest.mark.parametrize("size", [1e-322, 1e-320, 1e-310, 1e-300, 1e20])
def test_enclosures_hold_for_vectors_of_subnormal_length(size):
    rng = np.random.default_rng(0)
    for _ in range(20):
        X, w1, w2 = 1e140 * rng.random((3, 2)), size * (1 + rng.random(2)), 1 + rng.random(2)
        sample = Sample(X, np.zeros((3, 1)))
        forms = [[sum(Fraction(a) * Fraction(b) for a, b in zip(w, x)) for x in X.tolist()] for w in (w1, w2)]
        true = sum(Fraction(p) * f * g for p, f, g in zip(sample.weights.tolist(), *forms))  # all forms are positive
        found, sharp = kernel_enclosure(w1, w2, sample), sharp_bounds(w1, w2, sample)
        assert Fraction(float(found.lower)) <= true <= Fraction(float(found.upper))
        assert Fraction(float(sharp.lower)) <= true <= Fraction(float(sharp.upper))


def test_a_gaussian_kernel_near_the_largest_float_is_finite():
    found = kernel_enclosure([1.0, 0.0], [1.0, 0.0], Gaussian(1e308 * np.eye(2)))
    assert found.lower <= found.value * (1 + 1e-12)
    assert found.value <= found.upper * (1 + 1e-12) < np.inf
