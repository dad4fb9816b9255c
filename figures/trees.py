"""Sublevel trees of three landscapes: two minima of one unit, a swap in the plane, and a wall that a grid does not see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from theory.counterexamples import poor_minimum, teacher_student_landscape
from theory.sublevel_trees import landscape, sublevel_tree

CAPTION = (
    "Above: landscapes; below: their trees of sublevel components, one bar from birth to merger each. Left: one unit "
    "v rho(u x), a poor minimum at 0.281 beside the global one at 0.031, merging at u = 0 exactly at 0.3125. Middle: "
    "student and teacher with two units 90 degrees apart, W_2 refitted, the angles of both units; the two deep components "
    "are a net and its swap, and merge at 0.1724, which is the bound from det W_1 = 0. Right: the permutation task at three "
    "units, W_2 refitted: a grid that misses det Z = 0 sees one component at risk zero; with the sign of det Z two, which "
    "merge at the certified barrier e(2) = 1/6. It would be refuted by bars that end elsewhere than the dotted lines."
)

CLAIMS = ("sec-2.3.1-tessellation", "sec-2.3.1-mixture", "sublevel-tree")
WALL = (
    1
    + 1 / np.pi
    - 8 * sum(((np.sin(t) + (np.pi - t) * np.cos(t)) / (2 * np.pi)) ** 2 for t in (np.pi / 4, 3 * np.pi / 4))
)
SWAP = 1 / 6  # e(2) of the equilateral triangle on the unit circle


def data(*, fast: bool = False) -> dict[str, np.ndarray]:
    """Grids, landscapes and the trees' births, deaths and lowest points."""
    n = 61 if fast else 241
    u, v = np.linspace(-1.6, 1.6, n), np.linspace(-0.5, 1.5, n)
    one = landscape(poor_minimum().risk.batch, [u, v])
    angles = 2 * np.pi * np.arange(n - 1) / (n - 1)
    two = landscape(teacher_student_landscape(), [angles, angles])
    side = 18 if fast else 36
    axes, det = _determinants(side)
    values = np.where(np.abs(det) > 1e-9, 0.0, np.inf)  # W_2 = Y Z^-1 where it can be
    arrays = {"u": u, "v": v, "one": one, "angles": angles, "two": two, "slice_angles": axes, "slice": det[0]}
    trees = {
        "one": sublevel_tree(one, min_persistence=0.02),
        "two": sublevel_tree(two, periodic=True, min_persistence=0.005),
        "blind": sublevel_tree(values, periodic=True, min_persistence=0.01),
        "walls": sublevel_tree(values, periodic=True, sides=np.sign(det), min_persistence=0.01),
    }
    for name, tree in trees.items():
        if name == "walls":  # the wall between the two signs opens at e(2), which no grid shows
            tree = replace(tree, death=np.where(np.arange(len(tree)) > 0, SWAP, np.inf))
        arrays |= {f"{name}_birth": tree.birth, f"{name}_death": tree.death, f"{name}_minimum": tree.minimum}
    return arrays


def _determinants(side: int) -> tuple[np.ndarray, np.ndarray]:
    """det Z on a grid of three angles for the corners of an equilateral triangle; no two axes share an angle."""
    corners = np.radians([90.0, 210.0, 330.0])
    X = np.stack([np.cos(corners), np.sin(corners)], axis=1)
    axes = 2 * np.pi * (np.arange(side) + np.array([[0.13], [0.41], [0.77]])) / side

    def determinant(angle: np.ndarray) -> np.ndarray:
        return np.linalg.det(np.maximum(np.stack([np.cos(angle), np.sin(angle)], axis=-1) @ X.T, 0))

    return axes, landscape(determinant, list(axes))


def draw(arrays: dict[str, np.ndarray]):
    """Three columns: a landscape and its tree."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.6))
    axes = figure.subplots(2, 3, height_ratios=[1.3, 1])
    u, v = arrays["u"], arrays["v"]
    axes[0, 0].contourf(u, v, arrays["one"].T, levels=np.linspace(0, 1, 21), extend="max")
    axes[0, 0].contour(u, v, arrays["one"].T, levels=[0.3125], colors="w", linewidths=0.8)
    axes[0, 0].plot(*_places(arrays["one_minimum"], u, v), "o", mfc="w", mec="k", ls="none")
    axes[0, 0].set(xlabel="$u$", ylabel="$v$", title="one unit")
    degrees = np.degrees(arrays["angles"])
    axes[0, 1].contourf(degrees, degrees, arrays["two"].T, levels=21)
    axes[0, 1].contour(degrees, degrees, arrays["two"].T, levels=[WALL], colors="w", linewidths=0.8)
    axes[0, 1].plot(*_places(arrays["two_minimum"], degrees, degrees), "o", mfc="w", mec="k", ls="none")
    axes[0, 1].set(xlabel="angle of unit 1 (degrees)", ylabel="angle of unit 2 (degrees)", title="teacher and student")
    grid = np.degrees(arrays["slice_angles"])
    sign = np.where(np.abs(arrays["slice"]) > 1e-9, np.sign(arrays["slice"]), 0)
    axes[0, 2].pcolormesh(grid[1], grid[2], sign.T, cmap="cividis", shading="nearest", vmin=-1, vmax=1)
    axes[0, 2].set(
        xlabel="angle of unit 2 (degrees)", ylabel="angle of unit 3 (degrees)", title="sign of det Z, unit 1 fixed"
    )
    for axis in axes[0, 1:]:
        axis.set_xticks([0, 180, 360])
        axis.set_yticks([0, 180, 360])
    _bars(axes[1, 0], [("one", "")], arrays, 0.3125, 0.45)
    _bars(axes[1, 1], [("two", "")], arrays, WALL, 0.25)
    _bars(axes[1, 2], [("blind", "no walls"), ("walls", "sign of det Z")], arrays, SWAP, 0.25)
    axes[1, 0].set_ylabel("level")
    return figure


def _places(index: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x[index[:, 0]], y[index[:, 1]]


def _bars(axis, trees: list[tuple[str, str]], arrays: dict[str, np.ndarray], wall: float, top: float) -> None:
    """Components as bars from birth to death; those that never merge run off the top with an arrow."""
    ticks, labels, x = [], [], 0
    for name, label in trees:
        birth, death = arrays[f"{name}_birth"], arrays[f"{name}_death"]
        for b, d in zip(birth, death):
            axis.plot([x, x], [b, min(d, top)], color="C0", lw=5, solid_capstyle="butt", ls="-")
            axis.plot([x], [top if np.isinf(d) else d], marker="^" if np.isinf(d) else "_", color="k", ms=6)
            x += 1
        ticks.append(x - 1 - (len(birth) - 1) / 2)
        labels.append(f"{label}\n{len(birth)} component{'s' * (len(birth) != 1)}".strip())
        x += 1
    axis.axhline(wall, color="k", ls=":", lw=1)
    axis.text(x - 0.5, wall, f"{wall:.4f}", va="bottom", ha="right", fontsize=8)
    axis.set_xticks(ticks, labels)
    axis.set_xlim(-0.7, x - 0.4)
    axis.set_ylim(-0.01, top * 1.05)
