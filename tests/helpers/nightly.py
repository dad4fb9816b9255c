"""How many instances a property is tried on: few by day, ten thousand at night (HYPOTHESIS_PROFILE=nightly)."""

import os

from hypothesis import settings

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"


def instances(few: int) -> settings:
    """`few` instances, ten thousand in the nightly profile."""
    return settings(max_examples=10_000 if NIGHTLY else few, deadline=None)
