"""From a sample to the population: bounds on risk and error along a whole path, from points that it has not seen."""

from theory.held_out.certificates import HeldOut, certify, certify_error
from theory.held_out.confidence import bernstein, betting, binomial, hoeffding

__all__ = ["HeldOut", "bernstein", "betting", "binomial", "certify", "certify_error", "hoeffding"]
