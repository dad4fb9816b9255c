"""What floats owe us: checks at the boundary, rounding bounded a priori, exact rationals, archives without pickle."""

from theory.numerics.archives import load_archive, load_arrays
from theory.numerics.arrays import SLAB, Array
from theory.numerics.rationals import Vector, exact_rows, float_below, floats, matrix, null_space, rank
from theory.numerics.rounding import LIBM, TINY, UNIT, down, gamma, up
from theory.numerics.scaling import above, below, exponent, times

__all__ = [
    "LIBM",
    "SLAB",
    "TINY",
    "UNIT",
    "Array",
    "Vector",
    "above",
    "below",
    "down",
    "exact_rows",
    "exponent",
    "float_below",
    "floats",
    "gamma",
    "load_archive",
    "load_arrays",
    "matrix",
    "null_space",
    "rank",
    "times",
    "up",
]
