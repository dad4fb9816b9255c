"""What strings ask of a landscape: heights, a look along a piece, a bound, and training (section 3.1).

`Exact` is the landscape of a risk: its bounds hold in exact arithmetic, and its trainers land on a level. `theory.deep`
has landscapes of deep nets, which are looked at on a grid. Any object with the same few methods will do (`Landscape`).
"""

from theory.landscapes.bands import tightened
from theory.landscapes.exact import SCREEN, Exact, Landscape, Seen, landscape_of
from theory.landscapes.objectives import Objective
from theory.landscapes.trainers import ITERATIONS, LANDING, TRAINERS, Adam, Trained, train

__all__ = [
    "ITERATIONS",
    "LANDING",
    "SCREEN",
    "TRAINERS",
    "Adam",
    "Exact",
    "Landscape",
    "Objective",
    "Seen",
    "Trained",
    "landscape_of",
    "tightened",
    "train",
]
