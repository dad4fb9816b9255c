"""The door of the chapter: what is allowed, seen with n_in <= n_out, and the units that all is computed in.

Linear networks, with no penalty or ridge (Proposition 2.2, repaired). The transposes W_K^T, ..., W_1^T have the same
risk, so `LinearProblem` shows a network without biases by its factors from the side of r = min(n_in, n_out): everything
behind the door sees n_in <= n_out. And it sees X and Y of largest entry in [1/2, 1): a power of two on X goes into W_1,
one on Y into W_K (with ridge evenly into both), exactly, and back into the results.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from theory.linear_paths.exact import ExactLoss
from theory.networks import Network
from theory.numerics import Array, above, times
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk, Sample

# X and Y are refused when their largest entries are not between 2^-MOST_BITS and 2^MOST_BITS (or all zero).
MOST_BITS = 400


@dataclass(frozen=True, eq=False)
class LinearProblem:
    """The risk of a linear network, checked, its factors in the order that makes n_in <= n_out.

    W_1 (h, n), ..., W_K (m, h) are what `factors` gives, n <= m unless there are biases. `unit`: messages show a risk
    times 2^unit. ValueError unless activation and output are the identity and the penalty is none or ridge (without
    biases, but for one layer).
    """

    risk: Risk
    unit: int = 0

    def __post_init__(self) -> None:
        check_linear(self.risk)

    @property
    def turned(self) -> bool:
        """Whether n_in > n_out: then the theorems are applied to the transposes."""
        return turned(self.risk.network)

    @property
    def network(self) -> Network:
        """The network of the factors."""
        return transpose(self.risk.network)[0] if self.turned else self.risk.network

    @property
    def rank(self) -> int:
        """r = min(n_in, n_out)."""
        return min(self.risk.network.widths[0], self.risk.network.widths[-1])

    @property
    def critical(self) -> bool:
        """One hidden layer, width exactly r, no biases."""
        return self.risk.network.hidden == (self.rank,) and not self.risk.network.bias

    @cached_property
    def exact(self) -> ExactLoss:
        """The loss in rational arithmetic, as a function of the product."""
        return ExactLoss(self.risk)

    def factors(self, theta: Array) -> list[Array]:
        """W_1, ..., W_K, or W_K^T, ..., W_1^T when n_in > n_out."""
        W = self.risk.network.weights(theta)
        return [A.T for A in reversed(W)] if self.turned else list(W)

    def vector(self, *factors: Array) -> Array:
        """The parameters (P,) with these factors."""
        return self.risk.network.pack([A.T for A in reversed(factors)] if self.turned else list(factors))

    def turn(self, M: Array) -> Array:
        """The product of the factors from that of the network, or back: M or its transpose."""
        return M.T if self.turned else M

    def level(self, a: Array, b: Array) -> float:
        """The larger of the risks at a and b, (P,) each; ValueError where float64 overflows."""
        return max(check.no_overflow(self.risk(end), name) for end, name in ((a, "theta_a"), (b, "theta_b")))

    def shown(self, value: float) -> str:
        """A risk `value` as messages print it."""
        return f"{float(np.ldexp(value, self.unit)):.9g}"

    def path(self, of_factors: Path) -> Path:
        """A path `of_factors`, of their network, as one of the network."""
        if not self.turned:
            return of_factors
        order = np.argsort(transpose(self.risk.network)[1])
        return Path(of_factors.points[:, order], of_factors.labels)

    @property
    def wide(self) -> bool:
        """Whether every hidden layer has a unit to spare for moves around it."""
        return all(width > self._features for width in self.risk.network.hidden)

    @property
    def _features(self) -> int:
        return self.risk.network.widths[0] if self.risk.network.bias else self.rank

    def check_widths(self) -> None:
        """ValueError naming the first hidden layer that is not wide enough for moves around an idle unit."""
        needed = self._features + 1
        for layer, width in enumerate(self.risk.network.hidden, start=1):
            if width >= needed:
                continue
            if width > self.rank:
                raise ValueError(
                    f"hidden layer {layer} has width {width}; nets with biases need at least n_in + 1 = {needed}. "
                    "Append a column of ones to X and drop the biases to get by with min(n_in + 1, n_out) + 1"
                )
            raise ValueError(
                f"hidden layer {layer} has width {width} and needs at least min(n_in, n_out) + 1 = {needed}: at width "
                f"{needed - 1} and below level sets can be disconnected (the sign of a determinant cannot change)"
            )


@dataclass(frozen=True, eq=False)
class Scale:
    """Powers of two between the user's numbers and those behind the door.

    `x`, `y`: X = 2^x X', Y = 2^y Y'; `parameters` (P,): theta = 2^parameters theta', entry by entry; `value`: the risk is
    2^value times that behind the door. `bias`: whether the last column of M multiplies 1. A bound keeps its side where the
    scaling leaves the normal floats; its `exponent` is `value` unless given.
    """

    x: int
    y: int
    parameters: Array
    value: int
    bias: bool

    def inside(self, theta: Array, name: str = "theta") -> Array:
        """theta', (..., P); ValueError where it is not representable."""
        return check.no_overflow(times(theta, -self.parameters), name)

    def outside(self, path: Path, start: Array | None = None, end: Array | None = None) -> Path:
        """The path in the user's units, its first and last vertex bit for bit `start` and `end` (P,) where they are given.

        ValueError where a weight is not representable.
        """
        points = check.no_overflow(times(path.points, self.parameters), "theta")
        if end is not None:
            points[-1] = end
        if start is not None:
            points[0] = start
        return Path(points, path.labels)

    def product(self, M: Array) -> Array:
        """M (n_out, n_in) in the user's units."""
        exponents = np.full(M.shape, self.y - self.x)
        if self.bias:
            exponents[:, -1] = self.y
        return check.no_overflow(times(M, exponents), "X")

    def above(self, value: float, exponent: int | None = None) -> float:
        """A bound from above in the user's units; exponent: of another quantity than the risk."""
        return above(value, self.value if exponent is None else exponent)

    def below(self, value: float) -> float:
        """A bound from below in the user's units."""
        return -self.above(-value)


def normalised(risk: Risk) -> tuple[LinearProblem, Scale]:
    """The problem with X and Y of largest entry in [1/2, 1), and the way back.

    ValueError, besides those of `LinearProblem`, for X, Y or kappa of a size that leaves no room to compute in.
    """
    check_linear(risk)
    network, sample = risk.network, risk.sample
    y = _exponent(sample.Y, "Y")
    x = 0 if risk.kappa > 0 and network.bias else _exponent(sample.X, "X")
    if risk.kappa > 0 and network.depth == 2:
        x += (y - x) % 2  # W_1 and W_2 take the same power
        layers = [(y - x) // 2] * 2
    else:
        layers = [0] * network.depth
        layers[0] -= x
        layers[-1] += y
    exponents = [np.full(W.shape, e) for W, e in zip(network.weights(np.zeros(network.size)), layers)]
    if network.bias:
        exponents[0][:, -1] += x
    value = 2 * y if risk.loss == "squared" else y
    kappa = risk.kappa
    if kappa > 0 and network.depth <= 2:
        kappa = float(times(kappa, 2 * layers[0] - value))
        if not 2.0**-900 < kappa < 2.0**MOST_BITS:
            raise ValueError(
                f"kappa must be between 1e-270 and 1e120 times the scale of the data; got {risk.kappa} for X of size 2^{x}, "
                f"Y of size 2^{y}: choose other units"
            )
    scaled = Sample(times(sample.X, -x), times(sample.Y, -y), sample.weights)
    scale = Scale(x, y, network.pack(exponents).astype(int), value, network.bias)
    return LinearProblem(replace(risk, sample=scaled, kappa=kappa), value), scale


def _exponent(A: Array, name: str) -> int:
    largest = float(np.abs(A).max())
    exponent = int(np.frexp(largest)[1])
    if largest > 0 and abs(exponent) > MOST_BITS:
        raise ValueError(
            f"{name} must have its largest entry between 2^-{MOST_BITS} and 2^{MOST_BITS}; got {largest}: choose other units"
        )
    return exponent


def turned(network: Network) -> bool:
    """Whether n_in > n_out, without biases: then the transposes are what theorems are applied to."""
    return network.widths[0] > network.widths[-1] and not network.bias


def transpose(network: Network) -> tuple[Network, Array]:
    """The network of transposes, W_1^T last, and the order such that theta[order] are its parameters, (P,)."""
    index = network.weights(np.arange(network.size))
    order = np.concatenate([W.T.ravel() for W in reversed(index)]).astype(int)
    return Network(network.widths[::-1], activation="identity"), order


def check_linear(risk: Risk) -> None:
    """ValueError unless the risk is that of a linear network: squared or absolute loss, no penalty or ridge."""
    if not isinstance(risk, Risk):
        raise ValueError(f"risk must be a Risk; got {type(risk).__name__}")
    network = risk.network
    if network.activation != "identity" or network.output != "identity":
        raise ValueError(
            "risk must be that of a linear network (activation and output 'identity'); "
            f"got activation {network.activation!r}, output {network.output!r}"
        )
    if risk.loss not in ("squared", "absolute"):
        raise ValueError(f"risk must have the squared or the absolute loss; got {risk.loss!r}")
    if risk.kappa > 0 and risk.penalty != "ridge":
        raise ValueError(f"penalty must be 'ridge' when kappa > 0: nothing is proved here for {risk.penalty!r}")
    if risk.kappa > 0 and network.bias and network.depth > 1:
        raise ValueError("bias must be False with ridge: the balanced factorisation has no constant unit to shrink")


def enter(problem: LinearProblem, scale: Scale, theta: ArrayLike, name: str = "theta") -> tuple[Array, Array]:
    """theta as a copy (P,), and theta' in these `scale` of a problem; ValueError giving its `name` and what is wrong."""
    size = problem.risk.network.size
    end = np.array(check.parameters(theta, size, name), dtype=float)
    if end.ndim != 1:
        raise ValueError(f"{name} must have shape ({size},); got {end.shape}")
    return end, scale.inside(end, name)
