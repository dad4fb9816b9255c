"""Theorem 2.4: two nets below lambda are joined below max(lambda, epsilon)."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_3_3.instances import CERTIFIED, pair, problem
from checks.claims.section_2_3_3.thm_2_4_eta import aligned, tight
from theory import relu_paths
from theory.networks import Network
from theory.paths import Path
from theory.relu_paths import certify, six_segment
from theory.risk import Risk, Sample


def swapped(rng: np.random.Generator) -> tuple[Risk, Path, float]:
    """Subpath (2) at its worst: two close units of opposite sign change places, and the function vanishes half way."""
    angle = float(rng.uniform(0.1, 1.0))
    X, *rows = tight(angle)
    risk = Risk(
        Network((2, 2, 1)),
        Sample(X, np.array([[1.0], [-1.0]])),
        kappa=float(np.sin(angle / 2) * rng.uniform(0.2, 1)),
        penalty="second_layer_l1",
    )
    ends = [risk.network.pack([np.array(order), np.zeros((1, 2))]) for order in (rows, rows[::-1])]
    ends = [relu_paths.best_second_layer(risk, theta) for theta in ends]
    return risk, Path(np.stack(ends), ("(2) rows and weights together",)), angle


def attack(setting: Setting, *, factor: float = 1.0) -> Outcome:
    """Every subpath stays below its larger end, (2) and (5) below that plus factor * (C1 alpha + C2 alpha^2)."""
    tally, rng = Tally(), setting.rng
    for k in setting.each(range(setting.instances(24, 500))):
        if k % 8 == 0:
            risk, a, b, angle = aligned(float(rng.uniform(0.02, 0.1)), float(rng.uniform(0.002, 0.02)))
            path = Path(np.stack([a, b]), ("(2) rows and weights together",))
        elif k % 4 == 0:
            risk, path, angle = swapped(rng)
        else:
            m, n = int(rng.integers(1, 7)), int(rng.integers(1, 4))
            kappa = 0.0 if k % 4 == 3 else None
            risk = problem(rng, samples=int(rng.integers(1, 8)), width=m, inputs=n, kappa=kappa)
            a, b = pair(rng, risk)
            active = int(rng.choice([0, m, int(rng.integers(m + 1))]))
            angle = 0.0 if kappa == 0 else float(rng.choice([0.0, 0.05, 0.5, np.pi]))
            path = six_segment(risk, a, b, active=active, angle=angle, rng=rng)
        rule = relu_paths.theorem_constants(risk.sample, risk.kappa).allowance(angle)
        for s in certify(risk, path, angle):
            allowed = min(s.allowed, s.theorem) if factor == 1 else s.larger_end + factor * (s.theorem - s.larger_end)
            scale = max(s.larger_end, risk.sample.energy)
            tally.add((allowed - s.upper) / scale + CERTIFIED, instance=k, subpath=s.number, angle=angle, rule=rule)
        if len(path) and k % 4:
            level = max(relu_paths.vertex_bound(risk, theta) for theta in (a, b))
            before = [s.larger_end for s in certify(risk, path, angle) if s.number in ("(0)", "(1)", "(6)", "(0')")]
            tally.add((level - max(before, default=0.0)) / level + CERTIFIED, instance=k, subpath="ends below lambda")
    return tally.outcome("certified maxima of all subpaths; margins in units of max(larger end, E Y^2)")


def witness() -> Witness:
    """What the printed path and the printed delta miss on X = Y = 1, m = 1, w = 1/10, kappa = 1/10."""
    w, kappa = Fraction(1, 10), Fraction(1, 10)

    def lasso(z: Fraction) -> Fraction:
        b = max(Fraction(0), (z - kappa / 2) / z**2)
        return (1 - b * z) ** 2 + kappa * b

    fixed, normalised = lasso(w), lasso(Fraction(1))
    longer = [lasso(Fraction(10**k)) for k in range(1, 6)]
    return Witness(
        fixed > normalised and all(a > b for a, b in itertools.pairwise(longer)) and longer[-1] < Fraction(1, 10**5),
        "X = Y = 1, m = 1, w = 1/10, kappa = 1/10: subpath (1), which keeps the first layer, ends at 3/4 and not at "
        "delta_W(1, 0; 1) = 39/400; and delta as printed, with free row norms, is an infimum 0 that no net attains",
        {
            "first layer fixed": str(fixed),
            "unit rows": str(normalised),
            "rows 10, 100, ...": [float(v) for v in longer],
        },
    )


CLAIM = Claim(
    id="thm-2.4",
    headline="Two ReLU nets below a level are joined below the larger of the level and epsilon.",
    instead="True with a penalty, after normalising rows and moving units out of the way, with corrected constants.",
    fault="nine tenths of the corrected constants",
    source="Theorem 2.4, eqs (9)-(11)",
    statement="If F(theta_A), F(theta_B) <= lambda, a path joins them with F <= max(lambda, epsilon), epsilon = inf over "
    "l, alpha of max{e(l), delta_A(m,0;m), delta_A(m-l,alpha;m), delta_B(m,0;m), delta_B(m-l,alpha;m)} + C1 alpha + O(alpha^2)",
    standing=Standing.THEOREM,
    tightness=Tightness.UPPER,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, factor=0.9),
    refute=witness,
    repaired="for kappa > 0: with unit rows in delta, rows normalised first and units re-slotted between (3) and (4), and "
    "C1 = (8/27) ||Sigma||^(1/2) (E Y^2)^(3/2) / kappa, C2 = ||Sigma|| (E Y^2)^2 / (16 kappa^2) for the last two terms; "
    "for kappa = 0 with alpha = 0 and any eta > 0 more (none on a sample)",
    proof="All subpaths but (2) and (5) move one layer or idle units: their ends decide. On those two rho is 1-Lipschitz "
    "and the weights of an optimal second layer are at most E Y^2 / (2 kappa) in l1.",
)
