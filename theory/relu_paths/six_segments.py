"""Theorem 2.4: the printed path with its missing pieces, what it allows, and the best of it over l and alpha.

From theta_a, with l oracle units, `active` = m - l and an angle alpha:

(0)  where kappa > 0 rows to norm one (missing in print: delta_W of eq. (8) needs unit rows)
(1)  the best second layer on these rows, delta_A(m, 0)
(2)  to `active` units whose rows turned by at most alpha, delta_A(m - l, alpha): rows and weights move together
(3)  to the l units of an oracle net, e(l), through idle units
(4)  to the `active` units of theta_b's side; oracle units in the way are re-slotted (missing in print)
(5), (6), (0')  as (2), (1), (0), backwards, on the side of theta_b

The paper's six are (1) to (6); (0) and (0') are ours. Made by: (0), (1) `candidates.start`; the far end of (2)
`candidates.compressed`; (3), (4) `theory.crossing`. Every piece but those of (2), (5) and, without an idle
unit, (0), (0') moves one layer or is constant, so its maximum is at an end; on (0), (0') pieces are so short that the
risk does not rise (`unit_rows` says when that fails). On (2) and (5) the risk exceeds its larger end by at most C1 alpha + C2 alpha^2 (`theory.relu_paths.constants`, where the printed constant is as well).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theory.crossing import cross
from theory.moves import Walk
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.relu_paths import constants, pieces
from theory.relu_paths.candidates import Candidates, compressed, oracle_nets
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
    found = Candidates(risk, a, b, rng)
    sparse = [compressed(risk, theta, active, angle, rng) for theta in found.fitted]
    (best,) = oracle_nets(risk, [m - active], found.fitted, rng)
    return _assembled(risk, _halves(found, sparse), best)


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
    at = pieces.vertex_bounds(risk, path)
    upper = pieces.piece_maxima(risk, path, at)
    if not numbers:  # a path of one point
        value = float(upper.max())
        return (Subpath("(0)", value, value, value, value, value),)
    by_theorem = constants.theorem_constants(risk.sample, risk.kappa).allowance(angle)
    printed = constants.printed_allowance(risk.sample, risk.kappa, angle)
    out = []
    for number in (n for n in SUBPATHS if n in numbers):
        where = [k for k, n in enumerate(numbers) if n == number]
        larger = float(max(at[where[0]], at[where[-1] + 1]))
        turned = number in ("(2)", "(5)")
        noise = max(_noise(risk, path, k) for k in where) if turned else 0.0
        allowed = constants.joint_move_bound(larger, noise)
        theorem, eq_22 = (larger + by_theorem, larger + printed) if turned else (larger, larger)
        out.append(Subpath(number, float(upper[where].max()), larger, allowed, theorem, eq_22))
    return tuple(out)


def _noise(risk: Risk, path: Path, piece: int) -> float:
    """N of `theory.relu_paths.constants` on one piece; 0 where the second layer rests."""
    (W, b), (V, g) = (risk.network.weights(path.points[i]) for i in (piece, piece + 1))
    if np.array_equal(b, g):
        return 0.0
    return constants.perturbation(W, V, b[0], g[0], constants.spectral_norm(risk.sample))


def best_six_segments(found: Candidates, angles: Sequence[float]) -> Path:
    """The lowest of the repaired paths between the two nets of `found`, over l = 0, 1, 2, 4, ..., m and the angles.

    First with tosses only; with the searches too unless a path stays at the larger end already.
    """
    lowest = min(_ranked(found, (0.0,), search=False), key=lambda candidate: candidate[0])
    if lowest[0] <= found.base * (1 + 1e-12):
        return _assembled(found.risk, _halves(found, lowest[2]), lowest[1])
    best, upper = None, math.inf
    for floor, net, sparse in sorted(_ranked(found, angles, search=True), key=lambda candidate: candidate[0]):
        if floor >= upper * (1 - 1e-12):  # no path is below its highest vertex
            break
        path = _assembled(found.risk, _halves(found, sparse), net)
        reached = float(pieces.piece_maxima(found.risk, path).max())
        if best is None or reached < upper:
            best, upper = path, reached
    assert best is not None
    return best


def _ranked(found: Candidates, angles: Sequence[float], *, search: bool) -> list[tuple[float, Array, list[Array]]]:
    """For every l and angle: the highest vertex, the oracle net and the two compressed nets."""
    risk, m, out = found.risk, found.risk.network.widths[1], []
    for l, net in zip(found.ls, found.oracle_nets(search=search)):
        for angle in angles:
            sparse = [compressed(risk, theta, m - l, angle, found.rng, search=search) for theta in found.fitted]
            out.append((max(found.base, *map(risk, (net, *sparse))), net, sparse))
    return out


def _halves(found: Candidates, sparse: Sequence[Array]) -> list[Walk]:
    return [_turning(found.risk, walk, to) for walk, to in zip(found.starts, sparse)]


def _turning(risk: Risk, start: Walk, sparse: Array) -> Walk:
    """Subpath (2), after the (0) and (1) of `start`: rows of idle units turn first, for free; then rows and weights together."""
    net = risk.network
    walk = Walk.along(net, start.path, risk.sample.X)
    idle = walk.idle(1)
    if idle.size:
        walk.place(1, idle, net.weights(sparse)[0][idle])
    first = Path(walk.path.points, start.path.labels + ("(2) turn idle rows",) * (len(walk.path) - len(start.path)))
    return Walk.along(net, first + line(walk.theta, sparse, "(2) rows and weights together"), risk.sample.X)


def _assembled(risk: Risk, halves: Sequence[Walk], best: Array) -> Path:
    """Both halves (from theta_a and from theta_b) with subpaths (3) and (4) through the oracle net between them."""
    middle = []
    for start, end in ((halves[0].theta, best), (best, halves[1].theta)):
        walk = Walk(risk.network, start, risk.sample.X)
        cross(walk, end)
        middle.append(walk.path)
    names = {"(0)": "(0')", "(1)": "(6)", "(2)": "(5)"}
    tail = halves[1].path.reversed()
    tail = Path(tail.points, tuple(names[label[:3]] + label[3:] for label in tail.labels))
    return halves[0].path + labelled(middle[0], "(3)") + labelled(middle[1], "(4)") + tail
