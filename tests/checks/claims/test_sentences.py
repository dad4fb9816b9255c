"""Every sentence of the paper that asserts something is answered by a claim, or has no truth value for a stated reason."""

from checks import claims
from checks.claim import Standing
from checks.claims.sentences import sentences

FOUND = sentences()


def unanswered(found):
    """Sentences with neither a claim that exists nor a reason, or with both."""
    known = set(claims.available())
    return [s for s in found if bool(s.claims) is bool(s.reason) or not set(s.claims) <= known]


def test_every_sentence_has_a_claim_or_a_reason():
    assert unanswered(FOUND) == []


def test_they_are_numbered_in_order_and_said_once():
    assert [s.number for s in FOUND] == list(range(1, len(FOUND) + 1))
    assert len({(s.place, s.words) for s in FOUND}) == len(FOUND) > 150


def test_every_claim_of_the_papers_answers_a_sentence():
    """Ours are answers to nobody; a later version of the appendix is not the paper."""
    answered = {claim for s in FOUND for claim in s.claims}
    papers = {i for i in claims.available() if claims.load(i).standing is not Standing.OURS}
    assert papers - answered <= {"prop-2.2-proof-later"}


def test_a_sentence_without_an_answer_is_noticed():
    """The planted faults: no claim and no reason, a claim that does not exist, both."""
    import dataclasses

    first = FOUND[0]
    for change in ({"claims": ()}, {"claims": ("no-claim",)}, {"reason": "because"}):
        assert unanswered([dataclasses.replace(first, **change)])
