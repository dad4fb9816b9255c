"""Section 2.3.2: the kernel of two ReLU units, [w1, w2]_Z = E z(w1) z(w2), and what Proposition 2.3 says of it.

Two units are close in what they compute when their kernel is close to |w1| |w2| ||w_m||_Z^2: that is how the paper
measures overlap. `measures` holds the law of X, atoms or a Gaussian, and ||Sigma||; `pairs` the angle, the bisector w_m
and the difference of two vectors; `gaussian` the kernel in closed form (arc cosine). `bounds` states eq. (7) as printed
and in the sharp form c^2 ||w_m||_Z^2 - s^2 E[<X, d^>^2 1] <= [w1, w2]_Z <= c^2 ||w_m||_Z^2; `proof` goes through
appendix B.3 term by term, and `sampling` estimates the kernel where only a sampler is known. All bounds hold in exact
arithmetic, in any units.
"""

from theory.relu_kernel.bounds import (
    PrintedBounds,
    SharpBounds,
    kernel,
    kernel_enclosure,
    printed_bounds,
    sharp_bounds,
    symmetric_bounds,
)
from theory.relu_kernel.gaussian import arc_cosine, arc_cosine_ball, arc_cosine_shape
from theory.relu_kernel.measures import Enclosure, Gaussian, Law, second_moment_norm
from theory.relu_kernel.pairs import Pair, pair
from theory.relu_kernel.proof import ProofTerms, proof_terms
from theory.relu_kernel.sampling import MonteCarlo, monte_carlo

__all__ = [
    "Enclosure", "Gaussian", "Law", "MonteCarlo", "Pair", "PrintedBounds", "ProofTerms", "SharpBounds", "arc_cosine",
    "arc_cosine_ball", "arc_cosine_shape", "kernel", "kernel_enclosure", "monte_carlo", "pair",
    "printed_bounds", "proof_terms", "second_moment_norm", "sharp_bounds", "symmetric_bounds",
]  # fmt: skip
