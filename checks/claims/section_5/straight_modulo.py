"""Permute and go straight: no permutation at all helps where idle units do."""

from __future__ import annotations

from itertools import permutations
from math import exp, lgamma, pi, sqrt

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict
from theory.alignment import gaussian_lower_bound, lower_bound, reorder
from theory.networks import Network
from theory.risk import Risk, Sample

ROUNDING = 1e-9  # closed forms of the ends, relatively


def attack(setting: Setting, *, inputs: int = 128) -> Outcome:
    """X ~ N(0, I_n), Y = |X| / sqrt(n), random unit rows, equal weights: every permutation's midpoint against the path round idle units.

    inputs: n = 8 is a planted fault, the two are not separated there. And brute force over all permutations for the bound itself.
    """
    tally, rng = Tally(), setting.rng
    m = 2048 if setting.full else 384
    for k in range(setting.instances(2, 3)):
        A, B = (W / np.linalg.norm(W, axis=1, keepdims=True) for W in rng.standard_normal((2, m, inputs)))
        mass, mean = _mass(inputs), _mean_length(inputs)
        every = gaussian_lower_bound(A, B, mass, mean)
        idle = max(_risk(A, mass), _risk(B, mass)) + 0.5 * mass**2 / (m // 2)  # zeta^2 = 1/2
        tally.add((every - idle) - ROUNDING, instance=k, n=inputs, m=m, every_permutation=every, idle_units=idle)
    for k in setting.each(range(setting.instances(30))):
        width, N = int(rng.integers(1, 5)), int(rng.integers(1, 9))
        penalty = (None, "path", "ridge", "second_layer_l1")[k % 4]
        sample = Sample(rng.standard_normal((N, 2)), rng.standard_normal(N))
        risk = Risk(Network((2, width, 1)), sample, kappa=0.05 * (penalty is not None), penalty=penalty)
        a, b = rng.standard_normal((2, risk.network.size))
        t = float(rng.choice([0.25, 0.5, 0.75]))
        least = min(risk((1 - t) * a + t * reorder(risk.network, b, [p])) for p in permutations(range(width)))
        tally.add((least * (1 + ROUNDING) - lower_bound(risk, a, b, t=t).lower) / (1 + least), instance=k, m=width, t=t)
    return tally.outcome(f"n = {inputs}, m = {m}: dual certificates; brute force over permutations of up to 4 units")


def _half(n: int) -> float:
    """E rho(u_1), u uniform on the sphere in R^n."""
    return exp(lgamma(n / 2) - lgamma((n + 1) / 2)) / (2 * sqrt(pi))


def _mean_length(n: int) -> float:
    """E |X| / sqrt(n)."""
    return sqrt(2 / n) * exp(lgamma((n + 1) / 2) - lgamma(n / 2))


def _mass(n: int) -> float:
    """The V at which V E_w rho(<w, x>) = |x| / sqrt(n)."""
    return 1 / (_half(n) * sqrt(n))


def _risk(W: np.ndarray, mass: float) -> float:
    """E (Y - (mass / m) sum rho(<w_i, X>))^2, unit rows, by the arc-cosine kernel; E Y^2 = 1."""
    m, n = W.shape
    cosine = np.clip(W @ W.T, -1, 1)
    angle = np.arccos(cosine)
    kernel = (np.sin(angle) + (pi - angle) * cosine) / (2 * pi)
    return float(1 - 2 * mass * sqrt(n) * _half(n) + (mass / m) ** 2 * kernel.sum())


CLAIM = Claim(
    id="straight-modulo",
    headline="Straight lines between nets have barriers at every permutation where paths round idle units have none.",
    fault="8 inputs in place of 128",
    source="Ours; to section 5, third open question; 'permute, then go straight': Entezari et al. 2021",
    statement=(
        "One hidden layer, squared loss: for each t and test function h, min over permutations of F((1-t) A + t pi B) >= 2 E hY - E h^2 - max_pi sum_i C_{i pi(i)}, C_ij = 2 E h b_ij z(w_ij) - kappa R_ij: one "
        "assignment problem for all m!. X ~ N(0, I_128), Y = |X| / sqrt(128), random unit rows, equal weights: every permutation's midpoint lies above the ends by far more than a path round idle "
        "units does, with high probability for all m < exp(n eta^2/4 - u), where it is at least (EY)^2 (1 - ((1 + eta)/2)^(1/2))^2. On straight lines in theta; in normalised rows this instance has no barrier."
    ),
    standing=Standing.OURS,
    tightness=Tightness.LOWER,
    verdict=Verdict.HOLDS,
    evidence=Evidence.DUAL,
    confirm=attack,
    control=lambda setting: attack(setting, inputs=8),
    proof=(
        "(y - f)^2 >= 2 h (y - f) - h^2, summed over units; a largest assignment is at most sum u_i + sum v_j for all u_i + v_j >= C_ij. With h constant and E z(w) = |w| / sqrt(2 pi): midpoints of far rows are short, "
        "|a + b|/2 <= ((1 + s)/2)^(1/2) for the largest inner product s, and P(s > eta) <= m^2 exp(-n eta^2/2). The idle units: tosses, zeta^2 = 1/2."
    ),
)
