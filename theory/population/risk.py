"""The oracle risk of eq. (2) in closed form: X ~ N(0, Sigma) and a one-hidden-layer ReLU teacher.

F(theta) = E |Phi(X; theta) - Phi*(X)|^2 + noise + kappa R(theta). Student and teacher together are one net f with rows
v_i and outgoing weights c_i, and E |f|^2 = sum_ij <c_i, c_j> k(v_i, v_j) with the arc-cosine kernel (Cho & Saul 2009)

    k(v, w) = E relu(<v, X>) relu(<w, X>) = |x| |y| (sin phi + (pi - phi) cos phi) / (2 pi),

x = Sigma^(1/2) v, y = Sigma^(1/2) w at the angle phi. So the paper's "empirical versus oracle" can be measured on one
and the same path (`theory.population.maxima`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from theory.networks import Network
from theory.numerics import Array
from theory.numerics import validation as check
from theory.population import enclosures
from theory.relu_kernel import Gaussian, Law, arc_cosine_shape
from theory.risk import PenalisedRisk, Risk, Sample


@dataclass(frozen=True, eq=False, repr=False)
class TeacherRisk(PenalisedRisk):
    """F(theta) = E |Phi(X; theta) - Phi(X; teacher)|^2 + noise + kappa R(theta), X ~ N(0, second_moment).

    network: one hidden relu layer, linear output, no biases; second_moment (n_in, n_in), possibly singular;
    teacher: the parameters (P',) of `teacher_network` (None: of `network`), of the same kind; noise: E |Y - Phi*(X)|^2
    of an independent error. kappa, penalty and exponents as for `Risk`. ValueError on anything else.
    """

    network: Network
    second_moment: Array
    teacher: Array
    teacher_network: Network = None  # type: ignore[assignment]
    noise: float = 0.0
    kappa: float = 0.0
    penalty: str | None = None
    exponents: Any = None

    def __post_init__(self) -> None:
        if self.teacher_network is None:
            object.__setattr__(self, "teacher_network", self.network)
        for net, name in ((self.network, "network"), (self.teacher_network, "teacher_network")):
            if not isinstance(net, Network):
                raise ValueError(f"{name} must be a Network; got {type(net).__name__}")
            if net.depth != 2 or net.activation != "relu" or net.output != "identity" or net.bias:
                raise ValueError(f"{name} must have one hidden relu layer, a linear output and no biases; got {net}")
        ends, others = (net.widths[:: net.depth] for net in (self.network, self.teacher_network))
        if ends != others:
            raise ValueError(f"teacher_network must map R^{ends[0]} to R^{ends[1]}; it has widths {others}")
        S = Gaussian(self.second_moment).second_moment
        if len(S) != ends[0]:
            raise ValueError(f"second_moment must have shape ({ends[0]}, {ends[0]}); got {S.shape}")
        teacher = np.array(check.vector(self.teacher, self.teacher_network.size, "teacher"))
        teacher.flags.writeable = False
        for name, value in (("second_moment", S), ("teacher", teacher)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "noise", check.number(self.noise, "noise", minimum=0.0))
        self._check_penalty()

    def __repr__(self) -> str:
        noise = f", noise {self.noise:.6g}" if self.noise else ""
        return f"TeacherRisk({self.network}, teacher {self.teacher_network}{noise}{self._penalty_words()})"

    def draw(self, size: int, rng: np.random.Generator | int | None = None) -> Sample:
        """`size` independent samples (x, y), the error Gaussian and shared evenly by the outputs."""
        rng = check.generator(rng)
        X = Gaussian(self.second_moment).draw(rng, check.positive_integer(size, "size"))
        Y = self.teacher_network(self.teacher, X)
        return Sample(X, Y + np.sqrt(self.noise / Y.shape[1]) * rng.standard_normal(Y.shape))

    def empirical(self, sample: Sample) -> Risk:
        """The same risk on a sample."""
        return Risk(self.network, sample, kappa=self.kappa, penalty=self.penalty, exponents=self.exponents)

    def fit(self, thetas: Array) -> tuple[Array, Array]:
        """E |Phi - Phi*|^2 at thetas (B, P), unchecked, and a bound on the error of each: two arrays (B,)."""
        parts = [self._fit(slab) for slab in self._slabs(thetas)]
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    @cached_property
    def law(self) -> Law:
        """N(0, Sigma), scaled for bounds."""
        return Law.of(Gaussian(self.second_moment))

    @property
    def footprint(self) -> int:
        """How many numbers one parameter vector takes on the way."""
        units = self.network.hidden[0] + self.teacher_network.hidden[0]
        return units**2 + units * self.network.widths[0]

    def _footprint(self) -> int:
        return self.footprint

    def _fits(self, thetas: Array) -> Array:
        return self._value(thetas) + self.noise

    def units(self, thetas: Array) -> tuple[Array, Array]:
        """Rows V (B, M, n) and outgoing weights C (B, M, d) of student minus teacher at thetas (B, P), M = m + m'."""
        W, b = self.network.weights(thetas)
        V, c = self.teacher_network.weights(self.teacher)
        lead = thetas.shape[:-1]
        rows = np.concatenate([W, np.broadcast_to(V, (*lead, *V.shape))], axis=-2)
        out = np.concatenate([np.swapaxes(b, -1, -2), np.broadcast_to(-c.T, (*lead, *c.T.shape))], axis=-2)
        return rows, out

    def _angles(self, V: Array, S: Array) -> tuple[Array, Array, Array, Array]:
        """For Sigma = S: lengths |Sigma^(1/2) v| (B, M), of unit vectors along them |x - y| and |x + y| (B, M, M), and Sigma v (B, M, n)."""
        images = V @ S
        G = images @ np.swapaxes(V, -1, -2)
        length = np.sqrt(np.maximum(np.diagonal(G, axis1=-2, axis2=-1), 0.0))
        product = length[..., :, None] * length[..., None, :]
        cosine = np.divide(G, product, out=np.zeros_like(G), where=product > 0)
        diagonal = np.arange(V.shape[-2])
        cosine[..., diagonal, diagonal] = 1.0
        cosine = np.clip(cosine, -1.0, 1.0)
        return length, np.sqrt(2 - 2 * cosine), np.sqrt(2 + 2 * cosine), images

    def _value(self, thetas: Array) -> Array:
        """E |f|^2 (B,) in floats, in the units of `enclosures`; inf on overflow."""
        rows, out = self.units(thetas)
        k, whole = enclosures.exponents(np.abs(rows), np.abs(out))
        V, C = np.ldexp(rows, -k[..., None]), np.ldexp(out, k[..., None] - whole[:, None, None])
        length, minus, plus, _ = self._angles(V, self.law.second_moment.centre)
        K = length[..., :, None] * length[..., None, :] * arc_cosine_shape(minus, plus) / (2 * np.pi)
        value = np.sum((C @ np.swapaxes(C, -1, -2)) * K, axis=(-2, -1))
        return np.ldexp(np.maximum(value, 0.0), 2 * whole + self.law.exponent)

    def _fit(self, thetas: Array) -> tuple[Array, Array]:
        """E |f|^2 (B,), and a bound on the error of what is returned, for the point as given (B,)."""
        nets = enclosures.Nets.of(*self.units(thetas), self.law)
        found = enclosures.squared_norm(nets, self.law)[0].ldexp(nets.exponent)
        return np.where(np.isfinite(found.upper), np.maximum(found.centre, 0.0), np.inf), found.radius

    def _fit_slopes(self, thetas: Array) -> Array:
        """d k(v, w) / dv = E 1{<v, X> > 0} relu(<w, X>) X = (sin phi |y|/|x| Sigma v + (pi - phi) Sigma w) / (2 pi)."""
        V, C = self.units(thetas)
        length, minus, plus, images = self._angles(V, self.second_moment)
        m = self.network.hidden[0]
        product = length[..., :m, None] * length[..., None, :]
        minus, plus = minus[..., :m, :], plus[..., :m, :]
        K = product * arc_cosine_shape(minus, plus) / (2 * np.pi)
        outer = 2 * K @ C  # (B, m, d)
        weights = C[..., :m, :] @ np.swapaxes(C, -1, -2)
        alive = length[..., :m] > 0
        inverse = np.where(alive, 1 / np.where(alive, length[..., :m], 1.0), 0.0)
        along = np.sum(weights * (0.5 * minus * plus) * length[..., None, :], axis=-1) * inverse
        inner = (along[..., None] * images[..., :m, :] + (weights * 2 * np.arctan2(plus, minus)) @ images) / np.pi
        inner = np.where(alive[..., None], inner, 0.0)
        return np.concatenate(
            [inner.reshape(len(thetas), -1), np.swapaxes(outer, -1, -2).reshape(len(thetas), -1)], axis=-1
        )
