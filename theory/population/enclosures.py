"""What the population risk (eq. 2) can be at a point and over a cell of a straight segment, in balls (`theory.numerics.balls`).

Student minus teacher is one net f = sum_i c_i relu(<v_i, X>), and E |f|^2 = sum_ij <c_i, c_j> k(v_i, v_j) with the arc-cosine
kernel k = |x| |y| h(cos phi) / (2 pi), h(c) = (1 - c^2)^(1/2) + (pi - arccos c) c. As h' = pi - phi lies in [0, pi], a cosine known
to within r gives h to within pi r; a unit whose length is not told from 0 has any cosine.

Rows, outgoing weights and Sigma are first scaled by powers of two, one for each unit, which relu lets through, and one for
each point: so sizes do not matter, and bounds are equivariant.

Over a cell, with c, v moving from (c_0, v_0) to (c_1, v_1), the unit differs from the chord between its ends, in L2(P), by at most

    |c_1 - c_0| D / 4 + max(|c_0|, |c_1|) sqrt(2 k(v_0, -v_1)),      D = |Sigma^(1/2) (v_1 - v_0)|.

The first term is the bilinear part, t (1 - t) (c_1 - c_0) (z_1 - z_0). The second is the kink: where u_0 = <v_0, X> and
u_1 = <v_1, X> differ in sign, the chord of z is above z by at most u_0 |u_1| / (u_0 + |u_1|) <= (|u_0| |u_1|)^(1/2),
and E |u_0| |u_1| over both wedges is 2 k(v_0, -v_1) = |x_0| |x_1| (sin phi - phi cos phi) / pi. That is at most
|x_0| |x_1| phi^3 / (3 pi), and at most D^2 / 4; and 4 |x_0| |x_1| sin(phi / 2)^2 = D^2 - (|x_0| - |x_1|)^2. So a cell of width h costs O(h^(3/2)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory.numerics import LIBM, UNIT, Array, Ball, binade, dot, exact, scaled
from theory.relu_kernel import Law, arc_cosine_shape

SHAPE = 128 * UNIT  # what h is off: roots, arctan2, sine and cosine of numbers at most pi; tested against balls
_LOWEST = -100_000  # below every exponent


@dataclass(frozen=True, eq=False)
class Nets:
    """B nets of M units: rows (B, M, n), out (B, M, d); E |f|^2 is 2^exponent (B,) times that of the numbers here."""

    rows: Ball
    out: Ball
    exponent: Array

    @classmethod
    def of(cls, rows: Array, out: Array, law: Law) -> Nets:
        """Nets given as rows (B, M, n) and outgoing weights out (B, M, d), scaled; law: that of X."""
        k, whole = exponents(np.abs(rows), np.abs(out))
        return cls(scaled(rows, k), scaled(out, whole[:, None] - k), 2 * whole + law.exponent)


@dataclass(frozen=True, eq=False)
class Segments:
    """B segments of nets: rows and out, each (B, M, .) at both ends, scaled alike; exponent (B,) as in `Nets`."""

    rows: tuple[Ball, Ball]
    out: tuple[Ball, Ball]
    exponent: Array

    @classmethod
    def between(cls, starts: tuple[Array, Array], ends: tuple[Array, Array], law: Law) -> Segments:
        """From starts to ends, nets given as rows (B, M, n) and outgoing weights (B, M, d) each; law: that of X."""
        k, whole = exponents(*(np.maximum(np.abs(a), np.abs(b)) for a, b in zip(starts, ends)))
        rows = scaled(starts[0], k), scaled(ends[0], k)
        out = scaled(starts[1], whole[:, None] - k), scaled(ends[1], whole[:, None] - k)
        return cls(rows, out, 2 * whole + law.exponent)

    def at(self, t: Array) -> Nets:
        """The nets at parameters t (B,) of the segments."""
        right = exact(t)[:, None, None]
        left = 1 - right
        rows, out = (left * a + right * b for a, b in (self.rows, self.out))
        return Nets(rows, out, self.exponent)


def exponents(rows: Array, out: Array) -> tuple[Array, Array]:
    """Of rows (B, M, n), (B, M), and of the largest entry of out (B, M, d) once rows are scaled by these, (B,); absolute values."""
    k = binade(rows)
    each = np.where(out.any(axis=-1) & rows.any(axis=-1), binade(out) + k, _LOWEST).max(axis=-1, initial=_LOWEST)
    return k, np.where(each == _LOWEST, 0, each)


def squared_norm(nets: Nets, law: Law) -> tuple[Ball, Ball]:
    """E |f|^2 under the law of each of the nets, (B,), without its exponent; and |Sigma^(1/2) v| of its rows v, (B, M)."""
    G = (nets.rows @ law.second_moment) @ nets.rows.T
    M = G.shape[-1]
    square = G[..., np.arange(M), np.arange(M)]
    length = square.sqrt()
    product = length[..., :, None] * length[..., None, :]
    seen = product.positive
    cosine = G / Ball(np.where(seen, product.centre, 1.0), np.where(seen, product.radius, 0.0))
    centre = np.clip(np.where(seen, cosine.centre, 0.0), -1.0, 1.0)
    radius = np.where(seen, np.minimum(cosine.radius, 2.0), 2.0)
    shape = Ball(arc_cosine_shape(np.sqrt(1 - centre), np.sqrt(1 + centre)), np.pi * radius * (1 + 8 * UNIT) + SHAPE)
    K = product * shape * Ball(np.array(0.5 / np.pi), np.array(UNIT))
    same, half = np.eye(M, dtype=bool), square.ldexp(-1)[..., None, :]  # k(v, v) = |x|^2 / 2
    K = Ball(np.where(same, half.centre, K.centre), np.where(same, half.radius, K.radius))
    return ((nets.out @ nets.out.T) * K).sum().sum(), length


def over_cells(segments: Segments, lo: Array, hi: Array, law: Law) -> Array:
    """Upper bounds (B,) on E |f|^2 under the law over cells [lo, hi], lo and hi (B,), of segments, scaled back; inf on overflow."""
    ends = [segments.at(t) for t in (lo, hi)]
    (first, x), (last, y) = (squared_norm(nets, law) for nets in ends)
    root = np.maximum(first.sqrt().upper, last.sqrt().upper)
    S, width = law.second_moment, (exact(hi) - lo)[:, None, None]
    across = (segments.rows[1] - segments.rows[0]) * width
    turned = (segments.out[1] - segments.out[0]) * width
    step = exact(dot(across @ S, across).sqrt().upper)
    turn, out = dot(turned, turned).sqrt(), np.maximum(*(dot(n.out, n.out).sqrt().upper for n in ends))
    product = x * y
    lean = np.minimum((step.square() - (x - y).square()).upper, step.square().upper)  # (2 sin(phi / 2))^2 |x_0| |x_1|
    sine = (exact(np.maximum(lean, 0.0)).sqrt() / exact(np.maximum(product.lower, 0.0)).sqrt().ldexp(1)).upper
    angle = exact(2 * np.arcsin(np.minimum(sine, 1.0)) * (1 + LIBM))
    small = exact(product.upper) * angle.square() * angle * Ball(np.array(1 / (3 * np.pi)), np.array(UNIT))
    kink = np.where(sine < 1, np.minimum(small.upper, step.square().ldexp(-2).upper), step.square().ldexp(-2).upper)
    rest = ((turn * step).ldexp(-2) + exact(out) * exact(kink).sqrt()).sum()
    return (exact(root) + rest).square().ldexp(segments.exponent).upper
