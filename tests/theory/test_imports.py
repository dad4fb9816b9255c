"""`import theory` and its light modules stay light: what is heavy is imported where it is used."""

import subprocess
import sys

import pytest

HEAVY = ("cvxpy", "sympy", "sklearn", "matplotlib", "flint", "rich", "hypothesis")

LIGHT = [
    "theory",
    "theory.networks",
    "theory.risk",
    "theory.paths",
    "theory.maxima",
    "theory.relu_kernel",
    "theory.moves",
]


@pytest.mark.parametrize("module", LIGHT)
def test_importing_a_module_of_theory_imports_nothing_heavy(module):
    code = f"import sys, {module}; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []


def test_the_ledger_runs_without_hypothesis():
    code = (
        "import sys; sys.modules['hypothesis'] = None; from checks import claims, runner;"
        "print(runner.run_claim('prop-2.1').status.name, len([claims.load(i) for i in claims.available()]) > 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["AGREES", "True"]


def test_theory_imports_neither_checks_nor_figures():
    code = (
        "import sys, pkgutil, importlib, theory;"
        "[importlib.import_module(m.name) for m in pkgutil.walk_packages(theory.__path__, 'theory.')];"
        "print(*[m for m in sys.modules if m.split('.')[0] in ('checks', 'figures')])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
