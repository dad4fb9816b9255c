"""Disconnection, proved (section 2.3.1, appendix E.1): what every path between two nets must climb.

Something that differs at the ends cannot change while the net is good: the sign of det Z, the order of units along the
curve of feature rows, the sign of det W_1, with a penalty the sign of a weight (`invariants`, `penalised`). Where it
changes the net is poorer: its features are dependent (`dependent_features`), it sees one direction of the data
(`one_direction`, by the `real_roots` of its slope), or a unit is spared; the least such risk is computed in exact
arithmetic. `lower_bounds` does this for two given nets, `permutations` for a net and its reordered copy, with a path from
above (`permutation_paths`: down to one unit fewer, round the idle unit, up again; `free_paths` where a unit is to spare),
`zero_risk` counts components. `scaling` is the door: sizes near one.
"""

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
