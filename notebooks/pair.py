"""Notebooks are kept as scripts that diff; this writes their .ipynb twins (no outputs): `python notebooks/pair.py`.

A script is split at lines `# %%` (code) and `# %% [markdown]` (text, each line behind `# `).
"""

import json
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def notebook(script):
    """The notebook of a script, as the JSON text of a .ipynb file."""
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
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def scripts():
    """The notebooks' scripts, in order."""
    return sorted(FOLDER.glob("[0-9]_*.py"))


if __name__ == "__main__":
    for source in scripts():
        source.with_suffix(".ipynb").write_text(notebook(source.read_text(encoding="utf-8")), encoding="utf-8")
        print(source.with_suffix(".ipynb").name)
