"""Proofs by solvers for nonlinear real arithmetic: the strongest kind of evidence here.

Where a step of a claim speaks of finitely many reals, its negation is handed to z3 (and to cvc5, which must agree, where it
is asked for and installed), and "unsatisfiable" is the evidence. Each lemma has a control, a slightly stronger
statement, whose counterexample the solver must find and which is verified again here in fractions.

    from checks import smt
    smt.confirm(smt.lemmas_of("prop-2.3-sharp"))        # for a claim that rests on its lemmas
    smt.beside(outcome, smt.lemmas_of("prop-2.2"))      # for a check that tests other things too

`terms` is the language, `statements` what a lemma is, `solvers` and `worker` run a solver so that it can be stopped,
`proofs` draws the conclusions, `section_*` and `sections_3_4` hold the lemmas, `shared` what several need, and `steps`
says claim by claim what is proved and what is tested. `python -m checks.smt` prints it.
"""

from checks.smt.proofs import (
    Decision,
    DisagreementError,
    Proof,
    Step,
    beside,
    confirm,
    contribute,
    control,
    examine,
    prove,
    show,
)
from checks.smt.solvers import Answer, Session, Solver
from checks.smt.statements import Lemma, Statement
from checks.smt.steps import PROVED, REST, every_lemma, lemmas_of

__all__ = [
    "PROVED",
    "REST",
    "Answer",
    "Decision",
    "DisagreementError",
    "Lemma",
    "Proof",
    "Session",
    "Solver",
    "Statement",
    "Step",
    "beside",
    "confirm",
    "contribute",
    "control",
    "every_lemma",
    "examine",
    "lemmas_of",
    "prove",
    "show",
]
