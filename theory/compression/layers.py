"""Robust compressibility, eq. (8), in its repaired form.

    delta_W(l, alpha; m) = min E|Y - gamma Z(V)|^2 + kappa |gamma|_1  over |gamma|_0 <= l, |v_i| = 1, angle(v_i, w_i) <=
    alpha

for unit rows w_1..w_m (up to 1e-12; a row that is not moved keeps its length). As printed only the angles are
constrained; then v_i may grow and gamma shrink until the penalty is gone, the minimum is not attained, and the angle to
w_i = 0 means nothing.

Every rule here returns a feasible point, so its value (rounded up) is an upper bound; the result says which rule won.
The lower bound is dual: exact over all supports where they can be enumerated, else the convex problem on all caps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory import oracle
from theory.compression.rules import UNIT_NORM, FixedLayer
from theory.lasso import second_layer
from theory.numerics import Array, gamma
from theory.numerics import validation as check
from theory.oracle import normalised, relu_features, risk_above
from theory.risk import Sample

RULES = ("enumeration", "homotopy", "pursuit", "maurey", "merging", "oracle")

# Most supports that are enumerated.
SUPPORTS = 1000

MOVED = ", rows moved"

Candidate = tuple[Array, Array, str]  # rows (m, n), weights (m,) in units of size one, and the rule that found them


@dataclass(frozen=True, eq=False)
class Compression:
    """A feasible layer for eq. (8) and bounds on delta: lower <= delta <= upper, upper the risk of this layer.

    rows (m, n): unit rows within alpha of the given ones (idle rows are unmoved); weights (m,), at most l nonzero.
    rule: which rule found it.
    """

    upper: float
    lower: float
    rows: Array
    weights: Array
    l: int
    alpha: float
    rule: str

    @property
    def active(self) -> Array:
        """Indices of the units that are kept."""
        return np.flatnonzero(self.weights)


def delta(
    sample: Sample,
    W: ArrayLike,
    l: int,
    alpha: float,
    kappa: float,
    *,
    rules: tuple[str, ...] = RULES,
    draws: int = 8,
    sweeps: int = 40,
    warm: Compression | None = None,
    rng: np.random.Generator | int | None = None,
) -> Compression:
    """delta_W(l, alpha; m) for unit rows W (m, n), 0 <= l <= m, alpha in [0, pi], kappa >= 0: the best feasible layer.

    rules: "enumeration" of all supports of size l (exact at alpha = 0; used when there are at most 1,000 of them),
    "homotopy" (the lasso path where l units are active), "pursuit" (orthogonal matching pursuit), "maurey" (`draws`
    samples of l units with probability |beta_i|), "merging" of nearby rows into l of them, "oracle" (alpha = pi only:
    rows are free, so e(l) is delta). Then the rows of the best layer move within their caps, `sweeps` times at most.
    warm: a feasible layer for smaller l and alpha; the result is no worse. ValueError on bad input.
    """
    W = _checked_rows(sample, W)
    l = check.positive_integer(l, "l", minimum=0)
    if l > len(W):
        raise ValueError(f"l must be at most the number of rows, m = {len(W)}; got {l}")
    alpha = check.number(alpha, "alpha", minimum=0.0, maximum=math.pi)
    kappa = check.number(kappa, "kappa", minimum=0.0)
    for rule in rules:
        check.choice(rule, "rules", RULES)
    draws = check.positive_integer(draws, "draws", minimum=0)
    sweeps = check.positive_integer(sweeps, "sweeps", minimum=0)
    rng = check.generator(rng)
    layer = FixedLayer(normalised(sample, kappa, "eq. (8)"), W, l, alpha)
    if warm is not None:
        _check_warm(layer, warm)
    best, lower = _result(layer, W, np.zeros(len(W)), "no unit"), 0.0
    if l > 0:
        candidates, lower = _candidates(layer, rules, draws, rng)
        if warm is not None:
            candidates.append((warm.rows, layer.p.weights(warm.weights), warm.rule))
        best = min([best, *_improved(layer, candidates, sweeps)], key=lambda c: c.upper)
    lower = _lower(layer, sample, lower)
    if warm is not None and warm.upper <= best.upper:
        best = warm
    return Compression(best.upper, min(lower, best.upper), best.rows, best.weights, l, alpha, best.rule)


def table(
    sample: Sample,
    W: ArrayLike,
    ls: ArrayLike,
    alphas: ArrayLike,
    kappa: float,
    *,
    rng: np.random.Generator | int | None = None,
    **options: Any,
) -> tuple[tuple[Compression, ...], ...]:
    """delta on a grid, entry [i][j] for ls[i] and alphas[j].

    ls (I,) and alphas (J,) increase: what is feasible stays so, and is kept.

    So upper bounds do not rise in l or alpha. options as for `delta`. ValueError unless both increase.
    """
    rng = check.generator(rng)
    sizes = [check.positive_integer(l, "ls", minimum=0) for l in check.entries(ls, "ls")]
    angles = check.finite_array(alphas, "alphas", ndim=1).tolist()
    if sizes != sorted(sizes) or angles != sorted(angles):
        raise ValueError(f"ls and alphas must not decrease; got {sizes} and {angles}")
    rows: list[tuple[Compression, ...]] = []
    for i, l in enumerate(sizes):
        row: list[Compression] = []
        for alpha in angles:
            before = ([rows[i - 1][len(row)]] if i else []) + row[-1:]
            warm = min(before, key=lambda c: c.upper) if before else None
            row.append(delta(sample, W, l, alpha, kappa, warm=warm, rng=rng, **options))
        rows.append(tuple(row))
    return tuple(rows)


def _candidates(
    layer: FixedLayer, rules: tuple[str, ...], draws: int, rng: np.random.Generator
) -> tuple[list[Candidate], float]:
    """Layers that the rules propose for l > 0, and the best lower bound that comes with them; units of size one."""
    m, W, alpha, lower = len(layer.W), layer.W, layer.alpha, 0.0
    found = [(W, layer.refit(support), rule) for support, rule in layer.supports(rules, draws, rng)]
    if "enumeration" in rules and layer.l < m and math.comb(m, layer.l) <= SUPPORTS:
        b, lower = layer.enumerate()
        found.append((W, b, "enumeration"))
    if "merging" in rules and alpha > 0 and layer.l < m:
        found.append((*layer.merge(moved=True), "merging"))
    if "oracle" in rules and alpha == math.pi:
        net = oracle.finite(layer.p.sample, layer.l, layer.p.kappa, rng=rng, starts=2)
        lower = max(lower, net.lower)
        V, b = W.copy(), np.zeros(m)
        V[: len(net.units)], b[: len(net.units)] = net.units, net.weights
        found.append((V, b, "oracle"))
    return found, lower


def _improved(layer: FixedLayer, candidates: list[Candidate], sweeps: int) -> list[Compression]:
    """The two best candidates, and where their rows may move also what becomes of them in `sweeps` steps."""
    out = []
    for V, b, rule in sorted(candidates, key=lambda c: layer.value(c[0], c[1]))[:2]:
        out.append(_result(layer, V, b, rule))
        if layer.alpha > 0 and sweeps > 0:
            out.append(_result(layer, *layer.improve(V, b, sweeps), rule.removesuffix(MOVED) + MOVED))
    return out


def _lower(layer: FixedLayer, sample: Sample, found: float) -> float:
    """The best lower bound on delta in the user's units; found: one in units of size one."""
    p = layer.p
    if layer.l == 0:
        found = max(found, math.fsum(p.w * p.y * p.y) * (1 - gamma(5)) - 2.0**-1000)
    if p.kappa > 0:
        return p.lower(max(found, layer.convex_bound()))
    # weights are unbounded: what no features at all can fit, in rationals
    return max(p.lower(found), oracle.limit(sample, 0.0).lower)


def _checked_rows(sample: Sample, W: ArrayLike) -> Array:
    """The rows W (m, n), m >= 1, of norm one; ValueError otherwise."""
    check.instance(sample, "sample", Sample)
    W = check.finite_array(W, "W", ndim=2)
    if W.shape[1] != sample.n_in or len(W) == 0:
        raise ValueError(f"W must have shape (m, {sample.n_in}), one row per unit, m >= 1; got {W.shape}")
    norms = np.hypot.reduce(np.abs(W), axis=1)
    if (np.abs(norms - 1) > UNIT_NORM).any():
        k = int(np.argmax(np.abs(norms - 1)))
        raise ValueError(
            f"W must have unit rows; row {k} has norm {norms[k]:.6g}. Divide each row by its norm and multiply its "
            "outgoing weight by it (same function, smaller penalty); a zero row with no outgoing weight may go anywhere"
        )
    return W


def _result(layer: FixedLayer, V: Array, b: Array, rule: str) -> Compression:
    """The layer with its second layer solved, and its risk rounded up, in the user's units."""
    p, used = layer.p, np.flatnonzero(b)
    solved = second_layer(relu_features(p.X, V[used], sure=p.kappa == 0), p.y, p.kappa, weights=p.w).beta
    used, solved = used[solved != 0], solved[solved != 0]
    upper, at = p.net(V[used], solved, risk_above(p, V[used], solved))
    rows, weights = layer.W.copy(), np.zeros(len(b))
    weights[used] = at
    rows[weights != 0] = V[weights != 0]
    return Compression(upper, 0.0, rows, weights, layer.l, layer.alpha, rule)


def _check_warm(layer: FixedLayer, warm: Compression) -> None:
    """ValueError unless a layer given as `warm` is feasible here."""
    if warm.rows.shape != layer.W.shape or warm.l > layer.l or warm.alpha > layer.alpha:
        raise ValueError(
            f"warm must come from the same rows with l <= {layer.l} and alpha <= {layer.alpha:g}; got rows "
            f"{warm.rows.shape}, l = {warm.l}, alpha = {warm.alpha:g}"
        )
