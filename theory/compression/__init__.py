"""How far a layer can be compressed: delta_W of eq. (8), clusters of close rows, and the exponents of Corollary 2.5."""

from theory.compression.covering import (
    cells,
    cells_exponent,
    merging_bound,
    printed_best,
    printed_exponent,
    removal_bound,
    weighted_exponent,
)
from theory.compression.layers import RULES, Compression, delta, table

__all__ = [
    "RULES",
    "Compression",
    "cells",
    "cells_exponent",
    "delta",
    "merging_bound",
    "printed_best",
    "printed_exponent",
    "removal_bound",
    "table",
    "weighted_exponent",
]
