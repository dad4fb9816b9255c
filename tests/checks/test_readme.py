"""What the README prints works: the two commands are there, its Python runs, its options exist."""

import importlib
import importlib.util
import itertools
import re
import runpy
from collections import Counter
from pathlib import Path

import pytest

import figures
import halfrect
from checks import claims, predicates
from checks.__main__ import _parser, select
from checks.__main__ import main as checks_main
from checks.claim import Standing, Verdict
from checks.smt.steps import every_lemma
from figures.__main__ import main as figures_main
from theory import maxima

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = README.splitlines()
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
PYTHON = [
    block + "".join(BLOCKS[k + 1 : k + 2] if "found.plot" in "".join(BLOCKS[k + 1 : k + 2]) else [])
    for k, block in enumerate(BLOCKS)
    if not block.startswith("found")
]
LEDGER = [re.sub(r"\s+#.*", "", line).split()[3:] for line in LINES if re.match("python -m checks(?! verify)", line)]
SCRIPTS = re.findall(r"python ((?:benchmarks|notebooks)/\w+\.py)((?: --?[\w-]+| [\w.]+)*)", README)
FIGURES = [line.split()[3:] for line in re.findall(r"python -m figures [^\n`#]*", README)]
NAMES = sorted(set(re.findall(r"`((?:checks\.)?[a-z_]+\.[a-z_A-Z]+)`", README)))
LINKS = re.findall(r"\]\(([^)]+)\)", README)


def test_the_two_commands_are_printed_once_each():
    for command in (
        "python -m pip install . && python -m checks",
        'python -m pip install ".[test]" && python -m pytest',
    ):
        assert LINES.count(command) == 1


@pytest.mark.parametrize("code", PYTHON)
def test_its_python_runs(code, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
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
    target = ROOT / (file or "README.md")
    assert target.is_file()
    if anchor:
        headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert anchor in {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_counts_of_verdicts_are_those_of_the_ledger():
    printed = dict(re.findall(r"^\| (holds|repaired|refuted|open) \| (\d+) \|", README, flags=re.MULTILINE))
    found = Counter(claims.load(name).verdict.name.lower() for name in claims.available())
    assert {verdict: int(count) for verdict, count in printed.items()} == found
    ours = [claim for claim in map(claims.load, claims.available()) if claim.standing is Standing.OURS]
    assert f"{len(ours)} of these are ours" in README
    assert all(claim.verdict is Verdict.HOLDS for claim in ours)


@pytest.mark.parametrize(("script", "options"), SCRIPTS)
def test_its_scripts_exist_and_know_their_options(script, options):
    code = (ROOT / script).read_text(encoding="utf-8")
    assert all(f'"{option}"' in code for option in re.findall(r"--[\w-]+", options))


@pytest.mark.parametrize("words", FIGURES, ids=" ".join)
def test_its_figures_exist(words):
    names = [word for word in itertools.takewhile(lambda word: word[:2] != "--", words) if word != "all"]
    assert set(names) <= set(figures.names())


@pytest.mark.parametrize("name", NAMES)
def test_the_names_that_it_recommends_exist(name):
    module, _, attribute = name.rpartition(".")
    if module == "halfrect":
        assert hasattr(halfrect, attribute)
    elif module in ("theory", "checks"):
        importlib.import_module(name)
    elif attribute not in ("json", "csv", "npz", "ipynb", "py", "run"):
        places = [f"{package}.{module.removeprefix('checks.')}" for package in ("theory", "checks")]
        homes = [importlib.import_module(place) for place in places if importlib.util.find_spec(place)]
        homes += [getattr(holder, module) for holder in (maxima, predicates) if hasattr(holder, module)]
        assert any(hasattr(home, attribute) or attribute in getattr(home, "__annotations__", {}) for home in homes)


@pytest.mark.parametrize("main", [lambda: checks_main(["--list"]), lambda: figures_main([])], ids=["checks", "figures"])
def test_its_cheap_commands_run(main, capsys):
    assert main() == 0
    assert capsys.readouterr().out


def test_it_shows_every_benchmark():
    assert {script for script, _ in SCRIPTS} >= {f"benchmarks/{file.name}" for file in ROOT.glob("benchmarks/*.py")}
    assert FIGURES
    assert len(NAMES) > 10


def test_the_count_of_proved_steps_is_that_of_the_solvers_lemmas():
    assert f"{len(every_lemma())} steps of claims are" in README
