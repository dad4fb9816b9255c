"""Curves of factors drawn as chords, rotations of the hidden space, and paths laid end to end (Proposition 2.2, ridge)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import schur

from theory.linear_paths.problem import LinearProblem
from theory.numerics import Array
from theory.paths import Path
from theory.risk import Risk

# A curve that needs more chords than this is given up.
CHORDS = 1 << 15


def chords(
    problem: LinearProblem, curve: Callable[[float], tuple[Array, ...]], ceiling: float, label: str, *, first: int = 8
) -> Path:
    """A polyline through points of a curve s -> (W_1, W_2), s in [0, 1], halved where a chord rises above `ceiling`.

    Under squared loss the risk on a chord is a quartic, known from five values; for the absolute loss seventeen points
    are looked at. problem: its `vector` packs the factors. `theory.maxima` certifies the path. label: of the pieces;
    first: how many chords to begin with. ValueError when CHORDS chords do not suffice.
    """
    s = np.linspace(0.0, 1.0, first + 1)
    points = np.stack([problem.vector(*curve(x)) for x in s])
    done = np.zeros(first, dtype=bool)
    while not done.all():
        todo = np.flatnonzero(~done)
        seen = _highest(problem.risk, points[todo], points[todo + 1])
        done[todo] = seen <= ceiling
        split = np.flatnonzero(~done)
        if split.size == 0:
            break
        if len(done) + split.size > CHORDS or (np.diff(s)[split] < 2.0**-45).any():
            raise ValueError(
                f"rise must be larger: {CHORDS} chords do not keep the piece '{label}' below {problem.shown(ceiling)}, by "
                f"{problem.shown(seen.max() - ceiling)}"
            )
        middle = 0.5 * (s[split] + s[split + 1])
        s = np.insert(s, split + 1, middle)
        points = np.insert(points, split + 1, [problem.vector(*curve(x)) for x in middle], axis=0)
        done = np.insert(done, split + 1, False)
    return Path(points, (label,) * (len(points) - 1))


def _highest(risk: Risk, starts: Array, ends: Array) -> Array:
    """The largest risk seen on each chord, (S,)."""
    nodes = np.linspace(0.0, 1.0, 5 if risk.loss == "squared" else 17)
    values = risk.batch(starts + nodes[:, None, None] * (ends - starts))
    if risk.loss == "squared":
        fine = np.linspace(0.0, 1.0, 65)
        values = np.concatenate([values, _lagrange(fine) @ values])
    return values.max(axis=0)


def _lagrange(t: Array) -> Array:
    """Rows of Lagrange weights: a quartic at t from its values at 0, 1/4, 1/2, 3/4, 1."""
    powers = np.vander(np.linspace(0.0, 1.0, 5), 5)
    return np.linalg.solve(powers.T, np.vander(t, 5).T).T


def rotation(O: Array) -> Callable[[float], Array]:
    """A path s -> SO(h) from the identity to O (h, h), det O = 1: plane rotations of the real Schur form, angles times s.

    ValueError when det O is not 1.
    """
    T, Z = schur(O, output="real")
    h = len(O)
    planes: list[tuple[int, int, float]] = []
    reversed_axes: list[int] = []
    i = 0
    while i < h:
        if i + 1 < h and abs(T[i + 1, i]) > 1e-12:
            planes.append((i, i + 1, float(np.arctan2(T[i + 1, i], T[i, i]))))
            i += 2
        else:
            if T[i, i] < 0:
                reversed_axes.append(i)
            i += 1
    if len(reversed_axes) % 2:
        raise ValueError("O must have determinant 1: no path of rotations leads to a reflection")
    planes += [(p, q, np.pi) for p, q in zip(reversed_axes[::2], reversed_axes[1::2])]

    def at(s: float) -> Array:
        turn = np.eye(h)
        for p, q, angle in planes:
            c, d = np.cos(s * angle), np.sin(s * angle)
            turn[p, p], turn[p, q], turn[q, p], turn[q, q] = c, -d, d, c
        return Z @ turn @ Z.T

    return at


def shortest_rotation(R: Array, target: Array) -> Array | None:
    """O in SO(h) with O R = target (both (h, k), orthonormal columns), close to the identity; None when det is -1."""
    h, k = R.shape
    free_0, free_1 = complement(R), complement(target)
    A, _, Bt = np.linalg.svd(free_1.T @ free_0)
    O = target @ R.T + free_1 @ (A @ Bt) @ free_0.T
    if np.linalg.det(O) < 0:
        if k == h:
            return None
        A[:, -1] *= -1
        O = target @ R.T + free_1 @ (A @ Bt) @ free_0.T
    return O


def complement(R: Array) -> Array:
    """Orthonormal columns (h, h - k) orthogonal to those of R (h, k)."""
    return np.linalg.qr(R, mode="complete")[0][:, R.shape[1] :]


def divided(M: Array, W: Array) -> Array:
    """M W^{-1}, M (m, r), W (r, r); the nearest there is where W is singular."""
    try:
        return np.linalg.solve(W.T, M.T).T
    except np.linalg.LinAlgError:
        return np.linalg.lstsq(W.T, M.T, rcond=None)[0].T


def splice(*paths: Path) -> Path:
    """The paths one after the other; ends that differ by rounding are joined by a short piece, labelled "rounding"."""
    whole = paths[0]
    for path in paths[1:]:
        gap = np.stack([whole.points[-1], path.points[0]])
        if not np.array_equal(*gap):
            whole = whole + Path(gap, ("rounding",))
        whole = whole + path
    return whole
