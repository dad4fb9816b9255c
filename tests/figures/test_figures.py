"""Every figure draws from its data; the command is usable and its files are what it says."""

import csv
import json

import numpy as np
import pytest

import figures
from checks.claims.sections_3_4 import published
from figures import __main__ as command
from figures import _experiments as experiments
from theory import polynomial_tasks

OURS = ("fig1", "fig2", "fig3", "movie", "spike")
QUICK = ("fig2", "fig3")


def test_the_figures_of_strings_are_found():
    assert set(OURS) <= set(figures.names())


@pytest.mark.parametrize("name", OURS)
def test_a_figure_says_what_to_see_and_what_would_refute_it(name):
    caption = figures.load(name).CAPTION
    assert "See:" in caption
    assert "refuted" in caption


@pytest.mark.parametrize("name", QUICK)
def test_a_figure_is_drawn_saved_and_drawn_again_from_its_data_bit_by_bit(name, tmp_path):
    picture, numbers = figures.make(name, tmp_path / "a", fast=True)[:2]
    again, _ = figures.make(name, tmp_path / "b", data=numbers)[:2]
    assert picture.stat().st_size > 5000
    assert picture.read_bytes() == again.read_bytes()
    with np.load(numbers, allow_pickle=False) as archive:
        assert json.loads(str(archive["versions"]))["numpy"] == np.__version__
        assert json.loads(str(archive["settings"])) == {"fast": True}
        caption = str(archive["caption"])
    assert caption.startswith(figures.load(name).CAPTION)
    assert caption.endswith(f"Smaller runs (`--fast`); `python -m figures {name}` has them in full.")
    drawn_again = figures.make(name, tmp_path / "again", data=numbers)[1]
    with np.load(drawn_again) as archive:
        assert str(archive["caption"]) == caption  # of the arrays, not of the command


@pytest.mark.parametrize("format", ["pdf", "svg"])
def test_vector_formats_are_written(format, tmp_path):
    assert figures.make("fig2", tmp_path, fast=True, format=format)[0].suffix == f".{format}"


def test_the_last_string_of_figure_2_and_3_is_certified():
    for name in QUICK:
        arrays = figures.compute(figures.load(name), fast=True)
        assert arrays["upper"] <= arrays["level"]


def test_figure_1_resumes_where_it_stopped_and_does_not_depend_on_the_workers(tmp_path, monkeypatch):
    size = {"points": 12, "steps": 5000, "out": tmp_path}
    first = experiments.run("quadratic", (0.1,), 1, **size)
    both = experiments.run("quadratic", (0.1, 0.125), 1, **size)
    assert all(row in both for row in first)
    monkeypatch.setattr(polynomial_tasks, "pair_rows", None)  # nothing is computed again
    monkeypatch.setattr(polynomial_tasks, "trained_ends", None)
    assert experiments.run("quadratic", (0.1, 0.125), 1, **size) == both
    monkeypatch.undo()
    afresh = experiments.run("quadratic", (0.1, 0.125), 1, points=12, steps=5000, jobs=2)
    assert afresh == both
    assert {row["preset"] for row in both} >= {"authors", "certified"}


def test_figure_1_draws_all_rows_and_writes_its_comparison(tmp_path):
    written = figures.make("fig1", tmp_path, fast=True, task="quadratic", pairs=1, steps=500, points=16)
    assert "two combined standard errors" in written[2].read_text()


def test_a_summary_is_mean_and_standard_error_of_accepted_pairs():
    rows = [
        {"preset": "authors", "level": 1.0, "pair": k, "accepted": ok, "beads": b}
        for k, (ok, b) in enumerate(((True, 3), (True, 5), (False, 99)))
    ]
    rows.append({**rows[0], "preset": "shortened"})
    assert experiments.summary(rows, (1.0,), "shortened", "beads")[0, 2:] == pytest.approx([1, 3])
    assert experiments.summary(rows, (1.0, 2.0), "authors", "beads")[0] == pytest.approx([4, 1 / np.sqrt(2), 2, 3])
    assert np.isnan(experiments.summary(rows, (1.0, 2.0), "authors", "beads")[1, 0])


def test_the_published_numbers_are_those_of_the_paper_s_plots():
    rows = list(csv.DictReader(published.FILE.read_text().splitlines()))
    tables = [table for task in published.TASKS for table in (published.lengths(task), published.beads(task))]
    assert len(rows) == sum(len(table) for table in tables) == 116
    assert all((table[:, 1] > 0).all() and (table[:, 2] >= 0).all() for table in tables)
    with pytest.raises(ValueError, match="task must be one of"):
        published.beads("mnist")


def test_the_command_lists_and_refuses(capsys, tmp_path):
    assert command.main([]) == 0
    assert "fig1" in capsys.readouterr().out
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    for argv in (
        ["no-such-figure"],
        ["fig1", "--task", "quartic"],
        ["fig1", "--pairs", "0"],
        ["fig2", "--data", str(tmp_path / "bad.npz"), "--out", str(tmp_path)],
        ["fig2", "fig3", "--data", "x.npz"],
    ):
        with pytest.raises(SystemExit) as stop:
            command.main(argv)
        assert stop.value.code == 2
        assert "Traceback" not in capsys.readouterr().err


def test_the_command_draws(tmp_path, capsys):
    assert command.main(["fig2", "--fast", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "fig2.png").exists()


def test_what_the_same_code_drew_with_the_same_settings_is_used_again(tmp_path, capsys, monkeypatch):
    words = ["fig2", "--fast", "--reuse", "--out", str(tmp_path)]

    def as_it_was():
        assert command.main(words) == 0
        return "as it was drawn" in capsys.readouterr().out

    assert not as_it_was()
    assert as_it_was()
    assert not figures.drawn("fig2", tmp_path, fast=False)  # other settings
    assert not figures.drawn("fig2", tmp_path, fast=True, format="svg")
    (tmp_path / "fig2.png").unlink()
    assert not as_it_was()
    monkeypatch.setattr(figures, "code", lambda: "another")
    assert not as_it_was()
    assert as_it_was()
    figures.make("fig2", tmp_path, data=tmp_path / "fig2.npz")  # drawn of numbers from elsewhere
    assert not figures.drawn("fig2", tmp_path, fast=True)
    (tmp_path / "fig2.npz").write_bytes(b"cut")
    assert not figures.drawn("fig2", tmp_path, fast=True)


def test_figures_are_chosen_by_the_claims_that_they_show(tmp_path, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(figures, "make", lambda name, *_, **__: made.append(name) or [])
    assert command.main(["all", "--claims", "alg-1-sound", "prop-2.3", "--out", str(tmp_path)]) == 0
    wanted = {
        name
        for name in figures.names()
        if {"alg-1-sound", "prop-2.3"}.intersection(getattr(figures.load(name), "CLAIMS", ()))
    }
    assert set(made) == wanted
    assert {"fig2", "kernel"} <= wanted
    assert command.main(["all", "--claims", "nobody", "--out", str(tmp_path)]) == 0
    assert set(made) == wanted


def test_a_mistake_is_one_line(capsys):
    with pytest.raises(SystemExit):
        command.main(["fig2", "--formt", "png"])
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "did you mean --format?" in error
