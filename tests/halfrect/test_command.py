"""The command `halfrect`: words, exit status, one-line errors; nothing of the user's is run in our place."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import halfrect
from halfrect import command, files
from halfrect.command import main

ROOT = Path(__file__).parents[2]
rng = np.random.default_rng(0)


@pytest.fixture
def nets(tmp_path):
    """Two nets as NPZ of their state dicts, and a table."""
    for name in "ab":
        np.savez(
            tmp_path / f"{name}.npz",
            **{"0.weight": rng.normal(size=(3, 2)), "0.bias": rng.normal(size=3), "2.weight": rng.normal(size=(1, 3))},
        )
    X = rng.normal(size=(12, 2))
    rows = np.column_stack([X, X[:, 0] ** 2])
    np.savetxt(tmp_path / "table.csv", rows, delimiter=",", header="u,v,y", comments="")
    return tmp_path


def ran(capsys, *words):
    try:
        status = main([str(word) for word in words])
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    return status, out, err


def refused(capsys, says, *words):
    status, out, err = ran(capsys, *words)
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith("halfrect: ")
    assert says in err


@pytest.mark.parametrize("words", [(), ("--help",), ("help",), ("-h",)])
def test_help_names_every_command_with_examples(capsys, words):
    status, out, _ = ran(capsys, *words)
    assert status == 0
    assert all(f"\n  {name}" in out for name in command._COMMANDS)
    assert "Examples:" in out
    assert "Exit status: 0 done" in out


def test_the_version_is_that_of_the_package(capsys):
    assert ran(capsys, "--version") == (0, f"halfrect {halfrect.__version__}\n", "")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "halfrect.__version__"}
    assert project["project"]["scripts"] == {"halfrect": "halfrect.command:program"}
    assert f"version: {halfrect.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["chek"], "did you mean check?"),
        (["xyzzy"], "there are check, list, report"),
        (["prop-2.3"], "did you mean halfrect check prop-2.3?"),
        (["fig1"], "did you mean halfrect figures fig1?"),
        (["exercises", "ex1"], "did you mean ex-1 or ex-11?"),
        (["plot"], "plot takes a certificate"),
        (["plot", "nowhere.json"], "nowhere.json: No such file"),
        (["completion"], "for bash, zsh or fish"),
        (["notebooks", "a", "b"], "takes the name of a folder"),
        (["connect"], "the following arguments are required: A.npz, B.npz, --data"),
        (["connect", "a", "b", "--data", "c", "--plto", "d"], "did you mean --plot?"),
        (["connect", "a.npz", "b.npz", "--data", "nowhere.csv"], "nowhere.csv: No such file"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(capsys, words, says):
    refused(capsys, says, *words)


def test_an_unknown_option_of_another_command_has_a_suggestion(capsys):
    status, _, err = ran(capsys, "check", "--budgt", "quick")
    assert (status, err) == (2, "checks: unrecognized arguments: --budgt; did you mean --budget?\n")
    status, _, err = ran(capsys, "figures", "--fsat")
    assert status == 2
    assert err.endswith("--fsat; did you mean --fast?\n")


def test_help_of_a_command_bears_its_name(capsys):
    for name in ("check", "list", "report", "figures", "connect"):
        status, out, _ = ran(capsys, name, "--help")
        assert status == 0
        assert out.startswith(f"usage: halfrect {name}")


def test_list_and_check_are_those_of_checks(capsys):
    status, out, _ = ran(capsys, "list", "prop-2.1")
    assert status == 0
    assert "prop-2.1" in out
    status, out, _ = ran(capsys, "check", "sec-2.1-saddle", "--jobs", "1")
    assert status == 0
    assert "agrees" in out


def test_figures_and_exercises_are_listed(capsys):
    assert "fig1" in ran(capsys, "figures")[1]
    status, out, _ = ran(capsys, "exercises")
    assert status == 0
    assert out.startswith("ex-1 ")
    assert ran(capsys, "exercises", "ex-2")[1].startswith("ex-2 ")
    assert "Hint: " in ran(capsys, "exercises", "ex-2", "--hint")[1]
    assert ran(capsys, "exercises", "--help")[1].startswith("usage: halfrect exercises")


def test_the_path_of_a_certificate_is_drawn(capsys, nets, monkeypatch):
    monkeypatch.chdir(nets)
    ran(capsys, "connect", "a.npz", "b.npz", "--data", "table.csv", "--save", "path.json")
    assert ran(capsys, "plot", "path.json") == (0, "path.png\n", "")
    assert (nets / "path.png").read_bytes().startswith(b"\x89PNG")
    assert ran(capsys, "plot", "path.json", "other.svg") == (0, "other.svg\n", "")
    assert "<svg" in (nets / "other.svg").read_text(encoding="utf-8")
    refused(capsys, "file must be a certificate", "plot", "a.npz")
    refused(capsys, "is not supported", "plot", "path.json", "path.doc")


def test_notebooks_are_copied_and_never_overwritten(capsys, tmp_path):
    folder = tmp_path / "mine"
    status, out, _ = ran(capsys, "notebooks", folder)
    copied = sorted(path.name for path in folder.iterdir())
    assert status == 0
    assert copied == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert f'python -m pip install "{ROOT}[notebooks]" && jupyter lab "{folder}"' in out
    (folder / copied[0]).write_text("mine")
    assert "kept" in ran(capsys, "notebooks", folder)[1]
    assert (folder / copied[0]).read_text() == "mine"


def test_an_installation_has_the_notebooks_too(capsys, tmp_path, monkeypatch):
    """As a wheel puts them: recorded among the files of the package, outside it."""
    held = tmp_path / "share" / "1_mine.ipynb"
    held.parent.mkdir()
    held.write_text("{}")

    class File:
        suffix = ".ipynb"

        def locate(self):
            return held

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["setuptools"]["data-files"]["share/halfrect/notebooks"] == ["notebooks/*.ipynb"]
    monkeypatch.setattr(command.own_path, "ROOT", str(tmp_path))
    monkeypatch.setattr(command.metadata, "files", lambda name: [File()])
    out = ran(capsys, "notebooks", tmp_path / "out")[1]
    assert (tmp_path / "out" / "1_mine.ipynb").read_text() == "{}"
    assert 'pip install "halfrect[notebooks]"' in out
    monkeypatch.setattr(command.metadata, "files", lambda name: [])
    refused(capsys, "holds no notebooks", "notebooks", tmp_path / "other")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_claims_and_figures(capsys, shell):
    status, out, _ = ran(capsys, "completion", shell)
    assert status == 0
    assert "verify" in out
    assert "prop-2.3" in out
    assert "fig1" in out
    if shell == "bash":
        script = out + 'COMP_WORDS=(halfrect ver); COMP_CWORD=1; _halfrect; echo "${COMPREPLY[@]}"'
        assert subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout == "verify\n"


def test_two_nets_are_connected_drawn_saved_and_verified(capsys, nets):
    words = ["connect", nets / "a.npz", nets / "b.npz", "--data", nets / "table.csv"]
    words += ["--plot", nets / "p.png", "--save", nets / "p.json", "--path", nets / "p.npz"]
    status, out, err = ran(capsys, *words)
    assert status in (0, 1)
    assert out.startswith("table.csv: 12 rows, 2 inputs (u, v), target 'y'\nConnection(risk <= ")
    assert "straight" in out
    assert err == ""
    assert (nets / "p.png").read_bytes().startswith(b"\x89PNG")
    upper = json.loads((nets / "p.json").read_text())["upper"]
    assert ran(capsys, "verify", nets / "p.json")[0] == 0
    high = ran(capsys, *words[:5], "--level", 2 * upper)
    assert high[0] == 0
    refused(capsys, "level must be at least", *words[:5], "--level", "-1")
    refused(capsys, "loss must be one of", *words[:5], "--loss", "huber")
    refused(capsys, "must be", *words[:5], "--seed", "-1")


def test_files_that_hold_no_net_are_named(capsys, nets):
    refused(
        capsys,
        "table.csv: is not an NPZ archive",
        "connect",
        nets / "table.csv",
        nets / "b.npz",
        "--data",
        nets / "table.csv",
    )
    np.savez(nets / "c.npz", **{"conv.weight": np.ones((1, 1, 3, 3))})
    refused(
        capsys,
        "c.npz: conv.weight: convolutions",
        "connect",
        nets / "c.npz",
        nets / "b.npz",
        "--data",
        nets / "table.csv",
    )


def test_a_net_without_its_words_is_refused(tmp_path):
    np.savez(tmp_path / "net.npz", format="halfrect net 1", W1=np.ones((1, 1)))
    with pytest.raises(ValueError, match=r"net\.npz: holds no activation"):
        files.load(tmp_path / "net.npz")


def test_a_net_is_saved_and_loaded(tmp_path):
    for biases in (None, [np.ones(2), None]):
        net = halfrect.from_arrays([rng.normal(size=(2, 2)), rng.normal(size=(3, 2))], biases, activation="tanh")
        net = halfrect.Net(net.network, net.theta, np.array(["a", "b", "c"], dtype=object), "classification")
        files.save(net, tmp_path / "net.npz")
        again = files.load(tmp_path / "net.npz")
        assert again.network == net.network
        assert np.array_equal(again.theta, net.theta)
        assert again.classes.tolist() == ["a", "b", "c"]
        assert again.task == "classification"


def own(tmp_path, names):
    """A folder with modules of the user's that say so when they are run."""
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("raise SystemExit('a module of the user was run')\n")
    return tmp_path


CONSOLE = (
    "import sys; from halfrect.command import program; sys.argv[:] = ['halfrect', *sys.argv[1:]]; sys.exit(program())"
)


@pytest.mark.parametrize(
    "names", [["checks.py", "figures.py", "theory.py"], ["checks/__init__.py", "figures/__init__.py"]]
)
@pytest.mark.parametrize("way", ["console", "module"])
def test_modules_of_the_user_are_not_run_in_our_place(tmp_path, names, way):
    own(tmp_path, names)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    start = ["-P", "-c", CONSOLE] if way == "console" else ["-m", "halfrect"]
    done = subprocess.run(
        [sys.executable, *start, "figures"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "fig1" in done.stdout


def test_a_module_that_was_imported_before_ours_is_named(tmp_path):
    (tmp_path / "theory.py").write_text("")
    script = "import sys; sys.path.insert(0, sys.argv[1]); import theory; import halfrect"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "theory.py was imported as 'theory', and halfrect needs its own theory" in done.stderr.splitlines()[-1]


def test_importing_halfrect_imports_nothing_heavy():
    script = "import sys, halfrect; print(*sorted({'sklearn', 'matplotlib', 'hypothesis', 'cvxpy', 'sympy'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.stdout == "\n"
