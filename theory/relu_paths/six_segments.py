"""Theorem 2.4: the printed path with its missing pieces, what it allows, and the best of it over l and alpha.

From theta_a, with l oracle units, `active` = m - l and an angle alpha:

(0)  rows to norm one (missing in print: delta_W of eq. (8) needs unit rows)
(1)  the best second layer on these rows, delta_A(m, 0)
(2)  to `active` units whose rows turned by at most alpha, delta_A(m - l, alpha): rows and weights move together
(3)  to the l units of an oracle net, e(l), through idle units
(4)  to the `active` units of theta_b's side; oracle units in the way are re-slotted (missing in print)
(5), (6), (0')  as (2), (1), (0), backwards, on the side of theta_b

Every piece but (2) and (5) moves one layer or is constant, so its maximum is at an end. On (2) and (5) the risk exceeds
its larger end by at most C1 alpha + C2 alpha^2 (`theory.relu_paths.constants`, where the printed constant is as well).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.relu_paths import constants, crossing
from theory.relu_paths import pieces as moves
from theory.relu_paths.candidates import _compressed, _grid, _start, oracle_nets
from theory.relu_paths.problem import checked, labelled, line
from theory.risk import Risk

SUBPATHS = ("(0)", "(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(0')")


@dataclass(frozen=True)
class Subpath:
    """One subpath: a rigorous bound on its maximum, what its ends and the theorem allow, and what eq. (22) would.

    number: "(0)" to "(0')" as in the module. upper: bound on the maximum over its pieces. larger_end: bound on the
    larger end. allowed: larger_end, plus D + 2 N sqrt(D) + N^2 - D on (2) and (5) with the actual weights; theorem:
    larger_end + C1 alpha + C2 alpha^2; printed: with the main term of eq. (22) instead.
    """

    number: str
    upper: float
    larger_end: float
    allowed: float
    theorem: float
    printed: float


@dataclass(frozen=True, eq=False)
class SixSegments:
    """The path of Theorem 2.4 and its subpaths: the certified maximum of each next to what is allowed.

    active, angle: what `six_segment` was asked for.
    """

    path: Path
    active: int
    angle: float
    subpaths: tuple[Subpath, ...]

    @property
    def upper(self) -> float:
        """A rigorous bound on the maximum over the path."""
        return max(s.upper for s in self.subpaths)

    @property
    def theorem(self) -> float:
        """What the repaired theorem allows for the nets that were found."""
        return max(s.theorem for s in self.subpaths)


def six_segment(
    risk: Risk,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    *,
    active: int,
    angle: float = 0.0,
    rng: np.random.Generator | int | None = None,
) -> Path:
    """The repaired path of Theorem 2.4 from theta_a to theta_b (P,), with l = m - active oracle units.

    active: 0..m, units kept on either side; angle: 0..pi radians, how far their rows may turn; labels begin with the
    number of the subpath. rng: for the searches of compressed and oracle nets. ValueError on bad input.

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> net = Network((2, 2, 1))
    >>> F = Risk(net, Sample([[1.0, 0.0], [0.0, 1.0]], [[1.0], [1.0]]), kappa=0.1, penalty="second_layer_l1")
    >>> theta_a, theta_b = net.pack([np.eye(2), [[1, 1]]]), net.pack([-np.eye(2), [[0, 0]]])
    >>> path = six_segment(F, theta_a, theta_b, active=0)
    >>> bool(F.batch(path.points).max() <= max(F(theta_a), F(theta_b)))
    True
    """
    a, b = checked(risk, theta_a, theta_b)
    m = risk.network.widths[1]
    if check.positive_integer(active, "active", minimum=0) > m:
        raise ValueError(f"active must be in 0..{m}, the width; got {active}")
    angle = check.number(angle, "angle", minimum=0.0, maximum=math.pi)
    rng = check.generator(rng)
    starts = [_start(risk, theta) for theta in (a, b)]
    halves = [_turning(risk, s, _compressed(risk, s.points[-1], active, angle, rng)) for s in starts]
    (best,) = oracle_nets(risk, [m - active], [s.points[-1] for s in starts], rng)
    return _assembled(risk, halves, best)


def six_segment_report(
    risk: Risk,
    theta_a: ArrayLike,
    theta_b: ArrayLike,
    *,
    active: int,
    angle: float = 0.0,
    rng: np.random.Generator | int | None = None,
) -> SixSegments:
    """`six_segment` with the certified maximum of every subpath, next to what is allowed."""
    path = six_segment(risk, theta_a, theta_b, active=active, angle=angle, rng=rng)
    return SixSegments(path, active, float(angle), certify(risk, path, float(angle)))


def certify(risk: Risk, path: Path, angle: float) -> tuple[Subpath, ...]:
    """The subpaths of a path that `six_segment` made (those that have pieces), each with its certified maximum."""
    numbers = [label.split()[0] for label in path.labels]
    at = moves.vertex_bounds(risk, path)
    pieces = moves.piece_maxima(risk, path, at)
    S = constants.spectral_norm(risk.sample)
    by_theorem = constants.theorem_constants(risk.sample, risk.kappa).allowance(angle)
    printed = constants.printed_allowance(risk.sample, risk.kappa, angle)
    out = []
    for number in (n for n in SUBPATHS if n in numbers):
        where = [k for k, n in enumerate(numbers) if n == number]
        larger = float(max(at[where[0]], at[where[-1] + 1]))
        noise = 0.0
        if number in ("(2)", "(5)"):
            for k in where:
                (W, b), (V, g) = (risk.network.weights(path.points[i]) for i in (k, k + 1))
                if (b != g).any():
                    noise = max(noise, constants.perturbation(W, V, b[0], g[0], S))
        turned = number in ("(2)", "(5)")
        out.append(
            Subpath(
                number,
                float(pieces[where].max()),
                larger,
                constants.joint_move_bound(larger, noise),
                larger + by_theorem if turned else larger,
                larger + printed if turned else larger,
            )
        )
    if not out:  # a path of one point
        value = float(pieces.max())
        out.append(Subpath("(0)", value, value, value, value, value))
    return tuple(out)


class Candidates:
    """Subpaths (0) and (1) of both sides and the oracle nets of a pair, found once for every route that needs them."""

    def __init__(self, risk: Risk, theta_a: Array, theta_b: Array, rng: np.random.Generator) -> None:
        self.risk, self.rng = risk, rng
        self.starts = [_start(risk, theta) for theta in (theta_a, theta_b)]
        self.fitted = [start.points[-1] for start in self.starts]
        self.base = max(float(risk.batch(start.points).max()) for start in self.starts)
        self.ls = _grid(risk.network.widths[1])
        self._nets: dict[bool, list[Array]] = {}

    def best(self, angles: Sequence[float]) -> Path:
        """The lowest of the repaired paths over l = 0, 1, 2, 4, ..., m and the angles.

        First with tosses only; with the searches too unless a path stays at the larger end already.
        """
        lowest = min(self._ranked((0.0,), search=False), key=lambda candidate: candidate[0])
        if lowest[0] <= self.base * (1 + 1e-12):
            return _assembled(self.risk, self._halves(lowest[2]), lowest[1])
        best, upper = None, math.inf
        for floor, net, sparse in sorted(self._ranked(angles, search=True), key=lambda candidate: candidate[0]):
            if floor >= upper * (1 - 1e-12):  # no path is below its highest vertex
                break
            path = _assembled(self.risk, self._halves(sparse), net)
            reached = float(moves.piece_maxima(self.risk, path).max())
            if best is None or reached < upper:
                best, upper = path, reached
        assert best is not None
        return best

    def _ranked(self, angles: Sequence[float], *, search: bool) -> list[tuple[float, Array, list[Array]]]:
        """For every l and angle: the highest vertex, the oracle net and the two compressed nets."""
        risk, m = self.risk, self.risk.network.widths[1]
        if search not in self._nets:
            self._nets[search] = oracle_nets(risk, self.ls, self.fitted, self.rng, search=search)
        out = []
        for l, net in zip(self.ls, self._nets[search]):
            for angle in angles:
                sparse = [_compressed(risk, theta, m - l, angle, self.rng, search=search) for theta in self.fitted]
                out.append((max(self.base, *map(risk, (net, *sparse))), net, sparse))
        return out

    def _halves(self, sparse: Sequence[Array]) -> list[Path]:
        return [_turning(self.risk, start, to) for start, to in zip(self.starts, sparse)]


def _turning(risk: Risk, start: Path, sparse: Array) -> Path:
    """Subpaths (0), (1) and (2): rows of idle units turn first, for free; then rows and weights together."""
    net, fitted = risk.network, start.points[-1]
    (W, b), (V, _) = net.weights(fitted), net.weights(sparse)
    turned = net.pack([np.where((b[0] == 0)[:, None], V, W), b])
    return start + line(fitted, turned, "(2) turn idle rows") + line(turned, sparse, "(2) rows and weights together")


def _assembled(risk: Risk, halves: Sequence[Path], best: Array) -> Path:
    """Both halves (from theta_a and from theta_b) with subpaths (3) and (4) through the oracle net between them."""
    down, up = halves
    toward = crossing.cross(risk.network, down.points[-1], best, risk.sample.X)
    back = crossing.cross(risk.network, best, up.points[-1], risk.sample.X)
    names = {"(0)": "(0')", "(1)": "(6)", "(2)": "(5)"}
    tail = up.reversed()
    tail = Path(tail.points, tuple(names[label[:3]] + label[3:] for label in tail.labels))
    return down + labelled(toward, "(3)") + labelled(back, "(4)") + tail
