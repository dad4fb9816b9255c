"""Every figure draws from its data; the command is usable and its files are what it says."""

import csv
import json
import re

import numpy as np
import pytest

import figures
from checks.claims.sections_3_4 import published
from figures import __main__ as command
from figures import _experiments as experiments
from figures import _runs, fig2
from theory import polynomial_tasks

OURS = ("fig1", "fig2", "fig3", "movie", "spike")
QUICK = ("fig2", "fig3")


def test_the_figures_of_strings_are_found():
    assert set(OURS) <= set(figures.names())


@pytest.mark.parametrize("name", figures.names())
def test_a_caption_is_two_sentences_the_second_says_what_would_refute_the_figure(name):
    caption = figures.load(name).CAPTION
    sentences = re.split(r"(?<=[.!?]) (?=[A-Z])", caption)
    assert len(sentences) == 2, sentences
    assert sentences[1].startswith("It would be refuted by ")
    assert len(caption.split()) <= 75


@pytest.mark.parametrize("name", QUICK)
def test_the_caption_lies_beside_the_picture_and_is_printed(name, tmp_path, capsys):
    assert command.main([name, "--fast", "--out", str(tmp_path)]) == 0
    written = (tmp_path / f"{name}.txt").read_text(encoding="utf-8")
    assert written.startswith(figures.load(name).CAPTION)
    assert " ".join(written.split()) in " ".join(capsys.readouterr().out.split())


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


def test_figure_2_puts_its_beads_at_computed_maxima_and_ends_below_the_level():
    arrays = figures.compute(figures.load("fig2"), fast=True)
    pieces = arrays["counts"] - 1
    for k, count in enumerate(pieces):
        risk, top = arrays["risks"][k], arrays["top"][k, :count]
        along = np.stack([risk[j * fig2.FINE : (j + 1) * fig2.FINE + 1] for j in range(count)])
        assert (along.max(axis=1) <= top * (1 + 1e-9)).all()
        assert along.max(axis=1) == pytest.approx(top, rel=0.01)  # a curve that misses its own star is not drawn
        assert (top.max() <= arrays["level"]) == (k == len(pieces) - 1)
    put = fig2._put(arrays, 0, arrays["strings"][1, :3])
    assert len(put) == 1
    ends = arrays["strings"][0, :2]
    assert put[0][0] == pytest.approx(ends[0] + arrays["where"][0, 0] * (ends[1] - ends[0]))


def test_shares_of_variance_are_those_of_the_covariance():
    points = np.random.default_rng(0).standard_normal((9, 5)) * [3, 1, 2, 0.1, 0.5]
    _, rows, shares = _runs.axes_of(points, 3)
    eigenvalues = np.sort(np.linalg.eigvalsh(np.cov(points.T)))[::-1]
    assert shares == pytest.approx(eigenvalues[:3] / eigenvalues.sum())
    assert rows @ rows.T == pytest.approx(np.eye(3))


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
    caption = tmp_path / "caption.txt"
    caption.write_text("What it shows.")
    monkeypatch.setattr(figures, "make", lambda name, *_, **__: made.append(name) or [caption])
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
