"""Where segments are cut: few cells, the same bounds whatever a pilot says, and no search that runs away."""

import numpy as np
import pytest
from test_maxima import deep

from theory.maxima import branch_and_bound, partitions, secants, segment_maxima, segment_maximum
from theory.networks import Network
from theory.risk import Risk, Sample

SAMPLES = 1_200


def problem(activation, hidden, seed, near=1.0):
    """Two random nets, or two near ones, on a smooth target."""
    rng = np.random.default_rng(seed)
    net = Network((4, *[8] * hidden, 1), activation, bias=True)
    X = rng.standard_normal((SAMPLES, 4))

    def point():
        return net.pack([rng.standard_normal(shape) * np.sqrt(2 / shape[1]) for shape in net.shapes])

    a = point()
    return Risk(net, Sample(X, np.sin(X[:, :1]))), a, a + near * (point() - (near == 1.0) * a)


def cells_of(monkeypatch, risk, a, b, gap=1e-3, **fault):
    """How many cells are bounded on the whole sample, and what is found."""
    counted = []
    cubics = secants.cubics

    def counting(of, *cells):
        counted.append(len(cells[-1]) if of.sample is risk.sample else 0)
        return fault["pilot"](of, *cells) if fault and of.sample is not risk.sample else cubics(of, *cells)

    with monkeypatch.context() as patch:
        patch.setattr(secants, "cubics", counting)
        found = segment_maximum(risk, a, b, gap=gap)
    return sum(counted), found


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_plan_saves_cells(monkeypatch, activation):
    planned, unplanned = 0, 0
    for seed, hidden in ((0, 3), (1, 4), (2, 5)):
        risk, a, b = problem(activation, hidden, seed)
        cells, found = cells_of(monkeypatch, risk, a, b)
        assert found.value <= found.upper <= found.value * (1 + 1e-3)
        planned += cells
        monkeypatch.setattr(branch_and_bound, "PILOT", 10**9)
        unplanned += cells_of(monkeypatch, risk, a, b)[0]
        monkeypatch.undo()
    assert planned < 0.9 * unplanned


def test_segments_are_cut_each_by_its_own_need_and_from_end_to_end():
    risk, a, b = problem("relu", 3, 0)
    near = a + 1e-3 * (b - a)
    starts, ends = np.stack([a, a, b]), np.stack([b, near, a])
    F = np.stack([risk.batch(starts), risk.batch(ends)])
    pilot = branch_and_bound.of_sample(risk).pilot
    found = partitions.cuts(
        pilot, starts, ends, F.max(axis=0), F.argmax(axis=0).astype(float), lambda best: best * 1.001
    )
    assert [len(part) for part in found][1] == 2  # a short segment is one cell
    for part in found:
        assert part[0] == 0
        assert part[-1] == 1
        assert (np.diff(part) > 0).all()
        assert len(part) <= partitions.MOST + 1
    together = segment_maxima(risk, starts, ends, gap=1e-3)
    for k in range(3):
        alone = segment_maximum(risk, starts[k], ends[k], gap=1e-3)
        assert max(alone.value, together.value[k]) <= min(alone.upper, together.upper[k])


@pytest.mark.parametrize("lie", [0.0, 1e-3, 1e3, np.inf, np.nan])
def test_what_a_pilot_says_wrongly_costs_cells_and_no_bound(monkeypatch, lie):
    risk, a, b = problem("relu", 2, 3)
    cubics = secants.cubics
    honest = cells_of(monkeypatch, risk, a, b)[1]

    def lying(of, *cells):
        ends, middles, square = cubics(of, *cells)
        return secants.Cubics(ends, ends + lie * (middles - ends), square)

    found = cells_of(monkeypatch, risk, a, b, pilot=lying)[1]
    assert max(found.value, honest.value) <= min(found.upper, honest.upper)
    assert found.upper <= found.value * (1 + 1e-3)


@pytest.mark.parametrize("gap", [1e-7, 1e-3, 0.5, 3.0])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_gap_is_honoured_with_its_share_for_the_rounding_of_the_value(activation, gap):
    risk, a, b = problem(activation, 4, 5)
    found = segment_maximum(risk, a, b, gap=gap)
    assert found.status.name == "CONVERGED"
    assert found.value <= risk((1 - found.t) * a + found.t * b) * (1 + 1e-15)
    assert found.upper <= found.value * (1 + gap)
    sharp = segment_maximum(risk, a, b)
    assert sharp.value <= found.upper
    assert found.value <= sharp.upper


def tent(thetas):
    """A risk on [0, 1]; highest, 1.5, at 0.6."""
    return 1.5 - 0.1 * np.abs(thetas[:, 0] - 0.6)


def test_rough_values_that_are_highest_elsewhere_do_not_make_a_search_run_away():
    """They fall where the risk rises; so what is highest is looked for below the highest bound as well."""
    counted = []

    def bounds(starts, ends, lo, hi):
        counted.append(len(lo))
        return tent(np.clip(0.6, lo, hi)[:, None]) + (hi - lo) ** 2

    landscape = branch_and_bound.BoundedRisk(tent, bounds, None, lambda thetas: 1.7 - 0.1 * thetas[:, 0])
    ends = np.array([[0.0], [1.0]])
    goal = branch_and_bound.Goal(1e-3)
    found = branch_and_bound.search(landscape, ends[:1], ends[1:], tent(ends[1:]), np.ones(1), goal, 3_000)
    assert not found.spent[0]
    assert 1.5 <= found.upper[0] <= 1.5 * (1 + 1e-3)
    assert sum(counted) <= 50  # 199, where only the highest rough value is looked at


def test_few_samples_have_no_pilot():
    risk, _, _ = deep(0)
    assert branch_and_bound.of_sample(risk).pilot is None


def test_a_segment_whose_length_overflows_is_tried_whole_and_in_silence():
    """The ends are numbers, their sum and difference are not; warnings are errors here."""
    risk = Risk(Network((1, 1, 1, 1)), Sample([[1e-308]], [[0.0]]))
    found = segment_maximum(risk, [1e308, 1, 1], [-1e308, 1, 2], budget=100)
    assert found.value <= found.upper
