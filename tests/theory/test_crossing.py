"""Two nets side by side: silent pieces and one refit, at any depth; what does not fit is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.crossing import cross, used_units
from theory.moves import Walk
from theory.networks import Network


@st.composite
def sparse_pairs(draw):
    """A net and two parameter vectors that use at most half of every layer, with idle rows of any kind."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    depth = draw(st.integers(2, 4))
    widths = (draw(st.integers(1, 3)), *(draw(st.integers(1, 5)) for _ in range(depth - 1)), draw(st.integers(1, 2)))
    net = Network(widths, bias=draw(st.booleans()))
    thetas = []
    for _ in range(2):
        W = net.weights(rng.integers(-2, 3, net.size).astype(float))
        for k in range(1, depth):
            idle = rng.permutation(widths[k])[widths[k] // 2 :]
            W[k][:, idle] = 0.0
        thetas.append(net.pack(W))
    return net, rng.standard_normal((4, widths[0])), *thetas


@given(sparse_pairs())
def test_two_nets_that_fit_side_by_side_are_joined_by_silent_pieces_and_one_refit(problem):
    """Off the sample too, the function is constant but on the piece of W_K, where it goes straight from A to B."""
    net, X, a, b = problem
    walk = Walk(net, a, X)
    cross(walk, b)
    path = walk.path
    assert np.array_equal(path.points[0], a)
    assert np.array_equal(path.points[-1], b)
    far = np.random.default_rng(0).standard_normal((7, net.widths[0]))
    before, after = net(a, far), net(b, far)
    for label, start, end in zip(path.labels, path.points[:-1], path.points[1:]):
        assert sum(not np.array_equal(start[s], end[s]) for s in net.slices) == 1
        if label == "refit across":
            middle = net((start + end) / 2, far)
            assert np.allclose(middle, (before + after) / 2, rtol=1e-12, atol=1e-12)
            before = after
        else:
            assert all(np.allclose(net(point, far), before, rtol=1e-12, atol=1e-12) for point in (start, end))


@given(sparse_pairs())
def test_rows_that_read_the_inputs_are_only_ever_those_of_the_two_nets(problem):
    """Nothing below the first layer is to be freed, so that its idle rows wait for those of B where they are."""
    net, X, a, b = problem
    walk = Walk(net, a, X)
    cross(walk, b)
    known = {row.tobytes() for theta in (a, b) for row in net.weights(theta)[0] + 0.0}
    assert {row.tobytes() for rows in net.weights(walk.path.points)[0] for row in rows + 0.0} <= known


@given(sparse_pairs())
def test_units_are_used_when_the_output_changes_with_them(problem):
    """One-sided: changing the row of a unit that is not used changes nothing."""
    net, X, a, _ = problem
    for layer, used in enumerate(used_units(net, a), start=1):
        W = net.weights(a.copy())
        W[layer - 1][~used] = 7.0
        assert np.array_equal(net(net.pack(W), X), net(a, X))


def test_crossing_is_refused_where_the_two_do_not_fit():
    net = Network((1, 2, 1))
    walk = Walk(net, [1, 2, 1, 1], [[1.0]])
    with pytest.raises(ValueError, match=r"crossing needs .* <= 2 in layer 1; got 2 \+ 1"):
        cross(walk, [3, 4, 0, 1])
    with pytest.raises(ValueError, match="theta_b must have shape"):
        cross(walk, [1.0])
