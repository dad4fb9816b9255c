"""Certificates that travel: a path with its risk and the claimed bound on its maximum, in one JSON file.

The file holds everything a reader needs to check the claim without this package: widths, activation, loss, penalty,
kappa, the sample, the vertices with their labels, and the bound. Numbers are written so that reading them back gives
the same float64. `checks.certificates.verify` re-derives the bound from the file alone, in exact arithmetic.

What a reader must redo: eqs (1) and (2) of the paper along each piece.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from os import PathLike
from pathlib import Path as File
from typing import Any

from theory.networks import Network
from theory.numerics import load_text
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk, Sample

FORMAT = "halfrect certificate 1"


@dataclass(frozen=True, eq=False)
class Certificate:
    """The claim that `risk` never exceeds `upper` along `path`; title: for people."""

    risk: Risk
    path: Path
    upper: float
    title: str = ""


def save(file: str | PathLike[str], risk: Risk, path: Path, upper: float, *, title: str = "") -> None:
    """Write the claim max F <= upper along the path, with a title for people, to a file; see `text`."""
    File(check.file_name(file)).write_text(text(risk, path, upper, title=title), encoding="utf-8")


def text(risk: Risk, path: Path, upper: float, *, title: str = "") -> str:
    """The claim max F <= upper along the path as JSON, with a title for people.

    Nothing is checked here: that is the reader's part.

    Raises ValueError when the path does not fit the network, `upper` is not a finite number, or the reader does not know
    the penalty.
    """
    if risk.penalty not in (None, "ridge", "second_layer_l1"):
        raise ValueError(f"the verifier knows the penalties 'ridge', 'second_layer_l1' and None; got {risk.penalty!r}")
    upper = check.number(upper, "upper")
    check.parameters(path.points, risk.network.size, "path.points")
    net = risk.network
    content: dict[str, Any] = {
        "title": str(title),
        "network": {
            "widths": list(net.widths),
            "activation": net.activation,
            "output": net.output,
            "bias": bool(net.bias),
        },
        "risk": {"loss": risk.loss, "penalty": risk.penalty, "kappa": risk.kappa},
        "sample": {
            "X": risk.sample.X.tolist(),
            "Y": risk.sample.Y.tolist(),
            "weights": risk.sample.weights.tolist(),
        },
        "path": {"points": path.points.tolist(), "labels": list(path.labels)},
        "upper": upper,
    }
    return json.dumps({"format": FORMAT, "sha256": digest(content), **content}, indent=0, allow_nan=False) + "\n"


def load(file: str | PathLike[str]) -> Certificate:
    """Read what `save` wrote.

    ValueError when the file is not such a certificate or was altered, OSError when it cannot be opened.
    """
    try:
        document = json.loads(load_text(file), object_pairs_hook=_once)
        if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
            raise ValueError(f"the field format must be {FORMAT!r}")
        if document.pop("sha256", None) != digest(document):
            raise ValueError("its checksum does not match its content")
        network = Network(**document["network"])
        risk = Risk(network, Sample(**document["sample"]), **document["risk"])
        if risk.sample.weights.tolist() != document["sample"]["weights"]:
            raise ValueError("weights must sum to one")
        path = Path(document["path"]["points"], document["path"]["labels"])
        check.parameters(path.points, network.size, "path.points")
        return Certificate(risk, path, check.number(document["upper"], "upper"), str(document["title"]))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"file must be a certificate as certificates.save writes; {file!s}: {reason:.200}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, each key of which occurs once: a document that says two things claims neither."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice")
    return found


def digest(content: dict[str, Any]) -> str:
    """SHA-256 of the content in canonical JSON (sorted keys, no spaces)."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
