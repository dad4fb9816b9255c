"""Data flows one way: halfrect may import all, nobody imports halfrect, and its own modules have an order."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDER = [
    "nets",
    "state_dicts",
    "data",
    "matching",
    "routes",
    "pictures",
    "connection",
    "__init__",
    "files",
    "command",
    "__main__",
]


def imports(file):
    """(module, name or "", whether inside a function) of every import that is made when a module runs."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inner = {id(node) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for node in ast.walk(f)}
    typing = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and "TYPE_CHECKING" in ast.dump(test.test)
        for node in ast.walk(test)
    }
    for node in ast.walk(tree):
        if id(node) in typing:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, "", id(node) in inner) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name, id(node) in inner) for alias in node.names)


@pytest.mark.parametrize("top", ["theory", "checks", "figures"])
def test_nobody_else_imports_the_front_door(top):
    files = sorted((ROOT / top).rglob("*.py"))
    assert files
    assert [file.name for file in files for module, _, _ in imports(file) if module.split(".")[0] == "halfrect"] == []


def test_the_modules_of_the_front_door_have_an_order():
    files = {file.stem: file for file in (ROOT / "halfrect").glob("*.py")}
    assert set(files) == set(ORDER)
    for name, file in files.items():
        for module, word, inside in imports(file):
            top, _, rest = module.partition(".")
            assert not (inside and top in ("theory", "checks", "figures", "halfrect")), (
                f"{name} imports {module} in a function"
            )
            if top == "halfrect":
                for target in [rest] if rest else [word if word in files else "__init__"]:
                    assert ORDER.index(target) < ORDER.index(name), f"{name} imports {target}, which stands behind it"
