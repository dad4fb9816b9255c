"""The verdicts that rest on a path, each with one certificate that anybody can verify (`checks.certificates.verify`).

`python -m checks --certificates DIR` writes them: one JSON file per claim, verifiable in exact arithmetic by
`python -m checks verify DIR/*.json`. Small instances, so that every vertex can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path as File

import numpy as np

from checks.certificates import document
from theory import barriers, linear_paths, relu_paths, string_sampling
from theory.maxima import path_maximum
from theory.networks import Network
from theory.paths import Path
from theory.risk import Risk, Sample


@dataclass(frozen=True)
class Headline:
    """A claim, what its certificate shows in one line, and how the path is made."""

    claim: str
    title: str
    build: Callable[[np.random.Generator], tuple[Risk, Path]]


@dataclass(frozen=True)
class Shipped:
    """A headline made: its claim and title, the bound, the number of pieces, and the certificate's text."""

    claim: str
    title: str
    upper: float
    pieces: int
    text: str


def make(rng: np.random.Generator | int | None = 0) -> list[Shipped]:
    """Build the path of every headline, bound it, and put both into a certificate."""
    shipped = []
    for headline, child in zip(HEADLINES, np.random.default_rng(rng).spawn(len(HEADLINES))):
        risk, path = headline.build(child)
        upper = path_maximum(risk, path).upper
        text = document.text(risk, path, upper, title=headline.title)
        shipped.append(Shipped(headline.claim, headline.title, upper, len(path), text))
    return shipped


def write(folder: str | File, shipped: Iterable[Shipped]) -> list[File]:
    """Write certificates into `folder` (made if missing), named after their claims; returns the files, in order."""
    folder = File(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for one in shipped:
        files.append(folder / f"{one.claim}.json")
        files[-1].write_text(one.text, encoding="utf-8")
    return files


def _linear(widths: tuple[int, ...], kappa: float) -> Callable[[np.random.Generator], tuple[Risk, Path]]:
    def build(rng: np.random.Generator) -> tuple[Risk, Path]:
        net = Network(widths, activation="identity")
        sample = Sample(rng.standard_normal((3, widths[0])), rng.standard_normal((3, widths[-1])))
        risk = Risk(net, sample, kappa=kappa, penalty="ridge" if kappa else None)
        a, b = rng.standard_normal((2, net.size))
        return risk, linear_paths.connect(risk, a, b, rise=1e-6)

    return build


def _square(rng: np.random.Generator) -> tuple[Risk, Path]:
    sample = Sample(np.eye(2), np.diag([2.0, 1.0]))
    risk = Risk(Network((2, 2, 2), activation="identity"), sample)
    return risk, linear_paths.barrier(risk).path


def _relu(width: int, samples: int, route: str) -> Callable[[np.random.Generator], tuple[Risk, Path]]:
    def build(rng: np.random.Generator) -> tuple[Risk, Path]:
        net = Network((2, width, 1))
        X = rng.standard_normal((samples, 2))
        risk = Risk(net, Sample(X, np.sin(2 * X[:, :1])), kappa=0.1, penalty="second_layer_l1")

        def point() -> np.ndarray:
            W = rng.standard_normal((width, 2))
            W /= np.maximum(1.0, np.linalg.norm(W, axis=1, keepdims=True) * (1 + 1e-12))
            return net.pack([W, 0.3 * rng.standard_normal((1, width))])

        a = point()
        b = net.permute(a, 1, rng.permutation(width).tolist()) if route == "permutation" else point()
        if route == "permutation":
            risk = Risk(net, risk.sample)
        if route == "six_segment":
            return risk, relu_paths.six_segment(risk, a, b, active=width // 2, angle=0.2, rng=rng)
        return risk, relu_paths.connect(risk, a, b, route=route, rng=rng)

    return build


def _triangle(width: int) -> Callable[[np.random.Generator], tuple[Risk, Path]]:
    def build(rng: np.random.Generator) -> tuple[Risk, Path]:
        X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        sample = Sample(X, X[[1, 2, 0]])
        path = barriers.permutation_barrier(sample, width, rng=rng).path
        if path is None:
            raise ArithmeticError("the permutation task must come with a path")
        return Risk(Network((2, width, 2)), sample), path

    return build


def _string(rng: np.random.Generator) -> tuple[Risk, Path]:
    x = np.linspace(-1, 1, 5)[:, None]
    risk = Risk(Network((1, 4, 1), bias=True), Sample(x, x**2))
    level = 0.05
    while True:
        ends: list[np.ndarray] = []
        while len(ends) < 2:
            theta = rng.standard_normal(risk.network.size)
            for _ in range(2000):
                theta = theta - 0.05 * risk.gradient(theta)
            if risk(theta) < 0.9 * level:
                ends.append(theta)
        result = string_sampling.greedy(risk, ends[0], ends[1], level, rng=rng)
        if result.path is not None:
            return risk, result.path


HEADLINES = (
    Headline("prop-2.2", "Two deep linear nets, joined by moves below the larger end", _linear((2, 3, 3, 1), 0.0)),
    Headline("prop-2.2-ridge", "Two linear nets with ridge, joined by balanced factors", _linear((1, 2, 1), 0.1)),
    Headline("linear-square-barrier", "Critical width: a path over the barrier between two orientations", _square),
    Headline("thm-2.4", "The six segments, repaired", _relu(4, 5, "six_segment")),
    Headline("sharper-maurey", "Two ReLU nets joined by a coin toss", _relu(6, 4, "maurey")),
    Headline("sharper-2N", "Twice as many units as samples: below the larger end", _relu(6, 3, "caratheodory")),
    Headline("sharper-permutation", "More units than samples: relabelling costs nothing", _relu(5, 4, "permutation")),
    Headline("alg-1-sound", "A string between two trained nets", _string),
    Headline("app-e1-disconnected", "Three units on three points: a swap over the barrier e(2)", _triangle(3)),
    Headline("app-e1-threshold", "Four units on three points: the swap is free", _triangle(4)),
)
