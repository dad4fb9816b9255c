"""The figures of what came after the paper: deep routes, rates at depth, the wall of ridge."""

import json
from itertools import pairwise

import numpy as np
import pytest

import figures
from checks.claims import CATALOGUE
from figures import __main__ as command
from theory.networks import Network
from theory.risk import Risk, Sample
from theory.schatten_paths import wall

OURS = ("deep_routes", "rates", "ridge_wall")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Every figure of OURS in fast mode: its arrays, picture and NPZ."""
    out = tmp_path_factory.mktemp("deep")
    files = {name: figures.make(name, out, fast=True)[:2] for name in OURS}
    return {name: (figures.read(numbers), picture, numbers) for name, (picture, numbers) in files.items()}


@pytest.mark.parametrize("name", OURS)
def test_a_figure_shows_claims(name):
    module = figures.load(name)
    assert module.CLAIMS
    assert set(module.CLAIMS) <= {claim for ids in CATALOGUE.values() for claim in ids}


@pytest.mark.parametrize("name", OURS)
def test_numbers_are_finite_settings_are_kept_and_the_same_bytes_come_twice(name, made, tmp_path):
    arrays, picture, numbers = made[name]
    assert all(np.isfinite(array).all() for array in arrays.values())
    with np.load(numbers, allow_pickle=False) as archive:
        settings = json.loads(str(archive["settings"]))
    assert settings["fast"]
    assert "seed" in settings
    again = figures.make(name, tmp_path, data=numbers)[0]
    assert picture.read_bytes() == again.read_bytes()
    recomputed = figures.compute(figures.load(name), fast=True)
    assert set(recomputed) == set(arrays)
    assert all(np.array_equal(recomputed[key], arrays[key]) for key in arrays)


def test_each_route_stays_below_its_certified_maximum_and_the_idle_path_below_the_larger_end(made):
    arrays = made["deep_routes"][0]
    larger = arrays["ends"].max()
    for name in ("straight", "aligned", "string", "idle"):
        at, value, upper = arrays[f"top/{name}"]
        assert arrays[f"risk/{name}"].max() <= upper
        assert value <= upper <= 1.001 * value
        assert 0 <= at <= 1
        assert (np.diff(arrays[f"at/{name}"]) >= 0).all()
        assert arrays[f"risk/{name}"][[0, -1]] == pytest.approx(arrays["ends"], rel=1e-9)
    uppers = [arrays[f"top/{name}"][2] for name in ("straight", "aligned", "string", "idle")]
    assert all(higher > lower for higher, lower in pairwise(uppers))
    assert uppers[-1] <= larger * (1 + 1e-9)
    assert uppers[-2] <= 1.05 * larger * (1 + 1e-4)


def test_the_bound_on_the_error_is_above_every_held_out_rate_of_its_path_and_says_something(made):
    arrays = made["deep_routes"][0]
    assert arrays["error/idle"].max() <= arrays["error_bound"] < 0.3
    assert arrays["error/straight"].max() > arrays["error_bound"]  # what the bound would have to catch
    assert arrays["error/aligned"][[0, -1]] == pytest.approx(arrays["error/straight"][[0, -1]])


def test_no_pair_is_above_its_promise_and_the_promise_falls_as_the_theorem_says(made):
    arrays = made["rates"][0]
    for layers in (1, 2, 3):
        for tool in ("trees", "both"):
            assert (arrays[f"{tool}/{layers}"] <= arrays[f"promised/{layers}"] + 1e-9).all()
            assert (arrays[f"{tool}/{layers}"] >= 0).all()
        bound, zero = arrays[f"bound/{layers}"], arrays[f"zero/{layers}"]
        assert bound[-1] < zero[-1]  # it says something in the end
        slope = np.polyfit(np.log(arrays["far"][-6:]), np.log(bound[-6:]), 1)[0]
        assert slope == pytest.approx(-1 / (2 * layers - 1), abs=0.05)
    assert (arrays["trees/1"] > 1e-3).all()  # instances on which something has to go


def test_the_bound_of_one_hidden_layer_is_that_of_coin_tosses(made):
    """zeta = 1 and E Y^2 = 1: V^2 / floor(m / 2), V = min(lambda, 1 / 2) / kappa."""
    arrays = made["rates"][0]
    level = 1 - arrays["zero/1"]
    V = np.minimum(level, 0.5) / 0.05
    assert arrays["bound/1"] == pytest.approx(V**2 / (arrays["far"] // 2), rel=1e-9)


def test_paths_go_over_the_wall_of_ridge_and_nearly_meet_it_at_every_width(made):
    arrays = made["ridge_wall"][0]
    K, height, over = arrays["depths"], arrays["height"], arrays["over_ridge"]
    walled = K > 2
    formula = 0.1 * (K[walled] - 2) * 0.1 ** (2 / (K[walled] - 2))
    assert height[walled] == pytest.approx(formula, rel=1e-9)
    assert (over >= height[:, None]).all()
    assert (over[walled] <= 1.01 * height[walled, None]).all()
    assert over[~walled] == pytest.approx(0, abs=1e-9)
    assert (arrays["ridge"][:, -1] < 1).all()  # the ends are below the zero net


def test_the_control_has_no_wall_at_any_depth(made):
    arrays = made["ridge_wall"][0]
    assert arrays["over_path"] == pytest.approx(np.zeros_like(arrays["over_path"]), abs=2e-6)
    assert (np.diff(arrays["path"], axis=1) <= 1e-12).all()


def test_the_wall_is_that_of_linear_nets_too(made):
    """One input, one output: the wall of Schatten penalties, derived on its own, has the same height."""
    arrays, one = made["ridge_wall"][0], np.ones((1, 1))
    for K, height in zip(arrays["depths"], arrays["height"]):
        if K > 2:
            linear = Risk(Network((1,) * (K + 1), "identity"), Sample(one, one), kappa=0.1, penalty="ridge")
            assert wall(linear) - 1 == pytest.approx(height, rel=1e-9)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["deep_routes", "--seed", "-1"], "seed must be"),
        (["rates", "--pairs", "0"], "pairs positive"),
        (["ridge_wall", "--seed", "-2"], "seed must be"),
        (["rates", "--data", "mine.csv"], "takes no table"),
    ],
)
def test_what_cannot_be_drawn_is_refused(argv, words, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main([*argv, "--out", str(tmp_path)])
    assert stop.value.code == 2
    assert words in capsys.readouterr().err
