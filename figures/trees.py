"""Sublevel trees of three landscapes: two minima of one unit, a swap in the plane, and a wall that a grid does not see.

(a) v rho(u x), a poor minimum at 0.281 beside the global one at 0.031. (b) Student and teacher with two units 90 degrees
apart, W_2 refitted: the bound is that from det W_1 = 0. (c) Three units, W_2 refitted: a grid that misses det Z = 0 sees one
component at risk zero.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from figures._panels import letter
from theory.counterexamples import poor_minimum, teacher_student, teacher_student_landscape
from theory.sublevel_trees import landscape, sublevel_tree

CAPTION = (
    "Landscapes, white where just below the level at which their two deep components (1, 2) merge, and their trees, a "
    "bar from birth to merger: one unit with a poor minimum (a, d), a net and its swap (b, e), and the permutation "
    "task, where only the sign of det Z tells two components apart (c, f). It would be refuted by bars that end "
    "elsewhere than the dotted lines."
)

CLAIMS = ("sec-2.3.1-tessellation", "sec-2.3.1-mixture", "sublevel-tree")
FIRST = np.radians(2.6)  # angle of unit 1 in the third panel
SWAP = 1 / 6  # e(2) of the equilateral triangle on the unit circle


def data(*, fast: bool = False) -> dict[str, np.ndarray]:
    """Grids, landscapes and the trees' births, deaths and lowest points; `slice`: det Z with unit 1 fixed at FIRST."""
    n = 61 if fast else 241
    u, v = np.linspace(-1.6, 1.6, n), np.linspace(-0.5, 1.5, n)
    one = landscape(poor_minimum().risk.batch, [u, v])
    angles = 2 * np.pi * np.arange(n - 1) / (n - 1)
    two = landscape(teacher_student_landscape(), [angles, angles])
    side = 18 if fast else 36
    det = landscape(_determinant, list(_angles(side)))
    values = np.where(np.abs(det) > 1e-9, 0.0, np.inf)  # W_2 = Y Z^-1 where it can be
    arrays = {"u": u, "v": v, "one": one, "angles": angles, "two": two}
    fine = 2 * np.pi * np.arange(n) / (n - 1)
    arrays |= {"slice_angles": fine, "slice": landscape(lambda rest: _determinant(_beside(rest)), [fine, fine])}
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


def _angles(side: int) -> np.ndarray:
    """A grid for three angles; no two of them are ever equal."""
    return 2 * np.pi * (np.arange(side) + np.array([[0.13], [0.41], [0.77]])) / side


def _determinant(angles: np.ndarray) -> np.ndarray:
    """det Z of units at three angles (..., 3), for the corners of an equilateral triangle."""
    corners = np.radians([90.0, 210.0, 330.0])
    X = np.stack([np.cos(corners), np.sin(corners)], axis=1)
    return np.linalg.det(np.maximum(np.stack([np.cos(angles), np.sin(angles)], axis=-1) @ X.T, 0))


def _beside(rest: np.ndarray) -> np.ndarray:
    """Unit 1 at its place, and the two others (..., 2)."""
    return np.concatenate([np.full((*rest.shape[:-1], 1), FIRST), rest], axis=-1)


def draw(arrays: dict[str, np.ndarray]):
    """Three columns: a landscape and its tree."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 5.0))
    wall = teacher_student(points=3).barrier
    (one, two, three), bars = figure.subplots(2, 3, height_ratios=[1.5, 1])
    u, v, degrees = arrays["u"], arrays["v"], np.degrees(arrays["angles"])
    _map(figure, one, (u, v, arrays["one"].T), 0.3125, 1.0, _places(arrays["one_minimum"], u, v))
    one.set(xlabel="$u$", ylabel="$v$", title=r"one unit, $v\,\rho(ux)$", xticks=[-1, 0, 1], yticks=[0, 1])
    turns, values = np.append(degrees, 360.0), np.pad(_without_diagonal(arrays["two"]), (0, 1), mode="wrap")
    _map(figure, two, (turns, turns, values.T), wall, 1.0, _places(arrays["two_minimum"], degrees, degrees))
    two.set(xlabel="unit 1 (degrees)", ylabel="unit 2 (degrees)", title="two units, refitted")
    _signs(three, np.degrees(arrays["slice_angles"]), arrays["slice"].T)
    three.set(xlabel="unit 2 (degrees)", ylabel="unit 3 (degrees)", title="sign of det $Z$, unit 1 fixed")
    for axis in (two, three):
        axis.set(xticks=[0, 180, 360], yticks=[0, 180, 360], xlim=(0, 360), ylim=(0, 360))
    _bars(bars[0], {"one": ("1\nglobal", "2\npoor")}, arrays, 0.3125, 0.45)
    _bars(bars[1], {"two": ("1\na net", "2\nits swap")}, arrays, wall, 0.25)
    _bars(bars[2], {"blind": ("one for a\nblind grid",), "walls": ("det Z\n> 0", "det Z\n< 0")}, arrays, SWAP, 0.25)
    bars[0].set_ylabel("level")
    bars[0].set_title("merge at $u = 0$")
    bars[1].set_title("merge at det $W_1 = 0$")
    bars[2].set_title("merge at $e(2) = 1/6$")
    letter(one, two, three, *bars)
    return figure


def _places(index: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x[index[:, 0]], y[index[:, 1]]


def _without_diagonal(values: np.ndarray) -> np.ndarray:
    """Where both units are one the refitted risk jumps, on a line that the picture leaves out: its neighbours' mean there."""
    k = np.arange(len(values))
    shown = values.copy()
    shown[k, k] = (values[k, k - 1] + values[k - 1, k]) / 2
    return shown


def _map(figure, axis, plane, level: float, top: float, minima) -> None:
    """A landscape up to `top`; white: just below the level at which its components merge; minima numbered."""
    low = 0.985 * level
    greys = [str(grey) for grey in np.linspace(0.9, 0.3, 13)]
    shades = axis.contourf(*plane, levels=np.linspace(low, top, 13), extend="max", colors=greys)
    axis.contour(*plane, levels=[low], colors="k", linewidths=0.8)
    bar = figure.colorbar(shades, ax=axis, location="top", aspect=18, pad=0.02, ticks=[low, top], label="risk")
    bar.ax.set_xticklabels([f"{low:.3f}", f"{top:g}"], fontsize=7)
    bar.ax.xaxis.labelpad = -9
    for k, place in enumerate(zip(*minima), start=1):
        axis.plot(*place, "o", ms=9, mfc="w", mec="k", ls="none", clip_on=False, zorder=4)
        axis.annotate(str(k), place, ha="center", va="center_baseline", fontsize=7, zorder=5, annotation_clip=False)


def _signs(axis, degrees: np.ndarray, det: np.ndarray) -> None:
    """Where det Z is positive, negative and zero, each with its name in its midst."""
    sign = np.where(np.abs(det) > 1e-9, np.sign(det), 0)
    axis.contourf(degrees, degrees, sign, levels=[-1.5, -0.5, 0.5, 1.5], colors=["0.75", "w", "C0"])
    for value, text, colour in ((1, "det $Z$ > 0", "w"), (-1, "det $Z$ < 0", "k"), (0, "0", "k")):
        inside = _middle(sign == value)
        axis.text(*degrees[list(inside)], text, ha="center", va="center", fontsize=8, color=colour)


def _middle(mask: np.ndarray) -> tuple[int, int]:
    """Column and row of the point of a region that is farthest from all others."""
    from scipy.ndimage import distance_transform_edt

    row, column = np.unravel_index(np.argmax(distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]), mask.shape)
    return int(column), int(row)


def _bars(axis, trees: dict[str, tuple[str, ...]], arrays: dict[str, np.ndarray], wall: float, top: float) -> None:
    """Components, each under its name, as bars from birth to death; those that never merge run off the top as arrows."""
    ticks, labels, x = [], [], 0.0
    for name, words in trees.items():
        for birth, death, word in zip(arrays[f"{name}_birth"], arrays[f"{name}_death"], words):
            for_ever = np.isinf(death)
            axis.plot([x, x], [birth, min(death, top)], color="C0", lw=6, solid_capstyle="butt", ls="-")
            axis.plot(x, top if for_ever else death, marker="^" if for_ever else "_", color="k", ms=7)
            ticks.append(x)
            labels.append(word)
            x += 1.0
        x += 0.5
    axis.axhline(wall, color="k", ls=":", lw=1)
    axis.text(x - 0.6, wall, f"{wall:.4f}", va="bottom", ha="right", fontsize=8)
    axis.set(xlim=(-0.7, x - 0.5), ylim=(-0.01, 1.08 * top))
    axis.set_xticks(ticks, labels)
    axis.tick_params(axis="x", length=0)
