"""The sentence before Proposition 2.3: [.,.]_Z is locally equivalent to the linear metric <.,.>_X."""

from fractions import Fraction

import numpy as np

from checks.claim import Claim, Evidence, Outcome, Setting, Standing, Tally, Tightness, Verdict, Witness
from checks.claims.section_2_3_2.exact_kernel import Atoms, Directions, in_plane, integers, relative, terms, trials
from theory.relu_kernel import Gaussian, kernel_enclosure, symmetric_bounds


def attack(setting: Setting, *, half: bool = True) -> Outcome:
    """What the kernel has above the linear metric, in four settings; half=False forgets the half of a symmetric law."""
    tally = Tally()
    for pair, atoms, _ in trials(setting, setting.instances(80, 8_500)):
        _general_and_symmetric(tally, pair, atoms, half)
    for _ in range(setting.instances(20)):
        _growth(setting.rng, tally)
    _gaussian(setting, tally)
    for name, agrees in _expansions().items():
        tally.add(0.0 if agrees else -1.0, expansion=name)
    return tally.outcome(
        "discrete, real and symmetrised measures in integers; N(0, Sigma) in balls; the series by sympy"
    )


def _general_and_symmetric(tally: Tally, pair: Directions, atoms: Atoms, half: bool) -> None:
    t, twin = terms(pair, atoms), terms(pair, atoms.mirrored)
    above = t.kernel - (t.main - t.across_C)  # above the metric of the half space {<X, w_m> >= 0}
    symmetric = (t.kernel + twin.kernel) / 2 - (t.along - t.across) / (2 if half else 1)
    slacks = {
        "half space, 0 <=": above,
        "half space, <= s^2 E[<X,d^>^2 1_B]": t.across_B - above,
        "symmetric, 0 <=": symmetric,
        "symmetric, <= s^2 d^' Sigma d^/2": t.across / 2 - symmetric,
    }
    for form, slack in slacks.items():
        tally.add(relative(slack, t.sigma), form=form, measure=atoms.name, alpha=pair.alpha)


def _growth(rng: np.random.Generator, tally: Tally) -> None:
    """The error never shrinks when the pair opens symmetrically around its bisector."""
    N = int(rng.integers(1, 8))
    atoms = Atoms(integers(rng.integers(-9, 10, (N, 2))), integers(rng.integers(1, 9, N)), "lattice in the plane")
    before = Fraction(0)
    for k in range(1, 17):
        t = terms(in_plane(k, 16), atoms)
        error = t.kernel - (t.main - t.across_C)
        tally.add(relative(error - before, t.sigma), form="grows with the angle", measure=atoms.name, step=k)
        before = error


def _gaussian(setting: Setting, tally: Tally) -> None:
    """N(0, I): alpha^3/(6 pi) - alpha^5/(60 pi) <= error <= alpha^3/(6 pi) for all angles. N(0, Sigma): within s^2 ||.||/2."""
    from flint import arb, ctx

    bits, ctx.prec = ctx.prec, 256
    try:
        for alpha in [*np.geomspace(1e-12, np.pi, 60), *setting.rng.uniform(0, np.pi, setting.instances(40))]:
            a = arb(float(alpha))
            leading = a**3 / (6 * arb.pi())
            error = (a.sin() - a * a.cos()) / (2 * arb.pi())
            tally.add(float((1 - error / leading).lower()), form="<= alpha^3/(6 pi)", alpha=alpha)
            tally.add(float((error / leading - 1 + a**2 / 10).lower()), form=">= ... - alpha^5/(60 pi)", alpha=alpha)
    finally:
        ctx.prec = bits
    for _ in range(setting.instances(20)):
        n = int(setting.rng.integers(2, 5))
        S = np.diag(setting.rng.integers(0, 3, n).astype(float))  # exact, and singular as often as not
        w1, w2 = setting.rng.integers(-4, 5, (2, n)).astype(float)
        k, d = kernel_enclosure(w1, w2, Gaussian(S)), (w2 - w1) / 2
        linear, most = w1 @ S @ w2 / 2, d @ S @ d / 2  # multiples of 1/8: no rounding
        scale = float(np.trace(S) * (w1 @ w1 + w2 @ w2)) or 1.0
        tally.add((float(k.upper) - linear) / scale, form="gaussian, 0 <=", Sigma=np.diag(S), w1=w1, w2=w2)
        tally.add((linear + most - float(k.lower)) / scale, form="gaussian, <=", Sigma=np.diag(S), w1=w1, w2=w2)
        if w1.any() and w2.any():  # between unit vectors, then scaled: another bound where the norms differ
            bounds = symmetric_bounds(w1, w2, Gaussian(S))
            tally.add(float(k.upper - bounds.lower) / scale, form="of directions, 0 <=", Sigma=np.diag(S), w1=w1, w2=w2)
            tally.add(float(bounds.upper - k.lower) / scale, form="of directions, <=", Sigma=np.diag(S), w1=w1, w2=w2)


def _expansions() -> dict[str, bool]:
    """The Gaussian's series, and the error per unit of angular energy density."""
    import sympy as sp

    a, p = sp.symbols("a p", positive=True)
    error = (sp.sin(a) + (sp.pi - a) * sp.cos(a)) / (2 * sp.pi) - sp.cos(a) / 2
    series = sp.series(error, a, 0, 7).removeO()
    wedge = 2 * sp.integrate((sp.cos(2 * p) - sp.cos(a)) / 2, (p, 0, a / 2))
    return {
        "alpha^3/(6 pi) - alpha^5/(60 pi)": sp.expand(series - a**3 / (6 * sp.pi) + a**5 / (60 * sp.pi)) == 0,
        "wedge: (sin alpha - alpha cos alpha)/2": sp.simplify(wedge - (sp.sin(a) - a * sp.cos(a)) / 2) == 0,
    }


def witness() -> Witness:
    """At angle zero, where nothing is left to linearise: X = +-1 has [w,w]_Z = <w,w>_X/2, X = -1 has [w,w]_Z = 0."""
    one = Directions(integers([1]), integers([1]), 1)
    two_sided = terms(one, Atoms(integers([[1], [-1]]), integers([1, 1]), "X = +-1"))
    one_sided = terms(one, Atoms(integers([[-1]]), integers([1]), "X = -1"))
    return Witness(
        bool(two_sided.kernel * 2 == two_sided.along and one_sided.kernel == 0 and one_sided.along == 1),
        "alpha = 0: for X = +-1 the kernel is half of <w,w>_X = 1, for X = -1 it is 0: no equivalence, whatever the constants.",
        {"symmetric": float(two_sided.kernel), "one-sided": float(one_sided.kernel), "linear": float(one_sided.along)},
    )


CLAIM = Claim(
    id="remark-2.3-linear-metric",
    headline="For close units the kernel is the linear metric of the data.",
    instead="Half of it, when the data are symmetric; the error grows like the cube of the angle for Gaussians.",
    fault="the whole of the linear metric in place of its half",
    source="Section 2.3.2, before Proposition 2.3",
    statement=(
        "[w1,w2]_Z is locally equivalent to the linear metric <w1,w2>_X = w1' Sigma w2, with an error that decreases with "
        "the angle."
    ),
    standing=Standing.REMARK,
    tightness=Tightness.ASYMPTOTIC,
    verdict=Verdict.REPAIRED,
    evidence=Evidence.ENCLOSED,
    confirm=attack,
    control=lambda setting: attack(setting, half=False),
    refute=witness,
    repaired=(
        "[w1,w2]_Z = E[<w1,X><w2,X> 1{<X,w_m> >= 0}] + error, 0 <= error <= s^2 E[<X,d^>^2 1_B], and the error grows with the "
        "angle around a fixed bisector. For symmetric X the metric is <w1,w2>_X/2 and error <= s^2 d^' Sigma d^/2. For N(0,I) "
        "error = (sin alpha - alpha cos alpha)/(2 pi) = alpha^3/(6 pi) - alpha^5/(60 pi) + ..."
    ),
    proof=(
        "The error is E[(s^2 <X,d^>^2 - c^2 <X,w_m>^2) 1_B], the positive part of an expression that grows with alpha. In polar "
        "coordinates it is (cos 2p - cos alpha)/2 at the angle p < alpha/2 from the wall of the half space."
    ),
)
