"""The verifier against maxima known to hundreds of bits: it accepts the next float above, and refuses the one below."""

import json
import math
import re
from fractions import Fraction
from itertools import pairwise, permutations

import numpy as np
import pytest
from flint import arb, arb_poly, ctx, fmpq, fmpq_poly
from hypothesis import assume, example, given
from hypothesis import strategies as st

from checks.certificates import verify
from checks.certificates.document import FORMAT, digest, save
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample

FLOATS = st.one_of(
    st.integers(-2, 2).map(float),  # switches that coincide, at ends too
    st.floats(-4, 4, allow_subnormal=False),
    st.sampled_from([1 / 3, 1.0 + 2**-52, 1.0 - 2**-53, 2.0**-30]),  # sums that cancel
)
SCALES = st.sampled_from([1.0, 1.0, 1.0, 2.0**-500, 2.0**-1070, 2.0**250])


@st.composite
def problems(draw):
    """One hidden layer under squared loss, one piece, in every scale: a certificate without a claim."""
    n, m, n_out, count = (draw(st.integers(1, high)) for high in (2, 3, 2, 3))
    bias, activation = draw(st.booleans()), draw(st.sampled_from(["relu", "relu", "identity"]))
    size = m * (n + bias) + n_out * (m + bias)

    def rows(number, columns):
        scale = draw(SCALES)
        return [[draw(FLOATS) * scale for _ in range(columns)] for _ in range(number)]

    penalty = draw(st.sampled_from([None, "ridge", "second_layer_l1"]))
    X, Y, points = rows(count, n), rows(count, n_out), rows(2, size)
    if draw(st.booleans()):  # low at the ends, high between
        cut = m * (n + bias)
        points = [points[0][:cut] + [0.0] * (size - cut), [0.0] * cut + points[1][cut:]]
        Y = [[2.0**-10 * v for v in row] for row in Y]
    weights = draw(st.sampled_from([[1.0, *[0.0] * (count - 1)], [1 / count] * count]))
    return {
        "title": "",
        "network": {"widths": [n, m, n_out], "activation": activation, "output": "identity", "bias": bias},
        "risk": {
            "loss": "squared",
            "penalty": penalty,
            "kappa": draw(st.sampled_from([0.1, 3e-300])) if penalty else 0.0,
        },
        "sample": {"X": X, "Y": Y, "weights": weights},
        "path": {"points": points, "labels": [""]},
    }


def risk(problem, t):
    """The risk at t from its definition, and the arguments of its kinks, as fractions."""
    net, sample, (a, b) = problem["network"], problem["sample"], problem["path"]["points"]
    theta = [(1 - t) * Fraction(p) + t * Fraction(q) for p, q in zip(a, b)]
    n, m, n_out = net["widths"]
    cut, columns = m * (n + net["bias"]), m + net["bias"]
    W = [theta[j * (n + net["bias"]) : (j + 1) * (n + net["bias"])] for j in range(m)]
    V = [theta[cut + o * columns : cut + (o + 1) * columns] for o in range(n_out)]
    one, total, kinks = [Fraction(1)] * net["bias"], Fraction(0), []
    for x, y, weight in zip(sample["X"], sample["Y"], sample["weights"]):
        z = [sum(w * v for w, v in zip(row, [*map(Fraction, x), *one])) for row in W]
        kinks += z
        h = [max(v, Fraction(0)) for v in z] if net["activation"] == "relu" else z
        for row, target in zip(V, y):
            total += Fraction(weight) * (sum(v * u for v, u in zip(row, [*h, *one])) - Fraction(target)) ** 2
    squares, absolute = sum(v * v for v in theta), sum(abs(v) for row in V for v in row)
    extra = {None: 0, "ridge": squares, "second_layer_l1": absolute}[problem["risk"]["penalty"]]
    return total + Fraction(problem["risk"]["kappa"]) * extra, kinks + [v for row in V for v in row]


def maximum(problem):
    """The maximum of the risk on the piece in a ball, by interpolation between kinks and the roots of derivatives."""
    (start, kinks), (end, after) = risk(problem, Fraction(0)), risk(problem, Fraction(1))
    knots = sorted({Fraction(0), Fraction(1), *(a / (a - b) for a, b in zip(kinks, after) if a * b < 0)})
    values = [ball(start), ball(end), *(ball(risk(problem, t)[0]) for t in knots)]
    for lo, hi in pairwise(knots):
        polynomial = fmpq_poly([0])
        at = [lo + (hi - lo) * Fraction(k, 4) for k in range(5)]
        for k, t in enumerate(at):
            base = fmpq_poly([rational(risk(problem, t)[0])])
            for other in at[:k] + at[k + 1 :]:
                base *= fmpq_poly([rational(-other), fmpq(1)]) / rational(t - other)
            polynomial += base
        slope = polynomial.derivative()
        if slope.degree() > 0:
            values += [arb_poly(polynomial)(root.real) for root, _ in slope.complex_roots() if inside(root, lo, hi)]
    top = values[0]
    for value in values[1:]:
        top = top.max(value)
    return top


def rational(t):
    return fmpq(t.numerator, t.denominator)


def ball(t):
    return arb(rational(t))


def inside(root, lo, hi):
    """Whether a root may be real and in [lo, hi]."""
    return root.imag.contains(0) and not root.real < ball(lo) and not root.real > ball(hi)


def status(folder, problem, upper):
    content = problem | {"upper": upper}
    file = folder / "c.json"
    file.write_text(json.dumps({"format": FORMAT, "sha256": digest(content), **content}))
    return verify.main([str(file)])


@given(problem=problems())
def test_the_next_float_above_the_maximum_is_accepted_and_the_one_below_refused(tmp_path_factory, problem):
    folder = tmp_path_factory.mktemp("c")
    ctx.prec = 4000
    try:
        top = maximum(problem)
        assume(top < ball(Fraction(10) ** 300))
        below = float(top.mid())
        while not ball(Fraction(below)) < top:
            below = math.nextafter(below, -math.inf)
        above = below
        while not ball(Fraction(above)) > top:
            above = math.nextafter(above, math.inf)
    finally:
        ctx.prec = 53
    assert status(folder, problem, above) == 0
    assert status(folder, problem, below) == 1


def test_a_spike_narrower_than_the_grid_of_the_verifier_is_seen(tmp_path, capsys):
    """A hat of width 2^-65 and height 2^34 in t, from three units that switch in one cell of the grid, in any order."""
    high, step = 2.0**99, 2.0**34  # units 2^100 (t - 1/2) - j 2^34
    for order in permutations([(1, 1.0), (2, -2.0), (3, 1.0)]):
        start, end = ([v for j, _ in order for v in (side * high, -j * step)] for side in (-1, 1))
        second = [v for _, v in order]
        problem = {
            "title": "",
            "network": {"widths": [2, 3, 1], "activation": "relu", "output": "identity", "bias": False},
            "risk": {"loss": "squared", "penalty": None, "kappa": 0.0},
            "sample": {"X": [[1.0, 1.0]], "Y": [[0.0]], "weights": [1.0]},
            "path": {"points": [start + second, end + second], "labels": [""]},
        }
        top = risk(problem, Fraction(1, 2) + Fraction(2, 2**66))[0]
        assert status(tmp_path, problem, float(top) * (1 - 1e-9)) == 1
        assert "the risk reaches" in capsys.readouterr().err
        assert status(tmp_path, problem, float(top)) == 0


def loss_in_balls(name, outputs, targets):
    """The losses of `theory.losses` from their definitions."""
    f, y = [ball(v) for v in outputs], [ball(Fraction(v)) for v in targets]
    if name == "softmax":
        normaliser = sum((v.exp() for v in f), arb(0)).log()
        return sum((b * (normaliser - a) for a, b in zip(f, y)), arb(0))
    margins = [a * b for a, b in zip(f, y)]
    if name == "logistic":
        return sum((((-v).exp() + 1).log() for v in margins), arb(0))
    return sum(((1 - v).max(arb(0)) for v in margins), arb(0))


@given(
    seed=st.integers(0, 2**32),
    name=st.sampled_from(["softmax", "logistic", "hinge"]),
    size=st.sampled_from([0.0, 2.0**-40, 1.0, 4.0, 30.0, 2.0**200]),
)
def test_losses_of_labels_are_decided_to_thirty_digits(tmp_path_factory, seed, name, size):
    rng = np.random.default_rng(seed)
    n, m, n_out, count = rng.integers(1, 4, size=4).tolist()
    X, theta = rng.standard_normal((count, n)), size * rng.standard_normal(m * n + n_out * m)
    Y = rng.dirichlet(np.ones(n_out), count) if rng.random() < 0.5 else np.eye(n_out)[rng.integers(n_out, size=count)]
    Y = Y if name == "softmax" else rng.choice([-1.0, 1.0], (count, n_out))
    F = Risk(Network((n, m, n_out)), Sample(X, Y, rng.integers(1, 4, count)), loss=name)
    file = tmp_path_factory.mktemp("c") / "c.json"
    ctx.prec = 4000
    try:
        top = arb(0)
        for x, y, weight in zip(F.sample.X.tolist(), F.sample.Y.tolist(), F.sample.weights.tolist()):
            rows = [[*map(Fraction, row)] for W in F.network.weights(theta) for row in W.tolist()]
            h = [max(sum(w * Fraction(v) for w, v in zip(row, x)), Fraction(0)) for row in rows[:m]]
            outputs = [sum(v * u for v, u in zip(row, h)) for row in rows[m:]]
            top += ball(Fraction(weight)) * loss_in_balls(name, outputs, y)
        below = math.nextafter(float(top.mid()) * (1 + 1e-15), -math.inf)
        while not ball(Fraction(below)) < top:
            below = math.nextafter(below, -math.inf)
        above = float((top + ball(Fraction(1, 2**100))).mid())
        while not ball(Fraction(above)) > top + ball(Fraction(1, 2**100)):
            above = math.nextafter(above, math.inf)
    finally:
        ctx.prec = 53
    for upper, expected in ((above, 0), (below, 1)):
        save(file, F, Path([theta]), upper)
        assert verify.main([str(file)]) == expected


def exactly(v, unit):
    return ball(Fraction(v)) / ball(Fraction(2**unit))


@given(
    gaps=st.lists(
        st.integers(2**134, 2**140) | st.integers(0, 2**135) | st.integers(0, 2**120) | st.integers(0, 3), max_size=4
    ),
    top=st.integers(-(2**140), 2**140),
    unit=st.integers(128, 200),
)
def test_exponentials_and_logarithms_are_rounded_up_and_hardly(gaps, top, unit):
    ctx.prec = 1000
    try:
        for d in gaps:
            above = exactly(verify.exp_minus(d), verify.PLACES) - (-exactly(d, verify.PLACES)).exp()
            assert above >= 0
            assert above < ball(Fraction(1, 2**116))
        f = [top, *(top - (gap << unit - 128) for gap in gaps)]
        truth = sum(((exactly(v, unit) - exactly(top, unit)).exp() for v in f), arb(0)).log() + exactly(top, unit)
        above = exactly(verify.log_sum_exp(f, unit), unit) - truth
        assert above >= 0
        assert above < ball(Fraction(1, 2**100))
    finally:
        ctx.prec = 53


CELL = Fraction(1, 2**verify.GRID)
FRACTIONS = st.fractions(0, 1, max_denominator=10**6)


@given(
    cells=st.sampled_from([0, 1, 2, 7]),
    first=FRACTIONS,
    offset=FRACTIONS,
    place=FRACTIONS,
    width=FRACTIONS,
    out=st.booleans(),
)
@example(cells=0, first=Fraction(0), offset=Fraction(3, 4), place=Fraction(1, 2), width=Fraction(1), out=False)
@example(cells=1, first=Fraction(1, 4), offset=Fraction(1, 2), place=Fraction(1), width=Fraction(1), out=False)
@example(cells=1, first=Fraction(1, 4), offset=Fraction(1, 2), place=Fraction(0), width=Fraction(1), out=False)
def test_a_dip_of_the_slack_within_one_cell_of_the_grid_is_seen_where_it_is_and_only_there(
    cells, first, offset, place, width, out
):
    """(t - m)^2 - w^2 with m in [lo, hi], then moved to touch an end from outside; lo and hi between grid points."""
    lo = Fraction(1, 3) - Fraction(1, 3) % CELL + first * CELL
    hi = lo + (cells + offset) * CELL + CELL / 10**7
    m, w = lo + place * (hi - lo), width * (hi - lo) / 4 + CELL / 2**20
    if out:
        m = lo - w if place < Fraction(1, 2) else hi + w
    one = math.lcm(m.denominator, w.denominator) ** 2
    p = [int(one * (m * m - w * w)), int(-2 * one * m), one, 0, 0]
    problem = {"claim": Fraction(0), "bits": {"risk": 0}}
    between = problem, p, math.floor(lo / CELL), lo, math.floor(hi / CELL), hi
    if out:
        verify.check_interval(*between)
    else:
        with pytest.raises(verify.Refused, match="the risk reaches") as refusal:
            verify.check_interval(*between)
        reached = Fraction(re.search(r"reaches (\S+)", str(refusal.value))[1])
        assert 0 < reached <= Fraction(math.nextafter(float(one * w * w), math.inf))


def test_a_bump_between_two_switches_of_one_cell_is_seen(tmp_path):
    """f = 2^86 (j - 4)(7 - j) for 4 <= j <= 7, else 0, where t = 1/2 + j 2^-66: four units that switch at j = 4 or 7."""
    units = []  # (switch, outgoing weight at both ends): relu(j - 4)(7 - j) + relu(j - 7)(j - 4), j = 2^66 (t - 1/2)
    for at, sign, other in ((4, -1, 7), (7, 1, 4)):
        units += [(at, -sign * 2.0**65, sign * 2.0**65), (at, -sign * other * 1.0, -sign * other * 1.0)]
    start, end = ([v for at, *_ in units for v in (side * 2.0**99, -at * 2.0**34)] for side in (-1, 1))
    problem = {
        "title": "",
        "network": {"widths": [2, 4, 1], "activation": "relu", "output": "identity", "bias": False},
        "risk": {"loss": "squared", "penalty": None, "kappa": 0.0},
        "sample": {"X": [[1.0, 1.0]], "Y": [[0.0]], "weights": [1.0]},
        "path": {"points": [start + [a for _, a, _ in units], end + [b for *_, b in units]], "labels": [""]},
    }
    top = float(risk(problem, Fraction(1, 2) + Fraction(11, 2**67))[0])
    assert status(tmp_path, problem, top) == 0
    assert status(tmp_path, problem, math.nextafter(top, 0)) == 1


@given(z=st.tuples(*[st.integers(-3, 3) | st.integers(-(2**200), 2**200)] * 2))
def test_switches_are_where_an_affine_function_changes_its_sign_and_rounded_down_to_the_grid(z):
    value, slope = z
    if value * (value + slope) < 0:
        floor, t = verify.switch(z)
        assert value + slope * t == 0
        assert floor * CELL <= t < (floor + 1) * CELL
    else:
        assert verify.switch(z) is None
