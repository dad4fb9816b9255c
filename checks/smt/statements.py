"""What is proved: a statement on finitely many reals, beside a slightly stronger one that is false."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from checks.smt.terms import Formula, every, smtlib, tex, variables


@dataclass(frozen=True)
class Statement:
    """For all reals: if all of `given` then `then`. words: the same for people, in one sentence.

    tactic: one of z3's, "" for its own choice; seconds: the time limit for each solver.
    """

    words: str
    given: tuple[Formula, ...]
    then: Formula
    tactic: str = field(default="", kw_only=True)
    seconds: float = field(default=30.0, kw_only=True)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the real variables, in the order in which they occur."""
        return variables(*self.given, self.then)

    @property
    def counterexample(self) -> Formula:
        """What a counterexample satisfies: all of `given`, and not `then`."""
        return every(*self.given, ~self.then)

    @property
    def script(self) -> str:
        """Declarations and assertions in SMT-LIB 2; "unsat" means that the statement is true."""
        lines = [f"(declare-const {name} Real)" for name in self.variables]
        lines += [f"(assert {smtlib(formula)})" for formula in (*self.given, ~self.then)]
        return "\n".join(lines) + "\n"

    @property
    def tex(self) -> str:
        """The statement in TeX, made from the very formulas that solvers get."""
        return tex(self.then) + (rf"\quad\text{{if }}{tex(every(*self.given))}" if self.given else "")


@dataclass(frozen=True)
class Lemma(Statement):
    """A statement with a name and its control.

    stronger: a slightly stronger statement, often the printed one, with a counterexample that solvers must find.
    """

    name: str
    stronger: Statement


def lemma(
    name: str,
    words: str,
    given: Sequence[Formula],
    then: Formula,
    *,
    but: str,
    fails: Formula,
    where: Sequence[Formula] | None = None,
    tactic: str = "",
    seconds: float = 30.0,
) -> Lemma:
    """A lemma; `but` says in words what is too strong, `fails` is its conclusion, `where` its hypotheses (None: the same)."""
    stronger = Statement(but, tuple(given if where is None else where), fails, tactic=tactic, seconds=seconds)
    return Lemma(words, tuple(given), then, name, stronger, tactic=tactic, seconds=seconds)
