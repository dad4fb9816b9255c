"""An oracle for one-hidden-layer nets in rational arithmetic: independent of theory.maxima.quartic, slow, and exact.

On each piece between consecutive switches (computed as fractions) the risk is recovered from five exact values by
interpolation; approximate critical points are rounded to fractions and evaluated exactly. The result is attained by
the true risk, so the true maximum is at least this, and above it by no more than the square of a rounding.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np


def risk_at(risk, theta_0, theta_1, t):
    """F((1 - t) theta_0 + t theta_1) as a Fraction, one hidden layer, relu or identity, squared or absolute loss."""
    net, sample = risk.network, risk.sample
    theta = [(1 - t) * Fraction(a) + t * Fraction(b) for a, b in zip(theta_0.tolist(), theta_1.tolist())]
    rows, columns = net.shapes[0]
    W = [theta[i * columns : (i + 1) * columns] for i in range(rows)]
    rest, (outs, columns) = theta[net.slices[1].start :], net.shapes[1]
    V = [rest[i * columns : (i + 1) * columns] for i in range(outs)]
    one = [Fraction(1)] if net.bias else []
    total = Fraction(0)
    for x, y, weight in zip(sample.X.tolist(), sample.Y.tolist(), sample.weights.tolist()):
        h = [sum(w * Fraction(v) for w, v in zip(row, x + one)) for row in W]
        if net.activation == "relu":
            h = [max(p, Fraction(0)) for p in h]
        for row, target in zip(V, y):
            r = sum(v * p for v, p in zip(row, h + one)) - Fraction(target)
            total += Fraction(weight) * (r * r if risk.loss == "squared" else abs(r))
    if risk.penalty == "ridge":
        total += Fraction(risk.kappa) * sum(v * v for v in theta)
    elif risk.penalty == "second_layer_l1":
        total += Fraction(risk.kappa) * sum(abs(v) for v in rest)
    return total


def switches(risk, theta_0, theta_1):
    """All breakpoints in [0, 1], exact: pre-activations and, under the l1 penalty, outgoing weights that change sign."""
    net = risk.network
    ends = [[Fraction(v) for v in theta.tolist()] for theta in (theta_0, theta_1)]
    rows, columns = net.shapes[0]
    pairs = []
    if net.activation == "relu":
        for x in risk.sample.X.tolist():
            x = [Fraction(v) for v in x] + ([Fraction(1)] if net.bias else [])
            for i in range(rows):
                pairs.append([sum(w * v for w, v in zip(e[i * columns : (i + 1) * columns], x)) for e in ends])
    if risk.penalty == "second_layer_l1":
        pairs += zip(*(e[net.slices[1].start :] for e in ends))
    inner = {a / (a - b) for a, b in pairs if a * b < 0}
    return sorted({Fraction(0), Fraction(1), *inner})


def maximum(risk, theta_0, theta_1):
    """(t, F) as Fractions: the largest value found, within ~1e-25 of the true maximum."""
    best = (Fraction(0), risk_at(risk, theta_0, theta_1, Fraction(0)))
    for lo, hi in pairwise(switches(risk, theta_0, theta_1)):
        nodes = [lo + (hi - lo) * Fraction(k, 4) for k in range(5)]
        values = [risk_at(risk, theta_0, theta_1, t) for t in nodes]
        scale = max(map(abs, values)) or Fraction(1)
        quartic = np.polynomial.polynomial.polyfit(np.linspace(0, 1, 5), [float(v / scale) for v in values], 4)
        roots = np.polynomial.polynomial.polyroots(np.polynomial.polynomial.polyder(quartic))
        inside = [float(z.real) for z in np.atleast_1d(roots) if abs(z.imag) < 1e-6 and 0 < z.real < 1]
        candidates = nodes + [lo + (hi - lo) * Fraction(s) for s in inside]
        for t in candidates:
            value = risk_at(risk, theta_0, theta_1, t)
            if value > best[1]:
                best = (t, value)
    return best
