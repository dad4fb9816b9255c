"""What the words of the ledger mean, in sentences: verdicts, evidence, what the paper calls a statement, what it asserts."""

from __future__ import annotations

from collections.abc import Iterable

from checks.claim import Claim, Evidence, Standing, Tightness, Verdict
from checks.examine import Result

VERDICTS = {
    "holds": "true as printed, or as stated where the statement is ours",
    "repaired": "the conclusion survives with a hypothesis, a constant or the proof mended",
    "refuted": "false",
    "open": "neither proved nor refuted here",
    "none": "this run supports no verdict",
}

EVIDENCE = {
    Evidence.PROVED: "the negation is unsatisfiable, says a solver for real arithmetic",
    Evidence.EXACT: "rational or symbolic arithmetic",
    Evidence.ENCLOSED: "floating point with every rounding bounded",
    Evidence.DUAL: "feasible primal and dual points",
    Evidence.SAMPLED: "random and adversarial instances, none proved",
    Evidence.ILLUSTRATED: "experiments that show, without deciding",
}

CALLED = {
    Standing.THEOREM: "A theorem of the paper",
    Standing.PROOF_STEP: "A step of a proof of the paper",
    Standing.REMARK: "A remark of the paper",
    Standing.CONJECTURE: "A conjecture or open question of the paper",
    Standing.EMPIRICAL: "An observation of the paper",
    Standing.OURS: "Ours, not the paper's",
}

ASSERTS = {
    Tightness.EQUALITY: "an equality, or that one thing is another",
    Tightness.UPPER: "an upper bound",
    Tightness.LOWER: "a lower bound",
    Tightness.EXISTENCE: "that something exists, or does not",
    Tightness.ASYMPTOTIC: "a law in the limit",
}


def standing(claim: Claim) -> str:
    """What the paper calls the statement, and the kind of assertion it is."""
    return f"{CALLED[claim.standing]}; it asserts {ASSERTS[claim.tightness]}."


def verdict(claim: Claim) -> str:
    """The verdict on record, in words."""
    how = "read so" if claim.reading else "as stated" if claim.standing is Standing.OURS else "as printed"
    return {
        Verdict.HOLDS: f"holds: true {how}",
        Verdict.REPAIRED: f"repaired: not true {how}, but what it concludes survives",
        Verdict.REFUTED: f"refuted: false {how}",
        Verdict.OPEN: "open: neither proved nor refuted here",
    }[claim.verdict]


def how_many_are_false(claims: Iterable[tuple[Claim, Result]]) -> str:
    """How many of the paper's own statements are false in this run, in a sentence; nothing where it has none of them.

    Statements of ours do not count, and readings that the paper does not print count apart.
    """
    found = [(c.reading, r.verdict) for c, r in claims if c.standing is not Standing.OURS and r.verdict]
    printed, readings = ([verdict for reading, verdict in found if reading is kind] for kind in (False, True))
    if not printed:
        return ""
    false, mended = printed.count(Verdict.REFUTED), printed.count(Verdict.REPAIRED)
    is_ = "is" if false < 2 else "are"
    needs = "needs" if mended < 2 else "need"
    text = f"Of {counted(len(printed), 'statement')} of the paper, {false or 'none'} {is_} false and {mended or 'none'} {needs} repair"
    wrong = readings.count(Verdict.REFUTED)
    are = "is" if wrong < 2 else "are"
    return text + (
        f"; of {counted(len(readings), 'reading')} not in print, {wrong or 'none'} {are} false." if readings else "."
    )


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "claim"), counted(1200, "claim")
    ('1 claim', '1,200 claims')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
