"""`python -m checks` from outside: exit status, one-line errors, the table, JSON, the same seed twice, Ctrl-C."""

import dataclasses
import json
import os
import subprocess
import sys
import webbrowser

import numpy as np
import pytest

import figures
from checks import certificates, claims, report
from checks.__main__ import main, select
from checks.certificates import shipped
from checks.claim import Verdict
from checks.report import folder

CHEAP = ["prop-2.1", "sec-2.1-saddle"]


def checks(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "checks", *map(str, arguments)], capture_output=True, text=True, timeout=120, **options
    )


def refused(result, says):
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert says in result.stderr


def test_agreeing_claims_give_0_a_table_and_strict_json(tmp_path):
    result = checks(*CHEAP, "--json", tmp_path / "ledger.json", "--seed", 3, "--jobs", 2, "--controls")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""  # no progress bar where there is no terminal
    for word in (*CHEAP, "2.1 Poor minima", "agrees", "Planted faults", "as printed", "Seed 3"):
        assert word in result.stdout
    document = json.loads((tmp_path / "ledger.json").read_text(), parse_constant=pytest.fail)
    assert document["seed"] == 3
    assert {"python", "numpy", "scipy"} <= set(document["versions"])
    assert [entry["id"] for entry in document["claims"]] == CHEAP
    for entry in document["claims"]:
        assert entry["status"] == "agrees"
        assert entry["verdict"] == entry["recorded"]
        assert entry["control_caught"] is True
        assert entry["instances"] > 0
        assert {"evidence", "margin", "witness", "seconds"} <= set(entry)


def ledger(tmp_path, *arguments):
    assert main([*arguments, "--jobs", "1", "--json", str(tmp_path / "l.json")]) == 0
    document = json.loads((tmp_path / "l.json").read_text())
    for entry in document["claims"]:
        del entry["seconds"]
    return document


def test_the_same_seed_gives_the_same_document_whatever_else_runs(tmp_path, capsys):
    document = ledger(tmp_path, *CHEAP, "--seed", "11")
    assert document == ledger(tmp_path, *CHEAP, "--seed", "11")
    alone = ledger(tmp_path, CHEAP[1], "--seed", "11")
    assert alone["claims"] == document["claims"][1:]
    assert document["claims"] != ledger(tmp_path, *CHEAP, "--seed", "12")["claims"]


def test_a_wrong_verdict_gives_1_and_says_so(monkeypatch, capsys):
    load = claims.load

    def planted(claim_id):
        claim = load(claim_id)
        return dataclasses.replace(claim, verdict=Verdict.HOLDS, confirm=claim.control, refute=None)

    monkeypatch.setattr(claims, "load", planted)
    assert main(["prop-2.1", "--jobs", "1"]) == 1
    printed = capsys.readouterr().out
    assert "differs" in printed
    assert "recorded holds, this run refuted" in printed
    assert "closest:" in printed


def test_a_quiet_run_says_what_needs_a_look_and_how_it_ended(monkeypatch, capsys):
    words = ["prop-2.1", "--jobs", "1", "--quiet"]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("1 claim: 1 agrees. ")
    load = claims.load
    monkeypatch.setattr(claims, "load", lambda name: dataclasses.replace(load(name), confirm=load(name).control))
    assert main(words) == 1
    assert capsys.readouterr().out.startswith("prop-2.1: the outcome is not the recorded verdict")


def test_an_exception_in_a_claim_gives_1_and_one_line(monkeypatch, capsys):
    def broken(claim_id):
        raise ImportError("no such module")

    monkeypatch.setattr(claims, "load", broken)
    assert main(["prop-2.1", "--jobs", "1"]) == 1
    assert "loading: ImportError: no such module" in capsys.readouterr().out


def test_no_claims_are_no_success(monkeypatch, capsys):
    monkeypatch.setattr(claims, "available", lambda: ())
    assert main([]) == 1


def test_an_unknown_claim_is_refused_with_near_matches():
    refused(checks("prop-2.1-nonstric"), "prop-2.1-nonstrict")
    refused(checks("no-such-claim"), "no-such-claim")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--seed", "x"], "--seed must be an integer >= 0; got 'x'"),
        (["--seed", "-1"], "--seed"),
        (["--jobs", "0"], "--jobs"),
        (["--budget", "huge"], "--budget"),
        (["--frobnicate"], "--frobnicate"),
        (["--json"], "--json"),
        (["--json", "/no/such/folder/l.json"], "cannot be written"),
        (["--json", "."], "cannot be written"),
        (["--data", "absent.csv"], "No such file"),
        (["--data", "."], "must end in"),
        (["--target", "y"], "--target names a column of --data FILE"),
        (["--open"], "--open needs a page"),
        (["--budgt", "full"], "did you mean --budget?"),
        (["report"], "did you mean --report?"),
        (["--list", "--json", "/no/such/folder/l.json"], "cannot be written"),
    ],
)
def test_bad_usage_gives_2_and_one_line(arguments, says, capsys):
    assert main(["prop-2.1", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("checks: ")
    assert printed.err.count("\n") == 1
    assert says in printed.err


def test_a_bad_table_gives_2_and_one_line_from_outside(tmp_path):
    (tmp_path / "t.csv").write_text("a,y\n1,red\n2,3\n")
    refused(checks("--data", tmp_path / "t.csv"), "line 2, column 'y': 'red' is not a number")
    np.savez(tmp_path / "t.npz", X=np.zeros((2, 1)), y=np.array([{}, {}]))
    refused(checks("--data", tmp_path / "t.npz"), "never loaded")


def test_the_users_table_is_used(tmp_path, capsys):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, 2))
    np.savez(tmp_path / "mine.npz", X=X, y=np.sin(X[:, 0]))
    document = ledger(tmp_path, "sampling-misses", "--data", str(tmp_path / "mine.npz"))
    assert document["claims"][0]["tables"] == ["mine"]
    printed = capsys.readouterr().out
    assert printed.startswith("mine.npz: 30 rows, 2 inputs (x1, x2), target 'y'\n")
    assert f"(mine) {document['claims'][0]['note']}" in " ".join(printed.split())
    (tmp_path / "two.csv").write_text("u;v;w\n" + "\n".join(f"{a};{b};{a * b}" for a, b in X), encoding="utf-8")
    document = ledger(tmp_path, "sampling-misses", "--data", str(tmp_path / "two.csv"), "--target", "v")
    assert document["target"] == "v"
    assert "two.csv: 30 rows, 2 inputs (u, w), target 'v'; separated by semicolons\n" in capsys.readouterr().out


def test_a_report_is_a_folder_that_verifies_itself(tmp_path, monkeypatch, capsys):
    def drawn(here, ids):
        assert list(ids) == CHEAP
        (here / folder.PICTURES).mkdir()
        figures.write(here / folder.PICTURES / "f.npz", {}, figure="f", caption="A caption.", claims=("prop-2.1",))
        (here / folder.PICTURES / "f.svg").write_text('<svg viewBox="0 0 2 1"/>')
        return ""

    monkeypatch.setattr(report, "draw", drawn)
    here = tmp_path / "new" / "report"
    assert main([*CHEAP, "--report", str(here), "--jobs", "1"]) == 0
    text = (here / "index.html").read_text()
    assert "A caption." in text
    assert [entry["id"] for entry in json.loads((here / "ledger.json").read_text())["claims"]] == CHEAP
    files = sorted((here / "certificates").glob("*.json"))
    assert {file.stem for file in files} == {headline.claim for headline in shipped.HEADLINES}
    alone = subprocess.run(
        [sys.executable, "-I", "verify.py", *(f"certificates/{file.name}" for file in files)],
        capture_output=True,
        text=True,
        cwd=here,
        check=False,
    )
    assert alone.returncode == 0, alone.stderr
    assert alone.stdout.count("verified") == len(files)


def test_a_report_does_without_pictures_that_cannot_be_drawn_and_says_so(tmp_path, monkeypatch, capsys):
    draw = folder.draw
    monkeypatch.setattr(report, "draw", lambda here, ids: draw(here, command=("figures", "no-such-figure")))
    assert main(["prop-2.1", "--report", str(tmp_path), "--jobs", "1"]) == 0
    assert "no figure named no-such-figure" in capsys.readouterr().err
    assert (tmp_path / "index.html").exists()


def test_a_report_is_refused_where_it_cannot_be_or_doubles_an_option(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for arguments, says in (
        (["--report", str(tmp_path / "file")], "File exists"),
        (["--report", ""], "the name of a folder"),
        (["--report", str(tmp_path / "r"), "--html", "x.html", "--json", "y.json"], "leave out --json and --html"),
    ):
        assert main(["prop-2.1", *arguments]) == 2
        assert says in capsys.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
@pytest.mark.parametrize("words", [["--list"], ["prop-2.1", "--jobs", "1"]])
def test_a_full_disk_is_one_line(words):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "checks", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith("checks: standard output: ")
    assert done.stderr.count("\n") == 1


def test_the_list_runs_nothing(capsys):
    assert main(["--list", "prop-2.1"]) == 0
    printed = capsys.readouterr().out
    assert "prop-2.1" in printed
    assert "holds" in printed
    assert "agrees" not in printed


def test_the_list_as_json_is_the_record(tmp_path, capsys):
    assert main(["--list", "cor-2.5", "--json", str(tmp_path / "l.json")]) == 0
    assert capsys.readouterr().out == ""
    entries = json.loads((tmp_path / "l.json").read_text(encoding="utf-8"))["claims"]
    assert [entry["id"] for entry in entries] == select(["cor-2.5"])
    for entry in entries:
        claim = claims.load(entry["id"])
        assert entry["recorded"] == claim.verdict.value
        assert (entry["headline"], entry["statement"], entry["source"]) == (
            claim.headline,
            claim.statement,
            claim.source,
        )
        assert (entry["instead"], entry["repaired"]) == (claim.instead or None, claim.repaired)
        assert entry["reading"] is claim.reading


def test_a_run_tells_the_same_texts_to_programs(tmp_path, capsys):
    (entry,) = ledger(tmp_path, "prop-2.1-nonstrict")["claims"]
    claim = claims.load("prop-2.1-nonstrict")
    for name in ("headline", "instead", "statement", "repaired", "source", "fault"):
        assert entry[name] == getattr(claim, name)


def test_help_tells_exit_codes_and_examples(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    printed = capsys.readouterr().out
    assert stop.value.code == 0
    for words in ("exit status: 0", "130 after Ctrl-C", "python -m checks verify FILE", "--report report --open"):
        assert words in printed
    with pytest.raises(SystemExit):
        main(["--help"], "halfrect check")
    assert "halfrect verify FILE" in capsys.readouterr().out


def test_a_page_is_said_where_it_is_and_opened(tmp_path, monkeypatch, capsys):
    opened, page = [], tmp_path / "p age.html"
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    monkeypatch.setattr(certificates, "make", lambda seed: [])
    words = ["prop-2.1", "sec-2.1-saddle", "--jobs", "1", "--html", str(page)]
    assert main(words) == 0
    assert opened == []
    printed = capsys.readouterr().out.splitlines()
    assert printed[-1] == f"{page} ({page.stat().st_size / 1e6:.1f} MB): open it in a browser"
    assert printed[-2] == "Of 2 statements of the paper, none is false and 1 needs repair."
    assert main([*words, "--open"]) == 0
    assert opened == [page.as_uri()]
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    assert main([*words, "--open"]) == 0
    assert "there is no browser" in capsys.readouterr().err


def test_pictures_are_those_of_the_claims_that_are_run(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(report, "draw", lambda here, ids: asked.append(list(ids)) or "not here")
    assert main(["prop-2.1", "--report", str(tmp_path), "--jobs", "1"]) == 0
    assert asked == [["prop-2.1"]]
    monkeypatch.setattr(
        folder.subprocess, "run", lambda words, **_: asked.append(words) or subprocess.CompletedProcess(words, 0)
    )
    assert folder.draw(tmp_path, ["prop-2.1", "eq-12"]) == folder.draw(tmp_path) == ""
    assert asked[1][-3:] == ["--claims", "prop-2.1", "eq-12"]
    assert "--reuse" in asked[2]
    assert "--claims" not in asked[2]


def test_selection_keeps_the_catalogues_order_and_takes_families():
    assert select(["sec-2.1-saddle", "prop-2.1", "prop-2.1"]) == ["prop-2.1", "sec-2.1-saddle"]
    assert select(["sec-2.1"]) == [i for i in claims.available() if i.startswith("sec-2.1-")]
    assert select([]) == list(claims.available())


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_keeps_what_is_done_and_gives_130(tmp_path, jobs):
    asked = ["prop-2.1", "sec-2.1-saddle", "prop-2.1-nonstrict", "sec-2.1-not-necessary"]
    result = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *asked, "--jobs", str(jobs), "--json", str(tmp_path / "l.json")],
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
    )
    assert result.returncode == 130
    assert result.stderr == "checks: interrupted; the claims above were finished\n"
    assert "not run" in result.stdout
    done = json.loads((tmp_path / "l.json").read_text())["claims"]
    assert 1 <= len(done) < len(asked)
    assert all(entry["status"] == "agrees" for entry in done)
    assert all(entry["id"] in result.stdout for entry in done)


# Ctrl-C after the first finished claim, as a terminal sends it: to the whole process group.
INTERRUPTED = """
import os, signal, sys
from checks import __main__ as command, report

class Bar(report.Bar):
    def finish(self, result):
        super().finish(result)
        os.killpg(0, signal.SIGINT)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job inherits that it is ignored
    report.Bar = Bar
    sys.exit(command.main())
"""
