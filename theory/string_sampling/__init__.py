"""Dynamic String Sampling (section 3, appendix A): strings of beads between two nets, pulled below a level.

Where no theorem gives a path, one is looked for. A string (`strings`) is a polyline and what is known of each of its
pieces; `algorithms` pull it down: the middle of every piece that exceeds the level is trained to it and becomes a bead,
until no piece exceeds it (`greedy`, Algorithm 1), or the whole string is lowered together (`breadth_first`), or each
bead stays equidistant from its neighbours (`hyperplane`). What they share, how a run begins and how it ends, is in
`runs`: a string counts as a connection only when the risk along every piece is certified; a failure comes with its
reason and what to try, and proves nothing. `as_published` is the authors' own program, which looks at a grid. Heights,
bounds and training are asked of a landscape (`theory.landscapes`).
"""

from theory.landscapes import SCREEN, TRAINERS, Adam, Objective, train
from theory.string_sampling.algorithms import breadth_first, greedy, hyperplane
from theory.string_sampling.as_published import published
from theory.string_sampling.runs import Options, Progress, Run, Status, StringResult, ends_of
from theory.string_sampling.strings import String, normalised_length

__all__ = [
    "SCREEN",
    "TRAINERS",
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
    "published",
    "train",
]
