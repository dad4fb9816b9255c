"""What strings ask of a landscape: heights, a look along a piece, a bound, and training (section 3.1).

Any object with a few methods will do (`Landscape`). That of a risk is `exact`: its bounds hold in exact arithmetic, and
its `trainers` land on a level; what they minimise, the risk with springs of appendix A, is in `objectives`. `bands`
pull a whole string straight at once. `theory.deep` has landscapes of deep nets, which are looked at on a grid.
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
