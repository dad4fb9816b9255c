"""Results as a run of the whole ledger would give them, without running it."""

from checks import claims
from checks.claim import Outcome, Status, Verdict, Witness
from checks.examine import Result

HOSTILE = """</script><script>alert('x')</script><img src=x onerror="alert(1)">&amp;"' $1$ {{ }}"""


def result(claim_id, **changes):
    """A result that agrees with the record, with numbers of every kind."""
    claim = claims.load(claim_id)
    false = claim.verdict in (Verdict.REFUTED, Verdict.REPAIRED)
    fields = {
        "status": Status.AGREES,
        "verdict": claim.verdict,
        "recorded": claim.verdict,
        "evidence": claim.evidence,
        "instances": 100 + len(claim_id),
        "margin": 1 / (3 + len(claim_id)),
        "closest": {"alpha": 0.1, "W": [[1.0, 2.0], [0.1 + 0.2, -4.0]], "name": "edge"},
        "note": "random instances",
        "witness": Witness(True, "an explicit instance", {"theta": [1, "1/3"], "F": 2.5}) if false else None,
        "control": Outcome(10, -0.5, {}, "a constant cut in half"),
        "seconds": 0.25,
    }
    return Result(claim_id, **(fields | changes))


def ledger():
    """One result for every claim there is."""
    return [result(claim_id) for claim_id in claims.available()]
