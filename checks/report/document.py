"""The ledger for programs: a JSON document."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from checks import claims
from checks.claim import Claim
from checks.claims import section
from checks.examine import Result, plain

PACKAGES = ("halfrect", "numpy", "scipy", "sympy", "cvxpy", "scikit-learn", "python-flint")


def as_document(
    results: Iterable[Result], *, seed: int, budget: str, data: str | None, target: str | None = None
) -> dict[str, Any]:
    """The ledger as a JSON document; apart from the seconds it depends on seed, budget, data and versions only.

    headline, instead (the correction in one sentence), statement, repaired (in full), source and fault are the claim's texts.
    verdict (what the run supports; null: none), recorded, status are lower-case names; evidence as in the table.
    A margin that is not finite is null. witness is null for claims that hold.
    """
    return {
        "seed": seed,
        "budget": budget,
        "data": data,
        "target": target,
        "versions": versions(),
        "claims": [_entry(result) for result in results],
    }


def on_record(found: Iterable[Claim]) -> dict[str, Any]:
    """What is on record, nothing run: a JSON document with the texts, verdict and evidence of every claim."""
    return {
        "versions": versions(),
        "claims": [
            {
                "id": claim.id,
                "section": section(claim.id),
                **_texts(claim),
                "recorded": claim.verdict.value,
                "evidence": claim.evidence.value,
            }
            for claim in found
        ],
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


def _words(claim_id: str) -> dict[str, Any]:
    """What the claim says, where it stands and what is true instead; nothing for a module that does not load."""
    try:
        claim = claims.load(claim_id)
    except Exception:  # the result's error says why
        return {}
    return _texts(claim)


def _texts(claim: Claim) -> dict[str, Any]:
    texts = ("headline", "instead", "statement", "repaired", "source", "fault")
    kinds = {"standing": claim.standing.value, "tightness": claim.tightness.value, "reading": claim.reading}
    return {name: getattr(claim, name) or None for name in texts} | kinds


def _entry(result: Result) -> dict[str, Any]:
    control, witness = result.control, result.witness
    return {
        "id": result.id,
        "section": section(result.id),
        **_words(result.id),
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
