"""Sums of a million equal terms, which floats round the same way: the target is their computed sum, so what is seen is zero."""

from fractions import Fraction

import numpy as np

from theory.networks import Network

COUNT = 1_000_000


def rounded_sums(many):
    """Nets with a million units, or inputs: (net, theta, X, what they compute, by how much that misses the true output)."""
    net = Network((1, COUNT, 1) if many == "units" else (COUNT, 1, 1))
    X = np.ones((1, net.widths[0]))
    for v in (0.149, 0.12, 0.101, 0.13):
        rows, outgoing = (1.0, v) if many == "units" else (v, 1.0)
        theta = net.pack([np.full(net.shapes[0], rows), np.full(net.shapes[1], outgoing)])
        target = net(theta, X)
        missed = abs(COUNT * Fraction(v) - Fraction(float(target[0, 0])))  # thousands of u with most BLAS
        yield net, theta, X, target, missed
