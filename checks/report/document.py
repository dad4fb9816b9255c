"""The ledger for programs: a JSON document."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from checks.claims import section
from checks.examine import Result, plain

PACKAGES = ("halfrect", "numpy", "scipy", "sympy", "cvxpy", "scikit-learn", "python-flint")


def as_document(results: Iterable[Result], *, seed: int, budget: str, data: str | None) -> dict[str, Any]:
    """The ledger as a JSON document; apart from the seconds it depends on seed, budget, data and versions only.

    verdict (what the run supports; null: none), recorded, status are lower-case names; evidence as in the table.
    A margin that is not finite is null. witness is null for claims that hold.
    """
    return {
        "seed": seed,
        "budget": budget,
        "data": data,
        "versions": versions(),
        "claims": [_entry(result) for result in results],
    }


def write_json(file: str | Path, document: dict[str, Any]) -> None:
    """Strict JSON: no NaN, no infinity."""
    Path(file).write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that decide numbers; None for one that is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def _entry(result: Result) -> dict[str, Any]:
    control, witness = result.control, result.witness
    return {
        "id": result.id,
        "section": section(result.id),
        "verdict": result.verdict and result.verdict_word,
        "recorded": result.recorded and result.recorded_word,
        "evidence": result.evidence and result.evidence_word,
        "status": result.status_word,
        "instances": result.instances,
        "margin": plain(result.margin),
        "closest": result.closest,
        "note": result.note,
        "tables": list(result.tables),
        "witness": witness
        and {"refuted": witness.refuted, "explanation": witness.explanation, "values": witness.values},
        "control_caught": result.control_caught,
        "control": control
        and {
            "instances": control.instances,
            "margin": plain(control.margin),
            "closest": control.closest,
            "note": control.note,
        },
        "error": result.error,
        "seconds": round(result.seconds, 3),
    }
