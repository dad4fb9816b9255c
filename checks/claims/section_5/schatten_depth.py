"""Which layerwise penalties keep deep linear nets connected: Schatten powers with 1 / sum(1 / p_k) >= 1."""

from __future__ import annotations

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory import schatten_paths
from theory.linear_paths import section
from theory.maxima import path_maximum
from theory.networks import Network
from theory.risk import Risk, Sample

POWERS = ((2, 2), (3, 3, 3), (2, 4, 4), (6, 6, 6), (4, 4, 4, 4))
CERTIFIED = 1e-9  # sums of a few powers of singular values, relatively
CHORD = 2e-3  # chords may exceed the larger end by this share of it, certified


def attack(setting: Setting, *, powers: tuple[tuple[float, ...], ...] = POWERS) -> Outcome:
    """The least penalty is convex in the product, along lines of products on the section; and whole paths, certified.

    powers: (2, 2, 2), p = 2/3, is a planted fault; it has no path to certify.
    """
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(60))):
        exponents = powers[k % len(powers)]
        n, q = sorted(rng.integers(1, 4, 2).tolist())
        M, N = rng.standard_normal((2, q, n)) * 10.0 ** rng.integers(-2, 3)
        N = -M if k % 7 == 0 else N  # through the product zero
        Q = [np.linalg.qr(rng.standard_normal((n + 1, n)))[0] for _ in exponents[1:]]
        t = float(rng.uniform(0.05, 0.95))
        ends, inside = (
            (_penalty(M, Q, exponents), _penalty(N, Q, exponents)),
            _penalty((1 - t) * M + t * N, Q, exponents),
        )
        tally.add(
            (1 - t) * ends[0] + t * ends[1] - inside + CERTIFIED * sum(ends), instance=k, exponents=exponents, t=t
        )
    if min(1 / sum(1 / p for p in x) for x in powers) < 1:
        return tally.outcome("the section only")
    for k in range(setting.instances(2, 40)):
        tally.add(_certified(rng, "smallest" if k == 0 else "random"), path=k)
    return tally.outcome("convexity on the section; certified paths, margins as shares of the larger end")


def _penalty(M: np.ndarray, Q: list[np.ndarray], exponents: tuple[float, ...]) -> float:
    """sum_k (1/p_k) sum sigma(W_k)^(p_k) of the section's factors of M; NaN where their product is not M."""
    layers = section(M, *Q, powers=exponents)
    product = layers[0]
    for W in layers[1:]:
        product = W @ product
    if np.abs(product - M).max() > 1e-9 * np.abs(M).max():
        return float("nan")
    return float(sum((np.linalg.svd(W, compute_uv=False) ** p).sum() / p for W, p in zip(layers, exponents)))


def _certified(rng: np.random.Generator, kind: str) -> float:
    """How far a certified path stays below (1 + CHORD) times its larger end, relatively."""
    if kind == "smallest":  # widths (1, 2, 2, 1): two minima on two sides of width 1
        risk = Risk(
            Network((1, 2, 2, 1), "identity"), Sample(np.ones((1, 1)), np.ones((1, 1))), kappa=0.1, penalty="schatten"
        )
        e = np.diag([0.95, 0.0])
        ends = [risk.network.pack([s * e[:, :1], e, s * e[:1]]) for s in (1, -1)]
    else:
        risk = Risk(
            Network((2, 3, 2), "identity"),
            Sample(rng.standard_normal((4, 2)), rng.standard_normal((4, 2))),
            kappa=0.05,
            penalty="schatten",
            exponents=(2, 2),
        )
        ends = list(rng.standard_normal((2, risk.network.size)))
    level = max(map(risk, ends))
    path = schatten_paths.connect(risk, *ends, chords=16)
    found = path_maximum(risk, path, gap=1e-3, ceiling=level * (1 + CHORD), budget=500)
    return 1 + CHORD - found.upper / level


CLAIM = Claim(
    id="schatten-depth",
    headline="The right power of the right norm on each layer keeps deep linear nets connected.",
    fault="ridge on three layers, p = 2/3, on the section",
    source="Ours; answers the conjecture after Proposition 2.2",
    statement=(
        "F = L(W_K ... W_1) + kappa sum_k (1/p_k) ||W_k||^(p_k), Schatten norms, L convex, 1/p = sum 1/p_k, r = min(n_in, n_out). If p >= 1 and all hidden widths are at least "
        "r + 1, every Omega(lambda) is connected, at any depth; q hidden layers of width r exactly: 2^q components while no product of lower rank is in it. For p < 1 and squared "
        "loss the zero net is a strict local minimum behind a wall of height kappa (1/p - 1) (kappa / 2c)^(p/(1-p)), c = |E Y X^T| > 0, at every width."
    ),
    standing=Standing.OURS,
    tightness=Tightness.EXISTENCE,
    verdict=Verdict.HOLDS,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, powers=((2, 2, 2),)),
    proof=(
        "Hoelder for singular values and Young: the least penalty of M is (kappa/p) sum sigma^p, on balanced factors; these are continuous in M on a section, where F is convex for p >= 1. To the section: "
        "project each layer on what is used (singular values fall), move along P_k^s W_k P_(k-1)^(-s), where sum sigma^p is convex in s by the three lines theorem and least at the end, and "
        "turn the hidden frames, SO(h) being connected. p < 1: |M|_1 <= |M|_p <= prod |W_k|, one maximum of one variable."
    ),
)
