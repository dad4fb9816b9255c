"""Two workers of dask.distributed: the results of one process, whoever dies, and nothing from other versions."""

import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checks import __main__ as command
from checks import clusters, gap, runner, sweeps
from figures import _experiments as experiments
from theory import polynomial_tasks

pytestmark = pytest.mark.filterwarnings("ignore")  # dask's own: sockets and loops that it leaves to the collector
SIZE = {"targets": ("smooth",), "widths": (4, 8), "seeds": 2, "samples": 10, "kappa": 0.05}
WORDS = ["--targets", "smooth", "--widths", "4,8", "--seeds", "2", "--samples", "10", "--kappa", "0.05"]


@pytest.fixture(scope="module")
def scheduler():
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
    with distributed.LocalCluster(processes=True, **options) as two:
        yield two.scheduler_address


@pytest.fixture(scope="module")
def pool(scheduler):
    with clusters.cluster(scheduler) as executor:
        yield executor


def die_once(cell):
    """The first worker that comes across the cell is killed, as by a machine that goes down."""
    mark = Path(cell["mark"])
    if cell["k"] == 3 and not mark.exists():
        mark.write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return {"square": cell["k"] ** 2}


def test_cells_are_handed_out_by_the_threads_of_the_cluster(scheduler):
    with clusters.cluster(scheduler) as executor:
        assert executor._max_workers == 2


def test_a_sweep_on_a_cluster_is_that_of_one_process_and_each_resumes_the_other(pool, scheduler, tmp_path, capsys):
    with ThreadPoolExecutor(1) as alone:
        here = gap.sweep(str(tmp_path / "here"), **SIZE, executor=alone)
    assert gap.main([*WORDS, "--file", str(tmp_path / "there"), "--scheduler", scheduler]) == 0
    before = (tmp_path / "there").read_bytes()
    assert gap.sweep(str(tmp_path / "there"), **SIZE, executor=pool) == here
    assert (tmp_path / "there").read_bytes() == before


def test_strings_of_many_pairs_are_those_of_one_process(scheduler, tmp_path):
    levels, size = polynomial_tasks.LEVELS["quadratic"][-1:], {"points": 32, "steps": 4000}
    here, there = (experiments.run("quadratic", levels, 1, **size, scheduler=where) for where in (None, scheduler))
    assert here
    assert json.dumps(here) == json.dumps(there)


def test_the_ledger_is_that_of_one_process(scheduler, tmp_path):
    table, outcomes = tmp_path / "mine.csv", []
    table.write_text("x,y\n1,2\n2,1\n3,5\n")
    for words in (["--jobs", "1"], ["--scheduler", scheduler]):
        file = tmp_path / "ledger.json"
        assert command.main(["prop-2.1", "sec-2.1-saddle", "--json", str(file), "--data", str(table), *words]) == 0
        claims = json.loads(file.read_text())["claims"]
        outcomes.append([{k: v for k, v in claim.items() if k != "seconds"} for claim in claims])
    assert outcomes[0] == outcomes[1]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_killed_worker_is_survived(pool, tmp_path):
    cells = [{"k": k, "mark": str(tmp_path / "mark")} for k in range(12)]
    assert sweeps.run(die_once, cells, tmp_path / "s", executor=pool) == [{"square": k * k} for k in range(12)]
    assert (tmp_path / "mark").exists()


def test_a_worker_with_other_versions_computes_nothing(scheduler, pool, monkeypatch, tmp_path):
    """The planted fault: this process wants a NumPy that the workers do not have, from the start or once it runs."""
    monkeypatch.setitem(pool._wanted, "numpy", "1.0")
    with pytest.raises(sweeps.SweepError, match=r"ClusterError: numpy .*, and 1\.0 is wanted"):
        sweeps.run(die_once, [{"k": 1, "mark": str(tmp_path)}], tmp_path / "s", executor=pool)
    (found,) = runner.results(["prop-2.1"], executor=pool)
    assert found.status_word == "error"
    assert "numpy" in found.error
    says = r"^worker tcp://[\d.:]+: numpy [\d.]+, and 1\.0 is wanted; install"
    with pytest.raises(clusters.ClusterError, match=says), clusters.cluster(scheduler):
        pass


@pytest.mark.parametrize(
    ("scheduler", "says"),
    [
        ("nowhere.json", "cannot be read"),
        ("pyproject.toml", "not the file that a scheduler wrote"),
        ("tcp://127.0.0.1:1", "does not answer"),
    ],
)
def test_a_scheduler_that_is_none_is_one_line_and_status_two(scheduler, says, monkeypatch, tmp_path, capsys):
    pytest.importorskip("distributed", reason="needs the extra dask")
    monkeypatch.setattr(clusters, "PATIENCE", 0.3)
    if scheduler.endswith("toml"):
        scheduler = str(Path(__file__).parents[2] / scheduler)
    for main, words in ((gap.main, [*WORDS, "--file", str(tmp_path / "s")]), (command.main, ["prop-2.1"])):
        assert main([*words, "--scheduler", scheduler]) == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1
        assert says in lines[0]


def test_a_scheduler_without_workers_is_waited_for_and_it_is_said(scheduler, capsys):
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    with clusters.workers(scheduler), clusters.workers(None):
        assert not capsys.readouterr().err
    options = {"n_workers": 0, "dashboard_address": None, "silence_logs": 50}
    with distributed.LocalCluster(**options) as none, clusters.workers(none.scheduler_address):
        assert capsys.readouterr().err.endswith("no worker has joined yet; waiting for one\n")


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(clusters.ClusterError, match=r"halfrect\[dask\]"), clusters.cluster("tcp://127.0.0.1:1"):
        pass


def test_versions_are_compared_in_this_process_too():
    assert clusters.alike(clusters.versions(), int) == 0
    with pytest.raises(clusters.ClusterError, match=r"halfrect .*, and 0 is wanted"):
        clusters.alike({**clusters.versions(), "halfrect": "0"}, int)
