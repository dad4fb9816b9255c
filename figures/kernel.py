"""Proposition 2.3: the kernel between its sharp and its printed bounds, against the angle, with adversarial measures.

In (a) the measures put all they can on the bisector, ||w_m||_Z^2 = ||Sigma||; the band is from cos^2(a/2) - sin^2(a/2), cut
at 0, to cos^2(a/2). In (b) they are of all kinds: few atoms, heavy tails, one-sided, and the worst that a search finds.
"""

from __future__ import annotations

import numpy as np

from figures._panels import letter
from theory.relu_kernel import kernel, pair, sharp_bounds
from theory.risk import Sample

CAPTION = (
    "The kernel of Proposition 2.3 fills the band between the sharp bounds, far above the printed lower one (a), and "
    "what it lacks of its upper bound, over |Sigma| sin^2(a/2), is at most 1, attained up to a right angle, where "
    "print allows 2 to 10 (b). It would be refuted by a mark outside the grey region."
)
CLAIMS = ("prop-2.3", "prop-2.3-sharp")
SEARCHED = 25  # generations of the search for the worst measures


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--seed", type=int, default=0)


def data(*, fast: bool = False, seed: int = 0, sample: Sample | None = None) -> dict[str, np.ndarray]:
    """Clouds of pairs (angle in radians, value), (k, 2) each, and `edges` (k, 3): an angle and the edges attained there.

    `band`: kernel / ||Sigma||. `lack`, `searched` and `table` (empty without a user's table): (upper - kernel) / (||Sigma||
    s^2).
    """
    if seed < 0:
        raise ValueError(f"seed must be >= 0; got {seed}")
    if sample is not None and sample.n_in < 2:
        raise ValueError(f"the table must have at least two input columns for two directions; got {sample.n_in}")
    rng = np.random.default_rng(seed)
    count = 150 if fast else 900
    arrays = {
        "band": np.array([_on_the_bisector(rng) for _ in range(count)]),
        "lack": np.array([_lack(_random(rng), rng.uniform(0.01, 0.99) * np.pi) for _ in range(count)]),
        "searched": np.array([_searched(rng, a) for a in np.linspace(0.05, 0.97, 12 if fast else 40) * np.pi]),
        "edges": _edges(np.radians(np.arange(10, 180, 20.0))),
        "table": np.zeros((0, 2)),
    }
    if sample is not None:
        arrays["table"] = np.array([_of_table(sample, rng) for _ in range(count)])
    return arrays


def _rows(angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors of the plane at +- angle/2 from e1: the bisector is e1, the normal e2."""
    c, s = np.cos(angle / 2), np.sin(angle / 2)
    return np.array([c, -s]), np.array([c, s])


def _on_the_bisector(rng: np.random.Generator) -> tuple[float, float]:
    """A random measure with all points on the bisector's side and Sigma = diag(1, tau), tau <= 1."""
    angle, k = rng.uniform(0, np.pi), int(rng.integers(1, 4))
    p = rng.dirichlet(np.full(k, rng.choice([0.2, 1.0])))
    u, v = rng.exponential(size=k) ** rng.choice([0.1, 1, 2]), rng.standard_normal(k)
    tau = rng.choice([1.0, rng.uniform()])
    u, v = u / np.sqrt(p @ u**2), v * np.sqrt(tau / (p @ v**2))
    X = np.concatenate([np.stack([u, v], axis=1), np.stack([u, -v], axis=1)])
    return angle, float(kernel(*_rows(angle), Sample(X, np.zeros((2 * k, 1)), np.concatenate([p, p]) / 2)))


def _edges(angles: np.ndarray) -> np.ndarray:
    """(k, 3): angle, and the kernel of X = (1, +-1) and of X = (1, 0)."""
    lowest = Sample(np.array([[1.0, 1.0], [1.0, -1.0]]), np.zeros((2, 1)))
    highest = Sample(np.array([[1.0, 0.0]]), np.zeros((1, 1)))
    return np.array([[a, kernel(*_rows(a), lowest), kernel(*_rows(a), highest)] for a in angles])


def _random(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Atoms (k, 2) and their weights: few or many, heavy-tailed, on one side, stretched."""
    k = int(rng.choice([1, 2, 3, 20]))
    X = rng.standard_normal((k, 2)) * rng.choice([1.0, 3.0], size=2)
    if rng.random() < 0.3:
        X /= rng.random((k, 1)) ** 2 + 1e-3
    if rng.random() < 0.4:
        X[:, 0] = np.abs(X[:, 0])
    return X, rng.dirichlet(np.full(k, rng.choice([0.2, 1.0])))


def _lack(measure: tuple[np.ndarray, np.ndarray], angle: float) -> tuple[float, float]:
    """(angle, (c^2 ||w_m||_Z^2 - kernel) / (||Sigma|| s^2)) of one measure."""
    X, p = measure
    sample = Sample(X, np.zeros((len(X), 1)), p)
    w1, w2 = _rows(angle)
    return angle, _ratio(w1, w2, sample)


def _ratio(w1: np.ndarray, w2: np.ndarray, sample: Sample) -> float:
    bounds = sharp_bounds(w1, w2, sample)
    return float((bounds.upper - kernel(w1, w2, sample)) / (bounds.upper - bounds.norm))


def _searched(rng: np.random.Generator, angle: float) -> tuple[float, float]:
    """The worst measure of a family of three-atom ones after some generations of mutation and selection."""
    w = np.stack(_rows(angle))
    X, p = rng.standard_normal((40, 3, 2)), rng.dirichlet(np.ones(3), size=40)

    def fitness(X: np.ndarray, p: np.ndarray) -> np.ndarray:
        z = np.maximum(X @ w.T, 0)
        lack = np.sum(p * np.maximum(X @ w.mean(axis=0), 0) ** 2, axis=1) - np.sum(p * z[..., 0] * z[..., 1], axis=1)
        second = np.einsum("kin,ki,kim->knm", X, p, X)
        return lack / np.linalg.eigvalsh(second)[:, -1]

    for generation in range(SEARCHED):
        parents = np.argsort(-fitness(X, p))[:10]
        children = np.tile(parents, 3)
        step = 0.7 * 0.85**generation
        X = np.concatenate([X[parents], X[children] + step * rng.standard_normal((30, 3, 2))])
        mixed = np.maximum(p[children] + step * rng.standard_normal((30, 3)) / 2, 1e-3)
        p = np.concatenate([p[parents], mixed / mixed.sum(axis=1, keepdims=True)])
    best = int(np.argmax(fitness(X, p)))
    return _lack((X[best], p[best] / p[best].sum()), angle)


def _of_table(sample: Sample, rng: np.random.Generator) -> tuple[float, float]:
    """A random pair of directions on the user's table."""
    angle = rng.uniform(0.01, 0.99) * np.pi
    w1, away = rng.standard_normal((2, sample.n_in))
    w1 /= np.linalg.norm(w1)
    away -= (away @ w1) * w1
    w2 = np.cos(angle) * w1 + np.sin(angle) * away / np.linalg.norm(away)
    return float(pair(w1, w2).alpha), _ratio(w1, w2, sample)


def draw(arrays: dict[str, np.ndarray]):
    """The band with its cloud on the left, the missing part in units of the sharp bound on the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.1))
    (left, right) = figure.subplots(1, 2)
    angle = np.radians(np.linspace(0.5, 179.5, 360))
    degrees, c2, s2 = np.degrees(angle), np.cos(angle / 2) ** 2, np.sin(angle / 2) ** 2
    left.fill_between(degrees, np.maximum(c2 - s2, 0), c2, color="0.88", lw=0)
    left.plot(degrees, c2, label="upper bound, both", color="C0", ls="-")
    left.plot(degrees, np.maximum(c2 - s2, 0), label="lower bound, sharp", color="C0", ls="--")
    left.plot(degrees, c2 - 2 * s2 - 8 * s2 * c2, label="lower bound, printed", color="C1", ls="-.")
    left.plot(*_points(arrays["band"]), ".", ms=2.5, color="0.35", ls="none", label="random measures", zorder=1)
    for column, marker, text in ((1, "s", r"$X = (1, \pm 1)$"), (2, "^", "$X = (1, 0)$")):
        x, y = np.degrees(arrays["edges"][:, 0]), arrays["edges"][:, column]
        left.plot(x, y, marker, color="k", ms=4, mfc="w", ls="none", label=text)
    left.set(ylim=(-0.45, 1.22), ylabel=r"kernel $[w_1, w_2]_Z\ /\ \|\Sigma\|$")
    left.legend(loc="upper right", bbox_to_anchor=(1.03, 1.05), handlelength=1.6, labelspacing=0.25)
    left.set_yticks([0, 0.5, 1])
    right.fill_between(degrees, 1e-3, np.minimum(1, c2 / s2), color="0.88", lw=0)
    right.plot(degrees, np.minimum(1, c2 / s2), color="C0", ls="--", label="sharp")
    right.plot(degrees, 2 + 8 * c2, color="C1", ls="-.", label="printed")
    right.plot(*_points(arrays["lack"]), ".", ms=2.5, color="0.35", ls="none", label="random measures", zorder=1)
    right.plot(*_points(arrays["searched"]), "x", ms=4, color="k", ls="none", label="worst that a search finds")
    if len(arrays["table"]):
        right.plot(*_points(arrays["table"]), "+", ms=4, color="C2", ls="none", label="your table", zorder=1)
    right.set_yscale("log")
    right.set(ylim=(0.02, 40), ylabel=r"upper bound - kernel  /  $\|\Sigma\| \sin^2(\alpha/2)$")
    right.set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    right.legend(loc="upper right", ncols=2, handlelength=1.6, columnspacing=1, labelspacing=0.25)
    left.set_title("the kernel")
    right.set_title("what it lacks of its upper bound")
    letter(left, right)
    for axis in (left, right):
        axis.set(xlim=(0, 180), xlabel=r"angle $\alpha$ (degrees)")
        axis.set_xticks(range(0, 181, 45))
    return figure


def _points(cloud: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Degrees and values."""
    return np.degrees(cloud[:, 0]), cloud[:, 1]
