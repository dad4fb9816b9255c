"""From the sample to the population: held-out points bound risk and error along a whole path that was built on other points."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory import held_out, masses
from theory.maxima import path_maximum
from theory.networks import Network
from theory.risk import Risk, Sample

DELTA = 0.2
PEOPLE, TRAINED, HELD = 400, 12, 300


def attack(setting: Setting, *, trust_training: bool = False) -> Outcome:
    """Finite populations, where risk and error along a path are known: bounds at delta = 0.2 miss in at most that share of draws.

    Each draw is two nets trained on 12 points, the path between them by tosses, and 300 held-out points. trust_training: the training
    maximum in place of the bound, a planted fault.
    """
    tally, rng = Tally(), setting.rng
    draws, missed = setting.instances(16, 600), {"risk": 0, "rise": 0, "error": 0}
    for k in setting.each(range(draws)):
        loss = ("squared", "hinge")[k % 2]
        risk, ends = _trained(rng, loss)
        path = masses.tosses(risk, *ends, rng=rng)
        people = _points(rng, PEOPLE, loss)
        oracle = Risk(risk.network, people, loss, kappa=risk.kappa, penalty="path")
        true = path_maximum(oracle, path).value
        if trust_training:
            missed["risk"] += path_maximum(risk, path).upper < true
            continue
        seen = rng.integers(0, PEOPLE, HELD)
        found = held_out.certify(
            risk,
            path,
            Sample(people.X[seen], people.Y[seen]),
            delta=DELTA,
            within=(1.0, 2.0) if loss == "squared" else 1.0,
        )
        missed["risk"] += found.upper < true
        missed["rise"] += found.rise < true - max(oracle(path.points[0]), oracle(path.points[-1])) - 1e-9
        if found.error_upper is not None:
            wrong = [
                (oracle.network(path.at(t), people.X) * people.Y <= 0).mean()
                for t in np.linspace(0, 1, 4 * len(path) + 1)
            ]
            missed["error"] += found.error_upper < max(wrong)
    for name, count in missed.items():
        tally.add(DELTA - count / draws, bound=name, missed=int(count), draws=draws)
    return tally.outcome(f"{draws} draws; missed: " + ", ".join(f"{name} {count}" for name, count in missed.items()))


def _points(rng: np.random.Generator, N: int, loss: str) -> Sample:
    """|x| <= 1, |y| <= 2: a teacher and noise, or its sign with one label in ten turned."""
    X = rng.standard_normal((N, 3))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    signal = np.maximum(X, 0) @ np.array([1.0, -1.0, 0.7])
    if loss == "hinge":
        return Sample(X, np.where(rng.uniform(size=N) < 0.1, -1.0, 1.0) * np.where(signal > 0, 1.0, -1.0))
    return Sample(X, np.clip(signal + 0.5 * rng.standard_normal(N), -2, 2))


def _trained(rng: np.random.Generator, loss: str) -> tuple[Risk, list[np.ndarray]]:
    risk = Risk(Network((3, 16, 1)), _points(rng, TRAINED, loss), loss, kappa=1e-3, penalty="path")
    ends = []
    for _ in range(2):
        theta = 0.6 * rng.standard_normal(risk.network.size)
        for _ in range(150):
            theta = theta - 0.1 * risk.gradient(theta)
        ends.append(theta)
    return risk, ends


CLAIM = Claim(
    id="held-out",
    headline="Held-out points bound the population's risk, and the error, along a whole path.",
    fault="the training maximum in place of the bound",
    source="Ours; to section 5, second open question",
    statement=(
        "A path of silent pieces and refits, chosen without the N' held-out points, has n different vertex functions with losses in [0, M_v]. With probability 1 - delta, for all t at once, "
        "F_o <= max_v (U_v + kappa R_v), U_v any upper confidence bound for the mean loss at level delta/n; the rise over the ends, from paired differences; and the error is at most the largest "
        "Clopper-Pearson bound, at delta/n for each of n refits, of P(wrong at one of the two ends)."
    ),
    standing=Standing.OURS,
    tightness=Tightness.UPPER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.SAMPLED,
    confirm=attack,
    control=lambda setting: attack(setting, trust_training=True),
    proof=(
        "A silent piece does not change the function at any x; on a refit the output is affine in t at every x, so the risk of every law is convex in t and the outputs at x run on a segment, while the right "
        "ones form a convex set. So finitely many events decide, and the union bound is over them. M_v from |f(x)| <= N_v |x|, N_v the path norm or the product of operator norms."
    ),
)
