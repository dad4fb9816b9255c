"""Proposition 2.2, kappa > 0, K = 2: the balanced factorisation connects every level set of the ridge risk."""

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_2.instances import KINDS, all_caught, parameters, sample
from theory import linear_paths
from theory.linear_paths import connect
from theory.maxima import path_maximum
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample

RISE = 1e-9


def attack(setting: Setting) -> Outcome:
    """The certified maximum of the constructed path against the larger end times 1 + 1e-9."""
    tally, rng = Tally(), setting.rng
    longest = 0
    for _ in setting.each(range(setting.instances(12, 400))):
        risk, a, b, kinds = _problem(rng)
        path = connect(risk, a, b, rise=RISE)
        longest = max(longest, len(path))
        tally.add(_slack(risk, path, a, b), widths=risk.network.widths, kappa=risk.kappa, ends=kinds, pieces=len(path))
    return tally.outcome(f"ends anywhere and near the minimum; at most {longest} pieces")


def _problem(rng: np.random.Generator, spare: int = 1) -> tuple[Risk, np.ndarray, np.ndarray, list[str]]:
    n_in, n_out = (int(n) for n in rng.integers(1, 5, size=2))
    net = Network((n_in, min(n_in, n_out) + spare + int(rng.integers(3)), n_out), activation="identity")
    risk = Risk(net, sample(rng, n_in, n_out), kappa=float(10.0 ** rng.uniform(-5, 0.5)), penalty="ridge")
    kinds = [KINDS[k] for k in rng.integers(len(KINDS), size=2)]
    a = parameters(rng, net, kinds[0])
    b = parameters(rng, net, kinds[1], a)
    if rng.integers(2):  # at a minimum there is no slack
        a, b = (linear_paths.buy_slack(risk, end, rounds=100).points[-1] for end in (a, b))
        kinds = [f"refitted: {kind}" for kind in kinds]
    return risk, a, b, kinds


def _slack(risk: Risk, path: Path, a: np.ndarray, b: np.ndarray) -> float:
    """Distance below the larger end times 1 + RISE, in units of RISE; -1 when an end is missed."""
    if not (np.array_equal(path.points[0], a) and np.array_equal(path.points[-1], b)):
        return -1.0
    level = max(risk(a), risk(b))
    if level == 0:
        return 0.0 if path_maximum(risk, path).upper == 0 else -1.0
    return ((1 + RISE) - path_maximum(risk, path).upper / level) / RISE


def faults(setting: Setting) -> Outcome:
    """Three planted faults: the printed selection without continuity, one end reflected, the projection E1 skipped."""
    rng = setting.rng
    tallies = {name: Tally() for name in ("printed selection", "one end reflected", "no projection")}
    for _ in range(12):
        n = int(rng.integers(2, 4))
        net = Network((n, n + 1, n), activation="identity")
        risk = Risk(net, sample(rng, n, n), kappa=0.01, penalty="ridge")
        x = rng.standard_normal((1, n))
        one = Risk(net, Sample(x, rng.standard_normal((1, n))), kappa=0.01, penalty="ridge")
        fit = (
            one.sample.Y.T @ np.linalg.pinv(x).T
        )  # with one sample many products fit it: ends that cost their norm only
        M_a, M_b = (fit + rng.standard_normal((n, n)) @ (np.eye(n) - np.linalg.pinv(x) @ x) for _ in range(2))
        points = np.stack([_unaligned(net, (1 - t) * M_a + t * M_b) for t in np.linspace(0, 1, 65)])
        tallies["printed selection"].add(_slack(one, Path(points), points[0], points[-1]))
        a = rng.standard_normal(net.size)
        low = linear_paths.buy_slack(risk, a, 50).points[-1]
        mirrored = net.rescale(low, 1, [-1.0] + [1.0] * n)
        tallies["one end reflected"].add(_slack(risk, Path(np.stack([low, mirrored])), low, mirrored))
        cut = linear_paths.to_section(linear_paths.LinearProblem(risk), a, np.inf)[0]
        tallies["no projection"].add(_slack(risk, Path(cut.points[2:]), a, cut.points[-1]))
    return all_caught([tally.outcome(name) for name, tally in tallies.items()])


def _unaligned(net: Network, M: np.ndarray) -> np.ndarray:
    """The printed argmin: S^{1/2} V^T and U S^{1/2}, singular vectors made unique by the sign of their first entry."""
    U, S, Vt = np.linalg.svd(M)
    signs = np.sign(Vt[:, 0])
    W1, W2 = np.zeros(net.shapes[0]), np.zeros(net.shapes[1])
    W1[: len(S)], W2[:, : len(S)] = (signs * np.sqrt(S))[:, None] * Vt, U * signs * np.sqrt(S)
    return net.pack([W1, W2])


def witness() -> Witness:
    """K = 2 as printed asks nothing of the hidden width: (1 - w1 w2)^2 + 3/4 (w1^2 + w2^2) has two components at 15/16."""
    kappa, w = Fraction(3, 4), Fraction(1, 2)
    end = (1 - w * w) ** 2 + 2 * kappa * w * w
    return Witness(
        end == Fraction(15, 16) < 1,
        "(1 - w1 w2)^2 + 3/4 (w1^2 + w2^2) is 15/16 at +-(1/2, 1/2) and 1 + 3/4 w2^2 where w1 = 0, between them",
        {"ends": end, "wall": 1},
    )


CLAIM = Claim(
    id="prop-2.2-ridge",
    headline="With ridge, two-layer linear networks have connected level sets.",
    instead="True for hidden widths of at least min(n_in, n_out) + 1, along factors that stay balanced.",
    fault="the printed factors without continuity, one end reflected, and the first projection left out",
    source="Proposition 2.2, kappa > 0 and K = 2; Appendix B.2, second part",
    statement="K = 2: the level sets of E|W_2 W_1 X - Y|^2 + kappa (|W_1|^2 + |W_2|^2) are connected for all lambda.",
    repaired=(
        "Hidden width >= min(n_in, n_out) + 1: any two points are joined by a path on which the ridge risk stays at most "
        "the larger end (here a polyline that stays below it times 1 + 1e-9)."
    ),
    standing=Standing.THEOREM,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=faults,
    refute=witness,
    proof=(
        "On balanced factors the risk is L(M) + 2 kappa |M|_*, convex in M = W_2 W_1. W_1 = Q (M^T M)^{1/4} with its "
        "partner is a balanced factorisation that is continuous in M (the printed argmin is not a selection). Each end "
        "reaches it with falling norm at constant product: cut off what M does not use, then W_1 <- P^{s/2} W_1, "
        "W_2 <- W_2 P^{-s/2}, whose norm is convex in s with minimum at s = 1. The spare unit leaves a rotation of the "
        "hidden space, connected since a direction is free to fix the determinant."
    ),
)
