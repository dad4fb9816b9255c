"""A figure looks the same whatever its reader has chosen for their own, and leaves that as it was."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

import figures

ROOT = str(Path(figures.__file__).resolve().parents[1])
CHOICES = {
    "text.usetex": True,
    "savefig.bbox": "tight",
    "savefig.transparent": True,
    "axes.grid": True,
    "axes.facecolor": "black",
    "figure.autolayout": False,
    "font.size": 30,
    "lines.linewidth": 7,
    "image.cmap": "jet",
    "axes.unicode_minus": False,
    "path.sketch": (1, 100, 2),
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return figures.make("fig2", tmp_path_factory.mktemp("plain"), fast=True)[:2]


def test_no_choice_of_the_user_changes_a_picture(plain, tmp_path):
    with matplotlib.rc_context(CHOICES):
        assert figures.make("fig2", tmp_path, data=plain[1])[0].read_bytes() == plain[0].read_bytes()
        assert {key: matplotlib.rcParams[key] for key in CHOICES} == CHOICES


def test_a_figure_leaves_backend_and_windows_alone(tmp_path):
    code = (
        "import sys, figures; figures.make('fig2', sys.argv[1], fast=True); print('matplotlib.pyplot' in sys.modules)"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": ROOT})
    assert done.stdout.split() == ["False"]


@pytest.mark.parametrize("text", ["", "text.usetex: True\n", "savefig.bbox: tight\naxes.grid: True\n"])
def test_no_matplotlibrc_and_no_backend_changes_a_picture(plain, tmp_path, text):
    (tmp_path / "matplotlibrc").write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": ROOT, "MPLBACKEND": "module://nobody.has.it"}
    words = [sys.executable, "-m", "figures", "fig2", "--data", str(plain[1]), "--out", "out"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "fig2.png").read_bytes() == plain[0].read_bytes()
