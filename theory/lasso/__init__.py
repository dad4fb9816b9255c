"""The convex second layer (eqs 6 and 8): on fixed features the best outgoing weights solve a lasso.

With rows of W_1 held still, min_b E (y - Z b)^2 + kappa |b|_1 is convex: subpaths (1) and (6) of Theorem 2.4 move along
it, the oracle risk e(m) is its minimum over features, and delta of eq. (8) its minimum over supports. `problem` is the
door: it brings features and targets to size one by powers of two, where what is dependent does not depend on units.
`solvers` propose weights, and nobody trusts them: whoever proposes, `duality` bounds the risk from above at the weights,
and from below at a feasible dual point. `solve` puts the three together (`second_layer`; `certify` for weights
of one's own), and scales results back, exactly.
"""

from theory.lasso.duality import correlation, primal, scaled_dual
from theory.lasso.problem import LARGEST_PENALTY, check_features
from theory.lasso.solve import SOLVERS, Homotopy, SecondLayer, certify, homotopy, kappa_max, second_layer
from theory.lasso.solvers import active_set

__all__ = [
    "LARGEST_PENALTY",
    "SOLVERS",
    "Homotopy",
    "SecondLayer",
    "active_set",
    "certify",
    "check_features",
    "correlation",
    "homotopy",
    "kappa_max",
    "primal",
    "scaled_dual",
    "second_layer",
]
