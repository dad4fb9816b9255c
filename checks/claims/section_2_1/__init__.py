"""Section 2.1: poor minima and connectedness.

Connected sublevel sets leave no poor *strict* minimum (`prop_2_1`), but poor minima they do leave (`prop_2_1_nonstrict`,
`intro_descent`), and without poor minima they can be disconnected (`sec_2_1_not_necessary`). The flat sets that this is
about: orbits of equivalent nets (`sec_2_1_orbits`, `sec_2_1_lie_group`), their boundary (`sec_2_1_saddle`,
`sec_2_1_strict_path`), how many there can be (`sec_2_1_many`), and the Hessian (`sec_2_1_hessian`). What is exact is
tried on the `finite_landscapes`.
"""
