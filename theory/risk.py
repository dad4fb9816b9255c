"""Empirical measures and the risk of eqs (1) and (2): F(theta) = E loss(Phi(X; theta), Y) + kappa R(theta)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory import losses, penalties
from theory.losses import Loss
from theory.networks import BLOCK, Network
from theory.numerics import Array, length
from theory.numerics import validation as check
from theory.penalties import Penalty

LOSSES = tuple(losses.LOSSES)
PENALTIES = (None, *penalties.PENALTIES)
ALONE = 3  # so few parameter vectors are gone through as quickly one by one


@dataclass(frozen=True, eq=False, repr=False)
class Sample:
    """An empirical measure: N atoms (x_i, y_i), each with a weight.

    X (N, n_in); Y (N, n_out), or (N,) for one output; weights (N,), nonnegative and not all zero, are scaled to sum to
    one (None: 1/N each). Data frames and series are taken by their values. Raises ValueError on an empty sample,
    mismatched lengths, NaN, infinity and masked entries.

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
            Y = Y[:, None]
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

    def __repr__(self) -> str:
        return f"Sample({_count(len(self), 'sample')}, {_count(self.n_in, 'input')}, {_count(self.n_out, 'output')})"

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
    def lengths(self) -> Array:
        """sqrt(E x_k^2) of each input, (n_in,), without overflow or underflow on the way."""
        root = np.sqrt(self.weights)
        return np.array([float(length(root * column)) for column in self.X.T])

    @cached_property
    def least_weight(self) -> float:
        """The smallest weight of those that are not zero."""
        return float(self.weights[self.weights > 0].min())

    @cached_property
    def energy(self) -> float:
        """E |Y|^2."""
        return float(self.weights @ np.sum(self.Y**2, axis=1))


class PenalisedRisk:
    """What every risk F(theta) = fit(theta) + kappa R(theta) does: the base of `Risk` and of the population's.

    A subclass is a dataclass with fields network, kappa, penalty and exponents that calls `_check_penalty`, and says
    how the fit and its gradient are computed on a slab of parameter vectors. Where float64 overflows on the way, the
    value is +inf, never NaN, so that a line search turns back there; a gradient is refused.
    """

    network: Network
    kappa: float
    penalty: str | None
    exponents: Any

    allow_complex = False  # whether the fit takes complex parameters, for derivatives by a complex step

    def __call__(self, theta: ArrayLike) -> float:
        """F(theta) for one parameter vector (P,), +inf where float64 overflows; ValueError for a batch."""
        theta = check.parameters(theta, self.network.size, allow_complex=self.allow_complex)
        if theta.ndim != 1:
            raise ValueError(
                f"theta must have shape ({self.network.size},); got {theta.shape}. For batches use risk.batch"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            value = self._fit_at(theta)
            if self.R is not None:
                value = value + self._penalty_values(theta[None])[0]
        if theta.dtype.kind == "c":
            return value if np.isfinite(value) else value.dtype.type(np.inf)
        return float(value) if math.isfinite(value) else math.inf

    def batch(self, thetas: ArrayLike) -> Array:
        """F at each of thetas (..., P), shape (...), +inf where float64 overflows. Works in slabs of bounded memory."""
        thetas = check.parameters(thetas, self.network.size, "thetas", allow_complex=self.allow_complex)
        parts = [self._values(slab) for slab in self._slabs(thetas)]
        return np.concatenate(parts).reshape(thetas.shape[:-1]) if parts else np.zeros(thetas.shape[:-1])

    def gradient(self, theta: ArrayLike) -> Array:
        """dF/dtheta, (..., P); at kinks of relu, of the loss and of |.| the subgradient with slope 0.

        ValueError where float64 overflows.
        """
        theta = check.parameters(theta, self.network.size)
        with np.errstate(over="ignore", invalid="ignore"):
            parts = [self._slopes(slab) for slab in self._slabs(theta)]
        return check.no_overflow(
            np.concatenate(parts).reshape(theta.shape) if parts else np.zeros(theta.shape), "theta"
        )

    def unpenalised(self, thetas: Array) -> Array:
        """F without kappa R at thetas (B, P), (B,), unchecked, in slabs of bounded memory; inf or NaN on overflow."""
        with np.errstate(over="ignore", invalid="ignore"):
            parts = [self._fits(slab) for slab in self._slabs(thetas)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def regulariser(self, theta: ArrayLike) -> Array:
        """kappa R(theta) at theta (..., P), shape (...); NaN and infinity pass through."""
        self.network.weights(theta)  # for its checks
        return self._penalty_values(np.asarray(theta))

    def row_norms(self, theta: ArrayLike) -> Array:
        """Euclidean norms of the rows of W_1 at theta (..., P), (..., n_1): eq. (6) keeps them in the unit ball."""
        W = self.network.weights(check.parameters(theta, self.network.size))[0]
        return check.no_overflow(penalties.lengths(W), "theta")

    def pair(self, theta_a: ArrayLike, theta_b: ArrayLike) -> tuple[Array, Array]:
        """Two parameter vectors theta_a, theta_b (P,) as float arrays; ValueError names the one that is none."""
        size = self.network.size
        return check.vector(theta_a, size, "theta_a"), check.vector(theta_b, size, "theta_b")

    @cached_property
    def R(self) -> Penalty | None:
        """The penalty of this network with its slopes and bounds; None where kappa = 0, so that R is not even asked for."""
        if self.kappa == 0 or self.penalty is None:
            return None
        return penalties.PENALTIES[self.penalty](self.network, self.exponents)

    def _check_penalty(self) -> None:
        check.choice(self.penalty, "penalty", PENALTIES, penalties.ALIASES)
        object.__setattr__(self, "kappa", check.number(self.kappa, "kappa", minimum=0.0))
        if self.penalty is None:
            if self.kappa > 0:
                names = ", ".join(map(repr, penalties.PENALTIES))
                raise ValueError(f"kappa must be 0 without a penalty; got {self.kappa}. Choose penalty={names}")
            if self.exponents is not None:
                raise ValueError(f"exponents are for the penalty 'schatten'; got {self.exponents!r} without a penalty")
        else:
            exponents = penalties.PENALTIES[self.penalty](self.network, self.exponents).exponents
            object.__setattr__(self, "exponents", exponents)

    def _slabs(self, thetas: Array) -> list[Array]:
        """The parameter vectors (..., P) in slabs (B, P) of bounded memory."""
        flat, step = thetas.reshape(-1, self.network.size), max(1, BLOCK // self._footprint())
        return [flat[i : i + step] for i in range(0, len(flat), step)]

    def _values(self, thetas: Array) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            value = self._fits(thetas) + self._penalty_values(thetas)
        return np.where(np.isfinite(value), value, np.inf)

    def _slopes(self, thetas: Array) -> Array:
        gradient = self._fit_slopes(thetas)
        return gradient if self.R is None else gradient + self.kappa * self.R.slope(thetas)

    def _penalty_values(self, thetas: Array) -> Array:
        if self.R is None:
            return np.zeros(thetas.shape[:-1])
        with np.errstate(over="ignore", invalid="ignore"):
            return self.kappa * self.R.value(thetas)

    def _penalty_words(self) -> str:
        """The penalty as a representation shows it: empty, or ', 0.1 ridge'."""
        return "" if self.penalty is None else f", {self.kappa:.6g} {self.penalty}"

    def _footprint(self) -> int:
        """How many numbers one parameter vector takes on the way."""
        raise NotImplementedError

    def _fit_at(self, theta: Array) -> Any:
        """The fit at one parameter vector (P,), a number."""
        return self._fits(theta[None])[0]

    def _fits(self, thetas: Array) -> Array:
        """The fit at a slab (B, P), (B,)."""
        raise NotImplementedError

    def _fit_slopes(self, thetas: Array) -> Array:
        """The gradient of the fit at a slab (B, P), (B, P)."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False, repr=False)
class Risk(PenalisedRisk):
    """F(theta) = sum_i weight_i * loss(Phi(x_i; theta), y_i) + kappa * R(theta).

    loss: "squared" |Phi - Y|^2 (eq. 1), "absolute" |Phi - Y|_1; "logistic", log(1 + exp(-Y Phi)), and "hinge",
    max(0, 1 - Y Phi), of targets -1 and +1, each summed over outputs; "softmax", the cross-entropy of the logits Phi with
    rows of Y that sum to one, or with labels 0, 1, ... in one column of Y (see `theory.losses`).
    penalty: None; "second_layer_l1", R = ||W_2||_1 over all entries of W_2, for one hidden layer, which the paper pairs
    with rows of W_1 in the unit ball (eq. 6; see `row_norms`); "ridge", R = |theta|^2; "path", the path norm; "schatten",
    sum_k (1/p_k) ||W_k||^p_k with exponents p_k >= 1 (None: all equal to the depth; see `theory.penalties`).
    kappa >= 0, and kappa > 0 needs a penalty. ValueError when network, sample, loss and penalty do not go together.
    Where float64 overflows on the way, the value is +inf, never NaN, so that a line search turns back there; a gradient
    is refused, and so is a bound (`maxima`).

    >>> net = Network((1, 1, 1))
    >>> F = Risk(net, Sample([[1.0], [-1.0]], [2.0, 0.0]), kappa=0.5, penalty="second_layer_l1")
    >>> theta = net.pack([[[1.0]], [[1.0]]])
    >>> F(theta), F.gradient(theta).tolist()
    (1.0, [-1.0, -0.5])
    """

    network: Network
    sample: Sample
    loss: str = "squared"
    kappa: float = 0.0
    penalty: str | None = None
    exponents: Any = None

    allow_complex = True

    def __post_init__(self) -> None:
        if not isinstance(self.network, Network):
            raise ValueError(f"network must be a Network; got {type(self.network).__name__}")
        if not isinstance(self.sample, Sample):
            raise ValueError(f"sample must be a Sample(X, Y); got {type(self.sample).__name__}")
        check.choice(self.loss, "loss", LOSSES, losses.ALIASES)
        self._check_penalty()
        n_in, n_out = self.network.widths[0], self.network.widths[-1]
        labels = self.loss == "softmax" and self.sample.n_out == 1
        if n_in != self.sample.n_in or (n_out != self.sample.n_out and not labels):
            raise ValueError(
                f"network maps R^{n_in} to R^{n_out}, the sample has {self.sample.n_in} inputs and {self.sample.n_out} outputs"
            )
        Y = self.criterion.targets(self.sample.Y, n_out)
        if Y is not self.sample.Y:
            object.__setattr__(self, "sample", Sample(self.sample.X, Y, self.sample.weights))

    def __repr__(self) -> str:
        return f"Risk({self.network}, {self.sample}, {self.loss}{self._penalty_words()})"

    @property
    def criterion(self) -> Loss:
        """The loss l(f, y) with its slopes, constants and bounds."""
        return losses.LOSSES[self.loss]

    @cached_property
    def scale(self) -> float:
        """F at theta = 0: what differences of risks are small or large against. E |Y|^2 for the squared loss."""
        return self(np.zeros(self.network.size))

    def residuals(self, theta: ArrayLike) -> Array:
        """Phi(X; theta) - Y at theta (..., P), shape (..., N, n_out)."""
        outputs = self.network(theta, self.sample.X)
        with np.errstate(over="ignore"):
            return check.no_overflow(outputs - self.sample.Y, "theta")

    def on_part(self, count: int) -> Risk:
        """The risk on about `count` samples, evenly spread; itself where that is not at most half of them, or has no weight."""
        sample = self.sample
        every = slice(None, None, max(len(sample) // count, 1))
        weights = sample.weights[every]
        if every.step == 1 or not weights.any():
            return self
        return replace(self, sample=Sample(sample.X[every], sample.Y[every], weights))

    def without_biases(self, theta: ArrayLike) -> tuple[Risk, Array]:
        """The same risk for the network without biases, of inputs (x, 1), and theta (..., P) there, (..., P').

        `Network.without_biases` says how, and when ValueError is raised; `Network.with_biases` brings a path back. With a
        penalty it is refused: it would be charged for the biases.
        """
        if self.R is not None:
            raise ValueError(f"risk must have kappa = 0 to absorb biases; got {self.kappa} {self.penalty}")
        network, theta = self.network.without_biases(theta)
        X = np.column_stack([self.sample.X, np.ones(len(self.sample))])
        return replace(self, network=network, sample=Sample(X, self.sample.Y, self.sample.weights)), theta

    def _footprint(self) -> int:
        return len(self.sample) * max(self.network.widths)

    def _fits(self, thetas: Array) -> Array:
        if len(thetas) <= ALONE:
            return np.array([self._fit_at(theta) for theta in thetas])
        return self._fit_at(thetas)

    def _fit_at(self, theta: Array) -> Any:
        sample = self.sample  # one point has no axis of length one on the way
        return self.criterion.value(self.network.outputs(theta, sample.X), sample.Y) @ sample.weights

    def _fit_slopes(self, thetas: Array) -> Array:
        sample, criterion = self.sample, self.criterion

        def slope(outputs: Array, rows: slice) -> Array:
            return criterion.slope(outputs, sample.Y[rows]) * sample.weights[rows, None]

        return self.network.gradients(thetas, sample.X, slope)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
