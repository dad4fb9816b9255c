"""JAX, on which the nets of section 4.2 run, imported when it is first needed."""

from __future__ import annotations

import importlib
from typing import Any


def need(name: str) -> Any:
    """The module of this name; ImportError with one line that names the extra where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise ImportError(f'theory.deep needs {package}: python -m pip install "halfrect[deep]"') from error
