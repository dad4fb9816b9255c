"""Every notebook runs in fast mode, and its .ipynb is the twin of its script."""

import importlib.util
import json
import re
import runpy
from pathlib import Path as File

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from checks.exercises.attempts import EXERCISES

FOLDER = File(__file__).resolve().parents[1] / "notebooks"
SCRIPTS = sorted(FOLDER.glob("[0-9]_*.py"))


def pairing():
    spec = importlib.util.spec_from_file_location("pair", FOLDER / "pair.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_six():
    assert len(SCRIPTS) == 6


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_notebook_runs(script, monkeypatch, capsys):
    monkeypatch.setenv("HALFRECT_FAST", "1")
    mpl.use("agg", force=True)
    monkeypatch.setattr(plt, "show", lambda: None)
    runpy.run_path(str(script))
    plt.close("all")
    printed = capsys.readouterr().out
    assert "Traceback" not in printed
    attempts = script.read_text(encoding="utf-8").count("exercises.verify(")
    assert attempts == printed.count("fails. Smallest instance") > 0  # it ends with exercises, wrongly answered


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_pair_agrees(script):
    twin = script.with_suffix(".ipynb").read_text(encoding="utf-8")
    assert twin == pairing().notebook(script.read_text(encoding="utf-8")), "run python notebooks/pair.py"
    cells = json.loads(twin)["cells"]
    assert cells[0]["cell_type"] == "markdown"
    assert all(cell["source"] for cell in cells)


def test_every_exercise_is_quoted_in_one_notebook_and_tried_there():
    text = "".join(script.read_text(encoding="utf-8") for script in SCRIPTS)
    for call in ("show", "verify"):
        assert re.findall(rf'exercises\.{call}\("(ex-\d+)"', text) == list(EXERCISES)
