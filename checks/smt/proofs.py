"""Proofs by solvers for real arithmetic: the negation of a statement is unsatisfiable, and its control is satisfiable.

"unsat" is the evidence. "sat" counts only with a model that was verified again here, in fractions. Anything else, a
solver that is missing, crashes or runs out of time included, is unknown, and unknown is never evidence.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction

from checks.claim import Outcome, Tally
from checks.smt.solvers import Answer, Session, Solver, available
from checks.smt.statements import Lemma, Statement
from checks.smt.terms import evaluate

SECOND_SECONDS = 1.0  # of any solver but the first
DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 50, 100, 10**3, 10**4, 10**6, 10**9, 10**12)


class Decision(Enum):
    """What became of a statement."""

    PROVED = "proved"
    REFUTED = "refuted"  # by a counterexample that was verified in fractions
    UNKNOWN = "unknown"


class DisagreementError(RuntimeError):
    """Two solvers contradict each other: one of them is wrong, and nothing that they say is evidence."""


@dataclass(frozen=True)
class Proof:
    """What solvers say of a statement.

    solvers: those that decided it, and agree. model: the counterexample, of REFUTED alone. reason: of UNKNOWN alone.
    """

    decision: Decision
    solvers: tuple[str, ...] = ()
    seconds: float = 0.0
    model: dict[str, Fraction] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Step:
    """A lemma with its proof, and with what was found for its control."""

    lemma: Lemma
    proof: Proof
    control: Proof

    @property
    def decision(self) -> Decision:
        """PROVED only when the control was refuted as well; REFUTED when the lemma has a counterexample."""
        if self.proof.decision is Decision.PROVED and self.control.decision is not Decision.REFUTED:
            return Decision.UNKNOWN
        return self.proof.decision

    @property
    def words(self) -> str:
        """One line: what became of the lemma, by which solver, or why nothing."""
        name = self.lemma.name
        if self.decision is Decision.REFUTED:
            return f"{name} refuted: {show(self.proof.model)}"
        if self.decision is Decision.PROVED:
            return f"{name} proved by {' and '.join(self.proof.solvers)}; {self.lemma.stronger.words}: {show(self.control.model)}"
        if self.proof.decision is Decision.UNKNOWN:
            return f"{name} unknown: {self.proof.reason}"
        return f"{name} unknown: no counterexample to its control, {self.control.reason or 'which was proved'}"


def prove(statement: Statement, solvers: Sequence[Solver] | None = None) -> Proof:
    """Hand the negation of the statement to each solver (default: to z3); DisagreementError when two contradict each other."""
    if solvers is None:
        with Session("z3") as z3:
            return prove(statement, [z3])
    start = time.perf_counter()
    answers: dict[str, Answer] = {}
    for solver in solvers:
        limit = min(statement.seconds, SECOND_SECONDS) if answers else statement.seconds
        answers[solver.name] = solver.ask(statement.script, statement.variables, limit, statement.tactic)
    elapsed = time.perf_counter() - start
    unsat, sat = (tuple(name for name, a in answers.items() if a.word == word) for word in ("unsat", "sat"))
    if unsat and sat:
        raise DisagreementError(
            f"{', '.join(unsat)}: no counterexample; {', '.join(sat)}: one. Statement: {statement.words}"
        )
    if unsat:
        return Proof(Decision.PROVED, unsat, elapsed)
    for name in sat:
        model = rational_model(statement, answers[name].model)
        if model is not None:
            return Proof(Decision.REFUTED, sat, elapsed, model)
    reasons = [
        f"{name}: {a.reason or 'its counterexample could not be verified in fractions'}" for name, a in answers.items()
    ]
    return Proof(Decision.UNKNOWN, (), elapsed, reason="; ".join(reasons) or "no solver was asked")


def rational_model(statement: Statement, claimed: dict[str, Fraction]) -> dict[str, Fraction] | None:
    """A counterexample near the claimed one, with small denominators where that is possible, verified exactly; else None."""
    if set(claimed) != set(statement.variables):
        return None
    near = ({name: value.limit_denominator(q) for name, value in claimed.items()} for q in DENOMINATORS)
    for model in (*near, claimed):
        if evaluate(statement.counterexample, model):
            return model
    return None


def examine(
    lemmas: Sequence[Lemma], *, second: bool = False, solvers: Sequence[Solver] | None = None
) -> Iterator[Step]:
    """Prove each lemma and refute its control, by z3; second: by cvc5 as well where it is installed.

    solvers: these instead. DisagreementError when two contradict each other.
    """
    if solvers is None:
        names = ["z3"] + ["cvc5"] * (second and available("cvc5"))
        with contextlib.ExitStack() as stack:
            yield from examine(lemmas, solvers=[stack.enter_context(Session(name)) for name in names])
        return
    for lemma in lemmas:
        yield Step(lemma, prove(lemma, solvers), prove(lemma.stronger, solvers))


def contribute(
    tally: Tally, lemmas: Sequence[Lemma], *, second: bool = False, solvers: Sequence[Solver] | None = None
) -> str:
    """Add lemmas to the tally of a check that tests other things too; the return value is a line for its note.

    A proved lemma is one more instance and leaves the margin alone; a refuted one has the margin -1 and its
    counterexample; an unknown one adds nothing, and the line says why. `second`, `solvers` as in `examine`.
    """
    steps = list(examine(lemmas, second=second, solvers=solvers))
    for step in steps:
        if step.decision is Decision.PROVED:
            tally.add(math.inf, lemma=step.lemma.name)
        elif step.decision is Decision.REFUTED:
            tally.add(-1.0, lemma=step.lemma.name, **{name: float(x) for name, x in step.proof.model.items()})
    proved = sum(step.decision is Decision.PROVED for step in steps)
    names = sorted({name for step in steps for name in step.proof.solvers})
    line = f"{proved} of {len(steps)} lemmas proved" + (f" by {' and '.join(names)}" if proved else "")
    return "; ".join([line, *(step.words for step in steps if step.decision is not Decision.PROVED)])


def beside(
    outcome: Outcome,
    lemmas: Sequence[Lemma],
    *,
    decisive: bool = False,
    second: bool = False,
    solvers: Sequence[Solver] | None = None,
) -> Outcome:
    """The outcome of a check together with its lemmas, counted as in `contribute`.

    decisive: the claim says that they are proved, so one of them unknown makes it examined-nothing; otherwise an
    unknown lemma adds nothing, and the note says why. What examined nothing itself is not saved by lemmas.
    """
    tally = Tally()
    note = "; ".join(filter(None, [outcome.note, contribute(tally, lemmas, second=second, solvers=solvers)]))
    if tally.margin < 0:
        return Outcome(max(outcome.instances, 1) + tally.instances, -1.0, tally.closest, note)
    if outcome.instances == 0 or (decisive and tally.instances < len(lemmas)):
        return Outcome(0, math.nan, {}, note)
    return Outcome(outcome.instances + tally.instances, outcome.margin, outcome.closest, note)


def confirm(lemmas: Sequence[Lemma], *, second: bool = False, solvers: Sequence[Solver] | None = None) -> Outcome:
    """The outcome of a claim that rests on its lemmas alone: instances counts those proved, margin 0 or, refuted, -1.

    Not to be had with one of them unknown: then nothing was examined, whatever else was proved, and the note says
    why. `second`, `solvers` as in `examine`.
    """
    tally = Tally()
    note = contribute(tally, lemmas, second=second, solvers=solvers)
    if tally.instances < len(lemmas) and not tally.margin < 0:
        return Outcome(0, math.nan, {}, note)
    outcome = tally.outcome(note)
    return Outcome(outcome.instances, min(outcome.margin, 0.0), outcome.closest, note)


def control(lemmas: Sequence[Lemma], *, solvers: Sequence[Solver] | None = None) -> Outcome:
    """The planted fault of such a claim: its lemmas made slightly stronger. Negative margin when every one is refuted."""
    with contextlib.ExitStack() as stack:
        asked = [stack.enter_context(Session("z3"))] if solvers is None else solvers
        faults = {lemma.name: prove(lemma.stronger, asked) for lemma in lemmas}
    refuted = {name: proof.model for name, proof in faults.items() if proof.decision is Decision.REFUTED}
    missed = [name for name in faults if name not in refuted]
    caught = bool(refuted) and not missed
    closest = {name: float(x) for name, x in next(iter(refuted.values()), {}).items()}
    note = f"not refuted: {', '.join(missed)}" if missed else "each lemma made stronger, and refuted by a model"
    return Outcome(len(refuted), -1.0 if caught else math.nan, closest, note)


def show(model: dict[str, Fraction]) -> str:
    """A model in one line: "a = 1/2, b = -3"."""
    return ", ".join(f"{name} = {value}" for name, value in model.items())
