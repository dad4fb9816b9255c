"""Theorem 2.4: the risk along the six segments against what each is allowed, as printed and corrected; and eq. (22).

(a) Two random nets of eight units; subpaths at equal width, (0), (0') and the re-slotting within (4), missing in print. On (2) and
(5) rows and weights move together: what the actual weights allow, what the corrected C1 alpha + C2 alpha^2 does, and what
eq. (22) does. (b) One unit turned by alpha and one dropped; both sides of eq. (22) over alpha, X and kappa in three units.
"""

from __future__ import annotations

import numpy as np

from figures._panels import letter, plain_logarithms
from theory import relu_paths
from theory.lasso import second_layer
from theory.networks import Network
from theory.relu_paths import six_segment_report
from theory.risk import Risk, Sample

CAPTION = (
    "The repaired path of Theorem 2.4 stays below the larger end where one layer moves, and on (2) and (5), where "
    "both do, below the corrected promise (a), while the printed side of eq. (22) falls below the true one when X and "
    "kappa are given in smaller units (b). It would be refuted by a curve above a dashed line in (a), or by printed "
    "lines that all stay above the dots in (b)."
)
CLAIMS = ("thm-2.4", "thm-2.4-constant", "thm-2.4-eta")
ANGLE, WIDTH, ACTIVE, KAPPA = 0.1, 8, 4, 0.03
UNITS = (1.0, 0.1, 0.001)  # factors of X and kappa in the right panel


def arguments(parser) -> None:
    """Options of this figure."""
    parser.add_argument("--seed", type=int, default=3)


def data(*, fast: bool = False, seed: int = 3, sample: Sample | None = None) -> dict[str, np.ndarray]:
    """The subpaths of Theorem 2.4, and what it allows for them.

    Left: `risk` (subpaths, points) along each subpath; `allowed` (subpaths, 5): certified maximum, larger end, and
    allowed by the actual weights, by the repaired theorem and by print; `numbers`: the subpaths' names. Right: `alpha`
    (k,) radians, `left_side` (k,), `corrected` (k,), `printed` (units, k), all three over alpha.
    """
    if seed < 0:
        raise ValueError(f"seed must be >= 0; got {seed}")
    rng = np.random.default_rng(seed)
    sample = sample or _task(8 if fast else 24)
    size = np.sqrt(relu_paths.spectral_norm(sample) * sample.energy)
    risk = Risk(Network((sample.n_in, WIDTH, 1)), sample, kappa=KAPPA * size, penalty="second_layer_l1")
    ends = [_net(risk, rng) for _ in range(2)]
    report = six_segment_report(risk, *ends, active=ACTIVE, angle=ANGLE, rng=rng)
    path, names = report.path, [label.split()[0] for label in report.path.labels]
    rows, s = [], np.linspace(0, 1, 121)
    for number in (x.number for x in report.subpaths):
        first, count = names.index(number), names.count(number)
        rows.append(risk.batch(path.at(np.clip((first + s * count) / len(path), 0, 1))))
    allowed = [[x.upper, x.larger_end, x.allowed, x.theorem, x.printed] for x in report.subpaths]
    numbers = [x.number for x in report.subpaths]
    return {"risk": np.array(rows), "allowed": np.array(allowed), "numbers": np.array(numbers)} | _eq_22(
        9 if fast else 25
    )


def _task(points: int) -> Sample:
    """Points on a circle with second moment I, and a target of a few even harmonics, which relu units can fit."""
    t = 2 * np.pi * (np.arange(points) + 0.5) / points
    X = np.sqrt(2) * np.stack([np.cos(t), np.sin(t)], axis=1)
    return Sample(X, 1.1 * (np.cos(2 * t) + 0.7 * np.cos(t) + 0.5 * np.cos(4 * t - 1))[:, None])


def _net(risk: Risk, rng: np.random.Generator) -> np.ndarray:
    """Random rows of norm 1/2 to 1, random weights."""
    W = rng.standard_normal((WIDTH, risk.network.widths[0]))
    W *= rng.uniform(0.5, 1, (WIDTH, 1)) / np.linalg.norm(W, axis=1, keepdims=True)
    return risk.network.pack([W, 0.3 * np.sqrt(risk.sample.energy) * rng.standard_normal((1, WIDTH))])


def _eq_22(count: int) -> dict[str, np.ndarray]:
    """X = (1, 0) or (1, 1), Y = 1 or 2, kappa = 1/4, rows e1 (turned by alpha) and e2 (dropped), both ends optimal."""
    sample, kappa = Sample([[1.0, 0.0], [1.0, 1.0]], [[1.0], [2.0]]), 0.25
    alpha = np.logspace(-4, 0, count)
    t = np.linspace(0, 1, 201)[:, None]
    left = []
    for angle in alpha:
        rows = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[np.cos(angle), np.sin(angle)], [0.0, 1.0]])
        Z = [np.maximum(sample.X @ W.T, 0) * keep for W, keep in zip(rows, ([1.0, 1.0], [1.0, 0.0]))]
        beta, gamma = (second_layer(z, sample.Y[:, 0], kappa, weights=sample.weights).beta for z in Z)
        moving = np.maximum(((1 - t)[..., None] * rows[0] + t[..., None] * rows[1]) @ sample.X.T, 0)
        together = np.einsum("kj,kji->ki", (1 - t) * beta + t * gamma, moving)
        apart = (1 - t) * (Z[0] @ beta) + t * (Z[1] @ gamma)
        squares = [((sample.Y[:, 0] - f) ** 2) @ sample.weights for f in (together, apart)]
        left.append(np.abs(squares[0] - squares[1]).max())
    rule = relu_paths.theorem_constants(sample, kappa)
    printed = [
        [relu_paths.printed_allowance(Sample(s * sample.X, sample.Y), s * kappa, a) for a in alpha.tolist()]
        for s in UNITS
    ]
    return {
        "alpha": alpha,
        "left_side": np.array(left) / alpha,
        "corrected": np.array([rule.allowance(a) for a in alpha.tolist()]) / alpha,
        "printed": np.array(printed) / alpha,
    }


def draw(arrays: dict[str, np.ndarray]):
    """The path on the left, eq. (22) on the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.3))
    (left, right) = figure.subplots(1, 2, width_ratios=[1.75, 1])
    risk, allowed = arrays["risk"], arrays["allowed"]
    s = np.linspace(0, 1, risk.shape[1])
    for k, (number, (_, larger, actual, theorem, printed)) in enumerate(zip(arrays["numbers"], allowed)):
        first = k == 0
        left.plot(
            [k, k + 1],
            [larger] * 2,
            color="0.75",
            lw=4,
            ls="-",
            solid_capstyle="butt",
            label="larger end" if first else None,
        )
        left.plot(k + s, risk[k], color="k", ls="-", lw=1.5, label="risk on the path" if first else None)
        if number in ("(2)", "(5)"):
            first = number == "(2)"
            for value, colour, style, text in (
                (actual, "C2", ":", "allowed, actual weights"),
                (theorem, "C0", "--", "allowed, corrected"),
                (printed, "C1", "-.", "allowed, eq. (22)"),
            ):
                left.plot([k, k + 1], [value] * 2, color=colour, ls=style, lw=2, label=text if first else None)
        if k:
            left.axvline(k, color="0.85", lw=0.6, zorder=0)
    low, high = min(risk.min(), allowed.min()), allowed.max()
    plain_logarithms(left.yaxis, [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50])
    left.set(ylim=(low / 1.25, high * 1.3), xlim=(0, len(risk)), xlabel="subpath", ylabel="risk $F$")
    left.set_xticks(np.arange(len(risk)) + 0.5, arrays["numbers"])
    left.tick_params(axis="x", length=0)
    figure.legend(
        *left.get_legend_handles_labels(), loc="outside upper center", ncols=5, handlelength=2.2, columnspacing=1
    )
    alpha = arrays["alpha"]
    right.loglog(alpha, arrays["corrected"], color="C0", ls="--")
    near = {"textcoords": "offset points", "fontsize": 8}
    right.annotate("corrected, any units", (alpha[0], arrays["corrected"][0]), xytext=(0, 4), **near)
    right.annotate("left side", (alpha[0], arrays["left_side"][0]), xytext=(0, 6), **near)
    for factor, line in zip(UNITS, arrays["printed"]):
        right.loglog(alpha, line, color="C1", ls="-.")
        name = "printed" if factor == 1 else f"printed, $X \\times {factor:g}$"
        right.annotate(name, (alpha[0], line[0]), xytext=(0, 4 if factor > UNITS[-1] else 11), **near)
    right.loglog(alpha, arrays["left_side"], "o", color="k", ms=3, ls="none")
    right.set(xlabel=r"angle $\alpha$ (radians)", ylabel=r"both sides of eq. (22)  /  $\alpha$")
    left.set_title("risk along the subpaths")
    right.set_title("eq. (22) in other units")
    letter(left, right)
    return figure
