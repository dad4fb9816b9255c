"""The array type that annotations name, and how much of one is worked on at a time."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]

# Working memory of one slab of a batched evaluation, in numbers.
SLAB = 500_000
