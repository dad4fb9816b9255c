"""How fast strings are found and how short they are: `python benchmarks/strings.py` (about five minutes; --fast: one).

One process, the same ends and the same certificate for every trainer; only ratios within one run mean anything.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from theory import geodesics, string_sampling
from theory.networks import Network
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


def shortest() -> None:
    """One pair of each seed of each problem at 1.00 times the level: lengths, and processor time of all eight pairs."""
    totals: dict[str, list[float]] = {}
    for name, risk, level in PROBLEMS:
        for seed in (1, 2):
            a, b = pairs(risk, level, 1, seed)[0]
            line = []
            for way, find in (("lm", string_sampling.greedy), ("portfolio", string_sampling.portfolio)):
                begun = time.process_time()
                found = find(risk, a, b, level, rng=0)
                spent = time.process_time() - begun
                if found.path is None:
                    line.append(f"{way} {found.status.name}")
                    continue
                after = geodesics.geodesic(risk, found.path, level).after
                both = time.process_time() - begun
                for key, length, seconds in (
                    (way, found.path.normalised_length, spent),
                    (f"{way}, shortened", after, both),
                ):
                    line.append(f"{key} {length:.3f} ({seconds:.2f} s)")
                    total = totals.setdefault(key, [0, 0, 0])
                    totals[key] = [x + y for x, y in zip(total, (1, length, seconds))]
            print(f"{name}, seed {seed}: {'; '.join(line)}", flush=True)
    for key, (count, length, seconds) in totals.items():
        print(f"{key}: mean length {length / count:.4f} of {count:.0f}, {seconds:.2f} s in all")


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
    trainers(2 if asked.fast else 8)
    tasks()
    growth(2 if asked.fast else 6)
