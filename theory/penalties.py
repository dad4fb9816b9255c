"""The penalties R of eq. (2) in one place: values, slopes, which networks they are for, and bounds with rounding.

    second_layer_l1  sum |W_2|, one hidden layer (eq. 6)          ridge  |theta|^2
    path             sum_i |W_K e_i| q^{K-1}_i,  q^1_i = |W_1(i, :)|,  q^k = |W_k| q^{k-1}     (Neyshabur et al. 2015)
    schatten         sum_k (1/p_k) ||W_k||^{p_k} in the Schatten norm of order p_k >= 1        (Shang et al. 2016)

Each is convex in every single layer, so along a segment that moves one layer the larger end decides; all but `path` are
convex in theta. With biases the path norm is that of the same network without them: x carries a 1, and so does one more
unit in each layer, of incoming weight 1; its outgoing weights are the biases.

Over a cell theta(t), t = t_c + d with |d| <= rho, `upper` returns the two ends of an affine (or convex) majorant in d, so
that the larger one bounds the cell. For the path norm, products of nonnegative affine functions u, v of x = d / rho are
met, u v = A(x) + (du dv / 4) x^2 with A affine and du, dv the differences of their ends: so u v is at most the chord
between its ends, or that raised by -du dv / 4 where this is positive. The excess is of second order in the cell.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from theory.networks import Network
from theory.numerics import LIBM, TINY, UNIT, Array, gamma
from theory.numerics import validation as check


class Penalty:
    """R >= 0 of the parameters of one network.

    exponents: of `schatten` alone, as `Risk` takes them. ValueError where the penalty is not for the network. The bounds
    here are for an R that is convex in theta and grows with every |theta_p|.
    """

    name: str
    exponents: tuple[float, ...] | None = None

    def __init__(self, network: Network, exponents: Any = None) -> None:
        if exponents is not None and self.name != "schatten":
            raise ValueError(f"exponents are for the penalty 'schatten'; got {exponents!r} with {self.name!r}")
        self.network = network

    def value(self, thetas: Array) -> Array:
        """R at thetas (..., P), shape (...); inf where float64 overflows."""
        raise NotImplementedError

    def slope(self, thetas: Array) -> Array:
        """dR/dtheta at thetas (..., P), (..., P); at a kink the subgradient with slope 0 there."""
        raise NotImplementedError

    def majorant(self, thetas: Array, floor: float) -> tuple[Array, Array]:
        """Slope and diagonal curvature (B, P) of a quadratic model of R at thetas (B, P): above R where R is separable.

        floor: what |theta_p| is taken for at least, as a share of its mean, where R has kinks. In general the slope of R,
        and no curvature.
        """
        return self.slope(thetas), np.zeros_like(thetas)

    def upper(self, ends: Array, radius: Array) -> Array:
        """Ends (2, B) of a majorant of R that is convex along each cell, in exact arithmetic.

        ends (2, B, P): theta at both ends of each cell, each entry off by at most radius (B, P).
        """
        return self.value(np.abs(ends) + radius) * (1 + gamma(ends.shape[-1] + 16)) + TINY

    def lower(self, points: Array, radius: Array) -> Array:
        """A bound (B,) from below on R at points (B, P), each entry of which is off by at most radius (B, P)."""
        low = self.value(np.maximum(np.abs(points) - radius, 0.0))
        return np.maximum(low * (1 - gamma(points.shape[-1] + 16)) - TINY, 0.0)


class Ridge(Penalty):
    """|theta|^2, biases included."""

    name = "ridge"

    def value(self, thetas: Array) -> Array:
        """As for `Penalty`, thetas (..., P) to (...)."""
        return (thetas**2).sum(axis=-1)

    def slope(self, thetas: Array) -> Array:
        """2 thetas, (..., P)."""
        return 2 * thetas

    def majorant(self, thetas: Array, floor: float) -> tuple[Array, Array]:
        """As for `Penalty`, thetas (B, P) to (B, P) each: R is its own quadratic, whatever the floor."""
        return 2 * thetas, np.full_like(thetas, 2.0)


class SecondLayerL1(Penalty):
    """sum |W_2| of one hidden layer (eq. 6); ValueError for other networks."""

    name = "second_layer_l1"

    def __init__(self, network: Network, exponents: Any = None) -> None:
        super().__init__(network, exponents)
        if network.depth != 2:
            raise ValueError(f"penalty {self.name!r} needs one hidden layer; the network has widths {network.widths}")

    def value(self, thetas: Array) -> Array:
        """As for `Penalty`, thetas (..., P) to (...)."""
        return np.abs(thetas[..., self.network.slices[1]]).sum(axis=-1)

    def slope(self, thetas: Array) -> Array:
        """As for `Penalty`, thetas (..., P) to (..., P): the signs of W_2."""
        slope = np.zeros_like(thetas)
        slope[..., self.network.slices[1]] = np.sign(thetas[..., self.network.slices[1]])
        return slope

    def majorant(self, thetas: Array, floor: float) -> tuple[Array, Array]:
        """As for `Penalty`, thetas (B, P) to (B, P) each, from |w| <= w^2 / (2 s) + s / 2; floor: of s."""
        slope, bend, layer = np.zeros_like(thetas), np.zeros_like(thetas), self.network.slices[1]
        w = thetas[:, layer]
        size = np.maximum(np.abs(w), floor * np.abs(w).mean(axis=1, keepdims=True) + 1e-300)
        slope[:, layer], bend[:, layer] = w / size, 1 / size
        return slope, bend


class PathNorm(Penalty):
    """sum_i |W_K e_i| q^{K-1}_i: over all ways from input to output, the products of the weights met (see the module).

    ValueError for a network without a hidden layer.
    """

    name = "path"

    def __init__(self, network: Network, exponents: Any = None) -> None:
        super().__init__(network, exponents)
        if network.depth < 2:
            raise ValueError(f"penalty {self.name!r} needs a hidden layer; the network has widths {network.widths}")

    def value(self, thetas: Array) -> Array:
        """As for `Penalty`, thetas (..., P) to (...)."""
        seen, leaving = self._norms(thetas)
        return (leaving * seen[-1]).sum(axis=-1)

    def slope(self, thetas: Array) -> Array:
        """As for `Penalty`, thetas (..., P) to (..., P), by backpropagation; 0 for the direction of a zero row."""
        W, (seen, leaving) = self.network.weights(thetas), self._norms(thetas)
        blocks = [_over(W[-1], leaving[..., None, :]) * seen[-1][..., None, :]]
        back = leaving
        for k in range(len(W) - 1, 0, -1):
            back = back[..., : self.network.widths[k]]
            if k > 1:
                blocks.append(np.sign(W[k - 1]) * back[..., :, None] * seen[k - 2][..., None, :])
                back = (np.swapaxes(np.abs(W[k - 1]), -1, -2) @ back[..., None])[..., 0]
        blocks.append(_over(W[0], lengths(W[0])[..., None]) * back[..., None])
        return np.concatenate([block.reshape(*thetas.shape[:-1], -1) for block in blocks[::-1]], axis=-1)

    def upper(self, ends: Array, radius: Array) -> Array:
        """As for `Penalty`, ends (2, B, P) and radius (B, P) to (2, B)."""
        W = self.network.weights(np.abs(ends) + radius)
        q = self.network.augment(lengths(W[0])) + TINY
        for matrix in W[1:-1]:
            q = self.network.augment((matrix @ q[..., None])[..., 0] + _bend(matrix, q)) + TINY
        leaving = lengths(np.swapaxes(W[-1], -1, -2)) + TINY
        total = (leaving * q).sum(axis=-1) + _bend(leaving[..., None, :], q)[..., 0]
        return total * (1 + 8 * gamma(self._roundings())) + TINY

    def lower(self, points: Array, radius: Array) -> Array:
        """As for `Penalty`, points (B, P) and radius (B, P) to (B,)."""
        low = self.value(np.maximum(np.abs(points) - radius, 0.0))
        return np.maximum(low * (1 - 8 * gamma(self._roundings())) - self._underflow(points), 0.0)

    def _norms(self, thetas: Array) -> tuple[list[Array], Array]:
        """q^1, ..., q^{K-1} as the next layer sees them (with biases a last 1), and |W_K e_i|."""
        W = self.network.weights(thetas)
        seen = [self.network.augment(lengths(W[0]))]
        for matrix in W[1:-1]:
            seen.append(self.network.augment((np.abs(matrix) @ seen[-1][..., None])[..., 0]))
        return seen, lengths(np.swapaxes(W[-1], -1, -2))

    def _roundings(self) -> int:
        return sum(self.network.widths) + 16 * self.network.depth

    def _underflow(self, points: Array) -> Array:
        """What products below the range of float64 may have been rounded up by, passed on by the layers above."""
        size = np.abs(points).max(axis=-1) + 1
        with np.errstate(over="ignore"):
            return TINY * (size * max(self.network.widths)) ** self.network.depth


class Schatten(Penalty):
    """sum_k (1/p_k) sum_i sigma_i(W_k)^{p_k}, sigma the singular values (of W_k with its column of biases).

    exponents: one p_k >= 1 for each layer, or one number for all; None: p_k = K, which is the nuclear norm of the product
    of a linear net (K = 2: half the ridge). ValueError for anything else.
    """

    name = "schatten"

    def __init__(self, network: Network, exponents: Any = None) -> None:
        super().__init__(network, exponents)
        K = network.depth
        given = (K if exponents is None else exponents,) * K if _single(exponents) else exponents
        if isinstance(given, (str, bytes)) or not isinstance(given, Iterable) or len(given := tuple(given)) != K:
            raise ValueError(f"exponents must be one number or {K}, one per layer; got {check.describe(exponents)}")
        self.exponents = tuple(check.number(p, f"exponents[{k}]", minimum=1.0) for k, p in enumerate(given))

    def value(self, thetas: Array) -> Array:
        """As for `Penalty`, thetas (..., P) to (...)."""
        parts = [_power_sum(_singular_values(W), p) for W, p in self._layers(thetas)]
        return sum(parts, np.zeros(thetas.shape[:-1]))

    def slope(self, thetas: Array) -> Array:
        """As for `Penalty`, thetas (..., P) to (..., P): U sigma^(p-1) V^T, without the zero singular values."""
        blocks = []
        for W, p in self._layers(thetas):
            U, s, Vh = np.linalg.svd(W, full_matrices=False)
            blocks.append(((U * np.where(s > 0, s ** (p - 1), 0.0)[..., None, :]) @ Vh).reshape(*thetas.shape[:-1], -1))
        return np.concatenate(blocks, axis=-1)

    def upper(self, ends: Array, radius: Array) -> Array:
        """As for `Penalty`, ends (2, B, P) and radius (B, P) to (2, B)."""
        total = np.zeros(ends.shape[:-1])
        for (W, p), r in zip(self._layers(ends), self.network.weights(radius)):
            s, stretch, off = _decomposed(W, r)
            total += _power_sum((s * (1 + stretch) + off) * (1 + 8 * UNIT) + TINY, p)
        return total * (1 + gamma(self.network.size + 16) + 4 * LIBM) + TINY

    def lower(self, points: Array, radius: Array) -> Array:
        """As for `Penalty`, points (B, P) and radius (B, P) to (B,)."""
        total = np.zeros(points.shape[:-1])
        for (W, p), r in zip(self._layers(points), self.network.weights(radius)):
            s, stretch, off = _decomposed(W, r)
            total += _power_sum(np.maximum((s * (1 - stretch) - off) * (1 - 8 * UNIT) - TINY, 0.0), p)
        return np.maximum(total * (1 - gamma(self.network.size + 16) - 4 * LIBM) - TINY, 0.0)

    def _layers(self, thetas: Array) -> Any:
        return zip(self.network.weights(thetas), self.exponents or ())


PENALTIES: dict[str, type[Penalty]] = {kind.name: kind for kind in (SecondLayerL1, Ridge, PathNorm, Schatten)}

# What other libraries call them: error messages suggest our names.
ALIASES = {
    "l1": "second_layer_l1",
    "lasso": "second_layer_l1",
    "l2": "ridge",
    "weight_decay": "ridge",
    "path_norm": "path",
}


def _single(exponents: Any) -> bool:
    return exponents is None or (np.ndim(exponents) == 0 and not isinstance(exponents, (str, bytes)))


def _over(W: Array, norms: Array) -> Array:
    """W / norms, 0 where that is 0 / 0."""
    return np.divide(W, norms, out=np.zeros_like(W), where=norms > 0)


def lengths(W: Array) -> Array:
    """Euclidean lengths of W (..., n) along the last axis, (...), without overflow or underflow on the way."""
    size = np.abs(W).max(axis=-1, initial=0.0)
    return size * np.linalg.norm(W / np.where(size > 0, size, 1.0)[..., None], axis=-1)


def operator_norms(W: Array) -> Array:
    """The largest singular values of W (..., n, m), (...), from above."""
    s, stretch, off = _decomposed(W, np.zeros_like(W))
    largest: Array = (s * (1 + stretch) + off).max(axis=-1) * (1 + 8 * UNIT) + TINY
    return largest


def _bend(W: Array, q: Array) -> Array:
    """sum_j max(0, -dW_ij dq_j) / 4, d the differences of the ends, (1, B, rows): W (2, B, rows, n), q (2, B, n)."""
    dW, dq = W[1:] - W[:1], (q[1:] - q[:1])[..., None]
    rise = np.maximum(dW, 0.0) @ np.maximum(-dq, 0.0) + np.maximum(-dW, 0.0) @ np.maximum(dq, 0.0)
    return 0.25 * rise[..., 0]


def _power_sum(s: Array, p: float) -> Array:
    return (s**p).sum(axis=-1) / p


def _singular_values(W: Array) -> Array:
    try:
        return np.linalg.svd(W, compute_uv=False)
    except np.linalg.LinAlgError:  # not converged: nothing is known
        return np.full((*W.shape[:-2], min(W.shape[-2:])), np.inf)


def _decomposed(W: Array, radius: Array) -> tuple[Array, Array, Array]:
    """s, a and e with sigma_i in [s_i (1 - a) - e, s_i (1 + a) + e] for every matrix within `radius` of W, entrywise.

    W (..., n, m) is U diag(s) V^T + E as computed, E its residual. sigma_i(U diag(s) V^T) is between the least and the
    largest singular values of U and of V times s_i, and these differ from one by at most |U^T U - I|; Weyl adds |E|.
    Frobenius norms bound all of them; a and e come as (..., 1).
    """
    try:
        U, s, Vh = np.linalg.svd(W, full_matrices=False)
    except np.linalg.LinAlgError:
        s = np.full((*W.shape[:-2], min(W.shape[-2:])), np.inf)
        return s, np.zeros((*s.shape[:-1], 1)), np.full((*s.shape[:-1], 1), np.inf)
    g = 2 * gamma(max(W.shape[-2:]) + 16)
    left, right = np.abs(U) * s[..., None, :], np.abs(Vh)
    residual = np.abs(W - (U * s[..., None, :]) @ Vh) * (1 + g) + g * (left @ right + np.abs(W)) + radius + TINY
    stretch = np.maximum(_defect(np.swapaxes(U, -1, -2), g), _defect(Vh, g))
    return s, stretch, (lengths(lengths(residual)) * (1 + g))[..., None]


def _defect(Q: Array, g: float) -> Array:
    """A bound (..., 1) on |Q Q^T - I|, rows of Q orthonormal up to rounding."""
    product = Q @ np.swapaxes(Q, -1, -2)
    off = np.abs(product - np.eye(Q.shape[-2])) + g * (np.abs(Q) @ np.swapaxes(np.abs(Q), -1, -2) + 1)
    return (lengths(lengths(off)) * (1 + g))[..., None]
