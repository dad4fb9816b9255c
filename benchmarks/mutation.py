"""Mutation testing of `theory/`: `python benchmarks/mutation.py [MODULE ...] [--sample N] [--seed S] [--again] [--survivors]`.

Needs the extras `test` and `mutation` (cosmic-ray). For every module a seeded sample of places is drawn, one mutant at
each (an operator, comparison, constant, condition, decorator or loop changed by cosmic-ray), and the module's own
tests are run against it in a copy of the tree, with derandomised Hypothesis. Not mutated: annotations, what `raise`
says, and + - * / ** into shifts and bit operations, which no float survives. A run that is stopped goes on where it was; a
change of the module starts its sample afresh. `--again` tests the survivors once more, after tests were added;
`--survivors` prints them. Work files are in a directory of the system's temporary directory, or `--work`.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import WorkItem, WorkResult
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
# of the long tests of maxima, those that see the module at all
EXACT = "maxima -k 'not heavy and not sparse and not scales and not without_its_rounding'"
ENCLOSURES = "maxima -k 'not upper_is_never and not fractions and not slab and not without_its_rounding'"
TESTS = {  # module: its test files in tests/theory, and what else pytest is to be told
    "rounding": "rounding measures risk maxima",
    "quartic": f"quartic {EXACT}",
    "rational": f"rational {EXACT}",
    "enclosures": f"enclosures {ENCLOSURES}",
    "maxima": f"maxima_accuracy {EXACT}",
    "risk": "risk",
    "networks": "networks risk",
    "paths": "paths",
    "relu_kernel": "relu_kernel",
    "measures": "measures relu_kernel",
    "moves": "moves relu_moves linear_paths",
    "linear_products": "linear_products linear_descent critical_width linear_paths",
    "lasso": "lasso oracle",
    "geodesics": "geodesics",
    "covering": "covering",
    "duality": "lasso oracle pricing",
    "balanced": "balanced linear_paths",
    "barriers": "barriers directions counterexamples",
    "relu_bounds": "relu_bounds",
    "polynomials": "polynomials",
    "topology": "topology",
}
MEMORY = 6 * 2**30  # bytes of address space: a mutant that would fill the machine is killed
BITS = ("RShift", "LShift", "BitOr", "BitAnd", "BitXor")
console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"of {', '.join(TESTS)}; all by default")
    parser.add_argument("--sample", type=int, default=40, help="places per module (0: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="test the survivors of an earlier run again")
    parser.add_argument("--survivors", action="store_true", help="print every survivor")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "halfrect-mutation")
    given = parser.parse_args()
    if unknown := set(given.modules) - set(TESTS):
        parser.error(f"no tests are listed for {', '.join(sorted(unknown))}; known: {', '.join(TESTS)}")
    os.environ |= {"HYPOTHESIS_PROFILE": "mutation", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    given.work.mkdir(parents=True, exist_ok=True)
    tree = Path(tempfile.mkdtemp(prefix="tree-", dir=given.work))
    for part in ("theory", "checks", "tests", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tree / part)
    os.chdir(tree)  # cosmic-ray mutates in place
    try:
        rows = [run(name, given) for name in given.modules or TESTS]
    finally:
        os.chdir(ROOT)
        shutil.rmtree(tree)
    table = Table("module", "mutants", "killed", "survived", "timeouts", "kill rate", title=f"seed {given.seed}")
    for row in [*rows, ("all", *np.sum([row[1:] for row in rows], axis=0).tolist())]:
        name, mutants, killed, timeouts = row
        rate = f"{100 * killed / mutants:.0f} %" if mutants else "-"
        table.add_row(name, *map(str, (mutants, killed, mutants - killed, timeouts)), rate)
    console.print(table)


def run(name: str, given: argparse.Namespace) -> tuple[str, int, int, int]:
    """Test the sample of one module; (name, mutants, killed, of these by timeout)."""
    module = Path("theory", f"{name}.py")
    print(f"{name}: {command(name)}", flush=True)
    digest = hashlib.sha256(module.read_bytes()).hexdigest()[:8]
    with use_db(given.work / f"{name}-{given.sample}-{given.seed}-{digest}.sqlite") as session:
        if not session.num_work_items:
            init([module], session, {})
            chosen = sample(module, session.work_items, given.sample, given.seed)
            session.clear()
            session.add_work_items(chosen)
        pending = list(session.pending_work_items)
        if given.again:
            pending += [item for item, result in session.completed_work_items if not result.is_killed]
        if pending:
            test(name, session, sorted(pending, key=place))
        done = sorted(session.completed_work_items, key=lambda pair: place(pair[0]))
    if given.survivors:
        for item, result in done:
            if not result.is_killed:
                console.print(f"{module}:{item.mutations[0].start_pos[0]}", style="bold")
                print(changed(result))
    killed = [result for _, result in done if result.is_killed]
    return name, len(done), len(killed), sum(result.output == "timeout" for result in killed)


def command(name: str) -> str:
    """The tests of a module, as one line of shell."""
    files, _, options = TESTS[name].partition(" -")
    paths = [
        p for p in (Path("tests", "theory", f"test_{file}.py") for file in [*files.split(), "results"]) if p.exists()
    ]
    options = f" -{options}" if options else ""
    return f"{shlex.quote(sys.executable)} -m pytest -x -q -p no:cacheprovider {' '.join(map(str, paths))}{options}"


def test(name: str, session: WorkDB, pending: list[WorkItem]) -> None:
    """Run the tests without a mutant, then against each; a mutant may take three times as long as none."""
    start = time.perf_counter()
    plain = subprocess.run(shlex.split(command(name)), capture_output=True, text=True, check=False)
    if plain.returncode:
        raise SystemExit(f"the tests of {name} fail without any mutant:\n{plain.stdout[-2000:]}{plain.stderr[-2000:]}")
    limit = 3 * (time.perf_counter() - start) + 10
    for item in track(pending, name, console=console):
        session.set_result(item.job_id, mutate_and_test(item.mutations, command(name), limit))


def sample(module: Path, items: tuple[WorkItem, ...], size: int, seed: int) -> list[WorkItem]:
    """At most `size` places of the module (0: all), one mutant at each."""
    quiet = unobservable(module)
    places: dict[tuple[int, int], list[WorkItem]] = {}
    for item in sorted(items, key=place):
        (line, column), operator = item.mutations[0].start_pos, item.mutations[0].operator_name
        arithmetic = operator.startswith("core/ReplaceBinaryOperator") and "_Bit" not in operator.rpartition("_")[0]
        if (arithmetic and operator.endswith(BITS)) or any(a <= (line, column) < b for a, b in quiet):
            continue
        places.setdefault((line, column), []).append(item)
    rng = np.random.default_rng(seed)
    one_each = [group[rng.integers(len(group))] for group in places.values()]
    size = min(size, len(one_each)) or len(one_each)
    return [one_each[k] for k in rng.choice(len(one_each), size, replace=False)]


def unobservable(module: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """(line, column) ranges of annotations and of what `raise` says."""
    found: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(module.read_text())):
        found += [getattr(node, field, None) for field in ("annotation", "returns")]
        found += [node.exc] if isinstance(node, ast.Raise) else []
    return [((n.lineno, n.col_offset), (n.end_lineno, n.end_col_offset)) for n in found if n is not None]  # type: ignore[attr-defined]


def place(item: WorkItem) -> tuple:
    mutation = item.mutations[0]
    return mutation.start_pos, mutation.operator_name, mutation.occurrence


def changed(result: WorkResult) -> str:
    """The lines of the diff that differ."""
    lines = (result.diff or "").splitlines()
    return "\n".join(line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---"))


if __name__ == "__main__":
    main()
