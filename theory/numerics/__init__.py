"""What floats owe us: the ground on which every bound stands.

A field named `upper` or `lower` is a bound in exact arithmetic, so rounding is never waved away. `validation` checks what
comes in from outside, once, at the boundary (`arrays` names the type). `scaling` brings numbers near one by powers of two,
which is exact, and `norms` takes lengths and directions so. `rounding` bounds a priori what float64 loses (u = 2^-53,
gamma(n)), and `balls` lets arrays carry that error with them: a centre and a radius, through + - * / @, roots, sums and
relu. Where rounding must not decide, `rationals` computes without it. `archives` reads NPZ files without pickle, and texts.
"""

from theory.numerics.archives import load_archive, load_arrays, load_text
from theory.numerics.arrays import SLAB, Array
from theory.numerics.balls import SUBNORMAL, Ball, dot, exact, feature_rounding
from theory.numerics.norms import binade, direction, direction_ball, length, length_ball, scaled
from theory.numerics.rationals import (
    Rational,
    Vector,
    counterclockwise,
    exact_rows,
    float_below,
    floats,
    matrix,
    null_space,
    rank,
)
from theory.numerics.rounding import EPS, LIBM, TINY, UNIT, down, gamma, up
from theory.numerics.scaling import above, below, exponent, times

__all__ = [
    "EPS", "LIBM", "SLAB", "SUBNORMAL", "TINY", "UNIT", "Array", "Ball", "Rational", "Vector", "above", "below", "binade",
    "counterclockwise", "direction", "direction_ball", "dot", "down", "exact", "exact_rows", "exponent",
    "feature_rounding", "float_below", "floats", "gamma", "length", "length_ball", "load_archive", "load_arrays", "load_text",
    "matrix", "null_space", "rank", "scaled", "times", "up",
]  # fmt: skip
