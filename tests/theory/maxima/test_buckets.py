"""Buckets: no bound is below the risk in rational arithmetic, planted faults are caught, and windows end where exact pieces do."""

import importlib.util
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from exact_oracle import maximum as exact_maximum
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nightly import instances
from test_maxima import KINDS, one_hidden_layer

from theory.maxima import (
    Method,
    Status,
    buckets,
    path_maximum,
    quartic,
    segment_maxima,
    segment_maximum,
    switches,
    windows,
)
from theory.maxima import segments as segments_module
from theory.networks import Network
from theory.numerics import TINY, gamma
from theory.paths import Path as Polyline
from theory.risk import Risk, Sample

SOURCE = Path(__file__).parents[3] / "benchmarks" / "buckets.py"
spec = importlib.util.spec_from_file_location("bucket_soundness", SOURCE)
soundness = importlib.util.module_from_spec(spec)
spec.loader.exec_module(soundness)


def problem(seed, samples=300, width=80, outputs=1, **options):
    """A risk of more pairs than SMALL, and two random nets."""
    rng = np.random.default_rng(seed)
    net = Network((4, width, outputs), bias=bool(seed % 2))
    X = rng.standard_normal((samples, 4))
    risk = Risk(net, Sample(X, np.sin(X[:, :outputs]), rng.random(samples) + 0.1), **options)
    a, b = rng.standard_normal((2, net.size))
    a[net.slices[1]] /= np.sqrt(width)
    b[net.slices[1]] /= np.sqrt(width)
    return risk, a, b


@settings(max_examples=300)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(soundness.KINDS))
def test_no_bound_of_a_bucket_is_below_the_risk(seed, kind):
    assert min(soundness.margins(np.random.default_rng(seed), kind), default=0) >= 0


@pytest.mark.parametrize("K", [2, 8])
def test_the_sum_over_many_outputs_is_rounded_up(K):
    net, Y = Network((1, 1, 8000)), np.full((1, 8000), 2.0**-27)
    Y[0, 0] = 1.0  # every other square is half a unit in the last place of what it is added to, and is lost
    risk, theta = Risk(net, Sample([[1.0]], Y)), np.zeros((1, net.size))
    size = theta + TINY
    found = buckets.bounds(risk, theta, theta, size, np.array([buckets.noise(risk, size[0])]), K)[0]
    assert min(map(Fraction, found.upper.tolist())) >= 1 + 7999 * Fraction(1, 2**54)


@pytest.mark.parametrize(("n", "m", "K"), [(1, 1, 2), (3, 40, 8), (2, 3000, 32), (900, 2, 8)])
def test_rounding_is_allowed_for_as_derived(n, m, K):
    """All units are off, the target is zero: of the bound nothing is left but E = eps^2, L = sum_j V_j A_j = m."""
    net = Network((n, m, 1))
    risk, theta = Risk(net, Sample(np.ones((1, n)), [[0.0]])), net.pack([np.full((m, n), -1 / n), np.ones((1, m))])
    size = np.abs(theta) + TINY
    noise = buckets.noise(risk, size)
    assert m**2 <= noise * (1 + 1e-12) <= m**2 * (1 + 1e-9)
    found = buckets.bounds(risk, theta[None], theta[None], size[None], np.array([noise]), K)[0]
    eps = (4 * gamma(n + 16) + 8 * gamma(4 * m + 2 * K + 48)) * m
    assert found.rounding == pytest.approx(np.full(K, eps**2), rel=1e-5, abs=0)
    assert found.upper == pytest.approx(found.rounding, rel=1e-9, abs=0)


@pytest.mark.parametrize("fault", soundness.FAULTS)
def test_a_planted_fault_is_caught(fault):
    rng = np.random.default_rng(0)
    with soundness.Planted(fault):
        assert any(min(soundness.margins(rng, soundness.KINDS[k % 6]), default=0) < 0 for k in range(600))


@instances(40)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(soundness.KINDS), fractions=st.booleans())
def test_of_a_batch_of_segments_no_bound_is_below_the_risk_and_no_value_above(seed, kind, fractions):
    assert min(soundness.batch_margins(np.random.default_rng(seed), kind, fractions)) >= 0


@pytest.mark.parametrize("fault", soundness.BATCH_FAULTS)
def test_a_planted_fault_in_batches_is_caught(fault):
    rng = np.random.default_rng(0)
    with soundness.BatchFault(fault):
        tried = (soundness.batch_margins(rng, soundness.KINDS[k % 6], k // 6 % 2) for k in range(200))
        assert any(min(margins) < 0 for margins in tried)


@given(
    seed=st.integers(0, 2**32),
    shape=st.tuples(*[st.integers(1, 3)] * 2, st.integers(1, 9), st.integers(1, 5)),
    K=st.sampled_from([1, 2, 8, 32]),
    whole=st.booleans(),
)
def test_numba_gives_the_same_bits(seed, shape, K, whole):
    pytest.importorskip("numba")
    (S, d, U, C), rng = shape, np.random.default_rng(seed)
    P, V = rng.standard_normal((2, S * C, U)), rng.standard_normal((2, S, d, U))
    P = np.round(P) if whole else P
    results = []
    for engine in (switches.NUMPY, switches.compiled()):
        p, q = P.copy()
        parts, error, count = np.zeros((d, 3, S * C, K)), np.zeros((d, S * C, K)), np.zeros(K, dtype=np.int64)
        for units in (slice(0, U // 2), slice(U // 2, U)):
            part = [np.ascontiguousarray(x[:, units]) for x in (p, q)]
            engine.add(*part, *(np.ascontiguousarray(v[..., units]) for v in V), parts, error, count)
            p[:, units], q[:, units] = part
        results.append([p, q, error, count, engine.sums(parts, error, S)])
    assert all(np.array_equal(x, y) for x, y in zip(*results))


def test_with_numba_a_maximum_has_the_same_bits(monkeypatch):
    pytest.importorskip("numba")
    risk, a, b = problem(1, outputs=2)
    found = segment_maximum(risk, a, b, gap=1e-6)
    monkeypatch.setattr(switches, "COMPILED", 0)
    assert segment_maximum(risk, a, b, gap=1e-6) == found


def test_without_numba_the_numpy_engine_is_taken(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(switches.importlib, "import_module", missing)
    switches.compiled.cache_clear()
    assert switches.engine(10**9) is switches.NUMPY
    switches.compiled.cache_clear()


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(KINDS), gap=st.sampled_from([None, 1e-1, 1e-4, 1e-8]))
def test_windows_end_above_the_true_maximum_and_within_the_gap(seed, kind, gap):
    risk, a, b = one_hidden_layer(seed, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "SMALL", 0)
        found = segment_maximum(risk, a, b, gap=gap)
    true = exact_maximum(risk, a, b)[1]
    assert Fraction(found.value) <= true <= Fraction(found.upper)
    assume(found.method is Method.QUARTIC)
    if gap is not None and found.status is Status.CONVERGED:
        assert found.upper <= found.value * (1 + gap) + 2e-9 * max(risk.scale, found.value)
    if kind in ("generic", "integers"):
        assert found.status is Status.CONVERGED
        assert found.upper - found.value <= (1e-8 if gap is None else gap + 1e-8) * max(1.0, found.value)


@pytest.mark.parametrize(
    "options", [{}, {"kappa": 0.01, "penalty": "ridge"}, {"kappa": 0.01, "penalty": "second_layer_l1"}, {"outputs": 3}]
)
def test_without_a_gap_the_bound_is_as_sharp_as_that_of_all_pieces_and_with_one_the_gap_is_met(options):
    for seed in range(2):
        risk, a, b = problem(seed, **options)
        pieces = quartic.maximum(risk, a, b)
        sharp = segment_maximum(risk, a, b)
        assert abs(sharp.upper - pieces.upper) <= 1e-9 * pieces.upper
        for gap in (1e-2, 1e-5):
            found = segment_maximum(risk, a, b, gap=gap)
            assert found.status is Status.CONVERGED
            assert sharp.value <= found.upper <= found.value * (1 + gap)


def test_blocks_change_nothing_but_the_rounding_and_threads_change_nothing(monkeypatch):
    risk, a, b = problem(3, outputs=2, kappa=0.01, penalty="ridge")
    starts, ends = np.stack([a, b, a]), np.stack([b, -a, 0.5 * b])
    size = np.abs(starts) + np.abs(ends) + TINY
    noises = np.array([buckets.noise(risk, row) for row in size])
    whole = buckets.bounds(risk, starts, ends, size, noises, 32)
    one, three = (segment_maxima(risk, starts, ends, gap=1e-6, jobs=jobs) for jobs in (1, 3))
    assert np.allclose(one.upper, three.upper, rtol=1e-12)  # a batch of points may round otherwise than one
    assert np.allclose(one.value, three.value, rtol=1e-12)
    assert one.status == three.status
    over_samples = segment_maxima(risk, a[None], b[None], gap=1e-6, jobs=2)
    alone = segment_maximum(risk, a, b, gap=1e-6)
    assert (over_samples.upper[0], over_samples.value[0]) == (alone.upper, alone.value)
    for name, number in (("PAIRS", 500), ("SAMPLES", 3), ("UNITS", 7)):
        monkeypatch.setattr(buckets, name, number)
    for one, other in zip(whole, buckets.bounds(risk, starts, ends, size, noises, 32)):
        assert np.allclose(one.upper, other.upper, rtol=1e-11)


def test_bounds_keep_the_units_of_the_user():
    risk, a, b = problem(2, kappa=0.01, penalty="ridge")
    found = segment_maximum(risk, a, b, gap=1e-4)
    faint = Risk(
        risk.network, Sample(risk.sample.X * 4, risk.sample.Y, risk.sample.weights), kappa=0.01, penalty="ridge"
    )
    V, scale = risk.network.slices[1], np.full(a.size, 1.0)
    scale[V] = 0.25
    plain, other = (Risk(r.network, r.sample) for r in (risk, faint))
    assert segment_maximum(plain, a, b, gap=1e-4) == segment_maximum(other, scale * a, scale * b, gap=1e-4)
    assert found.status is Status.CONVERGED


def test_a_path_is_refined_only_where_its_maximum_can_be(monkeypatch):
    risk, a, b = problem(4)
    path, asked = Polyline([0.1 * a, 0.1 * b, a, b, 3 * b]), []
    bounds = buckets.bounds
    monkeypatch.setattr(
        buckets, "bounds", lambda risk, start, *rest: asked.append(len(start)) or bounds(risk, start, *rest)
    )
    found = path_maximum(risk, path, gap=1e-4)
    monkeypatch.setattr(segments_module.windows, "SMALL", 10**9)
    sharp = path_maximum(risk, path)
    assert found.status is Status.CONVERGED
    assert sharp.value <= found.upper <= sharp.value * (1 + 1e-4)
    assert sum(asked) <= 6  # four pieces once, and what is left of one


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 10), st.data())
def test_windows_of_the_next_round_leave_no_number_out(one, other, power, data):
    lo, hi, K = min(one, other), max(one, other), 2**power
    i = data.draw(st.integers(0, K - 1))
    j = data.draw(st.integers(i + 1, K))
    left, right = windows._around(windows.Window(0, lo, hi, np.inf, 0, K), i, j)
    start, width = Fraction(lo), Fraction(hi) - Fraction(lo)
    first, last, hair = start + width * Fraction(i, K), start + width * Fraction(j, K), Fraction(1, 2**50)
    assert max(Fraction(lo), first - hair) <= left <= first
    assert last <= right <= min(Fraction(hi), last + hair)


@given(st.floats(0, 1e6), st.sampled_from([8, 64, 256, 1024]))
def test_buckets_are_as_many_as_the_next_power_of_two(number, most):
    K = windows._power(number, most)
    assert K == next((p for p in (8, 16, 32, 64, 128, 256, 512, 1024) if p >= number and p <= most), most)


@given(st.lists(st.booleans(), max_size=12))
def test_runs_are_what_is_kept_in_one_piece(keep):
    runs = windows._runs(np.array(keep, dtype=bool))
    assert [k for i, j in runs for k in range(i, j)] == np.flatnonzero(keep).tolist()
    assert all(
        i < j and not (keep[i - 1] if i else False) and not (keep[j] if j < len(keep) else False) for i, j in runs
    )


class Hilly:
    """What `windows` sees of a risk, of which all is known: hills f_s(t), buckets that are `bend` w^2 and `blur` too high."""

    def __init__(self, rng, count, units, bend, blur):
        self.sample, self.network = range(500), SimpleNamespace(widths=(1, units, 1), activation="relu")
        self.c, self.bend, self.blur = rng.uniform(0.5, 1.5, (count, 3)), bend, blur
        self.rounds, self.exact = [], []

    def at(self, s, t):
        a, b, c = np.moveaxis(self.c[s], -1, 0)
        return a + 0.3 * np.sin(9 * b * t) * c

    def batch(self, points):
        return self.at(np.round(points[:, 0]).astype(int), points[:, 1])

    def highest(self, s, lo, hi):
        turns = (np.arange(8) + 0.5) * np.pi / (9 * self.c[s, 1])
        t = np.array([lo, hi, *turns[(turns > lo) & (turns < hi)]])
        values = self.at(np.full(len(t), s), t)
        return float(values.max()), float(t[values.argmax()])

    def bounds(self, risk, a, b, size, noises, K, walk):
        found = []
        for (s, lo), (_, hi) in zip(a, b):
            w, s = (hi - lo) / K, round(s)
            tops = [self.highest(s, lo + k * w, lo + (k + 1) * w) for k in range(K)]
            self.rounds.append((s, lo, hi, K))
            upper = np.array([top for top, _ in tops]) + self.bend * w**2 + self.blur
            best = int(np.argmax(upper))
            node = min(max((tops[best][1] - lo) / (hi - lo), 0.0), 1.0) if hi > lo else 0.0
            full = np.full(K, self.bend * w**2)
            found.append(buckets.Bounds(upper, full, np.full(K, self.blur), node, np.full(K, 500 // K + 1)))
        return found

    def on_window(self, risk, start, end, lo, hi, switches):
        top, t = self.highest(round(start[0]), lo, hi)
        self.exact.append((round(start[0]), lo, hi))
        return quartic.PieceMaximum(t, top + 1e-12)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 3),
    units=st.sampled_from([20, 400]),
    bend=st.sampled_from([0.1, 3.0, 100.0]),
    blur=st.sampled_from([0.0, 1e-5, 1e-2]),
    gap=st.sampled_from([1e-2, 1e-4]),
    exactly=st.booleans(),
)
def test_windows_are_narrowed_to_the_maximum_and_what_stays_open_goes_to_the_exact_pieces(
    seed, count, units, bend, blur, gap, exactly
):
    hills = Hilly(np.random.default_rng(seed), count, units, bend, blur)
    starts = np.column_stack([np.arange(count), np.zeros(count)]).astype(float)
    ends = starts + [0.0, 1.0]
    first = np.maximum(hills.batch(starts), hills.batch(ends))
    goal = windows.Goal(0.0 if exactly else gap, scale=1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows.buckets, "bounds", hills.bounds)
        patch.setattr(windows.buckets, "noise", lambda risk, size: 1.0)
        patch.setattr(windows.quartic, "on_window", hills.on_window)
        value, t, upper = windows.maxima(hills, starts, ends, first, np.zeros(count), goal, exactly=exactly)
    for s in range(count):
        true = hills.highest(s, 0.0, 1.0)[0]
        assert upper[s] >= true - 1e-12
        assert value[s] == pytest.approx(hills.at(np.array([s]), t[s])[0]) or value[s] == first[s]
        parts = [(lo, hi) for segment, lo, hi in hills.exact if segment == s]
        if exactly or parts:
            assert upper[s] <= max(value[s] * (1 + gap * (not exactly)), true) + 1e-9
        if not exactly and blur < gap * value[s] / 2:
            assert upper[s] <= value[s] * (1 + gap) + 1e-9
            assert not parts  # buckets alone meet the gap
        own = [(lo, hi, K) for segment, lo, hi, K in hills.rounds if segment == s]
        assert own[0] == (0.0, 1.0, {20: 8, 400: 128}[units])
        assert all(any(a <= lo and hi <= b for a, b, _ in own[:k]) for k, (lo, hi, _) in enumerate(own) if k)
        assert all(K <= max(64, units // 2) or K == 256 for _, _, K in own)


def test_a_ceiling_decides_early(monkeypatch):
    risk, a, b = problem(5)
    top = segment_maximum(risk, a, b)
    below = segment_maxima(risk, a[None], b[None], ceiling=1.5 * top.value)
    above = segment_maxima(risk, a[None], b[None], ceiling=0.5 * top.value)
    assert below.status[0] is above.status[0] is Status.DECIDED
    assert top.value <= below.upper[0] <= 1.5 * top.value
    assert above.value[0] > 0.5 * top.value
    assert above.upper[0] >= top.value


def test_numbers_too_large_for_buckets_are_left_to_the_exact_pieces():
    risk, a, _ = problem(6)
    big = np.concatenate([1e152 * a[: risk.network.slices[0].stop], a[risk.network.slices[1]]])
    assert buckets.noise(risk, np.abs(big) + TINY) == np.inf
    found = segment_maximum(risk, 0 * a, big, gap=1e-3)
    assert found.upper >= found.value
    assert found.upper == np.inf or found.upper <= found.value * (1 + 1e-3)


@pytest.mark.parametrize("jobs", [0, -1, 1.5, True, None])
def test_jobs_must_be_a_positive_integer(jobs):
    risk, a, b = problem(7, samples=3, width=2)
    with pytest.raises(ValueError, match="jobs must be an integer >= 1"):
        segment_maxima(risk, a[None], b[None], jobs=jobs)
