"""Every lemma is proved, every control refuted by a model that is verified here again, and fractions never contradict one."""

import random
from fractions import Fraction

import pytest

from checks import claims
from checks.smt import (
    PROVED,
    REST,
    Decision,
    Session,
    Statement,
    every_lemma,
    examine,
    lemmas_of,
    prove,
    solvers,
)
from checks.smt.steps import _SECTIONS
from checks.smt.terms import evaluate, every

LEMMAS = every_lemma()
each = pytest.mark.parametrize("name", LEMMAS)


@pytest.fixture(scope="module")
def z3():
    with Session("z3") as session:
        yield session


@pytest.fixture(scope="module")
def steps(z3):
    return {step.lemma.name: step for step in examine(LEMMAS.values(), solvers=[z3])}


@each
def test_it_is_proved(steps, name):
    assert steps[name].proof.decision is Decision.PROVED, steps[name].words
    assert steps[name].decision is Decision.PROVED, steps[name].words


@each
def test_a_little_more_is_false_by_a_model_in_fractions(steps, name):
    model, stronger = steps[name].control.model, LEMMAS[name].stronger
    assert set(model) == set(stronger.variables)
    assert all(type(value) is Fraction for value in model.values())
    assert all(evaluate(formula, model) for formula in stronger.given)
    assert not evaluate(stronger.then, model)


@each
def test_its_hypotheses_can_be_met(z3, name):
    """No lemma holds for want of instances."""
    given = LEMMAS[name].given
    if given:
        assert prove(Statement("nothing satisfies them", (), ~every(*given)), [z3]).decision is not Decision.PROVED


@each
def test_fractions_do_not_contradict_it(name):
    """An oracle of another kind: the same formulas at random points, with many ties and zeros."""
    lemma, rng = LEMMAS[name], random.Random(name)
    values = [Fraction(p, q) for p in range(-3, 4) for q in (1, 2, 3)] + [
        Fraction(9, 10),
        Fraction(-7, 5),
        Fraction(10),
    ]
    for _ in range(150):
        point = {variable: rng.choice(values) for variable in lemma.variables}
        if all(evaluate(formula, point) for formula in lemma.given):
            assert evaluate(lemma.then, point), point


@pytest.mark.skipif(not solvers.available("cvc5"), reason="needs cvc5")
def test_cvc5_agrees_where_it_answers():
    """It never says "sat" of a lemma or "unsat" of a control, and it has an answer for most of them."""
    with Session("cvc5") as cvc5:
        asked = [(x, x.stronger) for x in LEMMAS.values()]
        words = [tuple(cvc5.ask(s.script, s.variables, 0.3).word for s in pair) for pair in asked]
    assert {lemma for lemma, control in words} <= {"unsat", "unknown"}
    assert {control for lemma, control in words} <= {"sat", "unknown"}
    assert words.count(("unsat", "sat")) >= 0.7 * len(words)


def test_names_belong_to_one_lemma_each():
    listed = [lemma for lemmas in PROVED.values() for lemma in lemmas]
    assert all(LEMMAS[lemma.name] is lemma for lemma in listed)
    for lemmas in PROVED.values():
        assert lemmas
        assert len({lemma.name for lemma in lemmas}) == len(lemmas)
    assert sum(len(part.LEMMAS) for part in _SECTIONS) == len(PROVED)  # no claim in two sections


def test_every_claim_says_what_is_proved_and_what_is_not():
    assert set(claims.available()) <= set(REST)
    assert set(PROVED) <= set(REST)
    assert all(text.endswith(".") for text in REST.values())
    assert lemmas_of("prop-2.1") == ()
    with pytest.raises(KeyError):
        lemmas_of("prop-9.9")


@each
def test_words_are_one_sentence(name):
    lemma = LEMMAS[name]
    assert lemma.words.endswith(".")
    assert not lemma.stronger.words.endswith(".")
