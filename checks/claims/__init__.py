"""One module per claim, in the order of the catalogue below; `load` finds them."""

from __future__ import annotations

import importlib
import importlib.util

from checks.claim import Claim

# The paper's order. Ids are fixed.
CATALOGUE: dict[str, tuple[str, ...]] = {
    "2.1 Poor minima and connectedness": (
        "prop-2.1",
        "prop-2.1-nonstrict",
        "intro-descent",
        "sec-2.1-hessian",
        "sec-2.1-saddle",
        "sec-2.1-strict-path",
        "sec-2.1-orbits",
        "sec-2.1-lie-group",
        "sec-2.1-not-necessary",
        "sec-2.1-many",
    ),
    "2.2 Linear networks": (
        "prop-2.2",
        "sec-2.2-no-rank",
        "prop-2.2-width",
        "prop-2.2-ridge",
        "prop-2.2-ridge-depth",
        "sec-2.2-atomic",
        "prop-2.2-no-strict-minima",
        "prop-2.2-decreasing",
        "prop-2.2-proof-published",
        "prop-2.2-proof-last-line",
        "eq-12",
        "prop-2.2-proof-later",
        "linear-square-barrier",
    ),
    "2.3.1 Half-rectified networks are generally disconnected": (
        "sec-2.3-biases",
        "sec-2.3.1-gaussians",
        "sec-2.3.1-gaussians-growth",
        "sec-2.3.1-tessellation",
        "sec-2.3.1-mixture",
    ),
    "2.3.2 The kernel, the oracle risk and compressibility": (
        "eq-6-monotone",
        "eq-6-vanishing",
        "eq-6-attained",
        "prop-2.3",
        "prop-2.3-sharp",
        "prop-2.3-proof",
        "remark-2.3-energy",
        "remark-2.3-taylor",
        "remark-2.3-upper",
        "remark-2.3-linear-metric",
        "rem-small-angle",
        "eq-8-well-posed",
        "eq-8-monotone",
    ),
    "2.3.3 Theorem 2.4 and Corollary 2.5": (
        "thm-2.4",
        "thm-2.4-subpath-1",
        "thm-2.4-subpath-3",
        "thm-2.4-eta",
        "thm-2.4-constant",
        "rem-2.4-empirical",
        "rem-2.4-regularisation",
        "cor-2.5-rate",
        "cor-2.5-covering",
        "cor-2.5-removal",
        "cor-2.5-connected",
        "cor-2.5-poor-minima",
        "sharper-maurey",
        "sharper-drop",
        "sharper-N+1",
        "sharper-2N",
        "sharper-permutation",
        "sharper-sign-invariance",
        "penalised-barrier",
    ),
    "3-4 Strings, appendices A and E": (
        "sec-3.1-geodesic",
        "alg-1-recursion",
        "alg-1-sound",
        "alg-1-runtime",
        "sec-3.2-worst-case",
        "sec-3.2-alpha",
        "app-a-hyperplane-formula",
        "app-a-hyperplane",
        "app-a-breadth-first",
        "app-a-same-loss",
        "app-a-fixed-points",
        "abstract-exponential",
        "fig-1-quadratic",
        "fig-1-cubic",
        "fig-1-cubic-spike",
        "sec-4.2-length",
        "fig-1-mnist",
        "fig-1-cifar",
        "fig-1-monotone",
        "fig-1-ptb",
        "fig-1-bead-blocks",
        "sec-4-nearly-convex",
        "fig-1-certified",
        "app-e1-disconnected",
        "app-e1-parameters",
        "app-e1-threshold",
        "persistence-is-not-proof",
        "sampling-misses",
        "sublevel-tree",
    ),
    "5 Open questions, and after the paper": (
        "sec-5-multilayer",
        "sec-5-empirical",
        "sec-5-symmetry",
        "plus-one",
        "deep-exchange",
        "dropout-reduction",
        "other-losses",
        "ridge-deep",
        "multilayer-2.4",
        "pivots",
        "held-out",
        "straight-modulo",
        "ridge-one-layer",
        "schatten-depth",
    ),
}


# The package of each section.
FOLDERS = dict(
    zip(
        CATALOGUE,
        ("section_2_1", "section_2_2", "section_2_3_1", "section_2_3_2", "section_2_3_3", "sections_3_4", "section_5"),
        strict=True,
    )
)


def section(claim_id: str) -> str:
    """The section of the paper that a claim belongs to."""
    return next(title for title, ids in CATALOGUE.items() if claim_id in ids)


def available() -> tuple[str, ...]:
    """Ids of the claims that have a module, in the catalogue's order."""
    ids = (claim_id for ids in CATALOGUE.values() for claim_id in ids)
    return tuple(claim_id for claim_id in ids if importlib.util.find_spec(_module(claim_id)))


def load(claim_id: str) -> Claim:
    """The claim with this id; KeyError when there is none."""
    if claim_id not in available():
        raise KeyError(claim_id)
    return importlib.import_module(_module(claim_id)).CLAIM


def module_name(claim_id: str) -> str:
    """The name of the module of a claim inside its section: letters, digits and underscores."""
    return claim_id.replace("+", "_plus_").replace("-", "_").replace(".", "_")


def _module(claim_id: str) -> str:
    folder = next((FOLDERS[title] for title, ids in CATALOGUE.items() if claim_id in ids), "nowhere")
    return f"checks.claims.{folder}." + module_name(claim_id)
