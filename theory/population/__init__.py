"""The risk of a Gaussian population (eq. 2), which the arc-cosine kernel makes explicit, and its maxima along paths."""

from theory.population.maxima import Comparison, compare, path_maximum, segment_maximum
from theory.population.risk import TeacherRisk

__all__ = ["Comparison", "TeacherRisk", "compare", "path_maximum", "segment_maximum"]
