"""Runs one solver for `solvers.Session`, in a process of its own, which may be stopped at any moment.

Reads one JSON object per line, `{"number": n, "script": SMT-LIB, "variables": [...], "seconds": s, "tactic": name or
""}`, and answers each with `{"number": n, "answer": "unsat" | "sat" | "unknown", "reason": text, "model": {variable:
[numerator, denominator]}}`. A model value that is not rational comes as a close rational: whoever asked verifies
models. Standard library and the solver alone.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

MEGABYTES = 2000
DIGITS = 30  # of a model value that is not rational


def z3_answer(script: str, variables: list[str], seconds: float, tactic: str) -> dict[str, Any]:
    """What z3 says."""
    import z3

    solver = z3.Tactic(tactic).solver() if tactic else z3.SolverFor("QF_NRA")
    solver.set("timeout", max(1, int(1000 * seconds)))
    solver.from_string(script)
    answer = solver.check()
    if answer == z3.unknown:
        return {"answer": "unknown", "reason": solver.reason_unknown()}
    if answer == z3.unsat:
        return {"answer": "unsat"}
    found = solver.model()
    model = {}
    for name in variables:
        value = found.eval(z3.Real(name), model_completion=True)
        value = value.approx(DIGITS) if z3.is_algebraic_value(value) else value
        model[name] = [int(value.numerator_as_long()), int(value.denominator_as_long())]
    return {"answer": "sat", "model": model}


def cvc5_answer(script: str, variables: list[str], seconds: float, tactic: str) -> dict[str, Any]:
    """What cvc5 says; it has no tactics."""
    import cvc5

    terms = cvc5.TermManager()
    solver = cvc5.Solver(terms)
    solver.setOption("produce-models", "true")
    solver.setOption("tlimit-per", str(max(1, int(1000 * seconds))))
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, "(set-logic QF_NRA)\n" + script, "lemma")
    while not (command := parser.nextCommand()).isNull():
        command.invoke(solver, parser.getSymbolManager())
    answer = solver.checkSat()
    if answer.isUnsat():
        return {"answer": "unsat"}
    if not answer.isSat():
        return {"answer": "unknown", "reason": str(answer.getUnknownExplanation())}
    declared = {str(found): found for found in parser.getSymbolManager().getDeclaredTerms()}
    model = {}
    for name in variables:
        value = solver.getValue(declared[name])
        if not value.isRealValue():
            value = value.getRealAlgebraicNumberLowerBound()
        fraction = Fraction(value.getRealValue())
        model[name] = [fraction.numerator, fraction.denominator]
    return {"answer": "sat", "model": model}


def limit_memory() -> None:
    """A solver that asks for more ends with an error, where the system knows such limits."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES * 2**20, MEGABYTES * 2**20))


SOLVERS: dict[str, Callable[..., dict[str, Any]]] = {"z3": z3_answer, "cvc5": cvc5_answer}


def main() -> None:
    """Answer until there is nothing left to read."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks
    limit_memory()
    solve = SOLVERS[sys.argv[1]]
    for line in sys.stdin:
        request = json.loads(line)
        reply = {"number": request.pop("number"), "reason": "", "model": {}}
        try:
            reply |= solve(**request)
        except Exception as error:  # whatever a solver raises is no answer
            reply |= {"answer": "unknown", "reason": f"{type(error).__name__}: {error}"[:200]}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
