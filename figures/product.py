"""Proposition 2.2: the path of a linear net as its product matrix sees it: it stays put, moves straight once, stays put."""

from __future__ import annotations

import numpy as np

from figures._panels import letter
from theory.linear_paths import connect
from theory.maxima import path_maximum, segment_maximum
from theory.networks import Network
from theory.risk import Risk, Sample

CAPTION = (
    "A linear 2-3-3-1 net in the plane of its product W3 W2 W1: the constructed path is one straight segment inside "
    "the convex level set (a), while the straight line in parameters leaves it (b), because the product moves on one "
    "piece only (c, shaded). It would be refuted by a product that leaves the segment, or by a risk above the dotted "
    "line."
)
CLAIMS = ("prop-2.2", "sec-2.1-orbits")
WIDTHS = (2, 3, 3, 1)


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--seed", type=int, default=17)


def data(*, fast: bool = False, seed: int = 17) -> dict[str, np.ndarray]:
    """`path`, `line` (points, 2): products along the path and along the straight line; `path_risk`, `line_risk`.

    `moved` (points, 2): distance of the parameters and of the product from the start; `pieces`; `straight`: the piece on
    which the product moves; `grid_x`, `grid_y`, `landscape`: risk of products; `level`; `upper` (2,): certified maxima.
    """
    if seed < 0:
        raise ValueError(f"seed must be >= 0; got {seed}")
    risk, a, b = _problem(np.random.default_rng(seed))
    network, path = risk.network, connect(risk, a, b)
    steps = 11 if fast else 41
    fine = path.at(np.linspace(0, 1, (steps - 1) * len(path) + 1))
    straight = a + np.linspace(0, 1, 201)[:, None] * (b - a)
    products, line = _product(network, fine), _product(network, straight)
    corners = _product(network, path.points)
    both = np.concatenate([products, line])
    middle, half = (both.max(axis=0) + both.min(axis=0)) / 2, 0.75 * np.ptp(both, axis=0).max()
    x, y = (np.linspace(centre - half, centre + half, 61 if fast else 241) for centre in middle)
    M = np.stack(np.meshgrid(x, y), axis=-1)
    residual = np.einsum("...j,ij->...i", M, risk.sample.X) - risk.sample.Y[:, 0]
    start = fine[0], products[0]
    return {
        "path": products,
        "line": line,
        "path_risk": risk.batch(fine),
        "line_risk": risk.batch(straight),
        "moved": np.stack([np.linalg.norm(z - z0, axis=1) for z, z0 in zip((fine, products), start)], axis=1),
        "pieces": np.array(len(path)),
        "straight": np.argmax(np.linalg.norm(np.diff(corners, axis=0), axis=1)),
        "grid_x": x,
        "grid_y": y,
        "landscape": (residual**2) @ risk.sample.weights,
        "level": np.array(max(risk(a), risk(b))),
        "upper": np.array([path_maximum(risk, path).upper, segment_maximum(risk, a, b).upper]),
    }


def _problem(rng: np.random.Generator) -> tuple[Risk, np.ndarray, np.ndarray]:
    """A regression in the plane, and two nets of about the same risk on either side of its best product."""
    X = rng.standard_normal((40, 2)) * [1.0, 0.6]
    best = np.array([1.0, 0.4])
    risk = Risk(
        Network(WIDTHS, activation="identity"), Sample(X, X @ best[:, None] + 0.1 * rng.standard_normal((40, 1)))
    )
    ends, Sigma = [], risk.sample.second_moment
    for away in np.array([[0.6, 1.0], [-0.2, -1.0]]):
        target = best + away / np.sqrt(away @ Sigma @ away)
        W1, W2 = rng.standard_normal((3, 2)), rng.standard_normal((3, 3))
        W3 = np.linalg.lstsq((W2 @ W1).T, target, rcond=None)[0][None]
        balance = np.linalg.norm(W3) ** (1 / 3)
        ends.append(risk.network.pack([W1 * balance, W2 * balance, W3 / balance**2]))
    return risk, ends[0], ends[1]


def _product(network: Network, thetas: np.ndarray) -> np.ndarray:
    """W_3 W_2 W_1 (..., 2)."""
    return np.stack([(W3 @ W2 @ W1)[0] for W1, W2, W3 in map(network.weights, thetas)])


def draw(arrays: dict[str, np.ndarray]):
    """The plane of products on the left; risk and distances along the path on the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.7))
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.15])
    axis, level = left.add_subplot(), float(arrays["level"])
    plane = arrays["grid_x"], arrays["grid_y"], arrays["landscape"]
    axis.contourf(*plane, levels=[0, level], colors=["0.88"])
    axis.contour(*plane, levels=level * np.array([0.25, 0.5, 1, 2, 4]), colors="0.6", linewidths=0.7)
    axis.plot(*arrays["line"].T, color="C1", ls="--")
    axis.plot(*arrays["path"].T, color="C0", ls="-", lw=2)
    for point, name, shift in zip(arrays["path"][[0, -1]], "AB", (6, -12)):
        axis.plot(*point, "s", color="k", ms=6, ls="none")
        axis.annotate(f"$M_{name}$", point, xytext=(6, shift), textcoords="offset points")
    axis.set(xlabel="first entry of $W_3 W_2 W_1$", ylabel="second entry", aspect="equal")
    axis.text(
        0.03, 0.97, r"grey: risk $\leq \lambda$", va="top", fontsize=8, backgroundcolor="w", transform=axis.transAxes
    )
    top, bottom = right.subplots(2, 1, sharex=True)
    pieces, straight = int(arrays["pieces"]), int(arrays["straight"])
    at = np.linspace(0, pieces, len(arrays["path_risk"]))
    for panel in (top, bottom):
        panel.axvspan(straight, straight + 1, color="0.88", lw=0)
        panel.set_xlim(0, pieces)
    top.plot(
        np.linspace(0, pieces, len(arrays["line_risk"])),
        arrays["line_risk"],
        color="C1",
        ls="--",
        label="straight in parameters",
    )
    top.plot(at, arrays["path_risk"], color="C0", lw=2, ls="-", label="constructed path")
    top.axhline(level, color="k", lw=0.9, ls=":")
    top.annotate(r"$\lambda$", (pieces, level), xytext=(4, -3), textcoords="offset points")
    top.set(ylabel="risk", ylim=(0, 1.35 * float(arrays["line_risk"].max())))
    top.legend(loc="upper right", ncols=2)
    for column, colour, style, text in ((0, "k", "-", "parameters"), (1, "C2", "-.", "product")):
        bottom.plot(at, arrays["moved"][:, column], color=colour, ls=style, label=text)
    bottom.set(xlabel="piece of the path (shaded: the product moves)", ylabel="distance moved")
    bottom.set_ylim(top=1.3 * arrays["moved"].max())
    bottom.legend(loc="upper right", ncols=2)
    axis.set_title("the plane of products")
    top.set_title("risk along the two ways")
    bottom.set_title("how far both have moved")
    letter(axis, top, bottom)
    return figure
