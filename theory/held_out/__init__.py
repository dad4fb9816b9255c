"""From a sample to the population: bounds on risk and error along a whole path, from points that it has not seen.

Along a path of silent pieces and refits the loss at every point is bounded by its values at finitely many nets
(`functions`). For each of them the mean over held-out points bounds the mean over the law with high probability (`confidence`), and for all
of them together that bounds the risk and the error at every point of the path (`certificates`).
"""

from theory.held_out.certificates import HeldOut, certify, certify_error
from theory.held_out.confidence import bernstein, betting, binomial, hoeffding

__all__ = ["HeldOut", "bernstein", "betting", "binomial", "certify", "certify_error", "hoeffding"]
