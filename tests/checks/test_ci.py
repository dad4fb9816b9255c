"""The scripts of .ci say what they find and fail when anything fails."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


def run(script, *words, path=None):
    environment = {**os.environ, "PATH": os.pathsep.join([*([str(path)] if path else []), os.environ["PATH"]])}
    words = ["bash", str(ROOT / ".ci" / script), *words]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)


@bash
@pytest.mark.parametrize("script", ["run", "matrix"])
def test_the_scripts_are_bash(script):
    assert os.access(ROOT / ".ci" / script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(ROOT / ".ci" / script)], check=False).returncode == 0


@bash
def test_bad_usage_is_refused():
    done = run("matrix", "everything")
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: " in done.stderr


@bash
def test_the_newest_python_is_taken_and_what_fails_there_fails(tmp_path):
    """The planted fault: a Python 3.29 that exists and cannot make an environment."""
    fake = tmp_path / "python3.29"
    fake.write_text('#!/bin/sh\ncase "$1" in -c) exit 0 ;; --version) echo Python 3.29.0 ;; *) exit 7 ;; esac\n')
    fake.chmod(0o755)
    done = run("matrix", "ledger", path=tmp_path)
    assert "newest: Python 3.29.0" in done.stdout
    assert done.returncode == 7


def test_every_dependency_has_a_floor():
    every = [*PROJECT["dependencies"], *(item for group in PROJECT["optional-dependencies"].values() for item in group)]
    assert [item for item in every if not re.fullmatch(r"[\w-]+(\[\w+\])?>=[\d.]+", item)] == []


def test_the_extras_are_those_of_the_design():
    wanted = {"test", "notebooks", "deep", "fast", "dask", "proofs", "browser", "docs", "lint", "mutation"}
    assert set(PROJECT["optional-dependencies"]) == wanted
