"""`python -m checks.smt [ID ...]`: the lemmas of these claims, or of all, proved now."""

from __future__ import annotations

import argparse
import sys

from checks.smt.proofs import Decision, examine, show
from checks.smt.steps import PROVED, REST, every_lemma, lemmas_of


def main(arguments: list[str] | None = None) -> int:
    """Print lemma by lemma; 0 when all are proved, 1 when not, 2 for an id that is not known."""
    parser = argparse.ArgumentParser(prog="python -m checks.smt", description=__doc__)
    parser.add_argument("ids", nargs="*", metavar="ID", help="ids of claims; default: each lemma once")
    parser.add_argument("--second", action="store_true", help="ask cvc5 as well, where it is installed")
    parser.add_argument("--script", action="store_true", help="print the lemmas in SMT-LIB 2 for a solver of your own")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.ids if name not in REST]
    if unknown:
        print(f"no claim {', '.join(unknown)}; known: {', '.join(REST)}", file=sys.stderr)
        return 2
    for name in options.ids:
        print(f"{name}: {len(lemmas_of(name))} lemmas. Beside them: {REST[name]}")
    lemmas = list(
        {x.name: x for name in options.ids for x in lemmas_of(name)}.values() if options.ids else every_lemma().values()
    )
    if options.script:
        for lemma in lemmas:
            print(f"; {lemma.name}: {lemma.words}\n(reset)\n(set-logic QF_NRA)\n{lemma.script}(check-sat)")
        return 0
    proved = 0
    for step in examine(lemmas, second=options.second):
        proved += step.decision is Decision.PROVED
        solvers = " and ".join(step.proof.solvers) or step.proof.reason
        print(
            f"{step.decision.value:8} {step.lemma.name} ({step.proof.seconds:.2f} s, {solvers})\n         {step.lemma.words}"
        )
        print(
            f"         not so: {step.lemma.stronger.words}: {show(step.control.model) or step.control.reason or 'proved'}"
        )
    print(f"{proved} of {len(lemmas)} lemmas proved" + ("" if options.ids else f", for {len(PROVED)} claims"))
    return 0 if proved == len(lemmas) else 1


if __name__ == "__main__":
    sys.exit(main())
