"""Files from anywhere: what is read is finite and whole, and everything else is the documented error, in one line."""

import gzip
import io
import json
import runpy
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path as File

import hostile
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import figures
from checks import sweeps, tables
from checks.report import notes, pictures
from theory.paths import Path

PAIR = runpy.run_path(str(File(__file__).resolve().parents[2] / "notebooks" / "pair.py"))
PATH = {"points": np.arange(6.0).reshape(3, 2), "labels": np.array(["refit", "move"])}
TABLE = {"X": np.arange(10.0).reshape(5, 2) ** 2, "y": np.arange(5.0)}


@hostile.FEW
@given(hostile.npz_files(PATH))
def test_a_path_is_read_whole_or_refused(content):
    with hostile.bounded():
        path, refusal = hostile.refusal(Path.load, io.BytesIO(content))
    if refusal is None:
        assert np.isfinite(path.points).all()
        assert len(path.labels) == len(path.points) - 1
    else:
        assert "\n" not in refusal
        assert len(refusal) < 600


def one_line(error, file):
    assert error.startswith(f"{file}: ")
    assert "\n" not in error
    assert len(error) < len(str(file)) + 500


@hostile.FEW
@given(st.data())
def test_a_table_is_read_whole_or_refused_in_one_line(tmp_path_factory, data):
    suffix = data.draw(st.sampled_from([".csv", ".tsv", ".csv.gz", ".npz"]))
    file = tmp_path_factory.mktemp("t") / f"t{suffix}"
    content = data.draw(hostile.npz_files(TABLE) if suffix == ".npz" else hostile.csv_files())
    file.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    target = data.draw(st.sampled_from([None, None, "y", "a", "", "1", "x" * 5000, "a\nb"]))
    with hostile.bounded():
        sample, refusal = hostile.refusal(tables.read, file, target)
    if refusal is not None:
        one_line(refusal, file)
        return
    assert np.isfinite(sample.X).all()
    assert np.isfinite(sample.Y).all()
    assert np.allclose(sample.Y.mean(), 0, atol=1e-9)
    assert np.allclose(sample.Y.std(), 1)


@pytest.mark.parametrize("suffix", tables.SUFFIXES)
def test_a_place_without_a_table_is_refused_in_one_line(tmp_path, suffix):
    for place in hostile.odd_places(tmp_path, suffix):
        with pytest.raises(tables.TableError), hostile.bounded():
            tables.read(place)


class Arrays(dict):
    """Named arrays that do not fill the screen when an example is shown."""

    def __repr__(self):
        return f"arrays {', '.join(self)}"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """What one figure wrote, as arrays."""
    folder = tmp_path_factory.mktemp("figures")
    figures.make("kernel", folder, fast=True)
    with np.load(folder / "kernel.npz", allow_pickle=False) as archive:
        return Arrays({key: archive[key] for key in archive.files})


@hostile.FEW
@given(data=st.data())
def test_a_figure_is_drawn_again_or_refused_as_not_its_own(tmp_path_factory, drawn, data):
    folder = tmp_path_factory.mktemp("f")
    (folder / "in.npz").write_bytes(data.draw(hostile.npz_files(drawn)))
    with hostile.bounded(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of matplotlib, on data that are nobody's
        read, refusal = hostile.refusal(figures.read, folder / "in.npz")
        table = figures.is_table(folder / "in.npz")
        if data.draw(st.integers(0, 9)) == 0:
            hostile.refusal(figures.make, "kernel", folder, data=folder / "in.npz")
    assert refusal is None or "\n" not in refusal
    assert refusal is not None or all(isinstance(array, np.ndarray) for array in read.values())
    assert table in (True, False)


@hostile.FEW
@given(data=st.data())
def test_pictures_are_read_or_refused_in_one_line(tmp_path_factory, drawn, data):
    folder = tmp_path_factory.mktemp("p")
    (folder / "kernel.npz").write_bytes(data.draw(hostile.npz_files(drawn)))
    (folder / "kernel.png").write_bytes(b"\x89PNG")
    with hostile.bounded():
        found, refusal = hostile.refusal(pictures.read, folder)
    if refusal is None:
        assert found[0].uri.startswith("data:image/png;base64,")
    else:
        assert "\n" not in refusal
        assert len(refusal) < 3 * len(str(folder)) + 400


def square(cell):
    return {"square": cell["x"] ** 2}


class Here:
    """An executor that computes at once, in this process."""

    def submit(self, function, *arguments):
        from concurrent.futures import Future

        future = Future()
        future.set_result(function(*arguments))
        return future


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """The bytes of a sweep's file."""
    file = tmp_path_factory.mktemp("journal") / "sweep.sqlite"
    sweeps.run(square, [{"x": 1}, {"x": 2}], file, executor=Here())
    return file.read_bytes()


STATEMENTS = (
    "UPDATE cells SET result = '['",
    "UPDATE cells SET result = 'NaN'",
    "UPDATE cells SET result = '3'",
    f"UPDATE cells SET result = '{'[' * 100000}'",
    "UPDATE cells SET result = CAST(x'ff' AS TEXT)",
    "UPDATE cells SET seconds = 9e999",
    "DELETE FROM cells",
    "DROP TABLE cells",
    "ALTER TABLE cells RENAME TO others",
    "ALTER TABLE cells RENAME COLUMN result TO outcome",
    "ALTER TABLE cells ADD COLUMN more TEXT NOT NULL DEFAULT 'x'",
    "CREATE TRIGGER t BEFORE INSERT ON cells BEGIN SELECT RAISE(IGNORE); END",
    "CREATE TRIGGER t BEFORE INSERT ON cells BEGIN SELECT RAISE(ABORT, 'no'); END",
    "DROP TABLE cells; CREATE TABLE cells (key, result, seconds); INSERT INTO cells VALUES (1, NULL, 'x')",
    "DROP TABLE cells; CREATE VIEW cells AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) "
    "SELECT CAST(n AS TEXT) AS key, '{}' AS result, 1.0 AS seconds FROM c",
)


@hostile.FEW
@given(data=st.data())
def test_a_sweep_goes_on_or_says_that_the_file_is_not_one(tmp_path_factory, journal, data):
    file = tmp_path_factory.mktemp("s") / "sweep.sqlite"
    file.write_bytes(journal)
    if data.draw(st.booleans()):
        with closing(sqlite3.connect(file)) as store, store:
            store.executescript(data.draw(st.sampled_from(STATEMENTS)))
    else:
        file.write_bytes(data.draw(hostile.spoiled(journal)))
    with hostile.bounded():
        found, refusal = hostile.refusal(sweeps.run, square, [{"x": 2}, {"x": 3}], file, executor=Here())
        seconds, _ = hostile.refusal(sweeps.seconds, file)
    assert refusal is None or "\n" not in refusal
    assert refusal is not None or all(isinstance(cell, dict) for cell in found)
    assert seconds is None or not np.isnan(seconds)


@hostile.FEW
@given(st.data())
def test_notes_are_parsed_whatever_they_say(data):
    valid = "### a\nVerdict: **OPEN** (sampled). Section 1.\n\n**As printed.** $x$\n\n**Why.** So.\n"
    pieces = st.sampled_from(
        ["#", "##", "### ", "**", ".**", "\n", " ", "```", "Verdict: **", "(", ")", "\x0c", "\u2028"]
    )
    text = data.draw(hostile.spoiled(valid.encode()).map(lambda b: b.decode("utf-8", "replace")))
    text += "".join(data.draw(st.lists(pieces, max_size=30)))
    with hostile.bounded():
        found, refusal = hostile.refusal(notes.parse, text)
    assert (refusal is None and found is not None) or "two entries" in refusal


@pytest.mark.parametrize(
    "piece", ["## a" + " " * 200_000 + "b", "**" * 200_000, "**a" * 100_000, "Verdict: **A** (" * 50_000]
)
def test_notes_take_time_in_proportion_to_their_length(piece):
    with hostile.bounded():
        notes.parse(f"### a\n{piece}\n")


@hostile.FEW
@given(st.text(st.characters(codec="utf-16", categories=None)) | st.text("# %[]markdown\n", max_size=60))
def test_any_script_has_a_notebook(script):
    with hostile.bounded():
        document = json.loads(PAIR["notebook"](script))
    assert all(cell["cell_type"] in ("code", "markdown") for cell in document["cells"])
