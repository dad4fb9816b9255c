"""What counts as evidence: a false lemma is refuted, and nothing unknown ever turns into agreement."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from checks import smt
from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Status, Tally, Tightness, Verdict
from checks.examine import Result, _status, observed
from checks.smt import Answer, Decision, DisagreementError, Session, Statement, proofs, prove
from checks.smt.__main__ import main
from checks.smt.statements import lemma
from checks.smt.terms import equal, reals

x, y = reals("x y")
SQUARES = lemma(
    "squares", "Squares add up.", (x >= 0,), x**2 + 2 * x * y + y**2 >= 0, but="strictly", fails=x**2 + y**2 > 0
)
WRONG = lemma("wrong", "A planted fault.", (x >= 0,), x**2 >= x, but="more", fails=x**2 >= 2 * x)
TOO_WEAK = lemma("too-weak", "Its control is true.", (), x**2 >= 0, but="no less true", fails=x**2 + 1 > 0)
IRRATIONAL = lemma("irrational", "2 is no square.", (), ~equal(x**2, 2), but="nor 4", fails=~equal(x**2, 4))


class Pretended:
    """A solver that says what it is told to."""

    def __init__(self, word, model=None, *, name="pretended", reason=""):
        self.name, self.answer = name, Answer(word, reason, model or {})

    def ask(self, script, variables, seconds, tactic=""):
        return self.answer


YES, NO, PERHAPS = Pretended("unsat"), Pretended("sat"), Pretended("unknown", reason="tired")


def test_a_true_lemma_is_proved_and_a_false_one_refuted_with_a_verified_model():
    proof = prove(SQUARES)
    assert (proof.decision, proof.solvers, proof.model) == (Decision.PROVED, ("z3",), {})
    proof = prove(WRONG)
    assert proof.decision is Decision.REFUTED
    assert proof.model["x"] ** 2 < proof.model["x"]


def test_a_claimed_model_counts_only_when_fractions_verify_it():
    half, wrong, other = ({"x": Fraction(1, 2)}, {"x": Fraction(2)}, {"z": Fraction(1, 2)})
    assert prove(WRONG, [Pretended("sat", half)]).decision is Decision.REFUTED
    for model in (wrong, other, {}):
        proof = prove(WRONG, [Pretended("sat", model)])
        assert proof.decision is Decision.UNKNOWN
        assert "could not be verified" in proof.reason


def test_a_counterexample_that_is_not_rational_is_unknown():
    proof = prove(IRRATIONAL)
    assert proof.decision is Decision.UNKNOWN
    assert "could not be verified" in proof.reason


def test_models_are_shown_with_small_denominators():
    near = {"x": Fraction(10**12 + 1, 2 * 10**12)}
    assert prove(WRONG, [Pretended("sat", near)]).model == {"x": Fraction(1, 2)}


@pytest.mark.parametrize("model", [{}, {"x": Fraction(1, 2)}])
def test_a_contradiction_between_solvers_is_an_error(model):
    second = Pretended("sat", model, name="second")
    with pytest.raises(DisagreementError, match=r"pretended: no counterexample; second: one"):
        prove(WRONG, [YES, second])
    with pytest.raises(DisagreementError):
        smt.confirm([WRONG], solvers=[second, YES])


def test_solvers_that_do_not_answer_neither_help_nor_hurt():
    assert prove(SQUARES, [YES, replace_name(PERHAPS)]).solvers == ("pretended",)
    assert prove(SQUARES, [PERHAPS]).decision is Decision.UNKNOWN
    assert "pretended: tired" in prove(SQUARES, [PERHAPS]).reason
    assert prove(SQUARES, []).decision is Decision.UNKNOWN


def replace_name(solver):
    return Pretended(solver.answer.word, solver.answer.model, name="second", reason=solver.answer.reason)


def test_later_solvers_get_less_time():
    class Watch(Pretended):
        def ask(self, script, variables, seconds, tactic=""):
            limits.append(seconds)
            return self.answer

    limits: list[float] = []
    prove(replace(SQUARES, seconds=8.0), [Watch("unsat"), Watch("unsat", name="second")])
    assert limits == [8.0, proofs.SECOND_SECONDS]


def test_a_lemma_whose_control_is_true_is_not_proved():
    (step,) = smt.examine([TOO_WEAK])
    assert step.proof.decision is Decision.PROVED
    assert step.decision is Decision.UNKNOWN
    assert "which was proved" in step.words
    assert not smt.confirm([TOO_WEAK]).holds
    assert not smt.control([TOO_WEAK]).margin < 0


def test_confirm_counts_lemmas_and_its_control_makes_each_stronger():
    outcome = smt.confirm(smt.lemmas_of("prop-2.3-sharp"))
    assert outcome.holds
    assert (outcome.instances, outcome.margin) == (len(smt.lemmas_of("prop-2.3-sharp")), 0.0)
    fault = smt.control(smt.lemmas_of("prop-2.3-sharp"))
    assert fault.margin < 0
    assert fault.instances == outcome.instances


def test_a_refuted_lemma_is_a_violation_with_its_counterexample():
    outcome = smt.confirm([SQUARES, WRONG])
    assert outcome.margin == -1
    assert outcome.closest["lemma"] == "wrong"
    assert 0 < outcome.closest["x"] < 1
    assert "wrong refuted: x = " in outcome.note


def missing(monkeypatch):
    monkeypatch.setattr(smt.solvers, "available", lambda name: False)


def crashing(monkeypatch, tmp_path):
    (tmp_path / "worker.py").write_text("import os; os._exit(1)")
    monkeypatch.setattr(smt.solvers, "WORKER", tmp_path / "worker.py")


def late(monkeypatch, tmp_path):
    (tmp_path / "worker.py").write_text("import time; time.sleep(60)")
    monkeypatch.setattr(smt.solvers, "WORKER", tmp_path / "worker.py")
    monkeypatch.setattr(smt.solvers, "GRACE", 0.1)


@pytest.mark.parametrize(
    ("fault", "reason"), [("missing", "pip install"), ("crashing", "crashed"), ("late", "no answer within")]
)
def test_without_a_working_solver_a_claim_is_vacuous_and_says_why(monkeypatch, tmp_path, fault, reason):
    """UNKNOWN is never agreement: not alone, and not beside lemmas that were proved."""
    if fault == "missing":
        missing(monkeypatch)
    else:
        {"crashing": crashing, "late": late}[fault](monkeypatch, tmp_path)
    quick = [replace(SQUARES, seconds=0.1, stronger=replace(SQUARES.stronger, seconds=0.1))]
    claim = resting_on(quick)
    outcome = claim.confirm(Setting(np.random.default_rng(0)))
    assert outcome.instances == 0
    assert not outcome.holds
    assert reason in outcome.note
    assert observed(claim, outcome, None) is None
    result = Result("x", Status.ERROR, observed(claim, outcome, None), claim.verdict, instances=outcome.instances)
    assert _status(replace(result, control=claim.control(Setting(np.random.default_rng(0))))) is Status.VACUOUS
    assert not smt.control(quick).margin < 0  # nor is a planted fault caught by nobody


def resting_on(lemmas):
    """A claim whose evidence is that its lemmas are proved."""
    return Claim(
        id="x", headline="X.", fault="none", source="here", statement="x", standing=Standing.OURS, tightness=Tightness.LOWER, verdict=Verdict.HOLDS,
        evidence=Evidence.PROVED, confirm=lambda setting: smt.confirm(lemmas), control=lambda setting: smt.control(lemmas),
    )  # fmt: skip


def test_one_unknown_lemma_among_proved_ones_is_not_agreement():
    class Forgetful(Session):
        def ask(self, script, variables, seconds, tactic=""):
            return (
                Answer("unknown", "forgot")
                if "(* 2.0 x)" in script
                else super().ask(script, variables, seconds, tactic)
            )

    other = lemma("other", "Another.", (), x**2 >= 0, but="strictly", fails=x**2 > 0)
    with Forgetful("z3") as solver:
        outcome = smt.confirm([other, SQUARES], solvers=[solver])
    assert (outcome.instances, outcome.holds) == (0, False)
    assert "1 of 2 lemmas proved by z3; squares unknown: z3: forgot" in outcome.note


def test_beside_other_instances_lemmas_count_and_leave_the_margin_alone():
    tally = Tally()
    tally.add(0.25, seed=3)
    note = smt.contribute(tally, [SQUARES, TOO_WEAK])
    outcome = tally.outcome(note)
    assert (outcome.instances, outcome.margin, outcome.closest) == (2, 0.25, {"seed": 3})
    assert note.startswith("1 of 2 lemmas proved by z3; too-weak unknown")
    smt.contribute(tally, [WRONG])
    assert tally.margin == -1
    assert tally.closest["lemma"] == "wrong"


TESTED = Outcome(7, 0.25, {"seed": 3}, "tested")


def test_an_outcome_beside_its_lemmas():
    both = smt.beside(TESTED, [SQUARES])
    assert (both.instances, both.margin, both.closest) == (8, 0.25, {"seed": 3})
    assert both.note == "tested; 1 of 1 lemmas proved by z3"
    assert smt.beside(TESTED, [SQUARES, WRONG]).margin == -1
    assert smt.beside(replace(TESTED, margin=-0.5), [SQUARES]).margin == -0.5
    assert not smt.beside(replace(TESTED, margin=math.nan), [SQUARES]).holds
    nothing = Outcome(0, math.nan, {}, "")
    assert smt.beside(nothing, [SQUARES]).instances == 0
    assert smt.beside(nothing, [WRONG]).margin == -1


def test_an_unknown_lemma_beside_other_instances_is_said_and_where_decisive_nothing_was_examined():
    open_to = smt.beside(TESTED, [SQUARES], solvers=[PERHAPS])
    assert (open_to.instances, open_to.margin) == (7, 0.25)
    assert "0 of 1 lemmas proved; squares unknown: pretended: tired" in open_to.note
    decided = smt.beside(TESTED, [SQUARES], decisive=True, solvers=[PERHAPS])
    assert (decided.instances, decided.holds) == (0, False)
    assert "squares unknown" in decided.note


def test_nothing_to_prove_is_nothing_examined():
    for outcome in (smt.confirm([]), smt.control([])):
        assert outcome.instances == 0
        assert math.isnan(outcome.margin)
        assert isinstance(outcome, Outcome)


def test_proved_is_the_strongest_evidence():
    assert next(iter(Evidence)) is Evidence.PROVED


def test_a_statement_explains_itself():
    statement = Statement("words", (x >= 0,), x**2 <= y)
    assert statement.tex == r"x^2\le y\quad\text{if }0\le x"
    assert statement.script.splitlines()[0] == "(declare-const x Real)"
    assert statement.variables == ("x", "y")


def test_the_command_proves_prints_and_refuses(capsys):
    assert main(["thm-2.4-constant", "prop-2.1"]) == 0
    printed = capsys.readouterr().out
    assert "proved   eight-27ths" in printed
    assert "prop-2.1: 0 lemmas. Beside them: A statement on sets" in printed
    assert main(["prop-9.9"]) == 2
    assert "no claim prop-9.9" in capsys.readouterr().err
    assert main(["--script", "remark-2.3-upper"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("(check-sat)") == len(smt.lemmas_of("remark-2.3-upper"))
