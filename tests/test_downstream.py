"""What `checks` is for: a project of its own (tests/downstream), run from outside; it passes, and its bugs are found."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path as File

import checks

PROJECT = File(__file__).parent / "downstream"
BUGS = {
    "np.maximum(X @ w1, 0) * np.maximum(X @ w2, 0)": "np.maximum((X @ w1) * (X @ w2), 0)",  # two negatives count
    "net.pack([W_b, 0 * V_b]), theta_b]": "theta_a + (theta_b - theta_a)]",  # a vertex less; an end that is rounded
    '("down", "across", "up")': '("down", "up")',
}


def outcome(folder, *options):
    """The tests that passed and that failed, and what pytest printed, in a folder outside the repository."""
    installed = str(File(checks.__file__).parents[1])  # the tree or site-packages, whichever is being tested
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-v",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(folder),
            *options,
            str(folder),
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), installed])},
        check=False,
    )
    found = {word: set(re.findall(rf"::(\w+) {word}", done.stdout)) for word in ("PASSED", "FAILED")}
    return found["PASSED"], found["FAILED"], done.stdout + done.stderr


def test_a_project_outside_the_repository_tests_itself_with_predicates_and_strategies(tmp_path):
    shutil.copytree(PROJECT, tmp_path / "detour")
    passed, failed, printed = outcome(tmp_path / "detour")
    assert failed == set(), printed
    assert len(passed) == 4, printed


def test_bugs_planted_in_it_are_caught_each_by_its_test(tmp_path):
    shutil.copytree(PROJECT, tmp_path / "detour")
    code = (tmp_path / "detour" / "detour.py").read_text()
    for right, wrong in BUGS.items():
        assert code.count(right) == 1
        code = code.replace(right, wrong)
    (tmp_path / "detour" / "detour.py").write_text(code)
    passed, failed, printed = outcome(tmp_path / "detour", "--hypothesis-profile", "unshrunk")
    assert passed == set(), printed
    assert len(failed) == 4, printed
    assert printed.count("Judgement(holds=False, margin=-") >= 4  # with the margin, and where
