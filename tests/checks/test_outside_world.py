"""Where and how a program is started decides nothing: the folder, the terminal, the reader, the interpreter's options."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import checks
import figures
import theory
from checks import own_path, processes, programs, runner, sweeps
from checks.certificates import document, verify
from checks.claims.section_2_3_1.sec_2_3_1_tessellation import plane_task
from checks.report import folder
from theory.networks import Network
from theory.paths import Path as Polyline
from theory.risk import Risk, Sample

ROOT = Path(checks.__file__).resolve().parents[1]
SOURCES = [file for package in (theory, checks, figures) for file in Path(package.__file__).parent.rglob("*.py")]
OWN = ("theory", "figures", "halfrect", "numpy", "rich", "socket", "pickle", "subprocess")
OWN += ("json", "random", "statistics", "tokenize", "queue", "dataclasses", "pathlib")
MINE = "import pathlib, os\npathlib.Path(os.environ['MARK']).write_text(__file__)\n"


def python(*words, cwd, variables=(), stdout=subprocess.PIPE):
    """A Python of its own, to which our packages are known as after an installation."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MARK": str(cwd / "MARK"), **dict(variables)}
    return subprocess.run(
        [sys.executable, *map(str, words)], cwd=cwd, env=environment, stdout=stdout, stderr=subprocess.PIPE, check=False
    )


@pytest.fixture
def somebodys(tmp_path):
    """The folder of somebody's paper, which holds modules named as ours and as those that we import."""
    for name in OWN:
        (tmp_path / f"{name}.py").write_text(MINE, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A folder with verify.py and a certificate whose name not every terminal can show."""
    here = tmp_path_factory.mktemp("certificate")
    folder.begin(here)
    risk = Risk(Network((1, 1, 1)), Sample([[1.0]], [[1.0]]))
    document.save(here / "chemin-\u03b2.json", risk, Polyline([[1.0, 0.0], [1.0, 1.0]]), 1.0)
    return here


# --- the current folder ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "checks", "prop-2.1", "sec-2.1-saddle", "--jobs", 2],
        ["-m", "figures"],
        ["-m", "checks.gap", "--targets", "nobody"],
    ],
    ids=["checks", "figures", "gap"],
)
def test_a_program_runs_nothing_that_lies_in_the_current_folder(somebodys, words):
    if words[1] == "figures":
        (somebodys / "figures.py").unlink()  # Python itself would run that
    done = python(*words, cwd=somebodys)
    assert done.returncode == (2 if "nobody" in words else 0), done.stderr
    assert not (somebodys / "MARK").exists()


SWEEP = """
import sys
from checks import sweeps
if __name__ == "__main__":
    print(sweeps.run(dict, [{"k": 1}], sys.argv[1]))
"""


def test_a_process_that_is_started_runs_nothing_that_lies_in_the_current_folder(somebodys, tmp_path_factory):
    script = tmp_path_factory.mktemp("elsewhere") / "script.py"
    script.write_text(SWEEP, encoding="utf-8")
    (somebodys / "checks.py").write_text(MINE, encoding="utf-8")
    done = python(script, script.with_name("s"), cwd=somebodys)
    assert done.stdout.decode().strip() == "[{'k': 1}]", done.stderr
    assert not (somebodys / "MARK").exists()


COMMAND = "import sys; sys.argv[0] = '/usr/bin/halfrect'; from halfrect.command import program; sys.exit(program())"


def test_the_command_runs_nothing_that_lies_in_the_current_folder(somebodys):
    """Also where PYTHONPATH ends in a colon, so that the current folder is on the path."""
    variables = {"PYTHONPATH": f"{ROOT}{os.pathsep}"}
    done = python("-P", "-c", COMMAND, "list", "prop-2.1", cwd=somebodys, variables=variables)
    assert (done.returncode, done.stderr) == (0, b"")
    assert not (somebodys / "MARK").exists()


def test_whose_program_it_is():
    for words in (["-m"], ["-m", "x"], ["/usr/bin/halfrect"], ["halfrect.exe", "check"]):
        assert own_path.as_program(words)
    for words in ([], [""], ["-c"], ["halfrects.py"], ["/home/me/paper.py", "-m"]):
        assert not own_path.as_program(words)


def test_pictures_are_drawn_by_our_figures(somebodys, monkeypatch):
    """Also where the current folder is on the path, as in a notebook, and holds a checks of the user's."""
    (somebodys / "checks").mkdir()
    (somebodys / "checks" / "__init__.py").write_text(MINE, encoding="utf-8")
    (somebodys / "checks.py").write_text(MINE, encoding="utf-8")
    monkeypatch.chdir(somebodys)
    monkeypatch.setenv("MARK", str(somebodys / "MARK"))
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setattr(sys, "path", ["", str(somebodys), *sys.path])
    assert "no figure named no-such-figure" in folder.draw(somebodys, command=("figures", "no-such-figure"))
    assert not (somebodys / "MARK").exists()


def test_pictures_are_drawn_with_the_options_of_this_interpreter(monkeypatch):
    monkeypatch.setattr(sys, "warnoptions", ["error"])
    words = own_path.command("figures", "fig2")
    assert words[0] == sys.executable
    assert {"-P", "-Werror"} <= set(words)
    assert words[-2:] == ["figures", "fig2"]


def test_what_hides_us_elsewhere_is_named_and_not_run(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "theory.py").write_text(MINE, encoding="utf-8")
    before = os.pathsep.join([str(tmp_path / "lib"), str(ROOT)])
    done = python("-m", "checks", "--list", cwd=tmp_path, variables={"PYTHONPATH": before})
    assert done.returncode == 2
    assert done.stderr.decode().count("\n") == 1
    assert str(tmp_path / "lib" / "theory.py") in done.stderr.decode()
    assert not (tmp_path / "MARK").exists()


def test_a_checkout_is_no_strangers_folder(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert own_path.without_current_folder([str(ROOT), "x"]) == [str(ROOT), "x"]
    assert own_path.shadowed() == ""


def test_only_the_current_folder_is_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert own_path.without_current_folder(["", "/a", str(tmp_path), ".", "b"]) == ["/a", "b"]


# --- terminals -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alphabet", ["ascii", "cp1252"])
def test_what_a_terminal_cannot_show_is_replaced(certificate, alphabet):
    variables = {"PYTHONIOENCODING": alphabet}
    for words in (
        ["verify.py", "chemin-\u03b2.json"],
        ["-m", "checks", "verify", "chemin-\u03b2.json"],
        ["-m", "checks", "--list"],
        ["-m", "figures", "fig2", "--fast", "--out", "\u03b2"],
        ["-m", "checks.gap", "--help"],
    ):
        done = python(*words, cwd=certificate, variables=variables)
        assert done.returncode == 0, done.stderr
        assert done.stderr == b""
        done.stdout.decode(alphabet)
    done = python("-m", "figures", "\u03b2", cwd=certificate, variables=variables)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


PROGRAMS = {
    "verify.py": ["verify.py", "chemin-\u03b2.json"],
    "verify": ["-m", "checks", "verify", "chemin-\u03b2.json"],
    "list": ["-m", "checks", "--list"],
    "help": ["-m", "checks", "--help"],
    "claims": ["-m", "checks", "prop-2.1", "--jobs", "1", "--json", "l.json"],
    "figures": ["-m", "figures"],
    "gap": ["-m", "checks.gap", "--help"],
}


@pytest.mark.skipif(os.name != "posix", reason="pipes of another kind")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_closed_pipe_is_not_a_word(certificate, program):
    reads, writes = os.pipe()
    os.close(reads)
    try:
        done = python(*PROGRAMS[program], cwd=certificate, stdout=writes)
    finally:
        os.close(writes)
    assert done.stderr == b""
    assert done.returncode == 141 or (program in ("help", "gap") and done.returncode == 0)  # argparse says nothing
    if program == "claims":  # the files are written all the same
        assert json.loads((certificate / "l.json").read_text(encoding="utf-8"))["claims"][0]["status"] == "agrees"


def test_what_is_said_on_a_closed_standard_error_is_not_output(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stderr", None)
    assert programs.run(lambda: print("an error", file=sys.stderr) or 2, "halfrect") == 2
    assert capsys.readouterr().out == ""


# --- options of the interpreter ---------------------------------------------------------------------------------------


def decisive(tree):
    """The lines of assertions that a type checker does not need: -O leaves them out, so nothing may rest on them."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    return [node.lineno for node in found if not ast.unparse(node.test).endswith(" is not None") or node.msg]


def test_nothing_rests_on_an_assertion():
    assert [file for file in SOURCES if decisive(ast.parse(file.read_text(encoding="utf-8")))] == []
    assert decisive(ast.parse("assert x is not None\nassert x > 0")) == [2]


def test_without_assertions_and_docstrings_all_is_the_same(certificate):
    judged = "from checks import exercises; print(bool(exercises.verify('ex-9', lambda points: 1.0, examples=20)))"
    for words, says in (
        (["-m", "checks", "prop-2.1", "app-e1-threshold", "--jobs", 1], b"2 agree"),
        (["-m", "figures"], b"fig2"),
        (["-m", "checks.gap", "--help"], b"--widths"),
        (["verify.py", "--help"], b"usage"),
        (["verify.py", "chemin-\u03b2.json"], b"verified"),
        (["-c", judged], b"False"),
    ):
        done = python("-OO", *words, cwd=certificate)
        assert done.returncode == 0, done.stderr
        assert says in done.stdout


def test_no_warning_gets_out(certificate):
    """Each is an error here; that of a file that is opened in the machine's own encoding too, where it is our file."""
    # numpy before 2.1 itself opens files so
    own = ["-X", "warn_default_encoding"] if tuple(map(int, np.__version__.split(".")[:2])) >= (2, 1) else []
    for words in (
        [*own, "-m", "checks", "prop-2.1", "--jobs", 1, "--json", "l.json"],
        ["-m", "figures", "fig2", "--fast", "--out", "out"],
        [*own, "verify.py", "chemin-\u03b2.json"],
        ["-m", "checks", "prop-2.1", "app-e1-threshold", "--jobs", 2, "--html", "p.html"],
    ):
        done = python("-W", "error", *words, cwd=certificate)
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("reducible", [True, False])
def test_the_task_in_the_plane_needs_nothing_that_numpy_gives_up(reducible):
    """numpy.cross of vectors in the plane: deprecated in 2.0, refused from 2.5 on. Warnings are errors in the tests."""
    for seed in range(20):
        task = plane_task(np.random.default_rng(seed), reducible)
        W, V = task.risk.network.weights(task.theta_a)
        parallel = abs(W[0, 0] * W[1, 1] - W[0, 1] * W[1, 0]) < 1e-12
        assert reducible == (parallel or not V.any(axis=0).all())


# --- cores ---------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_only_the_cores_of_the_job_are_used():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert processes.cpus() == 1
    finally:
        os.sched_setaffinity(0, before)
    assert processes.cpus() == len(before)


def test_nobody_else_counts_cores():
    found = [f for f in SOURCES if "cpu_count" in f.read_text(encoding="utf-8") and f.name != "processes.py"]
    assert found == []


def test_windows_has_no_more_than_61_processes(monkeypatch):
    assert processes.allowed(100) == (61 if sys.platform == "win32" else 100)
    monkeypatch.setattr(sys, "platform", "win32")
    asked = []

    def refuse(workers, *_, **__):
        asked.append(workers)
        raise KeyboardInterrupt

    monkeypatch.setattr(processes, "ProcessPoolExecutor", refuse)
    monkeypatch.setattr(runner, "ProcessPoolExecutor", refuse)
    monkeypatch.setattr(sweeps, "cpus", lambda: 100)
    with pytest.raises(KeyboardInterrupt), sweeps._executor(None, 300):
        pass
    with pytest.raises(KeyboardInterrupt):
        next(runner.results(["prop-2.1"] * 100, jobs=100))
    assert asked == [61, 61]


# --- what is shipped -----------------------------------------------------------------------------------------------------


def test_what_is_no_python_is_shipped_too():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    for package in (theory, checks, figures):
        top = Path(package.__file__).parent
        assert (top / "py.typed").is_file()
        for file in top.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts and file.suffix not in (".py", ".png"):
                name = ".".join(file.parent.relative_to(ROOT).parts)
                assert any(file.match(pattern) for pattern in [*project.get(name, []), *project["*"]]), file


def test_the_verifier_stands_alone():
    tree = ast.parse(Path(verify.__file__).read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert set(names) <= {*sys.stdlib_module_names, "__future__"}
