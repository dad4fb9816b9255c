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
from theory.numerics import TINY, UNIT, Array, gamma
from theory.numerics import validation as check
from theory.relu_kernel import Gaussian
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
    def form_error(self) -> float:
        """e with |computed v^T Sigma w - exact| <= e |v| |w| for all vectors."""
        n = self.network.widths[0]
        return gamma(3 * n + 16) * float(np.linalg.norm(self.second_moment)) * (1 + gamma(n**2 + 8))

    def _footprint(self) -> int:
        units = self.network.hidden[0] + self.teacher_network.hidden[0]
        return units**2 + units * self.network.widths[0]

    def _fits(self, thetas: Array) -> Array:
        return self._fit(thetas)[0] + self.noise

    def _units(self, thetas: Array) -> tuple[Array, Array]:
        """Rows V (B, M, n) and outgoing weights C (B, M, d) of student minus teacher, M = m + m'."""
        W, b = self.network.weights(thetas)
        V, c = self.teacher_network.weights(self.teacher)
        lead = thetas.shape[:-1]
        rows = np.concatenate([W, np.broadcast_to(V, (*lead, *V.shape))], axis=-2)
        out = np.concatenate([np.swapaxes(b, -1, -2), np.broadcast_to(-c.T, (*lead, *c.T.shape))], axis=-2)
        return rows, out

    def _angles(self, V: Array) -> tuple[Array, Array, Array]:
        """Lengths |Sigma^(1/2) v| (B, M), angles (B, M, M) and Sigma v (B, M, n)."""
        images = V @ self.second_moment
        G = images @ np.swapaxes(V, -1, -2)
        length = np.sqrt(np.maximum(np.diagonal(G, axis1=-2, axis2=-1), 0.0))
        product = length[..., :, None] * length[..., None, :]
        cosine = np.divide(G, product, out=np.zeros_like(G), where=product > 0)
        diagonal = np.arange(V.shape[-2])
        cosine[..., diagonal, diagonal] = 1.0
        return length, np.arccos(np.clip(cosine, -1.0, 1.0)), images

    def _fit(self, thetas: Array) -> tuple[Array, Array]:
        """E |f|^2 (B,), and a bound on the error of what is returned, for the point as given (B,).

        With Gram entries off by at most e |v_i| |v_j|, the cosine by delta and d(sin + (pi - phi) cos)/dcos = pi - phi,
        k is off by at most |x||y| delta / 2 plus what the lengths are off, first order, doubled; where a length is not
        clear of its own error, by the largest value that k can have.
        """
        V, C = self._units(thetas)
        length, phi, _ = self._angles(V)
        product = length[..., :, None] * length[..., None, :]
        K = product * (np.sin(phi) + (np.pi - phi) * np.cos(phi)) / (2 * np.pi)
        weights = C @ np.swapaxes(C, -1, -2)
        value = np.sum(weights * K, axis=(-2, -1))
        size = np.linalg.norm(V, axis=-1)
        e = self.form_error
        seen = length**2 >= 8 * e * size**2 + TINY
        ratio = np.where(seen, e * size**2 / np.where(seen, length, 1.0), 0.0)  # what the length is off, twice over
        off = e * size[..., :, None] * size[..., None, :] + ratio[..., :, None] * length[..., None, :]
        off = 2 * (off + length[..., :, None] * ratio[..., None, :]) + 128 * UNIT * product
        longest = np.sqrt(length**2 + 8 * e * size**2 + TINY)
        both = seen[..., :, None] & seen[..., None, :]
        off = np.where(both, off, longest[..., :, None] * longest[..., None, :])
        total = np.linalg.norm(C, axis=-1)
        spread = total[..., :, None] * total[..., None, :]
        error = np.sum(spread * (off + gamma(C.shape[-1] + V.shape[-2] ** 2 + 8) * K), axis=(-2, -1))
        return np.maximum(value, 0.0), error * (1 + gamma(V.shape[-2] ** 2 + 16)) + TINY

    def _fit_slopes(self, thetas: Array) -> Array:
        """d k(v, w) / dv = E 1{<v, X> > 0} relu(<w, X>) X = (sin phi |y|/|x| Sigma v + (pi - phi) Sigma w) / (2 pi)."""
        V, C = self._units(thetas)
        length, phi, images = self._angles(V)
        m = self.network.hidden[0]
        product = length[..., :m, None] * length[..., None, :]
        phi = phi[..., :m, :]
        K = product * (np.sin(phi) + (np.pi - phi) * np.cos(phi)) / (2 * np.pi)
        outer = 2 * K @ C  # (B, m, d)
        weights = C[..., :m, :] @ np.swapaxes(C, -1, -2)
        alive = length[..., :m] > 0
        inverse = np.where(alive, 1 / np.where(alive, length[..., :m], 1.0), 0.0)
        along = np.sum(weights * np.sin(phi) * length[..., None, :], axis=-1) * inverse
        inner = (along[..., None] * images[..., :m, :] + (weights * (np.pi - phi)) @ images) / np.pi
        inner = np.where(alive[..., None], inner, 0.0)
        return np.concatenate(
            [inner.reshape(len(thetas), -1), np.swapaxes(outer, -1, -2).reshape(len(thetas), -1)], axis=-1
        )
