"""Paths as documents that anybody can verify with nothing but Python.

A certificate is a path, its risk and the claimed bound in one JSON file (`document`). `verify` checks it in exact
arithmetic: the standard library alone, no line shared with what made it. `shipped` makes one for every verdict that
rests on a path.
"""

from checks.certificates.document import Certificate, load, save
from checks.certificates.shipped import Shipped, make, write
from checks.certificates.verify import main

__all__ = ["Certificate", "Shipped", "load", "main", "make", "save", "write"]
