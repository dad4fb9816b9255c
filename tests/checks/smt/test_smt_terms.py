"""One tree, three readings: exact values, SMT-LIB and TeX say the same."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latex2mathml.converter import convert

from checks.smt import Session, every_lemma, terms
from checks.smt.terms import between, equal, evaluate, larger, magnitude, number, reals, relu, smaller, tex, where

x, y = reals("x y")
rationals = st.builds(Fraction, st.integers(-20, 20), st.integers(1, 6))


@st.composite
def trees(draw, depth=3):
    """A random term in x and y."""
    if depth == 0 or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from([x, y]) | rationals.map(number))
    a, b, c = (draw(trees(depth=depth - 1)) for _ in range(3))
    condition = draw(st.sampled_from([a <= b, a < b, equal(a, b), ~(a <= b), (a < b) & (b < c), (a < b) | equal(b, c)]))
    choices = [
        a + b,
        a - b,
        a * b,
        -a,
        a**2,
        a / 3,
        relu(a),
        magnitude(a),
        larger(a, b),
        smaller(a, b),
        where(condition, c),
    ]
    return draw(st.sampled_from(choices))


@pytest.fixture(scope="module")
def z3():
    with Session("z3") as session:
        yield session


@settings(max_examples=80, deadline=None)
@given(tree=trees(), a=rationals, b=rationals)
def test_the_solver_reads_the_value_that_fractions_give(z3, tree, a, b):
    value = evaluate(tree, {"x": a, "y": b})
    given_values = equal(x, a) & equal(y, b)

    def word(formula):
        script = f"(declare-const x Real)(declare-const y Real)(assert {terms.smtlib(formula)})"
        return z3.ask(script, ("x", "y"), 5.0).word

    assert word(given_values & ~equal(tree, value)) == "unsat"
    assert word(given_values & equal(tree, value)) == "sat"  # else the line above would say nothing


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ((x + y) * x, r"(x+y)\,x"),
        (x + y * x, r"x+y\,x"),
        (x - (y - x), "x-(y-x)"),
        (x - y - x, "x-y-x"),
        (-(x + y), "-(x+y)"),
        (x - -y, "x-(-y)"),
        (x + -y * x, r"x-y\,x"),
        ((-x) ** 2, "(-x)^2"),
        (-(x**2), "-x^2"),
        ((x * y) ** 2, r"(x\,y)^2"),
        ((x**2) ** 3, "(x^2)^3"),
        (relu(x) ** 2, "(x)_+^2"),
        (2 * x * 3, r"2\,x\cdot 3"),
        (0 + x * 1, "x"),
        (x * 0 + -1 * y, "-y"),
        (between(0, x + y, 1), r"0\le x+y\le 1"),
        ((x >= 0) & ((x < 1) | (y < 1)), r"0\le x,\ (x<1\text{ or }y<1)"),
        (x / 3, r"\tfrac{1}{3}\,x"),
        (x * Fraction(-1, 2), r"x\,(-\tfrac{1}{2})"),
        (where(x <= y, x + 1), r"(x+1)\,\mathbf 1\{x\le y\}"),
        (~equal(x, y), r"x\ne y"),
        ((x < y) | (x <= 1), r"x<y\text{ or }x\le 1"),
        (reals("kappa")[0] * reals("w_12")[0], r"\kappa\,w_{12}"),
    ],
)
def test_tex_puts_parentheses_where_they_must_be(tree, text):
    assert tex(tree) == text


@pytest.mark.parametrize("lemma", every_lemma().values(), ids=lambda lemma: lemma.name)
def test_the_page_can_set_every_lemma(lemma):
    assert "<mtext>\\" not in convert(lemma.tex)  # a command that the converter does not know


def test_what_is_not_exact_is_refused():
    for wrong in (0.5, "1", None, float("nan")):
        with pytest.raises(TypeError, match="int or Fraction"):
            number(wrong)
    with pytest.raises(TypeError, match="int or Fraction"):
        x + 0.1
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(0 <= x <= 1)
    for wrong in (0, -1, 0.5, Fraction(1, 2)):
        with pytest.raises(ValueError, match="exponent"):
            x**wrong
    with pytest.raises(ZeroDivisionError):
        x / 0
    with pytest.raises(KeyError):
        evaluate(x + y, {"x": Fraction(1)})


def test_chains_and_variables():
    assert terms.variables(between(0, y, x), x < 1) == ("y", "x")
    assert evaluate(between(0, x, 1), {"x": Fraction(1)})
    assert not evaluate(between(0, x, 1), {"x": Fraction(11, 10)})
    assert evaluate(terms.total([x, y, x]), {"x": Fraction(1), "y": Fraction(1, 2)}) == Fraction(5, 2)
    assert evaluate(terms.every(x < 1, y < 1), {"x": Fraction(0), "y": Fraction(2)}) is False
    assert evaluate(terms.some(x < 1, y < 1), {"x": Fraction(0), "y": Fraction(2)}) is True
