"""Section 2.2: linear networks.

Wide linear nets have connected level sets (`prop_2_2`), whatever the ranks (`sec_2_2_no_rank`) and at the right widths
(`prop_2_2_width`), with ridge in two layers (`prop_2_2_ridge`) and not beyond (`prop_2_2_ridge_depth`), or with another
penalty (`sec_2_2_atomic`, `eq_12`). At critical width there are two components (`linear_square_barrier`). What follows:
`prop_2_2_no_strict_minima`, `prop_2_2_decreasing`. The printed proofs: `prop_2_2_proof_published`,
`prop_2_2_proof_last_line`, `prop_2_2_proof_later`. All draw on `instances`.
"""
