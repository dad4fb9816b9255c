"""Paths as documents that anybody can verify with nothing but Python."""

from checks.certificates.shipped import Shipped, make, write
from checks.certificates.verify import main

__all__ = ["Shipped", "main", "make", "write"]
