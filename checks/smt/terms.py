"""Real terms and formulas: written in Python, handed to solvers as SMT-LIB, evaluated in fractions, set in TeX.

    a, b = reals("a b")
    inequality = relu(a) * relu(b) <= relu((a + b) / 2) ** 2

One tree, three readings, so that what is proved, what is verified again and what is printed cannot differ.
Only what is exact for polynomials with rational coefficients and case distinctions; a float is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from numbers import Rational
from typing import Any

Values = Mapping[str, Fraction]


@dataclass(frozen=True, eq=False)
class Term:
    """A real number that depends on variables. op: a key of the tables below; args: terms, formulas, a name or a number."""

    op: str
    args: tuple[Any, ...]

    def __add__(self, other: Real) -> Term:
        return _sum(self, term(other))

    def __radd__(self, other: Real) -> Term:
        return _sum(term(other), self)

    def __sub__(self, other: Real) -> Term:
        return _difference(self, term(other))

    def __rsub__(self, other: Real) -> Term:
        return _difference(term(other), self)

    def __neg__(self) -> Term:
        return Term("negative", (self,))

    def __mul__(self, other: Real) -> Term:
        return _product(self, term(other))

    def __rmul__(self, other: Real) -> Term:
        return _product(term(other), self)

    def __truediv__(self, other: int | Fraction) -> Term:
        return _product(number(1 / Fraction(other)), self)

    def __pow__(self, exponent: int) -> Term:
        if not isinstance(exponent, int) or exponent < 1:
            raise ValueError(f"exponent must be a positive integer; got {exponent!r}")
        return self if exponent == 1 else Term("power", (self, exponent))

    def __le__(self, other: Real) -> Formula:
        return Formula("<=", (self, term(other)))

    def __lt__(self, other: Real) -> Formula:
        return Formula("<", (self, term(other)))

    def __ge__(self, other: Real) -> Formula:
        return Formula("<=", (term(other), self))

    def __gt__(self, other: Real) -> Formula:
        return Formula("<", (term(other), self))


@dataclass(frozen=True, eq=False)
class Formula:
    """A condition on variables. op: a key of the tables below; args: terms or formulas."""

    op: str
    args: tuple[Any, ...]

    def __and__(self, other: Formula) -> Formula:
        return Formula("and", (self, other))

    def __or__(self, other: Formula) -> Formula:
        return Formula("or", (self, other))

    def __invert__(self) -> Formula:
        return Formula("not", (self,))

    def __bool__(self) -> bool:
        raise TypeError(
            "a formula is neither true nor false: write between(0, t, 1) for 0 <= t <= 1, & for and, | for or"
        )


Real = Term | int | Fraction


def number(value: int | Fraction) -> Term:
    """A rational constant; TypeError for anything else (a float is not the number that it looks like)."""
    if not isinstance(value, Rational):
        raise TypeError(f"numbers must be int or Fraction; got {value!r}")
    return Term("number", (Fraction(value),))


def term(value: Real) -> Term:
    """A term as it is, a number as a term."""
    return value if isinstance(value, Term) else number(value)


def _is(x: Term, value: int) -> bool:
    return x.op == "number" and x.args[0] == value


def _sum(x: Term, y: Term) -> Term:
    if _is(x, 0) or _is(y, 0):
        return y if _is(x, 0) else x
    return _difference(x, y.args[0]) if y.op == "negative" else Term("+", (x, y))


def _difference(x: Term, y: Term) -> Term:
    return -y if _is(x, 0) else x if _is(y, 0) else Term("-", (x, y))


def _product(x: Term, y: Term) -> Term:
    if _is(x, 0) or _is(y, 0):
        return number(0)
    if x.op == "negative":
        return -_product(x.args[0], y)
    if _is(x, -1) or _is(y, -1):
        return -(y if _is(x, -1) else x)
    return y if _is(x, 1) else x if _is(y, 1) else Term("*", (x, y))


def reals(names: str) -> tuple[Term, ...]:
    """Variables with these names, separated by blanks."""
    return tuple(Term("variable", (name,)) for name in names.split())


def relu(x: Real) -> Term:
    """max(x, 0)."""
    return Term("relu", (term(x),))


def magnitude(x: Real) -> Term:
    """|x|."""
    return Term("abs", (term(x),))


def larger(x: Real, y: Real) -> Term:
    """max(x, y)."""
    return Term("max", (term(x), term(y)))


def smaller(x: Real, y: Real) -> Term:
    """min(x, y)."""
    return Term("min", (term(x), term(y)))


def where(condition: Formula, x: Real) -> Term:
    """x where the condition holds, 0 elsewhere."""
    return Term("where", (term(x), condition))


def equal(x: Real, y: Real) -> Formula:
    """x = y (== compares Python objects)."""
    return Formula("=", (term(x), term(y)))


def differ(x: Real, y: Real) -> Formula:
    """x and y are different."""
    return ~equal(x, y)


def between(low: Real, x: Real, high: Real) -> Formula:
    """low <= x <= high."""
    return Formula("between", (term(low), term(x), term(high)))


def total(terms: Iterable[Term]) -> Term:
    """The sum of at least one term (`sum` would begin with 0)."""
    return reduce(lambda a, b: a + b, terms)


def every(*formulas: Formula) -> Formula:
    """All of the formulas, at least one."""
    return reduce(lambda a, b: a & b, formulas)


def some(*formulas: Formula) -> Formula:
    """One of the formulas, at least one."""
    return reduce(lambda a, b: a | b, formulas)


_EXACT: dict[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "negative": lambda a: -a,
    "relu": lambda a: max(a, Fraction(0)),
    "abs": abs,
    "max": max,
    "min": min,
    "where": lambda a, condition: a if condition else Fraction(0),
    "<=": lambda a, b: a <= b,
    "<": lambda a, b: a < b,
    "=": lambda a, b: a == b,
    "between": lambda a, b, c: a <= b <= c,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
}


def evaluate(tree: Term | Formula, values: Values) -> Any:
    """The value in exact arithmetic: a Fraction for a term, a bool for a formula; KeyError for a variable without value."""
    if tree.op == "variable":
        return Fraction(values[tree.args[0]])
    if tree.op == "number":
        return tree.args[0]
    if tree.op == "power":
        return evaluate(tree.args[0], values) ** tree.args[1]
    return _EXACT[tree.op](*(evaluate(arg, values) for arg in tree.args))


_SMT = {
    "negative": "(- {0})",
    "relu": "(ite (<= 0.0 {0}) {0} 0.0)",
    "abs": "(ite (<= 0.0 {0}) {0} (- {0}))",
    "max": "(ite (<= {0} {1}) {1} {0})",
    "min": "(ite (<= {0} {1}) {0} {1})",
    "where": "(ite {1} {0} 0.0)",
    "between": "(and (<= {0} {1}) (<= {1} {2}))",
    "not": "(not {0})",
}


def smtlib(tree: Term | Formula) -> str:
    """The tree in SMT-LIB 2."""
    if tree.op == "variable":
        return tree.args[0]
    if tree.op == "number":
        value = tree.args[0]
        size = (
            f"{abs(value.numerator)}.0"
            if value.denominator == 1
            else f"(/ {abs(value.numerator)}.0 {value.denominator}.0)"
        )
        return size if value >= 0 else f"(- {size})"
    if tree.op == "power":
        base = smtlib(tree.args[0])
        return f"(* {' '.join([base] * tree.args[1])})"
    return _SMT.get(tree.op, f"({tree.op} {{0}} {{1}})").format(*map(smtlib, tree.args))


def variables(*trees: Term | Formula) -> tuple[str, ...]:
    """Names of the variables, in the order in which they first occur."""
    return tuple(dict.fromkeys(name for tree in trees for name in _names(tree)))


def _names(tree: Term | Formula) -> Iterator[str]:
    if tree.op == "variable":
        yield tree.args[0]
    for arg in tree.args:
        if isinstance(arg, (Term, Formula)):
            yield from _names(arg)


_TEX = {  # how tightly the result binds, the least that each argument must bind, the text
    "+": (1, (1, 1), "{}+{}"),
    "-": (1, (1, 2), "{}-{}"),
    "negative": (1, (2,), "-{}"),
    "*": (2, (2, 2), r"{}\,{}"),
    "relu": (4, (0,), "({})_+"),
    "abs": (4, (0,), "|{}|"),
    "max": (4, (0, 0), r"\max({},{})"),
    "min": (4, (0, 0), r"\min({},{})"),
    "where": (2, (2, 0), r"{}\,\mathbf 1\{{{}\}}"),
    "<=": (0, (1, 1), r"{}\le {}"),
    "<": (0, (1, 1), "{}<{}"),
    "=": (0, (1, 1), "{}={}"),
    "between": (0, (1, 1, 1), r"{}\le {}\le {}"),
    "and": (0, (0, 0), r"{},\ {}"),
    "or": (-1, (-1, -1), r"{}\text{{ or }}{}"),
    "not": (-2, (-1,), r"\text{{not }}({})"),
}
_GREEK = (
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "zeta",
    "kappa",
    "lambda",
    "mu",
    "pi",
    "rho",
    "sigma",
    "tau",
    "nu",
)


def tex(tree: Term | Formula) -> str:
    """The tree in TeX; relu is written as a positive part, a case distinction with an indicator."""
    return _tex(tree)[0]


def _tex(tree: Term | Formula) -> tuple[str, int]:
    if tree.op == "variable":
        return _letter(tree.args[0]), 4
    if tree.op == "number":
        value = tree.args[0]
        size = (
            str(abs(value)) if value.denominator == 1 else rf"\tfrac{{{abs(value.numerator)}}}{{{value.denominator}}}"
        )
        return (size, 4) if value >= 0 else ("-" + size, 1)
    if tree.op == "power":
        text, strength = _tex(tree.args[0])
        return (f"{text}^{tree.args[1]}" if strength == 4 else f"({text})^{tree.args[1]}"), 3
    if tree.op == "not" and tree.args[0].op == "=":
        return r"{}\ne {}".format(*(_tex(arg)[0] for arg in tree.args[0].args)), 0
    strength, needed, pattern = _TEX[tree.op]
    parts = [text if own >= least else f"({text})" for (text, own), least in zip(map(_tex, tree.args), needed)]
    if tree.op == "*" and re.match(r"\d|\\tfrac", parts[1]):
        pattern = r"{}\cdot {}"
    return pattern.format(*parts), strength


def _letter(name: str) -> str:
    base, _, index = name.partition("_")
    letter = "\\" + base if base in _GREEK else base if len(base) == 1 else rf"\mathrm{{{base}}}"
    return f"{letter}_{{{index}}}" if index else letter
