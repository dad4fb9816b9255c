"""The oracle risk of eq. (2) where it is explicit: Gaussian inputs and a ReLU teacher, by the arc-cosine kernel.

The paper speaks of the risk over the law of (X, Y); all else in this library is about a sample. Here both can be put side by side on
one and the same path. `risk` is the population risk E |Phi - Phi*|^2 + noise + kappa R, a sum of kernels of all pairs of units of
student and teacher, with its gradient; `enclosures` bounds it at a point and over a cell of a segment, rounding included; `maxima` finds
the true maximum along a path, by the search of `theory.maxima`, and compares it with the maxima under samples of growing size.
"""

from theory.population.maxima import Comparison, compare, path_maximum, segment_maximum
from theory.population.risk import TeacherRisk

__all__ = ["Comparison", "TeacherRisk", "compare", "path_maximum", "segment_maximum"]
