"""Theorem 2.4 at any depth (section 5, first open question): deep nets joined through sparse ones.

Nets that use half of each layer (`halves`) are joined at no cost, side by side (Lemma 1: `compress` walks to a half,
`route` from there to the other net). And few units do nearly as well as many in every layer (Lemma 2, `trees`; by
practice, `refits`). So two nets below lambda are joined below lambda + O(m^{-1/(2K-3)}) at equal widths m, without any
assumption on them, for every convex loss and every law of the data.
"""

from theory.deep_paths.halves import Half, Masses, masses
from theory.deep_paths.refits import best_head
from theory.deep_paths.route import DeepPath, connect
from theory.deep_paths.trees import Plan, Promise, allowance, bound, plan, tree, zeta

__all__ = [
    "DeepPath",
    "Half",
    "Masses",
    "Plan",
    "Promise",
    "allowance",
    "best_head",
    "bound",
    "connect",
    "masses",
    "plan",
    "tree",
    "zeta",
]
