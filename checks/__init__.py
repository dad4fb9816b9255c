"""The ledger: every claim of the paper with its verdict, its evidence and the means to break it.

`python -m checks` runs it. `checks.strategies` holds Hypothesis strategies, `checks.claims` one module per claim.
"""

from checks import own_path as own_path  # first: a program of ours runs nothing that lies in the current folder
from theory import moved as moved
