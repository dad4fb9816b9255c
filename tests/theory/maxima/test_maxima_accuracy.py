"""What a maximum says about itself: when it is converged, when decided, and that its cells leave nothing out."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from exact_oracle import maximum as exact_maximum
from exact_oracle import risk_at
from hypothesis import given, settings
from hypothesis import strategies as st
from test_maxima import deep

from theory.maxima import branch_and_bound, evaluations, secants
from theory.maxima.results import Maxima, Maximum, Method, Status
from theory.maxima.segments import segment_maxima, segment_maximum
from theory.networks import Network
from theory.risk import Risk, Sample


def test_a_convex_piece_whose_residual_cancels_is_bounded_in_fractions():
    """The float bound allows for the rounding of 2^40, squared: 1e-5 above a risk of 2^-24, where that of the zero net is 1."""
    risk = Risk(Network((1, 2, 1)), Sample(np.ones((1, 1)), np.ones((1, 1))))
    a = np.array([2.0**40, 2.0**40, 1 + 2.0**-40, -1.0])
    b = a + np.array([0.0, 0.0, 2.0**-52, 0.0])
    found, true = segment_maximum(risk, a, b), exact_maximum(risk, a, b)[1]
    assert found.method is Method.CONVEX
    assert true <= Fraction(found.upper) <= true * (1 + Fraction(1, 10**11))
    assert found.status is Status.CONVERGED


@pytest.mark.parametrize("gap", [1e-1, 1e-3])
def test_a_maximum_within_its_gap_is_converged_and_one_told_from_the_ceiling_only_is_decided(gap):
    seen = set()
    for seed in range(40):
        risk, a, b = deep(seed)
        true = segment_maximum(risk, a, b, gap=1e-5)
        for share in (0.3, 0.9, 1.0005, 1.05, 1.5, 3.0):
            ceiling = share * true.value
            found = segment_maxima(risk, a[None], b[None], gap=gap, ceiling=ceiling)
            value, upper, status = found.value[0], found.upper[0], found.status[0]
            assert upper >= true.value
            if found.method[0] is Method.BRANCH_AND_BOUND:
                assert value > ceiling or upper <= ceiling * (1 + 2e-9) or status is Status.BUDGET
                if status is not Status.BUDGET:
                    assert (status is Status.CONVERGED) == (upper <= max(value, 0) * (1 + gap))
                seen.add(status)
    assert seen >= {Status.CONVERGED, Status.DECIDED}


def test_the_cells_of_a_segment_leave_no_number_out(monkeypatch):
    """Every end of a cell is an end of the cell that was split, or the beginning of the next: not one ulp is skipped."""
    bounds, generations = secants.upper_bounds, []

    def watched(risk, starts, ends, lo, hi, *more):
        generations.append((lo.tolist(), hi.tolist()))
        return bounds(risk, starts, ends, lo, hi, *more)

    monkeypatch.setattr(secants, "upper_bounds", watched)
    for seed in range(30):
        risk, a, b = deep(seed)
        generations.clear()
        if segment_maximum(risk, a, b, gap=1e-5).method is not Method.BRANCH_AND_BOUND:
            continue
        starts, ends = {0.0}, {1.0}
        for lo, hi in generations:
            assert set(lo) <= starts | set(hi)
            assert set(hi) <= ends | set(lo)
            assert all(a < b for a, b in zip(lo, hi))
            starts, ends = set(lo), set(hi)


def test_segments_that_do_not_meet_are_bounded_at_their_own_ends():
    """Convex segments, the higher end of which is rounded down as often as up: the bound is of that end, not of a neighbour's."""
    rounded_down = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        net = Network((2, 3, 1))
        risk = Risk(net, Sample(rng.standard_normal((4, 2)), rng.standard_normal((4, 1))))
        starts = rng.standard_normal((3, net.size))
        ends = starts.copy()
        ends[:, net.slices[1]] += 10 * rng.standard_normal((3, 3))
        found = segment_maxima(risk, starts, ends)
        for start, end, value, upper in zip(starts, ends, found.value, found.upper):
            true = max(risk_at(risk, start, end, Fraction(t)) for t in (0, 1))
            rounded_down += Fraction(value) < true
            assert Fraction(upper) >= true
    assert rounded_down > 10


def test_every_segment_meets_its_own_gap_however_high_another_is():
    rng = np.random.default_rng(2)
    net = Network((1, 3, 2, 1), "tanh")
    risk = Risk(net, Sample(rng.standard_normal((6, 1)), rng.standard_normal((6, 1))))
    starts, ends = rng.standard_normal((2, 4, net.size)) * np.array([0.1, 1.0, 3.0, 9.0])[:, None]
    found = segment_maxima(risk, starts, ends, gap=1e-5)
    assert found.value.max() > 3 * found.value.min()
    assert (found.upper <= found.value * (1 + 1e-5)).all()


# ---------------------------------------------------------------- the search itself, on functions written down


class Hills:
    """S functions of t, each a few hills; a cell is bounded by its highest point and `bend` times its width squared."""

    def __init__(self, rng, count, bend):
        self.c, self.bend, self.rounds = rng.uniform(0.5, 1.5, (count, 3)), bend, []

    def at(self, s, t):
        a, b, c = np.moveaxis(self.c[s], -1, 0)
        return a + 0.3 * np.sin(9 * b * t) * c

    def values(self, points):
        return self.at(points[:, 0].astype(int), points[:, 1])

    def cells(self, starts, ends, lo, hi):
        s = starts[:, 0].astype(int)
        self.rounds.append(list(zip(s.tolist(), lo.tolist(), hi.tolist())))
        t = lo + np.linspace(0, 1, 33)[:, None] * (hi - lo)
        return self.at(s, t).max(axis=0) + self.bend * (hi - lo) ** 2


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(1, 3),
    bend=st.sampled_from([0.01, 1.0, 30.0]),
    gap=st.sampled_from([1e-2, 1e-4]),
    ceiling=st.one_of(st.none(), st.floats(0.5, 2.0)),
    budget=st.sampled_from([3, 20, 4000]),
)
def test_a_search_splits_what_does_not_decide_into_as_many_as_its_excess_asks_for(
    seed, count, bend, gap, ceiling, budget
):
    """Played again cell by cell: what is done, what is cut, into how many, and what is said at the end."""
    hills = Hills(np.random.default_rng(seed), count, bend)
    starts = np.column_stack([np.arange(count), np.zeros(count)]).astype(float)
    ends = starts + [0.0, 1.0]
    risk = branch_and_bound.BoundedRisk(hills.values, hills.cells)  # without a coarse one
    first = np.maximum(hills.values(starts), hills.values(ends))
    goal = branch_and_bound.Goal(gap, ceiling, scale=1.0)
    found = branch_and_bound.search(risk, starts, ends, first, np.zeros(count), goal, budget)
    value, upper, used, spent = first.copy(), np.full(count, -np.inf), np.zeros(count, int), np.zeros(count, bool)

    def goals():
        if ceiling is not None:
            return np.maximum(value * (1 + 1e-9), ceiling)
        return value + np.maximum(gap * value, min(gap, 1e-9))

    inherited = {(s, 0.0, 1.0): np.inf for s in range(count)}
    for cells in hills.rounds:
        assert sorted(cells) == sorted(inherited)
        bounds = {}
        for s, lo, hi in cells:
            own = hills.at(np.array([s]), lo + np.linspace(0, 1, 33) * (hi - lo)).max() + bend * (hi - lo) ** 2
            bounds[s, lo, hi] = min(float(own), inherited[s, lo, hi])
            used[s] += 1
        over = value > ceiling if ceiling is not None else np.zeros(count, bool)
        before, middles = goals(), {}
        for (s, lo, hi), bound in bounds.items():
            if bound > before[s] and not over[s]:
                middles[s, lo, hi] = float(hills.at(np.array([s]), 0.5 * (lo + hi))[0])
                value[s] = max(value[s], middles[s, lo, hi])
        over, allowed, inherited = value > ceiling if ceiling is not None else over, goals(), {}
        for (s, lo, hi), bound in bounds.items():
            if bound <= allowed[s] or over[s] or used[s] >= budget:
                upper[s] = max(upper[s], bound)
                spent[s] |= not (bound <= allowed[s] or over[s])
                continue
            excess = (bound - middles[s, lo, hi]) / max(allowed[s] - middles[s, lo, hi], 1e-300)
            k = int(np.clip(np.ceil(np.sqrt(max(excess, 0.0))), 2, 8 if hi - lo == 1 else 4))
            edges = [lo + i * ((hi - lo) / k) for i in range(k)] + [hi]
            inherited |= {(s, *cell): bound for cell in itertools.pairwise(edges)}
    assert not inherited
    assert found.upper == pytest.approx(upper)
    assert (found.value >= value).all()
    assert found.spent.tolist() == spent.tolist()
    assert not found.narrow.any()
    fine = np.linspace(0, 1, 2001)
    for s in range(count):
        true = hills.at(np.full(2001, s), fine).max()
        assert found.upper[s] >= true - 1e-6
        assert hills.at(np.array([s]), found.t[s])[0] == pytest.approx(found.value[s]) or found.value[s] == first[s]
        if not spent[s] and ceiling is None:
            assert found.upper[s] <= found.value[s] * (1 + gap) + 1e-9


# ---------------------------------------------------------------- what is printed, and what a path makes of its pieces


@given(st.floats(1e-300, 1e300), st.integers(0, 16), st.booleans())
def test_as_many_digits_are_printed_as_tell_both_ends_apart_and_no_more_than_that_and_six(value, digits, negative):
    value = -value if negative else value
    upper = value + abs(value) * 10.0**-digits
    shown = str(Maximum(value, upper, 0.25, Method.QUARTIC, Status.CONVERGED))
    left, right = shown.removeprefix("Maximum(").split(" at t = 0.25, QUARTIC, CONVERGED)")[0].split(" <= max <= ")
    if upper - value > 4 * np.spacing(abs(value)):
        assert left != right
        assert float(left) < float(right)
    apart = (upper - value) / abs(value)
    for word, number in ((left, value), (right, upper)):
        written = len(word.lstrip("-").split("e")[0].replace(".", "").lstrip("0"))
        assert float(word) == pytest.approx(number, rel=0.51 * max(1e-15, min(apart, 1e-5)))
        assert written <= max(6, min(17, digits + 3))


@pytest.mark.parametrize(("value", "upper"), [(0.0, 0.0), (0.0, 1e-9), (1.0, np.inf), (0.5, 0.5)])
def test_without_a_difference_that_counts_six_digits_are_printed(value, upper):
    assert str(Maximum(value, upper, 0.5, Method.CONVEX, Status.CONVERGED)).startswith(
        f"Maximum({value:.6g} <= max <= {upper:.6g} at t = 0.5, CONVEX"
    )


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_a_path_has_the_highest_value_of_its_pieces_where_that_is_and_the_highest_bound(seed, S):
    rng = np.random.default_rng(seed)
    value = rng.integers(0, 4, S).astype(float)
    upper, t = value + rng.integers(0, 3, S), rng.random(S)
    kinds = [list(Method)[k] for k in rng.integers(0, 4, S)], [list(Status)[k] for k in rng.integers(0, 4, S)]
    found = Maxima(value, upper, t, *map(tuple, kinds))
    top = found.highest
    assert (top.value, top.upper) == (value.max(), upper.max())
    assert value[top.piece] == top.value
    assert top.piece == value.tolist().index(top.value)
    assert top.t * S == pytest.approx(top.piece + t[top.piece])
    rules = upper.tolist().index(top.upper)
    assert (top.method, top.status) == (kinds[0][rules], kinds[1][rules])
    for s in range(S):
        assert found[s] == Maximum(value[s], upper[s], t[s], kinds[0][s], kinds[1][s])
    assert str(found).startswith(f"Maxima({S} segment{'s' if S > 1 else ''}, the largest {value.max():.6g} <= max <= ")
    assert str(top).startswith(
        f"PathMaximum({value.max():.6g} <= max <= {upper.max():.6g} at t = {top.t:.6g} on piece "
    )
    assert str(Maxima(np.zeros(0), np.zeros(0), np.zeros(0), (), ())) == "Maxima(no segments)"


# ---------------------------------------------------------------- statuses, and how far a value is rounded down


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from([1, 3, 40]), st.floats(-0.2, 1.3), st.sampled_from([1e-2, 1e-6]))
def test_decided_is_said_where_the_side_of_the_ceiling_is_known_and_nowhere_else(seed, budget, share, gap):
    """share: of the way from the best value that is ever seen to the bound of a first look, and beyond both."""
    risk, a, b = deep(seed)
    rough = segment_maxima(risk, a[None], b[None], gap=gap, budget=1)
    ceiling = float(rough.value[0] + share * (rough.upper[0] - rough.value[0]))
    found = segment_maxima(risk, a[None], b[None], gap=gap, ceiling=ceiling, budget=budget)
    value, upper, status = found.value[0], found.upper[0], found.status[0]
    scale, small = risk.scale, min(gap, 1e-9)
    near = upper <= value + gap * value + small * max(scale, value)
    known = value > ceiling or upper <= ceiling
    assert (status is Status.CONVERGED) == near
    assert (status is Status.DECIDED) == (known and not near)
    if not near and not known:
        assert status in (Status.BUDGET, Status.ROUNDING)


@pytest.mark.parametrize("S", [1, 2, 3, 5])
def test_vertices_that_two_pieces_share_are_looked_at_once(monkeypatch, S):
    risk = Risk(Network((1, 2, 1)), Sample([[1.0], [-1.0]], [[1.0], [2.0]]))
    points = np.column_stack([np.ones((S + 1, 2)), np.random.default_rng(S).standard_normal((S + 1, 2))])
    asked, bounds, fits = [], evaluations.enclosures, Risk.unpenalised
    monkeypatch.setattr(evaluations, "enclosures", lambda *args: asked.append(len(args[1])) or bounds(*args))
    monkeypatch.setattr(Risk, "unpenalised", lambda self, thetas: asked.append(len(thetas)) or fits(self, thetas))
    joint = segment_maxima(risk, points[:-1], points[1:])
    assert asked == [S + 1, S + 1]
    assert set(joint.method) == {Method.CONVEX}
    apart = [segment_maximum(risk, a, b) for a, b in itertools.pairwise(points)]
    assert [joint[s] for s in range(S)] == apart


@pytest.mark.parametrize(("size", "gap"), [(1e4, 1e-4), (1e6, 1e-4), (1e8, 1e-2), (1e9, 1e-2)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rounding_takes_a_twentieth_of_the_gap_from_a_value_at_most_where_care_helps(size, gap, seed):
    """Two copies of a unit with weights that cancel: the risk is that of the net without them, and floats hardly see it."""
    rng = np.random.default_rng(seed)
    net, less = Network((2, 60, 1)), Network((2, 58, 1))
    X = rng.standard_normal((300, 2))
    sample, ends = Sample(X, np.sin(X[:, :1])), rng.standard_normal((2, net.size))
    small = []
    for theta in ends:
        W, V = net.weights(theta)
        W[1], V[0, :2], V[0, 2:] = W[0], (size, -size), V[0, 2:] / 8
        small.append(less.pack([W[2:], V[:, 2:]]))
    found = segment_maximum(Risk(net, sample), *ends, gap=gap)
    true = Risk(less, sample)((1 - found.t) * small[0] + found.t * small[1])
    assert true * (1 - 0.05 * gap) <= found.value <= true * (1 + 1e-12)
