"""Losses, penalties and risks in 300-bit ball arithmetic, from their definitions: an oracle that shares nothing with theory."""

from __future__ import annotations

from flint import arb, ctx

BITS = 300

ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": lambda z: z.max(arb(0)),
    "tanh": lambda z: z.tanh(),
    "sigmoid": lambda z: 1 / (1 + (-z).exp()),
}


def log_of_one_plus_exp(z):
    """log(1 + e^z) as a ball; log1p keeps its digits where e^z is small."""
    return z.exp().log1p()


def loss(name, f, y):
    """l(f, y) of lists of balls or floats, as a ball."""
    f, y = [arb(v) for v in f], [arb(v) for v in y]
    if name == "squared":
        return sum(((a - b) ** 2 for a, b in zip(f, y)), arb(0))
    if name == "absolute":
        return sum((abs(a - b) for a, b in zip(f, y)), arb(0))
    if name == "logistic":
        return sum((log_of_one_plus_exp(-b * a) for a, b in zip(f, y)), arb(0))
    if name == "hinge":
        return sum(((1 - b * a).max(arb(0)) for a, b in zip(f, y)), arb(0))
    # sum_k y_k log(1 + sum_{m != k} exp(f_m - f_k))
    terms = (
        (b, sum(((other - a).exp() for m, other in enumerate(f) if m != k), arb(0)))
        for k, (a, b) in enumerate(zip(f, y))
    )
    return sum((b * rest.log1p() for b, rest in terms if b != 0), arb(0))


def matrices(net, theta):
    """W_1, ..., W_K as lists of rows of balls."""
    return [
        [theta[s.start + i * columns : s.start + (i + 1) * columns] for i in range(rows)]
        for s, (rows, columns) in zip(net.slices, net.shapes)
    ]


def norm(v):
    """Euclidean length of a list of balls."""
    return sum((x * x for x in v), arb(0)).max(arb(0)).sqrt()


def singular_values(W):
    """Those of a matrix with at most two rows or columns, from the characteristic polynomial of its Gram matrix."""
    if len(W) > 2:
        W = list(zip(*W))
    if len(W) == 1:
        return [norm(W[0])]
    a, b, c = (sum((x * y for x, y in zip(u, v)), arb(0)) for u, v in ((W[0], W[0]), (W[0], W[1]), (W[1], W[1])))
    largest = (a + c + norm([a - c, 2 * b])) / 2
    if not largest > 0:
        return [largest.max(arb(0)).sqrt(), arb(0)]
    return [largest.sqrt(), ((a * c - b * b) / largest).max(arb(0)).sqrt()]


def penalty(risk, theta):
    """R of a list of balls."""
    net, name = risk.network, risk.penalty
    if name is None:
        return arb(0)
    if name == "ridge":
        return sum((v * v for v in theta), arb(0))
    W = matrices(net, theta)
    if name == "second_layer_l1":
        return sum((abs(v) for row in W[1] for v in row), arb(0))
    if name == "schatten":
        powers = ((s, p) for M, p in zip(W, risk.exponents) for s in singular_values(M))
        return sum((s ** arb(p) / arb(p) if s > 0 else s for s, p in powers), arb(0))
    q = [norm(row) for row in W[0]]
    for M in W[1:-1]:
        q = [*q, arb(1)] if net.bias else q
        q = [sum((abs(w) * v for w, v in zip(row, q)), arb(0)) for row in M]
    q = [*q, arb(1)] if net.bias else q
    return sum((norm(column) * v for column, v in zip(zip(*W[-1]), q)), arb(0))


def risk_at(risk, theta_0, theta_1, t):
    """F((1 - t) theta_0 + t theta_1) as a ball."""
    ctx.prec = BITS
    net, t = risk.network, arb(float(t))
    theta = [(1 - t) * arb(float(a)) + t * arb(float(b)) for a, b in zip(theta_0, theta_1)]
    W, total = matrices(net, theta), arb(0)
    for x, y, weight in zip(risk.sample.X.tolist(), risk.sample.Y.tolist(), risk.sample.weights.tolist()):
        h = [arb(v) for v in x]
        for k, M in enumerate(W, start=1):
            h = [*h, arb(1)] if net.bias else h
            z = [sum((w * v for w, v in zip(row, h)), arb(0)) for row in M]
            h = [ACTIVATIONS[net.rho(k).name](v) for v in z]
        total += arb(weight) * loss(risk.loss, h, y)
    return total + arb(risk.kappa) * penalty(risk, theta)
