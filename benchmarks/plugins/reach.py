"""A plugin of pytest (`-p reach`, for mutation.py): writes to reach.json which functions of the tree each test calls.

{test: [seconds, [[file, first line of the function], ...]]}. The cases of a parametrised test count as one. A few of
them, and a few of Hypothesis's examples, are enough to see whom a test calls; seconds are scaled up to all of them.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import settings

FEW = 5  # cases of a test, and examples of a property
ROOTS = tuple(f"{Path.cwd() / part}{os.sep}" for part in ("theory", "checks"))
seconds: dict[str, float] = defaultdict(float)
share: dict[str, float] = {}  # of cases and examples that are tried
called: dict[str, set[tuple[str, int]]] = {}


def name_of(item) -> str:
    return item.nodeid.partition("[")[0]


def pytest_collection_modifyitems(items):
    """Leave out all but a few cases of each test, evenly spread, and all but a few examples of each property."""
    cases, seen, kept = Counter(map(name_of, items)), Counter[str](), []
    for item in items:
        name = name_of(item)
        if seen[name] % -(-cases[name] // FEW) == 0:
            kept.append(item)
            share[name] = share.get(name, 0.0) + 1 / cases[name]
        seen[name] += 1
    for item in {name_of(item): item for item in kept}.values():
        if hasattr(item.obj, "hypothesis"):
            own = item.obj._hypothesis_internal_use_settings
            item.obj._hypothesis_internal_use_settings = settings(own, max_examples=min(own.max_examples, FEW))
            share[name_of(item)] *= min(own.max_examples, FEW) / own.max_examples
    items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Note the calls of one test, its fixtures included."""
    own = called.setdefault(name_of(item), set())

    def trace(frame, event, argument):
        if frame.f_code.co_filename.startswith(ROOTS):
            own.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    start = time.perf_counter()
    sys.settrace(trace)
    threading.settrace(trace)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)
        seconds[name_of(item)] += time.perf_counter() - start


def pytest_sessionfinish():
    """Write what was found."""
    found = {name: [seconds[name] / share[name], sorted(functions)] for name, functions in called.items()}
    Path("reach.json").write_text(json.dumps(found))
