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

import numpy as np
from numpy.typing import ArrayLike

from theory.networks import Network
from theory.numerics import SLAB, Array
from theory.numerics import validation as check
from theory.population import enclosures
from theory.relu_kernel import Gaussian
from theory.relu_kernel.measures import Law
from theory.risk import PENALTIES, Risk, Sample


@dataclass(frozen=True, eq=False)
class TeacherRisk:
    """F(theta) = E |Phi(X; theta) - Phi(X; teacher)|^2 + noise + kappa R(theta), X ~ N(0, second_moment).

    network: one hidden relu layer, linear output, no biases; second_moment (n_in, n_in), possibly singular;
    teacher: the parameters (P',) of `teacher_network` (None: of `network`), of the same kind; noise: E |Y - Phi*(X)|^2
    of an independent error. kappa and penalty as for `Risk`. ValueError on anything else.
    """

    network: Network
    second_moment: Array
    teacher: Array
    teacher_network: Network = None  # type: ignore[assignment]
    noise: float = 0.0
    kappa: float = 0.0
    penalty: str | None = None

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
        teacher = np.array(check.parameters(self.teacher, self.teacher_network.size, "teacher"))
        if teacher.ndim != 1:
            raise ValueError(f"teacher must have shape ({self.teacher_network.size},); got {teacher.shape}")
        teacher.flags.writeable = False
        check.choice(self.penalty, "penalty", PENALTIES)
        for name, value in (("second_moment", S), ("teacher", teacher)):
            object.__setattr__(self, name, value)
        for name in ("kappa", "noise"):
            object.__setattr__(self, name, check.number(getattr(self, name), name, minimum=0.0))
        if self.kappa > 0 and self.penalty is None:
            raise ValueError(
                f"kappa must be 0 without a penalty; got {self.kappa}. Choose penalty='second_layer_l1' or 'ridge'"
            )

    def __call__(self, theta: ArrayLike) -> float:
        """F(theta) for one parameter vector (P,)."""
        theta = check.parameters(theta, self.network.size)
        if theta.ndim != 1:
            raise ValueError(
                f"theta must have shape ({self.network.size},); got {theta.shape}. For batches use risk.batch"
            )
        return float(self.batch(theta))

    def batch(self, thetas: ArrayLike) -> Array:
        """F at each of thetas (..., P), shape (...), +inf where float64 overflows. Works in slabs of bounded memory."""
        thetas = check.parameters(thetas, self.network.size)
        flat = thetas.reshape(-1, self.network.size)
        with np.errstate(over="ignore", invalid="ignore"):
            parts = [self._fit(slab)[0] + self.noise + self.regulariser(slab) for slab in self._slabs(flat)]
        values = np.concatenate(parts).reshape(thetas.shape[:-1]) if parts else np.zeros(thetas.shape[:-1])
        return np.where(np.isfinite(values), values, np.inf)

    def gradient(self, theta: ArrayLike) -> Array:
        """dF/dtheta (..., P); rows that Sigma does not see, and |.| at 0, get the subgradient with slope 0.

        ValueError where float64 overflows.
        d k(v, w) / dv = E 1{<v, X> > 0} relu(<w, X>) X = (sin phi |y|/|x| Sigma v + (pi - phi) Sigma w) / (2 pi).
        """
        theta = check.parameters(theta, self.network.size)
        flat = theta.reshape(-1, self.network.size)
        with np.errstate(over="ignore", invalid="ignore"):
            parts = [self._gradients(slab) for slab in self._slabs(flat)]
        return check.no_overflow(
            np.concatenate(parts).reshape(theta.shape) if parts else np.zeros(theta.shape), "theta"
        )

    def regulariser(self, theta: ArrayLike) -> Array:
        """kappa R(theta), shape (...)."""
        theta = np.asarray(theta)
        if self.penalty == "second_layer_l1":
            return self.kappa * np.abs(theta[..., self.network.slices[1]]).sum(axis=-1)
        if self.penalty == "ridge":
            return self.kappa * (theta**2).sum(axis=-1)
        return np.zeros(theta.shape[:-1])

    def row_norms(self, theta: ArrayLike) -> Array:
        """Euclidean norms of the rows of W_1, (..., n_1): eq. (6) keeps them in the unit ball."""
        return np.linalg.norm(self.network.weights(theta)[0], axis=-1)

    def draw(self, size: int, rng: np.random.Generator | int | None = None) -> Sample:
        """`size` independent samples (x, y), the error Gaussian and shared evenly by the outputs."""
        rng = check.generator(rng)
        X = Gaussian(self.second_moment).draw(rng, check.positive_integer(size, "size"))
        Y = self.teacher_network(self.teacher, X)
        return Sample(X, Y + np.sqrt(self.noise / Y.shape[1]) * rng.standard_normal(Y.shape))

    def empirical(self, sample: Sample) -> Risk:
        """The same risk on a sample."""
        return Risk(self.network, sample, kappa=self.kappa, penalty=self.penalty)

    def fit(self, thetas: Array) -> tuple[Array, Array]:
        """E |Phi - Phi*|^2 at thetas (B, P), unchecked, and a bound on the error of each: two arrays (B,)."""
        parts = [self._fit(slab) for slab in self._slabs(thetas)]
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])

    @cached_property
    def law(self) -> Law:
        """N(0, Sigma), scaled for bounds."""
        return Law.of(Gaussian(self.second_moment))

    def _slabs(self, flat: Array) -> list[Array]:
        units = self.network.hidden[0] + self.teacher_network.hidden[0]
        step = max(1, SLAB // (units**2 + units * self.network.widths[0]))
        return [flat[i : i + step] for i in range(0, len(flat), step)]

    def units(self, thetas: Array) -> tuple[Array, Array]:
        """Rows V (B, M, n) and outgoing weights C (B, M, d) of student minus teacher at thetas (B, P), M = m + m'."""
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
        """E |f|^2 (B,), and a bound on the error of what is returned, for the point as given (B,)."""
        nets = enclosures.Nets.of(*self.units(thetas), self.law)
        found = enclosures.squared_norm(nets, self.law)[0].ldexp(nets.exponent)
        return np.where(np.isfinite(found.upper), np.maximum(found.centre, 0.0), np.inf), found.radius

    def _gradients(self, thetas: Array) -> Array:
        V, C = self.units(thetas)
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
        gradient = np.concatenate(
            [inner.reshape(len(thetas), -1), np.swapaxes(outer, -1, -2).reshape(len(thetas), -1)], axis=-1
        )
        if self.penalty == "ridge":
            gradient = gradient + 2 * self.kappa * thetas
        elif self.penalty == "second_layer_l1":
            gradient[..., self.network.slices[1]] += self.kappa * np.sign(thetas[..., self.network.slices[1]])
        return gradient
