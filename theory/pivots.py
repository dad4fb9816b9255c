"""One hidden layer, kappa >= 0: r + 1 units connect every sublevel set, by the parametric simplex method.

F = E l(Phi, Y) + kappa R, l convex, any activation. *Atoms*: what one unit of A or B hands to the outputs on the sample,
z_j v^T, with v its outgoing column (under R = sum |W_2 e_i| |w_i|) or one entry of it (under R = ||W_2||_1, entrywise),
at the cost that R charges for it. A and B are combinations with weights 1 of their own atoms. Let r <= N n_out be the
rank of all atoms. In the linear program "least cost of the function f" (`theory.simplex`)

0. A, and B, are reduced to independent atoms: f stays, R does not grow (Caratheodory);
1. primal pivots at f_A: f stays, R falls to the least cost;
2. f goes straight from f_A to f_B, a dual pivot wherever a weight vanishes. R is the value of the program, which is
   convex in t and at most R(A), R(B) at the ends: so F is convex along all of 2, and below the larger end;
3. primal pivots on the optimal face at f_B towards the optimum that B's own pivots reach: mass outside its atoms is the
   cost, and ends at zero. Then B's pivots backwards, slots by permuting around an idle unit.

Basic solutions use at most r atoms and an edge r + 1, so r + 1 slots are enough: an atom is placed in an idle slot just
before its weight becomes positive. With m = r there is none: for X = +-1, Y = X, kappa = 1/10, m = 2 the barrier is
119/200. N n_out + 1 units always suffice. Every piece moves W_2, or rows of idle units, so that the vertices decide.

Source: ours; paper_notes.md, pivots. N + 1 units for the optimal set under weight decay: Kim, Mishkin, Pilanci 2025.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from theory import simplex
from theory.atoms import BIAS, Atoms, atoms, nearest_floats
from theory.moves import Walk
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk
from theory.simplex import Lost, Program

# Rationals while N n_out times the units of both nets is at most this: then a walk takes seconds at most.
EXACT = 300

# Vertices that exceed the larger end by more than this, relatively, mean that floats lost the way; with at most RETRIED
# outputs on the sample, rationals then try again.
LOST, RETRIED = 1e-9, 50


def connect(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, *, exact: bool | None = None) -> Path:
    """A path from theta_a to theta_b (P,) on which the risk never exceeds that of the larger end, up to rounding.

    risk: one hidden layer, identity output, convex loss; penalty "second_layer_l1" or the path norm "path", or kappa = 0;
    output biases count in both. exact: walk in rationals, and round each vertex once (None: when the
    problem is small); else in floats, with tolerances. What the path achieved: `theory.exchange.report`. Rows are those of
    A and B, so that they stay in the unit ball if both ends' do.

    ValueError when there are fewer than `units_needed` units, for other penalties, and when floats lost the way (`Lost`).

    >>> from theory.networks import Network
    >>> from theory.risk import Sample
    >>> X = [[1.0], [-1.0]]
    >>> F = Risk(Network((1, 3, 1)), Sample(X, X), kappa=0.1, penalty="second_layer_l1")
    >>> path = connect(F, [1, -1, 0, 0.9, -0.9, 0], [-1, 1, 0, -0.9, 0.9, 0])  # two global minima, units swapped
    >>> float(F.batch(path.points).max()) <= F(path.points[0])
    True
    """
    a, b = _checked(risk, theta_a, theta_b)
    if np.array_equal(a, b):
        return Path(a[None])
    if _is_exact(risk, exact):
        return _connected(risk, a, b, True)
    level = max(risk(a), risk(b))
    try:
        path = _connected(risk, a, b, False)
        excess = float(risk.batch(path.points).max()) - level
        if excess <= LOST * (level + risk.sample.energy):
            return path
        reason = f"the vertices exceed the larger end by {excess:.3g}"
    except (Lost, np.linalg.LinAlgError) as error:
        reason = str(error)
    if exact is None and risk.sample.Y.size <= RETRIED:
        return _connected(risk, a, b, True)
    raise Lost(
        f"floats lost the way ({reason}): features that are nearly dependent; exact=True takes long and does not"
    )


def units_needed(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike, *, exact: bool | None = None) -> int:
    """r + 1 for these two ends (P,): at most N n_out + 1. exact: whether the rank is decided in rationals.

    ValueError as `connect`.
    """
    a, b = _checked(risk, theta_a, theta_b)
    problem = _program(atoms(risk, a, b, exact=_is_exact(risk, exact)))
    return 1 + (0 if problem is None else problem.rank)


def _connected(risk: Risk, a: Array, b: Array, exact: bool) -> Path:
    both = atoms(risk, a, b, exact=exact)
    problem = _program(both)
    _enough(risk, 0 if problem is None else problem.rank)
    host, guest = _Slots(risk, a, both, 0), _Slots(risk, b, both, 1)
    if problem is None:
        for net in (host, guest):
            net.write([both.cost], "drop what does nothing")
    else:
        _walk(problem, host, guest)
    host.become(guest)
    return host.walk.path + guest.walk.path.reversed()


def _program(both: Atoms) -> Program | None:
    """Least cost of the functions from f_A to f_B; None when no atom does anything on the sample."""
    return simplex.program(both.columns, both.cost, *both.functions) if both.cost.size else None


def _walk(problem: Program, host: _Slots, guest: _Slots) -> None:
    """Phases 0 to 3: host and guest end with the same atoms and weights, in slots of their own."""
    bases = []
    every = np.ones(len(problem.cost), dtype=bool)
    for side, rhs, net in (("A", problem.start, host), ("B", problem.end, guest)):
        x = simplex.reduce(problem, net.weights * problem.scale)
        net.write([x / problem.scale], f"independent units of {side}")
        basis = simplex.complete_basis(problem, x)
        steps = simplex.primal_simplex(problem, basis, rhs, problem.cost, every)
        net.write((x / problem.scale for x in steps), f"pivot at f_{side}")
        bases.append(basis)
    basis, goal = bases[0], problem.weights(bases[1], problem.end)
    host.write((x / problem.scale for x in simplex.parametric_simplex(problem, basis)), "pivot from f_A to f_B")
    face = (problem.reduced(basis, problem.cost) <= 0) | (goal > 0)
    outside = problem.cost * 0 + (goal == 0).astype(int)
    steps = simplex.primal_simplex(problem, basis, problem.end, outside, face)
    host.write((x / problem.scale for x in steps), "pivot on the optimal face")
    host.write([guest.weights], "last digits")  # in rationals they are equal already


class _Slots:
    """A walk whose units are atoms in slots: weights (P,) are written to W_2, rows are placed where they are needed."""

    def __init__(self, risk: Risk, theta: Array, both: Atoms, owner: int) -> None:
        self.walk, self.atoms = Walk(risk.network, theta, risk.sample.X), both
        m = risk.network.widths[1]
        self.row_at = [owner * m + i for i in range(m)]
        self.weights = both.weights(owner)

    def write(self, steps: Iterable[Array], label: str) -> None:
        """Move W_2 straight to each of these weights (P,), after placing the rows that become active."""
        for weights in steps:
            used = set(self.atoms.row[(self.weights > 0) | (weights > 0)].tolist()) - {BIAS}
            missing = sorted(used - set(self.row_at))
            holes = [slot for slot, row in enumerate(self.row_at) if row not in used]
            if len(holes) < len(missing):
                raise Lost(f"no idle slot is left for {len(missing)} entering units")
            slots = holes[: len(missing)]
            if slots:
                self.walk.place(1, slots, self.atoms.rows[missing])
            for slot, row in zip(slots, missing):
                self.row_at[slot] = row
            self.walk.refit(1, self._outgoing(weights), label)
            self.weights = weights

    def become(self, other: _Slots) -> None:
        """End exactly where `other` stands: the same weights, rows in the same slots, and its idle rows."""
        used = set(self.atoms.row[self.weights > 0].tolist())
        order = [self.row_at.index(row) if row in used else -1 for row in other.row_at]
        rest = iter([slot for slot in range(len(order)) if slot not in order])
        self.walk.permute(1, [next(rest) if slot < 0 else slot for slot in order])
        goal = other.walk.incoming(1)
        rows = np.flatnonzero((goal != self.walk.incoming(1)).any(axis=1))
        if rows.size:
            self.walk.place(1, rows, goal[rows])

    def _outgoing(self, weights: Array) -> Array:
        """W_2 for these weights, rounded once."""
        network = self.walk.network
        slot_of = {row: slot for slot, row in enumerate(self.row_at)} | {BIAS: network.widths[1]}
        V = np.zeros(network.shapes[1])
        for k in np.flatnonzero(weights > 0):
            V[:, slot_of[int(self.atoms.row[k])]] += nearest_floats(self.atoms.outgoing[:, k] * weights[k])
        return np.asarray(check.no_overflow(V, "theta_a or theta_b"))


def _checked(risk: Risk, theta_a: ArrayLike, theta_b: ArrayLike) -> list[Array]:
    """The ends (P,), when the theorem speaks of this risk; ValueError says what is not."""
    network = check.instance(risk, "risk", Risk).network
    if network.depth != 2 or network.output != "identity":
        raise ValueError(f"risk.network must have one hidden layer and identity output; got {network}")
    if risk.kappa > 0 and risk.penalty not in ("second_layer_l1", "path"):
        raise ValueError(
            f"risk.penalty must be 'second_layer_l1' or 'path', whose cost is linear in masses; got {risk.penalty!r}"
        )
    return [check.vector(theta_a, network.size, "theta_a"), check.vector(theta_b, network.size, "theta_b")]


def _is_exact(risk: Risk, exact: bool | None) -> bool:
    if exact is not None:
        return check.choice(exact, "exact", (False, True))
    return 2 * risk.sample.Y.size * risk.network.widths[1] <= EXACT


def _enough(risk: Risk, rank: int) -> None:
    """ValueError unless there is a slot for the entering unit."""
    width = risk.network.widths[1]
    if width <= rank:
        raise ValueError(
            f"the hidden layer has {width} units, and {rank + 1} are needed: the atoms of both nets have rank {rank}, and "
            "there is no slot for an entering unit. With fewer, level sets can be disconnected; N n_out + 1 = "
            f"{risk.sample.Y.size + 1} units are always enough: add idle ones (outgoing weights zero)"
        )
