"""Former addresses, and where what they name stands now.

An import of one of them gives the module at its new address, so that nothing exists twice (section 2.1's trees;
certificates, which left the mathematics; what strings ask of a landscape). Nothing in this project uses them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

ADDRESSES = {
    "theory.topology": "theory.sublevel_trees",
    "theory.string_sampling.objectives": "theory.landscapes.objectives",
    "theory.string_sampling.trainers": "theory.landscapes.trainers",
    "theory.certificates": "checks.certificates.document",
    "checks.verify": "checks.certificates.verify",
}


class Forwarding(MetaPathFinder, Loader):
    """Finds the old addresses, and nothing else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec for fullname when it is an old address; path and target, as the import system hands them, do not matter."""
        return ModuleSpec(fullname, self) if fullname in ADDRESSES else None

    def exec_module(self, module: ModuleType) -> None:
        """The module at the new address takes the place of the new, empty module."""
        sys.modules[module.__name__] = importlib.import_module(ADDRESSES[module.__name__])


if not any(isinstance(finder, Forwarding) for finder in sys.meta_path):
    sys.meta_path.append(Forwarding())
