"""The runner on planted claims: every way a claim can go wrong has its own status, and nothing depends on order."""

import dataclasses
import json
import time
from fractions import Fraction

import numpy as np
import pytest

from checks import claims, examine, runner
from checks.claim import Claim, Evidence, Standing, Status, Tally, Tightness, Verdict, Witness
from checks.report import document as report
from checks.tables import from_file, shipped


def outcome(*margins):
    tally = Tally()
    for margin in margins:
        tally.add(margin, size=np.float64(2), where=np.arange(2))
    return tally.outcome("a note")


def random_outcome(setting):
    return outcome(setting.rng.random())


def claim(verdict=Verdict.HOLDS, *, confirm=lambda s: outcome(1.0, 0.5), control=lambda s: outcome(-1.0), refuted=True):
    witness = (
        None if verdict in (Verdict.HOLDS, Verdict.OPEN) else lambda: Witness(refuted, "see", {"x": Fraction(1, 3)})
    )
    return Claim(
        id="prop-2.1",
        headline="A sentence.",
        fault="a fault",
        instead="" if verdict in (Verdict.HOLDS, Verdict.OPEN) else "Another.",
        source="here",
        statement="s",
        standing=Standing.OURS,
        tightness=Tightness.UPPER,
        verdict=verdict,
        evidence=Evidence.SAMPLED,
        confirm=confirm,
        control=control,
        refute=witness,
        repaired="r",
    )


@pytest.fixture
def run(monkeypatch):
    def run_planted(planted, **options):
        monkeypatch.setattr(claims, "load", lambda claim_id: planted)
        return examine.run_claim("prop-2.1", **options)

    return run_planted


@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_outcome_as_recorded_agrees(run, verdict):
    result = run(claim(verdict))
    assert result.status is Status.AGREES
    assert result.verdict is result.recorded is verdict
    assert result.control_caught
    assert (result.instances, result.margin, result.note) == (2, 0.5, "a note")
    assert result.closest == {"size": 2.0, "where": [0, 1]}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_violation_differs(run, verdict):
    result = run(claim(verdict, confirm=lambda s: outcome(1.0, -0.1)))
    assert result.status is Status.DIFFERS
    assert result.verdict is (Verdict.REFUTED if verdict is Verdict.HOLDS else None)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_margin_that_is_no_number_differs(run, verdict):
    result = run(claim(verdict, confirm=lambda s: outcome(1.0, np.nan, 2.0)))
    assert result.status is Status.DIFFERS
    assert result.verdict is None


@pytest.mark.parametrize("verdict", [Verdict.REFUTED, Verdict.REPAIRED])
def test_a_witness_that_does_not_refute_differs(run, verdict):
    result = run(claim(verdict, refuted=False))
    assert result.status is Status.DIFFERS
    assert result.verdict is None


def test_a_check_that_examined_nothing_is_vacuous(run):
    assert run(claim(confirm=lambda s: outcome())).status is Status.VACUOUS


@pytest.mark.parametrize("margins", [(), (0.0,), (1.0,), (np.nan,)])
def test_a_fault_that_is_not_caught_breaks_the_check(run, margins):
    result = run(claim(control=lambda s: outcome(*margins)))
    assert result.status is Status.BROKEN
    assert not result.control_caught


def test_an_exception_is_one_line_and_names_the_part(run):
    def fail(setting):
        raise ArithmeticError("two\nlines")

    result = run(claim(control=fail))
    assert result.status is Status.ERROR
    assert result.error == "control: ArithmeticError: two lines"
    assert result.recorded is Verdict.HOLDS
    assert run(claim(confirm=fail)).error.startswith("confirm: ")


def test_a_claim_that_does_not_load_is_an_error(monkeypatch):
    def broken(claim_id):
        raise SyntaxError("bad module")

    monkeypatch.setattr(claims, "load", broken)
    result = examine.run_claim("prop-2.1")
    assert (result.status, result.recorded, result.error) == (Status.ERROR, None, "loading: SyntaxError: bad module")
    json.dumps(report.as_document([result], seed=0, budget="quick", data=None), allow_nan=False)


def test_the_generator_depends_on_seed_claim_and_part_only(run):
    first = run(claim(confirm=random_outcome), seed=3)
    assert run(claim(confirm=random_outcome), seed=3).margin == first.margin
    assert run(claim(confirm=random_outcome), seed=4).margin != first.margin
    draws = {examine.generator(s, i, p).random() for s in (0, 1) for i in ("a", "b") for p in ("confirm", "control")}
    assert len(draws) == 8
    state = examine.generator(0, "prop-2.1", "confirm").bit_generator.seed_seq.generate_state(1)
    assert state == [2572372214]  # the same on every machine


def test_the_control_runs_in_the_quick_budget(run):
    budgets = []

    def note(setting, margin):
        budgets.append((setting.budget, setting.instances(2)))
        return outcome(margin)

    run(claim(confirm=lambda s: note(s, 1.0), control=lambda s: note(s, -1.0)), budget="full")
    assert budgets == [("full", 200), ("quick", 2)]


def test_the_result_names_the_tables_that_were_used(run):
    use = claim(confirm=lambda s: outcome(float(len(s.tables["diabetes"]))))
    assert run(use, tables=shipped()).tables == ("diabetes",)
    assert run(claim()).tables == ()


def test_the_users_table_replaces_the_shipped_ones(run, tmp_path):
    file = tmp_path / "mine.csv"
    file.write_text("a,y\n1,2\n2,3\n3,3\n")
    use = claim(confirm=lambda s: outcome(float(len(s.tables["mine"])) - 3 + len(s.tables)))
    result = run(use, tables=from_file(file))
    assert (result.margin, result.tables) == (1.0, ("mine",))


def test_progress_is_reported_with_the_claims_id(run):
    seen = []

    def walk(setting):
        for _ in setting.each(range(2)):
            pass
        return outcome(1.0)

    run(claim(confirm=walk), progress=lambda claim_id, fraction: seen.append((claim_id, fraction)))
    assert seen == [("prop-2.1", 0.5), ("prop-2.1", 1.0)]


def test_plain_values_survive_strict_json():
    value = {
        "array": np.array([[1.0, np.nan], [np.inf, -0.0]]),
        "fraction": Fraction(2, 6),
        "complex": 1 + 2j,
        "huge": 2**70,
        "numpy": (np.int64(3), np.bool_(True), np.str_("a")),
        "enum": Verdict.HOLDS,
        "set": {2, 1},
        "none": None,
        1: object,
    }
    plain = examine.plain(value)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["array"] == [[1.0, None], [None, 0.0]]
    assert plain["fraction"] == "1/3"
    assert plain["complex"] == [1.0, 2.0]
    assert plain["huge"] == str(2**70)
    assert plain["numpy"] == [3, True, "a"]
    assert plain["set"] == [1, 2]


def test_the_document_is_strict_json_and_complete(run):
    result = run(claim(Verdict.REPAIRED, confirm=lambda s: outcome(np.inf)))
    document = report.as_document([result], seed=7, budget="quick", data=None)
    text = json.dumps(document, allow_nan=False)
    entry = json.loads(text)["claims"][0]
    assert entry["margin"] is None
    assert entry["witness"] == {"refuted": True, "explanation": "see", "values": {"x": "1/3"}}
    assert (entry["verdict"], entry["recorded"], entry["status"]) == ("repaired", "repaired", "agrees")
    assert document["versions"]["numpy"] == np.__version__


def test_results_in_two_processes_are_those_of_one():
    ids = ["sec-2.1-saddle", "prop-2.1"]
    seen = []
    alone = {r.id: r for r in runner.results(ids, seed=5, jobs=1)}
    apart = {r.id: r for r in runner.results(ids[::-1], seed=5, jobs=2, progress=lambda *a: seen.append(a))}
    for claim_id in ids:
        a, b = (dataclasses.replace(r, seconds=0.0) for r in (alone[claim_id], apart[claim_id]))
        assert report.as_document([a], seed=5, budget="quick", data=None) == report.as_document(
            [b], seed=5, budget="quick", data=None
        )
    assert {claim_id for claim_id, _ in seen} <= set(ids)


def test_closing_the_iterator_ends_the_processes():
    import multiprocessing

    before = set(multiprocessing.active_children())
    stream = runner.results(["prop-2.1", "sec-2.1-saddle", "prop-2.1-nonstrict"], jobs=2)
    next(stream)
    stream.close()
    for process in set(multiprocessing.active_children()) - before:
        until = time.monotonic() + 30
        while process.is_alive() and time.monotonic() < until:  # the pool's own thread may be the one that reaps it
            time.sleep(0.01)
        assert not process.is_alive()
