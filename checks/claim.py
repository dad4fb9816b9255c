"""What a claim is, and what its checks return.

A claim module defines one `CLAIM`. Its functions look like this:

    def attack(setting, *, constant=1.0):              # the machinery, with the place where a fault can be planted
        tally = Tally()
        for k in range(setting.instances(500)):
            ...
            tally.add(slack + rounding, seed=k, alpha=alpha)   # negative: the statement is violated
        return tally.outcome("what was tried")

    CLAIM = Claim(..., confirm=attack, control=lambda setting: attack(setting, constant=0.5), refute=witness)

`confirm` must come back with margin >= 0 over at least one instance; `control`, the same machinery against a
planted fault, must come back with margin < 0; `refute` re-verifies the smallest witness against the printed
statement, and belongs to every claim whose printed form is false.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from theory.risk import Sample


class Verdict(Enum):
    """What the ledger says of the statement as printed (for our own statements: as stated)."""

    HOLDS = "holds"
    REPAIRED = "repaired"  # false or incomplete as printed; the repaired statement holds
    REFUTED = "refuted"
    OPEN = "open"


class Evidence(Enum):
    """How the verdict is supported by machine, strongest first (proofs are in paper_notes.md)."""

    PROVED = "proved"  # the negation of each universal step is unsatisfiable, by a solver for real arithmetic
    EXACT = "exact"  # rational or symbolic arithmetic
    ENCLOSED = "enclosed"  # floating point with every rounding bounded
    DUAL = "dual-certified"  # feasible primal and dual points
    SAMPLED = "sampled"  # random and adversarial instances, none proved
    ILLUSTRATED = "illustrated"  # experiments that show, without deciding


class Standing(Enum):
    """What the paper calls it."""

    THEOREM = "theorem"  # propositions, corollaries and the theorem
    PROOF_STEP = "proof step"
    REMARK = "remark"
    CONJECTURE = "conjecture"
    EMPIRICAL = "empirical"
    OURS = "ours"


class Tightness(Enum):
    """The kind of assertion."""

    EQUALITY = "equality"
    UPPER = "upper"
    LOWER = "lower"
    EXISTENCE = "existence"
    ASYMPTOTIC = "asymptotic"


class Status(Enum):
    """What a run says of a claim; the value is advice."""

    AGREES = "the outcome is the recorded verdict"
    DIFFERS = "the outcome is not the recorded verdict: look at the closest instance"
    VACUOUS = "nothing was examined: raise the budget or mend the generator"
    BROKEN = "the planted fault was not caught: the check cannot be trusted"
    ERROR = "the check raised an exception: run it alone with --jobs 1"


@dataclass(frozen=True, eq=False)
class Setting:
    """What a run hands to every check: randomness, effort and real tables.

    rng: the claim's own generator. budget: "quick" or "full". tables: named real samples (X standardised, Y one
    column), shipped with scikit-learn unless the user gave a file. progress: called with the fraction done.
    """

    rng: np.random.Generator
    budget: str = "quick"
    tables: Mapping[str, Sample] = field(default_factory=dict)
    progress: Callable[[float], None] = lambda fraction: None

    @property
    def full(self) -> bool:
        """Whether the budget is "full"."""
        return self.budget == "full"

    def instances(self, quick: int, full: int | None = None) -> int:
        """How many instances to try: `quick`, or `full` (default a hundred times as many) in the full budget."""
        return (100 * quick if full is None else full) if self.full else quick

    def each(self, items: Iterable[Any], total: int | None = None) -> Iterable[Any]:
        """Iterate and report progress."""
        items = list(items) if total is None else items
        total = len(items) if total is None else total  # type: ignore[arg-type]
        for k, item in enumerate(items):
            yield item
            self.progress((k + 1) / max(total, 1))


@dataclass(frozen=True)
class Outcome:
    """How a check went.

    instances: how many were examined. margin: the worst slack met, rounding already allowed for; negative means
    that the statement was violated. closest: the instance with that margin, as plain numbers. note: one line.
    """

    instances: int
    margin: float
    closest: dict[str, Any]
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether something was examined and nothing was violated (a NaN margin is a violation)."""
        return self.instances > 0 and self.margin >= 0


@dataclass(frozen=True)
class Witness:
    """An explicit instance on which the printed statement fails. refuted: whether it truly does, as re-verified now."""

    refuted: bool
    explanation: str
    values: dict[str, Any] = field(default_factory=dict)


Check = Callable[[Setting], Outcome]


@dataclass(frozen=True)
class Claim:
    """One statement that can be true or false. `repaired` is the true statement where the printed one is not.

    headline: the claim in one plain sentence; instead: what is true, in one more, where it is not. fault: what is planted
    for the control, in words. source: where it stands in the paper. reading: the statement is a reading, printed nowhere.
    proof: a one-paragraph sketch. confirm, control, refute: see the module.
    """

    id: str
    headline: str
    fault: str
    source: str
    statement: str
    standing: Standing
    tightness: Tightness
    verdict: Verdict
    evidence: Evidence
    confirm: Check
    control: Check
    refute: Callable[[], Witness] | None = None
    repaired: str | None = None
    instead: str = ""
    reading: bool = False
    proof: str = ""

    def __post_init__(self) -> None:
        if self.verdict in (Verdict.REFUTED, Verdict.REPAIRED) and self.refute is None:
            raise ValueError(
                f"claim {self.id} is {self.verdict.name} and needs refute: a witness against the printed form"
            )
        if self.verdict is Verdict.HOLDS and self.refute is not None:
            raise ValueError(f"claim {self.id} HOLDS and cannot have refute")
        if self.verdict is Verdict.REPAIRED and not self.repaired:
            raise ValueError(f"claim {self.id} is REPAIRED and must say what the repaired statement is")
        if (self.verdict in (Verdict.REFUTED, Verdict.REPAIRED)) is not bool(self.instead):
            raise ValueError(
                f"claim {self.id} is {self.verdict.name}: `instead` is for what is false, and only for that"
            )


class Tally:
    """Collects margins and remembers the instance that came closest (or was violated worst)."""

    def __init__(self) -> None:
        self.instances = 0
        self.margin = math.inf
        self.closest: dict[str, Any] = {}

    def add(self, margin: float, **instance: Any) -> None:
        """Record one instance: margin >= 0 when the statement held there, rounding allowed for; NaN is a violation."""
        margin = float(margin)
        self.instances += 1
        worse = not math.isnan(self.margin) and (math.isnan(margin) or margin < self.margin)
        if worse or self.instances == 1:
            self.margin, self.closest = margin, instance

    def add_many(self, margins: np.ndarray, **instances: np.ndarray) -> None:
        """Record a vector of instances; each keyword holds one entry per instance along its first axis."""
        margins = np.asarray(margins, dtype=float).ravel()
        if margins.size == 0:
            return
        worst = int(np.argmax(np.isnan(margins))) if np.isnan(margins).any() else int(np.argmin(margins))
        self.add(margins[worst], **{name: np.asarray(values)[worst] for name, values in instances.items()})
        self.instances += margins.size - 1

    def outcome(self, note: str = "") -> Outcome:
        """The outcome so far; with no instance at all the margin is NaN."""
        return Outcome(self.instances, self.margin if self.instances else math.nan, dict(self.closest), note)
