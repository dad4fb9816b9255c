"""What the README prints works: the two commands are there, its Python runs, its options exist."""

import re
from pathlib import Path

import pytest

from checks import claims
from checks.__main__ import _parser, select

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
LINES = README.splitlines()
PYTHON = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
LEDGER = [re.sub(r"\s+#.*", "", line).split()[3:] for line in LINES if line.startswith("python -m checks")]


def test_the_two_commands_are_printed_once_each():
    for command in (
        "python -m pip install . && python -m checks",
        'python -m pip install ".[test]" && python -m pytest',
    ):
        assert LINES.count(command) == 1


@pytest.mark.parametrize("code", PYTHON)
def test_its_python_runs(code, capsys):
    exec(compile(code, "README.md", "exec"), {})
    low, high = re.findall(r"[\d.]+", capsys.readouterr().out)[:2]
    assert float(low) <= float(high)


@pytest.mark.parametrize("arguments", LEDGER, ids=" ".join)
def test_its_command_lines_are_understood(arguments):
    assert set(select(_parser().parse_args(arguments).ids)) <= set(claims.available())


def test_it_shows_python_and_command_lines():
    assert PYTHON
    assert len(LEDGER) >= 6
