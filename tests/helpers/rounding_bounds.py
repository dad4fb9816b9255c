"""A priori bounds on the rounding of a computed network and risk (Higham, ch. 3), the tolerances of the tests."""

import numpy as np

from theory.numerics.rounding import LIBM, TINY, UNIT, gamma


def forward_error(network, theta, X):
    """How far the computed Phi(X; theta) (N, n_K) can be from the exact one, weights being rounded once themselves.

    A layer passes on the error of its inputs through |W| and adds gamma(n + 3) sum |W| |h|; every activation has
    slope at most 1 and, when it is not exact, an error of LIBM of values of at most 1.
    """
    h, error = X, np.zeros_like(X)
    for k, W in enumerate(network.weights(theta), start=1):
        W = np.abs(W)
        size = network.augment(np.abs(h) + error)
        columns = W[:, : error.shape[1]]
        error = error @ columns.T + gamma(size.shape[1] + 3) * (size @ W.T)
        h = network.rho(k).value(network.augment(h) @ network.weights(theta)[k - 1].T)
        if not network.rho(k).homogeneous:
            error = error + LIBM
    return error * (1 + 1e-3) + TINY  # the bound is itself computed in floating point


def risk_error(risk, theta):
    """How far the computed F(theta) can be from the exact one, for the weights of the sample as they are stored."""
    sample, network = risk.sample, risk.network
    r = np.abs(network(theta, sample.X) - sample.Y)
    e = forward_error(network, theta, sample.X) + UNIT * (r + np.abs(sample.Y))
    loss, spread = (r**2, 2 * r * e + e**2) if risk.loss == "squared" else (r, e)
    terms = len(sample) + r.shape[1] + 4
    penalty = gamma(network.size + 4) * float(risk.regulariser(np.abs(theta)))
    return (sample.weights @ (spread + gamma(terms) * (loss + spread)).sum(axis=1) + penalty) * (1 + 1e-3) + TINY
