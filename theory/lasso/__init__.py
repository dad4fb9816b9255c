"""The convex second layer (eqs 6 and 8): solved by whatever solver, judged by our own primal and dual bounds."""

from theory.lasso.duality import correlation, features, primal, scaled
from theory.lasso.solve import SOLVERS, Homotopy, SecondLayer, certify, homotopy, kappa_max, second_layer
from theory.lasso.solvers import active_set

__all__ = [
    "SOLVERS",
    "Homotopy",
    "SecondLayer",
    "active_set",
    "certify",
    "correlation",
    "features",
    "homotopy",
    "kappa_max",
    "primal",
    "scaled",
    "second_layer",
]
