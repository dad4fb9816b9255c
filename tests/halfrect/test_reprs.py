"""Results print as one line that a person can read; no arrays."""

import numpy as np
import pytest

import halfrect
from theory import geodesics, relu_paths, string_sampling
from theory.barriers import permutation_barrier
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample

F = Risk(Network((1, 1, 1)), Sample([[1.0]], [[1.0]]))
FOUND = string_sampling.greedy(F, [0.25, 4.0], [4.0, 0.25], level=0.25, rng=0)
SHORT = geodesics.geodesic(F, Path([[0.5, 1.5], [0.5, 2.0], [1.0, 1.0], [2.0, 0.5]]), 0.25, sweeps=2)
ROUTES = relu_paths.routes(F, [0.25, 4.0], [4.0, 0.25], rng=0)
NET = halfrect.from_arrays([[[1.0], [0.0]], [[1.0, 0.0]]])
JOINED = halfrect.connect(NET, NET, [[1.0], [2.0]], [1.0, 3.0])


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (F, "Risk(Network((1, 1, 1)), Sample(1 sample, 1 input, 1 output), squared)"),
        (FOUND, "StringResult(CONNECTED, "),
        (FOUND.status, "Status.CONNECTED"),
        (SHORT, "Geodesic(from "),
        (ROUTES, "RouteTable(straight "),
        (ROUTES.best, "Route("),
        (permutation_barrier(Sample([[1.0], [-1.0]], [[1.0], [-1.0]]), 2), "Barrier(0.5 <= height <= 0.5, "),
        (NET, "Net(Network((1, 2, 1)), 4 parameters)"),
        (JOINED, "Connection(risk <= 0.5 certified by straight, "),
        (JOINED.routes[0], "Tried(straight: maximum <= 0.5"),
        (JOINED.path, "Path("),
        (JOINED.maximum, "PathMaximum(0."),
    ],
)
def test_a_result_is_one_line(result, says):
    text = repr(result)
    assert text.startswith(says)
    assert "\n" not in text
    assert "array" not in text
    assert len(text) < 250


def test_a_string_that_failed_says_so():
    failed = string_sampling.greedy(F, [0.25, 4.0], [4.0, 0.25], level=0.25, rng=0, attempts=1, depth=0)
    assert not failed.connected
    assert "not reached" in repr(failed)
    assert np.isfinite(failed.level)


def test_one_piece_is_a_piece():
    ends = [([[[1.0], [0.0]], [[1.0, 0.0]]], None), ([[[2.0], [0.0]], [[1.0, 0.0]]], None)]
    joined = halfrect.connect(*ends, [[1.0], [2.0]], [1.0, 3.0], level=10.0, rng=0)
    assert ", 1 piece, 1 x straight)" in repr(joined)
