"""Command lines from anywhere: a documented exit status, at most one line of complaint, never a traceback."""

import contextlib
import os

import hostile
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import figures
from checks import __main__ as checks
from checks import claims, examine, gap, runner
from figures.__main__ import main as draw
from halfrect.command import main as halfrect_command

NUMBERS = ("0", "1", "-1", "1.5", "1e9", "nan", "inf", "1_0", "٣", "9" * 4000, "9" * 5000, "", " 1", "0x1", "True")
WORDS = (
    "",
    "prop-2.1",
    "prop-2",
    "cor-2.5",
    "prop-2.1 ",
    "PROP-2.1",
    "..",
    "-",
    "--",
    "a\nb",
    "\udcff",
    "x" * 5000,
    "all",
)


def lines(data, options, words):
    """A command line out of some options, good and bad values for them, and words."""
    found = []
    for _ in range(data.draw(st.integers(0, 4))):
        kind = data.draw(st.sampled_from(["option", "option", "word", "abbreviation"]))
        if kind == "word":
            found.append(data.draw(st.sampled_from(words) | st.text(max_size=4)))
            continue
        name = data.draw(st.sampled_from(sorted(options)))
        found.append(name[: data.draw(st.integers(3, len(name)))] if kind == "abbreviation" else name)
        if options[name]:
            value = data.draw(st.sampled_from(options[name]))
            found[-1:] = [f"{found[-1]}={value}"] if data.draw(st.booleans()) else [found[-1], value]
    return [word.replace("\0", "") for word in found]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Good and bad files and folders."""
    folder = tmp_path_factory.mktemp("places")
    table = np.arange(12.0).reshape(4, 3) ** 2
    np.savez(folder / "good.npz", X=table[:, :2], y=table[:, 2])
    (folder / "good.csv").write_text("a,b,y\n1,2,3\n4,5,7\n6,1,2\n")
    (folder / "bad.csv").write_bytes(b"\xff\xfe\0")
    (folder / "pictures").mkdir()
    good = [str(folder / name) for name in ("good.npz", "good.csv", "bad.csv", "pictures", "new", "not/there")]
    odd = [*hostile.odd_places(folder, ".csv"), *hostile.odd_places(folder, ".npz"), *hostile.odd_places(folder, "")]
    return [*good, *odd, "", ".", "/dev/null", "/dev/full", "/proc/version"]


@contextlib.contextmanager
def nothing_runs():
    """The command line with claims that are finished before they begin."""
    before = checks.results
    checks.results = lambda ids, **options: iter(examine.Result(i, runner.Status.VACUOUS) for i in ids)
    try:
        yield
    finally:
        checks.results = before


@hostile.FEW
@given(data=st.data())
def test_checks_ends_with_a_documented_status(places, data):
    words = [*WORDS, *claims.available()[:3]]
    options = {
        **dict.fromkeys(["--json", "--html", "--pictures", "--data"], places),
        **dict.fromkeys(["--seed", "--jobs"], NUMBERS),
        "--budget": ["quick", "full", "", "huge", "a\nb"],
        "--target": ["y", "a", "nobody", "", "a\nb", "x" * 5000],
        "--quiet": None,
        "--list": None,
        "--controls": None,
        "--help": None,
        "--frobnicate": None,
    }
    with nothing_runs():
        status, out, err = hostile.outcome(checks.main, lines(data, options, words))
    assert status in (0, 1, 2)
    assert "Traceback" not in out + err
    assert (status == 2) == (err.count("\n") == 1)
    assert not err or err.startswith("checks: ")


@hostile.FEW
@given(data=st.data())
def test_figures_ends_with_a_documented_status(tmp_path_factory, places, data):
    options = {
        "--data": places,
        "--format": ["png", "svg", "gif", ""],
        "--out": [str(tmp_path_factory.mktemp("out")), *places],
        **{f"--{name}": [*NUMBERS, "quadratic"] for name in ("seed", "pairs", "points", "steps", "alpha", "task")},
        "--claims": ["prop-2.1", "nobody", ""],
        "--reuse": None,
        "--fast": None,
        "--help": None,
    }
    before, figures.compute = figures.compute, lambda module, **kept: {}
    try:
        with contextlib.suppress(KeyError):  # the empty arrays above reach a figure only when all else is well
            status, out, err = hostile.outcome(draw, lines(data, options, ["fig1", "kernel", "list", *WORDS]))
            assert status in (0, 2)
            assert "Traceback" not in out + err
            assert status == 0 or "error: " in err
    finally:
        figures.compute = before


@hostile.FEW
@given(data=st.data())
def test_connect_ends_with_a_documented_status(tmp_path_factory, places, data):
    folder = tmp_path_factory.mktemp("nets")
    nets = [str(folder / "a.npz"), str(folder / "b.npz")]
    for k, file in enumerate(nets):
        np.savez(file, W1=[[1.0, k], [k, 1.0]], b1=[0.5, k], W2=[[1.0, 2.0 - k]])
    written = [str(folder / "new"), str(folder), "", "/dev/full"]
    options = {
        "--data": places,
        "--loss": ["squared", "absolute", "softmax", "hinge", "", "a\nb"],
        "--activation": ["relu", "tanh", "gelu", ""],
        **dict.fromkeys(["--level", "--seed"], NUMBERS),
        "--plot": [*written, str(folder / "p.png"), str(folder / "p.xyz")],
        **dict.fromkeys(["--save", "--path"], written),
        "--standardise": None,
        "--help": None,
        "--frobnicate": None,
    }
    words = lines(data, options, [*WORDS, *places])
    if data.draw(st.booleans()):
        good = next(place for place in places if place.endswith("good.csv"))
        words = [*nets, "--data", good, *words]
    before = set(os.listdir())
    status, out, err = hostile.outcome(halfrect_command, ["connect", *words])
    assert set(os.listdir()) == before
    assert status in (0, 1, 2)
    assert "Traceback" not in out + err
    assert (status == 2) == (err.count("\n") == 1)
    assert not err or err.startswith("halfrect: ")


@hostile.FEW
@given(data=st.data())
def test_other_words_end_with_a_documented_status(data):
    first = data.draw(st.sampled_from(["exercises", "completion", "verify", "list", *WORDS]) | st.text(max_size=6))
    words = lines(data, {"--help": None, "--list": None, "--frobnicate": None}, [*WORDS, "ex-1", "bash"])
    assume(first not in ("check", "report", "figures", "notebooks"))
    status, out, err = hostile.outcome(halfrect_command, [first.replace("\0", ""), *words])
    assert status in (0, 1, 2)
    assert "Traceback" not in out + err


@hostile.FEW
@given(data=st.data())
def test_the_gap_command_refuses_bad_options_before_it_computes(data):
    options = {
        "--seeds": ["0", "-1", "1.5", "x", ""],
        "--samples": ["0", "-1", "1.5", "x", ""],
        "--kappa": ["0", "-1", "nan", "inf", "x", ""],
        "--widths": ["", "1", "2,", "a", "-4", "2,1"],
        "--targets": ["nobody", "", "smooth,nobody"],
    }
    words = lines(data, options, ["nobody"])
    assume(words)
    status, _, err = hostile.outcome(gap.main, words)
    assert status == 2
    assert "Traceback" not in err


def test_a_file_name_that_is_no_text_is_written_into_the_page(tmp_path):
    table = tmp_path / "\udcff.csv"
    table.write_text("a,y\n1,2\n3,5\n6,1\n")
    with nothing_runs():
        status, _, err = hostile.outcome(
            checks.main, ["prop-2.1", "--data", str(table), "--html", str(tmp_path / "p.html")]
        )
    assert (status, err) == (1, "")
    assert (tmp_path / "p.html").read_text(encoding="utf-8").startswith("<!")
