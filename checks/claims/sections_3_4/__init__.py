"""Sections 3 and 4, appendices A and E: strings.

Lengths (`sec_3_1_geodesic`), Algorithm 1 (`alg_1_recursion`, `alg_1_sound`, `alg_1_runtime`, `sec_3_2_worst_case`,
`sec_3_2_alpha`) and the variants of appendix A (`app_a_*`; `hyperplane_protocol` is the comparison that decides). Figure 1:
`fig_1_*`, `sec_4_2_length`, `sec_4_nearly_convex` and `abstract_exponential`, from the authors' numbers (`published`) and from
runs of our own (`deep_runs`). Appendix E.1: three units whose swap is a wall (`app_e1_disconnected`, `app_e1_parameters`,
`app_e1_threshold`). What a picture of level sets proves: `persistence_is_not_proof`, `sampling_misses`, `sublevel_tree`. Exact
strings run along a `valley`; the others draw on `instances`.
"""
