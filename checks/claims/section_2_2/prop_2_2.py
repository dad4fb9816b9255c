"""Proposition 2.2, kappa = 0: with hidden widths >= min(n_in, n_out) + 1 every level set is connected, at any depth."""

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_2.instances import KINDS, Trained, all_caught, parameters, sample, trained_pairs
from theory.linear_paths import barrier, connect, rounding_allowance
from theory.maxima import path_maximum
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk


def attack(setting: Setting) -> Outcome:
    """The certified maximum of the constructed path against the larger end, rounding of the vertices allowed for."""
    tally, rng = Tally(), setting.rng
    for _ in setting.each(range(setting.instances(60, 10_000))):
        risk = _problem(rng)
        kinds = [KINDS[k] for k in rng.integers(len(KINDS), size=2)]
        a = parameters(rng, risk.network, kinds[0])
        b = parameters(rng, risk.network, kinds[1], a)
        path = connect(risk, a, b)
        tally.add(_slack(risk, path, a, b), widths=risk.network.widths, loss=risk.loss, ends=kinds, pieces=len(path))
    trained = []
    for table, risk, a, b in trained_pairs(setting):
        path = connect(risk, a, b)
        trained.append(Trained(table, risk.network.depth, path, float(np.abs(path.points).max())))
        tally.add(_slack(risk, path, a, b), table=table, widths=risk.network.widths, pieces=len(path))
    return tally.outcome("; ".join(map(str, trained)) or "random, degenerate and badly scaled ends")


def _problem(rng: np.random.Generator) -> Risk:
    n_in, n_out = (int(n) for n in rng.integers(1, 5, size=2))
    depth = int(rng.integers(1, 6))
    bias = bool(rng.integers(6) == 0)
    least = (n_in if bias else min(n_in, n_out)) + 1
    hidden = least + rng.integers(0, 3, depth - 1) * rng.integers(0, 2, depth - 1)
    net = Network((n_in, *hidden.tolist(), n_out), activation="identity", bias=bias)
    return Risk(net, sample(rng, n_in, n_out), loss="squared" if rng.integers(3) else "absolute")


def _slack(risk: Risk, path: Path, a: np.ndarray, b: np.ndarray) -> float:
    """How far the path stays below the larger end, in units of the allowance for rounding; -1 when an end is missed."""
    if not (np.array_equal(path.points[0], a) and np.array_equal(path.points[-1], b)):
        return -1.0
    level = max(path_maximum(risk, Path(end[None])).upper for end in (a, b))
    allowance = rounding_allowance(risk, path)
    return (level + allowance - path_maximum(risk, path).upper) / max(allowance, np.finfo(float).tiny)


def faults(setting: Setting) -> Outcome:
    """Two planted faults: no unit is freed before its row is replaced; a hidden layer one unit too narrow."""
    rng, not_freed, narrow = setting.rng, Tally(), Tally()
    for _ in range(10):
        n = int(rng.integers(2, 4))
        wide, square = (Network((n, h, n), activation="identity") for h in (n + 1, n))
        data = sample(rng, n, n)
        a, b = rng.standard_normal((2, wide.size))
        path = connect(Risk(wide, data), a, b)
        kept = [0, *(k + 1 for k, label in enumerate(path.labels) if not label.startswith("free"))]
        not_freed.add(_slack(Risk(wide, data), Path(path.points[kept]), a, b))
        wall = barrier(Risk(square, data)).path  # joins a minimiser to its mirror image
        narrow.add(_slack(Risk(square, data), wall, wall.points[0], wall.points[-1]))
    return all_caught([not_freed.outcome("no unit freed"), narrow.outcome("one unit too few")])


def witness() -> Witness:
    """K = 2: the condition on n_2, ..., n_{K-1} is empty and (1 - w_2 w_1)^2 is disconnected below 1."""
    ends = [(1 - w2 * w1) ** 2 for w1, w2 in ((1, 1), (-1, -1))]
    wall = min((1 - w2 * 0) ** 2 for w2 in range(-5, 6))
    return Witness(
        max(ends) < wall,
        "widths (1, 1, 1), K = 2: F(1, 1) = F(-1, -1) = 0, and every path between them meets w_1 = 0, where F = 1",
        {"ends": ends, "wall": wall},
    )


CLAIM = Claim(
    id="prop-2.2",
    headline="Wide linear networks have connected level sets at any depth.",
    instead="Every hidden width must be at least min(n_in, n_out) + 1; then one idle unit and moves around it suffice.",
    fault="a row is replaced before its unit is freed, and a hidden layer is one unit too narrow",
    source="Proposition 2.2, kappa = 0; Appendix B.2",
    statement=(
        "W_1, ..., W_K of sizes n_k x n_{k+1}, n_j > min(n_1, n_K) for j = 2..K-1: the level sets of "
        "F_0(theta) = E loss(W_K ... W_1 X, Y) are connected for all lambda and all K."
    ),
    repaired=(
        "K >= 1, every hidden width >= min(n_in, n_out) + 1: any two points are joined by a polyline on which F stays at "
        "most the larger end; any convex loss, any ranks, any data."
    ),
    standing=Standing.THEOREM,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=faults,
    refute=witness,
    proof=(
        "n_in <= n_out (else transpose). A layer of h > n_in units has dependent features W_j ... W_1: free a unit (its "
        "outgoing weights go to others, nothing changes), give its row a basis vector, repeat; then free and clear the "
        "rest. Layer by layer this ends at W_j = [I 0; 0 0], W_K = [M 0], at constant risk. Between two such points one "
        "matrix moves and F is convex."
    ),
)
