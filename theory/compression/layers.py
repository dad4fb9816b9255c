"""Robust compressibility, eq. (8), in its repaired form.

    delta_W(l, alpha; m) = min E|Y - gamma Z(V)|^2 + kappa |gamma|_1  over |gamma|_0 <= l, |v_i| = 1, angle(v_i, w_i) <= alpha

for unit rows w_1..w_m. As printed only the angles are constrained; then v_i may grow and gamma shrink until the
penalty is gone, the minimum is not attained, and the angle to w_i = 0 means nothing.

Every rule here returns a feasible point, so its value (rounded up) is an upper bound; the result says which rule won.
The lower bound is dual: exact over all supports where they can be enumerated, else the convex problem on all caps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory import lasso, oracle
from theory.compression.rules import UNIT_NORM, Layer
from theory.lasso import features, second_layer
from theory.numerics import Array, gamma
from theory.numerics import validation as check
from theory.risk import Sample

RULES = ("enumeration", "homotopy", "pursuit", "maurey", "merging", "oracle")

# Most supports that are enumerated.
SUPPORTS = 1000

MOVED = ", rows moved"


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
    X, y, w, W = _checked(sample, W)
    m = len(W)
    l = check.positive_integer(l, "l", minimum=0)
    if l > m:
        raise ValueError(f"l must be at most the number of rows, m = {m}; got {l}")
    alpha = check.number(alpha, "alpha", minimum=0.0, maximum=math.pi)
    kappa = check.number(kappa, "kappa", minimum=0.0)
    for rule in rules:
        check.choice(rule, "rules", RULES)
    draws = check.positive_integer(draws, "draws", minimum=0)
    sweeps = check.positive_integer(sweeps, "sweeps", minimum=0)
    rng = check.generator(rng)
    layer = Layer(X, y, w, W, kappa, l, alpha)
    best, lower = _result(layer, W, np.zeros(m), "no unit"), layer.convex_bound()
    if l == 0:
        return Compression(best.upper, max(lower, _energy_below(y, w)), W, np.zeros(m), l, alpha, best.rule)
    candidates: list[tuple[float, Array, Array, str]] = []
    for support, rule in layer.supports(rules, draws, rng):
        b = layer.refit(support)
        candidates.append((layer.objective(b), W, b, rule))
    if "enumeration" in rules and l < m and math.comb(m, l) <= SUPPORTS:
        b, bound = layer.enumerate()
        lower = max(lower, bound)
        candidates.append((layer.objective(b), W, b, "enumeration"))
    if "merging" in rules and alpha > 0 and l < m:
        V, b = layer.merge(moved=True)
        candidates.append((layer.value(V, b), V, b, "merging"))
    if "oracle" in rules and alpha == math.pi:
        net = oracle.finite(sample, l, kappa, rng=rng, starts=2)
        lower = max(lower, net.lower)
        V, b = W.copy(), np.zeros(m)
        V[: len(net.units)], b[: len(net.units)] = net.units, net.weights
        candidates.append((layer.value(V, b), V, b, "oracle"))
    if warm is not None:
        _check_warm(layer, warm)
        candidates.append((layer.value(warm.rows, warm.weights), warm.rows, warm.weights, warm.rule))
    for _, V, b, rule in sorted(candidates, key=lambda c: c[0])[:2]:
        found = _result(layer, V, b, rule)
        best = found if found.upper < best.upper else best
        if alpha > 0 and sweeps > 0:
            found = _result(layer, *layer.improve(V, b, sweeps), rule.removesuffix(MOVED) + MOVED)
            best = found if found.upper < best.upper else best
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
    sizes, angles = np.asarray(ls).tolist(), np.asarray(alphas, dtype=float).tolist()
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


def _checked(sample: Sample, W: ArrayLike) -> tuple[Array, Array, Array, Array]:
    if not isinstance(sample, Sample):
        raise ValueError(f"sample must be a Sample(X, Y); got {type(sample).__name__}")
    if sample.n_out != 1:
        raise ValueError(f"sample must have one output for eq. (8); got {sample.n_out}")
    W = check.finite_array(W, "W", ndim=2)
    if W.shape[1] != sample.n_in or len(W) == 0:
        raise ValueError(f"W must have shape (m, {sample.n_in}), one row per unit, m >= 1; got {W.shape}")
    with np.errstate(over="ignore"):
        norms = np.linalg.norm(W, axis=1)
    if (np.abs(norms - 1) > UNIT_NORM).any():
        k = int(np.argmax(np.abs(norms - 1)))
        raise ValueError(
            f"W must have unit rows; row {k} has norm {norms[k]:.6g}. Divide each row by its norm and multiply its "
            "outgoing weight by it (same function, smaller penalty); a zero row with no outgoing weight may go anywhere"
        )
    _, y, w = features(sample.X, sample.Y, sample.weights)
    return sample.X, y, w, W


def _energy_below(y: Array, w: Array) -> float:
    return math.fsum(w * y * y) * (1 - gamma(5))


def _result(layer: Layer, V: Array, b: Array, rule: str) -> Compression:
    """The layer with its second layer solved, and its risk rounded up, roundings of the features included."""
    used = np.flatnonzero(b)
    rows, weights = layer.W.copy(), np.zeros(len(b))
    Z = np.maximum(layer.X @ V[used].T, 0)
    solved = second_layer(Z, layer.y, layer.kappa, weights=layer.w).beta
    weights[used] = solved
    rows[weights != 0] = V[weights != 0]
    size = np.abs(layer.X) @ (np.abs(V[used]).T @ np.abs(solved))
    blur = gamma(layer.X.shape[1] + 2) * size * (1 + gamma(len(used) + layer.X.shape[1] + 8))
    upper = lasso.primal(Z, layer.y, layer.w, layer.kappa, solved, blur)
    return Compression(upper, 0.0, rows, weights, layer.l, layer.alpha, rule)


def _check_warm(layer: Layer, warm: Compression) -> None:
    """ValueError unless a layer given as `warm` is feasible here."""
    if warm.rows.shape != layer.W.shape or warm.l > layer.l or warm.alpha > layer.alpha:
        raise ValueError(
            f"warm must come from the same rows with l <= {layer.l} and alpha <= {layer.alpha:g}; got rows "
            f"{warm.rows.shape}, l = {warm.l}, alpha = {warm.alpha:g}"
        )
