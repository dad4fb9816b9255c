"""Moves around an idle unit: the mechanism behind every constructed path.

A hidden unit is *idle* when its outgoing weights are zero. Four moves, each a straight segment that changes one
matrix only. Z (h, N) are the features that hidden layer j hands to V = W_{j+1} (with biases one more row, of ones):

free      if nu^T Z = 0 with nu_k = 1, V <- V - V e_k nu^T: V Z stays, column k ends at zero;
place     the incoming row of an idle unit goes anywhere: nothing sees it;
transfer  two units with parallel incoming rows: outgoing weights go from one to the other, V Z stays;
refit     V goes anywhere: the risk is convex along the segment, so its maximum is at an end.

The function on the sample is constant along the first three. With one idle unit any permutation of a layer is
reached by place and transfer (`permute`), like a fifteen puzzle: a copy goes into the hole, the old place is the new
hole. With more of them two nets stand side by side (`theory.crossing`).

Numerics. The rows of Z are scaled by the size of the terms that were summed up to them before the null space is taken
(each unit's scale is a gauge; roundings are then EPS in every row, also where features cancel), nu is the shortest null
vector in that scale, and the freed unit is one of large leverage, so that |nu| stays moderate: a freed unit then changes
V Z by a few roundings of sum_i |V_i| |z_i|. Entries that cancel up to rounding are set to zero.

Source: ours, written out in paper_notes.md, prop-2.2 and thm-2.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr

from theory.networks import ACTIVATIONS, Network
from theory.numerics import EPS, Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.penalties import lengths

Units = Sequence[int] | NDArray[Any]


# Two rows count as parallel when they agree to this many units in the last place of their largest entry.
PARALLEL = 16 * EPS

# What cancels to this share of its terms is zero: left as it is, a unit would later lean on the rounding with weights 1/EPS.
CANCELS = 64 * EPS


class Walk:
    """A path under construction: starts at theta (P,), records a labelled vertex after every move.

    network: any; X (N, n_in): the sample points on which the function is kept. For identity activation the features
    are the products W_j ... W_1 instead (N = n_in), the function is kept everywhere and X may be None, unless on_sample
    asks for the features at X there too (fewer samples than inputs: more dependencies).
    keep_still: record moves of length zero as well (by default they are skipped). tolerance: features, scaled to norm
    one, count as dependent when they are so up to this, relatively (and up to rounding in any case).

    `layer` is the hidden layer, 1..K-1, whose units move; its outgoing matrix is W_{layer+1}. Every move raises
    ValueError when its hypothesis fails: no unit can be freed, a unit is not idle, rows are not parallel.
    """

    def __init__(
        self,
        network: Network,
        theta: ArrayLike,
        X: ArrayLike | None = None,
        *,
        keep_still: bool = False,
        on_sample: bool = False,
        tolerance: float = 0.0,
    ) -> None:
        self.network = network
        start = check.vector(theta, network.size)
        self._linear = network.activation == "identity"
        self._everywhere = self._linear and not check.choice(on_sample, "on_sample", (False, True))
        if X is None and not self._everywhere:
            raise ValueError(
                f"X must be given for {network.activation} networks; only linear ones do without (and not on_sample)"
            )
        self._X = None if X is None else check.finite_array(network.inputs(X), "X")
        self._points = [np.array(start)]
        self._labels: list[str] = []
        self._tolerance = check.number(tolerance, "tolerance", minimum=0.0, maximum=1.0)
        self._keep_still = check.choice(keep_still, "keep_still", (False, True))
        self.largest_weight = float(np.abs(start).max())

    @classmethod
    def along(cls, network: Network, path: Path, X: ArrayLike | None = None) -> Walk:
        """The walk that has made this path, whatever its pieces are, and goes on from its end."""
        walk = cls(network, path.points[0], X)
        walk._points, walk._labels = [np.array(point) for point in path.points], list(path.labels)
        return walk

    @property
    def theta(self) -> Array:
        """Where the walk stands, (P,); a copy."""
        return self._points[-1].copy()

    @property
    def path(self) -> Path:
        """The path walked so far."""
        return Path(np.stack(self._points), tuple(self._labels))

    def incoming(self, layer: int) -> Array:
        """W_layer (h, n_{layer-1}), one more column with biases: row k is the incoming row of unit k; a copy."""
        return self._matrix(self._hidden(layer))

    def outgoing(self, layer: int) -> Array:
        """W_{layer+1} (n_{layer+1}, h), one more column with biases: column k: outgoing weights of unit k; a copy."""
        return self._matrix(self._hidden(layer) + 1)

    def idle(self, layer: int) -> Array:
        """Indices of the units of a hidden layer whose outgoing weights are exactly zero."""
        return np.flatnonzero(self._is_idle(layer))

    def features(self, layer: int) -> Array:
        """Z (h, N), what the units of a layer hand on at each sample point; with biases a last row of ones.

        For linear nets the columns are the coefficients of the affine function that each unit computes, so N = n_in
        (n_in + 1 with biases) whatever the sample.
        """
        self._hidden(layer)
        if self._X is not None and not self._everywhere:
            return self.network.features(self._points[-1], self._X, layer).T
        n = self.network.widths[0] + self.network.bias
        Z = np.eye(n)
        with np.errstate(over="ignore", invalid="ignore"):
            for W in self.network.weights(self._points[-1])[:layer]:
                Z = np.vstack([W @ Z, np.eye(n)[-1:]]) if self.network.bias else W @ Z
        if not np.isfinite(Z).all():
            raise ValueError(f"theta must be smaller: the features of layer {layer} overflow float64")
        return Z

    def rank(self, layer: int, among: Units | None = None) -> int:
        """The rank of the features of `among` (default: all units), as `free` decides it; the ones of biases count too."""
        width = self.network.widths[self._hidden(layer)]
        rows = np.isin(np.arange(width + self.network.bias), np.append(self._units(layer, among, "among"), width))
        return int(rows.sum()) - self._null_space(layer, rows)[0].shape[1]

    def free(self, layer: int, unit: int | None = None, among: Units | None = None) -> int:
        """Make one unit idle without changing the function, in one piece; returns which.

        unit: this one; else the best of `among` (default: all units): one that is idle already (no piece), or of
        leverage within a factor 4 of the largest, the one that contributes least. Other idle units stay idle unless
        the dependency needs them. ValueError when the features are linearly independent, or when no allowed unit
        takes part in a dependency.
        """
        if unit is not None and among is not None:
            raise ValueError("give unit or among, not both")
        allowed = self._units(layer, among, "among") if unit is None else self._units(layer, [unit], "unit")
        idle = self._is_idle(layer)
        if idle[allowed].any():
            return int(allowed[idle[allowed]][0])
        every = np.ones(len(idle) + self.network.bias, dtype=bool)
        null, scale = self._null_space(layer, np.append(~idle, every[len(idle) :]))
        leverage = np.sum(null[allowed] ** 2, axis=1)
        if not leverage.max(initial=0.0) >= 1 / (2 * len(every)) ** 2:
            null, scale = self._null_space(layer, every)
            leverage = np.sum(null[allowed] ** 2, axis=1)
        if not leverage.max(initial=0.0) > EPS:
            raise ValueError(self._stuck(layer, allowed, null.shape[1]))
        V = self.outgoing(layer)
        near = np.flatnonzero(leverage >= leverage.max() / 4)
        moved = np.linalg.norm(V[:, allowed[near]], axis=0) * scale[allowed[near]]
        k = int(allowed[near[np.argmin(moved / np.sqrt(leverage[near]))]])
        nu = (null @ null[k]) / (null[k] @ null[k])
        self._release(layer, np.array([k]), nu[:, None], scale, f"free unit {k} of layer {layer}")
        return k

    def free_many(self, layer: int, among: Units | None = None, *, growth: float | None = None) -> Array:
        """Make as many units of `among` idle as one piece can, keeping the function; returns them, sorted.

        Units of `among` that are idle already stay so and count; idle units outside `among` may take over weights. The
        others are chosen by pivoting in the null space of the features, as long as the pivot is at least 1 / growth
        (default twice the width), which bounds the weights. May return none.
        """
        allowed = self._units(layer, among, "among")
        width = self.network.widths[layer]
        growth = 2.0 * width if growth is None else check.number(growth, "growth", minimum=1.0)
        idle = self._is_idle(layer)[allowed]
        already, busy = np.sort(allowed[idle]), allowed[~idle]
        if busy.size == 0:
            return already
        rows = np.ones(width + self.network.bias, dtype=bool)
        rows[already] = False
        null, scale = self._null_space(layer, rows)
        if null.shape[1] == 0:
            return already
        triangle, order = qr(null[busy].T, mode="r", pivoting=True)
        pivots = np.abs(np.diagonal(triangle))
        count = int(np.argmin(np.append(pivots >= 1 / growth, False)))
        if count == 0:
            return already
        chosen = busy[order[:count]]
        square = null[chosen]
        nu = null @ np.linalg.pinv(square) if count < null.shape[1] else np.linalg.solve(square.T, null.T).T
        what = f"unit {chosen[0]}" if count == 1 else f"{count} units"
        self._release(layer, chosen, nu, scale, f"free {what} of layer {layer}")
        return np.sort(np.concatenate([already, chosen]))

    def place(self, layer: int, unit: int | Units, row: ArrayLike) -> None:
        """Give idle units new incoming rows: one unit and a row (n_{layer-1},) (with biases one longer), or several."""
        units = self._units(layer, np.atleast_1d(check.stored_array(unit, "unit")), "unit")
        W = self.incoming(layer)
        rows = check.finite_array(row, "row")
        shape = (len(units), W.shape[1])
        if rows.shape != shape and not (np.ndim(unit) == 0 and rows.shape == shape[1:]):
            raise ValueError(f"row must have shape {shape} ({shape[1:]} for one unit); got {rows.shape}")
        busy = units[~self._is_idle(layer)[units]]
        if busy.size:
            raise ValueError(
                f"unit must be idle (outgoing weights exactly zero) to be placed; units {busy.tolist()} of layer {layer} are not"
            )
        W[units] = rows
        what = f"unit {units[0]}" if len(units) == 1 else f"{len(units)} units"
        self._step(layer, W, f"place {what} of layer {layer}")

    def transfer(self, layer: int, source: int | Units, target: int | Units) -> None:
        """Move the outgoing weights of `source` to `target`, whose incoming row must be parallel; source ends idle.

        Rows may differ by a factor c (c > 0 for relu, any for identity, 1 for other activations): the target gains c
        times the weights. In linear nets with biases the rows may differ in their biases as well: the next layer's
        bias takes up the difference. Several pairs are moved in one piece.
        """
        sources = self._units(layer, np.atleast_1d(check.stored_array(source, "source")), "source")
        targets = self._units(layer, np.atleast_1d(check.stored_array(target, "target")), "target")
        if len(sources) != len(targets) or np.intersect1d(sources, targets).size:
            raise ValueError(
                f"source and target must be different units, pair by pair; got {sources.tolist()} and {targets.tolist()}"
            )
        W, V = self.incoming(layer), self.outgoing(layer)
        for s, t in zip(sources, targets):
            factor, offset = self._ratio(W[s], W[t], layer, int(s), int(t))
            V[:, t] += factor * V[:, s]
            if offset:
                V[:, -1] += offset * V[:, s]
        V[:, sources] = 0.0
        pairs = (
            ", ".join(f"{s} -> {t}" for s, t in zip(sources, targets)) if len(sources) < 4 else f"{len(sources)} units"
        )
        self._step(layer + 1, V, f"transfer {pairs} in layer {layer}")

    def refit(self, layer: int, V: ArrayLike, label: str | None = None) -> None:
        """Move W_{layer+1} straight to V (n_{layer+1}, n_layer), layer 0..K-1; the risk is convex along this piece.

        label: of the piece, default "refit" with the layer. Convexity needs outputs that are affine in W_{layer+1}: the
        last matrix, or any matrix of a linear net, and an identity output; ValueError otherwise.
        """
        if not 0 <= check.positive_integer(layer, "layer", minimum=0) < self.network.depth:
            raise ValueError(f"layer must be in 0..{self.network.depth - 1} to be refitted; got {layer}")
        if self.network.output != "identity" or not (self._linear or layer == self.network.depth - 1):
            raise ValueError(
                f"refit needs outputs affine in W_{layer + 1}: the last matrix ({self.network.depth}) or a linear net, "
                f"and identity output; the network has activation {self.network.activation!r}, output {self.network.output!r}"
            )
        target = check.finite_array(V, "V", ndim=2)
        if target.shape != self.network.shapes[layer]:
            raise ValueError(
                f"V must have shape {self.network.shapes[layer]}, that of W_{layer + 1}; got {target.shape}"
            )
        self._step(layer + 1, target, label or f"refit W_{layer + 1}")

    def permute(self, layer: int, order: Units) -> None:
        """Reorder the units of a layer (new unit i is old unit order[i], as `Network.permute`) around one idle unit.

        The function is constant and the walk ends exactly at network.permute(theta, layer, order). Two pieces for
        each unit moved. ValueError when no unit is idle: free one first.
        """
        goal = self.network.permute(self.theta, layer, list(order))
        wanted = [int(i) for i in order]
        if np.array_equal(goal, self._points[-1]):
            return
        if self.idle(layer).size == 0:
            raise ValueError(f"permuting layer {layer} needs an idle unit (outgoing weights zero); free one first")
        blank = int(self.idle(layer)[0])
        hole_row = self.incoming(layer)[blank]
        at = list(range(len(wanted)))  # at[position]: which old unit stands there
        hole = blank
        while at != wanted:
            if wanted[hole] != blank:
                source = at.index(wanted[hole])
            else:  # a cycle is closed: open the next one
                source = next(p for p in range(len(at)) if at[p] != wanted[p])
            self.place(layer, hole, self.incoming(layer)[source])
            self.transfer(layer, source, hole)
            at[hole], at[source], hole = at[source], blank, source
        self.place(layer, hole, hole_row)

    def _matrix(self, k: int) -> Array:
        """W_k; a copy."""
        return self._points[-1][self.network.slices[k - 1]].reshape(self.network.shapes[k - 1]).copy()

    def _is_idle(self, layer: int) -> Array:
        return ~np.any(self.outgoing(layer)[:, : self.network.widths[layer]] != 0, axis=0)

    def _null_space(self, layer: int, rows: Array) -> tuple[Array, Array]:
        """Orthonormal columns spanning {nu: nu^T Z~ = 0}, zero off the mask `rows`; Z~ = Z / scale, with dead rows zero.

        scale: the size of what was summed up to a feature, so that roundings are EPS in each row of Z~, and those of a
        feature that cancels are not taken for a direction of their own. Dead units, up to rounding, have scale 0.
        """
        Z = self.features(layer)
        with np.errstate(invalid="ignore"):
            size, scale = lengths(Z), lengths(self._blur(layer))
        scale = np.where(np.isfinite(scale), np.maximum(size, scale), size)
        scale[size <= len(Z) * EPS * scale] = 0.0
        unit_rows: Array = (
            np.where(scale > 0, 1.0, 0.0)[rows, None] * (Z / np.where(scale == 0, 1.0, scale)[:, None])[rows]
        )
        if unit_rows.shape[1] > unit_rows.shape[0]:
            unit_rows = qr(unit_rows.T, mode="r")[0][: unit_rows.shape[0]].T
        U, s, _ = np.linalg.svd(unit_rows, full_matrices=True)
        rank = int(np.sum(s > max(len(s) * EPS, self._tolerance) * max(s.max(initial=0.0), EPS)))
        null = np.zeros((len(Z), len(unit_rows) - rank))
        null[rows] = U[:, rank:]
        return null, scale

    def _blur(self, layer: int) -> Array:
        """By how much Z (h, N) may be wrong, to first order and in units of EPS, after a rounding of each product below."""
        network = self.network
        h = np.eye(network.widths[0] + network.bias) if self._everywhere else network.augment(np.asarray(self._X)).T
        blur = np.zeros_like(h)
        with np.errstate(over="ignore", invalid="ignore"):
            for k, W in enumerate(network.weights(self._points[-1])[:layer], start=1):
                z, blur = W @ h, np.abs(W) @ (blur + np.abs(h))
                rho, last = network.rho(k), h[len(h) - network.bias :]
                h = np.vstack([rho.value(z), last])
                blur = np.vstack([rho.slope(z) * blur + np.abs(h[: len(z)]), 0 * last])
        return np.where(np.abs(h) > blur, np.abs(h), blur)

    def _release(self, layer: int, units: Array, nu: Array, scale: Array, label: str) -> None:
        """V <- V - V_units nu^T with nu (h, len(units)) in the scaled gauge, nu[units] = I."""
        V = self.outgoing(layer)
        nu = np.where(np.abs(nu) > CANCELS * np.abs(nu).max(axis=0), nu, 0.0)
        alive = scale[: V.shape[1]] > 0
        with np.errstate(over="ignore", invalid="ignore"):  # `_step` refuses what overflows
            ratio = np.divide(scale[units], scale[: V.shape[1], None], where=alive[:, None], out=np.zeros(nu.shape))
            given, size = V[:, units] @ (nu * ratio).T, np.abs(V[:, units]) @ np.abs(nu * ratio).T
            new = V - given
            new[np.abs(new) < CANCELS * (np.abs(V) + size)] = 0.0
        new[:, units] = 0.0
        self._step(layer + 1, new, label)

    def _ratio(self, source: Array, target: Array, layer: int, s: int, t: int) -> tuple[float, float]:
        """(c, d) with source = c target + (0, ..., 0, d), as far as the activation lets both be absorbed."""
        offsets = self._linear and self.network.bias
        a, b = (source[:-1], target[:-1]) if offsets else (source, target)
        homogeneous = ACTIVATIONS[self.network.activation].homogeneous
        if np.array_equal(a, b):
            c = 1.0
        elif homogeneous and not a.any():
            c = 0.0
        elif homogeneous and b.any():
            pivot = int(np.argmax(np.abs(b)))
            c = float(a[pivot] / b[pivot])
        else:
            c = 1.0
        difference = float(np.abs(a - c * b).max(initial=0.0))
        if difference > PARALLEL * np.abs(a).max(initial=0.0) or (c < 0 and not self._linear):
            kind = {"relu": "positively parallel", "identity": "parallel"}.get(self.network.activation, "equal")
            raise ValueError(f"transfer needs {kind} incoming rows; units {s} and {t} of layer {layer} differ")
        return c, float(source[-1] - c * target[-1]) if offsets else 0.0

    def _step(self, matrix: int, W: Array, label: str) -> None:
        """Record the vertex where W_matrix has become W."""
        theta = self.theta
        theta[self.network.slices[matrix - 1]] = W.ravel()
        if not np.isfinite(theta).all():
            raise ValueError(f"weights overflow float64 in the move: {label}")
        if np.array_equal(theta, self._points[-1]) and not self._keep_still:
            return
        self._points.append(theta)
        self._labels.append(label)
        self.largest_weight = max(self.largest_weight, float(np.abs(W).max()))

    def _hidden(self, layer: int) -> int:
        if not 1 <= check.positive_integer(layer, "layer", minimum=0) < self.network.depth:
            raise ValueError(
                f"layer must name a hidden layer, 1..{self.network.depth - 1}; got {layer} (widths {self.network.widths})"
            )
        return layer

    def _units(self, layer: int, units: Any, name: str) -> Array:
        width = self.network.widths[self._hidden(layer)]
        if units is None:
            return np.arange(width)
        check.unmasked(units, name)
        if isinstance(units, np.ndarray) and units.dtype.kind in "iu" and units.ndim == 1:
            chosen = units.tolist()
            check.positive_integer(min(chosen, default=0), name, minimum=0)
        else:
            chosen = [check.positive_integer(k, name, minimum=0) for k in units]
        if len(set(chosen)) != len(chosen) or any(k >= width for k in chosen):
            raise ValueError(f"{name} must name different units of layer {layer}, 0..{width - 1}; got {chosen}")
        return np.array(chosen, dtype=int)

    def _stuck(self, layer: int, allowed: Array, dimension: int) -> str:
        if dimension == 0:
            return (
                f"no idle unit can be made in layer {layer}: its {self.network.widths[layer]} features are linearly "
                "independent on the sample; a wider layer (more units than sample points) or dependent features are needed"
            )
        return (
            f"none of the units {allowed.tolist()} of layer {layer} takes part in a linear dependency of the features"
        )
