"""Deep nets of section 4.2 on JAX: convolutions, an LSTM, their training and their strings (extra `deep`).

JAX is imported when a net is first evaluated, not before.
"""

from theory.deep.layers import Conv, Dense, Dropout, Flatten, Layer, Pool, Relu, ResponseNorm
from theory.deep.models import Model

__all__ = ["Conv", "Dense", "Dropout", "Flatten", "Layer", "Model", "Pool", "Relu", "ResponseNorm"]
