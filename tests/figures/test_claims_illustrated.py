"""The figures of the mathematics: quick data, honest numbers, the same bytes twice, and tables of the user's."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest

import figures
from checks.claims import CATALOGUE
from figures import __main__ as command
from figures import quartic

OURS = ("kernel", "permutation", "product", "proof_step", "quartic", "segments", "width")
TABLES = ("kernel", "quartic", "segments", "width")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Every figure of OURS in fast mode: its arrays, picture and NPZ."""
    out = tmp_path_factory.mktemp("figures")
    files = {name: figures.make(name, out, fast=True)[:2] for name in OURS}
    return {name: (figures.read(numbers), picture, numbers) for name, (picture, numbers) in files.items()}


@pytest.mark.parametrize("name", figures.names())
def test_a_figure_says_which_claims_it_shows(name):
    module = figures.load(name)
    known = {claim for ids in CATALOGUE.values() for claim in ids}
    claims = getattr(module, "CLAIMS", ())
    assert set(claims) <= known
    assert claims or name not in OURS


@pytest.mark.parametrize("name", OURS)
def test_all_numbers_are_finite_and_the_settings_tell_the_seed(name, made):
    arrays, _, numbers = made[name]
    for key, array in arrays.items():
        assert array.dtype.kind in "US" or np.isfinite(array).all(), key
    with np.load(numbers, allow_pickle=False) as archive:
        settings = json.loads(str(archive["settings"]))
        assert str(archive["figure"]) == name
    assert settings["fast"]
    assert name == "permutation" or "seed" in settings


@pytest.mark.parametrize("name", OURS)
def test_the_same_bytes_twice(name, made, tmp_path):
    arrays, picture, numbers = made[name]
    again, numbers_again = figures.make(name, tmp_path, data=numbers)[:2]
    assert picture.read_bytes() == again.read_bytes()
    with np.load(numbers) as first, np.load(numbers_again) as second:
        assert set(first.files) - set(second.files) == {"code"}  # numbers from elsewhere are not this code's
        assert all(first[key].tobytes() == second[key].tobytes() for key in second.files)
    recomputed = figures.compute(figures.load(name), fast=True)
    assert set(recomputed) == set(arrays)
    assert all(np.array_equal(recomputed[key], arrays[key]) for key in arrays)


@pytest.mark.parametrize("name", OURS)
def test_panels_are_lettered_in_order(name, made):
    with figures.style():
        titles = [axis.get_title("left") for axis in figures.load(name).draw(made[name][0]).axes]
    letters = [title[1] for title in titles if title]
    assert letters == list("abcdef"[: len(letters)])
    assert all(re.match(r"\([a-f]\) .", title) for title in titles if title)
    assert len(letters) >= 2


@pytest.mark.parametrize("format", ["pdf", "svg"])
def test_vector_files_repeat_embed_their_fonts_and_hold_no_date(format, made, tmp_path):
    numbers = made["product"][2]
    one, two = (figures.make("product", tmp_path / k, data=numbers, format=format)[0].read_bytes() for k in "ab")
    assert one == two
    assert not re.search(rb"CreationDate|<dc:date>", one)
    if format == "pdf":
        assert b"/FontFile2" in one
    else:
        assert b"<text" not in one


def test_no_measure_leaves_the_sharp_bounds(made):
    arrays = made["kernel"][0]
    angle, value = arrays["band"].T
    slack = 1e-12
    assert (value <= np.cos(angle / 2) ** 2 + slack).all()
    assert (value >= np.maximum(np.cos(angle), 0) - slack).all()
    angle, lowest, highest = arrays["edges"].T
    assert lowest == pytest.approx(np.maximum(np.cos(angle), 0))
    assert highest == pytest.approx(np.cos(angle / 2) ** 2)
    for key in ("lack", "searched"):
        angle, value = arrays[key].T
        assert (value <= np.minimum(1, np.tan(angle / 2) ** -2) + 1e-9).all()
    assert (arrays["searched"][:, 1] > 0.9 * np.minimum(1, np.tan(arrays["searched"][:, 0] / 2) ** -2)).mean() > 0.5


def test_the_step_of_the_proof_breaks_at_120_and_135_degrees_and_not_before(made):
    arrays = made["proof_step"][0]
    angle, first, second, repaired = arrays["worst"].T
    assert ((first > 1) == (angle > 2 * np.pi / 3)).all()
    assert ((second > 1) == (angle > 3 * np.pi / 4)).all()
    assert repaired == pytest.approx(np.ones_like(repaired), rel=1e-6)
    assert first == pytest.approx(np.cos(angle / 2) ** -2 / 4, rel=1e-6)
    cloud = arrays["cloud"]
    for k, worst in ((1, first), (2, second)):
        limit = np.interp(cloud[:, 0], angle, worst)
        assert (cloud[:, k] <= 1.05 * limit + 1e-3)[cloud[:, 0] < angle[-1]].all()
        assert (cloud[:, k] > 1).any()
    assert (arrays["witness"][1:] > 1).all()


def test_each_segment_stays_below_what_it_is_allowed(made):
    arrays = made["segments"][0]
    upper, larger, actual, theorem, _ = arrays["allowed"].T
    assert (arrays["risk"].max(axis=1) <= upper * (1 + 1e-9)).all()
    assert (upper <= actual * (1 + 1e-9)).all()
    assert (actual <= theorem * (1 + 1e-9)).all()
    joint = np.isin(arrays["numbers"], ["(2)", "(5)"])
    assert (upper[~joint] <= larger[~joint] * (1 + 1e-9)).all()
    assert joint.any()
    assert (arrays["left_side"] <= arrays["corrected"]).all()
    assert (arrays["left_side"] > arrays["printed"][-1])[arrays["alpha"] < 1e-2].all()


def test_gaps_stay_below_what_tossing_coins_allows(made):
    arrays = made["width"][0]
    keys = [key for key in arrays if key.startswith("gap/")]
    assert len(keys) == 3
    for key in keys:
        gap, allowed = arrays[key], arrays[key.replace("gap", "allowed")]
        assert (gap <= allowed + 1e-9).all()
        assert (gap >= 0).all()


def test_the_product_moves_straight_once_and_the_risk_stays_at_its_level(made):
    arrays = made["product"][0]
    path, start, end = arrays["path"], arrays["path"][0], arrays["path"][-1]
    steps = (len(path) - 1) // int(arrays["pieces"])
    first, last = steps * int(arrays["straight"]), steps * (int(arrays["straight"]) + 1)
    assert path[: first + 1] == pytest.approx(np.tile(start, (first + 1, 1)))
    assert path[last:] == pytest.approx(np.tile(end, (len(path) - last, 1)))
    t = np.linspace(0, 1, steps + 1)[:, None]
    assert path[first : last + 1] == pytest.approx((1 - t) * start + t * end)
    assert arrays["upper"][0] <= arrays["level"] * (1 + 1e-9)
    assert arrays["line_risk"].max() > 1.5 * arrays["level"]


def test_the_exact_maximum_is_above_curve_and_grid_and_between_breaks_the_risk_is_quartic(made):
    arrays = made["quartic"][0]
    for name in ("nets", "hat"):
        _, value, upper = arrays[f"{name}/maximum"]
        assert arrays[f"{name}/grid"].max() < 0.95 * value
        assert max(arrays[f"{name}/risk"].max(), value) <= upper
    t, risk = (arrays[f"nets/{key}"] for key in ("t", "risk"))
    walls = np.concatenate([[0.0], arrays["nets/breaks"], [1.0]])
    tested = 0
    for low, high in pairwise(walls):
        there = (t >= low) & (t <= high)
        if there.sum() > 6:
            s = (t[there] - low) / (high - low)
            fit = np.polynomial.Polynomial.fit(s, risk[there], 4)
            assert np.abs(fit(s) - risk[there]).max() < 1e-9
            tested += 1
    assert tested > 5


def test_components_and_barriers_of_the_permutation_task(made):
    arrays = made["permutation"][0]
    assert len(arrays["orders_around"]) == 2
    assert len(arrays["orders_beside"]) == 6
    assert max(arrays["risk_around"], arrays["risk_beside"]) < 1e-20
    lower = arrays["lower"][np.isin(arrays["phi"], arrays["path_phi"])]
    assert (lower > 0).all()
    assert (arrays["path_upper"] >= lower).all()
    assert arrays["path_upper"] == pytest.approx(lower, abs=1e-6)


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((12, 2))
    file = tmp_path / "mine.csv"
    rows = "\n".join(",".join(map(str, [*x, np.sin(x.sum())])) for x in X)
    file.write_text(f"a,b,y\n{rows}\n")
    return file


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_users_is_drawn(name, table, tmp_path):
    assert figures.takes_table(name)
    numbers = figures.make(name, tmp_path, fast=True, data=table)[1]
    with np.load(numbers, allow_pickle=False) as archive:
        assert json.loads(str(archive["settings"]))["table"] == "mine.csv"


def test_what_cannot_be_drawn_is_refused(made, table, tmp_path, capsys):
    npz = made["product"][2]
    empty = tmp_path / "empty.npz"
    np.savez(empty, other=np.zeros(3))
    cut = tmp_path / "cut.npz"
    cut.write_bytes(npz.read_bytes()[:200])
    narrow = tmp_path / "narrow.csv"
    narrow.write_text("a,y\n1,2\n2,1\n3,5\n")
    for argv, words in (
        (["product", "--data", str(table)], "takes no table"),
        (["kernel", "--data", str(npz)], "written by product"),
        (["product", "--data", str(empty)], "must hold the arrays"),
        (["product", "--data", str(cut)], "must be an NPZ"),
        (["product", "--data", str(npz), "--seed", "3"], "seed cannot change it"),
        (["product", "--data", str(npz), "--fast"], "fast cannot change it"),
        (["kernel", "--data", str(narrow)], "two input columns"),
        (["kernel", "--seed", "-1"], "seed must be"),
        (["width", "--pairs", "0"], "pairs positive"),
        (["product", "--data", str(npz), "--out", str(table)], "File exists"),
    ):
        with pytest.raises(SystemExit) as stop:
            command.main([*argv, *([] if "--out" in argv else ["--out", str(tmp_path)])])
        assert stop.value.code == 2
        assert words in capsys.readouterr().err


def test_breakpoints_are_where_units_switch():
    from theory.networks import Network
    from theory.risk import Risk, Sample

    risk = Risk(Network((1, 1, 1)), Sample([[1.0], [-2.0]], [[0.0], [0.0]]))
    assert quartic.breakpoints(risk, np.array([-1.0, 1.0]), np.array([3.0, 1.0])) == pytest.approx([0.25, 0.25])


def test_a_run_finds_its_folder_made_so_that_it_can_keep_what_is_finished(tmp_path, monkeypatch):
    from types import SimpleNamespace

    def data(*, fast=False, out=None):
        (out / "kept.txt").write_text("done")
        return {"x": np.zeros(2)}

    def draw(arrays):
        from matplotlib.figure import Figure

        return Figure()

    monkeypatch.setattr(figures, "load", lambda name: SimpleNamespace(data=data, draw=draw, CAPTION=""))
    figures.make("kept", tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder" / "kept.txt").exists()
