"""The deep rows of Figure 1: what is read, what is run, what is kept, and what is refused."""

import csv
import gzip
import io
import sys
from dataclasses import replace
from pathlib import Path as File

import numpy as np
import pytest

import figures
from checks.claims.sections_3_4 import (
    deep_runs,
    fig_1_certified,
    fig_1_cifar,
    fig_1_mnist,
    fig_1_ptb,
    published,
    sec_4_nearly_convex,
)
from figures import _deep_data, _deep_rows, _figure1, fig1
from figures.__main__ import main

NOTES = File(__file__).parents[2] / "paper_notes.md"


@pytest.fixture
def jax():
    pytest.importorskip("optax")
    return pytest.importorskip("jax")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """Two pairs at one level, and the folder that they were run in."""
    pytest.importorskip("jax")
    pytest.importorskip("optax")
    out = tmp_path_factory.mktemp("digits")
    return _deep_rows.run("digits", 2, levels=(0.3,), out=out), out


def test_the_digits_row_is_run_and_tabled(digits):
    records, out = digits
    assert [record["pair"] for record in records] == [0, 1]
    for record in records:
        below = record["certified_upper"] <= record["level"]
        assert record["status"] == ("connected" if below else "accepted")
        assert record["beads"] >= 3
        assert record["length"] >= 1
        assert record["sampled_max"] < 1.02 * record["level"] < record["straight_max"]
        assert record["sampled_max"] <= record["certified_upper"]
        assert (record["void_beads"], record["n_test"], record["interval"]) == (3, 797, 10)
        assert record["void_length"] >= 1
    with (out / "fig1-digits.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [tuple(row) for row in rows] == [_deep_rows.COLUMNS] * 2
    assert rows == [_deep_rows.in_words(record) for record in records]
    held = _figure1.deep(out / "fig1-digits.csv")["digits"]
    assert {r["level"] for r in held} == {30.0}
    assert {r["preset"] for r in held} >= {"checked", "void", "straight"}


def test_a_finished_run_is_not_run_again_and_another_one_is_refused(digits, monkeypatch):
    records, out = digits
    monkeypatch.setattr(_deep_rows, "Deep", None)  # whoever trains fails
    assert _deep_rows.run("digits", 2, levels=(0.3,), out=out) == records
    with pytest.raises(
        ValueError, match=r"^seed is 1 here and 0 in .*fig1-digits\.sqlite: give another folder by --out"
    ):
        _deep_rows.run("digits", 2, levels=(0.3,), out=out, seed=1)
    with pytest.raises(ValueError, match=r"^interval is 5 here and 10 in"):
        _deep_rows.run("digits", 2, levels=(0.3,), out=out, interval=5)
    with pytest.raises(ValueError, match=r"^levels is \[0\.2\] here and \[0\.3\] in"):
        _deep_rows.run("digits", 2, levels=(0.2,), out=out)


def test_strings_go_on_where_they_were_stopped_and_need_their_ends(digits, tmp_path, monkeypatch):
    records, out = digits
    for file in out.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    import sqlite3

    with sqlite3.connect(tmp_path / "fig1-digits.sqlite") as store:
        store.execute("DELETE FROM cells WHERE key LIKE '%connect%' AND key LIKE '%\"pair\": 1%'")
    store.close()
    assert _deep_rows.run("digits", 2, levels=(0.3,), out=tmp_path) == records
    with sqlite3.connect(tmp_path / "fig1-digits.sqlite") as store:
        store.execute("DELETE FROM cells WHERE key LIKE '%connect%'")
    store.close()
    (tmp_path / "fig1-digits-ends-0-0.npy").unlink()
    with pytest.raises(ValueError, match=r"fig1-digits-ends-0-0\.npy is gone, which the finished part"):
        _deep_rows.run("digits", 2, levels=(0.3,), out=tmp_path)


def test_a_level_that_is_not_reached_is_said_and_tabled(jax, monkeypatch, tmp_path):
    monkeypatch.setitem(_deep_rows.ROWS, "digits", replace(_deep_rows.ROWS["digits"], steps=10))
    said = []
    records = _deep_rows.run("digits", 1, levels=(1e-3,), tell=said.append)
    assert said == ["digits: level 0.001 was not reached within 10 steps by 1 of 1 pairs"]
    assert (records[0]["status"], records[0]["beads"], records[0]["n_test"]) == (_deep_rows.UNREACHED, None, 797)
    (tmp_path / "t.csv").touch()
    _deep_rows.write(tmp_path / "t.csv", records)
    assert _figure1.deep(tmp_path / "t.csv")["digits"] == []


def test_a_deep_row_is_drawn(digits, tmp_path):
    records, _ = digits
    arrays = fig1._arrays(
        "digits",
        [r for row in records for r in _figure1.strings(_deep_rows.in_words(row))],
        (30.0,),
        ("checked", "void"),
    )
    arrays |= {"published": np.array(False), "shipped": np.array(False)}
    with figures.style():
        assert len(fig1.draw(arrays).axes) == 3
    assert fig1.note(arrays | {"digits/straight/height": arrays["digits/void/height"]}).startswith(
        "Pairs at each level: (6)"
    )


@pytest.mark.parametrize("suffix", [".txt", ".gz"])
def test_a_text_becomes_numbers_by_frequency_and_then_by_the_alphabet(tmp_path, suffix):
    text = "b a a c\n" * 9 + "a d b\n" + "z " * 5
    file = tmp_path / f"t{suffix}"
    file.write_bytes(gzip.compress(text.encode()) if suffix == ".gz" else text.encode())
    train, test = _deep_data.words(file, 4)
    order = ["a", "b", "<eos>", "<unk>"]  # <eos> and c nine times each, by the alphabet; the rarest gives way
    assert [order[k] for k in train[:5]] == ["b", "a", "a", "<unk>", "<eos>"]
    assert len(train) == len(text.replace("\n", " <eos> ").split()) * 9 // 10
    assert {order[k] for k in test} <= {"<unk>", "<eos>", "a", "b"}
    with pytest.raises(ValueError, match=r"at least 10,000 different words, the vocabulary; .* has 5"):
        _deep_data.words(file, 10_000)


def test_images_are_read_as_arrays_or_as_jpeg(tmp_path):
    from PIL import Image

    pixels, parts = np.full((2, 32, 32, 3), 40, np.uint8), []
    for one in pixels:
        buffer = io.BytesIO()
        Image.fromarray(one).save(buffer, "JPEG")
        parts.append(buffer.getvalue())
    off = np.cumsum([0, *map(len, parts)])
    blob = np.frombuffer(b"".join(parts), np.uint8)
    file = tmp_path / "c.npz"
    np.savez(file, train_jpeg=blob, train_off=off, y_train=[0, 1], x_test=pixels, y_test=[1, 0])
    X, y, X_test, _ = _deep_data.images(file)
    assert np.abs(X.astype(int) - 40).max() <= 2
    assert np.array_equal(X_test, pixels)
    assert _deep_data.task("cifar", str(file), 1, None).tested == 1
    np.savez(file, x_train=X, y_train=y)
    with pytest.raises(ValueError, match=r"data must hold x_test; .* has x_train, y_train"):
        _deep_data.images(file)
    np.savez(file, x_train=X, y_train=y + 9, x_test=X, y_test=y)
    with pytest.raises(ValueError, match=r"data must be an .npz .* y must be labels 0 to 9; got 9 to 10"):
        _deep_data.task("cifar", str(file), None, None)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--task", "mnist", "--pairs", "1"], "data must be given: mnist is not shipped"),
        (["--task", "lstm", "--small", "--data", "nowhere.txt"], "nowhere.txt"),
        (["--small"], "small, certify, interval, levels and together are of the deep rows"),
        (["--task", "cubic", "--interval", "5"], "small, certify, interval, levels and together are of the deep rows"),
        (["--task", "digits", "--points", "9"], "points and alpha are of rows (1) and (2)"),
        (["--task", "cubic", "--levels", "0.1"], "small, certify, interval, levels and together are of the deep rows"),
        (["--task", "cubic", "--together", "4"], "small, certify, interval, levels and together are of the deep rows"),
        (["--task", "digits", "--levels", "0.1"], "digits: no such runs are shipped"),
        (["--task", "digits", "--steps", "9"], "digits: no such runs are shipped"),
        (["--task", "digits", "--together", "4"], "digits: no such runs are shipped"),
        (["--task", "digits", "--pairs", "1", "--together", "2", "--jobs", "2"], "together is within one process"),
        (["--task", "digits", "--pairs", "1", "--levels", "0.1", "0.1"], "levels must be at least one, and differ"),
        (["--task", "digits", "--pairs", "1", "--levels", "-1"], "levels must be"),
        (["--task", "digits", "--interval", "9"], "digits: no such runs are shipped"),
        (["--task", "digits", "--small", "--interval", "0"], "interval must be"),
        (
            ["--task", "cifar", "--small", "--certify"],
            "certify is for convolutions, pools, rectifiers and dense layers",
        ),
    ],
)
def test_bad_usage_is_one_line(options, says, capsys, jax, tmp_path):
    with pytest.raises(SystemExit) as stop:
        main(["fig1", *options, "--out", str(tmp_path)])
    assert stop.value.code == 2
    assert says in capsys.readouterr().err.splitlines()[-1]


def test_without_jax_one_line_names_the_extra(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(SystemExit):
        main(["fig1", "--task", "digits", "--small", "--out", str(tmp_path)])
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .endswith('theory.deep needs jax: python -m pip install "halfrect[deep]"')
    )


@pytest.mark.parametrize("name", [deep_runs.RUNS, deep_runs.SMALL, deep_runs.INTERVALS])
def test_the_shipped_runs_say_nothing_impossible(name):
    with (deep_runs.FOLDER / name).open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [tuple(row) for row in rows[:1]] == [_deep_rows.COLUMNS]
    assert len({(r["task"], r["level"], r["interval"], r["pair"]) for r in rows}) == len(rows)
    found = deep_runs.strings(name)
    unreached = [row for row in rows if row["status"] == _deep_rows.UNREACHED]
    assert all(not row[key] for row in unreached for key in _deep_rows.COLUMNS[4:14] if key != "status")
    rows = [row for row in rows if row not in unreached]
    assert len(found) == len(rows) >= 8
    for row, string in zip(rows, found):
        tolerance, whole = deep_runs.LOOSE[string.task], int(row["n_test"])
        assert string.accepted
        assert string.sampled_max < tolerance * string.level
        heights = string.sampled_max, string.straight_max, string.void_max
        images = string.task != "lstm"
        assert not images or all(abs(height * whole - round(height * whole)) < 1e-4 for height in heights)
        assert string.length >= 1
        assert (string.beads > 3) == (string.void_max >= tolerance * string.level)
        if not np.isnan(string.certified_upper):
            assert string.certified_upper >= string.sampled_max
            assert not string.certified_lower > string.certified_upper
        assert (row["status"] == "connected") == (string.certified_upper <= string.level)


def test_what_is_said_of_the_row_is_what_the_table_says():
    strings, below, above, hidden = deep_runs.verdicts("digits")
    words = (
        f"Of the {strings} strings",
        f"{below} stay at or below their level and {above} exceed it",
        f"{hidden} are higher",
    )
    assert all(text in fig_1_certified.CLAIM.proof for text in words)


def test_strings_made_again_are_like_those_shipped(digits):
    """Floats differ from one processor to the next, and training follows them: the shipped strings of this level bracket ours."""
    shipped = [string for string in deep_runs.of("digits") if string.level == 0.3]
    for record in digits[0]:
        for name in ("beads", "length", "straight_max", "void_length", "void_max"):
            held = [getattr(string, name) for string in shipped if hasattr(string, name)]
            assert 0.9 * min(held) <= record[name] <= 1.1 * max(held), name
        assert abs(record["certified_upper"] - record["certified_lower"]) <= 5 / 797


CLAIMS = {"mnist": fig_1_mnist.CLAIM, "cifar": fig_1_cifar.CLAIM, "lstm": fig_1_ptb.CLAIM}
LINES = {  # of the tables in the notes
    "mnist": "| {level:g}% | {count} | {length} | {theirs} | {beads:.2f} | {their_beads:.2f} | {low:.1f} to {high:.1f}% |",
    "cifar": "| {level:g}% | {length} | {theirs} | {beads:.2f} | {their_beads:.2f} | {low:.1f} to {high:.1f}% |",
    "lstm": "| {level:g} | {count} | {length} | {theirs} | {top:.1f} | {low:.0f} to {high:.0f} |",
}


def section(claim):
    """The notes on a claim."""
    return NOTES.read_text(encoding="utf-8").partition(f"\n### {claim.id}\n")[2].partition("\n### ")[0]


@pytest.mark.parametrize("task", CLAIMS)
def test_the_words_on_a_row_of_ours_quote_its_table(task):
    claim, notes, row = CLAIMS[task], section(CLAIMS[task]), _figure1.DEEP_TASKS[task]
    unit = 100.0 if task in _figure1.PERCENT else 1.0
    theirs = {
        table: dict(zip(table(row)[:, 0].round(9), table(row)[:, 1:])) for table in (published.lengths, published.beads)
    }
    means = deep_runs.means(task)
    assert means
    for level, (count, length, error, beads) in means.items():
        here = [string for string in deep_runs.of(task) if string.level == level]
        straight = [unit * string.straight_max for string in here]
        (mean, spread), (their_beads, _) = (theirs[table][round(unit * level, 9)] for table in theirs)
        line = LINES[task].format(
            level=unit * level,
            count=count,
            length=f"{length:.4f} ± {error:.4f}",
            theirs=f"{mean:.4f} ± {spread:.4f}",
            beads=beads,
            their_beads=their_beads,
            low=min(straight),
            high=max(straight),
            top=max(string.sampled_max for string in here),
        )
        assert line in notes
        assert f"{length:.4f}" in claim.proof
        if task == "mnist":
            assert f"{beads:.2f}" in claim.proof
    assert notes.count(" ± ") == 2 * len(means)  # no line of the table is left over
    for string in deep_runs.of(task, deep_runs.SMALL):
        assert f"{string.length:.4f}" in notes or f"{string.length:.3f}" in notes


def test_what_is_counted_in_the_words_on_our_rows_is_so_in_the_table():
    mnist, cifar, lstm = (deep_runs.of(task) for task in CLAIMS)
    over = lambda held: sum(string.sampled_max > string.level for string in held)  # noqa: E731
    words = {task: section(claim) for task, claim in CLAIMS.items()}
    assert f"All {len(mnist)} strings are accepted" in words["mnist"]
    assert f"({over(mnist)} are above their level" in words["mnist"]
    assert all(string.void_max > string.level for string in mnist)  # with their first bead alone
    assert f"All {len(cifar)} strings pass the check, {over(cifar)} of them above" in words["cifar"]
    easy = [string for string in cifar if string.level == 0.8]
    assert f"for {sum(s.straight_max <= s.level for s in easy)} of {len(easy)} pairs" in words["cifar"]
    assert f"with three beads (four in {sum(s.beads == 4 for s in cifar)} of them)" in CLAIMS["cifar"].proof
    assert f"the longest {max(s.length for s in cifar):.4f}" in CLAIMS["cifar"].proof
    assert max(s.beads for s in cifar) == 4
    assert f"all {len(lstm)} strings need three beads" in words["lstm"]
    assert {string.beads for string in lstm} == {3}
    assert f"{over(lstm)} of them are above" in words["lstm"]
    ratios = [string.straight_max / string.level for string in mnist]
    assert f"{min(ratios):.1f} to {max(ratios):.1f} levels on MNIST" in sec_4_nearly_convex.CLAIM.proof


def test_strings_trained_on_a_processor_are_like_those_of_the_shipped_rows():
    """Part of the test set, float32 throughout: at the same level the length lies among the others, or a tenth of its excess off."""
    for task in ("mnist", "cifar"):
        for string in deep_runs.of(task, deep_runs.SMALL):
            held = [other.length for other in deep_runs.of(task) if other.level == string.level]
            room = 0.1 * (string.length - 1)
            assert min(held) - room <= string.length <= max(held) + room


def test_rows_side_by_side_are_those_one_after_the_other(digits, tmp_path):
    records, _ = digits
    found = _deep_rows.run("digits", 2, levels=(0.3,), together=2, certify=False, out=tmp_path)
    for one, other in zip(found, records):
        assert (one["pair"], one["beads"], one["n_test"]) == (other["pair"], other["beads"], other["n_test"])
        assert one["length"] == pytest.approx(other["length"], rel=0.02)
    with pytest.raises(ValueError, match="together is within one process; got jobs 2"):
        _deep_rows.run("digits", 2, levels=(0.3,), together=2, jobs=2)
    with pytest.raises(ValueError, match="together must be"):
        _deep_rows.run("digits", 2, levels=(0.3,), together=0)
