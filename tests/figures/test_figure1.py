"""The shipped runs of Figure 1: what they must satisfy, cells made again, and the rows of deep nets."""

import csv

import numpy as np
import pytest

import figures
from figures import __main__ as command
from figures import _experiments as experiments
from figures import _figure1, fig1, spike
from theory import polynomial_tasks

DEEP = (
    "task,level,pair,seed,beads,length,status,sampled_max,certified_lower,certified_upper,straight_max,void_beads,"
    "void_length,void_max,n_test,interval,settings\n"
)


@pytest.fixture(scope="module")
def shipped():
    return {task: _figure1.read(_figure1.file_of(task, polynomial_tasks.ALPHA)) for task in polynomial_tasks.TASKS}


@pytest.mark.parametrize("task", polynomial_tasks.TASKS)
def test_the_shipped_runs_are_those_of_the_figure_s_own_command(task, shipped):
    records, settings = shipped[task]
    assert {key: settings[key] for key in fig1.SIZE} == fig1.SIZE
    assert settings["task"] == task
    assert {r["level"] for r in records} == set(polynomial_tasks.LEVELS[task])
    assert {r["pair"] for r in records} == set(range(settings["pairs"]))
    assert len({(r["level"], r["pair"], r["preset"]) for r in records}) == len(records)


@pytest.mark.parametrize("task", polynomial_tasks.TASKS)
def test_what_is_called_certified_is_below_its_level_and_what_the_authors_accept_below_eleven_tenths(task, shipped):
    for record in shipped[task][0]:
        assert record["value"] <= record["upper"] * (1 + 1e-7)  # one to eight digits
        assert record["length"] >= 1 - 1e-7
        assert record["beads"] >= 2
        if record["accepted"] and record["preset"] in ("certified", "shortened"):
            assert record["upper"] <= record["level"]
        if record["accepted"] and record["preset"] == "authors":
            assert record["value"] <= 1.2 * record["level"]  # the grid sees most of it


@pytest.mark.parametrize(
    ("task", "level", "pair"), [("quadratic", 0.125, 1), ("quadratic", 0.05, 4), ("cubic", 0.32, 0), ("cubic", 0.24, 0)]
)
def test_cells_of_the_shipped_runs_are_made_again(task, level, pair, shipped):
    size = fig1.SIZE
    risk = polynomial_tasks.task(task, points=size["points"])
    rng = [size["seed"], pair // experiments.CHUNK * experiments.CHUNK]
    ends = polynomial_tasks.trained_ends(risk, [level], 2 * experiments.CHUNK, rng=rng, steps=size["steps"])
    a, b = ends.reshape(experiments.CHUNK, 2, -1)[pair % experiments.CHUNK]
    rows = polynomial_tasks.pair_rows(
        risk, a, b, level, alpha=size["alpha"], steps=size["steps"], rng=[size["seed"], pair]
    )
    held = {r["preset"]: r for r in shipped[task][0] if r["level"] == level and r["pair"] == pair}
    assert {row.preset for row in rows} == set(held) - {"straight"}
    for row in rows:
        kept = held[row.preset]
        assert (row.accepted, row.status) == (kept["accepted"], kept["status"])
        exact = row.preset != "shortened"  # which ends where a tolerance is met
        assert not exact or row.beads == kept["beads"]
        assert row.length_weights == pytest.approx(kept["length_weights"], rel=1e-6 if exact else 1e-3)
        assert row.value == pytest.approx(kept["value"], rel=1e-6 if exact else 1e-2)


def test_records_are_read_as_they_were_written_and_bounds_to_the_last_digit(tmp_path):
    record = {"level": 0.1, "pair": 3, "preset": "authors", "accepted": True, "status": "ACCEPTED", "beads": 4}
    record |= {"length": 4 / 3, "length_weights": 1.0, "value": 0.1, "upper": 0.1 + 1e-16}
    file = tmp_path / "runs.csv"
    _figure1.write(file, [record], {"task": "quadratic"})
    (held,), settings = _figure1.read(file)
    assert settings == {"task": "quadratic"}
    assert held["upper"] == record["upper"]
    assert held["length"] == pytest.approx(4 / 3, rel=1e-7)
    assert {key: held[key] for key in ("level", "pair", "preset", "status", "beads")} == {
        key: record[key] for key in ("level", "pair", "preset", "status", "beads")
    }


def test_the_deep_rows_are_read_in_the_paper_s_units_and_what_is_unknown_is_left_out(tmp_path):
    file = tmp_path / "figure1_deep.csv"
    file.write_text(
        DEEP + "mnist,0.04,0,7,4,1.01,connected,0.039,,,0.3,3,1.005,0.05,10000,,\n"
        "mnist,0.04,1,8,5,1.03,depth,0.06,,,0.2,,,,10000,,\n"
        "lstm,200,0,1,3,1.2,CONNECTED,190,,199,4000,3,1.2,190,10000,,\n"
    )
    found = _figure1.deep(file)
    assert set(found) == {"mnist_cnn", "ptb_lstm"}
    summary = {p: _figure1.summary(found["mnist_cnn"], (4.0,), p, "height")[0] for p in ("checked", "void", "straight")}
    assert summary["checked"] == pytest.approx([0.975, 0, 1, 2])
    assert summary["void"] == pytest.approx([1.25, 0, 1, 2])
    assert summary["straight"] == pytest.approx([6.25, 1.25 / np.sqrt(2), 2, 2])
    assert _figure1.summary(found["mnist_cnn"], (4.0,), "certified", "height")[0, 2] == 0
    assert _figure1.summary(found["ptb_lstm"], (200.0,), "certified", "height")[0, 0] == pytest.approx(199 / 200)
    assert _figure1.deep(tmp_path / "none.csv") == {}


@pytest.mark.parametrize(
    "row", ["vgg,0.04,0,7,4,1.01,connected,0.039,,,0.3,3,1,0.05,10000,,", "mnist,four,0,7,4,1,connected,,,,,,,,,,"]
)
def test_a_deep_file_that_is_none_is_refused_by_its_row(tmp_path, row):
    file = tmp_path / "figure1_deep.csv"
    file.write_text(f"{DEEP}{row}\n")
    with pytest.raises(ValueError, match=r"figure1_deep\.csv, row 2"):
        _figure1.deep(file)


def test_deep_rows_are_drawn_where_their_file_is_and_the_note_says_which_rows_are_published_only(tmp_path, monkeypatch):
    file = tmp_path / "figure1_deep.csv"
    file.write_text(DEEP + "mnist,0.04,0,7,4,1.01,connected,0.039,,,0.3,3,1.005,0.05,10000,,\n")
    monkeypatch.setattr(fig1._figure1, "deep", lambda: {})
    before = fig1.data()
    assert "As published only: (3), (4), (5)." in fig1.note(before)
    monkeypatch.undo()
    held = _figure1.deep(file)
    monkeypatch.setattr(fig1._figure1, "deep", lambda: held)
    after = fig1.data()
    assert "(3) MNIST 1" in fig1.note(after)
    assert "As published only: (4), (5)." in fig1.note(after)
    with figures.style():
        assert len(fig1.draw(after).axes) == len(fig1.draw(before).axes) == 15


def test_the_scale_of_heights_is_one_to_one():
    height = np.array([0.5, 0.99, 1.0, 1.01, 2.0, 500.0])
    assert fig1._back(fig1._near_one(height)) == pytest.approx(height)
    assert (np.diff(fig1._near_one(height)) > 0).all()


def test_a_summary_is_mean_and_standard_error_of_accepted_pairs():
    rows = [
        {"preset": "authors", "level": 1.0, "pair": k, "accepted": ok, "beads": b}
        for k, (ok, b) in enumerate(((True, 3), (True, 5), (False, 99)))
    ]
    rows.append({**rows[0], "preset": "shortened"})
    assert _figure1.summary(rows, (1.0,), "shortened", "beads")[0, 2:] == pytest.approx([1, 3])
    assert _figure1.summary(rows, (1.0, 2.0), "authors", "beads")[0] == pytest.approx([4, 1 / np.sqrt(2), 2, 3])
    assert np.isnan(_figure1.summary(rows, (1.0, 2.0), "authors", "beads")[1, 0])


def test_runs_with_a_number_of_pairs_write_their_table(tmp_path):
    written = figures.make("fig1", tmp_path, fast=True, task="quadratic", pairs=1)
    assert "two combined standard errors" in (tmp_path / "fig1_levels.txt").read_text()
    assert tmp_path / "fig1_levels.txt" in written
    rows = list(csv.DictReader((tmp_path / "figure1_quadratic.csv").read_text().splitlines()[1:]))
    assert {row["preset"] for row in rows} >= {"authors", "certified", "straight"}
    assert "Pairs at each level: (1) quadratic 0 to 1." in (tmp_path / "fig1.txt").read_text()


@pytest.mark.parametrize("argv", [["fig1", "--points", "12"], ["spike", "--seed", "1"]])
def test_other_settings_than_those_shipped_ask_for_pairs(argv, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main([*argv, "--out", str(tmp_path)])
    assert stop.value.code == 2
    assert "give a number of pairs" in capsys.readouterr().err


def test_the_spike_s_second_curve_has_the_same_ends_and_the_levels_near_it(shipped):
    """Beads alone are trained otherwise, so that the straight line between the ends of a pair is the same."""
    records, settings = _figure1.read(_figure1.file_of("cubic", 1.0))
    assert {key: settings[key] for key in fig1.SIZE} == fig1.SIZE | {"alpha": 1.0}
    lines = {(r["level"], r["pair"]): r["value"] for r in shipped["cubic"][0] if r["preset"] == "straight"}
    assert {r["level"] for r in records} == {x for x in polynomial_tasks.LEVELS["cubic"] if 0.13 < x < 0.19}
    for r in records:
        if r["preset"] == "straight" and r["pair"] < len({pair for _, pair in lines}):
            assert r["value"] == lines[r["level"], r["pair"]]


def test_the_spike_s_edges_are_where_the_constant_says():
    """Nets of the plateau are joined straight: from its edge on beads change nothing."""
    arrays = spike.data()
    c = float(arrays["constant"])
    for alpha in spike.ALPHAS:
        mean, _, count, _ = arrays[f"alpha {alpha:g}"].T
        beyond = (arrays["levels"] > c / alpha) & (count > 0)
        assert beyond.any()
        assert mean[beyond] == pytest.approx(1, abs=0.01)


def test_no_more_published_points_than_one_in_ten_lie_beyond_two_combined_errors():
    """What the caption says would refute the figure, held to the runs that are shipped."""
    arrays = fig1.data()
    for field in fig1.QUANTITIES:
        agree = np.concatenate([fig1.comparison(arrays, task, field)[:, 5] for task in polynomial_tasks.TASKS])
        assert len(agree) > 30
        assert agree.mean() >= 0.9
