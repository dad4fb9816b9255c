"""Linear networks (Proposition 2.2): paths inside their level sets, and the barrier where there is none.

`problem` is the door: it says what is allowed, turns every net so that n_in <= n_out, and brings the data to size one.
The risk depends on the product M = W_K ... W_1 alone, and as a function of M it is convex (`products`, by
`absolute_deviations` or `nuclear_norm`, bounded in rationals by `exact`). Seen so, the features of a hidden layer live
in n_in dimensions: of n_in + 1 units one depends on the others and becomes idle at no loss, and moves around it bring
any net to one `canonical` form, and from form to form M goes straight. Ridge needs a factorisation that is continuous
in M, the `balanced` one (its chords: `curves`; the path: `ridge`). With no unit to spare the sign of a determinant
separates two components below an exact barrier (`critical_width`). Paths on which the risk only `falls` lead to the
lowest level (`descent`, `ridge_descent`). Which of these theorems applies: `cases`.
"""

from theory.linear_paths.balanced import buy_slack, refit_inner, refit_outer, section, to_section
from theory.linear_paths.canonical import rounding_allowance
from theory.linear_paths.cases import connect
from theory.linear_paths.critical_width import SquareBarrier, barrier
from theory.linear_paths.curves import complement, rotation, shortest_rotation, splice
from theory.linear_paths.descent import descend
from theory.linear_paths.falls import coefficients, falling
from theory.linear_paths.problem import LinearProblem
from theory.linear_paths.products import best_product, value_of

__all__ = [
    "LinearProblem",
    "SquareBarrier",
    "barrier",
    "best_product",
    "buy_slack",
    "coefficients",
    "complement",
    "connect",
    "descend",
    "falling",
    "refit_inner",
    "refit_outer",
    "rotation",
    "rounding_allowance",
    "section",
    "shortest_rotation",
    "splice",
    "to_section",
    "value_of",
]
