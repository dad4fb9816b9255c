"""From a sample to the population: the risk and the error along a whole path, from points that the path has not seen.

F_o = E l(Phi(X), Y) + kappa R under the law of the held-out points (x_i, y_i), i <= N, which are independent draws,
seen neither in training nor in any choice (of the path, of kappa, of widths, of when to stop). Pieces of a path are

- *silent*: the network is the same function at every x, only the penalty moves, convexly: its larger end decides;
- *refits*: the output is affine in t at every x, so F_o is convex in t whatever the law is: the ends decide;
- *inner*: one inner layer moves, by D. |f_t(x) - f_s(x)| <= |t - s| Lam |x|, Lam the norm below with D for W_k, so J
  midpoints of a grid and Lam / (2 J) decide.

So finitely many functions f_1..f_n (the vertices' and the midpoints') stand for the path, and one upper confidence
bound at level delta / n each (`theory.held_out.confidence`) bounds F_o at all t at once, with probability 1 - delta.
The length of the path does not enter. Losses have a range M by |f(x)| <= R |x|, R the smaller of the path norm and
the product of operator norms (activations with |rho(t)| <= |t|), and bounds on |x| and |y| known beforehand; with
biases x carries a 1.

The *error* needs no range. On a refit the output at x moves on a segment, and the outputs that are right form a
convex set: a point that is right at both ends is right in between. So one binomial bound at level delta / n for each
refit or inner piece (right at all midpoints by a margin above its drift) bounds the error at all t at once. Ties, and
margins within rounding, are wrong.

Source: ours; paper_notes.md, held-out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from theory.held_out import confidence
from theory.held_out.functions import TOUCH, Function, PieceFunctions, functions_of, outputs, penalty
from theory.networks import Network
from theory.numerics import TINY, UNIT, Array, gamma
from theory.numerics import validation as check
from theory.paths import Path
from theory.penalties import lengths
from theory.risk import Risk, Sample

DECISIONS = {"logistic": "sign", "hinge": "sign", "softmax": "argmax"}


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Each with probability 1 - delta, all along the path: F_o <= upper, F_o <= its larger end + rise, error <= error_upper.

    error_upper: None where the loss does not decide between classes. method: the bound on means. functions_at (n,):
    where the functions stand on the path, as its parameter t; function_upper (n,): the bound for each; ranges (n,):
    of its loss, M.
    """

    upper: float
    rise: float
    error_upper: float | None
    method: str
    delta: float
    functions_at: Array
    function_upper: Array
    ranges: Array


class Measured(NamedTuple):
    """Losses of n functions at N points, from below and above (n, N); M (n,); what F_o adds (n,); a bound on means."""

    low: Array
    high: Array
    ranges: Array
    extra: Array
    upper_mean: Callable[[Array, float], Array]


def certify(
    risk: Risk,
    path: Path,
    sample: Sample,
    *,
    delta: float = 0.05,
    within: tuple[float, float] | float | None = None,
    bound: str = "betting",
) -> HeldOut:
    """Upper bounds on the population risk, its rise over the ends and the error, all along the path, from held-out points.

    risk: that of training (its sample, loss, penalty); identity output, one hidden layer at least, no sigmoid units.
    within: (B_x, B_y) with |x| <= B_x, |y| <= B_y at *every* point of the law, known beforehand; for losses of labels
    B_x alone. bound: on means, "betting", "bernstein" or "hoeffding", chosen beforehand too.

    ValueError for a piece of another kind (which one), held-out points that were trained on, unequal weights, points
    beyond `within`, and delta outside (0, 1).

    >>> from theory.networks import Network
    >>> F = Risk(Network((1, 1, 1)), Sample([[0.5]], [[1.0]]), loss="hinge")
    >>> x = np.linspace(0.6, 1, 1000)[:, None]
    >>> found = certify(F, Path([[1, 0], [1, 2]]), Sample(x, np.ones_like(x)), within=1.0)
    >>> found.upper > 1, found.error_upper  # the zero net has hinge loss 1, and a tie everywhere
    (True, 1.0)
    """
    check.choice(bound, "bound", tuple(confidence.UPPER))
    sample, vertices, pieces = _checked(risk, path, sample, delta)
    reach, y_bound = _within(risk, sample, within)
    functions = vertices + [f for piece in pieces for f in piece if f.drift > 0]
    ranges = np.array([_range(risk, f.norm, reach, y_bound) for f in functions])
    low, high = np.stack([_losses(risk, sample, f) for f in functions], axis=1)
    extra = np.array([_steepness(risk, f.norm, reach, y_bound) * f.drift + f.penalty for f in functions])
    if not (np.isfinite(ranges) & np.isfinite(extra)).all():
        raise ValueError("the loss has no range within float64 on this path: scale the weights or the data down")
    seen = Measured(low, high, ranges, extra, confidence.UPPER[bound])
    mean = seen.upper_mean(np.minimum(high / ranges[:, None], 1.0), delta / len(functions))
    upper = (ranges * mean + extra) * (1 + gamma(32)) + TINY
    least = penalty(risk, path.points[[0, -1]])[0]
    ends = {0: max(least)} if len(vertices) == 1 else {0: least[0], len(vertices) - 1: least[1]}
    rise = _rise(seen, ends, delta)
    decision = DECISIONS.get(risk.loss)
    error = None
    if decision is not None and _decides(sample, decision):
        error = _error(risk, sample, vertices, pieces, decision, delta)
    at = np.array([f.t for f in functions])
    return HeldOut(float(upper.max()), rise, error, bound, float(delta), at, upper, ranges)


def certify_error(risk: Risk, path: Path, sample: Sample, *, delta: float = 0.05, decision: str | None = None) -> float:
    """An upper bound, with probability 1 - delta, on the probability of a wrong decision all along the path.

    decision: "sign" (every output has the sign of its target) or "argmax" (the largest output is that of the largest
    target); None: as the loss says, and ValueError for squared and absolute loss. No range is needed. Else as
    `certify`.
    """
    sample, vertices, pieces = _checked(risk, path, sample, delta)
    decision = DECISIONS.get(risk.loss) if decision is None else check.choice(decision, "decision", ("sign", "argmax"))
    if decision is None:
        raise ValueError(f"decision must be 'sign' or 'argmax': the {risk.loss} loss does not say which")
    if not _decides(sample, decision):
        raise ValueError(
            f"Y must name one class per row to decide by {decision}; the first row is {sample.Y[0].tolist()}"
        )
    return _error(risk, sample, vertices, pieces, decision, delta)


def _rise(seen: Measured, ends: dict[int, float], delta: float) -> float:
    """By how much F_o may exceed its larger end, from differences of losses at the same points, each in [-M_e, M_v].

    ends: the functions at both ends of the path, with kappa R there from below.
    """
    rise = max(0.0, *(seen.extra[e] - least for e, least in ends.items()))
    others = [v for v in range(len(seen.ranges)) if v not in ends]
    for v in others:
        over = []
        for e, least in ends.items():
            span = seen.ranges[v] + seen.ranges[e]
            share = np.clip((seen.high[v] - seen.low[e] + seen.ranges[e]) / span * (1 + gamma(8)), 0.0, 1.0)
            most = span * seen.upper_mean(share, delta / (2 * len(others))) - seen.ranges[e]
            over.append(most + seen.extra[v] - least + gamma(64) * (span + seen.extra[v] + least))
        rise = max(rise, min(over))
    return float(rise)


def _error(
    risk: Risk, sample: Sample, vertices: list[Function], pieces: PieceFunctions, decision: str, delta: float
) -> float:
    """The largest binomial bound over pieces, each at delta / (their number); without any the one function decides."""
    each = pieces or [vertices[:1]]
    wrong = [np.any([_wrong(risk.network, sample, f, decision) for f in piece], axis=0) for piece in each]
    return max(confidence.binomial(int(w.sum()), len(sample), delta / len(each)) for w in wrong)


def _checked(risk: Risk, path: Path, sample: Sample, delta: float) -> tuple[Sample, list[Function], PieceFunctions]:
    """The sample with targets as the loss sees them, the vertices' functions, and the pieces that are not silent."""
    network = check.instance(risk, "risk", Risk).network
    confidence.error_probability(delta)
    points = check.parameters(check.instance(path, "path", Path).points, network.size, "path")
    if network.depth < 2 or network.output != "identity" or network.activation not in TOUCH:
        raise ValueError(
            f"risk.network must have a hidden layer, identity output and relu, identity or tanh units; got {network}"
        )
    Y = risk.criterion.targets(check.instance(sample, "sample", Sample).Y, network.widths[-1])
    sample = Sample(sample.X, Y, sample.weights)
    if sample.n_in != network.widths[0] or sample.n_out != network.widths[-1]:
        raise ValueError(f"sample must have {network.widths[0]} inputs and {network.widths[-1]} outputs; got {sample}")
    if (sample.weights != sample.weights[0]).any():
        raise ValueError("sample must have equal weights: its points are independent draws from the law")
    trained = {row.tobytes() for row in _rows(risk.sample)[risk.sample.weights > 0]}
    seen = [i for i, row in enumerate(_rows(sample)) if row.tobytes() in trained]
    if seen:
        raise ValueError(
            f"sample must be held out; row {seen[0]} (and {len(seen) - 1} more) are rows of the training sample. "
            "Split the data before training"
        )
    return sample, *functions_of(risk, points)


def _rows(sample: Sample) -> Array:
    return np.concatenate([sample.X, sample.Y], axis=1) + 0.0  # + 0.0: no -0.0


def _within(risk: Risk, sample: Sample, within: tuple[float, float] | float | None) -> tuple[float, float]:
    """The largest |x| as the network sees it (with biases x carries a 1), and |y|, at every point of the law."""
    labels = risk.loss in DECISIONS
    bounds = within if isinstance(within, (tuple, list)) else (within, 0.0 if labels else None)
    if len(bounds) != 2 or None in bounds:
        asked = "B_x" if labels else "(B_x, B_y)"
        raise ValueError(
            f"within must be {asked}, with |x| <= B_x{'' if labels else ', |y| <= B_y'} at every point of the law: the "
            f"{risk.loss} loss has no range without; got {within!r}. It must be known before the sample is looked at"
        )
    x_bound, y_bound = (check.number(b, "within", minimum=0.0) for b in bounds)
    for name, rows, most in (("x", sample.X, x_bound), *([] if labels else [("y", sample.Y, y_bound)])):
        longest = float(lengths(rows).max())
        if longest * (1 - gamma(rows.shape[1] + 16)) > most:
            raise ValueError(f"within says |{name}| <= {most}; the sample has a point with |{name}| = {longest:.6g}")
    return math.hypot(x_bound, float(risk.network.bias)) * (1 + 8 * UNIT), y_bound


def _range(risk: Risk, norm: float, reach: float, y_bound: float) -> float:
    """M: the loss lies in [0, M] where |f| <= norm * reach and |y| <= y_bound; never 0."""
    r, q = norm * reach, risk.network.widths[-1]
    most = {
        "squared": (r + y_bound) * (r + y_bound),
        "absolute": math.sqrt(q) * (r + y_bound),
        "hinge": q + math.sqrt(q) * r,
        "logistic": q * math.log(2) + math.sqrt(q) * r,
        "softmax": math.log(q) + math.sqrt(2) * r,
    }[risk.loss]
    return most * (1 + gamma(q + 64)) + TINY


def _steepness(risk: Risk, norm: float, reach: float, y_bound: float) -> float:
    """By how much the loss moves at most, at any point of the law, per unit of drift."""
    lipschitz = (
        2 * (norm * reach + y_bound) if risk.loss == "squared" else risk.criterion.lipschitz(risk.network.widths[-1])
    )
    return lipschitz * reach * (1 + gamma(32))


def _losses(risk: Risk, sample: Sample, f: Function) -> tuple[Array, Array]:
    """The loss at each held-out point, from below and above, (N,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        centre, radius = outputs(risk.network, f, sample.X)
        low = risk.criterion.lower(centre[None], radius[None], sample.Y)[0]
        return low, risk.criterion.upper(centre[None], radius[None], sample.Y)[0]


def _decides(sample: Sample, decision: str) -> bool:
    """Whether the targets name one class in each row."""
    top = sample.Y.max(axis=1, keepdims=True)
    return bool((sample.Y != 0).all()) if decision == "sign" else bool(((sample.Y == top).sum(axis=1) == 1).all())


def _wrong(network: Network, sample: Sample, f: Function, decision: str) -> Array:
    """Which held-out points (N,) are not right for certain within the drift of f."""
    centre, radius = outputs(network, f, sample.X)
    size = lengths(network.augment(sample.X)) * (1 + gamma(sample.n_in + 16))
    slack = (radius + (f.drift * size)[:, None]) * (1 + 8 * UNIT)
    if decision == "sign":
        return np.any(~(np.sign(sample.Y) * centre > slack), axis=1)
    label = sample.Y.argmax(axis=1)[:, None]
    slack = (radius + np.take_along_axis(radius, label, axis=1) + (math.sqrt(2) * f.drift * size)[:, None]) * (
        1 + 8 * UNIT
    )
    above = (np.take_along_axis(centre, label, axis=1) - centre) * (1 - 2 * UNIT) > slack
    np.put_along_axis(above, label, True, axis=1)
    return np.any(~above, axis=1)
