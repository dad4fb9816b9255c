"""How fast strings are found and how short they are: `python benchmarks/strings.py` (about five minutes; --fast: one).

One process, the same ends and the same certificate for every trainer; only ratios within one run mean anything.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from theory import geodesics, string_sampling
from theory.landscapes import Adam, Exact, Objective
from theory.networks import Network
from theory.paths import Path
from theory.polynomial_tasks import power_law
from theory.risk import Risk, Sample
from theory.string_sampling import train


def polynomial(activation: str, bias: bool, points: int) -> Risk:
    """y = x^2/2 + x/4 + 1/10 on [0, 1], a 1-4-4-1 net, squared loss."""
    x = ((np.arange(points) + 0.5) / points)[:, None]
    output = "sigmoid" if activation == "sigmoid" else "identity"
    return Risk(Network((1, 4, 4, 1), activation, output, bias), Sample(x, x**2 / 2 + x / 4 + 0.1))


def surface(width: int) -> Risk:
    """A regression in the plane, 256 points, one relu layer with biases."""
    rng = np.random.default_rng(5)
    X = rng.uniform(-1, 1, (256, 2))
    return Risk(Network((2, width, 1), bias=True), Sample(X, np.sin(3 * X[:, :1]) * X[:, 1:] + 0.3 * X[:, 1:] ** 2))


PROBLEMS = [
    ("1-4-4-1 sigmoid", polynomial("sigmoid", False, 512), 1e-3),
    ("1-4-4-1 tanh, biases", polynomial("tanh", True, 512), 1e-3),
    ("relu width 16", surface(16), 1e-2),
    ("relu width 64", surface(64), 1e-2),
]


def pairs(risk: Risk, level: float, count: int, seed: int) -> np.ndarray:
    """Trained ends just below the level, (count, 2, P)."""
    rng, found = np.random.default_rng(seed), np.zeros((0, risk.network.size))
    while len(found) < 2 * count:
        trained = train(risk, rng.uniform(-1, 1, (2 * count, risk.network.size)), 0.98 * level, fallback=False)
        found = np.concatenate([found, trained.points[trained.reached]])
    return found[: 2 * count].reshape(count, 2, -1)


def timed(risk: Risk, ends: np.ndarray, level: float, **settings) -> tuple[list, float]:
    """Greedy results over all pairs and the mean seconds per pair."""
    begun = time.perf_counter()
    found = [string_sampling.greedy(risk, a, b, level, rng=0, **settings) for a, b in ends]
    return found, (time.perf_counter() - begun) / len(ends)


def lengths(found: list) -> float:
    """Mean normalised length of the connections."""
    return float(np.mean([r.path.normalised_length for r in found if r.path is not None]))


def trainers(count: int) -> None:
    """The default trainer against Adam: time, length, and what certificates cost."""
    risk = polynomial("sigmoid", False, 512)
    for level in (2.5e-3, 1e-4):
        ends, rows = pairs(risk, level, count, 7), {}
        for name in ("lm", "adam"):
            rows[name] = timed(risk, ends, level, trainer=name)
            found, seconds = rows[name]
            training, certifying = (
                sum(getattr(r, k) for r in found) / count for k in ("training_seconds", "certifying_seconds")
            )
            print(
                f"level {level:g}, {name:4}: {sum(r.connected for r in found)}/{count} connected, {seconds:.3f} s a pair "
                f"(training {training:.3f}, certificates {certifying:.3f}), length {lengths(found):.3f}"
            )
        begun = time.perf_counter()
        short = [geodesics.geodesic(risk, r.path, level).after for r in rows["lm"][0] if r.path is not None]
        print(
            f"level {level:g}: shortened to {np.mean(short):.3f} in {(time.perf_counter() - begun) / len(short):.2f} s a pair"
        )
        print(f"level {level:g}: adam / lm time {rows['adam'][1] / rows['lm'][1]:.1f}")


def tasks() -> None:
    """Eight pairs on each of four problems at 1.00 times the level, two seeds each."""
    for name, risk, level in PROBLEMS:
        for seed in (1, 2):
            found, seconds = timed(risk, pairs(risk, level, 8, seed), level)
            print(
                f"{name}, seed {seed}: {sum(r.connected for r in found)}/8 at level {level:g}, {seconds:.2f} s a pair"
            )


class BeadByBead:
    """The landscape of a risk that shows no slopes, so that shortening pulls its beads one by one."""

    def __init__(self, risk: Risk) -> None:
        self.exact = Exact(risk, "projection")

    def __getattr__(self, name: str):
        return getattr(self.exact, name)


def shortest() -> None:
    """One pair of each seed of each problem at 1.00 times the level: lengths, processor time, and what they are to each other."""
    totals: dict[str, np.ndarray] = {}
    for name, risk, level in PROBLEMS:
        for seed in (1, 2):
            a, b = pairs(risk, level, 1, seed)[0]
            begun = time.process_time()
            path, row = string_sampling.greedy(risk, a, b, level, rng=0).path, {}
            assert path is not None
            row["lm"] = (path.normalised_length, time.process_time() - begun)
            for way, landscape, settings in (
                ("bead by bead", BeadByBead(risk), {"beads": 32, "sweeps": 40, "tolerance": 1e-3}),
                ("as a band", risk, {}),
            ):
                begun = time.process_time()
                row[way] = (
                    geodesics.geodesic(landscape, path, level, **settings).after,
                    time.process_time() - begun,
                )
            print(f"{name}, seed {seed}: {'; '.join(f'{way} {x:.3f} ({s:.2f} s)' for way, (x, s) in row.items())}")
            totals = {way: totals.get(way, np.zeros(2)) + found for way, found in row.items()}
    found, old, new = totals["lm"], totals["bead by bead"], totals["as a band"]
    print(
        f"mean length {found[0] / 8:.4f} found, {old[0] / 8:.4f} shortened bead by bead, {new[0] / 8:.4f} as a band: "
        f"{100 * (1 - new[0] / old[0]):.1f} % less, in {(found[1] + new[1]) / (found[1] + old[1]):.2f} of the time; "
        f"shortening takes {new[1] / found[1]:.1f} times as long as finding",
        flush=True,
    )


def fitted_curve(risk: Risk, a: np.ndarray, b: np.ndarray, kind: str, steps: int, rng: int) -> np.ndarray:
    """A curve of one bend between two nets, fitted by Adam to the mean risk along it (Garipov et al. 2018): 1,001 points.

    kind: "Bezier" (quadratic) or "PolyChain"; the bend begins in the middle, and each step draws 16 points of the curve.
    """
    draws = np.random.default_rng(rng)

    def weights(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if kind == "Bezier":
            return (1 - t) ** 2, 2 * t * (1 - t), t**2
        return np.maximum(1 - 2 * t, 0), 1 - np.abs(2 * t - 1), np.maximum(2 * t - 1, 0)

    def curve(t: np.ndarray, bend: np.ndarray) -> np.ndarray:
        before, middle, after = weights(t[:, None])
        return before * a + middle * bend + after * b

    bend, objective = ((a + b) / 2)[None].copy(), Objective(risk)
    adam = Adam(objective, bend)
    for _ in range(steps):
        t = draws.random(16)
        slopes = objective.derivatives(curve(t, bend))[2]
        adam.step(np.array([0]), (weights(t)[1][:, None] * slopes).mean(axis=0)[None])
    return curve(np.linspace(0, 1, 1001), bend)


def published_curves(count: int, steps: int = 2000) -> None:
    """Our strings at the sampled maximum of published curves, which the curves themselves exceed, if anything."""
    for name, risk, level in PROBLEMS:
        for seed, (a, b) in enumerate(pairs(risk, level, count, 11)):
            for kind in ("Bezier", "PolyChain"):
                begun = time.process_time()
                curve = Path(fitted_curve(risk, a, b, kind, steps, seed))
                theirs = time.process_time() - begun
                height = max(level, float(risk.batch(curve.points).max()))
                begun = time.process_time()
                found = string_sampling.greedy(risk, a, b, height, rng=0)
                ours = geodesics.geodesic(risk, found.path, height).after if found.path is not None else np.inf
                took = time.process_time() - begun
                print(
                    f"{name}, {kind}: at {height / level:.2f} times the level its length is {curve.normalised_length:.3f}, "
                    f"ours {ours:.3f}, found in 1/{theirs / took:.0f} of the time",
                    flush=True,
                )


def growth(count: int) -> None:
    """Cost against samples and against beads, fitted in log-log coordinates."""
    sizes, seconds = (100, 1000, 10_000), []
    for points in sizes:
        risk = polynomial("sigmoid", False, points)
        found, each = timed(risk, pairs(risk, 2.5e-3, count, 3), 2.5e-3)
        seconds.append(each)
        share = sum(r.certifying_seconds for r in found) / sum(r.training_seconds for r in found)
        print(
            f"{points} points, level 0.0025: {each:.3f} s a pair, {sum(r.connected for r in found)}/{count} connected, "
            f"certificates {share:.2f} times training"
        )
    print(f"seconds ~ samples^{power_law(sizes, seconds)[0]:.2f}")
    risk, beads, seconds = polynomial("sigmoid", False, 512), [], []
    for level in (1e-2, 1e-3, 1e-4):
        found, each = timed(risk, pairs(risk, level, count, 3), level)
        beads.append(float(np.mean([r.beads for r in found])))
        seconds.append(each)
        print(f"level {level:g}: {beads[-1]:.1f} beads, {each:.3f} s a pair")
    print(f"seconds ~ beads^{power_law(beads, seconds)[0]:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="two pairs each")
    asked = parser.parse_args()
    shortest()
    published_curves(1 if asked.fast else 2)
    trainers(2 if asked.fast else 8)
    tasks()
    growth(2 if asked.fast else 6)
