"""Dynamic String Sampling (section 3, appendix A): strings of beads below a level, certified piece by piece."""

from theory.string_sampling.algorithms import breadth_first, greedy, hyperplane
from theory.string_sampling.objectives import Objective
from theory.string_sampling.runs import Options, Progress, Run, Status, StringResult, ends_of
from theory.string_sampling.strings import SCREEN, UNKNOWN, String, normalised_length
from theory.string_sampling.trainers import TRAINERS, Adam, train

__all__ = [
    "SCREEN",
    "TRAINERS",
    "UNKNOWN",
    "Adam",
    "Objective",
    "Options",
    "Progress",
    "Run",
    "Status",
    "String",
    "StringResult",
    "breadth_first",
    "ends_of",
    "greedy",
    "hyperplane",
    "normalised_length",
    "train",
]
