"""`python -m checks.exercises [ID ...]`, or `halfrect exercises`: list the exercises, or state some with their hints."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence

from checks import programs
from checks.exercises.attempts import EXERCISES, hint, listing, show

HELP = """usage: {program} [ID ...] [--hint]

The exercises of the notebooks, * easy to *** hard; with ids, these in full; --hint: and the first step towards them.
"""


def main(words: Sequence[str] | None = None, program: str = "python -m checks.exercises") -> int:
    """Print exercises; 0, or 2 for one that is not known."""
    words = list(sys.argv[1:] if words is None else words)
    if {"-h", "--help"} & set(words):
        print(HELP.format(program=program), end="")
        return 0
    hints = "--hint" in words
    ids = [word for word in words if word != "--hint"]
    for word in ids:
        if word not in EXERCISES:
            near = difflib.get_close_matches(word, [*EXERCISES, "--hint"], n=2, cutoff=0.5)
            says = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(EXERCISES)}"
            name = "halfrect" if program.startswith("halfrect") else "checks.exercises"
            print(f"{name}: no exercise is called {word!r}; {says}", file=sys.stderr)
            return 2
    if not ids and not hints:
        print(listing())
        print(f"\nIn full: {program} ex-1 --hint. In Python:")
        print('  from checks import exercises\n  exercises.verify("ex-1", lambda w1, w2, X: 0.0)')
    for name in ids or (EXERCISES if hints else ()):
        print(show(name) + (f"\n  Hint: {hint(name)}" if hints else ""))
    return 0


if __name__ == "__main__":
    sys.exit(programs.run(main, "checks.exercises"))
