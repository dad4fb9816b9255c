"""The oracle risk: e(m), the least risk of m units (eq. 6), and e(infinity), the convex limit, from both sides."""

from theory.oracle.finite_width import curve, finite
from theory.oracle.infinite_width import OracleBound, limit, smoothness_bound

__all__ = ["OracleBound", "curve", "finite", "limit", "smoothness_bound"]
