"""The oracle risk of eq. (6): e(m), the least risk that m units reach, and its limit e(infinity), from both sides.

A net with m units and rows in the unit ball is a measure of m atoms on the ball, its penalty the total variation. Over
all measures the problem is convex, and its dual asks one question of a residual: is there a unit that correlates with
it by more than kappa / 2? `new_unit` answers with a bound: exactly in the plane, by branch and bound on cones beyond.
So `limit` encloses e(infinity), which bounds every e(m) from below (`infinite_width`); `finite` and `curve` search nets
of m units, from above (`finite_width`). For kappa = 0 the limit is what no features of the sample's rays can fit, in
rationals; in the plane all `activation_patterns` are at hand. A sample is brought to size one at the door (`scaling`).
"""

from theory.oracle.finite_width import curve, finite
from theory.oracle.infinite_width import OracleBound, limit, smoothness_bound
from theory.oracle.scaling import Normalised, normalised, relu_features, risk_above

__all__ = [
    "Normalised",
    "OracleBound",
    "curve",
    "finite",
    "limit",
    "normalised",
    "relu_features",
    "risk_above",
    "smoothness_bound",
]
