"""The ledger: every claim of the paper with its verdict, its evidence and the means to break it.

What a `claim` is, stands in the module of that name; `claims` holds one module per claim, section by section, and `smt`
the steps that solvers prove. `python -m checks` runs them: `examine` takes one claim to one result, `runner` many, in
`processes` or on a cluster (`clusters`); `report` shows the results. Where asked, claims run on the user's own `tables`
(`table_files`). `certificates` are what travels. `strategies` and `predicates` are for other people's tests, `exercises` for the notebooks; `sweeps` and
`gap` measure on a grid of cells that is kept. What every command of ours owes its user: `own_path`, `programs`.
"""

from checks import own_path as own_path  # first: a program of ours runs nothing that lies in the current folder
from theory import former_addresses as former_addresses
