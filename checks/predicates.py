"""Predicates about paths, bounds and kernels, for other people's tests.

    from checks import predicates, strategies

    path = my_connect(risk, theta_a, theta_b)
    assert predicates.connects(path, theta_a, theta_b)
    assert predicates.stays_below(risk, path, max(risk(theta_a), risk(theta_b)))

Each returns a `Judgement`: true or false in an `if` or `assert`, with the margin (negative: violated) and where it is
worst, so that a failing test says more than "False". Tolerances are derived from rounding; where a predicate takes
one, README, "Choosing tolerances", says how to choose it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.maxima import path_maximum, point_bounds, upper_bounds
from theory.numerics import gamma
from theory.numerics import validation as check
from theory.paths import Path
from theory.relu_kernel import kernel_enclosure, printed_bounds, sharp_bounds
from theory.risk import Risk, Sample


@dataclass(frozen=True)
class Judgement:
    """Whether a predicate holds; `margin` is the worst slack (>= 0 when it holds), `where` the instance it occurs at."""

    holds: bool
    margin: float
    where: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.holds


def connects(path: Path, theta_a: ArrayLike, theta_b: ArrayLike) -> Judgement:
    """The path starts at theta_a and ends at theta_b, bit for bit; margin is minus the larger distance."""
    size = check.instance(path, "path", Path).points.shape[1]
    ends = (check.parameters(theta_a, size, "theta_a"), check.parameters(theta_b, size, "theta_b"))
    with np.errstate(over="ignore"):
        missed = [
            float(np.abs(point - end).max(initial=0)) for point, end in zip((path.points[0], path.points[-1]), ends)
        ]
    exact = np.array_equal(path.points[0], ends[0]) and np.array_equal(path.points[-1], ends[1])
    return Judgement(exact, -max(missed), {"start": missed[0], "end": missed[1]})


def stays_below(risk: Risk, path: Path, level: float, *, rtol: float = 1e-9, atol: float | None = None) -> Judgement:
    """The risk never exceeds level (1 + rtol) + atol along the path: certified, ends and interiors of all pieces.

    atol: None allows what `rounding_at_vertices` says, so that a constant path is never above its own value, at level 0
    either. A false judgement with a positive `sampled_margin` means that the bound was too loose to decide, not that the
    path is too high.
    """
    level, rtol = check.number(level, "level", minimum=0.0), check.number(rtol, "rtol", minimum=0.0)
    atol = rounding_at_vertices(risk, path) if atol is None else check.number(atol, "atol", minimum=0.0)
    allowed = level * (1 + rtol) + atol
    found = path_maximum(risk, path, ceiling=allowed)
    where = {"piece": found.piece, "t": found.t, "value": found.value, "upper": found.upper, "atol": atol}
    where["sampled_margin"] = allowed - found.value
    return Judgement(found.upper <= allowed, allowed - found.upper, where)


def rounding_at_vertices(risk: Risk, path: Path) -> float:
    """By how much a rigorous bound on the risk at a vertex can be above the float that `risk` gives there, at most.

    The true value is enclosed at every vertex, and the float is about as far from it as the enclosure is wide: so twice
    the widest enclosure. 0 where float64 overflows.
    """
    risk, points = _fitting(risk, path), path.points
    low, high = point_bounds(risk, points, points, np.zeros(len(points)))
    with np.errstate(invalid="ignore"):
        widest = float(2 * (high - low).max())
    return widest if np.isfinite(widest) else 0.0


def keeps_function(risk: Risk, path: Path, *, growth: float = 64.0) -> Judgement:
    """The network computes the same outputs on the sample at every vertex, up to rounding.

    The allowance is `growth` times the a-priori rounding of one evaluation at the vertex, gamma(P + N) times the
    outputs formed with absolute values throughout (|W_K| ... |W_1| |x|, plus the 1/2 of every sigmoid).
    """
    growth = check.number(growth, "growth", minimum=1.0)
    net, X = _fitting(risk, path).network, risk.sample.X
    outputs = net(path.points, X)
    size = np.abs(net.augment(X))
    with np.errstate(over="ignore", invalid="ignore"):
        for k, W in enumerate(net.weights(np.abs(path.points)), start=1):
            size = size @ np.swapaxes(W, -1, -2)  # every activation here is 1-Lipschitz
            size = size + 0.5 if net.rho(k).name == "sigmoid" else size  # the others vanish at 0
            size = net.augment(size) if k < net.depth else size
        allowed = growth * gamma(net.size + len(X)) * (size + size[0])
        slack = check.no_overflow(allowed, "path.points") - np.abs(outputs - outputs[0])
    vertex, sample, output = (int(i) for i in np.unravel_index(np.argmin(slack), slack.shape))
    return Judgement(
        bool((slack >= 0).all()), float(slack.min()), {"vertex": vertex, "sample": sample, "output": output}
    )


def moves_one_layer_at_a_time(risk: Risk, path: Path) -> Judgement:
    """Every piece changes at most one matrix; margin is 1 minus the largest number of matrices changed by a piece."""
    risk, points = _fitting(risk, path), path.points
    steps = points[1:] != points[:-1]
    moved = np.stack([steps[:, s].any(axis=1) for s in risk.network.slices], axis=1).sum(axis=1)
    most = int(moved.max(initial=0))
    return Judgement(most <= 1, 1.0 - most, {"piece": int(np.argmax(moved)) if len(moved) else 0})


def rows_in_unit_ball(risk: Risk, path: Path) -> Judgement:
    """Rows of W_1 stay in the unit ball along the path (eq. 6): the ball is convex, so the vertices decide."""
    norms = _fitting(risk, path).row_norms(path.points)
    allowed = 1 + 4 * gamma(risk.network.shapes[0][1] + 2)
    vertex, row = (int(i) for i in np.unravel_index(np.argmax(norms), norms.shape))
    return Judgement(bool(norms.max() <= allowed), float(allowed - norms.max()), {"vertex": vertex, "row": row})


def is_upper_bound(risk: Risk, theta: ArrayLike, bound: float) -> Judgement:
    """The risk at theta is at most `bound` in exact arithmetic (success proves it; failure proves nothing).

    ValueError when theta (P,) or bound is no finite number of its kind.
    """
    theta = check.parameters(theta, check.instance(risk, "risk", Risk).network.size)
    if theta.ndim != 1:
        raise ValueError(f"theta must have shape ({risk.network.size},); got {theta.shape}")
    bound = check.number(bound, "bound")
    with np.errstate(over="ignore", invalid="ignore"):
        upper = float(upper_bounds(risk, theta[None], theta[None], np.zeros(1), np.zeros(1))[0])
    return Judgement(upper <= bound, bound - upper, {"upper": upper})


def kernel_within_bounds(
    w1: ArrayLike, w2: ArrayLike, sample: Sample, *, sharp: bool = False, value: float | None = None
) -> Judgement:
    """[w1, w2]_Z lies between the bounds of Proposition 2.3 (or, with sharp=True, the sharp ones), for one pair (n,).

    value: the kernel as your code has it (None: the exact one, enclosed); it may be off by the rounding that is allowed
    for in ours. False proves a violation: the enclosure of the kernel, or your value, does not meet the rounded bounds.
    """
    check.instance(sample, "sample", Sample)
    check.choice(sharp, "sharp", (False, True))
    for name, w in (("w1", w1), ("w2", w2)):
        check.finite_array(w, name, ndim=1)
    found = kernel_enclosure(w1, w2, sample)
    bounds = (sharp_bounds if sharp else printed_bounds)(w1, w2, sample)
    low, high = float(found.lower), float(found.upper)
    if value is not None:
        yours, slack = check.number(value, "value"), high - low
        low, high = yours - slack, yours + slack
    margin = float(min(high - bounds.lower, bounds.upper - low))
    where = {"kernel": float(found.value), "lower": float(bounds.lower), "upper": float(bounds.upper)}
    return Judgement(margin >= 0, margin, where if value is None else {"value": yours, **where})


def _fitting(risk: Risk, path: Path) -> Risk:
    """The risk, when the path runs through parameters of its network."""
    check.parameters(check.instance(path, "path", Path).points, check.instance(risk, "risk", Risk).network.size, "path")
    return risk


__all__ = [
    "Judgement",
    "connects",
    "is_upper_bound",
    "keeps_function",
    "kernel_within_bounds",
    "moves_one_layer_at_a_time",
    "rounding_at_vertices",
    "rows_in_unit_ball",
    "stays_below",
]
