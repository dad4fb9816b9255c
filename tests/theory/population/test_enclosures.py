"""The population risk against 400-bit balls, in any units, and where nothing can be known."""

import numpy as np
import pytest
from flint import arb, arb_mat, ctx
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.maxima import Status
from theory.networks import Network
from theory.numerics import Ball
from theory.population import TeacherRisk, enclosures, maxima
from theory.population.enclosures import SHAPE, Nets, Segments
from theory.relu_kernel import Gaussian, Law, arc_cosine_shape

pytestmark = pytest.mark.filterwarnings("error")

many = instances(200)


def half_angle_kernel(a, b, M):
    """The arc-cosine kernel of rows a, b (arb_mat) by the half angle; a hull where a length may vanish."""
    qa, qb, qab = ((f * M * g.transpose())[0, 0] for f, g in ((a, a), (b, b), (a, b)))
    product = (qa.nonnegative_part() * qb.nonnegative_part()).sqrt()
    if not (qa > 0 and qb > 0):
        return (product / 2).union(arb(0))
    minus, plus = ((product + s * qab).nonnegative_part().sqrt() for s in (-1, 1))
    return (minus * plus + 2 * arb.atan2(plus, minus) * qab) / (2 * arb.pi())


def ball_risk(F, a, b, t):
    """E |Phi - Phi*|^2 + noise + kappa R at the point t of the segment, in 400-bit balls."""
    bits, ctx.prec = ctx.prec, 400
    try:
        s, M = arb(float(t)), arb_mat(F.second_moment.tolist())
        theta = [(1 - s) * arb(u) + s * arb(v) for u, v in zip(a.tolist(), b.tolist())]
        rows, out = [], []
        for net, values, sign in ((F.network, theta, 1), (F.teacher_network, [arb(v) for v in F.teacher.tolist()], -1)):
            n, m, d = net.widths
            rows += [arb_mat(1, n, values[i * n : (i + 1) * n]) for i in range(m)]
            out += [[sign * values[m * n + k * m + i] for k in range(d)] for i in range(m)]
        total = arb(F.noise)
        for v, c in zip(rows, out):
            for w, e in zip(rows, out):
                total += sum((x * y for x, y in zip(c, e)), arb(0)) * half_angle_kernel(v, w, M)
        if F.penalty == "ridge":
            total += arb(F.kappa) * sum((v * v for v in theta), arb(0))
        elif F.penalty == "second_layer_l1":
            total += arb(F.kappa) * sum((abs(v) for v in theta[F.network.slices[1]]), arb(0))
        return total
    finally:
        ctx.prec = bits


def problem(seed, i=0, j=0, k=0):
    """A risk and a segment: Sigma of any rank and condition, units in units 2^i, outputs 2^j, inputs 2^k; near-coincidences."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    net = Network((n, int(rng.integers(1, 4)), d))
    A = rng.standard_normal((n, rng.integers(1, n + 1)))
    A = A * 10.0 ** rng.uniform(-8, 0, A.shape[1]) if rng.random() < 0.5 else A
    teacher, a, b = rng.standard_normal((3, net.size))
    if rng.random() < 0.5:
        a, b = teacher + 10.0 ** rng.uniform(-12, 0) * a, (1, -1)[seed % 2] * teacher + 10.0 ** rng.uniform(-12, 0) * b
    units = np.where(np.arange(net.size) < net.slices[1].start, np.ldexp(1.0, i), np.ldexp(1.0, j))
    F = TeacherRisk(
        net, np.ldexp(A @ A.T, 2 * k), teacher * units, noise=(seed % 3) * 0.25 * 4.0 ** min(i + j + k, 500)
    )
    return F, a * units, b * units, rng


@many
@given(st.integers(0, 2**32), st.integers(-100, 100), st.integers(-100, 100), st.integers(-100, 100))
def test_points_and_cells_are_bounded_in_400_bit_balls(seed, i, j, k):
    F, a, b, rng = problem(seed, i, j, k)
    lo = float(rng.random() * rng.integers(2))
    hi = min(1.0, lo + 2.0 ** float(rng.integers(-50, 1)))
    upper = float(maxima._over_cells(F, a[None], b[None], np.array([lo]), np.array([hi]))[0])
    for t in (lo, hi, lo + float(rng.random()) * (hi - lo)):
        true = ball_risk(F, a, b, t)
        assert not true > arb(upper)
        assert not true < arb(float(maxima._attained(F, a[None], b[None], np.array([t]))[0]))
    value, error = F.fit(a[None])
    true = ball_risk(F, a, a, 0.0) - arb(F.noise)
    assert not abs(true - arb(float(value[0]))) > arb(float(error[0])) * (1 + arb(1e-10))


@many
@given(st.integers(0, 2**32), st.floats(0.05, 0.95))
def test_what_a_unit_is_off_its_chord_is_bounded(seed, t):
    """Two more units take the chord away: f vanishes at both ends, and between them is all that the bound is about."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 4))
    A, (w, v), (c, d) = rng.standard_normal((n, n)), rng.standard_normal((2, n)), rng.standard_normal((2, 1))
    if seed % 3 == 0:
        v, c = float(rng.uniform(-2, 2)) * w, d  # a kink at most
    if seed % 3 == 1:
        v = float(rng.uniform(0, 3)) * w  # bilinear, no kink
    law, none = Law.of(Gaussian(A @ A.T)), np.zeros(1)
    rows = np.array([[w, w, v]]), np.array([[v, w, v]])
    out = np.array([[c, -c, none]]), np.array([[d, none, -d]])
    segments = Segments.between((rows[0], out[0]), (rows[1], out[1]), law)
    upper = float(enclosures.over_cells(segments, np.zeros(1), np.ones(1), law)[0])
    middle = segments.at(np.array([t]))
    off = enclosures.squared_norm(middle, law)[0].ldexp(middle.exponent)
    assert off.lower[0] <= upper
    if seed % 3 == 1:  # t (1 - t) (d - c) (z(v) - z(w)), of norm D / 4 over sqrt 2 at t = 1/2
        middle = segments.at(np.array([0.5]))
        off = enclosures.squared_norm(middle, law)[0].ldexp(middle.exponent)
        assert off.lower[0] <= upper <= 2.01 * off.upper[0] + 1e-10 * float(np.trace(A @ A.T))


@many
@given(st.integers(0, 2**32))
def test_rows_and_weights_that_are_known_roughly_are_enclosed_by_their_members(seed):
    """Lengths that may vanish and angles that may be anything: each member's risk is inside."""
    rng = np.random.default_rng(seed)
    n, M = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    A = rng.standard_normal((n, n)) * 10.0 ** rng.uniform(-2, 0, n)
    law = Law.of(Gaussian(A @ A.T))
    rows = Ball(
        rng.standard_normal((1, M, n)) * 10.0 ** rng.uniform(-2, 0), np.full((1, M, n), 10.0 ** rng.uniform(-8, -1))
    )
    if seed % 2 and M > 1:
        rows.centre[0, 1] = rows.centre[0, 0] * rng.choice([-1.0, 1.0])
    out = Ball(rng.standard_normal((1, M, 2)), np.full((1, M, 2), 10.0 ** rng.uniform(-8, -1)))
    found = enclosures.squared_norm(Nets(rows, out, np.zeros(1, int)), law)[0]
    for _ in range(3):
        V, C = ((b.centre + b.radius * rng.choice([-0.999, 0.999], b.centre.shape))[0] for b in (rows, out))
        bits, ctx.prec = ctx.prec, 400
        S, total = arb_mat(law.second_moment.centre.tolist()), arb(0)
        for v, c in zip(V, C):
            for w, e in zip(V, C):
                k = half_angle_kernel(arb_mat(1, n, v.tolist()), arb_mat(1, n, w.tolist()), S)
                total += sum((arb(x) * arb(y) for x, y in zip(c.tolist(), e.tolist())), arb(0)) * k
        ctx.prec = bits
        assert not total > arb(float(found.upper[0]))
        assert not total < arb(float(found.lower[0]))


@instances(30)
@given(st.integers(0, 2**32), st.sampled_from([None, "ridge", "second_layer_l1"]))
def test_maxima_are_above_the_risk_along_the_segment_and_attained(seed, penalty):
    F, a, b, rng = problem(seed)
    F = TeacherRisk(
        F.network, F.second_moment, F.teacher, noise=F.noise, kappa=0.1 if penalty else 0.0, penalty=penalty
    )
    top = maxima.segment_maximum(F, a, b, gap=1e-2, budget=2000)
    for t in (0.0, 1.0, *rng.random(3)):
        assert not ball_risk(F, a, b, t) > arb(top.upper)
    assert not ball_risk(F, a, b, top.t) < arb(top.value)
    assert top.value <= top.upper


@given(st.integers(0, 2**32), st.integers(-150, 150), st.integers(-150, 150), st.integers(-150, 150))
def test_maxima_are_equivariant_under_powers_of_two_bit_for_bit(seed, i, j, k):
    F, a, b, _ = problem(seed)
    G, c, d, _ = problem(seed, i, j, k)
    power = 2 * (i + j + k)
    assert np.array_equal(np.ldexp(F.batch([a, b]), power), G.batch([c, d]))
    one, other = (maxima.segment_maximum(*args, gap=1e-1, budget=200) for args in ((F, a, b), (G, c, d)))
    if one.value > 1e-200 and other.value > 1e-200:
        assert (one.t, one.status) == (other.t, other.status)
        assert (np.ldexp(one.value, power), np.ldexp(one.upper, power)) == (other.value, other.upper)


@given(st.integers(0, 2**32), st.integers(-500, 500), st.integers(-500, 500), st.integers(-500, 500))
def test_outside_the_range_of_floats_there_is_an_error_that_says_so(seed, i, j, k):
    F, a, b, _ = problem(seed, i, j, k)
    try:
        top = maxima.segment_maximum(F, a, b, gap=0.5, budget=100)
    except ValueError as error:
        message = str(error)
        assert "overflows" in message
        assert i + j + k > 400
    else:
        assert 0 <= top.value <= top.upper < np.inf


def test_the_shape_of_the_kernel_is_as_accurate_as_is_said():
    """Of exact cosines, on both sides and next to 1 and -1; and relatively, of angles next to 0 and pi."""
    rng = np.random.default_rng(0)
    near = 10.0 ** rng.uniform(-17, 0, 1000)
    cosines = np.concatenate([rng.uniform(-1, 1, 3000), 1 - near, near - 1, [0.0, 1.0, -1.0]])
    found = arc_cosine_shape(np.sqrt(1 - cosines), np.sqrt(1 + cosines))
    bits, ctx.prec = ctx.prec, 200
    worst = 0.0
    for c, value in zip(cosines.tolist(), found.tolist()):
        x = arb(c)
        true = (1 - x * x).nonnegative_part().sqrt() + (arb.pi() - x.acos()) * x if abs(c) < 1 else arb.pi() * (c > 0)
        worst = max(worst, float(abs(true - arb(value)).upper()))
    for gap in near.tolist():
        rest = 2 * arb.atan2(arb(gap), arb(1))  # pi - phi where |x + y| / |x - y| = gap
        true = rest.sin() - rest * rest.cos()
        assert abs(arb(float(arc_cosine_shape(np.array(1.0), np.array(gap)))) / true - 1) < 1e-13
    ctx.prec = bits
    assert worst < SHAPE / 2


@pytest.mark.parametrize("where", ["squared_norm", "cells"])
def test_nan_inside_is_the_unsafe_side(where, monkeypatch):
    """Planted in what bounds a cell, it leaves no bound; the search says so and never CONVERGED."""
    F, a, b, _ = problem(5)
    if where == "squared_norm":
        nothing = Ball(np.full(1, np.nan), np.zeros(1))
        monkeypatch.setattr(
            enclosures, "squared_norm", lambda nets, law: (nothing, Ball(nets.rows.centre[..., 0], 0.0))
        )
        assert maxima._over_cells(F, a[None], b[None], np.zeros(1), np.ones(1))[0] == np.inf
    else:
        monkeypatch.setattr(maxima, "_over_cells", lambda *_: np.full(len(_[3]), np.nan))
        with pytest.raises(ValueError, match="overflows"):
            maxima.segment_maximum(F, a, b, budget=50)


def test_a_unit_whose_length_may_vanish_has_any_angle():
    """Sigma sees (1, -1) by a rounding error only: the kernel is at most the product of lengths over two."""
    S = np.array([[1.0, 1.0], [1.0, np.nextafter(1.0, 2)]])
    net = Network((2, 1, 1))
    F = TeacherRisk(net, S, net.pack([[[1.0, -1.0]], [[1.0]]]))
    theta = net.pack([[[1.0, 0.5]], [[1.0]]])
    value, error = F.fit(theta[None])
    assert abs(ball_risk(F, theta, theta, 0.0) - arb(float(value[0]))) < arb(float(error[0]))
    zero = Nets.of(np.zeros((1, 2, 2)), np.zeros((1, 2, 1)), F.law)
    assert enclosures.squared_norm(zero, F.law)[0].upper[0] < 1e-300
    assert isinstance(Segments.between(F.units(theta[None]), F.units(theta[None]), F.law).exponent[0], np.integer)
    assert maxima.segment_maximum(F, theta, theta).status is Status.CONVERGED
