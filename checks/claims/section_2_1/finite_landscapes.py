"""Finite landscapes with exact sublevel sets.

Integer values at the vertices of a triangulated domain, extended linearly, are a continuous function F. The sublevel
set {F <= level} retracts onto the subcomplex spanned by its vertices, so that its components are those of a graph;
a strict local minimum of F is a vertex below all its neighbours; a component of {F = level} that consists of local
minima is a plateau of vertices without a lower neighbour. Everything is decided in integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FiniteLandscape:
    """values (V,): integers at the vertices; edges (E, 2): the triangulation's edges, one connected graph."""

    name: str
    values: Ints
    edges: Ints

    def below(self, *, strictly: bool) -> NDArray[np.bool_]:
        """For every vertex whether all its neighbours are above it: strictly, or at least as high."""
        a, b = self.edges.T
        difference = self.values[b] - self.values[a]
        least = np.full(len(self.values), np.iinfo(np.int64).max)
        np.minimum.at(least, a, difference)
        np.minimum.at(least, b, -difference)
        return least > 0 if strictly else least >= 0


class Forest:
    """Union-find over vertices that appear one by one."""

    def __init__(self, vertices: int) -> None:
        self._parent = list(range(vertices))
        self._size = [0] * vertices
        self.components = 0

    def add(self, vertex: int) -> None:
        """A vertex appears as a component of its own."""
        self._size[vertex] = 1
        self.components += 1

    def root(self, vertex: int) -> int:
        """The name of the vertex's component."""
        while self._parent[vertex] != vertex:
            self._parent[vertex] = self._parent[self._parent[vertex]]
            vertex = self._parent[vertex]
        return vertex

    def join(self, a: int, b: int) -> None:
        """An edge appears."""
        a, b = self.root(a), self.root(b)
        if a != b:
            a, b = (b, a) if self._size[a] < self._size[b] else (a, b)
            self._parent[b] = a
            self._size[a] += self._size[b]
            self.components -= 1

    def size(self, vertex: int) -> int:
        """The number of vertices in the vertex's component."""
        return self._size[self.root(vertex)]


def sweep(landscape: FiniteLandscape) -> Iterator[tuple[int, Ints, Forest]]:
    """For every level in increasing order: the level, its vertices, and the components of {F <= level}."""
    values, edges = landscape.values, landscape.edges
    forest = Forest(len(values))
    height = values[edges].max(axis=1)
    for level in np.unique(values):
        vertices = np.flatnonzero(values == level)
        for vertex in vertices.tolist():
            forest.add(vertex)
        for a, b in edges[height == level].tolist():
            forest.join(a, b)
        yield int(level), vertices, forest


def connected_at_every_level(landscape: FiniteLandscape) -> bool:
    """Whether every nonempty sublevel set is connected."""
    return all(forest.components == 1 for _, _, forest in sweep(landscape))


def plateaus(landscape: FiniteLandscape) -> list[Ints]:
    """The vertex sets on which F is constant, each connected and as large as possible."""
    values, edges = landscape.values, landscape.edges
    forest = Forest(len(values))
    for vertex in range(len(values)):
        forest.add(vertex)
    for a, b in edges[values[edges[:, 0]] == values[edges[:, 1]]].tolist():
        forest.join(a, b)
    roots = np.array([forest.root(vertex) for vertex in range(len(values))])
    return [np.flatnonzero(roots == root) for root in np.unique(roots)]


def grid(shape: tuple[int, ...]) -> Ints:
    """Edges of Freudenthal's triangulation of a grid: i to i + step for every nonzero 0-1 step."""
    index = np.arange(int(np.prod(shape))).reshape(shape)
    edges = []
    for step in product((0, 1), repeat=len(shape)):
        if any(step):
            low = index[tuple(slice(0, n - s) for n, s in zip(shape, step))]
            high = index[tuple(slice(s, n) for n, s in zip(shape, step))]
            edges.append(np.stack([low.ravel(), high.ravel()], axis=1))
    return np.concatenate(edges)


def explicit() -> list[FiniteLandscape]:
    """Landscapes with known answers: clipped and double wells, scalar linear and half-rectified nets on a grid."""
    x = np.arange(-6, 7)
    w, v = np.meshgrid(x, x, indexing="ij")
    line, plane = grid((13,)), grid((13, 13))
    return [
        FiniteLandscape("min(|x|, 1)", np.minimum(np.abs(x), 1), line),
        FiniteLandscape("(x^2 - 9)^2", (x**2 - 9) ** 2, line),
        FiniteLandscape("(x^2 - 9)^2 + 10 x", (x**2 - 9) ** 2 + 10 * x, line),
        FiniteLandscape("(4 - w v)^2", ((4 - w * v) ** 2).ravel(), plane),
        FiniteLandscape("(4 - v relu(w))^2", ((4 - v * np.maximum(w, 0)) ** 2).ravel(), plane),
        FiniteLandscape("(4 - w v)^2 + w^2 + v^2", ((4 - w * v) ** 2 + w**2 + v**2).ravel(), plane),
        FiniteLandscape("a point and its neighbour", np.array([0, 1]), np.array([[0, 1]])),
        FiniteLandscape("constant", np.zeros(13, dtype=int), line),
    ]


def random_landscape(rng: np.random.Generator) -> FiniteLandscape:
    """A line, a plane, a space, a circle, a tree or a graph with rough, tied, single-well or clipped values."""
    name = rng.choice(["line", "plane", "space", "circle", "tree", "graph"])
    if name in ("line", "plane", "space"):
        dimension = {"line": 1, "plane": 2, "space": 3}[name]
        shape = tuple(int(n) for n in rng.integers(2, {1: 30, 2: 8, 3: 5}[dimension], size=dimension))
        edges, count = grid(shape), int(np.prod(shape))
    else:
        count = int(rng.integers(3, 30))
        vertex = np.arange(1, count)
        if name == "circle":
            edges = np.stack([np.arange(count), np.roll(np.arange(count), 1)], axis=1)
        else:
            edges = np.stack([vertex, (rng.random(count - 1) * vertex).astype(int)], axis=1)  # a random tree
        if name == "graph":
            more = rng.integers(0, count, size=(count, 2))
            edges = np.concatenate([edges, more[more[:, 0] != more[:, 1]]])
    kind = rng.choice(["rough", "tied", "well", "clipped well", "dented well"])
    if kind in ("rough", "tied"):
        values = rng.integers(0, 10 * count if kind == "rough" else 4, size=count)
    else:
        values = _distance(count, edges, int(rng.integers(count)))
        if kind == "clipped well":
            values = np.minimum(values, max(1, int(values.max()) // 2))
        if kind == "dented well":
            values = 2 * values - (rng.random(count) < 0.1) * 3
    return FiniteLandscape(f"{name}, {kind}", values, edges)


def _distance(count: int, edges: Ints, start: int) -> Ints:
    """The number of edges from `start`: every sublevel set is connected."""
    distance = np.full(count, count)
    distance[start] = 0
    a, b = edges.T
    while True:
        shorter = distance.copy()
        np.minimum.at(shorter, a, distance[b] + 1)
        np.minimum.at(shorter, b, distance[a] + 1)
        if np.array_equal(shorter, distance):
            return distance
        distance = shorter
