"""Inputs of a sample in groups of near ones, so that what holds on a neighbourhood is worked out once for all of them.

The risk of eq. (1) is a mean over the sample, and so a mean over its groups.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from theory.numerics import TINY, UNIT, Array
from theory.risk import Sample

MANY, FEW = 500, 3  # groups pay from so many samples, and up to so many dimensions
DEPTH, GROUP = 7, 8  # at most 2^DEPTH groups, of at least GROUP samples


class Inputs(NamedTuple):
    """G groups of N inputs in R^n: x_i = centre[group_i] + delta_i with |delta_ij| <= radius[j, group_i].

    centre (G, n); radius (n, G), a bound in exact arithmetic; offset (n, N), the delta up to one rounding; group (N,).
    Inputs by themselves are their own centres, and have no radius and no offset (n = 0 there).
    """

    centre: Array
    radius: Array
    offset: Array
    group: Any

    @classmethod
    def single(cls, X: Array) -> Inputs:
        """Every input by itself."""
        return cls(X, np.zeros((0, len(X))), np.zeros((0, len(X))), slice(None))

    @classmethod
    def grouped(cls, X: Array, depth: int) -> Inputs:
        """2^depth groups (at least so many inputs), equal to within one: halved again and again at the median of the widest coordinate."""
        groups = [np.arange(len(X))]
        for _ in range(depth):
            with np.errstate(over="ignore"):
                widest = [np.ptp(X[rows], axis=0).argmax() for rows in groups]
            sorted_ = [rows[np.argsort(X[rows, j], kind="stable")] for rows, j in zip(groups, widest)]
            groups = [half for rows in sorted_ for half in np.array_split(rows, 2)]
        group = np.empty(len(X), dtype=int)
        group[np.concatenate(groups)] = np.repeat(np.arange(len(groups)), [len(rows) for rows in groups])
        centre = np.stack([0.5 * X[rows].min(axis=0) + 0.5 * X[rows].max(axis=0) for rows in groups])
        offset = X - centre[group]
        radius = np.stack([np.abs(offset[rows]).max(axis=0) for rows in groups]) * (1 + 4 * UNIT) + TINY
        return cls(centre, radius.T, offset.T, group)


def groups(X: Array) -> Inputs | None:
    """The inputs X (N, n) in groups, or None where they are too few, or of too many dimensions, for that to pay."""
    count, dimensions = X.shape
    if count < MANY or dimensions > FEW:
        return None
    return Inputs.grouped(X, min(DEPTH, int(np.log2(count / GROUP))))


class Moments(NamedTuple):
    """What the squared loss sees of the samples of G groups.

    target (G, n_out): a value y near those of the group; spread (G, n_out): the largest |Y - y| in it; weight (G,); gram (J + 2, J + 2, G, n_out):
    weighted sums over the group of products of two of 1, the shares delta_j / r_j, and y - Y. Sums are in floats, of at most `most` terms.
    """

    target: Array
    spread: Array
    weight: Array
    gram: Array
    most: int

    @classmethod
    def of(cls, sample: Sample, inputs: Inputs) -> Moments:
        """Those of a sample, whose inputs are in groups."""
        of, count = inputs.group, len(inputs.centre)

        def summed(terms: Array) -> Array:
            return np.stack([np.bincount(of, column, count) for column in terms.T], axis=1)

        with np.errstate(over="ignore", invalid="ignore"):
            w = sample.weights[:, None]
            weight = summed(w)[:, 0]
            target = summed(w * sample.Y) / np.where(weight > 0, weight, 1.0)[:, None]
            off = target[of] - sample.Y
            spread = np.zeros_like(target)
            np.maximum.at(spread, of, np.abs(off))
            ones = np.ones_like(off)
            shares = [ones * (d / r[of])[:, None] for d, r in zip(inputs.offset, inputs.radius)]
            columns = [ones, *shares, off]
            gram = np.stack([np.stack([summed(w * a * b) for b in columns]) for a in columns])
        return cls(target, spread, weight, gram, int(np.bincount(of).max()))


_found: WeakKeyDictionary[Sample, Inputs | None] = WeakKeyDictionary()
_moments: WeakKeyDictionary[Sample, tuple[Inputs, Moments]] = WeakKeyDictionary()


def groups_of(sample: Sample) -> Inputs | None:
    """`groups` of the inputs of a sample, worked out once for each sample."""
    if sample not in _found:
        _found[sample] = groups(sample.X)
    return _found[sample]


def moments_of(sample: Sample, inputs: Inputs) -> Moments:
    """`Moments` of a sample, worked out once while its inputs are in the same groups."""
    if sample not in _moments or _moments[sample][0] is not inputs:
        _moments[sample] = inputs, Moments.of(sample, inputs)
    return _moments[sample][1]
