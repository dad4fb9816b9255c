"""Claim by claim: which steps are proved by solvers, and what stands beside them that is not of this kind.

A step is of this kind when it speaks of finitely many reals and polynomials, with case distinctions. Statements on sets
(connected, isolated), on laws of any kind, on every width or depth, on sines and logarithms and on data are not; for
them `REST` says what the check does instead. The step from a lemma, which is pointwise or small, to the claim is in paper_notes.md.
"""

from __future__ import annotations

from checks.smt import section_2_1, section_2_2, section_2_3_1, section_2_3_2, section_2_3_3, section_5, sections_3_4
from checks.smt.statements import Lemma

_SECTIONS = (section_2_1, section_2_2, section_2_3_1, section_2_3_2, section_2_3_3, sections_3_4, section_5)

PROVED: dict[str, tuple[Lemma, ...]] = {claim: lemmas for part in _SECTIONS for claim, lemmas in part.LEMMAS.items()}

REST: dict[str, str] = {
    "prop-2.1": "A statement on sets and levels: components are counted on finite landscapes.",
    "prop-2.1-nonstrict": "That level sets are connected for every width is a path, walked in fractions.",
    "intro-descent": "That the level sets around the plateau are connected is in prop-2.1-nonstrict.",
    "sec-2.1-saddle": "The repaired statement is on components of level sets: finite landscapes.",
    "sec-2.1-orbits": "Networks of any size: integer matrices.",
    "sec-2.1-not-necessary": "The choice of a, b with <a, G b> < 0 needs any G, not zero: tested in fractions.",
    "sec-2.1-hessian": "That a second-order part below 0 excludes a minimum is calculus.",
    "prop-2.2": "Widths, depths and ranks of any size, and rounding: certified paths.",
    "prop-2.2-width": "That a path passes 0 is continuity.",
    "prop-2.2-ridge": "Square roots of matrices, and rotations in more than two dimensions: certified paths.",
    "prop-2.2-ridge-depth": "Any widths, depths above 4 and non-quadratic losses: spheres of exact radius.",
    "prop-2.2-no-strict-minima": "Absence of minima for every depth quotes Laurent and von Brecht.",
    "prop-2.2-decreasing": "Matrices of any size, and depth above 2: polynomials along certified pieces.",
    "prop-2.2-proof-published": "Limits at deficient ends, and generic curves: witnesses in fractions.",
    "prop-2.2-proof-later": "Shapes other than 2 x 1: rational matrices.",
    "linear-square-barrier": "Widths above 2, and components: certified paths and exact barriers.",
    "eq-12": "Matrices other than 2 x 2.",
    "sec-2.3.1-gaussians": "Gaussian integrals: closed forms and balls.",
    "sec-2.3.1-tessellation": "Continuous laws and dimension above 1: exact lower bounds on samples.",
    "sec-2.3.1-mixture": "The gradient for almost every target is an integral: fractions on samples.",
    "eq-6-monotone": "The limit e(inf) is a convex problem over measures: primal and dual bounds.",
    "eq-6-vanishing": "The rate, and rays in any dimension: dual bounds.",
    "eq-6-attained": "Compactness, and Gaussian risks in closed form: balls.",
    "prop-2.3": "From the pointwise inequality to a law one takes expectations; |Sigma| is enclosed.",
    "prop-2.3-sharp": "From the pointwise inequality to a law one takes expectations: integers on discrete laws.",
    "prop-2.3-proof": "From points to laws, as above; the counterexamples are re-verified as laws, in integers.",
    "remark-2.3-energy": "From points to laws, as above.",
    "remark-2.3-taylor": "s <= alpha/2 is the sine: enclosed.",
    "remark-2.3-upper": "The Gaussian kernel and the root of tan(alpha) = pi + alpha: enclosed.",
    "remark-2.3-linear-metric": "Angular densities, sines and the series in alpha: enclosed.",
    "eq-8-well-posed": "Compactness of caps; other samples: dual bounds.",
    "eq-8-monotone": "Inclusion of feasible sets; minima over supports: enumeration and dual bounds.",
    "thm-2.4": "The whole path, for nets of any width: certified piece by piece.",
    "thm-2.4-subpath-1": "More than one weight: fractions along segments.",
    "thm-2.4-subpath-3": "Slots and moves of any number of units: certified paths.",
    "thm-2.4-eta": "E v^2 <= |Sigma| takes the pointwise bound to laws: fractions.",
    "thm-2.4-constant": "Minkowski for any law; that the printed constant fails at first order in alpha: fractions.",
    "rem-2.4-regularisation": "The path itself, for any width.",
    "cor-2.5-covering": "The number of balls is a ratio of volumes.",
    "cor-2.5-rate": "Any number of tosses and of units, exponents that are logarithms: certified gaps.",
    "cor-2.5-removal": "Many cells at once: fractions.",
    "cor-2.5-connected": "e(3) < e(2) on the circle contains pi, and (m-1)! components: balls and random paths.",
    "sharper-maurey": "Paths for any width: certified against the bound.",
    "sharper-2N": "Ranks up to N: certified paths.",
    "sharper-N+1": "Exchange and pivots for any N: walked in fractions.",
    "sharper-drop": "Any number of dropped units, and the path: certified.",
    "sharper-permutation": "Permutations of any number of units: certified paths.",
    "sharper-sign-invariance": "Other samples and the cyclic order in the plane: lower bounds over all directions.",
    "penalised-barrier": "Other samples: roots of polynomials and values at them, enclosed in balls.",
    "alg-1-recursion": "The recursion itself is run, in fractions.",
    "alg-1-sound": "Nets and losses in general: certified maxima.",
    "alg-1-runtime": "Any number of beads: fractions along the valley.",
    "sec-3.1-geodesic": "Paths of any shape: lengths are suprema over polylines.",
    "app-a-hyperplane": "More control is a comparison of runs.",
    "app-a-hyperplane-formula": "Any dimension: the same identity, summed.",
    "app-a-breadth-first": "Sooner is a comparison of runs.",
    "fig-1-quadratic": "A fit to published numbers and runs.",
    "fig-1-cubic": "A fit to published numbers and runs.",
    "fig-1-cubic-spike": "Published numbers and runs.",
    "fig-1-monotone": "Published numbers, compared in fractions.",
    "fig-1-ptb": "Published numbers and a replay of the published check.",
    "fig-1-certified": "Trained nets: certified bounds.",
    "app-e1-disconnected": "Other triangles have irrational corners or cones to enumerate: signs of rational determinants.",
    "app-e1-parameters": "Affine maps of other triangles: rational linear algebra.",
    "app-e1-threshold": "Any number of points and units: certified paths.",
    "persistence-is-not-proof": "Runs of a string; the height e(2) that tells them apart is in app-e1-disconnected.",
    "sampling-misses": "Trained nets: certified maxima.",
    "sublevel-tree": "Components on grids, in more dimensions: sampled.",
    "sec-2.1-lie-group": "Groups and homotopy.",
    "sec-2.1-strict-path": "A statement on sets and paths.",
    "sec-2.1-many": "Counts of components.",
    "sec-2.2-no-rank": "Ranks of any size: certified paths of prop-2.2.",
    "prop-2.2-proof-last-line": "A misprint.",
    "sec-2.2-atomic": "Any convex function of the product: certified paths.",
    "sec-2.3-biases": "The identity relu(1) = 1, for nets of any size: fractions.",
    "rem-small-angle": "Random rows, and packing in any dimension.",
    "rem-2.4-empirical": "Laws of any kind.",
    "sec-3.2-alpha": "Any number of units and targets: fractions.",
    "sec-3.2-worst-case": "Counts of calls.",
    "sec-4.2-length": "A fit to published numbers.",
    "abstract-exponential": "A fit to published numbers.",
    "fig-1-bead-blocks": "Means of runs.",
    "sec-4-nearly-convex": "A net on 797 images: scores in floats, their rounding bounded.",
    "fig-1-mnist": "A fit to published numbers.",
    "fig-1-cifar": "A fit to published numbers.",
    "app-a-same-loss": "Every depth and width: enumeration.",
    "app-a-fixed-points": "Flows, and stable manifolds.",
    "cor-2.5-poor-minima": "Closed forms on circles, which contain pi, and every width at once.",
    "sec-2.3.1-gaussians-growth": "Gaussian integrals: quadrature against a bound in balls.",
    "sec-5-multilayer": "Nets of any depth and width.",
    "sec-5-empirical": "Laws and samples: bounds of probability.",
    "sec-5-symmetry": "Every width at once.",
    "plus-one": "Permutations of any number of units: integer nets.",
    "deep-exchange": "Any number of samples, units and layers: certified paths, walls in fractions.",
    "dropout-reduction": "Paths for nets of any depth and width: certified.",
    "multilayer-2.4": "Means over any number of coins, and paths of any depth: exact means and certified paths.",
    "pivots": "Linear programs of any size: walked in fractions.",
    "other-losses": "Laws of coins, logarithms and any convex loss: means by enumeration, certified paths.",
    "ridge-deep": "Any widths and depths, and relu: fractions; that a path passes the sphere is continuity.",
    "held-out": "Bounds of probability: coverage on finite populations.",
    "straight-modulo": "All permutations and Gaussian laws: dual variables, brute force.",
    "ridge-one-layer": "Ranks up to N, and square roots along curves: certified paths.",
    "schatten-depth": "Singular values of matrices of any size: certified paths.",
}


def lemmas_of(claim_id: str) -> tuple[Lemma, ...]:
    """The lemmas that a claim rests on, none where nothing of it is of this kind; KeyError for an id that is not known here."""
    if claim_id not in REST:
        raise KeyError(claim_id)
    return PROVED.get(claim_id, ())


def every_lemma() -> dict[str, Lemma]:
    """All lemmas by name, each once; several claims may share one."""
    return {lemma.name: lemma for lemmas in PROVED.values() for lemma in lemmas}
