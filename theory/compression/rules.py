"""Rules that propose compressed layers for eq. (8): which units to keep, and where their rows may move.

They work on the Gram matrix of the features and compare by its values; what is reported of a layer is computed anew
in `theory.compression.layers`. Lower bounds are here as well, since they share the features.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from theory import lasso
from theory.lasso import active_set, homotopy, second_layer
from theory.numerics import UNIT, Array, direction, gamma, up
from theory.oracle import Normalised, relu_features
from theory.relu_kernel import second_moment_norm

# How far a row may be from unit norm.
UNIT_NORM = 1e-12


class FixedLayer:
    """The problem of eq. (8) with its Gram matrix, for the rules to share.

    p: inputs X (N, n), targets y (N,), weights w (N,) and kappa in units of size one; W (m, n) unit rows; l and alpha
    (radians) as in `theory.compression.delta`. Weights b and start (m,) belong to rows V (m, n); a support is an array
    (k,) of units.
    """

    def __init__(self, p: Normalised, W: Array, l: int, alpha: float) -> None:
        self.p, self.W, self.l, self.alpha = p, W, l, alpha
        self.X, self.y, self.w, self.kappa = p.X, p.y, p.w, p.kappa
        self.Z = relu_features(p.X, W, sure=p.kappa == 0)
        A = self.Z * np.sqrt(p.w)[:, None]
        self.G, self.q = A.T @ A, self.Z.T @ (p.w * p.y)
        self.energy = float(p.w @ p.y**2)
        self.spread = float(second_moment_norm(p.sample).upper)
        self.full = second_layer(self.Z, p.y, p.kappa, weights=p.w).beta

    def objective(self, b: Array) -> float:
        """P(b) on the given rows, from the Gram matrix: for comparing, not for reporting."""
        return float(self.energy + b @ (self.G @ b) - 2 * self.q @ b + self.kappa * np.abs(b).sum())

    def value(self, V: Array, b: Array) -> float:
        """The risk of rows V and weights b, as computed."""
        used = b != 0
        r = np.maximum(self.X @ V[used].T, 0) @ b[used] - self.y
        return float(self.w @ r**2 + self.kappa * np.abs(b).sum())

    def refit(self, support: Array, start: Array | None = None) -> Array:
        """The best weights on a support, zero elsewhere, from `start` (default: the best of all units)."""
        b = np.zeros(len(self.q))
        G, q = self.G[np.ix_(support, support)], self.q[support]
        if self.kappa == 0:
            b[support] = np.linalg.lstsq(G, q, rcond=None)[0]
        else:
            b[support] = active_set(G, q, self.kappa, (self.full if start is None else start)[support])
        return b

    def convex_bound(self) -> float:
        """A lower bound on delta for every l and kappa > 0: the convex problem with a unit anywhere in the caps.

        |E r z(v)| <= |E r z(w_i)| + |r| ||Sigma||^(1/2) 2 sin(alpha/2) for v in the cap around w_i.
        """
        r = self.y - self.Z @ self.full
        norm = math.sqrt(float(self.w @ r**2) * self.spread) * (1 + gamma(len(self.y) + 16))
        blur = gamma(self.X.shape[1] + 4) * math.sqrt(self.X.shape[1])
        reach = 2 * math.sin(min(self.alpha, math.pi) / 2) * (1 + 8 * UNIT) + 4 * UNIT_NORM * (self.alpha > 0)
        top = (lasso.correlation(self.Z, self.w, r) + norm * (reach + blur)) * (1 + 8 * UNIT)
        return lasso.scaled_dual(self.y, self.w, self.kappa, r, 2 * top)

    def supports(self, rules: tuple[str, ...], draws: int, rng: np.random.Generator) -> Iterator[tuple[Array, str]]:
        """Supports of at most l units, with the rule that chose each; draws: how many coin tosses."""
        size = np.abs(self.full)
        if np.count_nonzero(size) <= self.l:
            yield np.flatnonzero(size), "all units"
            return
        yield np.sort(np.argsort(-size, kind="stable")[: self.l]), "largest weights"
        if "homotopy" in rules:
            path = homotopy(self.Z, self.y, weights=self.w, kappa_min=self.kappa / 2)
            fits = np.flatnonzero(path.active <= self.l)
            for k in dict.fromkeys((int(fits[-1]), int(fits[np.argmax(path.active[fits])]))):
                yield np.flatnonzero(path.betas[k]), "homotopy"
        if "pursuit" in rules:
            yield self.pursue(), "pursuit"
        if "maurey" in rules:
            for _ in range(draws):
                yield np.unique(rng.choice(len(size), size=self.l, p=size / size.sum())), "maurey"
        if "merging" in rules:
            yield np.flatnonzero(self.merge(moved=False)[1]), "merging"

    def pursue(self) -> Array:
        """Orthogonal matching pursuit: l times the unit that lowers the squared error most on its own, then least squares."""
        m = len(self.q)
        diagonal = np.diag(self.G).copy()
        left, corr = diagonal.copy(), self.q.copy()
        chosen: list[int] = []
        rows = np.zeros((self.l, m))  # rows of the partial Cholesky factor of G
        for k in range(self.l):
            seen = left > 1e-12 * diagonal
            seen[chosen] = False
            if not seen.any():
                break
            gain = np.where(seen, corr**2 / np.where(seen, left, 1.0), -1.0)
            j = int(np.argmax(gain))
            rows[k] = (self.G[j] - rows[:k, j] @ rows[:k]) / math.sqrt(left[j])
            corr = corr - rows[k] * (corr[j] / math.sqrt(left[j]))
            left = left - rows[k] ** 2
            chosen.append(j)
        return np.sort(np.array(chosen, dtype=int))

    def enumerate(self) -> tuple[Array, float]:
        """The best support of size l and, at alpha = 0 with kappa > 0, a lower bound that holds for all of them."""
        best, lower = np.zeros(len(self.q)), math.inf
        for support in combinations(range(len(self.q)), self.l):
            chosen = np.array(support)
            b = self.refit(chosen)
            best = b if self.objective(b) < self.objective(best) else best
            if self.alpha == 0 and self.kappa > 0:
                lower = min(lower, self.support_bound(chosen, b[chosen]))
        return best, lower if lower < math.inf else 0.0

    def support_bound(self, support: Array, b: Array) -> float:
        """A lower bound on the risk of any weights on a support; b (k,): good ones."""
        r = self.y - self.Z[:, support] @ b
        blur = gamma(self.X.shape[1] + 4) * float(self.w @ (np.abs(r) * np.sum(np.abs(self.X), axis=1))) * 2
        top = up(lasso.correlation(self.Z[:, support], self.w, r) + blur)
        return lasso.scaled_dual(self.y, self.w, self.kappa, r, 2 * float(top))

    def merge(self, *, moved: bool) -> tuple[Array, Array]:
        """Cells around l units, farthest first and each sign apart; a cell's weights go to its centre.

        moved: the centre's row turns towards the mean of its cell, within alpha.
        """
        b, W = self.full, self.W
        active = np.flatnonzero(b)
        signed = np.concatenate([W[active], 2 * np.sign(b[active])[:, None]], axis=1)
        if len(active) == 0:
            return W, np.zeros(len(b))
        centres = [int(np.argmax(np.abs(b[active])))]
        distance = np.linalg.norm(signed - signed[centres[0]], axis=1)
        owner = np.zeros(len(active), dtype=int)
        while len(centres) < min(self.l, len(active)):
            far = int(np.argmax(distance * np.abs(b[active])))
            new = np.linalg.norm(signed - signed[far], axis=1)
            owner = np.where(new < distance, len(centres), owner)
            distance = np.minimum(distance, new)
            centres.append(far)
        rows, weights = W.copy(), np.zeros(len(b))
        for k, centre in enumerate(centres):
            cell = active[(owner == k) & (np.sign(b[active]) == np.sign(b[active[centre]]))]
            unit = active[centre]
            weights[unit] = b[cell].sum()
            if moved and len(cell):
                rows[unit] = self.clip(np.abs(b[cell]) @ W[cell], unit)
        return rows, weights

    def clip(self, V: Array, units: Any) -> Array:
        """Rows V turned to unit norm within alpha of the given rows of `units`, a hair inside; V itself may be zero."""
        W = self.W[units]
        if self.alpha == 0:
            return W.copy()
        V = np.where(V.any(axis=-1, keepdims=True), direction(V), W)
        cosine = np.sum(V * W, axis=-1, keepdims=True)
        across = V - cosine * W
        sine = np.linalg.norm(across, axis=-1, keepdims=True)
        limit = max(0.0, self.alpha * (1 - 1e-9) - 1e-15)
        outside = np.arctan2(sine, cosine) > limit
        turned = math.cos(limit) * W + math.sin(limit) * across / np.where(sine > 1e-12, sine, 1.0)
        V = np.where(outside, np.where(sine > 1e-12, turned, W), V)
        return V / np.linalg.norm(V, axis=-1, keepdims=True)

    def improve(self, V: Array, b: Array, sweeps: int) -> tuple[Array, Array]:
        """Projected gradient on the rows within their caps, the second layer solved in each of `sweeps` steps."""
        V, b = V.copy(), b.copy()
        value, step = self.value(V, b), 1.0
        for _ in range(sweeps):
            used = np.flatnonzero(b)
            if len(used) == 0:
                break
            T = self.X @ V[used].T
            r = np.maximum(T, 0) @ b[used] - self.y
            gradient = ((T > 0) * (2 * self.w * r)[:, None]).T @ self.X
            # Scaled by each unit's own curvature 2 b^2 E z'^2 |x|^2, up to a common step that is adapted.
            curvature = np.abs(b[used]) * max(float(np.trace(self.X.T * self.w @ self.X)), 1e-300)
            for _ in range(8):
                trial = V.copy()
                move = step * np.sign(b[used])[:, None] * gradient / curvature[:, None]
                trial[used] = self.clip(V[used] - move, used)
                A = np.maximum(self.X @ trial[used].T, 0) * np.sqrt(self.w)[:, None]
                q = A.T @ (self.y * np.sqrt(self.w))
                new = b.copy()
                if self.kappa > 0:
                    new[used] = active_set(A.T @ A, q, self.kappa, b[used])
                else:
                    new[used] = np.linalg.lstsq(A, self.y * np.sqrt(self.w), rcond=None)[0]
                changed = self.value(trial, new)
                if changed < value:
                    break
                step /= 4
            else:
                break
            done = value - changed <= 1e-7 * value
            V, b, value, step = trial, new, changed, 2 * step
            if done:
                break
        return V, b
