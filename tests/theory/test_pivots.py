"""r + 1 units connect under the penalty too: every vertex checked in exact arithmetic; m = r refuses, and rightly."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from exact_oracle import risk_at
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory import exchange, pivots, simplex
from theory.atoms import atoms as atoms_of
from theory.barriers import two_unit_barrier
from theory.maxima import Method, Status
from theory.networks import Network
from theory.numerics import TINY, UNIT
from theory.risk import Risk, Sample

seeds = st.integers(0, 2**32 - 1)
KINDS = ("plain", "integers", "no second layer", "equal rows", "dead units", "zero rows", "tiny and huge", "same as a")
ACTIVATIONS = ("relu", "identity", "tanh", "sigmoid")


def net_of(rng, net, kind):
    """A parameter vector with the degeneracy asked for."""
    W, V = (rng.standard_normal(shape) for shape in net.shapes)
    m = net.widths[1]
    if kind == "integers":
        W, V = (rng.integers(-1, 2, M.shape).astype(float) for M in (W, V))
    elif kind == "no second layer":
        V[:] = 0
    elif kind == "equal rows":
        W[1:] = W[0] * rng.choice([1.0, 2.0], (m - 1, 1))
    elif kind == "dead units":
        W[: 1 + m // 2] = 0
        W[: 1 + m // 2, -1] = -9.0 * net.bias
    elif kind == "zero rows":
        W[0] = 0
    elif kind == "tiny and huge":
        W[0] *= 2.0**-30
        V[:, -1] *= 2.0**30
    return net.pack([W, V])


def problem(rng, kinds, *, activation="relu", bias=False, kappa=0.125, N=None, n_out=None, spare=0):
    """A risk with N n_out + 1 units, or more, and two ends; samples of integers now and then, and repeated ones."""
    N, n_out, n_in = N or int(rng.integers(1, 5)), n_out or int(rng.integers(1, 3)), int(rng.integers(1, 3))
    X = rng.integers(-2, 3, (N, n_in)).astype(float) if "integers" in kinds else rng.standard_normal((N, n_in))
    X[-1] = X[0] if rng.random() < 0.2 else X[-1]
    sample = Sample(X, rng.integers(-2, 3, (N, n_out)).astype(float), rng.integers(1, 4, N).astype(float))
    net = Network((n_in, N * n_out + 1 + spare, n_out), activation, bias=bias)
    loss = ("squared", "absolute")[int(rng.integers(2))]
    risk = Risk(net, sample, loss=loss, kappa=kappa, penalty="second_layer_l1")
    a = net_of(rng, net, kinds[0])
    b = net.permute(a, 1, rng.permutation(net.widths[1])) if kinds[1] == "same as a" else net_of(rng, net, kinds[1])
    return risk, a, b


def exact_risk(risk, theta):
    return risk_at(risk, theta, theta, Fraction(0))


def stored(risk, theta):
    """What rounding each outgoing weight once (and a product or two of last digits) may add to F, in fractions."""
    net, u = risk.network, Fraction(2 * UNIT)
    W, V = ([[abs(Fraction(v)) for v in row] for row in M.tolist()] for M in net.weights(theta))
    total = Fraction(0)
    zero = np.zeros_like(theta)
    for x, p in zip(risk.sample.X.tolist(), risk.sample.weights.tolist()):
        z = [sum(w * abs(Fraction(v)) for w, v in zip(row, [*x, 1.0])) for row in W] + [Fraction(1)] * net.bias
        moved = [u * sum(v * h for v, h in zip(row, z)) for row in V]
        total += Fraction(p) * sum(d if risk.loss == "absolute" else d * d for d in moved)
    if risk.loss == "squared":  # |f + d - Y|^2 <= (|f - Y| + |d|)^2, and F >= |f - Y|^2
        root = Fraction(float(np.sqrt(float(max(exact_risk(risk, theta), exact_risk(risk, zero))))) * 1.01)
        total += 2 * root * Fraction(float(np.sqrt(float(total))) * 1.01 + 1e-300)
    return total + u * Fraction(risk.kappa) * sum(v for row in V for v in row)


def assert_pieces(risk, path, a, b):
    assert np.array_equal(path.points[0], a)
    assert np.array_equal(path.points[-1], b)
    net = risk.network
    for p, q in zip(path.points, path.points[1:]):
        (W, V), (W1, V1) = net.weights(p), net.weights(q)
        moved = (W != W1).any(axis=1)
        assert moved.any() != (V != V1).any()
        assert not V[:, : net.widths[1]][:, moved].any()  # only rows of idle units move


@instances(80)
@given(
    seed=seeds,
    kinds=st.tuples(st.sampled_from(KINDS[:-1]), st.sampled_from(KINDS)),
    activation=st.sampled_from(["relu", "identity"]),
    bias=st.booleans(),
    kappa=st.sampled_from([0.0, 0.125, 1.0]),
)
def test_in_fractions_no_vertex_exceeds_the_larger_end(seed, kinds, activation, bias, kappa):
    risk, a, b = problem(np.random.default_rng(seed), kinds, activation=activation, bias=bias, kappa=kappa)
    path = pivots.connect(risk, a, b, exact=True)
    assert_pieces(risk, path, a, b)
    level = max(exact_risk(risk, a), exact_risk(risk, b))
    for p in {p.tobytes(): p for p in path.points}.values():
        assert exact_risk(risk, p) <= level + stored(risk, p)


@instances(60)
@given(
    seed=seeds,
    kinds=st.tuples(st.sampled_from(KINDS[:-2]), st.sampled_from(KINDS)),
    activation=st.sampled_from(ACTIVATIONS),
    bias=st.booleans(),
    kappa=st.sampled_from([0.0, 0.125]),
    exact=st.sampled_from([True, False, None]),
)
def test_the_certified_maximum_is_that_of_the_larger_end(seed, kinds, activation, bias, kappa, exact):
    """Convex on every piece, so that rounding is all that is left; in rationals and in floats."""
    rng = np.random.default_rng(seed)
    risk, a, b = problem(rng, kinds, activation=activation, bias=bias, kappa=kappa, spare=int(rng.integers(2)))
    try:
        path = pivots.connect(risk, a, b, exact=exact)
    except simplex.Lost:
        assert exact is False
        return
    assert_pieces(risk, path, a, b)
    found = exchange.report(risk, path)
    assert found.maximum.method is Method.CONVEX
    if found.maximum.status is Status.CONVERGED:
        tolerated = 1e-12 if exact is True else 1e-8
        rounding = tolerated * (max(found.ends) + risk.sample.energy) + 4 * TINY  # a bound allows TINY for underflow
        assert found.excess <= rounding + 1e-9 * (found.largest_weight > 1e6)


@instances(80)
@given(seed=seeds, kinds=st.tuples(st.sampled_from(KINDS[:-1]), st.sampled_from(KINDS)), bias=st.booleans())
def test_the_cost_is_convex_in_t_below_the_chord_and_an_edge_has_one_atom_more_than_the_rank(seed, kinds, bias):
    """The three phases in rationals: A c = f(t), cost <= (1 - t) R(A) + t R(B), and the meeting at B's optimum."""
    risk, a, b = problem(np.random.default_rng(seed), kinds, bias=bias)
    atoms = atoms_of(risk, a, b, exact=True)
    if not atoms.cost.size:
        return
    columns, cost, (start, end) = atoms.columns, atoms.cost, atoms.functions
    program = simplex.program(columns, cost, start, end)
    every = np.ones(len(cost), dtype=bool)
    ends, optima = [], []
    for owner, rhs in ((0, program.start), (1, program.end)):
        x = simplex.reduce(program, atoms.weights(owner))
        ends.append(cost @ atoms.weights(owner))
        assert cost @ x <= ends[-1]
        basis, before = simplex.complete_basis(program, x), x
        assert len(basis) == program.rank
        for after in simplex.primal_simplex(program, basis, rhs, cost, every):
            assert np.array_equal(columns @ after, (start, end)[owner])
            assert cost @ after <= cost @ before
            assert np.count_nonzero((before > 0) | (after > 0)) <= program.rank + 1
            before = after
        optima.append((basis, before))
    basis, before = optima[0]
    direction = end - start
    k = next((i for i, v in enumerate(direction) if v != 0), None)
    values = [(0, cost @ before)]
    for after in simplex.parametric_simplex(program, basis):
        f = columns @ after
        t = 1 if k is None else (f[k] - start[k]) / direction[k]
        assert np.array_equal(f, start + direction * t)
        assert (after >= 0).all()
        assert values[-1][0] <= t <= 1
        assert cost @ after <= ends[0] * (1 - t) + ends[1] * t
        assert np.count_nonzero((before > 0) | (after > 0)) <= program.rank + 1
        values.append((t, cost @ after))
        before = after
    assert values[-1][0] == 1
    slopes = [(v - u) / (s - r) for (r, u), (s, v) in pairwise(values) if s > r]
    assert all(left <= right for left, right in pairwise(slopes))
    assert cost @ before == cost @ optima[1][1]


def test_atoms_of_no_cost_may_be_dropped_either_way():
    """Two equal columns that cost nothing: which way the cost falls is a matter of rounding, which weight falls is not."""
    program = simplex.program(np.array([[1.0, 1.0]]), np.zeros(2), np.array([2.0]), np.array([2.0]))
    reduced = simplex.reduce(program, program.scale * 1.0)
    assert np.count_nonzero(reduced) == 1
    np.testing.assert_allclose(program.columns @ reduced, program.start)
    for seed in range(200):  # sigmoids at zero rows
        risk, a, b = problem(np.random.default_rng(seed), ("zero rows", "integers"), activation="sigmoid", n_out=3, N=2)
        pivots._connected(under_path_norm(risk), a, b, False)


def test_other_starts_of_the_simplex_method_find_the_same_cost_as_an_independent_solver():
    from scipy.optimize import linprog

    rng = np.random.default_rng(5)
    for _ in range(30):
        risk, a, b = problem(rng, ("plain", "plain"), N=4, n_out=1)
        atoms = atoms_of(risk, a, b, exact=False)
        columns, cost, (start, end) = atoms.columns, atoms.cost, atoms.functions
        program = simplex.program(columns, cost, start, end)
        basis = simplex.complete_basis(program, simplex.reduce(program, atoms.weights(0) * program.scale))
        *_, last = [
            None,
            *simplex.primal_simplex(program, basis, program.start, program.cost, np.ones(len(cost), bool)),
        ]
        last = program.weights(basis, program.start) / program.scale
        found = linprog(cost, A_eq=columns, b_eq=start, bounds=(0, None))
        np.testing.assert_allclose(cost @ last, found.fun, rtol=1e-9)


def beale():
    """Beale's example: from the basis of slacks, the largest fall and the first row cycle through six bases for ever."""
    from flint import fmpq

    exact = np.vectorize(lambda v: fmpq(*float(v).as_integer_ratio()), otypes=[object])
    columns = exact([[1, 0, 0, 0.25, -8, -1, 9], [0, 1, 0, 0.5, -12, -0.5, 3], [0, 0, 1, 0, 0, 1, 0]])
    cost, rhs = exact([0, 0, 0, -0.75, 20, -0.5, 6]), exact([0, 0, 1])
    return simplex.program(columns, cost, rhs, rhs), cost


def test_the_simplex_method_does_not_cycle_where_the_largest_fall_alone_would():
    problem_, cost = beale()
    every, basis = np.ones(7, dtype=bool), [0, 1, 2]
    steps = list(simplex.primal_simplex(problem_, basis, problem_.start, cost, every))
    assert len(steps) < 20
    assert 4 * (cost @ steps[-1]) == -5


def test_control_the_largest_fall_alone_cycles(monkeypatch):
    problem_, cost = beale()
    monkeypatch.setattr(simplex, "PIVOTS", 10)
    monkeypatch.setattr(simplex, "bool", lambda value: False, raising=False)  # never stuck, so never the smallest index
    with pytest.raises(simplex.Lost, match="does not end"):
        list(simplex.primal_simplex(problem_, [0, 1, 2], problem_.start, cost, np.ones(7, dtype=bool)))


# --- how many units ------------------------------------------------------------------------------------------------


def two_units(kappa):
    risk = Risk(Network((1, 2, 1)), Sample([[1.0], [-1.0]], [[1.0], [-1.0]]), kappa=kappa, penalty="second_layer_l1")
    best = 1 - kappa
    return risk, np.array([1, -1, best, -best]), np.array([-1, 1, -best, best])


@pytest.mark.parametrize("exact", [True, False])
def test_at_width_N_there_is_no_slot_and_the_barrier_is_119_200(exact):
    risk, a, b = two_units(0.1)
    with pytest.raises(ValueError, match=r"has 2 units, and 3 are needed.*no slot for an entering unit.*disconnected"):
        pivots.connect(risk, a, b, exact=exact)
    assert pivots.units_needed(risk, a, b, exact=exact) == 3
    barrier = two_unit_barrier(risk.sample, 0.1)
    assert barrier.lower <= 119 / 200 <= barrier.upper + 1e-9
    assert barrier.lower >= 119 / 200 - 1e-9
    assert risk(a) < 0.2


def test_one_unit_more_joins_the_two_minima_at_their_own_level():
    for kappa in (0.0, 0.1):
        small, a, b = two_units(kappa)
        risk = Risk(Network((1, 3, 1)), small.sample, kappa=kappa, penalty="second_layer_l1")
        ends = [np.array([p[0], p[1], 7.0, p[2], p[3], 0.0]) for p in (a, b)]
        path = pivots.connect(risk, *ends)
        assert exchange.report(risk, path).excess <= 1e-14


@instances(60)
@given(seed=seeds, n_out=st.integers(1, 2), exact=st.booleans())
def test_rank_plus_one_units_are_enough_also_below_N(seed, n_out, exact):
    """All rows on few directions: r is small, however many samples there are."""
    rng = np.random.default_rng(seed)
    N, few = 6, int(rng.integers(1, 3))
    m = few * n_out + 1
    net = Network((2, m, n_out))
    X, directions = rng.standard_normal((N, 2)), rng.integers(-2, 3, (few, 2)).astype(float)
    risk = Risk(net, Sample(X, rng.standard_normal((N, n_out))), kappa=0.25, penalty="second_layer_l1")
    a, b = (
        net.pack(
            [directions[rng.integers(few, size=m)] * rng.choice([1.0, 0.5], (m, 1)), rng.standard_normal((n_out, m))]
        )
        for _ in range(2)
    )
    assert pivots.units_needed(risk, a, b, exact=True) <= m
    path = pivots.connect(risk, a, b, exact=exact)
    assert_pieces(risk, path, a, b)
    assert exchange.report(risk, path).excess <= 1e-12 * (1 + max(risk(a), risk(b)))


# --- the path norm ---------------------------------------------------------------------------------------------------


def under_path_norm(risk):
    """The same risk with the path norm as penalty; where `Risk` has none yet the name is all that the walk reads."""
    try:
        return Risk(risk.network, risk.sample, kappa=risk.kappa, penalty="path")
    except ValueError:
        bare = Risk(risk.network, risk.sample, kappa=risk.kappa, penalty="second_layer_l1")
        object.__setattr__(bare, "penalty", "path")
        return bare


def path_norm_risk(risk, theta):
    W, V = risk.network.weights(theta)
    out = risk.network(theta, risk.sample.X)
    data = risk.sample.weights @ ((out - risk.sample.Y) ** 2).sum(axis=1)
    lengths = np.append(np.linalg.norm(W, axis=1), [1.0] * risk.network.bias)
    return data + risk.kappa * np.linalg.norm(V, axis=0) @ lengths


@instances(80)
@given(
    seed=seeds,
    kinds=st.tuples(st.sampled_from(KINDS[:-2]), st.sampled_from(KINDS)),
    activation=st.sampled_from(ACTIVATIONS),
    n_out=st.integers(1, 3),
    bias=st.booleans(),
    exact=st.booleans(),
)
def test_vector_outputs_under_the_path_norm(seed, kinds, activation, n_out, bias, exact):
    """R = sum |W_2 e_i| |w_i|: atoms z_j v_j^T, N n_out + 1 units; rows of norm zero cost nothing and are atoms too."""
    risk, a, b = problem(np.random.default_rng(seed), kinds, activation=activation, n_out=n_out, N=2, bias=bias)
    risk = under_path_norm(risk)
    try:
        path = pivots._connected(risk, a, b, exact)
    except simplex.Lost:
        assert not exact
        return
    assert_pieces(risk, path, a, b)
    values = [path_norm_risk(risk, p) for p in path.points]
    level = max(values[0], values[-1])
    assert max(values) <= level + (1e-12 if exact else 1e-9) * (level + risk.sample.energy)


# --- refusals, ends, controls ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": Network((1, 3, 3, 1)), "penalty": None, "kappa": 0.0}, "one hidden layer"),
        ({"network": Network((1, 3, 1), output="relu")}, "identity output"),
        ({"penalty": "ridge"}, "linear in masses"),
    ],
)
def test_what_is_not_proved_is_refused(change, message):
    given_ = {
        "network": Network((1, 3, 1)),
        "sample": Sample([[1.0]], [[1.0]]),
        "kappa": 0.1,
        "penalty": "second_layer_l1",
    }
    risk = Risk(**(given_ | change))
    with pytest.raises(ValueError, match=message):
        pivots.connect(risk, np.zeros(risk.network.size), np.ones(risk.network.size))


def test_equal_ends_and_nets_that_do_nothing():
    risk, a, _ = problem(np.random.default_rng(0), ("plain", "plain"))
    assert len(pivots.connect(risk, a, a)) == 0
    net = Network((1, 1, 1))
    dead = Risk(net, Sample([[1.0]], [[2.0]]), kappa=1.0, penalty="second_layer_l1")
    path = pivots.connect(dead, [-1.0, 3.0], [-2.0, -5.0])
    assert_pieces(dead, path, np.array([-1.0, 3.0]), np.array([-2.0, -5.0]))
    assert dead.batch(path.points).max() == 9.0


def needs_the_face():
    """A and B: the same function at the same cost, two atoms each, and three slots. Both are optima of the program."""
    risk = Risk(Network((2, 3, 1)), Sample(np.eye(2), [[0.0], [0.0]]), kappa=1.0, penalty="second_layer_l1")
    a, b = (risk.network.pack([[[1.0, s], [1.0, t], [0.0, 0.0]], [[1.0, 1.0, 0.0]]]) for s, t in ((1, 4), (2, 3)))
    return risk, a, b


@pytest.mark.parametrize("exact", [True, False])
def test_the_optimal_face_is_walked(exact):
    risk, a, b = needs_the_face()
    path = pivots.connect(risk, a, b, exact=exact)
    assert any("optimal face" in label for label in path.labels)
    assert np.ptp(risk.batch(path.points)) <= 1e-13


def test_control_stopping_before_the_optimal_face_leaves_no_slot(monkeypatch):
    risk, a, b = needs_the_face()
    primal, calls = simplex.primal_simplex, []

    def twice(*arguments):
        calls.append(1)
        return primal(*arguments) if len(calls) <= 2 else iter(())

    monkeypatch.setattr(simplex, "primal_simplex", twice)
    with pytest.raises(simplex.Lost, match="no idle slot"):
        pivots.connect(risk, a, b, exact=True)


def test_control_a_wrong_pivot_is_caught(monkeypatch):
    """The largest ratio in place of the smallest: weights would turn negative, and the function is lost."""
    caught = 0
    honest = simplex._smallest
    for seed in range(12):
        risk, a, b = problem(np.random.default_rng(seed), ("plain", "plain"), N=3, n_out=1)
        monkeypatch.setattr(simplex, "_smallest", lambda p, r, *rest: int(p[int(np.argmax(r))]))
        try:
            excess = exchange.report(risk, pivots.connect(risk, a, b, exact=True)).excess
        except ValueError:
            excess = np.inf
        monkeypatch.setattr(simplex, "_smallest", honest)
        assert exchange.report(risk, pivots.connect(risk, a, b, exact=True)).excess <= 1e-12 * (
            1 + max(risk(a), risk(b))
        )
        caught += excess > 1e-6
    assert caught >= 3


@pytest.mark.parametrize("exact", [True, False])
def test_units_of_measurement_do_not_matter(exact):
    risk, a, b = problem(np.random.default_rng(2), ("plain", "plain"), N=4, n_out=1)
    path = pivots.connect(risk, a, b, exact=exact)
    for shift in (-60, 40):
        scale = 2.0**shift
        sample = Sample(risk.sample.X * scale, risk.sample.Y * scale, risk.sample.weights)
        scaled = Risk(risk.network, sample, loss=risk.loss, kappa=risk.kappa * scale, penalty=risk.penalty)
        assert np.array_equal(pivots.connect(scaled, a, b, exact=exact).points, path.points)


def test_features_nearly_dependent_are_walked_in_rationals_when_floats_lose_the_way():
    rng = np.random.default_rng(0)
    N = 12
    net = Network((1, N + 1, 1), "tanh")
    risk = Risk(
        net, Sample(rng.standard_normal((N, 1)), rng.standard_normal((N, 1))), kappa=0.1, penalty="second_layer_l1"
    )
    lost = 0
    for _ in range(12):
        a, b = rng.standard_normal((2, net.size))
        path = pivots.connect(risk, a, b)  # 2 * 12 * 13 numbers: floats first
        assert exchange.report(risk, path).excess <= 1e-8
        try:
            pivots.connect(risk, a, b, exact=False)
        except simplex.Lost:
            lost += 1
    assert lost < 12


def test_problems_up_to_the_stated_size_are_walked_in_rationals_unless_said_otherwise(monkeypatch):
    """The units of both nets times the outputs on the sample: on either side of `EXACT`, in every way of reaching it."""
    walked, real = [], pivots._connected
    monkeypatch.setattr(pivots, "_connected", lambda risk, a, b, exact: walked.append(exact) or real(risk, a, b, exact))
    rng = np.random.default_rng(3)
    for N, n_out, m in ((2, 1, 4), (2, 2, 5), (3, 1, 4), (1, 3, 6)):
        risk = Risk(Network((2, m, n_out)), Sample(rng.standard_normal((N, 2)), rng.standard_normal((N, n_out))))
        a, b = rng.standard_normal((2, risk.network.size))
        for more in (-1, 0, 1):
            monkeypatch.setattr(pivots, "EXACT", 2 * m * N * n_out + more)
            for exact, expected in ((None, more >= 0), (True, True), (False, False)):
                walked.clear()
                pivots.connect(risk, a, b, exact=exact)
                assert walked == [expected]


def test_neither_end_is_changed():
    risk, a, b = problem(np.random.default_rng(1), ("plain", "plain"))
    before = a.copy(), b.copy()
    pivots.connect(risk, a, b)
    assert np.array_equal(a, before[0])
    assert np.array_equal(b, before[1])


def test_weights_beyond_the_floats_are_refused_by_name():
    risk = Risk(Network((2, 3, 1)), Sample([[1.0, 0.0], [0.0, 1.0]], [[1.0], [2.0]]))
    with pytest.raises(ValueError, match=r"theta.* too large|theta.* must"):
        pivots.connect(risk, np.full(9, 1e308), np.full(9, 1.0))
