"""Proposition 2.2, end: every theta is joined to the lowest level by a path along which the risk falls strictly."""

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_2.instances import KINDS, parameters, sample
from theory.linear_paths import best_product, coefficients, connect, descend, falling
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk

KEEPS = ("free", "place", "transfer")


def attack(setting: Setting, *, printed: bool = False) -> Outcome:
    """The quartic (for depth K: of degree 2K) of every piece falls, and the end is the minimum.

    printed=True (the planted fault): the printed argument, a path that keeps the product and then improves it.
    """
    tally, rng = Tally(), setting.rng
    constant = 0
    for _ in setting.each(range(setting.instances(25, 1500))):
        risk, theta, kind = _problem(rng, spare=int(printed))
        best = best_product(risk)
        path = _printed(risk, theta, best.matrix) if printed else descend(risk, theta, rng=rng)
        steps = list(zip(path.labels, path.points[:-1], path.points[1:]))
        polynomials = [(label, coefficients(risk, p, q - p)) for label, p, q in steps]
        idle = [label.startswith(KEEPS) for label, _ in polynomials]
        constant += any(idle)
        deep = risk.network.depth > 2 and not printed
        strict = all(falling(c) for (_, c), still in zip(polynomials, idle) if not (deep and still))
        values = risk.batch(path.points)
        scale = risk.sample.energy + values[0]
        never_rises = bool((np.diff(values) <= 1e-9 * scale).all())
        excess = (values[-1] - best.value) / scale
        margin = 1e-6 - excess if strict and never_rises else -1.0
        tally.add(margin, widths=risk.network.widths, kappa=risk.kappa, start=kind, pieces=len(path))
    return tally.outcome(f"K = 2 strictly from the first piece; K >= 3 with constant pieces first in {constant} cases")


def _problem(rng: np.random.Generator, spare: int) -> tuple[Risk, np.ndarray, str]:
    n_in, n_out = (int(n) for n in rng.integers(1, 5, size=2))
    depth = int(rng.choice([2, 2, 2, 3, 4]))
    least = min(n_in, n_out) + max(spare, int(depth > 2))
    net = Network((n_in, *(least + rng.integers(0, 3, depth - 1)).tolist(), n_out), activation="identity")
    ridge = depth == 2 and rng.integers(2)
    data = sample(rng, n_in, n_out)
    while ridge and _condition(data.X) > 1e3:
        data = sample(rng, n_in, n_out)  # stiffer data need polylines of more pieces than are tried
    risk = Risk(net, data, kappa=float(10.0 ** rng.uniform(-4, 0)), penalty="ridge") if ridge else Risk(net, data)
    if depth == 2 and not ridge and rng.integers(3) == 0:
        return risk, _saddle(rng, risk), "a saddle"
    kind = KINDS[int(rng.integers(len(KINDS)))]
    return risk, parameters(rng, net, kind), kind


def _condition(X: np.ndarray) -> float:
    """The ratio of the extreme nonzero singular values."""
    s = np.linalg.svd(X, compute_uv=False)
    return float(s[0] / s[s > 1e-12 * s[0]][-1])


def _saddle(rng: np.random.Generator, risk: Risk) -> np.ndarray:
    """A critical point: the best product cut down to fewer of its principal outputs (Baldi and Hornik 1989)."""
    M, h = best_product(risk).matrix, risk.network.hidden[0]
    root = np.linalg.cholesky(risk.sample.second_moment + 1e-12 * np.eye(M.shape[1]))
    U = np.linalg.svd(M @ root)[0]
    q = int(rng.integers(0, min(M.shape)))
    W1, W2 = np.zeros((h, M.shape[1])), np.zeros((M.shape[0], h))
    W1[:q], W2[:, :q] = U[:, :q].T @ M, U[:, :q]
    return risk.network.pack([W1, W2])


def _printed(risk: Risk, theta: np.ndarray, M: np.ndarray) -> Path:
    """Join theta to a global minimiser inside its level set: first the product stays, then the risk falls."""
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    W = [np.eye(*shape) for shape in risk.network.shapes]
    W[0][:], W[-1][:] = 0.0, 0.0
    W[0][: len(s)], W[-1][:, : len(s)] = Vt, U * s
    return connect(Risk(risk.network, risk.sample), theta, risk.network.pack(W))


def poor_minimum() -> tuple[Fraction, Fraction, list[Fraction], list[Fraction]]:
    """Ridge, one hidden unit: F, its gradient and the leading minors of its Hessian at a point, and F at a lower point.

    Sigma = diag(1/4, 1), Y = diag(3, 1) X, kappa = 7/16; W_1 = (a, b), W_2 = (c, d)^T. Returns F at (0, 3/4, 0, 3/4), F at
    (9/8, 0, 9/8, 0), and gradient and minors at the first.
    """
    import sympy

    v = a, b, c, d = sympy.symbols("a b c d")
    F = (3 - a * c) ** 2 / 4 + (b * c) ** 2 + (a * d) ** 2 / 4 + (1 - b * d) ** 2
    F += sympy.Rational(7, 16) * (a**2 + b**2 + c**2 + d**2)
    here = dict(zip(v, (0, sympy.Rational(3, 4), 0, sympy.Rational(3, 4))))
    there = dict(zip(v, (sympy.Rational(9, 8), 0, sympy.Rational(9, 8), 0)))
    hessian = sympy.hessian(F, v).subs(here)
    exact = [
        F.subs(here),
        F.subs(there),
        *(F.diff(x).subs(here) for x in v),
        *(hessian[:k, :k].det() for k in range(1, 5)),
    ]
    low, lower, *rest = (Fraction(int(number.p), int(number.q)) for number in map(sympy.Rational, exact))
    return low, lower, rest[:4], rest[4:]


def witness() -> Witness:
    """A strict local minimum that is not global, for two layers with ridge and one hidden unit: no path falls from it."""
    value, lower, gradient, minors = poor_minimum()
    return Witness(
        not any(gradient) and all(minor > 0 for minor in minors) and lower < value,
        "X = Y = R^2, one hidden unit, E X X^T = diag(1/4, 1), Y = diag(3, 1) X, ridge with kappa = 7/16: at W_1 = (0, 3/4), "
        "W_2 = W_1^T the gradient vanishes and the Hessian is positive definite, F = 751/256; at W_1 = (9/8, 0), W_2 = W_1^T "
        "F = 46849/16384 is lower. The printed condition on the widths asks nothing of K = 2",
        {"F": str(value), "lower": str(lower), "minors of the Hessian": [str(minor) for minor in minors]},
    )


CLAIM = Claim(
    id="prop-2.2-decreasing",
    headline="From any linear net the risk can fall strictly to its lowest level.",
    instead="True for hidden widths of at least min(n_in, n_out); a ridge net with one unit has a strict poor minimum.",
    fault="the printed argument: keep the product, then improve it",
    source="Proposition 2.2, last sentence; end of Appendix B.2",
    statement=(
        "n_j > min(n_1, n_K) for j = 2..K-1; kappa = 0, or ridge and K = 2: any theta can be connected to the lowest energy "
        "level by a path along which the risk is strictly decreasing."
    ),
    repaired=(
        "Hidden widths >= min(n_in, n_out); squared loss and kappa = 0, or any convex loss, ridge and K = 2: any theta is joined to the lowest "
        "level by a path along which the risk falls strictly. For kappa = 0 and narrower layers neither is known here."
    ),
    standing=Standing.THEOREM,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.SAMPLED,
    confirm=attack,
    control=lambda setting: attack(setting, printed=True),
    refute=witness,
    proof=(
        "Not by the printed argument, whose path keeps the product on whole pieces. Existence: theta is not a local "
        "minimum unless it is global, and by the curve selection lemma an analytic arc along which F falls leads from it "
        "to a point where W_{K-1} ... W_1 has full column rank; from there W_K moves straight to a minimiser. K = 2: the "
        "arc is a straight piece, given explicitly. Ridge: cut, balance, and along the balanced section, where F is convex."
    ),
)
