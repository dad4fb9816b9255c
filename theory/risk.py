"""Empirical measures and the risk of eqs (1) and (2): F(theta) = E loss(Phi(X; theta), Y) + kappa R(theta)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from theory.networks import Network
from theory.numerics import SLAB, Array
from theory.numerics import validation as check

LOSSES = ("squared", "absolute")
PENALTIES = (None, "second_layer_l1", "ridge")


@dataclass(frozen=True, eq=False)
class Sample:
    """An empirical measure: N atoms (x_i, y_i), each with a weight.

    X (N, n_in), Y (N, n_out); weights (N,), nonnegative and not all zero, are scaled to sum to one
    (None: 1/N each). Raises ValueError on an empty sample, mismatched lengths, NaN or infinity.

    >>> sample = Sample([[1.0], [-1.0]], [[2.0], [0.0]], weights=[3, 1])
    >>> len(sample), sample.weights.tolist(), sample.energy
    (2, [0.75, 0.25], 3.0)
    """

    X: Array
    Y: Array
    weights: Array = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        X = np.array(check.finite_array(self.X, "X", ndim=2))
        if X.shape[0] == 0 or X.shape[1] == 0:
            raise ValueError(f"X must have at least one row (sample) and one column; got shape {X.shape}")
        Y = np.array(check.finite_array(self.Y, "Y"))
        if Y.ndim == 1:
            raise ValueError(f"Y must have shape (N, n_out); got {Y.shape}. For one output pass Y[:, None]")
        if Y.ndim != 2 or Y.shape[0] != X.shape[0] or Y.shape[1] == 0:
            raise ValueError(f"Y must have shape ({X.shape[0]}, n_out), one row per row of X; got {Y.shape}")
        if self.weights is None:
            weights = np.full(X.shape[0], 1 / X.shape[0])
        else:
            weights = np.array(check.finite_array(self.weights, "weights", ndim=1))
            if weights.shape != X.shape[:1]:
                raise ValueError(f"weights must have shape ({X.shape[0]},), one per sample; got {weights.shape}")
            if (weights < 0).any() or not weights.any():
                raise ValueError(f"weights must be nonnegative with a positive sum; got {weights.min()} at least")
            with np.errstate(over="ignore"):
                total = weights.sum()
            if not np.isfinite(total):
                weights = weights / weights.max()
                total = weights.sum()
            if abs(total - 1) > len(weights) * np.finfo(float).eps:  # weights that sum to one are kept to the bit
                weights = weights / total
        for name, array in (("X", X), ("Y", Y), ("weights", weights)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return self.X.shape[0]

    @property
    def n_in(self) -> int:
        """Input dimension n."""
        return self.X.shape[1]

    @property
    def n_out(self) -> int:
        """Output dimension."""
        return self.Y.shape[1]

    @cached_property
    def second_moment(self) -> Array:
        """Sigma = E X X^T (n_in, n_in): the second moment, not the covariance."""
        return (self.X * self.weights[:, None]).T @ self.X

    @cached_property
    def energy(self) -> float:
        """E |Y|^2."""
        return float(self.weights @ np.sum(self.Y**2, axis=1))


@dataclass(frozen=True, eq=False)
class Risk:
    """F(theta) = sum_i weight_i * loss(Phi(x_i; theta), y_i) + kappa * R(theta).

    loss: "squared" |Phi - Y|^2 (eq. 1) or "absolute" |Phi - Y|_1, each summed over outputs. penalty: None;
    "second_layer_l1", R = ||W_2||_1 over all entries of W_2, for one hidden layer, which the paper pairs with rows of
    W_1 in the unit ball (eq. 6; see `row_norms`); "ridge", R = |theta|^2. kappa >= 0, and kappa > 0 needs a penalty.
    ValueError when network, sample, loss and penalty do not go together. Where float64 overflows on the way, the value is
    +inf, never NaN, so that a line search turns back there; a gradient is refused, and so is a bound (`maxima`).

    >>> net = Network((1, 1, 1))
    >>> F = Risk(net, Sample([[1.0], [-1.0]], [[2.0], [0.0]]), kappa=0.5, penalty="second_layer_l1")
    >>> theta = net.pack([[[1.0]], [[1.0]]])
    >>> F(theta), F.gradient(theta).tolist()
    (1.0, [-1.0, -0.5])
    """

    network: Network
    sample: Sample
    loss: str = "squared"
    kappa: float = 0.0
    penalty: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.network, Network):
            raise ValueError(f"network must be a Network; got {type(self.network).__name__}")
        if not isinstance(self.sample, Sample):
            raise ValueError(f"sample must be a Sample(X, Y); got {type(self.sample).__name__}")
        check.choice(self.loss, "loss", LOSSES)
        check.choice(self.penalty, "penalty", PENALTIES)
        object.__setattr__(self, "kappa", check.number(self.kappa, "kappa", minimum=0.0))
        if self.kappa > 0 and self.penalty is None:
            raise ValueError(
                f"kappa must be 0 without a penalty; got {self.kappa}. Choose penalty='second_layer_l1' or 'ridge'"
            )
        if self.penalty == "second_layer_l1" and self.network.depth != 2:
            raise ValueError(
                f"penalty 'second_layer_l1' needs one hidden layer; the network has widths {self.network.widths}"
            )
        ends = (self.network.widths[0], self.network.widths[-1])
        if ends != (self.sample.n_in, self.sample.n_out):
            raise ValueError(
                f"network maps R^{ends[0]} to R^{ends[1]}, the sample has {self.sample.n_in} inputs and {self.sample.n_out} outputs"
            )

    def __call__(self, theta: ArrayLike) -> float:
        """F(theta) for one parameter vector (P,), +inf where float64 overflows; ValueError for a batch."""
        theta = check.parameters(theta, self.network.size, allow_complex=True)
        if theta.ndim != 1:
            raise ValueError(
                f"theta must have shape ({self.network.size},); got {theta.shape}. For batches use risk.batch"
            )
        value = self._values(theta[None])[0]
        return value if np.iscomplexobj(theta) else float(value)

    def batch(self, thetas: ArrayLike) -> Array:
        """F at each of thetas (..., P), shape (...), +inf where float64 overflows. Works in slabs of bounded memory."""
        thetas = check.parameters(thetas, self.network.size, allow_complex=True)
        flat = thetas.reshape(-1, self.network.size)
        step = max(1, SLAB // (len(self.sample) * max(self.network.widths)))
        parts = [self._values(flat[i : i + step]) for i in range(0, len(flat), step)]
        return np.concatenate(parts).reshape(thetas.shape[:-1]) if parts else np.zeros(thetas.shape[:-1])

    def gradient(self, theta: ArrayLike) -> Array:
        """dF/dtheta by backpropagation, (..., P); at kinks of relu and |.| the subgradient with slope 0.

        ValueError where float64 overflows.
        """
        theta = check.parameters(theta, self.network.size)
        flat = theta.reshape(-1, self.network.size)
        step = max(1, SLAB // (len(self.sample) * max(self.network.widths)))
        with np.errstate(over="ignore", invalid="ignore"):
            parts = [self._gradients(flat[i : i + step]) for i in range(0, len(flat), step)]
        return check.no_overflow(
            np.concatenate(parts).reshape(theta.shape) if parts else np.zeros(theta.shape), "theta"
        )

    def residuals(self, theta: ArrayLike) -> Array:
        """Phi(X; theta) - Y, shape (..., N, n_out)."""
        outputs = self.network(theta, self.sample.X)
        with np.errstate(over="ignore"):
            return check.no_overflow(outputs - self.sample.Y, "theta")

    def regulariser(self, theta: ArrayLike) -> Array:
        """kappa R(theta), shape (...)."""
        self.network.weights(theta)  # for its checks
        theta = np.asarray(theta)
        if self.kappa == 0:  # also where |theta|^2 overflows
            return np.zeros(theta.shape[:-1])
        with np.errstate(over="ignore"):
            if self.penalty == "second_layer_l1":
                return self.kappa * np.abs(theta[..., self.network.slices[1]]).sum(axis=-1)
            if self.penalty == "ridge":
                return self.kappa * (theta**2).sum(axis=-1)
        return np.zeros(theta.shape[:-1])

    def row_norms(self, theta: ArrayLike) -> Array:
        """Euclidean norms of the rows of W_1, (..., n_1): eq. (6) keeps them in the unit ball."""
        W = self.network.weights(check.parameters(theta, self.network.size))[0]
        with np.errstate(over="ignore"):
            norms = np.linalg.norm(W, axis=-1)
            if not np.isfinite(norms).all():  # their squares overflow, and perhaps not they
                norms = np.where(np.isfinite(norms), norms, 2.0**512 * np.linalg.norm(W / 2.0**512, axis=-1))
        return check.no_overflow(norms, "theta")

    def on_part(self, count: int) -> Risk:
        """The risk on about `count` samples, evenly spread; itself where that is not at most half of them, or has no weight."""
        sample = self.sample
        every = slice(None, None, max(len(sample) // count, 1))
        weights = sample.weights[every]
        if every.step == 1 or not weights.any():
            return self
        return replace(self, sample=Sample(sample.X[every], sample.Y[every], weights))

    def _values(self, thetas: Array) -> Array:
        network, sample = self.network, self.sample
        with np.errstate(over="ignore", invalid="ignore"):
            r = network.rho(network.depth).value(network.layers(thetas, sample.X)[1][-1]) - sample.Y
            pointwise = r**2 if self.loss == "squared" else np.abs(r)
            value = pointwise.sum(axis=-1) @ sample.weights + self.regulariser(thetas)
        return np.where(np.isfinite(value), value, np.inf)

    def _gradients(self, thetas: Array) -> Array:
        network, sample = self.network, self.sample
        seen, before = network.layers(thetas, sample.X)
        last = network.rho(network.depth)
        r = last.value(before[-1]) - sample.Y
        outer = 2 * r if self.loss == "squared" else np.sign(r)
        delta = outer * sample.weights[:, None] * last.slope(before[-1])
        gradient = network.backpropagate(thetas, seen, before, delta)
        if self.penalty == "ridge":
            gradient = gradient + 2 * self.kappa * thetas
        elif self.penalty == "second_layer_l1":
            gradient[..., network.slices[1]] += self.kappa * np.sign(thetas[..., network.slices[1]])
        return gradient
