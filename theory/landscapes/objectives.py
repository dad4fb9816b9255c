"""What the bead trainers minimise: the risk, with the springs of Appendix A, and its quadratic model.

The model is that of Gauss and Newton, positive semidefinite. Losses enter by a quadratic majorant in the outputs
(`theory.losses`): smooth ones by their constant of smoothness, absolute values (the absolute loss, hinge, the l1 penalty)
by |r| <= r^2 / (2 |r_0|) + |r_0| / 2, with equality at the current residual r_0; small |r_0|, whose majorant would be
stiff, are taken as FLOOR times their mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from theory.numerics import SLAB, Array
from theory.risk import Risk

FLOOR = 0.3  # |r| is smoothed below this fraction of its mean in the quadratic model: stiffer, and beads stray farther


@dataclass(frozen=True, eq=False)
class Objective:
    """F plus the two regularisers of Appendix A, for beads between neighbours left and right (B, P).

        F(theta) + zeta (|left - theta| + |right - theta|) + kappa |cos(left - right, theta - (left + right) / 2)|

    The printed formula has the midpoint as (left - right) / 2, a slip of sign: the point equidistant from both
    neighbours is (left + right) / 2. kappa = inf confines the bead to the hyperplane exactly.
    """

    risk: Risk
    left: Array | None = None
    right: Array | None = None
    zeta: float = 0.0
    kappa: float = 0.0

    def rows(self, index: Array) -> Objective:
        """The objective of the beads at an index (K,)."""
        if self.left is None or self.right is None:
            return self
        return replace(self, left=self.left[index], right=self.right[index])

    def confine(self, thetas: Array) -> Array:
        """The nearest points of the hyperplanes when kappa is inf; otherwise thetas as they are."""
        if self.left is None or self.right is None or not np.isinf(self.kappa):
            return thetas
        u = _unit(self.left - self.right)
        return thetas - u * np.sum(u * (thetas - (self.left + self.right) / 2), axis=1, keepdims=True)

    def values(self, thetas: Array) -> tuple[Array, Array]:
        """F (B,) and the whole objective (B,) at thetas (B, P)."""
        F = self.risk.batch(thetas)
        return F, F + self._springs(thetas, False)[0] if self.left is not None else F

    def derivatives(self, thetas: Array, *, curvature: bool = False) -> tuple[Array, Array, Array, Array | None]:
        """F and the objective (B,), its gradient (B, P), and the matrix (B, P, P) of a quadratic model, at thetas (B, P).

        With curvature the matrix is positive semidefinite and the gradient is the model's, in which absolute values are
        smoothed below FLOOR of their mean; without, the gradient is the objective's own (at kinks the subgradient with
        slope 0), and the matrix is None.
        """
        risk, P = self.risk, thetas.shape[-1]
        share = len(risk.sample) * (max(P, *risk.network.widths) if curvature else max(risk.network.widths)) + P * P
        step = max(1, SLAB // share)
        slabs = [_sweep(risk, thetas[i : i + step], curvature) for i in range(0, len(thetas), step)]
        F, g = (np.concatenate([slab[k] for slab in slabs]) for k in (0, 1))
        H = np.concatenate([slab[2] for slab in slabs]) if curvature else None
        if self.left is None or self.right is None:
            return F, F, g, H
        extra, slope, bend = self._springs(thetas, curvature)
        g = g + slope
        H = H + bend if H is not None else None
        if np.isinf(self.kappa):
            u = _unit(self.left - self.right)
            g = g - u * np.sum(u * g, axis=1, keepdims=True)
            if H is not None:
                H = H - u[:, :, None] * (u[:, None, :] @ H)
                H = H - (H @ u[:, :, None]) * u[:, None, :]
        return F, F + extra, g, H

    def _springs(self, thetas: Array, curvature: bool) -> tuple[Array, Array, Array | float]:
        """Value, gradient and model matrix of the two regularisers (without the exact confinement)."""
        left, right = self.left, self.right
        assert left is not None
        assert right is not None
        value, slope = np.zeros(len(thetas)), np.zeros_like(thetas)
        bend: Array | float = np.zeros((len(thetas), thetas.shape[1], thetas.shape[1])) if curvature else 0.0
        for end in (left, right) if self.zeta > 0 else ():
            away = thetas - end
            distance = np.maximum(np.linalg.norm(away, axis=1), 1e-12)
            value = value + self.zeta * distance
            slope = slope + self.zeta * away / distance[:, None]
            bend = bend + (self.zeta / distance)[:, None, None] * np.eye(thetas.shape[1]) if curvature else 0.0
        if 0 < self.kappa < np.inf:
            u, v = _unit(left - right), thetas - (left + right) / 2
            size = np.maximum(np.linalg.norm(v, axis=1), 1e-9 * (1 + np.linalg.norm(left - right, axis=1)))
            off = np.sum(u * v, axis=1)
            cosine = off / size
            value = value + self.kappa * np.abs(cosine)
            sign = np.sign(cosine)[:, None]
            slope = slope + self.kappa * sign * (u - cosine[:, None] * v / size[:, None]) / size[:, None]
            if curvature:
                stiffness = self.kappa / (size * np.maximum(np.abs(off), FLOOR * size))
                bend = bend + stiffness[:, None, None] * u[:, :, None] * u[:, None, :]
        return value, slope, bend


def _unit(v: Array) -> Array:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-300)


def _sweep(risk: Risk, thetas: Array, curvature: bool) -> tuple[Array, Array, Array | None]:
    """Risk, gradient and (if asked) the majorising Gauss-Newton matrix of a slab of parameter vectors, in one pass."""
    network, sample = risk.network, risk.sample
    seen, before = network.layers(thetas, sample.X)
    last = network.rho(network.depth)
    f, weights = last.value(before[-1]), sample.weights[:, None]
    F = risk.criterion.value(f, sample.Y) @ sample.weights + risk.regulariser(thetas)
    if curvature:
        pull, stiffness = (weights * part for part in risk.criterion.majorant(f, sample.Y, FLOOR))
    else:
        pull = weights * risk.criterion.slope(f, sample.Y)
    slope = last.slope(before[-1])
    if curvature:
        J = _jacobian(risk, thetas, seen, before, slope).reshape(*thetas.shape, -1)
        g = (J @ pull.swapaxes(-1, -2).reshape(len(thetas), -1, 1))[..., 0]
        J *= np.sqrt(np.broadcast_to(stiffness, f.shape)).swapaxes(-1, -2).reshape(len(thetas), 1, -1)
        H = J @ J.swapaxes(-1, -2)
    else:
        g, H = network.backpropagate(thetas, seen, before, pull * slope), None
    return F, *_penalised(risk, thetas, g, H)


def _penalised(risk: Risk, thetas: Array, g: Array, H: Array | None) -> tuple[Array, Array | None]:
    """Add the penalty's gradient and quadratic majorant."""
    if risk.R is None:
        return g, H
    if H is None:
        return g + risk.kappa * risk.R.slope(thetas), None
    slope, bend = risk.R.majorant(thetas, FLOOR)
    diagonal = np.arange(H.shape[-1])
    H[:, diagonal, diagonal] += risk.kappa * bend
    return g + risk.kappa * slope, H


def _jacobian(risk: Risk, thetas: Array, seen: list[Array], before: list[Array], slope: Array) -> Array:
    """d Phi_o(x_i) / d theta_p, shape (B, P, n_out, N)."""
    network, matrices = risk.network, risk.network.weights(thetas)
    B, N, outputs = slope.shape
    J = np.empty((B, network.size, outputs, N))
    for o in range(outputs):
        delta = np.zeros_like(slope)
        delta[..., o] = slope[..., o]
        for k in range(network.depth, 0, -1):
            rows, columns = network.shapes[k - 1]
            block = J[:, network.slices[k - 1], o].reshape(B, rows, columns, N)
            left, right = delta.swapaxes(-1, -2), seen[k - 1].swapaxes(-1, -2)
            np.multiply(left[:, :, None], right[..., None, :, :], out=block)
            if not np.shares_memory(block, J):
                J[:, network.slices[k - 1], o] = block.reshape(B, rows * columns, N)
            if k > 1:
                delta = delta @ matrices[k - 1][..., : network.widths[k - 1]]
                delta = delta * network.rho(k - 1).slope(before[k - 2])
    return J
