"""Bucket bounds against rational arithmetic: `python benchmarks/buckets.py [--segments 100000] [--seed 0] [--batches]`.

Random, integer and near-degenerate segments of small one-hidden-layer relu risks (eq. 1; biases, weights, several outputs, both penalties), random
windows of them, and 1 to 64 buckets: at the switches, the edges of the buckets and between, the risk in rational arithmetic must
not exceed the bound of its bucket (`theory.maxima.buckets`). Prints how many points were compared and the smallest margin; then
the same with planted faults, each of which must be caught. Exit status 1 when a bound fails or a fault is missed.

`--batches`: the same for `segment_maxima` of BATCH such segments at once, by the exact pieces: at the switches, between, and at the maximum
found, the risk must not exceed `upper`, nor fall below `value` where that was found; in every other batch the bounds are those in
floats, without fractions.
"""

from __future__ import annotations

import argparse
import inspect
import sys
import time

import numpy as np
from flint import fmpq

from theory.maxima import buckets, quartic, quartic_in_fractions, segment_maxima, switches
from theory.networks import Network
from theory.numerics import TINY
from theory.risk import Risk, Sample

KINDS = ("generic", "integers", "scales", "cancelling", "still", "through zero")
BATCH = 25  # segments

# A planted fault: what is wrong, where, and the words that are exchanged there.
FAULTS = {
    "h lowered by a tenth": ("numpy_add", "f * g * (0.5 / K)", "f * g * (0.45 / K)"),
    "the bucket of a switch off by one": (
        "numpy_add",
        "tau.astype(np.int64), K - 1)",
        "tau.astype(np.int64) + 1, K - 1)",
    ),
    "a unit that switches off counted as one that stays": ("numpy_add", "np.minimum(q, 0.0)", "np.maximum(q, 0.0)"),
    "the error of the bands dropped": ("bounds", "+ bend * (0.5 / K**2) + square)", "* 0)"),
    "the allowance for rounding dropped": ("bounds", "E_ = off *", "E_ = 0 * off *"),
}

# The same for batches; all of them in `quartic`.
BATCH_FAULTS = {
    "a segment is bounded by its neighbour": (
        "_slab",
        "np.where(fits, upper, np.inf)",
        "np.roll(np.where(fits, upper, np.inf), 1)",
    ),
    "the allowance for rounding dropped": ("_slab", "np.sqrt(noise) * (1 + 1e-6)", "0.0"),
    "a piece left out where its ends are below the best value": ("_largest", "+ h * h * bend", "+ 0 * bend"),
    "switches of one sample in no order": (
        "_chunk",
        "event = first[row] + ranks[place]",
        "event = np.arange(pair.size)",
    ),
    "switches of all samples in no order": (
        "_slab",
        'np.argsort(t, axis=1, kind="stable")',
        "np.argsort(0 * t, axis=1)",
    ),
}


def numbers(rng, kind, *shape):
    """Floats of a kind."""
    if kind == "integers":
        return rng.integers(-2, 3, shape).astype(float)
    if kind == "scales":
        return rng.standard_normal(shape) * 10.0 ** rng.integers(-6, 4, shape)
    return rng.standard_normal(shape)


def instance(rng, kind):
    """(risk, theta_0, theta_1) of a few units and samples."""
    n, m, d, count = (int(rng.integers(1, most + 1)) for most in (3, 6, 2, 4))
    net = Network((n, m, d), bias=bool(rng.integers(2)))
    penalty = (None, "ridge", "second_layer_l1")[rng.integers(3)]
    X, a, b = (numbers(rng, kind, *shape) for shape in ((count, n), (net.size,), (net.size,)))
    Y = numbers(rng, kind, count, d) * (rng.random() < 0.7)
    if kind == "still":
        b = a + 2.0 ** -rng.integers(20, 52) * b
    if kind == "through zero":  # units switch together, at one moment, and weights change sign
        b = -a * 2.0 ** rng.integers(-3, 4, net.size)
    if kind == "cancelling":  # the net fits its targets at both ends, from large numbers
        V = net.slices[1]
        a[V] *= 10.0 ** rng.integers(0, 7)
        b, Y, penalty = a.copy(), net(a, X), None
        b[: V.start] += rng.integers(2) * 2.0 ** -rng.integers(10, 50) * rng.standard_normal(V.start)
    weights = None if rng.random() < 0.5 else rng.random(count) + 0.01
    return Risk(net, Sample(X, Y, weights), kappa=0.1 * (penalty is not None), penalty=penalty), a, b


def rational(array):
    """The floats of an array as lists of rational numbers."""
    if np.ndim(array) == 0:
        return fmpq(*float(array).as_integer_ratio())
    return [rational(entry) for entry in array]


def risk_along(risk, a, b):
    """t -> F((1 - t) a + t b) in rational arithmetic, from eq. (1)."""
    net, sample = risk.network, risk.sample
    samples = list(zip(rational(net.augment(sample.X)), rational(sample.Y), rational(sample.weights)))
    a, b, kappa, (hidden, outer), zero = rational(a), rational(b), rational(risk.kappa), net.slices, fmpq(0)

    def at(t):
        theta = [v + t * (w - v) for v, w in zip(a, b)]
        W, V = (
            [theta[i : i + columns] for i in range(part.start, part.stop, columns)]
            for part, (_, columns) in zip((hidden, outer), net.shapes)
        )
        total = zero
        for x, y, weight in samples:
            h = [max(sum((w * v for w, v in zip(row, x)), zero), zero) for row in W] + [fmpq(1)]
            for row, target in zip(V, y):
                r = sum((v * p for v, p in zip(row, h)), zero) - target
                total += weight * r * r
        if risk.penalty == "ridge":
            total += kappa * sum((v * v for v in theta), zero)
        elif risk.penalty == "second_layer_l1":
            total += kappa * sum((abs(v) for v in theta[outer]), zero)
        return total

    return at


def margins(rng, kind, points=6):
    """(bound - risk) / risk, at a few points of the buckets of a random window of a random segment."""
    risk, a, b = instance(rng, kind)
    K = 2 ** int(rng.integers(0, 7))
    lo, hi = (0.0, 1.0) if rng.random() < 0.4 else np.sort(rng.random(2))
    if rng.random() < 0.3:
        hi = min(1.0, lo + 2.0 ** -float(rng.integers(1, 40)))
    if not lo < hi:
        return []
    size = np.maximum(np.abs(a), np.abs(b)) + TINY
    start, end = ((1 - t) * a + t * b for t in (lo, hi))
    noises = np.array([buckets.noise(risk, size)])
    upper = buckets.bounds(risk, start[None], end[None], size[None], noises, K)[0].upper
    X = risk.network.augment(risk.sample.X)
    p, q = (X @ risk.network.weights(theta)[0].T for theta in (a, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        kinks = (p / (p - q)).ravel()
    kinks = kinks[(lo <= kinks) & (kinks <= hi)]
    places = [*rng.permutation(kinks)[:2], *(lo + (hi - lo) * rng.integers(0, 2 * K + 1, points) / (2 * K))]
    found, at = [], risk_along(risk, a, b)
    for t in np.clip(places, lo, hi):
        share = (rational(t) - rational(lo)) / (rational(hi) - rational(lo)) * K
        k = min(int(share.floor()), K - 1)
        true = at(rational(t))
        for bucket in {k, k - 1} if share == k and k else {k}:
            above = rational(upper[bucket]) - true if upper[bucket] < np.inf else fmpq(1)
            found.append(float(above / true) if true else float(above))
    return found


def batch(rng, kind):
    """(risk, starts, ends): BATCH segments of one risk, some of them convex, some short, through zero, or points."""
    risk, a, b = instance(rng, kind)
    starts, ends, V = np.tile(a, (BATCH, 1)), np.tile(b, (BATCH, 1)), risk.network.slices[1]
    for s in range(1, BATCH):
        if rng.random() < 0.7:
            starts[s] = numbers(rng, kind, len(a))
        how = rng.integers(8)
        ends[s] = numbers(rng, kind, len(a)) if how > 2 else starts[s]
        if how == 0:
            ends[s, V] = numbers(rng, kind, len(a) - V.start)
        elif how == 1:
            ends[s] *= -(2.0 ** rng.integers(-3, 4, len(a)))
        elif how == 2 and s % 4:
            ends[s] += 2.0 ** -rng.integers(10, 52) * rng.standard_normal(len(a))
    return risk, starts, ends


def batch_margins(rng, kind, fractions):
    """(bound - risk) / risk at a few points of each segment of a batch, and (risk - value) / risk where the maximum was found.

    fractions: whether the bounds of floats may be sharpened.
    """
    risk, starts, ends = batch(rng, kind)
    with Without(not fractions):
        maxima = segment_maxima(risk, starts, ends)
    X, found = risk.network.augment(risk.sample.X), []
    for a, b, value, upper, t in zip(starts, ends, maxima.value, maxima.upper, maxima.t):
        p, q = (X @ risk.network.weights(theta)[0].T for theta in (a, b))
        with np.errstate(divide="ignore", invalid="ignore"):
            kinks = (p / (p - q)).ravel()
        places = [t, *rng.permutation(kinks[(kinks >= 0) & (kinks <= 1)])[:2], rng.random()]
        at = risk_along(risk, a, b)
        true = [at(rational(place)) for place in places]
        margins = [rational(upper) - F for F in true if upper < np.inf] + [true[0] - rational(value)]
        found += [float(margin / true[0]) if true[0] else float(margin) for margin in margins]
    return found


class Without:
    """No fractions in the exact pieces, where `off`, as a context."""

    def __init__(self, off):
        self.off, self.affordable = off, quartic_in_fractions.affordable

    def __enter__(self):
        if self.off:
            quartic_in_fractions.affordable = lambda risk: False

    def __exit__(self, *_):
        quartic_in_fractions.affordable = self.affordable


class BatchFault:
    """A fault of BATCH_FAULTS in place, as a context."""

    def __init__(self, fault):
        self.name, self.old, self.new = BATCH_FAULTS[fault]
        self.before = getattr(quartic, self.name)

    def __enter__(self):
        source = inspect.getsource(self.before)
        assert self.old in source, f"{self.name} does not hold {self.old!r}"
        space = dict(vars(quartic))
        exec("from __future__ import annotations\n" + source.replace(self.old, self.new), space)
        setattr(quartic, self.name, space[self.name])

    def __exit__(self, *_):
        setattr(quartic, self.name, self.before)


class Planted:
    """A fault of FAULTS in place, as a context."""

    def __init__(self, fault):
        self.name, self.old, self.new = FAULTS[fault]
        self.module = switches if self.name == "numpy_add" else buckets

    def __enter__(self):
        source = inspect.getsource(getattr(self.module, self.name))
        assert self.old in source, f"{self.name} does not hold {self.old!r}"
        space = dict(vars(self.module))
        exec("from __future__ import annotations\n" + source.replace(self.old, self.new), space)
        self.before = switches.NUMPY if self.module is switches else buckets.bounds
        if self.module is switches:
            switches.NUMPY = switches.Engine(space[self.name], switches.numpy_sums)
        else:
            buckets.bounds = space[self.name]

    def __exit__(self, *_):
        if self.module is switches:
            switches.NUMPY = self.before
        else:
            buckets.bounds = self.before


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--segments", type=int, default=100_000, help="how many segments are tried")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batches", action="store_true", help="maxima of many segments at once, by the exact pieces")
    given = parser.parse_args()
    rng, start, seen, worst, below = np.random.default_rng(given.seed), time.process_time(), 0, np.inf, 0
    size, faults, planted = (BATCH, BATCH_FAULTS, BatchFault) if given.batches else (1, FAULTS, Planted)

    def tried(k):
        kind = KINDS[k % len(KINDS)]
        return batch_margins(rng, kind, k // len(KINDS) % 2) if given.batches else margins(rng, kind)

    for k in range(given.segments // size):
        found = tried(k)
        seen, below = seen + len(found), below + sum(margin < 0 for margin in found)
        worst = min([worst, *found])
        if (k + 1) * size % 10_000 == 0:
            print(f"{(k + 1) * size:,} segments, {seen:,} points, {below} bounds below the risk", flush=True)
    print(
        f"{given.segments:,} segments, {seen:,} points, {below} below; the smallest margin, relatively, is {worst:.1e}"
    )
    print(f"{time.process_time() - start:.0f} s of processor time, seed {given.seed}")
    missed = []
    for fault in faults:
        with planted(fault):
            tries = next((k for k in range(5_000 // size) if min(tried(k), default=0) < 0), None)
        print(f"{fault}: {'MISSED' if tries is None else f'caught after {(tries + 1) * size} segments'}")
        missed += [fault] * (tries is None)
    sys.exit(bool(below or missed))


if __name__ == "__main__":
    main()
