"""`python -m halfrect` is the command `halfrect`."""

import sys

from halfrect.command import program

if __name__ == "__main__":
    sys.exit(program())
