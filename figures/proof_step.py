"""The proof of Proposition 2.3: both printed bounds of the error E1, which break beyond 2 pi/3 and 3 pi/4.

(a) E1 <= r^2 sin^2(a) E[|QX|^2 1_B], (b) E1 <= 2 r^2 sin^2(a) ||Sigma||. Dots: random measures; line: the worst measure at each
angle; stars: the witnesses X = (10, 3) and X = (1, +-1) at cos(a/2) = 7/25.
"""

from __future__ import annotations

import numpy as np

from figures._panels import letter
from theory.relu_kernel import proof_terms
from theory.risk import Sample

CAPTION = (
    "Two steps in the proof of Proposition 2.3: the error E1 over the bound claimed for it exceeds 1, so that the "
    "step is false, beyond 120 degrees (a) and beyond 135 degrees (b), and with sin(a/2) in place of sin(a) the worst "
    "is exactly 1. It would be refuted by a mark above the line, or by a worst measure below 1 beyond those angles."
)
CLAIMS = ("prop-2.3-proof",)
WITNESS_ANGLE = 2 * np.arccos(7 / 25)


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--seed", type=int, default=0)


def data(*, fast: bool = False, seed: int = 0) -> dict[str, np.ndarray]:
    """`cloud` (k, 3): angle in radians, E1 over the first and over the second printed bound, of random measures.

    `worst` (k, 4): angle, both ratios of the worst measure of each, and E1 over the repaired first bound;
    `witness` (3,): the witnesses' angle and ratios.
    """
    if seed < 0:
        raise ValueError(f"seed must be >= 0; got {seed}")
    rng = np.random.default_rng(seed)
    cloud = [_ratios(angle, *_measure(rng, angle)) for angle in rng.uniform(0.3, 3.1, 250 if fast else 1200)]
    first = _ratios(WITNESS_ANGLE, np.array([[10.0, 3.0]]))
    second = _ratios(WITNESS_ANGLE, np.array([[1.0, 1.0], [1.0, -1.0]]))
    return {
        "cloud": np.array(cloud)[:, :3],
        "worst": np.array([_worst(a) for a in np.radians(np.linspace(20, 177, 60 if fast else 200))]),
        "witness": np.array([WITNESS_ANGLE, first[1], second[2]]),
    }


def _measure(rng: np.random.Generator, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """A few atoms in and around the wedge B = {0 <= u < tan(a/2) |v|}, symmetric or not, one of them by chance outside."""
    k = int(rng.integers(1, 4))
    v = rng.exponential(size=k) * rng.choice([-1, 1], size=k)
    u = np.abs(v) * np.tan(angle / 2) * rng.uniform(0, 1, k) ** rng.choice([0.1, 1.0])
    if rng.random() < 0.3:
        u = np.abs(v) * rng.uniform(0, 1, k)
    if rng.random() < 0.2:
        u[0] = rng.standard_normal()
    X, p = np.stack([u, v], axis=1), rng.dirichlet(np.ones(k))
    if rng.random() < 0.6:
        X, p = np.concatenate([X, X * [1, -1]]), np.concatenate([p, p]) / 2
    return X, p


def _ratios(angle: float, X: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float, float, float]:
    """Angle, E1 over both printed bounds and over the repaired first one; 0 where there is nothing in B."""
    c, s = np.cos(angle / 2), np.sin(angle / 2)
    terms = proof_terms([c, -s], [c, s], Sample(X, np.zeros((len(X), 1)), weights))
    bounds = (*terms.e1_printed, terms.e1_repaired[1])
    return (angle, *(float(terms.E1 / bound) if bound > 0 else 0.0 for bound in bounds))  # type: ignore[return-value]


def _worst(angle: float) -> tuple[float, float, float, float]:
    """The worst measures: just inside the wall of B for the first step, and X = (u, +-1) for the second."""
    wall = np.tan(angle / 2) * (1 - 1e-9)
    _, first, _, repaired = _ratios(angle, np.array([[wall, 1.0]]))
    u = min(wall, 1.0)
    _, _, second, _ = _ratios(angle, np.array([[u, 1.0], [u, -1.0]]))
    return angle, first, second, repaired


def draw(arrays: dict[str, np.ndarray]):
    """One panel for each step; above 1 the step is false."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.1))
    axes = figure.subplots(1, 2, sharey=True)
    cloud, worst, witness = arrays["cloud"], arrays["worst"], arrays["witness"]
    titles = (r"$E_1 \leq r^2 \sin^2\alpha\ \mathbf{E}|QX|^2 1_B$", r"$E_1 \leq 2\, r^2 \sin^2\alpha\ \|\Sigma\|$")
    for k, (axis, title, limit, name) in enumerate(
        zip(axes, titles, (120, 135), ("$X = (10, 3)$", r"$X = (1, \pm 1)$")), start=1
    ):
        angle, ratio = np.degrees(cloud[:, 0]), cloud[:, k]
        false = ratio > 1
        axis.axhspan(1, 1e3, color="0.9", lw=0)
        axis.axvline(limit, color="k", lw=0.8, ls=":")
        axis.axhline(1, color="k", lw=0.8, ls="-")
        axis.plot(angle[~false], ratio[~false], ".", ms=2.5, color="0.35", ls="none", label="the step holds")
        axis.plot(angle[false], ratio[false], "x", ms=3.5, color="C1", ls="none", label="the step is false")
        axis.plot(np.degrees(worst[:, 0]), worst[:, k], color="C0", ls="-", label="worst measure")
        if k == 1:
            axis.plot(np.degrees(worst[:, 0]), worst[:, 3], color="C2", ls="--", label=r"worst, with $\sin(\alpha/2)$")
        at = np.degrees(witness[0]), witness[k]
        axis.plot(*at, "*", ms=11, mfc="w", mec="k", ls="none", zorder=4, label=f"witness {name}")
        axis.set_yscale("log")
        axis.set(xlim=(15, 180), ylim=(0.02, 60), xlabel=r"angle $\alpha$ (degrees)", title=title)
        axis.set_xticks(sorted([45, 90, limit, 180]))
        axis.legend(loc="upper left", handlelength=1.6, labelspacing=0.25)
    letter(*axes)
    axes[0].set_ylabel(r"$E_1$ / claimed bound")
    axes[0].set_yticks([0.1, 1, 10], ["0.1", "1", "10"])
    return figure
