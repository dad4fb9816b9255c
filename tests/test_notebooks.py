"""Every notebook runs, and its .ipynb is the twin of its script, with outputs; each opens with a picture."""

import base64
import importlib.util
import json
import re
import runpy
from pathlib import Path as File

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from checks.exercises.attempts import EXERCISES

FOLDER = File(__file__).resolve().parents[1] / "notebooks"
SCRIPTS = sorted(FOLDER.glob("[0-9]_*.py"))
each = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
COMMAND = 'python -m pip install ".[notebooks]" && jupyter lab notebooks'
LARGEST = 200_000  # bytes of a notebook with its pictures


def pairing():
    spec = importlib.util.spec_from_file_location("pair", FOLDER / "pair.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(script):
    return json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]


def text_of(cell):
    return "".join("".join(output.get("text", [])) for output in cell.get("outputs", []))


def pictures(cell):
    return [output["data"]["image/png"] for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]


@pytest.fixture
def drawn(monkeypatch):
    """Runs a script without a screen; the number of pictures that it shows."""
    shown = []
    mpl.use("agg", force=True)
    monkeypatch.setattr(plt, "show", lambda: (shown.append(len(plt.get_fignums())), plt.close("all")))
    with mpl.rc_context():
        yield lambda script: (runpy.run_path(str(script)), shown)[1]
    plt.close("all")


def test_there_are_six():
    assert len(SCRIPTS) == 6


@each
def test_the_notebook_runs_as_stored(script, drawn, capsys):
    shown = drawn(script)
    printed = capsys.readouterr().out
    assert shown == [1] * sum(len(pictures(cell)) for cell in cells(script))
    attempts = [cell for cell in cells(script) if "exercises.verify(" in "".join(cell["source"])]
    assert attempts
    for (
        cell
    ) in attempts:  # it ends with exercises, wrongly answered; what is said of them does not depend on the machine
        assert "fails. Smallest instance" in text_of(cell)
        assert text_of(cell) in printed


@each
def test_the_pair_agrees(script):
    bare = [{**cell, "execution_count": None, "outputs": []} if "outputs" in cell else cell for cell in cells(script)]
    twin = json.loads(pairing().notebook(script.read_text(encoding="utf-8")))
    assert bare == twin["cells"], "run python notebooks/pair.py"
    assert all(cell["source"] for cell in bare)


@each
def test_outputs_are_stored_in_order_and_small(script):
    code = [cell for cell in cells(script) if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        source = "".join(cell["source"])
        assert bool(re.search(r"^ *print\(", source, flags=re.MULTILINE)) <= bool(text_of(cell))
        assert ("plt.show()" in source and "MY_TABLE" not in source) == bool(pictures(cell))
        for output in cell["outputs"]:
            assert output["output_type"] != "error"
            assert output.get("name") != "stderr"
        assert "/home/" not in json.dumps(cell["outputs"])
    assert script.with_suffix(".ipynb").stat().st_size < LARGEST


@each
def test_the_first_screen_is_a_picture(script):
    title, first = cells(script)[:2]
    head = "".join(title["source"])
    assert re.match(rf"# {script.name[0]}\. ", head)
    assert re.search(r"\*\*Level\*\* \*{1,3} · \w+ minutes · you need ", head)
    assert COMMAND in head
    assert len(head.splitlines()) <= 8
    assert len(first["source"]) <= 30  # and the picture begins on a small screen
    (picture,) = pictures(first)
    png = base64.b64decode(picture)
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert png.startswith(b"\x89PNG")
    assert 500 <= width <= 900
    assert 250 <= height <= 600


@each
def test_sections_say_why_and_what_to_see(script):
    texts = ["".join(cell["source"]) for cell in cells(script)[1:] if cell["cell_type"] == "markdown"]
    assert "**You should see**" in texts[0]
    sections = [text for text in texts if re.search("^## (?!Exercise|Your own)", text, flags=re.MULTILINE)]
    assert len(sections) >= 2
    for text in sections:
        assert re.search(r"\*\*Why\b[^*]*\*\*", text), text
        assert re.search(r"\*\*You should\s+see\*\*", text), text
    (exercises,) = [text for text in texts if "## Exercise" in text]
    assert 'exercises.hint("ex-' in exercises


def test_the_readme_prints_the_same_command_and_lists_them():
    lines = (FOLDER.parent / "README.md").read_text(encoding="utf-8").splitlines()
    assert COMMAND in lines
    for script in SCRIPTS:
        head = "".join(cells(script)[0]["source"])
        title, stars, time = re.search(r"# (.*)\n\n\*\*Level\*\* (\*+) · (\w+ minutes)", head).groups()
        assert f"| [{title}](notebooks/{script.stem}.ipynb) | {'★' * len(stars)} | {time} |" in lines


def test_every_exercise_is_quoted_in_its_notebook_and_tried_there():
    found = []
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        shown = re.findall(r'exercises\.show\("(ex-\d+)"', text)
        assert shown == re.findall(r'exercises\.verify\("(ex-\d+)"', text)
        found += [(name, int(script.name[0])) for name in shown]
    assert found == [(name, exercise.notebook) for name, exercise in EXERCISES.items()]


def test_the_notebook_takes_a_table_of_ones_own(tmp_path, drawn, capsys):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 2))
    table = tmp_path / "mine.csv"
    np.savetxt(table, np.column_stack([X, np.sin(X[:, 0])]), delimiter=",", header="a,b,y", comments="")
    text = (FOLDER / "5_strings.py").read_text(encoding="utf-8")
    text = text.replace('MY_TABLE = ""', f"MY_TABLE = {str(table)!r}").replace(
        "max_iter=2000", "max_iter=1500, tol=1e-3"
    )
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    assert len(drawn(tmp_path / "mine.py")) == sum(len(pictures(cell)) for cell in cells(FOLDER / "5_strings.py")) + 1
    printed = capsys.readouterr().out
    assert printed.count("Connection(risk <= ") == 2
    assert "No table given" not in printed


# --- how they are written ---------------------------------------------------------------------------------------------


def test_only_what_is_worth_keeping_is_stored():
    pair = pairing()
    picture = {"output_type": "display_data", "data": {"image/png": "AAAA\n", "text/plain": "<Figure>"}, "metadata": {}}
    assert pair.stored(picture)["data"] == {"image/png": "AAAA"}
    assert pair.stored({"output_type": "stream", "name": "stdout", "text": "a\nb"})["text"] == ["a\n", "b"]
    assert pair.is_progress({"name": "stderr", "text": "\rex-1: right on 3 of 100, Ctrl-C to stop"})
    with pytest.raises(RuntimeError, match="a warning"):  # the planted fault
        pair.stored({"output_type": "stream", "name": "stderr", "text": "a warning"})


def test_a_notebook_that_there_is_not_is_said_to_be_none(capsys):
    assert pairing().main(["7_nothing"]) == 2
    assert "there are 1_first_look, " in capsys.readouterr().err


def test_what_is_missing_is_named(monkeypatch, capsys):
    pair = pairing()

    def missing(text):
        raise ModuleNotFoundError("No module named 'nbclient'")

    monkeypatch.setattr(pair, "executed", missing)
    monkeypatch.setenv("PYTHONPATH", "")
    before = (FOLDER / "1_first_look.ipynb").read_bytes()
    assert pair.main(["1_first_look"]) == 2
    assert '".[notebooks]"' in capsys.readouterr().err
    assert (FOLDER / "1_first_look.ipynb").read_bytes() == before
