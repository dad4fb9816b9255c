"""The true maximum of a risk along a path (eqs 1 and 2): computed where it can be, enclosed where not, sampled never.

Every `Maximum` has a value that is attained and an upper bound. `segments` picks for each piece the cheapest method that
is right there (`results` names them): the ends where the risk is convex or constant along it; the exact quartic between
kinks for one hidden layer and squared loss (`quartic`, where floats leave it open `quartic_in_fractions`; where there are
many kinks, only in the `windows` that `buckets` of them, in linear time, do not rule out: `switches` are their inner
loops); elsewhere the one `branch_and_bound` of this project, on `secants`, whose `bends` an activation changes, from
`partitions` that a few samples ask for; many inputs of few dimensions are bounded together first, in the groups of
`neighbourhoods`, on `taylor_models`. What rounding does to a value is bounded from the weights alone where that is enough
(`evaluations`).
"""

from theory.maxima.branch_and_bound import BoundedRisk, Goal, search
from theory.maxima.neighbourhoods import Inputs, groups
from theory.maxima.results import CELLS, GAP, Maxima, Maximum, Method, Named, PathMaximum, Status
from theory.maxima.segments import is_constant_along, is_convex_along, path_maximum, segment_maxima, segment_maximum
from theory.maxima.taylor_models import point_bounds, upper_bounds

__all__ = [
    "CELLS",
    "GAP",
    "BoundedRisk",
    "Goal",
    "Inputs",
    "Maxima",
    "Maximum",
    "Method",
    "Named",
    "PathMaximum",
    "Status",
    "groups",
    "is_constant_along",
    "is_convex_along",
    "path_maximum",
    "point_bounds",
    "search",
    "segment_maxima",
    "segment_maximum",
    "upper_bounds",
]
