"""Whose modules a program of ours runs: its own, never those that lie in the user's current folder.

`python -m checks` puts the current folder first on the path. A `theory.py` or `rich.py` of the user's there would be run
in place of the module that is meant, and may overwrite files. So the current folder is taken off the path before
anything is imported that the interpreter has not loaded by itself: a `json.py` of the user's counts too. Standard library
alone.
"""

from __future__ import annotations

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # the folder that holds all our packages
PACKAGES = ("theory", "checks", "figures", "halfrect")


def without_current_folder(path: list[str]) -> list[str]:
    """The entries of an import path that are not the current folder, unless that holds our packages or Python's."""
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:  # the folder was removed: nothing can be imported from it
        return path
    if here in (ROOT, os.path.dirname(os.path.realpath(os.__file__))):
        return path
    return [entry for entry in path if os.path.realpath(entry or ".") != here]


def as_program(words: list[str]) -> bool:
    """Whether a process with these words is a program of ours: on its way to `python -m`, or the command `halfrect`.

    An empty entry in PYTHONPATH, such as a colon at its end leaves, is the current folder: it is on that command's path too.
    """
    return words[:1] == ["-m"] or os.path.splitext(os.path.basename("".join(words[:1])))[0] == "halfrect"


AS_PROGRAM = as_program(sys.argv)
if AS_PROGRAM:
    sys.path[:] = without_current_folder(sys.path)

import importlib.util  # noqa: E402
import json  # noqa: E402

_RUN = (  # argv: the path as JSON, the module, its arguments
    "import json, runpy, sys; sys.path[:] = json.loads(sys.argv[1]); del sys.argv[:2]; "
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)


def shadowed() -> str:
    """Which of our packages would be imported from elsewhere, in one line; nothing is imported to find out."""
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        origin = os.path.realpath(spec.origin) if spec is not None and spec.origin else ""
        if spec is not None and origin != os.path.join(ROOT, name, "__init__.py"):
            where = origin or ", ".join(spec.submodule_search_locations or ())
            return f"{where} hides our own {name}, which is in {ROOT}; rename it, or take its folder off PYTHONPATH"
    return ""


def command(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of ours in a process of its own, on the path of this one.

    Warnings that are errors here are errors there, and what -O leaves out here is left out there.
    """
    flags = ["-P", *(["-" + "O" * sys.flags.optimize] if sys.flags.optimize else [])]
    flags += [f"-W{option}" for option in sys.warnoptions]
    path = without_current_folder(sys.path)
    if ROOT not in map(os.path.realpath, path):
        path = [ROOT, *path]
    return [sys.executable, *flags, "-c", _RUN, json.dumps(path), module, *arguments]


if AS_PROGRAM and (_hidden := shadowed()):
    print(f"{os.path.basename(sys.executable)}: {_hidden}", file=sys.stderr)
    sys.exit(2)
