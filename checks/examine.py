"""One claim to one `Result`: confirm, refute, control, and what the three together say."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np

from checks import claims, smt
from checks.claim import Claim, Evidence, Outcome, Setting, Status, Verdict, Witness
from checks.processes import one_thread
from checks.tables import Tables, shipped

Progress = Callable[[str, float], None]


THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True)
class Result:
    """What one run says of one claim.

    verdict: the verdict that this run supports, None when it supports none; recorded: the one on record. instances,
    margin, closest, note: of confirm, with the lemmas that a solver proved. witness: of refute, None for claims without
    one. control: the outcome against the planted fault. tables: names of the real tables that the check asked for.
    error: one line, when the check raised an exception.
    """

    id: str
    status: Status
    verdict: Verdict | None = None
    recorded: Verdict | None = None
    evidence: Evidence | None = None
    instances: int = 0
    margin: float = math.nan
    closest: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    witness: Witness | None = None
    control: Outcome | None = None
    tables: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str = ""

    @property
    def control_caught(self) -> bool:
        """Whether the planted fault was examined and found."""
        return self.control is not None and self.control.instances > 0 and self.control.margin < 0

    @property
    def verdict_word(self) -> str:
        """The verdict that the run supports, in words; "none" when it supports none."""
        return self.verdict.name.lower() if self.verdict else "none"

    @property
    def recorded_word(self) -> str:
        """The verdict on record, in words; "unknown" when the claim could not be loaded."""
        return self.recorded.name.lower() if self.recorded else "unknown"

    @property
    def status_word(self) -> str:
        """The status in one word."""
        return self.status.name.lower()

    @property
    def control_word(self) -> str:
        """What became of the planted fault."""
        return "caught" if self.control_caught else "missed"

    @property
    def evidence_word(self) -> str:
        """The kind of evidence; nothing when the claim could not be loaded."""
        return self.evidence.value if self.evidence else ""


def generator(seed: int, claim_id: str, part: str) -> np.random.Generator:
    """The generator of one part of one claim: it depends on nothing else, so order, selection and jobs do not matter."""
    digest = hashlib.sha256(f"{claim_id}/{part}".encode()).digest()
    words = tuple(int(word) for word in np.frombuffer(digest, dtype="<u4"))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=words))


def observed(claim: Claim, outcome: Outcome, witness: Witness | None) -> Verdict | None:
    """The verdict that an outcome and a witness support; None when they support none."""
    if outcome.instances == 0:
        return None
    if claim.verdict is Verdict.HOLDS:
        return Verdict.HOLDS if outcome.holds else Verdict.REFUTED if outcome.margin < 0 else None
    if claim.verdict is Verdict.OPEN:
        return Verdict.OPEN if outcome.holds else None
    return claim.verdict if outcome.holds and witness is not None and witness.refuted else None


def run_claim(
    claim_id: str,
    *,
    seed: int = 0,
    budget: str = "quick",
    tables: Tables | None = None,
    progress: Progress = lambda claim_id, fraction: None,
) -> Result:
    """Run confirm, refute and control of one claim; whatever an exception says ends up in the result."""
    start = time.perf_counter()
    tables = (shipped() if tables is None else tables).afresh()
    result = _examine(claim_id, seed, budget, tables, progress)
    return replace(result, tables=tables.used, seconds=time.perf_counter() - start)


def _examine(claim_id: str, seed: int, budget: str, tables: Tables, progress: Progress) -> Result:
    part, result = "loading", Result(claim_id, Status.ERROR)
    try:
        claim = claims.load(claim_id)
        result = replace(result, recorded=claim.verdict, evidence=claim.evidence)

        def setting(part: str, budget: str) -> Setting:
            return Setting(generator(seed, claim_id, part), budget, tables, lambda done: progress(claim_id, done))

        with one_thread():
            part = "confirm"
            outcome = claim.confirm(setting(part, budget))
            part = "lemmas"
            outcome = _with_lemmas(claim, outcome, budget)
            part = "confirm"
            result = replace(
                result,
                instances=int(outcome.instances),
                margin=float(outcome.margin) + 0.0,  # no -0
                closest=plain(outcome.closest),
                note=outcome.note,
            )
            part = "refute"
            witness = claim.refute() if claim.refute is not None else None
            if witness is not None:
                witness = replace(witness, refuted=bool(witness.refuted), values=plain(witness.values))
            result = replace(result, witness=witness, verdict=observed(claim, outcome, witness))
            part = "control"
            fault = claim.control(setting(part, "quick"))
            control = Outcome(int(fault.instances), float(fault.margin), plain(fault.closest), fault.note)
        return replace(result, control=control, status=_status(replace(result, control=control)))
    except Exception as error:  # any failure of a check is a result, not the end of the run
        text = " ".join(str(error).split())
        return replace(result, status=Status.ERROR, error=f"{part}: {type(error).__name__}: {text}"[:300])


def _with_lemmas(claim: Claim, outcome: Outcome, budget: str) -> Outcome:
    """The outcome with the steps of the claim that an SMT solver proves; in the full budget a second solver must agree.

    Where the evidence is `proved`, a lemma that stays unknown makes the check examined-nothing: it never counts as
    agreement.
    """
    lemmas = smt.PROVED.get(claim.id, ())
    decisive = claim.evidence is Evidence.PROVED
    if not lemmas and not decisive:
        return outcome
    return smt.beside(outcome, lemmas, decisive=decisive, second=budget == "full")


def _status(result: Result) -> Status:
    if result.instances == 0:
        return Status.VACUOUS
    if not result.control_caught:
        return Status.BROKEN
    return Status.AGREES if result.verdict is result.recorded else Status.DIFFERS


def plain(value: Any) -> Any:
    """`value` in plain Python: numbers, strings, lists, dicts; fractions and symbols as text, no NaN or infinity.

    A float that is not finite becomes None; an integer beyond 2^53 becomes text, so that every reader agrees on it.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if abs(value) <= 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, complex):
        return [plain(value.real), plain(value.imag)]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, (list, tuple, range)):
        return [plain(item) for item in value]
    return str(value)
