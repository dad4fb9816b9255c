"""Deep nets of sections 4.2 and 4.3 on JAX: convolutions, an LSTM, their training and their strings (extra `deep`).

A net is `layers` over one flat vector (`models`, `recurrent`); `tasks` add data and the authors' training; `landscape` is
what strings are laid on, looked at on a grid, many of them `together` on a GPU. What a grid cannot say, `certificates` do: bounds on the error rate of a
piecewise linear net for every t of a segment, in NumPy, from `enclosures` of its units. JAX is imported when a net is
first evaluated, not before (`backend`).
"""

from theory.deep.backend import need
from theory.deep.certificates import CertifiedError, certificate, certified_error, error_bounds
from theory.deep.enclosures import scores
from theory.deep.landscape import Deep, Ends
from theory.deep.layers import Conv, Dense, Dropout, Flatten, Layer, Pool, Relu, ResponseNorm
from theory.deep.models import Model
from theory.deep.recurrent import Lstm
from theory.deep.together import Together

__all__ = [
    "CertifiedError",
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
    "Together",
    "certificate",
    "certified_error",
    "error_bounds",
    "need",
    "scores",
]
