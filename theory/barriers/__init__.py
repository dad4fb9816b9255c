"""Disconnection, proved (section 2.3.1, appendix E.1): what every path between two nets must climb."""

from theory.barriers.dependent_features import Geometry, least_risk
from theory.barriers.invariants import all_permutations, determinant_must_vanish
from theory.barriers.lower_bounds import Barrier, Reason, lower_bound
from theory.barriers.penalised import penalised_lower_bound, two_unit_barrier
from theory.barriers.permutation_paths import fit, spanning_rows
from theory.barriers.permutations import permutation_barrier
from theory.barriers.zero_risk import Components, components

__all__ = [
    "Barrier",
    "Components",
    "Geometry",
    "Reason",
    "all_permutations",
    "components",
    "determinant_must_vanish",
    "fit",
    "least_risk",
    "lower_bound",
    "penalised_lower_bound",
    "permutation_barrier",
    "spanning_rows",
    "two_unit_barrier",
]
