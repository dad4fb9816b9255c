"""What the README prints works: the two commands are there, its Python runs, its options exist."""

import re
import runpy
from pathlib import Path

import pytest

from checks import claims
from checks.__main__ import _parser, select

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
LINES = README.splitlines()
PYTHON = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
LEDGER = [re.sub(r"\s+#.*", "", line).split()[3:] for line in LINES if re.match("python -m checks(?! verify)", line)]
LINKS = re.findall(r"\]\(([^)]+)\)", README)


def test_the_two_commands_are_printed_once_each():
    for command in (
        "python -m pip install . && python -m checks",
        'python -m pip install ".[test]" && python -m pytest',
    ):
        assert LINES.count(command) == 1


@pytest.mark.parametrize("code", PYTHON)
def test_its_python_runs(code, capsys, tmp_path):
    (tmp_path / "printed.py").write_text(code, encoding="utf-8")
    names = runpy.run_path(str(tmp_path / "printed.py"))
    for name in [name for name in names if name.startswith("test_")]:
        names[name]()
    printed = re.findall(r"[\d.]+", capsys.readouterr().out)[:2]
    if "print(" in code:
        assert float(printed[0]) <= float(printed[1])


@pytest.mark.parametrize("arguments", LEDGER, ids=" ".join)
def test_its_command_lines_are_understood(arguments):
    assert set(select(_parser().parse_args(arguments).ids)) <= set(claims.available())


def test_it_shows_python_and_command_lines():
    assert PYTHON
    assert len(LEDGER) >= 6


@pytest.mark.parametrize("link", [link for link in LINKS if "://" not in link])
def test_its_links_lead_somewhere(link):
    file, _, anchor = link.partition("#")
    target = Path(__file__).parents[2] / file
    assert target.is_file()
    if anchor:
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert anchor in {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
