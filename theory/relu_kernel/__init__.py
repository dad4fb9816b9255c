"""The kernel of two ReLU units (section 2.3.2) and the bounds of Proposition 2.3, as printed and sharp."""

from theory.relu_kernel.bounds import (
    PrintedBounds,
    SharpBounds,
    kernel,
    kernel_enclosure,
    linear_metric,
    printed_bounds,
    sharp_bounds,
    symmetric_bounds,
)
from theory.relu_kernel.gaussian import arc_cosine, arc_cosine_ball
from theory.relu_kernel.measures import Enclosure, Gaussian, second_moment_norm
from theory.relu_kernel.pairs import Pair, pair
from theory.relu_kernel.proof import ProofTerms, Wedges, proof_terms, wedges
from theory.relu_kernel.sampling import MonteCarlo, monte_carlo

__all__ = [
    "Enclosure",
    "Gaussian",
    "MonteCarlo",
    "Pair",
    "PrintedBounds",
    "ProofTerms",
    "SharpBounds",
    "Wedges",
    "arc_cosine",
    "arc_cosine_ball",
    "kernel",
    "kernel_enclosure",
    "linear_metric",
    "monte_carlo",
    "pair",
    "printed_bounds",
    "proof_terms",
    "second_moment_norm",
    "sharp_bounds",
    "symmetric_bounds",
    "wedges",
]
