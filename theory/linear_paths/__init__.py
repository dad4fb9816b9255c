"""Linear networks (Proposition 2.2): paths inside their level sets, and the barrier where there is none."""

from theory.linear_paths.balanced import buy_slack, refit_inner, refit_outer, to_section
from theory.linear_paths.canonical import canonical, rounding_allowance
from theory.linear_paths.cases import connect
from theory.linear_paths.critical_width import SquareBarrier, barrier
from theory.linear_paths.curves import complement, shortest_rotation, splice
from theory.linear_paths.curves import rotation as rotation_to
from theory.linear_paths.descent import descend
from theory.linear_paths.falls import coefficients, falls
from theory.linear_paths.products import best_product, value_of

__all__ = [
    "SquareBarrier",
    "barrier",
    "best_product",
    "buy_slack",
    "canonical",
    "coefficients",
    "complement",
    "connect",
    "descend",
    "falls",
    "refit_inner",
    "refit_outer",
    "rotation_to",
    "rounding_allowance",
    "shortest_rotation",
    "splice",
    "to_section",
    "value_of",
]
