"""e(m), the least risk of m units (eq. 6): upper bounds from nets that were found, for every width."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from theory.lasso import homotopy
from theory.numerics import Array
from theory.numerics import validation as check
from theory.oracle import new_unit
from theory.oracle.infinite_width import OracleBound, limit, local_minimum, net_bound, user
from theory.oracle.scaling import Normalised, inside, normalised, relu_features
from theory.risk import Sample


def finite(
    sample: Sample,
    m: int,
    kappa: float,
    *,
    rng: np.random.Generator | int | None = None,
    starts: int = 4,
    bound: OracleBound | None = None,
    warm: OracleBound | None = None,
) -> OracleBound:
    """e(m), m >= 0: from above by search, from below by the limit.

    The search descends from `starts` random first layers, from the limit cut to its m largest units, from the point of
    its homotopy with m units, from `starts` Maurey draws of it, and greedily unit by unit (m <= 64), and keeps the
    best. bound: the limit where it is known; warm: a net with at most m units to start from (the result is no worse),
    both of this sample and kappa. ValueError when they are not, or the sample has several outputs.
    """
    m = check.positive_integer(m, "m", minimum=0)
    kappa = check.number(kappa, "kappa", minimum=0.0)
    starts = check.positive_integer(starts, "starts", minimum=0)
    rng = check.generator(rng)
    p = normalised(sample, kappa)
    bound = limit(sample, kappa) if bound is None else bound
    for given, name in ((bound, "bound"), (warm, "warm")):
        if given is not None and given.kappa != kappa:
            raise ValueError(f"{name} must be of the same kappa, {kappa:g}; got one of {given.kappa:g}")
    if warm is not None and len(warm.units) > m:
        raise ValueError(f"warm must have at most m = {m} units; got {len(warm.units)}")
    if 0 < len(bound.units) <= m and (warm is None or bound.upper <= warm.upper):
        return bound
    found = replace(user(p, _search(p, m, bound, warm, starts, rng), kappa), lower=bound.lower)
    return found if warm is None or found.upper < warm.upper else warm


def curve(
    sample: Sample,
    widths: ArrayLike,
    kappa: float,
    *,
    rng: np.random.Generator | int | None = None,
    starts: int = 4,
    bound: OracleBound | None = None,
) -> tuple[OracleBound, ...]:
    """e(m) for increasing widths (k,), each search starting from the net before it: upper bounds never rise.

    starts, bound as in `finite`. ValueError unless the widths increase.
    """
    rng, bound = check.generator(rng), limit(sample, kappa) if bound is None else bound
    sizes = [check.positive_integer(m, f"widths[{k}]", minimum=0) for k, m in enumerate(np.asarray(widths).tolist())]
    if sizes != sorted(sizes):
        raise ValueError(f"widths must not decrease; got {sizes}")
    curve: list[OracleBound] = []
    for m in sizes:
        warm = curve[-1] if curve else None
        curve.append(finite(sample, m, kappa, rng=rng, starts=starts, bound=bound, warm=warm))
    return tuple(curve)


# --- e(m) from above, in units of size one ---------------------------------------------------------------------------


def _search(
    p: Normalised, m: int, bound: OracleBound, warm: OracleBound | None, starts: int, rng: np.random.Generator
) -> OracleBound:
    """The best net with at most m units that is found; bound, warm: the limit and a net, in the user's units."""
    empty = np.zeros((0, p.X.shape[1]))
    best = net_bound(p, empty, "no unit")
    if warm is not None:
        known = net_bound(p, warm.units, warm.method)
        best = known if known.upper < best.upper else best
    for rows, name in _proposals(p, m, bound, starts, rng):
        found = local_minimum(p, rows, name)
        best = found if found.upper < best.upper else best
    greedy = best if len(best.units) < m else net_bound(p, empty, "greedy")
    while 0 < m - len(greedy.units) and m <= 64:
        grown = _grow(p, greedy)
        if not grown.upper < greedy.upper:
            break
        greedy = grown
    return greedy if greedy.upper < best.upper else best


def _proposals(
    p: Normalised, m: int, bound: OracleBound, starts: int, rng: np.random.Generator
) -> list[tuple[Array, str]]:
    """First layers (at most m rows) to descend from, with the rule that proposed each."""
    n = p.X.shape[1]
    out: list[tuple[Array, str]] = []
    if m == 0:
        return out
    size = np.abs(p.weights(bound.weights))
    if len(size) and 0 < size.max() < np.inf:
        out.append((bound.units[np.argsort(-size, kind="stable")[:m]], "largest units of the limit"))
        path = homotopy(relu_features(p.X, bound.units), p.y, weights=p.w, kappa_min=p.kappa / 2)
        fits = np.flatnonzero(path.active <= m)
        out.append((bound.units[path.betas[fits[-1]] != 0], "homotopy on the limit"))
        for _ in range(starts):
            draw = rng.choice(len(size), size=m, p=size / size.sum())
            out.append((bound.units[np.unique(draw)], "Maurey draw of the limit"))
    for _ in range(starts):
        out.append((inside(rng.standard_normal((m, n))), "random start"))
    return [(rows, name) for rows, name in out if len(rows)]


def _grow(p: Normalised, net: OracleBound) -> OracleBound:
    """One more unit, where it correlates best with what is left, and all of them descend."""
    c = p.w * (p.y - relu_features(p.X, net.units) @ net.weights)
    rows = new_unit.climb(p.X, c) if p.X.shape[1] > 2 else new_unit.best_unit(p.X, c).rows
    if len(rows) == 0:
        return net
    values = np.abs(relu_features(p.X, rows).T @ c)
    start = np.concatenate([net.units, rows[[int(np.argmax(values))]]])
    return local_minimum(p, start, "greedy, all units descend")
