"""The formulas of lemmas are the quantities that they are named after: compared with the risks and kernels of `theory`."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from checks.smt import section_2_1, section_2_2, section_2_3_1, section_2_3_2, section_2_3_3, sections_3_4
from checks.smt.terms import evaluate
from theory.networks import Network
from theory.risk import Risk, Sample

numbers = st.integers(-8, 8).map(lambda k: Fraction(k, 4))
fraction = st.builds(Fraction, st.integers(0, 12), st.just(12))
LINE = Sample(np.array([[1.0], [-1.0]]), np.array([[1.0], [-1.0]]))


def close(exact, value):
    return abs(float(exact) - value) <= 1e-12 * (1 + abs(value))


@given(b=st.tuples(numbers, numbers), w=st.tuples(numbers, numbers))
def test_two_points_with_and_without_penalty(b, w):
    values = {"b_1": b[0], "b_2": b[1], "w_1": w[0], "w_2": w[1]}
    units = [(section_2_3_3.b1, section_2_3_3.w1), (section_2_3_3.b2, section_2_3_3.w2)]
    net = Network((1, 2, 1))
    theta = net.pack([np.array(w, float)[:, None], np.array(b, float)[None]])
    penalised = Risk(net, LINE, kappa=0.1, penalty="second_layer_l1")(theta)
    assert close(evaluate(section_2_3_3.two_points(*units), values), penalised)
    assert close(evaluate(section_2_3_1.two_units(*units), values), Risk(net, LINE)(theta))


@given(w=st.tuples(numbers, numbers), v=st.tuples(numbers, numbers))
def test_the_strict_poor_minimum(w, v):
    X = np.array([[0.5, 1.0], [0.5, -1.0], [-0.5, 1.0], [-0.5, -1.0]])  # second moment diag(1/4, 1)
    risk = Risk(Network((2, 1, 2), activation="identity"), Sample(X, X * [3.0, 1.0]), kappa=7 / 16, penalty="ridge")
    values = dict(zip(("w_1", "w_2", "v_1", "v_2"), (*w, *v)))
    formula = section_2_2.one_unit_ridge((section_2_2.w1, section_2_2.w2), (section_2_2.v1, section_2_2.v2))
    theta = risk.network.pack([np.array([w], float), np.array([v], float).T])
    assert close(evaluate(formula, values), risk(theta))


@given(w=numbers, v=numbers)
def test_one_unit_on_one_sample(w, v):
    risk = Risk(Network((1, 1, 1)), Sample(np.ones((1, 1)), np.ones((1, 1))))
    theta = risk.network.pack([np.array([[float(w)]]), np.array([[float(v)]])])
    assert close(evaluate(section_2_1.one_unit(section_2_1.w, section_2_1.v), {"w": w, "v": v}), risk(theta))


@given(c=fraction, s=fraction, u=numbers, v=numbers)
def test_the_kernel_and_its_wedge(c, s, u, v):
    values = {"c": c, "s": s, "u": u, "v": v}
    a, b = c * u - s * v, c * u + s * v
    assert evaluate(section_2_3_2.kernel, values) == max(a, 0) * max(b, 0)
    assert evaluate(section_2_3_2.wedge, values) == (u >= 0 and min(a, b) < 0)
    assert evaluate(section_2_3_2.active, values) == (min(a, b) >= 0)


@given(q=st.integers(1, 50).map(lambda k: Fraction(1, 100 * k)))
def test_path_and_chord_of_the_turned_unit(q):
    """Recomputed from the net itself, at t = 1/2, with second layers that are checked to be optimal."""
    kappa, X, Y = Fraction(1, 4), ((1, 0), (1, 1)), (1, 2)
    c, s = (1 - q * q) / (1 + q * q), 2 * q / (1 + q * q)
    turned = [c * x[0] + s * x[1] for x in X]
    b, g = (Fraction(1), 1 - kappa), (sum(y * z for y, z in zip(Y, turned)) - kappa) / sum(z * z for z in turned)
    residuals = [y - b[0] * x[0] - b[1] * x[1] for x, y in zip(X, Y)]
    assert all(sum(r * x[i] for r, x in zip(residuals, X)) == kappa for i in (0, 1))
    weight, rest = (b[0] + g) / 2, b[1] / 2
    on_path = sum((y - weight * (x[0] + z) / 2 - rest * x[1]) ** 2 for x, y, z in zip(X, Y, turned)) / 2
    on_chord = sum((y - (b[0] * x[0] + g * z) / 2 - rest * x[1]) ** 2 for x, y, z in zip(X, Y, turned)) / 2
    values = {"x": q}
    scale = 32 * evaluate(section_2_3_3.length * section_2_3_3.clear, values) ** 2
    assert evaluate(section_2_3_3.path, values) == scale * on_path
    assert evaluate(section_2_3_3.chord, values) == scale * on_chord


def test_triangles_in_their_bases():
    """Corners at the angles that the words name, and the metric of the basis: exact inner products."""
    for corners, cosine, angles in (
        (((1, 0), (0, 1), (-1, -1)), -1, (0, 120, 240)),
        (((1, 0), (0, 1), (-1, 1)), 1, (0, 60, 120)),
    ):
        base = np.deg2rad(60 if cosine == 1 else 120)
        B = np.array([[1, 0], [np.cos(base), np.sin(base)]])
        assert np.allclose(2 * B[0] @ B[1], cosine)
        assert np.allclose(np.array(corners) @ B, [[np.cos(np.deg2rad(a)), np.sin(np.deg2rad(a))] for a in angles])
    assert [lemma.name for lemma in sections_3_4.TRIANGLES] == [
        "e(2)-around-the-origin",
        "e(2)-at-0-60-120-degrees",
        "e(2)-of-e1-e2-and-their-sum",
        "e(2)-of-opposite-points",
    ]
