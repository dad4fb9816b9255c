"""Somebody's own code, as it might stand in another repository: a kernel, and paths over the zero second layer."""

import numpy as np

from theory.paths import Path


def kernel(w1, w2, X):
    """E max(0, <w1, X>) max(0, <w2, X>) over the rows of X (N, n), equal weights."""
    return np.mean(np.maximum(X @ w1, 0) * np.maximum(X @ w2, 0))


def connect(risk, theta_a, theta_b):
    """From theta_a to theta_b (P,), one hidden layer: second layer to zero, first layer across, second layer up.

    Never above the largest of both risks and that of the zero net: the first and last piece are convex, and in between
    the net is zero. (The penalty, if any, must not look at the first layer.)
    """
    net = risk.network
    (W_a, V_a), (W_b, V_b) = net.weights(theta_a), net.weights(theta_b)
    points = [theta_a, net.pack([W_a, 0 * V_a]), net.pack([W_b, 0 * V_b]), theta_b]
    return Path(np.stack(points), ("down", "across", "up"))
