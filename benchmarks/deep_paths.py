"""Paths between deep nets, in one run: `python benchmarks/deep_paths.py [--small] [--cost]`.

Real nets: two hidden layers (three for one of them), trained from two seeds under the path norm (diabetes; digits, odd
against even), with biases and cross-entropy (digits, ten classes), by scikit-learn without a penalty (wine); the certified
maximum of the path beside the larger end and the straight line. --small: one small pair and one small cost only.

--cost: the time to build and certify a path, in units of one forward and backward pass over all samples, against width
and depth, and at (784-256-256-10) with 10,000 samples; with the peak memory.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import scale

from theory.deep_paths import best_head, connect, masses
from theory.networks import Network
from theory.risk import Risk, Sample


def timed(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def with_ones(X):
    return np.c_[X, np.ones(len(X))]


def diabetes(hidden, kappa=0.01):
    X, y = load_diabetes(return_X_y=True)
    X = with_ones(scale(X))
    return Risk(Network((X.shape[1], *hidden, 1)), Sample(X, scale(y)), kappa=kappa, penalty="path")


def parity(hidden, kappa=0.005, samples=600):
    X, y = load_digits(return_X_y=True)
    X = with_ones(X[:samples] / 16)
    return Risk(Network((X.shape[1], *hidden, 1)), Sample(X, y[:samples] % 2 * 2.0 - 1), kappa=kappa, penalty="path")


def digits(hidden, kappa=1e-3, samples=600):
    X, y = load_digits(return_X_y=True)
    network = Network((64, *hidden, 10), bias=True)
    return Risk(network, Sample(X[:samples] / 16, y[:samples]), loss="softmax", kappa=kappa, penalty="path")


def wine(hidden):
    X, y = load_wine(return_X_y=True)
    return Risk(Network((13, *hidden, 3), bias=True), Sample(scale(X), y), loss="softmax")


def trained(risk, seed, steps=300):
    """A net trained by L-BFGS from He's initialisation."""
    rng = np.random.default_rng(seed)
    start = risk.network.pack([rng.standard_normal(shape) / np.sqrt(shape[1]) for shape in risk.network.shapes])
    found = minimize(risk, start, jac=risk.gradient, method="L-BFGS-B", options={"maxiter": steps, "maxfun": 2 * steps})
    return found.x


def by_sklearn(risk, seed):
    """A net trained by scikit-learn, labels as classes."""
    net = MLPClassifier(risk.network.hidden, alpha=1e-3, random_state=seed, max_iter=60, tol=0)
    net.fit(risk.sample.X, risk.sample.Y.argmax(axis=1))
    return risk.network.pack([np.c_[W.T, b] for W, b in zip(net.coefs_, net.intercepts_)])


def show(name, risk, a, b):
    seconds, found = timed(lambda: connect(risk, a, b, rng=0))
    larger = max(found.ends)
    grid = risk.batch(np.linspace(0, 1, 41)[:, None] * (b - a) + a).max()
    print(
        f"{name} {risk.network.hidden}: ends {found.ends[0]:.4f}, {found.ends[1]:.4f}; path {found.maximum.upper:.4f}"
        f" ({(found.maximum.upper - larger) / larger:+.1e} above the larger end), straight line >= {grid:.4f}; {len(found.path)}"
        f" pieces, promised {found.promised:.3g}, halves {found.halves}; {seconds:.1f} s",
        flush=True,
    )


def random_nets(hidden, samples, inputs, outputs, loss="softmax"):
    """Two nets of a given shape on random samples whose labels are those of a third; random rows, fitted last layers."""
    rng = np.random.default_rng(0)
    network = Network((inputs, *hidden, outputs))

    def net():
        return network.pack([rng.standard_normal(shape) * np.sqrt(2 / shape[1]) for shape in network.shapes])

    X = rng.standard_normal((samples, inputs)) / np.sqrt(inputs)
    labels = network(net(), X).argmax(axis=1)
    risk = Risk(network, Sample(X, labels), loss=loss, kappa=1e-4, penalty="path")

    def fitted(theta):
        weights = [*network.weights(theta)]
        Z, q = network.features(theta, X, len(hidden)), masses(risk, theta).q[-1]
        return network.pack([*weights[:-1], best_head(risk, Z, q, weights[-1])])

    return risk, fitted(net()), fitted(net())


def cost(hidden, samples, inputs=784, outputs=10):
    risk, a, b = random_nets(hidden, samples, inputs, outputs)
    passes = min(timed(lambda: risk.gradient(a))[0] for _ in range(3))
    seconds, found = timed(lambda: connect(risk, a, b, rng=0))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{inputs}-{'-'.join(map(str, hidden))}-{outputs}, N = {samples}: {seconds:.1f} s = {seconds / passes:.0f} passes of "
        f"{passes:.3f} s; {len(found.path)} pieces, max {found.maximum.upper:.4f}, ends {found.ends[0]:.4f}, "
        f"{found.ends[1]:.4f}, peak {peak:.2f} GiB",
        flush=True,
    )
    return seconds, seconds / passes


def slopes(name, sizes, measured):
    fits = [np.polyfit(np.log(sizes), np.log(values), 1)[0] for values in zip(*measured)]
    print(f"against {name}: seconds grow as {name}^{fits[0]:.2f}, passes as {name}^{fits[1]:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="one small pair of nets only")
    parser.add_argument("--cost", action="store_true", help="time against width and depth, and at size")
    options = parser.parse_args()
    if options.small:
        risk = diabetes((16, 16))
        show("diabetes", risk, trained(risk, 1, 100), trained(risk, 2, 100))
        cost((32, 32), 500, inputs=50)
        return
    if options.cost:
        widths, depths = (32, 64, 128, 256), (2, 3, 4, 5)
        slopes("width", widths, [cost((m, m), 2000) for m in widths])
        slopes("depth", depths, [cost((64,) * (K - 1), 2000) for K in depths])
        cost((256, 256), 10_000)
        return
    for name, risk in (
        ("diabetes", diabetes((64, 64))),
        ("diabetes", diabetes((128, 128))),
        ("digits, odd and even", parity((64, 64))),
        ("digits", digits((64, 64))),
        ("digits", digits((48, 48, 48))),
    ):
        show(name, risk, trained(risk, 1), trained(risk, 2))
    risk = wine((32, 32))
    show("wine", risk, by_sklearn(risk, 1), by_sklearn(risk, 2))


if __name__ == "__main__":
    main()
