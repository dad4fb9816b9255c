"""One hidden linear layer of width exactly min(n_in, n_out): two components, and the barrier between them."""

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from checks.claims.section_2_2.instances import sample
from theory import linear_paths
from theory.linear_paths import SquareBarrier, barrier, best_product, connect, value_of
from theory.maxima import path_maximum
from theory.networks import Network
from theory.numerics import exact_rows, rank
from theory.paths import Path
from theory.risk import Risk, Sample

RISE = 1e-9


def attack(setting: Setting) -> Outcome:
    """The path attains `upper`; random and adversarial singular products stay above `lower`; connect agrees."""
    tally, rng = Tally(), setting.rng
    widest = 0.0
    for _ in setting.each(range(setting.instances(6, 300))):
        risk = _problem(rng)
        found = barrier(risk)
        at = {"widths": risk.network.widths, "kappa": risk.kappa, "barrier": found.upper, "minimum": found.minimum}
        scale = risk.sample.energy + found.upper
        widest = max(widest, (found.upper - found.lower) / scale)
        top = path_maximum(risk, found.path).upper
        tally.add((found.upper * (1 + RISE) + 1e-12 * scale - top) / scale, what="attained", **at)
        singular = min(value_of(risk, M) for M in _singular_products(rng, risk))
        tally.add((singular - found.lower) / scale, what="singular products", **at)
        tally.add((found.upper - found.lower) / scale, what="lower <= upper", **at)
        exact = (risk.kappa == 0 or _isotropic(risk)) and _rank_in_floats(risk.sample.X)
        if exact:
            tally.add(1e-5 - (found.upper - found.lower) / scale, what="lower = upper", **at)
        tally.add(_decides(rng, risk, found), what="connect agrees", **at)
    return tally.outcome(
        f"lower and upper differ by at most {widest:.1g} of the scale (0 but for rounding where exact)"
    )


def _problem(rng: np.random.Generator) -> Risk:
    n_in, n_out = (int(n) for n in rng.integers(1, 5, size=2))
    net = Network((n_in, min(n_in, n_out), n_out), activation="identity")
    data = sample(rng, n_in, n_out)
    if rng.integers(2):  # second moment a multiple of the identity
        X = np.vstack([np.eye(n_in), -np.eye(n_in)])
        data = Sample(X, rng.standard_normal((2 * n_in, n_out)) + 2 * X @ rng.standard_normal((n_in, n_out)))
    if rng.integers(2):
        return Risk(net, data, kappa=float(10.0 ** rng.uniform(-4, 0)), penalty="ridge")
    return Risk(net, data)


def _isotropic(risk: Risk) -> bool:
    moment = risk.sample.second_moment
    return bool(np.allclose(moment, moment[0, 0] * np.eye(len(moment)), rtol=1e-12, atol=0))


def _rank_in_floats(X: np.ndarray) -> bool:
    """Whether the rank of X is what floats see: else the infimum needs weights that floats have no digits for."""
    s = np.linalg.svd(X, compute_uv=False)
    return bool(rank(exact_rows(X)) == np.sum(s > 1e-12 * s[0]))


def _singular_products(rng: np.random.Generator, risk: Risk) -> list[np.ndarray]:
    """Products of rank below r: random ones, truncations of the best, and ridge refits in r - 1 units."""
    M = best_product(risk).matrix
    r = min(M.shape)
    U, s, Vt = np.linalg.svd(M, full_matrices=False)
    found = [np.zeros_like(M), *((np.delete(U, k, 1) * np.delete(s, k)) @ np.delete(Vt, k, 0) for k in range(r))]
    for _ in range(5):
        left, right = rng.standard_normal((M.shape[0], r - 1)), rng.standard_normal((r - 1, M.shape[1]))
        found.append(left @ right)
        if risk.kappa > 0 and r > 1:
            for _ in range(20):
                left = linear_paths.refit_outer(risk, right)
                right = linear_paths.refit_inner(risk, left)
            found.append(left @ right)
    return found


def _decides(rng: np.random.Generator, risk: Risk, found: SquareBarrier) -> float:
    """connect joins a point to its mirror image when the level reaches the barrier and refuses below it: 1, else -1."""
    start = risk.network.pack([rng.standard_normal(shape) for shape in risk.network.shapes])
    theta = start if rng.integers(2) else linear_paths.buy_slack(risk, start, 30).points[-1] if risk.kappa else start
    level = risk(theta)
    if found.lower * (1 - 1e-6) <= level < found.upper * (1 + 1e-6):
        return 1.0  # too close to call
    mirror = risk.network.rescale(theta, 1, [-1.0] + [1.0] * (risk.network.hidden[0] - 1))
    try:
        path = connect(risk, theta, mirror)
    except ValueError:
        return 1.0 if level < found.lower else -1.0
    if level < found.lower:
        return -1.0
    return 1.0 if path_maximum(risk, path).upper <= level * (1 + RISE) + 1e-12 * risk.sample.energy else -1.0


def fault(setting: Setting) -> Outcome:
    """The planted fault: the straight segment between the mirror images, which passes another singular product."""
    tally, rng = Tally(), setting.rng
    for _ in range(5):
        n = int(rng.integers(2, 4))
        risk = Risk(Network((n, n, n), activation="identity"), sample(rng, n, n))
        found = barrier(risk)
        segment = Path(found.path.points[[0, -1]])
        tally.add(found.upper * (1 + RISE) - path_maximum(risk, segment).upper)
    return tally.outcome("the straight segment")


CLAIM = Claim(
    id="linear-square-barrier",
    headline="At critical width a linear net has two components below an exact barrier.",
    fault="the straight segment between the mirror images",
    source="Ours, to Proposition 2.2: hidden width exactly r = min(n_in, n_out), K = 2",
    statement=(
        "K = 2, any convex loss: the sublevel set at lambda is connected iff it contains a product of rank below r (or is empty); otherwise it has "
        "exactly two components, the signs of a determinant. For squared loss the barrier is the least risk over products of rank < r: "
        "the minimum plus s_r^2, s_r the smallest singular value of M* Sigma^{1/2} (with ridge: at least that, and equal "
        "when Sigma is a multiple of the identity)."
    ),
    standing=Standing.OURS,
    tightness=Tightness.EQUALITY,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=fault,
    proof=(
        "n_in = r: where every product has rank r, det W_1 cannot vanish, and over the convex set of products the fibre is "
        "GL(r): two components. Through a singular product: W_1 fixed, the product goes straight to it; then a hidden "
        "direction is idle and its reflection free. The least value is reduced-rank regression: L(M) = L(M*) + "
        "|(M - M*) Sigma^{1/2}|^2 and Eckart-Young."
    ),
)
