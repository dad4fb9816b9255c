"""Mutation testing of `theory/` and of the machinery of `checks/`: `python benchmarks/mutation.py [MODULE ...] [--sample N] [--seed S] [--again] [--survivors]`.

Needs the extras `test` and `mutation` (cosmic-ray). For every module a seeded sample of places is drawn, one mutant at
each (an operator, comparison, constant, condition, decorator or loop changed by cosmic-ray), and those of the module's
own tests that call the mutated function are run against it, short ones first, in a copy of the tree, with derandomised
Hypothesis. Not mutated: annotations, what `raise` says, the * of signatures, and + - * / ** into shifts and bit operations,
which no float survives. A run that is stopped goes on where it was; a change of the module starts its sample afresh. `--again` tests
the survivors once more, after tests were added; `--survivors` prints them. Work files are in a directory of the
system's temporary directory, or `--work`.
"""

from __future__ import annotations

import argparse
import ast
import functools
import hashlib
import itertools
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from cosmic_ray.commands import init
from cosmic_ray.mutating import MutationVisitor, mutate_and_test
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import WorkItem, WorkResult
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
# A module is tested by the tests of its chapter (tests/ mirrors the packages), and by these of other chapters, by name.
FURTHER = {
    "theory.numerics.archives": "paths tables",
    "theory.numerics.arrays": "risk",
    "theory.numerics.balls": "measures relu_kernel",
    "theory.numerics.norms": "paths measures",
    "theory.numerics.rationals": "one_direction dependent_features",
    "theory.numerics.rounding": "measures risk maxima",
    "theory.numerics.validation": "networks risk paths arguments",
    "theory.maxima.evaluations": "losses",
    "theory.maxima.taylor_models": "losses",
    "theory.networks": "risk",
    "theory.moves": "relu_paths sparsify linear_paths",
    "theory.crossing": "relu_paths deep_paths",
    "theory.rays": "oracle barriers one_direction",
    "theory.barriers": "counterexamples",
    "theory.deep_paths": "deep_paths",
    "theory.held_out": "held_out",
    "theory.penalties": "losses risk schatten_paths held_out",
    "theory.atoms": "pivots",
    "theory.simplex": "pivots",
    "checks.claim": "runner ledger",
    "checks.examine": "runner ledger",
    "checks.gap": "sweeps",
    "checks.own_path": "outside_world",
    "checks.processes": "outside_world sweeps runner",
    "checks.programs": "outside_world command_line",
    "checks.certificates": "verifier",
}
# Of the long tests of maxima, those that see the module at all.
EXACT = "not heavy and not sparse and not scales and not without_its_rounding"
ENCLOSURES = "not upper_is_never and not fractions and not slab and not without_its_rounding"
ONLY = {
    "theory.maxima": EXACT,
    "theory.numerics.rounding": EXACT,
    "theory.maxima.evaluations": ENCLOSURES,
    "theory.maxima.taylor_models": ENCLOSURES,
    "theory.maxima.branch_and_bound": ENCLOSURES,
}
LEFT_OUT = ("claims", "report", "strategies")  # of checks: texts, and what would make its own tests empty
MEMORY = 6 * 2**30  # bytes of address space: a mutant that would fill the machine is killed
BITS = ("RShift", "LShift", "BitOr", "BitAnd", "BitXor")
console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "modules",
        nargs="*",
        metavar="MODULE",
        help="such as theory.maxima.quartic, or a chapter; all of theory by default",
    )
    parser.add_argument("--sample", type=int, default=40, help="places per module (0: all)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="test the survivors of an earlier run again")
    parser.add_argument("--survivors", action="store_true", help="print every survivor")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "halfrect-mutation")
    given = parser.parse_args()
    chosen = [name for word in given.modules or ["theory"] for name in modules(word)]
    if unknown := [word for word in given.modules if not modules(word)]:
        parser.error(
            f"no module is called {', '.join(unknown)}; there are {', '.join(modules('theory'))} and those of checks"
        )
    if untested := [name for name in chosen if not tests(name)]:
        parser.error(f"no tests belong to {', '.join(untested)}: name some in FURTHER")
    os.environ |= {"HYPOTHESIS_PROFILE": "mutation", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    given.work.mkdir(parents=True, exist_ok=True)
    tree = Path(tempfile.mkdtemp(prefix="tree-", dir=given.work))
    for part in ("theory", "checks", "figures", "halfrect", "benchmarks", "tests", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tree / part)
    os.chdir(tree)  # cosmic-ray mutates in place
    try:
        rows = [run(name, given) for name in dict.fromkeys(chosen)]
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
    module = Path(*name.split(".")).with_suffix(".py")
    print(f"{name}: {shlex.join(tests(name))}", flush=True)
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


def modules(word: str) -> list[str]:
    """The modules that a word names: itself, or those of a package; faces define nothing."""
    top = ROOT.joinpath(*word.split("."))
    if word.split(".")[0] not in ("theory", "checks"):
        return []
    files = [top.with_suffix(".py")] if top.with_suffix(".py").is_file() else sorted(top.rglob("*.py"))
    names = [file.relative_to(ROOT).with_suffix("").parts for file in files if not file.stem.startswith("__")]
    return [".".join(parts) for parts in names if parts[1] not in LEFT_OUT]


@functools.cache  # as they are when the tree is copied, whatever is added while it is tested
def tests(name: str) -> list[str]:
    """The test files of a module: those of its package, or its own, and the FURTHER ones of both."""
    parts = name.split(".")
    home = Path("tests", *parts[:-1])
    own = sorted((ROOT / home).glob("test_*.py")) if len(parts) > 2 else [ROOT / home / f"test_{parts[-1]}.py"]
    if parts[:-1] == ["theory", "numerics"]:
        own = [ROOT / home / f"test_{parts[-1]}.py"]
    further = f"{FURTHER.get(name, '')} {FURTHER.get('.'.join(parts[:-1]), '')}".split()
    own += [file for word in further for file in ROOT.glob(f"tests/**/test_{word}.py")]
    return list(dict.fromkeys(str(file.relative_to(ROOT)) for file in own if file.is_file()))


def test(name: str, session: WorkDB, pending: list[WorkItem]) -> None:
    """Run the tests without a mutant, then against each; a mutant may take three times as long as none."""
    only = ONLY.get(name, ONLY.get(name.rpartition(".")[0], ""))
    callers = reach((*tests(name), "tests/theory/test_results.py"), only)
    module = Path(*name.split(".")).with_suffix(".py")
    for item in track(pending, name, console=console):
        function = [str(module.resolve()), enclosing(module, item.mutations[0].start_pos[0])]
        called = [test for test, (_, functions) in callers.items() if function in functions] or list(callers)
        called.sort(key=lambda test: callers[test][0])
        limit = 3 * sum(callers[test][0] for test in called) + 30
        Path("tests.txt").write_text("\n".join(called))
        session.set_result(item.job_id, mutate_and_test(item.mutations, command("@tests.txt", "-x", only=only), limit))


@functools.cache
def reach(files: tuple[str, ...], only: str) -> dict[str, tuple[float, list[list]]]:
    """Run tests without a mutant, each a little: how long it takes in all, and the functions (file, first line) that it calls."""
    plain = subprocess.run(
        shlex.split(command(*files, "-p", "reach", only=only)),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([os.getcwd(), str(ROOT / "benchmarks" / "plugins")])},
    )
    if plain.returncode:
        raise SystemExit(f"tests fail without any mutant:\n{plain.stdout[-2000:]}{plain.stderr[-2000:]}")
    return json.loads(Path("reach.json").read_text())


def command(*arguments: str, only: str) -> str:
    """A run of tests, as one line of shell."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return shlex.join([*words, "-k", only] if only else words)


def enclosing(module: Path, line: int) -> int:
    """The first line of the innermost function around a line, as in its code object; 0 for none."""
    found = 0
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.FunctionDef) and node.lineno < line <= (node.end_lineno or 0):  # outer ones come first
            found = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return found


def sample(module: Path, items: tuple[WorkItem, ...], size: int, seed: int) -> list[WorkItem]:
    """At most `size` places of the module (0: all), one mutant at each."""
    quiet = unobservable(module)
    nodes = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.FunctionDef)]
    heads = [(node.lineno, node.body[0].lineno) for node in nodes]  # `*` and `/` of signatures are no products
    places: dict[tuple[int, int], list[WorkItem]] = {}
    for item in sorted(items, key=place):
        (line, column), operator = item.mutations[0].start_pos, item.mutations[0].operator_name
        arithmetic = operator.startswith("core/ReplaceBinaryOperator") and "_Bit" not in operator.rpartition("_")[0]
        if arithmetic and (operator.endswith(BITS) or any(a <= line < b for a, b in heads)):
            continue
        if any(a <= (line, column) < b for a, b in quiet):
            continue
        places.setdefault((line, column), []).append(item)
    rng = np.random.default_rng(seed)
    size = min(size, len(places)) or len(places)
    chosen = [list(places.values())[k] for k in rng.choice(len(places), size, replace=False)]
    shuffled = [[group[k] for k in rng.permutation(len(group))] for group in chosen]
    return [item for group in shuffled for item in itertools.islice(filter(compiles, group), 1)]


def compiles(item: WorkItem) -> bool:
    """Whether the mutant is Python at all: `2.0 ** not 52` would count as killed."""
    mutation = item.mutations[0]
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    try:
        ast.parse(MutationVisitor.mutate_code(mutation.module_path.read_text(), operator, mutation.occurrence))
    except SyntaxError:
        return False
    return True


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
