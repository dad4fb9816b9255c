"""Deep nets of sections 4.2 and 4.3 on JAX: convolutions, an LSTM, their training and their strings (extra `deep`).

A net is layers over one flat vector (`Model`, `Lstm`); a task adds data and the authors' training (`tasks`); `Deep` is the
landscape that strings are laid on. JAX is imported when a net is first evaluated, not before.
"""

from theory.deep import models, tasks
from theory.deep.backend import need
from theory.deep.landscape import Deep, Ends
from theory.deep.layers import Conv, Dense, Dropout, Flatten, Layer, Pool, Relu, ResponseNorm
from theory.deep.models import Model
from theory.deep.recurrent import Lstm

__all__ = [
    "Conv",
    "Deep",
    "Dense",
    "Dropout",
    "Ends",
    "Flatten",
    "Layer",
    "Lstm",
    "Model",
    "Pool",
    "Relu",
    "ResponseNorm",
    "models",
    "need",
    "tasks",
]
