"""Sweeps: every cell once, any executor, and a kill loses nothing that was finished."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from checks import gap, sweeps

ROOT = str(Path(sweeps.__file__).parents[1])
SCRIPT = """
import sys, time
from checks import sweeps

def slow(cell):
    with open(cell["log"], "a") as log:
        log.write(f"{cell['k']}\\n")
    time.sleep(0.05)
    return {"square": cell["k"] ** 2}

if __name__ == "__main__":
    cells = [{"k": k, "log": sys.argv[2]} for k in range(60)]
    found = sweeps.run(slow, cells, sys.argv[1])
    assert [r["square"] for r in found] == [k * k for k in range(60)]
    print("complete")
"""


def square(cell):
    return {"square": cell["k"] ** 2}


def refuse_seven(cell):
    if cell["k"] == 7:
        raise ArithmeticError("seven")
    return square(cell)


def opened(file):
    return closing(sqlite3.connect(file, timeout=10))


def stored(file):
    try:
        with opened(file) as store:
            return store.execute("SELECT COUNT(*) FROM cells").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def test_a_killed_sweep_goes_on_without_losing_or_repeating_a_cell(tmp_path):
    script, file, log = tmp_path / "slow_sweep.py", tmp_path / "sweep.sqlite", tmp_path / "log"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), str(file), str(log)]
    environment = {**os.environ, "PYTHONPATH": ROOT}
    first = subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while stored(file) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    with opened(file) as store:
        finished = {key for (key,) in store.execute("SELECT key FROM cells")}
    assert 5 <= len(finished) < 60
    time.sleep(1.2)  # workers notice that their parent is gone
    before = Counter(log.read_text().split())
    second = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert second.stdout.strip() == "complete", second.stderr
    again = Counter(log.read_text().split()) - before
    assert stored(file) == 60
    assert len(again) == 60 - len(finished)
    assert max(again.values()) == 1
    assert not {k for k in again if any(f'"k": {k}, ' in key for key in finished)}


def test_any_executor_will_do_and_is_left_running(tmp_path):
    cells = [{"k": k} for k in (3, 1, 2, 3)]
    seen = []
    with ThreadPoolExecutor(2) as pool:
        found = sweeps.run(square, cells, tmp_path / "s", executor=pool, progress=lambda *state: seen.append(state))
        assert pool.submit(int, "4").result() == 4
    assert [r["square"] for r in found] == [9, 1, 4, 9]
    assert seen[0] == (0, 3)
    assert seen[-1] == (3, 3)
    assert stored(tmp_path / "s") == 3
    assert sweeps.seconds(tmp_path / "s") >= 0


def test_finished_cells_are_taken_from_the_file_and_new_ones_are_added(tmp_path):
    file = tmp_path / "s"
    with ThreadPoolExecutor(1) as pool:
        sweeps.run(square, [{"k": 1}, {"k": 2}], file, executor=pool)
        with opened(file) as store, store:
            store.execute("UPDATE cells SET result = '{\"square\": -1}'")
        found = sweeps.run(square, [{"k": 2}, {"k": 5}], file, executor=pool)
    assert [r["square"] for r in found] == [-1, 25]


def test_those_who_give_the_same_name_share_a_file(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        sweeps.run(square, [{"k": 3}], tmp_path / "s", name="squares", executor=pool)
        found = sweeps.run(refuse_seven, [{"k": 3}], tmp_path / "s", name="squares", executor=pool)
        assert found == [{"square": 9}]
        sweeps.run(refuse_seven, [{"k": 3}], tmp_path / "s", executor=pool)
    assert stored(tmp_path / "s") == 2


def test_the_gap_command_and_the_library_share_a_file(tmp_path):
    size = {"targets": ("smooth",), "widths": (4,), "seeds": 1, "samples": 5, "kappa": 0.05}
    file = tmp_path / "gap.sqlite"
    with ThreadPoolExecutor(1) as pool:
        gap.sweep(str(file), **size, executor=pool)
    with closing(sqlite3.connect(file)) as store:
        names = [json.loads(key)[0] for (key,) in store.execute("SELECT key FROM cells")]
    assert sorted(names) == sorted(gap.NAMES), "files that older versions wrote are taken up"
    before = file.read_bytes()
    words = ["--targets", "smooth", "--widths", "4", "--seeds", "1", "--samples", "5", "--kappa", "0.05"]
    command = [sys.executable, "-m", "checks.gap", "--file", str(file), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert file.read_bytes() == before


MODULE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from checks import sweeps

def square(cell):
    return {"square": cell["k"] ** 2}

if __name__ == "__main__":
    with ThreadPoolExecutor(1) as pool:
        sweeps.run(square, [{"k": 2}], sys.argv[1], executor=pool)
"""


def test_a_module_that_is_run_has_the_name_that_everybody_else_calls_it_by(tmp_path):
    (tmp_path / "my_sweep.py").write_text(MODULE, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), ROOT])}
    file = tmp_path / "s"
    for words in (["-m", "my_sweep", file], ["-c", f"import my_sweep, sys; {LIBRARY}", file]):
        subprocess.run([sys.executable, *map(str, words)], env=environment, check=True)
    with opened(file) as store:
        assert store.execute("SELECT key FROM cells").fetchall() == [('["my_sweep.square", {"k": 2}]',)]


LIBRARY = """
from checks import sweeps
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(1) as pool:
    sweeps.run(my_sweep.square, [{"k": 2}], sys.argv[1], executor=pool)
"""


class Counting(Executor):
    """Counts how many cells are in its hands at once; as dask's executor, it does not tell how many workers it has."""

    def __init__(self):
        self.pool, self.now, self.most = ThreadPoolExecutor(1), 0, 0

    def submit(self, *arguments):
        self.now += 1
        self.most = max(self.most, self.now)
        future = self.pool.submit(*arguments)
        future.add_done_callback(lambda _: setattr(self, "now", self.now - 1))
        return future

    def shutdown(self, *arguments, **options):
        self.pool.shutdown(*arguments, **options)


def slow_square(cell):
    time.sleep(0.01)
    return square(cell)


@pytest.mark.parametrize("ahead", [1, 7])
def test_as_many_cells_are_handed_out_as_the_caller_says(tmp_path, ahead):
    with Counting() as pool:
        sweeps.run(slow_square, [{"k": k} for k in range(12)], tmp_path / "s", executor=pool, ahead=ahead)
    assert pool.most == ahead


def test_two_runs_share_a_file_and_what_they_finish(tmp_path):
    """The second begins when the first is at its first cell, and both end with everything."""
    cells, file, begun = [{"k": k} for k in range(8)], tmp_path / "s", threading.Event()
    computed = []

    def first(cell):
        begun.set()
        time.sleep(0.05)
        computed.append(cell["k"])
        return square(cell)

    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other, ThreadPoolExecutor(2) as runs:
        a = runs.submit(sweeps.run, first, cells, file, name="square", executor=one, ahead=1)
        begun.wait(10)
        b = runs.submit(sweeps.run, first, cells[::-1], file, name="square", executor=other, ahead=1)
        assert a.result(30) == b.result(30)[::-1] == [square(cell) for cell in cells]
    assert len(computed) <= 10  # 8, and at worst the two that both had in hand
    assert stored(file) == 8


class OldSQLite(sqlite3.Connection):
    """SQLite 3.34, as on many clusters: it does not know STRICT tables (nor other words of later versions)."""

    def execute(self, sql, *rest):
        for word in ("STRICT", "RETURNING", "->>"):
            if word in sql:
                raise sqlite3.OperationalError(f'near "{word}": syntax error')
        return super().execute(sql, *rest)


def test_an_old_sqlite_will_do(tmp_path, monkeypatch):
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **{**k, "factory": OldSQLite}))
    with ThreadPoolExecutor(1) as pool:
        assert sweeps.run(square, [{"k": 3}], tmp_path / "s", executor=pool) == [{"square": 9}]
        assert sweeps.run(square, [{"k": 3}], tmp_path / "s", executor=pool) == [{"square": 9}]
    assert sweeps.seconds(tmp_path / "s") >= 0


def test_strict_tables_of_earlier_versions_are_read_on(tmp_path):
    if sqlite3.sqlite_version_info < (3, 37):
        pytest.skip("this SQLite knows no STRICT tables")
    with opened(tmp_path / "s") as store, store:
        store.execute("CREATE TABLE cells (key TEXT PRIMARY KEY, result TEXT NOT NULL, seconds REAL NOT NULL) STRICT")
    with ThreadPoolExecutor(1) as pool:
        assert sweeps.run(square, [{"k": 3}], tmp_path / "s", executor=pool) == [{"square": 9}]


def test_connections_are_closed(tmp_path, monkeypatch):
    """By the one who opened them, not by the collector: Python 3.13 warns of that."""
    open_ones, connect = set(), sqlite3.connect

    class Watched(sqlite3.Connection):
        def __init__(self, *a, **k):
            super().__init__(*a, **k)
            open_ones.add(id(self))

        def close(self):
            super().close()
            open_ones.discard(id(self))

    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **{**k, "factory": Watched}))
    (tmp_path / "other").write_text("no database, but long enough to be taken for one of some other kind\n" * 3)
    with ThreadPoolExecutor(1) as pool:
        sweeps.run(square, [{"k": 3}], tmp_path / "s", executor=pool)
        with pytest.raises(sweeps.SweepError):
            sweeps.run(refuse_seven, [{"k": 7}], tmp_path / "s", executor=pool)
        with pytest.raises(sweeps.SweepError):
            sweeps.run(square, [{"k": 3}], tmp_path / "other", executor=pool)
    sweeps.seconds(tmp_path / "s")
    assert not open_ones


def test_a_failing_cell_is_named_and_the_others_are_kept(tmp_path):
    with ThreadPoolExecutor(1) as pool, pytest.raises(sweeps.SweepError, match=r'"k": 7.*ArithmeticError: seven'):
        sweeps.run(refuse_seven, [{"k": 6}, {"k": 7}], tmp_path / "s", executor=pool)
    assert stored(tmp_path / "s") == 1


def test_a_file_of_another_kind_is_refused_and_untouched(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to look like a file of some other kind\n" * 3)
    before = file.read_bytes()
    with pytest.raises(sweeps.SweepError, match="not the SQLite file of a sweep"):
        sweeps.run(square, [{"k": 1}], file)
    assert file.read_bytes() == before


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(sweeps.SweepError, match=r"cannot be opened|not the SQLite"):
        sweeps.run(square, [{"k": 1}], tmp_path)


def test_cells_must_be_plain(tmp_path):
    with pytest.raises(sweeps.SweepError, match="plain numbers"):
        sweeps.run(square, [{"k": object()}], tmp_path / "s")


def test_the_gap_sweep_summarises_and_keeps_the_bound(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        table = gap.sweep(
            str(tmp_path / "s"),
            targets=("smooth",),
            widths=(4, 8, 16),
            seeds=2,
            samples=10,
            kappa=0.05,
            executor=pool,
        )
    assert [r["m"] for r in table] == [4, 8, 16]
    assert all(r["kept"] and r["gap"] >= 0 and r["seeds"] == 2 for r in table)
    assert table[0]["limit"][0] <= table[0]["limit"][1]


def test_a_slope_needs_three_positive_points():
    table = [{"target": "t", "m": m, "gap": 3.0 / m} for m in (8, 16, 32)]
    assert gap.slope(table, "t", "gap") == pytest.approx(-1)
    assert gap.slope([*table[:2], {"target": "t", "m": 32, "gap": 0.0}], "t", "gap") != pytest.approx(-1)


def test_mnist_is_never_required(tmp_path, monkeypatch):
    monkeypatch.delenv(gap.DATA, raising=False)
    with pytest.raises(ValueError, match=gap.DATA):
        gap.target("mnist", 10, str(tmp_path))
    with pytest.raises(ValueError, match="target must be one of"):
        gap.target("imagenet", 10, None)


@pytest.mark.parametrize("words", [["--widths", "1"], ["--widths", "x"], ["--seeds", "0"], ["--kappa", "0"]])
def test_bad_options_end_with_status_two(words, tmp_path, capsys):
    assert gap.main([*words, "--file", str(tmp_path / "s")]) == 2
    assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", None, 3.5, "a\0b"])
def test_a_file_without_a_name_keeps_nothing_and_is_refused(name):
    with pytest.raises(sweeps.SweepError):
        sweeps.run(dict, [{"k": 1}], name, executor=None)


def test_a_file_is_kept_whatever_sqlite_means_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ThreadPoolExecutor(1) as pool:
        assert sweeps.run(dict, [{"k": 1}], ":memory:", executor=pool) == [{"k": 1}]
    assert (tmp_path / ":memory:").is_file()
