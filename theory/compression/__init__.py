"""How far a layer can be compressed: delta_W of eq. (8), clusters of close rows, and the exponents of Corollary 2.5.

Theorem 2.4 frees units of a net by compressing its layer: delta_W(l, alpha; m) is the least risk with l of its m rows,
each turned by at most alpha. `layers` encloses it: rules propose supports and turned rows (`rules`), every value is that
of an explicit layer, and the lower bound is dual. Corollary 2.5 compresses by clusters instead: `covering` says what
merging close rows really costs once the weights are counted, and which exponents follow. A coin toss
(`theory.relu_paths.sparsify`) does better than any of them.
"""

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
