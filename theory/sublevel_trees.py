"""The tree of sublevel sets of a landscape on a grid: components are born at minima and merge as the level rises.

Two grid points are neighbours when they differ by one step along one axis. The sublevel graph at level lambda keeps the
points with value <= lambda; a component is born at its lowest point and dies where it first touches one that was born
lower (the elder rule). This is the zero-dimensional persistence of the grid (Edelsbrunner, Letscher & Zomorodian 2002).

Method: every point flows to its lowest neighbour (ties by index) until it reaches a local minimum; the basins so found
and the lowest passes between neighbouring basins have the same merge tree as the whole grid, because every point is
joined to its minimum below its own value. Passes are sorted once and merged in rounds, as many as a logarithm. All of it is
array arithmetic, so 64^4 points take seconds.

What a grid can prove, and what it cannot. If f is L-Lipschitz and the mesh is h, every merge height on the grid is
within L h sqrt(d) of the true one: a true path passes through cubes whose corners are at most L h sqrt(d) higher, and
an edge of the grid is at most L h / 2 higher inside than at its ends. Without a Lipschitz constant it proves nothing.
In particular a wall of codimension one between grid points is missed. That happens when the second layer is refitted
at every grid point of W_1: for as many units as data points the refitted risk is zero wherever det Z != 0, the walls
are {det Z = 0}, and no grid point lies on them. Pass the sign of det Z as `sides`: neighbours on different sides are
then not joined. (Two walls within one step cancel: where units stand in an order on an arc, pass that order.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import Array
from theory.numerics import validation as check

MOST_AXES = 4


@dataclass(frozen=True, eq=False)
class SublevelTree:
    """Components in order of birth, C of them; arrays ready to plot.

    birth (C,): value at the lowest point; death (C,): level at which it joins an older component, inf if never;
    parent (C,): the component that it joins, -1 if none; minimum (C, d): grid index of the lowest point;
    merge (C, d): grid index of the higher end of the pass where it dies (-1 if never).
    """

    birth: Array
    death: Array
    parent: Array
    minimum: Array
    merge: Array

    def __len__(self) -> int:
        return len(self.birth)

    def count(self, level: ArrayLike) -> Array:
        """How many components the sublevel set {f <= level} has, for each level."""
        level = check.finite_array(level, "level")
        return np.sum((self.birth <= level[..., None]) & (self.death > level[..., None]), axis=-1)

    def merge_level(self, a: int, b: int) -> float:
        """The lowest level at which components a and b are one; inf if never, the birth of a if they are the same.

        a, b: numbers 0..C-1, ValueError otherwise.
        """
        k, l = self._component(a, "a"), self._component(b, "b")
        level, reached = float(self.birth[k]), {k: float(self.birth[k])}
        while self.parent[k] >= 0:
            level, k = max(level, float(self.death[k])), int(self.parent[k])
            reached[k] = level
        level = float(self.birth[l])
        while l not in reached:
            if self.parent[l] < 0:
                return float("inf")
            level, l = max(level, float(self.death[l])), int(self.parent[l])
        return max(level, reached[l])

    def _component(self, value: int, name: str) -> int:
        number = check.positive_integer(value, name, minimum=0)
        if number >= len(self):
            raise ValueError(
                f"{name} must be the number of a component, 0..{len(self) - 1}; got {check.describe(number)}"
            )
        return number


def sublevel_tree(
    values: ArrayLike,
    *,
    periodic: bool | Sequence[bool] = False,
    sides: ArrayLike | None = None,
    min_persistence: float = 0.0,
) -> SublevelTree:
    """The merge tree of a landscape sampled on a grid of 1 to 4 axes; see the module for what it means.

    values (n_1, ..., n_d): finite, or +inf where the landscape is not defined. periodic: which axes wrap around
    (angles). sides (n_1, ..., n_d): neighbours with different entries are not joined. Components with death - birth <=
    min_persistence are left out (those of persistence zero always: ties on a plateau). ValueError for more axes, NaN,
    or another shape of sides.
    """
    values = check.stored_array(values, "values")
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):  # a long double beyond float64 is +inf, not defined
            values = values.astype(float, copy=False)
    if values.ndim == 0 or values.ndim > MOST_AXES or values.size == 0 or values.dtype.kind not in "fiu":
        raise ValueError(f"values must be a real array with 1 to {MOST_AXES} axes; got {values.dtype} {values.shape}")
    if np.isnan(values).any() or np.isneginf(values).any():
        raise ValueError("values must be finite or +inf; got nan or -inf")
    if not np.isfinite(values).any():
        raise ValueError("values must be finite somewhere; every entry is +inf")
    wraps: tuple[Any, ...] = tuple(periodic) if np.iterable(periodic) else (periodic,) * values.ndim
    if len(wraps) != values.ndim or not all(isinstance(wrap, (bool, np.bool_)) for wrap in wraps):
        raise ValueError(f"periodic must be one bool or one per axis, {values.ndim}; got {check.describe(periodic)}")
    labels = None if sides is None else check.stored_array(sides, "sides")
    if labels is not None and labels.shape != values.shape:
        raise ValueError(f"sides must have the shape of values, {values.shape}; got {labels.shape}")
    least = check.number(min_persistence, "min_persistence", minimum=0.0)
    basin = _basins(values, wraps, labels)
    roots, basin = np.unique(basin, return_inverse=True)
    basin = basin.reshape(values.shape)
    finite = np.isfinite(values.ravel()[roots])
    passes = _passes(values, basin, wraps, labels)
    return _elder_rule(values, roots, finite, *passes, least)


def landscape(function: Callable[[Array], Array], axes: Sequence[ArrayLike], *, slab: int = 200_000) -> Array:
    """The values (n_1, ..., n_d) of a function on the product grid of d axes, (n_k,) each.

    function takes points (S, d) and returns values (S,), at most `slab` at a time. ValueError for no or more than four
    axes, or an empty one, and where what it returns is of another shape or no real numbers.
    """
    if not callable(function):
        raise ValueError(f"function must be callable; got {check.describe(function)}")
    slab = check.positive_integer(slab, "slab")
    grids = [check.finite_array(axis, f"axes[{k}]", ndim=1) for k, axis in enumerate(check.entries(axes, "axes"))]
    if not 1 <= len(grids) <= MOST_AXES or any(len(g) == 0 for g in grids):
        raise ValueError(f"axes must be 1 to {MOST_AXES} nonempty vectors; got lengths {[len(g) for g in grids]}")
    shape = tuple(len(g) for g in grids)
    result = np.empty(int(np.prod(shape)))
    for start in range(0, len(result), slab):
        index = np.unravel_index(np.arange(start, min(start + slab, len(result))), shape)
        points = np.stack([g[i] for g, i in zip(grids, index)], axis=1)
        values = check.stored_array(function(points), "what function returns")
        if values.shape != (len(points),) or values.dtype.kind not in "biuf":
            raise ValueError(
                f"function must return real numbers of shape ({len(points)},), one per point; got {values.dtype} {values.shape}"
            )
        result[start : start + slab] = values
    return result.reshape(shape)


def _steps(shape: tuple[int, ...], wraps: tuple[bool, ...]) -> list[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Pairs of index expressions whose entries are neighbours, one step up each axis; wrapping steps come apart."""
    pairs = []
    for axis, (n, wrap) in enumerate(zip(shape, wraps)):
        whole = [slice(None)] * len(shape)
        if n > 1:
            low, high = list(whole), list(whole)
            low[axis], high[axis] = slice(0, n - 1), slice(1, n)
            pairs.append((tuple(low), tuple(high)))
        if wrap and n > 2:
            low, high = list(whole), list(whole)
            low[axis], high[axis] = slice(n - 1, n), slice(0, 1)
            pairs.append((tuple(low), tuple(high)))
    return pairs


def _basins(values: Array, wraps: tuple[bool, ...], sides: Array | None) -> Array:
    """For each point the flat index of the local minimum that it flows to, (n,); ties flow to the smaller index."""
    small = values.size < 2**31
    index = np.arange(values.size, dtype=np.int32 if small else np.int64).reshape(values.shape)
    target, height = index.copy(), values.copy()
    for low, high in _steps(values.shape, wraps):
        for here, there in ((low, high), (high, low)):
            v, w = values[there], height[here]
            better = np.less(v, w) | ((v == w) & np.less(index[there], target[here]))
            if sides is not None:
                better &= sides[here] == sides[there]
            np.copyto(height[here], v, where=better)
            np.copyto(target[here], index[there], where=better)
    pointer = target.ravel()
    while True:  # pointer jumping
        further = pointer[pointer]
        if np.array_equal(further, pointer):
            return pointer
        pointer = further


def _passes(
    values: Array, basin: Array, wraps: tuple[bool, ...], sides: Array | None
) -> tuple[Array, Array, Array, Array]:
    """The passes that merge anything: basins a and b, height, flat index of the higher end of each.

    They are a minimum spanning forest of the basins; that of all passes is found axis by axis, since passes that are
    left out of the forest of some are left out of the forest of all.
    """
    count = int(basin.max()) + 1
    small = values.size < 2**31
    basin = basin.astype(np.int32 if small else np.int64)
    index = np.arange(values.size, dtype=basin.dtype).reshape(values.shape)
    a = b = where = np.zeros(0, basin.dtype)
    height = np.zeros(0, values.dtype)
    for low, high in _steps(values.shape, wraps):
        apart = basin[low] != basin[high]
        if sides is not None:
            apart &= sides[low] == sides[high]
        apart &= np.isfinite(values[low]) & np.isfinite(values[high])
        u, v = values[low][apart], values[high][apart]
        more = np.where(u >= v, index[low][apart], index[high][apart])
        a, b = np.concatenate([a, basin[low][apart]]), np.concatenate([b, basin[high][apart]])
        height, where = np.concatenate([height, np.maximum(u, v)]), np.concatenate([where, more])
        kept = _spanning_forest(count, a, b, height)
        a, b, height, where = a[kept], b[kept], height[kept], where[kept]
    return a, b, height, where


def _spanning_forest(count: int, a: Array, b: Array, height: Array) -> Array:
    """Indices of the edges of a minimum spanning forest (Boruvka): every tree takes its lowest edge, until none is left.

    Ties go to the earlier edge, so that no cycle arises.
    """
    chosen: list[Array] = [np.zeros(0, int)]
    edges = np.arange(len(a))
    while len(edges):
        lowest = np.full(count, np.inf)
        np.minimum.at(lowest, a, height)
        np.minimum.at(lowest, b, height)
        first = np.full(count, len(edges))
        for end in (a, b):
            candidates = np.flatnonzero(height == lowest[end])
            np.minimum.at(first, end[candidates], candidates)
        trees = np.flatnonzero(first < len(edges))
        pick = first[trees]
        picked = np.zeros(len(edges), dtype=bool)
        picked[pick] = True
        chosen.append(edges[picked])
        other = np.where(a[pick] == trees, b[pick], a[pick])
        root = np.arange(count)
        root[trees] = other
        mutual = (root[root[trees]] == trees) & (
            trees < other
        )  # both ends picked the same edge: one of them is the root
        root[trees[mutual]] = trees[mutual]
        while not np.array_equal(further := root[root], root):
            root = further
        a, b = root[a], root[b]
        apart = a != b
        a, b, height, edges = a[apart], b[apart], height[apart], edges[apart]
    return np.concatenate(chosen)


def _elder_rule(
    values: Array, roots: Array, alive: Array, a: Array, b: Array, height: Array, where: Array, least: float
) -> SublevelTree:
    """Merge basins pass by pass, lowest first; the younger component (higher minimum) dies."""
    C = len(roots)
    birth = values.ravel()[roots].astype(float)
    eldest = np.lexsort((roots, birth))
    age = np.empty(C, dtype=int)
    age[eldest] = np.arange(C)  # 0 is the eldest
    order = np.lexsort((where, height))
    dead, heir, edge = _merges(C, age[a[order]], age[b[order]])
    dead, heir, edge = eldest[dead], eldest[heir], order[edge]
    death, parent, merge = np.full(C, np.inf), np.full(C, -1), np.full(C, -1)
    death[dead], parent[dead], merge[dead] = height[edge], heir, where[edge]
    alive[alive] = death[alive] - birth[alive] > least
    return _collect(values.shape, roots, birth, death, parent, merge, age, alive)


def _merges(count: int, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Who dies, who survives, and at which edge, when the edges x, y (E,) of a forest on `count` vertices are added in order.

    The number of a vertex is its age, that of a component its eldest's; where two meet, the younger dies (E of each). All
    at once, as Boruvka finds a spanning tree: every component v has a first edge e(v), which leads towards the pair that is
    first of all around it, along earlier and earlier edges. So within such a group v meets, at e(v), all of the group that
    has met before, and nothing else as long as no edge leads out of the group that is earlier: the eldest by then is a
    running minimum. What comes later waits. Of the pairs, and so of the groups, each round leaves at most half.
    """
    edges, found = np.arange(len(x)), [np.zeros((3, 0), dtype=np.int64)]
    while edges.size:
        first, leads_to = np.full(count, np.iinfo(np.int64).max), np.arange(count)
        for end in (x, y):
            np.minimum.at(first, end, edges)
        for here, there in ((x, y), (y, x)):
            mine = first[here] == edges
            leads_to[here[mine]] = there[mine]
        group = leads_to.copy()
        vertices = np.arange(count)
        paired = (leads_to[leads_to] == vertices) & (vertices < leads_to)
        group[paired] = vertices[paired]
        while not np.array_equal(further := group[group], group):
            group = further
        leaves = np.full(count, np.iinfo(np.int64).max)
        out = group[x] != group[y]
        for end in (x, y):
            np.minimum.at(leaves, group[end[out]], edges[out])
        when = np.where(group == vertices, -1, first)
        meets = np.flatnonzero((when < leaves[group]) & (leads_to != vertices))
        meets = meets[np.lexsort((when[meets], group[meets]))]
        of = group[meets]
        fresh = np.concatenate([[True], of[1:] != of[:-1]])
        number = np.cumsum(fresh)
        shift = (number[-1] - number) * count  # later groups are lower, so that the minimum begins anew
        least = np.minimum.accumulate(meets + shift) - shift
        later = np.flatnonzero(~fresh)
        before, met = least[later - 1], meets[later]
        found.append(np.stack([np.maximum(before, met), np.minimum(before, met), when[met]]))
        name = vertices.copy()
        name[meets] = least[np.append(np.flatnonzero(fresh)[1:], len(meets)) - 1][number - 1]
        x, y = name[x], name[y]
        apart = x != y
        x, y, edges = x[apart], y[apart], edges[apart]
    dead, heir, edge = np.concatenate(found, axis=1)
    return dead, heir, edge


def _collect(
    shape: tuple[int, ...],
    roots: Array,
    birth: Array,
    death: Array,
    parent: Array,
    merge: Array,
    age: Array,
    keep: Array,
) -> SublevelTree:
    """The components that are kept, eldest first; a parent left out is replaced by the one it joined."""
    kept = np.flatnonzero(keep)
    kept = kept[np.argsort(age[kept])]
    number = np.full(len(roots), -1)
    number[kept] = np.arange(len(kept))
    heads = parent[kept]
    while (lost := (heads >= 0) & (number[heads] < 0)).any():
        heads = np.where(lost, parent[heads], heads)
    places = np.stack(np.unravel_index(np.maximum(merge[kept], 0), shape), axis=1)
    return SublevelTree(
        birth[kept],
        death[kept],
        np.where(heads >= 0, number[heads], -1),
        np.stack(np.unravel_index(roots[kept], shape), axis=1),
        np.where(merge[kept][:, None] >= 0, places, -1),
    )
