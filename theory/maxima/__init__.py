"""The true maximum of a risk along a path (section 3.2): computed where it can be, enclosed where not, sampled never."""

from theory.maxima.branch_and_bound import Goal, Landscape, search
from theory.maxima.neighbourhoods import Inputs, groups
from theory.maxima.results import Maxima, Maximum, Method, Named, PathMaximum, Status
from theory.maxima.segments import is_constant_along, is_convex_along, path_maximum, segment_maxima, segment_maximum
from theory.maxima.taylor_models import point_bounds, upper_bounds

__all__ = [
    "Goal",
    "Inputs",
    "Landscape",
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
