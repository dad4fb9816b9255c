"""Notebooks are kept as scripts that diff; this runs them and writes their .ipynb twins, outputs and pictures stored.

    python notebooks/pair.py             # all
    python notebooks/pair.py 5_strings   # this one

A script is split at lines `# %%` (code) and `# %% [markdown]` (text, each line behind `# `). Needs the extra `notebooks`.
"""

import importlib
import json
import os
import re
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
SECONDS = 600  # of one cell, at most


def notebook(script):
    """The notebook of a script, as the JSON text of a .ipynb file without outputs."""
    cells = []
    for k, block in enumerate(re.split(r"^# %%", script, flags=re.MULTILINE)[1:]):
        head, _, body = block.partition("\n")
        text = body.strip("\n")
        markdown = "[markdown]" in head
        if markdown:
            text = "\n".join(re.sub(r"^# ?", "", line) for line in text.split("\n"))
        cell = {"cell_type": "markdown" if markdown else "code", "id": f"cell-{k}", "metadata": {}}
        cell["source"] = text.splitlines(keepends=True)
        if not markdown:
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return written({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def written(document):
    """A notebook as the text of its file."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def executed(text):
    """The same with the outputs that its cells give now; RuntimeError where one warns."""
    nbformat, nbclient = (importlib.import_module(name) for name in ("nbformat", "nbclient"))
    found = nbformat.reads(text, as_version=4)
    with tempfile.TemporaryDirectory() as elsewhere:
        place = {"metadata": {"path": elsewhere}}
        nbclient.NotebookClient(found, timeout=SECONDS, coalesce_streams=True, resources=place).execute()
    document = json.loads(text)
    for cell, ran in zip(document["cells"], found.cells):
        if cell["cell_type"] == "code":
            cell["execution_count"] = ran.execution_count
            cell["outputs"] = [stored(output) for output in ran.outputs if not is_progress(output)]
    return written(document)


def is_progress(output):
    """Whether an output is the line that says how far an attempt at an exercise is."""
    return output.get("name") == "stderr" and output["text"].startswith("\r")


def stored(output):
    """One output as it is kept: no names of objects beside pictures, no warnings."""
    if output.get("name") == "stderr":
        raise RuntimeError(output["text"])
    output = dict(output)
    if "image/png" in output.get("data", {}):
        output["data"] = {"image/png": output["data"]["image/png"].strip()}
    if "text" in output:
        output["text"] = output["text"].splitlines(keepends=True)
    return output


def scripts():
    """The notebooks' scripts, in order."""
    return sorted(FOLDER.glob("[0-9]_*.py"))


def main(names):
    """Write the notebooks of these names, or all; 2 for one that there is not, or where the extra is missing."""
    known = {source.stem: source for source in scripts()}
    for name in names:
        if name not in known:
            print(f"pair.py: there is no notebook {name!r}; there are {', '.join(known)}", file=sys.stderr)
            return 2
    os.environ["PYTHONPATH"] = str(FOLDER.parent)
    for name in names or known:
        try:
            text = executed(notebook(known[name].read_text(encoding="utf-8")))
        except ModuleNotFoundError as error:
            print(f'pair.py: {error}: python -m pip install ".[notebooks]"', file=sys.stderr)
            return 2
        known[name].with_suffix(".ipynb").write_text(text, encoding="utf-8")
        print(f"{name}.ipynb  {len(text) // 1024} kB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
