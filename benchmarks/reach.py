"""A plugin of pytest (`-p reach`, for mutation.py): writes to reach.json which functions of the tree each test calls.

{test: [seconds, [[file, first line of the function], ...]]}; the cases of a parametrised test count as one.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest

ROOTS = tuple(f"{Path.cwd() / part}{os.sep}" for part in ("theory", "checks"))
found: dict[str, tuple[float, set[tuple[str, int]]]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Note the calls of one test, its fixtures included."""
    name = item.nodeid.partition("[")[0]
    seconds, called = found.setdefault(name, (0.0, set()))

    def trace(frame, event, argument):
        if frame.f_code.co_filename.startswith(ROOTS):
            called.add((frame.f_code.co_filename, frame.f_code.co_firstlineno))

    start = time.perf_counter()
    sys.settrace(trace)
    threading.settrace(trace)
    try:
        return (yield)
    finally:
        sys.settrace(None)
        threading.settrace(None)
        found[name] = seconds + time.perf_counter() - start, called


def pytest_sessionfinish():
    Path("reach.json").write_text(json.dumps({name: [t, sorted(called)] for name, (t, called) in found.items()}))
