"""Paths as documents that anybody can verify with nothing but Python."""

from checks.certificates.document import Certificate, load, save
from checks.certificates.shipped import Shipped, make, write
from checks.certificates.verify import main

__all__ = ["Certificate", "Shipped", "load", "main", "make", "save", "write"]
